"""Middle leaders: from public files the structure of senior posts, from a school's own register their
development.

No public school-level measure of middle leadership exists: the census collects it, and the Department drops
it as reported inconsistently. Assistant heads are the next tier up. Only a register says who is being
developed.
"""

import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.signals import Signal, newest_register, share

_KNOWN = "in June after the November census"
_REGISTER = "the day after the register's row was written down"
EVERY_PHASE = "Total"
FEWEST = 3  # people: a share of fewer would describe a person
SIGNALS = (
    Signal(
        "assistant_heads_per_teacher",
        "Assistant heads for each teacher.",
        "share",
        "posts",
        _KNOWN,
        could_change=True,
    ),
    Signal(
        "deputies_and_assistants_per_head",
        "Deputy and assistant heads for each head.",
        "posts",
        "posts",
        _KNOWN,
        could_change=True,
    ),
    Signal("share_leaders", "Share of teachers in the leadership group.", "share", "posts", _KNOWN),
    Signal(
        "assistant_heads_change",
        "Change in assistant heads for each teacher over three years.",
        "share",
        "posts",
        _KNOWN,
    ),
    Signal(
        "next_in_line",
        "Assistant heads for each head and deputy: the school's own pipeline.",
        "posts",
        "posts",
        _KNOWN,
    ),
    Signal(
        "npq_in_authority",
        "Share of the workforce of its authority (and phase, where told) taking a national "
        "professional qualification.",
        "share",
        "npq",
        "in July of the year the academic year ends in",
    ),
    Signal(
        "middle_leaders_per_teacher",
        "Middle leaders for each teacher.",
        "share",
        "leadership_development",
        _REGISTER,
    ),
    Signal(
        "share_in_programme",
        "Share of middle leaders now in a development programme.",
        "share",
        "leadership_development",
        _REGISTER,
        could_change=True,
    ),
    Signal(
        "senior_programmes_per_teacher",
        "People in a programme for senior leaders or heads, for each teacher.",
        "share",
        "leadership_development",
        _REGISTER,
        could_change=True,
    ),
    Signal(
        "share_finished_stayed",
        "Of those who finished a programme in three years, the share still in the school.",
        "share",
        "leadership_development",
        _REGISTER,
    ),
    Signal(
        "share_promoted_inside",
        "Of those who finished a programme in three years, the share promoted in the school.",
        "share",
        "leadership_development",
        _REGISTER,
        could_change=True,
    ),
)


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Structure of the leadership group in the newest census public that morning, and development by the
    register.
    """
    now = as_of.latest_known(cohort, known["posts"], order="period")
    before = as_of.earlier_known(cohort, known["posts"], now, 3)
    assistants = share(now["assistant_heads_fte"], now["teachers_fte"])
    own = newest_register(cohort, known["leadership_development"])
    enough = {
        name: own[name].where(own[name] >= FEWEST) for name in ("teachers", "middle_leaders", "finished")
    }
    return pd.DataFrame(
        {
            "assistant_heads_per_teacher": assistants,
            "deputies_and_assistants_per_head": share(
                now["deputies_fte"] + now["assistant_heads_fte"], now["heads_fte"]
            ),
            "share_leaders": share(now["leaders_fte"], now["teachers_fte"]),
            "assistant_heads_change": assistants
            - share(before["assistant_heads_fte"], before["teachers_fte"]),
            "next_in_line": share(now["assistant_heads_fte"], now["heads_fte"] + now["deputies_fte"]),
            "npq_in_authority": _npq(cohort, known),
            "middle_leaders_per_teacher": own["middle_leaders"] / enough["teachers"],
            "share_in_programme": own["in_middle_programmes"] / enough["middle_leaders"],
            "senior_programmes_per_teacher": own["in_senior_programmes"] / enough["teachers"],
            "share_finished_stayed": own["finished_still_here"] / enough["finished"],
            "share_promoted_inside": own["promoted_inside"] / enough["finished"],
        }
    )


def _npq(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.Series:
    """The figure of its authority and phase, or of all phases where they aren't told apart: about the place,
    not the school.
    """
    rows = known["npq"].assign(area=_area(known["npq"]["la_code"], known["npq"]["phase"]))
    of_phase, of_all = (
        as_of.latest_known(
            cohort.assign(area=_area(cohort["la_code"], phase)), rows, by="area", order="period"
        )
        for phase in (cohort["phase"], pd.Series(EVERY_PHASE, index=cohort.index))
    )
    return of_phase["share_npq"].fillna(of_all["share_npq"])


def _area(authority: pd.Series, phase: pd.Series) -> pd.Series:
    return (authority.astype("Int64").astype("str") + "|" + phase.astype("str")).astype("object")
