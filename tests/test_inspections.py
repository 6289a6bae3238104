import io

import pandas as pd
import pytest

from headway.pipelines import inspections, tables
from headway.pipelines.inspections import cohort, mornings, next_graded, roster

DAY = pd.Timestamp
COVERAGE = """
    from_on    | to_on
    2012-09-01 | 2015-08-31
    2019-09-01 | 2025-08-31
"""
SCHOOLS = """
    urn    | lineage | phase   | open
    100001 | 100001  | Primary | True
    100002 | 100002  |         | False
"""
VISITS = """
    lineage | inspected_on | known_on   | overall | leadership
    100001  | 2013-03-05   | 2013-04-10 | 3       | 2
    100001  | 2014-11-04   | 2015-01-06 | 2       | 2
    100002  | 2013-05-07   | 2013-06-11 |         | 3
"""


@pytest.fixture
def history(drawn, table):
    """The inspections table, from drawn visits: graded, published and in Ofsted's words unless drawn
    otherwise.
    """

    def make(text: str = VISITS) -> pd.DataFrame:
        rows = drawn(text)
        held = {"urn": rows["lineage"], "kind": "graded", "overall_source": "published"}
        rows = rows.assign(**{name: value for name, value in held.items() if name not in rows})
        return table("inspections", rows)

    return make


@pytest.fixture
def asked(drawn, history, known, table):
    """What is known of drawn schools on a morning, and what came next."""

    def ask(
        as_of: str, visits: str = VISITS, schools: str = SCHOOLS, coverage: str = COVERAGE
    ) -> pd.DataFrame:
        held = known(schools=drawn(schools))
        every = held["schools"]
        questions = every[["urn", "lineage"]].assign(as_of=DAY(as_of)).astype({"as_of": tables.DATE})
        rows = cohort(questions, held["school_facts"], history(visits))
        found = next_graded(rows, history(visits), table("coverage", drawn(coverage)), every)
        assert found["urn"].tolist() == every["urn"].tolist(), "a school disappeared or came twice"
        return found.set_index("urn")

    return ask


# --- the state on a morning ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "as_of, overall",
    [("2013-04-09", None), ("2013-04-10", None), ("2013-04-11", 3), ("2015-01-06", 3), ("2015-01-07", 2)],
)
def test_a_report_published_that_very_morning_is_not_yet_known(asked, as_of, overall):
    state = asked(as_of).loc[100001, "overall"]
    assert (None if pd.isna(state) else state) == overall


def test_a_late_report_of_an_older_inspection_does_not_replace_a_newer_one(asked):
    late = VISITS.replace("2013-04-10", "2015-03-01")
    assert asked("2015-02-01", late).loc[100001, "overall"] == 2
    assert asked("2015-04-01", late).loc[100001, "overall"] == 2


def test_what_a_school_is_is_as_files_before_that_morning_had_it_and_as_its_predecessor_was_until_one_lists_it(
    drawn, known, history
):
    facts = known(
        school_facts=drawn("""
        urn    | lineage | known_on   | phase     | region | la_code
        100001 | 100001  | 2013-01-01 | Nursery   | London | 201
        100001 | 100001  | 2014-01-01 | Secondary |        | 202
        100002 | 100001  | 2014-06-01 | Special   |        | 203
        100003 | 100003  | 2014-06-01 | Primary   | London | 204
    """)
    )["school_facts"]
    questions = drawn("urn | lineage\n100001 | 100001\n100002 | 100001\n100003 | 100003").assign(
        as_of=DAY("2014-01-01")
    )
    rows = cohort(questions.astype({"as_of": tables.DATE}), facts, history())
    assert rows["phase"].fillna("").tolist() == ["Nursery", "Nursery", ""]
    assert rows["region"].fillna("").tolist() == ["London", "London", ""]
    assert rows["la_code"].fillna(0).tolist() == [201, 201, 0]


# --- what came next -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("after, label", [(1, "improved"), (2, "improved"), (3, "same"), (4, "worse")])
def test_the_label_is_the_next_graded_inspection_against_the_state(asked, after, label):
    found = asked("2013-09-01", VISITS.replace("| 2       | 2", f"| {after}       | 2")).loc[100001]
    assert (found["label"], found["label_source"]) == (label, "published")
    assert found["next_inspected_on"] == DAY("2014-11-04") and found["next_known_on"] == DAY("2015-01-06")
    assert pd.isna(found["label_missing_reason"])


def test_a_satisfactory_that_came_out_as_requires_improvement_is_the_same(asked):
    visits = VISITS.replace("2013-03-05   | 2013-04-10", "2012-03-05   | 2012-04-10").replace(
        "| 2       | 2", "| 3       | 2"
    )
    assert asked("2013-09-01", visits).loc[100001, "label"] == "same"


def _reason(found: pd.DataFrame, urn: int = 100001) -> str:
    assert pd.isna(found.loc[urn, "label"]) and pd.isna(found.loc[urn, "label_source"])
    return found.loc[urn, "label_missing_reason"]


def test_no_label_where_the_next_inspection_has_not_come_yet(asked):
    assert _reason(asked("2024-09-01")) == inspections.NOT_YET


