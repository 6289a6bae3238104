import numpy as np
import pandas as pd
import pytest

from headway.pipelines import ingest, inspections, signals, tables
from headway.pipelines.signals import percentile, share

DAY = pd.Timestamp


@pytest.fixture
def made(drawn, known):
    """The signals of one family for drawn schools on a morning, by URN; the schools are those of the
    inspections.
    """

    def make(family: str, as_of: str, visits: str = "", schools: str = "", **frames: str) -> pd.DataFrame:
        seen = drawn(
            visits or "lineage | inspected_on | known_on | overall\n100001 | 2015-01-01 | 2015-02-01 | 2"
        )
        held = {"urn": seen["lineage"], "kind": "graded"}
        seen = seen.assign(**{name: value for name, value in held.items() if name not in seen})
        listed = (
            drawn(schools)
            if schools
            else seen[["urn"]].drop_duplicates().assign(phase="Primary", region="London", la_code=201)
        )
        listed = listed.assign(**{"lineage": listed["urn"]} if "lineage" not in listed else {})
        every = known(
            schools=listed, inspections=seen, **{name: drawn(text) for name, text in frames.items()}
        )
        asked = every["schools"][["urn", "lineage"]].assign(as_of=DAY(as_of)).astype({"as_of": tables.DATE})
        rows = inspections.cohort(asked, every["school_facts"], every["inspections"])
        return signals.build(rows, every, (family,)).set_index(rows["urn"])

    return make


def _list(column: pd.Series) -> list:
    return [None if pd.isna(value) else round(value, 3) for value in column]


# --- inspections --------------------------------------------------------------------------------------------


def test_the_leadership_gap_is_above_nought_where_leadership_is_better_and_a_blank_counts_as_equal_since_2019(
    made,
):
    found = made(
        "leadership",
        "2020-09-01",
        """
        lineage | inspected_on | known_on   | overall | leadership
        100001  | 2019-01-01   | 2019-02-01 | 3       | 2
        100002  | 2019-01-01   | 2019-02-01 | 2       | 3
        100003  | 2019-01-01   | 2019-02-01 | 2       | 2
        100004  | 2019-01-01   | 2019-02-01 | 2       |
        100005  | 2020-09-01   | 2020-09-01 | 2       | 1
        100006  | 2019-09-01   | 2019-10-01 | 2       |
    """,
    )
    assert _list(found["leadership_gap"]) == [1, -1, 0, None, None, 0]


JUDGED = """
    lineage | inspected_on | known_on   | overall | leadership | quality_of_education | teaching | behaviour | personal_development | achievement
    100001  | 2019-10-01   | 2019-11-01 | 3       | 2          | 3                    |          | 1         | 2                    |
    100002  | 2017-10-01   | 2017-11-01 | 2       | 2          |                      | 2        | 2         |                      | 3
    100003  | 2012-10-01   | 2012-11-01 | 2       | 2          |                      |          |           |                      |
"""


def test_other_gaps_are_against_overall(made):
    found = made("judgements", "2020-09-01", JUDGED)
    assert _list(found["quality_gap"]) == [0, 0, None]
    assert _list(found["behaviour_gap"]) == [2, 0, None]
    assert _list(found["development_gap"]) == [1, -1, None]
    assert _list(found["mean_gap"]) == [1, round(-1 / 3, 3), None]


def test_the_spread_of_judgements_is_from_best_to_worst(made):
    assert _list(made("consistency", "2020-09-01", JUDGED)["judgement_spread"]) == [2, 1, None]


def test_the_trajectory_is_told_by_the_grades_known_that_morning(made):
    visits = """
        lineage | inspected_on | known_on   | overall
        100001  | 2008-01-01   | 2008-02-01 | 4
        100001  | 2011-01-01   | 2011-02-01 | 3
        100001  | 2015-01-01   | 2015-02-01 | 2
        100002  | 2012-08-31   | 2012-10-01 | 3
        100003  | 2012-09-01   | 2012-10-01 | 3
    """
    found = made("trajectory", "2016-09-01", visits)
    assert _list(found["previous_overall"]) == [3, None, None]
    assert _list(found["change_from_previous"]) == [1, None, None]
    assert _list(found["mean_overall"]) == [3, 3, 3]
    assert found[["best_overall", "worst_overall", "times_in_category"]].loc[100001].tolist() == [2, 4, 1]
    assert _list(found["years_between"].round(1)) == [4.0, None, None]
    assert _list(found["satisfactory"]) == [0, 1, 0]
    assert _list(made("trajectory", "2014-09-01", visits)["previous_overall"]) == [4, None, None]


