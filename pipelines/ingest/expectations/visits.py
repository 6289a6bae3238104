"""The inspections of each file: their days, their grades, and the same inspections in other files."""

import numpy as np
import pandas as pd

from headway.pipelines import frameworks
from headway.pipelines.files import Release, numbers
from headway.pipelines.ingest.expectations.checks import Checks, allowance
from headway.pipelines.ingest.expectations.parts import FEWEST, VISITS, Keys
from headway.pipelines.sources import STANDARD_PROFILE

SAME = 21  # days within which two files speak of one inspection
OTHER = 400  # days further than which they speak of two
JUDGED = (
    "overall",
    "leadership",
    "quality_of_education",
    "teaching",
    "achievement",
    "behaviour",
    "personal_development",
    "early_years",
    "sixth_form",
)
ALWAYS = tuple(area for area in frameworks.AREAS if area not in frameworks.WHERE_APPLICABLE)
LATELY = 1100  # days back to which a list of latest inspections has most of them
MONTH_FEWEST = 15  # inspections expected in a month before its being empty says anything


def check(releases: list[Release], keys: Keys, checks: Checks) -> None:
    """All checks of inspections."""
    every = []
    for release in releases:
        for record in VISITS:
            rows = release.records.get(record)
            if rows is None or not len(rows) or not {"inspected_on", "ended_on"} & set(rows):
                continue
            visits = _visits(release, record, rows, keys.get((release.name, record)))
            _days(release, record, rows, visits, checks)
            _grades(release, record, rows, checks)
            if record == "report_card":
                _cards(release, rows, checks)
            every.append(visits)
    if every:
        _elsewhere(pd.concat(every, ignore_index=True), checks)


def _visits(release: Release, record: str, rows: pd.DataFrame, listed: pd.Series | None) -> pd.DataFrame:
    listed = (pd.Series(np.nan, index=rows.index) if listed is None else listed).reindex(rows.index)
    urn = numbers(rows["urn_then"]) if "urn_then" in rows else listed
    days = rows["inspected_on"] if "inspected_on" in rows else rows["ended_on"]
    if {"inspected_on", "ended_on"} <= set(rows):
        days = days.where(days.notna(), rows["ended_on"])
    judged = {
        name: pd.to_numeric(rows[name], errors="coerce").astype("float64")
        for name in JUDGED
        if name in rows and record != "report_card"
    }
    full = release.layout.depth == 99 and record in ("inspection", "history")
    return (
        pd.DataFrame(
            {
                "urn": urn.where(urn.notna(), listed),
                "day": days,
                "file": release.name,
                "record": record,
                "full": full,
                **judged,
            }
        )
        .dropna(subset=["urn", "day"])
        .astype({"urn": "int64"})
    )


# --- days ---------------------------------------------------------------------------------------------------


def _days(release: Release, record: str, rows: pd.DataFrame, visits: pd.DataFrame, checks: Checks) -> None:
    for column, most in (("inspected_on", 0.02), ("ended_on", 0.25)):
        if column in rows and len(held := rows[column].dropna()) >= 30:
            share = float((held.dt.day_of_week >= 5).mean())
            checks.add(
                "weekend", release.name, f"{record} {column}", share, None, most + allowance(most, len(held))
            )
    if {"published_on", "inspected_on"} <= set(rows) and record != "register":
        lag = (rows["published_on"] - rows["inspected_on"]).dt.days.dropna()
        if len(lag) >= 30:
            slack = 60 / np.sqrt(len(lag))
            checks.add("reports", release.name, f"{record}: middle", lag.median(), 10 - slack, 90 + slack)
            odd = float(((lag < 1) | (lag > 365)).mean())
            checks.add(
                "reports",
                release.name,
                f"{record}: share before the inspection or over a year after",
                odd,
                None,
                0.03 + allowance(0.03, len(lag)),
            )
    if record in ("inspection", "history", "report_card") and release.layout.repeats and len(visits) >= 30:
        again = float(visits.duplicated(["urn", "day"]).mean())
        checks.add("twice", release.name, record, again, None, 0.01 + allowance(0.01, len(visits)))
        graded = visits[visits["overall"].notna()] if "overall" in visits else visits[:0]
        if len(graded) >= 30:
            graded = graded.sort_values(["urn", "day"])
            soon = graded["urn"].eq(graded["urn"].shift()) & (graded["day"].diff() < pd.Timedelta(days=45))
            checks.add(
                "twice",
                release.name,
                f"{record}: again within 45 days",
                soon.mean(),
                None,
                0.02 + allowance(0.02, len(graded)),
            )
    if record in ("inspection", "history", "latest", "report_card"):
        recent = visits["day"] > visits["day"].max() - pd.Timedelta(days=LATELY)
        _months(release.name, record, visits["day"][recent] if record == "latest" else visits["day"], checks)


