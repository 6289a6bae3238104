"""The register of schools, the links between URNs, and who belongs to which trust."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from headway.pipelines import sources
from headway.pipelines.synthesise.particulars import keys, listed, trust_on
from headway.pipelines.synthesise.sheets import day_text, official, write_csv

TRUST_YEARS = (2018, 2019, 2022, 2023, 2024)
# Whoever finds one of these in a table knows that the column of head teachers' names was read.
PLANTED = ("Mx", "Zebedee", "Plantedname", "Head of Nothing", "Ermintrude Plantedname")


def write(out: Path, schools: pd.DataFrame, until: int, rng: np.random.Generator) -> None:
    """The register as of September `until`, its links, groups a year before and then, and some years' trusts,
    into `out`.
    """
    _register(out, schools, f"{until}-09-01")
    _links(out, schools, f"{until}-09-01", rng)
    for day in (f"{until - 1}-09-01", f"{until}-09-01"):
        _groups(out, schools, day)
    for year in TRUST_YEARS:
        _trusts(out, schools, year)


def _trusts(out: Path, schools: pd.DataFrame, year: int) -> None:
    """A row for each trust, its members' URNs in one cell."""
    rows = listed(schools, f"{year}-07-01")
    members = (
        rows[rows["trust_uid"] > 0]
        .sort_values("urn")
        .groupby("trust_uid", as_index=False)
        .agg(
            trust_name=("trust_name", "first"),
            member_urns=("urn", lambda urns: ";".join(map(str, urns))),
            size=("urn", "size"),
        )
    )
    kind = np.where(members["size"] > 1, "Multi-academy trust", "Single-academy trust")
    records = {
        "trusts": {
            "trust_uid": members["trust_uid"],
            "trust_name": members["trust_name"],
            "member_urns": members["member_urns"],
            "group_type": kind,
        }
    }
    older = {"trust_uid": "uid", "trust_name": "chain", "member_urns": "school", "group_type": "group"}
    sheet = official("multi-academy trusts", records, older if year < 2020 else None)
    write_csv(out / "performance" / f"{year}_england_ks{2 if year < 2020 else 4}-mats-performance.csv", sheet)


def _groups(out: Path, schools: pd.DataFrame, day: str) -> None:
    """Every academy's trust on a day, and since when: with its opening as an academy, or when it left the one
    before.
    """
    rows = listed(schools, day)
    rows = rows[rows["trust_uid"] > 0].sort_values("urn", ignore_index=True)
    gone = rows["leaves"] <= int(np.datetime64(day, "D").astype(int))
    size = rows.groupby("trust_uid")["urn"].transform("size")
    sheet = official(
        "GIAS links between schools and groups",
        {
            "memberships": {
                "urn": rows["urn"],
                "trust_uid": rows["trust_uid"],
                "trust_name": rows["trust_name"],
                "group_type": np.where(size > 1, "Multi-academy trust", "Single-academy trust"),
                "joined_on": day_text(np.where(gone, rows["leaves"], rows["opened"]), "-"),
                "type": rows["type"],
            }
        },
    )
    write_csv(
        out / "gias" / f"grouplinks_edubaseallacademiesandfree{day.replace('-', '')}.csv",
        sheet,
        encoding="cp1252",
    )


