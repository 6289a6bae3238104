"""A file to tables of text: its sheets, or the files in an archive, each within limits; what isn't data is
refused.
"""

import csv
import datetime
import io
import lzma
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

import pandas as pd

from headway.pipelines import sources
from headway.pipelines.files.cells import SHOWN, printable
from headway.pipelines.files.limits import MOST_COLUMNS, MOST_LINE, MOST_MEMBERS, limit, limit_workbook
from headway.pipelines.tables import DataError

HEADER_WITHIN = 20  # rows of title and notes that may stand above the headers
# RuntimeError where a part is locked with a password, or packed in a way Python can't unpack.
_BROKEN = (
    zipfile.BadZipFile,
    EOFError,
    zipfile.zlib.error,
    lzma.LZMAError,
    RuntimeError,
    OSError,
    ValueError,
)
MOST_SLIPPED = 0.1  # of the rows; a table of trusts of 2017 has one, “Mercers Company, The”


@dataclass
class Sheet:
    """A table of text: the first rows to find the headers in, and a way to read some columns whole."""

    label: str
    top: list[list[str]]
    text: bytes = b""  # in UTF-8, as CSV
    rows: Callable[[], list[list[object]]] = list
    title: str = ""  # of a sheet in a workbook

    def columns(self, header_row: int, positions: list[int]) -> tuple[dict[int, pd.Series], pd.Series]:
        """The cells below the headers, and which rows have more cells than there are headers, so that theirs
        slipped.
        """
        if not self.text:
            body = self.rows()[header_row + 1 :]
            cells = {p: pd.Series([_cell(row[p]) for row in body], dtype="str") for p in positions}
            return cells, pd.Series(False, index=range(len(body)))
        # A first line of our own, one cell wider than the headers, makes pandas show cells that stand beyond
        # them.
        headers, width = self.top[header_row], len(self.top[header_row])
        try:
            body = (
                pd.read_csv(
                    io.BytesIO(b"," * width + b"\n" + self.text),
                    skiprows=range(1, header_row + 1),
                    header=None,
                    dtype="str",
                    na_filter=False,
                    names=range(width + 1),
                    usecols=[*positions, width],
                    skip_blank_lines=False,
                    index_col=False,
                )
                .iloc[1:]
                .reset_index(drop=True)
            )
        except pd.errors.ParserError as error:
            raise DataError(f"{self.label} is not well-formed CSV: {error}.\nDownload it again.") from error
        # Two readers have now divided the text into rows and cells: the one that found the headers, and
        # pandas.
        if not len(body) or any(body.at[0, p].strip() != headers[p] for p in positions):
            raise DataError(
                f"{self.label} is not well-formed CSV: its quotation marks don't match.\nDownload it again."
            )
        body = body.iloc[1:].reset_index(drop=True)
        wide = body[width].str.strip().ne("")
        if wide.mean() > MOST_SLIPPED:
            rows = ", ".join(str(at + header_row + 2) for at in wide.index[wide][:SHOWN])
            raise DataError(
                f"{self.label} has {wide.sum()} rows with more cells than there are headers: row {rows}.\n"
                "A comma inside a cell needs quotation marks around the cell. Download it again."
            )
        # not twice in memory: a file may fill it
        return {p: body.pop(p).str.strip() for p in positions}, wide


