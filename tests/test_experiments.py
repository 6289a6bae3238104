import json
import tomllib
from pathlib import Path

import asked
import made
import pandas as pd
import pytest

from headway.models import RegistryError
from headway.models.estimators import BOOSTING, CANDIDATES, PENALTY, ROUNDS
from headway.models.registry import Recorded, Registry
from headway.pipelines import compare, evaluate, experiments, inspections, signals
from headway.pipelines.experiments import Experiment
from headway.pipelines.tables import DataError

ROOT = Path(__file__).parents[1]

# --- what may stand in a file -------------------------------------------------------------------------------


def test_without_a_file_every_setting_is_the_constant_that_governs_it():
    ours = experiments.asked(None)
    assert ours == Experiment()
    assert (ours.boosting, ours.rounds, ours.penalty, ours.half_lives) == (
        BOOSTING,
        ROUNDS,
        PENALTY,
        evaluate.HALF_LIVES,
    )
    assert (ours.candidates, ours.mornings, ours.newest) == (tuple(CANDIDATES), inspections.MONTHS, None)
    assert set(signals.FAMILIES) - set(ours.families) == set(signals.OFF)
    assert ours.options == evaluate.Options() and ours.options.default == evaluate.DEFAULT
    assert experiments.unlike(ours) == []


def test_what_is_left_out_stays_and_what_is_said_takes_its_place():
    other = experiments.of(
        {"half_lives": [4, "never"], "mornings": [9, 3], "newest": 3, "boosting": {"num_leaves": 4}}, "x"
    )
    assert (other.half_lives, other.mornings, other.newest) == ((4.0, None), (3, 9), 3)
    assert other.boosting == BOOSTING | {"num_leaves": 4} and other.penalty == PENALTY
    assert experiments.unlike(other) == [
        "half_lives with 4.0 and without 0.5, 1.0, 2.0",
        "mornings with 3",
        "newest 3 instead of all",
        f"num_leaves 4 instead of {BOOSTING['num_leaves']}",
    ]


def test_the_command_line_s_word_counts_over_the_file_s(tmp_path):
    (tmp_path / "x.toml").write_text("seed = 4\nnewest = 2\n")
    assert experiments.asked(tmp_path / "x.toml", seed=None, newest=5) == Experiment(seed=4, newest=5)
    assert experiments.asked(None, seed=0).seed == 0


def test_all_that_cannot_stand_is_told_at_once_with_the_nearest_name():
    wrong = {"familes": ["intake"], "families": ["intak"], "rounds": "many", "penalty": -1, "seed": True, "half_lives": ["nver"],
             "mornings": [3], "newest": 0, "candidates": [], "boosting": {"num_leavs": 3, "feature_fraction": 2, "max_bin": 1.5}}  # fmt: skip
    with pytest.raises(DataError, match="x.toml can't be followed") as told:
        experiments.of(wrong, "x.toml")
    said = str(told.value).splitlines()
    assert len(said) == 12
    for line in (
        '- there is no setting "familes"; the nearest is families',
        '- families: there is no "intak"; the nearest is intake',
        '- rounds: expected a whole number, 1 or more, and found "many"',
        "- penalty: expected a number from 0, and found -1",
        "- seed: expected a whole number, 0 or more, and found true",
        '- half_lives: expected a number over 0, or "never", and found "nver"',
        '- newest: expected a whole number, 1 or more, or "all", and found 0',
    ):
        assert line in said
    (boosting,) = [line for line in said if line.startswith("- boosting")]
    assert (
        "num_leaves" in boosting
        and "feature_fraction: expected a number over 0 to 1" in boosting
        and "max_bin" in boosting
    )


@pytest.mark.parametrize("content, said", [("rounds = ", "is not TOML"), (None, "can't be read")])
def test_a_file_that_is_none_says_which_one_shows_how(tmp_path, content, said):
    if content:
        (tmp_path / "x.toml").write_text(content)
    with pytest.raises(DataError, match=f"(?s){said}.*no-intake.toml"):
        experiments.read(tmp_path / "x.toml")


@pytest.mark.parametrize(
    "experiment",
    [
        Experiment(),
        Experiment(newest=3, half_lives=(None, 0.25), boosting=BOOSTING | {"learning_rate": 1e-05}),
    ],
    ids=["ours", "another"],
)
def test_a_file_that_was_written_reads_back_as_the_same_experiment_with_a_sentence_for_each_setting(
    tmp_path, experiment
):
    text = experiments.as_toml(experiment, "why\nand how")
    (tmp_path / "x.toml").write_text(text)
    assert experiments.read(tmp_path / "x.toml") == experiment
    assert text.startswith("# why\n# and how\n") and text.count("\n# ") >= len(experiments.SETTINGS)
    assert json.loads(json.dumps(experiments.plain(experiment))) == tomllib.loads(text)


def test_the_example_leaves_out_the_intake_and_nothing_else():
    assert experiments.unlike(experiments.read(ROOT / "experiments" / "no-intake.toml")) == [
        "families without intake"
    ]


