"""Staffing: how many, how paid, how stretched, against schools of the same phase and region in the same
year.
"""

import numpy as np
import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.signals import Signal, log_change, percentile, share

_KNOWN = "in January, fourteen months after the November census"
SIGNALS = (
    Signal(
        "teachers_standing",
        "Teachers, against its phase and region that year.",
        "percentile",
        "workforce, ratios",
        _KNOWN,
    ),
    Signal(
        "assistants_standing",
        "Teaching assistants for each teacher, likewise.",
        "percentile",
        "workforce",
        _KNOWN,
    ),
    Signal(
        "pupils_per_teacher_standing",
        "Pupils for each teacher, likewise.",
        "percentile",
        "workforce, ratios",
        _KNOWN,
    ),
    Signal("salary_standing", "Mean salary of teachers, likewise.", "percentile", "workforce", _KNOWN),
    Signal(
        "part_time_standing", "People for each full-time post, likewise.", "percentile", "workforce", _KNOWN
    ),
    Signal(
        "support_standing",
        "Other support staff for each teacher, likewise.",
        "percentile",
        "workforce",
        _KNOWN,
    ),
    Signal(
        "teachers_change",
        "Relative change in teachers over a year: net of joiners and leavers.",
        "relative",
        "workforce, ratios",
        _KNOWN,
    ),
    Signal("salary_change", "Relative change in mean salary over a year.", "relative", "workforce", _KNOWN),
)


def measures(rows: pd.DataFrame) -> pd.DataFrame:
    """What is compared between schools, from a row of the workforce table."""
    return (
        pd.DataFrame(
            {
                "teachers_standing": rows["teachers_fte"],
                "assistants_standing": share(rows["assistants_fte"], rows["teachers_fte"]),
                "pupils_per_teacher_standing": rows["pupils_per_teacher"],
                "salary_standing": rows["mean_salary"],
                "part_time_standing": share(rows["teachers_headcount"], rows["teachers_fte"]),
                "support_standing": share(rows["support_fte"], rows["teachers_fte"]),
            }
        )
        .astype("float64")
        .replace([np.inf, -np.inf], np.nan)
    )


def staff(known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Every year's staff of every school, from the tables of workforce and, for years these don't have, of
    ratios.

    The performance tables gave the workforce up to November 2020; since then the file of pupil to teacher
    ratios is what says how many teachers a school has.
    """
    tables, ratios = known["workforce"], known["ratios"]
    if ratios.empty:
        return tables
    newer = ratios[~ratios["period"].isin(tables["period"].unique())]
    return pd.concat([tables, newer[[name for name in newer if name in tables]]], ignore_index=True)


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Standing within phase, region and year in the newest public census, and the change over the year
    before.
    """
    rows = staff(known)
    now = as_of.latest_known(cohort, rows, order="period")
    before = as_of.earlier_known(cohort, rows, now, 1)
    level = measures(now)
    standing = {
        name: percentile(
            level[name],
            "workforce",
            name,
            now["period"],
            cohort["phase"],
            known["norms"],
            region=cohort["region"],
        )
        for name in level
    }
    return pd.DataFrame(standing).assign(
        teachers_change=log_change(now["teachers_fte"], before["teachers_fte"]),
        salary_change=log_change(now["mean_salary"], before["mean_salary"], most=0.3),
    )
