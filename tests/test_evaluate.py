import numpy as np
import pandas as pd
import pytest
from scipy import stats

from headway.models import estimators
from headway.pipelines import evaluate, intervals
from headway.pipelines.as_of import Fold
from headway.pipelines.evaluate import BASE, DEFAULT, FEW, FEWEST_JUDGED, HALF_LIVES, OVERALL, TIE, TWO_YEARS
from headway.pipelines.remembered import Memory
from headway.pipelines.tables import DATE

DAY = pd.Timestamp
FAMILIES = {"leadership_gap": "leadership", "share_stayed": "retention", "decoy": "context"}
SIGNALS = list(FAMILIES)


def _examples(schools: int = 2700) -> pd.DataFrame:
    """Schools asked about each September from 2012, two in three inspected within the year; some reports come
    out late.

    A grade of gap adds 1.2 to the log-odds of improving, a standard deviation of `share_stayed` 0.5, the
    decoy nothing.
    """
    rng = np.random.default_rng(7)
    years = np.repeat(np.arange(2012, 2017), schools)
    count = len(years)
    overall = rng.choice(4, count, p=[0.1, 0.5, 0.3, 0.1]) + 1
    gap, stayed, decoy = (
        rng.choice([0.0, 1.0], count, p=[0.7, 0.3]),
        rng.normal(0, 1, count),
        rng.normal(0, 1, count),
    )
    odds = np.array([0, 0, -1.6, 0.4, 1.8])[overall] + 0.3 * (years % 2) + 1.2 * gap + 0.5 * stayed
    rises = (rng.random(count) < 1 / (1 + np.exp(-odds))) & (overall > 1)
    following = overall - rises + (~rises & (rng.random(count) < 0.25) & (overall < 4))
    as_of = pd.Series(pd.to_datetime(pd.Series(years).astype("str") + "-09-01")).astype(DATE)
    days = pd.Series(pd.to_timedelta(rng.integers(1, 360, count), unit="D"))
    seen = pd.Series(rng.random(count) < 0.67)
    rows = pd.DataFrame({
        "urn": np.tile(np.arange(schools), 5) + 100_000, "lineage": np.tile(np.arange(schools), 5) + 100_000, "as_of": as_of,
        "phase": rng.choice(["Primary", "Secondary"], count), "overall": overall, "leadership": np.maximum(overall - gap, 1),
        "inspected_on": DAY("2012-10-01"), "framework": "old", "next_framework": "new", "label_source": "published",
        "next_inspected_on": (as_of + days).where(seen), "next_overall": pd.Series(following).where(seen),
        "next_leadership": pd.Series(following).where(seen), "next_below_good": pd.Series(following >= 3).where(seen),
        "leadership_gap": gap, "share_stayed": stayed, "decoy": decoy,
    })  # fmt: skip
    change = rows["next_overall"] - rows["overall"]
    label = (
        pd.Series(None, index=rows.index, dtype="str")
        .mask(change < 0, "improved")
        .mask(change == 0, "same")
        .mask(change > 0, "worse")
    )
    whole = dict.fromkeys(["overall", "leadership", "next_overall", "next_leadership"], "Int64")
    return rows.assign(label=label, next_known_on=rows["next_inspected_on"] + pd.Timedelta(days=40)).astype(
        whole
    )


@pytest.fixture(scope="module")
def examples() -> pd.DataFrame:
    return _examples()


@pytest.fixture(scope="module")
def walked(examples: pd.DataFrame) -> dict[Fold, dict[str, pd.DataFrame]]:
    return evaluate.walk(examples, SIGNALS, workers=1, rounds=30)


def test_folds_that_were_answered_before_are_not_asked_again_and_answer_bit_for_bit_alike(
    examples, walked, tmp_path, monkeypatch
):
    memory = Memory(tmp_path, "code")
    evaluate.walk(examples, SIGNALS, workers=1, rounds=30, memory=memory)
    newest = max(walked, key=lambda fold: fold.morning)
    changed = examples.copy()
    usable = evaluate.usable(examples, OVERALL)
    last = usable.index[newest.unseen(usable)][-1]
    changed.loc[last, SIGNALS[0]] = 0.123  # only the newest fold is asked of it
    for rows, missed in ((examples, 0), (changed, 1)):
        memory = Memory(tmp_path, "code")
        again = evaluate.walk(rows, SIGNALS, workers=1, rounds=30, memory=memory)
        assert memory.missed == missed
        cold = walked if rows is examples else evaluate.walk(rows, SIGNALS, workers=1, rounds=30)
        for fold, answers in cold.items():
            assert list(again[fold]) == list(answers)
            for name, chances in answers.items():
                pd.testing.assert_frame_equal(again[fold][name], chances, check_exact=True)


