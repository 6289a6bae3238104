"""Ingest and train against their floors, side by side in one run, on the files in --raw.

The floor of ingest is parsing the same files with the fastest readers there are (calamine for workbooks,
pyarrow for CSV) and keeping nothing. The floor of train is LightGBM alone, one fit for each fold and one for
today, on the finished matrix. Prints seconds, the ratio and the peak memory of each command; fails on no
absolute time.

    python benchmarks/speed.py --raw data/raw
"""

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def parse_only(raw: Path) -> float:
    """Seconds to parse every file that ingest reads, with nothing done to the cells."""
    import pyarrow.csv
    import python_calamine

    from headway.pipelines import files

    started = time.perf_counter()
    for path in sorted(raw.rglob("*")):
        if not path.is_file() or files.why_not_needed(path, raw):
            continue
        members = [(path.name, path.read_bytes())]
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                members = [(name, archive.read(name)) for name in archive.namelist()]
        for name, content in members:
            if name.endswith((".xlsx", ".ods")):
                book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
                largest = max(book.sheet_names, key=lambda sheet: book.get_sheet_by_name(sheet).total_height)
                book.get_sheet_by_name(largest).to_python()
            elif name.endswith(".csv"):
                try:
                    text = content.decode("utf-8-sig")
                except UnicodeDecodeError:
                    text = content.decode("cp1252", errors="replace")
                options = pyarrow.csv.ParseOptions(
                    invalid_row_handler=lambda row: "skip", newlines_in_values=True
                )
                pyarrow.csv.read_csv(io.BytesIO(text.encode()), parse_options=options)
    return time.perf_counter() - started


def lightgbm_only(tables: Path) -> float:
    """Seconds for LightGBM alone: one plain fit for each fold and one for today, on the finished matrix."""
    import lightgbm

    from headway.models.estimators import BOOSTING, ROUNDS
    from headway.pipelines import evaluate, signals
    from headway.pipelines import tables as store

    examples = store.read(tables, "examples")
    rows = evaluate.usable(examples, evaluate.OVERALL)
    names = [name for name in signals.declared() if rows[name].notna().any()]
    parts = [rows[fold.learned(rows)] for fold in evaluate.folds(examples)]
    matrices = [(p[names].to_numpy(), p["label"].eq("improved").to_numpy()) for p in [*parts, parts[-1]]]
    started = time.perf_counter()
    for matrix, improved in matrices:
        lightgbm.train(
            {**BOOSTING, "objective": "binary", "verbose": -1, "num_threads": 1},
            lightgbm.Dataset(matrix, improved),
            ROUNDS,
        )
    return time.perf_counter() - started


def run(folder: Path, *arguments: str) -> tuple[float, float]:
    """Seconds and peak memory in GiB of one command, process start included."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "headway", *arguments],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    seconds = time.perf_counter() - started
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--raw", type=Path, default=Path("data/raw"))
    raw = options.parse_args().raw.resolve()
    if not raw.is_dir() or not any(raw.rglob("*.csv")):
        print(f"speed: {raw} holds no official files; name a folder with --raw")
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        parsed = parse_only(raw)
        ingest, ingest_memory = run(folder, "ingest", "--raw", str(raw))
        train, train_memory = run(folder, "train")
        alone = lightgbm_only(folder / "data" / "tables")
        again = run(folder, "train", "--no-whole")[0]
    print(f"{'':28}{'seconds':>9}{'floor':>9}{'ratio':>8}{'peak GiB':>10}")
    for name, seconds, floor, memory in (
        ("ingest", ingest, parsed, ingest_memory),
        ("train", train, alone, train_memory),
        ("train --no-whole", again, alone, train_memory),
    ):
        print(f"{name:28}{seconds:9.1f}{floor:9.1f}{seconds / floor:8.1f}{memory:10.2f}")


if __name__ == "__main__":
    main()
