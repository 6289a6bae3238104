import json
import sys
from collections.abc import Callable
from pathlib import Path

import made
import numpy as np
import pandas as pd
import pytest

from headway.pipelines import tables
from headway.pipelines.__main__ import main
from headway.pipelines.inspections import NOT_YET
from headway.pipelines.reports import monitor as monitor_report
from headway.pipelines.tables import DATE, DataError
from headway.pipelines.watching import monitor, scoreboard
from headway.pipelines.watching.monitor import (
    LIMITS,
    chances,
    distances,
    drift,
    expected,
    framework_mix,
    limits,
    passed,
)
from headway.pipelines.watching.scoreboard import STATE_LOST, figures, keep, outcomes

DAY = pd.Timestamp
NOTHING = {
    "signals": [],
    "frameworks": [],
    "extrapolation": 0.0,
    "chances": [],
    "expected": [],
    "scoreboard": {"groups": []},
}


def _said(found: dict, **values: float) -> list[str]:
    """Each limit passed by this much of a report, and its sentence."""
    return [f"{row['limit']}: {row['sentence']}" for row in passed(NOTHING | found, limits() | values)]


# --- drift --------------------------------------------------------------------------------------------------


def _schools(phase: str, n: int = 400, seed: int = 0, **moved: float) -> pd.DataFrame:
    """Schools of a phase with two signals, either of them moved by so many of its standard deviations."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"phase": phase, **{name: rng.normal(moved.get(name, 0.0), 1, n) for name in ("stayed", "gap")}}
    )


def _drift(learned: pd.DataFrame, now: pd.DataFrame, folds: pd.DataFrame | None = None) -> list[dict]:
    champion = {"signals": ["stayed", "gap"], "families": {"stayed": "retention", "gap": "leadership"}}
    if folds is None:
        empty = pd.DataFrame(
            columns=["as_of", "overall", "label", "next_overall", "next_known_on", "next_inspected_on", *now]
        )
        return drift(learned, now, champion, empty, [])
    return drift(learned, now, champion, folds, [DAY("2021-09-01")])


def test_a_signal_that_moved_is_named_with_both_means_and_one_that_did_not_is_not():
    rows = _drift(_schools("Primary"), _schools("Primary", seed=1, stayed=2.0))
    (said,) = _said({"signals": rows})
    assert said.startswith("drift: stayed (retention) stands 0.70") and said.endswith(
        "its mean was -0.0366 and is 1.92"
    )


def test_a_change_in_the_mix_of_phases_alone_is_no_drift():
    then = pd.concat([_schools("Primary"), _schools("Secondary", stayed=3.0)])
    now = pd.concat([_schools("Primary", 250, seed=2), _schools("Secondary", 800, seed=3, stayed=3.0)])
    assert distances(then, now, ["stayed"])["stayed"] < 0.1


def test_a_phase_with_few_values_on_either_side_says_nothing():
    assert distances(_schools("Primary"), _schools("Primary", 199, stayed=9.0), ["stayed"]).isna().all()
    assert not _said({"signals": _drift(_schools("Primary"), _schools("Primary", 199, stayed=9.0))})


def test_blank_values_are_left_out_of_the_distance():
    now = _schools("Primary", 800, seed=1)
    now.loc[:399, "stayed"] = np.nan
    assert distances(_schools("Primary"), now, ["stayed"])["stayed"] < 0.1


def test_drift_that_a_fold_of_the_backtest_stood_as_well_is_not_passed():
    days = {"next_known_on": DAY("2021-03-01"), "next_inspected_on": DAY("2021-01-01")}
    before = _schools("Primary", seed=4).assign(
        as_of=DAY("2020-09-01"), label="same", overall=2, next_overall=2, **days
    )
    asked = _schools("Primary", seed=5, stayed=2.0).assign(as_of=DAY("2021-09-01"), label=None, overall=2)
    folds = pd.concat([before, asked]).astype(
        {"as_of": DATE, "next_known_on": DATE, "next_inspected_on": DATE}
    )
    (stayed, _) = _drift(_schools("Primary"), _schools("Primary", seed=1, stayed=2.0), folds)
    assert stayed["distance"] > 0.6 and stayed["worst_fold"] > 0.6
    assert not _said({"signals": [stayed]})


# --- blanks, frameworks, chances ----------------------------------------------------------------------------


def _blanks(drawn, text: str) -> list[str]:
    rows = drawn(text).assign(beyond=0.0, distance=0.0, worst_fold=0.0, mean_then=0.0, mean_now=0.0)
    return _said({"signals": rows.to_dict("records")})


def test_a_signal_now_blank_is_named_with_both_shares_and_one_less_often_blank_is_not(drawn):
    assert _blanks(
        drawn,
        """
        signal   | family    | blank_then | blank_now
        turnover | retention | 0.03       | 1.0
        stayed   | retention | 0.03       | 0.22
        pupils   | intake    | 0.90       | 0.0
    """,
    ) == ["blank: turnover (retention) is now blank for 100% of schools; in training 3%"]


def test_a_family_that_went_blank_is_named_once(drawn):
    assert _blanks(
        drawn,
        """
        signal   | family    | blank_then | blank_now
        turnover | retention | 0.03       | 1.0
        stayed   | retention | 0.85       | 1.0
    """,
    ) == ["blank: retention: all 2 of its signals are now blank for 100% of schools; in training 3% to 85%"]


def test_a_framework_nothing_was_learned_from_is_named_with_its_share():
    now = pd.DataFrame(
        {"framework": ["report cards, 2025"] * 12 + ["education inspection framework, 2019"] * 88 + [None]}
    )
    learned = pd.DataFrame(
        {
            "framework": ["education inspection framework, 2019"] * 200,
            "next_framework": "education inspection framework, 2019",
        }
    )
    mix = framework_mix(now, learned)
    assert _said({"frameworks": mix}) == [
        (
            "new_framework: report cards, 2025: now 12% of the latest inspections; in training 0% (0 learned "
            "from)"
        )
    ]
    assert not _said({"frameworks": mix}, new_framework=0.12)


def test_chances_that_moved_since_the_last_kept_predictions_are_named_by_grade():
    def of(p_good: float, p_poor: float) -> pd.DataFrame:
        return pd.DataFrame(
            {"overall": [2] * 30 + [3] * 30, "p_improve": [p_good] * 30 + [p_poor] * 30, "p_same": 0.1}
        )

    rows = chances(of(0.1, 0.9), of(0.1, 0.8).assign(fold=DAY("2024-09-01")), of(0.1, 0.6))
    assert _said({"chances": rows}) == [
        "chances: the mean chance within Requires improvement is 0.900; kept before 0.600"
    ]


def test_predictions_of_report_cards_pass_a_limit_until_it_is_raised():
    assert _said({"extrapolation": 1.0})[0].startswith(
        "extrapolation: 100% of predictions are of outcomes under report cards"
    )
    assert not _said({"extrapolation": 1.0}, extrapolation=1.0)


# --- what to expect -----------------------------------------------------------------------------------------


def test_the_error_expected_of_even_chances_is_a_quarter_and_of_certain_ones_nothing():
    assert expected(np.full(40, 0.5))["brier"] == 0.25
    assert expected(np.array([0.0, 1.0] * 20))["brier"] == 0.0


def test_the_area_expected_of_chances_of_9_and_1_in_10_is_9_in_10():
    assert expected(np.array([0.9, 0.1] * 20))["auc"] == pytest.approx(0.9)


def test_expected_figures_match_what_comes_where_chances_mean_what_they_say():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1)
    p = rng.beta(1, 3, 20_000)
    came, hoped = rng.random(20_000) < p, expected(p)
    assert hoped["brier"] == pytest.approx(((p - came) ** 2).mean(), abs=0.004)
    assert hoped["auc"] == pytest.approx(roc_auc_score(came, p), abs=0.01)


@pytest.mark.parametrize(
    "moves, spread, fewest, most",
    [(0.0, 0.0, 88, 100), (0.5, 0.5, 88, 100), (0.5, 0.0, 0, 60)],
    ids=["chances hold", "levels move and the interval knows", "levels move and it doesn't"],
)
def test_the_interval_holds_the_error_that_comes_as_often_as_it_says(moves, spread, fewest, most):
    rng = np.random.default_rng(2)
    p = rng.beta(1, 3, 2000)
    hoped = expected(p, spread)
    shift = rng.normal(0, moves, (100, 1))
    came = rng.random((100, 2000)) < 1 / (1 + np.exp(-(np.log(p / (1 - p)) + shift)))
    held = (((p - came) ** 2).mean(axis=1) >= hoped["brier_low"]) & (
        ((p - came) ** 2).mean(axis=1) <= hoped["brier_high"]
    )
    assert fewest <= held.sum() <= most


def test_within_a_grade_worse_than_every_fold_is_named():
    row = {"overall": 3, "too_few": False, "brier": 0.24, "brier_worst": 0.21, "auc": 0.60, "auc_worst": 0.64}
    assert _said({"expected": [row]}) == [
        (
            "expected_brier: within Requires improvement brier is expected to be 0.240; the worst fold "
            "showed "
            "0.210"
        )
    ]


# --- what came ----------------------------------------------------------------------------------------------

PREDICTED = """
    urn    | lineage | as_of      | overall | inspected_on | p_improve | p_same
    100001 | 100001  | 2023-09-01 | 3       | 2021-10-05   | 0.8       | 0.1
    100002 | 100002  | 2023-09-01 | 2       | 2021-10-05   | 0.3       | 0.5
    100003 | 100003  | 2023-09-01 | 4       | 2021-10-05   | 0.9       | 0.1
    100004 | 100004  | 2023-09-01 | 1       | 2021-10-05   |           | 0.4
    100005 | 100005  | 2023-09-01 | 3       | 2021-10-05   | 0.7       | 0.2
    100006 | 100006  | 2023-09-01 | 3       | 2021-10-06   | 0.7       | 0.2
