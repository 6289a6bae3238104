"""The schools of a trust, of a local authority or of a list: how they are spread, never who comes first."""

import pandas as pd
import streamlit as st

from explorer import capacity, charts, own, store, words

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


def listing(rows: pd.DataFrame) -> pd.DataFrame:
    """The schools by the alphabet, each grade with its day, framework and source, each chance with the usual one."""
    made = rows.sort_values("name")
    enough = (
        made["enough_like_it"].fillna(False).astype("bool") if "enough_like_it" in made else made["status"].eq("scored")
    )
    better = made["p_improve"].where(enough & made["overall"].gt(1))
    kept = made["p_same"].where(enough & made["overall"].eq(1))
    return pd.DataFrame(
        {
            "URN": made["urn"],
            "school": made["name"],
            "phase": made["phase"],
            "local authority": made["local_authority"],
            "grade": [words.grade(rank, day) for rank, day in zip(made["overall"], made["inspected_on"], strict=True)],
            "inspected on": made["inspected_on"].map(words.day),
            "framework": made["framework"].map(words.framework),
            "how the grade came about": made["overall_source"].map(words.source),
            "chance of improving": better.map(words.percent),
            "chance of staying Outstanding": kept.map(words.percent),
            "schools like it": made["base_rate"].where(enough).map(words.percent),
            "90% sure of": made["grade_set"].where(enough).map(words.grades),
            "status": made["status"].where(enough | made["status"].ne("scored"), "not enough like it to say"),
        }
    )


def in_short(row: dict) -> str:
    """A school's chance beside that of schools like it, or why there is none."""
    for column, verb in (("chance of improving", "improve"), ("chance of staying Outstanding", "stay")):
        if row[column] != words.percent(None):
            return f"{verb} {row[column]} ({row['schools like it']})"
    return row["status"]


def choose() -> tuple[str, str]:
    """What is asked for, from the address or the boxes; the address always holds it."""
    given = next((kind for kind in KINDS if store.asked_for(kind)), None)
    # A new address moves the choice; the choice itself stays where it is while nothing of its kind is named yet.
    if given and ("schools_of" not in st.session_state or given != st.session_state.get("schools_of_address")):
        st.session_state["schools_of"] = given
    kind = st.radio("Schools of", list(KINDS), format_func=KINDS.get, horizontal=True, key="schools_of")
    asked = store.asked_for(kind)
    if kind == "trust":
        names = store.trusts()
        options = list(names)
        if asked and asked not in names:
            st.warning(
                f"No open school in these tables belongs to a trust with the number {words.plain(asked)}. Choose "
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
                f"There is no local authority called {words.plain(asked)} in these tables. Choose another below."
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
    """How the chances of schools that could improve are spread, and what they come to together."""
    enough = (
        rows["enough_like_it"].fillna(False).astype("bool")
        if "enough_like_it" in rows
        else pd.Series(True, index=rows.index)
    )
    could = rows[rows["status"].eq("scored") & rows["overall"].gt(1) & enough & rows["p_improve"].notna()]
    stays = rows[rows["status"].eq("scored") & rows["overall"].eq(1) & enough & rows["p_same"].notna()]
    if len(could):
        whole, usual = could["p_improve"].sum(), could["base_rate"].sum()
        way = "above" if whole > usual else "below"
        st.markdown(
            f"Of its {len(could):,} schools that could improve, the stored chances add up to about {whole:.1f} "
            "improving at their "
            f"next graded inspections; for schools like them it would be {usual:.1f}."
        )
    if len(stays):
        st.markdown(
            f"Of its {len(stays):,} Outstanding schools, about {stays['p_same'].sum():.1f} stay so by the stored "
            "chances; "
            f"for schools like them it would be {stays['base_rate'].sum():.1f}."
        )
    if len(could) < FEWEST:
        st.info(f"Fewer than {FEWEST} of its schools have a chance of improving, so no spread is drawn.")
        return
    step = could["p_improve"] - could["base_rate"]
    bands = pd.cut(could["p_improve"], [at / 10 for at in range(11)], labels=BANDS, include_lowest=True)
    counted = bands.value_counts(sort=False).rename_axis("band").reset_index(name="schools").astype({"band": "str"})
    charts.show(
        charts.spread(counted, "Chance of improving, in %"),
        f"The middle half of its chances of improving runs from {words.percent(could['p_improve'].quantile(0.25))} "
        f"to {words.percent(could['p_improve'].quantile(0.75))}",
        "How many schools fall in each band. Grades differ, and with them the usual chance: a school’s own page "
        "holds it against schools like it. "
        f"{int((step > 0.005).sum())} stand above schools like them, {int((step < -0.005).sum())} below; together "
        f"they are {abs(100 * (whole - usual) / len(could)):.0f} points {way}.",
        counted,
        "spread",
    )


def page() -> None:
    st.title("Trust or authority", anchor=False)
    kind, asked = choose()
    if not asked:
        st.markdown(
            "Choose which schools to look at. The address of this page then holds the choice, so it can be kept or "
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
    rows = mine.merge(
        store.predictions().drop(columns=["lineage", "phase"], errors="ignore"),
        on="urn",
        how="left",
        validate="one_to_one",
    )
    rows["status"] = rows["status"].fillna("no prediction")
    st.markdown(f"{len(rows):,} open schools, {int(rows['status'].eq('scored').sum()):,} of them with a chance.")
    spread(rows)
    st.header("Its schools, in the order of the alphabet", anchor=False)
    listed = listing(rows)
    charts.table(
        pd.DataFrame(
            {
                "school": listed["school"],
                "phase": listed["phase"],
                "chance (schools like it)": [in_short(row) for row in listed.to_dict("records")],
                "90% sure of": listed["90% sure of"],
                "grade now": [words.grade_in_full(row) for row in rows.sort_values("name").to_dict("records")],
            }
        )
    )
    held, key = own.kept(), asked if kind != "urns" else "list"
    made, known = capacity.figures(held, mine["lineage"].tolist())
    charts.download(capacity.exported(listed, made), f"schools-{key}", "Download these schools (CSV)")
    with st.expander("Open a school’s page"):
        for row in rows.sort_values("name").head(150).itertuples():
            st.page_link(
                "explorer/school.py",
                query_params={"urn": str(row.urn)},
                label=f"{words.plain(row.name)} · URN {row.urn}",
            )
        if len(rows) > 150:
            st.markdown("The first 150. Find the others on the page “Find a school”.")
    st.page_link(
        "explorer/compare.py",
        query_params={"urns": ",".join(map(str, rows.sort_values("name")["urn"].head(6)))},
        label="Compare the first six side by side",
    )
    capacity.page_part(held, made, known, key)


page()
