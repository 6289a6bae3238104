"""How good is it, honestly: every fold asked from its morning, against the plain rules, within each current grade.

Each fold's models learn only from outcomes public before its morning. What is chosen (candidate, half-life of the recent
rate) is chosen on the folds before, and the choice is kept. Intervals are paired, over schools.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models import baselines, conformal, estimators
from pipelines import as_of
from pipelines.as_of import Fold
from pipelines.signals.trajectory import satisfactory

HALF_LIVES = (0.5, 1.0, 2.0, None)  # years: how fast an outcome stops counting towards the recent rate; None is never
DEFAULT = ("blend", 0.5)  # where no earlier fold can say: the level moves from year to year, so only the newest counts
TIE = 0.0005  # of the ranked probability score: closer than this the simpler candidate wins
FEWEST_LEARNED = 3000  # outcomes a fold has to learn from: about an academic year's, so that every season is in
FEWEST_JUDGED = 200
WITHIN = (2, 3, 4)
BASE = "base_rate_grade_phase"
TWO_YEARS = "base_rate_two_years"


@dataclass(frozen=True)
class Outcome:
    """What is predicted: the column of the current rank and of the next one."""

    name: str
    now: str
    following: str


OVERALL = Outcome("overall", "overall", "next_overall")
LEADERSHIP = Outcome("leadership", "leadership", "next_leadership")


def usable(examples: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """The examples with a rank now, a rank next and a label: what a model can learn from or be judged on."""
    whole = examples[outcome.now].notna() & examples[outcome.following].notna() & examples["label"].notna()
    return examples[whole]


def state(examples: pd.DataFrame, outcome: Outcome = OVERALL) -> pd.DataFrame:
    """Each example's cell: its rank, with a “satisfactory” from before September 2012 kept apart, and its phase."""
    rank = examples[outcome.now].astype("int64")
    old = satisfactory(examples["overall"], examples["inspected_on"]).gt(0) & rank.eq(3)
    gap = examples["leadership_gap"] if "leadership_gap" in examples else pd.Series(0.0, index=examples.index)
    return pd.DataFrame({
        "overall": rank, "cell": rank.astype("str").mask(old, "3 satisfactory"), "group": examples["phase"].astype("str"),
        "phase": examples["phase"].astype("str"), "leadership_gap": gap, "gap_sign": np.sign(gap.fillna(0.0)),
    })  # fmt: skip


def academic_year(days: pd.Series) -> pd.Series:
    """The year the academic year of each day ends in."""
    return days.dt.year + days.dt.month.ge(9).astype(int)


def learning_weight(rows: pd.DataFrame) -> pd.Series:
    """Each pair of inspections counts once, however many mornings ask about it."""
    return 1.0 / rows.groupby(["lineage", "next_inspected_on"])["as_of"].transform("size")


def freshness(rows: pd.DataFrame, morning: pd.Timestamp, half_life: float | None) -> pd.Series:
    """What each outcome counts towards the recent rate: half as much for each half-life of its age."""
    if half_life is None:
        return learning_weight(rows)
    age = as_of.years_before(pd.Series(morning, index=rows.index), rows["next_inspected_on"])
    return learning_weight(rows) * 0.5 ** (age / half_life)


def fit(rows: pd.DataFrame, signals: list[str], morning: pd.Timestamp, *, candidate: str = "blend",
        half_life: float | None = 0.5, outcome: Outcome = OVERALL, seed: int = 0,
        weight: pd.Series | None = None, **settings: Any) -> estimators.Departures:  # fmt: skip
    """A candidate fitted on examples whose outcomes are known, as of a morning."""
    model = estimators.Departures(learners=estimators.CANDIDATES[candidate], seed=seed, **settings)
    counts = learning_weight(rows) if weight is None else weight
    return model.fit(
        rows[signals], state(rows, outcome), rows[outcome.following].to_numpy("int64"),
        academic_year(rows["next_inspected_on"]).to_numpy(), counts.to_numpy(),
        freshness(rows, morning, half_life).to_numpy(),
    )  # fmt: skip


# --- the walk ---------------------------------------------------------------------------------------------------------


