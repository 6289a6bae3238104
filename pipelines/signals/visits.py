"""What inspectors have said since the grade, without grading: the strongest signal there is, where it may be
used.
"""

import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.signals import NOTHING, Signal

_KNOWN = "from the first file of all inspections that shows it, or the date of a list of latest inspections"
SIGNALS = (
    Signal(
        "visited_since",
        "It has had an ungraded inspection since it was graded.",
        "yes or no",
        "inspections",
        _KNOWN,
        off=NOTHING,
    ),
    Signal(
        "visit_outlook",
        "The latest ungraded inspection said: better than its grade (1), as its grade (0) or with "
        "concerns (-1).",
        "-1, 0 or 1",
        "inspections",
        _KNOWN,
    ),
)

_BETTER = ("improving", "improved significantly")
_WORSE = ("concern", "not as strong", "declin", "not continue to be")


def outlook(outcomes: pd.Series) -> pd.Series:
    """1 for an outcome that points up, -1 for one that points down, 0 for one that keeps the grade; blank for
    none.
    """
    words = outcomes.str.lower()
    score = pd.Series(0.0, index=outcomes.index).where(outcomes.notna())
    return score.mask(words.str.contains("|".join(_BETTER), na=False), 1.0).mask(
        words.str.contains("|".join(_WORSE), na=False), -1.0
    )


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The latest ungraded inspection, if it came after the grade and was in the files by that morning."""
    every = known["inspections"]
    ungraded = every.loc[
        every["kind"].ne("graded"), ["lineage", "known_on", "inspected_on", "ungraded_outcome"]
    ]
    held = as_of.latest_known(cohort, ungraded, order="inspected_on")
    since = held["inspected_on"] > cohort["inspected_on"]
    told = as_of.is_before(pd.Series(ungraded["known_on"].min(), index=cohort.index), cohort["as_of"])
    return pd.DataFrame(
        {
            "visited_since": since.astype("float64").where(told & cohort["inspected_on"].notna()),
            "visit_outlook": outlook(held["ungraded_outcome"]).where(since),
        }
    )
