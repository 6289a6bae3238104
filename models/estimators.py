"""The candidates: chances of each next rank, from departures from the recent rate of schools in the same
cell.

The level of improvement moves by fifteen points between years; the order of schools within a year moves much
less. So a candidate learns how far each row departs from its own year's rate for its cell, and answers with
the recent rate plus that departure. Ranks are ordered, so the outcome is cumulative: for each boundary k,
whether the next rank is k or better (Frank and Hall 2001). One set of departures serves the boundaries above
and below the current rank, which keeps the chances coherent: they can't cross.

    log-odds(next rank <= k) = log-odds(recent rate of the cell at k) + departure(signals, side of the current
    rank)

`state` has `overall` (1-4), `cell` (text; grades of different meaning apart) and `group` (text, within a
cell); `signals` are float columns with blanks.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from headway.models import trees

RANKS = 4
PRIOR = 20.0  # rows' worth of the cell's own rate, for groups with few
EDGE = 0.003  # no recent rate is nearer to certainty than this
UP, STAY = -1, 0  # which side of the current rank a boundary lies: better than it, or at least as good

# Chosen once, small and slow, before any fold was looked at; `tune` may search around them.
BOOSTING = {
    "learning_rate": 0.06,
    "num_leaves": 6,
    "min_data_in_leaf": 80,
    "lambda_l2": 20.0,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "max_bin": 63,
}
ROUNDS = 200
PENALTY = 200.0
# A better judgement never lowers the chance of a better grade: the direction is beyond dispute.
RISING = ("leadership_gap", "quality_gap", "behaviour_gap", "development_gap", "mean_gap", "visit_outlook")


def log_odds(chance: np.ndarray) -> np.ndarray:
    return np.log(chance / (1 - chance))


def chance(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-odds))


# --- rates by cell ------------------------------------------------------------------------------------------


@dataclass
class CellRates:
    """Empirical-Bayes rates: P(next rank <= k) by cell and group, a group with few rows leaning on its
    cell.
    """

    cells: dict[str, list[float]] = field(default_factory=dict)
    groups: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        state: pd.DataFrame,
        following: np.ndarray,
        weight: np.ndarray,
        departures: np.ndarray | None = None,
    ) -> "CellRates":
        """The rates of rows, or given their departures (rows x 2, up and stay), the rates at a departure of
        nothing.

        The mean of chances is not the chance at the mean: where rows depart far from each other, a rare
        outcome's rate added to their departures comes out too high. So the level of a cell is the one at
        which its rows' chances add up to what came.
        """
        weight = np.asarray(weight, dtype=float)
        reached = (np.asarray(following)[:, None] <= np.arange(1, RANKS)).astype(float)
        cell, cells = pd.factorize(state["cell"])
        key, keys = pd.factorize(_keys(state))
        lean = np.zeros(len(keys), dtype=int)
        lean[key] = cell
        sums, total = np.bincount(cell, weight, len(cells)), max(weight.sum(), 1e-12)
        by_cell, by_group = np.empty((len(cells), RANKS - 1)), np.empty((len(keys), RANKS - 1))
        for k in range(RANKS - 1):
            rows = weight * reached[:, k]
            by_cell[:, k] = (np.bincount(cell, rows, len(cells)) + 0.5 * rows.sum() / total) / (sums + 0.5)
            if departures is None:
                mine = np.bincount(key, weight, len(keys))
                by_group[:, k] = (np.bincount(key, rows, len(keys)) + PRIOR * by_cell[lean, k]) / (
                    mine + PRIOR
                )
            else:
                side = (k + 1 >= state["overall"].to_numpy(dtype=int)).astype(int)
                task = {
                    "reached": reached[:, k],
                    "departure": departures[np.arange(len(side)), side],
                    "weight": weight,
                }
                by_cell[:, k] = _level(cell, start=by_cell[:, k], worth=0.5, **task)
                by_group[:, k] = _level(key, start=by_cell[lean, k], worth=PRIOR, **task)
        return cls(
            dict(zip(cells, by_cell.tolist(), strict=True)), dict(zip(keys, by_group.tolist(), strict=True))
        )

    def at(self, state: pd.DataFrame) -> np.ndarray:
        """P(next rank <= k) for k = 1, 2, 3, one row each; a cell never seen answers with its plain
        grade's.
        """
        # Rows are many and the kinds of them few: each kind is looked up once.
        kinds = state[["overall", "cell", "group"]]
        rows = kinds.groupby(list(kinds), dropna=False, sort=False).ngroup().to_numpy()
        result = [
            self.groups.get(f"{cell}|{'' if pd.isna(group) else group}")
            or self.cells.get(cell)
            or self.cells.get(f"{overall:.0f}")
            or [0.5] * (RANKS - 1)
            for overall, cell, group in kinds.drop_duplicates().itertuples(index=False)
        ]
        return np.clip(np.array(result).reshape(-1, RANKS - 1)[rows], EDGE, 1 - EDGE)


def _level(
    group: np.ndarray,
    reached: np.ndarray,
    departure: np.ndarray,
    weight: np.ndarray,
    start: np.ndarray,
    worth: float,
) -> np.ndarray:
    """Each group's chance at a departure of nothing, at which its rows' chances add up to what came; `start`
    counts as rows.

    The maximum of the weighted log-likelihood of a level, with a normal prior about `start` of the
    information of `worth` rows.
    """
    start = np.clip(start, 1e-4, 1 - 1e-4)
    precision, level = worth * start * (1 - start), log_odds(start)
    prior = level.copy()
    for _ in range(30):
        expected = chance(level[group] + departure)
        slope = np.bincount(group, weight * (reached - expected), len(start)) - precision * (level - prior)
        curve = np.bincount(group, weight * expected * (1 - expected), len(start)) + precision
        step = np.clip(slope / curve, -1.0, 1.0)
        level = level + step
        if np.abs(step).max(initial=0.0) < 1e-8:
            break
    return chance(level)


def _keys(state: pd.DataFrame) -> pd.Series:
    return (state["cell"].astype("str") + "|" + state["group"].fillna("").astype("str")).reset_index(
        drop=True
    )


# --- the two learners of departures -------------------------------------------------------------------------


@dataclass
class Ridge:
    """A penalised logistic regression of departures: each signal's slope, and how it differs for rank 2 and
    by side.

    Blanks sit at the mean and, where more than 2% are blank, add a flag.
    """

    names: list[str] = field(default_factory=list)
    mean: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
    flagged: list[bool] = field(default_factory=list)
    # a row a signal: plain, rank 2, side, rank 2 and side, blank
    slopes: list[list[float]] = field(default_factory=list)
    level: float = 0.0

    LEAN = 0.7  # the penalty on a slope's differences is twice that on the slope itself
    REACH = 3.0  # standard deviations: beyond, a signal counts no further

    def fit(
        self,
        signals: pd.DataFrame,
        overall: np.ndarray,
        side: np.ndarray,
        reached: np.ndarray,
        offset: np.ndarray,
        weight: np.ndarray,
        penalty: float,
    ) -> "Ridge":
        self.names = list(signals)
        values = signals.to_numpy(dtype=float)
        filled = ~np.isnan(values)
        counts = np.maximum(filled.sum(axis=0), 1)
        mean = np.where(filled, values, 0.0).sum(axis=0) / counts
        spread = np.sqrt((np.where(filled, values - mean, 0.0) ** 2).sum(axis=0) / counts)
        self.mean, self.spread = mean.tolist(), spread.tolist()
        self.flagged = (((~filled).mean(axis=0) > 0.02) & filled.any(axis=0)).tolist()
        scaled, flags = (np.stack(columns).T for columns in zip(*self._scaled(signals), strict=True))
        self.slopes, self.level = _penalised(
            scaled, self._turns(overall, side), flags, reached, offset, weight, penalty
        )
        return self

    def _scaled(self, signals: pd.DataFrame) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Each signal standardised, with blanks at the mean, and the flags of its blanks; one by one, to stay
        in the cache.
        """
        for name, mean, spread, flagged in zip(self.names, self.mean, self.spread, self.flagged, strict=True):
            scaled = signals[name].to_numpy(dtype=float, copy=True)
            blank = np.isnan(scaled)
            scaled -= mean
            scaled /= spread or 1.0
            np.clip(scaled, -self.REACH, self.REACH, out=scaled)
            np.copyto(scaled, 0.0, where=blank if spread else True)
            yield scaled, blank * (0.5 * flagged)

    def _turns(self, overall: np.ndarray, side: np.ndarray) -> np.ndarray:
        """How much of each of a signal's four slopes a row takes, rows x 4: plain, rank 2, side up, and
        both.
        """
        two, up = (overall == 2).astype(float), (side == UP).astype(float)
        return np.column_stack([np.ones(len(two)), two * self.LEAN, up * self.LEAN, two * up * self.LEAN])

    def departures(self, signals: pd.DataFrame, overall: np.ndarray, side: np.ndarray) -> np.ndarray:
        """What each signal adds to the log-odds, rows x signals, and in the last column the level."""
        kind, slopes = (overall != 2) + 2 * (side == STAY), self._slopes()
        parts = [
            scaled * slopes[place].take(kind) + flags * self.slopes[place][4]
            for place, (scaled, flags) in enumerate(self._scaled(signals))
        ]
        return np.stack([*parts, np.full(len(signals), self.level)]).T

    def _slopes(self) -> np.ndarray:
        """The slopes of rank 2 going up, other ranks going up, rank 2 staying and other ranks staying:
        signals x 4.
        """
        return (
            np.asarray(self.slopes)[:, :4]
            @ self._turns(np.array([2, 3, 2, 3]), np.array([UP, UP, STAY, STAY])).T
        )

    def scores(self, signals: pd.DataFrame, overall: np.ndarray) -> np.ndarray:
        """The whole departure on either side, up and stay: 2 x rows."""
        total = np.full((4, len(signals)), self.level)  # by all four slopes; a row takes two
        step = np.empty(len(signals))
        # Not a product of matrices, whose last bit depends on how many rows there are.
        for place, ((scaled, flags), slopes) in enumerate(
            zip(self._scaled(signals), self._slopes(), strict=True)
        ):
            for sums, slope in zip(total, slopes, strict=True):
                sums += np.multiply(scaled, slope, out=step)
            if self.flagged[place]:
                total += np.multiply(flags, self.slopes[place][4], out=step)
        return np.where(overall == 2, total[[0, 2]], total[[1, 3]])


