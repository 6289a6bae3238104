import csv
import io

import pandas as pd
import pytest

from headway.pipelines.synthesise.sheets import zipped
from headway.pipelines.tables import DataError

DAY = pd.Timestamp
SCHOOLS = """
    urn    | name | phase   | type              | local_authority | latest.inspected_on | latest.overall | latest.leadership
    100001 | Oak  | Primary | Academy Converter | Ambleshire      | 01/03/2023          | 2              | 2
    100002 | Elm  | Primary | Academy Converter | Ambleshire      | 02/03/2023          | 3              | 2
"""


@pytest.fixture
def schools(raw, official):
    (raw / "as_at_31_August_2023.csv").write_text(official("graded and ungraded", SCHOOLS))


def _drawn(text: str, **also: str) -> str:
    """A CSV under the drawn headers, with the same cell all the way down in the columns of `also`."""
    names, *rows = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    also = {name: cell for name, cell in also.items() if name not in names}
    written = io.StringIO()
    csv.writer(written).writerows([[*names, *also], *([*row, *also.values()] for row in rows)])
    return written.getvalue()


# --- the six data sets with a row a school, in the spellings of two releases --------------------------------

KEYS_2024 = {
    "time_identifier": "Academic year",
    "country_code": "E92000001",
    "school_laestab": "2013614",
    "school_name": "St Mary’s",
    "school_type": "LA maintained primary",
}
KEYS_2025 = {**KEYS_2024, "region_code": "E12000007", "establishment_type_group": "LA maintained primary"}
del KEYS_2025["school_type"]
SIZE = "fte_all_teachers | hc_all_teachers | fte_head_teachers | percent_pt_teacher"
# our table: file names of both releases, their headers, one school's cells, our column, its value, its day
SETS = {
    "turnover": (
        "teacher_turnover_2010_2024_sch.csv", "teacher_turnover_2010_2025_sch.csv",
        "teacher_fte_in_census_year | remained_in_the_same_school | left_the_state-funded_system | "
        "left_to_another_state-funded_school",
        "teacher_fte_in_census_year | remained_in_the_same_school | left_the_state_funded_system | "
        "left_to_another_state_funded_school",
        "14.2 | 11.2 | 1 | 2", ("moved_school_fte", 2), DAY(2025, 6, 30)),
    "posts": (
        "workforce_2010_2024_fte_hc_nat_reg_la_sch.csv", "Workforce_2010_2025_fte_hc_sch.csv",
        SIZE, SIZE, "13.27 | 20 | 1 | 62.5", ("share_part_time", 0.625), DAY(2024, 6, 30)),
    "vacancies": (
        "vacancies_number_rate_sch_2010_2024.csv", "vacancies_number_rate_sch_2010_2025.csv",
        "vacancy | rate | tempfilled | temprate", "vacancy | rate | tempfilled | temprate",
        "1 | 7.5 | 2 | 15", ("share_vacant", 0.075), DAY(2024, 6, 30)),
    "sickness": (
        "sickness_absence_teachers_sch.csv", "sickness_absence_teachers_2010_2025_sch.csv",
        *["total_teachers_taking_absence | percentage_taking_absence | total_number_of_days_lost | "
          "average_number_of_days_taken | average_number_of_days_all_teachers"] * 2,
        "9 | 60 | 81 | 9 | 5.4", ("mean_days_all_teachers", 5.4), DAY(2025, 6, 30)),
    "pay": (
        "workforce_teacher_pay_2010_2024_school.csv", "teacher_pay_school_swc_tps_merged.csv",
        *["headcount_all | average_mean | average_median | teachers_on_leadership_pay_range_percent"] * 2,
        "20 | 43562.7 | 42984 | 8", ("share_on_leadership_pay", 0.08), DAY(2024, 6, 30)),
    "ratios": (
        "workforce_ptrs_2010_2024_sch.csv", "workforce_ptrs_2010_2025_sch.csv",
        *["pupils_fte | teachers_fte | qualified_teachers_fte | adults_fte | pupil_to_qual_teacher_ratio | "
          "pupil_to_qual_unqual_teacher_ratio | pupil_to_adult_ratio"] * 2,
        "210 | 10 | 9 | 21 | 23.3 | 21 | 10", ("pupils_per_teacher", 21), DAY(2024, 6, 30)),
}  # fmt: skip


