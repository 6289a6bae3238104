"""Staff retention: who stayed, who moved, who left, and how that has changed.

Turnover of one November's teachers shows in the next November's census and comes out the June after: row 2023/24 in June
2025. A grade itself moves staff, so what is known from before the inspection and from since are kept apart.
"""

import pandas as pd

from pipelines import as_of
from pipelines.signals import Signal, share

PRIOR = 20.0  # full-time teachers' worth of the phase's own rate, for schools with few
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
    usual = _usual(rows, known["schools"])
    release = [now["period"], now["known_on"]]
    overall = usual.groupby(["period", "known_on"]).mean().reindex(pd.MultiIndex.from_arrays(release)).to_numpy()
    by_phase = usual.reindex(pd.MultiIndex.from_arrays([*release, cohort["phase"]])).to_numpy()
    rate = pd.Series(by_phase, index=cohort.index, dtype="float64").fillna(pd.Series(overall, cohort.index, dtype="float64"))
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


def _usual(rows: pd.DataFrame, schools: pd.DataFrame) -> pd.Series:
    """The share who stayed by period, release and phase: a later release of the same period must not move it."""
    phase = rows["urn"].map(schools.drop_duplicates("urn").set_index("urn")["phase"])
    whole = rows.dropna(subset=["stayed_fte", "teachers_fte"]).assign(phase=phase)
    sums = whole.groupby(["period", "known_on", "phase"])[["stayed_fte", "teachers_fte"]].sum()
    return sums["stayed_fte"] / sums["teachers_fte"]
