"""Files made to harm: each is refused in words, or read rightly, in bounded memory and time. The long run is
benchmarks/fuzz.py.
"""

import csv
import io
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway.pipelines import files, registers
from headway.pipelines.synthesise.sheets import workbook, zipped
from headway.pipelines.tables import DataError

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
from fuzz import fuzz
from fuzzing import broken, made
from fuzzing import readers as reading

CSV = b"URN,PERCTOT,LA\n100001,5.25,201\n100002,,202\n"
XLSX = workbook(pa.table({"URN": ["100001", "100002"], "PERCTOT": [5.25, None]}), "Data")
ODS = made.FORMS["ods"]("", CSV)


def _parts(whole: bytes, **changed: tuple[str, str]) -> bytes:
    """An archive with some text changed in the parts whose names end so."""
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        held = {name: archive.read(name).decode() for name in archive.namelist()}
    for ending, (old, new) in changed.items():
        (name,) = [name for name in held if name.endswith(f"{ending}.xml")]
        assert old in held[name]
        held[name] = held[name].replace(old, new, 1)
    return made.zipped(list(held.items()), zipfile.ZIP_STORED if "mimetype" in held else zipfile.ZIP_DEFLATED)


def _sheet(rows: str) -> bytes:
    return _parts(XLSX, sheet1=("<sheetData>", f"<sheetData>{rows}"))


def _shared(letters: int, cells: int) -> bytes:
    """A workbook of one long shared text that many cells show."""
    types = (
        '<Override PartName="/xl/sharedStrings.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.'
        'spreadsheetml.sharedStrings+xml"/></Types>'
    )
    link = (
        '<Relationship Id="r3" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" '
        'Target="sharedStrings.xml"/></Relationships>'
    )
    with zipfile.ZipFile(io.BytesIO(XLSX)) as archive:
        held = {name: archive.read(name).decode() for name in archive.namelist()}
    held["[Content_Types].xml"] = held["[Content_Types].xml"].replace("</Types>", types)
    held["xl/_rels/workbook.xml.rels"] = held["xl/_rels/workbook.xml.rels"].replace("</Relationships>", link)
    held["xl/sharedStrings.xml"] = (
        f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>{"x" * letters}</t></si></sst>'
    )
    rows = '<row><c t="s"><v>0</v></c></row>' * cells
    held["xl/worksheets/sheet1.xml"] = held["xl/worksheets/sheet1.xml"].replace(
        "<sheetData>", f"<sheetData>{rows}"
    )
    return zipped(held)


def _linked() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        info = zipfile.ZipInfo("2013_england_abs.csv")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return held.getvalue()


