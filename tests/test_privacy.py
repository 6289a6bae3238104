"""No person in anything we write, and no password: a made-up England with names planted in its files, and all
that comes out.
"""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import worlds
from worlds import PROGRAMME

from headway.models import RegistryError
from headway.models.registry import Registry
from headway.pipelines import inspections, registers, signals
from headway.pipelines.synthesise.register import PLANTED

ROOT = Path(__file__).parents[1]
NAMES = [word for word in PLANTED if word != "Mx"] + ["Plantedname"]  # Mx alone would be found in any picture


def _run(folder: Path, *words: str, code: str | None = None) -> str:
    """All that a command says, on either output."""
    command = ["-c", code] if code else ["-m", "headway", *words]
    told = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert told.returncode == 0, told.stdout[-2000:] + told.stderr[-4000:]
    return told.stdout + told.stderr


@pytest.fixture(scope="module")
def made(world: Callable[[str], Path]) -> SimpleNamespace:
    """A folder in which files were made up, ingested, learned from and scored, with all that was said."""
    folder = world("strong")
    said = "\n".join(worlds.said(folder).values())
    assert "register" in worlds.said(folder)
    written = [
        path for part in ("data/tables", "mlruns") for path in (folder / part).rglob("*") if path.is_file()
    ]
    return SimpleNamespace(folder=folder, said=said, written=written)


def _texts(path: Path) -> bytes:
    """All that a file says: parquet packs its words, so they are unpacked."""
    if path.suffix != ".parquet":
        return path.read_bytes()
    rows = pd.read_parquet(path)
    words = (
        rows[column].dropna().astype("str").unique()
        for column in rows.select_dtypes(["str", "object", "category"])
    )
    return "\n".join(word for column in words for word in column).encode() + path.read_bytes()


def test_no_name_in_the_official_files_and_no_word_typed_into_a_register_stands_in_anything_written(made):
    raw = b"".join(path.read_bytes() for path in (made.folder / "data/raw/gias").iterdir())
    assert all(name.encode() in raw for name in NAMES), "nothing was planted"
    assert {".parquet", ".json", ".csv", ".html", ".db", ".jsonl", ".md"} <= {
        path.suffix for path in made.written
    }
    for path in made.written:
        held = _texts(path)
        assert not [word for word in (*NAMES, PROGRAMME) if word.encode() in held], path
    assert not [word for word in (*NAMES, PROGRAMME) if word in made.said]


def test_no_table_has_a_column_that_counts_people_in_a_register(made):
    counts = {
        cell.name
        for kind in registers.KINDS.values()
        for cell in kind.own
        if cell.holds in ("people", "words")
    }
    counts |= {name for kind in registers.KINDS.values() for name in kind.people}
    for path in made.written:
        if path.suffix == ".parquet":
            assert not counts & set(pd.read_parquet(path).columns), path
        if path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                assert not counts & set(next(csv.reader(file))), path


def _drawn(folder: Path, small: str) -> dict[str, pd.DataFrame]:
    """Registers of all kinds in which each count of a few people is so many, of a school of twenty
    teachers.
    """
    schools = pd.DataFrame({"urn": [100001], "lineage": [100001], "trust_uid": [7], "la_code": [301]})
    days = {"urn": "100001", "counted_on": "2025-09-01", "recorded_on": "2025-09-02"}
    few = int(small)
    rows = {
        "staff": {"teachers_a_year_before": "20", "stayed": str(20 - few), "moved_school": small, "left_system": "0",
                  "posts": "20", "vacant_posts": "0", "temporarily_filled_posts": "0", "heads_in_three_years": "1"},
        "leadership-development": {"teachers": "20", "middle_leaders": "8", "npq_senco": small, "npq_headship": small,
                                   "finished": "9", "finished_still_here": str(9 - few), "promoted_inside": small},
        "improvement-capacity": {"staff": "30", "improvement_leaders": small, "improvement_practitioners": "0",
                                 "leaders_supporting_other_schools": small, "head_improved_another_school": "no"},
    }  # fmt: skip
    for kind, cells in rows.items():
        held = days | cells
        text = f"{','.join(registers.KINDS[kind].names)}\n{','.join(held.get(n, '') for n in registers.KINDS[kind].names)}\n"
        registers.add(folder, "trust-7", text.encode(), "mine.csv", schools, pd.Timestamp(2025, 10, 1))
    return registers.known(folder, schools, "official", pd.Timestamp(2025, 10, 1))[0]


