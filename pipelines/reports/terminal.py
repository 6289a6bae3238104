"""What commands say on a terminal: lines, tables, and a bar where a person would wait; plain lines where
nobody watches.
"""

import contextlib
import io
import sys
from collections.abc import Iterable, Iterator
from typing import Any


def write_what_can_be_shown() -> None:
    """From now on, what the terminal's encoding doesn't have is printed as its code, and no line fails for
    it.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def bar(what: str) -> Any:
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
def steps(what: str) -> Iterator[Any]:
    """A bar moved by share done, on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=1.0)
        yield lambda share, next_: progress.update(task, completed=share, description=f"{what}: {next_}")


@contextlib.contextmanager
def downloads() -> Iterator[tuple[Any, Any]]:
    """What says a line, and what moves a bar for the file under way: on a terminal; elsewhere there is no
    bar.
    """
    if not sys.stderr.isatty():
        yield say, None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(20), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        task = progress.add_task("", total=None)
        yield (
            lambda line: progress.console.print(line, soft_wrap=True, markup=False, highlight=False),
            lambda name, done, total: progress.update(
                task, description=name[-32:], completed=done, total=total
            ),
        )


def table(title: str, columns: list[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print a table: two hundred characters wide where nobody watches, so that no cell is folded away."""
    from rich.console import Console
    from rich.table import Table

    width = None if sys.stdout.isatty() else 200
    grid = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for at, column in enumerate(columns):
        grid.add_column(column, justify="left" if at == 0 else "right", overflow="fold")
    for row in rows:
        grid.add_row(*(str(cell) for cell in row))
    Console(width=width).print(grid)


def ingested(report: dict[str, Any]) -> None:
    """Print what ingest read, kept and set aside, file by file."""

    def aside(file: dict[str, Any]) -> str:
        return "; ".join([f"{n:,} {why}" for why, n in file["set_aside"].items()] + file["notes"])

    table(
        "Files read",
        ["file", "read as", "dated", "rows", "kept", "set aside, and notes"],
        (
            [
                f["file"],
                f["release"],
                f["dated"] or "no date",
                f"{f['rows_read']:,}",
                f"{f['rows_kept']:,}",
                aside(f),
            ]
            for f in report["files"]
        ),
    )
    for name, why in report["not_needed"].items():
        say(f"not needed: {name}: {why}")
    for why, n in report["set_aside"].items():
        if n:
            say(f"set aside: {n:,} {why}")
    odd = [check for check in report["checks"] if check.get("breached")]
    say(
        f"checks: {len(report['checks']):,} of what a true release is like, {len(odd):,} out of the usual "
        "range and accepted"
    )
    for check in odd:
        say(
            f"accepted: {check['name']}:{check['file']}, {check['about']}: {check['figure']:g}"
            + (f": {check['known']}" if "known" in check else "")
        )
    say("tables: " + ", ".join(f"{name} {n:,}" for name, n in report["rows"].items()))
    say(
        f"{report['data_source']} files, the newest of {report['newest_file_on']}; what they were read as "
        "is kept for next time, "
        f"{report['kept_bytes'] / 1e6:,.0f} MB beside the tables"
    )
    if report.get("as_before"):
        say("nothing has changed since these tables were made: they stand as they are")


def _figure(value: Any, form: str = ".3f") -> str:
    return "-" if value is None or value != value else format(value, form)


def _with_interval(row: dict[str, Any], name: str) -> str:
    return (
        f"{_figure(row[name])} ({_figure(row[f'{name}_low'], '.2f')} to "
        f"{_figure(row[f'{name}_high'], '.2f')})"
    )


def trained(report: dict[str, Any]) -> None:
    """Print the backtest and everything else the training found, as tables."""
    mine = [row for row in report["scores"] if row["model"] == "champion"]
    table(
        "Backtest of the chosen candidate, on schools that could improve; 95% intervals",
        [
            "fold",
            "n",
            "improved",
            "mean chance",
            "skill over grade and phase",
            "skill over their last two years",
            "AUC within Good",
            "AUC within RI",
            "slope",
        ],
        (
            [
                row["fold"],
                f"{row['n']:,}",
                _figure(row["rate"]),
                _figure(row["mean_p"]),
                _with_interval(row, "skill"),
                _with_interval(row, "skill_two_years"),
                _with_interval(row, "auc_2"),
                _with_interval(row, "auc_3"),
                _figure(row["slope"], ".2f"),
            ]
            for row in mine
        ),
    )
    table(
        "Means over folds",
        ["model", "Brier", "skill", "skill over two years", "AUC Good", "AUC RI", "slope", "|gap|"],
        (
            [
                row["model"],
                *(
                    _figure(row[key])
                    for key in ("brier", "skill", "skill_two_years", "auc_2", "auc_3", "slope", "mean_gap")
                ),
            ]
            for row in report["means"]
        ),
    )
    no_better = [row["fold"] for row in mine if row["skill_two_years_low"] <= 0]
    say(
        "no better than the last two years' rates could be (interval across 0) in: "
        + (", ".join(no_better) or "no fold")
    )
    table(
        "Chosen in each fold, on the folds before it",
        ["fold", "candidate", "half-life of the recent rate, years"],
        ([row["fold"], row["candidate"], row["half_life"]] for row in report["choices"]),
    )
    table(
        "Grade sets promised at 90%",
        ["where", "n", "held", "mean size"],
        (
            [
                " ".join(str(row[k]) for k in ("fold", "overall", "next_framework") if k in row) or "all",
                f"{row['n']:,}",
                _figure(row["coverage"]),
                _figure(row["mean_size"], ".2f"),
            ]
            for row in report["coverage"]
            if not ("fold" in row and "overall" in row)
        ),
    )
    table(
        "Below good next time, caught among the schools most at risk (best published: 65% and 85%)",
        [
            "fold",
            "below good",
            "in the riskiest 10%",
            "most possible",
            "in the riskiest 20%",
            "most possible",
        ],
        (
            [
                row["fold"],
                f"{row['below_good']:,} of {row['n']:,}",
                *(
                    f"{row[key]:.0%}"
                    for key in ("caught_10%", "most_possible_10%", "caught_20%", "most_possible_20%")
                ),
            ]
            for row in report["caught"]
        ),
    )
    if "ablation" in report:
        table(
            (
                "What each family adds to all the others (share of Brier, same rows, 95% interval), and "
                "skill "
                "with and without"
            ),
            ["family", "all", "within Good", "within RI", "skill with", "without", "says"],
            (
                [
                    name,
                    *(
                        f"{row['gain']:+.2%} ({row['gain_low']:+.2%} to {row['gain_high']:+.2%})"
                        for row in rows[:3]
                    ),
                    _figure(rows[0]["skill_with"], ".4f"),
                    _figure(rows[0]["skill_without"], ".4f"),
                    rows[0]["verdict"],
                ]
                for name, rows in _by_family(report["ablation"])
            ),
        )
    if "audit" in report:
        table(
            "Where columns of later-dated files are blanked (origins of every column: train.json)",
            ["fold", "rows blanked", "Brier as is", "blanked"],
            (
                [
                    row["fold"],
                    f"{row['rows_blanked']:,}",
                    _figure(row["brier_as_is"], ".4f"),
                    _figure(row["brier_blanked"], ".4f"),
                ]
                for row in report["audit"]["blanked"]
            ),
        )
    if "censoring" in report:
        table(
            "Weighted so that schools re-inspected quickly count no more than others (ridge)",
            [
                "fold",
                "inspected",
                "Brier plain",
                "weighted",
                "mean chance of all that could improve, plain",
                "weighted",
            ],
            (
                [
                    row["fold"],
                    f"{row['inspected']:,} of {row['could_improve']:,}",
                    _figure(row["brier_plain"], ".4f"),
                    _figure(row["brier_weighted"], ".4f"),
                    _figure(row["mean_p_all_plain"]),
                    _figure(row["mean_p_all_weighted"]),
                ]
                for row in report["censoring"]
            ),
        )
    table(
        "By group: what came less what was said, and skill over grade and phase; 95% intervals",
        ["group", "n", "improved", "mean chance", "came less said", "skill"],
        (
            [f"{row['by']}: {row['group']}", f"{row['n']:,}", "too few", "", "", ""]
            if row["too_few"]
            else [
                f"{row['by']}: {row['group']}",
                f"{row['n']:,}",
                _figure(row["rate"]),
                _figure(row["mean_p"]),
                _with_interval(row, "gap"),
                _with_interval(row, "skill"),
            ]
            for row in report["fairness"]
        ),
    )
    table(
        "By where the next grade comes from",
        ["source", "n", "Brier", "skill over grade and phase"],
        (
            [row["label_source"], f"{row['n']:,}", _figure(row["brier"]), _figure(row["skill"])]
            for row in report["by_source"]
        ),
    )
    for off in report["families_off"]:
        say(f"off: {off}, a family no model uses by default")
    if report["signals_blank"]:
        say("made without, because the files don't hold them: " + ", ".join(report["signals_blank"]))
    for name, n in report["signals_too_few"].items():
        say(f"held for too few schools to learn from: {name}, {n} outcomes")
    final = report["final"]
    where = (
        "not registered"
        if report["unsent"]
        else f"run {report['run']}, version {report['registered_version']}"
    )
    say(f"model {report['model_version']}: {final['candidate']}, half-life {final['half_life']}, {where}")
    told = report["promotion"]
    if report["promoted"]:
        say("promoted to champion:" if told["earned"] else "promoted to champion by force, although:")
    else:
        say(
            "not promoted: --promote never. It earned it:"
            if told["earned"] and told["asked"] == "never"
            else "not promoted: its run has not been sent yet."
            if told["earned"]
            else "not promoted:"
        )
    for reason in told["reasons"]:
        say(f"- {reason}")


def _by_family(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    names = dict.fromkeys(row["family"] for row in rows)
    return [(name, [row for row in rows if row["family"] == name]) for name in names]
