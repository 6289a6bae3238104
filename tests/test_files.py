import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway.pipelines import files, sources
from headway.pipelines.synthesise import synthesise
from headway.pipelines.synthesise.sheets import open_document, workbook, zipped
from headway.pipelines.tables import DataError

KINDS = (
    "key",
    "text",
    "date",
    "grade",
    "standard",
    "yes_no",
    "category",
    "count",
    "number",
    "share",
    "percent",
    "money",
    "period",
)
FOUND = {
    "key": "100001",
    "text": "words",
    "date": "01/02/2013",
    "grade": "2",
    "standard": "Strong standard",
    "yes_no": "Yes",
    "category": "SM",
    "count": "12",
    "number": "1.5",
    "share": "0.5",
    "percent": "5",
    "money": "40000",
    "period": "201213",
    "word": "Total",
}


def _read(kind: str, *cells: str) -> list:
    values, _, bad = files.read_cells(pd.Series(cells, dtype="str"), kind)
    assert not bad.any()
    return [None if pd.isna(value) else value for value in values]


def _why(kind: str, *cells: str) -> list:
    _, why, _ = files.read_cells(pd.Series(cells, dtype="str"), kind)
    return [None if pd.isna(reason) else reason for reason in why]


def _one(raw: Path, name: str, content: str | bytes) -> files.Release:
    path = raw / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (release,) = files.read_file(path, raw)
    return release


# --- cells --------------------------------------------------------------------------------------------------


def test_suppressed_not_applicable_and_not_supplied_stay_apart():
    assert _why("count", "SUPP", "c", "z", "DNS", "NA", "", "7") == [
        "suppressed",
        "suppressed",
        "not applicable",
        "did not supply",
        "not available",
        "blank",
        None,
    ]
    assert _read("count", "SUPP", "0", "7") == [None, 0, 7]


def test_nine_eight_nought_and_not_judged_are_no_grades():
    assert _read("grade", "1", "4.0", "9", "8", "0", "Not judged", "NULL", "") == [1, 4, *[None] * 6]
    assert _why("grade", "9", "8", "0", "Not judged") == [
        "no judgement",
        "not applicable",
        "not collected",
        "no judgement",
    ]


def test_a_grade_may_be_a_number_or_its_word_and_a_category_is_inadequate():
    assert _read("grade", "Outstanding", "requires improvement", "Special Measures", "3") == [1, 3, 4, 3]
    assert _read("category", "SM", "SWKS", "") == ["SM", "SWK", None]
    assert _read("standard", "Exceptional", "Attention needed", "NULL") == [1, 4, None]
    assert _read("yes_no", "Yes", "No", "Met", "Not met", "9") == [True, False, True, False, None]


def test_pounds_commas_and_percent_signs_are_no_part_of_a_number():
    assert _read("money", "£41,234", "38000.50", "SUPP") == [41234, 38000.5, None]
    assert _read("count", "1,204", "12") == [1204, 12]


@pytest.mark.parametrize(
    "kind, cells",
    [
        ("percent", ("53%", "0.7%", "")),
        ("percent", ("53", "0.7", "")),
        ("share", ("0.53", "0.007", "")),
        ("share", ("53%", "0.7%", "")),
    ],
)
def test_a_share_is_in_the_unit_its_layout_declares_and_a_percent_sign_is_a_cells_own(kind, cells):
    assert _read(kind, *cells) == [pytest.approx(0.53), pytest.approx(0.007), None]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(st.floats(0, 1).map(lambda v: f"{v:.2f}"), min_size=1),
    st.lists(st.floats(0, 100).map(lambda v: f"{v:.1f}")),
    st.sampled_from(["", "%"]),
    st.sampled_from(["percent", "share"]),
)
def test_small_percentages_read_the_same_alone_as_among_large_ones(small, large, sign, kind):
    small = [cell + sign for cell in small]
    of = 100 if sign or kind == "percent" else 1
    alone = _read(kind, *small)
    assert alone == [pytest.approx(float(cell.rstrip("%")) / of) for cell in small]
    among, _, _ = files.read_cells(pd.Series([*small, *large, "53%"], dtype="str"), kind)
    assert among.tolist()[: len(small)] == alone


def test_every_share_of_the_departments_files_is_declared_as_per_cent():
    kinds = {
        column.kind
        for layout in (*sources.TABLES, *sources.EXPLORE)
        for _, column in layout.columns()
        if column.name.startswith("share_")
    }
    assert kinds == {"percent"}


