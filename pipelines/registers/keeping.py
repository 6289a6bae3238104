"""Registers as kept, by owner, and what they make known: counts of one or two people made alike.

They lie in data/registers/<owner>/<kind>.csv, as given. `made-up.json` there says that all of them are made
up.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from headway.pipelines.registers.kinds import KINDS, TABLES, Kind, kind_named
from headway.pipelines.registers.reading import Problem, check, checked_owner, read
from headway.pipelines.tables import DataError, write_atomically, write_text

MADE_UP = "made-up.json"
# whose word counts where several speak of one school and day: the nearest to it
FIRST = ("school", "trust", "authority")
ONE_OR_TWO = 1.5


def stored(folder: Path | None, kind: str | None = None) -> list[tuple[str, str, Path]]:
    """Every register in the folder, or those of a kind: owner, kind and path.

    Raises `DataError` where something else lies there, which nobody would miss if it were passed over.
    """
    result, odd = [], []
    if folder is None or not folder.is_dir():
        return []
    for path in sorted(
        p for p in folder.iterdir() if not p.name.startswith(".") and p.name not in (MADE_UP, "README.md")
    ):
        try:
            owner = checked_owner(path.name)
            held = sorted(p for p in path.iterdir() if not p.name.startswith("."))
        except (DataError, NotADirectoryError):
            odd.append(str(path))
            continue
        result += [(owner, p.stem, p) for p in held if p.suffix == ".csv" and p.stem in KINDS]
        odd += [str(p) for p in held if p.suffix != ".csv" or p.stem not in KINDS]
    if odd:
        raise DataError(
            "\n".join(
                [
                    f"{folder} holds what is no register:",
                    *(f"  {name}" for name in odd),
                    "Take it away, or add it with `headway register add FILE --owner OWNER`.",
                ]
            )
        )
    return [entry for entry in result if kind is None or entry[1] == kind_named(kind).name]


def owners(folder: Path | None) -> list[str]:
    """Everyone with a register in the folder."""
    return list(dict.fromkeys(owner for owner, _, _ in stored(folder)))


def add(
    folder: Path,
    owner: str,
    content: bytes,
    name: str,
    schools: pd.DataFrame | None,
    today: pd.Timestamp,
    data_source: str | None = None,
    trusts: pd.DataFrame | None = None,
) -> tuple[Path, list[str]]:
    """Check a register and keep it in place of the owner's earlier one of its kind; where it now lies, and
    notes.

    Raises `DataError` with every problem, and then nothing has changed. `data_source` is that of the tables:
    registers of made-up schools don't go beside those of real ones.
    """
    checked = check(content, name, schools, today, checked_owner(owner), trusts)
    if checked.problems:
        raise refused(name, checked.problems)
    marker, there = folder / MADE_UP, stored(folder)
    if data_source == "made-up" and not there and not marker.is_file():
        write_text(marker, "{}\n")
    if data_source and (data_source == "made-up") != marker.is_file():
        raise DataError(
            _beside(folder, data_source) + f"\nName another folder with --registers, or empty {folder} first."
        )
    path = folder / owner / f"{checked.kind.name}.csv"
    write_atomically(path, lambda file: file.write(content) and None)
    return path, checked.notes


def remove(folder: Path, owner: str, kind: str | None = None) -> list[Path]:
    """Delete an owner's registers, or the one of a kind; the paths that are gone. Raises `DataError` where
    there is none.
    """
    checked_owner(owner)
    paths = [path for whose, _, path in stored(folder, kind) if whose == owner]
    if not paths:
        raise DataError(
            f"{owner} has no {kind or ''} register in {folder}.\n`headway register list` says what is there."
        )
    for path in paths:
        path.unlink()
    if not any((folder / owner).iterdir()):
        (folder / owner).rmdir()
    if not stored(folder):
        (folder / MADE_UP).unlink(missing_ok=True)
    return paths


def refused(name: str, problems: list[Problem], several: bool = False) -> DataError:
    """The error to raise: a first line, then one problem a line, with its file where there are several."""
    many = f"{len(problems):,} problem{'s' if len(problems) > 1 else ''}"
    return DataError(
        "\n".join(
            [
                f"{name} can't be used; nothing was loaded: {many}.",
                *(f"{p.file}: {p}" if several else str(p) for p in problems),
            ]
        )
    )


def read_stored(
    folder: Path | None,
    schools: pd.DataFrame | None,
    today: pd.Timestamp,
    kind: str | None = None,
    trusts: pd.DataFrame | None = None,
) -> tuple[dict[str, pd.DataFrame], list[Problem], list[str]]:
    """The rows of every register kept, or of a kind, by kind; their problems; notes."""
    return read(
        (
            (path.relative_to(folder).as_posix(), owner, path.read_bytes())
            for owner, _, path in stored(folder, kind)
        ),
        schools,
        today,
        trusts,
    )


def summary(folder: Path, today: pd.Timestamp) -> pd.DataFrame:
    """A row a register kept: owner, kind, rows, newest counted_on and problems. None of what it says."""
    result, problems, _ = read_stored(folder, None, today)
    rows = pd.concat(
        [rows[["file", "counted_on"]] for rows in result.values()]
        or [pd.DataFrame(columns=["file", "counted_on"])]
    )
    each = rows.groupby("file").agg(rows=("file", "size"), newest=("counted_on", "max"))
    kept = pd.DataFrame(
        [(owner, kind, path.relative_to(folder).as_posix()) for owner, kind, path in stored(folder)],
        columns=["owner", "kind", "file"],
    )
    wrong = kept["file"].map(pd.Series([problem.file for problem in problems], dtype="str").value_counts())
    return kept.merge(each, on="file", how="left", validate="one_to_one").assign(
        rows=lambda kept: kept["rows"].fillna(0).astype("int64"), problems=wrong.fillna(0).astype("int64")
    )


def known(
    folder: Path | None,
    schools: pd.DataFrame,
    data_source: str,
    today: pd.Timestamp | None = None,
    trusts: pd.DataFrame | None = None,
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """What all registers say, a frame a kind as declared in TABLES, and notes to tell.

    Where several owners speak of one school and day, the school's own row counts, then the trust's, then the
    authority's; the notes say how many rows gave way. Registers of made-up schools beside official tables, or
    the other way round, say nothing, and a note says so. Frames without rows where there are no registers.
    Raises `DataError` with every problem of every file. `today` is the last day a row may be dated; by
    default the day it is.

    Counts of one or two people stand as 1.5, and nothing here gives them away: see `_alike`.
    """
    empty = {name: made_known(kind, None) for name, kind in ((kind.table, kind) for kind in KINDS.values())}
    if not stored(folder):
        return empty, []
    if (data_source == "made-up") != (folder / MADE_UP).is_file():
        return empty, [_beside(folder, data_source) + " The registers were left out."]
    result, problems, notes = read_stored(
        folder, schools, today or pd.Timestamp.now().normalize(), trusts=trusts
    )
    if problems:
        raise refused(str(folder), problems, several=True)
    for name, rows in result.items():
        order = rows["owner"].str.split("-").str[0].map({kind: at for at, kind in enumerate(FIRST)})
        nearest = rows.assign(order=order).sort_values(["order", "owner"], kind="stable")
        single = nearest.drop_duplicates(["lineage", "counted_on"])
        if len(single) < len(rows):
            notes.append(
                f"{name} registers: {len(rows) - len(single):,} rows gave way to another owner's of the "
                "same school "
                "and day: the school's own comes first, then its trust's, then its authority's."
            )
        empty[KINDS[name].table] = made_known(KINDS[name], single.sort_index())
    return empty, notes


def _beside(folder: Path, data_source: str) -> str:
    held = "real" if data_source == "made-up" else "made-up"
    return f"{folder} holds registers of {held} schools, and the tables come from {data_source} files."


def made_known(kind: Kind, rows: pd.DataFrame | None) -> pd.DataFrame:
    """The rows in the shape that TABLES declares; without any, that shape."""
    table = TABLES[kind.table]
    if rows is None:
        return pd.DataFrame({column.name: pd.Series(dtype=column.dtype) for column in table.columns})
    summed = {name: rows[list(parts)].sum(axis=1, min_count=1) for name, parts, _ in kind.sums}
    rows = _alike(rows.assign(known_on=rows["recorded_on"], **summed), kind)
    return (
        rows[table.names]
        .astype({column.name: column.dtype for column in table.columns})
        .reset_index(drop=True)
    )


def _alike(rows: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """Counts of people in which one can't be told from two, not even by taking parts from their whole.

    One or two stand as 1.5. What that adds or takes away is taken from or added to the first part of the same
    whole that has three or more, the part that is named nowhere coming last: of 20 teachers 19 or 18 stayed
    and the others left, so 18.5 and 1.5. If that leaves it fewer than three, it stands as 1.5 too. It holds
    where most are in the first part, as most teachers stay; where three parts are all but empty, someone who
    knows this rule can still work a few cases out. Posts, reviews and heads count no people (an advertised
    post and a head are public anyway): they stay as they are.
    """
    people = rows[kind.people]
    made = people.mask(people.gt(0) & people.lt(3), ONE_OR_TWO)
    for parts in kind.known_wholes:
        if parts.whole not in people:
            continue
        held = people[list(parts.names)].assign(
            rest=people[parts.whole] - people[list(parts.names)].sum(axis=1)
        )
        small = held.gt(0) & held.lt(3)
        moved = (held - ONE_OR_TWO).where(small).sum(axis=1).where(held["rest"].notna(), 0.0)
        three = held.ge(3).to_numpy()
        first = three & (three.cumsum(axis=1) == 1)
        shifted = held.mask(small, ONE_OR_TWO).to_numpy() + np.where(first, moved.to_numpy()[:, None], 0.0)
        shifted = pd.DataFrame(shifted, index=rows.index, columns=held.columns)
        made[list(parts.names)] = shifted.mask(shifted.gt(0) & shifted.lt(3), ONE_OR_TWO)[list(parts.names)]
    return rows.assign(**made)
