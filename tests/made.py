"""Made-up rows for models: signals, the state they were in, and the next rank, with a known effect planted in
them.
"""

import numpy as np
import pandas as pd

from headway.models.champion import Champion, libraries
from headway.models.conformal import ChanceIntervals, GradeSets
from headway.models.estimators import Departures
from headway.pipelines.scoring.rows import layout

SIGNALS = ["leadership_gap", "share_stayed", "decoy", "constant"]


def rows(count: int = 2500, seed: int = 0) -> dict[str, np.ndarray | pd.DataFrame]:
    """What `Departures.fit` takes. A grade of gap adds 1.2 to the log-odds of rising, the decoy nothing.

    A third of `share_stayed` is blank; the level of rising moves between the three eras.
    """
    rng = np.random.default_rng(seed)
    overall, era = rng.choice(4, count, p=[0.15, 0.45, 0.3, 0.1]) + 1, rng.integers(2015, 2018, count)
    gap, stayed = rng.choice([-1.0, 0.0, 1.0], count, p=[0.1, 0.6, 0.3]), rng.normal(0.8, 0.1, count)
    odds = np.array([0, 0, -2.0, 0.0, 1.5])[overall] + 0.4 * (era - 2016) + 1.2 * gap + 6.0 * (stayed - 0.8)
    rises = (rng.random(count) < 1 / (1 + np.exp(-odds))) & (overall > 1)
    falls = ~rises & (rng.random(count) < 0.3) & (overall < 4)
    cell = pd.Series(overall).astype("str")
    return {
        "signals": pd.DataFrame({
            "leadership_gap": gap, "share_stayed": np.where(rng.random(count) < 0.33, np.nan, stayed),
            "decoy": rng.normal(0, 1, count), "constant": 7.0,
        }),
        "state": pd.DataFrame({"overall": overall, "cell": cell, "group": rng.choice(["Primary", "Secondary"], count)}),
        "following": overall - rises + falls, "era": era, "weight": np.ones(count), "freshness": np.ones(count),
    }  # fmt: skip


def feature_rows(given: pd.DataFrame, champion: Champion) -> pd.DataFrame:
    """Rows in the columns `champion` takes them in; those that aren't given are blank, whole numbers without
    any too.
    """
    whole = [
        name for name, kind in layout(champion).items() if kind == "a whole number" and name not in given
    ]
    return given.reindex(columns=list(layout(champion))).astype(dict.fromkeys(whole, "Int64"))


def champion(count: int = 2500) -> Champion:
    """A small champion over both outcomes, that says of itself what scoring needs."""
    given = rows(count)
    model, led = Departures(rounds=40).fit(**given), Departures(learners=("ridge",)).fit(**given)
    chances, overall = model.predict(given["signals"], given["state"]), given["state"]["overall"].to_numpy()
    at_stake = np.where(overall == 1, chances[:, 0], np.where(given["following"] < overall, 0.6, 0.3))
    happened = np.where(overall == 1, given["following"] == 1, given["following"] < overall).astype(float)
    families = {
        "leadership_gap": "leadership",
        "share_stayed": "retention",
        "decoy": "context",
        "constant": "context",
    }
    cells = (given["state"]["cell"] + "|" + given["state"]["group"]).value_counts()
    return Champion(
        model,
        led,
        GradeSets().fit(chances, overall, given["following"]),
        ChanceIntervals().fit(at_stake, happened, overall, given["era"]),
        {
            "signals": SIGNALS,
            "families": families,
            "data_source": "made-up",
            "version": "abc123",
            "libraries": libraries(),
            "cells": {str(key): int(n) for key, n in cells.items()},
        },
    )
