"""Report cards on a morning: what there is to learn from, the walk month by month, and a school's own last
card.
"""

import numpy as np
import pandas as pd
import pytest

from headway.models.report_cards import ReportCards
from headway.pipelines import report_cards, tables
from headway.pipelines.report_cards import NAMES, Learner

DAYS = [pd.Timestamp(day) for day in ("2025-11-17", "2025-12-08", "2026-01-20", "2026-02-10")]
BEFORE = {area: (0.1, 0.2) for area in (*NAMES, "overall", "leadership")}


def _empty(circumstances: dict[str, float]) -> ReportCards:
    return ReportCards.empty(
        list(NAMES),
        BEFORE,
        pd.DataFrame({"attainment_standing": [0.0, 1.0]}),
        np.zeros((2, 2)),
        circumstances,
    )


def learner(count: int = 160, **changes) -> Learner:
    """Cards of four months in turn, each known a month after it; a school's place is its prior, one for all
    areas.
    """
    rng = np.random.default_rng(0)
    begun = pd.Series([DAYS[at % 4] for at in range(count)])
    place = rng.normal(0, 0.7, count)
    level = place[:, None] + 0.8 * rng.normal(size=(count, 1)) + 0.6 * rng.normal(size=(count, len(NAMES)))
    reached = 1.0 + sum((level > cut).astype(int) for cut in (-2.0, -0.7, 1.3, 2.3))
    given = pd.DataFrame({"urn": range(count), "lineage": range(count), "as_of": begun, "known_on": begun + pd.Timedelta(days=30),
                          **{area: reached[:, at] for at, area in enumerate(NAMES)}}).assign(**changes)  # fmt: skip
    empty = _empty(report_cards._circumstances(given)[1])
    state = pd.DataFrame({"overall": rng.choice([2, 3], count), "cell": "2", "group": "Primary"})
    expected = np.repeat(np.repeat(place[:, None, None], len(NAMES), axis=1), 2, axis=2) + np.array(
        [1.0, -1.2]
    )
    about = np.zeros((count, len(empty.model.names)))
    return Learner(given, empty, expected, about, state, np.ones((count, len(NAMES)), dtype=bool))


def said(walked: pd.DataFrame) -> pd.DataFrame:
    rows = [row for fold, rows in walked.groupby("fold") for row in report_cards.figures(rows, fold)]
    return pd.DataFrame(rows)[["fold", "area", "learned_from", "mean_p", "coverage"]]


def test_a_month_learns_from_the_cards_published_before_its_first_day():
    walked = said(learner().walked()).drop_duplicates("fold").set_index("fold")["learned_from"]
    assert walked.to_dict() == {"2025-11": 0, "2025-12": 0, "2026-01": 40, "2026-02": 80}


def test_cards_rewritten_from_a_month_on_change_nothing_that_was_said_of_it():
    """December's came out in January: February is the first that they teach."""
    before = learner()
    late = before.given["as_of"] >= DAYS[1]
    turned = before.given.assign(
        **{area: before.given[area].mask(late, 6 - before.given[area]) for area in NAMES}
    )
    after = Learner(turned, before.empty, before.expected, before.about, before.state, before.asked)
    (walked, again), kept = (
        (said(each.walked()) for each in (before, after)),
        ["fold", "area", "learned_from", "mean_p"],
    )
    until = walked["fold"] <= "2026-01"
    pd.testing.assert_frame_equal(walked[until][kept], again[until][kept], check_exact=True)
    assert (walked[~until]["mean_p"] != again[~until]["mean_p"]).all()


def test_a_school_s_earlier_card_does_not_teach_what_is_said_of_its_next():
    """Twenty of January's schools had a card in November: 20 of its 40 are left to learn from."""
    lineage = pd.Series(range(160))
    lineage[lineage.index % 4 == 2] = np.concatenate([np.arange(0, 80, 4), 1000 + np.arange(20)])
    walked = said(learner(lineage=lineage).walked()).drop_duplicates("fold").set_index("fold")["learned_from"]
    assert walked["2026-01"] == 20


