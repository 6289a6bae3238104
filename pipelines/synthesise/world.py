"""A made-up England: its schools, and what their inspections found, with a known effect planted in them.

How the effect is planted. Each academic year the schools due are inspected. Whether a school improves has the
chance of its stratum (grade, phase, year), its odds multiplied by the gap odds ratio where leadership had
been graded better than overall. The draw leans towards schools of higher quality, but by their order within
the stratum, so averaged over quality the chance is exactly the planted one; and the gap is drawn afresh at
each inspection, knowing nothing of quality. The odds ratio within strata is therefore the planted one, not a
diluted one. The traits of staff and parents are drawn after the outcomes, shifted by them just so far that
the odds ratio per standard deviation of a year's figures comes out right. Inspectors' noise (about 4% each
way) is part of the chance: flipping outcomes afterwards would dilute what was planted.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtri

from headway.pipelines import frameworks


@dataclass(frozen=True)
class Effect:
    """What is planted: each ratio multiplies the odds of improving at the next graded inspection.

    The gap's is for leadership graded better than overall against not better; the others are for one standard
    deviation of the share of teachers who stay, of assistant heads per teacher, and of what parents say.
    """

    gap_odds_ratio: float = 1.0
    retention_odds_ratio: float = 1.0
    middle_leader_odds_ratio: float = 1.0
    parents_odds_ratio: float = 1.0


# Nobody has published what parents' answers are worth once the grade is known, so there “published” plants
# nothing.
EFFECTS = {"none": Effect(), "published": Effect(1.35, 1.08, 1.08), "strong": Effect(2.5, 1.5, 1.5, 1.5)}

FIRST_YEAR, LAST_YEAR = 2009, 2025  # academic years by the year they begin in; the last has report cards
CAPACITY = 0.178  # graded inspections a year, as a share of the schools: 3,900 of 22,000
BEYOND = 4  # years simulated past the files, so that the newest figures also lean towards what comes next
YEAR = 365.25

PHASES = np.array(["Primary", "Secondary", "Special", "Nursery", "PRU"])
PHASE_SHARES = [0.76, 0.16, 0.05, 0.015, 0.015]
# Nine regions: share of schools, and the middle and spread of a patch of land in degrees north and east.
REGIONS = pd.DataFrame(
    [
        ("East Midlands", 0.09, 52.85, -0.85, 0.35, 0.45),
        ("East of England", 0.12, 52.25, 0.55, 0.35, 0.5),
        ("London", 0.12, 51.5, -0.1, 0.1, 0.18),
        ("North East", 0.05, 54.9, -1.65, 0.25, 0.2),
        ("North West", 0.15, 53.7, -2.55, 0.35, 0.25),
        ("South East", 0.15, 51.25, -0.55, 0.25, 0.6),
        ("South West", 0.11, 51.0, -3.0, 0.4, 0.7),
        ("West Midlands", 0.11, 52.5, -2.0, 0.3, 0.35),
        ("Yorkshire and the Humber", 0.10, 53.8, -1.3, 0.3, 0.4),
    ],
    columns=["region", "share", "latitude", "longitude", "tall", "wide"],
)
AUTHORITIES = 150

# Chances by the year an academic year begins in, read between the years given; sources in the reference
# evidence.
IMPROVES = {
    2: ([2009, 2013, 2015, 2023, 2024], [0.095, 0.095, 0.065, 0.065, 0.10]),
    3: ([2009, 2012, 2015, 2016, 2018, 2019, 2021, 2022], [0.44, 0.56, 0.70, 0.61, 0.58, 0.64, 0.70, 0.75]),
    4: ([2009, 2024], [0.955, 0.97]),
}
FALLS = {
    1: ([2009, 2015, 2019, 2021], [0.50, 0.59, 0.75, 0.81]),
    2: ([2009, 2016, 2019, 2021, 2024], [0.21, 0.21, 0.20, 0.17, 0.13]),
    3: ([2009, 2024], [0.07, 0.06]),
}
EASIER = {"Primary": 0.14, "Secondary": -0.65, "Special": 0.15, "Nursery": 0.4, "PRU": -0.1}  # log odds
FIRST_GRADES = {"old": [0.19, 0.47, 0.30, 0.04], "new": [0.20, 0.61, 0.16, 0.03]}
AFTER_RISE = {2: {1: 1.0}, 3: {2: 0.98, 1: 0.02}, 4: {3: 0.42, 2: 0.57, 1: 0.01}}
AFTER_FALL = {1: {2: 0.76, 3: 0.20, 4: 0.04}, 2: {3: 0.80, 4: 0.20}, 3: {4: 1.0}}
# How far the draw leans towards quality: with what the files show of it, AUC comes to about .75 within Good,
# .66 in RI.
LEAN = {1: 0.5, 2: 0.66, 3: 0.5, 4: 0.4}
# Leadership better than overall: far commoner where there is more room to rise. That alone makes the raw
# ratio large.
GAP_BETTER = {1: 0.0, 2: 0.035, 3: 0.26, 4: 0.40}
GAP_WORSE = {1: 0.015, 2: 0.003, 3: 0.002, 4: 0.0}


@dataclass(frozen=True)
class World:
    """Schools (a row each, through all its URNs), their graded inspections, and the traits behind the
    figures.

    `quality` has a row an academic year from FIRST_YEAR and a column a school; the traits are in standard
    deviations.
    """

    schools: pd.DataFrame
    visits: pd.DataFrame
    quality: np.ndarray
    stays: np.ndarray
    assistants: np.ndarray
    parents: np.ndarray

    def quality_in(self, year: int, which: pd.Series) -> np.ndarray:
        """The latent quality of these schools in the academic year that ends in `year`."""
        return self.quality[year - 1 - FIRST_YEAR][which]


def day_of(day: str) -> int:
    return int(np.datetime64(day, "D").astype(int))


ANEW = day_of("2021-09-01")  # since then Outstanding schools are inspected again, and Good ones seen sooner


def pauses() -> list[tuple[int, int]]:
    """The first day of each long pause in inspections, and the first day after it."""
    return [
        (day_of(str(since.date())), day_of(str(until.date()))) for since, until in frameworks.long_pauses()
    ]


def dates_of(days: np.ndarray) -> np.ndarray:
    return np.asarray(days, dtype="int64").astype("datetime64[D]").astype("datetime64[s]")


def teaching_days(year: int) -> np.ndarray:
    """The days of an academic year on which graded inspections begin, as day numbers."""
    days = np.arange(np.datetime64(f"{year}-09-04"), np.datetime64(f"{year + 1}-07-18"))
    month_day = np.array([str(day)[5:] for day in days])
    open_ = np.is_busday(days) & ~(
        (month_day > "12-18") | (month_day < "01-05") | ((month_day > "04-01") & (month_day < "04-15"))
    )
    first = {2024: "2024-09-23", 2025: "2025-11-11"}.get(year)  # no overall grade; report cards
    if first:
        open_ &= days >= np.datetime64(first)
    return days[open_].astype("int64")


def make_schools(count: int, rng: np.random.Generator) -> pd.DataFrame:
    """The schools: phase, place, advantage of intake, when they open, close and might become academies by
    choice.
    """
    authority_region = np.sort(rng.choice(len(REGIONS), AUTHORITIES, p=REGIONS["share"]))
    authority = np.sort(rng.choice(AUTHORITIES, count, p=rng.dirichlet(np.full(AUTHORITIES, 4.0))))
    region = authority_region[authority]
    phase = rng.choice(len(PHASES), count, p=PHASE_SHARES)
    centre = rng.normal(0, 1, (AUTHORITIES, 2)).clip(-1.4, 1.4)
    around = centre[authority] + rng.normal(0, 0.25, (count, 2))
    places = REGIONS.iloc[region]
    opened = np.full(count, day_of("1950-01-01"))
    late = rng.random(count) < 0.05
    opened[late] = np.array([day_of(f"{year}-09-01") for year in range(2011, 2024)])[
        rng.integers(0, 13, late.sum())
    ]
    closed = np.full(count, day_of("2100-01-01"))
    shut = ~late & (rng.random(count) < 0.03)
    closed[shut] = np.array([day_of(f"{year}-08-31") for year in range(2011, 2026)])[
        rng.integers(0, 15, shut.sum())
    ]
    # Becoming an academy by choice: secondary schools first, most of them in the early years.
    ever = rng.random(count) < np.array([0.26, 0.60, 0.35, 0.0, 0.35])[phase]
    months = np.arange("2010-09", "2026-07", dtype="datetime64[M]").astype("datetime64[D]").astype("int64")
    fraction = rng.beta(np.where(phase == 1, 1.0, 1.3), np.where(phase == 1, 2.4, 1.4))
    converts = np.where(ever & ~late, months[(fraction * len(months)).astype(int)], day_of("2100-01-01"))
    advantage = rng.normal(0, 1, count) + np.where(
        REGIONS["region"].to_numpy()[region] == "South East", 0.3, 0.0
    )
    return pd.DataFrame(
        {
            "school": np.arange(count),
            "phase": PHASES[phase],
            "authority": authority,
            "region": places["region"].to_numpy(),
            "latitude": places["latitude"].to_numpy() + around[:, 0] * places["tall"].to_numpy() * 0.6,
            "longitude": places["longitude"].to_numpy() + around[:, 1] * places["wide"].to_numpy() * 0.6,
            "advantage": (advantage - advantage.mean()) / advantage.std(),
            "opened": opened,
            "closed": closed,
            "converts": converts,
        }
    )


def order_scores(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Each value's place within its group, as a standard normal score."""
    order = np.lexsort((values, groups))
    _, starts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    place = np.arange(len(values)) - np.repeat(starts, sizes)
    scores = np.empty(len(values))
    scores[order] = ndtri((place + 0.5) / np.repeat(sizes, sizes))
    return scores


