"""Examples to a registered model: cohort, labels, signals, backtest, choice, fit, record, and promotion if earned."""

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.champion import Champion
from models.registry import Registry
from pipelines import as_of, evaluate, inspections, signals, tables
from pipelines.evaluate import LEADERSHIP, OVERALL
from pipelines.tables import DataError

# A promoted model beats the plain rates by grade and phase with this confidence, and is calibrated within these bounds.
SLOPE_WITHIN = (0.8, 1.25)
TOO_GOOD = {"auc_2": 0.90, "auc_3": 0.76, "auc_4": 0.97}  # with these signals no honest model comes near; see docs
LEARNED_YEARS = 5  # mornings before the first judged one that are asked about, where only the newest years are judged
ENOUGH_REPORT_CARDS = 500  # outcomes under report cards before predictions of them stop being extrapolation


def examples(known: dict[str, pd.DataFrame], mornings: list[pd.Timestamp] | None = None,
             families: tuple[str, ...] = signals.FAMILIES) -> pd.DataFrame:  # fmt: skip
    """Every school on every morning of the grid with its state, signals and what came next: the examples table."""
    grid = mornings or inspections.mornings(known["coverage"])
    asked = inspections.roster(known["schools"], grid)
    cohort = inspections.cohort(asked, known["schools"], known["school_facts"], known["inspections"])
    labelled = inspections.next_graded(cohort, known["inspections"], known["coverage"], known["schools"])
    made = signals.build(cohort, known, families)
    keep = [column for column in tables.TABLES["examples"].names if column in labelled]
    return pd.concat([labelled[keep], made], axis=1)


def read_known(folder: Path) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """The tables signals are made from, and what is known about them as a whole."""
    about = tables.about(folder, "inspections")
    return {name: tables.read(folder, name) for name in signals.TABLES}, about