def test_a_workbooks_fractions_are_not_read_as_per_cent(raw):
    """A cell that shows 5.2% holds 0.052, and no reader of ours sees what it shows."""
    with pytest.raises(DataError, match=r"(?s)PERCTOT: no figure is above 1.*Save the sheet as CSV"):
        _one(
            raw,
            "2013_england_abs.xlsx",
            workbook(pa.table({"URN": ["100001", "100002"], "PERCTOT": [0.052, 0.31]}), "Data"),
        )
    assert _one(raw, "2013_england_abs.csv", "URN,PERCTOT\n100001,0.52\n").records["absence"][
        "share_absence"
    ].tolist() == [0.0052]


def test_days_are_read_in_every_official_form_and_the_placeholder_is_blank():
    cells = ("31/08/2025", "31-08-2025", "2025-08-31", "31 August 2025", "31-Aug-2025", "01/01/1900", "")
    assert _read("date", *cells) == [pd.Timestamp(2025, 8, 31)] * 5 + [None, None]


def test_a_day_that_cannot_be_is_not_read_as_another():
    *_, bad = files.read_cells(pd.Series(["31/02/2025", "08/31/2025", "2025", "1/2/2025"]), "date")
    assert bad.tolist() == [True, True, True, False]


def test_a_period_is_the_year_it_ends_in():
    assert _read("period", "202324", "2023/24", "20232024", "") == [2024, 2024, 2024, None]
    *_, bad = files.read_cells(pd.Series(["202325", "2023", "spring 2023/24"]), "period")
    assert bad.all()


@pytest.mark.parametrize(
    "name, day",
    [
        ("as_at_31_August_2025.csv", "2025-08-31"),
        ("30Apr2014_Schools.xlsx", "2014-04-30"),
        ("a - 31 July 2013.zip/b - 30 April 2013.xlsx", "2013-04-30"),
        ("edubasealldata20260901.csv", "2026-09-01"),
        ("latest_2019-12-31.csv", "2019-12-31"),
        ("31_Feb_2020.csv", None),
        ("schools.csv", None),
    ],
)
def test_the_last_day_in_a_name_is_the_files_day(name, day):
    assert files.day_in_name(name) == (day and pd.Timestamp(day))


_texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *sources.BLANKS,
            *FOUND.values(),
            "9",
            "1e999",
            "-1",
            "101%",
            "nan",
            "inf",
            "٣",
            "²",
            "1,2",
            "1.0",
            "01/01/1900",
            "31/12/9999",
            "00/00/0000",
            "0001-01-01",
            "30 Fortober 2020",
            "202399",
            "½",
        ]
    ),
    st.from_regex(r"\A[£+-]?\d{0,3}[,.]?\d{0,3}[eE%]?\d{0,3}\Z"),
    st.from_regex(r"\A\d{1,4}[-/ ](\d{1,2}|[A-Za-z]{3,9})[-/ ]\d{2,4}\Z"),
)
_ALLOWED = {
    "grade": lambda v: v in (1, 2, 3, 4),
    "standard": lambda v: v in (1, 2, 3, 4, 5),
    "yes_no": lambda v: v in (True, False),
    "category": lambda v: v in ("SM", "SWK", "RSI", "NTI"),
    "count": lambda v: 0 <= v < np.inf,
    "money": lambda v: 0 <= v < np.inf,
    "number": np.isfinite,
    "share": lambda v: 0 <= v <= 1,
    "percent": lambda v: 0 <= v <= 1,
    "period": lambda v: 1901 <= v <= 2100,
    "date": lambda v: isinstance(v, pd.Timestamp),
    "key": lambda v: isinstance(v, str) and v == v.upper(),
    "text": lambda v: isinstance(v, str),
}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(_texts, max_size=6), st.sampled_from(KINDS))
def test_every_cell_has_a_value_or_a_reason_or_is_named_as_unknown(cells, kind):
    values, why, bad = files.read_cells(pd.Series([cell.strip() for cell in cells], dtype="str"), kind)
    told = values.notna().astype(int) + why.notna().astype(int) + bad.astype(int)
    assert told.eq(1).all(), (cells, values.tolist(), why.tolist(), bad.tolist())
    assert all(_ALLOWED[kind](value) for value in values.dropna())


# --- files --------------------------------------------------------------------------------------------------

MONTHLY = "monthly management information"
GRADED = "graded and ungraded"


