"""Schools like each open one whose report cards are known: who may be among them, and what is said of
each.
"""

import numpy as np
import pandas as pd
import pytest

from headway.pipelines.scoring import score
from headway.pipelines.scoring.similar import FEWEST, Likeness, with_cards

DAY = pd.Timestamp
LIKE = Likeness(["leadership_gap"], np.array([0.0]), np.array([1.0]), np.array([1.0]))


@pytest.fixture
def world(table, known) -> dict[str, pd.DataFrame]:
    """Eight Good primary schools, one graded better for leadership; 1 to 7 have a card, that of 7 public in
    June alone.
    """
    urns = range(1, 9)
    graded = pd.DataFrame({"urn": urns, "inspected_on": DAY("2022-10-04"), "known_on": DAY("2022-11-01"), "overall": 2,
                           "leadership": [2, 2, 2, 2, 2, 1, 1, 1], "kind": "graded", "overall_source": "published"})  # fmt: skip
    cards = pd.DataFrame({"urn": range(1, 8), "inspected_on": DAY("2025-11-17"), "graded_on": DAY("2025-11-17"),
                          "known_on": [DAY("2025-12-20")] * 6 + [DAY("2026-06-01")], "area": "inclusion",
                          "standard": [1, 2, 3, 4, 5, 3, 2], "inspection_number": None})  # fmt: skip
    schools = pd.DataFrame(
        {"urn": urns, "phase": "Primary", "region": "London", "first_listed_on": DAY("2015-09-01")}
    )
    return known(
        schools=table("schools", schools),
        inspections=table("inspections", graded),
        standards=table("standards", cards),
    )


def _found(world: dict[str, pd.DataFrame], morning: str) -> pd.DataFrame:
    asked = world["schools"][["urn", "lineage"]].assign(as_of=DAY(morning)).astype({"as_of": "datetime64[s]"})
    cohort, made = score.signals_on(asked, world)
    return with_cards(made, cohort, world, LIKE)


def test_a_card_published_after_the_morning_is_nobody_s_neighbour_and_no_school_is_its_own(world):
    early, late = _found(world, "2026-06-01"), _found(world, "2026-06-02")
    assert set(early["other_urn"]) == {1, 2, 3, 4, 5, 6} and set(late["other_urn"]) == {1, 2, 3, 4, 5, 6, 7}
    assert (early["urn"] != early["other_urn"]).all() and set(early["urn"]) == set(range(1, 9))


def test_the_nearest_in_what_counts_comes_first_with_what_its_card_said(world):
    first = _found(world, "2026-06-01").set_index("urn").query("rank == 1").loc[8]
    # the other whose leadership was better
    assert (first["other_urn"], first["inclusion"], first["overall"]) == (6, 3, 2)
    assert (
        first["other_as_of"] == DAY("2025-11-17")
        and first["reasons"] == "leadership_gap"
        and pd.isna(first["post_16"])
    )


def test_a_school_is_taken_as_it_stood_before_its_card(world):
    """Its leadership grade, which came out once its inspection had begun, makes it like nobody."""
    graded = world["inspections"]
    late = graded.assign(
        leadership_known_on=graded["leadership_known_on"].mask(graded["urn"].eq(6), DAY("2025-12-01"))
    )
    before, after = (
        _found(tables, "2026-06-01").query("urn == 8 and other_urn == 6")["distance"].item()
        for tables in (world, world | {"inspections": late})
    )
    assert before == 0.0 and after == 1.0


def test_with_fewer_cards_than_make_a_list_there_is_none(world):
    few = world["standards"][world["standards"]["urn"] < FEWEST]
    assert _found(world | {"standards": few}, "2026-06-01").empty
