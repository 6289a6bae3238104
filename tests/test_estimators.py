import made
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.models import estimators
from headway.models.estimators import CANDIDATES, EDGE, STAY, UP, CellRates, Departures

ROWS = made.rows()


@pytest.fixture(scope="module", params=list(CANDIDATES))
def candidate(request: pytest.FixtureRequest) -> Departures:
    return Departures(learners=CANDIDATES[request.param]).fit(**ROWS)


@pytest.fixture(scope="module")
def blend() -> Departures:
    return Departures().fit(**ROWS)


def _state(*rows: tuple[int, str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["overall", "cell", "group"])


def _blank(count: int) -> pd.DataFrame:
    return pd.DataFrame(np.nan, index=range(count), columns=made.SIGNALS)


# --- recent rates by cell -----------------------------------------------------------------------------------


def test_a_small_group_leans_on_its_cell_and_a_large_one_less():
    # In all 50 of 80 (0.625) reached 2 or better: 30 of 60 in one group and 20 of 20 in the other. With 20
    # rows' worth of the cell's own rate: (30 + 12.5) / (60 + 20) = 0.53125 and (20 + 12.5) / (20 + 20) =
    # 0.8125.
    state = _state(*[(3, "3", "Primary")] * 60, *[(3, "3", "Special")] * 20)
    following = np.array([2] * 30 + [3] * 30 + [2] * 20)
    rates = CellRates.of(state, following, np.ones(80))
    asked = _state((3, "3", "Primary"), (3, "3", "Special"), (3, "3", "Nursery"), (3, "3", None))
    assert rates.at(asked)[:, 1] == pytest.approx([0.53125, 0.8125, 0.625, 0.625])


def test_a_row_weighs_what_its_freshness_says():
    state = _state((2, "2", "Primary"), (2, "2", "Primary"))
    rates = CellRates.of(state, np.array([1, 2]), np.array([3.0, 1.0]))
    assert rates.at(state)[:, 0] == pytest.approx([0.75, 0.75])


def test_an_unseen_cell_answers_with_its_plain_grade_and_nothing_known_with_a_half():
    state = _state(*[(3, "3", "Primary")] * 40)
    rates = CellRates.of(state, np.array([2, 3, 3, 3] * 10), np.ones(40))
    asked = _state((3, "3 satisfactory", "Primary"), (4, "4", "Primary"))
    assert rates.at(asked)[:, 1] == pytest.approx([0.25, 0.5])


def test_no_rate_is_nearer_to_certainty_than_the_edge():
    state = _state(*[(2, "2", "Primary")] * 500)
    assert CellRates.of(state, np.full(500, 2), np.ones(500)).at(state.head(1)).tolist() == [
        [EDGE, 1 - EDGE, 1 - EDGE]
    ]


# --- chances of each next rank ------------------------------------------------------------------------------


def test_with_no_departure_the_chances_are_the_steps_between_the_rates():
    chances = estimators.spread(np.zeros((1, 2)), np.array([[0.1, 0.6, 0.9]]), np.array([3]))
    assert chances[0] == pytest.approx([0.1, 0.5, 0.3, 0.1])


def test_a_departure_moves_every_boundary_on_its_side_and_no_other():
    # Above rank 3 the odds treble: 1/9 to 3/9, 6/4 to 18/4. The boundary at rank 3 stays.
    chances = estimators.spread(np.array([[np.log(3), 0.0]]), np.array([[0.1, 0.6, 0.9]]), np.array([3]))
    assert chances[0].cumsum() == pytest.approx([3 / 12, 18 / 22, 0.9, 1])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.tuples(st.floats(-30, 30), st.floats(-30, 30)),
    st.lists(st.floats(EDGE, 1 - EDGE), min_size=3, max_size=3).map(sorted),
    st.integers(1, 4),
)
def test_chances_never_cross_whatever_the_departures_on_either_side(departures, rates, rank):
    (chances,) = estimators.spread(np.array([departures]), np.array([rates]), np.array([rank]))
    assert (chances >= 0).all() and chances.sum() == pytest.approx(1)