def _months(file: str, record: str, days: pd.Series, checks: Checks) -> None:
    """Months with next to none of the inspections that the months about them, or the same month of other
    years, had.
    """
    if len(days) < FEWEST:
        return
    month = (days.dt.year * 12 + days.dt.month - 1).to_numpy()
    first = month.min()
    counts = np.bincount(month - first).astype(float)
    worst = None
    for at in range(1, len(counts) - 1):
        calendar = (first + at) % 12 + 1
        if calendar == 8 or _paused(first + at):
            continue
        others = [
            counts[at + 12 * step]
            for step in (-2, -1, 1, 2)
            if 0 < at + 12 * step < len(counts) - 1 and not _paused(first + at + 12 * step)
        ]
        beside = [
            counts[at + step]
            for step in (-1, 1)
            if (first + at + step) % 12 + 1 != 8 and not _paused(first + at + step)
        ]
        guesses = ([min(others)] if len(others) >= 2 else []) + (
            [0.4 * min(beside)] if len(beside) == 2 else []
        )
        expected = max(guesses, default=0.0)
        if expected >= MONTH_FEWEST and (worst is None or counts[at] / expected < worst[0]):
            # Of a dozen or two expected one or none may come by chance.
            least = max(0.1 - 1.5 * np.sqrt(0.1 / expected), 0.0)
            worst = (counts[at] / expected, f"{record} {(first + at) // 12}-{calendar:02}", least)
    if worst:
        checks.add("months", file, worst[1], worst[0], worst[2])


