"""How long it has been. Re-inspection is timed by the grade, and a long pause in inspections moves every
clock at once.
"""

import pandas as pd

from headway.pipelines import as_of, frameworks
from headway.pipelines.signals import MISLEADS, Signal

SIGNALS = (
    Signal(
        "years_since_inspection",
        "Years since the latest graded inspection, without long pauses in inspections.",
        "years",
        "inspections",
        "every day",
    ),
    Signal(
        "years_since_visit",
        "Years since any inspection, graded or not.",
        "years",
        "inspections",
        "every day",
        off=MISLEADS,
    ),
)


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Years from the latest graded inspection, and from the latest of any kind that was in the files by that
    morning.
    """
    visits = as_of.latest_known(cohort, known["inspections"], order="inspected_on")["inspected_on"]
    newest = visits.where(visits > cohort["inspected_on"], cohort["inspected_on"])
    return pd.DataFrame(
        {
            "years_since_inspection": as_of.years_before(
                cohort["as_of"], cohort["inspected_on"], without=frameworks.long_pauses()
            ),
            "years_since_visit": as_of.years_before(cohort["as_of"], newest),
        }
    )
