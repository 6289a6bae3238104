"""What was found: the claims, what it would take, what files are worth, the study."""

from pathlib import Path
from typing import Annotated

import typer

from headway.pipelines.cli.shared import REGISTERS, RUNS, TABLES, Registers, Tables, Tracking, app, runs_of
from headway.pipelines.reports import terminal
from headway.pipelines.reports.terminal import say


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
    result = sturdy.sturdier(
        stage.evidence(
            examples, store.read(tables, "backtest"), data_source=about["data_source"], on_cards=on_cards
        ),
        examples,
    )
    store.write_json(tables / "evidence.json", result)
    store.write_text(tables / "evidence.html", evidence_report.report(result))
    for claim in result["claims"]:
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
    result = stage.power(schools, results, data_source=about["data_source"], seed=seed)
    store.write_json(tables / "power.json", result)
    store.write_text(tables / "power.html", power_report.report(result))
    for line in result["summary"]:
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
            for question in result["questions"]
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
    result = stage.worth(
        tables, champion, workers=workers, newest=years, registers=registers, curves=curves, say=say
    )
    store.write_json(tables / "worth.json", result)
    store.write_text(tables / "worth.html", worth_report.report(result))
    for line in result["summary"]:
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

    result = stage.study(tables, peers)
    if make:
        makes = {
            "evidence": lambda: evidence(tables=tables, tracking=tracking),
            "power": lambda: power(tables=tables, seed=0),
            "worth": lambda: worth(tables=tables, years=3, curves=True, workers=2, registers=registers),
        }
        for row in result["missing"]:
            if row["part"] in makes:
                say(f"{row['part']}: {row['why']}, so it is made first")
                makes[row["part"]]()
        result = stage.study(tables, peers)
    store.write_json(tables / "study.json", result)
    store.write_text(tables / "study.html", study_report.report(result))
    for line in result["summary"]:
        say(f"{line['head']}: {line['text']}")
    for row in result["missing"]:
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
