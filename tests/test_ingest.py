import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headway.pipelines import ingest, sources, tables
from headway.pipelines.signals import coherence
from headway.pipelines.tables import DataError

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
from fuzzing import made

MONTHLY = "monthly management information"
GRADED = "graded and ungraded"
TO_2019 = "August 2016 to August 2019"
TO_2015 = "September 2005 to August 2015"
YEAR_TO_DATE = "year to date, September 2019 on"
CARDS = "report cards, year to date"
CARD_LIST = "latest report cards"
REGISTER = "school information"
DAY = pd.Timestamp


LATEST = """
    urn    | latest.inspected_on | latest.published_on | latest.overall | latest.leadership | previous.inspected_on | previous.overall
    100001 | 01/03/2023          | 10/04/2023          | 2              | 2                 | 05/03/2018            | 3
    100002 | 02/03/2023          |                     | 3              | 2                 |                       |
"""


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file()
    }


# --- one inspection, one row --------------------------------------------------------------------------------


def test_an_inspection_is_one_row_where_one_file_gives_its_end_and_another_its_start(put, ingested):
    put(
        "as_at_30_April_2013.csv",
        MONTHLY,
        "urn | latest.ended_on | latest.overall\n100001 | 08/03/2013 | 3\n100002 | | 9",
    )
    put(
        "2005_to_31_August_2015.csv",
        TO_2015,
        """
        urn    | inspection.inspected_on | inspection.ended_on | inspection.published_on | inspection.overall
        100001 | 06/03/2013              | 08/03/2013          | 20/04/2013              | 3
        100001 | 06/05/2015              | 07/05/2015          | 09/06/2015              | 2
    """,
    )
    rows = ingested()["tables"]("inspections")
    assert rows["inspected_on"].tolist() == [DAY(2013, 3, 6), DAY(2015, 5, 6)]
    assert rows["overall"].tolist() == [3, 2]
    assert rows["files"].tolist() == [2, 1]


def test_an_inspection_is_one_row_by_its_number_whatever_its_day(put, ingested):
    put(
        "published_by_31_Aug_2021.csv",
        YEAR_TO_DATE,
        """
        urn    | inspection_number | inspection.inspected_on | inspection.overall
        100001 | 10000001          | 04/02/2020              | 3
        100001 | 10000002          | 04/05/2021              | 2
        100002 |                   | 05/02/2020              | 2
    """,
    )
    put(
        "published_by_31_Aug_2022.csv",
        YEAR_TO_DATE,
        """
        urn    | inspection_number | inspection.inspected_on | inspection.overall
        100001 | 10000001          | 04/03/2020              | 3
        100002 |                   | 15/02/2022              | 2
    """,
    )
    report = ingested()
    rows = report["tables"]("inspections")
    assert rows.groupby("urn").size().to_dict() == {100001: 2, 100002: 2}
    assert report["set_aside"]["mentions of an inspection already seen"] == 1


def test_where_files_differ_on_a_grade_the_first_stands_and_it_is_counted(put, ingested):
    for day, overall in (("30_April_2013", 3), ("31_May_2013", 2)):
        put(
            f"as_at_{day}.csv",
            MONTHLY,
            f"urn | latest.ended_on | latest.overall\n100001 | 08/03/2013 | {overall}\n100002 | |",
        )
    report = ingested()
    assert report["tables"]("inspections")["overall"].tolist() == [3]
    assert (
        report["set_aside"]["inspections whose grade differs between files: what was said first stands"] == 1
    )


def test_a_detail_that_only_a_list_of_years_later_gives_counts_from_that_list(put, ingested):
    put(
        "as_at_30_April_2013.csv",
        MONTHLY,
        (
            "urn | latest.ended_on | latest.overall | latest.leadership\n100001 | 08/03/2013 | 3 | "
            "-\n100002 | "
            "| 3 |"
        ),
    )
    put(
        "as_at_31_August_2023.csv",
        GRADED,
        """
        urn    | latest.inspected_on | latest.published_on | latest.overall | latest.leadership | latest.quality_of_education
        100001 | 07/03/2013          | 04/04/2013          | 3              | 2                 | 3
        100002 |                     |                     |                |                   |
    """,
    )
    row = ingested()["tables"]("inspections").iloc[0]
    assert row[["overall", "leadership", "quality_of_education"]].tolist() == [3, 2, 3]
    assert row[["known_on", "overall_known_on"]].eq(DAY(2013, 4, 30)).all()
    assert row[["leadership_known_on", "quality_of_education_known_on"]].eq(DAY(2023, 8, 31)).all()


