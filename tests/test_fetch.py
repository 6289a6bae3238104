"""Fetching, against a server on this machine that plays the services as their providers document them."""

import dataclasses
import datetime
import errno
import gzip
import hashlib
import io
import json
import re
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from headway.pipelines import fetch, sources
from headway.pipelines.fetch import services
from headway.pipelines.fetch.content import unpacked
from headway.pipelines.fetch.services import safe_name
from headway.pipelines.fetch.web import Limits
from headway.pipelines.synthesise.sheets import open_document, workbook
from headway.pipelines.tables import DataError

ROOT = Path(__file__).parents[1]
TODAY = datetime.date(2026, 10, 1)
QUICK = Limits(pause=0.0, tries=3, longest_wait=2, connect=2.0, read=0.5, seconds=20.0, bytes=100_000)
PAGE = "/www.gov.uk/api/content" + services.SERVICES[0].path
COLLECTION = "/www.gov.uk/api/content" + services.SERVICES[1].path
ASSETS = "assets.publishing.service.gov.uk/media"
LATEST = "Management_information_-_state-funded_schools_-_latest_inspections_as_at_31_August_2026.csv"
STATISTICS = "State-funded_schools_inspections_and_outcomes_as_at_31_August_2025.csv"
OFSTED = b"URN,School name\r\n" + b"".join(b"%d,A school\r\n" % urn for urn in range(100000, 100500))
HEADWAY = [sys.executable, "-m", "headway", "fetch", "--only", "inspections"]
LAST_CHANGE = "Tue, 15 Sep 2026 09:30:00 GMT"


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here reaches any other machine, even by a mistake in what it tests."""
    connect = socket.socket.connect

    def here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1"):
            raise AssertionError(f"{address} is not this machine")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", here)


@dataclass
class Reply:
    """What the server says to a request: `cut` bytes and no more, `drip` seconds before each tenth of it.

    `claims` is the length it states, where that isn't the true one; -1 for none at all.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: str | None = None
    last_modified: str | None = None
    ranges: bool = True
    cut: int | None = None
    claims: int | None = None
    drip: float = 0.0
    chunked: bool = False


@dataclass
class Played:
    """The services: a reply to each path, or several, one after another, the last for good; and what was
    asked of them.
    """

    base: str = ""
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], float]] = field(default_factory=list)

    def says(self, path: str, *replies: Reply | bytes | dict) -> None:
        self.replies[path] = [
            reply
            if isinstance(reply, Reply)
            else Reply(json.dumps(reply).encode() if isinstance(reply, dict) else reply)
            for reply in replies
        ]

    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.asked]

    def page(self, *names: str, updated: str = "2026-09-15T09:30:00+01:00", **more: Any) -> None:
        """The page of management information, with attachments of these names."""
        self.says(
            PAGE,
            {
                "public_updated_at": updated,
                "details": {
                    "attachments": [
                        {
                            "attachment_type": "file",
                            "title": name.replace("_", " "),
                            "filename": name.rsplit("/", 1)[-1],
                            "content_type": "text/csv",
                            "url": f"https://{ASSETS}/{at:024x}/{name}",
                            **more,
                        }
                        for at, name in enumerate(names)
                    ]
                },
            },
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    played: Played

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.played.asked.append((self.command, self.path, headers, time.monotonic()))
        replies = self.played.replies.get(self.path, [Reply(b"not here", 404)])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        body, status, extra = reply.body, reply.status, dict(reply.headers)
        marks = {"ETag": reply.etag, "Last-Modified": reply.last_modified}
        extra |= {name: value for name, value in marks.items() if value}
        if status == 200 and (
            (reply.etag and headers.get("if-none-match") == reply.etag)
            or (reply.last_modified and headers.get("if-modified-since") == reply.last_modified)
        ):
            body, status = b"", 304
        if (
            status == 200
            and reply.ranges
            and (wanted := re.fullmatch(r"bytes=(\d+)-", headers.get("range", "")))
        ):
            start = int(wanted[1])
            if headers.get("if-range") in marks.values() and start < len(body):
                status, extra["Content-Range"] = 206, f"bytes {start}-{len(body) - 1}/{len(body)}"
                body = body[start:]
        self.send_response(status)
        for name, value in extra.items():
            self.send_header(name, value)
        if reply.chunked and body:
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        elif reply.claims != -1:
            self.send_header("Content-Length", str(len(body) if reply.claims is None else reply.claims))
        self.end_headers()
        if self.command == "HEAD":
            return
        sent = body if reply.cut is None else body[: reply.cut]
        step = max(1, len(sent) // 10) if reply.drip else max(1, len(sent))
        try:
            for at in range(0, len(sent), step):
                time.sleep(reply.drip)
                self.wfile.write(sent[at : at + step])
                self.wfile.flush()
        except OSError:
            self.close_connection = True
        if reply.cut is not None or reply.claims is not None:
            self.close_connection = True

    do_HEAD = do_GET

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def played() -> Iterator[Played]:
    services_ = Played()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"played": services_}))
    server.daemon_threads = True
    services_.base = f"http://127.0.0.1:{server.server_address[1]}"
    services_.says(COLLECTION, {"links": {"documents": [
        {"base_path": "/government/statistics/state-funded-schools-inspections-and-outcomes-as-at-31-august-2025"},
        {"base_path": "/government/statistics/something-else"}]}})  # fmt: skip
    services_.says("/www.gov.uk/api/content/government/statistics/state-funded-schools-inspections-and-outcomes-as-at-31-august-2025",
                   {"public_updated_at": "2025-11-25T09:30:00Z", "details": {"attachments": [
                       {"title": "Tables", "filename": "tables.ods", "url": f"https://{ASSETS}/ff/tables.ods"},
                       {"title": "Statistics", "filename": STATISTICS, "url": f"https://{ASSETS}/ff/{STATISTICS}"},
                   ]}})  # fmt: skip
    services_.says(f"/{ASSETS}/ff/{STATISTICS}", OFSTED)
    services_.page(LATEST)
    services_.says(at(0), Reply(OFSTED, etag='"one"'))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield services_
    server.shutdown()
    server.server_close()


def at(number: int, name: str = LATEST) -> str:
    """Where the server has the attachment of a number."""
    return f"/{ASSETS}/{number:024x}/{name}"


@pytest.fixture
def fetched(raw: Path, played: Played) -> Callable[..., dict[str, list[str]]]:
    def run(
        *kinds: str, limits: Limits = QUICK, today: datetime.date = TODAY, **more: Any
    ) -> dict[str, list[str]]:
        return fetch.fetch(
            raw,
            kinds=kinds or ("inspections",),
            today=today,
            base=played.base,
            limits=limits,
            say=lambda line: None,
            **more,
        )

    return run


