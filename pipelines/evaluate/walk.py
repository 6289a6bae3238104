"""The walk: every fold asked from its morning, what it chose from the folds before, and the sets those taught
it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from headway.models import baselines, conformal, estimators
from headway.pipelines import as_of
from headway.pipelines.as_of import Fold
from headway.pipelines.evaluate.figures import GRADES, TWO_YEARS, ranked_probability_score
from headway.pipelines.remembered import FORGETS, Arrays, Memory
from headway.pipelines.signals.trajectory import satisfactory

# years: how fast an outcome stops counting towards the recent rate; None is never
HALF_LIVES = (0.5, 1.0, 2.0, None)
REVERTS = 0.2  # of the weight of the recent rate, shared by all outcomes
# where no earlier fold can say: the level moves from year to year, so only the newest counts
DEFAULT = ("blend", 0.5)
TIE = 0.0005  # of the ranked probability score: closer than this the simpler candidate wins
# outcomes a fold has to learn from: about an academic year's, so that every season is in
FEWEST_LEARNED = 3000
FEWEST_JUDGED = 200


@dataclass(frozen=True)
class Outcome:
    """What is predicted: the column of the current rank and of the next one."""

    name: str
    now: str
    following: str


OVERALL = Outcome("overall", "overall", "next_overall")
LEADERSHIP = Outcome("leadership", "leadership", "next_leadership")


@dataclass(frozen=True)
class Options:
    """What a fold may choose among. All candidates are asked and shown, whichever of them may be chosen."""

    candidates: tuple[str, ...] = tuple(estimators.CANDIDATES)
    half_lives: tuple[float | None, ...] = HALF_LIVES

    @property
    def default(self) -> tuple[str, float | None]:
        """Our default, or what of these comes in its place: the richest candidate, the first half-life."""
        candidate, half_life = DEFAULT
        return (
            candidate if candidate in self.candidates else self.candidates[-1],
            half_life if half_life in self.half_lives else self.half_lives[0],
        )


ANY = Options()


def usable(examples: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """The examples with a rank now, a rank next and a label: what a model can learn from or be judged on."""
    whole = examples[outcome.now].notna() & examples[outcome.following].notna() & examples["label"].notna()
    return examples[whole]


def state(examples: pd.DataFrame, outcome: Outcome = OVERALL) -> pd.DataFrame:
    """Each example's cell: its rank, with a “satisfactory” from before September 2012 kept apart, and its
    phase.
    """
    rank = examples[outcome.now].astype("int64")
    old = satisfactory(examples["overall"], examples["inspected_on"]).gt(0) & rank.eq(3)
    gap = examples["leadership_gap"] if "leadership_gap" in examples else pd.Series(0.0, index=examples.index)
    return pd.DataFrame(
        {
            "overall": rank,
            "cell": rank.astype("str").mask(old, "3 satisfactory"),
            "group": examples["phase"].astype("str"),
            "phase": examples["phase"].astype("str"),
            "leadership_gap": gap,
            "gap_sign": np.sign(gap.fillna(0.0)),
        }
    )


def state_of_all(examples: pd.DataFrame) -> pd.DataFrame:
    """The state of schools with and without a grade; without one `overall` and `cell` are blank."""
    graded = examples["overall"].notna()
    return (
        state(examples[graded])
        .reindex(examples.index)
        .assign(group=examples["phase"].astype("str"), phase=examples["phase"].astype("str"))
    )


def academic_year(days: pd.Series) -> pd.Series:
    """The year the academic year of each day ends in."""
    return days.dt.year + days.dt.month.ge(9).astype(int)


def learning_weight(rows: pd.DataFrame) -> pd.Series:
    """Each pair of inspections counts once, however many mornings ask about it."""
    return 1.0 / rows.groupby(["lineage", "next_inspected_on"])["as_of"].transform("size")


def freshness(rows: pd.DataFrame, morning: pd.Timestamp, half_life: float | None) -> pd.Series:
    """What each outcome counts towards the recent rate: half as much for each half-life of its age, and a
    part for all alike.

    Rates that moved far from their long run mostly moved back part of the way: so a fifth of the weight is
    shared by all outcomes, whatever their age. The sum stays that of the faded weights, which says how much
    is known of lately.
    """
    counts = learning_weight(rows)
    if half_life is None:
        return counts
    age = as_of.years_before(pd.Series(morning, index=rows.index), rows["next_inspected_on"])
    faded = counts * 0.5 ** (age / half_life)
    return (1 - REVERTS) * faded + REVERTS * counts * (faded.sum() / counts.sum())


def fit(
    rows: pd.DataFrame,
    signals: list[str],
    morning: pd.Timestamp,
    *,
    candidate: str = "blend",
    half_life: float | None = 0.5,
    outcome: Outcome = OVERALL,
    seed: int = 0,
    weight: pd.Series | None = None,
    **settings: Any,
) -> estimators.Departures:
    """A candidate fitted on examples whose outcomes are known, as of a morning."""
    model = estimators.Departures(learners=estimators.CANDIDATES[candidate], seed=seed, **settings)
    counts = learning_weight(rows) if weight is None else weight
    return model.fit(
        rows[signals],
        state(rows, outcome),
        rows[outcome.following].to_numpy("int64"),
        academic_year(rows["next_inspected_on"]).to_numpy(),
        counts.to_numpy(),
        freshness(rows, morning, half_life).to_numpy(),
    )


# --- the walk -----------------------------------------------------------------------------------------------


def folds(examples: pd.DataFrame, outcome: Outcome = OVERALL) -> list[Fold]:
    """The folds with enough to learn from before their morning and enough to be judged on in their year."""
    rows = usable(examples, outcome)
    every = as_of.folds(sorted(rows["as_of"].unique()))
    return [
        f for f in every if f.learned(rows).sum() >= FEWEST_LEARNED and f.unseen(rows).sum() >= FEWEST_JUDGED
    ]


def ask(
    fold: Fold,
    examples: pd.DataFrame,
    signals: list[str],
    outcome: Outcome = OVERALL,
    seed: int = 0,
    rules: bool = True,
    half_lives: tuple[float | None, ...] = HALF_LIVES,
    **settings: Any,
) -> dict[str, pd.DataFrame]:
    """One fold: every candidate at every half-life, and every plain rule, on the rows the fold had not seen.

    The learners are fitted once; candidates and half-lives combine them. Returns `chances` (rows x model: the
    four grades) keyed by model name, each a frame indexed as the unseen examples.
    """
    rows = usable(examples, outcome)
    learned, unseen = rows[fold.learned(rows)], rows[fold.unseen(rows)]
    whole = fit(learned, signals, fold.morning, outcome=outcome, seed=seed, **settings)
    at, following = state(learned, outcome), learned[outcome.following].to_numpy("int64")
    asked = state(unseen, outcome)
    result = {}
    fresh = {half_life: freshness(learned, fold.morning, half_life).to_numpy() for half_life in half_lives}
    for name, learners in estimators.CANDIDATES.items():
        part = estimators.Departures(
            learners=learners,
            ridge=whole.ridge if "ridge" in learners else None,
            boosted=whole.boosted if "boosted" in learners else None,
        )
        scores = part.scores(unseen[signals], asked)
        before = part.scores(learned[signals], at) if learners else None
        for half_life in half_lives:
            level = estimators.CellRates.of(at, following, fresh[half_life], before).at(asked)
            chances = estimators.spread(scores, level, asked["overall"].to_numpy())
            result[f"{name} {half_life}"] = pd.DataFrame(chances, index=unseen.index)
    if rules:
        weight = learning_weight(learned).to_numpy()
        for name, rule in baselines.RULES.items():
            result[name] = pd.DataFrame(rule().fit(at, following, weight).predict(asked), index=unseen.index)
        mornings = pd.Series(fold.morning, index=learned.index)
        lately = as_of.within_years(mornings, learned["next_inspected_on"], 2).to_numpy()
        two = baselines.Rate("overall", "phase").fit(at[lately], following[lately], weight[lately])
        result[TWO_YEARS] = pd.DataFrame(two.predict(asked), index=unseen.index)
    return result


def walk(
    examples: pd.DataFrame,
    signals: list[str],
    outcome: Outcome = OVERALL,
    seed: int = 0,
    workers: int = 2,
    newest: int | None = None,
    progress: Callable[[Iterable, int], Iterable] | None = None,
    memory: Memory = FORGETS,
    **settings: Any,
) -> dict[Fold, dict[str, pd.DataFrame]]:
    """Every fold (or the `newest` so many) asked, side by side on `workers` processes; the answers don't
    depend on how many, nor on which of them `memory` has.
    """
    from joblib import Parallel, delayed

    every = folds(examples, outcome)[-newest if newest else 0 :]
    needed = examples[
        [
            *dict.fromkeys(
                [
                    "urn",
                    "lineage",
                    "as_of",
                    "phase",
                    "overall",
                    "leadership",
                    "inspected_on",
                    "next_inspected_on",
                    "next_known_on",
                    "next_overall",
                    "next_leadership",
                    "label",
                    "leadership_gap",
                    *signals,
                ]
            )
        ]
    ]
    rows = usable(needed, outcome)
    unseen = [rows[fold.unseen(rows)] for fold in every]
    keys = [
        memory.key("fold", fold, rows[fold.learned(rows)], asked, signals, outcome, seed, settings)
        for fold, asked in zip(every, unseen, strict=True)
    ]

    def make(places: list[int]) -> Iterable[Arrays]:
        tasks = Parallel(n_jobs=min(workers, len(places)) or 1, return_as="generator")(
            delayed(_asked)(every[place], needed, signals, outcome, seed, **settings) for place in places
        )
        return progress(tasks, len(places)) if progress else tasks

    answers = memory.each(keys, make)
    return {
        fold: {name: pd.DataFrame(chances, index=asked.index) for name, chances in answer.items()}
        for fold, asked, answer in zip(every, unseen, answers, strict=True)
    }


def _asked(*fold: Any, **settings: Any) -> Arrays:
    return {name: chances.to_numpy() for name, chances in ask(*fold, **settings).items()}


def as_outcome(chances: pd.DataFrame, rank: np.ndarray) -> pd.DataFrame:
    """p_improve, p_same, p_worse (and p_grade_1 .. 4 where the model gives them) from a model's answer."""
    given = chances.to_numpy()
    if given.shape[1] == 3:
        return pd.DataFrame(given, columns=["p_improve", "p_same", "p_worse"], index=chances.index)
    ranks = np.arange(1, 5)[None, :]
    now = rank[:, None]
    sums = [
        (given * (ranks < now)).sum(axis=1),
        (given * (ranks == now)).sum(axis=1),
        (given * (ranks > now)).sum(axis=1),
    ]
    columns = ["p_improve", "p_same", "p_worse", *(f"p_grade_{grade}" for grade in (1, 2, 3, 4))]
    return pd.DataFrame(np.column_stack([*sums, given]), columns=columns, index=chances.index)


