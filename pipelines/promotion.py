"""May the candidate be champion? Compared with the one that reigns and with the plain rules, on the same
unseen rows.

It may where it beats every plain rule, is calibrated, harms no group of schools, and, beside the champion, is
either better, or as good and simpler, or as good and learned from newer outcomes or more report cards: so a
monthly retraining of the same recipe takes the place of last month's. And its forecasts of report cards have
to beat the rate by the grade before, and be no worse than the champion's, over all and for any group of
schools. Every interval resamples schools (lineages) with all their rows, the two models' errors together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from headway.models import baselines, estimators
from headway.pipelines import evaluate

EQUAL = 0.01  # of the champion's Brier: a candidate whose interval lies above this much worse is as good
SLOPE_WITHIN = (0.8, 1.25)  # mean over folds: outside, its chances are too bold or too shy
GAP_WITHIN = 0.05  # mean over folds of how far the mean chance lies from the share that improved
HARM = 0.02  # of a group's Brier: worse by more than this, beyond chance, is harm
# judged month by month, below which forecasts of report cards neither speak for a candidate nor against it
FEWEST_CARDS = 200
TOO_GOOD_CARDS = 0.93  # AUC of an area below expected over all months; the honest ones come to .85
TOO_GOOD = {2: 0.90, 3: 0.76, 4: 0.97}  # mean AUC within a grade; no honest model of these signals comes near
BY = ("phase", "region", "idaci_quintile", "type_group", "size")
# of schools, for a 95% interval, and for the thin tails of forty groups' together
RESAMPLES, MANY = 2000, 5000
KEPT_OF_CARDS = ["fold", "urn", "lineage", "area", "p_below", "below"]
ANY = "any"
ALONE = ("leadership_and_governance", ANY)  # of report cards, the two questions that are also looked at alone
KEPT = [
    "fold",
    "urn",
    "lineage",
    "overall",
    "label",
    "p_improve",
    "p_grade_1",
    "p_grade_2",
    "p_grade_3",
    "p_grade_4",
]


@dataclass(frozen=True)
class Decision:
    """Whether to promote, every reason in words with its figures, and the rows of the comparison behind them.

    `leak` says that the candidate is too good to be true; such a one isn't promoted even by force.
    """

    promote: bool
    reasons: list[str]
    comparison: list[dict[str, Any]] = field(default_factory=list)
    leak: bool = False

    def allows(self, asked: str) -> bool:
        """Whether to promote where that was asked for `auto` (if it earned it), `never` or by `force`."""
        return self.promote if asked == "auto" else asked == "force" and not self.leak


def kept(backtest: pd.DataFrame) -> pd.DataFrame:
    """What is kept with a champion of its backtest, for later candidates to be compared with."""
    return backtest.loc[backtest["model"].eq("champion"), KEPT].reset_index(drop=True)


def kept_of_cards(walked: pd.DataFrame) -> pd.DataFrame | None:
    """The same of its forecasts of report cards month by month; None where there are none."""
    return walked[KEPT_OF_CARDS].reset_index(drop=True) if len(walked) else None


def decide(
    candidate: pd.DataFrame,
    champion: pd.DataFrame | None,
    schools: pd.DataFrame,
    about: Mapping[str, Any],
    reigning: Mapping[str, Any] | None = None,
    seed: int = 0,
    cards: tuple[pd.DataFrame | None, pd.DataFrame | None] = (None, None),
) -> Decision:
    """The decision on a candidate's backtest table, beside what was `kept` of the champion's (None: there is
    none).

    `about` and `reigning` are what is known about the two: `candidate` (the recipe), `signals`,
    `learned_until`, `report_cards` (how many it learned from), `data_source` and `version`. `schools` says
    what groups schools belong to. A label that was corrected since counts as it is now, for both. A champion
    that learned from another kind of files (official, made up) has no rows to be compared on. `cards` are the
    candidate's forecasts of report cards month by month, and what was kept of the champion's.
    """
    mine = candidate[candidate["model"].eq("champion") & candidate["overall"].gt(1)]
    against, leak = _too_good(mine)
    against += _calibration(mine)
    result: list[dict[str, Any]] = []
    for rule in [*baselines.RULES, evaluate.TWO_YEARS]:
        row = compare(paired(mine, candidate[candidate["model"].eq(rule)]), seed=seed)[0]
        result.append({"against": rule, **row})
        if row["gain_low"] <= 0:
            against.append(f"no better than the plain rule {rule}: {_words(row)}")
    best = min(result, key=lambda row: row["gain"])
    said = [f"better than every plain rule, the best of them {best['against']}: {_words(best)}"]
    beside = candidate[candidate["model"].eq(evaluate.BASE)]

    if reigning and reigning["data_source"] != about["data_source"]:
        words = (
            f"the champion learned from {reigning['data_source']} files and the candidate from "
            f"{about['data_source']}"
        )
        if reigning["data_source"] == "official":
            against.append(f"{words}, which can't take its place")
        else:
            said.append(f"{words}, so it was compared with the plain rules only")
    elif reigning and champion is None:
        said.append("the champion's backtest was not kept, so it was compared with the plain rules only")
    elif reigning:
        pairs = paired(mine, champion)
        if len(pairs) < evaluate.FEWEST_JUDGED:
            against.append(
                f"only {len(pairs):,} unseen rows are the champion's too; {evaluate.FEWEST_JUDGED} are "
                "needed to "
                "compare them"
            )
        else:
            beside = champion
            row = compare(pairs, seed=seed)[0]
            result.append({"against": "champion", "version": reigning["version"], **row})
            good, words = _beside(row, about, reigning)
            (said if good else against).append(
                f"{words} (compared on {len(pairs):,} of its {len(mine):,} rows and the champion's "
                f"{int(champion['overall'].gt(1).sum()):,})"
            )
    else:
        said.append("there is no champion yet")

    groups = harm(paired(mine, beside), schools, seed)
    versus = "champion" if beside is champion else evaluate.BASE
    result += [{"against": versus, **row} for row in groups]
    harmed = [
        f"{row['by']} {row['group']} fares worse than under {versus}: {_words(row)}"
        for row in groups
        if row["harmed"]
    ]
    said += [
        (
            f"to watch: {row['by']} {row['group']} looks worse than under {versus}, though one group in "
            "forty "
            "would by chance: "
        )
        + _words(row)
        for row in groups
        if row["gain_high_alone"] < 0
    ]
    same = reigning if reigning and reigning["data_source"] == about["data_source"] else None
    carded = on_cards(cards[0], cards[1] if same else None, schools, same, seed)
    against, said, result = against + harmed + carded.against, said + carded.said, result + carded.rows
    return Decision(not against, against or said, result, leak or carded.leak)


# --- report cards -------------------------------------------------------------------------------------------


@dataclass
class OnCards:
    """What forecasts of report cards say of a candidate: what speaks against it, what else there is to say,
    the comparisons.
    """

    against: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    leak: bool = False


def on_cards(
    mine: pd.DataFrame | None,
    champion: pd.DataFrame | None,
    schools: pd.DataFrame,
    reigning: Mapping[str, Any] | None,
    seed: int = 0,
) -> OnCards:
    """A candidate's forecasts of report cards beside the rate by the grade before, and the champion's, on the
    same cards.

    A card's error is the mean of its areas' squared errors, of below expected or not. Fewer than
    `FEWEST_CARDS` cards judge nothing.
    """
    told = OnCards()
    many = 0 if mine is None or mine.empty else len(mine[["fold", "urn"]].drop_duplicates())
    if many < FEWEST_CARDS:
        told.said.append(f"report cards: {many:,} judged, too few to judge by; {FEWEST_CARDS} are needed")
        return told
    for area, rows in mine.groupby("area"):
        auc = evaluate.auc(rows["p_below"].to_numpy(), rows["below"].to_numpy(dtype=bool))[0]
        if auc > TOO_GOOD_CARDS:
            told.leak = True
            told.against.append(
                f"report cards: too good to be true: AUC of {area} below expected is {auc:.3f}, over "
                f"{TOO_GOOD_CARDS}; look for a leak"
            )
    rated = mine[mine["rate"].notna()]
    _beside_on_cards(
        told, rated.assign(p_other=rated["rate"]), schools, "the rate by the grade before", seed, better=True
    )
    if reigning and champion is None:
        told.said.append(
            "report cards: the champion's forecasts were not kept, so they were compared with the rate only"
        )
    elif reigning:
        keys = ["fold", "urn", "area"]
        both = mine.merge(
            champion[[*keys, "p_below"]], on=keys, validate="one_to_one", suffixes=("", "_champion")
        )
        _beside_on_cards(
            told,
            both.rename(columns={"p_below_champion": "p_other"}),
            schools,
            f"the champion {reigning['version']}",
            seed,
        )
    return told


def _beside_on_cards(
    told: OnCards, both: pd.DataFrame, schools: pd.DataFrame, other: str, seed: int, better: bool = False
) -> None:
    """Add what comes of the comparison with another: over all areas, of two questions alone, and in every
    group of schools.

    Where it has to be `better` the interval of the gain must lie above nought; else it mustn't lie below.
    """
    below = both["below"].astype("float64")
    both = both.assign(error=(both["p_below"] - below) ** 2, other=(both["p_other"] - below) ** 2)
    whole = (
        both[both["area"].ne(ANY)]
        .groupby(["fold", "urn", "lineage"], as_index=False)[["error", "other"]]
        .mean()
    )
    if len(whole) < FEWEST_CARDS:
        told.said.append(
            f"report cards: {len(whole):,} to compare with {other}, too few to judge by; {FEWEST_CARDS} are "
            "needed"
        )
        return
    for what, pairs in (("all areas", whole), *((area, both[both["area"].eq(area)]) for area in ALONE)):
        row = compare(pairs, seed=seed)[0]
        told.rows.append({"about": "report cards", "against": other, "by": "area", "group": what, **row})
        bad = row["gain_low"] <= 0 if better and what == "all areas" else row["gain_high"] < 0
        how = (
            "better than"
            if row["gain_low"] > 0
            else "worse than"
            if row["gain_high"] < 0
            else "neither better nor worse than"
        )
        (told.against if bad else told.said).append(f"report cards, {what}: {how} {other}: {_words(row)}")
    if better:
        return
    groups = harm(whole, schools, seed)
    told.rows += [{"about": "report cards", "against": other, **row} for row in groups]
    told.against += [
        f"report cards: {row['by']} {row['group']} fares worse than under {other}: {_words(row)}"
        for row in groups
        if row["harmed"]
    ]


# --- the rules ----------------------------------------------------------------------------------------------


def _beside(
    row: Mapping[str, Any], about: Mapping[str, Any], reigning: Mapping[str, Any]
) -> tuple[bool, str]:
    """Whether a candidate may follow the champion, and why or why not."""
    words = f"the champion {reigning['version']}: {_words(row)}"
    if row["gain_low"] > 0:
        return True, f"better than {words}"
    if row["gain_low"] < -EQUAL:
        return False, f"not shown to be as good as {words}; as good means no more than {EQUAL:.0%} worse"
    if _plainness(about) < _plainness(reigning):
        return True, f"as good as, and simpler than, {words}"
    if str(about.get("learned_until", "")) > str(reigning.get("learned_until", "")):
        return (
            True,
            f"learned from newer outcomes (to {about['learned_until']}) than, and as good as, {words}",
        )
    carded = int(about.get("report_cards") or 0)
    if carded > int(reigning.get("report_cards") or 0):
        return True, f"learned from more report cards ({carded:,}) than, and as good as, {words}"
    return False, f"neither better nor simpler nor learned from newer outcomes than {words}"


def _plainness(about: Mapping[str, Any]) -> tuple[int, int]:
    """Where a recipe stands among the candidates, which are listed from the simplest, and how many signals it
    takes.
    """
    return list(estimators.CANDIDATES).index(about["candidate"]), len(about["signals"])


def _too_good(mine: pd.DataFrame) -> tuple[list[str], bool]:
    result = []
    for grade, limit in TOO_GOOD.items():
        folds = [
            evaluate.auc(rows["p_improve"].to_numpy(), rows["label"].eq("improved").to_numpy())[0]
            for _, rows in mine[mine["overall"].eq(grade)].groupby("fold")
        ]
        mean = float(pd.Series(folds, dtype="float64").mean())
        if mean > limit:
            result.append(
                f"too good to be true: mean AUC within grade {grade} is {mean:.3f}, over {limit}; look for "
                "a leak"
            )
    return result, bool(result)


def _calibration(mine: pd.DataFrame) -> list[str]:
    improved = mine["label"].eq("improved").astype(float)
    slope = float(
        np.mean(
            [
                evaluate.calibration(rows["p_improve"].to_numpy(), improved[rows.index].to_numpy())[0]
                for _, rows in mine.groupby("fold")
            ]
        )
    )
    gap = float((mine["p_improve"] - improved).groupby(mine["fold"]).mean().abs().mean())
    low, high = SLOPE_WITHIN
    result = (
        [] if low <= slope <= high else [f"mean calibration slope {slope:.2f} is outside {low} to {high}"]
    )
    if gap > GAP_WITHIN:
        result.append(f"the mean chance lies {gap:.3f} from the share that improved, over {GAP_WITHIN}")
    return result


def harm(pairs: pd.DataFrame, schools: pd.DataFrame, seed: int = 0) -> list[dict[str, Any]]:
    """The gain in every group of schools, and whether the group is harmed: worse by more than `HARM`, beyond
    chance.

    With forty groups, two would fall outside their 95% intervals by chance, so the interval is that of all of
    them together (Bonferroni). So harm to a small group can hide in its wide interval; a group whose own 95%
    interval (`gain_high_alone`) lies below nought is named among the reasons, as one to watch. Schools whose
    group isn't known are no group.
    """
    belongs = pairs[["urn"]].merge(evaluate.grouped(schools), on="urn", how="left", validate="many_to_one")
    groups = {
        (by, str(name)): belongs[by].eq(name).fillna(False).to_numpy(dtype=bool)
        for by in BY
        for name in sorted(belongs[by].dropna().unique())
        if name != "nan"
    }
    groups = {key: here for key, here in groups.items() if here.sum() >= evaluate.FEW}
    if not groups:
        return []
    rows = compare(pairs, list(groups.values()), 1 - 0.05 / len(groups), seed)
    return [
        {"by": by, "group": name, **row, "harmed": row["gain_high"] < -HARM}
        for (by, name), row in zip(groups, rows, strict=True)
    ]


# --- the comparison -----------------------------------------------------------------------------------------


def paired(mine: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The rows both have said something about, with the squared error of each."""
    pairs = mine[["fold", "urn", "lineage", "label", "p_improve"]].merge(
        other[["fold", "urn", "p_improve"]],
        on=["fold", "urn"],
        validate="one_to_one",
        suffixes=("", "_other"),
    )
    improved = pairs["label"].eq("improved").astype(float)
    return pairs.assign(
        error=(pairs["p_improve"] - improved) ** 2, other=(pairs["p_improve_other"] - improved) ** 2
    )


