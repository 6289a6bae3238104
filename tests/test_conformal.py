import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.models.conformal import FEWEST, WIDEST, ChanceIntervals, GradeSets, mass_before, spans

_chances = (
    st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4)
    .filter(lambda p: sum(p) > 0.01)
    .map(lambda p: np.array(p) / sum(p))
)


# --- grade sets ---------------------------------------------------------------------------------------------


def test_a_set_grows_from_the_likeliest_rank_by_the_likelier_neighbour():
    # 2 comes first; then 3 (0.2 against 0.1), with 0.6 in before it; then 1, which wins the tie with 4; then
    # 4.
    assert mass_before(np.array([[0.1, 0.6, 0.2, 0.1]]))[0] == pytest.approx([0.8, 0.0, 0.6, 0.9])


def test_the_limit_is_the_finite_sample_quantile():
    # Of nine scores the ceil(10 x 0.9) = 9th smallest; of eight that would be the 9th, which there isn't: all
    # ranks.
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8])
    assert GradeSets()._limit(scores) == 0.8
    assert GradeSets()._limit(scores[:8]) == 1.0
    assert GradeSets(promised=0.5)._limit(scores) == 0.5
    assert GradeSets()._limit(scores[:0]) == 1.0


def test_a_set_holds_the_ranks_entered_up_to_the_limit_of_its_current_rank():
    sets = GradeSets(limits={"0": 1.0, "1": 0.5, "2": 0.6, "3": 0.85, "4": 0.9})
    chances = np.repeat([[0.1, 0.6, 0.2, 0.1]], 4, axis=0)
    assert list(spans(sets.members(chances, np.array([1, 2, 3, 4])))) == ["2", "2-3", "1-3", "1-4"]


def test_a_rank_with_few_outcomes_leans_on_all_ranks():
    chances = np.repeat([[0.05, 0.65, 0.25, 0.05]], 2 * FEWEST, axis=0)
    current = np.repeat([2, 3], [2 * FEWEST - 9, 9])
    limits = GradeSets().fit(chances, current, np.where(current == 2, 2, 3)).limits
    assert limits["3"] == limits["4"] == limits["0"]
    assert GradeSets().fit(chances, np.repeat([2, 3], FEWEST), np.repeat([2, 3], FEWEST)).limits["3"] == 0.65


@settings(max_examples=200, deadline=None, derandomize=True)
@given(_chances, st.integers(1, 4), st.floats(0.0, 1.0))
def test_sets_are_contiguous_and_hold_the_likeliest_rank(chances, rank, limit):
    (held,) = GradeSets(limits={str(rank): limit}).members(chances[None, :], np.array([rank]))
    assert held[chances.argmax()]
    assert np.abs(np.diff(np.concatenate([[0], held.astype(int), [0]]))).sum() == 2


def test_sets_hold_the_next_rank_as_often_as_promised_even_where_the_chances_are_wrong():
    rng = np.random.default_rng(0)
    held = []
    # what comes has the square of the chances given: too humble by far, and by current rank
    for _ in range(40):
        chances, current = rng.dirichlet([1.0, 1.0, 1.0, 1.0], 900), np.repeat([2, 3, 4], 300)
        true = np.where((current == 4)[:, None], 1 - chances, chances**2)
        true = (true / true.sum(axis=1, keepdims=True)).cumsum(axis=1)
        following = (rng.random((900, 1)) > true[:, :3]).sum(axis=1) + 1
        learn = rng.permutation(900) < 450
        sets = GradeSets().fit(chances[learn], current[learn], following[learn])
        members = sets.members(chances[~learn], current[~learn])
        hit = members[np.arange(len(members)), following[~learn] - 1]
        held.append([hit[current[~learn] == rank].mean() for rank in (2, 3, 4)])
    assert np.mean(held, axis=0) == pytest.approx([0.9, 0.9, 0.9], abs=0.015)


# --- intervals on a chance ----------------------------------------------------------------------------------


def _years(*rates: float, count: int = 400, said: float = 0.5) -> ChanceIntervals:
    """Intervals learned from years in which `said` was the chance given and these the shares that came, at
    rank 3.
    """
    happened = np.concatenate([np.arange(count) < round(rate * count) for rate in rates]).astype(float)
    fold = np.repeat(np.arange(len(rates)), count)
    return ChanceIntervals().fit(np.full(len(fold), said), happened, np.full(len(fold), 3), fold)


def test_years_that_differ_make_a_wider_interval_than_years_alike():
    alike, apart = _years(0.5, 0.5, 0.5), _years(0.4, 0.5, 0.6)
    assert apart.spread["3"] > 2 * alike.spread["3"]


def test_years_alike_leave_only_the_sampling_error_of_their_mean():
    # Each of three years has a variance of 1 / (400 x 0.25) = 0.01, their mean of 0.01 / 3.
    assert _years(0.5, 0.5, 0.5).spread["3"] == pytest.approx((0.01 / 3) ** 0.5)


def test_being_wrong_the_same_way_each_year_widens_too():
    # A shift of (0.55 - 0.5) / 0.25 = 0.2 in log-odds each year.
    assert _years(0.55, 0.55).spread["3"] == pytest.approx((0.01 / 2 + 0.2**2) ** 0.5)


@pytest.mark.parametrize("learned", [_years(0.5), _years(0.0, 1.0), _years(0.5, 0.5, count=FEWEST - 2)])
def test_where_there_is_too_little_to_learn_from_the_widest_is_said(learned):
    assert learned.spread["3"] == WIDEST
    low, high = learned.around(np.array([0.5]), np.array([3]))
    assert (low[0], high[0]) == pytest.approx((1 / (1 + np.exp(1.645)), 1 / (1 + np.exp(-1.645))), abs=1e-3)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.floats(1e-6, 1 - 1e-6), st.integers(1, 4), st.floats(0.0, 3.0))
def test_an_interval_contains_its_chance_and_stays_between_0_and_1(chance, rank, spread):
    (low,), (high,) = ChanceIntervals(spread={str(rank): spread}).around(np.array([chance]), np.array([rank]))
    assert 0 <= low <= chance + 1e-12 and chance - 1e-12 <= high <= 1
