"""data/raw to our tables, reporting every problem at once.

Reads every file, then ties them together: the schools, what each file said of them, their lineages, inspections
deduplicated across files, and the dated tables of figures. Nothing is dropped without a counted reason, and no table is
replaced unless all of them are whole.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipelines import files, frameworks, inspections, lineage, sources, tables
from pipelines.files import Release, first_known, numbers
from pipelines.tables import DATE, DataError

SAME_INSPECTION = 14  # days: a start and an end date of one inspection differ by less, two inspections by more
# A file that shows a school's latest inspections can hide one made between it and the file before. Below good, schools
# are inspected again after 2.5 years (median), so a longer stretch for each inspection a file remembers is a gap.
LONGEST_STRETCH = 2.5
MEASURES = ("census", "absence", "workforce", "results", "turnover", "posts", "vacancies", "sickness", "pay", "ratios",
            "characteristics", "npq")  # fmt: skip
MADE_UP = "made-up.json"
_JUDGEMENTS = ("overall", "leadership", "quality_of_education", "teaching", "achievement", "behaviour",
               "personal_development", "early_years", "sixth_form", "middle_leadership")  # fmt: skip


def ingest(raw: Path, folder: Path, progress: Callable[[Iterable[Path], int], Iterable[Path]] | None = None) -> dict:
    """Read every official file under `raw` and write our tables to `folder`; returns the report, file by file.

    Raises `DataError` listing the problems of all files; then no table has been touched.
    """
    paths, report = _files(raw)
    read = hashes(raw)
    releases, problems = [], []
    today = pd.Timestamp.now().normalize()
    for path in progress(paths, len(paths)) if progress else paths:
        try:
            releases += files.read_file(path, raw)
        except DataError as error:
            problems.append(str(error))
    for release in releases:
        if release.file_on > today:  # told of and no more: it may be the clock that is wrong
            release.notes.append(f"dated after today, {today:%d %B %Y}: check its name, and this machine's clock")
    problems += _claims(releases)
    if problems:
        raise DataError("\n\n".join(problems))
    if moved := sorted(name for name, _ in read.items() ^ hashes(raw).items()):
        raise DataError(f"{', '.join(dict.fromkeys(moved))} changed while the files were read.\n"
                        "Wait until nothing writes to the folder, and run this again.")  # fmt: skip
    built, aside = _tables(releases)
    marker = raw / MADE_UP
    source = "made-up" if marker.is_file() else "official"
    newest = max(release.file_on for release in releases if release.layout in sources.INSPECTIONS)
    about = {"data_source": source, "newest_file_on": f"{newest:%Y-%m-%d}",
             "inputs": hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()}  # fmt: skip
    report |= {
        **about,
        "files": [_file_report(release) for release in releases],
        "sha256": read,
        "set_aside": dict(aside),
        "rows": {name: len(rows) for name, rows in built.items()},
    }
    with tables.alone(folder):
        tables.write(folder, built, about=about)
        tables.write_json(folder / "ingest.json", report)
    return report


def hashes(raw: Path) -> dict[str, str]:
    """The SHA-256 of every official file that would be read, by its name under `raw`."""
    return {path.relative_to(raw).as_posix(): _sha256(path) for path in _files(raw)[0]}


def _files(raw: Path) -> tuple[list[Path], dict[str, Any]]:
    if not raw.is_dir():
        raise DataError(f"There is no folder {raw}.\nName one with --raw, fetch the official files, or run `headway demo`.")
    everything = sorted(path for path in raw.rglob("*") if path.is_symlink() or not path.is_dir())
    not_needed = {path: _why_not_followed(path, raw) or files.why_not_needed(path, raw) for path in everything}
    paths = [path for path in everything if not not_needed[path]]
    told = {path.relative_to(raw).as_posix(): why for path, why in not_needed.items() if why}
    if not paths:
        links = "".join(f"\n{name} is {why}." for name, why in told.items() if (raw / name).is_symlink())
        raise DataError(f"{raw} holds no official files.\nPut them there, `headway fetch` them, or run `headway demo`.{links}")
    return paths, {"not_needed": told}


def _why_not_followed(path: Path, raw: Path) -> str | None:
    """Why a link is not read, or None where it leads to a file that is read under no other name."""
    if not path.exists():
        return "a link that leads nowhere"
    if not path.is_symlink():
        return None if path.is_file() else "neither a file nor a folder"
    target, home = path.resolve(), raw.resolve()
    if target.is_relative_to(home):
        return f"a link to {target.relative_to(home).as_posix()}, which is read, if it is needed, where it is"
    return "a link to a folder outside this one: put the files themselves here" if path.is_dir() else None


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:  # told of, with every other problem, by what reads it
        return ""


def _file_report(release: Release) -> dict[str, Any]:
    return {
        "file": release.name, "release": release.layout.name,
        "dated": None if pd.isna(release.file_on) else f"{release.file_on:%Y-%m-%d}", "rows_read": release.rows,
        "rows_kept": release.kept, "set_aside": dict(release.set_aside), "notes": release.notes,
        "out_of_range": [{"row": row, "column": header, "value": text} for row, header, text in release.out_of_range],
    }  # fmt: skip


def _claims(releases: list[Release]) -> list[str]:
    """Two files that say they are the same release: we can't know which is right."""
    claimed: dict[tuple, str] = {}
    problems, told = [], set()
    for release in releases:
        if "trusts" in release.records:
            continue  # primary and secondary trusts come in a file each
        claim = (release.layout.name, release.file_on, files.tables_year(release.name)
                 if release.layout.dated == "tables" else None)  # fmt: skip
        both = tuple(name.split(".zip/")[0] for name in (claimed.get(claim, ""), release.name))
        if claim in claimed and both not in told:  # two zips of many years are told of once
            problems.append(
                f"{claimed[claim]} and {release.name} both claim to be “{release.layout.name}” of "
                f"{'no date' if pd.isna(release.file_on) else f'{release.file_on:%d %B %Y}'}.\nKeep the right one."
            )
            told.add(both)
        claimed[claim] = release.name
    if not any(release.layout in sources.INSPECTIONS for release in releases) and releases:
        problems.append("None of the files holds inspections.\nAdd Ofsted's management information: see data/README.md.")
    elif not any(_describes_schools(release) for release in releases) and releases:
        problems.append("None of the files lists the schools with their names and phases.\n"
                        "Add one of Ofsted's lists, or the register of schools: see data/README.md.")  # fmt: skip
    return problems


