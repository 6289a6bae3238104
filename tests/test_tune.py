import json

import asked
import pandas as pd
import pytest
from filelock import FileLock

from headway.models.registry import Registry
from headway.pipelines import evaluate, experiments, tune
from headway.pipelines.experiments import Experiment
from headway.pipelines.tables import Busy, DataError

QUICK = Experiment(candidates=("table", "ridge"))
DEAF = Experiment(candidates=("table", "ridge"), penalty=1e6)  # a penalty under which no signal is heard


def _task(rows: pd.DataFrame | None = None) -> tune.Task:
    rows = asked.examples() if rows is None else rows
    return tune.Task(
        evaluate.usable(rows, evaluate.OVERALL),
        asked.SIGNALS,
        "ridge",
        0,
        asked.FOLDS[:-1],
        asked.FOLDS[-1],
        1,
    )


@pytest.fixture
def registry(tmp_path) -> Registry:
    return Registry.at(None, tmp_path / "mlruns")


@pytest.fixture
def search(registry, tmp_path):
    """Goes on with a study; returns what it found, what it said, and the study."""

    def on(
        trials: int, start: Experiment = QUICK, name: str = "x", rows: pd.DataFrame | None = None, **other
    ):
        said = []
        found = tune.search(
            _task(rows),
            registry,
            name,
            start,
            trials=trials,
            out=tmp_path / "experiments",
            say=said.append,
            **other,
        )
        return found, said, tune._study(registry, name, start)

    return on


def test_the_search_begins_with_its_start_and_is_gone_on_with_by_the_same_command(search):
    found, said, _ = search(2)
    assert (found["trials"], found["added"], found["start"]["trial"]) == (2, 2, 0)
    assert said[0].startswith(
        "study x: new; searched on 2 folds, 2013/14 to 2014/15, by ridge; 2015/16 is left alone"
    )
    found, said, study = search(3)
    assert (found["trials"], found["added"], found["start"]["trial"]) == (5, 3, 0)
    assert said[0].startswith("study x: goes on from 2 trials")
    proposed = [json.dumps(trial.params, sort_keys=True) for trial in study.trials]
    assert len(set(proposed)) == 5, "a sampler begun anew would propose the same again"
    assert study.trials[0].params["penalty"] == QUICK.penalty


def test_no_trial_sees_the_last_fold(search):
    rows = asked.examples()
    last = rows["as_of"].eq(asked.FOLDS[-1].morning)
    turned = rows.assign(
        next_overall=rows["next_overall"].mask(last, 4), label=rows["label"].mask(last, "worse")
    )
    scores = [
        [trial.value for trial in search(3, DEAF, name, given)[2].trials]
        for name, given in (("a", rows), ("b", turned))
    ]
    assert scores[0] == scores[1]
    assert search(1, DEAF, "a", rows)[0]["last"]["gain"] != search(1, DEAF, "b", turned)[0]["last"]["gain"]


def test_the_score_is_the_mean_over_grades_and_folds_however_many_schools_each_has(drawn):
    rows = drawn("""
        fold | overall | rps
        1    | 2       | 0.1
        1    | 2       | 0.3
        1    | 3       | 0.5
        2    | 2       | 0.6
    """)
    size = rows.groupby(["fold", "overall"])["rps"].transform("size")
    assert tune.score(rows.assign(weight=1 / size)) == pytest.approx((0.2 + 0.5 + 0.6) / 3)
    errors = tune.errors(_task(), Experiment(half_lives=(0.5,), rounds=1), asked.FOLDS[:-1])
    assert errors.groupby(["fold", "overall"])["weight"].sum().to_numpy() == pytest.approx(1)


def test_a_start_that_hears_nothing_is_beaten_and_the_winner_is_a_file_to_train_by(search):
    found, _, study = search(6, DEAF)
    assert found["beats"] and found["last"]["gain_low"] > 0 and found["best"]["trial"] != 0
    assert "it beats the start by more than its interval" in tune.lines(found)
    winner = experiments.read(experiments.Path(found["written"]))
    assert winner == tune._recipe(study.best_trial.params, DEAF)
    assert winner.candidates == DEAF.candidates and winner.penalty < DEAF.penalty
    assert "# Written by `headway tune`, study x." in experiments.Path(found["written"]).read_text()


def test_where_nothing_beats_the_start_it_says_so(search):
    found, _, _ = search(1)
    assert not found["beats"]
    assert tune.lines(found) == [
        f"none of 1 trials beats the start, whose score is {found['best']['score']:.5f}: keep the start"
    ]
    chance = found | {
        "best": found["best"] | {"trial": 1, "unlike": ["penalty 30.0 instead of 200.0"]},
        "looked": 2,
        "last": found["last"] | {"gain": 0.01, "gain_low": -0.01, "gain_high": 0.03},
    }
    assert tune.lines(chance)[-1] == "nothing found beats the start by more than its interval: keep the start"
    assert "+1.00% better (-1.00% to +3.00%)" in tune.lines(chance)[3]
    assert "has now been looked at for 2 winners" in tune.lines(chance)[4]


def test_the_last_fold_is_looked_at_once_for_each_winner(search, monkeypatch):
    found, _, study = search(6, DEAF)
    kept = study.user_attrs["last"]
    assert list(kept) == [str(found["best"]["trial"])] and found["looked"] == 1
    again, _, study = search(1, DEAF)
    if again["best"]["trial"] == found["best"]["trial"]:
        assert study.user_attrs["last"] == kept and again["looked"] == 1


def test_a_trial_that_was_killed_under_way_is_given_up_and_the_search_goes_on(search, registry):
    _, _, study = search(1)
    study.ask(tune._space(QUICK))  # and never told
    found, _, study = search(1)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert found["trials"] == 2


def test_a_start_that_was_killed_under_way_is_tried_again(search, registry):
    registry.root.mkdir()
    tune._study(registry, "x", QUICK).ask(tune._space(QUICK))
    found, _, study = search(1)
    assert found["start"]["trial"] == 1 and study.trials[1].params["penalty"] == QUICK.penalty


def test_every_trial_is_a_run_nested_in_the_study_s(search, registry):
    found, _, _ = search(2)
    client = registry.client()
    (here,) = [each.experiment_id for each in client.search_experiments() if each.name == "headway"]
    nested = client.search_runs([here], f"tags.`mlflow.parentRunId` = '{found['run']}'")
    assert sorted(run.info.run_name for run in nested) == ["tune x trial 0", "tune x trial 1"]
    assert all("score" in run.data.metrics and "penalty" in run.data.params for run in nested)
    assert "experiment.toml" in {path.path for path in client.list_artifacts(found["run"])}


def test_two_searches_in_one_folder_are_one_too_many(search, registry):
    registry.root.mkdir()
    with FileLock(registry.root / "tune.lock"), pytest.raises(Busy, match="(?s)Another `headway tune`.*Wait"):
        search(1)


def test_no_trial_is_started_after_its_minutes(search):
    with pytest.raises(DataError, match="(?s)No trial was made.*--minutes 0"):
        search(3, minutes=0)
    search(1)
    found, said, _ = search(3, minutes=0)
    assert found["added"] == 0 and said[-1] == "no more trials: 0 minutes are over"


def test_a_start_outside_the_space_widens_it_and_a_half_life_without_end_is_not_searched():
    space = tune._space(Experiment(penalty=5000.0, half_lives=(None,)))
    assert space["penalty"].high == 5000.0 and "half_life" not in space
    assert tune._recipe({"rounds": 60, "penalty": 12.3456}, Experiment(half_lives=(None,))) == Experiment(
        rounds=60, penalty=12.3, half_lives=(None,)
    )
