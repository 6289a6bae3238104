"""What each signal adds to all the others, and what its counterfeit does: the trial a new signal has to pass.

    python benchmarks/signals.py --tables data/tables attainment_change visited_since

Without names, every signal that models use and every one that is off. The ridge is refitted in each fold
without the signal; the counterfeit is the signal's own column dealt out among schools of the same morning,
grade and phase, beside the true one. A signal is kept where its gain shows or its absence would be missed,
and off where its counterfeit does as well.
"""

import argparse
from pathlib import Path

import pandas as pd

from headway.pipelines import evaluate, signals, train
from headway.pipelines.evaluate import OVERALL
from headway.pipelines.experiments import Experiment


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=Path, default=Path("data/tables"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("names", nargs="*", help="signals to try; all of them by default")
    given = parser.parse_args()
    experiment = Experiment()
    known, about, _ = signals.read_known(given.tables)
    morning = pd.Timestamp(about["newest_file_on"]) + pd.Timedelta(days=1)
    asked = train.examples(known, train.mornings(known["coverage"], morning, experiment))
    filled = evaluate.usable(asked, OVERALL)[list(signals.declared(experiment.families))].notna().sum()
    every = list(filled.index[filled >= train.FEWEST_HELD])
    names = given.names or every
    for name in names:
        if name not in every:
            parser.error(f"{name} is no signal of these families with {train.FEWEST_HELD} outcomes or more")
        used = [other for other in every if other in names or not signals.declared()[other].off]
    apart = {other: other if other in names else "the rest" for other in used}
    wholes = evaluate.wholes(asked, used, given.workers)
    print(f"{'signal':34} {'what it adds to the others':>34} {'its counterfeit':>34}")
    rows = evaluate.ablation(wholes, used, apart, given.workers, counterfeited=tuple(names))
    result = {row["family"]: row for row in rows if row["within"] is None}
    for name in names:
        said = [
            f"{row['gain']:+.2%} ({row['gain_low']:+.2%} to {row['gain_high']:+.2%})"
            for row in (result[name], result[f"decoy of {name}"])
        ]
        print(f"{name:34} {said[0]:>34} {said[1]:>34}")


if __name__ == "__main__":
    main()
