import hashlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headway.pipelines.evidence import cards as evidence_cards
from headway.pipelines.frameworks import AREAS
from headway.pipelines.tables import DataError

CLAIMS = Path(__file__).parents[1] / "experiments" / "claims"
NO_INSPECTIONS = pd.DataFrame({"lineage": pd.Series(dtype="int64"), "inspected_on": pd.Series(dtype="datetime64[ms]"),
                               "kind": pd.Series(dtype="str"), "overall": pd.Series(dtype="Int64"),
                               "leadership": pd.Series(dtype="Int64")})  # fmt: skip


def _cards(schools: int = 300, rises: float = 0.4, again: str = "2027-06-01") -> pd.DataFrame:
    """Two cards a school, every area at the third of five; where leadership stands out, other areas rise more
    often.
    """
    rng = np.random.default_rng(5)
    rows = []
    for lineage in range(schools):
        stands_out = lineage % 2 == 0
        for area in AREAS:
            leads = area == evidence_cards.LEADERSHIP
            first = 2 if leads and stands_out else 3
            rising = 0.2 + rises * stands_out
            for day, standard in (
                ("2026-01-20", first),
                (again, first - int(not leads and rng.random() < rising)),
            ):
                rows.append((lineage, lineage, pd.Timestamp(day), area, standard, pd.Timestamp(day)))
    cards = pd.DataFrame(rows, columns=["lineage", "urn", "inspected_on", "area", "standard", "graded_on"])
    return cards.astype({"inspected_on": "datetime64[ms]", "graded_on": "datetime64[ms]"})


def _answer(cards: pd.DataFrame) -> dict:
    return evidence_cards.asked_again(cards, NO_INSPECTIONS, CLAIMS)["written_down"][0]


def test_a_claim_written_down_is_tested_on_cards_given_after_it_and_carries_its_hash():
    path = next(CLAIMS.glob("*.toml"))
    found = _answer(_cards())
    assert found["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest() and found["file"] == path.name
    assert found["file"].startswith(found["written_on"])  # the name says when
    assert found["verdict"] == "upheld" and found["odds_ratio"]["low"] > 1 and found["lineages"] == [150, 150]
    assert _answer(_cards(rises=-0.15))["verdict"] == "the other way round"


def test_cards_that_came_before_it_was_written_say_nothing_of_it():
    found = _answer(_cards(again="2026-11-28"))
    assert found["outcomes"] == 0 and found["verdict"] == "not yet"


def test_too_few_schools_on_a_side_are_no_test():
    found = _answer(_cards(schools=98))
    assert found["verdict"] == "not yet" and "49 schools with it and 49 without" in found["words"]


def test_without_cards_or_without_a_folder_there_is_nothing_to_test(tmp_path):
    assert _answer(_cards().head(0))["verdict"] == "not yet"
    assert evidence_cards.asked_again(_cards(2), NO_INSPECTIONS, tmp_path / "none")["written_down"] == []


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("written_on = 2026-11-28", "", "written_on: expected date, found 'nothing'"),
        ('expected = "more"', 'expected = "lots"', "expected one of"),
        ("level = 0.05", "levle = 0.05", "levle: there is no such setting"),
        ("level = 0.05", "level = ", "can't be read as TOML"),
    ],
)
def test_a_claim_that_does_not_say_all_it_must_is_refused_by_name(tmp_path, old, new, said):
    path = tmp_path / shutil.copy(next(CLAIMS.glob("*.toml")), tmp_path)
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(DataError, match=said):
        evidence_cards.written_down(tmp_path)
