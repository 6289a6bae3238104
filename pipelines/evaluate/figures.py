"""The figures: error, skill, order within each grade, calibration, coverage, what was caught, and each by
group.

Intervals are paired, and by lineage (see `intervals`).
"""

from typing import Any

import numpy as np
import pandas as pd

from headway.models import estimators
from headway.pipelines import intervals
from headway.pipelines.intervals import auc

WITHIN = (2, 3, 4)
BASE = "base_rate_grade_phase"
TWO_YEARS = "base_rate_two_years"
GRADES = [f"p_grade_{grade}" for grade in (1, 2, 3, 4)]


def scores(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Every fold and model: Brier, skill over the plain rates with intervals, AUC within each grade,
    calibration.

    On rows that could improve. Skill is 1 - Brier / Brier of the rule, as a share.
    """
    eligible = table[table["overall"].gt(1)]
    result = []
    for fold, rows in eligible.groupby("fold"):
        base = rows[rows["model"].eq(BASE)].set_index("urn")
        two = rows[rows["model"].eq(TWO_YEARS)].set_index("urn")
        for model, mine in rows.groupby("model"):
            mine = mine.set_index("urn").loc[base.index]
            result.append({"fold": f"{fold:%Y-%m-%d}", "model": model, **score(mine, base, two)})
    return result


def score(mine: pd.DataFrame, base: pd.DataFrame, two: pd.DataFrame) -> dict[str, Any]:
    """One model on one fold's rows, against the two rates on the same rows."""
    improved = mine["label"].eq("improved").to_numpy(dtype=float)
    p = mine["p_improve"].to_numpy()
    error = (p - improved) ** 2
    against = {
        name: (rule["p_improve"].to_numpy() - improved) ** 2
        for name, rule in (("", base), ("_two_years", two))
    }
    slope, intercept = calibration(p, improved)
    row: dict[str, Any] = {
        "n": len(mine),
        "rate": improved.mean(),
        "mean_p": p.mean(),
        "brier": error.mean(),
        "slope": slope,
        "intercept": intercept,
        "derived": float(mine["label_source"].eq("derived").mean()),
    }
    rank, lineage = mine["overall"].to_numpy(), mine["lineage"].to_numpy()
    for name, rule in against.items():
        row |= _named(f"skill{name}", intervals.skill(error, rule, lineage))
    for grade in WITHIN:
        here = rank == grade
        row |= _named(f"auc_{grade}", auc(p[here], improved[here], lineage[here]))
        row[f"n_{grade}"] = int(here.sum())
    if mine.get("p_grade_1") is not None and mine["p_grade_1"].notna().all():
        row["rps"] = ranked_probability_score(mine[GRADES].to_numpy(), mine["next_rank"].to_numpy())
    return row


def _named(name: str, interval: intervals.Interval) -> dict[str, float]:
    """A figure and its interval under the names they go by."""
    return dict(zip((name, f"{name}_low", f"{name}_high"), interval, strict=True))


def calibration(p: np.ndarray, happened: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of outcomes on the log-odds of the predictions (Van Calster and others 2019)."""
    from sklearn.linear_model import LogisticRegression

    if happened.min() == happened.max() or np.ptp(p) < 1e-9:
        return float("nan"), float("nan")
    odds = estimators.log_odds(np.clip(p, 1e-4, 1 - 1e-4))[:, None]
    model = LogisticRegression(C=np.inf, max_iter=200).fit(odds, happened)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def calibration_curve(table: pd.DataFrame, groups: int = 10) -> list[dict[str, Any]]:
    """What the champion had said against what came, in groups of equal size from the lowest chance to the
    highest.

    `table` is the backtest's rows; those of schools that could improve count, all folds together. A group is
    its number `bin` (from 1), schools `n`, mean chance `mean_p`, share that improved `rate`, and that share's
    95% interval `low` to `high`. No groups where there are fewer than ten schools for each.
    """
    rows = table[table["model"].eq("champion") & table["overall"].gt(1)]
    if len(rows) < 10 * groups:
        return []
    group = pd.qcut(rows["p_improve"].rank(method="first"), groups, labels=False)
    by = rows.assign(improved=rows["label"].eq("improved")).groupby(group)
    result = []
    for at, here in by:
        rate, low, high = intervals.share(here["improved"].to_numpy(dtype=float), here["lineage"])
        result.append(
            {
                "bin": int(at) + 1,
                "n": len(here),
                "mean_p": float(here["p_improve"].mean()),
                "rate": rate,
                "low": low,
                "high": high,
            }
        )
    return result


def ranked_probability_score(chances: np.ndarray, following: np.ndarray) -> float:
    """The mean squared distance between the cumulative chances and what came; 0 is perfect."""
    return float(ranked_distances(chances, following).mean())


def ranked_distances(chances: np.ndarray, following: np.ndarray) -> np.ndarray:
    """That distance, squared, row by row."""
    came = (np.arange(1, 5)[None, :] >= following[:, None]).astype(float)
    return ((chances.cumsum(axis=1) - came)[:, :3] ** 2).sum(axis=1)


def coverage(table: pd.DataFrame) -> list[dict[str, Any]]:
    """How often the grade sets held the next grade: overall, by fold, within each current grade and by
    framework.
    """
    rows = table[table["model"].eq("champion") & table["set_covers"].notna()].assign(
        covers=lambda t: t["set_covers"].astype(float), size=lambda t: t["grade_set"].map(_size)
    )
    result: list[dict[str, Any]] = []
    if rows.empty:  # one fold alone has no earlier one to learn its sets from
        return result
    for by in ([], ["fold"], ["overall"], ["fold", "overall"], ["next_framework"]):
        groups = rows.groupby(by) if by else [((), rows)]
        for key, group in groups:
            keys = key if isinstance(key, tuple) else (key,)
            named = {name: _plain(value) for name, value in zip(by, keys, strict=True)}
            result.append(
                {
                    **named,
                    "n": len(group),
                    "coverage": group["covers"].mean(),
                    "mean_size": group["size"].mean(),
                }
            )
    return result


def _size(span: str) -> int:
    return int(span[-1]) - int(span[0]) + 1


def _plain(value: Any) -> Any:
    return (
        f"{value:%Y-%m-%d}"
        if isinstance(value, pd.Timestamp)
        else value.item()
        if hasattr(value, "item")
        else value
    )


def caught(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Of schools below good at their next inspection, the share among the riskiest 10% and 20%, and the most
    possible.
    """
    result = []
    rows = table[table["model"].eq("champion")].assign(risk=lambda t: t["p_grade_3"] + t["p_grade_4"])
    for fold, group in rows.groupby("fold"):
        bad = group["next_rank"].ge(3).to_numpy()
        order = np.argsort(-group["risk"].to_numpy(), kind="stable")
        row: dict[str, Any] = {"fold": f"{fold:%Y-%m-%d}", "n": len(group), "below_good": int(bad.sum())}
        for share in (0.1, 0.2):
            top = int(np.ceil(share * len(group)))
            row[f"caught_{share:.0%}"] = float(bad[order[:top]].sum() / bad.sum())
            row[f"most_possible_{share:.0%}"] = float(min(top, bad.sum()) / bad.sum())
        result.append(row)
    return result


GROUPS = ("phase", "type_group", "region", "idaci_quintile", "faith", "size")
FEW = 30  # outcomes below which a group is shown as too few


def fairness(table: pd.DataFrame, schools: pd.DataFrame) -> list[dict[str, Any]]:
    """Calibration and error of the champion by group, with intervals; a group with few outcomes is shown as
    too few.
    """
    rows = table[table["model"].eq("champion") & table["overall"].gt(1)]
    rows = rows.drop(columns=["phase"]).merge(grouped(schools), on="urn", how="left", validate="many_to_one")
    base = table[table["model"].eq(BASE)].set_index(["fold", "urn"])["p_improve"]
    plain = base.reindex(pd.MultiIndex.from_frame(rows[["fold", "urn"]])).to_numpy()
    improved = rows["label"].eq("improved").astype(float)
    rows = rows.assign(
        improved=improved, error=(rows["p_improve"] - improved) ** 2, plain_error=(plain - improved) ** 2
    )
    result = []
    for by in GROUPS:
        for group, mine in rows.groupby(rows[by].astype("str").fillna("not known")):
            row: dict[str, Any] = {"by": by, "group": group, "n": len(mine)}
            if len(mine) < FEW:
                result.append({**row, "too_few": True})
                continue
            gap = (mine["improved"] - mine["p_improve"]).to_numpy()
            better = intervals.skill(
                mine["error"].to_numpy(), mine["plain_error"].to_numpy(), mine["lineage"]
            )
            result.append(
                {
                    **row,
                    "too_few": False,
                    "rate": mine["improved"].mean(),
                    "mean_p": mine["p_improve"].mean(),
                    **_named("gap", intervals.mean(gap, mine["lineage"])),
                    **_named("skill", better),
                }
            )
    return result


def grouped(schools: pd.DataFrame) -> pd.DataFrame:
    """The groups fairness is looked at by; judged with what is known today, which no model saw."""
    kind = schools["type"].fillna("").str.lower()
    words = (
        "sponsor",
        "converter",
        "free|studio|technical|technology",
        "aided",
        "controlled",
        "foundation",
        "community",
    )
    names = (
        "sponsored academy",
        "converter academy",
        "free or technical",
        "voluntary aided",
        "voluntary controlled",
        "foundation",
        "community",
    )
    group = pd.Series("other or not known", index=schools.index)
    for word, name in reversed(list(zip(words, names, strict=True))):
        group = group.mask(kind.str.contains(word), name)
    size = pd.cut(
        schools["pupils"].astype("float64"),
        [0, 100, 250, 500, 1000, 1e6],
        right=False,
        labels=["under 100", "100-249", "250-499", "500-999", "1,000 or more"],
    ).astype("str")
    return schools[["urn", "phase", "region", "idaci_quintile", "faith"]].assign(type_group=group, size=size)
