"""Examples to a registered model: cohort, labels, signals, backtest, choice, fit, record, and promotion if
earned.
"""

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from headway import models
from headway.models import RegistryError
from headway.models.champion import CARDS_BACKTEST, Champion, sweep
from headway.models.registry import Registry
from headway.pipelines import (
    as_of,
    evaluate,
    experiments,
    inspections,
    intervals,
    promotion,
    provenance,
    remembered,
    report_cards,
    signals,
    tables,
)
from headway.pipelines.evaluate import LEADERSHIP, OVERALL
from headway.pipelines.experiments import Experiment
from headway.pipelines.remembered import Arrays, Memory
from headway.pipelines.signals import trajectory
from headway.pipelines.tables import DataError, plain

# mornings before the first judged one that are asked about, where only the newest years are judged
LEARNED_YEARS = 5
FEWEST_HELD = 200  # outcomes of schools that have a signal, below which no model can learn what it says
ENOUGH_REPORT_CARDS = 500  # outcomes under report cards before predictions of them stop being extrapolation


def examples(
    known: dict[str, pd.DataFrame],
    mornings: list[pd.Timestamp] | None = None,
    families: tuple[str, ...] = signals.FAMILIES,
) -> pd.DataFrame:
    """Every school on every morning of the grid with its state, signals and what came next: the examples
    table.
    """
    grid = mornings or inspections.mornings(known["coverage"])
    asked = inspections.roster(known["schools"], grid)
    cohort = inspections.cohort(asked, known["school_facts"], known["inspections"])
    labelled = inspections.next_graded(cohort, known["inspections"], known["coverage"], known["schools"])
    made = signals.build(cohort, known, families)
    keep = [column for column in tables.TABLES["examples"].names if column in labelled]
    return pd.concat([labelled[keep], made], axis=1)


def mornings(coverage: pd.DataFrame, before: pd.Timestamp, experiment: Experiment) -> list[pd.Timestamp]:
    """The mornings an experiment asks from, those before a day."""
    grid = [day for day in inspections.mornings(coverage, experiment.mornings) if day < before]
    return (
        grid[-(experiment.newest + LEARNED_YEARS) * len(experiment.mornings) :] if experiment.newest else grid
    )


def outcomes_with(asked: pd.DataFrame, experiment: Experiment) -> pd.Series:
    """For how many outcomes each signal of an experiment's families is filled, of those that models use."""
    return evaluate.usable(asked, OVERALL)[signals.used(experiment.families)].notna().sum()


@contextlib.contextmanager
def nothing_left_behind() -> Iterator[None]:
    """Within, the processes of the folds end with this one, also when it is killed, and leave no arrays in
    shared memory.
    """
    from joblib import parallel_config

    with parallel_config(backend="loky", initializer=_end_with, initargs=(os.getpid(),), max_nbytes=None):
        yield


