"""How much would have to be known to test the claims that no file here can test: schools with a register, or
years of a file.

Two groups of people are compared within each school, or schools that have something with schools that don't.
People of a school are alike, so a school counts as one: every figure here is of sums by school, set against
their spread from school to school. The closed form and the simulation are of the same comparison, on the
sizes, phases and grades of the schools there are.

Methods. Schools needed: (za + zb)^2 V / d^2 with V the variance of a difference between two ratios of means
by school, and the quantiles of Student's t; the inflation for unequal schools is that of Eldridge, Ashby and
Kerry (2006, Int J Epidemiol 35:1292). Test: the ratio estimator's cluster-robust variance (Cochran 1977,
Sampling Techniques). Simulated number of schools: the simulated power's probit, over the test's threshold,
grows with the root of the number of schools; the slope is simulated.
"""

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from headway.pipelines.frameworks import GRADES
from headway.pipelines.signals import retention

POWERS = (0.80, 0.90)
TRUSTS = (10, 50, 400)  # schools
MOST_YEARS = 30  # of a file that has grown by one a year since 2010/11
# repetitions of a simulated study, and school-draws for each point of its curve
REPLICATES, DRAWS = 2000, 1_000_000
FEWEST_REPLICATES = 250
POINTS = (0.75, 0.9, 1.1, 1.35, 1.6)  # of the closed form's schools at 80%; they lie around both powers
FEWEST_SCHOOLS, FEWEST_PEOPLE = 30, 20  # below, the normal distribution beneath the closed form doesn't hold
AGREE = 0.10
# of the teachers: middle leaders are about a fifth, a quarter of them in a programme
TAKING_PART, LIKE_THEM = 0.05, 0.15
AFTER_INADEQUATE = -0.034  # of teachers who stay (Sims 2016)
GRADE_SPREAD = 2.1  # of a pupil's GCSE grades, 9 to 1
YEARS_ALIKE = 0.85  # a school's results with its own of the year before, where the tables don't say
WITHIN, BETWEEN = "within", "between"


@dataclass(frozen=True)
class Question:
    """A claim as a comparison of two means: of shares of people, or of `spread` out wide where the outcome is
    a grade.

    `alike` is the share of the outcome's variance that lies between schools once what is usual for phase and
    grade is taken off. `touched` is the share of those measured whom the claim is about: a file of whole
    schools shows it so much thinner.
    """

    id: str
    statement: str
    source: str
    how: str
    design: str
    with_it: float
    without: float
    outcome: str
    people: str
    alike: float
    alike_from: str
    touched: float = 1.0
    spread: float | None = None
    years: tuple[int, ...] = (1,)
    usual: bool = False  # whether phase and grade move it, as they do staying
    per: float = 1.0  # of the people of a school, or parts of them, those compared
    unit: str = "schools"

    @property
    def difference(self) -> float:
        """What would be seen: the claim's difference, thinned by those it isn't about."""
        return (self.with_it - self.without) * self.touched