def folds(examples: pd.DataFrame, outcome: Outcome = OVERALL) -> list[Fold]:
    """The folds with enough to learn from before their morning and enough to be judged on in their year."""
    rows = usable(examples, outcome)
    every = as_of.folds(sorted(rows["as_of"].unique()))
    return [f for f in every if f.learned(rows).sum() >= FEWEST_LEARNED and f.unseen(rows).sum() >= FEWEST_JUDGED]


def ask(fold: Fold, examples: pd.DataFrame, signals: list[str], outcome: Outcome = OVERALL, seed: int = 0,
        rules: bool = True, **settings: Any) -> dict[str, pd.DataFrame]:  # fmt: skip
    """One fold: every candidate at every half-life, and every plain rule, on the rows the fold had not seen.

    The learners are fitted once; candidates and half-lives combine them. Returns `chances` (rows x model: the four
    grades) keyed by model name, each a frame indexed as the unseen examples.
    """
    rows = usable(examples, outcome)
    learned, unseen = rows[fold.learned(rows)], rows[fold.unseen(rows)]
    whole = fit(learned, signals, fold.morning, outcome=outcome, seed=seed, **settings)
    at, following = state(learned, outcome), learned[outcome.following].to_numpy("int64")
    asked = state(unseen, outcome)
    found = {}
    recent = {half_life: estimators.CellRates.of(at, following, freshness(learned, fold.morning, half_life).to_numpy())
              .at(asked) for half_life in HALF_LIVES}  # fmt: skip
    for name, learners in estimators.CANDIDATES.items():
        part = estimators.Departures(learners=learners, ridge=whole.ridge if "ridge" in learners else None,
                                     boosted=whole.boosted if "boosted" in learners else None)  # fmt: skip
        scores = part.scores(unseen[signals], asked)
        for half_life in HALF_LIVES:
            chances = estimators.spread(scores, recent[half_life], asked["overall"].to_numpy())
            found[f"{name} {half_life}"] = pd.DataFrame(chances, index=unseen.index)
    if rules:
        weight = learning_weight(learned).to_numpy()
        for name, rule in baselines.RULES.items():
            found[name] = pd.DataFrame(rule().fit(at, following, weight).predict(asked), index=unseen.index)
        lately = as_of.years_before(pd.Series(fold.morning, index=learned.index), learned["next_inspected_on"]).le(2).to_numpy()
        two = baselines.Rate("overall", "phase").fit(at[lately], following[lately], weight[lately])
        found[TWO_YEARS] = pd.DataFrame(two.predict(asked), index=unseen.index)
    return found


def walk(examples: pd.DataFrame, signals: list[str], outcome: Outcome = OVERALL, seed: int = 0, workers: int = 2,
         newest: int | None = None,
         progress: Callable[[Iterable, int], Iterable] | None = None, **settings: Any
         ) -> dict[Fold, dict[str, pd.DataFrame]]:  # fmt: skip
    """Every fold (or the `newest` so many) asked, side by side on `workers` processes; the answers don't depend on how many."""
    from joblib import Parallel, delayed

    every = folds(examples, outcome)[-newest if newest else 0 :]
    needed = examples[[*dict.fromkeys([
        "urn", "lineage", "as_of", "phase", "overall", "leadership", "inspected_on", "next_inspected_on", "next_known_on",
        "next_overall", "next_leadership", "label", "leadership_gap", *signals])]]  # fmt: skip
    tasks = Parallel(n_jobs=min(workers, len(every)) or 1, return_as="generator")(
        delayed(ask)(fold, needed, signals, outcome, seed, **settings) for fold in every
    )
    answers = progress(tasks, len(every)) if progress else tasks
    return dict(zip(every, answers, strict=True))


def as_outcome(chances: pd.DataFrame, rank: np.ndarray) -> pd.DataFrame:
    """p_improve, p_same, p_worse (and p_grade_1 .. 4 where the model gives them) from a model's answer."""
    given = chances.to_numpy()
    if given.shape[1] == 3:
        return pd.DataFrame(given, columns=["p_improve", "p_same", "p_worse"], index=chances.index)
    ranks = np.arange(1, 5)[None, :]
    now = rank[:, None]
    sums = [(given * (ranks < now)).sum(axis=1), (given * (ranks == now)).sum(axis=1), (given * (ranks > now)).sum(axis=1)]
    columns = ["p_improve", "p_same", "p_worse", *(f"p_grade_{grade}" for grade in (1, 2, 3, 4))]
    return pd.DataFrame(np.column_stack([*sums, given]), columns=columns, index=chances.index)


