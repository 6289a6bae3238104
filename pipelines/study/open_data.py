"""Counts in the open-data standard of Explore Education Statistics, and a data dictionary.

The standard (Department for Education, “Creating statistics: open data standards”): one comma-separated file
with time_period, time_identifier, geographic_level and the codes and names of places, then filters, then
indicators; beside it a `.meta.csv` that describes every filter and indicator. Symbols stand in place of
figures: c suppressed, z not applicable, x not available.

Nothing here is about one school: figures of fewer than `FEWEST` schools are c, and so is as much more as it
takes that none of them comes back by taking others from a total.
"""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from headway.pipelines import signals, tables
from headway.pipelines.frameworks import GRADES

FEWEST = 5  # schools, below which a figure would be about them
SUPPRESSED, NOT_AVAILABLE = "c", "x"
NATIONAL, REGIONAL, LOCAL = "National", "Regional", "Local authority"
TOTAL = "Total"
ENGLAND = ("E92000001", "England")
# Of the Office for National Statistics.
REGIONS = {
    "North East": "E12000001",
    "North West": "E12000002",
    "Yorkshire and the Humber": "E12000003",
    "East Midlands": "E12000004",
    "West Midlands": "E12000005",
    "East of England": "E12000006",
    "London": "E12000007",
    "South East": "E12000008",
    "South West": "E12000009",
}
NOT_KNOWN = "Not known"
PLACES = (
    "time_period", "time_identifier", "geographic_level", "country_code", "country_name", "region_code",
    "region_name", "old_la_code", "new_la_code", "la_name",
)  # fmt: skip
FILTER = "school_phase"
# Each indicator: its label, unit, decimal places.
INDICATORS = {
    "open_schools": ("Open state-funded schools", "", 0),
    **{
        f"grade_{rank}_schools": (f"Schools whose latest overall grade is {grade}", "", 0)
        for rank, grade in GRADES.items()
    },
    "asked_schools": ("Schools with a forecast of improving", "", 0),
    "expected_to_improve": (
        "Of those, schools expected to improve if all were inspected within a year",
        "",
        1,
    ),
    "card_schools": ("Schools with a forecast of a report card", "", 0),
    "expected_below": ("Of those, schools expected to have an area below the expected standard", "", 1),
    "expected_below_leadership": ("Of those, schools expected below in leadership and governance", "", 1),
}
# The schools each indicator is of, which must not be few; a grade is public, school by school.
OF = {
    "open_schools": ("open_schools", *(f"grade_{rank}_schools" for rank in GRADES)),
    "asked_schools": ("asked_schools", "expected_to_improve"),
    "card_schools": ("card_schools", "expected_below", "expected_below_leadership"),
}
NAME = "headway_forecasts"
# A stratum: one place's figures of one phase. Totals are sums of strata along either way.
Cell = tuple[str, str]


def export(folder: Path, out: Path) -> list[Path]:
    """The data set, its metadata and the data dictionary, written to a folder.

    Raises `DataError` where nothing was scored.
    """
    schools, predictions = (tables.read(folder, name) for name in ("schools", "predictions"))
    forecasts = tables.read(folder, "forecasts")
    files = {
        f"{NAME}.csv": _text(data_set(schools, predictions, forecasts)),
        f"{NAME}.meta.csv": _text(metadata()),
        "data-dictionary.csv": _text(dictionary()),
    }
    for name, text in files.items():
        tables.write_text(out / name, text)
    return [out / name for name in files]


