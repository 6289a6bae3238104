"""The command line `headway`: each command reads tables, calls one function and writes tables.

Exit codes: 0 done, 2 the user's files or arguments (one message, nothing half-written), 3 a stated limit was
passed, 75 another headway command is writing there.
"""

import errno
import os
import re
import sys
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


def this_day() -> Any:
    import pandas as pd

    return pd.Timestamp.now().normalize()


def day_named(text: str | None) -> Any:
    import pandas as pd

    from headway.pipelines.tables import DataError

    if text is None:
        return None
    day = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    if pd.isna(day):
        raise DataError(f"--as-of {text} is not a day we can read.\nWrite it as 2025-09-01.")
    return pd.Timestamp(day)


def mornings_named(texts: list[str]) -> list[Any]:
    """The days said, in order: 2011-09-01, or 2011-09-01..2025-09-01 for each year's, or every so many months
    with /3.
    """
    import pandas as pd

    from headway.pipelines.tables import DataError

    result = set()
    for text in texts:
        first, dots, rest = text.partition("..")
        last, _, step = rest.partition("/")
        if step and not (step.isascii() and step.isdigit() and int(step)):
            raise DataError(
                f"--as-of {text}: {step} is not a number of months.\nWrite it as 2011-09-01..2025-09-01/3."
            )
        days = pd.date_range(
            day_named(first), day_named(last if dots else first), freq=pd.DateOffset(months=int(step or 12))
        )
        if days.empty:
            raise DataError(f"--as-of {text} ends before it begins.\nWrite the earlier day first.")
        result |= {*days}
    return sorted(result)


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
