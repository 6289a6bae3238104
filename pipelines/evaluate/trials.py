"""Trials that fit the folds again: what each family adds, and what weighting for quick re-inspection
changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from headway.models import baselines, estimators
from headway.pipelines import as_of, intervals
from headway.pipelines.as_of import Fold
from headway.pipelines.evaluate.figures import BASE, WITHIN
from headway.pipelines.evaluate.walk import (
    FEWEST_LEARNED,
    OVERALL,
    as_outcome,
    fit,
    folds,
    learning_weight,
    state,
    usable,
)
from headway.pipelines.remembered import FORGETS, Arrays, Memory

# the families the project exists for, each with a counterfeit
DECOYS = ("leadership", "retention", "middle_leaders")


@dataclass(frozen=True)
class Whole:
    """A fold's ridge of every signal, which each trial is set against, and what it knew of whom."""

    fold: Fold
    learned: pd.DataFrame
    unseen: pd.DataFrame
    improving: np.ndarray  # its chance of improving, on each of the unseen
    signals: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)  # the model's, which the trials take too
    memory: Memory = FORGETS
    name: str = ""  # in its memory
    model: estimators.Departures | None = None  # where it was fitted just now

    def ridge(self) -> estimators.Departures:
        """The ridge of every signal: fitted again where only its chances were kept."""
        return self.model or _ridge(self.fold, self.learned, list(self.signals), **self.settings)


@dataclass(frozen=True)
class Trial:
    """What each fold's ridge is fitted on otherwise: these signals, columns that say nothing, fewer rows.

    `dealt` are signals whose counterfeit (`deal`) stands beside `used`, `noise` so many columns of chance
    alone; `schools` so many lineages drawn to learn from, `years` the newest years of outcomes. Another
    `seed` deals and draws otherwise.
    """

    used: tuple[str, ...]
    dealt: tuple[str, ...] = ()
    noise: int = 0
    schools: int | None = None
    years: int | None = None
    seed: int = 0


def tried(given: list[Whole], trials: dict[str, Trial], workers: int = 2) -> pd.DataFrame:
    """The chance of improving on every unseen row of the folds, one after another, a column a trial.

    What the folds' memory has isn't fitted again.
    """
    every = [(at, name) for at in range(len(given)) for name in trials]

    def make(places: list[int]) -> Iterable[Arrays]:
        from joblib import Parallel, delayed

        # A few trials a task: enough tasks to share out evenly, few enough that sending the rows to them
        # costs little.
        tasks = [
            (at, [every[place][1] for place in places if every[place][0] == at][start::4])
            for at in range(len(given))
            for start in range(4)
        ]
        tasks = [(at, names) for at, names in tasks if names]
        made = Parallel(n_jobs=workers)(
            delayed(_try)(given[at], {name: trials[name] for name in names}) for at, names in tasks
        )
        answers = {
            (at, name): part[name] for (at, names), part in zip(tasks, made, strict=True) for name in names
        }
        return ({"p": answers[every[place]]} for place in places)

    keys = [given[at].memory.key("trial", given[at].name, trials[name]) for at, name in every]
    memory = given[0].memory if given else FORGETS
    chances = dict(zip(every, (answer["p"] for answer in memory.each(keys, make)), strict=True))
    return pd.DataFrame(
        {name: np.concatenate([chances[at, name] for at in range(len(given))]) for name in trials}
    )


def _try(whole: Whole, trials: dict[str, Trial]) -> Arrays:
    chances = {}
    for name, trial in trials.items():
        learned, unseen, used = some_of(whole, trial), whole.unseen, list(trial.used)
        if trial.dealt:
            dealt = [
                deal(rows, list(trial.dealt), seed)
                for seed, rows in enumerate((learned, unseen), 2 * trial.seed)
            ]
            learned, unseen, used = learned.join(dealt[0]), unseen.join(dealt[1]), [*used, *dealt[0]]
        if trial.noise:
            rng = np.random.default_rng([trial.seed, whole.fold.morning.year])
            columns = [f"noise {number}" for number in range(trial.noise)]
            learned, unseen = (
                rows.join(pd.DataFrame(rng.normal(size=(len(rows), trial.noise)), rows.index, columns))
                for rows in (learned, unseen)
            )
            used += columns
        if used:
            model = _ridge(whole.fold, learned, used, **whole.settings)
        else:  # nothing to depart by: the recent rate alone
            model = fit(learned, used, whole.fold.morning, candidate="table", **whole.settings)
        chances[name] = improving(model, unseen, used)
    return chances


