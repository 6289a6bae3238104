"""Whether today is still like what the champion learned from, how good it can be expected to be, and how it
turned out.

Three looks, in the order in which they can be had: drift of the signals on the morning they are made;
performance expected from the chances alone, before any outcome; and the scoreboard, when outcomes come. What
counts as too much is in LIMITS.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from headway.pipelines import as_of, evaluate, frameworks, tables
from headway.pipelines.as_of import Fold
from headway.pipelines.evaluate import FEW, FEWEST_JUDGED, OVERALL
from headway.pipelines.frameworks import GRADES
from headway.pipelines.scoring.score import SCORED
from headway.pipelines.tables import DataError
from headway.pipelines.watching.scoreboard import keep, on_cards, predictions, scoreboard

DRAWS = 400  # of next year, for the interval of what is expected: its ends are steady to the third decimal


@dataclass(frozen=True)
class Limit:
    """What is measured, how far it may go (at most, or at least), and why so far."""

    name: str
    value: float
    measured: str
    reason: str
    at_least: bool = False


LIMITS = {
    limit.name: limit
    for limit in (
        Limit(
            "drift",
            0.2,
            "a signal's distance from what was learned (Kolmogorov-Smirnov's, within phase: 0 the same, 1 no "
            "overlap), beyond the largest it had in any fold of the backtest",
            (
                "the backtest's figures already hold the drift of its folds; a fifth of schools further out "
                "has "
                "never been judged"
            ),
        ),
        Limit(
            "blank",
            0.2,
            "the rise in the share of schools for which a signal is blank, against what was learned",
            "a fifth of schools; one missing file takes a whole phase or more",
        ),
        Limit(
            "new_framework",
            0.05,
            "the share of latest inspections made under a framework with fewer than "
            f"{FEWEST_JUDGED} outcomes learned from",
            "one school in twenty; below that a national figure hardly moves",
        ),
        Limit(
            "extrapolation",
            0.5,
            "the share of predictions of outcomes under report cards, which nothing was learned from",
            "once most are, the backtest no longer speaks for them; raise it to accept that knowingly",
        ),
        Limit(
            "chances",
            0.15,
            "how far the mean chance within a grade has moved from the newest fold's, or from the last kept "
            "predictions'",
            "levels moved by up to 0.15 between academic years",
        ),
        Limit(
            "expected_brier",
            0.02,
            "the expected Brier error within a grade, beyond the worst fold's",
            "about a fifth of the error within Good, an eighth of that within Requires improvement",
        ),
        Limit(
            "expected_auc",
            0.05,
            "how far the expected AUC within a grade lies below the worst fold's",
            "half of the spread that folds have shown within a grade",
        ),
        Limit(
            "gap",
            0.05,
            "the mean chance against the share that improved: the nearer end of the 95% interval",
            "one school in twenty; the level moves by about as much from year to year",
        ),
        Limit(
            "group_gap",
            0.1,
            "the same within a grade or a group of schools",
            "twice as much, because some forty are looked at",
        ),
        Limit(
            "skill",
            0.0,
            "skill over the recent rates stored with the predictions: the upper end of the 95% interval",
            "below 0 the plain rate is better",
            at_least=True,
        ),
        Limit(
            "coverage",
            0.85,
            f"the share of grade sets that held the next grade, over {FEWEST_JUDGED} outcomes or more",
            "0.9 is promised; one set in twenty more than that may miss",
            at_least=True,
        ),
    )
}


def limits(given: Iterable[str] = ()) -> dict[str, float]:
    """Every limit's value, with those given as `name=value` in place of ours. Raises `DataError` naming all
    that are wrong.
    """
    values, wrong = {name: limit.value for name, limit in LIMITS.items()}, []
    for word in given:
        name, _, text = word.partition("=")
        try:
            values[name] = {name: float(text) for name in [name] if name in LIMITS}[name]
        except (KeyError, ValueError):
            wrong.append(word)
    if wrong or any(value != value for value in values.values()):
        raise DataError(
            f"--limit {', --limit '.join(wrong or given)} is not a limit and a number.\n"
            f"Write it as drift=0.3; the limits are {', '.join(LIMITS)}."
        )
    return values


# --- the whole ----------------------------------------------------------------------------------------------


def monitor(
    folder: Path, champion: dict[str, Any], file: Path | None = None, allowed: dict[str, float] | None = None
) -> dict[str, Any]:
    """The report of the current predictions and all those kept, or of one `file` alone; kept first, where it
    is the current.

    `champion` is what the champion says about itself. In `passed` is every limit passed, with a sentence.
    Raises `DataError` where there is nothing to look at, or made-up and official files would meet.
    """
    path = file or folder / "predictions.parquet"
    rows = predictions(path)
    source, morning = rows["data_source"].iloc[0], rows["as_of"].iloc[0]
    for what, other in (
        (f"the tables in {folder} are", tables.about(folder, "inspections")["data_source"]),
        ("the champion learned from", champion["data_source"]),
    ):
        if other != source:
            raise DataError(
                f"The predictions in {path} are from {source} files, and {what} {other}.\n"
                "Run `headway train` and `headway score` on these tables, or name others with --tables."
            )
    notes = []
    paths = [file] if file else []
    if not file:
        path, fresh = keep(folder)
        notes.append(f"kept: {path}" if fresh else f"kept before: {path}")
        paths = sorted(path.parent.glob("*.parquet"))
    version = rows["model_version"].iloc[0]
    if version != champion["version"]:
        notes.append(
            f"These predictions are by model {version} and the champion is {champion['version']}: the drift "
            "is what "
            "the champion would meet. Run `headway score` for its predictions."
        )
    allowed = allowed or limits()
    examples, backtest = tables.read(folder, "examples"), tables.read(folder, "backtest")
    # A morning of the past is held against folds whose outcomes were public by then.
    then = as_of.is_before(backtest["next_known_on"], pd.Series(morning, index=backtest.index))
    backtest = backtest[backtest["model"].eq("champion") & then]
    learned = _learned(examples, champion, notes)
    now = _signals_now(folder, rows, morning, champion, notes)
    history = _history(paths, source, notes)
    # names begin with the morning
    earlier = [] if file else [known for known in history if known.name[:10] < path.name[:10]]
    before = history[earlier[-1]] if earlier else None
    result: dict[str, Any] = {
        "as_of": f"{morning:%Y-%m-%d}",
        "model_version": version,
        "champion": champion["version"],
        "champion_as_of": champion["as_of"],
        "data_source": source,
        "predictions": len(rows),
        "scored": int(rows["status"].eq(SCORED).sum()),
        "learned_from": len(learned),
        "signals": []
        if now is None
        else drift(learned, now, champion, examples, sorted(backtest["fold"].unique())),
        "frameworks": framework_mix(rows, learned),
        "chances": chances(rows, backtest, before),
        "expected": expected_by_grade(rows, backtest),
        "folds": expected_on_folds(backtest),
        "scoreboard": scoreboard(list(history.values()), folder, champion),
        "report_cards": on_cards(folder),
    }
    # Where the next inspection is a report card, the forecast of it is one only if cards were learned from.
    beyond = rows.loc[rows["status"].eq(SCORED), "extrapolation"] & (champion.get("report_cards", 0) == 0)
    result["extrapolation"] = float(beyond.mean()) if result["scored"] else None
    result["limits"] = [
        {
            "name": name,
            "value": allowed[name],
            "measured": limit.measured,
            "reason": limit.reason,
            "at_least": limit.at_least,
        }
        for name, limit in LIMITS.items()
    ]
    return tables.plain(result | {"notes": notes, "passed": passed(result, allowed)})


def _history(paths: list[Path], source: str, notes: list[str]) -> dict[Path, pd.DataFrame]:
    """The kept predictions from files of this kind; made-up and official ones are never judged together."""
    result = {}
    for path in paths:
        try:
            rows = predictions(path)
        except DataError as error:
            notes.append(f"left out: {error}")
            continue
        if (other := rows["data_source"].iloc[0]) == source:
            result[path] = rows
        else:
            notes.append(f"left out: {path.name} is from {other} files")
    return result


def _learned(examples: pd.DataFrame, champion: dict[str, Any], notes: list[str]) -> pd.DataFrame:
    """The rows the champion learned from, by the rule it learned by."""
    day = pd.Timestamp(champion["as_of"])
    rows = evaluate.usable(examples, OVERALL)
    rows = rows[Fold(day, day).learned(rows)]
    if len(rows) != champion.get("learned_from", len(rows)):
        notes.append(
            f"The champion learned from {champion['learned_from']:,} outcomes and examples.parquet now holds "
            f"{len(rows):,} of them: it was written by another training."
        )
    absent = [name for name in champion["signals"] if name not in rows]
    if absent:
        raise DataError(
            f"examples.parquet doesn't hold signals the champion uses: {', '.join(absent)}.\n"
            "Run `headway train` and `headway score` again."
        )
    return rows


def _signals_now(
    folder: Path, rows: pd.DataFrame, morning: pd.Timestamp, champion: dict[str, Any], notes: list[str]
) -> pd.DataFrame | None:
    """The signals of the schools scored, or nothing where the tables hold those of another morning or another
    model.
    """
    made = tables.read(folder, "signals_today")
    if made["as_of"].ne(morning).any():
        notes.append(
            f"signals_today.parquet is of {made['as_of'].iloc[0]:%Y-%m-%d}, these predictions of "
            f"{morning:%Y-%m-%d}: "
            "their signals can't be compared with what was learned."
        )
        return None
    if absent := [name for name in champion["signals"] if name not in made]:
        notes.append(
            f"signals_today.parquet was made before the champion's {', '.join(absent)}: run `headway score` "
            "again."
        )
        return None
    scored = rows.loc[rows["status"].eq(SCORED), ["urn", "phase", "overall"]]
    return scored.merge(made[["urn", *champion["signals"]]], on="urn", how="left", validate="one_to_one")


# --- drift --------------------------------------------------------------------------------------------------


def distances(then: pd.DataFrame, now: pd.DataFrame, given: list[str]) -> pd.Series:
    """How far each signal stands from what was learned: Kolmogorov and Smirnov's distance, blanks left out.

    Taken within each phase with enough schools on both sides and averaged over the schools of now, so that it
    doesn't move because the mix of phases did. It needs no bins and no unit: 0.3 says that three schools in
    ten would have to change.
    """
    from scipy.stats import ks_2samp

    learned = dict(iter(then[["phase", *given]].groupby("phase")))
    far, schools = pd.DataFrame(columns=given, dtype=float), pd.DataFrame(columns=given, dtype=float)
    for phase, rows in now[["phase", *given]].groupby("phase"):
        for name in given if phase in learned else ():
            a, b = rows[name].dropna(), learned[phase][name].dropna()
            if min(len(a), len(b)) >= FEWEST_JUDGED:
                far.loc[phase, name] = ks_2samp(a, b, method="asymp").statistic
                schools.loc[phase, name] = len(a)
    return (far * schools).sum(min_count=1) / schools.sum(min_count=1)


def drift(
    learned: pd.DataFrame,
    now: pd.DataFrame,
    champion: dict[str, Any],
    examples: pd.DataFrame,
    folds: list[pd.Timestamp],
) -> list[dict[str, Any]]:
    """Each signal of the champion: its distance from what was learned, the largest in any fold, its means and
    its blanks.

    In a fold the distance is of the schools asked about that morning from what its model had learned: the
    backtest's figures were reached with that much drift.
    """
    given = champion["signals"]
    usable = evaluate.usable(examples, OVERALL)
    past = pd.DataFrame(
        [
            distances(
                usable[Fold(day, day).learned(usable)],
                examples[examples["as_of"].eq(day) & examples["overall"].notna()],
                given,
            )
            for day in folds
        ],
        columns=given,
    )
    table = pd.DataFrame(
        {
            "family": pd.Series(champion["families"]),
            "distance": distances(learned, now, given),
            "worst_fold": past.max(),
            "mean_then": learned[given].mean(),
            "mean_now": now[given].mean(),
            "blank_then": learned[given].isna().mean(),
            "blank_now": now[given].isna().mean(),
        }
    ).loc[given]
    table["beyond"] = table["distance"] - table["worst_fold"].fillna(0.0)
    return table.rename_axis("signal").reset_index().to_dict("records")


def framework_mix(rows: pd.DataFrame, learned: pd.DataFrame) -> list[dict[str, Any]]:
    """For each framework: its share of the latest inspections, now and in what was learned, and the outcomes
    under it.
    """
    now, then = rows["framework"].value_counts(), learned["framework"].value_counts()
    outcomes = learned["next_framework"].value_counts()
    return [
        {
            "framework": name,
            "schools": int(now.get(name, 0)),
            "share_now": now.get(name, 0) / max(now.sum(), 1),
            "share_then": then.get(name, 0) / max(then.sum(), 1),
            "learned_from": int(then.get(name, 0)),
            "outcomes_learned": int(outcomes.get(name, 0)),
        }
        for name in frameworks.FRAMEWORKS["framework"]
        if name in now or name in then or name in outcomes
    ]


def chances(rows: pd.DataFrame, backtest: pd.DataFrame, before: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Within each grade: the mean chance now, in the newest fold of the backtest, and in the predictions kept
    before.
    """
    newest = backtest[backtest["fold"].eq(backtest["fold"].max())]
    against = {"newest fold": newest} | ({} if before is None else {"kept before": before})
    result = []
    for grade in GRADES:
        now = stake(rows, grade)
        for name, others in against.items():
            then = stake(others, grade)
            if min(len(now), len(then)) >= FEW:
                result.append(
                    {
                        "overall": grade,
                        "against": name,
                        "n_now": len(now),
                        "n_then": len(then),
                        "mean_now": now.mean(),
                        "mean_then": then.mean(),
                        "moved": now.mean() - then.mean(),
                    }
                )
    return result


