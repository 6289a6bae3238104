"""The explorer's pages without a browser, on six drawn schools: every page, every empty state, a hostile
name.
"""

import json
import re

import made
import pandas as pd
import pytest
from six_schools import (
    ABOUT,
    CLOSED,
    FEW,
    GOOD,
    NAMED,
    NEVER,
    NOWHERE,
    PAGES,
    TOP,
    card,
    listed,
    said,
    schools,
    shown,
    write_champion,
    write_tables,
)

from headway.explorer import report, store, without
from headway.pipelines import frameworks, tables


@pytest.mark.parametrize("name", PAGES)
def test_every_page_shows_itself(folder, name):
    write_tables(folder)
    app = shown(name)
    assert [title.value for title in app.title] == [PAGES[name]]
    text = said(app)
    assert "These schools are made up." in text
    assert "29 September 2025" in text


@pytest.mark.parametrize("name", [name for name in PAGES if name != "your_data"])
def test_without_tables_every_page_says_what_to_do(folder, name):
    text = said(shown(name, urn=GOOD, trust=77))
    assert "headway" in text


@pytest.mark.parametrize("name", PAGES)
def test_tables_of_another_layout_are_named_not_shown(folder, name, monkeypatch):
    monkeypatch.setattr(tables, "VERSION", "0")
    write_tables(folder)
    monkeypatch.undo()
    monkeypatch.setenv("HEADWAY_TABLES", str(folder))
    text = said(shown(name, urn=GOOD, trust=77))
    if name not in ("evidence", "your_data", "about", "how_good", "contact"):
        assert "was written in layout 0" in text


@pytest.mark.parametrize("name", ("find", "school", "what_if", "trust", "compare", "about"))
def test_schools_alone_are_enough_for_a_page(folder, name):
    tables.write(folder, {"schools": schools()}, about=ABOUT)
    shown(name, urn=GOOD, trust=77, urns=f"{GOOD},{TOP}")


def test_a_school_page_opens_with_every_outcome_beside_schools_like_it(folder):
    write_tables(folder)
    text = said(shown("school", urn=GOOD))
    assert "stay Requires improvement 28, fall 4, rise 68 (rise: somewhere from 60 to 75)" in text
    assert (
        "schools like it (Requires improvement primary schools): stay Requires improvement 33, fall 5, rise "
        "62"
    ) in text


def test_an_outstanding_school_is_asked_about_staying_and_falling(folder):
    write_tables(folder)
    text = said(shown("school", urn=TOP))
    assert "stay Outstanding 40, fall 60 (stay: somewhere from 30 to 50)" in text
    assert "stay Outstanding 35, fall 65" in text and "rise" not in text.split("schools like it (")[0]


def test_a_set_says_what_sets_like_it_held_and_what_its_own_chances_come_to(folder):
    write_tables(folder)
    for name, query in (("school", {"urn": GOOD}), ("compare", {"urns": GOOD}), ("trust", {"trust": 77})):
        assert "90% sure" not in said(shown(name, **query)), name
    text = said(shown("school", urn=GOOD))
    assert "“Good or better”: 68 in 100 by this school’s own chances" in text
    assert "Sets like this held the next grade of 90 in 100 schools" in text


def test_no_family_of_which_nothing_is_known_is_a_reason_anywhere(folder):
    write_tables(folder)
    for name, query in (("school", {"urn": GOOD}), ("compare", {"urns": GOOD})):
        text = said(shown(name, **query))
        assert "Staff who stay" not in text and "staff who stay" not in text, name
        assert "attendance (+10.0)" in text and "Another +3.0 comes of what isn’t known about it." in text, (
            name
        )


def test_a_grade_given_to_a_predecessor_says_so(folder):
    write_tables(folder)
    for name, query in (("school", {"urn": TOP}), ("compare", {"urns": TOP}), ("trust", {"trust": 77})):
        assert "not yet inspected in its current form" in said(shown(name, **query)), name
    assert "not yet inspected" not in said(shown("school", urn=GOOD))


