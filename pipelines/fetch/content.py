"""Whether what came is what was asked for: not empty, not a web page, whole, and a table with its key
headers.
"""

import contextlib
import csv
import errno
import io
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from headway.pipelines.fetch.services import Wanted
from headway.pipelines.fetch.web import NotThere, Refused
from headway.pipelines.files import HEADER_WITHIN, MOST_UNPACKED, sheets
from headway.pipelines.tables import DataError

_WORKBOOKS = (".xlsx", ".ods")
_TOP = 1 << 18  # bytes: room for twenty rows of the widest headers
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)


def check(part: Path, name: str, wanted: Wanted) -> None:
    """Raises `Refused` where a file can't be what its name says."""
    size = part.stat().st_size
    with part.open("rb") as file:
        top = file.read(_TOP)
    if not size:
        raise Refused("it is empty (0 bytes)")
    if top.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise NotThere("it is a web page, not data")  # what some services say instead of 404
    if wanted.size is not None and size != wanted.size:
        raise Refused(f"it has {size:,} bytes where its page says {wanted.size:,}")
    if Path(name).suffix.lower() in _WORKBOOKS:
        _opens(part)
        _has_sheet(part, name, wanted)
    elif b"\0" in top:
        raise Refused("it is not text, so not CSV")
    else:
        _headed(top, wanted)


def unpacked(part: Path, inside: tuple[str, ...]) -> Path:
    """The file wanted: the first of `inside` that an archive has, put beside it; or what came itself where it
    is no archive.

    What came stays as it is, so that it can still be gone on from. Raises `Refused`.
    """
    if not inside or not zipfile.is_zipfile(part):
        return part
    beside = part.with_name(f"{part.name}.inside")
    try:
        with _read_as_archive(), zipfile.ZipFile(part) as archive:
            names = {member.filename.rsplit("/", 1)[-1] for member in archive.infolist()}
            name = next((name for name in inside if name in names), inside[0])
            members = [member for member in archive.infolist() if member.filename.rsplit("/", 1)[-1] == name]
            if len(members) != 1:
                raise Refused(f"its archive holds {'more than one' if members else 'no'} {name}")
            _small_enough(members)
            with archive.open(members[0]) as member, beside.open("wb") as file:
                shutil.copyfileobj(member, file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return beside


@contextlib.contextmanager
def _read_as_archive() -> Iterator[None]:
    """Raises `Refused` for what a damaged archive raises; trouble with the disk (full, unreadable) is passed
    on as it is.
    """
    try:
        yield
    except _BROKEN as error:
        # A damaged directory sends the reader to a place no file has: the only trouble of a disk's kind that
        # is the archive's.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise Refused(f"it is not a whole archive ({error})") from error


def _opens(part: Path) -> None:
    with _read_as_archive(), zipfile.ZipFile(part) as archive:
        _small_enough(archive.infolist())
        bad = archive.testzip()
    if bad:
        raise Refused(f"{bad} in it is damaged")


def _small_enough(members: list[zipfile.ZipInfo]) -> None:
    size = sum(member.file_size for member in members)
    if size > MOST_UNPACKED:
        raise Refused(f"it would unpack to {size:,} bytes, and we stop at {MOST_UNPACKED:,}")


def _has_sheet(part: Path, name: str, wanted: Wanted) -> None:
    """Raises `Refused` where no sheet of a workbook has the key headers: covers and notes stand before the
    tables.
    """
    try:
        if not any(wanted.headed(row) for sheet in sheets(name, part.read_bytes()) for row in sheet.top):
            raise Refused(
                f"none of its sheets has, in its first {HEADER_WITHIN} rows, the header {_keys(wanted)}"
            )
    except DataError as error:
        raise Refused(str(error).splitlines()[0].replace(name, "it").rstrip(".")) from error


def _headed(top: bytes, wanted: Wanted) -> None:
    lines = csv.reader(
        io.StringIO(top.removeprefix(b"\xef\xbb\xbf").decode("cp1252", errors="replace"), newline="")
    )
    try:
        rows = [row for _, row in zip(range(HEADER_WITHIN), lines, strict=False)]
    except csv.Error as error:
        raise Refused(f"it is not well-formed CSV ({error})") from error
    if not any(wanted.headed(row) for row in rows):
        raise Refused(f"none of its first {HEADER_WITHIN} rows has the header {_keys(wanted)}")


def _keys(wanted: Wanted) -> str:
    one = next(iter(wanted.keys()), [])
    return " and ".join(f"“{column.headers[0]}”" for column in one) or "of any table"
