"""data/raw to our tables, reporting every problem at once.

Reads every file, then ties them together: the schools, what each file said of them and their lineages
(`schools`), inspections across files (`histories`) and the days on which none can be missing (`coverage`),
trusts, and the dated tables of figures. Nothing is dropped without a counted reason, and no table is replaced
unless all of them are whole.

What one file more may change: it may add cells, and may move what is known on mornings after the first day it
speaks of. It blanks no cell of `inspections`, and changes no signal of a morning before. Two things only a
file of another day can settle:

- Who a school is: which URNs are one school, and the days they opened and closed. They are no news of the
  school, and hold for
  every morning. What kind of school it is, and where, is news, and holds from the file that says so.
- What a visit was that a register alone told of. Where another file shows a graded inspection of that day, it
  was that one: the
  row becomes the graded inspection's, and keeps its day, framework and report.

`benchmarks/added_files.py` tries it on official files, one at a time, and tests/test_added_files.py on
made-up ones.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from headway.pipelines import files, lineage, remembered, sources, tables
from headway.pipelines.files import Release, kept
from headway.pipelines.ingest import coverage, expectations, figures, histories, schools, trusts
from headway.pipelines.ingest.expectations.before import Before
from headway.pipelines.ingest.figures import norms
from headway.pipelines.tables import DataError

__all__ = ["MADE_UP", "MEASURES", "hashes", "ingest", "norms"]

MEASURES = (
    "census",
    "absence",
    "workforce",
    "results",
    "turnover",
    "posts",
    "vacancies",
    "sickness",
    "pay",
    "ratios",
    "characteristics",
    "npq",
    "parent_view",
)
MADE_UP = "made-up.json"


def ingest(
    raw: Path,
    folder: Path,
    progress: Callable[[Iterable[Path], int], Iterable[Path]] | None = None,
    accept: Iterable[str] = (),
) -> dict:
    """Read every official file under `raw` and write our tables to `folder`; returns the report, file by
    file.

    `accept` names checks of files that are let through, as `rows:31_August_2025.csv`; those of an earlier
    ingest still hold for a file that hasn't changed since. Raises `DataError` listing the problems of all
    files, what makes them unlike true releases included; then no table has been touched.
    """
    paths, report = _files(raw)
    read = hashes(raw)
    accept, marker = list(accept), raw / MADE_UP
    basis = {"sha256": read, "code": remembered.program(), MADE_UP: _sha256(marker), **report}
    if not accept and (same := _as_it_stands(folder, basis)):
        return same
    releases, problems, entries = kept.read(paths, raw, read, folder / kept.FOLDER, progress=progress)
    moved = sorted({name for name, _ in read.items() ^ hashes(raw).items()})
    if moved:
        kept.drop(entries)
    else:
        report["kept_bytes"] = kept.keep(entries, folder / kept.FOLDER, read, raw, paths)
    problems += _claims(releases)
    if problems:
        raise DataError("\n\n".join(problems))
    if moved:
        raise DataError(
            f"{', '.join(moved)} changed while the files were read.\n"
            "Wait until nothing writes to the folder, and run this again."
        )
    before = Before(folder / kept.FOLDER, read)
    accepted = [*accept, *_accepted_before(folder, read)]
    expected = expectations.check(releases, _today(marker), accepted, _as_made(marker, read), before)
    before.keep()
    built, aside = _tables(releases)
    source = "made-up" if marker.is_file() else "official"
    newest = max(release.file_on for release in releases if release.layout in sources.INSPECTIONS)
    about = {
        "data_source": source,
        "newest_file_on": f"{newest:%Y-%m-%d}",
        "inputs": hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest(),
    }
    report |= {
        **about,
        "files": [_file_report(release) for release in releases],
        **basis,
        "set_aside": dict(aside),
        "rows": {name: len(rows) for name, rows in built.items()},
        "accepted": sorted(
            {one["name"] + ":" + one["file"] for one in expected["checks"] if one.get("accepted")}
        ),
        **expected,
    }
    with tables.alone(folder):
        tables.write(folder, built, about=about)
        report["written"] = {name: _sha256(_table(folder, name)) for name in built}
        tables.write_json(folder / "ingest.json", report)
    return report


def _as_it_stands(folder: Path, basis: dict[str, Any]) -> dict[str, Any] | None:
    """The report of the ingest before, where what it was made from and every table are as it left them."""
    try:
        before = json.loads((folder / "ingest.json").read_text("utf-8"))
        same = all(before[name] == value for name, value in basis.items())
        same = same and all(_sha256(_table(folder, name)) == made for name, made in before["written"].items())
        return before | {"as_before": True} if same else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _table(folder: Path, name: str) -> Path:
    return folder / f"{name}.parquet"


def _today(marker: Path) -> pd.Timestamp:
    """Today; where the files are made up, the last day of their own England if that is later."""
    today = pd.Timestamp.now().normalize()
    try:
        return max(
            today, pd.Timestamp(json.loads(marker.read_text("utf-8"))["until"]) + pd.DateOffset(days=366)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return today


def _as_made(marker: Path, read: dict[str, str]) -> set[str]:
    """The made-up files that are as they were made: whatever they are like, none was damaged since."""
    try:
        made = json.loads(marker.read_text("utf-8"))["sha256"]
        return {name for name, digest in read.items() if made.get(name) == digest}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def _accepted_before(folder: Path, read: dict[str, str]) -> list[str]:
    """What an earlier ingest was told to accept of files that are as they were then."""
    try:
        before = json.loads((folder / "ingest.json").read_text("utf-8"))
        return [
            name
            for name in before["accepted"]
            if before["sha256"].get(path := _path(name, read)) == read.get(path, "")
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _path(accepted: str, read: dict[str, str]) -> str:
    """The file under the raw folder that a name of a check and a file speaks of: an archive for one in it."""
    file = accepted.partition(":")[2]
    return next((path for path in read if file == path or file.startswith(f"{path}/")), file)


def hashes(raw: Path) -> dict[str, str]:
    """The SHA-256 of every official file that would be read, by its name under `raw`."""
    return {path.relative_to(raw).as_posix(): _sha256(path) for path in _files(raw)[0]}


def _files(raw: Path) -> tuple[list[Path], dict[str, Any]]:
    if not raw.is_dir():
        raise DataError(
            f"There is no folder {raw}.\nName one with --raw, fetch the official files, or run `headway "
            "demo`."
        )
    everything = sorted(path for path in raw.rglob("*") if path.is_symlink() or not path.is_dir())
    not_needed = {
        path: _why_not_followed(path, raw) or files.why_not_needed(path, raw) for path in everything
    }
    paths = [path for path in everything if not not_needed[path]]
    told = {path.relative_to(raw).as_posix(): why for path, why in not_needed.items() if why}
    if not paths:
        links = "".join(f"\n{name} is {why}." for name, why in told.items() if (raw / name).is_symlink())
        raise DataError(
            f"{raw} holds no official files.\nPut them there, `headway fetch` them, or run `headway "
            f"demo`.{links}"
        )
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
        "file": release.name,
        "release": release.layout.name,
        "dated": None if pd.isna(release.file_on) else f"{release.file_on:%Y-%m-%d}",
        "rows_read": release.rows,
        "rows_kept": release.kept,
        "set_aside": dict(release.set_aside),
        "notes": release.notes,
        "out_of_range": [
            {"row": row, "column": header, "value": text} for row, header, text in release.out_of_range
        ],
    }


def _claims(releases: list[Release]) -> list[str]:
    """Two files that say they are the same release: we can't know which is right."""
    claimed: dict[tuple, str] = {}
    problems, told = [], set()
    for release in releases:
        if "trusts" in release.records:
            continue  # primary and secondary trusts come in a file each
        claim = (
            release.layout.name,
            release.file_on,
            files.tables_year(release.name) if release.layout.dated == "tables" else None,
        )
        both = tuple(name.split(".zip/")[0] for name in (claimed.get(claim, ""), release.name))
        if claim in claimed and both not in told:  # two zips of many years are told of once
            problems.append(
                f"{claimed[claim]} and {release.name} both claim to be “{release.layout.name}” of "
                f"{'no date' if pd.isna(release.file_on) else f'{release.file_on:%d %B %Y}'}.\nKeep the "
                "right one."
            )
            told.add(both)
        claimed[claim] = release.name
    if not any(release.layout in sources.INSPECTIONS for release in releases) and releases:
        problems.append(
            "None of the files holds inspections.\nAdd Ofsted's management information: see data/README.md."
        )
    elif not any(schools.described(release) for release in releases) and releases:
        problems.append(
            "None of the files lists the schools with their names and phases.\n"
            "Add one of Ofsted's lists, or the register of schools: see data/README.md."
        )
    return problems