def test_no_label_where_the_school_closed_before_any_next_inspection(asked):
    assert (
        _reason(asked("2024-09-01", schools=SCHOOLS.replace("Primary | True", "Primary | False")))
        == inspections.CLOSED
    )


def test_a_school_whose_successor_is_open_has_not_closed(asked):
    schools = SCHOOLS.replace("Primary | True", "Primary | False") + "100009 | 100001 | Primary | True\n"
    assert _reason(asked("2024-09-01", schools=schools)) == inspections.NOT_YET


def test_no_label_where_the_files_stop_before_the_next_inspection(asked):
    gap = VISITS.replace("2014-11-04   | 2015-01-06", "2016-11-04   | 2019-12-31")
    found = asked("2013-09-01", gap)
    assert _reason(found) == inspections.GAP
    assert pd.isna(found.loc[100001, "next_inspected_on"]) and pd.isna(found.loc[100001, "next_overall"])


def test_no_label_for_an_inspection_that_only_a_much_later_file_recalls(asked):
    """It is recalled because few inspections followed: most that improved, few that did not."""
    recalled = VISITS.replace("2014-11-04   | 2015-01-06", "2014-11-04   | 2019-12-31")
    assert _reason(asked("2013-09-01", recalled)) == inspections.GAP


def test_no_label_while_a_school_waits_for_its_report(asked):
    found = asked("2014-12-01")
    assert _reason(found) == inspections.LIMBO
    assert pd.isna(found.loc[100001, "next_overall"])


def test_no_label_for_a_school_never_graded(asked):
    schools = SCHOOLS + "100003 | 100003 | Primary | True\n"
    assert _reason(asked("2013-09-01", schools=schools), 100003) == inspections.NEVER_GRADED


CARD = """
    lineage | inspected_on | known_on   | overall | below_good | overall_source
    100001  | 2024-03-05   | 2024-04-10 | {now}   |            | published
    100001  | 2025-11-18   | 2025-12-18 |         | {below}    | crosswalk
    100002  | 2024-03-05   | 2024-04-10 | 2       | False      | published
"""


@pytest.mark.parametrize(
    "now, below, label",
    [
        (3, False, "improved"),
        (3, True, "same"),
        (3, "", None),
        (2, False, None),
        (2, True, None),
        (4, False, None),
        (1, True, None),
    ],
)
def test_a_report_card_answers_only_for_requires_improvement(asked, now, below, label):
    coverage = COVERAGE.replace("2025-08-31", "2026-08-31")
    found = asked("2024-09-01", CARD.format(now=now, below=below), coverage=coverage)
    if label:
        assert found.loc[100001, ["label", "label_source"]].tolist() == [label, "crosswalk"]
    else:
        assert _reason(found) == inspections.NOT_COMPARABLE


def test_an_ungraded_visit_is_neither_a_state_nor_a_next_inspection(asked):
    visits = """
        lineage | inspected_on | known_on   | overall | kind
        100001  | 2013-03-05   | 2013-04-10 | 3       | graded
        100001  | 2013-10-05   | 2013-11-10 |         | ungraded
        100001  | 2014-11-04   | 2015-01-06 | 2       | graded
    """
    found = asked("2014-01-01", visits).loc[100001]
    assert (found["overall"], found["inspected_on"], found["label"]) == (3, DAY("2013-03-05"), "improved")


# --- whom to ask about, and when ----------------------------------------------------------------------------


def test_the_grid_is_each_september_and_the_first_day_of_each_stretch(drawn, table):
    stretches = table("coverage", drawn("from_on | to_on\n2013-04-30 | 2014-10-31\n2019-12-31 | 2020-06-30"))
    assert mornings(stretches) == [DAY("2013-05-01"), DAY("2013-09-01"), DAY("2014-09-01"), DAY("2020-01-01")]
    assert mornings(stretches[:0]) == []


def test_the_roster_has_each_school_once_under_the_urn_it_then_had(drawn, known):
    schools = known(
        schools=drawn("""
        urn    | lineage | opened_on  | closed_on  | first_listed_on
        100001 | 100001  |            | 2014-08-31 | 2013-04-30
        100002 | 100001  | 2014-09-01 |            | 2015-01-31
        100003 | 100003  |            | 2013-12-31 | 2013-04-30
        100004 | 100004  |            |            | 2015-01-31
    """)
    )["schools"]
    days = [DAY("2013-05-01"), DAY("2014-09-01"), DAY("2014-09-02"), DAY("2015-02-01")]
    found = roster(schools, days)
    assert not found.duplicated(["lineage", "as_of"]).any() and not found.duplicated(["urn", "as_of"]).any()
    held = {day: found.loc[found["as_of"].eq(day), "urn"].tolist() for day in days}
    assert held[days[0]] == [100001, 100003, 100004]
    assert 100001 not in held[days[2]] and 100002 in held[days[2]]
    assert held[days[3]] == [100002, 100004]