def _end_with(parent: int) -> None:
    """Run in a process of the folds: looks every second whether its parent still lives, and ends where it
    doesn't.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@nothing_left_behind()
def train(
    folder: Path,
    registry: Registry,
    *,
    morning: pd.Timestamp | None = None,
    promote: str = "auto",
    experiment: Experiment | None = None,
    workers: int = 2,
    whole: bool = True,
    registers: Path | None = None,
    say: Callable[[str], None] = print,
    progress: Callable[[Iterable, int], Iterable] | None = None,
) -> dict[str, Any]:
    """The whole of training: writes examples and backtest, records the run, and returns the report.

    `morning` is the day the final model may know everything before (by default the day after the newest
    file); `registers` the folder of the schools' and trusts' own; `experiment` what to do otherwise than by
    default. Unless `whole`, the parts that fit again (what each family adds, quick re-inspection, the audit)
    are left out. Where the store can't take the run, that is said at the start, the run is kept in `unsent/`
    of the registry's folder, and the report says why under `unsent`. Raises `DataError` where there is too
    little to learn from.
    """
    for place in (folder, registry.root, registry.root / "unsent"):
        for name in sweep(place):
            say(f"removed {place / name}, which a killed command left behind")
    experiment = experiment or Experiment()
    for line in experiments.unlike(experiment):
        say(f"experiment: {line}")
    registry.reigning()  # refused now, where its files were altered, and not after an hour
    # before they are read: a change is new next time
    basis = provenance.made_from(folder, registers, experiment, whole)
    known, about, notes = signals.read_known(folder, registers)
    for note in notes:
        say(note)
    morning = morning or pd.Timestamp(about["newest_file_on"]) + pd.Timedelta(days=1)
    grid = mornings(known["coverage"], morning, experiment)
    asked = as_of.outcomes_known(examples(known, grid), morning, inspections.NOT_YET)
    rows = evaluate.usable(asked, OVERALL)
    say(
        (
            f"examples: {len(asked):,} schools on {len(grid)} mornings = {asked['label'].notna().sum():,} "
            "labelled + "
        )
        + " + ".join(f"{n:,} {why}" for why, n in asked["label_missing_reason"].value_counts().items())
    )
    if not evaluate.folds(asked):
        raise DataError(
            "The files don't hold enough outcomes to learn from and be judged on: no academic year has "
            f"{evaluate.FEWEST_LEARNED:,} outcomes before it and {evaluate.FEWEST_JUDGED} in it.\n"
            "Add the all-inspections files of earlier years to data/raw, or run `headway demo` on made-up "
            "files."
        )
    try:
        registry.check(say)
    except RegistryError as error:
        say(f"{error}\nTraining goes on; its results are kept in {registry.root / 'unsent'}.")
    from joblib import Parallel, delayed

    from headway.pipelines.reports.cards import written

    belongs = signals.family_of()
    fitting, options = experiment.fitting, experiment.options
    memory = Memory(folder / remembered.FOLDER, _made_by(basis["libraries"]))
    walking = {
        "memory": memory,
        "seed": experiment.seed,
        "workers": workers,
        "newest": experiment.newest,
        "half_lives": experiment.half_lives,
        **fitting,
    }
    held = outcomes_with(asked, experiment)
    given = list(held.index[held >= FEWEST_HELD])
    walked = evaluate.walk(asked, given, OVERALL, progress=progress, **walking)
    table, choices = evaluate.backtest(asked, walked, OVERALL, options)
    table, sets, intervals = evaluate.with_sets(table)
    scored = evaluate.scores(table)
    say(_summary(scored))
    led = evaluate.walk(asked, given, LEADERSHIP, rules=False, **walking)
    led_table, led_choices = evaluate.backtest(asked, led, LEADERSHIP, options)

    candidate, half_life, evidence = evaluate.final_choice(walked, asked, OVERALL, morning, options)
    today = as_of.Fold(morning, morning)
    final = rows[today.learned(rows)]
    led_name, led_life, _ = evaluate.final_choice(led, asked, LEADERSHIP, morning, options)
    led_rows = evaluate.usable(asked, LEADERSHIP)
    cards = known["inspections"]["leadership_and_governance"].notna().sum()
    report: dict[str, Any] = {
        "as_of": f"{morning:%Y-%m-%d}",
        **about,
        **provenance.commit(),
        "made_from": basis,
        "experiment": experiments.plain(experiment),
        **provenance.ingested(folder, about),
        "signals": given,
        "families": {name: belongs[name] for name in given},
        "families_off": [f for f in signals.FAMILIES if f not in experiment.families],
        "signals_off": {
            name: signal.off for name, signal in signals.declared(experiment.families).items() if signal.off
        },
        "signals_blank": list(held.index[held == 0]),
        "signals_too_few": {name: int(n) for name, n in held[held.between(1, FEWEST_HELD - 1)].items()},
        "choices": choices,
        "final": {"candidate": candidate, "half_life": half_life, "score_on_earlier_folds": evidence},
        "counts": _counts(asked),
        "scores": scored,
        "means": _means(scored),
        "coverage": evaluate.coverage(table),
        "calibration": evaluate.calibration_curve(table),
        "caught": evaluate.caught(table),
        "fairness": evaluate.fairness(table, known["schools"]),
        "by_source": _by_source(table),
        "leadership": {"choices": led_choices, "scores": _led_scores(led_table)},
        "report_cards": {
            "inspections": int(cards),
            "enough": ENOUGH_REPORT_CARDS,
            "labelled": int(asked["label_source"].eq("crosswalk").sum()),
        },
    }
    if whole:
        wholes = evaluate.wholes(asked, given, workers, memory=memory, **fitting)
        report |= {
            "censoring": evaluate.censoring(asked, wholes, given, workers),
            "audit": audit(asked, wholes, given, known, workers),
            "ablation": evaluate.ablation(wholes, given, report["families"], workers),
        }
    memory.tidy()
    fitted = Parallel(n_jobs=min(workers, 2))(
        (
            delayed(evaluate.fit)(
                final,
                given,
                morning,
                candidate=candidate,
                half_life=half_life,
                seed=experiment.seed,
                **fitting,
            ),
            delayed(evaluate.fit)(
                led_rows[today.learned(led_rows)],
                given,
                morning,
                candidate=led_name,
                half_life=led_life,
                outcome=LEADERSHIP,
                seed=experiment.seed,
                **fitting,
            ),
        )
    )
    champion = Champion(
        *fitted,
        sets,
        intervals,
        {
            "signals": given,
            "families": report["families"],
            "as_of": report["as_of"],
            "data_source": about["data_source"],
            "inputs": about["inputs"],
            "candidate": candidate,
            "half_life": half_life,
            "learned_from": len(final),
            "learned_until": f"{final['next_known_on'].max():%Y-%m-%d}",
            "cells": _cell_sizes(final),
            "seed": experiment.seed,
            "libraries": basis["libraries"],
        },
    )
    champion.cards, walked, report["report_cards"]["forecast"] = report_cards.learn(
        champion, known, final, morning, whole, report_cards.memory(folder, about)
    )
    champion.about["report_cards"] = champion.cards.model.cards
    say(_on_cards(report["report_cards"]["forecast"]))
    champion.about["version"] = report["model_version"] = _fingerprint(champion)
    champion.backtest, champion.cards_backtest = promotion.kept(table), promotion.kept_of_cards(walked)
    tables.write(folder, {"examples": asked, "backtest": table}, about=about)
    with registry.alone(say):
        reigning = registry.reigning()
        decision = promotion.decide(
            table,
            registry.backtest(),
            known["schools"],
            champion.about,
            reigning,
            cards=(walked, registry.backtest(CARDS_BACKTEST)),
        )
        why = "; ".join(decision.reasons)
        report["promotion"] = {
            "asked": promote,
            "earned": decision.promote,
            "why": why,
            "reasons": decision.reasons,
            "comparison": decision.comparison,
        }
        said = {
            "promote": decision.allows(promote),
            "over": reigning and reigning["version"],
            "why": f"forced: {why}" if promote == "force" else why,
            "figures": plain(decision.comparison[:6]),
        }
        try:
            kept = registry.keep(
                champion,
                params=_params(report, experiment),
                metrics=_metrics(report),
                tags={
                    "commit": report["commit"],
                    "data_source": about["data_source"],
                    "inputs": about["inputs"],
                },
                tables={"train": plain(report)},
                figures=_figures(table, report),
                example=_example(final, champion),
                promotion=said,
                texts=written(plain(report)) | {"experiment.toml": experiments.as_toml(experiment)},
                datasets={"examples": (final[given], about["inputs"])},
            )
            sent = registry.send(kept)
            report |= {
                "run": sent.run,
                "registered_version": sent.version,
                "promoted": sent.promoted,
                "unsent": None,
            }
        except RegistryError as error:
            report |= {"run": None, "registered_version": None, "promoted": False, "unsent": str(error)}
        tables.write_json(folder / "train.json", plain(report))
    return report


def _made_by(libraries: dict[str, str]) -> str:
    """What every fit hangs on beside its rows and settings: the code that fits and judges, and libraries."""
    code = [models, evaluate]
    files = [file for package in code for file in remembered.code_of(package)]
    return remembered.hash_of_code(
        [*files, *(file for module in (as_of, trajectory) for file in remembered.code_of(module))],
        json.dumps(libraries, sort_keys=True),
    )


def _on_cards(report: dict[str, Any]) -> str:
    if not report["walk"]:
        return f"report cards: learned from {report['cards']:,}" + (
            "" if report["cards"] else ": the forecast of grades alone"
        )
    newest = report["walk"][-1]["fold"]
    order = {row["area"]: row["auc"] for row in report["walk"] if row["fold"] == newest}
    return (
        f"report cards: learned from {report['cards']:,}; of {newest}'s, leadership below expected AUC "
        f"{order.get('leadership_and_governance', float('nan')):.2f}, any area below {order['any']:.2f}"
    )


# --- the audit of leaks -------------------------------------------------------------------------------------


def audit(
    asked: pd.DataFrame,
    wholes: list[evaluate.Whole],
    given: list[str],
    known: dict[str, pd.DataFrame],
    workers: int = 2,
) -> dict[str, Any]:
    """Where every column came from on each fold's morning, and the figures with later-dated files' columns
    blanked.

    A grade published before a morning counts, though the file we read it from may be dated later (a list of
    latest inspections names its reports' publication days). The check blanks every signal made from such a
    state, in learning and in judging, and fits again.
    """
    declared = signals.declared()
    every = [whole.fold for whole in wholes]
    newest: dict[tuple[str, str], dict[str, str]] = {}
    for source in {source for name in given for source in declared[name].source.split(", ")}:
        for fold in every:
            facts = (
                as_of.known_before(known[source], fold.morning)
                if "known_on" in known.get(source, ())
                else None
            )
            if facts is not None and len(facts):
                fact = facts.loc[facts["known_on"].idxmax()]
                newest[source, fold.name] = {
                    "file": fact.get("source_file", "a register"),
                    "known_on": f"{fact['known_on']:%Y-%m-%d}",
                }
    origins = [
        {"signal": name, "fold": fold.name, "table": source, **newest[source, fold.name]}
        for fold in every
        for name in given
        for source in declared[name].source.split(", ")
        if (source, fold.name) in newest
    ]
    from joblib import Parallel, delayed

    from_states = [name for name in given if "inspections" in declared[name].source]
    later = asked["shown_on"].notna() & ~as_of.is_before(asked["shown_on"], asked["as_of"])
    later = [later.reindex(pd.concat([whole.learned, whole.unseen]).index) for whole in wholes]

    def make(places: list[int]) -> Iterable[Arrays]:
        return Parallel(n_jobs=workers)(
            delayed(_blanked)(wholes[place], later[place], given, from_states) for place in places
        )

    keys = [
        whole.memory.key("blanked", whole.name, blanks, from_states)
        for whole, blanks in zip(wholes, later, strict=True)
    ]
    memory = wholes[0].memory if wholes else Memory()
    figures = [
        {
            "fold": whole.fold.name,
            "rows_blanked": int(blanks.reindex(whole.unseen.index).sum()),
            **{name: None if np.isnan(value) else float(value) for name, value in answer.items()},
        }
        for whole, blanks, answer in zip(wholes, later, memory.each(keys, make), strict=True)
    ]
    return {"origins": origins, "blanked": figures}


def _blanked(whole: evaluate.Whole, later: pd.Series, given: list[str], from_states: list[str]) -> Arrays:
    """A fold's figures as they are, and with signals made from states that a later file shows blanked."""
    learned, unseen = (
        rows.assign(**{name: rows[name].mask(later.reindex(rows.index)) for name in from_states})
        for rows in (whole.learned, whole.unseen)
    )
    again = evaluate.fit(learned, given, whole.fold.morning, candidate="ridge", **whole.settings)
    row: Arrays = {}
    rank = unseen["overall"].to_numpy("int64")
    for kind, model, rows in (("as_is", None, whole.unseen), ("blanked", again, unseen)):
        p = evaluate.improving(model, rows, given) if model else whole.improving
        row[f"brier_{kind}"] = np.asarray(evaluate.squared_error(p, rows)[rank > 1].mean())
        improved = rows["next_overall"].to_numpy("int64") < rank
        row[f"auc_good_{kind}"] = np.asarray(
            evaluate.auc(p[rank == 2], improved[rank == 2])[0], dtype="float64"
        )
    return row


# --- the report's parts -------------------------------------------------------------------------------------


def _counts(asked: pd.DataFrame) -> list[dict[str, Any]]:
    by = (
        asked.assign(reason=asked["label_missing_reason"].fillna("labelled"))
        .groupby(["as_of", "reason"])
        .size()
    )
    return [
        {"as_of": f"{day:%Y-%m-%d}", "reason": reason, "schools": int(n)} for (day, reason), n in by.items()
    ]


def _means(scored: list[dict[str, Any]]) -> list[dict[str, Any]]:
    frame = pd.DataFrame(scored)
    figures = ["skill", "skill_two_years", "auc_2", "auc_3", "auc_4", "slope", "brier"]
    mean = frame.groupby("model")[figures].mean()
    off = (frame["mean_p"] - frame["rate"]).abs().groupby(frame["model"]).mean()
    return [
        {"model": model, **row.to_dict(), "mean_gap": float(off[model])} for model, row in mean.iterrows()
    ]


def _by_source(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Published, derived and crosswalk labels kept apart."""
    rows = table[table["model"].isin(["champion", evaluate.BASE]) & table["overall"].gt(1)]
    error = (rows["p_improve"] - rows["label"].eq("improved")) ** 2
    sums = error.groupby([rows["label_source"], rows["model"]]).agg(["mean", "size"])
    result = []
    for source in sums.index.unique("label_source"):
        mine, base = sums.loc[(source, "champion")], sums.loc[(source, evaluate.BASE)]
        result.append(
            {
                "label_source": source,
                "n": int(mine["size"]),
                "brier": float(mine["mean"]),
                "skill": float(1 - mine["mean"] / base["mean"]),
            }
        )
    return result


def _led_scores(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The leadership grade: error, and skill over the recent rates by grade and phase alone."""
    result = []
    for fold, rows in table.groupby("fold"):
        parts = {name: part.set_index("urn") for name, part in rows.groupby("model")}
        mine, plain = parts["champion"], parts["table"]
        worth = mine["overall"].gt(1)
        better = mine["next_rank"].lt(mine["overall"])[worth].to_numpy(dtype=float)
        error, rule = (
            (part.loc[worth.index[worth], "p_improve"].to_numpy() - better) ** 2 for part in (mine, plain)
        )
        skill, low, high = intervals.skill(error, rule, mine.loc[worth.index[worth], "lineage"])
        result.append(
            {
                "fold": f"{fold:%Y-%m-%d}",
                "n": int(worth.sum()),
                "rate": better.mean(),
                "brier": error.mean(),
                "skill_over_recent_rates": skill,
                "low": low,
                "high": high,
            }
        )
    return result


def _cell_sizes(rows: pd.DataFrame) -> dict[str, int]:
    once = rows.drop_duplicates(["lineage", "next_inspected_on"])
    at = evaluate.state(once)
    return {f"{cell}|{group}": int(n) for (cell, group), n in at.groupby(["cell", "group"]).size().items()}


def _fingerprint(champion: Champion) -> str:
    """The model's own hash: the same inputs give the same version."""
    return hashlib.sha256(json.dumps(champion.as_files(), sort_keys=True).encode()).hexdigest()[:12]


def _params(report: dict[str, Any], experiment: Experiment) -> dict[str, Any]:
    return {
        **experiments.params(experiment),
        "as_of": report["as_of"],
        "candidate": report["final"]["candidate"],
        "half_life": report["final"]["half_life"],
        "signals": len(report["signals"]),
    }


def _metrics(report: dict[str, Any]) -> dict[str, float]:
    result = {}
    for row in report["scores"]:
        if row["model"] in ("champion", evaluate.BASE):
            for key in (
                "brier",
                "skill",
                "skill_two_years",
                "auc_2",
                "auc_3",
                "auc_4",
                "slope",
                "rate",
                "mean_p",
            ):
                result[f"{row['fold'][:4]}_{row['model']}_{key}"] = row[key]
    for row in report["means"]:
        if row["model"] == "champion":
            result |= {f"mean_{key}": value for key, value in row.items() if key != "model"}
    result |= {"coverage": report["coverage"][0]["coverage"]} if report["coverage"] else {}
    return result


def _example(rows: pd.DataFrame, champion: Champion) -> pd.DataFrame:
    """Rows as the served model takes them: every number a double."""
    few = rows.head(20)
    at = evaluate.state(few)
    asked = few.reindex(
        columns=[*champion.signals, *(champion.cards.inputs if champion.cards else [])]
    ).astype("float64")
    return asked.assign(
        overall=at["overall"].astype("float64"),
        cell=at["cell"].astype(object),
        group=at["group"].astype(object),
    ).reset_index(drop=True)


def _figures(table: pd.DataFrame, report: dict[str, Any]) -> dict[str, Any]:
    """Calibration by current grade, and skill by fold, as matplotlib figures."""
    from matplotlib.figure import Figure

    from headway.pipelines.frameworks import GRADES

    rows = table[table["model"].eq("champion") & table["overall"].gt(1)]
    shape = Figure(figsize=(6, 5))
    axes = shape.subplots()
    for grade, mark in ((2, "o-"), (3, "s--"), (4, "^:")):
        mine = rows[rows["overall"].eq(grade)]
        bins = pd.qcut(mine["p_improve"], 8, duplicates="drop")
        means = (
            mine.assign(improved=mine["label"].eq("improved")).groupby(bins)[["p_improve", "improved"]].mean()
        )
        axes.plot(means["p_improve"], means["improved"], mark, label=GRADES[grade])
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    axes.set(
        xlabel="Chance given",
        ylabel="Share that improved",
        title="What was said and what came, by current grade",
    )
    axes.legend()
    skill = Figure(figsize=(6, 4))
    axes = skill.subplots()
    mine = pd.DataFrame(report["scores"]).query("model == 'champion'")
    spread = np.abs(mine[["skill_low", "skill_high"]].to_numpy().T - mine["skill"].to_numpy())
    axes.errorbar(mine["fold"].str[:4], mine["skill"], yerr=spread, fmt="o")
    axes.axhline(0, color="grey", linewidth=0.8)
    axes.set(
        xlabel="Fold (September of)", ylabel="Skill", title="Skill over the plain rates by grade and phase"
    )
    return {"calibration": shape, "skill": skill}


def _summary(scored: list[dict[str, Any]]) -> str:
    frame = pd.DataFrame(scored)
    brier = frame.groupby("model")["brier"].mean()
    mine = frame[frame["model"].eq("champion")]
    worst = mine.loc[mine["skill"].idxmin()]
    return (
        f"backtest: Brier {brier['champion']:.3f}, by grade and phase alone {brier[evaluate.BASE]:.3f}; "
        "better in "
        f"{(mine['skill'] > 0).sum()} of {len(mine)} folds, worst fold {worst['fold']} "
        f"(skill {worst['skill']:.3f})"
    )
