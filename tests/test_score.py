import csv

import made
import numpy as np
import pandas as pd
import pytest

from headway.models.champion import Champion
from headway.pipelines import inspections, tables
from headway.pipelines.__main__ import main
from headway.pipelines.scoring import score
from headway.pipelines.scoring.score import FEW_LIKE_IT, SCORED
from headway.pipelines.tables import DataError

COHORT = """
    urn    | lineage | as_of      | overall | leadership | inspected_on | framework | phase     | leadership_gap | share_stayed
    100001 | 100001  | 2025-06-01 | 2       | 2          | 2023-01-10   | old       | Primary   | 0              | 0.8
    100002 | 100002  | 2025-06-01 | 3       | 2          | 2023-01-10   | old       | Secondary | 1              |
    100003 | 100003  | 2025-06-01 |         |            |              |           | Primary   |                | 0.9
    100004 | 100004  | 2025-06-01 |         |            | 2025-03-10   | new       | Primary   |                | 0.7
    100005 | 100005  | 2025-06-01 | 1       |            | 2023-01-10   | old       | Primary   | 0              | 0.8
    100006 | 100006  | 2025-06-01 | 4       | 4          | 2023-01-10   | old       | Nursery   | 0              | 0.8
    100007 | 100007  | 2025-12-01 | 3       | 3          | 2011-01-10   | old       |           | 0              | 0.8
"""


@pytest.fixture(scope="module")
def champion() -> Champion:
    return made.champion()


@pytest.fixture
def signals(drawn) -> pd.DataFrame:
    return drawn(COHORT)[["leadership_gap", "share_stayed"]].assign(decoy=0.0, constant=7.0)


@pytest.fixture
def cohort(drawn) -> pd.DataFrame:
    whole = {"overall": "Int64", "leadership": "Int64", "framework": "str", "phase": "str"}
    return (
        drawn(COHORT)
        .drop(columns=["leadership_gap", "share_stayed"])
        .assign(overall_source="published")
        .astype(whole)
    )


@pytest.fixture
def rows(cohort, signals, champion) -> pd.DataFrame:
    return score.predictions(cohort, signals, champion, "made-up").set_index("urn")


def test_every_school_gets_a_row_in_the_same_order_or_a_reason(rows, cohort):
    assert rows.index.tolist() == cohort["urn"].tolist()
    assert rows["status"].tolist() == [
        SCORED,
        SCORED,
        inspections.NEVER_GRADED,
        inspections.NEVER_GRADED,
        SCORED,
        SCORED,
        SCORED,
    ]


def test_a_school_that_is_not_scored_has_no_chance_and_no_contribution(rows):
    unscored = rows.loc[[100003, 100004]]
    figures = [
        c for c in rows if c.startswith(("p_", "contribution_")) or c in ("grade_set", "base_rate", "like_it")
    ]
    assert unscored[figures].isna().all(axis=None)
    assert (
        rows.loc[rows["status"].eq(SCORED), ["p_same", "p_worse", "grade_set", "base_rate"]]
        .notna()
        .all(axis=None)
    )


def test_chances_sum_to_1_of_the_grades_and_of_improving_staying_and_falling(rows):
    scored = rows[rows["status"].eq(SCORED)]
    assert scored[[f"p_grade_{grade}" for grade in (1, 2, 3, 4)]].sum(axis=1).to_numpy() == pytest.approx(
        np.ones(5)
    )
    assert scored[["p_improve", "p_same", "p_worse"]].sum(axis=1).to_numpy() == pytest.approx(np.ones(5))


def test_an_outstanding_school_has_a_chance_of_staying_and_none_of_improving(rows):
    assert pd.isna(rows.loc[100005, "p_improve"]) and rows.loc[100005, "p_stay"] == rows.loc[100005, "p_same"]
    assert rows.loc[100006, "p_worse"] == 0


def test_contributions_by_family_add_up_to_the_step_from_the_recent_rate_where_a_grade_comes_next(rows):
    scored = rows[rows["status"].eq(SCORED) & ~rows["extrapolation"]]
    families = [c for c in rows if c.startswith("contribution_")]
    assert sorted(families) == [
        f"contribution_{name}" for name in ("context", "leadership", "level", "retention", "unknown")
    ]
    at_stake = scored["p_improve"].fillna(scored["p_stay"])
    assert scored[families].sum(axis=1).to_numpy() == pytest.approx(
        (at_stake - scored["base_rate"]).to_numpy(), abs=1e-12
    )
    assert rows.loc[rows["extrapolation"], families].isna().all(axis=None)


def test_what_a_blank_adds_is_no_familys_reason(rows):
    assert rows.loc[100002, "contribution_retention"] == 0 and rows.loc[100002, "contribution_unknown"] != 0
    assert rows.loc[100001, "contribution_retention"] != 0 and rows.loc[100001, "contribution_unknown"] == 0


