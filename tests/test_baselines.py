import numpy as np
import pandas as pd
import pytest

from headway.models.baselines import RULES, Logistic, Rate, outcome

PAST = """
    overall | phase     | next | leadership_gap | gap_sign
    3       | Primary   | 2    | 1              | 1
    3       | Primary   | 2    | 0              | 0
    3       | Primary   | 3    | 1              | 1
    3       | Secondary | 4    | 0              | 0
    2       | Primary   | 1    | 0              | 0
    2       | Primary   | 2    | 0              | 0
    1       | Primary   | 1    |                | 0
    1       |           | 3    | 0              | 0
"""
ASKED = """
    overall | phase     | leadership_gap | gap_sign
    3       | Primary   | 0              | 0
    3       | Secondary |                | 0
    3       | Nursery   | 1              | 1
    3       |           | 0              | 0
    2       | Secondary | -1             | -1
    1       | Primary   | 0              | 0
    4       | Primary   | 2              | 1
"""


@pytest.fixture
def past(drawn) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    rows = drawn(PAST)
    return rows, rows["next"].to_numpy(), np.ones(len(rows))


def test_a_lower_rank_is_a_better_grade():
    assert outcome(np.array([2, 2, 2]), np.array([1, 2, 4])).tolist() == [0, 1, 2]


def test_the_rate_of_a_grade_is_the_share_of_its_outcomes(drawn, past):
    chances = Rate("overall").fit(*past).predict(drawn(ASKED))
    assert chances[0] == pytest.approx([2 / 4, 1 / 4, 1 / 4])
    assert chances[4] == pytest.approx([1 / 2, 1 / 2, 0])


def test_a_row_counts_as_often_as_its_weight(drawn, past):
    rows, following, _ = past
    weight = np.array([5.0, 1, 1, 1, 1, 1, 1, 1])
    assert Rate("overall").fit(rows, following, weight).predict(drawn(ASKED))[0] == pytest.approx(
        [6 / 8, 1 / 8, 1 / 8]
    )


def test_a_cell_never_seen_takes_the_rate_of_its_grade(drawn, past):
    chances = Rate("overall", "phase").fit(*past).predict(drawn(ASKED))
    assert chances[0] == pytest.approx([2 / 3, 1 / 3, 0])
    assert chances[1] == pytest.approx([0, 0, 1])
    assert chances[2] == pytest.approx([2 / 4, 1 / 4, 1 / 4])
    assert chances[3] == pytest.approx([2 / 4, 1 / 4, 1 / 4])


def test_a_grade_never_seen_takes_the_rate_of_everyone_less_what_cannot_be(drawn, past):
    # Of eight, three improved, three stayed and two fell; from grade 4 nobody falls.
    assert Rate("overall", "phase").fit(*past).predict(drawn(ASKED))[6] == pytest.approx([3 / 6, 3 / 6, 0])


def test_the_gap_rule_knows_only_which_way_the_gap_is(drawn, past):
    chances = RULES["leadership_gap_rule"]().fit(*past).predict(drawn(ASKED))
    assert chances[0] == pytest.approx([1 / 2, 0, 1 / 2])
    assert chances[2] == pytest.approx([1 / 2, 1 / 2, 0])


@pytest.mark.parametrize("name", RULES)
def test_nobody_rises_above_1_or_falls_below_4_and_chances_sum_to_1(drawn, past, name):
    chances = RULES[name]().fit(*past).predict(drawn(ASKED))
    assert chances.shape == (7, 3) and (chances >= 0).all()
    assert chances.sum(axis=1) == pytest.approx(np.ones(7))
    assert chances[5, 0] == 0 and chances[6, 2] == 0


def test_the_logistic_rule_learns_the_gap():
    gap = np.tile([0.0, 1.0], 200)
    state = pd.DataFrame({"overall": 3, "phase": "Primary", "leadership_gap": gap})
    rises = np.tile([0, 0, 0, 1, 1, 1, 0, 1], 50).astype(bool)  # one in four without the gap, three with it
    chances = Logistic().fit(state, np.where(rises, 2, 3), np.ones(400)).predict(state.head(2))
    assert chances[0, 0] == pytest.approx(0.25, abs=0.02)
    assert chances[1, 0] == pytest.approx(0.75, abs=0.02)