@pytest.fixture
def refused(fetched: Callable[..., Any], raw: Path) -> Callable[..., str]:
    """Runs a fetch that must fail, with an older file in place; returns its one message, and sees that the
    file stands.
    """

    def run(*kinds: str, name: str = f"ofsted/{LATEST}", **more: Any) -> str:
        (raw / name).parent.mkdir(exist_ok=True)
        (raw / name).write_bytes(b"the old file")
        with pytest.raises(DataError, match="did not come") as error:
            fetched(*kinds, **more)
        assert (raw / name).read_bytes() == b"the old file"
        return str(error.value)

    return run


def noted(raw: Path) -> dict[str, dict[str, Any]]:
    return json.loads((raw / "manifest.json").read_text("utf-8"))["files"]


def ods(**sheets: list[list[str]]) -> bytes:
    """An OpenDocument workbook of these sheets, in order."""
    return open_document({name: tuple(map(tuple, rows)) for name, rows in sheets.items()})


def zipped(**files: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return whole.getvalue()


# --- what comes, and what is noted of it --------------------------------------------------------------------


def test_attachments_come_by_their_names_and_are_noted(played, fetched, raw):
    played.page(LATEST, "Management_information_-_independent_schools_-_31_August_2026.csv", "guidance.pdf")
    report = fetched()
    assert report["new"] == [f"ofsted/{LATEST}", f"ofsted/{STATISTICS}"]
    assert (raw / "ofsted" / LATEST).read_bytes() == OFSTED
    note = noted(raw)[f"ofsted/{LATEST}"]
    assert note["address"] == f"https://{ASSETS}/{0:024x}/{LATEST}"
    assert (note["fetched_on"], note["size"], note["etag"]) == ("2026-10-01", len(OFSTED), '"one"')
    assert note["sha256"] == hashlib.sha256(OFSTED).hexdigest()
    assert "Open Government Licence v3.0" in note["licence"] and note["title"] == LATEST.replace("_", " ")
    assert sorted(path.name for path in raw.rglob("*.part*")) == []


def test_a_file_we_have_is_not_asked_for_again(played, fetched):
    fetched()
    played.asked.clear()
    assert len(fetched()["have"]) == 2
    assert not any(path.startswith(f"/{ASSETS}") for path in played.paths())


def test_a_file_uploaded_anew_replaces_the_old_one(played, fetched, raw):
    fetched()
    played.page("guidance.pdf", LATEST)
    played.says(at(1), OFSTED + b"100500,New\r\n")
    assert fetched()["changed"] == [f"ofsted/{LATEST}"]
    assert (raw / "ofsted" / LATEST).read_bytes().endswith(b"New\r\n")


def test_a_file_somebody_edited_is_brought_again(fetched, raw):
    fetched()
    (raw / "ofsted" / LATEST).write_bytes(OFSTED.replace(b"A", b"B"))
    assert fetched()["changed"] == [f"ofsted/{LATEST}"]
    assert (raw / "ofsted" / LATEST).read_bytes() == OFSTED


def test_one_user_agent_names_us_and_begins_as_a_browser_does(played, fetched):
    fetched()
    assert {re.sub(r"/[\d.]+;", "/*;", headers["user-agent"]) for _, _, headers, _ in played.asked} == {
        "Mozilla/5.0 (compatible; headway/*; open data on schools)"
    }


def test_requests_to_one_host_are_a_pause_apart(played, fetched):
    fetched(limits=Limits(pause=0.6))
    times = [when for _, path, _, when in played.asked if path.startswith("/www.gov.uk")]
    assert len(times) == 3 and times[2] - times[0] > 0.9  # 1.2, and slack for a busy machine


def test_made_up_files_and_official_ones_do_not_mix(fetched, raw):
    (raw / "made-up.json").write_text("{}")
    with pytest.raises(DataError, match="made-up files"):
        fetched()


def test_a_manifest_that_cannot_be_read_says_so(fetched, raw):
    (raw / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="manifest.json can't be read"):
        fetched()


# --- faults -------------------------------------------------------------------------------------------------


def test_a_missing_file_is_named_and_the_others_are_kept(played, fetched, raw):
    played.says(at(0), Reply(b"gone", 404))
    with pytest.raises(
        DataError, match=f"1 of what was looked for did not come(.|\n)*{LATEST}: .*answered 404"
    ):
        fetched()
    assert (raw / "ofsted" / STATISTICS).exists() and not (raw / "ofsted" / LATEST).exists()


def test_a_list_that_cannot_be_had_is_named_and_the_others_are_kept(played, fetched, raw):
    played.says(PAGE, Reply(b"<html>", 200))
    with pytest.raises(
        DataError, match="the list of inspections: .*monthly-management.* is not the JSON we expect"
    ):
        fetched()
    assert (raw / "ofsted" / STATISTICS).exists()


def test_a_page_without_any_file_we_look_for_may_have_moved(played, fetched):
    played.page("guidance.pdf")
    with pytest.raises(DataError, match="names no file like"):
        fetched()


def test_a_server_error_is_tried_again(played, fetched):
    played.says(at(0), Reply(b"", 429), Reply(b"", 503), OFSTED)
    assert f"ofsted/{LATEST}" in fetched()["new"]


def test_a_server_that_stays_broken_is_given_up(played, refused):
    played.says(at(0), Reply(b"", 500))
    assert "answered 500" in refused()
    assert played.paths().count(at(0)) == QUICK.tries


def test_retry_after_is_waited_for(played, fetched):
    played.says(at(0), Reply(b"", 429, {"Retry-After": "1"}), OFSTED)
    fetched()
    first, second = (when for _, path, _, when in played.asked if path == at(0))
    assert second - first >= 0.95


def test_retry_after_of_a_day_is_not(played, fetched):
    played.says(at(0), Reply(b"", 429, {"Retry-After": "86400"}), OFSTED)
    begun = time.monotonic()
    fetched(limits=Limits(pause=0.0, longest_wait=1))
    assert time.monotonic() - begun < 10


def test_a_cut_file_goes_on_where_it_stopped(played, fetched, raw):
    played.says(at(0), Reply(OFSTED, etag='"one"', cut=700), Reply(OFSTED, etag='"one"'))
    fetched()
    assert (raw / "ofsted" / LATEST).read_bytes() == OFSTED
    asked = [
        (headers.get("range"), headers.get("if-range"))
        for _, path, headers, _ in played.asked
        if path == at(0)
    ]
    assert asked == [(None, None), ("bytes=700-", '"one"')]


def test_a_cut_file_starts_again_where_the_server_has_no_ranges(played, fetched, raw):
    played.says(
        at(0), Reply(OFSTED, etag='"one"', cut=700, ranges=False), Reply(OFSTED, etag='"one"', ranges=False)
    )
    fetched()
    assert (raw / "ofsted" / LATEST).read_bytes() == OFSTED


def test_an_answer_in_chunks_that_is_cut_goes_on_too(played, fetched, raw):
    played.says(at(0), Reply(OFSTED, etag='"one"', chunked=True, cut=700), Reply(OFSTED, etag='"one"'))
    fetched()
    assert (raw / "ofsted" / LATEST).read_bytes() == OFSTED


def test_an_answer_that_says_nothing_of_its_end_is_refused(played, refused):
    played.says(at(0), Reply(OFSTED, claims=-1))
    assert "doesn't say how long it is" in refused()


def test_a_file_that_changed_while_cut_is_not_made_of_two_halves(played, fetched, raw):
    other = OFSTED.replace(b"A school", b"B school")
    played.says(at(0), Reply(OFSTED, etag='"one"', cut=700), Reply(other, etag='"two"'))
    fetched()
    assert (raw / "ofsted" / LATEST).read_bytes() == other


def test_half_a_file_without_a_validator_is_not_gone_on_from(played, fetched, raw):
    played.says(at(0), Reply(OFSTED, etag='W/"weak"', cut=700), Reply(OFSTED, etag='W/"weak"'))
    fetched()
    assert [headers.get("range") for _, path, headers, _ in played.asked if path == at(0)] == [None, None]
    assert (raw / "ofsted" / LATEST).read_bytes() == OFSTED


def test_the_next_run_goes_on_from_what_the_last_one_left(played, refused, fetched, raw):
    played.says(at(0), Reply(OFSTED, last_modified=LAST_CHANGE, cut=700))
    assert "cut on the way, at each of 1 tries" in refused(limits=Limits(pause=0.0, tries=1))
    played.says(at(0), Reply(OFSTED, last_modified=LAST_CHANGE))
    played.asked.clear()
    fetched()
    assert [headers.get("range") for _, path, headers, _ in played.asked if path == at(0)] == ["bytes=700-"]
    assert (raw / "ofsted" / LATEST).read_bytes() == OFSTED


def test_what_is_left_of_a_file_is_not_gone_on_from_at_another_address(played, refused, fetched, raw):
    played.says(at(0), Reply(OFSTED, etag='"one"', cut=700))
    refused(limits=Limits(pause=0.0, tries=1))
    played.page("guidance.pdf", LATEST)
    other = OFSTED.replace(b"A school", b"B school")
    played.says(at(1), Reply(other, etag='"one"'))  # an ETag speaks of one address only
    fetched()
    assert (raw / "ofsted" / LATEST).read_bytes() == other


def test_a_run_killed_in_the_middle_leaves_no_half_file_and_the_next_goes_on(played, fetched, raw, tmp_path):
    played.says(at(0), Reply(OFSTED, etag='"one"', drip=1.0))
    run = subprocess.Popen([*HEADWAY, "--raw", str(raw), "--base", played.base], cwd=ROOT)
    part = raw / "ofsted" / f".{LATEST}.part"
    for _ in range(600):
        time.sleep(0.1)
        if part.exists() and part.stat().st_size:
            break
    run.kill()
    run.wait()
    there = part.stat().st_size
    assert 0 < there < len(OFSTED) and not (raw / "ofsted" / LATEST).exists()
    played.says(at(0), Reply(OFSTED, etag='"one"'))
    played.asked.clear()
    fetched()
    assert [headers.get("range") for _, path, headers, _ in played.asked if path == at(0)] == [
        f"bytes={there}-"
    ]
    assert (raw / "ofsted" / LATEST).read_bytes() == OFSTED and not part.exists()


def test_a_length_that_never_comes_is_refused(played, refused):
    played.says(at(0), Reply(OFSTED, claims=len(OFSTED) + 10))
    assert "cut on the way, at each of 3 tries" in refused()


def test_a_size_other_than_the_page_says_is_refused(played, refused):
    played.page(LATEST, file_size=12345)
    assert f"it has {len(OFSTED):,} bytes where its page says 12,345" in refused()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "it is empty"),
        (b"\xef\xbb\xbf \n<!DOCTYPE html><p>Sorry", "it is a web page"),
        (b'{"error": "try later"}', "has the header .URN."),
        (b"URN" + b"\0" * 100, "it is not text"),
    ],
)
def test_what_is_not_the_file_is_refused(played, refused, body, why):
    played.says(at(0), body)
    assert re.search(why, refused())