_signal = st.one_of(
    st.just(float("nan")), st.floats(-1e9, 1e9), st.sampled_from([float("inf"), float("-inf")])
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.tuples(*[_signal] * 4),
            st.integers(1, 4),
            st.sampled_from(["3 satisfactory", "own"]),
            st.sampled_from(["Primary", "Nursery", None]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_chances_sum_to_one_for_any_signals_and_any_cell(blend, asked):
    signals = pd.DataFrame([row[0] for row in asked], columns=made.SIGNALS)
    state = _state(*[(rank, str(rank) if cell == "own" else cell, group) for _, rank, cell, group in asked])
    chances = blend.predict(signals, state)
    assert (chances >= 0).all()
    assert chances.sum(axis=1) == pytest.approx(np.ones(len(asked)))


def test_blank_signals_move_no_chance_of_a_table_and_stay_finite_everywhere(candidate):
    asked = _state(*[(rank, str(rank), "Primary") for rank in (1, 2, 3, 4)])
    chances = candidate.predict(_blank(4), asked)
    assert np.isfinite(chances).all() and chances.sum(axis=1) == pytest.approx(np.ones(4))
    if not candidate.learners:
        assert chances == pytest.approx(
            estimators.spread(np.zeros((4, 2)), candidate.recent.at(asked), np.arange(1, 5))
        )


def test_signals_that_were_blank_throughout_can_be_learned_from():
    signals = ROWS["signals"].assign(decoy=np.nan)
    model = Departures().fit(**{**ROWS, "signals": signals})
    assert np.isfinite(model.predict(signals.head(9), ROWS["state"].head(9))).all()
    assert np.abs(model.contributions(signals.head(9), ROWS["state"].head(9))["decoy"]).max() == 0


# --- what it learns -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, learners in CANDIDATES.items() if learners])
def test_the_planted_departure_is_found_and_the_decoy_is_not(name):
    model = Departures(learners=CANDIDATES[name]).fit(**ROWS)
    moved = model.contributions(ROWS["signals"], ROWS["state"]).abs().mean()
    assert moved["leadership_gap"] > 0.05 and moved["share_stayed"] > 0.02
    assert moved["decoy"] < moved["leadership_gap"] / 3


@pytest.mark.parametrize("name", [name for name, learners in CANDIDATES.items() if learners])
def test_the_gap_shuffled_between_schools_of_a_grade_moves_chances_no_more(name):
    rng = np.random.default_rng(3)
    gap = ROWS["signals"]["leadership_gap"].groupby(ROWS["state"]["overall"]).transform(rng.permutation)
    shuffled = {**ROWS, "signals": ROWS["signals"].assign(leadership_gap=gap)}
    before, after = (
        Departures(learners=CANDIDATES[name])
        .fit(**rows)
        .contributions(rows["signals"], rows["state"])["leadership_gap"]
        .abs()
        .mean()
        for rows in (ROWS, shuffled)
    )
    assert after < before / 5


def test_a_level_that_moves_between_eras_is_not_taken_for_a_signal():
    # `decoy` names the era, in which everyone's chances move together; within an era it tells nothing.
    model = Departures(learners=("ridge",)).fit(
        **{**ROWS, "signals": ROWS["signals"].assign(decoy=ROWS["era"].astype(float))}
    )
    moved = model.contributions(ROWS["signals"], ROWS["state"]).abs().mean()
    assert moved["decoy"] < 0.01


_rows = st.tuples(st.integers(0, len(ROWS["state"]) - 1), st.floats(-3, 3), st.floats(-3, 3))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(_rows, min_size=1, max_size=5))
def test_raising_the_leadership_gap_never_lowers_the_boosted_chance_of_improving(boosted, asked):
    which, some, other = (np.array(column) for column in zip(*asked, strict=True))
    state = ROWS["state"].iloc[which]
    chances = [boosted.predict(ROWS["signals"].iloc[which].assign(leadership_gap=gap), state)
               for gap in (np.minimum(some, other), np.maximum(some, other))]  # fmt: skip
    better = np.arange(1, 5)[None, :] < state["overall"].to_numpy()[:, None]
    low, high = ((chance * better).sum(axis=1) for chance in chances)
    assert (high >= low - 1e-12).all()


@pytest.fixture(scope="module")
def boosted() -> Departures:
    return Departures(learners=("boosted",)).fit(**ROWS)


# --- why ----------------------------------------------------------------------------------------------------


def test_contributions_and_the_recent_rate_add_up_to_the_chance(candidate):
    state, overall = ROWS["state"], ROWS["state"]["overall"].to_numpy()
    chances = candidate.predict(ROWS["signals"], state)
    better = np.arange(1, 5)[None, :] < overall[:, None]
    at_stake = np.where(overall == 1, chances[:, 0], (chances * better).sum(axis=1))
    side = np.where(overall == 1, STAY, UP)
    rate = candidate.recent.at(state)[np.arange(len(state)), overall + side - 1]
    parts = candidate.contributions(ROWS["signals"], state)
    assert (rate + parts.sum(axis=1)).to_numpy() == pytest.approx(at_stake, abs=1e-12)
    assert parts.index.equals(state.index)


def test_a_column_that_never_differs_contributes_nothing(candidate):
    parts = candidate.contributions(ROWS["signals"], ROWS["state"])
    assert "constant" not in parts or (parts["constant"] == 0).all()


# --- the same again -----------------------------------------------------------------------------------------


def test_the_same_rows_give_the_same_bytes(candidate):
    again = Departures(learners=candidate.learners).fit(**made.rows())
    assert again.as_files() == candidate.as_files()


def test_another_seed_gives_other_trees(boosted):
    assert Departures(learners=("boosted",), seed=1).fit(**ROWS).as_files() != boosted.as_files()


def test_read_back_from_its_files_it_predicts_the_same_to_the_last_bit(candidate, tmp_path):
    for name, text in candidate.as_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    loaded = Departures.from_files(tmp_path)
    signals = pd.concat([ROWS["signals"], _blank(4)], ignore_index=True)
    state = pd.concat(
        [ROWS["state"], _state(*[(rank, "unseen", None) for rank in (1, 2, 3, 4)])], ignore_index=True
    )
    assert np.array_equal(loaded.predict(signals, state), candidate.predict(signals, state))
    assert loaded.contributions(signals, state).equals(candidate.contributions(signals, state))
    assert loaded.as_files() == candidate.as_files()
