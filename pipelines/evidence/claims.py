"""The claims the project comes from, tested: raw, then among schools that are alike, then beside all else
known.

A school's present grade decides most of what can come next, and every signal here goes with the grade. So a
raw ratio is never given without the one among schools of the same grade, phase and academic year, with its
interval and numbers. What comes out is association: nothing here says that changing a signal would change a
grade.

Methods. Pooled odds and risk ratios: Mantel and Haenszel (1959, J Natl Cancer Inst 22:719). Interval of the
odds ratio: Robins, Breslow and Greenland (1986, Biometrics 42:311); of the risk ratio: Greenland and Robins
(1985, Biometrics 41:55); raw: Katz and others (1978, Biometrics 34:469); each of them by lineage, where that
is wider (infinitesimal jackknife: Jaeckel 1972). Homogeneity across strata: Breslow and Day (1980) with
Tarone's correction (1985, Biometrika 72:91); across grades: Cochran's Q (1954). Shares: Wilson (1927), by
lineage. Beside all else: cross-fitting on residuals (Chernozhukov and others 2018, Econometrics J 21:C1; Liu,
Zhang and Cai 2021, Econometrics J 24:559). Allowing for how many claims are tested: Bonferroni.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from headway.pipelines import intervals, signals
from headway.pipelines.frameworks import GRADES
from headway.pipelines.inspections import AT_THE_TOP
from headway.pipelines.tables import SOURCES

Z95 = 1.959964
STRATA = ("overall", "phase", "year")
ALL = "all"
TOO_FEW = 20  # schools on either side; below it a share moves by five points with a single school
FOLDS = 4  # parts for cross-fitting, whole lineages each
SHRINK = 0.1  # scikit-learn's C on standardised signals: enough to fit, too little to follow a few schools


@dataclass(frozen=True)
class Claim:
    """A claim the project comes from: who said what, the signal that carries it, and what to do where nothing
    carries it.

    `higher` says whether the claim expects schools with more of the signal to improve more often. `size` is
    the size claimed, as a risk ratio of schools as they come. `akin` are the signals made from the same
    facts, left out of "everything else". `tied` is a signal that goes with this one by how both are made,
    such as how much better judgements are than overall: before a claim is called the other way round, schools
    are compared that are alike in it too.
    """

    id: str
    statement: str
    source: str
    exposed: str
    unexposed: str
    signal: str
    higher: bool = True
    size: float | None = None
    akin: tuple[str, ...] = ()
    caution: str = ""
    would_take: str = ""
    tied: str = ""


_MEDIAN = "the median of its phase and year"
_REGISTER = "A register kept by schools or trusts themselves (`headway register template`) over several years"
_POSTS = "The school-level posts of the school workforce census, from years before the inspections. "
_TRUSTS = "Yearly lists of which school belonged to which trust, from before the inspections."
_FORUM = "Forum Strategy, 2019; no figure"
_TRUST_SIGNALS = ("trust_stock", "trust_record", "trust_spread", "trust_size", "trust_growth")
CLAIMS = (
    Claim(
        "leadership_gap",
        "Schools whose leadership is graded above their overall effectiveness are ten times as likely to "
        "improve at "
        "their next inspection as those graded below it.",
        "EPI analysis for Ambition School Leadership, November 2016; its counts were never published",
        "leadership graded better than overall",
        "leadership not graded better",
        "leadership_gap",
        size=10.0,
        akin=("judgement_spread",),
        would_take=(
            "Inspections with both an overall and a leadership grade, and the ones that followed them."
        ),
    ),
    Claim(
        "middle_leaders",
        "Once heads start developing their middle leaders, they are making real progress.",
        "Teaching Leaders: one-twelfth of a grade; no figure for schools",
        f"assistant heads per teacher above {_MEDIAN}",
        "at or below it",
        "assistant_heads_per_teacher",
        akin=("deputies_and_assistants_per_head", "share_leaders", "assistant_heads_change", "next_in_line"),
        caution="Posts measure structure, not development: no public file says who was developed.",
        would_take=f"{_POSTS}{_REGISTER}, for who was developed and when.",
    ),
    Claim(
        "development",
        "Schools that put more of their middle leaders through a development programme improve more often.",
        "Teaching Leaders: one-twelfth of a grade; no figure for schools",
        f"share of middle leaders in a programme above {_MEDIAN}",
        "at or below it",
        "share_in_programme",
        akin=(
            "middle_leaders_per_teacher",
            "senior_programmes_per_teacher",
            "share_finished_stayed",
            "share_promoted_inside",
        ),
        caution="Told by schools and trusts that keep a register, who are not all schools.",
        would_take=f"{_REGISTER}, kept for years before the inspections.",
    ),
    Claim(
        "retention",
        "A spine of leadership creates a climate which retains staff, and such schools improve.",
        "Teaching Leaders: 86% of participants stayed in teaching, 77% of similar teachers",
        f"share of teachers who stayed above {_MEDIAN}",
        "at or below it",
        "share_stayed",
        akin=(
            "share_moved",
            "share_left",
            "stayed_trend",
            "stayed_before_inspection",
            "stayed_since_inspection",
            "stayed_by_register",
            "net_staff_change",
        ),
        caution="A grade itself moves staff: some of a low share may have followed from the grade before.",
        would_take="The school-level file teacher_turnover_2010_YYYY_sch.csv, published each June, in "
        "data/raw for "
        "years before the inspections.",
    ),
    Claim(
        "pipeline",
        "Schools that bring more people into senior roles have the leaders to improve.",
        "Future Leaders: 41% of participants in senior roles before, 71.8% after",
        f"change in assistant heads per teacher above {_MEDIAN}",
        "at or below it",
        "assistant_heads_change",
        akin=(
            "assistant_heads_per_teacher",
            "deputies_and_assistants_per_head",
            "share_leaders",
            "next_in_line",
        ),
        caution="A count of posts does not say who filled them or where they came from.",
        would_take=f"{_POSTS}{_REGISTER}, for who moved into them.",
    ),
    Claim(
        "head_change",
        "A new head goes with a better grade next time.",
        "Zuccollo and others, EPI 2023: a head's effects take years",
        "the head changed in the last 1,000 days",
        "the same head",
        "head_changed",
        caution="Published for academies alone, and a new head can also put off the inspection.",
        would_take="Extracts that show the head of a school at two dates before its inspection.",
    ),
    Claim(
        "consistency",
        "Most variation in outcomes lies inside schools: a consistent one is better placed to improve.",
        "88% of variation in pupil outcomes is within schools",
        f"judgements further apart than {_MEDIAN}",
        "no further apart",
        "judgement_spread",
        higher=False,
        akin=("leadership_gap", "quality_gap", "behaviour_gap", "development_gap", "mean_gap"),
        caution=(
            "Judgements mostly lie apart because one is better than overall: their spread is also room "
            "to rise."
        ),
        tied="mean_gap",
        would_take="Inspections with their separate judgements.",
    ),
    Claim(
        "trust_record",
        "Trusts with a model of improvement improve schools again and again.",
        _FORUM,
        f"the trust's earlier record above {_MEDIAN}",
        "at or below it",
        "trust_record",
        akin=_TRUST_SIGNALS,
        would_take=_TRUSTS,
    ),
    Claim(
        "trust_spread",
        "A coherent trust, whose schools do not lie far apart, improves them.",
        _FORUM,
        f"grades of the trust's schools further apart than {_MEDIAN}",
        "no further apart",
        "trust_spread",
        higher=False,
        akin=_TRUST_SIGNALS,
        would_take=_TRUSTS,
    ),
    Claim(
        "trust_growth",
        "Trusts that grow without a model of improvement lose coherence, and their schools suffer.",
        _FORUM,
        f"the trust's growth above {_MEDIAN}",
        "at or below it",
        "trust_growth",
        higher=False,
        akin=_TRUST_SIGNALS,
        caution="Growth is measured; whether there was a model of improvement is not.",
        would_take=_TRUSTS,
    ),
    Claim(
        "capacity",
        "There are too few leaders: schools with posts they cannot fill improve less often.",
        "Articles of 2016 to 2019; AQuA: 0.5% of staff advanced improvers, 5% improvement practitioners",
        f"share of posts vacant above {_MEDIAN}",
        "at or below it",
        "share_vacant",
        higher=False,
        akin=("share_temporarily_filled",),
        would_take="The school-level vacancies of the school workforce census, from years before the "
        "inspections. "
        f"{_REGISTER}, for improvement leaders and practitioners among the staff.",
    ),
    Claim(
        "improvement_leaders",
        "Heads gain by improving other schools and by peer review.",
        _FORUM,
        "the head has led the improvement of another school",
        "the head has not",
        "head_improved_another_school",
        akin=("peer_reviews", "leaders_supporting_others"),
        caution="Told by schools and trusts that keep a register, who are not all schools.",
        would_take=f"{_REGISTER}: improvement led elsewhere, and peer reviews taken part in.",
    ),
    Claim(
        "disadvantage",
        "Pupils in poorer areas fall behind, and their schools find it harder to improve.",
        "Opportunity Areas: 20.1 and 17.9 months behind for persistently disadvantaged pupils",
        f"deprivation of its pupils above {_MEDIAN}",
        "at or below it",
        "deprivation_standing",
        higher=False,
        akin=("regional_deprivation_standing",),
        caution="It is the setting a school works in, nothing it can be blamed for.",
        would_take="The January census of pupils for years before the inspections.",
    ),
)


def evidence(
    examples: pd.DataFrame,
    backtest: pd.DataFrame | None,
    *,
    data_source: str,
    on_cards: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The content of evidence.json: each claim with its raw and adjusted figures, intervals, numbers and
    verdict.

    `examples` is the table of that name with its signals; `backtest` adds what the gap alone is worth as a
    plain rule; `on_cards` is `evidence_cards.asked_again`'s. Plain JSON values throughout: what cannot be
    computed is None, never NaN. The same inputs give the same content.
    """
    once = pairs(examples)
    tested = [_tested(claim, once) for claim in CLAIMS]
    if backtest is not None:
        tested[0]["prediction"] = _as_a_rule(backtest)
    known = once["next_inspected_on"].max()
    tested_count = sum(claim["verdict"] not in (CANNOT, FEW) for claim in tested)
    return {
        "data_source": data_source,
        "newest_outcome_on": None if pd.isna(known) else str(known.date()),
        "counts": {
            "examples": len(examples),
            "labelled": int(examples["label"].notna().sum()),
            "pairs": len(once),
            "schools": int(once["lineage"].nunique()),
            "labels": {
                source: count for source in SOURCES if (count := int(once["label_source"].eq(source).sum()))
            },
        },
        "notes": [
            (
                "Each pair of inspections counts once, as the school was on the earliest morning that asked "
                "about it."
            ),
            "A school can give more than one pair: every interval counts it once (clustered by school); "
            "pooled ratios are "
            "also repeated with one pair a school.",
            "Labels from published grades, from the declared rule (derived) and from report cards "
            "(crosswalk) have a "
            "line each beside the whole.",
            f"{tested_count} of {len(CLAIMS)} claims could be tested. Of twenty empty claims, chance alone "
            "puts 1 "
            "outside the 95% interval of one. A ratio whose interval only just leaves 1 out is called "
            "borderline.",
            (
                "These are associations among schools inspected again; they do not say what a change would "
                "bring."
            ),
        ],
        "claims": tested,
        "report_cards": on_cards,
    }