@pytest.fixture(scope="module")
def table(examples: pd.DataFrame, walked: dict) -> pd.DataFrame:
    return evaluate.with_sets(evaluate.backtest(examples, walked)[0])[0]


def _rewritten(examples: pd.DataFrame, which: pd.Series) -> pd.DataFrame:
    """The examples with the outcomes of some of them turned round: who improved fell or stayed, and the other
    way.
    """
    following = examples["next_overall"].mask(
        which & examples["next_overall"].notna(), 5 - examples["next_overall"]
    )
    return examples.assign(next_overall=following)


# --- what counts, and how much ------------------------------------------------------------------------------


def test_a_satisfactory_from_before_2012_is_a_cell_of_its_own(drawn):
    rows = drawn("""
        overall | inspected_on | phase     | leadership_gap
        3       | 2012-08-31   | Primary   | 1
        3       | 2012-09-01   | Primary   | -1
        2       | 2012-08-31   |           |
    """)
    state = evaluate.state(rows)
    assert state["cell"].tolist() == ["3 satisfactory", "3", "2"]
    assert state["overall"].tolist() == [3, 3, 2]
    assert state["gap_sign"].tolist() == [1, -1, 0]


def test_a_pair_of_inspections_counts_once_however_many_mornings_ask_about_it(drawn):
    rows = drawn("""
        lineage | as_of      | next_inspected_on
        1       | 2013-09-01 | 2015-11-01
        1       | 2014-09-01 | 2015-11-01
        1       | 2016-09-01 | 2017-01-01
        2       | 2014-09-01 | 2015-11-01
    """)
    assert evaluate.learning_weight(rows).tolist() == [0.5, 0.5, 1, 1]


def test_an_outcome_counts_half_for_each_half_life_of_its_age_and_all_share_a_fifth_alike(drawn):
    """Faded alone they would count 0.25 and 0.5: four fifths of that, and a fifth of their mean, 0.375,
    each.
    """
    rows = drawn(
        "lineage | as_of | next_inspected_on\n1 | 2013-09-01 | 2014-09-01\n2 | 2014-09-01 | 2015-09-01"
    )
    assert evaluate.freshness(rows, DAY("2016-09-01"), 1.0).tolist() == pytest.approx(
        [0.2 + 0.075, 0.4 + 0.075], abs=0.001
    )
    assert evaluate.freshness(rows, DAY("2016-09-01"), None).tolist() == [1, 1]


def test_an_academic_year_is_named_by_the_year_it_ends_in():
    days = pd.Series(pd.to_datetime(["2021-08-31", "2021-09-01", "2022-01-05"]))
    assert evaluate.academic_year(days).tolist() == [2021, 2022, 2022]


def test_only_an_example_with_both_grades_and_a_label_can_be_learned_from(drawn):
    rows = drawn("""
        overall | next_overall | label
        3       | 2            | improved
        3       |              | improved
        3       | 2            |
                | 2            |
    """)
    assert evaluate.usable(rows, OVERALL).index.tolist() == [0]


# --- the walk -----------------------------------------------------------------------------------------------


def test_folds_begin_when_there_is_enough_to_learn_from(examples):
    assert [fold.name for fold in evaluate.folds(examples)] == ["2014/15", "2015/16", "2016/17"]


def test_what_became_known_on_the_morning_or_after_changes_no_answer_of_a_fold(examples):
    fold = evaluate.folds(examples)[1]
    unknown = ~(examples["next_known_on"] < fold.morning)
    embargoed = unknown & (examples["next_inspected_on"] < fold.morning)
    assert embargoed.sum() > 100
    answers, again = (
        evaluate.ask(fold, rows, SIGNALS, rounds=5) for rows in (examples, _rewritten(examples, unknown))
    )
    assert answers.keys() == again.keys()
    for name, chances in answers.items():
        pd.testing.assert_frame_equal(again[name], chances, check_exact=True, obj=name)


def test_what_was_known_the_day_before_does_change_them(examples):
    fold = evaluate.folds(examples)[1]
    late = examples["next_known_on"].eq(
        examples.loc[examples["next_known_on"] < fold.morning, "next_known_on"].max()
    )
    answers, again = (
        evaluate.ask(fold, rows, SIGNALS, rounds=5) for rows in (examples, _rewritten(examples, late))
    )
    assert not any(again[name].equals(chances) for name, chances in answers.items())


