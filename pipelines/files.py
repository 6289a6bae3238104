"""One official file to rows under our names: recognised by its headers, every cell read or its blank explained.

Nothing here knows a header: `sources` does. All the problems of a file come in one message.
"""

import csv
import datetime
import difflib
import io
import lzma
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines import frameworks, sources
from pipelines.sources import Column, Layout, normalised
from pipelines.tables import DATE, DataError

HEADER_WITHIN = 20  # rows of title and notes that may stand above the headers
MOST_UNPACKED = 2_000_000_000  # bytes: the largest official archive unpacks to a tenth of this
MOST_SLIPPED = 0.1  # of the rows; a table of trusts of 2017 has one, “Mercers Company, The”
SHOWN = 5  # examples of each problem in a message
FEW_WIDE = 2  # rows with a cell too many (a comma without quotation marks) that are set aside; more, and the file is broken
SLIP = pd.Timedelta(days=366)  # a report dated so long after its file is a slip of the pen


@dataclass
class Release:
    """A file as read: its layout, its date, and for each record a frame of rows under our names.

    Frames share their index: the row's number in the file. `set_aside` counts rows left out, by reason.
    """

    name: str
    layout: Layout
    file_on: pd.Timestamp
    records: dict[str, pd.DataFrame]
    rows: int
    set_aside: Counter = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def schools(self) -> pd.DataFrame:
        return self.records.get("schools", pd.DataFrame(columns=["urn"]))


@dataclass
class _Sheet:
    """A table of text: the first rows to find the headers in, and a way to read some columns whole."""

    label: str
    top: list[list[str]]
    text: str = ""
    rows: Callable[[], list[list[object]]] = list
    wide: pd.Index = field(default_factory=lambda: pd.Index([]))  # rows with a cell too many, found on reading

    def columns(self, header_row: int, positions: list[int]) -> tuple[dict[int, pd.Series], pd.Series]:
        """The cells below the headers, and which rows have more cells than there are headers, so that theirs slipped."""
        if not self.text:
            body = self.rows()[header_row + 1 :]
            cells = {p: pd.Series([_cell(row[p]) for row in body], dtype="str") for p in positions}
            return cells, pd.Series(False, index=range(len(body)))
        # A first line of our own, one cell wider than the headers, makes pandas show cells that stand beyond them.
        width = len(self.top[header_row])
        try:
            body = pd.read_csv(
                io.StringIO("," * width + "\n" + self.text), skiprows=range(1, header_row + 2), header=None, dtype="str",
                na_filter=False, names=range(width + 1), usecols=[*positions, width], skip_blank_lines=False,
                index_col=False,
            ).iloc[1:].reset_index(drop=True)  # fmt: skip
        except pd.errors.ParserError as error:
            raise DataError(f"{self.label} is not well-formed CSV: {error}.\nDownload it again.") from error
        wide = body[width].str.strip().ne("")
        if wide.mean() > MOST_SLIPPED:
            rows = ", ".join(str(at + header_row + 2) for at in wide.index[wide][:SHOWN])
            raise DataError(
                f"{self.label} has {wide.sum()} rows with more cells than there are headers: row {rows}.\n"
                "A comma inside a cell needs quotation marks around the cell. Download it again."
            )
        return {p: body[p].str.strip() for p in positions}, wide