@pytest.mark.parametrize("release, encoding", [(2024, "cp1252"), (2025, "utf-8-sig")])
@pytest.mark.parametrize("name", SETS)
def test_each_data_set_is_read_in_the_names_of_two_releases_and_is_known_in_june(
    name, encoding, release, schools, raw, ingested
):
    *files, old, new, cells, (column, value), known_on = SETS[name]
    text = _drawn(
        f"school_urn | time_period | geographic_level | {old if release == 2024 else new}\n"
        f"100001 | 202324 | School | {cells}",
        **(KEYS_2024 if release == 2024 else KEYS_2025),
    )
    (raw / files[release - 2024]).write_bytes(text.encode(encoding))
    (row,) = ingested()["tables"](name).to_dict("records")
    assert (row["urn"], row["period"], row["known_on"]) == (100001, 2024, known_on)
    assert row[column] == pytest.approx(value)


REASONS = {
    "x": "not available",
    "z": "not applicable",
    "c": "suppressed",
    "u": "low reliability",
    ":": "not available",
    "": "blank",
}


@pytest.mark.parametrize("name", SETS)
def test_a_marker_is_a_blank_with_its_reason_in_every_data_set_and_never_nought(name, schools, raw, ingested):
    file, _, headers, _, cells, (column, value), _ = SETS[name]
    lines = [
        f"100001 | 20{15 + at}{16 + at} | School | {' | '.join([marker] * (cells.count('|') + 1))}"
        for at, marker in enumerate(REASONS)
    ]
    (raw / file).write_text(
        _drawn(
            "\n".join(
                [
                    f"school_urn | time_period | geographic_level | {headers}",
                    *lines,
                    f"100002 | 201920 | School | {cells}",
                ]
            )
        )
    )
    rows = ingested()["tables"](name).sort_values(["urn", "period"])
    assert rows[column].tolist()[:6] == [pytest.approx(float("nan"), nan_ok=True)] * 6
    assert rows[f"{column}_why_blank"].tolist()[:6] == list(REASONS.values())
    assert rows[column].tolist()[6:] == [pytest.approx(value)] and rows[
        f"{column}_why_blank"
    ].isna().tolist()[6:] == [True]


def test_rows_of_the_nation_a_region_and_an_authority_are_set_aside_and_counted(schools, raw, ingested):
    (raw / "workforce_2010_2024_fte_hc_nat_reg_la_sch.csv").write_text(
        _drawn(f"""
        school_urn | time_period | geographic_level | {SIZE}
                   | 202324      | National         | 468693.1 | 514000 | 20000 | 25
        z          | 202324      | Regional         | 40000 | 45000 | 2000 | 25
                   | 202324      | Local authority  | 4000 | 4500 | 200 | 25
        100001     | 202324      | School           | 13.27 | 20 | 1 | 60
                   | 202324      | School           | 12 | 18 | 1 | 60
    """)
    )
    report = ingested()
    (told,) = [file for file in report["files"] if "size of the school" in file["release"]]
    assert told["set_aside"] == {"not one of the levels we use": 3, "no URN": 1}
    assert report["tables"]("posts")["teachers_headcount"].tolist() == [20]


def test_two_rows_of_one_school_and_year_that_differ_are_refused(schools, raw, ingested):
    (raw / "teacher_pay_school_swc_tps_merged.csv").write_text(
        _drawn("""
        school_urn | time_period | geographic_level | average_mean
        100001     | 202324      | School           | 43000
        100001     | 202324      | School           | 44000
        100001     | 202223      | School           | 42000
    """)
    )
    with pytest.raises(
        DataError,
        match="2 rows give different figures for the same urn and period: row 2: 100001, 2024; row 3",
    ):
        ingested()


def test_an_empty_file_is_refused_with_where_else_to_look(schools, raw, ingested):
    (raw / "teacher_turnover_2010_2024_sch.csv").write_bytes(b"")
    with pytest.raises(
        DataError, match=r"(?s)teacher_turnover_2010_2024_sch\.csv is empty .*zip of the whole release"
    ):
        ingested()


def test_the_same_figures_in_a_file_and_in_a_zip_are_refused(schools, raw, ingested):
    text = _drawn(
        "school_urn | time_period | geographic_level | average_mean\n100001 | 202324 | School | 43000"
    )
    (raw / "teacher_pay.csv").write_text(text)
    (raw / "release.zip").write_bytes(zipped({"data/teacher_pay.csv": text.encode()}))
    with pytest.raises(
        DataError, match=r"release\.zip/data/teacher_pay\.csv and teacher_pay\.csv both claim to be"
    ):
        ingested()


# --- characteristics of teachers: from a row a group to a row a school --------------------------------------