def test_an_older_inspection_that_came_to_light_later_is_no_part_of_the_trajectory_before(made):
    visits = """
        lineage | inspected_on | known_on   | overall
        100001  | 2011-01-01   | 2011-02-01 | 3
        100001  | 2013-01-01   | 2019-12-31 | 4
        100001  | 2015-01-01   | 2015-02-01 | 2
    """
    assert _list(made("trajectory", "2019-12-31", visits)["previous_overall"]) == [3]
    assert _list(made("trajectory", "2020-01-01", visits)["previous_overall"]) == [4]


def test_a_school_graded_under_another_urn_has_a_new_urn_since(made):
    schools = "urn | lineage | phase\n100002 | 100001 | Primary\n100003 | 100003 | Primary"
    visits = """
        lineage | urn    | inspected_on | known_on   | overall
        100001  | 100001 | 2015-01-01   | 2015-02-01 | 4
        100003  | 100003 | 2015-01-01   | 2015-02-01 | 2
    """
    assert _list(made("trajectory", "2016-09-01", visits, schools)["new_urn_since"]) == [1, 0]


def test_years_since_inspection_leave_out_the_pause(made):
    found = made(
        "timing",
        "2021-09-01",
        (
            "lineage | inspected_on | known_on | overall\n100001 | 2019-03-17 | 2019-05-01 | 2\n100002 | "
            "2021-10-01 | 2021-11-01 | 2"
        ),
    )
    assert _list(found["years_since_inspection"].round(2)) == [1.0, None]


def test_what_a_visit_without_a_grade_said_counts_once_it_was_in_the_files(made):
    visits = """
        lineage | kind     | inspected_on | known_on   | overall | ungraded_outcome
        100001  | graded   | 2017-01-01   | 2017-02-01 | 2       |
        100001  | ungraded | 2019-01-01   | 2019-08-31 |         | School remains Good (Improving) - S5 Next
        100002  | graded   | 2017-01-01   | 2017-02-01 | 2       |
        100002  | ungraded | 2018-01-01   | 2018-08-31 |         | School remains Good (Concerns) - S5 Next
        100003  | graded   | 2017-01-01   | 2017-02-01 | 2       |
        100004  | graded   | 2018-01-01   | 2018-02-01 | 2       |
        100004  | ungraded | 2016-01-01   | 2018-08-31 |         | School remains Good
    """
    found = made("visits", "2019-09-01", visits)
    assert _list(found["visited_since"]) == [1, 1, 0, 0]
    assert _list(found["visit_outlook"]) == [1, -1, None, None]
    assert _list(made("visits", "2019-08-31", visits)["visit_outlook"]) == [None, -1, None, None]


@pytest.mark.parametrize(
    "words, score",
    [
        ("Improved significantly", 1),
        ("Standards maintained", 0),
        ("School remains Outstanding", 0),
        ("Some aspects not as strong", -1),
        ("School remains Good (Concerns) - S5 Next", -1),
        (None, None),
    ],
)
def test_an_outcome_points_up_down_or_neither(words, score):
    from headway.pipelines.signals.visits import outlook

    assert _list(outlook(pd.Series([words], dtype="str"))) == [score]


# --- staff --------------------------------------------------------------------------------------------------

TURNOVER = """
    urn    | period | known_on   | teachers_fte | stayed_fte | moved_school_fte | left_system_fte
    100001 | 2021   | 2022-06-30 | 20           | 16         | 2                | 2
    100001 | 2024   | 2025-06-30 | 20           | 18         |                  | 1
    100002 | 2024   | 2025-06-30 | 0            | 0          | 0                | 0
"""
GRADES = """
    lineage | inspected_on | known_on   | overall
    100001  | 2022-05-01   | 2022-07-01 | 2
    100002  | 2022-05-01   | 2022-07-01 | 2
"""


def test_retention_uses_the_published_parts_and_never_one_from_the_others(made):
    found = made("retention", "2025-09-01", GRADES, turnover=TURNOVER)
    assert _list(found["share_stayed"]) == [0.89, None]  # (18 + 20 teachers' worth of 0.88) / (20 + 20)
    assert _list(found["share_moved"]) == [None, None]
    assert _list(found["share_left"]) == [0.05, None]
    assert _list(found["stayed_trend"]) == [0.1, None]


def test_turnover_of_2023_24_is_unknown_on_30_june_2025_and_known_on_1_july(made):
    on = {
        day: _list(made("retention", day, GRADES, turnover=TURNOVER)["share_left"])
        for day in ("2025-06-30", "2025-07-01")
    }
    assert on == {"2025-06-30": [0.1, None], "2025-07-01": [0.05, None]}


