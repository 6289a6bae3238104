import html
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from worlds import commands, linked

from headway.models.champion import Champion
from headway.pipelines import as_of, evaluate, signals
from headway.pipelines import tables as store
from headway.pipelines.evaluate import Trial, Whole
from headway.pipelines.evidence import power
from headway.pipelines.reports import study as study_page
from headway.pipelines.reports.worth import report
from headway.pipelines.study import report as study
from headway.pipelines.study import worth
from headway.pipelines.tables import DataError

pytestmark = pytest.mark.slow


def _worth(folder: Path, newest: int) -> dict:
    return worth.worth(
        folder / "data/tables",
        Champion.load(folder / "mlruns/champion"),
        registers=folder / "data/registers",
        workers=1,
        newest=newest,
        say=lambda line: None,
    )


@pytest.fixture(scope="module")
def strong(world) -> dict:
    return _worth(world("strong"), 5)


@pytest.fixture(scope="module")
def little(world) -> dict:
    """The same judged on a single year: too little to tell much by, and enough to be shown."""
    return _worth(world("strong"), 1)


def test_every_table_that_signals_are_made_of_belongs_to_one_source():
    held = [name for source in worth.SOURCES for name in source.tables]
    made_of = {name for signal in signals.declared().values() for name in signal.source.split(", ")}
    assert sorted(held) == sorted(set(held)) and made_of <= set(held)


@pytest.mark.long
@pytest.mark.parametrize(
    "source", ["earlier inspections and other judgements", "teacher turnover", "workforce"]
)
def test_the_sources_that_carry_what_was_planted_are_found(strong, source):
    row = next(row for row in strong["sources"] if row["source"] == source)
    assert row["to_all"]["verdict"] == row["alone"]["verdict"] == "adds"


@pytest.mark.long
def test_decoys_get_nothing(strong):
    assert [row["source"] for row in strong["decoys"]][-1] == "noise"
    assert not [row["source"] for row in strong["decoys"] if worth._earned(row, 2 * len(strong["decoys"]))]
    assert strong["summary"][-1].endswith("none earns anything")


@pytest.mark.long
def test_a_decoy_that_earned_something_would_be_noticed(strong):
    decoy = next(row for row in strong["sources"] if row["source"] == "absence") | {
        "source": "decoy of absence"
    }
    words = worth.summary(strong | {"decoys": [*strong["decoys"], decoy]})[-1]
    assert "not to be trusted: decoy of absence" in words


@pytest.mark.long
def test_more_schools_teach_more(strong):
    skill = [row["skill"] for row in strong["curves"]["schools"]]
    assert skill[0] < skill[-1] and strong["curves"]["schools"][-1]["all"]
    assert strong["curves"]["schools"][-1]["skill"] == strong["curves"]["years"][-1]["skill"]
    cards = [row["cards"] for row in strong["curves"]["cards"]]
    assert cards[0] == 0 and cards == sorted(cards)


@pytest.mark.long
def test_what_a_source_costs_and_how_late_it_comes_is_said(strong):
    rows = {row["source"]: row for row in strong["sources"]}
    assert rows["census"]["files"] > 3 and rows["census"]["rows"] > 10_000
    # who stayed from one November shows in the next one's census, and is public the June after
    assert 0 < rows["census"]["late"] < rows["teacher turnover"]["late"]


@pytest.mark.long
def test_the_page_has_every_sentence_and_nothing_from_elsewhere(strong):
    assert json.loads(json.dumps(strong, allow_nan=False)) == strong
    page = report(strong)
    assert all(sentence in page.replace("&#39;", "'") for sentence in strong["summary"])
    assert "Made-up data" in page and "http" not in page


# --- trials, by eye -----------------------------------------------------------------------------------------


def _whole(lineages: list[int], ended: list[str]) -> Whole:
    learned = pd.DataFrame({"lineage": lineages, "next_inspected_on": pd.to_datetime(ended)})
    fold = as_of.Fold(pd.Timestamp("2020-09-01"), pd.Timestamp("2021-08-31"))
    return Whole(fold, learned, learned.head(0), np.array([]))


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


# --- the study ----------------------------------------------------------------------------------------------

