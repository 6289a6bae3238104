"""What is expected of every release: each check on a drawn file that breaks it, and made-up releases, damaged
and whole.
"""

import json

import numpy as np
import pandas as pd
import pytest

from headway.pipelines import files, ingest, sources, synthesise
from headway.pipelines.files import Release
from headway.pipelines.ingest import expectations
from headway.pipelines.ingest.expectations.checks import NAMES
from headway.pipelines.tables import DataError

TODAY = pd.Timestamp(2026, 11, 28)
COUNT = 400


def _layout(part: str) -> sources.Layout:
    (layout,) = [known for known in sources.LAYOUTS if part in known.name]
    return layout


def _urns(count: int = COUNT) -> list[str]:
    return [str(100_001 + at) for at in range(count)]


def _release(part: str, name: str, **records: pd.DataFrame) -> Release:
    rows = next(iter(records.values()))
    return Release(name, _layout(part), files.day_in_name(name) or pd.NaT, records, len(rows))


def _absence(year: int, **columns: object) -> Release:
    """Absence of 400 schools, each near its own figure each year, in two authorities."""
    rng = np.random.default_rng(year)
    own = 0.04 + 0.02 * np.random.default_rng(1).random(COUNT)
    rows = pd.DataFrame({
        "urn": _urns(), "la_code": np.where(np.arange(COUNT) < 200, "201", "202"),
        "share_absence": own + 0.002 * rng.normal(size=COUNT),
        "share_persistent_absence_10": 0.08 + 0.05 * np.random.default_rng(2).random(COUNT) + 0.002 * rng.normal(size=COUNT),
    })  # fmt: skip
    return _release("absence of pupils", f"{year}_england_abs.csv", absence=rows.assign(**columns))


def _breaches(*releases: Release) -> set[str]:
    """The names of the checks that stop, of the last release."""
    return {
        one.name
        for one in expectations.made(list(releases), TODAY).made
        if one.breached and one.file == releases[-1].name
    }


