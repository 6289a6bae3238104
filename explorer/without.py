"""What a prediction was made without, and why: each reason read from the tables themselves. Part of the page
of a school.
"""

import pandas as pd
import streamlit as st

from headway.explorer import store, words
from headway.pipelines import signals, tables
from headway.pipelines.signals import attainment

ALWAYS = ("school_facts", "coverage", "norms")  # of every school, or of none alone
BY = ("lineage", "trust_uid", "la_code")  # whose rows a table has: a school's, its trust's or its authority's
# what a file may be published by; the last tells an infant from a junior school
KINDS = ("phase", "type", "high_age")
RARE = 0.05  # the share of a kind of school with any row, under which a table isn't published for that kind
# What a figure's own mark in the file says of it.
MARKS = {
    "suppressed": "suppressed in the file",
    "not published": "not published for it",
    "not available": "marked as not available in the file",
    "not applicable": "doesn’t apply to it",
    "not collected": "was not collected",
    "did not supply": "the school supplied none",
    "no entries": "no pupil was entered",
    "no eligible pupils": "there were no eligible pupils",
    "low coverage": "too few of its pupils are covered",
    "blank": "left blank in the file",
}


def reasons(row: pd.Series, predicted: pd.Series, uses: list[str]) -> list[tuple[str, str]]:
    """Each source the prediction was made without, as a head would name it, and why.

    The prediction names the sources; `uses` are the signals of the model. The reason is what the tables say:
    whether the file was read, holds this school, gives a figure of it, and of which year.
    """
    stored = predicted.get("made_without")
    names = [] if words.blank(stored) else [name for name in str(stored).split("; ") if name]
    declared = signals.declared()
    year = pd.Timestamp(predicted["as_of"]).year
    made = {
        name: [
            signal for signal in uses if signal in declared and name in declared[signal].source.split(", ")
        ]
        for name in names
    }
    return [(named(name), _why(row, name, made[name], year)) for name in names]


def uses() -> list[str]:
    """The signals the stored model uses."""
    model = store.champion()
    return model.signals if model is not None else (store.told("train") or {}).get("signals", [])


def named(name: str) -> str:
    """A table or register as a head would name it."""
    what = words.MADE_FROM.get(name, name)
    return f"your own register of {what}" if name in signals.REGISTERS else what


def _why(row: pd.Series, name: str, used: list[str], year: int) -> str:
    if name in signals.REGISTERS:
        few = "" if used else ", and too few keep one for the model to learn from"
        return f"kept by nobody for this school when the chances were made{few}"
    if not store.has(name) or not store.listed(name):
        return "not among the files read"
    by, value = _key(row, name)
    if words.blank(value):
        return "the school is in no trust"
    mine = store.some(name, by, int(value))
    if mine.empty:
        return _not_there(row, name, by)
    if not used:
        return "in the files read, but the model learned nothing from it that holds"
    return _unusable(mine, year, all("change" in signal for signal in used))


def _key(row: pd.Series, name: str) -> tuple[str, object]:
    """The column that finds a school's rows in a table, and the school's value in it."""
    by = next(column for column in BY if column in tables.TABLES[name].names)
    return by, row[by]


def _not_there(row: pd.Series, name: str, by: str) -> str:
    """Why a table without the school has none of it: none of its kind is in it, or only this one isn't."""
    for column in KINDS if by == "lineage" else ():
        if not words.blank(row[column]) and store.share_listed(name, column).get(row[column], 0.0) < RARE:
            return "not published for this kind of school"
    return f"nothing of {'its trust' if by == 'trust_uid' else 'this school'} is in the files read"


def _unusable(mine: pd.DataFrame, year: int, changes: bool) -> str:
    """Why the rows there are don't count: no figure in them and its mark, or the newest figure's year."""
    figures = [column for column in mine if f"{column}_why_blank" in mine]
    if not figures:
        newest = mine["known_on"].max()
        return f"too old to count: the newest is of {words.day(newest)}"
    known = mine[mine[figures].notna().any(axis=1)]
    if known.empty:
        newest = mine[mine["period"].eq(mine["period"].max())]
        marks = pd.concat([newest[f"{column}_why_blank"] for column in figures]).dropna()
        mark = marks.mode().iloc[0] if len(marks) else "blank"
        return f"{MARKS.get(mark, mark)} ({words.academic_year(int(newest['period'].iloc[0]))})"
    newest = int(known["period"].max())
    if changes and newest - 1 not in set(known["period"]):
        return (
            f"no figure of {words.academic_year(newest - 1)} to compare its newest with, of "
            f"{words.academic_year(newest)}"
        )
    if year - newest > attainment.LASTS:
        return f"too old to count: its newest figure is of {words.academic_year(newest)}"
    return f"the figures of {words.academic_year(newest)} hold none of the measures that the model uses"


def read_ahead() -> None:
    """What reasons are read from, before a visitor waits for it."""
    for name in words.MADE_FROM:
        if name in tables.TABLES and name not in ALWAYS and store.has(name) and store.listed(name):
            by = next(column for column in BY if column in tables.TABLES[name].names)
            store.some(name, by, 0)
            for column in KINDS if by == "lineage" else ():
                store.share_listed(name, column)


def shown(row: pd.Series, predicted: pd.Series, uses: list[str]) -> bool:
    """The list on the page; whether a register is among what is missing."""
    listed = reasons(row, predicted, uses)
    if not listed:
        st.markdown("Nothing: every file and register that the model can use says something of this school.")
        return False
    st.markdown("\n".join(f"- {words.plain(sentence(what, why))}" for what, why in listed))
    st.markdown("What is not known counts as unknown, not as nought, and is never given as a reason.")
    return any(what.startswith("your own") for what, _ in listed)


def sentence(what: str, why: str) -> str:
    return f"{what[:1].upper()}{what[1:]}: {why}"