def _pick(choices: dict[int, dict[int, float]], grades: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A new grade for each old one, by the shares given for it."""
    picked, draw = grades.copy(), rng.random(len(grades))
    for grade, shares in choices.items():
        cuts = np.cumsum(list(shares.values()))[:-1]
        here = grades == grade
        picked[here] = np.array(list(shares))[np.searchsorted(cuts, draw[here])]
    return picked


def _by_grade(table: dict[int, tuple[list[int], list[float]]], year: int) -> np.ndarray:
    """A chance for each grade in that year, placed by grade; nothing is ever certain but what can't be."""
    return np.array([np.interp(year, *table[grade]) if grade in table else 0.0 for grade in range(5)])


def make_world(count: int, effect: Effect, rng: np.random.Generator) -> World:
    """The schools and every graded inspection of theirs, year by year."""
    system = _System(make_schools(count, rng), effect, rng)
    system.begin()
    quality = [system.inspect(year) for year in range(FIRST_YEAR, LAST_YEAR + 1 + BEYOND)]
    schools = system.schools.assign(converts=system.converts, sponsored=system.sponsored).pipe(_numbered)
    visits = pd.concat(system.records, ignore_index=True)
    visits = visits.sort_values(["school", "on"], kind="stable", ignore_index=True)
    rows = schools.iloc[visits["school"]].reset_index(drop=True)
    moved = visits["on"] >= rows["converts"]
    # Reports of a summer term come out before the school year's file is drawn up.
    year_end = np.array([day_of(f"{year + 1}-08-31") for year in range(2005, LAST_YEAR + BEYOND + 1)])
    drawn_up = year_end[np.searchsorted(year_end, visits["on"])]
    published = np.minimum(visits["on"] + visits["lag"], drawn_up - visits["lag"] % 12)
    visits = visits.assign(
        urn=rows["urn"].where(~moved, rows["new_urn"]),
        phase=rows["phase"],
        academy=moved | rows["new"],
        inspected_on=dates_of(visits["on"]),
        published_on=dates_of(published),
    ).drop(columns=["on", "lag"])
    who, beyond, weight = (np.concatenate(parts) for parts in zip(*system.outcomes, strict=True))
    stays = _trait(effect.retention_odds_ratio, who, beyond, weight, rng.normal(0, 1, count))
    assistants = _trait(effect.middle_leader_odds_ratio, who, beyond, weight, rng.normal(0, 1, count))
    parents = _trait(effect.parents_odds_ratio, who, beyond, weight, rng.normal(0, 1, count))
    return World(schools, visits, np.array(quality), stays, assistants, parents)


class _System:
    """Schools under inspection: the grade each holds, and when its next inspection is due (day numbers).

    `outcomes` keeps, of every inspection that could have found better, the school, how far it went beyond the
    rate of its stratum, and the variance that had; the traits of its staff are drawn from them.
    """

    def __init__(self, schools: pd.DataFrame, effect: Effect, rng: np.random.Generator) -> None:
        count = len(schools)
        self.schools, self.effect, self.rng = schools, effect, rng
        self.converts, self.sponsored = schools["converts"].to_numpy().copy(), np.zeros(count, dtype=bool)
        self.stratum = np.searchsorted(np.sort(PHASES), schools["phase"])
        self.easier = schools["phase"].map(EASIER).to_numpy()
        self.exempt = schools["phase"].isin(["Primary", "Secondary"]).to_numpy()
        self.old = schools["opened"].lt(day_of("2000-01-01")).to_numpy()
        self.quality = rng.normal(0, 1, count)
        # grade 0: not yet inspected
        self.grade, self.better = np.zeros(count, dtype=int), np.zeros(count, dtype=bool)
        self.due = schools["opened"].to_numpy() + self._years(1.9 + 1.2 * rng.random(count))
        self.outcomes: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.records: list[pd.DataFrame] = []

    @staticmethod
    def _years(years: np.ndarray) -> np.ndarray:
        return (years * YEAR).astype("int64")

    def _standing(self, who: np.ndarray) -> np.ndarray:
        """What the draw of an outcome leans towards: quality and intake, with variance one."""
        return 0.62 * self.schools["advantage"].to_numpy()[who] + 0.785 * self.quality[who]

    def begin(self) -> None:
        """The inspections of 2005 to 2009, one a school, from which all else follows."""
        rng, old = self.rng, np.flatnonzero(self.old)
        noise = np.sqrt(0.75) * rng.normal(0, 1, len(old))
        leaning = 0.5 * order_scores(self.stratum[old], self._standing(old)) + noise + 0.5 * self.easier[old]
        first = _graded(leaning, FIRST_GRADES["old"])
        on = rng.permutation(
            np.resize(np.concatenate([teaching_days(year) for year in range(2005, 2009)]), len(old))
        )
        # The weaker ones were seen more lately.
        self._judge(old, np.where(first > 2, np.maximum(on, rng.permutation(on)), on), first, FIRST_YEAR - 1)
        start = day_of(f"{FIRST_YEAR}-09-01")
        overdue = old[self.due[old] < start]
        self.due[overdue] = start + self._years(1.5 * rng.random(len(overdue)))

    def inspect(self, year: int) -> np.ndarray:
        """Inspect the schools due in an academic year; returns every school's quality in it."""
        rng = self.rng
        self.quality = 0.9 * self.quality + np.sqrt(1 - 0.9**2) * rng.normal(0, 1, len(self.quality))
        who, on = self._chosen(year)
        now = self.grade[who]
        lean = np.array([0.5, *LEAN.values()])[now]
        order = order_scores(now * 10 + self.stratum[who], self._standing(who))
        z = lean * order + np.sqrt(1 - lean**2) * rng.normal(0, 1, len(who))
        with np.errstate(divide="ignore"):
            base = expit(logit(_by_grade(IMPROVES, year)[now]) + self.easier[who])
            p_up = expit(logit(base) + np.log(self.effect.gap_odds_ratio) * self.better[who])
            p_down = expit(logit(_by_grade(FALLS, year)[now]) - 0.5 * self.easier[who])
        up, down = z > ndtri(1 - p_up), z < ndtri(np.minimum(p_down, (1 - p_up) * 0.98))
        new = _pick(AFTER_RISE, np.where(up, now, 0), rng) + _pick(AFTER_FALL, np.where(down, now, 0), rng)
        new = np.where(up | down, new, now)
        fresh = now == 0
        new[fresh] = _graded(z[fresh], FIRST_GRADES["new"])
        able = now > 1
        self.outcomes.append((who[able], (up - base)[able], (base * (1 - base))[able]))
        self._judge(who, on, new, year)
        return self.quality

    def _chosen(self, year: int) -> tuple[np.ndarray, np.ndarray]:
        """The schools inspected in an academic year, and the day of each."""
        rng, start, end = self.rng, day_of(f"{year}-09-01"), day_of(f"{year + 1}-09-01")
        for since, until in pauses():
            paused = (self.due >= since) & (self.due < until)
            self.due[paused] = until + self._years(2.2 * rng.random(paused.sum()))
        who = np.flatnonzero((self.due < end) & (self.due < self.schools["closed"].to_numpy()))
        # There are only so many inspectors; Good and Outstanding schools wait. Report cards began slowly, in
        # November.
        share = 0.075 if year == 2025 else CAPACITY * rng.uniform(0.93, 1.04)
        urgency = np.isin(self.grade[who], [1, 2]) * 10 + rng.random(len(who))
        later = who[np.argsort(urgency)[int(len(self.due) * share) :]]
        self.due[later] = end + self._years(0.1 + 0.9 * rng.random(len(later)))
        who = np.setdiff1d(who, later)
        teaching = teaching_days(year)
        on = teaching[((self.due[who] - start).clip(0, 364) / 365 * len(teaching)).astype(int)]
        for since, until in pauses():
            before, after = teaching[teaching < since], teaching[teaching >= until]
            # a year within a pause has neither, and nobody due
            if len(nearest := after[:1] if len(after) else before[-1:]):
                on = np.where((on >= since) & (on < until), nearest[0], on)
        return who, on

    def _judge(self, who: np.ndarray, on: np.ndarray, grade: np.ndarray, year: int) -> None:
        """Write the inspections down, draw each one's leadership grade, and set when the next is due."""
        rng, count = self.rng, len(who)
        draw, far = rng.random(count), rng.random(count) < 0.1
        up = draw < np.array([0, *GAP_BETTER.values()])[grade]
        # 2024/25 has no overall but the worse of two judgements: leadership can't then be worse than it.
        down = (draw > 1 - np.array([0, *GAP_WORSE.values()])[grade]) & (year < 2024)
        leadership = grade - up - (up & far & (grade == 4)) + down
        self.grade[who], self.better[who] = grade, up
        lag = np.exp(rng.normal(np.log(49), 0.32, count)).clip(20, 120).astype(int)
        record = {
            "school": who,
            "year": year,
            "on": on,
            "lag": lag,
            "overall": grade,
            "leadership": leadership,
        }
        self.records.append(pd.DataFrame(record))

        wait = rng.uniform(0, 1, count)
        good = (4.4 if year < 2014 else 5.0) + 2.4 * wait
        after = on + self._years(
            np.choose(grade - 1, [4.0 + 2 * wait, good, 1.8 + 1.3 * wait, 1.5 + 1.7 * wait])
        )
        # Most schools graded Inadequate are handed to a sponsor, and seen again in the new academy's third
        # year.
        handed = (grade == 4) & self.old[who] & (self.converts[who] > on) & (on > day_of("2010-06-01"))
        handed &= rng.random(count) < 0.7
        change = _first_of_month(on + self._years(0.8 + 1.2 * rng.random(count)))
        self.converts[who[handed]], self.sponsored[who[handed]] = change[handed], True
        after = np.where(handed, change + self._years(2.4 + wait), after)
        # Outstanding primary and secondary schools were exempt, but for a few, and seen again once that
        # ended.
        spared = (
            (grade == 1) & self.exempt[who] & (after >= day_of("2012-09-01")) & (on < day_of("2020-11-01"))
        )
        spared &= rng.random(count) > 0.12
        self.due[who] = np.where(spared, ANEW + self._years(3.9 * rng.random(count)), after)


def _graded(leaning: np.ndarray, shares: list[float]) -> np.ndarray:
    """A first grade for each school, the best for those that lean highest, in the shares given."""
    return 1 + np.searchsorted(np.cumsum(shares)[:3], 1 - _rank_share(leaning))


def _rank_share(values: np.ndarray) -> np.ndarray:
    return (np.argsort(np.argsort(values)) + 0.5) / max(len(values), 1)


def _first_of_month(days: np.ndarray) -> np.ndarray:
    return days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype("int64")


YEAR_ON_YEAR = 0.95  # correlation of a measured share with the trait behind it


def _trait(
    ratio: float, who: np.ndarray, beyond: np.ndarray, weight: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """A school's trait, standard normal but for a shift with how often it improved beyond its strata's rate.

    A normal trait whose mean is d apart between two outcomes, with variance r within each, has log odds of d
    / r a unit. A school's outcomes go together, so one of them moves the sum of all (variance v) by more than
    itself: d is the shift times `moves`, and r leaves out only the part which that one explains. Figures of
    one year are noisier by YEAR_ON_YEAR.
    """
    every = np.bincount(who, beyond, minlength=len(noise))
    centred = every[who] - np.average(every[who], weights=weight)
    moves = (centred * beyond).sum() / (beyond**2).sum()
    v, r = (np.average(part**2, weights=weight) for part in (centred, centred - moves * beyond))
    wanted = np.log(ratio) / YEAR_ON_YEAR

    def too_far(shift: float) -> float:
        return shift * moves * np.sqrt(1 + shift**2 * v) / (1 + shift**2 * r) - abs(wanted)

    shift = np.sign(wanted) * brentq(too_far, 0, 10) if wanted else 0.0
    trait = shift * every + noise
    return (trait - trait.mean()) / trait.std()


def _numbered(schools: pd.DataFrame) -> pd.DataFrame:
    """The schools with their URNs: the first, and the one they took as an academy (0 for none), in order of
    opening.
    """
    count = len(schools)
    new = schools["opened"].gt(day_of("2000-01-01")).to_numpy()
    becomes = schools["converts"].lt(np.minimum(schools["closed"], day_of("2026-08-01"))).to_numpy()
    converts = np.where(becomes, schools["converts"], day_of("2100-01-01"))
    urns = 100_000 + np.arange(count) * (36_000 // max(count, 1) or 1)
    openings = np.concatenate([schools["opened"].to_numpy()[new], converts[becomes]])
    whose = np.concatenate([np.flatnonzero(new), np.flatnonzero(becomes)])
    series = max(136_100, 100_000 + count + 100) + np.argsort(np.argsort(openings, kind="stable"))
    new_urn = np.zeros(count, dtype="int64")
    urns[whose[: new.sum()]] = series[: new.sum()]
    new_urn[whose[new.sum() :]] = series[new.sum() :]
    return schools.assign(
        urn=urns,
        new_urn=new_urn,
        converts=converts,
        becomes=becomes,
        new=new,
        sponsored=schools["sponsored"] & becomes,
    )


def histories(schools: int, effect: Effect, rng: np.random.Generator) -> pd.DataFrame:
    """Graded inspections of made-up schools, to August 2025, without writing files: for trying a method many
    times.

    Columns: school, year (an academic year, by the year it begins in), overall, leadership, urn, phase,
    academy, inspected_on, published_on; in order of school and day.
    """
    visits = make_world(schools, effect, rng).visits
    return visits[visits["year"] < LAST_YEAR].reset_index(drop=True)
