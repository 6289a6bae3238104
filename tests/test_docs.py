"""The documentation builds without a warning, leads nowhere dead, brings nothing from elsewhere, and leaves
nothing out.
"""

import ast
import importlib.util
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest
import typer.main

from headway.pipelines import registers, signals, sources, tables
from headway.pipelines.__main__ import app

pytest.importorskip(
    "sphinx", reason="the documentation's tools are not installed: pip install 'headway[docs]'"
)
ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *(path for path in (ROOT / "docs").rglob("*.md") if "reference" not in path.parts),
        *ROOT.glob("*.md"),
        ROOT / "data" / "README.md",
    ]
)


class Page(HTMLParser):
    """What a page links to, what it loads by itself, what can be linked to in it, and its text."""

    LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.loads, self.anchors, self.words = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.anchors |= {given.get("id"), given.get("name")} - {None}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif given.get(self.LOADS.get(tag, "")):
            self.loads.append(given[self.LOADS[tag]])

    def handle_data(self, text: str) -> None:
        self.words.append(text)

    @property
    def text(self) -> str:
        return "".join(self.words)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it: a warning, such as a link that leads nowhere, fails it."""
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "--builder",
        "html",
        "--fail-on-warning",
        "--keep-going",
        "--quiet",
    ]
    ended = subprocess.run(
        [*command, "-d", folder / "trees", ROOT / "docs", folder / "html"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text("utf-8")) for path in site.rglob("*.html")}


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- links and what is loaded -------------------------------------------------------------------------------


def test_every_link_within_the_site_leads_to_a_page_and_a_place_in_it(site, pages):
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "mailto"):
                continue
            aim = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not aim.is_file() or (
                aim in pages and parts.fragment and unquote(parts.fragment) not in pages[aim].anchors
            ):
                dead.append(f"{path.relative_to(site)}: {link}")
    assert dead == []


def test_no_page_loads_anything_from_elsewhere(site, pages):
    elsewhere = [
        (path.name, load) for path, page in pages.items() for load in page.loads if urlsplit(load).netloc
    ]
    styles = [
        (path.name, url)
        for path in site.rglob("*.css")
        for url in re.findall(r"url\(['\"]?([^)'\"]+)|@import\s+['\"]([^'\"]+)", path.read_text("utf-8"))
        if any(urlsplit(part).netloc for part in url)
    ]
    assert elsewhere == [] and styles == []
    assert not [
        path for path in site.rglob("*") if path.suffix in (".woff", ".woff2", ".ttf", ".otf", ".eot")
    ]


def test_no_script_of_the_site_counts_its_readers(site):
    for path in [*site.rglob("*.html"), *site.rglob("*.js")]:
        assert not re.search(
            r"sendBeacon|google-analytics|googletagmanager|plausible\.io|readthedocs", path.read_text("utf-8")
        ), path.name


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_in_markdown_leads_to_a_file(path):
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL))
    files = [link.split("#")[0] for link in links if not urlsplit(link).scheme and not link.startswith("#")]
    made = (ROOT / "docs" / "reference").resolve()  # made when the site is built, and tried there
    assert [
        link
        for link in files
        if not (aim := (path.parent / link).resolve()).exists() and made not in aim.parents
    ] == []


def _flat(text: str) -> str:
    """Text in one line, without the marks of code."""
    return " ".join(text.replace("`", "").split())


# --- completeness -------------------------------------------------------------------------------------------


def test_every_table_and_column_is_in_the_data_dictionary_with_its_sentence(pages, site):
    page = pages[site / "reference" / "tables.html"]
    for table in [*tables.TABLES.values(), *registers.TABLES.values()]:
        assert table.name.replace("_", "-") in page.anchors or table.name in page.anchors
        for column in table.columns:
            assert column.name in page.text and column.sentence in page.text, (table.name, column.name)


def test_every_signal_is_listed_with_its_sentence_unit_source_and_when_it_is_known(pages, site):
    text = _flat(pages[site / "reference" / "signals.html"].text)
    for signal in signals.declared().values():
        assert _flat(f"{signal.name} {signal.sentence} {signal.unit} {signal.source} {signal.known}") in text


def test_every_kind_of_official_file_is_listed(pages, site):
    text = pages[site / "reference" / "files.html"].text
    assert [layout.name for layout in sources.LAYOUTS if layout.name not in text] == []


def _commands() -> dict[str, set[str]]:
    """The options of every command, by the words that call it."""
    commands = {}
    for name, command in typer.main.get_command(app).commands.items():
        parts = (
            {f"{name} {part}": each for part, each in command.commands.items()}
            if hasattr(command, "commands")
            else {name: command}
        )
        for words, each in parts.items():
            commands[words] = {
                option
                for parameter in each.params
                if not getattr(parameter, "hidden", False)
                for option in [*parameter.opts, *parameter.secondary_opts]
                if option.startswith("--")
            }
    return commands


def test_every_command_is_described_with_all_its_options_and_an_example(pages, site, generate):
    page = pages[site / "reference" / "commands.html"]
    for words, options in _commands().items():
        assert f"headway-{words.replace(' ', '-')}" in page.anchors
        text = generate.help_of(words)
        assert "Example: headway" in text and all(option in text for option in options), words
        assert text in page.text


def test_every_public_class_and_function_is_in_the_reference_with_its_docstring(pages, site, generate):
    for room in generate.ROOMS:
        page = pages[site / "reference" / "code" / f"{room}.html"]
        flat = _flat(page.text)
        for path, file in generate.modules().items():
            if path.split(".")[0] == room:
                tree = ast.parse(file.read_text("utf-8"))
                assert generate.anchor(path) in page.anchors
                for name, node in generate.public(tree):
                    assert generate.anchor(path, name) in page.anchors, (path, name)
                    assert _flat((ast.get_docstring(node) or "").split("\n\n")[0]) in flat, (path, name)


def test_every_page_that_is_written_is_reached_from_the_first(site, pages):
    reached, waiting = set(), [site / "index.html"]
    while waiting:
        path = waiting.pop()
        if path in pages and path not in reached:
            reached.add(path)
            waiting += [
                (path.parent / unquote(urlsplit(link).path)).resolve()
                for link in pages[path].links
                if not urlsplit(link).scheme
            ]
    assert {path.relative_to(site).as_posix() for path in pages.keys() - reached} <= {
        "genindex.html",
        "search.html",
    }


# --- what pages say to type ---------------------------------------------------------------------------------


def _typed() -> list[tuple[str, str]]:
    """Every line of a code block, or piece of code in a line, that calls headway; with the page it stands
    on.
    """
    found = []
    for path in PAGES:
        text = path.read_text("utf-8")
        lines = [
            line
            for block in re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL)
            for line in block.splitlines()
        ]
        lines += re.findall(r"`(headway [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        for line in lines:
            found += [(path.name, call) for call in re.findall(r"(?:^|[\s/;&])headway ([a-z][^&|>#]*)", line)]
    return found


def test_every_command_that_a_page_says_to_type_exists_with_its_options():
    known = _commands()
    groups = {words.split()[0] for words in known if " " in words}
    wrong = []
    for page, call in _typed():
        words = shlex.split(call, posix=False)
        name = " ".join(words[:2]) if words[0] in groups and len(words) > 1 else words[0]
        options = {word.split("=")[0] for word in words if word.startswith("--")} - {"--help"}
        if name not in known and name not in groups or options - known.get(name, set()):
            wrong.append((page, call))
    assert len(_typed()) > 40 and wrong == []


def test_every_target_of_make_that_a_page_names_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    named = {
        name
        for path in PAGES
        for name in re.findall(r"(?:^|`)make ([a-z]+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert named | set(re.findall(r"run: make ([a-z]+)", workflow)) <= targets
    assert {"audit", "lint", "docs", "test"} <= set(re.findall(r"run: make ([a-z]+)", workflow))


def test_every_file_of_ours_that_a_page_names_is_there():
    named = {
        name
        for path in PAGES
        if path.name not in ("CHANGELOG.md", "decisions.md")
        for name in re.findall(
            r"`((?:pipelines|models|explorer|tests|benchmarks|docs|experiments)/[\w/.-]+\.\w+)`",
            path.read_text("utf-8"),
        )
    }
    assert len(named) > 15 and [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 120
