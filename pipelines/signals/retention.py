"""Staff retention: who stayed, who moved, who left, and how that has changed.

Turnover of one November's teachers shows in the next November's census and comes out the June after: row 2023/24 in June
2025. A grade itself moves staff, so what is known from before the inspection and from since are kept apart.
"""

import pandas as pd

from pipelines import as_of
from pipelines.signals import Signal, share

PRIOR = 20.0  # full-time teachers' worth of what is usual for the phase, for schools with few
# The share who stay in a usual school of the phase: one in ten teachers moves or leaves in a primary, one in six in a
# secondary. Fixed, so that no school's share depends on any other school.
USUAL = {"Nursery": 0.90, "Primary": 0.90, "Secondary": 0.84, "Special": 0.87, "PRU": 0.85}
_KNOWN = "in June, two years after the November the teachers were in post"
SIGNALS = (
    Signal("share_stayed", "Share of teachers who stayed in the school from one year to the next, shrunk to its phase "
           "where there are few.", "share", "turnover", _KNOWN, could_change=True),
    Signal("share_moved", "Share of teachers who left for another state-funded school.", "share", "turnover", _KNOWN),
    Signal("share_left", "Share of teachers who left state-funded schools.", "share", "turnover", _KNOWN),
    Signal("stayed_trend", "Change in that share over three years.", "share", "turnover", _KNOWN),
    Signal("stayed_since_inspection", "The share who stayed in the newest year after the inspection; blank if none.",
           "share", "turnover", _KNOWN),
)  # fmt: skip


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Shares of the newest turnover row public that morning. Each part is used as published, never derived from others."""
    rows = known["turnover"]
    now = as_of.latest_known(cohort, rows, order="period")
    before = as_of.earlier_known(cohort, rows, 3)
    rate = cohort["phase"].map(USUAL).fillna(USUAL["Primary"]).astype("float64")
    stayed = (now["stayed_fte"] + PRIOR * rate) / (now["teachers_fte"].where(now["teachers_fte"] > 0) + PRIOR)
    # The November after the inspection began a year that the grade could have moved.
    after = now["period"] > cohort["inspected_on"].dt.year + cohort["inspected_on"].dt.month.gt(8).astype(int)
    return pd.DataFrame({
        "share_stayed": stayed,
        "share_moved": share(now["moved_school_fte"], now["teachers_fte"]),
        "share_left": share(now["left_system_fte"], now["teachers_fte"]),
        "stayed_trend": share(now["stayed_fte"], now["teachers_fte"]) - share(before["stayed_fte"], before["teachers_fte"]),
        "stayed_since_inspection": stayed.where(after),
    })  # fmt: skip

