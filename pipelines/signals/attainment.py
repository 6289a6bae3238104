"""Results at 11 and 16: progress where there was a baseline, attainment against schools of the phase, and
beyond the intake.
"""

import numpy as np
import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.signals import NOTHING, Signal, expected, intake, percentile

_KNOWN = "in January after the summer (provisional key stage 4 in October)"
LASTS = 4  # years: older results describe other pupils
BACK = 2  # years a mean or a change reaches
SIGNALS = (
    Signal("reading_progress", "Progress in reading to age 11.", "points", "results", _KNOWN),
    Signal("writing_progress", "Progress in writing to age 11.", "points", "results", _KNOWN),
    Signal("maths_progress", "Progress in mathematics to age 11.", "points", "results", _KNOWN),
    Signal("mean_progress", "Mean of the three.", "points", "results", _KNOWN),
    Signal("weakest_progress", "The weakest of the three.", "points", "results", _KNOWN),
    Signal("progress_8", "Progress 8, to age 16.", "grades", "results", _KNOWN),
    Signal(
        "attainment_8_standing", "Attainment 8, against its phase that year.", "percentile", "results", _KNOWN
    ),
    Signal(
        "basics_standing",
        "Pupils with English and mathematics at grade 5, against its phase that year.",
        "percentile",
        "results",
        _KNOWN,
    ),
    Signal(
        "attainment_standing",
        "What pupils reach at 11 or 16, against its phase that year: the mean of its standings.",
        "percentile",
        "results",
        _KNOWN,
        could_change=True,
    ),
    Signal(
        "attainment_three_years",
        "The mean of that standing over three years.",
        "percentile",
        "results",
        _KNOWN,
    ),
    Signal(
        "attainment_change",
        "Change in that standing since the results before.",
        "percentile points",
        "results",
        _KNOWN,
        off=NOTHING,
    ),
    Signal(
        "attainment_beyond_intake",
        "What pupils reach beyond what schools of the phase with such an intake reached that year.",
        "standard deviations",
        "results, census",
        _KNOWN,
    ),
)
PROGRESS = ["reading_progress", "writing_progress", "maths_progress"]
# What is reached at each age; any one of a year's measures will do, since not every year has all.
AT_11 = ["share_expected_standard", "share_higher_standard", "reading_score", "maths_score"]
AT_16 = ["attainment_8", "share_basics_95"]
_REACHED = ("attainment_standing", "attainment_three_years", "attainment_change", "attainment_beyond_intake")
# The measure set against the intake, at each age.
REACHED = {"11": "share_expected_standard", "16": "attainment_8"}


def measures(rows: pd.DataFrame) -> pd.DataFrame:
    """What is compared between schools, from a row of the results table."""
    return pd.DataFrame(
        {
            "attainment_8_standing": rows["attainment_8"],
            "basics_standing": rows["share_basics_95"],
            **{f"{name}_standing": rows[name] for name in AT_11},
        }
    )


