"""A file against the two nearest files of its kind: counts, schools left out, blanks, levels, and school by
school.
"""

import warnings
from collections import defaultdict

import numpy as np
import pandas as pd

from headway.pipelines import sources
from headway.pipelines.ingest.expectations.checks import Checks, allowance
from headway.pipelines.ingest.expectations.parts import FEWEST, VISITS, Part, correlations, going_together

PLACES = ("phase", "region", "local_authority", "la_code")
# Columns of groups, and the share of rows that may differ in theirs; nothing is twice the share for grades.
GROUPED = {
    "phase": 0.06,
    "region": 0.05,
    "overall": 0.0,
    "leadership": 0.0,
    "quality_of_education": 0.0,
    "teaching": 0.0,
    "record_type": 0.0,
    "link_type": 0.0,
}
# Words that files word differently, or that change as schools do.
LOOSE = (
    "trust_uid",
    "trust_name",
    "status",
    "record_type",
    "school_kind",
    "religion",
    "faith",
    "inspection_number",
    "has_sixth_form",
    "admissions",
    "school_phase",
    "linked_name",
)
SAME_YEAR = 0.75  # years between two files that may hold the same figures
# A measure's agreement school by school falls as years pass, by this share a year.
FADES = 0.85


def kinds(parts: list[Part]) -> dict[str, list[Part]]:
    """The parts by what they are, as they are compared: in order of their names."""
    held: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        held[part.kind].append(part)
    return dict(sorted(held.items()))


def against(kind: str, held: dict[str, list[Part]]) -> list[Part]:
    """The parts that parts of a kind are compared with: one another, or of a later file's columns of earlier
    years, those years' own.
    """
    return held.get(kind.removeprefix("earlier "), [])


def check(kind: str, held: dict[str, list[Part]], checks: Checks) -> None:
    """All comparisons of the parts of one kind."""
    if kind.startswith("earlier "):
        _repeated(held[kind], against(kind, held), checks)
        return
    mine = held[kind]
    compared = {id(part): [_Pair(part, other) for other in _nearest(part, mine)] for part in mine}
    usual = _usual([pair for pairs in compared.values() for pair in pairs])
    for part in mine:
        pairs = compared[id(part)]
        if never := sources.NO_RESULTS.get(kind):
            checks.add("year", part.file, f"{kind}: years without any", float(part.on in never), None, 0)
        _alone(part, checks)
        if not pairs:
            checks.alone.setdefault(part.file, []).append(kind)
            continue
        expected = sources.EXPECTED.get(kind.split(" ")[0].strip(","), sources.Expected())
        _rows(pairs, expected, checks)
        _groups(pairs, checks)
        _columns(pairs, expected, checks)
        _shares(pairs, checks)
        _members(pairs, checks)
        if len(part.rows) >= FEWEST:
            _schools(pairs, usual, expected, checks)
            _words(pairs, checks)
            _relations(pairs, checks)


def _nearest(part: Part, held: list[Part], count: int = 2) -> list[Part]:
    """The nearest others in time, of another file or another period of the same; of its own family before
    others.
    """
    others = [
        other for other in held if other is not part and not (other.file == part.file and other.on == part.on)
    ]

    def far(other: Part) -> tuple[float, bool]:
        apart = abs(other.on - part.on)
        return (np.inf if np.isnan(apart) else apart) + 3.0 * (
            other.family != part.family
        ), other.file != part.file

    others = sorted(others, key=far)
    chosen = others[:count]
    for name in PLACES:  # a column that neither has is compared with the nearest file that has it
        if name in part.rows and not any(name in other.rows for other in chosen):
            chosen += [other for other in others if name in other.rows][:1]
    return chosen


class _Pair:
    """Two parts side by side: the rows of the keys both have, and how their measures go together."""

    def __init__(self, part: Part, other: Part) -> None:
        self.part, self.other = part, other
        apart = abs(part.on - other.on)
        self.years = 0.0 if np.isnan(apart) else apart
        self.both = [name for name in part.measures if name in other.measures]
        self.mine = self.theirs = np.array([], dtype=int)
        if part.unique and other.unique:
            _, self.mine, self.theirs = np.intersect1d(
                part.keys, other.keys, assume_unique=True, return_indices=True
            )
        self.count = len(self.mine)
        self.known, self.cross = self._agreement()

    def _agreement(self) -> tuple[np.ndarray, np.ndarray]:
        """Rank correlations of each column of the one with each of the other, and how many schools have
        both.
        """
        if self.count < 30 or not self.both:
            return np.zeros((0, 0)), np.zeros((0, 0))
        a = self.part.ranks[self.mine][:, [self.part.measures.index(name) for name in self.both]]
        b = self.other.ranks[self.theirs][:, [self.other.measures.index(name) for name in self.both]]
        return correlations(a, b)

    def column(self, which: str, name: str) -> np.ndarray:
        part = self.part if which == "part" else self.other
        return part.figures[:, part.measures.index(name)]


