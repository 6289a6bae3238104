"""Releases taken apart into what can be compared: each record of a file, or each period of one, by the keys
of its rows.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from headway.pipelines import files
from headway.pipelines.files import Release, numbers
from headway.pipelines.ingest import schools

FEWEST = 100  # rows or values below which nothing is concluded from a share or a middle
VISITS = ("latest", "previous", "inspection", "history", "report_card", "ungraded", "register")
_NOT_MEASURED = ("monitoring", "ungraded", "register")

_NO_WORDS = (
    "urn",
    "period",
    "level",
    "member_urns",
    "constituency",
    "inspection_type",
    "event_type",
    "report_link",
)

Keys = dict[tuple[str, str], pd.Series]  # the URN of each row, by file and record


def years(day: pd.Timestamp) -> float:
    """A day as years since our era, for how far two files are apart."""
    return np.nan if pd.isna(day) else day.year + day.day_of_year / 366


@dataclass
class Part:
    """One record of one file, or one period of it: what it is, when it is of, and its rows.

    `keys` are the schools (or trusts) of the rows, and `unique` says that each has one row, so that two parts
    can be compared school by school. `on` is in years; blank where the file has no day.
    """

    file: str
    kind: str
    on: float
    rows: pd.DataFrame
    keys: np.ndarray
    unique: bool
    required: frozenset[str] = frozenset()
    every_school: bool = False
    family: str = ""
    record: str = ""
    coded: dict[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def measures(self) -> list[str]:
        """The columns that hold figures: numbers, shares, grades."""
        return [name for name in self.rows if self.rows[name].dtype.kind in "fiu" and name != "period"]

    @cached_property
    def words(self) -> list[str]:
        """The columns that hold words and keys, but for the reasons of blanks."""
        return [
            name
            for name in self.rows
            if name not in _NO_WORDS
            and not name.endswith("_why_blank")
            and self.rows[name].dtype.kind not in "fiubM"
        ]

    @cached_property
    def figures(self) -> np.ndarray:
        """The measures as one array, a row each row."""
        return self.rows[self.measures].to_numpy(dtype="float64", na_value=np.nan)

    @cached_property
    def ranks(self) -> np.ndarray:
        """The figures as ranks from 0 to 1."""
        return self.rows[self.measures].rank(pct=True).to_numpy(dtype="float64", na_value=np.nan)

    @cached_property
    def blank(self) -> dict[str, float]:
        """The share of each column that is blank."""
        names = [*self.measures, *self.words]
        return dict(zip(names, self.rows[names].isna().mean().to_numpy(), strict=True)) if names else {}

    @cached_property
    def relations(self) -> tuple[np.ndarray, np.ndarray]:
        """Rank correlations of the measures among themselves, and how many rows have both."""
        return correlations(self.ranks, self.ranks)

    def word(self, name: str) -> np.ndarray:
        """A column of words as compared, a number for each word in every part; -1 is blank."""
        if name not in self.coded:
            self.coded[name] = codes(self.rows[name])
        return self.coded[name]


def codes(words: pd.Series) -> np.ndarray:
    """A number for each word, the same for the same word anywhere: of its letters and figures in lower case;
    -1 is blank.
    """
    places, distinct = pd.factorize(words)
    if not len(distinct):
        return np.full(len(words), -1)
    text = pd.Series(distinct).astype("str").str.lower().str.replace(r"[^a-z0-9]+", "", regex=True)
    hashed = (pd.util.hash_array(text.to_numpy(dtype=object)) >> 2).astype("int64")
    return np.where(places < 0, -1, hashed[places])


def correlations(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlations of each column of `a` with each of `b`, over the rows that have both, and how many those
    are.
    """
    in_a, in_b = ~np.isnan(a), ~np.isnan(b)
    a, b = np.where(in_a, a - 0.5, 0.0).astype("float32"), np.where(in_b, b - 0.5, 0.0).astype("float32")
    ma, mb = in_a.astype("float32"), in_b.astype("float32")
    count = ma.T @ mb
    with np.errstate(invalid="ignore", divide="ignore"):
        sum_a, sum_b = a.T @ mb, ma.T @ b
        spread_a, spread_b = (a * a).T @ mb - sum_a**2 / count, ma.T @ (b * b) - sum_b**2 / count
        together = (a.T @ b - sum_a * sum_b / count) / np.sqrt(spread_a * spread_b)
    return count, np.where((count >= 30) & (spread_a > 1e-3) & (spread_b > 1e-3), together, np.nan)


