"""The yearly tables of pupils, their absence and their results."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from headway.pipelines.synthesise.particulars import keys, listed
from headway.pipelines.synthesise.sheets import figures, official, write_csv
from headway.pipelines.synthesise.world import World

# Years of the performance tables, by the year the academic year ends in; none came out for 2020.
YEARS = (*range(2012, 2020), *range(2021, 2025))
KEY_STAGE_2, KEY_STAGE_4 = (2017, 2018, 2019, 2023, 2024), (2017, 2018, 2019, 2022, 2023, 2024)
WITHOUT_PROGRESS = 2024  # no progress to 11 from here on: those pupils had no tests at 7
WITHOUT_PROGRESS_8 = (2025, 2026)  # nor to 16 in these
REPEATED = (
    "share_expected_standard",
    "share_higher_standard",
    "reading_score",
    "maths_score",
    "grammar_score",
)
ABSENCE = {"Primary": 4.0, "Secondary": 5.4, "Special": 9.0, "Nursery": 5.0, "PRU": 30.0}


def write(
    out: Path,
    world: World,
    schools: pd.DataFrame,
    rng: np.random.Generator,
    more: np.random.Generator,
    until: int,
) -> None:
    """The census, absence and results of every year that were out by August `until`, into `out`.

    `more` is the chance of the years that came in later.
    """
    for year in YEARS:
        _pupils(out, world, schools, year, rng)
    for year in _later(until):
        _pupils(out, world, schools, year, more)
    _results(out, world, schools, rng, more, until)


def _later(until: int) -> range:
    """The years whose tables came out since those of YEARS, by August `until`: in the January or April after
    the year.
    """
    return range(max(YEARS) + 1, until)


def _pupils(out: Path, world: World, schools: pd.DataFrame, year: int, rng: np.random.Generator) -> None:
    rows = listed(schools, f"{year}-01-20")
    count = len(rows)
    pupils = np.maximum(np.round(rows["pupils"] * (1 + rng.normal(0, 0.02, count))).to_numpy(), 3)

    def share(middle: pd.Series | np.ndarray, wobble: float = 0.012, **marks: np.ndarray) -> pa.Array:
        return figures(100 * np.clip(np.asarray(middle) + rng.normal(0, wobble, count), 0, 1), **marks)

    hidden, never = rng.random(count) < 0.012, rng.random(count) < 0.004
    fsm = (rows["fsm"] + (0.05 if year > 2021 else 0.0)).clip(0, 0.95)
    codes = {"pupils": "totpup", "share_ehcp": "ptotsenst"} if year < 2015 else {}
    sen = {
        "share_school_action": share(rows["sen"] * 0.6),
        "share_school_action_plus": share(rows["sen"] * 0.5),
    }
    columns = {
        **keys(rows),
        "school_type": rows["type"],
        "pupils": pupils.astype("int64"),
        "share_girls": share(np.where(rows["gender"] == "Girls", 1.0, 0.49), 0.0),
        "share_ehcp": share(rows["ehcp"], 0.004, SUPP=hidden),
        **(sen if year < 2015 else {"share_sen_support": share(rows["sen"])}),
        "share_eal": share(rows["eal"], SUPP=hidden),
        "share_fsm": share(fsm, SUPP=hidden, NA=never),
        "pupils_fsm": figures(pupils * fsm.to_numpy(), 0, SUPP=hidden, NA=never),
        "share_fsm_ever": share(fsm * 1.35, SUPP=hidden, NP=never),
    }
    national = (("NAT", "PRI", "", "", "4679382"), ("NAT", "SEC", "", "", "3268273"))
    write_csv(
        out / "census" / f"{year}_england_census.csv",
        official("census of pupils", {"census": columns}, codes),
        totals=national,
    )
    if year == 2021:  # the absence of that year was never published by school
        return
    quality, advantage = world.quality_in(year, rows["school"]), rows["advantage"].to_numpy()
    middle = rows["phase"].map(ABSENCE).to_numpy() + (2.3 if year > 2021 else 0.0)
    absent = (middle * np.exp(0.09 * (-0.8 * advantage - 0.7 * quality) + rng.normal(0, 0.1, count))).clip(
        0.5, 60
    )
    missing = rng.random(count) < 0.01
    persistent = "share_persistent_absence_15" if year < 2016 else "share_persistent_absence_10"
    often = absent * (1.0 if year < 2016 else 2.4) * np.exp(rng.normal(0, 0.1, count))
    columns = keys(rows) | {
        "share_absence": figures(absent, SUPP=missing, NE=never),
        persistent: figures(often.clip(0, 95), SUPP=missing, NE=never),
    }
    sheet = official("absence of pupils", {"absence": columns})
    national = (("NAT", "PRI", "", "4.0"), ("NAT", "SEC", "", "5.4"), ("NAT", "SPE", "", "10.2"))
    write_csv(out / "absence" / f"{year}_england_abs.csv", sheet, totals=national)


def _results(
    out: Path,
    world: World,
    schools: pd.DataFrame,
    rng: np.random.Generator,
    more: np.random.Generator,
    until: int,
) -> None:
    """The results of the years, each in the layout of its time; `more` is the chance of the years that came
    in later.
    """
    earlier: dict[int, pd.DataFrame] = {}
    for year in sorted({*KEY_STAGE_2, *KEY_STAGE_4, *_later(until)}):
        every = listed(schools, f"{year}-05-10")
        for stage, phase, years in ((2, "Primary", KEY_STAGE_2), (4, "Secondary", KEY_STAGE_4)):
            if year not in (*years, *_later(until)):
                continue
            chance = rng if year in years else more
            rows = every[(every["phase"] == phase) & (every["high_age"] >= (11 if stage == 2 else 16))]
            count, quality = len(rows), world.quality_in(year, rows["school"])
            advantage, noise = rows["advantage"].to_numpy(), chance.normal(0, 1, (3, count))
            few, new = (
                (rows["pupils"] < 80).to_numpy() & (chance.random(count) < 0.5),
                chance.random(count) < 0.004,
            )
            marks = {"SUPP": few, "NEW": new}
            before: dict[str, dict[str, object]] = {}
            if stage == 2:
                progress = 1.5 * quality + 0.4 * advantage
                expected = (64 + 7 * advantage + 6 * quality + 7 * noise[0]).clip(5, 100)
                columns = {
                    f"{subject}_progress": figures(progress + 1.3 * wobble, **marks)
                    for subject, wobble in zip(("reading", "writing", "maths"), noise, strict=True)
                }
                columns |= {
                    "share_expected_standard": figures(expected, 0, "%", **marks),
                    "share_expected_standard_disadvantaged": figures(
                        (expected - 14 + 6 * noise[1]).clip(0, 100), 0, "%", SUPP=few | new
                    ),
                    "share_higher_standard": figures((expected * 0.14).clip(0, 60), 0, "%", **marks),
                }
                if year >= WITHOUT_PROGRESS:
                    columns = {
                        name: column for name, column in columns.items() if not name.endswith("_progress")
                    }
                    scores = {
                        f"{subject}_score": 104 + (expected - 64) / 6 + wobble
                        for subject, wobble in zip(("reading", "maths", "grammar"), noise, strict=True)
                    }
                    columns |= {
                        name: figures(score.clip(85, 120), 0, **marks) for name, score in scores.items()
                    }
                    columns["pupils_at_11"] = figures(rows["pupils"].to_numpy() / 7, 0)
                    before = {
                        f"results:{of}": _repeated(earlier[of], rows)
                        for of in (year - 1, year - 2)
                        if of in earlier
                    }
                shown = {name: column for name, column in columns.items() if name in REPEATED}
                earlier[year] = pd.DataFrame(
                    {"school": rows["school"].to_numpy()} | {n: c.to_pandas() for n, c in shown.items()}
                )
            else:
                p8 = 0.3 * quality + 0.18 * advantage + 0.18 * noise[0] - 0.03
                a8 = (46.5 + 9 * p8 + 4.5 * advantage + noise[1]).clip(5, 85)
                basics = (44 + 1.4 * (a8 - 46)).clip(0, 100)
                columns = {
                    "attainment_8": figures(a8, **marks),
                    "attainment_8_disadvantaged": figures(a8 - 9 + noise[2], SUPP=few | new),
                    "progress_8": figures(p8, 2, LOWCOV=chance.random(count) < 0.004, **marks),
                    "share_basics_95": figures(basics, 0, "%", **marks),
                    "share_ebacc_entered": figures(
                        (40 + 6 * noise[2] + 4 * advantage).clip(0, 100), 0, "%", **marks
                    ),
                    "ebacc_points": figures(a8 / 11.4, 2, **marks),
                    "school_kind": np.where(rows["academy"], "ACC", "CY").astype(object),
                }
                if year in WITHOUT_PROGRESS_8:
                    del columns["progress_8"]
                    columns["pupils_at_16"] = figures(rows["pupils"].to_numpy() / 6, 0)
            columns["urn"] = pa.array(rows["urn"].to_numpy())
            columns["record_type"] = pa.array(np.ones(count, dtype="int64"))
            with_progress = year < WITHOUT_PROGRESS if stage == 2 else year not in WITHOUT_PROGRESS_8
            layout = f"key stage {stage}, " + (
                "attainment alone"
                if not with_progress
                else "with progress"
                if stage == 2
                else "with Progress 8"
            )
            records = {
                name: {c: _footed(v) for c, v in held.items()}
                for name, held in ({"results": columns} | before).items()
            }
            # The last two rows are of an authority and the country: no URN, another kind of record.
            totals = pa.array([3, 5] if stage == 2 else [4, 7])
            records["results"]["record_type"] = pa.concat_arrays([columns["record_type"], totals])
            write_csv(out / "performance" / f"{year}_england_ks{stage}final.csv", official(layout, records))


def _footed(column: object) -> pa.Array:
    """A column with two blank cells more."""
    values = column if isinstance(column, pa.Array) else pa.array(column)
    return pa.concat_arrays([values, pa.nulls(2).cast(values.type)])


def _repeated(earlier: pd.DataFrame, rows: pd.DataFrame) -> dict[str, pa.Array]:
    """Figures of an earlier year for this year's schools, as they stood then; blank where a school had
    none.
    """
    result = earlier.set_index("school").reindex(rows["school"])
    return {
        name: pa.array(result[name].to_numpy(dtype=object), pa.string(), from_pandas=True) for name in result
    }
