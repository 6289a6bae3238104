"""Feature rows, as many as there are: what they must look like, and an answer for each, in its place.

A feature row is a row of `signals_today`: a school (or a plan for one), its state on a morning, and its
signals. Nothing is guessed: a file of other columns stops with the difference, and a row that can't be scored
is answered with the reason.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from headway.models.champion import Champion
from headway.models.report_cards import UNEXPLAINED, UNKNOWN
from headway.models.standards import STANDARDS
from headway.pipelines import as_of, frameworks, report_cards, signals, tables
from headway.pipelines.files.cells import printable
from headway.pipelines.scoring import score
from headway.pipelines.sources import PHASES_OF_OFSTED
from headway.pipelines.tables import DataError

# rows answered at a time: more leave the processor's cache, and of fewer pandas' own time is most
BATCH = 1 << 16
BUFFER = 1 << 20  # bytes of each column read ahead, so that a row group of any size is never held whole
STATE = tables.TABLES["signals_today"].names
KINDS = {
    "int64": "a whole number",
    "Int64": "a whole number",
    tables.DATE: "a day",
    "str": "text",
    "float64": "a number",
}
TYPES = {
    "a whole number": pa.int64(),
    "a day": pa.timestamp("s"),
    "text": pa.string(),
    "a number": pa.float64(),
}
FITS = {
    "a whole number": (pa.types.is_integer,),
    "a day": (pa.types.is_date, pa.types.is_timestamp),
    "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_dictionary),
    "a number": (pa.types.is_floating, pa.types.is_integer),
}
FIRST_YEAR, LAST_YEAR = 1900, 2199  # of a morning that can be asked about
DAY = r"(\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?)(?:\.0+)?"  # without a zone: a morning in England
WHOLE = r"([+-]?\d{1,18})(?:\.0*)?"
SHOWN = 20  # missing columns, and unknown ones, that an error names


def layout(champion: Champion) -> dict[str, str]:
    """The columns of feature rows, in order, and what each holds: the state, then every signal."""
    state = {column.name: KINDS[column.dtype] for column in tables.TABLES["signals_today"].columns}
    return state | {name: "a number" for name in (*signals.declared(), *champion.signals)}


def files(path: Path) -> list[Path]:
    """The files of feature rows a path names, itself or all in it, in the order of their names."""
    result = (
        sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith((".", "_")))
        if path.is_dir()
        else [path]
    )
    other = [p for p in result if p.suffix not in (".parquet", ".csv")]
    if not result or other or not path.exists():
        what = "isn't there" if not path.exists() else f"holds {other[0].name}" if other else "holds no file"
        raise DataError(
            f"{path} {what}.\nFeature rows are parquet or CSV files, or a folder of nothing else."
        )
    return result


def check(path: Path, champion: Champion) -> None:
    """Raises `DataError` with every difference where a file's columns aren't those of feature rows."""
    with _readable(path, "Give it as parquet, or as CSV in UTF-8."):
        if path.suffix == ".parquet":
            tables.check_footer(path)
            schema = pq.read_schema(path)
        else:
            with pa.csv.open_csv(path) as reader:
                schema = reader.schema
        wanted, held = layout(champion), [printable(name) for name in schema.names]
        told = json.loads((schema.metadata or {}).get(b"headway", b"{}"))
        source = told.get("data_source") if isinstance(told, dict) else None
    differences = _few([f"  - {name} ({kind})" for name, kind in wanted.items() if name not in held])
    differences += _few([f"  + {name}" for name in dict.fromkeys(held) if name not in wanted])
    differences += [
        f"  {name} stands there {held.count(name)} times"
        for name in dict.fromkeys(held)
        if held.count(name) > 1
    ]
    if not differences and held != list(wanted):
        at, (here, there) = next(
            (at, pair) for at, pair in enumerate(zip(held, wanted, strict=True), 1) if pair[0] != pair[1]
        )
        differences = [f"  in another order: column {at} is {here}, and should be {there}"]
    for name, kind in zip(held, schema.types, strict=True):
        # A CSV has no types, and in parquet a column without a value may be of none.
        typed = path.suffix == ".parquet" and not pa.types.is_null(kind)
        if typed and name in wanted and not any(fits(kind) for fits in FITS[wanted[name]]):
            differences.append(f"  {name} is {kind}, and should be {wanted[name]}")
    if differences:
        raise DataError(
            "\n".join(
                [
                    (
                        f"{path} does not hold feature rows as the champion takes them. - is missing, + is "
                        "not "
                        "known:"
                    ),
                    *differences,
                    "`headway score` writes such a file as signals_today.parquet; begin with that one.",
                ]
            )
        )
    if source and source != champion.about["data_source"]:
        raise DataError(
            f"{path} comes from {printable(str(source))} files, and the champion learned from "
            f"{champion.about['data_source']} ones.\n"
            "Run `headway train` on the same tables, or score rows of the champion's kind."
        )


def _few(lines: list[str]) -> list[str]:
    return lines if len(lines) <= SHOWN else [*lines[:SHOWN], f"  and {len(lines) - SHOWN} more"]


@contextlib.contextmanager
def _readable(path: Path, advice: str) -> Iterator[None]:
    """Arrow's complaints of bytes that are no such file, in our words."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{path} can't be read ({printable(str(error).partition(chr(10))[0])}).\n{advice}"
        ) from error


