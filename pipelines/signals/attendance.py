"""Absence, against schools of the same phase in the same year, and against what the intake would suggest."""

import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.signals import NOTHING, Signal, intake, percentile

_KNOWN = "in April after the school year"
BEFORE_PANDEMIC = 2019
SIGNALS = (
    Signal(
        "absence_standing",
        "Sessions missed, against its phase that year.",
        "percentile",
        "absence",
        _KNOWN,
        could_change=True,
    ),
    Signal(
        "persistent_absence_standing",
        "Pupils persistently absent, against its phase that year.",
        "percentile",
        "absence",
        _KNOWN,
        could_change=True,
    ),
    Signal("absence_change", "Change in that standing over a year.", "percentile points", "absence", _KNOWN),
    Signal(
        "absence_since_pandemic",
        "Change in that standing since 2018/19, the last whole year before the pandemic.",
        "percentile points",
        "absence",
        _KNOWN,
        off=NOTHING,
    ),
    Signal(
        "absence_beyond_intake",
        "Its standing on absence less its standing on deprivation.",
        "percentile points",
        "absence, census",
        _KNOWN,
    ),
)


def measures(rows: pd.DataFrame) -> pd.DataFrame:
    """What is compared between schools; the line for persistent absence moved, the standing within a year
    does not.
    """
    persistent = rows["share_persistent_absence_10"].fillna(rows["share_persistent_absence_15"])
    return pd.DataFrame(
        {"absence_standing": rows["share_absence"], "persistent_absence_standing": persistent}
    ).astype("float64")


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Standing within phase and year in the newest public absence figures, and its change."""
    now = as_of.latest_known(cohort, known["absence"], order="period")
    before = as_of.earlier_known(cohort, known["absence"], now, 1)
    rank = {
        name: percentile(values, "absence", name, now["period"], cohort["phase"], known["norms"])
        for name, values in measures(now).items()
    }
    whole = as_of.known_until(cohort, known["absence"], pd.Series(BEFORE_PANDEMIC, index=cohort.index))
    then = percentile(
        whole["share_absence"].where(now["period"] > BEFORE_PANDEMIC + 1),
        "absence",
        "absence_standing",
        whole["period"],
        cohort["phase"],
        known["norms"],
    )
    past = percentile(
        before["share_absence"],
        "absence",
        "absence_standing",
        before["period"],
        cohort["phase"],
        known["norms"],
    )
    pupils = as_of.latest_known(cohort, known["census"], order="period")
    poverty = percentile(
        intake.measures(pupils)["deprivation_standing"],
        "census",
        "deprivation_standing",
        pupils["period"],
        cohort["phase"],
        known["norms"],
    )
    return pd.DataFrame(rank).assign(
        absence_change=rank["absence_standing"] - past,
        absence_since_pandemic=rank["absence_standing"] - then,
        absence_beyond_intake=rank["absence_standing"] - poverty,
    )
