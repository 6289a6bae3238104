"""Predictions: for every open school, many mornings, or feature rows in bulk."""

from pathlib import Path
from typing import Annotated, Any

import typer

from headway.pipelines.cli.shared import (
    REGISTERS,
    RUNS,
    TABLES,
    Engine,
    Registers,
    Tables,
    app,
    mornings_named,
)
from headway.pipelines.reports import terminal
from headway.pipelines.reports.terminal import say


@app.command()
def score(
    tables: Tables = TABLES,
    as_of: Annotated[
        list[str] | None,
        typer.Option(
            "--as-of",
            metavar="DAY",
            help="The morning to ask from, as "
            "2025-09-01; default the day after the newest file. Several, said again or as "
            "2011-09-01..2025-09-01 (every "
            "year) or 2011-09-01..2025-09-01/3 (every 3 months), go to a folder each of --output.",
        ),
    ] = None,
    rows: Annotated[
        Path | None,
        typer.Option(
            "--input",
            help="Parquet or CSV file of feature rows, or a folder of "
            "them, to score in place of the schools: columns as in signals_today.parquet. --output is a "
            "folder then.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Parquet to write; default predictions.parquet among the tables. A CSV goes beside it."
        ),
    ] = None,
    engine: Annotated[
        Engine,
        typer.Option(
            help="What works on --input: this process, or Apache Spark, for what outgrows one machine."
        ),
    ] = Engine.local,
    details: Annotated[
        bool,
        typer.Option(
            "--details",
            help="With --input, also the chances of each leadership "
            "grade, and what each family of signals added.",
        ),
    ] = False,
    most_aside: Annotated[
        float | None,
        typer.Option(
            help="End with 3 where a larger share of rows than this has no chances, as 0.05.", min=0, max=1
        ),
    ] = None,
    similar: Annotated[bool, typer.Option(help="Also find the schools most like each one.")] = True,
    registers: Registers = REGISTERS,
) -> None:
    """Predictions for every open school, from the champion; nothing is trained. Or for feature rows, however
    many.

    Ends with 0 when done, 2 where files or arguments are wrong, 3 where --most-aside is passed, and 75 where
    another headway command is writing the same output: wait for it, or try again.

    Example: headway score --input plans.parquet --output answers
    """
    from headway.pipelines import tables as store
    from headway.pipelines.scoring import score as stage

    mornings = mornings_named(as_of or [])
    if rows is not None or len(mornings) > 1:
        counted = _scored_in_bulk(tables, mornings, rows, output, engine, details, registers)
    elif engine is not Engine.local or details:
        raise store.DataError(
            "--engine and --details go with --input.\nName a file or folder of feature rows."
        )
    else:
        champion = stage.load(RUNS / "champion")
        morning = mornings[0] if mornings else None
        made, about = stage.score(tables, champion, morning, similar and output is None, registers, say)
        folder, name = (tables, "predictions") if output is None else (output.parent, output.stem)
        asked = made if output is None else {"predictions": made["predictions"]}
        result = store.write(folder, asked, about=about, named={"predictions": name})["predictions"]
        stage.write_csv(result, folder / f"{name}.csv")
        counted = result["status"].value_counts().to_dict()
        say(
            f"cohort {result['as_of'].iloc[0]:%Y-%m-%d}: {len(result):,} open = "
            + " + ".join(f"{n:,} {status}" for status, n in counted.items())
        )
        say(
            f"written: {folder / f'{name}.parquet'} (model {champion.about['version']}, "
            f"{about['data_source']} files)"
        )
    aside = 1 - counted.get(stage.SCORED, 0) / max(sum(counted.values()), 1)
    if most_aside is not None and aside > most_aside:
        say(f"limit passed: {aside:.3g} of the rows have no chances; the limit is {most_aside:g}")
        raise typer.Exit(3)


def _scored_in_bulk(
    tables: Path,
    mornings: list[Any],
    rows: Path | None,
    output: Path | None,
    engine: Engine,
    details: bool,
    registers: Path,
) -> dict[str, int]:
    """Run a scoring job, and say what came of it; returns how many rows have each status."""
    from headway.pipelines.scoring import batch
    from headway.pipelines.scoring import score as stage
    from headway.pipelines.tables import DataError

    if output is None:
        raise DataError("So many predictions need a folder of their own.\nName it with --output.")
    if rows is not None and mornings:
        raise DataError(
            "Feature rows say their own mornings, in the column as_of.\nLeave out --as-of, or --input."
        )
    if rows is None and (engine is not Engine.local or details):
        raise DataError("--engine and --details go with --input.\nName a file or folder of feature rows.")
    if rows is None:
        told = batch.score_mornings(
            tables,
            output,
            RUNS / "champion",
            mornings,
            registers=registers,
            bar=terminal.bar("mornings"),
            say=say,
        )
    elif engine is Engine.spark:
        from headway.pipelines.scoring import spark

        told = spark.score_rows(rows, output, RUNS / "champion", details=details)
    else:
        told = batch.score_rows(rows, output, RUNS / "champion", details=details, bar=terminal.bar("scoring"))
    counted = {stage.SCORED: told["scored"], **told["set_aside"]}
    many = f"{len(told['mornings'])} mornings" if rows is None else f"{told['rows_in']:,} rows in"
    say(
        f"{many}: {told['rows_out']:,} rows out = "
        + " + ".join(f"{n:,} {status}" for status, n in counted.items())
    )
    if told.get("not_forecasts"):
        say(
            f"The model learned from what came after {len(told['not_forecasts'])} of these mornings: no "
            "forecasts, there."
        )
    say(
        f"written: {output}, {len(told['parts']):,} parts and {batch.MANIFEST} (model "
        f"{told['model_version']})"
    )
    return counted
