import random

import numpy as np
import pandas as pd
import pytest

from headway.pipelines import tables
from headway.pipelines.tables import DATE, DataError

INSPECTION = {"lineage": 1, "urn": 1, "kind": "graded", "inspected_on": pd.Timestamp("2023-01-10"),
              "known_on": pd.Timestamp("2023-03-01")}  # fmt: skip


def _rows(**columns) -> pd.DataFrame:
    count = max(len(values) for values in columns.values())
    return pd.DataFrame({name: [value] * count for name, value in INSPECTION.items()}).assign(**columns)


def test_columns_not_given_come_in_blank_in_the_declared_order_and_types():
    found = tables.conform(
        _rows(overall=[2, None]).assign(inspected_on=pd.to_datetime(["2023-01-10", "2024-01-10"])),
        "inspections",
    )
    assert list(found) == tables.TABLES["inspections"].names
    assert (
        found["overall"].dtype == "Int64"
        and found["published_on"].dtype == DATE
        and found["category"].isna().all()
    )


def test_a_key_that_repeats_is_named():
    with pytest.raises(
        DataError, match="lineage 1 and kind graded and inspected_on 2023-01-10 .* stand in more than one row"
    ):
        tables.conform(_rows(overall=[2, 3]), "inspections")


def test_a_value_that_the_column_does_not_allow_is_named_with_those_it_does():
    with pytest.raises(DataError, match="kind is visit; allowed are graded, ungraded, monitoring"):
        tables.conform(_rows(kind=["visit"]), "inspections")


def test_a_blank_in_a_key_and_every_other_problem_are_said_at_once():
    with pytest.raises(DataError, match=r"(?s)kind is visit.*inspected_on is blank in 1 rows"):
        tables.conform(_rows(kind=["visit"], inspected_on=[pd.NaT]), "inspections")


def test_a_table_that_breaks_its_declaration_is_not_written_nor_any_beside_it(tmp_path):
    good = {"inspections": _rows(overall=[2])}
    tables.write(tmp_path, good, about={})
    before = (tmp_path / "inspections.parquet").read_bytes()
    coverage = pd.DataFrame({"from_on": pd.to_datetime(["2020-01-01"] * 2), "to_on": pd.to_datetime(["2021-01-01"] * 2),
                             "lineage": [0, 0]})  # fmt: skip
    with pytest.raises(DataError, match="coverage"):
        tables.write(tmp_path, {"inspections": _rows(overall=[3]), "coverage": coverage}, about={})
    assert (tmp_path / "inspections.parquet").read_bytes() == before and not (
        tmp_path / "coverage.parquet"
    ).exists()


def _of_each_kind() -> dict[str, pd.DataFrame]:
    """Tables with whole numbers, figures, texts, days, truths, lists and blanks."""
    chance, count = np.random.default_rng(1), 400
    blank = pd.Series(chance.random(count)).where(chance.random(count) > 0.2)
    urns = pd.Series(range(100_001, 100_001 + count))
    return {
        "inspections": _rows(urn=urns, lineage=urns, overall=blank.mul(4).round().astype("Int64")),
        "census": pd.DataFrame({"urn": urns, "lineage": urns, "period": 2024, "known_on": pd.Timestamp("2024-06-06"),
                                "source_file": "census.csv"}),
        "schools": pd.DataFrame({"urn": urns, "lineage": urns, "name": "School " + urns.astype("str"), "open": blank.gt(0.5),
                                 "latitude": blank}),
        "norms": pd.DataFrame({"table": "census", "measure": "a", "period": 2024, "phase": "Primary", "schools": 9,
                               "region": [f"r{at}" for at in range(9)], "cuts": [list(chance.random(99)) for _ in range(9)]}),
        "predictions": pd.DataFrame({"urn": urns, "lineage": urns, "as_of": pd.Timestamp("2025-09-01"), "status": "scored",
                                     "p_improve": blank, "data_source": "official", "extrapolation": blank.gt(0.5)}),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["inspections", "census", "schools", "norms", "predictions"])
def test_a_byte_changed_anywhere_in_a_table_stops_with_its_name_or_changes_nothing_that_is_read(
    tmp_path, name
):
    tables.write(tmp_path, {name: _of_each_kind()[name]}, about={"data_source": "official"})
    path, chance = tmp_path / f"{name}.parquet", random.Random(2)
    whole, about, before = path.read_bytes(), tables.about(tmp_path, name), tables.read(tmp_path, name)
    footer = int.from_bytes(whole[-8:-4], "little") + 8
    places = [
        *chance.sample(range(len(whole) - footer), 400),
        *range(len(whole) - footer, len(whole), 9),
        *range(len(whole) - 9, len(whole)),
    ]
    stopped = 0
    for place in places:
        broken = bytearray(whole)
        broken[place] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        try:
            found = tables.read(tmp_path, name)
            assert tables.about(tmp_path, name) == about
            pd.testing.assert_frame_equal(found, before, check_exact=True)
        except DataError as error:
            stopped += 1
            assert str(path) in str(error) and "broken" in str(error), error
    assert stopped > 0.9 * len(places)
