"""The inspection files: every release from 2005 to report cards, in its own wording, markers and shape."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines import frameworks
from pipelines.synthesise.particulars import listed
from pipelines.synthesise.sheets import day_numbers, day_text, official, workbook, write_csv, zipped
from pipelines.synthesise.world import FIRST_YEAR, World

YEAR = 365.25
FOLDER = "ofsted"
STATE_FUNDED = "Management_information_-_state-funded_schools_-_"
NO_OVERALL = "2024-09-01"
WORDS = {  # what ungraded inspections conclude: unchanged, better, worse; from the grade held, to 2024 and since
    (1, False): ("School remains Outstanding", "School remains Outstanding", "School remains Outstanding (Concerns) - S5 Next"),
    (2, False): ("School remains Good", "School remains Good (Improving) - S5 Next", "School remains Good (Concerns) - S5 Next"),
    (1, True): ("Standards maintained", "Standards maintained", "Some aspects not as strong"),
    (2, True): ("Standards maintained", "Improved significantly", "Some aspects not as strong"),
}  # fmt: skip
MONITORED = ("Leaders are taking effective action", "Leaders are not taking effective action")


def write(out: Path, world: World, schools: pd.DataFrame, rng: np.random.Generator) -> None:
    """Every inspection file, into `out`."""
    events = _events(world, schools, rng)
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    name = "Management_information_-_schools_-_1_Sept_2005_to_31_August_2015.xlsx"
    (folder / name).write_bytes(workbook(_to_2015(events), "2005-2015 Inspections", title="All inspections (made up)"))
    write_csv(folder / "Management_information_-_state-funded_schools_1_September_2015_to_31_August_2019.csv",
              _year_to_date(events, 2015, 2019), encoding="cp1252", title="Made-up inspections, 2015 to 2019")  # fmt: skip
    for year in range(2019, 2025):
        month = "August" if year == 2019 else "Aug"
        write_csv(folder / f"{STATE_FUNDED}all_inspections_-_year_to_date_published_by_31_{month}_{year + 1}.csv",
                  _year_to_date(events, year, year + 1), encoding="cp1252", blank_rows=3)  # fmt: skip
    write_csv(folder / "State-funded_schools_inspections_and_outcomes_as_at_31_August_2025.csv",
              _latest(events, schools, "2025-08-31"), encoding="cp1252", blank_rows=15)  # fmt: skip
    write_csv(folder / f"{STATE_FUNDED}all_inspections_-_year_to_date_published_by_31_August_2026.csv",
              _report_cards(events), encoding="cp1252")  # fmt: skip
    write_csv(folder / f"{STATE_FUNDED}latest_inspections_as_at_31_August_2026.csv",
              _latest_report_cards(events, schools, "2026-08-31"), encoding="cp1252")  # fmt: skip
    monthly = workbook(_monthly(events, schools, "2014-05-31"), "Provider level data")
    inside = {"Management information - Schools - 31 May 2014.xlsx": monthly}
    (folder / "Management information - Schools - 31 May 2014.zip").write_bytes(zipped(inside))


# --- what happened ----------------------------------------------------------------------------------------------------


def _events(world: World, schools: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Every inspection, graded or not, in order of school and day, as known up to August 2026.

    `before` is the row of the last graded inspection before it, -1 for none.
    """
    graded = _judged(world, rng)
    events = pd.concat([graded, _ungraded(graded, schools, rng)], ignore_index=True)
    events = events[events["published_on"] <= "2026-08-31"]
    events = events.sort_values(["school", "inspected_on", "kind"], kind="stable", ignore_index=True)
    position = np.where(events["kind"] == "graded", np.arange(len(events)), -1)
    last = np.concatenate([[-1], np.maximum.accumulate(position)[:-1]])
    same = (last >= 0) & (events["school"].to_numpy()[last] == events["school"].to_numpy())
    order = events["inspected_on"].rank(method="first").astype(int)
    old_number = events["inspected_on"] < "2015-09-01"
    rows = schools.iloc[events["school"]].reset_index(drop=True)
    moved = (events["urn"] == rows["new_urn"]).to_numpy()
    now = {c: np.where(moved, rows[f"new_{c}"], rows[c]) for c in ("name", "type", "laestab")}
    now["opened"] = np.where(moved, rows["converts"], rows["opened"])
    for column in ("trust_uid", "trust_name"):
        now[column] = np.where(moved | rows["new"], rows[column], 0 if column == "trust_uid" else None)
    same_columns = rows.drop(columns=["school", "urn", "phase", *now])
    return events.assign(
        before=np.where(same, last, -1), on=day_numbers(events["inspected_on"]), out=day_numbers(events["published_on"]),
        ended=day_numbers(events["inspected_on"]) + 1,
        inspection_number=np.where(old_number, "ITS", "10") + (300_000 + order).astype(str),
        **now, **same_columns,
    )  # fmt: skip


