import csv
import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway.pipelines import registers, tables
from headway.pipelines.__main__ import main
from headway.pipelines.tables import DATE, DataError

TODAY = pd.Timestamp(2025, 10, 1)
# 100001 became 100005; 100002 is in another trust, 100003 in none; 100004 stands in another authority.
SCHOOLS = pd.DataFrame({
    "urn": [100001, 100002, 100003, 100004, 100005],
    "lineage": [100001, 100002, 100003, 100004, 100001],
    "trust_uid": pd.array([None, 8, None, 7, 7], "Int64"),
    "la_code": pd.array([301, 301, 301, 302, 301], "Int64"),
})  # fmt: skip
GOOD = {
    "staff": {"urn": "100001", "counted_on": "2025-09-01", "recorded_on": "02/09/2025", "teachers_a_year_before": "20",
              "stayed": "12", "moved_school": "5", "left_system": "3", "posts": "21.5", "vacant_posts": "1",
              "temporarily_filled_posts": "0.5", "heads_in_three_years": "2"},
    "improvement-capacity": {"urn": "100001", "counted_on": "2025-09-01", "recorded_on": "2025-09-01", "staff": "40",
                             "improvement_leaders": "2", "improvement_practitioners": "2",
                             "leaders_supporting_other_schools": "", "head_improved_another_school": "Yes",
                             "peer_reviews_done": "2", "peer_reviews_received": ""},
    "leadership-development": {"urn": "100001", "counted_on": "1/9/2025", "recorded_on": "2025-09-01", "teachers": "30",
                               "middle_leaders": "9", "npq_leading_literacy": "1", "npq_senco": "2", "npq_headship": "1",
                               "other_programme": "3", "other_programme_name": ("Trust leaders' "
                                   "year"), "finished": "6",
                               "finished_still_here": "3", "promoted_inside": "0"},
}  # fmt: skip


def _csv(kind: str, *rows: dict[str, str], headers: list[str] | None = None) -> bytes:
    """A register of rows, each the good one with some cells changed."""
    names = headers or registers.KINDS[kind].names
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**GOOD[kind], **row} for row in rows or ({},))
    return out.getvalue().encode()


def _check(
    content: bytes, owner: str | None = None, schools: pd.DataFrame | None = SCHOOLS
) -> registers.Checked:
    return registers.check(content, "mine.csv", schools, TODAY, owner)


def _told(content: bytes, owner: str | None = None) -> list[str]:
    checked = _check(content, owner)
    assert checked.problems and checked.rows is None
    return [str(problem) for problem in checked.problems]


def _known(
    folder: Path, schools: pd.DataFrame = SCHOOLS, source: str = "official"
) -> dict[str, pd.DataFrame]:
    return registers.known(folder, schools, source, TODAY)[0]


def _kept(folder: Path, owner: str, kind: str, *rows: dict[str, str]) -> Path:
    return registers.add(folder, owner, _csv(kind, *rows), "mine.csv", SCHOOLS, TODAY)[0]


# --- declared once ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", registers.KINDS)
def test_the_template_holds_the_headers_only_and_the_guide_s_examples_make_a_register_that_passes(kind):
    empty, guide = registers.template(kind), registers.guide(kind)
    assert (
        empty.startswith(b"\xef\xbb\xbf")
        and empty.decode("utf-8-sig").strip().split(",") == registers.KINDS[kind].names
    )
    lines = [
        line.split(" | ")
        for line in guide.splitlines()
        if line.startswith("| ") and " | what it is" not in line
    ]
    assert [line[0].removeprefix("| ") for line in lines] == registers.KINDS[kind].names
    filled = empty + ",".join(line[2] for line in lines).encode()
    assert _check(filled, "authority-301").problems == []
    assert "no rows" in _told(empty)[0]


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("owner", ["school-100001", "school-100005", "trust-7", "authority-301"])
def test_a_good_register_passes_for_every_owner_of_the_school_under_either_of_its_urns(kind, owner):
    for urn in ("100001", "100005"):
        checked = _check(_csv(kind, {"urn": urn}), owner)
        assert (
            checked.problems == [] == checked.notes and checked.kind.name == kind and len(checked.rows) == 1
        )


