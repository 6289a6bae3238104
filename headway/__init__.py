"""Headway in a notebook: will this school improve at its next inspection?

    import headway

    known = headway.tables("data/tables")           # what `headway ingest` wrote
    schools = headway.cohort(known, "2025-09-01")   # every open school on a morning, as known then
    past = headway.examples(known)                  # the same on past mornings, with what came next
    rows, choices = headway.backtest(past)          # each year asked by models that had not seen it
    model = headway.champion("mlruns/champion")     # what `headway train` promoted
    today = headway.forecast(known, model)          # a row a school, and a row a school and area
    headway.explain(today, 100000)                  # what moved one school's chances, in points

These names are stable: `headway.pipelines`, `headway.models` and `headway.explorer` may change from one
version to the next. Nothing here writes, trains in the background or calls anybody. Times are mornings:
nothing published on the day or later counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from headway.models.champion import Champion

__all__ = [
    "Forecast",
    "Known",
    "__version__",
    "backtest",
    "champion",
    "cohort",
    "examples",
    "explain",
    "forecast",
    "tables",
]


def __getattr__(name: str) -> str:
    if name == "__version__":
        try:
            return metadata.version("headway")
        except metadata.PackageNotFoundError:  # run from a copy of its folder
            return "0"
    raise AttributeError(f"module 'headway' has no attribute {name!r}")


@dataclass(frozen=True)
class Known:
    """Everything known of schools: our tables by name (`known["inspections"]`), and what is known of them as
    a whole.

    `about` has data_source (official or made-up), newest_file_on and the hash of all inputs; `notes` are what
    registers had to say.
    """

    folder: Path
    frames: Mapping[str, pd.DataFrame]
    about: Mapping[str, Any]
    notes: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.frames[name]

    def __iter__(self) -> Iterable[str]:
        return iter(self.frames)

    @property
    def morning(self) -> pd.Timestamp:
        """The day after the newest file: the morning that is asked about where none is named."""
        import pandas as pd

        return pd.Timestamp(self.about["newest_file_on"]) + pd.Timedelta(days=1)


@dataclass(frozen=True)
class Forecast:
    """What a champion says of every open school on a morning.

    `predictions` has a row a school (or the reason why it has no chances), `areas` a row a school and area of
    its next report card, and `any`, `signals` what both were made from. Their columns are declared in
    `headway.pipelines.tables`.
    """

    predictions: pd.DataFrame
    areas: pd.DataFrame
    signals: pd.DataFrame


def tables(folder: str | Path = "data/tables", registers: str | Path | None = None) -> Known:
    """Our tables in a folder, with the registers that schools and trusts keep themselves.

    Raises `headway.pipelines.tables.DataError` where a table is missing or damaged, or a register isn't in
    order.
    """
    from headway.pipelines import signals

    frames, about, notes = signals.read_known(Path(folder), registers and Path(registers))
    return Known(Path(folder), frames, about, notes)


def cohort(
    known: Known, morning: str | pd.Timestamp | None = None, urns: Iterable[int] | None = None
) -> pd.DataFrame:
    """Every school open on a morning, or those of some URNs: its state as known then, and every signal as a
    column.

    One row a school: urn, lineage, as_of, phase, overall, leadership, inspected_on and what else the table
    `signals_today` has. Signals are float64; a blank stays a blank.
    """
    import pandas as pd

    from headway.pipelines import inspections
    from headway.pipelines.scoring import score

    when = known.morning if morning is None else pd.Timestamp(morning)
    asked = inspections.roster(known["schools"], [when])
    asked = asked if urns is None else asked[asked["urn"].isin(list(urns))].reset_index(drop=True)
    state, made = score.signals_on(asked, dict(known.frames))
    return state.join(made)


def examples(known: Known, mornings: Iterable[str | pd.Timestamp] | None = None) -> pd.DataFrame:
    """Every school on every morning (by default each 1 September that the files reach), with what came next.

    One row a school and morning, as the table `examples`: the state, every signal, `label` (improved, same,
    worse), or `label_missing_reason`. Only outcomes public before `known.morning` count.
    """
    import pandas as pd

    from headway.pipelines import as_of, inspections, train

    grid = None if mornings is None else [pd.Timestamp(day) for day in mornings]
    return as_of.outcomes_known(train.examples(dict(known.frames), grid), known.morning, inspections.NOT_YET)


def backtest(
    rows: pd.DataFrame, signals: Iterable[str] | None = None, *, workers: int = 1, newest: int | None = None
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Each academic year asked by models that learned only from outcomes public before it, beside the plain
    rules.

    `rows` are `examples`; `signals` the columns models may use (by default all with enough outcomes), so that
    a signal of one's own can be tried; `newest` judges the newest so many years only. Returns the table
    `backtest` (a row an example and model, with p_improve, p_same, p_worse and each next grade's chance) and
    what each fold chose from the folds before it.
    """
    from headway.pipelines import evaluate, train
    from headway.pipelines.experiments import Experiment

    counted = train.outcomes_with(rows, Experiment())
    given = list(counted.index[counted >= train.FEWEST_HELD]) if signals is None else list(signals)
    walked = evaluate.walk(rows, given, evaluate.OVERALL, workers=workers, newest=newest)
    return evaluate.backtest(rows, walked, evaluate.OVERALL)


def champion(folder: str | Path = "mlruns/champion") -> Champion:
    """The model in use, from its plain files. Raises `DataError` where there is none or its files were
    altered.
    """
    from headway.pipelines.scoring import score

    return score.load(Path(folder))


def forecast(known: Known, model: Champion, morning: str | pd.Timestamp | None = None) -> Forecast:
    """The champion's answer for every school now open, as of a morning; nothing is trained."""
    import pandas as pd

    from headway.pipelines.scoring import score

    when = known.morning if morning is None else pd.Timestamp(morning)
    result = score.of_known(dict(known.frames), known.about, model, when)
    areas = result.get("forecasts", pd.DataFrame())
    return Forecast(result["predictions"], areas, result["signals_today"])


def explain(said: Forecast, urn: int) -> pd.DataFrame:
    """What moved one school's chances away from those of schools like it.

    A row a question (`improve`; `leadership_and_governance` and `any` below expected) and family of signals:
    start (the chance of schools like it), family, points (what the family adds, in percentage points) and
    chance (where all of them lead). Raises `KeyError` where the school isn't in the forecast.
    """
    import pandas as pd

    mine = said.predictions[said.predictions["urn"].eq(urn)]
    if mine.empty:
        raise KeyError(f"URN {urn} is in no row of this forecast")
    rows = [("improve", mine.iloc[0], "p_improve")]
    if len(said.areas):
        areas = said.areas[
            said.areas["urn"].eq(urn) & said.areas["area"].isin(["leadership_and_governance", "any"])
        ]
        rows += [(row["area"], row, "p_below") for _, row in areas.iterrows()]
    told = [
        {
            "question": question,
            "start": row["base_rate"],
            "family": column.removeprefix("contribution_"),
            "points": 100 * row[column],
            "chance": row[chance],
        }
        for question, row, chance in rows
        if not pd.isna(row[chance])
        for column in row.index
        if column.startswith("contribution_") and not pd.isna(row[column])
    ]
    moves = pd.DataFrame(told, columns=["question", "start", "family", "points", "chance"])
    return (
        moves.assign(size=moves["points"].abs())
        .sort_values(["question", "size"], ascending=[True, False], ignore_index=True)
        .drop(columns="size")
    )
