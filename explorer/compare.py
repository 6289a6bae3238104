"""Up to six schools side by side, in the order they were named."""

import pandas as pd
import streamlit as st

from explorer import charts, store, words
from pipelines.frameworks import GRADES

MOST = 6


def side_by_side(urns: list[int]) -> pd.DataFrame:
    """What is stored of each school, a row a fact and a column a school."""
    columns = {}
    for urn in urns:
        row, told = store.school(urn), store.prediction(urn)
        shown = told is not None and words.enough(told)
        facts = {
            "URN": urn,
            "phase": row["phase"],
            "type": row["type"],
            "local authority": row["local_authority"],
            "trust": "" if words.blank(row["trust_name"]) else row["trust_name"],
            "pupils when last listed": words.number(row["pupils"]),
            "deprivation (5 the most deprived fifth)": words.number(row["idaci_quintile"]),
            "grade now": words.grade_in_full(told) if told is not None else "no prediction",
            "schools like it: improve (Outstanding: stay)": words.percent(told["base_rate"]) if shown else "",
            "this school: improve (Outstanding: stay)": f"{words.percent(words.chance(told))} "
            f"({words.percent(told['p_low'])} to "
            f"{words.percent(told['p_high'])})"
            if shown
            else "not enough like it to say"
            if told is not None and told["status"] == "scored"
            else "no chance given",
            "90% sure of": words.grades(told["grade_set"]) if shown else "",
            **{
                f"next grade {GRADES[rank]}": words.percent(told[f"p_grade_{rank}"]) if shown else "" for rank in GRADES
            },
            "what moved it most": words.parts_in_words(words.parts(told)) if shown else "",
            "signals blank": words.number(told.get("signals_blank")) if shown else "",
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
                value = words.number(last[name], places) if places is not None else words.percent(last[name], 1)
                facts[what] = f"{value} ({words.academic_year(int(last['period']))})"
            else:
                facts[what] = "not known"
        columns[f"{row['name']} ({urn})"] = facts
    return pd.DataFrame(columns).rename_axis("what").reset_index()


def page() -> None:
    st.title("Compare", anchor=False)
    st.markdown(
        f"Up to {MOST} schools side by side, in the order you name them. A chance answers a different question for "
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
        text = st.text_input("Add a school: name, postcode, URN, trust or local authority", key="add", max_chars=120)
        if text.strip():
            hits = store.found(text)
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
    charts.download(made, "compare")
    st.caption(words.ASSOCIATION)
    for urn in urns:
        left, right = st.columns([3, 1])
        with left:
            st.page_link(
                "explorer/school.py", query_params={"urn": str(urn)}, label=f"{words.plain(names[urn])}: its page"
            )
        right.button(f"Take out {urn}", key=f"out_{urn}", on_click=change, args=([one for one in urns if one != urn],))


page()
