import functools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.pipelines import as_of, ingest, inspections, registers, signals, tables
from headway.pipelines.signals import attainment

DAY = pd.Timestamp
MORNING = DAY("2019-09-01")

# --- the newest fact known before a morning -----------------------------------------------------------------

FACTS = """
    lineage | known_on   | period | pupils
    1       | 2018-01-31 | 2017   | 200
    1       | 2019-01-31 | 2018   | 210
    1       | 2019-02-01 | 2016   | 190
    2       | 2019-01-31 | 2018   |
"""


def _asked(*rows: tuple[int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["lineage", "as_of"]).astype({"as_of": tables.DATE})


@pytest.mark.parametrize(
    "morning, pupils",
    [
        ("2018-01-30", None),
        ("2018-01-31", None),
        ("2018-02-01", 200),
        ("2019-01-31", 200),
        ("2019-02-01", 210),
    ],
)
def test_a_fact_counts_from_the_day_after_it_became_public(drawn, morning, pupils):
    found = as_of.latest_known(_asked((1, morning)), drawn(FACTS))["pupils"].iloc[0]
    assert (None if pd.isna(found) else found) == pupils
    public = as_of.known_before(drawn(FACTS).query("lineage == 1"), DAY(morning))
    assert set(public["pupils"]) == {n for n in (200, 210) if pupils and n <= pupils}


def test_newest_is_by_period_where_a_period_is_named_and_by_publication_where_not(drawn):
    late = _asked((1, "2019-09-01"))
    assert as_of.latest_known(late, drawn(FACTS))["pupils"].tolist() == [190]
    assert as_of.latest_known(late, drawn(FACTS), order="period")["pupils"].tolist() == [210]


def test_one_row_out_per_row_in_in_the_same_order_with_blanks_for_the_unknown(drawn):
    asked = _asked((2, "2020-01-01"), (9, "2020-01-01"), (1, "2018-06-01"), (1, "2020-01-01")).set_axis(
        [7, 3, 5, 1]
    )
    found = as_of.latest_known(asked, drawn(FACTS), order="period")
    assert found.index.tolist() == [7, 3, 5, 1]
    assert found["pupils"].fillna(-1).tolist() == [-1, -1, 200, 210]
    assert found["period"].fillna(-1).tolist() == [2018, -1, 2017, 2018]


def test_an_earlier_period_is_used_as_first_published_and_only_if_public_by_then(drawn):
    facts = drawn(FACTS + "1 | 2019-03-01 | 2017 | 999\n")
    asked = _asked((1, "2019-09-01"), (1, "2018-06-01"), (2, "2019-09-01"))
    assert as_of.earlier_known(asked, facts, as_of.latest_known(asked, facts, order="period"), 1)[
        "pupils"
    ].fillna(-1).tolist() == [200, -1, -1]
    late = facts.assign(known_on=facts["known_on"].mask(facts["period"].eq(2017), DAY("2019-09-01")))
    assert (
        as_of.earlier_known(asked, late, as_of.latest_known(asked, late, order="period"), 1)["pupils"]
        .isna()
        .all()
    )


def test_years_before_leave_out_a_stretch_that_does_not_count():
    mornings, days = (
        pd.Series([DAY("2022-01-01")] * 3),
        pd.Series([DAY("2019-01-01"), DAY("2021-07-01"), pd.NaT]),
    )
    paused = (DAY("2020-01-01"), DAY("2021-07-01"))
    assert as_of.years_before(mornings, days).round(1).tolist()[:2] == [3.0, 0.5]
    assert as_of.years_before(mornings, days, without=[paused]).round(1).tolist()[:2] == [1.5, 0.5]
    assert as_of.years_before(mornings, days).isna().tolist() == [False, False, True]


_days = st.integers(0, 40).map(lambda n: DAY("2019-01-01") + pd.Timedelta(days=n))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(1, 3), _days, st.integers(1, 9)), max_size=8),
    st.lists(st.tuples(st.integers(1, 4), _days), min_size=1, max_size=6),
)
def test_the_newest_known_is_what_a_look_through_every_fact_would_find(facts, asked):
    held = pd.DataFrame(facts, columns=["lineage", "known_on", "period"])
    held = held.astype({"known_on": tables.DATE, "lineage": "int64", "period": "int64"})
    found = as_of.latest_known(_asked(*asked), held, order="period")["period"]
    by_hand = [
        max((p for who, day, p in facts if who == lineage and day < morning), default=None)
        for lineage, morning in asked
    ]
    assert [None if pd.isna(p) else p for p in found] == by_hand


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 3), _days, st.integers(2015, 2019)), max_size=9), st.integers(0, 3))
def test_one_morning_asked_alone_is_answered_as_among_others(facts, back):
    """Alone it is answered by a shorter way; a lineage asked twice takes the longer one."""
    held = pd.DataFrame(facts, columns=["lineage", "known_on", "period"])
    held = held.astype({"known_on": tables.DATE, "lineage": "int64", "period": "int64"}).assign(
        place=range(len(facts))
    )
    alone = _asked(*((lineage, DAY("2019-01-21")) for lineage in (1, 2, 3, 4)))
    more = _asked(*((lineage, DAY(day)) for day in ("2019-01-21", "2019-01-30") for lineage in (1, 2, 3, 4)))
    until = pd.Series([2019, 2018, 2017, 2016] * 2)
    for ask in (
        lambda asked: as_of.latest_known(asked, held, order="period"),
        lambda asked: as_of.latest_known(asked, held),
        lambda asked: as_of.earlier_known(asked, held, as_of.latest_known(asked, held, order="period"), back),
        lambda asked: as_of.known_until(asked, held, until[asked.index]),
    ):
        first, second = ask(alone), ask(more).iloc[:4]
        pd.testing.assert_frame_equal(first, second)


