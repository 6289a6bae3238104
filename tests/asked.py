"""Made-up examples: schools asked about each September, with what came next, and a known effect planted in
them.
"""

import numpy as np
import pandas as pd

from headway.pipelines.as_of import Fold
from headway.pipelines.tables import DATE

SIGNALS = ["leadership_gap", "decoy"]
YEARS = (2012, 2013, 2014, 2015)
FOLDS = [Fold(pd.Timestamp(year, 9, 1), pd.Timestamp(year + 1, 8, 31)) for year in YEARS[1:]]


def examples(schools: int = 900) -> pd.DataFrame:
    """Every school could improve and is inspected within the year: a grade of gap adds 2 to the log-odds of
    rising.
    """
    rng = np.random.default_rng(5)
    years = np.repeat(YEARS, schools)
    count = len(years)
    overall, gap = rng.choice([2, 3, 4], count), rng.choice([0.0, 1.0], count, p=[0.6, 0.4])
    rises = rng.random(count) < 1 / (1 + np.exp(1.4 - 2 * gap))
    as_of = pd.Series(pd.to_datetime(pd.Series(years).astype("str") + "-09-01")).astype(DATE)
    inspected = as_of + pd.to_timedelta(pd.Series(rng.integers(1, 300, count)), unit="D")
    urn = np.tile(np.arange(schools), len(YEARS)) + 100_000
    rows = pd.DataFrame({
        "urn": urn, "lineage": urn, "as_of": as_of, "phase": "Primary", "overall": overall, "leadership": 2,
        "inspected_on": pd.Timestamp("2010-10-01"), "framework": "old", "next_framework": "new", "label_source": "published",
        "next_inspected_on": inspected, "next_known_on": inspected + pd.Timedelta(days=40), "next_overall": overall - rises,
        "next_leadership": 2, "next_below_good": overall - rises > 2, "label": np.where(rises, "improved", "same"),
        "leadership_gap": gap, "decoy": rng.normal(0, 1, count),
    })  # fmt: skip
    return rows.astype(dict.fromkeys(["overall", "leadership", "next_overall", "next_leadership"], "Int64"))
