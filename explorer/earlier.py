"""A school's earlier forecasts and how they turned out: those made and kept at the time, and the test's. Part
of its page.

A forecast of the test was worked out afterwards, by a model that had learned only from what was public before
its morning, and never from this school's outcome.
"""

from pathlib import Path

import pandas as pd
import streamlit as st

from headway.explorer import charts, glossary, store, words
from headway.pipelines import as_of, tables
from headway.pipelines.frameworks import GRADES, NEEDS_ATTENTION
from headway.pipelines.watching import scoreboard

THEN, AFTERWARDS = "made and kept then", "worked out afterwards, from what was known then"
GRADED = ["urn", "lineage", "as_of", "overall", *(f"p_grade_{rank}" for rank in GRADES)]
CAME = ["next_inspected_on", "label", "next_overall"]
NEEDED = ["status", "enough_like_it", "inspected_on"]
OF_CARDS = ["urn", "as_of", "area", "p_below"]


@st.cache_resource(show_spinner=False, max_entries=60)
def _kept(path: str, columns: tuple[str, ...], version: tuple[int, int]) -> pd.DataFrame:
    file = Path(path)
    return tables.read(file.parent, file.stem, list(columns)).sort_values("urn", ignore_index=True)


def kept_in(path: Path, columns: list[str]) -> pd.DataFrame:
    """The rows of one such file, by URN."""
    return _kept(str(path), tuple(columns), store.stamp(path))


def kept(urns: set[int], folder: Path, columns: list[str]) -> pd.DataFrame:
    """The rows of a school, under any of its URNs, in the files that `headway month` and `headway monitor`
    kept.
    """
    parts = [kept_in(path, columns) for path in sorted(folder.glob("*.parquet"))]
    mine = [rows[rows["urn"].isin(urns)] for rows in parts]
    return pd.concat(mine, ignore_index=True) if mine else pd.DataFrame(columns=columns)


def read_ahead() -> None:
    """What earlier forecasts are read from, before a visitor waits for it."""
    if store.has("backtest"):
        tested([0])
    kept(set(), store.folder() / scoreboard.KEPT, [*GRADED, *NEEDED])


def tested(lineages: list[int]) -> pd.DataFrame:
    """What the test said of these schools, by every rule, and what came."""
    return store.of_large("backtest", "lineage", lineages, ("model", *GRADED, *CAME))


def of_grades(row: pd.Series) -> pd.DataFrame:
    """Every earlier forecast of a grade whose outcome is known, the newest first: chances, and the grade that
    came.
    """
    lineage, parts = int(row["lineage"]), []
    if store.has("backtest"):
        rows = tested([lineage])
        parts.append(rows[rows["model"].eq("champion")].assign(how=AFTERWARDS))
    then = kept(_urns(row), store.folder() / scoreboard.KEPT, [*GRADED, *NEEDED])
    if len(then) and store.has("coverage"):
        schools = store.some("schools", "lineage", lineage)
        known = store.inspections(lineage)
        parts.append(scoreboard.outcomes(then, known, store.whole("coverage"), schools).assign(how=THEN))
    made = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*GRADED, *CAME, "how"])
    made = made[made["label"].notna() & made["next_overall"].notna()]
    # Of several forecasts of one inspection the newest, and one kept then before one worked out afterwards.
    order = made.assign(first=made["how"].eq(THEN)).sort_values(
        ["next_inspected_on", "first", "as_of"], ascending=False
    )
    return order.drop_duplicates("next_inspected_on").drop(columns="first").reset_index(drop=True)


