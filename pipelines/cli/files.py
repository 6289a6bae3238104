"""Official files: fetched, and read into our tables."""

from datetime import datetime
from typing import Annotated

import typer

from headway.pipelines.cli.shared import RAW, TABLES, Accept, Raw, Tables, app
from headway.pipelines.reports import terminal
from headway.pipelines.reports.terminal import say


@app.command()
def fetch(
    raw: Raw = RAW,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Only one kind: inspections, gias, parents, workforce, "
            "performance, census or absence. Can be given again."
        ),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="DATE", help="Only what can have come out since, as 2026-09-01."
        ),
    ] = None,
    look: Annotated[
        bool, typer.Option("--list", help="Say what would be brought, and bring nothing.")
    ] = False,
    base: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Download the official files to data/raw: what is new or changed, going on where the last run stopped.

    Example: headway fetch --only inspections --since 2026-09-01
    """
    from headway.pipelines import fetch as stage
    from headway.pipelines.tables import DataError

    asked = {"kinds": tuple(only or ()), "since": since and since.date(), "base": base}
    if not look:
        with terminal.downloads() as (line, tell):
            report = stage.fetch(raw, **asked, say=line, tell=tell)
        say(f"in {raw}: " + ", ".join(f"{len(names):,} {state}" for state, names in report.items()))
        return
    listed, failed = stage.listing(raw, **asked)
    for one in listed:
        size = f"{one.wanted.size / 1e6:.1f} MB" if one.wanted.size else ""
        say(f"{one.state:<8}{size:>9}  {one.choice.name}\n{'':19}{one.wanted.title}: {one.choice.address}")
    if failed:
        raise DataError("\n".join(["Not every list could be had.", *failed]))


@app.command()
def ingest(raw: Raw = RAW, tables: Tables = TABLES, accept: Accept = None) -> None:
    """Read data/raw into data/tables, and report every file.

    A release that is unlike true ones stops it before anything is written: rows missing, columns swapped,
    days moved. The message has each figure, the usual one, and the name by which to accept it.

    Example: headway ingest --raw data/raw --tables data/tables --accept rows:31_August_2025.csv
    """
    from headway.pipelines import ingest as stage

    report = stage.ingest(raw, tables, terminal.bar("reading"), accept or ())
    terminal.ingested(report)