TOTALS = dict.fromkeys(
    ("grade", "sex", "age_group", "working_pattern", "qts_status", "on_route", "ethnicity_major"), "Total"
)
LEVEL = {"geographic_level": "School", "full_time_equivalent": "9"}
NAMES = "workforce_teacher_characteristics_school_{}.csv"
YEAR = """
    school_urn | time_period | age_group   | working_pattern | qts_status  | grade        | headcount | headcount_school_percent
    100001     | 202425      | Total       | Total           | Total       | Total        | 20        | 100
    100001     | 202425      | 40 to 49    | Total           | Total       | Total        | 8         | 40
    100001     | 202425      | 50 to 59    | Total           | Total       | Total        | 5         | 25
    100001     | 202425      | 60 and over | Total           | Total       | Total        | 1         | 5
    100001     | 202425      | 50 to 59    | Total           | Total       | Head teacher | 1         | 99
    100001     | 202425      | Total       | Part-time       | Total       | Total        | 12        | 60
    100001     | 202425      | Total       | Total           | Unqualified | Total        | 0         | 0
"""


def _long(text: str, **also: str) -> str:
    return _drawn(text, **{**LEVEL, **TOTALS, "fte_school_percent": "50", **also})


def test_a_school_has_one_row_from_rows_where_every_other_grouping_is_total(schools, raw, ingested):
    (raw / NAMES.format("202425")).write_text(_long(YEAR))
    report = ingested()
    (row,) = report["tables"]("characteristics").to_dict("records")
    assert (row["urn"], row["period"], row["known_on"]) == (100001, 2025, DAY(2025, 6, 30))
    assert row["teachers_headcount"] == 20
    assert [
        row[f"share_{name}"] for name in ("aged_50_or_over", "part_time", "unqualified")
    ] == pytest.approx([0.30, 0.60, 0])
    (told,) = [file for file in report["files"] if "characteristics" in file["release"]]
    assert told["set_aside"] == {"of a group of teachers we don't use": 2}


@pytest.mark.parametrize(
    "fifties, sixties, share, reason",
    [
        ("25", "5", 0.30, None),
        ("25", "c", None, "suppressed"),
        ("c", "5", None, "suppressed"),
        ("0", "0", 0, None),
        ("x", "c", None, "not available"),
        ("25", None, None, "no row"),
        (None, None, None, "no row"),
    ],
)
def test_a_share_over_two_age_groups_needs_both_and_is_never_worked_out_from_the_total(
    fifties, sixties, share, reason, schools, raw, ingested
):
    groups = {"Total": "100", "40 to 49": "70", "50 to 59": fifties, "60 and over": sixties}
    lines = [f"100001 | 202425 | {group} | 3 | {cell}" for group, cell in groups.items() if cell is not None]
    head = "school_urn | time_period | age_group | headcount | headcount_school_percent"
    (raw / NAMES.format("202425")).write_text(_long("\n".join([head, *lines])))
    (row,) = ingested()["tables"]("characteristics").to_dict("records")
    assert (
        row["share_aged_50_or_over"] == pytest.approx(share)
        if share is not None
        else pd.isna(row["share_aged_50_or_over"])
    )
    assert (
        row["share_aged_50_or_over_why_blank"] == reason
        if reason
        else pd.isna(row["share_aged_50_or_over_why_blank"])
    )
    assert pd.isna(row["share_part_time"]) and row["share_part_time_why_blank"] == "no row"


def test_a_row_that_names_its_group_apart_may_leave_the_other_groupings_blank(schools, raw, ingested):
    text = _drawn(
        """
        school_urn | time_period | characteristic_group | characteristic | grade | gender | headcount | headcount_school_percent
        100001     | 201011      | Total                | Total          |       |        | 20        | 100
        100001     | 201011      | Working pattern      | Part-time      |       |        | 12        | 60
        100001     | 201011      | Age group            | 50 to 59       |       |        | 5         | 25
        100001     | 201011      | Age_Group            | 60 and over    |       |        | 1         | 5
        100001     | 201011      | Gender               | Female         |       | Female | 15        | 75
    """,
        **LEVEL,
        **dict.fromkeys(("age_group", "working_pattern", "qts_status", "ethnicity_major"), ""),
    )
    (raw / NAMES.format("201011")).write_text(text)
    (row,) = ingested()["tables"]("characteristics").to_dict("records")
    assert (row["teachers_headcount"], row["period"], row["known_on"]) == (20, 2011, DAY(2011, 6, 30))
    assert row["share_part_time"] == pytest.approx(0.6) and row["share_aged_50_or_over"] == pytest.approx(0.3)