def test_old_tables_say_so_at_the_top_of_every_page(folder):
    write_tables(folder)
    every = {name: tables.read(folder, name) for name in ("schools", "predictions")}
    tables.write(folder, every, about={**ABOUT, "data_source": "official"})
    assert any("These tables are old" in part.value for part in shown("find").warning)
    tables.write(
        folder,
        every,
        about={**ABOUT, "data_source": "official", "newest_file_on": f"{store.today():%Y-%m-%d}"},
    )
    assert not shown("find").warning


def test_the_next_inspection_is_a_report_card_by_today_and_not_by_the_tables(folder):
    write_tables(folder)
    stored = tables.read(folder, "predictions").assign(next_gives="overall grade", extrapolation=False)
    tables.write(folder, {"predictions": stored, "forecasts": card()}, about=ABOUT)
    for name, query in (("school", {"urn": GOOD}), ("trust", {"trust": 77}), ("compare", {"urns": GOOD})):
        text = said(shown(name, **query)).lower()
        assert "report card" in text and "some area below" in text, name


CODES = (
    r"grade set|signals? blank|blank signals?|rule-?book|shrunk|no signal|brier|decoy|departure|counterfeit|"
    r"base_rate|p_improve|\bAUC\b"
)


@pytest.mark.parametrize("name", [name for name in PAGES if name != "about"])
def test_nobody_has_to_learn_the_words_of_the_program(folder, name):
    """The data dictionary, on the page about it all, has the tables' own names."""
    write_tables(folder)
    tables.write(folder, {"forecasts": card()}, about=ABOUT)
    report_of = json.loads((folder / "train.json").read_text("utf-8"))
    why = (
        "better than every plain rule, the best of them logistic: Brier 0.1 on base_rate_grade, report cards"
    )
    family = {
        "family": "decoy of retention",
        "gain": 0.0,
        "gain_low": -0.1,
        "gain_high": 0.1,
        "verdict": "adds nothing",
    }
    told = {"promotion": {"why": why}, "ablation": [family, {**family, "family": "retention"}]}
    tables.write_json(folder / "train.json", {**report_of, **told})
    text = said(shown(name, urn=GOOD, trust=77, urns=f"{GOOD},{TOP}"))
    assert not re.findall(CODES, text, re.I)
    assert name != "how_good" or "the best of them “simple regression”: error 0.1" in text


def test_a_real_school_links_to_its_reports_at_ofsted_and_a_made_up_one_to_nobodys(folder):
    write_tables(folder)
    assert "ofsted.gov.uk" not in said(shown("school", urn=GOOD))
    every = {name: tables.read(folder, name) for name in ("schools", "predictions")}
    tables.write(folder, every, about={**ABOUT, "data_source": "official"})
    assert f"/provider/ELS/{GOOD})" in said(shown("school", urn=GOOD))


def test_where_schools_found_are_is_a_tie_where_it_is_one(folder):
    write_tables(folder)
    rows = tables.read(folder, "schools")
    regions = rows["urn"].map({GOOD: "South East", TOP: "London"}).fillna("London")
    names = rows["name"].where(~rows["urn"].isin([GOOD, TOP]), "Tied School")
    tables.write(folder, {"schools": rows.assign(region=regions, name=names)}, about=ABOUT)
    assert "They are in London and South East, as many in each" in said(shown("find", q="tied school"))
    tables.write(folder, {"schools": rows.assign(name=names)}, about=ABOUT)
    assert "All of them are in London" in said(shown("find", q="tied school"))


def test_a_school_never_graded_has_no_chance_and_still_a_page(folder):
    write_tables(folder)
    text = said(shown("school", urn=NEVER))
    assert "no graded inspection on record" in text
    assert "No inspection of this school is in the files read" in text
    assert "no staff or pupil figures" in text


def test_too_few_schools_like_it_give_no_number(folder):
    write_tables(folder)
    text = said(shown("school", urn=FEW))
    assert "Not enough like it to say: only 12" in text
    assert "97" not in text


def test_a_closed_school_has_a_page_and_no_prediction(folder):
    write_tables(folder)
    assert "This school closed" in said(shown("school", urn=CLOSED))


