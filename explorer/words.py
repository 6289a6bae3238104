"""Numbers, grades and sentences in plain English, and texts made safe to show.

What stands in a table is somebody else's text: `plain` takes every meaning out of it before it meets
Markdown, and `for_spreadsheet` before it meets a spreadsheet. HTML is made by a template that escapes.
"""

import re
from typing import Any

import pandas as pd

from headway.pipelines.frameworks import AREAS, GRADES

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
    "level": "Unexplained",
    "report_card": "Its own last report card",
    "unknown": "What isn’t known here",
}
# what they add is counted, and never told as what raised or lowered a chance
NO_REASON = ("level", "unknown")
SOURCES = {
    "published": "published by Ofsted",
    "derived": "worked out from the judgements, as no overall grade was given",
    "crosswalk": "read across from a report card",
}
# Frameworks whose names would be taken for a grade, or say nothing to a reader.
FRAMEWORKS = {
    "section 5, 2005": "the framework of 2005",
    "section 5, 2009": "the framework of 2009",
    "section 5, 2012": "the framework of January 2012",
    "requires improvement, 2012": "the framework of September 2012",
    "no overall grade, 2024": "the framework of 2024, without an overall grade",
}
PREDECESSOR = "given to a predecessor: not yet inspected in its current form"
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
# days, four months: Ofsted's list comes out monthly, and some hundreds of schools are inspected in each
OLD = 122
ASSOCIATION = (
    "These are patterns among schools inspected before. They don’t say what a change would bring about, and "
    "the "
    "inspection itself has some chance in it."
)


# --- safe texts ---------------------------------------------------------------------------------------------


def blank(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def plain(text: Any) -> str:
    """Any text as itself in Markdown: no link, colour, formula, heading or tag comes of it."""
    if blank(text):
        return ""
    flat = " ".join(str(text).split())
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:@&=\"'/])", r"\\\1", flat)


def quiet(text: str) -> str:
    """Markdown to show within a page: headings two levels down, no picture fetched, no formula or colour made
    of a sign.
    """
    lower = re.sub(r"(?m)^(#{1,4}) ", r"##\1 ", text)
    return re.sub(r"\$|!(?=\[)|:(?=[a-z])", r"\\\g<0>", lower)


def for_spreadsheet(rows: pd.DataFrame) -> bytes:
    """A CSV that opens safely: no text becomes a formula, and no set of grades a day. Numbers stay
    numbers.
    """
    return safe(rows).to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n").encode("utf-8-sig")