def some_of(whole: Whole, trial: Trial) -> pd.DataFrame:
    """The rows of a fold that a trial learns from."""
    learned = whole.learned
    if trial.years is not None:
        mornings = pd.Series(whole.fold.morning, index=learned.index)
        learned = learned[as_of.within_years(mornings, learned["next_inspected_on"], trial.years)]
    if trial.schools is not None:
        order = np.random.default_rng(trial.seed).permutation(np.sort(learned["lineage"].unique()))
        learned = learned[learned["lineage"].isin(order[: trial.schools])]
    return learned


def wholes(
    examples: pd.DataFrame,
    signals: list[str],
    workers: int = 2,
    newest: int | None = None,
    memory: Memory = FORGETS,
    **settings: Any,
) -> list[Whole]:
    """The ridge of every signal in every fold, or the `newest` so many: fitted once for all trials."""
    rows = usable(examples, OVERALL)
    every = folds(examples)[-newest if newest else 0 :]
    parts = [(fold, rows[fold.learned(rows)], rows[fold.unseen(rows)], settings) for fold in every]
    return _fitted(parts, signals, workers, memory)


def _fitted(parts: list[tuple], signals: list[str], workers: int, memory: Memory) -> list[Whole]:
    """The ridge of each part (fold, learned, unseen, settings), but for those whose chances are kept."""
    models: dict[int, estimators.Departures] = {}

    def make(places: list[int]) -> Iterable[Arrays]:
        from joblib import Parallel, delayed

        fitted = Parallel(n_jobs=workers)(
            delayed(_ridge)(fold, learned, signals, **settings)
            for fold, learned, _, settings in (parts[place] for place in places)
        )
        models.update(zip(places, fitted, strict=True))
        return ({"p": improving(models[place], parts[place][2], signals)} for place in places)

    keys = [memory.key("ridge", *_asked(*part[:3], signals, part[3])) for part in parts]
    answers = [answer["p"] for answer in memory.each(keys, make)]
    return [
        Whole(fold, learned, unseen, p, tuple(signals), settings, memory, keys[place], models.get(place))
        for place, ((fold, learned, unseen, settings), p) in enumerate(zip(parts, answers, strict=True))
    ]


def _asked(
    fold: Fold, learned: pd.DataFrame, unseen: pd.DataFrame, signals: Iterable[str], settings: dict[str, Any]
) -> tuple:
    """What an answer about a fold hangs on."""
    needed = [*dict.fromkeys([*_NEEDED, *signals])]
    return fold, learned.reindex(columns=needed), unseen.reindex(columns=needed), list(signals), settings


def _ridge(
    fold: Fold, learned: pd.DataFrame, signals: list[str], weight: pd.Series | None = None, **settings: Any
) -> estimators.Departures:
    needed = learned[[*dict.fromkeys([*_NEEDED, *signals])]]
    return fit(needed, signals, fold.morning, candidate="ridge", weight=weight, **settings)


_NEEDED = (
    "lineage",
    "as_of",
    "phase",
    "overall",
    "inspected_on",
    "next_inspected_on",
    "next_overall",
    "leadership_gap",
)


def improving(model: estimators.Departures, rows: pd.DataFrame, signals: list[str]) -> np.ndarray:
    """The chance of improving, by a model of these signals."""
    chances = pd.DataFrame(model.predict(rows[signals], state(rows)))
    return as_outcome(chances, rows["overall"].to_numpy("int64"))["p_improve"].to_numpy()