@pytest.mark.parametrize("urn", (NOWHERE, "abc", "-1", "1e9", "99999999999999999999"))
def test_a_urn_that_is_nobodys_is_said_to_be_so(folder, urn):
    write_tables(folder)
    assert "No school with that URN" in said(shown("school", urn=urn))


def test_a_grade_never_stands_without_its_day_framework_and_source(folder):
    write_tables(folder)
    text = said(shown("school", urn=GOOD))
    assert (
        "Requires improvement, inspected on 5 October 2021 (education inspection framework, 2019; published "
        "by Ofsted)"
    ) in text


def test_a_name_is_text_wherever_it_stands(folder):
    write_tables(folder)
    for name, query in (
        ("find", {"q": "o'brien"}),
        ("school", {"urn": NAMED}),
        ("trust", {"trust": 77}),
        ("compare", {"urns": f"{NAMED},{GOOD}"}),
        ("what_if", {"urn": NAMED}),
    ):
        app = shown(name, **query)
        raw = "\n".join(part.value for part in [*app.title, *app.header, *app.markdown])
        assert not re.search(r"(?<!\\)<script|(?<!\\)\]\(http|(?<!\\):red", raw), name
        assert not any("<script>alert" in part.proto.body for part in app.get("html")), name


def test_what_was_said_and_what_came_are_shown_as_stored_or_said_to_be_missing(folder):
    write_tables(folder)
    assert "It said 4.0 points too little, taken together" in said(shown("how_good"))
    told = json.loads((folder / "train.json").read_text("utf-8"))
    tables.write_json(
        folder / "train.json", {name: part for name, part in told.items() if name != "calibration"}
    )
    assert "holds no such comparison" in said(shown("how_good"))


@pytest.mark.parametrize("name", PAGES)
def test_tables_without_a_row_still_make_pages(folder, name):
    write_tables(folder)
    none = {
        table: tables.read(folder, table).head(0)
        for table in ("schools", "predictions", "inspections", "similar")
    }
    tables.write(folder, none, about=ABOUT)
    shown(name, urn=GOOD, trust=77, urns=f"{GOOD},{TOP}")


def test_a_workforce_that_is_all_blank_is_said_not_to_be_nought(folder):
    write_tables(folder)
    blank = tables.read(folder, "workforce").assign(pupils_per_teacher=None, teachers_fte=None)
    tables.write(folder, {"workforce": blank}, about=ABOUT)
    assert "A blank is not a nought" in said(shown("school", urn=GOOD))


def test_a_trust_is_listed_by_the_alphabet_and_kept_in_the_address(folder):
    write_tables(folder)
    app = shown("trust", trust=77)
    names = [rows for rows in listed(app) if "school" in rows][-1]["school"].tolist()
    assert names == sorted(names)
    assert list(app.query_params["trust"]) == ["77"] or app.query_params["trust"] == "77"


def test_a_trust_that_does_not_exist_is_said_to_be_so(folder):
    write_tables(folder)
    assert "No open school in these tables belongs to a trust with the number 5" in said(
        shown("trust", trust=5)
    )


def test_schools_compared_keep_the_order_they_were_named_in(folder):
    write_tables(folder)
    app = shown("compare", urns=f"{TOP},{GOOD},{NOWHERE}")
    columns = listed(app)[0].columns
    assert "Beech" in columns[1] and "Ash" in columns[2]
    assert f"No school has the URN {NOWHERE}" in said(app)


def test_what_if_without_a_stored_model_says_so(folder):
    write_tables(folder)
    assert "The stored model isn’t on this machine" in said(shown("what_if", urn=GOOD))


def test_a_stored_model_changed_by_hand_works_nothing_out_and_says_which_file(folder):
    write_tables(folder)
    write_champion(folder, folder.parent / "mlruns", made.champion(600))
    moved = said(shown("what_if", urn=GOOD, share_stayed=90))
    assert re.search(
        r"Schools like this one with those figures: \d+% for improving \(somewhere from \d+ to \d+\), \+",
        moved,
    )
    assert "other way than one would expect" not in moved
    changed = folder.parent / "mlruns" / "champion" / "overall" / "booster.txt"
    changed.write_bytes(changed.read_bytes() + b"\n")
    text = said(shown("what_if", urn=GOOD, share_stayed=90))
    assert "changed: overall/booster.txt" in text and "headway rollback" in text
    assert "Schools like this one with those figures" not in text


