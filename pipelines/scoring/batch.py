"""Scoring jobs of any size: a folder written part by part, whole or not at all, and a manifest that accounts
for every row.

The parts are made in a hidden folder beside the output and moved into its place at the end, in one step, so
nobody ever reads half a job. One that was killed goes on after its last whole part when it is run again on
the same rows, by their hash, with the same model; on others it begins anew. No part depends on when or how
often it was run: the same rows and model give the same bytes.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from headway.models.champion import Champion, move_folder
from headway.pipelines import as_of, inspections, signals, tables
from headway.pipelines.registers import stored
from headway.pipelines.scoring import rows, score
from headway.pipelines.tables import Busy, DataError, sha256

PART = 8 * rows.BATCH  # rows; what a kill loses at most
THREADS = 2
AHEAD = 2  # batches waiting for their turn to be written
MANIFEST, JOB = "_manifest.json", "_job.json"  # readers of a folder of parquet pass over such names
Bar = Callable[[Iterable, int | None], Iterable]


def plain(steps: Iterable, total: int | None) -> Iterable:
    return steps


def score_rows(
    path: Path, output: Path, champion_folder: Path, *, details: bool = False, bar: Bar = plain
) -> dict[str, Any]:
    """Answer every feature row of a file or folder; returns the manifest, which is also written.

    A file's answers lie in a folder of its name, in its order, `PART` rows a part. Raises `DataError` where a
    file isn't of feature rows, before anything is answered, or changes while the job runs, and `Busy` where
    another process writes there.
    """
    champion = score.load(champion_folder)
    files = rows.files(path)
    inputs = Inputs(files)
    for file in files:
        rows.check(file, champion)
    known = [rows.count(file) for file in files]
    total = None if None in known else sum(-(-held // PART) for held in known if held is not None)
    names = [file.relative_to(path).as_posix() if path.is_dir() else file.name for file in files]
    job = {
        "what": "rows",
        "inputs": dict(zip(names, inputs.sums, strict=True)),
        "details": details,
        **model(champion),
    }
    with making(output, job) as partial, ThreadPoolExecutor(THREADS) as workers:
        made = (
            part
            for file, name in zip(files, names, strict=True)
            for part in _parts(file, partial / name, champion, details, workers, inputs.check)
        )
        for _ in bar(made, total):
            pass
        answered = [
            sum(pq.read_metadata(part).num_rows for part in (partial / name).glob("part-*")) for name in names
        ]
        inputs.check(whole=True)
        told = [
            {
                "name": name,
                "bytes": file.stat().st_size,
                "sha256": digest,
                "rows": many if held is None else held,
            }
            for file, name, digest, held, many in zip(files, names, inputs.sums, known, answered, strict=True)
        ]
        return finished(
            partial,
            {
                "inputs": told,
                "rows_in": sum(one["rows"] for one in told),
                "details": details,
                **model(champion),
            },
        )


class Changed(DataError):
    """A file a job reads was changed while it was read."""


class Inputs:
    """The files a job reads, by their content: a job that goes on after a kill, and its manifest, go by
    `sums`.
    """

    def __init__(self, files: list[Path]) -> None:
        self.files = files
        self.states = [_state(file) for file in files]  # before the hash, so that a change after it shows
        self.sums = [sha256(file) for file in files]

    def check(self, whole: bool = False) -> None:
        """Raises `Changed` where a file isn't what it was. It is hashed again where its state differs, or if
        `whole`.
        """
        for at, file in enumerate(self.files):
            try:
                state = _state(file)
                same = (state == self.states[at] and not whole) or sha256(file) == self.sums[at]
            except FileNotFoundError:
                same = False
            if not same:
                raise Changed(
                    f"{file} changed while it was read.\nWait until nothing writes to it, and run this again."
                )
            self.states[at] = state


def _state(file: Path) -> tuple[int, ...]:
    """What the system says of a file; nobody can set back its time of change, as they can that of writing."""
    told = file.stat()
    return told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns


def _parts(
    file: Path,
    folder: Path,
    champion: Champion,
    details: bool,
    workers: ThreadPoolExecutor,
    check: Callable[[], None],
) -> Iterator[Path]:
    """Write the parts of a file that aren't there yet, each named when it is whole and `check` has found
    nothing changed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = len(list(folder.glob("part-*.parquet")))
    yield from sorted(folder.glob("part-*.parquet"))
    schema = rows.answered(champion, details)

    def answer(asked: tuple[int, pa.Table]) -> pa.Table:
        return rows.answers(asked[1], asked[0], champion, details)

    start = done * PART
    places = (
        (start + at * rows.BATCH, batch) for at, batch in enumerate(rows.batches(file, champion, start))
    )
    part, writer, held = folder / f"part-{done:05d}.parquet", None, 0
    for answers in _in_order(workers, answer, places):
        writer = writer or _writer(part, schema)
        writer.write_table(answers)
        held += answers.num_rows
        if held == PART:
            yield _whole(writer, part, check)
            done, writer, held = done + 1, None, 0
            part = folder / f"part-{done:05d}.parquet"
    if writer or done == 0:
        yield _whole(writer or _writer(part, schema), part, check)