def _list(day: str, **columns: object) -> Release:
    """A list of 400 schools: a tenth Inadequate, leadership better than overall in another tenth."""
    overall = np.array([1, 2, 2, 2, 2, 2, 2, 2, 3, 4] * (COUNT // 10), dtype=float)
    led = np.where(np.arange(COUNT) % 10 == 8, 2.0, overall)
    start = pd.Series(pd.Timestamp(2023, 9, 4) + pd.to_timedelta(7 * (np.arange(COUNT) % 90), unit="D"))
    rows = pd.DataFrame(
        {
            "inspected_on": start,
            "published_on": start + pd.Timedelta(days=40),
            "overall": overall,
            "leadership": led,
            "quality_of_education": overall,
            "category": np.where(overall == 4, "SM", None),
        }
    ).assign(**{name: values for name, values in columns.items() if name not in ("phase", "region")})
    schools = pd.DataFrame(
        {
            "urn": _urns(),
            "name": [f"School {at}" for at in range(COUNT)],
            "phase": ["Primary", "Secondary"] * (COUNT // 2),
            "region": ["London", "South East"] * (COUNT // 2),
            "local_authority": ["Barnet", "Kent"] * (COUNT // 2),
        }
    ).assign(**{name: values for name, values in columns.items() if name in ("phase", "region")})
    return _release("graded and ungraded", f"as_at_{day}.csv", schools=schools, latest=rows)


TRUE = [_absence(2017), _absence(2018)]


def test_true_files_pass():
    assert _breaches(*TRUE, _absence(2019)) == set()
    assert _breaches(_list("31_August_2024"), _list("31_August_2025")) == set()


# --- a file against the nearest of its kind -----------------------------------------------------------------


def test_rows_that_fall_stop():
    whole = _absence(2019)
    half = whole.records["absence"].iloc[::2]
    assert "rows" in _breaches(*TRUE, _release("absence of pupils", whole.name, absence=half))


def test_of_two_files_that_differ_the_one_that_agrees_with_no_other_is_named():
    odd = _absence(2018, share_absence=0.9)
    made = expectations.made([_absence(2017), odd, _absence(2019)], TODAY).made
    assert {one.file for one in made if one.breached} == {odd.name}


def test_an_authority_that_is_gone_stops():
    whole = _absence(2019)
    left = whole.records["absence"].iloc[24:]  # 24 of 200 schools, of authority 203
    named = [_absence(year, la_code=np.where(np.arange(COUNT) < 24, "203", "201")) for year in (2017, 2018)]
    assert "group" in _breaches(
        *named, _release("absence of pupils", whole.name, absence=left.assign(la_code="201"))
    )


def test_schools_that_the_years_about_a_file_have_and_it_leaves_out_stop(monkeypatch):
    listed = _list("31_August_2025")
    listed.records["schools"] = listed.records["schools"].assign(type="Community School", phase="Primary")
    rows = _absence(2018).records["absence"]
    # 5% gone
    some = _release("absence of pupils", "2018_england_abs.csv", absence=rows[np.arange(COUNT) % 20 > 0])
    assert "missing" in _breaches(listed, _absence(2017), _absence(2019), some)
    assert "missing" not in _breaches(listed, _absence(2017), _absence(2019), _absence(2018))


def test_shares_of_a_hundred_read_as_of_one_stop():
    rows = TRUE[0].records["absence"]
    assert "scale" in _breaches(*TRUE, _absence(2019, share_absence=rows["share_absence"] / 100))


def test_figures_one_row_down_stop():
    rows = _absence(2019).records["absence"]
    assert "schools" in _breaches(*TRUE, _absence(2019, share_absence=np.roll(rows["share_absence"], 1)))


def test_two_columns_that_changed_places_stop():
    rows = _absence(2019).records["absence"]
    swapped = {
        "share_absence": rows["share_persistent_absence_10"],
        "share_persistent_absence_10": rows["share_absence"],
    }
    assert {"columns", "order"} <= _breaches(*TRUE, _absence(2019, **swapped))


def test_a_figure_that_is_the_same_for_all_stops():
    assert "constant" in _breaches(*TRUE, _absence(2019, share_absence=0.05))


def test_a_needed_column_that_is_blank_stops():
    assert "blanks" in _breaches(*TRUE, _absence(2019, share_absence=np.nan))


def test_another_years_figures_under_a_new_name_stop():
    assert "copied" in _breaches(
        *TRUE, _release("absence of pupils", "2019_england_abs.csv", **TRUE[1].records)
    )


def test_phases_merged_and_regions_emptied_stop():
    before = [_list("31_August_2023"), _list("31_August_2024")]
    assert {"shares", "schools"} <= _breaches(*before, _list("31_August_2025", phase="Primary"))
    assert "blanks" in _breaches(*before, _list("31_August_2025", region=["London", None] * (COUNT // 2)))


def test_an_authority_in_two_regions_stops():
    mixed = np.random.default_rng(1).choice(["London", "South East"], COUNT)
    assert "together" in _breaches(_list("31_August_2025", region=mixed))


# --- a file by itself ---------------------------------------------------------------------------------------


def test_a_name_from_the_future_stops_whatever_is_in_the_file():
    assert "future" in _breaches(_list("31_August_2035"))
    assert "future" in _breaches(_absence(2027))


def test_a_name_a_year_after_the_newest_thing_in_the_file_stops():
    assert "newest" in _breaches(_list("31_August_2026"))
    paused = pd.Timestamp(2025, 6, 30)
    assert (
        expectations.days.inspecting(paused, pd.Timestamp(2025, 11, 10))
        == (pd.Timestamp(2025, 9, 1) - paused).days
    )


def test_inspections_that_begin_on_weekends_stop():
    day = _list("31_August_2025").records["latest"]["inspected_on"]
    assert "weekend" in _breaches(_list("31_August_2025", inspected_on=day + pd.Timedelta(days=6)))


def test_reports_before_their_inspections_stop():
    day = _list("31_August_2025").records["latest"]["inspected_on"]
    assert "reports" in _breaches(_list("31_August_2025", published_on=day - pd.Timedelta(days=3)))


def test_overall_and_leadership_that_changed_places_stop():
    rows = _list("31_August_2025").records["latest"]
    found = _breaches(_list("31_August_2025", overall=rows["leadership"], leadership=rows["overall"]))
    assert "leadership" in found


def test_leadership_copied_from_overall_stops():
    overall = np.array([1, 2, 2, 2, 2, 2, 2, 2, 3, 4] * 200, dtype=float)
    release = _list("31_August_2025")
    many = pd.concat([release.records["latest"]] * 5, ignore_index=True).assign(
        overall=overall, leadership=overall
    )
    schools = pd.concat([release.schools] * 5, ignore_index=True).assign(urn=_urns(5 * COUNT))
    assert "leadership" in _breaches(
        _release("graded and ungraded", release.name, schools=schools, latest=many)
    )


def test_overall_grades_that_do_not_follow_from_the_judgements_stop():
    rows = _list("31_August_2025").records["latest"]
    assert "rule" in _breaches(_list("31_August_2025", overall=rows["overall"].clip(upper=3) + 1))


def test_inadequate_schools_without_a_category_of_concern_stop():
    assert "category" in _breaches(_list("31_August_2025", category=None))


def test_a_month_without_inspections_stops():
    days = pd.Series(pd.bdate_range("2016-01-04", "2018-12-20")).repeat(2)
    history = pd.DataFrame(
        {
            "inspected_on": days.to_numpy(),
            "overall": 2.0,
            "urn": [str(100_001 + at) for at in range(len(days))],
        }
    )
    name = "history_2018-12-31.csv"
    assert "months" not in _breaches(_release("A history compiled", name, history=history))
    left = history[history["inspected_on"].dt.strftime("%Y-%m") != "2017-03"]
    assert "months" in _breaches(_release("A history compiled", name, history=left))


def test_standards_shifted_by_one_area_stop():
    rng = np.random.default_rng(1)
    areas = list(sources.STANDARD_PROFILE)
    cards = pd.DataFrame(
        {
            area: np.clip(
                np.round(2.9 + 1.5 * sources.STANDARD_PROFILE[area] + 0.6 * rng.normal(size=COUNT)), 1, 5
            )
            for area in areas
        }
    ).assign(inspected_on=pd.Timestamp(2026, 1, 13))
    schools = pd.DataFrame({"urn": _urns(), "phase": "Primary"})

    def release(rows: pd.DataFrame) -> Release:
        return _release(
            "report cards, year to date", "published_by_31_March_2026.csv", schools=schools, report_card=rows
        )

    assert "profile" not in _breaches(release(cards))
    assert "profile" in _breaches(
        release(cards.assign(**{area: cards[areas[at - 1]] for at, area in enumerate(areas)}))
    )


# --- the same inspections in other files --------------------------------------------------------------------


def _history(**columns: object) -> Release:
    rows = (
        _list("31_August_2025").records["latest"][["inspected_on", "overall"]].assign(urn=_urns(), **columns)
    )
    return _release("A history compiled", "history_2024-08-20.csv", history=rows)


def test_a_grade_that_other_files_have_otherwise_stops():
    overall = _list("31_August_2025").records["latest"]["overall"]
    assert _breaches(_list("31_August_2025"), _history()) == set()
    assert "same inspection" in _breaches(
        _list("31_August_2025"), _history(overall=(overall + 1).clip(upper=4))
    )


def test_days_that_other_files_have_otherwise_stop():
    day = _list("31_August_2025").records["latest"]["inspected_on"]
    assert "days moved" in _breaches(
        _list("31_August_2025"), _history(inspected_on=day - pd.Timedelta(days=28))
    )


# --- made-up releases ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "raw"
    synthesise.synthesise(folder, seed=11, schools=500)
    return folder


@pytest.fixture(scope="module")
def releases(world) -> list[Release]:
    return _read(world)


@pytest.fixture
def damaged(world, tmp_path):
    """Some files of the world, as links, and one of them rewritten line by line."""

    def make(pattern: str, change) -> tuple:
        copy = tmp_path / "raw"
        for path in [world / ingest.MADE_UP, *world.glob("ofsted/*.csv"), *world.glob("absence/202*.csv")]:
            (copy / path.relative_to(world)).parent.mkdir(parents=True, exist_ok=True)
            (copy / path.relative_to(world)).hardlink_to(path)
        (path,) = copy.rglob(pattern)
        lines = path.read_text("cp1252").splitlines(keepends=True)
        path.unlink()
        path.write_text("".join(change(lines)), "cp1252")
        return copy, path.relative_to(copy).as_posix()

    return make


def test_half_a_list_stops_with_its_figure_and_is_taken_by_name(damaged, tmp_path):
    raw, name = damaged("*as_at_31_August_2025.csv", lambda lines: [lines[0], *lines[1::2]])
    with pytest.raises(
        DataError,
        match=(
            rf"(?s){name} is not like a true release.*rows, schools.*0\.5\d*; usual is 0\.9.*--accept "
            r"'rows:"
        ),
    ):
        ingest.ingest(raw, tmp_path / "tables")
    assert not list((tmp_path / "tables").glob("*.parquet"))
    breached = {f"{one.name}:{one.file}" for one in expectations.made(_read(raw), TODAY).made if one.breached}
    report = ingest.ingest(raw, tmp_path / "tables", accept=breached)
    kept = json.loads((tmp_path / "tables" / "ingest.json").read_text("utf-8"))
    rows = next(
        one for one in kept["checks"] if one["name"] == "rows" and one["file"] == name and one.get("breached")
    )
    assert rows["accepted"] and rows["figure"] < 0.6 < rows["low"]
    assert set(report["accepted"]) == breached
    # the file is as it was: still accepted
    assert ingest.ingest(raw, tmp_path / "tables")["accepted"] == report["accepted"]


def _read(raw) -> list[Release]:
    paths, _ = ingest._files(raw)
    return [release for path in paths for release in files.read_file(path, raw)]


def test_a_name_that_is_no_check_is_refused():
    with pytest.raises(DataError, match="(?s)There is no check row:list.csv.*rows"):
        expectations.check(TRUE, TODAY, ["row:list.csv"])


def test_made_up_releases_are_like_true_ones_and_every_check_has_its_words(releases):
    made = expectations.made(releases, TODAY).made
    assert [one for one in made if one.breached] == []
    assert {one.name for one in made} <= set(NAMES)


# --- closed words -------------------------------------------------------------------------------------------


def test_regions_are_nine_words_whatever_a_file_calls_them(raw, official, ingested):
    text = official(
        "graded and ungraded",
        """
        urn    | name | phase   | region                   | local_authority | latest.inspected_on | latest.overall
        100001 | Oak  | Primary | Yorkshire and The Humber | Leeds           | 12/03/2024          | 2
        100002 | Ash  | Primary | YORKSHIRE AND THE HUMBER | Leeds           | 12/03/2024          | 2
        100003 | Elm  | Primary | East of England          | Luton           | 12/03/2024          | 2
        100004 | Fir  | Primary | NULL                     | Bath            | 12/03/2024          | 2
    """,
    )
    (raw / "as_at_31_August_2024.csv").write_text(text)
    regions = ingested()["tables"]("schools").set_index("urn")["region"]
    assert regions[[100001, 100002, 100003]].tolist() == [
        sources.REGIONS[8],
        sources.REGIONS[8],
        "East of England",
    ]
    assert pd.isna(regions[100004])


def test_a_region_we_do_not_know_stops_us(raw, official, ingested):
    text = official(
        "graded and ungraded",
        """
        urn    | name | phase   | region   | latest.inspected_on | latest.overall
        100001 | Oak  | Primary | Atlantis | 12/03/2024          | 2
    """,
    )
    (raw / "as_at_31_August_2024.csv").write_text(text)
    with pytest.raises(DataError, match="(?s)Region.*Atlantis.*pipelines/sources/"):
        ingested()


def test_made_up_schools_are_in_every_region_that_signals_look_for(releases):
    (listed,) = [release for release in releases if "2025" in release.name and release.layout.every_school]
    assert set(listed.schools["region"]) == set(sources.REGIONS)
