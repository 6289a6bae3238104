import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.coverage import covered
from headway.pipelines import intervals
from headway.pipelines.evidence import claims as evidence

VALUES = st.lists(st.floats(0.01, 1), min_size=4, max_size=8).map(np.array)


def test_a_school_asked_about_twice_counts_once():
    # Sums by school are -1, 0, 1 of six rows: each moves the mean of 1/2 by a sixth.
    values, lineage = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0]), np.array([1, 1, 2, 2, 3, 3])
    half = stats.t.ppf(0.975, 2) * (2 / 36 * 3 / 2) ** 0.5
    assert intervals.mean(values, lineage) == pytest.approx((0.5, 0.5 - half, 0.5 + half))


@given(VALUES)
def test_every_row_twice_under_the_same_school_changes_no_interval(values):
    lineage, twice = np.arange(len(values)), np.tile(np.arange(len(values)), 2)
    happened = (np.arange(len(values)) % 2).astype(float)
    assert intervals.mean(np.tile(values, 2), twice) == pytest.approx(intervals.mean(values, lineage))
    assert intervals.share(np.tile(happened, 2), twice) == pytest.approx(intervals.share(happened, lineage))
    assert intervals.skill(np.tile(values, 2), np.tile(values[::-1], 2), twice) == pytest.approx(
        intervals.skill(values, values[::-1], lineage)
    )
    assert intervals.auc(np.tile(values, 2), np.tile(happened, 2), twice) == pytest.approx(
        intervals.auc(values, happened, lineage), nan_ok=True
    )


def test_a_share_of_all_or_none_tells_as_much_as_there_are_schools():
    none = intervals.share(np.zeros(40), np.repeat(np.arange(10), 4))
    assert none[:2] == (0, 0) and none[2] == pytest.approx(intervals.share(np.zeros(10), np.arange(10))[2])
    assert 0.2 < none[2] < 0.4


def test_of_a_single_school_there_is_no_interval_but_of_a_share_nearly_all():
    assert np.isnan(intervals.mean(np.array([0.0, 1.0]), np.array([1, 1]))[1:]).all()
    share, low, high = intervals.share(np.array([1.0, 1.0]), np.array([1, 1]))
    assert share == high == 1 and 0 <= low < 0.05


def _pairs(copies: int) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    once = pd.DataFrame(
        {"lineage": range(400), "overall": rng.integers(2, 4, 400), "exposed": rng.random(400) < 0.4}
    )
    once["improved"] = rng.random(400) < 0.3 + 0.2 * once["exposed"]
    return pd.concat([once] * copies, ignore_index=True)


@pytest.mark.parametrize("ratio", ["odds_ratio", "risk_ratio"])
def test_pooled_and_raw_ratios_count_a_school_once(ratio):
    found = []
    for copies in (1, 4):
        pairs = _pairs(copies)
        found.append(
            [
                evidence.stratified(pairs, pairs["exposed"], ("overall",))[ratio],
                evidence.compared(pairs["improved"], pairs["exposed"], pairs["lineage"])[ratio],
            ]
        )
    for once, again in zip(*found, strict=True):
        assert again["estimate"] == pytest.approx(once["estimate"])
        assert again["low"] == pytest.approx(once["low"], rel=0.01) and again["high"] == pytest.approx(
            once["high"], rel=0.01
        )
    pairs = _pairs(4).drop(columns="lineage")  # as if they were 1,600 schools
    alone = evidence.stratified(pairs, pairs["exposed"], ("overall",))[ratio]
    assert alone["low"] > found[1][0]["low"] and alone["high"] < found[1][0]["high"]


def test_intervals_by_lineage_cover_the_truth_where_schools_come_again_and_pooled_ones_do_not():
    found = covered(worlds=40, lineages=300, seed=3, large=60_000)
    assert found["by lineage"].min() >= 0.85  # at a true 95%, one kind in eighty has less
    assert found["by lineage"].mean() > found["rows alone"].mean() + 0.04
