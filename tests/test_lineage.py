import pandas as pd
import pytest

from headway.pipelines.lineage import lineages, successions

SCHOOLS = """
    urn    | name               | status           | open  | closed_on
    100001 | Oak Primary        | Closed           | False | 2014-08-31
    100002 | Oak Academy        | Open             | True  |
"""
LINK = """
    predecessor | successor | link_type   | linked_on
    100001      | 100002    | Predecessor | 2014-09-01
"""


@pytest.fixture
def chains(drawn):
    """Each URN's lineage, from drawn links and schools."""

    def follow(links: str = LINK, schools: str = SCHOOLS) -> dict[int, int]:
        known = drawn(schools)
        found = lineages(known["urn"], drawn(links), known)
        assert len(found) == len(set(found["urn"]))
        return dict(zip(found["urn"], found["lineage"], strict=True))

    return follow


APART = {100001: 100001, 100002: 100002}
ONE = {100001: 100001, 100002: 100001}


def test_a_school_that_succeeded_another_one_to_one_continues_it(chains):
    assert chains() == ONE


@pytest.mark.parametrize(
    "kind",
    [
        "Predecessor - merged",
        "Predecessor - amalgamated",
        "Successor - Split School",
        "Result of Amalgamation",
        "Sixth Form Centre Link",
        "Closure",
        "Merged - change in age range",
        "Other",
    ],
)
def test_a_join_or_a_division_is_no_succession(chains, kind):
    assert chains(LINK.replace("| Predecessor |", f"| {kind} |")) == APART


def test_two_predecessors_or_two_successors_are_no_succession(chains):
    schools = SCHOOLS + "100003 | Elm | Closed | False | 2014-08-31\n"
    assert chains(LINK + "100003 | 100002 | Predecessor | 2014-09-01\n", schools)[100002] == 100002
    assert chains(LINK + "100001 | 100003 | Successor | 2014-09-01\n", schools)[100002] == 100002


def test_a_link_given_from_both_sides_counts_once(chains):
    assert chains(LINK + "100001 | 100002 | Successor |\n") == ONE


def test_a_predecessor_still_open_is_not_followed(chains):
    assert chains(schools=SCHOOLS.replace("Closed           | False", "Open             | True ")) == APART


def test_a_successor_only_proposed_is_not_followed(chains):
    assert chains(schools=SCHOOLS.replace("| Open      ", "| Proposed to open")) == APART


@pytest.mark.parametrize(
    "closed, linked, found",
    [
        ("2015-09-01", "2014-09-01", ONE),
        ("2015-09-02", "2014-09-01", APART),
        ("2019-01-01", "", ONE),
        ("", "2014-09-01", ONE),
    ],
)
def test_a_predecessor_that_closed_more_than_365_days_after_the_link_is_not_followed(
    chains, closed, linked, found
):
    assert chains(LINK.replace("2014-09-01", linked), SCHOOLS.replace("2014-08-31", closed)) == found


@pytest.mark.parametrize(
    "before, after, found",
    [
        ("Oak Infant School", "Oak Primary School", APART),
        ("Oak Junior School", "Oak Primary School", APART),
        ("Oak Infant School", "Oak Infant Academy", ONE),
        ("Oak Infant School", "", ONE),
    ],
)
def test_an_infant_or_junior_school_that_became_a_primary_is_another_school(chains, before, after, found):
    assert chains(schools=SCHOOLS.replace("Oak Primary", before).replace("Oak Academy", after)) == found


@pytest.mark.parametrize("column, on", [("reason_opened", 100002), ("reason_closed", 100001)])
def test_a_school_opened_or_closed_by_amalgamation_is_no_succession(drawn, column, on):
    known = drawn(SCHOOLS)
    known[column] = known["urn"].map({on: "Result of Amalgamation"})
    assert successions(drawn(LINK), known).empty


def test_three_urns_in_a_row_are_one_school_under_the_first(chains):
    schools = SCHOOLS.replace("Open             | True  |", "Closed           | False | 2019-08-31")
    found = chains(
        LINK + "100002 | 100003 | Successor | 2019-09-01\n", schools + "100003 | Oak Trust | Open | True |\n"
    )
    assert found == {100001: 100001, 100002: 100001, 100003: 100001}


def test_a_urn_nobody_links_is_its_own_lineage_and_every_urn_has_one(chains):
    found = chains(
        "predecessor | successor | link_type | linked_on\n100001 | 100002 | Predecessor |",
        SCHOOLS + "100009 | Ash | | True |\n",
    )
    assert found == {**ONE, 100009: 100009}


def test_links_that_run_in_a_ring_end(chains):
    schools = SCHOOLS.replace("Open             | True  |", "Closed           | False | 2014-08-31")
    assert set(chains(LINK + "100002 | 100001 | Predecessor | 2014-09-01\n", schools).values()) == {100001}


def test_lineages_do_not_depend_on_the_order_of_links(drawn):
    links = drawn(LINK + "100002 | 100003 | Successor | 2019-09-01\n100003 | 100004 | Successor |\n")
    schools = drawn(SCHOOLS).assign(open=False)
    urns = pd.Series([100001, 100002, 100003, 100004])
    assert lineages(urns, links[::-1], schools).equals(lineages(urns, links, schools))
