import contextlib
import http.server
import json
import os
import pickletools
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import made
import numpy as np
import pandas as pd
import pytest

from headway.models import AlteredError
from headway.models.champion import MANIFEST, Champion
from headway.models.registry import EXPERIMENT, MODEL, NAME, Registry, RegistryError, Sent

mlflow = pytest.importorskip("mlflow")
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def champion() -> Champion:
    return made.champion()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MLflow drops a database wherever it is started from, if it is let."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def _example() -> pd.DataFrame:
    """Rows as the served model takes them, every number a double; one with blanks."""
    given = made.rows(200)
    signals = given["signals"].head(30).assign(overall=given["state"]["overall"].astype("float64"))
    return signals.assign(
        cell=given["state"]["cell"].astype(object), group=given["state"]["group"].astype(object)
    )


def _named(champion: Champion, version: str) -> Champion:
    """The same model under another version of its own, with a backtest of one row."""
    about = {**champion.about, "version": version}
    backtest = pd.DataFrame({"fold": [pd.Timestamp("2020-09-01")], "urn": [100001], "p_improve": [0.5]})
    return Champion(champion.overall, champion.leadership, champion.sets, champion.intervals, about, backtest)


def _kept(registry: Registry, champion: Champion, promote: bool = True, over: str | None = None) -> Path:
    """A run written whole, to be promoted or not, over the champion of that version."""
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([0, 1])
    return registry.keep(
        champion,
        params={"seed": 0, "families": "x" * 9000},
        metrics={"skill": 0.1, "blank": float("nan")},
        tags={"commit": "abc"},
        tables={"train": {"rows": 3}},
        figures={"calibration": figure},
        texts={"note.txt": "said"},
        example=_example(),
        datasets={"examples": (_example()[made.SIGNALS], "f" * 64)},
        promotion={"promote": promote, "over": over, "why": "beats the rules", "figures": {"gain": 0.1}},
    )


def _alias(registry: Registry, name: str = "champion") -> str | None:
    return registry._version_of(registry.client(), name)


def _all_versions(registry: Registry) -> list[str]:
    found = registry.client().search_model_versions(f"name = '{MODEL}'")
    return sorted((str(version.version) for version in found), key=int)


def _statuses(registry: Registry) -> list[str]:
    """The states of all runs that are not deleted."""
    client = registry.client()
    here = client.get_experiment_by_name(EXPERIMENT).experiment_id
    return sorted(run.info.status for run in client.search_runs([here]))


@pytest.fixture(scope="module")
def stored(champion: Champion, tmp_path_factory: pytest.TempPathFactory) -> tuple[Registry, Sent]:
    """A store with one run, whose model is the champion."""
    registry = Registry.at(None, tmp_path_factory.mktemp("kept") / "mlruns")
    return registry, registry.send(_kept(registry, _named(champion, "one")))


@pytest.fixture
def kept(stored: tuple[Registry, Sent]) -> tuple[Registry, Sent]:
    """The same store, as the one that MLflow now asks: it keeps one address for the whole process."""
    stored[0].client()
    return stored


@pytest.fixture
def copied(stored: tuple[Registry, Sent], tmp_path: Path) -> Registry:
    """A copy of that store to change: MLflow writes full paths into its database, so they are turned to the
    copy.
    """
    shutil.copytree(stored[0].root, tmp_path / "mlruns")
    registry = Registry.at(None, tmp_path / "mlruns")
    with contextlib.closing(sqlite3.connect(registry.root / "mlflow.db")) as database, database:
        for table, column in (
            ("experiments", "artifact_location"),
            ("runs", "artifact_uri"),
            ("logged_models", "artifact_location"),
            ("model_versions", "storage_location"),
        ):
            database.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, ?)",
                (str(stored[0].root), str(registry.root)),
            )
    return registry


def _same_numbers(champion: Champion, uri: str) -> None:
    served = mlflow.pyfunc.load_model(uri).predict(_example())
    plain = champion.predict(_example(), _example().astype({"overall": "int64"}))
    pd.testing.assert_frame_equal(served, plain, check_exact=True)


# --- a run and its model ------------------------------------------------------------------------------------