def _penalised(
    scaled: np.ndarray,
    turns: np.ndarray,
    flags: np.ndarray,
    reached: np.ndarray,
    offset: np.ndarray,
    weight: np.ndarray,
    penalty: float,
) -> tuple[list[list[float]], float]:
    """Slopes (signals x 5) and level of a penalised logistic regression with an offset, which scikit-learn's
    lacks.

    The weighted log-likelihood less half the penalised squares, at its maximum (L-BFGS; Byrd and others
    1995). The signal's slopes differ by row through `turns`, so the wide design is never built.
    """
    from scipy.optimize import minimize

    many = scaled.shape[1]
    flagged = flags.any(axis=0)
    scaled, flags = np.asfortranarray(scaled), np.asfortranarray(flags[:, flagged])

    def loss(given: np.ndarray) -> tuple[float, np.ndarray]:
        slopes = given[:-1].reshape(many, 5)
        odds = (
            ((scaled @ slopes[:, :4]) * turns).sum(axis=1) + flags @ slopes[flagged, 4] + given[-1] + offset
        )
        expected = chance(odds)
        # -log(1 - expected) is log(1 + exp(odds)), once the exponential is to hand.
        value = weight @ (-np.log1p(-expected) - reached * odds) + 0.5 * penalty * (slopes**2).sum()
        off = weight * (expected - reached)
        gradient = penalty * slopes
        gradient[:, :4] += scaled.T @ (off[:, None] * turns)
        gradient[flagged, 4] += flags.T @ off
        return value, np.append(gradient.ravel(), off.sum())

    result = minimize(
        loss,
        np.zeros(many * 5 + 1),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 500, "ftol": 1e-10, "gtol": 1e-3},
    ).x
    return result[:-1].reshape(many, 5).tolist(), float(result[-1])


