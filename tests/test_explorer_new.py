"""What is new is the newest month's, in the order of names, and a chance is held to the one kept before it."""

import pandas as pd
from six_schools import ABOUT, GOOD, TOP, card, listed, said, shown, write_tables

from headway.pipelines import tables
from headway.pipelines.watching import scoreboard


def test_the_newest_months_inspections_are_listed_with_what_came(folder):
    write_tables(folder)
    text, (made, *_) = said(app := shown("new")), listed(app)
    assert "5 inspections became public in October 2021" in text
    assert made["school"].tolist() == sorted(made["school"])
    assert made.set_index("school").loc["Beech Primary School", "what came"] == "Outstanding"
    assert "No chances of an earlier month are kept here" in text


def test_a_report_card_is_told_by_its_areas_below_expected_and_its_leadership(folder):
    write_tables(folder)
    day = pd.Timestamp("2026-03-03")
    shared = {"lineage": GOOD, "urn": GOOD, "inspected_on": day, "known_on": day, "source_file": "drawn"}
    given = pd.DataFrame({"area": ["leadership_and_governance", "inclusion"], "standard": [3, 4]})
    visit = pd.DataFrame(
        [{**shared, "kind": "graded", "framework": "report cards, 2025", "overall_source": "crosswalk"}]
    )
    standards = given.assign(**shared, inspection_number="1", graded_on=day)
    tables.write(folder, {"inspections": visit, "standards": standards}, about=ABOUT)
    text = said(shown("new"))
    assert "1 inspection became public in March 2026" in text
    assert "report card: 1 area below expected; leadership expected standard" in text


def test_chances_that_moved_are_those_of_schools_with_one_then_and_now(folder):
    write_tables(folder)
    now = card()
    then = now.assign(as_of=pd.Timestamp("2025-08-31"), p_below=now["p_below"] - 0.1)
    kept = folder / scoreboard.KEPT / scoreboard.CARDS
    tables.write(folder, {"forecasts": now}, about=ABOUT)
    tables.write(kept, {"forecasts": then}, about=ABOUT, named={"forecasts": "2025-08-31"})
    text = said(shown("new"))
    assert "The chances of 1 of 1 schools moved by 5 points or more" in text
    assert "Ash Primary School,35%,45%" in text
    tables.write(kept, {"forecasts": then.assign(urn=TOP)}, about=ABOUT, named={"forecasts": "2025-08-31"})
    assert "The chances of 0 of 0 schools moved" in said(shown("new"))