def _judged(world: World, rng: np.random.Generator) -> pd.DataFrame:
    """The graded inspections with their other judgements, which follow the overall grade by the published rule."""
    visits = world.visits[world.visits["year"] <= 2025]
    count = len(visits)
    overall, leadership = visits["overall"].to_numpy(), visits["leadership"].to_numpy()
    row = (visits["year"].to_numpy() - FIRST_YEAR).clip(0)
    advantage = world.schools["advantage"].to_numpy()[visits["school"]]
    standing = 0.62 * advantage + 0.785 * world.quality[row, visits["school"]]

    def kinder(chance: float, lean: float) -> np.ndarray:
        """The overall grade, or one better for a share of schools, of higher standing more often."""
        better = lean * standing + np.sqrt(1 - lean**2) * rng.normal(0, 1, count) > _cut(chance)
        return overall - (better & (overall > 1))

    education = np.where(leadership == overall, kinder(0.01, 0.0), overall)
    draw = rng.random(count)
    early = visits["inspected_on"].to_numpy() < np.datetime64("2012-09-01")
    concern = np.where(draw < 0.6, "SM", np.where(early, "NTI", np.where(visits["year"] >= 2025, "RSI", "SWK")))
    # Leadership that isn't inadequate itself can't leave a school in special measures.
    concern = np.where((leadership < 4) & (concern == "SM"), np.where(early, "NTI", "SWK"), concern)
    nursery_age = np.isin(visits["phase"], ["Primary", "Nursery"])
    converted = (overall <= 3) & (visits["year"].to_numpy() >= 2015) & (visits["year"].to_numpy() < 2023) & (draw > 0.9)
    return visits.assign(
        kind="graded", quality_of_education=education, teaching=kinder(0.04, 0.3), achievement=kinder(0.03, 0.3),
        behaviour=kinder(0.33, 0.45), personal_development=kinder(0.38, 0.4), draw=draw,
        early_years=np.where(nursery_age, kinder(0.12, 0.2), 9),
        sixth_form=np.where(visits["phase"] == "Secondary", kinder(0.15, 0.2), 9),
        middle_leadership=np.where(visits["year"] < 2012, kinder(0.05, 0.3), 9),
        category=np.where(overall == 4, concern, None), safe=np.where((overall == 4) & (draw < 0.45), "No", "Yes"),
        inspection_type=np.where(converted, "Section 8 conversion", "S5 Inspection"),
        event_type=np.where(converted, "Schools \u2013 Section 8 conversion",
                            np.where(draw < 0.03, "Schools - S8 deemed S5", "Schools - S5")),
        outcome=None,
    )  # fmt: skip


def _cut(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(1 - share))


