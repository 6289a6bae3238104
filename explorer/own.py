"""The registers kept, as far as the visitor may see them: only their files are read, and each once until it
changes.
"""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import streamlit as st

from headway.explorer import access, store, words
from headway.pipelines import registers, signals, tables
from headway.pipelines.registers import keeping, reading
from headway.pipelines.tables import DataError

FAMILIES = ("retention", "middle_leaders", "capacity")  # those with signals made from registers
Entry = tuple[str, str, Path]


@dataclass(frozen=True)
class Kept:
    """The registers in the folder, what the visitor may see of them, and what is wrong with the folder as a
    whole.
    """

    rights: access.Rights
    entries: tuple[Entry, ...]
    trouble: str = ""

    @property
    def mine(self) -> list[Entry]:
        return [entry for entry in self.entries if self.rights.may_see(entry[0])]


def folder() -> Path:
    return Path(os.environ.get("HEADWAY_REGISTERS") or "data/registers")


def kept() -> Kept:
    """What lies in the folder of registers. Something odd there is told in words, its names only to who may
    see all.
    """
    mine = access.viewer()
    try:
        entries = tuple(registers.stored(folder()))
    except DataError as error:
        said = (
            " ".join(str(error).replace("`", "").split())
            if mine.everything
            else "It holds something that is no register."
        )
        return Kept(mine, (), f"The folder of registers can’t be used, so nothing of them is shown. {said}")
    if entries and store.has("schools"):
        made_up = (folder() / keeping.MADE_UP).is_file()
        if made_up != (store.about("schools")["data_source"] == "made-up"):
            said = (
                "made up, and the tables come from official files"
                if made_up
                else "real, and the tables are made up"
            )
            return Kept(
                mine, entries, f"The schools of the registers are {said}, so nothing of them is shown."
            )
    return Kept(mine, entries)


def trouble(held: Kept) -> None:
    """What is wrong with the folder, where there are registers to miss."""
    if held.trouble and (held.rights.everything or held.rights.see):
        st.warning(words.plain(held.trouble))


# --- what they say ------------------------------------------------------------------------------------------


def schools() -> pd.DataFrame:
    """What registers are checked against and shown with."""
    return store.whole(
        "schools", ("urn", "lineage", "name", "phase", "region", "trust_uid", "la_code", "open")
    )


def trusts() -> pd.DataFrame | None:
    """Which trust each school was in, and since when, where the tables say."""
    return (
        store.whole("trusts", ("lineage", "period", "known_on", "trust_uid", "joined_on"))
        if store.has("trusts")
        else None
    )


@st.cache_resource(show_spinner=False, max_entries=2)
def _owned(where: str, version: tuple) -> pd.DataFrame:
    return registers.owned_by(schools(), trusts())


def speakers(lineages: Iterable[int]) -> pd.DataFrame:
    """Who may speak of these schools, now or of days past: `owner` by `lineage`, under every URN a school has
    had.
    """
    rows = _owned(
        str(store.folder()), (store.stamp(store.path("schools")), store.stamp(store.path("trusts")))
    )
    return rows[rows["lineage"].isin(list(lineages))]


def frames(checked: registers.Checked) -> dict[str, pd.DataFrame]:
    """The rows of a checked register as the batch job knows them: counts of one or two made alike."""
    return (
        {checked.kind.table: registers.made_known(checked.kind, checked.rows)}
        if checked.rows is not None
        else {}
    )


@st.cache_resource(show_spinner=False, max_entries=100)
def _read(
    entries: tuple[Entry, ...], version: tuple, day: pd.Timestamp
) -> tuple[dict[str, pd.DataFrame], dict[str, int]]:
    names = {str(path): (owner, path) for owner, _, path in entries}
    files = [(name, owner, path.read_bytes()) for name, (owner, path) in names.items() if path.is_file()]
    result, problems, _ = reading.read(files, schools(), day, trusts())
    wrong = dict(Counter(problem.file for problem in problems))
    made = {}
    for name, rows in result.items():
        kind, whole = registers.KINDS[name], rows[~rows["file"].isin(list(wrong))]
        if len(whole):
            made[kind.table] = registers.made_known(kind, whole)
    return made, wrong


def read(entries: Iterable[Entry]) -> tuple[dict[str, pd.DataFrame], dict[str, int]]:
    """The rows of registers kept, by table, and the number of problems by file; a file with any says
    nothing.
    """
    entries = tuple(entries)
    version = (
        *map(store.stamp, map(store.path, ("schools", "trusts"))),
        *(store.stamp(path) for _, _, path in entries),
    )
    return _read(entries, (str(store.folder()), version), store.today())