_STAY = "86% of those who took part stayed in teaching, 77% of teachers like them."
_SENIOR = "71.8% of those who took part are in senior posts, 41% before."
_GRADE = "Pupils of those who took part gain a twelfth of a grade."
_ASSUMED = "assumed: no file says"
_WITHIN_SCHOOLS = "88% of the variation lies within schools, less what the year before foretells"
QUESTIONS = (
    Question(
        "stay_register",
        _STAY,
        "a register of leadership development",
        "in each school, those who took part against the school's other middle leaders",
        WITHIN,
        0.86,
        0.77,
        "stay",
        "teachers",
        0.03,
        _ASSUMED,
        usual=True,
    ),
    Question(
        "stay_file",
        _STAY,
        "the school-level turnover file",
        (
            "all teachers of schools with a programme, one in twenty of whom took part, against those of as "
            "many without"
        ),
        BETWEEN,
        0.86,
        0.77,
        "stay",
        "teachers",
        0.02,
        _ASSUMED,
        touched=TAKING_PART,
        years=(1, 3, 5, 10),
        usual=True,
    ),
    Question(
        "senior_register",
        _SENIOR,
        "a register of leadership development",
        "in each school, those who took part against the school's other middle leaders, at the end",
        WITHIN,
        0.718,
        0.41,
        "are in senior posts",
        "teachers",
        0.05,
        _ASSUMED,
    ),
    Question(
        "grade_register",
        _GRADE,
        "a register, and results by department",
        (
            "pupils of departments whose leader took part against those of as many schools without, beside "
            "the "
            "results before"
        ),
        BETWEEN,
        1 / 12,
        0.0,
        "grade",
        "pupils_at_16",
        0.12,
        _WITHIN_SCHOOLS,
        spread=GRADE_SPREAD,
        years=(1, 3, 5),
        unit="secondary schools",
    ),
    Question(
        "grade_file",
        _GRADE,
        "the public results of whole schools",
        "all subjects of schools in which one department in eight is led by a participant, against as many "
        "schools without, "
        "beside the results before",
        BETWEEN,
        1 / 12,
        0.0,
        "grade",
        "pupils_at_16",
        0.12,
        _WITHIN_SCHOOLS,
        touched=1 / 8,
        spread=GRADE_SPREAD,
        years=(1, 3, 5),
        unit="secondary schools",
    ),
    Question(
        "leaders_register",
        "0.5% of the staff are improvement leaders: told from half as many.",
        "a register of improvement capacity",
        "schools that improve against as many that don't, where half as many are",
        BETWEEN,
        0.005,
        0.0025,
        "are improvement leaders",
        "staff",
        0.005,
        _ASSUMED,
    ),
    Question(
        "practitioners_register",
        "5% of the staff are improvement practitioners: told from half as many.",
        "a register of improvement capacity",
        "schools that improve against as many that don't, where half as many are",
        BETWEEN,
        0.05,
        0.025,
        "are improvement practitioners",
        "staff",
        0.02,
        _ASSUMED,
    ),
)


# --- the schools there are ----------------------------------------------------------------------------------


def sizes(
    schools: pd.DataFrame, workforce: pd.DataFrame, results: pd.DataFrame, inspections: pd.DataFrame
) -> pd.DataFrame:
    """A row each open lineage: phase, newest grade, teachers, staff and pupils at 16, by the newest row that
    has them.
    """
    listed = schools[schools["open"]].drop_duplicates("lineage")[["lineage", "phase"]]
    staff = workforce[["teachers_headcount", "assistants_headcount", "support_headcount"]].sum(
        axis=1, min_count=3
    )
    counted = workforce[["lineage", "period"]].assign(teachers=workforce["teachers_headcount"], staff=staff)
    graded = inspections[inspections["overall"].notna()].sort_values("inspected_on", kind="stable")
    pupils = results[["lineage", "period"]].assign(pupils_at_16=results["pupils_at_16"])
    return (
        listed.merge(_newest(counted), on="lineage", how="left", validate="one_to_one")
        .merge(_newest(pupils), on="lineage", how="left", validate="one_to_one")
        .merge(
            graded.groupby("lineage")["overall"].last().reset_index(),
            on="lineage",
            how="left",
            validate="one_to_one",
        )
        .assign(phase=lambda rows: rows["phase"].fillna("not known"))
        .reset_index(drop=True)
    )


def _newest(rows: pd.DataFrame) -> pd.DataFrame:
    """The newest figure each lineage has; a school of none is a blank."""
    figures = (
        rows.sort_values("period", kind="stable")
        .groupby("lineage")
        .last()
        .drop(columns="period")
        .reset_index()
    )
    return figures.assign(
        **{name: figures[name].where(figures[name] > 0) for name in figures if name != "lineage"}
    )


