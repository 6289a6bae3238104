"""How good the forecast of report cards is, by how many cards it learned from.

    python benchmarks/report_cards.py --tables data/tables --champion mlruns/champion [--from 2026-01-01]
    [--figure gain.png]

Judges the cards inspected from a day on (by default the newest month's), by a champion that learned from none
of them: with no card, with the first 50, 100, 200, 500, ... and with all inspected before that day, asked
about on the morning each inspection began. Prints, area by area, the order (AUC), the skill over the rate by
the grade before among the cards learned from, the mean chance beside what came, and how often the sets held;
`--figure` draws the gain by number of cards.

The champion must have been trained as of a morning before the first card, or on grades alone: no grade has
been given since, so today's is both.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from headway.models.champion import Champion
from headway.pipelines import as_of, evaluate, report_cards, signals, tables


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=Path, default=Path("data/tables"))
    parser.add_argument("--champion", type=Path, default=Path("mlruns/champion"))
    parser.add_argument("--from", dest="since", type=pd.Timestamp)
    parser.add_argument("--figure", type=Path)
    given = parser.parse_args()
    known, about, _ = signals.read_known(given.tables)
    champion = Champion.load(given.champion)
    morning = pd.Timestamp(about["newest_file_on"]) + pd.Timedelta(days=1)
    cards = report_cards.cards(known, morning)
    examples = evaluate.usable(tables.read(given.tables, "examples"), evaluate.OVERALL)
    learner = report_cards.Learner.of(
        champion, known, cards, examples[as_of.Fold(morning, morning).learned(examples)]
    )
    since = given.since or cards["as_of"].max().to_period("M").start_time
    rows = []
    for many, judged in report_cards.learning_curve(learner, since):
        unseen = judged[["urn", "as_of"]].drop_duplicates()
        rows += report_cards.figures(judged, f"{many} cards")
        covered = judged["covers"].dropna().astype(float).mean()
        print(
            f"\nlearned from {many}, judged on {len(unseen)} inspected from {since:%d %B %Y}; sets held "
            f"{covered:.1%}"
        )
        print(f"{'area':36}{'n':>6}{'below':>8}{'chance':>8}{'AUC':>7}{'skill':>8}{'sets':>7}")
        for row in rows[-len(judged["area"].unique()) :]:
            skill = "" if row["skill"] is None else f"{row['skill']:.3f}"
            sets = "" if row["coverage"] is None else f"{row['coverage']:.2f}"
            print(
                f"{row['area']:36}{row['n']:6}{row['below']:8.3f}{row['mean_p']:8.3f}{row['auc']:7.3f}{skill:>8}{sets:>7}"
            )
    if given.figure:
        draw(pd.DataFrame(rows), given.figure)


def draw(rows: pd.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots(1, 2)
    for area, words in (
        ("leadership_and_governance", "leadership and governance"),
        ("any", "any area"),
        ("achievement", "achievement"),
    ):
        mine = rows[rows["area"].eq(area)]
        for axis, column, title in (
            (axes[0], "skill", "skill over the rate by the grade before"),
            (axes[1], "auc", "AUC"),
        ):
            axis.plot(mine["learned_from"], mine[column], "o-", label=words)
            axis.set(title=title, xlabel="report cards learned from")
    axes[0].axhline(0, color="grey", linewidth=0.8)
    axes[0].legend(title="below expected")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
