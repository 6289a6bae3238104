"""A fitted model as plain files: what batch jobs, the explorer's what-if and `mlflow models serve` read.

LightGBM's own text and JSON; nothing is pickled and nothing is run on loading. Replaced whole, in one rename.
"""

import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.conformal import ChanceIntervals, GradeSets, spans
from models.estimators import STAY, UP, Departures


@dataclass
class Champion:
    """A candidate for each outcome, its grade sets and intervals, and what is known about it (`about`)."""

    overall: Departures
    leadership: Departures | None
    sets: GradeSets
    intervals: ChanceIntervals
    about: dict[str, Any] = field(default_factory=dict)

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
        """Write the files to a folder of their own and put it in the place of `folder` in one step."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        for name, text in self.as_files().items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_text(text, encoding="utf-8")
        fresh.chmod(0o755)  # mkdtemp's folders are their maker's alone
        old = folder.parent / f".{folder.name}.old"
        if folder.exists():  # where it doesn't, a save was killed between two renames and `old` is all there is
            shutil.rmtree(old, ignore_errors=True)
            os.rename(folder, old)
        os.rename(fresh, folder)
        shutil.rmtree(old, ignore_errors=True)

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
        if not (folder / "about.json").is_file():  # killed between two renames: the old one still stands beside it
            beside = folder.parent / f".{folder.name}.old"
            folder = beside if (beside / "about.json").is_file() else folder
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        uncertainty = json.loads((folder / "uncertainty.json").read_text(encoding="utf-8"))
        leadership = folder / "leadership"
        return cls(
            Departures.from_files(folder / "overall"),
            Departures.from_files(leadership) if leadership.is_dir() else None,
            GradeSets(**uncertainty["sets"]), ChanceIntervals(**uncertainty["intervals"]), about,
        )  # fmt: skip