def _cell(value: object) -> str:
    """A spreadsheet's cell as the text a CSV would have."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    return str(value)


# --- opening ----------------------------------------------------------------------------------------------------------


def _sheets(name: str, content: bytes) -> Iterator[_Sheet]:
    ending = name.rsplit(".", 1)[-1].lower()
    if not content:
        raise DataError(f"{name} is empty (0 bytes).\nDownload it again, or take it away.")
    if content[:200].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise DataError(f"{name} is a web page, not data.\nDownload it again from the publisher's page.")
    if ending == "zip":
        yield from _members(name, content)
    elif ending in ("xlsx", "xlsm", "xls", "ods"):
        yield from _workbook(name, content)
    elif ending in ("csv", "txt"):
        if b"\0" in content:
            raise DataError(f"{name} holds NUL bytes, so it is not CSV text.\nDownload it again.")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")  # every Ofsted CSV, and GIAS
        lines = io.StringIO(text, newline="")
        try:
            top = [[cell.strip() for cell in row] for _, row in zip(range(HEADER_WITHIN), csv.reader(lines), strict=False)]
        except csv.Error as error:
            raise DataError(f"{name} is not well-formed CSV: {error}.\nDownload it again.") from error
        yield _Sheet(name, top, text=text)
    else:
        raise DataError(f"{name}: we read .csv, .xlsx, .ods and .zip, not .{ending}.\nSave it as one of these.")


def _members(name: str, content: bytes) -> Iterator[_Sheet]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = [m for m in archive.infolist() if not m.is_dir() and not Path(m.filename).name.startswith(".")]
            _limit(name, archive)
            for member in inside:
                if member.filename.lower().endswith((".csv", ".xlsx", ".ods", ".txt")):
                    yield from _sheets(f"{name}/{member.filename}", archive.read(member))
    except (zipfile.BadZipFile, EOFError, zipfile.zlib.error, lzma.LZMAError, RuntimeError, OSError, ValueError) as error:
        # RuntimeError where a member is locked with a password, or packed in a way Python can't unpack.
        raise DataError(f"{name} is not a whole zip file ({error}).\nDownload it again.") from error


def _limit(name: str, archive: zipfile.ZipFile) -> None:
    size = sum(member.file_size for member in archive.infolist())
    if size > MOST_UNPACKED:
        raise DataError(
            f"{name} would unpack to {size / 1e9:.1f} GB; we stop at {MOST_UNPACKED / 1e9:.0f}.\nDownload it again."
        )


def _workbook(name: str, content: bytes) -> Iterator[_Sheet]:
    import python_calamine

    try:
        if content[:2] == b"PK":  # all but .xls are zip files
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                _limit(name, archive)
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        for sheet in book.sheet_names:
            cells = book.get_sheet_by_name(sheet)
            top = [[_cell(v) for v in row] for row in cells.to_python(skip_empty_area=False, nrows=HEADER_WITHIN)]
            yield _Sheet(f"{name} (sheet {sheet})", top, rows=lambda cells=cells: cells.to_python(skip_empty_area=False))
    except (python_calamine.CalamineError, zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{name} can't be opened as a workbook ({error}).\nDownload it again.") from error


# --- recognising ------------------------------------------------------------------------------------------------------


@dataclass
class _Match:
    layout: Layout
    header_row: int
    found: dict[tuple[str, str], int]
    missing: list[Column]
    misspelt: list[tuple[str, str]]
    unread: list[str]


def _same_but_for_spelling(one: str, other: str) -> bool:
    """Whether two headers differ only in the spelling of long words: `effectivness`, `quntile`."""
    words, others = one.split(), other.split()
    return len(words) == len(others) and all(
        a == b
        or (a.isalpha() and b.isalpha() and min(len(a), len(b)) >= 6 and a[0] == b[0]
            and difflib.SequenceMatcher(None, a, b).ratio() >= 0.85)
        for a, b in zip(words, others, strict=True)
    )


def _match(headers: list[str], layout: Layout, header_row: int) -> _Match:
    places: dict[str, int] = {}
    for position, header in enumerate(headers):
        places.setdefault(normalised(header), position)
    found, absent = {}, []
    for record, column in layout.columns():
        at = next((places[normalised(h)] for h in column.headers if normalised(h) in places), None)
        if at is None:
            absent.append((record, column))
        else:
            found[record, column.name] = at
    left = {header: at for header, at in places.items() if header and at not in set(found.values())}
    misspelt = []
    wanted = sum(column.required for _, column in layout.columns())
    if left and sum(column.required for _, column in absent) <= wanted / 2:  # near enough to ask about spelling
        for record, column in absent.copy():
            near = {h for h in left for known in column.headers if _same_but_for_spelling(h, normalised(known))}
            if len(near) == 1:
                header = near.pop()
                found[record, column.name] = left.pop(header)
                misspelt.append((headers[found[record, column.name]], column.headers[0]))
                absent.remove((record, column))
    return _Match(layout, header_row, found, [c for _, c in absent if c.required], misspelt,
                  [headers[at] for at in left.values()])  # fmt: skip


def _recognise(name: str, sheets: list[_Sheet]) -> tuple[_Sheet, _Match]:
    """The sheet that holds the data, and the layout most of whose columns it has."""
    tried = [
        (sheet, _match(row, layout, number))
        for sheet in sheets
        for number, row in enumerate(sheet.top)
        if sum(1 for cell in row if cell) >= 2
        for layout in sources.LAYOUTS
    ]
    whole = [(sheet, match) for sheet, match in tried if not match.missing]
    if whole:
        return max(whole, key=lambda pair: len(pair[1].found))
    near = [(sheet, match) for sheet, match in tried if len(match.found) >= 2]
    if not near:
        raise DataError(
            f"{name} isn't any official file we know: no row of it has headers of ours.\n"
            "If it belongs elsewhere, take it out of the folder; if it is a new kind of file, add a layout for it to "
            "pipelines/sources.py."
        )
    sheet, match = min(near, key=lambda pair: (len(pair[1].missing) / (1 + len(pair[1].found)), -len(pair[1].found)))
    lines = [f"{name} isn't any release we know. It is nearest to: {match.layout.name}"]
    for column in match.missing:
        lines.append(f"  - {column.headers[0]}")
        close = difflib.get_close_matches(column.headers[0], match.unread, n=2, cutoff=0.5)
        lines += [f"  + {header}" for header in close]
    if not any(line.startswith("  +") for line in lines):
        lines += [f"  + {header}" for header in match.unread[:SHOWN]]
    lines.append("If a column was renamed, add its new spelling to that layout in pipelines/sources.py.")
    raise DataError("\n".join(lines))


# --- cells ------------------------------------------------------------------------------------------------------------

_DATES = (
    (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"), (r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y"), (r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y"),
    (r"\d{1,2} [A-Za-z]+ \d{4}", "%d %B %Y"), (r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{2}", "%d-%b-%y"),
)  # fmt: skip
_PLACEHOLDERS = ("1900-01-01", "1899-12-31", "1899-12-30")


def _dates(cells: pd.Series) -> pd.Series:
    days = pd.Series(pd.NaT, index=cells.index, dtype=DATE)
    for pattern, form in _DATES:
        fit = cells.str.fullmatch(pattern)
        if fit.any():
            days = days.where(~fit, pd.to_datetime(cells.where(fit), format=form, errors="coerce").astype(DATE))
    return days


def _numbers(cells: pd.Series) -> pd.Series:
    plain = cells.str.replace(r"[£,%\s]", "", regex=True).str.replace("\ufffd", "", regex=False)
    return pd.to_numeric(plain.where(plain.str.fullmatch(r"[-+]?\d*\.?\d+([eE][-+]?\d+)?")), errors="coerce")


def _words(cells: pd.Series, meanings: dict[str, float | bool | str]) -> pd.Series:
    return cells.str.lower().map(meanings)


_GRADES = {**{str(code): code for code in frameworks.GRADES}, **{f"{code}.0": code for code in frameworks.GRADES},
           **frameworks.GRADE_CODES, **dict.fromkeys(frameworks.CATEGORY_GRADES, 4)}  # fmt: skip
_STANDARDS = {**{word.lower(): code for word, code in frameworks.STANDARDS.items()},
              **{alias: frameworks.STANDARDS[word] for alias, word in frameworks.STANDARD_ALIASES.items()}}  # fmt: skip
_CATEGORIES = {**{code.lower(): code for code in frameworks.CATEGORIES},
               **{alias.lower(): code for alias, code in frameworks.CATEGORY_ALIASES.items()}}  # fmt: skip
_YES_NO = {"yes": True, "no": False, "met": True, "not met": False}


def read_cells(cells: pd.Series, kind: str) -> tuple[pd.Series, pd.Series, pd.Series]:
    """The values of a column of text, why each blank is blank, and which cells could not be understood.

    Each distinct text is read once. Suppressed, not applicable and not collected stay apart in the second result.
    """
    codes, texts = pd.factorize(cells)
    texts = pd.Series(texts, dtype="str")
    why = texts.str.lower().map(sources.BLANKS)
    if kind in ("grade", "standard", "yes_no", "category"):
        why = why.fillna(texts.str.lower().str.replace(r"\.0$", "", regex=True).map(frameworks.NOT_GRADES))
    live = texts.where(why.isna(), "")
    if kind in ("grade", "standard", "yes_no", "category"):
        meanings = {"grade": _GRADES, "standard": _STANDARDS, "yes_no": _YES_NO, "category": _CATEGORIES}[kind]
        values = _words(live, meanings)
    elif kind == "date":
        values = _dates(live)
        why = why.mask(texts.isin(_PLACEHOLDERS) | values.isin(pd.to_datetime(list(_PLACEHOLDERS))), "blank")
        values = values.where(why.isna())
    elif kind == "period":
        years = live.str.extract(r"^((?:19|20)[0-9]{2})[-/_ ]?(?:19|20)?([0-9]{2})$").astype("float64")
        values = (years[0] + 1).where((years[0] + 1) % 100 == years[1])
    elif kind in ("count", "number", "share", "money"):
        values = _numbers(live)
        if kind == "share" and (live.str.contains("%", regex=False).any() or values.max() > 1.5):
            values = values / 100
        if kind in ("count", "share", "money"):
            values = values.where(values >= 0)
        if kind == "share":
            values = values.where(values <= 1.0005).clip(upper=1.0)
    else:
        values = live.where(why.isna())
        if kind == "key":
            values = values.str.replace(r"\.0$", "", regex=True).str.upper()
    bad = values.isna() & why.isna()
    taken = pd.Series(values.to_numpy()[codes], index=cells.index, dtype=values.dtype)
    return taken, why.iloc[codes].set_axis(cells.index), bad.iloc[codes].set_axis(cells.index)


# --- a file's date ------------------------------------------------------------------------------------------------------

_MONTH = "|".join(sources.MONTHS)
_DAY_IN_NAME = re.compile(
    rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[\s_-]*(?P<m>{_MONTH})[a-z]*[\s_-]*(?P<y>20\d\d|\d\d(?!\d))"
    r"|(?P<iy>20\d\d)-?(?P<im>\d\d)-?(?P<id>\d\d)(?!\d)", re.IGNORECASE)  # fmt: skip


def day_in_name(name: str) -> pd.Timestamp | None:
    """The last day a file's name gives: 31_Aug_2023, 30Apr2014, 2019-12-31, 20260901. None where it gives none."""
    days = []
    for found in _DAY_IN_NAME.finditer(name):
        if found["y"]:
            year = int(found["y"]) + (2000 if len(found["y"]) == 2 else 0)
            parts = year, sources.MONTHS[found["m"][:3].lower()], int(found["d"])
        else:
            parts = int(found["iy"]), int(found["im"]), int(found["id"])
        try:
            days.append(pd.Timestamp(*parts))
        except ValueError:
            continue
    return days[-1] if days else None


