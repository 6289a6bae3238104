"""The claim of ten times asked again on report cards: leadership and governance against the mean of the other
areas.

What there is now is the gap, and what it goes with at the inspection before. Whether it foretells improvement
is for second cards and areas graded again to say: until there are enough, how many it would take is worked
out in plain sight.
"""

import hashlib
import math
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from headway.pipelines import frameworks
from headway.pipelines.evidence import claims as evidence
from headway.pipelines.frameworks import AREAS
from headway.pipelines.tables import DataError

LEADERSHIP = "leadership_and_governance"
BETTER = 0.25  # of a standard: leadership better than the mean of the others by so much or more
SAME = "the same area with the same standard"
ENOUGH = 50  # outcomes on either side before anything is said
POWER = (0.80, 0.90)
RATIOS = (1.1, 2.0, 10.0)  # times as likely, to be told from 1
CLAIMS = Path("experiments/claims")  # written down before their outcomes
USUAL = 0.35  # the share that improves among those without it, until outcomes say


def asked_again(standards: pd.DataFrame, inspections: pd.DataFrame, claims: Path = CLAIMS) -> dict[str, Any]:
    """The gap's distribution, what it goes with, what came after, and how many outcomes it would take; plain
    JSON values.

    `standards` and `inspections` are the tables; `claims` a folder of claims written down before their
    outcomes, tested on those that came after. An outcome is a second card of a lineage by
    `frameworks.card_change`, or an area graded again at a monitoring visit by `frameworks.area_change`.
    """
    first = standards[standards["graded_on"].eq(standards["inspected_on"])]
    wide = first.pivot_table(
        index=["lineage", "inspected_on"], columns="area", values="standard", aggfunc="first"
    )
    wide = (
        wide.reindex(columns=list(AREAS))
        .astype("float64")
        .reset_index()
        .sort_values(["lineage", "inspected_on"])
    )
    others = wide[[area for area in AREAS if area != LEADERSHIP]].mean(axis=1)
    gap = others - wide[LEADERSHIP]
    better = gap >= BETTER
    result: dict[str, Any] = {
        "statement": "Schools led better than they are graded improve more often: leadership and governance "
        "against the mean "
        "of the other areas of a report card.",
        "cards": int(gap.notna().sum()),
        "gap": {
            "mean": _mean(gap),
            "better": _mean(better[gap.notna()]),
            "worse": _mean((gap <= -BETTER)[gap.notna()]),
            "counts": [
                {
                    "from": low,
                    "to": low + 0.5,
                    "cards": int(gap.between(low, low + 0.5, inclusive="left").sum()),
                }
                for low in (-2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
            ],
        },
        "goes_with": _before(wide.assign(better=better, gap=gap), inspections),
        "outcomes": _after(wide.assign(better=better, gap=gap), standards),
    }
    usual = (
        next((row["without"]["share"] for row in result["outcomes"] if row["without"]["n"] >= ENOUGH), None)
        or USUAL
    )
    share = result["gap"]["better"] or 0.3
    result["would_take"] = [needed(ratio, usual, share, power) for ratio in RATIOS for power in POWER]
    result["written_down"] = [_tested(claim, wide.assign(gap=gap)) for claim in written_down(claims)]
    result["verdict"] = _verdict(result["outcomes"])
    result["sentences"] = _sentences(result, usual)
    return result


def needed(ratio: float, usual: float, share: float, power: float) -> dict[str, Any]:
    """How many outcomes tell a risk ratio from 1 at 5%, two-sided, with this power (Fleiss, Levin and Paik
    2003, without continuity correction); `share` of the schools have what is asked about, `usual` of the
    others improve.

    The sums: with p = usual and q = ratio x p (0.98 at most), n with it is (za sqrt((1 + 1/k) m (1 - m)) + zb
    sqrt(q (1 - q) + p (1 - p) / k))^2 / (q - p)^2, where k schools are without it for each with it, and m is
    the mean of the two shares.
    """
    from scipy.stats import norm

    p, q, k = usual, min(ratio * usual, 0.98), (1 - share) / share
    mean = (q + k * p) / (1 + k)
    reach = norm.ppf(0.975) * math.sqrt((1 + 1 / k) * mean * (1 - mean))
    reach += norm.ppf(power) * math.sqrt(q * (1 - q) + p * (1 - p) / k)
    with_it = math.ceil(reach**2 / (q - p) ** 2)
    return {
        "ratio": ratio,
        "power": power,
        "usual": p,
        "with_it_improve": q,
        "share_with_it": share,
        "with_it": with_it,
        "outcomes": math.ceil(with_it * (1 + k)),
    }


# --- claims written down before their outcomes --------------------------------------------------------------

_FIXED = {"outcome": ["area_by_area"], "strata": [["area", "standard"]], "expected": ["more", "less"]}
_KINDS = {
    "id": str,
    "written_on": date,
    "statement": str,
    "outcome": str,
    "exposed_from": float,
    "strata": list,
    "expected": str,
    "level": float,
    "fewest": int,
}


def written_down(folder: Path) -> list[dict[str, Any]]:
    """The claims of a folder in the order of their names, each with its file's name and SHA-256; none without
    a folder.
    """
    claims = []
    for path in sorted(folder.glob("*.toml")):
        content = path.read_bytes()
        try:
            claim = tomllib.loads(content.decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{path} can't be read as TOML: {error}.") from error
        problems = [
            f"{name}: expected {kind.__name__}, found {claim.get(name, 'nothing')!r}"
            for name, kind in _KINDS.items()
            if type(claim.get(name)) is not kind
        ]
        problems += [f"{name}: there is no such setting" for name in claim if name not in _KINDS]
        problems += [
            f"{name}: expected one of {allowed}, found {claim[name]!r}"
            for name, allowed in _FIXED.items()
            if name in claim and claim[name] not in allowed
        ]
        if problems:
            raise DataError(
                "\n".join([f"{path} is no claim that can be tested:", *(f"  {each}" for each in problems)])
            )
        claims.append(claim | {"file": path.name, "sha256": hashlib.sha256(content).hexdigest()})
    return claims


def _tested(claim: dict[str, Any], cards: pd.DataFrame) -> dict[str, Any]:
    """A claim written down, tested as it says on the second cards of inspections after it was; or how many
    there are so far.
    """
    from scipy.stats import norm

    written = pd.Timestamp(claim["written_on"])
    later = cards.groupby("lineage")["inspected_on"].shift(-1).gt(written)
    again = cards.groupby("lineage")[list(AREAS)].shift(-1)
    first = cards.assign(better=cards["gap"] >= claim["exposed_from"])[later]
    rows = pd.concat([_area(first, area, again.loc[later, area]) for area in AREAS if area != LEADERSHIP])
    sides = [int(rows.loc[rows["better"].eq(side), "lineage"].nunique()) for side in (True, False)]
    about = {name: claim[name] for name in _KINDS} | {
        "written_on": f"{written:%Y-%m-%d}",
        "file": claim["file"],
        "sha256": claim["sha256"],
        "outcomes": len(rows),
        "lineages": sides,
    }
    ratio = None
    if min(sides) >= claim["fewest"]:
        ratio = evidence.within_strata(
            rows["improved"],
            rows["better"].to_numpy(dtype=float),
            rows["stratum"].to_numpy(),
            rows["lineage"],
        )
    if not ratio:
        words = (
            f"Not yet: {sides[0]:,} schools with it and {sides[1]:,} without have had a second card since; "
            "it takes "
            f"{claim['fewest']:,} on either side."
        )
        return about | {"odds_ratio": None, "p": None, "verdict": "not yet", "words": words}
    score = math.log(ratio["estimate"]) / (math.log(ratio["high"] / ratio["low"]) / (2 * evidence.Z95))
    p = 2 * float(norm.sf(abs(score)))
    as_expected = (score > 0) == (claim["expected"] == "more")
    verdict = "not upheld" if p >= claim["level"] else "upheld" if as_expected else "the other way round"
    words = (
        f"{verdict.capitalize()}: {ratio['estimate']:.2f} times the odds ({ratio['low']:.2f} to "
        f"{ratio['high']:.2f}), "
        f"p {p:.3f}, on {len(rows):,} areas of {sum(sides):,} schools."
    )
    return about | {"odds_ratio": ratio, "p": p, "verdict": verdict, "words": words}


def _mean(values: pd.Series) -> float | None:
    return float(values.astype("float64").mean()) if values.notna().any() else None


def _before(cards: pd.DataFrame, inspections: pd.DataFrame) -> dict[str, Any]:
    """Whether leadership stands out on the card where it stood out at the last inspection with both
    grades.
    """
    both = inspections[
        inspections["kind"].eq("graded") & inspections["overall"].notna() & inspections["leadership"].notna()
    ]
    both = both[["lineage", "inspected_on", "overall", "leadership"]].sort_values(
        "inspected_on", kind="stable"
    )
    mine = pd.merge_asof(
        cards.sort_values("inspected_on", kind="stable"),
        both,
        on="inspected_on",
        by="lineage",
        allow_exact_matches=False,
    )
    mine = mine[mine["overall"].notna() & mine["gap"].notna()]
    was = mine["leadership"].astype("float64") < mine["overall"].astype("float64")
    rows = mine.assign(
        improved=mine["better"], overall=mine["overall"].astype("int64"), phase="any", year="any"
    )
    return {
        "what": (
            "leadership better than the mean of the other areas, where it was graded better than "
            "overall before"
        ),
        "raw": evidence.compared(rows["improved"], was),
        "within_grades": evidence.stratified(rows, was, ("overall",)),
        "correlation": _correlation(mine["gap"], (mine["overall"] - mine["leadership"]).astype("float64")),
    }


def _correlation(one: pd.Series, other: pd.Series) -> float | None:
    value = one.corr(other, method="spearman") if len(one) > 2 else float("nan")
    return None if value != value else float(value)


def _after(cards: pd.DataFrame, standards: pd.DataFrame) -> list[dict[str, Any]]:
    """The outcomes there are, by rule: second cards, and areas graded again."""
    again = cards.groupby("lineage")[list(AREAS)].shift(-1)
    change = frameworks.card_change(cards[list(AREAS)], again)
    known = change.notna() & cards["gap"].notna()
    below = cards[list(AREAS)].ge(frameworks.NEEDS_ATTENTION).sum(axis=1).astype("str")
    whole = cards[["lineage", "better"]].assign(stratum=below, improved=change.eq("improved"))
    rows = [
        _compared(
            "second report cards", frameworks.CARD_BY_CARD, whole[known], "as many areas below expected"
        )
    ]
    each = pd.concat([_area(cards, area, again[area]) for area in AREAS if area != LEADERSHIP])
    rows.append(_compared("areas of second report cards", frameworks.AREA_BY_AREA, each, SAME))
    later = standards[standards["graded_on"] > standards["inspected_on"]].sort_values(
        "graded_on", kind="stable"
    )
    later = later.drop_duplicates(["lineage", "inspected_on", "area"])
    given = standards[standards["graded_on"].eq(standards["inspected_on"])][
        ["lineage", "inspected_on", "area", "standard"]
    ]
    pairs = later[["lineage", "inspected_on", "area", "standard"]].merge(
        given, on=["lineage", "inspected_on", "area"], suffixes=("_again", "")
    )
    pairs = pairs[pairs["area"].ne(LEADERSHIP)].merge(
        cards[["lineage", "inspected_on", "better", "gap"]].dropna(), on=["lineage", "inspected_on"]
    )
    improved = frameworks.area_change(pairs["standard"], pairs["standard_again"]).eq("improved")
    pairs = pairs.assign(improved=improved, stratum=pairs["area"] + pairs["standard"].astype("str"))
    rows.append(_compared("areas graded again at a monitoring visit", frameworks.AREA_BY_AREA, pairs, SAME))
    return rows


def _area(cards: pd.DataFrame, area: str, again: pd.Series) -> pd.DataFrame:
    """An area of the first cards of two, where it could rise."""
    change = frameworks.area_change(cards[area], again)
    rows = cards[["lineage", "better"]].assign(
        stratum=area + cards[area].astype("str"), improved=change.eq("improved")
    )
    return rows[change.notna() & cards[area].gt(1) & cards["gap"].notna()]


def _compared(what: str, rule: str, rows: pd.DataFrame, alike: str) -> dict[str, Any]:
    """Rows with lineage, stratum, better and improved compared, all together and within their strata.

    Where leadership stands out the other areas stand lower, and lower ones rise more often: only the
    comparison among those that are `alike` in where they stand says something of leadership.
    """
    result = evidence.compared(rows["improved"].astype(bool), rows["better"].astype(bool))
    within = (
        evidence.within_strata(
            rows["improved"],
            rows["better"].to_numpy(dtype=float),
            rows["stratum"].to_numpy(),
            rows["lineage"],
        )
        if len(rows)
        else None
    )
    return {
        "what": what,
        "rule": rule,
        "outcomes": len(rows),
        "with": result["exposed"],
        "without": result["unexposed"],
        "risk_ratio": result["risk_ratio"],
        "odds_ratio": within,
        "alike": alike,
        "too_few": min(result["exposed"]["n"], result["unexposed"]["n"]) < ENOUGH,
    }


def _verdict(outcomes: list[dict[str, Any]]) -> str:
    """By the area, where there are enough: among those alike, does leadership better than the rest go with
    improvement?
    """
    told = [
        row["odds_ratio"] for row in outcomes if row["rule"] == frameworks.AREA_BY_AREA and not row["too_few"]
    ]
    if not any(told):
        return "cannot be told yet"
    sure = {"more" if ratio["low"] > 1 else "less" if ratio["high"] < 1 else "" for ratio in told if ratio}
    return f"{sure.pop()} often" if len(sure) == 1 and sure != {""} else "no difference shown"


def _sentences(found: dict[str, Any], usual: float) -> list[str]:
    """What was found, to read."""
    if not found["cards"]:
        return ["No report card is among the files read."]
    before, gap = found["goes_with"]["raw"], found["gap"]
    said = [
        f"Of {found['cards']:,} report cards, leadership and governance came out better than the mean of "
        "the other areas by "
        f"{BETTER:g} of a standard or more in {gap['better']:.0%}, and worse by as much in "
        f"{gap['worse']:.0%}."
    ]
    if before["exposed"]["n"] and before["unexposed"]["n"]:
        (high, many), (low, others) = (
            (before[side]["share"], before[side]["n"]) for side in ("exposed", "unexposed")
        )
        said.append(
            f"Where leadership had been graded better than overall before, it did so on {high:.0%} of "
            f"{many:,} cards, "
            f"elsewhere on {low:.0%} of {others:,}."
        )
    for row in found["outcomes"]:
        told = (
            f"{row['what'].capitalize()}: {row['outcomes']:,} outcomes"
            if row["outcomes"]
            else f"There are no {row['what']} yet"
        )
        raw, ratio = row["risk_ratio"], row["odds_ratio"]
        said.append(
            told
            + (
                f"; too few to say, fewer than {ENOUGH} with or without."
                if row["too_few"] or not ratio
                else f"; with leadership better {raw['estimate']:.2f} times as likely to improve, but among "
                "those alike "
                f"({row['alike']}) {ratio['estimate']:.2f} times the odds ({ratio['low']:.2f} to "
                f"{ratio['high']:.2f})."
            )
        )
    takes = {(row["ratio"], row["power"]): row["outcomes"] for row in found["would_take"]}
    said.append(
        f"To tell 1.1 times from 1 takes {takes[1.1, 0.8]:,} outcomes at 80% power, and ten times from 1 "
        "takes "
        f"{takes[10.0, 0.8]:,}, if {usual:.0%} of the others improve."
    )
    return said
