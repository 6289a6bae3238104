"""The command line `headway`: each command reads tables, calls one function and writes tables.

Exit codes: 0 done, 2 the user's files or arguments (one message, nothing half-written), 3 a stated limit was
passed, 75 another headway command is writing there.
"""

import errno
import os
import re
import sys
import time
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

# Threads that wait by spinning slow a shared machine fifty-fold, so every library counts on one. Set before
# any loads.
for _name, _value in {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}.items():
    os.environ.setdefault(_name, _value)

import typer  # noqa: E402

from headway.pipelines.reports import terminal  # noqa: E402
from headway.pipelines.reports.terminal import say  # noqa: E402

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Will this school improve at its next inspection? From official files to a probability.",
)


def _version(asked: bool) -> None:
    if asked:
        import headway

        say(headway.__version__)
        raise typer.Exit


@app.callback()
def _every_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Will this school improve at its next inspection? From official files to a probability."""


Raw = Annotated[Path, typer.Option(help="Folder of official files.")]
Accept = Annotated[
    list[str] | None,
    typer.Option(
        help="A check of a file to let through, as rows:31_August_2025.csv: a message "
        "of ingest gives its name. It holds while the file stays the same; may "
        "be said again."
    ),
]
Tables = Annotated[Path, typer.Option(help="Folder of our tables.")]
Registers = Annotated[Path, typer.Option(help="Folder of the schools' and trusts' own registers.")]
Tracking = Annotated[str | None, typer.Option(help="MLflow store; default sqlite:///mlruns/mlflow.db.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", help="The morning to ask from, as 2025-09-01; default the day after the newest file."
    ),
]
ExperimentFile = Annotated[
    Path | None,
    typer.Option(
        "--experiment",
        help="TOML file of settings to train by, in place of ours; see experiments/no-intake.toml.",
    ),
]
DEMO_YEARS = 3  # the demo judges on the newest only, to be done in two minutes
# What the machine may refuse, and what to do; any other error of the system is a fault of ours, and ends in a
# traceback.
HINDRANCES = {
    **dict.fromkeys(
        (errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "The disk is full: make room, and run this again."
    ),
    errno.EROFS: "The disk can only be read: name another folder.",
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM), "Check who may read and write there, or name another folder."
    ),
    **dict.fromkeys(
        (errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
        "A file stands where a folder should, or the other way round.",
    ),
    errno.EIO: "The disk may be failing: look at it before anything else.",
}
OWNER_ANSWERS = Path("data/owner.toml")  # beside the tables, which may be deleted and built again
RAW, TABLES, REGISTERS, RUNS = Path("data/raw"), Path("data/tables"), Path("data/registers"), Path("mlruns")


class Engine(StrEnum):
    local = "local"
    spark = "spark"


class Promote(StrEnum):
    auto = "auto"
    never = "never"
    force = "force"


class Effect(StrEnum):
    none = "none"
    published = "published"
    strong = "strong"


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
        morning=_day(as_of),
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

    found = stage.tune(
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
    for line in [*stage.lines(found), f"written: {found['written']}"]:
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
    found = stage.compare(registry.recorded(first), registry.recorded(second))
    if as_json:
        say(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for title, columns, rows in stage.tables(found):
        terminal.table(title, columns, rows)
    for line in stage.lines(found):
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


@app.command()
def evidence(tables: Tables = TABLES, tracking: Tracking = None) -> None:
    """Test the claims the project comes from: evidence.json, and evidence.html to read.

    Example: headway evidence && xdg-open data/tables/evidence.html
    """
    from headway.pipelines import tables as store
    from headway.pipelines.evidence import cards as evidence_cards
    from headway.pipelines.evidence import claims as stage
    from headway.pipelines.evidence import sturdy
    from headway.pipelines.reports import evidence as evidence_report

    about, examples = store.about(tables, "examples"), store.read(tables, "examples")
    on_cards = evidence_cards.asked_again(store.read(tables, "standards"), store.read(tables, "inspections"))
    found = sturdy.sturdier(
        stage.evidence(
            examples, store.read(tables, "backtest"), data_source=about["data_source"], on_cards=on_cards
        ),
        examples,
    )
    store.write_json(tables / "evidence.json", found)
    store.write_text(tables / "evidence.html", evidence_report.report(found))
    for claim in found["claims"]:
        say(f"{claim['id']}: {claim['verdict_words']}")
    _log_evidence(tables, tracking)
    say(f"written: {tables / 'evidence.json'}, {tables / 'evidence.html'}")


@app.command()
def power(
    tables: Tables = TABLES,
    seed: Annotated[int, typer.Option(help="Seed of the simulated studies.", min=0)] = 0,
) -> None:
    """How many schools with a register, or years of a file, would test the claims that can't be tested:
    power.json, power.html.

    Example: headway power && xdg-open data/tables/power.html
    """
    from headway.pipelines import tables as store
    from headway.pipelines.evidence import power as stage
    from headway.pipelines.reports import power as power_report

    about, results = store.about(tables, "schools"), store.read(tables, "results")
    schools = stage.sizes(
        *(store.read(tables, name) for name in ("schools", "workforce")),
        results,
        store.read(tables, "inspections"),
    )
    found = stage.power(schools, results, data_source=about["data_source"], seed=seed)
    store.write_json(tables / "power.json", found)
    store.write_text(tables / "power.html", power_report.report(found))
    for line in found["summary"]:
        say(line)
    terminal.table(
        "Schools needed, two-sided at 5%",
        ["claim", "years", "power", "closed form", "simulated", "apart"],
        (
            [
                question["id"],
                row["years"],
                f"{row['power']:.0%}",
                f"{row['closed']:,}",
                "-" if row["simulated"] is None else f"{row['simulated']:,}",
                "-" if row["apart"] is None else f"{row['apart']:+.1%}",
            ]
            for question in found["questions"]
            for row in question["needed"]
        ),
    )
    say(f"written: {tables / 'power.json'}, {tables / 'power.html'}")


@app.command()
def worth(
    tables: Tables = TABLES,
    years: Annotated[
        int | None, typer.Option(help="Judge on the newest so many academic years only.", min=1)
    ] = None,
    curves: Annotated[
        bool, typer.Option(help="Also the learning curves: by schools, by years, by report cards.")
    ] = True,
    workers: Annotated[
        int, typer.Option(help="Processes for the trials; the result doesn't depend on it.", min=1)
    ] = 2,
    registers: Registers = REGISTERS,
) -> None:
    """What each official file is worth: the forecast without it, and with it alone: worth.json, worth.html.

    Example: headway worth --years 4 && xdg-open data/tables/worth.html
    """
    from headway.pipelines import tables as store
    from headway.pipelines.reports import worth as worth_report
    from headway.pipelines.scoring import score as scoring
    from headway.pipelines.study import worth as stage

    folder = runs_of(tables) / "champion"
    champion = scoring.load(folder) if (folder / "about.json").is_file() else None
    found = stage.worth(
        tables, champion, workers=workers, newest=years, registers=registers, curves=curves, say=say
    )
    store.write_json(tables / "worth.json", found)
    store.write_text(tables / "worth.html", worth_report.report(found))
    for line in found["summary"]:
        say(line)
    say(f"written: {tables / 'worth.json'}, {tables / 'worth.html'}")


@app.command()
def study(
    tables: Tables = TABLES,
    peers: Annotated[
        Path, typer.Option(help="What benchmarks/peers.py found, where there is such a file.")
    ] = Path("benchmarks/results/peers.json"),
    make: Annotated[
        bool,
        typer.Option("--make", help="First make what is missing: the evidence, power, worth of 3 years."),
    ] = False,
    tracking: Tracking = None,
    registers: Registers = REGISTERS,
) -> None:
    """One report that could be refereed, from what the other commands found: study.json, study.html.

    Example: headway study --make && xdg-open data/tables/study.html
    """
    from headway.pipelines import tables as store
    from headway.pipelines.reports import study as study_report
    from headway.pipelines.study import report as stage

    found = stage.study(tables, peers)
    if make:
        makes = {
            "evidence": lambda: evidence(tables=tables, tracking=tracking),
            "power": lambda: power(tables=tables, seed=0),
            "worth": lambda: worth(tables=tables, years=3, curves=True, workers=2, registers=registers),
        }
        for row in found["missing"]:
            if row["part"] in makes:
                say(f"{row['part']}: {row['why']}, so it is made first")
                makes[row["part"]]()
        found = stage.study(tables, peers)
    store.write_json(tables / "study.json", found)
    store.write_text(tables / "study.html", study_report.report(found))
    for line in found["summary"]:
        say(f"{line['head']}: {line['text']}")
    for row in found["missing"]:
        say(f"without {row['part']} ({row['why']}): run {row['command']}")
    say(f"written: {tables / 'study.json'}, {tables / 'study.html'}")


@app.command()
def export(
    tables: Tables = TABLES,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; default open-data among the tables.")
    ] = None,
) -> None:
    """Counts by authority, region and England in the Department's open-data standard, and a data dictionary.

    Example: headway export --out open-data
    """
    from headway.pipelines.study import open_data as stage

    for path in stage.export(tables, out or tables / "open-data"):
        say(f"written: {path}")


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

    mornings = _mornings(as_of or [])
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
        found = store.write(folder, asked, about=about, named={"predictions": name})["predictions"]
        stage.write_csv(found, folder / f"{name}.csv")
        counted = found["status"].value_counts().to_dict()
        say(
            f"cohort {found['as_of'].iloc[0]:%Y-%m-%d}: {len(found):,} open = "
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
    found = stage.monitor(tables, score.load(RUNS / "champion").about, predictions, allowed)
    store.write_json(tables / "monitor.json", found)
    store.write_text(tables / "monitor.html", monitor_report.report(found))
    for title, columns, rows in monitor_report.short(found):
        say(title)
        terminal.table("", columns, rows)
    for line in [
        *found["notes"],
        f"written: {tables / 'monitor.json'}, {tables / 'monitor.html'}",
        *(
            (
                f"limit passed: {row['limit']}: {row['sentence']} ({row['value']:.3g}; the limit is "
                f"{row['allowed']:g})"
            )
            for row in found["passed"]
        ),
    ]:
        say(line)
    if found["passed"]:
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

    found = stage.month(
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
    for row in found["passed"]:
        say(
            f"limit passed: {row['limit']}: {row['sentence']} ({row['value']:.3g}; the limit is "
            f"{row['allowed']:g})"
        )
    if found["problems"]:
        raise DataError("\n".join(found["problems"]))
    if found["passed"]:
        raise typer.Exit(3)


@app.command()
def synthesise(
    out: Annotated[Path, typer.Option(help="Folder to write to; it may hold made-up files only.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    schools: Annotated[int, typer.Option(help="How many schools.", min=20)] = 22000,
    effect: Annotated[
        Effect,
        typer.Option(
            help="How strong the planted effects are: of the leadership gap, of "
            "staff who stay, and of middle leaders."
        ),
    ] = Effect.published,
    registers: Annotated[
        Path | None,
        typer.Option(
            help="Also made-up registers of schools and trusts, in this "
            "folder, which may hold made-up ones only; none "
            "unless named."
        ),
    ] = None,
    until: Annotated[
        int, typer.Option(help="The year in whose August the files end: later ones hold second report cards.")
    ] = 2026,
    monthly: Annotated[
        bool, typer.Option("--monthly", help="Ofsted's last two lists as one workbook, not as CSV.")
    ] = False,
) -> None:
    """Made-up official files in the official layouts, and registers, with known effects planted in them.

    Example: headway synthesise --out data/raw --registers data/registers --seed 1 --effect none
    """
    from headway.pipelines import synthesise as stage

    with terminal.steps("writing made-up files") as step:
        stage.synthesise(
            out,
            seed=seed,
            schools=schools,
            effect=effect.value,
            registers=registers,
            until=until,
            monthly=monthly,
            progress=step,
        )
    say(
        f"written: {schools:,} made-up schools, effect “{effect.value}”, in {out}"
        + (f"; their registers in {registers}" if registers else "")
    )


@app.command()
def how_good(
    tables: Tables = TABLES,
    page: Annotated[
        Path | None, typer.Option(help="A Markdown page to put it in, between its marks.")
    ] = None,
) -> None:
    """The backtest in words and tables, from the last training; printed, or put into a page.

    Example: headway how-good --page docs/how-good.md
    """
    import json

    from headway.pipelines.reports import cards
    from headway.pipelines.tables import DataError

    if not (tables / "train.json").is_file():
        raise DataError(f"There is no {tables / 'train.json'}.\nRun `headway train` first.")
    text = cards.how_good(json.loads((tables / "train.json").read_text(encoding="utf-8")))
    if page is None:
        say(text)
    else:
        cards.into(page, text)
        say(f"written: {page}")


@app.command()
def cards(
    tables: Tables = TABLES,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; default cards among the tables.")
    ] = None,
    owner: Annotated[
        Path | None,
        typer.Option(help="TOML file of the owner's answers; default data/owner.toml, where there is one."),
    ] = None,
) -> None:
    """Model card, transparency record and TRIPOD+AI checklist of the last training, as Markdown and HTML.

    Example: headway cards --owner data/owner.toml && xdg-open data/tables/cards/model-card.html
    """
    from headway.pipelines.reports import cards as stage

    answers = owner or (OWNER_ANSWERS if OWNER_ANSWERS.is_file() else None)
    for path in stage.write(tables, out or tables / "cards", answers):
        say(f"written: {path}")


@app.command()
def demo(
    raw: Raw = RAW,
    tables: Tables = TABLES,
    tracking: Tracking = None,
    schools: Annotated[
        int, typer.Option(help="Made-up schools, where there are no official files.", min=10_000)
    ] = 22000,
    registers: Registers = REGISTERS,
) -> None:
    """The main job on what lies in data/raw, or on made-up files where nothing does.

    Example: headway demo
    """
    from headway.pipelines import synthesise as stage

    started = time.monotonic()
    if not raw.is_dir() or not any(
        path.is_file() and not path.name.startswith(".") for path in raw.rglob("*")
    ):
        # Registers of real schools are nobody's to overwrite: they stay, and are left out beside made-up
        # files.
        synthesise(
            out=raw,
            seed=1,
            schools=schools,
            effect=Effect.published,
            registers=registers if stage.free(registers) else None,
            until=2026,
            monthly=False,
        )
    ingest(raw=raw, tables=tables)
    train(
        tables=tables,
        tracking=tracking,
        as_of=None,
        promote=Promote.auto,
        seed=None,
        workers=2,
        whole=False,
        years=DEMO_YEARS,
        registers=registers,
        experiment=None,
    )
    evidence(tables=tables, tracking=tracking)
    score(
        tables=tables,
        as_of=None,
        rows=None,
        output=None,
        engine=Engine.local,
        details=False,
        most_aside=None,
        similar=True,
        registers=registers,
    )
    say(f"done in {time.monotonic() - started:.0f} s. To look at it: headway explore")


@app.command()
def explore(
    tables: Tables = TABLES,
    registers: Registers = REGISTERS,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501,
) -> None:
    """Open the explorer on the current tables, on this machine only. The what-if is the champion's that made
    them.

    Example: headway explore --port 8502
    """
    import subprocess

    from headway import explorer

    pages = Path(explorer.__file__).parent
    environment = {
        **os.environ,
        "HEADWAY_TABLES": str(tables.resolve()),
        "HEADWAY_RUNS": str(runs_of(tables).resolve()),
        "HEADWAY_REGISTERS": str(registers.resolve()),
        "HEADWAY_OWNER": str(OWNER_ANSWERS.resolve()),
    }
    flags = [*streamlit_flags(pages / "settings.toml"), f"--server.port={port}"]
    command = [sys.executable, "-m", "streamlit", "run", str(pages.parent / "app.py"), *flags]
    raise typer.Exit(subprocess.call(command, env=environment))


def runs_of(folder: Path) -> Path:
    """Where the champion is that made the predictions among these tables: in `mlruns` here, or beside their
    folder.

    `mlruns` here, where no champion there or here is of their version.
    """
    import json

    from headway.pipelines import tables as kept

    try:
        made_by = kept.read(folder, "predictions", ["model_version"])["model_version"].iloc[0]
    except (kept.DataError, IndexError):
        return RUNS
    for runs in (RUNS, folder.resolve().parent / RUNS, folder.resolve().parent.parent / RUNS):
        about = runs / "champion" / "about.json"
        if about.is_file() and json.loads(about.read_text(encoding="utf-8")).get("version") == made_by:
            return runs
    return RUNS


def streamlit_flags(path: Path) -> list[str]:
    """The explorer's settings as Streamlit's options, which come before every file and variable of whoever
    starts it.
    """
    import json
    import tomllib

    def flags(told: dict[str, Any], section: str) -> list[str]:
        found = []
        for name, value in told.items():
            if isinstance(value, dict):
                found += flags(value, f"{section}{name}.")
            else:
                found.append(f"--{section}{name}={value if isinstance(value, str) else json.dumps(value)}")
        return found

    return flags(tomllib.loads(path.read_text(encoding="utf-8")), "")


# --- registers ----------------------------------------------------------------------------------------------

register = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(
    register,
    name="register",
    help="A school's or trust's own registers: made, checked, kept and removed on this "
    "machine only.\n\nExample: headway register template staff",
)
Kind = Annotated[str, typer.Argument(help="leadership-development, improvement-capacity or staff.")]
OWNER = typer.Option(help="Whose it is: trust-1234 (UID), authority-301 (code) or school-100001 (URN).")


@register.command()
def template(
    kind: Kind,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("."),
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite files of the same name.")] = False,
) -> None:
    """An empty register to fill in, and a guide to its columns.

    Example: headway register template staff --out .
    """
    from headway.pipelines import registers as stage
    from headway.pipelines.tables import DataError, write_atomically, write_text

    empty, guide = stage.template(kind), stage.guide(kind)
    paths = [out / f"{kind}.csv", out / f"{kind}-guide.md"]
    there = [str(path) for path in paths if path.exists()]
    if there and not replace:
        raise DataError(
            f"{' and '.join(there)} would be overwritten.\nSay --replace, or name another folder with --out."
        )
    write_atomically(paths[0], lambda file: file.write(empty) and None)
    write_text(paths[1], guide)
    say(f"written: {paths[0]}, {paths[1]}")


@register.command()
def check(
    target: Annotated[str, typer.Argument(help="A file, or a kind: then every register of it that is kept.")],
    owner: Annotated[str | None, OWNER] = None,
    tables: Tables = TABLES,
    registers: Registers = REGISTERS,
) -> None:
    """Every problem of a register, by row and column; nothing is kept.

    Example: headway register check staff.csv --owner trust-1234
    """
    from headway.pipelines import registers as stage

    schools, trusts, _ = _schools(tables)
    if target in stage.KINDS and not Path(target).is_file():
        found, problems, notes = stage.read_stored(registers, schools, _today(), target, trusts)
        said = f"{sum(map(len, found.values())):,} rows in {len(stage.stored(registers, target)):,} registers"
    else:
        checked = stage.check(_bytes(target), Path(target).name, schools, _today(), owner, trusts)
        problems, notes = checked.problems, checked.notes
        said = (
            f"{0 if checked.rows is None else len(checked.rows):,} rows, a register of "
            f"{checked.kind and checked.kind.name}"
        )
    if problems:
        raise stage.refused(target, problems, several=target in stage.KINDS)
    for line in [f"in order: {target}: {said}", *notes]:
        say(line)


@register.command()
def add(
    file: Annotated[Path, typer.Argument(help="The filled-in register.")],
    owner: Annotated[str, OWNER],
    tables: Tables = TABLES,
    registers: Registers = REGISTERS,
) -> None:
    """Check a register and keep it, in place of the owner's earlier one of its kind.

    Example: headway register add staff.csv --owner trust-1234
    """
    from headway.pipelines import registers as stage

    schools, trusts, source = _schools(tables)
    path, notes = stage.add(registers, owner, _bytes(file), file.name, schools, _today(), source, trusts)
    for line in [f"kept: {path}", *notes]:
        say(line)


@register.command()
def remove(
    owner: Annotated[str, typer.Argument(help="Whose: trust-1234, authority-301 or school-100001.")],
    kind: Annotated[str | None, typer.Argument(help="One kind; without it, all of the owner's.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    registers: Registers = REGISTERS,
) -> None:
    """Delete an owner's registers, or one of them.

    Example: headway register remove trust-1234 staff
    """
    from headway.pipelines import registers as stage
    from headway.pipelines.tables import DataError

    try:
        agreed = yes or typer.confirm(f"Delete {kind or 'every'} register of {owner} in {registers}?")
    except typer.Abort as error:
        raise DataError(
            "Nothing was deleted, because nobody answered.\nSay --yes to delete without being asked."
        ) from error
    if not agreed:
        say("nothing was deleted")
        return
    for path in stage.remove(registers, owner, kind):
        say(f"deleted: {path}")
    say("What was made from it goes when `headway train` and `headway score` are run again.")


@register.command("list")
def list_(registers: Registers = REGISTERS) -> None:
    """The registers kept: owner, kind, rows and newest day counted, and nothing of what they say.

    Example: headway register list
    """
    from headway.pipelines import registers as stage

    kept = stage.summary(registers, _today())
    terminal.table(
        f"Registers in {registers}",
        ["owner", "kind", "rows", "newest day counted", "problems"],
        (
            [
                row.owner,
                row.kind,
                f"{row.rows:,}",
                f"{row.newest:%Y-%m-%d}" if row.rows and row.newest == row.newest else "-",
                f"{row.problems:,}",
            ]
            for row in kept.itertuples()
        ),
    )


def _schools(tables: Path) -> tuple[Any, Any, str | None]:
    """Our tables of schools and of their trusts, and where their files come from; nothing where there is
    none.
    """
    from headway.pipelines import tables as store

    if not (tables / "schools.parquet").is_file():
        return None, None, None
    trusts = store.read(tables, "trusts") if (tables / "trusts.parquet").is_file() else None
    return store.read(tables, "schools"), trusts, store.about(tables, "schools")["data_source"]


def _bytes(path: str | Path) -> bytes:
    """A file's bytes, but of one far too large only enough to tell."""
    from headway.pipelines import registers as stage
    from headway.pipelines.tables import DataError

    try:
        with open(path, "rb") as file:
            return file.read(stage.MOST_BYTES + 1)
    except OSError as error:
        kinds = ", ".join(stage.KINDS)
        raise DataError(
            f"{path} can't be read ({error.strerror}).\nName a CSV file, or a kind: {kinds}."
        ) from error


