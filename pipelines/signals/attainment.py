"""Results at 11 and 16, where the tables give them: progress from the start, not raw attainment, at 11."""

import pandas as pd

from pipelines import as_of
from pipelines.signals import Signal, percentile

_KNOWN = "in January after the summer (provisional key stage 4 in October)"
LASTS = 4  # years: older results describe other pupils
SIGNALS = (
    Signal("reading_progress", "Progress in reading to age 11.", "points", "results", _KNOWN),
    Signal("writing_progress", "Progress in writing to age 11.", "points", "results", _KNOWN),
    Signal("maths_progress", "Progress in mathematics to age 11.", "points", "results", _KNOWN),
    Signal("mean_progress", "Mean of the three.", "points", "results", _KNOWN),
    Signal("weakest_progress", "The weakest of the three.", "points", "results", _KNOWN),
    Signal("progress_8", "Progress 8, to age 16.", "grades", "results", _KNOWN),
    Signal("attainment_8_standing", "Attainment 8, against its phase that year.", "percentile", "results", _KNOWN),
    Signal("basics_standing", "Pupils with English and mathematics at grade 5, against its phase that year.",
           "percentile", "results", _KNOWN),
)  # fmt: skip
PROGRESS = ["reading_progress", "writing_progress", "maths_progress"]


def measures(rows: pd.DataFrame) -> pd.DataFrame:
    """What is compared between schools, from a row of the results table."""
    return pd.DataFrame({"attainment_8_standing": rows["attainment_8"], "basics_standing": rows["share_basics_95"]})


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The newest public results of each key stage, if no older than four years."""
    rows = known["results"]
    at_11 = as_of.latest_known(cohort, rows[rows[PROGRESS].notna().any(axis=1)], order="period")
    at_16 = as_of.latest_known(cohort, rows[rows[["progress_8", "attainment_8"]].notna().any(axis=1)], order="period")
    year = cohort["as_of"].dt.year
    progress = at_11[PROGRESS].where(year - at_11["period"] <= LASTS)
    recent = year - at_16["period"] <= LASTS
    rank = {name: percentile(values.where(recent), "results", name, at_16["period"], cohort["phase"], known["norms"])
            for name, values in measures(at_16).items()}  # fmt: skip
    return progress.assign(
        mean_progress=progress.mean(axis=1), weakest_progress=progress.min(axis=1),
        progress_8=at_16["progress_8"].where(recent), **rank,
    )  # fmt: skip