def test_a_kind_nobody_declared_is_named_with_those_that_are():
    with pytest.raises(DataError, match="staff"):
        registers.template("pupils")


# --- every refusal ------------------------------------------------------------------------------------------

REFUSED = [  # kind, column, cell, what the message says
    ("staff", "urn", "", "blank"),
    ("staff", "urn", "12", "not a URN"),
    ("staff", "urn", "999999", "“999999” is no school"),
    ("staff", "urn", "100002", "not a school of this register's owner"),
    ("staff", "counted_on", "", "blank"),
    ("staff", "counted_on", "31/02/2025", "not a day"),
    ("staff", "counted_on", "September", "not a day"),
    ("staff", "counted_on", "1999-12-31", "before 2000"),
    ("staff", "recorded_on", "2025-10-02", "“2025-10-02” is in the future"),
    ("staff", "recorded_on", "31/08/2025", "before counted_on"),
    ("staff", "teachers_a_year_before", "", "blank"),
    ("staff", "stayed", "many", "not a number"),
    ("staff", "stayed", "-", "not a number"),
    ("staff", "stayed", "1,2", "not a number"),
    ("staff", "stayed", "-3", "“-3” is negative"),
    ("staff", "stayed", "7.5", "“7.5” is not a whole number"),
    ("staff", "stayed", "21", "more than 20, which is teachers_a_year_before"),
    ("staff", "teachers_a_year_before", "19", ("“19” is less than 20, to which stayed, moved_school, "
        "left_system add up")),
    ("staff", "posts", "2001", "more than 2,000"),
    ("staff", "posts", "9" * 400, "more than 2,000"),
    ("staff", "vacant_posts", "22", "more than 21.5"),
    ("staff", "posts", "1.2", "less than 1.5"),
    ("staff", "heads_in_three_years", "31", "more than 30"),
    ("staff", "stayed", "=1+1", "formula"),
    ("staff", "stayed", "  +12", "formula"),
    ("staff", "stayed", "-A1", "formula"),
    ("staff", "stayed", "@SUM(A1)", "formula"),
    ("staff", "stayed", "\t12", "can't be seen"),
    ("staff", "stayed", "1\n2", "can't be seen"),
    ("staff", "stayed", "12\u200b", "can't be seen"),
    ("improvement-capacity", "head_improved_another_school", "maybe", "neither yes nor no"),
    ("improvement-capacity", "improvement_leaders", "41", "more than 40"),
    ("improvement-capacity", "staff", "3", "less than 4"),
    ("improvement-capacity", "peer_reviews_done", "0.5", "not a whole number"),
    ("leadership-development", "middle_leaders", "31", "more than 30"),
    ("leadership-development", "middle_leaders", "5", "less than 6"),
    ("leadership-development", "npq_senco", "10", "more than 9"),
    ("leadership-development", "finished_still_here", "7", "more than 6"),
    ("leadership-development", "promoted_inside", "7", "more than 6"),
    ("leadership-development", "other_programme_name", "", "people are in that programme"),
    ("leadership-development", "other_programme_name", "-5", "formula"),
    ("leadership-development", "other_programme_name", "x" * 101, "longer than 100"),
    ("leadership-development", "other_programme_name", "ask jo.zabinski@school.example", "person"),
    ("leadership-development", "other_programme_name", "with Mrs Zabinski", "person"),
    ("leadership-development", "other_programme_name", "Dr. Zabinski's year", "person"),
    ("leadership-development", "other_programme_name", "QQ 12 34 56 C", "person"),
]  # fmt: skip


@pytest.mark.parametrize(
    "kind, column, cell, said", REFUSED, ids=[f"{column}={cell[:20]}" for _, column, cell, _ in REFUSED]
)
def test_each_mistake_is_refused_at_its_row_and_column(kind, column, cell, said):
    rows = {"counted_on": "2025-08-01"}, {column: cell}
    told = [str(p) for p in _check(_csv(kind, *rows), "trust-7").problems]
    mine = [line for line in told if line.startswith(f"row 3, column {column}: ")]
    assert len(mine) == 1 and said in mine[0]
    assert all(line.startswith("row 3") for line in told)