def test_details_missing_from_a_list_may_come_from_a_file_of_all_inspections(put, ingested):
    put(
        "as_at_30_April_2013.csv",
        MONTHLY,
        (
            "urn | latest.ended_on | latest.overall | latest.leadership\n100001 | 08/03/2013 | 3 | "
            "-\n100002 | "
            "| 3 |"
        ),
    )
    put(
        "2005_to_31_August_2015.csv",
        TO_2015,
        (
            "urn | inspection.inspected_on | inspection.overall | inspection.leadership\n100001 | "
            "07/03/2013 | "
            "3 | 2"
        ),
    )
    assert ingested()["tables"]("inspections")["leadership"].tolist() == [2]


# --- when it became known -----------------------------------------------------------------------------------


def test_an_inspection_is_known_from_publication_else_from_the_day_of_its_file(put, ingested):
    put(
        "published_by_31_Aug_2023.csv",
        YEAR_TO_DATE,
        """
        urn    | inspection.inspected_on | inspection.published_on | inspection.overall
        100001 | 01/03/2023              | 10/04/2023              | 2
        100002 | 01/03/2023              |                         | 3
        100003 | 01/03/2023              | 10/02/2023              | 3
    """,
    )
    report = ingested()
    rows = report["tables"]("inspections")
    assert rows["known_on"].tolist() == [DAY(2023, 4, 10), DAY(2023, 8, 31), DAY(2023, 8, 31)]
    assert (rows["known_on"] >= rows["inspected_on"]).all()
    assert report["set_aside"]["publication date before the inspection or after the file: not used"] == 1


def test_what_only_a_list_of_latest_inspections_recalls_is_known_from_the_list(put, ingested):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    rows = ingested()["tables"]("inspections")
    assert rows["known_on"].eq(DAY(2023, 8, 31)).all() and len(rows) == 3


def test_an_ungraded_visit_in_a_list_of_latest_inspections_is_known_from_the_list(put, ingested):
    for day in ("31_August_2022", "31_August_2023"):
        put(
            f"as_at_{day}.csv",
            GRADED,
            """
            urn    | latest.inspected_on | latest.overall | ungraded.inspected_on | ungraded.published_on | ungraded.ungraded_outcome
            100001 | 01/03/2018          | 2              | 01/02/2022            | 01/03/2022            | School remains Good
            100002 | 01/03/2018          | 2              |                       |                       |
        """,
        )
    rows = ingested()["tables"]("inspections").query("kind == 'ungraded'")
    assert rows["known_on"].tolist() == [DAY(2022, 8, 31)]


# --- grades without an overall ------------------------------------------------------------------------------


def test_the_overall_of_2024_25_is_derived_by_rule_and_says_so(put, ingested):
    put(
        "published_by_31_Aug_2025.csv",
        YEAR_TO_DATE,
        """
        urn    | inspection.inspected_on | inspection.quality_of_education | inspection.leadership | inspection.category
        100001 | 01/10/2024              | 2                               | 3                     |
        100002 | 01/10/2024              | 1                               | 1                     |
        100003 | 01/10/2024              | 4                               | 4                     |
        100004 | 01/10/2024              | 3                               | 4                     | SM
        100005 | 01/10/2024              |                                 | 2                     |
    """,
    )
    rows = ingested()["tables"]("inspections").set_index("urn")
    assert rows["overall"].tolist() == [3, 1, 3, 4, pd.NA]
    assert rows["overall_source"].fillna("").tolist() == ["derived"] * 4 + [""]
    assert rows["below_good"].tolist() == [True, False, True, True, pd.NA]


def test_an_overall_missing_before_september_2024_is_not_derived(put, ingested):
    put(
        "published_by_31_Aug_2024.csv",
        YEAR_TO_DATE,
        """
        urn    | inspection.inspected_on | inspection.overall | inspection.quality_of_education | inspection.leadership
        100001 | 01/06/2024              | Not judged         | 2                               | 2
        100002 | 01/06/2024              | 2                  | 2                               | 2
    """,
    )
    rows = ingested()["tables"]("inspections")
    assert rows["overall"].tolist() == [pd.NA, 2]
    assert rows["overall_source"].fillna("").tolist() == ["", "published"]