def backtest(examples: pd.DataFrame, walked: dict[Fold, dict[str, pd.DataFrame]], outcome: Outcome = OVERALL
             ) -> tuple[pd.DataFrame, list[dict[str, Any]]]:  # fmt: skip
    """The backtest table, and what each fold chose from the folds before it.

    Models: every plain rule, every candidate at the fold's half-life, and `champion`, the candidate the fold chose.
    """
    rows = usable(examples, outcome)
    parts, choices, past = [], [], []
    for fold, answers in sorted(walked.items(), key=lambda pair: pair[0].morning):
        candidate, half_life, evidence = _choose(past, fold)
        choices.append({"fold": fold.name, "morning": f"{fold.morning:%Y-%m-%d}", "candidate": candidate,
                        "half_life": half_life, "score_on_earlier_folds": evidence})  # fmt: skip
        unseen = rows.loc[next(iter(answers.values())).index]
        named = {name: answers[name] for name in (*baselines.RULES, TWO_YEARS) if name in answers}
        named |= {name: answers[f"{name} {half_life}"] for name in estimators.CANDIDATES}
        named["champion"] = answers[f"{candidate} {half_life}"]
        rank = unseen[outcome.now].to_numpy("int64")
        facts = unseen[["urn", "lineage", "as_of", "phase", "next_inspected_on", "next_known_on", "next_overall", "label",
                        "label_source", "framework", "next_framework", "next_below_good"]].assign(
            fold=fold.morning, overall=rank, next_rank=unseen[outcome.following].astype("int64"))  # fmt: skip
        for name, chances in named.items():
            parts.append(facts.assign(model=name, **as_outcome(chances, rank)))
        past.append((fold, facts, answers, rank))
    return pd.concat(parts, ignore_index=True), choices


def _choose(past: list[tuple], fold: Fold) -> tuple[str, float | None, dict[str, float]]:
    """The candidate and half-life with the best ranked probability score on earlier folds, within each current grade.

    The mean over grades of the mean over schools, so that no grade is chosen for by its number alone. In a tie the
    simpler candidate wins, then the default half-life. Only outcomes public before this fold's morning are counted.
    """
    scores: dict[str, list[float]] = {}
    for _, facts, answers, rank in past:
        known = (facts["next_known_on"] < fold.morning).to_numpy()
        following = facts["next_rank"].to_numpy()
        for name in answers:
            if answers[name].shape[1] == 4:
                chances = answers[name].to_numpy()
                within = [ranked_probability_score(chances[rows], following[rows])
                          for grade in (1, 2, 3, 4) if (rows := known & (rank == grade)).sum() >= FEWEST_JUDGED]  # fmt: skip
                scores.setdefault(name, []).extend(within)
    means = {name: float(np.mean(values)) for name, values in scores.items() if values}
    if not means:
        return *DEFAULT, {}
    options = [(name, half_life) for name in estimators.CANDIDATES for half_life in HALF_LIVES]
    preferred = sorted(options, key=lambda option: (list(estimators.CANDIDATES).index(option[0]), option[1] != DEFAULT[1]))
    best = min(means.values())
    name, half_life = next(option for option in preferred if means[f"{option[0]} {option[1]}"] <= best + TIE)
    return name, half_life, {key: round(value, 5) for key, value in means.items()}


def final_choice(walked: dict[Fold, dict[str, pd.DataFrame]], examples: pd.DataFrame, outcome: Outcome,
                 morning: pd.Timestamp) -> tuple[str, float | None, dict[str, float]]:  # fmt: skip
    """What today's model takes from all the folds."""
    rows = usable(examples, outcome)
    past = []
    for fold, answers in walked.items():
        unseen = rows.loc[next(iter(answers.values())).index]
        rank = unseen[outcome.now].to_numpy("int64")
        past.append((fold, unseen.assign(next_rank=unseen[outcome.following].astype("int64")), answers, rank))
    return _choose(past, Fold(morning, morning))


# --- sets and intervals, walked forward too ---------------------------------------------------------------------------------