PEERS = {
    "inputs": None,
    "verdict": "The champion is first by ranked probability score within grades, in the mean over folds.",
    "rows": [{"model": "champion", "rps": 0.31, "rps_more": 0.0, "rps_more_low": 0.0, "rps_more_high": 0.0,
              "skill": 0.1, "auc_2": 0.8, "auc_3": 0.7, "slope": 1.0, "verdict": "the champion"},
             {"model": "XGBoost", "rps": 0.3211, "rps_more": 0.0111, "rps_more_low": 0.0091, "rps_more_high": 0.0131,
              "skill": 0.08, "auc_2": 0.79, "auc_3": 0.68, "slope": 1.1, "verdict": "loses"},
             {"model": "logistic", "skill": 0.01, "auc_2": 0.5, "auc_3": 0.6, "slope": 1.3, "verdict": "loses"}],
    "notes": ["Left out, not installed: CatBoost (catboost)."],
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(world, little, tmp_path_factory) -> dict:
    """The study of a folder in which every part is there."""
    base = tmp_path_factory.mktemp("study")
    folder = linked(world("strong") / "data/tables", base / "tables")
    frames = [store.read(folder, name) for name in ("schools", "workforce", "results", "inspections")]
    told = power.power(power.sizes(*frames), frames[2], data_source="made-up", replicates=20)
    train = json.loads((folder / "train.json").read_text("utf-8"))
    store.write_json(folder / "power.json", told)
    store.write_json(folder / "worth.json", little)
    store.write_json(base / "peers.json", PEERS | {"inputs": train["inputs"]})
    return study.study(folder, base / "peers.json")


def test_the_study_is_whole_where_every_part_is_there(whole):
    assert whole["missing"] == []
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole
    assert {row["section"] for row in whole["checklist"]} >= {"Methods", "Results", "Open science"}
    assert len(whole["checklist"]) > 40 and all(row["answer"] for row in whole["checklist"])
    assert len(whole["files"]) > 50 and all(len(row["sha256"]) == 64 for row in whole["files"])


def _forms(content: object) -> set[str]:
    """Every way a figure of the JSON may be written on the page."""
    if isinstance(content, dict):
        return set().union(*map(_forms, content.values()), *map(_forms, map(str, content)))
    if isinstance(content, list):
        return set().union(*map(_forms, content))
    if isinstance(content, str):
        return set(NUMBER.findall(content))
    if isinstance(content, bool) or content is None:
        return set()
    forms = [
        "{:,}",
        "{:,.0f}",
        "{:.0f}",
        "{:.1f}",
        "{:.2f}",
        "{:.3f}",
        "{:.4f}",
        "{:.0%}",
        "{:.1%}",
        "{:.2%}",
    ]
    written = [form.format(abs(content)) for form in forms] + [f"{content / 1e6:.1f}", str(content)]
    return {number for text in written for number in NUMBER.findall(text)}


NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def _text(page: str) -> str:
    shown = re.sub(r"<style>.*?</style>", " ", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", shown))


def test_each_number_of_the_page_is_found_in_its_json(whole):
    page = study_page.report(whole)
    numbers = set(NUMBER.findall(_text(page)))
    assert len(numbers) > 300
    # the name of a hash function is no figure
    assert numbers - _forms(whole) <= {"256"}


def test_a_number_that_is_not_in_the_json_would_be_noticed(whole):
    page = study_page.report(whole).replace('<h2 id="limits">', '<p>87654.321</p><h2 id="limits">')
    assert "87654.321" in set(NUMBER.findall(_text(page))) - _forms(whole)


def test_the_page_names_every_part_loads_nothing_and_says_what_it_is_not_for(whole):
    page = study_page.report(whole)
    assert "http" not in page and "Made-up data" in page and "no ranking of schools" in page
    for part in ("summary", "methods", "forecast", "peers", "cards", "claims", "power", "worth", "decisions", "fairness",
                 "limits", "checklist", "versions", "references"):  # fmt: skip
        assert f'id="{part}"' in page
    assert page.count("<svg") == len(whole["figures"]) == 5
    assert all(
        html.escape(line, quote=False) in html.unescape(page) for line in whole["decisions"]["must_not"]
    )


def test_parts_that_are_missing_or_of_other_files_are_said_to_be_with_the_command_that_makes_them(
    world, little, tmp_path
):
    folder = linked(world("strong") / "data/tables", tmp_path / "tables")
    store.write_json(folder / "worth.json", little | {"inputs": "0" * 64})
    found = study.study(folder, tmp_path / "peers.json")
    assert {row["part"]: (row["why"], row["command"]) for row in found["missing"]} == {
        "power": ("missing", "headway power"),
        "worth": ("made from other files", "headway worth"),
        "peers": ("missing", "python benchmarks/peers.py"),
    }
    page = study_page.report(found)
    assert "headway worth" in page and "see what it is without" in page


def test_the_commands_write_what_they_say(world, tmp_path):
    linked(world("strong") / "data", tmp_path / "data")
    said = commands(tmp_path, ("study",), ("export", "--out", "open-data"))
    assert "What was found: Skill over the rate" in said[0] and "run headway worth" in said[0]
    found = json.loads((tmp_path / "data/tables/study.json").read_text("utf-8"))
    assert (tmp_path / "data/tables/study.html").read_text("utf-8") == study_page.report(found)
    assert len([*(tmp_path / "open-data").iterdir()]) == 3 and "headway_forecasts.meta.csv" in said[1]


def test_without_a_training_there_is_nothing_to_report(tmp_path):
    with pytest.raises(DataError, match="Run `headway train` first"):
        study.study(tmp_path)
