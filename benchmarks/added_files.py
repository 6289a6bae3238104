"""What adding each official file changes that it should not: the files read with it and without it, one at a
time.

    python benchmarks/added_files.py --raw data/raw [--only ofsted/ --only school_information] [--mornings 3]

The rule is at the head of pipelines/ingest/__init__.py. Prints for each file the first day it speaks of, the
cells of `inspections` lost by adding it and the signals changed on mornings to that day: of those training
asks from the newest so many, and the day itself. Exits 1 where there is any. Half a minute a file.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from headway.pipelines import files, frameworks, ingest, inspections, registers, signals, tables
from headway.pipelines.files import Release, first_known
from headway.pipelines.ingest import coverage
from headway.pipelines.inspections import REPORTS_OUT_WITHIN

SLACK = pd.Timedelta(days=14)  # one inspection by its first and its last day
KEPT = (*tables.DETAILS, "published_on", "inspection_number", "overall_source", "framework")


def built(releases: list[Release], chains: pd.DataFrame | None = None) -> dict[str, pd.DataFrame]:
    """Our tables, made from these files; `chains` is who succeeded whom, where that is given."""
    return {name: tables.conform(rows, name) for name, rows in ingest._tables(releases, chains)[0].items()}


def who_is_who(release: Release) -> Release:
    """Of a file no more than the days on which its URNs opened and closed: who a school is, which is no news
    of it.
    """
    kept = [
        name for name in ("urn", "opened_on", "closed_on", "type", "type_group") if name in release.schools
    ]
    layout = replace(release.layout, depth=0, every_school=False)
    return replace(release, layout=layout, records={"schools": release.schools[kept]})


def lost(before: dict[str, pd.DataFrame], after: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The cells of inspections filled before and not after, a row each.

    An inspection is the same where it has the school, the kind and the day within days; a visit that a
    register alone told of may have become the graded inspection of that day.
    """
    lineage = after["schools"].set_index("urn")["lineage"]
    visits, later = (
        made["inspections"].sort_values("inspected_on", kind="stable") for made in (before, after)
    )
    visits = visits.assign(lineage=visits["urn"].map(lineage))
    later = later.assign(place=range(len(later)))
    of_kind, of_any = (
        pd.merge_asof(
            visits[["inspected_on", *by]],
            later[["inspected_on", *by, "place"]],
            on="inspected_on",
            by=by,
            direction="nearest",
            tolerance=SLACK,
        )["place"].set_axis(visits.index)
        for by in (["lineage", "kind"], ["lineage"])
    )
    places = of_kind.where(of_kind.notna() | visits["kind"].eq("graded"), of_any)
    same = later.set_index("place").reindex(places).set_axis(visits.index)
    cells = pd.DataFrame({name: visits[name].notna() & same[name].isna() for name in KEPT}).assign(
        row=places.isna()
    )
    whose = ["urn", "kind", "inspected_on", "source_file"]
    every = visits[whose].join(cells.add_prefix("lost ")).melt(whose, var_name="cell", value_name="is_lost")
    return every[every["is_lost"]].drop(columns="is_lost")


def speaks_from(release: Release, others: list[Release]) -> pd.Timestamp:
    """The first day a file speaks of: a list's own or the earliest list or file it reaches back to, else its
    first report.

    What a register shows is judged by lists that came within a quarter of a year of it: these speak of its
    day too. Blank for a file that says nothing of any day.
    """
    if release.layout.depth == 99:
        record = next(
            release.records[name]
            for name in ("inspection", "report_card", "history")
            if name in release.records
        )
        usual = frameworks.report_out_by(record["inspected_on"])
        return first_known(record.get("published_on", usual), usual).min()
    day, depth = _day(release), release.layout.depth
    if "head_changes" in release.records:
        return release.records["head_changes"]["changed_by"].min()
    if release.layout.dated == "period":
        month, of_month, after = release.layout.public
        return pd.Timestamp(
            int(min(frame["period"].min() for frame in release.records.values())) + after, month, of_month
        )
    if not depth:
        return release.file_on
    ends = [_day(other) for other in others if other.layout.depth]
    reached = [
        end
        for end in ends
        if end < day and coverage._years_inspected(end, day) / depth <= coverage.LONGEST_STRETCH
    ]
    near = [
        other.file_on
        for other in others
        if "register" in other.records and day - REPORTS_OUT_WITHIN <= other.file_on < day
    ]
    return min([day, *reached, *near])


def _day(release: Release) -> pd.Timestamp:
    return files.day_in_name(release.name) or release.file_on


def changed(
    before: dict[str, pd.DataFrame], after: dict[str, pd.DataFrame], mornings: list[pd.Timestamp]
) -> pd.DataFrame:
    """Each signal that differs on any of the mornings, a row a signal and school: both values."""
    asked = inspections.roster(before["schools"], mornings)
    asked = asked[asked["urn"].isin(after["schools"]["urn"])].reset_index(drop=True)
    one, other = (_signals(made, asked) for made in (before, after))
    places, columns = np.nonzero(~np.isclose(one, other, rtol=0, atol=1e-9, equal_nan=True))
    return (
        asked.iloc[places]
        .reset_index(drop=True)
        .assign(
            signal=one.columns[columns],
            before=one.to_numpy()[places, columns],
            after=other.to_numpy()[places, columns],
        )
    )


def _signals(made: dict[str, pd.DataFrame], asked: pd.DataFrame) -> pd.DataFrame:
    known = made | registers.known(None, made["schools"], "official")[0]
    asked = asked.assign(lineage=asked["urn"].map(made["schools"].set_index("urn")["lineage"]))
    rows = inspections.cohort(asked, made["school_facts"], made["inspections"])
    return signals.build(rows, known)


def mornings(
    before: dict[str, pd.DataFrame], after: dict[str, pd.DataFrame], first: pd.Timestamp, many: int
) -> list[pd.Timestamp]:
    """Mornings to try, to the first day a file speaks of; none before the first list of schools on either
    side.
    """
    start = max(made["school_facts"]["known_on"].min() for made in (before, after))
    grid = [*inspections.mornings(before["coverage"]), first]
    return sorted({day for day in grid if start < day <= first})[-many - 1 :]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw", type=Path, default=Path("data/raw"))
    parser.add_argument(
        "--only", action="append", default=[], help="part of the name of a file to leave out; all by default"
    )
    parser.add_argument("--mornings", type=int, default=3)
    given = parser.parse_args()
    paths, _ = ingest._files(given.raw)
    releases = [release for path in paths for release in files.read_file(path, given.raw)]
    after = built(releases)
    chains = after["schools"][["urn", "lineage"]]
    broken = 0
    for release in releases:
        if given.only and not any(part in release.name for part in given.only):
            continue
        others = [other for other in releases if other is not release]
        days = {"opened_on", "closed_on"} & set(release.schools)
        before = built([*others, who_is_who(release)] if days else others, chains)
        first = speaks_from(release, others)
        asked = mornings(before, after, first, given.mornings)
        gone = lost(before, after)
        moved = changed(before, after, asked) if asked else pd.DataFrame(columns=["signal"])
        broken += len(gone) + len(moved)
        day = "no day" if pd.isna(first) else f"{first:%d %B %Y}"
        print(
            (
                f"{release.name}: speaks from {day}; {len(gone)} cells lost, {len(moved)} signals changed on "
                f"{len(asked)} mornings"
            ),
            flush=True,
        )
        for rows, what in ((gone, "cell"), (moved, "signal")):
            for name, some in rows.groupby(what):
                print(f"  {len(some)} {name}, as {some.iloc[0].drop(what).to_dict()}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
