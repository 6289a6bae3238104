"""What each official file is worth: the walk again without each source, with each alone beside grades, and
learned from less.

A source is a table signals are made from, as `signals` declares it; some tables come from one collection and
count as one. All trials fit the ridge of `evaluate` on the same folds and judge it on the same unseen rows;
intervals are paired and by lineage. Two things keep the method honest: a source's own columns dealt out among
schools alike, and columns of chance alone, must earn nothing.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from headway.models.champion import Champion
from headway.pipelines import as_of, evaluate, experiments, intervals, report_cards, signals, tables, train
from headway.pipelines.evaluate import OVERALL, Trial, Whole
from headway.pipelines.tables import DataError

NOISE = 5  # columns of chance alone: about as many as a source gives
SCHOOLS = (500, 1000, 2000, 5000, 10_000)  # lineages learned from, along the curve
YEARS = (2, 3, 5, 8)  # newest years of outcomes learned from; the pause left one with none
DRAWS = 2  # of schools, at each point of the curve


@dataclass(frozen=True)
class Source:
    """A collection: its name in a sentence, the tables read from it, and how they are had."""

    name: str
    tables: tuple[str, ...]
    had: str


FETCHED, ASKED = "downloaded by `headway fetch`", "the school’s or trust’s own work, a row a school and year"
SOURCES = (
    Source("earlier inspections and other judgements", ("inspections",), FETCHED),
    Source("results", ("results",), FETCHED),
    Source("absence", ("absence",), FETCHED),
    Source("census", ("census",), FETCHED),
    Source("workforce", ("workforce", "posts", "ratios", "vacancies", "sickness", "npq"), FETCHED),
    Source("teacher turnover", ("turnover",), FETCHED),
    Source("trusts", ("trusts", "trust_results"), FETCHED),
    Source("lists of schools", ("schools", "school_facts"), FETCHED),
    Source("changes of head", ("head_changes",), "compiled by hand from dated lists of schools"),
    Source("Parent View", ("parent_view",), FETCHED),
    Source("registers", signals.REGISTERS, ASKED),
)
DECOY = "decoy of "
BASE = "inspections"  # the grade is always there, so earlier inspections may stand beside any source


def short_inspections(known: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Our tables without any inspection that gave no grade."""
    rows = known["inspections"]
    return known | {"inspections": rows[rows["kind"].eq("graded")]}


