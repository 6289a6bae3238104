"""Time: the newest fact known before a morning, and walk-forward folds. Leakage can only live here.

A fact counts from the day after its `known_on`. No other module compares a date with `as_of`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from headway.pipelines.tables import DATE


def known_by(known_on: pd.Series, morning: pd.Series | pd.Timestamp) -> pd.Series:
    """Whether each fact was public before the morning; one whose day is blank wasn't. The one rule of what
    was known when.
    """
    return known_on < morning


def outcomes_known(examples: pd.DataFrame, morning: pd.Timestamp, not_yet: str) -> pd.DataFrame:
    """The examples as they stood on a morning: an outcome not public before it is blank, for the reason
    `not_yet`.

    Whatever learns, calibrates, chooses or compares as of a morning is given these and no others.
    """
    later = examples["next_known_on"].notna() & ~known_by(examples["next_known_on"], morning)
    blank = [name for name in examples if name.startswith("next_") or name in ("label", "label_source")]
    return examples.assign(
        **{name: examples[name].mask(later) for name in blank},
        label_missing_reason=examples["label_missing_reason"].mask(later, not_yet),
    )


def known_before(facts: pd.DataFrame, morning: pd.Timestamp) -> pd.DataFrame:
    """The facts that were public before the morning, with no detail that wasn't."""
    return _details_known(facts[known_by(facts["known_on"], morning)], morning)


def _details_known(facts: pd.DataFrame, mornings: pd.Series | pd.Timestamp) -> pd.DataFrame:
    """The facts with each detail that has a day of its own, as `leadership_known_on`, blank where it wasn't
    public yet.

    The days themselves are left out: on a morning nobody knows when something will become known.
    """
    since = {name.removesuffix("_known_on"): name for name in facts if name.endswith("_known_on")}
    since = {detail: name for detail, name in since.items() if detail in facts}
    known = {detail: facts[detail].where(known_by(facts[name], mornings)) for detail, name in since.items()}
    return facts.assign(**known).drop(columns=list(since.values()))


def latest_known(
    questions: pd.DataFrame, facts: pd.DataFrame, by: str = "lineage", order: str = ""
) -> pd.DataFrame:
    """The newest fact about each school that was public before the morning of `as_of`.

    A fact counts from the day after its `known_on`: a census published on 2023-06-08 is unknown to a question
    asked as of 2023-06-08. Where `order` names a column (a period, an inspection's day), newest means highest
    in that column among the facts known by then, not last to be published. Schools without any fact keep
    their row, with blanks. One row out per row in, same order and index; the columns are those of `facts` but
    for `by`.
    """
    mornings = questions["as_of"].to_numpy()
    if facts.empty or (len(mornings) and (mornings == mornings[0]).all()):
        places = _newest(
            questions[by], facts, mornings[0] if len(mornings) else None, by, order or "known_on"
        )
        return _details_known(_at(places, facts, by, questions.index), questions["as_of"])
    # Only the columns that decide are sorted; the rest is taken once, at the places found.
    told = facts[[by, "known_on", *([order] if order else [])]].assign(place=range(len(facts)))
    told = told.sort_values(["known_on", *([order] if order else [])], kind="stable")
    if order:
        # A fact that is older in `order` than one already public never is the newest: leave it out.
        told = told[told[order] >= told.groupby(by)[order].cummax()]
    asked = questions[[by, "as_of"]].assign(question=range(len(questions)))
    result = pd.merge_asof(
        asked.sort_values("as_of", kind="stable"),
        told[[by, "place"]].assign(when=told["known_on"].astype(DATE)),
        left_on="as_of",
        right_on="when",
        by=by,
        allow_exact_matches=False,
    )
    return _details_known(
        _at(result.sort_values("question")["place"], facts, by, questions.index), questions["as_of"]
    )


