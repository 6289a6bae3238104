import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import typer
from filelock import FileLock

from headway.pipelines import tables
from headway.pipelines.__main__ import app, main, runs_of

ROOT = Path(__file__).parents[1]
COMMANDS = sorted(typer.main.get_command(app).commands)


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in a folder of its own; returns its exit code and what it said."""
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["headway", *words])
        with pytest.raises(SystemExit, match="^[02]$") as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return command


def _started(folder: Path, *words: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "headway", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _words(words: str | tuple[str, ...]) -> str:
    return words if isinstance(words, str) else " ".join(words)


# --- help ---------------------------------------------------------------------------------------------------


def test_the_commands_of_the_main_job_are_there():
    assert {"demo", "synthesise", "ingest", "train", "evidence", "score", "explore"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(run, name):
    code, out, _ = run(name, "--help")
    assert code == 0
    assert f"Example: headway {name}" in " ".join(out.split())


def test_without_a_command_it_lists_them(run):
    _, out, err = run()
    assert all(name in out + err for name in COMMANDS)


@pytest.mark.parametrize(
    "words, code",
    [
        (("--help",), 0),
        (("score", "--help"), 0),
        (("register", "add", "--help"), 0),
        ((), 2),
        (("retrain",), 2),
        (("train", "--seed", "x"), 2),
    ],
    ids=lambda value: _words(value) if isinstance(value, tuple) else f"{value}",
)
def test_help_and_mistakes_of_arguments_load_no_library_of_tables_or_models(tmp_path, words, code):
    """Which take several times as long as everything else that is done to say so."""
    script = (
        "import atexit, sys\nfrom headway.pipelines.__main__ import main\n"
        "heavy = {'pandas', 'numpy', 'pyarrow', 'scipy', 'sklearn', 'mlflow', 'requests', 'rich'}\n"
        "atexit.register(lambda: print('loaded:', sorted(heavy & sys.modules.keys())))\nmain()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == code and ended.stdout.splitlines()[-1] == "loaded: []"


# --- mistakes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words, said",
    [
        (("synthesise", "--out", "raw", "--effect", "huge"), "huge"),
        (("synthesise", "--out", "raw", "--schools", "3"), "--schools"),
        (("synthesise",), "--out"),
        (("train", "--promote", "perhaps"), "perhaps"),
        (("train", "--seed", "x"), "--seed"),
        (("score", "--asof", "2025-09-01"), "--asof"),
        (("retrain",), "retrain"),
    ],
    ids=_words,
)
def test_arguments_it_does_not_know_end_in_2_and_are_named(run, words, said, tmp_path):
    code, out, err = run(*words)
    assert code == 2 and out == ""
    assert said in err and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words, said",
    [
        (("ingest",), "data/raw"),
        (("train",), "headway ingest"),
        (("evidence",), "headway train"),
        (("power",), "headway ingest"),
        (("worth",), "headway ingest"),
        (("study",), "headway train"),
        (("export",), "headway ingest"),
        (("score",), "headway train"),
        (("train", "--as-of", "2025-13-01"), "2025-09-01"),
        (("score", "--as-of", "yesterday"), "yesterday is not a day"),
        (("score", "--as-of", "2025-09-01"), "no champion"),
    ],
    ids=_words,
)
def test_the_user_s_data_end_in_2_with_one_message_that_says_what_to_do(run, words, said, tmp_path):
    code, out, err = run(*words)
    assert code == 2 and out == ""
    assert err.startswith("headway: ") and said in err and err.count("headway: ") == 1
    assert "Traceback" not in err
    assert list(tmp_path.rglob("*.parquet")) == []


def test_a_file_that_cannot_be_read_ends_in_2_and_leaves_no_tables(run, tmp_path):
    raw = tmp_path / "data" / "raw" / "ofsted"
    raw.mkdir(parents=True)
    (raw / "notes.csv").write_text("colour,shape\nred,round\n")
    code, _, err = run("ingest")
    assert code == 2 and "notes.csv" in err and "Traceback" not in err
    assert not (tmp_path / "data" / "tables").exists()


def test_real_files_stay_when_made_up_ones_are_asked_for_in_their_place(run, tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "real.csv").write_text("URN\n100000\n")
    code, _, err = run("synthesise", "--out", "raw", "--schools", "20")
    assert code == 2 and "real.csv" in err
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["real.csv"]


# --- what is said where nobody watches ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def england(world: Callable[[str], Path]) -> Path:
    """A folder with a few made-up files under raw and other, and the tables of each under tables and
    other_tables.
    """
    return world("few")


def test_output_that_is_no_terminal_gets_lines_and_no_codes_of_a_progress_bar(england, tmp_path):
    for words in (
        ("synthesise", "--out", "raw", "--schools", "20"),
        ("ingest", "--raw", str(england / "raw"), "--tables", "tables"),
    ):
        told = _started(tmp_path, *words)
        out, err = told.communicate(timeout=300)
        assert told.returncode == 0 and err == ""
        assert out.endswith("\n") and "\x1b" not in out and "\r" not in out
    assert (tmp_path / "tables" / "inspections.parquet").is_file()


@pytest.mark.parametrize("name", ["inspections", "absence", "census", "schools"])
def test_a_command_that_meets_a_broken_table_names_the_file_and_ends_in_2(england, tmp_path, run, name):
    shutil.copytree(england / "tables", tmp_path / "tables")
    path = tmp_path / "tables" / f"{name}.parquet"
    content, urns = bytearray(path.read_bytes()), pq.read_metadata(path).row_group(0).column(0)
    content[urns.data_page_offset + 100] ^= 4
    path.write_bytes(content)
    code, _, err = run("train", "--tables", "tables", "--no-whole", "--promote", "never")
    assert (
        code == 2
        and f"tables/{name}.parquet can't be read" in err
        and "The file is broken" in err
        and "Traceback" not in err
    )


# --- two at once --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lock, words",
    [
        ("data/raw/.fetch.lock", ("fetch", "--base", "http://127.0.0.1:9")),
        ("data/tables/.month.lock", ("month", "--no-fetch")),
        ("data/raw/.fetch.lock", ("month",)),
        ("data/tables/.lock", ("ingest", "--raw", "{england}/raw")),
    ],
    ids=_words,
)
def test_a_command_that_finds_another_at_work_ends_in_75_and_says_to_wait(england, tmp_path, lock, words):
    (tmp_path / lock).parent.mkdir(parents=True)
    shorter = (
        "import sys; from headway.pipelines import tables; tables.LONGEST_WAIT = 0.2; from "
        "headway.pipelines.__main__ import main; main()"
    )
    with FileLock(tmp_path / lock):
        ended = subprocess.run(
            [sys.executable, "-c", shorter, *(word.format(england=england) for word in words)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert ended.returncode == 75, ended.stderr
    assert re.search(r"^headway: Another .*\nWait for it, or try again\.$", ended.stderr, re.MULTILINE)


def test_the_documentation_and_the_help_give_one_line_of_cron_for_the_month(run):
    (line,) = re.findall(
        r"^0 .*headway month.*$", (ROOT / "docs" / "how-to" / "month.md").read_text("utf-8"), re.MULTILINE
    )
    _, out, _ = run("month", "--help")
    assert " ".join(line.split()) in " ".join(out.split())


# --- killed -------------------------------------------------------------------------------------------------


def _whole(folder: Path) -> dict[str, bytes]:
    """The tables of a folder, each read and held to its declaration."""
    found = {}
    for path in sorted(folder.glob("*.parquet")):
        tables.conform(tables.read(folder, path.stem), path.stem)
        found[path.stem] = path.read_bytes()
    return found


@pytest.mark.slow
def test_ingest_killed_at_any_moment_leaves_every_table_readable_the_old_or_the_new(england, tmp_path):
    old, new, chance = _whole(england / "tables"), _whole(england / "other_tables"), random.Random(3)
    held = tmp_path / "tables"
    for name, content in old.items():
        held.mkdir(exist_ok=True)
        (held / f"{name}.parquet").write_bytes(content)
    words = ("ingest", "--raw", str(england / "other"), "--tables", str(held))
    for when in ("any moment", "writing", "writing"):
        running, until = _started(tmp_path, *words), time.monotonic() + chance.uniform(0.5, 4)
        while running.poll() is None:
            if (time.monotonic() > until) if when == "any moment" else any(held.glob(".*.parquet.*")):
                running.send_signal(signal.SIGKILL)
                break
            time.sleep(0.001)
        running.communicate(timeout=60)
        for path in (path for path in held.glob(".*") if path.is_file()):
            path.unlink()  # half a table under a name that nothing reads
        now = _whole(held)
        assert now.keys() == old.keys()
        assert all(content in (old[name], new[name]) for name, content in now.items())
    ended = _started(tmp_path, *words)
    ended.communicate(timeout=300)
    assert ended.returncode == 0 and _whole(held) == new


# --- a terminal that can't show everything ------------------------------------------------------------------


@pytest.mark.parametrize(("encoding", "name"), [("ascii", "école"), ("latin-1", "学校"), ("utf-8", "\udcff")])
def test_no_command_fails_for_what_the_terminal_can_not_show(tmp_path, encoding, name):
    """Whatever the locale, and a folder whose name isn't text: what can't be shown is written as its code."""
    (tmp_path / name).mkdir()
    known = {key: value for key, value in os.environ.items() if key not in ("LANG", "LC_ALL", "LC_CTYPE")}
    for words in (
        ["synthesise", "--out", f"{name}/raw", "--schools", "20"],
        ["register", "list", "--registers", f"{name}/own"],
        ["synthesise", "--help"],
    ):
        ended = subprocess.run(
            [sys.executable, "-m", "headway", *words],
            cwd=tmp_path,
            capture_output=True,
            timeout=120,
            env={**known, "LANG": "C", "PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)},
        )
        assert ended.returncode == 0, ended.stderr.decode(errors="replace")[-2000:]
        assert "--help" in words or name.encode(encoding, "backslashreplace") in ended.stdout


def test_a_folder_whose_name_is_no_text_is_refused_in_words(tmp_path):
    """MLflow's database can't be opened there."""
    place = tmp_path / "\udcff"
    place.mkdir()
    ended = subprocess.run(
        [sys.executable, "-m", "headway", "rollback"],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert "\\udcff" in ended.stderr and "PYTHONUTF8=1" in ended.stderr


def test_a_training_that_can_not_write_where_it_is_says_so_before_its_folds(tmp_path):
    """A system set to know ASCII names only; Python takes UTF-8 for the locale C unless it is told not to."""
    (tmp_path / "école").mkdir()
    narrow = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C", "PYTHONPATH": str(ROOT)}
    words = (
        "from pathlib import Path; from headway.models.registry import Registry; Registry.at(None, "
        "Path('mlruns')).check()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", words],
        cwd=tmp_path / "école",
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **narrow},
    )
    assert ended.returncode == 1 and ended.stderr.splitlines()[-1].startswith("UnicodeEncodeError")
    assert not list((tmp_path / "école").iterdir())


def test_the_explorer_keeps_the_champion_that_made_the_tables_it_is_given(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, version in ((here, "aaa"), (there, "bbb")):
        (folder / "mlruns" / "champion").mkdir(parents=True)
        (folder / "mlruns" / "champion" / "about.json").write_text(f'{{"version": "{version}"}}')
    monkeypatch.chdir(here)
    assert runs_of(there / "tables") == Path("mlruns")  # no predictions there
    for version, runs in (("bbb", there / "mlruns"), ("aaa", Path("mlruns")), ("ccc", Path("mlruns"))):
        rows = pd.DataFrame(
            {"urn": [1], "lineage": [1], "as_of": [pd.Timestamp("2025-01-01")], "model_version": [version]}
        )
        tables.write(there / "tables", {"predictions": rows}, about={})
        assert runs_of(there / "tables") == runs
