"""A release of Ofsted's is read as it is where its headers differ in spelling, order or additions, and stops
us where they don't.
"""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import python_calamine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway.pipelines import files, frameworks, sources
from headway.pipelines.files import opening
from headway.pipelines.files.recognising import recognise
from headway.pipelines.ingest import ingest
from headway.pipelines.sources import Column, Layout, normalised
from headway.pipelines.tables import DataError

Rows = list[list[str]]
SETTINGS = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}
INSPECTIONS = pytest.mark.parametrize("layout", sources.INSPECTIONS, ids=lambda layout: layout.name)

# What Ofsted has done to a header from one month to the next, or a spreadsheet on the way; any number of
# headers at once.
COMPILED = ("Latest graded inspection date", "Graded inspection date")  # of the list, and of the full history
SPELLINGS = {
    "capitals": str.upper,
    "small letters": str.lower,
    "two spaces": lambda h: h.replace(" ", "  "),
    "a space at the end": lambda h: f"{h} ",
    "no-break spaces": lambda h: h.replace(" ", "\xa0"),
    "underscores": lambda h: h.replace(" ", "_"),
    "hyphens": lambda h: h.replace(" ", "-"),
    "dashes": lambda h: h.replace("-", "–"),
    "no space about a dash": lambda h: h.replace(" - ", "-"),
    "&": lambda h: re.sub(r"\band\b", "&", h),
    "curly apostrophes": lambda h: h.replace("'", "’"),
    "no apostrophes": lambda h: h.replace("'", ""),
    "a line break": lambda h: h.replace(" ", "\n", 1),
    "a question mark": lambda h: f"{h.rstrip('?')}?",
    "a mark nobody sees": lambda h: f"\u200b{h}",
    "as it was": str,
}
UNKNOWN = (
    "Web link (opens in new window)",
    "Religious ethos",
    "Number of warning notices issued in 2026/27 academic year",
    "",
    "Note",
)


def _plural(header: str) -> str:
    """The header with its first word of three letters or more in the plural, or without its “s”."""
    return re.sub(
        r"\b([A-Za-z]{3,}?)(s?)\b", lambda word: word[1] if word[2] else f"{word[1]}s", header, count=1
    )


def _misspelt(header: str) -> str:
    """The first word of eight letters or more without its sixth: `effecivness`."""
    return re.sub(r"\b([A-Za-z]{5})[a-z]([a-z]{2,})", r"\1\2", header, count=1)


# --- made-up releases, of every layout ----------------------------------------------------------------------


def _year(layout: Layout) -> int:
    """The year a kind of release ended in, as its name says, or 2026."""
    ended = re.search(r" to \w+ (20\d\d)$", layout.name)
    return int(ended[1]) if ended else 2026


def _cell(column: Column, at: int, row: int, year: int) -> str:
    """A cell that no other column has, as far as its kind goes, so that a mistaken column shows."""
    return {
        "key": str(100_001 + row if column.name == "urn" else 300_000 + 10 * at + row), "text": f"words {at} {row}",
        "date": f"{1 + (3 * at + row) % 28:02}/01/{year - 1}", "grade": str(1 + (at + row) % 4), "category": ("SM", "", "SWK")[row],
        "standard": list(frameworks.STANDARDS)[(at + row) % 5], "word": sources.REGIONS[(at + row) % 9],
        "yes_no": ("Yes", "No", "9")[(at + row) % 3], "count": str(10 * at + row), "number": str(1 + (at + row) % 5),
    }[column.kind]  # fmt: skip


def _made(layout: Layout) -> tuple[str, Rows]:
    """A file of three schools with every column of a layout, under its first spelling."""
    columns = {column.headers[0]: column for _, column in reversed(layout.columns())}
    body = [
        [_cell(column, at, row, _year(layout)) for at, column in enumerate(columns.values())]
        for row in range(3)
    ]
    return f"as_at_31_August_{_year(layout)}.csv", [list(columns), *body]


def _written(rows: Rows) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _read(raw: Path, name: str, rows: Rows, layouts: tuple[Layout, ...] = sources.LAYOUTS) -> files.Release:
    (raw / name).write_text(_written(rows), "utf-8")
    (release,) = files.read_file(raw / name, raw, layouts)
    return release


def _same(one: files.Release, other: files.Release) -> None:
    assert one.layout is other.layout and one.file_on == other.file_on
    assert (one.rows, one.set_aside) == (
        other.rows,
        other.set_aside,
    ) and one.records.keys() == other.records.keys()
    for record, rows in one.records.items():
        pd.testing.assert_frame_equal(rows, other.records[record])


