"""What became public in the newest month of the tables, and how far chances moved since the time before."""

from typing import Any

import pandas as pd
import streamlit as st

from headway.explorer import charts, earlier, report_card, store, words
from headway.pipelines import as_of
from headway.pipelines.watching import scoreboard

MOVED = 0.05  # a change of a chance, from which it is listed


COLUMNS = ("lineage", "urn", "kind", "framework", "inspected_on", "known_on", "overall", "ungraded_outcome")


@st.cache_resource(show_spinner=False, max_entries=2)
def _inspections(where: str, version: tuple[tuple[int, int], ...]) -> tuple[pd.Period | None, pd.DataFrame]:
    rows = store.whole("inspections", COLUMNS)
    if rows.empty:
        return None, rows
    month = rows["known_on"].max().to_period("M")
    rows = rows[rows["known_on"].dt.to_period("M").eq(month)]
    rows = rows.assign(
        school=rows["urn"].map(store.names()).fillna("no longer listed"),
        came=[said(row) for row in rows.to_dict("records")],
    )
    return month, rows.sort_values(["school", "inspected_on"], kind="stable")


def inspections() -> tuple[pd.Period | None, pd.DataFrame]:
    """The newest month in which an inspection became public, and those that did, in the order of names."""
    if not store.has("inspections"):
        return None, pd.DataFrame()
    read = tuple(store.stamp(store.path(name)) for name in ("inspections", "standards", "schools"))
    return _inspections(str(store.folder()), read)


def listed(rows: pd.DataFrame) -> pd.DataFrame:
    """Inspections to read: what came, and when."""
    return pd.DataFrame(
        {
            "school": rows["school"],
            "what came": rows["came"],
            "inspected on": rows["inspected_on"].map(words.day),
            "public since": rows["known_on"].map(words.day),
        }
    )


def said(row: dict[str, Any]) -> str:
    """What an inspection said, in words."""
    if row["kind"] != "graded":
        return "ungraded" if words.blank(row["ungraded_outcome"]) else str(row["ungraded_outcome"])
    if not words.blank(row["overall"]):
        return words.grade(row["overall"], row["inspected_on"])
    card = store.some("standards", "lineage", int(row["lineage"]))
    card = card[card["inspected_on"].eq(row["inspected_on"])] if len(card) else card
    if card.empty:
        return f"{words.framework(row['framework'])}: no overall grade"
    below = int(card["standard"].ge(report_card.BELOW).sum())
    leading = card.loc[card["area"].eq(report_card.LEADERSHIP), "standard"]
    led = f"; leadership {report_card.WORDS[int(leading.iloc[0])].lower()}" if len(leading) else ""
    areas = "area" if below == 1 else "areas"
    return f"report card: {below or 'no'} {areas} below expected{led}"


def moved() -> tuple[pd.Timestamp, pd.DataFrame] | None:
    """The chances of the time before beside those of now, of every school with both; nothing where none were
    kept.
    """
    if not store.has("forecasts"):
        return None
    now = store.whole("forecasts", ("urn", "as_of", "area", "p_below"))
    now = now[now["area"].eq("any")]
    if now.empty:
        return None
    kept = sorted((store.folder() / scoreboard.KEPT / scoreboard.CARDS).glob("*.parquet"))
    every = [earlier.kept_in(path, earlier.OF_CARDS) for path in kept]
    before = [
        rows for rows in every if len(rows) and as_of.is_before(rows["as_of"], now["as_of"].iloc[0]).all()
    ]
    if not before:
        return None
    last = max(before, key=lambda rows: rows["as_of"].iloc[0])
    then = last[last["area"].eq("any")][["urn", "p_below"]]
    both = now.merge(then, on="urn", suffixes=("", "_then"), validate="one_to_one")
    return last["as_of"].iloc[0], both.assign(school=both["urn"].map(store.names()))


def chances() -> None:
    """How many chances moved, and which."""
    result = moved()
    if result is None:
        st.header("No chances of an earlier month are kept here", anchor=False)
        st.markdown("`headway month` keeps each month’s, to hold the next ones to.")
        return
    day, rows = result
    far = rows[(rows["p_below"] - rows["p_below_then"]).abs().ge(MOVED)].sort_values("school", kind="stable")
    st.header(f"The chances of {len(far):,} of {len(rows):,} schools moved by 5 points or more", anchor=False)
    st.markdown(
        f"Since those of {words.day(day)}: the chance of some area below expected, in the order of names."
    )
    if len(far):
        with st.expander("The schools, then and now"):
            made = pd.DataFrame(
                {
                    "school": far["school"],
                    "then": far["p_below_then"].map(words.percent),
                    "now": far["p_below"].map(words.percent),
                }
            )
            charts.table(made, far["urn"])
            charts.download(made, "moved")


def page() -> None:
    st.title("What’s new", anchor=False)
    store.about("schools")
    month, rows = inspections()
    if month is None:
        st.markdown("No inspection is among the tables.")
    else:
        many = f"{len(rows):,} inspection{'s' if len(rows) != 1 else ''}"
        st.header(f"{many} became public in {month.strftime('%B %Y')}", anchor=False)
        st.markdown("The newest month in these tables, in the order of the schools’ names.")
        made = listed(rows)
        charts.table(made, rows["urn"])
        charts.download(made, f"new-{month}")
    chances()
    summary = store.folder() / "summary.md"
    if summary.is_file():
        with st.expander("What the month’s work read and found"):
            st.markdown(words.quiet(summary.read_text("utf-8", errors="replace")))


page()
