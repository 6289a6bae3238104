"""What is published of a school's staff: the yearly tables, turnover, posts, vacancies, sickness, pay and
ratios.

And who its teachers are, and of an authority's, how many take a national professional qualification. None of
these two knows anything of outcomes.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from headway.pipelines.synthesise.particulars import keys, listed
from headway.pipelines.synthesise.sheets import csv_bytes, figures, official, write_csv, zipped
from headway.pipelines.synthesise.world import LAST_YEAR, YEAR_ON_YEAR, World

TABLES = (*range(2012, 2020), 2021)  # years of the performance tables that gave staff by school
# November censuses, by year: turnover from the first; the other school-level files kept to what models read.
FIRST, POSTS_FROM = 2010, 2014
RATIOS_FROM = max(TABLES)  # the tables that gave them ended with the census of the November before
DETAILED, SAMPLED = range(2023, 2025), 10  # characteristics of one school in ten: no model reads them
QUALIFYING = range(2021, 2025)  # since the qualifications were made anew
# pupils for each
TEACHERS = {"Primary": 20.5, "Secondary": 16.0, "Special": 6.2, "Nursery": 17.0, "PRU": 4.5}
STAY = {"Primary": 0.905, "Secondary": 0.865, "Special": 0.875, "Nursery": 0.91, "PRU": 0.85}
STAY_SPREAD, ASSISTANTS_MEAN, ASSISTANTS_SPREAD = 0.05, 0.085, 0.028
MISSING = 97  # one school in so many
AFTER_INADEQUATE = 0.034  # fewer stay after an Inadequate grade (Sims 2016)
GROUPINGS = ("grade", "sex", "age_group", "working_pattern", "qts_status", "on_route", "ethnicity")
AGE_GROUPS = ("Under 25", "25 to 29", "30 to 39", "40 to 49", "50 to 59", "60 and over")
PHASE_WORDS = {
    "Primary": "State-funded primary",
    "Secondary": "State-funded secondary",
    "Special": "State-funded special school",
    "Nursery": "Nursery",
    "PRU": "Pupil referral unit",
    "Total": "Total",
}
NAMES = {
    "turnover": "teacher_turnover_2010_2024_sch.csv",
    "posts": "Workforce_2010_2025_fte_hc_sch.csv",
    "vacancies": "vacancies_number_rate_sch_2010_2025.csv",
    "pay": "teacher_pay_school_swc_tps_merged.csv",
    "sickness": "sickness_absence_teachers_2010_2025_sch.csv",
    "ratios": "workforce_ptrs_2010_2025_sch.csv",
    "npq": "npq_starts_and_participants_la.csv",
}


def sizes(schools: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """How much larger each school's staff is than its pupils alone would make it."""
    return np.exp(rng.normal(0, 0.08, len(schools)))


