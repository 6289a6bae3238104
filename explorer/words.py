"""Numbers, grades and sentences in plain English, and texts made safe to show.

What stands in a table is somebody else's text: `plain` takes every meaning out of it before it meets Markdown, and
`for_spreadsheet` before it meets a spreadsheet. HTML is made by a template that escapes.
"""

import re
from typing import Any

import pandas as pd

from pipelines.frameworks import GRADES

FAMILIES = {
    "leadership": "Leadership against the overall grade",
    "judgements": "The other judgements",
    "consistency": "How even the school is",
    "trajectory": "Earlier inspections",
    "timing": "Time since the last inspection",
    "visits": "The latest ungraded inspection",
    "head_change": "Change of head",
    "retention": "Staff who stay",
    "middle_leaders": "Middle and senior leaders",
    "capacity": "Vacancies and absence of staff",
    "workforce": "Staffing levels",
    "coherence": "Record of the trust and authority",
    "intake": "The pupils it serves",
    "attendance": "Attendance",
    "attainment": "Results",
    "parents": "What parents say",
    "context": "Type and region",
    "level": "What no signal carries",
    "report_card": "Its own last report card",
}
SOURCES = {
    "published": "published by Ofsted",
    "derived": "worked out from the judgements, as no overall grade was given",
    "crosswalk": "read across from a report card",
}
MODELS = {
    "champion": "The model",
    "base_rate_grade": "Rate of its grade",
    "base_rate_grade_phase": "Rate of its grade and phase",
    "base_rate_two_years": "Rate of its grade and phase, last two years",
    "leadership_gap_rule": "Leadership gap alone",
    "logistic": "Simple regression",
    "table": "Recent rate of its grade and phase",
    "ridge": "Penalised regression alone",
    "boosted": "Boosted trees alone",
    "blend": "Regression and trees together",
}
LABELS = {"improved": "improved", "same": "stayed the same", "worse": "fell"}
# The tables and registers a prediction can be made without, as a head would name them.
MADE_FROM = {
    "school_facts": "the school’s type and character",
    "coverage": "which inspections the files cover",
    "census": "the pupil census",
    "absence": "pupils’ absence",
    "workforce": "staffing levels and pay",
    "results": "exam and test results",
    "trust_results": "its trust’s own results",
    "ratios": "pupils for each teacher",
    "turnover": "teacher turnover",
    "posts": "posts of heads, deputies and assistant heads",
    "vacancies": "teacher vacancies",
    "sickness": "teachers’ sickness absence",
    "npq": "national professional qualifications in its authority",
    "head_changes": "changes of head",
    "parent_view": "parents’ answers to Ofsted Parent View",
    "norms": "what is usual for its phase",
    "leadership_development": "leadership development",
    "improvement_capacity": "improvement capacity",
    "staff_register": "staff",
}
ASSOCIATION = (
    "These are patterns among schools inspected before. They don’t say what a change would bring about, and the "
    "inspection itself has some chance in it."
)


# --- safe texts -------------------------------------------------------------------------------------------------------


def blank(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def plain(text: Any) -> str:
    """Any text as itself in Markdown: no link, colour, formula, heading or tag comes of it."""
    if blank(text):
        return ""
    flat = " ".join(str(text).split())
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:@&=\"'/])", r"\\\1", flat)


def for_spreadsheet(rows: pd.DataFrame) -> bytes:
    """A CSV that opens safely: text that a spreadsheet would take for a formula is kept as text."""
    safe = rows.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]) and not pd.api.types.is_datetime64_any_dtype(safe[column]):
            safe[column] = safe[column].map(_no_formula)
    safe.columns = [_no_formula(str(column)) for column in safe.columns]
    return safe.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n").encode("utf-8-sig")


