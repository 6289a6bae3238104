"""Every inspection that happened, graded or not, with all its judgements."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

from headway.pipelines.synthesise.particulars import trust_on
from headway.pipelines.synthesise.sheets import day_numbers
from headway.pipelines.synthesise.world import ANEW, FIRST_YEAR, LAST_YEAR, YEAR, World, pauses

# what ungraded inspections conclude: unchanged, better, worse; from the grade held, to 2024 and since
WORDS = {
    (1, False): (
        "School remains Outstanding",
        "School remains Outstanding",
        "School remains Outstanding (Concerns) - S5 Next",
    ),
    (2, False): (
        "School remains Good",
        "School remains Good (Improving) - S5 Next",
        "School remains Good (Concerns) - S5 Next",
    ),
    (1, True): ("Standards maintained", "Standards maintained", "Some aspects not as strong"),
    (2, True): ("Standards maintained", "Improved significantly", "Some aspects not as strong"),
}
MONITORED = ("Leaders are taking effective action", "Leaders are not taking effective action")


def happened(world: World, schools: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Every inspection before report cards, graded or not, and the monitoring that followed, in order of
    school and day.

    `before` is the row of the last graded inspection before it, -1 for none.
    """
    graded = _judged(world, rng)
    visits = _ungraded(graded, schools, rng)
    events = pd.concat([graded[graded["year"] < LAST_YEAR], visits], ignore_index=True)
    events = events[events["published_on"] <= "2026-08-31"]
    events = events.sort_values(["school", "inspected_on", "kind"], kind="stable", ignore_index=True)
    position = np.where(events["kind"] == "graded", np.arange(len(events)), -1)
    last = np.concatenate([[-1], np.maximum.accumulate(position)[:-1]])
    same = (last >= 0) & (events["school"].to_numpy()[last] == events["school"].to_numpy())
    order = events["inspected_on"].rank(method="first").astype(int)
    old_number = events["inspected_on"] < "2015-09-01"
    sixth_form = schools["has_sixth_form"].to_numpy()[events["school"]]
    return placed(
        events.assign(
            sixth_form=np.where(sixth_form, events["sixth_form"], 9),
            before=np.where(same, last, -1),
            on=day_numbers(events["inspected_on"]),
            out=day_numbers(events["published_on"]),
            ended=day_numbers(events["inspected_on"]) + 1,
            inspection_number=np.where(old_number, "ITS", "10") + (300_000 + order).astype(str),
        ),
        schools,
    )


def placed(events: pd.DataFrame, schools: pd.DataFrame) -> pd.DataFrame:
    """Inspections, each with its school's particulars as they were under the URN and on the day it was
    made.
    """
    rows = schools.iloc[events["school"]].reset_index(drop=True)
    moved = (events["urn"] == rows["new_urn"]).to_numpy()
    now = {c: np.where(moved, rows[f"new_{c}"], rows[c]) for c in ("name", "type", "laestab")}
    now["opened"] = np.where(moved, rows["converts"], rows["opened"])
    now |= trust_on(rows, moved | rows["new"].to_numpy(), events["on"].to_numpy())
    same_columns = rows.drop(columns=["school", "urn", "phase", *now])
    return events.assign(**now, **same_columns)


def _judged(world: World, rng: np.random.Generator) -> pd.DataFrame:
    """The graded inspections with their other judgements, which follow the overall grade by the published
    rule.
    """
    visits = world.visits[world.visits["year"] <= 2025]
    count = len(visits)
    overall, leadership = visits["overall"].to_numpy(), visits["leadership"].to_numpy()
    row = (visits["year"].to_numpy() - FIRST_YEAR).clip(0)
    advantage = world.schools["advantage"].to_numpy()[visits["school"]]
    standing = 0.62 * advantage + 0.785 * world.quality[row, visits["school"]]

    def kinder(chance: float, lean: float) -> np.ndarray:
        """The overall grade, or one better for a share of schools, of higher standing more often."""
        better = lean * standing + np.sqrt(1 - lean**2) * rng.normal(0, 1, count) > ndtri(1 - chance)
        return overall - (better & (overall > 1))

    education = np.where(leadership == overall, kinder(0.01, 0.0), overall)
    draw = rng.random(count)
    early = visits["inspected_on"].to_numpy() < np.datetime64("2012-09-01")
    concern = np.where(
        draw < 0.6, "SM", np.where(early, "NTI", np.where(visits["year"] >= 2025, "RSI", "SWK"))
    )
    # Leadership that isn't inadequate itself can't leave a school in special measures.
    concern = np.where((leadership < 4) & (concern == "SM"), np.where(early, "NTI", "SWK"), concern)
    nursery_age = np.isin(visits["phase"], ["Primary", "Nursery"])
    converted = (
        (overall <= 3)
        & (visits["year"].to_numpy() >= 2015)
        & (visits["year"].to_numpy() < 2023)
        & (draw > 0.9)
    )
    return visits.assign(
        kind="graded",
        quality_of_education=education,
        teaching=kinder(0.04, 0.3),
        achievement=kinder(0.03, 0.3),
        behaviour=kinder(0.33, 0.45),
        personal_development=kinder(0.38, 0.4),
        draw=draw,
        early_years=np.where(nursery_age, kinder(0.12, 0.2), 9),
        sixth_form=np.where(visits["phase"] == "Secondary", kinder(0.15, 0.2), 9),
        middle_leadership=np.where(visits["year"] < 2012, kinder(0.05, 0.3), 9),
        category=np.where(overall == 4, concern, None),
        safe=np.where((overall == 4) & (draw < 0.45), "No", "Yes"),
        inspection_type=np.where(converted, "Section 8 conversion", "S5 Inspection"),
        event_type=np.where(
            converted,
            "Schools \u2013 Section 8 conversion",
            np.where(draw < 0.03, "Schools - S8 deemed S5", "Schools - S5"),
        ),
        outcome=None,
    )


