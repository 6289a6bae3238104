"""The model of standards: what it says before any card, what cards teach it, and that its answers hang
together.
"""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal

from headway.models import standards
from headway.models.standards import Standards, StandardSets

AREAS = ["inclusion", "achievement", "attendance"]
NAMES = ["results", "decoy"]


def model(**changes) -> Standards:
    """Three areas whose cuts lie at nought, so that a prior is a chance as it stands; no card yet."""
    blank = Standards(
        areas=AREAS,
        levels=[[0.0, 0.0]] * 3,
        names=NAMES,
        mean=[0.0, 0.0],
        spread=[1.0, 1.0],
        direct={"achievement": ["results"]},
        circumstances={"volunteers": 0.4},
    )
    return dataclasses.replace(blank, **changes).fit(np.zeros((0, 3, 2)), np.zeros((0, 2)), np.zeros((0, 3)))


def drawn(
    count: int,
    seed: int = 0,
    level: float = 0.0,
    results: tuple[float, ...] = (0.0, 0.0, 0.0),
    own_part: float = 0.6,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """So many cards: prior, signals, standards. All places lie `level` higher, and `results` move each area
    so much.
    """
    rng = np.random.default_rng(seed)
    prior = np.repeat((rng.normal(-1.0, 0.5, (count, 1, 1)) + np.array([1.6, 0.0])), 3, axis=1)
    signals = rng.normal(size=(count, 2))
    line = np.sqrt(1 - own_part) * rng.normal(size=(count, 1)) + np.sqrt(own_part) * rng.normal(
        size=(count, 3)
    )
    place = prior + level + signals[:, :1, None] * np.array(results)[None, :, None]
    cuts = model().cuts()
    reached = 1 + sum(
        (place[:, :, side] + line > cuts[:, cut]).astype(int) for cut, side in enumerate(standards.SIDE)
    )
    return prior, signals, reached.astype(float)


@pytest.fixture(scope="module")
def taught() -> Standards:
    return model().fit(*drawn(2000, level=0.4, results=(0.0, -0.5, 0.0)))


def test_without_a_card_the_answer_is_the_forecast_of_grades():
    prior, signals, _ = drawn(50)
    chances = model().predict(prior, signals)
    assert chances[:, :, 3:].sum(axis=2) == pytest.approx(standards.normal(prior[:, :, 1]), abs=1e-12)
    assert 1 - chances[:, :, :2].sum(axis=2) == pytest.approx(standards.normal(prior[:, :, 0]), abs=1e-12)
    assert set(model().weights.values()) == {0.0}


PLACES = st.lists(st.floats(-4, 4), min_size=6, max_size=6)


@settings(deadline=None, max_examples=60)
@given(places=PLACES, judged=st.lists(st.booleans(), min_size=3, max_size=3).filter(any))
def test_chances_of_an_area_sum_to_one_and_any_lies_between_the_worst_area_and_their_sum(
    taught, places, judged
):
    prior, asked = np.array(places).reshape(1, 3, 2), np.array([judged])
    chances = taught.predict(prior, np.zeros((1, 2)))
    assert (chances >= 0).all() and chances.sum(axis=2) == pytest.approx(np.ones((1, 3)))
    below = chances[:, :, 3:].sum(axis=2)[asked]
    anywhere = taught.any_below(chances, asked)[0]
    assert below.max() - 1e-9 <= anywhere <= min(below.sum(), 1.0) + 1e-9


@pytest.mark.parametrize("together", [0.0001, 0.5, 0.8])
def test_any_area_below_comes_from_how_areas_go_together(together):
    """The chance that not all of three normals, which correlate by the square of the common part, stay on
    their side.
    """
    alike = model(together=together)
    chances = alike.predict(np.full((1, 3, 2), standards.probit(np.array(0.2))), np.zeros((1, 2)))
    correlation = np.full((3, 3), together**2) + np.eye(3) * (1 - together**2)
    none = multivariate_normal(cov=correlation).cdf(np.full(3, standards.probit(np.array(0.8))))
    assert alike.any_below(chances)[0] == pytest.approx(1 - none, abs=0.002)


def test_cards_move_the_level_and_the_signal_where_it_was_planted_and_not_the_decoy(taught):
    cuts = taught.cuts()[:, 1:3] - model().cuts()[:, 1:3]
    assert cuts == pytest.approx(np.full((3, 2), -0.4), abs=0.12)
    slopes = taught.slopes()
    assert slopes[1, :, 0] == pytest.approx([-0.5, -0.5], abs=0.15)
    assert np.abs(slopes[[0, 2], :, 0]).max() < 0.15 and np.abs(slopes[:, :, 1]).max() < 0.1


def test_areas_that_go_together_are_found_to(taught):
    apart = model().fit(*drawn(2000, own_part=0.95))
    assert apart.loadings().max() < taught.loadings().min()


def test_the_cards_weigh_more_the_more_they_are_and_few_move_little():
    few, many = (model().fit(*drawn(count, level=1.0)) for count in (10, 600))
    assert 0 < few.weights["level"] < many.weights["level"] < 1
    moved = [-(each.cuts() - model().cuts())[:, 1:3].mean() for each in (few, many)]
    assert 0 < moved[0] < moved[1] == pytest.approx(1.0, abs=0.25)


def test_an_area_without_a_standard_learns_from_the_others_alone():
    prior, signals, reached = drawn(400, level=0.6)
    reached[:, 2] = np.nan
    learned = model().fit(prior, signals, reached)
    assert np.asarray(learned.learned["area_level"])[2] == pytest.approx([0, 0], abs=1e-3)
    assert (learned.cuts() - model().cuts())[2, 1:3].mean() < -0.3


def test_a_lineage_s_second_card_counts_as_its_weight_says():
    prior, signals, reached = drawn(200)
    twice = [np.concatenate([part, part]) for part in (prior, signals, reached)]
    once, again = model().fit(prior, signals, reached), model().fit(*twice, weight=np.full(400, 0.5))
    assert again.cuts() == pytest.approx(once.cuts(), abs=1e-3)


def test_the_slopes_of_the_likelihood_are_those_of_its_values():
    prior, signals, reached = drawn(30)
    reached[3, 1] = np.nan
    fitted, about = model(), np.linspace(0, 1, 30)[:, None]
    cards = standards._Cards(
        prior,
        prior - 0.1,
        fitted.scaled(signals),
        about,
        np.nan_to_num(reached, nan=1).astype(int),
        ~np.isnan(reached),
        np.linspace(0.5, 1, 30),
        *standards.nodes(9),
    )
    size = sum(int(np.prod(shape)) for shape, _ in fitted._shapes().values())
    at = np.random.default_rng(1).normal(0, 0.2, size)
    _, pulls = standards._fit_of(fitted, fitted._numbers(at), cards)
    told = standards._by_number(fitted, fitted._numbers(at), cards, pulls)
    slopes = np.concatenate([np.ravel(told[name]) for name in fitted._shapes()])
    assert slopes == pytest.approx(
        approx_fprime(at, lambda x: standards._fit_of(fitted, fitted._numbers(x), cards)[0], 1e-6), abs=2e-3
    )


@pytest.mark.parametrize("area", [None, 0, 2])
def test_what_families_add_leads_from_the_rate_to_the_chance(taught, area):
    prior, signals, _ = drawn(40)
    parts = np.random.default_rng(2).normal(0, 0.2, (40, 3, 2))
    rate, asked = prior[:, :, 1] - parts.sum(axis=2), np.ones((40, 3), dtype=bool)
    base, shares = taught.contributions(rate, parts, signals, np.array([0, 1]), asked, area)
    chances = taught.predict(prior, signals)
    expected = taught.any_below(chances) if area is None else chances[:, area, 3:].sum(axis=1)
    assert base + shares.sum(axis=1) == pytest.approx(expected, abs=1e-6)


def test_a_model_read_from_json_answers_the_same_to_the_last_bit(taught):
    prior, signals, _ = drawn(40)
    again = Standards.from_dict(json.loads(json.dumps(taught.as_dict())))
    assert np.array_equal(again.predict(prior, signals), taught.predict(prior, signals))


def test_a_row_s_chances_do_not_depend_on_its_company(taught):
    prior, signals, _ = drawn(100)
    whole = taught.predict(prior, signals)
    for at in (0, 57):
        assert np.array_equal(taught.predict(prior[at : at + 1], signals[at : at + 1]), whole[at : at + 1])


# --- sets ---------------------------------------------------------------------------------------------------


def test_sets_hold_the_standard_as_often_as_promised_also_where_chances_are_too_bold():
    prior, signals, reached = drawn(3000)
    bold = model().predict(prior * 1.8, signals)
    for chances in (model().predict(prior, signals), bold):
        sets = StandardSets().fit(chances[:1500], reached[:1500])
        members = sets.members(chances[1500:])
        came = reached[1500:].astype(int)
        covered = np.take_along_axis(members, came[:, :, None] - 1, axis=2).mean()
        assert 0.87 < covered < 0.96
    alone = StandardSets().members(bold[1500:])
    assert np.take_along_axis(alone, came[:, :, None] - 1, axis=2).mean() < covered


def test_without_a_card_a_set_holds_the_promised_chance_by_the_model_s_own_word():
    prior, signals, _ = drawn(200)
    chances = model().predict(prior, signals)
    assert ((chances * StandardSets().members(chances)).sum(axis=2) >= 0.9 - 1e-9).all()


def test_sets_are_standards_in_a_row():
    prior, signals, _ = drawn(200)
    members = StandardSets().members(model().predict(prior, signals)).reshape(-1, 5)
    starts = (np.diff(np.pad(members.astype(int), ((0, 0), (1, 1))), axis=1) == 1).sum(axis=1)
    assert (starts == 1).all()
