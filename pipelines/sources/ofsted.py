"""Ofsted's own files: inspections, report cards, lists of schools, from 2005 on."""

from headway.pipelines import frameworks
from headway.pipelines.sources.layout import BLANKS, Column, Layout, column, evened, key_column, needed

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
    key_column("urn", "URN"),
    column("laestab", "key", "LAESTAB"),
    column("name", "text", "School name", "schoolname"),
    column("phase", "text", "Ofsted phase", "Phase"),
    column("type", "text", "Type of education", "Type of school"),
    column("opened_on", "date", "School open date"),
    column("admissions", "text", "Admissions policy"),
    column("has_sixth_form", "text", "Sixth form"),
    column("religion", "text", "Designated religious character"),
    column("faith", "text", "Faith grouping"),
    column("region", "word", "Region", "Government Office Region", words=REGION_WORDS),
    column("local_authority", "text", "Local authority", "Local Authority (Education)"),
    column("constituency", "text", "Parliamentary constituency"),
    column("trust_uid", "key", "Multi-academy trust UID"),
    column("trust_name", "text", "Multi-academy trust name"),
    column("postcode", "text", "Postcode"),
    column(
        "idaci_quintile",
        "number",
        "The income deprivation affecting children index (IDACI) quintile",
        "The quntile for income deprivation affecting children index (IDACI)",
        "The income deprivation affecting children index (IDACI) 2010 quintile",
    ),
    column("pupils", "count", "Total number of pupils", "Total pupils", "OB number on Roll"),
    column("low_age", "number", "Statutory lowest age"),
    column("high_age", "number", "Statutory highest age"),
)
_LISTED = needed(_SCHOOL, "name", "phase")


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
    column("inspection_number", "key", "Inspection number"),
    column("inspection_type", "text", "Inspection type grouping", "Inspection type grouping (final)"),
    column("event_type", "text", "Event type grouping"),
    column("inspected_on", "date", "Inspection start date", required=True),
    column("ended_on", "date", "Inspection end date"),
    column("published_on", "date", "Publication date", "First published date"),
)
_UNGRADED_OUTCOME = column(
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
        column("inspection_number", "key", f"Previous {kind} number", "Previous inspection number"),
        column("inspected_on", "date", "Previous inspection start date"),
        column("ended_on", "date", "Previous inspection end date"),
        column("published_on", "date", "Previous publication date"),
        column("urn_then", "key", f"URN at time of previous {kind}", "URN at time of previous inspection"),
        *_judgements(
            "Previous ",
            overall=f"Previous {kind} overall effectiveness",
            sixth_form="Previous 16 - 19 study programmes",
        ),
    )


def _latest_of(kind: str) -> tuple[Column, ...]:
    return (
        column("inspection_number", "key", f"Inspection number of latest {kind} inspection", required=True),
        *needed(_VISIT[1:], "published_on"),
        column("urn_then", "key", f"URN at time of latest {kind} inspection", required=True),
        *needed(_judgements(), "overall", "leadership", "quality_of_education", "category"),
    )


def _ungraded(word: str, *, since: str) -> tuple[Column, ...]:
    """The latest inspection that gave no grade: `word` is 'ungraded', or 'section 8' to 2022."""
    return (
        column(
            "inspection_number",
            "key",
            f"Latest {word} inspection number since last {since} inspection",
            f"Latest {word} inspection number",
        ),
        column("inspected_on", "date", f"Date of latest {word} inspection", required=True),
        column("published_on", "date", f"{word.capitalize()} inspection publication date"),
        column("urn_then", "key", f"URN at time of the {word} inspection"),
        column("ungraded_outcome", "text", f"{word.capitalize()} inspection overall outcome", required=True),
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
    column("category", "category", "Category of concern", required=True),
    column("safeguarding", "yes_no", "Safeguarding standards", required=True),
    *(
        column(area, "standard", header, required=area not in frameworks.WHERE_APPLICABLE)
        for area, (header, _) in _AREAS.items()
    ),
)
# An area can be graded again at a monitoring visit: then this is the day its grade dates from.
_REGRADED = (
    column("safeguarding_graded_on", "date", "Safeguarding standards - date of grade"),
    *(
        column(f"{area}_graded_on", "date", f"{short or header} - date of grade", f"{header} - date of grade")
        for area, (header, short) in _AREAS.items()
    ),
)


