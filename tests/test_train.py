import json

import made
import numpy as np
import pandas as pd
import pytest

from models.champion import Champion
from models.estimators import Departures
from models.registry import Registry
from pipelines import tables, train
from pipelines.evaluate import BASE
from pipelines.tables import DataError


@pytest.fixture(scope="module")
def champion() -> Champion:
    return made.champion(1000)


# --- what may become champion -----------------------------------------------------------------------------------------


def _scored(**figures: list[float]) -> list[dict]:
    """Three folds of an honest champion, but for the figures given; and of the plain rule, which is never judged."""
    usual = {"skill": [0.1, 0.08, 0.12], "skill_low": [0.05, 0.04, 0.06], "slope": [1.0, 0.9, 1.1],
             "auc_2": [0.77, 0.75, 0.79], "auc_3": [0.67, 0.66, 0.68], "auc_4": [0.7, 0.6, np.nan]}  # fmt: skip
    mine = [{"model": "champion", **dict(zip(usual, row, strict=True))}
            for row in zip(*(usual | figures).values(), strict=True)]  # fmt: skip
    return [*mine, {"model": BASE, **dict.fromkeys(usual, 99.0)}]


@pytest.mark.parametrize(
    "figures, why",
    [
        ({"skill": [0.1, -0.2, 0.05], "skill_low": [0.05, -0.3, 0.01]}, "no better than the plain rates"),
        ({"skill_low": [0.05, -0.01, -0.01]}, "no better than the plain rates"),
        ({"slope": [1.3, 1.2, 1.4]}, "calibration slope 1.30"),
        ({"slope": [0.7, 0.7, 0.7]}, "calibration slope 0.70"),
        ({"auc_2": [0.95, 0.9, 0.91]}, "too good to be true.*look for a leak"),
        ({"auc_3": [0.77, 0.78, 0.79]}, "too good to be true.*grade 3"),
    ],
)
def test_only_a_candidate_that_beats_the_plain_rates_and_is_calibrated_is_promoted(champion, tmp_path, figures, why):
    earned, said = train._earned(_scored(**figures), champion, Registry.at(None, tmp_path))
    assert not earned
    assert pd.Series(said).str.contains(why).all(), said


def test_an_honest_candidate_earns_it_with_its_figures(champion, tmp_path):
    earned, why = train._earned(_scored(), champion, Registry.at(None, tmp_path))
    assert earned and why == "mean skill 0.100 over the plain rates, better in 3 of 3 folds"


# --- the model's version ----------------------------------------------------------------------------------------------


def test_the_same_model_has_the_same_version_and_another_has_another(champion):
    version = train._fingerprint(champion)
    assert version == train._fingerprint(made.champion(1000)) and len(version) == 12
    other = Departures(learners=("ridge",)).fit(**made.rows(1000))
    assert version != train._fingerprint(
        Champion(other, champion.leadership, champion.sets, champion.intervals, champion.about)
    )


# --- the report -------------------------------------------------------------------------------------------------------


def test_a_figure_that_is_no_number_is_null_in_the_report():
    told = {"a": np.float64("nan"), "b": [np.int64(3), float("inf")], 4: (np.bool_(True), None, "text")}
    assert train._plain(told) == {"a": None, "b": [3, None], "4": [True, None, "text"]}
    json.dumps(train._plain(told), allow_nan=False)


# --- too little to learn from -----------------------------------------------------------------------------------------

SCHOOLS = """
    urn    | lineage | phase   | type             | region | first_listed_on | last_listed_on
    100001 | 100001  | Primary | Community School | London | 2013-01-01      | 2016-12-31
    100002 | 100002  | Primary | Community School | London | 2013-01-01      | 2016-12-31
"""
VISITS = """
    urn    | kind   | inspected_on | known_on   | overall | leadership | overall_source | framework
    100001 | graded | 2013-03-05   | 2013-04-30 | 3       | 2          | published      | old
    100001 | graded | 2015-03-05   | 2015-04-30 | 2       | 2          | published      | old
    100002 | graded | 2013-03-05   | 2013-04-30 | 2       | 2          | published      | old
"""


@pytest.fixture
def small(drawn, known, tmp_path):
    """Tables of two schools."""
    whole = {"framework": "str", "overall_source": "str"}
    held = known(schools=drawn(SCHOOLS), inspections=drawn(VISITS).assign(lineage=lambda rows: rows["urn"]).astype(whole),
                 coverage=drawn("from_on | to_on\n2013-01-01 | 2016-12-31"))  # fmt: skip
    about = {"data_source": "made-up", "newest_file_on": "2016-12-31", "inputs": "abc"}
    tables.write(tmp_path / "tables", held, about=about)
    return tmp_path


def test_examples_have_a_row_for_every_school_on_every_morning_with_a_label_or_a_reason(small):
    known, _ = train.read_known(small / "tables")
    rows = train.examples(known)
    assert rows.groupby("as_of")["urn"].agg(list).tolist() == [[100001, 100002]] * 5
    assert (rows["label"].notna() ^ rows["label_missing_reason"].notna()).all()
    improved = rows[rows["label"].eq("improved")]
    assert improved["urn"].unique().tolist() == [100001] and improved["as_of"].dt.year.tolist() == [2013, 2014]


def test_too_few_outcomes_are_refused_before_anything_is_written_or_registered(small):
    with pytest.raises(DataError, match=r"(?s)enough outcomes to learn from.*all-inspections files"):
        train.train(small / "tables", Registry.at(None, small / "mlruns"), say=lambda line: None)
    assert not (small / "mlruns").exists()
    assert not (small / "tables" / "examples.parquet").exists()