def train(folder: Path, registry: Registry, *, morning: pd.Timestamp | None = None, promote: str = "auto", seed: int = 0,
          workers: int = 2, families: tuple[str, ...] | None = None, whole: bool = True, newest: int | None = None,
          say: Callable[[str], None] = print,
          progress: Callable[[Iterable, int], Iterable] | None = None) -> dict[str, Any]:  # fmt: skip
    """The whole of training: writes examples and backtest, records the run, and returns the report.

    `morning` is the day the final model may know everything before (by default the day after the newest file). Unless
    `whole`, the parts that fit again (what each family adds, quick re-inspection, the audit) are left out; `newest` judges
    on so many academic years only, and learns from a few more.
    Raises `DataError` where there is too little to learn from.
    """
    known, about = read_known(folder)
    morning = morning or pd.Timestamp(about["newest_file_on"]) + pd.Timedelta(days=1)
    grid = [day for day in inspections.mornings(known["coverage"]) if day < morning]
    if newest:
        grid = grid[-(newest + LEARNED_YEARS) :]
    asked = examples(known, grid)
    rows = evaluate.usable(asked, OVERALL)
    say(f"examples: {len(asked):,} schools on {len(grid)} mornings = {asked['label'].notna().sum():,} labelled + "
        + " + ".join(f"{n:,} {why}" for why, n in asked["label_missing_reason"].value_counts().items()))  # fmt: skip
    every = evaluate.folds(asked)
    if not every:
        raise DataError(
            "The files don't hold enough outcomes to learn from and be judged on: no academic year has "
            f"{evaluate.FEWEST_LEARNED:,} outcomes before it and {evaluate.FEWEST_JUDGED} in it.\n"
            "Add the all-inspections files of earlier years to data/raw, or run `headway demo` on made-up files."
        )
    belongs = signals.family_of()
    chosen = families or tuple(name for name in signals.FAMILIES if name not in signals.OFF)
    given = [name for name in signals.declared(chosen) if rows[name].notna().any()]
    blank = [name for name in signals.declared(chosen) if name not in given]
    walked = evaluate.walk(asked, given, OVERALL, seed, workers, newest, progress)
    table, choices = evaluate.backtest(asked, walked)
    table, sets, intervals = evaluate.with_sets(table)
    scored = evaluate.scores(table)
    say(_summary(scored))
    led = evaluate.walk(asked, given, LEADERSHIP, seed, workers, newest, rules=False)
    led_table, led_choices = evaluate.backtest(asked, led, LEADERSHIP)

    candidate, half_life, evidence = evaluate.final_choice(walked, asked, OVERALL, morning)
    today = as_of.Fold(morning, morning)
    final = rows[today.learned(rows)]
    led_name, led_life, _ = evaluate.final_choice(led, asked, LEADERSHIP, morning)
    led_rows = evaluate.usable(asked, LEADERSHIP)
    cards = known["inspections"]["leadership_and_governance"].notna().sum()
    report: dict[str, Any] = {
        "as_of": f"{morning:%Y-%m-%d}", **about, "commit": _commit(), "signals": given,
        "families": {name: belongs[name] for name in given}, "families_off": [f for f in signals.FAMILIES if f not in chosen],
        "signals_blank": blank,
        "choices": choices, "final": {"candidate": candidate, "half_life": half_life, "score_on_earlier_folds": evidence},
        "counts": _counts(asked), "scores": scored, "means": _means(scored), "coverage": evaluate.coverage(table),
        "caught": evaluate.caught(table), "fairness": evaluate.fairness(table, known["schools"]),
        "by_source": _by_source(table), "leadership": {"choices": led_choices, "scores": _led_scores(led_table)},
        "report_cards": {"inspections": int(cards), "enough": ENOUGH_REPORT_CARDS,
                         "labelled": int(asked["label_source"].eq("crosswalk").sum())},
    }  # fmt: skip
    if whole:
        report |= {
            "censoring": evaluate.censoring(asked, given, workers), "audit": audit(asked, given, known, workers),
            "ablation": evaluate.ablation(asked, given, report["families"], workers),
        }  # fmt: skip
    say(f"report cards: {cards:,} inspections so far; predictions of them are extrapolation"
        + ("" if cards < ENOUGH_REPORT_CARDS else " until their outcomes can be compared with grades"))  # fmt: skip
    champion = Champion(
        evaluate.fit(final, given, morning, candidate=candidate, half_life=half_life, seed=seed),
        evaluate.fit(led_rows[today.learned(led_rows)], given, morning, candidate=led_name,
                     half_life=led_life, outcome=LEADERSHIP, seed=seed),
        sets, intervals,
        {"signals": given, "families": report["families"], "as_of": report["as_of"], "data_source": about["data_source"],
         "inputs": about["inputs"], "candidate": candidate, "half_life": half_life, "learned_from": len(final),
         "cells": _cell_sizes(final), "seed": seed},
    )  # fmt: skip
    earned, why = _earned(scored, champion, registry)
    report["promotion"] = {"asked": promote, "earned": earned, "why": why}
    champion.about["version"] = _fingerprint(champion)
    report["model_version"] = champion.about["version"]
    tables.write(folder, {"examples": asked, "backtest": table}, about=about)
    run, version = registry.record(
        champion, params=_params(report, seed), metrics=_metrics(report), tags={"commit": report["commit"], "data_source":
        about["data_source"], "inputs": about["inputs"]}, tables={"train": _plain(report)}, figures=_figures(table, report),
        texts={}, example=_example(final, given), datasets={"examples": (final[given].head(1000), about["inputs"])},
    )  # fmt: skip
    promoted = promote == "force" or (promote == "auto" and earned)
    if promoted:
        registry.promote(version, champion)
    else:
        registry.challenge(version)
    report |= {"run": run, "registered_version": version, "promoted": promoted}
    tables.write_json(folder / "train.json", _plain(report))
    return report


# --- the audit of leaks -----------------------------------------------------------------------------------------------


def audit(asked: pd.DataFrame, given: list[str], known: dict[str, pd.DataFrame], workers: int = 2) -> dict[str, Any]:
    """Where every column came from on each fold's morning, and the figures with later-dated files' columns blanked.

    A grade published before a morning counts, though the file we read it from may be dated later (a list of latest
    inspections names its reports' publication days). The check blanks every signal made from such a state, in learning
    and in judging, and fits again.
    """
    declared = signals.declared()
    every = evaluate.folds(asked)
    newest: dict[tuple[str, str], dict[str, str]] = {}
    for source in {source for name in given for source in declared[name].source.split(", ")}:
        for fold in every:
            facts = as_of.known_before(known[source], fold.morning) if "known_on" in known.get(source, ()) else None
            if facts is not None and len(facts):
                fact = facts.loc[facts["known_on"].idxmax()]
                newest[source, fold.name] = {"file": fact["source_file"], "known_on": f"{fact['known_on']:%Y-%m-%d}"}
    origins = [{"signal": name, "fold": fold.name, "table": source, **newest[source, fold.name]}
               for fold in every for name in given for source in declared[name].source.split(", ")
               if (source, fold.name) in newest]  # fmt: skip
    from joblib import Parallel, delayed

    from_states = [name for name in given if "inspections" in declared[name].source]
    figures = Parallel(n_jobs=workers)(delayed(_blanked)(fold, asked, given, from_states) for fold in every)
    return {"origins": origins, "blanked": figures}