def years_alike(results: pd.DataFrame) -> float | None:
    """How far a school's mean grade goes with its own of the year before; None below a hundred pairs."""
    mean = results.dropna(subset=["attainment_8"]).drop_duplicates(["lineage", "period"])[
        ["lineage", "period", "attainment_8"]
    ]
    before = mean.assign(period=mean["period"] + 1)
    pairs = mean.merge(before, on=["lineage", "period"], validate="one_to_one", suffixes=("", "_before"))
    return float(pairs["attainment_8"].corr(pairs["attainment_8_before"])) if len(pairs) >= 100 else None


@dataclass(frozen=True)
class Sample:
    """The schools a question draws from: how many in each group, and how far usual staying lies from the mean
    of all.
    """

    having: np.ndarray
    others: np.ndarray
    shift: np.ndarray


def sample(question: Question, schools: pd.DataFrame) -> Sample:
    """The groups of each school that has the figure; within a school nobody is in both."""
    rows = schools[schools[question.people].gt(0)]
    people = rows[question.people].to_numpy("float64")
    shift = np.zeros(len(rows))
    if question.usual and len(rows):
        usual = rows["phase"].map(retention.USUAL).fillna(retention.USUAL["Primary"]).to_numpy("float64")
        worst = rows["overall"].eq(max(GRADES)).fillna(False).to_numpy(dtype=bool)
        shift = usual + np.where(worst, AFTER_INADEQUATE, 0.0)
        shift = shift - np.average(shift, weights=people)
    if question.design == BETWEEN:
        return Sample(people.round(), people.round(), shift)
    return Sample(*(np.maximum(1, (share * people).round()) for share in (TAKING_PART, LIKE_THEM)), shift)


# --- the closed form ----------------------------------------------------------------------------------------


def _variances(question: Question, given: Sample, mean: float) -> np.ndarray:
    """The variance of one person's outcome in each school."""
    if question.spread is not None:
        return np.full(len(given.shift), question.spread**2)
    share = np.clip(mean + given.shift, 0.001, 0.999)
    return share * (1 - share)


def variance(question: Question, given: Sample, years: int = 1, difference: float | None = None) -> float:
    """The variance of the difference seen, times the number of schools: over people, and over schools, who
    stay as they are.

    For each group, with m people in a school: (1 - alike) mean(m v) / mean(m)^2 for people; what schools have
    of their own adds alike mean(m^2 v) / mean(m)^2 each where schools are compared, of which half are in a
    group, and where they are compared with themselves only what is left after taking one group from the
    other.
    """
    seen = question.difference if difference is None else difference
    groups = [
        (given.having * years, _variances(question, given, question.without + seen)),
        (given.others * years, _variances(question, given, question.without)),
    ]
    people = [(1 - question.alike) * (m * v).mean() / m.mean() ** 2 for m, v in groups]
    own = [m * np.sqrt(v) / m.mean() for m, v in groups]
    if question.design == WITHIN:
        return float(sum(people) + question.alike * ((own[0] - own[1]) ** 2).mean())
    return float(2 * sum(people) + 2 * question.alike * sum((each**2).mean() for each in own))


def _reach(schools: float, design: str, power: float) -> float:
    """How many standard errors the difference must be, with the degrees of freedom that many schools
    leave.
    """
    freedom = max(schools - (1 if design == WITHIN else 2), 1.0)
    return float(stats.t.ppf(0.975, freedom) + stats.t.ppf(power, freedom))


def schools_needed(question: Question, given: Sample, power: float, years: int = 1) -> int:
    """The fewest schools that tell the claim's difference from nothing, two-sided at 5%."""
    once = variance(question, given, years) / question.difference**2
    low, high = 3, 4
    while _reach(high, question.design, power) ** 2 * once > high:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (middle, high) if _reach(middle, question.design, power) ** 2 * once > middle else (low, middle)
        )
    return high


def years_needed(question: Question, given: Sample, power: float, schools: int) -> int | None:
    """The fewest years of a file for so many schools; None where no number of them is enough."""
    return next(
        (
            years
            for years in range(1, MOST_YEARS + 1)
            if schools_needed(question, given, power, years) <= schools
        ),
        None,
    )