def _usual(pairs: list[_Pair]) -> dict[str, list[tuple[Part, Part, float]]]:
    """For each measure, how well it agreed school by school in each pair of files, as if a year apart."""
    kept: dict[str, list[tuple[Part, Part, float]]] = defaultdict(list)
    for pair in pairs:
        for at, name in enumerate(pair.both if len(pair.cross) else []):
            if np.isfinite(pair.cross[at, at]) and 0.5 < pair.years < 2.5:
                kept[name].append(
                    (pair.part, pair.other, pair.cross[at, at] / FADES ** max(pair.years - 1, 0))
                )
    return kept


def _rows(pairs: list[_Pair], expected: sources.Expected, checks: Checks) -> None:
    part = pairs[0].part
    if part.unique or part.kind == "latest of a list":
        best = min(pairs, key=lambda pair: abs(np.log(len(part.rows) / len(pair.other.rows))))
        count = len(best.other.rows)
        if count < 30:
            return
        strict = part.family == best.other.family
        fall = expected.fall if strict else max(expected.fall, 0.06)
        fall += 0 if count >= 5000 else 3 * np.sqrt(fall / count)
        # schools grow in number
        fall += 0.005 * max(best.years - 3, 0) + (0.012 * best.years if best.other.on > part.on else 0)
        rise = max(3 * fall, expected.rise)
        checks.add("rows", part.file, part.kind, len(part.rows) / count, 1 - fall, 1 + rise, best.other.file)


def _groups(pairs: list[_Pair], checks: Checks) -> None:
    """Of a group of the nearest file's schools (an authority, a phase), the share that is gone, above that of
    all.
    """
    part = pairs[0].part
    if not part.unique or part.kind.startswith("results"):
        return
    worst: dict[str, tuple] = {}
    for name in PLACES:
        result = []
        for pair in pairs:
            if name not in pair.other.rows or len(pair.other.rows) < FEWEST or pair.years > 6:
                continue
            # registers word nurseries and units otherwise
            if name == "phase" and part.family != pair.other.family:
                continue
            kept = np.zeros(len(pair.other.rows))
            kept[pair.theirs] = 1
            found_in, where, sizes = np.unique(pair.other.word(name), return_inverse=True, return_counts=True)
            groups = pd.DataFrame(
                {"mean": np.bincount(where, weights=kept) / sizes, "size": sizes}, index=found_in
            )
            groups = groups[(groups["size"] >= 20) & (groups.index >= 0)]
            if len(groups) < 2:
                continue
            lost = kept.mean() - groups["mean"]
            slack = 4.5 * np.sqrt(0.1 / groups["size"])
            at = (lost - slack).idxmax()
            label = pair.other.rows[name].to_numpy()[np.flatnonzero(pair.other.word(name) == at)[0]]
            result.append(
                (lost[at], 0.25 + 0.08 * pair.years + slack[at], f"{name} {label}", pair.other.file)
            )
        if result:
            worst[name] = min(result, key=lambda one: one[0] - one[1])
    for lost, most, label, against in worst.values():
        checks.add("group", part.file, label, lost, None, most, against)


def _columns(pairs: list[_Pair], expected: sources.Expected, checks: Checks) -> None:
    """Blanks, levels and scales of each column, against the nearer of the two files."""
    part = pairs[0].part
    count = len(part.rows)
    if count < 30:
        return
    periods = any(pair.other.file == part.file for pair in pairs)
    for name in (*part.measures, *part.words):
        strict, needed = name in expected.always, name in part.required
        # A column that isn't given at all is as good as left out of the file, where we don't need it; nor is
        # every figure collected each year.
        if not (strict or needed or part.unique) or part.kind.startswith("results") and not needed:
            continue
        if part.blank[name] == 1 and (periods or not (strict or needed)):
            continue
        others = [pair for pair in pairs if pair.other.blank.get(name, 1) < 1 and len(pair.other.rows) >= 30]
        if others:
            pair = min(others, key=lambda pair: abs(part.blank[name] - pair.other.blank[name]))
            usual = pair.other.blank[name]
            slack = (0.05 if strict else 0.5) + 0.1 * (part.family != pair.other.family)
            slack += allowance(max(usual, 0.02), min(count, len(pair.other.rows)), 3)
            checks.add(
                "blanks",
                part.file,
                name,
                part.blank[name],
                usual - slack - 0.2,
                usual + slack,
                pair.other.file,
            )
    for name in part.measures:
        _level(name, [pair for pair in pairs if name in pair.both], checks)