def _tables(
    releases: list[Release], chains: pd.DataFrame | None = None
) -> tuple[dict[str, pd.DataFrame], Counter]:
    """Our tables from files as read, and what was set aside; `chains` is who succeeded whom, where that is
    given.
    """
    aside: Counter[str] = Counter()
    facts = schools.facts(releases, aside)
    seen = histories.mentions(releases, aside)
    roster = schools.roster(facts, releases)
    if chains is None:
        urns = pd.concat([facts["urn"], seen["urn"]]).drop_duplicates().astype("int64")
        chains = lineage.lineages(urns, schools.links(releases, seen), roster)
    facts = facts.merge(chains, on="urn", how="left", validate="many_to_one")
    seen = seen.merge(chains, on="urn", how="left", validate="many_to_one")
    members, trust_results = trusts.trusts(releases, chains, roster, aside)
    listed = schools.schools(facts, roster, chains, seen, members, releases)
    covered = coverage.coverage(releases, listed)
    inspected, standards = histories.histories(seen, covered, aside)
    built = {
        "schools": listed,
        "school_facts": facts,
        "inspections": inspected,
        "standards": standards,
        "coverage": covered,
        "trusts": members,
        "trust_results": trust_results,
        "head_changes": figures.head_changes(releases, chains, aside),
    }
    for record in MEASURES:
        built[record] = figures.figures(releases, record, chains, aside)
    built["norms"] = norms(built)
    return built, aside
