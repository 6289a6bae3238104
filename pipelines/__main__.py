"""The command line `headway`: each command reads tables, calls one function and writes tables.

Exit codes: 0 done, 2 the user's files or arguments (one message, nothing half-written), 3 a stated limit was passed.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

# Threads that wait by spinning slow a shared machine fifty-fold, so every library counts on one. Set before any loads.
for _name, _value in {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
                      "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}.items():  # fmt: skip
    os.environ.setdefault(_name, _value)

import typer  # noqa: E402

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
                  help="Will this school improve at its next inspection? From official files to a probability.")  # fmt: skip

Raw = Annotated[Path, typer.Option(help="Folder of official files.")]
Tables = Annotated[Path, typer.Option(help="Folder of our tables.")]
Tracking = Annotated[str | None, typer.Option(help="MLflow store; default sqlite:///mlruns/mlflow.db.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="The morning to ask from, as 2025-09-01; default the day "
                                                          "after the newest file.")]  # fmt: skip
DEMO_YEARS = 3  # the demo judges on the newest only, to be done in two minutes
RAW, TABLES, RUNS = Path("data/raw"), Path("data/tables"), Path("mlruns")


class Promote(StrEnum):
    auto = "auto"
    never = "never"
    force = "force"


class Effect(StrEnum):
    none = "none"
    published = "published"
    strong = "strong"


@app.command()
def ingest(raw: Raw = RAW, tables: Tables = TABLES) -> None:
    """Read data/raw into data/tables, and report every file.

    Example: headway ingest --raw data/raw --tables data/tables
    """
    from pipelines import ingest as stage

    report = stage.ingest(raw, tables, _bar("reading"))
    _print_ingest(report)


@app.command()
def train(tables: Tables = TABLES, tracking: Tracking = None, as_of: AsOf = None,
          promote: Annotated[Promote, typer.Option(help="Make the result champion: if it earns it, never, or anyway.")]
          = Promote.auto,
          seed: Annotated[int, typer.Option(help="Seed of the boosted trees.")] = 0,
          workers: Annotated[int, typer.Option(help="Processes for the folds; the result doesn't depend on it.")] = 2,
          whole: Annotated[bool, typer.Option(help="Also what each family adds, quick re-inspection, and the audit of "
                                                   "leaks: parts that fit the folds again.")] = True,
          years: Annotated[int | None, typer.Option(help="Judge on the newest so many academic years only.", min=1)] = None
          ) -> None:  # fmt: skip
    """Backtest, fit, calibrate and register; promote to champion only what earns it.

    Example: headway train --as-of 2025-10-01 --promote never
    """
    from models.registry import Registry
    from pipelines import train as stage

    report = stage.train(tables, Registry.at(tracking, RUNS), morning=_day(as_of), promote=promote.value, seed=seed,
                         workers=workers, whole=whole, newest=years, say=_say, progress=_bar("folds"))  # fmt: skip
    _print_train(report)


@app.command()
def evidence(tables: Tables = TABLES, tracking: Tracking = None) -> None:
    """Test the claims the project comes from: evidence.json, and evidence.html to read.

    Example: headway evidence && xdg-open data/tables/evidence.html
    """
    from pipelines import evidence as stage
    from pipelines import evidence_report
    from pipelines import tables as store

    about = store.about(tables, "examples")
    found = stage.evidence(store.read(tables, "examples"), store.read(tables, "backtest"), data_source=about["data_source"])
    store.write_json(tables / "evidence.json", found)
    store.write_text(tables / "evidence.html", evidence_report.report(found))
    for claim in found["claims"]:
        _say(f"{claim['id']}: {claim['verdict_words']}")
    _log_evidence(tables, tracking)
    _say(f"written: {tables / 'evidence.json'}, {tables / 'evidence.html'}")


@app.command()
def score(tables: Tables = TABLES, as_of: AsOf = None,
          output: Annotated[Path | None, typer.Option(help="Parquet to write; default predictions.parquet among the "
                                                           "tables. A CSV goes beside it.")] = None,
          similar: Annotated[bool, typer.Option(help="Also find the schools most like each one.")] = True) -> None:  # fmt: skip
    """Predictions for every open school, from the champion; nothing is trained.

    Example: headway score --as-of 2025-10-01
    """
    from pipelines import score as stage
    from pipelines import tables as store

    champion = stage.load(RUNS / "champion")
    made, about = stage.score(tables, champion, _day(as_of), similar and output is None)
    rows = store.conform(made["predictions"], "predictions")  # so that both copies have the same columns in the same order
    folder, name = (tables, "predictions") if output is None else (output.parent, output.stem)
    store.write(folder, made if output is None else {"predictions": rows}, about=about, named={"predictions": name})
    stage.write_csv(rows, folder / f"{name}.csv")
    counts = rows["status"].value_counts()
    _say(f"cohort {rows['as_of'].iloc[0]:%Y-%m-%d}: {len(rows):,} open = "
         + " + ".join(f"{n:,} {status}" for status, n in counts.items()))  # fmt: skip
    _say(f"written: {folder / f'{name}.parquet'} (model {champion.about['version']}, {about['data_source']} files)")


@app.command()
def synthesise(out: Annotated[Path, typer.Option(help="Folder to write to; it may hold made-up files only.")],
               seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
               schools: Annotated[int, typer.Option(help="How many schools.", min=20)] = 22000,
               effect: Annotated[Effect, typer.Option(help="The effect of the leadership gap to plant.")] = Effect.published
               ) -> None:  # fmt: skip
    """Made-up official files in the official layouts, with a known effect planted in them.

    Example: headway synthesise --out data/raw --seed 1 --effect none
    """
    from pipelines import synthesise as stage

    with _steps("writing made-up files") as step:
        stage.synthesise(out, seed=seed, schools=schools, effect=effect.value, progress=step)
    _say(f"written: {schools:,} made-up schools, effect “{effect.value}”, in {out}")


@app.command()
def how_good(tables: Tables = TABLES,
             page: Annotated[Path | None, typer.Option(help="A Markdown page to put it in, between its marks.")] = None
             ) -> None:  # fmt: skip
    """The backtest in words and tables, from the last training; printed, or put into a page.

    Example: headway how-good --page README.md
    """
    import json

    from pipelines import cards
    from pipelines.tables import DataError

    if not (tables / "train.json").is_file():
        raise DataError(f"There is no {tables / 'train.json'}.\nRun `headway train` first.")
    text = cards.how_good(json.loads((tables / "train.json").read_text(encoding="utf-8")))
    if page is None:
        _say(text)
    else:
        cards.into(page, text)
        _say(f"written: {page}")


@app.command()
def demo(raw: Raw = RAW, tables: Tables = TABLES, tracking: Tracking = None,
         schools: Annotated[int, typer.Option(help="Made-up schools, where there are no official files.", min=2000)] = 22000
         ) -> None:  # fmt: skip
    """The main job on what lies in data/raw, or on made-up files where nothing does.

    Example: headway demo
    """
    started = time.monotonic()
    if not raw.is_dir() or not any(path.is_file() and not path.name.startswith(".") for path in raw.rglob("*")):
        synthesise(raw, 1, schools, Effect.published)
    ingest(raw, tables)
    train(tables, tracking, None, Promote.auto, 0, 2, whole=False, years=DEMO_YEARS)
    evidence(tables, tracking)
    score(tables, None, None)
    _say(f"done in {time.monotonic() - started:.0f} s. To look at it: headway explore")


@app.command()
def explore(tables: Tables = TABLES, port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501) -> None:
    """Open the explorer on the current tables, on this machine only.

    Example: headway explore --port 8502
    """
    import subprocess

    script = Path(__file__).resolve().parent.parent / "app.py"
    environment = {**os.environ, "HEADWAY_TABLES": str(tables.resolve()), "HEADWAY_RUNS": str(RUNS.resolve())}
    raise typer.Exit(subprocess.call([sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)],
                                     env=environment))  # fmt: skip


# --- what commands say ------------------------------------------------------------------------------------------------


def _say(line: str) -> None:
    print(line, flush=True)


def _day(text: str | None) -> Any:
    import pandas as pd

    from pipelines.tables import DataError

    if text is None:
        return None
    try:
        return pd.Timestamp(pd.to_datetime(text, format="%Y-%m-%d"))
    except ValueError as error:
        raise DataError(f"--as-of {text} is not a day we can read.\nWrite it as 2025-09-01.") from error


def _bar(what: str) -> Any:
    """A progress bar over an iterable, on a terminal; nothing elsewhere."""

    def over(steps: Iterable, total: int) -> Iterator:
        from rich.progress import track

        if not sys.stderr.isatty():
            yield from steps
            return
        from rich.console import Console

        yield from track(steps, description=what, total=total, console=Console(stderr=True), transient=True)

    return over


@contextlib.contextmanager
def _steps(what: str) -> Iterator[Any]:
    """A bar moved by share done, on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=1.0)
        yield lambda share, next_: progress.update(task, completed=share, description=f"{what}: {next_}")


