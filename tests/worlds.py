"""Made-up Englands that several files of tests look at, each made once a run and read by whichever process
needs it.

A test that changes something copies it first: `linked` costs nothing, and is for folders in which files are
only replaced.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from headway.pipelines import ingest
from headway.pipelines.synthesise import synthesise

ROOT = Path(__file__).parents[1]
ENOUGH = 3700  # the fewest schools whose inspections fill a fold in 2014/15: training takes no fewer
FEW = 300  # the fewest of which some have left a trust, and some have all three registers
PROGRAMME = "Plantedprogramme"  # a word that somebody typed into the registers of the strong world
_FEW_FILES = re.compile(r"edubaseall|Aug_2023|31_August_2025|2018_england_(census|ks2final|abs)|made-up")
# Runs commands one after another in one process, and between them says on both outputs that one has ended.
_COMMANDS = """
import json, sys
from headway.pipelines.__main__ import app
for words in json.loads(sys.argv[1]):
    app(words, standalone_mode=False)
    for output in (sys.stdout, sys.stderr):
        print("\\x00", file=output, flush=True)
"""


def once(base: Path, name: str) -> Path:
    """The folder of the world of that name under `base`, made where it isn't there yet; another process waits
    for it.
    """
    folder, whole = base / name, base / f"{name}.whole"
    base.mkdir(parents=True, exist_ok=True)
    with FileLock(base / f"{name}.lock"):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)  # what a failure left
            folder.mkdir()
            WORLDS[name](folder)
            whole.touch()
    return folder


def linked(source: Path, target: Path) -> Path:
    """A folder with the same files under their names: to add to, take from or replace in, never to write into
    one.
    """
    return Path(shutil.copytree(source, target, copy_function=os.link))


def commands(folder: Path, *jobs: tuple[str, ...]) -> list[str]:
    """What each command says, run in a folder in one process; all have to end well, without a word of
    complaint.
    """
    told = subprocess.run(
        [sys.executable, "-c", _COMMANDS, json.dumps(jobs)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    said, complaints = (
        [part.removeprefix("\n") for part in text.split("\x00")] for text in (told.stdout, told.stderr)
    )
    assert told.returncode == 0 and not "".join(complaints), (
        f"headway {jobs[len(said) - 1 :]}:\n{said[-1][-2000:]}\n{complaints[-1][-4000:]}"
    )
    return said[:-1]


def said(folder: Path) -> dict[str, str]:
    """What each command said that was run in a world's folder."""
    return json.loads(folder.with_suffix(".json").read_text("utf-8"))


def _files(folder: Path) -> None:
    """Official files and registers of a world in which the gap multiplies the odds by 2.5, a word typed into
    the registers.
    """
    words = (
        "synthesise",
        "--out",
        "data/raw",
        "--registers",
        "data/registers",
        "--seed",
        "3",
        "--schools",
        str(ENOUGH),
        "--effect",
        "strong",
    )
    (told,) = commands(folder, words)
    typed = 0
    for path in (folder / "data/registers").rglob("leadership-development.csv"):
        before = path.read_text("utf-8")
        path.write_text(before.replace("Trust middle leader programme", PROGRAMME), "utf-8")
        typed += PROGRAMME in path.read_text("utf-8")
    assert typed > 5
    folder.with_suffix(".json").write_text(json.dumps({"synthesise": told}), "utf-8")


def _strong(folder: Path) -> None:
    """Where the main job was done from the command line, on the same files."""
    files = once(folder.parent, "files")
    linked(files / "data", folder / "data")
    jobs = [("ingest",), ("train", "--no-whole"), ("evidence",), ("score",), ("register", "list")]
    told = dict(zip((job[0] for job in jobs), commands(folder, *jobs), strict=True))
    folder.with_suffix(".json").write_text(json.dumps(said(files) | told), "utf-8")


def _nothing(folder: Path) -> None:
    """Files, registers and tables of an England in which nothing has an effect."""
    synthesise(folder / "raw", seed=1, schools=ENOUGH, effect="none", registers=folder / "registers")
    ingest.ingest(folder / "raw", folder / "tables")


def _small(folder: Path) -> None:
    """Files, registers and tables of a few schools."""
    synthesise(folder / "raw", seed=5, schools=FEW, registers=folder / "registers")
    ingest.ingest(folder / "raw", folder / "tables")


def _other(folder: Path) -> None:
    """The same as `small` of another seed, its files alone."""
    synthesise(folder / "raw", seed=6, schools=FEW)


def _few(folder: Path) -> None:
    """A few of the files of `small` under raw and of `other` under other, for what doesn't hang on how many;
    and tables of both.
    """
    for name, world in (("raw", "small"), ("other", "other")):
        linked(once(folder.parent, world) / "raw", folder / name)
        for path in (folder / name).rglob("*"):
            if path.is_file() and not _FEW_FILES.search(path.name):
                path.unlink()
    for name, tables in (("raw", "tables"), ("other", "other_tables")):
        ingest.ingest(folder / name, folder / tables)


WORLDS = {
    "files": _files,
    "strong": _strong,
    "nothing": _nothing,
    "small": _small,
    "other": _other,
    "few": _few,
}