def test_the_champion_from_mlflow_gives_the_same_numbers_as_the_plain_files(kept, champion):
    registry, sent = kept
    assert sent.promoted and _alias(registry) == sent.version == "1"
    _same_numbers(champion, f"models:/{MODEL}@champion")
    assert Champion.load(registry.champion_folder).as_files() == _named(champion, "one").as_files()
    assert registry.backtest().equals(_named(champion, "one").backtest)


def test_signature_and_input_example_survive_every_number_a_double(kept):
    info = mlflow.models.get_model_info(f"models:/{MODEL}@champion")
    types = {column.name: column.type.name for column in info.signature.inputs}
    assert types == {
        **dict.fromkeys([*made.SIGNALS, "overall"], "double"),
        "cell": "string",
        "group": "string",
    }
    assert "p_improve" in info.signature.outputs.input_names()
    loaded = mlflow.pyfunc.load_model(f"models:/{MODEL}@champion")
    assert len(loaded.predict(loaded.input_example)) == 3


def test_every_input_is_required_and_may_be_blank(kept, champion):
    assert all(
        column.required
        for column in mlflow.models.get_model_info(f"models:/{MODEL}@champion").signature.inputs
    )
    loaded = mlflow.pyfunc.load_model(f"models:/{MODEL}@champion")
    for name in [*made.SIGNALS, "overall", "cell", "group"]:
        with pytest.raises(mlflow.MlflowException, match=f"missing inputs.*{name}"):
            loaded.predict(_example().drop(columns=name))
    blank = _example().head(3).assign(**dict.fromkeys(made.SIGNALS, None), group=None)
    plain = champion.predict(
        blank.astype(dict.fromkeys(made.SIGNALS, "float64")), blank.astype({"overall": "int64"})
    )
    pd.testing.assert_frame_equal(loaded.predict(blank), plain, check_exact=True)


def test_what_serving_needs_is_pinned_to_the_versions_that_fitted_the_model(copied, champion):
    # on a machine of other versions
    fitted = {**champion.about["libraries"], "lightgbm": "4.7.0.1", "numpy": "2.3.9"}
    sent = copied.send(
        _kept(
            copied,
            _named(
                Champion(
                    champion.overall,
                    champion.leadership,
                    champion.sets,
                    champion.intervals,
                    {**champion.about, "libraries": fitted},
                ),
                "two",
            ),
            over="one",
        )
    )
    folder = Path(mlflow.artifacts.download_artifacts(f"models:/{MODEL}/{sent.version}"))
    pinned = dict(line.split("==") for line in (folder / "requirements.txt").read_text().splitlines())
    assert pinned == {
        "mlflow": mlflow.__version__,
        **{name: fitted[name] for name in ("lightgbm", "numpy", "pandas", "scipy")},
    }


def test_the_registered_model_and_its_version_say_what_they_answer_and_take(kept):
    registry, sent = kept
    client = registry.client()
    assert "chance" in client.get_registered_model(MODEL).description
    said = client.get_model_version(MODEL, sent.version).description
    assert (
        "Model one" in said
        and "made-up" in said
        and f"{len(made.SIGNALS)} signals" in said
        and "blank" in said
    )


def test_whole_numbers_from_a_csv_are_taken_for_doubles_at_the_edge(kept):
    """MLflow refuses a column of integers where a double is declared, so callers cast: the cast alone has to
    do.
    """
    rows = _example().assign(constant=7, decoy=[*range(30)])
    with pytest.raises(mlflow.MlflowException, match="int64"):
        mlflow.pyfunc.load_model(f"models:/{MODEL}@champion").predict(rows)
    numbers = dict.fromkeys([*made.SIGNALS, "overall"], "float64")
    assert (
        mlflow.pyfunc.load_model(f"models:/{MODEL}@champion")
        .predict(rows.astype(numbers))["p_same"]
        .notna()
        .all()
    )


def _is_pickle(held: bytes) -> bool:
    """Whether the bytes read to their end as pickle's own instructions; protocols 2 and up say so in their
    first byte.
    """
    try:
        *_, (_, _, end) = pickletools.genops(held)
    except (ValueError, IndexError):
        return held[:1] == b"\x80"
    return end >= len(held.rstrip()) - 1


def test_the_reader_of_pickles_can_tell_them():
    import pickle

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert _is_pickle(pickle.dumps({"a": [1, "b"]}, protocol))
    assert not _is_pickle(b'{"a": 1}') and not _is_pickle(b"tree\nversion=v4\n")


