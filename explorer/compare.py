"""Up to six schools side by side, in the order they were named."""

import pandas as pd
import streamlit as st

from headway.explorer import charts, outlook, report, report_card, search, store, words, workbook
from headway.pipelines.frameworks import GRADES

MOST = 6


def side_by_side(urns: list[int]) -> pd.DataFrame:
    """What is stored of each school, a row a fact and a column a school."""
    columns = {}
    for urn in urns:
        row, predicted = store.school(urn), store.prediction(urn)
        facts = {
            "URN": urn,
            "phase": row["phase"],
            "type": row["type"],
            "local authority": row["local_authority"],
            "trust": "" if words.blank(row["trust_name"]) else row["trust_name"],
            "pupils when last listed": words.number(row["pupils"]),
            "deprivation (5 the most deprived fifth)": words.number(row["idaci_quintile"]),
            "grade now": words.grade_in_full(predicted) if predicted is not None else "no prediction",
            **_next(urn, predicted),
        }
        for table, name, what, places in (
            ("workforce", "pupils_per_teacher", "pupils for each teacher", 1),
            ("workforce", "teachers_fte", "teachers, full-time equivalent", 1),
            ("census", "share_fsm_ever", "free meals in six years", None),
            ("absence", "share_absence", "sessions missed", None),
        ):
            figures = store.figures(table, int(row["lineage"]))
            known = figures.dropna(subset=[name]) if name in figures else figures.head(0)
            if len(known):
                last = known.iloc[-1]
                value = (
                    words.number(last[name], places) if places is not None else words.percent(last[name], 1)
                )
                facts[what] = f"{value} ({words.academic_year(int(last['period']))})"
            else:
                facts[what] = "not known"
        columns[f"{row['name']} ({urn})"] = facts
    return pd.DataFrame(columns).rename_axis("what").reset_index()


def _next(urn: int, predicted: pd.Series | None) -> dict[str, str]:
    """What is likely next: of a report card where one comes, then of a grade, each beside schools like it,
    and what moved it.
    """
    facts, card, moved = {}, report_card.forecast(urn), pd.DataFrame()
    if len(card):
        areas = card.set_index("area")
        for area, what in (
            ("any", "some area below expected"),
            (report_card.LEADERSHIP, "leadership below expected"),
        ):
            row = areas.loc[area]
            facts[f"next report card: {what}"] = (
                f"{words.percent(row['p_below'])} ({words.percent(row['p_low'])} to "
                f"{words.percent(row['p_high'])}); schools "
                f"like it {words.percent(row['base_rate'])}"
            )
        facts["next report card: leadership"] = (
            report_card.outcomes(areas.loc[report_card.LEADERSHIP]) + ", of 100"
        )
        moved = words.parts(areas.loc["any"])
    shown = predicted is not None and words.enough(predicted)
    usual = words.usual_outcomes(predicted) if shown else None
    none = (
        "no chance given"
        if predicted is None or predicted["status"] != "scored"
        else "not enough like it to say"
    )
    facts["next grade, of 100"] = (
        words.outcomes_in_words(predicted, words.outcomes(predicted)) if shown else none
    )
    facts["next grade, of 100 schools like it"] = words.outcomes_in_words(predicted, usual) if shown else ""
    for rank, name in GRADES.items():
        facts[f"next grade {name}"] = words.percent(predicted[f"p_grade_{rank}"]) if shown else ""
    if moved.empty and shown:
        moved = words.parts(predicted)
    facts["what moved it most"] = words.parts_in_words(moved) if len(moved) else ""
    return facts


def page() -> None:
    st.title("Compare", anchor=False)
    st.markdown(
        f"Up to {MOST} schools side by side, in the order you name them. A chance answers a different "
        "question for "
        "each grade: hold it against “schools like it”, not "
        "against another school."
    )
    names = store.names()
    asked = store.asked_urns(store.asked_for("urns"))
    unknown = [urn for urn in asked if urn not in names.index]
    if unknown:
        st.warning(f"No school has the URN {words.and_list([str(urn) for urn in unknown[:MOST]])}.")
    urns = [urn for urn in asked if urn in names.index][:MOST]

    def change(after: list[int]) -> None:
        st.query_params["urns"] = ",".join(map(str, after))
        st.session_state["add"] = ""

    if len(urns) < MOST:
        text = st.text_input(
            "Add a school: name, postcode, URN, trust or local authority", key="add", max_chars=120
        )
        if text.strip():
            hits = search.found(text)
            hits = hits[~hits["urn"].isin(urns)].head(8)
            if hits.empty:
                st.markdown("No open school found. Try fewer or shorter words.")
            for row in hits.itertuples():
                st.button(
                    f"Add {words.plain(row.name)}, {words.plain(row.local_authority)} (URN {row.urn})",
                    key=f"add_{row.urn}",
                    on_click=change,
                    args=([*urns, int(row.urn)],),
                )
    else:
        st.markdown(f"That is {MOST} schools; take one out to add another.")
    if not urns:
        return
    made = side_by_side(urns)
    st.header(f"{len(urns)} school{'s' if len(urns) > 1 else ''} side by side", anchor=False)
    with st.container(key="wide"):
        charts.table(made)
    if store.has("predictions"):
        schools = store.schools()
        figures = outlook.export(outlook.with_predictions(schools[schools["urn"].isin(urns)]))
        left, right = st.columns(2)
        with left:
            charts.download(figures, "compare", "Figures (CSV)")
        with right:
            workbook.download({"Figures": figures, "As read": made}, report.NOTES, "compare")
    st.caption(words.ASSOCIATION)
    for urn in urns:
        left, right = st.columns([3, 1])
        with left:
            st.page_link(
                "explorer/school.py",
                query_params={"urn": str(urn)},
                label=f"{words.plain(names[urn])}: its page",
            )
        right.button(
            f"Take out {urn}", key=f"out_{urn}", on_click=change, args=([one for one in urns if one != urn],)
        )
    st.page_link(
        "explorer/trust.py",
        query_params={"urns": ",".join(map(str, urns))},
        label="These schools taken together",
    )
    st.caption("The address of this page holds the schools: keep it as a bookmark, or share it.")


page()
