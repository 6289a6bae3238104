"""What was known about each school on a morning: one file a family, the same call for training and for
scoring.

A family is a module with `SIGNALS`, its signals declared with a sentence each, and `signals(cohort, known)`,
which returns their columns: one row out per row in, same index. To add a signal, add it to one family's two
places.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from headway.pipelines import as_of, registers, tables

FAMILIES = (
    "leadership",
    "judgements",
    "consistency",
    "trajectory",
    "timing",
    "visits",
    "head_change",
    "retention",
    "middle_leaders",
    "capacity",
    "workforce",
    "coherence",
    "intake",
    "attendance",
    "attainment",
    "parents",
    "context",
)
# Made and shown, but no model uses it unless asked to: beside the others it adds nothing, alone or with them,
# and its levels drift (see docs/decisions.md).
OFF = ("workforce",)

# The tables signals are made from; `examples`, `predictions` and the like are never among them.
TABLES = (
    "schools",
    "school_facts",
    "inspections",
    "coverage",
    "census",
    "absence",
    "workforce",
    "results",
    "turnover",
    "posts",
    "ratios",
    "vacancies",
    "sickness",
    "npq",
    "head_changes",
    "trusts",
    "trust_results",
    "standards",
    "parent_view",
    "norms",
)
# And from a school's or trust's own registers, which are read where they lie and never written among our
# tables.
REGISTERS = ("leadership_development", "improvement_capacity", "staff_register")
REGISTER_LASTS = 2.0  # years: an older row describes other people


# Why a signal is off, as `benchmarks/signals.py` tried it on the official files, beside its counterfeit.
NOTHING = "adds nothing to the others"
MISLEADS = "takes away: what it says in one year misleads in the next"


@dataclass(frozen=True)
class Signal:
    """A signal: its column, what it says in words a head would use, its unit, source, and when it becomes
    known.

    `could_change` marks what a school itself could change, for the explorer's what-if; `off` says why no
    model uses it, though it is made and shown.
    """

    name: str
    sentence: str
    unit: str
    source: str
    known: str
    could_change: bool = False
    off: str = ""


def family(name: str):
    return import_module(f"headway.pipelines.signals.{name}")


def declared(families: tuple[str, ...] = FAMILIES) -> dict[str, Signal]:
    """Every signal of the families, by column, in order."""
    return {signal.name: signal for name in families for signal in family(name).SIGNALS}


def used(families: tuple[str, ...] = FAMILIES) -> list[str]:
    """The signals of the families that models use."""
    return [name for name, signal in declared(families).items() if not signal.off]


def family_of(families: tuple[str, ...] = FAMILIES) -> dict[str, str]:
    """The family each signal belongs to."""
    return {signal.name: name for name in families for signal in family(name).SIGNALS}


def read_known(
    folder: Path, registers_in: Path | None = None
) -> tuple[dict[str, pd.DataFrame], dict[str, Any], list[str]]:
    """What signals are made from: our tables and the registers; what is known of the tables as a whole; and
    notes to tell.

    Raises `DataError` where a table is missing or a register is not whole.
    """
    about = tables.about(folder, "inspections")
    newest = max(pd.Timestamp.now().normalize(), pd.Timestamp(about["newest_file_on"]))
    own, notes = registers.known(
        registers_in,
        tables.read(folder, "schools"),
        about["data_source"],
        newest,
        tables.read(folder, "trusts"),
    )
    told = {
        name: [column for column in tables.TABLES[name].names if not column.endswith("_why_blank")]
        for name in TABLES
    }
    # What signals are made of.
    told["school_facts"] = [
        "urn",
        "lineage",
        "known_on",
        "phase",
        "region",
        "la_code",
        "type",
        "name",
        "source_file",
    ]
    return tables.read_together(folder, told) | own, about, notes


def build(
    cohort: pd.DataFrame, known: dict[str, pd.DataFrame], families: tuple[str, ...] = FAMILIES
) -> pd.DataFrame:
    """Every signal of the families for each school on its morning, as float64 columns; a blank stays a blank.

    `cohort` is `inspections.cohort`'s; `known` is `read_known`'s. Only facts public before each row's `as_of`
    count. One row out per row in, same index.
    """
    # no signal is made of it
    known = {name: rows.drop(columns="source_file", errors="ignore") for name, rows in known.items()}
    parts = []
    for name in families:
        module = family(name)
        result = module.signals(cohort, known)
        parts.append(result[[signal.name for signal in module.SIGNALS]].astype("float64"))
    return pd.concat(parts, axis=1)


def without(made: pd.DataFrame, used: list[str]) -> pd.Series:
    """The sources that say nothing of each row in the signals used, in a fixed order, joined by semicolons.

    A source counts as used where any signal made from it is filled. Where there is always something
    (inspections, lists of schools) or nothing need be (a trust), its absence says nothing.
    """
    sources: dict[str, list[str]] = {}
    for signal in declared().values():
        for source in signal.source.split(", "):
            sources.setdefault(source, []).append(signal.name)
    asked = [
        name
        for name in (*TABLES, *REGISTERS)
        if name in sources and name not in ("inspections", "schools", "trusts")
    ]
    code = np.zeros(len(made), dtype=np.int64)  # a bit a source: few of the codes there could be are there
    for place, source in enumerate(asked):
        for name in sources[source]:
            if name in used:
                code |= made[name].notna().to_numpy().astype(np.int64) << place
    codes, rows = np.unique(code, return_inverse=True)
    told = [
        "; ".join(source for place, source in enumerate(asked) if not held >> place & 1) for held in codes
    ]
    return pd.Series(pd.array(told, dtype="str").take(rows), index=made.index)


# --- what families share ------------------------------------------------------------------------------------


def percentile(
    values: pd.Series,
    table: str,
    measure: str,
    period: pd.Series,
    phase: pd.Series,
    norms: pd.DataFrame,
    region: pd.Series | None = None,
) -> pd.Series:
    """Where each value stands among schools of its phase (and region) in its own year: 0 lowest, 1 highest.

    Levels drift from year to year and mean different things in a nursery and a secondary; the standing
    doesn't. The year's percentiles are kept in the norms table, so a school's standing does not depend on who
    else is asked about.
    """
    rows = norms[norms["table"].eq(table) & norms["measure"].eq(measure)]
    if region is None:
        rows = rows[rows["region"].eq("England")]
    standing = np.full(len(values), np.nan)
    points = {
        key if region is not None else key[:2]: np.asarray(cuts, dtype=float)
        for key, cuts in zip(
            zip(rows["period"], rows["phase"], rows["region"], strict=True), rows["cuts"], strict=True
        )
    }
    level = values.to_numpy(dtype=float, na_value=np.nan)
    for key, places in _together(period, phase, *([] if region is None else [region])):
        cuts = points.get(key)
        if cuts is not None:
            middle = np.searchsorted(cuts, level[places], side="left") + np.searchsorted(
                cuts, level[places], side="right"
            )
            standing[places] = middle / (2 * len(cuts))
    standing[np.isnan(level)] = np.nan
    return pd.Series(standing, index=values.index)


def _together(*columns: pd.Series) -> Iterator[tuple[tuple[Any, ...], np.ndarray]]:
    """The places of rows with the same values in every column, and these values, periods as whole numbers; no
    blanks.
    """
    codes, names = zip(*(pd.factorize(column) for column in columns), strict=True)
    whole = np.ravel_multi_index(
        [np.maximum(code, 0) for code in codes], [max(len(each), 1) for each in names]
    )
    whole[np.logical_or.reduce([code < 0 for code in codes])] = -1
    order = np.argsort(whole, kind="stable")
    starts = np.flatnonzero(np.diff(whole[order], prepend=-1))
    for places in np.split(order, starts)[1:]:
        first = [each[code[places[0]]] for code, each in zip(codes, names, strict=True)]
        yield (int(first[0]), *first[1:]), places


def expected(
    values: pd.Series,
    given: pd.DataFrame,
    table: str,
    measure: str,
    period: pd.Series,
    phase: pd.Series,
    norms: pd.DataFrame,
) -> pd.Series:
    """How far each value lies from what the country's own relation of its year and phase leads one to expect.

    `norms` keeps for `measure` the level, a slope for each column of `given`, and the spread of what is left
    (see `ingest.figures`); the answer is in such spreads, blank where anything is.
    """
    rows = norms[norms["table"].eq(table) & norms["measure"].eq(measure)]
    result = np.full(len(values), np.nan)
    design = np.column_stack([np.ones(len(values)), given.to_numpy(dtype=float)])
    level = values.to_numpy(dtype=float, na_value=np.nan)
    kept = dict(zip(zip(rows["period"], rows["phase"], strict=True), rows["cuts"], strict=True))
    for key, places in _together(period, phase):
        relation = kept.get(key)
        if relation is not None:
            relation = np.asarray(relation, dtype=float)
            result[places] = (level[places] - design[places] @ relation[:-1]) / relation[-1]
    return pd.Series(result, index=values.index).clip(-4, 4)


def newest_register(cohort: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The newest row of a register written down before each morning, if counted within two years of it."""
    own = as_of.latest_known(cohort, rows, order="counted_on")
    return own.where(as_of.within_years(cohort["as_of"], own["counted_on"], REGISTER_LASTS))


def share(part: pd.Series, whole: pd.Series) -> pd.Series:
    """part / whole, blank where the whole is nothing."""
    return part / whole.where(whole > 0)


def log_change(now: pd.Series, before: pd.Series, most: float = 0.5) -> pd.Series:
    """The relative change, as a difference of logarithms; mergers and slips are held at `most`."""
    return (np.log(now.where(now > 0)) - np.log(before.where(before > 0))).clip(-most, most)
