"""A fitted model as plain files: what batch jobs, the explorer's what-if and `mlflow models serve` read.

LightGBM's own text and JSON, and its backtest as parquet; nothing is pickled and nothing is run on loading.
Replaced whole, in one rename. A manifest beside them has the hash of each, and nothing is read that differs
from it.
"""

import hashlib
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

from headway.models import AlteredError
from headway.models.conformal import ChanceIntervals, GradeSets, spans
from headway.models.estimators import STAY, UP, Departures
from headway.models.report_cards import Prior, ReportCards

BACKTEST, CARDS_BACKTEST, MANIFEST = "backtest.parquet", "backtest_cards.parquet", "manifest.json"
# that a fit depends on, as their publishers spell them
LIBRARIES = ("lightgbm", "numpy", "pandas", "scikit-learn", "scipy")
ATTEMPTS = 20  # to load a champion that another command replaces meanwhile
# As mkstemp and mkdtemp name what is written beside its place: a killed command leaves it behind.
TEMPORARY = re.compile(r"\.(.+\.(parquet|json|csv|html|md)|champion|\d{8}T.+)\.[a-z0-9_]{8}")


def libraries() -> dict[str, str]:
    """The installed versions of the libraries that a fit depends on."""
    from importlib.metadata import version

    return {name: version(name) for name in LIBRARIES}


def replace_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder of its own and put it in the place of `folder` in one step; where `fill` raises, nothing
    changes.
    """
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
    """Put a folder in the place of another, which is then gone; killed midway, the old one stands beside: see
    `standing`.
    """
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
    left = [
        path
        for path in folder.glob(".*")
        if TEMPORARY.fullmatch(path.name) and time.time() - path.stat().st_mtime > older_than
    ]
    for path in left:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    return sorted(path.name for path in left)


def standing(folder: Path) -> Path:
    """The folder itself, or, where a save was killed between its two renames, the old one that still stands
    beside it.
    """
    beside = folder.parent / f".{folder.name}.old"
    return beside if not (folder / "about.json").is_file() and (beside / "about.json").is_file() else folder


def seal(folder: Path, **facts: str) -> None:
    """Write the manifest of a champion's files: the hash of each, the model, what fitted it, and such facts
    as its run.
    """
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    told = {
        "model_version": about.get("version"),
        "libraries": about.get("libraries", {}),
        **facts,
        "files": _hashes(folder),
    }
    (folder / MANIFEST).write_text(json.dumps(told, indent=1), encoding="utf-8")


def verify(folder: Path) -> None:
    """Raises `AlteredError` where a champion's files aren't those of its manifest, no more and no fewer."""
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        result = _hashes(folder)
        differ = [f"missing: {name}" for name in told.keys() - result.keys()]
        differ += [f"added: {name}" for name in result.keys() - told.keys()]
        differ += [f"changed: {name}" for name in told.keys() & result.keys() if told[name] != result[name]]
    except FileNotFoundError:
        differ = [f"no {MANIFEST}: it was changed by hand, or an earlier Headway wrote it"]
    except (ValueError, KeyError, TypeError, AttributeError):
        differ = [f"{MANIFEST} can't be read"]
    if differ:
        raise AlteredError(
            "\n  ".join([f"The champion in {folder} is not as it was promoted:", *sorted(differ)])
            + (
                "\nBring it back with `headway rollback --to VERSION` (`headway promotions` says which), or "
                "remove the folder "
                "and run `headway train`."
            )
        )


def _hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file but the manifest and hidden ones, by its path."""
    paths = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        name.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in paths.items()
        if name.as_posix() != MANIFEST and not any(part.startswith(".") for part in name.parts)
    }


def _identity(place: Path) -> tuple[Path, int, int] | None:
    """What tells a champion's folder from the one that takes its place, and from itself once it is moved
    aside.
    """
    try:
        result = place.stat()
    except OSError:
        return None
    return place, result.st_ino, result.st_mtime_ns