def test_nothing_in_the_kept_model_is_a_pickle(kept):
    registry, _ = kept
    paths = [path for path in (registry.root / "artifacts").rglob("*") if path.is_file()]
    assert {"booster.txt", "candidate.json", "about.json", "served.py", "backtest.parquet"} <= {
        path.name for path in paths
    }
    for path in paths:
        held = path.read_bytes()
        assert not _is_pickle(held), path
        # text, or these two
        assert held[:4] in (b"PAR1", b"\x89PNG") or held.decode("utf-8") is not None, path


def test_all_of_it_lies_under_mlruns_and_nothing_where_one_stands(copied, champion, elsewhere, tmp_path):
    copied.send(_kept(copied, champion, promote=False))
    there = {"mlflow.db", "artifacts", "champion", "promotions.jsonl", "lock"}
    assert {path.name for path in copied.root.iterdir()} == there
    assert {path.name for path in tmp_path.iterdir()} == {"cwd", "mlruns"} and list(elsewhere.iterdir()) == []


def test_a_run_keeps_parameters_figures_tables_backtest_and_the_hash_of_what_it_learned_from(kept):
    registry, sent = kept
    told = registry.client().get_run(sent.run)
    assert told.data.params["seed"] == "0" and told.data.metrics == {"skill": 0.1}
    assert told.inputs.dataset_inputs[0].dataset.digest == "f" * 36
    assert {tag.key: tag.value for tag in told.inputs.dataset_inputs[0].tags}["sha256"] == "f" * 64
    paths = {file.path for file in registry.client().list_artifacts(sent.run)}
    assert {"plots", "train.json", "note.txt", "backtest.parquet"} <= paths


def test_an_earlier_run_takes_more_artifacts(kept):
    registry, sent = kept
    with registry.same_run(sent.run) as opened:
        opened.log_text("found", "evidence.txt")
    assert "evidence.txt" in {file.path for file in registry.client().list_artifacts(sent.run)}


# --- promotion, its log, and the way back -------------------------------------------------------------------


def test_a_second_version_takes_the_place_only_when_it_is_to_and_over_the_champion_it_was_compared_with(
    copied, champion
):
    challenger = copied.send(_kept(copied, _named(champion, "two"), promote=False, over="one"))
    late = copied.send(_kept(copied, _named(champion, "three"), over="another"))
    assert (challenger.promoted, late.promoted) == (False, False)
    assert _alias(copied) == "1" and _alias(copied, "challenger") == late.version == "3"
    assert copied.reigning()["version"] == "one"
    assert copied.send(_kept(copied, _named(champion, "four"), over="one")).promoted
    assert _alias(copied) == "4" and copied.reigning()["version"] == "four"


def test_every_promotion_is_in_the_log_of_this_folder_and_in_the_registry_s(copied, champion):
    sent = copied.send(_kept(copied, _named(champion, "two"), over="one"))
    first, second = copied.promotions()
    assert (first["from"], first["to"], second["from"], second["to"]) == (None, "1", "1", "2")
    assert (
        second["why"] == "beats the rules"
        and second["figures"] == {"gain": 0.1}
        and second["run"] == sent.run
    )
    assert second["who"] and second["when"] > first["when"] and second["model_version"] == "two"
    assert copied._log(copied.client()) == [first, second]


def test_rollback_brings_back_alias_and_plain_files_of_the_champion_before_and_so_on_back(copied, champion):
    for version, over in (("two", "one"), ("three", "two")):
        copied.send(_kept(copied, _named(champion, version), over=over))
    assert copied.rollback(why="looked wrong")["to"] == "2"
    assert _alias(copied) == "2" and copied.reigning()["version"] == "two" and copied.backtest() is not None
    assert Champion.load(copied.champion_folder).as_files() == _named(champion, "two").as_files()
    assert copied.rollback()["to"] == "1" and copied.reigning()["version"] == "one"
    with pytest.raises(RegistryError, match=r"(?s)No champion before version 1.*--to"):
        copied.rollback()
    assert copied.rollback("3")["from"] == "1" and copied.reigning()["version"] == "three"
    told = [(entry["what"], entry["from"], entry["to"], entry["why"]) for entry in copied.promotions()[3:]]
    assert told == [
        ("rollback", "3", "2", "looked wrong"),
        ("rollback", "2", "1", ""),
        ("rollback", "1", "3", ""),
    ]


