"""The explorer: `streamlit run app.py`, or `headway explore`. Names the pages; each is one file in explorer/.

Streamlit imports this file once, for the server, and runs it as a script for each click. A server has to answer at once,
so what is slow to import is imported by the functions that need it.
"""

import contextlib
import threading
from collections.abc import AsyncIterator

import streamlit as st

PAGES = (  # a file's name is its address too: /school?urn=100000
    ("find", "Find a school"),
    ("school", "School"),
    ("what_if", "What if"),
    ("trust", "Trust or authority"),
    ("compare", "Compare"),
    ("evidence", "Evidence"),
    ("how_good", "How good is this?"),
    ("your_data", "Your own data"),
    ("about", "About"),
)
STYLE = """<style>
h1 { font-size: 2rem !important; } h2 { font-size: 1.35rem !important; } h3 { font-size: 1.15rem !important; }
.st-key-lead p { font-size: 1.2rem; line-height: 1.55; }
[data-testid="stPageLink"] a { text-decoration: underline; height: auto; }
[data-testid="stPageLink"] a span, [data-testid="stPageLink"] a p { white-space: normal;
  overflow: visible; text-overflow: clip; }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p { opacity: 1; color: inherit; }
blockquote, blockquote p, [data-testid="stTable"] th { opacity: 1 !important; color: inherit !important; }
[data-testid="stTable"] th { font-weight: 600; }
[data-testid="stSliderThumbValue"], [data-testid="stSliderThumbValue"] p { color: inherit !important; }
[data-testid="stLayoutWrapper"]:has(> .st-key-kept, > .st-key-reach) { display: none; }
@media print { [data-testid="stSidebar"], [data-testid="stHeader"] { display: none; } }
</style>"""
# A table wider than the screen scrolls inside its frame: this lets the keyboard scroll it too.
REACH = """<script>
window.headwayReach ||= new MutationObserver(() => document.querySelectorAll('[data-testid=stTable] > div').forEach(
  frame => { frame.tabIndex = frame.scrollWidth > frame.clientWidth ? 0 : -1; }));
window.headwayReach.observe(document.body, {childList: true, subtree: true, attributes: true, attributeFilter: ['open']});
</script>"""


def whose() -> None:
    """At the top of every page: whether the schools are made up, and how old the tables are."""
    from explorer import store, words
    from pipelines.tables import DataError

    try:
        facts = store.about("schools")
    except DataError:
        return  # the page says so itself
    newest = facts.get("newest_file_on")
    age = (
        f"The newest file read is of {words.day(newest)}, {words.ago(newest)}."
        if newest
        else "The files’ dates aren’t known."
    )
    if facts.get("data_source") == "made-up":
        st.warning(f"**These schools are made up.** No real school is described on any page. {age}")
    else:
        st.caption(f"Made from official files of Ofsted and the Department for Education. {age}")


def trouble(error: Exception) -> None:
    """What is wrong with the tables and what to do, in place of the page."""
    from explorer import words

    st.title("These tables can’t be shown", anchor=False)
    st.markdown(words.plain(str(error).split("\n")[0]))
    for line in str(error).split("\n")[1:]:
        st.markdown(words.plain(line.replace("`", "")))
    st.markdown(
        "The explorer reads the tables in the folder it was started on, and it makes none of its own. "
        "`headway demo` makes all of them; `headway explore --tables FOLDER` opens others."
    )


def visit() -> None:
    """The page that was clicked on."""
    from explorer import access, store
    from pipelines.tables import DataError

    st.set_page_config(page_title="Headway", page_icon="🧭", layout="centered")
    st.html(STYLE)
    st.container(key="reach").html(REACH, unsafe_allow_javascript=True)
    page = st.navigation([st.Page(f"explorer/{name}.py", title=title, default=name == "find") for name, title in PAGES])
    access.door()
    whose()
    try:
        page.run()
    except DataError as error:
        trouble(error)
    store.read_ahead()


def first() -> None:
    """What the first page needs, imported and read while the first visitor's browser is still loading."""
    from explorer import charts, store
    from pipelines.tables import DataError

    with contextlib.suppress(DataError):
        store.places(), charts.england


@contextlib.asynccontextmanager
async def started(_: st.App) -> AsyncIterator[None]:
    threading.Thread(target=first, daemon=True).start()
    yield


if __name__ == "__main__":
    visit()
else:
    app = st.App(__file__, lifespan=started)
