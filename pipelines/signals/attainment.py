"""Results at 11 and 16: progress where there was a baseline, attainment against schools of the phase, and beyond the intake."""

import numpy as np
import pandas as pd

from pipelines import as_of
from pipelines.signals import Signal, expected, intake, percentile

_KNOWN = "in January after the summer (provisional key stage 4 in October)"
LASTS = 4  # years: older results describe other pupils
BACK = 5  # years a change may reach: there were no tables for two summers
SIGNALS = (
    Signal("reading_progress", "Progress in reading to age 11.", "points", "results", _KNOWN),
    Signal("writing_progress", "Progress in writing to age 11.", "points", "results", _KNOWN),
    Signal("maths_progress", "Progress in mathematics to age 11.", "points", "results", _KNOWN),
    Signal("mean_progress", "Mean of the three.", "points", "results", _KNOWN),
    Signal("weakest_progress", "The weakest of the three.", "points", "results", _KNOWN),
    Signal("progress_8", "Progress 8, to age 16.", "grades", "results", _KNOWN),
    Signal("attainment_8_standing", "Attainment 8, against its phase that year.", "percentile", "results", _KNOWN),
    Signal("basics_standing", "Pupils with English and mathematics at grade 5, against its phase that year.",
           "percentile", "results", _KNOWN),
    Signal("attainment_standing", "What pupils reach at 11 or 16, against its phase that year: the mean of its standings.",
           "percentile", "results", _KNOWN),
    Signal("attainment_three_years", "The mean of that standing over three years.", "percentile", "results", _KNOWN),
    Signal("attainment_change", "Change in that standing since the results before.", "percentile points", "results", _KNOWN),
    Signal("attainment_beyond_intake", "What pupils reach beyond what schools of the phase with such an intake reached that "
           "year.", "standard deviations", "results, census", _KNOWN),
)  # fmt: skip
PROGRESS = ["reading_progress", "writing_progress", "maths_progress"]
# What is reached at each age; any one of a year's measures will do, since not every year has all.
AT_11 = ["share_expected_standard", "share_higher_standard", "reading_score", "maths_score"]
AT_16 = ["attainment_8", "share_basics_95"]
# The measure set against the intake, at each age.
REACHED = {"11": "share_expected_standard", "16": "attainment_8"}


def measures(rows: pd.DataFrame) -> pd.DataFrame:
    """What is compared between schools, from a row of the results table."""
    return pd.DataFrame({"attainment_8_standing": rows["attainment_8"], "basics_standing": rows["share_basics_95"],
                         **{f"{name}_standing": rows[name] for name in AT_11}})  # fmt: skip


def relations(results: pd.DataFrame, census: pd.DataFrame) -> dict[str, tuple[pd.Series, pd.DataFrame]]:
    """What is reached and by whom, for the country's relation of a year: by measure, rows aligned on urn and period."""
    rows = results.merge(census, on=["urn", "period"], suffixes=("", "_of_census"))
    return {f"{reached}_beyond_intake": (rows[reached], intake.makeup(rows).assign(period=rows["period"], urn=rows["urn"],
                                                                                     known_on=rows["known_on"]))
            for reached in REACHED.values()}  # fmt: skip


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The newest public results of each key stage, if no older than four years."""
    rows = known["results"]
    at_11 = as_of.latest_known(cohort, rows[rows[PROGRESS].notna().any(axis=1)], order="period")
    at_16 = as_of.latest_known(cohort, rows[rows[["progress_8", "attainment_8"]].notna().any(axis=1)], order="period")
    year = cohort["as_of"].dt.year
    progress = at_11[PROGRESS].where(year - at_11["period"] <= LASTS)
    recent = year - at_16["period"] <= LASTS
    rank = {name: percentile(values.where(recent), "results", name, at_16["period"], cohort["phase"], known["norms"])
            for name, values in measures(at_16)[["attainment_8_standing", "basics_standing"]].items()}  # fmt: skip
    reached = _by_age(cohort, lambda age: _reached(cohort, known, {"11": AT_11, "16": AT_16}[age]))
    return progress.assign(
        mean_progress=progress.mean(axis=1), weakest_progress=progress.min(axis=1),
        progress_8=at_16["progress_8"].where(recent), **rank, **reached,
        attainment_beyond_intake=_by_age(cohort, lambda age: _beyond(cohort, known, REACHED[age]))["beyond"],
    )  # fmt: skip


def _by_age(cohort: pd.DataFrame, made) -> pd.DataFrame:
    """What a school's phase takes its pupils to: 16 in a secondary, 11 elsewhere; the other where it has none of that."""
    young, old = made("11"), made("16")
    secondary = cohort["phase"].eq("Secondary").fillna(False)
    first, second = young.where(~secondary, old), old.where(~secondary, young)
    return first.where(first.notna(), second)


def _reached(cohort: pd.DataFrame, known: dict[str, pd.DataFrame], names: list[str]) -> pd.DataFrame:
    """The mean standing on these measures in the newest results, over three years, and its change since the one before."""
    rows = known["results"]
    rows = rows[rows[names].notna().any(axis=1)]
    now = as_of.latest_known(cohort, rows, order="period")
    years = [now, *(as_of.earlier_known(cohort, rows, now, back) for back in range(1, BACK + 1))]
    recent = cohort["as_of"].dt.year - now["period"] <= LASTS
    standing = pd.concat([_standing(cohort, known, year, names).where(recent) for year in years], axis=1)
    before = standing.iloc[:, 1:].bfill(axis=1).iloc[:, 0]
    return pd.DataFrame({"attainment_standing": standing.iloc[:, 0], "attainment_three_years": standing.iloc[:, :3].mean(axis=1),
                         "attainment_change": standing.iloc[:, 0] - before})  # fmt: skip


def _standing(cohort: pd.DataFrame, known: dict[str, pd.DataFrame], year: pd.DataFrame, names: list[str]) -> pd.Series:
    named = {"attainment_8": "attainment_8_standing", "share_basics_95": "basics_standing"}
    every = [percentile(year[name], "results", named.get(name, f"{name}_standing"), year["period"], cohort["phase"],
                        known["norms"]) for name in names]  # fmt: skip
    return pd.concat(every, axis=1).mean(axis=1)


def _beyond(cohort: pd.DataFrame, known: dict[str, pd.DataFrame], reached: str) -> pd.DataFrame:
    """What is reached less what the intake of that year leads one to expect, in the newest year both are public of."""
    pupils = as_of.latest_known(cohort, known["census"], order="period")
    rows = known["results"]
    found = as_of.known_until(cohort, rows[rows[reached].notna()], pupils["period"])
    census = as_of.known_until(cohort, known["census"], found["period"])
    both = found["period"].eq(census["period"]) & (cohort["as_of"].dt.year - found["period"] <= LASTS)
    beyond = expected(found[reached].where(both), intake.makeup(census), "results", f"{reached}_beyond_intake", found["period"],
                      cohort["phase"], known["norms"])  # fmt: skip
    return pd.DataFrame({"beyond": beyond.replace([np.inf, -np.inf], np.nan)})
