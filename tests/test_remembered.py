"""Answers kept by the content of what they hang on: the same bit for bit, and none where anything changed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from headway.pipelines.remembered import Memory, hash_of_code


@pytest.fixture
def memory(tmp_path) -> Memory:
    return Memory(tmp_path / "fits", "code")


ROWS = pd.DataFrame(
    {
        "urn": [100001, 100002],
        "share": [0.5, np.nan],
        "phase": ["Primary", None],
        "day": pd.to_datetime(["2019-09-01", None]),
        "grade": pd.array([2, None], dtype="Int64"),
    }
)


def _another(column: str) -> pd.DataFrame:
    value = {
        "urn": 100003,
        "share": 0.25,
        "phase": "Secondary",
        "day": pd.Timestamp("2020-09-01"),
        "grade": 3,
    }
    changed = ROWS.copy()
    changed.loc[0, column] = value[column]
    return changed


def test_the_same_content_has_the_same_name_whatever_holds_it(memory):
    assert memory.key("fold", ROWS, ["a"], None) == memory.key("fold", ROWS.copy(), ["a"], None)
    assert memory.key("fold", ROWS) == memory.key(
        "fold", ROWS.set_axis([7, 9])
    )  # where rows stand is no content


@pytest.mark.parametrize("column", ROWS.columns)
def test_a_cell_that_changed_has_another_name_and_so_has_a_blank(memory, column):
    blank = ROWS.copy()
    blank[column] = blank[column].astype("Int64") if column == "urn" else blank[column]
    blank.loc[0, column] = pd.NA if column in ("urn", "grade") else None
    names = {memory.key("fold", rows) for rows in (ROWS, _another(column), blank)}
    assert len(names) == 3


def test_another_question_order_setting_or_code_has_another_name(memory, tmp_path):
    names = [
        memory.key("fold", ROWS),
        memory.key("trial", ROWS),
        memory.key("fold", ROWS[ROWS.columns[::-1]]),
        memory.key("fold", ROWS.iloc[::-1]),
        memory.key("fold", ROWS, {"trees": 100}),
        memory.key("fold", ROWS, {"trees": 101}),
        Memory(tmp_path, "other code").key("fold", ROWS),
    ]
    assert len(set(names)) == len(names)


@given(arrays.arrays(np.float64, (3, 4), elements=st.floats(width=64)))
def test_what_is_kept_comes_back_bit_for_bit(tmp_path_factory, chances):
    memory = Memory(tmp_path_factory.mktemp("fits"))
    memory.put("x", {"blend 0.5": chances, "table None": chances[0]})
    back = memory.get("x")
    assert list(back) == ["blend 0.5", "table None"]
    assert back["blend 0.5"].tobytes() == chances.tobytes()


def test_only_what_is_not_kept_is_made_and_the_order_stays(memory):
    memory.put("b", {"n": np.array([2])})
    made = []

    def make(places):
        for place in places:
            made.append(place)
            yield {"n": np.array([place + 1])}

    assert [int(answer["n"][0]) for answer in memory.each(["a", "b", "c"], make)] == [1, 2, 3]
    assert made == [0, 2]
    assert [int(answer["n"][0]) for answer in memory.each(["a", "b", "c"], lambda _: iter(()))] == [1, 2, 3]


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_what_is_damaged_is_none(memory, damage):
    memory.put("x", {"n": np.arange(1000)})
    path = memory.folder / "x.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content) if damage is None else damage)
    assert memory.get("x") is None


def test_an_object_in_the_folder_is_never_unpickled(memory):
    memory.folder.mkdir()
    np.savez(memory.folder / "x.npz", n=np.array([{"run": "this"}], dtype=object))
    assert memory.get("x") is None


def test_without_a_folder_nothing_is_kept(tmp_path):
    forgets = Memory()
    forgets.put("x", {"n": np.array([1])})
    assert forgets.get("x") is None
    forgets.tidy()


def test_what_was_used_longest_ago_goes_first(memory, monkeypatch):
    import os

    monkeypatch.setattr("headway.pipelines.remembered.LARGEST", 3000)
    for age, name in enumerate("abc"):
        memory.put(name, {"n": np.arange(150)})
        os.utime(memory.folder / f"{name}.npz", (1000 + age, 1000 + age))
    memory.get("a")  # which makes it the newest
    memory.tidy()
    assert {path.stem for path in memory.folder.iterdir()} == {"a", "c"}


def test_code_counts_for_what_it_does_and_not_for_its_comments(tmp_path):
    file = tmp_path / "rule.py"
    file.write_text("x = 1  # one\n")
    one = hash_of_code([file], "pandas 3")
    other = tmp_path / "again" / "rule.py"
    other.parent.mkdir()
    other.write_text("x   =   1\n")
    assert hash_of_code([other], "pandas 3") == one != hash_of_code([other], "pandas 4")
    third = tmp_path / "third" / "rule.py"
    third.parent.mkdir()
    third.write_text("x = 2\n")
    assert hash_of_code([third], "pandas 3") != one