def test_a_report_card_crosses_over_at_below_good_only(put, ingested):
    put(
        "year_to_date_published_by_31_January_2026.csv",
        CARDS,
        """
        urn    | report_card.inspected_on | leadership_and_governance | report_card.category
        100001 | 12/11/2025               | Strong standard           |
        100002 | 12/11/2025               | Needs attention           |
        100003 | 12/11/2025               | Expected standard         | RSI
        100004 | 12/11/2025               | NULL                      |
    """,
    )
    rows = ingested()["tables"]("inspections").query("kind == 'graded'")
    assert rows["overall"].isna().all()
    assert rows["overall_source"].eq("crosswalk").all()
    assert rows["below_good"].tolist() == [False, True, True]


# --- registers, links, figures ------------------------------------------------------------------------------


REGISTERED = """
    urn    | status | type_group        | register.ended_on | register.overall
    100001 | Open   | Maintained school | 12-06-2020        | Requires improvement
    100002 | Open   | Academies         | 12-06-2020        | Good
    100009 | Open   | Independent       | 12-06-2020        | Inadequate
"""


def test_a_register_alone_shows_an_inspection_only_below_good(put, ingested):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    put(
        "2022_school_information.csv",
        REGISTER,
        REGISTERED + "100003 | Open | Academies | 12-09-2023 | Inadequate",
    )
    report = ingested()
    rows = report["tables"]("inspections")
    # 100001's list names March 2018 as the one before
    assert rows[rows["inspected_on"].eq(DAY(2020, 6, 12))].empty
    aside = report["set_aside"]
    assert aside["in a register only, good or better: graded or a short inspection, nobody can tell"] == 1
    assert (
        aside["in a register only, where another file names two consecutive graded inspections around it"]
        == 1
    )


def test_what_a_register_shows_is_judged_by_what_was_public_then(put, ingested):
    """The register, dated by its newest day, is of June 2020: the list that denies its inspection came three
    years later.
    """
    put("2022_school_information.csv", REGISTER, REGISTERED)
    put(
        "as_at_31_August_2019.csv",
        TO_2019,
        "urn | latest.inspected_on | latest.overall\n100002 | 05/03/2018 | 2",
    )
    alone = ingested()["tables"]("inspections").query("lineage == 100001")
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    rows = ingested()["tables"]("inspections").query("lineage == 100001")
    assert alone["inspected_on"].tolist() == [DAY(2020, 6, 12)]
    assert rows["inspected_on"].tolist() == [DAY(2018, 3, 5), DAY(2020, 6, 12), DAY(2023, 3, 1)]


def test_a_register_alone_may_show_an_inspection_no_list_denies(put, ingested):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    put(
        "2022_school_information.csv",
        REGISTER,
        """
        urn    | status | type_group        | register.ended_on | register.overall
        100002 | Open   | Maintained school | 12-06-2020        | Special Measures
        100001 | Open   | Academies         |                   |
    """,
    )
    rows = ingested()["tables"]("inspections")
    row = rows[rows["inspected_on"].eq(DAY(2020, 6, 12))].iloc[0]
    assert (row["urn"], row["overall"]) == (100002, 4)
    assert row["known_on"] >= row["inspected_on"]


def test_links_are_joined_from_both_directions(put, raw, ingested):
    put(
        "as_at_31_August_2023.csv",
        GRADED,
        "urn | latest.inspected_on | latest.overall\n100003 | 01/03/2023 | 2\n100004 | |",
    )
    put(
        "as_at_31_August_2022.csv",
        GRADED,
        "urn | latest.inspected_on | latest.overall\n100001 | 01/03/2019 | 2\n100002 | |",
    )
    put(
        "links.csv",
        "links between URNs",
        """
        urn    | linked_urn | link_type   | linked_on
        100003 | 100001     | Predecessor | 01-09-2022
        100002 | 100004     | Successor   |
    """,
    )
    schools = ingested()["tables"]("schools").set_index("urn")
    assert schools["lineage"].to_dict() == {100001: 100001, 100002: 100002, 100003: 100001, 100004: 100002}
    assert schools["open"].to_dict() == {100001: False, 100002: False, 100003: True, 100004: True}