def _level(name: str, pairs: list[_Pair], checks: Checks) -> None:
    result = []
    for pair in pairs:
        a, b = (
            values[~np.isnan(values)] for values in (pair.column("part", name), pair.column("other", name))
        )
        if min(len(a), len(b)) < 30:
            continue
        qa, qb = np.quantile(a, [0.25, 0.5, 0.75]), np.quantile(b, [0.25, 0.5, 0.75])
        spread = max(qa[2] - qa[0], qb[2] - qb[0])
        noise = 6 / np.sqrt(min(len(a), len(b)))
        shift = abs(qa[1] - qb[1]) / spread if spread > 0 else 0.0
        ratio = np.nan
        if a.min() >= 0 and b.min() >= 0 and a.mean() > 0 and b.mean() > 0:
            noisy = 4.5 * np.hypot(a.std() / a.mean() / np.sqrt(len(a)), b.std() / b.mean() / np.sqrt(len(b)))
            ratio = abs(np.log(a.mean() / b.mean())) - noisy
        constant = len(a) >= FEWEST and a.min() == a.max() and b.min() < b.max()
        result.append(
            (
                shift,
                2.0 + 0.1 * pair.years + noise,
                ratio,
                np.log(2.6) + 0.05 * pair.years,
                constant,
                pair.other.file,
                a.mean() / b.mean() if b.mean() else np.nan,
            )
        )
    if not result:
        return
    part = pairs[0].part
    shift, most, *_, against, _ = min(result, key=lambda one: one[0] - one[1])
    checks.add("level", part.file, name, shift, None, most, against)
    scaled = [one for one in result if np.isfinite(one[2])]
    if scaled:
        *_, ratio, most, _, against, mean = min(scaled, key=lambda one: one[2] - one[3])
        factor = np.exp(most + (abs(np.log(mean)) - ratio))
        checks.add("scale", part.file, name, mean, 1 / factor, factor, against)
    if all(one[4] for one in result):
        checks.add("constant", part.file, name, 1, 2, None, against)


def _shares(pairs: list[_Pair], checks: Checks) -> None:
    """Groups of a closed set: how many rows would have to change theirs."""
    part = pairs[0].part
    for name in GROUPED:
        result = []
        for pair in pairs:
            if name not in part.rows or name not in pair.other.rows:
                continue
            a, b = _counts(part, name), _counts(pair.other, name)
            count = min(a.sum(), b.sum())
            if count < FEWEST:
                continue
            moved = (a / a.sum()).sub(b / b.sum(), fill_value=0).abs().sum() / 2
            most = GROUPED[name] or (0.35 if part.kind.endswith("history") else 0.2)
            most += (
                0.06 * (part.family != pair.other.family)
                + 0.01 * pair.years
                + 2.5 * np.sqrt(len(b) / count) / 2
            )
            result.append((moved, most, pair.other.file))
        if result:
            moved, most, against = min(result, key=lambda one: one[0] - one[1])
            checks.add("shares", part.file, name, moved, None, most, against)


def _members(pairs: list[_Pair], checks: Checks) -> None:
    """Of the members of trusts that the nearest table names too, those it gives to the same trust."""
    part = pairs[0].part
    result = []
    for pair in pairs if "member_urns" in part.rows else []:
        both = np.intersect1d(part.keys, pair.other.keys)
        if len(both) >= 30:
            mine, theirs = (set(_memberships(one, both)) for one in (part, pair.other))
            result.append((len(mine & theirs) / max(len(mine), 1), pair.other.file))
    if result:
        share, against = max(result)
        checks.add("schools", part.file, "members of the same trust", share, 0.3, None, against)


def _memberships(part: Part, trusts: np.ndarray) -> list[tuple[int, str]]:
    rows = pd.DataFrame({"trust": part.keys, "urn": part.rows["member_urns"].to_numpy()})
    rows = (
        rows[np.isin(part.keys, trusts)]
        .assign(urn=lambda held: held["urn"].str.split(r"[;,]\s*"))
        .explode("urn")
    )
    return list(zip(rows["trust"], rows["urn"], strict=True))


