"""A made-up England: its schools, and what their inspections found, with a known effect planted in them.

How the effect is planted. Each academic year the schools due are inspected. Whether a school improves has the chance of
its stratum (grade, phase, year), its odds multiplied by the gap odds ratio where leadership had been graded better than
overall. The draw leans towards schools of higher quality, but by their order within the stratum, so averaged over
quality the chance is exactly the planted one; and the gap is drawn afresh at each inspection, knowing nothing of
quality. The odds ratio within strata is therefore the planted one, not a diluted one. The two staff traits are drawn
after the outcomes, shifted by them: normal either side of a yes or no, which makes the odds ratio per standard
deviation exact. Inspectors' noise (about 4% each way) is part of the chance: flipping outcomes afterwards would dilute
what was planted.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtri

from pipelines import frameworks


@dataclass(frozen=True)
class Effect:
    """What is planted: each ratio multiplies the odds of improving at the next graded inspection.

    The gap's is for leadership graded better than overall against not better; the others are for one standard deviation
    of the share of teachers who stay, and of assistant heads per teacher.
    """

    gap_odds_ratio: float = 1.0
    retention_odds_ratio: float = 1.0
    middle_leader_odds_ratio: float = 1.0


EFFECTS = {"none": Effect(), "published": Effect(1.35, 1.08, 1.08), "strong": Effect(2.5, 1.5, 1.5)}

FIRST_YEAR, LAST_YEAR = 2009, 2025  # academic years by the year they begin in; the last has report cards
CAPACITY = 0.178  # graded inspections a year, as a share of the schools: 3,900 of 22,000
BEYOND = 4  # years simulated past the files, so that the newest figures also lean towards what comes next
YEAR = 365.25

PHASES = np.array(["Primary", "Secondary", "Special", "Nursery", "PRU"])
PHASE_SHARES = [0.76, 0.16, 0.05, 0.015, 0.015]
# Nine regions: share of schools, and the middle and spread of a patch of land in degrees north and east.
REGIONS = pd.DataFrame(
    [
        ("East Midlands", 0.09, 52.85, -0.85, 0.35, 0.45), ("East of England", 0.12, 52.25, 0.55, 0.35, 0.5),
        ("London", 0.12, 51.5, -0.1, 0.1, 0.18), ("North East", 0.05, 54.9, -1.65, 0.25, 0.2),
        ("North West", 0.15, 53.7, -2.55, 0.35, 0.25), ("South East", 0.15, 51.25, -0.55, 0.25, 0.6),
        ("South West", 0.11, 51.0, -3.0, 0.4, 0.7), ("West Midlands", 0.11, 52.5, -2.0, 0.3, 0.35),
        ("Yorkshire and The Humber", 0.10, 53.8, -1.3, 0.3, 0.4),
    ],
    columns=["region", "share", "latitude", "longitude", "tall", "wide"],
)  # fmt: skip
AUTHORITIES = 150

# Chances by the year an academic year begins in, read between the years given; sources in the reference evidence.
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
# How far the draw leans towards quality: with what the files show of it, AUC comes to about .75 within Good, .66 in RI.
LEAN = {1: 0.5, 2: 0.66, 3: 0.5, 4: 0.4}
# Leadership better than overall: far commoner where there is more room to rise. That alone makes the raw ratio large.
GAP_BETTER = {1: 0.0, 2: 0.035, 3: 0.26, 4: 0.40}
GAP_WORSE = {1: 0.015, 2: 0.003, 3: 0.002, 4: 0.0}


@dataclass(frozen=True)
class World:
    """Schools (a row each, through all its URNs), their graded inspections, and the traits behind the figures.

    `quality` has a row an academic year from FIRST_YEAR and a column a school; the traits are in standard deviations.
    """

    schools: pd.DataFrame
    visits: pd.DataFrame
    quality: np.ndarray
    stays: np.ndarray
    assistants: np.ndarray

    def quality_in(self, year: int, which: pd.Series) -> np.ndarray:
        """The latent quality of these schools in the academic year that ends in `year`."""
        return self.quality[year - 1 - FIRST_YEAR][which]


def _days(day: str) -> int:
    return int(np.datetime64(day, "D").astype(int))


def _dates(days: np.ndarray) -> np.ndarray:
    return np.asarray(days, dtype="int64").astype("datetime64[D]").astype("datetime64[s]")


def _teaching_days(year: int) -> np.ndarray:
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
    """The schools: phase, place, advantage of intake, when they open, close and might become academies by choice."""
    authority_region = np.sort(rng.choice(len(REGIONS), AUTHORITIES, p=REGIONS["share"]))
    authority = np.sort(rng.choice(AUTHORITIES, count, p=rng.dirichlet(np.full(AUTHORITIES, 4.0))))
    region = authority_region[authority]
    phase = rng.choice(len(PHASES), count, p=PHASE_SHARES)
    centre = rng.normal(0, 1, (AUTHORITIES, 2)).clip(-1.4, 1.4)
    around = centre[authority] + rng.normal(0, 0.25, (count, 2))
    places = REGIONS.iloc[region]
    opened = np.full(count, _days("1950-01-01"))
    late = rng.random(count) < 0.05
    opened[late] = np.array([_days(f"{year}-09-01") for year in range(2011, 2024)])[rng.integers(0, 13, late.sum())]
    closed = np.full(count, _days("2100-01-01"))
    shut = ~late & (rng.random(count) < 0.03)
    closed[shut] = np.array([_days(f"{year}-08-31") for year in range(2011, 2026)])[rng.integers(0, 15, shut.sum())]
    # Becoming an academy by choice: secondary schools first, most of them in the early years.
    ever = rng.random(count) < np.array([0.26, 0.60, 0.35, 0.0, 0.35])[phase]
    months = np.arange("2010-09", "2026-07", dtype="datetime64[M]").astype("datetime64[D]").astype("int64")
    fraction = rng.beta(np.where(phase == 1, 1.0, 1.3), np.where(phase == 1, 2.4, 1.4))
    converts = np.where(ever & ~late, months[(fraction * len(months)).astype(int)], _days("2100-01-01"))
    advantage = rng.normal(0, 1, count) + np.where(REGIONS["region"].to_numpy()[region] == "South East", 0.3, 0.0)
    return pd.DataFrame(
        {
            "school": np.arange(count), "phase": PHASES[phase], "authority": authority,
            "region": places["region"].to_numpy(),
            "latitude": places["latitude"].to_numpy() + around[:, 0] * places["tall"].to_numpy() * 0.6,
            "longitude": places["longitude"].to_numpy() + around[:, 1] * places["wide"].to_numpy() * 0.6,
            "advantage": (advantage - advantage.mean()) / advantage.std(),
            "opened": opened, "closed": closed, "converts": converts,
        }
    )  # fmt: skip


def _order_scores(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
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
    schools = make_schools(count, rng)
    opened, closed, converts = (schools[c].to_numpy().copy() for c in ("opened", "closed", "converts"))
    phase_names = schools["phase"].to_numpy()
    phase = np.searchsorted(np.sort(PHASES), phase_names)
    easier = schools["phase"].map(EASIER).to_numpy()
    exempt = np.isin(phase_names, ["Primary", "Secondary"])
    sponsored = np.zeros(count, dtype=bool)
    quality = rng.normal(0, 1, count)
    kept_quality, records, surprise, spread = [], [], np.zeros(count), np.zeros(count)
    pause = [_days(str(day.date())) for day in frameworks.PAUSE]

    grade = np.zeros(count, dtype=int)  # 0 until first inspected
    better = np.zeros(count, dtype=bool)
    due = opened + ((1.9 + 1.2 * rng.random(count)) * YEAR).astype(int)

    def standing() -> np.ndarray:
        return 0.62 * schools["advantage"].to_numpy() + 0.785 * quality

    def judge(who: np.ndarray, on: np.ndarray, new_grade: np.ndarray, year: int) -> None:
        """Write the inspections down, draw each one's leadership grade, and set when the next is due."""
        draw, far = rng.random(len(who)), rng.random(len(who)) < 0.1
        up = draw < np.array([0, *GAP_BETTER.values()])[new_grade]
        # 2024/25 has no overall but the worse of two judgements: leadership can't then be worse than it.
        down = (draw > 1 - np.array([0, *GAP_WORSE.values()])[new_grade]) & (year < 2024)
        leadership = new_grade - up - (up & far & (new_grade == 4)) + down
        grade[who], better[who] = new_grade, up
        lag = np.exp(rng.normal(np.log(49), 0.32, len(who))).clip(20, 120).astype(int)
        records.append(pd.DataFrame({"school": who, "year": year, "on": on, "lag": lag,
                                     "overall": new_grade, "leadership": leadership}))  # fmt: skip
        wait = rng.uniform(0, 1, len(who))
        years = np.choose(new_grade - 1, [4.0 + 2 * wait, (4.4 if year < 2014 else 5.0) + 2.4 * wait,
                                          1.8 + 1.3 * wait, 1.5 + 1.7 * wait])  # fmt: skip
        taken_over = (
            (new_grade == 4) & (converts[who] > on) & (opened[who] < _days("2000-01-01")) & (rng.random(len(who)) < 0.7)
        )
        taken_over &= on > _days("2010-06-01")
        change = _first_of_month(on + ((0.8 + 1.2 * rng.random(len(who))) * YEAR).astype(int))
        converts[who[taken_over]] = change[taken_over]
        sponsored[who[taken_over]] = True
        after = on + (years * YEAR).astype(int)
        after = np.where(taken_over, change + ((2.4 + wait) * YEAR).astype(int), after)
        # Outstanding primary and secondary schools were exempt, but for a few, and seen again once that ended.
        spared = (new_grade == 1) & exempt[who] & (after >= _days("2012-09-01")) & (on < _days("2020-11-01"))
        spared &= rng.random(len(who)) > 0.12
        after = np.where(spared, _days("2021-09-01") + (3.9 * YEAR * rng.random(len(who))).astype(int), after)
        due[who] = after

    old = np.flatnonzero(opened < _days("2000-01-01"))
    z = (
        0.5 * _order_scores(phase[old], standing()[old])
        + np.sqrt(0.75) * rng.normal(0, 1, len(old))
        + 0.5 * easier[old]
    )
    first = np.searchsorted(np.cumsum(FIRST_GRADES["old"])[:3], 1 - _rank_share(z))
    begun = _teaching_days(2005), _teaching_days(2006), _teaching_days(2007), _teaching_days(2008)
    on = rng.permutation(np.resize(np.concatenate(begun), len(old)))
    # Earlier for the better ones: they had waited longest by 2009.
    judge(old, np.where(first >= 2, np.maximum(on, rng.permutation(on)), on), first + 1, FIRST_YEAR - 1)
    start = _days(f"{FIRST_YEAR}-09-01")
    overdue = old[due[old] < start]
    due[overdue] = start + (1.5 * YEAR * rng.random(len(overdue))).astype(int)

    for year in range(FIRST_YEAR, LAST_YEAR + 1 + BEYOND):
        quality = 0.9 * quality + np.sqrt(1 - 0.81) * rng.normal(0, 1, count)
        kept_quality.append(quality)
        start, end = _days(f"{year}-09-01"), _days(f"{year + 1}-09-01")
        paused = (due >= pause[0]) & (due < pause[1])
        due[paused] = pause[1] + (2.2 * YEAR * rng.random(paused.sum())).astype(int)
        who = np.flatnonzero((due < end) & (due < closed))
        # There are only so many inspectors; Good and Outstanding schools wait. Report cards began slowly, in November.
        waits = np.isin(grade[who], [1, 2]) * 10 + rng.random(len(who))
        later = who[np.argsort(waits)[int(count * (CAPACITY * rng.uniform(0.93, 1.04) if year != 2025 else 0.075)) :]]
        due[later] = end + ((0.1 + 0.9 * rng.random(len(later))) * YEAR).astype(int)
        who = np.setdiff1d(who, later)
        teaching = _teaching_days(year)
        on = teaching[((due[who] - start).clip(0, 364) / 365 * len(teaching)).astype(int)]
        on = np.where(
            (on >= pause[0]) & (on < pause[1]), teaching[teaching < pause[0]][-1:] if year == 2019 else on, on
        )
        now = grade[who]
        order = _order_scores(now * 10 + phase[who], standing()[who])
        lean = np.array([0.5, *LEAN.values()])[now]
        z = lean * order + np.sqrt(1 - lean**2) * rng.normal(0, 1, len(who))
        with np.errstate(divide="ignore"):
            base = expit(logit(_by_grade(IMPROVES, year)[now]) + easier[who])
            p_up = expit(logit(base) + np.log(effect.gap_odds_ratio) * better[who])
            p_down = expit(logit(_by_grade(FALLS, year)[now]) - 0.5 * easier[who])
        up = z > ndtri(1 - p_up)
        down = z < ndtri(np.minimum(p_down, (1 - p_up) * 0.98))
        new = _pick(AFTER_RISE, np.where(up, now, 0), rng) + _pick(AFTER_FALL, np.where(down, now, 0), rng)
        new = np.where(up | down, new, now)
        fresh = now == 0
        new[fresh] = 1 + np.searchsorted(np.cumsum(FIRST_GRADES["new"])[:3], 1 - _rank_share(z[fresh]))
        surprise[who] += np.where(fresh, 0, up - base)
        spread[who] += np.where(fresh, 0, base * (1 - base))
        judge(who, on, new, year)

    schools = schools.assign(converts=converts, sponsored=sponsored).pipe(_numbered)
    visits = pd.concat(records, ignore_index=True).sort_values(["school", "on"], kind="stable", ignore_index=True)
    # Reports of a summer term come out before the school year's file is drawn up.
    year_end = np.array([_days(f"{year + 1}-08-31") for year in range(2005, LAST_YEAR + BEYOND + 1)])
    drawn_up = year_end[np.searchsorted(year_end, visits["on"])]
    published = np.minimum(visits["on"] + visits["lag"], drawn_up - visits["lag"] % 12)
    moved = visits["on"].to_numpy() >= schools["converts"].to_numpy()[visits["school"]]
    urns = np.where(moved, schools["new_urn"].to_numpy()[visits["school"]], schools["urn"].to_numpy()[visits["school"]])
    visits = visits.assign(
        urn=urns, phase=phase_names[visits["school"]], academy=moved | schools["new"].to_numpy()[visits["school"]],
        inspected_on=_dates(visits["on"]), published_on=_dates(published),
    ).drop(columns=["on", "lag"])  # fmt: skip
    traits = [
        _trait(ratio, surprise, spread, rng) for ratio in (effect.retention_odds_ratio, effect.middle_leader_odds_ratio)
    ]
    return World(schools, visits, np.array(kept_quality), *traits)