@st.composite
def _varied(draw: st.DrawFn, rows: Rows) -> Rows:
    """The same table with headers spelt otherwise, in another order, among columns that nobody knows."""
    headers = rows[0]
    spelt = draw(st.lists(st.sampled_from(list(SPELLINGS)), min_size=len(headers), max_size=len(headers)))
    headers = [SPELLINGS[spelling](header) for spelling, header in zip(spelt, headers, strict=True)]
    long = [at for at, header in enumerate(rows[0]) if " " in header and re.search(r"[A-Za-z]{8}", header)]
    if at := draw(st.sampled_from([0, *long])):
        headers[at] = draw(st.sampled_from((_plural, _misspelt)))(rows[0][at])
    order = draw(st.permutations(range(len(headers))))
    table = [[row[at] for at in order] for row in (headers, *rows[1:])]
    for header, place in draw(
        st.lists(st.tuples(st.sampled_from(UNKNOWN), st.integers(0, len(headers))), max_size=3)
    ):
        for number, row in enumerate(table):
            row.insert(place, f"new {number}" if number and header else header)
    return table


@INSPECTIONS
@settings(max_examples=2, **SETTINGS)
@given(drawn=st.data())
def test_a_release_that_differs_in_spelling_order_and_additions_reads_to_the_same_rows(raw, layout, drawn):
    name, rows = _made(layout)
    _same(_read(raw, name, drawn.draw(_varied(rows))), _read(raw, name, rows))


@INSPECTIONS
def test_the_same_columns_are_found_however_all_headers_or_one_of_them_are_spelt(layout):
    name, rows = _made(layout)
    ((_, known),) = recognise(name, [opening.Sheet(name, rows)])
    assert known.layout is layout and known.found.keys() == {
        (record, column.name) for record, column in layout.columns()
    }
    ways = [[spelling(header) for header in rows[0]] for spelling in SPELLINGS.values()]
    ways += [
        [*rows[0][:at], change(header), *rows[0][at + 1 :]]
        for at, header in enumerate(rows[0])
        if " " in header
        for change in (_plural, _misspelt)
    ]
    for headers in ways:
        ((_, match),) = recognise(name, [opening.Sheet(name, [headers, *rows[1:]])])
        assert (match.layout, match.found) == (layout, known.found), set(headers) - set(rows[0])


@INSPECTIONS
def test_a_needed_column_that_was_renamed_or_dropped_stops_us_with_the_difference(layout):
    name, (headers, *body) = _made(layout)
    for header in dict.fromkeys(column.headers[0] for _, column in layout.columns() if column.required):
        at = headers.index(header)
        renamed = [[*headers[:at], "Wording of next year", *headers[at + 1 :]], *body]
        dropped = [row[:at] + row[at + 1 :] for row in (headers, *body)]
        for rows, told in ((renamed, "“Wording of next year”"), (dropped, "")):
            with pytest.raises(DataError, match="isn't any release we know") as error:
                recognise(name, [opening.Sheet(name, rows)])
            said = str(error.value)
            assert (
                said.startswith(f"{name} ")
                and re.search(f"(nearest|as near) to: {re.escape(layout.name)}\n", said)
                and told in said
            )
            lost = [line for line in said.splitlines() if line.startswith("  - ")]
            # The analyst's list and history differ by the header of the date alone: without it, both are
            # told.
            assert lost == (
                [f"  - {header}"] if header not in COMPILED else [f"  - {date}" for date in COMPILED]
            )


@INSPECTIONS
def test_a_column_that_stands_twice_stops_us_where_the_two_differ(raw, layout):
    name, (headers, *body) = _made(layout)
    again = [[*(header.upper() for header in headers), *headers], *([*row, *row] for row in body)]
    _same(_read(raw, name, again), _read(raw, name, [headers, *body]))
    needed = dict.fromkeys(column.headers[0] for _, column in layout.columns() if column.required)
    for header in needed:
        again[2][len(headers) + headers.index(header)] = "another"
    with pytest.raises(DataError, match=rf"^{name}, read as “{layout.name}”:\n") as error:
        _read(raw, name, again)
    for header in needed:
        at = headers.index(header) + 1
        said = (
            f"  {header.upper()}: columns {at} and {len(headers) + at} both have this header and differ "
            "in 1 rows, as in row 3: “"
        )
        assert said in str(error.value) and str(error.value).count("and “another”") == len(needed)


@INSPECTIONS
def test_a_grade_nobody_has_given_before_stops_us_naming_column_row_and_word(raw, layout):
    name, (headers, *body) = _made(layout)
    graded = {
        c.headers[0] for _, c in layout.columns() if c.kind in ("grade", "standard", "category", "yes_no")
    }
    body[2] = ["Superb" if header in graded else cell for header, cell in zip(headers, body[2], strict=True)]
    with pytest.raises(DataError, match=rf"^{name}, read as “{layout.name}”:\n") as error:
        _read(raw, name, [headers, *body])
    for header in graded:
        assert re.search(
            rf"^  {re.escape(header)}: 1 cells hold what we don't know as .*: row 4: “Superb”\.$",
            str(error.value),
            re.M,
        )


