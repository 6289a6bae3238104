"""What a training may do otherwise: a TOML file of overrides, checked whole, resolved against our defaults,
kept with its run.

Every setting is declared once, as a field of `Experiment`: its default, which is the constant that governs
it, what may stand there, and a sentence. What is not a setting (when a label counts, what a fold may know)
can't be changed here.
"""

import json
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from headway.models.estimators import BOOSTING, CANDIDATES, PENALTY, ROUNDS, Departures
from headway.pipelines import evaluate, inspections, signals
from headway.pipelines.tables import DataError

NEVER, ALL = "never", "all"  # how a file says None, for which TOML has no word
LEAST = {"num_leaves": 2, "max_bin": 2, "bagging_freq": 0}  # of LightGBM's whole numbers; 1 for the others


# --- what may stand in a file: each reads a value, or raises ValueError saying what was expected ------------


def _whole(least: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or value < least:
            raise ValueError(f"expected a whole number, {least} or more, and found {_shown(value)}")
        return value

    return read


def _number(most: float = float("inf"), zero: bool = False) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if (
            type(value) not in (int, float)
            or not (0 < value <= most or zero and value == 0)
            or value == float("inf")
        ):
            words = f"a number {'from' if zero else 'over'} 0" + (
                "" if most == float("inf") else f" to {most:g}"
            )
            raise ValueError(f"expected {words}, and found {_shown(value)}")
        return float(value)

    return read


def _or(word: str, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same, or a word for None."""

    def either(value: Any) -> Any:
        if value == word:
            return None
        try:
            return read(value)
        except ValueError as error:
            raise ValueError(str(error).replace(", and found", f', or "{word}", and found')) from error

    return either


def _list(read: Callable[[Any], Any]) -> Callable[[Any], tuple]:
    def every(value: Any) -> tuple:
        if not isinstance(value, list) or not value:
            raise ValueError(f"expected a list of one or more, and found {_shown(value)}")
        result = tuple(read(each) for each in value)
        if len(set(result)) < len(result):
            raise ValueError(f"something stands twice in {_shown(value)}")
        return result

    return every


def _names(of: Iterable[str]) -> Callable[[Any], tuple[str, ...]]:
    """Some of these names, in our order."""
    known = tuple(of)

    def some(value: Any) -> tuple[str, ...]:
        result = _list(lambda each: each if isinstance(each, str) else str(each))(value)
        strange = [
            f"there is no {_shown(name)}{_nearest(name, known)}" for name in result if name not in known
        ]
        if strange:
            raise ValueError("; ".join(strange))
        return tuple(name for name in known if name in result)

    return some


def _months(value: Any) -> tuple[int, ...]:
    result = _list(_whole(1))(value)
    if max(result) > 12 or not set(inspections.MONTHS) <= set(result):
        raise ValueError(
            f"expected months, 1 to 12, with 9 among them, the folds', and found {_shown(value)}"
        )
    return tuple(sorted(result))


def _boosting(value: Any) -> dict[str, Any]:
    """All of LightGBM's settings, those given in place of ours."""
    if not isinstance(value, dict):
        raise ValueError(f"expected a table [boosting], and found {_shown(value)}")
    resolved, problems = dict(BOOSTING), []
    for name, given in value.items():
        if name not in BOOSTING:
            problems.append(f"there is no {_shown(name)}{_nearest(name, BOOSTING)}")
            continue
        whole = isinstance(BOOSTING[name], int)
        most = 1.0 if name.endswith("_fraction") else float("inf")
        read = _whole(LEAST.get(name, 1)) if whole else _number(most, zero=name.startswith("lambda"))
        try:
            resolved[name] = read(given)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise ValueError("; ".join(problems))
    return resolved


# --- the settings -------------------------------------------------------------------------------------------


def _setting(default: Any, read: Callable[[Any], Any], sentence: str) -> Any:
    facts = {"read": read, "sentence": sentence}
    return (
        field(default_factory=lambda: dict(default), metadata=facts)
        if isinstance(default, dict)
        else field(default=default, metadata=facts)
    )


@dataclass(frozen=True)
class Experiment:
    """Every setting of a training; without a file, ours."""

    families: tuple[str, ...] = _setting(
        tuple(name for name in signals.FAMILIES if name not in signals.OFF),
        _names(signals.FAMILIES),
        f"Families of signals the models may use, of: {', '.join(signals.FAMILIES)}.",
    )
    candidates: tuple[str, ...] = _setting(
        tuple(CANDIDATES), _names(CANDIDATES), f"Candidates that may be chosen, of: {', '.join(CANDIDATES)}."
    )
    half_lives: tuple[float | None, ...] = _setting(
        evaluate.HALF_LIVES,
        _list(_or(NEVER, _number())),
        (
            "Years in which an outcome comes to count half towards the recent rate, to choose among; or "
            f'"{NEVER}".'
        ),
    )
    mornings: tuple[int, ...] = _setting(
        inspections.MONTHS,
        _months,
        "Months on whose first day training asks about every school; 9 must be one.",
    )
    newest: int | None = _setting(
        None, _or(ALL, _whole(1)), f'Academic years to be judged on, the newest; or "{ALL}".'
    )
    seed: int = _setting(Departures.seed, _whole(0), "Seed of the boosted trees.")
    rounds: int = _setting(ROUNDS, _whole(1), "Boosted trees.")
    penalty: float = _setting(PENALTY, _number(zero=True), "Penalty on the squared slopes of the regression.")
    boosting: dict[str, Any] = _setting(BOOSTING, _boosting, "LightGBM's settings.")

    @property
    def fitting(self) -> dict[str, Any]:
        """What `evaluate.fit` takes of it."""
        return {"settings": self.boosting, "rounds": self.rounds, "penalty": self.penalty}

    @property
    def options(self) -> evaluate.Options:
        """What the folds may choose among."""
        return evaluate.Options(self.candidates, self.half_lives)


SETTINGS = {each.name: each for each in fields(Experiment)}


# --- in and out of files ------------------------------------------------------------------------------------


def read(path: Path) -> Experiment:
    """The experiment a TOML file describes. Raises `DataError` naming everything in it that can't stand."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} can't be read ({getattr(error, 'strerror', None) or error}).\n"
            "Name a TOML file of settings; experiments/no-intake.toml is an example."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise DataError(
            f"{path} is not TOML: {error}.\nexperiments/no-intake.toml shows how to write it."
        ) from error
    return of(content, str(path))


def asked(path: Path | None, **instead: Any) -> Experiment:
    """The experiment of a file, or ours, with what was asked for besides in place of its own; None is nothing
    asked.
    """
    return replace(
        read(path) if path else Experiment(),
        **{name: value for name, value in instead.items() if value is not None},
    )


def of(content: dict[str, Any], name: str) -> Experiment:
    """The experiment with these settings in place of ours; `name` is where they come from, for the
    message.
    """
    given, problems = {}, []
    for key, value in content.items():
        if key not in SETTINGS:
            problems.append(f"there is no setting {_shown(key)}{_nearest(key, SETTINGS)}")
            continue
        try:
            given[key] = SETTINGS[key].metadata["read"](value)
        except ValueError as error:
            problems.append(f"{key}: {error}")
    if problems:
        raise DataError(
            "\n".join(
                [
                    f"{name} can't be followed.",
                    *(f"- {problem}" for problem in problems),
                    f"The settings are {', '.join(SETTINGS)}; those left out stay as they are.",
                ]
            )
        )
    return Experiment(**given)


def plain(experiment: Experiment) -> dict[str, Any]:
    """Every setting as it stands in a file: what `of` reads back."""
    result = {name: getattr(experiment, name) for name in SETTINGS}
    result |= {
        "half_lives": [NEVER if life is None else life for life in experiment.half_lives],
        "newest": ALL if experiment.newest is None else experiment.newest,
    }
    return {name: list(value) if isinstance(value, tuple) else value for name, value in result.items()}


def as_toml(experiment: Experiment, note: str = "") -> str:
    """The whole experiment as the text of a file, each setting under its sentence; `read` gives it back."""
    lines = [f"# {line}".rstrip() for line in note.splitlines()] + ([""] if note else [])
    for name, value in plain(experiment).items():  # the one table comes last, as it must
        lines.append(f"# {SETTINGS[name].metadata['sentence']}")
        if isinstance(value, dict):
            lines += [f"[{name}]", *(f"{key} = {json.dumps(each)}" for key, each in value.items())]
        else:
            lines += [f"{name} = {json.dumps(value)}", ""]
    return "\n".join(lines) + "\n"


def params(experiment: Experiment) -> dict[str, Any]:
    """Every setting flat, a line each, for a run's record and for comparing."""
    return {
        name: ",".join(map(str, value)) if isinstance(value, list) else value
        for name, value in _flat(experiment).items()
    }


def unlike(experiment: Experiment, other: Experiment | None = None) -> list[str]:
    """What it does otherwise than another, by default ours, a sentence each."""
    ours, mine = _flat(other or Experiment()), _flat(experiment)
    return [_otherwise(name, mine[name], ours[name]) for name in mine if mine[name] != ours[name]]


def _flat(experiment: Experiment) -> dict[str, Any]:
    told = plain(experiment)
    boosting = told.pop("boosting")
    return told | boosting


def _otherwise(name: str, mine: Any, ours: Any) -> str:
    if not isinstance(mine, list):
        return f"{name} {mine} instead of {ours}"
    parts = {
        "with": [each for each in mine if each not in ours],
        "without": [each for each in ours if each not in mine],
    }
    return f"{name} " + " and ".join(
        f"{word} {', '.join(map(str, each))}" for word, each in parts.items() if each
    )


def _nearest(name: Any, known: Iterable[str]) -> str:
    near = get_close_matches(str(name), list(known), n=1, cutoff=0.0)
    return f"; the nearest is {near[0]}" if near else ""


def _shown(value: Any) -> str:
    """As it would stand in the file, cut short where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"