def data_set(schools: pd.DataFrame, predictions: pd.DataFrame, forecasts: pd.DataFrame) -> pd.DataFrame:
    """A row a place and phase, as text: places and filter first, then the indicators, symbols where there is
    no figure.

    An expected number is the sum of the schools' chances. `new_la_code` is x: the files read hold only the
    Department's own codes of authorities.
    """
    rows = _schools(schools, predictions, forecasts)
    summed = _summed(rows)
    region_of = rows.drop_duplicates("la").set_index("la")["region"].to_dict()
    hidden: dict[str, set[Cell]] = {}
    for counted in OF:  # first all schools: what is hidden there is hidden everywhere
        counts = {cell: int(row[counted]) for cell, row in summed.items()}
        hidden[counted] = suppressed(counts, region_of, hidden.get("open_schools", set()))
    day = pd.Timestamp(predictions["as_of"].iloc[0])
    about = rows.drop_duplicates("la").set_index("la")
    result = []
    for cell, row in summed.items():
        place, phase = cell
        region = about["region"].get(place, place)
        level = NATIONAL if place == ENGLAND[1] else LOCAL if place in about.index else REGIONAL
        told: dict[str, Any] = {
            "time_period": day.year,
            "time_identifier": f"{day:%B}",
            "geographic_level": level,
            "country_code": ENGLAND[0],
            "country_name": ENGLAND[1],
            "region_code": "" if level == NATIONAL else REGIONS.get(region, NOT_AVAILABLE),
            "region_name": "" if level == NATIONAL else region,
            "old_la_code": about["la_code"].get(place, "") if level == LOCAL else "",
            "new_la_code": NOT_AVAILABLE if level == LOCAL else "",
            "la_name": about["la_name"].get(place, "") if level == LOCAL else "",
            FILTER: phase,
        }
        for name, (_, _, places) in INDICATORS.items():
            of = next(counted for counted, names in OF.items() if name in names)
            told[name] = SUPPRESSED if cell in hidden[of] else f"{row[name]:.{places}f}"
        result.append(told)
    order = {level: at for at, level in enumerate((NATIONAL, REGIONAL, LOCAL))}
    return (
        pd.DataFrame(result, columns=[*PLACES, FILTER, *INDICATORS])
        .assign(order=lambda t: t["geographic_level"].map(order))
        .sort_values(["order", "region_name", "la_name", FILTER], kind="stable", ignore_index=True)
        .drop(columns="order")
    )


def _schools(schools: pd.DataFrame, predictions: pd.DataFrame, forecasts: pd.DataFrame) -> pd.DataFrame:
    """A row an open school: where it is, its phase, and what it adds to each indicator."""
    below = forecasts.pivot_table("p_below", "urn", "area", aggfunc="first").reindex(
        columns=["any", "leadership_and_governance"]
    )
    rows = predictions[["urn", "overall", "p_improve"]].merge(
        schools[["urn", "phase", "region", "local_authority", "la_code"]],
        on="urn",
        how="left",
        validate="one_to_one",
    )
    below = below.reindex(rows["urn"]).set_axis(rows.index)
    overall = rows["overall"].astype("float64")
    code = rows["la_code"].astype("str").where(rows["la_code"].notna(), NOT_AVAILABLE)
    region = rows["region"].where(rows["region"].isin(list(REGIONS)), NOT_KNOWN).astype("str")
    return pd.DataFrame(
        {
            # an authority whose schools stand in two regions is two places: each region's total is then right
            "la": code + "|" + region,
            "la_code": code,
            "la_name": rows["local_authority"].fillna(NOT_KNOWN).astype("str"),
            "region": region,
            "phase": rows["phase"].fillna(NOT_KNOWN).astype("str"),
            "open_schools": 1.0,
            **{f"grade_{rank}_schools": overall.eq(rank).astype(float) for rank in GRADES},
            "asked_schools": rows["p_improve"].notna().astype(float),
            "expected_to_improve": rows["p_improve"].astype("float64").fillna(0.0),
            "card_schools": below["any"].notna().astype(float),
            "expected_below": below["any"].fillna(0.0),
            "expected_below_leadership": below["leadership_and_governance"].fillna(0.0),
        }
    )


