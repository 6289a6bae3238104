import json
import shutil
import subprocess
import sys
from pathlib import Path

import made
import pandas as pd
import pyarrow.parquet as pq
import pytest
from test_batch import _headway, _plans

from models.champion import Champion
from pipelines import batch
from pipelines.tables import DataError


@pytest.fixture(scope="module")
def champion() -> Champion:
    return made.champion()


@pytest.fixture
def place(tmp_path: Path, champion: Champion) -> Path:
    champion.save(tmp_path / "mlruns" / "champion")
    return tmp_path


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
    program = ("import sys; sys.modules['pyspark'] = None; from pipelines.__main__ import main; "
               "sys.argv = ['headway', 'score', '--input', 'plans.parquet', '--output', 'out', '--engine', 'spark']; main()")  # fmt: skip
    ended = subprocess.run([sys.executable, "-c", program], cwd=place, capture_output=True, text=True,
                           env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "/usr/bin"})  # fmt: skip
    assert ended.returncode == 2 and "pip install 'headway[spark]'" in ended.stderr and "Traceback" not in ended.stderr


def test_a_csv_is_refused_before_spark_is_started(place, champion):
    from pipelines import spark

    _plans(champion, 5).to_pandas().to_csv(place / "plans.csv", index=False, date_format="%Y-%m-%d")
    with pytest.raises(DataError, match="Spark scores parquet files only, and plans.csv is none"):
        spark.score_rows(place / "plans.csv", place / "out", place / "mlruns" / "champion")
