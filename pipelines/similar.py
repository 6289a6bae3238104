"""Thirty schools like each open one, on what they are alike, and what became of them.

Nearest neighbours among earlier examples of the same grade and phase, on the signals the champion uses, each weighted by
how much it moves that model's chances: being alike on what counts is what makes a school similar.
"""

import numpy as np
import pandas as pd

from models.champion import Champion
from pipelines import as_of, evaluate, tables

HOW_MANY = 30
REASONS = 3
FEWEST = 5  # examples of a grade and phase below which no list is given
YEARS = 6  # how far back examples are taken from


def similar(today: pd.DataFrame, cohort: pd.DataFrame, examples: pd.DataFrame, champion: Champion) -> pd.DataFrame:
    """The similar schools of every scored row: urn, rank 1-30, the other school's urn and morning, reasons, outcome.

    `today` holds the signals of `cohort`'s rows. A school is never its own neighbour. Reasons are the signals, by name,
    that count most among those on which the two stand within half a standard deviation.
    """
    morning = cohort["as_of"].max()
    recent = as_of.within_years(pd.Series(morning, index=examples.index), examples["as_of"], YEARS)
    past = evaluate.usable(examples[recent & as_of.Fold(morning, morning).learned(examples)], evaluate.OVERALL)
    past = past.sort_values("as_of").drop_duplicates(["lineage", "next_inspected_on"])
    names = champion.signals
    state = evaluate.state(past)
    moves = champion.overall.contributions(past[names].head(4000), state.head(4000))[names].abs().mean().to_numpy()
    spread = past[names].std().to_numpy()
    mean = past[names].mean().to_numpy()
    weight = np.sqrt(moves / max(moves.sum(), 1e-12))
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = [np.where(spread > 0, np.nan_to_num((rows[names].to_numpy() - mean) / spread), 0.0) for rows in (today, past)]
    parts = []
    for key, mine in cohort.groupby(["overall", "phase"]):
        pool = np.flatnonzero((past["overall"].eq(key[0]) & past["phase"].eq(key[1])).to_numpy())
        if len(pool) >= FEWEST:
            rows = cohort.index.get_indexer(mine.index)
            parts.append(_nearest(rows, pool, scaled, weight, names, cohort, past))
    if not parts:
        return pd.DataFrame(columns=tables.TABLES["similar"].names)
    return pd.concat(parts, ignore_index=True)


def _nearest(rows: np.ndarray, pool: np.ndarray, scaled: list[np.ndarray], weight: np.ndarray, names: list[str],
             cohort: pd.DataFrame, past: pd.DataFrame) -> pd.DataFrame:  # fmt: skip
    from sklearn.neighbors import NearestNeighbors

    wanted = min(HOW_MANY + 1, len(pool))
    index = NearestNeighbors(n_neighbors=wanted, algorithm="brute").fit(scaled[1][pool] * weight)
    distance, found = index.kneighbors(scaled[0][rows] * weight)
    other = pool[found]
    own = past["lineage"].to_numpy()[other] == cohort["lineage"].to_numpy()[rows][:, None]
    order = np.argsort(np.where(own, np.inf, distance), axis=1, kind="stable")[:, : min(HOW_MANY, wanted)]
    distance, other, own = (np.take_along_axis(values, order, axis=1) for values in (distance, other, own))
    apart = np.abs(scaled[0][rows][:, None, :] - scaled[1][other])
    alike = np.where(apart < 0.5, weight[None, None, :], -apart)
    best = np.argsort(-alike, axis=2, kind="stable")[:, :, :REASONS]
    labels = np.array(names, dtype=object)[best]
    reasons = labels[:, :, 0]
    for at in range(1, labels.shape[2]):
        reasons = reasons + "; " + labels[:, :, at]
    n = order.shape[1]
    table = pd.DataFrame({
        "urn": np.repeat(cohort["urn"].to_numpy()[rows], n), "rank": np.tile(np.arange(1, n + 1), len(rows)),
        "other_urn": past["urn"].to_numpy()[other].ravel(), "other_as_of": past["as_of"].to_numpy()[other].ravel(),
        "distance": distance.ravel().round(4), "reasons": reasons.ravel(),
        "outcome": past["label"].to_numpy()[other].ravel(), "next_overall": past["next_overall"].to_numpy()[other].ravel(),
    })  # fmt: skip
    return table[~own.ravel()]
