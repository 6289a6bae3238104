"""What files were read as, kept by content: read once, and anew where anything that matters changed."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from headway.pipelines import ingest, remembered
from headway.pipelines.files import kept, read_file
from headway.pipelines.ingest.expectations import before

TO_2019, LIST = (
    "all inspections, September 2015",
    """
    urn    | inspected_on | published_on | overall
    100001 | 01/02/2018   | 01/03/2018   | 2
    100002 | 02/02/2018   | 02/03/2018   | 3
""",
)


@pytest.fixture
def paths(raw, put) -> list[Path]:
    return [put("a_31_August_2018.csv", TO_2019, LIST), put("b_31_August_2019.csv", TO_2019, LIST)]


def _digests(paths: list[Path], raw: Path) -> dict[str, str]:
    return {path.relative_to(raw).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _same(some, others) -> None:
    for one, other in zip(some, others, strict=True):
        for name in ("name", "layout", "file_on", "rows", "set_aside", "notes", "kept", "out_of_range"):
            assert getattr(one, name) == getattr(other, name), name
        assert list(one.records) == list(other.records)
        for record, rows in one.records.items():
            pd.testing.assert_frame_equal(other.records[record], rows, check_exact=True)


@pytest.fixture
def first(paths, raw, tmp_path):
    """The folder of entries after a first run, and what was read."""
    folder, digests = tmp_path / "kept", _digests(paths, raw)
    releases, problems, entries = kept.read(paths, raw, digests, folder)
    assert problems == [] and len(entries) == 2
    kept.keep(entries, folder, digests, raw, paths)
    return folder, releases


def test_what_is_kept_is_what_the_file_was_read_as_and_the_file_is_not_read_again(paths, raw, first):
    folder, releases = first
    _same([release for path in paths for release in read_file(path, raw)], releases)
    digests = _digests(paths, raw)
    paths[0].write_text("no list")  # of another digest: it would be refused if it were read
    again, problems, entries = kept.read(paths, raw, digests, folder)
    assert problems == [] == entries
    _same(releases, again)


def test_another_content_or_another_name_is_read_anew_and_the_others_are_not(paths, raw, first):
    folder, releases = first
    paths[0].write_text(paths[0].read_text("utf-8").replace("100002", "100003"), "utf-8")
    again, _, entries = kept.read(paths, raw, _digests(paths, raw), folder)
    assert [place.name for _, place in entries] == [kept._key(paths[0], raw, _digests(paths, raw))]
    assert next(iter(again[0].records.values()))["urn"].tolist() == ["100001", "100003"]
    kept.drop(entries)
    moved = paths[1].rename(raw / "c_31_May_2019.csv")
    again, _, entries = kept.read([moved], raw, _digests([moved], raw), folder)
    assert len(entries) == 1 and again[0].name != releases[1].name


def test_what_reads_another_way_reads_anew(paths, raw, first, monkeypatch):
    monkeypatch.setattr(kept, "_reader", lambda: "another layout")
    assert len(kept.read(paths, raw, _digests(paths, raw), first[0])[2]) == 2


@pytest.mark.parametrize("file", ["release.json", "0-0.parquet"])
def test_a_damaged_entry_is_read_anew(paths, raw, first, file):
    folder, releases = first
    (entry,) = folder.glob(f"{kept._key(paths[0], raw, _digests(paths, raw))}/{file}")
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 1
    entry.write_bytes(content)
    again, _, entries = kept.read(paths, raw, _digests(paths, raw), folder)
    assert len(entries) == 1
    _same(releases, again)


def test_entries_of_files_that_are_gone_go_and_what_a_killed_run_left_goes_once_it_is_old(paths, raw, first):
    folder, _ = first
    for name, age in (("just now", 0), ("long ago", 2 * kept.UNFINISHED)):
        (folder / f".new.{name}").mkdir()
        then = (folder / f".new.{name}").stat().st_mtime - age
        os.utime(folder / f".new.{name}", (then, then))
    paths.pop().unlink()
    digests = _digests(paths, raw)
    size = kept.keep([], folder, digests, raw, paths)
    assert {place.name for place in folder.iterdir()} == {kept._key(paths[0], raw, digests), ".new.just now"}
    assert size == sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_two_runs_at_once_leave_one_entry_of_a_file(paths, raw, tmp_path):
    folder, digests = tmp_path / "kept", _digests(paths, raw)
    runs = [kept.read(paths, raw, digests, folder) for _ in range(2)]
    for _, _, entries in runs:
        kept.keep(entries, folder, digests, raw, paths)
    assert len(list(folder.iterdir())) == 2
    _same(runs[0][0], kept.read(paths, raw, digests, folder)[0])


def test_all_of_it_may_be_deleted(paths, raw, first):
    folder, releases = first
    shutil.rmtree(folder)
    _same(releases, kept.read(paths, raw, _digests(paths, raw), folder)[0])


def test_a_file_that_is_refused_is_refused_each_time(paths, raw, first):
    folder, _ = first
    paths[0].write_text("no list")
    for _ in range(2):
        releases, problems, entries = kept.read(paths, raw, _digests(paths, raw), folder)
        assert len(releases) == len(problems) == 1 and entries == []


def test_processes_that_share_the_files_read_what_one_would(paths, raw, first, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "WORTH_SHARING", 0)
    releases, problems, entries = kept.read(paths, raw, _digests(paths, raw), tmp_path / "shared")
    assert problems == [] and len(entries) == 2
    _same(first[1], releases)


# --- what an ingest leaves alone ----------------------------------------------------------------------------


@pytest.fixture
def few(world, tmp_path) -> Path:
    """A folder with the files and the tables of a small England, its own to change."""
    shutil.copytree(world("few"), tmp_path / "few")
    return tmp_path / "few"


def _written(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}


def test_an_ingest_of_what_was_ingested_before_writes_nothing(few):
    written = _written(few / "tables")
    report = ingest.ingest(few / "raw", few / "tables")
    assert report.pop("as_before")
    assert report == json.loads((few / "tables/ingest.json").read_text("utf-8"))
    assert _written(few / "tables") == written


@pytest.mark.parametrize("what", ["file", "marker", "table", "no table", "code", "accept"])
def test_an_ingest_is_made_anew_where_anything_it_hangs_on_changed(few, what, monkeypatch):
    raw, tables, more = few / "raw", few / "tables", []
    if what == "file":
        next(raw.rglob("*31_August_2025.csv")).unlink()
    elif what == "marker":
        marker = raw / ingest.MADE_UP
        marker.write_text(marker.read_text("utf-8") + " ", "utf-8")
    elif what == "table":
        content = bytearray((tables / "inspections.parquet").read_bytes())
        content[len(content) // 2] ^= 1
        (tables / "inspections.parquet").write_bytes(content)
    elif what == "no table":
        (tables / "norms.parquet").unlink()
    elif what == "code":
        monkeypatch.setattr(remembered, "program", lambda: "another")
    else:
        more = ["rows:no_such_file.csv"]
    earlier = _written(tables)
    assert "as_before" not in ingest.ingest(raw, tables, accept=more)
    later = _written(tables)
    assert all(later[name] != earlier.get(name) for name in later)


def test_checks_kept_of_other_files_are_those_made_anew(few, tmp_path):
    gone = next((few / "raw").rglob("2018_england_census.csv"))
    content = gone.read_bytes()
    gone.unlink()
    ingest.ingest(few / "raw", tmp_path / "tables")
    gone.write_bytes(content)
    warm = ingest.ingest(few / "raw", tmp_path / "tables")
    cold = ingest.ingest(few / "raw", tmp_path / "others")
    assert warm["checks"] == cold["checks"] and warm["not_compared"] == cold["not_compared"]
    for name in _written(tmp_path / "others"):
        written = [(tmp_path / folder / name).read_bytes() for folder in ("tables", "others")]
        assert written[0] == written[1], name


def test_checks_that_were_kept_and_damaged_are_made_anew(few, tmp_path):
    first = ingest.ingest(few / "raw", tmp_path / "tables")
    path = tmp_path / "tables" / kept.FOLDER / before.FILE
    text = path.read_text("utf-8")
    path.write_text(text.replace('"figure": ', '"figure": 9'), "utf-8")
    (tmp_path / "tables/norms.parquet").unlink()
    assert ingest.ingest(few / "raw", tmp_path / "tables")["checks"] == first["checks"]
    assert path.read_text("utf-8") == text
