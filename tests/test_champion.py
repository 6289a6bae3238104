import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import made
import numpy as np
import pandas as pd
import pytest

from headway.models import AlteredError
from headway.models import champion as module
from headway.models.champion import Champion

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def champion() -> Champion:
    return made.champion()


def _asked() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row at each rank, one of an unseen cell, one with every signal blank."""
    signals = pd.DataFrame(
        [
            (0, 0.8, 0, 7),
            (1, 0.8, 0, 7),
            (1, 0.9, 0, 7),
            (0, None, 1, 7),
            (1, 0.8, 0, 7),
            (None, None, None, None),
        ],
        columns=made.SIGNALS,
    ).astype("float64")
    state = pd.DataFrame({"overall": [1, 2, 3, 4, 3, 3], "cell": ["1", "2", "3", "4", "3 satisfactory", "3"],
                          "group": ["Primary", "Primary", None, "Nursery", "Primary", "Primary"]})  # fmt: skip
    return signals.set_axis([5, 3, 1, 4, 2, 0]), state.set_axis([5, 3, 1, 4, 2, 0])


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


# --- what it answers ----------------------------------------------------------------------------------------


def test_a_row_out_per_row_in_whose_chances_add_up_with_its_interval_around_what_is_asked(champion):
    rows = champion.predict(*_asked())
    assert rows.index.tolist() == [5, 3, 1, 4, 2, 0]
    assert rows[[f"p_grade_{grade}" for grade in (1, 2, 3, 4)]].sum(axis=1).to_numpy() == pytest.approx(
        np.ones(6)
    )
    assert rows[["p_improve", "p_same", "p_worse"]].sum(axis=1).to_numpy() == pytest.approx(np.ones(6))
    at_stake = rows["p_improve"].fillna(rows["p_stay"])
    assert (rows["p_low"] <= at_stake).all() and (at_stake <= rows["p_high"]).all()


def test_at_the_top_it_says_the_chance_of_staying_and_elsewhere_of_improving(champion):
    rows = champion.predict(*_asked())
    assert rows["p_improve"].isna().tolist() == rows["p_stay"].notna().tolist() == [True] + [False] * 5
    assert rows.loc[5, "p_stay"] == rows.loc[5, "p_same"] == rows.loc[5, "p_grade_1"]
    assert rows.loc[4, "p_worse"] == 0
    assert rows.loc[3, "p_improve"] == rows.loc[3, "p_grade_1"]


def test_the_recent_rate_given_is_of_the_grade_and_phase_whatever_the_signals(champion):
    signals, state = _asked()
    rows, blank = champion.predict(signals, state), champion.predict(signals * np.nan, state)
    assert rows["base_rate"].equals(blank["base_rate"])
    assert rows.loc[1, "base_rate"] == champion.overall.recent.cells["3"][1]


# --- plain files --------------------------------------------------------------------------------------------


def test_what_is_read_back_predicts_the_same_bits_and_writes_the_same_bytes(champion, tmp_path):
    champion.save(tmp_path / "champion")
    loaded = Champion.load(tmp_path / "champion")
    assert loaded.predict(*_asked()).equals(champion.predict(*_asked()))
    assert np.array_equal(loaded.leadership.predict(*_asked()), champion.leadership.predict(*_asked()))
    loaded.save(tmp_path / "again")
    assert _files(tmp_path / "again") == _files(tmp_path / "champion")


def test_a_champion_without_a_leadership_model_is_read_back_without(champion, tmp_path):
    alone = Champion(champion.overall, None, champion.sets, champion.intervals, champion.about)
    champion.save(tmp_path / "champion")
    alone.save(tmp_path / "champion")
    assert Champion.load(tmp_path / "champion").leadership is None


def test_where_there_is_none_it_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="about.json"):
        Champion.load(tmp_path / "champion")


def test_its_backtest_is_kept_beside_it_plain_and_is_not_needed_to_predict(champion, tmp_path):
    rows = pd.DataFrame({"fold": [pd.Timestamp("2020-09-01")], "urn": [100001], "p_improve": [0.5]})
    Champion(
        champion.overall, None, champion.sets, champion.intervals, champion.about, rows, cards_backtest=rows
    ).save(tmp_path / "champion")
    for name in (module.BACKTEST, module.CARDS_BACKTEST):
        assert pd.read_parquet(tmp_path / "champion" / name).equals(rows)
    champion.save(tmp_path / "without")
    assert Champion.load(tmp_path / "without").predict(*_asked()).equals(champion.predict(*_asked()))


# --- as it was promoted -------------------------------------------------------------------------------------


def test_its_manifest_has_the_hash_of_every_file_the_model_and_the_libraries_that_fit_it(champion, tmp_path):
    champion.save(tmp_path / "champion")
    told = json.loads((tmp_path / "champion" / module.MANIFEST).read_text())
    files = _files(tmp_path / "champion")
    del files[module.MANIFEST]
    assert told["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert told["model_version"] == "abc123" and told["libraries"]["lightgbm"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda folder: (folder / "overall" / "booster.txt").open("a").write("\n"),
            "changed: overall/booster.txt",
        ),
        (lambda folder: (folder / "about.json").write_text("{}"), "changed: about.json"),
        (lambda folder: (folder / module.BACKTEST).write_bytes(b""), "changed: backtest.parquet"),
        (lambda folder: (folder / "uncertainty.json").unlink(), "missing: uncertainty.json"),
        (lambda folder: (folder / "overall" / "more.txt").write_text(""), "added: overall/more.txt"),
        (lambda folder: (folder / module.MANIFEST).unlink(), "no manifest.json"),
        (lambda folder: (folder / module.MANIFEST).write_text("{"), "manifest.json can't be read"),
        (
            lambda folder: (folder / module.MANIFEST).write_text('{"files": []}'),
            "manifest.json can't be read",
        ),
    ],
    ids=[
        "changed",
        "about",
        "backtest",
        "missing",
        "added",
        "no manifest",
        "half a manifest",
        "another manifest",
    ],
)
def test_a_file_changed_added_or_taken_away_by_hand_is_named_and_nothing_is_loaded(
    champion, tmp_path, change, said
):
    folder = tmp_path / "champion"
    rows = pd.DataFrame({"fold": [pd.Timestamp("2020-09-01")], "urn": [100001], "p_improve": [0.5]})
    Champion(champion.overall, None, champion.sets, champion.intervals, champion.about, rows).save(folder)
    change(folder)
    with pytest.raises(AlteredError, match=rf"(?s){re.escape(str(folder))}.*{said}.*headway rollback --to"):
        Champion.load(folder)


def test_one_that_is_replaced_while_it_is_loaded_is_loaded_whole_the_old_one_or_the_new(champion, tmp_path):
    both = [
        Champion(
            champion.overall, None, champion.sets, champion.intervals, {**champion.about, "version": version}
        )
        for version in "ab"
    ]
    both[0].save(tmp_path / "champion")
    stop = threading.Event()

    def promote() -> None:
        while not stop.is_set():
            for one in both:
                one.save(tmp_path / "champion")

    promoting = threading.Thread(target=promote)
    promoting.start()
    try:
        found = {Champion.load(tmp_path / "champion").about["version"] for _ in range(300)}
    finally:
        stop.set()
        promoting.join()
    assert found == {"a", "b"}


class _Killed(BaseException):
    pass


def _killed_at(place: int, monkeypatch: pytest.MonkeyPatch, save) -> None:
    """Calls `save`, which is killed as it comes to the rename of that place."""
    renames = []

    def rename(*paths) -> None:
        renames.append(paths)
        if len(renames) > place:
            raise _Killed
        os.replace(*paths)

    with monkeypatch.context() as patched, pytest.raises(_Killed, match="^$"):
        patched.setattr(module.os, "rename", rename)
        save()


@pytest.mark.parametrize("places", [[0], [1], [1, 0], [1, 0, 0]])
def test_killed_at_any_rename_the_old_one_still_loads_and_the_next_save_is_whole(
    champion, tmp_path, monkeypatch, places
):
    folder, old = (
        tmp_path / "champion",
        Champion(
            champion.overall, None, champion.sets, champion.intervals, {**champion.about, "version": "old"}
        ),
    )
    old.save(folder)
    for place in places:
        _killed_at(place, monkeypatch, lambda: champion.save(folder))
        assert Champion.load(folder).about["version"] == "old"
    champion.save(folder)
    assert Champion.load(folder).about["version"] == "abc123"
    assert not (tmp_path / ".champion.old").exists()


def test_where_filling_fails_the_old_folder_stays_and_nothing_is_left_beside_it(champion, tmp_path):
    champion.save(tmp_path / "champion")

    def fill(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        module.replace_folder(tmp_path / "champion", fill)
    assert [path.name for path in tmp_path.iterdir()] == ["champion"]
    assert Champion.load(tmp_path / "champion").as_files() == champion.as_files()


def test_what_killed_commands_left_is_removed_after_an_hour_and_nothing_else(tmp_path):
    left = [".champion.ab12cd_4", ".examples.parquet.ab12cd34", ".20260101T101010-abc.ab12cd34"]
    others = [".gitkeep", ".champion.old", "examples.parquet", ".notes.markdown"]
    for name in (*left, *others, ".train.json.zz12cd34"):
        (tmp_path / name).mkdir() if "champion" in name else (tmp_path / name).write_text("half")
    for name in (*left, *others):
        os.utime(tmp_path / name, (0, 0))
    assert module.sweep(tmp_path) == sorted(left)
    # which may still be written to
    assert {path.name for path in tmp_path.iterdir()} == {*others, ".train.json.zz12cd34"}


def test_anyone_may_read_a_saved_champion(champion, tmp_path):
    champion.save(tmp_path / "champion")
    assert (tmp_path / "champion").stat().st_mode & 0o555 == 0o555


# --- nothing is pickled, and scoring trains nothing ---------------------------------------------------------

PICKLES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "shelve", "marshal", "skops"}
RUNS_PICKLES = {"read_pickle", "to_pickle"}


def _sources() -> list[Path]:
    return sorted([*(ROOT / "models").rglob("*.py"), *(ROOT / "pipelines").rglob("*.py")])


@pytest.mark.parametrize("path", _sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_of_ours_is_pickled(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            assert not {name.name.split(".")[0] for name in node.names} & (PICKLES | {"joblib"})
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in PICKLES
            # its processes for the folds, never its dump and load
            if (node.module or "").startswith("joblib"):
                assert {name.name for name in node.names} <= {"Parallel", "delayed", "parallel_config"}
        elif isinstance(node, ast.Attribute):
            assert node.attr not in RUNS_PICKLES
        elif isinstance(node, ast.keyword):
            assert node.arg != "allow_pickle"


def test_scoring_loads_neither_mlflow_nor_anything_that_trains(champion, tmp_path):
    champion.save(tmp_path / "champion")
    script = f"""
import sys
from pathlib import Path
from headway.pipelines.scoring import score
champion = score.load(Path({str(tmp_path / "champion")!r}))
import pandas as pd
champion.predict(pd.DataFrame([[1.0, None, 0.0, 7.0]], columns=champion.signals, dtype=float),
                 pd.DataFrame({{"overall": [3], "cell": ["3"], "group": ["Primary"]}}))
print(sorted({{"mlflow", "streamlit", "statsmodels", "headway.pipelines.train", "headway.models.registry"}} & set(sys.modules)),
      [name for name in sys.modules if name.startswith("sklearn.") and name.split(".")[1] in ("linear_model", "ensemble")])
"""
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[] []"
