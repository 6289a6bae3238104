"""A search for better settings of the learners inside the walk-forward folds, of which the last is never
searched on.

Optuna proposes, and keeps every trial in `tune.db` of the registry's folder, so a search that ends, however
it ends, is gone on with by the same command. The study's name is a hash of all that the answer depends on:
other data, code or settings are another study. Nothing is promoted here: the winner is a file that `headway
train --experiment` takes.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from headway.models.estimators import CANDIDATES
from headway.models.registry import Registry
from headway.pipelines import (
    as_of,
    evaluate,
    experiments,
    inspections,
    promotion,
    provenance,
    signals,
    tables,
    train,
)
from headway.pipelines.as_of import Fold
from headway.pipelines.evaluate import FEWEST_JUDGED, OVERALL
from headway.pipelines.experiments import Experiment
from headway.pipelines.tables import Busy, DataError

# From where to where each setting is searched for, on a logarithmic scale but for the fractions. An
# experiment that starts outside widens it.
SPACE: dict[str, tuple[float, float]] = {
    "learning_rate": (0.01, 0.2),
    "num_leaves": (3, 31),
    "min_data_in_leaf": (20, 640),
    "lambda_l2": (1.0, 200.0),
    "feature_fraction": (0.2, 1.0),
    "bagging_fraction": (0.4, 1.0),
    "rounds": (50, 600),
    "penalty": (20.0, 2000.0),
    "half_life": (0.25, 8.0),
}


@dataclass(frozen=True)
class Task:
    """What every trial answers: the folds searched on and the last one, on these rows, with these signals."""

    rows: pd.DataFrame
    given: list[str]
    candidate: str
    seed: int
    searched: list[Fold]
    last: Fold
    workers: int


def tune(
    folder: Path,
    registry: Registry,
    *,
    trials: int = 30,
    minutes: float | None = None,
    experiment: Experiment | None = None,
    out: Path = Path("experiments"),
    workers: int = 2,
    registers: Path | None = None,
    say: Callable[[str], None] = print,
    progress: Callable[[Iterable, int], Iterable] | None = None,
) -> dict[str, Any]:
    """Search on for so many trials, starting none after so many minutes; writes the winner, and returns what
    was found.

    It starts from an experiment, by default ours, and tunes the richest of its candidates. Raises `DataError`
    where there are too few folds, and `Busy` where another search is at work in the registry's folder.
    """
    start = experiment or Experiment()
    basis = {
        key: value for key, value in provenance.made_from(folder, registers, start).items() if key != "whole"
    }
    name = hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:8]
    task = _task(folder, start, registers, workers, say)
    registry.check(say)
    return search(
        task, registry, name, start, trials=trials, minutes=minutes, out=out, say=say, progress=progress
    )


@train.nothing_left_behind()
def search(
    task: Task,
    registry: Registry,
    name: str,
    start: Experiment,
    *,
    trials: int,
    out: Path,
    minutes: float | None = None,
    say: Callable[[str], None] = print,
    progress: Callable[[Iterable, int], Iterable] | None = None,
) -> dict[str, Any]:
    """Go on with the study of this name, or begin it with the start itself as the first trial.

    The objective is what candidates are chosen by: the ranked probability score, meaned over grades and
    folds. `beats` says whether the winner is better than the start by more than its interval on the last
    fold, which it was not chosen on.
    """
    from filelock import FileLock, Timeout

    folds, last = task.searched, task.last.name
    registry.root.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(registry.root / "tune.lock", timeout=0):
            study = _study(registry, name, start)
            held = len(_done(study))
            say(
                f"study {name}: "
                + (f"goes on from {held:,} trials" if held else "new")
                + f"; searched on {len(folds)} folds, "
                f"{folds[0].name} to {folds[-1].name}, by {task.candidate}; {last} is left alone"
            )
            _try(study, task, start, trials, minutes, registry, say, progress)
            result = _found(study, task, start) | {"study": name, "added": len(_done(study)) - held}
            note = "\n".join([f"Written by `headway tune`, study {name}.", *lines(result)])
            text = experiments.as_toml(_recipe(study.best_trial.params, start), note)
            tables.write_text(out / f"tuned-{name}.toml", text)
            metrics = {
                f"{where}_{key}": result[where][key]
                for where in ("searched", "last")
                for key in ("gain", "gain_low", "gain_high")
            }
            result["run"] = registry.study(
                f"tune {name}",
                experiments.params(start),
                _told(study, start),
                metrics,
                {"experiment.toml": text, "study.json": json.dumps(result)},
            )
            return result | {"written": str(out / f"tuned-{name}.toml")}
    except Timeout as error:
        raise Busy(
            f"Another `headway tune` is at work in {registry.root}.\nWait for it, or try again."
        ) from error


def lines(found: dict[str, Any]) -> list[str]:
    """What was found, in words: the winner beside what it started from, where it was searched for and where
    it wasn't.
    """
    best, last, searched = found["best"], found["last"], found["searched"]
    if best["trial"] == found["start"]["trial"]:
        return [
            (
                f"none of {found['trials']:,} trials beats the start, whose score is {best['score']:.5f}: "
                "keep "
                "the start"
            )
        ]
    said = [
        f"best of {found['trials']:,} trials: number {best['trial']}, score {best['score']:.5f}; the start's "
        f"{found['start']['score']:.5f}",
        "it does otherwise: " + ("; ".join(best["unlike"]) or "nothing"),
        f"on the folds searched on, {_words(searched)}; this flatters it, because it was chosen there",
        f"on {last['fold']}, which no trial saw, {_words(last)}",
    ]
    if found["looked"] > 1:
        said.append(
            f"{last['fold']} has now been looked at for {found['looked']} winners; each look makes it less "
            "of a test"
        )
    if found["beats"]:
        return [*said, "it beats the start by more than its interval"]
    return [*said, "nothing found beats the start by more than its interval: keep the start"]


def _words(row: dict[str, Any]) -> str:
    return (
        f"{row['gain']:+.2%} better ({row['gain_low']:+.2%} to {row['gain_high']:+.2%}) on {row['n']:,} "
        "outcomes"
    )


# --- what a trial answers -----------------------------------------------------------------------------------


def _task(
    folder: Path, start: Experiment, registers: Path | None, workers: int, say: Callable[[str], None]
) -> Task:
    known, about, notes = signals.read_known(folder, registers)
    for note in notes:
        say(note)
    morning = pd.Timestamp(about["newest_file_on"]) + pd.Timedelta(days=1)
    every = train.examples(known, train.mornings(known["coverage"], morning, start))
    asked = as_of.outcomes_known(every, morning, inspections.NOT_YET)
    folds = evaluate.folds(asked)[-start.newest if start.newest else 0 :]
    if len(folds) < 2:
        raise DataError(
            "There is too little to search on: two academic years that can be judged on are needed, one of "
            "them to "
            f"be left alone, and there {'is one' if folds else 'is none'}.\n"
            "Add the all-inspections files of earlier years to data/raw."
        )
    held = train.outcomes_with(asked, start)
    given = list(held.index[held >= train.FEWEST_HELD])
    richest = [name for name in CANDIDATES if name in start.candidates][-1]
    return Task(evaluate.usable(asked, OVERALL), given, richest, start.seed, folds[:-1], folds[-1], workers)


def errors(task: Task, settings: Experiment, folds: list[Fold]) -> pd.DataFrame:
    """The ranked probability score of every unseen row of these folds, and what it weighs: each grade of each
    fold alike.

    A grade of which a fold has too few weighs nothing, unless all have.
    """
    from joblib import Parallel, delayed

    parts = Parallel(n_jobs=min(task.workers, len(folds)))(
        delayed(_asked)(
            fold,
            task.rows[fold.learned(task.rows)],
            task.rows[fold.unseen(task.rows)],
            task.given,
            task.candidate,
            settings.half_lives[0],
            task.seed,
            settings.fitting,
        )
        for fold in folds
    )
    rows = pd.concat(parts, ignore_index=True)
    size = rows.groupby(["fold", "overall"])["rps"].transform("size")
    enough = size.ge(FEWEST_JUDGED) if size.ge(FEWEST_JUDGED).any() else size.gt(0)
    return rows.assign(weight=(1 / size).where(enough, 0.0))


def _asked(
    fold: Fold,
    learned: pd.DataFrame,
    unseen: pd.DataFrame,
    given: list[str],
    candidate: str,
    half_life: float | None,
    seed: int,
    fitting: dict[str, Any],
) -> pd.DataFrame:
    model = evaluate.fit(
        learned, given, fold.morning, candidate=candidate, half_life=half_life, seed=seed, **fitting
    )
    chances = model.predict(unseen[given], evaluate.state(unseen))
    each = evaluate.ranked_distances(chances, unseen["next_overall"].to_numpy("int64"))
    return pd.DataFrame(
        {
            "fold": fold.morning,
            "lineage": unseen["lineage"].to_numpy(),
            "overall": unseen["overall"].to_numpy("int64"),
            "rps": each,
        }
    )


def score(rows: pd.DataFrame) -> float:
    """The mean over folds and grades of the mean over schools: what `errors` weighs out."""
    return float(np.average(rows["rps"], weights=rows["weight"]))


def _gain(mine: pd.DataFrame, other: pd.DataFrame) -> dict[str, Any]:
    """How much lower the first's score is than the other's, as a share, with its interval: promotion's own
    comparison.
    """
    pairs = pd.DataFrame(
        {
            "lineage": mine["lineage"],
            "error": mine["rps"] * mine["weight"],
            "other": other["rps"] * other["weight"],
        }
    )
    row = promotion.compare(pairs[mine["weight"].gt(0)])[0]
    return {key: row[key] for key in ("n", "schools", "gain", "gain_low", "gain_high")}


def _recipe(params: dict[str, Any], start: Experiment) -> Experiment:
    """A trial's settings in place of the start's, to three figures: so that the file says just what was
    tried.
    """
    tidy = {
        name: value if isinstance(value, int) else float(f"{value:.3g}") for name, value in params.items()
    }
    boosting = start.boosting | {name: tidy[name] for name in start.boosting if name in tidy}
    return replace(
        start,
        boosting=boosting,
        rounds=tidy["rounds"],
        penalty=tidy["penalty"],
        half_lives=(tidy.get("half_life", start.options.default[1]),),
    )


# --- the study ----------------------------------------------------------------------------------------------


def _study(registry: Registry, name: str, start: Experiment) -> Any:
    """The study of this name, as it was left; a trial that was killed under way is given up."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.RDBStorage(f"sqlite:///{registry.root / 'tune.db'}")
    study = optuna.create_study(storage=storage, study_name=name, load_if_exists=True)
    for trial in study.get_trials(states=[optuna.trial.TrialState.RUNNING]):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    # A sampler that began from the same seed again would propose what it proposed before.
    study.sampler = optuna.samplers.TPESampler(seed=start.seed + len(study.trials))
    there = study.get_trials(states=[optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.WAITING])
    if not any(trial.user_attrs.get("start") for trial in there):
        study.enqueue_trial(_started_from(start), user_attrs={"start": True})
    return study


