import json

import numpy as np
import pandas as pd
import pytest

from headway.pipelines.evidence import claims as evidence
from headway.pipelines.evidence import sturdy
from headway.pipelines.reports.evidence import report


def _examples(odds: float = 2.5, past: float = 1.0, schools: int = 3000, seed: int = 4) -> pd.DataFrame:
    """Schools asked about on two mornings before the next inspection; the gap multiplies the odds of
    improving by `odds`, and those of having had a worse grade before by `past`.
    """
    rng = np.random.default_rng(seed)
    gap = rng.random(schools) < 0.3
    improved, better = (rng.random(schools) < 1 / (1 + np.exp(-(level + np.log(ratio) * gap)))
                        for level, ratio in ((-0.5, odds), (0.0, past)))  # fmt: skip
    once = pd.DataFrame({
        "urn": np.arange(schools), "lineage": np.arange(schools), "next_urn": np.arange(schools), "phase": "Primary",
        "overall": rng.integers(2, 4, schools), "leadership_gap": gap.astype(float), "label_source": "published",
        "next_framework": "education inspection framework, 2019", "label": np.where(improved, "improved", "same"),
        "next_inspected_on": pd.Timestamp("2022-03-01") + pd.to_timedelta(365 * rng.integers(-8, 1, schools), unit="D"),
    })  # fmt: skip
    once["previous_overall"] = once["overall"] + better
    mornings = [once.assign(as_of=once["next_inspected_on"] - pd.Timedelta(days=days)) for days in (500, 130)]
    return pd.concat(mornings, ignore_index=True)


@pytest.fixture(scope="module")
def found() -> dict:
    return _sturdier(_examples())


def _sturdier(examples: pd.DataFrame) -> dict:
    return sturdy.sturdier(evidence.evidence(examples, None, data_source="made-up"), examples)


def test_an_e_value_is_what_vanderweele_and_ding_say():
    # Their example: a risk ratio of 3.9 (1.8 to 8.7) has 7.26, and 3.0 for its limit.
    assert sturdy.e_value({"estimate": 3.9, "low": 1.8, "high": 8.7}) == pytest.approx(
        {"estimate": 7.26, "limit": 3.0}, abs=0.005
    )
    below = sturdy.e_value({"estimate": 1 / 3.9, "low": 1 / 8.7, "high": 1 / 1.8})
    assert below == pytest.approx({"estimate": 7.26, "limit": 3.0}, abs=0.005)
    assert sturdy.e_value({"estimate": 2.0, "low": 0.9, "high": 4.4})["limit"] == 1
    # The root of an odds ratio of 4 is 2: 2 and the root of 2.
    assert sturdy.e_value({"estimate": 4.0, "low": 1.0, "high": 16.0}, odds=True)[
        "estimate"
    ] == pytest.approx(2 + 2**0.5)


def test_every_tested_claim_has_its_sturdiness_and_the_others_none(found):
    tested = [claim for claim in found["claims"] if claim["adjusted"]]
    assert [claim["id"] for claim in tested] == ["leadership_gap"]
    assert all((claim["sturdiness"] is None) == (claim["adjusted"] is None) for claim in found["claims"])
    assert [row["what"] for row in tested[0]["sturdiness"]["e_values"]][:2] == [
        "risk ratio, schools alike",
        "odds ratio, schools alike",
    ]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_choices_of_the_test_itself_are_among_all_that_could_be_made(found):
    claim = found["claims"][0]
    rows = claim["sturdiness"]["choices"]
    assert len(rows) == 3 * 3 * 4 * 3 and sum(row["ours"] for row in rows) == 1
    ours = next(row for row in rows if row["ours"])
    assert ours["odds_ratio"] == claim["adjusted"]["within_strata_clustered"]
    estimates = [row["odds_ratio"]["estimate"] for row in rows if row["odds_ratio"]]
    assert estimates == sorted(estimates)


def test_asking_twice_about_a_pair_makes_nothing_surer(found):
    rows = {
        (row["pairing"], row["strata"], row["grades"], row["window"]): row
        for row in found["claims"][0]["sturdiness"]["choices"]
    }
    once, twice = (
        rows[pairing, "grade", "all that can improve", "all years"] for pairing in ("newest", "each")
    )
    assert twice["n"] == 2 * once["n"]
    assert twice["odds_ratio"]["low"] == pytest.approx(once["odds_ratio"]["low"], rel=1e-6)


def test_the_newest_years_are_fewer_rows_and_too_few_schools_are_no_ratio(found):
    rows = found["claims"][0]["sturdiness"]["choices"]
    count = {
        row["window"]: row["n"]
        for row in rows
        if row["pairing"] == "earliest" and row["grades"] == "all that can improve"
    }
    assert count["the newest five years"] < count["the newest ten years"] == count["all years"] == 3000
    few = sturdy.choices({pairing: _ready(40) for pairing in sturdy.PAIRINGS})
    assert all(row["odds_ratio"] is None for row in few)


def _ready(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "lineage": range(count),
            "overall": 2,
            "phase": "Primary",
            "year": "2021/22",
            "improved": [place % 3 == 0 for place in range(count)],
            "exposed": [place < 5 for place in range(count)],
        }
    )


def test_the_past_is_no_effect_of_the_signal_and_is_named_where_it_goes_with_it(found):
    control = found["claims"][0]["sturdiness"]["control"]
    assert control["passed"] and "as it should" in control["words"]
    other = _sturdier(_examples(odds=1.0, past=3.0))["claims"][0]["sturdiness"]["control"]
    assert not other["passed"] and other["odds_ratio"]["low"] > 2
    assert sturdy.control(_ready(40)) is None  # no earlier grade is known


def test_the_page_draws_every_set_of_choices_with_a_table_of_the_same(found):
    page = report(found)
    assert page.count('class="full" cx=') + page.count('class="open" cx=') >= 107
    assert found["claims"][0]["sturdiness"]["choices_words"] in page
    assert "The same figures as a table" in page and "E-value" in page
