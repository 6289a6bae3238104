"""What a layout is: columns, the spellings of their headers, records; and cells that hold no value."""

import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

# --- cells that hold no value, and why ----------------------------------------------------------------------

BLANKS = {
    "": "blank",
    "null": "blank",
    "-": "not available",
    "na": "not available",
    "n/a": "not available",
    "nan": "blank",
    ":": "not available",
    "x": "not available",
    "..": "not available",
    "supp": "suppressed",
    "suppmat": "suppressed",
    "suppm": "suppressed",
    "nelig": "no eligible pupils",
    "c": "suppressed",
    "sp": "suppressed",
    "sn": "suppressed",
    "z": "not applicable",
    "not applicable": "not applicable",
    "dns": "did not supply",
    "ne": "no entries",
    "np": "not published",
    "lowcov": "low coverage",
    "new": "new school",
    "u": "low reliability",
    "low": "low reliability",
}

# --- columns ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A column we keep: our name for it, how to read it, and every official spelling, this layout's own one
    first.

    `kind` is one of key, text, date, grade, standard, yes_no, category, count, number, share, percent, money,
    period, word. A `percent` is of a hundred, 53 or 53%; a `share` is of one, 0.53, as a workbook holds a
    cell that shows 53%. A % sign is a cell's own unit, and says per cent in both. Nothing else does: 0.4 may
    be a small percentage. A `word` is one of `words`, which map official words to ours, or to nothing where
    they say there is none; any other stops us. Without `words` any will do. A `…` in a spelling stands for
    any words, or none, on its side of the last colon: see `fits`.
    """

    name: str
    kind: str
    headers: tuple[str, ...]
    required: bool = False
    words: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class LongForm:
    """How a file with a row for each group of a school's people becomes one row a school.

    `by` are the columns that say which people a row counts: Total in all but one of them, or it is left out.
    A measure is read from one column, and is the sum over some groups of one grouping; over none of them it
    is of everybody. `named_by` are the grouping and the group told again, and `slipping` the last columns
    from the last of `by` on.
    """

    by: tuple[str, ...]
    measures: dict[str, tuple[str, str, tuple[str, ...]]]
    named_by: tuple[str, str]
    slipping: tuple[str, ...]
    total: str = "total"


@dataclass(frozen=True)
class Layout:
    """A kind of file: what its rows are and which of our records each row becomes.

    `records` maps a record (`schools`, `latest`, `previous`, `ungraded`, or one of our tables) to its
    columns; a table's name may carry the year its figures are of, where that isn't the file's own:
    `results:2023`. `dated` says where the file's date comes from: `as at` (a day in its name), `tables` (the
    year of the performance tables it belongs to), `period` (a time period on each row), `content` (the newest
    day it holds) or `published` (the day its cover says it came out, months after the day in its name).
    `public` is, for `tables` and `period`, (month, day, years after the year the period ends in) of the
    release. `depth` is how many graded inspections of a school it can hold: 0 none, 1 the latest, 2 also the
    previous, 99 all. `not_needed` names rows that no table of ours is made of, by a column and its words. A
    row with a cell out of range is set aside; where that befalls more than one in a thousand of the other
    rows, the file stops us. `years` are, for all inspections of some years, the days between which all but a
    few of them were; for a `published` file, the days between which the day in its name must be. `sums` are
    measures that add up columns of the file. `every_school` says that a file lists every school open that
    day, so that one it leaves out had closed; `repeats` that a school may have several rows; `compiled` that
    it holds every inspection of the schools in it, and not every school.
    """

    name: str
    records: dict[str, tuple[Column, ...]]
    dated: str = "as at"
    public: tuple[int, int, int] = (1, 31, 1)
    depth: int = 0
    # keep rows whose column holds one of these
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)
    not_needed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    years: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()  # keys that mark a row of totals
    long_form: LongForm | None = None
    every_school: bool = False
    repeats: bool = False
    compiled: bool = False
    sums: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def columns(self) -> list[tuple[str, Column]]:
        return [(record, column) for record, columns in self.records.items() for column in columns]


def evened(word: str) -> str:
    """A word of a cell as compared: lower case, hyphens and underscores as spaces."""
    return re.sub(r"[\s_-]+", " ", word).strip().lower()


@functools.cache
def normalised(header: str) -> str:
    """A header as compared: its words and figures in lower case, “and” for “&”, whatever stands between and
    about them.

    So `16 – 19 study_programmes?` is `16-19 study programmes`, whatever kind of space or dash a spreadsheet
    made of it.
    """
    plain = unicodedata.normalize("NFKC", header).replace("&", " and ")
    # apostrophes, and marks that can't be seen
    plain = re.sub(r"['‘’`´\u00ad\u200b-\u200d\u2060\ufeff]", "", plain)
    return re.sub(r"[^a-z0-9%]+", " ", plain.lower()).strip()


def fits(header: str, spelling: str) -> bool:
    """Whether a header has the words of a spelling with `…` in it, in their order, and at the `…` any others
    or none.

    `Q… child is happy …: Agree %` is `Q1. My child is happy at this school: Agree %`, and not its `Strongly
    agree %`: what stands after the last colon is compared apart. A spelling without `…` fits by `normalised`
    alone.
    """
    halves = zip(_halves(header), _halves(spelling), strict=True)
    return "…" in spelling and all(
        _gaps(ours).fullmatch(normalised(theirs)) is not None for theirs, ours in halves
    )


def _halves(header: str) -> tuple[str, str]:
    before, _, after = header.rpartition(":")
    return before, after


@functools.cache
def _gaps(spelling: str) -> re.Pattern[str]:
    parts = [re.escape(normalised(part)) for part in spelling.split("…")]
    return re.compile(parts[0] + "".join(rf".*\b{part}" if part else ".*" for part in parts[1:]))


def key_column(name: str, *headers: str) -> Column:
    return Column(name, "key", headers, required=True)


def column(
    name: str, kind: str, *headers: str, required: bool = False, words: dict[str, str] | None = None
) -> Column:
    return Column(name, kind, headers, required, words or {})


def needed(columns: Iterable[Column], *names: str) -> tuple[Column, ...]:
    """The columns, those named required: what every release we know of has, and our tables can't do
    without.
    """
    return tuple(replace(column, required=column.required or column.name in names) for column in columns)