def smallest(question: Question, given: Sample, power: float, schools: int, years: int = 1) -> float | None:
    """The smallest difference among those the claim is about that so many schools could tell; None where all
    isn't enough.
    """
    most = (1 - question.without if question.spread is None else 9.0) * question.touched
    reach = _reach(schools, question.design, power)

    def short(seen: float) -> bool:
        return bool(reach**2 * variance(question, given, years, seen) / schools > seen**2)

    if short(most):
        return None
    low, high = 0.0, most
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if short(middle) else (low, middle)
    return high / question.touched


# --- the simulation -----------------------------------------------------------------------------------------


def _drawn(
    question: Question,
    people: np.ndarray,
    shift: np.ndarray,
    mean: float,
    own: np.ndarray | None,
    rng: np.random.Generator,
) -> np.ndarray:
    """The sum of each school's outcomes: what the school has of its own, shared by its people, then each
    person.

    Without `own`, shares of schools follow the beta distribution, which small ones need; with it, both groups
    move by it.
    """
    alike = question.alike
    if question.spread is not None:
        own = rng.standard_normal(people.shape) if own is None else own
        each = rng.standard_normal(people.shape) * np.sqrt((1 - alike) * people)
        return mean * people + question.spread * (np.sqrt(alike) * own * people + each)
    share = np.clip(mean + shift, 0.001, 0.999)
    if own is None:
        share = rng.beta(share * (1 / alike - 1), (1 - share) * (1 / alike - 1))
    else:
        share = np.clip(share + np.sqrt(alike * share * (1 - share)) * own, 0.0, 1.0)
    return rng.binomial(people.astype("int64"), share)


def simulated_power(
    question: Question, given: Sample, schools: int, years: int, replicates: int, seed: int = 0
) -> float:
    """The share of drawn studies of so many schools whose test comes out, in the direction of the claim."""
    rng = np.random.default_rng([seed, schools, years])
    place = rng.integers(0, len(given.shift), (replicates, schools))
    shift, (having, others) = given.shift[place], (m[place] * years for m in (given.having, given.others))
    if question.design == WITHIN:
        own = rng.standard_normal(place.shape)
        first = _residuals(question, having, shift, question.without + question.difference, own, rng)
        second = _residuals(question, others, shift, question.without, own, rng)
        apart = first[1] - second[1]
        error, freedom = np.sqrt((apart**2).sum(axis=1) * schools / (schools - 1)), schools - 1
    else:
        half = schools // 2
        first = _residuals(
            question, having[:, :half], shift[:, :half], question.without + question.difference, None, rng
        )
        second = _residuals(question, others[:, half:], shift[:, half:], question.without, None, rng)
        error = np.sqrt(
            sum((left**2).sum(axis=1) * left.shape[1] / (left.shape[1] - 1) for _, left in (first, second))
        )
        freedom = schools - 2
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = (first[0] - second[0]) / error
    return float((seen > stats.t.ppf(0.975, freedom)).mean())


