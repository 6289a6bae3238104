"""The explorer in a real browser: search, links that restore, back, downloads, keyboard; nothing is fetched."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from test_explorer import GOOD, NAMED, PAGES, ROOT, TOP, write_tables

CHROMIUM = next(
    (
        path
        for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
        if Path(path).is_file()
    ),
    None,
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where the explorer answers, on tables drawn by hand."""
    folder = tmp_path_factory.mktemp("explorer")
    write_tables(folder / "tables")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HEADWAY_TABLES": str(folder / "tables"), "HEADWAY_RUNS": str(folder / "mlruns")}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(ROOT / "app.py"),
        "--server.port",
        str(port),
        "--server.fileWatcherType",
        "none",
        "--server.headless",
        "true",
        "--browser.gatherUsageStats",
        "false",
    ]
    with open(folder / "log.txt", "w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).read()
                break
            except OSError:
                time.sleep(0.25)
        else:
            pytest.fail((folder / "log.txt").read_text())
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def chromium():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, address):
    """A page that fails the test if anything is asked of another machine or an exception is shown."""
    context = chromium.new_context(base_url=address, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(30_000)
    outside: list[str] = []
    ours = (address, address.replace("http", "ws"), "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(ours) else outside.append(request.url))
    yield page
    assert page.locator("[data-testid=stException]").count() == 0
    context.close()
    assert outside == []


def settled(page) -> str:
    """What the page says once it has finished."""
    page.wait_for_selector("h1")
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(300)
    return page.inner_text("[data-testid=stMain]")


def opened(page, path: str) -> str:
    page.goto(path)
    return settled(page)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_at_its_own_address(page, name):
    text = opened(page, "/" if name == "find" else f"/{name}")
    assert PAGES[name] in text
    assert "These schools are made up." in text


def test_a_search_leads_to_a_school_and_back(page):
    opened(page, "/")
    box = page.get_by_role("textbox", name="Name, postcode, URN, trust or local authority")
    box.fill("ash primary")
    box.press("Enter")
    page.get_by_role("heading", name=re.compile("schools? found")).wait_for()
    assert "q=ash" in page.url
    page.get_by_role("link", name=re.compile("Ash Primary School")).click()
    page.get_by_role("heading", name="Ash Primary School", level=1).wait_for()
    assert f"urn={GOOD}" in page.url
    page.go_back()
    page.get_by_role("heading", name="Find a school", level=1).wait_for()


def test_a_link_restores_the_view_and_so_does_a_reload(page):
    assert "the model puts this school at 68" in opened(page, f"/school?urn={GOOD}")
    page.reload()
    assert "the model puts this school at 68" in settled(page)
    assert (
        "leeds"
        in (
            opened(page, "/?q=leeds"),
            page.get_by_role("textbox", name="Name, postcode, URN, trust or local authority").input_value(),
        )[1]
    )
    assert "Oak, Ash & Thorn Trust" in opened(page, "/trust?trust=77")
    assert "2 schools side by side" in opened(page, f"/compare?urns={TOP},{GOOD}")


def test_the_report_and_the_figures_can_be_taken_away(page, tmp_path):
    opened(page, f"/school?urn={NAMED}")
    with page.expect_download() as report:
        page.get_by_role("button", name="Report to print (HTML)").click()
    text = Path(report.value.path()).read_text("utf-8")
    assert "about 62 improve" in text and "<script" not in text
    with page.expect_download() as figures:
        page.get_by_role("button", name="All figures (CSV)").click()
    assert "p_improve" in Path(figures.value.path()).read_text("utf-8-sig")
    # Chromium prints it to two pages.
    (tmp_path / "report.html").write_text(text, "utf-8")
    printed = page.context.browser.new_page()
    printed.goto(f"file://{tmp_path / 'report.html'}")
    pdf = printed.pdf(format="A4", prefer_css_page_size=True)
    printed.close()
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 2


def test_a_name_with_a_script_in_it_is_only_a_name(page):
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    assert "<script>alert" in opened(page, f"/school?urn={NAMED}")
    opened(page, "/?q=brien")


def test_a_school_is_reached_by_the_keyboard_alone(page):
    opened(page, "/?q=ash%20primary")
    for _ in range(60):
        page.keyboard.press("Tab")
        if "Ash Primary School" in page.evaluate("document.activeElement.closest('a')?.innerText || ''"):
            break
    else:
        pytest.fail("the school's link can't be reached by Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Ash Primary School", level=1).wait_for()


def test_nothing_is_wider_than_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    for path in (
        "/",
        f"/school?urn={GOOD}",
        "/trust?trust=77",
        f"/compare?urns={TOP},{GOOD}",
        "/evidence",
        "/how_good",
        "/about",
    ):
        opened(page, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