def _counts(part: Part, name: str) -> pd.Series:
    values = (
        part.word(name) if name in part.words else part.rows[name].to_numpy(dtype="float64", na_value=np.nan)
    )
    result, sizes = np.unique(values[values > 0], return_counts=True)
    return pd.Series(sizes, index=result)


def _schools(pairs: list[_Pair], usual: dict, expected: sources.Expected, checks: Checks) -> None:
    """Each measure school by school, and whether two columns have changed places."""
    part = pairs[0].part
    for name in part.measures:
        result = []
        for pair in pairs:
            if len(pair.cross) and name in pair.both:
                at = pair.both.index(name)
                r, count = pair.cross[at, at], pair.known[at, at]
                others = [r for a, b, r in usual[name] if part is not a and part is not b]
                declared = expected.steady.get(name, np.nan)
                known = (
                    min(float(np.median(others)), 0.99, np.nan_to_num(declared + 0.1, nan=1.0))
                    if others
                    else declared
                )
                if np.isfinite(r) and np.isfinite(known) and count >= 50:
                    least = (known - 0.15 - 0.6 * (1 - known)) * FADES ** max(pair.years - 1, 0)
                    result.append((r, least - 4.5 / np.sqrt(count), pair.other.file))
        if result:
            r, least, against = max(result, key=lambda one: one[0] - one[1])
            if least > 0:
                checks.add("schools", part.file, name, r, least, None, against)
    swapped = []
    for pair in pairs:
        own = np.diag(pair.cross) if len(pair.cross) else np.array([])
        if len(own) < 2:
            continue
        noise = 0.02 + 9 * (1 - np.minimum(own[:, None], own[None, :]).clip(0, 1) ** 2) / np.sqrt(
            np.maximum(pair.known, 1)
        )
        gain = pair.cross + pair.cross.T - own[:, None] - own[None, :] - noise
        gain = np.where(np.isfinite(gain) & (pair.known >= 50), gain, -9)
        np.fill_diagonal(gain, -9)
        i, j = np.unravel_index(gain.argmax(), gain.shape)
        if gain[i, j] > -9:
            swapped.append((gain[i, j], f"{pair.both[i]} and {pair.both[j]}", pair.other.file))
    if swapped:
        gain, about, against = min(swapped)
        checks.add("columns", part.file, about, gain, None, 0.05, against)
    _copies(pairs, checks)


def _copies(pairs: list[_Pair], checks: Checks) -> None:
    """Whether a file's figures are another year's: of all its measures, the one with the fewest figures
    alike.
    """
    part = pairs[0].part
    if part.kind.split(" ")[0] in ("schools", "places", *VISITS):
        return
    for pair in pairs:
        if pair.count < 50 or pair.years < SAME_YEAR or part.file == pair.other.file:
            continue
        alike = []
        for name in pair.both:
            a, b = pair.column("part", name)[pair.mine], pair.column("other", name)[pair.theirs]
            known = ~np.isnan(a) & ~np.isnan(b)
            if known.sum() >= 50 and len(np.unique(a[known][:500])) > 25:
                alike.append((a[known] == b[known]).mean())
        if len(alike) >= 2 or (alike and len(part.measures) == 1):
            checks.add("copied", part.file, part.kind, min(alike), None, 0.7, pair.other.file)


def _repeated(earlier: list[Part], own: list[Part], checks: Checks) -> None:
    """The figures of earlier years beside a file's own are those of the earlier years' own files."""
    for part in earlier:
        for other in own:
            if other.on != part.on or other.file == part.file:
                continue
            pair = _Pair(part, other)
            for at, name in enumerate(pair.both if len(pair.cross) else []):
                if pair.known[at, at] >= 50:
                    r = pair.cross[at, at]
                    least = 0.85 - 2.5 / np.sqrt(pair.known[at, at])
                    checks.add("repeated", part.file, f"{name} of {part.on:.0f}", r, least, None, other.file)


