"""A register to rows, or every problem it has: by row as a spreadsheet numbers them, and by column, all in
one go.

What a cell holds is shown only where it can be nothing but a figure or a day; nothing else is ever repeated,
because it could be a name. One set of rules serves a file just uploaded and all registers kept.
"""

import csv
import difflib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from headway.pipelines.registers.kinds import KINDS, MOST_LETTERS, Cell, Kind
from headway.pipelines.tables import DATE, DataError

MOST_BYTES = 20_000_000  # a full register of MOST_ROWS takes about 13 MB
MOST_ROWS = 100_000  # all schools of England, four times over
MOST_COLUMNS = 100
MOST_PROBLEMS = 10_000  # told one by one; more, and the rest are counted
SINCE = pd.Timestamp(2000, 1, 1)

_OWNER = re.compile(r"(trust|authority|school)-[0-9]{1,9}")
_NUMBER = r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_SAFE = re.compile(
    r"-?[0-9]{1,6}(\.[0-9]{1,3})?|20[0-9]{2}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/20[0-9]{2}"
)
_UNSEEN = "[\x01-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
# In words: an e-mail address, a title before a name, a National Insurance number, or any long number.
_PERSON = (
    r"(?i)@|\b(?:mr|mrs|ms|miss|mx|dr|prof|professor|sir|dame|rev|revd)\b\.?\s*[a-z]"
    r"|\b[a-z]{2}\s?[0-9]{2}\s?[0-9]{2}\s?[0-9]{2}\s?[a-d]\b|[0-9]{5}"
)
# In headers: the words of a column about one person, unless it is about a school, a trust or a programme.
_PERSONAL = re.compile(
    r"name|names|\w*surname|\w*forename|firstname|lastname|fullname|initials|e?mail|emails|nino|ni|insurance|dob|birth|"
    r"birthday|trn|reference|teacher_ref|phone|mobile|address|payroll"
)
_NOT_PERSONAL = {"school", "trust", "programme", "authority", "unique"}
_SIGNS = {b"PK": "a spreadsheet file", b"\xd0\xcf\x11\xe0": "a spreadsheet file", b"%PDF": "a PDF"}
_WRONG = {
    "unseen": ("holds a line break, a tab or another character that can't be seen", "Type the cell again."),
    "blank": ("is blank, and must be filled in", "Fill it in."),
    "formula": ("begins as a spreadsheet formula does (= + - @)", "Write the figure or word itself."),
    "number": ("is not a number", "Write figures only; leave the cell blank where you don't know."),
    "negative": ("is negative", "Write 0 for none, or leave the cell blank where you don't know."),
    "fraction": ("is not a whole number", "Count each person or thing as one, part-time or not."),
    "large": ("is more than {most:,}", "Check the figure: it should be one school's."),
    "urn": ("is not a URN", "Write the school's unique reference number, of four to seven figures."),
    "day": ("is not a day we can read", "Write it as 2025-09-01 or 01/09/2025."),
    "early": ("is before 2000", "Write the day the figures are of; never a date of birth."),
    "future": ("is in the future", "Write the day it happened, at the latest today."),
    "yes_no": ("is neither yes nor no", "Write yes or no, or leave the cell blank."),
    "long": (f"is longer than {MOST_LETTERS} letters", "Write the programme's name only."),
    "person": (
        "looks like a person's name, address or number",
        "Take it out: a register holds counts, never people.",
    ),
}


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file, a row or a cell, and what to do; `value` is the cell's text, or hidden."""

    file: str
    row: int | None
    column: str
    value: str
    wrong: str
    do: str

    def __str__(self) -> str:
        where = [f"row {self.row}"] * (self.row is not None) + [f"column {self.column}"] * bool(self.column)
        what = {"": "", "hidden": "the cell (not shown) "}.get(self.value, f"“{self.value}” ")
        return f"{', '.join(where) or 'the file'}: {what}{self.wrong}. {self.do}"


