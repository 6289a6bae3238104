"""Who comes to the school: deprivation, language, special needs, size, against its phase in the same year."""

import numpy as np
import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.signals import NOTHING, Signal, log_change, percentile

_KNOWN = "in January after the January census"
SIGNALS = (
    Signal(
        "deprivation_standing",
        "Pupils eligible for free school meals in six years, against its phase that year.",
        "percentile",
        "census",
        _KNOWN,
    ),
    Signal(
        "regional_deprivation_standing",
        "The same, against its phase in its region.",
        "percentile",
        "census",
        _KNOWN,
    ),
    Signal(
        "language_standing",
        "Pupils whose first language is not English, against its phase.",
        "percentile",
        "census",
        _KNOWN,
    ),
    Signal(
        "special_needs_standing",
        "Pupils with special needs support, against its phase.",
        "percentile",
        "census",
        _KNOWN,
    ),
    Signal(
        "plans_standing",
        "Pupils with a statement or plan, against its phase.",
        "percentile",
        "census",
        _KNOWN,
    ),
    Signal("size_standing", "Pupils on roll, against its phase.", "percentile", "census", _KNOWN),
    Signal("log_pupils", "Pupils on roll, as a logarithm.", "log pupils", "census", _KNOWN),
    Signal("share_girls", "Share of pupils who are girls.", "share", "census", _KNOWN),
    Signal("pupils_change", "Relative change in pupils over two years.", "relative", "census", _KNOWN),
    Signal(
        "pupils_change_five_years",
        "Relative change in pupils over five years.",
        "relative",
        "census",
        _KNOWN,
        off=NOTHING,
    ),
)


def measures(rows: pd.DataFrame) -> pd.DataFrame:
    """What is compared between schools, from a row of the census table: one idea under the names of several
    years.
    """
    fsm = rows["share_fsm"].fillna(rows["pupils_fsm"] / rows["pupils"].where(rows["pupils"] > 0))
    # To 2014 school action, and action plus with statements; from 2015 SEN support, with plans kept apart.
    needs = rows["share_sen_support"].fillna(rows["share_school_action"] + rows["share_school_action_plus"])
    return (
        pd.DataFrame(
            {
                "deprivation_standing": rows["share_fsm_ever"].fillna(fsm),
                "language_standing": rows["share_eal"],
                "special_needs_standing": needs,
                "plans_standing": rows["share_ehcp"],
                "size_standing": rows["pupils"],
            }
        )
        .astype("float64")
        .replace([np.inf, -np.inf], np.nan)
    )


def makeup(rows: pd.DataFrame) -> pd.DataFrame:
    """Who a school's pupils are, from a row of the census table, as what its results are expected from."""
    raw = measures(rows)
    poor = raw["deprivation_standing"]
    return pd.DataFrame(
        {
            "poor": poor,
            "poor_squared": poor**2,
            "language": raw["language_standing"],
            "needs": raw["special_needs_standing"],
        }
    )


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Standing within phase and year in the newest public census, and the change over two years."""
    now = as_of.latest_known(cohort, known["census"], order="period")
    before = as_of.earlier_known(cohort, known["census"], now, 2)
    level = measures(now)
    rank = {
        name: percentile(level[name], "census", name, now["period"], cohort["phase"], known["norms"])
        for name in level
    }
    regional = percentile(
        level["deprivation_standing"],
        "census",
        "deprivation_standing",
        now["period"],
        cohort["phase"],
        known["norms"],
        region=cohort["region"],
    )
    return pd.DataFrame(rank).assign(
        regional_deprivation_standing=regional,
        log_pupils=np.log(now["pupils"].where(now["pupils"] > 0)),
        share_girls=now["share_girls"],
        pupils_change=log_change(now["pupils"], before["pupils"]),
        pupils_change_five_years=log_change(
            now["pupils"], as_of.earlier_known(cohort, known["census"], now, 5)["pupils"], 0.7
        ),
    )