def test_similar_schools_are_told_with_reasons_in_words_and_the_day_of_what_came(folder):
    write_tables(folder)
    text = said(shown("school", urn=GOOD))
    assert "Of the 1 most similar schools, 1 improved" in text
    assert "Sessions missed" in text and "absence_standing" not in text
    assert "5 October 2021" in text


def test_what_a_prediction_was_made_without_has_its_true_reason_in_a_heads_words(folder):
    write_tables(folder)
    missing = "turnover; absence; results; workforce; head_changes; trust_results; leadership_development"
    stored = tables.read(folder, "predictions").assign(made_without=missing)
    results = pd.DataFrame({"urn": [GOOD], "period": [2016], "reading_progress": [1.0]})
    absence = pd.DataFrame(
        {"urn": [GOOD], "period": [2024], "share_absence": [None], "share_absence_why_blank": ["suppressed"]}
    )
    heads = pd.DataFrame({"urn": [CLOSED], "seen_on": [pd.Timestamp("2020-01-01")], "head_changed": [0.0]})
    trust = pd.DataFrame({"trust_uid": [5], "period": [2024], "attainment_8": [40.0]})
    shared = {"known_on": pd.Timestamp("2021-01-01"), "source_file": "drawn"}
    rows = {"results": results, "absence": absence, "head_changes": heads, "trust_results": trust}
    rows = {
        name: frame.assign(**({"lineage": frame["urn"]} if "urn" in frame else {}), **shared)
        for name, frame in rows.items()
    }
    tables.write(folder, {"predictions": stored, **rows}, about=ABOUT)
    report_of = json.loads((folder / "train.json").read_text("utf-8"))
    used = ["share_stayed", "absence_standing", "reading_progress", "net_staff_change", "head_changed"]
    tables.write_json(folder / "train.json", {**report_of, "signals": used})
    text = said(shown("school", urn=GOOD))
    for line in (
        "Teacher turnover: not among the files read",
        "Pupils’ absence: suppressed in the file (2023/24)",
        "Exam and test results: too old to count: its newest figure is of 2015/16",
        "Staffing levels and pay: no figure of 2019/20 to compare its newest with, of 2020/21",
        "Changes of head: not published for this kind of school",
        "Its trust’s own results: nothing of its trust is in the files read",
        (
            "Your own register of leadership development: kept by nobody for this school when the chances "
            "were "
            "made"
        ),
    ):
        assert line in text, line
    assert "no file published for this school" not in text
    reasons = without.reasons(store.school(GOOD), store.prediction(GOOD), used)
    page = report.html(
        report.facts(
            store.school(GOOD),
            store.prediction(GOOD),
            store.inspections(GOOD),
            {},
            pd.DataFrame(),
            None,
            reasons,
        )
    )
    assert "Pupils’ absence: suppressed in the file (2023/24)" in page


def test_the_record_is_shown_as_the_batch_job_wrote_it_and_fetches_nothing(folder):
    write_tables(folder)
    assert "headway cards" in said(shown("about"))
    (folder / "cards").mkdir()
    (folder / "cards" / "model-card.md").write_text(
        "# Card\n\nSkill is 0.1 ![x](http://x.example/y.png) for $5 and $6.\n"
    )
    (folder / "cards" / "model-card.html").write_text("<p>Card</p>")
    app = shown("about")
    raw = "\n".join(part.value for part in app.markdown)
    assert "### Card" in raw and r"\![x]" in raw and r"\$5" in raw
    assert "Model card" in [part.label for part in app.expander]


def test_the_dictionary_has_the_registers_tables(folder):
    write_tables(folder)
    assert "One or two people stand as 1.5." in said(shown("about", table="staff_register"))