# As in some years: the cell for sex is lost, so all behind it stand a column to the left.
SLIPPED = """
    school_urn | time_period | characteristic_group | characteristic | grade | sex         | age_group | working_pattern | qts_status | on_route | ethnicity_major | full_time_equivalent | headcount | fte_school_percent | headcount_school_percent
    100001     | 202122      | Total                | Total          | Total | Total       | Total     | Total           | Total      | Total    | 13.27           | 20                   | 100       | 100                |
    100001     | 202122      | Age group            | 50 to 59       | Total | 50 to 59    | Total     | Total           | Total      | Total    | c               | c                    | c         | c                  |
    100001     | 202122      | Age group            | 60 and over    | Total | 60 and over | Total     | Total           | Total      | Total    | 1               | 1                    | 7.5       | 5                  |
    100001     | 202122      | Working pattern      | Part-time      | Total | Total       | Part-time | Total           | Total      | Total    | 6               | 12                   | 45        | 60                 |
    100002     | 202122      | Total                | Total          | Total | Total       | Total     | Total           | Total      | Total    | Total           | 9                    | 11        | 100                | 100
"""


def test_figures_a_column_too_far_left_are_moved_back_and_counted(schools, raw, ingested):
    (raw / NAMES.format("202122")).write_text(_drawn(SLIPPED, geographic_level="School"))
    report = ingested()
    rows = report["tables"]("characteristics").set_index("urn")
    assert rows["teachers_headcount"].to_dict() == {100001: 20, 100002: 11}
    assert rows.loc[100001, "share_part_time"] == pytest.approx(0.6)
    assert rows.loc[100001, "share_aged_50_or_over_why_blank"] == "suppressed"
    (told,) = [file for file in report["files"] if "characteristics" in file["release"]]
    assert "4 rows had their figures a column too far left: moved back" in told["notes"]


@pytest.mark.parametrize(
    "was, now",
    # lost, and no name for its group
    [
        ("Age group            | 60 and over ", "                     |              "),
        # a grouping we don't have
        ("Age group            | 60 and over ", "Shoe size            | 60 and over "),
        ("60 and over | Total     | Total ", "60 and over | Part-time | Total "),  # of two groups at once
        # a figure for a group, and no gap
        ("7.5       | 5                  |", "7.5       | 5                  | 5"),
    ],
)
def test_a_row_whose_columns_are_in_doubt_is_refused(was, now, schools, raw, ingested):
    assert SLIPPED.count(was) == 1
    (raw / NAMES.format("202122")).write_text(_drawn(SLIPPED.replace(was, now), geographic_level="School"))
    with pytest.raises(
        DataError, match=r"(?s)202122\.csv.*1 rows have their figures in the wrong columns.*row 4\."
    ):
        ingested()


@pytest.mark.parametrize(
    "column, word", [("age_group", "50 to 54"), ("working_pattern", "Job share"), ("qts_status", "EYTS")]
)
def test_a_word_for_a_group_that_nobody_declared_stops_us_by_name(column, word, schools, raw, ingested):
    text = _long(
        f"school_urn | time_period | {column} | headcount | headcount_school_percent\n"
        f"100001 | 202425 | Total | 3 | 100\n100001 | 202425 | {word} | 1 | 33"
    )
    (raw / NAMES.format("202425")).write_text(text)
    with pytest.raises(
        DataError, match=rf"{column}: 1 cells hold what we don't know as one of “total”.*row 3: “{word}”"
    ):
        ingested()


def test_a_file_with_no_row_for_all_teachers_is_refused(schools, raw, ingested):
    (raw / NAMES.format("202425")).write_text(_long(YEAR, sex="Persons"))
    with pytest.raises(DataError, match="No row is of all teachers"):
        ingested()


def test_age_groups_that_add_up_to_more_than_all_teachers_are_refused(schools, raw, ingested):
    text = YEAR.replace("| 5         | 25", "| 5         | 98")
    (raw / NAMES.format("202425")).write_text(_long(text))
    with pytest.raises(
        DataError, match="share_aged_50_or_over adds up to more than all teachers in 1 schools: URN 100001"
    ):
        ingested()


def test_two_rows_for_one_group_of_a_school_are_refused(schools, raw, ingested):
    (raw / NAMES.format("202425")).write_text(
        _long(YEAR + "    100001 | 202425 | Total | Total | Total | Total | 21 | 100")
    )
    with pytest.raises(DataError, match="Two rows of URN 100001 in 2025 both give “everybody: total”"):
        ingested()


