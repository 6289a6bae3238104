"""What files were read as, kept by content, so that a month with one new file reads one file.

An entry is a folder named by a hash of the file's bytes, its name, and the code that reads (this package,
`sources` and `frameworks`): parquet for each record, and `release.json` beside them. Entries are written
beside their place and renamed into it, so a killed run leaves whole ones; what is damaged is read anew. All
of it may be deleted at any time.
"""

import functools
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from headway.pipelines import frameworks, sources
from headway.pipelines.files.reading import Release, read_file
from headway.pipelines.remembered import code_of, hash_of_code
from headway.pipelines.tables import DataError

FOLDER = ".read"  # among our tables
# bytes to be read: with fewer, a second process takes longer to start than it saves
WORTH_SHARING = 30_000_000
# bytes, of the files that begin first, so that no process is left with a large one at the end
BIG = 5_000_000
TOLD = "release.json"
UNFINISHED = 3600  # seconds until an entry not in its place is taken for one that a killed run left


def read(
    paths: list[Path],
    raw: Path,
    digests: dict[str, str],
    folder: Path,
    workers: int = 2,
    progress: Callable[[Iterable[Path], int], Iterable[Path]] | None = None,
) -> tuple[list[Release], list[str], list[tuple[Path, Path]]]:
    """What the files hold, in the order of `paths`; the problems of those that can't be read; and entries to
    `keep`.

    `digests` are the SHA-256 of the files, by name under `raw`. What is kept already in `folder` isn't read
    again.
    """
    places = {path: folder / _key(path, raw, digests) for path in paths}
    releases = {path: result for path, place in places.items() if (result := _kept(place)) is not None}
    fresh = [path for path in paths if path not in releases]
    problems: dict[Path, str] = {}
    entries: list[tuple[Path, Path]] = []
    arriving = _sorted(_read_all(fresh, raw, folder, workers), releases, problems, entries, places)
    for _ in progress(arriving, len(fresh)) if progress else arriving:
        pass
    return (
        [release for path in paths for release in releases.get(path, [])],
        [problems[path] for path in paths if path in problems],
        entries,
    )


def _sorted(
    answers: Iterator[tuple[Path, Any]],
    releases: dict,
    problems: dict,
    entries: list,
    places: dict[Path, Path],
) -> Iterator[Path]:
    """Each file once it is read: what came of it goes where it belongs."""
    for path, (what, entry) in answers:
        if isinstance(what, str):
            problems[path] = what
        else:
            releases[path] = what if what is not None else _kept(entry)
            entries.append((entry, places[path]))
        yield path


def _read_all(fresh: list[Path], raw: Path, folder: Path, workers: int) -> Iterator[tuple[Path, Any]]:
    """Read every file and write its entry: here, or shared among processes where there is enough to share."""
    sizes = {path: _size(path) for path in fresh}
    if workers < 2 or len(fresh) < 2 or sum(sizes.values()) < WORTH_SHARING:
        for path in fresh:
            yield path, _read_one(path, raw, folder)
        return
    from joblib import Parallel, delayed

    order = sorted(fresh, key=lambda path: -sizes[path] if sizes[path] > BIG else 0)
    tasks = Parallel(n_jobs=workers, return_as="generator_unordered")(
        delayed(_in_a_process)(path, raw, folder) for path in order
    )
    yield from tasks


def _in_a_process(path: Path, raw: Path, folder: Path) -> tuple[Path, tuple[str | None, Path | None]]:
    """What a process of its own sends back: the problem, or where the entry is; frames travel by the disk."""
    what, entry = _read_one(path, raw, folder)
    return path, (what if isinstance(what, str) or entry is None else None, entry)


