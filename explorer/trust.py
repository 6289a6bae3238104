"""The schools of a trust, of a local authority or of a list: how they are spread, never who comes first."""

import pandas as pd
import streamlit as st

from headway.explorer import capacity, charts, outlook, own, report, store, words, workbook

KINDS = {"trust": "A trust", "authority": "A local authority", "urns": "A list of URNs"}
BANDS = [f"{10 * at}–{10 * at + 10}" for at in range(10)]
FEWEST = 5  # schools below which a spread would be a list of named schools


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


def spread(rows: pd.DataFrame) -> None:
    """How the chances of the schools are spread, and what they come to together: of a report card where one
    comes next.
    """
    on_card = rows[outlook.BELOW].notna().any()
    if on_card:
        chance, usual, what = rows[outlook.BELOW], rows[f"{outlook.BELOW}, schools like it"], outlook.BELOW
    else:
        made = outlook.chances(rows[rows["overall"].fillna(1).gt(1)])
        chance, usual, what = (
            made["chance to rise"],
            made["chance to rise, schools like it"],
            "a better grade",
        )
    chance, usual = chance[chance.notna() & usual.notna()], usual[chance.notna() & usual.notna()]
    if len(chance):
        st.markdown(
            f"Of {len(chance):,} schools, the stored chances add up to about {chance.sum():.1f} with {what} "
            "at their next "
            f"inspection; for schools like them it would be {usual.sum():.1f}."
        )
    totals = outlook.totals(rows)
    if len(totals):
        st.markdown(
            "By the grade they have, were the next a grade again, about so many schools:"
            if on_card
            else "By the grade they have, about so many schools:"
        )
        charts.table(totals)
    if len(chance) < FEWEST:
        st.info(f"Fewer than {FEWEST} of its schools have such a chance, so no spread is drawn.")
        return
    step = chance - usual
    bands = pd.cut(chance, [at / 10 for at in range(11)], labels=BANDS, include_lowest=True)
    counted = (
        bands.value_counts(sort=False).rename_axis("band").reset_index(name="schools").astype({"band": "str"})
    )
    charts.show(
        charts.spread(counted, f"Chance of {what}, in %"),
        f"The middle half of its chances of {what} runs from {words.percent(chance.quantile(0.25))} "
        f"to {words.percent(chance.quantile(0.75))}",
        "How many schools fall in each band. Grades differ, and with them the usual chance: a school’s own "
        "page "
        "holds it against schools like it. "
        f"{int((step > 0.005).sum())} stand above schools like them, {int((step < -0.005).sum())} below; "
        "together "
        f"they are {abs(100 * step.mean()):.0f} points {'above' if step.mean() > 0 else 'below'}.",
        counted,
        "spread",
    )


def page() -> None:
    st.title("Trust or authority", anchor=False)
    kind, asked = choose()
    if not asked:
        st.markdown(
            "Choose which schools to look at. The address of this page then holds the choice, so it can be "
            "kept or "
            "shared."
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
    st.markdown(
        f"{len(rows):,} open schools, {int(rows['status'].eq('scored').sum()):,} of them with a chance."
    )
    spread(rows)
    st.header("Its schools, in the order of the alphabet", anchor=False)
    columns = {
        "school": rows["name"],
        "phase": rows["phase"],
        "next report card, of 100": [outlook.card_in_words(row) for row in rows.to_dict("records")],
        "next grade, of 100": [outlook.in_words(row) for row in rows.to_dict("records")],
        "grade now": [words.grade_in_full(row) for row in rows.to_dict("records")],
    }
    if rows[outlook.BELOW].isna().all():
        del columns["next report card, of 100"]
    charts.table(pd.DataFrame(columns))
    held, key = own.kept(), asked if kind != "urns" else "list"
    made, known = capacity.figures(held, mine["lineage"].tolist())
    charts.download(
        capacity.exported(outlook.export(rows), made), f"schools-{key}", "Download these schools (CSV)"
    )
    workbook.download(
        {"Schools": outlook.export(rows), "Totals": outlook.totals(rows)}, report.NOTES, f"schools-{key}"
    )
    with st.expander("Open a school’s page"):
        for row in rows.head(150).itertuples():
            st.page_link(
                "explorer/school.py",
                query_params={"urn": str(row.urn)},
                label=f"{words.plain(row.name)} · URN {row.urn}",
            )
        if len(rows) > 150:
            st.markdown("The first 150. Find the others on the page “Find a school”.")
    st.page_link(
        "explorer/compare.py",
        query_params={"urns": ",".join(map(str, rows["urn"].head(6)))},
        label="Compare the first six side by side",
    )
    capacity.page_part(held, made, known, key)


page()
