"""Report cards, from November 2025: what each says of a school's areas, areas graded again, and the cards
that follow.

A first card follows the grade before: a school's strength is normal about the mean of its grade, and the
areas share most of it. Within a grade it leans towards quality and intake by their order there, so the shares
below expected are those of the grade, whatever the quality. From then on each area rises or falls from the
standard it had, with a chance of its own, the odds of rising multiplied by the gap odds ratio where
leadership and governance stood above the mean of the other areas. That draw leans by order too, within the
area's standard and the gap: leadership that happened to be graded kindly says nothing of what comes next but
what is planted. Areas graded again at a monitoring visit go by the same odds, and lean towards the card that
follows. A school below good by its grade crosses to a first card better by the same ratios as well.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr, ndtri

from headway.pipelines import frameworks
from headway.pipelines.synthesise.sheets import day_numbers
from headway.pipelines.synthesise.world import (
    LAST_YEAR,
    YEAR,
    Effect,
    World,
    dates_of,
    day_of,
    order_scores,
    teaching_days,
)

AREAS = tuple(frameworks.AREAS)
LEADERSHIP = AREAS.index("leadership_and_governance")
# Of the first 1,329 cards: the share below the expected standard, and at the strong standard or better.
SHARES = {
    "inclusion": (0.11, 0.35),
    "curriculum_and_teaching": (0.24, 0.16),
    "achievement": (0.30, 0.17),
    "attendance_and_behaviour": (0.16, 0.32),
    "personal_development_and_wellbeing": (0.06, 0.40),
    "leadership_and_governance": (0.155, 0.23),
    "early_years": (0.13, 0.25),
    "post_16": (0.11, 0.31),
}
URGENT, EXCEPTIONAL = 0.07, 0.07  # of those below expected, and of those at the strong standard or better
# Where schools of each grade stand, in standard deviations within one: leadership is below expected in 1 of
# 100 that were Outstanding, 13 Good, 30 Requires improvement, 27 Inadequate. And how many there were of each
# among the first cards.
STANDS = np.array([0.0, 1.2, 0.0, -0.6, -0.51])  # by grade; 0 for none
AMONG = np.array([0.0, 0.13, 0.66, 0.17, 0.04])
SHARED, LEAN = 0.78, 0.65  # variance that areas share; correlation of what they share with quality and intake
UNSAFE = 0.65  # of those whose leadership needs urgent improvement; the first cards had 10 such schools

# full inspections in an academic year, as a share of the schools: few in the first
CAPACITY = {LAST_YEAR: 0.13}
USUAL = 0.235
SLOW_TO, SLOW = "2026-01-01", 0.5  # half as many a day before
# years that a school waits after its last graded inspection, by its grade
TYPICAL = np.array([3.0, 10.0, 4.6, 1.0, 1.0])
WAITS = {"concern": (1.2, 2.2), "below": (2.0, 3.0), "other": (3.4, 4.6)}  # years to the next card

RISES = {4: 0.62, 5: 0.85}  # from the lower standards, whatever the area; from the others below
FALLS = {1: 0.60, 2: 0.35}
AFTER_RISE = {2: {1: 1.0}, 3: {2: 0.95, 1: 0.05}, 4: {3: 0.93, 2: 0.07}, 5: {4: 0.55, 3: 0.45}}
AFTER_FALL = {1: {2: 0.8, 3: 0.2}, 2: {3: 0.9, 4: 0.1}, 3: {4: 0.92, 5: 0.08}, 4: {5: 1.0}}
# weights of quality, and of what befalls a school's areas together, in the next card
NEXT_LEAN, TOGETHER = 0.5, 0.6
VISITED, REGRADED = 0.55, 0.8  # of cards with an area below expected, and of the areas then
BETTER_AT_VISIT = {4: 0.50, 5: 0.60}
VISIT_LEAN = 0.6  # how far a monitoring visit foretells the next card
NEVER = 99_999


def drawn(
    world: World, schools: pd.DataFrame, effect: Effect, until: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Every report card of the academic years that end by `until`, in order of school and day.

    Columns: school, year (the academic year begins in), card (1 for a school's first), on, out, urn, phase,
    inspected_on, published_on, a standard for each area (0 where the school has none), category, safe; and of
    the monitoring visit that followed visit_on, visit_out, and `<area>_again`, the standard given then, 0 for
    none.
    """
    count = len(schools)
    before = (
        world.visits[world.visits["year"] < LAST_YEAR]
        .drop_duplicates("school", keep="last")
        .set_index("school")
    )
    before = before.reindex(range(count))
    grade = before["overall"].fillna(0).to_numpy("int64")
    waited_from = np.where(grade > 0, day_numbers(before["inspected_on"]), schools["opened"])
    lift = (
        np.log(effect.retention_odds_ratio) * world.stays
        + np.log(effect.middle_leader_odds_ratio) * world.assistants
    )
    gap = np.log(effect.gap_odds_ratio)
    crossing = np.where(grade >= 3, lift + gap * (before["leadership"] < before["overall"]).to_numpy(), 0.0)
    has = np.ones((len(AREAS), count), dtype=bool)
    has[AREAS.index("early_years")] = schools["low_age"] < 5
    has[AREAS.index("post_16")] = schools["high_age"] > 16
    state = _State(
        np.zeros((len(AREAS), count), dtype="int64"),
        np.zeros((len(AREAS), count)),
        np.zeros(count, dtype=bool),
        np.full(count, NEVER),
        np.zeros(count, dtype="int64"),
    )
    parts = []
    for year in range(LAST_YEAR, until):
        standing = 0.62 * schools["advantage"].to_numpy() + 0.785 * world.quality_in(
            year + 1, schools["school"]
        )
        who, on = _chosen(year, schools, grade, waited_from, state, rng)
        first = state.cards[who] == 0
        fresh = _first(grade[who], standing[who], crossing[who], rng)
        following = _next(
            state.held[:, who], state.prospects[:, who], lift[who] + gap * state.ahead[who], rng
        )
        standards = np.where(first, fresh, following) * has[:, who]
        parts.append(_written(year, who, on, standards, first, state, standing[who], lift[who], gap, rng))
    cards = pd.concat(parts, ignore_index=True).sort_values(
        ["school", "on"], kind="stable", ignore_index=True
    )
    # A visit that the next card forestalled wasn't made.
    following = cards.groupby("school")["on"].shift(-1).fillna(NEVER)
    missed = (cards["visit_on"] > following - 60).to_numpy()
    rows = schools.iloc[cards["school"]].reset_index(drop=True)
    again = {f"{area}_again": np.where(missed, 0, cards[f"{area}_again"]) for area in AREAS}
    visit = {name: np.where(missed, NEVER, cards[name]) for name in ("visit_on", "visit_out")}
    return cards.assign(
        **again,
        **visit,
        phase=rows["phase"],
        urn=rows["urn"].where(cards["on"] < rows["converts"], rows["new_urn"]),
        inspected_on=dates_of(cards["on"].to_numpy()),
        published_on=dates_of(cards["out"].to_numpy()),
    )


