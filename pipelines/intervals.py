"""Intervals of 95%, one way for all: a lineage counts as one, however often it is asked about.

A school comes again from fold to fold, and what is special about it comes with it. So rows are summed by
lineage before their spread is taken, and the number of lineages gives Student's t its freedom. With a row
each it is the usual interval. Means and ratios of means: linearised, clustered (Cochran 1977, Sampling
Techniques). Shares: Wilson's, on the number of independent rows that would be as exact (Korn and Graubard
1998, Survey Methodology 24:193). Areas under the curve: DeLong's components, clustered (Obuchowski 1997,
Biometrics 53:567).
"""

import math

import numpy as np
import pandas as pd

Lineages = np.ndarray | pd.Series
Interval = tuple[float, float, float]  # the figure, low, high


def mean(values: np.ndarray, lineage: Lineages) -> Interval:
    """The mean of the rows."""
    figure = float(values.mean())
    return _around(figure, (values - figure) / len(values), lineage)


def mean_of_groups(values: np.ndarray, group: np.ndarray | pd.Series, lineage: Lineages) -> Interval:
    """The mean over groups of their rows' means: each group counts the same, however many its rows."""
    codes, names = pd.factorize(np.asarray(group))
    count = np.bincount(codes)
    means = np.bincount(codes, values) / count
    moved = (values - means[codes]) / count[codes] / len(names)
    return _around(float(means.mean()), moved, lineage)


def skill(error: np.ndarray, rule: np.ndarray, lineage: Lineages) -> Interval:
    """1 - mean(error) / mean(rule), on the same rows: the share of the rule's error taken away."""
    ratio = float(error.mean() / rule.mean())
    return _around(1 - ratio, (ratio * rule - error) / rule.sum(), lineage)


def share(happened: np.ndarray, lineage: Lineages) -> Interval:
    """The share of rows in which it happened; never below 0 or above 1.

    Where it happened always or never, the rows tell no more of that than lineages do: so many are counted.
    """
    figure, count = float(happened.mean()), len(np.unique(lineage))
    error = standard_error((happened - figure) / len(happened), lineage)
    rows = figure * (1 - figure) / error**2 if error > 0 else float(count)
    reach = _reach(max(count, 2))  # a school alone tells of no spread, and leaves nearly everything possible
    middle = (figure + reach**2 / (2 * rows)) / (1 + reach**2 / rows)
    half = reach / (1 + reach**2 / rows) * math.sqrt(figure * (1 - figure) / rows + reach**2 / (4 * rows**2))
    return figure, max(middle - half, 0.0), min(middle + half, 1.0)


def auc(p: np.ndarray, happened: np.ndarray, lineage: Lineages | None = None) -> Interval:
    """The area under the curve; blanks where a class has fewer than two rows. Without `lineage` each row is
    its own.
    """
    area, moved = _area(p, happened)
    figure, low, high = _around(area, moved, np.arange(len(p)) if lineage is None else lineage)
    return figure, max(low, 0.0), min(high, 1.0)


def mean_auc(
    p: np.ndarray,
    happened: np.ndarray,
    group: np.ndarray | pd.Series,
    lineage: Lineages,
    other: np.ndarray | None = None,
) -> Interval:
    """The mean over groups (folds) of the area under the curve, or of how far it exceeds that of `other`
    chances.

    A group in which a class has fewer than two rows is left out; blanks where that is every group.
    """
    codes, names = pd.factorize(np.asarray(group))
    areas, moved = [], np.zeros(len(p))
    for code in range(len(names)):
        here = codes == code
        area, mine = _area(p[here], happened[here])
        if other is not None:
            beside, theirs = _area(other[here], happened[here])
            area, mine = area - beside, mine - theirs
        if not math.isnan(area):
            areas.append(area)
            moved[here] = mine
    if not areas:
        return float("nan"), float("nan"), float("nan")
    return _around(float(np.mean(areas)), moved / len(areas), lineage)


def _area(p: np.ndarray, happened: np.ndarray) -> tuple[float, np.ndarray]:
    """The area under the curve and what each row moves it by; blank where a class has fewer than two rows."""
    from scipy.stats import rankdata

    yes, no = happened == 1, happened == 0
    moved = np.zeros(len(p))
    if min(yes.sum(), no.sum()) < 2:
        return float("nan"), moved
    ranks = rankdata(np.concatenate([p[yes], p[no]]))
    above = (ranks[: yes.sum()] - rankdata(p[yes])) / no.sum()
    below = 1 - (ranks[yes.sum() :] - rankdata(p[no])) / yes.sum()
    area = float(above.mean())
    moved[yes], moved[no] = (above - area) / yes.sum(), (below - area) / no.sum()
    return area, moved


def standard_error(moved: np.ndarray, lineage: Lineages) -> float:
    """The standard error of a figure that each row moves by so much: by lineage; blank for a single one."""
    codes = pd.factorize(np.asarray(lineage))[0]
    sums = np.bincount(codes, moved)
    return float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1))) if len(sums) > 1 else float("nan")


def _around(figure: float, moved: np.ndarray, lineage: Lineages) -> Interval:
    half = _reach(len(np.unique(np.asarray(lineage)))) * standard_error(moved, lineage)
    return figure, figure - half, figure + half


def _reach(lineages: int) -> float:
    """How many standard errors to either side."""
    from scipy import stats  # which scoring doesn't need, and is slow to load

    return float(stats.t.ppf(0.975, lineages - 1)) if lineages > 1 else float("nan")
