"""Drift and earlier forecasts, and the month in one line."""

from pathlib import Path
from typing import Annotated

import typer

from headway.pipelines.cli.shared import (
    OWNER_ANSWERS,
    RAW,
    REGISTERS,
    RUNS,
    TABLES,
    ExperimentFile,
    Raw,
    Registers,
    Tables,
    Tracking,
    app,
)
from headway.pipelines.reports import terminal
from headway.pipelines.reports.terminal import say


@app.command()
def monitor(
    tables: Tables = TABLES,
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="Judge this file of `headway score --output` alone; default all predictions, which are kept."
        ),
    ] = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="A limit of your own, as drift=0.3; may be said again.")
    ] = None,
) -> None:
    """Drift, what to expect, and how earlier predictions turned out; ends 3 where a limit is passed.

    Example: headway monitor --limit drift=0.3
    """
    from headway.pipelines import tables as store
    from headway.pipelines.reports import monitor as monitor_report
    from headway.pipelines.scoring import score
    from headway.pipelines.watching import monitor as stage

    allowed = stage.limits(limit or ())
    result = stage.monitor(tables, score.load(RUNS / "champion").about, predictions, allowed)
    store.write_json(tables / "monitor.json", result)
    store.write_text(tables / "monitor.html", monitor_report.report(result))
    for title, columns, rows in monitor_report.short(result):
        say(title)
        terminal.table("", columns, rows)
    for line in [
        *result["notes"],
        f"written: {tables / 'monitor.json'}, {tables / 'monitor.html'}",
        *(
            (
                f"limit passed: {row['limit']}: {row['sentence']} ({row['value']:.3g}; the limit is "
                f"{row['allowed']:g})"
            )
            for row in result["passed"]
        ),
    ]:
        say(line)
    if result["passed"]:
        raise typer.Exit(3)
    say("no limit passed")


@app.command()
def month(
    raw: Raw = RAW,
    tables: Tables = TABLES,
    tracking: Tracking = None,
    fetching: Annotated[
        bool,
        typer.Option("--fetch/--no-fetch", help="Download what is new first, or take data/raw as it lies."),
    ] = True,
    limit: Annotated[
        list[str] | None,
        typer.Option(help="A limit of your own for the monitor, as drift=0.3; may be said again."),
    ] = None,
    experiment: ExperimentFile = None,
    workers: Annotated[
        int, typer.Option(help="Processes for the folds; the result doesn't depend on it.", min=1)
    ] = 2,
    registers: Registers = REGISTERS,
) -> None:
    """The month's work: fetch, ingest, train if anything changed, evidence, score, cards, monitor; and a page
    of summary.

    Run again, it does only what is left. Ends with 3 where a limit is passed, and 75 where another month is
    at work. As a line of cron, each 8th at six: 0 6 8 * * cd /srv/headway && .venv/bin/headway month >>
    month.log 2>&1

    Example: headway month --limit extrapolation=1
    """
    from headway.models.registry import Registry
    from headway.pipelines import experiments, fetch
    from headway.pipelines import month as stage
    from headway.pipelines.tables import DataError
    from headway.pipelines.watching import monitor as watch

    def bring() -> dict[str, list[str]]:
        with terminal.downloads() as (tell_line, tell):
            return fetch.fetch(raw, say=tell_line, tell=tell)

    result = stage.month(
        tables,
        Registry.at(tracking, RUNS),
        raw=raw,
        bring=bring if fetching else None,
        registers=registers,
        experiment=experiments.asked(experiment),
        owner=OWNER_ANSWERS if OWNER_ANSWERS.is_file() else None,
        limits=watch.limits(limit or ()),
        workers=workers,
        say=say,
        bar=terminal.bar,
    )
    for row in result["passed"]:
        say(
            f"limit passed: {row['limit']}: {row['sentence']} ({row['value']:.3g}; the limit is "
            f"{row['allowed']:g})"
        )
    if result["problems"]:
        raise DataError("\n".join(result["problems"]))
    if result["passed"]:
        raise typer.Exit(3)
