import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines import files, sources
from pipelines.sources import normalised
from pipelines.synthesise import EFFECTS, MARK, Effect, histories, synthesise
from pipelines.tables import DataError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "raw"
    synthesise(out, seed=5, schools=300)
    return out


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _pairs(visits: pd.DataFrame) -> pd.DataFrame:
    """Each graded inspection with the next of the same school: whether it improved, and which way the gap was."""
    following = visits.groupby("school")[["overall", "year"]].shift(-1)
    pairs = visits.assign(improved=following["overall"] < visits["overall"], next_year=following["year"])
    gap = visits["overall"] - visits["leadership"]
    return pairs.assign(better=gap > 0, worse=gap < 0)[following["overall"].notna()]


def _within_strata(pairs: pd.DataFrame) -> tuple[float, float, float]:
    """The odds ratio of improving, gap against none, pooled by Mantel and Haenszel; and its 95% interval."""
    pairs = pairs[pairs["overall"] > 1]
    keys = [pairs["overall"], pairs["phase"], pairs["next_year"]]
    a, b, c, d = (
        ((pairs["better"] == better) & (pairs["improved"] == improved)).groupby(keys).sum()
        for better in (True, False)
        for improved in (True, False)
    )
    n = a + b + c + d
    r, s, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    ratio = np.log(r.sum() / s.sum())
    variance = (
        (p * r).sum() / (2 * r.sum() ** 2)
        + (p * s + q * r).sum() / (2 * r.sum() * s.sum())
        + (q * s).sum() / (2 * s.sum() ** 2)
    )
    low, high = ratio - 1.96 * variance**0.5, ratio + 1.96 * variance**0.5
    return tuple(np.exp([ratio, low, high]))


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others(made: Path, tmp_path: Path) -> None:
    synthesise(tmp_path / "again", seed=5, schools=300)
    synthesise(tmp_path / "other", seed=6, schools=300)
    again, other = _contents(tmp_path / "again"), _contents(tmp_path / "other")
    assert again == _contents(made)
    assert all(other[name] != content for name, content in again.items())


def test_with_no_effect_the_raw_ratio_is_large_and_the_stratified_one_is_one() -> None:
    pairs = _pairs(histories(22_000, EFFECTS["none"], np.random.default_rng(11)))
    improved = {way: pairs.loc[pairs[way], "improved"].mean() for way in ("better", "worse")}
    assert improved["better"] / pairs.loc[~pairs["better"], "improved"].mean() > 2
    assert improved["better"] / improved["worse"] > 2
    _, low, high = _within_strata(pairs)
    assert low < 1 < high


@pytest.mark.parametrize("ratio", [1.5, 2.5])
def test_the_planted_odds_ratio_is_the_one_found_within_strata(ratio: float) -> None:
    found, low, high = _within_strata(_pairs(histories(40_000, Effect(ratio), np.random.default_rng(12))))
    assert low < ratio < high
    assert abs(np.log(found / ratio)) < 0.1


def test_leadership_differs_from_overall_in_about_a_tenth_of_inspections() -> None:
    visits = histories(22_000, EFFECTS["published"], np.random.default_rng(13))
    differ = visits["leadership"] != visits["overall"]
    assert 0.07 < differ.mean() < 0.12
    assert (visits["leadership"] < visits["overall"])[differ].mean() > 0.95


def test_no_graded_inspection_falls_in_the_pause_or_comes_out_before_it_is_made() -> None:
    visits = histories(3_000, EFFECTS["published"], np.random.default_rng(14))
    assert not visits["inspected_on"].between("2020-03-17", "2021-08-31").any()
    assert (visits["published_on"] - visits["inspected_on"]).dt.days.between(15, 125).all()


def test_real_files_are_never_written_over(tmp_path: Path) -> None:
    real = tmp_path / "ofsted" / "real.csv"
    real.parent.mkdir()
    real.write_text("URN\n100000\n")
    with pytest.raises(DataError, match=r"(?s)not made up here.*ofsted/real\.csv"):
        synthesise(tmp_path, seed=1, schools=50)
    assert _contents(tmp_path) == {"ofsted/real.csv": b"URN\n100000\n"}


def test_a_second_run_replaces_the_first_but_keeps_off_a_file_put_beside_it(tmp_path: Path) -> None:
    synthesise(tmp_path / "raw", seed=1, schools=50)
    synthesise(tmp_path / "raw", seed=2, schools=50)
    assert json.loads((tmp_path / "raw" / MARK).read_text("utf-8"))["seed"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]
    (tmp_path / "raw" / "gias" / "mine.csv").write_text("URN\n")
    with pytest.raises(DataError, match=r"gias/mine\.csv"):
        synthesise(tmp_path / "raw", seed=3, schools=50)


def test_an_effect_nobody_defined_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none, published, strong"):
        synthesise(tmp_path, seed=1, schools=50, effect="huge")


def test_every_header_written_is_one_that_sources_knows(made: Path) -> None:
    known = {
        normalised(header) for layout in sources.LAYOUTS for _, column in layout.columns() for header in column.headers
    }
    known |= {normalised(header) for header in sources.PERSONAL}
    for path in made.rglob("*.csv"):
        lines = list(csv.reader(path.read_text("utf-8-sig" if _is_utf8(path) else "cp1252").splitlines()[:2]))
        headers = lines[0] if len(lines[0]) > 1 else lines[1]
        assert {normalised(header) for header in headers} <= known, path.name


def _is_utf8(path: Path) -> bool:
    return path.read_bytes().startswith(b"\xef\xbb\xbf")


def test_every_file_is_read_as_the_release_it_imitates(made: Path) -> None:
    wanted = {
        "ofsted/*_2005_*.xlsx": "2005 to August 2015",
        "ofsted/*.zip": "April 2013",
        "ofsted/*_2015_*.csv": "all inspections, September 2015",
        "ofsted/*year_to_date*_31_Aug*_202[0-5].csv": "year to date, September 2019",
        "ofsted/*as_at_31_August_2025.csv": "graded and ungraded",
        "ofsted/*year_to_date*2026.csv": "report cards, year to date",
        "ofsted/*latest*2026.csv": "latest report cards",
        "census/201[26]*.csv": "census",
        "absence/201[26]*.csv": "absence of pupils",
        "workforce/20??_england_swf.csv": "Performance tables: school workforce",
        "workforce/*turnover*.csv": "turnover",
        "workforce/*fte_hc*.csv": "size of the school workforce",
        "workforce/*vacancies*.csv": "vacancies",
        "workforce/*sickness*.csv": "sickness",
        "workforce/*pay*.csv": "pay",
        "performance/2019*ks2final.csv": "key stage 2",
        "performance/2022*ks4final.csv": "key stage 4",
        "performance/20[12][89]*mats*.csv": "multi-academy trusts",
        "gias/edubase*.csv": "all data",
        "gias/links*.csv": "links",
    }
    for pattern, part in wanted.items():
        paths = sorted(made.glob(pattern))
        assert paths, pattern
        for path in paths:
            assert all(part in release.layout.name for release in files.read_file(path, made)), path.name


def test_the_planted_names_of_heads_stand_only_in_columns_that_are_never_read(made: Path) -> None:
    register = next((made / "gias").glob("edubase*"))
    header, row = list(csv.reader(register.read_text("cp1252").splitlines()[:2]))
    holding = [name for name, cell in zip(header, row, strict=True) if "Plantedname" in cell]
    assert holding and set(holding) <= set(sources.PERSONAL)
