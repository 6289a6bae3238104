"""What parents told Ofsted Parent View, against schools of the same phase in the same year's answers.

Answered most by parents of schools under inspection, and by a few: a standing from few answers is drawn to
the middle. Only questions that both sets ask, and whoever had nothing to say of one (a child never bullied,
don't know) is left out of it.
"""

import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.signals import Signal, percentile, share

FEW = 20  # answers at which a standing counts half; from a tenth of so many on, no school is told of
LASTS = 3.0  # years after a release: by then other parents, and often another head
_KNOWN = "the day its cover gives; without one, 150 days after the last answer"


def _standing(asked: str, sentence: str, could_change: bool = False) -> Signal:
    return Signal(
        f"parents_{asked}_standing",
        f"{sentence}, against its phase that year.",
        "percentile",
        "parent_view",
        _KNOWN,
        could_change=could_change,
    )


SIGNALS = (
    _standing("recommend", "Parents who would recommend the school"),
    _standing("happy", "Parents who say their child is happy"),
    _standing("safe", "Parents who say their child feels safe"),
    _standing("behaviour", "Parents who say pupils are well behaved", could_change=True),
    _standing("bullying", "Parents of bullied children who say the school dealt with it", could_change=True),
    _standing("concerns", "Parents with concerns who say they were dealt with properly", could_change=True),
    Signal(
        "parents_recommend_change",
        "Change over a year in the standing of parents who would recommend it.",
        "percentile points",
        "parent_view",
        _KNOWN,
    ),
)
ASKED = ("recommend", "happy", "safe", "behaviour", "bullying", "concerns")


def measures(rows: pd.DataFrame) -> pd.DataFrame:
    """What is compared between schools: of the parents who agree or disagree, the share who agree."""
    agree = {asked: rows[f"share_agree_{asked}"] for asked in ASKED}
    return pd.DataFrame(
        {
            f"parents_{asked}_standing": share(agree[asked], agree[asked] + rows[f"share_disagree_{asked}"])
            for asked in ASKED
        }
    ).astype("float64")


def _standings(rows: pd.DataFrame, cohort: pd.DataFrame, norms: pd.DataFrame) -> pd.DataFrame:
    """Standings drawn to the middle: with n parents who agree or disagree, n / (n + FEW) of the way from
    it.
    """
    drawn = {}
    for asked, (name, level) in zip(ASKED, measures(rows).items(), strict=True):
        parents = rows["submissions"] * (rows[f"share_agree_{asked}"] + rows[f"share_disagree_{asked}"])
        rank = percentile(level, "parent_view", name, rows["period"], cohort["phase"], norms)
        drawn[name] = 0.5 + (rank - 0.5) * parents / (parents + FEW)
    return pd.DataFrame(drawn)


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The newest answers published before that morning, within three years, and the change from the year
    before.
    """
    now = as_of.latest_known(cohort, known["parent_view"], order="period")
    now = now.where(as_of.within_years(cohort["as_of"], now["known_on"], LASTS))
    before = as_of.earlier_known(cohort, known["parent_view"], now, 1)
    result, past = (_standings(rows, cohort, known["norms"]) for rows in (now, before))
    change = result["parents_recommend_standing"] - past["parents_recommend_standing"]
    return result.assign(parents_recommend_change=change)
