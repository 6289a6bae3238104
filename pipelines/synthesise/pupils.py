"""The yearly tables of pupils, their absence and their results."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.synthesise.particulars import keys, listed
from pipelines.synthesise.sheets import figures, official, write_csv
from pipelines.synthesise.world import World

# Years of the performance tables, by the year the academic year ends in; none came out for 2020.
YEARS = (*range(2012, 2020), *range(2021, 2025))
KEY_STAGE_2, KEY_STAGE_4 = (2017, 2018, 2019, 2023, 2024), (2017, 2018, 2019, 2022, 2023, 2024)
ABSENCE = {"Primary": 4.0, "Secondary": 5.4, "Special": 9.0, "Nursery": 5.0, "PRU": 30.0}


def write(out: Path, world: World, schools: pd.DataFrame, rng: np.random.Generator) -> None:
    """The census, absence and results of every year, into `out`."""
    for year in YEARS:
        _pupils(out, world, schools, year, rng)
    _results(out, world, schools, rng)


def _pupils(out: Path, world: World, schools: pd.DataFrame, year: int, rng: np.random.Generator) -> None:
    rows = listed(schools, f"{year}-01-20")
    count = len(rows)
    pupils = np.maximum(np.round(rows["pupils"] * (1 + rng.normal(0, 0.02, count))).to_numpy(), 3)

    def share(middle: pd.Series | np.ndarray, wobble: float = 0.012, **marks: np.ndarray) -> pa.Array:
        return figures(100 * np.clip(np.asarray(middle) + rng.normal(0, wobble, count), 0, 1), **marks)

    hidden, never = rng.random(count) < 0.012, rng.random(count) < 0.004
    fsm = (rows["fsm"] + (0.05 if year > 2021 else 0.0)).clip(0, 0.95)
    codes = {"pupils": "totpup", "share_ehcp": "ptotsenst"} if year < 2015 else {}
    sen = {"share_school_action": share(rows["sen"] * 0.6), "share_school_action_plus": share(rows["sen"] * 0.5)}
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
    absent = (middle * np.exp(0.09 * (-0.8 * advantage - 0.7 * quality) + rng.normal(0, 0.1, count))).clip(0.5, 60)
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


def _results(out: Path, world: World, schools: pd.DataFrame, rng: np.random.Generator) -> None:
    for year in sorted({*KEY_STAGE_2, *KEY_STAGE_4}):
        every = listed(schools, f"{year}-05-10")
        for stage, phase, years in ((2, "Primary", KEY_STAGE_2), (4, "Secondary", KEY_STAGE_4)):
            if year not in years:
                continue
            rows = every[(every["phase"] == phase) & (every["high_age"] >= (11 if stage == 2 else 16))]
            count, quality = len(rows), world.quality_in(year, rows["school"])
            advantage, noise = rows["advantage"].to_numpy(), rng.normal(0, 1, (3, count))
            few, new = (rows["pupils"] < 80).to_numpy() & (rng.random(count) < 0.5), rng.random(count) < 0.004
            marks = {"SUPP": few, "NEW": new}
            if stage == 2:
                progress = 1.5 * quality + 0.4 * advantage
                expected = (64 + 7 * advantage + 6 * quality + 7 * noise[0]).clip(5, 100)
                ended = {"NP": np.full(count, year > 2023)}  # no progress once these pupils had no key stage 1 tests
                columns = {f"{subject}_progress": figures(progress + 1.3 * wobble, **marks, **ended)
                           for subject, wobble in zip(("reading", "writing", "maths"), noise, strict=True)}  # fmt: skip
                columns |= {
                    "share_expected_standard": figures(expected, 0, "%", **marks),
                    "share_expected_standard_disadvantaged": figures(
                        (expected - 14 + 6 * noise[1]).clip(0, 100), 0, "%", SUPP=few | new
                    ),
                    "share_higher_standard": figures((expected * 0.14).clip(0, 60), 0, "%", **marks),
                }
            else:
                p8 = 0.3 * quality + 0.18 * advantage + 0.18 * noise[0] - 0.03
                a8 = (46.5 + 9 * p8 + 4.5 * advantage + noise[1]).clip(5, 85)
                basics = (44 + 1.4 * (a8 - 46)).clip(0, 100)
                columns = {
                    "attainment_8": figures(a8, **marks),
                    "attainment_8_disadvantaged": figures(a8 - 9 + noise[2], SUPP=few | new),
                    "progress_8": figures(p8, 2, LOWCOV=rng.random(count) < 0.004, **marks),
                    "share_basics_95": figures(basics, 0, "%", **marks),
                    "share_ebacc_entered": figures((40 + 6 * noise[2] + 4 * advantage).clip(0, 100), 0, "%", **marks),
                    "ebacc_points": figures(a8 / 11.4, 2, **marks),
                    "school_kind": np.where(rows["academy"], "ACC", "CY").astype(object),
                }
            # The last two rows are of an authority and the country: no URN, another kind of record.
            foot = pa.nulls(2)
            columns = {
                c: pa.concat_arrays([a, foot.cast(a.type)])
                for c, a in ((c, pa.array(v) if not isinstance(v, pa.Array) else v) for c, v in columns.items())
            }
            columns["urn"] = pa.concat_arrays([pa.array(rows["urn"].to_numpy()), foot.cast(pa.int64())])
            columns["record_type"] = pa.array([1] * count + ([3, 5] if stage == 2 else [4, 7]))
            sheet = official("key stage 2, with progress" if stage == 2 else "key stage 4, with Progress 8", {"results": columns})
            write_csv(out / "performance" / f"{year}_england_ks{stage}final.csv", sheet)
