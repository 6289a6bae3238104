"""The rule-books that inspections were made under: their dates, scales and areas, and how they compare.

Grade words stand here and nowhere else. Rank runs the way people speak of it: 1 is the best overall grade.
"""

import numpy as np
import pandas as pd

GRADES = {1: "Outstanding", 2: "Good", 3: "Requires improvement", 4: "Inadequate"}
# its name to August 2012
GRADE_CODES = {**{word.lower(): code for code, word in GRADES.items()}, "satisfactory": 3}
GOOD = 2  # the boundary that regulation turns on: 1 and 2 are good or better, 3 and 4 below good

# A grade column may also hold these, none of which is a grade. What they mean is kept; they never become a
# number.
NOT_GRADES = {
    "9": "no judgement",
    "8": "not applicable",
    "0": "not collected",
    "not judged": "no judgement",
    "does not apply": "not applicable",
    "not applicable": "not applicable",
    "insufficient evidence": "no judgement",
}

# Ofsted's words for a school in a category of concern, newest first. NTI was treated as SWK from September
# 2012.
CATEGORIES = {
    "SM": "special measures",
    "SWK": "serious weaknesses",
    "RSI": "requires significant improvement",
    "NTI": "notice to improve",
}
CATEGORY_ALIASES = {"SWKS": "SWK"}
# The words in which the register of schools gave the two categories of an inadequate school.
CATEGORY_GRADES = {"special measures": "SM", "serious weaknesses": "SWK"}

# Report cards, from November 2025: five points for each area, no overall. "Attention needed" is a press
# spelling.
STANDARDS = {
    "Exceptional": 1,
    "Strong standard": 2,
    "Expected standard": 3,
    "Needs attention": 4,
    "Urgent improvement": 5,
}
STANDARD_ALIASES = {"attention needed": "Needs attention"}
NEEDS_ATTENTION = STANDARDS["Needs attention"]
# The areas of a report card, in Ofsted's order but leadership last of the six; the last two only where a
# school has them.
AREAS = {
    "inclusion": "Inclusion",
    "curriculum_and_teaching": "Curriculum and teaching",
    "achievement": "Achievement",
    "attendance_and_behaviour": "Attendance and behaviour",
    "personal_development_and_wellbeing": "Personal development and well-being",
    "leadership_and_governance": "Leadership and governance",
    "early_years": "Early years",
    "post_16": "Post-16 provision",
}
WHERE_APPLICABLE = ("early_years", "post_16")

# What an inspection gives: an overall grade; judgements on the same scale, of which an overall grade can be
# worked out; or standards by area on a scale of their own, which no overall grade can be made of.
OVERALL, JUDGEMENTS, STANDARDS_BY_AREA = "overall grade", "judgements", "standards by area"

# From when each is in force, and the days within which 95 of 100 of its reports were out: of those given in
# Ofsted's list of August 2025 and the Department's of July 2018, 65,000 in all.
FRAMEWORKS = pd.DataFrame(
    [
        ("section 5, 2005", "2005-09-01", 59, OVERALL),
        ("section 5, 2009", "2009-09-01", 79, OVERALL),
        ("section 5, 2012", "2012-01-01", 64, OVERALL),
        ("requires improvement, 2012", "2012-09-01", 63, OVERALL),  # satisfactory became requires improvement
        ("common inspection framework, 2015", "2015-09-01", 71, OVERALL),
        ("education inspection framework, 2019", "2019-09-01", 99, OVERALL),
        ("no overall grade, 2024", "2024-09-02", 77, JUDGEMENTS),
        ("report cards, 2025", "2025-11-10", 77, STANDARDS_BY_AREA),  # reports as before: too few to say
    ],
    columns=["framework", "from_on", "reports_within", "gives"],
).assign(from_on=lambda f: pd.to_datetime(f["from_on"]).astype("datetime64[s]"))

Stretch = tuple[pd.Timestamp, pd.Timestamp]
# No routine inspections were made between these days: the pandemic, and the weeks before report cards.
PAUSES: tuple[Stretch, ...] = (
    (pd.Timestamp("2020-03-17"), pd.Timestamp("2021-09-01")),
    (pd.Timestamp("2025-09-01"), pd.Timestamp("2025-11-10")),
)
# a pause of half a year moves every school's clock; a shorter one is made up for within the year
LONG = pd.Timedelta(days=182)


def long_pauses() -> tuple[Stretch, ...]:
    """The pauses after which every school's next inspection was due that much later."""
    return tuple((since, until) for since, until in PAUSES if until - since >= LONG)


def report_out_by(inspected_on: pd.Series) -> pd.Series:
    """The day by which 95 of 100 reports of inspections of that day were out: when no file says when one
    was.
    """
    within = framework_on(inspected_on).map(FRAMEWORKS.set_index("framework")["reports_within"])
    return inspected_on + pd.to_timedelta(within, unit="D")


