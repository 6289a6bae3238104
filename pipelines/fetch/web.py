"""One file at a time over the web: politely, resumed where it was cut, only if it changed, and never more
than a limit.

Knows HTTP and no service. Only https, and only hosts that were declared, whatever an answer or a redirect
says.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import DecodeError, HTTPError
from urllib3.util import Retry

CHUNK = 1 << 16
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_REDIRECTS = 5
MOST_OF_A_LIST = 20_000_000  # bytes of JSON; the longest page known is a hundredth of this


class Refused(Exception):
    """An answer that won't be kept, and why."""


class NotThere(Refused):
    """An answer that says there is no such file."""


class _Cut(Exception):
    """The answer ended early; what came is worth going on from."""


@dataclass(frozen=True)
class Limits:
    """How much is asked of a service and of this machine."""

    # seconds between two requests to one host, and the first step of the waits after a failure
    pause: float = 1.0
    tries: int = 4  # of a request, and of a file that is cut on the way
    longest_wait: int = 120  # seconds, whatever Retry-After says
    connect: float = 10.0  # seconds
    read: float = 60.0  # seconds without a byte
    seconds: float = 1800.0  # for one file: one that drips would never be silent for long
    bytes: int = 1_000_000_000  # of one file: several times the largest known


@dataclass(frozen=True)
class Came:
    """What a whole answer was headed with."""

    etag: str | None
    last_modified: str | None


class Web:
    """A polite client. `base` stands in for every host, for a server on this machine that plays them."""

    def __init__(self, hosts: frozenset[str], limits: Limits, base: str | None = None) -> None:
        if base and (urlsplit(base).scheme != "http" or urlsplit(base).hostname not in LOOPBACK):
            raise ValueError(f"{base} is not a server on this machine")
        self.hosts, self.limits, self.base = hosts, limits, base and base.rstrip("/")
        self._asked: dict[str, float] = {}
        self._session = requests.Session()
        self._session.trust_env = base is None  # no proxy stands between us and ourselves
        # One name for every host: the catalogue and the tables turn away any that doesn't begin like a
        # browser's.
        self._session.headers["User-Agent"] = (
            f"Mozilla/5.0 (compatible; headway/{_version()}; open data on schools)"
        )
        again = Retry(
            limits.tries - 1,
            redirect=0,
            status_forcelist=(429, 500, 502, 503, 504),
            backoff_factor=limits.pause,
            backoff_max=limits.longest_wait,
            retry_after_max=limits.longest_wait,
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=again))

    def read_json(self, address: str) -> Any:
        """What a service lists at an address. Raises `Refused`."""
        text = b""
        try:
            with self._ask("GET", address, {"Accept": "application/json"}) as answer:
                _must_be(answer, (200,))
                for chunk in answer.iter_content(CHUNK):
                    text += chunk
                    if len(text) > MOST_OF_A_LIST:
                        raise Refused(f"it is longer than {MOST_OF_A_LIST:,} bytes")
            return json.loads(text)
        except (ValueError, RecursionError, requests.RequestException) as error:
            raise Refused(f"{address} is not the JSON we expect ({_short(error)})") from error
        except Refused as why:
            raise Refused(f"{address}: {why}") from why

    def same(self, address: str, known: Came) -> bool:
        """Whether a file is still the one known, by its headers alone; a service that won't say leaves it
        so.
        """
        try:
            with self._ask("HEAD", address, _if_changed(known)) as answer:
                return answer.status_code != 200 or _came(answer) == known
        except Refused:
            return True

    def bring(
        self,
        address: str,
        part: Path,
        known: Came | None = None,
        tell: Callable[[int, int | None], None] = lambda done, total: None,
    ) -> Came | None:
        """Bring a file to `part`, going on from what an earlier try left there; None where the known one
        still stands.

        `tell` is told the bytes there and how many there will be. Raises `Refused`; then `part` holds only
        what can be gone on from.
        """
        why: Exception | None = None
        for tried in range(self.limits.tries):
            if tried:
                time.sleep(min(self.limits.pause * 2**tried, self.limits.longest_wait))
            try:
                return self._bring_once(address, part, known, tell)
            except DecodeError as error:
                forget(part)
                raise Refused(f"it can't be unpacked ({_short(error)})") from error
            except (HTTPError, _Cut) as error:
                why = error
        raise Refused(
            f"it was cut on the way, at each of {self.limits.tries} tries ({_short(why)}); run the command "
            "again "
            "to go on"
        ) from why

    def _bring_once(
        self, address: str, part: Path, known: Came | None, tell: Callable[[int, int | None], None]
    ) -> Came | None:
        begun, mark = time.monotonic(), _mark(part)
        there, validator = _left(part, address)
        headers = {"Accept-Encoding": "identity"}  # so that lengths and ranges are of the file itself
        if there:
            headers |= {"Range": f"bytes={there}-", "If-Range": validator}
        elif known:
            headers |= _if_changed(known)
        with self._ask("GET", address, headers) as answer:
            if answer.status_code == 304 and known and not there:
                return None
            if answer.status_code == 416 or (answer.status_code == 206 and not _goes_on(answer, there)):
                forget(part)
                raise _Cut("the server lost its place")
            _must_be(answer, (200, 206))
            there = there if answer.status_code == 206 else 0
            came, plain = _came(answer), "Content-Encoding" not in answer.headers
            length = answer.headers.get("Content-Length", "")
            total = there + int(length) if plain and length.isdecimal() else None
            if total is not None and total > self.limits.bytes:
                forget(part)
                raise Refused(f"it has {total:,} bytes, and we stop at {self.limits.bytes:,}")
            if not length and not answer.raw.chunked:
                raise Refused("the server doesn't say how long it is, so half of it would look whole")
            if not there:
                forget(part)
                mark.write_text(
                    json.dumps({"address": address, "validator": _validator(came) if plain else None}),
                    "utf-8",
                )
            with part.open("ab") as file:
                # as it comes, so that the clock is looked at
                while chunk := answer.raw.read1(CHUNK, decode_content=True):
                    there += len(chunk)
                    if there > self.limits.bytes:
                        file.close()
                        forget(part)
                        raise Refused(f"it has more than {self.limits.bytes:,} bytes, where we stop")
                    file.write(chunk)
                    tell(there, total)
                    if time.monotonic() - begun > self.limits.seconds:
                        raise Refused(
                            f"only {there:,} bytes came in {self.limits.seconds:.0f} seconds; run the "
                            "command again "
                            "to go on"
                        )
            if total is not None and there != total:
                raise _Cut(f"{there:,} of {total:,} bytes came")
            return came

    def _ask(self, method: str, address: str, headers: dict[str, str]) -> requests.Response:
        """An answer to a request, after redirects to declared hosts. Raises `Refused` where there is none."""
        first = address
        for _ in range(MOST_REDIRECTS + 1):
            self._declared(address, first)
            self._rest(urlsplit(address).netloc)
            try:
                answer = self._session.request(
                    method,
                    self._real(address),
                    headers=headers,
                    stream=True,
                    allow_redirects=False,
                    timeout=(self.limits.connect, self.limits.read),
                )
            except requests.RequestException as error:
                raise Refused(f"{urlsplit(address).hostname} can't be reached ({_short(error)})") from error
            if not answer.is_redirect:
                return answer
            address = urljoin(address, answer.headers["Location"])
            answer.close()
        raise Refused(f"it is redirected more than {MOST_REDIRECTS} times")

    def _declared(self, address: str, first: str) -> None:
        try:
            parts = urlsplit(address)
            fine = parts.scheme == "https" and parts.netloc in self.hosts  # so no port and no password either
        except ValueError:
            fine = False
        if not fine:
            way = "it is redirected to" if address != first else "its address is"
            raise Refused(
                f"{way} {address[:200]}, which is not https or not a host declared in "
                "pipelines/fetch/services.py"
            )

    def _real(self, address: str) -> str:
        return f"{self.base}/{address.removeprefix('https://')}" if self.base else address

    def _rest(self, host: str) -> None:
        since = time.monotonic() - self._asked.get(host, -self.limits.pause)
        time.sleep(max(0.0, self.limits.pause - since))
        self._asked[host] = time.monotonic()