def pairs(examples: pd.DataFrame, pairing: str = "earliest") -> pd.DataFrame:
    """The labelled examples, each pair of inspections once: as the school was on the earliest morning that
    asked.

    Or on the `newest`, or as often as a morning asked (`each`). Adds `improved` and `year`, the academic year
    of the next inspection (as 2021/22). A blank phase becomes a stratum of its own.
    """
    labelled = examples[examples["label"].notna()].sort_values(["as_of", "urn"], kind="stable")
    once = labelled.reset_index(drop=True)
    if pairing != "each":
        keep = {"earliest": "first", "newest": "last"}[pairing]
        once = labelled.drop_duplicates(["lineage", "next_inspected_on"], keep=keep).reset_index(drop=True)
    begins = once["next_inspected_on"].dt.year - once["next_inspected_on"].dt.month.lt(9)
    year = (
        begins.astype("Int64").astype("str")
        + "/"
        + ((begins + 1) % 100).astype("Int64").astype("str").str.zfill(2)
    )
    return once.assign(
        improved=once["label"].eq("improved"),
        year=year,
        phase=once["phase"].fillna("not known"),
        overall=once["overall"].astype("int64"),
    )


# --- two groups ---------------------------------------------------------------------------------------------


def _ratio(log: float, error: float) -> dict[str, float] | None:
    """A ratio with its 95% interval, from its logarithm and standard error; None where either can't be
    had.
    """
    if not (math.isfinite(log) and math.isfinite(error) and error > 0):
        return None
    return {
        "estimate": math.exp(log),
        "low": math.exp(log - Z95 * error),
        "high": math.exp(log + Z95 * error),
    }


