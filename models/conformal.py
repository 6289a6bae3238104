"""Grade sets with their promised coverage, and an interval on each chance.

Split conformal prediction within each current rank (Mondrian; Vovk and others 2005), calibrated on forward
predictions whose outcomes have come. Sets are contiguous: they grow from the likeliest rank, always adding
the likelier neighbour.
"""

from dataclasses import dataclass, field

import numpy as np

PROMISED = 0.9
FEWEST = 50  # outcomes of one rank below which its set leans on all ranks


def mass_before(chances: np.ndarray) -> np.ndarray:
    """The chance already in the set when each rank enters it, rows x 4: the conformity score of every
    rank.
    """
    rows, ranks = chances.shape
    low = high = chances.argmax(axis=1)
    index = np.arange(rows)
    mass = chances[index, low].astype(float)
    before = np.zeros((rows, ranks))
    for _ in range(ranks - 1):
        left = np.where(low > 0, chances[index, np.maximum(low - 1, 0)], -1.0)
        right = np.where(high < ranks - 1, chances[index, np.minimum(high + 1, ranks - 1)], -1.0)
        goes_left = left >= right
        low, high = np.where(goes_left, low - 1, low), np.where(goes_left, high, high + 1)
        entered = np.where(goes_left, low, high)
        before[index, entered] = mass
        mass = mass + chances[index, entered]
    return before


@dataclass
class GradeSets:
    """How far sets have to grow, for each current rank, to hold the next rank as often as promised."""

    promised: float = PROMISED
    limits: dict[str, float] = field(default_factory=dict)

    def fit(self, chances: np.ndarray, current: np.ndarray, following: np.ndarray) -> "GradeSets":
        scores = mass_before(chances)[np.arange(len(chances)), np.asarray(following, dtype=int) - 1]
        self.limits = {"0": self._limit(scores)}
        for rank in (1, 2, 3, 4):
            mine = scores[np.asarray(current) == rank]
            self.limits[str(rank)] = self._limit(mine) if len(mine) >= FEWEST else self.limits["0"]
        return self

    def _limit(self, scores: np.ndarray) -> float:
        """The finite-sample quantile: the ceil((n + 1) x promised)-th smallest score."""
        if len(scores) == 0:
            return 1.0
        place = int(np.ceil((len(scores) + 1) * self.promised))
        return float(np.sort(scores)[place - 1]) if place <= len(scores) else 1.0

    def members(self, chances: np.ndarray, current: np.ndarray) -> np.ndarray:
        """Which ranks each row's set holds, rows x 4."""
        limit = np.array(
            [self.limits.get("0", 1.0)] + [self.limits.get(str(rank), 1.0) for rank in (1, 2, 3, 4)]
        )
        return mass_before(chances) <= limit[np.asarray(current, dtype=int)][:, None]


def spans(members: np.ndarray) -> np.ndarray:
    """Contiguous sets in words: `2`, `2-3`."""
    first, last = members.argmax(axis=1) + 1, members.shape[1] - members[:, ::-1].argmax(axis=1)
    ranks = range(members.shape[1] + 1)
    words = np.array([[f"{a}" if a == b else f"{a}-{b}" for b in ranks] for a in ranks], dtype=object)
    return words[first, last]


@dataclass
class ChanceIntervals:
    """How far a chance may be off: the level's drift between years, and what the calibration itself can't
    know.

    Each earlier fold gives, for each current rank, the shift in log-odds between what was predicted and what
    came. Their spread beyond sampling (DerSimonian and Laird 1986) plus the sampling error of their mean
    makes the interval.
    """

    level: float = 0.9
    spread: dict[str, float] = field(default_factory=dict)

    def fit(
        self, chances: np.ndarray, happened: np.ndarray, current: np.ndarray, fold: np.ndarray
    ) -> "ChanceIntervals":
        for rank in (1, 2, 3, 4):
            shifts, variances = [], []
            for name in np.unique(fold):
                rows = (fold == name) & (current == rank)
                if rows.sum() < FEWEST or not 0 < happened[rows].sum() < rows.sum():
                    continue
                variance = 1 / (chances[rows] * (1 - chances[rows])).sum()
                shifts.append((happened[rows] - chances[rows]).sum() * variance)
                variances.append(variance)
            self.spread[str(rank)] = _total_spread(np.array(shifts), np.array(variances))
        return self

    def around(self, chances: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lower and upper end for each chance."""
        from statistics import NormalDist

        reach = NormalDist().inv_cdf(0.5 + self.level / 2)
        width = reach * np.array([np.nan] + [self.spread.get(str(rank), np.nan) for rank in (1, 2, 3, 4)])
        with np.errstate(divide="ignore"):
            odds = np.log(chances / (1 - chances))
        half = width[np.asarray(current, dtype=int)]
        return 1 / (1 + np.exp(-(odds - half))), 1 / (1 + np.exp(-(odds + half)))


WIDEST = 1.0  # log-odds: what is said where there is too little to learn the spread from


def _total_spread(shifts: np.ndarray, variances: np.ndarray) -> float:
    if len(shifts) < 2:
        return WIDEST
    weight = 1 / variances
    mean = (weight * shifts).sum() / weight.sum()
    excess = (weight * (shifts - mean) ** 2).sum() - (len(shifts) - 1)
    between = max(0.0, excess / (weight.sum() - (weight**2).sum() / weight.sum()))
    return float(np.sqrt(between + 1 / weight.sum() + mean**2))