FILES = [
    (b"", "empty"),
    (b"\n\n", "empty"),
    (b"PK\x03\x04" + b"\0" * 50, "spreadsheet"),
    (_csv("staff").decode().encode("utf-16"), "UTF-16"),
    (_csv("staff").decode().encode("utf-16-le"), "NUL"),
    (_csv("staff") + b"\0", "NUL"),
    (_csv("leadership-development") + b"\x81\x8d", "encoding"),
    (_csv("staff").replace(b",", b";"), "semicolons"),
    (b"colour,shape\nred,round\n", "no register we know"),
    (_csv("staff") + b"100003,2025-09-01\n", "row 3: has 2 cells, where there are 11 headers"),
    (_csv("staff") + b'100003,"2025-09-01\n', "row 3: has a quotation mark"),
    (b",".join([b"x"] * 300) + b"\n", "more than 100 cells"),
    (b"x" * 20_000_001, "more than 20,000,000 bytes"),
    (_csv("staff", headers=[*registers.KINDS["staff"].names, "stayed"]), ("row 1, column stayed: stands "
        "there twice")),
    (_csv("staff", headers=[n for n in registers.KINDS["staff"].names if n != "posts"]), "row 1: the headers lack posts"),
    (_csv("staff", headers=[n.replace("stayed", "Stayd") for n in registers.KINDS["staff"].names]),
     "row 1, column E: its header is not one of ours; the nearest is stayed"),
    (_csv("staff", headers=[*registers.KINDS["staff"].names, "colour"]), ("row 1, column L: its header (not "
        "shown) is not one")),
    (_csv("staff", {}, {"stayed": "11"}), ("row 3, column urn: “100001” stands with the same counted_on on "
        "row 2")),
    (_csv("staff", {}, {"urn": "100005"}), ("row 3, column urn: “100005” stands with the same counted_on on "
        "row 2")),
]  # fmt: skip


@pytest.mark.parametrize("content, said", FILES)
def test_a_file_that_is_no_register_is_refused_with_what_it_is(content, said):
    assert any(said in line for line in _told(content))


@pytest.mark.parametrize(
    "header",
    [
        "Name",
        "surname",
        "First name",
        "firstname",
        "staff_names",
        "E-mail",
        "email address",
        "NI number",
        "Date of birth",
        "DOB",
        "Teacher reference number",
        "TRN",
    ],
)
def test_columns_about_people_are_refused_by_their_headers(header):
    told = _told(_csv("staff", headers=[*registers.KINDS["staff"].names, header]))
    assert told == [
        "row 1, column L: its header (not shown) is that of a column about people. Take the column out: a "
        "register holds counts, never people."
    ]


@pytest.mark.parametrize(
    "words", ["Trust leaders' year", "Mrs", "Drama leads", "Missing link", "NPQ pilot 2025", "Sirius", ""]
)
def test_a_programme_s_name_is_not_taken_for_a_person_s(words):
    assert (
        _check(
            _csv("leadership-development", {"other_programme_name": words, "other_programme": "0"})
        ).problems
        == []
    )


def test_every_problem_is_told_at_once_in_the_order_of_the_sheet_and_nothing_is_loaded_in_part():
    told = _told(
        _csv(
            "staff",
            {"stayed": "x", "posts": "-1"},
            {"counted_on": "2025-09-02"},
            {"counted_on": "2025-08-01", "urn": "", "moved_school": "99"},
        )
    )
    assert [line.split(":")[0] for line in told] == [
        "row 2, column stayed",
        "row 2, column posts",
        "row 4, column urn",
        "row 4, column moved_school",
    ]


def test_rows_are_numbered_as_a_spreadsheet_shows_them_blank_rows_and_all():
    content = _csv("staff") + b"\n,,,,,,,,,,\n" + _csv("staff", {"urn": "12"}).splitlines()[1]
    assert [line.split(":")[0] for line in _told(content)] == ["row 5, column urn"]


NAME = "Zabinski"


def test_a_name_is_never_repeated_wherever_it_stands():
    names = registers.KINDS["leadership-development"].names
    for content in (
        *(_csv("leadership-development", {column: f"Ms {NAME}"}) for column in names),
        *(_csv("leadership-development", headers=[*(n for n in names if n != left), NAME]) for left in names),
        f"100001,2025-09-01,{NAME},Ann {NAME}\n".encode(),
        _csv("leadership-development") + f"{NAME}\n".encode(),
        _csv("leadership-development") + f'"{NAME}'.encode(),
    ):
        checked = _check(content)
        assert checked.problems and NAME.lower() not in repr((checked.problems, checked.notes)).lower()