def stake(rows: pd.DataFrame, grade: int | None = None) -> np.ndarray:
    """The chance each prediction is about: of improving, and at the top of staying; of one grade or of all
    that could rise.
    """
    here = rows["overall"].eq(grade) if grade else rows["overall"].gt(1)
    return (
        rows.loc[here.fillna(False).astype(bool), "p_same" if grade == 1 else "p_improve"].dropna().to_numpy()
    )


# --- what to expect, before outcomes ------------------------------------------------------------------------


def expected(
    p: np.ndarray, spread: np.ndarray | float = 0.0, level: np.ndarray | None = None, seed: int = 0
) -> dict[str, Any]:
    """The Brier error and AUC that these chances would show, if they mean what they say, with 95% intervals.

    Confidence-based performance estimation (described, and extended, in Bialek and others 2024,
    arXiv:2401.08348): a school with chance p improves p times and doesn't 1 - p times, so its error is p(1 -
    p). The interval is of outcomes drawn from the chances, after moving the log-odds of all schools of one
    `level` together by a normal draw of that `spread`: levels have moved that much between the folds.
    """
    from scipy.stats import rankdata
    from sklearn.metrics import roc_auc_score

    n = len(p)
    both = np.r_[np.ones(n), np.zeros(n)]
    rng = np.random.default_rng(seed)
    _, of = np.unique(np.zeros(n) if level is None else level, return_inverse=True)
    moved = rng.normal(size=(DRAWS, of.max() + 1))[:, of] * spread
    odds = np.log(np.clip(p, 1e-9, 1 - 1e-9) / np.clip(1 - p, 1e-9, 1))
    happened = rng.random((DRAWS, n)) < 1 / (1 + np.exp(-(odds + moved)))
    brier = ((p - happened) ** 2).mean(axis=1)
    yes = happened.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        area = (happened @ rankdata(p) - yes * (yes + 1) / 2) / (yes * (n - yes))
    return {
        "n": n,
        "brier": float((p * (1 - p)).mean()),
        **_ends("brier", brier),
        "auc": float(roc_auc_score(both, np.r_[p, p], sample_weight=np.r_[p, 1 - p])),
        **_ends("auc", area[np.isfinite(area)]),
    }