@dataclass
class Checked:
    """A checked file: its kind where the headers tell it, its rows only where nothing is wrong, and notes to
    pass on.
    """

    kind: Kind | None
    rows: pd.DataFrame | None
    problems: list[Problem]
    notes: list[str]


@dataclass
class _Sheet:
    """A file's cells as text: the register's columns it has, and rows with their numbers."""

    name: str
    owner: str | None
    kind: Kind | None = None
    columns: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


class _Found:
    """Problems as they are found; of one rule the first MOST_PROBLEMS, the rest counted."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.uncounted = 0

    def whole(self, sheet: _Sheet, wrong: str, do: str, row: int | None = None, column: str = "") -> None:
        self.problems.append(Problem(sheet.name, row, column, "", wrong, do))

    def cells(
        self,
        rows: pd.DataFrame,
        mask: pd.Series,
        column: str,
        wrong: str | pd.Series,
        do: str,
        bare: bool = False,
    ) -> None:
        """A problem for each row under the mask; `bare` ones don't show the cell."""
        at = np.flatnonzero(mask.to_numpy(dtype=bool))
        if not len(at):
            return
        self.uncounted += max(len(at) - MOST_PROBLEMS, 0)
        some = rows.iloc[at[:MOST_PROBLEMS]]
        said = [wrong] * len(some) if isinstance(wrong, str) else wrong.loc[some.index]
        texts = [""] * len(some) if bare else [_safe(text) for text in some[column]]
        self.problems += [
            Problem(file, number, column, text, what, do)
            for file, number, text, what in zip(some["file"], some["row"], texts, said, strict=True)
        ]

    def sorted(self) -> list[Problem]:
        order = {
            name: at
            for at, name in enumerate(dict.fromkeys(c for kind in KINDS.values() for c in kind.names))
        }
        told = sorted(self.problems, key=lambda p: (p.file, p.row or 0, order.get(p.column, -1)))
        more = self.uncounted + max(len(told) - MOST_PROBLEMS, 0)
        if more:
            last = Problem(
                told[0].file, None, "", "", f"there are {more:,} more problems", "Put these right first."
            )
            return [*told[:MOST_PROBLEMS], last]
        return told


def _safe(text: str) -> str:
    return text.strip() if _SAFE.fullmatch(text.strip()) else "hidden" if text.strip() else ""


def checked_owner(owner: str) -> str:
    if not _OWNER.fullmatch(owner):
        raise DataError(
            f"{owner!r} is no owner of a register.\n"
            "Write trust- and the trust's UID, authority- and the authority's code, or school- and the "
            "school's URN: trust-1234."
        )
    return owner


def check(
    content: bytes,
    name: str,
    schools: pd.DataFrame | None,
    today: pd.Timestamp,
    owner: str | None = None,
    trusts: pd.DataFrame | None = None,
) -> Checked:
    """What a register holds, or every problem it has, of which none repeats a word of it.

    `schools` and `trusts` are our tables of these names; without schools URNs can't be checked, which the
    notes say. With an `owner` each school has to have been the owner's on the day counted. Raises `DataError`
    only where `owner` is none.
    """
    result, problems, notes = read([(name, owner and checked_owner(owner), content)], schools, today, trusts)
    kind, rows = next(iter(result.items()), (None, None))
    return Checked(KINDS.get(kind or ""), None if problems else rows, problems, notes)


def read(
    files: Iterable[tuple[str, str | None, bytes]],
    schools: pd.DataFrame | None,
    today: pd.Timestamp,
    trusts: pd.DataFrame | None = None,
) -> tuple[dict[str, pd.DataFrame], list[Problem], list[str]]:
    """The rows of many registers by kind, every problem they have, and notes; a file is a name, its owner,
    its bytes.

    Rows have file, row, owner, lineage (blank where schools are not known) and the register's columns, read.
    """
    result, alike = _Found(), {}
    for name, owner, content in files:
        sheet = _Sheet(name, owner)
        _open(sheet, content, result)
        if sheet.kind:
            alike.setdefault((sheet.kind.name, sheet.columns), []).append(sheet)
    owned = None if schools is None else owned_by(schools, trusts)
    parts: dict[str, list[pd.DataFrame]] = {}
    for (kind, columns), sheets in alike.items():
        parts.setdefault(kind, []).append(_rows(KINDS[kind], columns, sheets, schools, owned, today, result))
    notes = (
        []
        if owned is not None
        else ["URNs could not be checked: there is no table of schools (`headway ingest` makes it)."]
    )
    return {kind: pd.concat(rows, ignore_index=True) for kind, rows in parts.items()}, result.sorted(), notes