def safe(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with every text, and every column's name, such that a spreadsheet takes it for nothing but
    text.
    """
    kept = rows.copy()
    for column in kept.columns:
        if not pd.api.types.is_numeric_dtype(kept[column]) and not pd.api.types.is_datetime64_any_dtype(
            kept[column]
        ):
            kept[column] = kept[column].map(_as_text)
    kept.columns = [_as_text(str(column)) for column in kept.columns]
    return kept


def _as_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # a set of grades or standards: a spreadsheet would make 2-3 the second of March
    if re.fullmatch(r"\d-\d", value):
        return value.replace("-", " to ")
    return "'" + value if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def file_name(*parts: Any) -> str:
    return "-".join(re.sub(r"[^a-z0-9]+", "-", str(part).lower()).strip("-") for part in parts)


# --- numbers and days ---------------------------------------------------------------------------------------


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


def old(value: Any) -> bool:
    """Whether tables whose newest file is of that day miss too much to be read without a warning."""
    return pd.Timestamp.now() - pd.Timestamp(value) > pd.Timedelta(days=OLD)


def academic_year(period: int) -> str:
    return f"{period - 1}/{period % 100:02d}"


def interval(row: Any, name: str, places: int = 2) -> str:
    """A figure with its 95% interval, from columns `name`, `name_low` and `name_high`."""
    if blank(row.get(name)):
        return "too few to say"
    return f"{row[name]:.{places}f} ({row[f'{name}_low']:.{places}f} to {row[f'{name}_high']:.{places}f})"


def and_list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


# --- grades -------------------------------------------------------------------------------------------------


def grade(rank: Any, inspected_on: Any = None) -> str:
    """A grade in Ofsted's words, and in those of its day where they were others."""
    if blank(rank):
        return "no overall grade"
    # brings every signal, and the first page needs none
    from headway.pipelines.signals.trajectory import RENAMED_ON

    words = GRADES[int(rank)]
    old = int(rank) == 3 and not blank(inspected_on) and pd.Timestamp(inspected_on) < RENAMED_ON
    return f"{words} (then called “satisfactory”)" if old else words


def grade_in_full(row: Any) -> str:
    """A grade as it is always shown: with its day, its framework, how it came about, and whether to a
    predecessor.
    """
    if blank(row["overall"]):
        return (
            "no graded inspection on record"
            if blank(row["inspected_on"])
            else f"inspected on {day(row['inspected_on'])}"
        )
    words = grade(row["overall"], row["inspected_on"])
    how = [framework(row["framework"]), source(row["overall_source"])]
    if of_predecessor(row):
        how.append(PREDECESSOR)
    return f"{words}, inspected on {day(row['inspected_on'])} ({'; '.join(how)})"


def of_predecessor(row: Any) -> bool:
    """Whether a school's grade was given under another URN than its own."""
    under, urn = row.get("graded_urn"), row.get("urn")
    return not blank(under) and not blank(urn) and int(under) != int(urn)


def without_codes(text: Any) -> str:
    """A sentence of a command's report as a reader without statistics takes it: no name of a rule or of an
    error's measure.
    """
    kept = str(text)
    for name, words in sorted(MODELS.items(), key=lambda pair: -len(pair[0])):
        if "_" in name or name == "logistic":
            kept = re.sub(rf"\b{name}\b", f"“{words[:1].lower()}{words[1:]}”", kept)
    for name, words in AREAS.items():
        kept = re.sub(rf"\b{name}\b", words.lower(), kept)
    return kept.replace("Brier", "error")


def sentence(text: Any) -> str:
    """Such a text as a sentence of its own; nothing where it is blank."""
    kept = without_codes("" if blank(text) else text).strip()
    return f"{kept[0].upper()}{kept[1:].rstrip('.')}." if kept else ""


def framework(name: Any) -> str:
    return "framework not known" if blank(name) else FRAMEWORKS.get(str(name), str(name))


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


# --- a prediction -------------------------------------------------------------------------------------------


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
    """The stored chance of a better grade, or at Outstanding of staying; as an old grade, where the next
    gives none.
    """
    stay, _, rise = outcomes(row)
    return stay if staying(row) else rise


def outcomes(row: Any, which: str = "p_grade") -> tuple[float, float, float]:
    """The chances of the next grade being the same, worse and better; of schools like it with `which`
    usual_grade.
    """
    rank = int(row["overall"])
    every = {grade: float(row[f"{which}_{grade}"]) for grade in GRADES}
    return (
        every[rank],
        sum(every[grade] for grade in every if grade > rank),
        sum(every[grade] for grade in every if grade < rank),
    )


def usual_outcomes(row: Any) -> tuple[float, float, float] | None:
    """The same of schools of its grade and phase lately; nothing where the tables are older than that
    figure.
    """
    return None if blank(row.get("usual_grade_1")) else outcomes(row, "usual_grade")


def outcomes_in_words(row: Any, chances: tuple[float, float, float] | None) -> str:
    """stay Good 31, fall 67, rise 2; without what can't be: nothing is better than Outstanding or worse than
    Inadequate.
    """
    if chances is None:
        return "not known"
    rank = int(row["overall"])
    stay, fall, rise = chances
    parts = [f"stay {GRADES[rank]} {of_100(stay)}"]
    parts += [f"fall {of_100(fall)}"] if rank < max(GRADES) else []
    parts += [f"rise {of_100(rise)}"] if rank > min(GRADES) else []
    return ", ".join(parts)


def lead(row: Any) -> str:
    """The one sentence that stands first on a school's page: all that can come of it, beside schools like
    it.
    """
    if row["status"] != "scored":
        return WHY_NOT.get(row["status"], f"There is no prediction for this school: {row['status']}.")
    if not enough(row):
        n = number(row.get("like_it"))
        return (
            f"Not enough like it to say: only {n} {like_it(row)} with a known outcome could be learned "
            "from, too few "
            "for a "
            "number that means anything."
        )
    usual = usual_outcomes(row)
    beside = (
        f"schools like it ({like_it(row)}): {outcomes_in_words(row, usual)}"
        if usual
        else f"of 100 schools like it ({like_it(row)}), about {of_100(row['base_rate'])} "
        f"{'stayed' if staying(row) else 'improved'}"
    )
    return (
        "Of 100 schools placed as this one is, the model expects at the next graded inspection: "
        f"{outcomes_in_words(row, outcomes(row))}{_between(row)}; {beside}."
    )


def _between(row: Any) -> str:
    """The interval of the chance at stake, where it is the chance of a grade."""
    at_stake = row.get("p_same") if staying(row) else row.get("p_improve")
    if blank(row.get("p_low")) or (not blank(at_stake) and abs(float(at_stake) - chance(row)) > 1e-6):
        return ""
    return (
        f" ({'stay' if staying(row) else 'rise'}: somewhere from {of_100(row['p_low'])} to "
        f"{of_100(row['p_high'])})"
    )


def set_in_words(span: Any, row: Any, coverage: list[dict] | None) -> str:
    """What a set of grades promises: of many schools with this grade, how many sets held the grade that
    came.
    """
    if blank(span):
        return ""
    ends = [int(end) for end in str(span).split("-")]
    own = sum(float(row[f"p_grade_{grade}"]) for grade in range(ends[0], ends[-1] + 1))
    here = (
        f"The set of grades to reckon with is “{grades(span)}”: {of_100(own)} in 100 by this school’s "
        "own chances."
    )
    rows = [
        one
        for one in coverage or []
        if set(one) & {"overall", "fold", "next_framework", "phase"} in (set(), {"overall"})
    ]
    mine = [one for one in rows if one.get("overall") == int(row["overall"])] or [
        one for one in rows if "overall" not in one
    ]
    if not mine:
        return here
    graded = f" graded {GRADES[int(row['overall'])]}" if "overall" in mine[0] else ""
    return (
        f"{here} Sets like this held the next grade of {of_100(mine[0]['coverage'])} in 100 schools{graded} "
        "in years the "
        "model had not seen."
    )


def likeliest(rows: pd.DataFrame) -> str:
    """The likeliest next grade; where two round to the same share of a hundred, that they tie."""
    order = rows.sort_values("chance", ascending=False, kind="stable")
    first, second = order["chance"].iloc[0], order["chance"].iloc[1]
    if percent(first) == percent(second):
        return (
            f"{order['grade'].iloc[0]} and {order['grade'].iloc[1]} are about as likely, at "
            f"{percent(first)} each"
        )
    return f"The likeliest next grade is {order['grade'].iloc[0]}, at {percent(first)}"


WHY_NOT = {
    "never graded": "This school has no graded inspection on record yet, so there is nothing for it to "
    "improve on "
    "and no "
    "prediction. What is known about it is below.",
}


def parts(row: Any) -> pd.DataFrame:
    """What raised and lowered a prediction, a family a row, the largest first; together, chance less usual
    rate.

    A family of which nothing is known adds nothing and isn't among them. What blanks add stands last, with
    what is unexplained: both are counted and neither is a reason.
    """
    steps = [
        (name.removeprefix("contribution_"), float(row[name]))
        for name in row.index
        if name.startswith("contribution_") and not blank(row[name]) and row[name] != 0
    ]
    made = pd.DataFrame(steps, columns=["what", "step"]).astype({"step": "float64"})
    made = made.assign(reason=~made["what"].isin(NO_REASON), size=made["step"].abs())
    made = made.sort_values(["reason", "size"], ascending=False, kind="stable").drop(columns="size")
    return made.assign(what=made["what"].map(lambda name: FAMILIES.get(name, name))).reset_index(drop=True)


def parts_in_words(made: pd.DataFrame) -> str:
    """The three largest pushes each way, in a sentence or two, and what isn't known here."""
    large = made[made["step"].abs().ge(0.005)]
    reasons = large[large["reason"].astype("bool")]
    named = [
        f"{what.lower()} ({points(step)})"
        for what, step in zip(reasons["what"], reasons["step"], strict=True)
    ]
    up = [text for text, step in zip(named, reasons["step"], strict=True) if step > 0][:3]
    down = [text for text, step in zip(named, reasons["step"], strict=True) if step < 0][:3]
    sentences = [
        f"Raised most by {and_list(up)}." if up else "",
        f"Lowered most by {and_list(down)}." if down else "",
    ]
    if not named:
        sentences = [
            "Nothing known about the school moves it by as much as half a point from schools like it."
        ]
    unknown = large.loc[large["what"].eq(FAMILIES["unknown"]), "step"]
    sentences += [f"Another {points(step)} comes of what isn’t known about it." for step in unknown]
    return " ".join(sentence for sentence in sentences if sentence)


EXTRAPOLATION = (
    "Since November 2025 Ofsted gives report cards without an overall grade. The model "
    "learned from inspections before them, so this is an extrapolation from older frameworks: read it as the "
    "grade that the judgements would have amounted to."
)
