"""What is expected of every release, and what is known to be odd, not needed or personal."""

from dataclasses import dataclass, field


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