def test_every_rule_and_candidate_answers_on_the_same_rows(table):
    rules = {"base_rate_grade", "base_rate_grade_phase", "leadership_gap_rule", "logistic"}
    assert set(table["model"]) == rules | {TWO_YEARS, "champion", *estimators.CANDIDATES}
    urns = table.groupby(["fold", "model"])["urn"].agg(lambda urns: tuple(sorted(urns)))
    assert urns.groupby("fold").nunique().eq(1).all()
    assert table[["p_improve", "p_same", "p_worse"]].sum(axis=1).to_numpy() == pytest.approx(
        np.ones(len(table))
    )


def test_p_improve_is_0_at_the_top_and_p_worse_0_at_the_bottom(table):
    assert (table.loc[table["overall"].eq(1), "p_improve"] == 0).all()
    assert (table.loc[table["overall"].eq(4), "p_worse"].abs() < 1e-12).all()


# --- the choice ---------------------------------------------------------------------------------------------


def _answers(**scores: float) -> tuple[pd.DataFrame, dict[Fold, dict[str, pd.DataFrame]]]:
    """Two folds of schools at rank 3, and answers with these ranked probability scores; the others' are 0.25.

    The chance put on what came is 1 less the root of the score: (1 - p) squared is the whole of it.
    """
    count = FEWEST_JUDGED
    parts, walked = [], {}
    for year in (2014, 2015):
        fold = Fold(DAY(f"{year}-09-01"), DAY(f"{year + 1}-08-31"))
        following = np.tile([2, 3], count // 2)
        parts.append(pd.DataFrame({
            "urn": range(count), "lineage": range(count), "as_of": fold.morning, "phase": "Primary", "overall": 3,
            "next_inspected_on": fold.morning, "next_known_on": fold.morning, "next_overall": following, "label": "same",
            "label_source": "published", "framework": "", "next_framework": "", "next_below_good": False,
        }))  # fmt: skip
        walked[fold] = {}
        for candidate in estimators.CANDIDATES:
            for half_life in HALF_LIVES:
                p = 1 - scores.get(f"{candidate}_{half_life}".replace(".", "_"), 0.25) ** 0.5
                improved = np.where(following == 2, p, 1 - p)
                walked[fold][f"{candidate} {half_life}"] = pd.DataFrame(
                    np.column_stack([np.zeros(count), improved, 1 - improved, np.zeros(count)]),
                    index=range(len(parts) * count - count, len(parts) * count),
                )
    return pd.concat(parts, ignore_index=True), walked


def _chosen(**scores: float) -> list[tuple[str, float | None]]:
    return [
        (choice["candidate"], choice["half_life"]) for choice in evaluate.backtest(*_answers(**scores))[1]
    ]


def test_the_first_fold_has_nothing_to_choose_by_and_takes_the_default():
    assert _chosen(table_None=0.0)[0] == DEFAULT


def test_in_a_tie_the_simpler_candidate_wins_and_then_the_default_half_life():
    assert _chosen()[1] == ("table", DEFAULT[1])
    assert _chosen(blend_0_5=0.25 - 0.9 * TIE)[1] == ("table", DEFAULT[1])
    assert _chosen(boosted_0_5=0.2, ridge_0_5=0.2 + 0.9 * TIE)[1] == ("ridge", DEFAULT[1])


def test_beyond_a_tie_the_better_one_wins():
    assert _chosen(blend_0_5=0.25 - 1.1 * TIE)[1] == ("blend", 0.5)
    assert _chosen(ridge_None=0.2)[1] == ("ridge", None)


def test_a_fold_is_not_chosen_for_by_outcomes_that_came_out_too_late():
    examples, walked = _answers(ridge_0_5=0.0)
    late = examples.assign(next_known_on=DAY("2015-09-01"))
    assert evaluate.backtest(late, walked)[1][1]["candidate"] == DEFAULT[0]
    in_time = examples.assign(next_known_on=DAY("2015-08-31"))
    assert evaluate.backtest(in_time, walked)[1][1]["candidate"] == "ridge"


def test_the_choice_of_a_fold_knows_no_outcome_of_its_own_or_of_later_folds(examples, walked):
    choices = evaluate.backtest(examples, walked)[1]
    for place, fold in enumerate(walked):
        rewritten = _rewritten(examples, ~(examples["next_known_on"] < fold.morning))
        assert evaluate.backtest(rewritten, walked)[1][: place + 1] == choices[: place + 1]
    first, second, _ = walked
    earlier = _rewritten(
        examples, examples["as_of"].eq(first.morning) & (examples["next_known_on"] < second.morning)
    )
    assert evaluate.backtest(earlier, walked)[1][1] != choices[1]


def test_today_s_choice_is_made_on_every_fold(examples, walked):
    _, _, scores = evaluate.final_choice(walked, examples, OVERALL, DAY("2018-01-01"))
    _, _, before = evaluate.final_choice(walked, examples, OVERALL, DAY("2016-09-01"))
    assert before == evaluate.backtest(examples, walked)[1][2]["score_on_earlier_folds"] != scores


def test_sets_and_intervals_of_a_fold_know_only_outcomes_from_before_it(table):
    folds = sorted(table["fold"].unique())
    mine = table[table["model"].eq("champion")]
    first = mine[mine["fold"].eq(folds[0])]
    assert (
        set(first["grade_set"]) == {"1-4"}
        and first["set_covers"].isna().all()
        and first["p_low"].isna().all()
    )
    turned = table.assign(
        next_rank=table["next_rank"].mask(~(table["next_known_on"] < folds[2]), 5 - table["next_rank"])
    )
    again = evaluate.with_sets(turned[table.columns])[0]
    shown = ["grade_set", "p_low", "p_high"]
    pd.testing.assert_frame_equal(again[shown], table[shown])


# --- scores, checked in the head ----------------------------------------------------------------------------


def test_the_area_under_the_curve_is_the_share_of_pairs_in_order_with_ties_half():
    assert evaluate.auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))[0] == 0.75
    assert evaluate.auc(np.array([0.2, 0.5, 0.5, 0.9]), np.array([0, 0, 1, 1]))[0] == 0.875
    assert np.isnan(evaluate.auc(np.array([0.2, 0.5, 0.5]), np.array([0, 0, 1]))).all()


