import csv

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.pipelines import signals, tables
from headway.pipelines.study import open_data
from headway.pipelines.study.open_data import ENGLAND, FEWEST, TOTAL, suppressed


def _made(counts: dict[tuple[str, str, str], int]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """So many schools of each region, authority and phase, every one of them Good with a chance of a tenth."""
    rows = [key for key, count in counts.items() for _ in range(count)]
    urns = range(1, len(rows) + 1)
    schools = pd.DataFrame(rows, columns=["region", "local_authority", "phase"]).assign(urn=urns)
    schools["la_code"] = schools["local_authority"].map({"Ayton": 301, "Beeford": 302, "Ceeham": 303})
    predictions = pd.DataFrame(
        {"urn": urns, "overall": 2, "p_improve": 0.1, "as_of": pd.Timestamp("2026-04-01")}
    )
    areas = [
        pd.DataFrame({"urn": urns, "area": area, "p_below": 0.25})
        for area in ("any", "leadership_and_governance")
    ]
    return schools, predictions, pd.concat(areas)


def test_counts_add_up_from_authorities_to_regions_to_england():
    found = open_data.data_set(
        *_made(
            {
                ("London", "Ayton", "Primary"): 20,
                ("London", "Beeford", "Primary"): 10,
                ("North East", "Ceeham", "Primary"): 30,
            }
        )
    )
    rows = found.set_index(["geographic_level", "region_name", "la_name", "school_phase"])["open_schools"]
    assert (
        rows.loc["National", "", "", TOTAL] == "60" and rows.loc["Regional", "London", "", "Primary"] == "30"
    )
    assert rows.loc["Local authority", "London", "Beeford", TOTAL] == "10"
    england = found[found["geographic_level"].eq("National") & found["school_phase"].eq(TOTAL)].iloc[0]
    assert england["expected_to_improve"] == "6.0" and england["expected_below"] == "15.0"
    assert found[["time_period", "time_identifier"]].drop_duplicates().to_numpy().tolist() == [
        [2026, "April"]
    ]
    assert set(found.loc[found["geographic_level"].eq("Local authority"), "new_la_code"]) == {"x"}


def test_a_figure_of_few_schools_and_what_would_give_it_away_are_hidden():
    found = open_data.data_set(
        *_made({("London", "Ayton", "Primary"): 20, ("London", "Ayton", "Nursery"): 2, ("London", "Ayton", "Special"): 9,
                ("London", "Beeford", "Primary"): 10, ("London", "Beeford", "Nursery"): 8, ("London", "Beeford", "Special"): 9})
    )  # fmt: skip
    rows = found.set_index(["la_name", "school_phase"])["open_schools"]
    assert rows["Ayton", "Nursery"] == "c"
    assert rows["Ayton", "Special"] == "c"  # else the total less the others is the nursery schools'
    assert rows["Beeford", "Nursery"] == "c"  # else the region's less Beeford's is
    assert rows["Ayton", TOTAL] == "31" and rows["Ayton", "Primary"] == "20"


def test_a_chance_of_few_schools_is_hidden_though_there_are_many_schools():
    schools, predictions, forecasts = _made(
        {("London", "Ayton", "Primary"): 20, ("London", "Beeford", "Primary"): 20}
    )
    predictions.loc[2:, "p_improve"] = None
    row = open_data.data_set(schools, predictions, forecasts).iloc[0]
    assert row["open_schools"] == "40" and row["asked_schools"] == row["expected_to_improve"] == "c"
    assert row["expected_below"] == "10.0"


CELLS = st.dictionaries(
    st.tuples(
        st.sampled_from(["a1", "a2", "b1", "b2", "b3"]), st.sampled_from(["Primary", "Nursery", "Special"])
    ),
    st.integers(1, 12),
    min_size=1,
)


@given(CELLS)
def test_no_hidden_figure_comes_back_by_taking_others_from_a_total(cells):
    region_of = {place: place[0] for place, _ in cells}
    counts: dict[tuple[str, str], int] = {}
    for (place, phase), count in cells.items():
        for where in (place, place[0], ENGLAND[1]):
            for kind in (phase, TOTAL):
                counts[where, kind] = counts.get((where, kind), 0) + count
    hidden = suppressed(counts, region_of)
    assert {cell for cell, count in counts.items() if count < FEWEST} <= hidden
    for place, phase in counts:
        parts = (
            [[(place, kind) for where, kind in counts if where == place and kind != TOTAL]]
            if phase == TOTAL
            else []
        )
        below = [(where, kind) for where, kind in counts if kind == phase and region_of.get(where, ENGLAND[1]) == place
                 and where != place]  # fmt: skip
        for mine in [*parts, *([below] if below else [])]:
            gone = [part for part in mine if part in hidden]
            if gone and (place, phase) not in hidden:
                assert len(gone) > 1 and sum(counts[part] for part in gone) >= FEWEST


def test_every_column_is_a_place_or_described_in_the_file_beside_it():
    meta = open_data.metadata()
    found = open_data.data_set(*_made({("London", "Ayton", "Primary"): 6}))
    assert list(found) == [*open_data.PLACES, *meta["col_name"]]
    assert set(meta["col_type"]) == {"Filter", "Indicator"} and meta["label"].is_unique
    assert meta.loc[meta["col_type"].eq("Indicator"), "indicator_dp"].isin(["0", "1"]).all()


def test_the_dictionary_has_every_column_and_signal_with_a_sentence():
    rows = open_data.dictionary()
    assert rows["sentence"].str.len().gt(0).all()
    assert {*signals.declared()} <= set(rows["column"]) and {*tables.TABLES} == set(rows["table"])


@pytest.mark.slow
def test_the_files_are_read_back_as_they_were_written(world, tmp_path):
    paths = open_data.export(world("strong") / "data/tables", tmp_path)
    assert [path.name for path in paths] == [
        "headway_forecasts.csv",
        "headway_forecasts.meta.csv",
        "data-dictionary.csv",
    ]
    with paths[0].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    whole = next(
        row for row in rows if row["geographic_level"] == "National" and row["school_phase"] == TOTAL
    )
    predictions = tables.read(world("strong") / "data/tables", "predictions")
    assert int(whole["open_schools"]) == len(predictions)
    assert float(whole["expected_to_improve"]) == pytest.approx(predictions["p_improve"].sum(), abs=0.05)
    assert not any("None" in row.values() or "nan" in row.values() for row in rows)
