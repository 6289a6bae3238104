"""Every command killed at random moments: what it leaves can be used, and the next run ends as if nothing had
happened.

Makes up an England, does the whole job once, then kills one command after another at a moment drawn from its
usual time. After each kill every table is read and held to its declaration, the champion is loaded, the
versions that `champion` and `challenger` name have whole runs; then the same command is run to its end.

    python benchmarks/kills.py --kills 20 --seed 1

Prints a line a kill; ends with 1 if anything was lost. About half a minute a kill.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# As of an early morning training has one fold, so that most of it is reading and writing; `month` is these in
# a row.
TRAIN = ("train", "--no-whole", "--as-of", "2015-09-01", "--promote", "force")
COMMANDS = (
    ("ingest",),
    TRAIN,
    ("evidence",),
    ("score",),
    ("cards",),
    ("monitor",),
    ("rollback", "--to", "1"),
)
FINE = (0, 3)  # 3 says that a limit of monitoring was passed


def started(folder: Path, words: tuple[str, ...]) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "headway", *words],
        cwd=folder,
        start_new_session=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def done(folder: Path, *words: str) -> float:
    """Seconds a command took to its end. Raises `AssertionError` with what it said where it ended badly."""
    since = time.monotonic()
    running = started(folder, words)
    _, complaint = running.communicate(timeout=1200)
    assert running.returncode in FINE, (
        f"headway {' '.join(words)} ended with {running.returncode}:\n{complaint[-3000:]}"
    )
    return time.monotonic() - since


def held(folder: Path) -> str:
    """The champion's version, once every table, the champion and the registry have been found whole."""
    from headway.models.champion import Champion
    from headway.models.registry import MODEL, Registry
    from headway.pipelines import tables

    for path in (folder / "data" / "tables").glob("*.parquet"):
        tables.conform(tables.read(path.parent, path.stem), path.stem)
    registry = Registry.at(None, folder / "mlruns")
    for alias in ("champion", "challenger"):
        if alias in registry.client().get_registered_model(MODEL).aliases:
            version = registry.client().get_model_version_by_alias(MODEL, alias)
            assert registry.client().get_run(version.run_id).info.status == "FINISHED", (
                f"{alias} names half a run"
            )
    return Champion.load(registry.champion_folder).about["version"]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--kills", type=int, default=20)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--schools", type=int, default=4500)
    given = asked.parse_args()
    chance = random.Random(given.seed)
    lost = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        done(
            folder,
            "synthesise",
            "--out",
            "data/raw",
            "--schools",
            str(given.schools),
            "--registers",
            "data/registers",
        )
        done(folder, "ingest")
        done(folder, *TRAIN)  # a champion to roll back to
        usual = {words: done(folder, *words) for words in COMMANDS}
        for number in range(1, given.kills + 1):
            words = chance.choice(COMMANDS)
            after = chance.uniform(0, 0.8 * usual[words])  # so that few end before
            running = started(folder, words)
            try:
                running.wait(timeout=after)
                how = "ended before"
            except subprocess.TimeoutExpired:
                running.kill()
                running.communicate()
                how = "killed"
            try:
                held(folder)
                took = done(folder, *words)
                print(
                    f"{number:2} {words[0]:9} {how} after {after:5.1f} s of {usual[words]:5.1f}: all whole, "
                    "then done in "
                    f"{took:.1f} s; champion {held(folder)}",
                    flush=True,
                )
            except Exception as error:  # every kind of loss counts, and the next kill is tried all the same
                lost += 1
                print(
                    (
                        f"{number:2} {words[0]:9} {how} after {after:5.1f} s: LOST {type(error).__name__}: "
                        f"{error}"
                    ),
                    flush=True,
                )
    print(f"{given.kills} kills, {lost} with something lost")
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