def _today() -> Any:
    import pandas as pd

    return pd.Timestamp.now().normalize()


def _day(text: str | None) -> Any:
    import pandas as pd

    from headway.pipelines.tables import DataError

    if text is None:
        return None
    day = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    if pd.isna(day):
        raise DataError(f"--as-of {text} is not a day we can read.\nWrite it as 2025-09-01.")
    return pd.Timestamp(day)


def _mornings(texts: list[str]) -> list[Any]:
    """The days said, in order: 2011-09-01, or 2011-09-01..2025-09-01 for each year's, or every so many months
    with /3.
    """
    import pandas as pd

    from headway.pipelines.tables import DataError

    found = set()
    for text in texts:
        first, dots, rest = text.partition("..")
        last, _, step = rest.partition("/")
        if step and not (step.isascii() and step.isdigit() and int(step)):
            raise DataError(
                f"--as-of {text}: {step} is not a number of months.\nWrite it as 2011-09-01..2025-09-01/3."
            )
        days = pd.date_range(
            _day(first), _day(last if dots else first), freq=pd.DateOffset(months=int(step or 12))
        )
        if days.empty:
            raise DataError(f"--as-of {text} ends before it begins.\nWrite the earlier day first.")
        found |= {*days}
    return sorted(found)


def _log_evidence(tables: Path, tracking: str | None) -> None:
    """Keep the evidence with the run it was made from, where there is one."""
    import json

    from headway.models.registry import Registry

    told = tables / "train.json"
    if not told.is_file():
        return
    run = json.loads(told.read_text(encoding="utf-8"))["run"]
    if run is None:  # it waits to be sent
        return
    with Registry.at(tracking, RUNS).same_run(run) as mlflow:
        for name in ("evidence.json", "evidence.html"):
            mlflow.log_artifact(str(tables / name))


