"""One official file to a release: the layout recognised, every row kept or set aside, all problems in one
message.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from headway.pipelines import sources
from headway.pipelines.files.cells import (
    FIGURES,
    MOST_SHOWN,
    SHOWN,
    out_of_range,
    printable,
    read_cells,
    unread,
)
from headway.pipelines.files.dating import day_in_name, file_on, published_on
from headway.pipelines.files.limits import MOST_UNPACKED
from headway.pipelines.files.long_form import doubtful, mended, used, widened
from headway.pipelines.files.opening import Sheet, members, sheets
from headway.pipelines.files.recognising import Match, recognise
from headway.pipelines.sources import Layout
from headway.pipelines.tables import DataError

# of the rows of a file of all inspections; in a list of schools most were inspected long before
MOST_OTHERS = 0.1
MOST_ODD = 0.001  # of the rows we need may hold a cell out of range: more is no slip of the pen
OFSTED_SINCE = pd.Timestamp(1992, 9, 1)


@dataclass
class Release:
    """A file as read: its layout, its date, and for each record a frame of rows under our names.

    Frames share their index: the row's number in the file. `rows` is `kept` and what `set_aside` counts, by
    reason. `out_of_range` tells of the cells that rows were set aside for: the row, the header and what
    stands there.
    """

    name: str
    layout: Layout
    file_on: pd.Timestamp
    records: dict[str, pd.DataFrame]
    rows: int
    set_aside: Counter = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    kept: int = 0  # rows of the file that the records are made from
    out_of_range: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def schools(self) -> pd.DataFrame:
        return self.records.get("schools", pd.DataFrame(columns=["urn"]))


def read_file(path: Path, raw: Path, layouts: tuple[Layout, ...] = sources.LAYOUTS) -> list[Release]:
    """What a file holds: one release, or several for an archive of several files or a workbook of several
    lists.

    Raises `DataError` where it can't be opened, and with every problem it has: unknown headers, markers and
    grades, days in the future, URNs that repeat in a list of schools. A row of few with a cell out of range
    is set aside.
    """
    name = printable(path.relative_to(raw).as_posix())
    try:
        return _read(name, path, layouts)
    except MemoryError as error:
        raise DataError(
            f"{name} needs more memory than there is.\nDownload it again, or use a larger machine."
        ) from error
    except OSError as error:
        raise DataError(
            f"{name} can't be read ({error.strerror or error}).\nPut it back, check who may read it, or run "
            "this "
            "again when nothing else writes to the folder."
        ) from error


def _read(name: str, path: Path, layouts: tuple[Layout, ...]) -> list[Release]:
    if path.suffix.lower() != ".zip":
        if (size := path.stat().st_size) > MOST_UNPACKED:
            raise DataError(
                f"{name} has {size / 1e9:.1f} GB; we stop at {MOST_UNPACKED / 1e9:.0f}.\nDownload it again."
            )
        return _releases(name, list(sheets(name, path.read_bytes())), layouts)
    releases, problems = [], []
    for part, content in members(name, path):
        try:
            releases += _releases(part, list(sheets(part, content)), layouts)
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("\n\n".join(problems))
    if not releases:
        raise DataError(
            f"{name} holds no .csv, .xlsx or .ods file.\nTake it away, or put the data file in its place."
        )
    return releases


def _releases(name: str, opened: list[Sheet], layouts: tuple[Layout, ...]) -> list[Release]:
    """A release for each sheet that fits a layout; named after its sheet where there are several."""
    chosen = recognise(name, opened, layouts)
    releases, problems = [], []
    for sheet, match in chosen:
        try:
            tops = [row for other in opened for row in other.top] if match.layout.dated == "published" else []
            cover = published_on(name, tops)
            releases.append(
                _release(f"{name}/{sheet.title}" if len(chosen) > 1 else name, sheet, match, cover)
            )
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("\n\n".join(problems))
    fitting = {id(sheet) for sheet, _ in chosen}
    if passed := [sheet.title for sheet in opened if id(sheet) not in fitting]:
        releases[0].notes.append(f"sheets passed over, which have no layout of ours: {', '.join(passed)}")
    return releases


def _release(name: str, sheet: Sheet, match: Match, cover: pd.Timestamp | None = None) -> Release:
    layout = match.layout
    cells, slipped = sheet.columns(
        match.header_row, sorted({*match.found.values(), *sum(match.again.values(), [])})
    )
    problems = _twice(sheet, match, cells)
    cells = {at: cells[at] for at in set(match.found.values())}
    aside: Counter[str] = Counter()
    notes = [f"read “{printable(was)}” as “{known}”" for was, known in match.misspelt]
    keys = {
        column.name: cells[match.found[record, column.name]]
        for record, column in layout.columns()
        if (record, column.name) in match.found and (column.name == "urn" or column.name in layout.only)
    }
    records: dict[str, pd.DataFrame] = {}
    keep = pd.Series(True, index=slipped.index)
    keep &= _keep(~slipped, keep, aside, "more cells than headers: a comma without quotation marks")
    filled = pd.Series(False, index=keep.index)
    for values in cells.values():  # not by the URN alone: a row that only lost that is not blank
        filled |= values.ne("")
    keep &= _keep(filled, keep, aside, "blank row")
    if "urn" in keys:
        total = ~keys["urn"].str.fullmatch(r"[0-9]+(\.0)?") & _is_total(cells, keys["urn"], layout)
        keep &= _keep(~total, keep, aside, "row of totals")
    for _, column in layout.columns():
        if column.name in layout.only:
            *_, bad = read_cells(keys[column.name][keep], column.kind, column.words)
            if bad.any():
                problems.append(unread(column, keys[column.name][keep][bad], match.header_row))
            wanted = keys[column.name].str.lower().isin(layout.only[column.name])
            keep &= _keep(wanted, keep, aside, f"not one of the {column.name}s we use")
    if "urn" in keys:
        keep &= _keep(~keys["urn"].str.lower().isin(sources.BLANKS), keep, aside, "no URN")
        again = pd.DataFrame(cells)[keep].duplicated().reindex(keep.index, fill_value=False)
        keep &= _keep(~again, keep, aside, "the same row again")
    odd: list[_Odd] = []
    for record, columns in layout.records.items():
        texts = {
            column.name: cells[match.found[record, column.name]]
            for column in columns
            if (record, column.name) in match.found
        }
        texts = texts if keep.all() else {name: column[keep] for name, column in texts.items()}
        if layout.long_form:
            texts, moved, doubt = mended(texts, columns, layout.long_form)
            if moved:
                notes.append(f"{moved} rows had their figures a column too far left: moved back")
            problems += doubtful(doubt, match.header_row)
            wanted, unknown = used(texts, columns, layout.long_form, match.header_row)
            problems += unknown
            _keep(wanted, pd.Series(True, index=wanted.index), aside, "of a group of teachers we don't use")
            texts = {name: column[wanted] for name, column in texts.items()}
        read: dict[str, pd.Series] = {}
        for column in columns:
            if column.name not in texts:
                continue
            values, why, bad = read_cells(texts[column.name], column.kind, column.words)
            if bad.any():
                slips = bad & out_of_range(texts[column.name].where(bad, ""), column.kind)
                if (bad & ~slips).any():
                    problems.append(unread(column, texts[column.name][bad & ~slips], match.header_row))
                if slips.any():
                    odd.append(
                        _Odd(
                            match.found[record, column.name],
                            texts[column.name][slips],
                            unread(column, texts[column.name][slips], match.header_row),
                        )
                    )
            if column.kind == "percent" and not sheet.text and _fractions(texts[column.name], values):
                problems.append(
                    f"  {column.headers[0]}: no figure is above 1, and we read this column as per cent. "
                    "Cells of a "
                    "workbook that show 53% hold 0.53.\n    Save the sheet as CSV, which has what the cells "
                    "show."
                )
            read[column.name] = values
            if column.kind in FIGURES:
                read[f"{column.name}_why_blank"] = why
        records[record] = pd.DataFrame(
            read, index=next(iter(texts.values())).index if texts else keep.index[keep]
        )
        records[record] = _summed(records[record], layout)
    if layout.dated == "published" and cover is None:
        notes.append("no day of publication on a cover sheet: taken to have come out 150 days after its day")
    release = Release(
        name, layout, file_on(name, layout, records, sheet.title, cover), records, len(keep), aside, notes
    )
    odd += _misdated(release, match)
    problems += _set_aside(
        release, odd, _needed(match, cells, release), sheet.top[match.header_row], match.header_row
    )
    release.kept = len(next(iter(records.values())))
    if layout.long_form and not problems:
        for record in records:
            records[record], wrong = widened(records[record], layout.long_form)
            problems += wrong
    problems += _impossible(release, match.header_row)
    if problems:
        raise DataError("\n".join([f"{name}, read as “{layout.name}”:", *problems]))
    if match.unread:
        notes.append(f"{len(match.unread)} columns not needed")
    return release


def _summed(rows: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """The rows with the layout's sums: blank where a part is, for the reason that part has. Rounded parts may
    pass the whole.
    """
    sums: dict[str, pd.Series] = {}
    for name, parts in layout.sums.items():
        if all(part in rows for part in parts):
            total, why = rows[list(parts)].sum(axis=1, skipna=False), rows[f"{parts[0]}_why_blank"]
            for part in parts[1:]:
                why = why.where(why.notna(), rows[f"{part}_why_blank"])
            sums |= {name: total.clip(upper=1.0), f"{name}_why_blank": why.where(total.isna())}
    return rows.assign(**sums)


@dataclass
class _Odd:
    """Cells of one column that are out of range, each a text by its row; and what to say if they are too
    many.
    """

    at: int
    cells: pd.Series
    problem: str


def _fractions(texts: pd.Series, values: pd.Series) -> bool:
    """Whether figures read as per cent are all of at most 1, as those of cells that a workbook shows as per
    cent.
    """
    return bool(0 < values.max() <= 0.01) and not texts.str.contains("%", regex=False).any()


def _needed(match: Match, cells: dict[int, pd.Series], release: Release) -> pd.Series:
    """Which of the kept rows any table is made of."""
    kept = next(iter(release.records.values())).index
    needed = pd.Series(True, index=kept)
    for (_, name), at in match.found.items():
        if name in match.layout.not_needed:
            needed &= ~cells[at][kept].str.lower().isin(match.layout.not_needed[name])
    return needed


def _set_aside(
    release: Release, odd: list[_Odd], needed: pd.Series, headers: list[str], header_row: int
) -> list[str]:
    """Takes out the rows that have a cell out of range, and says which; or says what is wrong where they are
    too many.
    """
    rows = pd.Series(False, index=needed.index)
    for one in odd:
        rows[one.cells.index] = True
    if (rows & needed).sum() > MOST_ODD * needed.sum():
        return list(dict.fromkeys(one.problem for one in odd if needed[one.cells.index].any()))
    every = pd.Series(True, index=rows.index)
    _keep(~(rows & needed), every, release.set_aside, "a cell out of range")
    _keep(~(rows & ~needed), every, release.set_aside, "a cell out of range, in a row that no table needs")
    if rows.any():
        release.records.update({record: frame[~rows] for record, frame in release.records.items()})
    result = {
        (at + header_row + 2, printable(headers[one.at], MOST_SHOWN), printable(text, MOST_SHOWN))
        for one in odd
        for at, text in one.cells.items()
    }
    release.out_of_range = sorted(result)
    release.notes += [
        f"out of range: row {row}, {header}: “{text}”" for row, header, text in release.out_of_range[:SHOWN]
    ]
    return []


def _twice(sheet: Sheet, match: Match, cells: dict[int, pd.Series]) -> list[str]:
    """Columns we use that stand twice and differ: which of them is meant we can't know."""
    problems = []
    for one, others in match.again.items():
        for other in others:
            apart = cells[one].index[cells[one].ne(cells[other])]
            if len(apart):
                at, first = apart[0], printable(sheet.top[match.header_row][one])
                problems.append(
                    f"  {first}: columns {min(one, other) + 1} and {max(one, other) + 1} both have this "
                    "header and differ in "
                    f"{len(apart)} rows, as in row {at + match.header_row + 2}: "
                    f"“{printable(cells[one][at], MOST_SHOWN)}” and "
                    f"“{printable(cells[other][at], MOST_SHOWN)}”.\n    Delete the wrong column, or rename "
                    "it."
                )
    return problems