def test_a_workbook_that_does_not_open_is_refused(played, refused):
    name = "Management_information_-_schools_-_1_Sept_2005_to_31_August_2015.xlsx"
    played.page(name)
    for broken in (b"<html>no</html>", zipped(sheet__xml=b"x" * 5000)[:-40], b"PK\x03\x04 not a workbook"):
        played.says(at(0, name), broken)
        assert re.search("not a whole archive|a web page", refused(name=f"ofsted/{name}"))


def test_a_small_workbook_that_would_unpack_to_a_huge_one_is_refused(played, refused, monkeypatch):
    monkeypatch.setattr("headway.pipelines.fetch.content.MOST_UNPACKED", 4_000)
    name = "Management_information_-_schools_-_1_Sept_2005_to_31_August_2015.xlsx"
    played.page(name)
    played.says(at(0, name), zipped(sheet__xml=b"x" * 5000))
    assert "would unpack to 5,000 bytes" in refused(name=f"ofsted/{name}")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_huge_answer_is_stopped_whether_or_not_it_says_its_length(played, refused, raw, chunked):
    played.says(at(0), Reply(OFSTED * 20, chunked=chunked))
    assert (
        "it has more than 100,000 bytes" if chunked else f"it has {20 * len(OFSTED):,} bytes, and we stop"
    ) in refused()
    assert list(raw.rglob(".*.part")) == []


def test_a_list_without_end_is_stopped(played, fetched, monkeypatch):
    monkeypatch.setattr("headway.pipelines.fetch.web.MOST_OF_A_LIST", 100)
    with pytest.raises(DataError, match="longer than 100 bytes"):
        fetched()


@pytest.mark.parametrize(
    "where",
    [
        "https://elsewhere.example/x.csv",
        "http://assets.publishing.service.gov.uk/x.csv",
        "https://assets.publishing.service.gov.uk:8443/x.csv",
        "file:///etc/hostname",
        "https://user@assets.publishing.service.gov.uk/x.csv",
    ],
)
def test_a_redirect_to_a_stranger_is_refused(played, refused, where):
    played.says(at(0), Reply(b"", 302, {"Location": where}))
    assert f"redirected to {where}" in refused()


def test_a_redirect_to_a_declared_host_is_followed(played, fetched):
    played.says(at(0), Reply(b"", 301, {"Location": f"https://{ASSETS}/ff/{STATISTICS}"}))
    assert f"ofsted/{LATEST}" in fetched()["new"]


def test_redirects_in_a_ring_end(played, refused):
    played.says(at(0), Reply(b"", 302, {"Location": f"https:/{at(0)}"}))
    assert "redirected more than" in refused()


def test_an_attachment_on_an_undeclared_host_is_refused(played, refused):
    played.page(LATEST, url="https://elsewhere.example/x.csv")
    assert "its address is https://elsewhere.example/x.csv" in refused()


def test_a_silent_server_is_given_up(played, refused):
    played.says(at(0), Reply(OFSTED, drip=0.8))
    assert "cut on the way" in refused(limits=Limits(pause=0.0, tries=2, read=0.3))


