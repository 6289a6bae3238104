import made
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.models.champion import Champion
from headway.pipelines import tables
from headway.pipelines.inspections import NEVER_GRADED
from headway.pipelines.scoring import rows, score
from headway.pipelines.scoring.score import SCORED
from headway.pipelines.tables import DataError

STATES = """
    urn    | as_of      | phase     | overall | leadership | inspected_on | leadership_gap | share_stayed
    100001 | 2025-09-01 | Primary   | 2       | 2          | 2023-01-10   | 0              | 0.8
    100001 | 2025-09-01 | Primary   | 2       | 2          | 2023-01-10   | 0              | 0.9
    100002 | 2025-09-01 | Secondary | 3       | 2          | 2023-01-10   | 1              |
    100003 | 2025-09-01 | Primary   |         |            |              |                | 0.9
    100004 | 2025-09-01 | Primary   |         |            | 2025-03-10   |                | 0.7
    100005 | 2025-09-01 | Nursery   | 1       |            | 2023-01-10   | 0              | 0.8
"""


@pytest.fixture(scope="module")
def champion() -> Champion:
    return made.champion()


@pytest.fixture
def asked(drawn, champion) -> pd.DataFrame:
    """Feature rows as the champion takes them."""
    whole = {"overall": "Int64", "leadership": "Int64", "phase": "str"}
    given = drawn(STATES).assign(decoy=0.0, constant=7.0).astype(whole)
    return made.feature_rows(given, champion).astype({n: "float64" for n in given.columns[6:]})


@pytest.fixture
def kept(tmp_path):
    def write(frame: pd.DataFrame, name: str = "plans.parquet"):
        path = tmp_path / name
        if path.suffix == ".csv":
            frame.to_csv(path, index=False, date_format="%Y-%m-%d")
        else:
            frame.to_parquet(path, index=False)
        return path

    return write


def _answers(path, champion, details: bool = True) -> pd.DataFrame:
    rows.check(path, champion)
    found, place = [], 0
    for batch in rows.batches(path, champion):
        found.append(rows.answers(batch, place, champion, details))
        place += batch.num_rows
    return pa.concat_tables(found).to_pandas()


# --- answers ------------------------------------------------------------------------------------------------


def test_every_row_is_answered_in_its_place_or_told_why_not(asked, kept, champion):
    found = _answers(kept(asked), champion)
    assert found["row"].tolist() == [0, 1, 2, 3, 4, 5] and found["urn"].tolist() == asked["urn"].tolist()
    assert found["status"].tolist() == [SCORED, SCORED, SCORED, NEVER_GRADED, NEVER_GRADED, SCORED]
    assert found["p_same"].isna().tolist() == [False, False, False, True, True, False]


def test_answers_are_the_predictions_of_the_same_schools_to_the_last_bit(asked, kept, champion):
    predicted = score.predictions(asked[tables.TABLES["signals_today"].names], asked, champion, "made-up")
    found = _answers(kept(asked), champion)
    shared = [name for name in found if name in predicted]
    assert {
        "p_improve",
        "p_low",
        "grade_set",
        "p_leadership_2",
        "contribution_leadership",
        "made_without",
    } <= set(shared)
    pd.testing.assert_frame_equal(
        found[shared].astype(object), predicted[shared].astype(object), check_exact=True
    )


@settings(max_examples=30, deadline=None, derandomize=True)
@given(size=st.integers(1, 9), group=st.integers(1, 9), start=st.integers(0, 11))
def test_no_answer_depends_on_where_batches_and_row_groups_end(
    champion, tmp_path_factory, size, group, start
):
    drawn = made.rows(12, seed=3)
    given = drawn["signals"].assign(
        **drawn["state"][["overall"]],
        urn=range(12),
        as_of=pd.Timestamp("2025-09-01"),
        phase="Primary",
        leadership=2,
        inspected_on=pd.Timestamp("2023-01-10"),
    )
    path = tmp_path_factory.mktemp("rows") / "plans.parquet"
    given = made.feature_rows(given, champion)
    given.to_parquet(path, index=False, row_group_size=group)
    whole = rows.answers(pa.table(next(rows.batches(path, champion))), 0, champion, True)
    with pytest.MonkeyPatch.context() as smaller:
        smaller.setattr(rows, "BATCH", size)
        held = list(rows.batches(path, champion, start))
        assert [batch.num_rows for batch in held[:-1]] == [size] * (len(held) - 1)
        found = [rows.answers(batch, start + at * size, champion, True) for at, batch in enumerate(held)]
    assert pa.concat_tables(found).equals(whole.slice(start))