def count(path: Path) -> int | None:
    """How many rows a parquet file says it has; of a CSV nobody knows before the end."""
    return pq.read_metadata(path).num_rows if path.suffix == ".parquet" else None


def batches(path: Path, champion: Champion, start: int = 0) -> Iterator[pa.Table]:
    """The rows of a file from a place on, `BATCH` at a time but for the last: the state, and the signals that
    count.

    A CSV's cells are text.
    """
    held, rows = [], 0
    for place, piece in _pieces(path, [*STATE, *champion.signals], start):
        held.append(piece.slice(max(start - place, 0)))
        rows += held[-1].num_rows
        while rows >= BATCH:
            whole = pa.concat_tables(held)
            yield whole.slice(0, BATCH)
            held, rows = [whole.slice(BATCH)], rows - BATCH
    if rows:
        yield pa.concat_tables(held)


def _pieces(path: Path, wanted: list[str], start: int) -> Iterator[tuple[int, pa.Table]]:
    """The rows of a file as they come, with the place of each piece's first; a parquet file's row groups
    before are skipped.
    """
    place = 0
    with _readable(path, "It broke off before its end: make it again."):
        if path.suffix == ".csv":
            convert = pa.csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()),
                include_columns=wanted,
                strings_can_be_null=True,
                null_values=[""],
            )
            with pa.csv.open_csv(path, convert_options=convert) as reader:
                for batch in reader:
                    yield place, pa.Table.from_batches([batch])
                    place += batch.num_rows
            return
        with pq.ParquetFile(
            path, buffer_size=BUFFER, pre_buffer=False, page_checksum_verification=True
        ) as file:
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if place + rows > start:
                    at = place
                    for batch in file.iter_batches(BATCH, row_groups=[group], columns=wanted):
                        yield at, pa.Table.from_batches([batch])
                        at += batch.num_rows
                place += rows


def answered(champion: Champion, details: bool) -> pa.Schema:
    """The columns of an answer, the same for every row there is."""
    families = sorted({*champion.about["families"].values(), UNEXPLAINED, UNKNOWN}) if details else []
    on_cards = champion.cards.columns() if champion.cards else ([], [])
    led = [f"p_leadership_{grade}" for grade in (1, 2, 3, 4)] if details and champion.leadership else []
    usual = [f"usual_grade_{grade}" for grade in (1, 2, 3, 4)] if details else []
    floats = [
        "p_improve",
        "p_same",
        "p_worse",
        "p_stay",
        *(f"p_grade_{grade}" for grade in (1, 2, 3, 4)),
        "p_low",
        "p_high",
        "base_rate",
        *usual,
        *led,
        *(f"contribution_{family}" for family in families),
    ]
    return pa.schema(
        [
            ("row", pa.int64()),
            ("urn", pa.int64()),
            ("as_of", pa.timestamp("s")),
            ("status", pa.string()),
            ("overall", pa.int64()),
            ("leadership", pa.int64()),
            ("inspected_on", pa.timestamp("s")),
            ("phase", pa.string()),
            ("p_improve_missing_reason", pa.string()),
            ("next_gives", pa.string()),
            ("grade_set", pa.string()),
            *((name, pa.float64()) for name in floats),
            ("extrapolation", pa.bool_()),
            *((name, pa.float64()) for name in on_cards[0]),
            *((name, pa.string()) for name in on_cards[1]),
            ("enough_like_it", pa.bool_()),
            ("signals_blank", pa.int64()),
            ("made_without", pa.string()),
            ("model_version", pa.string()),
            ("data_source", pa.string()),
        ]
    )


