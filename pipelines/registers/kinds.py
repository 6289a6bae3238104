"""The three kinds of register, each declared once: its columns with a sentence a head would understand, and
their limits.
"""

import csv
import io
from dataclasses import dataclass

import pandas as pd

from headway.pipelines import tables
from headway.pipelines.tables import DATE, DataError

MOST_LETTERS = 100  # of a programme's name: longer, and it is about something else
MOST = 2_000  # people or posts: the largest school in England has a few hundred
ALLOWED = {
    "urn": "a number of four to seven figures; a school of the register's owner",
    "day": "a day, as 2025-09-01 or 01/09/2025, from 2000 to today",
    "people": "a whole number of people, 0 to {most:,}",
    "number": "a whole number, 0 to {most:,}",
    "posts": "a number, 0 to {most:,}; a half-time post counts as 0.5",
    "yes_no": "yes or no",
    "words": f"at most {MOST_LETTERS} letters; never a person's name or address",
}


@dataclass(frozen=True)
class Cell:
    """A column of a register: what its cells hold (a key of ALLOWED), one sentence, an example, and the most
    it may be.
    """

    name: str
    holds: str
    sentence: str
    example: str
    required: bool = False
    most: int = MOST

    @property
    def allowed(self) -> str:
        words = ALLOWED[self.holds].format(most=self.most)
        return f"{words}; must be filled in" if self.required else f"{words}; or blank, where not known"


@dataclass(frozen=True)
class Parts:
    """Columns that divide a whole: neither one of them nor their sum can be more than it."""

    names: tuple[str, ...]
    whole: str


@dataclass(frozen=True)
class Kind:
    """A kind of register. A row is a school on the day it counted.

    `sums` are made of columns before counts of one or two are made alike: name, the columns, a sentence.
    """

    name: str
    table: str
    about: str
    own: tuple[Cell, ...]
    wholes: tuple[Parts, ...]
    sums: tuple[tuple[str, tuple[str, ...], str], ...] = ()

    @property
    def columns(self) -> tuple[Cell, ...]:
        return _EVERY + self.own

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def summed(self) -> set[str]:
        return {part for _, parts, _ in self.sums for part in parts}

    @property
    def people(self) -> list[str]:
        """The columns made known that count people."""
        return [c.name for c in self.own if c.holds == "people" and c.name not in self.summed] + [
            n for n, *_ in self.sums
        ]

    @property
    def known_wholes(self) -> list[Parts]:
        """`wholes` among the columns made known: parts that are summed are named by their sum."""
        named = {parts: (name,) for name, parts, _ in self.sums}
        return [Parts(named.get(whole.names, whole.names), whole.whole) for whole in self.wholes]