def test_a_blank_figure_keeps_its_reason_and_a_strange_school_is_counted(put, raw, ingested):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    (raw / "2019_england_swf.csv").write_text("URN,NTEA,NFTETEA\n100001,SUPP,NA\n100002,0,12.5\n100009,4,4\n")
    report = ingested()
    rows = report["tables"]("workforce")
    assert rows["teachers_headcount_why_blank"].fillna("").tolist() == ["suppressed", ""]
    assert rows["teachers_headcount"].tolist() == [pytest.approx(np.nan, nan_ok=True), 0]
    assert rows["known_on"].eq(DAY(2020, 1, 31)).all() and rows["period"].eq(2019).all()
    assert report["set_aside"]["workforce: not a school in any list"] == 1


def test_a_figure_given_again_by_a_newer_release_stays_as_first_published(put, raw, ingested):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    head = "time_period,geographic_level,school_urn,teacher_fte_in_census_year,remained_in_the_same_school\n"
    (raw / "teacher_turnover_2010_2023_sch.csv").write_text(
        f"{head}202223,School,100001,10,9\n202223,National,,1,1\n"
    )
    (raw / "teacher_turnover_2010_2024_sch.csv").write_text(
        f"{head}202223,School,100001,10,2\n202324,School,100001,10,8\n"
    )
    report = ingested()
    rows = report["tables"]("turnover")
    assert rows["stayed_fte"].tolist() == [9, 8]
    assert rows["known_on"].tolist() == [DAY(2024, 6, 30), DAY(2025, 6, 30)]
    assert report["set_aside"]["turnover: given again by a newer release"] == 1


# --- trusts -------------------------------------------------------------------------------------------------


def _in_trusts(uids: str) -> str:
    return "urn | trust_uid\n" + "\n".join(
        f"10000{n} | {uid}" for n, uid in enumerate(uids.split(","), start=1)
    )


def _trust_signals(report: dict, morning: str) -> pd.DataFrame:
    """The size of each school's trust that morning, its years in it and the trust's record, by URN."""
    read = report["tables"]
    held = {
        name: read(name) for name in ("school_facts", "inspections", "coverage", "trusts", "trust_results")
    }
    asked = (
        read("schools")[["urn", "lineage", "phase"]].assign(as_of=DAY(morning)).astype({"as_of": tables.DATE})
    )
    return coherence.signals(asked, held)[["trust_size", "years_in_trust", "trust_record"]].set_index(
        asked["urn"]
    )


def _list(column: pd.Series) -> list:
    return [None if pd.isna(value) else round(value, 2) for value in column]


def test_a_school_without_a_trust_in_a_list_of_every_school_has_left_the_one_it_had(put, ingested):
    put("as_at_31_August_2022.csv", GRADED, _in_trusts("7,7,7"))
    put("as_at_31_August_2023.csv", GRADED, _in_trusts(",7,8"))
    report = ingested()
    assert _list(report["tables"]("schools")["trust_uid"]) == [None, 7, 8]
    assert _list(_trust_signals(report, "2023-08-31")["trust_size"]) == [3, 3, 3]
    assert _list(_trust_signals(report, "2023-09-01")["trust_size"]) == [None, 1, 1]


def test_a_school_that_links_between_schools_and_groups_leave_out_has_left_its_trust(put, ingested):
    put("as_at_31_August_2022.csv", GRADED, _in_trusts("7,7,"))
    put(
        "academiesmatmembership20240901.csv",
        "links between schools and groups",
        """
        urn    | trust_uid | trust_name | group_type          | joined_on
        100002 | 7         | Oak Trust  | Multi-academy trust | 01-09-2020
        100003 | 9         | Elm Trust  | Single-academy trust| 01-09-2021
    """,
    )
    report = ingested()
    assert _list(report["tables"]("schools")["trust_uid"]) == [None, 7, None]
    assert _list(_trust_signals(report, "2024-09-01")["trust_size"]) == [2, 2, None]
    later = _trust_signals(report, "2024-09-02")
    assert _list(later["trust_size"]) == [None, 1, None]
    # from the day it joined, not the first list that shows it
    assert _list(later["years_in_trust"]) == [None, 4.0, None]


