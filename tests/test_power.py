import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from headway.pipelines.evidence import power
from headway.pipelines.reports.power import report

PLAIN = power.Question(
    "plain", "A claim.", "a register", "how", power.BETWEEN, 0.6, 0.4, "do so", "teachers", 0.05, "assumed"
)


def _schools(teachers: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "lineage": range(len(teachers)),
            "phase": "Primary",
            "overall": 2,
            "teachers": teachers,
            "staff": [2.0 * count for count in teachers],
            "pupils_at_16": np.nan,
        }
    )


EIGHT = _schools([10, 20, 20, 30, 40, 60, 80, 120])


def test_where_schools_have_nothing_of_their_own_it_is_the_number_of_people_that_counts():
    alone = replace(PLAIN, alike=0.0)
    given = power.sample(alone, _schools([10, 10]))
    # Twice (0.6 x 0.4 + 0.4 x 0.6) / 10 for each school, half of the schools in a group.
    assert power.variance(alone, given) == pytest.approx(2 * (0.24 + 0.24) / 10)
    reach = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert power.schools_needed(alone, given, 0.8) == pytest.approx(reach**2 * 0.096 / 0.2**2, abs=3)


def test_unequal_schools_are_inflated_as_eldridge_ashby_and_kerry_say():
    given = power.sample(PLAIN, EIGHT)
    people, mean = EIGHT["teachers"], EIGHT["teachers"].mean()
    inflation = 1 + ((1 + people.var(ddof=0) / mean**2) * mean - 1) * 0.05
    assert power.variance(PLAIN, given) == pytest.approx(2 * 0.48 / mean * inflation)


def test_what_a_school_has_of_its_own_cancels_where_it_is_compared_with_itself():
    inside = replace(PLAIN, design=power.WITHIN, with_it=0.5, without=0.5)
    same = power.Sample(np.array([4.0, 8.0]), np.array([12.0, 24.0]), np.zeros(2))
    assert power.variance(inside, same) == pytest.approx(0.95 * (0.25 / 6 + 0.25 / 18))


@pytest.mark.parametrize(
    "question",
    [
        replace(PLAIN, with_it=0.48),
        replace(PLAIN, design=power.WITHIN, with_it=0.55, alike=0.1),
        replace(PLAIN, with_it=0.2, without=0.0, spread=2.0, alike=0.03),
        replace(PLAIN, with_it=0.9, without=0.8, usual=True),
    ],
    ids=["between", "within", "grades", "usual"],
)
def test_the_simulation_agrees_with_the_closed_form_where_that_holds(question):
    given = power.sample(question, EIGHT)
    drawn = power.simulated_schools(question, _many(given))
    for share in power.POWERS:
        closed = power.schools_needed(question, given, share)
        assert power.holds(question, given, closed)
        assert abs(drawn[share] / closed - 1) < power.AGREE


def _many(given: power.Sample) -> power.Sample:
    """The same schools a hundred times over, so that there are as many as are needed."""
    return power.Sample(*(np.tile(values, 100) for values in (given.having, given.others, given.shift)))


def test_a_test_of_nothing_comes_out_in_one_study_of_forty_on_that_side():
    nothing = replace(PLAIN, with_it=0.4)
    share = power.simulated_power(nothing, power.sample(nothing, EIGHT), 80, 1, 4000)
    assert 0.015 < share < 0.04


def test_years_do_not_take_away_what_schools_have_of_their_own():
    given = power.sample(PLAIN, EIGHT)
    once, long = (power.schools_needed(PLAIN, given, 0.8, years) for years in (1, power.MOST_YEARS))
    assert once > long > 0
    assert power.years_needed(PLAIN, given, 0.8, once) == 1
    assert power.years_needed(PLAIN, given, 0.8, long - 1) is None


def test_the_smallest_difference_is_the_one_that_so_many_schools_are_needed_for():
    given = power.sample(PLAIN, EIGHT)
    schools = power.schools_needed(PLAIN, given, 0.8)
    least = power.smallest(PLAIN, given, 0.8, schools)
    assert least == pytest.approx(0.2, rel=0.02) and least <= 0.2
    assert power.smallest(PLAIN, given, 0.8, 3) is None
    thin = replace(PLAIN, touched=0.5)  # half of those measured: the same difference is seen half as large
    assert power.smallest(thin, given, 0.8, schools) > 1.8 * least


def test_few_schools_or_few_people_are_no_place_for_the_closed_form():
    given = power.sample(PLAIN, EIGHT)
    assert power.holds(PLAIN, given, 30) and not power.holds(PLAIN, given, 29)
    # 47.5 x 15 x 0.01 is 7 people
    assert not power.holds(replace(PLAIN, with_it=0.02, without=0.01), given, 30)


def test_sizes_are_the_newest_that_are_known_of_open_schools():
    day = pd.Timestamp("2022-03-01")
    schools = pd.DataFrame(
        {"lineage": [1, 2, 3], "phase": ["Primary", None, "Primary"], "open": [True, True, False]}
    )
    workforce = pd.DataFrame({"lineage": [1, 1, 2], "period": [2022, 2023, 2023], "teachers_headcount": [10.0, None, 0.0],
                              "assistants_headcount": [5.0, None, 1.0], "support_headcount": [5.0, 6.0, None]})  # fmt: skip
    results = pd.DataFrame({"lineage": [1], "period": [2023], "pupils_at_16": [90.0]})
    inspections = pd.DataFrame(
        {"lineage": [1, 1], "overall": [3, 2], "inspected_on": [day, day + pd.Timedelta(days=900)]}
    )
    rows = power.sizes(schools, workforce, results, inspections).set_index("lineage")
    assert rows.index.tolist() == [1, 2]
    assert rows.loc[1, ["teachers", "staff", "pupils_at_16", "overall"]].tolist() == [10, 20, 90, 2]
    assert rows.loc[2, ["teachers", "staff", "pupils_at_16", "overall"]].isna().all()
    assert rows.loc[2, "phase"] == "not known"


@pytest.fixture(scope="module")
def found() -> dict:
    none = pd.DataFrame({"lineage": [], "period": [], "attainment_8": []})
    return power.power(EIGHT, none, data_source="made-up", replicates=60)


def test_the_report_is_plain_json_and_says_what_no_school_has(found):
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    answers = {answer["id"]: answer for answer in found["questions"]}
    assert "no school with pupils at 16" in answers["grade_register"]["sentences"][0]
    assert "from the claim's 86.0%" in " ".join(answers["stay_register"]["sentences"])
    rows = answers["stay_register"]["needed"]
    assert [row["power"] for row in rows] == [0.8, 0.9] and rows[0]["closed"] < rows[1]["closed"]
    assert rows[0]["simulated"] is None  # more schools than the eight there are
    assert [(row["schools"], row["power"]) for row in answers["stay_register"]["trusts"]] == [
        (schools, share) for schools in (10, 50, 400) for share in (0.8, 0.9)
    ]


def test_the_page_has_every_sentence_and_every_number_of_schools(found):
    page = report(found)
    plain = page.replace("&#39;", "'")
    assert all(sentence in plain for sentence in found["summary"])
    assert all(f"{row['closed']:,}" in page for answer in found["questions"] for row in answer["needed"])
    assert "Made-up data" in page and "http" not in page.replace("http-equiv", "")