def _group(improved: np.ndarray, lineage: np.ndarray) -> dict[str, Any]:
    if not len(improved):
        return {"n": 0, "improved": 0, "share": None, "low": None, "high": None}
    share, low, high = intervals.share(improved.astype(float), lineage)
    return {"n": len(improved), "improved": int(improved.sum()), "share": share, "low": low, "high": high}


def _larger_error(variance: float, moved: np.ndarray, school: np.ndarray | None) -> float:
    """The standard error of a logarithm each row moves by so much, by lineage; or the usual one, where that
    is larger.

    A school that comes again counts once. The usual one stays where strata of a few schools tell too little
    of their spread.
    """
    usual = math.sqrt(max(variance, 0))
    return usual if school is None else float(np.fmax(usual, intervals.standard_error(moved, school)))


def compared(improved: pd.Series, exposed: pd.Series, lineage: pd.Series | None = None) -> dict[str, Any]:
    """Two groups side by side: numbers, shares and the raw ratios, each with its interval, by lineage where
    that is given.

    A ratio with an empty cell under it is None: nothing is added to make one up.
    """
    school = None if lineage is None else pd.factorize(lineage)[0]
    each = np.arange(len(improved)) if school is None else school
    y, x = improved.to_numpy(dtype=bool), exposed.to_numpy(dtype=bool)
    a, b = int((improved & exposed).sum()), int((~improved & exposed).sum())
    c, d = int((improved & ~exposed).sum()), int((~improved & ~exposed).sum())
    risk = odds = None
    if a and c:
        variance = 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)
        moved = np.where(x, y / a - 1 / (a + b), 1 / (c + d) - y / c)
        risk = _ratio(math.log(a * (c + d) / (c * (a + b))), _larger_error(variance, moved, school))
    if a and b and c and d:
        moved = np.where(x, np.where(y, 1 / a, -1 / b), np.where(y, -1 / c, 1 / d))
        odds = _ratio(math.log(a * d / (b * c)), _larger_error(1 / a + 1 / b + 1 / c + 1 / d, moved, school))
    return {
        "exposed": _group(y[x], each[x]),
        "unexposed": _group(y[~x], each[~x]),
        "risk_ratio": risk,
        "odds_ratio": odds,
        "too_few": min(a + b, c + d) < TOO_FEW,
    }