@pytest.mark.parametrize("layout", sources.LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("required_only", [False, True])
def test_every_layout_is_recognised_as_itself(layout, required_only, raw):
    cells: dict[str, str] = {}
    day = layout.years[0] if layout.years else "01/02/2013"
    for _, column in layout.columns():
        if column.required or not required_only:
            word = next(iter(column.words)) if column.words and "total" not in column.words else "Total"
            cells.setdefault(
                column.headers[0],
                layout.only.get(column.name, ({**FOUND, "date": day, "word": word}[column.kind],))[0],
            )
    lines = ["\t".join(cells), "\t".join(cells.values())]
    sheet = "\n".join(",".join(f'"{cell}"' for cell in line.split("\t")) for line in lines)
    name = f"2013_{layout.years[0]}.csv" if layout.dated == "published" else "2013_31_August_2026.csv"
    release = _one(raw, name, sheet)
    assert release.layout is layout
    assert (release.rows, sum(release.set_aside.values())) == (1, 0)


def test_the_padded_category_and_the_dash_of_windows_are_read(raw, official):
    text = official(
        GRADED,
        """
        urn    | name        | latest.inspected_on | latest.overall | latest.category | latest.event_type
        100001 | St Mary – A | 01/02/2023          | 4              | SM              | Schools – Section 8 conversion
        100002 | Brook       | 02/02/2023          | 2              |                 | Schools - S5
    """,
    ).replace(",SM,", ",SM ,")
    assert ",SM ," in text
    release = _one(raw, "as_at_31_August_2023.csv", text.encode("cp1252"))
    assert release.records["latest"]["category"].tolist()[0] == "SM"
    assert release.schools["name"].tolist()[0] == "St Mary – A"
    assert release.records["latest"]["event_type"].tolist()[0] == "Schools – Section 8 conversion"


def test_a_byte_order_mark_is_no_part_of_the_first_header(raw):
    assert _one(raw, "2013_england_abs.csv", b"\xef\xbb\xbfURN,PERCTOT\n100001,5.2\n").layout.name.endswith(
        "absence of pupils"
    )


def test_title_rows_blank_tails_and_totals_are_set_aside_and_counted(raw):
    release = _one(
        raw,
        "2013_england_abs.csv",
        """Absence in schools,,
"Notes, over
two lines",,
URN,LA,PERCTOT
100001,201,5.2
100002,201,
,,
LA,201,4.9
NAT,,4.7
,,
""",
    )
    assert release.records["absence"]["share_absence"].tolist() == [
        pytest.approx(0.052),
        pytest.approx(np.nan, nan_ok=True),
    ]
    assert dict(release.set_aside) == {"blank row": 2, "row of totals": 2}
    assert release.rows == 6


def test_the_same_row_again_is_set_aside_and_counted(raw):
    release = _one(raw, "2013_england_abs.csv", "URN,PERCTOT\n100001,5\n100002,4\n100001,5\n")
    assert dict(release.set_aside) == {"the same row again": 1}
    assert release.records["absence"]["urn"].tolist() == ["100001", "100002"]


ABSENCE = {"URN": ["100001", "100002"], "PERCTOT": [5.25, None], "LA": ["201", "202"]}


def _ods(columns: dict[str, list]) -> bytes:
    return _book({"Data": [list(columns), *zip(*columns.values(), strict=True)]})


def _book(sheets: dict[str, list]) -> bytes:
    """A workbook of sheets, each a list of rows."""
    return open_document({name: tuple(map(tuple, rows)) for name, rows in sheets.items()})


CSV = b"URN,PERCTOT,LA\n100001,5.25,201\n100002,,202\n"
FORMS = {
    "2013_england_abs.csv": CSV,
    "2013_england_abs.xlsx": workbook(pa.table(ABSENCE), "Data", title="Absence"),
    "2013_england_abs.ods": _ods(ABSENCE),
    "2013_england_abs.zip": zipped({"folder/": b"", "folder/england_abs.csv": CSV, "folder/.hidden": b"x"}),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_same_table_is_read_from_csv_xlsx_ods_and_zip(name, raw):
    held = _one(raw, name, FORMS[name]).records["absence"]
    assert held["urn"].tolist() == ["100001", "100002"]
    assert held["share_absence"].tolist()[0] == pytest.approx(0.0525)
    assert held["share_absence_why_blank"].tolist()[1] == "blank"


def test_a_spreadsheets_real_dates_are_days(raw):
    sheet = {"URN": ["100001"], "LATITUDE": [51.5], "LONGITUDE": [0.1]}
    links = {"URN": [100001], "LinkURN": [100002], "LinkType": ["Successor"],
             "LinkEstablishedDate": pa.array(["2014-09-01"]).cast(pa.date32())}  # fmt: skip
    assert _one(raw, "where.xlsx", workbook(pa.table(sheet), "a")).layout.name == "Coordinates of schools"
    read = _one(raw, "links.xlsx", workbook(pa.table(links), "a")).records["links"]
    assert read["linked_on"].tolist() == [pd.Timestamp(2014, 9, 1)]
    assert read["urn"].tolist() == ["100001"]


def test_two_files_of_one_name_in_an_archive_are_both_read(raw):
    path = raw / "2013.zip"
    path.write_bytes(zipped({"a/2012_abs.csv": CSV, "b/2012_abs.csv": CSV}))
    assert len(files.read_file(path, raw)) == 2


def test_a_release_that_differs_in_order_additions_and_spelling_is_read_and_says_so(raw, official):
    text = official(
        GRADED,
        """
        urn    | name | latest.inspected_on | latest.overall | latest.leadership
        100001 | Oak  | 01/02/2023          | 3              | 2
        100002 | Elm  |                     |                |
    """,
    )
    text = text.replace(
        "Effectiveness of leadership and management", "Effectivness of  leadership and managment?"
    )
    rows = [line.split(",")[::-1] + ["new"] for line in text.splitlines()]
    release = _one(raw, "as_at_31_August_2023.csv", "\n".join(",".join(row) for row in rows))
    assert release.records["latest"]["leadership"].tolist()[0] == 2
    assert release.schools["name"].tolist() == ["Oak", "Elm"]
    assert release.notes == [
        "read “Effectivness of  leadership and managment?” as “Effectiveness of leadership and management”",
        "1 columns not needed",
    ]


def test_a_header_that_lost_its_name_stops_us_with_the_difference(raw, official):
    text = official(GRADED, "urn | latest.inspected_on | latest.overall\n100001 | 01/02/2023 | 3")
    with pytest.raises(
        DataError,
        match=r"(?s)nearest to: .*graded and ungraded.*- Overall effectiveness\n.*“Verdict”.*pipelines/sources/",
    ):
        _one(raw, "as_at_31_August_2023.csv", text.replace("Overall effectiveness", "Verdict"))


@pytest.mark.parametrize(
    "column, cell, words",
    [
        ("latest.overall", "5", "Overall effectiveness: 1 cells .* a grade 1-4.*row 3: “5”"),
        ("latest.overall", "Quite good", "row 3: “Quite good”"),
        ("latest.category", "XX", "Category of concern.*row 3: “XX”"),
        ("pupils", "lots", "Total number of pupils.*row 3: “lots”"),
        ("latest.inspected_on", "31/02/2023", "a day, as 31/08/2025.*row 3: “31/02/2023”"),
    ],
)
def test_an_unknown_grade_or_marker_stops_us_naming_row_and_cell(raw, official, column, cell, words):
    text = official(GRADED, f"urn | {column}\n100001 |\n100002 | {cell}")
    with pytest.raises(DataError, match=rf"(?s)as_at_31_August_2023\.csv, read as.*{words}.*BLANKS"):
        _one(raw, "as_at_31_August_2023.csv", text)


def test_the_row_in_a_message_is_the_row_in_the_file_below_a_title(raw):
    with pytest.raises(DataError, match=r"row 4: “lots”"):
        _one(raw, "2013_england_abs.csv", "Absence,\nURN,PERCTOT\n100001,5\n100002,lots\n")


def test_a_row_that_slipped_is_set_aside_and_counted_rather_than_read(raw):
    rows = [*(f"1000{n},201,5" for n in range(10, 22)), "100003,St Mary, Old Town,4"]
    release = _one(raw, "2013_england_abs.csv", "\n".join(["URN,LA,PERCTOT", *rows]))
    assert release.records["absence"]["share_absence"].tolist() == [pytest.approx(0.05)] * 12
    assert dict(release.set_aside) == {"more cells than headers: a comma without quotation marks": 1}


def test_a_file_whose_rows_slipped_is_refused(raw):
    with pytest.raises(DataError, match=r"(?s)more cells than .*headers.*row 3"):
        _one(raw, "2013_england_abs.csv", "URN,LA,PERCTOT\n100001,201,5\n100002,St Mary, Old Town,5\n")


def test_trailing_commas_and_short_rows_do_no_harm(raw):
    held = _one(raw, "2013_england_abs.csv", "URN,LA,PERCTOT\n100001,201,5,,\n100002,202\n").records[
        "absence"
    ]
    assert held["share_absence"].tolist() == [pytest.approx(0.05), pytest.approx(np.nan, nan_ok=True)]


def test_names_of_people_are_never_read(raw, official):
    text = official("GIAS all data", "urn | name | status\n100001 | Oak | Open\n100002 | Elm |")
    header, *rows = text.splitlines()
    named = ",".join(f'"{column}"' for column in sources.PERSONAL)
    lines = [f"{header},{named}", *(f"{row}{',Plantedname' * len(sources.PERSONAL)}" for row in rows)]
    release = _one(raw, "edubasealldata20260901.csv", "\n".join(lines))
    assert release.schools["name"].tolist() == ["Oak", "Elm"]
    assert "Plantedname" not in str(release)
    assert "Plantedname" not in "".join(frame.to_csv() for frame in release.records.values())
    read = {
        sources.normalised(header)
        for layout in sources.LAYOUTS
        for _, c in layout.columns()
        for header in c.headers
    }
    assert not read & {sources.normalised(header) for header in sources.PERSONAL}


# --- a layout is what a file says it is ---------------------------------------------------------------------


def test_a_file_that_fits_two_layouts_stops_us_with_both_and_what_would_decide(raw):
    both = "URN,PERCTOT,NOR,PNUMEAL\n100001,5,200,10\n"
    with pytest.raises(DataError, match="only one of them can be right") as error:
        _one(raw, "2019_england.csv", both)
    assert str(error.value).splitlines()[:5] == [
        "2019_england.csv has all that 2 layouts need, and only one of them can be right:",
        "  Performance tables: census of pupils",
        "    which alone has: NOR, PNUMEAL",
        "  Performance tables: absence of pupils",
        "    which alone has: PERCTOT",
    ]
    assert "Delete the columns" in str(error.value) and "pipelines/sources/" in str(error.value)


def test_two_layouts_of_the_very_same_columns_are_told_by_what_either_alone_can_have(raw):
    (absence,) = (layout for layout in sources.TABLES if "absence" in layout.name)
    other = sources.Layout(
        "Absence by term",
        {
            "absence": (
                *absence.records["absence"][:1],
                absence.records["absence"][3],
                sources.Column("term", "text", ("TERM",)),
            )
        },
        dated="tables",
    )
    path = raw / "2019_england_abs.csv"
    path.write_text("URN,PERCTOT\n100001,5\n")
    with pytest.raises(
        DataError,
        match=r"(?s)2 layouts.*absence of pupils\n.*PPERSABS10\n  Absence by term\n.*can have: TERM",
    ):
        files.read_file(path, raw, (absence, other))
    path.write_text("URN,PERCTOT,TERM\n100001,5,Autumn\n")
    (release,) = files.read_file(path, raw, (absence, other))
    assert release.layout is other  # it reads all that the other does, and more


def test_the_supporting_workbook_is_not_taken_for_the_tables_made_from_it(raw):
    head = "URN,Total Number of Teachers (Headcount),Total Number of Teachers (Full-Time Equivalent)"
    leaders = "Total Number of Teachers in the Leadership Group (Headcount)"
    assert _one(raw, "2022_a.csv", f"{head},{leaders}\n100001,10,9.5,2\n").layout.name.startswith(
        "School workforce tables"
    )
    assert (
        _one(raw, "2021_b.csv", f"{head}\n100001,10,9.5\n").layout.name
        == "Performance tables: school workforce"
    )


COVER = [["Management information", None], ["Contents", None], ["D1", "Inspections in the year"]]


def _lists(official, **changed) -> dict[str, list]:
    """A workbook as Ofsted has published since November 2025: two title rows above the headers of each
    list.
    """
    year = official(
        "report cards, year to date",
        """
        urn    | report_card.inspected_on | leadership_and_governance
        100001 | 12/11/2025               | Strong standard
    """,
    )
    newest = official(
        "latest report cards",
        """
        urn    | latest.inspected_on | latest.overall
        100001 | 01/02/2023          | 2
        100002 | 01/02/2022          | 3
    """,
    )
    sheets = {name: [["Title", None], ["Notes", None], *(row for row in csv.reader(io.StringIO(text)))]
              for name, text in (("D1_In_year_inspections", year), ("D2_Most_recent_inspections", newest))}  # fmt: skip
    return {"Cover": COVER, **sheets, **changed}


def _releases(raw: Path, name: str, sheets: dict[str, list]) -> list[files.Release]:
    (raw / name).write_bytes(_book(sheets))
    return files.read_file(raw / name, raw)


def test_a_workbook_of_two_lists_is_two_releases_and_its_cover_is_passed_over_with_a_note(raw, official):
    one, two = _releases(raw, "as_at_31_Aug_2026.ods", _lists(official))
    assert [one.name, two.name] == [
        f"as_at_31_Aug_2026.ods/{s}" for s in ("D1_In_year_inspections", "D2_Most_recent_inspections")
    ]
    assert ["year to date" in one.layout.name, "latest" in two.layout.name] == [True, True]
    assert [one.file_on, two.file_on] == [pd.Timestamp(2026, 8, 31)] * 2
    assert [one.rows, two.rows] == [1, 2]
    assert [note for note in one.notes if "passed over" in note] == [
        "sheets passed over, which have no layout of ours: Cover"
    ]
    assert not [note for note in two.notes if "passed over" in note]


def test_a_workbook_of_one_list_is_called_as_its_file(raw, official):
    sheets = _lists(official)
    del sheets["D1_In_year_inspections"]
    (release,) = _releases(raw, "as_at_31_Aug_2026.ods", sheets)
    assert release.name == "as_at_31_Aug_2026.ods"


def test_a_list_of_a_workbook_that_lost_a_column_is_not_passed_over(raw, official):
    sheets = _lists(official)
    headers = sheets["D1_In_year_inspections"][2]
    headers[headers.index("Leadership and governance")] = "Verdict"
    with pytest.raises(
        DataError,
        match=r"(?s)^as_at_31_Aug_2026\.ods \(sheet D1_In_year_inspections\) isn't any release.*Verdict",
    ):
        _releases(raw, "as_at_31_Aug_2026.ods", sheets)


def test_a_workbook_in_which_nothing_fits_stops_us(raw):
    with pytest.raises(DataError, match="isn't any official file we know"):
        _releases(raw, "as_at_31_Aug_2026.ods", {"Cover": COVER, "Notes": COVER})


def test_a_day_in_a_sheets_name_counts_where_the_workbooks_has_none(raw, official):
    list_ = _lists(official)["D2_Most_recent_inspections"]
    (release,) = _releases(raw, "latest.ods", {"Cover": COVER, "Data 31 Aug 2026": list_})
    assert (release.name, release.file_on) == ("latest.ods", pd.Timestamp(2026, 8, 31))
    assert files.day_in_name("as_at_31_Aug_2026.ods/Since 10 November 2025") == pd.Timestamp(2026, 8, 31)
    assert files.day_in_name("latest.xlsx/31 Aug 2026") == pd.Timestamp(2026, 8, 31)
    assert files.tables_year("2019_workforce.xlsx/Tables 2017-18") == 2019


# --- cells out of range -------------------------------------------------------------------------------------


def _absences(rows: int, *cells: str) -> str:
    lines = [f"{200_000 + at},{at % 20}" for at in range(rows - len(cells))]
    return "\n".join(
        ["URN,PERCTOT", *lines, *(f"{100_001 + at},{cell}" for at, cell in enumerate(cells)), ""]
    )


@pytest.mark.parametrize("cell", ["101%", "-3", "1e999"])
def test_one_row_in_a_thousand_with_a_cell_out_of_range_is_set_aside_and_shown(raw, cell):
    release = _one(raw, "2013_england_abs.csv", _absences(1000, cell))
    assert (release.rows, release.kept, len(release.records["absence"])) == (1000, 999, 999)
    assert dict(release.set_aside) == {"a cell out of range": 1}
    assert release.out_of_range == [(1001, "PERCTOT", cell)]
    assert f"out of range: row 1001, PERCTOT: “{cell}”" in release.notes


def test_more_than_one_row_in_a_thousand_out_of_range_stops_us(raw):
    with pytest.raises(DataError, match=r"PERCTOT: 1 cells hold .*a share of at most 100%: row 1000: “101%”"):
        _one(raw, "2013_england_abs.csv", _absences(999, "101%"))
    with pytest.raises(DataError, match="PERCTOT: 2 cells"):
        _one(raw, "2013_england_abs.csv", _absences(1000, "101%", "-3"))


@pytest.mark.parametrize("cell", ["lots", "QQ", "5 or so", "٣"])
def test_a_word_nobody_declared_stops_us_however_many_rows_there_are(raw, cell):
    with pytest.raises(DataError, match=rf"PERCTOT: 1 cells .*row 5001: “{cell}”"):
        _one(raw, "2013_england_abs.csv", _absences(5000, cell))


@pytest.mark.parametrize(
    "column, cell",
    [
        ("latest.overall", "5"),
        ("latest.overall", "Superb"),
        ("latest.category", "XX"),
        ("latest.inspected_on", "44197"),
        ("latest.inspected_on", "spring 2020"),
    ],
)
def test_a_grade_a_category_or_a_form_of_day_nobody_declared_stops_us_likewise(raw, official, column, cell):
    rows = "\n".join(f"{200_000 + at} |" for at in range(2000))
    with pytest.raises(DataError, match=f"row 2002: “{cell}”"):
        _one(raw, "as_at_31_August_2023.csv", official(GRADED, f"urn | {column}\n{rows}\n100001 | {cell}"))


@pytest.mark.parametrize("day", ["31/02/2023", "01/09/2023", "01/09/1892"])
def test_a_row_in_a_thousand_with_a_day_that_cannot_be_is_set_aside(raw, official, day):
    rows = "\n".join(f"{200_000 + at} | 01/02/2020" for at in range(999))
    release = _one(
        raw,
        "as_at_31_August_2023.csv",
        official(GRADED, f"urn | latest.inspected_on\n{rows}\n100001 | {day}"),
    )
    assert dict(release.set_aside) == {"a cell out of range": 1}
    assert release.out_of_range == [(1001, "Inspection start date", day)]
    assert {len(frame) for frame in release.records.values()} == {999} and "100001" not in set(
        release.schools["urn"]
    )


def test_a_row_that_no_table_needs_may_be_out_of_range_and_is_counted_apart(raw):
    head = "URN,SCHOOLTYPE,NOR,PNUMEAL,PSENELSE\n"
    release = _one(
        raw,
        "2025_england_census.csv",
        f"{head}100001,State-funded primary,200,10%,4%\n100002,Independent school,24,,104.17%\n",
    )
    assert release.records["census"]["urn"].tolist() == ["100001"]
    assert dict(release.set_aside) == {"a cell out of range, in a row that no table needs": 1}
    assert release.out_of_range == [(3, "PSENELSE", "104.17%")]
    with pytest.raises(DataError, match="row 3: “104.17%”"):
        _one(
            raw,
            "2025_england_census.csv",
            f"{head}100001,State-funded primary,200,10%,4%\n100002,State-funded nursery,24,,104.17%\n",
        )
    with pytest.raises(DataError, match="row 3: “QQ”"):
        _one(
            raw,
            "2025_england_census.csv",
            f"{head}100001,State-funded primary,200,10%,4%\n100002,Independent school,24,,QQ\n",
        )


# --- every row is accounted for -----------------------------------------------------------------------------


def test_a_row_without_its_urn_is_not_called_blank(raw):
    release = _one(raw, "2013_england_abs.csv", "URN,LA,PERCTOT\n100001,201,5\n,201,4\n,,\n")
    assert dict(release.set_aside) == {"no URN": 1, "blank row": 1}


def test_every_row_of_every_made_up_file_is_kept_or_set_aside_with_a_reason(tmp_path):
    synthesise(tmp_path / "raw", seed=3, schools=20, effect="none")
    read = [
        release
        for path in sorted((tmp_path / "raw").rglob("*"))
        if path.is_file() and not files.why_not_needed(path, tmp_path / "raw")
        for release in files.read_file(path, tmp_path / "raw")
    ]
    assert {release.layout.long_form is None for release in read} == {True, False}
    for release in read:
        assert release.rows == release.kept + sum(release.set_aside.values()), release.name
        if release.layout.long_form is None:
            assert {len(frame) for frame in release.records.values()} == {release.kept}, release.name


# --- hostile files ------------------------------------------------------------------------------------------


def _claiming(size: int) -> bytes:
    """A zip whose directory claims that its member unpacks to so many bytes."""
    honest = zipped({"england_abs.csv": CSV})
    at = honest.index(b"PK\x01\x02") + 24
    return honest[:at] + size.to_bytes(4, "little") + honest[at + 4 :]


def _encrypted() -> bytes:
    honest = bytearray(zipped({"england_abs.csv": CSV}))
    honest[honest.index(b"PK\x01\x02") + 8] |= 1
    honest[6] |= 1
    return bytes(honest)


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("2013_abs.csv", b"", r"is empty \(0 bytes\)"),
        ("2013_abs.csv", b"<!DOCTYPE html><p>Sorry, page not found", "is a web page"),
        ("2013_abs.csv", b"\xef\xbb\xbf\n <html>", "is a web page"),
        ("2013_abs.xlsx", b"<html>", "is a web page"),
        ("2013_abs.csv", b"URN,PERCTOT\n1\0\0001,5\n", "NUL bytes"),
        ("2013_abs.csv", b"something,else\n1,2\n", "isn't any official file we know"),
        ("2013_abs.csv", b'URN,PERCTOT\n"100001,5\n', "not well-formed CSV"),
        ("2013_abs.csv", b'URN,PERCTOT\n"100001,' + b"x" * 200_000, "not well-formed CSV"),
        ("2013_abs.pdf", b"%PDF", r"\.csv, \.xlsx, \.ods and \.zip, not \.pdf"),
        ("2013_abs.zip", zipped({"england_abs.csv": CSV * 50})[:60], "not a whole zip"),
        ("2013_abs.zip", zipped({"readme.pdf": b"x"}), "holds no .csv, .xlsx or .ods"),
        ("2013_abs.zip", _claiming(4_000_000_000), "would unpack to 4.0 GB"),
        ("2013_abs.xlsx", _claiming(4_000_000_000), "would unpack to 4.0 GB"),
        ("2013_abs.zip", _encrypted(), "not a whole zip file|locked"),
        ("2013_abs.xlsx", workbook(pa.table(ABSENCE), "Data")[:300], "can't be opened as a workbook"),
        ("england_abs.csv", CSV, "doesn't say which year's tables"),
        ("2013_abs.csv", b"URN,PERCTOT\n1000X1,5\n", "row 2: “1000X1”"),
        ("2013_abs.csv", b"URN,PERCTOT\n100001,5\n100002,4\n100001,6\n", r"100001 \(rows 2, 4\)"),
    ],
)
def test_a_broken_file_is_refused_in_words_a_stranger_can_act_on(raw, name, content, words):
    with pytest.raises(DataError, match=rf"(?s)^{name}.*{words}"):
        _one(raw, name, content)