def test_links_between_schools_and_groups_say_nothing_of_a_school_that_only_a_later_file_has_in_a_trust(
    put, ingested
):
    """A blank for it then would say which schools were to join one: those that fail to improve do."""
    put("as_at_31_August_2022.csv", GRADED, _in_trusts("7,7,"))
    put(
        "academiesmatmembership20230601.csv",
        "links between schools and groups",
        """
        urn    | trust_uid | trust_name | group_type          | joined_on
        100001 | 7         | Oak Trust  | Multi-academy trust | 01-09-2020
        100009 | 7         | Oak Trust  | Multi-academy trust | 01-09-2020
    """,
    )
    before = _trust_signals(ingested(), "2023-09-01")
    put("as_at_31_August_2024.csv", GRADED, _in_trusts("7,7,7"))
    after = _trust_signals(ingested(), "2023-09-01")
    pd.testing.assert_frame_equal(before, after)
    # no list names 100009, which is a member all the same
    assert _list(before["trust_size"]) == [2, None, None]


# --- results, year by year ----------------------------------------------------------------------------------


def test_key_stage_2_without_progress_gives_its_own_year_and_the_years_beside_it_from_its_own_day(
    put, ingested
):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    put(
        "2025_england_ks2final.csv",
        "key stage 2, attainment alone",
        """
        urn    | results.share_expected_standard | results.reading_score | results.maths_score | results:2024.share_expected_standard | results:2023.reading_score
        100001 | 62%                             | 105                   | 104                 | 58%                                  | 103
        100002 | SUPP                            | SUPP                  | SUPP                |                                      |
    """,
    )
    rows = ingested()["tables"]("results")
    assert rows.set_index(["urn", "period"])["share_expected_standard"].dropna().to_dict() == {
        (100001, 2025): 0.62,
        (100001, 2024): 0.58,
    }
    assert rows["reading_score"].dropna().tolist() == [105, 103] and rows["reading_progress"].isna().all()
    assert rows["known_on"].eq(DAY(2026, 1, 31)).all()
    # nothing is said of it in the years before
    assert rows.loc[rows["urn"].eq(100002), "period"].tolist() == [2025]


def test_key_stage_4_may_come_without_progress_8(put, ingested):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    put(
        "2025_england_ks4final.csv",
        "key stage 4, attainment alone",
        "urn | attainment_8\n100001 | 46.2\n100002 | NE",
    )
    rows = ingested()["tables"]("results")
    assert rows["attainment_8"].fillna(-1).tolist() == [46.2, -1] and rows["progress_8"].isna().all()
    assert rows["attainment_8_why_blank"].fillna("").tolist() == ["", "no entries"]


# --- which lists are of every school ------------------------------------------------------------------------


def test_a_list_that_is_not_of_every_school_closes_nobody(put, raw, ingested):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    (raw / "latest_2024-08-31.csv").write_text(
        "URN,Latest graded inspection date,Overall effectiveness\n100001,01/02/2018,3\n"
    )
    schools = ingested()["tables"]("schools")
    assert schools["open"].all() and schools["closed_on"].isna().all()


def test_a_list_of_every_school_closes_those_it_leaves_out(put, ingested):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    put("as_at_31_August_2024.csv", GRADED, LATEST.rsplit("100002", 1)[0])
    schools = ingested()["tables"]("schools").set_index("urn")
    assert schools["open"].to_dict() == {100001: True, 100002: False}
    assert schools["closed_on"].tolist() == [pd.NaT, DAY(2024, 8, 31)]


@pytest.mark.parametrize("repeats", [True, False])
def test_only_where_a_layout_says_so_may_a_school_have_several_rows(put, raw, tmp_path, repeats):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    date = "Graded inspection date" if repeats else "Latest graded inspection date"
    (raw / "by_2024-08-31.csv").write_text(
        f"URN,{date},Overall effectiveness\n100001,01/02/2018,3\n100001,01/02/2014,2\n"
    )
    if repeats:
        ingest.ingest(raw, tmp_path / "tables")
        assert tables.read(tmp_path / "tables", "inspections")["overall"].tolist().count(2) == 2
    else:
        with pytest.raises(DataError, match="URNs stand on more than one row"):
            ingest.ingest(raw, tmp_path / "tables")