def _tables(releases: list[Release]) -> tuple[dict[str, pd.DataFrame], Counter]:
    aside: Counter[str] = Counter()
    facts = _school_facts(releases, aside)
    seen = _observations(releases, aside)
    links = _links(releases, seen)
    roster = _roster(facts, releases)
    urns = pd.concat([facts["urn"], seen["urn"]]).drop_duplicates().astype("int64")
    chains = lineage.lineages(urns, links, roster)
    facts = facts.merge(chains, on="urn", how="left", validate="many_to_one")
    coverage = _coverage(releases)
    histories = _histories(seen.merge(chains, on="urn", how="left", validate="many_to_one"), coverage, aside)
    built = {
        "schools": _schools(facts, roster, chains, histories, releases),
        "school_facts": facts,
        "inspections": histories,
        "coverage": coverage,
    }
    for record in MEASURES:
        built[record] = _figures(releases, record, chains, aside)
    built["head_changes"] = _head_changes(releases, chains, aside)
    built["trusts"] = _trusts(releases, chains, aside)
    built["norms"] = norms(built)
    return built, aside


# --- schools ----------------------------------------------------------------------------------------------------------


def _school_facts(releases: list[Release], aside: Counter) -> pd.DataFrame:
    """What each file said of each school on the day it dates from, in Ofsted's words."""
    parts = []
    for release in releases:
        if not _describes_schools(release):
            continue
        rows = release.schools
        state_funded = _state_funded(rows)
        aside["in a register, but not a state-funded school"] += int((~state_funded).sum())
        rows = rows[state_funded].drop_duplicates("urn", keep="last")
        parts.append(rows.assign(known_on=release.file_on, source_file=release.name))
    facts = pd.concat(parts, ignore_index=True)
    text = [c for c in ("type", "status", "faith", "religion", "la_code", "laestab", "trust_uid", "is_primary",
                        "is_secondary", "establishment_number", "easting", "northing", "closed_on", "opened_on",
                        "postcode", "gender", "admissions", "region", "idaci_quintile", "low_age", "high_age",
                        "pupils", "trust_name", "local_authority", "phase", "name") if c not in facts]  # fmt: skip
    facts = facts.assign(**{column: None for column in text})
    code = first_known(numbers(facts["la_code"]), numbers(facts["laestab"]) // 10000)
    return facts.assign(
        urn=numbers(facts["urn"]).astype("int64"), la_code=code, trust_uid=numbers(facts["trust_uid"]),
        opened_on=facts["opened_on"].astype(DATE), closed_on=facts["closed_on"].astype(DATE),
        phase=_phase(facts), faith=first_known(facts["faith"], _faith(facts["religion"])),
    )  # fmt: skip


def _describes_schools(release: Release) -> bool:
    return len(release.schools) > 0 and len(release.schools.columns) >= 4


def _state_funded(rows: pd.DataFrame) -> pd.Series:
    """Which rows of a list are schools Ofsted reports on here: all, but in a register of every kind of school."""
    if "type_group" not in rows:
        return pd.Series(True, index=rows.index)
    other = rows["type"].fillna("").str.lower().str.contains("|".join(sources.NOT_INSPECTED_WITH_THEM), regex=True)
    return rows["type_group"].fillna("").str.lower().isin(sources.STATE_FUNDED) & ~other


def _phase(facts: pd.DataFrame) -> pd.Series:
    """Ofsted's five phases, from whatever a file gives: its phase, its type, or whether it teaches either age."""
    kind = facts["type"].fillna("").str.lower()
    phase = facts["phase"].replace({word: ours for word, ours in sources.PHASES.items()})
    lowered = facts["phase"].str.lower().map(sources.PHASES)
    phase = lowered.where(lowered.notna(), phase)
    primary, secondary = (pd.to_numeric(facts[c], errors="coerce").eq(1) for c in ("is_primary", "is_secondary"))
    from_ages = pd.Series(None, index=facts.index, dtype="str").mask(primary, "Primary").mask(secondary, "Secondary")
    phase = phase.where(phase.isin(["Nursery", "Primary", "Secondary", "Special", "PRU"]), from_ages)
    unset = phase.isna() | facts["type_group"].notna() if "type_group" in facts else phase.isna()
    return (
        phase.mask(unset & kind.str.contains("special"), "Special")
        .mask(unset & kind.str.contains("referral|alternative provision"), "PRU")
        .mask(unset & kind.str.contains("nursery"), "Nursery")
    )


def _faith(religion: pd.Series) -> pd.Series:
    none = religion.str.lower().isin(["does not apply", "none", "unknown", ""])
    return pd.Series(None, index=religion.index, dtype="str").mask(religion.notna(), "Faith").mask(none, "Non-faith")


def _roster(facts: pd.DataFrame, releases: list[Release]) -> pd.DataFrame:
    """Each URN as last described, and whether the newest complete list of schools has it."""
    lists = [r for r in releases if r.layout.depth in (1, 2) and "latest" in r.records and not r.schools.empty]
    registers = [r for r in releases if r.layout in sources.GIAS and "schools" in r.records]
    whole = max([*lists, *registers], key=lambda r: (r.file_on, r in registers), default=None)
    newest = facts.sort_values("known_on", kind="stable").groupby("urn", as_index=False).last()
    if whole is None:
        return newest.assign(open=True)
    listed = numbers(whole.schools["urn"])
    if whole in registers:
        status = whole.schools["status"].str.lower()
        listed = listed[status.str.startswith("open") & ~status.str.contains("proposed to open")]
    return newest.assign(open=newest["urn"].isin(listed), listed_on=whole.file_on)


def _schools(
    facts: pd.DataFrame, roster: pd.DataFrame, chains: pd.DataFrame, histories: pd.DataFrame, releases: list[Release]
) -> pd.DataFrame:
    seen = facts.groupby("urn")["known_on"].agg(first_listed_on="min", last_listed_on="max").reset_index()
    rows = chains.merge(roster.drop(columns=["lineage"], errors="ignore"), on="urn", how="left", validate="one_to_one")
    rows = rows.merge(seen, on="urn", how="left", validate="one_to_one")
    rows = rows[rows["lineage"].isin(facts["lineage"]) | rows["lineage"].isin(histories["lineage"])]
    is_open = rows["open"].fillna(False).astype(bool)
    gone = first_known(rows["closed_on"], _succeeded_on(rows), _missing_on(rows["last_listed_on"], releases))
    # Geography is who a school is, not news about it: an authority's name and region hold for all its schools.
    places = facts.dropna(subset=["la_code"]).sort_values("known_on").groupby("la_code")[["local_authority", "region"]].last()
    rows = rows.assign(
        open=is_open, closed_on=gone.mask(is_open),
        local_authority=first_known(rows["local_authority"], rows["la_code"].map(places["local_authority"])),
        region=first_known(rows["la_code"].map(places["region"]), rows["region"]),
    )  # fmt: skip
    at = [r.records["places"].assign(urn=numbers(r.records["places"]["urn"])) for r in releases if "places" in r.records]
    if at:
        rows = rows.merge(at[-1][["urn", "latitude", "longitude"]], on="urn", how="left", validate="one_to_one")
        # A new URN mostly stands where the old one stood.
        home = rows.groupby("lineage")[["latitude", "longitude"]].transform("first")
        rows = rows.assign(latitude=first_known(rows["latitude"], home["latitude"]),
                           longitude=first_known(rows["longitude"], home["longitude"]))  # fmt: skip
    elif rows["easting"].notna().any():
        rows = rows.assign(**_degrees(rows["easting"], rows["northing"]))
    return rows


def _succeeded_on(rows: pd.DataFrame) -> pd.Series:
    """The day before the lineage's next URN opened: till then a school that no later list names was still there."""
    opened = rows.sort_values(["lineage", "opened_on"], kind="stable").dropna(subset=["opened_on"])
    pairs = rows[["urn", "lineage", "last_listed_on"]].merge(opened[["lineage", "urn", "opened_on"]], on="lineage",
                                                            suffixes=("", "_next"))  # fmt: skip
    later = pairs[pairs["urn"].ne(pairs["urn_next"]) & (pairs["opened_on"] > pairs["last_listed_on"])]
    first = later.groupby("urn")["opened_on"].min().reindex(rows["urn"]).set_axis(rows.index)
    return first.astype(DATE) - pd.Timedelta(days=1)


def _missing_on(last_listed_on: pd.Series, releases: list[Release]) -> pd.Series:
    """The date of the first list of schools after the last that names each: what shows that it had closed."""
    lists = sorted({r.file_on for r in releases if not r.schools.empty and r.layout.depth < 99 and pd.notna(r.file_on)})
    dates = np.array([*(day.to_datetime64() for day in lists), np.datetime64("NaT")], dtype="datetime64[s]")
    places = np.searchsorted(dates[:-1], last_listed_on.to_numpy("datetime64[s]"), side="right")
    return pd.Series(dates[places], index=last_listed_on.index).where(last_listed_on.notna())


def _degrees(easting: pd.Series, northing: pd.Series) -> dict[str, pd.Series]:
    """Rough degrees from the national grid: good to a kilometre, which is what a dot on a map of England needs."""
    east, north = (pd.to_numeric(values, errors="coerce") for values in (easting, northing))
    return {"latitude": 49.766 + north / 111_250, "longitude": -2.0 + (east - 400_000) / (71_900 - (north - 1e5) / 36)}


def _links(releases: list[Release], seen: pd.DataFrame) -> pd.DataFrame:
    """Who succeeded whom: the register's links, and the URNs Ofsted itself says an inspection was made under."""
    parts = []
    for release in releases:
        if "links" in release.records:
            rows = release.records["links"]
            urn, other = numbers(rows["urn"]), numbers(rows["linked_urn"])
            kind = rows["link_type"].str.lower()
            for word, before, after in (("predecessor", other, urn), ("successor", urn, other)):
                chosen = kind.str.startswith(word)
                parts.append(pd.DataFrame({"predecessor": before[chosen], "successor": after[chosen],
                                           "link_type": rows["link_type"][chosen],
                                           "linked_on": rows["linked_on"][chosen]}))  # fmt: skip
    moved = seen[seen["urn"].ne(seen["listed_urn"])]
    parts.append(pd.DataFrame({"predecessor": moved["urn"], "successor": moved["listed_urn"],
                               "link_type": "Successor (Ofsted)", "linked_on": pd.NaT}))  # fmt: skip
    every = pd.concat(parts, ignore_index=True).dropna(subset=["predecessor", "successor"])
    every = every.astype({"predecessor": "int64", "successor": "int64", "linked_on": DATE})
    # Ofsted's own link only fills in where the register has none for the new school.
    ours = every["link_type"].eq("Successor (Ofsted)")
    return pd.concat([every[~ours], every[ours & ~every["successor"].isin(every.loc[~ours, "successor"])]])


# --- inspections --------------------------------------------------------------------------------------------------------


def _observations(releases: list[Release], aside: Counter) -> pd.DataFrame:
    """Every mention of an inspection in any file, one row a mention."""
    parts = []
    for release in releases:
        for record in ("inspection", "report_card", "latest", "previous", "ungraded", "monitoring", "register"):
            # A release may lack every column of a record, as report cards lack the inspection before.
            if record in release.records and (record == "monitoring" or len(release.records[record].columns)):
                parts.append(_mentions(release, record, aside))
    seen = pd.concat(parts, ignore_index=True)
    number = seen["inspection_number"].astype("str").str.strip()
    number = number.where(~number.str.fullmatch(r"\d{5,6}"), "ITS" + number)
    return seen.assign(inspection_number=number, **{j: numbers(seen[j]) for j in (*_JUDGEMENTS, "leadership_and_governance")})


_MENTION = ("inspection_number", "inspected_on", "ended_on", "published_on", "category", "safeguarding",
            "ungraded_outcome", "leadership_and_governance", "event_type", *_JUDGEMENTS)  # fmt: skip


def _mentions(release: Release, record: str, aside: Counter) -> pd.DataFrame:
    rows = release.records[record]
    listed = numbers((release.schools if "urn" not in rows else rows)["urn"])
    visit = release.records.get("inspection", release.records.get("report_card"))
    if record == "monitoring":  # the rows among the report cards that give no grade, read for what they say
        carded = visit["leadership_and_governance"].notna()
        rows = visit.drop(columns=["leadership_and_governance", "category"]).assign(**rows)[~carded]
        listed = listed[~carded]
    rows = rows.assign(**{c: None for c in (*_MENTION, "urn_then") if c not in rows})
    then = numbers(rows["urn_then"])
    days = rows[["inspected_on", "ended_on", "published_on"]].astype(DATE)
    given = days["inspected_on"].notna() | days["ended_on"].notna()
    graded = rows[["overall", "leadership", "leadership_and_governance"]].notna().any(axis=1)
    outcome = rows["ungraded_outcome"].notna()
    kind = pd.Series("graded", index=rows.index)
    if record in ("inspection", "monitoring"):
        watched = rows["event_type"].fillna("").str.lower().str.contains("monitor|no formal|urgent|safeguarding")
        kind = kind.mask(~graded, "ungraded").mask(~graded & watched, "monitoring")
    elif record == "ungraded":
        kind[:] = "ungraded"
        given &= outcome
    elif record == "register":
        given &= graded & _state_funded(release.schools)
    else:
        aside[f"{record} inspection: none yet"] += int((~given).sum())
        aside[f"{record} inspection: a day but no grade"] += int((given & ~graded).sum())
        given &= graded
    mentions = rows[list(_MENTION)].assign(
        listed_urn=listed, urn=then.where(then.notna(), listed), kind=kind, record=record, **days,
        known_when_seen=release.file_on, depth=release.layout.depth, source_file=release.name, file_row=rows.index,
    )[given]  # fmt: skip
    return mentions.assign(urn=mentions["urn"].astype("int64"))


def _histories(seen: pd.DataFrame, coverage: pd.DataFrame, aside: Counter) -> pd.DataFrame:
    """One row an inspection: mentions joined on inspection number, else on lineage and a date within days.

    The first file to show an inspection settles its grades, and only files of all inspections fill what that one left
    blank: a later list of latest inspections still names it only where few inspections followed, so its details would
    tell the future. For the same reason an inspection that no file of its own covered stretch shows is known from the
    date of the file that does, not from its publication.
    """
    seen = seen.assign(inspected_on=first_known(seen["inspected_on"], seen["ended_on"]),
                       by_end=seen["inspected_on"].isna(), register=seen["record"].eq("register"))  # fmt: skip
    # A report date before the inspection, or years after the file, is a slip of the pen: the file's date stands.
    slip = (seen["published_on"] < seen["inspected_on"]) | (seen["published_on"] > seen["known_when_seen"])
    aside["publication date before the inspection or after the file: not used"] += int(slip.sum())
    # An ungraded visit in a "latest" file is there only because no graded one followed: known from the file, not before.
    covered = pd.Series(False, index=seen.index)
    for stretch in coverage.itertuples():
        covered |= seen["inspected_on"].between(stretch.from_on, stretch.to_on) & seen["known_when_seen"].between(
            stretch.from_on, stretch.to_on + inspections.REPORTS_OUT_WITHIN
        )
    lasting = (seen["kind"].ne("graded") | ~covered) & seen["depth"].lt(99)
    seen = seen.assign(published_on=seen["published_on"].mask(slip))
    seen = seen.assign(public_on=seen["published_on"].mask(lasting))
    seen = seen.sort_values(["lineage", "kind", "inspected_on", "register", "known_when_seen"], kind="stable")
    apart = seen[["lineage", "kind"]].ne(seen[["lineage", "kind"]].shift()).any(axis=1)
    apart |= seen["inspected_on"].diff().dt.days.gt(SAME_INSPECTION)
    cluster = apart.cumsum()
    numbered = seen["inspection_number"].notna()
    joined = cluster[numbered].groupby([seen["lineage"], seen["kind"], seen["inspection_number"]]).transform("min")
    cluster = cluster.map(pd.Series(joined.to_numpy(), index=cluster[numbered].to_numpy()).groupby(level=0).min()).fillna(cluster)
    seen = seen.assign(cluster=cluster.astype("int64"))

    alone = seen.groupby("cluster")["register"].transform("all")
    unknown = alone & ~seen["overall"].gt(frameworks.GOOD)
    aside["in the register only, good or better: it may have been an ungraded visit"] += int(unknown.sum())
    ruled_out = alone & ~unknown & _between_consecutive(seen)
    aside["in the register only, where another file names two consecutive graded inspections around it"] += int(ruled_out.sum())
    seen = seen[~unknown & ~ruled_out]
    differ = seen[seen["overall"].notna() & ~seen["register"]].groupby("cluster")["overall"].nunique().gt(1).sum()
    aside["inspections whose grade differs between files: the first file stands"] += int(differ)
    aside["mentions of an inspection already seen"] += len(seen) - seen["cluster"].nunique()

    order = seen.sort_values(["cluster", "register", "known_when_seen"], kind="stable")
    first = order.groupby("cluster")["source_file"].transform("first")
    merged = order[order["source_file"].eq(first) | order["depth"].eq(99)].groupby("cluster").first()
    starts = order[~order["by_end"]].groupby("cluster")["inspected_on"].min()
    settled = order[~order["register"] | order.groupby("cluster")["register"].transform("all")]
    seen_on = settled.groupby("cluster")["known_when_seen"].min()
    rows = merged.assign(
        inspected_on=starts.reindex(merged.index).where(lambda day: day.notna(), merged["inspected_on"]),
        known_on=first_known(order.groupby("cluster")["public_on"].min(), seen_on),
        published_on=order.groupby("cluster")["published_on"].min(),
        shown_on=seen_on,
        files=order.groupby("cluster")["source_file"].nunique(),
    ).reset_index(drop=True)
    return _judged(rows).sort_values(["lineage", "inspected_on", "kind"]).drop_duplicates(["lineage", "kind", "inspected_on"])


def _between_consecutive(seen: pd.DataFrame) -> pd.Series:
    """Whether a mention lies between two inspections that one row of a file gives as latest and previous."""
    row = ["lineage", "source_file", "file_row"]
    later = seen.loc[seen["record"].isin(["latest", "inspection"]) & seen["kind"].eq("graded"), [*row, "inspected_on"]]
    earlier = seen.loc[seen["record"].eq("previous"), [*row, "inspected_on"]]
    spans = later.merge(earlier, on=row, suffixes=("_later", "_earlier"))
    asked = seen.loc[seen["register"], ["lineage", "inspected_on"]].reset_index()
    inside = asked.merge(spans, on="lineage")
    slack = pd.Timedelta(days=SAME_INSPECTION)
    inside = inside[(inside["inspected_on"] > inside["inspected_on_earlier"] + slack)
                    & (inside["inspected_on"] < inside["inspected_on_later"] - slack)]  # fmt: skip
    return seen.index.to_series().isin(inside["index"])


def _judged(rows: pd.DataFrame) -> pd.DataFrame:
    """The inspections with overall grades derived where none was published, and where each came from."""
    graded = rows["kind"].eq("graded")
    framework = frameworks.framework_on(rows["inspected_on"])
    published = rows["overall"].notna()
    no_overall = framework.isin(["no overall grade, 2024"]) & graded & ~published
    derived = frameworks.overall_from_judgements(
        rows["quality_of_education"].astype("float64"), rows["leadership"].astype("float64"), rows["category"]
    ).where(no_overall)
    cards = graded & rows["leadership_and_governance"].notna()
    source = pd.Series(None, index=rows.index, dtype="str").mask(graded & published, "published")
    source = source.mask(derived.notna(), "derived").mask(cards & ~published, "crosswalk")
    overall = first_known(rows["overall"].astype("float64"), derived)
    below = (overall > frameworks.GOOD).astype("boolean").mask(overall.isna())
    card = frameworks.below_good_from_report_card(rows["leadership_and_governance"].astype("float64"), rows["category"])
    return rows.assign(framework=framework, overall=overall, overall_source=source, below_good=below.mask(cards, card))


def _coverage(releases: list[Release]) -> pd.DataFrame:
    """The stretches of days in which no graded inspection can be missing from the files.

    An all-inspections file covers the days it spans. A list of latest inspections covers the days since the list
    before, unless so long a time lies between that a school may have been inspected once more than it remembers.
    """
    stretches = []
    lists = []
    for release in releases:
        if not release.layout.depth:
            continue
        until = files.day_in_name(release.name) or release.file_on
        if release.layout.depth == 99:
            visits = release.records.get("inspection", release.records.get("report_card"))
            first = first_known(visits["inspected_on"], visits["ended_on"]
                                if "ended_on" in visits else visits["inspected_on"]).min()  # fmt: skip
            if pd.notna(first):  # a year's file begins with none
                stretches.append((first, until))
        else:
            lists.append((until, release.layout.depth))
    lists.sort()
    ends = sorted([(to, 99) for _, to in stretches] + lists)
    for (start, _), (end, depth) in zip(ends, ends[1:], strict=False):
        if depth < 99 and _years_inspected(start, end) / depth <= LONGEST_STRETCH:
            stretches.append((start, end))
    merged: list[list[pd.Timestamp]] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1] + pd.Timedelta(days=62):  # schools are on holiday between yearly files
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return pd.DataFrame(merged, columns=["from_on", "to_on"]).astype(DATE)


