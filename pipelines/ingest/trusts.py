"""Who belonged to which trust as each file had it, and the trusts' own results."""

from collections import Counter

import pandas as pd

from headway.pipelines import files
from headway.pipelines.files import Release, numbers
from headway.pipelines.tables import TABLES

# a group's type; a sponsor, a single academy's trust or a federation is none
MULTI_ACADEMY = "multi-academy trust"
_RESULTS = [column.name for column in TABLES["trust_results"].columns]


def trusts(
    releases: list[Release], chains: pd.DataFrame, roster: pd.DataFrame, aside: Counter
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `trusts` and `trust_results`.

    A list of every school with a column of trusts says of each which it is in, or none; links between schools
    and groups say so of every academy, one left out included. The yearly tables of trusts name the members of
    some trusts and say nothing of other schools.
    """
    parts, results, links = [], [], []
    for release in releases:
        if "trusts" in release.records:
            rows = _multi_academy(release.records["trusts"], release, aside)
            members = (
                rows[["trust_uid", "trust_name"]]
                .assign(urn=rows["member_urns"].str.split(r"[;,]\s*"))
                .explode("urn")
            )
            parts.append(_of_file(members.assign(period=files.tables_year(release.name)), release))
            results.append(_of_file(rows.assign(period=files.tables_year(release.name)), release))
        elif "memberships" in release.records:
            every = release.records["memberships"]
            inside = _multi_academy(every, release, aside)
            outside = every[["urn"]][~every["urn"].isin(inside["urn"])]
            aside["trusts: a school of several groups that are no trust"] += int(outside.duplicated().sum())
            outside = outside.drop_duplicates()
            links.append(_of_file(pd.concat([inside, outside]).assign(period=release.file_on.year), release))
            parts.append(links[-1])
        elif "trust_uid" in release.schools and (
            release.layout.every_school or release.schools["trust_uid"].notna().any()
        ):
            rows = (
                release.schools
                if release.layout.every_school
                else release.schools.dropna(subset=["trust_uid"])
            )
            parts.append(_of_file(rows.assign(period=release.file_on.year), release))
    if not parts:
        return pd.DataFrame(columns=TABLES["trusts"].names), pd.DataFrame(columns=_RESULTS)
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.assign(
        urn=numbers(rows["urn"]),
        trust_uid=numbers(rows["trust_uid"]),
        **{name: None for name in ("trust_name", "joined_on") if name not in rows},
    )
    rows = pd.concat([rows, *(_left_out(rows, named, roster) for named in links)], ignore_index=True)
    aside["trusts: a member without a number"] += int(rows["urn"].isna().sum())
    rows = rows.dropna(subset=["urn"]).merge(chains, on="urn", how="left", validate="many_to_one")
    # one that no list names is a member all the same
    rows = rows.assign(lineage=rows["lineage"].fillna(rows["urn"]))
    again = rows.duplicated(["urn", "known_on", "source_file"])
    aside["trusts: a school again in one file: the first stands"] += int(again.sum())
    if not results:
        return rows[~again], pd.DataFrame(columns=_RESULTS)
    measured = pd.concat(results, ignore_index=True).assign(trust_uid=lambda r: numbers(r["trust_uid"]))
    twice = (
        measured.duplicated(["trust_uid", "period", "known_on", "source_file"]) | measured["trust_uid"].isna()
    )
    aside["trust results: a trust again in one file, or without a number"] += int(twice.sum())
    return rows[~again], measured[~twice].reindex(columns=_RESULTS)


def _multi_academy(rows: pd.DataFrame, release: Release, aside: Counter) -> pd.DataFrame:
    ours = rows["group_type"].str.lower().str.contains(MULTI_ACADEMY, na=False)
    aside["trusts: a group that isn't a multi-academy trust"] += int((~ours).sum())
    return rows[ours]


def _left_out(rows: pd.DataFrame, named: pd.DataFrame, roster: pd.DataFrame) -> pd.DataFrame:
    """A blank for each school that a file by then has in a trust and these links between schools and groups
    leave out.

    Links name open schools alone: one that had closed by then didn't leave its trust.
    """
    if named.empty:
        return named
    then = named[["period", "known_on", "source_file"]].iloc[0]
    there = roster.loc[
        roster["open"] | (roster["closed_on"] > then["known_on"]) | (roster["known_on"] > then["known_on"]),
        "urn",
    ]
    inside = rows["trust_uid"].notna() & (rows["known_on"] <= then["known_on"])
    others = rows.loc[inside & ~rows["urn"].isin(numbers(named["urn"])), ["urn"]].drop_duplicates()
    return others[others["urn"].isin(there)].assign(**then)


def _of_file(rows: pd.DataFrame, release: Release) -> pd.DataFrame:
    return rows.assign(known_on=release.file_on, source_file=release.name)