def teachers_fte(rows: pd.DataFrame, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The full-time teachers of schools in one year; `size` is that of every school."""
    usual = (rows["pupils"] / rows["phase"].map(TEACHERS)).to_numpy() * size[rows["school"].to_numpy()]
    return np.round(usual * np.exp(rng.normal(0, 0.03, len(rows))), 1).clip(1.0)


def measured(trait: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A trait as one year's figures show it, in standard deviations."""
    return YEAR_ON_YEAR * trait + np.sqrt(1 - YEAR_ON_YEAR**2) * rng.normal(0, 1, len(trait))


def share_staying(world: World, rows: pd.DataFrame, november: int, rng: np.random.Generator) -> np.ndarray:
    """The share of one November's teachers who are still in each school a year on."""
    inadequate = world.visits.loc[
        (world.visits["overall"] == 4) & world.visits["year"].isin([november - 1, november])
    ]
    shaken = np.isin(rows["school"], inadequate["school"])
    stay = measured(world.stays[rows["school"].to_numpy()], rng)
    stay = rows["phase"].map(STAY).to_numpy() + STAY_SPREAD * stay - AFTER_INADEQUATE * shaken
    return np.clip(stay - 0.02 * (rows["region"] == "London").to_numpy(), 0.3, 1.0)


def write(
    out: Path,
    world: World,
    schools: pd.DataFrame,
    size: np.ndarray,
    rng: np.random.Generator,
    more: np.random.Generator,
    until: int = LAST_YEAR + 1,
) -> None:
    """The yearly tables of staff, and the files of all else, into `out`; `more` is the chance of what came in
    later.

    The last census is that of the November before last, as seen from August `until`; who stayed shows a year
    later.
    """
    last = until - 2
    parts: dict[str, list[pa.Table]] = {kind: [] for kind in NAMES}
    people: dict[str, bytes] = {}
    pay = rng.normal(0, 1, len(schools))
    for november in range(FIRST, last + 1):
        rows = listed(schools, f"{november}-11-05")
        count, which = len(rows), rows["school"].to_numpy()
        fte = teachers_fte(rows, size, rng)
        heads = {
            "urn": rows["urn"],
            "period": np.full(count, _period(november)),
            "level": np.full(count, "School"),
        }
        hidden, unknown = rng.random(count) < 0.01, rng.random(count) < 0.006
        salary = (
            37_000 * 1.014 ** (november - 2011)
            + 4_500 * (rows["region"] == "London").to_numpy()
            + 1_700 * pay[which]
        )
        salary = salary + 900 * rng.normal(0, 1, count)
        if november + 1 in TABLES:
            _workforce_table(out, rows, november + 1, fte, salary, rng)
        if november < last:
            gone = fte * (1 - share_staying(world, rows, november, rng))
            left = gone * rng.uniform(0.4, 0.7, count)
            marks = {"c": hidden & (fte < 20), "x": unknown, "z": rng.random(count) < 0.001}
            parts["turnover"].append(
                official(
                    "teacher turnover",
                    {
                        "turnover": heads
                        | {
                            "teachers_fte": figures(fte, **marks),
                            "stayed_fte": figures(fte - gone, 2, **marks),
                            "left_system_fte": figures(left, **marks),
                            "moved_school_fte": figures(gone - left, **marks),
                        }
                    },
                )
            )
        if november >= POSTS_FROM:
            _school_level(parts, world, rows, heads, november, fte, salary, hidden, unknown, rng)
        if november in DETAILED:
            year = f"workforce_teacher_characteristics_school_{_period(november)}.csv"
            people[year] = csv_bytes(_characteristics(rows, fte, november, more))
        if november in QUALIFYING:
            parts["npq"].append(_qualifying(rows, fte, november, more))
    country = {"urn": pa.nulls(1, pa.int64()), "period": [202324], "level": ["National"]} | {
        c: ["1"] for c in ("teachers_fte", "stayed_fte", "left_system_fte", "moved_school_fte")
    }
    parts["turnover"].append(official("teacher turnover", {"turnover": country}))
    (out / "workforce" / "workforce_teacher_characteristics_school_201011_202425.zip").write_bytes(
        zipped(people)
    )
    for kind, tables in parts.items():
        write_csv(out / "workforce" / NAMES[kind], pa.concat_tables(tables))


def _period(november: int) -> int:
    """2023 as 202324."""
    return november * 100 + (november + 1) % 100


def _workforce_table(
    out: Path, rows: pd.DataFrame, year: int, fte: np.ndarray, salary: np.ndarray, rng: np.random.Generator
) -> None:
    count = len(rows)
    marks = {"SUPP": fte < 2.5, "NA": rng.random(count) < 0.008}
    if 2014 <= year <= 2016:
        marks["DNS"] = rng.random(count) < 0.015
    helpers, support = fte * rng.uniform(0.4, 1.1, count), fte * rng.uniform(0.2, 0.5, count)
    staff = keys(rows) | {
        "school_phase": rows["phase"],
        "teachers_headcount": figures(np.ceil(fte * 1.12), 0, **marks),
        "teachers_fte": figures(fte, **marks),
        "assistants_headcount": figures(np.ceil(helpers * 1.3), 0, **marks),
        "assistants_fte": figures(helpers, **marks),
        "support_headcount": figures(np.ceil(support * 1.3), 0, **marks),
        "support_fte": figures(support, **marks),
        "pupils_per_teacher": figures(rows["pupils"].to_numpy() / fte, **marks),
        "mean_salary": figures(salary, 0, **marks),
    }
    if year >= 2017:
        pounds = pa.array([f"£{value:,}" for value in np.round(salary).astype(int).tolist()])
        staff["mean_salary"] = pounds.take(
            pa.array(np.where(marks["SUPP"], None, np.arange(count)), pa.int64())
        )
    if year < 2019:
        del staff["school_phase"]
    if year < 2016:
        del staff["establishment_number"]
    codes = {
        "teachers_headcount": "ntea",
        "assistants_headcount": "nteaas",
        "support_headcount": "nnontea",
        "teachers_fte": "nftetea",
        "assistants_fte": "nfteteaas",
        "support_fte": "nftenontea",
        "pupils_per_teacher": "ratpuptea",
        "mean_salary": "salary",
    }
    numbered = {"la_code": "la number", "establishment_number": "establishment"}
    cut_short = {
        "support_headcount": "total number of non",
        "support_fte": "total number of non",
        "mean_salary": "mean",
    }
    spelling = codes if year < 2016 else numbered | cut_short if year == 2016 else numbered
    sheet = official("Performance tables: school workforce", {"workforce": staff}, spelling)
    national = (("NAT", "PRI", "", '"247,455"'), ("NAT", "SEC", "", '"219,662"'))
    encoding = "utf-8-sig" if year > 2016 else "utf-8"
    write_csv(out / "workforce" / f"{year}_england_swf.csv", sheet, encoding=encoding, totals=national)


def _school_level(
    parts: dict[str, list[pa.Table]],
    world: World,
    rows: pd.DataFrame,
    heads: dict[str, object],
    november: int,
    fte: np.ndarray,
    salary: np.ndarray,
    hidden: np.ndarray,
    unknown: np.ndarray,
    rng: np.random.Generator,
) -> None:
    count, which = len(rows), rows["school"].to_numpy()
    quality = world.quality_in(november + 1, rows["school"])
    assistants = fte * (ASSISTANTS_MEAN + ASSISTANTS_SPREAD * measured(world.assistants[which], rng)).clip(0)
    head = np.where(fte > 6, 1.0, 0.8)
    deputies = np.round(fte / 22 + rng.uniform(0, 0.8, count), 1)
    leaders = np.minimum(head + deputies + assistants, fte)
    marks = {"c": hidden & (fte < 20), "x": unknown}
    posts: dict[str, object] = {}
    for name, amount in (
        ("teachers", fte),
        ("classroom_teachers", fte - leaders),
        ("leaders", leaders),
        ("heads", head),
        ("deputies", deputies),
        ("assistant_heads", assistants),
        ("unqualified", fte * rng.uniform(0, 0.06, count)),
    ):
        posts[f"{name}_fte"] = figures(amount, 2 if name == "assistant_heads" else 1, **marks)
        posts[f"{name}_headcount"] = figures(np.ceil(amount), 0, **marks)
    part_time = (0.26 + rng.normal(0, 0.08, count)).clip(0, 0.8)
    helpers = fte * rng.uniform(0.5, 1.0, count)
    posts |= {
        "assistants_fte": figures(helpers, **marks),
        "share_part_time": figures(100 * part_time, **marks),
    }
    # A few schools are missing from a year of this file alone: only the ratios then say how many teachers
    # they have.
    given = pa.array((which + november) % MISSING != 0)
    parts["posts"].append(official("size of the school workforce", {"posts": heads | posts}).filter(given))
    empty = rng.poisson(fte * 0.006 * np.exp(-0.2 * quality))
    held = rng.poisson(fte * 0.01)
    parts["vacancies"].append(
        official(
            "vacancies",
            {
                "vacancies": heads
                | {
                    "vacant_posts": figures(empty, 0, **marks),
                    "share_vacant": figures(100 * empty / (fte + empty), **marks),
                    "temporarily_filled_posts": figures(held, 0, **marks),
                    "share_temporarily_filled": figures(100 * held / fte, **marks),
                }
            },
        )
    )
    # Nothing was gathered for the year that schools closed.
    marks = marks | {"x": np.full(count, True) if november == 2019 else unknown}
    taking = (0.56 - 0.02 * quality + rng.normal(0, 0.13, count)).clip(0.02, 1)
    lost = 4.3 * np.exp(-0.08 * quality + rng.normal(0, 0.4, count))
    parts["sickness"].append(
        official(
            "sickness absence of teachers",
            {
                "sickness": heads
                | {
                    "share_taking_absence": figures(100 * taking, **marks),
                    "days_lost": figures(lost * fte, **marks),
                    "mean_days_all_teachers": figures(lost, **marks),
                }
            },
        )
    )
    marks["x"] = unknown
    parts["pay"].append(
        official(
            "teacher pay",
            {
                "pay": heads
                | {
                    "mean_salary": figures(salary, 0, **marks),
                    "median_salary": figures(salary - 600, 0, **marks),
                    "share_on_leadership_pay": figures(100 * leaders / fte, **marks),
                }
            },
        )
    )
    if november < RATIOS_FROM:
        return
    pupils = rows["pupils"].to_numpy(dtype=float)
    parts["ratios"].append(
        official(
            "pupil to teacher ratios",
            {
                "ratios": heads
                | {
                    "pupils_fte": figures(pupils, **marks),
                    "teachers_fte": figures(fte, **marks),
                    "pupils_per_teacher": figures(pupils / fte, **marks),
                    "pupils_per_adult": figures(pupils / (fte + helpers), **marks),
                }
            },
        )
    )


def _characteristics(
    rows: pd.DataFrame, fte: np.ndarray, november: int, rng: np.random.Generator
) -> pa.Table:
    """A row for all of a school's teachers, and one for each group of them: the other columns then say
    Total.
    """
    some = (rows["school"] % SAMPLED == 0).to_numpy()
    rows, fte, count = rows[some], fte[some], int(some.sum())
    heads = {
        "urn": rows["urn"],
        "period": np.full(count, _period(november)),
        "level": np.full(count, "School"),
    }
    people = np.ceil(fte * 1.12).astype(int)
    ages = rng.multinomial(people, [0.05, 0.17, 0.32, 0.27, 0.16, 0.03]).T
    groups = [("grade", "Total", people)]
    groups += [("age_group", name, of) for name, of in zip(AGE_GROUPS, ages, strict=True)]
    part, unqualified = rng.binomial(people, 0.26), rng.binomial(people, 0.03)
    groups += [
        ("working_pattern", "Part-time", part),
        ("working_pattern", "Full-time", people - part),
        ("qts_status", "Unqualified", unqualified),
        ("qts_status", "Qualified", people - unqualified),
    ]
    marks = {"c": (rng.random(count) < 0.01) & (fte < 20), "x": rng.random(count) < 0.006}
    sheets = []
    for grouping, group, of in groups:
        total = {name: pa.repeat("Total", count) for name in GROUPINGS}
        figures_of = {
            "headcount": figures(of, 0, **marks),
            "fte": figures(fte * of / people, **marks),
            "share_fte": figures(100 * of / people, **marks),
            "share_headcount": figures(100 * of / people, **marks),
        }
        columns = heads | total | {grouping: pa.repeat(group, count)} | figures_of
        sheets.append(official("characteristics of teachers", {"characteristics": columns}))
    return pa.concat_tables(sheets)


def _qualifying(rows: pd.DataFrame, fte: np.ndarray, november: int, rng: np.random.Generator) -> pa.Table:
    """How many of each authority's teachers take a national professional qualification, in all and by
    phase.
    """
    teachers = rows.assign(teachers=np.ceil(fte * 1.12))[["la_code", "phase", "teachers"]]
    each = (
        pd.concat([teachers.assign(phase="Total"), teachers])
        .groupby(["phase", "la_code"], as_index=False)
        .sum()
    )
    funded = pd.concat([each.assign(funding="Overall"), each.assign(funding="Funded")], ignore_index=True)
    count = len(funded)
    share = (0.07 + 0.02 * rng.normal(0, 1, count)).clip(0.01) * np.where(
        funded["funding"] == "Funded", 0.8, 1.0
    )
    taking = rng.binomial(funded["teachers"].astype(int), share)
    marks = {"c": (taking > 0) & (taking < 3), "x": rng.random(count) < 0.01, "z": rng.random(count) < 0.003}
    return official(
        "national professional qualifications",
        {
            "npq": {
                "la_code": funded["la_code"],
                "period": np.full(count, _period(november)),
                "level": pa.repeat("Local authority", count),
                "funding": funded["funding"],
                "breakdown": np.where(funded["phase"] == "Total", "Total", "Phase"),
                "phase": funded["phase"].map(PHASE_WORDS),
                "npq_starts": figures(np.ceil(taking * 0.6), 0, **marks),
                "npq_participants": figures(taking, 0, **marks),
                "share_npq": figures(100 * taking / funded["teachers"].to_numpy(), **marks),
            }
        },
    )
