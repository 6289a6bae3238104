"""Whether any file at all can crash, hang, fill the memory of, or lie its way past the readers.

    python benchmarks/fuzz.py [--files 10000] [--minutes 10] [--seed 1] [--out benchmarks/results/fuzz]

Small well-formed files of every release and register are broken in many ways, one after another; one that makes a reader go
where none before did is kept and broken further. Each has 2 GiB of memory, besides what the program takes, and 20 seconds,
in a process that may die.
Allowed are a `DataError` that helps, or a release whose every value is possible; of those some are ingested too. Anything
else is a failure: its bytes are saved, and the exit code is 1. The same seed gives the same files.
"""

import argparse
import ast
import builtins
import csv
import io
import multiprocessing
import os
import random
import re
import shutil
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

MEMORY, SECONDS = 2 << 30, 20  # allowed for one file
WATCHED = ("pipelines.files.", "pipelines.registers.")  # whose blocks of code tell whether a file is new to the readers
LARGEST = 300_000  # bytes of a file that is kept to be broken further
INGESTED = 100  # one in so many of the files that were read
BASE = r"edubasealldata.*csv|year_to_date.*2023.*csv"  # files that any other is ingested beside
TODAY = "2026-09-01"
CELLS = ("", " ", "0", "1", "2", "4", "5", "9", "-1", "1e999", "1e5", "nan", "inf", "-inf", "½", "٣", "101%", "0.5", "1,2", "£3",
         "NULL", "SUPP", "c", "z", "x", "low", "NA", "Total", "SM", "SWK", "Outstanding", "Good", "Yes", "No", "Inadequate",
         "31/12/1899", "01/01/1900", "1899-12-30", "29/02/1900", "31/12/2999", "2999-12-31", "31/02/2020", "0001-01-01",
         "9999-12-31", "1/1/1", "44197", "01/09/2023", "05/06/14", "202324", "209900", "190001", "201314", "100001", "100001.0",
         "1000000000", "00000", "٠٠٠٠٠١", "=1+1", "=HYPERLINK(\"http://x\")", "@SUM(A1)", "-A1", "+1", "\0", "\r", "\n", "\"",
         "'", ",", "\t", "\x1b[2J", "\u202e", "\ufeff", "\ufffd", "é", "x" * 300, "9" * 400, "1" * 19, "Mr Jo")  # fmt: skip
