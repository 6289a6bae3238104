"""How often the evidence interval holds a planted truth: made-up Englands, each with a known odds ratio
within grade.

    python benchmarks/recovery.py [--replicates 200] [--schools 22000] [--seed 1]

For each planted odds ratio, the share of replicates whose 95% interval of the pooled odds ratio covers it (at
least 93% is wanted), and the raw risk ratio, which stays above 2 even where nothing at all is planted.
"""

import argparse
import sys
import time

import numpy as np
import pandas as pd

from headway.pipelines.evidence import claims as evidence
from headway.pipelines.synthesise import Effect, histories

PLANTED = (1.0, 1.5, 2.5)
WANTED = 0.93


def made_up_pairs(schools: int, planted: float, rng: np.random.Generator) -> pd.DataFrame:
    """Pairs of inspections of a made-up England, as `evidence.pairs` has them; `better` is the gap that was
    planted.
    """
    visits = histories(schools, Effect(gap_odds_ratio=planted), rng)
    coming = visits.groupby("school")[["overall", "inspected_on", "urn"]].shift(-1).add_prefix("next_")
    change = visits["overall"] - coming["next_overall"]
    return evidence.pairs(
        visits.join(coming).assign(
            lineage=visits["school"],
            as_of=visits["published_on"],
            label_source="published",
            label=np.select([change.gt(0), change.eq(0), change.lt(0)], ["improved", "same", "worse"], None),
            better=visits["overall"].gt(visits["leadership"]),
        )
    )


def recovered(replicates: int, schools: int, planted: float, seed: int) -> pd.DataFrame:
    """A row a replicate: the pooled odds ratio with its interval, and the raw risk ratio."""
    rows = []
    for rng in np.random.default_rng([seed, round(planted * 100)]).spawn(replicates):
        pairs = made_up_pairs(schools, planted, rng)
        able = pairs[pairs["overall"].gt(1)]
        raw = evidence.compared(pairs["improved"], pairs["better"])["risk_ratio"]["estimate"]
        rows.append(
            evidence.stratified(able, able["better"])["odds_ratio"] | {"raw": raw, "pairs": len(able)}
        )
    result = pd.DataFrame(rows)
    return result.assign(covers=result["low"].le(planted) & result["high"].ge(planted))


def main() -> int:
    about = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    about.add_argument("--replicates", type=int, default=200)
    about.add_argument("--schools", type=int, default=22_000)
    about.add_argument("--seed", type=int, default=1)
    chosen = about.parse_args()
    print(f"{chosen.replicates} made-up Englands of {chosen.schools:,} schools for each planted odds ratio")
    print("planted  covered  mean estimate  low to high, mean  raw risk ratio: mean, least  pairs   seconds")
    well = True
    for planted in PLANTED:
        start = time.perf_counter()
        result = recovered(chosen.replicates, chosen.schools, planted, chosen.seed)
        covered, mean = result["covers"].mean(), np.exp(np.log(result[["estimate", "low", "high"]]).mean())
        well &= covered >= WANTED and (planted > 1 or result["raw"].min() > 2)
        raw, seconds = result["raw"], time.perf_counter() - start
        print(
            f"{planted:7.2f}  {covered:7.1%}  {mean['estimate']:13.3f}  {mean['low']:9.2f} to "
            f"{mean['high']:.2f}"
            f"  {raw.mean():20.2f}, {raw.min():.2f}  {result['pairs'].mean():6,.0f}  {seconds:7.1f}"
        )
    print(
        f"wanted: at least {WANTED:.0%} covered, and the raw ratio above 2 where nothing is planted: "
        f"{'met' if well else 'MISSED'}"
    )
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