def _words(pairs: list[_Pair], checks: Checks) -> None:
    """Each column of words school by school: the same word, or the word that the other file has for it."""
    part = pairs[0].part
    for name in part.words:
        result = []
        for pair in pairs:
            if name not in pair.other.rows or pair.count < 50:
                continue
            a, b = part.word(name)[pair.mine], pair.other.word(name)[pair.theirs]
            known = (a >= 0) & (b >= 0)
            if known.sum() < 50:
                continue
            same, most_common = _together(a[known], b[known])
            least = 0.9 * FADES ** (pair.years / 4) - allowance(0.9, known.sum())
            if name in PLACES and pair.years < 12:
                # Authorities are merged and split; a school's phase and region stay.
                changes = 0.003 if name in ("phase", "region") else 0.012
                least = 0.97 - changes * pair.years - allowance(0.03, known.sum())
            if name in LOOSE:
                least = 0.6
            if most_common < least:
                result.append((same, least, pair.other.file))
        if result:
            same, least, against = max(result, key=lambda one: one[0] - one[1])
            checks.add("schools", part.file, name, same, least, None, against)


def _together(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """The share of rows in which `a` is what mostly goes with `b`, and `b` with `a`; and what blind guessing
    would give.
    """
    same = float((a == b).mean())
    if same > 0.97:
        return same, 0.0
    each = min(going_together(a, b), going_together(b, a))
    common = np.unique(b, return_counts=True)[1].max() / len(b)
    return max(same, 0.0 if np.isnan(each) else each), float(common)


def _relations(pairs: list[_Pair], checks: Checks) -> None:
    """Rank correlations among the measures of a file, and which of two is below the other, against the
    nearest files.
    """
    part = pairs[0].part
    result, turned = [], []
    for pair in pairs:
        if len(pair.both) < 2 or min(len(part.rows), len(pair.other.rows)) < FEWEST:
            continue
        at = [[one.measures.index(name) for name in pair.both] for one in (part, pair.other)]
        (count, own), (count_b, other) = (
            [values[np.ix_(places, places)] for values in one.relations]
            for one, places in zip((part, pair.other), at, strict=True)
        )
        least = np.minimum(count, count_b)
        change = np.where(least >= FEWEST, np.abs(own - other) - 6 / np.sqrt(np.maximum(least, 1)), np.nan)
        if np.isfinite(change).any():
            i, j = np.unravel_index(np.nanargmax(change), change.shape)
            result.append((change[i, j], f"{pair.both[i]} with {pair.both[j]}", pair.other.file))
        tops = _turned(pair)
        if tops:
            turned.append(tops)
    if result:
        change, about, against = min(result)
        checks.add("relations", part.file, about, change, None, 0.35, against)
    if turned:
        change, about, against = min(turned)
        checks.add("order", part.file, about, change, None, 0.95, against)


def _turned(pair: _Pair) -> tuple[float, str, str] | None:
    """The two columns of which one was mostly below the other, and now is above: by how much that changed."""
    worst = None
    a, b = (
        one.figures[:, [one.measures.index(name) for name in pair.both]] for one in (pair.part, pair.other)
    )
    a, b = a[:4000], b[:4000]
    with warnings.catch_warnings(action="ignore"):  # a column may be all blank
        middle = np.nanmedian(b, axis=0)
    for i in range(len(pair.both)):
        for j in range(i + 1, len(pair.both)):
            if not (middle[i] and middle[j]) or not 0.2 < abs(middle[i] / middle[j]) < 5:
                continue
            with np.errstate(invalid="ignore"):
                ours, theirs = np.sign(a[:, i] - a[:, j]), np.sign(b[:, i] - b[:, j])
            if min((~np.isnan(ours)).sum(), (~np.isnan(theirs)).sum()) >= FEWEST:
                change = abs(np.nanmean(ours) - np.nanmean(theirs))
                if worst is None or change > worst[0]:
                    worst = (change, f"{pair.both[i]} and {pair.both[j]}", pair.other.file)
    return worst


def _alone(part: Part, checks: Checks) -> None:
    """Whether a needed figure is the same for all, and a part at most its whole."""
    for less, more in sources.AT_MOST.get(part.kind, ()):
        if less in part.measures and more in part.measures:
            a, b = (part.figures[:, part.measures.index(name)] for name in (less, more))
            known = ~np.isnan(a) & ~np.isnan(b)
            if known.sum() >= 30:
                share = (a[known] <= b[known] + 0.051).mean()
                checks.add(
                    "order", part.file, f"{less} at most {more}", share, 0.97 - allowance(0.03, known.sum())
                )
    for name in sorted(part.required & set(part.measures)):
        values = part.figures[:, part.measures.index(name)]
        values = values[~np.isnan(values)]
        if (
            len(values) >= FEWEST
            and part.rows[name].dtype.kind == "f"
            and part.kind not in ("latest", "previous")
        ):
            checks.add("constant", part.file, name, min(len(np.unique(values[:5000])), 9), 2)
