"""Where the school has come from: earlier grades, and under which rule-book and URN."""

import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.signals import Signal

_KNOWN = "when each inspection's report is out"
SIGNALS = (
    Signal("previous_overall", "The overall grade before the present one.", "grade", "inspections", _KNOWN),
    Signal(
        "change_from_previous",
        "Grades gained at the latest graded inspection.",
        "grades",
        "inspections",
        _KNOWN,
    ),
    Signal(
        "years_between", "Years between the two latest graded inspections.", "years", "inspections", _KNOWN
    ),
    Signal("mean_overall", "Mean of all its overall grades on record.", "grade", "inspections", _KNOWN),
    Signal("best_overall", "Best overall grade on record.", "grade", "inspections", _KNOWN),
    Signal("worst_overall", "Worst overall grade on record.", "grade", "inspections", _KNOWN),
    Signal("times_in_category", "Times it has been graded Inadequate.", "inspections", "inspections", _KNOWN),
    Signal(
        "satisfactory",
        "Its present grade is a “satisfactory” from before September 2012.",
        "yes or no",
        "inspections",
        _KNOWN,
    ),
    Signal(
        "new_urn_since",
        "It has changed its URN (mostly by becoming an academy) since it was graded.",
        "yes or no",
        "schools",
        "the day the new URN opens",
    ),
)

RENAMED_ON = pd.Timestamp("2012-09-01")  # satisfactory became requires improvement, with a harder line


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Earlier grades as they were known that morning: one inspected earlier may have become known later."""
    graded = known["inspections"]
    graded = graded[graded["kind"].eq("graded") & graded["overall"].notna()]
    graded = graded[["lineage", "known_on", "inspected_on", "overall"]].astype({"overall": "float64"})
    told = as_of.every_known(cohort, graded).sort_values(["question", "inspected_on"], kind="stable")
    overall = told["overall"].groupby(told["question"])
    before = told.groupby("question").nth(-2).set_index("question")
    held = (
        pd.DataFrame(
            {
                "inspected_on": told.groupby("question")["inspected_on"].max(),
                "previous_overall": before["overall"],
                "previous_on": before["inspected_on"],
                "mean_overall": overall.mean(),
                "best_overall": overall.min(),
                "worst_overall": overall.max(),
                "times_in_category": told["overall"].eq(4).groupby(told["question"]).sum(),
            }
        )
        .reindex(range(len(cohort)))
        .set_axis(cohort.index)
    )
    current = cohort["overall"].astype("float64")
    return pd.DataFrame(
        {
            "previous_overall": held["previous_overall"],
            "change_from_previous": held["previous_overall"] - current,
            "years_between": (held["inspected_on"] - held["previous_on"]).dt.days / 365.25,
            **{
                name: held[name]
                for name in ("mean_overall", "best_overall", "worst_overall", "times_in_category")
            },
            "satisfactory": satisfactory(cohort["overall"], cohort["inspected_on"]).where(current.notna()),
            "new_urn_since": cohort["urn"]
            .ne(cohort["graded_urn"])
            .astype("float64")
            .where(cohort["graded_urn"].notna()),
        }
    )


def satisfactory(overall: pd.Series, inspected_on: pd.Series) -> pd.Series:
    """1 where a 3 was given as “satisfactory”, before September 2012; else 0."""
    return (overall.eq(3).fillna(False) & inspected_on.lt(RENAMED_ON)).astype("float64")
