"""The champion against what a user would pick instead, on the same rows, folds and mornings.

    python benchmarks/peers.py --tables data/tables --champion mlruns/champion [--peers lightgbm,catboost]
    [--folds 10] [--learn 10000] [--minutes 0.5] [--out benchmarks/results]

Each peer learns from the rows the champion's fold learned from: the signals, grade and phase as columns, the
next grade as the class. Its settings are chosen as the champion's are: by the ranked probability score within
grades on earlier folds, of outcomes public by then; the first fold takes the first setting. The champion's
answers are those of backtest.parquet. Slow peers learn from so many rows a fold at most, whole lineages of
them, and the page says so; `--learn` sets that limit for all, and `--learn 0` takes it away. A peer that
isn't installed is said to be left out: `pip install 'headway[peers]'`.

Writes peers.csv (a row a model and fold), peers-report-cards.csv and peers.html. Where a peer wins, they say
so.
"""

import argparse
import importlib.util
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from headway.models import baselines
from headway.models.champion import Champion
from headway.pipelines import as_of, evaluate, intervals, report_cards, signals, tables
from headway.pipelines.evaluate import GRADES, OVERALL, TWO_YEARS
from headway.pipelines.reports import page

SEED = 0
RESULTS = Path(__file__).parent / "results"
Ask = Callable[[pd.DataFrame], np.ndarray]  # columns of rows asked about to chances, rows x classes


@dataclass(frozen=True)
class Peer:
    """What a user would pick: its package, the settings tried (the first where nothing is known), how it is
    fitted.

    `fit` takes columns, classes (0 to 3 of the next grade), weights and a setting. `most` rows are learned
    from, since more would take hours.
    """

    name: str
    what: str
    package: str
    settings: tuple[dict[str, Any], ...]
    fit: Callable[[pd.DataFrame, np.ndarray, np.ndarray, dict[str, Any]], Ask]
    most: int | None = None


# --- the peers ----------------------------------------------------------------------------------------------