@dataclass
class Boosted:
    """Boosted trees of departures (LightGBM), the rate's log-odds as their starting score; monotone where
    undisputed.
    """

    names: list[str] = field(default_factory=list)
    text: str = field(default="", repr=False)

    def fit(
        self,
        signals: pd.DataFrame,
        overall: np.ndarray,
        side: np.ndarray,
        reached: np.ndarray,
        offset: np.ndarray,
        weight: np.ndarray,
        settings: dict[str, Any],
        rounds: int,
        seed: int,
    ) -> "Boosted":
        import lightgbm

        self.names = list(signals)
        matrix = np.column_stack(self._columns(signals, overall, side))
        constraints = [1 if name in RISING else 0 for name in self.names] + [0, 0]
        fixed = {
            "objective": "binary",
            "verbose": -1,
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "seed": seed,
            "monotone_constraints": constraints,
        }
        rows = lightgbm.Dataset(
            matrix, reached, weight=weight, init_score=offset, feature_name=[*self.names, "rank", "side"]
        )
        self.text = lightgbm.train({**settings, **fixed}, rows, rounds).model_to_string()
        return self

    def _columns(self, signals: pd.DataFrame, overall: np.ndarray, side: np.ndarray) -> list[np.ndarray]:
        return [
            *(signals[name].to_numpy(dtype=float) for name in self.names),
            overall.astype(float),
            side.astype(float),
        ]

    @cached_property
    def forest(self) -> trees.Forest | trees.Library:
        return trees.read(self.text)

    def scores(self, signals: pd.DataFrame, overall: np.ndarray) -> np.ndarray:
        """The whole departure on either side, up and stay: 2 x rows."""
        return self.forest.scores(self._columns(signals, overall, np.array([[UP], [STAY]])))

    def departures(self, signals: pd.DataFrame, overall: np.ndarray, side: np.ndarray) -> np.ndarray:
        """What each signal adds to the log-odds (TreeSHAP), rows x signals, and in the last column the
        rest.
        """
        parts = self.forest.contributions(self._columns(signals, overall, side))
        return np.column_stack([parts[:, : len(self.names)], parts[:, len(self.names) :].sum(axis=1)])