def _ungraded(graded: pd.DataFrame, schools: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Visits that gave no grade: short and ungraded inspections of Good schools, monitoring of the weakest.

    What they conclude leans towards the next grade, as it does in life.
    """
    following = graded.groupby("school")[["overall", "inspected_on"]].shift(-1)
    on = day_numbers(graded["inspected_on"])
    until = np.minimum(
        np.where(following["inspected_on"].notna(), day_numbers(following["inspected_on"]), 40_000),
        schools["closed"].to_numpy()[graded["school"]],
    )
    grade = graded["overall"].to_numpy()
    rises, drops = (following["overall"] < grade).to_numpy(), (following["overall"] > grade).to_numpy()
    parts = []
    when = on
    for waits, kind in (((3.0, 4.3), "ungraded"), ((3.4, 4.2), "ungraded"), ((0.4, 0.9), "monitoring")):
        count = len(graded)
        sooner = np.where((kind == "ungraded") & (on > ANEW), 0.9, 0.0)
        when = (when if kind == "ungraded" else on) + ((rng.uniform(*waits, count) - sooner) * YEAR).astype(
            int
        )
        draw, skipped = rng.random(count), rng.random(count) < 0.15
        if kind == "ungraded":
            for first, again in pauses():
                paused = (when >= first) & (when < again)
                when = np.where(paused, again + (3.2 * YEAR * rng.random(count)).astype(int), when)
            kept = ((grade == 2) | ((grade == 1) & (on > ANEW))) & (until - when > 300)
            late = when >= np.datetime64("2024-10-07", "D").astype(int)
            place = np.where(
                rises & (draw < 0.25),
                1,
                np.where(drops & (draw < 0.2), 2, np.where(draw > 0.97, 2, np.where(draw > 0.95, 1, 0))),
            )
            texts = np.array([[WORDS[g, bool(new)] for new in (0, 1)] for g in (1, 2)], dtype=object)
            outcome = texts[(grade - 1).clip(0, 1), late.astype(int), place]
        else:
            kept = (((grade == 4) & (draw < 0.85)) | ((grade == 3) & (draw < 0.25))) & (until - when > 90)
            outcome = np.where(rises | (rng.random(count) < 0.7), *MONITORED)
        # Snapped off week-ends and out of August; the first of them came with short inspections.
        when += np.choose((when + 3) % 7, [0, 0, 0, 0, 0, 2, 1])
        month = when.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
        when = np.where(np.isin(month, [6, 7]), when + 63, when)
        kept &= (
            ~skipped
            & (graded["year"].to_numpy() < LAST_YEAR)  # of a report card, `report_cards` makes what follows
            & (when >= np.datetime64("2015-09-15", "D").astype(int))
            & (when < schools["closed"].to_numpy()[graded["school"]])
        )
        if kind == "ungraded":
            kept &= when < np.datetime64("2025-07-15", "D").astype(int)
        moved = when >= schools["converts"].to_numpy()[graded["school"]]
        names = (
            ("Short inspection", "Schools - S8 short")
            if kind == "ungraded"
            else ("S8 monitoring", "Schools - S8 monitoring")
        )
        rows = graded[["school", "phase"]].assign(
            kind=kind,
            outcome=outcome,
            inspection_type=names[0],
            event_type=names[1],
            overall=0,
            leadership=0,
            urn=np.where(
                moved,
                schools["new_urn"].to_numpy()[graded["school"]],
                schools["urn"].to_numpy()[graded["school"]],
            ),
            inspected_on=when.astype("datetime64[D]").astype("datetime64[s]"),
            published_on=(when + 20 + (draw * 25).astype(int))
            .astype("datetime64[D]")
            .astype("datetime64[s]"),
        )
        parts.append(rows[kept])
    return pd.concat(parts, ignore_index=True)
