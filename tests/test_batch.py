import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import made
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from headway.models.champion import Champion
from headway.pipelines import tables
from headway.pipelines.cli.shared import mornings_named as _mornings
from headway.pipelines.scoring import batch, rows, spark
from headway.pipelines.scoring.batch import MANIFEST
from headway.pipelines.scoring.score import SCORED
from headway.pipelines.tables import DataError

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def champion() -> Champion:
    return made.champion()


@pytest.fixture
def place(tmp_path: Path, champion: Champion) -> Path:
    """A folder to work in, as `headway` finds it: with a champion."""
    champion.save(tmp_path / "mlruns" / "champion")
    return tmp_path


def _plans(champion: Champion, count: int) -> pa.Table:
    """So many feature rows; every tenth was never graded."""
    drawn = made.rows(count)
    given = drawn["signals"].assign(
        overall=drawn["state"]["overall"],
        urn=range(count),
        as_of=pd.Timestamp("2025-09-01"),
        phase="Primary",
        leadership=2,
        inspected_on=pd.Timestamp("2023-01-10"),
    )
    given["inspected_on"] = given["inspected_on"].mask(given.index % 10 == 0)
    return pa.Table.from_pandas(made.feature_rows(given, champion), preserve_index=False)


# Smaller parts, so that few rows make many: the command is run in a process of its own.
SMALLER = (
    "import sys; from headway.pipelines.scoring import batch, rows; from headway.pipelines.__main__ import "
    "main; rows.BATCH, batch.PART = 2_000, 10_000; "
    "sys.argv[0] = 'headway'; main()"
)