_EVERY = (
    Cell("urn", "urn", "The school's unique reference number.", "100001", required=True),
    Cell("counted_on", "day", "The day the figures are true of.", "01/09/2025", required=True),
    Cell(
        "recorded_on",
        "day",
        "The day this row was written down; the figures count from the day after it.",
        "03/09/2025",
        required=True,
    ),
)
_MIDDLE = (
    ("npq_leading_teaching", "the NPQ in leading teaching"),
    ("npq_leading_behaviour_and_culture", "the NPQ in leading behaviour and culture"),
    ("npq_leading_literacy", "the NPQ in leading literacy"),
    ("npq_leading_primary_mathematics", "the NPQ in leading primary mathematics"),
    ("npq_senco", "the NPQ for SENCOs"),
    ("npq_early_years_leadership", "the NPQ in early years leadership"),
)
_SENIOR = (
    ("npq_senior_leadership", "the NPQ in senior leadership"),
    ("npq_headship", "the NPQ in headship"),
    ("npq_executive_leadership", "the NPQ in executive leadership"),
)
_MIDDLE_PARTS = (*(name for name, _ in _MIDDLE), "other_programme")
_SENIOR_PARTS = tuple(name for name, _ in _SENIOR)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "leadership-development",
            "leadership_development",
            "who is being developed as a leader",
            (
                Cell(
                    "teachers", "people", "Teachers in the school, leaders among them.", "24", required=True
                ),
                Cell("middle_leaders", "people", "Middle leaders in post.", "6", required=True),
                *(
                    Cell(
                        name,
                        "people",
                        f"Middle leaders now taking {words}; count each in one programme only.",
                        "0",
                    )
                    for name, words in _MIDDLE
                ),
                *(Cell(name, "people", f"People now taking {words}.", "0") for name, words in _SENIOR),
                Cell(
                    "other_programme",
                    "people",
                    "Middle leaders now taking another programme of leadership development.",
                    "2",
                ),
                Cell(
                    "other_programme_name",
                    "words",
                    "What that programme is called.",
                    "Trust middle leaders' year",
                ),
                Cell(
                    "finished",
                    "people",
                    "People who finished such a programme in the three years to the day counted.",
                    "5",
                ),
                Cell(
                    "finished_still_here", "people", "Of those who finished, people still in the school.", "4"
                ),
                Cell(
                    "promoted_inside",
                    "people",
                    "Of those who finished, people promoted inside the school.",
                    "3",
                ),
            ),
            (
                Parts(("middle_leaders",), "teachers"),
                Parts(_MIDDLE_PARTS, "middle_leaders"),
                Parts(("finished_still_here",), "finished"),
                Parts(("promoted_inside",), "finished"),
            ),
            (
                (
                    "in_middle_programmes",
                    _MIDDLE_PARTS,
                    "Middle leaders now in a programme for middle leaders, of whatever name.",
                ),
                (
                    "in_senior_programmes",
                    _SENIOR_PARTS,
                    "People now in a programme for senior leaders, heads or executives.",
                ),
            ),
        ),
        Kind(
            "improvement-capacity",
            "improvement_capacity",
            "who there is to lead improvement",
            (
                Cell("staff", "people", "Staff of the school, teachers and others.", "40", required=True),
                Cell(
                    "improvement_leaders",
                    "people",
                    "Staff who are improvement leaders (advanced improvers).",
                    "1",
                ),
                Cell(
                    "improvement_practitioners",
                    "people",
                    "Other staff who are improvement practitioners.",
                    "3",
                ),
                Cell(
                    "leaders_supporting_other_schools",
                    "people",
                    "Staff who support other schools as leaders.",
                    "1",
                ),
                Cell(
                    "head_improved_another_school",
                    "yes_no",
                    "Whether the head has led the improvement of another school.",
                    "yes",
                ),
                Cell(
                    "peer_reviews_done",
                    "number",
                    "Peer reviews of other schools in the year to the day counted.",
                    "2",
                    most=200,
                ),
                Cell(
                    "peer_reviews_received",
                    "number",
                    "Peer reviews of this school in the year to the day counted.",
                    "1",
                    most=200,
                ),
            ),
            (
                Parts(("improvement_leaders", "improvement_practitioners"), "staff"),
                Parts(("leaders_supporting_other_schools",), "staff"),
            ),
        ),
        Kind(
            "staff",
            "staff_register",
            "who stayed and who left, and posts nobody holds",
            (
                Cell(
                    "teachers_a_year_before",
                    "people",
                    "Teachers in the school a year before the day counted.",
                    "24",
                    required=True,
                ),
                Cell("stayed", "people", "Of those, teachers still in the school.", "20"),
                Cell("moved_school", "people", "Of those, teachers now in another state-funded school.", "3"),
                Cell(
                    "left_system", "people", "Of those, teachers no longer in any state-funded school.", "1"
                ),
                Cell("posts", "posts", "Teaching posts, filled or not.", "25"),
                Cell("vacant_posts", "posts", "Of those, posts nobody holds.", "1"),
                Cell(
                    "temporarily_filled_posts",
                    "posts",
                    "Of those, posts filled for less than a year; not among the vacant.",
                    "1",
                ),
                Cell(
                    "heads_in_three_years",
                    "number",
                    "Different heads in the three years to the day counted.",
                    "1",
                    most=30,
                ),
            ),
            (
                Parts(("stayed", "moved_school", "left_system"), "teachers_a_year_before"),
                Parts(("vacant_posts", "temporarily_filled_posts"), "posts"),
            ),
        ),
    )
}


