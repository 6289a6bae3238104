"""The explorer in a real browser: search, links that restore, back, downloads, print, keyboard, axe; nothing
is fetched.

On six schools drawn by hand; on a made-up England of its own making with HEADWAY_BROWSER_SCHOOLS=22000, which
takes some minutes more. Axe is that of axe-playwright-python; without it that test is skipped.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import made
import pytest
from browsing import ROOT, opened, reached, serving, settled
from six_schools import GOOD, HOSTILE, NAMED, PAGES, TOP, register, write_champion, write_tables

from headway.explorer import HIDDEN, words
from headway.pipelines import tables

SCHOOLS = int(os.environ.get("HEADWAY_BROWSER_SCHOOLS", "0"))

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@dataclass(frozen=True)
class England:
    """Where the tables are, and schools to look for in them: one with a chance, another, and one whose name
    is hostile.
    """

    tables: Path
    runs: Path
    one: int
    other: int
    named: int

    def __getattr__(self, column: str):
        """What `one` is called, or is told of it."""
        if column.startswith("_"):
            raise AttributeError(column)
        rows = (
            tables.read(self.tables, "predictions" if column == "lead" else "schools")
            .set_index("urn")
            .loc[self.one]
        )
        return words.lead(rows) if column == "lead" else rows[column]


@pytest.fixture(scope="module")
def england(tmp_path_factory) -> England:
    folder = tmp_path_factory.mktemp("explorer")
    if not SCHOOLS:
        write_champion(write_tables(folder / "tables"), folder / "mlruns", made.champion(600))
        return England(folder / "tables", folder / "mlruns", GOOD, TOP, NAMED)
    command = [sys.executable, "-m", "headway", "demo", "--schools", str(SCHOOLS)]
    subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True
    )
    drawn = folder / "data" / "tables"
    told = tables.read(drawn, "predictions")
    told = told[told["status"].eq("scored") & told["enough_like_it"] & told["overall"].gt(1)]
    schools, about = tables.read(drawn, "schools"), tables.about(drawn, "schools")
    within = told.merge(
        schools[schools["trust_uid"].notna()][["urn", "name"]], on="urn", validate="one_to_one"
    )
    one, other, named = within.drop_duplicates("name")["urn"].sample(3, random_state=0)
    schools["name"] = schools["name"].mask(schools["urn"].eq(named), HOSTILE)
    kept = {name: about[name] for name in ("data_source", "newest_file_on", "inputs")}
    tables.write(drawn, {"schools": schools}, about=kept)
    return England(drawn, folder / "mlruns", int(one), int(other), int(named))


@pytest.fixture(scope="module")
def address(england, tmp_path_factory):
    """Where the explorer answers."""
    with serving(england.tables, england.runs, tmp_path_factory.mktemp("server") / "log.txt") as here:
        yield here


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


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_at_its_own_address(page, name):
    text = opened(page, "/" if name == "find" else f"/{name}")
    assert PAGES[name] in text
    assert "These schools are made up." in text


def test_a_search_leads_to_a_school_and_back(page, england):
    opened(page, "/")
    box = page.get_by_role("textbox", name="Name, postcode, URN, trust or local authority")
    box.fill(england.name)
    box.press("Enter")
    page.get_by_role("heading", name=re.compile(r"^[\d,]+ schools? found")).wait_for()
    assert "q=" in page.url
    page.get_by_role("link", name=re.compile(f"URN {england.one}")).click()
    page.get_by_role("heading", name=england.name, level=1).wait_for()
    assert f"urn={england.one}" in page.url
    page.go_back()
    page.get_by_role("heading", name="Find a school", level=1).wait_for()


def test_a_link_restores_the_view_and_so_does_a_reload(page, england):
    assert england.lead in opened(page, f"/school?urn={england.one}")
    page.reload()
    assert england.lead in settled(page)
    box = page.get_by_role("textbox", name="Name, postcode, URN, trust or local authority")
    opened(page, "/?q=leeds")
    assert box.input_value() == "leeds"
    assert england.trust_name in opened(page, f"/trust?trust={england.trust_uid}")
    assert "2 schools side by side" in opened(page, f"/compare?urns={england.other},{england.one}")


def test_the_schools_looked_at_outlast_a_reload_and_stay_in_the_browser(page, england, chromium, address):
    opened(page, f"/school?urn={england.one}")
    opened(page, f"/school?urn={england.other}")
    opened(page, "/")
    page.reload()
    settled(page)
    links = page.locator("[data-testid=stPageLink]").all_inner_texts()[:2]
    assert [int(re.search(r"URN (\d+)", link)[1]) for link in links] == [england.other, england.one]
    stranger = chromium.new_context(base_url=address)
    assert "Recently viewed" not in opened(stranger.new_page(), "/")
    stranger.close()


def test_the_report_and_the_figures_can_be_taken_away(page, england, tmp_path):
    opened(page, f"/school?urn={england.named}")
    with page.expect_download() as report:
        page.get_by_role("button", name="Report to print (HTML)").click()
    text = Path(report.value.path()).read_text("utf-8")
    assert "next graded inspection" in text and "<script" not in text
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


def test_a_register_is_checked_kept_shown_on_its_schools_page_and_removed(page, england):
    def upload(**figures: int) -> str:
        opened(page, "/your_data")
        content = register("staff", figures, urn=england.one)
        page.locator("input[type=file]").set_input_files(
            {"name": "a.csv", "mimeType": "text/csv", "buffer": content}
        )
        page.get_by_text(re.compile("can’t be used yet|Nothing wrong")).wait_for()
        return settled(page)

    kept = england.tables.parent / "own"
    text = upload(teachers_a_year_before=20, stayed=21)
    assert "1 problem: this file can’t be used yet" in text and "is more than 20" in text
    assert not kept.exists()
    assert "Nothing wrong: 1 row for 1 school" in upload(teachers_a_year_before=20, stayed=17)
    assert not kept.exists()
    page.get_by_role("button", name="Keep this register").click()
    page.get_by_text("Kept: the register of staff").wait_for()
    assert len(list(kept.rglob("staff.csv"))) == 1
    opened(page, f"/school?urn={england.one}")
    page.get_by_role("heading", name="From its own registers").wait_for()
    page.get_by_text("Staff, counted on").click()
    page.get_by_role("cell", name="17", exact=True).wait_for()
    opened(page, "/your_data")
    page.get_by_role("button", name="Remove this register").click()
    page.get_by_role("button", name="Yes, remove it").click()
    page.get_by_text("Removed: the register of staff").wait_for()
    assert not list(kept.rglob("staff.csv"))
    opened(page, f"/school?urn={england.one}")
    page.get_by_role("heading", name="Take it away").wait_for()  # what stands after it is there
    assert page.get_by_role("heading", name="From its own registers").count() == 0


def test_every_page_has_a_title_of_its_own(page, england):
    titles = []
    for path in PATHS.values():
        opened(page, path.format(one=england.one, other=england.other, trust=england.trust_uid))
        heading = page.get_by_role("heading", level=1).inner_text()
        page.wait_for_function("text => document.title === text + ' · Headway'", arg=heading)
        titles.append(page.title())
    assert len(set(titles)) == len(PATHS)


def test_after_a_page_is_chosen_its_heading_has_the_focus_and_while_typing_it_has_not(page, england):
    opened(page, "/")
    page.get_by_role("link", name="About", exact=True).click()
    page.get_by_role("heading", name="About", level=1).wait_for()
    page.wait_for_function(
        "document.activeElement.tagName === 'H1' && document.activeElement.innerText === 'About'"
    )
    opened(page, "/")
    page.get_by_role("textbox").first.click()
    page.keyboard.type(england.name)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=re.compile(r"^[\d,]+ schools? found")).wait_for()
    assert page.evaluate("document.activeElement.tagName") == "INPUT"


def test_a_page_prints_light_whatever_its_theme(page, england):
    page.emulate_media(color_scheme="dark")
    opened(page, f"/school?urn={england.one}")
    page.locator("[data-testid=stVegaLiteChart]").first.wait_for()
    page.emulate_media(color_scheme="dark", media="print")
    shade = "getComputedStyle(document.querySelector('%s')).%s"
    assert page.evaluate(shade % ("[data-testid=stApp]", "backgroundColor")) == "rgb(255, 255, 255)"
    assert page.evaluate(shade % ("h1", "color")) == "rgb(26, 35, 48)"
    assert "invert" in page.evaluate(shade % ("[data-testid=stVegaLiteChart]", "filter"))


def test_a_page_prints_without_its_menu(page, england):
    opened(page, f"/school?urn={england.one}")
    page.emulate_media(media="print")
    assert page.locator("[data-testid=stSidebar]").is_hidden()
    assert page.get_by_role("heading", level=1).is_visible()


def test_a_name_with_a_script_in_it_is_only_a_name(page, england):
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    assert "<script>alert" in opened(page, f"/school?urn={england.named}")
    opened(page, "/?q=brien")


# --- without a mouse ----------------------------------------------------------------------------------------


def test_every_page_is_reached_from_the_menu_by_the_keyboard(page):
    opened(page, "/about")
    for name, title in PAGES.items():
        if name in HIDDEN:
            continue
        reached(page, "[data-testid=stSidebarNavLink]", "" if name == "find" else title.rstrip("?"))
        page.keyboard.press("Enter")
        page.get_by_role("heading", name=title, level=1).wait_for()
        settled(page)


def test_search_to_school_to_comparison_by_the_keyboard(page, england):
    opened(page, "/")
    reached(page, "input[type=text]")
    page.keyboard.type(england.name)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=re.compile(r"^[\d,]+ schools? found")).wait_for()
    settled(page)
    reached(page, f"a[href*='urn={england.one}']")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=england.name, level=1).wait_for()
    settled(page)
    reached(page, "summary")
    page.keyboard.press("Enter")
    page.locator("details[open]").first.wait_for()
    reached(page, "button", "Report to print")
    with page.expect_download():
        page.keyboard.press("Enter")
    reached(page, "a[href*='compare']")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="1 school side by side").wait_for()
    settled(page)
    reached(page, "input[type=text]")
    page.keyboard.type(str(england.other))
    page.keyboard.press("Enter")
    page.get_by_role("button", name=re.compile(f"URN {england.other}")).wait_for()
    reached(page, "button", f"URN {england.other}")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="2 schools side by side").wait_for()
    assert str(england.other) in page.url


def test_a_slider_of_what_if_moved_by_the_keyboard_changes_the_answer(page, england):
    assert "Nothing has been moved yet" in opened(page, f"/what_if?urn={england.one}")
    reached(page, "[role=slider], input[type=range]")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.get_by_role("heading", name=re.compile("^Schools like this one with those figures")).wait_for()
    link = page.url
    page.reload()
    assert "Schools like this one with those figures" in settled(page)
    assert page.url == link


def test_a_trust_is_chosen_and_its_schools_taken_away_by_the_keyboard(page, england):
    opened(page, "/trust")
    reached(page, "input[role=combobox]")
    page.keyboard.type(england.trust_name)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=england.trust_name).wait_for()
    settled(page)
    assert f"trust={england.trust_uid}" in page.url
    reached(page, "button", "Download these schools")
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    assert "chance to rise" in Path(taken.value.path()).read_text("utf-8-sig")


def test_a_register_is_made_ready_and_uploaded_by_the_keyboard(page, england):
    opened(page, "/your_data")
    reached(page, "button", "CSV")
    with page.expect_download():
        page.keyboard.press("Enter")
    settled(page)
    reached(page, "[data-testid=stFileUploaderDropzone] button")
    with page.expect_file_chooser() as chooser:
        # the browser is told to hand us its chooser, and doesn't say when it has understood
        page.wait_for_timeout(500)
        page.keyboard.press("Enter")
    content = register("staff", {"teachers_a_year_before": 20, "stayed": 17}, urn=england.one)
    chooser.value.set_files({"name": "a.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_text("Nothing wrong: 1 row for 1 school").wait_for()
    settled(page)
    reached(page, "button", "Keep this register")
    page.keyboard.press("Enter")
    page.get_by_text("Kept: the register of staff").wait_for()
    for button in ("Remove this register", "Yes, remove it"):
        settled(page)
        reached(page, "button", button)
        page.keyboard.press("Enter")
    page.get_by_text("Removed: the register of staff").wait_for()
    assert not list((england.tables.parent / "own").rglob("staff.csv"))


def test_an_authority_and_a_list_of_schools_are_chosen_by_the_keyboard(page, england):
    opened(page, "/trust")
    reached(page, "input[type=radio]")
    page.keyboard.press("ArrowDown")
    page.get_by_label("Local authority", exact=True).last.wait_for()
    settled(page)
    reached(page, "input[role=combobox]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Download these schools").wait_for()
    assert "authority=" in page.url
    settled(page)
    reached(page, "input[type=radio]", most=80)
    page.keyboard.press("ArrowDown")
    page.get_by_label("URNs, one a line").wait_for()
    settled(page)
    reached(page, "textarea")
    page.keyboard.type(f"{england.one}, {england.other}")
    page.keyboard.press("Control+Enter")
    page.get_by_role("heading", name="Your list of schools").wait_for()
    assert f"urns={england.one}%2C{england.other}" in page.url.replace(",", "%2C")


def test_a_school_is_taken_out_of_a_comparison_by_the_keyboard(page, england):
    opened(page, f"/compare?urns={england.one},{england.other}")
    reached(page, "button", "Take out")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="1 school side by side").wait_for()


def test_a_school_is_put_on_one_page_for_governors_by_the_keyboard(page, england):
    opened(page, f"/school?urn={england.one}")
    reached(page, "a[href*='governors']")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"{england.name}: for governors", level=1).wait_for()
    settled(page)
    assert f"governors?urn={england.one}" in page.url
    reached(page, "button", "This page (PDF)")
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    assert Path(taken.value.path()).read_bytes().startswith(b"%PDF")


def test_a_row_of_a_trust_leads_to_its_school_and_back_by_the_keyboard(page, england):
    opened(page, f"/trust?trust={england.trust_uid}")
    page.evaluate("window.kept = true")
    reached(page, f".figures a[href*='urn={england.one}']")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=england.name, level=1).wait_for()
    settled(page)
    assert page.evaluate("window.kept")  # the page was not loaded anew
    page.go_back()
    page.get_by_role("heading", name="Trust or authority", level=1).wait_for()


def test_what_a_search_came_to_is_read_out_and_what_a_page_holds_is_not(page, england):
    opened(page, "/")
    told = "document.querySelector('.told').textContent"
    assert page.evaluate(told) == ""
    page.get_by_role("textbox").first.fill(england.name)
    page.keyboard.press("Enter")
    page.wait_for_function(f"/schools? found/.test({told})")
    page.get_by_role("link", name=re.compile(f"URN {england.one}")).click()
    page.get_by_role("heading", name=england.name, level=1).wait_for()
    settled(page)
    assert page.evaluate(told) == ""


def test_the_symbols_of_a_chart_are_silent_and_names_of_buttons_and_sliders_plain(page, england):
    for path in (f"/school?urn={england.one}", f"/what_if?urn={england.one}", f"/?q={england.one}"):
        opened(page, path)
        page.locator("[data-testid=stVegaLiteChart] svg").first.wait_for()
        assert page.locator("[data-testid=stVegaLiteChart] svg [aria-label]").count() == 0, path
        names = page.evaluate(
            "[...document.querySelectorAll('button, [role=slider], input[type=range]')]"
            ".map(one => one.getAttribute('aria-label') || one.innerText)"
        )
        assert not [name for name in names if "\\" in name or len(name) > 160], path


def test_a_mark_on_the_map_says_its_school_and_leads_to_it(page, england):
    opened(page, f"/?q={england.one}")
    chart = page.locator("[data-testid=stVegaLiteChart] svg")
    chart.wait_for()
    page.wait_for_timeout(500)
    mark = chart.locator("path[href], a path, .mark-symbol path").last
    mark.click(force=True)
    page.get_by_role("heading", name=england.name, level=1).wait_for()


@pytest.mark.parametrize("theme", ("light", "dark"))
def test_where_the_focus_is_can_be_seen(page, england, theme):
    page.emulate_media(color_scheme=theme)
    opened(page, f"/what_if?urn={england.one}")
    seen = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        kind, style, width, colour = page.evaluate(
            "(() => { const at = document.activeElement, style = getComputedStyle(at);"
            " return [at.getAttribute('role') || at.tagName, style.outlineStyle, style.outlineWidth,"
            " style.outlineColor] })()"
        )
        if kind not in ("BODY", "MAIN"):  # the whole page, which scrolls
            assert (style, width, colour) == ("solid", "3px", "rgb(53, 118, 189)"), kind
            seen.add(kind)
    assert {"A", "BUTTON", "SUMMARY"} <= seen


# --- for everyone -------------------------------------------------------------------------------------------

PATHS = {
    "find": "/?q=a",
    "school": "/school?urn={one}",
    "governors": "/governors?urn={one}",
    "what_if": "/what_if?urn={one}",
    "trust": "/trust?trust={trust}",
    "compare": "/compare?urns={other},{one}",
    **{name: f"/{name}" for name in ("new", "evidence", "how_good", "your_data", "about", "contact")},
}


@pytest.mark.parametrize("name", PATHS)
def test_no_page_is_wider_than_a_phone_or_breaks_wcag_in_light_and_dark(page, england, name):
    """WCAG 2.2 AA, with every expander open, at three widths: 320 px is also 1280 px at four times its size."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    path = PATHS[name].format(one=england.one, other=england.other, trust=england.trust_uid)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": 1280, "height": 844})
        opened(page, path)
        for expander in page.locator("[data-testid=stExpander] summary").all():
            expander.click()
        for width in (1280, 390, 320):
            page.set_viewport_size({"width": width, "height": 844})
            page.wait_for_timeout(400)  # the page looks how wide things are once it is quiet
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (theme, width)
            rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
            found = axe.Axe().run(page, options={"runOnly": rules}).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], (theme, width)