def known(held: Kept, lineages: Iterable[int]) -> dict[str, pd.DataFrame]:
    """What registers the visitor may see say of these schools, by table; of two owners on one day, the
    nearest to it.
    """
    if held.trouble or not held.mine or not store.has("schools"):
        return {}
    lineages = list(lineages)
    may = set(speakers(lineages)["owner"])
    told, _ = read(entry for entry in held.mine if entry[0] in may)
    mine = {name: rows[rows["lineage"].isin(lineages)] for name, rows in told.items()}
    return {name: nearest(rows) for name, rows in mine.items() if len(rows)}


def nearest(rows: pd.DataFrame) -> pd.DataFrame:
    order = rows["owner"].str.split("-").str[0].map({kind: at for at, kind in enumerate(keeping.FIRST)})
    sorted_ = rows.assign(order=order).sort_values(["lineage", "counted_on", "order", "owner"], kind="stable")
    return sorted_.drop_duplicates(["lineage", "counted_on"]).drop(columns="order").reset_index(drop=True)


def own_signals() -> dict[str, signals.Signal]:
    """The signals made from registers, by name."""
    return {
        name: signal
        for name, signal in signals.declared(FAMILIES).items()
        if signal.source in signals.REGISTERS
    }


@cache
def _nothing_known() -> dict[str, pd.DataFrame]:
    declared = {**{name: tables.TABLES[name] for name in signals.TABLES}, **registers.TABLES}
    return {
        name: pd.DataFrame({column.name: pd.Series(dtype=column.dtype) for column in table.columns})
        for name, table in declared.items()
    }


def figures(rows: dict[str, pd.DataFrame], lineages: Iterable[int]) -> pd.DataFrame:
    """The signals of open schools as these registers would make them known tomorrow, by the batch job's own
    sums.
    """
    told = schools()
    told = (
        told[told["open"] & told["lineage"].isin(list(lineages))].sort_values("name").reset_index(drop=True)
    )
    tomorrow = store.today() + pd.Timedelta(days=1)
    cohort = told[["urn", "lineage", "phase", "region", "la_code"]].assign(
        as_of=tomorrow, inspected_on=pd.NaT
    )
    cohort = cohort.astype({"as_of": tables.DATE, "inspected_on": tables.DATE})
    made = signals.build(cohort, {**_nothing_known(), **rows}, FAMILIES)
    return told.join(made[list(own_signals())])


def hidden(held: Kept, lineage: int, values: pd.Series | None) -> set[str]:
    """The signals made from registers that the visitor may not see of a school.

    A figure is shown where every register that could have made it is one they may see; that there is none,
    where they may see any that could.
    """
    if held.rights.everything:
        return set()
    may = set(speakers([lineage])["owner"])
    any_seen = any(held.rights.may_see(owner) for owner in may)
    out = set()
    for name, signal in own_signals().items():
        makers = [
            owner
            for owner, kind, _ in held.entries
            if owner in may and registers.KINDS[kind].table == signal.source
        ]
        blank = values is None or words.blank(values.get(name))
        if not (any_seen if blank else bool(makers) and all(map(held.rights.may_see, makers))):
            out.add(name)
    return out


def figure(value: float, signal: signals.Signal) -> str:
    """A signal's figure as a head would write it."""
    if words.blank(value):
        return "not known"
    if signal.unit == "share":
        return words.percent(value, 1)
    if signal.unit == "yes or no":
        return "yes" if value > 0.5 else "no"
    return words.number(value)


# --- whose --------------------------------------------------------------------------------------------------


def named(owner: str) -> str:
    """An owner in words: the school, trust or authority that the number belongs to."""
    kind, number = owner.split("-")
    if kind == "trust":
        return f"{store.trusts()[number]} (trust {number})" if number in store.trusts() else f"Trust {number}"
    if kind == "school":
        names = store.names()
        return f"{names[int(number)]} (URN {number})" if int(number) in names.index else f"URN {number}"
    rows = store.whole("schools", ("la_code", "local_authority"))
    names = rows.loc[rows["la_code"].eq(int(number)).fillna(False), "local_authority"].dropna()
    return f"{names.iloc[0]} (authority {number})" if len(names) else f"Authority {number}"


def able(lineages: Iterable[int]) -> list[str]:
    """Who may speak of all of these schools: a trust first, then a school, then an authority."""
    lineages = set(lineages)
    counted = speakers(lineages).groupby("owner")["lineage"].nunique()
    order = ("trust", "school", "authority")
    return sorted(
        counted.index[counted.eq(len(lineages))], key=lambda owner: (order.index(owner.split("-")[0]), owner)
    )
