import pandas as pd
import pytest

from pipelines import tables
from pipelines.tables import DATE, DataError

INSPECTION = {"lineage": 1, "urn": 1, "kind": "graded", "inspected_on": pd.Timestamp("2023-01-10"),
              "known_on": pd.Timestamp("2023-03-01")}  # fmt: skip


def _rows(**columns) -> pd.DataFrame:
    count = max(len(values) for values in columns.values())
    return pd.DataFrame({name: [value] * count for name, value in INSPECTION.items()}).assign(**columns)


def test_columns_not_given_come_in_blank_in_the_declared_order_and_types():
    found = tables.conform(_rows(overall=[2, None]).assign(inspected_on=pd.to_datetime(["2023-01-10", "2024-01-10"])), "inspections")
    assert list(found) == tables.TABLES["inspections"].names
    assert found["overall"].dtype == "Int64" and found["published_on"].dtype == DATE and found["category"].isna().all()


def test_a_key_that_repeats_is_named():
    with pytest.raises(DataError, match="lineage 1 and kind graded and inspected_on 2023-01-10 .* stand in more than one row"):
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
    coverage = pd.DataFrame({"from_on": pd.to_datetime(["2020-01-01"] * 2), "to_on": pd.to_datetime(["2021-01-01"] * 2)})
    with pytest.raises(DataError, match="coverage"):
        tables.write(tmp_path, {"inspections": _rows(overall=[3]), "coverage": coverage}, about={})
    assert (tmp_path / "inspections.parquet").read_bytes() == before and not (tmp_path / "coverage.parquet").exists()
