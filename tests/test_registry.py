import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import made
import numpy as np
import pandas as pd
import pytest

from models.champion import Champion
from models.registry import MODEL, Registry, RegistryError

mlflow = pytest.importorskip("mlflow")


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
    return signals.assign(cell=given["state"]["cell"].astype(object), group=given["state"]["group"].astype(object))


def _recorded(registry: Registry, champion: Champion) -> tuple[str, str]:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([0, 1])
    return registry.record(
        champion, params={"seed": 0, "families": "x" * 9000}, metrics={"skill": 0.1, "blank": float("nan")},
        tags={"commit": "abc"}, tables={"train": {"rows": 3}}, figures={"calibration": figure}, texts={"note.txt": "said"},
        example=_example(), datasets={"examples": (_example()[made.SIGNALS], "f" * 64)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def stored(champion: Champion, tmp_path_factory: pytest.TempPathFactory) -> tuple[Registry, str, str]:
    """A store with one run, whose model is the champion."""
    registry = Registry.at(None, tmp_path_factory.mktemp("kept") / "mlruns")
    run, version = _recorded(registry, champion)
    registry.promote(version, champion)
    return registry, run, version


@pytest.fixture
def kept(stored: tuple[Registry, str, str]) -> tuple[Registry, str, str]:
    """The same store, as the one that MLflow now asks: it keeps one address for the whole process."""
    stored[0].client()
    return stored


def _same_numbers(champion: Champion, uri: str) -> None:
    served = mlflow.pyfunc.load_model(uri).predict(_example())
    plain = champion.predict(_example(), _example().astype({"overall": "int64"}))
    pd.testing.assert_frame_equal(served, plain, check_exact=True)


def test_the_champion_from_mlflow_gives_the_same_numbers_as_the_plain_files(kept, champion):
    registry, _, version = kept
    assert registry.champion_version() == version == "1"
    _same_numbers(champion, f"models:/{MODEL}@champion")
    files = Champion.load(registry.champion_folder)
    assert files.as_files() == champion.as_files()


def test_signature_and_input_example_survive_every_number_a_double(kept):
    info = mlflow.models.get_model_info(f"models:/{MODEL}@champion")
    types = {column.name: column.type.name for column in info.signature.inputs}
    assert types == {**dict.fromkeys([*made.SIGNALS, "overall"], "double"), "cell": "string", "group": "string"}
    assert "p_improve" in info.signature.outputs.input_names()
    loaded = mlflow.pyfunc.load_model(f"models:/{MODEL}@champion")
    assert len(loaded.predict(loaded.input_example)) == 3


def test_whole_numbers_from_a_csv_are_taken_for_doubles_at_the_edge(kept):
    """MLflow refuses a column of integers where a double is declared, so callers cast: the cast alone has to do."""
    rows = _example().assign(constant=7, decoy=[*range(30)])
    with pytest.raises(mlflow.MlflowException, match="int64"):
        mlflow.pyfunc.load_model(f"models:/{MODEL}@champion").predict(rows)
    numbers = dict.fromkeys([*made.SIGNALS, "overall"], "float64")
    assert mlflow.pyfunc.load_model(f"models:/{MODEL}@champion").predict(rows.astype(numbers))["p_same"].notna().all()


def test_nothing_in_the_kept_model_is_a_pickle(kept):
    registry, _, _ = kept
    names = {path.name for path in (registry.root / "artifacts").rglob("*") if path.is_file()}
    assert {"booster.txt", "candidate.json", "about.json", "served.py"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib", ".skops"))]


def test_all_of_it_lies_under_mlruns_and_nothing_where_one_stands(kept, champion, elsewhere, tmp_path):
    registry = Registry.at(None, tmp_path / "mlruns")
    _recorded(registry, champion)
    assert {path.name for path in (tmp_path / "mlruns").iterdir()} == {"mlflow.db", "artifacts"}
    assert {path.name for path in tmp_path.iterdir()} == {"cwd", "mlruns"}
    assert list(elsewhere.iterdir()) == []


def test_a_run_keeps_parameters_figures_tables_and_the_hash_of_what_it_learned_from(kept):
    registry, run, _ = kept
    told = registry.client().get_run(run)
    assert told.data.params["seed"] == "0" and told.data.metrics == {"skill": 0.1}
    assert told.inputs.dataset_inputs[0].dataset.digest == "f" * 36
    paths = {file.path for file in registry.client().list_artifacts(run)}
    assert {"plots", "train.json", "note.txt"} <= paths


def test_a_second_version_takes_the_alias_only_when_promoted(kept, champion):
    registry, _, first = kept
    _, second = _recorded(registry, champion)
    registry.challenge(second)
    assert registry.champion_version() == first
    registry.promote(second, champion)
    assert registry.champion_version() == second == str(int(first) + 1)


def test_an_earlier_run_takes_more_artifacts(kept):
    registry, run, _ = kept
    with registry.same_run(run) as opened:
        opened.log_text("found", "evidence.txt")
    assert "evidence.txt" in {file.path for file in registry.client().list_artifacts(run)}


# --- a store that is not there ----------------------------------------------------------------------------------------


@pytest.fixture
def unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    return Registry.at("http://127.0.0.1:9", tmp_path / "mlruns")


def _opened(registry: Registry) -> None:
    with registry.same_run("abc"):
        pass


@pytest.mark.parametrize("ask", [
    lambda registry, champion: _recorded(registry, champion), lambda registry, champion: registry.promote("1", champion),
    lambda registry, champion: registry.challenge("1"), lambda registry, champion: _opened(registry),
], ids=["record", "promote", "challenge", "same_run"])  # fmt: skip
def test_a_store_that_cannot_be_reached_is_named_with_what_to_do(unreachable, champion, ask):
    with pytest.raises(RegistryError, match=r"(?s)http://127\.0\.0\.1:9 .*Check --tracking"):
        ask(unreachable, champion)
    assert not unreachable.champion_folder.exists()


def test_a_folder_given_for_a_store_is_refused_with_what_to_do(champion, tmp_path):
    with pytest.raises(RegistryError, match="Check --tracking"):
        _recorded(Registry.at(str(tmp_path / "runs"), tmp_path / "mlruns"), champion)


# --- a server ---------------------------------------------------------------------------------------------------------


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture
def server(tmp_path: Path) -> str:
    """The address of an MLflow server of our own, on this machine alone."""
    import urllib.request

    port = _free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
               "--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}",
               "--artifacts-destination", str(tmp_path / "served")]  # fmt: skip
    with (tmp_path / "server.log").open("wb") as log:
        running = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
        try:
            until = time.monotonic() + 120
            while time.monotonic() < until and running.poll() is None:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                    break
                except OSError:
                    time.sleep(0.5)
            else:
                pytest.fail((tmp_path / "server.log").read_text())
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(running.pid, 15)
            running.wait(30)


@pytest.mark.slow
def test_a_tracking_server_takes_the_run_and_gives_the_same_numbers(server, champion, tmp_path):
    registry = Registry.at(server, tmp_path / "mlruns")
    run, version = _recorded(registry, champion)
    registry.promote(version, champion)
    assert registry.champion_version() == version
    _same_numbers(champion, f"models:/{MODEL}@champion")
    assert np.isclose(registry.client().get_run(run).data.metrics["skill"], 0.1)
    assert Champion.load(tmp_path / "mlruns" / "champion").as_files() == champion.as_files()
    assert (tmp_path / "served").is_dir()
