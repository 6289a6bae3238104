"""From mentions in files to one row an inspection: what is known of it, and since when."""

import pandas as pd
import pytest

from headway.pipelines import inspections
from headway.pipelines.inspections import cohort, next_graded

MONTHLY = "monthly management information"
GRADED = "graded and ungraded"
TO_2019 = "August 2016 to August 2019"
TO_2015 = "September 2005 to August 2015"
CARDS = "report cards, year to date"
CARD_LIST = "latest report cards"
HISTORY = "A history compiled by an analyst"
DAY = pd.Timestamp


@pytest.fixture
def asked(ingested):
    """What the files in the folder tell of each school on a morning, and what came next, by URN."""

    def ask(morning: str) -> pd.DataFrame:
        read = ingested()["tables"]
        schools = read("schools")
        questions = schools[["urn", "lineage"]].assign(as_of=DAY(morning)).astype({"as_of": "datetime64[s]"})
        rows = cohort(questions, read("school_facts"), read("inspections"))
        return next_graded(rows, read("inspections"), read("coverage"), schools).set_index("urn")

    return ask


def _given(values: pd.Series) -> list:
    return [None if pd.isna(value) else value for value in values]


# --- each detail from a day of its own ----------------------------------------------------------------------


def test_a_detail_is_known_from_the_first_file_that_says_it_and_blank_on_mornings_before(put, asked):
    put(
        "as_at_30_April_2013.csv",
        MONTHLY,
        "urn | latest.ended_on | latest.overall\n100001 | 08/03/2013 | 3\n100002 | |",
    )
    put(
        "as_at_31_May_2013.csv",
        MONTHLY,
        (
            "urn | latest.ended_on | latest.overall | latest.leadership\n100001 | 08/03/2013 | 3 | "
            "2\n100002 | "
            "| |"
        ),
    )
    told = {
        day: _given(asked(day).loc[100001, ["overall", "leadership"]])
        for day in ("2013-04-30", "2013-05-01", "2013-05-31", "2013-06-01")
    }
    assert told == {
        "2013-04-30": [None, None],
        "2013-05-01": [3, None],
        "2013-05-31": [3, None],
        "2013-06-01": [3, 2],
    }


def test_a_poorer_file_never_blanks_what_a_richer_one_knows(put, asked):
    for day, leadership in (("31_March_2013", "2"), ("30_April_2013", "-"), ("31_May_2013", "9")):
        put(
            f"as_at_{day}.csv",
            MONTHLY,
            (
                "urn | latest.ended_on | latest.overall | latest.leadership\n100001 | 08/03/2013 | 3 | "
                f"{leadership}\n100002 | | |"
            ),
        )
    assert _given(asked("2013-04-01").loc[100001, ["overall", "leadership"]]) == [3, 2]
    assert _given(asked("2013-09-01").loc[100001, ["overall", "leadership"]]) == [3, 2]


def test_a_list_tells_of_inspections_since_the_list_it_reaches_from_their_reports_and_of_older_ones_from_its_own_day(
    put, ingested
):
    put(
        "as_at_31_August_2022.csv",
        GRADED,
        "urn | latest.inspected_on | latest.overall\n100001 | |\n100002 | |",
    )
    put(
        "as_at_31_August_2023.csv",
        GRADED,
        """
        urn    | latest.inspected_on | latest.published_on | latest.overall | previous.inspected_on | previous.published_on | previous.overall
        100001 | 31/08/2022          | 10/10/2022          | 2              | 05/03/2018            | 01/05/2018            | 3
        100002 | 30/08/2022          | 10/10/2022          | 2              |                       |                       |
    """,
    )
    rows = ingested()["tables"]("inspections")
    assert rows["inspected_on"].tolist() == [DAY(2018, 3, 5), DAY(2022, 8, 31), DAY(2022, 8, 30)]
    assert rows["overall_known_on"].tolist() == [DAY(2023, 8, 31), DAY(2022, 10, 10), DAY(2023, 8, 31)]


# --- histories compiled by others ---------------------------------------------------------------------------


@pytest.fixture
def compiled(put):
    """A list of two schools, and all that one of them was graded: “satisfactory” 3 in 2010, 2 in 2014, 1 in
    2018.
    """
    put(
        "as_at_30_April_2013.csv",
        MONTHLY,
        "urn | latest.ended_on | latest.overall\n100001 | |\n100002 | 09/02/2010 | 3",
    )
    put(
        "graded_inspections_to_2019-12-31.csv",
        HISTORY,
        """
        urn    | inspected_on | overall
        100001 | 05/03/2014   | 2
        100001 | 01/02/2010   | Satisfactory
        100001 | 10/10/2018   | 1
    """,
    )


def test_a_compiled_history_gives_several_inspections_a_school_known_once_95_of_100_reports_were_out(
    compiled, ingested
):
    rows = ingested()["tables"]("inspections").query("urn == 100001")
    assert rows["overall"].tolist() == [3, 2, 1] and rows["leadership"].isna().all()
    # 79 days under the framework of 2009, 63 under that of 2012, 71 under that of 2015.
    usual = [DAY(2010, 4, 21), DAY(2014, 5, 7), DAY(2018, 12, 20)]
    assert rows["known_on"].tolist() == rows["overall_known_on"].tolist() == usual