def test_an_inspection_after_the_files_own_day_is_refused(raw, official):
    text = official(GRADED, "urn | latest.inspected_on | latest.overall\n100001 | 01/09/2023 | 3\n100002 | |")
    with pytest.raises(DataError, match=r"dated after the file itself \(31/08/2023\): row 2: 01/09/2023"):
        _one(raw, "as_at_31_August_2023.csv", text)


def test_a_list_of_schools_that_gives_no_day_is_refused(raw, official):
    with pytest.raises(DataError, match=r"(?s)latest\.csv doesn't say when it is from.*31_August_2025"):
        _one(
            raw,
            "latest.csv",
            official(GRADED, "urn | latest.inspected_on | latest.overall\n100001 | 01/09/2023 | 3"),
        )


def test_one_slip_in_a_publication_day_does_not_move_the_whole_file(raw, official):
    text = official(
        GRADED,
        """
        urn    | latest.inspected_on | latest.published_on | latest.overall
        100001 | 01/06/2023          | 20/09/2023          | 3
        100002 | 02/06/2023          | 20/07/2203          | 2
        100003 | 03/06/2023          |                     | 2
    """,
    )
    assert _one(raw, "as_at_31_August_2023.csv", text).file_on == pd.Timestamp(2023, 9, 20)


@pytest.mark.parametrize("ending", ["csv", "zip", "xlsx", "ods"])
@settings(
    max_examples=75,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    noise=st.binary(max_size=200), at=st.integers(0, 5000), flips=st.lists(st.integers(0, 20_000), max_size=8)
)
def test_random_bytes_give_an_error_or_a_release_and_nothing_else(raw, ending, noise, at, flips):
    whole = bytearray(FORMS[f"2013_england_abs.{ending}"])
    for flip in flips:
        whole[flip % len(whole)] ^= 1 + flip % 255
    for content in (noise, bytes(whole), bytes(whole[: at % len(whole)]) + noise):
        path = raw / f"2013_noise.{ending}"
        path.write_bytes(content)
        try:
            assert all(isinstance(release, files.Release) for release in files.read_file(path, raw))
        except DataError as error:
            assert str(error).startswith("2013_noise")
