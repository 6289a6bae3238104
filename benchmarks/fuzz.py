"""Whether any file at all can crash, hang, fill the memory of, or lie its way past the readers.

    python benchmarks/fuzz.py [--files 10000] [--minutes 10] [--seed 1] [--out benchmarks/results/fuzz]

Small well-formed files of every release and register are broken in many ways, one after another; one that
makes a reader go where none before did is kept and broken further. Each has 2 GiB of memory, besides what the
program takes, and 20 seconds, in one of two processes that may die. Allowed are a `DataError` that helps, or
a release whose every value is possible; of those some are ingested too. Anything else is a failure: its bytes
are saved, and the exit code is 1. The same seed gives the same files.
"""

import argparse
import random
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fuzzing.broken import broken
from fuzzing.made import BASE, seeds
from fuzzing.readers import Reading, Told

PROCESSES = 2
# files broken before any of them is read, so that the same seed gives the same files whichever is read first
TOGETHER = 32
LARGEST = 300_000  # bytes of a file that is kept to be broken further
# a name that says what the file is not
ENDINGS = (".xls", ".xlsb", ".xlsx", ".ods", ".zip", ".csv", ".txt", ".pdf", "")


def fuzz(
    number: int, minutes: float, seed: int, out: Path, processes: int = PROCESSES
) -> list[dict[str, Any]]:
    """Reads so many broken files, or as many as there is time for; a row for each, without its bytes."""
    whole = seeds(seed)
    base = [(name, content) for name, content in whole if re.search(BASE, name)]
    known: set[tuple[str, str]] = set()
    corpus: list[tuple[str, bytes]] = []
    told: list[dict[str, Any]] = []
    until = time.monotonic() + 60 * minutes
    reading = [Reading(base) for _ in range(processes)]
    with ThreadPoolExecutor(processes) as pool:
        try:
            made = _broken(0, number, seed, whole, corpus)
            while made and time.monotonic() < until:
                results = _reading(pool, reading, made, len(whole))
                following = _broken(made[-1][0] + 1, number, seed, whole, corpus)  # while those are read
                for (at, name, content), result in zip(made, results(), strict=True):
                    if at < len(whole) and result.verdict != "accepted":
                        result = result._replace(
                            verdict="FAILED", about=f"a well-formed file was refused: {result.about[:2000]}"
                        )
                    new = {(Path(name).suffix, line) for line in result.lines} - known
                    if new and len(content) < LARGEST:
                        corpus.append((name, content))
                    known |= new
                    if result.verdict == "FAILED":
                        out.mkdir(parents=True, exist_ok=True)
                        (out / f"{at:06}{Path(name).suffix}").write_bytes(content)
                        (out / f"{at:06}.txt").write_text(f"{name}\n{result.about}", "utf-8")
                    told.append({"at": at, "name": name, **result._asdict(), "lines": None})
                made = following
        finally:
            for one in reading:
                one.close()
    print(
        f"{len(told):,} files tried, {len(corpus):,} of them new to the readers, {len(known):,} blocks of "
        "code reached"
    )
    return told


def _broken(
    start: int, number: int, seed: int, whole: list[tuple[str, bytes]], corpus: list[tuple[str, bytes]]
) -> list[tuple[int, str, bytes]]:
    return [(at, *_made(at, seed, whole, corpus)) for at in range(start, min(start + TOGETHER, number))]


def _made(
    at: int, seed: int, whole: list[tuple[str, bytes]], corpus: list[tuple[str, bytes]]
) -> tuple[str, bytes]:
    """The file of a number: first every well-formed one, then one of them, or of those new to the readers,
    broken.
    """
    if at < len(whole):
        return whole[at]
    chance = random.Random(f"{seed}-{at}")
    name, content = chance.choice(chance.choice((whole, corpus or whole)))
    content = broken(name, content, chance.choice(whole)[1], chance)
    if chance.random() < 0.02 and not name.startswith("register"):
        name = str(Path(name).with_suffix(chance.choice(ENDINGS)))
    return name, content


def _reading(
    pool: ThreadPoolExecutor, reading: list[Reading], made: list[tuple[int, str, bytes]], first: int
) -> Callable[[], list[Told]]:
    """Begins to read files, each in whichever process is free; call what is returned for what came of
    them.
    """
    waiting, result = list(reversed(made)), {}

    def work(one: Reading) -> None:
        while waiting:
            try:
                at, name, content = waiting.pop()
            except IndexError:  # the other took the last
                return
            result[at] = one.read(name, content, at if at >= first else 1)

    working = [pool.submit(work, one) for one in reading]

    def results() -> list[Told]:
        for one in working:
            one.result()
        return [result[at] for at, _, _ in made]

    return results


def _kind(message: str) -> str:
    """A message without what differs from file to file."""
    first, *more = message.split("\n")
    if first.startswith("register: "):
        return "register: " + re.sub(r"“[^”]*”|[\d,.]+", "…", first.split(": ", 2)[2])[:60]
    line = (
        more[0].strip()
        if ", read as “" in first
        else re.sub(r"^.*\.(csv|xlsx|ods|zip|txt)( \(sheet .*?\))?", "FILE", first)
    )
    line = re.sub(r"^.*: [\d,]+ cells hold", "cells hold", line)
    return re.sub(r"\([^)]*\)|“[^”]*”|: .*|[\d,.]+", "…", line)[:70]


def main() -> int:
    about = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    about.add_argument("--files", type=int, default=10_000)
    about.add_argument("--minutes", type=float, default=10)
    about.add_argument("--seed", type=int, default=1)
    about.add_argument(
        "--out", type=Path, default=Path("benchmarks/results/fuzz"), help="where files that fail are put"
    )
    chosen = about.parse_args()
    warnings.filterwarnings("ignore", "Duplicate name")  # meant
    began = time.monotonic()
    told = fuzz(chosen.files, chosen.minutes, chosen.seed, chosen.out)
    for verdict, count in Counter(row["verdict"] for row in told).most_common():
        print(f"{count:>7,}  {verdict}")
    print("\nrefused because")
    for kind, count in Counter(
        _kind(row["about"]) for row in told if row["verdict"] == "refused"
    ).most_common(40):
        print(f"{count:>7,}  {kind}")
    slow, large = (max(told, key=lambda row, by=by: row[by]) for by in ("seconds", "memory"))
    print(f"\nslowest: {slow['seconds']:.1f} s, file {slow['at']}, {slow['name']}: {_kind(slow['about'])}")
    print(
        f"most memory: {large['memory'] / 2**20:,.0f} MiB, file {large['at']}, {large['name']}: "
        f"{_kind(large['about'])}"
    )
    print(f"{time.monotonic() - began:.0f} s in all")
    failed = [row for row in told if row["verdict"] == "FAILED"]
    for row in failed[:40]:
        print(f"\nFAILED, file {row['at']} ({row['name']}): {row['about'].strip()[-800:]}")
    if failed:
        print(f"\n{len(failed)} failures; their bytes are in {chosen.out}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
