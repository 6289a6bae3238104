"""Ofsted Parent View: both sets of questions, three ways of writing them, and the day an answer is known
from.
"""

import csv
import io
import re

import pandas as pd
import pyarrow as pa
import pytest

from headway.pipelines import files, sources
from headway.pipelines.sources import fits, normalised
from headway.pipelines.synthesise.sheets import open_document
from headway.pipelines.tables import DataError

DAY = pd.Timestamp
SCHOOLS = """
    urn    | name | phase   | type              | local_authority | latest.inspected_on | latest.overall | latest.leadership
    100001 | Oak  | Primary | Academy Converter | Ambleshire      | 01/03/2023          | 2              | 2
    100002 | Elm  | Primary | Academy Converter | Ambleshire      | 02/03/2023          | 3              | 2
"""
WHOLE, SHARES, PER_CENT, NOW = (
    "of 2019 in full",
    "by number, shares of one",
    "by number, per cent",
    "of November 2025",
)
DATED = {
    WHOLE: "6_April_2020.csv",
    SHARES: "2_September_2024.csv",
    PER_CENT: "1_September_2025.csv",
    NOW: "6_April_2026.csv",
}


def _headers(part: str) -> list[str]:
    (layout,) = [known for known in sources.PARENT_VIEW if part in known.name]
    return [column.headers[0] for _, column in layout.columns()]


def _rows(part: str, cells: dict[str, str] | None = None) -> list[list[str]]:
    """A release of two schools: 40 answers, of each question half strongly agree, a quarter agree, a tenth
    disagree.
    """
    unit = {WHOLE: "{:.0f}%", SHARES: "{}"}.get(part, "{:.0f}")
    times = 1 if part == SHARES else 100
    rows = [_headers(part)]
    for urn in ("100001", "100002"):
        row = []
        for header in rows[0]:
            answer = normalised(header).removesuffix(" %")
            share = next(
                (
                    share
                    for words, share in (
                        ("strongly agree", 0.5),
                        ("strongly disagree", 0),
                        ("disagree", 0.1),
                        ("agree", 0.25),
                        ("yes", 0.9),
                        ("no", 0.1),
                    )
                    if answer.endswith(f" {words}")
                ),
                None,
            )
            known = {"URN": urn, "Submissions": "40", "Response Rate": "12.5"} | (
                cells or {} if urn == "100002" else {}
            )
            row.append(known.get(header, "" if share is None else unit.format(share * times)))
        rows.append(row)
    return rows