def history(known: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Our tables without the graded inspections that a compiled history alone tells of (2005 to 2020)."""
    rows = known["inspections"]
    return known | {"inspections": rows[~rows["source_file"].str.contains(HISTORY, na=False)]}


HISTORY = "derived_graded_inspections"  # how a compiled history's file is named
Other = Callable[[dict[str, pd.DataFrame]], dict[str, pd.DataFrame]]
# What is a part of a table rather than a table: the examples are made again without it.
PARTS: dict[str, tuple[Other, str]] = {
    "short inspections": (short_inspections, FETCHED),
    "the history of 2005 to 2020": (history, "compiled by hand from Ofsted’s lists of old"),
}


def worth(
    folder: Path,
    champion: Champion | None = None,
    *,
    workers: int = 2,
    newest: int | None = None,
    registers: Path | None = None,
    curves: bool = True,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """The content of worth.json: `sources`, `decoys`, `curves`, and what they were judged on.

    `newest` judges the newest so many academic years only. The curve by report cards takes a `champion`,
    which says what was forecast before any card. Raises `DataError` where nothing was trained, or the files
    have too few outcomes.
    """
    known, about, _ = signals.read_known(folder, registers)
    examples = tables.read(folder, "examples")
    experiment = _experiment(folder)
    counted = train.outcomes_with(examples, experiment)
    given = list(counted.index[counted >= train.FEWEST_HELD])
    wholes = evaluate.wholes(examples, given, workers, newest, **experiment.fitting)
    if not wholes:
        raise DataError(
            "No academic year has enough outcomes before it and in it.\nRun `headway train` first."
        )
    say(f"judged on {len(wholes)} academic years, {wholes[0].fold.name} to {wholes[-1].fold.name}")
    judged = Judged(wholes, given)
    made_of = {name: signal.source.split(", ") for name, signal in signals.declared().items()}
    result = {
        **{key: about[key] for key in ("data_source", "inputs", "newest_file_on")},
        "folds": [whole.fold.name for whole in wholes],
        "n": int(judged.able.sum()),
        "schools": int(judged.lineage[judged.able].nunique()),
        "signals": len(given),
        "with_all": judged.figures(judged.full, judged.plain),
        **_by_source(judged, made_of, known, folder, workers, say),
        "parts": _parts(judged, known, examples, workers, say),
        "curves": {"schools": [], "years": [], "cards": []},
    }
    if curves:
        result["curves"] = _curves(judged, workers, say) | {"cards": _cards(champion, known, examples, about)}
    result["summary"] = summary(result)
    return tables.plain(result)


def _experiment(folder: Path) -> experiments.Experiment:
    """What the last training did otherwise than by default, so that the same signals are judged."""
    told = folder / "train.json"
    if not told.is_file():
        return experiments.Experiment()
    return experiments.of(json.loads(told.read_text(encoding="utf-8"))["experiment"], str(told))


class Judged:
    """The unseen rows of the folds, and how much better one set of chances is than another on them."""

    def __init__(self, wholes: list[Whole], given: list[str]) -> None:
        self.wholes, self.given = wholes, given
        self.rows = pd.concat([whole.unseen for whole in wholes], ignore_index=True)
        self.fold = np.concatenate([np.full(len(w.unseen), at) for at, w in enumerate(wholes)])
        self.lineage = self.rows["lineage"]
        self.rank = self.rows["overall"].to_numpy("int64")
        self.able = self.rank > 1
        self.improved = (self.rows["next_overall"].to_numpy("int64") < self.rank).astype(float)
        self.full = evaluate.whole_chances(wholes)
        self.plain = evaluate.plain_error(wholes)

    def figures(self, p: np.ndarray, rule: np.ndarray) -> dict[str, Any]:
        """Skill of chances over a rule's squared errors, and the mean AUC over folds within grades."""
        able = self.able
        error = (p - self.improved) ** 2
        skill = intervals.skill(error[able], rule[able], self.lineage[able])
        result = dict(zip(("skill", "skill_low", "skill_high"), skill, strict=True))
        return result | {f"auc_{grade}": self._auc(grade, p)[0] for grade in (2, 3)}

    def gain(self, p: np.ndarray, other: np.ndarray) -> dict[str, Any]:
        """The share of the other's squared error that `p` takes away, and what it adds to the AUC within
        Good and within Requires improvement, with intervals; and a verdict.
        """
        able = self.able
        error, beside = (p - self.improved) ** 2, (other - self.improved) ** 2
        gain = intervals.skill(error[able], beside[able], self.lineage[able])
        result: dict[str, Any] = dict(zip(("gain", "gain_low", "gain_high"), gain, strict=True))
        for grade in (2, 3):
            names = (f"auc_{grade}_gain", f"auc_{grade}_gain_low", f"auc_{grade}_gain_high")
            result |= dict(zip(names, self._auc(grade, p, other), strict=True))
        adds, takes = gain[1] > 0, gain[2] < 0
        result["verdict"] = "adds" if adds else "takes away" if takes else "adds nothing that shows"
        return result

    def _auc(self, grade: int, p: np.ndarray, other: np.ndarray | None = None) -> intervals.Interval:
        here = self.rank == grade
        theirs = None if other is None else other[here]
        return intervals.mean_auc(p[here], self.improved[here], self.fold[here], self.lineage[here], theirs)


def _by_source(
    judged: Judged,
    made_of: dict[str, list[str]],
    known: dict[str, pd.DataFrame],
    folder: Path,
    workers: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Every source left out of all, and alone beside grades; and the decoys, beside all and alone.

    Alone, a source is set against its own columns dealt out among schools of the same morning, grade and
    phase: these keep what a column says of a phase or a year, which is no news of a school. Its decoy is
    another dealing.
    """
    given = judged.given
    mine = {source: [name for name in given if set(made_of[name]) & set(source.tables)] for source in SOURCES}
    alone = {
        source: [name for name in names if set(made_of[name]) <= {*source.tables, BASE}]
        for source, names in mine.items()
    }
    held = [source for source in SOURCES if mine[source]]
    trials = {"grades": Trial(())}
    for source in held:
        rest = tuple(name for name in given if name not in mine[source])
        trials |= {
            f"without {source.name}": Trial(rest),
            f"alone {source.name}": Trial(tuple(alone[source])),
            f"beside {DECOY}{source.name}": Trial(tuple(given), tuple(mine[source])),
            f"alone, dealt {source.name}": Trial((), tuple(alone[source])),
            f"alone {DECOY}{source.name}": Trial((), tuple(alone[source]), seed=1),
        }
    trials |= {
        "beside noise": Trial(tuple(given), noise=NOISE),
        "alone, dealt noise": Trial((), noise=NOISE),
        "alone noise": Trial((), noise=NOISE, seed=1),
    }
    say(f"{len(held)} sources, {len(trials)} trials in each year")
    chances = evaluate.tried(judged.wholes, trials, workers)
    grades = chances["grades"].to_numpy()

    def both(name: str, without: np.ndarray, beside: np.ndarray) -> dict[str, Any]:
        with_it = chances[f"alone {name}"].to_numpy()
        dealt = chances[f"alone, dealt {name.removeprefix(DECOY)}"].to_numpy()
        return {
            "to_all": judged.gain(beside, without),
            "alone": judged.gain(with_it, dealt) | judged.figures(with_it, judged.plain),
        }

    return {
        "grades": judged.figures(grades, judged.plain),
        "sources": [
            {"source": source.name, "signals": len(mine[source]), "signals_alone": len(alone[source])}
            | both(source.name, chances[f"without {source.name}"].to_numpy(), judged.full)
            | costs(source, known, folder)
            for source in held
        ],
        "decoys": [
            {"source": name} | both(name, judged.full, chances[f"beside {name}"].to_numpy())
            for name in [*(f"{DECOY}{source.name}" for source in held), "noise"]
        ],
        "without_any": [
            {"source": source.name, "why": "no signal made of it has enough outcomes in these files"}
            for source in SOURCES
            if source not in held
        ],
    }


def costs(source: Source, known: dict[str, pd.DataFrame], folder: Path) -> dict[str, Any]:
    """What a source costs to have, and how late it comes.

    `files`, `rows` and `bytes` are of our tables read from it. `late` is the median of days from the end of
    the academic year that a figure describes (31 August), or from an inspection, to the day it became public:
    below 0 where it comes before the year is over; blank where a list describes only its own day.
    """
    frames = [known[name] for name in source.tables if name in known and len(known[name])]
    files = {file for rows in frames if "source_file" in rows for file in rows["source_file"].dropna()}
    late = pd.concat([_late(rows) for rows in frames]) if frames else pd.Series(dtype="float64")
    paths = [folder / f"{name}.parquet" for name in source.tables]
    return {
        "had": source.had,
        "files": len(files),
        "rows": sum(map(len, frames)),
        "bytes": sum(path.stat().st_size for path in paths if path.is_file()),
        "late": float(late.median()) if late.notna().any() else None,
    }


def _late(rows: pd.DataFrame) -> pd.Series:
    if "inspected_on" in rows:
        return (rows["known_on"] - rows["inspected_on"]).dt.days.astype("float64")
    if "period" not in rows or "known_on" not in rows:
        return pd.Series(np.nan, index=rows.index)
    ends = pd.to_datetime(rows["period"].astype("str") + "-08-31", errors="coerce")
    return (rows["known_on"] - ends).dt.days.astype("float64")


def _parts(
    judged: Judged,
    known: dict[str, pd.DataFrame],
    examples: pd.DataFrame,
    workers: int,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """What parts of a table are worth: the examples made again without them, judged on the same rows."""
    result = []
    grid = sorted(pd.Timestamp(day) for day in examples["as_of"].unique())
    for name, (without, had) in PARTS.items():
        left = without(known)
        gone = len(known["inspections"]) - len(left["inspections"])
        row: dict[str, Any] = {"source": name, "rows": gone, "had": had, "to_all": None, "folds": []}
        if gone:
            say(f"made again without {name}: {gone:,} inspections fewer")
            again = train.examples(left, grid)
            wholes = evaluate.rebuilt(judged.wholes, again, judged.given, workers)
            kept = [whole.fold.name for whole in wholes]
            if kept:
                mine = Judged([whole for whole in judged.wholes if whole.fold.name in kept], judged.given)
                other = evaluate.whole_chances(wholes)
                row |= {"folds": kept, "n": int(mine.able.sum()), "to_all": mine.gain(mine.full, other)}
        result.append(row)
    return result


def _curves(judged: Judged, workers: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Skill by how many schools, and by how many newest years of outcomes, were learned from."""
    used = tuple(judged.given)
    many = max(whole.learned["lineage"].nunique() for whole in judged.wholes)
    trials = {
        ("schools", number, draw): Trial(used, schools=number, seed=draw)
        for number in SCHOOLS
        if number < many
        for draw in range(DRAWS)
    } | {("years", number, 0): Trial(used, years=number) for number in YEARS}
    say(f"learning curves: {len(trials)} trials in each year")
    named = {" ".join(map(str, key)): trial for key, trial in trials.items()}
    chances = evaluate.tried(judged.wholes, named, workers)
    result: dict[str, list[dict[str, Any]]] = {"schools": [], "years": []}
    for key in dict.fromkeys(key[:2] for key in trials):
        draws = [other for other in trials if other[:2] == key]
        mean = [judged.figures(chances[" ".join(map(str, each))].to_numpy(), judged.plain) for each in draws]
        learned = [evaluate.some_of(whole, trials[each]) for each in draws for whole in judged.wholes]
        result[key[0]].append(
            {key[0]: key[1], "draws": len(draws), "rows": float(np.mean([len(rows) for rows in learned]))}
            | {figure: float(np.mean([row[figure] for row in mean])) for figure in mean[0]}
        )
    rows = float(np.mean([len(whole.learned) for whole in judged.wholes]))
    whole = {"draws": 1, "rows": rows} | judged.figures(judged.full, judged.plain)
    result["schools"].append({"schools": many, "all": True} | whole)
    result["years"].append({"years": None, "all": True} | whole)
    return result


def _cards(
    champion: Champion | None, known: dict[str, pd.DataFrame], examples: pd.DataFrame, about: dict[str, Any]
) -> list[dict[str, Any]]:
    """Skill over the rate by the grade before, by how many report cards were learned from; the newest month's
    cards judged.
    """
    morning = pd.Timestamp(about["newest_file_on"]) + pd.Timedelta(days=1)
    given = report_cards.cards(known, morning)
    if champion is None or given.empty:
        return []
    rows = evaluate.usable(examples, OVERALL)
    learned = rows[as_of.Fold(morning, morning).learned(rows)]
    learner = report_cards.Learner.of(champion, known, given, learned)
    result = []
    for many, judged in report_cards.learning_curve(learner, sets=False):
        mine = judged[judged["area"].ne("any")]
        below, lineage = mine["below"].to_numpy(dtype=float), mine["lineage"]
        error, rule = ((mine[name].to_numpy() - below) ** 2 for name in ("p_below", "rate"))
        skill = intervals.skill(error, rule, lineage)
        # areas differ in how often they come out below, so order is told within each
        order = intervals.mean_auc(mine["p_below"].to_numpy(), below, mine["area"], lineage)
        result.append(
            {"cards": many, "judged": int(judged[["urn", "as_of"]].drop_duplicates().shape[0])}
            | dict(zip(("skill", "skill_low", "skill_high"), skill, strict=True))
            | dict(zip(("auc", "auc_low", "auc_high"), order, strict=True))
        )
    return result


def summary(found: dict[str, Any]) -> list[str]:
    """What came of it, a sentence each."""
    lines = []
    for row in found["sources"]:
        beside, alone = row["to_all"], row["alone"]
        lines.append(
            f"{row['source']}: {_words(beside)} to all the others; alone beside grades, {_words(alone)}"
        )
    lines += [
        f"{row['source']}: {_words(row['to_all'])} to all the others, in the {len(row['folds'])} academic "
        "years with enough left to learn from"
        for row in found["parts"]
        if row["to_all"]
    ]
    earned = [row["source"] for row in found["decoys"] if _earned(row, 2 * len(found["decoys"]))]
    lines.append(
        f"{len(found['decoys'])} decoys, each beside all and alone: "
        + (f"these earn something, so the method is not to be trusted: {', '.join(earned)}" if earned else
           "none earns anything")
    )  # fmt: skip
    return lines


def _earned(row: dict[str, Any], looks: int) -> bool:
    """Whether a decoy gains beyond what chance gives the luckiest of so many looks (Bonferroni)."""
    wider = stats.norm.ppf(1 - 0.025 / looks) / stats.norm.ppf(0.975)
    return any(
        gains["gain"] > wider * (gains["gain"] - gains["gain_low"]) for gains in (row["to_all"], row["alone"])
    )


def _words(row: dict[str, Any]) -> str:
    low, high = (f"{row[f'gain_{side}']:+.2%}" for side in ("low", "high"))
    return f"{row['verdict']}, {row['gain']:+.2%} of the error ({low} to {high})"
