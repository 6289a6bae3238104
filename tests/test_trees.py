import subprocess
import sys

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.models import trees

QUIET = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 3, "objective": "binary"}


def _booster(
    seed: int, blank: float, rounds: int = 12, categorical: list[int] | None = None, **settings
) -> lightgbm.Booster:
    """A booster of five signals: the last never blank, the others blank as often as said."""
    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(300, 5)).round(1)
    if categorical:
        rows[:, categorical] = chance.integers(0, 5, size=(300, len(categorical)))
    rows[:, :4][chance.random((300, 4)) < blank] = np.nan
    improved = (np.nansum(rows[:, :3], axis=1) + chance.normal(size=300) > 0).astype(float)
    learned = lightgbm.Dataset(rows, improved, categorical_feature=categorical or [])
    return lightgbm.train({**QUIET, "seed": seed, **settings}, learned, rounds)


def _rows(seed: int, many: int) -> np.ndarray:
    chance = np.random.default_rng(seed + 1)
    rows = chance.normal(size=(many, 5)).round(1)
    rows[chance.random((many, 5)) < 0.3] = np.nan  # in the last column too, which had no blank to learn from
    return rows


def _columns(rows: np.ndarray) -> list[np.ndarray]:
    return list(rows.T)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.2, 0.9]), st.integers(2, 9), st.integers(2, 60))
def test_scores_are_lightgbms_to_the_last_bit(seed, blank, leaves, bins):
    booster, rows = _booster(seed, blank, num_leaves=leaves, max_bin=bins), _rows(seed, 100)
    forest = trees.read(booster.model_to_string())
    assert isinstance(forest, trees.Forest)
    assert (forest.scores(_columns(rows)) == booster.predict(rows, raw_score=True)).all()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.2]), st.integers(2, 9))
def test_contributions_are_those_of_lightgbms_treeshap(seed, blank, leaves):
    booster, rows = _booster(seed, blank, num_leaves=leaves), _rows(seed, 50)
    parts = trees.read(booster.model_to_string()).contributions(_columns(rows))
    assert parts == pytest.approx(booster.predict(rows, pred_contrib=True), abs=1e-12)


@pytest.mark.parametrize(
    ("why", "settings"),
    [
        ("more questions than a code holds", {"num_leaves": 10}),
        ("categories", {"num_leaves": 5, "categorical": [0]}),
        ("lines in the leaves", {"num_leaves": 5, "linear_tree": True}),
        ("noughts that mean blank", {"zero_as_missing": True, "num_leaves": 5}),
        ("a mean of trees", {"num_leaves": 5, "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}),
    ],
)
def test_other_trees_are_answered_by_lightgbm_itself(why, settings):
    booster, rows = _booster(3, 0.2, **settings), _rows(3, 60)
    answers = trees.read(booster.model_to_string())
    assert isinstance(answers, trees.Library), why
    assert (answers.scores(_columns(rows)) == booster.predict(rows, raw_score=True)).all()


@pytest.mark.parametrize("line", ["version=v5", ""])
def test_text_of_a_version_we_do_not_know_is_lightgbms_to_read(line):
    """What its next version means by the same words, only LightGBM can say."""
    text = _booster(3, 0.2, num_leaves=6).model_to_string()
    assert isinstance(trees.read(text), trees.Forest) and text.count("version=v4\n") == 1
    assert isinstance(trees.read(text.replace("version=v4\n", f"{line}\n" if line else "")), trees.Library)


@pytest.mark.parametrize("leaves", [6, 12])
def test_one_value_tried_both_ways_gives_a_row_of_scores_for_each(leaves):
    booster, rows = _booster(5, 0.2, num_leaves=leaves), _rows(5, 40)
    low, high = rows.copy(), rows.copy()
    low[:, 2], high[:, 2] = -1.0, 1.0
    columns = _columns(rows)
    columns[2] = np.array([[-1.0], [1.0]])
    scores = trees.read(booster.model_to_string()).scores(columns)
    assert scores.shape == (2, 40)
    assert (scores == [booster.predict(low, raw_score=True), booster.predict(high, raw_score=True)]).all()


@pytest.mark.parametrize("leaves", [6, 12])
def test_no_rows_have_no_scores(leaves):
    answers = trees.read(_booster(1, 0.2, num_leaves=leaves).model_to_string())
    none = [np.zeros(0)] * 5
    assert answers.scores(none).shape == (0,)
    assert answers.contributions(none).shape == (0, 6)


def test_a_tree_that_asks_nothing_adds_its_one_value():
    booster = _booster(1, 0.0, num_leaves=4, min_data_in_leaf=290, rounds=2)
    rows = _rows(1, 5)
    answers = trees.read(booster.model_to_string())
    assert (answers.scores(_columns(rows)) == booster.predict(rows, raw_score=True)).all()
    assert answers.contributions(_columns(rows)) == pytest.approx(booster.predict(rows, pred_contrib=True))


def test_small_trees_are_answered_without_lightgbm():
    text = _booster(2, 0.2, num_leaves=6).model_to_string()
    program = (
        "import sys, numpy; from headway.models import trees; forest = trees.read(sys.stdin.read()); "
        "forest.scores([numpy.zeros(3)] * 5); forest.contributions([numpy.zeros(3)] * 5); print('lightgbm' "
        "in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], input=text, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"
