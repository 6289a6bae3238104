import numpy as np
import pandas as pd
import pytest
from test_evaluate import SIGNALS, _examples
from test_report_cards import learner

from headway.models import baselines
from headway.pipelines import evaluate, promotion
from headway.pipelines.evaluate import TWO_YEARS
from headway.pipelines.promotion import EQUAL, HARM
from headway.pipelines.report_cards import NAMES, Learner

RULES = [*baselines.RULES, TWO_YEARS]
ABOUT = {
    "candidate": "blend",
    "signals": SIGNALS,
    "learned_until": "2020-01-31",
    "data_source": "official",
    "version": "new",
}
REIGNING = ABOUT | {"version": "old", "learned_until": "2019-12-31"}
COUNT = 3000  # rows, of as many schools, in three folds


def _log_odds(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1 - p))


@pytest.fixture(scope="module")
def world() -> pd.DataFrame:
    """Rows with the chance that made them: half Good, half Requires Improvement, of two regions."""
    rng = np.random.default_rng(3)
    overall = np.repeat([2, 3], COUNT // 2)
    true = 1 / (1 + np.exp(-np.where(overall == 2, -1.5, 0.0) - rng.normal(0, 0.9, COUNT)))
    improved = rng.random(COUNT) < true
    return pd.DataFrame({
        "fold": pd.to_datetime(rng.choice(["2018-09-01", "2019-09-01", "2020-09-01"], COUNT)), "urn": np.arange(COUNT),
        "lineage": np.arange(COUNT), "overall": overall, "label": np.where(improved, "improved", "same"), "true": true,
        "p_grade_1": 0.25, "p_grade_2": 0.25, "p_grade_3": 0.25, "p_grade_4": 0.25,
    })  # fmt: skip


@pytest.fixture(scope="module")
def schools() -> pd.DataFrame:
    return pd.DataFrame({
        "urn": np.arange(COUNT), "phase": "Primary", "region": np.where(np.arange(COUNT) % 10 == 0, "London", "South West"),
        "idaci_quintile": 3, "faith": None, "type": None, "pupils": 300.0,
    })  # fmt: skip


def _backtest(world: pd.DataFrame, p: np.ndarray | pd.Series) -> pd.DataFrame:
    """A candidate that says p, beside plain rules that know each grade's rate."""
    rate = world["label"].eq("improved").groupby(world["overall"]).transform("mean")
    said = {"champion": p, **dict.fromkeys(RULES, rate)}
    return pd.concat(
        [world.assign(model=model, p_improve=chances) for model, chances in said.items()], ignore_index=True
    )


def _noisy(world: pd.DataFrame, noise: float) -> np.ndarray:
    """The true chances, blurred and drawn back as far as makes them calibrated again, near enough."""
    blurred = _log_odds(world["true"].to_numpy()) + np.random.default_rng(5).normal(0, noise, len(world))
    centre = np.where(world["overall"] == 2, -1.5, 0.0)
    return 1 / (1 + np.exp(-(centre + (blurred - centre) * 0.81 / (0.81 + noise**2))))


@pytest.fixture(scope="module")
def good(world: pd.DataFrame) -> pd.DataFrame:
    return _backtest(world, world["true"])


# --- the comparison -----------------------------------------------------------------------------------------


def test_the_gain_is_the_share_of_the_other_s_error_on_all_rows_and_within_a_group(drawn):
    pairs = drawn("""
        lineage | error | other
        1       | 0.1   | 0.4
        1       | 0.1   | 0.2
        2       | 0.1   | 0.2
    """)
    whole, group = promotion.compare(pairs, [np.array([True] * 3), np.array([False, True, True])])
    assert whole["n"] == 3 and whole["schools"] == 2 and whole["gain"] == pytest.approx(1 - 0.3 / 0.8)
    assert group["n"] == 2 and group["gain"] == pytest.approx(0.5)
    # only school 2, only school 1
    assert (whole["gain_low"], whole["gain_high"]) == pytest.approx((0.5, 1 - 0.2 / 0.6))


def test_a_school_s_rows_are_drawn_together_so_more_mornings_of_the_same_schools_are_no_more_evidence(drawn):
    pairs = pd.DataFrame({"lineage": range(40), "error": np.tile([0.1, 0.3], 20), "other": 0.25})
    (once,), (often,) = promotion.compare(pairs), promotion.compare(pd.concat([pairs] * 9))
    assert (once["gain_low"], once["gain_high"]) == pytest.approx((often["gain_low"], often["gain_high"]))
    assert once == promotion.compare(pairs)[0]


def test_only_rows_both_speak_of_are_compared_and_a_corrected_label_counts_for_both(drawn):
    mine = drawn("""
        fold_on    | urn | lineage | label    | p_improve
        2018-09-01 | 1   | 1       | improved | 0.9
        2018-09-01 | 2   | 2       | same     | 0.5
    """).rename(columns={"fold_on": "fold"})
    other = drawn("""
        fold_on    | urn | label | p_improve
        2018-09-01 | 1   | same  | 0.4
        2019-09-01 | 2   | same  | 0.5
    """).rename(columns={"fold_on": "fold"})
    pairs = promotion.paired(mine, other)
    assert pairs["urn"].tolist() == [1]
    assert pairs["error"].iloc[0] == pytest.approx(0.01) and pairs["other"].iloc[0] == pytest.approx(0.36)


# --- beside the plain rules ---------------------------------------------------------------------------------


def test_where_there_is_no_champion_one_that_beats_every_plain_rule_is_promoted(good, schools):
    told = promotion.decide(good, None, schools, ABOUT)
    assert (
        told.promote
        and "better than every plain rule" in told.reasons[0]
        and "no champion yet" in told.reasons[1]
    )
    assert {row["against"] for row in told.comparison} == {*RULES}
    assert [row["n"] for row in told.comparison if row.get("by") == "region"] == [
        COUNT // 10,
        COUNT - COUNT // 10,
    ]


def test_one_that_does_not_beat_a_single_rule_is_not_and_the_rule_is_named(world, good, schools):
    beaten = good.assign(
        p_improve=good["p_improve"].mask(good["model"].eq("logistic"), [*world["true"]] * (len(RULES) + 1))
    )
    told = promotion.decide(beaten, None, schools, ABOUT)
    assert not told.promote
    assert len(told.reasons) == 1 and "plain rule logistic" in told.reasons[0] and "+0.0%" in told.reasons[0]


@pytest.mark.parametrize(
    "odds, why",
    [
        (lambda odds: odds * 0.6, "slope 1.[4-7]"),
        (lambda odds: odds * 1.5, "slope 0.6"),
        (lambda odds: odds + 0.5, "mean chance lies 0.[01]"),
    ],
    ids=["shy", "bold", "too high"],
)
def test_one_whose_chances_are_too_shy_too_bold_or_too_high_is_not(world, schools, odds, why):
    told = promotion.decide(
        _backtest(world, 1 / (1 + np.exp(-odds(_log_odds(world["true"]))))), None, schools, ABOUT
    )
    assert not told.promote
    assert any(pd.Series(told.reasons).str.contains(why)), told.reasons


def test_one_that_harms_a_group_beyond_the_margin_and_beyond_chance_is_not_though_better_over_all(
    world, schools
):
    """A tenth of the schools, London's, are said the opposite of what is true."""
    london = schools["region"].eq("London").to_numpy()
    told = promotion.decide(
        _backtest(world, world["true"].mask(london, 1 - world["true"])), None, schools, ABOUT
    )
    assert not told.promote and any("London fares worse" in reason for reason in told.reasons)
    row = next(row for row in told.comparison if row.get("group") == "London")
    assert row["harmed"] and row["gain_high"] < -HARM
    assert not next(row for row in told.comparison if row.get("group") == "South West")["harmed"]


def test_a_group_that_looks_worse_by_less_than_the_margin_is_named_as_one_to_watch(world, schools):
    """London is said its grade's rate, a two-hundredth further from what came."""
    improved = world["label"].eq("improved")
    rate = improved.groupby(world["overall"]).transform("mean") + np.where(improved, -0.005, 0.005)
    told = promotion.decide(
        _backtest(world, world["true"].mask(schools["region"].eq("London"), rate)), None, schools, ABOUT
    )
    assert told.promote
    assert [reason.split(" looks")[0] for reason in told.reasons if "to watch" in reason] == [
        "to watch: region London"
    ]


# --- beside the champion ------------------------------------------------------------------------------------


def _decided(
    world: pd.DataFrame,
    schools: pd.DataFrame,
    mine: float,
    champion: float,
    about: dict | None = None,
    reigning: dict | None = None,
) -> promotion.Decision:
    """The decision on a candidate and a champion that blur the truth by so much."""
    held, new = (_backtest(world, _noisy(world, noise)) for noise in (champion, mine))
    return promotion.decide(
        new, promotion.kept(held), schools, ABOUT | (about or {}), REIGNING | (reigning or {})
    )


def test_a_better_one_takes_the_champion_s_place_and_a_worse_one_does_not_however_new(world, schools):
    better, worse = _decided(world, schools, 0.0, 0.9), _decided(world, schools, 0.9, 0.0)
    assert better.promote and any(
        reason.startswith("better than the champion old") for reason in better.reasons
    )
    assert (
        not worse.promote
        and "not shown to be as good" in worse.reasons[0]
        and f"{EQUAL:.0%}" in worse.reasons[0]
    )
    assert f"{COUNT:,} of its {COUNT:,} rows" in worse.reasons[0]


@pytest.mark.parametrize(
    "about, reigning, promoted",
    [
        ({}, {}, "learned from newer outcomes"),
        ({"learned_until": "2019-12-31"}, {}, None),
        ({"learned_until": "2019-12-31", "candidate": "ridge"}, {}, "simpler"),
        ({"learned_until": "2019-12-31", "signals": SIGNALS[:1]}, {}, "simpler"),
        ({"learned_until": "2019-12-31"}, {"candidate": "ridge"}, None),
        ({"learned_until": "2019-12-31", "report_cards": 668}, {}, "learned from more report cards (668)"),
        ({"learned_until": "2019-12-31", "report_cards": 668}, {"report_cards": 214}, "more report cards"),
        ({"learned_until": "2019-12-31", "report_cards": 214}, {"report_cards": 214}, None),
    ],
    ids=[
        "next month's",
        "the same",
        "simpler recipe",
        "fewer signals",
        "less simple",
        "the first cards",
        "more cards",
        "the same cards",
    ],
)
def test_an_equal_one_takes_its_place_only_if_newer_or_simpler(world, schools, about, reigning, promoted):
    told = _decided(world, schools, 0.3, 0.3, about, reigning)
    assert told.promote == (promoted is not None)
    assert any(
        (promoted or "neither better nor simpler nor learned from newer") in reason for reason in told.reasons
    )


def test_one_that_shares_too_few_rows_with_the_champion_is_not_promoted(good, schools):
    few = promotion.kept(good).head(evaluate.FEWEST_JUDGED - 1)
    told = promotion.decide(good, few, schools, ABOUT, REIGNING)
    assert not told.promote and "only 199 unseen rows" in told.reasons[0]


def test_made_up_files_never_unseat_a_champion_of_official_ones_and_official_ones_always_may(good, schools):
    held, made_up = promotion.kept(good), {"data_source": "made-up"}
    told = promotion.decide(good, held, schools, ABOUT | made_up, REIGNING)
    assert not told.promote and "can't take its place" in told.reasons[0]
    assert promotion.decide(good, held, schools, ABOUT, REIGNING | made_up).promote


def test_a_champion_kept_without_its_backtest_is_followed_by_what_beats_the_rules_and_that_is_said(
    good, schools
):
    told = promotion.decide(good, None, schools, ABOUT, REIGNING)
    assert told.promote and any("backtest was not kept" in reason for reason in told.reasons)


# --- by real training: leaks, and nothing to learn ----------------------------------------------------------


def _trained(examples: pd.DataFrame, signals: list[str]) -> promotion.Decision:
    table, _ = evaluate.backtest(examples, evaluate.walk(examples, signals, workers=1, rounds=30))
    everyone = examples.drop_duplicates("urn")[["urn", "phase"]].assign(
        region="London", idaci_quintile=3, faith=None, type=None, pupils=300.0
    )
    return promotion.decide(table, None, everyone, ABOUT | {"signals": signals})


@pytest.fixture(scope="module")
def examples() -> pd.DataFrame:
    return _examples()


def test_one_trained_on_what_there_is_to_learn_is_promoted(examples):
    told = _trained(examples, SIGNALS)
    assert told.promote and not told.leak, told.reasons


def test_one_trained_on_a_column_that_knows_the_answer_is_flagged(examples):
    answer = (examples["next_overall"].astype("float64") < examples["overall"].astype("float64")).astype(
        "float64"
    )
    told = _trained(
        examples.assign(leak=answer + np.random.default_rng(0).normal(0, 0.3, len(answer))),
        [*SIGNALS, "leak"],
    )
    assert told.leak and not told.promote
    assert "too good to be true" in told.reasons[0] and "look for a leak" in told.reasons[0]
    assert not told.allows("force")


def test_force_promotes_what_was_not_earned_and_never_promotes_nothing():
    earned, not_earned = promotion.Decision(True, []), promotion.Decision(False, [])
    assert [earned.allows(asked) for asked in ("auto", "never", "force")] == [True, False, True]
    assert [not_earned.allows(asked) for asked in ("auto", "never", "force")] == [False, False, True]


@pytest.mark.parametrize("seed", [0, 1])
def test_one_trained_on_shuffled_labels_is_never_promoted(examples, seed):
    """Outcomes are dealt out anew among the schools of one year and grade, so the rates stay and the signals
    say nothing.
    """
    seen = examples["label"].notna()
    order = np.random.default_rng(seed).permutation(len(examples))
    keys = ["overall", "as_of"]
    ranked = examples[seen].assign(order=order[seen.to_numpy()]).sort_values([*keys, "order"])
    into = examples[seen].sort_values(keys, kind="stable").index
    outcome = ["next_overall", "next_leadership", "next_below_good", "label"]
    dealt = examples.assign(
        **{name: pd.Series(ranked[name].array, index=into).reindex(examples.index) for name in outcome}
    )
    told = _trained(dealt, SIGNALS)
    assert not told.promote and any("no better than the plain rule" in reason for reason in told.reasons)


# --- report cards -------------------------------------------------------------------------------------------

CARDS = 900
AREAS = ("leadership_and_governance", "achievement")


@pytest.fixture(scope="module")
def walked() -> pd.DataFrame:
    """Cards of three months, two areas and any, with the chances that made them; a tenth of the schools are
    London's.
    """
    rng = np.random.default_rng(11)
    true = 1 / (1 + np.exp(1.3 - rng.normal(0, 1.0, (CARDS, 2))))
    below = rng.random((CARDS, 2)) < true
    cards = pd.DataFrame(
        {
            "urn": np.arange(CARDS),
            "lineage": np.arange(CARDS),
            "fold": rng.choice(["2026-01", "2026-02", "2026-03"], CARDS),
        }
    )
    parts = [
        cards.assign(area=area, p_below=true[:, at], below=below[:, at]) for at, area in enumerate(AREAS)
    ]
    parts.append(cards.assign(area="any", p_below=1 - (1 - true).prod(axis=1), below=below.any(axis=1)))
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(rate=rows.groupby("area")["below"].transform("mean"))


def _dealt(values: pd.Series, keys: pd.Series) -> pd.Series:
    """The values of each key dealt out anew."""
    return values.groupby(keys).transform(lambda mine: np.random.default_rng(2).permutation(mine.to_numpy()))


def _with_cards(
    good, schools, mine: pd.DataFrame, champion: pd.DataFrame | None = None
) -> promotion.Decision:
    held = None if champion is None else promotion.kept_of_cards(champion)
    reigning = REIGNING if champion is not None else None
    kept = promotion.kept(good) if champion is not None else None
    return promotion.decide(good, kept, schools, ABOUT, reigning, cards=(mine, held))


def test_forecasts_of_report_cards_as_good_as_the_champion_s_are_no_bar_and_are_told_of(
    good, schools, walked
):
    told = _with_cards(good, schools, walked, walked.assign(p_below=walked["p_below"] * 0.98))
    assert told.promote, told.reasons
    assert any(
        reason.startswith("report cards, all areas: better than the rate by the grade before")
        for reason in told.reasons
    )
    assert any(
        reason.startswith("report cards, any: ") and "the champion old" in reason for reason in told.reasons
    )
    assert {"phase", "region"} <= {row["by"] for row in told.comparison if row.get("about") == "report cards"}


def test_a_spoiled_forecast_of_report_cards_is_not_promoted_however_good_its_grades(good, schools, walked):
    spoiled = walked.assign(p_below=_dealt(walked["p_below"], walked["area"]))
    told = _with_cards(good, schools, spoiled, walked)
    assert not told.promote
    assert any(
        reason.startswith("report cards, all areas: worse than the champion old") for reason in told.reasons
    )
    only = _with_cards(good, schools, spoiled)
    assert not only.promote and any("than the rate by the grade before" in reason for reason in only.reasons)


def test_one_that_spoils_leadership_alone_is_not_promoted(good, schools, walked):
    spoiled = walked["p_below"].mask(walked["area"].eq(AREAS[0]), 0.5)
    told = _with_cards(good, schools, walked.assign(p_below=spoiled), walked)
    assert not told.promote
    assert any(
        reason.startswith("report cards, leadership_and_governance: worse than the champion")
        for reason in told.reasons
    )


def test_one_that_harms_a_group_on_report_cards_is_not_promoted(good, schools, walked):
    """London's are said the opposite of what is true; the champion says the truth of them and is blurred
    elsewhere.
    """
    london = walked["urn"].map(schools.set_index("urn")["region"]).eq("London")
    blurred = walked["p_below"].mask(~london, 0.4 * walked["p_below"] + 0.6 * walked["rate"])
    told = _with_cards(
        good,
        schools,
        walked.assign(p_below=walked["p_below"].mask(london, 1 - walked["p_below"])),
        walked.assign(p_below=blurred),
    )
    assert not told.promote and any(
        "report cards: region London fares worse" in reason for reason in told.reasons
    )


def test_with_few_cards_they_are_too_few_to_judge_by_and_grades_decide(good, schools, walked):
    few = walked[walked["urn"] < promotion.FEWEST_CARDS - 1]
    told = _with_cards(good, schools, few.assign(p_below=1 - few["p_below"]), walked)
    assert told.promote and any("too few to judge by" in reason for reason in told.reasons)
    assert not [row for row in told.comparison if row.get("about") == "report cards"]
    assert promotion.decide(good, None, schools, ABOUT).promote


def test_forecasts_of_report_cards_that_know_what_comes_are_a_leak(good, schools, walked):
    told = _with_cards(
        good, schools, walked.assign(p_below=0.8 * walked["below"] + 0.2 * walked["p_below"]), walked
    )
    assert (
        told.leak
        and not told.allows("force")
        and "report cards: too good to be true" in " ".join(told.reasons)
    )


@pytest.mark.parametrize("shuffled", [False, True])
def test_cards_whose_standards_were_dealt_out_anew_teach_nothing_that_is_promoted(shuffled):
    mine = learner(480)
    if shuffled:
        order = np.random.default_rng(1).permutation(480)
        dealt = mine.given.assign(**{area: mine.given[area].to_numpy()[order] for area in NAMES})
        mine = Learner(dealt, mine.empty, mine.expected, mine.about, mine.state, mine.asked)
    schools = pd.DataFrame(
        {
            "urn": range(480),
            "phase": "Primary",
            "region": "London",
            "idaci_quintile": 3,
            "faith": None,
            "type": None,
            "pupils": 300.0,
        }
    )
    told = promotion.on_cards(mine.walked(sets=False), None, schools, None)
    assert bool(told.against) == shuffled, (told.against, told.said)