def tables_year(name: str) -> int | None:
    """The year of the performance tables a file belongs to: 2019 for `2019_england_swf.csv` and for `2018-2019`."""
    span = re.search(r"(?<!\d)(20\d\d)[-_](20)?(\d\d)(?!\d)", name)
    if span and int(span[3]) == (int(span[1]) + 1) % 100:
        return int(span[1]) + 1
    single = re.search(r"(?<!\d)(20\d\d)(?!\d)", name)
    return int(single[1]) if single else None


def _public(period: int, layout: Layout, name: str) -> pd.Timestamp:
    month, day, after = next((when for pattern, when in sources.EARLIER_RELEASES if re.search(pattern, name, re.I)),
                             layout.public)  # fmt: skip
    return pd.Timestamp(period + after, month, day)


# --- the whole file ---------------------------------------------------------------------------------------------------


def read_file(path: Path, raw: Path) -> list[Release]:
    """What a file holds: one release, or several for an archive of several files.

    Raises `DataError` with every problem of the file: unknown headers, markers and grades, days in the future, URNs
    that repeat in a list of schools.
    """
    name = path.relative_to(raw).as_posix()
    sheets = list(_sheets(name, path.read_bytes()))
    if path.suffix.lower() != ".zip":
        return [_release(name, sheets)]
    parts: dict[str, list[_Sheet]] = {}
    for sheet in sheets:
        parts.setdefault(sheet.label.split(" (sheet ")[0], []).append(sheet)
    if not parts:
        raise DataError(f"{name} holds no .csv, .xlsx or .ods file.\nTake it away, or put the data file in its place.")
    return [_release(part, members) for part, members in parts.items()]