def test_what_was_known_of_staff_before_the_inspection_is_kept_apart_from_what_came_since(made):
    """Inspected in May 2022: the year of row 2021 ended before, in November; the year of row 2023 began
    after.
    """
    rows = """
        urn    | period | known_on   | teachers_fte | stayed_fte
        100001 | 2021   | 2022-06-30 | 20           | 16
        100001 | 2022   | 2023-06-30 | 20           | 14
        {}
        100002 | 2022   | 2023-06-30 | 20           | 10
    """
    early = made(
        "retention", "2024-07-01", GRADES, turnover=rows.format("100001 | 2023 | 2024-07-01 | 20 | 20")
    )
    late = made(
        "retention", "2024-07-01", GRADES, turnover=rows.format("100001 | 2023 | 2024-06-30 | 20 | 20")
    )
    assert _list(early["stayed_before_inspection"]) == _list(late["stayed_before_inspection"]) == [0.84, None]
    assert _list(early["stayed_since_inspection"]) == [None, None]
    assert _list(late["stayed_since_inspection"]) == [0.94, None]


def test_few_who_stayed_count_for_less_than_many_and_less_is_expected_in_london(made):
    schools = (
        "urn | phase | region\n100001 | Primary | London\n100002 | Primary | North East\n100003 | "
        "Secondary | North East"
    )
    visits = "lineage | inspected_on | known_on | overall\n" + "\n".join(
        f"10000{n} | 2022-05-01 | 2022-07-01 | 2" for n in (1, 2, 3)
    )
    rows = "urn | period | known_on | teachers_fte | stayed_fte\n" + "\n".join(
        f"10000{n} | 2024 | 2025-06-30 | {fte} | {fte / 2}" for n, fte in ((1, 4), (2, 4), (3, 60))
    )
    found = made("retention", "2025-09-01", visits, schools, turnover=rows)
    # (2 + 20 x 0.88) / 24, (2 + 20 x 0.90) / 24, (30 + 20 x 0.84) / 80
    assert _list(found["share_stayed"]) == [0.817, 0.833, 0.585]


def test_the_net_change_of_staff_comes_from_the_newer_of_two_files(made):
    found = made(
        "retention",
        "2025-09-01",
        GRADES,
        workforce="urn | period | known_on | teachers_fte\n100001 | 2021 | 2022-01-31 | 20\n100001 | 2022 | "
        "2023-01-31 | 22"
        "\n100002 | 2021 | 2022-01-31 | 20\n100002 | 2022 | 2023-01-31 | 22",
        posts=(
            "urn | period | known_on | teachers_fte\n100001 | 2024 | 2024-06-30 | 30\n100001 | 2025 | "
            "2025-06-30 | 27"
        ),
    )
    assert _list(found["net_staff_change"]) == [round(float(np.log(0.9)), 3), round(float(np.log(1.1)), 3)]


def test_consistency_is_the_spread_between_subjects_years_and_pupils(made):
    found = made(
        "consistency",
        "2023-09-01",
        GRADES,
        results="""
        urn    | period | known_on   | reading_progress | writing_progress | maths_progress | share_expected_standard | share_expected_standard_disadvantaged | progress_8 | attainment_8 | attainment_8_disadvantaged
        100001 | 2018   | 2019-01-31 | 1                | 1                | 1              |                         |                                       |            |              |
        100001 | 2019   | 2020-01-31 | 3                | 4                | 5              |                         |                                       |            |              |
        100001 | 2022   | 2023-01-31 |                  |                  |                | 0.7                     | 0.5                                   |            |              |
        100002 | 2021   | 2022-01-31 |                  |                  |                |                         |                                       | 0          | 50           | 44
        100002 | 2022   | 2023-01-31 |                  |                  |                |                         |                                       | 0.4        | 52           |
        100002 | 2022   | 2024-01-31 |                  |                  |                |                         |                                       | 0.9        | 52           | 40
    """,
    )
    assert _list(found["pupil_gap_at_11"]) == [0.2, None]
    assert _list(found["year_spread_at_16"]) == [None, round(0.4 / 2**0.5, 3)]
    # suppressed that year, and a figure of an older year isn't its stand-in
    assert _list(found["pupil_gap_at_16"]) == [None, None]
    early = made(
        "consistency",
        "2020-09-01",
        GRADES.replace("2022", "2018"),
        results="""
        urn    | period | known_on   | reading_progress | writing_progress | maths_progress
        100001 | 2018   | 2019-01-31 | 1                | 1                | 1
        100001 | 2019   | 2020-01-31 | 3                | 4                | 5
        100002 | 2019   | 2020-01-31 | 3                |                  | -1
    """,
    )
    assert _list(early["subject_spread"]) == [2, 4]
    assert _list(early["year_spread_at_11"]) == [round(3 / 2**0.5, 3), None]