@dataclass
class Champion:
    """A candidate for each outcome, its grade sets and intervals, and what is known about it (`about`).

    `cards` is the forecast of report cards, which starts from both. `backtest` is what it said in each fold
    of rows it had not seen, `cards_backtest` what it said month by month of report cards; the next candidate
    is compared with it there. Both are kept beside the files and not read back by `load`, which nothing that
    predicts needs.
    """

    overall: Departures
    leadership: Departures | None
    sets: GradeSets
    intervals: ChanceIntervals
    about: dict[str, Any] = field(default_factory=dict)
    backtest: pd.DataFrame | None = None
    cards: ReportCards | None = None
    cards_backtest: pd.DataFrame | None = None

    @property
    def signals(self) -> list[str]:
        return self.about["signals"]

    @property
    def state(self) -> list[str]:
        """The columns of `state` that `answers` takes."""
        return ["overall", "cell", "group", *(self.cards.inputs if self.cards else [])]

    def predict(
        self, signals: pd.DataFrame, state: pd.DataFrame, chances: np.ndarray | None = None
    ) -> pd.DataFrame:
        """The chances of each next rank and of improving, with set, interval and the recent rate, one row a
        row.

        `chances` are those of each next rank, where they were asked for already (`prior`).
        """
        rank = state["overall"].to_numpy(dtype=int)
        chances = self.overall.predict(signals[self.signals], state) if chances is None else chances
        ranks, now = np.arange(1, 5)[None, :], rank[:, None]
        improve, same, worse = (
            (chances * which).sum(axis=1) for which in (ranks < now, ranks == now, ranks > now)
        )
        top = rank == 1
        low, high = self.intervals.around(np.clip(np.where(top, same, improve), 1e-6, 1 - 1e-6), rank)
        side = np.where(top, STAY, UP)
        rate = self.overall.recent.at(state)[np.arange(len(state)), np.maximum(rank + side, 1) - 1]
        return pd.DataFrame(
            {
                "p_improve": np.where(top, np.nan, improve),
                "p_same": same,
                "p_worse": worse,
                "p_stay": np.where(top, same, np.nan),
                **{f"p_grade_{grade}": chances[:, grade - 1] for grade in (1, 2, 3, 4)},
                "grade_set": spans(self.sets.members(chances, rank)),
                "p_low": low,
                "p_high": high,
                "base_rate": rate,
            },
            index=state.index,
        )

    def prior(self, signals: pd.DataFrame, state: pd.DataFrame) -> Prior:
        """What the models of grades say of report cards; rows without a grade are blank in it."""
        return Prior.of(self.overall, self.leadership, signals, state)

    def answers(self, signals: pd.DataFrame, state: pd.DataFrame) -> pd.DataFrame:
        """Both answers of a row, as the served model gives them: of its next grade, and of its next report
        card.
        """
        result = self.predict(signals, state)
        if not self.cards:
            return result
        asked = self.cards.judged_in(state)
        chances = self.cards.chances(
            self.prior(signals, state), signals, state, asked, self.cards.own_card(state)
        )
        return result.join(pd.DataFrame(self.cards.wide(chances, asked), index=state.index))

    def save(self, folder: Path) -> None:
        """Write the files in the place of `folder`, in one step."""
        replace_folder(folder, self.write)

    def write(self, folder: Path) -> None:
        for name, text in self.as_files().items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        for name, rows in ((BACKTEST, self.backtest), (CARDS_BACKTEST, self.cards_backtest)):
            if rows is not None:
                rows.to_parquet(folder / name, index=False, write_page_checksum=True)
        seal(folder)

    def as_files(self) -> dict[str, str]:
        files = {f"overall/{name}": text for name, text in self.overall.as_files().items()}
        if self.leadership:
            files |= {f"leadership/{name}": text for name, text in self.leadership.as_files().items()}
        files["uncertainty.json"] = json.dumps(
            {"sets": vars(self.sets), "intervals": vars(self.intervals)}, indent=1
        )
        if self.cards:
            files["standards.json"] = json.dumps(self.cards.as_dict(), indent=1)
        files["about.json"] = json.dumps(self.about, indent=1, sort_keys=True)
        return files

    @classmethod
    def load(cls, folder: Path) -> "Champion":
        """The model in a folder. Raises `FileNotFoundError` where there is none, `AlteredError` where it
        isn't as promoted.
        """
        for _ in range(ATTEMPTS):
            place = standing(folder)
            before = _identity(place)
            try:
                if (place / "about.json").is_file() or (place / MANIFEST).is_file():
                    verify(place)
                result = cls.read(place)
            except (AlteredError, OSError):
                if _identity(standing(folder)) == before:
                    raise
            else:
                if _identity(standing(folder)) == before:
                    return result
        raise AlteredError(
            f"The champion in {folder} is replaced over and over.\nWait for the other commands to end."
        )

    @classmethod
    def read(cls, folder: Path) -> "Champion":
        """The model of files that were verified already, or are older than manifests."""
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        uncertainty = json.loads((folder / "uncertainty.json").read_text(encoding="utf-8"))
        leadership = folder / "leadership"
        return cls(
            Departures.from_files(folder / "overall"),
            Departures.from_files(leadership) if leadership.is_dir() else None,
            GradeSets(**uncertainty["sets"]),
            ChanceIntervals(**uncertainty["intervals"]),
            about,
            cards=ReportCards.from_dict(json.loads(cards.read_text(encoding="utf-8")))
            if (cards := folder / "standards.json").is_file()
            else None,
        )
