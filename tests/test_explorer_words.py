"""What the explorer says and lets take away: words, search, the report to print, a CSV; no text of a file
becomes code.
"""

import datetime
import io
import re
from xml.etree import ElementTree

import pandas as pd
import pytest
import python_calamine
from hypothesis import given
from hypothesis import strategies as st
from six_schools import ABOUT, CLOSED, GOOD, HOSTILE, NAMED, card, predictions, said, shown, write_tables

from headway.explorer import charts, outlook, report, report_card, search, store, words, workbook
from headway.pipelines import signals, tables


def test_a_csv_holds_no_formula():
    rows = pd.DataFrame({"name": ["=1+1", "+44", "-x", "@a", "Ash"], "step": [-1.0, 0, 1, 2, 3]})
    lines = words.for_spreadsheet(rows).decode("utf-8-sig").splitlines()
    assert lines[1:] == ["'=1+1,-1.0", "'+44,0.0", "'-x,1.0", "'@a,2.0", "Ash,3.0"]


def test_a_set_of_grades_is_no_day_to_a_spreadsheet():
    rows = pd.DataFrame({"grade_set": ["2-3", "2", None], "name": ["3-4", "Ash 2-3", "x"]})
    assert words.for_spreadsheet(rows).decode("utf-8-sig").splitlines()[1:] == [
        "2 to 3,3 to 4",
        "2,Ash 2-3",
        ",x",
    ]


def test_the_steps_add_up_to_the_chance():
    row = predictions().iloc[0]
    assert row["base_rate"] + words.parts(row)["step"].sum() == pytest.approx(words.chance(row))


def test_a_workbook_has_typed_cells_and_no_formula(folder):
    write_tables(folder)
    schools = store.schools()
    figures = outlook.export(outlook.with_predictions(schools[schools["trust_uid"].eq(77).fillna(False)]))
    kept = python_calamine.load_workbook(
        io.BytesIO(workbook.workbook({"Schools": figures}, ["=1+1", "A note."]))
    )
    head, *rows = kept.get_sheet_by_name("Schools").to_python()
    cells = next(
        cells for cells in (dict(zip(head, row, strict=True)) for row in rows) if cells["URN"] == GOOD
    )
    assert (cells["URN"], cells["school"], cells["chance to rise"]) == (GOOD, "Ash Primary School", 0.68)
    assert cells["inspected on"] == datetime.date(2021, 10, 5) and cells["given to a predecessor"] is False
    assert kept.get_sheet_by_name("Notes").to_python() == [["=1+1"], ["A note."]]


def test_sentence_report_and_exports_give_the_same_numbers(folder):
    write_tables(folder)
    row, predicted, card_rows = store.school(GOOD), store.prediction(GOOD), card()
    sheets = report.sheets(row, predicted, card_rows, store.inspections(GOOD), {}, pd.DataFrame(), [])
    workbook.workbook(sheets, report.NOTES)
    any_area = sheets["Report card"].set_index("area").loc["any"]
    steps = sheets["What moved it"].query("of == 'any'")["step"].sum()
    assert any_area["base_rate"] + steps == pytest.approx(any_area["p_below"])
    assert f"puts this school at {100 * any_area['p_below']:.0f}" in report_card.lead(card_rows)
    page = report.html(report.facts(row, predicted, store.inspections(GOOD), {}, pd.DataFrame(), card_rows))
    assert report_card.lead(card_rows) in page and "Staff who stay" not in page
    exported = report.export(row, predicted, card_rows).iloc[0]
    assert (
        exported["p_below_any"] == any_area["p_below"]
        and exported["usual_grade_2"] == predicted["usual_grade_2"]
    )


def test_no_frameworks_words_hold_the_name_of_a_grade():
    from headway.pipelines.frameworks import FRAMEWORKS, GRADES

    every = [words.framework(name).lower() for name in FRAMEWORKS["framework"]]
    assert not [name for name in every if any(grade.lower() in name for grade in GRADES.values())]
    assert len(set(every)) == len(every)


def test_what_blanks_add_stands_last_and_is_no_reason():
    made = words.parts(predictions().iloc[0])
    assert made["what"].tolist() == [
        "Attendance",
        "The pupils it serves",
        "What isn’t known here",
        "Unexplained",
    ]
    assert words.parts_in_words(made) == (
        "Raised most by attendance (+10.0). Lowered most by the pupils it serves (−5.0). Another +3.0 comes "
        "of what isn’t known "
        "about it."
    )


