"""The explorer: `streamlit run app.py`, or `headway explore`. Its pages are named in explorer/, one file
each.

Streamlit imports this file once, for the server, and runs it as a script for each click. A server has to
answer at once, so what is slow to import is imported by the functions that need it.
"""

import base64
import contextlib
import gc
import socket
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import streamlit as st
from streamlit import delta_generator

from headway.explorer import HIDDEN, PAGES

PAGE_PARTS = Path(__file__).parent / "explorer"
# A compass. An emoji would do, but Streamlit takes a tenth of a second to know it for one.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="14" '
    'fill="#3576BD"/>'
    '<path d="M22 8l-3 11-9 5 3-11z" fill="#FFFFFF"/></svg>'
)
# as a background, since pictures within a text are taken out of it
MARK = f"data:image/svg+xml;base64,{base64.b64encode(ICON.encode()).decode()}"
STYLE = (
    f"<style>{(PAGE_PARTS / 'style.css').read_text('utf-8')}"
    f".masthead::before {{ background-image: url('{MARK}'); }}</style>"
)
# On paper a page is light whatever its theme: charts, which are pictures by then, are turned from light on
# dark to dark on light.
PRINTED_FROM_DARK = """<style>
@media print {
  [data-testid="stVegaLiteChart"], [data-testid="stImage"] { filter: invert(1) hue-rotate(180deg); }
}
</style>"""
# The name at the top of every page; the page's own title is its first heading.
NAME = """<div class="masthead"><span><strong>Headway</strong> <span class="strap">
What is likely at a school’s next inspection, and what isn’t known</span></span></div>"""
SCRIPT = f"<script>{(PAGE_PARTS / 'page.js').read_text('utf-8')}</script>"


def whose() -> None:
    """At the top of every page: whether the schools are made up, and how old the tables are."""
    from headway.explorer import store, words
    from headway.pipelines.tables import DataError

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
    elif newest and words.old(newest):
        st.warning(
            f"**These tables are old.** {age} What has become public since isn’t in them, nor in any chance "
            "on these pages. "
            "`headway month` fetches the newest files and makes the tables anew."
        )
    else:
        st.caption(f"Made from official files of Ofsted and the Department for Education. {age}")


def trouble(error: Exception) -> None:
    """What is wrong with the tables and what to do, in place of the page."""
    from headway.explorer import words

    st.title("These tables can’t be shown", anchor=False)
    st.markdown(words.plain(str(error).split("\n")[0]))
    for line in str(error).split("\n")[1:]:
        st.markdown(words.plain(line.replace("`", "")))
    st.markdown(
        "The explorer reads the tables in the folder it was started on, and it makes none of its own. "
        "`headway demo` makes all of them; `headway explore --tables FOLDER` opens others."
    )


def write_to() -> None:
    """At the end of every page: whom to tell of a mistake, where the owner says."""
    from headway.explorer import owner
    from headway.pipelines.tables import DataError

    with contextlib.suppress(DataError):  # the page of contacts says so
        address = owner.contact(owner.answers())
        if address:
            st.caption(f"Something wrong, or hard to use? Write to {address}.")


def visit() -> None:
    """The page that was clicked on."""
    from headway.explorer import access, store
    from headway.pipelines.tables import DataError

    st.set_page_config(page_title="Headway", page_icon=ICON, layout="centered")
    st.html(STYLE + (PRINTED_FROM_DARK if getattr(st.context.theme, "type", None) == "dark" else ""))
    st.html(NAME)
    st.container(key="reach").html(SCRIPT, unsafe_allow_javascript=True)
    page = st.navigation(
        [
            st.Page(
                f"explorer/{name}.py",
                title=title,
                default=name == "find",
                visibility="hidden" if name in HIDDEN else "visible",
            )
            for name, title in PAGES
        ]
    )
    access.door()
    whose()
    try:
        page.run()
    except DataError as error:
        trouble(error)
    write_to()
    store.read_ahead()


def first() -> None:
    """What the first page needs, imported and read while the first visitor's browser is still loading."""
    import PIL.Image  # noqa: F401  by st.image

    from headway.explorer import access, charts, store  # noqa: F401
    from headway.pipelines.tables import DataError

    with contextlib.suppress(DataError):
        store.places(), store.in_order("phase"), store.in_order("region")


def promptly() -> None:
    """Have answers leave at once: Streamlit opens its socket so that each waits up to 40 ms for the one
    before to arrive.
    """
    for one in gc.get_objects():  # the server hands its socket to nobody
        if (
            type(one) is socket.socket
            and one.family in (socket.AF_INET, socket.AF_INET6)
            and one.type == socket.SOCK_STREAM
        ):
            # connections have it from the one listening
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)


def settled() -> None:
    """End a server that was started without explorer/settings.toml, before it answers anybody.

    Streamlit reads them as .streamlit/config.toml beside this file, which an installed one doesn't have: it
    would listen to every machine, and have browsers tell its maker that it is used.
    """
    if not st.get_option("server.address") or st.get_option("browser.gatherUsageStats"):
        sys.exit(
            "headway: Streamlit was started without the explorer's settings, so it would listen to every "
            "machine and send "
            "statistics of its use.\nStart it with `headway explore`; or name both: --server.address "
            "127.0.0.1 "
            "--browser.gatherUsageStats false."
        )


@contextlib.asynccontextmanager
async def started(_: st.App) -> AsyncIterator[None]:
    promptly()
    # Before it draws anything, Streamlit asks whether it was started by hand, in a tenth of a second: it
    # wasn't.
    delta_generator._use_warning_has_been_displayed = True
    threading.Thread(target=first, daemon=True).start()
    yield


if __name__ == "__main__":
    visit()
else:
    settled()
    app = st.App(__file__, lifespan=started)