def with_sets(table: pd.DataFrame) -> tuple[pd.DataFrame, conformal.GradeSets, conformal.ChanceIntervals]:
    """The backtest's champion rows with grade sets and intervals learned from earlier folds only; and those for today.

    The first fold has no earlier one: its sets lean on everything (all four grades), and are shown, not hidden.
    """
    mine = table["model"].eq("champion")
    rows = table[mine]
    members = np.ones((len(rows), 4), dtype=bool)
    low, high = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for morning in sorted(rows["fold"].unique()):
        here = rows["fold"].eq(morning).to_numpy()
        earlier = rows[rows["fold"].lt(morning) & rows["next_known_on"].lt(morning)]
        if len(earlier) >= FEWEST_JUDGED:
            sets, intervals = _learn(earlier)
            chances = rows.loc[here, _GRADES].to_numpy()
            members[here] = sets.members(chances, rows.loc[here, "overall"].to_numpy())
            low[here], high[here] = intervals.around(*_stake(rows[here]))
    spans = pd.Series(conformal.spans(members), index=rows.index, dtype="str")
    covered = members[np.arange(len(rows)), rows["next_rank"].to_numpy() - 1]
    learned = rows.groupby("fold")["fold"].transform("first").gt(rows["fold"].min())
    table = table.assign(grade_set=spans, set_covers=pd.Series(covered, index=rows.index).where(learned),
                         p_low=pd.Series(low, index=rows.index), p_high=pd.Series(high, index=rows.index))  # fmt: skip
    return table, *_learn(rows)


_GRADES = [f"p_grade_{grade}" for grade in (1, 2, 3, 4)]


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
    sets = conformal.GradeSets().fit(rows.loc[lately, _GRADES].to_numpy(), rank[lately], following[lately])
    intervals = conformal.ChanceIntervals().fit(chances, happened, rank, rows["fold"].to_numpy())
    return sets, intervals


# --- scores -----------------------------------------------------------------------------------------------------------------


