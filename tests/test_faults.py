"""A disk that is full or can only be read, files that move while they are read, two commands at once, a clock
that is wrong.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import made
import pandas as pd
import pyarrow.parquet as pq
import pytest
from test_batch import _plans

from headway.models import RegistryError
from headway.models.registry import Registry
from headway.pipelines import ingest, registers, tables
from headway.pipelines.__main__ import main
from headway.pipelines.files import kept
from headway.pipelines.scoring import batch
from headway.pipelines.tables import Busy, DataError

ROOT = Path(__file__).parents[1]
NOBODY = 65534  # the user of that name, who owns nothing


@pytest.fixture(scope="module")
def england(world: Callable[[str], Path]) -> Path:
    """A folder with a few official files of two made-up Englands under raw and other, and the tables of
    each.
    """
    return world("few")


NOT_READ_YET = shutil.ignore_patterns(kept.FOLDER)  # tables beside which nothing is kept of the files


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mounts a small disk of its own, with so many bytes left beside what it is filled with; skips where none
    may be.
    """
    place = tmp_path / "disk"

    def mount(filled: Path | None = None, left: int = 0, read_only: bool = False) -> Path:
        place.mkdir()
        size = (
            sum(path.stat().st_size + 4096 for path in filled.rglob("*") if kept.FOLDER not in path.parts)
            + 8192
            if filled
            else 0
        )
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size + left}", "tmpfs", str(place)],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
        if filled:
            shutil.copytree(filled, place, dirs_exist_ok=True, ignore=NOT_READ_YET)
        if read_only:
            subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        return place

    yield mount
    if place.is_mount():
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Callable[..., str]:
    """Runs a command that must end with 2; returns the one message it gave."""
    monkeypatch.chdir(tmp_path)

    def command(*words: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", ["headway", *map(str, words)])
        with pytest.raises(SystemExit, match="^2$"):
            main()
        said = capsys.readouterr().err
        assert said.startswith("headway: ") and said.count("headway: ") == 1 and "Traceback" not in said
        assert said.count("\n") >= 2, "it says what to do"
        return said

    return command


def _files(folder: Path) -> dict[str, bytes]:
    """Every file in a folder but the lock, which is only a name, and what files were read as, which may come
    and go.
    """
    files = (
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock" and kept.FOLDER not in path.parts
    )
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


# --- a full disk --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [50_000, 300_000])
def test_ingest_on_a_disk_that_fills_up_leaves_every_table_as_it_was(england, disk, run, left):
    held = disk(england / "tables", left)
    before = _files(held)
    said = run("ingest", "--raw", england / "other", "--tables", held)
    assert "The disk is full: make room" in said and str(held) in said
    assert _files(held) == before


def test_ingest_on_a_full_disk_without_tables_leaves_none(england, disk, run):
    held = disk(left=60_000)
    assert "The disk is full" in run("ingest", "--raw", england / "raw", "--tables", held / "tables")
    assert _files(held) == {}


def test_ingest_where_files_may_not_grow_leaves_every_table_as_it_was(england, tmp_path):
    """The same without a disk of one's own: nobody may write a file of more than 20 kB."""
    shutil.copytree(england / "tables", tmp_path / "tables")
    before = _files(tmp_path / "tables")
    words = [
        sys.executable,
        "-c",
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
        "sys.argv[1:] = ['ingest', '--raw', sys.argv[1], '--tables', 'tables']; from "
        "headway.pipelines.__main__ import main; main()",
        str(england / "other"),
    ]
    ended = subprocess.run(
        words,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert ended.stderr.startswith("headway: tables/") and "The disk is full" in ended.stderr
    assert _files(tmp_path / "tables") == before


def test_a_scoring_job_that_fills_the_disk_says_so_and_leaves_the_earlier_answers(disk, run, tmp_path):
    made.champion().save(tmp_path / "mlruns" / "champion")
    for name, count in (("few.parquet", 50), ("many.parquet", 60_000)):
        pq.write_table(_plans(made.champion(), count), tmp_path / name)
    held = disk(left=400_000)
    batch.score_rows(tmp_path / "few.parquet", held / "answers", tmp_path / "mlruns" / "champion")
    before = _files(held / "answers")
    assert [path.name for path in held.iterdir()] == ["answers"]
    assert "The disk is full" in run("score", "--input", "many.parquet", "--output", held / "answers")
    assert _files(held / "answers") == before
    # from which the next run goes on
    assert {path.name for path in held.iterdir()} == {"answers", ".answers.partial"}


def test_predictions_that_do_not_fit_on_the_disk_leave_the_earlier_ones(drawn, disk):
    held = disk(left=400_000)
    rows = drawn(
        "urn | lineage | as_of | status | data_source\n100001 | 100001 | 2025-09-01 | scored | made-up"
    )
    tables.write(held, {"predictions": rows}, about={})
    before = _files(held)
    many = pd.concat([rows] * 30_000, ignore_index=True).assign(urn=range(100_001, 130_001))
    many = many.assign(status=(many["urn"] * 7919 % 1_000_003).astype("str"))
    with pytest.raises(OSError, match="No space left") as error:
        tables.write(held, {"predictions": many}, about={})
    assert error.value.filename == str(held / "predictions.parquet") and _files(held) == before


def test_a_run_that_does_not_fit_on_the_disk_is_not_registered(disk, drawn):
    root = disk(left=100_000) / "mlruns"
    example = drawn("leadership_gap | share_stayed\n1.0 | 0.5")
    with pytest.raises(RegistryError, match="(?s)disk.*Nothing was registered"):
        Registry.at(None, root).keep(
            made.champion(),
            params={},
            metrics={},
            tags={},
            tables={},
            datasets={},
            texts={"x.txt": "x" * 200_000},
            figures={},
            example=example,
            promotion={},
        )
    assert not [path for path in root.rglob("*") if path.is_file() and path.name != "lock"]


def test_a_register_that_does_not_fit_on_the_disk_leaves_the_earlier_one(disk, run, tmp_path):
    held = disk(left=12_288)
    header = ",".join(registers.KINDS["staff"].names)
    row = ",2024-11-07,2024-11-20" + ",0" * (header.count(",") - 2)
    small, large = (
        header + "".join(f"\n{urn}{row}" for urn in range(100_001, 100_001 + count)) + "\n"
        for count in (1, 900)
    )
    registers.add(held, "trust-7", small.encode(), "small.csv", None, pd.Timestamp.now())
    (tmp_path / "large.csv").write_text(large)
    before = _files(held)
    said = run(
        "register", "add", "large.csv", "--owner", "trust-7", "--registers", held, "--tables", tmp_path
    )
    assert before and "The disk is full" in said
    assert _files(held) == before


# --- what may not be read or written ------------------------------------------------------------------------


def test_a_disk_that_can_only_be_read_is_named_and_stays(england, disk, run):
    held = disk(england / "tables", left=1_000_000, read_only=True)
    before = _files(held)
    assert (
        str(held) in (said := run("ingest", "--raw", england / "other", "--tables", held))
        and "can only be read" in said
    )
    assert _files(held) == before


@pytest.fixture
def as_nobody() -> Iterator[Callable]:
    """Calls a function as a user who owns nothing, since the one who owns everything may do anything."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")

    def call(what: Callable, *words: str | Path) -> str:
        os.seteuid(NOBODY)
        try:
            return what(*words)
        finally:
            os.seteuid(0)

    yield call


def test_what_this_user_may_not_read_or_write_is_named(england, as_nobody, run):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(england, folder, dirs_exist_ok=True)
        folder.chmod(0o755)
        (hidden,) = (folder / "raw").rglob("*Aug_2023.csv")
        hidden.chmod(0o600)
        said = as_nobody(run, "ingest", "--raw", folder / "raw", "--tables", folder / "tables")
        assert f"{hidden.name} can't be read (Permission denied)" in said and "check who may read it" in said
        said = as_nobody(run, "ingest", "--raw", folder / "other", "--tables", folder / "tables")
        assert (
            str(folder / "tables") in said
            and "Permission denied" in said
            and "Check who may read and write there" in said
        )
        assert _files(folder / "tables") == _files(england / "tables")


# --- files that move while they are read --------------------------------------------------------------------


@pytest.mark.parametrize("how", ["gone before", "gone after", "cut short after", "one more"])
def test_files_that_change_while_they_are_read_stop_us_and_leave_the_tables(england, tmp_path, how):
    """A download or a synchronised folder at work: tables would be of one file, and their record of
    another.
    """
    shutil.copytree(england / "other", tmp_path / "raw")
    shutil.copytree(england / "tables", tmp_path / "tables", ignore=NOT_READ_YET)
    (target,) = (tmp_path / "raw").rglob("*Aug_2023.csv")

    def meanwhile(paths: Iterable[Path], _: int) -> Iterator[Path]:
        for path in paths:  # each once it was read
            if how == "gone before":
                target.unlink(missing_ok=True)
            yield path
            if path == target:
                if how == "gone after":
                    target.unlink()
                elif how == "cut short after":
                    os.truncate(target, 500)
                elif how == "one more":
                    shutil.copy(target, target.with_name("new_31_August_2022.csv"))

    words = r"Aug_2023\.csv can't be read" if how == "gone before" else "changed while the files were read"
    with pytest.raises(DataError, match=rf"(?s){words}.*\n.*(run this|Run this)"):
        ingest.ingest(tmp_path / "raw", tmp_path / "tables", meanwhile)
    assert _files(tmp_path / "tables") == _files(england / "tables")


# --- two at once --------------------------------------------------------------------------------------------


def test_two_ingests_into_one_folder_at_once_leave_the_tables_of_the_one_or_of_the_other(england, tmp_path):
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "headway", "ingest", "--raw", str(england / raw), "--tables", "tables"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for raw in ("raw", "other")
    ]
    said = [one.communicate(timeout=300)[1] for one in started]
    assert [one.returncode for one in started] == [0, 0], said
    made_from = {
        tables.about(tmp_path / "tables", path.stem)["inputs"]
        for path in (tmp_path / "tables").glob("*.parquet")
    }
    assert len(made_from) == 1
    assert made_from == {pd.read_json(tmp_path / "tables" / "ingest.json", typ="series")["inputs"]}


def test_tables_of_two_ingests_are_not_read_together(england, tmp_path):
    """As a killed ingest may leave them, between two of its tables."""
    shutil.copytree(england / "tables", tmp_path / "tables")
    wanted = {"schools": ["urn"], "inspections": None}
    assert tables.read_together(tmp_path / "tables", wanted).keys() == wanted.keys()
    shutil.copy(england / "other_tables" / "schools.parquet", tmp_path / "tables")
    with pytest.raises(DataError, match=r"(?s)not made from the same files.*headway ingest"):
        tables.read_together(tmp_path / "tables", wanted)


def test_a_second_writer_waits_its_turn_and_says_so_where_it_does_not_come(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "LONGEST_WAIT", 0.2)
    words = (
        "import sys; from pathlib import Path; from headway.pipelines import tables\n"
        "with tables.alone(Path('.')): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout.readline() == b"held\n"
    rows = drawn("urn | lineage\n100001 | 100001")
    with pytest.raises(Busy, match="(?s)Another headway command is writing to .*Wait for it, or try again"):
        tables.write(tmp_path, {"schools": rows.assign(open=True)}, about={})
    holder.kill()  # the system lets go of its lock
    holder.wait()
    tables.write(tmp_path, {"schools": rows.assign(open=True)}, about={})
    assert tables.read(tmp_path, "schools")["urn"].tolist() == [100001]


# --- a clock that is wrong ----------------------------------------------------------------------------------


def test_a_file_from_the_future_stops_and_is_read_when_accepted(raw, official, tmp_path):
    year = time.localtime().tm_year + 3
    text = official(
        "graded and ungraded",
        f"""
        urn    | name | phase   | type             | local_authority | latest.inspected_on | latest.overall
        100001 | Oak  | Primary | Community School | Leeds           | 01/09/{year - 1}    | 2
    """,
    )
    name = f"as_at_31_August_{year}.csv"
    (raw / name).write_text(text)
    with pytest.raises(
        DataError,
        match=f"(?s){name}.*days or years from today.*this machine's clock.*--accept 'future:{name}'",
    ):
        ingest.ingest(raw, tmp_path / "tables")
    (told,) = ingest.ingest(raw, tmp_path / "tables", accept=[f"future:{name}"])["files"]
    assert told["rows_kept"] == 1


def test_the_tables_do_not_depend_on_the_day_they_are_made(england, tmp_path):
    """A clock years behind: made-up files have a today of their own, and read to the same."""
    words = (
        "import pandas as pd; from pathlib import Path; import headway.pipelines.ingest as ingest\n"
        "class Behind(pd.Timestamp):\n    @classmethod\n    def now(cls, tz=None): return "
        "pd.Timestamp(2011, 1, 1)\n"
        "ingest.pd.Timestamp = Behind\n"
        f"ingest.ingest(Path({str(england / 'raw')!r}), Path('tables'))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    for path in (england / "tables").glob("*.parquet"):
        pd.testing.assert_frame_equal(
            tables.read(tmp_path / "tables", path.stem), tables.read(england / "tables", path.stem)
        )
