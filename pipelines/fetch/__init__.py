"""Official pages to data/raw: what the services list, brought politely, checked, and noted in a manifest.

`services` is the one table of addresses, `web` brings a file, `content` says whether it is what was asked
for. A file that was there is replaced in one step, and only by one that passed. Tested against a server that
plays these services as their providers document them, never against the services themselves.
"""

import datetime
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from headway.pipelines import tables
from headway.pipelines.fetch import content
from headway.pipelines.fetch.services import HOSTS, KINDS, SERVICES, Choice, Wanted
from headway.pipelines.fetch.web import Came, Limits, NotThere, Refused, Web, forget
from headway.pipelines.ingest import MADE_UP
from headway.pipelines.tables import Busy, DataError, sha256

__all__ = ["KINDS", "MANIFEST", "Limits", "Listed", "fetch", "listing"]

MANIFEST = "manifest.json"
LICENCE = "Contains public sector information licensed under the Open Government Licence v3.0."

Notes = dict[str, dict[str, Any]]  # what the manifest says of each file, by its name under data/raw
Tell = Callable[[str, int, int | None], None]  # a file's name, the bytes there, and how many there will be


@dataclass(frozen=True)
class Listed:
    """A file that would be brought, from its first address; `state` is new, changed or have."""

    wanted: Wanted
    choice: Choice
    state: str


def fetch(
    raw: Path,
    *,
    kinds: tuple[str, ...] = (),
    since: datetime.date | None = None,
    today: datetime.date | None = None,
    base: str | None = None,
    limits: Limits | None = None,
    say: Callable[[str], None] = print,
    tell: Tell | None = None,
) -> dict[str, list[str]]:
    """Bring to `raw` what the services have and we don't; returns the names of the files new, changed, had
    and not out.

    Only of `kinds`, all where there are none, and only what can have come out since a day. Each file is noted
    in the manifest as it comes, so that whatever ends a run costs no more than its last file. Raises
    `DataError` once all have been tried, naming what didn't come; what did is kept. Raises `Busy` where
    another fetch is at work in `raw`.
    """
    raw.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(raw / ".fetch.lock", timeout=0):
            return _fetch(raw, kinds, since, today or datetime.date.today(), _web(base, limits), say, tell)
    except Timeout as error:
        raise Busy(f"Another `headway fetch` is at work in {raw}.\nWait for it, or try again.") from error


def _fetch(
    raw: Path,
    kinds: tuple[str, ...],
    since: datetime.date | None,
    day: datetime.date,
    web: Web,
    say: Callable[[str], None],
    tell: Tell | None,
) -> dict[str, list[str]]:
    notes = _manifest(raw)
    report: dict[str, list[str]] = {"new": [], "changed": [], "have": [], "not out": []}
    failed: list[str] = []
    for wanted in _all(web, kinds, since, day, failed):
        try:
            state, name = _brought(raw, wanted, notes, web, day, tell or (lambda name, done, total: None))
        except Refused as why:
            name = wanted.choices[0].name
            if not (wanted.may_be_missing and isinstance(why, NotThere)):
                failed.append(f"{name}: {why}.")
                say(f"did not come: {name}")
                continue
            state = "not out"
        report[state].append(name)
        if state != "have":
            say(f"{state}: {name}")
    if failed:
        raise DataError(
            "\n".join(
                [
                    (
                        f"{len(failed)} of what was looked for did not come. What was there before is kept, "
                        "and "
                        "so is what came."
                    ),
                    *failed,
                    "Run `headway fetch` again, or put the files in place yourself: see data/README.md.",
                ]
            )
        )
    return report


def listing(
    raw: Path,
    *,
    kinds: tuple[str, ...] = (),
    since: datetime.date | None = None,
    today: datetime.date | None = None,
    base: str | None = None,
    limits: Limits | None = None,
) -> tuple[list[Listed], list[str]]:
    """What `fetch` would look for, with what we have of it, and which lists couldn't be had; brings
    nothing.
    """
    web, notes, failed = _web(base, limits), _manifest(raw), []
    wanted = _all(web, kinds, since, today or datetime.date.today(), failed)
    return [Listed(each, *_state(raw, each, notes, web)) for each in wanted], failed


def _web(base: str | None, limits: Limits | None) -> Web:
    return Web(HOSTS, limits or Limits(), base)


def _all(
    web: Web, kinds: tuple[str, ...], since: datetime.date | None, today: datetime.date, failed: list[str]
) -> Iterator[Wanted]:
    """Every file wanted, service by service; a list that can't be had, or a name listed twice, is added to
    `failed`.
    """
    strange = [kind for kind in kinds if kind not in KINDS]
    if strange:
        raise DataError(f"There is no kind {', '.join(strange)}.\nChoose from: {', '.join(KINDS)}.")
    names: dict[str, str] = {}
    for service in SERVICES:
        if kinds and service.kind not in kinds:
            continue
        try:
            for wanted in service.wanted(web, today):
                first = wanted.choices[0]
                if names.setdefault(first.name, first.address) != first.address:
                    failed.append(
                        f"{first.name}: two files are listed by this name; the second is {first.address}."
                    )
                elif since is None or wanted.published_on >= since:
                    yield wanted
        except Refused as why:
            failed.append(f"the list of {service.kind}: {why}.")


