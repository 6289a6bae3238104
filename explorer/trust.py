"""The schools of a trust, of a local authority or of a list: how they are spread, never who comes first."""

import pandas as pd
import streamlit as st

from headway.explorer import capacity, charts, outlook, own, pdf, report, store, together, words, workbook

KINDS = {"trust": "A trust", "authority": "A local authority", "urns": "A list of URNs"}
EXPLAIN = ("of 100", "schools like it", "somewhere from, to")
BANDS = [f"{10 * at}–{10 * at + 10}" for at in range(10)]


def members(kind: str, asked: str) -> tuple[pd.DataFrame, str]:
    """The open schools asked for and what they are together."""
    rows = store.schools()
    rows = rows[rows["open"]]
    if kind == "trust":
        mine = (
            rows[rows["trust_uid"].eq(int(asked)).fillna(False)]
            if asked.isdecimal() and len(asked) < 10
            else rows.head(0)
        )
        return mine, str(mine["trust_name"].iloc[0]) if len(mine) else "No such trust"
    if kind == "authority":
        return rows[rows["local_authority"].eq(asked)], asked
    return rows[rows["urn"].isin(store.asked_urns(asked))], "Your list of schools"


def choose() -> tuple[str, str]:
    """What is asked for, from the address or the boxes; the address always holds it."""
    given = next((kind for kind in KINDS if store.asked_for(kind)), None)
    # A new address moves the choice; the choice itself stays where it is while nothing of its kind is named
    # yet.
    if given and (
        "schools_of" not in st.session_state or given != st.session_state.get("schools_of_address")
    ):
        st.session_state["schools_of"] = given
    kind = st.radio("Schools of", list(KINDS), format_func=KINDS.get, horizontal=True, key="schools_of")
    asked = store.asked_for(kind)
    if kind == "trust":
        names = store.trusts()
        options = list(names)
        if asked and asked not in names:
            st.warning(
                f"No open school in these tables belongs to a trust with the number {words.plain(asked)}. "
                "Choose "
                "another below."
            )
        chosen = st.selectbox(
            "Trust",
            options,
            index=options.index(asked) if asked in names else None,
            format_func=lambda uid: f"{names[uid]} ({uid})",
            placeholder="Type part of its name",
        )
    elif kind == "authority":
        options = store.in_order("local_authority")
        if asked and asked not in options:
            st.warning(
                f"There is no local authority called {words.plain(asked)} in these tables. Choose another "
                "below."
            )
        chosen = st.selectbox(
            "Local authority",
            options,
            index=options.index(asked) if asked in options else None,
            placeholder="Type part of its name",
        )
    else:
        text = st.text_area(
            "URNs, one a line or apart by commas", value=asked.replace(",", "\n"), height=120, max_chars=4000
        )
        chosen = ",".join(map(str, store.asked_urns(text)))
        unknown = sorted(set(store.asked_urns(text)) - set(members("urns", text)[0]["urn"]))
        if unknown:
            st.warning(f"Not among the open schools: {words.and_list([str(urn) for urn in unknown[:20]])}.")
    for other in KINDS:
        if other == kind and chosen:
            st.query_params[other] = chosen
        elif other in st.query_params:
            del st.query_params[other]
    st.session_state["schools_of_address"] = kind if chosen else None
    return kind, chosen or ""


def found(rows: pd.DataFrame) -> None:
    """What is found of the schools together."""
    for part in together.parts(rows):
        if part.drawn:
            apart(rows, part)
            continue
        st.header(words.plain(part.title), anchor=False)
        if part.sentence:
            st.markdown(words.plain(part.sentence))
        if len(part.rows):
            charts.table(part.rows, part.urns)
    totals = outlook.totals(rows)
    if len(totals):
        st.markdown(
            "By the grade they have, were the next a grade again, about so many schools:"
            if together.on_card(rows)
            else "By the grade they have, about so many schools:"
        )
        charts.table(totals)


def apart(rows: pd.DataFrame, part: together.Part) -> None:
    """Each school beside schools like it; of many schools how many fall in each band."""
    chances, what = together.beside(rows)
    if len(chances) <= together.DRAWN:
        drawn = charts.beside(chances, f"Chance of {what}")
        legend = " Dots are the schools, lines how far each can be trusted, diamonds schools like it."
    else:
        legend = " Bars count the schools by their chance."
        bands = pd.cut(chances["chance"], [at / 10 for at in range(11)], labels=BANDS, include_lowest=True)
        counted = bands.value_counts(sort=False).rename_axis("band").reset_index(name="schools")
        drawn = charts.spread(counted.astype({"band": "str"}), f"Chance of {what}, in %")
    sentence = f"{part.sentence}{legend}"
    charts.show(drawn, words.plain(part.title), words.plain(sentence), part.rows, "spread", explain=EXPLAIN)


def page() -> None:
    st.title("Trust or authority", anchor=False)
    kind, asked = choose()
    if not asked:
        st.markdown(
            "Choose which schools to look at. The address of this page then holds the choice, so it can be "
            "kept or shared."
        )
        return
    mine, name = members(kind, asked)
    st.header(words.plain(name), anchor=False)
    if mine.empty:
        st.markdown("None of these is an open school in the tables.")
        return
    if not store.has("predictions"):
        st.info("No predictions are among the tables yet: `headway score` makes them.")
        charts.table(mine[["urn", "name", "phase", "local_authority"]].sort_values("name"))
        return
    rows = outlook.with_predictions(mine)
    st.markdown(together.counted(rows))
    found(rows)
    st.header("Its schools, in the order of the alphabet", anchor=False)
    charts.table(together.listed(rows), rows["urn"])
    held, key = own.kept(), asked if kind != "urns" else "list"
    made, known = capacity.figures(held, mine["lineage"].tolist())
    left, middle, right = st.columns(3)
    with left:
        pdf.download("pack", lambda: together.pack(rows, name), f"pack-{key}", "Pack to print (PDF)")
        if len(rows) <= together.PACKED and pdf.possible():
            st.caption("With a page for the governors of each school.")
    with middle:
        charts.download(
            capacity.exported(outlook.export(rows), made), f"schools-{key}", "Download these schools (CSV)"
        )
    with right:
        sheets = {"Schools": outlook.export(rows), "Totals": outlook.totals(rows)}
        workbook.download(sheets, report.NOTES, f"schools-{key}")
    st.page_link(
        "explorer/compare.py",
        query_params={"urns": ",".join(map(str, rows["urn"].head(6)))},
        label="Compare the first six side by side",
    )
    capacity.page_part(held, made, known, key)


page()
