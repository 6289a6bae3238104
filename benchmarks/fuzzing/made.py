"""Small well-formed files of every release and register, in every form, to be broken."""

import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

ROWS = 12  # of a CSV: the readers' time goes by columns, and what a cell may hold is for breaking to find
OPTIONAL = 4  # one in so many of the columns that a release may do without
BASE = r"edubasealldata.*csv|year_to_date.*2023.*csv"  # whole files, that any other is ingested beside


def seeds(seed: int) -> list[tuple[str, bytes]]:
    """Made-up official files of every release, cut to a few rows and columns, in every form; and made-up
    registers.
    """
    from headway.pipelines import files
    from headway.pipelines.synthesise import synthesise

    with tempfile.TemporaryDirectory() as held:
        raw, registers = Path(held) / "raw", Path(held) / "registers"
        synthesise(raw, seed=seed, schools=20, effect="none", registers=registers)
        named = [
            (path.relative_to(raw).as_posix(), _cut(path))
            for path in sorted(raw.rglob("*"))
            if path.is_file() and not files.why_not_needed(path, raw)
        ]
        named += [
            (f"register/{path.parent.name}/{path.name}", _cut(path))
            for path in sorted(registers.rglob("*.csv"))[:6]
        ]
    official = [
        (name, content)
        for name, content in named
        if name.endswith(".csv") and not name.startswith("register")
    ]
    narrow = {
        name: _narrow(content, at) for at, (name, content) in enumerate(official) if not re.search(BASE, name)
    }
    named = [(name, narrow.get(name, content)) for name, content in named]
    official = [(name, narrow.get(name, content)) for name, content in official]
    for name, content in official[::6]:
        named += [(name.replace(".csv", f".{form}"), make(name, content)) for form, make in FORMS.items()]
    named += feature_rows()
    return [(re.sub(r"[^\w./-]", "_", name), content) for name, content in named]


@cache
def champion() -> Any:
    """A small model, to score feature rows by."""
    from headway.models.champion import Champion
    from headway.models.conformal import ChanceIntervals, GradeSets
    from headway.models.estimators import CellRates, Departures, Ridge

    names = ["leadership_gap", "share_stayed"]
    ridge = Ridge(names, [0.0, 0.85], [1.0, 0.1], [True, True], [[0.4, 0.1, 0.0, 0.0, 0.1]] * 2, 0.0)
    rates = CellRates({str(rank): [0.1, 0.7, 0.95] for rank in (1, 2, 3, 4)})
    about = {
        "signals": names,
        "families": dict.fromkeys(names, "leadership"),
        "data_source": "made-up",
        "version": "fuzz",
        "cells": {},
    }
    return Champion(
        Departures(("ridge",), recent=rates, ridge=ridge),
        None,
        GradeSets(limits={"0": 0.9}),
        ChanceIntervals(spread=dict.fromkeys("1234", 0.3)),
        about,
    )


def feature_rows() -> list[tuple[str, bytes]]:
    """A few, as CSV and as parquet."""
    import pandas as pd

    from headway.pipelines.scoring import rows as stage

    held = {
        "urn": [100000, 100001, 100002],
        "as_of": pd.Timestamp("2025-09-01"),
        "phase": "Primary",
        "overall": [2, 3, 1],
        "leadership": 2,
        "inspected_on": pd.Timestamp("2023-01-10"),
        "leadership_gap": [0.0, 1.0, None],
        "share_stayed": 0.9,
    }
    layout = stage.layout(champion())
    given = pd.DataFrame(held).reindex(columns=list(layout))
    given = given.astype({name: "Int64" for name, kind in layout.items() if kind == "a whole number"})
    return [
        ("rows/plans.csv", given.to_csv(index=False, date_format="%Y-%m-%d").encode()),
        ("rows/plans.parquet", given.to_parquet(index=False)),
    ]


def _cut(path: Path) -> bytes:
    content = path.read_bytes()
    cut = path.suffix == ".csv" and not re.search(BASE, path.name)
    return b"".join(content.splitlines(keepends=True)[: ROWS + 2]) if cut else content


def _narrow(content: bytes, at: int) -> bytes:
    """A CSV without some of the columns that no layout requires: others for every `at`."""
    from headway.pipelines.sources import LAYOUTS, normalised

    held = rows(content)
    needed = {
        normalised(header)
        for layout in LAYOUTS
        for _, column in layout.columns()
        for header in column.headers
        if column.required or layout.long_form
    }
    headers = next(row for row in held if sum(map(bool, row)) > 1)
    keep = [
        normalised(header) in needed or (place + at) % OPTIONAL == 0 for place, header in enumerate(headers)
    ]
    return written([[cell for cell, kept in zip(row, keep, strict=False) if kept] for row in held])


def rows(content: bytes) -> list[list[str]]:
    text = content.decode("utf-8", "replace").removeprefix("\ufeff").replace("\0", "")
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        return [line.split(",") for line in text.split("\n")]


def written(cells: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(cells)
    return out.getvalue().encode("utf-8", "replace")


def _xlsx(name: str, content: bytes) -> bytes:
    import pyarrow as pa

    from headway.pipelines.synthesise.sheets import workbook

    held = rows(content)
    width = max(map(len, held))
    columns = list(zip(*([*row, *[""] * (width - len(row))] for row in held), strict=True))
    sheet = pa.table(
        [pa.array(column[1:], pa.string()) for column in columns], names=[column[0] for column in columns]
    )
    return workbook(sheet, "Data")


def _ods(name: str, content: bytes) -> bytes:
    from xml.sax.saxutils import escape

    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    cells = ("".join(cell.format(escape(text)) for text in row) for row in rows(content))
    body = "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)
    spaces = " ".join(
        f'xmlns:{part}="urn:oasis:names:tc:opendocument:xmlns:{part}:1.0"'
        for part in ("office", "table", "text")
    )
    return zipped(
        [
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            (
                "META-INF/manifest.xml",
                '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
            ),
            (
                "content.xml",
                '<?xml version="1.0"?><office:document-content '
                f"{spaces}><office:body><office:spreadsheet><table:table "
                f'table:name="Data">{body}</table:table></office:spreadsheet></office:body></office:document-content>',
            ),
        ],
        zipfile.ZIP_STORED,
    )


def _zip(name: str, content: bytes) -> bytes:
    return zipped([(Path(name).name, content), (f"{Path(name).stem}_meta.csv", b"col_name,label\nurn,URN\n")])


def zipped(members: list[tuple[str, str | bytes]], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for member, content in members:
            archive.writestr(zipfile.ZipInfo(member), content, how)
    return held.getvalue()


FORMS: dict[str, Callable[[str, bytes], bytes]] = {"xlsx": _xlsx, "ods": _ods, "zip": _zip}