def forget(part: Path) -> None:
    """Take away what came of a file, and the note of where it came from."""
    part.unlink(missing_ok=True)
    _mark(part).unlink(missing_ok=True)


def _mark(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _left(part: Path, address: str) -> tuple[int, str]:
    """How many bytes an earlier try left that can be gone on from, and what the server must still call the
    file.
    """
    try:
        noted = json.loads(_mark(part).read_text("utf-8"))
        size = part.stat().st_size
    except (OSError, ValueError):
        return 0, ""
    return (
        (size, noted["validator"]) if noted.get("address") == address and noted.get("validator") else (0, "")
    )


def _validator(came: Came) -> str | None:
    """What says that two answers are the same to the byte: a strong ETag, or else the time of the last
    change.
    """
    return came.etag if came.etag and not came.etag.startswith("W/") else came.last_modified


def _if_changed(known: Came) -> dict[str, str]:
    asked = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in asked.items() if value}


def _goes_on(answer: requests.Response, there: int) -> bool:
    result = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return bool(there and result and int(result[1]) == there)


def _came(answer: requests.Response) -> Came:
    return Came(answer.headers.get("ETag"), answer.headers.get("Last-Modified"))


def _must_be(answer: requests.Response, good: tuple[int, ...]) -> None:
    if answer.status_code not in good:
        why = f"{urlsplit(answer.url).hostname} answered {answer.status_code} {answer.reason or ''}".rstrip()
        raise NotThere(why) if answer.status_code in (404, 410) else Refused(why)


def _short(error: BaseException | None) -> str:
    return str(error).splitlines()[0][:160] if error and str(error) else type(error).__name__


def _version() -> str:
    try:
        return version("headway")
    except PackageNotFoundError:  # run from its folder
        return "0"