# --- folds --------------------------------------------------------------------------------------------------

EXAMPLES = """
    as_of      | next_inspected_on | next_known_on | fold
    2021-09-01 | 2022-03-01        | 2022-08-31    | learned
    2021-09-01 | 2022-03-01        | 2022-09-01    | neither
    2022-09-01 | 2022-09-01        | 2022-10-20    | unseen
    2022-09-01 | 2023-08-31        | 2023-10-20    | unseen
    2022-09-01 | 2023-09-01        | 2023-10-20    | neither
    2022-09-01 |                   |               | neither
    2023-09-01 | 2023-05-01        | 2023-06-01    | neither
"""


def test_a_fold_learns_only_outcomes_public_before_its_morning_and_is_judged_in_its_year(drawn):
    examples = drawn(EXAMPLES)
    (fold,) = as_of.folds([DAY("2022-09-01"), DAY("2020-01-01")])
    assert fold.name == "2022/23"
    assert fold.learned(examples).tolist() == examples["fold"].eq("learned").tolist()
    assert fold.unseen(examples).tolist() == examples["fold"].eq("unseen").tolist()


# --- the future, the count, and other schools ---------------------------------------------------------------

SCHOOLS = """
    urn    | lineage | phase     | type              | region     | la_code | last_listed_on
    100001 | 100001  | Primary   | Community School  | London     | 201     | 2019-12-31
    100002 | 100002  | Primary   | Academy Converter | London     | 201     | 2019-12-31
    100003 | 100003  | Secondary | Academy Converter | South East | 202     | 2019-12-31
    100004 | 100004  | Secondary | Free School       | South East | 202     | 2019-12-31
"""
FIGURES = """
    period | known_on
    2013   | 2015-01-31
    2015   | 2017-01-31
    2016   | 2018-01-31
    2017   | 2018-06-30
    2018   | 2019-01-31
    2018   | 2019-09-01
    2019   | 2020-01-31
    2021   | 2022-01-31
"""
VISITS = """
    lineage | kind     | inspected_on | known_on   | overall | leadership | quality_of_education | behaviour | personal_development
    100001  | graded   | 2010-03-05   | 2013-04-30 | 3       | 3          |                      |           |
    100001  | graded   | 2013-05-05   | 2013-06-30 | 2       | 2          |                      |           |
    100001  | graded   | 2015-06-05   | 2019-09-01 | 4       | 4          |                      |           |
    100001  | graded   | 2017-03-05   | 2017-04-30 | 3       | 2          | 3                    | 2         | 2
    100001  | ungraded | 2018-03-05   | 2018-08-31 |         |            |                      |           |
    100001  | graded   | 2019-06-05   | 2019-09-01 | 1       | 1          | 1                    | 1         | 1
    100002  | graded   | 2014-03-05   | 2014-04-30 | 3       | 3          |                      |           |
    100002  | graded   | 2018-03-05   | 2018-04-30 | 2       | 2          | 2                    | 2         | 2
    100003  | graded   | 2014-03-05   | 2014-04-30 | 2       | 3          | 2                    | 2         | 1
    100003  | graded   | 2016-03-05   | 2016-04-30 | 2       | 2          | 2                    | 2         | 1
    100004  | graded   | 2015-03-05   | 2015-04-30 | 3       | 3          | 2                    | 2         | 1
    100004  | graded   | 2018-05-05   | 2018-06-30 | 4       | 3          | 4                    | 3         | 4
    100004  | ungraded | 2019-05-05   | 2019-09-01 |         |            |                      |           |
"""
FACTS_TOLD = """
    known_on   | type              | name
    2013-04-30 | Community School  | Oak Infant School
    2018-08-31 | Academy Converter | St Oak CofE Academy
    2019-09-01 | Sponsor Led       | Oak Girls Grammar
"""
MEMBERS = """
    urn    | trust_uid | known_on   | period
    100001 | 11        | 2018-02-28 | 2018
    100002 | 11        | 2018-02-28 | 2018
    100002 | 11        | 2019-02-28 | 2019
    100003 | 12        | 2019-02-28 | 2019
    100001 | 11        | 2019-02-28 | 2019
    100001 | 12        | 2019-09-01 | 2019
    100004 | 12        | 2019-02-28 | 2019
"""
HEADS = """
    urn    | known_on   | seen_on    | head_changed
    100001 | 2018-01-01 | 2017-06-01 | 1
    100001 | 2019-09-01 | 2018-01-01 | 1
    100002 | 2018-01-01 | 2017-06-01 | 0
    100002 | 2019-12-01 | 2018-01-01 | 1
"""
COVERED = "from_on | to_on\n2013-01-01 | 2019-12-31"
LATE = 100004  # whose figures of 2018 came out on the morning only
MEASURES = tuple(
    name
    for name in signals.TABLES
    if "period" in tables.TABLES[name].names and name not in ("norms", "trusts")
)
DECLARED = tables.TABLES | {table.name: table for table in registers.TABLES.values()}