"""
# The third converted, the fifth was inspected before the morning, the sixth's inspection was found to be
# another's.
CAME = """
    lineage | inspected_on | known_on   | overall
    100001  | 2021-10-05   | 2021-11-20 | 3
    100001  | 2024-02-06   | 2024-03-20 | 2
    100001  | 2025-03-04   | 2025-04-20 | 1
    100002  | 2021-10-05   | 2021-11-20 | 2
    100003  | 2021-10-05   | 2021-11-20 | 4
    100003  | 2024-05-07   | 2024-06-20 | 4
    100004  | 2021-10-05   | 2021-11-20 | 1
    100004  | 2023-11-07   | 2023-12-20 | 1
    100005  | 2021-10-05   | 2021-11-20 | 3
    100005  | 2023-07-04   | 2023-09-20 | 2
    100006  | 2021-10-05   | 2021-11-20 | 3
"""
SCHOOLS = """
    urn    | lineage | phase   | open
    100001 | 100001  | Primary | True
    100002 | 100002  | Primary | True
    100003 | 100003  | Primary | False
    200003 | 100003  | Primary | True
    100004 | 100004  | Primary | True
    100005 | 100005  | Primary | True
    100006 | 100006  | Primary | True
"""


@pytest.fixture
def predicted(drawn) -> pd.DataFrame:
    rows = drawn(PREDICTED).assign(
        status="scored",
        base_rate=0.5,
        grade_set="2-3",
        framework="education inspection framework, 2019",
        phase="Primary",
        p_low=0.2,
        p_high=0.8,
        extrapolation=False,
        model_version="abc123",
        data_source="made-up",
        p_worse=0.1,
    )
    return tables.conform(rows, "predictions")


@pytest.fixture
def came(drawn, table) -> dict[str, pd.DataFrame]:
    """The tables newly ingested."""
    graded = drawn(CAME).assign(urn=lambda t: t["lineage"], kind="graded", overall_source="published")
    covered = drawn("""
        from_on    | to_on
        2019-09-01 | 2025-08-31
    """)
    given = {"inspections": graded, "coverage": covered, "schools": drawn(SCHOOLS)}
    return {name: table(name, rows) for name, rows in given.items()}


def _outcomes(rows: pd.DataFrame, came: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return outcomes(rows, came["inspections"], came["coverage"], came["schools"]).set_index("urn")


def test_a_prediction_is_judged_by_the_first_graded_inspection_after_it_through_changes_of_urn(
    predicted, came
):
    found = _outcomes(predicted, came)
    assert found["label"].fillna("").tolist() == ["improved", "", "same", "same", "", ""]
    assert found.loc[100001, "next_inspected_on"] == DAY("2024-02-06")


def test_a_prediction_without_an_outcome_says_why(predicted, came):
    reasons = _outcomes(predicted, came)["label_missing_reason"]
    assert reasons[[100002, 100005, 100006]].tolist() == [
        NOT_YET,
        "inspected before the morning, report not out",
        STATE_LOST,
    ]


def test_predictions_of_a_morning_the_files_do_not_cover_yet_are_waiting_not_missing(predicted, came):
    found = _outcomes(predicted.assign(as_of=DAY("2025-09-30")).astype({"as_of": DATE}), came)
    assert found["label"].isna().all() and found.loc[100002, "label_missing_reason"] == NOT_YET


def test_a_school_predicted_for_before_a_file_joined_it_to_its_predecessor_is_judged_along_the_new_lineage(
    predicted, came
):
    alone = predicted.iloc[[2]].assign(urn=200003, lineage=200003)
    assert _outcomes(alone, came)["label"].tolist() == ["same"]


def test_a_school_that_was_not_scored_is_not_judged(predicted, came):
    assert _outcomes(predicted.assign(status="never graded"), came).empty


def _judged(repeat: int) -> pd.DataFrame:
    """Four predictions, so many times: two that came true, two that didn't; a report card gives no grade to
    hold.
    """
    rows = pd.DataFrame({"p": [0.8, 0.8, 0.4, 0.4], "base": 0.5, "happened": [1.0, 0.0, 1.0, 0.0],
                         "grade_set": ["1-2", "1-2", "2", "3-4"], "next_overall": [2, 3, 2, None]})  # fmt: skip
    return pd.concat([rows.astype({"next_overall": "Int64"})] * repeat, ignore_index=True)


def test_the_figures_are_those_counted_by_hand():
    found = figures(_judged(10).assign(lineage=range(40)))
    # errors .04 .64 .36 .16: mean .3; the plain rate .25 each; sets hold 2 of the 3 next grades that there
    # are
    assert {key: found[key] for key in ("n", "sets")} == {"n": 40, "sets": 30}
    assert [
        found[key] for key in ("rate", "mean_p", "gap", "brier", "base_brier", "skill", "coverage")
    ] == pytest.approx([0.5, 0.6, -0.1, 0.3, 0.25, -0.2, 2 / 3])
    assert found["slope"] == pytest.approx(0, abs=1e-6) and found["intercept"] == pytest.approx(0, abs=1e-6)


def test_a_group_with_few_outcomes_is_counted_and_not_judged():
    assert figures(_judged(7)) == {"n": 28, "too_few": True}


@pytest.mark.parametrize(
    "figure, name",
    [
        ({"gap_low": 0.06, "gap_high": 0.1}, "gap"),
        ({"gap_low": -0.1, "gap_high": -0.06}, "gap"),
        ({"skill_high": -0.01}, "skill"),
        ({"coverage": 0.8}, "coverage"),
        ({"by": "phase", "gap_low": 0.11}, "group_gap"),
    ],
)
def test_outcomes_that_differ_from_what_was_said_pass_their_limit(figure, name):
    row = {
        "by": "all",
        "group": "could improve",
        "too_few": False,
        "n": 300,
        "rate": 0.5,
        "mean_p": 0.5,
        "gap_low": -0.04,
        "gap_high": 0.04,
        "skill": 0.0,
        "skill_high": 0.1,
        "coverage": 0.9,
        "sets": 300,
    }
    assert not _said({"scoreboard": {"groups": [row]}})
    assert [said.split(":")[0] for said in _said({"scoreboard": {"groups": [row | figure]}})] == [name]


# --- limits -------------------------------------------------------------------------------------------------


def test_a_limit_given_replaces_ours_and_leaves_the_others():
    assert limits(["drift=0.5"]) == {name: limit.value for name, limit in LIMITS.items()} | {"drift": 0.5}


@pytest.mark.parametrize("word", ["drift", "drift=", "drift=much", "drifting=0.3", "drift=nan", "=1"])
def test_what_is_no_limit_and_a_number_is_refused_with_the_names_there_are(word):
    with pytest.raises(DataError, match=r"(?s)is not a limit and a number.*drift, blank"):
        limits(["blank=0.1", word])


# --- the command --------------------------------------------------------------------------------------------

MORNING = "2024-09-01"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn) -> Path:
    """A folder after a month's job, small: 600 schools learned from, 600 predicted, half of them with an
    outcome already.
    """
    monkeypatch.chdir(tmp_path)
    champion, rng = made.champion(1000), np.random.default_rng(3)
    champion.about |= {"as_of": MORNING, "learned_from": 600}
    champion.save(tmp_path / "mlruns" / "champion")
    n, urn, overall = 600, np.arange(100_000, 100_600), np.array([2, 3] * 300)
    p = np.where(overall == 2, 0.2, 0.8) + rng.uniform(-0.1, 0.1, n)
    improved = rng.random(n) < p
    before, day = {"urn": urn, "lineage": urn, "phase": "Primary", "overall": overall, "inspected_on": DAY("2020-01-07"),
                   "framework": "education inspection framework, 2019"}, DAY("2023-11-07")  # fmt: skip
    signals = pd.DataFrame(rng.normal(0, 1, (n, 4)), columns=made.SIGNALS)
    examples = pd.DataFrame({**before, "as_of": DAY("2023-09-01"), "next_inspected_on": day, "next_known_on": DAY("2024-01-09"),
                             "next_overall": overall - improved, "next_framework": ("education inspection "
                                 "framework, 2019"),
                             "label": np.where(improved, "improved", "same"), "label_source": "published"})  # fmt: skip
    predicted = pd.DataFrame(
        {
            **before,
            "as_of": DAY(MORNING),
            "status": "scored",
            "p_improve": p,
            "p_same": 1 - p,
            "p_worse": 0.0,
            "p_low": p - 0.05,
            "p_high": p + 0.05,
            "base_rate": 0.5,
            "grade_set": "1-4",
            "extrapolation": False,
            "model_version": "abc123",
            "data_source": "made-up",
        }
    )
    coming = pd.DataFrame(
        {"lineage": urn[:300], "inspected_on": DAY("2024-10-08"), "overall": (overall - improved)[:300]}
    )
    visits = pd.concat([pd.DataFrame(before)[["lineage", "inspected_on", "overall"]], coming])
    graded = visits.assign(
        urn=visits["lineage"],
        kind="graded",
        known_on=visits["inspected_on"] + pd.Timedelta(days=40),
        overall_source="published",
    )
    covered = drawn("""
        from_on    | to_on      | lineage
        2019-09-01 | 2025-08-31 | 0
    """)
    frames = {
        "schools": pd.DataFrame({"urn": urn, "lineage": urn, "phase": "Primary", "region": "London", "open": True}),
        "inspections": graded, "coverage": covered, "examples": examples.join(signals),
        "backtest": examples.assign(fold=DAY("2023-09-01"), model="champion", p_improve=p, p_same=1 - p, p_worse=0.0),
        "predictions": predicted, "signals_today": predicted[["urn", "as_of"]].join(signals),
    }  # fmt: skip
    tables.write(
        tmp_path / "data" / "tables", frames, about={"data_source": "made-up", "newest_file_on": "2025-08-31"}
    )
    return tmp_path / "data" / "tables"


def _rewrite(world: Path, name: str, source: str = "made-up", **columns) -> None:
    rows = tables.read(world, name).assign(**columns)
    tables.write(world, {name: rows}, about=tables.about(world, name) | {"data_source": source})


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> Callable[..., tuple[int, str, str]]:
    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["headway", "monitor", *words])
        with pytest.raises(SystemExit, match="^[023]$") as ended:
            main()
        told = capsys.readouterr()
        return ended.value.code or 0, told.out, told.err

    return command


def test_where_nothing_passes_a_limit_it_ends_0_and_writes_both_files(world, run):
    code, out, _ = run()
    assert code == 0 and "no limit passed" in out and "limit passed:" not in out
    report = json.loads((world / "monitor.json").read_text("utf-8"))
    every = report["scoreboard"]["groups"][0]
    assert (report["learned_from"], report["scoreboard"]["outcomes"], every["n"]) == (600, 300, 300)
    assert every["coverage"] == 1 and every["skill"] > 0
    page = (world / "monitor.html").read_text("utf-8")
    assert "Made-up data." in page and "http" not in page and "<script" not in page


def test_each_limit_passed_has_a_line_of_its_own_and_it_ends_3(world, run):
    _rewrite(world, "signals_today", leadership_gap=9.0, share_stayed=np.nan)
    code, out, _ = run()
    said = [line for line in out.splitlines() if line.startswith("limit passed: ")]
    assert code == 3 and [line.split()[3] for line in said] == ["leadership_gap", "share_stayed"]
    code, out, _ = run("--limit", "drift=1", "--limit", "blank=1")
    assert code == 0 and "no limit passed" in out


def test_predictions_are_kept_once_for_each_morning_and_model_and_never_replaced(world):
    path, fresh = keep(world)
    first = path.read_bytes()
    assert fresh and path.name == f"{MORNING}-abc123.parquet"
    _rewrite(world, "predictions", p_improve=0.99)
    assert keep(world) == (path, False) and path.read_bytes() == first
    _rewrite(world, "predictions", model_version="def456")
    assert keep(world)[1] and path.read_bytes() == first and len(list(path.parent.glob("*.parquet"))) == 2


def test_an_outcome_predicted_several_times_counts_once_by_the_newest_prediction_before_it(world):
    keep(world)
    later = {"as_of": DAY("2024-10-01"), "p_improve": 0.5}
    _rewrite(world, "predictions", **later)
    _rewrite(world, "signals_today", as_of=later["as_of"])
    about = made.champion(1000).about | {"as_of": MORNING}
    found = monitor.monitor(world, about)["scoreboard"]
    assert [row["outcomes"] for row in found["mornings"]] == [300, 300]
    assert (found["outcomes"], found["groups"][0]["mean_p"]) == (300, 0.5)


def test_a_file_named_is_judged_alone_and_not_kept(world, run):
    (world / "predictions.parquet").rename(world.parent / "past.parquet")
    code, out, _ = run("--predictions", str(world.parent / "past.parquet"))
    assert code == 0 and "kept" not in out and not (world / scoreboard.KEPT).exists()
    assert json.loads((world / "monitor.json").read_text("utf-8"))["scoreboard"]["outcomes"] == 300


def test_predictions_made_by_a_model_that_had_learned_later_are_marked_as_hindsight(world):
    about = made.champion(1000).about | {"as_of": "2025-01-01"}
    found = monitor.monitor(world, about)
    assert [row["hindsight"] for row in found["scoreboard"]["mornings"]] == [True]
    assert "in hindsight" in monitor_report.report(found)


def test_without_outcomes_it_says_none_yet_and_names_no_day_for_them(world, run):
    known = tables.read(world, "inspections").query("inspected_on < '2024-01-01'")
    tables.write(world, {"inspections": known}, about=tables.about(world, "inspections"))
    code, out, _ = run()
    assert code == 0
    page = (world / "monitor.html").read_text("utf-8")
    assert "<h2>No outcomes yet</h2>" in page and "600 not yet" in page


def test_predictions_by_another_model_than_the_champion_are_judged_and_it_says_so(world, run):
    _rewrite(world, "predictions", model_version="def456")
    code, out, _ = run()
    assert code == 0 and "by model def456 and the champion is abc123" in out


def test_signals_of_another_morning_are_not_compared(world, run):
    _rewrite(world, "signals_today", as_of=DAY("2024-11-01"), share_stayed=np.nan)
    code, out, _ = run()
    assert code == 0 and "signals_today.parquet is of 2024-11-01, these predictions of 2024-09-01" in out


def test_kept_predictions_of_the_other_kind_of_files_are_left_out_and_named(world, run):
    _rewrite(world, "predictions", model_version="official1", data_source="official")
    keep(world)
    _rewrite(world, "predictions", model_version="abc123", data_source="made-up")
    code, out, _ = run()
    assert code == 0 and "left out: 2024-09-01-official1.parquet is from official files" in out
    assert len(json.loads((world / "monitor.json").read_text("utf-8"))["scoreboard"]["mornings"]) == 1


def test_made_up_predictions_are_not_judged_by_official_inspections(world, run):
    _rewrite(world, "inspections", source="official")
    code, _, err = run()
    assert code == 2 and "are from made-up files" in err and not (world / scoreboard.KEPT).exists()


def test_where_no_school_is_scored_there_is_still_a_report(world, run):
    _rewrite(
        world,
        "predictions",
        status="report card: no overall grade to compare",
        framework="report cards, 2025",
    )
    code, out, _ = run()
    assert code == 3 and "new_framework: report cards, 2025: now 100% of the latest inspections" in out


@pytest.mark.parametrize("absent", ["predictions", "examples", "backtest", "signals_today"])
def test_what_is_not_there_yet_is_named_with_the_command_that_makes_it(world, run, absent):
    (world / f"{absent}.parquet").unlink()
    code, _, err = run()
    assert code == 2 and absent in err and "Run `headway" in err and not (world / "monitor.json").exists()


@pytest.mark.parametrize(
    "words, said",
    [
        (("--limit", "drifts=1"), "drifts=1"),
        (("--predictions", "nowhere.parquet"), "nowhere.parquet"),
        (("--predictions", "data/tables/schools.parquet"), "holds no predictions"),
    ],
)
def test_a_wrong_word_ends_2_with_one_message(world, run, words, said):
    code, _, err = run(*words)
    assert code == 2 and said in err


# --- the page -----------------------------------------------------------------------------------------------


def test_everything_on_the_page_is_escaped(world):
    found = monitor.monitor(world, made.champion(1000).about | {"as_of": MORNING})
    found["signals"][0]["signal"] = "<script>alert(1)</script>"
    assert "<script" not in monitor_report.report(found)


def test_every_limit_stands_on_the_page_with_its_reason(world):
    page = monitor_report.report(monitor.monitor(world, made.champion(1000).about | {"as_of": MORNING}))
    assert all(f'<th scope="row">{name}</th>' in page for name in LIMITS) and "at least 0.85" in page