def test_a_csv_gives_the_answers_of_the_parquet_it_was_made_from(asked, kept, champion):
    assert _answers(kept(asked, "plans.csv"), champion).equals(_answers(kept(asked), champion))


def test_without_details_the_leadership_and_the_contributions_are_left_out(asked, kept, champion):
    few, all_ = _answers(kept(asked), champion, details=False), _answers(kept(asked), champion)
    assert not [name for name in few if name.startswith(("contribution_", "p_leadership"))]
    assert few.equals(all_[few.columns])


def test_no_row_at_all_is_no_answer(asked, kept, champion):
    assert list(rows.batches(kept(asked.head(0)), champion)) == []


# --- rows that can't be scored ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("overall", 5, "overall is not a grade from 1 to 4"),
        ("leadership", 0, "leadership is not a grade from 1 to 4"),
        ("phase", "primary", "phase is none of Nursery, Primary, Secondary, Special, PRU"),
        ("phase", None, "phase is none of"),
        ("as_of", pd.NaT, "as_of is blank"),
        ("inspected_on", pd.Timestamp("2025-09-01"), "inspected_on is not before as_of"),
        ("card_achievement", 6, "card_achievement is not a standard from 1 to 5"),
        ("share_stayed", np.inf, "a signal is infinite"),
    ],
)
def test_a_row_that_says_what_cannot_be_keeps_its_place_with_the_reason(
    asked, kept, champion, column, value, why
):
    asked.loc[1, column] = value
    found = _answers(kept(asked), champion)
    assert found.loc[1, "status"].startswith(why)
    assert found.filter(regex="^(p_|contribution_|grade_set|base_rate)").loc[1].isna().all()
    assert found["status"].drop(index=1).tolist() == [SCORED, SCORED, NEVER_GRADED, NEVER_GRADED, SCORED]


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("share_stayed", "most", "share_stayed is not a number"),
        ("overall", "Good", "overall is not a whole number"),
        ("overall", "2.5", "overall is not a whole number"),
        ("as_of", "01/09/2025", "as_of is not a day"),
        ("urn", "100001x", "urn is not a whole number"),
        ("urn", "99999999999999999999", "urn is not a whole number"),
        ("overall", "9223372036854775808", "overall is not a whole number"),
        ("overall", "1e400", "overall is not a whole number"),
        ("as_of", "2025-09-01T00:00:00.5", "as_of is not a day"),
        ("as_of", "2025-09-01T00:00:00+01:00", "as_of is not a day"),
        ("as_of", "9999-01-01", "as_of is not a day from 1900 to 2199"),
        ("as_of", "0001-01-01", "as_of is not a day from 1900 to 2199"),
        ("inspected_on", "9999-12-31", "inspected_on is not a day from 1900 to 2199"),
    ],
)
def test_a_cell_of_a_csv_that_is_not_of_its_kind_sets_its_row_aside(asked, kept, champion, column, cell, why):
    text = asked.astype(object).assign(as_of="2025-09-01")
    text.loc[2, column] = cell
    found = _answers(kept(text, "plans.csv"), champion)
    assert found["status"].tolist() == [SCORED, SCORED, why, NEVER_GRADED, NEVER_GRADED, SCORED]


def test_days_of_two_zones_set_aside_the_rows_that_say_a_zone_and_no_other(asked, kept, champion):
    text = asked.astype(object).assign(as_of="2025-09-01")
    text.loc[[0, 1], "as_of"] = ["2025-09-01T00:00:00+01:00", "2025-09-01T00:00:00Z"]
    assert _answers(kept(text, "plans.csv"), champion)["status"].tolist() == [
        "as_of is not a day",
        "as_of is not a day",
        SCORED,
        NEVER_GRADED,
        NEVER_GRADED,
        SCORED,
    ]


@pytest.mark.parametrize(
    ("column", "values", "why"),
    [
        ("urn", pa.array([2**64 - 1, *range(100_001, 100_006)], pa.uint64()), "urn is not a whole number"),
        ("overall", pa.array([2**64 - 1, 2, 3, None, None, 1], pa.uint64()), "overall is not a whole number"),
        (
            "overall",
            pa.array([2**63 - 1, 2, 3, None, None, 1], pa.int64()),
            "overall is not a grade from 1 to 4",
        ),
        (
            "as_of",
            pa.array([1_756_684_800_500, *[1_756_684_800_000] * 5], pa.timestamp("ms")),
            "as_of is not a day",
        ),
        (
            "as_of",
            pa.array([253_370_764_800, *[1_756_684_800] * 5], pa.timestamp("s")),
            "as_of is not a day from 1900 to 2199",
        ),
    ],
)
def test_a_value_too_large_or_too_fine_keeps_its_row_in_its_place_with_the_reason(
    asked, kept, champion, column, values, why
):
    path = kept(asked)
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.column_names.index(column), column, values), path)
    found = _answers(path, champion)
    assert found["status"].tolist() == [why, SCORED, SCORED, NEVER_GRADED, NEVER_GRADED, SCORED]
    assert found["row"].tolist() == list(range(6)) and found["p_improve"].isna()[0]