def _blanked(fold: as_of.Fold, asked: pd.DataFrame, given: list[str], from_states: list[str]) -> dict[str, Any]:
    later = asked["shown_on"].notna() & ~as_of.is_before(asked["shown_on"], asked["as_of"])
    row: dict[str, Any] = {"fold": fold.name, "rows_blanked": int(later[fold.unseen(asked)].sum())}
    for kind, hidden in (("as_is", None), ("blanked", later)):
        frame = asked if hidden is None else asked.assign(**{name: asked[name].mask(hidden) for name in from_states})
        rows = evaluate.usable(frame, OVERALL)
        learned, unseen = rows[fold.learned(rows)], rows[fold.unseen(rows)]
        model = evaluate.fit(learned, given, fold.morning, candidate="ridge")
        rank = unseen["overall"].to_numpy("int64")
        p = evaluate.as_outcome(pd.DataFrame(model.predict(unseen[given], evaluate.state(unseen))), rank)["p_improve"]
        improved, could = unseen["next_overall"].to_numpy("int64") < rank, rank > 1
        row[f"brier_{kind}"] = float(np.mean((p.to_numpy() - improved)[could] ** 2))
        row[f"auc_good_{kind}"] = evaluate.auc(p.to_numpy()[rank == 2], improved[rank == 2])[0]
    return row


# --- the report's parts -----------------------------------------------------------------------------------------------


def _counts(asked: pd.DataFrame) -> list[dict[str, Any]]:
    by = asked.assign(reason=asked["label_missing_reason"].fillna("labelled")).groupby(["as_of", "reason"]).size()
    return [{"as_of": f"{day:%Y-%m-%d}", "reason": reason, "schools": int(n)} for (day, reason), n in by.items()]


def _means(scored: list[dict[str, Any]]) -> list[dict[str, Any]]:
    frame = pd.DataFrame(scored)
    figures = ["skill", "skill_two_years", "auc_2", "auc_3", "auc_4", "slope", "brier"]
    mean = frame.groupby("model")[figures].mean()
    off = (frame["mean_p"] - frame["rate"]).abs().groupby(frame["model"]).mean()
    return [{"model": model, **row.to_dict(), "mean_gap": float(off[model])} for model, row in mean.iterrows()]