# --- the file -----------------------------------------------------------------------------------------------


def _open(sheet: _Sheet, content: bytes, found: _Found) -> None:
    """Fill the sheet with the rows of a file, as far as they can be told apart."""
    text = _text(sheet, content, found)
    if text is None:
        return
    rows: list[list[str]] = []
    try:
        rows.extend(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        found.whole(
            sheet,
            "has a quotation mark that is never closed, or text after one",
            "Save it as CSV again.",
            row=len(rows) + 1,
        )
        return
    headers = [cell.strip().lower() for cell in rows[0]] if rows else []
    positions = _columns(sheet, headers, found)
    if not sheet.kind:
        return
    filled = False
    for number, row in enumerate(rows[1:], start=2):
        if not any(map(str.strip, row)):
            continue  # spreadsheets save blank rows too
        filled = True
        if len(row) == len(headers):
            sheet.rows.append(tuple([row[at] for at in positions]))
            sheet.numbers.append(number)
        else:
            found.whole(
                sheet,
                f"has {len(row)} cells, where there are {len(headers)} headers",
                "A comma inside a cell needs quotation marks around the cell.",
                row=number,
            )
    if not filled:
        found.whole(sheet, "has no rows below its headers", "Add a row for each school.")


def _text(sheet: _Sheet, content: bytes, found: _Found) -> str | None:
    sign = next((what for start, what in _SIGNS.items() if content.startswith(start)), None)
    lines = max(content.count(b"\n"), content.count(b"\r")) if len(content) <= MOST_BYTES else 0
    if not content.strip():
        wrong, do = "is empty", "Fill in the template and save it as CSV."
    elif sign:
        wrong, do = f"is {sign}, not CSV", "Open it, choose Save As, and save it as CSV (UTF-8)."
    elif content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:MOST_BYTES]:
        wrong, do = "holds NUL bytes or is in UTF-16, so we can't read it as text", "Save it as CSV (UTF-8)."
    elif len(content) > MOST_BYTES:
        wrong, do = (
            f"has more than {MOST_BYTES:,} bytes, where we stop",
            "Divide it among its owners, or drop old rows.",
        )
    elif content.count(b",") > MOST_COLUMNS * (lines + 1):
        wrong, do = (
            f"has rows of more than {MOST_COLUMNS} cells",
            "Start from `headway register template KIND`.",
        )
    elif lines > MOST_ROWS + 1:
        wrong, do = (
            f"has {lines - 1:,} rows; we stop at {MOST_ROWS:,}",
            "Take out blank rows, or divide it among its owners.",
        )
    else:
        for encoding in ("utf-8-sig", "cp1252"):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                continue
        wrong, do = "is in an encoding we don't know", "Save it as CSV (UTF-8)."
    found.whole(sheet, wrong, do)
    return None