def _done(study: Any) -> list[Any]:
    return [trial for trial in study.trials if trial.state.name == "COMPLETE"]


def _started_from(start: Experiment) -> dict[str, Any]:
    given = {
        **start.boosting,
        "rounds": start.rounds,
        "penalty": start.penalty,
        "half_life": start.options.default[1],
    }
    # a half-life of None is not searched around
    return {name: given[name] for name in SPACE if given[name] is not None}


def _space(start: Experiment) -> dict[str, Any]:
    from optuna.distributions import FloatDistribution, IntDistribution

    result = {}
    for name, value in _started_from(start).items():
        low, high = min(SPACE[name][0], value), max(SPACE[name][1], value)
        log = not name.endswith("_fraction") and low > 0
        result[name] = (
            IntDistribution(low, high, log=log)
            if isinstance(value, int)
            else FloatDistribution(low, high, log=log)
        )
    return result


def _try(
    study: Any,
    task: Task,
    start: Experiment,
    trials: int,
    minutes: float | None,
    registry: Registry,
    say: Callable[[str], None],
    progress: Callable[[Iterable, int], Iterable] | None,
) -> None:
    until = time.monotonic() + (math.inf if minutes is None else 60 * minutes)
    for _ in progress(range(trials), trials) if progress else range(trials):
        if time.monotonic() >= until:
            say(f"no more trials: {minutes:g} minutes are over")
            break
        trial = study.ask(_space(start))
        value = score(errors(task, _recipe(trial.params, start), task.searched))
        study.tell(trial, value)
        registry.study(f"tune {study.study_name}", experiments.params(start), _told(study, start))
        say(
            f"trial {trial.number}: score {value:.5f}; the best so far {study.best_value:.5f}, trial "
            f"{study.best_trial.number}"
        )
    if not any(trial.user_attrs.get("start") for trial in _done(study)):
        raise DataError(f"No trial was made.\nGive it longer than --minutes {minutes:g}.")


