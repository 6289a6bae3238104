"""Files read in processes that may die, within limits of memory and time, and what came of it judged."""

import ast
import builtins
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

from fuzzing import made

MEMORY, SECONDS = 2 << 30, 20  # allowed for one file, the seconds its own: others may be busy on the machine
BUSY = 6  # times as many may pass before the process is ended
WATCHED = ("headway.pipelines.files.", "headway.pipelines.registers.", "headway.pipelines.scoring.rows")
INGESTED = 100  # one in so many of the files that were read
TODAY = "2026-09-01"


def wrong_release(release: Any) -> list[str]:
    """What can't be in a release that was accepted."""
    import pandas as pd

    first = next(iter(release.records.values()))
    kept = release.rows - sum(release.set_aside.values())
    whole = release.kept == kept and (len(first) <= kept if release.layout.long_form else len(first) == kept)
    told = [] if whole else [f"{len(first)} rows of {kept}"]
    allowed = {
        "grade": (1, 4),
        "standard": (1, 5),
        "share": (0, 1),
        "percent": (0, 1),
        "period": (1901, 2100),
        "count": (0, 1e300),
        "money": (0, 1e300),
        "number": (-1e308, 1e308),
    }
    for record, columns in release.layout.records.items():
        rows = release.records[record]
        for column in columns:
            if column.name not in rows:
                continue
            values = rows[column.name].dropna()
            if column.kind in allowed and not values.between(*allowed[column.kind]).all():
                told.append(f"{record}.{column.name}: {values.min()} to {values.max()}")
            inspected = column.name in ("inspected_on", "ended_on") and release.layout.depth
            if inspected and not values.between(pd.Timestamp(1992, 9, 1), release.file_on).all():
                told.append(
                    f"{record}.{column.name}: {values.min()} to {values.max()}, of a file of "
                    f"{release.file_on}"
                )
            if column.name == "urn" and not values.astype("str").str.fullmatch(r"[0-9]{4,7}").all():
                told.append(f"{record}.urn: {values.tolist()[:5]}")
    return told


def wrong_rows(rows: Any, urns: set[int]) -> list[str]:
    """What can't be in a register that was accepted."""
    told = (
        []
        if set(rows["urn"]) <= urns and (rows["recorded_on"] >= rows["counted_on"]).all()
        else ["URNs or days"]
    )
    figures = rows.select_dtypes("number").drop(columns=["urn", "lineage", "row"])
    if not (figures.isna() | (figures.ge(0) & figures.le(1e6))).all(axis=None):
        told.append("figures")
    if not rows["counted_on"].between("2000-01-01", TODAY).all():
        told.append("counted_on")
    return told


def _watched() -> set[str]:
    """A set that gathers the blocks of code the readers go through, once they are imported after this.

    Each block is made to tell of itself as it is compiled: `sys.settrace` would slow all of pandas fivefold,
    and `sys.monitoring` is not in Python 3.11.
    """
    lines: set[str] = set()
    builtins.reached_ = lines.add  # type: ignore[attr-defined]
    usual = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, module: str) -> CodeType | None:
        if not module.startswith(WATCHED):
            return usual(loader, module)
        path = loader.get_filename(module)
        tree = ast.parse(loader.get_data(path))
        for node in ast.walk(tree):
            for block in (getattr(node, part, None) for part in ("body", "orelse", "finalbody")):
                if isinstance(block, list) and block and not isinstance(node, ast.Module | ast.ClassDef):
                    told = ast.parse(f"reached_('{module}:{block[0].lineno}')").body[0]
                    block.insert(0, ast.fix_missing_locations(ast.copy_location(told, block[0])))
        return compile(ast.fix_missing_locations(tree), path, "exec")

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
    return lines


class Told(NamedTuple):
    """What came of a file: accepted, refused or FAILED; why; the blocks of code it went through; what it
    took.
    """

    verdict: str
    about: str
    lines: list[str]
    seconds: float
    memory: int


