"""Who and where: schools that no other file knows or that a file leaves out, and columns of a file that
belong together.
"""

import numpy as np
import pandas as pd

from headway.pipelines.files import Release, numbers
from headway.pipelines.ingest.expectations.checks import Checks, allowance
from headway.pipelines.ingest.expectations.parts import (
    FEWEST,
    Keys,
    Part,
    codes,
    dated,
    going_together,
    listed,
)

SIZE = 1 << 18  # more than any URN; others are left out
YEARLY = ("census", "absence", "workforce")
FULL = ("schools", "census", "absence", "workforce")  # parts that hold every school of their kind
# Columns of which the first says the second: all rows of an authority are in one region.
GO_TOGETHER = (
    ("local_authority", "region"),
    ("la_code", "local_authority"),
    ("trust_uid", "trust_name"),
    ("authority of LAESTAB", "local_authority"),
    ("authority of LAESTAB", "la_code"),
)
ONE_SIDED = 1.2  # the same, where there is one file alone
FARTHEST = 4.0  # years between two files of which the one should have the other's schools


def check(releases: list[Release], parts: list[Part], keys: Keys, checks: Checks) -> None:
    """All checks of schools and places."""
    said, whole = _said(releases), [part for part in parts if part.kind in FULL and part.unique]
    bits = {
        id(part): _bits(part.keys) for part in parts if part.kind.partition(",")[0] not in ("trusts", "npq")
    }
    _missing(whole, bits, said, checks)
    _strangers(releases, parts, bits, checks)
    _another_year(parts, bits, checks)
    authority = _Authorities(releases, keys)
    for release in releases:
        for record, rows in release.records.items():
            if len(rows) >= FEWEST and record.partition(":")[1] == "":
                _together(release, record, rows, authority, checks)
        _links(release, checks)
        _registers(release, checks)


def _bits(keys: np.ndarray) -> np.ndarray:
    held = np.zeros(SIZE, dtype=bool)
    held[keys[(keys > 0) & (keys < SIZE)]] = True
    return held


def _said(releases: list[Release]) -> dict[str, pd.DataFrame]:
    """What each list says of the type and phase of its schools, the oldest list first."""
    said = {}
    for release in sorted(releases, key=lambda one: (np.nan_to_num(dated(one)), one.name)):
        if release.layout.every_school and "type" in release.schools:
            rows = listed(release)
            phase = (
                rows["phase"]
                if "phase" in rows
                else rows["is_primary"]
                if "is_primary" in rows
                else rows["type"]
            )
            kind = rows["type"].astype("str").str.lower() + "|" + phase.astype("str")
            said[release.name] = pd.DataFrame({"urn": numbers(rows["urn"]), "kind": kind}).dropna(
                subset=["urn"]
            )
    return said


def _kinds(said: dict[str, pd.DataFrame], but: str) -> np.ndarray:
    """For each URN a number for its kind as the newest list but one has it; -1 where none does."""
    kind = np.full(SIZE, -1)
    others = [rows for file, rows in said.items() if file != but]
    if others:
        every = pd.concat(others).drop_duplicates("urn", keep="last")
        urn = every["urn"].to_numpy(dtype="int64")
        inside = (urn > 0) & (urn < SIZE)
        kind[urn[inside]] = pd.factorize(every["kind"])[0][inside]
    return kind


