"""PDFs: tagged, with a title and a language, and of the numbers of their page; what a governor is told and may ask."""

import io
import re

import pandas as pd
import pytest
from pypdf import PdfReader
from six_schools import ABOUT, CLOSED, FEW, GOOD, NAMED, NEVER, TOP, card, said, shown, write_tables

from headway.explorer import brief, pdf, report, report_card, store, without
from headway.pipelines import tables


def _tags(node, found: list[str]) -> list[str]:
    """The tags of a structure tree, in the order they are read in."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for child in node:
            _tags(child, found)
    elif isinstance(node, dict):
        if "/S" in node and "/K" in node:
            found.append(str(node["/S"]))
        if "/K" in node:
            _tags(node["/K"], found)
    return found


def _read(made: bytes) -> tuple[PdfReader, str]:
    reader = PdfReader(io.BytesIO(made))
    return reader, " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def _report(urn: int) -> dict:
    row, predicted = store.school(urn), store.prediction(urn)
    missing = without.reasons(row, predicted, without.uses())
    forecast = report_card.forecast(urn)
    return report.facts(row, predicted, store.inspections(urn), {}, pd.DataFrame(), forecast, missing)


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"[+−]?\d+(?:\.\d+)?", text))


@pytest.mark.parametrize("name", ("governors", "report"))
@pytest.mark.parametrize("carded", (False, True))
def test_a_pdf_is_tagged_and_has_a_title_and_a_language(folder, name, carded):
    write_tables(folder)
    if carded:
        tables.write(folder, {"forecasts": card()}, about=ABOUT)
    reader, text = _read(
        pdf.made(name, brief.facts(store.school(GOOD)) if name == "governors" else _report(GOOD))
    )
    root = reader.trailer["/Root"]
    assert (
        root["/Lang"] == "en-GB"
        and root["/MarkInfo"]["/Marked"]
        and root["/ViewerPreferences"]["/DisplayDocTitle"]
    )
    assert "Ash Primary School" in reader.metadata.title
    assert "pdfuaid" in root["/Metadata"].get_object().get_data().decode()
    tags = _tags(root["/StructTreeRoot"], [])
    parts = {"governors": {"/L", "/LI"}, "report": {"/Table", "/TH", "/TD"}}
    assert {"/H1", "/P", *parts[name]} <= set(tags)
    assert ("The next inspection is a report card." in text) == carded


@pytest.mark.parametrize("carded", (False, True))
@pytest.mark.parametrize("urn", (GOOD, TOP, NEVER, FEW, NAMED, CLOSED))
def test_the_page_for_governors_and_its_pdf_say_what_the_page_of_the_school_says(folder, urn, carded):
    write_tables(folder)
    if carded:
        tables.write(folder, {"forecasts": card()}, about=ABOUT)
    school, page = said(shown("school", urn=urn)), said(shown("governors", urn=urn))
    facts = brief.facts(store.school(urn))
    _, printed = _read(pdf.made("governors", facts))
    for line in (facts["verdict"], facts["fared"]["title"], *facts["questions"]):
        assert line in page
        assert "".join(line.split()) in "".join(printed.split())
    for line in (facts["verdict"], facts["now"], facts["fared"]["title"]):
        assert line in school
    assert _numbers(facts["verdict"]) <= _numbers(printed)


def test_the_pdf_and_the_printed_page_of_a_report_hold_the_same_figures(folder):
    write_tables(folder)
    facts = _report(GOOD)
    _, printed = _read(pdf.made("report", facts))
    page = re.sub(r"<style.*?</style>|<[^>]+>", " ", report.html(facts), flags=re.S)
    assert _numbers(page) - _numbers(printed) == set()
    assert _numbers(printed) - _numbers(page) <= {"1", "2"}  # the pages' own numbers


def test_a_question_names_only_what_is_known_of_the_school_or_known_to_be_missing(folder):
    write_tables(folder)
    stored = tables.read(folder, "predictions").assign(made_without="turnover")
    tables.write(folder, {"predictions": stored}, about=ABOUT)
    asked = brief.facts(store.school(GOOD))["questions"]
    assert len(asked) == 5
    assert "stay Requires improvement 28, fall 4, rise 68" in asked[0]
    assert "“Attendance” speaks most for it (+10.0 points" in asked[1]
    assert asked[2].startswith("The chances were made without teacher turnover (not among the files read)")
    assert "5 October 2021" in asked[3]
    assert asked[4].startswith("Pupils for each teacher: 20.5 in 2018/19, 21.5 in 2020/21")
    # nothing is known of who stayed, nor of what no signal carries; whom it serves is no question to leaders
    assert not re.search("staff who stay|unexplained|pupils it serves", " ".join(asked), re.I)
    assert brief.facts(store.school(NEVER))["questions"] == [asked[2]]


def test_without_the_extra_the_page_says_how_to_have_a_pdf(folder, monkeypatch):
    write_tables(folder)
    monkeypatch.setattr(pdf, "possible", lambda: False)
    for name in ("school", "governors"):
        app = shown(name, urn=GOOD)
        assert 'pip install "headway[pdf]"' in said(app)
        assert not any("PDF" in part.label for part in app.get("download_button"))
