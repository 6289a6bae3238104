"""How sturdy each answer of the evidence is: what would explain it away, what it says of the past, and by
other choices.

E-values: how strongly something unmeasured would have to go with both the signal and improving to explain a
ratio away (VanderWeele and Ding 2017, Ann Intern Med 167:268; the risk ratio of a common outcome as the root
of its odds ratio). Negative control: the same comparison with an outcome from before the signal was known
(Lipsitch and others 2010, Epidemiology 21:383). Choices: every analysis that could as well have been made
(Simonsohn and others 2020, Nat Hum Behav 4:1208).
"""

import math
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from headway.pipelines.evidence import claims as evidence
from headway.pipelines.evidence.claims import CLAIMS, Claim
from headway.pipelines.frameworks import GRADES

PAIRINGS = {
    "earliest": "each pair once, on its earliest morning",
    "newest": "each pair once, on its newest morning",
    "each": "each morning that asked",
}
STRATA = {
    "grade": ("overall",),
    "grade and phase": ("overall", "phase"),
    "grade, phase and year": evidence.STRATA,
}
GRADES_IN = {
    "all that can improve": (2, 3, 4),
    f"without {GRADES[4]}": (2, 3),
    f"{GRADES[2]} alone": (2,),
    f"{GRADES[3]} alone": (3,),
}
WINDOWS = {"all years": 0, "the newest five years": 5, "the newest ten years": 10}
OURS = {
    "pairing": "earliest",
    "strata": "grade, phase and year",
    "grades": "all that can improve",
    "window": "all years",
}
BEFORE = "the grade before was worse, for schools of the same grade, phase and year"


def sturdier(found: dict[str, Any], examples: pd.DataFrame) -> dict[str, Any]:
    """The content of evidence.json with `sturdiness` in every claim that was tested; None in the others."""
    rows = {pairing: evidence.pairs(examples, pairing) for pairing in PAIRINGS}
    named = {claim.id: claim for claim in CLAIMS}
    claims = [
        told | {"sturdiness": _sturdiness(named[told["id"]], told, rows) if told["adjusted"] else None}
        for told in found["claims"]
    ]
    return found | {"claims": claims}


def _sturdiness(claim: Claim, told: dict[str, Any], rows: dict[str, pd.DataFrame]) -> dict[str, Any]:
    ready = {pairing: _ready(claim, once) for pairing, once in rows.items()}
    curve = choices(ready)
    return {
        "e_values": _explained_away(told["adjusted"]),
        "control": control(ready["earliest"]),
        "choices": curve,
        "choices_words": _curve_words(curve),
    }


def _ready(claim: Claim, once: pd.DataFrame) -> pd.DataFrame:
    """The pairs that can improve and have the signal, with `exposed` as the claim's test has it."""
    rows = once[once[claim.signal].notna()].reset_index(drop=True)
    rows = rows.assign(exposed=evidence.exposure(claim, rows))[lambda told: told["overall"].gt(1)]
    return rows[[name for name in _NEEDED if name in rows]]


_NEEDED = ("lineage", "overall", "phase", "year", "improved", "exposed", "previous_overall")


# --- what would explain it away -----------------------------------------------------------------------------


def e_value(ratio: dict[str, float], odds: bool = False) -> dict[str, float]:
    """The E-values of a risk ratio and of its limit nearer 1; 1 for the limit where the interval covers 1.

    Of an odds ratio the root is taken first, for improving is no rare outcome.
    """
    covers = evidence.covers_one(ratio)
    nearer = 1.0 if covers else ratio["low"] if ratio["estimate"] > 1 else ratio["high"]
    return {
        name: _e(math.sqrt(value) if odds else value)
        for name, value in (("estimate", ratio["estimate"]), ("limit", nearer))
    }


def _e(ratio: float) -> float:
    over = max(ratio, 1 / ratio)
    return over + math.sqrt(over * (over - 1))


