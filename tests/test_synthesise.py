import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from worlds import FEW

from headway.pipelines import files, frameworks, ingest, registers, sources, tables
from headway.pipelines.evidence import cards as evidence_cards
from headway.pipelines.evidence import claims as evidence
from headway.pipelines.sources import normalised
from headway.pipelines.synthesise import (
    EFFECTS,
    MARK,
    Effect,
    free,
    histories,
    own_registers,
    parents,
    report_cards,
    staff,
    synthesise,
)
from headway.pipelines.synthesise.particulars import described
from headway.pipelines.synthesise.world import LAST_YEAR, World, make_world
from headway.pipelines.tables import DataError


@pytest.fixture(scope="module")
def kept(world: Callable[[str], Path]) -> Path:
    """A folder with made-up files under raw, registers under registers, and the tables made from the
    files.
    """
    return world("small")


@pytest.fixture(scope="module")
def made(kept: Path) -> Path:
    return kept / "raw"


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def _pairs(visits: pd.DataFrame) -> pd.DataFrame:
    """Each graded inspection with the next of the same school: whether it improved, and which way the gap
    was.
    """
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


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others(
    made: Path, world: Callable[[str], Path], tmp_path: Path
) -> None:
    synthesise(tmp_path / "again", seed=5, schools=FEW)
    again, other = _contents(tmp_path / "again"), _contents(world("other") / "raw")
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
        normalised(header)
        for layout in sources.LAYOUTS
        for _, column in layout.columns()
        for header in column.headers
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
        "gias/grouplinks*.csv": "links between schools and groups",
        "performance/202[45]*ks2final.csv": "key stage 2, attainment alone",
        "performance/2025*ks4final.csv": "key stage 4, attainment alone",
        "census/201[26]*.csv": "census",
        "absence/201[26]*.csv": "absence of pupils",
        "workforce/20??_england_swf.csv": "Performance tables: school workforce",
        "workforce/*turnover*.csv": "turnover",
        "workforce/*fte_hc*.csv": "size of the school workforce",
        "workforce/*vacancies*.csv": "vacancies",
        "workforce/*sickness*.csv": "sickness",
        "workforce/*pay*.csv": "pay",
        "workforce/*ptrs*.csv": "pupil to teacher ratios",
        "workforce/npq*.csv": "national professional qualifications",
        "workforce/*characteristics*.zip": "characteristics of teachers",
        "parents/*2020.csv": "questions of 2019 in full",
        "parents/*202[1-4].xlsx": "questions of 2019 by number, shares of one",
        "parents/*2025.ods": "questions of 2019 by number, per cent",
        "parents/*2026.ods": "questions of November 2025",
        "performance/20[12][379]*ks2final.csv": "key stage 2, with progress",
        "performance/202[234]*ks4final.csv": "key stage 4, with Progress 8",
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


# --- what schools and trusts would add of their own ---------------------------------------------------------


def _register(folder: Path, kind: str) -> pd.DataFrame:
    return pd.concat([pd.read_csv(path) for path in sorted(folder.rglob(f"{kind}.csv"))], ignore_index=True)


def test_registers_have_the_columns_asked_for_and_pass_the_check_with_the_tables_of_the_same_world(
    kept: Path,
) -> None:
    for kind in registers.KINDS:
        assert list(_register(kept / "registers", kind)) == registers.kind_named(kind).names
    about = tables.about(kept / "tables", "inspections")
    newest = pd.Timestamp(about["newest_file_on"])
    known, notes = registers.known(
        kept / "registers", tables.read(kept / "tables", "schools"), about["data_source"], newest
    )
    assert notes == []
    assert set(known) == set(registers.TABLES) and all(len(rows) for rows in known.values())


def test_each_kind_of_register_is_missing_for_30_to_60_in_100_schools_and_for_some_years_of_the_others(
    kept: Path,
) -> None:
    schools = tables.read(kept / "tables", "schools").query("open")
    newest = pd.Timestamp(tables.about(kept / "tables", "inspections")["newest_file_on"])
    known, _ = registers.known(kept / "registers", tables.read(kept / "tables", "schools"), "made-up", newest)
    missing = {name: 1 - schools["lineage"].isin(rows["lineage"]).mean() for name, rows in known.items()}
    assert all(0.3 < share < 0.6 for share in missing.values()), missing
    assert len(set(missing.values())) == 3
    for rows in known.values():
        years = rows.groupby("lineage").size()
        assert rows["counted_on"].min() < pd.Timestamp("2014-09-01")
        assert 5 < years.mean() < 12 and years.max() <= len(own_registers.NOVEMBERS)