def scores(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Every fold and model: Brier, skill over the plain rates with intervals, AUC within each grade, calibration.

    On rows that could improve. Skill is 1 - Brier / Brier of the rule, as a share.
    """
    eligible = table[table["overall"].gt(1)]
    found = []
    for fold, rows in eligible.groupby("fold"):
        base = rows[rows["model"].eq(BASE)].set_index("urn")
        two = rows[rows["model"].eq(TWO_YEARS)].set_index("urn")
        for model, mine in rows.groupby("model"):
            mine = mine.set_index("urn").loc[base.index]
            found.append({"fold": f"{fold:%Y-%m-%d}", "model": model, **score(mine, base, two)})
    return found


def score(mine: pd.DataFrame, base: pd.DataFrame, two: pd.DataFrame) -> dict[str, Any]:
    """One model on one fold's rows, against the two rates on the same rows."""
    improved = mine["label"].eq("improved").to_numpy(dtype=float)
    p = mine["p_improve"].to_numpy()
    error = (p - improved) ** 2
    against = {name: (rule["p_improve"].to_numpy() - improved) ** 2 for name, rule in (("", base), ("_two_years", two))}
    slope, intercept = calibration(p, improved)
    row: dict[str, Any] = {
        "n": len(mine), "rate": improved.mean(), "mean_p": p.mean(), "brier": error.mean(), "slope": slope,
        "intercept": intercept, "derived": float(mine["label_source"].eq("derived").mean()),
    }  # fmt: skip
    for name, rule in against.items():
        row[f"skill{name}"] = 1 - error.mean() / rule.mean()
        row[f"skill{name}_low"], row[f"skill{name}_high"] = skill_interval(error, rule)
    rank = mine["overall"].to_numpy()
    for grade in WITHIN:
        here = rank == grade
        row[f"auc_{grade}"], row[f"auc_{grade}_low"], row[f"auc_{grade}_high"] = auc(p[here], improved[here])
        row[f"n_{grade}"] = int(here.sum())
    if mine.get("p_grade_1") is not None and mine["p_grade_1"].notna().all():
        row["rps"] = ranked_probability_score(mine[_GRADES].to_numpy(), mine["next_rank"].to_numpy())
    return row


def skill_interval(error: np.ndarray, rule: np.ndarray) -> tuple[float, float]:
    """A 95% interval of 1 - mean(error) / mean(rule) on the same schools, by the delta method for a ratio of means."""
    ratio = error.mean() / rule.mean()
    half = 1.959964 * (error - ratio * rule).std(ddof=1) / (rule.mean() * np.sqrt(len(error)))
    return float(1 - ratio - half), float(1 - ratio + half)


def gain_interval(error: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    """How much lower the first Brier error is than the second, with a paired interval (normal, over schools)."""
    gain = other - error
    half = 1.959964 * gain.std(ddof=1) / np.sqrt(len(gain))
    return float(gain.mean()), float(gain.mean() - half), float(gain.mean() + half)


def auc(p: np.ndarray, happened: np.ndarray) -> tuple[float, float, float]:
    """The area under the curve with DeLong's interval (DeLong and others 1988); blanks where one class is missing."""
    from scipy.stats import rankdata

    yes, no = p[happened == 1], p[happened == 0]
    if len(yes) < 2 or len(no) < 2:
        return float("nan"), float("nan"), float("nan")
    both = rankdata(np.concatenate([yes, no]))
    above = (both[: len(yes)] - rankdata(yes)) / len(no)
    below = 1 - (both[len(yes) :] - rankdata(no)) / len(yes)
    area = above.mean()
    half = 1.959964 * np.sqrt(above.var(ddof=1) / len(yes) + below.var(ddof=1) / len(no))
    return float(area), float(max(area - half, 0)), float(min(area + half, 1))


def calibration(p: np.ndarray, happened: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of outcomes on the log-odds of the predictions (Van Calster and others 2019)."""
    from sklearn.linear_model import LogisticRegression

    if happened.min() == happened.max() or np.ptp(p) < 1e-9:
        return float("nan"), float("nan")
    odds = estimators.log_odds(np.clip(p, 1e-4, 1 - 1e-4))[:, None]
    model = LogisticRegression(C=np.inf, max_iter=200).fit(odds, happened)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def ranked_probability_score(chances: np.ndarray, following: np.ndarray) -> float:
    """The mean squared distance between the cumulative chances and what came; 0 is perfect."""
    came = (np.arange(1, 5)[None, :] >= following[:, None]).astype(float)
    return float(((chances.cumsum(axis=1) - came)[:, :3] ** 2).sum(axis=1).mean())


def coverage(table: pd.DataFrame) -> list[dict[str, Any]]:
    """How often the grade sets held the next grade: overall, by fold, within each current grade and by framework."""
    rows = table[table["model"].eq("champion") & table["set_covers"].notna()].assign(
        covers=lambda t: t["set_covers"].astype(float), size=lambda t: t["grade_set"].map(_size))  # fmt: skip
    found: list[dict[str, Any]] = []
    if rows.empty:  # one fold alone has no earlier one to learn its sets from
        return found
    for by in ([], ["fold"], ["overall"], ["fold", "overall"], ["next_framework"]):
        groups = rows.groupby(by) if by else [((), rows)]
        for key, group in groups:
            keys = key if isinstance(key, tuple) else (key,)
            named = {name: _plain(value) for name, value in zip(by, keys, strict=True)}
            found.append({**named, "n": len(group), "coverage": group["covers"].mean(), "mean_size": group["size"].mean()})
    return found


def _size(span: str) -> int:
    return int(span[-1]) - int(span[0]) + 1


def _plain(value: Any) -> Any:
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else value.item() if hasattr(value, "item") else value


def caught(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Of schools below good at their next inspection, the share among the riskiest 10% and 20%, and the most possible."""
    found = []
    rows = table[table["model"].eq("champion")].assign(risk=lambda t: t["p_grade_3"] + t["p_grade_4"])
    for fold, group in rows.groupby("fold"):
        bad = group["next_rank"].ge(3).to_numpy()
        order = np.argsort(-group["risk"].to_numpy(), kind="stable")
        row: dict[str, Any] = {"fold": f"{fold:%Y-%m-%d}", "n": len(group), "below_good": int(bad.sum())}
        for share in (0.1, 0.2):
            top = int(np.ceil(share * len(group)))
            row[f"caught_{share:.0%}"] = float(bad[order[:top]].sum() / bad.sum())
            row[f"most_possible_{share:.0%}"] = float(min(top, bad.sum()) / bad.sum())
        found.append(row)
    return found


GROUPS = ("phase", "type_group", "region", "idaci_quintile", "faith", "size")
FEW = 30  # outcomes below which a group is shown as too few


def fairness(table: pd.DataFrame, schools: pd.DataFrame) -> list[dict[str, Any]]:
    """Calibration and error of the champion by group, with intervals; a group with few outcomes is shown as too few."""
    rows = table[table["model"].eq("champion") & table["overall"].gt(1)]
    rows = rows.drop(columns=["phase"]).merge(_grouped(schools), on="urn", how="left", validate="many_to_one")
    base = table[table["model"].eq(BASE)].set_index(["fold", "urn"])["p_improve"]
    plain = base.reindex(pd.MultiIndex.from_frame(rows[["fold", "urn"]])).to_numpy()
    improved = rows["label"].eq("improved").astype(float)
    rows = rows.assign(improved=improved, error=(rows["p_improve"] - improved) ** 2, plain_error=(plain - improved) ** 2)
    found = []
    for by in GROUPS:
        for group, mine in rows.groupby(rows[by].astype("str").fillna("not known")):
            row: dict[str, Any] = {"by": by, "group": group, "n": len(mine)}
            if len(mine) < FEW:
                found.append({**row, "too_few": True})
                continue
            gap = mine["improved"] - mine["p_improve"]
            half = 1.959964 * gap.std(ddof=1) / np.sqrt(len(gap))
            low, high = skill_interval(mine["error"].to_numpy(), mine["plain_error"].to_numpy())
            found.append({**row, "too_few": False, "rate": mine["improved"].mean(), "mean_p": mine["p_improve"].mean(),
                          "gap": gap.mean(), "gap_low": gap.mean() - half, "gap_high": gap.mean() + half,
                          "skill": 1 - mine["error"].mean() / mine["plain_error"].mean(), "skill_low": low,
                          "skill_high": high})  # fmt: skip
    return found


def _grouped(schools: pd.DataFrame) -> pd.DataFrame:
    """The groups fairness is looked at by; judged with what is known today, which no model saw."""
    kind = schools["type"].fillna("").str.lower()
    words = ("sponsor", "converter", "free|studio|technical|technology", "aided", "controlled", "foundation", "community")
    names = ("sponsored academy", "converter academy", "free or technical", "voluntary aided", "voluntary controlled",
             "foundation", "community")  # fmt: skip
    group = pd.Series("other or not known", index=schools.index)
    for word, name in reversed(list(zip(words, names, strict=True))):
        group = group.mask(kind.str.contains(word), name)
    size = pd.cut(schools["pupils"].astype("float64"), [0, 100, 250, 500, 1000, 1e6], right=False,
                  labels=["under 100", "100-249", "250-499", "500-999", "1,000 or more"]).astype("str")  # fmt: skip
    return schools[["urn", "phase", "region", "idaci_quintile", "faith"]].assign(type_group=group, size=size)


def ablation(examples: pd.DataFrame, signals: list[str], families: dict[str, str], workers: int = 2) -> list[dict[str, Any]]:
    """What each family adds to all the others: Brier without it less with it, on the same rows, with paired intervals.

    The ridge is refitted without the family in every fold; positive says the family helps.
    """
    from joblib import Parallel, delayed

    rows = usable(examples, OVERALL)
    every = folds(examples)
    named = sorted(set(families.values()))
    tasks = [(fold, family) for fold in every for family in (None, *named)]
    errors = Parallel(n_jobs=workers)(
        delayed(_error_without)(fold, rows, [s for s in signals if families[s] != family]) for fold, family in tasks
    )
    by = dict(zip(tasks, errors, strict=True))
    found = []
    for family in named:
        for grade in (None, *WITHIN):
            whole = pd.concat([by[fold, None] for fold in every])
            without = pd.concat([by[fold, family] for fold in every])
            here = whole["overall"].eq(grade) if grade else whole["overall"].gt(1)
            gain, low, high = gain_interval(whole.loc[here, "error"].to_numpy(), without.loc[here, "error"].to_numpy())
            brier = without.loc[here, "error"].mean()
            found.append({"family": family, "within": grade, "n": int(here.sum()), "gain": gain / brier,
                          "gain_low": low / brier, "gain_high": high / brier,
                          "verdict": "adds" if low > 0 else "takes away" if high < 0 else "adds nothing that shows"})  # fmt: skip
    return found


def _error_without(fold: Fold, rows: pd.DataFrame, signals: list[str]) -> pd.DataFrame:
    learned, unseen = rows[fold.learned(rows)], rows[fold.unseen(rows)]
    model = fit(learned, signals, fold.morning, candidate="ridge")
    rank = unseen["overall"].to_numpy("int64")
    p = as_outcome(pd.DataFrame(model.predict(unseen[signals], state(unseen))), rank)["p_improve"].to_numpy()
    return pd.DataFrame({"overall": rank, "error": (p - (unseen["next_overall"].to_numpy("int64") < rank)) ** 2})


def inspection_weights(examples: pd.DataFrame, fold: Fold) -> pd.Series:
    """Inverse chances of being inspected within the year of asking: what makes the inspected stand for all schools.

    Schools re-inspected quickly would otherwise count for more than their number. The chance comes from a logistic
    regression on grade, phase and years since inspection, over every graded school asked about on each morning, whether
    inspected or not (Robins and Finkelstein 2000); weights are held between 0.2 and 5 times their mean.
    """
    from sklearn.linear_model import LogisticRegression

    known = examples[fold.asked_before(examples) & examples["overall"].notna()]
    years = as_of.years_before(known["as_of"], known["inspected_on"]).clip(0, 12).mul(2).round().div(2)
    asked = pd.DataFrame({"cell": known["overall"].astype("str") + known["phase"].astype("str"), "years": years.fillna(0),
                          "seen": fold.learned(known)})  # fmt: skip
    # One row for each cell, half-year and answer, counted: the same fit as on every school, in no time.
    counts = asked.value_counts().reset_index()
    cells = sorted(counts["cell"].unique())

    def design(rows: pd.DataFrame) -> np.ndarray:
        cell = np.eye(len(cells))[pd.Index(cells).get_indexer(rows["cell"])]
        waited = rows["years"].to_numpy()[:, None]
        return np.column_stack([cell, waited, waited**2 / 10, cell * waited / 5])

    model = LogisticRegression(C=1.0, max_iter=2000).fit(design(counts), counts["seen"], sample_weight=counts["count"])
    weight = pd.Series(1 / model.predict_proba(design(asked))[:, 1], index=known.index)
    return (weight / weight[asked["seen"]].mean()).clip(0.2, 5.0)


def censoring(examples: pd.DataFrame, signals: list[str], workers: int = 2) -> list[dict[str, Any]]:
    """What weighting for quick re-inspection changes, fold by fold: the error on those inspected, and the mean chance.

    The ridge fitted with and without inspection weights, judged on the same unseen rows, and its mean chance of
    improving over all schools that could (inspected that year or not).
    """
    from joblib import Parallel, delayed

    return Parallel(n_jobs=workers)(delayed(_censored)(fold, examples, signals) for fold in folds(examples))


def _censored(fold: Fold, examples: pd.DataFrame, signals: list[str]) -> dict[str, Any]:
    rows = usable(examples, OVERALL)
    learned, unseen = rows[fold.learned(rows)], rows[fold.unseen(rows)]
    asked = examples[examples["as_of"].eq(fold.morning) & examples["overall"].gt(1).fillna(False)]
    weights = inspection_weights(examples, fold).reindex(learned.index).fillna(1.0)
    row: dict[str, Any] = {"fold": f"{fold.morning:%Y-%m-%d}", "inspected": int(unseen["overall"].gt(1).sum()),
                           "could_improve": len(asked)}  # fmt: skip
    for name, counts in (("plain", None), ("weighted", learning_weight(learned) * weights)):
        model = fit(learned, signals, fold.morning, candidate="ridge", weight=counts)
        for where, part in (("brier", unseen[unseen["overall"].gt(1)]), ("mean_p_all", asked)):
            rank = part["overall"].to_numpy("int64")
            p = as_outcome(pd.DataFrame(model.predict(part[signals], state(part))), rank)["p_improve"].to_numpy()
            value = np.mean((p - (part["next_overall"].to_numpy("float64") < rank)) ** 2) if where == "brier" else p.mean()
            row[f"{where}_{name}"] = float(value)
    return row