def test_a_morning_with_a_zone_is_the_day_it_was_there(asked, kept, champion):
    # 23:00 of the day before in UTC
    local = asked.assign(as_of=asked["as_of"].dt.tz_localize("Europe/London"))
    assert _answers(kept(local), champion).equals(_answers(kept(asked), champion))


# --- files that aren't feature rows -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.drop(columns="share_stayed"), "  - share_stayed (a number)\n"),
        (lambda f: f.assign(colour=1), "  + colour\n"),
        (
            lambda f: f.rename(columns={"share_stayed": "share_staid"}),
            "  - share_stayed (a number)\n  + share_staid\n",
        ),
        (
            lambda f: f[["as_of", "urn", *f.columns[2:]]],
            "  in another order: column 1 is as_of, and should be urn\n",
        ),
        (lambda f: f.assign(share_stayed="0.8"), "  share_stayed is large_string, and should be a number\n"),
        (lambda f: f.assign(overall=2.0), "  overall is double, and should be a whole number\n"),
        (lambda f: f.assign(as_of="2025-09-01"), "  as_of is large_string, and should be a day\n"),
    ],
)
def test_columns_missing_unknown_out_of_order_or_of_another_type_stop_with_the_difference(
    asked, kept, champion, change, said
):
    with pytest.raises(DataError, match="does not hold feature rows") as stopped:
        rows.check(kept(change(asked)), champion)
    assert said in str(stopped.value)


def test_a_csv_with_a_column_twice_stops(asked, kept, champion):
    path = kept(asked, "plans.csv")
    path.write_text(
        "".join(
            line + f",{'urn' if not at else 1}\n" for at, line in enumerate(path.read_text().splitlines())
        )
    )
    with pytest.raises(DataError, match="urn stands there 2 times"):
        rows.check(path, champion)


def test_rows_made_from_official_files_are_not_scored_by_a_model_of_made_up_ones(asked, kept, champion):
    path = kept(asked)
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({"headway": '{"data_source": "official"}'}), path)
    with pytest.raises(
        DataError, match="comes from official files, and the champion learned from made-up ones"
    ):
        rows.check(path, champion)


def _refused_in_words(path, champion) -> None:
    with pytest.raises(DataError, match=path.name) as stopped:
        rows.check(path, champion)
    assert all(letter.isprintable() or letter == "\n" for letter in str(stopped.value))


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1", b"\xff\xfe\x00", b"\0" * 100, b"ur\xd4n,as_of\n1,2\n", b"\x1b[2Jurn,as_of\n1,2\n"],
)
@pytest.mark.parametrize("name", ["plans.parquet", "plans.csv"])
def test_bytes_that_are_no_table_are_refused_in_words(tmp_path, champion, name, content):
    (tmp_path / name).write_bytes(content)
    _refused_in_words(tmp_path / name, champion)


@pytest.mark.parametrize("metadata", ["[1]", "not json", '{"data_source": "\x1b[2J"}'])
def test_a_parquet_file_that_tells_nonsense_of_itself_is_refused_in_words_or_not_believed(
    asked, kept, champion, metadata
):
    path = kept(asked)
    pq.write_table(pq.read_table(path).replace_schema_metadata({"headway": metadata}), path)
    if metadata == "[1]":
        rows.check(path, champion)
    else:
        _refused_in_words(path, champion)


def test_a_footer_whose_names_are_no_text_is_refused_in_words(asked, kept, champion):
    path = kept(asked)
    path.write_bytes(path.read_bytes().replace(b"share_stayed", b"\xe5" * 12))
    _refused_in_words(path, champion)


def test_a_file_cut_short_is_refused_in_words(asked, kept, champion):
    path = kept(asked)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"can't be read"):
        rows.check(path, champion)


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataError, match="holds notes.txt"):
        rows.files(tmp_path)
    with pytest.raises(DataError, match="isn't there"):
        rows.files(tmp_path / "nothing")