def test_signals_of_schools_with_one_and_with_two_people_are_the_same(tmp_path, known, drawn):
    asked = drawn("urn | lineage | as_of\n100001 | 100001 | 2025-10-01")
    schools = drawn("urn | lineage | name | phase\n100001 | 100001 | Oak | Primary")
    made = {}
    for few in ("1", "2", "5"):
        frames = _drawn(tmp_path / few, few)
        held = known(schools=schools) | frames
        cohort = inspections.cohort(asked, held["school_facts"], held["inspections"])
        built = signals.build(cohort, held)
        made[few] = built[
            [s.name for s in signals.declared().values() if set(s.source.split(", ")) & set(frames)]
        ]
    assert made["1"].notna().to_numpy().sum() >= 5, "the registers say nothing"
    pd.testing.assert_frame_equal(made["1"], made["2"], check_exact=True)
    assert not made["1"].equals(made["5"])


# --- what is loaded, sent and said --------------------------------------------------------------------------

AUDITED = """
import sys
found = []
def listen(event, told):
    if event == "pickle.find_class":
        found.append(told)
    if event == "socket.connect" and isinstance(told[1], tuple) and told[1][0] not in ("127.0.0.1", "::1"):
        found.append(told[1])
sys.addaudithook(listen)
"""


def test_the_audit_hears_a_pickle():
    assert "Fraction" in _run(
        ROOT,
        code=AUDITED
        + "import pickle, fractions\npickle.loads(pickle.dumps(fractions.Fraction(1)))\nprint(found)",
    )


def test_scoring_and_exploring_load_no_pickle_and_call_nobody(made, tmp_path):
    scoring = (
        "from headway.pipelines.__main__ import app\n"
        f"app(['score', '--no-similar', '--output', {str(tmp_path / 'again.parquet')!r}], "
        "standalone_mode=False)\nprint('found:', found)"
    )
    assert "found: []" in _run(made.folder, code=AUDITED + scoring).splitlines()
    exploring = f"""
import os
import re
os.environ |= {{"HEADWAY_TABLES": "data/tables", "HEADWAY_RUNS": "mlruns", "HEADWAY_REGISTERS": "data/registers"}}
from streamlit.testing.v1 import AppTest
page = AppTest.from_file({str(ROOT / "app.py")!r}, default_timeout=60).run()
assert not page.exception, page.exception
print('found:', found)
"""
    assert "found: []" in _run(made.folder, code=AUDITED + exploring).splitlines()


def test_neither_mlflow_nor_streamlit_tells_anybody_that_it_is_used():
    asked = (
        "import headway.models.registry, os\nfrom mlflow.telemetry.utils import is_telemetry_disabled\n"
        "print(is_telemetry_disabled(), os.environ['MLFLOW_ALLOW_PICKLE_DESERIALIZATION'])\n"
        "from streamlit import config\nprint(config.get_option('browser.gatherUsageStats'), "
        "config.get_option('server.address'))"
    )
    quiet = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MLFLOW", "DO_NOT", "STREAMLIT"))
    }
    told = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=quiet,
        timeout=120,
    )
    assert told.stdout.split() == ["True", "false", "False", "127.0.0.1"]


@pytest.mark.parametrize(
    "tracking",
    [
        "postgresql://amira:hunter2@127.0.0.1:9/runs",
        "http://amira:hunter2@127.0.0.1:9",
        "http://amira:hunter2@x@127.0.0.1:9",
    ],
)
def test_the_password_of_a_tracking_store_is_said_nowhere(tracking, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RegistryError, match="could not be read or written") as error:
        Registry.at(tracking, tmp_path / "mlruns").check()
    said = "".join(capfd.readouterr()) + str(error.value)
    assert "amira" in said and "hunter2" not in said
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


def test_an_upload_is_bounded_where_it_is_taken_and_where_it_is_read():
    page = (ROOT / "explorer" / "your_data.py").read_text("utf-8")
    assert page.count("file_uploader(") == page.count("max_upload_size=MEGABYTES") == 1
    others = [path for path in (ROOT / "explorer").glob("*.py") if path.name != "your_data.py"]
    assert not [path.name for path in others if "file_uploader(" in path.read_text("utf-8")]
    checked = registers.check(b"x" * (registers.MOST_BYTES + 1), "mine.csv", None, pd.Timestamp(2025, 1, 1))
    assert checked.rows is None and "more than 20,000,000 bytes" in str(checked.problems[0])


def test_every_test_the_security_page_names_is_there():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text("utf-8")))
    there = {
        name
        for path in (ROOT / "tests").glob("*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.M)
    }
    assert named and named - there == set()