def test_a_number_that_could_be_a_person_s_is_not_repeated():
    assert [
        p.value for p in _check(_csv("staff", {"stayed": "1234567", "counted_on": "12/03/1980"})).problems
    ] == ["hidden"] * 2


def test_without_a_table_of_schools_urns_cannot_be_checked_and_a_note_says_so():
    checked = _check(_csv("staff", {"urn": "999999"}), "trust-7", schools=None)
    assert checked.problems == [] and "could not be checked" in checked.notes[0]


@pytest.mark.parametrize(
    "owner", ["trust", "trust-", "trust-7/..", "../trust-7", "Trust-7", "region-1", "trust-seven", ""]
)
def test_an_owner_is_a_trust_an_authority_or_a_school_and_its_number(tmp_path, owner):
    with pytest.raises(DataError, match="no owner"):
        registers.add(tmp_path / "registers", owner, _csv("staff"), "mine.csv", SCHOOLS, TODAY)
    assert list(tmp_path.iterdir()) == []


def test_an_owner_without_schools_is_told_once_not_on_every_row():
    assert _told(_csv("staff", {}, {"urn": "100002"}), "trust-9") == [
        "the file: its owner, trust-9, has no school in the table of schools. Check the number."
    ]


# --- size and anything at all -------------------------------------------------------------------------------


def test_three_hundred_thousand_rows_are_refused_at_once_with_one_problem():
    content = _csv("staff") + _csv("staff").splitlines(keepends=True)[1] * 299_999
    started = time.process_time()
    (told,) = _told(content)
    assert "300,000 rows; we stop at 100,000" in told and time.process_time() - started < 1


def _many(rows: int) -> tuple[bytes, pd.DataFrame]:
    schools = pd.DataFrame(
        {"urn": range(100_000, 120_000), "lineage": range(100_000, 120_000), "trust_uid": 7, "la_code": 301}
    )
    line = _csv("staff").decode().splitlines()[1].removeprefix("100001,2025-09-01")
    body = "".join(f"{100_000 + at % 20_000},2025-0{1 + at // 20_000}-01{line}\n" for at in range(rows))
    return registers.template("staff") + body.encode(), schools


def test_a_hundred_thousand_rows_good_or_bad_take_seconds_because_nothing_goes_row_by_row():
    content, schools = _many(100_000)
    started = time.process_time()
    assert _check(content, "trust-7", schools).problems == []
    problems = _check(content.replace(b",12,", b",x,"), "trust-7", schools).problems
    assert time.process_time() - started < 20
    assert len(problems) == 10_001 and "90,000 more" in str(problems[-1])


def test_many_small_registers_are_read_together(tmp_path):
    content, schools = _many(20_000)
    head, *lines = content.splitlines(keepends=True)
    for at, urn in enumerate(range(100_000, 100_500)):
        folder = tmp_path / f"school-{urn}"
        folder.mkdir()
        (folder / "staff.csv").write_bytes(head + lines[at])
    started = time.process_time()
    assert len(_known(tmp_path, schools)["staff_register"]) == 500
    assert time.process_time() - started < 5


CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "",
            "12",
            "-1",
            "0.5",
            "yes",
            "2025-09-01",
            "01/09/2025",
            "100001",
            "=1",
            "1e9",
            "٣",
            "²",
            "½",
            "nan",
            "NaT",
            "\r",
            '"',
            "9" * 50,
        ]
    ),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=80).map(lambda tail: _csv("staff") + tail)))
def test_no_bytes_crash_the_check(content):
    checked = _check(content, "trust-7")
    assert (checked.rows is None) == bool(checked.problems)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(list(GOOD)), st.data())
