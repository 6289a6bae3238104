"""A school through its changes of URN, by the Department for Education's rules for joining inspection
records.

A converting school closes and a new URN opens; half of the schools graded Inadequate do so within two years,
so leaving them out would leave out the answers. The rules (those of Ofsted's own statistics) follow
one-to-one successions only.
"""

import numpy as np
import pandas as pd

# Links that join or divide schools: what came before is not one school's history.
NOT_A_SUCCESSION = r"amal|merg|split|sixth form|expansion|closure|result of|other"
MOST_DAYS_CLOSED = 365  # between the link's date and the predecessor's closing
AGE_WORDS = ("infant", "junior")


def lineages(urns: pd.Series, links: pd.DataFrame, schools: pd.DataFrame) -> pd.DataFrame:
    """Each URN's lineage: the URN its chain of successions began with.

    `links` has predecessor, successor, link_type, linked_on; `schools` has urn, name, open, closed_on,
    status, and reason_opened and reason_closed where known. Dropped: joins and divisions, a predecessor still
    open, a successor only proposed, a predecessor that closed more than a year after the link, an infant or
    junior school becoming a primary, and any URN with two predecessors or two successors. Returns urn and
    lineage, a row for every URN given.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = successions(links, schools)
    everyone = pd.Index(pd.unique(pd.concat([urns, pairs["predecessor"], pairs["successor"]]))).sort_values()
    ends = [everyone.get_indexer(pairs[side]) for side in ("predecessor", "successor")]
    graph = coo_array((np.ones(len(pairs)), ends), shape=(len(everyone),) * 2)
    _, component = connected_components(graph, directed=False)
    chains = pd.DataFrame({"urn": everyone.to_numpy("int64"), "chain": component})
    begun = chains[~chains["urn"].isin(pairs["successor"])].drop_duplicates("chain").set_index("chain")["urn"]
    lineage = (
        chains["chain"].map(begun).fillna(chains.groupby("chain")["urn"].transform("min")).astype("int64")
    )
    return chains.assign(lineage=lineage)[["urn", "lineage"]]


def successions(links: pd.DataFrame, schools: pd.DataFrame) -> pd.DataFrame:
    """The one-to-one successions among the links: predecessor, successor, linked_on."""
    plain = links[~links["link_type"].str.lower().str.contains(NOT_A_SUCCESSION, regex=True, na=False)]
    plain = plain[plain["predecessor"].ne(plain["successor"])]
    plain = plain.sort_values("linked_on", na_position="last").drop_duplicates(["predecessor", "successor"])
    known = schools.drop_duplicates("urn").set_index("urn")
    before, after = known.reindex(plain["predecessor"]), known.reindex(plain["successor"])
    still_open = before["open"].eq(True).to_numpy()
    proposed = after["status"].fillna("").str.lower().str.contains("proposed to open").to_numpy()
    closed_late = (before["closed_on"].to_numpy() - plain["linked_on"].to_numpy()) > np.timedelta64(
        MOST_DAYS_CLOSED, "D"
    )
    grew = np.zeros(len(plain), dtype=bool)
    for word in AGE_WORDS:
        was = before["name"].fillna("").str.lower().str.contains(word).to_numpy()
        now = after["name"].fillna("").str.lower()
        grew |= was & now.ne("").to_numpy() & ~now.str.contains(word).to_numpy()
    joined = np.zeros(len(plain), dtype=bool)  # the register's word for it, where the link's own says less
    for sides, column in ((after, "reason_opened"), (before, "reason_closed")):
        if column in sides:
            joined |= sides[column].fillna("").str.lower().str.contains("amalgam").to_numpy()
    kept = plain[~(still_open | proposed | closed_late | grew | joined)]
    alone = ~kept["predecessor"].duplicated(keep=False) & ~kept["successor"].duplicated(keep=False)
    return kept.loc[alone, ["predecessor", "successor", "linked_on"]]