def backtest(
    examples: pd.DataFrame,
    walked: dict[Fold, dict[str, pd.DataFrame]],
    outcome: Outcome = OVERALL,
    options: Options = ANY,
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """The backtest table, and what each fold chose from the folds before it.

    Models: every plain rule, every candidate at the fold's half-life, and `champion`, the candidate the fold
    chose.
    """
    rows = usable(examples, outcome)
    parts, choices, past = [], [], []
    for fold, answers in sorted(walked.items(), key=lambda pair: pair[0].morning):
        candidate, half_life, evidence = _choose(past, fold, options)
        choices.append(
            {
                "fold": fold.name,
                "morning": f"{fold.morning:%Y-%m-%d}",
                "candidate": candidate,
                "half_life": half_life,
                "score_on_earlier_folds": evidence,
            }
        )
        unseen = rows.loc[next(iter(answers.values())).index]
        named = {name: answers[name] for name in (*baselines.RULES, TWO_YEARS) if name in answers}
        named |= {name: answers[f"{name} {half_life}"] for name in estimators.CANDIDATES}
        named["champion"] = answers[f"{candidate} {half_life}"]
        rank = unseen[outcome.now].to_numpy("int64")
        facts = unseen[
            [
                "urn",
                "lineage",
                "as_of",
                "phase",
                "next_inspected_on",
                "next_known_on",
                "next_overall",
                "label",
                "label_source",
                "framework",
                "next_framework",
                "next_below_good",
            ]
        ].assign(fold=fold.morning, overall=rank, next_rank=unseen[outcome.following].astype("int64"))
        for name, chances in named.items():
            parts.append(facts.assign(model=name, **as_outcome(chances, rank)))
        past.append((fold, facts, answers, rank))
    return pd.concat(parts, ignore_index=True), choices


def _choose(
    past: list[tuple], fold: Fold, among: Options = ANY
) -> tuple[str, float | None, dict[str, float]]:
    """The candidate and half-life with the best ranked probability score on earlier folds, within each
    current grade.

    The mean over grades of the mean over schools, so that no grade is chosen for by its number alone. In a
    tie the simpler candidate wins, then the default half-life. Only outcomes public before this fold's
    morning are counted.
    """
    options = [(name, half_life) for name in among.candidates for half_life in among.half_lives]
    means = scored_before(past, fold, [f"{candidate} {half_life}" for candidate, half_life in options])
    if not means:
        return *among.default, {}
    preferred = sorted(
        options,
        key=lambda option: (list(estimators.CANDIDATES).index(option[0]), option[1] != among.default[1]),
    )
    best = min(means.values())
    name, half_life = next(option for option in preferred if means[f"{option[0]} {option[1]}"] <= best + TIE)
    return name, half_life, {key: round(value, 5) for key, value in means.items()}


def scored_before(past: list[tuple], fold: Fold, names: Iterable[str]) -> dict[str, float]:
    """The ranked probability score of each model on folds asked before this one, within each current grade.

    `past` holds for each earlier fold the fold, its facts (a row an unseen example, with `next_known_on` and
    `next_rank`), its answers by model name (rows x 4 chances) and the current ranks. Only outcomes public
    before this fold's morning count, and only grades with `FEWEST_JUDGED` of them; a model without any is
    left out.
    """
    scores: dict[str, list[float]] = {}
    for _, facts, answers, rank in past:
        known = as_of.known_by(facts["next_known_on"], fold.morning).to_numpy()
        following = facts["next_rank"].to_numpy()
        for name in names:
            chances = answers[name].to_numpy()
            within = [
                ranked_probability_score(chances[rows], following[rows])
                for grade in (1, 2, 3, 4)
                if (rows := known & (rank == grade)).sum() >= FEWEST_JUDGED
            ]
            scores.setdefault(name, []).extend(within)
    return {name: float(np.mean(values)) for name, values in scores.items() if values}


def final_choice(
    walked: dict[Fold, dict[str, pd.DataFrame]],
    examples: pd.DataFrame,
    outcome: Outcome,
    morning: pd.Timestamp,
    options: Options = ANY,
) -> tuple[str, float | None, dict[str, float]]:
    """What today's model takes from all the folds."""
    rows = usable(examples, outcome)
    past = []
    for fold, answers in walked.items():
        unseen = rows.loc[next(iter(answers.values())).index]
        rank = unseen[outcome.now].to_numpy("int64")
        past.append((fold, unseen.assign(next_rank=unseen[outcome.following].astype("int64")), answers, rank))
    return _choose(past, Fold(morning, morning), options)


# --- sets and intervals, walked forward too -----------------------------------------------------------------


def with_sets(table: pd.DataFrame) -> tuple[pd.DataFrame, conformal.GradeSets, conformal.ChanceIntervals]:
    """The backtest's champion rows with grade sets and intervals learned from earlier folds only; and those
    for today.

    The first fold has no earlier one: its sets lean on everything (all four grades), and are shown, not
    hidden.
    """
    mine = table["model"].eq("champion")
    rows = table[mine]
    members = np.ones((len(rows), 4), dtype=bool)
    low, high = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for morning in sorted(rows["fold"].unique()):
        here = rows["fold"].eq(morning).to_numpy()
        earlier = rows[
            as_of.is_before(rows["fold"], morning) & as_of.known_by(rows["next_known_on"], morning)
        ]
        if len(earlier) >= FEWEST_JUDGED:
            sets, intervals = _learn(earlier)
            chances = rows.loc[here, GRADES].to_numpy()
            members[here] = sets.members(chances, rows.loc[here, "overall"].to_numpy())
            low[here], high[here] = intervals.around(*_stake(rows[here]))
    spans = pd.Series(conformal.spans(members), index=rows.index, dtype="str")
    covered = members[np.arange(len(rows)), rows["next_rank"].to_numpy() - 1]
    learned = rows["fold"].ne(rows["fold"].min())
    table = table.assign(
        grade_set=spans,
        set_covers=pd.Series(covered, index=rows.index).where(learned),
        p_low=pd.Series(low, index=rows.index),
        p_high=pd.Series(high, index=rows.index),
    )
    return table, *_learn(rows)


def _stake(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The chance an interval is about: of improving, or at the top of staying; and the current rank."""
    rank = rows["overall"].to_numpy()
    return np.clip(np.where(rank == 1, rows["p_same"], rows["p_improve"]), 1e-6, 1 - 1e-6), rank


NEWEST_FOLDS = 1  # whose outcomes calibrate the sets of a grade, where they hold enough of it: levels move


def _learn(rows: pd.DataFrame) -> tuple[conformal.GradeSets, conformal.ChanceIntervals]:
    chances, rank = _stake(rows)
    following = rows["next_rank"].to_numpy()
    happened = np.where(rank == 1, following == 1, following < rank).astype(float)
    newest = rows["fold"].isin(sorted(rows["fold"].unique())[-NEWEST_FOLDS:])
    enough = newest.groupby(rows["overall"]).transform("sum").ge(FEWEST_JUDGED)
    lately = (newest | ~enough).to_numpy()
    sets = conformal.GradeSets().fit(rows.loc[lately, GRADES].to_numpy(), rank[lately], following[lately])
    intervals = conformal.ChanceIntervals().fit(chances, happened, rank, rows["fold"].to_numpy())
    return sets, intervals
