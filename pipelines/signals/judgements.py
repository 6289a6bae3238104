"""The other judgements against overall."""

import pandas as pd

from headway.pipelines.signals import Signal

_KNOWN = "when the report of the latest graded inspection is out"
SIGNALS = (
    Signal(
        "quality_gap",
        "Quality of education (teaching, to 2019) is graded this many grades better than overall.",
        "grades",
        "inspections",
        _KNOWN,
    ),
    Signal(
        "behaviour_gap",
        "Behaviour is graded this many grades better than overall.",
        "grades",
        "inspections",
        _KNOWN,
    ),
    Signal(
        "development_gap",
        "Personal development (achievement, to 2019) is graded this many grades better than overall.",
        "grades",
        "inspections",
        _KNOWN,
    ),
    Signal(
        "mean_gap",
        "The judgements other than leadership are, on average, this many grades better than overall.",
        "grades",
        "inspections",
        _KNOWN,
    ),
)

# The same idea under the names of two frameworks: not the same construct, so only its distance from overall
# is used.
_AREAS = {
    "quality_gap": ("quality_of_education", "teaching"),
    "behaviour_gap": ("behaviour",),
    "development_gap": ("personal_development", "achievement"),
}
# Since September 2019 every graded inspection has these judgements. Where a register alone recorded one,
# because two more followed soon, the commonest pattern for its grade stands in: the blank itself would tell
# the future.
SINCE = pd.Timestamp("2019-09-01")
COMMONEST = {1: (0, 0, 0), 2: (0, 0, 0), 3: (0, 1, 1), 4: (0, 1, 1)}


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Gaps between overall and each other judgement of the latest graded inspection, and their mean."""
    result = gaps(cohort)
    return result.assign(mean_gap=result.mean(axis=1))


def gaps(cohort: pd.DataFrame) -> pd.DataFrame:
    """How many grades better than overall each other judgement is: a column a judgement, blank where not
    judged.
    """
    overall = cohort["overall"].astype("float64")
    judged = {}
    for gap, names in _AREAS.items():
        grade = cohort[names[0]].astype("float64")
        for name in names[1:]:
            grade = grade.fillna(cohort[name].astype("float64"))
        judged[gap] = overall - grade
    result = pd.DataFrame(judged)
    lost = result.isna().all(axis=1) & cohort["inspected_on"].ge(SINCE) & overall.notna()
    usual = (
        pd.DataFrame.from_dict(COMMONEST, orient="index", columns=result.columns)
        .reindex(overall)
        .set_axis(result.index)
    )
    return result.mask(lost, usual)
