"""The next report card of a school, drawn as Ofsted draws one: areas down, the five standards across. Part of
its page.
"""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from headway.explorer import charts, store, words
from headway.pipelines import frameworks
from headway.pipelines.frameworks import AREAS, STANDARDS
from headway.pipelines.frameworks import NEEDS_ATTENTION as BELOW

LEADERSHIP = "leadership_and_governance"
WORDS = {rank: word for word, rank in STANDARDS.items()}
COLUMNS = {1: "p_exceptional", 2: "p_strong", 3: "p_expected", 4: "p_needs_attention", 5: "p_urgent"}


def comes_next() -> bool:
    """Whether the next inspection of any school is a report card: decided by today, however old the tables
    are.
    """
    today = pd.Series([store.today()])
    return bool(frameworks.gives(frameworks.next_framework(today)).eq(frameworks.STANDARDS_BY_AREA).iloc[0])


def forecast(urn: int) -> pd.DataFrame:
    """The stored forecast, a row an area and `any`, where the next inspection is a report card; no rows
    elsewhere.
    """
    rows = store.some("forecasts", "urn", urn)
    return rows if comes_next() else rows.iloc[:0]


def last(lineage: int) -> pd.DataFrame:
    """The newest card there is: an area a row with its standard, the day it was graded on and, graded again,
    that before.
    """
    rows = store.some("standards", "lineage", lineage)
    if rows.empty:
        return rows
    newest = rows[rows["inspected_on"].eq(rows["inspected_on"].max())].sort_values("graded_on", kind="stable")
    first = newest.drop_duplicates("area").set_index("area")["standard"]
    newest = newest.drop_duplicates("area", keep="last")
    return newest.assign(at_the_inspection=newest["area"].map(first))


def lead(rows: pd.DataFrame) -> str:
    """The sentence that stands first: any area below expected, then leadership, each beside schools like this
    one.
    """
    by_area = rows.set_index("area")
    whole, leading = by_area.loc["any"], by_area.loc[LEADERSHIP]
    learned = int(whole["learned_from"])
    from_what = (
        f"learned from {learned:,} report cards"
        if learned
        else "from old grades alone, as no report card could be learned from yet"
    )
    return (
        "The next inspection is a report card. Of 100 schools like this one, about "
        f"{words.of_100(whole['base_rate'])} have some "
        f"area below the expected standard; the model puts this school at {words.of_100(whole['p_below'])} "
        "(somewhere from "
        f"{words.of_100(whole['p_low'])} to {words.of_100(whole['p_high'])}). For leadership and governance: "
        f"{outcomes(leading)}; schools like it: below expected {words.of_100(leading['base_rate'])} "
        f"({from_what})."
    )


def outcomes(row: pd.Series) -> str:
    """All that can come of an area, in hundredths: below expected, expected, strong or better."""
    rest = 1 - row["p_below"] - row["p_strong_or_better"]
    return (
        f"below expected {words.of_100(row['p_below'])}, expected {words.of_100(rest)}, strong or better "
        f"{words.of_100(row['p_strong_or_better'])}"
    )


def standards(text: object) -> str:
    """A set of standards in words: Strong standard to Needs attention."""
    if words.blank(text):
        return ""
    first, _, end = str(text).partition("-")
    return WORDS[int(first)] if not end else f"{WORDS[int(first)]} to {WORDS[int(end)]}"


def figures(rows: pd.DataFrame) -> pd.DataFrame:
    """The forecast to read: an area a row, the chance of each standard, the sum below expected and the
    set.
    """
    mine = rows[rows["area"].ne("any")]
    mine = mine.assign(order=mine["area"].map({area: at for at, area in enumerate(AREAS)})).sort_values(
        "order"
    )
    return pd.DataFrame(
        {
            "area": mine["area"].map(AREAS),
            **{WORDS[rank]: mine[column].map(words.percent) for rank, column in COLUMNS.items()},
            "below expected": mine["p_below"].map(words.percent),
            "range to reckon with": mine["standard_set"].map(standards),
        }
    )


