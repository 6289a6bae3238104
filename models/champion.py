"""A fitted model as plain files: what batch jobs, the explorer's what-if and `mlflow models serve` read.

LightGBM's own text and JSON, and its backtest as parquet; nothing is pickled and nothing is run on loading. Replaced whole,
in one rename.
"""

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.conformal import ChanceIntervals, GradeSets, spans
from models.estimators import STAY, UP, Departures

BACKTEST = "backtest.parquet"
# As mkstemp and mkdtemp name what is written beside its place: a killed command leaves it behind.
TEMPORARY = re.compile(r"\.(.+\.(parquet|json|csv|html|md)|champion|\d{8}T.+)\.[a-z0-9_]{8}")


def replace_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder of its own and put it in the place of `folder` in one step; where `fill` raises, nothing changes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        fill(fresh)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    fresh.chmod(0o755)  # mkdtemp's folders are their maker's alone
    move_folder(fresh, folder)


def move_folder(fresh: Path, folder: Path) -> None:
    """Put a folder in the place of another, which is then gone; killed midway, the old one stands beside: see `standing`."""
    old = folder.parent / f".{folder.name}.old"
    if folder.exists():  # where it doesn't, a save was killed between two renames and `old` is all there is
        shutil.rmtree(old, ignore_errors=True)
        os.rename(folder, old)
    os.rename(fresh, folder)
    shutil.rmtree(old, ignore_errors=True)


def sweep(folder: Path, older_than: float = 3600) -> list[str]:
    """The names of the hidden temporaries a killed command left in a folder, now removed.

    Only those untouched for so many seconds: a command that is running has its own.
    """
    left = [path for path in folder.glob(".*") if TEMPORARY.fullmatch(path.name)
            and time.time() - path.stat().st_mtime > older_than]  # fmt: skip
    for path in left:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    return sorted(path.name for path in left)


def standing(folder: Path) -> Path:
    """The folder itself, or, where a save was killed between its two renames, the old one that still stands beside it."""
    beside = folder.parent / f".{folder.name}.old"
    return beside if not (folder / "about.json").is_file() and (beside / "about.json").is_file() else folder


@dataclass
class Champion:
    """A candidate for each outcome, its grade sets and intervals, and what is known about it (`about`).

    `backtest` is what it said in each fold of rows it had not seen; the next candidate is compared with it there. It is
    kept beside the files and not read back by `load`, which nothing that predicts needs.
    """

    overall: Departures
    leadership: Departures | None
    sets: GradeSets
    intervals: ChanceIntervals
    about: dict[str, Any] = field(default_factory=dict)
    backtest: pd.DataFrame | None = None

    @property
    def signals(self) -> list[str]:
        return self.about["signals"]

    def predict(self, signals: pd.DataFrame, state: pd.DataFrame) -> pd.DataFrame:
        """The chances of each next rank and of improving, with set, interval and the recent rate, one row a row."""
        rank = state["overall"].to_numpy(dtype=int)
        chances = self.overall.predict(signals[self.signals], state)
        ranks, now = np.arange(1, 5)[None, :], rank[:, None]
        improve, same, worse = ((chances * which).sum(axis=1) for which in (ranks < now, ranks == now, ranks > now))
        top = rank == 1
        low, high = self.intervals.around(np.clip(np.where(top, same, improve), 1e-6, 1 - 1e-6), rank)
        side = np.where(top, STAY, UP)
        rate = self.overall.recent.at(state)[np.arange(len(state)), np.maximum(rank + side, 1) - 1]
        return pd.DataFrame({
            "p_improve": np.where(top, np.nan, improve), "p_same": same, "p_worse": worse,
            "p_stay": np.where(top, same, np.nan),
            **{f"p_grade_{grade}": chances[:, grade - 1] for grade in (1, 2, 3, 4)},
            "grade_set": spans(self.sets.members(chances, rank)), "p_low": low, "p_high": high, "base_rate": rate,
        }, index=state.index)  # fmt: skip

    def save(self, folder: Path) -> None:
        """Write the files in the place of `folder`, in one step."""
        replace_folder(folder, self.write)

    def write(self, folder: Path) -> None:
        for name, text in self.as_files().items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        if self.backtest is not None:
            self.backtest.to_parquet(folder / BACKTEST, index=False, write_page_checksum=True)

    def as_files(self) -> dict[str, str]:
        files = {f"overall/{name}": text for name, text in self.overall.as_files().items()}
        if self.leadership:
            files |= {f"leadership/{name}": text for name, text in self.leadership.as_files().items()}
        files["uncertainty.json"] = json.dumps({"sets": vars(self.sets), "intervals": vars(self.intervals)}, indent=1)
        files["about.json"] = json.dumps(self.about, indent=1, sort_keys=True)
        return files

    @classmethod
    def load(cls, folder: Path) -> "Champion":
        """The model in a folder. Raises `FileNotFoundError` where there is none."""
        folder = standing(folder)
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        uncertainty = json.loads((folder / "uncertainty.json").read_text(encoding="utf-8"))
        leadership = folder / "leadership"
        return cls(
            Departures.from_files(folder / "overall"),
            Departures.from_files(leadership) if leadership.is_dir() else None,
            GradeSets(**uncertainty["sets"]), ChanceIntervals(**uncertainty["intervals"]), about,
        )  # fmt: skip