def test_a_school_has_beside_its_chances_how_schools_of_its_grade_and_phase_came_out(rows):
    usual = rows.loc[[100001, 100002, 100005], [f"usual_grade_{grade}" for grade in (1, 2, 3, 4)]]
    assert usual.sum(axis=1).to_numpy() == pytest.approx(np.ones(3))
    better = [
        usual.loc[100001, "usual_grade_1"],
        usual.loc[100002, ["usual_grade_1", "usual_grade_2"]].sum(),
        usual.loc[100005, "usual_grade_1"],
    ]
    assert better == pytest.approx(rows.loc[usual.index, "base_rate"].tolist())


def test_a_kind_of_school_seldom_learned_from_says_so(rows, champion):
    assert rows.loc[100001, "like_it"] == champion.about["cells"]["2|Primary"] >= FEW_LIKE_IT
    assert rows.loc[100001, "enough_like_it"]
    for urn in (100006, 100007):  # an Inadequate nursery; a “satisfactory” school whose phase nobody knows
        assert rows.loc[urn, "like_it"] == 0 and not rows.loc[urn, "enough_like_it"]


def test_chances_of_the_next_leadership_grade_are_given_where_there_is_one_now(rows):
    columns = [f"p_leadership_{grade}" for grade in (1, 2, 3, 4)]
    assert rows[columns].notna().all(axis=1).tolist() == [True, True, False, False, False, True, True]
    assert rows.loc[100001, columns].sum() == pytest.approx(1)


def test_a_prediction_under_report_cards_is_marked_as_extrapolation(rows):
    assert rows["extrapolation"].tolist() == [False] * 6 + [True]


def test_every_row_says_which_model_and_which_files_it_came_from_and_fits_the_table(rows):
    kept = tables.conform(rows.reset_index(), "predictions")
    assert set(kept["model_version"]) == {"abc123"} and set(kept["data_source"]) == {"made-up"}
    assert kept["as_of"].notna().all()


def test_a_school_asked_about_alone_gets_the_row_it_gets_among_others(rows, cohort, signals, champion):
    for place, urn in enumerate(cohort["urn"]):
        alone = score.predictions(cohort.iloc[[place]], signals.iloc[[place]], champion, "made-up")
        alone = alone.set_index("urn").reindex(columns=rows.columns)
        pd.testing.assert_frame_equal(alone.astype(object), rows.loc[[urn]].astype(object), check_exact=True)


def test_where_nobody_can_be_scored_everybody_still_has_a_row(cohort, signals, champion):
    few = cohort["overall"].isna()
    found = score.predictions(cohort[few], signals[few], champion, "made-up")
    assert found["status"].tolist() == [inspections.NEVER_GRADED, inspections.NEVER_GRADED]


def test_without_a_champion_it_says_what_to_run(tmp_path):
    with pytest.raises(DataError, match=r"(?s)no champion in .*headway train"):
        score.load(tmp_path / "champion")


def test_a_copy_for_a_spreadsheet_keeps_what_looks_like_a_formula_as_text(tmp_path):
    names = ["=1+1", "+44", "-2", "@SUM(A1)", "\tx", "Oak, “the” School", 'a "b"', None]
    rows = pd.DataFrame({"name": pd.Series(names, dtype="str"), "p_improve": [-0.5, *[0.25] * 6, None],
                         "as_of": pd.Timestamp("2025-09-01")})  # fmt: skip
    score.write_csv(rows, tmp_path / "copy.csv")
    with (tmp_path / "copy.csv").open(encoding="utf-8", newline="") as file:
        header, *cells = csv.reader(file)
    assert header == ["name", "p_improve", "as_of"]
    assert [cell[0] for cell in cells] == [
        "'=1+1",
        "'+44",
        "'-2",
        "'@SUM(A1)",
        "'\tx",
        "Oak, “the” School",
        'a "b"',
        "",
    ]
    assert cells[0][1:] == ["-0.5", "2025-09-01"] and cells[7][1] == ""


def test_a_table_without_any_text_can_be_copied_too(tmp_path):
    score.write_csv(pd.DataFrame({"urn": [100001], "p_improve": [0.5]}), tmp_path / "copy.csv")
    assert (tmp_path / "copy.csv").read_text() == "urn,p_improve\n100001,0.5\n"


@pytest.mark.parametrize(
    "words",
    [
        "score",
        "score --input rows.parquet --output answers",
        "monitor",
        "score --input rows.parquet --output answers --engine spark",
        "score --as-of 2020-09-01..2021-09-01 --output answers",
        "train",
    ],
)
def test_every_command_that_uses_a_champion_refuses_one_changed_by_hand(tmp_path, monkeypatch, capsys, words):
    made.champion(600).save(tmp_path / "mlruns" / "champion")
    (tmp_path / "mlruns" / "champion" / "uncertainty.json").open("a").write(" ")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["headway", *words.split()])
    with pytest.raises(SystemExit, match="^2$"):
        main()
    said = capsys.readouterr().err
    assert (
        "mlruns/champion is not as it was promoted" in said
        and "changed: uncertainty.json" in said
        and "headway rollback" in said
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mlruns"]
