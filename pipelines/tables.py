"""Our own tables: columns, types, keys, one sentence each; the only code that reads or writes data/tables.

Every table is declared once, here. `write` checks a frame against its declaration (types, key, allowed
values) and replaces the old file in one step, so a killed command leaves either the old table or the new one.
Pages carry parquet's checksums, and the footer, which parquet leaves unprotected, carries its own hash; both
are checked at every read.
"""

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from headway.pipelines import frameworks

VERSION = "2"  # of the layout of our tables; a reader that meets another says so

LABELS = ("improved", "same", "worse")
KINDS = ("graded", "ungraded", "monitoring")
SOURCES = ("published", "derived", "crosswalk")
DATE = "datetime64[s]"
LONGEST_WAIT = 60  # seconds, for another command that writes; it takes three
# the key the SHA-256 of a footer is kept under, taken with zeros in its own place
FOOTER_HASH = b"headway-footer"
UNHASHED = "0" * 64
# two bytes of Thrift between key and value
FOOTER_HASHED = re.compile(FOOTER_HASH + rb"..([0-9a-f]{64})", re.DOTALL)


class DataError(Exception):
    """The user's data can't be used: what was expected, what was found and where, what to do."""


class Busy(DataError):
    """Another headway command is writing there: wait for it, or try again. The command line ends with 75."""


