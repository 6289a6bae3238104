import hashlib
import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
import worlds
from filelock import FileLock

from headway.models.registry import Registry
from headway.pipelines import experiments, month, provenance
from headway.pipelines.reports.cards.pages import page
from headway.pipelines.tables import DataError
from headway.pipelines.watching import monitor

ROOT = Path(__file__).parents[1]
QUICK = {"rounds": 5, "candidates": ["table", "ridge"], "half_lives": [0.5],
         "families": ["leadership", "judgements", "trajectory", "timing", "context"]}  # fmt: skip

# --- the page, drawn ----------------------------------------------------------------------------------------

CONTENT = {
    "finished_on": "2026-10-15", "since": "2026-09-15", "fetched": {"new": ["b.csv"], "have": ["a.csv"]}, "problems": [],
    "why_trained": ["the official files changed"], "files": {"a.csv": "1", "b.csv": "2"},
    "changed": {"new": ["b.csv"], "gone": [], "changed": []}, "rows": {"schools": 12, "census": 5},
    "rows_before": {"schools": 10, "census": 5}, "champion": "aaa",
}  # fmt: skip
INGESTED = {"data_source": "official", "newest_file_on": "2026-09-30"}
TRAINED = {"model_version": "bbb", "promoted": False, "promotion": {"reasons": [("not shown to be as good as "
    "the champion")]},
           "means": [{"model": "champion", "skill": 0.0512, "slope": 0.98}]}  # fmt: skip
CLAIMS = {"claims": [{"verdict": "real"}, {"verdict": "could be chance"}, {"verdict": "real"}]}
MORNING = {
    "as_of": "2026-09-01",
    "model_version": "aaa",
    "hindsight": False,
    "scored": 900,
    "outcomes": 40,
    "n": 35,
    "too_few": False,
    "rate": 0.4,
    "mean_p": 0.35,
    "brier": 0.2,
    "skill": 0.01,
}
FOUND = {"as_of": "2026-10-01", "model_version": "aaa", "predictions": 1000, "scored": 950, "limits": [1, 2], "passed": [],
         "scoreboard": {"mornings": [MORNING]}}  # fmt: skip
OVER = {"limit": "drift", "value": 0.31, "allowed": 0.2, "sentence": "staff who stay stand far off"}


def test_the_page_says_what_came_what_changed_and_what_became_of_the_model_and_of_earlier_predictions():
    said = month.summary(CONTENT, INGESTED, TRAINED, CLAIMS, FOUND)
    for words in (
        "# The month to 2026-10-15",
        "Fetched: 1 new; 1 have.",
        "1 files new since the month before: b.csv.",
        "| schools | 10 | 12 |",
        "Trained because: the official files changed.",
        "skill over the plain rates by grade and phase is 0.051",
        "Model bbb was not promoted:\n- not shown to be as good as the champion",
        "Model aaa is champion.",
        "1,000 open schools asked about as of 2026-10-01, 950 scored",
        "| 2026-09-01 | aaa | 900 | 40 | 35 | 40.0% | 35.0% | 0.200 | 0.010 |",
        "None of the monitor's 2 limits is passed.",
        "3 were tested: 2 real; 1 could be chance.",
    ):
        assert words in said, words
    assert "census" not in said and "What went wrong" not in said
    assert "<caption>Tables that grew or shrank</caption>" in page(said)


def test_the_page_says_first_what_passed_a_limit_or_went_wrong():
    said = month.summary(
        CONTENT | {"problems": ["2 files did not\ncome"]},
        INGESTED,
        TRAINED,
        CLAIMS,
        FOUND | {"passed": [OVER]},
    )
    assert said.index("drift: staff who stay stand far off (0.31; the limit is 0.2)") < said.index(
        "2 files did not come"
    )
    assert (
        said.index("2 files did not come") < said.index("## What was fetched") and "None of the" not in said
    )


def test_the_page_of_a_month_without_news_to_learn_from_says_so():
    still = CONTENT | {
        "why_trained": [],
        "fetched": None,
        "since": None,
        "changed": {"new": [], "gone": [], "changed": []},
    }
    early = {"mornings": [MORNING | {"too_few": True}]}
    said = month.summary(still, INGESTED, TRAINED, CLAIMS, FOUND | {"scoreboard": early})
    assert (
        "Nothing was trained" in said
        and "bbb" not in said
        and "Nothing was fetched" in said
        and "too few to judge" in said
    )
    same = month.summary(still | {"since": "2026-09-15"}, INGESTED, TRAINED, CLAIMS, FOUND)
    assert "The files are those of the month before." in same


def test_a_file_is_new_gone_or_changed():
    assert month._changed({"a": "1", "b": "1", "c": "1"}, {"b": "2", "c": "1", "d": "1"}) == {
        "new": ["d"], "gone": ["a"], "changed": ["b"]}  # fmt: skip


# --- the month, done ----------------------------------------------------------------------------------------