def test_a_version_that_is_not_there_is_refused_with_those_that_are(copied):
    with pytest.raises(RegistryError, match="(?s)no version 9.*versions are: 1"):
        copied.rollback("9")
    assert copied.reigning()["version"] == "one" and len(copied.promotions()) == 1


def test_a_log_cut_short_by_a_full_disk_still_reads(copied):
    with (copied.root / "promotions.jsonl").open("a") as log:
        log.write('{"when": "20')
    assert [entry["to"] for entry in copied.promotions()] == ["1"]


def test_the_commands_say_what_they_did_and_what_there_is(copied, champion, tmp_path, monkeypatch, capsys):
    from headway.pipelines.__main__ import app

    monkeypatch.chdir(tmp_path)
    folder = _kept(copied, _named(champion, "two"), over="one")
    for words in (["send"], ["send"], ["rollback", "--why", "looked wrong"], ["promotions"]):
        app(words, standalone_mode=False)
    said = capsys.readouterr().out
    assert f"sent: {folder.name} as version 2, now champion\nnothing waits in mlruns/unsent\n" in said
    assert "champion: version 1 (model one), after version 2" in said
    lines = [line.split(" ", 2)[2] for line in said.splitlines()[-3:]]
    assert [line.split(" by ")[0] for line in lines] == ["promotion", "promotion", "rollback"]
    assert "from version none to 1 (model one): beats the rules" in lines[0]
    assert "from version 2 to 1 (model one): looked wrong" in lines[2]


def test_where_there_is_no_champion_there_is_no_way_back(tmp_path):
    with pytest.raises(RegistryError, match="(?s)no champion to go back from.*headway train"):
        Registry.at(None, tmp_path / "mlruns").rollback()


# --- as it was promoted -------------------------------------------------------------------------------------


def test_the_champion_s_manifest_says_which_model_of_which_run_it_is_and_what_fitted_it(copied, champion):
    sent = copied.send(_kept(copied, _named(champion, "two"), over="one"))
    told = json.loads((copied.champion_folder / MANIFEST).read_text())
    assert (told["model_version"], told["run"], told["registered_version"]) == ("two", sent.run, "2")
    assert (
        told["libraries"] == champion.about["libraries"]
        and told["promoted_at"] == copied.promotions()[-1]["when"]
    )
    assert set(told["files"]) == {*champion.as_files(), "backtest.parquet"}


def test_a_champion_changed_by_hand_is_no_champion_to_compare_with_and_is_brought_back_by_a_rollback_to_it(
    copied, champion
):
    booster = copied.champion_folder / "overall" / "booster.txt"
    before = booster.read_bytes()
    booster.write_bytes(before.replace(b"leaf_value=", b"leaf_value=9", 1))
    for ask in (
        copied.reigning,
        copied.backtest,
        lambda: copied.send(_kept(copied, _named(champion, "two"), over="one")),
    ):
        with pytest.raises(AlteredError, match="(?s)changed: overall/booster.txt.*headway rollback --to"):
            ask()
    assert _alias(copied) == "1"
    copied.rollback("1")
    assert booster.read_bytes() == before and copied.reigning()["version"] == "one"


def test_a_model_changed_in_the_store_is_neither_served_nor_rolled_back_to(copied, champion):
    (booster,) = (copied.root / "artifacts").rglob("files/overall/booster.txt")
    booster.write_bytes(booster.read_bytes().replace(b"leaf_value=", b"leaf_value=9", 1))
    copied.client()
    with pytest.raises(AlteredError, match="changed: overall/booster.txt"):
        copied.rollback("1")
    with pytest.raises(Exception, match="changed: overall/booster.txt"):
        mlflow.pyfunc.load_model(f"models:/{MODEL}@champion")


def test_a_version_of_before_there_were_manifests_can_be_rolled_back_to_and_has_one_then(copied):
    (manifest,) = (copied.root / "artifacts").rglob(f"files/{MANIFEST}")
    manifest.unlink()
    (copied.champion_folder / MANIFEST).unlink()
    with pytest.raises(AlteredError, match="(?s)no manifest.json.*headway rollback --to"):
        Champion.load(copied.champion_folder)
    copied.rollback("1")
    assert Champion.load(copied.champion_folder).about["version"] == "one"


