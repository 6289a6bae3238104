"""The stretches of days in which no graded inspection can be missing from the files."""

import pandas as pd

from headway.pipelines import files, frameworks
from headway.pipelines.files import Release, first_known, numbers
from headway.pipelines.frameworks import Stretch
from headway.pipelines.tables import DATE

# A file that shows a school's latest inspections can hide one made between it and the file before. Below
# good, schools are inspected again after 2.5 years (median), so a longer stretch for each inspection a file
# remembers is a gap.
LONGEST_STRETCH = 2.5
HOLIDAY = 62 / 365.25  # years: schools are on holiday between yearly files


def stretches(releases: list[Release]) -> list[Stretch]:
    """The stretches that hold for every school.

    A file of all inspections covers the days it spans. A list of latest inspections covers the days back to
    the earliest list that it reaches: the earliest, not the nearest, so that adding a list between changes
    nothing of before.
    """
    spans, lists = [], []
    for release in releases:
        until = files.day_in_name(release.name) or release.file_on
        if release.layout.depth == 99 and not release.layout.compiled:
            if pd.notna(first := _days(release).min()):  # a year's file begins with none
                spans.append((first, until))
        elif 0 < release.layout.depth < 99:
            lists.append((until, release.layout.depth))
    ends = sorted({to for _, to in spans} | {to for to, _ in lists})
    for end, depth in lists:
        reached = [
            start for start in ends if start < end and _years_inspected(start, end) / depth <= LONGEST_STRETCH
        ]
        if reached:
            spans.append((min(reached), end))
    merged: list[Stretch] = []
    for start, end in sorted(spans):
        if merged and (start <= merged[-1][1] or _years_inspected(merged[-1][1], start) <= HOLIDAY):
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def coverage(releases: list[Release], schools: pd.DataFrame) -> pd.DataFrame:
    """The table: stretches that hold for every school, under lineage 0, and of those compiled histories vouch
    for, under theirs.

    A compiled history holds every inspection of a URN in it, from the day the URN opened to the day another
    followed it: of its lineage's other URNs it says nothing unless they are in it too. None begins before the
    first list of schools, since before that nobody can say which schools there were. `schools` has urn,
    lineage, opened_on, first_listed_on.
    """
    every = stretches(releases)
    rows = pd.DataFrame([(start, end, 0) for start, end in every], columns=["from_on", "to_on", "lineage"])
    parts = [
        _vouched(release, schools)
        for release in releases
        if release.layout.compiled and release.layout.depth == 99
    ]
    if parts and schools["first_listed_on"].notna().any():
        own = pd.concat(parts)
        own = own.assign(from_on=own["from_on"].clip(lower=schools["first_listed_on"].min()))
        lineages = own[["lineage"]].drop_duplicates()
        rows = pd.concat(
            [rows, _merged(pd.concat([own, rows.drop(columns="lineage").merge(lineages, how="cross")]))]
        )
    return rows.astype({"from_on": DATE, "to_on": DATE, "lineage": "int64"})


def _days(release: Release) -> pd.Series:
    visits = next(
        release.records[name] for name in ("inspection", "report_card", "history") if name in release.records
    )
    return (
        first_known(visits["inspected_on"], visits["ended_on"])
        if "ended_on" in visits
        else visits["inspected_on"]
    )


def _vouched(release: Release, schools: pd.DataFrame) -> pd.DataFrame:
    """For each URN of a compiled history, the days from its opening, or the file's beginning, to its
    successor's.
    """
    until, days = files.day_in_name(release.name) or release.file_on, _days(release)
    first = days.groupby(numbers(release.records["history"]["urn"])).min()
    held = schools[["urn", "lineage", "opened_on"]].sort_values(["lineage", "opened_on"], kind="stable")
    held = held.assign(next_on=held.groupby("lineage")["opened_on"].shift(-1))
    held = held[held["urn"].isin(first.index)]
    own = held["urn"].map(first).astype(DATE)
    # The first of a lineage was there before any file; a successor that no file dates counts from its first
    # inspection.
    start = first_known(held["opened_on"], own).mask(held["urn"].eq(held["lineage"]), days.min())
    end = first_known(held["next_on"] - pd.Timedelta(days=1), pd.Series(until, index=held.index)).clip(
        upper=until
    )
    rows = pd.DataFrame({"lineage": held["lineage"], "from_on": start, "to_on": end})
    return rows[rows["from_on"] < rows["to_on"]]


def _merged(rows: pd.DataFrame) -> pd.DataFrame:
    """The stretches of each lineage, those that touch made one."""
    rows = rows.astype({"from_on": DATE, "to_on": DATE}).sort_values(
        ["lineage", "from_on"], kind="stable", ignore_index=True
    )
    ends = rows["to_on"].astype("int64").groupby(rows["lineage"]).cummax()
    before = ends.groupby(rows["lineage"]).shift().astype("Int64").astype("float64")
    gap = rows["from_on"].astype("int64") - before
    begins = (gap.isna() | (gap > HOLIDAY * 365.25 * 86_400)).cumsum()
    return rows.groupby(begins).agg(
        lineage=("lineage", "first"), from_on=("from_on", "first"), to_on=("to_on", "max")
    )


def _years_inspected(start: pd.Timestamp, end: pd.Timestamp) -> float:
    """Years between two days, without the pauses in inspections."""
    paused = sum(
        (max(min(end, to) - max(start, since), pd.Timedelta(0)) for since, to in frameworks.PAUSES),
        pd.Timedelta(0),
    )
    return ((end - start) - paused).days / 365.25