FAR = '<table:table-row table:number-rows-repeated="1048576">'
# What is tried, and the words it is refused with.
ATTACKS = {
    "zip bomb.zip": (lambda: zipped({"2013_abs.csv": b" " * 200_000_000}), ("times its size, which no table "
        "does")),
    "xlsx bomb.xlsx": (lambda: zipped({"xl/workbook.xml": b" " * 200_000_000}), ("times its size, which no "
        "table does")),
    "a cell far away.xlsx": (lambda: _sheet('<row><c r="XFD1048576"><v>1</v></c></row>'), "spans 17,179,869,184 cells"),
    "a cell beyond.xlsx": (lambda: _sheet('<row r="4294967295"><c '
        'r="ZZZZZZ4294967295"><v>1</v></c></row>'), "spans .* cells"),
    "one wide row, many short.xlsx": (lambda: _sheet("<row>" + "<c><v>1</v></c>" * 20_000 + "</row>" + "<row/>" * 20_000),
                                      "spans .* cells"),
    "repeated rows.ods": (lambda: _parts(ODS, content=("<table:table-row>", FAR + '<table:table-cell '
        'office:value-type="string" '
                          'table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell>')), "spans .* cells"),
    "a long text in many cells.xlsx": (lambda: _shared(1_000_000, 10_000), "spans 10,000,[0-9,]+ letters"),
    "entities.xlsx": (lambda: _parts(XLSX, sheet1=("PERCTOT", "&i;")), "can't be opened as a workbook"),
    "entities.ods": (lambda: _parts(_parts(ODS, content=('<?xml version="1.0"?>', broken.ENTITIES.decode())),
                                    content=("PERCTOT", "&i;")), "can't be opened as a workbook"),
    "a workbook in binary.xlsx": (lambda: zipped({"xl/workbook.bin": b"x"}), ("no .xlsx or .ods workbook "
        "inside")),
    "ten million columns.csv": (lambda: b"URN," + b"x," * 10_000_000 + b"\n1\n", ("has a line of 20,000,004 "
        "bytes")),
    "thousands of columns.csv": (lambda: b"URN," + b"x," * 3_000 + b"\n1\n", "has a row of 3,002 cells"),
    "a very long line.csv": (lambda: CSV + b"100003," + b"9" * 100_000_000 + b"\n", ("has a line of "
        "100,000,007 bytes")),
    "a very long word.csv": (lambda: b"URN,PERCTOT," + b"pupilss" * 30_000 + b"\n1,2,3\n", ("not well-formed "
        "CSV")),
    "NUL.csv": (lambda: CSV + b"\0", "holds NUL bytes"),
    "ten thousand files.zip": (lambda: zipped({f"{n}.csv": "a,b\n" for n in range(10_000)}), ("holds 10,000 "
        "files")),
    "a zip in a zip.zip": (lambda: zipped({"2013_abs.zip": zipped({"2013_abs.csv": CSV})}), "holds no .csv"),
    "a link.zip": (_linked, "isn't any official file we know"),
    "two encodings.csv": (lambda: CSV[:20] + CSV[20:].decode().encode("utf-16"), "holds NUL bytes"),
}  # fmt: skip


@pytest.fixture(scope="module")
def readers() -> Iterator[reading.Reading]:
    """A process that reads within limits of memory and time, as benchmarks/fuzz.py has it."""
    held = reading.Reading([(name, content) for name, content in made.seeds(1) if re.search(made.BASE, name)])
    yield held
    held.close()


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_in_words_within_memory_and_time(readers, name):
    make, words = ATTACKS[name]
    verdict, about, _, seconds, memory = readers.read(f"2013 {name}", make(), 1)
    assert verdict == "refused" and re.search(words, about), about[:500]
    assert seconds < reading.SECONDS and memory < reading.MEMORY


@pytest.mark.filterwarnings("ignore:Duplicate name")  # meant
@pytest.mark.long
def test_a_few_hundred_broken_files_are_refused_in_words_or_read_rightly(tmp_path):
    told = fuzz(250, 5, seed=7, out=tmp_path)
    assert [row for row in told if row["verdict"] == "FAILED"] == []
    assert min(sum(row["verdict"] == verdict for row in told) for verdict in ("accepted", "refused")) > 50


def test_the_fuzzer_notices_what_is_accepted_wrongly(raw):
    path = raw / "2013_england_abs.csv"
    path.write_bytes(CSV)
    (release,) = files.read_file(path, raw)
    assert reading.wrong_release(release) == []
    right = release.records["absence"]
    for column, value in (("share_absence", 5.25), ("share_absence", float("inf")), ("urn", "1x")):
        release.records["absence"] = right.assign(**{column: value})
        (told,) = reading.wrong_release(release)
        assert told.startswith(f"absence.{column}: ")
    release.rows += 1
    release.records["absence"] = right
    assert reading.wrong_release(release) == ["2 rows of 3"]


# --- named: what fuzzing found ------------------------------------------------------------------------------


