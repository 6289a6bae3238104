import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import lightgbm
import made
import numpy as np
import pandas as pd
import pytest
import scipy
import sklearn

from headway.models.champion import Champion
from headway.models.estimators import Departures
from headway.models.registry import Registry
from headway.pipelines import provenance, signals, tables, train
from headway.pipelines.experiments import Experiment
from headway.pipelines.tables import DataError

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def champion() -> Champion:
    return made.champion(1000)


# --- the model's version ------------------------------------------------------------------------------------


def test_the_same_model_has_the_same_version_and_another_has_another(champion):
    version = train._fingerprint(champion)
    assert version == train._fingerprint(made.champion(1000)) and len(version) == 12
    other = Departures(learners=("ridge",)).fit(**made.rows(1000))
    assert version != train._fingerprint(
        Champion(other, champion.leadership, champion.sets, champion.intervals, champion.about)
    )


# --- the report ---------------------------------------------------------------------------------------------


def test_a_figure_that_is_no_number_is_null_in_the_report():
    told = {"a": np.float64("nan"), "b": [np.int64(3), float("inf")], 4: (np.bool_(True), None, "text")}
    assert tables.plain(told) == {"a": None, "b": [3, None], "4": [True, None, "text"]}
    json.dumps(tables.plain(told), allow_nan=False)


# --- what a model was made from -----------------------------------------------------------------------------


def _code_of(folder: Path, **environment: str) -> dict:
    """What a training says of the code in a folder."""
    words = (
        "import json; from headway.pipelines import provenance; print(json.dumps([provenance.__file__, "
        "provenance.commit(), provenance.code()]))"
    )
    ended = subprocess.run(
        [sys.executable, "-P", "-c", words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(folder), **environment},
    )
    file, said, code = json.loads(ended.stdout)
    assert Path(file).is_relative_to(folder)
    return {**said, "code": code}


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def project(tmp_path) -> Path:
    """Somebody else's repository, of one commit, with our code put into it and not tracked, as an installed
    package is.
    """
    folder = tmp_path / "project"
    (folder / "lib").mkdir(parents=True)
    (folder / "theirs.txt").write_text("theirs")
    _git(folder, "init", "-q")
    _git(folder, "add", "theirs.txt")
    _git(folder, "commit", "-qm", "Theirs")
    shutil.copytree(
        ROOT / "headway", folder / "lib" / "headway", ignore=shutil.ignore_patterns("__pycache__")
    )
    for room in ("pipelines", "models"):
        shutil.copytree(
            ROOT / room, folder / "lib" / "headway" / room, ignore=shutil.ignore_patterns("__pycache__")
        )
    return folder


def test_code_inside_another_repository_is_named_by_version_and_content_never_by_that_ones_commit(project):
    said = _code_of(project / "lib")
    assert _git(project, "rev-parse", "HEAD") not in said["commit"]
    assert (
        said["commit"].startswith("headway ")
        and said["commit"].endswith(f"+{said['code'][:12]}")
        and said["dirty"] is False
    )
    with (project / "lib" / "headway" / "models" / "baselines.py").open("a") as file:
        file.write("\n\n# A comment changes nothing that is done.\n")
    assert _code_of(project / "lib")["code"] == said["code"]
    (project / "lib" / "headway" / "models" / "baselines.py").write_text("# changed")
    assert _code_of(project / "lib")["commit"] != said["commit"]


def test_code_that_is_tracked_is_named_by_its_commit_and_whether_it_was_changed_since(project):
    _git(project, "add", ".")
    _git(project, "commit", "-qm", "Ours")
    ours = _git(project, "rev-parse", "HEAD")
    said = _code_of(project / "lib")
    assert (said["commit"], said["dirty"]) == (ours, False)
    (project / "lib" / "headway" / "models" / "baselines.py").write_text("# changed")
    assert _code_of(project / "lib")["dirty"] is True
    elsewhere = {
        "GIT_DIR": str(ROOT / ".git"),
        "GIT_WORK_TREE": str(ROOT),
    }  # as in a hook of another repository
    assert _code_of(project / "lib", **elsewhere)["commit"] == ours