# --- never half registered ----------------------------------------------------------------------------------


def _statement(registry: Registry, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(registry.root / "mlflow.db")) as database, database:
        database.execute(sql)


@pytest.mark.parametrize(
    "table", ["model_versions", "registered_model_aliases", "registered_model_tags", "inputs", "metrics"]
)
def test_a_store_that_fails_at_any_step_keeps_neither_version_nor_alias_and_takes_the_run_later(
    copied, champion, table
):
    how = "INSERT" if table != "registered_model_aliases" else "UPDATE"
    _statement(
        copied, f"CREATE TRIGGER full BEFORE {how} ON {table} BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    )
    folder = _kept(copied, _named(champion, "two"), over="one")
    with pytest.raises(RegistryError, match="(?s)could not be read or written.*headway send"):
        copied.send(folder)
    _statement(copied, "DROP TRIGGER full")
    assert _all_versions(copied) == ["1"] and _alias(copied) == "1" and _statuses(copied) == ["FINISHED"]
    assert (
        copied.reigning()["version"] == "one"
        and len(copied.promotions()) == len(copied._log(copied.client())) == 1
    )
    assert copied.unsent() == [folder] and not list(copied.root.glob(".*"))
    sent = copied.send(folder)
    assert sent.promoted and copied.reigning()["version"] == "two" and copied.unsent() == []
    _same_numbers(champion, f"models:/{MODEL}@champion")


def test_artifacts_that_cannot_be_written_leave_no_version(copied, champion):
    shutil.move(copied.root / "artifacts", copied.root / "away")
    (copied.root / "artifacts").write_text("a file where the folder should be")
    with pytest.raises(RegistryError, match="(?s)unsent.*headway send"):
        copied.send(_kept(copied, champion))
    assert _all_versions(copied) == ["1"] and _statuses(copied) == ["FINISHED"]


def test_what_a_killed_sending_left_is_marked_failed_when_the_run_is_sent_again(copied, champion):
    folder, client = _kept(copied, _named(champion, "two"), over="one"), copied.client()
    here = client.get_experiment_by_name(EXPERIMENT).experiment_id
    killed = client.create_run(here, tags={NAME: folder.name})
    copied.send(folder)
    told = client.get_run(killed.info.run_id).info
    assert (told.status, told.lifecycle_stage) == ("FAILED", "deleted")
    assert _all_versions(copied) == ["1", "2"]


@pytest.mark.parametrize("promote", [True, False])
def test_a_run_whose_sending_was_killed_at_the_very_end_is_not_sent_twice(
    copied, champion, tmp_path, promote
):
    folder = _kept(copied, _named(champion, "two"), promote=promote, over="one")
    shutil.copytree(folder, tmp_path / "aside")
    first = copied.send(folder)
    shutil.copytree(tmp_path / "aside", folder)
    assert copied.send(folder) == first and first.promoted == promote
    assert (
        _all_versions(copied) == ["1", "2"]
        and len(copied.promotions()) == 1 + promote
        and copied.unsent() == []
    )


# --- two at once --------------------------------------------------------------------------------------------

HOLD = """
import sys, time
from pathlib import Path
from headway.models.registry import Registry
with Registry.at(None, Path(sys.argv[1])).alone():
    print("held", flush=True)
    time.sleep(120)
"""


def test_a_second_training_waits_and_says_so_and_a_killed_one_lets_go(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "mlruns")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    said, done = [], threading.Event()

    def second() -> None:
        with Registry.at(None, tmp_path / "mlruns").alone(said.append):
            done.set()

    try:
        assert holder.stdout.readline() == "held\n"
        waiting = threading.Thread(target=second, daemon=True)
        waiting.start()
        assert not done.wait(0.5) and len(said) == 1 and "waiting" in said[0]
    finally:
        holder.kill()
    assert done.wait(20)
    waiting.join()
    holder.wait()


SEND = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import test_registry, made
from headway.models.registry import Registry
registry = Registry.at(None, Path(sys.argv[1]))
print(registry.send(test_registry._kept(registry, test_registry._named(made.champion(600), sys.argv[3]))).version)
"""


@pytest.mark.slow
def test_two_that_register_at_once_in_a_new_folder_both_arrive_and_the_first_reigns(tmp_path):
    words = [sys.executable, "-c", SEND, str(tmp_path / "mlruns"), str(ROOT / "tests")]
    both = [
        subprocess.Popen(
            [*words, name], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        for name in ("a", "b")
    ]
    said = {
        name: running.communicate(timeout=300)[0].splitlines()[-1]
        for name, running in zip("ab", both, strict=True)
    }
    registry = Registry.at(None, tmp_path / "mlruns")
    assert sorted(said.values()) == _all_versions(registry) == ["1", "2"]
    assert (_alias(registry), _alias(registry, "challenger")) == ("1", "2")
    assert said[registry.reigning()["version"]] == "1" and _statuses(registry) == ["FINISHED"] * 2


# --- a store that is not there ------------------------------------------------------------------------------


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def _silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(50)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@contextlib.contextmanager
def _refusing(code: int) -> Iterator[str]:
    """A server that answers everything with one code."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, *_) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def _nobody() -> Iterator[str]:
    yield f"http://127.0.0.1:{_free_port()}"


@contextlib.contextmanager
def _no_database() -> Iterator[str]:
    yield f"postgresql+psycopg://headway:secret@127.0.0.1:{_free_port()}/headway"


AWAY = {
    "nobody": _nobody,
    "silent": _silent,
    "500": lambda: _refusing(500),
    "507": lambda: _refusing(507),
    "no web page": lambda: _refusing(200),
    "no database": _no_database,
}


@pytest.mark.parametrize("server", AWAY.values(), ids=AWAY)
def test_a_store_that_does_not_take_the_run_is_named_in_bounded_time_and_the_run_is_kept_and_sent_later(
    server, champion, tmp_path, monkeypatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    started = time.monotonic()
    with server() as address:
        away = Registry.at(address, tmp_path / "mlruns")
        with pytest.raises(RegistryError, match="127.0.0.1.*(?s:.)*Check --tracking") as early:
            away.check()
        folder = _kept(away, champion)
        for ask in (
            lambda: away.send(folder),
            lambda: away.rollback("1"),
            lambda: away.same_run("abc").__enter__(),
        ):
            with pytest.raises(RegistryError, match="Check --tracking"):
                ask()
    assert time.monotonic() - started < 20
    assert "secret" not in str(early.value)
    assert away.reigning() is None and away.promotions() == [] and away.unsent() == [folder]
    sent = Registry.at(None, tmp_path / "mlruns").send(folder)
    assert sent.version == "1" and sent.promoted
    assert Champion.load(away.champion_folder).as_files() == champion.as_files()


def test_ours_are_the_short_timeouts_unless_the_user_says_otherwise():
    """Three tries of ten seconds, twice in a training: MLflow's own wait is a quarter of an hour."""
    names = "MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
    script = f"import os, headway.models.registry; print(*(os.environ[name] for name in {names}))"
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_HTTP")}
    for given, wanted in (({}, "10 2"), ({"MLFLOW_HTTP_REQUEST_TIMEOUT": "99"}, "99 2")):
        told = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**clean, **given},
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout.strip() == wanted


def test_a_folder_given_for_a_store_is_refused_with_what_to_do(champion, tmp_path):
    registry = Registry.at(str(tmp_path / "runs"), tmp_path / "mlruns")
    with pytest.raises(RegistryError, match="Check --tracking"):
        registry.send(_kept(registry, champion))


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "mlruns").write_text("a file")
    with pytest.raises(RegistryError, match="mlruns.*can't be written"):
        Registry.at(None, tmp_path / "mlruns").check()