def _release(name: str, sheets: list[_Sheet]) -> Release:
    sheet, match = _recognise(name, sheets)
    layout = match.layout
    cells, slipped = sheet.columns(match.header_row, sorted(set(match.found.values())))
    aside: Counter[str] = Counter()
    notes = [f"read “{was}” as “{known}”" for was, known in match.misspelt]
    keys = {column.name: cells[match.found[record, column.name]] for record, column in layout.columns()
            if (record, column.name) in match.found and (column.name == "urn" or column.name in layout.only)}  # fmt: skip
    keep = pd.Series(True, index=slipped.index)
    keep &= _keep(~slipped, keep, aside, "more cells than headers: a comma without quotation marks")
    keep &= _keep(~keep.index.isin(sheet.wide), keep, aside, "more cells than there are headers: which is which is lost")
    if "urn" in keys:
        keep &= _keep(keys["urn"].str.lower() != "", keep, aside, "blank row")
        total = ~keys["urn"].str.fullmatch(r"\d+(\.0)?") & _is_total(cells, keys["urn"], layout)
        keep &= _keep(~total, keep, aside, "row of totals")
    for column, wanted in layout.only.items():
        keep &= _keep(keys[column].str.lower().isin(wanted), keep, aside, f"not one of the {column}s we use")
    if "urn" in keys:
        again = pd.DataFrame(cells)[keep].duplicated().reindex(keep.index, fill_value=False)
        keep &= _keep(~again, keep, aside, "the same row again")
    records, problems = {}, []
    for record, columns in layout.records.items():
        read: dict[str, pd.Series] = {}
        for column in columns:
            if (record, column.name) not in match.found:
                continue
            values, why, bad = read_cells(cells[match.found[record, column.name]][keep], column.kind)
            if bad.any():
                problems.append(_unread(column, cells[match.found[record, column.name]][keep][bad], match.header_row))
            read[column.name] = values
            if column.kind in ("count", "number", "share", "money"):
                read[f"{column.name}_why_blank"] = why
        records[record] = pd.DataFrame(read, index=keep.index[keep])
    release = Release(name, layout, _file_on(name, layout, records), records, len(keep), aside, notes)
    problems += _impossible(release, match.header_row)
    if problems:
        raise DataError("\n".join([f"{name}, read as “{layout.name}”:", *problems]))
    if match.unread:
        notes.append(f"{len(match.unread)} columns not needed")
    return release