def _residuals(
    question: Question,
    people: np.ndarray,
    shift: np.ndarray,
    mean: float,
    own: np.ndarray | None,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """The pooled mean over what is usual, study by study, and how far each school moves it."""
    over = _drawn(question, people, shift, mean, own, rng) - shift * people
    total = people.sum(axis=1)
    pooled = over.sum(axis=1) / total
    return pooled, (over - pooled[:, None] * people) / total[:, None]


def simulated_schools(
    question: Question, given: Sample, years: int = 1, replicates: int = REPLICATES, seed: int = 0
) -> dict[float, int | None]:
    """The schools needed at each power, by simulation around the closed form's number; None where more than
    there are.
    """
    start = schools_needed(question, given, POWERS[0], years)
    if start > len(given.shift):
        return dict.fromkeys(POWERS)
    numbers = np.array(sorted({max(4, 2 * round(point * start / 2)) for point in POINTS}))
    many = np.clip(DRAWS // numbers, min(replicates, FEWEST_REPLICATES), replicates)
    powers = [
        simulated_power(question, given, int(schools), years, int(times), seed)
        for schools, times in zip(numbers, many, strict=True)
    ]
    beyond = stats.norm.ppf(np.clip(powers, 0.5 / many, 1 - 0.5 / many)) + stats.norm.isf(0.025)
    slope = float((beyond * np.sqrt(numbers)).sum() / numbers.sum())
    if slope <= 0:
        return dict.fromkeys(POWERS)
    return {
        power: math.ceil(((stats.norm.ppf(power) + stats.norm.isf(0.025)) / slope) ** 2) for power in POWERS
    }


def holds(question: Question, given: Sample, schools: int, years: int = 1) -> bool:
    """Whether there are schools enough for the closed form, and people enough of the rarer kind in the
    smaller group.
    """
    if question.spread is not None:
        return schools >= FEWEST_SCHOOLS
    share = min(question.without, question.without + question.difference, key=lambda p: min(p, 1 - p))
    group = given.having.mean() * years * schools / (1 if question.design == WITHIN else 2)
    return bool(schools >= FEWEST_SCHOOLS and group * min(share, 1 - share) >= FEWEST_PEOPLE)


# --- the report ---------------------------------------------------------------------------------------------


def power(
    schools: pd.DataFrame,
    results: pd.DataFrame,
    *,
    data_source: str,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> dict[str, Any]:
    """The content of power.json: every question, its schools or years by both ways, and what a trust could
    learn alone.

    `schools` is what `sizes` gives, `results` the table. Plain JSON values; the same inputs and seed give the
    same content.
    """
    measured = years_alike(results)
    together = YEARS_ALIKE if measured is None else measured
    asked = [
        replace(question, alike=question.alike * (1 - together**2))
        if question.spread is not None
        else question
        for question in QUESTIONS
    ]
    answers = [_answered(question, schools, replicates, seed) for question in asked]
    return {
        "data_source": data_source,
        "seed": seed,
        "replicates": replicates,
        "two_sided": 0.05,
        "powers": list(POWERS),
        "schools": {
            "open": len(schools),
            "phases": _counts(schools["phase"]),
            "grades": _counts(schools["overall"].map(GRADES).fillna("none")),
            **{
                f"with_{name}": int(schools[name].notna().sum())
                for name in ("teachers", "staff", "pupils_at_16")
            },
        },
        "assumptions": _assumptions(together, measured is not None),
        "questions": answers,
        "summary": [sentence for answer in answers for sentence in answer["sentences"]],
    }


def _counts(names: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in names.value_counts().sort_index().items()}


def _assumptions(together: float, measured: bool) -> list[dict[str, Any]]:
    return [
        {"what": "Share of a school's teachers who took part", "value": TAKING_PART, "from": _ASSUMED},
        {
            "what": "Share of a school's teachers who are middle leaders like them",
            "value": LIKE_THEM,
            "from": _ASSUMED,
        },
        {
            "what": "Added to the share who stay after an Inadequate grade",
            "value": AFTER_INADEQUATE,
            "from": "Sims 2016",
        },
        {
            "what": "Standard deviation of a pupil's GCSE grade in a subject",
            "value": GRADE_SPREAD,
            "from": "assumed: about what the grades of all England's pupils have",
        },
        {
            "what": "Correlation of a school's mean grade with the year before",
            "value": together,
            "from": "the results in the tables" if measured else "assumed: the tables hold too few results",
        },
    ]


def _answered(question: Question, schools: pd.DataFrame, replicates: int, seed: int) -> dict[str, Any]:
    """A question's figures; where no school has what it needs, none."""
    given = sample(question, schools)
    about = {
        name: getattr(question, name)
        for name in (
            "id",
            "statement",
            "source",
            "how",
            "design",
            "with_it",
            "without",
            "outcome",
            "people",
            "alike",
            "alike_from",
            "touched",
            "spread",
            "unit",
        )
    }
    about |= {"difference": question.difference, "schools": len(given.shift)}
    if not len(given.shift):
        why = f"{question.statement} The tables have no school with {question.people.replace('_', ' ')}."
        return about | {"needed": [], "years": [], "trusts": [], "sentences": [why]}
    needed = []
    for years in question.years:
        drawn = simulated_schools(question, given, years, replicates, seed)
        needed += [_needed(question, given, power, years, drawn[power]) for power in POWERS]
    many = sorted(
        {schools for schools in (200, 1000, 5000) if schools < len(given.shift)} | {len(given.shift)}
    )
    over = (
        [
            {"schools": count, "power": power, "years": years_needed(question, given, power, count)}
            for count in many
            for power in POWERS
        ]
        if len(question.years) > 1
        else []
    )
    trusts = [_of_trust(question, given, count, power) for count in TRUSTS for power in POWERS]
    result = about | {"needed": needed, "years": over, "trusts": trusts}
    return result | {"sentences": _sentences(result)}


def _needed(question: Question, given: Sample, power: float, years: int, drawn: int | None) -> dict[str, Any]:
    closed = schools_needed(question, given, power, years)
    sound = holds(question, given, closed, years)
    apart = None if drawn is None else drawn / closed - 1
    return {
        "years": years,
        "power": power,
        "closed": closed,
        "simulated": drawn,
        "apart": apart,
        "closed_holds": sound,
        "agree": None if apart is None else abs(apart) <= AGREE,
    }


def _of_trust(question: Question, given: Sample, schools: int, power: float) -> dict[str, Any]:
    """What a trust of so many schools could tell: the smallest difference, whether the claim's is as large,
    and in words.
    """
    least = smallest(question, given, power, schools)
    can = least is not None and least <= question.with_it - question.without
    say = partial(_amount, question)
    if least is None:
        words = f"{schools} {question.unit} alone can tell no difference."
        if question.spread is None:
            words = (
                f"{schools} {question.unit} alone can't even tell {say(question.without)} from {say(1.0)}."
            )
    elif question.spread is not None:
        words = (
            f"{schools} {question.unit} alone can tell {say(least)}, or more; the claim's "
            f"{say(question.with_it)} "
            f"{'among them' if can else 'not'}."
        )
    else:
        words = (
            f"{schools} {question.unit} alone can tell {say(question.without)} from "
            f"{say(question.without + least)} or "
            f"more{'; so also' if can else ', and not'} from the claim's {say(question.with_it)}."
        )
    return {"schools": schools, "power": power, "smallest": least, "can": can, "words": words}


def _amount(question: Question, value: float) -> str:
    if question.spread is not None:
        return f"{value:.2f} of a grade"
    return f"{value:.2%}" if question.without < 0.01 else f"{value:.1%}"


def _years(count: int | None) -> str:
    return f"not in {MOST_YEARS} years" if count is None else "1 year" if count == 1 else f"{count} years"


def _sentences(found: dict[str, Any]) -> list[str]:
    """The answer, to read: the schools, then the years, then what a trust can learn."""
    low, high = (
        row["closed"] if row["closed_holds"] else row["simulated"] or row["closed"]
        for row in found["needed"][:2]
    )
    beyond = f", more than the {found['schools']:,} there are" if low > found["schools"] else ""
    text = [
        (
            f"{found['statement']} By {found['source']}: {low:,} {found['unit']} for 80% power, {high:,} for "
            f"90%{beyond}."
        )
    ]
    if found["years"]:
        every = [row for row in found["years"] if row["power"] == POWERS[0]]
        said = "; ".join(f"{row['schools']:,} schools: {_years(row['years'])}" for row in every)
        text.append(f"Years it takes at 80% power, by how many schools have it told of them: {said}.")
    text += [row["words"] for row in found["trusts"] if row["power"] == POWERS[0]]
    return text