# --- what a training does with it ---------------------------------------------------------------------------


def test_training_asks_on_the_first_day_of_every_month_named(drawn, table):
    covered = table("coverage", drawn("from_on | to_on\n2013-01-01 | 2014-04-30"))
    days = [f"{day:%Y-%m-%d}" for day in inspections.mornings(covered, (3, 9))]
    assert days == ["2013-01-02", "2013-03-01", "2013-09-01", "2014-03-01"]
    assert [f"{day:%Y-%m-%d}" for day in inspections.mornings(covered)] == ["2013-01-02", "2013-09-01"]


def test_the_folds_choose_among_the_experiment_s_candidates_and_half_lives_and_show_them_all():
    rows = asked.examples(750)
    mine = Experiment(candidates=("table", "ridge"), half_lives=(None, 0.75), rounds=3)
    walked = {
        fold: evaluate.ask(fold, rows, asked.SIGNALS, half_lives=mine.half_lives, **mine.fitting)
        for fold in asked.FOLDS
    }
    table, choices = evaluate.backtest(rows, walked, evaluate.OVERALL, mine.options)
    assert (choices[0]["candidate"], choices[0]["half_life"]) == mine.options.default == ("ridge", None)
    assert {choice["candidate"] for choice in choices} <= {"table", "ridge"}
    assert {choice["half_life"] for choice in choices} <= {None, 0.75}
    assert set(choices[-1]["score_on_earlier_folds"]) == {
        f"{name} {life}" for name in mine.candidates for life in mine.half_lives
    }
    assert set(CANDIDATES) <= set(table["model"])


def test_the_trials_fit_with_the_experiment_s_penalty():
    rows = asked.examples(1600)
    loose, tight = (evaluate.wholes(rows, asked.SIGNALS, 1, penalty=penalty) for penalty in (1.0, 1e6))
    assert abs(loose[0].ridge().ridge.slopes[0][0]) > 10 * abs(tight[0].ridge().ridge.slopes[0][0])
    gain = {name: evaluate.ablation(wholes, asked.SIGNALS, {"leadership_gap": "leadership", "decoy": "context"}, 1)
            for name, wholes in (("loose", loose), ("tight", tight))}  # fmt: skip
    said = {
        name: next(row["gain"] for row in rows if row["family"] == "leadership")
        for name, rows in gain.items()
    }
    assert said["loose"] > 10 * abs(said["tight"])


# --- two trainings compared ---------------------------------------------------------------------------------


def _recorded(name: str, p: float, drawn, **other) -> Recorded:
    """A run whose chance for three schools was p; the first and the second improved."""
    rows = drawn("""
        fold       | urn | lineage | overall | label
        2020-09-01 | 1   | 1       | 3       | improved
        2020-09-01 | 2   | 2       | 3       | improved
        2020-09-01 | 3   | 3       | 3       | same
        2020-09-01 | 4   | 4       | 1       | same
    """).assign(p_improve=p)
    rows["fold"] = pd.to_datetime(rows["fold"])
    report = {"model_version": name, "as_of": "2021-09-01", "final": {"candidate": "ridge"}, "data_source": "official",
              "newest_file_on": "2021-08-31", "inputs": "a", "files": {"a.csv": "1", "b.csv": "2"}, "rows": {"schools": 10},
              "commit": "abc", "dirty": False, "made_from": {"code": "c", "registers": "r", "libraries": {"lightgbm": "4.6.0", "numpy": "2.4.0"}}, "signals": ["gap"],
              "counts": [{"as_of": "2020-09-01", "reason": "labelled", "schools": 3}, {"as_of": "2020-09-01", "reason": "not yet", "schools": 2}],
              "scores": [{"fold": "2020-09-01", "model": "champion", "n": 3, "skill": p / 10, "auc_2": None, "auc_3": 0.7, "slope": 1.0}],
              } | other  # fmt: skip
    return Recorded(name, "1", {"rounds": "200", "seed": "0"}, report, rows)


def test_two_runs_of_the_same_kind_differ_in_nothing(drawn):
    found = compare.compare(_recorded("a", 0.6, drawn), _recorded("b", 0.6, drawn))
    assert found["settings"] == {} and found["paired"]["gain"] == 0
    assert compare.lines(found)[:4] == [
        "data: the same official files",
        "code: the same (abc)",
        "settings: the same",
        "signals: the same 1",
    ]
    assert "no different that shows" in compare.lines(found)[-1]