def _keep(good: pd.Series, still: pd.Series, aside: Counter, reason: str) -> pd.Series:
    lost = int((still & ~good).sum())
    if lost:
        aside[reason] += lost
    return good


def _is_total(cells: dict[int, pd.Series], urns: pd.Series, layout: Layout) -> pd.Series:
    """Rows whose first cells say they sum others: NAT, LA."""
    marked = pd.Series(False, index=urns.index)
    if layout.summary:
        for values in cells.values():
            marked |= values.isin(layout.summary)
    return marked


def _unread(column: Column, cells: pd.Series, header_row: int) -> str:
    examples = "; ".join(f"row {index + header_row + 2}: “{text}”" for index, text in cells.head(SHOWN).items())
    expects = {"grade": "a grade 1-4 or its word", "standard": "a report-card grade", "date": "a day, as 31/08/2025",
               "category": "a category of concern", "yes_no": "yes or no", "share": "a share of at most 100%"}  # fmt: skip
    return (
        f"  {column.headers[0]}: {len(cells)} cells hold what we don't know as {expects.get(column.kind, column.kind)}: "
        f"{examples}.\n    If it is a new marker or grade, add it to BLANKS in pipelines/sources.py or to "
        "pipelines/frameworks.py."
    )


def _file_on(name: str, layout: Layout, records: dict[str, pd.DataFrame]) -> pd.Timestamp:
    """The day a file dates from: in its name, by its release calendar, or the newest day it holds; never earlier."""
    held = [
        frame[column]
        for record, frame in records.items()
        for column in frame
        if column in ("published_on", "changed_by") or (record == "register" and column == "ended_on")
    ]
    if layout.dated == "tables":
        year = tables_year(name)
        if year is None:
            raise DataError(
                f"{name} doesn't say which year's tables it is from.\n"
                "Put the year before its name (2019_england_swf.csv) or in its folder's (2018-2019)."
            )
        return _public(year, layout, name)
    if layout.dated == "period":
        periods = next(iter(records.values()))["period"]
        return _public(int(periods.max()), layout, name) if periods.notna().any() else pd.NaT
    named = day_in_name(name)
    if layout.dated == "as at" and named is not None:
        held = [days[days <= named + SLIP] for days in held]  # one slip must not move the whole file
    newest = max((day for days in held if pd.notna(day := days.max())), default=pd.NaT)
    if layout.dated == "as at" and named is None and pd.isna(newest):
        raise DataError(f"{name} doesn't say when it is from.\nPut its date in its name, as 31_August_2025.")
    days = [day for day in (named if layout.dated == "as at" else None, newest) if day is not None and pd.notna(day)]
    return max(days) if days else pd.NaT