def _explained_away(adjusted: dict[str, Any]) -> list[dict[str, Any]]:
    """A row each adjusted ratio: what it is, and its E-values."""
    beside = (adjusted.get("beside_everything") or {}).get("odds_ratio")
    ratios = [
        ("risk ratio, schools alike", adjusted["risk_ratio"], False),
        ("odds ratio, schools alike", adjusted["odds_ratio"], True),
        (f"odds ratio for {adjusted['unit']}", adjusted.get("within_strata_clustered"), True),
        (f"odds ratio for {adjusted['unit']}, beside all else known", beside, True),
    ]
    return [{"what": what, "ratio": ratio, **e_value(ratio, odds)} for what, ratio, odds in ratios if ratio]


# --- what it says of the past -------------------------------------------------------------------------------


def control(rows: pd.DataFrame) -> dict[str, Any] | None:
    """The same comparison with an outcome the signal cannot have brought about: how the grade before compares
    with this one.

    None where no earlier grade is known on both sides.
    """
    if "previous_overall" not in rows:
        return None
    known = rows[rows["previous_overall"].notna()]
    improved = known["previous_overall"].astype("float64").gt(known["overall"])
    if known["exposed"].nunique() < 2:
        return None
    ratio = _ratio(known.assign(improved=improved), evidence.STRATA)
    if not ratio:
        return None
    passed, words = evidence.covers_one(ratio), "It goes with nothing of the past, as it should."
    if not passed:
        words = (
            "It goes with the past too, which it can't have brought about: part of its ratio may be "
            "what such schools were."
        )
    return {"outcome": BEFORE, "n": len(known), "odds_ratio": ratio, "passed": passed, "words": words}


# --- by other choices ---------------------------------------------------------------------------------------


def choices(ready: dict[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """The odds ratio by every set of defensible choices, from the lowest to the highest; blank where there
    are too few schools.

    By logistic regression with an intercept for each stratum, clustered by lineage: so that a pair asked
    about twice, or a school that comes twice, counts for no more than it tells. `ours` marks the choices of
    the test itself.
    """
    newest = max((rows["year"].max() for rows in ready.values() if len(rows)), default="")
    result = []
    for pairing, grades, window in product(PAIRINGS, GRADES_IN, WINDOWS):
        rows = ready[pairing]
        rows = rows[rows["overall"].isin(GRADES_IN[grades])]
        if WINDOWS[window]:
            rows = rows[rows["year"].gt(_years_before(newest, WINDOWS[window]))]
        few = (
            rows.groupby("exposed")["lineage"].nunique().reindex([True, False]).fillna(0).min()
            < evidence.TOO_FEW
        )
        for strata, by in STRATA.items():
            chosen = {"pairing": pairing, "strata": strata, "grades": grades, "window": window}
            result.append(
                chosen
                | {"n": len(rows), "odds_ratio": None if few else _ratio(rows, by), "ours": chosen == OURS}
            )
    return sorted(result, key=lambda row: row["odds_ratio"]["estimate"] if row["odds_ratio"] else math.inf)


def _years_before(year: str, count: int) -> str:
    """2024/25 less five is 2019/20."""
    begins = int(year[:4]) - count if year else 0
    return f"{begins}/{(begins + 1) % 100:02}"


def _ratio(rows: pd.DataFrame, by: tuple[str, ...]) -> dict[str, float] | None:
    strata = rows.groupby(list(by), sort=False).ngroup().to_numpy()
    return evidence.within_strata(
        rows["improved"], rows["exposed"].to_numpy(dtype=float), strata, rows["lineage"]
    )


def _curve_words(curve: list[dict[str, Any]]) -> str:
    """The curve, to read: how far the ratio goes by choice, and how often its interval leaves 1 out on either
    side.
    """
    ratios = [row["odds_ratio"] for row in curve if row["odds_ratio"]]
    if not ratios:
        return "Too few schools by any choice."
    middle = float(np.median([ratio["estimate"] for ratio in ratios]))
    above, below = sum(ratio["low"] > 1 for ratio in ratios), sum(ratio["high"] < 1 for ratio in ratios)
    return (
        f"By {len(ratios)} sets of choices the odds ratio goes from {ratios[0]['estimate']:.2f} to "
        f"{ratios[-1]['estimate']:.2f}, {middle:.2f} in the middle; its interval lies above 1 in {above} "
        "and below 1 in "
        f"{below}."
    )