def test_what_differs_is_named_file_by_file_and_setting_by_setting(drawn):
    one = _recorded("a", 0.6, drawn)
    two = _recorded(
        "b",
        0.6,
        drawn,
        inputs="b",
        files={"b.csv": "3", "c.csv": "1"},
        rows={"schools": 12},
        signals=["gap", "stayed"],
        commit="headway 0.1.0+abcdef012345",
        dirty=True,
        made_from={"code": "d", "registers": "s", "libraries": {"lightgbm": "4.7.0", "numpy": "2.4.0"}},
    )
    two = Recorded("b", "2", {"rounds": "300", "seed": "0"}, two.report, two.backtest)
    found = compare.compare(one, two)
    assert found["data"]["files"] == {
        "only_first": ["a.csv"],
        "only_second": ["c.csv"],
        "changed": ["b.csv"],
        "known": True,
    }
    assert found["data"]["rows"] == {"schools": [10, 12]} and found["settings"] == {"rounds": ["200", "300"]}
    assert found["data"]["examples"] == {"examples": [5, 5], "mornings": [1, 1], "labelled": [3, 3]}
    said = "\n".join(compare.lines(found))
    for words in (
        "1 files changed: b.csv",
        "other registers",
        "code: abc and headway 0.1.0+abcdef012345 with changes",
        "code: lightgbm 4.6.0 and 4.7.0",
        "signals: only in the second: stayed",
    ):
        assert words in said
    titles = [title for title, _, _ in compare.tables(found)]
    assert titles == [
        "Runs",
        "Data that differ: rows of each table, and examples",
        "Settings that differ",
        "Backtest of each, fold by fold",
    ]
    json.dumps(found, allow_nan=False)


def test_the_second_is_set_against_the_first_on_the_rows_that_could_improve_and_both_hold(drawn):
    one, two = _recorded("a", 0.5, drawn), _recorded("b", 0.6, drawn)
    two = Recorded("b", "2", two.params, two.report, two.backtest[two.backtest["urn"].ne(3)])
    found = compare.compare(one, two)["paired"]
    assert (found["n"], found["rows"]) == (2, [3, 2])
    assert found["brier"] == pytest.approx(0.16) and found["brier_other"] == pytest.approx(0.25)
    assert "the second is better" in compare.lines(compare.compare(one, two))[-1]


def test_what_cannot_be_paired_says_why(drawn):
    one, two = _recorded("a", 0.5, drawn), _recorded("b", 0.6, drawn, data_source="made-up")
    assert "made-up" in compare.compare(one, two)["why_not"]
    bare = Recorded("c", None, {}, one.report, None)
    assert compare.lines(compare.compare(one, bare))[-1].startswith(
        "not compared row by row: the backtest's rows"
    )


# --- runs read back from the store --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """A store that holds two trainings: version 1 champion, version 2 challenger."""
    registry, champion = Registry.at(None, tmp_path_factory.mktemp("runs") / "mlruns"), made.champion(1000)
    given = made.rows(50)
    example = given["signals"].assign(
        overall=given["state"]["overall"].astype("float64"),
        cell=given["state"]["cell"].astype(object),
        group=given["state"]["group"].astype(object),
    )
    champion.backtest = pd.DataFrame({"fold": [pd.Timestamp("2020-09-01")], "urn": [1], "p_improve": [0.5]})
    for rounds in (200, 300):
        registry.send(
            registry.keep(
                champion,
                params={"rounds": rounds},
                metrics={},
                tags={},
                tables={"train": {"rounds": rounds}},
                figures={},
                texts={},
                example=example,
                datasets={},
                promotion={"promote": rounds == 200, "over": None, "why": "", "figures": []},
            )
        )
    return registry


def test_a_training_is_found_by_its_alias_its_version_or_its_run(registry):
    first, second = registry.recorded("champion"), registry.recorded("2")
    assert (first.version, first.report, first.params["rounds"]) == ("1", {"rounds": 200}, "200")
    assert registry.recorded("challenger").run == second.run == registry.recorded(second.run).run != first.run
    assert first.backtest["p_improve"].tolist() == [0.5]


@pytest.mark.parametrize("name", ["7", "best", "0" * 32, "' or 1"])
def test_a_training_that_is_not_there_is_told_with_those_that_are(registry, name):
    with pytest.raises(RegistryError, match=r"(?s)no training.*or a version: 1, 2"):
        registry.recorded(name)


def test_asking_a_folder_in_which_nothing_was_trained_leaves_it_empty(tmp_path):
    with pytest.raises(RegistryError, match="headway train"):
        Registry.at(None, tmp_path / "mlruns").recorded("champion")
    assert list(tmp_path.iterdir()) == []


def test_a_study_s_trials_are_nested_in_its_run_each_once(registry):
    first = registry.study("tune x", {"rounds": 200}, {"trial 0": ({"rounds": 200}, {"score": 0.3})})
    again = registry.study(
        "tune x",
        {"rounds": 200},
        {f"trial {n}": ({"rounds": 200 + n}, {"score": 0.3}) for n in (0, 1)},
        {"gain": 0.1},
    )
    assert first == again
    client = registry.client()
    (here,) = [found.experiment_id for found in client.search_experiments() if found.name == "headway"]
    nested = client.search_runs([here], f"tags.`mlflow.parentRunId` = '{first}'")
    assert sorted(run.data.params["rounds"] for run in nested) == ["200", "201"]
    assert client.get_run(first).data.metrics == {"gain": 0.1}