def _table(title: str, columns: list[str], rows: Iterable[Iterable[Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    width = None if sys.stdout.isatty() else 200
    grid = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for at, column in enumerate(columns):
        grid.add_column(column, justify="left" if at == 0 else "right", overflow="fold")
    for row in rows:
        grid.add_row(*(str(cell) for cell in row))
    Console(width=width).print(grid)


def _print_ingest(report: dict[str, Any]) -> None:
    def aside(file: dict[str, Any]) -> str:
        return "; ".join([f"{n:,} {why}" for why, n in file["set_aside"].items()] + file["notes"])

    _table("Files read", ["file", "read as", "dated", "rows", "kept", "set aside, and notes"],
           ([f["file"], f["release"], f["dated"] or "no date", f"{f['rows_read']:,}", f"{f['rows_kept']:,}", aside(f)]
            for f in report["files"]))  # fmt: skip
    for name, why in report["not_needed"].items():
        _say(f"not needed: {name}: {why}")
    for why, n in report["set_aside"].items():
        if n:
            _say(f"set aside: {n:,} {why}")
    _say("tables: " + ", ".join(f"{name} {n:,}" for name, n in report["rows"].items()))
    _say(f"{report['data_source']} files, the newest of {report['newest_file_on']}")


def _figure(value: Any, form: str = ".3f") -> str:
    return "-" if value is None or value != value else format(value, form)


def _with_interval(row: dict[str, Any], name: str) -> str:
    return f"{_figure(row[name])} ({_figure(row[f'{name}_low'], '.2f')} to {_figure(row[f'{name}_high'], '.2f')})"


def _print_train(report: dict[str, Any]) -> None:
    mine = [row for row in report["scores"] if row["model"] == "champion"]
    _table("Backtest of the chosen candidate, on schools that could improve; 95% intervals",
           ["fold", "n", "improved", "mean chance", "skill over grade and phase", "skill over their last two years",
            "AUC within Good", "AUC within RI", "slope"],
           ([row["fold"], f"{row['n']:,}", _figure(row["rate"]), _figure(row["mean_p"]), _with_interval(row, "skill"),
             _with_interval(row, "skill_two_years"), _with_interval(row, "auc_2"), _with_interval(row, "auc_3"),
             _figure(row["slope"], ".2f")] for row in mine))  # fmt: skip
    _table("Means over folds", ["model", "Brier", "skill", "skill over two years", "AUC Good", "AUC RI", "slope", "|gap|"],
           ([row["model"], *(_figure(row[key]) for key in ("brier", "skill", "skill_two_years", "auc_2", "auc_3", "slope",
                                                           "mean_gap"))] for row in report["means"]))  # fmt: skip
    no_better = [row["fold"] for row in mine if row["skill_two_years_low"] <= 0]
    _say("no better than the last two years' rates could be (interval across 0) in: " + (", ".join(no_better) or "no fold"))
    _table("Chosen in each fold, on the folds before it", ["fold", "candidate", "half-life of the recent rate, years"],
           ([row["fold"], row["candidate"], row["half_life"]] for row in report["choices"]))  # fmt: skip
    _table("Grade sets promised at 90%", ["where", "n", "held", "mean size"],
           ([" ".join(str(row[k]) for k in ("fold", "overall", "next_framework") if k in row) or "all", f"{row['n']:,}",
             _figure(row["coverage"]), _figure(row["mean_size"], ".2f")]
            for row in report["coverage"] if not ("fold" in row and "overall" in row)))  # fmt: skip
    _table("Below good next time, caught among the schools most at risk (best published: 65% and 85%)",
           ["fold", "below good", "in the riskiest 10%", "most possible", "in the riskiest 20%", "most possible"],
           ([row["fold"], f"{row['below_good']:,} of {row['n']:,}", *(f"{row[key]:.0%}" for key in (
               "caught_10%", "most_possible_10%", "caught_20%", "most_possible_20%"))] for row in report["caught"]))  # fmt: skip
    if "ablation" in report:
        _table("What each family adds to all the others (share of Brier, same rows, 95% interval)",
               ["family", "all", "within Good", "within RI", "says"],
               ([name, *(f"{row['gain']:+.2%} ({row['gain_low']:+.2%} to {row['gain_high']:+.2%})" for row in rows[:3]),
                 rows[0]["verdict"]] for name, rows in _by_family(report["ablation"])))  # fmt: skip
    if "audit" in report:
        _table("Where columns of later-dated files are blanked (origins of every column: train.json)",
               ["fold", "rows blanked", "Brier as is", "blanked"],
               ([row["fold"], f"{row['rows_blanked']:,}", _figure(row["brier_as_is"], ".4f"),
                 _figure(row["brier_blanked"], ".4f")] for row in report["audit"]["blanked"]))  # fmt: skip
    if "censoring" in report:
        _table("Weighted so that schools re-inspected quickly count no more than others (ridge)",
               ["fold", "inspected", "Brier plain", "weighted", "mean chance of all that could improve, plain", "weighted"],
               ([row["fold"], f"{row['inspected']:,} of {row['could_improve']:,}", _figure(row["brier_plain"], ".4f"),
                 _figure(row["brier_weighted"], ".4f"), _figure(row["mean_p_all_plain"]), _figure(row["mean_p_all_weighted"])]
                for row in report["censoring"]))  # fmt: skip
    _table("By group: what came less what was said, and skill over grade and phase; 95% intervals",
           ["group", "n", "improved", "mean chance", "came less said", "skill"],
           ([f"{row['by']}: {row['group']}", f"{row['n']:,}", "too few", "", "", ""] if row["too_few"] else
            [f"{row['by']}: {row['group']}", f"{row['n']:,}", _figure(row["rate"]), _figure(row["mean_p"]),
             _with_interval(row, "gap"), _with_interval(row, "skill")] for row in report["fairness"]))  # fmt: skip
    _table("By where the next grade comes from", ["source", "n", "Brier", "skill over grade and phase"],
           ([row["label_source"], f"{row['n']:,}", _figure(row["brier"]), _figure(row["skill"])]
            for row in report["by_source"]))  # fmt: skip
    for off in report["families_off"]:
        _say(f"off: {off}, a family no model uses by default")
    if report["signals_blank"]:
        _say("made without, because the files don't hold them: " + ", ".join(report["signals_blank"]))
    final = report["final"]
    _say(f"model {report['model_version']}: {final['candidate']}, half-life {final['half_life']}, run {report['run']}, "
         f"version {report['registered_version']}")  # fmt: skip
    _say(("promoted to champion: " if report["promoted"] else "not promoted: ") + report["promotion"]["why"])


def _by_family(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    names = dict.fromkeys(row["family"] for row in rows)
    return [(name, [row for row in rows if row["family"] == name]) for name in names]


def _log_evidence(tables: Path, tracking: str | None) -> None:
    """Keep the evidence with the run it was made from, where there is one."""
    import json

    from models.registry import Registry

    told = tables / "train.json"
    if not told.is_file():
        return
    run = json.loads(told.read_text(encoding="utf-8"))["run"]
    with Registry.at(tracking, RUNS).same_run(run) as mlflow:
        for name in ("evidence.json", "evidence.html"):
            mlflow.log_artifact(str(tables / name))


def main() -> None:
    """Run a command; the user's own mistakes end in one message and exit code 2."""
    from models import RegistryError
    from pipelines.tables import DataError

    try:
        app(standalone_mode=True)
    except (DataError, RegistryError) as error:
        print(f"headway: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