def _by_source(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Published, derived and crosswalk labels kept apart."""
    rows = table[table["model"].isin(["champion", evaluate.BASE]) & table["overall"].gt(1)]
    error = (rows["p_improve"] - rows["label"].eq("improved")) ** 2
    sums = error.groupby([rows["label_source"], rows["model"]]).agg(["mean", "size"])
    found = []
    for source in sums.index.unique("label_source"):
        mine, base = sums.loc[(source, "champion")], sums.loc[(source, evaluate.BASE)]
        found.append({"label_source": source, "n": int(mine["size"]), "brier": float(mine["mean"]),
                      "skill": float(1 - mine["mean"] / base["mean"])})  # fmt: skip
    return found


def _led_scores(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The leadership grade: error, and skill over the recent rates by grade and phase alone."""
    found = []
    for fold, rows in table.groupby("fold"):
        parts = {name: part.set_index("urn") for name, part in rows.groupby("model")}
        mine, plain = parts["champion"], parts["table"]
        worth = mine["overall"].gt(1)
        better = mine["next_rank"].lt(mine["overall"])[worth].to_numpy(dtype=float)
        error, rule = ((part.loc[worth.index[worth], "p_improve"].to_numpy() - better) ** 2 for part in (mine, plain))
        low, high = evaluate.skill_interval(error, rule)
        found.append({"fold": f"{fold:%Y-%m-%d}", "n": int(worth.sum()), "rate": better.mean(), "brier": error.mean(),
                      "skill_over_recent_rates": 1 - error.mean() / rule.mean(), "low": low, "high": high})  # fmt: skip
    return found


def _cell_sizes(rows: pd.DataFrame) -> dict[str, int]:
    once = rows.drop_duplicates(["lineage", "next_inspected_on"])
    at = evaluate.state(once)
    return {f"{cell}|{group}": int(n) for (cell, group), n in at.groupby(["cell", "group"]).size().items()}


def _earned(scored: list[dict[str, Any]], champion: Champion, registry: Registry) -> tuple[bool, str]:
    """Whether the candidate may be champion, and why or why not."""
    frame = pd.DataFrame(scored)
    mine = frame[frame["model"].eq("champion")]
    good = {name: mine[name].mean() for name in TOO_GOOD}
    for name, limit in TOO_GOOD.items():
        if good[name] > limit:
            return False, (f"too good to be true: mean AUC within grade {name[-1]} is {good[name]:.3f}, over {limit}; look "
                           "for a leak")  # fmt: skip
    if mine["skill"].mean() <= 0 or (mine["skill_low"] > 0).mean() < 0.5:
        return False, f"no better than the plain rates by grade and phase (mean skill {mine['skill'].mean():.3f})"
    slope = mine["slope"].mean()
    if not SLOPE_WITHIN[0] <= slope <= SLOPE_WITHIN[1]:
        return False, f"calibration slope {slope:.2f} is outside {SLOPE_WITHIN[0]}-{SLOPE_WITHIN[1]}"
    better = (mine["skill"] > 0).sum()
    return True, f"mean skill {mine['skill'].mean():.3f} over the plain rates, better in {better} of {len(mine)} folds"


def _fingerprint(champion: Champion) -> str:
    """The model's own hash: the same inputs give the same version."""
    return hashlib.sha256(json.dumps(champion.as_files(), sort_keys=True).encode()).hexdigest()[:12]


def _commit() -> str:
    here = Path(__file__).resolve().parent
    told = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


def _params(report: dict[str, Any], seed: int) -> dict[str, Any]:
    from models.estimators import BOOSTING, PENALTY, ROUNDS

    return {**BOOSTING, "rounds": ROUNDS, "penalty": PENALTY, "seed": seed, "as_of": report["as_of"],
            "candidate": report["final"]["candidate"], "half_life": report["final"]["half_life"],
            "families": ",".join(sorted(set(report["families"].values()))), "signals": len(report["signals"])}  # fmt: skip


def _metrics(report: dict[str, Any]) -> dict[str, float]:
    found = {}
    for row in report["scores"]:
        if row["model"] in ("champion", evaluate.BASE):
            for key in ("brier", "skill", "skill_two_years", "auc_2", "auc_3", "auc_4", "slope", "rate", "mean_p"):
                found[f"{row['fold'][:4]}_{row['model']}_{key}"] = row[key]
    for row in report["means"]:
        if row["model"] == "champion":
            found |= {f"mean_{key}": value for key, value in row.items() if key != "model"}
    found |= {"coverage": report["coverage"][0]["coverage"]} if report["coverage"] else {}
    return found


def _example(rows: pd.DataFrame, given: list[str]) -> pd.DataFrame:
    """Rows as the served model takes them: every number a double."""
    few = rows.head(20)
    at = evaluate.state(few)
    return few[given].astype("float64").assign(overall=at["overall"].astype("float64"), cell=at["cell"].astype(object),
                                               group=at["group"].astype(object)).reset_index(drop=True)  # fmt: skip


def _figures(table: pd.DataFrame, report: dict[str, Any]) -> dict[str, Any]:
    """Calibration by current grade, and skill by fold, as matplotlib figures."""
    from matplotlib.figure import Figure

    from pipelines.frameworks import GRADES

    rows = table[table["model"].eq("champion") & table["overall"].gt(1)]
    shape = Figure(figsize=(6, 5))
    axes = shape.subplots()
    for grade, mark in ((2, "o-"), (3, "s--"), (4, "^:")):
        mine = rows[rows["overall"].eq(grade)]
        bins = pd.qcut(mine["p_improve"], 8, duplicates="drop")
        means = mine.assign(improved=mine["label"].eq("improved")).groupby(bins)[["p_improve", "improved"]].mean()
        axes.plot(means["p_improve"], means["improved"], mark, label=GRADES[grade])
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    axes.set(xlabel="Chance given", ylabel="Share that improved", title="What was said and what came, by current grade")
    axes.legend()
    skill = Figure(figsize=(6, 4))
    axes = skill.subplots()
    mine = pd.DataFrame(report["scores"]).query("model == 'champion'")
    spread = np.abs(mine[["skill_low", "skill_high"]].to_numpy().T - mine["skill"].to_numpy())
    axes.errorbar(mine["fold"].str[:4], mine["skill"], yerr=spread, fmt="o")
    axes.axhline(0, color="grey", linewidth=0.8)
    axes.set(xlabel="Fold (September of)", ylabel="Skill", title="Skill over the plain rates by grade and phase")
    return {"calibration": shape, "skill": skill}


def _summary(scored: list[dict[str, Any]]) -> str:
    frame = pd.DataFrame(scored)
    brier = frame.groupby("model")["brier"].mean()
    mine = frame[frame["model"].eq("champion")]
    worst = mine.loc[mine["skill"].idxmin()]
    return (f"backtest: Brier {brier['champion']:.3f}, by grade and phase alone {brier[evaluate.BASE]:.3f}; better in "
            f"{(mine['skill'] > 0).sum()} of {len(mine)} folds, worst fold {worst['fold']} "
            f"(skill {worst['skill']:.3f})")  # fmt: skip


def _plain(content: Any) -> Any:
    """JSON's own types; figures that are not numbers become null."""
    if isinstance(content, dict):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    if isinstance(content, np.generic):
        content = content.item()
    if isinstance(content, float) and not np.isfinite(content):
        return None
    return content
