"""What is stored of the next inspection of many schools: the figures of the pages of trusts and comparisons,
and of exports.
"""

import pandas as pd
import streamlit as st

from headway.explorer import report_card, store, words
from headway.pipelines.frameworks import GRADES

OUTCOMES = ("stay", "fall", "rise")
SCORED_COLUMNS = [f"chance to {name}{of}" for of in ("", ", schools like it") for name in OUTCOMES]
BELOW, LEADING = "some area below expected", "leadership below expected"
LOW, HIGH = f"{BELOW}, from", f"{BELOW}, to"
CARD_COLUMNS = (
    BELOW,
    LOW,
    HIGH,
    f"{BELOW}, schools like it",
    LEADING,
    f"{LEADING}, schools like it",
    "leadership strong or better",
)


@st.cache_resource(show_spinner=False, max_entries=2)
def _cards(where: str, version: tuple[int, int]) -> pd.DataFrame:
    rows = store.whole(
        "forecasts", ("urn", "area", "p_below", "p_low", "p_high", "base_rate", "p_strong_or_better")
    )
    every, leading = (
        rows[rows["area"].eq(area)].set_index("urn") for area in ("any", report_card.LEADERSHIP)
    )
    figures = (
        every["p_below"],
        every["p_low"],
        every["p_high"],
        every["base_rate"],
        leading["p_below"],
        leading["base_rate"],
        leading["p_strong_or_better"],
    )
    return pd.DataFrame(dict(zip(CARD_COLUMNS, figures, strict=True)))


def cards() -> pd.DataFrame:
    """Of each school's next report card what a list of schools shows, by URN; no rows where none is
    forecast.
    """
    if not report_card.comes_next() or not store.has("forecasts"):
        return pd.DataFrame(columns=CARD_COLUMNS, index=pd.Index([], name="urn", dtype="int64"))
    return _cards(str(store.folder()), store.stamp(store.path("forecasts")))


def with_predictions(schools: pd.DataFrame) -> pd.DataFrame:
    """The schools by the alphabet with their predictions and, where a report card comes next, its
    forecast.
    """
    stored = store.predictions().drop(columns=["lineage", "phase"], errors="ignore")
    rows = schools.merge(stored, on="urn", how="left", validate="one_to_one")
    rows = rows.assign(status=rows["status"].fillna("no prediction"))
    rows = rows.merge(cards(), left_on="urn", right_index=True, how="left", validate="one_to_one")
    return (
        rows.astype({name: "float64" for name in CARD_COLUMNS})
        .sort_values("name", kind="stable")
        .reset_index(drop=True)
    )


def chances(rows: pd.DataFrame) -> pd.DataFrame:
    """The chances to stay, fall and rise of each school with enough like it, and of schools like it; blank
    elsewhere.
    """
    made = []
    for row in rows.to_dict("records"):
        scored = words.enough(row)
        usual = words.usual_outcomes(row) if scored else None
        made.append([*(words.outcomes(row) if scored else [None] * 3), *(usual or [None] * 3)])
    return pd.DataFrame(made, columns=SCORED_COLUMNS, index=rows.index).astype("float64")


def in_words(row: dict) -> str:
    """A school's next grade in words, every outcome beside that of schools like it, or why there is none."""
    if row["status"] != "scored":
        return str(row["status"])
    if not words.enough(row):
        return "not enough like it to say"
    usual = words.usual_outcomes(row)
    beside = f"; schools like it: {words.outcomes_in_words(row, usual)}" if usual else ""
    return f"{words.outcomes_in_words(row, words.outcomes(row))}{beside}"


def export(rows: pd.DataFrame) -> pd.DataFrame:
    """A row a school to take away: chances as plain numbers from 0 to 1, each grade with its day, framework
    and source.
    """
    enough = pd.Series([words.enough(row) for row in rows.to_dict("records")], index=rows.index, dtype="bool")
    cards = rows[list(CARD_COLUMNS)].dropna(axis=1, how="all")
    return pd.DataFrame(
        {
            "URN": rows["urn"],
            "school": rows["name"],
            "phase": rows["phase"],
            "local authority": rows["local_authority"],
            "grade": [
                words.grade(rank, day)
                for rank, day in zip(rows["overall"], rows["inspected_on"], strict=True)
            ],
            "inspected on": pd.to_datetime(rows["inspected_on"]),
            "framework": rows["framework"].map(words.framework),
            "how the grade came about": rows["overall_source"].map(words.source),
            "given to a predecessor": [words.of_predecessor(row) for row in rows.to_dict("records")],
            **cards,
            **chances(rows),
            "set of grades": rows["grade_set"].where(enough).map(words.grades),
            "status": rows["status"].where(enough | rows["status"].ne("scored"), "not enough like it to say"),
        }
    )


def totals(rows: pd.DataFrame) -> pd.DataFrame:
    """What the chances of schools add up to, by grade: how many stay, fall and rise, theirs and schools like
    them.
    """
    every = rows[["overall"]].join(chances(rows)).dropna(subset=["overall", SCORED_COLUMNS[0]])
    sums, counts = every.groupby("overall")[SCORED_COLUMNS].sum(min_count=1), every.groupby("overall").size()
    columns = {"grade now": [GRADES[int(rank)] for rank in sums.index], "schools": counts.to_numpy()}
    for name in OUTCOMES:
        columns[name] = sums[f"chance to {name}"].map(lambda value: words.number(value, 1)).to_numpy()
        usual = sums[f"chance to {name}, schools like it"]
        columns[f"{name}, schools like them"] = usual.map(lambda value: words.number(value, 1)).to_numpy()
    return pd.DataFrame(columns)