def _figures(name: str, rows: pd.DataFrame, urns: list[int], seed: int) -> pd.DataFrame:
    """Rows of a table of figures for each school: any figures, the same each time, shares below one."""
    rng = np.random.default_rng(seed)
    every = pd.concat(
        [
            rows.assign(
                urn=urn,
                lineage=urn,
                la_code=urn % 10 + 200,
                phase="Primary",
                owner="trust-11",
                trust_uid=urn % 10 + 10,
                counted_on=rows["known_on"],
            )
            for urn in urns
        ],
        ignore_index=True,
    )
    every = every[~(every["urn"].eq(LATE) & every["known_on"].eq("2019-01-31"))]
    for column in DECLARED[name].columns:
        if column.dtype == "float64":
            figures = rng.uniform(0.05, 0.95, len(every))
            every[column.name] = (
                figures if column.name.startswith("share") else np.round(20 + 80 * figures, 1)
            )
    return every.assign(source_file="drawn").reset_index(drop=True)


@pytest.fixture(scope="module")
def world(drawn, known):
    """A full set of tables: every family has something to say of some school, before the morning and after
    it.
    """

    @functools.cache
    def make(
        schools: str = SCHOOLS, visits: str = VISITS, members: str = MEMBERS, heads: str = HEADS
    ) -> dict:
        urns = drawn(schools)["urn"].tolist()
        facts = drawn(schools)[["urn", "phase", "region", "la_code"]].merge(drawn(FACTS_TOLD), how="cross")
        facts["phase"] = facts["phase"].mask(
            facts["urn"].eq(100001) & facts["known_on"].eq("2019-09-01"), "Secondary"
        )
        seen = drawn(visits)
        outcome = pd.Series(None, index=seen.index, dtype="str").mask(
            seen["kind"].eq("ungraded"), "School remains Good (Improving)"
        )
        rows = known(
            schools=drawn(schools),
            school_facts=facts,
            head_changes=drawn(heads),
            trusts=drawn(members),
            inspections=seen.assign(urn=seen["lineage"], ungraded_outcome=outcome),
            coverage=drawn(COVERED),
            **{
                name: pd.concat(
                    [_figures(name, drawn(FIGURES), [urn], [seed, urn]) for urn in urns], ignore_index=True
                )
                for seed, name in enumerate((*MEASURES, *signals.REGISTERS))
            },
        )
        return rows | {"norms": _norms(rows)}

    return make