def _logistic(given: pd.DataFrame, classes: np.ndarray, weight: np.ndarray, setting: dict[str, Any]) -> Ask:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(
        SimpleImputer(add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(max_iter=200, **setting),
    )
    return model.fit(given, classes, logisticregression__sample_weight=weight).predict_proba


def _histogram(given: pd.DataFrame, classes: np.ndarray, weight: np.ndarray, setting: dict[str, Any]) -> Ask:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(random_state=SEED, early_stopping=False, **setting)
    return model.fit(given, classes, sample_weight=weight).predict_proba


def _lightgbm(given: pd.DataFrame, classes: np.ndarray, weight: np.ndarray, setting: dict[str, Any]) -> Ask:
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(n_jobs=1, verbose=-1, random_state=SEED, **setting)
    return model.fit(given, classes, sample_weight=weight).predict_proba


def _xgboost(given: pd.DataFrame, classes: np.ndarray, weight: np.ndarray, setting: dict[str, Any]) -> Ask:
    from xgboost import XGBClassifier

    model = XGBClassifier(n_jobs=1, tree_method="hist", random_state=SEED, **setting)
    return model.fit(given, classes, sample_weight=weight).predict_proba


def _catboost(given: pd.DataFrame, classes: np.ndarray, weight: np.ndarray, setting: dict[str, Any]) -> Ask:
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(
        loss_function="MultiClass",
        thread_count=1,
        random_seed=SEED,
        verbose=0,
        allow_writing_files=False,
        **setting,
    )
    return model.fit(given, classes, sample_weight=weight).predict_proba


def _explainable(
    given: pd.DataFrame, classes: np.ndarray, weight: np.ndarray, setting: dict[str, Any]
) -> Ask:
    from interpret.glassbox import ExplainableBoostingClassifier

    model = ExplainableBoostingClassifier(interactions=0, n_jobs=1, random_state=SEED, **setting)
    return model.fit(given, classes, sample_weight=weight).predict_proba


def _flaml(given: pd.DataFrame, classes: np.ndarray, weight: np.ndarray, setting: dict[str, Any]) -> Ask:
    """Its own search for a stated time, which judges settings on a part of the rows learned from."""
    from flaml import AutoML

    model = AutoML()
    model.fit(
        given,
        classes,
        task="classification",
        metric="log_loss",
        n_jobs=1,
        verbose=0,
        seed=SEED,
        sample_weight=weight,
        eval_method="holdout",
        estimator_list=["lgbm", "xgboost", "rf", "extra_tree"],
        time_budget=60 * setting["minutes"],
    )
    return model.predict_proba


def _ordinal(given: pd.DataFrame, classes: np.ndarray, weight: np.ndarray, setting: dict[str, Any]) -> Ask:
    """Proportional odds (McCullagh 1980); statsmodels takes no weights here, so rows are drawn by theirs."""
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    mean, spread = given.mean(), given.std().replace(0.0, np.nan)
    columns = [name for name in given if spread[name] > 0 and not _redundant(name)]

    def scaled(rows: pd.DataFrame) -> np.ndarray:
        return ((rows[columns].fillna(mean[columns]) - mean[columns]) / spread[columns]).to_numpy()

    rng = np.random.default_rng(SEED)
    drawn = rng.choice(
        len(given), size=min(len(given), setting["rows"]), replace=False, p=weight / weight.sum()
    )
    model = OrderedModel(classes[drawn], scaled(given.iloc[drawn]), distr="logit")
    result = model.fit(method="bfgs", maxiter=setting["steps"], disp=0)
    return lambda rows: np.asarray(model.predict(result.params, exog=scaled(rows)))


def _redundant(name: str) -> bool:
    """Whether a column follows from the others of its kind: the usual grade and phase are left out."""
    return name in ("grade_2", "phase_Primary", "phase_nan")


BOOSTED = {"learning_rate": 0.05, "n_estimators": 150}
PEERS = (
    Peer("logistic regression", "scikit-learn, all signals, blanks flagged", "sklearn",
         tuple({"C": C} for C in (0.003, 0.0003, 0.03)), _logistic),
    Peer("histogram boosting", "scikit-learn", "sklearn",
         tuple({"learning_rate": 0.05, "max_iter": rounds, "max_leaf_nodes": leaves, "min_samples_leaf": 50}
               for rounds, leaves in ((100, 8), (60, 15))), _histogram, most=15_000),
    Peer("LightGBM on the grade", "four classes, straight", "lightgbm",
         tuple({**BOOSTED, "num_leaves": leaves, "min_child_samples": 80, "subsample": 0.7,
                "subsample_freq": 1, "colsample_bytree": 0.4, "reg_lambda": 20.0}
               for leaves in (6, 15)), _lightgbm),
    Peer("XGBoost", "four classes", "xgboost",
         tuple({**BOOSTED, "max_depth": depth, "subsample": 0.7, "colsample_bytree": 0.4, "reg_lambda": 20.0}
               for depth in (3, 4)), _xgboost),
    Peer("CatBoost", "four classes", "catboost",
         tuple({"learning_rate": 0.08, "iterations": 200, "depth": depth} for depth in (4, 5)), _catboost,
         most=15_000),
    Peer("explainable boosting", "interpret, no interactions", "interpret",
         ({"outer_bags": 2, "max_rounds": 300},), _explainable, most=10_000),
    Peer("FLAML’s search", "its own choice of model and settings", "flaml", ({"minutes": 0.5},), _flaml),
    Peer("ordinal model", "statsmodels, proportional odds", "statsmodels",
         ({"rows": 8000, "steps": 60},), _ordinal, most=8000),
)  # fmt: skip


# --- the walk -----------------------------------------------------------------------------------------------


def columns(rows: pd.DataFrame, given: list[str]) -> pd.DataFrame:
    """What a peer is given of each row: the signals, and the grade and the phase as columns of 0 and 1."""
    at = evaluate.state(rows)
    grades = {f"grade_{grade}": at["overall"].eq(grade).astype(float) for grade in (1, 2, 3, 4)}
    phases = {
        f"phase_{name}": at["phase"].eq(name).astype(float)
        for name in ("Nursery", "Primary", "Secondary", "Special", "PRU", "nan")
    }
    return rows[given].astype("float64").assign(**grades, **phases)


def drawn(rows: pd.DataFrame, most: int | None) -> pd.DataFrame:
    """The rows, or those of lineages drawn until there are so many."""
    if most is None or len(rows) <= most:
        return rows
    order = np.random.default_rng(SEED).permutation(rows["lineage"].unique())
    place = pd.Series(np.arange(len(order)), index=order).reindex(rows["lineage"]).to_numpy()
    reached = np.sort(place)[most - 1]
    return rows[place <= reached]


def four(chances: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Chances of the four next grades, from those of the grades that were ever met."""
    if chances.shape[1] == 4:
        return chances
    whole = np.zeros((len(chances), 4))
    whole[:, np.unique(classes)] = chances
    return whole


def walked(
    peer: Peer, examples: pd.DataFrame, given: list[str], folds: list[as_of.Fold], most: int | None
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """A peer's rows as in the table `backtest`, by the settings each fold chose from those before; and what
    it chose, with seconds and rows.
    """
    rows = evaluate.usable(examples, OVERALL)
    past: list[tuple] = []
    parts, told = [], []
    for fold in folds:
        learned = drawn(rows[fold.learned(rows)], peer.most if most is None else most or None)
        unseen = rows[fold.unseen(rows)]
        rank = unseen["overall"].to_numpy("int64")
        facts = unseen[["urn", "lineage", "as_of", "next_known_on", "label", "label_source"]].assign(
            fold=fold.morning, overall=rank, next_rank=unseen["next_overall"].astype("int64")
        )
        classes = learned["next_overall"].to_numpy("int64") - 1
        weight = evaluate.learning_weight(learned).to_numpy()
        known, asked = columns(learned, given), columns(unseen, given)
        told_apart = list(known.columns[known.nunique() > 1])  # some peers stop at a column without a value
        known, asked = known[told_apart], asked[told_apart]
        answers, seconds = {}, 0.0
        for setting in peer.settings:
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of peers' own: convergence, names of columns
                chances = four(np.asarray(peer.fit(known, classes, weight, setting)(asked)), classes)
            seconds += time.perf_counter() - start
            answers[json.dumps(setting)] = pd.DataFrame(chances, index=unseen.index)
        scores = evaluate.scored_before(past, fold, list(answers))
        chosen = min(scores, key=scores.__getitem__) if scores else next(iter(answers))
        parts.append(facts.assign(model=peer.name, **evaluate.as_outcome(answers[chosen], rank)))
        told.append(
            {"fold": f"{fold.morning:%Y-%m-%d}", "model": peer.name, "setting": chosen, "seconds": seconds,
             "learned_from": len(learned)}
        )  # fmt: skip
        past.append((fold, facts, answers, rank))
        print(f"{peer.name}, {fold.name}: {len(learned):,} rows, {seconds:.0f} s", flush=True)
    return pd.concat(parts, ignore_index=True), told


def within_grades(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Each row's ranked distance by model (rows x models), and the fold and grade it belongs to.

    Models that give no chances of grades have no column; folds' grades with too few rows are left out.
    """
    known = table[table[GRADES].notna().all(axis=1)]
    known = known.assign(
        distance=evaluate.ranked_distances(known[GRADES].to_numpy(), known["next_rank"].to_numpy())
    )
    wide = known.pivot_table("distance", ["fold", "overall", "urn", "lineage"], "model")
    cell = wide.index.to_frame(index=False)
    cell = cell["fold"].astype("str") + " " + cell["overall"].astype("str")
    enough = cell.groupby(cell).transform("size").ge(evaluate.FEWEST_JUDGED).to_numpy()
    return wide[enough], cell[enough]


def beside_champion(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A row a model: means over folds, and what it gains over the champion, with intervals by lineage.

    `rps` is the ranked probability score within grades, the mean over folds and grades; `rps_more` how much
    higher than the champion's (below 0: the model is better). `brier_gain` is the share of the champion's
    Brier error the model takes away. Verdicts go by the ranked probability score, or where a model gives no
    chances of grades by the Brier score.
    """
    scored = pd.DataFrame(evaluate.scores(table))
    figures = ["skill", "auc_2", "auc_3", "auc_4", "slope", "brier"]
    means = scored.groupby("model")[figures].mean()
    distance, cell = within_grades(table)
    lineage = distance.index.get_level_values("lineage").to_numpy()
    able = table[table["overall"].gt(1)]
    error = (able["p_improve"] - able["label"].eq("improved")) ** 2
    errors = able.assign(error=error).pivot_table("error", ["fold", "urn", "lineage"], "model")
    schools = errors.index.get_level_values("lineage").to_numpy()
    mine = distance["champion"].to_numpy()
    result = []
    for model, row in means.iterrows():
        gain = intervals.skill(errors[model].to_numpy(), errors["champion"].to_numpy(), schools)
        told: dict[str, Any] = {"model": model, **row.to_dict()}
        told |= dict(zip(("brier_gain", "brier_gain_low", "brier_gain_high"), gain, strict=True))
        worse = gain[2] < 0
        better = gain[1] > 0
        if model in distance:
            theirs = distance[model].to_numpy()
            more = intervals.mean_of_groups(theirs - mine, cell, lineage)
            told["rps"] = intervals.mean_of_groups(theirs, cell, lineage)[0]
            told |= dict(zip(("rps_more", "rps_more_low", "rps_more_high"), more, strict=True))
            worse, better = more[1] > 0, more[2] < 0
        told["verdict"] = (
            "the champion" if model == "champion" else
            "wins" if better else "loses" if worse else "can’t be told from the champion"
        )  # fmt: skip
        result.append(told)
    return sorted(result, key=lambda row: (row.get("rps", np.inf), row["brier"]))


def verdict(rows: list[dict[str, Any]]) -> str:
    """Where the champion stands, in words."""
    first = rows[0]
    if first["model"] == "champion":
        return "The champion is first by ranked probability score within grades, in the mean over folds."
    words = (
        f"{first['model']} is first by ranked probability score within grades: {first['rps_more']:+.5f} "
        f"on the champion’s ({first['rps_more_low']:+.5f} to {first['rps_more_high']:+.5f})"
    )
    if first["rps_more_high"] < 0:
        return f"{words}: it wins."
    return f"{words}; the champion is within the interval of the first."


# --- report cards -------------------------------------------------------------------------------------------

PENALTIES = (
    0.0003,
    0.001,
    0.003,
    0.01,
    0.03,
    0.1,
)  # C of the penalised regression, by five parts of earlier cards
FREER = 5.0  # times that the old forecast, which it starts from, is penalised less than a signal
FEWEST_LEARNED = 50  # cards, below which the regression isn't fitted
RATE, REGRESSION = "rate by the grade before", "penalised regression"


def cards_beside(folder: Path, champion: Champion) -> tuple[list[dict[str, Any]], str]:
    """Report cards month by month: the champion against a penalised regression on the old forecast and the
    signals.

    A row an area (and `any`, and `all areas`) and model. Both learn from the cards published before a month
    and are judged on its inspections; months before `FEWEST_LEARNED` cards are left out for all. The second
    value says what was judged.
    """
    known, about, _ = signals.read_known(folder)
    morning = pd.Timestamp(about["newest_file_on"]) + pd.Timedelta(days=1)
    given = report_cards.cards(known, morning)
    if given.empty:
        return [], "There are no report cards in these tables."
    examples = evaluate.usable(tables.read(folder, "examples"), OVERALL)
    learned = examples[as_of.Fold(morning, morning).learned(examples)]
    rows = report_cards.Learner.of(champion, known, given, learned).walked(sets=False)
    cohort = report_cards.graded_state(given[["urn", "lineage", "as_of"]], known)
    made = signals.build(cohort, known)
    state = evaluate.state_of_all(cohort.assign(leadership_gap=made["leadership_gap"]))
    place = champion.prior(made[champion.signals], state).place.reshape(len(given), -1)
    old = [f"old_{at}" for at in range(place.shape[1])]
    told = made[champion.signals].join(pd.DataFrame(place, columns=old, index=made.index))
    told = told.set_index(pd.MultiIndex.from_frame(given[["urn", "as_of"]]))
    judged = []
    for month, here in rows.groupby("fold"):
        first = pd.Timestamp(f"{month}-01")
        public = as_of.is_before(given["known_on"], pd.Series(first, index=given.index))
        apart = ~given["lineage"].isin(here["lineage"])
        before = given[public & apart]
        if len(before) < FEWEST_LEARNED:
            continue
        judged.append(here.assign(peer=_penalised(before, here, told, old)))
    if not judged:
        return [], f"No month has {FEWEST_LEARNED} cards before it."
    every = pd.concat(judged, ignore_index=True)
    result = []
    for area in ["all areas", *every["area"].unique()]:
        mine = every[every["area"].ne("any")] if area == "all areas" else every[every["area"].eq(area)]
        below, lineage = mine["below"].to_numpy(dtype=float), mine["lineage"].to_numpy()
        error = {
            name: (mine[column].to_numpy() - below) ** 2
            for name, column in (("champion", "p_below"), (REGRESSION, "peer"), (RATE, "rate"))
        }
        for name, column in (("champion", "p_below"), (REGRESSION, "peer")):
            gain = intervals.skill(error[name], error["champion"], lineage)
            # areas differ in how often they come out below, so order is told within each
            order = intervals.mean_auc(mine[column].to_numpy(), below, mine["area"], lineage)
            result.append(
                {"area": area, "model": name, "cards": mine[["urn", "as_of"]].drop_duplicates().shape[0],
                 "skill": intervals.skill(error[name], error[RATE], lineage)[0], "auc": order[0],
                 "brier_gain": gain[0], "brier_gain_low": gain[1], "brier_gain_high": gain[2],
                 "verdict": "the champion" if name == "champion" else "wins" if gain[1] > 0
                 else "loses" if gain[2] < 0 else "can’t be told from the champion"}
            )  # fmt: skip
    months = ", ".join(sorted(every["fold"].unique()))
    most = int(every["learned_from"].max())
    return (
        result,
        f"Judged on the cards of {months}, by what was learned from those published before: {most} at most.",
    )


def _penalised(before: pd.DataFrame, here: pd.DataFrame, told: pd.DataFrame, old: list[str]) -> np.ndarray:
    """The chance of below expected of each row, by a regression for each area learned from earlier cards."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    learned = told.loc[pd.MultiIndex.from_frame(before[["urn", "as_of"]])]
    asked = told.loc[pd.MultiIndex.from_frame(here[["urn", "as_of"]])]
    scale = np.where(np.isin(told.columns, old), FREER, 1.0)
    names = list(report_cards.NAMES)
    p = np.full(len(here), np.nan)
    for area in here["area"].unique():
        came = before[names].max(axis=1) if area == "any" else before[area]
        whole, rows = came.notna().to_numpy(), here["area"].eq(area).to_numpy()
        below = came[whole].ge(4).to_numpy()
        parts = int(min(below.sum(), (~below).sum(), 5))
        if parts < 2:
            p[rows] = below.mean()
            continue
        ready = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()).fit(learned)
        model = LogisticRegressionCV(
            Cs=PENALTIES,
            cv=parts,
            scoring="neg_brier_score",
            max_iter=1000,
            l1_ratios=(0,),
            use_legacy_attributes=False,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit((ready.transform(learned) * scale)[whole], below)
        p[rows] = model.predict_proba(ready.transform(asked[rows]) * scale)[:, 1]
    return p


# --- what is written ----------------------------------------------------------------------------------------


def main() -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # threads that wait by spinning slow a shared machine fifty-fold
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=Path, default=Path("data/tables"))
    parser.add_argument("--champion", type=Path, default=Path("mlruns/champion"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--folds", type=int, default=10, help="the newest so many")
    parser.add_argument("--peers", default="", help="only those whose name has one of these, by commas")
    parser.add_argument(
        "--learn",
        type=int,
        help="rows a fold at most for every peer, 0 for all of them; default each peer's own limit",
    )
    parser.add_argument("--minutes", type=float, default=0.5, help="of FLAML's search, a fold")
    chosen = parser.parse_args()
    examples, backtest = (tables.read(chosen.tables, name) for name in ("examples", "backtest"))
    report = json.loads((chosen.tables / "train.json").read_text(encoding="utf-8"))
    judged = sorted(backtest["fold"].unique())[-chosen.folds :]
    folds = [fold for fold in evaluate.folds(examples) if fold.morning in judged]
    wanted = [word.strip().lower() for word in chosen.peers.split(",") if word.strip()]
    asked = [peer for peer in PEERS if not wanted or any(word in peer.name.lower() for word in wanted)]
    missing = [peer for peer in asked if importlib.util.find_spec(peer.package) is None]
    notes = [f"Left out, not installed: {peer.name} ({peer.package})." for peer in missing]
    parts, told = [], []
    for peer in asked:
        if peer in missing:
            continue
        if peer.package == "flaml":
            peer = Peer(peer.name, peer.what, peer.package, ({"minutes": chosen.minutes},), peer.fit)
            notes.append(f"FLAML searched for {60 * chosen.minutes:.0f} seconds in each fold.")
        try:
            rows, choices = walked(peer, examples, report["signals"], folds, chosen.learn)
        except Exception as error:  # a peer's own failure is a result too, and no reason to lose the others'
            notes.append(f"{peer.name} failed: {type(error).__name__}: {str(error)[:200]}")
            print(notes[-1], flush=True)
            continue
        parts.append(rows)
        told += choices
        if peer.most and chosen.learn is None:
            notes.append(f"{peer.name} learned from at most {peer.most:,} rows a fold; more take too long.")
    if chosen.learn:
        notes.append(f"Every peer learned from at most {chosen.learn:,} rows a fold; the champion from all.")
    ours = [*baselines.RULES, TWO_YEARS, "table", "champion"]
    mine = backtest[backtest["model"].isin(ours) & backtest["fold"].isin(judged)]
    table = pd.concat([mine, *parts], ignore_index=True)
    rows = beside_champion(table)
    seconds = pd.DataFrame(told, columns=["fold", "model", "setting", "seconds", "learned_from"])
    for row in rows:
        spent = seconds.loc[seconds["model"].eq(row["model"]), "seconds"]
        row["seconds"] = float(spent.sum()) if len(spent) else None
        row["what"] = next((peer.what for peer in PEERS if peer.name == row["model"]), "")
    cards, about_cards = cards_beside(chosen.tables, Champion.load(chosen.champion))
    by_fold = pd.DataFrame(evaluate.scores(table)).merge(seconds, how="left", on=["fold", "model"])
    chosen.out.mkdir(parents=True, exist_ok=True)
    by_fold.to_csv(chosen.out / "peers.csv", index=False)
    pd.DataFrame(cards).to_csv(chosen.out / "peers-report-cards.csv", index=False)
    result = {
        "rows": rows, "cards": cards, "about_cards": about_cards, "notes": notes, "verdict": verdict(rows),
        "folds": [fold.name for fold in folds], "n": len(table[table["model"].eq("champion")]),
        "data_source": report["data_source"], "model_version": report["model_version"],
        "inputs": report["inputs"],
    }  # fmt: skip
    tables.write_json(chosen.out / "peers.json", tables.plain(result))
    shown = page.template("peers.html", folder=[Path(__file__).parent, Path(page.__file__).parent])
    tables.write_text(chosen.out / "peers.html", shown.render(found=tables.plain(result)))
    _print(result)


def _print(found: dict[str, Any]) -> None:
    print(f"\n{'model':32}{'RPS':>8}{'more than the champion':>34}{'skill':>8}{'AUC Good':>10}{'AUC RI':>8}"
          f"{'AUC Inad.':>10}{'slope':>7}{'seconds':>9}  verdict")  # fmt: skip
    for row in found["rows"]:
        rps = f"{row['rps']:.4f}" if "rps" in row else ""
        more = (
            f"{row['rps_more']:+.4f} ({row['rps_more_low']:+.4f} to {row['rps_more_high']:+.4f})"
            if "rps" in row
            else ""
        )
        spent = "" if row["seconds"] is None else f"{row['seconds']:.0f}"
        print(f"{row['model']:32}{rps:>8}{more:>34}{row['skill']:8.3f}{row['auc_2']:10.3f}{row['auc_3']:8.3f}"
              f"{row['auc_4']:10.3f}{row['slope']:7.2f}{spent:>9}  {row['verdict']}")  # fmt: skip
    print(found["verdict"])
    print(f"\nReport cards. {found['about_cards']}")
    for row in found["cards"]:
        print(f"{row['area']:36}{row['model']:24}{row['skill']:8.3f}{row['auc']:8.3f}  gain "
              f"{row['brier_gain']:+.3f} ({row['brier_gain_low']:+.3f} to {row['brier_gain_high']:+.3f})  "
              f"{row['verdict']}")  # fmt: skip
    for note in found["notes"]:
        print(note)


if __name__ == "__main__":
    main()