def export(rows: pd.DataFrame) -> dict[str, float | str]:
    """Every stored figure of a forecast as columns of one row: p_below_inclusion,
    standard_set_achievement.
    """
    names = [*COLUMNS.values(), "p_below", "p_strong_or_better", "standard_set"]
    return {
        f"{name}_{row['area']}": row[name]
        for _, row in rows.iterrows()
        for name in names
        if not words.blank(row[name])
    }


def ranges_in_words() -> str:
    """What the ranges promise: of the cards that the model had not learned from, how many lay in theirs."""
    walked = (((store.told("train") or {}).get("report_cards") or {}).get("forecast") or {}).get("walk", [])
    tried = [
        (row["n"], row["coverage"])
        for row in walked
        if row.get("coverage") is not None and row["learned_from"]
    ]
    cards = sum(n for n, _ in tried)
    if not cards:
        return "How often such ranges hold the standard that comes isn’t known yet: too few cards are out."
    within = sum(n * share for n, share in tried) / cards
    return (
        f"Ranges like these held the standard that came {words.of_100(within)} times in 100, on cards "
        "not learned from."
    )


def steps(rows: pd.DataFrame, area: str) -> tuple[pd.DataFrame, float, float]:
    """What raised and lowered the chance of below expected, and where it starts and ends."""
    row = rows.set_index("area").loc[area]
    return words.parts(row), float(row["base_rate"]), float(row["p_below"])


def like_it(area: str, leadership: object) -> str:
    """Which schools the steps to an area's chance start from: leadership's from those whose leadership had
    the same grade.
    """
    if area != LEADERSHIP or words.blank(leadership):
        return "schools like it"
    return f"schools of its phase whose leadership was graded {words.grade(leadership)}"


def shown(rows: pd.DataFrame, row: pd.Series, leadership: object) -> None:
    """The card likely next, drawn; what it turns on; and the card that came last. `leadership` is the grade
    it has now.
    """
    mine = rows[rows["area"].ne("any")]
    worst = mine.loc[mine["p_below"].idxmax()]
    best = mine.loc[mine["p_strong_or_better"].idxmax()]
    came = last(int(row["lineage"]))
    before = came.set_index("area")["standard"].to_dict() if len(came) else {}
    charts.show(
        drawn(rows, before),
        (
            f"Most at risk is {AREAS[worst['area']].lower()}; likeliest to be strong is "
            f"{AREAS[best['area']].lower()}"
        ),
        "Each cell is the chance of a standard, in a hundred; an area’s chances add up. "
        f"{words.percent(worst['p_below'])} below "
        f"expected in {AREAS[worst['area']].lower()}, {words.percent(best['p_strong_or_better'])} strong or "
        "better in "
        f"{AREAS[best['area']].lower()}."
        + (" A dot marks the standard of the last card." if before else "")
        + (
            ""
            if bool(mine["enough_like_it"].iloc[0])
            else " Few report cards of schools like this one are out: read it widely."
        ),
        figures(rows),
        f"card-{row['urn']}",
        explain=("report card", "below expected", "of 100", "somewhere from, to"),
    )
    for area, what in (
        ("any", "some area below expected"),
        (LEADERSHIP, "leadership and governance below expected"),
    ):
        made, start, end = steps(rows, area)
        step, others = end - start, like_it(area, leadership)
        title = (
            (
                f"{what.capitalize()}: {words.number(abs(100 * step), 0)} points "
                f"{'above' if step > 0 else 'below'} {others}"
            )
            if abs(step) >= 0.005
            else f"{what.capitalize()}: as {others}"
        )
        with st.expander(title):
            charts.show(
                charts.waterfall(
                    charts.together(made), start, end, others[0].upper() + others[1:], "This school"
                ),
                title,
                f"{words.parts_in_words(made)} Steps are in points of a hundred and add up from "
                f"{words.percent(start)} to "
                f"{words.percent(end)}; to the right is worse.",
                made.assign(points=made["step"].map(words.points))[["what", "points"]],
                f"card-steps-{area}-{row['urn']}",
                level=3,
                explain=("raised and lowered", "points", "schools like it"),
            )
    st.caption(words.plain(ranges_in_words()))
    st.caption(
        words.ASSOCIATION
        + " Nothing is forecast of safeguarding: too few schools did not meet it to learn from."
    )