def test_schools_are_never_said_to_be_alike_in_what_a_register_says(folder):
    write_tables(folder)
    similar = tables.read(folder, "similar").assign(reasons="share_in_programme; absence_standing")
    tables.write(folder, {"similar": similar}, about=ABOUT)
    text = said(shown("school", urn=GOOD))
    assert "Sessions missed" in text and "development programme" not in text


def test_a_claim_is_told_in_schools_of_a_hundred_before_its_statistics(folder):
    write_tables(folder)
    text = said(shown("evidence"))
    told = "As they come, 50 of 100 schools with it improved, and 40 of 100 without."
    assert told in text and "For analysts: Ten times as likely" in text
    assert "those with it were 1.14 times as likely to improve (somewhere from 1.11 to 1.18)" in text


def test_a_year_of_grades_from_several_sources_is_one_row_of_the_evidence(folder):
    write_tables(folder)
    found = json.loads((folder / "evidence.json").read_text("utf-8"))
    row = found["claims"][0]["raw"]
    rows = [
        {**row, "what": year, "label_source": source}
        for year, source in (("2023/24", "published"), ("2024/25", "all"), ("2024/25", "derived"))
    ]
    found["claims"][0]["steps"].append({"id": "years", "title": "Year by year", "rows": rows, "more": []})
    tables.write_json(folder / "evidence.json", found)
    assert "Taken year by year, 2 of 2 intervals lie wholly above 1" in said(shown("evidence"))


def _carded(folder) -> None:
    """The forecast of the Good school's next card, and two schools like it that have one."""
    chances = {
        "p_exceptional": 0.1,
        "p_strong": 0.3,
        "p_expected": 0.4,
        "p_needs_attention": 0.15,
        "p_urgent": 0.05,
    }
    areas = [*frameworks.AREAS, "any"]
    shared = {
        "urn": GOOD,
        "as_of": pd.Timestamp("2025-09-30"),
        "area": areas,
        "p_below": 0.2,
        "p_low": 0.1,
        "p_high": 0.3,
        "p_strong_or_better": 0.4,
        "standard_set": "2-4",
        "base_rate": 0.15,
        "learned_from": 100,
        "enough_like_it": True,
        "model_version": "m",
        "data_source": "made-up",
        "contribution_retention": 0.05,
    }
    forecasts = pd.DataFrame({**shared, **chances})
    similar = pd.DataFrame({"urn": GOOD, "rank": [1, 2], "other_urn": [TOP, NAMED], "other_as_of": pd.Timestamp("2025-11-17"),
                            "distance": 0.1, "reasons": "share_in_programme; absence_standing", "overall": 2,
                            **{area: [3, 2] for area in frameworks.AREAS}}).assign(achievement=[4, 3], post_16=None)  # fmt: skip
    rows = tables.read(folder, "predictions").assign(next_gives="standards by area")
    tables.write(folder, {"forecasts": forecasts, "similar_cards": similar, "predictions": rows}, about=ABOUT)


def test_schools_like_one_with_a_report_card_are_shown_with_what_it_said_and_nothing_of_registers(folder):
    write_tables(folder)
    _carded(folder)
    text = said(shown("school", urn=GOOD))
    assert "Of the 2 most similar schools with a report card, 1 had some area below expected" in text
    assert "Leadership and governance was below expected in none of them." in text
    assert "17 November 2025" in text and "Needs attention" in text
    assert "development programme" not in text


def test_what_moves_leadership_starts_from_schools_whose_leadership_had_the_same_grade(folder):
    write_tables(folder)
    _carded(folder)
    rows = tables.read(folder, "predictions").assign(leadership=2)
    tables.write(folder, {"predictions": rows}, about=ABOUT)
    titles = [part.label for part in shown("school", urn=GOOD).expander]
    assert (
        "Leadership and governance below expected: 5 points above schools of its phase whose leadership was "
        "graded Good"
    ) in titles
    assert "Some area below expected: 5 points above schools like it" in titles