@dataclass(frozen=True)
class Column:
    """A column of one of our tables: its type (a pandas dtype), one sentence, and the values it may hold."""

    name: str
    dtype: str
    sentence: str
    allowed: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table: what one row is, the columns that tell rows apart, and its columns.

    `open_ended` tables may carry further columns (signals, contributions), declared where they are made.
    """

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    open_ended: bool = False

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


def _of(*rows: tuple[Any, ...]) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


_KNOWN = ("known_on", DATE, "The day it became public; it counts from the day after.")
_FILE = ("source_file", "str", "The official file it was read from.")
_URN = ("urn", "int64", "The school's unique reference number.")
_LINEAGE = ("lineage", "int64", "The school through its changes of URN: the URN it first had.")
_AS_OF = ("as_of", DATE, "The morning asked about: only facts public before it count.")
_PERIOD = ("period", "int64", "The year the academic year ends in: 2024 is 2023/24.")
_GRADE = "1 Outstanding, 2 Good, 3 Requires improvement, 4 Inadequate."


# What is known of an inspection, each from a day of its own: the first file that says so may come years after
# the report.
DETAILS = (
    "overall",
    "below_good",
    "leadership",
    "quality_of_education",
    "teaching",
    "achievement",
    "behaviour",
    "personal_development",
    "early_years",
    "sixth_form",
    "middle_leadership",
    "leadership_and_governance",
    "category",
    "safeguarding",
    "ungraded_outcome",
)


def _measures(
    record: str, *measures: tuple[str, str], of: tuple[tuple, ...] = (_URN, _LINEAGE)
) -> tuple[Column, ...]:
    """A dated table of figures: each has a companion column saying why a blank is blank."""
    columns = [*of, _PERIOD, _KNOWN, _FILE]
    for name, sentence in measures:
        columns += [
            (name, "float64", sentence),
            (f"{name}_why_blank", "str", f"Why {name} is blank, where it is."),
        ]
    return _of(*columns)


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "schools",
            "a school now open, or that was",
            ("urn",),
            _of(
                _URN,
                _LINEAGE,
                ("name", "str", "Its name."),
                ("phase", "str", "Nursery, Primary, Secondary, Special or PRU, as Ofsted has it."),
                ("type", "str", "Type of education, in Ofsted's words."),
                ("region", "str", "One of the nine regions."),
                ("local_authority", "str", "The local authority it stands in."),
                ("la_code", "Int64", "That authority's number, the first three figures of the LAESTAB."),
                ("trust_uid", "Int64", "Its multi-academy trust's number; blank for none."),
                ("trust_name", "str", "Its multi-academy trust."),
                (
                    "idaci_quintile",
                    "Int64",
                    "Income deprivation affecting its pupils: 5 is the most deprived fifth.",
                ),
                ("pupils", "Int64", "Pupils on roll when last listed."),
                ("low_age", "Int64", "Youngest age it takes."),
                ("high_age", "Int64", "Oldest age it takes."),
                ("gender", "str", "Mixed, Boys or Girls."),
                ("faith", "str", "Faith or non-faith grouping."),
                ("religion", "str", "Its religious character."),
                ("admissions", "str", "Selective, non-selective or not applicable."),
                ("postcode", "str", "Its postcode."),
                ("latitude", "float64", "Degrees north, for a map."),
                ("longitude", "float64", "Degrees east, for a map."),
                ("opened_on", DATE, "The day this URN opened, where a file gives it."),
                (
                    "closed_on",
                    DATE,
                    "The day it closed, or was first missing from the lists; blank while open.",
                ),
                ("first_listed_on", DATE, "The date of the first file that lists it."),
                ("last_listed_on", DATE, "The date of the newest file that lists it."),
                ("open", "bool", "Whether the newest list of schools has it."),
            ),
        ),
        Table(
            "school_facts",
            "what one file said of a school",
            ("urn", "known_on", "source_file"),
            _of(
                _URN,
                _LINEAGE,
                _KNOWN,
                _FILE,
                ("name", "str", "Its name then."),
                ("phase", "str", "Its phase then."),
                ("type", "str", "Its type then."),
                ("region", "str", "Its region then."),
                ("local_authority", "str", "Its local authority then."),
                ("la_code", "Int64", "That authority's number."),
                ("religion", "str", "Its religious character then."),
                ("faith", "str", "Its faith grouping then."),
                ("gender", "str", "Mixed, Boys or Girls then."),
                ("admissions", "str", "Selective, non-selective or not applicable then."),
                ("low_age", "float64", "Youngest age then."),
                ("high_age", "float64", "Oldest age then."),
                ("pupils", "float64", "Pupils on roll then."),
                ("idaci_quintile", "float64", "Its deprivation fifth then, 5 the most deprived."),
                ("trust_uid", "Int64", "Its trust then."),
                ("trust_name", "str", "Its trust's name then."),
            ),
        ),
        Table(
            "inspections",
            "a graded or ungraded inspection",
            ("lineage", "kind", "inspected_on"),
            _of(
                _LINEAGE,
                ("urn", "int64", "The URN it was made under."),
                ("inspection_number", "str", "Ofsted's number for it, where a file gives one."),
                ("kind", "str", "graded, ungraded or monitoring.", KINDS),
                ("framework", "str", "The framework in force that day."),
                ("inspected_on", DATE, "Its first day, or its last in files to 2015."),
                ("published_on", DATE, "The day its report came out, where a file gives it."),
                (
                    "known_on",
                    DATE,
                    "The day it became public that it had been made; it counts from the day after.",
                ),
                ("shown_on", DATE, "The date of the first file that shows it."),
                ("overall", "Int64", f"Overall effectiveness: {_GRADE} Blank under report cards."),
                ("overall_source", "str", "published, derived by the declared rule, or crosswalk.", SOURCES),
                (
                    "below_good",
                    "boolean",
                    "Whether it came out below good or the equivalent; the one line across scales.",
                ),
                ("leadership", "Int64", f"Leadership and management: {_GRADE}"),
                ("quality_of_education", "Int64", f"Quality of education, from 2019: {_GRADE}"),
                ("teaching", "Int64", f"Quality of teaching, to 2019: {_GRADE}"),
                ("achievement", "Int64", f"Achievement or outcomes, to 2019: {_GRADE}"),
                ("behaviour", "Int64", f"Behaviour, under the name of its day: {_GRADE}"),
                ("personal_development", "Int64", f"Personal development, from 2019: {_GRADE}"),
                ("early_years", "Int64", f"Early years, where judged: {_GRADE}"),
                ("sixth_form", "Int64", f"Sixth form, where judged: {_GRADE}"),
                (
                    "middle_leadership",
                    "Int64",
                    f"Leadership of teaching and learning, 2009-12 only: {_GRADE}",
                ),
                ("leadership_and_governance", "Int64", "Report card: 1 exceptional to 5 urgent improvement."),
                ("category", "str", "Category of concern: SM, SWK, RSI or NTI; blank for none."),
                ("safeguarding", "boolean", "Whether safeguarding was effective, or its standards met."),
                ("ungraded_outcome", "str", "What an ungraded inspection concluded, in Ofsted's words."),
                *(
                    (
                        f"{detail}_known_on",
                        DATE,
                        f"The day {detail} became public; it counts from the day after.",
                    )
                    for detail in DETAILS
                ),
                ("source_file", "str", "The first official file that shows it."),
                ("files", "Int64", "How many files show it."),
            ),
        ),
        Table(
            "standards",
            "an area of a report card, as it was graded on one day",
            ("lineage", "inspected_on", "area", "graded_on"),
            _of(
                _LINEAGE,
                ("urn", "int64", "The URN it was inspected under."),
                ("inspection_number", "str", "Ofsted's number for the inspection, where a file gives one."),
                ("inspected_on", DATE, "The first day of the inspection."),
                ("area", "str", "The area judged.", tuple(frameworks.AREAS)),
                (
                    "standard",
                    "int64",
                    "1 exceptional, 2 strong, 3 expected, 4 needs attention, 5 urgent improvement.",
                ),
                (
                    "graded_on",
                    DATE,
                    "The day of the grade: later than the inspection where a monitoring visit gave it.",
                ),
                _KNOWN,
                _FILE,
            ),
        ),
        Table(
            "coverage",
            "a stretch of days in which no graded inspection can be missing",
            ("from_on", "lineage"),
            _of(
                ("from_on", DATE, "First day."),
                ("to_on", DATE, "Last day."),
                (
                    "lineage",
                    "int64",
                    (
                        "The school it holds for, where a compiled history vouches for some alone; 0 for "
                        "every "
                        "school."
                    ),
                ),
            ),
        ),
        Table(
            "census",
            "a school's pupils in one January",
            ("urn", "period", "known_on"),
            _measures(
                "census",
                ("pupils", "Pupils on roll."),
                ("share_girls", "Share of pupils who are girls."),
                ("share_ehcp", "Share with a statement or an education, health and care plan."),
                ("share_sen_support", "Share with SEN support, from 2015."),
                ("share_school_action", "Share on school action, to 2014."),
                ("share_school_action_plus", "Share with a statement or on school action plus, to 2014."),
                ("share_eal", "Share whose first language is not English."),
                ("share_fsm", "Share eligible for free school meals."),
                ("pupils_fsm", "Pupils eligible for free school meals."),
                ("share_fsm_ever", "Share eligible for free school meals at any time in six years."),
            ),
        ),
        Table(
            "absence",
            "a school's absence in one year",
            ("urn", "period", "known_on"),
            _measures(
                "absence",
                ("share_absence", "Share of sessions missed."),
                (
                    "share_persistent_absence_15",
                    "Share of pupils missing 15% of sessions or more, to 2014/15.",
                ),
                (
                    "share_persistent_absence_10",
                    "Share of pupils missing 10% of sessions or more, from 2015/16.",
                ),
            ),
        ),
        Table(
            "workforce",
            "a school's staff in one November",
            ("urn", "period", "known_on"),
            _measures(
                "workforce",
                ("teachers_headcount", "Teachers, people."),
                ("teachers_fte", "Teachers, full-time equivalent."),
                ("assistants_headcount", "Teaching assistants, people."),
                ("assistants_fte", "Teaching assistants, FTE."),
                ("support_headcount", "Other support staff, people."),
                ("support_fte", "Other support staff, FTE."),
                ("classroom_teachers_headcount", "Classroom teachers, people."),
                ("leaders_headcount", "Teachers in the leadership group, people."),
                ("leaders_fte", "Teachers in the leadership group, FTE."),
                ("pupils_per_teacher", "Pupils for each teacher."),
                ("mean_salary", "Mean salary of teachers, pounds."),
                ("share_part_time", "Share of teachers who work part-time."),
                ("share_aged_50_or_over", "Share of teachers aged 50 or over."),
                ("share_qualified", "Share of teachers with qualified teacher status."),
                ("share_on_leadership_pay", "Share of teachers on the leadership pay range."),
                ("vacant_posts", "Vacant teaching posts."),
                ("temporarily_filled_posts", "Posts filled for a time."),
            ),
        ),
        Table(
            "results",
            "a school's results in one summer",
            ("urn", "period", "known_on", "source_file"),
            _measures(
                "results",
                ("reading_progress", "Progress in reading to key stage 2."),
                ("writing_progress", "Progress in writing to key stage 2."),
                ("maths_progress", "Progress in mathematics to key stage 2."),
                (
                    "share_expected_standard",
                    "Share at the expected standard in reading, writing and mathematics.",
                ),
                ("share_expected_standard_disadvantaged", "The same for disadvantaged pupils."),
                ("share_higher_standard", "Share at the higher standard."),
                ("pupils_at_11", "Pupils at the end of key stage 2."),
                ("reading_score", "Mean scaled score in reading at 11; 100 is the expected standard."),
                ("maths_score", "Mean scaled score in mathematics at 11."),
                ("grammar_score", "Mean scaled score in grammar, punctuation and spelling at 11."),
                ("pupils_at_16", "Pupils at the end of key stage 4."),
                ("attainment_8", "Attainment 8."),
                ("attainment_8_disadvantaged", "Attainment 8, disadvantaged pupils."),
                ("progress_8", "Progress 8."),
                ("share_basics_95", "Share with English and mathematics at grade 5."),
                ("share_basics_94", "The same at grade 4."),
                ("share_ebacc_entered", "Share entered for the English Baccalaureate."),
                ("ebacc_points", "EBacc points."),
            ),
        ),
        Table(
            "turnover",
            "a school's teachers in one November, a year later",
            ("urn", "period", "known_on"),
            _measures(
                "turnover",
                ("teachers_fte", "Teachers in post that November, FTE."),
                ("stayed_fte", "Those still in the school the next November, FTE."),
                ("left_system_fte", "Those who left state-funded schools, FTE."),
                ("moved_school_fte", "Those who moved to another state-funded school, FTE."),
            ),
        ),
        Table(
            "posts",
            "a school's posts in one November",
            ("urn", "period", "known_on"),
            _measures(
                "posts",
                *(
                    (f"{post}_{unit}", f"{words}, {'FTE' if unit == 'fte' else 'people'}.")
                    for post, words in (
                        ("teachers", "Teachers"),
                        ("classroom_teachers", "Classroom teachers"),
                        ("leaders", "Teachers in the leadership group"),
                        ("heads", "Head teachers"),
                        ("deputies", "Deputy heads"),
                        ("assistant_heads", "Assistant heads"),
                        ("unqualified", "Teachers without qualified status"),
                    )
                    for unit in ("fte", "headcount")
                ),
                ("assistants_fte", "Teaching assistants, FTE."),
                ("share_part_time", "Share of teachers part-time."),
            ),
        ),
        Table(
            "vacancies",
            "a school's vacancies in one November",
            ("urn", "period", "known_on"),
            _measures(
                "vacancies",
                ("vacant_posts", "Vacant posts."),
                ("share_vacant", "Share of posts vacant."),
                ("temporarily_filled_posts", "Posts filled for a time."),
                ("share_temporarily_filled", "Share of posts filled for a time."),
            ),
        ),
        Table(
            "sickness",
            "a school's teacher sickness in one year",
            ("urn", "period", "known_on"),
            _measures(
                "sickness",
                ("share_taking_absence", "Share of teachers taking sickness absence."),
                ("days_lost", "Days lost."),
                ("mean_days_all_teachers", "Days lost for each teacher."),
            ),
        ),
        Table(
            "pay",
            "a school's pay in one November",
            ("urn", "period", "known_on"),
            _measures(
                "pay",
                ("mean_salary", "Mean salary, pounds."),
                ("median_salary", "Median salary, pounds."),
                ("share_on_leadership_pay", "Share of teachers on the leadership pay range."),
            ),
        ),
        Table(
            "ratios",
            "a school's pupil to teacher ratios in one year",
            ("urn", "period", "known_on"),
            _measures(
                "ratios",
                ("pupils_fte", "Pupils, FTE."),
                ("teachers_fte", "Teachers, FTE."),
                ("pupils_per_teacher", "Pupils for each teacher."),
                ("pupils_per_adult", "Pupils for each adult."),
            ),
        ),
        Table(
            "characteristics",
            "who a school's teachers were in one November",
            ("urn", "period", "known_on"),
            _measures(
                "characteristics",
                ("teachers_headcount", "Teachers, people."),
                ("share_aged_50_or_over", "Share of teachers aged 50 or over."),
                ("share_part_time", "Share of teachers who work part-time."),
                ("share_unqualified", "Share of teachers without qualified teacher status."),
            ),
        ),
        Table(
            "npq",
            "an authority's teachers on national professional qualifications in one year",
            ("la_code", "phase", "period", "known_on"),
            _measures(
                "npq",
                ("npq_starts", "Qualifications started."),
                ("npq_participants", "People on one."),
                ("share_npq", "Share of the teaching workforce on one."),
                of=(
                    ("la_code", "int64", "The authority's number, the first three figures of the LAESTAB."),
                    ("phase", "str", "The phase of their schools; Total for all."),
                ),
            ),
        ),
        Table(
            "parent_view",
            "what a school's parents answered in the year to one day",
            ("urn", "period", "known_on"),
            _measures(
                "parent_view",
                ("submissions", "Answers sent in; schools with fewer than ten are not told of."),
                ("share_responding", "Answers, as a share of the pupils; known from September 2025."),
                *(
                    (f"share_{way}_{asked}", f"Share of answers that {way}: {words}")
                    for asked, words in (
                        ("happy", "my child is happy."),
                        ("safe", "my child feels safe."),
                        ("behaviour", "pupils are well behaved."),
                        ("bullying", "my child was bullied, and the school dealt with it."),
                        ("concerns", "I raised concerns, and they were dealt with properly."),
                        ("special_needs", "my child has special needs, and the support to succeed."),
                        ("recommend", "I would recommend the school."),
                        ("expectations", "the school has high expectations, to 2025."),
                        ("does_well", "my child does well, to 2025."),
                        ("progress_told", "the school lets me know how my child is doing, to 2025."),
                        ("development", "the school supports wider personal development, to 2025."),
                        ("communication", "the school communicates well, from November 2025."),
                        ("best_interests", "it has my child's best interests at heart, from November 2025."),
                        ("learning", "my child has the right support to learn well, from November 2025."),
                    )
                    for way in ("agree", "disagree")
                ),
            ),
        ),
        Table(
            "norms",
            "a year's percentiles of one measure in one phase and region",
            ("table", "measure", "period", "phase", "region"),
            _of(
                ("table", "str", "The table it is measured in."),
                ("measure", "str", "The signal it stands behind."),
                ("period", "int64", "The year the academic year ends in."),
                ("phase", "str", "The phase."),
                ("region", "str", "The region, or England."),
                ("schools", "int64", "Schools with a figure."),
                ("cuts", "object", "Its 1st to 99th percentiles."),
            ),
        ),
        Table(
            "head_changes",
            "whether an academy's head changed between two days",
            ("urn", "known_on"),
            _of(
                _URN,
                _LINEAGE,
                _KNOWN,
                _FILE,
                ("seen_on", DATE, "The earlier day."),
                (
                    "head_changed",
                    "float64",
                    "1 where the head was another person by the later day, 0 where not.",
                ),
            ),
        ),
        Table(
            "trusts",
            "a school's trust as one file had it",
            ("urn", "known_on", "source_file"),
            _of(
                _URN,
                _LINEAGE,
                _PERIOD,
                _KNOWN,
                _FILE,
                (
                    "trust_uid",
                    "Int64",
                    (
                        "The multi-academy trust's number; blank where a list of every school says it is in "
                        "none."
                    ),
                ),
                ("trust_name", "str", "The trust's name."),
                ("joined_on", DATE, "The day it joined, where the file says."),
            ),
        ),
        Table(
            "trust_results",
            "a trust's own results in one summer",
            ("trust_uid", "period", "known_on", "source_file"),
            _measures(
                "trust_results",
                ("reading_progress", "Progress in reading to age 11, all its schools."),
                ("writing_progress", "Progress in writing to age 11."),
                ("maths_progress", "Progress in mathematics to age 11."),
                ("share_expected_standard", "Share at the expected standard at 11."),
                ("progress_8", "Progress 8."),
                ("attainment_8", "Attainment 8."),
                of=(("trust_uid", "int64", "The multi-academy trust's number."),),
            ),
        ),
        Table(
            "examples",
            "a school on a morning, with what came next",
            ("urn", "as_of"),
            _of(
                _URN,
                _LINEAGE,
                _AS_OF,
                ("phase", "str", "Its phase, as known that morning."),
                ("region", "str", "Its region."),
                ("overall", "Int64", f"Its grade that morning: {_GRADE}"),
                ("overall_source", "str", "How that grade came about.", SOURCES),
                ("leadership", "Int64", f"Its leadership grade that morning: {_GRADE}"),
                ("framework", "str", "The framework of the inspection that gave them."),
                ("inspected_on", DATE, "The day of that inspection."),
                ("shown_on", DATE, "The date of the first file that shows it."),
                ("next_inspected_on", DATE, "The day of the next graded inspection, where there was one."),
                ("next_known_on", DATE, "The day its outcome became public."),
                ("next_framework", "str", "The framework it was made under."),
                ("next_overall", "Int64", f"Its overall grade: {_GRADE}"),
                ("next_leadership", "Int64", f"Its leadership grade: {_GRADE}"),
                ("next_below_good", "boolean", "Whether it came out below good or the equivalent."),
                ("next_urn", "Int64", "The URN it was made under."),
                ("label", "str", "improved, same or worse; blank with a reason.", LABELS),
                ("label_source", "str", "How the next grade came about.", SOURCES),
                ("label_missing_reason", "str", "Why there is no label, where there is none."),
            ),
            open_ended=True,
        ),
        Table(
            "backtest",
            "an example in a fold that had not seen it",
            ("fold", "model", "urn"),
            _of(
                ("fold", DATE, "The morning the fold asks from."),
                ("model", "str", "The champion's family or a plain rule."),
                _URN,
                _LINEAGE,
                _AS_OF,
                ("overall", "Int64", f"Its grade that morning: {_GRADE}"),
                ("phase", "str", "Its phase."),
                ("next_inspected_on", DATE, "The day of the next graded inspection."),
                ("label", "str", "What came next.", LABELS),
                ("label_source", "str", "How the next grade came about.", SOURCES),
                ("p_improve", "float64", "Chance of a better grade."),
                ("p_same", "float64", "Chance of the same grade."),
                ("p_worse", "float64", "Chance of a worse grade."),
            ),
            open_ended=True,
        ),
        Table(
            "forecasts",
            "an open school and an area of its next report card, and any of them",
            ("urn", "area"),
            _of(
                _URN,
                _AS_OF,
                ("area", "str", "The area it will be judged in, or any.", (*frameworks.AREAS, "any")),
                *(
                    (f"p_{name}", "float64", f"Chance of {words}; blank in any.")
                    for name, words in (
                        ("exceptional", "exceptional"),
                        ("strong", "strong standard"),
                        ("expected", "expected standard"),
                        ("needs_attention", "needs attention"),
                        ("urgent", "urgent improvement"),
                    )
                ),
                (
                    "p_below",
                    "float64",
                    "Chance of below expected: needs attention or urgent improvement; in any, in some area.",
                ),
                ("p_low", "float64", "The lower end of p_below's 90% interval."),
                ("p_high", "float64", "The upper end."),
                ("p_strong_or_better", "float64", "Chance of strong standard or exceptional; blank in any."),
                (
                    "standard_set",
                    "str",
                    "A set of standards, such as 2-3: nine in ten such sets hold the next one; blank in any.",
                ),
                (
                    "base_rate",
                    "float64",
                    "p_below by the prior of schools like it, for leadership and governance and any.",
                ),
                (
                    "learned_from",
                    "int64",
                    "Report cards it was learned from; 0 is the forecast of grades alone.",
                ),
                ("enough_like_it", "bool", "Whether enough cards of its grade and phase were learned from."),
                ("model_version", "str", "The champion that said so."),
                ("data_source", "str", "official or made-up.", ("official", "made-up")),
            ),
            open_ended=True,
        ),
        Table(
            "signals_today",
            "an open school's signals on the morning of the predictions",
            ("urn",),
            _of(
                _URN,
                _AS_OF,
                ("phase", "str", "Its phase: Nursery, Primary, Secondary, Special or PRU."),
                ("overall", "Int64", f"Its grade that morning: {_GRADE}"),
                ("leadership", "Int64", f"Its leadership grade that morning: {_GRADE}"),
                ("inspected_on", DATE, "The day of the inspection that gave them."),
                (
                    "low_age",
                    "Int64",
                    (
                        "Youngest age it takes: at four or less it is judged on early years. Blank is by its "
                        "phase."
                    ),
                ),
                (
                    "high_age",
                    "Int64",
                    "Oldest age it takes: at 18 or more it is judged on post-16. Blank is by its phase.",
                ),
                *(
                    (
                        f"card_{area}",
                        "Int64",
                        f"{words} on its newest report card: 1 exceptional to 5 urgent improvement.",
                    )
                    for area, words in frameworks.AREAS.items()
                ),
            ),
            open_ended=True,
        ),
        Table(
            "similar",
            "a school like an open one, and what became of it",
            ("urn", "rank"),
            _of(
                _URN,
                ("rank", "int64", "1 for the most alike."),
                ("other_urn", "int64", "The other school's URN then."),
                ("other_as_of", DATE, "The morning it is taken from."),
                ("distance", "float64", "How far apart they stand on the signals, as the model weighs them."),
                ("reasons", "str", "The signals that count most of those they share, by name."),
                ("outcome", "str", "What its next graded inspection brought.", LABELS),
                ("next_overall", "Int64", f"Its next grade: {_GRADE}"),
            ),
        ),
        Table(
            "similar_cards",
            "a school like an open one that has a report card, and what its card said",
            ("urn", "rank"),
            _of(
                _URN,
                ("rank", "int64", "1 for the most alike."),
                ("other_urn", "int64", "The other school's URN then."),
                ("other_as_of", DATE, "The morning it is taken from: the day its inspection began."),
                ("distance", "float64", "How far apart they stand on the signals, as the model weighs them."),
                ("reasons", "str", "The signals that count most of those they share, by name."),
                ("overall", "Int64", f"Its grade before the card: {_GRADE}"),
                *(
                    (
                        area,
                        "Int64",
                        (
                            f"{words} on its card: 1 exceptional to 5 urgent improvement; blank where not "
                            "judged."
                        ),
                    )
                    for area, words in frameworks.AREAS.items()
                ),
            ),
        ),
        Table(
            "predictions",
            "an open school",
            ("urn",),
            _of(
                _URN,
                _LINEAGE,
                _AS_OF,
                ("status", "str", "scored, or the reason not."),
                ("overall", "Int64", f"Its grade: {_GRADE}"),
                ("inspected_on", DATE, "The day of the inspection that gave it."),
                (
                    "graded_urn",
                    "Int64",
                    "The URN it was given under: another than the school's own where it was a predecessor's.",
                ),
                ("framework", "str", "The framework of that inspection."),
                ("overall_source", "str", "How that grade came about.", SOURCES),
                (
                    "p_improve",
                    "float64",
                    "Chance that the next inspection is better; blank at Outstanding, and with its reason.",
                ),
                ("p_improve_missing_reason", "str", "Why p_improve is blank, where it is."),
                (
                    "next_gives",
                    "str",
                    "What the next inspection gives: an overall grade, judgements, or standards by area.",
                    (frameworks.OVERALL, frameworks.JUDGEMENTS, frameworks.STANDARDS_BY_AREA),
                ),
                ("p_same", "float64", "Chance that it is the same: at Outstanding, the chance of staying."),
                ("p_worse", "float64", "Chance that it is worse."),
                *(
                    (f"p_grade_{grade}", "float64", f"Chance that the next grade is {grade}.")
                    for grade in (1, 2, 3, 4)
                ),
                (
                    "grade_set",
                    "str",
                    "A set of grades, such as 2-3: of many schools' sets, nine in ten hold the next grade.",
                ),
                ("base_rate", "float64", "Share of schools of this grade and phase that improved, lately."),
                (
                    "made_without",
                    "str",
                    "The tables and registers that say nothing of it; the prediction was made without them.",
                ),
                ("model_version", "str", "The champion that said so."),
                ("data_source", "str", "official or made-up.", ("official", "made-up")),
            ),
            open_ended=True,
        ),
    )
}


# --- reading and writing ------------------------------------------------------------------------------------


def write_atomically(path: Path, fill: Callable[[IO[bytes]], None]) -> None:
    """Write a file in one step: whoever looks sees the old one or the new one, never half of either."""
    _write_together({path: fill})


def _write_together(fills: Mapping[Path, Callable[[IO[bytes]], None]]) -> None:
    """Write files in one step each, once all of them are on the disk: one that fills up midway changes
    none.
    """
    held: dict[Path, str] = {}
    path = Path()
    try:
        for path, fill in fills.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, held[path] = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            with os.fdopen(handle, "w+b") as file:
                fill(file)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(held[path], 0o644)
        for path, temporary in held.items():
            os.replace(temporary, path)
    except BaseException as error:
        for temporary in held.values():
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno:
            # a full disk names no file, the others name the temporary one
            error.filename, error.filename2 = str(path), None
        raise


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock on a folder of our tables; waits up to a minute for another command that holds it.

    Two commands at once leave the tables of the one or of the other. The system releases the lock when the
    command that holds it ends, also when it is killed. Raises `Busy` where the minute is over.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # so that it may be taken again within
    lock = FileLock(folder / ".lock", timeout=LONGEST_WAIT, is_singleton=True)
    try:
        lock.acquire()
    except Timeout as error:
        raise Busy(f"Another headway command is writing to {folder}.\nWait for it, or try again.") from error
    try:
        yield
    finally:
        lock.release()


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    write_atomically(path, lambda file: file.write(text.encode("utf-8")) and None)


def plain(content: Any) -> Any:
    """JSON's own types; figures that are not numbers become null."""
    if isinstance(content, dict):
        return {str(key): plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [plain(value) for value in content]
    if isinstance(content, np.generic):
        content = content.item()
    if isinstance(content, float) and not np.isfinite(content):
        return None
    return content


def write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def conform(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows with this table's columns and types, in its order; missing columns come in blank.

    Raises `DataError` where a key repeats or a value isn't one the column allows.
    """
    table = TABLES[name]
    absent = [column for column in table.columns if column.name not in rows]
    rows = rows.assign(
        **{column.name: pd.Series(pd.NA, index=rows.index, dtype="object") for column in absent}
    )
    extra = [column for column in rows if column not in table.names] if table.open_ended else []
    # An empty column comes as objects, which only pandas' own nullable types turn into numbers and dates.
    nullable = {"float64": "Float64", DATE: DATE}
    empty = {
        c.name: nullable[c.dtype] for c in table.columns if c.dtype in nullable and rows[c.name].isna().all()
    }
    rows = (
        rows[[*table.names, *extra]]
        .astype(empty)
        .astype({column.name: column.dtype for column in table.columns})
    )
    wrong = []
    for column in table.columns:
        values = rows[column.name]
        if (column.name in table.key or column.dtype in ("int64", "bool")) and values.isna().any():
            wrong.append(f"{column.name} is blank in {values.isna().sum():,} rows")
        if column.allowed and not (fits := values.isna() | values.isin(column.allowed)).all():
            others = ", ".join(map(str, values[~fits].unique()[:5]))
            wrong.append(f"{column.name} is {others}; allowed are {', '.join(column.allowed)}")
    if (twice := rows.duplicated(list(table.key))).any():
        first = rows.loc[twice, list(table.key)].iloc[0]
        wrong.append(
            f"{' and '.join(f'{name} {value}' for name, value in first.items())} stand in more than one row"
        )
    if wrong:
        raise DataError("\n".join([f"The table {name} ({table.row}) breaks its own declaration:", *wrong]))
    return rows


def write(
    folder: Path,
    frames: Mapping[str, pd.DataFrame],
    *,
    about: Mapping[str, Any],
    named: Mapping[str, str] | None = None,
) -> dict[str, pd.DataFrame]:
    """Check every frame, then replace the tables together: none is replaced unless all of them pass. The
    frames as written.

    `about` (data source, newest file date, hashes) travels in each file. `named` gives a table another file's
    name.
    """
    import pyarrow as pa

    written = {name: conform(rows, name) for name, rows in frames.items()}
    ready = {}
    for name, rows in written.items():
        arrow = pa.Table.from_pandas(rows, preserve_index=False)
        facts = {"headway": json.dumps({**about, "version": VERSION, "table": name}, sort_keys=True)}
        ready[name] = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **facts})
    with alone(folder):
        _write_together(
            {
                folder / f"{(named or {}).get(name, name)}.parquet": lambda file, arrow=arrow: _write_parquet(
                    arrow, file
                )
                for name, arrow in ready.items()
            }
        )
    return written


def _write_parquet(rows: Any, file: IO[bytes]) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(file, rows.schema, write_page_checksum=True) as writer:
        writer.write_table(rows)
        writer.add_key_value_metadata({FOOTER_HASH.decode(): UNHASHED})
    hash_footer(file)


def hash_footer(file: IO[bytes]) -> None:
    """Write a parquet file's hash of its footer in the place kept for it under `FOOTER_HASH`."""
    start, footer = _footer(file)
    place = FOOTER_HASHED.search(footer)
    assert place, "the writer was given a place for the hash"
    file.seek(start + place.start(1))
    file.write(hashlib.sha256(footer).hexdigest().encode())
    file.seek(0, os.SEEK_END)


def check_footer(path: Path) -> None:
    """Raises `ValueError` where a parquet file's footer isn't what was written. One without a hash passes: it
    isn't ours.
    """
    with open(path, "rb") as file:
        _, footer = _footer(file)
    if place := FOOTER_HASHED.search(footer):
        unhashed = footer[: place.start(1)] + UNHASHED.encode() + footer[place.end(1) :]
        if hashlib.sha256(unhashed).hexdigest().encode() != place[1]:
            raise ValueError("its footer was changed after it was written")


def _footer(file: IO[bytes]) -> tuple[int, bytes]:
    """Where a parquet file's footer starts, and the footer to the end of the file; all of a file too short
    for one.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 8, 0))
    start = max(size - 8 - int.from_bytes(file.read(4), "little"), 0)
    file.seek(start)
    return start, file.read()


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns Arrow's errors about a broken file into a `DataError` with its name; those of the system stay as
    they are.
    """
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        reason = str(error).partition("\n")[0]
        raise DataError(
            f"{path} can't be read as parquet ({reason}).\nThe file is broken: run `headway "
            f"{_made_by(path.stem)}` "
            "again, or bring the file back from a copy."
        ) from error


def _made_by(name: str) -> str:
    if name in TABLES:
        return {
            "examples": "train",
            "backtest": "train",
            "predictions": "score",
            "signals_today": "score",
            "similar": "score",
            "similar_cards": "score",
            "forecasts": "score",
        }.get(name, "ingest")
    return "score"  # predictions under a name of their own


def read_together(folder: Path, columns: Mapping[str, list[str] | None]) -> dict[str, pd.DataFrame]:
    """Several tables as one ingest made them, some columns of each. Raises `DataError` where they are of two.

    A killed ingest may leave tables of before among its own, and one that is at work replaces them while we
    read.
    """
    made_from = {about(folder, name).get("inputs") for name in columns}
    frames = {name: read(folder, name, wanted) for name, wanted in columns.items()}
    if len(made_from | {about(folder, name).get("inputs") for name in columns}) > 1:
        raise DataError(
            f"The tables in {folder} were not made from the same files: an ingest was stopped, or is at "
            "work.\n"
            "Wait for it, or run `headway ingest` again."
        )
    return frames


def read(folder: Path, name: str, columns: list[str] | None = None) -> pd.DataFrame:
    """One of our tables. Raises `DataError` where it isn't there, is broken, or was written in another
    layout.
    """
    about(folder, name)
    path = folder / f"{name}.parquet"
    with readable(path):
        return pd.read_parquet(path, columns=columns, page_checksum_verification=True)


def about(folder: Path, name: str) -> dict[str, Any]:
    """What is known about a table as a whole: layout version, data source, newest file, hashes of the
    inputs.
    """
    import pyarrow.parquet as pq

    path = folder / f"{name}.parquet"
    if not path.is_file():
        raise DataError(f"There is no {path}.\nRun `headway {_made_by(name)}` first; it makes this table.")
    with readable(path):
        check_footer(path)
        facts = json.loads((pq.read_schema(path).metadata or {}).get(b"headway", b"{}"))
    if facts.get("version") != VERSION:
        raise DataError(
            f"{path} was written in layout {facts.get('version', 'unknown')}; this program reads layout "
            f"{VERSION}.\n"
            "Run `headway ingest`, `headway train` and `headway score` again."
        )
    return facts