def test_delong_s_interval_of_the_area():
    # Each improver is above 1/2, 1/2, 1, 1 of the others, each other below 1, 1, 1/2, 1/2 of them: a quarter
    # from 3/4, which moves the mean of four by a sixteenth. Eight schools do so.
    p, happened = np.array([0.2, 0.2, 0.6, 0.6, 0.4, 0.4, 0.8, 0.8]), np.array([0, 0, 0, 0, 1, 1, 1, 1])
    area, low, high = evaluate.auc(p, happened)
    half = stats.t.ppf(0.975, 7) * (8 / 16**2 * 8 / 7) ** 0.5
    assert (area, low, high) == pytest.approx((0.75, 0.75 - half, 1.0))


def test_skill_is_the_share_of_the_rule_s_error_taken_away_with_its_interval():
    # The ratio of errors is 1/2; error less ratio times rule is -1/2 and 1/2, whose deviation is the root of
    # a half.
    skill, low, high = intervals.skill(np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.array([7, 8]))
    half = stats.t.ppf(0.975, 1) * 0.5
    assert (skill, low, high) == pytest.approx((0.5, 0.5 - half, 0.5 + half))
    assert intervals.skill(np.array([0.1, 0.4]), np.array([0.1, 0.4]), np.array([1, 2])) == pytest.approx(
        (0.0, 0.0, 0.0)
    )


def test_an_interval_is_paired_on_the_same_schools():
    error, other = np.array([0.1, 0.5, 0.9]), np.array([0.2, 0.6, 1.0])
    assert intervals.mean(other - error, np.array([1, 2, 3])) == pytest.approx((0.1, 0.1, 0.1))


@pytest.mark.parametrize("said, slope", [(0.25, 1.0), (0.1, 0.5), (0.36603, 2.0)])
def test_the_calibration_slope_is_1_where_what_was_said_came_and_below_where_it_was_too_bold(said, slope):
    # One in four of those told `said` improved, and three in four of the others: log-odds of 1.0986 either
    # way.
    p, happened = np.repeat([said, 1 - said], 4), np.array([1, 0, 0, 0, 1, 1, 1, 0])
    assert evaluate.calibration(p, happened) == pytest.approx((slope, 0.0), abs=0.001)


def test_predictions_that_never_differ_have_no_slope():
    assert np.isnan(evaluate.calibration(np.full(4, 0.5), np.array([0, 1, 0, 1]))).all()