class _Reader:
    """What a process of its own does with one file after another."""

    def __init__(self, folder: Path, base: list[tuple[str, bytes]], lines: set[str]) -> None:
        import pandas as pd

        from headway.pipelines import ingest, tables

        for name, content in base:  # what a file is ingested beside
            (folder / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "raw" / name).write_bytes(content)
        ingest.ingest(folder / "raw", folder / "tables")
        self.folder, self.base, self.lines, self.today = folder, base, lines, pd.Timestamp(TODAY)
        self.schools = tables.read(folder / "tables", "schools")

    def read(self, name: str, content: bytes, number: int) -> tuple[str, str, list]:
        """The verdict (accepted, refused or FAILED), what about it, and the lines of the readers it went
        through.
        """
        from headway.pipelines.tables import DataError

        self.lines.clear()
        try:
            if name.startswith("rows/"):
                verdict = self._rows(name, content)
            elif name.startswith("register/"):
                verdict = self._register(name.split("/")[1], content)
            else:
                verdict = self._official(name, content, number)
        except DataError as error:
            verdict = _helpful(str(error))
        except MemoryError:
            verdict = "FAILED", "MemoryError\n" + traceback.format_exc()
        except BaseException:
            verdict = "FAILED", traceback.format_exc()
        return *verdict, sorted(self.lines)

    def _register(self, owner: str, content: bytes) -> tuple[str, str]:
        from headway.pipelines import registers

        checked = registers.check(content, "mine.csv", self.schools, self.today, owner)
        if checked.problems:
            return "refused", f"register: {checked.problems[0]}"
        wrong = wrong_rows(checked.rows, set(self.schools["urn"]))
        return ("FAILED", f"accepted wrongly: {wrong}") if wrong else ("accepted", "register")

    def _rows(self, name: str, content: bytes) -> tuple[str, str]:
        from headway.pipelines.scoring import rows

        path = self.folder / Path(name).name
        path.write_bytes(content)
        try:
            rows.check(path, made.champion())
            given = list(rows.batches(path, made.champion()))
            result = [rows.answers(one, 0, made.champion(), False).to_pandas() for one in given]
        finally:
            path.unlink()
        for asked, answers in zip(given, result, strict=True):
            scored = answers["status"].eq("scored")
            chances = answers.filter(regex="p_grade_")
            sums = chances.sum(axis=1)[scored]
            if not (
                len(answers) == asked.num_rows
                and answers["status"].notna().all()
                and chances[~scored].isna().all(axis=None)
                and chances[scored].ge(0).all(axis=None)
                and sums.sub(1).abs().lt(1e-9).all()
            ):
                return "FAILED", "answered wrongly"
        return "accepted", "feature rows"

    def _official(self, name: str, content: bytes, number: int) -> tuple[str, str]:
        from headway.pipelines import files, ingest

        raw = self.folder / "one"
        path = raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        before = sorted(p for p in self.folder.rglob("*") if p.is_file())
        try:
            releases = files.read_file(path, raw)
            wrong = [problem for release in releases for problem in wrong_release(release)]
            if wrong:
                return "FAILED", f"accepted wrongly: {wrong}"
            if sorted(p for p in self.folder.rglob("*") if p.is_file()) != before:
                return "FAILED", "a file was written"
            if number % INGESTED == 0:
                for other, whole in self.base:
                    (raw / "base" / other).parent.mkdir(parents=True, exist_ok=True)
                    (raw / "base" / other).write_bytes(whole)
                ingest.ingest(raw, self.folder / "tables")
            return "accepted", releases[0].layout.name
        finally:
            shutil.rmtree(raw)


def _helpful(message: str) -> tuple[str, str]:
    """The verdict on an error: it names the file or what is missing, says what to do, and could stand on a
    screen.
    """
    told = (
        message.count("\n") >= 1
        and len(message) < 50_000
        and all(c.isprintable() or c == "\n" for c in message)
    )
    return ("refused", message) if told else ("FAILED", f"a message that doesn't help: {message[:2000]!r}")


def _work(pipe: Any, base: list[tuple[str, bytes]], limits: bool) -> None:
    """Reads the files that come down a pipe, within limits of memory, and says what came of each."""
    with tempfile.TemporaryDirectory() as folder:
        reader = _Reader(Path(folder), base, _watched())
        if limits:
            import resource

            taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # calamine tells of its panics there
        pipe.send("ready")
        while task := pipe.recv():
            peak = Path("/proc/self/clear_refs")
            if peak.exists():
                peak.write_text("5")  # counts the most memory anew
            before = time.process_time()
            verdict = reader.read(*task)
            pipe.send((*verdict, time.process_time() - before, _most_memory()))


def _most_memory() -> int:
    status = Path("/proc/self/status")
    result = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(result[1]) * 1024 if result else 0


class Reading:
    """A process that reads, begun again whenever a file ends it or takes too long."""

    def __init__(self, base: list[tuple[str, bytes]]) -> None:
        self.base, self.process = base, None

    def read(self, name: str, content: bytes, number: int) -> Told:
        if self.process is None or not self.process.is_alive():
            self._begin()
        self.pipe.send((name, content, number))
        try:
            if self.pipe.poll(BUSY * SECONDS):
                told = Told(*self.pipe.recv())
                return (
                    told
                    if told.seconds < SECONDS
                    else told._replace(verdict="FAILED", about=f"took {told.seconds:.0f} s")
                )
            told = f"took more than {BUSY * SECONDS} s"
        except EOFError:
            self.process.join()
            told = f"ended the process: exit code {self.process.exitcode}"
        self.close()
        return Told("FAILED", told, [], SECONDS, MEMORY)

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(
            target=_work, args=(other, self.base, sys.platform == "linux"), daemon=True
        )
        self.process.start()
        other.close()
        self.pipe.recv()

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