def _newest(asked: pd.Series, facts: pd.DataFrame, morning: Any, by: str, order: str) -> pd.Series:
    """The place of each school's newest fact on one morning, blank for none: as `latest_known`, in a third of
    the time.
    """
    values = facts[order]
    whole = (
        values.to_numpy().view("int64")
        if values.dtype.kind == "M"
        else values.to_numpy(dtype=float, na_value=np.nan)
    )
    known, names = facts["known_on"].to_numpy(), pd.Index(asked.unique())
    there = (
        np.flatnonzero((known < morning) & values.notna().to_numpy())
        if len(facts)
        else np.zeros(0, dtype=int)
    )
    school = names.get_indexer(facts[by].to_numpy()[there])
    there, school = there[school >= 0], school[school >= 0]
    best = np.full(
        len(names), np.iinfo("int64").min if whole.dtype.kind == "i" else -np.inf, dtype=whole.dtype
    )
    np.maximum.at(best, school, whole[there])
    newest = whole[there] == best[school]
    there, school = there[newest], school[newest]
    last = np.argsort(known[there], kind="stable")
    places = np.full(len(names), -1)
    places[school[last]] = there[last]  # of several, the last one out
    return pd.Series(places[names.get_indexer(asked)], index=asked.index)


def _asked_by(asked: pd.Series, facts: pd.Series) -> np.ndarray | None:
    """The place of the one question each fact is about, -1 for none; None where several may be."""
    names = pd.Index(asked)
    return names.get_indexer(facts) if len(names) and names.is_unique else None


def _at(places: pd.Series, facts: pd.DataFrame, by: str, index: pd.Index) -> pd.DataFrame:
    """The facts at these places, without the school; blanks where there is none."""
    return (
        facts.drop(columns=by)
        .reset_index(drop=True)
        .reindex(places.fillna(-1).astype("int64"))
        .set_axis(index)
    )


def earlier_known(
    questions: pd.DataFrame, facts: pd.DataFrame, now: pd.DataFrame, years: int, by: str = "lineage"
) -> pd.DataFrame:
    """The fact `years` periods before `now`, the newest known, for measuring change. Blank where that period
    has none.

    `now` is `latest_known`'s of the same questions and facts, in the order of their periods.
    """
    wanted = questions[[by, "as_of"]].assign(period=now["period"] - years)
    past = facts[[by, "period", "known_on"]].assign(place=range(len(facts)))
    # once each, as on one morning: nothing else need be sorted
    if (asked := _asked_by(questions[by], facts[by])) is not None:
        past = past[
            (asked >= 0)
            & (wanted["period"].to_numpy(dtype=float, na_value=np.nan)[asked] == past["period"].to_numpy())
        ]
    past = past[past["period"].isin(wanted["period"].unique())]
    past = past.sort_values("known_on", kind="stable").drop_duplicates([by, "period"])
    result = wanted.merge(past, on=[by, "period"], how="left", validate="many_to_one")
    return _at(
        result["place"].where(known_by(result["known_on"], result["as_of"])), facts, by, questions.index
    )


def known_until(
    questions: pd.DataFrame, facts: pd.DataFrame, until: pd.Series, by: str = "lineage"
) -> pd.DataFrame:
    """The fact of the newest period no later than `until` (a year for each question), among those public that
    morning.
    """
    deciding = facts[[by, "period", "known_on"]]
    newest = latest_known(questions, deciding, by, order="period")["period"].astype("float64")
    wanted = questions[[by, "as_of"]].assign(
        limit=np.minimum(until.astype("float64"), newest), question=range(len(questions))
    )
    past = deciding.assign(place=range(len(facts)))
    if (asked := _asked_by(questions[by], facts[by])) is not None:
        period = past["period"].to_numpy(dtype=float, na_value=np.nan)
        open_ = (asked >= 0) & (period <= wanted["limit"].to_numpy()[asked])
        last = np.full(len(questions), -np.inf)
        np.maximum.at(last, asked[open_], period[open_])
        past = past[open_ & (period == last[asked])]
    past = past.sort_values("known_on", kind="stable").drop_duplicates([by, "period"])
    result = pd.merge_asof(
        wanted.dropna(subset=["limit"]).sort_values("limit", kind="stable"),
        past.assign(limit=past["period"].astype("float64")).sort_values("limit", kind="stable"),
        on="limit",
        by=by,
    )
    places = result["place"].where(known_by(result["known_on"], result["as_of"])).set_axis(result["question"])
    return _at(places.reindex(range(len(questions))), facts, by, questions.index)


def every_known(questions: pd.DataFrame, facts: pd.DataFrame, by: str = "lineage") -> pd.DataFrame:
    """Every fact public before each question's morning: a row for each pair, with `question`, the question's
    place.
    """
    asked = questions[[by, "as_of"]].assign(question=range(len(questions)))
    pairs = asked.merge(facts, on=by, how="inner", validate="many_to_many")
    pairs = pairs[known_by(pairs["known_on"], pairs["as_of"])]
    return _details_known(pairs, pairs["as_of"])