def _years(*years: int) -> bytes:
    held = {
        NAMES.format(f"20{y}{y + 1}"): _long(YEAR.replace("202425", f"20{y}{y + 1}")).encode() for y in years
    }
    return zipped({**held, "workforce_teacher_characteristics_school.meta.csv": b"col_name,label\na,b\n"})


def test_a_zip_of_a_file_a_year_is_one_table_each_year_known_in_its_own_june(schools, raw, ingested):
    (raw / "workforce_teacher_characteristics_school_202223_202425.zip").write_bytes(_years(22, 23, 24))
    rows = ingested()["tables"]("characteristics")
    assert rows["known_on"].tolist() == [DAY(2023, 6, 30), DAY(2024, 6, 30), DAY(2025, 6, 30)]
    assert rows["teachers_headcount"].tolist() == [20, 20, 20]


def test_every_broken_year_of_a_zip_is_told_at_once(schools, raw, ingested):
    broken = {NAMES.format(year): _long(YEAR).replace("60 and over", word).encode()
              for year, word in (("202324", "61 and over"), ("202425", "65 and over"))}  # fmt: skip
    (raw / "years.zip").write_bytes(zipped(broken))
    with pytest.raises(DataError, match=r"(?s)202324\.csv.*“61 and over”.*202425\.csv.*“65 and over”"):
        ingested()


def test_two_zips_of_the_same_years_are_told_of_once(schools, raw, ingested):
    for name in ("one.zip", "two.zip"):
        (raw / name).write_bytes(_years(22, 23, 24))
    with pytest.raises(DataError, match=r"one\.zip/.* and two\.zip/.* both claim to be") as error:
        ingested()
    assert str(error.value).count("both claim to be") == 1


# --- national professional qualifications -------------------------------------------------------------------

NPQ = """
    time_period | geographic_level | old_la_code | new_la_code | la_name | funding | breakdown    | group_name | npq_starts | npq_unique_participants | percent_workforce_npq_participation
    202425      | National         | z           | z           |         | Overall | Overall      | Overall    | 29818      | 29526                   | 4.5
    202425      | Local authority  | 201         | E09000001   | City    | Overall | Overall      | Overall    | 30         | 28                      | 5.5
    202425      | Local authority  | 201         | E09000001   | City    | Funded  | Overall      | Overall    | 9          | 9                       | 1.5
    202425      | Local authority  | 201         | E09000001   | City    | Overall | School phase | Primary    | c          | c                       | z
    202425      | Local authority  | 201         | E09000001   | City    | Overall | Age group    | 50 to 59   | 3          | 3                       | 2
    202425      | Local authority  |             |             | Nowhere | Overall | Overall      | Overall    | 4          | 4                       | 4
"""


def test_qualifications_are_kept_by_authority_and_phase_whatever_their_funding(schools, raw, ingested):
    (raw / "npq_participants.csv").write_text(_drawn(NPQ))
    report = ingested()
    rows = report["tables"]("npq").set_index("phase")
    assert rows["la_code"].tolist() == [201, 201] and rows["known_on"].eq(DAY(2025, 7, 31)).all()
    assert rows.loc["Total", ["npq_starts", "npq_participants"]].tolist() == [30, 28]
    assert rows.loc["Total", "share_npq"] == pytest.approx(0.055)
    assert rows.loc["Primary", ["npq_starts_why_blank", "share_npq_why_blank"]].tolist() == [
        "suppressed",
        "not applicable",
    ]
    assert pd.isna(rows.loc["Primary", "npq_starts"])
    (told,) = [file for file in report["files"] if "qualifications" in file["release"]]
    assert told["set_aside"] == {
        "not one of the levels we use": 1,
        "not one of the fundings we use": 1,
        "not one of the breakdowns we use": 1,
    }
    assert report["set_aside"]["npq: no number for the authority"] == 1


@pytest.mark.parametrize("was, now", [("Primary  ", "Pre-prep "), ("Funded  ", "Bursary ")])
def test_a_phase_or_a_funding_that_nobody_declared_stops_us_by_name(was, now, schools, raw, ingested):
    (raw / "npq_participants.csv").write_text(_drawn(NPQ.replace(was, now)))
    with pytest.raises(
        DataError,
        match=rf"(?s)1 cells hold what we don't know as one of .*“{now.strip()}”.*pipelines/sources/",
    ):
        ingested()
