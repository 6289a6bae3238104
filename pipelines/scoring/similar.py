"""Schools like each open one, on what they are alike, and what became of them: their next grade, or their
report card.

Nearest neighbours among earlier examples of the same grade and phase, on the signals the champion uses, each
weighted by how much it moves that model's chances: being alike on what counts is what makes a school similar.
Those with a report card are taken as they stood on the morning its inspection began.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from headway.models.champion import Champion
from headway.pipelines import as_of, evaluate, report_cards, tables
from headway.pipelines.remembered import FORGETS, Memory

HOW_MANY, WITH_CARDS = 30, 10
REASONS = 3
FEWEST = 5  # schools of a grade and phase below which no list is given
YEARS = 6  # how far back examples are taken from


@dataclass(frozen=True)
class Likeness:
    """The champion's signals with their mean and spread among past examples, and how much each counts."""

    names: list[str]
    mean: np.ndarray
    spread: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, past: pd.DataFrame, champion: Champion) -> "Likeness":
        names = champion.signals
        moves = (
            champion.overall.contributions(past[names].head(4000), evaluate.state(past.head(4000)))[names]
            .abs()
            .mean()
        )
        return cls(
            names,
            past[names].mean().to_numpy(),
            past[names].std().to_numpy(),
            np.sqrt(moves.to_numpy() / max(moves.to_numpy().sum(), 1e-12)),
        )

    def scaled(self, made: pd.DataFrame) -> np.ndarray:
        """Signals in standard deviations; a blank stands at the mean."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(
                self.spread > 0, np.nan_to_num((made[self.names].to_numpy() - self.mean) / self.spread), 0.0
            )


def learned_before(cohort: pd.DataFrame, examples: pd.DataFrame) -> pd.DataFrame:
    """The examples of the last years whose outcome was public on the cohort's morning, one for each
    outcome.
    """
    morning = cohort["as_of"].max()
    recent = as_of.within_years(pd.Series(morning, index=examples.index), examples["as_of"], YEARS)
    past = evaluate.usable(
        examples[recent & as_of.Fold(morning, morning).learned(examples)], evaluate.OVERALL
    )
    return past.sort_values("as_of").drop_duplicates(["lineage", "next_inspected_on"])


def similar(today: pd.DataFrame, cohort: pd.DataFrame, past: pd.DataFrame, like: Likeness) -> pd.DataFrame:
    """Thirty similar schools of every scored row: urn, rank 1-30, the other school's urn and morning,
    reasons, outcome.

    `today` holds the signals of `cohort`'s rows, `past` is `learned_before`'s. A school is never its own
    neighbour. Reasons are the signals, by name, that count most among those on which the two stand within
    half a standard deviation.
    """
    pairs, places = _nearest(like.scaled(today), cohort, like.scaled(past), past, like, HOW_MANY)
    if pairs.empty:
        return pd.DataFrame(columns=tables.TABLES["similar"].names)
    other = past.iloc[places]
    return pairs.assign(outcome=other["label"].to_numpy(), next_overall=other["next_overall"].to_numpy())


def with_cards(
    today: pd.DataFrame,
    cohort: pd.DataFrame,
    known: dict[str, pd.DataFrame],
    like: Likeness,
    kept: Memory = FORGETS,
) -> pd.DataFrame:
    """Ten schools like each row that had a report card before its morning, and what the card said, area by
    area.

    Each as it stood when its inspection began: same grade and phase (also for schools never graded), by the
    signals of that day. `known` are the tables. `overall` is the grade it had, `other_as_of` the day its
    inspection began.
    """
    cards = report_cards.cards(known, cohort["as_of"].max())
    then, made = report_cards.as_they_stood(cards, known, kept)
    pairs, places = _nearest(like.scaled(today), cohort, like.scaled(made), then, like, WITH_CARDS)
    if pairs.empty:
        return pd.DataFrame(columns=tables.TABLES["similar_cards"].names)
    said = cards[list(report_cards.NAMES)].iloc[places].reset_index(drop=True).astype("Int64")
    return pairs.assign(overall=then["overall"].iloc[places].to_numpy()).join(said)


def _nearest(
    mine: np.ndarray, cohort: pd.DataFrame, others: np.ndarray, past: pd.DataFrame, like: Likeness, most: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """The nearest of `past` to each row of a cohort, of its grade and phase, and the place in `past` of
    each.
    """
    parts, places = [], []
    cells = [
        rows["overall"].fillna(0).astype("str") + "|" + rows["phase"].astype("str") for rows in (cohort, past)
    ]
    for cell in sorted(cells[0].unique()):
        rows, pool = (np.flatnonzero(column.eq(cell).to_numpy()) for column in cells)
        if len(pool) >= FEWEST:
            part, result = _of_cell(rows, pool, [mine, others], like, cohort, past, most)
            parts.append(part)
            places.append(result)
    if not parts:
        return pd.DataFrame(), np.zeros(0, dtype=int)
    return pd.concat(parts, ignore_index=True), np.concatenate(places)


def _of_cell(
    rows: np.ndarray,
    pool: np.ndarray,
    scaled: list[np.ndarray],
    like: Likeness,
    cohort: pd.DataFrame,
    past: pd.DataFrame,
    most: int,
) -> tuple[pd.DataFrame, np.ndarray]:
    from sklearn.neighbors import NearestNeighbors

    weight = like.weight
    wanted = min(most + 1, len(pool))
    index = NearestNeighbors(n_neighbors=wanted, algorithm="brute").fit(scaled[1][pool] * weight)
    distance, result = index.kneighbors(scaled[0][rows] * weight)
    other = pool[result]
    own = past["lineage"].to_numpy()[other] == cohort["lineage"].to_numpy()[rows][:, None]
    order = np.argsort(np.where(own, np.inf, distance), axis=1, kind="stable")[:, : min(most, wanted)]
    distance, other, own = (np.take_along_axis(values, order, axis=1) for values in (distance, other, own))
    apart = np.abs(scaled[0][rows][:, None, :] - scaled[1][other])
    alike = np.where(apart < 0.5, weight[None, None, :], -apart)
    reasons = _named(alike, like.names)
    n, kept = order.shape[1], ~own.ravel()
    table = pd.DataFrame(
        {
            "urn": np.repeat(cohort["urn"].to_numpy()[rows], n),
            "rank": np.tile(np.arange(1, n + 1), len(rows)),
            "other_urn": past["urn"].to_numpy()[other].ravel(),
            "other_as_of": past["as_of"].to_numpy()[other].ravel(),
            "distance": distance.ravel().round(4),
            "reasons": reasons,
        }
    )
    return table[kept], other.ravel()[kept]


def _named(alike: np.ndarray, names: list[str]) -> np.ndarray:
    """The names of the largest along the last axis, the first of equals first; each row's joined."""
    flat = alike.reshape(-1, alike.shape[-1])
    each, code = np.arange(len(flat)), np.zeros(len(flat), dtype="int64")
    most = min(REASONS, flat.shape[1])
    for _ in range(most):
        best = flat.argmax(axis=1)
        code = code * len(names) + best
        flat[each, best] = -np.inf
    distinct, where = np.unique(code, return_inverse=True)
    places = [distinct // len(names) ** back % len(names) for back in reversed(range(most))]
    words = ["; ".join(names[place] for place in reasons) for reasons in zip(*places, strict=True)]
    return np.array(words, dtype=object)[where]