@dataclass
class _State:
    """What schools hold after their last cards: standards and how the next will turn, a row an area; the rest
    a school each.
    """

    held: np.ndarray
    prospects: np.ndarray
    ahead: np.ndarray  # leadership and governance above the mean of the other areas
    due: np.ndarray
    cards: np.ndarray  # how many it has had


def _chosen(
    year: int,
    schools: pd.DataFrame,
    grade: np.ndarray,
    waited_from: np.ndarray,
    state: _State,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """The schools inspected in an academic year, those due a further card first, and the day of each."""
    count, end = len(schools), day_of(f"{year + 1}-07-15")
    there = (schools["opened"].to_numpy() < end) & (schools["closed"].to_numpy() > end)
    waited = (day_of(f"{year}-09-01") - waited_from) / YEAR / TYPICAL[grade] + 0.6 * rng.gumbel(size=count)
    first = state.cards == 0
    waited = np.where(first, waited, np.where(state.due < end, np.inf, -np.inf))
    waited = np.where(there, waited, -np.inf)
    most = np.argsort(-waited, kind="stable")[: int(count * CAPACITY.get(year, USUAL))]
    who = np.sort(most[waited[most] > -np.inf])
    days = teaching_days(year)
    weights = np.where(days < day_of(SLOW_TO), SLOW, 1.0)
    on = np.sort(days)[
        np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(len(who))).clip(max=len(days) - 1)
    ]
    late = days[np.searchsorted(days, state.due[who]).clip(max=len(days) - 1)]
    return who, np.where(first[who], on, np.maximum(on, late))


def _cuts(area: str) -> np.ndarray:
    """The strengths at which an area's standard changes, from the bottom, for the shares of the first
    cards.
    """
    below, strong = SHARES[area]
    wanted = (below * URGENT, below, 1 - strong, 1 - strong * EXCEPTIONAL)
    return np.array(
        [brentq(lambda cut, share=share: AMONG @ ndtr(cut - STANDS) - share, -9, 9) for share in wanted]
    )