def main() -> None:
    """Run a command; the user's own mistakes end in one message and exit code 2, another command at work in
    75.
    """
    terminal.write_what_can_be_shown()
    try:
        app(standalone_mode=True)
    except Exception as error:
        if (explained := _explained(error)) is None:
            raise
        code, message = explained
        print(f"headway: {message}", file=sys.stderr)
        sys.exit(code)


def _explained(error: Exception) -> tuple[int, str] | None:
    """The exit code and the message for what the user's files, arguments or machine don't allow; None for a
    fault of ours.

    Imported only here: help and mistakes of arguments are then told at once, without loading pandas.
    """
    from headway.models import RegistryError
    from headway.pipelines.tables import Busy, DataError

    if isinstance(error, Busy):
        return 75, str(error)
    if isinstance(error, DataError | RegistryError):
        return 2, str(error)
    if isinstance(error, OSError) and error.errno in HINDRANCES:
        return 2, (
            f"{error.filename or 'A file'} could not be read or written ({os.strerror(error.errno)}).\n"
            f"{HINDRANCES[error.errno]} What was there before is whole."
        )
    # How Python holds the bytes of a name that are no text.
    if isinstance(error, UnicodeEncodeError) and re.search("[\udc80-\udcff]", error.object):
        return 2, (
            "the name of a folder or file is not text in this machine's encoding of names (we are in "
            f"{Path.cwd()}).\n"
            "Work in a folder whose name is, or set PYTHONUTF8=1."
        )
    return None


if __name__ == "__main__":
    main()