def _impossible(release: Release, header_row: int) -> list[str]:
    """Days after the file's own date, and URNs that repeat where each school has one row."""
    problems = []
    as_at = day_in_name(release.name) or release.file_on
    for frame in release.records.values():
        for column in ("inspected_on", "ended_on"):
            if column in frame and release.layout.depth:
                late = frame[column][frame[column] > max(as_at, release.file_on if column == "ended_on" else as_at)]
                if len(late):
                    where = "; ".join(f"row {i + header_row + 2}: {day:%d/%m/%Y}" for i, day in late.head(SHOWN).items())
                    problems.append(
                        f"  {len(late)} inspections are dated after the file itself ({as_at:%d/%m/%Y}): {where}.\n"
                        "    Check the file's name and those cells."
                    )
    first = next(iter(release.records.values()))
    if "urn" in first:
        odd = first["urn"][~first["urn"].fillna("").str.fullmatch(r"\d{4,7}")]
        if len(odd):
            where = "; ".join(f"row {i + header_row + 2}: “{urn}”" for i, urn in odd.head(SHOWN).items())
            problems.append(f"  {len(odd)} URNs are not numbers of four to seven figures: {where}.")
        listed = release.layout.depth in (1, 2) or release.layout.dated == "tables" or "GIAS all data" in release.layout.name
        twice = first["urn"][first["urn"].duplicated(keep=False)]
        if listed and len(twice):
            shown = ", ".join(f"{urn} (rows {', '.join(str(i + header_row + 2) for i in rows)})"
                              for urn, rows in list(twice.groupby(twice).groups.items())[:SHOWN])  # fmt: skip
            problems.append(f"  {twice.nunique()} URNs stand on more than one row: {shown}.\n    Each school has one row.")
    return problems


def why_not_needed(path: Path, raw: Path) -> str | None:
    """Why a file in data/raw needs no reading, or None where it does."""
    name = path.relative_to(raw).as_posix().lower()
    if any(part.startswith(".") for part in path.relative_to(raw).parts):
        return "hidden"
    return next((why for pattern, why in sources.NOT_NEEDED if re.search(pattern, name)), None)


def numbers(values: pd.Series) -> pd.Series:
    """Text keys as whole numbers, blank where they are not."""
    return pd.to_numeric(values, errors="coerce").astype("Int64")


def first_known(*columns: pd.Series) -> pd.Series:
    """The first of the columns that has a value, row by row."""
    result = columns[0]
    for column in columns[1:]:
        result = result.where(result.notna(), column)
    return result


def blank(index: pd.Index, dtype: str = "float64") -> pd.Series:
    return pd.Series(np.nan if dtype == "float64" else pd.NA, index=index, dtype=dtype)