def _no_formula(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def file_name(*parts: Any) -> str:
    return "-".join(re.sub(r"[^a-z0-9]+", "-", str(part).lower()).strip("-") for part in parts)


# --- numbers and days -------------------------------------------------------------------------------------------------


def of_100(share: Any) -> str:
    """A share as “about 62” of a hundred; the ends say so rather than round to never and always."""
    if blank(share):
        return "unknown"
    if share < 0.01:
        return "fewer than 1"
    if share > 0.99:
        return "more than 99"
    return f"{100 * float(share):.0f}"


def percent(share: Any, places: int = 0) -> str:
    if blank(share):
        return "not known"
    if places == 0 and 0 < share < 0.01:
        return "under 1%"
    if places == 0 and 0.99 < share < 1:
        return "over 99%"
    return f"{100 * float(share):.{places}f}%"


def points(step: Any) -> str:
    """A step between chances in points (of a hundred), its sign always shown."""
    if blank(step):
        return "not known"
    if abs(step) < 0.0005:
        return "0.0"
    return f"{100 * float(step):+.1f}".replace("-", "−")


def number(value: Any, places: int = 0) -> str:
    return "not known" if blank(value) else f"{float(value):,.{places}f}"


def day(value: Any) -> str:
    if blank(value) or pd.isna(value):
        return "day not known"
    at = pd.Timestamp(value)
    return f"{at.day} {at:%B %Y}"


def ago(value: Any) -> str:
    """How long ago a day was, in whole months or years."""
    months = max((pd.Timestamp.now() - pd.Timestamp(value)).days // 30, 0)
    if months < 1:
        return "less than a month ago"
    if months < 24:
        return f"{months} month{'s' if months > 1 else ''} ago"
    return f"{months // 12} years ago"


def academic_year(period: int) -> str:
    return f"{period - 1}/{period % 100:02d}"


def interval(row: Any, name: str, places: int = 2) -> str:
    """A figure with its 95% interval, from columns `name`, `name_low` and `name_high`."""
    if blank(row.get(name)):
        return "too few to say"
    return f"{row[name]:.{places}f} ({row[f'{name}_low']:.{places}f} to {row[f'{name}_high']:.{places}f})"


def and_list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


# --- grades -----------------------------------------------------------------------------------------------------------


def grade(rank: Any, inspected_on: Any = None) -> str:
    """A grade in Ofsted's words, and in those of its day where they were others."""
    if blank(rank):
        return "no overall grade"
    from pipelines.signals.trajectory import RENAMED_ON  # brings every signal, and the first page needs none

    words = GRADES[int(rank)]
    old = int(rank) == 3 and not blank(inspected_on) and pd.Timestamp(inspected_on) < RENAMED_ON
    return f"{words} (then called “satisfactory”)" if old else words


def grade_in_full(row: Any) -> str:
    """A grade as it is always shown: with its day, its framework and how it came about."""
    if blank(row["overall"]):
        return (
            "no graded inspection on record"
            if blank(row["inspected_on"])
            else f"inspected on {day(row['inspected_on'])}"
        )
    words = grade(row["overall"], row["inspected_on"])
    how = f"{framework(row['framework'])}; {source(row['overall_source'])}"
    return f"{words}, inspected on {day(row['inspected_on'])} ({how})"


def framework(name: Any) -> str:
    return "framework not known" if blank(name) else str(name)


def source(name: Any) -> str:
    return "source not known" if blank(name) else SOURCES.get(str(name), str(name))


def grades(span: Any) -> str:
    """A set of neighbouring grades: `1-2` is “Good or better”."""
    if blank(span):
        return "not known"
    ends = [int(end) for end in str(span).split("-")]
    first, last = ends[0], ends[-1]
    if first == last:
        return GRADES[first]
    if (first, last) == (1, 4):
        return "any of the four grades"
    if first == 1:
        return f"{GRADES[last]} or better"
    if last == 4:
        return f"{GRADES[first]} or worse"
    return " or ".join(GRADES[rank] for rank in range(first, last + 1))


PHASES = {
    "Nursery": "nursery schools",
    "Primary": "primary schools",
    "Secondary": "secondary schools",
    "Special": "special schools",
    "PRU": "pupil referral units and alternative provision",
}


def like_it(row: Any) -> str:
    """The schools a school is held against: its grade and its phase."""
    return f"{GRADES[int(row['overall'])]} {PHASES.get(row['phase'], 'schools')}"


# --- a prediction -----------------------------------------------------------------------------------------------------


def enough(row: Any) -> bool:
    """Whether enough schools like it were inspected to say anything."""
    return (
        row["status"] == "scored"
        and not blank(row.get("enough_like_it", True))
        and bool(row.get("enough_like_it", True))
    )


def staying(row: Any) -> bool:
    """Whether the question is of staying: nothing is better than Outstanding."""
    return int(row["overall"]) == 1


def chance(row: Any) -> float:
    """The stored chance: of improving, or at Outstanding of staying."""
    if staying(row):
        return float(row["p_same"])
    if blank(row["p_improve"]):  # its next inspection gives no grade: what the old grades would have come to
        return sum(float(row[f"p_grade_{rank}"]) for rank in GRADES if rank < int(row["overall"]))
    return float(row["p_improve"])


def lead(row: Any) -> str:
    """The one sentence that stands first on a school's page."""
    if row["status"] != "scored":
        return WHY_NOT.get(row["status"], f"There is no prediction for this school: {row['status']}.")
    if not enough(row):
        n = number(row.get("like_it"))
        return (
            f"Not enough like it to say: only {n} {like_it(row)} with a known outcome could be learned from, too few "
            "for a "
            "number that means anything."
        )
    does = f"are still {GRADES[1]} after" if staying(row) else "improve at"
    between = f" (somewhere from {of_100(row['p_low'])} to {of_100(row['p_high'])})" if "p_low" in row else ""
    return (
        f"Of 100 schools like this one ({like_it(row)}), about {of_100(row['base_rate'])} {does} their next graded "
        f"inspection; the model puts this school at {of_100(chance(row))}{between}, and is 90% sure of "
        f"{grades(row['grade_set'])}."
    )


WHY_NOT = {
    "never graded": "This school has no graded inspection on record yet, so there is nothing for it to improve on "
    "and no "
    "prediction. What is known about it is below.",
}


def parts(row: Any) -> pd.DataFrame:
    """What raised and lowered a prediction, a family a row, the largest first; together, chance less usual rate."""
    steps = [
        (FAMILIES.get(name.removeprefix("contribution_"), name.removeprefix("contribution_")), float(row[name]))
        for name in row.index
        if name.startswith("contribution_") and not blank(row[name])
    ]
    made = pd.DataFrame(steps, columns=["what", "step"])
    return made.sort_values("step", key=abs, ascending=False, kind="stable").reset_index(drop=True)


def parts_in_words(made: pd.DataFrame) -> str:
    """The three largest pushes each way, in a sentence or two."""
    told = made[made["what"].ne(FAMILIES["level"]) & made["step"].abs().ge(0.005)]
    up = [f"{what.lower()} ({points(step)})" for what, step in told[told["step"] > 0].head(3).itertuples(index=False)]
    down = [f"{what.lower()} ({points(step)})" for what, step in told[told["step"] < 0].head(3).itertuples(index=False)]
    if not up and not down:
        return "Nothing known about the school moves it by as much as half a point from schools like it."
    said = [f"Raised most by {and_list(up)}." if up else "", f"Lowered most by {and_list(down)}." if down else ""]
    return " ".join(part for part in said if part)


def made_without(told: Any, registers: tuple[str, ...], used: set[str]) -> list[str]:
    """The sources a prediction was made without, in words, with why; `told` is the stored list, `used` the model's sources."""
    said = []
    for name in [] if blank(told) else filter(None, str(told).split("; ")):
        what = f"your own register of {MADE_FROM.get(name, name)}" if name in registers else MADE_FROM.get(name, name)
        why = "none known when the chances were made" if name in registers else "no file published for this school"
        said.append(f"{what} ({why if name in used else 'too little of it in the files read for the model to learn from'})")
    return said


EXTRAPOLATION = (
    "Since November 2025 Ofsted gives report cards without an overall grade. The model "
    "learned from inspections before them, so this is an extrapolation from older rule-books: read it as the "
    "grade that the judgements would have amounted to."
)
