"""The day in a file's name against today and against the newest thing in the file."""

import pandas as pd

from headway.pipelines import files, frameworks
from headway.pipelines.files import Release
from headway.pipelines.ingest.expectations.checks import Checks

ZONES = 1  # days by which our today may be behind the publisher's
# days of inspecting that a file may be silent about: a summer and the weeks a report takes
LONGEST_WITHOUT = 100
FEW = 30  # inspections in the newest year of a file, below which its silence says nothing


def check(releases: list[Release], today: pd.Timestamp, checks: Checks) -> None:
    """Names from the future, and names later than what their files hold."""
    for release in releases:
        named = files.day_in_name(release.name)
        if release.layout.dated == "tables":
            year = files.tables_year(release.name)
            checks.add("future", release.name, "year in its name", (year or 0) - today.year, None, 0)
        elif release.layout.dated == "period":
            first = next(iter(release.records.values()))
            checks.add("future", release.name, "period", first["period"].max() - today.year, None, 0)
        elif named is not None:
            checks.add("future", release.name, "day in its name", (named - today).days, None, ZONES)
        if named is not None and release.layout.depth > 0:
            _newest(release, named, checks)


def _newest(release: Release, named: pd.Timestamp, checks: Checks) -> None:
    held = [
        frame[column].dropna()
        for record, frame in release.records.items()
        for column in frame
        if column in ("inspected_on", "ended_on", "published_on") and record != "previous"
    ]
    held = [values for values in held if len(values)]
    if not held:
        return
    every = pd.concat(held)
    newest = every.max()
    # With few inspections a year, none in some months is no wonder.
    yearly = sum(
        int((values > values.max() - pd.Timedelta(days=365)).sum())
        for values in held
        if values.name != "published_on"
    )
    if yearly < FEW:
        return
    rare = 365 * 12 / max(yearly, 1)
    checks.add(
        "newest", release.name, "day in its name", inspecting(newest, named), None, LONGEST_WITHOUT + rare
    )


def inspecting(start: pd.Timestamp, end: pd.Timestamp) -> float:
    """Days between two days, without the pauses in inspections."""
    paused = sum(
        (max(min(end, to) - max(start, since), pd.Timedelta(0)) for since, to in frameworks.PAUSES),
        pd.Timedelta(0),
    )
    return ((end - start) - paused).days