def _years_inspected(start: pd.Timestamp, end: pd.Timestamp) -> float:
    """Years between two days, without the pause in inspections."""
    paused = min(end, frameworks.PAUSE[1]) - max(start, frameworks.PAUSE[0])
    return ((end - start) - max(paused, pd.Timedelta(0))).days / 365.25


# --- figures ------------------------------------------------------------------------------------------------------------


def _figures(releases: list[Release], record: str, chains: pd.DataFrame, aside: Counter) -> pd.DataFrame:
    """One dated table of figures: every row of every file of its kind, with when it became public."""
    parts = []
    for release in sorted(releases, key=lambda r: r.file_on if pd.notna(r.file_on) else pd.Timestamp(1900, 1, 1)):
        if record not in release.records:
            continue
        rows = release.records[record]
        if release.layout.dated == "period":
            month, day, after = release.layout.public
            public = pd.to_datetime(pd.DataFrame({"year": rows["period"] + after, "month": month, "day": day}))
        else:
            rows = rows.assign(period=files.tables_year(release.name))
            public = release.file_on
        parts.append(rows.assign(known_on=public, source_file=release.name))
    if not parts:
        return pd.DataFrame(columns=tables.TABLES[record].names)
    rows = pd.concat(parts, ignore_index=True)
    if "urn" in rows:
        rows = rows.assign(urn=numbers(rows["urn"])).merge(chains, on="urn", how="left", validate="many_to_one")
        stranger = rows["lineage"].isna()
        aside[f"{record}: not a school in any list"] += int(stranger.sum())
    else:
        rows = rows.assign(la_code=numbers(rows["la_code"]))
        stranger = rows["la_code"].isna()
        aside[f"{record}: no number for the authority"] += int(stranger.sum())
    key = list(tables.TABLES[record].key)
    # A newer release repeats the years of the older ones. Its revised figures were not public when those came out.
    again = rows[~stranger].duplicated(key, keep="first")
    aside[f"{record}: given again by a newer release"] += int(again.sum())
    return rows[~stranger][~again].reindex(columns=tables.TABLES[record].names)