# --- registers ----------------------------------------------------------------------------------------------

DEVELOPED = """
    urn    | owner   | counted_on | known_on   | teachers | middle_leaders | in_middle_programmes | in_senior_programmes | finished | finished_still_here | promoted_inside
    100001 | trust-1 | 2023-11-01 | 2023-11-10 | 40       | 10             | 3                    | 1.5                  | 6        | 3                   |
    100001 | trust-1 | 2024-11-01 | 2024-12-01 | 40       | 10             | 5                    | 0                    | 1.5      | 1.5                 | 0
    100002 | trust-1 | 2022-06-01 | 2022-06-02 | 40       | 10             | 5                    | 0                    | 8        | 8                   | 4
"""


def test_development_is_told_by_the_newest_row_written_down_before_the_morning_if_no_older_than_two_years(
    made,
):
    on = {
        day: made("middle_leaders", day, GRADES, leadership_development=DEVELOPED)
        for day in ("2023-11-10", "2023-11-11", "2024-12-01", "2024-12-02")
    }
    assert [_list(found["share_in_programme"]) for found in on.values()] == [
        [None, 0.5],
        [0.3, 0.5],
        [0.3, None],
        [0.5, None],
    ]
    assert _list(on["2023-11-11"]["senior_programmes_per_teacher"]) == [0.037, 0]
    assert _list(on["2023-11-11"]["share_finished_stayed"]) == [0.5, 1]
    assert _list(on["2023-11-11"]["share_promoted_inside"]) == [None, 0.5]  # a blank isn't nobody
    # a share of one or two people describes them
    assert _list(on["2024-12-02"]["share_finished_stayed"]) == [None, None]


def test_capacity_by_the_register_is_shares_of_staff_and_of_posts(made):
    found = made(
        "capacity",
        "2025-09-01",
        GRADES,
        improvement_capacity="urn | owner | counted_on | known_on | staff | improvement_leaders | "
        "improvement_practitioners | "
        "head_improved_another_school | peer_reviews_done | peer_reviews_received\n"
        "100001 | trust-1 | 2025-01-01 | 2025-01-02 | 200 | 0 | 10 | 1 | 1 | 2\n100002 | trust-1 | "
        "2025-01-01 | 2025-01-02 | 0 | | | | 1 |",
        staff_register="urn | owner | counted_on | known_on | posts | vacant_posts | "
        "temporarily_filled_posts\n"
        "100001 | trust-1 | 2025-01-01 | 2025-01-02 | 20 | 1 | 2\n100002 | trust-1 | 2025-01-01 | "
        "2025-01-02 | 20 | | 1",
    )
    assert _list(found["share_improvement_leaders"]) == [0, None]
    assert _list(found["share_improvement_practitioners"]) == [0.05, None]
    assert _list(found["head_improved_another_school"]) == [1, None]
    assert _list(found["peer_reviews"]) == [3, None]
    assert _list(found["vacant_by_register"]) == [0.15, None]


def test_npqs_are_those_of_the_authority_and_phase_or_of_all_its_phases_where_they_are_not_told_apart(made):
    schools = "urn | phase | la_code\n100001 | Primary | 201\n100002 | Secondary | 201"
    found = made(
        "middle_leaders",
        "2025-09-01",
        GRADES,
        schools,
        npq="""
        la_code | phase     | period | known_on   | share_npq
        201     | Primary   | 2024   | 2024-07-31 | 0.01
        201     | Primary   | 2025   | 2025-07-31 | 0.02
        202     | Secondary | 2025   | 2025-07-31 | 0.03
        201     | Total     | 2024   | 2024-07-31 | 0.04
    """,
    )
    assert _list(found["npq_in_authority"]) == [0.02, 0.04]


def test_a_prediction_says_which_sources_told_nothing(made):
    found = made("retention", "2025-09-01", GRADES, turnover=TURNOVER).reset_index(drop=True)
    every = found.reindex(columns=list(signals.declared()))
    used = [name for name in every if name != "stayed_by_register"]
    told = signals.without(every, used).str.split("; ")
    assert "turnover" not in told[0] and "staff_register" in told[0]
    assert "turnover" in told[1] and "trusts" not in told[1] and "inspections" not in told[1]


