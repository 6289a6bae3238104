"""Staff retention: who stayed, who moved, who left, and how that has changed.

Turnover of one November's teachers shows in the next November's census and comes out the June after: row
2023/24 in June
2025. A grade itself moves staff, so what is known from before the inspection and from since are kept apart.
"""

import numpy as np
import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.signals import Signal, log_change, newest_register, share

PRIOR = 20.0  # full-time teachers' worth of what is usual for the phase, for schools with few
# The share who stay in a usual school of the phase: one in ten teachers moves or leaves in a primary, one in
# six in a secondary; fewer stay in London. Fixed, so that no school's share depends on any other school.
USUAL = {"Nursery": 0.90, "Primary": 0.90, "Secondary": 0.84, "Special": 0.87, "PRU": 0.85}
IN_LONDON = -0.02
CENSUS_MONTH = 11
_KNOWN = "in June, two years after the November the teachers were in post"
_REGISTER = "the day after the register's row was written down"
SIGNALS = (
    Signal(
        "share_stayed",
        "Share of teachers who stayed in the school from one year to the next, drawn to what "
        "is usual for its phase and region where they are few.",
        "share",
        "turnover",
        _KNOWN,
        could_change=True,
    ),
    Signal(
        "share_moved",
        "Share of teachers who left for another state-funded school.",
        "share",
        "turnover",
        _KNOWN,
    ),
    Signal("share_left", "Share of teachers who left state-funded schools.", "share", "turnover", _KNOWN),
    Signal("stayed_trend", "Change in the share who stayed over three years.", "share", "turnover", _KNOWN),
    Signal(
        "stayed_before_inspection",
        "The share who stayed in the newest year that ended before the inspection.",
        "share",
        "turnover",
        _KNOWN,
    ),
    Signal(
        "stayed_since_inspection",
        "The share who stayed in the newest year that began after the inspection.",
        "share",
        "turnover",
        _KNOWN,
    ),
    Signal(
        "net_staff_change",
        "Relative change in teachers over a year: joiners less leavers, all that is known where no "
        "file says who stayed.",
        "relative",
        "workforce, posts, ratios",
        "when the census of that November is published",
    ),
    Signal(
        "stayed_by_register",
        "Share of teachers who stayed, from the school's own register, drawn likewise.",
        "share",
        "staff_register",
        _REGISTER,
        could_change=True,
    ),
    Signal(
        "heads_in_three_years",
        "Different heads in three years, from the school's own register.",
        "heads",
        "staff_register",
        _REGISTER,
    ),
)


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Shares of the newest turnover row public that morning. Each part is used as published, never derived
    from others.
    """
    rows = known["turnover"]
    now = as_of.latest_known(cohort, rows, order="period")
    past = as_of.earlier_known(cohort, rows, now, 3)
    # The year of row t runs from the November of t - 1 to the November of t.
    inspected = cohort["inspected_on"].dt.year - cohort["inspected_on"].dt.month.lt(CENSUS_MONTH).astype(int)
    before = as_of.known_until(cohort, rows, inspected)
    stayed = _shrunk(now["stayed_fte"], now["teachers_fte"], cohort)
    own = newest_register(cohort, known["staff_register"])
    return pd.DataFrame(
        {
            "share_stayed": stayed,
            "share_moved": share(now["moved_school_fte"], now["teachers_fte"]),
            "share_left": share(now["left_system_fte"], now["teachers_fte"]),
            "stayed_trend": share(now["stayed_fte"], now["teachers_fte"])
            - share(past["stayed_fte"], past["teachers_fte"]),
            "stayed_before_inspection": _shrunk(before["stayed_fte"], before["teachers_fte"], cohort),
            "stayed_since_inspection": stayed.where(now["period"] - 1 > inspected),
            "net_staff_change": _net_change(cohort, known),
            "stayed_by_register": _shrunk(own["stayed"], own["teachers_a_year_before"], cohort),
            "heads_in_three_years": own["heads_in_three_years"],
        }
    )


def _shrunk(stayed: pd.Series, teachers: pd.Series, cohort: pd.DataFrame) -> pd.Series:
    usual = cohort["phase"].map(USUAL).fillna(USUAL["Primary"]).astype("float64")
    usual = usual + np.where(cohort["region"].eq("London").fillna(False), IN_LONDON, 0.0)
    return (stayed + PRIOR * usual) / (teachers.where(teachers > 0) + PRIOR)


def _net_change(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.Series:
    """From whichever file of staff is the newest for the school."""
    change, year = pd.Series(np.nan, index=cohort.index), pd.Series(-np.inf, index=cohort.index)
    for name in ("workforce", "posts", "ratios"):
        now = as_of.latest_known(cohort, known[name], order="period")
        before = as_of.earlier_known(cohort, known[name], now, 1)
        newer = now["period"].astype("float64").gt(year)
        change = change.mask(newer, log_change(now["teachers_fte"], before["teachers_fte"]))
        year = year.mask(newer, now["period"].astype("float64"))
    return change