def stratified(pairs: pd.DataFrame, exposed: pd.Series, by: tuple[str, ...] = STRATA) -> dict[str, Any]:
    """The odds and risk ratio of improving, pooled over strata by Mantel and Haenszel, with 95% intervals.

    `pairs` has `improved` and the columns of `by`, and `lineage` where intervals are to count a school once;
    `exposed` is true or false for each. A stratum informs the odds ratio where it has both groups and both
    outcomes, the risk ratio where it has both groups and someone improved: schools that all improve say that
    the risk ratio is 1 there, and nothing of the odds ratio. The strata left out are counted.

    `homogeneity` asks whether the strata could share one odds ratio (Breslow, Day and Tarone): a small p says
    not.
    """
    exposed = exposed.astype(bool)
    improved, lineage = pairs["improved"].astype(bool), pairs.get("lineage")
    code = pairs.groupby(list(by), sort=True, dropna=False).ngroup().to_numpy()
    cells = np.array(
        [
            np.bincount(code[(exposed == e) & (improved == i)], minlength=code.max(initial=-1) + 1)
            for e in (True, False)
            for i in (True, False)
        ],
        dtype=float,
    )
    both = (cells[:2].sum(0) > 0) & (cells[2:].sum(0) > 0)
    for_risk = both & (cells[0] + cells[2] > 0)
    for_odds = for_risk & (cells[1] + cells[3] > 0)
    rows = _Rows(
        code, exposed.to_numpy(), improved.to_numpy(), None if lineage is None else pd.factorize(lineage)[0]
    )
    result = compared(improved, exposed, lineage) | {
        "odds_ratio": None,
        "risk_ratio": _pooled_risk_ratio(cells, for_risk, rows),
        "homogeneity": None,
        "strata": {
            "all": cells.shape[1],
            "odds_ratio": int(for_odds.sum()),
            "risk_ratio": int(for_risk.sum()),
            "without_information": int((~for_odds).sum()),
        },
        "informative": {
            "exposed": int(cells[:2, for_odds].sum()),
            "unexposed": int(cells[2:, for_odds].sum()),
        },
    }
    if for_odds.any():
        result |= _pooled_odds_ratio(cells, for_odds, rows)
    return result


@dataclass(frozen=True)
class _Rows:
    """The rows beneath strata: each one's stratum, whether it has the signal, whether it improved, and its
    school.
    """

    code: np.ndarray
    exposed: np.ndarray
    improved: np.ndarray
    school: np.ndarray | None

    def moved(self, strata: np.ndarray, above: np.ndarray, below: np.ndarray) -> np.ndarray:
        """How far each row moves the logarithm of sum(above) / sum(below), over some strata.

        `above` and `below` are each stratum's share of a sum, and how it grows with a row of each cell: five
        rows, in the order of the cells. A stratum's share falls by itself over its number when a row is
        added, since it is per row.
        """
        cell = 2 * ~self.exposed + ~self.improved
        sums = [part[0, strata].sum() for part in (above, below)]
        each = [part[1 + cell, self.code] / total for part, total in zip((above, below), sums, strict=True)]
        return np.where(strata[self.code], each[0] - each[1], 0.0)


def _growth(share: np.ndarray, by_cell: list[np.ndarray], count: np.ndarray) -> np.ndarray:
    """A stratum's share of a sum, per row of the stratum, and what a row of each cell adds to it."""
    return np.vstack([share / count, *((own - share / count) / count for own in by_cell)])


def _pooled_odds_ratio(cells: np.ndarray, strata: np.ndarray, rows: _Rows) -> dict[str, Any]:
    from statsmodels.stats.contingency_tables import StratifiedTable

    a, b, c, d = cells
    count, nothing = cells.sum(axis=0), np.zeros_like(a)
    table = StratifiedTable([stratum.reshape(2, 2) for stratum in cells[:, strata].T])
    with np.errstate(all="ignore"):
        moved = rows.moved(
            strata,
            _growth(a * d, [d, nothing, nothing, a], count),
            _growth(b * c, [nothing, c, b, nothing], count),
        )
        usual = float(table.logodds_pooled_se)
        ratio = None
        if math.isfinite(usual) and np.isfinite(moved).all():
            ratio = _ratio(np.log(table.oddsratio_pooled), _larger_error(usual**2, moved, rows.school))
        result = {"odds_ratio": ratio}
        test = table.test_equal_odds(adjust=True) if strata.sum() > 1 and ratio else None
    if test and np.isfinite(test.pvalue):
        result["homogeneity"] = {
            "statistic": float(test.statistic),
            "df": int(strata.sum()) - 1,
            "p": float(test.pvalue),
        }
    return result


def _pooled_risk_ratio(cells: np.ndarray, strata: np.ndarray, rows: _Rows) -> dict[str, float] | None:
    """Mantel and Haenszel's risk ratio, by the interval of Greenland and Robins, which holds in sparse
    strata, or by lineage.
    """
    a, b, c, d = cells[:, strata]
    exposed, others, improved, n = a + b, c + d, a + c, a + b + c + d
    above, below = (a * others / n).sum(), (c * exposed / n).sum()
    if not (above and below):
        return None
    variance = ((improved * exposed * others - a * c * n) / n**2).sum() / (above * below)
    a, b, c, d = cells
    with np.errstate(all="ignore"):
        moved = rows.moved(
            strata,
            _growth(a * (c + d), [c + d, 0 * a, a, a], cells.sum(axis=0)),
            _growth(c * (a + b), [c, c, a + b, 0 * a], cells.sum(axis=0)),
        )
    return _ratio(math.log(above / below), _larger_error(variance, moved, rows.school))


def _error(ratio: dict[str, float]) -> float:
    """The standard error of a ratio's logarithm, back from its interval."""
    return math.log(ratio["high"] / ratio["low"]) / (2 * Z95)