def _paused(month: int) -> bool:
    start = pd.Timestamp(month // 12, month % 12 + 1, 1)
    end = start + pd.offsets.MonthEnd(1)
    return any(start <= until and end >= since for since, until in frameworks.PAUSES)


# --- grades -------------------------------------------------------------------------------------------------


def _grades(release: Release, record: str, rows: pd.DataFrame, checks: Checks) -> None:
    if record == "report_card":
        return
    judged = {
        name: pd.to_numeric(rows[name], errors="coerce").astype("float64") for name in JUDGED if name in rows
    }
    overall, led = judged.get("overall"), judged.get("leadership")
    for name in ("overall", "leadership"):
        if name in judged and (count := judged[name].notna().sum()) >= FEWEST:
            slack = 4.5 * 0.7 / np.sqrt(count)
            checks.add(
                "grades", release.name, f"{record} {name}", judged[name].mean(), 1.6 - slack, 2.75 + slack
            )
            if record in ("latest", "register"):
                good = (judged[name] <= frameworks.GOOD).mean() / judged[name].notna().mean()
                checks.add(
                    "grades",
                    release.name,
                    f"{record} {name}: share good or better",
                    good,
                    0.68 - allowance(0.3, count),
                )
    if overall is None or led is None:
        return
    both = overall.notna() & led.notna()
    if both.sum() >= FEWEST:
        like, worse = (overall[both] == led[both]).mean(), (led[both] > overall[both]).mean()
        slack = allowance(0.08, both.sum())
        checks.add(
            "leadership",
            release.name,
            f"{record}: equal",
            like,
            0.83 - slack,
            0.978 + allowance(0.022, both.sum()) / 2,
        )
        checks.add(
            "leadership",
            release.name,
            f"{record}: worse than overall",
            worse,
            None,
            0.022 + allowance(0.015, both.sum()),
        )
    for name, least in (("quality_of_education", 0.83), ("teaching", 0.83)):
        if name in judged and (seen := overall.notna() & judged[name].notna()).sum() >= FEWEST:
            like = (overall[seen] == judged[name][seen]).mean()
            checks.add(
                "rule",
                release.name,
                f"{record}: overall like {name}",
                like,
                least - allowance(0.1, seen.sum()),
            )
    if "quality_of_education" in judged and "category" in rows:
        follows = frameworks.overall_from_judgements(judged["quality_of_education"], led, rows["category"])
        seen = follows.notna() & overall.notna()
        if seen.sum() >= 50:
            checks.add(
                "rule",
                release.name,
                f"{record}: overall from judgements",
                (follows == overall)[seen].mean(),
                0.985 - allowance(0.01, seen.sum()),
            )
    if "category" in rows and (bad := overall.eq(4)).sum() >= 20:
        checks.add(
            "category",
            release.name,
            record,
            rows["category"][bad].notna().mean(),
            0.6 - allowance(0.2, bad.sum()),
        )
        others = rows["category"].notna() & overall.lt(4)
        checks.add(
            "category",
            release.name,
            f"{record}: of the others",
            others.sum() / max((overall < 4).sum(), 1),
            None,
            0.03,
        )


def _cards(release: Release, rows: pd.DataFrame, checks: Checks) -> None:
    """The standards of report cards: which areas a card has, and how the areas compare."""
    standards = rows[[area for area in frameworks.AREAS if area in rows]].astype("float64")
    standards = standards[standards.notna().any(axis=1)]
    count = len(standards)
    if count < 50:
        return
    always = standards[list(ALWAYS)]
    whole = always.notna().all(axis=1).mean()
    checks.add("together", release.name, "areas that every school has", whole, 0.95 - allowance(0.03, count))
    means = always.mean() - always.mean().mean()
    for area, usual in STANDARD_PROFILE.items():
        slack = 0.16 + 4.5 * 0.55 / np.sqrt(count)
        checks.add("profile", release.name, area, means[area] - usual, -slack, slack)
    checks.add(
        "profile",
        release.name,
        "all areas",
        np.corrcoef(means, [STANDARD_PROFILE[area] for area in means.index])[0, 1],
        0.7 - 2.5 / np.sqrt(count),
    )
    checks.add("grades", release.name, "mean standard", always.mean().mean(), 2.3, 3.4)
    phase = release.schools["phase"].reindex(standards.index) if "phase" in release.schools else None
    if phase is not None and phase.eq("Primary").sum() >= 50:
        primary = phase.eq("Primary")
        if "post_16" in standards:
            later = standards["post_16"][primary].notna().mean()
            checks.add("applies", release.name, "primary schools: post-16", later, None, 0.06)
        if "early_years" in standards:
            early = standards["early_years"].notna()
            checks.add(
                "applies", release.name, "primary schools: early years", early[primary].mean(), 0.6, None
            )


# --- the same inspections in other files --------------------------------------------------------------------


def _elsewhere(every: pd.DataFrame, checks: Checks) -> None:
    """Each file's graded inspections beside those of the other files: grades, days, and whether full
    histories have them.

    Mentions of a school on one day are an event. The nearest event that another file mentions is looked for
    among the two before and the two after.
    """
    graded = every[[name for name in ("overall", "leadership") if name in every]].notna().any(axis=1)
    seen = every[graded & ~every["record"].isin(["ungraded", "report_card"])]
    if seen.empty:
        return
    files, names = pd.factorize(seen["file"])
    day = seen["day"].to_numpy("datetime64[D]").astype("int64")
    order = np.lexsort((files, day, seen["urn"].to_numpy()))
    urn, day, files = seen["urn"].to_numpy()[order], day[order], files[order]
    record, full = pd.Categorical(seen["record"].to_numpy()[order]), seen["full"].to_numpy()[order]
    known = np.asarray(record != "register")
    starts = np.flatnonzero(np.r_[True, (urn[1:] != urn[:-1]) | (day[1:] != day[:-1])])
    event = np.cumsum(np.r_[True, (urn[1:] != urn[:-1]) | (day[1:] != day[:-1])]) - 1
    # the files of an event: one, or more than one
    owner = np.minimum.reduceat(np.where(known, files, 1 << 20), starts)
    most = np.maximum.reduceat(np.where(known, files, -1), starts)
    nearest, apart = _nearest(event, urn[starts], day[starts], files, owner, most)
    same = np.abs(apart) <= SAME
    judged = {name: seen[name].to_numpy()[order] for name in JUDGED if name in seen}
    agree = {name: _agree(values, known, starts, nearest, same) for name, values in judged.items()}
    groups = (
        pd.DataFrame({"file": files, "record": np.asarray(record)})
        .groupby(["file", "record"], sort=False)
        .indices
    )
    for (file, kind), rows in groups.items():
        _of_file(names[file], kind, rows, apart, same, agree, checks)
    histories = {file for file in np.unique(files[full])}
    for file in histories:
        _in_history(file, names, files, record, urn, day, full, checks)


def _nearest(
    event: np.ndarray,
    urn: np.ndarray,
    day: np.ndarray,
    files: np.ndarray,
    owner: np.ndarray,
    most: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """For each mention the nearest event of the same school that another file mentions, and how many days
    later it is.
    """
    best, apart = np.full(len(event), -1), np.full(len(event), np.nan)
    for step in (0, -1, 1, -2, 2):
        other = event + step
        inside = (other >= 0) & (other < len(urn))
        other = np.where(inside, other, event)
        others = (
            inside
            & (urn[other] == urn[event])
            & (most[other] >= 0)
            & ((owner[other] != files) | (most[other] != files))
        )
        gap = (day[other] - day[event]).astype("float64")
        nearer = others & (np.isnan(apart) | (np.abs(gap) < np.abs(apart)))
        best, apart = np.where(nearer, other, best), np.where(nearer, gap, apart)
    return best, apart


def _agree(
    values: np.ndarray, known: np.ndarray, starts: np.ndarray, nearest: np.ndarray, same: np.ndarray
) -> np.ndarray:
    """For each mention whether its grade is that of the same inspection elsewhere: 1 or 0; blank where either
    has none.
    """
    with_grade = ~np.isnan(values) & known
    low = np.minimum.reduceat(np.where(with_grade, values, np.inf), starts)
    high = np.maximum.reduceat(np.where(with_grade, values, -np.inf), starts)
    low, high = low[nearest], high[nearest]
    return np.where(same & ~np.isnan(values) & (low <= high), (values == low) & (values == high), np.nan)


def _of_file(
    file: str,
    kind: str,
    rows: np.ndarray,
    apart: np.ndarray,
    same: np.ndarray,
    agree: dict[str, np.ndarray],
    checks: Checks,
) -> None:
    beside = apart[rows][~np.isnan(apart[rows])]
    if len(beside) < 30:
        return
    moved = ((np.abs(beside) > SAME) & (np.abs(beside) <= OTHER)).mean()
    checks.add("days moved", file, kind, moved, None, 0.04 + allowance(0.03, len(beside)))
    near = beside[np.abs(beside) <= SAME]
    if len(near) >= 30 and kind != "register":
        checks.add("days moved", file, f"{kind}: middle difference", abs(np.median(near)), None, 4)
    for name, values in agree.items():
        held = values[rows][~np.isnan(values[rows])]
        if len(held) >= 30:
            checks.add(
                "same inspection", file, f"{kind} {name}", held.mean(), 0.98 - allowance(0.01, len(held))
            )


def _in_history(
    history: int,
    names: pd.Index,
    files: np.ndarray,
    record: pd.Categorical,
    urn: np.ndarray,
    day: np.ndarray,
    full: np.ndarray,
    checks: Checks,
) -> None:
    """Of the inspections in a history's years, of schools it has, the share that it has too."""
    whole = (files == history) & full
    keys = np.sort(urn[whole] * np.int64(100_000) + day[whole])
    first, last = day[whole].min() + SAME, day[whole].max() - 90
    within = (
        (files != history)
        & np.asarray(record != "register")
        & (day >= first)
        & (day <= last)
        & np.isin(urn, urn[whole])
    )
    if not within.any():
        return
    mine = urn[within] * np.int64(100_000) + day[within]
    at = np.searchsorted(keys, mine)
    beside = (keys[np.clip(place, 0, len(keys) - 1)] for place in (at, at - 1))
    there = np.minimum.reduce([np.abs(key - mine) for key in beside]) <= SAME
    shares = pd.Series(there).groupby([files[within], np.asarray(record)[within]]).agg(["mean", "size"])
    shares = shares[shares["size"] >= 50]
    for (file, kind), share in shares.iterrows():
        checks.add(
            "in histories",
            names[file],
            kind,
            share["mean"],
            0.8 - allowance(0.1, share["size"]),
            None,
            names[history],
        )
    if len(shares):
        checks.add(
            "in histories",
            names[history],
            "has what other files have",
            shares["mean"].max(),
            0.85 - allowance(0.1, shares["size"].max()),
        )