def _summed(rows: pd.DataFrame) -> dict[Cell, pd.Series]:
    """Every indicator summed for each place (authority, region, England) and phase, and for all phases."""
    result = {}
    for place in ("la", "region", None):
        where = rows[place] if place else pd.Series(ENGLAND[1], index=rows.index)
        for phase in (rows["phase"], pd.Series(TOTAL, index=rows.index)):
            sums = rows[list(INDICATORS)].groupby([where, phase]).sum()
            result |= {(str(at), str(kind)): row for (at, kind), row in sums.iterrows()}
    return result


def suppressed(
    counts: dict[Cell, int], region_of: dict[str, str], hidden: set[Cell] | frozenset[Cell] = frozenset()
) -> set[Cell]:
    """The cells that have to be hidden: those of fewer than `FEWEST` schools, and what would give them away.

    `region_of` names the region of each authority; what is `hidden` already stays so.

    Along every total (an authority's phases; a phase's authorities in a region; its regions in England) a
    hidden part must not be the only one, nor the hidden parts hold fewer than `FEWEST` schools together: then
    the smallest shown part is hidden too, or where there is none left, the total. Repeated until nothing
    changes.
    """
    hidden = {*hidden, *(cell for cell, count in counts.items() if 0 < count < FEWEST)}
    totals: dict[Cell, list[Cell]] = {}
    for place, phase in counts:
        if phase != TOTAL and (place, TOTAL) in counts:
            totals.setdefault((place, TOTAL), []).append((place, phase))
    ways = [totals]
    up: dict[Cell, list[Cell]] = {}
    for place, phase in counts:
        if place == ENGLAND[1]:
            continue
        above = region_of.get(place, ENGLAND[1])
        up.setdefault((above, phase), []).append((place, phase))
    ways.append(up)
    changed = True
    while changed:
        changed = False
        for way in ways:
            for total, parts in way.items():
                mine = [part for part in parts if part in hidden]
                if total in hidden or not mine:
                    continue
                if len(mine) > 1 and sum(counts[part] for part in mine) >= FEWEST:
                    continue
                shown = [part for part in parts if part not in hidden]
                hidden.add(min(shown, key=lambda part: counts[part]) if shown else total)
                changed = True
    return hidden


def metadata() -> pd.DataFrame:
    """The file that goes beside it: a row a filter and an indicator, in the standard's columns."""
    columns = (
        "col_name", "col_type", "label", "indicator_grouping", "indicator_unit", "indicator_dp",
        "filter_hint",
        "filter_grouping_column",
    )  # fmt: skip
    phase = (FILTER, "Filter", "Phase of school", "", "", "", "Filter by phase of school", "")
    rows = [
        (
            name,
            "Indicator",
            label,
            "Schools" if places == 0 else "Expected schools",
            unit,
            str(places),
            "",
            "",
        )
        for name, (label, unit, places) in INDICATORS.items()
    ]
    return pd.DataFrame([phase, *rows], columns=list(columns))


def dictionary() -> pd.DataFrame:
    """A row a column of our tables and a signal: where it is, its type and a sentence.

    For a signal also its unit, its source and when it becomes known.
    """
    rows = [
        {"table": table.name, "one_row_is": table.row, "column": column.name, "type": column.dtype,
         "sentence": column.sentence, "unit": "", "source": "", "known": ""}
        for table in tables.TABLES.values()
        for column in table.columns
    ]  # fmt: skip
    rows += [
        {"table": "examples", "one_row_is": tables.TABLES["examples"].row, "column": name, "type": "float64",
         "sentence": signal.sentence, "unit": signal.unit, "source": signal.source, "known": signal.known}
        for name, signal in signals.declared().items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _text(rows: pd.DataFrame) -> str:
    """Comma-separated, in UTF-8 without a mark of order, blanks as nothing."""
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow(rows.columns)
    writer.writerows(rows.replace(np.nan, "").astype("str").to_numpy())
    return held.getvalue()
