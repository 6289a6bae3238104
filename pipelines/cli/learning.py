"""Training, search, comparison, and which model is champion."""

from pathlib import Path
from typing import Annotated

import typer

from headway.pipelines.cli.shared import (
    REGISTERS,
    RUNS,
    TABLES,
    AsOf,
    ExperimentFile,
    Promote,
    Registers,
    Tables,
    Tracking,
    app,
    day_named,
)
from headway.pipelines.reports import terminal
from headway.pipelines.reports.terminal import say


@app.command()
def train(
    tables: Tables = TABLES,
    tracking: Tracking = None,
    as_of: AsOf = None,
    promote: Annotated[
        Promote,
        typer.Option(help="Make the result champion: if it earns it, never, or anyway (but for a leak)."),
    ] = Promote.auto,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the boosted trees; default the experiment's.", min=0)
    ] = None,
    workers: Annotated[
        int, typer.Option(help="Processes for the folds; the result doesn't depend on it.")
    ] = 2,
    whole: Annotated[
        bool,
        typer.Option(
            help="Also what each family adds, quick re-inspection, and the audit of "
            "leaks: parts that fit the folds again."
        ),
    ] = True,
    years: Annotated[
        int | None, typer.Option(help="Judge on the newest so many academic years only.", min=1)
    ] = None,
    registers: Registers = REGISTERS,
    experiment: ExperimentFile = None,
) -> None:
    """Backtest, fit, calibrate and register; promote to champion only what earns it.

    Example: headway train --as-of 2025-10-01 --promote never
    """
    from headway.models import RegistryError
    from headway.models.registry import Registry
    from headway.pipelines import experiments
    from headway.pipelines import train as stage

    report = stage.train(
        tables,
        Registry.at(tracking, RUNS),
        morning=day_named(as_of),
        promote=promote.value,
        experiment=experiments.asked(experiment, seed=seed, newest=years),
        workers=workers,
        whole=whole,
        registers=registers,
        say=say,
        progress=terminal.bar("folds"),
    )
    terminal.trained(report)
    if report["unsent"]:
        raise RegistryError(report["unsent"])


@app.command()
def tune(
    tables: Tables = TABLES,
    tracking: Tracking = None,
    trials: Annotated[
        int, typer.Option(help="How many to add; a search's first is what it starts from.", min=1)
    ] = 30,
    minutes: Annotated[
        float | None, typer.Option(help="Start no trial after so many minutes.", min=0)
    ] = None,
    experiment: ExperimentFile = None,
    out: Annotated[
        Path, typer.Option(help="Folder for the winner, a file for `headway train --experiment`.")
    ] = Path("experiments"),
    workers: Annotated[
        int, typer.Option(help="Processes for the folds; the result doesn't depend on it.", min=1)
    ] = 2,
    registers: Registers = REGISTERS,
) -> None:
    """Search for better settings on every fold but the last, go on where the last search ended, and write the
    winner.

    Example: headway tune --trials 40 --minutes 90
    """
    from headway.models.registry import Registry
    from headway.pipelines import experiments
    from headway.pipelines import tune as stage

    result = stage.tune(
        tables,
        Registry.at(tracking, RUNS),
        trials=trials,
        minutes=minutes,
        experiment=experiments.asked(experiment),
        out=out,
        workers=workers,
        registers=registers,
        say=say,
        progress=terminal.bar("trials"),
    )
    for line in [*stage.lines(result), f"written: {result['written']}"]:
        say(line)


@app.command()
def compare(
    first: Annotated[str, typer.Argument(help="champion, challenger, a version's number or a run's id.")],
    second: Annotated[str, typer.Argument(help="Another, to be set against the first.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, for scripts.")] = False,
    tracking: Tracking = None,
) -> None:
    """What differs between two trainings: data, code, settings, signals, and how good each is on the same
    rows.

    Example: headway compare champion challenger
    """
    import json

    from headway.models.registry import Registry
    from headway.pipelines import compare as stage

    registry = Registry.at(tracking, RUNS)
    result = stage.compare(registry.recorded(first), registry.recorded(second))
    if as_json:
        say(json.dumps(result, indent=1, ensure_ascii=False))
        return
    for title, columns, rows in stage.tables(result):
        terminal.table(title, columns, rows)
    for line in stage.lines(result):
        say(line)


@app.command()
def rollback(
    to: Annotated[
        str | None,
        typer.Option(help="A version of the registered model; default the champion before this one."),
    ] = None,
    why: Annotated[str, typer.Option(help="For the log.")] = "",
    tracking: Tracking = None,
) -> None:
    """Make an earlier version champion again: the alias, the plain files that scoring reads, and a line in
    the log.

    Example: headway rollback --why "the chances of secondaries looked wrong"
    """
    from headway.models.registry import Registry

    entry = Registry.at(tracking, RUNS).rollback(to, why)
    say(f"champion: version {entry['to']} (model {entry['model_version']}), after version {entry['from']}")
    say("Run `headway score` for its predictions.")


@app.command()
def promotions() -> None:
    """The log of who made which version champion, when and why, as made from this folder.

    Example: headway promotions
    """
    from headway.models.registry import Registry

    entries = Registry.at(None, RUNS).promotions()
    for entry in entries:
        say(
            f"{entry['when'][:19].replace('T', ' ')} {entry['what']} by {entry['who']}, from version "
            f"{entry['from'] or 'none'} "
            f"to {entry['to']} (model {entry['model_version']}): {entry['why'] or 'no reason given'}"
        )
    if not entries:
        say(f"nothing was promoted from {RUNS} yet")


@app.command()
def send(tracking: Tracking = None) -> None:
    """Send the runs the tracking store could not take when they were trained.

    Example: headway send --tracking http://127.0.0.1:5000
    """
    from headway.models.registry import Registry

    registry = Registry.at(tracking, RUNS)
    waiting = registry.unsent()
    for folder in waiting:
        sent = registry.send(folder)
        say(
            f"sent: {folder.name} as version {sent.version}, "
            f"{'now champion' if sent.promoted else 'challenger'}"
        )
    if not waiting:
        say(f"nothing waits in {RUNS / 'unsent'}")