def _cell(value: object) -> str:
    """A spreadsheet's cell as the text a CSV would have."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    return str(value)


def sheets(name: str, content: bytes) -> Iterator[Sheet]:
    ending = name.rsplit(".", 1)[-1].lower()
    _not_a_page(name, content[:200])
    if ending in ("xlsx", "xlsm", "ods"):
        yield from _workbook(name, content)
    elif ending in ("csv", "txt"):
        if b"\0" in content:
            raise DataError(f"{name} holds NUL bytes, so it is not CSV text.\nDownload it again.")
        try:
            content.decode("utf-8")
            text = content.removeprefix(b"\xef\xbb\xbf")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace").encode("utf-8")  # every Ofsted CSV, and GIAS
        _limit_lines(name, text)
        lines = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline="")
        try:
            top = [
                [cell.strip() for cell in row]
                for _, row in zip(range(HEADER_WITHIN), csv.reader(lines), strict=False)
            ]
        except csv.Error as error:
            raise DataError(f"{name} is not well-formed CSV: {error}.\nDownload it again.") from error
        if (width := max(map(len, top), default=0)) > MOST_COLUMNS:
            raise DataError(
                f"{name} has a row of {width:,} cells; we stop at {MOST_COLUMNS:,}.\nDownload it again."
            )
        yield Sheet(name, top, text=text)
    else:
        raise DataError(
            f"{name}: we read .csv, .xlsx, .ods and .zip, not .{ending}.\nSave it as one of these."
        )


def _not_a_page(name: str, start: bytes) -> None:
    if not start:
        raise DataError(
            f"{name} is empty (0 bytes).\nDownload it again, or take it away. Explore Education Statistics "
            "has served empty "
            "files while its zip of the whole release held them: take the file of that name out of it."
        )
    if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise DataError(f"{name} is a web page, not data.\nDownload it again from the publisher's page.")


def members(name: str, path: Path) -> Iterator[tuple[str, bytes]]:
    """The files in an archive that hold data, one at a time: a zip of many years would fill the memory at
    once.
    """
    with path.open("rb") as file:
        _not_a_page(name, file.read(200))
    try:
        with zipfile.ZipFile(path) as archive:
            wanted = [member for member in archive.infolist() if _holds_data(name, member)]
            if len(wanted) > MOST_MEMBERS:
                raise DataError(
                    f"{name} holds {len(wanted):,} files; we stop at {MOST_MEMBERS:,}.\nTake out what you "
                    "need."
                )
            for member in wanted:
                limit(name, [member])
                yield _inside(name, member), archive.read(member)
    except _BROKEN as error:
        raise DataError(f"{name} is not a whole zip file ({error}).\nDownload it again.") from error


def _holds_data(name: str, member: zipfile.ZipInfo) -> bool:
    inside = _inside(name, member)
    hidden = member.is_dir() or Path(member.filename).name.startswith(".")
    return (
        not hidden and inside.lower().endswith((".csv", ".xlsx", ".ods", ".txt")) and not _not_needed(inside)
    )


def _inside(name: str, member: zipfile.ZipInfo) -> str:
    """What we call a file in an archive; only a name, since nothing is ever unpacked to a place."""
    return printable(f"{name}/{member.filename}")


def _limit_lines(name: str, text: bytes) -> None:
    """Raises `DataError` where one of the first lines is longer than any row of headers: it would fill the
    memory.
    """
    start = 0
    for _ in range(HEADER_WITHIN):
        end = text.find(b"\n", start)
        if (length := (end if end >= 0 else len(text)) - start) > MOST_LINE:
            raise DataError(
                f"{name} has a line of {length:,} bytes; we stop at {MOST_LINE:,}.\nDownload it again."
            )
        if end < 0:
            return
        start = end + 1


def _workbook(name: str, content: bytes) -> Iterator[Sheet]:
    import python_calamine

    try:
        limit_workbook(name, content)
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        for sheet in book.sheet_names:
            cells = book.get_sheet_by_name(sheet)
            top = [
                [_cell(v) for v in row] for row in cells.to_python(skip_empty_area=False, nrows=HEADER_WITHIN)
            ]
            yield Sheet(
                f"{name} (sheet {printable(sheet)})",
                top,
                title=printable(sheet),
                rows=lambda cells=cells: cells.to_python(skip_empty_area=False),
            )
    except (python_calamine.CalamineError, expat.ExpatError, *_BROKEN) as error:
        raise DataError(f"{name} can't be opened as a workbook ({error}).\nDownload it again.") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # calamine's, which is no Exception
            raise
        raise DataError(f"{name} can't be opened as a workbook ({error}).\nDownload it again.") from error


def why_not_needed(path: Path, raw: Path) -> str | None:
    """Why a file in data/raw needs no reading, or None where it does."""
    if any(part.startswith(".") for part in path.relative_to(raw).parts):
        return "hidden"
    return _not_needed(path.relative_to(raw).as_posix())


def _not_needed(name: str) -> str | None:
    return next((why for pattern, why in sources.NOT_NEEDED if re.search(pattern, name.lower())), None)