def _ends(name: str, draws: np.ndarray) -> dict[str, float]:
    low, high = np.quantile(draws, [0.025, 0.975]) if len(draws) else (np.nan, np.nan)
    return {f"{name}_low": float(low), f"{name}_high": float(high)}


def expected_by_grade(rows: pd.DataFrame, backtest: pd.DataFrame) -> list[dict[str, Any]]:
    """What to expect of all that could improve and within each grade, beside what the folds of the backtest
    showed.
    """
    rows = rows[rows["status"].eq(SCORED)]
    result = []
    for grade in (None, *GRADES):
        p = stake(rows, grade)
        row: dict[str, Any] = {"overall": grade, "n": len(p), "too_few": len(p) < FEW}
        if not row["too_few"]:
            here = rows[rows["overall"].eq(grade) if grade else rows["overall"].gt(1)]
            here = here[here["p_same" if grade == 1 else "p_improve"].notna()]  # as `stake` has them
            row |= expected(p, _spread(here), here["overall"].to_numpy("int64"))
        showed = [shown for _, fold in backtest.groupby("fold") if (shown := _showed(fold, grade))]
        for name, worst in (("brier", max), ("auc", min)):
            values = [shown[name] for shown in showed if np.isfinite(shown[name])]
            row |= {
                f"{name}_newest": values[-1] if values else None,
                f"{name}_worst": worst(values) if values else None,
            }
        result.append(row)
    return result


