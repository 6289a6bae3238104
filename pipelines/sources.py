"""What each official file looks like, release by release: names, headers, markers, and when it became public.

An official header appears here and nowhere else. To read a renamed column, add its spelling to the column; to
read a new kind of file, add a `Layout`. Headers are compared by their words and figures alone, so only real
differences need a line. Those not named here are reported and left unread.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from headway.pipelines import frameworks

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


def _key(name: str, *headers: str) -> Column:
    return Column(name, "key", headers, required=True)


def _col(
    name: str, kind: str, *headers: str, required: bool = False, words: dict[str, str] | None = None
) -> Column:
    return Column(name, kind, headers, required, words or {})


def _needed(columns: Iterable[Column], *names: str) -> tuple[Column, ...]:
    """The columns, those named required: what every release we know of has, and our tables can't do
    without.
    """
    return tuple(replace(column, required=column.required or column.name in names) for column in columns)


# --- Ofsted: the school's own columns -----------------------------------------------------------------------

# The nine regions of England: closed words, and every spelling of the official files. One that isn't here
# stops us.
REGIONS = (
    "East Midlands",
    "East of England",
    "London",
    "North East",
    "North West",
    "South East",
    "South West",
    "West Midlands",
    "Yorkshire and the Humber",
)
REGION_WORDS = {
    **{evened(region): region for region in REGIONS},
    "yorkshire & the humber": "Yorkshire and the Humber",
    "yorkshire and humber": "Yorkshire and the Humber",
    "yorkshire & humber": "Yorkshire and the Humber",
    "eastern": "East of England",
    "inner london": "London",
    "outer london": "London",
    # In the register alone: service children's schools abroad, and schools of Wales that it still names.
    "not recorded": "",
    "wales (pseudo)": "",
    **{evened(marker): "" for marker in BLANKS},
}
_SCHOOL = (
    _key("urn", "URN"),
    _col("laestab", "key", "LAESTAB"),
    _col("name", "text", "School name", "schoolname"),
    _col("phase", "text", "Ofsted phase", "Phase"),
    _col("type", "text", "Type of education", "Type of school"),
    _col("opened_on", "date", "School open date"),
    _col("admissions", "text", "Admissions policy"),
    _col("has_sixth_form", "text", "Sixth form"),
    _col("religion", "text", "Designated religious character"),
    _col("faith", "text", "Faith grouping"),
    _col("region", "word", "Region", "Government Office Region", words=REGION_WORDS),
    _col("local_authority", "text", "Local authority", "Local Authority (Education)"),
    _col("constituency", "text", "Parliamentary constituency"),
    _col("trust_uid", "key", "Multi-academy trust UID"),
    _col("trust_name", "text", "Multi-academy trust name"),
    _col("postcode", "text", "Postcode"),
    _col(
        "idaci_quintile",
        "number",
        "The income deprivation affecting children index (IDACI) quintile",
        "The quntile for income deprivation affecting children index (IDACI)",
        "The income deprivation affecting children index (IDACI) 2010 quintile",
    ),
    _col("pupils", "count", "Total number of pupils", "Total pupils", "OB number on Roll"),
    _col("low_age", "number", "Statutory lowest age"),
    _col("high_age", "number", "Statutory highest age"),
)
_LISTED = _needed(_SCHOOL, "name", "phase")


def _judgements(prefix: str = "", **spelling: str) -> tuple[Column, ...]:
    """The judgements of one inspection under every spelling; `prefix` is what a previous inspection's
    carry.
    """
    known = {
        "overall": (
            "grade",
            "Overall effectiveness",
            "Overall effectiveness: how good is the school",
            "Overall effectivness",
        ),
        "category": ("category", "Category of concern", "Category"),
        "leadership": (
            "grade",
            "Effectiveness of leadership and management",
            "Leadership and management",
            "The effectiveness of leadership and management in embedding ambition and driving improvement",
        ),
        "quality_of_education": ("grade", "Quality of education"),
        "teaching": (
            "grade",
            "Quality of teaching, learning and assessment",
            "Quality of teaching",
            "The quality of teaching",
        ),
        "achievement": (
            "grade",
            "Outcomes for pupils",
            "Achievement of pupils",
            "Outcomes for children and learners",
            "Pupils' achievement and the extent to which they enjoy their learning",
            "Pupils' achievement (aggregated)",
        ),
        "behaviour": (
            "grade",
            "Behaviour and attitudes",
            "Personal development, behaviour and welfare",
            "Behaviour and safety of pupils",
            "Pupils' behaviour",
        ),
        "personal_development": ("grade", "Personal development"),
        "safeguarding": ("yes_no", "Safeguarding is effective", "Is safeguarding effective"),
        "early_years": (
            "grade",
            "Early years provision (where applicable)",
            "Early years provision",
            "Effectiveness of the Early Years provision",
            "Overall effectiveness of the Early Years Foundation stage",
        ),
        "sixth_form": (
            "grade",
            "Sixth form provision (where applicable)",
            "Sixth form provision",
            "16 to 19 study programmes (where applicable)",
            "16 - 19 study programmes",
            "Effectiveness of the sixth form provision",
            "Overall effectiveness of the sixth form",
        ),
        "middle_leadership": ("grade", "The leadership and management of teaching and learning"),
    }
    columns = []
    for name, (kind, *headers) in known.items():
        extra = spelling.get(name)
        named = ([extra] if extra else []) + [f"{prefix}{header}" if prefix else header for header in headers]
        columns.append(Column(name, kind, tuple(dict.fromkeys(named))))
    return tuple(columns)


_VISIT = (
    _col("inspection_number", "key", "Inspection number"),
    _col("inspection_type", "text", "Inspection type grouping", "Inspection type grouping (final)"),
    _col("event_type", "text", "Event type grouping"),
    _col("inspected_on", "date", "Inspection start date", required=True),
    _col("ended_on", "date", "Inspection end date"),
    _col("published_on", "date", "Publication date", "First published date"),
)
_UNGRADED_OUTCOME = _col(
    "ungraded_outcome",
    "text",
    "Outcomes for ungraded and monitoring inspections",
    "Ungraded inspection overall outcome",
    "Outcomes for S8 inspections that did not convert",
    "Outcomes for short inspections that did not convert",
    "Outcomes for section 8 inspections and short inspections that did not convert",
    "Outcomes for section 8 inspections that did not convert",
    "Outcomes for legacy monitoring inspections",
)


def _previous(kind: str = "inspection") -> tuple[Column, ...]:
    """The inspection before, as a 'latest' or all-inspections file names it; `kind` is its wording that
    year.
    """
    return (
        _col("inspection_number", "key", f"Previous {kind} number", "Previous inspection number"),
        _col("inspected_on", "date", "Previous inspection start date"),
        _col("ended_on", "date", "Previous inspection end date"),
        _col("published_on", "date", "Previous publication date"),
        _col("urn_then", "key", f"URN at time of previous {kind}", "URN at time of previous inspection"),
        *_judgements(
            "Previous ",
            overall=f"Previous {kind} overall effectiveness",
            sixth_form="Previous 16 - 19 study programmes",
        ),
    )


def _latest_of(kind: str) -> tuple[Column, ...]:
    return (
        _col("inspection_number", "key", f"Inspection number of latest {kind} inspection", required=True),
        *_needed(_VISIT[1:], "published_on"),
        _col("urn_then", "key", f"URN at time of latest {kind} inspection", required=True),
        *_needed(_judgements(), "overall", "leadership", "quality_of_education", "category"),
    )


def _ungraded(word: str, *, since: str) -> tuple[Column, ...]:
    """The latest inspection that gave no grade: `word` is 'ungraded', or 'section 8' to 2022."""
    return (
        _col(
            "inspection_number",
            "key",
            f"Latest {word} inspection number since last {since} inspection",
            f"Latest {word} inspection number",
        ),
        _col("inspected_on", "date", f"Date of latest {word} inspection", required=True),
        _col("published_on", "date", f"{word.capitalize()} inspection publication date"),
        _col("urn_then", "key", f"URN at time of the {word} inspection"),
        _col("ungraded_outcome", "text", f"{word.capitalize()} inspection overall outcome", required=True),
    )


# An area's header, and how its “date of grade” is headed where that differs.
_AREAS = {
    "inclusion": ("Inclusion", ""),
    "curriculum_and_teaching": ("Curriculum and teaching", ""),
    "achievement": ("Achievement", ""),
    "attendance_and_behaviour": ("Attendance and behaviour", ""),
    "personal_development_and_wellbeing": ("Personal development and wellbeing", ""),
    "leadership_and_governance": ("Leadership and governance", ""),
    "early_years": ("Early years (where applicable)", "Early years"),
    "post_16": ("Post-16 provision (where applicable)", "Post-16 provision"),
}
_REPORT_CARD = (
    _col("category", "category", "Category of concern", required=True),
    _col("safeguarding", "yes_no", "Safeguarding standards", required=True),
    *(
        _col(area, "standard", header, required=area not in frameworks.WHERE_APPLICABLE)
        for area, (header, _) in _AREAS.items()
    ),
)
# An area can be graded again at a monitoring visit: then this is the day its grade dates from.
_REGRADED = (
    _col("safeguarding_graded_on", "date", "Safeguarding standards - date of grade"),
    *(
        _col(f"{area}_graded_on", "date", f"{short or header} - date of grade", f"{header} - date of grade")
        for area, (header, short) in _AREAS.items()
    ),
)


def _compiled(date: str) -> tuple[Column, ...]:
    """The documented headers of a file that an analyst made of Ofsted's; no other header of a date will
    do.
    """
    return (
        _col("inspected_on", "date", date, required=True),
        _col("overall", "grade", "Overall effectiveness", required=True),
        _col("leadership", "grade", "Effectiveness of leadership and management"),
        _col("inspection_number", "key", "Inspection number"),
        _col("category", "category", "Category of concern"),
        _col("published_on", "date", "Publication date"),
    )


INSPECTIONS = (
    Layout(
        "Ofsted report cards, year to date, from November 2025",
        {
            "schools": _SCHOOL,
            "report_card": (
                *_needed(_VISIT, "inspection_number", "event_type", "published_on"),
                *_REPORT_CARD,
            ),
            "monitoring": (_UNGRADED_OUTCOME,),
        },
        depth=99,
        repeats=True,
        years=("2024-09-01", "2099-12-31"),
    ),
    Layout(
        "Ofsted latest report cards, from November 2025",
        {
            "schools": _LISTED,
            "report_card": (
                _col(
                    "inspection_number", "key", "Inspection number of latest full inspection", required=True
                ),
                *_needed(_VISIT[1:], "published_on"),
                _col("urn_then", "key", "URN at time of latest full inspection"),
                *_REPORT_CARD,
                *_REGRADED,
            ),
            "latest": (
                _col(
                    "inspection_number",
                    "key",
                    "Inspection number of latest OEIF graded inspection",
                    required=True,
                ),
                _col("inspection_type", "text", "Inspection type grouping of latest OEIF graded inspection"),
                _col("event_type", "text", "Event type grouping of latest OEIF graded inspection"),
                _col(
                    "inspected_on",
                    "date",
                    "Inspection start date of latest OEIF graded inspection",
                    required=True,
                ),
                _col(
                    "published_on", "date", "Publication date of latest OEIF graded inspection", required=True
                ),
                _col("urn_then", "key", "URN at time of latest OEIF graded inspection", required=True),
                *_needed(
                    _judgements("Latest OEIF "), "overall", "leadership", "quality_of_education", "category"
                ),
            ),
            "ungraded": _ungraded("ungraded", since="graded"),
        },
        depth=2,
        every_school=True,
    ),
    Layout(
        "Ofsted latest inspections, graded and ungraded, September 2022 to November 2025",
        {
            "schools": _LISTED,
            "ungraded": _ungraded("ungraded", since="graded"),
            "latest": _latest_of("graded"),
            "previous": _needed(_previous("graded inspection"), "inspected_on", "overall"),
        },
        depth=2,
        every_school=True,
    ),
    Layout(
        "Ofsted latest inspections, section 8 wording, December 2019 to August 2022",
        {
            "schools": _LISTED,
            "ungraded": _ungraded("section 8", since="full"),
            "latest": _latest_of("full"),
            "previous": _needed(_previous("full inspection"), "inspected_on", "overall"),
        },
        depth=2,
        every_school=True,
    ),
    Layout(
        "Ofsted all inspections, year to date, September 2019 on",
        {
            "schools": _SCHOOL,
            "inspection": (
                *_needed(_VISIT, "inspection_number", "event_type", "published_on"),
                _UNGRADED_OUTCOME,
                *_needed(_judgements(), "leadership", "quality_of_education", "category"),
            ),
            "previous": _previous(),
        },
        depth=99,
        repeats=True,
        years=("2018-09-01", "2026-08-31"),
    ),
    Layout(
        "Ofsted all inspections, September 2015 to August 2019",
        {
            "schools": _SCHOOL,
            "inspection": (
                *_needed(_VISIT, "inspection_number", "published_on"),
                _UNGRADED_OUTCOME,
                *_needed(
                    (
                        c
                        for c in _judgements()
                        if c.name not in ("quality_of_education", "personal_development")
                    ),
                    "overall",
                    "leadership",
                    "teaching",
                    "category",
                ),
            ),
            "previous": _previous(),
        },
        depth=99,
        repeats=True,
        years=("2014-09-01", "2019-12-31"),
    ),
    Layout(
        "Ofsted latest inspections, August 2016 to August 2019",
        {
            "schools": _SCHOOL,
            "ungraded": (
                _col("inspected_on", "date", "Date of latest short inspection", required=True),
                _UNGRADED_OUTCOME,
            ),
            "latest": (
                _VISIT[0],
                _col("inspected_on", "date", "Inspection date", "Inspection start date", required=True),
                _VISIT[5],
                *_needed(_judgements(), "overall", "leadership"),
            ),
            "previous": (
                _col(
                    "inspected_on", "date", "Previous full inspection date", "Previous inspection start date"
                ),
                *_judgements("Previous ", overall="Previous full inspection overall effectiveness"),
            ),
        },
        depth=2,
        every_school=True,
    ),
    Layout(
        "Ofsted all inspections, September 2005 to August 2015",
        {
            "schools": _SCHOOL,
            "inspection": (
                *_VISIT[:3],
                _col("inspected_on", "date", "Inspection start date", required=True),
                _col("ended_on", "date", "Inspection end date", required=True),
                _col("published_on", "date", "First published date", "Latest published date", required=True),
                *_needed(_judgements(), "overall", "leadership", "category"),
            ),
            "previous": (
                _col("inspection_number", "key", "Inspection number of the previous inspection"),
                _col("ended_on", "date", "Inspection end date of the previous inspection", required=True),
                _col("overall", "grade", "Previous inspection - Overall effectiveness"),
                _col("category", "category", "Previous inspection - Category"),
            ),
        },
        depth=99,
        repeats=True,
        years=("2004-09-01", "2015-12-31"),
    ),
    Layout(
        "Ofsted monthly management information, April 2013 to August 2015",
        {
            "schools": _LISTED,
            "latest": (
                _col("ended_on", "date", "Latest inspection date", required=True),
                *_needed(
                    _judgements(overall="Overall effectiveness: how good is the school"),
                    "overall",
                    "leadership",
                    "category",
                ),
            ),
            "previous": (
                _col("ended_on", "date", "Previous inspection date", required=True),
                _col("overall", "grade", "Previous overall effectiveness", required=True),
                _col("category", "category", "Previous category", required=True),
            ),
        },
        depth=2,
        every_school=True,
    ),
    Layout(
        "A list compiled by an analyst: each school's latest graded inspection",
        {"latest": (_key("urn", "URN"), *_compiled("Latest graded inspection date"))},
        depth=1,
    ),
    Layout(
        "A history compiled by an analyst: every graded inspection of the schools in it",
        {"history": (_key("urn", "URN"), *_compiled("Graded inspection date"))},
        depth=99,
        repeats=True,
        compiled=True,
    ),
)

# --- Department for Education: performance tables -----------------------------------------------------------

_LA = _col("la_code", "key", "LA", "LEA", "LA Number")
_ESTAB = _col("establishment_number", "key", "ESTAB", "Establishment Number")
_TOTALS = ("NAT", "LA", "ENG")

# Every column of shares in the Department's files is per cent. Seen: in the census a % sign in 2021 and from
# 2023, none in
# 2011-2019 and 2022 (the guide to 2016 says PCT1, to 2019 99.9; 100 times the counts beside them, in every
# year); in absence never a sign (the guide says PCT); in results always one. By public code that reads the
# official files: the supporting workbook, and the percentages of Explore Education Statistics. Of `rate` and
# `temprate` only the publication's own tables, which call a rate of 0.5 half a per cent of posts: small
# figures are the rule there.

_AT_11 = (
    _key("urn", "URN"),
    _col("record_type", "key", "RECTYPE", required=True),
    _col("pupils_at_11", "count", "TELIG"),
    _col("share_expected_standard", "percent", "PTRWM_EXP"),
    _col("share_expected_standard_disadvantaged", "percent", "PTRWM_EXP_FSM6CLA1A"),
    _col("share_higher_standard", "percent", "PTRWM_HIGH"),
    _col("reading_score", "number", "READ_AVERAGE"),
    _col("maths_score", "number", "MAT_AVERAGE"),
    _col("grammar_score", "number", "GPS_AVERAGE"),
)
_PROGRESS_TO_11 = (
    _col("reading_progress", "number", "READPROG", required=True),
    _col("writing_progress", "number", "WRITPROG"),
    _col("maths_progress", "number", "MATPROG", required=True),
)
# The two years before stand beside a year's results, under the same headers with the year: `PTRWM_EXP_24` is
# 2023/24's.
_EARLIER_AT_11 = {
    f"results:{year}": tuple(
        _col(name, kind, f"{header}_{year % 100}")
        for name, kind, header in (
            ("share_expected_standard", "percent", "PTRWM_EXP"),
            ("share_higher_standard", "percent", "PTRWM_HIGH"),
            ("reading_score", "number", "READ_AVERAGE"),
            ("maths_score", "number", "MAT_AVERAGE"),
            ("grammar_score", "number", "GPS_AVERAGE"),
        )
    )
    for year in range(2023, 2041)
}
_AT_16 = (
    _key("urn", "URN"),
    _col("record_type", "key", "RECTYPE", required=True),
    _col("pupils_at_16", "count", "TPUP"),
    _col("attainment_8", "number", "ATT8SCR", required=True),
    _col("attainment_8_disadvantaged", "number", "ATT8SCR_FSM6CLA1A"),
    _col("share_basics_95", "percent", "PTL2BASICS_95"),
    _col("share_basics_94", "percent", "PTL2BASICS_94"),
    _col("share_ebacc_entered", "percent", "PTEBACC_E_PTQ_EE"),
    _col("ebacc_points", "number", "EBACCAPS"),
    _col("school_kind", "text", "NFTYPE"),
)

TABLES = (
    Layout(
        "Performance tables: census of pupils",
        {
            "census": (
                _key("urn", "URN"),
                _LA,
                _ESTAB,
                _col("laestab", "key", "LAESTAB"),
                _col("school_type", "text", "SCHOOLTYPE"),
                _col("pupils", "count", "NOR", "TOTPUPSENDN", required=True),
                _col("share_girls", "percent", "PNORG"),
                _col("share_ehcp", "percent", "PSENELSE", "PTOTSENST"),
                # To 2014 the same need was split in two steps of action; 2012 gives statements and the second
                # as one.
                _col("share_sen_support", "percent", "PSENELK"),
                _col("share_school_action", "percent", "PSENA"),
                _col("share_school_action_plus", "percent", "PSENSAP"),
                _col("share_eal", "percent", "PNUMEAL", required=True),
                _col("share_fsm", "percent", "PNUMFSM"),
                _col("pupils_fsm", "count", "NUMFSM"),
                _col("share_fsm_ever", "percent", "PNUMFSMEVER"),
            )
        },
        dated="tables",
        public=(1, 31, 1),
        summary=_TOTALS,
        # in the census from 2019; one of 2025 has 104.17%
        not_needed={"school_type": ("independent school",)},
    ),
    Layout(
        "Performance tables: absence of pupils",
        {
            "absence": (
                _key("urn", "URN"),
                _LA,
                _ESTAB,
                _col("share_absence", "percent", "PERCTOT", required=True),
                # The line moved: 15% of sessions to 2015, 10% from 2016. Kept apart.
                _col("share_persistent_absence_15", "percent", "PPERSABS15"),
                _col("share_persistent_absence_10", "percent", "PPERSABS10"),
            )
        },
        dated="tables",
        public=(4, 30, 1),  # a full year's absence comes out in March
        summary=_TOTALS,
    ),
    Layout(
        "Performance tables: school workforce",
        {
            "workforce": (
                _key("urn", "URN"),
                _LA,
                _ESTAB,
                _col("school_phase", "text", "School Phase"),
                _col(
                    "teachers_headcount",
                    "count",
                    "Total Number of Teachers (Headcount)",
                    "NTEA",
                    required=True,
                ),
                _col(
                    "assistants_headcount",
                    "count",
                    "Total Number of Teaching Assistants (Headcount)",
                    "NTEAAS",
                ),
                _col(
                    "support_headcount",
                    "count",
                    (
                        "Total Number of Non Classroom-based School Support Staff, Excluding Auxiliary Staff "
                        "(Headcount)"
                    ),
                    "Total Number of Non Classroom-based School Support Staff, Exclud",
                    "NNONTEA",
                ),
                _col(
                    "teachers_fte",
                    "number",
                    "Total Number of Teachers (Full-Time Equivalent)",
                    "NFTETEA",
                    required=True,
                ),
                _col(
                    "assistants_fte",
                    "number",
                    "Total Number of Teaching Assistants (Full-Time Equivalent)",
                    "NFTETEAAS",
                ),
                _col(
                    "support_fte",
                    "number",
                    "Total Number of Non Classroom-based School Support Staff, Excluding Auxiliary Staff "
                    "(Full-Time Equivalent)",
                    "Total Number of Non Classroom-based School Support Staff, Exclu1",
                    "NFTENONTEA",
                ),
                _col("pupils_per_teacher", "number", "Pupil: Teacher Ratio", "RATPUPTEA"),
                _col(
                    "mean_salary",
                    "money",
                    "Mean Gross FTE Salary of All Teachers (£s)",
                    "Mean Gross FTE Salary of All Teachers",
                    "SALARY",
                ),
            )
        },
        dated="tables",
        public=(1, 31, 1),
        summary=_TOTALS,
    ),
    Layout(
        "School workforce tables (supporting workbook)",
        {
            "workforce": (
                _key("urn", "URN"),
                _col("laestab", "key", "LAEstab"),
                _col("la_code", "key", "LA Number"),
                _col("establishment_number", "key", "Establishment Number"),
                _col("school_phase", "text", "School Phase"),
                _col("teachers_headcount", "count", "Total Number of Teachers (Headcount)", required=True),
                _col(
                    "classroom_teachers_headcount", "count", "Total Number of Classroom Teachers (Headcount)"
                ),
                _col(
                    "leaders_headcount",
                    "count",
                    "Total Number of Teachers in the Leadership Group (Headcount)",
                    required=True,
                ),
                _col(
                    "leaders_fte",
                    "number",
                    "Total Number of Teachers in the Leadership Group (Full-time Equivalent)",
                ),
                # It has the headers that the performance tables took from it, so it must read them to be told
                # from those.
                _col("teachers_fte", "number", "Total Number of Teachers (Full-Time Equivalent)"),
                _col("assistants_headcount", "count", "Total Number of Teaching Assistants (Headcount)"),
                _col(
                    "assistants_fte", "number", "Total Number of Teaching Assistants (Full-Time Equivalent)"
                ),
                _col(
                    "support_headcount",
                    "count",
                    (
                        "Total Number of Non Classroom-based School Support Staff, Excluding Auxiliary Staff "
                        "(Headcount)"
                    ),
                ),
                _col(
                    "support_fte",
                    "number",
                    "Total Number of Non Classroom-based School Support Staff, Excluding Auxiliary Staff "
                    "(Full-Time Equivalent)",
                ),
                _col("share_part_time", "percent", "Percentage of All Teaching Staff who Work Part-time (%)"),
                _col("share_aged_50_or_over", "percent", "Teachers Aged 50 or over (%) (Headcount)"),
                _col("share_qualified", "percent", "Teachers with Qualified Teacher Status (%) (Headcount)"),
                _col(
                    "pupils_per_teacher",
                    "number",
                    "Pupil: Teacher Ratio (Full-Time Equivalent of qualified and unqualified teachers)",
                ),
                _col("mean_salary", "money", "Mean Gross Salary of All Teachers (£)"),
                _col("share_on_leadership_pay", "percent", "All Teachers on the Leadership Pay Range (%)"),
                _col("vacant_posts", "number", "Number of Vacant Teacher Posts"),
                _col("temporarily_filled_posts", "number", "Number of Temporarily Filled Teacher Posts"),
            )
        },
        dated="tables",
        public=(6, 30, 1),
        summary=_TOTALS,
    ),
    Layout(
        "Performance tables: key stage 2, with progress",
        {"results": (*_AT_11, *_PROGRESS_TO_11), **_EARLIER_AT_11},
        dated="tables",
        public=(1, 31, 1),
        only={"record_type": ("1", "2")},  # mainstream and special schools; the rest are totals
    ),
    Layout(
        # 2023/24 and 2024/25: those pupils had no baseline
        "Performance tables: key stage 2, attainment alone",
        {
            "results": _needed(_AT_11, "share_expected_standard", "reading_score", "maths_score"),
            **_EARLIER_AT_11,
        },
        dated="tables",
        public=(1, 31, 1),
        only={"record_type": ("1", "2")},
    ),
    Layout(
        "Performance tables: key stage 4, with Progress 8",
        {"results": (*_AT_16, _col("progress_8", "number", "P8MEA", required=True))},
        dated="tables",
        public=(1, 31, 1),
        only={"record_type": ("1", "2")},
    ),
    Layout(
        # 2024/25 and 2025/26: no baseline either. `P8MEA_PREV` repeats 2023/24 and is left to that year's own
        # file.
        "Performance tables: key stage 4, attainment alone",
        {"results": _AT_16},
        dated="tables",
        public=(1, 31, 1),
        only={"record_type": ("1", "2")},
    ),
    Layout(
        "Performance tables: school information",
        {
            "schools": (
                _key("urn", "URN"),
                _col("laestab", "key", "LAESTAB"),
                _col("la_code", "key", "LA"),
                _col("establishment_number", "key", "ESTAB"),
                _col("name", "text", "SCHNAME"),
                _col("local_authority", "text", "LANAME"),
                _col("postcode", "text", "POSTCODE"),
                _col("status", "text", "SCHSTATUS", required=True),
                _col("opened_on", "date", "OPENDATE"),
                _col("closed_on", "date", "CLOSEDATE"),
                _col("type_group", "text", "MINORGROUP", required=True),
                _col("type", "text", "SCHOOLTYPE"),
                _col("is_primary", "number", "ISPRIMARY"),
                _col("is_secondary", "number", "ISSECONDARY"),
                _col("low_age", "number", "AGELOW"),
                _col("high_age", "number", "AGEHIGH"),
                _col("gender", "text", "GENDER"),
                _col("religion", "text", "RELCHAR"),
                _col("admissions", "text", "ADMPOL"),
            ),
            # The date is of the latest visit of any kind, the grade of the last graded one: see ingest.
            "register": (
                _col("overall", "grade", "OFSTEDRATING"),
                _col("ended_on", "date", "OFSTEDLASTINSP"),
            ),
        },
        dated="content",
        every_school=True,
    ),
    Layout(
        "Performance tables: Ofsted outcomes by school",
        {
            "schools": (
                _key("urn", "URN"),
                _col("name", "text", "School name", required=True),
                _col("phase", "text", "Ofsted phase", required=True),
            ),
            # Here too the date, and its report's, are of the latest visit of any kind.
            "register": (
                _col("overall", "grade", "Overall effectiveness", required=True),
                _col("ended_on", "date", "Inspection date", required=True),
                _col("published_on", "date", "Publication date", required=True),
                _col("report_link", "text", "REPORURL", required=True),
            ),
        },
        every_school=True,
    ),
    Layout(
        "Performance tables: multi-academy trusts",
        {
            "trusts": (
                _col("trust_uid", "key", "TRUST_UID", "UID", required=True),
                _col("trust_name", "text", "TRUST_NAME", "GROUP-NAME", "CHAINNAME", required=True),
                _col("member_urns", "text", "INSTITUTIONS_INMAT", "SCHOOL-URNS", required=True),
                _col("group_type", "text", "TRUST_GROUP_TYPE", "GROUP-TYPE", required=True),
                # The trust's own measures, against the country: 0 is what pupils like its own make elsewhere.
                _col(
                    "reading_progress",
                    "number",
                    "READ_PROGSCORE_EM_ADJ_WGTAVG",
                    "READPROGSCORE_P_ADJUSTED_WGTAVG",
                    "MAT-PROG-READ-SCORE",
                ),
                _col(
                    "writing_progress",
                    "number",
                    "WRIT_PROGSCORE_EM_ADJ_WGTAVG",
                    "WRITPROGSCORE_P_ADJUSTED_WGTAVG",
                    "MAT-PROG-WRITE-SCORE",
                ),
                _col(
                    "maths_progress",
                    "number",
                    "MAT_PROGSCORE_EM_ADJ_WGTAVG",
                    "MATPROGSCORE_P_ADJUSTED_WGTAVG",
                    "MAT-PROG-MATH-SCORE",
                ),
                _col("share_expected_standard", "percent", "PRWM_EXP_WGTAVG"),
                _col("progress_8", "number", "P8MEA_WGTAVG", "P8SCORE_ADJ_WGTAVG", "MAT-PROG8-SCORE"),
                _col("attainment_8", "number", "ATT8SCR_WGTAVG"),
            )
        },
        dated="tables",
        public=(2, 28, 1),
        repeats=True,
    ),
)

# --- Department for Education: Explore Education Statistics, school level -----------------------------------

# A row's date comes from its own period, not from its file: each release gives every year since 2010/11
# again, so the file's date would make all of them news of its last year. Two things this can't know. Whether
# the figures by school came out each June in the first years isn't vouched for, so an early year may be dated
# before anybody could see it. And a newer release may revise an older year: where both releases are at hand
# the older one stands, see ingest.

# Phases as other files word them, in Ofsted's words; special schools and units are told by their type.
PHASES_OF_OFSTED = ("Nursery", "Primary", "Secondary", "Special", "PRU")
PHASES = {
    "middle deemed primary": "Primary",
    "middle deemed secondary": "Secondary",
    "all-through": "Secondary",
    "all through": "Secondary",
    "16 plus": "Secondary",
    "pupil referral unit": "PRU",
    "state-funded primary": "Primary",
    "state-funded secondary": "Secondary",
    "state-funded special school": "Special",
    "special school": "Special",
}
# “Other” holds all-through schools, by a footnote of the publication; whether authorities are split by phase,
# and in which words, is unverified.
_NPQ_PHASES = {
    **{evened(word): phase for word, phase in PHASES.items()},
    "nursery": "Nursery",
    "primary": "Primary",
    "secondary": "Secondary",
    "special": "Special",
    "pru": "PRU",
    "other": "Other",
    "overall": "Total",
    "total": "Total",
}

_PERIOD_AND_LEVEL = (
    _col("period", "period", "time_period", required=True),
    _col("level", "text", "geographic_level", required=True),
)


def _by_school(
    what: str,
    record: str,
    *columns: Column,
    public: tuple[int, int, int] = (6, 30, 0),
    long_form: LongForm | None = None,
) -> Layout:
    """A data set of the school workforce census: released in June, a row for each school and year, others
    among them.
    """
    return Layout(
        f"Explore Education Statistics: {what}",
        {record: (_key("urn", "school_urn"), *_PERIOD_AND_LEVEL, *columns)},
        dated="period",
        public=public,
        only={"level": ("school",)},
        long_form=long_form,
        repeats=True,
    )


def _fte_and_headcount(name: str, official: str, *, required: bool = False) -> tuple[Column, ...]:
    return (
        _col(f"{name}_fte", "number", f"fte_{official}", required=required),
        _col(f"{name}_headcount", "count", f"hc_{official}"),
    )


def _same_words(*words: str) -> dict[str, str]:
    return {evened(word): evened(word) for word in words}


EXPLORE = (
    _by_school(
        "teacher turnover",
        "turnover",
        _col("teachers_fte", "number", "teacher_fte_in_census_year", required=True),
        _col("stayed_fte", "number", "remained_in_the_same_school", required=True),
        _col("left_system_fte", "number", "left_the_state-funded_system"),
        _col("moved_school_fte", "number", "left_to_another_state-funded_school"),
        public=(6, 30, 1),  # who stayed shows in the next census: row 2023/24 came out in June 2025
    ),
    _by_school(
        "size of the school workforce",
        "posts",
        *_fte_and_headcount("teachers", "all_teachers", required=True),
        *_fte_and_headcount("classroom_teachers", "classroom_teachers"),
        *_fte_and_headcount("leaders", "leadership_teachers"),
        *_fte_and_headcount("heads", "head_teachers"),
        *_fte_and_headcount("deputies", "deputy_head_teachers"),
        *_fte_and_headcount("assistant_heads", "assistant_head_teachers"),
        *_fte_and_headcount("unqualified", "all_teachers_without_qts"),
        _col("assistants_fte", "number", "fte_teaching_assistants"),
        _col("share_part_time", "percent", "percent_pt_teacher"),
    ),
    _by_school(
        "vacancies",
        "vacancies",
        _col("vacant_posts", "number", "vacancy", required=True),
        _col("share_vacant", "percent", "rate"),
        _col("temporarily_filled_posts", "number", "tempfilled", required=True),
        _col("share_temporarily_filled", "percent", "temprate"),
    ),
    _by_school(
        "sickness absence of teachers",
        "sickness",
        _col("share_taking_absence", "percent", "percentage_taking_absence", required=True),
        _col("days_lost", "number", "total_number_of_days_lost"),
        _col("mean_days_all_teachers", "number", "average_number_of_days_all_teachers"),
        # The figures are of the academic year before the census: 2019/20 is blank, as the next census did not
        # ask. If a file labelled them by the census instead, this date would be a year late, never early.
        public=(6, 30, 1),
    ),
    _by_school(
        "teacher pay",
        "pay",
        _col("mean_salary", "money", "average_mean", required=True),
        _col("median_salary", "money", "average_median"),
        _col("share_on_leadership_pay", "percent", "teachers_on_leadership_pay_range_percent"),
    ),
    _by_school(
        "pupil to teacher ratios",
        "ratios",
        _col("pupils_fte", "number", "pupils_fte", required=True),
        _col("teachers_fte", "number", "teachers_fte"),
        _col("pupils_per_teacher", "number", "pupil_to_qual_unqual_teacher_ratio", required=True),
        _col("pupils_per_adult", "number", "pupil_to_adult_ratio"),
    ),
    _by_school(
        "characteristics of teachers",
        "characteristics",
        _col("named_grouping", "text", "characteristic_group"),
        _col("named_group", "text", "characteristic"),
        _col("grade", "word", "grade", required=True),
        _col("sex", "word", "sex", "gender"),
        # These ages are in public code that reads the official files; the words for working patterns and
        # qualified status have no source we could open, so another spelling of them stops us.
        _col(
            "age_group",
            "word",
            "age_group",
            required=True,
            words=_same_words(
                "Total",
                "Under 25",
                "25 to 29",
                "30 to 39",
                "40 to 49",
                "50 to 59",
                "60 and over",
                "Age unclassified",
            ),
        ),
        _col(
            "working_pattern",
            "word",
            "working_pattern",
            required=True,
            words=_same_words("Total", "Full-time", "Part-time", "Working pattern unclassified"),
        ),
        _col(
            "qts_status",
            "word",
            "qts_status",
            required=True,
            words=_same_words("Total", "Qualified", "Unqualified", "QTS unclassified"),
        ),
        _col("on_route", "word", "on_route"),
        _col("ethnicity", "word", "ethnicity_major"),
        _col("fte", "number", "full_time_equivalent", required=True),
        _col("headcount", "count", "headcount", required=True),
        _col("share_fte", "percent", "fte_school_percent"),
        _col("share_headcount", "percent", "headcount_school_percent", required=True),
        long_form=LongForm(
            by=("grade", "sex", "age_group", "working_pattern", "qts_status", "on_route", "ethnicity"),
            measures={
                "teachers_headcount": ("headcount", "", ()),
                "share_aged_50_or_over": ("share_headcount", "age_group", ("50 to 59", "60 and over")),
                "share_part_time": ("share_headcount", "working_pattern", ("part time",)),
                "share_unqualified": ("share_headcount", "qts_status", ("unqualified",)),
            },
            named_by=("named_grouping", "named_group"),
            slipping=("ethnicity", "fte", "headcount", "share_fte", "share_headcount"),
        ),
    ),
    Layout(
        "Explore Education Statistics: national professional qualifications by authority",
        {
            "npq": (
                _col("la_code", "key", "old_la_code", required=True),
                *_PERIOD_AND_LEVEL,
                _col(
                    "funding",
                    "word",
                    "funding",
                    required=True,
                    words=_same_words("Overall", "Total", "Funded", "Non-funded"),
                ),
                _col("breakdown", "text", "breakdown", required=True),
                _col("phase", "word", "group_name", required=True, words=_NPQ_PHASES),
                _col("npq_starts", "count", "npq_starts", required=True),
                _col("npq_participants", "count", "npq_unique_participants", required=True),
                _col("share_npq", "percent", "percent_workforce_npq_participation", required=True),
            )
        },
        dated="period",
        repeats=True,
        public=(7, 31, 0),  # July is the usual month, of the year the academic year ends in; unverified
        only={
            "level": ("local authority",),
            "funding": ("overall", "total"),
            "breakdown": ("overall", "total", "phase", "school phase"),
        },
    ),
)

# --- Get Information about Schools, and files derived from it -----------------------------------------------

GIAS = (
    Layout(
        "GIAS all data",
        {
            "schools": (
                _key("urn", "URN"),
                _col("la_code", "key", "LA (code)"),
                _col("local_authority", "text", "LA (name)"),
                _col("establishment_number", "key", "EstablishmentNumber", required=True),
                _col("name", "text", "EstablishmentName", required=True),
                _col("type", "text", "TypeOfEstablishment (name)"),
                _col("type_group", "text", "EstablishmentTypeGroup (name)"),
                _col("phase", "text", "PhaseOfEducation (name)"),
                _col("status", "text", "EstablishmentStatus (name)", required=True),
                _col("reason_opened", "text", "ReasonEstablishmentOpened (name)"),
                _col("opened_on", "date", "OpenDate"),
                _col("reason_closed", "text", "ReasonEstablishmentClosed (name)"),
                _col("closed_on", "date", "CloseDate"),
                _col("low_age", "number", "StatutoryLowAge"),
                _col("high_age", "number", "StatutoryHighAge"),
                _col("gender", "text", "Gender (name)"),
                _col("religion", "text", "ReligiousCharacter (name)"),
                _col("admissions", "text", "AdmissionsPolicy (name)"),
                _col("has_sixth_form", "text", "OfficialSixthForm (name)"),
                _col("capacity", "count", "SchoolCapacity"),
                _col("pupils", "count", "NumberOfPupils"),
                _col("trust_uid", "key", "Trusts (code)"),
                _col("trust_name", "text", "Trusts (name)"),
                _col("region", "word", "GOR (name)", words=REGION_WORDS),
                _col("urban_rural", "text", "UrbanRural (name)"),
                _col("postcode", "text", "Postcode"),
                _col("easting", "number", "Easting"),
                _col("northing", "number", "Northing"),
            )
        },
        every_school=True,
    ),
    Layout(
        "GIAS links between URNs",
        {
            "links": (
                _key("urn", "URN"),
                _col("linked_urn", "key", "LinkURN", required=True),
                _col("linked_name", "text", "LinkName"),
                _col("link_type", "text", "LinkType", required=True),
                _col("linked_on", "date", "LinkEstablishedDate"),
            )
        },
        dated="content",
        repeats=True,
    ),
    Layout(
        "GIAS links between schools and groups",  # every academy's trust that day: one left out is in none
        {
            "memberships": (
                _key("urn", "URN"),
                _col("trust_uid", "key", "Linked UID", "Group UID", required=True),
                _col("trust_name", "text", "Group Name", required=True),
                _col("group_type", "text", "Group Type", required=True),
                _col("joined_on", "date", "Joined date", required=True),
                _col("type", "text", "TypeOfEstablishment (name)"),
            )
        },
        repeats=True,
    ),
    Layout(
        "Head-teacher changes of academies, from dated GIAS extracts (no names)",
        {
            "head_changes": (
                _key("urn", "URN"),
                _col("seen_on", "date", "prev_snapshot", required=True),
                _col("changed_by", "date", "snapshot", required=True),
                _col("head_changed", "number", "head_changed", required=True),
            )
        },
        dated="content",
        repeats=True,
    ),
    Layout(
        "Coordinates of schools",
        {
            "places": (
                _key("urn", "URN"),
                _col("latitude", "number", "LATITUDE", required=True),
                _col("longitude", "number", "LONGITUDE", required=True),
            )
        },
        dated="content",
    ),
)

# --- Ofsted Parent View: what parents answered, by school ---------------------------------------------------

# Each release is of the answers of a year or so to the day in its name, for schools with ten or more, and
# comes out weeks or months after that day. The questions of 2019 have 14 numbers; those of November 2025 have
# 10 numbers that mean other questions. The 12 of before September 2019, which asked whether a school is well
# led, we have seen in no file.
#
# No release was at hand when this was written. The numbers, questions and headers of 2019 are those that four
# public programs read, which agree: of the CSV of April 2020 with the questions in full, workbooks of 2021 to
# April 2025, and the release of September 2025. Those of November 2025 are from two programs: one gives the
# form of a header, the other, which reads the release of April 2026, takes a question by the words kept here.
# Whether support for special needs is told by school is unverified, so it isn't needed. Any other difference
# stops us.
#
# The unit is in the header: `Q1 Agree %` is per cent, and so is a CSV's 46%. `Q1 Agree`, in workbooks to
# April 2025, is a share of one. The unit of `Response Rate` is known of those with a % only.
_AGREE = {
    "strongly_agree": "Strongly agree",
    "agree": "Agree",
    "disagree": "Disagree",
    "strongly_disagree": "Strongly disagree",
}
_YES_OR_NO = {"yes": "Yes", "no": "No"}
_OF_2019 = {  # what we call it: the number of the question, and the question
    "happy": ("1", "My child is happy at this school."),
    "safe": ("2", "My child feels safe at this school."),
    "behaviour": ("3", "The school makes sure its pupils are well behaved."),
    "bullying": (
        "4",
        "My child has been bullied and the school dealt with the bullying quickly and effectively.",
    ),
    "concerns": ("6", "When I have raised concerns with the school they have been dealt with properly."),
    "special_needs": ("7b", "My child has SEND, and the school gives them the support they need to succeed."),
    "expectations": ("8", "The school has high expectations for my child."),
    "does_well": ("9", "My child does well at this school."),
    "progress_told": ("10", "The school lets me know how my child is doing."),
    "development": ("13", "The school supports my child's wider personal development."),
    "recommend": ("14", "I would recommend this school to another parent."),
}
_OF_2025 = {  # the question as one program has it, and the words by which it is known
    "happy": ("1. My child is happy at this school", "child is happy"),
    "safe": ("2. My child feels safe at this school", "child feels safe"),
    "behaviour": ("3. The school makes sure its pupils are well behaved", "pupils are well behaved"),
    "bullying": (
        "4. My child has been bullied at this school. When the bullying took place, the school dealt with "
        "it quickly "
        "and effectively",
        "bullying … quickly and effectively",
    ),
    "special_needs": (
        "5. My child has Special Educational Needs and/or Disabilities. The school gives them the support "
        "they "
        "need to succeed",
        "support they need to succeed",
    ),
    "communication": (
        "6. The school communicates well with me about the things I need to know",
        "communicates well with me",
    ),
    "concerns": (
        "7. When I have raised concerns with the school they have been dealt with properly",
        "raised concerns … dealt with properly",
    ),
    "best_interests": (
        "8. When the school makes decisions, it has the child's best interests at heart",
        "best interests at heart",
    ),
    "learning": (
        "9. The school gives my child the right support to enable them to learn well",
        "right support … learn well",
    ),
    "recommend": ("10. Would you recommend this school to another parent?", "recommend this school"),
}


def _parent_view(
    name: str,
    unit: str,
    spellings: dict[str, tuple[str, ...]],
    *,
    rate: bool = False,
    unsure: tuple[str, ...] = (),
    years: tuple[str, ...] = (),
) -> Layout:
    """A release of Parent View: `spellings` are each question's headers with {} for the answer, `unit` that
    of all shares.
    """
    columns = [
        _key("urn", "URN"),
        _col("name", "text", "School Name"),
        _col("local_authority", "text", "Local Authority"),
        _col("phase", "text", "Ofsted Phase or Type of Education"),
        _col("submissions", "count", "Submissions", required=True),
        *([_col("share_responding", unit, "Response Rate")] if rate else []),
    ]
    sums = {}
    for asked, forms in spellings.items():
        answers = _YES_OR_NO if asked == "recommend" else _AGREE
        columns += [
            _col(
                f"{asked}_{answer}",
                unit,
                *(form.format(words) for form in forms),
                required=asked not in unsure,
            )
            for answer, words in answers.items()
        ]
        half = len(answers) // 2
        for way, parts in (("agree", tuple(answers)[:half]), ("disagree", tuple(answers)[half:])):
            sums[f"share_{way}_{asked}"] = tuple(f"{asked}_{answer}" for answer in parts)
    return Layout(name, {"parent_view": tuple(columns)}, dated="published", sums=sums, years=years)


PARENT_VIEW = (
    _parent_view(
        "Ofsted Parent View, questions of 2019 in full",
        "percent",
        # The CSV leaves “quickly and” out, and has no question 7.
        {
            asked: tuple(
                f"Q{number}. {words} {{}}"
                for words in dict.fromkeys((question.replace("quickly and ", ""), question))
            )
            for asked, (number, question) in _OF_2019.items()
            if asked != "special_needs"
        },
        years=("2019-09-03", "2025-11-09"),
    ),
    _parent_view(
        "Ofsted Parent View, questions of 2019 by number, shares of one",
        "share",
        {asked: (f"Q{number} {{}}",) for asked, (number, _) in _OF_2019.items()},
        years=("2019-09-03", "2025-11-09"),
    ),
    _parent_view(
        "Ofsted Parent View, questions of 2019 by number, per cent",
        "percent",
        {asked: (f"Q{number} {{}} %",) for asked, (number, _) in _OF_2019.items()},
        rate=True,
        unsure=("special_needs",),
        years=("2019-09-03", "2025-11-09"),
    ),
    _parent_view(
        "Ofsted Parent View, questions of November 2025",
        "percent",
        {
            asked: (f"Q{question}: {{}} %", f"Q… {words} …: {{}} %")
            for asked, (question, words) in _OF_2025.items()
        },
        rate=True,
        unsure=("special_needs",),
        years=("2025-11-10", "2099-12-31"),
    ),
)

LAYOUTS = (*INSPECTIONS, *TABLES, *EXPLORE, *GIAS, *PARENT_VIEW)

# --- what is expected of every release ----------------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    """What a release of one record is like, seen over true ones: limits beyond which it is damaged.

    `fall` and `rise` are how far its rows may be below or above the nearest file of its kind, as shares.
    `steady` is, for a measure, its rank correlation with the same schools a year before: where there are
    three files or more it is taken from the others. `always` are columns whose share of blanks doesn't
    change.
    """

    fall: float = 0.25
    rise: float = 0.5
    steady: dict[str, float] = field(default_factory=dict)
    always: tuple[str, ...] = ()


# By record. The falls are above the largest of true files: lists of schools 1.6% (July to October 2013 1.0%);
# the census of
# 2015 17% and the workforce of 2015 19%, which came out without many academies; results by school 32%.
EXPECTED = {
    "schools": Expected(
        0.02,
        0.06,
        always=("name", "phase", "type", "region", "local_authority", "laestab", "la_code", "postcode"),
    ),
    "latest": Expected(0.05, 0.06, always=("ended_on", "category")),
    "census": Expected(
        0.2,
        0.4,
        {
            "pupils": 0.97,
            "share_girls": 0.8,
            "share_eal": 0.95,
            "share_fsm": 0.9,
            "share_fsm_ever": 0.95,
            "share_ehcp": 0.7,
            "share_sen_support": 0.7,
        },
        always=("la_code",),
    ),
    "absence": Expected(
        0.1,
        0.2,
        {"share_absence": 0.6, "share_persistent_absence_10": 0.6, "share_persistent_absence_15": 0.5},
        always=("la_code",),
    ),
    "workforce": Expected(
        0.25,
        0.5,
        {
            "teachers_headcount": 0.9,
            "assistants_headcount": 0.85,
            "support_headcount": 0.8,
            "teachers_fte": 0.9,
            "assistants_fte": 0.8,
            "support_fte": 0.8,
            "pupils_per_teacher": 0.6,
            "mean_salary": 0.55,
        },
    ),
    "results": Expected(
        0.45,
        0.9,
        {
            "share_expected_standard": 0.5,
            "share_higher_standard": 0.35,
            "reading_score": 0.5,
            "maths_score": 0.5,
            "grammar_score": 0.5,
            "reading_progress": 0.4,
            "writing_progress": 0.35,
            "maths_progress": 0.45,
            "attainment_8": 0.8,
            "share_basics_95": 0.75,
            "share_basics_94": 0.7,
            "share_ebacc_entered": 0.7,
            "ebacc_points": 0.8,
            "progress_8": 0.7,
        },
    ),
    "trusts": Expected(0.8, 9.0),
    "places": Expected(0.05, 0.1),
    "links": Expected(0.05, 0.5),
}
# The mean standard of each area less the mean of the six, on the 668 report cards of November 2025 to January
# 2026.
STANDARD_PROFILE = {
    "inclusion": -0.16,
    "curriculum_and_teaching": 0.20,
    "achievement": 0.26,
    "attendance_and_behaviour": -0.07,
    "personal_development_and_wellbeing": -0.26,
    "leadership_and_governance": 0.02,
}

# Measures of which the first is part of the second, or counted more strictly.
AT_MOST = {
    "turnover": (
        ("stayed_fte", "teachers_fte"),
        ("left_system_fte", "teachers_fte"),
        ("moved_school_fte", "teachers_fte"),
    ),
    "workforce": (("teachers_fte", "teachers_headcount"), ("assistants_fte", "assistants_headcount")),
    "posts": (
        ("teachers_fte", "teachers_headcount"),
        ("leaders_fte", "teachers_fte"),
        ("classroom_teachers_fte", "teachers_fte"),
    ),
    "ratios": (("teachers_fte", "pupils_fte"), ("pupils_per_adult", "pupils_per_teacher")),
    "census": (("pupils_fsm", "pupils"),),
    "results at 11": (("share_higher_standard", "share_expected_standard"),),
    "results at 16": (("share_basics_95", "share_basics_94"),),
}
# The years whose results by school never came out: of the pandemic, and at 11 also of the year after.
NO_RESULTS = {"results at 11": (2020, 2021, 2022), "results at 16": (2020, 2021)}
# True files that are out of the range of the others: a pattern for the name, a column, and why.
KNOWN_ODD = (
    (
        r"2016_england_census",
        "share_fsm_ever",
        "published so: PNUMFSMEVER is 0 for most schools in 2016, and can't be used",
    ),
)

# Columns in any file that hold names of people: never read, whatever the file.
PERSONAL = (
    "HeadTitle (name)",
    "HeadFirstName",
    "HeadLastName",
    "HeadPreferredJobTitle",
    "PropsName",
    "Head of Group Title",
    "Head of Group First Name",
    "Head of Group Last Name",
)

# Files that may lie in data/raw and need no reading: a pattern for the name, and why.
NOT_NEEDED = (
    (r"[._]meta\.(csv|xlsx?)$|(^|/)data-guidance[^/]*$", "a guide to another file's columns"),
    (r"allgroupsdata", "the list of groups; its names come with the schools"),
    (r"^links_.*statefunded|_links_.*statefunded", "a subset of the all-data links"),
    (
        r"(^|/)(readme[^/]*|sha256sums|manifest[^/]*|made-up\.json|licen[cs]e[^/]*)$",
        "about the files, not one of them",
    ),
)

# Some tables come out before the usual day of their kind: a pattern for the name, and (month, day, years
# after).
EARLIER_RELEASES = ((r"provisional", (10, 31, 0)),)

STATE_FUNDED = {
    "maintained school",
    "academy",
    "special school",
    "academies",
    "free schools",
    "special schools",
    "local authority maintained schools",
}
NOT_INSPECTED_WITH_THEM = (
    "independent",
    "16-19",
    "16 to 19",
    "16-19",
    "further education",
    "service children",
)

MONTHS = {
    m: i
    for i, m in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