def test_no_cells_crash_the_check_and_what_passes_holds_the_rules(kind, drawn):
    names = registers.KINDS[kind].names
    cells = drawn.draw(
        st.lists(st.dictionaries(st.sampled_from(names), CELLS, max_size=4), min_size=1, max_size=3)
    )
    checked = _check(_csv(kind, *cells).replace(b"\x00", b""), "trust-7")
    assert (checked.rows is None) == bool(checked.problems)
    if checked.rows is not None:
        assert (checked.rows["recorded_on"] >= checked.rows["counted_on"]).all()
        assert checked.rows["urn"].isin(SCHOOLS["urn"]).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 50),
            st.integers(0, 50),
            st.integers(0, 50),
            st.integers(0, 50),
            st.booleans(),
            st.integers(0, 900),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda row: row[5],
    ),
    st.booleans(),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
    st.randoms(),
)
def test_a_correct_register_always_passes_and_comes_back_as_it_was(rows, iso, encoding, chance):
    days = [TODAY - pd.Timedelta(days=row[5]) for row in rows]
    written = [{"stayed": str(a), "moved_school": str(b), "left_system": "" if blank else str(c),
                "teachers_a_year_before": str(a + b + c + more), "counted_on": f"{day:%Y-%m-%d}" if iso else f"{day:%d/%m/%Y}",
                "recorded_on": f"{TODAY:%d/%m/%Y}"}
               for (a, b, c, more, blank, _), day in zip(rows, days, strict=True)]  # fmt: skip
    headers = registers.KINDS["staff"].names.copy()
    chance.shuffle(headers)
    checked = _check(_csv("staff", *written, headers=headers).decode().encode(encoding), "trust-7")
    assert checked.problems == []
    assert (
        checked.rows["stayed"].tolist() == [row[0] for row in rows]
        and checked.rows["counted_on"].tolist() == days
    )
    assert checked.rows["left_system"].isna().tolist() == [row[4] for row in rows]


# --- kept ---------------------------------------------------------------------------------------------------


def test_a_register_replaces_its_owner_s_earlier_one_and_touches_nobody_else_s(tmp_path):
    first, other = (
        _kept(tmp_path, "trust-7", "staff"),
        _kept(tmp_path, "authority-301", "staff", {"urn": "100002"}),
    )
    untouched = other.read_bytes()
    assert first == tmp_path / "trust-7" / "staff.csv" and registers.owners(tmp_path) == [
        "authority-301",
        "trust-7",
    ]
    _kept(tmp_path, "trust-7", "staff", {"stayed": "11"})
    assert b",11," in first.read_bytes() and other.read_bytes() == untouched
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["staff.csv", "staff.csv"]


def test_a_refused_or_interrupted_register_leaves_the_earlier_one_whole(tmp_path, monkeypatch):
    path = _kept(tmp_path, "trust-7", "staff")
    before = path.read_bytes()
    with pytest.raises(DataError, match="(?s)nothing was loaded: 1 problem.*row 3, column stayed"):
        _kept(tmp_path, "trust-7", "staff", {"counted_on": "2025-08-01", "stayed": "11"}, {"stayed": "-1"})
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("the disk is full")))
    with pytest.raises(OSError, match="full"):
        _kept(tmp_path, "trust-7", "staff", {"stayed": "11"})
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == ["staff.csv"]


def test_removing_takes_the_owner_s_registers_or_one_of_them_and_says_where_there_is_none(tmp_path):
    for owner, kind in (
        ("trust-7", "staff"),
        ("trust-7", "improvement-capacity"),
        ("authority-301", "staff"),
    ):
        _kept(tmp_path, owner, kind)
    assert [p.name for p in registers.remove(tmp_path, "trust-7", "staff")] == ["staff.csv"]
    registers.remove(tmp_path, "trust-7")
    assert registers.owners(tmp_path) == ["authority-301"] and not (tmp_path / "trust-7").exists()
    with pytest.raises(DataError, match="trust-7 has no"):
        registers.remove(tmp_path, "trust-7")


def test_what_is_no_register_among_them_is_named_rather_than_passed_over(tmp_path):
    _kept(tmp_path, "trust-7", "staff")
    (tmp_path / "trust-7" / "stafff.csv").write_text("x")
    (tmp_path / ".gitignore").write_text("*")
    with pytest.raises(DataError, match="stafff.csv"):
        _known(tmp_path)


# --- known --------------------------------------------------------------------------------------------------


