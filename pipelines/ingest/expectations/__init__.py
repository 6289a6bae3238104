"""What is expected of every release, checked before anything is written.

Each check gives a figure, and the range it has in true files: `sources.EXPECTED` declares the ranges, beside
the layouts. A figure outside it stops the ingest, with the figure, the usual one, the file, and the name by
which to accept it. Most figures come from comparing a file with the two nearest files of its kind: it stops
where it agrees with neither, so that of two files that differ the odd one out is named. Where a file stands
alone, what can be told from it alone is checked.

pandera and its like were considered: they check columns of one frame against fixed rules, which the layouts
do already at reading. What gives a damaged release away is how it differs from other files, of which they
know nothing.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

import pandas as pd

from headway.pipelines import sources
from headway.pipelines.files import Release
from headway.pipelines.ingest.expectations import alike, days, places, visits
from headway.pipelines.ingest.expectations.before import Before
from headway.pipelines.ingest.expectations.checks import NAMES, Check, Checks
from headway.pipelines.ingest.expectations.parts import VISITS, taken_apart, urns
from headway.pipelines.tables import DataError

SHOWN = 4  # breaches of one check that a message spells out


def check(
    releases: list[Release],
    today: pd.Timestamp,
    accepted: Iterable[str] = (),
    as_made: Collection[str] = (),
    before: Before | None = None,
) -> dict[str, Any]:
    """Make every check, but for those that `before` kept of the same files; the report of them, for
    `ingest.json`.

    `accepted` are names of checks and files, as `rows:31_August_2025.csv`, whose breaches are let through, as
    are those of `as_made`, made-up files that are as they were made. Raises `DataError` with every other
    breach of every file.
    """
    accepted = list(accepted)
    if unknown := [name for name in accepted if name.partition(":")[0] not in NAMES or ":" not in name]:
        raise DataError(
            f"There is no check {', '.join(unknown)}.\nA name to accept is a check and a file, as "
            f"rows:31_August_2025.csv. The checks: {', '.join(NAMES)}."
        )
    checks = made(releases, today, before)
    for one in checks.made:
        made_so = (
            any(one.file == name or one.file.startswith(f"{name}/") for name in as_made)
            if one.breached
            else False
        )
        one.accepted = one.breached and (made_so or any(_names(name, one) for name in accepted))
        one.known = next(
            (
                why
                for pattern, column, why in sources.KNOWN_ODD
                if one.breached and re.search(pattern, one.file) and column in one.about
            ),
            "",
        )
    if breaches := [one for one in checks.made if one.breached and not one.accepted and not one.known]:
        raise DataError(_message(breaches))
    return {"checks": [_report(one) for one in checks.made], "not_compared": checks.alone}


def made(releases: list[Release], today: pd.Timestamp, before: Before | None = None) -> Checks:
    """Every check of every release; comparisons that `before` kept are taken from there."""
    before = before or Before()
    checks = Checks()
    keys = urns(releases)
    parts = taken_apart(releases, keys)
    days.check(releases, today, checks)
    held = alike.kinds(parts)
    for kind in held:
        files = {part.file for part in (*held[kind], *alike.against(kind, held))}
        before.or_made(kind, files, checks, lambda found, kind=kind: alike.check(kind, held, found))
    every = {release.name for release in releases}
    visited = {release.name for release in releases if set(release.records) & set(VISITS)}
    before.or_made("visits", visited, checks, lambda found: visits.check(releases, keys, found))
    before.or_made("places", every, checks, lambda found: places.check(releases, parts, keys, found))
    return checks


def _names(accepted: str, one: Check) -> bool:
    """Whether a name to accept is this check's: with the file as a path under the raw folder, or its last
    part.
    """
    name, _, file = accepted.partition(":")
    return name == one.name and file in (one.file, one.file.rpartition("/")[2], one.file.partition("/")[2])


def _report(one: Check) -> dict[str, Any]:
    values = asdict(one) | {"breached": one.breached}
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}
    return {name: value for name, value in rounded.items() if value not in ("", None, False)}


def _message(breaches: list[Check]) -> str:
    lines = []
    for file in dict.fromkeys(one.file for one in breaches):
        lines.append(f"{file} is not like a true release:")
        for name in dict.fromkeys(one.name for one in breaches if one.file == file):
            same = [one for one in breaches if one.file == file and one.name == name]
            lines += [f"  {_sentence(one)}" for one in same[:SHOWN]]
            if len(same) > SHOWN:
                lines.append(f"  and {len(same) - SHOWN} more of {name}")
            lines.append(f"    If it is right: --accept '{same[0].key}'")
        lines.append("")
    return "\n".join(
        [*lines, "Nothing was written. Download a damaged file again; or accept what is right by its name."]
    )


def _sentence(one: Check) -> str:
    usual = (
        f"{one.low:.4g} to {one.high:.4g}"
        if one.low is not None and one.high is not None
        else f"at least {one.low:.4g}"
        if one.low is not None
        else f"at most {one.high:.4g}"
    )
    against = f" (compared with {one.against})" if one.against else ""
    return f"{one.name}, {one.about}: {NAMES[one.name]}: {one.figure:.4g}; usual is {usual}{against}"
