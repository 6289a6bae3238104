"""What is published of a school's staff: the yearly tables, turnover, posts, vacancies, sickness and pay."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.synthesise.particulars import keys, listed
from pipelines.synthesise.sheets import figures, official, write_csv
from pipelines.synthesise.world import YEAR_ON_YEAR, World

TABLES = (*range(2012, 2020), 2021)  # years of the performance tables that gave staff by school
# November censuses, by year: turnover from the first; the other school-level files kept to what models read.
TURNOVER, POSTS = range(2010, 2024), range(2014, 2025)
TEACHERS = {"Primary": 20.5, "Secondary": 16.0, "Special": 6.2, "Nursery": 17.0, "PRU": 4.5}  # pupils for each
STAY = {"Primary": 0.905, "Secondary": 0.865, "Special": 0.875, "Nursery": 0.91, "PRU": 0.85}
STAY_SPREAD, ASSISTANTS_MEAN, ASSISTANTS_SPREAD = 0.05, 0.085, 0.028
AFTER_INADEQUATE = 0.034  # fewer stay after an Inadequate grade (Sims 2016)


def write(out: Path, world: World, schools: pd.DataFrame, rng: np.random.Generator) -> None:
    """The yearly tables of staff, and the school-level files of turnover, posts, vacancies, sickness and pay."""
    parts: dict[str, list[pa.Table]] = {"turnover": [], "posts": [], "vacancies": [], "sickness": [], "pay": []}
    inadequate = world.visits[world.visits["overall"] == 4]
    size = np.exp(rng.normal(0, 0.08, len(schools)))
    pay = rng.normal(0, 1, len(schools))
    for november in range(min(TURNOVER), max(POSTS) + 1):
        rows = listed(schools, f"{november}-11-05")
        count, which = len(rows), rows["school"].to_numpy()
        fte = np.round(
            (rows["pupils"] / rows["phase"].map(TEACHERS)).to_numpy()
            * size[which]
            * np.exp(rng.normal(0, 0.03, count)),
            1,
        )
        fte = fte.clip(1.0)
        heads = {
            "urn": rows["urn"],
            "period": np.full(count, november * 100 + (november + 1) % 100),
            "level": np.full(count, "School"),
        }
        hidden, unknown = rng.random(count) < 0.01, rng.random(count) < 0.006
        salary = (
            37_000 * 1.014 ** (november - 2011) + 4_500 * (rows["region"] == "London").to_numpy() + 1_700 * pay[which]
        )
        salary = salary + 900 * rng.normal(0, 1, count)
        if november + 1 in TABLES:
            _workforce_table(out, rows, november + 1, fte, salary, rng)
        if november in TURNOVER:
            shaken = np.isin(which, inadequate.loc[inadequate["year"].isin([november - 1, november]), "school"])
            stay = YEAR_ON_YEAR * world.stays[which] + np.sqrt(1 - YEAR_ON_YEAR**2) * rng.normal(0, 1, count)
            stay = rows["phase"].map(STAY).to_numpy() + STAY_SPREAD * stay - AFTER_INADEQUATE * shaken
            stay = np.clip(stay - 0.02 * (rows["region"] == "London").to_numpy(), 0.3, 1.0)
            gone = fte * (1 - stay)
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
        if november in POSTS:
            _school_level(parts, world, rows, heads, november, fte, salary, hidden, unknown, rng)
    names = {
        "turnover": "teacher_turnover_2010_2024_sch.csv",
        "posts": "Workforce_2010_2025_fte_hc_sch.csv",
        "vacancies": "vacancies_number_rate_sch_2010_2025.csv",
        "sickness": "sickness_absence_teachers_2010_2025_sch.csv",
        "pay": "teacher_pay_school_swc_tps_merged.csv",
    }
    country = {"urn": pa.nulls(1, pa.int64()), "period": [202324], "level": ["National"]} | {
        c: ["1"] for c in ("teachers_fte", "stayed_fte", "left_system_fte", "moved_school_fte")
    }
    parts["turnover"].append(official("teacher turnover", {"turnover": country}))
    for kind, tables in parts.items():
        write_csv(out / "workforce" / names[kind], pa.concat_tables(tables))


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
        staff["mean_salary"] = pounds.take(pa.array(np.where(marks["SUPP"], None, np.arange(count)), pa.int64()))
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
    parts: dict[str, list[pa.Table]], world: World, rows: pd.DataFrame, heads: dict[str, object], november: int,
    fte: np.ndarray, salary: np.ndarray, hidden: np.ndarray, unknown: np.ndarray, rng: np.random.Generator,
) -> None:  # fmt: skip
    count, which = len(rows), rows["school"].to_numpy()
    quality = world.quality_in(november + 1, rows["school"])
    trait = YEAR_ON_YEAR * world.assistants[which] + np.sqrt(1 - YEAR_ON_YEAR**2) * rng.normal(0, 1, count)
    assistants = fte * (ASSISTANTS_MEAN + ASSISTANTS_SPREAD * trait).clip(0)
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
    posts |= {
        "assistants_fte": figures(fte * rng.uniform(0.5, 1.0, count), **marks),
        "share_part_time": figures(100 * part_time, **marks),
    }
    parts["posts"].append(official("size of the school workforce", {"posts": heads | posts}))
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