def _spread(rows: pd.DataFrame) -> np.ndarray:
    """How much the level of each row's grade may move, in log-odds: read off the 90% interval stored with its
    chance.
    """
    from scipy.special import logit

    reach = 2 * 1.644854
    each = (logit(rows["p_high"]) - logit(rows["p_low"])) / reach
    return each.where(np.isfinite(each)).groupby(rows["overall"]).transform("median").fillna(0.0).to_numpy()


def _showed(fold: pd.DataFrame, grade: int | None) -> dict[str, float] | None:
    here = fold[(fold["overall"].eq(grade) if grade else fold["overall"].gt(1)) & fold["label"].notna()]
    if len(here) < FEW:
        return None
    p, happened = stake(here, grade), here["label"].eq("same" if grade == 1 else "improved").to_numpy(float)
    return {"brier": float(((p - happened) ** 2).mean()), "auc": evaluate.auc(p, happened)[0]}


def expected_on_folds(backtest: pd.DataFrame) -> list[dict[str, Any]]:
    """How well expecting did before: in each fold, what its chances let expect and what came."""
    result = []
    for day, fold in backtest.groupby("fold"):
        p, came = stake(fold), _showed(fold, None)
        if came:
            hoped = expected(p)
            result.append(
                {
                    "fold": f"{day:%Y-%m-%d}",
                    "n": len(p),
                    **{f"expected_{k}": hoped[k] for k in came},
                    **{f"came_{k}": value for k, value in came.items()},
                }
            )
    return result


