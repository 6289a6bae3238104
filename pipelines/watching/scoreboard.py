"""Past predictions, kept, and what became of them: the scoreboard.

Scoring overwrites predictions.parquet and outcomes come years later, so each morning's predictions are kept
once, among the tables. They are judged by the rules that labels for training are made by, and by nothing
else.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from headway.pipelines import as_of, evaluate, frameworks, inspections, intervals, tables
from headway.pipelines.evaluate import FEW, GROUPS
from headway.pipelines.frameworks import GRADES
from headway.pipelines.scoring.score import SCORED
from headway.pipelines.tables import DataError

KEPT = "scored"  # their folder, among the tables
CARDS = "forecasts"  # and within it that of the forecasts of report cards
# What is read of them: a file kept years ago may lack a column that was added since.
NEEDED = (
    "urn",
    "lineage",
    "as_of",
    "status",
    "overall",
    "inspected_on",
    "framework",
    "phase",
    "p_improve",
    "p_same",
    "p_low",
    "p_high",
    "base_rate",
    "grade_set",
    "extrapolation",
    "model_version",
    "data_source",
)
STATE_LOST = "the inspection it was predicted from is no longer in the tables"


def keep(folder: Path) -> tuple[Path, bool]:
    """Where the current predictions are kept, and whether they were kept just now: what is kept is never
    replaced.

    One file for each morning and model; scoring overwrites predictions.parquet, and outcomes come years
    later.
    """
    rows, about = tables.read(folder, "predictions"), tables.about(folder, "predictions")
    name = f"{rows['as_of'].iloc[0]:%Y-%m-%d}-{rows['model_version'].iloc[0]}"
    path = folder / KEPT / f"{name}.parquet"
    if path.exists():
        return path, False
    tables.write(path.parent, {"predictions": rows}, about=about, named={"predictions": name})
    if (folder / "forecasts.parquet").is_file():
        tables.write(
            path.parent / CARDS,
            {"forecasts": tables.read(folder, "forecasts")},
            about=about,
            named={"forecasts": name},
        )
    return path, True


def predictions(path: Path) -> pd.DataFrame:
    """The predictions in a file. Raises `DataError` where it holds none."""
    if not path.is_file():
        raise DataError(
            f"There is no {path}.\nRun `headway score` first, or name a file it wrote with --predictions."
        )
    rows = tables.read(path.parent, path.stem)
    if absent := [name for name in NEEDED if name not in rows]:
        raise DataError(
            f"{path} holds no predictions: no {', '.join(absent)}.\nName a file that `headway score` wrote."
        )
    if rows.empty:
        raise DataError(f"{path} holds no school.\nRun `headway score` again.")
    return rows[list(NEEDED)]


def outcomes(
    rows: pd.DataFrame, known: pd.DataFrame, coverage: pd.DataFrame, schools: pd.DataFrame
) -> pd.DataFrame:
    """The scored predictions with what came next, or why nothing has: by the rules labels for training are
    made by.

    The lineage is today's, as in the inspections: a school may have converted since it was predicted for.
    """
    scored = rows[rows["status"].eq(SCORED)]
    lineage = scored["urn"].map(schools.set_index("urn")["lineage"]).fillna(scored["lineage"]).astype("int64")
    asked = scored.assign(lineage=lineage)
    result = inspections.next_graded(asked, known, coverage, schools)
    graded = known.loc[known["kind"].eq("graded"), ["lineage", "inspected_on"]]
    there = (
        asked[["lineage", "inspected_on"]]
        .merge(graded, how="left", on=["lineage", "inspected_on"], indicator="there", validate="many_to_one")[
            "there"
        ]
        .eq("both")
        .to_numpy()
    )
    # Predictions are made on mornings the files don't cover yet: nothing is missing there, it hasn't come.
    until = pd.Series(coverage["to_on"].max(), index=result.index)
    reason = result["label_missing_reason"].mask(
        as_of.is_before(until, result["as_of"]) & result["label"].isna(), inspections.NOT_YET
    )
    return result.assign(label_missing_reason=reason.where(there, STATE_LOST))


def figures(rows: pd.DataFrame) -> dict[str, Any]:
    """Predictions against what came: n, rates, gap, calibration, Brier, skill over the stored rate, and the
    sets' coverage.

    `rows` has p and base (the chances at stake), happened (1 or 0) and the grade set. Few outcomes are only
    counted.
    """
    if len(rows) < FEW:
        return {"n": len(rows), "too_few": True}
    p, happened = rows["p"].to_numpy(float), rows["happened"].to_numpy(float)
    error, rule = (p - happened) ** 2, (rows["base"].to_numpy(float) - happened) ** 2
    slope, intercept = evaluate.calibration(p, happened)
    gap, gap_low, gap_high = intervals.mean(happened - p, rows["lineage"])
    skill, low, high = intervals.skill(error, rule, rows["lineage"])
    graded = rows[rows["next_overall"].notna() & rows["grade_set"].notna()]
    held = graded["next_overall"].between(
        graded["grade_set"].str[0].astype(int), graded["grade_set"].str[-1].astype(int)
    )
    return {
        "n": len(rows),
        "too_few": False,
        "rate": happened.mean(),
        "mean_p": p.mean(),
        "gap": gap,
        "gap_low": gap_low,
        "gap_high": gap_high,
        "slope": slope,
        "intercept": intercept,
        "brier": error.mean(),
        "base_brier": rule.mean(),
        "skill": skill,
        "skill_low": low,
        "skill_high": high,
        "sets": len(graded),
        "coverage": held.mean() if len(graded) else None,
    }


def scoreboard(history: list[pd.DataFrame], folder: Path, champion: dict[str, Any]) -> dict[str, Any]:
    """Every stored prediction against what happened: each morning's alone; and all together by grade and
    group.

    Together each outcome counts once, by the newest prediction made before it. A morning before the
    champion's learning ended is marked as hindsight, and left out of the whole unless it is all there is.
    """
    names = ("inspections", "coverage", "schools")
    known, coverage, schools = (tables.read(folder, name) for name in names)
    mornings, parts = [], []
    for rows in history:
        told = _at_stake(outcomes(rows, known, coverage, schools))
        # without a chance nothing was said that could come true
        came = told[told["label"].notna() & told["p"].notna()]
        day, version = rows["as_of"].iloc[0], rows["model_version"].iloc[0]
        hindsight = bool(
            version == champion["version"]
            and as_of.is_before(
                rows["as_of"].head(1), pd.Series(pd.Timestamp(champion["as_of"]), index=rows.index[:1])
            ).any()
        )
        mornings.append(
            {
                "as_of": f"{day:%Y-%m-%d}",
                "model_version": version,
                "hindsight": hindsight,
                "scored": len(told),
                "outcomes": len(came),
                "without": told["label_missing_reason"].value_counts().to_dict(),
                **figures(came[came["overall"].gt(1)]),
            }
        )
        if not hindsight or len(history) == 1:
            parts.append(came)
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if whole.empty:
        return {"mornings": mornings, "outcomes": 0, "groups": []}
    whole = whole.sort_values("as_of", kind="stable").drop_duplicates(
        ["lineage", "next_inspected_on"], keep="last"
    )
    return {"mornings": mornings, "outcomes": len(whole), "groups": _by_group(whole, schools)}


def on_cards(folder: Path) -> list[dict[str, Any]]:
    """Kept forecasts of report cards against the cards that came, by month of publication and area, and all
    together.

    Each card is held against the newest forecast made on or before the day its inspection began.
    """
    paths = sorted((folder / KEPT / CARDS).glob("*.parquet"))
    if not paths:
        return []
    columns = ["urn", "as_of", "area", "p_below", "base_rate", "standard_set", "learned_from"]
    kept = pd.concat([tables.read(path.parent, path.stem, columns) for path in paths], ignore_index=True)
    lineage = tables.read(folder, "schools", ["urn", "lineage"]).set_index("urn")["lineage"]
    kept = (
        kept.assign(lineage=kept["urn"].map(lineage)).dropna(subset=["lineage"]).astype({"lineage": "int64"})
    )
    standards = tables.read(folder, "standards")
    first = standards[standards["graded_on"].eq(standards["inspected_on"])]
    came = first[["lineage", "inspected_on", "known_on", "area", "standard"]]
    card = (
        came.groupby(["lineage", "inspected_on"])
        .agg(known_on=("known_on", "min"), standard=("standard", "max"))
        .reset_index()
    )
    came = pd.concat([came, card.assign(area="any")], ignore_index=True)
    judged = pd.merge_asof(
        came.sort_values("inspected_on", kind="stable"),
        kept.sort_values("as_of", kind="stable"),
        left_on="inspected_on",
        right_on="as_of",
        by=["lineage", "area"],
    )
    judged = judged.dropna(subset=["p_below"]).assign(below=judged["standard"].ge(frameworks.NEEDS_ATTENTION))
    months = judged["known_on"].dt.strftime("%Y-%m")
    return [
        _of_cards(rows, month, area)
        for month, named in (("all", judged), *judged.groupby(months))
        for area, rows in named.groupby("area", sort=False)
    ]


def _of_cards(rows: pd.DataFrame, month: str, area: str) -> dict[str, Any]:
    said = {
        "month": month,
        "area": area,
        "n": len(rows),
        "below": float(rows["below"].mean()),
        "mean_p": float(rows["p_below"].mean()),
        "too_few": len(rows) < FEW,
    }
    if len(rows) < FEW:
        return said
    below = rows["below"].to_numpy(dtype=bool)
    auc, low, high = evaluate.auc(rows["p_below"].to_numpy(), below, rows["lineage"].to_numpy())
    sets = rows["standard_set"].dropna()
    held = rows.loc[sets.index, "standard"].between(sets.str[0].astype(int), sets.str[-1].astype(int))
    return said | {
        "auc": auc,
        "auc_low": low,
        "auc_high": high,
        "brier": float(((rows["p_below"] - below) ** 2).mean()),
        "coverage": float(held.mean()) if len(sets) else None,
    }


def _at_stake(rows: pd.DataFrame) -> pd.DataFrame:
    top = rows["overall"].eq(1)
    return rows.assign(
        p=rows["p_same"].where(top, rows["p_improve"]),
        base=rows["base_rate"],
        happened=rows["label"].eq("same").where(top, rows["label"].eq("improved")).astype(float),
    )


def _by_group(whole: pd.DataFrame, schools: pd.DataFrame) -> list[dict[str, Any]]:
    """All that could improve, each grade (at the top of staying), and every group fairness is looked at
    by.
    """
    could = whole[whole["overall"].gt(1)]
    result = [{"by": "all", "group": "could improve", **figures(could)}]
    result += [
        {"by": "overall", "group": word, **figures(whole[whole["overall"].eq(grade)])}
        for grade, word in GRADES.items()
    ]
    grouped = evaluate.grouped(schools).drop(columns="phase")
    rows = could.drop(columns=["region", *GROUPS[1:]], errors="ignore").merge(
        grouped, on="urn", how="left", validate="many_to_one"
    )
    for by in (*GROUPS, "label_source"):
        named = rows[by].astype("str").fillna("not known").replace({"<NA>": "not known", "nan": "not known"})
        result += [{"by": by, "group": group, **figures(mine)} for group, mine in rows.groupby(named)]
    return result
