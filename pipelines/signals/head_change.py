"""Whether the head has changed. Published only for academies, as a yes or no without names."""

import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.signals import Signal

# years, of 1,000 days: a new head's effect takes years, and the extracts are months apart
WINDOW = 1000 / 365.25
SIGNALS = (
    Signal(
        "head_changed",
        "The head changed in the last 1,000 days.",
        "yes or no",
        "head_changes",
        "the day of the later of the two extracts that differ",
    ),
)


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Whether any extract of the window showed another head than the one before; blank where none covers the
    school.
    """
    seen = known["head_changes"].dropna(subset=["head_changed"]).sort_values("known_on", kind="stable")
    changed = seen["known_on"].where(seen["head_changed"].eq(1))
    told = seen[["lineage", "known_on"]].assign(last_change_on=changed.groupby(seen["lineage"]).ffill())
    held = as_of.latest_known(cohort, told)
    recent = as_of.within_years(cohort["as_of"], held["last_change_on"], WINDOW)
    followed = as_of.within_years(cohort["as_of"], held["known_on"], WINDOW)
    return pd.DataFrame({"head_changed": recent.astype("float64").where(followed)})