def test_a_refused_release_leaves_the_tables_as_they_were(raw, tmp_path):
    (graded,) = (layout for layout in sources.INSPECTIONS if "graded and ungraded" in layout.name)
    name, (headers, *body) = _made(graded)
    body = [
        [cell if header != "Ofsted phase" else "Primary" for header, cell in zip(headers, row, strict=True)]
        for row in body
    ]
    _read(raw, name, [headers, *body])
    ingest(raw, tmp_path / "tables")
    before = {path.name: path.read_bytes() for path in (tmp_path / "tables").iterdir() if path.is_file()}
    (raw / name).write_text(
        _written([["Verdict" if header == "Overall effectiveness" else header for header in headers], *body])
    )
    with pytest.raises(DataError, match=r"(?s)- Overall effectiveness\n.*“Verdict”"):
        ingest(raw, tmp_path / "tables")
    assert {
        path.name: path.read_bytes() for path in (tmp_path / "tables").iterdir() if path.is_file()
    } == before


# --- a kind of file that nobody has declared yet ------------------------------------------------------------


@INSPECTIONS
def test_a_kind_of_release_not_yet_declared_is_not_taken_for_another(raw, layout):
    """A list of latest inspections read as a list of all of them would teach from schools that were never
    followed.
    """
    name, rows = _made(layout)
    others = tuple(other for other in sources.LAYOUTS if other is not layout)
    with pytest.raises(DataError, match=rf"^{name}.*(nearest to|, read as)"):
        _read(raw, name, rows, others)


@pytest.mark.parametrize("date, kind", [(COMPILED[0], "A list"), (COMPILED[1], "A history")])
def test_an_analyst_s_file_is_a_list_or_a_history_by_its_date_and_may_say_more_of_its_schools(
    raw, date, kind
):
    headers = ["URN", date, "Overall effectiveness"]
    more = ["School name", "Ofsted phase", "Region", "Local authority", "Postcode", "Type of education"]
    rows = [
        [*headers, *more],
        ["100001", "01/02/2019", "2", "Oak", "Primary", "London", "Camden", "N1 1AA", "Academy Converter"],
    ]
    assert _read(raw, "compiled_2019-12-31.csv", rows).layout.name.startswith(
        f"{kind} compiled by an analyst"
    )


# --- the official files -------------------------------------------------------------------------------------


def _table(content: bytes) -> Rows:
    """The first rows of the sheet of a workbook that holds schools, as text."""
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    tops = [
        [
            [opening._cell(cell).strip() for cell in row]
            for row in book.get_sheet_by_name(sheet).to_python(nrows=60)
        ]
        for sheet in book.sheet_names
    ]
    return next(rows for rows in tops if any(cell.lower() == "urn" for cell in rows[0]))


@pytest.fixture(scope="module")
def official(real_raw: Path) -> dict[str, Rows]:
    """The first schools of every official list of inspections, by a name with its day."""
    found = {}
    for path in sorted((real_raw / "ofsted").iterdir()):
        parts = (
            opening.members(path.name, path) if path.suffix == ".zip" else [(path.name, path.read_bytes())]
        )
        for name, content in parts:
            rows = (
                list(csv.reader(content[:100_000].decode("cp1252").splitlines()[:60]))
                if name.endswith(".csv")
                else _table(content)
            )
            found[f"as_at_{files.day_in_name(name):%d_%B_%Y}.csv"] = rows
    assert len(found) > 5
    return found


@pytest.mark.real
@settings(max_examples=8, **SETTINGS)
@given(drawn=st.data())
def test_an_official_release_that_differs_in_spelling_order_and_additions_reads_to_the_same_rows(
    official, raw, drawn
):
    name = drawn.draw(st.sampled_from(list(official)))
    _same(_read(raw, name, drawn.draw(_varied(official[name]))), _read(raw, name, official[name]))


@pytest.mark.real
def test_a_month_of_2013_to_2015_is_read_by_the_spellings_of_the_other_months_or_names_what_was_renamed(
    official, raw
):
    (monthly,) = (layout for layout in sources.INSPECTIONS if "monthly" in layout.name)
    whole = {
        name: release
        for name, rows in official.items()
        if (release := _read(raw, name, rows)).layout is monthly
    }
    assert len(whole) == 10
    refused = {}
    for name, release in whole.items():
        known = {normalised(header) for other in whole if other != name for header in official[other][0]}
        records = {
            record: tuple(
                replace(column, headers=headers)
                for column in columns
                if (headers := tuple(h for h in column.headers if normalised(h) in known))
            )
            for record, columns in monthly.records.items()
        }
        held_out = tuple(
            replace(monthly, records=records) if layout is monthly else layout for layout in sources.LAYOUTS
        )
        try:
            read = _read(raw, name, official[name], held_out)
        except DataError as error:
            refused[name] = [line for line in str(error).splitlines() if line.startswith("  - ")]
            continue
        for record, rows in read.records.items():
            pd.testing.assert_frame_equal(rows, release.records[record][rows.columns])
    assert refused == {"as_at_31_October_2013.csv": ["  - Ofsted phase"]}  # the only month to call it “Phase”