def test_middle_leaders_are_shares_of_posts_and_their_change_over_three_years(made):
    found = made(
        "middle_leaders",
        "2025-09-01",
        GRADES,
        posts="""
        urn    | period | known_on   | teachers_fte | leaders_fte | heads_fte | deputies_fte | assistant_heads_fte
        100001 | 2022   | 2022-06-30 | 40           | 6           | 1         | 1            | 2
        100001 | 2025   | 2025-06-30 | 40           | 8           | 1         | 2            | 4
        100002 | 2025   | 2025-06-30 | 40           | 8           | 0         | 2            |
    """,
    )
    assert _list(found["assistant_heads_per_teacher"]) == [0.1, None]
    assert _list(found["deputies_and_assistants_per_head"]) == [6, None]
    assert _list(found["share_leaders"]) == [0.2, 0.2]
    assert _list(found["assistant_heads_change"]) == [0.05, None]


def test_capacity_is_the_newest_public_vacancies_and_sickness(made):
    found = made(
        "capacity",
        "2025-09-01",
        GRADES,
        vacancies=(
            "urn | period | known_on | share_vacant\n100001 | 2024 | 2024-06-30 | 0.1\n100001 | 2025 "
            "| 2025-06-30 | 0.2\n100002 | 2025 | 2025-09-01 | 0.3"
        ),
        sickness=(
            "urn | period | known_on | mean_days_all_teachers\n100001 | 2024 | 2025-06-30 | "
            "5.5\n100002 | 2024 | 2025-06-30 |"
        ),
    )
    assert _list(found["share_vacant"]) == [0.2, None]
    assert _list(found["sick_days"]) == [5.5, None]


def test_the_head_changed_if_any_extract_of_the_last_thousand_days_says_so(made):
    changes = """
        urn    | known_on   | head_changed
        100001 | 2018-01-01 | 1
        100001 | 2019-01-01 | 0
        100002 | 2019-01-01 | 0
    """
    asked = {
        day: _list(made("head_change", day, GRADES, head_changes=changes)["head_changed"])
        for day in ("2018-01-01", "2019-09-01", "2020-12-01", "2022-12-01")
    }
    assert asked == {
        "2018-01-01": [None, None],
        "2019-09-01": [1, 0],
        "2020-12-01": [0, 0],
        "2022-12-01": [None, None],
    }


# --- others like it -----------------------------------------------------------------------------------------


def test_a_standing_is_among_schools_of_its_phase_and_year_only():
    norms = pd.DataFrame({"table": "census", "measure": "size", "period": [2020, 2021, 2020], "phase": ["Primary", "Primary", "Nursery"],
                          "region": "England", "cuts": [[10.0, 20.0, 30.0, 40.0], [100.0, 200.0], [1.0, 2.0]]})  # fmt: skip
    values, period = (
        pd.Series([5.0, 25, 30, 99, np.nan, 25, 25]),
        pd.Series([2020, 2020, 2020, 2020, 2020, 2019, 2020]),
    )
    phase = pd.Series(["Primary"] * 6 + [None])
    assert _list(percentile(values, "census", "size", period, phase, norms)) == [
        0,
        0.5,
        0.625,
        1,
        None,
        None,
        None,
    ]


def test_a_share_of_nothing_is_blank():
    assert _list(share(pd.Series([1.0, 0, 2]), pd.Series([4.0, 0, np.nan]))) == [0.25, None, None]


def test_trust_size_growth_and_spread_are_as_the_lists_before_that_morning_had_them(made):
    schools = "urn | phase | region | la_code | last_listed_on\n" + "\n".join(
        f"10000{n} | Primary | London | 20{n} | 2020-01-01" for n in (1, 2, 3, 4)
    )
    visits = """
        lineage | inspected_on | known_on   | overall
        100001  | 2015-01-01   | 2015-02-01 | 1
        100002  | 2015-01-01   | 2015-02-01 | 3
        100004  | 2015-01-01   | 2015-02-01 | 2
    """
    trusts = """
        urn    | trust_uid | known_on   | period
        100001 | 7         | 2018-02-28 | 2018
        100001 | 7         | 2019-02-28 | 2019
        100002 | 7         | 2019-02-28 | 2019
        100003 | 7         | 2020-02-28 | 2020
    """
    found = made("coherence", "2019-09-01", visits, schools, trusts=trusts)
    assert _list(found["trust_size"]) == [2, 2, None, None]
    assert _list(found["trust_growth"]) == [1, 1, None, None]
    assert _list(found["trust_spread"]) == [round(2**0.5, 3), round(2**0.5, 3), None, None]
    # the other's grade: one above the mean, shrunk by three
    assert _list(found["trust_stock"]) == [0.25, -0.25, None, None]