# --- limits -------------------------------------------------------------------------------------------------


def passed(found: dict[str, Any], allowed: dict[str, float]) -> list[dict[str, Any]]:
    """Every limit passed: its name, the figure, what was allowed and a sentence that says what it is
    about.
    """
    over: list[dict[str, Any]] = []

    def hold(name: str, value: float | None, sentence: str) -> None:
        if value is None or value != value:
            return
        if value < allowed[name] if LIMITS[name].at_least else value > allowed[name]:
            over.append(
                {"limit": name, "value": float(value), "allowed": allowed[name], "sentence": sentence}
            )

    for row in found["signals"]:
        where = (
            f" and {row['worst_fold']:.2f} at most in the backtest"
            if row["worst_fold"] == row["worst_fold"]
            else ""
        )
        hold(
            "drift",
            row["beyond"],
            f"{row['signal']} ({row['family']}) stands {row['distance']:.2f} from what was learned"
            f"{where}; its mean was {row['mean_then']:.3g} and is {row['mean_now']:.3g}",
        )
    for sentence, rise in _blanks(found["signals"], allowed["blank"]):
        hold("blank", rise, sentence)
    for row in found["frameworks"]:
        if row["learned_from"] < FEWEST_JUDGED:
            hold(
                "new_framework",
                row["share_now"],
                f"{row['framework']}: now {row['share_now']:.0%} of the latest inspections; "
                f"in training {row['share_then']:.0%} ({row['learned_from']:,} learned from)",
            )
    hold(
        "extrapolation",
        found["extrapolation"],
        f"{found['extrapolation'] or 0:.0%} of predictions are of outcomes under "
        "report cards, which nothing was learned from",
    )
    for row in found["chances"]:
        hold(
            "chances",
            abs(row["moved"]),
            f"the mean chance within {GRADES[row['overall']]} is {row['mean_now']:.3f}; "
            f"{row['against']} {row['mean_then']:.3f}",
        )
    for row in found["expected"]:
        if row["overall"] is None or row["too_few"]:
            continue
        for name, sign in (("brier", 1), ("auc", -1)):
            if row[f"{name}_worst"] is not None:
                hold(
                    f"expected_{name}",
                    sign * (row[name] - row[f"{name}_worst"]),
                    f"within {GRADES[row['overall']]} "
                    f"{name} is expected to be {row[name]:.3f}; the worst fold showed "
                    f"{row[f'{name}_worst']:.3f}",
                )
    for row in found["scoreboard"]["groups"]:
        # as a rule closed since: a group that its outcomes have made
        if row["too_few"] or row["group"] == "not known":
            continue
        what = "all that could improve" if row["by"] == "all" else f"{row['by']} {row['group']}"
        nearer = max(row["gap_low"], -row["gap_high"], 0.0)
        hold(
            "gap" if row["by"] == "all" else "group_gap",
            nearer,
            f"{what}: {row['rate']:.1%} of {row['n']:,} against a mean chance of {row['mean_p']:.1%}",
        )
        if row["by"] == "all":
            hold(
                "skill",
                row["skill_high"],
                f"skill over the stored rates is {row['skill']:.3f} on {row['n']:,} outcomes",
            )
            if row["sets"] >= FEWEST_JUDGED:
                hold(
                    "coverage",
                    row["coverage"],
                    f"grade sets held the next grade in {row['coverage']:.1%} of {row['sets']:,}",
                )
    return over


def _blanks(rows: list[dict[str, Any]], most: float) -> Iterable[tuple[str, float]]:
    """A sentence for each signal blank far more often than in training; one for a family all of which is."""
    table = pd.DataFrame(rows, columns=["signal", "family", "blank_then", "blank_now"])
    table["rise"] = table["blank_now"] - table["blank_then"]
    for family, every in table.groupby("family", sort=False):
        gone = every[every["rise"].gt(most)]
        if len(gone) and len(every) > 1 and every["blank_now"].eq(1).all():
            span = dict.fromkeys(
                f"{share:.0%}" for share in (every["blank_then"].min(), every["blank_then"].max())
            )
            yield (
                (
                    f"{family}: all {len(every)} of its signals are now blank for 100% of schools; in "
                    "training "
                    f"{' to '.join(span)}"
                ),
                every["rise"].max(),
            )
            continue
        for row in gone.itertuples():
            yield (
                (
                    f"{row.signal} ({family}) is now blank for {row.blank_now:.0%} of schools; in training "
                    f"{row.blank_then:.0%}"
                ),
                row.rise,
            )