def test_the_ranked_probability_score_counts_how_far_off_in_ranks():
    chances = np.array([[0.0, 1.0, 0.0, 0.0]])
    assert [evaluate.ranked_probability_score(chances, np.array([rank])) for rank in (1, 2, 3, 4)] == [
        1,
        0,
        1,
        2,
    ]
    assert evaluate.ranked_probability_score(np.array([[0.5, 0.5, 0.0, 0.0]]), np.array([2])) == 0.25


def test_scores_are_of_schools_that_could_improve_and_0_for_the_rule_itself(table):
    rows = pd.DataFrame(evaluate.scores(table)).set_index(["fold", "model"])
    base = rows.xs(BASE, level="model")
    assert (base["skill"] == 0).all() and (base["skill_low"] == 0).all()
    able = table[table["model"].eq(BASE) & table["overall"].gt(1)]
    assert base["n"].tolist() == able.groupby("fold").size().tolist()
    assert base["rate"].tolist() == pytest.approx(
        able["label"].eq("improved").groupby(able["fold"]).mean().tolist()
    )
    assert (rows.xs("champion", level="model")["skill_low"] > 0.03).all()


def test_the_coverage_table_leaves_out_the_fold_that_had_no_earlier_one(drawn):
    rows = drawn("""
        fold       | model    | overall | next_framework | grade_set | set_covers
        2014-09-01 | champion | 3       | new            | 1-4       |
        2015-09-01 | champion | 3       | new            | 2-3       | 1
        2015-09-01 | champion | 2       | new            | 2         | 0
        2016-09-01 | champion | 2       | newest         | 1-3       | 1
        2016-09-01 | ridge    | 2       | newest         | 1-3       | 0
    """)
    assert evaluate.coverage(rows.head(1)) == []
    found = evaluate.coverage(rows)
    assert found[0] == {"n": 3, "coverage": pytest.approx(2 / 3), "mean_size": 2.0}
    assert [(row["fold"], row["coverage"]) for row in found if row.keys() == {"fold", "n", "coverage", "mean_size"}] == [
        ("2015-09-01", 0.5), ("2016-09-01", 1.0)]  # fmt: skip
    assert [(row["overall"], row["coverage"]) for row in found if "overall" in row and "fold" not in row] == [
        (2, 0.5),
        (3, 1.0),
    ]
    assert {row["next_framework"] for row in found if "next_framework" in row} == {"new", "newest"}


def test_caught_is_beside_the_most_a_perfect_ranking_could_catch():
    # Of 20 schools 4 came out below good: a tenth is 2 schools, a fifth is 4. The riskiest two hold one, the
    # four two.
    risk = np.linspace(0.95, 0.05, 20)
    bad = np.isin(np.arange(20), [1, 3, 9, 19])
    rows = pd.DataFrame({"model": "champion", "fold": DAY("2015-09-01"), "p_grade_3": risk / 2, "p_grade_4": risk / 2,
                         "next_rank": np.where(bad, 3, 2)})  # fmt: skip
    (found,) = evaluate.caught(rows)
    assert found == {
        "fold": "2015-09-01",
        "n": 20,
        "below_good": 4,
        "caught_10%": 0.25,
        "most_possible_10%": 0.5,
        "caught_20%": 0.5,
        "most_possible_20%": 1.0,
    }


# --- by group, and without a family -------------------------------------------------------------------------


def test_fairness_drops_nobody_and_shows_small_groups_as_too_few(table):
    urns = np.sort(table["urn"].unique())
    schools = pd.DataFrame({
        "urn": urns, "type": "Community School", "phase": "Primary", "region": np.where(urns < urns[5], "Tiny", "Large"),
        "idaci_quintile": pd.Series(urns % 6, dtype="Int64").replace(0, pd.NA), "faith": pd.Series(None, index=urns * 0 + range(len(urns)), dtype="str"),
        "pupils": pd.Series(200, index=range(len(urns)), dtype="Int64").mask(urns % 2 == 0),
    })  # fmt: skip
    found = pd.DataFrame(evaluate.fairness(table, schools))
    assert set(found["by"]) == set(evaluate.GROUPS)
    judged = int((table["model"].eq("champion") & table["overall"].gt(1)).sum())
    assert (found.groupby("by")["n"].sum() == judged).all()
    tiny = found[found["group"].eq("Tiny")].iloc[0]
    assert tiny["too_few"] and tiny["n"] < FEW and pd.isna(tiny["gap"])
    large = found[found["group"].eq("Large")].iloc[0]
    assert (
        not large["too_few"]
        and large["gap_low"] < large["gap"] < large["gap_high"]
        and large["skill_low"] < large["skill"]
    )
    for by in ("idaci_quintile", "faith", "size"):
        assert "not known" in set(found.loc[found["by"].eq(by), "group"]), by


