"""A school on one page, for its governors: the chances, what isn't known, what to ask, how forecasts
fared.
"""

import streamlit as st

from headway.explorer import brief, earlier, glossary, pdf, store, words


def page() -> None:
    urn = store.asked_urn()
    store.about("schools")
    row = store.school(urn) if urn is not None else None
    if row is None:
        st.title("For governors", anchor=False)
        st.markdown(
            "No school is chosen yet: choose one, and its page links here."
            if urn is None
            else "No school in these tables has that URN."
        )
        st.page_link("explorer/find.py", label="Find a school")
        return
    store.viewed(urn)
    told = brief.facts(row)
    st.title(words.plain(told["title"]), anchor=False)
    st.markdown(words.plain(" · ".join(": ".join(pair) for pair in told["facts"])))
    with st.container(border=True, key="lead"):
        st.markdown(words.plain(told["verdict"]))
    st.markdown(words.plain(told["now"]))
    if told["caution"]:
        st.warning(told["caution"])
    st.header(told["unknown_title"], anchor=False, help=glossary.explained("not known here"))
    st.markdown("\n".join(f"- {words.plain(line)}" for line in told["unknown"]))
    st.markdown(told["unknown_note"])
    st.header(told["questions_title"], anchor=False)
    st.markdown("\n".join(f"{at}. {words.plain(line)}" for at, line in enumerate(told["questions"], 1)))
    st.caption(told["questions_note"])
    earlier.shown(row)
    st.caption(words.plain(told["how"]))
    pdf.download("governors", lambda: told, f"governors-{urn}", "This page (PDF)")
    st.page_link(
        "explorer/school.py", query_params={"urn": str(urn)}, label="All that is known of the school"
    )


page()