def _writer(part: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(f"{part}.making", schema, write_page_checksum=True)


def _whole(writer: pq.ParquetWriter, part: Path, check: Callable[[], None]) -> Path:
    writer.add_key_value_metadata({tables.FOOTER_HASH.decode(): tables.UNHASHED})
    writer.close()
    with open(f"{part}.making", "r+b") as file:
        tables.hash_footer(file)
        file.flush()
        os.fsync(file.fileno())
    check()
    os.replace(f"{part}.making", part)
    return part


def _in_order(workers: ThreadPoolExecutor, answer: Callable[[Any], Any], asked: Iterable) -> Iterator[Any]:
    """The answers in the order of the questions, a few of which are worked on at a time."""
    waiting: deque[Future] = deque()
    for one in asked:
        waiting.append(workers.submit(answer, one))
        if len(waiting) > AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def score_mornings(
    folder: Path,
    output: Path,
    champion_folder: Path,
    mornings: list[pd.Timestamp],
    *,
    registers: Path | None = None,
    bar: Bar = plain,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Predictions for every school open on each morning, a folder a morning; returns the manifest, which is
    also written.

    A school stands under the URN it had that morning. The champion may have learned from what came after a
    morning: then its chances are no forecasts, and the manifest says of which mornings. Raises as
    `score.score` and `Busy`.
    """
    champion = score.load(champion_folder)
    about = score.agreed(folder, champion)
    files = {f"{name}.parquet": folder / f"{name}.parquet" for name in signals.TABLES}
    files |= {f"{owner}/{path.name}": path for owner, _, path in stored(registers)}
    inputs = Inputs([*files.values()])
    made_from = dict(zip(files, inputs.sums, strict=True))
    job = {
        "what": "mornings",
        "mornings": [f"{day:%Y-%m-%d}" for day in mornings],
        "made_from": made_from,
        **model(champion),
    }
    with making(output, job) as partial:
        known, _, notes = signals.read_known(folder, registers)
        inputs.check(whole=True)  # from here on nothing is read
        for note in notes:
            say(note)
        for morning in bar(mornings, len(mornings)):
            part = partial / f"{morning:%Y-%m-%d}" / "part-00000.parquet"
            if part.is_file():
                continue
            asked = inspections.roster(known["schools"], [morning])
            cohort, made = score.signals_on(asked, known)
            result = score.predictions(cohort, made, champion, about["data_source"])
            tables.write(part.parent, {"predictions": result}, about=about, named={"predictions": part.stem})
        known_to_it = as_of.with_hindsight(job["mornings"], champion.about.get("as_of", ""))
        return finished(
            partial,
            {
                "mornings": job["mornings"],
                "not_forecasts": known_to_it,
                "made_from": made_from,
                **model(champion),
            },
        )


def model(champion: Champion) -> dict[str, str]:
    """Which champion it is, to the last bit of its files."""
    files = json.dumps(champion.as_files(), sort_keys=True).encode()
    return {
        "model_version": champion.about["version"],
        "model_sha256": hashlib.sha256(files).hexdigest(),
        "data_source": champion.about["data_source"],
    }


def finished(partial: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """The manifest of the parts that lie there, and written beside them: every row in is a row out, scored or
    set aside.
    """
    # A file of feature rows may itself be called so, and its answers lie in a folder of its name.
    parts = sorted(part for part in partial.rglob("part-*.parquet") if part.is_file())
    status: Counter[str] = Counter()
    for part in parts:
        with tables.readable(part):
            told = pq.read_table(part, columns=["status"], page_checksum_verification=True)["status"]
        for one in pc.value_counts(told.combine_chunks()).to_pylist():
            status[one["values"]] += one["counts"]
    manifest = {
        **facts,
        "rows_out": status.total(),
        "scored": status.pop(score.SCORED, 0),
        "set_aside": dict(sorted(status.items())),
        "parts": [
            {
                "name": part.relative_to(partial).as_posix(),
                "rows": pq.read_metadata(part).num_rows,
                "bytes": part.stat().st_size,
                "sha256": sha256(part),
            }
            for part in parts
        ],
    }
    assert facts.get("rows_in", manifest["rows_out"]) == manifest["rows_out"], "as many rows out as in"
    tables.write_json(partial / MANIFEST, manifest)
    return manifest


@contextlib.contextmanager
def making(output: Path, job: dict[str, Any]) -> Iterator[Path]:
    """The hidden folder a job's parts are made in; it takes the place of `output` once the block has ended
    well.

    Raises `DataError` where something else than an earlier job's output stands there, and `Busy` where
    another is at work. What was made of inputs that changed meanwhile is deleted.
    """
    if (
        output.exists()
        and not (output / MANIFEST).is_file()
        and (not output.is_dir() or any(output.iterdir()))
    ):
        raise DataError(
            f"{output} is there and no scoring job made it.\nName a folder that is new, or an earlier job's."
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    partial, place = output.parent / f".{output.name}.partial", output.parent / f".{output.name}.lock"
    try:
        with FileLock(place, timeout=0), contextlib.ExitStack() as end:
            # while we hold it: who opened it meanwhile is told that it is gone
            end.callback(place.unlink, missing_ok=True)
            told = partial / JOB
            if not told.is_file() or json.loads(told.read_text("utf-8")) != json.loads(json.dumps(job)):
                shutil.rmtree(partial, ignore_errors=True)
                tables.write_json(told, job)
            for left in partial.rglob("*.making"):
                left.unlink()
            try:
                yield partial
            except Changed:
                shutil.rmtree(partial, ignore_errors=True)
                raise
            for left in (told, *partial.rglob(".lock")):
                left.unlink()
            move_folder(partial, output)
    except Timeout:
        raise Busy(f"Another headway command is writing to {output}.\nWait for it, or try again.") from None