def _compiled(date: str) -> tuple[Column, ...]:
    """The documented headers of a file that an analyst made of Ofsted's; no other header of a date will
    do.
    """
    return (
        column("inspected_on", "date", date, required=True),
        column("overall", "grade", "Overall effectiveness", required=True),
        column("leadership", "grade", "Effectiveness of leadership and management"),
        column("inspection_number", "key", "Inspection number"),
        column("category", "category", "Category of concern"),
        column("published_on", "date", "Publication date"),
    )


INSPECTIONS = (
    Layout(
        "Ofsted report cards, year to date, from November 2025",
        {
            "schools": _SCHOOL,
            "report_card": (
                *needed(_VISIT, "inspection_number", "event_type", "published_on"),
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
                column(
                    "inspection_number", "key", "Inspection number of latest full inspection", required=True
                ),
                *needed(_VISIT[1:], "published_on"),
                column("urn_then", "key", "URN at time of latest full inspection"),
                *_REPORT_CARD,
                *_REGRADED,
            ),
            "latest": (
                column(
                    "inspection_number",
                    "key",
                    "Inspection number of latest OEIF graded inspection",
                    required=True,
                ),
                column(
                    "inspection_type", "text", "Inspection type grouping of latest OEIF graded inspection"
                ),
                column("event_type", "text", "Event type grouping of latest OEIF graded inspection"),
                column(
                    "inspected_on",
                    "date",
                    "Inspection start date of latest OEIF graded inspection",
                    required=True,
                ),
                column(
                    "published_on", "date", "Publication date of latest OEIF graded inspection", required=True
                ),
                column("urn_then", "key", "URN at time of latest OEIF graded inspection", required=True),
                *needed(
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
            "previous": needed(_previous("graded inspection"), "inspected_on", "overall"),
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
            "previous": needed(_previous("full inspection"), "inspected_on", "overall"),
        },
        depth=2,
        every_school=True,
    ),
    Layout(
        "Ofsted all inspections, year to date, September 2019 on",
        {
            "schools": _SCHOOL,
            "inspection": (
                *needed(_VISIT, "inspection_number", "event_type", "published_on"),
                _UNGRADED_OUTCOME,
                *needed(_judgements(), "leadership", "quality_of_education", "category"),
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
                *needed(_VISIT, "inspection_number", "published_on"),
                _UNGRADED_OUTCOME,
                *needed(
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
                column("inspected_on", "date", "Date of latest short inspection", required=True),
                _UNGRADED_OUTCOME,
            ),
            "latest": (
                _VISIT[0],
                column("inspected_on", "date", "Inspection date", "Inspection start date", required=True),
                _VISIT[5],
                *needed(_judgements(), "overall", "leadership"),
            ),
            "previous": (
                column(
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
                column("inspected_on", "date", "Inspection start date", required=True),
                column("ended_on", "date", "Inspection end date", required=True),
                column(
                    "published_on", "date", "First published date", "Latest published date", required=True
                ),
                *needed(_judgements(), "overall", "leadership", "category"),
            ),
            "previous": (
                column("inspection_number", "key", "Inspection number of the previous inspection"),
                column("ended_on", "date", "Inspection end date of the previous inspection", required=True),
                column("overall", "grade", "Previous inspection - Overall effectiveness"),
                column("category", "category", "Previous inspection - Category"),
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
                column("ended_on", "date", "Latest inspection date", required=True),
                *needed(
                    _judgements(overall="Overall effectiveness: how good is the school"),
                    "overall",
                    "leadership",
                    "category",
                ),
            ),
            "previous": (
                column("ended_on", "date", "Previous inspection date", required=True),
                column("overall", "grade", "Previous overall effectiveness", required=True),
                column("category", "category", "Previous category", required=True),
            ),
        },
        depth=2,
        every_school=True,
    ),
    Layout(
        "A list compiled by an analyst: each school's latest graded inspection",
        {"latest": (key_column("urn", "URN"), *_compiled("Latest graded inspection date"))},
        depth=1,
    ),
    Layout(
        "A history compiled by an analyst: every graded inspection of the schools in it",
        {"history": (key_column("urn", "URN"), *_compiled("Graded inspection date"))},
        depth=99,
        repeats=True,
        compiled=True,
    ),
)