def same_across(ratios: list[dict[str, float] | None]) -> dict[str, float] | None:
    """Whether pooled ratios could be one (Cochran's Q): each a logarithm, weighted by how exactly it is
    known.
    """
    held = [ratio for ratio in ratios if ratio]
    if len(held) < 2:
        return None
    logs = np.log([ratio["estimate"] for ratio in held])
    weights = np.array([_error(ratio) for ratio in held]) ** -2.0
    q = float((weights * (logs - (weights * logs).sum() / weights.sum()) ** 2).sum())
    return {"statistic": q, "df": len(held) - 1, "p": float(stats.chi2.sf(q, len(held) - 1))}


# --- one signal, beside strata or beside everything ---------------------------------------------------------


def within_strata(
    improved: pd.Series, signal: np.ndarray, strata: np.ndarray, lineage: pd.Series
) -> dict[str, float] | None:
    """The odds ratio for one unit of a signal: a logistic regression with an intercept for each stratum.

    Newton's steps with the intercepts profiled out, so a hundred strata cost no more than one. The interval
    is robust to schools that come twice (clustered by lineage). Strata in which all or none improved tell
    nothing and stay out.
    """
    y, x = improved.to_numpy(dtype=float), np.asarray(signal, dtype=float)
    codes = pd.factorize(strata)[0]
    rate = np.bincount(codes, y) / np.bincount(codes)
    keep = ((rate > 0) & (rate < 1))[codes]
    if not keep.any() or np.ptp(x[keep]) == 0:
        return None
    y, x, codes = y[keep], x[keep], pd.factorize(codes[keep])[0]
    intercept, slope = special.logit(np.bincount(codes, y) / np.bincount(codes)), 0.0
    for _ in range(50):
        p = special.expit(intercept[codes] + slope * x)
        weight = p * (1 - p)
        with np.errstate(all="ignore"):
            total, along = np.bincount(codes, weight), np.bincount(codes, weight * x)
            centred = x - (along / total)[codes]
            information = (weight * centred**2).sum()
            step = (centred * (y - p)).sum() / information
            intercept += (np.bincount(codes, y - p) - along * step) / total
        slope += step
        if abs(step) < 1e-10:
            break
    else:
        # the signal parts the improvers from the others, or never differs: there is no finite ratio
        return None
    scores = np.bincount(pd.factorize(lineage.to_numpy()[keep])[0], centred * (y - p))
    return _ratio(slope, math.sqrt((scores**2).sum()) / information)


def beside_everything(
    rows: pd.DataFrame, signal: pd.Series, without: tuple[str, ...]
) -> dict[str, Any] | None:
    """The odds ratio for one unit of a signal, given the stratum and every other signal known that morning.

    Two models that have not seen a school say what the rest expects of it: how likely it is to improve
    (logistic, shrunk), which becomes an offset, and how much of the signal it should have (least squares),
    which is taken off. A logistic regression then asks whether what is left of the signal tells anything
    more. Had the signal not been cleared of the rest, what it shares with the rest would count against it.
    Folds keep a lineage whole; the interval is clustered by lineage. `without` names the signals that are not
    part of the rest: the signal and its kin.
    """
    import statsmodels.api as sm
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import GroupKFold

    others = [
        name
        for name in signals.declared()
        if name in rows and name not in without and rows[name].nunique() > 1
    ]
    if rows["lineage"].nunique() < 10 * FOLDS or rows["improved"].nunique() < 2:
        return None
    values = rows[others].astype("float64")
    blank = values.isna().to_numpy()
    blank = blank[:, blank.any(axis=0)]
    blank = np.unique(blank, axis=1) if blank.size else blank
    scaled = ((values - values.mean()) / values.std()).fillna(0.0).to_numpy()
    strata = pd.get_dummies(rows.groupby(list(STRATA)).ngroup()).to_numpy()
    rest = np.hstack([scaled, blank, strata]).astype(float)
    y, x = rows["improved"].to_numpy(dtype=float), signal.to_numpy(dtype=float)
    offset, expected = np.zeros(len(rows)), np.zeros(len(rows))
    for learn, ask in GroupKFold(FOLDS).split(rest, groups=rows["lineage"]):
        if len(np.unique(y[learn])) < 2:
            return None
        model = LogisticRegression(C=SHRINK, solver="newton-cholesky").fit(rest[learn], y[learn])
        p = model.predict_proba(rest[learn])[:, 1]
        offset[ask] = model.decision_function(rest[ask])
        expected[ask] = (
            Ridge(1 / SHRINK).fit(rest[learn], x[learn], sample_weight=p * (1 - p)).predict(rest[ask])
        )
    left = x - expected
    fitted = sm.GLM(y, sm.add_constant(left), family=sm.families.Binomial(), offset=offset).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(rows["lineage"])[0]}
    )
    return {"odds_ratio": _ratio(fitted.params[1], fitted.bse[1]), "others": len(others), "n": len(rows)}