def test_a_schools_earlier_forecasts_stand_beside_what_came(folder):
    write_tables(folder)
    assert "No earlier forecast of this school has turned out yet" in said(shown("school", urn=GOOD))
    shared = {
        "urn": GOOD,
        "lineage": GOOD,
        "overall": 3,
        "p_grade_1": 0.0,
        "p_grade_2": 0.3,
        "p_grade_3": 0.6,
        "p_grade_4": 0.1,
    }
    test = {**shared, "fold": pd.Timestamp("2018-09-01"), "as_of": pd.Timestamp("2018-09-01"), "label": "improved",
            "next_inspected_on": pd.Timestamp("2019-03-05"), "next_overall": 2}  # fmt: skip
    rule = {**test, "p_grade_2": 0.9, "p_grade_3": 0.0}
    rows = pd.DataFrame([{**test, "model": "champion"}, {**rule, "model": "logistic"}])
    stretch = pd.DataFrame(
        {"from_on": [pd.Timestamp("2009-09-01")], "to_on": [pd.Timestamp("2025-08-31")], "lineage": [0]}
    )
    tables.write(folder, {"backtest": rows, "coverage": stretch}, about=ABOUT)
    text = said(shown("school", urn=GOOD))
    assert "Its last forecast gave 30 in 100 to what came: it improved" in text
    assert "stay Requires improvement 60, fall 10, rise 30" in text and "improved: Good" in text
    assert "rise 90" not in text  # a plain rule's
    # And one that was kept, from the inspection of 2010 to that of 2021.
    then = {**shared, "status": "scored", "enough_like_it": True, "inspected_on": pd.Timestamp("2010-03-02"), "model_version": "abc",
            "as_of": pd.Timestamp("2020-09-01"), "data_source": "made-up"}  # fmt: skip
    tables.write(
        folder / "scored",
        {"predictions": pd.DataFrame([then])},
        about=ABOUT,
        named={"predictions": "2020-09-01-abc"},
    )
    text = said(shown("school", urn=GOOD))
    assert (
        "Its last forecast gave 60 in 100 to what came: it stayed the same" in text
        and "made and kept then" in text
    )


def test_a_report_card_that_was_forecast_stands_beside_the_one_that_came(folder):
    write_tables(folder)
    standards = pd.DataFrame(
        {"area": ["leadership_and_governance", "attendance_and_behaviour"], "standard": [3, 4]}
    )
    day = pd.Timestamp("2025-12-02")
    standards = standards.assign(
        urn=GOOD, lineage=GOOD, inspected_on=day, graded_on=day, known_on=day, source_file="drawn"
    )
    tables.write(folder, {"standards": standards}, about=ABOUT)
    tables.write(
        folder / "scored" / "forecasts",
        {"forecasts": card()},
        about=ABOUT,
        named={"forecasts": "2025-09-30-abc"},
    )
    (rows,) = [rows for rows in listed(shown("school", urn=GOOD)) if "below expected, of 100" in rows]
    came = dict(
        zip(rows["area"], zip(rows["below expected, of 100"], rows["what came"], strict=True), strict=True)
    )
    assert came["Any area"] == ("45", "below expected")
    assert came["Leadership and governance"] == ("20", "expected or better")


def test_an_inspection_after_a_school_closed_is_called_later(folder):
    write_tables(folder)
    rows = tables.read(folder, "schools")
    after = rows[rows["urn"].eq(GOOD)].assign(urn=100007, lineage=CLOSED, name="Fir Academy")
    ended = rows["closed_on"].mask(rows["urn"].eq(CLOSED), pd.Timestamp("2019-08-31"))
    visits = tables.read(folder, "inspections")
    later = visits["lineage"].eq(CLOSED) & visits["inspected_on"].gt("2020-01-01")
    schools_now = pd.concat([rows.assign(closed_on=ended), after])
    tables.write(
        folder,
        {"schools": schools_now, "inspections": visits.assign(urn=visits["urn"].mask(later, 100007))},
        about=ABOUT,
    )
    text = said(shown("school", urn=CLOSED))
    assert (
        "Of its 2 inspections one was made under a later URN (100007)" in text and "earlier URN" not in text
    )
    assert "one was made under an earlier URN (100006)" in said(shown("school", urn=100007))