def _columns(sheet: _Sheet, headers: list[str], found: _Found) -> list[int]:
    """Recognise the kind; tell what differs from its headers; where its columns stand."""
    shared = {name: sum(cell.name in headers for cell in kind.own) for name, kind in KINDS.items()}
    best = max(shared, key=shared.__getitem__)
    if shared[best] >= 2:
        sheet.kind = KINDS[best]
    elif len(headers) == 1 and re.search(r"[;\t]", headers[0]):
        found.whole(sheet, "has cells divided by semicolons or tabs", "Save it as CSV with commas.", row=1)
        return []
    else:
        found.whole(
            sheet,
            f"has the headers of no register we know ({', '.join(KINDS)})",
            "Start from `headway register template KIND`.",
            row=1,
        )
    wanted = sheet.kind.names if sheet.kind else []
    missing = [name for name in wanted if name not in headers]
    for at, header in enumerate(headers):
        letter = _letter(at)
        near = difflib.get_close_matches(re.sub(r"[\s-]+", "_", header[:60]), missing, n=1, cutoff=0.7)
        if header in wanted:
            if header in headers[:at]:
                found.whole(sheet, "stands there twice", "Take one of them out.", row=1, column=header)
        elif near:
            found.whole(
                sheet,
                f"its header is not one of ours; the nearest is {near[0]}",
                f"Write {near[0]}.",
                row=1,
                column=letter,
            )
        elif _personal(header):
            found.whole(
                sheet,
                "its header (not shown) is that of a column about people",
                "Take the column out: a register holds counts, never people.",
                row=1,
                column=letter,
            )
        elif sheet.kind:
            found.whole(
                sheet,
                "its header (not shown) is not one of ours",
                "Take the column out.",
                row=1,
                column=letter,
            )
    if missing:
        found.whole(
            sheet,
            f"the headers lack {', '.join(missing)}",
            f"Start from `headway register template {best}`.",
            row=1,
        )
    sheet.columns = tuple(name for name in wanted if name in headers)
    return [headers.index(name) for name in sheet.columns]


def _personal(header: str) -> bool:
    words = re.split(r"[^a-z]+", header.replace("e-mail", "email"))
    return any(_PERSONAL.fullmatch(word) for word in words) and not _NOT_PERSONAL & set(words)