def answers(rows: pa.Table, place: int, champion: Champion, details: bool) -> pa.Table:
    """An answer for each feature row, in its order: its chances, or why there are none. `place` is the first
    row's.
    """
    every = layout(champion)
    typed, why = _typed(rows, {name: every[name] for name in rows.column_names})
    # Whole numbers stay whole beside a blank: as floating ones, large ones would change.
    asked = typed.to_pandas(split_blocks=True, types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    days = asked[["as_of", "inspected_on"]]
    why = _unusable(asked, champion, why)
    asked = asked.assign(**{name: day.where(_possible(day)) for name, day in days.items()}).astype(
        {"phase": "str"}
    )
    # What is wrong is said below; without a grade, or the day it was given, a row was never graded.
    graded = why.isna() & asked["inspected_on"].notna()
    cohort = asked[STATE].assign(
        **{name: asked[name].where(graded) for name in ("overall", "inspected_on")},
        **{name: asked[name].where(why.isna()) for name in report_cards.OWN_CARD},
    )
    said = score.on_cards(cohort, asked, champion, details)
    result = score.predictions(cohort, asked, champion, champion.about["data_source"], details, said)
    if said:
        wide = pd.DataFrame(champion.cards.wide(said.chances, said.asked), index=result.index)
        comes = why.isna() & result["next_gives"].eq(frameworks.STANDARDS_BY_AREA)
        result = result.join(wide.where(np.repeat(comes.to_numpy()[:, None], wide.shape[1], axis=1)))
    result = result.assign(
        row=np.arange(place, place + len(result)),
        status=result["status"].where(why.isna(), why),
        overall=asked["overall"],
        as_of=days["as_of"],
        inspected_on=days["inspected_on"],
    )
    schema = answered(champion, details)
    blank = {name: None for name in schema.names if name not in result}
    return pa.Table.from_pandas(result.assign(**blank)[schema.names], schema, preserve_index=False)


def _typed(rows: pa.Table, wanted: dict[str, str]) -> tuple[pa.Table, pd.Series]:
    """The rows in their columns' types, and of each row which cell was not of its type."""
    why = pd.Series(None, index=range(rows.num_rows), dtype="object")
    columns = []
    for name, kind in wanted.items():
        column = rows[name]
        if pa.types.is_timestamp(column.type) and column.type.tz:
            column = pc.local_timestamp(column)  # the day it was where the row was written
        try:
            columns.append(column.cast(TYPES[kind]))
        except pa.ArrowInvalid:  # some cell of a CSV, or a value too large or too fine
            cells = column.cast(pa.string()).to_pandas()
            values = PARSE[kind](cells)
            why = why.mask(why.isna() & cells.notna() & values.isna().to_numpy(), f"{name} is not {kind}")
            columns.append(pa.array(values, from_pandas=True).cast(TYPES[kind]))
    return pa.table(columns, names=list(wanted)), why


def _days(cells: pd.Series) -> pd.Series:
    """The days written in text; blank where there is none, a part of a second, or a zone."""
    return pd.to_datetime(_matched(cells, DAY), format="ISO8601", errors="coerce")


def _whole_numbers(cells: pd.Series) -> pd.Series:
    """The whole numbers written in text, also as 2.0 or 1e5; blank where there is none, or a larger one than
    we can hold.
    """
    exact = pd.to_numeric(_matched(cells, WHOLE).astype("string"), errors="coerce").astype("Int64")
    near = _numbers(cells)
    near = near.where(near.mod(1).eq(0) & near.abs().lt(2**53)).astype("Int64")
    return exact.fillna(near)


def _numbers(cells: pd.Series) -> pd.Series:
    return pd.to_numeric(cells.astype("object"), errors="coerce").astype("float64")


def _matched(cells: pd.Series, pattern: str) -> pd.Series:
    """The first group of a pattern that has to match all of a cell; blank where it doesn't."""
    return cells.astype("str").str.strip().str.extract(f"^{pattern}$", expand=False)


PARSE = {"a day": _days, "a whole number": _whole_numbers, "a number": _numbers, "text": lambda cells: cells}


def _possible(days: pd.Series) -> pd.Series:
    return days.dt.year.between(FIRST_YEAR, LAST_YEAR)


def _unusable(asked: pd.DataFrame, champion: Champion, why: pd.Series) -> pd.Series:
    """Why a row can't be scored as it stands, the first reason of several; blank where it can."""
    infinite = np.zeros(len(asked), dtype=bool)
    for name in champion.signals:
        infinite |= np.isinf(asked[name].to_numpy())
    graded = {name: asked[name].isna() | asked[name].isin([1, 2, 3, 4]) for name in ("overall", "leadership")}
    standards = {
        name: asked[name].isna() | asked[name].between(1, STANDARDS) for name in report_cards.OWN_CARD
    }
    earlier = asked["inspected_on"].isna() | as_of.is_before(asked["inspected_on"], asked["as_of"])
    for wrong, reason in (
        (asked["as_of"].isna(), "as_of is blank"),
        *(
            (
                asked[name].notna() & ~_possible(asked[name]),
                f"{name} is not a day from {FIRST_YEAR} to {LAST_YEAR}",
            )
            for name in ("as_of", "inspected_on")
        ),
        *((~right, f"{name} is not a grade from 1 to 4") for name, right in graded.items()),
        *((~right, f"{name} is not a standard from 1 to {STANDARDS}") for name, right in standards.items()),
        (~asked["phase"].isin(PHASES_OF_OFSTED), "phase is none of " + ", ".join(PHASES_OF_OFSTED)),
        (~earlier, "inspected_on is not before as_of"),
        (pd.Series(infinite), "a signal is infinite"),
    ):
        why = why.mask(why.isna() & wrong.to_numpy(), reason)
    return why