def _keep(good: pd.Series, still: pd.Series, aside: Counter, reason: str) -> pd.Series:
    lost = int((still & ~good).sum())
    if lost:
        aside[reason] += lost
    return good


def _is_total(cells: dict[int, pd.Series], urns: pd.Series, layout: Layout) -> pd.Series:
    """Rows whose first cells say they sum others: NAT, LA."""
    marked = pd.Series(False, index=urns.index)
    if layout.summary:
        for values in cells.values():
            marked |= values.isin(layout.summary)
    return marked


def _misdated(release: Release, match: Match) -> list[_Odd]:
    """Inspections dated after the file itself, or before there was Ofsted."""
    odd = []
    as_at = day_in_name(release.name) or release.file_on
    for record, frame in release.records.items():
        for column in ("inspected_on", "ended_on"):
            if column not in frame:
                continue
            early = frame[column][frame[column] < OFSTED_SINCE]
            late = frame[column][
                frame[column] > max(as_at, release.file_on if column == "ended_on" else as_at)
            ]
            for days, when, what in (
                (early, "before there was Ofsted", "those cells"),
                (
                    late if release.layout.depth else late[:0],
                    f"after the file itself ({as_at:%d/%m/%Y})",
                    "the file's name and those cells",
                ),
            ):
                if len(days):
                    where = "; ".join(
                        f"row {i + match.header_row + 2}: {day:%d/%m/%Y}"
                        for i, day in days.head(SHOWN).items()
                    )
                    odd.append(
                        _Odd(
                            match.found[record, column],
                            days.dt.strftime("%d/%m/%Y"),
                            f"  {len(days)} inspections are dated {when}: {where}.\n    Check {what}.",
                        )
                    )
    return odd