def test_a_file_of_all_inspections_says_when_a_compiled_one_was_published(compiled, put, ingested):
    put(
        "2005_to_31_August_2015.csv",
        TO_2015,
        """
        urn    | inspection.inspected_on | inspection.ended_on | inspection.published_on | inspection.overall
        100001 | 05/03/2014              | 06/03/2014          | 20/06/2014              | 2
    """,
    )
    rows = ingested()["tables"]("inspections").query("urn == 100001")
    assert rows["known_on"].tolist() == [DAY(2010, 4, 21), DAY(2014, 6, 20), DAY(2018, 12, 20)]


def test_a_compiled_history_covers_its_own_schools_from_the_first_list_on_and_leaves_others_a_gap(
    compiled, ingested, asked
):
    covered = ingested()["tables"]("coverage")
    assert covered.to_numpy().tolist() == [[DAY(2013, 4, 30), DAY(2019, 12, 31), 100001]]
    found = asked("2013-09-01")
    assert found["overall"].tolist() == [3, 3]
    assert (
        found.loc[100001, "label"] == "improved"
        and found.loc[100002, "label_missing_reason"] == inspections.GAP
    )


# --- registers ----------------------------------------------------------------------------------------------

REGISTERS = {
    "2018_school_information.csv": ("school information", ("urn | status | type_group | register.ended_on | "
        "register.overall"),
                                    "{urn} | Open | Maintained school | {day} | {grade}"),
    "ofsted-schools_31_July_2018.csv": ("Ofsted outcomes by school", ("urn | register.ended_on | "
        "register.overall"), "{urn} | {day} | {grade}"),
}  # fmt: skip


@pytest.mark.parametrize("name", REGISTERS)
def test_a_registers_day_is_a_short_inspection_only_where_covered_and_the_standing_grade_is_its_own(
    put, ingested, name
):
    part, head, row = REGISTERS[name]
    said = {100001: ("06/02/2018", 2), 100002: ("06/02/2016", 2), 100003: ("06/02/2018", 2), 100004: ("06/02/2018", 3),
            100005: ("31/07/2018", 3)}  # fmt: skip
    put(
        name,
        part,
        "\n".join([head, *(row.format(urn=urn, day=day, grade=grade) for urn, (day, grade) in said.items())]),
    )
    for day in ("31_August_2016", "31_August_2018"):
        put(
            f"as_at_{day}.csv",
            TO_2019,
            """
            urn    | latest.inspected_on | latest.overall
            100001 | 05/03/2015          | 2
            100002 | 05/03/2015          | 2
            100003 | 05/03/2015          | 1
            100004 | 05/03/2015          | 3
            100005 | 05/03/2015          | 3
        """,
        )
    report = ingested()
    rows = report["tables"]("inspections")
    rows = rows[rows["inspected_on"].ne(DAY(2015, 3, 5))].set_index("urn")
    assert rows["kind"].to_dict() == {100001: "ungraded", 100004: "graded", 100005: "graded"}
    assert _given(rows["overall"]) == [None, 3, 3] and rows["known_on"].eq(DAY(2018, 7, 31)).all()
    assert (
        report["set_aside"][
            "in a register only, good or better: graded or a short inspection, nobody can tell"
        ]
        == 2
    )


# --- report cards -------------------------------------------------------------------------------------------

AREAS = (
    "inclusion",
    "curriculum_and_teaching",
    "attendance_and_behaviour",
    "personal_development_and_wellbeing",
)


@pytest.fixture
def carded(put):
    """A report card whose leadership needed attention, and a list five months on, when it had been graded
    again.
    """

    def write(leadership: str, graded_on: str = "12/11/2025", name: str = "as_at_30_April_2026.csv") -> None:
        cells = " | ".join(["Strong standard"] * len(AREAS))
        areas = " | ".join(AREAS)
        put(
            name,
            CARD_LIST,
            f"""
            urn    | report_card.inspected_on | report_card.published_on | {areas} | report_card.achievement | leadership_and_governance | leadership_and_governance_graded_on
            100001 | 12/11/2025               | 15/12/2025               | {cells} | Expected standard       | {leadership}              | {graded_on}
            100002 |                          |                          | {" | " * (len(AREAS) - 1)} |  |                           |
        """,
        )

    return write


def test_every_area_of_a_report_card_is_kept_with_the_day_of_its_grade(carded, ingested):
    carded("Needs attention")
    rows = ingested()["tables"]("standards").set_index("area")
    assert rows["standard"].to_dict() == {
        **dict.fromkeys(AREAS, 2),
        "achievement": 3,
        "leadership_and_governance": 4,
    }
    assert rows["graded_on"].eq(DAY(2025, 11, 12)).all() and rows["lineage"].eq(100001).all()


def test_an_area_graded_again_is_a_row_of_its_own_and_leaves_the_grade_at_the_inspection(carded, ingested):
    carded("Needs attention", name="as_at_31_December_2025.csv")
    carded("Expected standard", "10/03/2026")
    read = ingested()["tables"]
    rows = read("standards").query("area == 'leadership_and_governance'")
    assert rows["standard"].tolist() == [4, 3]
    assert rows["graded_on"].tolist() == [DAY(2025, 11, 12), DAY(2026, 3, 10)]
    assert rows["known_on"].tolist() == [DAY(2025, 12, 31), DAY(2026, 4, 30)]
    assert read("inspections")[["leadership_and_governance", "below_good"]].to_numpy().tolist() == [[4, True]]


def test_what_an_inspection_found_is_not_told_by_a_list_after_its_area_was_graded_again(carded, ingested):
    carded("Expected standard", "10/03/2026")
    read = ingested()["tables"]
    assert read("inspections")["leadership_and_governance"].isna().all()
    assert read("standards").query("area == 'leadership_and_governance'")["graded_on"].tolist() == [
        DAY(2026, 3, 10)
    ]
