"""How often each kind of interval covers the truth, where schools come again: made-up worlds, drawn in
milliseconds.

    python benchmarks/coverage.py [--worlds 200] [--lineages 600] [--seed 1]

A lineage is asked about in several folds, and what is special about it stays. For every kind of interval, the
share of worlds in which it covers the figure of a world so large that chance is out of it (93 to 97% is
wanted); beside it the same interval with every row taken for a school of its own, as if folds were
independent.
"""

import argparse
import sys
import time

import numpy as np
import pandas as pd

from headway.pipelines import intervals, promotion
from headway.pipelines.evidence import claims as evidence

WANTED = (0.93, 0.97)
FOLDS = 6
LARGE = 200_000  # lineages of the world whose figures are the truth
Figures = dict[str, tuple[float, float, float]]


def world(lineages: int, rng: np.random.Generator) -> pd.DataFrame:
    """A row a lineage and fold it was inspected in: a model's chance, another's, the plain rule's, and what
    came.

    A lineage has an own level for good, and a signal; the rule knows its grade alone, the models a part of
    the rest.
    """
    own, signal, grade = (
        rng.normal(0, 1.2, lineages),
        rng.random(lineages) < 0.3,
        rng.integers(2, 4, lineages),
    )
    often = rng.beta(1.2, 1.2, lineages)  # some are inspected in nearly every fold, some hardly ever
    lineage, fold = np.nonzero(rng.random((lineages, FOLDS)) < often[:, None])
    level = np.array([0.0, 0.0, -1.0, 0.6])[grade] + 0.5 * signal
    improved = rng.random(len(lineage)) < 1 / (1 + np.exp(-(level + own)[lineage]))
    knows = (level + 0.5 * own + rng.normal(0, 0.3, lineages))[lineage]
    p, other = (
        1 / (1 + np.exp(-part)) for part in (knows, level[lineage] + rng.normal(0, 0.3, len(lineage)))
    )
    return pd.DataFrame(
        {
            "lineage": lineage,
            "fold": fold,
            "improved": improved,
            "signal": signal[lineage],
            "grade": grade[lineage],
            "p": p,
            "other_p": other,
            "rule": np.array([np.nan, np.nan, 0.35, 0.65])[grade][lineage],
        }
    )


def figures(rows: pd.DataFrame) -> Figures:
    """Every kind of interval the project gives of such rows: the figure, low, high."""
    happened, lineage = rows["improved"].to_numpy(dtype=float), rows["lineage"].to_numpy()
    error, other, rule = ((rows[name].to_numpy() - happened) ** 2 for name in ("p", "other_p", "rule"))
    pairs = rows[["lineage"]].assign(error=error, other=other)
    signal, grade = rows["signal"], rows["grade"].to_numpy()
    clustered = evidence.within_strata(rows["improved"], signal.to_numpy(dtype=float), grade, rows["lineage"])
    pooled = evidence.stratified(rows, signal, ("grade",))
    some = grade == 2
    return {
        "mean: said against came, by group": intervals.mean(
            (happened - rows["p"].to_numpy())[some], lineage[some]
        ),
        "skill over the rule": intervals.skill(error, rule, lineage),
        "gain: ablation, decoys": intervals.skill(error, other, lineage),
        "share: calibration curve": intervals.share(happened[some], lineage[some]),
        "area under the curve": intervals.auc(rows["p"].to_numpy()[some], happened[some], lineage[some]),
        "gain in area, mean over folds": intervals.mean_auc(
            rows["p"].to_numpy(), happened, rows["fold"], lineage, rows["other_p"].to_numpy()
        ),
        "gain in score, mean over folds": intervals.mean_of_groups(error - other, rows["fold"], lineage),
        "promotion, resampled": _resampled(pairs),
        "odds ratio, logistic within strata": _log(clustered),
        "odds ratio, Mantel-Haenszel": _log(pooled["odds_ratio"]),
        "risk ratio, Mantel-Haenszel": _log(pooled["risk_ratio"]),
    }


def _resampled(pairs: pd.DataFrame) -> tuple[float, float, float]:
    row = promotion.compare(pairs)[0]
    return row["gain"], row["gain_low"], row["gain_high"]


def _log(ratio: dict[str, float] | None) -> tuple[float, float, float]:
    return (
        tuple(np.log([ratio[name] for name in ("estimate", "low", "high")]))
        if ratio
        else (np.nan, np.nan, np.nan)
    )


def covered(worlds: int, lineages: int, seed: int, large: int = LARGE) -> pd.DataFrame:
    """For every kind, the share of worlds whose interval covers the truth, by lineage and with each row
    alone.
    """
    truth = {
        kind: figure
        for kind, (figure, _, _) in figures(world(large, np.random.default_rng([seed, 0]))).items()
    }
    hits = {kind: {"by lineage": 0, "rows alone": 0} for kind in truth}
    for rng in np.random.default_rng([seed, 1]).spawn(worlds):
        rows = world(lineages, rng)
        for way, told in (("by lineage", rows), ("rows alone", rows.assign(lineage=np.arange(len(rows))))):
            for kind, (_, low, high) in figures(told).items():
                hits[kind][way] += low <= truth[kind] <= high
    return pd.DataFrame(hits).T / worlds


def main() -> int:
    about = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    about.add_argument("--worlds", type=int, default=200)
    about.add_argument("--lineages", type=int, default=600)
    about.add_argument("--seed", type=int, default=1)
    chosen = about.parse_args()
    start = time.perf_counter()
    result = covered(chosen.worlds, chosen.lineages, chosen.seed)
    chance = 1.96 * (0.95 * 0.05 / chosen.worlds) ** 0.5
    print(
        f"{chosen.worlds} worlds of {chosen.lineages} lineages; a true 95% comes out within {chance:.1%} of "
        "it"
    )
    print(f"{'kind of interval':<38}{'by lineage':>12}{'rows alone':>12}")
    for kind, row in result.iterrows():
        print(f"{kind:<38}{row['by lineage']:>12.1%}{row['rows alone']:>12.1%}")
    well = result["by lineage"].between(*WANTED).all()
    print(
        f"{'all within' if well else 'NOT all within'} {WANTED[0]:.0%} to {WANTED[1]:.0%}; "
        f"{time.perf_counter() - start:.0f} s"
    )
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