def test_the_record_of_an_authority_is_how_its_schools_did_against_schools_like_them(made):
    """Usually 66% of such primaries improve: one that did is 0.34 above, one that did not 0.66 below, fading
    alike.
    """
    schools = "urn | phase | la_code | last_listed_on\n" + "\n".join(
        f"10000{n} | Primary | {la} | 2020-01-01" for n, la in ((1, 201), (2, 202), (3, 203), (4, 201))
    )
    visits = """
        lineage | inspected_on | known_on   | overall
        100001  | 2014-01-01   | 2014-02-01 | 3
        100001  | 2018-09-01   | 2018-10-01 | 2
        100002  | 2014-01-01   | 2014-02-01 | 3
        100002  | 2018-09-01   | 2018-10-01 | 2
        100003  | 2014-01-01   | 2014-02-01 | 3
        100003  | 2018-09-01   | 2018-10-01 | 3
    """
    found = made(
        "coherence", "2018-10-02", visits, schools, coverage="from_on | to_on\n2013-01-01 | 2019-12-31"
    )
    record = found["authority_record"]
    assert record[100001] == record[100004] == record[100002] > 0 > record[100003]
    assert record[100003] == pytest.approx(-0.66 / 0.34 * record[100001])
    before = made(
        "coherence", "2018-10-01", visits, schools, coverage="from_on | to_on\n2013-01-01 | 2019-12-31"
    )
    assert before["authority_record"].eq(0).all()


# --- who comes, and how they do -----------------------------------------------------------------------------


def _norms(table: str, measure: str, *cuts: float, period: int = 2022) -> pd.DataFrame:
    return pd.DataFrame({"table": [table], "measure": [measure], "period": [period], "phase": ["Primary"], "region": ["England"],
                         "schools": [len(cuts)], "cuts": [list(cuts)]})  # fmt: skip


@pytest.fixture
def asked(drawn, known):
    """Signals of a family with norms given."""

    def make(family: str, norms: pd.DataFrame, as_of: str = "2024-09-01", **frames: str) -> pd.DataFrame:
        held = known(
            schools=drawn("urn | phase | region\n100001 | Primary | London\n100002 | Primary |"),
            norms=norms,
            **{name: drawn(text) for name, text in frames.items()},
        )
        rows = held["schools"][["urn", "lineage"]].assign(as_of=DAY(as_of)).astype({"as_of": tables.DATE})
        rows = inspections.cohort(rows, held["school_facts"], held["inspections"])
        return signals.build(rows, held, (family,)).set_index(rows["urn"])

    return make


CENSUS = """
    urn    | period | known_on   | pupils | share_fsm_ever | share_girls
    100001 | 2020   | 2021-01-31 | 100    | 0.1            | 0.5
    100001 | 2022   | 2023-01-31 | 110    | 0.3            | 0.5
    100002 | 2022   | 2023-01-31 |        |                | 0.4
"""


def test_intake_is_a_standing_in_the_newest_census_and_the_change_over_two_years(asked):
    found = asked("intake", _norms("census", "deprivation_standing", 0.1, 0.2, 0.4, 0.5), census=CENSUS)
    assert _list(found["deprivation_standing"]) == [0.5, None]
    assert _list(found["pupils_change"]) == [round(float(np.log(1.1)), 3), None]
    assert _list(found["share_girls"]) == [0.5, 0.4]


def test_absence_is_a_standing_beside_that_of_deprivation(asked):
    norms = pd.concat([_norms("absence", "absence_standing", 0.02, 0.04, 0.06, 0.08),
                       _norms("census", "deprivation_standing", 0.1, 0.2, 0.4, 0.5)])  # fmt: skip
    absence = (
        "urn | period | known_on | share_absence\n100001 | 2022 | 2023-04-30 | 0.07\n100002 | 2022 | "
        "2023-04-30 |"
    )
    found = asked("attendance", norms, absence=absence, census=CENSUS)
    assert _list(found["absence_standing"]) == [0.75, None]
    assert _list(found["absence_beyond_intake"]) == [0.25, None]


def test_the_workforce_is_a_standing_within_the_region_and_a_change_over_a_year(asked):
    norms = _norms("workforce", "pupils_per_teacher_standing", 10, 20, 30, 40).assign(region="London")
    found = asked(
        "workforce",
        norms,
        workforce="""
        urn    | period | known_on   | teachers_fte | pupils_per_teacher
        100001 | 2021   | 2022-01-31 | 20           | 25
        100001 | 2022   | 2023-01-31 | 22           | 15
        100002 | 2022   | 2023-01-31 | 22           |
    """,
    )
    assert _list(found["pupils_per_teacher_standing"]) == [0.25, None]
    assert _list(found["teachers_change"]) == [round(float(np.log(1.1)), 3), None]