def test_a_successor_that_no_file_listed_while_it_was_open_followed_its_predecessor(drawn, known):
    schools = known(
        schools=drawn("""
        urn    | lineage | opened_on  | closed_on  | first_listed_on
        100001 | 100001  |            | 2014-08-31 | 2013-04-30
        100002 | 100001  |            | 2019-08-31 | 2022-04-30
        100003 | 100001  | 2019-09-01 |            | 2022-04-30
    """)
    )["schools"]
    found = roster(schools, [DAY("2014-08-01"), DAY("2016-09-01"), DAY("2025-09-01")])
    assert found["urn"].tolist() == [100001, 100002, 100003]


def test_an_open_school_is_asked_about_even_where_a_closed_one_was_listed_after_it_opened(drawn, known):
    schools = known(
        schools=drawn("""
        urn    | lineage | opened_on  | closed_on  | first_listed_on
        100001 | 100001  |            | 2013-08-01 | 2013-04-30
        100002 | 100001  | 2004-04-01 |            | 2013-04-30
    """)
    )["schools"]
    assert roster(schools, [DAY("2025-09-01")])["urn"].tolist() == [100002]


# --- survivor bias ------------------------------------------------------------------------------------------

GRADED = "graded and ungraded"


def _list(schools: int, visits: list[list[tuple[str, int]]], official) -> str:
    """A list of latest inspections: the last two visits of each school, newest first."""
    rows = [
        (
            "urn | name | phase | type | latest.inspected_on | latest.overall | previous.inspected_on | "
            "previous.overall"
        )
    ]
    for school in range(schools):
        (now, grade), *before = visits[school][::-1]
        then, was = before[0] if before else ("", "")
        rows.append(
            f"{100001 + school} | Oak | Primary | Academy Converter | {now} | {grade} | {then} | {was}"
        )
    return official(GRADED, "\n".join(rows))


@pytest.fixture
def survivors(official):
    """Two lists, 2019 and 2024, of 100 schools at RI: 60 in 100 improve at each inspection, and then are left
    alone.

    60 improve in 2021; of the other 40 again 60%, which is 24, in 2023; the last 16 are RI for the third
    time.
    """
    first = [[("01/02/2019", 3)] for _ in range(100)]
    second = [[*visits, ("01/10/2021", 2 if i < 60 else 3)] for i, visits in enumerate(first)]
    third = [
        visits if i < 60 else [*visits, ("01/10/2023", 2 if i < 84 else 3)] for i, visits in enumerate(second)
    ]
    return {
        "as_at_31_August_2019.csv": _list(100, first, official),
        "as_at_31_August_2024.csv": _list(100, third, official),
    }


def _examples(folder, days: list[str]) -> pd.DataFrame:
    held = {
        name: tables.read(folder, name) for name in ("schools", "school_facts", "inspections", "coverage")
    }
    asked = roster(held["schools"], [DAY(day) for day in days])
    rows = cohort(asked, held["school_facts"], held["inspections"])
    return next_graded(rows, held["inspections"], held["coverage"], held["schools"])


def _naive(text: str) -> float:
    """The share that improved among the latest and previous inspections of one list."""
    sheet = pd.read_csv(io.StringIO(text))
    pairs = sheet[sheet["Previous graded inspection overall effectiveness"].eq(3)]
    assert len(pairs) == 100
    return pairs["Overall effectiveness"].lt(3).mean()


def test_pairs_of_one_list_of_latest_inspections_overstate_improvement(survivors):
    assert _naive(survivors["as_at_31_August_2024.csv"]) == 0.84


# of which lists of so few schools are unlike true ones
DRAWN = ("newest", "constant", "shares", "blanks", "grades", "weekend")


def test_two_dated_lists_give_back_the_planted_rate(survivors, raw, ingested, tmp_path):
    for name, text in survivors.items():
        (raw / name).write_text(text)
    ingested(*DRAWN)
    found = _examples(tmp_path / "tables", ["2019-09-01"])
    assert len(found) == 100 and found["overall"].eq(3).all()
    assert found["label"].eq("improved").mean() == 0.60
    assert found["label"].eq("same").mean() == 0.40


def test_one_list_alone_gives_no_example_at_all(survivors, raw, ingested, tmp_path):
    (raw / "as_at_31_August_2024.csv").write_text(survivors["as_at_31_August_2024.csv"])
    held = ingested(*DRAWN)
    assert mornings(held["tables"]("coverage")) == []
    found = _examples(tmp_path / "tables", ["2019-09-01", "2022-09-01", "2024-09-01"])
    assert len(found) == 300 and found["label"].isna().all()
    assert found["label_missing_reason"].value_counts().to_dict() == {
        inspections.NEVER_GRADED: 200,
        inspections.GAP: 100,
    }


def test_lists_too_far_apart_to_remember_every_inspection_give_no_label(survivors, raw, ingested, tmp_path):
    for name, text in survivors.items():
        (raw / name.replace("2019", "2017")).write_text(text.replace("01/02/2019", "01/02/2017"))
    held = ingested(*DRAWN)
    assert held["tables"]("coverage").empty
    assert _examples(tmp_path / "tables", ["2017-09-01"])["label_missing_reason"].eq(inspections.GAP).all()
