"""Leadership against overall: the signal the project comes from."""

import pandas as pd

from headway.pipelines.signals import Signal
from headway.pipelines.signals.judgements import SINCE

SIGNALS = (
    Signal(
        "leadership_gap",
        "Leadership is graded this many grades better than the school overall.",
        "grades",
        "inspections",
        "when the report of the latest graded inspection is out",
    ),
)


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The gap between the two grades of the latest graded inspection, blank where the one for leadership
    wasn't out.

    Since September 2019 a blank counts as equal to overall, the commonest case. Only a handful are blank:
    inspections that a register alone recorded because two more followed soon, so the blank itself would tell
    the future.
    """
    gap = cohort["overall"].astype("float64") - cohort["leadership"].astype("float64")
    lost = cohort["overall"].notna() & gap.isna() & cohort["inspected_on"].ge(SINCE)
    return pd.DataFrame({"leadership_gap": gap.mask(lost, 0.0)})
