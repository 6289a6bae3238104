"""Made-up files, the pages about a run, the demo and the explorer."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from headway.pipelines.cli.files import ingest
from headway.pipelines.cli.findings import evidence
from headway.pipelines.cli.learning import train
from headway.pipelines.cli.scoring import score
from headway.pipelines.cli.shared import (
    OWNER_ANSWERS,
    RAW,
    REGISTERS,
    TABLES,
    Effect,
    Engine,
    Promote,
    Raw,
    Registers,
    Tables,
    Tracking,
    app,
    runs_of,
)
from headway.pipelines.reports import terminal
from headway.pipelines.reports.terminal import say

DEMO_YEARS = 3  # the demo judges on the newest only, to be done in two minutes


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


def streamlit_flags(path: Path) -> list[str]:
    """The explorer's settings as Streamlit's options, which come before every file and variable of whoever
    starts it.
    """
    import json
    import tomllib

    def flags(told: dict[str, Any], section: str) -> list[str]:
        result = []
        for name, value in told.items():
            if isinstance(value, dict):
                result += flags(value, f"{section}{name}.")
            else:
                result.append(f"--{section}{name}={value if isinstance(value, str) else json.dumps(value)}")
        return result

    return flags(tomllib.loads(path.read_text(encoding="utf-8")), "")