def test_a_figure_too_large_to_be_one_is_not_read_as_infinite(raw):
    for cell in ("1e999", "9" * 400):
        with pytest.raises(DataError, match="PERCTOT|count|number|share"):
            _read(raw, "2013_england_abs.csv", f"URN,PERCTOT\n100001,{cell}\n".encode())
    *_, bad = files.read_cells(pd.Series(["1e999", "12"], dtype="str"), "count")
    assert bad.tolist() == [True, False]


def _read(raw: Path, name: str, content: bytes) -> files.Release:
    path = raw / name
    path.write_bytes(content)
    (release,) = files.read_file(path, raw)
    return release


def test_an_old_workbook_is_refused_whatever_it_is_called(raw):
    """Its texts are shared by as many cells as it likes: a few bytes that the reader would copy sixteen
    million times.
    """
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096)
    for name, words in (
        ("2013_england_abs.xls", r"not \.xls\.\nSave it as one"),
        ("2013_england_abs.xlsx", "(?s)no .xlsx or .ods workbook inside.*save"),
    ):
        with pytest.raises(DataError, match=words):
            _read(raw, name, old)


def test_a_urn_in_the_figures_of_another_script_is_no_urn(raw):
    with pytest.raises(DataError, match="URNs are not numbers"):
        _read(raw, "2013_england_abs.csv", "URN,PERCTOT\n١٠٠٠٠١,5\n".encode())


def test_no_message_holds_what_would_drive_a_terminal(raw):
    for body in ("\x1b[2J,5\n\x1b[2J,4\n", "100001,\x1b[2J\n", "100001,5\n\x1b[2J,5\n"):
        with pytest.raises(DataError, match="row 2|row 3") as error:
            _read(raw, "2013_england_abs.csv", f"URN,PERCTOT\n{body}".encode())
        assert "\x1b" not in str(error.value)


def test_a_long_cell_is_shown_in_part(raw):
    with pytest.raises(DataError, match="x…”") as error:
        _read(raw, "2013_england_abs.csv", b"URN,PERCTOT\n100001," + b"x" * 100_000 + b"\n")
    assert len(str(error.value)) < 1000


def test_blank_rows_and_columns_to_the_end_of_a_sheet_do_no_harm(raw):
    tail = (
        '<table:table-row table:number-rows-repeated="1048570"><table:table-cell '
        'table:number-columns-repeated="16384"/>'
        "</table:table-row></table:table>"
    )
    release = _read(raw, "2013_england_abs.ods", _parts(ODS, content=("</table:table>", tail)))
    assert release.records["absence"]["urn"].tolist() == ["100001", "100002"]


def test_rows_of_nothing_but_borders_to_the_end_of_a_sheet_do_no_harm(raw):
    borders = "".join(
        f'<row r="{row}"><c r="A{row}" s="1"/><c r="XFD{row}" s="1"/></row>'
        for row in range(1_048_500, 1_048_577)
    )
    release = _read(
        raw, "2013_england_abs.xlsx", _parts(XLSX, sheet1=("</sheetData>", f"{borders}</sheetData>"))
    )
    assert release.records["absence"]["urn"].tolist() == ["100001", "100002"]


def test_a_formula_counts_as_the_value_last_worked_out(raw):
    content = _parts(XLSX, sheet1=("<v>5.25</v>", "<f>HYPERLINK(&quot;http://x&quot;)+1</f><v>5.25</v>"))
    assert _read(raw, "2013_england_abs.xlsx", content).records["absence"]["share_absence"].iloc[
        0
    ] == pytest.approx(0.0525)


@pytest.mark.parametrize("name", ["../../../2013_escaped.csv", "/2013_escaped.csv", "C:\\2013_escaped.csv"])
def test_a_name_in_an_archive_that_points_elsewhere_is_only_a_name(raw, name):
    before = sorted(raw.parents[1].rglob("*escaped*"))
    assert _read(raw, "x.zip", zipped({name: CSV})).rows == 2
    assert sorted(raw.parents[1].rglob("*escaped*")) == before == []


