"""The schools: what each file said of them, which are open, who succeeded whom, and where they stand."""

from collections import Counter

import numpy as np
import pandas as pd

from headway.pipelines import sources
from headway.pipelines.files import Release, first_known, numbers
from headway.pipelines.tables import DATE

# What files say of a school beside its number; a file may leave any of it out.
_SAID = (
    *dict.fromkeys(
        column.name
        for layout in sources.LAYOUTS
        for column in layout.records.get("schools", ())
        if column.name != "urn"
    ),
)


def facts(releases: list[Release], aside: Counter) -> pd.DataFrame:
    """What each file said of each school on the day it dates from, in Ofsted's words."""
    parts = []
    for release in releases:
        if not described(release):
            continue
        rows = release.schools
        funded = state_funded(rows)
        aside["in a register, but not a state-funded school"] += int((~funded).sum())
        last = ~rows[funded].duplicated("urn", keep="last")
        aside["what a file says of a school more than once: the last row stands"] += int((~last).sum())
        parts.append(rows[funded][last].assign(known_on=release.file_on, source_file=release.name))
    said = pd.concat(parts, ignore_index=True)
    said = said.assign(**{column: None for column in _SAID if column not in said})
    phase = _phase(said)
    unknown = phase.isna() & said["phase"].notna()
    aside["what a file says of a school whose phase is in words we don't know: without a phase"] += int(
        unknown.sum()
    )
    code = first_known(numbers(said["la_code"]), numbers(said["laestab"]) // 10000)
    return _placed(
        said.assign(
            urn=numbers(said["urn"]).astype("int64"),
            la_code=code,
            trust_uid=numbers(said["trust_uid"]),
            opened_on=said["opened_on"].astype(DATE),
            closed_on=said["closed_on"].astype(DATE),
            phase=phase,
            faith=first_known(said["faith"], _faith(said["religion"])),
        )
    )


def _placed(facts: pd.DataFrame) -> pd.DataFrame:
    """The facts with an authority's name and region for all its schools, from the first file that gave them
    for any.
    """
    for place in ("local_authority", "region"):
        named = facts.dropna(subset=["la_code", place])
        first = named[named["known_on"].eq(named.groupby("la_code")["known_on"].transform("min"))]
        # The commonest, for a file may have a school in the wrong place.
        counts = first.groupby(["la_code", place, "known_on"]).size().rename("schools").reset_index()
        usual = (
            counts.sort_values("schools", kind="stable")
            .drop_duplicates("la_code", keep="last")
            .set_index("la_code")
        )
        theirs = usual.reindex(facts["la_code"]).set_axis(facts.index)
        facts = facts.assign(
            **{place: first_known(facts[place], theirs[place].where(theirs["known_on"] <= facts["known_on"]))}
        )
    return facts


def described(release: Release) -> bool:
    """Whether a file says anything of the schools in it but their numbers."""
    return len(release.schools) > 0 and len(set(release.schools) - {"urn", "laestab"}) > 0


def state_funded(rows: pd.DataFrame) -> pd.Series:
    """Which rows of a list are schools Ofsted reports on here: all, but in a register of every kind of
    school.
    """
    if "type_group" not in rows:
        return pd.Series(True, index=rows.index)
    other = (
        rows["type"]
        .fillna("")
        .str.lower()
        .str.contains("|".join(sources.NOT_INSPECTED_WITH_THEM), regex=True)
    )
    return rows["type_group"].fillna("").str.lower().isin(sources.STATE_FUNDED) & ~other


_PHASE_GIVEN = ("phase", "type", "type_group", "is_primary", "is_secondary")


def _phase(facts: pd.DataFrame) -> pd.Series:
    """Ofsted's five phases, from whatever a file gives: its phase, its type, or whether it teaches either
    age. Worked out once for each combination of them that there is.
    """
    given = [name for name in _PHASE_GIVEN if name in facts]
    alike = facts.groupby(given, dropna=False, sort=False).ngroup()
    first = ~alike.duplicated()
    return alike.map(
        pd.Series(_phase_of(facts.loc[first, given]).to_numpy(), index=alike[first], dtype="str")
    )


def _phase_of(facts: pd.DataFrame) -> pd.Series:
    kind = facts["type"].fillna("").str.lower()
    phase = facts["phase"].replace({word: ours for word, ours in sources.PHASES.items()})
    lowered = facts["phase"].str.lower().map(sources.PHASES)
    phase = lowered.where(lowered.notna(), phase)
    primary, secondary = (
        pd.to_numeric(facts[c], errors="coerce").eq(1) for c in ("is_primary", "is_secondary")
    )
    from_ages = (
        pd.Series(None, index=facts.index, dtype="str").mask(primary, "Primary").mask(secondary, "Secondary")
    )
    phase = phase.where(phase.isin(sources.PHASES_OF_OFSTED), from_ages)
    unset = phase.isna() | facts["type_group"].notna() if "type_group" in facts else phase.isna()
    return (
        phase.mask(unset & kind.str.contains("special"), "Special")
        .mask(unset & kind.str.contains("referral|alternative provision"), "PRU")
        .mask(unset & kind.str.contains("nursery"), "Nursery")
    )


def _faith(religion: pd.Series) -> pd.Series:
    none = religion.str.lower().isin(["does not apply", "none", "unknown", ""])
    return (
        pd.Series(None, index=religion.index, dtype="str")
        .mask(religion.notna(), "Faith")
        .mask(none, "Non-faith")
    )


def roster(facts: pd.DataFrame, releases: list[Release]) -> pd.DataFrame:
    """Each URN as last described, and whether the newest complete list of schools has it."""
    whole = max(
        (r for r in releases if r.layout.every_school and len(r.schools)),
        default=None,
        key=lambda r: (r.file_on, "status" in r.schools),
    )
    newest = facts.sort_values("known_on", kind="stable").groupby("urn", as_index=False).last()
    if whole is None:
        return newest.assign(open=True)
    listed = numbers(whole.schools["urn"])
    if "status" in whole.schools:
        status = whole.schools["status"].fillna("").str.lower()
        listed = listed[status.str.startswith("open") & ~status.str.contains("proposed to open")]
    return newest.assign(open=newest["urn"].isin(listed), listed_on=whole.file_on)


def schools(
    facts: pd.DataFrame,
    roster: pd.DataFrame,
    chains: pd.DataFrame,
    seen: pd.DataFrame,
    members: pd.DataFrame,
    releases: list[Release],
) -> pd.DataFrame:
    """The table of schools. `seen` are mentions of inspections, `members` what files said of trusts: the
    newest stands.
    """
    said = facts.groupby("urn")["known_on"].agg(first_listed_on="min", last_listed_on="max").reset_index()
    rows = chains.merge(
        roster.drop(columns=["lineage"], errors="ignore"), on="urn", how="left", validate="one_to_one"
    )
    rows = rows.merge(said, on="urn", how="left", validate="one_to_one")
    rows = rows[rows["lineage"].isin(facts["lineage"]) | rows["lineage"].isin(seen["lineage"])]
    is_open = rows["open"].fillna(False).astype(bool)
    gone = first_known(rows["closed_on"], _succeeded_on(rows), _missing_on(rows["last_listed_on"], releases))
    trust = (
        members.sort_values("known_on", kind="stable").drop_duplicates("urn", keep="last").set_index("urn")
    )
    rows = rows.assign(
        trust_uid=rows["urn"].map(trust["trust_uid"]),
        trust_name=rows["urn"].map(trust["trust_name"]),
        open=is_open,
        closed_on=gone.mask(is_open),
    )
    at = [
        r.records["places"].assign(urn=numbers(r.records["places"]["urn"]))
        for r in releases
        if "places" in r.records
    ]
    if at:
        rows = rows.merge(
            at[-1][["urn", "latitude", "longitude"]], on="urn", how="left", validate="one_to_one"
        )
        # A new URN mostly stands where the old one stood.
        home = rows.groupby("lineage")[["latitude", "longitude"]].transform("first")
        rows = rows.assign(
            latitude=first_known(rows["latitude"], home["latitude"]),
            longitude=first_known(rows["longitude"], home["longitude"]),
        )
    elif rows["easting"].notna().any():
        rows = rows.assign(**_degrees(rows["easting"], rows["northing"]))
    return rows


def _succeeded_on(rows: pd.DataFrame) -> pd.Series:
    """The day before the lineage's next URN opened: till then a school that no later list names was still
    there.
    """
    opened = rows.sort_values(["lineage", "opened_on"], kind="stable").dropna(subset=["opened_on"])
    pairs = rows[["urn", "lineage", "last_listed_on"]].merge(
        opened[["lineage", "urn", "opened_on"]], on="lineage", suffixes=("", "_next")
    )
    later = pairs[pairs["urn"].ne(pairs["urn_next"]) & (pairs["opened_on"] > pairs["last_listed_on"])]
    first = later.groupby("urn")["opened_on"].min().reindex(rows["urn"]).set_axis(rows.index)
    return first.astype(DATE) - pd.Timedelta(days=1)


def _missing_on(last_listed_on: pd.Series, releases: list[Release]) -> pd.Series:
    """The date of the first list of schools after the last that names each: what shows that it had closed."""
    lists = sorted(
        {r.file_on for r in releases if r.layout.every_school and len(r.schools) and pd.notna(r.file_on)}
    )
    dates = np.array([*(day.to_datetime64() for day in lists), np.datetime64("NaT")], dtype="datetime64[s]")
    places = np.searchsorted(dates[:-1], last_listed_on.to_numpy("datetime64[s]"), side="right")
    return pd.Series(dates[places], index=last_listed_on.index).where(last_listed_on.notna())


def _degrees(easting: pd.Series, northing: pd.Series) -> dict[str, pd.Series]:
    """Rough degrees from the national grid: good to a kilometre, which is what a dot on a map of England
    needs.
    """
    east, north = (pd.to_numeric(values, errors="coerce") for values in (easting, northing))
    return {
        "latitude": 49.766 + north / 111_250,
        "longitude": -2.0 + (east - 400_000) / (71_900 - (north - 1e5) / 36),
    }


def links(releases: list[Release], seen: pd.DataFrame) -> pd.DataFrame:
    """Who succeeded whom: the register's links, and the URNs Ofsted itself says an inspection was made
    under.
    """
    parts = []
    for release in releases:
        if "links" in release.records:
            rows = release.records["links"]
            urn, other = numbers(rows["urn"]), numbers(rows["linked_urn"])
            kind = rows["link_type"].str.lower()
            for word, before, after in (("predecessor", other, urn), ("successor", urn, other)):
                chosen = kind.str.startswith(word)
                parts.append(
                    pd.DataFrame(
                        {
                            "predecessor": before[chosen],
                            "successor": after[chosen],
                            "link_type": rows["link_type"][chosen],
                            "linked_on": rows["linked_on"][chosen],
                        }
                    )
                )
    moved = seen[seen["urn"].ne(seen["listed_urn"])]
    parts.append(
        pd.DataFrame(
            {
                "predecessor": moved["urn"],
                "successor": moved["listed_urn"],
                "link_type": "Successor (Ofsted)",
                "linked_on": pd.NaT,
            }
        )
    )
    every = pd.concat(parts, ignore_index=True).dropna(subset=["predecessor", "successor"])
    every = every.astype({"predecessor": "int64", "successor": "int64", "linked_on": DATE})
    # Ofsted's own link only fills in where the register has none for the new school.
    ours = every["link_type"].eq("Successor (Ofsted)")
    return pd.concat([every[~ours], every[ours & ~every["successor"].isin(every.loc[~ours, "successor"])]])