def _norms(held: dict) -> pd.DataFrame:
    """The norms of the world, and the country's relation of results to intake, for which there are too few
    schools here.
    """
    few = [
        (
            "results",
            f"{reached}_beyond_intake",
            period,
            phase,
            "England",
            200,
            np.array([0.2, 0.1, 0.3, 0.2, 0.1, 20.0]),
        )
        for reached in attainment.REACHED.values()
        for period in (2016, 2017, 2018)
        for phase in ("Primary", "Secondary")
    ]
    made = ingest.norms(held)
    return tables.conform(
        pd.concat([made, pd.DataFrame(few, columns=made.columns)], ignore_index=True), "norms"
    )


def _built(held: dict, urns: list[int] | None = None, morning: pd.Timestamp = MORNING) -> pd.DataFrame:
    schools = held["schools"]
    asked = schools.loc[schools["urn"].isin(urns) if urns else schools.index, ["urn", "lineage"]]
    asked = asked.assign(as_of=morning).astype({"as_of": tables.DATE})
    rows = inspections.cohort(asked, held["school_facts"], held["inspections"])
    return signals.build(rows, held).assign(urn=rows["urn"])


DATED = [name for name in (*signals.TABLES, *signals.REGISTERS) if "known_on" in DECLARED[name].names]


