"""The company it keeps: its trust's and its authority's earlier record, strictly from outcomes public by
then.
"""

import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.frameworks import GOOD
from headway.pipelines.signals import NOTHING, Signal

HALF_LIFE = 3.0  # years: an authority's or a trust's record fades
PRIOR = {"authority": 15.0, "trust": 5.0}  # inspections' worth of "no better, no worse than elsewhere"
STOCK_PRIOR = {"authority": 5.0, "trust": 3.0}
# How often schools of a grade improved and fell, secondary schools (s) apart: rounded, fixed, from Ofsted's
# statistics of
# 2013 to 2024. Fixed, so that no school's record depends on schools outside its authority and trust.
USUAL = {
    "2": (0.09, 0.22),
    "2s": (0.09, 0.27),
    "3": (0.66, 0.06),
    "3s": (0.50, 0.10),
    "4": (0.96, 0.0),
    "4s": (0.94, 0.0),
}
_KNOWN = "when each report is out"
_TRUST_KNOWN = "in February after the summer, for trusts of three schools or more"
SIGNALS = (
    Signal(
        "authority_record",
        "Schools of its authority improved more often than schools like them; older years count less.",
        "share",
        "inspections",
        _KNOWN,
    ),
    Signal(
        "authority_falls",
        "Schools of its authority fell less often than schools like them.",
        "share",
        "inspections",
        _KNOWN,
    ),
    Signal(
        "trust_record",
        "Schools of its trust improved more often than schools like them.",
        "share",
        "inspections, trusts",
        _KNOWN,
    ),
    Signal(
        "authority_stock",
        "Mean grade of the authority's other schools, against Good.",
        "grades",
        "inspections",
        _KNOWN,
    ),
    Signal(
        "trust_stock",
        "Mean grade of the trust's other schools, against Good.",
        "grades",
        "inspections, trusts",
        _KNOWN,
    ),
    Signal(
        "trust_spread",
        "How far apart the grades of the trust's schools lie (standard deviation).",
        "grades",
        "inspections, trusts",
        _KNOWN,
    ),
    Signal("trust_size", "Schools in its trust.", "schools", "trusts", "from the yearly tables of trusts"),
    Signal(
        "trust_growth",
        "Schools the trust has gained a year, since the list before.",
        "schools a year",
        "trusts",
        "from the yearly tables of trusts",
    ),
    Signal(
        "trust_progress",
        "Progress of the trust's own pupils, to 11 or 16, as its tables give it.",
        "points",
        "trust_results",
        _TRUST_KNOWN,
    ),
    Signal(
        "trust_expected",
        "The trust's own pupils at the expected standard at 11.",
        "share",
        "trust_results",
        _TRUST_KNOWN,
        off=NOTHING,
    ),
    Signal(
        "years_in_trust",
        "Years since the school joined its trust, or a list first showed it there.",
        "years",
        "trusts",
        "from the yearly tables of trusts",
    ),
)


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Records and stocks of each school's authority and trust on its morning, the school itself left out of
    the stock.

    The record is the mean of (improved less what is usual for its grade and phase) over outcomes public
    before the morning, weighted by a half-life and shrunk towards nothing. It never uses an outcome that came
    later, the school's own included.
    """
    graded = known["inspections"]
    graded = graded[graded["kind"].eq("graded") & graded["overall"].notna()].sort_values(
        ["lineage", "inspected_on"]
    )
    described = {
        name: known["school_facts"][["lineage", "known_on", name]].dropna() for name in ("la_code", "phase")
    }
    parts = []
    for morning, asked in cohort.groupby("as_of"):
        authority, phases = (
            as_of.newest(as_of.known_before(facts, morning), "known_on").set_index("lineage")[name]
            for name, facts in described.items()
        )
        trust = _trusts(known["trusts"], morning)
        public = as_of.known_before(graded, morning)
        seen = _residuals(_outcomes(public, known, phases), morning)
        state = as_of.newest(public, "inspected_on")
        stock = pd.Series(state["overall"].astype("float64").to_numpy() - GOOD, index=state["lineage"])
        lineage = asked["lineage"]
        own = lineage.map(stock)
        result = pd.DataFrame(index=asked.index)
        for group, members in (("authority", authority), ("trust", trust["uid"])):
            mine = lineage.map(members)
            record = _shrunk(seen, seen["lineage"].map(members), "improved_more", PRIOR[group])
            result[f"{group}_record"] = mine.map(record).fillna(0.0)
            if group == "authority":
                falls = _shrunk(seen, seen["lineage"].map(members), "fell_less", PRIOR[group])
                result["authority_falls"] = mine.map(falls).fillna(0.0)
            sums = stock.groupby(stock.index.map(members)).agg(["sum", "size", "std"])
            others = mine.map(sums["size"]) - own.notna()
            result[f"{group}_stock"] = (mine.map(sums["sum"]) - own.fillna(0.0)) / (
                others + STOCK_PRIOR[group]
            )
            if group == "trust":
                result["trust_spread"] = mine.map(sums["std"])
                own_results = _results(known["trust_results"], morning, mine, asked["phase"])
                result = result.join(own_results)
        result["trust_record"] = result["trust_record"].where(lineage.isin(trust.index))
        result["trust_size"] = lineage.map(trust["size"])
        result["trust_growth"] = lineage.map(trust["growth"])
        result["years_in_trust"] = lineage.map(trust["years"])
        parts.append(result)
    result = pd.concat(parts) if parts else pd.DataFrame(columns=[signal.name for signal in SIGNALS])
    return result.reindex(cohort.index).astype("float64")


def _outcomes(graded: pd.DataFrame, known: dict[str, pd.DataFrame], phases: pd.Series) -> pd.DataFrame:
    """Every pair of consecutive graded inspections, of those public by then, whose second lies in a covered
    stretch.
    """
    later = graded.groupby("lineage")[["overall", "inspected_on"]].shift(-1).add_prefix("next_")
    pairs = graded[["lineage", "overall", "inspected_on"]].join(later).dropna(subset=["next_overall"])
    covered = as_of.covered_until(pairs["lineage"], pairs["next_inspected_on"], known["coverage"]).notna()
    change = pairs["overall"].astype("float64") - pairs["next_overall"].astype("float64")
    paired = pairs.assign(phase=pairs["lineage"].map(phases), improved=change.gt(0), fell=change.lt(0))
    return paired[covered & pairs["overall"].gt(1)]


def _residuals(outcomes: pd.DataFrame, morning: pd.Timestamp) -> pd.DataFrame:
    """Each outcome less what is usual for its grade and phase, and its faded weight."""
    cell = outcomes["overall"].astype("int64").astype("str") + outcomes["phase"].eq("Secondary").map(
        {True: "s", False: ""}
    )
    usual = pd.DataFrame(cell.map(USUAL).to_list(), columns=["improved", "fell"], index=outcomes.index)
    age = (morning - outcomes["next_inspected_on"]).dt.days / 365.25
    return outcomes.assign(
        improved_more=outcomes["improved"] - usual["improved"],
        fell_less=usual["fell"] - outcomes["fell"],
        weight=0.5 ** (age / HALF_LIFE),
    )


def _shrunk(seen: pd.DataFrame, group: pd.Series, measure: str, prior: float) -> pd.Series:
    sums = (
        pd.DataFrame({"total": seen["weight"] * seen[measure], "weight": seen["weight"]})
        .groupby(group.to_numpy())
        .sum()
    )
    return sums["total"] / (sums["weight"] + prior)


def _results(rows: pd.DataFrame, morning: pd.Timestamp, trust: pd.Series, phase: pd.Series) -> pd.DataFrame:
    """The trust's own newest progress, of the age its school's phase takes pupils to, and its share at the
    expected standard.
    """
    public = as_of.known_before(rows, morning).sort_values(["period", "known_on"], kind="stable")
    at_11 = public[["reading_progress", "writing_progress", "maths_progress"]].mean(axis=1)
    newest = {
        name: values.groupby(public["trust_uid"]).last()
        for name, values in (
            ("11", at_11),
            ("16", public["progress_8"]),
            ("expected", public["share_expected_standard"]),
        )
    }
    young, old, reached = (trust.map(newest[name]) for name in ("11", "16", "expected"))
    secondary = phase.eq("Secondary").fillna(False)
    return pd.DataFrame({"trust_progress": young.where(~secondary, old), "trust_expected": reached})


def _trusts(members: pd.DataFrame, morning: pd.Timestamp) -> pd.DataFrame:
    """Each lineage's trust that morning: uid, size, growth since the list before, and years in it so far."""
    public = as_of.known_before(members, morning).sort_values("known_on", kind="stable")
    latest = (
        public.drop_duplicates("lineage", keep="last").set_index("lineage")["trust_uid"].astype("float64")
    )
    sizes = public.groupby(["trust_uid", "known_on"])["lineage"].nunique().rename("size").reset_index()
    lists = sizes.groupby("trust_uid")
    # lists can lie years apart
    gained = lists["size"].diff() / (lists["known_on"].diff().dt.days / 365.25).clip(lower=1.0)
    newest = sizes.assign(gained=gained).drop_duplicates("trust_uid", keep="last").set_index("trust_uid")
    size, growth = latest.map(newest["size"]), latest.map(newest["gained"])
    mine = public[public["trust_uid"].astype("float64").eq(public["lineage"].map(latest))]
    listed = mine.groupby("lineage")[["known_on", "joined_on"]].min().reindex(latest.index)
    joined = listed.min(axis=1)
    years = as_of.years_before(pd.Series(morning, index=latest.index), joined)
    return pd.DataFrame({"uid": latest, "size": size, "growth": growth, "years": years}).astype("float64")