def _told(study: Any, start: Experiment) -> dict[str, tuple[dict[str, Any], dict[str, float]]]:
    return {
        f"trial {trial.number}": (experiments.params(_recipe(trial.params, start)), {"score": trial.value})
        for trial in _done(study)
    }


def _found(study: Any, task: Task, start: Experiment) -> dict[str, Any]:
    """The winner and the start on the folds searched on and, once for each winner, on the last."""
    best, first = study.best_trial, next(trial for trial in _done(study) if trial.user_attrs.get("start"))
    winner, plain = (_recipe(trial.params, start) for trial in (best, first))
    looks = study.user_attrs.get("last", {})
    if best.number == first.number:  # nothing to look at the last fold for
        nothing = {"n": 0, "schools": 0, "gain": 0.0, "gain_low": 0.0, "gain_high": 0.0}
        looks = looks | {str(best.number): {"searched": nothing, "last": nothing}}
    elif str(best.number) not in looks:
        looks |= {
            str(best.number): {
                where: _gain(errors(task, winner, folds), errors(task, plain, folds))
                for where, folds in (("searched", task.searched), ("last", [task.last]))
            }
        }
        study.set_user_attr("last", looks)
    gains = looks[str(best.number)]
    return {
        "trials": len(_done(study)),
        "candidate": task.candidate,
        "folds": [fold.name for fold in task.searched],
        "start": {"trial": first.number, "score": first.value},
        "searched": gains["searched"],
        "best": {"trial": best.number, "score": best.value, "unlike": experiments.unlike(winner, plain)},
        "last": {"fold": task.last.name, **gains["last"]},
        "looked": len(looks),
        "beats": gains["last"]["gain_low"] > 0,
    }