def test_without_git_a_training_says_version_and_content(project, tmp_path):
    said = _code_of(project / "lib", PATH=str(tmp_path / "nothing"))
    assert said["commit"].startswith("headway ") and said["dirty"] is False


def test_what_a_model_is_made_from_names_the_libraries_that_fit_it(small):
    assert provenance.made_from(small / "tables", None, Experiment())["libraries"] == {
        "lightgbm": lightgbm.__version__,
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "scikit-learn": sklearn.__version__,
        "scipy": scipy.__version__,
    }


# --- too little to learn from -------------------------------------------------------------------------------

SCHOOLS = """
    urn    | lineage | phase   | type             | region | first_listed_on | last_listed_on
    100001 | 100001  | Primary | Community School | London | 2013-01-01      | 2016-12-31
    100002 | 100002  | Primary | Community School | London | 2013-01-01      | 2016-12-31
"""
VISITS = """
    urn    | kind   | inspected_on | known_on   | overall | leadership | overall_source | framework
    100001 | graded | 2013-03-05   | 2013-04-30 | 3       | 2          | published      | old
    100001 | graded | 2015-03-05   | 2015-04-30 | 2       | 2          | published      | old
    100002 | graded | 2013-03-05   | 2013-04-30 | 2       | 2          | published      | old
"""


@pytest.fixture
def small(drawn, known, tmp_path):
    """Tables of two schools."""
    whole = {"framework": "str", "overall_source": "str"}
    held = known(
        schools=drawn(SCHOOLS),
        inspections=drawn(VISITS).assign(lineage=lambda rows: rows["urn"]).astype(whole),
        coverage=drawn("from_on | to_on\n2013-01-01 | 2016-12-31"),
    )
    about = {"data_source": "made-up", "newest_file_on": "2016-12-31", "inputs": "abc"}
    tables.write(
        tmp_path / "tables", {name: rows for name, rows in held.items() if name in tables.TABLES}, about=about
    )
    return tmp_path


def test_examples_have_a_row_for_every_school_on_every_morning_with_a_label_or_a_reason(small):
    known, *_ = signals.read_known(small / "tables")
    rows = train.examples(known)
    assert rows.groupby("as_of")["urn"].agg(list).tolist() == [[100001, 100002]] * 5
    assert (rows["label"].notna() ^ rows["label_missing_reason"].notna()).all()
    improved = rows[rows["label"].eq("improved")]
    assert improved["urn"].unique().tolist() == [100001] and improved["as_of"].dt.year.tolist() == [
        2013,
        2014,
    ]


def test_too_few_outcomes_are_refused_before_anything_is_written_or_registered(small):
    with pytest.raises(DataError, match=r"(?s)enough outcomes to learn from.*all-inspections files"):
        train.train(small / "tables", Registry.at(None, small / "mlruns"), say=lambda line: None)
    assert not (small / "mlruns").exists()
    assert not (small / "tables" / "examples.parquet").exists()


# --- killed -------------------------------------------------------------------------------------------------

FOLDS = """
import os
import time
import numpy as np
from joblib import Parallel, delayed
from headway.pipelines import train

def work(rows):
    os.write(1, b"working\\n")  # print would write the line and its end apart
    time.sleep(300)

with train.nothing_left_behind():
    Parallel(n_jobs=2)(delayed(work)(np.zeros(300_000)) for _ in range(2))
"""


def test_the_processes_of_the_folds_end_with_a_training_that_is_killed(tmp_path):
    (tmp_path / "folds.py").write_text(FOLDS)
    running = subprocess.Popen(
        [sys.executable, "folds.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert [running.stdout.readline() for _ in range(2)] == ["working\n"] * 2
    assert not list(Path("/dev/shm").glob(f"joblib_memmapping_folder_{running.pid}_*/*"))
    running.kill()
    running.communicate(timeout=60)  # which ends when no process is left that could write to us