def _letter(at: int) -> str:
    """The letter a spreadsheet gives a column: A, B ... Z, AA."""
    return (_letter(at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)


# --- cells --------------------------------------------------------------------------------------------------


def _rows(
    kind: Kind,
    columns: tuple[str, ...],
    sheets: list[_Sheet],
    schools: pd.DataFrame | None,
    owned: pd.DataFrame | None,
    today: pd.Timestamp,
    found: _Found,
) -> pd.DataFrame:
    """The rows of sheets with the same columns, read; what can't be read is blank, and a problem."""
    texts = pd.DataFrame(
        [row for sheet in sheets for row in sheet.rows], columns=list(columns), dtype="str"
    ).assign(
        file=np.repeat([sheet.name for sheet in sheets], [len(sheet.rows) for sheet in sheets]),
        owner=pd.Series([sheet.owner for sheet in sheets for _ in sheet.rows], dtype="str"),
        row=[number for sheet in sheets for number in sheet.numbers],
    )
    values = texts[["file", "owner", "row"]].copy()
    for cell in kind.columns:
        if cell.name not in columns:
            values[cell.name] = pd.Series(np.nan, index=texts.index).astype(
                DATE if cell.holds == "day" else "float64"
            )
            continue
        codes, different = pd.factorize(texts[cell.name])
        read, wrong = _understood(pd.Series(different, dtype="str"), cell, today)
        values[cell.name] = pd.Series(read.array[codes], index=texts.index)
        wrong = wrong[codes]
        for key in pd.unique(wrong):
            if key:
                what, do = _WRONG[key]
                bare = key == "blank"
                what = f"it {what}" if bare else what.format(most=cell.most)
                found.cells(texts, pd.Series(wrong == key), cell.name, what, do, bare)
    _check_days(values, texts, found)
    _check_parts(kind, values, texts, found)
    return _check_schools(values, texts, sheets, schools, owned, found)


def _understood(texts: pd.Series, cell: Cell, today: pd.Timestamp) -> tuple[pd.Series, np.ndarray]:
    """What each distinct text means in this column, and the first rule it breaks (a key of _WRONG, or
    nothing).
    """
    plain = texts.str.strip()
    blank = plain.eq("")
    broken = {"unseen": texts.str.contains(_UNSEEN, regex=True), "blank": blank & cell.required}
    figures = plain.str.fullmatch(_NUMBER)
    numeric = cell.holds in ("urn", "people", "number", "posts")
    broken["formula"] = plain.str.contains(r"^[=+@-]", regex=True) & ~(figures & numeric)
    if cell.holds != "words":
        broken["formula"] &= plain.ne("-")  # which people write for none
    if cell.holds == "urn":
        values = plain.where(plain.str.fullmatch(r"[0-9]{4,7}")).astype("float64")
        broken |= {"urn": ~blank & values.isna()}
    elif numeric:
        values = plain.where(figures).astype("float64") + 0.0  # so that -0 is 0
        broken |= {"number": ~blank & values.isna(), "negative": values < 0, "large": values > cell.most}
        if cell.holds != "posts":
            broken |= {"fraction": values.notna() & values.mod(1).ne(0)}
    elif cell.holds == "day":
        iso = pd.to_datetime(
            plain.where(plain.str.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")),
            format="%Y-%m-%d",
            errors="coerce",
        )
        british = plain.where(plain.str.fullmatch(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"))
        values = iso.fillna(pd.to_datetime(british, format="%d/%m/%Y", errors="coerce")).astype(DATE)
        broken |= {"day": ~blank & values.isna(), "early": values < SINCE, "future": values > today}
    elif cell.holds == "yes_no":
        values = plain.str.lower().map({"yes": 1.0, "no": 0.0}).astype("float64")
        broken |= {"yes_no": ~blank & values.isna()}
    else:
        values = plain.where(~blank)
        broken |= {"long": plain.str.len() > MOST_LETTERS, "person": plain.str.contains(_PERSON, regex=True)}
    wrong = np.select([mask.to_numpy(dtype=bool) for mask in broken.values()], list(broken), default="")
    return values.where(wrong == ""), wrong


# --- rows ---------------------------------------------------------------------------------------------------


def _check_days(values: pd.DataFrame, texts: pd.DataFrame, found: _Found) -> None:
    if {"counted_on", "recorded_on"} <= set(texts):
        found.cells(
            texts,
            values["recorded_on"] < values["counted_on"],
            "recorded_on",
            "is before counted_on",
            "Nothing can be written down before it is counted: check both days.",
        )


def _check_parts(kind: Kind, values: pd.DataFrame, texts: pd.DataFrame, found: _Found) -> None:
    """No part over its whole, alone or together; and no people in a programme without a name."""
    for parts in kind.wholes:
        whole, held = values[parts.whole], values[list(parts.names)]
        over = held.gt(whole, axis=0)
        for part in parts.names:
            if over[part].any():
                found.cells(
                    texts,
                    over[part],
                    part,
                    "is more than " + whole[over[part]].map("{:g}".format) + f", which is {parts.whole}",
                    "A part can't be more than its whole: check both.",
                )
        total = held.sum(axis=1)
        together = total.gt(whole) & ~over.any(axis=1)
        if together.any() and parts.whole in texts:
            found.cells(
                texts,
                together,
                parts.whole,
                "is less than "
                + total[together].map("{:g}".format)
                + f", to which {', '.join(parts.names)} add up",
                "Count each only once: check all of these.",
            )
    if "other_programme_name" in texts:
        nameless = values["other_programme"].gt(0) & texts["other_programme_name"].str.strip().eq("")
        found.cells(
            texts,
            nameless,
            "other_programme_name",
            "it is blank, though people are in that programme",
            "Write what the programme is called.",
            bare=True,
        )


def _check_schools(
    values: pd.DataFrame,
    texts: pd.DataFrame,
    sheets: list[_Sheet],
    schools: pd.DataFrame | None,
    owned: pd.DataFrame | None,
    found: _Found,
) -> pd.DataFrame:
    """Each URN a school, and its owner's; no school twice on one day. Returns the values with lineage."""
    lineage = pd.Series(np.nan, index=values.index)
    if schools is not None and owned is not None:
        lineage = (
            values["urn"].map(schools.drop_duplicates("urn").set_index("urn")["lineage"]).astype("float64")
        )
        found.cells(
            texts,
            values["urn"].notna() & lineage.isna(),
            "urn",
            "is no school in the table of schools",
            "Check the number; for a new school, get newer files and run `headway ingest`.",
        )
        known = set(owned["owner"])
        for sheet in sheets:
            if sheet.owner and sheet.owner not in known:
                found.whole(
                    sheet,
                    f"its owner, {sheet.owner}, has no school in the table of schools",
                    "Check the number.",
                )
        named = values[["owner", "counted_on"]].assign(lineage=lineage, row=range(len(values)))
        mine = named["row"].isin(_on_their_day(named, owned))
        others = ~mine & lineage.notna() & values["counted_on"].notna() & values["owner"].isin(known)
        found.cells(
            texts,
            others,
            "urn",
            "was not a school of this register's owner on the day counted",
            "Take the row out, or add the file for the owner whose school it was.",
        )
    values = values.assign(lineage=lineage, school=lineage.fillna(values["urn"]))
    key = ["file", "school", "counted_on"]
    again = values.duplicated(key) & values[key].notna().all(axis=1)
    if again.any():
        first = values.groupby(key)["row"].transform("first")[again].map("{:.0f}".format)
        found.cells(
            texts,
            again,
            "urn",
            "stands with the same counted_on on row " + first,
            "A school has one row for each day counted.",
        )
    return values.drop(columns="school")


def _on_their_day(named: pd.DataFrame, owned: pd.DataFrame) -> pd.Series:
    """The rows of which the owner had the school on the day counted."""
    pairs = named.merge(
        owned.astype({"lineage": "float64"}), on=["owner", "lineage"], how="inner", validate="many_to_many"
    )
    return pairs.loc[~(pairs["until_on"] < pairs["counted_on"]), "row"]


def owned_by(schools: pd.DataFrame, trusts: pd.DataFrame | None = None) -> pd.DataFrame:
    """Which lineages each owner may speak of: owner, lineage, and the last day it may speak of (`until_on`;
    blank for none).

    A register goes on when a school of its owner's gets a new URN. A trust may speak of a school until the
    day it left it, as the table `trusts` has it; what was written down before it joined came with the school.
    """
    named = {"trust": "trust_uid", "authority": "la_code", "school": "urn"}
    pairs = [
        schools.dropna(subset=[column]).assign(
            owner=lambda rows, kind=kind, column=column: (
                f"{kind}-" + rows[column].astype("int64").astype("str")
            )
        )[["owner", "lineage"]]
        for kind, column in named.items()
    ]
    always = (
        pd.concat(pairs, ignore_index=True)
        .drop_duplicates()
        .assign(until_on=pd.NaT)
        .astype({"until_on": DATE})
    )
    if trusts is None or trusts.empty:
        return always
    had = _had(trusts)
    dated = always["owner"].str.startswith("trust-") & always["lineage"].isin(had["lineage"])
    return pd.concat([always[~dated], had], ignore_index=True)


def _had(trusts: pd.DataFrame) -> pd.DataFrame:
    """Each lineage's trusts one after another, and the day it left each: when it joined the next, or by the
    first file that shows it elsewhere.
    """
    rows = trusts.sort_values(["lineage", "period", "known_on"], kind="stable")
    here = rows["trust_uid"].astype("float64").fillna(-1)
    stretch = (rows["lineage"].ne(rows["lineage"].shift()) | here.ne(here.shift())).cumsum()
    each = rows.groupby(stretch).agg(
        lineage=("lineage", "first"),
        uid=("trust_uid", "first"),
        joined_on=("joined_on", "max"),
        shown_on=("known_on", "first"),
    )
    following = each.shift(-1)
    left = (
        following["joined_on"].fillna(following["shown_on"]).where(following["lineage"].eq(each["lineage"]))
    )
    inside = each["uid"].notna()
    return pd.DataFrame(
        {
            "owner": "trust-" + each.loc[inside, "uid"].astype("int64").astype("str"),
            "lineage": each.loc[inside, "lineage"],
            "until_on": left[inside].astype(DATE),
        }
    )