def _impossible(release: Release, header_row: int) -> list[str]:
    """Files of other years than they say, and URNs that are none, or that repeat where each school has one
    row.
    """
    problems = []
    visits = release.records.get("inspection", release.records.get("report_card"))
    if release.layout.years and visits is not None and len(visits):
        others = ~visits["inspected_on"].between(*map(pd.Timestamp, release.layout.years))
        if others.mean() > MOST_OTHERS:
            problems.append(
                f"  {others.sum()} of {len(others)} rows give no inspection between "
                f"{' and '.join(release.layout.years)}, and "
                "those of a file of all inspections of the time would.\n    If it is of other years, or "
                "lists schools with their "
                "latest inspections, its headers have changed: add a layout for it to pipelines/sources/."
            )
    if release.layout.dated == "published" and (named := day_in_name(release.name)) is not None:
        since, until = map(pd.Timestamp, release.layout.years)
        if not since <= named <= until:
            problems.append(
                f"  Its headers are of questions asked from {since:%d %B %Y} to {until:%d %B %Y}, and its "
                "name says "
                f"{named:%d %B %Y}.\n    Check its name; if Ofsted has changed the questions again, add a "
                "layout for "
                "them to pipelines/sources/."
            )
    first = next(iter(release.records.values()))
    if release.layout.dated == "period":
        by = [name for name in ("urn", "la_code", "phase", "period") if name in first]
        twice = first[first[by].notna().all(axis=1) & first.duplicated(by, keep=False)]
        if len(twice):
            told = twice[by].astype({"period": "int64"}).astype("str").agg(", ".join, axis=1).head(SHOWN)
            shown = "; ".join(f"row {at + header_row + 2}: {key}" for at, key in told.items())
            problems.append(
                f"  {len(twice)} rows give different figures for the same {' and '.join(by)}: {shown}."
            )
    if "urn" in first:
        odd = first["urn"][~first["urn"].fillna("").str.fullmatch(r"[0-9]{4,7}")]
        if len(odd):
            where = "; ".join(
                f"row {i + header_row + 2}: “{printable(urn, MOST_SHOWN)}”"
                for i, urn in odd.head(SHOWN).items()
            )
            problems.append(f"  {len(odd)} URNs are not numbers of four to seven figures: {where}.")
        twice = first["urn"][first["urn"].duplicated(keep=False)]
        if not release.layout.repeats and len(twice):
            shown = ", ".join(
                f"{printable(urn, MOST_SHOWN)} (rows {', '.join(str(i + header_row + 2) for i in rows)})"
                for urn, rows in list(twice.groupby(twice).groups.items())[:SHOWN]
            )
            problems.append(
                f"  {twice.nunique()} URNs stand on more than one row: {shown}.\n    Each school has one row."
            )
    return problems