def _read_one(path: Path, raw: Path, folder: Path) -> tuple[list[Release] | str, Path | None]:
    """The releases of a file, or its problem; and the entry written for them, not yet in its place."""
    try:
        releases = read_file(path, raw)
    except DataError as error:
        return str(error), None
    entry = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        entry = Path(tempfile.mkdtemp(dir=folder, prefix=".new."))
        _write(entry, releases)
    except OSError:  # what can't be kept is read again next time: a full disk stops the tables, not this
        drop([(entry, path)])
        return releases, None
    return releases, entry


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def keep(
    entries: list[tuple[Path | None, Path]],
    folder: Path,
    digests: dict[str, str],
    raw: Path,
    paths: list[Path],
) -> int:
    """Put entries in their places, and take away those of files that aren't there any more; the bytes that
    are then kept.

    What another run reads at the same time stays for an hour beside the others, not yet in its place.
    """
    for entry, place in entries:
        if entry is None:
            continue
        try:
            os.rename(entry, place)
        except OSError:  # another run put the same there
            shutil.rmtree(entry, ignore_errors=True)
    wanted = {_key(path, raw, digests) for path in paths}
    for place in folder.iterdir() if folder.is_dir() else ():
        if place.is_file():
            continue  # what else is kept of files
        waiting = place.name.startswith(".") and time.time() - place.stat().st_mtime < UNFINISHED
        if place.name not in wanted and not waiting:
            shutil.rmtree(place, ignore_errors=True)
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def drop(entries: list[tuple[Path | None, Path]]) -> None:
    """Take away entries that are not to be kept."""
    for entry, _ in entries:
        if entry is not None:
            shutil.rmtree(entry, ignore_errors=True)


def _key(path: Path, raw: Path, digests: dict[str, str]) -> str:
    name = path.relative_to(raw).as_posix()
    return hashlib.sha256("\n".join([digests[name], name, _reader()]).encode()).hexdigest()


@functools.cache
def _reader() -> str:
    """The hash of what reads files, and of the library that divides them into cells."""
    here = Path(__file__).parent
    return hash_of_code([*here.glob("*.py"), *code_of(sources), Path(frameworks.__file__)], pd.__version__)


# --- an entry -----------------------------------------------------------------------------------------------


def _write(entry: Path, releases: list[Release]) -> None:
    told = []
    for number, release in enumerate(releases):
        records = {}
        for at, (record, rows) in enumerate(release.records.items()):
            file = entry / f"{number}-{at}.parquet"
            # without columns nothing says how many rows
            rows.to_parquet(file, index=None if rows.shape[1] else True)
            # parquet knows no seconds
            days = {column: str(kind) for column, kind in rows.dtypes.items() if kind.kind == "M"}
            records[record] = [file.name, hashlib.sha256(file.read_bytes()).hexdigest(), days]
        told.append(
            {
                "name": release.name,
                "layout": release.layout.name,
                "rows": release.rows,
                "kept": release.kept,
                "file_on": None if pd.isna(release.file_on) else release.file_on.isoformat(),
                "notes": release.notes,
                "unit": None if pd.isna(release.file_on) else release.file_on.unit,
                "set_aside": dict(release.set_aside),
                "out_of_range": release.out_of_range,
                "records": records,
            }
        )
    text = json.dumps(told)
    (entry / TOLD).write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}", encoding="utf-8")


def _kept(place: Path | None) -> list[Release] | None:
    """The releases of an entry; None where there is none, or it is damaged, and then it is gone."""
    if place is None or not place.is_dir():
        return None
    try:
        digest, _, text = (place / TOLD).read_text(encoding="utf-8").partition("\n")
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            raise ValueError(TOLD)
        return [_release(place, told) for told in json.loads(text)]
    except (OSError, ValueError, KeyError, TypeError):
        shutil.rmtree(place, ignore_errors=True)
        return None


def _release(place: Path, told: dict[str, Any]) -> Release:
    layout = next(known for known in sources.LAYOUTS if known.name == told["layout"])
    records = {}
    for record, (name, digest, days) in told["records"].items():
        content = (place / name).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise ValueError(name)
        records[record] = pd.read_parquet(place / name).astype(days)
    file_on = pd.NaT if told["file_on"] is None else pd.Timestamp(told["file_on"]).as_unit(told["unit"])
    return Release(
        told["name"],
        layout,
        file_on,
        records,
        told["rows"],
        Counter(told["set_aside"]),
        told["notes"],
        told["kept"],
        [tuple(cell) for cell in told["out_of_range"]],
    )
