"""What the explorer says and lets take away: words, search, the report to print, a CSV; no text of a file becomes code."""

import re
from xml.etree import ElementTree

import pandas as pd
import pytest
from six_schools import CLOSED, GOOD, HOSTILE, NAMED, predictions, write_tables

from explorer import charts, report, store, words
from pipelines import signals


def test_a_csv_holds_no_formula():
    rows = pd.DataFrame({"name": ["=1+1", "+44", "-x", "@a", "Ash"], "step": [-1.0, 0, 1, 2, 3]})
    lines = words.for_spreadsheet(rows).decode("utf-8-sig").splitlines()
    assert lines[1:] == ["'=1+1,-1.0", "'+44,0.0", "'-x,1.0", "'@a,2.0", "Ash,3.0"]


def test_the_steps_add_up_to_the_chance():
    row = predictions().iloc[0]
    assert row["base_rate"] + words.parts(row)["step"].sum() == pytest.approx(words.chance(row))


def test_words():
    assert [words.grades(span) for span in ("1-2", "2-3", "2", "3-4", "1-4")] == [
        "Good or better",
        "Good or Requires improvement",
        "Good",
        "Requires improvement or worse",
        "any of the four grades",
    ]
    assert words.grade(3, "2010-01-01") == "Requires improvement (then called “satisfactory”)"
    assert [words.percent(share) for share in (0.004, 0.62, 0.996, None)] == [
        "under 1%",
        "62%",
        "over 99%",
        "not known",
    ]
    assert [words.points(step) for step in (0.123, -0.05, 0.0)] == ["+12.3", "−5.0", "0.0"]


def test_every_family_and_source_has_its_words():
    assert set(signals.FAMILIES) <= set(words.FAMILIES)
    sources = {one for signal in signals.declared().values() for one in signal.source.split(", ")}
    assert sources - {"inspections", "schools", "trusts"} <= set(words.MADE_FROM)


def test_the_report_escapes_and_fetches_nothing(folder):
    write_tables(folder)
    row, predicted = store.school(NAMED), store.prediction(NAMED)
    page = report.html(row, predicted, store.inspections(NAMED), {}, pd.DataFrame())
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(src|href)=|url\(|@import", page)
    assert "about 62 improve" in page


def test_search_finds_by_name_postcode_urn_trust_and_authority(folder):
    write_tables(folder)
    for asked in ("ash prim", "N11AA", "n1 1aa", str(GOOD), "thorn", "barnet"):
        assert GOOD in store.found(asked)["urn"].tolist(), asked
    assert store.found("zzz").empty
    assert CLOSED not in store.found("fir")["urn"].tolist()
    assert store.found("(ash")["urn"].tolist() == []  # a bracket is a bracket, not a pattern


def test_a_cell_of_a_table_is_text_and_a_blank_is_blank():
    rows = pd.DataFrame({"<b>school</b>": [HOSTILE, None], "pupils": [3, pd.NA]}, dtype="object")
    (table,) = ElementTree.fromstring(charts.written(rows))
    cells = [[(cell.text or "", len(cell)) for cell in row] for row in table.iter("tr")]
    assert cells == [[("<b>school</b>", 0), ("pupils", 0)], [(HOSTILE, 0), ("3", 0)], [("", 0), ("", 0)]]