def _rank_share(values: np.ndarray) -> np.ndarray:
    return (np.argsort(np.argsort(values)) + 0.5) / max(len(values), 1)


def _first_of_month(days: np.ndarray) -> np.ndarray:
    return days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype("int64")


YEAR_ON_YEAR = 0.95  # correlation of a measured share with the trait behind it


def _trait(ratio: float, surprise: np.ndarray, spread: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A school's trait, standard normal but for a shift with how often it improved beyond its strata's rate.

    A trait normal with shift d either side of an outcome has log odds d a unit; the school's other outcomes (variance
    `others` each) and the noise of measuring both thin that, so d is larger by as much.
    """
    wanted = np.log(ratio) / YEAR_ON_YEAR
    others = spread.mean() * 0.8
    shift = wanted / np.sqrt(max(1 - wanted**2 * others, 0.1))
    trait = shift * surprise + rng.normal(0, 1, len(surprise))
    return (trait - trait.mean()) / trait.std()


def _numbered(schools: pd.DataFrame) -> pd.DataFrame:
    """The schools with their URNs: the first, and the one they took as an academy (0 for none), in order of opening."""
    count = len(schools)
    new = schools["opened"].gt(_days("2000-01-01")).to_numpy()
    becomes = schools["converts"].lt(np.minimum(schools["closed"], _days("2026-08-01"))).to_numpy()
    converts = np.where(becomes, schools["converts"], _days("2100-01-01"))
    urns = 100_000 + np.arange(count) * (36_000 // max(count, 1) or 1)
    openings = np.concatenate([schools["opened"].to_numpy()[new], converts[becomes]])
    whose = np.concatenate([np.flatnonzero(new), np.flatnonzero(becomes)])
    series = max(136_100, 100_000 + count + 100) + np.argsort(np.argsort(openings, kind="stable"))
    new_urn = np.zeros(count, dtype="int64")
    urns[whose[: new.sum()]] = series[: new.sum()]
    new_urn[whose[new.sum() :]] = series[new.sum() :]
    return schools.assign(urn=urns, new_urn=new_urn, converts=converts, becomes=becomes, new=new,
                          sponsored=schools["sponsored"] & becomes)  # fmt: skip


def histories(schools: int, effect: Effect, rng: np.random.Generator) -> pd.DataFrame:
    """Graded inspections of made-up schools, to August 2025, without writing files: for trying a method many times.

    Columns: school, year (an academic year, by the year it begins in), overall, leadership, urn, phase, academy,
    inspected_on, published_on; in order of school and day.
    """
    visits = make_world(schools, effect, rng).visits
    return visits[visits["year"] < LAST_YEAR].reset_index(drop=True)