def test_the_sets_of_a_part_of_the_cards_are_learned_from_other_lineages(monkeypatch):
    seen = []
    mine = learner(lineage=pd.Series(np.arange(160) // 2))
    whole = mine._model

    def watched(at, trial=None):
        if trial is not None:
            seen.append(set(mine.given["lineage"].iloc[at]))
        return whole(at, trial)

    monkeypatch.setattr(mine, "_model", watched)
    mine.fitted(mine.given.index)
    assert len(seen) == report_cards.CROSSED
    for lineages in seen:
        assert len(set(mine.given["lineage"]) - lineages) == 80 / report_cards.CROSSED


def test_a_school_s_own_card_moves_its_areas_its_way_and_none_moves_nothing():
    cards = learner().empty
    places = np.zeros((3, len(NAMES), 2))
    own = np.full((3, len(NAMES)), np.nan)
    own[1], own[2, 0] = 5.0, 1.0
    moved = cards.shown(own, places)
    assert (moved[0] == 0).all() and (moved[1] > 0.2).all()
    assert moved[2, 0] < moved[2, 1] < 0


def test_the_newest_card_public_before_the_morning_counts(drawn):
    given = pd.DataFrame({"urn": [1, 1, 2], "lineage": [1, 1, 2], "as_of": pd.to_datetime(["2025-11-17", "2026-05-05", "2025-12-01"]),
                          "known_on": pd.to_datetime(["2025-12-20", "2026-06-10", "2026-02-01"]),
                          **{area: [3.0, 4.0, 2.0] for area in NAMES}}).astype({"as_of": "datetime64[s]", "known_on": "datetime64[s]"})  # fmt: skip
    questions = drawn("""
        urn | lineage | as_of
        1   | 1       | 2026-06-10
        1   | 1       | 2026-06-11
        2   | 2       | 2026-02-01
        3   | 3       | 2026-09-01
    """)
    own = report_cards.last_cards(questions, given)
    assert [None if np.isnan(value) else value for value in own[:, 0]] == [3.0, 4.0, None, None]


def test_standards_given_again_at_a_monitoring_visit_are_no_card_of_their_own(table, drawn):
    standards = table(
        "standards",
        drawn("""
        urn | inspected_on | area        | standard | graded_on  | known_on
        1   | 2025-11-17   | inclusion   | 4        | 2025-11-17 | 2025-12-20
        1   | 2025-11-17   | inclusion   | 3        | 2026-05-05 | 2026-06-01
        1   | 2025-11-17   | achievement | 3        | 2025-11-17 | 2025-12-20
    """).assign(inspection_number=None),
    )
    (card,) = report_cards.cards({"standards": standards}, pd.Timestamp("2026-09-01")).to_dict("records")
    assert (card["inclusion"], card["achievement"], card["as_of"]) == (4.0, 3.0, pd.Timestamp("2025-11-17"))
    assert report_cards.cards({"standards": standards}, pd.Timestamp("2025-12-20")).empty


@pytest.mark.parametrize(
    "phase, ages, areas",
    [
        ("Primary", (3, 11), ["early_years"]),
        ("Primary", (7, 11), []),
        ("Secondary", (11, 18), ["post_16"]),
        ("Secondary", (11, 16), []),
        ("Secondary", (4, 18), ["early_years", "post_16"]),
        ("PRU", (4, 18), []),
        ("Primary", (None, None), ["early_years"]),
    ],
)
def test_early_years_and_post_16_are_judged_by_the_ages_a_school_takes(phase, ages, areas):
    state = pd.DataFrame({"group": [phase], "low_age": [ages[0]], "high_age": [ages[1]]})
    asked = _empty({}).judged_in(state)[0]
    assert [area for area in ("early_years", "post_16") if asked[NAMES.index(area)]] == areas
    assert asked.sum() == len(NAMES) - 2 + len(areas)


def test_the_columns_of_a_row_s_own_card_are_those_feature_rows_declare():
    declared = tables.TABLES["signals_today"].names
    assert [name for name in declared if name in _empty({}).inputs] == _empty({}).inputs
    assert set(report_cards.OWN_CARD) < set(declared)


def test_a_cohort_is_given_each_school_s_ages_and_the_card_it_had_that_morning(table, drawn):
    standards = table(
        "standards",
        drawn("""
        urn | inspected_on | area        | standard | graded_on  | known_on
        1   | 2025-11-17   | inclusion   | 4        | 2025-11-17 | 2025-12-20
        1   | 2026-05-05   | inclusion   | 3        | 2026-05-05 | 2026-06-01
    """).assign(inspection_number=None),
    )
    schools = pd.DataFrame({"urn": [1, 2], "low_age": [3, None], "high_age": [11, None]}).astype("Int64")
    asked = drawn("""
        urn | lineage | as_of
        1   | 1       | 2025-12-20
        1   | 1       | 2025-12-21
        1   | 1       | 2026-09-01
        2   | 2       | 2026-09-01
    """)
    rows = report_cards.with_own_card(asked, {"schools": schools, "standards": standards})
    assert rows["card_inclusion"].astype("object").where(rows["card_inclusion"].notna(), None).tolist() == [
        None,
        4,
        3,
        None,
    ]
    assert rows["low_age"].astype("object").where(rows["low_age"].notna(), None).tolist() == [3, 3, 3, None]
    assert report_cards.has_card(rows).tolist() == [False, True, True, False]
    assert not report_cards.has_card(asked).any()


def test_no_card_that_taught_a_month_was_published_in_it_or_after():
    walked = learner().walked(sets=False)
    taught = walked[walked["learned_from"] > 0]
    assert len(taught) and (taught["learned_until"] < pd.to_datetime(taught["fold"] + "-01")).all()
    assert walked["covers"].isna().all() and (walked["rate"].isna() == walked["learned_from"].eq(0)).all()