def _as_a_rule(backtest: pd.DataFrame) -> dict[str, Any] | None:
    """What the gap alone is worth in the backtest: Brier skill of its plain rule over the grade-and-phase
    rate.

    The interval is of the mean difference, clustered by lineage. None where the backtest lacks either rule.
    """
    asked = backtest[backtest["overall"].gt(1)]
    wide = asked[asked["model"].isin(["leadership_gap_rule", "base_rate_grade_phase"])].pivot_table(
        index=["fold", "lineage", "urn", "label"], columns="model", values="p_improve", observed=True
    )
    if wide.shape[1] < 2 or wide.dropna().empty:
        return None
    wide = wide.dropna().reset_index()
    y = wide["label"].eq("improved").astype(float)
    plain = (wide["base_rate_grade_phase"] - y) ** 2
    gain = plain - (wide["leadership_gap_rule"] - y) ** 2
    spread = (gain - gain.mean()).groupby(wide["lineage"]).sum()
    error = Z95 * math.sqrt((spread**2).sum()) / len(gain)
    skill, width = gain.mean() / plain.mean(), error / plain.mean()
    return {
        "what": "Brier skill of the rule over the rate by grade and phase",
        "n": len(wide),
        "estimate": float(skill),
        "low": float(skill - width),
        "high": float(skill + width),
    }


# --- the steps ----------------------------------------------------------------------------------------------


def _tested(claim: Claim, once: pd.DataFrame) -> dict[str, Any]:
    """One claim, tested on the pairs; or why it can't be, and what it would take."""
    about = {
        "id": claim.id,
        "statement": claim.statement,
        "source": claim.source,
        "signal": claim.signal,
        "exposed": claim.exposed,
        "unexposed": claim.unexposed,
        "size_claimed": claim.size,
        "expected": "more likely" if claim.higher else "less likely",
        "caution": claim.caution,
    }
    values = (
        once[claim.signal].astype("float64") if claim.signal in once else pd.Series(np.nan, index=once.index)
    )
    rows = once[values.notna()].reset_index(drop=True)
    values = values.dropna().reset_index(drop=True)
    blank = {
        "raw": None,
        "adjusted": None,
        "steps": [],
        "n": len(rows),
        "schools": int(rows["lineage"].nunique()),
    }
    if values.nunique() < 2:
        why = (
            "Neither the files read nor any register hold a figure for it on a school inspected again."
            if rows.empty
            else "Every school inspected again has the same figure."
        )
        return (
            about
            | blank
            | {
                "verdict": CANNOT,
                "verdict_words": f"Cannot be tested with these files. {why}",
                "cannot_test_because": why,
                "would_take": claim.would_take,
            }
        )
    yes_or_no, exposed = _yes_or_no(claim, values), exposure(claim, rows)
    steps = _steps(claim, rows[list(_NEEDED)], values, exposed)
    able = rows["overall"].gt(1)
    raw, adjusted = steps[0]["rows"][0], dict(steps[3]["rows"][0])
    unit, scale = ("having it", 1.0) if yes_or_no else ("one standard deviation", float(values[able].std()))
    measure = (exposed.astype(float) if yes_or_no else values / scale)[able]
    codes = rows.loc[able].groupby(list(STRATA)).ngroup().to_numpy()
    clustered = within_strata(
        rows.loc[able, "improved"], measure.to_numpy(), codes, rows.loc[able, "lineage"]
    )
    beside = beside_everything(rows[able], measure, (claim.signal, *claim.akin))
    by_grade = {
        line["what"].removesuffix(" alone"): line
        for line in steps[3]["rows"]
        if line["what"].endswith(" alone") and line["label_source"] == adjusted["label_source"]
    }
    adjusted |= {
        "homogeneity_across_grades": same_across([line["odds_ratio"] for line in by_grade.values()]),
        "by_grade": {grade: line["risk_ratio"] for grade, line in by_grade.items()},
        "unit": unit,
        "within_strata_clustered": clustered,
        "beside_everything": beside,
    }
    if claim.tied in rows:
        adjusted["alike_in_tied"] = _alike_too(rows[able], exposed[able], claim.tied)
    # A size is claimed of schools as they come, and held against the same comparison of them.
    as_claimed = next((line for line in steps[0]["rows"] if line["what"] == "better, against worse"), raw)
    verdict, words = judged(raw, adjusted, size=claim.size, higher=claim.higher, as_claimed=as_claimed)
    return (
        about
        | blank
        | {
            "raw": raw,
            "adjusted": adjusted,
            "steps": steps,
            "verdict": verdict,
            "verdict_words": words,
            "cannot_test_because": None,
            "would_take": None,
        }
    )


def _yes_or_no(claim: Claim, values: pd.Series) -> bool:
    return claim.signal == "leadership_gap" or bool(values.isin([0, 1]).all())


def exposure(claim: Claim, rows: pd.DataFrame) -> pd.Series:
    """Whether each pair has what the claim is about; `rows` have its signal.

    A level means another thing in a nursery than in a secondary, and drifts from year to year.
    """
    values = rows[claim.signal].astype("float64")
    usual = (
        0.0
        if _yes_or_no(claim, values)
        else values.groupby([rows["phase"], rows["year"]]).transform("median")
    )
    return values.gt(usual)


_NEEDED = (
    "lineage",
    "urn",
    "next_urn",
    "overall",
    "phase",
    "year",
    "next_framework",
    "next_inspected_on",
    "label_source",
    "improved",
)