def _missing(
    whole: list[Part], bits: dict[int, np.ndarray], said: dict[str, pd.DataFrame], checks: Checks
) -> None:
    """Of the schools that files before and after a file both have, those it leaves out, of the kind it leaves
    out least.

    A file may leave out a kind of school (absence had no special schools) and then leaves out most of them;
    rows lost by accident are of every kind. Where there are files on one side only, schools that changed
    their URN since are among them.
    """
    every = _kinds(said, "")
    for part in whole:
        kind = _kinds(said, part.file) if part.file in said else every
        if np.isnan(part.on):
            continue
        others = [
            other
            for other in whole
            if other is not part and not np.isnan(other.on) and other.file != part.file
        ]
        near = [other for other in others if abs(other.on - part.on) <= FARTHEST]
        same = [other for other in near if other.kind == part.kind and other.family == part.family] or near
        before = max(
            (other for other in same if other.on <= part.on), key=lambda other: other.on, default=None
        )
        after = min((other for other in same if other.on > part.on), key=lambda other: other.on, default=None)
        around = [other for other in (before, after) if other is not None]
        if not around or (len(around) == 1 and abs(around[0].on - part.on) > ONE_SIDED):
            continue
        expected = np.logical_and.reduce([bits[id(other)] for other in around]) & (kind >= 0)
        groups = kind[expected]
        sizes = np.bincount(groups) if len(groups) else np.array([])
        lost = np.bincount(groups, weights=~bits[id(part)][expected]) if len(groups) else sizes
        large = sizes >= max(200, 0.05 * sizes.sum())
        if not large.any():
            continue
        share = float((lost[large] / sizes[large]).min())
        size = sizes[large][(lost[large] / sizes[large]).argmin()]
        gone = 0.0 if len(around) == 2 else 0.002 * abs(around[0].on - part.on)
        most = 0.006 + gone + allowance(0.004 + gone, size)
        checks.add(
            "missing", part.file, part.kind, share, None, most, " and ".join(other.file for other in around)
        )


def _strangers(
    releases: list[Release], parts: list[Part], bits: dict[int, np.ndarray], checks: Checks
) -> None:
    by_file: dict[str, np.ndarray] = {}
    for part in parts:
        if id(part) in bits:
            by_file[part.file] = by_file.get(part.file, np.zeros(SIZE, dtype=bool)) | bits[id(part)]
    count = sum((held.astype("int16") for held in by_file.values()), start=np.zeros(SIZE, dtype="int16"))
    # they name schools closed before any list
    wide = {part.file for part in parts if part.kind in ("links", "memberships")}
    for file, held in by_file.items():
        size = int(held.sum())
        if size >= 30 and len(by_file) > 3 and file not in wide:
            alone = float((count[held] == 1).mean())
            checks.add("strangers", file, "", alone, None, 0.5 + allowance(0.1, size))


def _another_year(parts: list[Part], bits: dict[int, np.ndarray], checks: Checks) -> None:
    """Whether the schools of a year's table fit the other tables of the year before or after better than
    those of its year.
    """
    tables = [part for part in parts if part.unique and part.kind in YEARLY and part.on == np.floor(part.on)]
    sizes = {id(part): bits[id(part)].sum() for part in tables}

    def fit(a: Part, b: Part) -> float:
        return (bits[id(a)] & bits[id(b)]).sum() / max(min(sizes[id(a)], sizes[id(b)]), 1)

    for part in tables:
        for step in (-1, 1):
            gains = []
            for other in tables:
                if other.kind != part.kind and other.on == part.on + step:
                    gains += [
                        fit(part, other) - fit(part, own)
                        for own in tables
                        if own.kind == other.kind and own.on == part.on
                    ]
            if gains and len(part.keys) >= 1000:
                checks.add("year", part.file, f"{part.kind}: {part.on + step:.0f}", max(gains), None, 0.02)


class _Authorities:
    """The authority of each URN, by number, as the files have it: from its LAESTAB or its column."""

    def __init__(self, releases: list[Release], keys: Keys) -> None:
        self.of_file: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
        self.first, self.last = (
            (np.zeros(SIZE, dtype="int32"), np.full(SIZE, -1, dtype="int32")) for _ in range(2)
        )
        self.files = {release.name: at for at, release in enumerate(releases)}
        for release in releases:
            for record, rows in release.records.items():
                given = "la_code" in rows or "laestab" in rows
                if given and (release.name, record) in keys and release.layout.dated != "period":
                    code = (
                        numbers(rows["la_code"]) if "la_code" in rows else numbers(rows["laestab"]) // 10000
                    )
                    urn = keys[release.name, record]
                    known = (code.notna() & urn.between(1, SIZE - 1)).to_numpy()
                    self.of_file[release.name, record] = (
                        urn.to_numpy()[known].astype("int64"),
                        code.to_numpy()[known].astype("int32"),
                    )
        for (file, _), (urn, code) in self.of_file.items():
            new = self.first[1][urn] < 0
            for (held, files), chosen in ((self.first, new), (self.last, np.ones(len(urn), dtype=bool))):
                held[urn[chosen]], files[urn[chosen]] = code[chosen], self.files[file]

    def elsewhere(self, file: str, urn: np.ndarray) -> np.ndarray:
        """The authority of each URN as another file has it; 0 where none has."""
        own = self.files[file]
        (first, first_file), (last, last_file) = self.first, self.last
        result = np.where(last_file[urn] != own, last[urn], np.where(first_file[urn] != own, first[urn], 0))
        return np.where(last_file[urn] < 0, 0, result)