@given(st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=12))
def test_the_steps_of_a_chart_and_of_a_report_add_up_whatever_they_are(steps):
    names = [*list(words.FAMILIES)[: len(steps) - 2], "unknown", "level"]
    row = pd.Series({f"contribution_{name}": step for name, step in zip(names, steps, strict=True)})
    made = words.parts(row)
    assert charts.together(made)["step"].sum() == pytest.approx(sum(steps))
    points = [float(one["points"].replace("−", "-")) for one in report._steps(made)]
    assert sum(points) == pytest.approx(100 * sum(steps), abs=0.06 * max(len(points), 1))


def test_a_tie_is_a_tie():
    rows = pd.DataFrame(
        {"grade": ["Good", "Requires improvement", "Inadequate"], "chance": [0.49, 0.494, 0.016]}
    )
    assert words.likeliest(rows) == "Requires improvement and Good are about as likely, at 49% each"


def test_searches_that_fail_on_the_letter_find_their_school_first(folder):
    write_tables(folder)
    rows = tables.read(folder, "schools").head(1)
    names = [
        (146493, "Nether Stowe School", "Staffordshire", "WS13 7NB", 52.69, -1.81),
        (100100, "Barking Abbey School", "Barking and Dagenham", "IG11 9UF", 51.54, 0.10),
        (100101, "St Mary's RC Primary School", "Salford", "M30 0FJ", 53.48, -2.35),
        (100102, "Sedbergh Park School", "Cumbria", "LA10 5AA", 54.32, -2.53),
        (100103, "Park School", "Leeds", "LS1 1AA", 53.80, -1.55),
    ]
    columns = ["urn", "name", "local_authority", "postcode", "latitude", "longitude"]
    more = pd.DataFrame(names, columns=columns)
    more = more.assign(
        **{name: rows[name].iloc[0] for name in rows if name not in columns and name != "lineage"},
        lineage=more["urn"],
    )
    tables.write(folder, {"schools": pd.concat([tables.read(folder, "schools"), more])}, about=ABOUT)
    for asked, urn in (
        ("Netther Stowe", 146493),
        ("URN 146493", 146493),
        ("Netherstowe", 146493),
        ("WS13", 146493),
        ("ws13 6ab", 146493),
        ("Barking & Dagenham", 100100),
        ("Barking and Dagenham", 100100),
        ("St Mary Salford", 100101),
        ("Saint Marys Salford", 100101),
        ("park", 100103),
        ("LS1", 100103),
        ("Park Sedberg", 100102),
    ):
        assert search.found(asked)["urn"].iloc[0] == urn, asked
    assert search.found("WS13")["miles"].is_monotonic_increasing
    assert search.found("QZ99").empty
    # no school is in LS2: around the district of the same letters that is nearest in number, and the page says so
    assert search.found("LS2 7AB")[["urn", "around"]].iloc[0].tolist() == [100103, "LS1"]
    assert "schools nearest to LS1, as none is in LS2" in said(shown("find", q="LS2"))


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
    page = report.html(report.facts(row, predicted, store.inspections(NAMED), {}, pd.DataFrame()))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(src|href)=|url\(|@import", page)
    assert (
        "schools like it (Requires improvement primary schools): stay Requires improvement 33, fall 5, rise "
        "62"
    ) in page
    assert "Staff who stay" not in page and 'What isn’t known here</td><td class="n">+3.0' in page


def test_search_finds_by_name_postcode_urn_trust_and_authority(folder):
    write_tables(folder)
    for asked in ("ash prim", "N11AA", "n1 1aa", str(GOOD), "thorn", "barnet"):
        assert GOOD in search.found(asked)["urn"].tolist(), asked
    assert search.found("zzz").empty
    assert CLOSED not in search.found("fir")["urn"].tolist()
    assert search.found("(ash")["urn"].iloc[0] == GOOD  # a bracket is no pattern


def test_a_cell_of_a_table_is_text_and_a_blank_is_blank():
    rows = pd.DataFrame({"<b>school</b>": [HOSTILE, None], "pupils": [3, pd.NA]}, dtype="object")
    (table,) = ElementTree.fromstring(charts.written(rows))
    cells = [[(cell.text or "", len(cell)) for cell in row] for row in table.iter("tr")]
    assert cells == [[("<b>school</b>", 0), ("pupils", 0)], [(HOSTILE, 0), ("3", 0)], [("", 0), ("", 0)]]