def _table(kind: Kind) -> tables.Table:
    """What a kind makes known: its columns but for words and for those that go into a sum."""
    alike = " One or two people stand as 1.5."
    own = [
        tables.Column(cell.name, "float64", cell.sentence + (alike if cell.holds == "people" else ""))
        for cell in kind.own
        if cell.holds != "words" and cell.name not in kind.summed
    ]
    sums = [tables.Column(name, "float64", sentence + alike) for name, _, sentence in kind.sums]
    return tables.Table(
        kind.table,
        "a school on the day counted, by its own register",
        ("lineage", "counted_on"),
        (
            tables.Column("urn", "int64", _EVERY[0].sentence),
            tables.Column("lineage", "int64", "The school through its changes of URN: the URN it first had."),
            tables.Column(
                "owner", "str", "Whose register says so: trust-, authority- or school- and its number."
            ),
            tables.Column("counted_on", DATE, _EVERY[1].sentence),
            tables.Column(
                "known_on", DATE, "The day the row was written down; it counts from the day after."
            ),
            *own,
            *sums,
        ),
    )


TABLES: dict[str, tables.Table] = {kind.table: _table(kind) for kind in KINDS.values()}


def kind_named(name: str) -> Kind:
    if name not in KINDS:
        raise DataError(f"There is no register called {name}.\nThe kinds are {', '.join(KINDS)}.")
    return KINDS[name]


def template(kind: str) -> bytes:
    """An empty register: a CSV of the headers only, marked as UTF-8 so that a spreadsheet opens it
    rightly.
    """
    line = io.StringIO()
    csv.writer(line).writerow(kind_named(kind).names)
    return line.getvalue().encode("utf-8-sig")


def guide(kind: str) -> str:
    """How to fill a register in, as Markdown: one line a column, with an example and what is allowed."""
    told = kind_named(kind)
    columns = [f"| {c.name} | {c.sentence} | {c.example} | {c.allowed} |" for c in told.columns]
    wholes = [
        (
            f"- {_and(parts.names)} can't be more than "
            f"{parts.whole}{' together' if len(parts.names) > 1 else ''}."
        )
        for parts in told.wholes
    ]
    sums = [
        f"- {name} is made of {_and(parts)}: if any of them is filled in, a blank among the others counts "
        "as nobody; "
        "if all are blank, it is not known."
        for name, parts, _ in told.sums
    ]
    return "\n".join(
        [
            f"# {told.name}: {told.about}",
            "",
            "One row is one school on the day counted. Add a row each time you count; keep the earlier rows.",
            "",
            "| column | what it is | example | what is allowed |",
            "|---|---|---|---|",
            *columns,
            "",
            "## Rules",
            "",
            (
                "- Leave a cell blank where you don't know. Blank isn't 0: 0 says that you counted, and "
                "there "
                "were none."
            ),
            "- A row counts from the day after recorded_on. Put the day you really wrote it down: figures "
            "put together with "
            "hindsight would make the past look easier to foresee than it was.",
            *wholes,
            *sums,
            (
                "- Write no names of people, e-mail addresses, or numbers that belong to one person: the "
                "file "
                "would be refused."
            ),
            "- One or two people are shown as “fewer than 3”, never as the one or the other.",
            f"- Save it as CSV (UTF-8), then: `headway register check {told.name}.csv`.",
            "",
        ]
    )


def _and(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def shown(count: float) -> str:
    """A count of people in words that tell nobody apart."""
    if pd.isna(count):
        return "not known"
    if 0 < count < 3:
        return "fewer than 3"
    # half a person is what hides one or two
    return f"{count:g}" if float(count).is_integer() else f"about {count:.0f}"
