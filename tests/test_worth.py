import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headway.models.champion import Champion
from headway.pipelines import as_of, evaluate, signals
from headway.pipelines.evaluate import Trial, Whole
from headway.pipelines.reports.worth import report
from headway.pipelines.study import worth

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def strong(world) -> dict:
    folder: Path = world("strong")
    return worth.worth(
        folder / "data/tables",
        Champion.load(folder / "mlruns/champion"),
        registers=folder / "data/registers",
        workers=1,
        curves=True,
        say=lambda line: None,
    )


def test_every_table_that_signals_are_made_of_belongs_to_one_source():
    held = [name for source in worth.SOURCES for name in source.tables]
    made_of = {name for signal in signals.declared().values() for name in signal.source.split(", ")}
    assert sorted(held) == sorted(set(held)) and made_of <= set(held)


@pytest.mark.parametrize(
    "source", ["earlier inspections and other judgements", "teacher turnover", "workforce"]
)
def test_the_sources_that_carry_what_was_planted_are_found(strong, source):
    row = next(row for row in strong["sources"] if row["source"] == source)
    assert row["to_all"]["verdict"] == row["alone"]["verdict"] == "adds"


def test_decoys_get_nothing(strong):
    assert [row["source"] for row in strong["decoys"]][-1] == "noise"
    for row in strong["decoys"]:
        assert row["to_all"]["gain_low"] <= 0 and row["alone"]["gain_low"] <= 0, row["source"]
    assert strong["summary"][-1].endswith("none earns anything")


def test_more_schools_teach_more(strong):
    skill = [row["skill"] for row in strong["curves"]["schools"]]
    assert skill[0] < skill[-1] and strong["curves"]["schools"][-1]["all"]
    assert strong["curves"]["schools"][-1]["skill"] == strong["curves"]["years"][-1]["skill"]
    cards = [row["cards"] for row in strong["curves"]["cards"]]
    assert cards[0] == 0 and cards == sorted(cards)


def test_what_a_source_costs_and_how_late_it_comes_is_said(strong):
    rows = {row["source"]: row for row in strong["sources"]}
    assert rows["census"]["files"] > 3 and rows["census"]["rows"] > 10_000
    # the census of January is out in June, before its academic year is over; turnover comes long after
    assert rows["census"]["late"] < 0 < rows["teacher turnover"]["late"]


def test_the_page_has_every_sentence_and_nothing_from_elsewhere(strong):
    assert json.loads(json.dumps(strong, allow_nan=False)) == strong
    page = report(strong)
    assert all(sentence in page.replace("&#39;", "'") for sentence in strong["summary"])
    assert "Made-up data" in page and "http" not in page


# --- trials, by eye -----------------------------------------------------------------------------------------


def _whole(lineages: list[int], ended: list[str]) -> Whole:
    learned = pd.DataFrame({"lineage": lineages, "next_inspected_on": pd.to_datetime(ended)})
    fold = as_of.Fold(pd.Timestamp("2020-09-01"), pd.Timestamp("2021-08-31"))
    return Whole(fold, learned, learned.head(0), None)


def test_a_trial_learns_from_whole_schools_and_from_the_newest_years():
    whole = _whole([1, 1, 2, 3], ["2020-06-01", "2018-06-01", "2019-06-01", "2015-06-01"])
    assert evaluate.some_of(whole, Trial((), years=2)).index.tolist() == [0, 2]
    two = evaluate.some_of(whole, Trial((), schools=2, seed=1))
    assert two["lineage"].nunique() == 2 and evaluate.some_of(whole, Trial((), schools=2, seed=1)).equals(two)


def test_lateness_is_counted_from_the_end_of_the_year_described_or_the_inspection():
    known_on = pd.to_datetime(["2023-06-08", "2023-09-10"])
    figures = pd.DataFrame({"period": [2023, 2023], "known_on": known_on})
    assert worth._late(figures).tolist() == [-84, 10]
    visits = pd.DataFrame(
        {"inspected_on": pd.to_datetime(["2023-06-01", "2023-09-01"]), "known_on": known_on}
    )
    assert worth._late(visits).tolist() == [7, 9]
    assert np.isnan(worth._late(pd.DataFrame({"known_on": known_on}))).all()
