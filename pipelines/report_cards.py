"""Report cards: the cards there are and what was known before each, the forecast learned from them, and every
school's next.

A card is asked about on the morning its inspection began, with what was public then. The forecast of grades
is where it starts (`models.standards`), and it knows no card; what cards teach is learned from those
published before the morning alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from headway.models.champion import Champion
from headway.models.conformal import spans
from headway.models.report_cards import AGES, LEADERSHIP, MONTH, VOLUNTEERS, Prior, ReportCards, card_column
from headway.models.standards import Standards, StandardSets
from headway.pipelines import as_of, evaluate, frameworks, inspections, remembered, signals, tables
from headway.pipelines.frameworks import AREAS, STANDARDS
from headway.pipelines.remembered import FORGETS, Memory

NAMES = tuple(AREAS)
COLUMNS = {
    rank: f"p_{word.lower().replace(' standard', '').replace(' improvement', '').replace(' ', '_')}"
    for word, rank in STANDARDS.items()
}
BELOW, STRONG = "p_below", "p_strong_or_better"
FEW_LIKE_IT = 20  # cards of its grade and phase learned from, below which we say there is not enough like it
# parts that the cards are dealt into, by lineage, to calibrate the sets on cards not learned from
CROSSED = 5
FEWEST_UNSAFE = 50  # cards with safeguarding standards not met, below which nothing of it is forecast
MOST_MONTHS = 6  # of the walk, the newest
OWN_CARD = [card_column(area) for area in NAMES]  # columns of a cohort: its own newest card


# --- what there is to learn from ----------------------------------------------------------------------------


def cards(known: dict[str, pd.DataFrame], morning: pd.Timestamp) -> pd.DataFrame:
    """The report cards public before a morning: urn, lineage, as_of (the day the inspection began), known_on,
    a column an area.

    The standards given at the inspection, not those given again at a monitoring visit.
    """
    rows = as_of.known_before(known["standards"], morning)
    rows = rows[rows["graded_on"].eq(rows["inspected_on"])]
    keys = ["urn", "lineage", "inspected_on"]
    wide = rows.pivot_table(index=keys, columns="area", values="standard", aggfunc="first").reindex(
        columns=NAMES
    )
    out = rows.groupby(keys)["known_on"].min()
    result = wide.join(out).reset_index().rename(columns={"inspected_on": "as_of"})
    result = result.astype({"as_of": tables.DATE, **dict.fromkeys(NAMES, "float64")})
    return result.sort_values(["as_of", "urn"], ignore_index=True)


def last_cards(questions: pd.DataFrame, given: pd.DataFrame) -> np.ndarray:
    """Each question's own newest card public that morning, rows x areas; blank where it has none."""
    if given.empty:
        return np.full((len(questions), len(NAMES)), np.nan)
    facts = given.rename(columns={"as_of": "inspected_on"}).drop(columns="urn")
    return as_of.latest_known(questions, facts, order="inspected_on")[list(NAMES)].to_numpy(dtype=float)