def _alike_too(rows: pd.DataFrame, exposed: pd.Series, tied: str) -> dict[str, Any]:
    """The pooled ratios among schools alike in a tied signal too, in steps of a quarter of a grade, and what
    it is called.
    """
    step = (4 * rows[tied].astype("float64")).round()
    result = stratified(rows.assign(tied=step), exposed, (*STRATA, "tied"))
    what = signals.declared()[tied].sentence.rstrip(".")
    return {"what": what, "odds_ratio": result["odds_ratio"], "risk_ratio": result["risk_ratio"]}


def _apart(rows: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """All the pairs, then those of each source of labels, where there is more than one."""
    present = [source for source in SOURCES if rows["label_source"].eq(source).any()]
    yield (ALL if len(present) != 1 else present[0]), pd.Series(True, index=rows.index)
    if len(present) > 1:
        for source in present:
            yield source, rows["label_source"].eq(source)


def _table(
    rows: pd.DataFrame,
    exposed: pd.Series,
    chosen: pd.Series,
    what: str,
    ratios: Callable[..., dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """A line for the chosen pairs, and one for each source of their labels. `ratios` pools strata; raw
    without it.
    """
    result = []
    for source, mine in _apart(rows[chosen]):
        kept = rows[chosen][mine]
        having = exposed[kept.index]
        figures = ratios(kept, having) if ratios else compared(kept["improved"], having, kept["lineage"])
        result.append({"what": what, "label_source": source, **figures})
    return result


def _steps(claim: Claim, rows: pd.DataFrame, values: pd.Series, exposed: pd.Series) -> list[dict[str, Any]]:
    """The five steps from the raw figure to the one among schools alike: lines of figures, and more tables of
    them.
    """
    gap, everyone, able = (
        claim.signal == "leadership_gap",
        pd.Series(True, index=rows.index),
        rows["overall"].gt(1),
    )
    comparisons = [("better, against not better" if gap else "with, against without", everyone)]
    if gap:
        comparisons.append(("better, against worse", values.ne(0)))

    def lines(chosen: pd.Series, prefix: str = "") -> list[dict[str, Any]]:
        return [
            line
            for what, who in comparisons
            for line in _table(rows, exposed, chosen & who, f"{prefix}{what}")
        ]

    def pooled(chosen: pd.Series, what: str) -> list[dict[str, Any]]:
        return _table(rows, exposed, chosen & able, what, stratified)

    grades = {
        GRADES[grade]: rows["overall"].eq(grade) for grade in sorted(rows.loc[able, "overall"].unique())
    }
    by_phase = [
        line
        for grade, mine in grades.items()
        if gap
        for phase in sorted(rows.loc[mine, "phase"].unique())
        for line in _table(rows, exposed, mine & rows["phase"].eq(phase), f"{grade}, {phase}")
    ]
    moved = rows["next_urn"].notna() & rows["next_urn"].ne(rows["urn"])
    # The first among those that could improve: one pair a school, so that no school weighs in twice.
    first = ~rows[able].sort_values("next_inspected_on", kind="stable").duplicated("lineage")
    other = {
        "the same URN throughout": ~moved,
        "URN changed in between (mostly new academies)": moved,
        "one pair a school, its first": first.reindex(rows.index, fill_value=False),
    }
    over = {
        name: [
            line
            for value in sorted(rows.loc[able, name].dropna().unique())
            for line in pooled(rows[name].eq(value), str(value))
        ]
        for name in ("year", "next_framework")
    }
    return [
        {"id": "raw", "title": "All schools, as they come", "rows": lines(everyone), "more": []},
        {
            "id": "able",
            "title": f"Without {AT_THE_TOP} schools, which cannot improve",
            "rows": lines(able),
            "more": [],
        },
        {
            "id": "grades",
            "title": "Within each current grade",
            "rows": [line for grade, mine in grades.items() for line in lines(mine, f"{grade}: ")],
            "more": [{"title": "By grade and phase", "rows": by_phase}] if by_phase else [],
        },
        {
            "id": "pooled",
            "title": "Among schools of the same grade, phase and year, pooled",
            "rows": pooled(everyone, "same grade, phase and year")
            + [line for grade, mine in grades.items() for line in pooled(mine, f"{grade} alone")]
            + [
                line
                for what, chosen in other.items()
                if (chosen & able).any()
                for line in pooled(chosen, what)
            ],
            "more": [],
        },
        {
            "id": "years",
            "title": "Over the years, pooled over grade and phase",
            "rows": over["year"],
            "more": [{"title": "By the framework of the next inspection", "rows": over["next_framework"]}],
        },
    ]


# --- verdicts, by rule --------------------------------------------------------------------------------------

CANNOT, FEW, CHANCE, BORDERLINE = "cannot be tested", "too few schools", "could be chance", "borderline"
SMALLER, REAL, OPPOSITE = "real, but smaller", "real", "the other way round"
PARTS = {
    2: "half",
    3: "a third",
    4: "a quarter",
    5: "a fifth",
    6: "a sixth",
    7: "a seventh",
    8: "an eighth",
    9: "a ninth",
    10: "a tenth",
}
# standard errors from 1, once as many claims are tested
STRICTER = float(stats.norm.isf(0.025 / len(CLAIMS)))


def covers_one(ratio: dict[str, float]) -> bool:
    return ratio["low"] <= 1 <= ratio["high"]


def _said(ratio: dict[str, float]) -> str:
    return f"{ratio['estimate']:.2f} (95% interval {ratio['low']:.2f} to {ratio['high']:.2f})"


def judged(
    raw: dict[str, Any],
    adjusted: dict[str, Any],
    *,
    size: float | None,
    higher: bool,
    as_claimed: dict[str, Any] | None = None,
) -> tuple[str, str]:
    """A verdict and its words, from the figures alone.

    The pooled odds ratio decides, since its test holds in every stratum; the pooled risk ratio says how much.
    In order: too few schools on a side; the interval covers 1; it no longer leaves 1 out when the number of
    claims tested is allowed for; the ratio points away from the claim; it falls well short of the size
    claimed; the raw ratio is more than twice as far from 1 (in logarithms); as it stands. A size is compared
    by what it adds above no difference, and with schools as they come (`as_claimed`, else `raw`), as it was
    claimed.
    """
    odds, risk, sides = adjusted["odds_ratio"], adjusted["risk_ratio"], adjusted["informative"]
    if not odds or not risk or min(sides["exposed"], sides["unexposed"]) < TOO_FEW:
        return FEW, (
            f"Too few schools to say: {sides['exposed']} with and {sides['unexposed']} without, among "
            "schools "
            "of the same grade, phase and year."
        )
    alike = f"among schools of the same grade, phase and year, {_said(risk)} times as likely to improve"
    first, tells = raw["risk_ratio"], not covers_one(odds)
    expected = (odds["estimate"] > 1) == higher
    seen = (as_claimed or raw)["risk_ratio"]
    adds = seen["estimate"] - 1 if seen else 0.0
    times = (size - 1) / max(adds, 1e-6) if size and seen else 1.0  # how much more was claimed
    if not tells:
        verdict, words = CHANCE, f"No difference that could not be chance: {alike}."
    elif abs(math.log(odds["estimate"])) < STRICTER * _error(odds):
        verdict = BORDERLINE
        words = (
            f"Borderline{'' if expected else ', and the other way round'}: {alike}. With {len(CLAIMS)} "
            "claims "
            "to test, one could well come out so by chance."
        )
    elif not expected:
        verdict, words = _other_way_round(alike, adjusted.get("alike_in_tied"), higher)
    elif times >= 1.5:
        part = PARTS.get(round(times))
        verdict = SMALLER
        words = (
            f"Real, but {f'about {part}' if part else 'less than a tenth'} of the size claimed: as schools "
            "come, "
            f"{seen['estimate']:.2f} times as likely, which adds {100 * adds:.0f}% where {size:g} times "
            f"would add {100 * (size - 1):.0f}%; {alike}."
        )
    elif first and abs(math.log(first["estimate"])) > 2 * abs(math.log(risk["estimate"])):
        verdict, words = SMALLER, f"Real, but smaller than it looks: {alike}; raw, {first['estimate']:.2f}."
    else:
        verdict, words = REAL, f"Real: {alike}."
    if size and seen and verdict not in (FEW, CANNOT) and times < 1.5:
        words += (
            f" As schools come, {_said(seen)} times as likely, about the {size:g} times claimed; but that "
            "compares unlike "
            "schools, and some that cannot improve."
        )
    if first and not covers_one(first):
        if not tells:
            words += f" The raw ratio of {first['estimate']:.2f} is not seen among schools that are alike."
        elif (first["estimate"] > 1) != (odds["estimate"] > 1):
            words += (
                f" The raw ratio of {first['estimate']:.2f} points the other way: it compares unlike schools."
            )
    differs = adjusted.get("homogeneity_across_grades")
    if tells and differs and differs["p"] < 0.05:
        each = ", ".join(
            f"{grade} {ratio['estimate']:.2f}" for grade, ratio in adjusted["by_grade"].items() if ratio
        )
        words += f" It is not the same for every grade: {each}."
    rest = (adjusted.get("beside_everything") or {}).get("odds_ratio")
    if rest:
        left = (
            "what is left could be chance"
            if covers_one(rest)
            else "something is left"
            if (rest["estimate"] > 1) == (odds["estimate"] > 1)
            else "what is left points the other way"
        )
        words += (
            f" Beside all else known of a school, {left}: odds ratio for {adjusted['unit']} {_said(rest)}."
        )
    return verdict, words


def _other_way_round(alike: str, tied: dict[str, Any] | None, higher: bool) -> tuple[str, str]:
    """The verdict on a ratio that points away from the claim: that, where it also does among schools alike in
    what is tied.
    """
    words = f"The other way round from the claim: {alike}."
    if not tied:
        return OPPOSITE, words
    ratio, more = (
        tied["odds_ratio"],
        f"alike in what goes with it ({tied['what'][:1].lower()}{tied['what'][1:]})",
    )
    if not ratio:
        return FEW, f"Too few schools are also {more} to say; without that, {alike}."
    if covers_one(ratio):
        return CHANCE, (
            f"No difference that could not be chance, once schools are also {more}: odds ratio "
            f"{_said(ratio)}. "
            f"Without that, {alike}."
        )
    if (ratio["estimate"] > 1) == higher:
        return BORDERLINE, (
            f"It depends on what is allowed for: {alike}; among schools that are also {more}, as claimed, "
            "odds "
            f"ratio {_said(ratio)}."
        )
    return OPPOSITE, f"{words} So it is among schools that are also {more}: odds ratio {_said(ratio)}."