def _ungraded(graded: pd.DataFrame, schools: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Visits that gave no grade: short and ungraded inspections of Good schools, monitoring of the weakest.

    What they conclude leans towards the next grade, as it does in life.
    """
    following = graded.groupby("school")[["overall", "inspected_on"]].shift(-1)
    on = day_numbers(graded["inspected_on"])
    until = np.minimum(np.where(following["inspected_on"].notna(), day_numbers(following["inspected_on"]), 40_000),
                       schools["closed"].to_numpy()[graded["school"]])  # fmt: skip
    grade = graded["overall"].to_numpy()
    rises, drops = (following["overall"] < grade).to_numpy(), (following["overall"] > grade).to_numpy()
    pause = [np.datetime64(day, "D").astype(int) for day in frameworks.PAUSE]
    parts = []
    when = on
    for waits, kind in (((3.0, 4.3), "ungraded"), ((3.4, 4.2), "ungraded"), ((0.4, 0.9), "monitoring")):
        count = len(graded)
        when = (when if kind == "ungraded" else on) + (rng.uniform(*waits, count) * YEAR).astype(int)
        draw, skipped = rng.random(count), rng.random(count) < 0.15
        if kind == "ungraded":
            when = np.where((when >= pause[0]) & (when < pause[1]), when + 2 * int(YEAR), when)
            kept = ((grade == 2) | ((grade == 1) & (on > pause[1]))) & (until - when > 300)
            late = when >= np.datetime64("2024-10-07", "D").astype(int)
            place = np.where(rises & (draw < 0.25), 1, np.where(drops & (draw < 0.2), 2, np.where(
                draw > 0.97, 2, np.where(draw > 0.95, 1, 0))))  # fmt: skip
            texts = np.array([[WORDS[g, bool(new)] for new in (0, 1)] for g in (1, 2)], dtype=object)
            outcome = texts[(grade - 1).clip(0, 1), late.astype(int), place]
        else:
            kept = (((grade == 4) & (draw < 0.85)) | ((grade == 3) & (draw < 0.25))) & (until - when > 90)
            outcome = np.where(rises | (rng.random(count) < 0.7), *MONITORED)
        # Snapped off week-ends and out of August; the first of them came with short inspections.
        when += np.choose((when + 3) % 7, [0, 0, 0, 0, 0, 2, 1])
        month = when.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
        when = np.where(np.isin(month, [6, 7]), when + 63, when)
        kept &= ~skipped & (when >= np.datetime64("2015-09-15", "D").astype(int)) & (when < schools["closed"].to_numpy()[graded["school"]])
        if kind == "ungraded":
            kept &= when < np.datetime64("2025-07-15", "D").astype(int)
        moved = when >= schools["converts"].to_numpy()[graded["school"]]
        names = ("Short inspection", "Schools - S8 short") if kind == "ungraded" else ("S8 monitoring", "Schools - S8 monitoring")
        rows = graded[["school", "phase"]].assign(
            kind=kind, outcome=outcome, inspection_type=names[0], event_type=names[1], overall=0, leadership=0,
            urn=np.where(moved, schools["new_urn"].to_numpy()[graded["school"]], schools["urn"].to_numpy()[graded["school"]]),
            inspected_on=when.astype("datetime64[D]").astype("datetime64[s]"),
            published_on=(when + 20 + (draw * 25).astype(int)).astype("datetime64[D]").astype("datetime64[s]"),
        )  # fmt: skip
        parts.append(rows[kept])
    return pd.concat(parts, ignore_index=True)


# --- the columns of a file ----------------------------------------------------------------------------------------------


def _school(rows: pd.DataFrame, *, trusts: bool = False) -> dict[str, object]:
    """A school's own columns, with the padded names and blank figures that real lists have."""
    every = {
        "urn": rows["urn"], "laestab": rows["laestab"], "phase": rows["phase"], "type": rows["type"],
        "name": np.where(rows["school"] % 200 == 7, rows["name"] + "  ", rows["name"]),
        "opened_on": day_text(np.where(rows["opened"] > 11_000, rows["opened"], np.where(rows["school"] % 3 == 0, -25_567, -99_999))),
        "admissions": rows["admissions"], "religion": rows["religion"], "faith": rows["faith"], "region": rows["region"],
        "has_sixth_form": np.where(rows["sixth_form"] == True, "Has a sixth form", "Does not have a sixth form"),  # noqa: E712
        "local_authority": rows["local_authority"], "constituency": rows["constituency"], "postcode": rows["postcode"],
        "idaci_quintile": _blank(rows["idaci_quintile"], rows["school"] % 245 == 3),
        "pupils": rows["pupils"], "low_age": rows["low_age"], "high_age": rows["high_age"],
    }  # fmt: skip
    if trusts:
        every |= {"trust_uid": _blank(rows["trust_uid"], rows["trust_uid"] == 0), "trust_name": rows["trust_name"]}
    return every


def _blank(values: pd.Series, where: pd.Series) -> pa.Array:
    return pa.array(values.to_numpy("int64"), mask=np.asarray(where, dtype=bool))


def _text(values: np.ndarray | pd.Series, blank: np.ndarray, marks: dict[str, np.ndarray] | None = None) -> np.ndarray:
    """Grades as text, blank where told, with Ofsted's markers for no grade where their masks say."""
    text = np.array([None, *map(str, range(1, 10))], dtype=object)[pd.Series(values).fillna(0).astype(int).to_numpy()]
    for mark, where in (marks or {}).items():
        text = np.where(where, mark, text)
    return np.where(blank, None, text)


def _visit(rows: pd.DataFrame, *, ends: bool = True, numbered: str = "inspection_number") -> dict[str, object]:
    given = {
        numbered: rows["inspection_number"], "inspection_type": rows["inspection_type"], "event_type": rows["event_type"],
        "inspected_on": day_text(rows["on"]), "published_on": day_text(rows["out"]),
    }  # fmt: skip
    return given | ({"ended_on": day_text(rows["ended"])} if ends else {})


def _grades(rows: pd.DataFrame, *, since_2019: bool, none: str | None = None, overall: str = "published") -> dict[str, object]:
    """The judgements of graded inspections; 9 where a framework didn't give one, `none` in rows that gave no grade.

    `overall` is published, or `not judged` for inspections since September 2024, or absent.
    """
    no_grade = (rows["kind"] != "graded").to_numpy() | rows["inspected_on"].isna().to_numpy()
    old = rows["inspected_on"] < ("2019-09-01" if since_2019 else "2005-09-01")
    before = rows["inspected_on"] < "2015-09-01"
    no_early = (rows["inspected_on"] >= "2012-01-01") & (rows["inspected_on"] < "2014-09-01")
    new = rows["inspected_on"] >= NO_OVERALL
    columns = {
        "overall": _text(rows["overall"], no_grade, {"Not judged": new} if overall == "not judged" else None),
        "category": np.where(no_grade | rows["category"].isna(), None, rows["category"]),
        "leadership": _text(rows["leadership"], no_grade),
        "behaviour": _text(rows["behaviour"], no_grade, {"9": old}),
        "safeguarding": np.where(no_grade, None, np.where(before, "9", rows["safe"])),
        "early_years": _text(rows["early_years"], no_grade, {"9": no_early, "8": before & (rows["draw"] < 0.05),
                                                           "0": ~before & (rows["draw"] > 0.999)}),
        "sixth_form": _text(rows["sixth_form"], no_grade, {"9": no_early}),
    }  # fmt: skip
    if since_2019:
        columns |= {c: _text(rows[c], no_grade, {"9": old}) for c in ("quality_of_education", "personal_development")}
    else:
        columns |= {c: _text(rows[c], no_grade) for c in ("teaching", "achievement")}
    if overall == "absent":
        del columns["overall"]
    if none:
        columns = {c: np.where(no_grade & (rows["inspection_number"].notna()), none, v) for c, v in columns.items()}
    return columns


def _before(events: pd.DataFrame, rows: pd.DataFrame, **how: object) -> dict[str, object]:
    """The graded inspection before each row's, as a `previous` record."""
    earlier = events.reindex(rows["before"].where(rows["before"] >= 0)).reset_index(drop=True)
    earlier = earlier.assign(**{c: earlier[c].fillna(-99_999).astype("int64") for c in ("on", "out", "ended")})
    visit = _visit(earlier)
    return {c: visit[c] for c in ("inspection_number", "inspected_on", "published_on")} | {
        "urn_then": pa.array(earlier["urn"].to_numpy(), mask=earlier["urn"].isna().to_numpy()).cast(pa.int64())
    } | _grades(earlier, **how)  # fmt: skip


# --- the files ------------------------------------------------------------------------------------------------------------


def _days(values: np.ndarray) -> pa.Array:
    values = np.asarray(values, dtype="int64")
    return pa.array(values.astype("int32"), mask=values < -20_000).cast(pa.date32())


def _to_2015(events: pd.DataFrame) -> pa.Table:
    rows = events[(events["inspected_on"] < "2015-09-01") & (events["kind"] == "graded")].reset_index(drop=True)
    earlier = events.reindex(rows["before"].where(rows["before"] >= 0)).reset_index(drop=True)

    def number(values: pd.Series) -> pa.Array:
        return pa.array(values.fillna(9).astype("int64").to_numpy())

    padded = {"SM": "SM ", "NTI": "NTI", "SWK": "SWK"}
    since_2012 = rows["inspected_on"] >= "2012-01-01"
    visit = {
        "inspection_number": rows["inspection_number"], "inspection_type": rows["inspection_type"],
        "inspected_on": _days(rows["on"]), "ended_on": _days(rows["ended"]), "published_on": _days(rows["out"]),
        "category": rows["category"].map(padded).to_numpy(dtype=object),
        "middle_leadership": number(rows["middle_leadership"].mask(since_2012, 9)),
        "early_years": number(rows["early_years"]), "sixth_form": number(rows["sixth_form"]),
        **{c: number(rows[c]) for c in ("overall", "leadership", "teaching", "achievement", "behaviour")},
    }  # fmt: skip
    previous = {
        "inspection_number": earlier["inspection_number"], "ended_on": _days(earlier["ended"].fillna(-99_999)),
        "overall": pa.array(earlier["overall"].to_numpy(), from_pandas=True).cast(pa.int64()),
        "category": earlier["category"].map(padded).to_numpy(dtype=object),
    }  # fmt: skip
    school = {c: v for c, v in _school(rows).items() if c in ("urn", "laestab", "name")}
    spelling = {"leadership": "leadership", "category": "category", "teaching": "quality", "achievement": "pupils' achievement (",
                "behaviour": "behaviour and safety", "early_years": "early years provision", "sixth_form": "sixth form provision",
                "inspection_type": "inspection type", "published_on": "first"}  # fmt: skip
    return official("September 2005 to August 2015", {"schools": school, "inspection": visit, "previous": previous}, spelling)


def _year_to_date(events: pd.DataFrame, first: int, last: int) -> pa.Table:
    """All inspections of the academic years from `first` to `last`, one row each, in the wording of the time."""
    inside = (events["inspected_on"] >= f"{first}-09-01") & (events["inspected_on"] < f"{last}-09-01")
    inside &= events["published_on"] < f"{last}-09-01"
    rows = events[inside].reset_index(drop=True)
    since_2019, none = first >= 2019, "NULL" if first >= 2019 else None
    judged = _grades(rows, since_2019=since_2019, none=none, overall="absent" if first >= 2024 else "published")
    visit = _visit(rows, ends=first < 2024) | {"ungraded_outcome": rows["outcome"]} | judged
    records = {"schools": _school(rows, trusts=first >= 2024), "inspection": visit,
               "previous": _before(events, rows, since_2019=since_2019)}  # fmt: skip
    if not since_2019:
        spelling = {"behaviour": "personal development, b", "sixth_form": "16 to 19", "safeguarding": "is safeguarding",
                    "ungraded_outcome": "outcomes for s8", "previous.overall": "previous overall",
                    "previous.sixth_form": "previous 16 - 19", "previous.behaviour": "previous personal development, b"}  # fmt: skip
        return official("all inspections, September 2015", records, spelling)
    spelling = {"previous.overall": "previous overall", "sixth_form": "sixth form provision (",
                "previous.sixth_form": "previous sixth form provision ("}  # fmt: skip
    if first < 2022:
        spelling["ungraded_outcome"] = "outcomes for section 8 inspections that"
    return official("year to date, September 2019", records, spelling)


def _newest(events: pd.DataFrame, schools: pd.DataFrame, day: str, only: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The schools open on a day, and for each its newest event among those chosen, blank where it has none."""
    open_ = listed(schools, day).reset_index(drop=True)
    known = events[only & (events["published_on"] <= day)]
    last = known.drop_duplicates("school", keep="last").assign(row=lambda e: e.index).set_index("school")
    found = last.reindex(open_["school"]).reset_index()
    for column in ("on", "out", "ended", "before"):
        found[column] = found[column].fillna(-99_999 if column != "before" else -1).astype("int64")
    return open_, found


def _number_or_blank(values: pd.Series) -> pa.Array:
    return pa.array(values.to_numpy(), from_pandas=True).cast(pa.int64())


def _since(events: pd.DataFrame, schools: pd.DataFrame, day: str, latest: pd.DataFrame) -> dict[str, object]:
    """The newest ungraded inspection of each school since its latest graded one."""
    _, visits = _newest(events, schools, day, events["kind"] == "ungraded")
    stale = (visits["on"] < latest["on"]).to_numpy()
    given = {
        "inspection_number": visits["inspection_number"], "inspected_on": day_text(visits["on"]),
        "published_on": day_text(visits["out"]), "urn_then": visits["urn"],
        "ungraded_outcome": visits["outcome"],
    }  # fmt: skip
    given = {c: pd.Series(v).mask(stale) for c, v in given.items()}
    return given | {"urn_then": _number_or_blank(given["urn_then"])}


def _latest(events: pd.DataFrame, schools: pd.DataFrame, day: str) -> pa.Table:
    open_, latest = _newest(events, schools, day, events["kind"] == "graded")
    visit = _visit(latest, ends=False) | {"urn_then": _number_or_blank(latest["urn"])}
    records = {
        "schools": _school(open_, trusts=True), "ungraded": _since(events, schools, day, latest),
        "latest": visit | _grades(latest, since_2019=True, overall="not judged"),
        "previous": _before(events, latest, since_2019=True),
    }  # fmt: skip
    return official("graded and ungraded, September 2022", records, {
        "sixth_form": "sixth form provision (", "previous.inspection_number": "previous inspection n",
        "previous.sixth_form": "previous sixth form provision ("})  # fmt: skip


def _monthly(events: pd.DataFrame, schools: pd.DataFrame, day: str) -> pa.Table:
    """A month's list of 2013 to 2015: end dates, a dash for an inspection that never was."""
    open_, latest = _newest(events, schools, day, events["kind"] == "graded")
    earlier = events.reindex(latest["before"].where(latest["before"] >= 0)).reset_index(drop=True)
    grades = _grades(latest, since_2019=False)
    school = _school(open_)
    names = ("urn", "laestab", "name", "type", "phase", "region", "local_authority", "constituency", "postcode", "pupils")
    records = {
        "schools": {c: school[c] for c in names},
        "latest": {"ended_on": _days(latest["ended"]), "category": pd.Series(grades["category"]).replace({"SM": "SM "}),
                   **{c: grades[c] for c in ("overall", "leadership", "teaching", "achievement", "behaviour")}},
        "previous": {"ended_on": _days(earlier["ended"].fillna(-99_999)),
                     "overall": np.where(earlier["overall"].isna(), "-", _text(earlier["overall"], earlier["overall"].isna())),
                     "category": earlier["category"].where(earlier["overall"].notna(), "-").to_numpy(dtype=object)},
    }  # fmt: skip
    return official("monthly management information", records, {
        "name": "schoolname", "type": "type of education", "region": "government", "local_authority": "local authority",
        "pupils": "total pupils", "leadership": "the effectiveness", "category": "category", "teaching": "the quality",
        "achievement": "achievement of pupils", "behaviour": "pupils'"})  # fmt: skip


# --- report cards -----------------------------------------------------------------------------------------------------------


def _cards(rows: pd.DataFrame) -> dict[str, object]:
    """The areas of a report card on its five points, from the grades the made-up world holds underneath."""
    words = np.array(list(frameworks.STANDARDS), dtype=object)
    blank = (rows["kind"] != "graded").to_numpy() | rows["inspected_on"].isna().to_numpy()
    turn = rows["draw"].fillna(0).to_numpy()

    def standard(grades: pd.Series, shift: float) -> np.ndarray:
        grade = grades.fillna(2).astype(int).clip(1, 4).to_numpy()
        high = (turn * 7.3 + shift) % 1 < 0.3
        point = np.choose(grade - 1, [np.where((turn * 3.1 + shift) % 1 < 0.15, 0, 1), np.where(high, 1, 2), 3, 4])
        return np.where(blank, None, words[point])

    areas = {"inclusion": "behaviour", "curriculum_and_teaching": "quality_of_education", "achievement_standard": "quality_of_education",
             "attendance_and_behaviour": "behaviour", "personal_development_and_wellbeing": "personal_development",
             "leadership_and_governance": "leadership"}  # fmt: skip
    cards = {area: standard(rows[grade], 0.17 * place) for place, (area, grade) in enumerate(areas.items())}
    for area, grade in (("early_years_standard", "early_years"), ("post_16_standard", "sixth_form")):
        cards[area] = np.where(blank | (rows[grade] < 9), standard(rows[grade], 0.5), "Not applicable")
    met = np.where(rows["safe"] == "No", "Not met", "Met")
    return cards | {"safeguarding": np.where(blank, None, met), "category": np.where(blank, None, rows["category"])}


def _report_cards(events: pd.DataFrame) -> pa.Table:
    rows = events[(events["inspected_on"] >= "2025-11-10") & (events["kind"] != "ungraded")].reset_index(drop=True)
    return official("report cards, year to date", {
        "schools": _school(rows, trusts=True), "report_card": _visit(rows, ends=False) | _cards(rows),
        "monitoring": {"ungraded_outcome": rows["outcome"]}}, {"monitoring.ungraded_outcome": "outcomes for legacy"})  # fmt: skip


def _latest_report_cards(events: pd.DataFrame, schools: pd.DataFrame, day: str) -> pa.Table:
    graded = events["kind"] == "graded"
    open_, card = _newest(events, schools, day, graded & (events["inspected_on"] >= "2025-11-10"))
    _, before = _newest(events, schools, day, graded & (events["inspected_on"] < "2025-11-10"))
    records = {
        "schools": _school(open_, trusts=True),
        "report_card": _visit(card, ends=False) | _cards(card) | {"urn_then": _number_or_blank(card["urn"]),
                                                                  "regraded_on": day_text(card["on"])},
        "latest": _visit(before, ends=False) | {"urn_then": _number_or_blank(before["urn"])}
        | _grades(before, since_2019=True, overall="not judged"),
        "ungraded": _since(events, schools, day, before),
    }  # fmt: skip
    return official("latest report cards", records, {
        "latest.sixth_form": "latest oeif sixth form provision (", "ungraded.inspection_number": "latest ungraded"})  # fmt: skip