STAFF = """
    urn    | period | known_on   | teachers_fte | pupils_per_teacher
    100001 | 2021   | 2022-01-31 | 20           | 25
    100002 | 2021   | 2022-01-31 | 20           | 25
"""
RATIOS = """
    urn    | period | known_on   | teachers_fte | pupils_per_teacher
    100001 | 2021   | 2021-06-30 | 99           | 99
    100001 | 2022   | 2022-06-30 | 22           | 15
    100002 | 2023   | 2023-06-30 | 30           | 35
"""


def test_ratios_give_the_staff_of_years_that_the_tables_of_workforce_lack(asked):
    norms = pd.concat(
        [
            _norms("workforce", "pupils_per_teacher_standing", 10, 20, 30, 40, period=year)
            for year in (2021, 2022, 2023)
        ]
    )
    found = asked(
        "workforce", norms.assign(region="London"), as_of="2022-09-01", workforce=STAFF, ratios=RATIOS
    )
    assert _list(found["pupils_per_teacher_standing"]) == [0.25, None]  # 100002 is in no region
    assert _list(found["teachers_change"]) == [round(float(np.log(1.1)), 3), None]
    before = asked(
        "workforce", norms.assign(region="London"), as_of="2022-06-30", workforce=STAFF, ratios=RATIOS
    )
    # never the 99 of the ratios: the tables have 2021
    assert _list(before["pupils_per_teacher_standing"]) == [0.5, None]


def test_what_is_reached_is_set_against_the_countrys_own_relation_of_that_year(asked):
    """In 2022 one expects 0.5 of a school with 0.3 of its pupils poor, give or take 0.1; in 2021 it was
    0.8.
    """
    relations = pd.concat([_norms("results", "share_expected_standard_beyond_intake", level, -1, 0, 0, 0, 0.1, period=year)
                           for year, level in ((2021, 1.1), (2022, 0.8))]
                          + [_norms("results", "share_expected_standard_standing", 0.5, 0.6, period=year) for year in (2021, 2022)])  # fmt: skip
    census = """
        urn    | period | known_on   | share_fsm_ever | share_eal | share_sen_support
        100001 | 2021   | 2022-01-31 | 0.3            | 0.1       | 0.1
        100001 | 2022   | 2023-01-31 | 0.3            | 0.1       | 0.1
        100002 | 2022   | 2023-01-31 | 0.3            |           | 0.1
    """
    results = """
        urn    | period | known_on   | share_expected_standard
        100001 | 2021   | 2022-01-31 | 0.7
        100001 | 2022   | 2023-01-31 | 0.7
        100002 | 2022   | 2023-01-31 | 0.7
    """
    told = {
        day: _list(
            asked("attainment", relations, day, census=census, results=results)["attainment_beyond_intake"]
        )
        for day in ("2022-09-01", "2023-01-31", "2023-02-01")
    }
    assert told == {"2022-09-01": [-1, None], "2023-01-31": [-1, None], "2023-02-01": [2, None]}


@pytest.mark.parametrize("count", [199, 200])
def test_a_relation_is_kept_for_each_year_that_has_schools_enough(known, count):
    urns = pd.Series(range(100_001, 100_001 + count))
    poor = (urns - 100_000) / 400
    made = {"urn": urns, "period": 2022, "known_on": DAY("2023-01-31")}
    held = known(
        schools=pd.DataFrame({"urn": urns, "phase": "Primary"}),
        school_facts=pd.DataFrame({"urn": urns, "known_on": DAY("2020-08-31"), "phase": "Primary"}),
        census=pd.DataFrame({**made, "share_fsm_ever": poor, "share_eal": poor.mod(0.13), "share_sen_support": poor.mod(0.07)}),
        results=pd.DataFrame({**made, "share_expected_standard": 0.9 - poor + poor**2 / 2}),
    )  # fmt: skip
    kept = ingest.norms(held).query("measure == 'share_expected_standard_beyond_intake'")
    if count < 200:
        assert kept.empty
    else:
        (relation,) = kept["cuts"]
        assert relation[:5] == pytest.approx([0.9, -1, 0.5, 0, 0], abs=1e-6)
        assert kept[["period", "phase", "region", "schools"]].to_numpy().tolist() == [
            [2022, "Primary", "England", 200]
        ]