def graded_state(questions: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The cohort as its last inspection with an overall grade left it: a card doesn't hide the grade
    before.
    """
    graded = known["inspections"]
    graded = graded[graded["kind"].eq("graded") & graded["overall"].notna()]
    return inspections.cohort(questions, known["school_facts"], graded)


def memory(folder: Path, about: Mapping[str, Any]) -> Memory:
    """Where signals of schools with a card are kept, beside the tables they are made of."""
    return Memory(folder / remembered.FOLDER, f"{about['inputs']} {remembered.program()}")


def as_they_stood(
    given: pd.DataFrame, known: dict[str, pd.DataFrame], kept: Memory = FORGETS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The state and the signals of schools with a card, on the morning its inspection began."""
    then = graded_state(given[["urn", "lineage", "as_of"]], known)
    own = [known[name] for name in sorted(known) if name not in tables.TABLES]  # registers
    key = kept.key("as they stood", then, *own)
    made = kept.get(key)
    if made is None:
        made = {name: values.to_numpy() for name, values in signals.build(then, known).items()}
        kept.put(key, made)
    return then, pd.DataFrame(made, index=then.index)


def with_own_card(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The cohort with what its next card turns on beside grade and signals: the ages each school takes, its
    own newest card.
    """
    ages = (
        known["schools"]
        .drop_duplicates("urn")
        .set_index("urn")[list(AGES)]
        .reindex(cohort["urn"])
        .set_index(cohort.index)
    )
    own = np.full((len(cohort), len(NAMES)), np.nan)
    for morning in cohort["as_of"].unique():
        here = cohort["as_of"].eq(morning).to_numpy()
        own[here] = last_cards(cohort.loc[here, ["lineage", "as_of"]], cards(known, morning))
    return cohort.join([ages, pd.DataFrame(own, columns=OWN_CARD, index=cohort.index).astype("Int64")])


def has_card(cohort: pd.DataFrame) -> np.ndarray:
    """Which rows have a report card already."""
    return cohort.reindex(columns=OWN_CARD).notna().any(axis=1).to_numpy()


# --- learning -----------------------------------------------------------------------------------------------


def learn(
    champion: Champion,
    known: dict[str, pd.DataFrame],
    learned: pd.DataFrame,
    morning: pd.Timestamp,
    whole: bool = True,
    kept: Memory = FORGETS,
) -> tuple[ReportCards, pd.DataFrame, dict[str, Any]]:
    """The forecast of report cards as of a morning, from the cards public before it; the walk month by month;
    the report.

    `champion` holds the two models of grades; `learned` are the examples they learned from, which say what is
    usual. Unless `whole`, the sets of the walk are left out, which take most of its time.
    """
    given = cards(known, morning)
    start = Learner.of(champion, known, given, learned, kept)
    result, walked = start.fitted(given.index), start.walked(whole)
    report = {
        "cards": len(given),
        "weights": result.model.weights,
        "counts": start.counts(),
        "walk": [row for fold, rows in walked.groupby("fold") for row in figures(rows, fold)],
        "safeguarding": _safeguarding(known, morning),
    }
    return result, walked, report


class Learner:
    """The cards with what was known before each, fitted again and again on some of them."""

    def __init__(
        self,
        given: pd.DataFrame,
        empty: ReportCards,
        expected: np.ndarray,
        about: np.ndarray,
        state: pd.DataFrame,
        asked: np.ndarray,
    ) -> None:
        self.given, self.empty, self.expected, self.about = given, empty, expected, about
        self.state, self.asked = state, asked
        self.standards = given[list(NAMES)].to_numpy(dtype=float)
        self.circumstances, self.spreads = _circumstances(given)

    @classmethod
    def of(
        cls,
        champion: Champion,
        known: dict[str, pd.DataFrame],
        given: pd.DataFrame,
        learned: pd.DataFrame,
        kept: Memory = FORGETS,
    ) -> "Learner":
        before = {area: frameworks.JUDGED_2024_25[old] for area, old in frameworks.FORERUNNERS.items()}
        before |= {name: frameworks.JUDGED_2024_25[name] for name in ("overall", "leadership")}
        usual = champion.prior(learned[champion.signals], evaluate.state_of_all(learned)).place
        usual = np.nan_to_num(np.nanmean(usual, axis=0)) if len(learned) else np.zeros((2, 2))
        _, spreads = _circumstances(given)
        empty = ReportCards.empty(list(NAMES), before, learned[champion.signals], usual, spreads)
        cohort, made = as_they_stood(given, known, kept)
        state = evaluate.state_of_all(cohort.assign(leadership_gap=made["leadership_gap"]))
        expected, about = empty.expected(champion.prior(made[champion.signals], state), made, state)
        return cls(given, empty, expected, about, state, given[list(NAMES)].notna().to_numpy())

    def fitted(self, rows: pd.Index, trial: Standards | None = None, sets: bool = True) -> ReportCards:
        """Learned from some of the cards; the `sets` from parts of them in turn, those of a lineage
        together.
        """
        at = self.given.index.get_indexer(rows)
        like = (self.state["cell"] + "|" + self.state["group"]).iloc[at].value_counts()
        model = self._model(at, trial)
        spans_of = self._sets(at, model) if sets else StandardSets()
        return ReportCards(
            model, spans_of, self.empty.usual, {name: int(count) for name, count in like.items()}
        )

    def _model(self, at: np.ndarray, trial: Standards | None = None) -> Standards:
        blank = self.empty.model
        fresh = Standards(
            areas=blank.areas,
            levels=blank.levels,
            names=blank.names,
            mean=blank.mean,
            spread=blank.spread,
            direct=blank.direct,
            circumstances=self.spreads,
        )
        counted = self.given.iloc[at].groupby("lineage")["as_of"].transform("size").to_numpy(dtype=float)
        return fresh.fit(
            self.expected[at], self.about[at], self.standards[at], self.circumstances[at], 1 / counted, trial
        )

    def _sets(self, at: np.ndarray, model: Standards) -> StandardSets:
        part = self.given["lineage"].iloc[at].rank(method="dense").to_numpy(dtype=int) % CROSSED
        if len(at) < CROSSED * 4:
            # too few to deal out: the sets hold the promised chance, by the model's own word
            return StandardSets()
        chances = np.empty((len(at), len(NAMES), 5))
        # A future card's month is unknown, and no future card is a volunteer's: theirs are asked as what they
        # were.
        asked = np.where(np.arange(self.circumstances.shape[1]) == 0, self.circumstances, 0.0)
        for number in range(CROSSED):
            unseen = part == number
            here = at[unseen]
            chances[unseen] = self._model(at[~unseen], model).predict(
                self.expected[here], self.about[here], asked[here]
            )
        return StandardSets().fit(chances, self.standards[at])

    def judged(self, learned: np.ndarray, unseen: np.ndarray, sets: bool = True) -> pd.DataFrame:
        """What cards learned from say of others: a row a card and area (and `any`), with chances, set and
        what came.

        `rate` is the plain rule's word: how often it came out below expected among those learned from, by the
        grade before.
        """
        result = self.fitted(self.given.index[learned], self.empty.model, sets)
        chances = result.model.predict(self.expected[unseen], self.about[unseen])
        anywhere = result.model.any_below(chances, self.asked[unseen])
        rows = _judgements(
            self.given.iloc[unseen],
            self.state.iloc[unseen],
            self.standards[unseen],
            chances,
            anywhere,
            result.sets.members(chances),
        )
        if not sets:
            rows = rows.assign(covers=np.nan)
        return rows.assign(
            rate=by_grade(rows, self.rates(learned)),
            learned_from=len(learned),
            learned_until=self.given["known_on"].iloc[learned].max(),
        )

    def walked(self, sets: bool = True) -> pd.DataFrame:
        """Month by month (`fold`): learned from the cards published before its first day, judged on its
        inspections.
        """
        months = sorted(self.given["as_of"].dt.to_period("M").unique())[-MOST_MONTHS:]
        parts = []
        for month in months:
            first = month.start_time
            unseen = np.flatnonzero(self.given["as_of"].dt.to_period("M").eq(month).to_numpy())
            lineages = set(self.given["lineage"].iloc[unseen])
            public = as_of.is_before(self.given["known_on"], pd.Series(first, index=self.given.index))
            learned = np.flatnonzero((public & ~self.given["lineage"].isin(lineages)).to_numpy())
            parts.append(self.judged(learned, unseen, sets).assign(fold=f"{first:%Y-%m}"))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["fold"])

    def rates(self, learned: np.ndarray) -> dict[str, pd.Series]:
        """Of the cards learned from, the share below expected by the grade before, each leaning on all by
        five cards' worth.
        """
        below = pd.DataFrame(self.standards[learned] >= 4, columns=NAMES).where(self.asked[learned])
        below["any"] = (self.standards[learned] >= 4).any(axis=1)
        grade = self.state["overall"].iloc[learned].to_numpy()
        rates = {}
        for area in below:
            mean = below[area].astype("float64").mean()
            sums = below[area].astype("float64").groupby(grade).agg(["sum", "count"])
            rates[area] = ((sums["sum"] + 5 * mean) / (sums["count"] + 5)).reindex([1, 2, 3, 4]).fillna(mean)
        return rates

    def counts(self) -> list[dict[str, Any]]:
        """How often each area came out below expected, and strong or better."""
        return [
            {
                "area": area,
                "cards": int(given.sum()),
                "below": float((column[given] >= 4).mean()),
                "strong": float((column[given] <= 2).mean()),
            }
            for area, column in zip(NAMES, self.standards.T, strict=True)
            if (given := ~np.isnan(column)).any()
        ]


STEPS = (0, 50, 100, 200, 500, 1000, 2000, 5000)  # report cards learned from, along the curve


def learning_curve(
    learner: Learner, since: pd.Timestamp | None = None, sets: bool = True
) -> Iterator[tuple[int, pd.DataFrame]]:
    """How many of the first cards were learned from, and what they say of those inspected from a day on.

    `since` is that day, by default the newest month's first. No school judged is among those learned from;
    the last step is all earlier cards. A step's rows are `Learner.judged`'s.
    """
    given = learner.given
    since = since or given["as_of"].max().to_period("M").start_time
    late = ~as_of.is_before(given["as_of"], pd.Series(since, index=given.index)).to_numpy()
    unseen = np.flatnonzero(late)
    earlier = np.flatnonzero(~late & ~given["lineage"].isin(given["lineage"].iloc[unseen]).to_numpy())
    for many in [*(step for step in STEPS if step < len(earlier)), len(earlier)]:
        judged = learner.judged(earlier[:many], unseen, sets)
        if not many:  # the rate of those that came, for want of any before
            judged = judged.assign(rate=by_grade(judged, learner.rates(earlier)))
        yield many, judged


def _circumstances(given: pd.DataFrame) -> tuple[np.ndarray, dict[str, float]]:
    """In which circumstances each card came, rows x circumstances, and the spread of each: volunteers, and
    the month.
    """
    months = sorted(given["as_of"].dt.strftime("%Y-%m").unique())
    since = pd.Series(frameworks.VOLUNTEERS_UNTIL + pd.Timedelta(days=1), index=given.index)
    first = as_of.is_before(given["as_of"], since).to_numpy(dtype=float)
    columns = [
        first,
        *(given["as_of"].dt.strftime("%Y-%m").eq(month).to_numpy(dtype=float) for month in months),
    ]
    return np.column_stack(columns) if len(given) else np.zeros((0, 1 + len(months))), {
        "volunteers": VOLUNTEERS,
        **dict.fromkeys(months, MONTH),
    }


def _judgements(
    given: pd.DataFrame,
    state: pd.DataFrame,
    standards: np.ndarray,
    chances: np.ndarray,
    anywhere: np.ndarray,
    members: np.ndarray,
) -> pd.DataFrame:
    parts = []
    for at, area in enumerate(NAMES):
        came = standards[:, at]
        rows = given[["urn", "lineage", "as_of"]].assign(
            area=area,
            overall=state["overall"].to_numpy(),
            group=state["group"].to_numpy(),
            standard=came,
            p_below=chances[:, at, 3:].sum(axis=1),
            below=came >= 4,
            p_strong=chances[:, at, :2].sum(axis=1),
            strong=came <= 2,
            covers=members[np.arange(len(came)), at, np.nan_to_num(came, nan=1).astype(int) - 1],
        )
        parts.append(rows[~np.isnan(came)])
    whole = given[["urn", "lineage", "as_of"]].assign(
        area="any",
        overall=state["overall"].to_numpy(),
        group=state["group"].to_numpy(),
        p_below=anywhere,
        below=(standards >= 4).any(axis=1),
    )
    return pd.concat([*parts, whole], ignore_index=True)


def by_grade(judged: pd.DataFrame, rates: dict[str, pd.Series]) -> pd.Series:
    """What `Learner.rates` say of each row; a school without a grade has the mean of all grades'."""
    said = pd.Series(np.nan, index=judged.index)
    for area, mine in judged.groupby("area"):
        said[mine.index] = mine["overall"].map(rates[area]).fillna(rates[area].mean()).astype("float64")
    return said


def figures(judged: pd.DataFrame, fold: str) -> list[dict[str, Any]]:
    """How good chances of below expected were, area by area: order, skill over the rate by grade before,
    level, sets.
    """
    rows = []
    for area, mine in judged.groupby("area", sort=False):
        below = mine["below"].to_numpy(dtype=bool)
        error, plain = ((mine["p_below"] - below) ** 2).mean(), ((mine["rate"] - below) ** 2).mean()
        auc, low, high = evaluate.auc(mine["p_below"].to_numpy(), below, mine["lineage"].to_numpy())
        covered = mine["covers"].astype("float64").mean() if "covers" in mine else np.nan
        until = mine["learned_until"].iloc[0]  # the day the newest card learned from came out
        rows.append(
            {
                "fold": fold,
                "area": area,
                "n": len(mine),
                "learned_from": int(mine["learned_from"].iloc[0]),
                "learned_until": None if pd.isna(until) else f"{until:%Y-%m-%d}",
                "below": float(below.mean()),
                "mean_p": float(mine["p_below"].mean()),
                "auc": auc,
                "auc_low": low,
                "auc_high": high,
                "skill": float(1 - error / plain) if plain and plain == plain else None,
                "coverage": float(covered) if covered == covered else None,
            }
        )
    return rows


def _safeguarding(known: dict[str, pd.DataFrame], morning: pd.Timestamp) -> dict[str, Any]:
    rows = as_of.known_before(known["inspections"], morning)
    rows = rows[
        frameworks.gives(rows["framework"]).eq(frameworks.STANDARDS_BY_AREA) & rows["safeguarding"].notna()
    ]
    unmet = int(rows["safeguarding"].eq(False).sum())
    return {"cards": len(rows), "not_met": unmet, "enough": FEWEST_UNSAFE, "forecast": False}


# --- forecasts ----------------------------------------------------------------------------------------------


@dataclass
class Answers:
    """What the champion says of the next report card of each row of a cohort: arrays by row, area (and
    any).
    """

    prior: Prior
    chances: dict[str, np.ndarray]
    asked: np.ndarray
    like: np.ndarray
    families: list[str]
    why: dict[str, tuple[np.ndarray, np.ndarray]]

    @property
    def below(self) -> np.ndarray:
        """The chance of below expected, rows x areas and any."""
        return np.column_stack([self.chances["standards"][:, :, 3:].sum(axis=2), self.chances["any"]])


def answers(cohort: pd.DataFrame, made: pd.DataFrame, champion: Champion, details: bool = True) -> Answers:
    """The next card of each row, in the areas it will be judged in, given its own last card where the cohort
    has one.
    """
    state = evaluate.state_of_all(cohort.assign(leadership_gap=made["leadership_gap"]))
    asked = champion.cards.judged_in(cohort.assign(group=state["group"]))
    before = champion.cards.own_card(cohort)
    prior = champion.prior(made[champion.signals], state)
    chances = champion.cards.chances(prior, made, state, asked, before)
    families, why = (
        champion.cards.contributions(
            prior,
            champion.overall,
            champion.leadership,
            made[champion.signals],
            state,
            asked,
            before,
            champion.about["families"],
        )
        if details
        else ([], {})
    )
    like = (state["cell"].fillna("") + "|" + state["group"]).map(champion.cards.like).fillna(0).to_numpy()
    return Answers(prior, chances, asked, like, families, why)


def forecasts(cohort: pd.DataFrame, said: Answers, champion: Champion, data_source: str) -> pd.DataFrame:
    """The table: a row a school and area it will be judged in, and `any`."""
    shared = {
        "as_of": cohort["as_of"],
        "learned_from": champion.cards.model.cards,
        "model_version": champion.about["version"],
        "data_source": data_source,
        "enough_like_it": said.like >= FEW_LIKE_IT,
    }
    parts, below = [], said.below
    for at, area in enumerate((*NAMES, "any")):
        rows = pd.DataFrame(
            {
                "urn": cohort["urn"],
                "area": area,
                **shared,
                BELOW: below[:, at],
                "p_low": said.chances["low"][:, at],
                "p_high": said.chances["high"][:, at],
            }
        )
        if area != "any":
            chances = said.chances["standards"][:, at]
            rows = rows.assign(
                **{column: chances[:, rank - 1] for rank, column in COLUMNS.items()},
                **{STRONG: chances[:, :2].sum(axis=1)},
                standard_set=spans(said.chances["members"][:, at]),
            )
        if area in said.why:
            base, shares = said.why[area]
            rows = rows.assign(
                base_rate=base,
                **{f"contribution_{name}": shares[:, place] for place, name in enumerate(said.families)},
            )
        parts.append(rows if area == "any" else rows[said.asked[:, at]])
    return pd.concat(parts, ignore_index=True)


__all__ = [
    "AGES",
    "LEADERSHIP",
    "NAMES",
    "STEPS",
    "Answers",
    "Learner",
    "answers",
    "as_they_stood",
    "by_grade",
    "cards",
    "figures",
    "forecasts",
    "graded_state",
    "has_card",
    "last_cards",
    "learn",
    "learning_curve",
    "memory",
    "with_own_card",
]
