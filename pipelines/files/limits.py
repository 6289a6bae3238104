"""How large a file may grow when it is opened: refused before anything is filled, since a full memory ends
the program.

A workbook's reader lays every sheet out whole, from its first cell to its last, and copies shared text into
each cell that shows it. A few bytes can so ask for terabytes, and the reader, which is not Python, then ends
the process.
"""

import io
import re
import zipfile
from collections.abc import Iterable
from xml.parsers import expat

import numpy as np

from headway.pipelines.tables import DataError

# bytes, of one file in an archive: the largest official one unpacks to a tenth of this
MOST_UNPACKED = 2_000_000_000
# times; text of official tables packs to a twentieth at most, nothing but one byte to a thousandth
MOST_PACKED = 200
SMALL = 50_000_000  # bytes: unpacked to less than this, a file may be packed as tightly as it likes
MOST_MEMBERS = 1_000  # files of an archive; a year's performance tables are fewer than a hundred
# bytes, unpacked, and letters in its cells; the largest official one has a twelfth of this
MOST_WORKBOOK = 300_000_000
# a workbook's sheets may span: Ofsted's list of ten years' inspections has 75,000 rows of 70
MOST_CELLS = 6_000_000
MOST_LINE = 1_000_000  # bytes, of a CSV's first rows
MOST_COLUMNS = 2_000  # the widest official table has 400

_REFERENCE = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]*)([0-9]+)[\"']")
_ROW = re.compile(rb"<(?:\w+:)?row\b")
_VALUE = re.compile(rb"<(?:\w+:)?[vt][\s>]")
_SHARED = re.compile(rb"<(?:\w+:)?c\b[^>]*\bt\s*=\s*[\"']s[\"'][^>]*>\s*<(?:\w+:)?v>\s*([0-9]{1,9})")
_STRING = re.compile(rb"<(?:\w+:)?si\b")


def limit(name: str, parts: Iterable[zipfile.ZipInfo], most: int = MOST_UNPACKED) -> None:
    """Raises `DataError` where files of an archive would unpack to more than we take, or are packed as no
    table can be.
    """
    parts = list(parts)
    size, packed = sum(part.file_size for part in parts), sum(part.compress_size for part in parts)
    if size > most:
        raise DataError(
            f"{name} would unpack to {size / 1e9:.1f} GB; we stop at {most / 1e9:g}.\nDownload it again."
        )
    if size > SMALL and size > MOST_PACKED * packed:
        raise DataError(
            f"{name} would unpack to {size / max(packed, 1):,.0f} times its size, which no table does.\n"
            "Download it again."
        )


def limit_workbook(name: str, content: bytes) -> None:
    """Raises `DataError` where a workbook's sheets span more cells, or hold more text, than we take."""
    # an .xls by another name: its shared texts could fill the memory, and nobody publishes it now
    if content[:2] != b"PK":
        raise DataError(
            f"{name} is no .xlsx or .ods workbook inside.\nOpen it, and save it as .xlsx or .csv."
        )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        limit(name, parts, MOST_WORKBOOK)
        names = {part.filename.lower() for part in parts}
        if not names & {"xl/workbook.xml", "content.xml"}:
            raise DataError(
                f"{name} is no .xlsx or .ods workbook inside.\nOpen it, and save it as .xlsx or .csv."
            )
        if "content.xml" in names:
            spans = _spans_ods(archive.read("content.xml"))
        else:
            spans = _spans_xlsx([archive.read(part) for part in parts if not part.is_dir()])
    for most, result, what in zip((MOST_CELLS, MOST_WORKBOOK), spans, ("cells", "letters"), strict=True):
        if result > most:
            raise DataError(
                f"{name} spans {result:,} {what}; we stop at {most:,}.\nA cell filled far from the table "
                "does that: delete the "
                "rows and columns beyond the table, or save the sheet as CSV."
            )


def _spans_xlsx(parts: list[bytes]) -> tuple[int, int]:
    """At most how many cells and letters; a sheet is any part with rows, since a workbook may call its parts
    what it likes.

    Cells may say where they stand, or follow on. Within a factor of four, if some do the one and some the
    other.
    """
    cells, used = 0, np.zeros(1, dtype="int64")
    for part in parts:
        pieces = _ROW.split(part)
        if len(pieces) == 1:
            continue
        rows, widest, named = 0, 0, set()
        for number, piece in enumerate(pieces[1:], start=1):
            if _VALUE.search(piece):  # some of Ofsted's sheets have a million rows of nothing but borders
                result = _REFERENCE.findall(piece)
                rows = max(rows, number, *(int(row[:9]) for row in {row for _, row in result}))
                widest = max(widest, piece.count(b"<c") + piece.count(b":c "))
                named |= {letters for letters, _ in result}
        cells += rows * max(widest, *map(_number, named), 0)
        shared = np.array(_SHARED.findall(part), dtype="int64")
        counts = np.bincount(shared[shared < 10_000_000]) if len(shared) else np.zeros(1, dtype="int64")
        longer, shorter = sorted((counts, used), key=len, reverse=True)
        used = longer + np.pad(shorter, (0, len(longer) - len(shorter)))
    lengths = np.array(
        [0, *(len(text) for part in parts for text in _STRING.split(part)[1:])], dtype="int64"
    )[1:]
    both = min(len(lengths), len(used))
    return cells, int((lengths[:both] * used[:both]).sum())


def _number(letters: bytes) -> int:
    """27 for AA."""
    number = 0
    for letter in letters[:6].upper():
        number = number * 26 + letter - 64
    return number


def _spans_ods(content: bytes) -> tuple[int, int]:
    """How many cells, from the first to the last filled one of each sheet, and letters, repeats counted as
    often as said.
    """
    spans = {"cells": 0, "letters": 0}
    at = {"row": 0, "column": 0, "height": 0, "width": 0, "letters": 0, "rows": 1, "columns": 1}

    def begin(tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rsplit(":", 1)[-1]
        said = {name.rsplit(":", 1)[-1]: value for name, value in attributes.items()}
        if tag == "table":
            at.update(row=0, height=0, width=0)
        elif tag == "table-row":
            at.update(column=0, letters=0, rows=_repeated(said, "number-rows-repeated"))
        elif tag in ("table-cell", "covered-table-cell"):
            at["columns"] = _repeated(said, "number-columns-repeated")
            at["column"] += at["columns"]
            if "value-type" in said or "formula" in said:
                filled()
            at["letters"] += at["columns"] * sum(map(len, said.values()))
        elif tag == "p":
            filled()

    def filled() -> None:
        at["width"] = max(at["width"], at["column"])
        at["height"] = at["row"] + at["rows"]

    def written(text: str) -> None:
        at["letters"] += at["columns"] * len(text)

    def end(tag: str) -> None:
        tag = tag.rsplit(":", 1)[-1]
        if tag == "table-row":
            at["row"] += at["rows"]
            spans["letters"] += at["letters"] * at["rows"] if at["height"] == at["row"] else 0
        elif tag == "table":
            spans["cells"] += at["height"] * at["width"]

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, written
    parser.buffer_text = True
    parser.Parse(content, True)
    return spans["cells"], spans["letters"]


def _repeated(said: dict[str, str], name: str) -> int:
    digits = said.get(name, "1")
    return int(digits[:9]) if digits.isdecimal() else 1