def test_results_count_for_four_years_and_the_weakest_subject_is_told(asked):
    results = (
        "urn | period | known_on | reading_progress | writing_progress | maths_progress\n100001 | "
        "2019 | 2020-01-31 | 3 | | -1\n100002 | 2014 | 2015-01-31 | 2 | 2 | 2"
    )
    found = asked("attainment", _norms("results", "x", 1), as_of="2023-09-01", results=results)
    assert _list(found["mean_progress"]) == [1, None]
    assert _list(found["weakest_progress"]) == [-1, None]
    assert (
        asked("attainment", _norms("results", "x", 1), as_of="2024-09-01", results=results)["mean_progress"]
        .isna()
        .all()
    )


def test_context_is_the_kind_of_school_as_the_last_file_before_that_morning_had_it(asked):
    told = """
        urn    | known_on   | type                 | name                      | region
        100001 | 2020-01-01 | Community School     | St Oak CofE Infant School | London
        100001 | 2022-01-01 | Academy Converter    |                           |
        100001 | 2024-09-01 | Academy Sponsor Led  | Oak Academy               | North East
    """
    found = asked("context", _norms("x", "x", 1), school_facts=told)
    row = found.loc[
        100001,
        [
            "converter_academy",
            "community",
            "sponsored_academy",
            "infant",
            "saint",
            "church_of_england",
            "called_academy",
        ],
    ]
    assert row.tolist() == [1, 0, 0, 1, 1, 1, 0]
    assert found.loc[100001, "region_london"] == 1 and pd.isna(found.loc[100002, "infant"])


ANSWERED = """
    urn    | period | known_on   | submissions | share_agree_recommend | share_disagree_recommend | share_agree_concerns | share_disagree_concerns
    100001 | 2021   | 2021-10-29 | 20          | 0.6                   | 0.4                      |                      |
    100001 | 2022   | 2022-10-26 | 20          | 0.8                   | 0.2                      | 0.36                 | 0.04
    100002 | 2022   | 2022-10-26 | 80          | 0.8                   | 0.2                      | 0.3                  |
"""


def _of_parents(*measures: str) -> pd.DataFrame:
    return pd.concat(
        [
            _norms("parent_view", measure, 0.5, 0.65, 0.7, 0.75, period=period)
            for measure in measures
            for period in (2021, 2022)
        ]
    )


def test_what_parents_say_is_a_standing_drawn_to_the_middle_where_few_said_it(asked):
    found = asked(
        "parents",
        _of_parents("parents_recommend_standing", "parents_concerns_standing"),
        "2023-09-01",
        parent_view=ANSWERED,
    )
    # Above all others, 1: of 20 parents half of the way from the middle, of 80 four fifths.
    assert _list(found["parents_recommend_standing"]) == [0.75, 0.9]
    # 0.36 / (0.36 + 0.04) is above all; 20 x 0.4 parents had concerns, so 8 / 28 of the way from the middle.
    assert _list(found["parents_concerns_standing"]) == [round(0.5 + 0.5 * 8 / 28, 3), None]
    assert _list(found["parents_safe_standing"]) == [None, None]
    # 0.6 stood at a quarter, half of the way from the middle too.
    assert _list(found["parents_recommend_change"]) == [0.375, None]


def test_parents_answers_count_from_the_day_after_they_came_out_and_for_three_years(asked):
    norms = _of_parents("parents_recommend_standing")
    on = {
        day: _list(asked("parents", norms, day, parent_view=ANSWERED)["parents_recommend_standing"])
        for day in ("2021-10-29", "2021-10-30", "2022-10-26", "2022-10-27", "2025-10-25", "2025-10-28")
    }
    assert on == {"2021-10-29": [None, None], "2021-10-30": [0.375, None], "2022-10-26": [0.375, None],
                  "2022-10-27": [0.75, 0.9], "2025-10-25": [0.75, 0.9], "2025-10-28": [None, None]}  # fmt: skip


def test_without_parent_view_no_school_has_a_signal_of_it(asked):
    assert asked("parents", _of_parents("parents_recommend_standing"), "2023-09-01").isna().all(axis=None)


# --- the declarations ---------------------------------------------------------------------------------------


def test_every_signal_is_declared_once_with_a_sentence_and_a_table_we_have():
    names = [signal.name for family in signals.FAMILIES for signal in signals.family(family).SIGNALS]
    assert len(names) == len(set(names))
    for signal in signals.declared().values():
        assert signal.sentence.endswith(".") and signal.known and signal.unit, signal.name
        assert set(signal.source.split(", ")) <= {*signals.TABLES, *signals.REGISTERS}, signal.name