def test_a_description_of_columns_beside_the_data_is_passed_over(raw):
    assert (
        _read(
            raw,
            "2013.zip",
            zipped({"2013_england_abs.csv": CSV, "2013_england_abs_meta.csv": "Variable,Label\nURN,x\n"}),
        ).rows
        == 2
    )


# --- drawn --------------------------------------------------------------------------------------------------

_CELLS = st.one_of(
    st.sampled_from(broken.CELLS), st.text(max_size=8), st.integers(-10, 200).map(str), st.just("100002")
)


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.tuples(_CELLS, _CELLS, _CELLS), min_size=1, max_size=5),
    st.permutations(["URN", "PERCTOT", "LA"]),
)
def test_what_is_accepted_says_what_the_cells_say(raw, rows, headers):
    """The shares against a reading of their own, of the plainest kind."""
    out = io.StringIO()
    csv.writer(out).writerows([headers, *rows])
    try:
        release = _read(raw, "2013_england_abs.csv", out.getvalue().encode("utf-8", "replace"))
    except DataError as error:
        assert str(error).startswith("2013_england_abs.csv") and "\n" in str(error)
        return
    assert reading.wrong_release(release) == []
    held = release.records["absence"]
    assert len(held) + sum(release.set_aside.values()) == release.rows
    for urn, share in zip(held["urn"], held["share_absence"], strict=True):
        said = {
            row[headers.index("PERCTOT")]
            for row in rows
            if row[headers.index("URN")].strip().removesuffix(".0") == urn
        }
        plain = {
            float(text.strip(" %£").replace(",", ""))
            for text in said
            if re.fullmatch(r"\s*£?[+-]?[\d,.]+(e\d+)?%?\s*", text)
        }
        assert pd.isna(share) or any(
            share == pytest.approx(number / of) for number in plain for of in (1, 100)
        )


DAYS = st.dates(pd.Timestamp(1899, 12, 1).date(), pd.Timestamp(2999, 12, 31).date())


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(DAYS, min_size=1, max_size=3))
def test_an_inspection_of_any_day_from_1899_to_2999_is_refused_unless_it_can_have_been(raw, official, days):
    body = "\n".join(f"{100_001 + at} | {day:%d/%m/%Y} | 3" for at, day in enumerate(days))
    text = official("graded and ungraded", f"urn | latest.inspected_on | latest.overall\n{body}")
    can = [pd.Timestamp(1992, 9, 1) <= pd.Timestamp(day) <= pd.Timestamp(2023, 8, 31) for day in days]
    blank = [day.isoformat() in ("1899-12-30", "1899-12-31", "1900-01-01") for day in days]
    try:
        release = _read(raw, "as_at_31_August_2023.csv", text.encode())
    except DataError:
        assert not all(one or other for one, other in zip(can, blank, strict=True))
        return
    assert all(one or other for one, other in zip(can, blank, strict=True))
    assert release.records["latest"]["inspected_on"].notna().tolist() == can


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(_CELLS, _CELLS, _CELLS), max_size=4), st.sampled_from(list(registers.KINDS)))
def test_a_register_of_any_cells_is_refused_or_holds_only_what_can_be(rows, kind):
    names = registers.KINDS[kind].names
    filled = [
        {
            **dict.fromkeys(names, ""),
            **dict(zip(names, ("100001", "2025-09-01", "2025-09-02", *row), strict=False)),
        }
        for row in rows
    ]
    out = io.StringIO()
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(filled)
    schools = pd.DataFrame({"urn": [100001], "lineage": [100001], "trust_uid": [7], "la_code": [301]})
    checked = registers.check(
        out.getvalue().encode("utf-8", "replace"), "mine.csv", schools, pd.Timestamp(reading.TODAY), "trust-7"
    )
    assert (checked.rows is None) == bool(checked.problems)
    assert checked.rows is None or reading.wrong_rows(checked.rows, {100001}) == []