# --- candidates ---------------------------------------------------------------------------------------------


@dataclass
class Departures:
    """A candidate: recent rates by cell, and the mean of the log-odds departures of its learners (none, one
    or both).
    """

    learners: tuple[str, ...] = ("ridge", "boosted")
    settings: dict[str, Any] = field(default_factory=lambda: dict(BOOSTING))
    rounds: int = ROUNDS
    penalty: float = PENALTY
    seed: int = 0
    recent: CellRates = field(default_factory=CellRates)
    level: CellRates | None = None
    ridge: Ridge | None = None
    boosted: Boosted | None = None

    def fit(
        self,
        signals: pd.DataFrame,
        state: pd.DataFrame,
        following: np.ndarray,
        era: np.ndarray,
        weight: np.ndarray,
        freshness: np.ndarray,
    ) -> "Departures":
        """Learn departures from each era's own rates, and the recent rates to add them to.

        `era` says which rows share a level (an academic year), `weight` what each row counts in learning,
        `freshness` what it counts in the recent rate.
        """
        overall, following = state["overall"].to_numpy(dtype=int), np.asarray(following, dtype=int)
        self.recent = CellRates.of(state, following, freshness)
        if not self.learners:
            return self
        self._learn(signals, state, overall, following, era, np.asarray(weight, dtype=float))
        self.level = CellRates.of(state, following, freshness, self.scores(signals, state))
        return self

    def _learn(
        self,
        signals: pd.DataFrame,
        state: pd.DataFrame,
        overall: np.ndarray,
        following: np.ndarray,
        era: np.ndarray,
        weight: np.ndarray,
    ) -> None:
        rates = np.empty((len(state), RANKS - 1))
        for name in np.unique(era):
            rows = era == name
            rates[rows] = CellRates.of(state[rows], following[rows], weight[rows]).at(state[rows])
        stacked = [np.flatnonzero((overall + side >= 1) & (overall + side < RANKS)) for side in (UP, STAY)]
        row = np.concatenate(stacked)
        side = np.repeat([UP, STAY], [len(rows) for rows in stacked])
        boundary = overall[row] + side
        task = {
            "overall": overall[row],
            "side": side,
            "reached": (following[row] <= boundary).astype(float),
            "offset": log_odds(rates[row, boundary - 1]),
            "weight": weight[row],
        }
        given = signals.iloc[row]
        if "ridge" in self.learners:
            self.ridge = Ridge().fit(given, **task, penalty=self.penalty)
        if "boosted" in self.learners:
            self.boosted = Boosted().fit(
                given, **task, settings=self.settings, rounds=self.rounds, seed=self.seed
            )

    def scores(self, signals: pd.DataFrame, state: pd.DataFrame) -> np.ndarray:
        """The departure in log-odds for the boundary above the current rank and for the one at it: rows x
        2.
        """
        overall = state["overall"].to_numpy(dtype=int)
        total = np.zeros((2, len(state)))
        for learner in filter(None, (self.ridge, self.boosted)):
            total += learner.scores(signals, overall)
        return total.T / max(len(self.learners), 1)

    def predict(
        self, signals: pd.DataFrame, state: pd.DataFrame, level: CellRates | None = None
    ) -> np.ndarray:
        """The chance of each next rank, rows x 4; `level` stands in for the stored one where another is
        tried.
        """
        start = level or self.level or self.recent
        return spread(self.scores(signals, state), start.at(state), state["overall"].to_numpy(dtype=int))

    def contributions(self, signals: pd.DataFrame, state: pd.DataFrame) -> pd.DataFrame:
        """What each signal adds to the chance of improving (at rank 1, of staying), in probability.

        The log-odds parts are exact (ridge terms; TreeSHAP, Lundberg and others 2020); each is given its
        share of the step from the recent rate to the chance, so a row's parts add up to chance less rate.
        `level` is what no signal carries.
        """
        overall = state["overall"].to_numpy(dtype=int)
        side = np.where(overall == 1, STAY, UP)
        boundary = np.maximum(overall + side, 1)
        named = self.departures(signals, state, side, boundary)
        parts, names = named.to_numpy(), list(named)
        rate = self.recent.at(state)[np.arange(len(state)), boundary - 1]
        total = parts.sum(axis=1)
        step = chance(log_odds(rate) + total) - rate
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.where(np.abs(total) > 1e-9, step / total, rate * (1 - rate))
        return pd.DataFrame(parts * scale[:, None], columns=names, index=state.index)

    def departures(
        self, signals: pd.DataFrame, state: pd.DataFrame, side: np.ndarray, boundary: np.ndarray | int
    ) -> pd.DataFrame:
        """What each signal adds to the log-odds of reaching a boundary on a side of the current rank, and the
        `level`.

        The level holds what no signal carries: the learners' own, and how far the level at a departure of
        nothing lies from the recent rate.
        """
        overall = state["overall"].to_numpy(dtype=int)
        names = (self.ridge or self.boosted).names if self.learners else []
        parts = np.zeros((len(state), len(names) + 1))
        for learner in filter(None, (self.ridge, self.boosted)):
            parts += learner.departures(signals, overall, side) / len(self.learners)
        if self.level:
            at = np.arange(len(state)), np.broadcast_to(boundary, len(state)) - 1
            parts[:, -1] += log_odds(self.level.at(state)[at]) - log_odds(self.recent.at(state)[at])
        return pd.DataFrame(parts, columns=[*names, "level"], index=state.index)

    # --- plain files: LightGBM's own text and JSON; nothing is pickled --------------------------------------

    def as_files(self) -> dict[str, str]:
        """The fitted candidate as text files by name."""
        plain = {
            "learners": list(self.learners),
            "settings": self.settings,
            "rounds": self.rounds,
            "penalty": self.penalty,
            "seed": self.seed,
            "recent": vars(self.recent),
            "level": vars(self.level) if self.level else None,
            "ridge": vars(self.ridge) if self.ridge else None,
            "boosted": {"names": self.boosted.names} if self.boosted else None,
        }
        files = {"candidate.json": json.dumps(plain, indent=1, sort_keys=True)}
        if self.boosted:
            files["booster.txt"] = self.boosted.text
        return files

    @classmethod
    def from_files(cls, folder: Path) -> "Departures":
        """The candidate that `as_files` wrote; predictions are the same to the last bit."""
        plain = json.loads((folder / "candidate.json").read_text(encoding="utf-8"))
        boosted = plain.pop("boosted")
        ridge = plain.pop("ridge")
        loaded = cls(
            learners=tuple(plain.pop("learners")),
            recent=CellRates(**plain.pop("recent")),
            level=CellRates(**level) if (level := plain.pop("level", None)) else None,
            **plain,
        )
        loaded.ridge = Ridge(**ridge) if ridge else None
        if boosted:
            loaded.boosted = Boosted(boosted["names"], (folder / "booster.txt").read_text(encoding="utf-8"))
        return loaded


def spread(departure: np.ndarray, rates: np.ndarray, overall: np.ndarray) -> np.ndarray:
    """The chance of each rank from departures at the two boundaries beside the current rank and rates at all
    three.

    A boundary further off takes the departure of the nearer one on its side, so every pair of boundaries
    moves together.
    """
    boundaries = np.arange(1, RANKS)[None, :]
    side = (boundaries >= overall[:, None]).astype(int)
    reached = chance(log_odds(rates) + np.take_along_axis(departure, side, axis=1))
    reached = np.maximum.accumulate(reached, axis=1)
    edges = np.column_stack([np.zeros(len(reached)), reached, np.ones(len(reached))])
    return np.diff(edges, axis=1)


# From the simplest to the richest: in a tie the simpler one wins.
CANDIDATES: dict[str, tuple[str, ...]] = {
    "table": (),
    "ridge": ("ridge",),
    "boosted": ("boosted",),
    "blend": ("ridge", "boosted"),
}