def _text(rows: list[list[str]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()


def _one(raw, name: str, content: str | bytes) -> files.Release:
    path = raw / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (release,) = files.read_file(path, raw)
    return release


def _book(rows: list[list[str]], *cover: tuple[str, ...]) -> bytes:
    """An OpenDocument file with figures as numbers: a cover, a page of notes, and the schools under two title
    rows.
    """
    columns = {
        header: [float(cell) if cell.replace(".", "").isdigit() else cell or None for cell in cells]
        for header, *cells in zip(*rows, strict=True)
    }
    return open_document({"Cover": ("Parent View", *cover), "Table_1": ((("Q1. My child is happy at this "
        "school."),), ("Answer", "All")),
                          "Table_3": pa.table(columns)}, titles=("Table 3: by school", ""))  # fmt: skip


# --- what is read -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", DATED)
def test_every_way_of_writing_a_release_reads_to_the_same_shares(raw, part):
    release = _one(raw, f"as_at_{DATED[part]}", _text(_rows(part, {"Submissions": "15"})))
    rows = release.records["parent_view"]
    assert part in release.layout.name and rows["submissions"].tolist() == [40, 15]
    found = {"happy": (0.75, 0.1), "safe": (0.75, 0.1), "behaviour": (0.75, 0.1), "bullying": (0.75, 0.1),
             "concerns": (0.75, 0.1), "recommend": (0.9, 0.1)}  # fmt: skip
    for asked, (agree, disagree) in found.items():
        assert rows[f"share_agree_{asked}"].tolist() == pytest.approx([agree, agree]), asked
        assert rows[f"share_disagree_{asked}"].tolist() == pytest.approx([disagree, disagree]), asked
    assert ("share_agree_does_well" in rows, "share_agree_learning" in rows) == (
        (False, True) if part == NOW else (True, False)
    )


def test_a_cell_left_out_makes_its_share_blank_for_its_reason_and_no_other(raw):
    headers = {"Q4 Agree %": "c", "Q6 Disagree %": "", "Q1 Strongly disagree %": "0"}
    rows = _one(raw, "as_at_1_September_2025.csv", _text(_rows(PER_CENT, headers))).records["parent_view"]
    other = rows.iloc[1]
    assert pd.isna(other["share_agree_bullying"]) and other["share_agree_bullying_why_blank"] == "suppressed"
    assert other["share_disagree_bullying"] == pytest.approx(0.1)
    assert pd.isna(other["share_disagree_concerns"]) and other["share_disagree_concerns_why_blank"] == "blank"
    assert other["share_disagree_happy"] == pytest.approx(0.1) and pd.isna(
        other["share_disagree_happy_why_blank"]
    )


def test_shares_that_ofsted_rounded_to_more_than_the_whole_are_the_whole(raw):
    cells = {"Q1 Strongly agree %": "51", "Q1 Agree %": "50", "Q1 Disagree %": "0"}
    rows = _one(raw, "as_at_1_September_2025.csv", _text(_rows(PER_CENT, cells))).records["parent_view"]
    assert rows["share_agree_happy"].tolist() == pytest.approx([0.75, 1.0])


def test_a_figure_of_the_other_unit_stops_us(raw):
    with pytest.raises(
        DataError,
        match=r"Q1 Strongly agree: 2 cells hold what we don't know as a share from 0 to 1: row 2: “50”",
    ):
        _one(
            raw,
            "as_at_2_September_2024.csv",
            _text([_headers(SHARES), *_rows(PER_CENT)[1:]]).replace(",12.5,", ","),
        )


# --- no set of questions is taken for another ---------------------------------------------------------------


def test_a_spelling_with_gaps_is_met_by_its_words_in_order_and_by_no_other_answer():
    spelling = "Q… child is happy …: Agree %"
    assert fits("Q1. My child is happy at this school: Agree %", spelling)
    assert fits("Q12b  Our CHILD is happy: agree %", spelling)
    for other in (
        "Q1. My child is happy at this school: Strongly agree %",
        "Q1. My child is happy at this school: Disagree %",
        "Q1. My child is not happy: Agree %",
        "Q1. My grandchild is happy: Agree %",
        "My child is happy: Agree %",
        "Q1. My child is happy at this school Agree %",
        "Q1 Agree %",
    ):
        assert not fits(other, spelling), other
    assert not fits("Q1 Agree %", "Q1 Agree %")  # no gap in it: that is for the plain comparison


def test_the_questions_of_2025_are_known_by_their_words_whatever_their_number(raw):
    rows = _rows(NOW)
    rows[0] = [
        header.replace("Q9. The school gives", "Q8. This school gives").replace("Q8. When", "Q11a. When")
        for header in rows[0]
    ]
    read = _one(raw, "as_at_6_April_2026.csv", _text(rows)).records["parent_view"]
    assert (
        read["share_agree_learning"].tolist()
        == read["share_agree_best_interests"].tolist()
        == pytest.approx([0.75, 0.75])
    )


@pytest.mark.parametrize("part", DATED)
def test_a_release_whose_question_changed_stops_with_the_difference(raw, part):
    was, now = {
        WHOLE: ("wider personal development", "teeth"),
        NOW: ("best interests at heart", "teeth in mind"),
    }.get(part, ("Q13 ", "Q15 "))
    rows = _rows(part)
    rows[0] = [header.replace(was, now) for header in rows[0]]
    with pytest.raises(DataError, match=r"isn't any release we know") as error:
        _one(raw, f"as_at_{DATED[part]}", _text(rows))
    said = str(error.value)
    lost = [line for line in said.splitlines() if line.startswith("  - ")]
    assert (
        re.search(f"nearest to: Ofsted Parent View, questions .*{part}\n", said)
        and len(lost) == 4
        and all(was in line for line in lost)
    )
    assert now in said and "add its new spelling to that layout in pipelines/sources/" in said


def test_the_numbers_of_other_questions_are_not_those_of_2019(raw):
    """Of 2011 there are twelve, the last whether you would recommend it; of 2025 ten: by number both would
    read to nonsense.
    """
    for last in (10, 12):
        rows = _rows(PER_CENT)
        kept = [
            at
            for at, header in enumerate(rows[0])
            if not header.startswith("Q") or int(header[1:].split()[0].strip("b")) < last
        ]
        rows = [[row[at] for at in kept] for row in rows]
        rows[0] += [f"Q{last} Yes %", f"Q{last} No %"]
        with pytest.raises(DataError, match=r"(?s)isn't any release we know.*- Q14 Yes %"):
            _one(
                raw,
                "as_at_1_September_2025.csv",
                _text([row + ["90", "10"] * (at > 0) for at, row in enumerate(rows)]),
            )


@pytest.mark.parametrize("one, other", [(SHARES, PER_CENT), (PER_CENT, NOW), (WHOLE, NOW)])
def test_a_file_that_fits_two_sets_stops(raw, one, other):
    both = [[*a, *b[5:]] for a, b in zip(_rows(one), _rows(other), strict=True)]
    with pytest.raises(DataError, match=r"has all that 2 layouts need, and only one of them can be right"):
        _one(raw, "as_at_1_September_2025.csv", _text(both))


@pytest.mark.parametrize(
    "part, name", [(PER_CENT, "6_April_2026"), (SHARES, "2_September_2019"), (NOW, "1_September_2025")]
)
def test_questions_that_were_not_asked_on_the_day_in_the_name_stop_us(raw, part, name):
    with pytest.raises(DataError, match=r"Its headers are of questions asked from .* and its name says"):
        _one(raw, f"as_at_{name}.csv", _text(_rows(part)))


def test_two_questions_that_might_both_be_the_one_stop_us(raw):
    rows = _rows(NOW)
    rows[0] = [header.replace("Q1. My child is happy", "Q1. Our child is happy") for header in rows[0]]
    happy = [at for at, header in enumerate(rows[0]) if "happy" in header]
    rows = [row + [row[at].replace("Q1. Our", "Q2. Each") for at in happy] for row in rows]
    with pytest.raises(DataError, match=r"(?s)- Q1\. My child is happy at this school: Strongly agree %"):
        _one(raw, "as_at_6_April_2026.csv", _text(rows))


def test_a_school_on_two_rows_stops_us(raw):
    rows = _rows(PER_CENT)
    rows[2][0] = "100001"
    rows[2][rows[0].index("Submissions")] = "50"
    with pytest.raises(DataError, match="1 URNs stand on more than one row: 100001"):
        _one(raw, "as_at_1_September_2025.csv", _text(rows))


# --- when it is known ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        ("Published on:", "11 June 2026"),
        ("Published on: 2026-06-11",),
        ("Published on:", "Thursday, June 11, 2026"),
        ("", "Published on", "", "11th June 2026"),
    ],
)
def test_answers_are_known_from_the_day_the_cover_says_they_came_out(raw, written):
    cover = [("Period covered:", "between 10 November 2025 and 6 April 2026"), written]
    release = _one(raw, "as_at_6_April_2026.ods", _book(_rows(NOW), *cover))
    assert release.file_on == DAY(2026, 6, 11)
    assert release.records["parent_view"]["share_agree_happy"].tolist() == pytest.approx([0.75, 0.75])
    assert release.records["parent_view"]["share_responding"].tolist() == pytest.approx([0.125, 0.125])