def _together(
    release: Release, record: str, rows: pd.DataFrame, authority: _Authorities, checks: Checks
) -> None:
    """Columns that belong together: an authority and its region, a trust's number and name, a URN and its
    authority.
    """
    file = release.name
    held = {
        name: codes(rows[name]) for name in {name for pair in GO_TOGETHER for name in pair} if name in rows
    }
    if "laestab" in rows:
        held["authority of LAESTAB"] = np.nan_to_num(
            numbers(rows["laestab"]).to_numpy() // 10000, nan=-1
        ).astype("int64")
    for one, other in GO_TOGETHER:
        if one in held and other in held:
            known = (held[one] >= 0) & (held[other] >= 0)
            if known.sum() >= FEWEST:
                share = going_together(held[one][known], held[other][known])
                checks.add(
                    "together",
                    file,
                    f"{record} {one} and {other}",
                    share,
                    0.95 - allowance(0.02, known.sum()),
                )
    if {"latitude", "longitude"} <= set(rows):
        _located(file, record, rows, authority, checks)
    if (file, record) in authority.of_file:
        urn, code = authority.of_file[file, record]
        theirs = authority.elsewhere(file, urn)
        if (theirs > 0).sum() >= FEWEST:
            same = (code == theirs)[theirs > 0].mean()
            checks.add(
                "together",
                file,
                f"{record} URN and authority",
                same,
                0.85 - allowance(0.1, (theirs > 0).sum()),
            )


def _located(file: str, record: str, rows: pd.DataFrame, authority: _Authorities, checks: Checks) -> None:
    inside = rows["latitude"].between(49.8, 55.9) & rows["longitude"].between(-6.6, 1.9)
    checks.add("range", file, "places in England", inside.mean(), 0.98)
    urn = numbers(rows["urn"]).fillna(0).clip(upper=SIZE - 1).astype("int64").to_numpy()
    where = authority.elsewhere(file, urn)
    if (where > 0).sum() >= 300:
        for axis in ("latitude", "longitude"):
            values = rows[axis][where > 0]
            within = values.groupby(where[where > 0]).transform("mean")
            checks.add("together", file, f"{record} {axis} and authority", within.var() / values.var(), 0.8)


def _links(release: Release, checks: Checks) -> None:
    """Links between URNs: each told from both sides, and from the older to the newer."""
    if "links" not in release.records:
        return
    rows = release.records["links"]
    urn, other, kind = (
        numbers(rows["urn"]),
        numbers(rows["linked_urn"]),
        rows["link_type"].fillna("").str.lower(),
    )
    for word, sign in (("predecessor", -1), ("successor", 1)):
        chosen = kind.str.startswith(word)
        if chosen.sum() >= FEWEST:
            right = (np.sign(other - urn)[chosen] == sign).mean()
            checks.add(
                "together",
                release.name,
                f"links: {word} and the order of URNs",
                right,
                0.85 - allowance(0.1, chosen.sum()),
            )
    code = urn * SIZE + other
    mirrored = code.isin(other * SIZE + urn)
    if len(rows) >= FEWEST:
        checks.add(
            "together",
            release.name,
            "links: told from both sides",
            mirrored.mean(),
            0.9 - allowance(0.05, len(rows)),
        )
        checks.add(
            "twice",
            release.name,
            "links",
            pd.DataFrame({"a": code, "k": kind}).duplicated().mean(),
            None,
            0.02,
        )


def _registers(release: Release, checks: Checks) -> None:
    """Registers: schools that have closed have a day of it, and those open none."""
    rows = release.schools
    if not {"status", "closed_on"} <= set(rows) or len(rows) < FEWEST:
        return
    closed = rows["status"].fillna("").str.lower().str.startswith("closed")
    for about, chosen, low, high in (
        ("closed schools with a day of closing", closed, 0.8, None),
        ("open schools with a day of closing", ~closed, None, 0.2),
    ):
        if chosen.sum() >= FEWEST:
            checks.add("together", release.name, about, rows["closed_on"][chosen].notna().mean(), low, high)