# --- the report, and all or nothing -------------------------------------------------------------------------


def test_every_row_read_is_kept_or_set_aside_with_a_reason(put, ingested):
    path = put("as_at_31_August_2023.csv", GRADED, LATEST)
    text = path.read_text()
    path.write_text(text + text.splitlines()[1] + "\n" + "," * text.splitlines()[0].count(",") + "\n")
    (told,) = ingested()["files"]
    assert told["rows_read"] == 4 and told["rows_kept"] == 2
    assert told["set_aside"] == {"the same row again": 1, "blank row": 1}


def test_a_made_up_marker_marks_the_tables(put, raw, ingested, tmp_path):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    assert ingested()["data_source"] == "official"
    (raw / "made-up.json").write_text("{}")
    assert ingested()["data_source"] == "made-up"
    assert tables.about(tmp_path / "tables", "schools")["data_source"] == "made-up"


def test_ingesting_twice_gives_the_same_bytes(put, raw, tmp_path):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    put(
        "published_by_31_Aug_2023.csv",
        YEAR_TO_DATE,
        (
            "urn | inspection.inspected_on | inspection.overall\n100001 | 01/03/2023 | 2\n100002 | "
            "05/05/2023 | "
            "3"
        ),
    )
    for folder in ("one", "two"):
        ingest.ingest(raw, tmp_path / folder)
    assert _hashes(tmp_path / "one") == _hashes(tmp_path / "two")


def test_all_problems_of_all_files_come_at_once_and_the_old_tables_stay(put, raw, tmp_path):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    ingest.ingest(raw, tmp_path / "tables")
    before = _hashes(tmp_path / "tables")
    (raw / "2019_abs.csv").write_text("")
    (raw / "stranger.csv").write_text("what,is,this\n1,2,3\n")
    put("as_at_31_August_2022.csv", GRADED, LATEST.replace("| 3  ", "| 7  "))
    with pytest.raises(
        DataError, match=r"(?s)2019_abs\.csv is empty.*“7”.*dated after the file.*stranger\.csv isn't any"
    ):
        ingest.ingest(raw, tmp_path / "tables")
    assert _hashes(tmp_path / "tables") == before


@pytest.mark.parametrize("second", ["copy/as_at_31_August_2023.csv", "Schools 31 Aug 2023.csv"])
def test_two_files_that_claim_one_release_are_refused(put, raw, tmp_path, second):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    put(second, GRADED, LATEST)
    with pytest.raises(
        DataError, match=r"(?s)as_at_31_August_2023\.csv.* both claim .*31 August 2023.*Keep the right one"
    ):
        ingest.ingest(raw, tmp_path / "tables")


def test_a_folder_that_is_not_there_or_holds_nothing_is_refused(raw, tmp_path):
    with pytest.raises(DataError, match=r"There is no folder .*elsewhere.*\n.*headway demo"):
        ingest.ingest(tmp_path / "elsewhere", tmp_path / "tables")
    (raw / "README.md").write_text("about")
    with pytest.raises(DataError, match="holds no official files"):
        ingest.ingest(raw, tmp_path / "tables")
    assert not (tmp_path / "tables").exists()


def test_files_without_inspections_or_without_a_list_of_schools_are_refused(put, raw, tmp_path):
    (raw / "2019_england_abs.csv").write_text("URN,PERCTOT\n100001,5\n")
    with pytest.raises(DataError, match="None of the files holds inspections"):
        ingest.ingest(raw, tmp_path / "tables")
    (raw / "compiled_2019-12-31.csv").write_text(
        "URN,Graded inspection date,Overall effectiveness\n100001,01/02/2018,3\n"
    )
    with pytest.raises(DataError, match="None of the files lists the schools"):
        ingest.ingest(raw, tmp_path / "tables")


def test_a_file_with_headers_and_no_rows_yet_does_no_harm(put, ingested):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    put("published_by_30_Sep_2023.csv", YEAR_TO_DATE, "urn | inspection.inspected_on | inspection.overall")
    assert len(ingested()["tables"]("inspections")) == 3