def test_where_there_are_no_registers_the_frames_are_empty_and_of_the_declared_columns(tmp_path):
    for folder in (None, tmp_path, tmp_path / "nowhere"):
        frames, notes = registers.known(folder, SCHOOLS, "official")
        assert (
            list(frames) == ["leadership_development", "improvement_capacity", "staff_register"]
            and notes == []
        )
        for name, rows in frames.items():
            assert rows.empty and rows.dtypes.astype("str").to_dict() == {
                c.name: c.dtype for c in registers.TABLES[name].columns
            }


def test_every_column_made_known_has_a_sentence_and_none_holds_words():
    for table in registers.TABLES.values():
        assert all(column.sentence.endswith(".") for column in table.columns)
        assert {column.dtype for column in table.columns} == {"int64", "str", DATE, "float64"}
        assert "other_programme_name" not in table.names


def test_what_is_known_counts_from_the_day_it_was_written_down_and_a_blank_stays_blank(tmp_path):
    _kept(
        tmp_path,
        "school-100005",
        "improvement-capacity",
        {"recorded_on": "05/09/2025", "improvement_leaders": "0"},
    )
    (row,) = _known(tmp_path)["improvement_capacity"].to_dict("records")
    assert (row["urn"], row["lineage"], row["owner"]) == (100001, 100001, "school-100005")
    assert (row["counted_on"], row["known_on"]) == (pd.Timestamp(2025, 9, 1), pd.Timestamp(2025, 9, 5))
    assert row["improvement_leaders"] == 0 and row["head_improved_another_school"] == 1
    assert np.isnan(row["leaders_supporting_other_schools"]) and np.isnan(row["peer_reviews_received"])


def test_programmes_are_summed_from_the_true_counts_and_blank_only_if_all_are(tmp_path):
    nobody = dict.fromkeys(GOOD["leadership-development"], "") | {
        "urn": "100004",
        "teachers": "30",
        "middle_leaders": "9",
    }
    days = {"counted_on": "2025-09-01", "recorded_on": "2025-09-01"}
    _kept(tmp_path, "trust-7", "leadership-development", {}, nobody | days)
    rows = _known(tmp_path)["leadership_development"]
    assert rows["in_middle_programmes"].iloc[0] == 6  # 1 + 2 + 3, of nine
    assert rows["in_senior_programmes"].iloc[0] == 1.5
    assert rows[["in_middle_programmes", "in_senior_programmes", "finished"]].iloc[1].isna().all()


def test_one_cannot_be_told_from_two_where_most_stayed_not_even_by_taking_parts_from_the_whole(tmp_path):
    true = [(15 - moved - left, moved, left) for moved in range(13) for left in range(13 - moved)]
    rows = [
        {
            "counted_on": f"{TODAY - pd.Timedelta(days=40 + at):%Y-%m-%d}",
            "teachers_a_year_before": "15",
            **dict(zip(("stayed", "moved_school", "left_system"), map(str, row), strict=True)),
        }
        for at, row in enumerate(true)
    ]
    _kept(tmp_path, "trust-7", "staff", *rows)
    made = _known(tmp_path)["staff_register"][["stayed", "moved_school", "left_system"]]
    assert (
        made.iloc[true.index((14, 1, 0))].tolist()
        == made.iloc[true.index((13, 2, 0))].tolist()
        == [13.5, 1.5, 0]
    )
    could_be: dict[tuple, list] = {}
    for row, seen in zip(true, made.itertuples(index=False), strict=True):
        could_be.setdefault(tuple(seen), []).append(row)
    for rows in could_be.values():
        if rows[0][0] >= 10:
            assert all({row[part] for row in rows} != {few} for part in range(3) for few in (1, 2))


@pytest.mark.parametrize("whole", range(3, 30))
def test_one_or_two_left_over_cannot_be_told_apart_either(tmp_path, whole):
    rows = [{"counted_on": f"2025-0{at + 1}-01", "finished": str(whole), "finished_still_here": str(part)}
            for at, part in enumerate((whole - 1, whole - 2, 1, 2))]  # fmt: skip
    _kept(tmp_path, "trust-7", "leadership-development", *(row | {"promoted_inside": ""} for row in rows))
    here = _known(tmp_path)["leadership_development"]["finished_still_here"].tolist()
    assert here[0] == here[1] and here[2] == here[3] == 1.5