def going_together(a: np.ndarray, b: np.ndarray, fewest: int = 5) -> float:
    """The share of rows whose `b` is what mostly goes with their `a`, over those `a` that stand in so many
    rows or more.
    """
    pairs, sizes = np.unique(np.stack([a, b]), axis=1, return_counts=True) if len(a) < 50 else _counted(a, b)
    firsts, where = np.unique(pairs[0], return_inverse=True)
    most, total = np.zeros(len(firsts)), np.zeros(len(firsts))
    np.maximum.at(most, where, sizes)
    np.add.at(total, where, sizes)
    large = total >= fewest
    return (
        float(most[large].sum() / total[large].sum())
        if total[large].sum() >= max(0.5 * len(a), 1)
        else np.nan
    )


def _counted(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    (a, first), (b, second) = pd.factorize(a), pd.factorize(b)
    both, sizes = np.unique(a * np.int64(len(second)) + b, return_counts=True)
    return np.stack([first[both // len(second)], second[both % len(second)]]), sizes


def taken_apart(releases: list[Release], keys: Keys) -> list[Part]:
    """Every part of every release that holds rows."""
    parts = []
    for release in releases:
        for record, rows in release.records.items():
            if record not in _NOT_MEASURED and len(rows) and len(rows.columns):
                parts += _of_record(release, record, rows, keys)
    return parts


def urns(releases: list[Release]) -> Keys:
    """The URN of each row of each record, as numbers: its own, or that of the school in its row."""
    held = {}
    for release in releases:
        of_schools = numbers(release.schools["urn"]) if len(release.schools) else None
        for record, rows in release.records.items():
            if record != "schools" and "urn" in rows:
                held[release.name, record] = numbers(rows["urn"])
            elif of_schools is not None:
                held[release.name, record] = of_schools
            elif ":" in record and "urn" in (own := release.records[record.partition(":")[0]]):
                held[release.name, record] = numbers(own["urn"])
    return held


def listed(release: Release) -> pd.DataFrame:
    """The rows of a list of schools that are open schools Ofsted reports on."""
    rows = release.schools
    kept = schools.state_funded(rows)
    if "status" in rows:
        status = rows["status"].fillna("").str.lower()
        kept &= status.str.startswith("open") & ~status.str.contains("proposed to open")
    return rows[kept]


def dated(release: Release) -> float:
    """When a file is of, in years: the day in its name, or the year of its tables."""
    if release.layout.dated == "tables":
        return float(files.tables_year(release.name) or np.nan)
    return years(files.day_in_name(release.name) or release.file_on)


def _of_record(release: Release, record: str, rows: pd.DataFrame, urns: Keys) -> list[Part]:
    whole = record
    record, _, earlier = record.partition(":")
    layout, kind, on = release.layout, record, float(earlier) if earlier else dated(release)
    if record == "schools":
        if not (layout.every_school and schools.described(release)):
            return []
        rows = listed(release)
    if record == "results":
        kind = f"results at {16 if 'attainment_8' in rows else 11}"
    if record == "trusts":
        kind = f"trusts, {'16' if rows.columns.intersection(['progress_8', 'attainment_8']).size else '11'}"
    if record in VISITS:
        kind = f"{record} of {'a list' if layout.every_school else 'a history'}"
    if earlier:
        kind = f"earlier {kind}"
        rows = rows[rows[[name for name in rows if not name.endswith("_why_blank")]].notna().any(axis=1)]
    key = "trust_uid" if record == "trusts" else "urn" if (release.name, whole) in urns else "la_code"
    keys = urns[release.name, whole].reindex(rows.index) if key == "urn" else numbers(rows[key])
    keys = keys.fillna(0).astype("int64")
    needed = frozenset(column.name for column in layout.records.get(record, ()) if column.required)
    family = "register" if "status" in rows else "list"

    def part(at: float, frame: pd.DataFrame, where: pd.Series) -> Part:
        values = where.to_numpy()
        unique = len(values) == len(np.unique(values)) and record not in (
            "latest",
            "previous",
            "report_card",
            "history",
            "inspection",
        )
        return Part(release.name, kind, at, frame, values, unique, needed, layout.every_school, family, whole)

    if layout.dated == "period" and "period" in rows:
        return [part(float(period), group, keys[group.index]) for period, group in rows.groupby("period")]
    return [part(on, rows, keys)] if len(rows) else []