def alike(row: pd.Series, reasons: Callable[[object], str]) -> None:
    """Schools like it that have a report card, and what it said; nothing where none are stored."""
    if not store.has("similar_cards"):
        return
    named = ("urn", "rank", "other_urn", "other_as_of", "reasons", "overall", *AREAS)
    rows = store.of_large("similar_cards", "urn", [int(row["urn"])], named).sort_values("rank")
    if rows.empty:
        return
    given = rows[list(AREAS)].astype("float64")
    below = int(given.ge(BELOW).any(axis=1).sum())
    leading = int(given[LEADERSHIP].ge(BELOW).sum())
    st.header(
        (
            f"Of the {len(rows)} most similar schools with a report card, {below or 'none'} had some area "
            "below "
            "expected"
        ),
        anchor=False,
    )
    st.markdown(
        f"Leadership and governance was below expected in {leading or 'none'} of them. Each is a school as "
        "it stood when its "
        "inspection began, nearest to this one in what was known, with the same grade before it; its card "
        "was out before "
        "these forecasts were made."
    )
    told = pd.DataFrame(
        {
            "nearness": rows["rank"],
            "school": rows["other_urn"].map(store.names()).fillna("no longer listed"),
            "URN": rows["other_urn"],
            "inspected on": rows["other_as_of"].map(words.day),
            "grade before": rows["overall"].map(words.grade),
            "similar in": rows["reasons"].map(reasons),
            **{
                name: rows[area].map(lambda rank: "" if words.blank(rank) else WORDS[int(rank)])
                for area, name in AREAS.items()
            },
        }
    )
    with st.expander(f"The {len(rows)} schools, why they are similar and what their cards said"):
        charts.table(told)
        charts.download(told, f"similar-cards-{row['urn']}")


def drawn(rows: pd.DataFrame, before: dict[str, int]) -> charts.Spec:
    """Areas down, standards across, each cell shaded by its chance with the figure in it; a dot on the last
    card's standard.
    """
    cells = [
        {
            "area": AREAS[row["area"]],
            "standard": WORDS[rank],
            "chance": float(row[column]),
            "label": "<1" if row[column] < 0.01 else f"{100 * row[column]:.0f}",
            "last": before.get(row["area"]) == rank,
        }
        for _, row in rows[rows["area"].ne("any")].iterrows()
        for rank, column in COLUMNS.items()
    ]
    made = pd.DataFrame(cells).assign(area=lambda made: charts.wrapped(made["area"], 16))
    return charts.card(made, [WORDS[rank] for rank in COLUMNS], [*dict.fromkeys(made["area"])])


def cards(lineage: int) -> pd.DataFrame:
    """Every card there is as a table to read, newest first: a column an area, graded again where it was."""
    rows = store.some("standards", "lineage", lineage)
    if rows.empty:
        return pd.DataFrame()
    rows = rows.sort_values(["inspected_on", "area", "graded_on"], kind="stable")
    texts = [
        WORDS[int(rank)] + ("" if day == on else f" (graded again on {words.day(day)})")
        for rank, day, on in zip(rows["standard"], rows["graded_on"], rows["inspected_on"], strict=True)
    ]
    joined = (
        rows.assign(text=texts).groupby(["inspected_on", "area"])["text"].agg("; then ".join).reset_index()
    )
    wide = joined.pivot_table(index="inspected_on", columns="area", values="text", aggfunc="first").reindex(
        columns=list(AREAS)
    )
    wide = wide.dropna(axis=1, how="all").rename(columns=AREAS).sort_index(ascending=False).fillna("")
    wide.insert(0, "inspected on", wide.index.map(words.day))
    return wide.rename_axis(None, axis=1).reset_index(drop=True)