def test_posts_reviews_and_heads_are_not_people_and_stand_as_they_are(tmp_path):
    _kept(tmp_path, "trust-7", "staff")
    row = _known(tmp_path)["staff_register"].iloc[0]
    assert row[["posts", "vacant_posts", "temporarily_filled_posts", "heads_in_three_years"]].tolist() == [
        21.5,
        1,
        0.5,
        2,
    ]


def test_a_count_of_people_is_shown_so_that_it_tells_nobody_apart():
    assert [registers.shown(n) for n in (0, 1, 1.5, 2, 3, 40.0, 18.5, float("nan"))] == [
        "0",
        "fewer than 3",
        "fewer than 3",
        "fewer than 3",
        "3",
        "40",
        "about 18",
        "not known",
    ]


TRUSTS = """
    lineage | urn    | period | known_on   | trust_uid | joined_on
    100001  | 100001 | 2022   | 2022-11-30 | 7         |
    100001  | 100001 | 2023   | 2023-11-30 | 7         |
    100001  | 100001 | 2024   | 2024-11-30 | 8         | 2024-04-01
    100004  | 100004 | 2023   | 2023-11-30 | 9         | 2020-09-01
    100004  | 100004 | 2024   | 2024-11-30 |           |
"""


@pytest.mark.parametrize(
    "owner, urn, counted, allowed",
    [
        ("trust-7", "100001", "2021-09-01", True),  # before any file: nobody says that it was elsewhere
        ("trust-7", "100001", "2024-03-31", True),
        ("trust-7", "100001", "2024-09-01", False),  # it had left
        ("trust-8", "100001", "2024-03-31", True),  # from before it joined: the records came with it
        ("trust-8", "100001", "2024-09-01", True),
        ("trust-9", "100004", "2024-11-30", True),
        ("trust-9", "100004", "2025-09-01", False),  # in none since
        ("authority-301", "100001", "2024-09-01", True),
        ("school-100001", "100001", "2021-09-01", True),
        # of which the table of trusts says nothing: as the table of schools has it
        ("trust-8", "100002", "2024-09-01", True),
    ],
)
def test_a_trust_speaks_of_a_school_on_the_days_it_had_it(drawn, owner, urn, counted, allowed):
    row = _csv("staff", {"urn": urn, "counted_on": counted})
    checked = registers.check(row, "mine.csv", SCHOOLS, TODAY, owner, drawn(TRUSTS))
    told = [str(problem) for problem in checked.problems]
    assert (
        told == []
        if allowed
        else len(told) == 1 and "was not a school of this register's owner on the day counted" in told[0]
    )


def test_what_a_trust_kept_of_a_school_before_it_left_still_counts(tmp_path, drawn):
    trusts = drawn(TRUSTS)
    registers.add(
        tmp_path,
        "trust-7",
        _csv("staff", {"counted_on": "2023-09-01"}),
        "mine.csv",
        SCHOOLS,
        TODAY,
        trusts=trusts,
    )
    frames, _ = registers.known(tmp_path, SCHOOLS, "official", TODAY, trusts)
    assert frames["staff_register"]["owner"].tolist() == ["trust-7"]
    with pytest.raises(DataError, match="was not a school of this register's owner"):
        registers.add(tmp_path, "trust-7", _csv("staff"), "mine.csv", SCHOOLS, TODAY, trusts=trusts)


def test_the_school_s_own_word_comes_before_its_trust_s_and_that_before_its_authority_s(tmp_path):
    for owner, stayed in (("authority-301", "10"), ("trust-7", "11"), ("school-100001", "9")):
        _kept(tmp_path, owner, "staff", {"stayed": stayed})
    frames, notes = registers.known(tmp_path, SCHOOLS, "official", TODAY)
    assert frames["staff_register"][["owner", "stayed"]].values.tolist() == [["school-100001", 9]]
    assert "2 rows gave way" in notes[0]
    registers.remove(tmp_path, "school-100001")
    assert _known(tmp_path)["staff_register"]["owner"].tolist() == ["trust-7"]