def compare(
    pairs: pd.DataFrame, groups: list[np.ndarray] | None = None, level: float = 0.95, seed: int = 0
) -> list[dict[str, Any]]:
    """How much lower the first Brier is than the other's, as a share, over all rows or each group of them,
    with intervals.

    The percentile bootstrap over lineages (Efron 1979): one drawing of schools serves all groups.
    """
    groups = [np.ones(len(pairs), dtype=bool)] if groups is None else groups
    school, names = pd.factorize(pairs["lineage"])
    sums = np.column_stack(
        [
            np.bincount(school, pairs[name].to_numpy() * here, len(names))
            for here in groups
            for name in ("error", "other")
        ]
    )
    rng = np.random.default_rng(seed)
    drawn = np.array(
        [
            np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names)) @ sums
            for _ in range(MANY if level > 0.95 else RESAMPLES)
        ]
    )
    with np.errstate(invalid="ignore"):  # a small group may not be drawn at all
        spread = 1 - drawn[:, ::2] / drawn[:, 1::2]
    low, high, alone = np.nanquantile(spread, [(1 - level) / 2, (1 + level) / 2, 0.975], axis=0)
    count = [int(here.sum()) for here in groups]
    error, other = (sums.sum(axis=0)[place::2] / count for place in (0, 1))
    return [
        {
            "n": count[at],
            "schools": int((np.bincount(school, here, len(names)) > 0).sum()),
            "brier": float(error[at]),
            "brier_other": float(other[at]),
            "gain": float(1 - error[at] / other[at]),
            "gain_low": float(low[at]),
            "gain_high": float(high[at]),
            "gain_high_alone": float(alone[at]),
        }
        for at, here in enumerate(groups)
    ]


def _words(row: Mapping[str, Any]) -> str:
    return (
        f"Brier {row['brier']:.4f} against {row['brier_other']:.4f} on {row['n']:,} rows, a gain of "
        f"{row['gain']:+.1%} "
        f"({row['gain_low']:+.1%} to {row['gain_high']:+.1%})"
    )
