"""The dated tables of figures, each row with the day it became public, and the percentiles signals compare
schools by.
"""

from collections import Counter

import numpy as np
import pandas as pd

from headway.pipelines import files, tables
from headway.pipelines.files import Release, numbers


def figures(releases: list[Release], record: str, chains: pd.DataFrame, aside: Counter) -> pd.DataFrame:
    """One dated table of figures: every row of every file of its kind, with when it became public."""
    parts = []
    for release in sorted(
        releases, key=lambda r: r.file_on if pd.notna(r.file_on) else pd.Timestamp(1900, 1, 1)
    ):
        for name, rows in release.records.items():
            table, _, year = name.partition(":")
            if table != record or rows.empty:
                continue
            if release.layout.dated == "period":
                month, day, after = release.layout.public
                public = pd.to_datetime(
                    pd.DataFrame({"year": rows["period"] + after, "month": month, "day": day})
                )
            else:
                public = release.file_on
            if year:  # an earlier year's figures beside the file's own, without the schools' numbers
                measures = [column for column in rows if not column.endswith("_why_blank")]
                there = rows[measures].notna().any(axis=1)
                aside[f"{record}: without a figure of the earlier year the file gives too"] += int(
                    (~there).sum()
                )
                rows = rows[there]
                rows = rows.join(release.records[table][["urn"]]).assign(period=int(year))
            elif release.layout.dated == "published":  # a year's answers, to the day in its name
                until = files.day_in_name(release.name) or release.file_on
                rows = rows.assign(period=until.year + (until.month > 9))
            elif release.layout.dated != "period":
                rows = rows.assign(period=files.tables_year(release.name))
            parts.append(rows.assign(known_on=public, source_file=release.name))
    if not parts:
        return pd.DataFrame(columns=tables.TABLES[record].names)
    rows = pd.concat(parts, ignore_index=True)
    if "urn" in rows:
        rows = rows.assign(urn=numbers(rows["urn"])).merge(
            chains, on="urn", how="left", validate="many_to_one"
        )
        stranger = rows["lineage"].isna()
        aside[f"{record}: not a school in any list"] += int(stranger.sum())
    else:
        rows = rows.assign(la_code=numbers(rows["la_code"]))
        stranger = rows["la_code"].isna()
        aside[f"{record}: no number for the authority"] += int(stranger.sum())
    key = list(tables.TABLES[record].key)
    # A newer release repeats the years of the older ones. Its revised figures were not public when those came
    # out.
    again = rows[~stranger].duplicated(key, keep="first")
    aside[f"{record}: given again by a newer release"] += int(again.sum())
    return rows[~stranger][~again].reindex(columns=tables.TABLES[record].names)


CUTS = np.arange(0.01, 1.0, 0.01)
FEWEST = 200  # schools of a phase, below which a year's relation isn't kept


def norms(built: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What signals compare schools by: each year's percentiles of every measure, and what results follow from
    the intake.

    By phase, percentiles by region too; a school's phase is what was known of it when the year's figures came
    out, or when schools were first listed. From the first release of a year only, so that a figure revised or
    added later changes no standing of before. A relation is kept as its level, its slopes and the spread of
    what is left.
    """
    from headway.pipelines.signals import attainment, attendance, intake, parents, workforce

    sorts = {
        "census": intake,
        "absence": attendance,
        "workforce": workforce,
        "results": attainment,
        "parent_view": parents,
    }
    placed = _Described(built["school_facts"])
    rows = []
    for name, family in sorts.items():
        every = workforce.staff(built) if name == "workforce" else built[name]
        if every.empty:
            continue
        every = every.sort_values("known_on", kind="stable")
        measured = family.measures(every)
        values = measured.assign(urn=every["urn"], period=every["period"], known_on=every["known_on"])
        for measure in measured:
            held = _first_released(values.dropna(subset=[measure]), placed)
            figures = held[measure].to_numpy(dtype=float)
            for by in (["period", "phase"], ["period", "phase", "region"]):
                for key, places in sorted(held.groupby(by).indices.items()):
                    cuts = np.quantile(figures[places], CUTS)
                    rows.append(
                        (
                            name,
                            measure,
                            int(key[0]),
                            key[1],
                            key[2] if len(key) > 2 else "England",
                            len(places),
                            cuts,
                        )
                    )
    if not built["results"].empty and not built["census"].empty:
        first = [built[name].sort_values("known_on", kind="stable") for name in ("results", "census")]
        first[1] = first[1].drop_duplicates(["urn", "period"])
        for measure, (reached, given) in attainment.relations(*first).items():
            whole = reached.notna() & given.notna().all(axis=1)
            held = _first_released(
                given[whole].assign(reached=reached[whole], known_on=given["known_on"][whole]), placed
            )
            for key, group in held.groupby(["period", "phase"]):
                if len(group) >= FEWEST:
                    names = [column for column in given if column not in ("urn", "period", "known_on")]
                    relation = _relation(
                        group[names].to_numpy(dtype=float), group["reached"].to_numpy(dtype=float)
                    )
                    rows.append(("results", measure, int(key[0]), key[1], "England", len(group), relation))
    return pd.DataFrame(rows, columns=["table", "measure", "period", "phase", "region", "schools", "cuts"])


class _Described:
    """Each school's phase and region as they were known on a day, or where none was yet, when schools were
    first listed.
    """

    def __init__(self, facts: pd.DataFrame) -> None:
        self.facts = facts[["urn", "known_on", "phase", "region"]].sort_values("known_on", kind="stable")
        self.first = self.facts["known_on"].min()
        self.known: dict[pd.Timestamp, pd.DataFrame] = {}

    def on(self, day: pd.Timestamp) -> pd.DataFrame:
        day = max(day, self.first)
        if day not in self.known:
            self.known[day] = (
                self.facts[self.facts["known_on"] <= day].groupby("urn")[["phase", "region"]].last()
            )
        return self.known[day]


def _first_released(values: pd.DataFrame, placed: _Described) -> pd.DataFrame:
    """The rows of each period's first release, a school once, with its phase and region."""
    first = values["known_on"].eq(values.groupby("period")["known_on"].transform("min"))
    held = values[first].drop_duplicates(["urn", "period"])
    parts = [rows.join(placed.on(day), on="urn") for day, rows in held.groupby("known_on")]
    return pd.concat(parts or [held.assign(phase=None, region=None)]).sort_index().dropna(subset=["phase"])


def _relation(given: np.ndarray, reached: np.ndarray) -> np.ndarray:
    design = np.column_stack([np.ones(len(given)), given])
    slopes, *_ = np.linalg.lstsq(design, reached, rcond=None)
    return np.append(slopes, max(float((reached - design @ slopes).std()), 1e-6))


def head_changes(releases: list[Release], chains: pd.DataFrame, aside: Counter) -> pd.DataFrame:
    parts = [
        release.records["head_changes"].assign(source_file=release.name)
        for release in releases
        if "head_changes" in release.records
    ]
    if not parts:
        return pd.DataFrame(columns=tables.TABLES["head_changes"].names)
    rows = pd.concat(parts, ignore_index=True).rename(columns={"changed_by": "known_on"})
    rows = rows.assign(urn=numbers(rows["urn"])).merge(chains, on="urn", how="left", validate="many_to_one")
    aside["head changes: not a school in any list"] += int(rows["lineage"].isna().sum())
    rows = rows.dropna(subset=["lineage"])
    again = rows.duplicated(["urn", "known_on"])
    aside["head changes: a school's day again"] += int(again.sum())
    return rows[~again]