def test_what_needs_no_reading_is_named_with_why(put, raw, ingested):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    (raw / "2019_swf_meta.csv").write_text("a guide")
    (raw / ".hidden").write_text("x")
    assert set(ingested()["not_needed"]) == {"2019_swf_meta.csv", ".hidden"}


def test_a_link_is_followed_to_a_file_or_named_with_why_not(put, raw, ingested, tmp_path):
    put("ofsted/as_at_31_August_2023.csv", GRADED, LATEST)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "2019_england_abs.csv").write_text("URN,PERCTOT\n100001,5\n")
    for name, target in (
        ("again", "ofsted"),
        ("ofsted/loop", ".."),
        ("away", tmp_path / "elsewhere"),
        ("gone", "nowhere"),
        ("round", "round"),
        ("as_at_31_August_2023.csv", "ofsted/as_at_31_August_2023.csv"),
        ("2019_england_abs.csv", tmp_path / "elsewhere" / "2019_england_abs.csv"),
    ):
        (raw / name).symlink_to(target)
    report = ingested()
    assert [told["file"] for told in report["files"]] == [
        "2019_england_abs.csv",
        "ofsted/as_at_31_August_2023.csv",
    ]
    read = "a link to {}, which is read, if it is needed, where it is"
    assert report["not_needed"] == {
        "again": read.format("ofsted"), "ofsted/loop": read.format("."),
        "away": "a link to a folder outside this one: put the files themselves here",
        "gone": "a link that leads nowhere", "round": "a link that leads nowhere",
        "as_at_31_August_2023.csv": read.format("ofsted/as_at_31_August_2023.csv"),
    }  # fmt: skip


def test_a_folder_of_nothing_but_links_to_folders_says_so(raw, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (raw / "ofsted").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(
        DataError, match=r"(?s)holds no official files.*\nofsted is a link to a folder outside this one"
    ):
        ingest.ingest(raw, tmp_path / "tables")


def test_a_cell_out_of_range_is_in_the_report_with_its_file_row_and_value(put, raw, ingested):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    (raw / "2025_england_census.csv").write_text(
        "URN,SCHOOLTYPE,NOR,PNUMEAL\n100001,State-funded primary,200,10%\n100009,Independent "
        "school,24,104.17%\n"
    )
    told = ingested()["files"][0]
    assert (told["file"], told["rows_read"], told["rows_kept"]) == ("2025_england_census.csv", 2, 1)
    assert told["out_of_range"] == [{"row": 3, "column": "PNUMEAL", "value": "104.17%"}]


def test_two_sheets_of_one_workbook_that_claim_one_release_are_refused(put, raw, tmp_path):
    text = put("as_at_31_August_2023.csv", GRADED, LATEST).read_text()
    (raw / "as_at_31_August_2023.csv").unlink()
    content = made.FORMS["ods"]("", text.encode())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    name, sheet = parts[-1]
    table = sheet[sheet.index(b"<table:table ") : sheet.index(b"</table:table>") + 14]
    parts[-1] = name, sheet.replace(table, table + table.replace(b'"Data"', b'"Again"'))
    (raw / "as_at_31_August_2023.ods").write_bytes(made.zipped(parts, zipfile.ZIP_STORED))
    with pytest.raises(DataError, match=r"2023\.ods/Data and as_at_31_August_2023\.ods/Again both claim"):
        ingest.ingest(raw, tmp_path / "tables")


def test_names_of_people_reach_no_table(put, raw, tmp_path):
    put("as_at_31_August_2023.csv", GRADED, LATEST)
    path = put("edubasealldata20230831.csv", "GIAS all data", "urn | status\n100001 | Open\n100002 |")
    header, *rows = path.read_text().splitlines()
    path.write_text(
        "\n".join(
            [
                header + "".join(f",{h}" for h in sources.PERSONAL),
                *(row + ",Plantedname" * len(sources.PERSONAL) for row in rows),
            ]
        )
    )
    ingest.ingest(raw, tmp_path / "tables")
    for path in (file for file in (tmp_path / "tables").rglob("*") if file.is_file()):
        held = pd.read_parquet(path).to_csv() if path.suffix == ".parquet" else path.read_text()
        assert "Plantedname" not in held, path.name