def test_without_a_cover_answers_are_known_150_days_after_the_last_of_them(raw):
    release = _one(raw, "as_at_1_September_2025.csv", _text(_rows(PER_CENT)))
    assert release.file_on == DAY(2026, 1, 29) and any(
        "no day of publication" in note for note in release.notes
    )


def test_a_cover_with_a_day_nobody_can_read_or_a_name_without_one_stops_us(raw):
    with pytest.raises(
        DataError, match=r"as_at_6_April_2026\.ods says it was published on “soon”, which is no day"
    ):
        _one(raw, "as_at_6_April_2026.ods", _book(_rows(NOW), ("Published on:", "soon")))
    with pytest.raises(DataError, match=r"parents\.csv doesn't say when its answers end"):
        _one(raw, "parents.csv", _text(_rows(PER_CENT)))


def test_workbooks_that_hold_per_cent_as_fractions_stop_us_and_say_what_to_do(raw):
    rows = _rows(PER_CENT)
    rows[1:] = [
        [
            str(float(cell) / 100) if header.startswith("Q") and cell else cell
            for header, cell in zip(rows[0], row, strict=True)
        ]
        for row in rows[1:]
    ]
    with pytest.raises(
        DataError, match=r"(?s)Q1 Strongly agree %: no figure is above 1.*Save the sheet as CSV"
    ):
        _one(raw, "as_at_1_September_2025.ods", _book(rows, ("Published on:", "13 November 2025")))


def test_two_releases_of_a_year_stand_side_by_side_and_a_stranger_is_counted(raw, official, ingested):
    (raw / "as_at_31_August_2023.csv").write_text(official("graded and ungraded", SCHOOLS))
    (raw / "Parent_View_as_at_7_April_2025.csv").write_text(_text(_rows(SHARES)))
    (raw / "Parent_View_as_at_1_September_2025.ods").write_bytes(
        _book([*_rows(PER_CENT), ["999999", *_rows(PER_CENT)[1][1:]]], ("Published on:", "13 November 2025"))
    )
    (raw / "Parent_View_as_at_6_April_2026.ods").write_bytes(
        _book(_rows(NOW), ("Published on:", "11 June 2026"))
    )
    report = ingested()
    rows = report["tables"]("parent_view")
    known = {(2025, DAY(2025, 9, 4)), (2025, DAY(2025, 11, 13)), (2026, DAY(2026, 6, 11))}
    assert set(zip(rows["period"], rows["known_on"], strict=True)) == known and len(rows) == 6
    assert report["set_aside"]["parent_view: not a school in any list"] == 1
    assert (
        rows["share_agree_learning"].notna().sum() == 2 and rows["share_agree_does_well"].notna().sum() == 4
    )
    assert set(report["tables"]("school_facts")["source_file"]) == {"as_at_31_August_2023.csv"}
