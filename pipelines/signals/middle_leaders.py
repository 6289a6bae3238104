"""Middle leaders: what public files can say, which is senior structure, not development.

No public school-level measure of middle leadership exists: the census collects it, and the Department drops it as
reported inconsistently. Assistant heads are the next tier up.
"""

import pandas as pd

from pipelines import as_of
from pipelines.signals import Signal, share

_KNOWN = "in June after the November census"
SIGNALS = (
    Signal("assistant_heads_per_teacher", "Assistant heads for each teacher.", "share", "posts", _KNOWN, could_change=True),
    Signal("deputies_and_assistants_per_head", "Deputy and assistant heads for each head.", "posts", "posts", _KNOWN,
           could_change=True),
    Signal("share_leaders", "Share of teachers in the leadership group.", "share", "posts", _KNOWN),
    Signal("assistant_heads_change", "Change in assistant heads for each teacher over three years.", "share", "posts",
           _KNOWN),
)  # fmt: skip


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Structure of the leadership group in the newest census public that morning, and its change over three years."""
    now = as_of.latest_known(cohort, known["posts"], order="period")
    before = as_of.earlier_known(cohort, known["posts"], 3)
    assistants = share(now["assistant_heads_fte"], now["teachers_fte"])
    return pd.DataFrame({
        "assistant_heads_per_teacher": assistants,
        "deputies_and_assistants_per_head": share(now["deputies_fte"] + now["assistant_heads_fte"], now["heads_fte"]),
        "share_leaders": share(now["leaders_fte"], now["teachers_fte"]),
        "assistant_heads_change": assistants - share(before["assistant_heads_fte"], before["teachers_fte"]),
    })  # fmt: skip