def test_registers_change_no_byte_of_the_official_files_and_the_same_seed_makes_the_same_ones(
    kept: Path, tmp_path: Path
) -> None:
    synthesise(tmp_path / "raw", seed=5, schools=FEW)
    assert _contents(tmp_path / "raw") == _contents(kept / "raw")
    synthesise(tmp_path / "raw", seed=5, schools=FEW, registers=tmp_path / "registers")
    assert _contents(tmp_path / "registers") == _contents(kept / "registers")


def test_no_register_or_official_file_is_written_where_a_register_of_ones_own_lies(tmp_path: Path) -> None:
    own = tmp_path / "registers" / "trust-2001" / "staff.csv"
    own.parent.mkdir(parents=True)
    own.write_text("urn\n100000\n")
    with pytest.raises(DataError, match=r"(?s)not made up here.*trust-2001/staff\.csv"):
        synthesise(tmp_path / "raw", seed=1, schools=50, registers=tmp_path / "registers")
    assert _contents(tmp_path) == {"registers/trust-2001/staff.csv": b"urn\n100000\n"}
    assert not free(tmp_path / "registers") and free(tmp_path / "raw")


def test_a_second_run_leaves_no_register_of_the_first_and_keeps_a_hidden_file(tmp_path: Path) -> None:
    (tmp_path / "registers").mkdir()
    (tmp_path / "registers" / ".gitignore").write_text("*\n")
    for seed in (1, 2):
        synthesise(tmp_path / "raw", seed=seed, schools=50, registers=tmp_path / "registers")
    told = json.loads((tmp_path / "registers" / MARK).read_text("utf-8"))
    assert told["seed"] == 2
    assert set(_contents(tmp_path / "registers")) == {*told["files"], MARK, ".gitignore"}
    assert all(any(owner.iterdir()) for owner in (tmp_path / "registers").iterdir() if owner.is_dir())


def test_a_folder_of_registers_inside_that_of_the_files_is_refused(tmp_path: Path) -> None:
    for out, inner in (("raw", "raw/registers"), ("registers/raw", "registers"), ("raw", "raw")):
        with pytest.raises(DataError, match="neither inside the other"):
            synthesise(tmp_path / out, seed=1, schools=50, registers=tmp_path / inner)
    assert list(tmp_path.iterdir()) == []


# --- the effects planted in staff ---------------------------------------------------------------------------


def _per_deviation(world: World, share: pd.Series) -> dict[str, float]:
    """The odds ratio of improving for a standard deviation of a share, within grade, phase and year of what
    came next.

    `share` has a value for each URN and November; of the November before the next inspection.
    """
    pairs = _pairs(world.visits[world.visits["year"] < LAST_YEAR].reset_index(drop=True)).query("overall > 1")
    urns = world.schools.set_index("school")["urn"]
    index = pd.MultiIndex.from_arrays([pairs["school"].map(urns), pairs["next_year"].astype(int) - 1])
    values = share.reindex(index).to_numpy()
    pairs, values = pairs[~np.isnan(values)], values[~np.isnan(values)]
    strata = pairs.groupby(["overall", "phase", "next_year"]).ngroup().to_numpy()
    apart = pd.Series(values).groupby(strata).transform(lambda group: group - group.mean()).std()
    return evidence.within_strata(pairs["improved"], values / apart, strata, pairs["school"])


def _holds(found: dict[str, float], planted: float) -> bool:
    """Within three standard errors: of twenty 95% intervals one would miss, and there are more than
    twenty.
    """
    error = np.log(found["high"] / found["low"]) / (2 * 1.96)
    return bool(abs(np.log(found["estimate"] / planted)) < 3 * error)