def framework_on(inspected_on: pd.Series) -> pd.Series:
    """The rule-book in force on each day; blank for a blank day or one before September 2005."""
    starts = FRAMEWORKS["from_on"].to_numpy()
    places = np.searchsorted(starts, inspected_on.to_numpy(dtype="datetime64[s]"), side="right") - 1
    names = FRAMEWORKS["framework"].to_numpy(dtype=object)[np.clip(places, 0, None)]
    return pd.Series(
        np.where((places >= 0) & inspected_on.notna(), names, None), index=inspected_on.index, dtype="str"
    )


def gives(framework: pd.Series) -> pd.Series:
    """What inspections of each framework give: `OVERALL`, `JUDGEMENTS` or `STANDARDS_BY_AREA`; blank for a
    blank.
    """
    return framework.map(FRAMEWORKS.set_index("framework")["gives"])


def next_framework(mornings: pd.Series) -> pd.Series:
    """The framework of the first inspection that can come on each morning or after: the one in force when a
    pause is over.
    """
    first = mornings.copy()
    for since, until in PAUSES:
        first = first.mask(first.between(since, until), until)
    return framework_on(first)


def overall_from_judgements(quality: pd.Series, leadership: pd.Series, category: pd.Series) -> pd.Series:
    """The overall grade that 2024/25's judgements amount to.

    4 in a category of concern, else the worse of quality of education and leadership, at most 3. On 9,825
    inspections that had both, September 2019 to August 2024, it agrees with the published grade in 99.8%; it
    is also DfE's own rule for "below good". Blank where either judgement is blank, unless there is a category
    of concern.
    """
    worse = pd.concat([quality, leadership], axis=1).max(axis=1, skipna=False).clip(upper=3)
    return worse.mask(category.isin(CATEGORIES), 4.0)


def below_good_from_report_card(leadership_and_governance: pd.Series, category: pd.Series) -> pd.Series:
    """Whether a report card amounts to below good: the one boundary with an official ground.

    DfE's rule for stuck schools: leadership and governance at needs attention or worse, or any category of
    concern. No other line across the two scales is drawn: strong standard is not Outstanding. Blank where
    nothing is known.
    """
    below = pd.Series(pd.NA, index=category.index, dtype="boolean")
    below = below.mask(leadership_and_governance.notna(), leadership_and_governance >= NEEDS_ATTENTION)
    return below.mask(category.isin(CATEGORIES), True)


# --- what “improved” means on report cards ------------------------------------------------------------------

# Three rules, and every label says which made it. None of them compares an old grade with a standard but at
# one line. an old grade below good, then a card: not below good is improved
ACROSS_THE_LINE = "across the line below good"
# card to card, or graded again at a monitoring visit: a better standard is improved
AREA_BY_AREA = "standard of an area"
# card to card: fewer areas below, or as many and a better mean
CARD_BY_CARD = "areas below expected, then the mean standard"


def area_change(before: pd.Series, after: pd.Series) -> pd.Series:
    """improved, same or worse by `AREA_BY_AREA`; blank where either standard is."""
    step = before.astype("float64") - after.astype("float64")
    return (
        pd.Series(None, index=before.index, dtype="str")
        .mask(step > 0, "improved")
        .mask(step.eq(0), "same")
        .mask(step < 0, "worse")
    )


def card_change(before: pd.DataFrame, after: pd.DataFrame) -> pd.Series:
    """improved, same or worse by `CARD_BY_CARD`, of cards as standards by area (the same columns), over areas
    both have.
    """
    both = before.notna() & after.notna()
    first, second = before.where(both).astype("float64"), after.where(both).astype("float64")
    fewer = first.ge(NEEDS_ATTENTION).sum(axis=1) - second.ge(NEEDS_ATTENTION).sum(axis=1)
    step = np.sign(fewer).where(fewer.ne(0), np.sign((first.mean(axis=1) - second.mean(axis=1)).round(9)))
    step = step.where(both.any(axis=1))
    return (
        pd.Series(None, index=before.index, dtype="str")
        .mask(step > 0, "improved")
        .mask(step.eq(0), "same")
        .mask(step < 0, "worse")
    )


# --- the areas before any card ------------------------------------------------------------------------------

# The judgement of 2019 to 2025 that each area is nearest to, and the shares of inspections of 2024/25 (3,269
# in Ofsted's list of August 2025) in which it came out below good, and Outstanding: where forecasts of
# standards begin before any card is out. Nothing official says that they are the same; cards correct it as
# they come.
FORERUNNERS = {
    "inclusion": "leadership",
    "curriculum_and_teaching": "quality_of_education",
    "achievement": "quality_of_education",
    "attendance_and_behaviour": "behaviour",
    "personal_development_and_wellbeing": "personal_development",
    "leadership_and_governance": "leadership",
    "early_years": "early_years",
    "post_16": "sixth_form",
}
JUDGED_2024_25 = {
    "overall": (0.183, 0.162),
    "leadership": (0.118, 0.205),
    "quality_of_education": (0.169, 0.162),
    "behaviour": (0.064, 0.289),
    "personal_development": (0.037, 0.352),
    "early_years": (0.066, 0.271),
    "sixth_form": (0.070, 0.337),
}
# The first schools inspected for report cards had asked for it; their standards run higher.
VOLUNTEERS_UNTIL = pd.Timestamp("2025-11-30")