# --- one file -----------------------------------------------------------------------------------------------


def _brought(
    raw: Path, wanted: Wanted, notes: Notes, web: Web, today: datetime.date, tell: Tell
) -> tuple[str, str]:
    """How a file stands now, new, changed or have, and its name. Raises `Refused` with the reason of every
    choice.
    """
    had = _had(raw, wanted, notes)
    if had:
        return "have", had.name
    whys: dict[str, tuple[str, bool]] = {}
    for choice in wanted.choices:
        path = raw / choice.name
        part = path.with_name(f".{path.name}.part")
        known = _known(raw, choice, notes)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            came = web.bring(
                choice.address, part, known, lambda done, total, name=choice.name: tell(name, done, total)
            )
            state = "have" if came is None else _placed(part, path, choice, wanted)
        except OSError as error:
            raise Refused(f"{path} can't be written ({error.strerror})") from error
        except Refused as why:
            whys.setdefault(str(why), (choice.address, isinstance(why, NotThere)))
            continue
        about = came or known
        notes[choice.name] = {
            "address": choice.address,
            "title": wanted.title,
            "published_by": f"{wanted.published_on}",
            "fetched_on": f"{today}",
            "sha256": sha256(path),
            "size": path.stat().st_size,
            "etag": about.etag,
            "last_modified": about.last_modified,
            "version": wanted.version,
            "licence": LICENCE,
        }
        tables.write_json(raw / MANIFEST, {"files": dict(sorted(notes.items()))})
        return state, choice.name
    told = "; ".join(f"{why} ({address})" for why, (address, _) in whys.items())
    raise NotThere(told) if all(absent for _, absent in whys.values()) else Refused(told)


def _placed(part: Path, path: Path, choice: Choice, wanted: Wanted) -> str:
    """Put a file that passed in its place, in one step. Raises `Refused`, and takes it away, where it didn't
    pass.
    """
    whole = part
    try:
        whole = content.unpacked(part, choice.inside)
        content.check(whole, choice.name, wanted)
        state = "new" if not path.exists() else "have" if sha256(path) == sha256(whole) else "changed"
        if state != "have":
            with whole.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(whole, path)
        return state
    finally:
        whole.unlink(missing_ok=True)
        forget(part)


def _had(raw: Path, wanted: Wanted, notes: Notes) -> Choice | None:
    """The choice that a whole copy of this very version came from: it needs no asking."""
    if wanted.version is None:
        return None
    same = (
        choice for choice in wanted.choices if notes.get(choice.name, {}).get("version") == wanted.version
    )
    return next((choice for choice in same if _as_left(raw, choice.name, notes)), None)


def _known(raw: Path, choice: Choice, notes: Notes) -> Came | None:
    """What the copy we have was headed with, if it came from the same address and is as it was left."""
    note = notes.get(choice.name, {})
    if note.get("address") != choice.address or not _as_left(raw, choice.name, notes):
        return None
    return Came(note.get("etag"), note.get("last_modified"))


def _as_left(raw: Path, name: str, notes: Notes) -> bool:
    path = raw / name
    return (
        path.is_file()
        and path.stat().st_size == notes[name].get("size")
        and sha256(path) == notes[name].get("sha256")
    )


def _state(raw: Path, wanted: Wanted, notes: Notes, web: Web) -> tuple[Choice, str]:
    had = _had(raw, wanted, notes)
    if had:
        return had, "have"
    first = wanted.choices[0]
    there = next((choice for choice in wanted.choices if (raw / choice.name).is_file()), None)
    if there is None:
        return first, "new"
    known = _known(raw, there, notes) if wanted.version is None else None
    return there, "have" if known and web.same(there.address, known) else "changed"


# --- the manifest -------------------------------------------------------------------------------------------


def _manifest(raw: Path) -> Notes:
    """What is noted of each file, by its name. Raises `DataError` where the folder isn't one to fetch
    into.
    """
    if (raw / MADE_UP).is_file():
        raise DataError(
            f"{raw} holds made-up files, which official ones must not mix with.\n"
            "Name another folder with --raw, or empty this one first."
        )
    path = raw / MANIFEST
    if not path.exists():
        return {}
    try:
        noted = json.loads(path.read_text("utf-8"))["files"]
        return {name: note for name, note in noted.items() if isinstance(note, dict)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} can't be read ({error}).\nDelete it, and its files are looked for again."
        ) from error