def _shares(effect: Effect, folder: Path) -> tuple[World, dict[str, pd.Series]]:
    """A world, and by the first URN of its schools and November the shares that the files and registers
    show.
    """
    chance = np.random.default_rng(21).spawn(6)
    world = make_world(6_000, effect, chance[0])
    details = described(world, chance[1])
    size = staff.sizes(details, chance[2])
    staff.write(folder, world, details, size, chance[2], chance[3])
    own_registers.write(folder / "registers", world, details, size, chance[4])
    parents.write(folder, world, details, chance[5])
    first = {new: old for old, new in zip(details["urn"], details["new_urn"], strict=True) if new}

    def share(
        rows: pd.DataFrame, urn: str, november: pd.Series, part: pd.Series, whole: pd.Series
    ) -> pd.Series:
        part, whole = pd.to_numeric(part, errors="coerce"), pd.to_numeric(whole, errors="coerce")
        index = [rows[urn].replace(first), november]
        return pd.Series((part / whole).to_numpy(), index=index).dropna()

    def published(kind: str, part: str, whole: str) -> pd.Series:
        rows = pd.read_csv(folder / "workforce" / staff.NAMES[kind], low_memory=False).dropna(
            subset=["school_urn"]
        )
        return share(rows, "school_urn", rows["time_period"] // 100, rows[part], rows[whole])

    def own(kind: str, parts: list[str], whole: str) -> pd.Series:
        rows = _register(folder / "registers", kind)
        return share(
            rows, "urn", rows["counted_on"].str[:4].astype(int), rows[parts].sum(axis=1), rows[whole]
        )

    def told(asked: str) -> pd.Series:
        shares = []
        for path in sorted((folder / "parents").iterdir()):
            (release,) = files.read_file(path, folder)
            rows = release.records["parent_view"].astype({"urn": "int64"})
            agree = rows[f"share_agree_{asked}"]
            november = pd.Series(files.day_in_name(release.name).year, index=rows.index)
            shares.append(share(rows, "urn", november, agree, agree + rows[f"share_disagree_{asked}"]))
        return pd.concat(shares)

    return world, {
        "recommend": told("recommend"), "concerns": told("concerns"),
        "stayed": published("turnover", "remained_in_the_same_school", "teacher_fte_in_census_year"),
        "assistant heads": published("posts", "fte_assistant_head_teachers", "fte_all_teachers"),
        "stayed, own": own("staff", ["stayed"], "teachers_a_year_before"),
        "in programmes, own": own("leadership-development", list(own_registers.PROGRAMMES), "middle_leaders"),
        "decoys": own("improvement-capacity", ["improvement_practitioners"], "staff"),
        "more decoys": own("leadership-development", ["middle_leaders"], "teachers"),
    }  # fmt: skip


def test_schools_of_fewer_than_ten_answers_are_in_no_release_and_few_with_special_needs_are_left_out(
    kept: Path,
) -> None:
    rows = tables.read(kept / "tables", "parent_view")
    assert set(rows["period"]) == {pd.Timestamp(last).year for _, last, _ in parents.RELEASES}
    assert rows["submissions"].min() == parents.FEWEST
    assert 0.3 < rows["urn"].nunique() / tables.read(kept / "tables", "schools")["urn"].nunique() < 0.95
    needs = rows[rows["period"].ne(2020)]
    assert 0.05 < needs["share_agree_special_needs"].notna().mean() < 0.6
    assert (
        needs.loc[needs["share_agree_special_needs"].isna(), "share_agree_special_needs_why_blank"]
        .eq("blank")
        .all()
    )
    asked = {2020: "does_well", 2025: "does_well", 2026: "learning"}
    assert all(
        rows.loc[rows["period"].eq(year), f"share_agree_{name}"].notna().all() for year, name in asked.items()
    )
    assert rows.loc[rows["period"].eq(2026), "share_agree_does_well"].isna().all()


@pytest.mark.parametrize("gap", [1.0, 2.5])
def test_the_odds_ratio_of_a_trait_is_the_planted_one(gap: float) -> None:
    world = make_world(60_000, Effect(gap, 1.5, 1.08, 1.3), np.random.default_rng(22))
    urns, novembers = world.schools["urn"].to_numpy(), range(2009, 2026)
    index = pd.MultiIndex.from_product([novembers, urns]).swaplevel()
    for trait, planted in ((world.stays, 1.5), (world.assistants, 1.08), (world.parents, 1.3)):
        noise = np.random.default_rng(23)
        share = pd.Series(np.concatenate([staff.measured(trait, noise) for _ in novembers]), index=index)
        assert abs(np.log(_per_deviation(world, share)["estimate"] / planted)) < 0.025


@pytest.mark.long
def test_what_is_planted_in_one_trait_shows_in_its_figures_and_register_and_in_no_other(
    tmp_path: Path,
) -> None:
    for name, effect, planted, exact in (
        ("stay", Effect(retention_odds_ratio=1.5), {"stayed", "stayed, own"}, "stayed"),
        (
            "develop",
            Effect(middle_leader_odds_ratio=1.5),
            {"assistant heads", "in programmes, own"},
            "assistant heads",
        ),
        ("parents", Effect(parents_odds_ratio=1.5), {"recommend", "concerns"}, None),
    ):
        (tmp_path / name / "registers").mkdir(parents=True)
        world, shares = _shares(effect, tmp_path / name)
        found = {what: _per_deviation(world, share) for what, share in shares.items()}
        assert exact is None or _holds(found[exact], 1.5)
        # A few people of whom each is in or out show less of the trait than a full-time equivalent does; a
        # few parents less yet.
        least = 1.05 if name == "parents" else 1.1
        assert all(found[what]["low"] > least and found[what]["estimate"] < 1.6 for what in planted)
        assert all(_holds(ratio, 1.0) for what, ratio in found.items() if what not in planted), found


@pytest.mark.long
def test_with_no_effect_no_figure_of_staff_or_parents_says_anything(tmp_path: Path) -> None:
    (tmp_path / "registers").mkdir()
    world, shares = _shares(EFFECTS["none"], tmp_path)
    assert all(_holds(_per_deviation(world, share), 1.0) for share in shares.values())


# --- report cards -------------------------------------------------------------------------------------------

AREAS = list(frameworks.AREAS)
LATE = 2028


def _cards(effect: Effect, until: int = 2029) -> tuple[World, pd.DataFrame]:
    chance = np.random.default_rng(31).spawn(3)
    world = make_world(22_000, effect, chance[0])
    return world, report_cards.drawn(world, described(world, chance[1]), effect, until, chance[2])


@pytest.fixture(scope="module")
def unplanted() -> tuple[World, pd.DataFrame]:
    return _cards(EFFECTS["none"])


@pytest.fixture(scope="module")
def strong() -> tuple[World, pd.DataFrame]:
    return _cards(EFFECTS["strong"])


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files to August 2028 under raw, with second cards in them, and the tables made from them."""
    folder = tmp_path_factory.mktemp("late")
    synthesise(folder / "raw", seed=5, schools=600, until=LATE)
    ingest.ingest(folder / "raw", folder / "tables")
    return folder


def test_the_first_report_cards_are_as_many_and_as_good_as_the_real_ones(
    unplanted: tuple[World, pd.DataFrame],
) -> None:
    world, cards = unplanted
    cards = cards[cards["year"] == LAST_YEAR]
    assert 350 < cards["inspected_on"].between("2026-01-01", "2026-01-31").sum() < 550
    assert 1_100 < (cards["published_on"] <= "2026-05-06").sum() < 1_500
    real = {"achievement": (30, 17), "curriculum_and_teaching": (24, 16), "attendance_and_behaviour": (16, 32),
            "leadership_and_governance": (15.5, 23), "inclusion": (11, 35), "early_years": (13, 25), "post_16": (11, 31),
            "personal_development_and_wellbeing": (6, 40)}  # fmt: skip
    for area, (below, strong_or_better) in real.items():
        given = cards[area][cards[area] > 0]
        assert abs(100 * (given >= 4).mean() - below) < 4, area
        assert abs(100 * (given <= 2).mean() - strong_or_better) < 5, area
    assert 0.34 < (cards[AREAS] >= 4).any(axis=1).mean() < 0.42
    assert 0.02 < cards["category"].notna().mean() < 0.06
    assert 0.003 < (cards["safe"] == "No").mean() < 0.014
    before = world.visits[world.visits["year"] < LAST_YEAR].drop_duplicates("school", keep="last")
    below = (
        (cards["leadership_and_governance"] >= 4)
        .groupby(cards["school"].map(before.set_index("school")["overall"]))
        .mean()
    )
    assert below[1] < 0.05 and 0.10 < below[2] < 0.17 and 0.22 < below[3] < 0.40 and 0.15 < below[4] < 0.42


def test_the_areas_of_a_card_go_together(unplanted: tuple[World, pd.DataFrame]) -> None:
    every = unplanted[1].query("card == 1")[AREAS[:6]].corr().to_numpy()[np.triu_indices(6, 1)]
    assert 0.6 < every.mean() < 0.72 and every.min() > 0.55


def test_every_card_has_six_areas_and_the_other_two_where_a_school_has_them(
    unplanted: tuple[World, pd.DataFrame],
) -> None:
    _, cards = unplanted
    assert (cards[AREAS[:6]] > 0).all(axis=None) and cards[AREAS].max(axis=None) == 5
    assert ((cards[["early_years", "post_16"]] > 0).groupby(cards["school"]).nunique() == 1).all(axis=None)
    assert (cards.loc[cards["phase"] == "Nursery", "early_years"] > 0).all()
    assert not (cards.loc[cards["phase"] == "Primary", "post_16"] > 0).any()
    assert (cards["category"].notna() == (cards[AREAS] == 5).any(axis=1)).all()


def test_second_cards_come_years_later_and_sooner_where_an_area_was_below_expected(
    unplanted: tuple[World, pd.DataFrame],
) -> None:
    _, cards = unplanted
    assert cards.loc[cards["year"] == LAST_YEAR, "card"].eq(1).all()
    first, second = (cards[cards["card"] == n].set_index("school") for n in (1, 2))
    assert len(second) > 1_000
    assert (second["on"] - first["on"].reindex(second.index)).min() > 365
    again = first.index.isin(second.index)
    below = (first[AREAS] >= 4).any(axis=1)
    early = first["year"] == LAST_YEAR
    assert again[early & below].mean() > 0.8 and again[early & ~below].mean() < 0.2


def _gap(cards: pd.DataFrame) -> pd.Series:
    """Whether leadership and governance stood above the mean of the other areas."""
    standards = cards[AREAS].where(cards[AREAS] > 0)
    return (
        standards.drop(columns="leadership_and_governance").mean(axis=1)
        > standards["leadership_and_governance"]
    )


def _areas_found_later(cards: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """A row for each area with a later standard: the one before, and whether it rose from there."""
    gap = _gap(cards)
    parts = [
        pd.DataFrame(
            {
                "school": cards["school"],
                "stratum": f"{area} " + cards[area].astype(str),
                "gap": gap,
                "improved": later[area] < cards[area],
            }
        )[(cards[area] > 1) & (later[area] > 0)]
        for area in AREAS
    ]
    return pd.concat(parts, ignore_index=True)


def _ratios(cards: pd.DataFrame) -> list[dict[str, float]]:
    """The odds ratio of a rise, gap against none, within area and standard: at the next card and at
    monitoring visits.
    """
    coming = cards.groupby("school")[AREAS].shift(-1)
    again = cards[[f"{area}_again" for area in AREAS]].set_axis(AREAS, axis=1)
    found = [_areas_found_later(cards, later) for later in (coming, again)]
    return [
        evidence.within_strata(
            rows["improved"], rows["gap"].to_numpy(float), rows["stratum"].to_numpy(), rows["school"]
        )
        for rows in found
    ]


def test_the_planted_leadership_gap_is_found_in_the_strong_world_and_none_in_the_other(
    strong: tuple[World, pd.DataFrame], unplanted: tuple[World, pd.DataFrame]
) -> None:
    for ratio in _ratios(strong[1]):
        assert ratio["low"] > 1.5 and _holds(ratio, 2.5)
    for ratio in _ratios(unplanted[1]):
        assert _holds(ratio, 1.0) and ratio["estimate"] < 1.4


def _asked_again(cards: pd.DataFrame) -> dict:
    """The claim asked of the cards as the table of standards has them, each area again where a visit graded
    it again.
    """
    keys = {"lineage": cards["school"], "inspected_on": cards["inspected_on"]}
    given = [
        pd.DataFrame({**keys, "area": area, "standard": cards[area], "graded_on": cards["inspected_on"]})
        for area in AREAS
    ]
    given += [
        pd.DataFrame(
            {
                **keys,
                "area": area,
                "standard": cards[f"{area}_again"],
                "graded_on": cards["inspected_on"] + pd.Timedelta(days=200),
            }
        )
        for area in AREAS
    ]
    standards = pd.concat(given, ignore_index=True).query("standard > 0")
    graded = pd.DataFrame(
        {
            "lineage": [0],
            "kind": "graded",
            "inspected_on": cards["inspected_on"].iloc[:1] - pd.Timedelta(days=999),
            "overall": 2,
            "leadership": 2,
        }
    ).astype({"inspected_on": standards["inspected_on"].dtype})
    return evidence_cards.asked_again(standards, graded)


def test_the_claim_asked_again_of_second_cards_is_found_where_it_was_planted_and_nowhere_else(
    strong: tuple[World, pd.DataFrame], unplanted: tuple[World, pd.DataFrame]
) -> None:
    """Where nothing was planted the areas of schools whose leadership stands out rise more often too: they
    start lower.
    """
    planted, none = _asked_again(strong[1]), _asked_again(unplanted[1])
    assert (planted["verdict"], none["verdict"]) == ("more often", "no difference shown")
    by_what = [{row["what"]: row for row in found["outcomes"]} for found in (planted, none)]
    for what in ("areas of second report cards", "areas graded again at a monitoring visit"):
        more, same = (rows[what]["odds_ratio"] for rows in by_what)
        assert more["low"] > 1.5 and _holds(same, 1.0) and same["high"] < 1.4
    assert by_what[1]["areas of second report cards"]["risk_ratio"]["low"] > 1.05
    first = strong[1].query("year == @LAST_YEAR and card == 1")
    early = _asked_again(first.assign(**dict.fromkeys([f"{area}_again" for area in AREAS], 0)))
    assert early["verdict"] == "cannot be told yet"


def test_areas_are_graded_again_at_visits_half_a_year_to_a_year_and_a_half_on(
    strong: tuple[World, pd.DataFrame],
) -> None:
    _, cards = strong
    again = cards[[f"{area}_again" for area in AREAS]].set_axis(AREAS, axis=1)
    visited = (again > 0).any(axis=1)
    assert (cards[AREAS].where(again > 0).min(axis=1)[visited] >= 4).all()
    assert (again <= cards[AREAS]).all(axis=None)
    assert (cards["visit_on"] - cards["on"])[visited].between(135, 560).all()
    assert 0.4 < visited[(cards[AREAS] >= 4).any(axis=1)].mean() < 0.7
    assert 0.4 < (again[again > 0] < cards[AREAS]).sum().sum() / (again > 0).sum().sum() < 0.75


def test_an_area_graded_again_stands_so_in_the_latest_list_and_as_inspected_in_the_year_to_date(
    late: Path,
) -> None:
    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(next((late / "raw/ofsted").glob(name)), encoding="cp1252", dtype=str)

    newest = read("*latest*2027.csv")
    number = "Inspection number of latest full inspection"
    original = pd.concat([read("*year_to_date*August_2026.csv"), read("*year_to_date*2027.csv")]).set_index(
        "Inspection number"
    )
    carded = newest[newest[number].notna()]
    before = original["Achievement"].reindex(carded[number]).set_axis(carded.index)
    days = carded[["Achievement - date of grade", "Inspection start date"]].apply(
        pd.to_datetime, format="%d/%m/%Y"
    )
    later = days["Achievement - date of grade"] > days["Inspection start date"]
    assert 3 < later.sum() < len(later) / 4
    assert (carded["Achievement"] == before)[~later].all()
    assert before[later].isin(["Needs attention", "Urgent improvement"]).all()
    assert (carded["Achievement"] != before)[later].any()
    standards = tables.read(late / "tables", "standards").query("area == 'achievement'")
    regraded = standards[standards["graded_on"] > standards["inspected_on"]]
    assert len(regraded) >= later.sum()
    assert (regraded["known_on"] > regraded["graded_on"]).all()
    first = standards[standards["graded_on"] == standards["inspected_on"]].set_index(
        ["lineage", "inspected_on"]
    )["standard"]
    was = first.reindex(pd.MultiIndex.from_frame(regraded[["lineage", "inspected_on"]])).to_numpy()
    assert (regraded["standard"] <= was).all() and (regraded["standard"] < was).any()


def test_the_tables_of_a_later_england_hold_every_card_with_all_its_areas(late: Path) -> None:
    standards = tables.read(late / "tables", "standards")
    cards = standards.drop_duplicates(["lineage", "inspected_on"])
    made_up = json.loads((late / "raw" / MARK).read_text("utf-8"))
    assert made_up["until"] == f"{LATE}-08-31" and len(cards) == made_up["planted"]["report_cards"]
    assert cards.groupby("lineage").size().max() == 2
    assert standards.groupby(["lineage", "inspected_on"])["area"].nunique().between(6, 8).all()
    inspections = tables.read(late / "tables", "inspections").query(
        "framework == 'report cards, 2025' and kind == 'graded'"
    )
    assert len(inspections) == len(cards) and inspections["below_good"].notna().all()
    assert inspections["inspection_number"].is_unique


def test_a_later_end_changes_no_inspection_file_of_the_years_before(late: Path, tmp_path: Path) -> None:
    synthesise(tmp_path / "raw", seed=5, schools=600)
    early = _contents(tmp_path / "raw" / "ofsted")
    assert len(early) > 10 and early.items() <= _contents(late / "raw" / "ofsted").items()
    with pytest.raises(DataError, match="2026 to 2030"):
        synthesise(tmp_path / "raw", seed=5, schools=50, until=2025)


def test_the_last_lists_as_one_workbook_say_what_the_two_files_do(kept: Path, tmp_path: Path) -> None:
    synthesise(tmp_path / "raw", seed=5, schools=FEW, monthly=True)
    (book,) = (tmp_path / "raw/ofsted").glob("*.ods")
    assert not list((tmp_path / "raw/ofsted").glob("*August_2026.csv"))
    read = {
        release.name.rsplit("/")[-1]: release.layout.name
        for release in files.read_file(book, tmp_path / "raw")
    }
    assert "year to date" in read["D1_In_year_inspections"] and "latest" in read["D2_Most_recent_inspections"]
    ingest.ingest(tmp_path / "raw", tmp_path / "tables")
    for name in ("inspections", "standards", "schools"):
        ours, theirs = (
            tables.read(folder / "tables", name).drop(columns=["source_file", "files"], errors="ignore")
            for folder in (tmp_path, kept)
        )
        pd.testing.assert_frame_equal(ours, theirs)


# --- results and trusts -------------------------------------------------------------------------------------


def test_results_of_an_earlier_year_stand_beside_those_of_a_later_one(made: Path) -> None:
    of = {
        year: pd.read_csv(made / "performance" / f"{year}_england_ks2final.csv", dtype=str)
        .dropna(subset=["URN"])
        .set_index("URN")
        for year in (2023, 2024, 2025)
    }
    assert "READPROG" in of[2023] and not {"READPROG", "MATPROG"} & {*of[2024], *of[2025]}
    both = of[2025].index.intersection(of[2024].index)
    assert len(both) > 100
    for header in ("PTRWM_EXP", "PTRWM_HIGH", "READ_AVERAGE"):
        assert of[2025].loc[both, f"{header}_24"].equals(of[2024].loc[both, header].rename(f"{header}_24"))
    assert "PTRWM_EXP_23" in of[2025] and "PTRWM_EXP_23" in of[2024]
    assert "P8MEA" not in pd.read_csv(made / "performance" / "2025_england_ks4final.csv")


def test_a_school_that_leaves_its_trust_is_in_another_or_alone_from_that_day(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    synthesise(raw, seed=8, schools=1_500, registers=tmp_path / "registers")
    then, now = (
        pd.read_csv(
            raw / "gias" / f"grouplinks_edubaseallacademiesandfree{year}0901.csv", encoding="cp1252"
        ).set_index("URN")
        for year in (2025, 2026)
    )
    both = then.index.intersection(now.index)
    left = now.loc[both][now.loc[both, "Linked UID"] != then.loc[both, "Linked UID"]]
    joined = pd.to_datetime(left["Joined date"], format="%d-%m-%Y")
    assert len(left) > 5 and joined.between("2025-09-02", "2026-09-01").all()
    assert set(left["Group Type"]) == {"Multi-academy trust", "Single-academy trust"}
    register = pd.read_csv(raw / "gias" / "edubasealldata20260901.csv", encoding="cp1252").set_index("URN")
    assert (register.loc[now.index, "Trusts (code)"] == now["Linked UID"]).all()
    # Whoever has the school now has its registers.
    owners = {
        urn: path.parent.name
        for path in (tmp_path / "registers").rglob("*.csv")
        for urn in set(pd.read_csv(path)["urn"])
    }
    trusts = ("trust-" + left["Linked UID"].astype(str)).where(
        left["Group Type"] == "Multi-academy trust", "authority"
    )
    kept = [(owner, owners[urn]) for urn, owner in trusts.items() if urn in owners]
    assert len(kept) > 3 and all(found.startswith(owner) for owner, found in kept)


def test_pupils_for_each_teacher_are_given_from_where_the_performance_tables_end(made: Path) -> None:
    ratios = pd.read_csv(made / "workforce" / staff.NAMES["ratios"], low_memory=False)
    assert sorted(ratios["time_period"].unique()) == [202122, 202223, 202324, 202425]
