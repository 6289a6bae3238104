import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.pipelines.study import decisions


def test_net_benefit_of_vickers_and_elkin():
    # Of four, two visited: one needed it. At 0.2 a needless visit costs a quarter: (1 - 1/4) / 4.
    visited, bad = np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0])
    assert decisions.net_benefit(visited, bad, 0.2).mean() == pytest.approx((1 - 0.25) / 4)


def test_visiting_everyone_is_worth_nothing_at_the_rate_itself():
    bad = np.array([1.0, 0.0, 0.0, 0.0])
    assert decisions.net_benefit(np.ones(4), bad, 0.25).mean() == pytest.approx(0)


def test_rows_that_tie_share_the_visits_left():
    assert decisions.reached(np.array([4.0, 3.0, 3.0, 2.0]), 2).tolist() == [1, 0.5, 0.5, 0]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=30), st.integers(1, 40))
def test_as_many_visits_are_made_as_there_are_and_nobody_gets_two(scores, number):
    shares = decisions.reached(np.array(scores, dtype=float), number)
    assert shares.sum() == pytest.approx(min(number, len(scores)))
    assert ((shares >= 0) & (shares <= 1)).all()
    assert (np.diff(shares[np.argsort(scores, kind="stable")]) >= 0).all()


def _backtest(knows: bool) -> pd.DataFrame:
    """Two years of 600 schools, a quarter of which come out below good; the forecast knows which, or nothing."""
    rng = np.random.default_rng(1)
    parts = []
    for year in ("2022-09-01", "2023-09-01"):
        bad = rng.random(600) < 0.25
        for model in ("champion", "table"):
            risk = np.where(bad, 0.6, 0.1) if knows and model == "champion" else np.full(600, 0.25)
            parts.append(
                pd.DataFrame(
                    {"fold": pd.Timestamp(year), "model": model, "urn": range(600), "lineage": range(600),
                     "overall": 2, "next_rank": np.where(bad, 3, 2), "p_grade_3": risk, "p_grade_4": 0.0}
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


SCHOOLS = pd.DataFrame(
    {"urn": range(600), "phase": ["Primary"] * 590 + ["Nursery"] * 10, "region": "London", "faith": "",
     "idaci_quintile": [1, 2, 3, 4, 5] * 120, "type": "Community school", "pupils": 200}
)  # fmt: skip


def test_a_forecast_that_knows_reaches_all_and_one_that_knows_nothing_no_more_than_grades():
    knows, nothing = (decisions.decisions(_backtest(knows), SCHOOLS) for knows in (True, False))
    assert [row["forecast"] for row in knows["visits"][:2]] == [1.0, 1.0]
    assert all(row["gain_over_grade_low"] > 0 for row in knows["visits"][:3])
    assert all(row["gain_over_grade"] == row["gain_over_grade_and_phase"] == 0 for row in nothing["visits"])
    row = next(row for row in knows["thresholds"] if row["threshold"] == 0.3)
    assert row["grade_and_phase"] == 0 < row["gain_low"] and row["forecast"] == pytest.approx(
        knows["below_good"] / knows["n"]
    )


def test_groups_share_out_all_visits_and_a_small_one_is_too_few():
    found = decisions.decisions(_backtest(True), SCHOOLS)
    for by in ("phase", "deprivation"):
        mine = [row for row in found["equity"] if row["by"].startswith(by)]
        assert sum(row["share_of_visits"] for row in mine) == pytest.approx(1)
        assert sum(row["n"] for row in mine) == found["n"] == 1200
    nursery = next(row for row in found["equity"] if row["group"] == "Nursery")
    assert nursery["too_few"] and "reached" not in nursery


def test_it_says_what_it_must_not_be_used_for():
    words = " ".join(decisions.decisions(_backtest(True), SCHOOLS)["must_not"])
    assert "inspect" in words and "rank" in words
