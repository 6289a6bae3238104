"""Explore Education Statistics, at school level: turnover, vacancies, pay, posts, qualifications."""

from headway.pipelines.sources.layout import Column, Layout, LongForm, column, evened, key_column

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
    column("period", "period", "time_period", required=True),
    column("level", "text", "geographic_level", required=True),
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
        {record: (key_column("urn", "school_urn"), *_PERIOD_AND_LEVEL, *columns)},
        dated="period",
        public=public,
        only={"level": ("school",)},
        long_form=long_form,
        repeats=True,
    )


def _fte_and_headcount(name: str, official: str, *, required: bool = False) -> tuple[Column, ...]:
    return (
        column(f"{name}_fte", "number", f"fte_{official}", required=required),
        column(f"{name}_headcount", "count", f"hc_{official}"),
    )


def _same_words(*words: str) -> dict[str, str]:
    return {evened(word): evened(word) for word in words}


EXPLORE = (
    _by_school(
        "teacher turnover",
        "turnover",
        column("teachers_fte", "number", "teacher_fte_in_census_year", required=True),
        column("stayed_fte", "number", "remained_in_the_same_school", required=True),
        column("left_system_fte", "number", "left_the_state-funded_system"),
        column("moved_school_fte", "number", "left_to_another_state-funded_school"),
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
        column("assistants_fte", "number", "fte_teaching_assistants"),
        column("share_part_time", "percent", "percent_pt_teacher"),
    ),
    _by_school(
        "vacancies",
        "vacancies",
        column("vacant_posts", "number", "vacancy", required=True),
        column("share_vacant", "percent", "rate"),
        column("temporarily_filled_posts", "number", "tempfilled", required=True),
        column("share_temporarily_filled", "percent", "temprate"),
    ),
    _by_school(
        "sickness absence of teachers",
        "sickness",
        column("share_taking_absence", "percent", "percentage_taking_absence", required=True),
        column("days_lost", "number", "total_number_of_days_lost"),
        column("mean_days_all_teachers", "number", "average_number_of_days_all_teachers"),
        # The figures are of the academic year before the census: 2019/20 is blank, as the next census did not
        # ask. If a file labelled them by the census instead, this date would be a year late, never early.
        public=(6, 30, 1),
    ),
    _by_school(
        "teacher pay",
        "pay",
        column("mean_salary", "money", "average_mean", required=True),
        column("median_salary", "money", "average_median"),
        column("share_on_leadership_pay", "percent", "teachers_on_leadership_pay_range_percent"),
    ),
    _by_school(
        "pupil to teacher ratios",
        "ratios",
        column("pupils_fte", "number", "pupils_fte", required=True),
        column("teachers_fte", "number", "teachers_fte"),
        column("pupils_per_teacher", "number", "pupil_to_qual_unqual_teacher_ratio", required=True),
        column("pupils_per_adult", "number", "pupil_to_adult_ratio"),
    ),
    _by_school(
        "characteristics of teachers",
        "characteristics",
        column("named_grouping", "text", "characteristic_group"),
        column("named_group", "text", "characteristic"),
        column("grade", "word", "grade", required=True),
        column("sex", "word", "sex", "gender"),
        # These ages are in public code that reads the official files; the words for working patterns and
        # qualified status have no source we could open, so another spelling of them stops us.
        column(
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
        column(
            "working_pattern",
            "word",
            "working_pattern",
            required=True,
            words=_same_words("Total", "Full-time", "Part-time", "Working pattern unclassified"),
        ),
        column(
            "qts_status",
            "word",
            "qts_status",
            required=True,
            words=_same_words("Total", "Qualified", "Unqualified", "QTS unclassified"),
        ),
        column("on_route", "word", "on_route"),
        column("ethnicity", "word", "ethnicity_major"),
        column("fte", "number", "full_time_equivalent", required=True),
        column("headcount", "count", "headcount", required=True),
        column("share_fte", "percent", "fte_school_percent"),
        column("share_headcount", "percent", "headcount_school_percent", required=True),
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
                column("la_code", "key", "old_la_code", required=True),
                *_PERIOD_AND_LEVEL,
                column(
                    "funding",
                    "word",
                    "funding",
                    required=True,
                    words=_same_words("Overall", "Total", "Funded", "Non-funded"),
                ),
                column("breakdown", "text", "breakdown", required=True),
                column("phase", "word", "group_name", required=True, words=_NPQ_PHASES),
                column("npq_starts", "count", "npq_starts", required=True),
                column("npq_participants", "count", "npq_unique_participants", required=True),
                column("share_npq", "percent", "percent_workforce_npq_participation", required=True),
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