def test_a_server_that_drips_is_given_up(played, refused):
    played.says(at(0), Reply(OFSTED, drip=0.15, etag='"one"'))
    assert re.search(
        "only .* bytes came in 0 seconds", refused(limits=Limits(pause=0.0, tries=2, read=1.0, seconds=0.4))
    )


def test_a_name_leads_to_no_other_folder(played, fetched, raw, tmp_path):
    played.page(f"..%2F..%2F{LATEST}", filename=f"../../ofsted\\..\\{LATEST}")
    played.says(f"/{ASSETS}/{0:024x}/..%2F..%2F{LATEST}", OFSTED)
    assert f"ofsted/{LATEST}" in fetched()["new"]
    assert {path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob(f"*{LATEST}")} == {
        ("raw", "ofsted")
    }


def test_an_attachment_without_a_file_name_has_that_of_its_address(played, fetched):
    played.page(LATEST, filename="")
    assert f"ofsted/{LATEST}" in fetched()["new"]


def test_names_are_made_safe():
    for said in ("../../etc/passwd", "..\\..\\x.csv", "/a/b", ".hidden", "a\0b", "x" * 999, "a/../..", ""):
        safe = safe_name(said)
        assert not re.search(r"[/\\\0]", safe) and not safe.startswith(".") and len(safe) <= 150


def test_two_files_of_one_name_are_told_of(played, fetched):
    played.page(LATEST, LATEST)
    played.says(at(1), OFSTED)
    with pytest.raises(DataError, match="two files are listed by this name"):
        fetched()


def test_two_fetches_into_one_folder_do_not_meet(played, fetched, raw):
    played.says(at(0), Reply(OFSTED, drip=0.2))
    first = threading.Thread(target=fetched, kwargs={"limits": Limits(pause=0.0)})
    first.start()
    time.sleep(0.7)
    with pytest.raises(DataError, match="Another `headway fetch` is at work"):
        fetched()
    first.join()
    assert (raw / "ofsted" / LATEST).read_bytes() == OFSTED


# --- each service -------------------------------------------------------------------------------------------

EDUBASE = "/ea-edubase-api-prod.azurewebsites.net/edubase/downloads/public/"
REGISTER = b'"URN","EstablishmentNumber","EstablishmentName","EstablishmentStatus (name)"\r\n"100001","2001","Oak","Open"\r\n'
LINKS = b'"URN","LinkURN","LinkName","LinkType","LinkEstablishedDate"\r\n"100002","100001","Oak","Predecessor",""\r\n'
GROUP_LINKS = "grouplinks_edubaseallacademiesandfree"
MEMBERS = (
    b'"URN","Linked UID","Group Name","Companies House Number","Group Type","Closed Date","Group Status",'
    b'"FederationType","Joined date","EstablishmentName","LA (code)"\r\n'
    b'"100001","2001","Tree Trust","","Multi-academy trust","","Open","","01-03-2016","Oak","201"\r\n'
)
CENSUS = b"URN,LA,ESTAB,NOR,PNUMEAL\r\n100001,201,2001,210,12.5\r\n"
KS2 = b"RECTYPE,URN,PTRWM_EXP,READ_AVERAGE\n1,100001,61%,105\n"
KS4 = b"RECTYPE,URN,ATT8SCR,P8MEA\n1,100001,45.1,NA\n"
TRUSTS = (
    b"TRUST_UID,TRUST_NAME,TRUST_GROUP_TYPE,INSTITUTIONS_INMAT\n2001,Tree Trust,Multi-academy trust,100001\n"
)
TURNOVER = (
    b"\xef\xbb\xbftime_period,geographic_level,school_urn,teacher_fte_in_census_year,remained_in_the_same_school\n"
    b"202324,School,100001,14.2,11.2\n"
)
EES = "explore-education-statistics.service.gov.uk"
LIST = f"/content.{EES}/api/data-set-files?publicationId=b318967f-2931-472a-93f2-fbed1e181e6a&latestOnly=true&pageSize=40&page="
NAME = "teacher_turnover_2010_2025_sch.csv"
API = "/api.education.gov.uk/statistics/v1/data-sets/in-the-api/csv"
DATA_SET = f"/content.{EES}/api/data-set-files/the-file/download"
CATALOGUE = f"/{EES}/data-catalogue/data-set/the-file/csv"
ARCHIVE = f"/content.{EES}/api/releases/the-release/files?fromPage=ReleaseUsefulInfo&fileIds=stored"


