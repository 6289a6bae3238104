"""Find a school, by name, postcode, URN, trust or local authority; and where the schools found are."""

import pandas as pd
import streamlit as st

from headway.explorer import charts, search, store, words

MOST, MARKED, AROUND = 25, 400, 3000  # schools listed, marked on the map, and drawn around them at most
EXAMPLES = (
    "For example: a name, a postcode or its first half such as LS1, a URN of six figures, a trust or "
    "a local authority."
)


def links(rows: pd.DataFrame) -> None:
    """A link to each school's page, with what tells it from others of its name."""
    for row in rows.itertuples(index=False):
        where = ", ".join(
            str(part)
            for part in (row.phase, row.local_authority, row.postcode, row.trust_name)
            if not words.blank(part)
        )
        st.page_link(
            "explorer/school.py",
            query_params={"urn": str(row.urn)},
            label=f"**{words.plain(row.name)}** · {words.plain(where)} · URN {row.urn}"
            + (f" · {row.miles:.1f} miles" if hasattr(row, "miles") else "")
            + ("" if row.open else " · closed"),
        )


def nearest_to(asked: str, rows: pd.DataFrame) -> str:
    """The postcode asked for; where no school has its first half, the one looked around instead."""
    typed, around = asked.upper().strip(), str(rows["around"].iloc[0])
    if typed.replace(" ", "").startswith(around.replace(" ", "")):
        return words.plain(typed)
    return f"{words.plain(around)}, as none is in {words.plain(typed)}"


def where(rows: pd.DataFrame) -> str:
    """Which regions most of the schools found are in; where two have as many, both."""
    counts = rows["region"].value_counts()
    if len(rows) == 1:
        return f"The school found is in {counts.index[0]}" if len(counts) else "Where the school found is"
    if counts.empty:
        return "Where the schools found are"
    most = sorted(counts[counts.eq(counts.max())].index)
    if len(counts) == 1:
        return f"All of them are in {most[0]}"
    if len(most) == len(counts):
        return f"They are in {words.and_list(most)}, as many in each"
    return f"More of them are in {words.and_list(most)} than elsewhere"


def around(rows: pd.DataFrame) -> pd.DataFrame:
    """Where the open schools around some are; where these are far apart, the thinned places of all."""
    every = store.schools()
    every = every[every["open"]]
    for name in ("latitude", "longitude"):
        wide = max(rows[name].max() - rows[name].min(), 0.1)
        every = every[every[name].between(rows[name].min() - wide, rows[name].max() + wide)]
    return every[["longitude", "latitude"]] if len(every) <= AROUND else store.places()


def page() -> None:
    st.title("Find a school", anchor=False)
    rows = store.schools()
    asked = st.text_input(
        "Name, postcode, URN, trust or local authority", key="q", bind="query-params", max_chars=120
    )
    left, right = st.columns(2)
    phase = left.selectbox("Phase", ["Any", *store.in_order("phase")], key="phase", bind="query-params")
    region = right.selectbox("Region", ["Any", *store.in_order("region")], key="region", bind="query-params")
    authorities, names = store.in_order("local_authority"), store.trusts()
    authority = left.selectbox("Local authority", ["Any", *authorities], key="authority", bind="query-params")
    trust = right.selectbox(
        "Trust",
        ["Any", *names],
        key="trust",
        bind="query-params",
        format_func=lambda uid: f"{names[uid]} ({uid})" if uid in names else uid,
    )
    closed = st.checkbox("Also schools that have closed", key="closed", bind="query-params")
    chosen = [None if choice in ("Any", None) else choice for choice in (phase, region, trust, authority)]
    hits = search.found(asked, *chosen[:2], closed, *chosen[2:])
    narrowed = bool(asked.strip()) or any(chosen)

    recent = rows[rows["urn"].isin(store.recent())].drop_duplicates("urn") if not narrowed else rows.head(0)
    if len(recent):
        st.header("Recently viewed", anchor=False)
        links(recent.sort_values("urn", key=lambda urns: urns.map(store.recent().index)))
        if len(recent) > 1:
            viewed = ",".join(map(str, store.recent()))
            st.page_link("explorer/compare.py", query_params={"urns": viewed}, label="Compare these")

    if not narrowed:
        st.header(f"{len(hits):,} schools to look among", anchor=False)
        st.markdown(EXAMPLES)
    elif hits.empty:
        st.header("No school found", anchor=False)
        st.markdown(
            (
                "No school’s name, postcode, trust or local authority has these words, nor words like them. "
                "Try "
                "fewer words"
            )
            + ("." if closed else ", or tick “also schools that have closed”.")
        )
    else:
        near = "miles" in hits
        more = (
            f" The first {MOST} are listed: add a word to narrow it." if len(hits) > MOST and not near else ""
        )
        st.header(
            f"The {min(len(hits), MOST)} schools nearest to {nearest_to(asked, hits)}"
            if near
            else f"{len(hits):,} school{'s' if len(hits) != 1 else ''} found",
            anchor=False,
        )
        if more:
            st.markdown(more.strip())
        links(hits.head(MOST))

    places = store.places()
    if places.empty:
        st.info("No map: the files read hold no coordinates.")
        return
    shown = hits[hits["latitude"].notna() & hits["longitude"].notna()] if narrowed else hits.head(0)
    shown = shown.head(MARKED)
    listed = shown[["urn", "name", "phase", "local_authority", "region", "postcode", "latitude", "longitude"]]
    if shown.empty:
        charts.show(
            charts.england(places, shown),
            "Where the schools are",
            "Each dot stands for a few square miles with a school in them. Search to mark schools on it.",
            listed,
            "map",
        )
        return
    charts.show(
        charts.map_of(around(shown), shown),
        words.plain(where(shown)),
        f"Triangles mark {len(shown):,} of the {len(hits):,} found (those with coordinates, {MARKED} at "
        "most); dots are other schools. A mark says its school and opens its page. Drag to move the map; "
        "hold Ctrl and turn the wheel to zoom.",
        listed,
        "map",
    )


page()
