"""Capacity: posts nobody holds, days lost to sickness, and by the register who there is to lead improvement.

AQuA suggests that about 0.5% of an organisation's staff be advanced improvers and about 5% improvement
practitioners.
"""

import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.signals import Signal, newest_register, share

SUGGESTED = {"share_improvement_leaders": 0.005, "share_improvement_practitioners": 0.05}  # AQuA
_REGISTER = "the day after the register's row was written down"
SIGNALS = (
    Signal(
        "share_vacant",
        "Share of teaching posts vacant.",
        "share",
        "vacancies",
        "in June after the November census",
        could_change=True,
    ),
    Signal(
        "share_temporarily_filled",
        "Share of teaching posts filled for a time.",
        "share",
        "vacancies",
        "in June after the November census",
    ),
    Signal(
        "sick_days",
        "Days lost to sickness for each teacher.",
        "days",
        "sickness",
        "in June, two years after the year began",
    ),
    Signal(
        "vacant_by_register",
        "Share of teaching posts vacant or filled for a time, from the school's own register.",
        "share",
        "staff_register",
        _REGISTER,
        could_change=True,
    ),
    Signal(
        "share_improvement_leaders",
        "Share of staff who are improvement leaders (advanced improvers).",
        "share",
        "improvement_capacity",
        _REGISTER,
        could_change=True,
    ),
    Signal(
        "share_improvement_practitioners",
        "Share of staff who are improvement practitioners.",
        "share",
        "improvement_capacity",
        _REGISTER,
        could_change=True,
    ),
    Signal(
        "head_improved_another_school",
        "The head has led the improvement of another school.",
        "yes or no",
        "improvement_capacity",
        _REGISTER,
    ),
    Signal(
        "leaders_supporting_others",
        "Share of staff who support other schools as leaders.",
        "share",
        "improvement_capacity",
        _REGISTER,
    ),
    Signal(
        "peer_reviews",
        "Peer reviews in a year, done elsewhere and received.",
        "reviews",
        "improvement_capacity",
        _REGISTER,
        could_change=True,
    ),
)


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The newest public vacancies and sickness figures, and the newest rows of the registers."""
    posts = as_of.latest_known(cohort, known["vacancies"], order="period")
    sick = as_of.latest_known(cohort, known["sickness"], order="period")
    staff = newest_register(cohort, known["staff_register"])
    own = newest_register(cohort, known["improvement_capacity"])
    return pd.DataFrame(
        {
            "share_vacant": posts["share_vacant"],
            "share_temporarily_filled": posts["share_temporarily_filled"],
            "sick_days": sick["mean_days_all_teachers"],
            "vacant_by_register": share(
                staff["vacant_posts"] + staff["temporarily_filled_posts"], staff["posts"]
            ),
            "share_improvement_leaders": share(own["improvement_leaders"], own["staff"]),
            "share_improvement_practitioners": share(own["improvement_practitioners"], own["staff"]),
            "head_improved_another_school": own["head_improved_another_school"],
            "leaders_supporting_others": share(own["leaders_supporting_other_schools"], own["staff"]),
            "peer_reviews": own["peer_reviews_done"] + own["peer_reviews_received"],
        }
    )