def of_cards(row: pd.Series) -> pd.DataFrame:
    """Every forecast of a report card, kept then, whose card came: any area below expected, and leadership,
    and what came.
    """
    said = kept(_urns(row), store.folder() / scoreboard.KEPT / scoreboard.CARDS, OF_CARDS)
    came = store.some("standards", "lineage", int(row["lineage"]))
    came = came[came["graded_on"].eq(came["inspected_on"])] if len(came) else came
    rows = []
    for day, card in came.groupby("inspected_on") if len(came) and len(said) else ():
        before = said[as_of.is_before(said["as_of"], pd.Series(day + pd.Timedelta(days=1), index=said.index))]
        newest = before[before["as_of"].eq(before["as_of"].max())].set_index("area")["p_below"]
        for area, standards in (
            ("any", card["standard"]),
            *((area, rows["standard"]) for area, rows in card.groupby("area")),
        ):
            if area in newest.index:
                below = bool(standards.ge(NEEDS_ATTENTION).any())
                rows.append(
                    {
                        "as_of": before["as_of"].max(),
                        "inspected_on": day,
                        "area": area,
                        "p_below": newest[area],
                        "below": below,
                    }
                )
    return pd.DataFrame(rows, columns=["as_of", "inspected_on", "area", "p_below", "below"])


def _urns(row: pd.Series) -> set[int]:
    return set(store.some("schools", "lineage", int(row["lineage"]))["urn"]) | {int(row["urn"])}


def listed(made: pd.DataFrame) -> pd.DataFrame:
    """Forecasts of grades to read: what each expected of 100 schools, and what came."""
    rows = made.to_dict("records")
    return pd.DataFrame(
        {
            "morning": made["as_of"].map(words.day),
            "of 100 schools placed so": [words.outcomes_in_words(one, words.outcomes(one)) for one in rows],
            "what came": [
                f"{words.LABELS[one['label']]}: {words.grade(one['next_overall'])}" for one in rows
            ],
            "inspected on": made["next_inspected_on"].map(words.day),
            "the forecast was": made["how"],
        }
    )


def cards_listed(made: pd.DataFrame) -> pd.DataFrame:
    from headway.explorer.report_card import AREAS

    return pd.DataFrame(
        {
            "area": made["area"].map({**AREAS, "any": "Any area"}),
            "morning": made["as_of"].map(words.day),
            "below expected, of 100": made["p_below"].map(words.of_100),
            "what came": made["below"].map({True: "below expected", False: "expected or better"}),
            "inspected on": made["inspected_on"].map(words.day),
        }
    )


def chance_of_what_came(made: pd.DataFrame) -> pd.Series:
    """The chance each forecast gave to what then came: the same grade, a worse or a better one."""
    place = {"same": 0, "worse": 1, "improved": 2}
    rows = made.to_dict("records")
    return pd.Series(
        [words.outcomes(one)[place[one["label"]]] for one in rows], index=made.index, dtype="float64"
    )


def told(made: pd.DataFrame, cards: pd.DataFrame) -> tuple[str, str, list[pd.DataFrame]]:
    """How a school's forecasts turned out: the finding, a sentence, and the tables behind them."""
    if made.empty and cards.empty:
        return (
            "No earlier forecast of this school has turned out yet",
            "A forecast is judged at the inspection after it.",
            [],
        )
    if made.empty:
        return "Its report card, as forecast and as it came", "", [cards_listed(cards)]
    newest = made.iloc[0]
    title = (
        f"Its last forecast gave {words.of_100(chance_of_what_came(made).iloc[0])} in 100 to what came: it "
        f"{words.LABELS[newest['label']]}"
    )
    many = len(made) if len(made) > 1 else "one"
    sentence = (
        f"The outcome of {many} of its forecasts is known. One school says little of how good the chances "
        "are: something given 20 in 100 has to come about one time in five."
    )
    return title, sentence, [listed(made), *([cards_listed(cards)] if len(cards) else [])]


def shown(row: pd.Series) -> None:
    """The part of the page."""
    title, sentence, result = told(of_grades(row), of_cards(row))
    st.header(title, anchor=False, help=glossary.explained("forecast"))
    if sentence:
        st.markdown(sentence)
    for rows in result:
        charts.table(rows)
    st.page_link("explorer/how_good.py", label="How forecasts of all schools turned out")