def _headway(place: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "headway", "score", *arguments],
        cwd=place,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=300,
    )


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture
def smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of 10 rows and parts of 100, so that few rows make many parts."""
    monkeypatch.setattr(rows, "BATCH", 10)
    monkeypatch.setattr(batch, "PART", 100)


# --- a job of feature rows ----------------------------------------------------------------------------------


def test_the_manifest_accounts_for_every_row_and_every_byte(place, champion, smaller):
    pq.write_table(_plans(champion, 230), place / "plans.parquet")
    told = batch.score_rows(place / "plans.parquet", place / "out", place / "mlruns" / "champion")
    assert told == json.loads((place / "out" / MANIFEST).read_text("utf-8"))
    assert (told["rows_in"], told["rows_out"], told["scored"], told["set_aside"]) == (
        230,
        230,
        207,
        {"never graded": 23},
    )
    assert [part["rows"] for part in told["parts"]] == [100, 100, 30]
    assert [batch.sha256(place / "out" / part["name"]) for part in told["parts"]] == [
        part["sha256"] for part in told["parts"]
    ]
    assert told["inputs"][0] | {"bytes": 0} == {
        "name": "plans.parquet",
        "rows": 230,
        "bytes": 0,
        "sha256": batch.sha256(place / "plans.parquet"),
    }
    assert told["model_version"] == champion.about["version"] and told["data_source"] == "made-up"


def test_a_reader_of_parquet_reads_the_folder_as_one_table_in_order(place, champion, smaller):
    pq.write_table(_plans(champion, 230), place / "plans.parquet")
    batch.score_rows(place / "plans.parquet", place / "out", place / "mlruns" / "champion")
    found = pd.read_parquet(place / "out")
    assert found["row"].tolist() == list(range(230)) and found["urn"].tolist() == list(range(230))
    assert found["status"].eq(SCORED).tolist() == [bool(urn % 10) for urn in range(230)]


def test_a_folder_is_scored_file_by_file_parquet_and_csv(place, champion, smaller):
    (place / "plans").mkdir()
    pq.write_table(_plans(champion, 110), place / "plans" / "b.parquet")
    _plans(champion, 30).to_pandas().to_csv(place / "plans" / "a.csv", index=False, date_format="%Y-%m-%d")
    told = batch.score_rows(place / "plans", place / "out", place / "mlruns" / "champion")
    assert [(one["name"], one["rows"]) for one in told["inputs"]] == [("a.csv", 30), ("b.parquet", 110)]
    assert [part["name"] for part in told["parts"]] == [
        "a.csv/part-00000.parquet",
        "b.parquet/part-00000.parquet",
        "b.parquet/part-00001.parquet",
    ]


def test_the_parts_of_another_program_are_taken_for_files_of_rows(place, champion, smaller):
    (place / "plans").mkdir()
    for part in ("part-00000.parquet", "part-00001.parquet"):
        pq.write_table(_plans(champion, 120), place / "plans" / part)
    told = batch.score_rows(place / "plans", place / "out", place / "mlruns" / "champion")
    assert (told["rows_in"], told["rows_out"], len(told["parts"])) == (240, 240, 4)


def test_no_rows_give_one_part_without_rows(place, champion):
    pq.write_table(_plans(champion, 10).slice(0, 0), place / "plans.parquet")
    told = batch.score_rows(place / "plans.parquet", place / "out", place / "mlruns" / "champion")
    assert (told["rows_in"], told["rows_out"], len(told["parts"])) == (0, 0, 1)
    assert pd.read_parquet(place / "out").empty


def test_twice_gives_the_same_bytes_and_another_model_others(place, champion, smaller):
    pq.write_table(_plans(champion, 230), place / "plans.parquet")
    asked = (place / "plans.parquet", place / "out", place / "mlruns" / "champion")
    batch.score_rows(*asked)
    first = _bytes(place / "out")
    batch.score_rows(*asked)
    assert _bytes(place / "out") == first
    made.champion(2000).save(place / "mlruns" / "champion")
    batch.score_rows(*asked)
    assert _bytes(place / "out").keys() == first.keys() and _bytes(place / "out") != first


def test_one_bad_file_in_a_folder_stops_the_job_before_anything_is_answered(place, champion):
    (place / "plans").mkdir()
    pq.write_table(_plans(champion, 10), place / "plans" / "a.parquet")
    pq.write_table(_plans(champion, 10).drop_columns(["decoy"]), place / "plans" / "b.parquet")
    with pytest.raises(DataError, match=r"b.parquet does not hold feature rows[\s\S]*- decoy"):
        batch.score_rows(place / "plans", place / "out", place / "mlruns" / "champion")
    assert sorted(path.name for path in place.iterdir()) == ["mlruns", "plans"]


def test_what_no_job_made_is_never_replaced(place, champion):
    pq.write_table(_plans(champion, 10), place / "plans.parquet")
    (place / "mine").mkdir()
    (place / "mine" / "letter.txt").write_text("dear")
    for output in (place / "mine", place / "plans.parquet"):
        with pytest.raises(DataError, match="no scoring job made it"):
            batch.score_rows(place / "plans.parquet", output, place / "mlruns" / "champion")
    assert (place / "mine" / "letter.txt").read_text() == "dear"


# --- faults -------------------------------------------------------------------------------------------------


def test_a_killed_job_goes_on_after_its_last_whole_part_and_ends_with_the_same_bytes(place, champion):
    pq.write_table(_plans(champion, 205_000), place / "plans.parquet", row_group_size=7_000)

    def start(output: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-c", SMALLER, "score", "--input", "plans.parquet", "--output", output],
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
        )

    assert start("whole").wait() == 0
    running = start("out")
    first = place / ".out.partial" / "plans.parquet" / "part-00000.parquet"
    while not first.is_file():
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (place / "out").exists()
    made_then = first.stat().st_mtime_ns
    assert start("out").wait() == 0
    assert pd.read_parquet(place / "out")["row"].tolist() == list(range(205_000))
    assert _bytes(place / "out") == _bytes(place / "whole")
    assert (place / "out" / "plans.parquet" / "part-00000.parquet").stat().st_mtime_ns == made_then
    assert sorted(path.name for path in place.iterdir() if ".lock" not in path.name) == [
        "mlruns",
        "out",
        "plans.parquet",
        "whole",
    ]


def test_a_job_killed_on_other_rows_begins_anew(place, champion, smaller):
    pq.write_table(_plans(champion, 230), place / "plans.parquet")
    left = place / ".out.partial" / "plans.parquet"
    left.mkdir(parents=True)
    (left / "part-00000.parquet").write_text("of another job")
    (left.parent / "_job.json").write_text('{"what": "another"}')
    told = batch.score_rows(place / "plans.parquet", place / "out", place / "mlruns" / "champion")
    assert told["rows_out"] == 230


@pytest.mark.parametrize("engine", ["local", "spark"])
def test_a_job_goes_on_only_with_the_same_content_whatever_its_files_size_and_time(
    place, champion, smaller, engine, monkeypatch
):
    """A job killed after its first part, and then a file of the same name, size and time with other rows."""
    if engine == "spark":
        pytest.importorskip("pyspark", reason="install the extra `spark`")
        if not shutil.which("java"):
            pytest.skip("Spark needs Java")
        monkeypatch.setenv("HEADWAY_SPARK_MASTER", "local[1]")
    plans, path = _plans(champion, 230), place / "plans.parquet"
    written = {"use_dictionary": False, "compression": "none"}
    pq.write_table(plans, path, **written)
    at, run = path.stat(), {"local": batch.score_rows, "spark": spark.score_rows}[engine]

    def stop(steps, total):
        yield next(iter(steps))
        raise InterruptedError("killed")

    with pytest.raises(InterruptedError, match="killed"):
        batch.score_rows(path, place / "out", place / "mlruns" / "champion", bar=stop)
    if engine == "spark":  # parts that a killed job on another input left behind
        left = json.loads((place / ".out.partial" / "_job.json").read_text("utf-8"))
        (place / ".out.partial" / "_job.json").write_text(json.dumps({**left, "what": "rows on Spark"}))
        shutil.copytree(place / ".out.partial" / "plans.parquet", place / ".out.partial" / "gone.parquet")
    assert (place / ".out.partial" / "plans.parquet" / "part-00000.parquet").is_file()
    other = plans.set_column(0, "urn", pa.array(range(1000, 1230), plans.schema.field(0).type))
    pq.write_table(other, path, **written)
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (at.st_size, at.st_mtime_ns)
    told = run(path, place / "out", place / "mlruns" / "champion")
    assert pd.read_parquet(place / "out")["urn"].tolist() == list(range(1000, 1230))
    assert told["inputs"][0]["sha256"] == batch.sha256(path) and told["rows_out"] == 230


def test_rows_replaced_while_the_job_runs_stop_it_and_no_part_of_them_is_gone_on_from(
    place, champion, smaller
):
    plans, path = _plans(champion, 230), place / "plans.parquet"
    pq.write_table(plans, path)
    at, before = path.stat(), path.read_bytes()

    def replaced(steps, total):
        for at_part, part in enumerate(steps):
            yield part
            if at_part == 0:
                path.write_bytes(before[:-300] + b"0" + before[-299:])
                os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))

    with pytest.raises(
        DataError, match=r"plans.parquet changed while it was read\.\nWait until nothing writes to it"
    ):
        batch.score_rows(path, place / "out", place / "mlruns" / "champion", bar=replaced)
    assert not (place / "out").exists() and not (place / ".out.partial").exists()
    path.write_bytes(before)
    assert batch.score_rows(path, place / "out", place / "mlruns" / "champion")["rows_out"] == 230


def test_an_answer_with_a_byte_changed_is_not_read(place, champion):
    pq.write_table(_plans(champion, 50), place / "plans.parquet")
    batch.score_rows(place / "plans.parquet", place / "out", place / "mlruns" / "champion")
    (part,) = (place / "out").rglob("part-*.parquet")
    content = bytearray(part.read_bytes())
    content[200] ^= 1
    part.write_bytes(content)
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(part, page_checksum_verification=True)
    content[200] ^= 1
    part.write_bytes(bytes(content).replace(b"grade_set", b"grade_sat"))
    with pytest.raises(ValueError, match="footer was changed"):
        tables.check_footer(part)


def test_while_another_process_writes_there_it_ends_with_75(place, champion):
    pq.write_table(_plans(champion, 10), place / "plans.parquet")
    with FileLock(place / ".out.lock"):
        ended = _headway(place, "--input", "plans.parquet", "--output", "out")
    assert (
        ended.returncode == 75
        and "Another headway command is writing to out" in ended.stderr
        and not (place / "out").exists()
    )


def test_a_file_that_ends_too_soon_stops_in_words_and_leaves_the_earlier_output(place, champion, smaller):
    pq.write_table(_plans(champion, 230), place / "plans.parquet", row_group_size=40, compression="none")
    asked = (place / "plans.parquet", place / "out", place / "mlruns" / "champion")
    batch.score_rows(*asked)
    before = _bytes(place / "out")
    content = bytearray((place / "plans.parquet").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 2000] = b"\0" * 2000
    (place / "plans.parquet").write_bytes(content)
    with pytest.raises(DataError, match="plans.parquet can't be read"):
        batch.score_rows(*asked)
    assert _bytes(place / "out") == before


# --- the command --------------------------------------------------------------------------------------------


def test_the_command_says_what_came_of_the_rows_and_loads_nothing_that_trains(place, champion):
    pq.write_table(_plans(champion, 50), place / "plans.parquet")
    program = (
        "import sys; from headway.pipelines.__main__ import app; app(['score', '--input', 'plans.parquet', "
        "'--output', 'out'], "
        "standalone_mode=False); print(sorted({'mlflow', 'lightgbm', 'sklearn', 'scipy', 'pickle5'} & "
        "sys.modules.keys()))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=place,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    said = ended.stdout.splitlines()
    assert said[0] == "50 rows in: 50 rows out = 45 scored + 5 never graded"
    assert re.fullmatch(r"written: out, 1 parts and _manifest.json \(model abc123\)", said[1])
    assert said[2] == "[]"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ("--input", "plans.parquet", "--output", "out", "--most-aside", "0.05"),
            3,
            "limit passed: 0.1 of the rows",
        ),
        (("--input", "plans.parquet", "--output", "out", "--most-aside", "0.2"), 0, ""),
        (("--input", "plans.parquet"), 2, "Name it with --output"),
        (("--input", "nothing.parquet", "--output", "out"), 2, "nothing.parquet isn't there"),
        (
            ("--input", "plans.parquet", "--output", "out", "--as-of", "2025-09-01"),
            2,
            "say their own mornings",
        ),
        (("--details",), 2, "go with --input"),
        (("--engine", "spark"), 2, "go with --input"),
        (("--as-of", "2020-09-01..2019-09-01", "--output", "out"), 2, "ends before it begins"),
        (
            ("--as-of", "2020-09-01", "--as-of", "2025-09-01..2011-09-01", "--output", "out"),
            2,
            "2025-09-01..2011-09-01 ends before it",
        ),
        (("--as-of", "2020-09-01..", "--output", "out"), 2, "is not a day we can read"),
        (("--as-of", "2019-09-01..2020-09-01/many", "--output", "out"), 2, "many is not a number of months"),
    ],
)
def test_the_exit_code_tells_a_scheduler_what_happened(place, champion, arguments, code, said):
    pq.write_table(_plans(champion, 50), place / "plans.parquet")
    ended = _headway(place, *arguments)
    assert ended.returncode == code and said in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_every_morning_said_counts_once_and_in_order():
    found = _mornings(["2020-09-01..2021-09-01", "2019-03-01", "2020-09-01"])
    assert [f"{day:%Y-%m-%d}" for day in found] == ["2019-03-01", "2020-09-01", "2021-09-01"]


# --- on Spark -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_spark_answers_as_this_process_does_to_the_last_bit(place, champion, monkeypatch):
    pytest.importorskip("pyspark", reason="install the extra `spark`")
    if not shutil.which("java"):
        pytest.skip("Spark needs Java")
    monkeypatch.setenv("HEADWAY_SPARK_MASTER", "local[2]")
    (place / "plans").mkdir()
    pq.write_table(_plans(champion, 900), place / "plans" / "a.parquet", row_group_size=200)
    pq.write_table(_plans(champion, 30), place / "plans" / "b.parquet")
    local = batch.score_rows(place / "plans", place / "local", place / "mlruns" / "champion", details=True)
    ended = _headway(place, "--input", "plans", "--output", "spark", "--details", "--engine", "spark")
    assert ended.returncode == 0, ended.stderr[-2000:]
    told = json.loads((place / "spark" / batch.MANIFEST).read_text("utf-8"))
    assert {**told, "parts": 0, "inputs": 0} == {**local, "parts": 0, "inputs": 0, "engine": "spark"}
    for name in ("a.parquet", "b.parquet"):
        expected = pd.read_parquet(place / "local" / name)
        found = pd.read_parquet(place / "spark" / name).sort_values("row", ignore_index=True)
        pd.testing.assert_frame_equal(found.astype(object), expected.astype(object), check_exact=True)


def test_without_pyspark_the_message_says_what_to_install(place, champion):
    pq.write_table(_plans(champion, 10), place / "plans.parquet")
    program = (
        "import sys; sys.modules['pyspark'] = None; from headway.pipelines.__main__ import main; "
        "sys.argv = ['headway', 'score', '--input', 'plans.parquet', '--output', 'out', '--engine', "
        "'spark']; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=place,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "/usr/bin"},
    )
    assert (
        ended.returncode == 2
        and "pip install 'headway[spark]'" in ended.stderr
        and "Traceback" not in ended.stderr
    )


def test_a_csv_is_refused_before_spark_is_started(place, champion):
    _plans(champion, 5).to_pandas().to_csv(place / "plans.csv", index=False, date_format="%Y-%m-%d")
    with pytest.raises(DataError, match="Spark scores parquet files only, and plans.csv is none"):
        spark.score_rows(place / "plans.csv", place / "out", place / "mlruns" / "champion")