def table(year: int, filters: str = "CENSUS") -> str:
    return (
        "/www.compare-school-performance.service.gov.uk/download-data?download=true&regions=0"
        f"&filters={filters}&fileformat=csv&year={year - 1}-{year}&meta=false"
    )


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Leaves of the table of services one line, with some of it changed."""

    def keep(kind: str, **fields: Any) -> None:
        line = next(service for service in services.SERVICES if service.kind == kind)
        monkeypatch.setattr(fetch, "SERVICES", (dataclasses.replace(line, **fields),))

    return keep


@pytest.fixture
def one_set(played: Played, only: Callable[..., None]) -> None:
    """The list of data sets holds turnover, on its second page, and nothing else is wanted."""
    sets = next(service for service in services.SERVICES if isinstance(service, services.DataSets))
    only("workforce", files=sets.files[:1])
    played.says(
        f"{LIST}1",
        {"paging": {"totalPages": 2}, "results": [{"id": "other", "filename": "turnover_nat.csv"}]},
    )
    played.says(f"{LIST}2", {"paging": {"totalPages": 2}, "results": [
        {"id": "the-file", "fileId": "stored", "filename": NAME, "title": "Turnover", "published": "2026-06-04T08:30:00Z",
         "api": {"id": "in-the-api", "version": "1.0"}, "release": {"id": "the-release"}}]})  # fmt: skip


def test_an_extract_of_the_register_comes_from_the_newest_day_there_is(played, fetched):
    played.says(f"{EDUBASE}edubasealldata20260929.csv", REGISTER)
    played.says(f"{EDUBASE}links_edubasealldata20260930.csv", LINKS)
    played.says(f"{EDUBASE}{GROUP_LINKS}20261001.csv", MEMBERS)
    assert fetched("gias")["new"] == [
        "gias/edubasealldata20260929.csv",
        "gias/links_edubasealldata20260930.csv",
        f"gias/{GROUP_LINKS}20261001.csv",
    ]
    assert [path[-12:] for path in played.paths()] == ["20261001.csv", "20260930.csv", "20260929.csv"] + [
        "20261001.csv",
        "20260930.csv",
        "20261001.csv",
    ]
    played.asked.clear()
    assert len(fetched("gias", today=TODAY + datetime.timedelta(days=3))["have"]) == 3 and played.asked == []


def test_an_extract_a_week_old_is_not_enough(played, fetched):
    for day in ("20260929", "20261007"):
        played.says(f"{EDUBASE}edubasealldata{day}.csv", REGISTER)
        played.says(f"{EDUBASE}links_edubasealldata{day}.csv", LINKS)
        played.says(f"{EDUBASE}{GROUP_LINKS}{day}.csv", MEMBERS)
    fetched("gias")
    assert len(fetched("gias", today=datetime.date(2026, 10, 7))["new"]) == 3


def test_the_register_does_not_pass_for_the_links(played, fetched, raw):
    played.says(f"{EDUBASE}edubasealldata20261001.csv", REGISTER)
    played.says(f"{EDUBASE}links_edubasealldata20261001.csv", REGISTER)
    played.says(f"{EDUBASE}{GROUP_LINKS}20261001.csv", MEMBERS)
    with pytest.raises(DataError, match="has the header “URN” and “LinkURN”"):
        fetched("gias")
    assert not (raw / "gias" / "links_edubasealldata20261001.csv").exists()


def test_a_data_set_comes_from_the_public_api(played, fetched, one_set, raw):
    played.says(API, Reply(gzip.compress(TURNOVER), headers={"Content-Encoding": "gzip"}))
    assert fetched("workforce")["new"] == [f"workforce/{NAME}"]
    assert (raw / "workforce" / NAME).read_bytes() == TURNOVER and CATALOGUE not in played.paths()
    played.asked.clear()
    assert fetched("workforce")["have"] == [f"workforce/{NAME}"] and API not in played.paths()


def test_an_empty_answer_of_the_api_is_made_good_by_the_catalogue(played, fetched, one_set, raw):
    played.says(API, b"")
    played.says(CATALOGUE, TURNOVER)
    fetched("workforce")
    assert (raw / "workforce" / NAME).read_bytes() == TURNOVER


def test_a_catalogue_that_turns_us_away_is_made_good_by_the_file_it_leads_to(played, fetched, one_set, raw):
    played.says(API, Reply(b"", 404))
    played.says(CATALOGUE, Reply(b"no", 403))
    played.says(DATA_SET, TURNOVER)
    fetched("workforce")
    assert (raw / "workforce" / NAME).read_bytes() == TURNOVER


def test_empty_answers_of_these_are_made_good_by_the_archive_of_the_release(played, fetched, one_set, raw):
    for path in (API, CATALOGUE, DATA_SET):
        played.says(path, b"")
    played.says(ARCHIVE, zipped(**{f"data/{NAME}": TURNOVER, "data-guidance.txt": b"words"}))
    fetched("workforce")
    assert (raw / "workforce" / NAME).read_bytes() == TURNOVER
    assert [path.name for path in (raw / "workforce").iterdir()] == [NAME]


def test_empty_answers_everywhere_are_refused_and_the_old_file_stands(played, refused, one_set):
    for path in (API, CATALOGUE, DATA_SET, ARCHIVE):
        played.says(path, b"")
    assert "it is empty (0 bytes)" in refused("workforce", name=f"workforce/{NAME}")


def test_without_the_list_the_known_id_is_asked_for(played, fetched, one_set, raw):
    played.says(f"{LIST}1", Reply(b"", 404))
    played.says(f"/{EES}/data-catalogue/data-set/1df9bfbf-b573-4f1d-ba87-06a36387f2e5/csv", TURNOVER)
    assert fetched("workforce")["new"] == [f"workforce/{NAME}"]


def test_a_new_release_is_brought_beside_the_old_one(played, fetched, one_set, raw):
    played.says(API, TURNOVER)
    fetched("workforce")
    played.says(f"{LIST}2", {"paging": {"totalPages": 2}, "results": [
        {"id": "next", "filename": "teacher_turnover_2010_2026_sch.csv", "published": "2027-06-03T08:30:00Z"}]})  # fmt: skip
    played.says(f"/{EES}/data-catalogue/data-set/next/csv", TURNOVER)
    fetched("workforce")
    assert len(list((raw / "workforce").iterdir())) == 2


def test_a_table_may_come_bare_or_in_an_archive(played, fetched, only, raw):
    only("census", years=(2018, 2019), to=2019)
    played.says(table(2018), CENSUS)
    played.says(
        table(2019), zipped(**{"2018-2019/england_census.csv": CENSUS, "2018-2019/england_other.csv": b"x"})
    )
    fetched("census")
    assert {path.name: path.read_bytes() for path in (raw / "census").iterdir()} == {
        "2018_england_census.csv": CENSUS,
        "2019_england_census.csv": CENSUS,
    }


def test_a_table_that_an_archive_still_calls_revised_is_the_same_table(played, fetched, only, raw):
    only("performance", years=(2025,), to=2025)
    played.says(
        table(2025, "KS2"),
        zipped(**{"2024-2025/england_ks2revised.csv": KS2, "2024-2025/ks2_meta.csv": b"x"}),
    )
    fetched("performance")
    assert (raw / "performance" / "2025_england_ks2final.csv").read_bytes() == KS2


def test_a_full_disk_is_not_called_a_damaged_archive(tmp_path):
    part = tmp_path / ".2018_england_census.csv.part"
    part.write_bytes(zipped(**{"england_census.csv": CENSUS}))
    beside = tmp_path / f"{part.name}.inside"
    beside.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as told:
        unpacked(part, ("england_census.csv",))
    assert told.value.errno == errno.ENOSPC and not beside.is_symlink()


def test_an_archive_without_the_table_is_refused(played, refused, only):
    only("census", years=(2018,), to=2018)
    played.says(table(2018), zipped(**{"2017-2018/england_other.csv": CENSUS}))
    assert "its archive holds no england_census.csv" in refused(
        "census", name="census/2018_england_census.csv"
    )


def test_a_table_that_may_not_be_out_yet_is_no_failure_but_an_old_one_is(played, fetched, only):
    only("census", years=(2025,))
    played.says(table(2025), CENSUS)
    played.says(table(2026), b"<html>no such table</html>")
    assert fetched("census") == {"new": ["census/2025_england_census.csv"], "changed": [], "have": [],
                                 "not out": ["census/2026_england_census.csv"]}  # fmt: skip
    with pytest.raises(DataError, match="2026_england_census.csv: it is a web page"):
        fetched("census", today=datetime.date(2027, 5, 1))


def test_a_table_that_may_never_come_is_no_failure_however_old(played, fetched, only):
    only("census", years=(2019,), to=2019, may_never_come=True)
    assert fetched("census")["not out"] == ["census/2019_england_census.csv"]
    played.says(table(2019), CENSUS)
    assert fetched("census")["new"] == ["census/2019_england_census.csv"]


def test_a_service_that_is_down_does_not_pass_for_a_table_not_out_yet(played, fetched, only):
    only("census", years=(2026,))
    played.says(table(2026), Reply(b"", 503))
    with pytest.raises(DataError, match="2026_england_census.csv: .* answered 503"):
        fetched("census")


def test_a_table_not_settled_is_asked_for_only_if_it_changed(played, fetched, only, raw):
    only("census", years=(2026,))
    played.says(table(2026), Reply(CENSUS, etag='"one"', last_modified=LAST_CHANGE))
    fetched("census")
    assert fetched("census")["have"] == ["census/2026_england_census.csv"]
    assert [headers.get("if-none-match") for _, _, headers, _ in played.asked] == [None, '"one"']
    played.says(table(2026), Reply(CENSUS + CENSUS[26:], etag='"two"'))
    assert fetched("census")["changed"] == ["census/2026_england_census.csv"]


def test_a_settled_table_is_asked_for_once_more_and_then_left(played, fetched, only):
    only("census", years=(2026,), to=2026)
    played.says(table(2026), Reply(CENSUS, etag='"one"'))
    for day in (TODAY, datetime.date(2027, 5, 1), datetime.date(2027, 6, 1)):
        fetched("census", today=day)
    assert len(played.asked) == 2


def test_since_leaves_what_came_out_before(played, fetched):
    played.page(LATEST, LATEST.replace("August", "May"))
    played.says(at(1, LATEST.replace("August", "May")), OFSTED)
    assert fetched(since=datetime.date(2026, 9, 1))["new"] == [f"ofsted/{LATEST}"]


def test_a_kind_nobody_declared_is_refused(fetched):
    with pytest.raises(DataError, match="no kind finance(.|\n)*Choose from: inspections, gias"):
        fetched("finance")


def test_the_list_tells_new_had_and_changed_files_and_brings_nothing(played, fetched, only, raw):
    def states() -> dict[str, str]:
        listed, failed = fetch.listing(raw, kinds=("census",), today=TODAY, base=played.base, limits=QUICK)
        assert failed == []
        return {one.choice.name[7:11]: one.state for one in listed}

    only("census", years=(2018, 2025, 2026), to=2026)
    for year in (2018, 2025, 2026):
        played.says(table(year), Reply(CENSUS, etag='"one"'))
    assert states() == {"2018": "new", "2025": "new", "2026": "new"} and list(raw.iterdir()) == []
    fetched("census")
    assert states() == {"2018": "have", "2025": "have", "2026": "have"}
    played.says(table(2026), Reply(CENSUS, etag='"two"'))
    (raw / "census" / "2018_england_census.csv").unlink()
    played.asked.clear()
    assert states() == {"2018": "new", "2025": "have", "2026": "changed"}
    assert [method for method, *_ in played.asked] == ["HEAD"]


def test_every_address_in_the_table_is_https_and_on_a_declared_host():
    source = (ROOT / "pipelines" / "fetch" / "services.py").read_text("utf-8")
    addresses = re.findall(r"https?://[^/\"]+", source)
    assert addresses and {address.removeprefix("https://") for address in addresses} <= services.HOSTS


def test_no_address_of_a_service_stands_anywhere_else():
    for path in (ROOT / "pipelines").rglob("*.py"):
        if path.name != "services.py":
            assert not [host for host in services.HOSTS if host in path.read_text("utf-8")], path


# --- the services as they stood in September 2026 -----------------------------------------------------------

IN_SEPTEMBER = datetime.date(2026, 9, 20)
MI = "Management_information_-_state-funded_schools_-_"
MONTHLY = (LATEST, f"{MI}all_inspections_-_year_to_date_published_by_31_August_2026.csv")
MONTHLY_BOOK = f"{MI}as_at_31_Aug_2026.ods"
OLD_BOOK = f"{MI}as_at_31_July_2022.xlsx"
HISTORY = (
    *(f"{MI}all_inspections_-_year_to_date_published_by_31_Aug_{year}.csv" for year in range(2020, 2026)),
    f"{MI}1_September_2015_to_31_August_2019.csv",
)
FIRST_YEARS = "Management_information_-_schools_-_1_Sept_2005_to_31_August_2015.xlsx"
ANSWERS = "Parent_View_Management_Information_as_at_6_July_2026.ods"
OLDER_ANSWERS = (
    "Accessible_Parent_View_Management_Information_as_at_5_January_2026.ods",
    "Parent_View_Management_Information_as_at_1_September_2025.xlsx",
    "Parent_View_Management_Information_School_Level_Data_as_at_6_April_2020.csv",
)
ANSWERS_PAGE = (
    "/www.gov.uk/api/content/government/statistical-data-sets/ofsted-parent-view-management-information"
)
COVER = [["Ofsted management information"], ["Published on:", "14 September 2026"]]
LISTED = [
    ["A title"],
    ["A note on the table"],
    ["URN", "School name", "Inspection start date"],
    ["100001", "Oak", "01/02/2026"],
]
BOOK = ods(
    Cover=COVER,
    Contents=[["D1", "In-year"]],
    D1_In_year_inspections=LISTED,
    D2_Most_recent_inspections=LISTED,
)
ANSWERED = ods(Cover=COVER, Table_3=[["A title"], [
    "URN", "School Name", "Local Authority", "Ofsted Phase or Type of Education", "Submissions", "Response Rate",
    "Q1. My child is happy at this school: Strongly agree %"], ["100001", "Oak", "Camden", "Primary", "40", "20", "55"]])  # fmt: skip
DATA_SETS = (
    "teacher_turnover_2010_2025_sch.csv",
    "Workforce_2010_2025_fte_hc_sch.csv",
    "workforce_ptrs_2010_2025_sch.csv",
    "teacher_pay_school_swc_tps_merged.csv",
    "sickness_absence_teachers_2010_2025_sch.csv",
    "vacancies_number_rate_sch_2010_2025.csv",
    "workforce_teacher_characteristics_school_202526.csv",
)
# results by school; key stage 2 has none for 2022
SAT = (2016, 2017, 2018, 2019, 2022, 2023, 2024, 2025, 2026)
# the name of each table under data/raw: what the service calls it, the years wanted, what it holds
TABLES_OF = {
    "performance/{}_england_ks2final.csv": ("KS2", [year for year in SAT if year != 2022], KS2),
    "performance/{}_england_ks4provisional.csv": ("KS4PROV", SAT, KS4),
    "performance/{}_england_ks4final.csv": ("KS4", SAT, KS4),
    "performance/{}_england_ks2-mats-performance.csv": ("KS2MATS", range(2023, 2027), TRUSTS),
    "performance/{}_england_ks4-mats-performance.csv": ("KS4MATS", range(2022, 2027), TRUSTS),
    "performance/{}_england_school_information.csv": (
        "GIAS",
        (2019, 2021, 2022, 2023),
        b"URN,SCHSTATUS,MINORGROUP\n100001,Open,Academy\n",
    ),
    "census/{}_england_census.csv": ("CENSUS", [*range(2011, 2020), *range(2021, 2027)], CENSUS),
    "absence/{}_england_abs.csv": (
        "PUPILABSENCE",
        [*range(2011, 2020), *range(2022, 2027)],
        b"URN,LA,PERCTOT\n100001,201,4.5\n",
    ),
}
NOT_OUT = {
    *(name.format(2026) for name, (_, years, _) in TABLES_OF.items() if 2026 in years),
    # trusts were compared by Progress 8, which 2025 lacks
    "performance/2025_england_ks4-mats-performance.csv",
}


def attached(*names: str) -> dict:
    """A GOV.UK page with attachments of these names, as its content API gives it."""
    return {
        "public_updated_at": "2026-09-15T09:30:00+01:00",
        "details": {
            "attachments": [
                {
                    "attachment_type": "file",
                    "title": name,
                    "filename": name,
                    "url": f"https://{ASSETS}/{place:024x}/{name}",
                }
                for place, name in enumerate(names)
            ]
        },
    }


@pytest.fixture
def september(played: Played) -> Played:
    """The services on 20 September 2026: every list, and every file that was out."""
    monthly = (*MONTHLY, MONTHLY_BOOK, OLD_BOOK, *HISTORY, FIRST_YEARS, "guidance.pdf")
    played.says(PAGE, attached(*monthly))
    for place, name in enumerate(monthly):
        first = workbook(
            pa.table({"URN": ["100001"], "School name": ["Oak"]}), "2005-2015 Inspections", title="A title"
        )
        played.says(
            at(place, name), OFSTED if name.endswith("csv") else BOOK if name == MONTHLY_BOOK else first
        )
    answers = (OLDER_ANSWERS[2], OLDER_ANSWERS[0], ANSWERS, OLDER_ANSWERS[1], ANSWERS.replace("ods", "pdf"))
    played.says(ANSWERS_PAGE, attached(*answers))
    played.says(at(2, ANSWERS), ANSWERED)
    for name, body in (("edubasealldata", REGISTER), ("links_edubasealldata", LINKS), (GROUP_LINKS, MEMBERS)):
        played.says(f"{EDUBASE}{name}20260920.csv", body)
    played.says(
        f"{LIST}1",
        {
            "paging": {"totalPages": 1},
            "results": [
                {"id": f"set-{place}", "filename": name, "title": name, "published": "2026-06-04T08:30:00Z"}
                for place, name in enumerate(
                    (*DATA_SETS, "workforce_2010_2025_fte_hc_nat_reg_la.csv", "pupil_absence_in_schools.csv")
                )
            ],
        },
    )
    for place in range(len(DATA_SETS)):
        played.says(f"/content.{EES}/api/data-set-files/set-{place}/download", TURNOVER)
    for name, (filters, years, body) in TABLES_OF.items():
        for year in years:
            inside = name.format(year).split("_", 1)[1]
            whole = (
                body
                if year < 2025
                else zipped(**{f"{year - 1}-{year}/{inside}": body, "abbreviations.xlsx": b"x"})
            )
            played.says(
                table(year, filters),
                Reply(b"<html>no such table</html>") if name.format(year) in NOT_OUT else whole,
            )
    return played


def wanted_in_september(monthly: tuple[str, ...] = MONTHLY) -> set[str]:
    return {
        *(f"ofsted/{name}" for name in (*monthly, *HISTORY, FIRST_YEARS, STATISTICS)),
        f"parents/{ANSWERS}",
        *(f"gias/{name}20260920.csv" for name in ("edubasealldata", "links_edubasealldata", GROUP_LINKS)),
        *(f"workforce/{name}" for name in DATA_SETS),
        *(name.format(year) for name, (_, years, _) in TABLES_OF.items() for year in years),
    }


def listed(played: Played, raw: Path, **more: Any) -> list[str]:
    found, failed = fetch.listing(raw, base=played.base, limits=QUICK, **{"today": IN_SEPTEMBER, **more})
    assert failed == []
    return [each.choice.name for each in found]


def test_the_list_of_september_2026_names_every_file_wanted(september, raw):
    names = listed(september, raw)
    assert set(names) == wanted_in_september() and len(names) == len(set(names))
    assert {
        f"ofsted/{LATEST}",
        f"parents/{ANSWERS}",
        f"gias/{GROUP_LINKS}20260920.csv",
        "workforce/workforce_ptrs_2010_2025_sch.csv",
        "performance/2024_england_ks2final.csv",
        "performance/2025_england_ks2final.csv",
        "performance/2025_england_ks4provisional.csv",
        "performance/2025_england_ks4final.csv",
        "census/2025_england_census.csv",
        "absence/2025_england_abs.csv",
    } <= set(names)


def test_the_list_goes_on_to_each_year_that_follows(september, raw):
    later = {
        name
        for name in listed(september, raw, today=datetime.date(2028, 9, 20))
        if re.search("/20(27|28)_", name)
    }
    assert later == {
        name.format(year)
        for name, (_, years, _) in TABLES_OF.items()
        if 2026 in years
        for year in (2027, 2028)
    }


def test_everything_of_september_2026_comes_but_what_is_not_out(september, fetched):
    report = fetched(*fetch.KINDS, today=IN_SEPTEMBER)
    assert set(report["not out"]) == NOT_OUT and report["changed"] == report["have"] == []
    assert set(report["new"]) == wanted_in_september() - NOT_OUT


def test_the_command_lists_september_2026(september, raw):
    asked = [sys.executable, "-m", "headway", "fetch", "--list", "--raw", str(raw), "--base", september.base]
    said = subprocess.run(
        [*asked, "--only", "parents", "--only", "performance"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    assert re.search(rf"new +parents/{ANSWERS}\n", said)
    assert re.search(r"new +performance/2025_england_ks2final.csv\n +Key stage 2, 2024-2025: https://", said)
    assert "ofsted/" not in said


def test_of_one_day_the_lists_are_wanted_and_else_the_workbook(september, raw):
    september.says(PAGE, attached(*HISTORY, FIRST_YEARS, MONTHLY_BOOK))
    assert set(listed(september, raw)) == wanted_in_september((MONTHLY_BOOK,))
    older = tuple(name.replace("August", "July") for name in MONTHLY)
    september.says(
        PAGE, attached(MONTHLY_BOOK, *older, MONTHLY_BOOK.replace("Aug", "Jul"), *HISTORY, FIRST_YEARS)
    )
    assert set(listed(september, raw)) == wanted_in_september((MONTHLY_BOOK, *older))


def test_of_two_workbooks_of_one_day_one_is_wanted(september, raw):
    september.says(PAGE, attached(*HISTORY, FIRST_YEARS, MONTHLY_BOOK, MONTHLY_BOOK.replace("ods", "xlsx")))
    assert set(listed(september, raw)) == wanted_in_september((MONTHLY_BOOK.replace("ods", "xlsx"),))


def test_a_workbook_of_an_older_layout_is_left(september, raw):
    september.says(PAGE, attached(*HISTORY, FIRST_YEARS, OLD_BOOK, *MONTHLY))
    assert set(listed(september, raw)) == wanted_in_september()


def test_the_newest_answers_of_parents_are_wanted_whatever_their_form(september, fetched, raw):
    september.says(ANSWERS_PAGE, attached(*OLDER_ANSWERS))
    assert listed(september, raw, kinds=("parents",)) == [f"parents/{OLDER_ANSWERS[0]}"]
    september.says(ANSWERS_PAGE, attached(*OLDER_ANSWERS, ANSWERS, ANSWERS.replace("ods", "xlsx")))
    assert listed(september, raw, kinds=("parents",)) == [f"parents/{ANSWERS.replace('ods', 'xlsx')}"]
    # out by 15 September
    assert listed(september, raw, kinds=("parents",), since=datetime.date(2026, 9, 1)) != []
    september.says(ANSWERS_PAGE, attached("guidance.pdf"))
    with pytest.raises(DataError, match="the list of parents: it names no file like"):
        fetched("parents", today=IN_SEPTEMBER)


def test_a_workbook_without_the_key_header_in_any_sheet_is_refused(september, fetched, raw):
    september.says(PAGE, attached(MONTHLY_BOOK))
    september.says(at(0, MONTHLY_BOOK), ods(Cover=COVER, Contents=[["D1", "In-year"]]))
    with pytest.raises(DataError, match="none of its sheets has, in its first 20 rows, the header “URN”"):
        fetched(today=IN_SEPTEMBER)
    september.says(at(0, MONTHLY_BOOK), zipped(**{"content.txt": b"no sheets"}))
    with pytest.raises(DataError, match="it is no .xlsx or .ods workbook inside"):
        fetched(today=IN_SEPTEMBER)
    assert not (raw / "ofsted" / MONTHLY_BOOK).exists()
    september.says(at(0, MONTHLY_BOOK), BOOK)
    assert f"ofsted/{MONTHLY_BOOK}" in fetched(today=IN_SEPTEMBER)["new"]


def test_headers_are_looked_for_only_where_a_layout_says_which():
    wanted = services.Wanted("gias", "Links", (), "GIAS links between URNs", TODAY)
    assert wanted.headed(["LinkURN", "URN"]) and not wanted.headed(["URN", "School name"])
    assert dataclasses.replace(wanted, layouts="A layout nobody has added").headed(["anything"])


def test_every_service_names_a_layout_but_those_that_may_be_added_after_it():
    named = {service.layouts for service in services.SERVICES}
    without = {name for name in named if not any(layout.name.startswith(name) for layout in sources.LAYOUTS)}
    assert without <= {"Ofsted Parent View", "GIAS links between schools and groups"}


# --- the command, and what ingest makes of it ---------------------------------------------------------------


def _headway(played: Played, raw: Path, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*HEADWAY, "--raw", str(raw), "--base", played.base, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_says_what_came_and_ends_with_2_and_one_message_where_something_did_not(played, raw):
    done = _headway(played, raw)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"new: ofsted/{LATEST}",
        f"new: ofsted/{STATISTICS}",
        f"in {raw}: 2 new, 0 changed, 0 have, 0 not out",
    ]
    (raw / "ofsted" / LATEST).unlink()
    played.says(at(0), b"")
    failed = _headway(played, raw)
    assert failed.returncode == 2 and failed.stderr.startswith(
        "headway: 1 of what was looked for did not come"
    )
    listed = _headway(played, raw, "--list", "--since", "2026-09-01")
    assert (
        listed.returncode == 0
        and re.search(rf"new +ofsted/{LATEST}\n", listed.stdout)
        and STATISTICS not in listed.stdout
    )
    assert _headway(played, raw, "--since", "soon").returncode == 2


def test_what_was_fetched_is_recognised_and_dated_by_ingest(
    played, fetched, raw, only, official, ingested, monkeypatch
):
    graded = official(
        "graded and ungraded",
        """
        urn    | schools.name | schools.phase | latest.inspected_on | latest.overall | latest.leadership
        100001 | Oak          | Primary       | 01/02/2023          | 3              | 2""",
    )
    statistics = official(
        "graded and ungraded",
        """
        urn    | schools.name | schools.phase | latest.inspected_on | latest.overall | latest.leadership
        100001 | Oak          | Primary       | 01/02/2023          | 3              | 2""",
    )
    monkeypatch.setattr(
        fetch,
        "SERVICES",
        tuple(
            dataclasses.replace(line, years=(2019,), to=2019)
            if isinstance(line, services.Tables)
            else dataclasses.replace(line, files=line.files[:1])
            if isinstance(line, services.DataSets)
            else line
            for line in services.SERVICES
            if getattr(line, "filters", "") not in ("KS2MATS", "KS4MATS", "KS4PROV", "GIAS")
            and line.kind != "parents"
            and "groups" not in getattr(line, "layouts", "")
        ),
    )
    name = LATEST.replace("2026", "2024")
    played.page(name)
    played.says(at(0, name), graded.encode("cp1252"))
    played.says(f"/{ASSETS}/ff/{STATISTICS}", statistics.encode("cp1252"))
    played.says(f"{EDUBASE}edubasealldata20261001.csv", REGISTER)
    played.says(f"{EDUBASE}links_edubasealldata20261001.csv", LINKS)
    played.says(f"{LIST}1", {"paging": {"totalPages": 1}, "results": [{"id": "the-file", "filename": NAME}]})
    played.says(CATALOGUE, TURNOVER)
    played.says(table(2019), CENSUS)
    played.says(table(2019, "PUPILABSENCE"), b"URN,LA,ESTAB,PERCTOT\n100001,201,2001,4.5\n")
    played.says(table(2019, "KS2"), b"RECTYPE,URN,READPROG,MATPROG\n1,100001,0.5,1.5\n")
    played.says(table(2019, "KS4"), b"RECTYPE,URN,ATT8SCR,P8MEA\n1,100001,45.1,0.1\n")
    fetched(*fetch.KINDS)
    report = ingested()
    assert {file["file"]: file["dated"] for file in report["files"]} == {
        f"ofsted/{name}": "2024-08-31",
        f"ofsted/{STATISTICS}": "2025-08-31",
        "gias/edubasealldata20261001.csv": "2026-10-01",
        "gias/links_edubasealldata20261001.csv": "2026-10-01",
        f"workforce/{NAME}": "2025-06-30",
        "census/2019_england_census.csv": "2020-01-31",
        "absence/2019_england_abs.csv": "2020-04-30",
        "performance/2019_england_ks2final.csv": "2020-01-31",
        "performance/2019_england_ks4final.csv": "2020-01-31",
    }
    assert "manifest.json" in report["not_needed"] and report["data_source"] == "official"


def test_the_links_of_two_months_are_both_read(raw, official, ingested):
    listed = official(
        "graded and ungraded",
        """
        urn    | schools.name | schools.phase | latest.inspected_on | latest.overall | latest.leadership
        100001 | Oak          | Primary       | 01/02/2023          | 3              | 2""",
    )
    for name, content in (
        ("ofsted/as_at_31_August_2024.csv", listed.encode()),
        ("gias/edubasealldata20261001.csv", REGISTER),
        ("gias/links_edubasealldata20260901.csv", LINKS),
        ("gias/links_edubasealldata20261001.csv", LINKS),
    ):
        (raw / name).parent.mkdir(exist_ok=True)
        (raw / name).write_bytes(content)
    dated = {file["file"]: file["dated"] for file in ingested()["files"]}
    assert [dated[f"gias/links_edubasealldata2026{day}.csv"] for day in ("0901", "1001")] == [
        "2026-09-01",
        "2026-10-01",
    ]