def _register(out: Path, schools: pd.DataFrame, day_written: str) -> None:
    """Every URN that is or was: academies' old ones closed, with the names of head teachers that a reader
    must drop.
    """
    day = int(np.datetime64(day_written, "D").astype(int))
    moved = schools[schools["becomes"]]
    now = moved.assign(
        urn=moved["new_urn"],
        name=moved["new_name"],
        type=moved["new_type"],
        laestab=moved["new_laestab"],
        opened=moved["converts"],
        academy=True,
    )
    rows = pd.concat(
        [
            schools.assign(academy=schools["new"], closed=np.minimum(schools["closed"], schools["converts"])),
            now,
        ]
    )
    rows = rows.sort_values("urn", ignore_index=True)
    shut = (rows["closed"] <= day).to_numpy()
    gave_way = rows["becomes"] & ~rows["academy"]
    kind = rows["type"].str.replace("LA Nursery", "Local authority nursery").str.capitalize()
    free = rows["type"].str.startswith("Free")
    group = np.where(
        free,
        "Free Schools",
        np.where(
            rows["academy"],
            "Academies",
            np.where(rows["phase"] == "Special", "Special schools", "Local authority maintained schools"),
        ),
    )
    trust, trust_name = trust_on(rows, rows["academy"].to_numpy(), day).values()
    columns = keys(rows) | {
        "local_authority": rows["local_authority"],
        "name": rows["name"],
        "type": kind,
        "type_group": group,
        "phase": np.where(rows["phase"].isin(["Special", "PRU"]), "Not applicable", rows["phase"]),
        "status": np.where(shut, "Closed", "Open"),
        "reason_opened": np.where(
            rows["academy"] & ~rows["new"],
            np.where(rows["sponsored"], "Fresh Start", "Academy Converter"),
            np.where(free, "New Provision", "Not applicable"),
        ),
        "opened_on": day_text(np.where(rows["opened"] > 11_000, rows["opened"], -99_999), "-"),
        "reason_closed": np.where(shut, np.where(gave_way, "Academy Converter", "Closure"), "Not applicable"),
        "closed_on": day_text(np.where(shut, rows["closed"], -99_999), "-"),
        "low_age": rows["low_age"],
        "high_age": rows["high_age"],
        "gender": rows["gender"],
        "religion": rows["religion"],
        "admissions": rows["admissions"],
        "has_sixth_form": np.where(rows["has_sixth_form"], "Has a sixth form", "Does not have a sixth form"),
        "capacity": rows["capacity"],
        "pupils": pa.array(rows["pupils"].to_numpy(), mask=shut),
        "trust_uid": pa.array(trust, mask=trust == 0),
        "trust_name": np.where(trust > 0, trust_name, None),
        "region": rows["region"],
        "urban_rural": rows["urban"],
        "postcode": rows["postcode"],
        "easting": rows["easting"],
        "northing": rows["northing"],
    }
    sheet = official("GIAS all data", {"schools": columns})
    for header, planted in zip(sources.PERSONAL, PLANTED, strict=False):
        sheet = sheet.append_column(
            header, pa.array([planted]).take(pa.array(np.zeros(len(rows), dtype="int64")))
        )
    write_csv(out / "gias" / f"edubasealldata{day_written.replace('-', '')}.csv", sheet, encoding="cp1252")


def _links(out: Path, schools: pd.DataFrame, day: str, rng: np.random.Generator) -> None:
    """Who came before and after whom: most both ways, a quarter undated; and mergers not to be followed."""
    moved = schools[schools["becomes"]]
    back = pd.DataFrame(
        {
            "urn": moved["new_urn"],
            "linked_urn": moved["urn"],
            "linked_name": moved["name"],
            "link_type": "Predecessor",
            "day": moved["converts"],
        }
    )
    on = pd.DataFrame(
        {
            "urn": moved["urn"],
            "linked_urn": moved["new_urn"],
            "linked_name": moved["new_name"],
            "link_type": "Successor",
            "day": moved["converts"],
        }
    )
    draw = rng.random(len(moved))
    parts = [back[draw > 0.025], on[draw < 0.996]]
    # A closed school's pupils went to a neighbour: a link, but not one school's history.
    gone = schools[schools["closed"] < int(np.datetime64(day, "D").astype(int))]
    gone = gone[rng.random(len(gone)) < 0.6]
    near = gone.merge(
        schools.loc[~schools.index.isin(gone.index), ["authority", "phase", "urn", "name"]].drop_duplicates(
            ["authority", "phase"]
        ),
        on=["authority", "phase"],
        suffixes=("", "_there"),
    )
    kind = rng.choice(["merged", "amalgamated", "Split School"], len(near), p=[0.6, 0.3, 0.1])
    for one, other, name, word in (
        ("urn", "urn_there", "name_there", "Successor - "),
        ("urn_there", "urn", "name", "Predecessor - "),
    ):
        parts.append(
            pd.DataFrame(
                {
                    "urn": near[one],
                    "linked_urn": near[other],
                    "linked_name": near[name],
                    "link_type": word + pd.Series(kind),
                    "day": near["closed"],
                }
            )
        )
    rows = pd.concat(parts, ignore_index=True).sort_values(["urn", "linked_urn"], ignore_index=True)
    dated = day_text(np.where(rng.random(len(rows)) < 0.23, -99_999, rows["day"]), "-")
    columns = {c: rows[c] for c in ("urn", "linked_urn", "linked_name", "link_type")} | {"linked_on": dated}
    sheet = official("GIAS links between URNs", {"links": columns})
    write_csv(out / "gias" / f"links_edubasealldata{day.replace('-', '')}.csv", sheet, encoding="cp1252")