def _garbled(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows with every fact known on the morning or after it rewritten, but for whose it is and when it
    was known.
    """
    late = rows["known_on"] >= MORNING
    assert late.any() or rows.empty, f"nothing of {name} lies in the future"
    rows = rows.copy()
    keys = {"urn", "lineage", "known_on", "kind", "source_file", *DECLARED[name].key}
    for column in rows.columns.difference([*(keys - {"inspected_on", "period", "counted_on", "trust_uid"})]):
        if pd.api.types.is_datetime64_any_dtype(rows[column]):
            rows[column] = rows[column].mask(late, rows[column] - pd.Timedelta(days=200))
        elif column == "period":
            rows[column] = rows[column].mask(late, 2018)
        elif column in ("overall", "leadership"):
            rows[column] = rows[column].mask(late & rows[column].notna(), 5 - rows[column])
        elif pd.api.types.is_bool_dtype(rows[column]):
            rows[column] = rows[column].mask(late, ~rows[column])
        elif pd.api.types.is_numeric_dtype(rows[column]):
            rows[column] = rows[column].mask(late, 3)
        else:
            rows[column] = rows[column].mask(late, "Sponsor Led Girls Grammar declined, improving")
    return rows


@pytest.fixture(scope="module")
def before(world):
    """The signals of the world, unchanged."""
    return _built(world())


@pytest.fixture
def same(world, before):
    """Whether signals stay as they were when tables of the world are changed; norms are made anew from the
    changed ones.
    """

    def compare(change) -> None:
        held = world()
        changed = {name: change(held[name], name) if name in DATED else held[name] for name in held}
        changed["norms"] = _norms(changed)
        pd.testing.assert_frame_equal(_built(changed), before)

    return compare


def test_the_world_gives_every_signal_something_to_say(world, before):
    silent = before.drop(columns="urn").isna().all()
    assert silent[silent].index.tolist() == ["absence_since_pandemic"]
    assert _built(world(), morning=DAY("2022-09-01"))["absence_since_pandemic"].notna().any()


def test_the_future_rewritten_changes_no_signal(same):
    same(_garbled)


def test_the_future_taken_away_changes_no_signal(same):
    same(lambda rows, name: rows[rows["known_on"] < MORNING].reset_index(drop=True))


@pytest.mark.parametrize("name", DATED)
def test_the_future_of_one_table_changes_no_signal(world, before, name):
    """With the norms left as they were, so that it is the join of this one table that is tried."""
    held = world()
    changed = held | {name: _garbled(held[name], name)}
    pd.testing.assert_frame_equal(_built(changed), before)


def test_the_past_rewritten_does_change_signals_of_every_family(world, before):
    """So that the tests of the future could fail."""
    later = _built(world(), morning=DAY("2016-06-01"))
    moved = {name for name, family in signals.family_of().items() if not before[name].equals(later[name])}
    assert {signals.family_of()[name] for name in moved} == set(signals.FAMILIES)


def test_signals_are_one_row_out_per_row_in_in_the_same_order(world):
    held = world()
    asked = held["schools"][["urn", "lineage"]].assign(as_of=MORNING).astype({"as_of": tables.DATE})
    stranger = asked.tail(1).assign(urn=100099, lineage=100099)
    asked = pd.concat([asked[::-1], stranger, asked.head(1).assign(as_of=DAY("2016-09-01"))]).set_axis(
        [9, 4, 6, 2, 8, 0]
    )
    asked = asked.astype({"as_of": tables.DATE})
    rows = inspections.cohort(asked, held["school_facts"], held["inspections"])
    assert rows[["urn", "as_of"]].equals(asked[["urn", "as_of"]])
    found = signals.build(rows, held)
    assert found.index.tolist() == [9, 4, 6, 2, 8, 0]
    assert found.columns.tolist() == list(signals.declared())
    assert found.dtypes.eq("float64").all()
    assert not np.isinf(found).any(axis=None)


def test_nobody_asked_about_gives_no_rows(world):
    held = world()
    asked = held["schools"].head(0)[["urn", "lineage"]].assign(as_of=pd.Series([], dtype=tables.DATE))
    rows = inspections.cohort(asked, held["school_facts"], held["inspections"])
    assert signals.build(rows, held).shape == (0, len(signals.declared()))


def test_a_school_asked_about_alone_has_the_row_it_has_among_others(world, before):
    held, whole = world(), before.set_index("urn")
    for urn in whole.index:
        pd.testing.assert_frame_equal(_built(held, [urn]).set_index("urn"), whole.loc[[urn]])


def test_adding_schools_of_another_phase_authority_and_trust_changes_no_other_row(world, before):
    more = world(
        schools=SCHOOLS + "100008 | 100008 | Special | Community Special | North East | 301 | 2019-12-31\n"
        "100009 | 100009 | Special | Community Special | North East | 301 | 2019-12-31\n",
        visits=VISITS
        + "100008 | graded | 2014-03-05 | 2014-04-30 | 3 | 2 | | |\n100008 | graded | 2017-03-05 | "
        "2017-04-30 | 1 | 1 | 1 | 1 | 1\n"
        "100009 | ungraded | 2017-03-05 | 2018-09-30 | | | | |\n",
        members=MEMBERS + "100008 | 13 | 2019-02-28 | 2019\n100009 | 13 | 2018-02-28 | 2018\n",
        heads=HEADS + "100008 | 2018-01-01 | 2017-06-01 | 1\n",
    )
    after = _built(more)
    assert len(after) == len(before) + 2
    pd.testing.assert_frame_equal(
        after[after["urn"].isin(before["urn"])].reset_index(drop=True), before.reset_index(drop=True)
    )


def test_the_fact_until_a_year_is_the_newest_no_later_and_never_one_unknown_that_morning(drawn):
    questions = drawn("""
        lineage | as_of      | until
        1       | 2024-09-01 | 2022
        1       | 2024-09-01 | 2023
        1       | 2023-06-30 | 2023
        1       | 2024-09-01 |
        2       | 2024-09-01 | 2023
    """)
    facts = drawn("""
        lineage | known_on   | period | stayed
        1       | 2022-06-30 | 2021   | 10
        1       | 2023-06-30 | 2022   | 20
        1       | 2024-06-30 | 2023   | 30
        2       | 2025-06-30 | 2023   | 40
    """)
    found = as_of.known_until(questions, facts, questions["until"])
    assert [None if pd.isna(value) else value for value in found["stayed"]] == [20, 30, 10, None, None]
