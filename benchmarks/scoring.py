"""Batch scoring against the floor, and against what a user would pick instead; ratios of runs side by side,
in one table.

    python benchmarks/scoring.py --tables data/tables --runs mlruns [--rows 10000000] [--pairs 5] [--only
    england]

The floor is a bare script that reads the finished signals and calls LightGBM's predict, once a row, and
writes nothing; ours makes the signals first, answers with every chance, set, interval and contribution, and
writes them. What is measured:

- england: `headway score --output` from stored tables, the process's start included.
- stream: `headway score --input` on many feature rows, on two cores, with the most memory it held.
- signals: making them for ten times the schools, and for ten times the mornings, in this process.
- contributions: every row's, against LightGBM's own.
- instead: England's feature rows and many more, against a scikit-learn pipeline pickled with joblib and
  applied with pandas, and
  against `mlflow.pyfunc.load_model().predict` of the registered champion.
- spark: `--engine spark` on two local cores against the local engine, at growing sizes (with PySpark and
  Java).

Prints the median of the pairs' ratios; fails on no absolute time.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

BARE = """
import lightgbm, numpy as np, pyarrow.parquet as pq, sys
booster = lightgbm.Booster(model_file=sys.argv[1])
names = booster.feature_name()[:-2]
for batch in pq.ParquetFile(sys.argv[2]).iter_batches(65536, columns=[*names, "overall"]):
    given = [batch.column(name).to_numpy(zero_copy_only=False) for name in [*names, "overall"]]
    rows = np.column_stack([*given, np.full(batch.num_rows, -1.0)])
    booster.predict(rows, num_threads=int(sys.argv[3]))
"""
PLAIN = """
import joblib, pandas as pd, sys
model, names = joblib.load(sys.argv[1])
rows = pd.read_parquet(sys.argv[2], columns=["urn", *names])
rows[["urn"]].assign(p_improve=model.predict_proba(rows[names])[:, 1]).to_parquet(sys.argv[3])
"""
MLFLOW = """
import mlflow, pandas as pd, sys
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/" + sys.argv[2] + "@champion")
rows = pd.read_parquet(sys.argv[3]).dropna(subset=["overall"])
overall = rows["overall"].astype("int64")
wanted = [column.name for column in model.metadata.get_input_schema()]
state = {"overall": overall.astype("float64"), "cell": overall.astype("str").astype(object),
         "group": rows["phase"].astype(object)}
asked = rows.assign(**state)
numbers = {name: "float64" for name in wanted if name not in ("cell", "group")}
rows[["urn"]].join(model.predict(asked[wanted].astype(numbers))).to_parquet(sys.argv[4])
"""


def seconds(folder: Path, *command: str | Path) -> tuple[float, float]:
    """The wall time of one command, its process's start included, and the most memory it held, in GiB."""
    started = time.perf_counter()
    settings = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "OMP_NUM_THREADS": "2",
    }
    child = subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=folder,
        env=settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(
            f"scoring: {' '.join(map(str, command))[:200]} ended {os.waitstatus_to_exitcode(status)}"
        )
    return time.perf_counter() - started, used.ru_maxrss / 2**20


def say(what: str, ours: list[float], theirs: list[float], bar: str, more: str = "") -> None:
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    print(
        f"{what:44}{statistics.median(ours):9.2f}{statistics.median(theirs):9.2f}{statistics.median(ratios):8.2f}"
        f"{min(ratios):7.2f}{max(ratios):7.2f}  {bar} {more}",
        flush=True,
    )