def relations(results: pd.DataFrame, census: pd.DataFrame) -> dict[str, tuple[pd.Series, pd.DataFrame]]:
    """What is reached and by whom, for the country's relation of a year: by measure, rows aligned on urn and
    period.
    """
    rows = results.merge(census, on=["urn", "period"], suffixes=("", "_of_census"))
    return {
        f"{reached}_beyond_intake": (
            rows[reached],
            intake.makeup(rows).assign(period=rows["period"], urn=rows["urn"], known_on=rows["known_on"]),
        )
        for reached in REACHED.values()
    }


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The newest public results of each key stage, if no older than four years."""
    rows = known["results"][["lineage", "period", "known_on", *PROGRESS, "progress_8", *AT_16, *AT_11]]
    at_11 = as_of.latest_known(cohort, rows[rows[PROGRESS].notna().any(axis=1)], order="period")
    at_16 = as_of.latest_known(
        cohort, rows[rows[["progress_8", "attainment_8"]].notna().any(axis=1)], order="period"
    )
    progress = at_11[PROGRESS].where(as_of.period_within(cohort["as_of"], at_11["period"], LASTS))
    recent = as_of.period_within(cohort["as_of"], at_16["period"], LASTS)
    rank = {
        name: percentile(
            values.where(recent), "results", name, at_16["period"], cohort["phase"], known["norms"]
        )
        for name, values in (
            ("attainment_8_standing", at_16["attainment_8"]),
            ("basics_standing", at_16["share_basics_95"]),
        )
    }
    return progress.assign(
        mean_progress=progress.mean(axis=1),
        weakest_progress=progress.min(axis=1),
        progress_8=at_16["progress_8"].where(recent),
        **rank,
    ).join(_by_age(cohort, known))


def _by_age(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What is reached at the age a school's phase takes pupils to, 16 in a secondary and 11 elsewhere; else
    at the other age.
    """
    secondary = cohort["phase"].eq("Secondary").fillna(False).to_numpy(dtype=bool)
    result = pd.DataFrame(np.nan, index=cohort.index, columns=list(_REACHED))
    census = intake.makeup(known["census"]).assign(**known["census"][["lineage", "period", "known_on"]])
    counted = as_of.latest_known(cohort, census[["lineage", "period", "known_on"]], order="period")["period"]
    known = known | {"makeup": census}
    for first in (True, False):
        for age, here in (("11", secondary != first), ("16", secondary == first)):
            asked = cohort[here & result["attainment_standing"].isna().to_numpy()]
            if len(asked):
                result.loc[asked.index] = _reached(asked, known, age, counted[asked.index]).reindex(
                    columns=result.columns
                )
    return result


def _reached(
    cohort: pd.DataFrame, known: dict[str, pd.DataFrame], age: str, counted: pd.Series
) -> pd.DataFrame:
    """The mean standing in the newest results, over three years, its change since the one before, and beyond
    the intake.

    `counted` is the year of the newest census, whose `makeup` is in `known`.
    """
    names = {"11": AT_11, "16": AT_16}[age]
    rows = known["results"][["lineage", "period", "known_on", *names]]
    rows = rows[rows[names].notna().any(axis=1)]
    now = as_of.latest_known(cohort, rows, order="period")
    years = [now, *(as_of.earlier_known(cohort, rows, now, back) for back in range(1, BACK + 1))]
    recent = as_of.period_within(cohort["as_of"], now["period"], LASTS)
    standing = pd.concat([_standing(cohort, known, year, names).where(recent) for year in years], axis=1)
    before = standing.iloc[:, 1:].bfill(axis=1).iloc[:, 0]
    values = (
        standing.iloc[:, 0],
        standing.iloc[:, :3].mean(axis=1),
        standing.iloc[:, 0] - before,
        _beyond(cohort, known, REACHED[age], counted),
    )
    return pd.DataFrame(dict(zip(_REACHED, values, strict=True)))


def _standing(
    cohort: pd.DataFrame, known: dict[str, pd.DataFrame], year: pd.DataFrame, names: list[str]
) -> pd.Series:
    named = {"attainment_8": "attainment_8_standing", "share_basics_95": "basics_standing"}
    every = [
        percentile(
            year[name],
            "results",
            named.get(name, f"{name}_standing"),
            year["period"],
            cohort["phase"],
            known["norms"],
        )
        for name in names
    ]
    return pd.concat(every, axis=1).mean(axis=1)


def _beyond(
    cohort: pd.DataFrame, known: dict[str, pd.DataFrame], reached: str, counted: pd.Series
) -> pd.Series:
    """What is reached less what the intake of that year leads one to expect, in the newest year both are
    public of.
    """
    rows = known["results"].loc[known["results"][reached].notna(), ["lineage", "period", "known_on", reached]]
    result = as_of.known_until(cohort, rows, counted)
    pupils = as_of.known_until(cohort, known["makeup"], result["period"])
    both = result["period"].eq(pupils["period"]) & as_of.period_within(
        cohort["as_of"], result["period"], LASTS
    )
    given = pupils[["poor", "poor_squared", "language", "needs"]]
    return expected(
        result[reached].where(both),
        given,
        "results",
        f"{reached}_beyond_intake",
        result["period"],
        cohort["phase"],
        known["norms"],
    )