def test_ablation_finds_what_was_planted_and_not_the_decoy(examples):
    found = pd.DataFrame(evaluate.ablation(evaluate.wholes(examples, SIGNALS), SIGNALS, FAMILIES, workers=1))
    said = found[found["within"].isna()].set_index("family")["verdict"].to_dict()
    nothing = "adds nothing that shows"
    assert said == {
        "leadership": "adds",
        "retention": "adds",
        "context": nothing,
        "decoy of leadership": nothing,
        "decoy of retention": nothing,
    }
    gap = found.loc[found["family"].eq("leadership")].iloc[0]
    assert gap["skill_with"] > gap["skill_without"] > 0
    within = found[found["family"].eq("leadership") & found["within"].notna()]
    assert (within["gain"] > 0).all() and within["n"].sum() == found.loc[found["within"].isna(), "n"].iloc[0]


def test_a_family_shuffled_between_schools_of_a_grade_adds_nothing(examples):
    rng = np.random.default_rng(1)
    gap = examples.groupby(["as_of", "overall"])["leadership_gap"].transform(rng.permutation)
    found = pd.DataFrame(
        evaluate.ablation(
            evaluate.wholes(examples.assign(leadership_gap=gap), SIGNALS), SIGNALS, FAMILIES, workers=1
        )
    )
    said = found[found["within"].isna()].set_index("family")["verdict"].to_dict()
    assert (
        said["leadership"] == said["decoy of retention"] == "adds nothing that shows"
        and said["retention"] == "adds"
    )


def test_columns_dealt_out_anew_stay_together_and_within_the_morning_grade_and_phase(drawn):
    rows = drawn("""
        as_of      | overall | phase   | one | two
        2020-09-01 | 2       | Primary | 1   | 10
        2020-09-01 | 2       | Primary | 2   | 20
        2020-09-01 | 2       | Primary |     | 30
        2020-09-01 | 3       | Primary | 4   | 40
        2021-09-01 | 2       | Primary | 5   | 50
        2020-09-01 | 2       | Primary | 6   | 60
        2020-09-01 | 2       |         | 7   | 70
    """)
    dealt = evaluate.deal(rows, ["one", "two"], seed=3)
    assert dealt.to_numpy()[[3, 4, 6]].tolist() == [[4, 40], [5, 50], [7, 70]]
    here = dealt.iloc[[0, 1, 2, 5]]
    assert sorted(here["decoy of two"]) == [10, 20, 30, 60] and here["decoy of two"].tolist() != [
        10,
        20,
        30,
        60,
    ]
    together = here.dropna()
    assert (together["decoy of one"] * 10 == together["decoy of two"]).all() and len(together) == 3


# --- schools inspected sooner than others -------------------------------------------------------------------


def test_those_seldom_inspected_stand_for_more_schools(examples):
    fold = evaluate.folds(examples)[1]
    seldom = examples["overall"].eq(2) & (examples["urn"] % 2).eq(0)
    blank = ["next_inspected_on", "next_known_on", "next_overall", "label"]
    rows = examples.assign(**{name: examples[name].mask(seldom) for name in blank})
    weight = evaluate.inspection_weights(rows, fold)
    asked = rows.loc[weight.index]
    seen = fold.learned(asked)
    mean = weight[seen].groupby(asked.loc[seen, "overall"]).mean()
    assert mean[2] / mean[3] == pytest.approx(2, rel=0.15)  # half as likely to be inspected: twice the weight
    assert weight.between(0.2, 5).all()


def test_censoring_shows_the_mean_chance_of_all_schools_with_weights_and_without(examples):
    found = pd.DataFrame(evaluate.censoring(examples, evaluate.wholes(examples, SIGNALS), SIGNALS))
    assert found["fold"].tolist() == ["2014-09-01", "2015-09-01", "2016-09-01"]
    assert (found["could_improve"] > found["inspected"]).all()
    assert (
        found[["brier_plain", "brier_weighted", "mean_p_all_plain", "mean_p_all_weighted"]]
        .notna()
        .all(axis=None)
    )