def test_a_register_changed_by_hand_is_held_to_the_same_rules_and_all_files_are_named(tmp_path):
    for owner in ("trust-7", "school-100001"):
        path = _kept(tmp_path, owner, "staff")
        path.write_bytes(_csv("staff", {"urn": "100002"}))
    with pytest.raises(
        DataError,
        match="(?s)school-100001/staff.csv: row 2, column urn.*trust-7/staff.csv: row 2, column urn",
    ):
        _known(tmp_path)


def test_made_up_registers_never_stand_beside_official_tables_nor_the_other_way_round(tmp_path):
    made, real = tmp_path / "made", tmp_path / "real"
    registers.add(made, "trust-7", _csv("staff"), "mine.csv", SCHOOLS, TODAY, "made-up")
    registers.add(real, "trust-7", _csv("staff"), "mine.csv", SCHOOLS, TODAY, "official")
    for folder, right, wrong in ((made, "made-up", "official"), (real, "official", "made-up")):
        assert len(_known(folder, source=right)["staff_register"]) == 1
        frames, notes = registers.known(folder, SCHOOLS, wrong, TODAY)
        assert all(rows.empty for rows in frames.values()) and "left out" in notes[0]
        with pytest.raises(DataError, match="tables come from"):
            registers.add(folder, "trust-7", _csv("staff"), "mine.csv", SCHOOLS, TODAY, wrong)


# --- commands -----------------------------------------------------------------------------------------------


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> Callable[..., tuple[int, str, str]]:
    """Runs `headway register` in a folder of its own, beside a table of the schools; its exit code and what
    it said.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    rows = SCHOOLS.assign(open=True)
    tables.write(tmp_path / "data" / "tables", {"schools": rows}, about={"data_source": "official"})

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["headway", "register", *words])
        with pytest.raises(SystemExit, match="^[02]$") as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return command


@pytest.mark.parametrize("name", ["template", "check", "add", "remove", "list"])
def test_every_command_has_help_with_an_example(run, name):
    code, out, _ = run(name, "--help")
    assert code == 0 and f"Example: headway register {name}" in " ".join(out.split())


def test_a_register_goes_from_template_to_kept_to_removed(run, tmp_path):
    assert run("template", "staff")[0] == 0
    code, _, err = run("template", "staff")
    assert code == 2 and "staff.csv" in err and "--replace" in err
    assert run("template", "staff", "--replace")[0] == 0
    (tmp_path / "staff.csv").write_bytes(_csv("staff"))
    code, out, _ = run("check", "staff.csv", "--owner", "trust-7")
    assert code == 0 and "1 rows" in out
    assert run("add", "staff.csv", "--owner", "trust-7")[0] == 0
    code, out, _ = run("check", "staff")
    assert code == 0 and "1 registers" in out
    _, out, _ = run("list")
    assert ["trust-7", "staff", "1", "2025-09-01", "0"] in [line.split() for line in out.splitlines()]
    code, _, err = run("remove", "trust-7")
    assert code == 2 and "--yes" in err
    assert run("remove", "trust-7", "staff", "--yes")[0] == 0
    assert not (tmp_path / "data" / "registers" / "trust-7").exists()


def test_problems_go_to_stderr_one_a_line_and_end_in_2(run, tmp_path):
    (tmp_path / "mine.csv").write_bytes(_csv("staff", {"stayed": f"Ms {NAME}", "posts": "-1"}))
    for words in (("check", "mine.csv"), ("add", "mine.csv", "--owner", "trust-7")):
        code, out, err = run(*words)
        first, *told = err.splitlines()
        assert code == 2 and out == "" and "2 problems" in first and NAME not in err
        assert [line.split(": ")[0] for line in told] == ["row 2, column stayed", "row 2, column posts"]
    assert not (tmp_path / "data" / "registers").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("template", "pupils"),
        ("check", "nothing.csv"),
        ("add", "nothing.csv", "--owner", "trust-7"),
        ("remove", "trust-7", "--yes"),
        ("remove", "../x", "--yes"),
    ],
    ids=" ".join,
)
def test_mistakes_end_in_2_with_one_message(run, words):
    code, out, err = run(*words)
    assert code == 2 and out == "" and err.startswith("headway: ") and "Traceback" not in err
