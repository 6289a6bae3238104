"""Capacity: posts nobody holds, posts filled for a time, and days lost to sickness."""

import pandas as pd

from pipelines import as_of
from pipelines.signals import Signal

SIGNALS = (
    Signal("share_vacant", "Share of teaching posts vacant.", "share", "vacancies", "in June after the November census",
           could_change=True),
    Signal("share_temporarily_filled", "Share of teaching posts filled for a time.", "share", "vacancies",
           "in June after the November census"),
    Signal("sick_days", "Days lost to sickness for each teacher.", "days", "sickness",
           "in June, two years after the year began"),
)  # fmt: skip


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The newest public vacancies and sickness figures."""
    posts = as_of.latest_known(cohort, known["vacancies"], order="period")
    sick = as_of.latest_known(cohort, known["sickness"], order="period")
    return pd.DataFrame({
        "share_vacant": posts["share_vacant"],
        "share_temporarily_filled": posts["share_temporarily_filled"],
        "sick_days": sick["mean_days_all_teachers"],
    })  # fmt: skip
