"""Consistency inside one school: how far apart its judgements, subjects, years and groups of pupils lie.

Most of the variation in what pupils achieve lies within schools, not between them.
"""

import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.signals import Signal, attainment, judgements

_KNOWN = "in January after the summer (provisional key stage 4 in October)"
SIGNALS = (
    Signal(
        "judgement_spread",
        "Grades between the school's best and its worst judgement.",
        "grades",
        "inspections",
        "when the report of the latest graded inspection is out",
    ),
    Signal(
        "subject_spread",
        "Between its strongest and its weakest of reading, writing and mathematics at 11.",
        "points of progress",
        "results",
        _KNOWN,
    ),
    Signal(
        "year_spread_at_11",
        "How far progress to age 11 swings from year to year (standard deviation of three years).",
        "points of progress",
        "results",
        _KNOWN,
    ),
    Signal(
        "year_spread_at_16",
        "How far Progress 8 swings from year to year (standard deviation of three years).",
        "grades",
        "results",
        _KNOWN,
    ),
    Signal(
        "pupil_gap_at_11",
        "All pupils at the expected standard at 11, less disadvantaged pupils.",
        "share",
        "results",
        _KNOWN,
    ),
    Signal(
        "pupil_gap_at_16",
        "Attainment 8 of all pupils, less that of disadvantaged pupils.",
        "points",
        "results",
        _KNOWN,
    ),
)
YEARS = 3
# At each age: the results that say so, what swings from year to year, and the gap between pupils with what it
# is taken from.
_AT = {
    "11": (attainment.PROGRESS, "share_expected_standard", "share_expected_standard_disadvantaged"),
    "16": (["progress_8"], "attainment_8", "attainment_8_disadvantaged"),
}


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Spreads within the newest public judgements and results, if no older than attainment may be; two years
    at least.
    """
    result = {"judgement_spread": _judgement_spread(cohort)}
    for age, (progress, everyone, disadvantaged) in _AT.items():
        rows = known["results"]
        rows = rows[rows[[*progress, everyone]].notna().any(axis=1)]
        now = as_of.latest_known(cohort, rows, order="period")
        recent = as_of.period_within(cohort["as_of"], now["period"], attainment.LASTS)
        newest = now[[*progress, everyone, disadvantaged]].where(recent)
        years = [
            newest,
            *(as_of.earlier_known(cohort, rows, now, back).where(recent) for back in range(1, YEARS)),
        ]
        swing = pd.concat([year[progress].mean(axis=1) for year in years], axis=1)
        result[f"year_spread_at_{age}"] = swing.std(axis=1)
        result[f"pupil_gap_at_{age}"] = newest[everyone] - newest[disadvantaged]
        if len(progress) > 1:
            result["subject_spread"] = newest[progress].max(axis=1) - newest[progress].min(axis=1)
    return pd.DataFrame(result)


def _judgement_spread(cohort: pd.DataFrame) -> pd.Series:
    gaps = judgements.gaps(cohort)
    every = gaps.assign(
        leadership=cohort["overall"].astype("float64") - cohort["leadership"].astype("float64")
    )
    return (every.max(axis=1) - every.min(axis=1)).where(gaps.notna().any(axis=1))