SPLICES = (b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x81", b"\xc3", b"<", b"PK\x03\x04")


# --- well-formed files ------------------------------------------------------------------------------------------------


def seeds(seed: int) -> list[tuple[str, bytes]]:
    """Made-up official files of every release, cut to a few rows, in every form; and made-up registers."""
    from pipelines import files
    from pipelines.synthesise import synthesise

    with tempfile.TemporaryDirectory() as held:
        raw, registers = Path(held) / "raw", Path(held) / "registers"
        synthesise(raw, seed=seed, schools=20, effect="none", registers=registers)
        named = [(path.relative_to(raw).as_posix(), _cut(path)) for path in sorted(raw.rglob("*"))
                 if path.is_file() and not files.why_not_needed(path, raw)]  # fmt: skip
        named += [(f"register/{path.parent.name}/{path.name}", _cut(path)) for path in sorted(registers.rglob("*.csv"))[:6]]
    official = [(name, content) for name, content in named if name.endswith(".csv") and not name.startswith("register")]
    for name, content in official[::6]:
        named += [(name.replace(".csv", f".{form}"), make(name, content)) for form, make in FORMS.items()]
    return [(re.sub(r"[^\w./-]", "_", name), content) for name, content in named]


def _cut(path: Path) -> bytes:
    content = path.read_bytes()
    return b"".join(content.splitlines(keepends=True)[:40]) if path.suffix == ".csv" else content


def _rows(content: bytes) -> list[list[str]]:
    text = content.decode("utf-8", "replace").removeprefix("\ufeff").replace("\0", "")
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        return [line.split(",") for line in text.split("\n")]


def _written(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8", "replace")


def _xlsx(name: str, content: bytes) -> bytes:
    import pyarrow as pa

    from pipelines.synthesise.sheets import workbook

    rows = _rows(content)
    width = max(map(len, rows))
    columns = list(zip(*([*row, *[""] * (width - len(row))] for row in rows), strict=True))
    sheet = pa.table([pa.array(column[1:], pa.string()) for column in columns], names=[column[0] for column in columns])
    return workbook(sheet, "Data")


def _ods(name: str, content: bytes) -> bytes:
    from xml.sax.saxutils import escape

    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    cells = ("".join(cell.format(escape(text)) for text in row) for row in _rows(content))
    rows = "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)
    spaces = " ".join(f'xmlns:{part}="urn:oasis:names:tc:opendocument:xmlns:{part}:1.0"' for part in ("office", "table", "text"))
    return _zipped([
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'),
        ("content.xml", f'<?xml version="1.0"?><office:document-content {spaces}><office:body><office:spreadsheet><table:table '
         f'table:name="Data">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'),
    ], zipfile.ZIP_STORED)  # fmt: skip


def _zip(name: str, content: bytes) -> bytes:
    return _zipped([(Path(name).name, content), (f"{Path(name).stem}_meta.csv", b"col_name,label\nurn,URN\n")])


def _zipped(members: list[tuple[str, str | bytes]], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for member, content in members:
            archive.writestr(zipfile.ZipInfo(member), content, how)
    return held.getvalue()


FORMS: dict[str, Callable[[str, bytes], bytes]] = {"xlsx": _xlsx, "ods": _ods, "zip": _zip}


# --- broken -----------------------------------------------------------------------------------------------------------


def broken(name: str, content: bytes, other: bytes, chance: random.Random) -> bytes:
    """The file broken in one to four ways, most of them inside its cells, so that readers get far with it."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        if name.endswith(".csv"):
            way = chance.choice((_cells, _cells, _columns, _lines, _encoding, _bytes, _splice))
        else:
            way = chance.choice((_parts, _parts, _parts, _archive, _bytes, _splice))
        content = way(content, other, chance)
    return content


def _bytes(content: bytes, other: bytes, chance: random.Random) -> bytes:
    held = bytearray(content)
    for _ in range(chance.choice((1, 3, 20))):
        if held:
            held[chance.randrange(len(held))] = chance.randrange(256)
    return bytes(held)


def _splice(content: bytes, other: bytes, chance: random.Random) -> bytes:
    a, b, c = (chance.randrange(len(content) + 1) for _ in range(3))
    theirs = other[: chance.randrange(1 + len(other))]
    piece = chance.choice((chance.choice(SPLICES), content[min(a, b) : max(a, b)], theirs, b""))
    return content[:c] + piece + content[chance.choice((c, max(a, c))) :]


def _cells(content: bytes, other: bytes, chance: random.Random) -> bytes:
    rows = _rows(content) or [[""]]
    for _ in range(chance.choice((1, 1, 2, 10))):
        row = chance.choice(rows)
        if row:
            old = chance.randrange(len(row))
            row[old] = chance.choice((*CELLS, row[old] + chance.choice(CELLS), chance.choice(chance.choice(rows) or [""])))
    return _written(rows)


def _columns(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """Columns in another order, twice, gone, wrongly named, shifted by a cell, or very many."""
    rows = [row for row in _rows(content) if row] or [[""]]
    width = min(map(len, rows))
    one, two = chance.randrange(width), chance.randrange(width)
    way = chance.randrange(6)
    for number, row in enumerate(rows):
        if way == 0:
            row[one], row[two] = row[two], row[one]
        elif way == 1:
            row.insert(two, row[one])
        elif way == 2:
            del row[one]
        elif way == 3 and number < 2:
            row[one], row[two] = row[two], row[one]
        elif way == 4 and chance.random() < 0.3:
            row.insert(one, chance.choice(CELLS))
        elif way == 5:
            row += [chance.choice(CELLS)] * chance.choice((3, 300, 3000))
    return _written(rows)


def _lines(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """Rows again, again with other figures, in another order, gone, from another file, of nothing, or very long."""
    rows = _rows(content) or [[""]]
    at = chance.randrange(len(rows))
    way = chance.randrange(7)
    again = [[cell if chance.random() < 0.8 else chance.choice(CELLS) for cell in rows[at]]] if way == 1 else [rows[at]]
    long = [["x" * chance.choice((10_000, 140_000, 2_000_000))]]
    new = (again, again, _rows(other)[:3], [[]] * 5, [[""] * len(rows[at])], long, [])[way]
    rows[at : at + (way == 6)] = new
    if way == 3:
        chance.shuffle(rows)
    return _written(rows)


def _encoding(content: bytes, other: bytes, chance: random.Random) -> bytes:
    text = content.decode("utf-8", "replace")
    ends = chance.choice(("\n", "\r", "\r\n", "\x85", "\u2028"))
    half = len(text) // 2
    mixed = text[:half].encode("cp1252", "replace") + "é–".encode() + text[half:].encode("utf-16-le")
    return chance.choice((
        text.encode("utf-16"), text.encode("utf-32"), text.encode("cp1252", "replace"), b"\xef\xbb\xbf" * 2 + content,
        text.replace("\n", ends).encode(), mixed,
        text.replace(",", chance.choice(";\t|")).encode(), (f"Title,{'é' * 50}\n" * chance.choice((1, 25)) + text).encode(),
    ))  # fmt: skip


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    f'<!ENTITY {name} "{f"&{of};" * 10}">'.encode() for name, of in zip("bcdefghi", "abcdefgh", strict=True)) + b"]>"  # fmt: skip
XML = (
    (rb"<c>|<c ", b'<c r="XFD1048576" '), (rb"<c>|<c ", b'<c r="A4294967295" '), (rb"<row>", b'<row r="1048576">'),
    (rb"<c>|<c ", b'<c t="s" '), (rb"<c>|<c ", b'<c t="e" '), (rb"<c>|<c ", b'<c s="9999" '), (rb"<t ?[^>]*>", b"<t>&i;"),
    (rb"<c( [^>]*)?>", b"<c><f>SUM(A1)</f>"), (rb"</sheetData>", b""), (rb"<is>", b"<is><is><is>"), (rb"<v>[^<]*", b"<v>1e308"),
    (rb"<v>[^<]*", b"<v>-1"), (rb"<text:p>", b"<text:p>&i;"),
    (rb'value-type="string"', b'value-type="date" office:date-value="x"'),
    (rb"<table:table-row>", b'<table:table-row table:number-rows-repeated="1048576">'),
    (rb"<table:table-cell", b'<table:table-cell table:number-columns-repeated="16384"'),
    (rb"<table:table-row>", b'<table:table-row table:number-rows-repeated="-1">'), (rb'^<\?xml[^>]*>', ENTITIES),
    (rb"sheet1.xml", b"../../../etc/passwd"), (rb'name="[^"]*"', b'name="' + b"x" * 10_000 + b'"'),
    (rb"<row>", b"<row/>" * 20_000 + b"<row>"), (rb"<row>", b"<row>" + b"<c/>" * 20_000), (rb">", b">" + b"<x>" * 50_000),
)  # fmt: skip


def _parts(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """One part of a workbook or archive broken: its bytes, or its XML, which may ask for terabytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            held = [(part.filename, archive.read(part)[:1_000_000]) for part in archive.infolist()]
    except (zipfile.BadZipFile, zipfile.zlib.error, EOFError, RuntimeError, OSError, ValueError):
        return _bytes(content, other, chance)
    if not held:
        return content
    at = chance.choice([place for place, (_, part) in enumerate(held) if len(part) > 200] or [0])
    name, part = held[at]
    if name.endswith(".csv"):
        part = broken(name, part, other, chance)
    elif chance.random() < 0.8:
        pattern, put = chance.choice(XML)
        part = re.sub(pattern, lambda _: put, part, count=chance.choice((1, 1, 1000)))
    else:
        part = _bytes(part, other, chance)
    held[at] = (name, part)
    return _zipped(held, zipfile.ZIP_STORED if held[0][0] == "mimetype" else zipfile.ZIP_DEFLATED)


def _archive(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """The archive with members that point elsewhere, lie about their size, are links, archives or bombs, or very many."""
    held = io.BytesIO(content)
    way = chance.randrange(9)
    try:
        with zipfile.ZipFile(held, "a") as archive:
            first = archive.infolist()[0].filename if archive.infolist() else "x.csv"
            name = {0: "../../../../tmp/2019_escaped.csv", 1: "/etc/2019_passwd.csv", 2: "C:\\2019_x.csv", 3: first,
                    4: "2019_\x1b[2J\n.csv"}.get(way, "2019_more.csv")  # fmt: skip
            info = zipfile.ZipInfo(name)
            if way == 5:
                info.external_attr = 0o120777 << 16  # a link
                archive.writestr(info, "/etc/passwd")
            elif way == 6:
                archive.writestr("2019_inner.zip", content)
                archive.writestr(zipfile.ZipInfo("2019_inner.zip.csv"), content)
            elif way == 7:
                archive.writestr(info, b" " * chance.choice((1_000_000, 120_000_000)), zipfile.ZIP_DEFLATED)
            elif way == 8:
                for number in range(chance.choice((20, 1200))):
                    archive.writestr(f"{number}.csv", "a,b\n")
            else:
                archive.writestr(info, chance.choice((b"", other[:5000], b"URN,PERCTOT\n100001,5\n")))
    except (zipfile.BadZipFile, struct.error, OSError, ValueError, NotImplementedError):  # it was broken before
        return content
    out = bytearray(held.getvalue())
    if chance.random() < 0.2 and (at := out.rfind(b"PK\x01\x02")) >= 0:
        out[at + 24 : at + 28] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x07"))
    return bytes(out)


# --- read, and judged -------------------------------------------------------------------------------------------------


def wrong_release(release: Any) -> list[str]:
    """What can't be in a release that was accepted."""
    import pandas as pd

    first = next(iter(release.records.values()))
    kept = release.rows - sum(release.set_aside.values())
    told = [] if (len(first) <= kept if release.layout.long_form else len(first) == kept) else [f"{len(first)} rows of {kept}"]
    allowed = {"grade": (1, 4), "standard": (1, 5), "share": (0, 1), "period": (1901, 2100), "count": (0, 1e300),
               "money": (0, 1e300), "number": (-1e308, 1e308)}  # fmt: skip
    for record, columns in release.layout.records.items():
        rows = release.records[record]
        for column in columns:
            if column.name not in rows:
                continue
            values = rows[column.name].dropna()
            if column.kind in allowed and not values.between(*allowed[column.kind]).all():
                told.append(f"{record}.{column.name}: {values.min()} to {values.max()}")
            inspected = column.name in ("inspected_on", "ended_on") and release.layout.depth
            if inspected and not values.between(pd.Timestamp(1992, 9, 1), release.file_on).all():
                told.append(f"{record}.{column.name}: {values.min()} to {values.max()}, of a file of {release.file_on}")
            if column.name == "urn" and not values.astype("str").str.fullmatch(r"[0-9]{4,7}").all():
                told.append(f"{record}.urn: {values.tolist()[:5]}")
    return told


def wrong_rows(rows: Any, urns: set[int]) -> list[str]:
    """What can't be in a register that was accepted."""
    told = [] if set(rows["urn"]) <= urns and (rows["recorded_on"] >= rows["counted_on"]).all() else ["URNs or days"]
    figures = rows.select_dtypes("number").drop(columns=["urn", "lineage", "row"])
    if not (figures.isna() | (figures.ge(0) & figures.le(1e6))).all(axis=None):
        told.append("figures")
    if not rows["counted_on"].between("2000-01-01", TODAY).all():
        told.append("counted_on")
    return told


def _watched() -> set[str]:
    """A set that gathers the blocks of code the readers go through, once they are imported after this.

    Each block is made to tell of itself as it is compiled: `sys.settrace` would slow all of pandas fivefold, and
    `sys.monitoring` is not in Python 3.11.
    """
    lines: set[str] = set()
    builtins.reached_ = lines.add  # type: ignore[attr-defined]
    usual = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, module: str) -> CodeType | None:
        if not module.startswith(WATCHED):
            return usual(loader, module)
        path = loader.get_filename(module)
        tree = ast.parse(loader.get_data(path))
        for node in ast.walk(tree):
            for block in (getattr(node, part, None) for part in ("body", "orelse", "finalbody")):
                if isinstance(block, list) and block and not isinstance(node, ast.Module | ast.ClassDef):
                    told = ast.parse(f"reached_('{module}:{block[0].lineno}')").body[0]
                    block.insert(0, ast.fix_missing_locations(ast.copy_location(told, block[0])))
        return compile(ast.fix_missing_locations(tree), path, "exec")

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
    return lines


class _Reader:
    """What a process of its own does with one file after another."""

    def __init__(self, folder: Path, base: list[tuple[str, bytes]], lines: set[str]) -> None:
        import pandas as pd

        from pipelines import ingest, tables

        for name, content in base:  # what a file is ingested beside
            (folder / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "raw" / name).write_bytes(content)
        ingest.ingest(folder / "raw", folder / "tables")
        self.folder, self.base, self.lines, self.today = folder, base, lines, pd.Timestamp(TODAY)
        self.schools = tables.read(folder / "tables", "schools")

    def read(self, name: str, content: bytes, number: int) -> tuple[str, str, list]:
        """The verdict (accepted, refused or FAILED), what about it, and the lines of the readers it went through."""
        from pipelines.tables import DataError

        self.lines.clear()
        try:
            if name.startswith("register/"):
                verdict = self._register(name.split("/")[1], content)
            else:
                verdict = self._official(name, content, number)
        except DataError as error:
            verdict = _helpful(str(error))
        except MemoryError:
            verdict = "FAILED", "MemoryError\n" + traceback.format_exc()
        except BaseException:
            verdict = "FAILED", traceback.format_exc()
        return *verdict, sorted(self.lines)

    def _register(self, owner: str, content: bytes) -> tuple[str, str]:
        from pipelines import registers

        checked = registers.check(content, "mine.csv", self.schools, self.today, owner)
        if checked.problems:
            return "refused", f"register: {checked.problems[0]}"
        wrong = wrong_rows(checked.rows, set(self.schools["urn"]))
        return ("FAILED", f"accepted wrongly: {wrong}") if wrong else ("accepted", "register")

    def _official(self, name: str, content: bytes, number: int) -> tuple[str, str]:
        from pipelines import files, ingest

        raw = self.folder / "one"
        path = raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        before = sorted(p for p in self.folder.rglob("*") if p.is_file())
        try:
            releases = files.read_file(path, raw)
            wrong = [problem for release in releases for problem in wrong_release(release)]
            if wrong:
                return "FAILED", f"accepted wrongly: {wrong}"
            if sorted(p for p in self.folder.rglob("*") if p.is_file()) != before:
                return "FAILED", "a file was written"
            if number % INGESTED == 0:
                for other, whole in self.base:
                    (raw / "base" / other).parent.mkdir(parents=True, exist_ok=True)
                    (raw / "base" / other).write_bytes(whole)
                ingest.ingest(raw, self.folder / "tables")
            return "accepted", releases[0].layout.name
        finally:
            shutil.rmtree(raw)


def _helpful(message: str) -> tuple[str, str]:
    """The verdict on an error: it names the file or what is missing, says what to do, and could stand on a screen."""
    told = message.count("\n") >= 1 and len(message) < 50_000 and all(c.isprintable() or c == "\n" for c in message)
    return ("refused", message) if told else ("FAILED", f"a message that doesn't help: {message[:2000]!r}")


def _kind(message: str) -> str:
    """A message without what differs from file to file."""
    first, *more = message.split("\n")
    if first.startswith("register: "):
        return "register: " + re.sub(r"“[^”]*”|[\d,.]+", "…", first.split(": ", 2)[2])[:60]
    line = more[0].strip() if ", read as “" in first else re.sub(r"^.*\.(csv|xlsx|ods|zip|txt)( \(sheet .*?\))?", "FILE", first)
    line = re.sub(r"^.*: [\d,]+ cells hold", "cells hold", line)
    return re.sub(r"\([^)]*\)|“[^”]*”|: .*|[\d,.]+", "…", line)[:70]


def _work(pipe: Any, base: list[tuple[str, bytes]], limits: bool) -> None:
    """Reads the files that come down a pipe, within limits of memory, and says what came of each."""
    with tempfile.TemporaryDirectory() as folder:
        reader = _Reader(Path(folder), base, _watched())
        if limits:
            import resource

            taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # calamine tells of its panics there
        pipe.send("ready")
        while task := pipe.recv():
            peak = Path("/proc/self/clear_refs")
            if peak.exists():
                peak.write_text("5")  # counts the most memory anew
            before = time.perf_counter()
            verdict = reader.read(*task)
            pipe.send((*verdict, time.perf_counter() - before, _most_memory()))


def _most_memory() -> int:
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 if found else 0


class Readers:
    """A process that reads, begun again whenever a file ends it or takes too long."""

    def __init__(self, base: list[tuple[str, bytes]]) -> None:
        self.base, self.process = base, None

    def read(self, name: str, content: bytes, number: int) -> tuple[str, str, list, float, int]:
        if self.process is None or not self.process.is_alive():
            self._begin()
        self.pipe.send((name, content, number))
        try:
            if self.pipe.poll(SECONDS):
                return self.pipe.recv()
            told = f"took more than {SECONDS} s"
        except EOFError:
            self.process.join()
            told = f"ended the process: exit code {self.process.exitcode}"
        self.close()
        return "FAILED", told, [], SECONDS, MEMORY

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_work, args=(other, self.base, sys.platform == "linux"), daemon=True)
        self.process.start()
        other.close()
        self.pipe.recv()

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()


# --- the run ----------------------------------------------------------------------------------------------------------


def fuzz(number: int, minutes: float, seed: int, out: Path) -> list[dict[str, Any]]:
    """Reads so many broken files, or as many as there is time for; a row for each, without its bytes."""
    whole = seeds(seed)
    base = [(name, content) for name, content in whole if re.search(BASE, name)]
    readers, known, corpus, told = Readers(base), set(), [], []
    until = time.monotonic() + 60 * minutes
    try:
        for at in range(number):
            if time.monotonic() > until:
                break
            chance = random.Random(f"{seed}-{at}")
            if at < len(whole):
                name, content = whole[at]
            else:
                name, content = chance.choice(chance.choice((whole, corpus or whole)))
                content = broken(name, content, chance.choice(whole)[1], chance)
            ingested = at if at >= len(whole) else 1
            verdict, about, lines, seconds, memory = readers.read(name, content, ingested)
            if at < len(whole) and verdict != "accepted":
                verdict, about = "FAILED", f"a well-formed file was refused: {about[:2000]}"
            new = {(Path(name).suffix, line) for line in lines} - known
            if new and len(content) < LARGEST:
                corpus.append((name, content))
            known |= new
            if verdict == "FAILED":
                out.mkdir(parents=True, exist_ok=True)
                (out / f"{at:06}{Path(name).suffix}").write_bytes(content)
                (out / f"{at:06}.txt").write_text(f"{name}\n{about}", "utf-8")
            told.append({"at": at, "name": name, "verdict": verdict, "about": about, "seconds": seconds, "memory": memory})
    finally:
        readers.close()
    print(f"{len(told):,} files tried, {len(corpus):,} of them new to the readers, {len(known):,} blocks of code reached")
    return told


def main() -> int:
    about = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    about.add_argument("--files", type=int, default=10_000)
    about.add_argument("--minutes", type=float, default=10)
    about.add_argument("--seed", type=int, default=1)
    about.add_argument("--out", type=Path, default=Path("benchmarks/results/fuzz"), help="where files that fail are put")
    chosen = about.parse_args()
    warnings.filterwarnings("ignore", "Duplicate name")  # meant
    began = time.monotonic()
    told = fuzz(chosen.files, chosen.minutes, chosen.seed, chosen.out)
    for verdict, count in Counter(row["verdict"] for row in told).most_common():
        print(f"{count:>7,}  {verdict}")
    print("\nrefused because")
    for kind, count in Counter(_kind(row["about"]) for row in told if row["verdict"] == "refused").most_common(40):
        print(f"{count:>7,}  {kind}")
    slow, large = (max(told, key=lambda row, by=by: row[by]) for by in ("seconds", "memory"))
    print(f"\nslowest: {slow['seconds']:.1f} s, file {slow['at']}, {slow['name']}: {_kind(slow['about'])}")
    print(f"most memory: {large['memory'] / 2**20:,.0f} MiB, file {large['at']}, {large['name']}: {_kind(large['about'])}")
    print(f"{time.monotonic() - began:.0f} s in all")
    failed = [row for row in told if row["verdict"] == "FAILED"]
    for row in failed[:40]:
        print(f"\nFAILED, file {row['at']} ({row['name']}): {row['about'].strip()[-800:]}")
    if failed:
        print(f"\n{len(failed)} failures; their bytes are in {chosen.out}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