def _state(folder: Path) -> dict[str, str]:
    """Every file's content, but for the locks."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "lock" not in path.name
    }


@pytest.fixture(scope="module")
def done(world, tmp_path_factory) -> SimpleNamespace:
    """A folder in which a month was done, of an England just large enough to learn from."""
    folder = tmp_path_factory.mktemp("month")
    worlds.linked(world("files") / "data/raw", folder / "data/raw")
    (folder / "quick.toml").write_text(
        "\n".join(f"{name} = {json.dumps(value)}" for name, value in QUICK.items())
    )
    registry, said = Registry.at(None, folder / "mlruns"), []

    def run(bring=None, experiment=QUICK, today=date(2026, 10, 15)):
        said.clear()
        found = month.month(
            folder / "data/tables",
            registry,
            raw=folder / "data/raw",
            bring=bring,
            whole=True,
            workers=1,
            today=today,
            experiment=experiments.of(experiment, "x"),
            say=said.append,
        )
        return found, list(said)

    found, first = run()
    return SimpleNamespace(
        folder=folder, tables=folder / "data/tables", registry=registry, run=run, found=found, said=first
    )


@pytest.mark.slow
def test_the_month_fetches_nothing_it_was_not_to_and_leaves_every_part_and_a_page(done):
    assert done.found["new"] and done.found["problems"] == []
    assert [line.split(":")[0] for line in done.said][:2] == ["ingest", "train"] and done.said[-1].startswith(
        "written: "
    )
    for name in (
        "schools.parquet",
        "evidence.html",
        "predictions.csv",
        "cards/model-card.html",
        "monitor.html",
        "summary.html",
        "month.json",
    ):
        assert (done.tables / name).is_file(), name
    page = (done.tables / "summary.md").read_text("utf-8")
    assert "# The month to 2026-10-15" in page and "Made-up files" in page and "was promoted" in page


@pytest.mark.slow
def test_the_whole_experiment_is_kept_with_the_run_and_trained_by(done):
    report = json.loads((done.tables / "train.json").read_text("utf-8"))
    asked = experiments.of(QUICK, "x")
    assert report["experiment"] == experiments.plain(asked) and set(report["families"].values()) <= set(
        QUICK["families"]
    )
    kept = done.registry.recorded("champion")
    assert (
        kept.params["rounds"] == "5"
        and kept.report["experiment"] == report["experiment"]
        and kept.report["files"]
    )
    (written,) = (done.folder / "mlruns/artifacts").glob(f"{report['run']}/artifacts/experiment.toml")
    assert experiments.read(written) == asked
    model = json.loads(
        next((done.folder / "mlruns/champion").rglob("overall/candidate.json")).read_text("utf-8")
    )
    assert model["rounds"] == 5 and report["final"]["candidate"] in QUICK["candidates"]


@pytest.mark.slow
def test_a_month_done_again_changes_nothing_and_says_so(done):
    before = _state(done.folder)
    found, said = done.run(today=date(2026, 11, 15))
    assert not found["new"] and found["passed"] == done.found["passed"]
    assert said == [
        "nothing new since 2026-10-15: the same official files, registers, program, settings and champion"
    ]
    assert _state(done.folder) == before


@pytest.mark.slow
def test_it_ends_3_where_a_limit_is_passed_and_once_that_is_accepted_a_killed_month_is_finished_by_the_next(
    done, tmp_path
):
    copy = tmp_path / "copy"
    shutil.copytree(done.folder, copy)
    accepted = [
        word
        for name in monitor.LIMITS
        for word in ("--limit", f"{name}={-9 if monitor.LIMITS[name].at_least else 9}")
    ]

    def started(*words: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "headway", "month", "--no-fetch", "--experiment", "quick.toml", *words],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    over = started()
    out, err = over.communicate(timeout=300)
    assert (over.returncode, err) == (3, ""), out + err
    assert "nothing new since 2026-10-15" in out and "limit passed: " in out
    killed = started(*accepted)
    assert killed.stdout.readline().startswith("evidence: ")
    killed.kill()
    killed.communicate(timeout=60)
    assert _state(copy / "data/tables")["month.json"] == _state(done.tables)["month.json"]
    for line in ("written: ", "nothing new since "):
        ended = started(*accepted)
        out, err = ended.communicate(timeout=300)
        assert (ended.returncode, err) == (0, ""), out + err
        assert line in out and "\ntrain: " not in out and "limit passed" not in out


@pytest.mark.slow
def test_what_does_not_come_is_told_at_the_end_and_holds_nothing_up(done):
    def bring():
        raise DataError("1 of what was looked for did not come.")

    found, said = done.run(bring)
    assert found["problems"] == ["1 of what was looked for did not come."] and not found["new"]
    assert said[0].startswith("fetch: not all of it came") and said[-1].startswith("nothing new since")
    found, said = done.run(lambda: {"new": [], "have": ["a.csv"]})
    assert said[0] == "fetch: 0 new, 1 have" and not found["new"]


@pytest.mark.slow
def test_a_changed_setting_register_or_file_is_a_reason_to_train_and_is_named(done):
    basis = json.loads((done.tables / "train.json").read_text("utf-8"))["made_from"]
    assert month._why_train(done.tables, done.registry, basis) == []
    for name, words in month.BASIS.items():
        assert month._why_train(done.tables, done.registry, basis | {name: "other"}) == [f"{words} changed"]
    assert basis == provenance.made_from(done.tables, None, experiments.of(QUICK, "x"), True)
    assert basis != provenance.made_from(done.tables, None, experiments.Experiment(), True)


@pytest.mark.slow
def test_two_months_in_one_folder_are_one_too_many(done):
    with (
        FileLock(done.tables / ".month.lock"),
        pytest.raises(DataError, match="(?s)Another `headway month`.*Wait"),
    ):
        done.run()


def test_a_month_without_files_says_what_to_do_and_leaves_no_table(tmp_path):
    with pytest.raises(DataError, match="There is no folder"):
        month.month(
            tmp_path / "tables",
            Registry.at(None, tmp_path / "mlruns"),
            raw=tmp_path / "raw",
            say=lambda line: None,
        )
    assert (
        not list((tmp_path / "tables").glob("*.parquet"))
        and not (tmp_path / "tables" / "month.json").exists()
    )
