"""What `import headway` offers a notebook: the same answers as the commands, and nothing that slows an import."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import headway
from headway.pipelines.tables import DataError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def strong(world: Callable[[str], Path]) -> Path:
    return world("strong")


@pytest.fixture(scope="module")
def known(strong) -> headway.Known:
    return headway.tables(strong / "data/tables", registers=strong / "data/registers")


@pytest.fixture(scope="module")
def forecast(strong, known) -> headway.Forecast:
    return headway.forecast(known, headway.champion(strong / "mlruns/champion"))


def test_everything_said_to_be_public_is_there_and_documented():
    assert set(headway.__all__) <= set(dir(headway)) | {"__version__"}
    for name in headway.__all__:
        if name != "__version__":
            assert getattr(headway, name).__doc__


def test_importing_it_brings_no_library():
    script = "import sys, headway; print([name for name in ('pandas', 'mlflow', 'lightgbm') if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


def test_a_forecast_is_what_headway_score_wrote_cell_by_cell(strong, forecast):
    for name, said in (
        ("predictions", forecast.predictions),
        ("forecasts", forecast.areas),
        ("signals_today", forecast.signals),
    ):
        written = pd.read_parquet(strong / "data/tables" / f"{name}.parquet")
        pd.testing.assert_frame_equal(
            said[written.columns.to_list()], written, check_exact=True, check_dtype=False
        )


def test_examples_are_those_that_training_wrote(strong, known):
    written = pd.read_parquet(strong / "data/tables/examples.parquet")
    made = headway.examples(known)
    assert len(made) == len(written)
    pd.testing.assert_series_equal(made["label"], written["label"], check_dtype=False)


def test_a_cohort_knows_nothing_of_its_morning_or_later_and_keeps_to_the_schools_asked_for(known):
    urns = known["schools"].loc[known["schools"]["open"], "urn"].head(5).tolist()
    rows = headway.cohort(known, "2019-09-01", urns)
    assert set(rows["urn"]) <= set(urns)
    assert rows["inspected_on"].dropna().lt(pd.Timestamp("2019-09-01")).all()


def test_what_moved_a_chance_adds_up_to_it(forecast):
    answered = forecast.predictions[forecast.predictions["p_improve"].notna()]
    moves = headway.explain(forecast, int(answered["urn"].iloc[0]))
    for _, rows in moves.groupby("question"):
        assert 100 * rows["start"].iloc[0] + rows["points"].sum() == pytest.approx(
            100 * rows["chance"].iloc[0], abs=0.01
        )


def test_a_school_of_no_forecast_is_refused_by_name(forecast):
    with pytest.raises(KeyError, match="URN 1 is in no row"):
        headway.explain(forecast, 1)


def test_where_there_is_no_champion_it_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match="headway train"):
        headway.champion(tmp_path)


def test_a_backtest_gives_the_folds_that_training_judged(strong, known):
    rows, choices = headway.backtest(headway.examples(known), newest=1)
    judged = pd.read_parquet(strong / "data/tables/backtest.parquet")
    assert set(rows["fold"]) == {judged["fold"].max()}
    assert len(choices) == 1 and json.dumps(choices, default=str)