# --- servers and databases ----------------------------------------------------------------------------------


@contextlib.contextmanager
def _running(folder: Path, command: list[str], health: str, **environment: str) -> Iterator[None]:
    """A server of our own, on this machine alone, until it is done with."""
    with (folder / "server.log").open("wb") as log:
        running = subprocess.Popen(
            command,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, **environment},
        )
        try:
            until = time.monotonic() + 120
            while time.monotonic() < until and running.poll() is None:
                try:
                    urllib.request.urlopen(health, timeout=2)
                    break
                except OSError:
                    time.sleep(0.3)
            else:
                pytest.fail((folder / "server.log").read_text())
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, 15)
            running.wait(30)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of an MLflow server."""
    port = _free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
               "--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}",
               "--artifacts-destination", str(tmp_path / "served")]  # fmt: skip
    with _running(tmp_path, command, f"http://127.0.0.1:{port}/health"):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.slow
def test_a_tracking_server_takes_the_runs_gives_the_same_numbers_and_rolls_back(server, champion, tmp_path):
    registry = Registry.at(server, tmp_path / "mlruns")
    sent = registry.send(_kept(registry, _named(champion, "one")))
    assert _alias(registry) == sent.version
    _same_numbers(champion, f"models:/{MODEL}@champion")
    assert np.isclose(registry.client().get_run(sent.run).data.metrics["skill"], 0.1)
    assert (tmp_path / "served").is_dir() and not (tmp_path / "mlruns" / "artifacts").exists()
    assert registry.send(_kept(registry, _named(champion, "two"), over="one")).promoted
    registry.rollback()
    assert Champion.load(tmp_path / "mlruns" / "champion").as_files() == _named(champion, "one").as_files()


@pytest.mark.slow
def test_mlflow_serves_the_champion_over_http(kept, champion, tmp_path):
    registry, _ = kept
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "models",
        "serve",
        "-m",
        f"models:/{MODEL}@champion",
        "--env-manager",
        "local",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    rows = _example().head(3)
    asked = json.dumps({"dataframe_split": json.loads(rows.to_json(orient="split"))}).encode()
    # MLflow asks the shell for uvicorn
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with _running(
        tmp_path, command, f"http://127.0.0.1:{port}/ping", MLFLOW_TRACKING_URI=registry.tracking, PATH=beside
    ):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", asked, {"Content-Type": "application/json"}
        )
        answers = pd.DataFrame(json.load(urllib.request.urlopen(request, timeout=60))["predictions"])
    plain = champion.predict(rows, rows.astype({"overall": "int64"}))
    assert answers["p_same"].tolist() == pytest.approx(plain["p_same"].tolist())
    assert answers["grade_set"].tolist() == plain["grade_set"].tolist()


def _postgres() -> Path | None:
    """The folder of PostgreSQL's programs; Debian keeps them off the PATH."""
    places = [Path(found).resolve().parent for name in ("initdb",) if (found := shutil.which(name))]
    return next(
        (
            place
            for place in [*places, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
            if (place / "initdb").is_file() and (place / "pg_ctl").is_file()
        ),
        None,
    )


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a PostgreSQL database of our own; it refuses to run as root, so then it runs as
    `postgres`.
    """
    pytest.importorskip("psycopg", reason="install the extra `postgres`")
    programs = _postgres()
    if programs is None:
        pytest.skip("no PostgreSQL programs (initdb, pg_ctl) are on this machine")
    port, who = _free_port(), {"user": "postgres"} if os.getuid() == 0 else {}
    # pytest's own can be entered by its maker alone
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if who:
            shutil.chown(folder, "postgres")

        def run(*words: str) -> None:
            subprocess.run(
                [str(programs / words[0]), *words[1:]],
                cwd=folder,
                check=True,
                stdout=subprocess.DEVNULL,
                **who,
            )

        run("initdb", "-D", f"{folder}/held", "-U", "headway", "--auth", "trust", "--no-sync")
        run(
            "pg_ctl",
            "-D",
            f"{folder}/held",
            "-l",
            f"{folder}/log",
            "-w",
            "-o",
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}",
            "start",
        )
        try:
            run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "headway", "headway")
            yield f"postgresql+psycopg://headway@127.0.0.1:{port}/headway"
        finally:
            run("pg_ctl", "-D", f"{folder}/held", "-m", "immediate", "stop")


@pytest.mark.slow
def test_a_postgresql_database_takes_the_runs_and_rolls_back(database, champion, tmp_path, elsewhere):
    registry = Registry.at(database, tmp_path / "mlruns")
    registry.check()
    registry.send(_kept(registry, _named(champion, "one")))
    _same_numbers(champion, f"models:/{MODEL}@champion")
    assert registry.send(_kept(registry, _named(champion, "two"), over="one")).promoted
    assert registry.rollback()["to"] == "1" and registry.reigning()["version"] == "one"
    assert _all_versions(registry) == ["1", "2"] and len(registry._log(registry.client())) == 3
    assert (tmp_path / "mlruns" / "artifacts").is_dir() and list(elsewhere.iterdir()) == []
    mlflow.set_tracking_uri(None)