def norms(built: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Each year's percentiles of every measure that signals compare between schools, by phase, and by region too.

    From the first release of a year only, so that a figure revised or added later changes no standing of before.
    """
    from pipelines.signals import attainment, attendance, intake, workforce

    sorts = {"census": intake, "absence": attendance, "workforce": workforce, "results": attainment}
    where = built["schools"].drop_duplicates("urn").set_index("urn")[["phase", "region"]]
    rows = []
    for name, family in sorts.items():
        if built[name].empty:
            continue
        every = built[name].sort_values("known_on", kind="stable")
        measured = family.measures(every)
        values = measured.assign(urn=every["urn"], period=every["period"], known_on=every["known_on"],
                                 phase=every["urn"].map(where["phase"]), region=every["urn"].map(where["region"]))  # fmt: skip
        for measure in measured:
            held = values.dropna(subset=[measure, "phase"])
            first = held["known_on"].eq(held.groupby("period")["known_on"].transform("min"))
            held = held[first].drop_duplicates(["urn", "period"])
            for by in (["period", "phase"], ["period", "phase", "region"]):
                for key, group in held.groupby(by)[measure]:
                    cuts = np.quantile(group, np.arange(0.01, 1.0, 0.01))
                    rows.append((name, measure, int(key[0]), key[1], key[2] if len(key) > 2 else "England", len(group), cuts))
    return pd.DataFrame(rows, columns=["table", "measure", "period", "phase", "region", "schools", "cuts"])


def _head_changes(releases: list[Release], chains: pd.DataFrame, aside: Counter) -> pd.DataFrame:
    parts = [release.records["head_changes"].assign(source_file=release.name)
             for release in releases if "head_changes" in release.records]  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=tables.TABLES["head_changes"].names)
    rows = pd.concat(parts, ignore_index=True).rename(columns={"changed_by": "known_on"})
    rows = rows.assign(urn=numbers(rows["urn"])).merge(chains, on="urn", how="left", validate="many_to_one")
    aside["head changes: not a school in any list"] += int(rows["lineage"].isna().sum())
    return rows.dropna(subset=["lineage"]).drop_duplicates(["urn", "known_on"])


def _trusts(releases: list[Release], chains: pd.DataFrame, aside: Counter) -> pd.DataFrame:
    """Who belonged to which trust, from the yearly tables of trusts and from any list that names them."""
    parts = []
    for release in releases:
        if "trusts" in release.records:
            rows = release.records["trusts"]
            rows = rows[rows["group_type"].str.lower().str.contains("multi-academy", na=False)]
            members = rows.assign(urn=rows["member_urns"].str.split(r"[;,]\s*")).explode("urn")
            parts.append(members.assign(period=files.tables_year(release.name), known_on=release.file_on,
                                        source_file=release.name))  # fmt: skip
        elif "trust_uid" in release.schools:
            members = release.schools.dropna(subset=["trust_uid"])
            parts.append(members.assign(period=release.file_on.year, known_on=release.file_on, source_file=release.name))
    if not parts:
        return pd.DataFrame(columns=tables.TABLES["trusts"].names)
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.assign(urn=numbers(rows["urn"]), trust_uid=numbers(rows["trust_uid"]))
    rows = rows.dropna(subset=["trust_uid"]).merge(chains, on="urn", how="left", validate="many_to_one")
    aside["trusts: a member not in any list"] += int(rows["lineage"].isna().sum())
    return rows.dropna(subset=["lineage"]).drop_duplicates(["urn", "trust_uid", "known_on"])
