"""The forecast of report cards: where the model of standards starts from, the two models of grades, and what
it answers.

`models.standards` says what standards follow from where a school is expected to lie; here is where that is:
by the forecasts of the next overall and leadership grades, by a few signals, and by a school's own last card.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from headway.models.conformal import spans
from headway.models.estimators import STAY, UP, Departures
from headway.models.standards import (
    BELOW,
    FAR,
    NEVER,
    REACH,
    Standards,
    StandardSets,
    density,
    normal,
    probit,
)

# What the place of a school is learned from beside its prior: signals by name, then what its grade and phase
# are.
SIGNALS = (
    "attainment_standing",
    "attainment_three_years",
    "attainment_beyond_intake",
    "absence_standing",
    "persistent_absence_standing",
    "absence_beyond_intake",
    "absence_change",
)
DIRECTLY = {"achievement": list(SIGNALS[:3]), "attendance_and_behaviour": list(SIGNALS[3:])}
# With the mean and spread of each among all schools, rounded.
STATE = {
    "was_outstanding": (0.0, 0.5),
    "was_requires_improvement": (0.0, 0.5),
    "was_inadequate": (0.0, 0.5),
    "primary": (0.75, 0.43),
    "secondary": (0.16, 0.4),
    "special": (0.06, 0.4),
    "leadership_against_overall": (-0.2, 0.2),
}
LEADERSHIP = "leadership_and_governance"
MIXED = 0.5  # the overall forecast's part in the prior of every area but leadership; the rest is leadership's
BOUNDARIES = np.array([1, 2])  # of grades: strong begins from the one, the expected standard from the other
# probits: how far one month's level lies from another's, as it did for old judgements in 2013-15 and 2021-25
MONTH = 0.2
VOLUNTEERS = 0.4  # probits: how far those who asked to be inspected first may lie from the rest
# Of what a school's own card showed beyond expectation, the part its next is expected to show again:
# declared, until enough second cards are out to say. Old grades four years apart correlate by about as much,
# given what else was known.
PERSISTS = 0.5
AGES = ("low_age", "high_age")  # columns of a row's state: the youngest and the oldest age a school takes
# ages: a school that takes four-year-olds has early years, one to 18 post-16
YEARS_WITH_EARLY, AGE_OF_POST_16 = 4, 18


def card_column(area: str) -> str:
    """The column of a row's state with the area's standard on the school's own newest card; blank where there
    is none.
    """
    return f"card_{area}"


@dataclass
class Prior:
    """What the two models of grades, overall and leadership, say of each row; blank where a row has no such
    grade.

    `chances` are those of each next grade, rows x 2 models x 4. `place` is the probit of being worse than
    each of `BOUNDARIES`, rows x 2 models x 2, and `rate` the same of schools of the same grade and phase
    lately.
    """

    chances: np.ndarray
    place: np.ndarray
    rate: np.ndarray

    @classmethod
    def of(
        cls, overall: Departures, leadership: Departures | None, signals: pd.DataFrame, state: pd.DataFrame
    ) -> "Prior":
        result = cls(
            np.full((len(state), 2, 4), np.nan), *(np.full((len(state), 2, 2), np.nan) for _ in range(2))
        )
        for at, (model, mine) in enumerate(_by_model(overall, leadership, signals, state)):
            rows = np.flatnonzero(mine["overall"].notna().to_numpy())
            if len(rows):
                mine, given = _those(mine, rows), _those(signals, rows)
                result.chances[rows, at] = chances = model.predict(given, mine)
                result.place[rows, at] = probit(1 - np.cumsum(chances, axis=1)[:, BOUNDARIES - 1])
                result.rate[rows, at] = probit(1 - model.recent.at(mine)[:, BOUNDARIES - 1])
        return result


def _numbers(state: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """These columns as numbers, rows x names; blank where the state has no such column."""
    blank = np.full(len(state), np.nan)
    return np.column_stack(
        [state[name].to_numpy(dtype=float, na_value=np.nan) if name in state else blank for name in names]
    )


def _those(rows: pd.DataFrame, places: np.ndarray) -> pd.DataFrame:
    """The rows at these places; where that is all of them, without a copy."""
    return rows if len(places) == len(rows) else rows.iloc[places]


def _by_model(
    overall: Departures, leadership: Departures | None, signals: pd.DataFrame, state: pd.DataFrame
) -> list[tuple[Departures, pd.DataFrame]]:
    """Each model with the state as it wants it: that of leadership takes the leadership grade, overall's less
    the gap.
    """
    pairs = [(overall, state)]
    if leadership:
        rank = state["overall"].astype("float64") - signals["leadership_gap"].to_numpy(dtype=float)
        rank = rank.where(rank.isin([1, 2, 3, 4]))
        cell = rank.map({1.0: "1", 2.0: "2", 3.0: "3", 4.0: "4"})
        cell = cell.mask(state["cell"].eq("3 satisfactory") & rank.eq(3), state["cell"])
        pairs.append((leadership, state.assign(overall=rank, cell=cell)))
    return pairs


def mixed(place: np.ndarray, areas: list[str], usual: list[list[float]]) -> np.ndarray:
    """Each area's prior, rows x areas x 2: both models' word, one's where the other is silent, the usual
    where both are.
    """
    overall, leadership = place[:, 0], place[:, 1]
    overall = np.where(
        np.isnan(overall), np.where(np.isnan(leadership), np.asarray(usual)[0], leadership), overall
    )
    leadership = np.where(
        np.isnan(leadership), np.where(np.isnan(place[:, 0]), np.asarray(usual)[1], overall), leadership
    )
    share = _shares(areas)[None, :, None]
    return share * overall[:, None, :] + (1 - share) * leadership[:, None, :]


def _shares(areas: list[str]) -> np.ndarray:
    return np.array([0.0 if area == LEADERSHIP else MIXED for area in areas])


def declared_cuts(areas: list[str], before: dict[str, tuple[float, float]]) -> list[list[float]]:
    """Where each area's cuts lie before any card, areas x 2: at the shares its forerunner among the old
    judgements had.

    `before` gives the shares below the second grade and of the best one, for every area, for `overall` and
    for `leadership`.
    """
    cuts = []
    for area, share in zip(areas, _shares(areas), strict=True):
        usual = [
            (1 - share) * probit(np.array(1 - best)) + share * probit(np.array(1 - best_overall))
            for best, best_overall in ((before["leadership"][1], before["overall"][1]),)
        ]
        below = (1 - share) * probit(np.array(before["leadership"][0])) + share * probit(
            np.array(before["overall"][0])
        )
        cuts.append(
            [
                float(usual[0] - probit(np.array(1 - before[area][1]))),
                float(below - probit(np.array(before[area][0]))),
            ]
        )
    return cuts


def makeup(signals: pd.DataFrame, state: pd.DataFrame, place: np.ndarray, names: list[str]) -> np.ndarray:
    """What places are learned from beside the prior: rows x (the signals of these names, STATE)."""
    rank, group = state["overall"].to_numpy(dtype=float, na_value=np.nan), state["group"]
    known = [signals[name].to_numpy(dtype=float) for name in names]
    was = [np.where(np.isnan(rank), np.nan, rank == grade) for grade in (1, 3, 4)]
    of = [
        group.eq(phase).fillna(False).to_numpy(dtype=float) for phase in ("Primary", "Secondary", "Special")
    ]
    return np.column_stack([*known, *was, *of, place[:, 1, 1] - place[:, 0, 1]])


@dataclass
class ReportCards:
    """The forecast of report cards: the model of standards with its sets, and how it starts from the forecast
    of grades.

    `usual` stands in for a prior where a school has no grade (2 models x 2 boundaries); `like` counts the
    cards learned from by grade before and phase.
    """

    model: Standards
    sets: StandardSets = field(default_factory=StandardSets)
    usual: list[list[float]] = field(default_factory=lambda: [[0.0, 0.0], [0.0, 0.0]])
    like: dict[str, int] = field(default_factory=dict)

    @classmethod
    def empty(
        cls,
        areas: list[str],
        before: dict[str, tuple[float, float]],
        learned: pd.DataFrame,
        usual: np.ndarray,
        circumstances: dict[str, float],
    ) -> "ReportCards":
        """Before any card. `learned` are the signals of the examples of grades, which say what is usual of
        each.
        """
        names = [name for name in SIGNALS if name in learned]
        means = [learned[name].mean() for name in names], [learned[name].std() for name in names]
        known = [[0.0 if np.isnan(value) else float(value) for value in values] for values in means]
        model = Standards(
            areas=list(areas),
            levels=declared_cuts(areas, before),
            names=[*names, *STATE],
            direct=DIRECTLY,
            mean=[*known[0], *(mean for mean, _ in STATE.values())],
            spread=[*known[1], *(spread for _, spread in STATE.values())],
            circumstances=circumstances,
        )
        nobody = np.zeros((0, len(areas), 2))
        return cls(
            model.fit(nobody, np.zeros((0, len(model.names))), np.zeros((0, len(areas)))),
            usual=usual.tolist(),
        )

    @property
    def areas(self) -> list[str]:
        return self.model.areas

    def expected(
        self, prior: Prior, signals: pd.DataFrame, state: pd.DataFrame
    ) -> tuple[np.ndarray, np.ndarray]:
        """The prior of each area (rows x areas x 2), and what places are learned from beside it."""
        names = self.model.names[: -len(STATE)]
        return mixed(prior.place, self.areas, self.usual), makeup(signals, state, prior.place, names)

    def shown(self, before: np.ndarray, places: np.ndarray) -> np.ndarray:
        """How far a school's own last card (rows x areas, with blanks) moves its places: rows x areas, nought
        without a card.

        Half of what it showed beyond expectation is taken as the school's, half as the area's; `PERSISTS` of
        that is left.
        """
        moved, some = np.zeros(before.shape), ~np.isnan(before).all(axis=1)
        if not some.any():
            return moved
        before, places = before[some], places[some]
        cuts = np.column_stack(
            [np.full(len(self.areas), -FAR), self.model.cuts(), np.full(len(self.areas), FAR)]
        )
        given = ~np.isnan(before)
        at = np.where(given, before, 1).astype(int)
        which = np.arange(len(self.areas))[None, :]
        side = (at >= BELOW).astype(int)
        place = np.take_along_axis(places, side[:, :, None], axis=2)[:, :, 0]
        low, high = cuts[which, at - 1] - place, cuts[which, at] - place
        # mean of a normal between cuts
        beyond = (density(low) - density(high)) / np.maximum(normal(high) - normal(low), NEVER)
        beyond = np.where(given, np.clip(beyond, -REACH, REACH), np.nan)
        common = beyond.sum(axis=1, where=given) / given.sum(axis=1)
        moved[some] = PERSISTS * (0.5 * common[:, None] + 0.5 * np.nan_to_num(beyond))
        return moved

    def chances(
        self,
        prior: Prior,
        signals: pd.DataFrame,
        state: pd.DataFrame,
        asked: np.ndarray,
        before: np.ndarray | None = None,
    ) -> dict[str, np.ndarray]:
        """`standards` (rows x areas x 5), `any` (rows), the ends of 90% intervals of below expected (`low`,
        `high`: rows x areas and any), and which standards each set holds (`members`). `asked` says which
        areas a school will be judged in.
        """
        expected, about = self.expected(prior, signals, state)
        places = self.model.places(expected, about)
        if before is not None:
            places = places + self.shown(before, places)[:, :, None]
        standards = self.model.at(places)
        below = standards[:, :, BELOW - 1 :].sum(axis=2)
        any_below = self.model.any_below(standards, asked)
        left = [
            (1 - self.model.weights.get(name, 0.0)) * self.model.spreads[name] ** 2
            for name in ("level", "area_level")
        ]
        reach = 1.645 * np.sqrt(MONTH**2 + sum(left))
        ends = [normal(probit(np.column_stack([below, any_below])) + way * reach) for way in (-1, 1)]
        return {
            "standards": standards,
            "any": any_below,
            "low": ends[0],
            "high": ends[1],
            "members": self.sets.members(standards),
            "places": places,
        }

    def contributions(
        self,
        prior: Prior,
        overall: Departures,
        leadership: Departures | None,
        signals: pd.DataFrame,
        state: pd.DataFrame,
        asked: np.ndarray,
        before: np.ndarray | None,
        families: dict[str, str],
    ) -> tuple[list[str], dict[str, tuple[np.ndarray, np.ndarray]]]:
        """For leadership and for any area: the chance of below expected of schools like each, and what each
        family adds to it.

        The names of the families, and by what is asked (`leadership_and_governance`, `any`) the rate's chance
        and rows x families in probability: they add up to the chance.
        """
        names = sorted(
            {*families.values(), "attainment", "attendance", "context", "leadership", "trajectory", *OWN}
        )
        number = {name: at for at, name in enumerate(names)}
        parts = np.zeros((len(state), 2, len(names)))
        for at, (model, mine) in enumerate(_by_model(overall, leadership, signals, state)):
            rows = np.flatnonzero(mine["overall"].notna().to_numpy())
            if not len(rows):
                continue
            rank = mine["overall"].to_numpy(dtype=float)[rows].astype(int)
            given = _those(signals, rows)
            named = model.departures(given, _those(mine, rows), np.where(rank <= 2, STAY, UP), 2)
            moved = np.zeros((len(rows), len(names)))
            for name, column in named.items():
                step = column.to_numpy()
                blank = given[name].isna().to_numpy() if name in given else np.zeros(len(rows), dtype=bool)
                moved[:, number[families.get(name, UNEXPLAINED)]] += np.where(blank, 0.0, step)
                moved[:, number[UNKNOWN]] += np.where(blank, step, 0.0)
            step, total = prior.place[rows, at, 1] - prior.rate[rows, at, 1], moved.sum(axis=1)
            clear = np.abs(total) > 1e-6
            parts[rows, at] = moved * np.where(clear, step / np.where(clear, total, 1.0), 0.0)[:, None]
            parts[rows, at, number[UNEXPLAINED]] += np.where(clear, 0.0, step)
        share = _shares(self.areas)[None, :, None]
        both = np.where(np.isnan(prior.place[:, 1, 1])[:, None], parts[:, 0], parts[:, 1])
        by_area = share * parts[:, 0][:, None, :] + (1 - share) * both[:, None, :]
        rate = mixed(prior.rate, self.areas, self.usual)[:, :, 1]
        expected, about = self.expected(prior, signals, state)
        belongs = [
            number[families.get(name, STATE_FAMILIES.get(name, UNEXPLAINED))] for name in self.model.names
        ]
        more = None
        if before is not None:
            more = np.zeros((len(state), len(self.areas), len(names)))
            more[:, :, number[OWN[0]]] = self.shown(before, self.model.places(expected, about))
        result = {}
        for what in (LEADERSHIP, "any"):
            area = self.areas.index(LEADERSHIP) if what == LEADERSHIP else None
            result[what] = self.model.contributions(
                rate, by_area, about, np.array(belongs), asked, area, more
            )
        return names, result

    @property
    def inputs(self) -> list[str]:
        """The columns of a row's state that forecasts of cards take beside its grade and phase; all may be
        blank.
        """
        return [*AGES, *map(card_column, self.areas)]

    def judged_in(self, state: pd.DataFrame) -> np.ndarray:
        """Which areas each school will be judged in, rows x areas: early years and post-16 by its ages, else
        by its phase.
        """
        asked = np.ones((len(state), len(self.areas)), dtype=bool)
        young, old = _numbers(state, AGES).T
        ages = {
            "early_years": state["group"].isin(["Nursery", "Primary", "Special", "Secondary"])
            & np.where(
                np.isnan(young), state["group"].isin(["Nursery", "Primary"]), young <= YEARS_WITH_EARLY
            ),
            "post_16": state["group"].isin(["Secondary", "Special"]) & (old >= AGE_OF_POST_16),
        }
        for area in set(ages).intersection(self.areas):
            asked[:, self.areas.index(area)] = ages[area]
        return asked

    def own_card(self, state: pd.DataFrame) -> np.ndarray:
        """Each school's own newest card, rows x areas; blank where it has none."""
        return _numbers(state, [card_column(area) for area in self.areas])

    def columns(self) -> tuple[list[str], list[str]]:
        """The names of `wide`'s columns: those of chances, those of sets."""
        chances = [f"{what}_{area}" for what in ("p_below", "p_strong_or_better") for area in self.areas]
        return [*chances, "p_below_any"], [f"standard_set_{area}" for area in self.areas]

    def wide(self, chances: dict[str, np.ndarray], asked: np.ndarray) -> dict[str, np.ndarray]:
        """The forecast as columns of one row a school, as a bulk job answers; blank for areas it isn't judged
        in.
        """
        below = chances["standards"][:, :, BELOW - 1 :].sum(axis=2)
        strong = chances["standards"][:, :, : BELOW - 2].sum(axis=2)
        result = {
            f"{what}_{area}": np.where(asked[:, at], values[:, at], np.nan)
            for what, values in (("p_below", below), ("p_strong_or_better", strong))
            for at, area in enumerate(self.areas)
        }
        sets = {
            f"standard_set_{area}": np.where(asked[:, at], spans(chances["members"][:, at]), None)
            for at, area in enumerate(self.areas)
        }
        return result | {"p_below_any": chances["any"]} | sets

    def as_dict(self) -> dict[str, Any]:
        """In JSON's own types."""
        return {
            "model": self.model.as_dict(),
            "sets": vars(self.sets),
            "usual": self.usual,
            "like": self.like,
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "ReportCards":
        return cls(
            Standards.from_dict(plain["model"]), StandardSets(**plain["sets"]), plain["usual"], plain["like"]
        )


UNEXPLAINED, UNKNOWN = "level", "unknown"
# families of ours alone: its own last card, what no signal carries, what blanks add
OWN = ("report_card", UNEXPLAINED, UNKNOWN)
STATE_FAMILIES = {
    **{name: "trajectory" for name in STATE if name.startswith("was_")},
    "primary": "context",
    "secondary": "context",
    "special": "context",
    "leadership_against_overall": "leadership",
}