def _first(
    grade: np.ndarray, standing: np.ndarray, crossing: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The standards of first cards, a row an area. `crossing` is added to the log odds that leadership isn't
    below.
    """
    cuts = [_cuts(area) for area in AREAS]
    below = ndtr(cuts[LEADERSHIP][1] - STANDS[grade])
    shift = ndtri(below) - ndtri(expit(logit(below) - crossing))
    shared = LEAN * order_scores(grade, standing) + np.sqrt(1 - LEAN**2) * rng.normal(0, 1, len(grade))
    standards = []
    for at in cuts:
        strength = np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * rng.normal(0, 1, len(grade))
        standards.append(5 - np.searchsorted(at, strength + STANDS[grade] + shift))
    return np.array(standards)


def _next(
    held: np.ndarray, prospects: np.ndarray, log_odds: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The standards of the next cards, from those held: each area rises, falls or stays as its prospects have
    it.
    """
    rows = []
    for area, standard, prospect in zip(AREAS, held, prospects, strict=True):
        below, strong = SHARES[area]
        between = 1 - below - strong
        # As many leave the strong standard as reach it; half as many fall below expected as rise from there.
        rise = np.array([0, 0, 0.05, strong * FALLS[2] / between, RISES[4], RISES[5]])
        fall = np.array([0, FALLS[1], FALLS[2], below * RISES[4] / between / 2, URGENT, 0])
        up = _odds(rise[standard], log_odds)
        risen = prospect > ndtri(1 - up)
        fallen = ~risen & (prospect < ndtri(np.minimum(fall[standard], (1 - up) * 0.98)))
        rows.append(
            np.where(
                risen,
                _picked(AFTER_RISE, standard, rng),
                np.where(fallen, _picked(AFTER_FALL, standard, rng), standard),
            )
        )
    return np.array(rows)


def _odds(chance: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return expit(logit(chance) + log_odds)


def _picked(
    choices: dict[int, dict[int, float]], standard: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """A new standard for each old one, by the shares given for it; the old one where none are."""
    picked, draw = standard.copy(), rng.random(len(standard))
    for old, shares in choices.items():
        here = standard == old
        picked[here] = np.array(list(shares))[
            np.searchsorted(np.cumsum(list(shares.values()))[:-1], draw[here])
        ]
    return picked


def _written(
    year: int,
    who: np.ndarray,
    on: np.ndarray,
    standards: np.ndarray,
    first: np.ndarray,
    state: _State,
    standing: np.ndarray,
    lift: np.ndarray,
    gap: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The cards as rows, with the visits that follow; and what each school now holds."""
    count = len(who)
    given = standards > 0
    others = np.delete(np.where(given, standards, np.nan), LEADERSHIP, axis=0)
    ahead = np.nanmean(others, axis=0) > standards[LEADERSHIP]
    urgent = (standards == 5).any(axis=0)
    below = (standards >= frameworks.NEEDS_ATTENTION).any(axis=0)
    leaders_urgent = standards[LEADERSHIP] == 5
    category = np.where(urgent, np.where(leaders_urgent, "SM", "RSI"), None)
    safe = np.where(leaders_urgent & (rng.random(count) < UNSAFE), "No", "Yes")
    end = day_of(f"{year + 1}-08-31")
    lag = np.exp(rng.normal(np.log(49), 0.32, count)).clip(20, 120).astype(int)

    together = rng.normal(0, 1, count)
    rest = np.sqrt(1 - NEXT_LEAN**2 - TOGETHER**2)
    prospects = np.array(
        [
            NEXT_LEAN * order_scores(2 * standard + ahead, standing)
            + TOGETHER * together
            + rest * rng.normal(0, 1, count)
            for standard in standards
        ]
    )
    visited = below & (rng.random(count) < np.where(urgent, 0.9, VISITED))
    visit_on = on + (YEAR * rng.uniform(0.5, 1.5, count)).astype(int)
    month = visit_on.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    visit_on = np.where(month == 7, visit_on - 45, visit_on)  # none in August
    visit_on = visit_on + np.choose((visit_on + 3) % 7, [0, 0, 0, 0, 0, 2, 1])  # nor at week-ends
    again = {}
    for area, standard, prospect in zip(AREAS, standards, prospects, strict=True):
        seen = visited & (standard >= frameworks.NEEDS_ATTENTION) & (rng.random(count) < REGRADED)
        better = np.array([0, 0, 0, 0, BETTER_AT_VISIT[4], BETTER_AT_VISIT[5]])[standard]
        turn = VISIT_LEAN * prospect + np.sqrt(1 - VISIT_LEAN**2) * rng.normal(0, 1, count)
        risen = turn > ndtri(1 - _odds(better, lift + gap * ahead))
        to = np.where((standard == 5) & (rng.random(count) < 0.7), 4, 3)
        again[f"{area}_again"] = np.where(seen, np.where(risen, to, standard), 0)
    seen = np.array(list(again.values())).any(axis=0)

    soonest, latest = np.array(list(WAITS.values()))[np.where(urgent, 0, np.where(below, 1, 2))].T
    state.due[who] = on + (YEAR * rng.uniform(soonest, latest)).astype(int)
    state.held[:, who], state.prospects[:, who], state.ahead[who] = standards, prospects, ahead
    state.cards[who] += 1
    return pd.DataFrame(
        {
            "school": who,
            "year": year,
            "card": state.cards[who],
            "on": on,
            "out": np.minimum(on + lag, end - lag % 12),
            **dict(zip(AREAS, standards, strict=True)),
            "category": category,
            "safe": safe,
            "visit_on": np.where(seen, visit_on, NEVER),
            "visit_out": np.where(seen, visit_on + 20 + (lag // 2), NEVER),
            **again,
        }
    )