def covered_until(lineages: pd.Series, days: pd.Series, coverage: pd.DataFrame) -> pd.Series:
    """The last day of the covered stretch that each school's day lies in; blank where none does.

    A stretch of lineage 0 holds for every school, any other for its own alone.
    """
    until = pd.Series(pd.NaT, index=days.index, dtype=DATE)
    for stretch in coverage[coverage["lineage"].eq(0)].itertuples():
        until = until.mask(days.between(stretch.from_on, stretch.to_on), stretch.to_on)
    asked = pd.DataFrame({"lineage": lineages.to_numpy(), "day": days.to_numpy(), "place": range(len(days))})
    own = asked.merge(coverage[coverage["lineage"].ne(0)], on="lineage")
    own = own[own["day"].between(own["from_on"], own["to_on"])].groupby("place")["to_on"].max()
    own = own.reindex(range(len(days))).set_axis(days.index).astype(DATE)
    return until.where(until.ge(own) | own.isna(), own)


@dataclass(frozen=True)
class Fold:
    """A morning to ask from, and the last day of the inspections it is judged on."""

    morning: pd.Timestamp
    until: pd.Timestamp

    @property
    def name(self) -> str:
        """The academic year, as 2021/22."""
        return f"{self.morning.year}/{(self.morning.year + 1) % 100:02d}"

    def unseen(self, examples: pd.DataFrame) -> pd.Series:
        """Which examples this fold is judged on: asked that morning, inspected in its year."""
        return examples["as_of"].eq(self.morning) & examples["next_inspected_on"].between(
            self.morning, self.until
        )

    def asked_before(self, examples: pd.DataFrame) -> pd.Series:
        """Which examples ask from an earlier morning."""
        return examples["as_of"] < self.morning

    def learned(self, examples: pd.DataFrame) -> pd.Series:
        """Which examples the fold's model may learn from: the embargo is that their outcome was public
        before.

        Like the examples a fold is judged on, they were inspected within a year of being asked about.
        """
        known = known_by(examples["next_known_on"], self.morning) & self.asked_before(examples)
        return known & within_a_year(examples)


def folds(mornings: list[pd.Timestamp]) -> list[Fold]:
    """A fold for each 1 September among the mornings, judged on the academic year that begins that day."""
    return [
        Fold(morning, morning + pd.DateOffset(years=1) - pd.Timedelta(days=1))
        for morning in mornings
        if (morning.month, morning.day) == (9, 1)
    ]


def with_hindsight(mornings: list[str], as_of: str) -> list[str]:
    """Those mornings, as 2021-09-01, that a model which learned until `as_of` can't forecast: it may know
    what came after.
    """
    return [morning for morning in mornings if morning < as_of]


def is_before(days: pd.Series, mornings: pd.Series | pd.Timestamp) -> pd.Series:
    """Whether each day lies before its morning; a blank day doesn't."""
    return (days < mornings).fillna(False).astype(bool)


def newest(facts: pd.DataFrame, order: str) -> pd.DataFrame:
    """The newest fact of each lineage among those given."""
    return facts.sort_values(order, kind="stable").drop_duplicates("lineage", keep="last")


def years_before(
    mornings: pd.Series, days: pd.Series, without: Iterable[tuple[pd.Timestamp, pd.Timestamp]] = ()
) -> pd.Series:
    """Years from each day to its morning, less the stretches that don't count; blank for a blank day."""
    span = mornings - days
    for start, end in without:
        lost = mornings.clip(upper=end) - days.clip(lower=start)
        span = span - lost.clip(lower=pd.Timedelta(0))
    return span.dt.days / 365.25


def within_years(mornings: pd.Series, days: pd.Series, years: float) -> pd.Series:
    """Whether each day lies no more than so many years before its morning; a blank day doesn't."""
    return years_before(mornings, days) <= years


def period_within(mornings: pd.Series, periods: pd.Series, years: int) -> pd.Series:
    """Whether each period (the year an academic year ends in) is no more than so many years older than its
    morning's year.
    """
    return mornings.dt.year - periods <= years


def within_a_year(examples: pd.DataFrame) -> pd.Series:
    """Which examples were inspected within a year of being asked about."""
    return is_before(examples["next_inspected_on"], examples["as_of"] + pd.DateOffset(years=1))