def squared_error(p: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
    """How far each chance of improving was from what came, squared."""
    return (p - (rows["next_overall"].to_numpy("float64") < rows["overall"].to_numpy("float64"))) ** 2


def ablation(
    given: list[Whole],
    signals: list[str],
    families: dict[str, str],
    workers: int = 2,
    counterfeited: tuple[str, ...] = DECOYS,
) -> list[dict[str, Any]]:
    """What each family adds to all the others: skill with and without it, on the same rows, with paired
    intervals by lineage.

    The ridge is refitted without the family in every fold; positive says the family helps. A decoy is a
    family's own columns dealt out among schools of the same morning, grade and phase, beside the true ones:
    it must add nothing, or the method finds what isn't there.
    """
    named = sorted({families[name] for name in signals})
    trials = {
        family: Trial(tuple(name for name in signals if families[name] != family)) for family in named
    } | {
        f"decoy of {family}": Trial(
            tuple(signals), tuple(name for name in signals if families[name] == family)
        )
        for family in counterfeited
        if family in named
    }
    chances = tried(given, trials, workers)
    unseen = pd.concat([whole.unseen for whole in given], ignore_index=True)
    full = squared_error(whole_chances(given), unseen)
    plain = plain_error(given)
    result = []
    for family, trial in trials.items():
        error = squared_error(chances[family].to_numpy(), unseen)
        for grade in (None, *WITHIN):
            here = (unseen["overall"].eq(grade) if grade else unseen["overall"].gt(1)).to_numpy()
            within, without = full[here], error[here]
            if trial.dealt:
                within, without = without, within
            gain, low, high = intervals.skill(within, without, unseen["lineage"].to_numpy()[here])
            brier, rule = without.mean(), plain[here].mean()
            result.append(
                {
                    "family": family,
                    "within": grade,
                    "n": int(here.sum()),
                    "skill_with": 1 - within.mean() / rule,
                    "skill_without": 1 - brier / rule,
                    "gain": gain,
                    "gain_low": low,
                    "gain_high": high,
                    "verdict": "adds" if low > 0 else "takes away" if high < 0 else "adds nothing that shows",
                }
            )
    return result


def rebuilt(given: list[Whole], examples: pd.DataFrame, signals: list[str], workers: int = 2) -> list[Whole]:
    """The same folds and unseen rows, from examples that were made of other tables.

    What is learned from, and every signal of the unseen rows, is those examples'; the state and the outcome
    of the unseen rows stay. Folds with fewer than `FEWEST_LEARNED` examples to learn from are left out.
    """
    rows = usable(examples, OVERALL)
    keys = ["urn", "as_of"]
    made = examples.set_index(keys)[signals]
    parts = []
    for whole in given:
        learned = rows[whole.fold.learned(rows)]
        if len(learned) < FEWEST_LEARNED:
            continue
        again = made.reindex(pd.MultiIndex.from_frame(whole.unseen[keys])).set_axis(whole.unseen.index)
        parts.append((whole.fold, learned, whole.unseen.assign(**again), whole.settings))
    return _fitted(parts, signals, workers, given[0].memory if given else FORGETS)


def whole_chances(given: list[Whole]) -> np.ndarray:
    """The chance of improving on every unseen row of the folds, by the ridge of every signal."""
    return np.concatenate([whole.improving for whole in given])


def plain_error(given: list[Whole]) -> np.ndarray:
    """The squared error of the plain rule, by grade and phase, on every unseen row of the folds."""
    return np.concatenate([_plain_error(whole) for whole in given])


def _plain_error(whole: Whole) -> np.ndarray:
    """The plain rule's, by grade and phase."""
    rule = baselines.RULES[BASE]().fit(
        state(whole.learned),
        whole.learned["next_overall"].to_numpy("int64"),
        learning_weight(whole.learned).to_numpy(),
    )
    chances = pd.DataFrame(rule.predict(state(whole.unseen)))
    return squared_error(
        as_outcome(chances, whole.unseen["overall"].to_numpy("int64"))["p_improve"].to_numpy(), whole.unseen
    )


def deal(rows: pd.DataFrame, columns: list[str], seed: int = 0) -> pd.DataFrame:
    """The columns dealt out anew, together, among rows of the same morning, grade and phase: what they say is
    lost.
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    keys = [rows[key].factorize()[0] for key in ("as_of", "overall", "phase")]
    here = np.lexsort([np.arange(len(rows)), *keys])
    from_where = order[np.lexsort([np.arange(len(rows)), *(key[order] for key in keys)])]
    dealt = pd.DataFrame(np.nan, index=rows.index, columns=[f"decoy of {name}" for name in columns])
    dealt.iloc[here] = rows[columns].to_numpy(dtype=float)[from_where]
    return dealt


def inspection_weights(examples: pd.DataFrame, fold: Fold) -> pd.Series:
    """Inverse chances of being inspected within the year of asking: what makes the inspected stand for all
    schools.

    Schools re-inspected quickly would otherwise count for more than their number. The chance comes from a
    logistic regression on grade, phase and years since inspection, over every graded school asked about on
    each morning, whether inspected or not (Robins and Finkelstein 2000); weights are held between 0.2 and 5
    times their mean.
    """
    from sklearn.linear_model import LogisticRegression

    known = examples[fold.asked_before(examples) & examples["overall"].notna()]
    years = as_of.years_before(known["as_of"], known["inspected_on"]).clip(0, 12).mul(2).round().div(2)
    phase = known["phase"].fillna("not known").astype("str")  # before any file told it
    asked = pd.DataFrame(
        {
            "cell": known["overall"].astype("str") + phase,
            "years": years.fillna(0),
            "seen": fold.learned(known),
        }
    )
    # One row for each cell, half-year and answer, counted: the same fit as on every school, in no time.
    counts = asked.value_counts().reset_index()
    cells = sorted(counts["cell"].unique())

    def design(rows: pd.DataFrame) -> np.ndarray:
        cell = np.eye(len(cells))[pd.Index(cells).get_indexer(rows["cell"])]
        waited = rows["years"].to_numpy()[:, None]
        return np.column_stack([cell, waited, waited**2 / 10, cell * waited / 5])

    model = LogisticRegression(C=1.0, max_iter=2000).fit(
        design(counts), counts["seen"], sample_weight=counts["count"]
    )
    weight = pd.Series(1 / model.predict_proba(design(asked))[:, 1], index=known.index)
    return (weight / weight[asked["seen"]].mean()).clip(0.2, 5.0)


def censoring(
    examples: pd.DataFrame, given: list[Whole], signals: list[str], workers: int = 2
) -> list[dict[str, Any]]:
    """What weighting for quick re-inspection changes, fold by fold: the error on those inspected, and the
    mean chance.

    The ridge fitted with and without inspection weights, judged on the same unseen rows, and its mean chance
    of improving over all schools that could (inspected that year or not).
    """
    asked = [
        examples[examples["as_of"].eq(whole.fold.morning) & examples["overall"].gt(1).fillna(False)]
        for whole in given
    ]
    weights = [
        inspection_weights(examples, whole.fold).reindex(whole.learned.index).fillna(1.0) for whole in given
    ]

    def make(places: list[int]) -> Iterable[Arrays]:
        from joblib import Parallel, delayed

        return Parallel(n_jobs=workers)(
            delayed(_weighted)(given[place], asked[place], weights[place], signals) for place in places
        )

    needed = [*dict.fromkeys([*_NEEDED, *signals])]
    keys = [
        whole.memory.key("censoring", whole.name, rows.reindex(columns=needed), weight)
        for whole, rows, weight in zip(given, asked, weights, strict=True)
    ]
    memory = given[0].memory if given else FORGETS
    return [
        {
            "fold": f"{whole.fold.morning:%Y-%m-%d}",
            "inspected": int(whole.unseen["overall"].gt(1).sum()),
            "could_improve": len(rows),
            **{name: float(value) for name, value in answer.items()},
        }
        for whole, rows, answer in zip(given, asked, memory.each(keys, make), strict=True)
    ]


def _weighted(whole: Whole, asked: pd.DataFrame, weights: pd.Series, signals: list[str]) -> Arrays:
    """A fold's error, and mean chance over all who could improve, without weights and with them."""
    weighted = _ridge(
        whole.fold, whole.learned, signals, learning_weight(whole.learned) * weights, **whole.settings
    )
    could = whole.unseen[whole.unseen["overall"].gt(1)]
    row: Arrays = {}
    for name, model in (("plain", whole.ridge()), ("weighted", weighted)):
        row[f"brier_{name}"] = np.asarray(squared_error(improving(model, could, signals), could).mean())
        row[f"mean_p_all_{name}"] = np.asarray(improving(model, asked, signals).mean())
    return row