def many_rows(tables: Path, path: Path, count: int) -> Path:
    """So many feature rows, drawn from today's."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rows = pq.read_table(tables / "signals_today.parquet")
    rows, chance = rows.filter(pc.is_valid(rows["overall"])), np.random.default_rng(1)
    with pq.ParquetWriter(path, rows.schema) as writer:
        for start in range(0, count, 250_000):
            writer.write_table(
                rows.take(pa.array(chance.integers(0, rows.num_rows, min(250_000, count - start))))
            )
    return path


def england(home: Path, tables: Path, runs: Path, pairs: int) -> None:
    booster = runs / "champion" / "overall" / "booster.txt"
    ours, theirs = [], []
    for _ in range(pairs):
        ours.append(
            seconds(home, "-m", "headway", "score", "--tables", tables, "--output", home / "out.parquet")[0]
        )
        theirs.append(seconds(home, "-c", BARE, booster, tables / "signals_today.parquet", "1")[0])
    say("england, from stored tables", ours, theirs, "at most 2.00")


def stream(home: Path, tables: Path, runs: Path, pairs: int, rows: int) -> None:
    path, booster = (
        many_rows(tables, home / "rows.parquet", rows),
        runs / "champion" / "overall" / "booster.txt",
    )
    ours, theirs, held = [], [], 0.0
    for _ in range(pairs):
        took, most = seconds(home, "-m", "headway", "score", "--input", path, "--output", home / "answers")
        ours, held = [*ours, took], max(held, most)
        theirs.append(seconds(home, "-c", BARE, booster, path, "2")[0])
    say(
        f"stream of {rows:,} rows",
        ours,
        theirs,
        "at most 1.25",
        f"(most memory {held:.2f} GiB, at most 1.50)",
    )


def making_signals(tables: Path) -> None:
    import pandas as pd

    from headway.pipelines import inspections, signals
    from headway.pipelines.scoring import score

    known, about, _ = signals.read_known(tables)
    newest = pd.Timestamp(about["newest_file_on"])
    days = [newest + pd.Timedelta(days=1) - pd.DateOffset(months=9 * back) for back in range(15)]
    schools = known["schools"]
    some = schools[
        schools["lineage"].isin(schools["lineage"].drop_duplicates().sample(frac=0.1, random_state=1))
    ]

    def took(schools: pd.DataFrame, mornings: list[pd.Timestamp]) -> tuple[float, int]:
        asked = inspections.roster(schools, mornings)
        started = time.perf_counter()
        score.signals_on(asked, known)
        return time.perf_counter() - started, len(asked)

    took(some, days[:1])  # imports
    (tenth, few), (one, all_), (fifteen, grid) = (
        took(some, days[:1]),
        took(schools, days[:1]),
        took(schools, days),
    )
    say(f"signals, {all_:,} schools against {few:,}", [one], [tenth], f"at most {1.1 * all_ / few:.1f}")
    say(
        f"signals, 15 mornings ({grid:,} rows) against one",
        [fifteen],
        [one],
        f"at most {1.1 * grid / all_:.1f}",
    )


def contributions(tables: Path, runs: Path, pairs: int) -> None:
    import lightgbm
    import numpy as np
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from headway.models.champion import Champion

    rows = pq.read_table(tables / "signals_today.parquet")
    rows = rows.filter(pc.is_valid(rows["overall"])).to_pandas()
    model = Champion.load(runs / "champion").overall
    library = lightgbm.Booster(model_file=str(runs / "champion" / "overall" / "booster.txt"))
    overall = rows["overall"].to_numpy(dtype=int)
    state = rows.assign(overall=overall, cell=overall.astype(str), group=rows["phase"])[
        ["overall", "cell", "group"]
    ]
    names = library.feature_name()[:-2]
    given = rows[names]
    matrix = np.column_stack([given.to_numpy(), overall, np.where(overall == 1, 0, -1)])
    ours, theirs = [], []
    for _ in range(pairs):
        ours.append(_timed(lambda: model.contributions(given, state)))
        theirs.append(_timed(lambda: library.predict(matrix, pred_contrib=True, num_threads=1)))
    say(f"contributions of {len(rows):,} rows, one core", ours, theirs, "at most 1.00")


def _timed(what: Callable[[], object]) -> float:
    started = time.perf_counter()
    what()
    return time.perf_counter() - started


def instead(home: Path, tables: Path, runs: Path, pairs: int, rows: int) -> None:
    import joblib
    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from headway.models.champion import Champion
    from headway.models.registry import MODEL

    names = Champion.load(runs / "champion").signals
    learned = pd.read_parquet(tables / "examples.parquet").dropna(subset=["label"])
    plain = make_pipeline(
        SimpleImputer(keep_empty_features=True),
        StandardScaler(),
        HistGradientBoostingClassifier(max_iter=200, early_stopping=False),
    )
    joblib.dump((plain.fit(learned[names], learned["label"].eq("improved")), names), home / "plain.joblib")
    store = f"sqlite:///{(runs / 'mlflow.db').resolve()}"
    for path in (tables / "signals_today.parquet", many_rows(tables, home / "some.parquet", rows)):
        ours, pickled, registered = [], [], []
        for _ in range(pairs):
            ours.append(
                seconds(home, "-m", "headway", "score", "--input", path, "--output", home / "answers")[0]
            )
            pickled.append(seconds(home, "-c", PLAIN, home / "plain.joblib", path, home / "plain.parquet")[0])
            registered.append(seconds(home, "-c", MLFLOW, store, MODEL, path, home / "served.parquet")[0])
        many = f"{rows:,} rows" if path.parent == home else "England's rows"
        say(f"{many}, against joblib and pandas", ours, pickled, "below 1.00")
        say(f"{many}, against mlflow.pyfunc", ours, registered, "below 1.00")


def spark(home: Path, tables: Path, pairs: int, rows: int) -> None:
    try:
        import pyspark  # noqa: F401
    except ImportError:
        print("spark: not measured, PySpark is not installed")
        return
    if not shutil.which("java"):
        print("spark: not measured, there is no Java")
        return
    os.environ["HEADWAY_SPARK_MASTER"] = "local[2]"
    for count in (rows // 100, rows // 10, rows):
        path = many_rows(tables, home / "spark.parquet", count)
        asked = ("-m", "headway", "score", "--input", path, "--output", home / "answers")
        ours = [seconds(home, *asked, "--engine", "spark")[0] for _ in range(pairs)]
        theirs = [seconds(home, *asked)[0] for _ in range(pairs)]
        overhead = statistics.median(ours) - statistics.median(theirs)
        say(
            f"spark, {count:,} rows",
            ours,
            theirs,
            "falling",
            f"({overhead:.1f} s more, {overhead / count * 1e6:.1f} us a row)",
        )


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--tables", type=Path, default=Path("data/tables"))
    options.add_argument("--runs", type=Path, default=Path("mlruns"))
    options.add_argument(
        "--rows", type=int, default=10_000_000, help="of the stream; a tenth against other tools and on Spark"
    )
    options.add_argument(
        "--pairs", type=int, default=5, help="runs of each, side by side; the stream has one"
    )
    options.add_argument(
        "--only",
        choices=("england", "stream", "signals", "contributions", "instead", "spark"),
        action="append",
    )
    told = options.parse_args()
    tables, runs = told.tables.resolve(), told.runs.resolve()
    if not (tables / "signals_today.parquet").is_file() or not (runs / "champion").is_dir():
        print(
            f"scoring: {tables} holds no predictions or {runs} no champion; make them with `headway demo`, "
            "or name others"
        )
        return
    print(f"{'':44}{'ours, s':>9}{'theirs':>9}{'ratio':>8}{'least':>7}{'most':>7}  bar")
    with tempfile.TemporaryDirectory() as held:
        home = Path(held)
        (home / "mlruns").symlink_to(runs)
        parts = {
            "england": lambda: england(home, tables, runs, told.pairs),
            "contributions": lambda: contributions(tables, runs, told.pairs),
            "signals": lambda: making_signals(tables),
            "instead": lambda: instead(home, tables, runs, told.pairs, told.rows // 10),
            "spark": lambda: spark(home, tables, 1, told.rows // 10),
            "stream": lambda: stream(home, tables, runs, 1, told.rows),
        }
        for name, measure in parts.items():
            if not told.only or name in told.only:
                measure()


if __name__ == "__main__":
    main()
