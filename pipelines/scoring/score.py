"""Every open school to one prediction row, or one reason why not. Nothing is trained here and nothing is
unpickled.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from headway.models.champion import Champion
from headway.models.report_cards import UNEXPLAINED, UNKNOWN
from headway.pipelines import evaluate, frameworks, inspections, report_cards, signals, tables
from headway.pipelines.remembered import Memory
from headway.pipelines.tables import DataError

SCORED = "scored"
# Why there is no chance of improving though there is a forecast: the next inspection gives standards by area,
# and only from below good is there a line to improve across.
NO_LINE = "the next inspection is a report card: it gives no grade to compare with this one"
CARD_TO_CARD = "it has a report card: whether the next is better is learned once enough second ones are out"
# outcomes of its grade and phase learned from, below which we say there is not enough like it
FEW_LIKE_IT = 60
CARRIED = (
    "urn",
    "lineage",
    "as_of",
    "overall",
    "overall_source",
    "leadership",
    "inspected_on",
    "graded_urn",
    "framework",
    "phase",
)


def load(folder: Path) -> Champion:
    """The champion's plain files. Raises `DataError` where there is none."""
    try:
        return Champion.load(folder)
    except FileNotFoundError as error:
        raise DataError(f"There is no champion in {folder}.\nRun `headway train` first.") from error


def score(
    folder: Path,
    champion: Champion,
    morning: pd.Timestamp | None = None,
    alike: bool = True,
    registers: Path | None = None,
    say: Callable[[str], None] = print,
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """The tables of a morning (by default the day after the newest file), and what is known about them all.

    `predictions` has one row for each open school, `signals_today` what they were made from and, if `alike`,
    `similar` thirty schools like each and what became of them, and `similar_cards` ten that have a report
    card and what it said.

    Raises `DataError` where the champion was trained on files of another kind (official, made up) than the
    tables.
    """
    about = agreed(folder, champion)
    known, _, notes = signals.read_known(folder, registers)
    for note in notes:
        say(note)
    morning = morning or pd.Timestamp(about["newest_file_on"]) + pd.Timedelta(days=1)
    cohort, made, said, made_tables = _answered(known, about, champion, morning)
    if alike:
        scored = made_tables["predictions"]["status"].eq(SCORED)
        kept = report_cards.memory(folder, about)
        made_tables |= _alike(
            cohort, made, scored, known, tables.read(folder, "examples"), champion, said, kept
        )
    return made_tables, about


def of_known(
    known: dict[str, pd.DataFrame], about: dict[str, Any], champion: Champion, morning: pd.Timestamp
) -> dict[str, pd.DataFrame]:
    """The tables `predictions`, `signals_today` and, where a report card comes next for any, `forecasts`;
    reads no file.

    Raises `DataError` as `score` does.
    """
    same_kind(about, champion)
    return _answered(known, about, champion, morning)[-1]


def _answered(
    known: dict[str, pd.DataFrame], about: dict[str, Any], champion: Champion, morning: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame, report_cards.Answers | None, dict[str, pd.DataFrame]]:
    """Every school open on a morning, its signals, the forecast of its card, and the tables made of them."""
    is_open = known["schools"][known["schools"]["open"]]
    asked = (
        is_open[["urn", "lineage"]]
        .assign(as_of=morning)
        .astype({"as_of": tables.DATE})
        .reset_index(drop=True)
    )
    cohort, made = signals_on(asked, known)
    said = on_cards(cohort, made, champion)
    rows = predictions(cohort, made, champion, about["data_source"], said=said)
    made_tables = {
        "predictions": rows,
        "signals_today": cohort[tables.TABLES["signals_today"].names].join(made),
    }
    if said:
        made_tables["forecasts"] = report_cards.forecasts(cohort, said, champion, about["data_source"])
    return cohort, made, said, made_tables


def _alike(
    cohort: pd.DataFrame,
    made: pd.DataFrame,
    scored: pd.Series,
    known: dict[str, pd.DataFrame],
    examples: pd.DataFrame,
    champion: Champion,
    said: report_cards.Answers | None,
    kept: Memory,
) -> dict[str, pd.DataFrame]:
    """The tables of similar schools: those of the scored rows, and, where a card comes next, of all."""
    from headway.pipelines.scoring import similar

    past = similar.learned_before(cohort, examples)
    like = similar.Likeness.of(past, champion)
    result = {"similar": similar.similar(made[scored], cohort[scored], past, like)}
    return result | ({"similar_cards": similar.with_cards(made, cohort, known, like, kept)} if said else {})


def agreed(folder: Path, champion: Champion) -> dict[str, Any]:
    """What is known about the tables as a whole. Raises `DataError` where the champion learned from files of
    another kind.
    """
    about = tables.about(folder, "schools")
    same_kind(about, champion)
    return about


def same_kind(about: dict[str, Any], champion: Champion) -> None:
    """Raises `DataError` where the champion learned from files of another kind (official, made up) than the
    tables.
    """
    if champion.about["data_source"] != about["data_source"]:
        raise DataError(
            f"The champion learned from {champion.about['data_source']} files and the tables are "
            f"{about['data_source']}.\n"
            "Run `headway train` on these tables, or name others with --tables."
        )


def signals_on(asked: pd.DataFrame, known: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The state and the signals of schools on their mornings: `asked` has urn, lineage, as_of; rows and index
    are its.

    The state is that of the last inspection with an overall grade, also where a report card came since, and
    that card.
    """
    cohort = report_cards.graded_state(asked, known)
    return report_cards.with_own_card(cohort, known), signals.build(cohort, known)


def on_cards(
    cohort: pd.DataFrame, made: pd.DataFrame, champion: Champion, details: bool = True
) -> report_cards.Answers | None:
    """The forecast of report cards of a cohort; None where a card comes next for no row."""
    comes = (
        frameworks.gives(frameworks.next_framework(cohort["as_of"])).eq(frameworks.STANDARDS_BY_AREA).any()
    )
    return report_cards.answers(cohort, made, champion, details) if champion.cards and comes else None


def predictions(
    cohort: pd.DataFrame,
    made: pd.DataFrame,
    champion: Champion,
    data_source: str,
    details: bool = True,
    said: report_cards.Answers | None = None,
) -> pd.DataFrame:
    """The prediction table of a cohort and its signals: one row out per row in, same order.

    `details` are the chances of each leadership grade, and what each family of signals added. `said` is the
    forecast of the rows' report cards (`on_cards`), made here where it isn't given.
    """
    status = pd.Series(SCORED, index=cohort.index).mask(cohort["overall"].isna(), inspections.NEVER_GRADED)
    rows = cohort[[column for column in CARRIED if column in cohort]]
    scored = status.eq(SCORED)
    gives = frameworks.gives(frameworks.next_framework(cohort["as_of"]))
    cards_next = gives.eq(frameworks.STANDARDS_BY_AREA)
    said = said or on_cards(cohort, made, champion, details)
    given, asked = _those(made[champion.signals], scored), _those(cohort, scored)
    state = evaluate.state(asked.assign(leadership_gap=given["leadership_gap"]))
    parts = [champion.predict(given, state, said and said.prior.chances[scored.to_numpy(), 0])]
    if details:
        parts.append(usual(champion, state))
        parts.append(_leadership(champion, asked, given, said and said.prior.chances[scored.to_numpy(), 1]))
        # where a card comes next, what matters is what moves its standards: see `forecasts`
        graded = ~cards_next[scored]
        known = _those(given, graded)
        parts.append(
            by_family(
                champion.overall.contributions(known, _those(state, graded)),
                champion.about["families"],
                known,
            ).reindex(state.index)
        )
    cells = (state["cell"] + "|" + state["group"]).map(champion.about["cells"]).fillna(0)
    rows = rows.assign(
        status=status,
        model_version=champion.about["version"],
        data_source=data_source,
        next_gives=gives,
        extrapolation=cards_next,
        like_it=cells.reindex(rows.index),
        enough_like_it=cells.ge(FEW_LIKE_IT).reindex(rows.index),
        signals_blank=given.isna().sum(axis=1).reindex(rows.index),
        made_without=signals.without(given, champion.signals).reindex(rows.index),
    ).join(parts)
    return _across_the_line(rows, said, report_cards.has_card(cohort)) if said else rows


def _across_the_line(rows: pd.DataFrame, said: report_cards.Answers, carded: np.ndarray) -> pd.DataFrame:
    """Where the next inspection is a report card: from below good, the chance of coming out above the line,
    by leadership and governance (the Department's rule); from elsewhere no chance of improving, and why. The
    chances of grades stay beside it.
    """
    asked = rows["extrapolation"] & rows["status"].eq(SCORED)
    below_good = rows["overall"].gt(frameworks.GOOD).fillna(False).astype(bool)
    across = asked & below_good & ~carded
    at = report_cards.NAMES.index(report_cards.LEADERSHIP)
    below = pd.Series(said.below[:, at], index=rows.index)
    ends = {name: pd.Series(said.chances[name][:, at], index=rows.index) for name in ("low", "high")}
    moved = {
        "p_improve": 1 - below,
        "p_same": below,
        "p_worse": below * 0,
        "p_low": 1 - ends["high"],
        "p_high": 1 - ends["low"],
    }
    if said.why:
        base, shares = said.why[report_cards.LEADERSHIP]
        moved["base_rate"] = pd.Series(1 - base, index=rows.index)
        families = {
            f"contribution_{name}": pd.Series(-shares[:, place], index=rows.index)
            for place, name in enumerate(said.families)
        }
        rows = rows.assign(**{name: 0.0 for name in families if name not in rows})
        rows = rows.assign(**{name: rows[name].mask(rows["status"].ne(SCORED)) for name in families})
        moved |= families
        moved |= {
            name: pd.Series(0.0, index=rows.index)
            for name in rows
            if name.startswith("contribution_") and name not in families
        }
    rows = rows.assign(**{name: rows[name].mask(across, values) for name, values in moved.items()})
    why = (
        pd.Series(None, index=rows.index, dtype="str")
        .mask(asked & ~across, NO_LINE)
        .mask(asked & carded, CARD_TO_CARD)
    )
    return rows.assign(p_improve=rows["p_improve"].mask(why.notna()), p_improve_missing_reason=why)


def by_family(contributions: pd.DataFrame, families: dict[str, str], given: pd.DataFrame) -> pd.DataFrame:
    """Each family's share of the step from the recent rate to the chance; a row's shares add up to it.

    A family has what its known signals add. What blank ones add is nobody's reason: it is `UNKNOWN`.
    """
    blank = given.reindex(columns=contributions.columns.drop(UNEXPLAINED)).isna()
    known = contributions.where(~blank.reindex(columns=contributions.columns, fill_value=False), 0.0)
    shares = known.T.groupby({**families, UNEXPLAINED: UNEXPLAINED}).sum().T
    return shares.assign(**{UNKNOWN: contributions.sum(axis=1) - known.sum(axis=1)}).add_prefix(
        "contribution_"
    )


def usual(champion: Champion, state: pd.DataFrame) -> pd.DataFrame:
    """The shares of schools of each row's grade and phase that next came out at each grade, lately."""
    reached = np.column_stack([champion.overall.recent.at(state), np.ones(len(state))])
    shares = np.clip(np.diff(reached, axis=1, prepend=0.0), 0.0, None)
    return pd.DataFrame(shares, columns=[f"usual_grade_{grade}" for grade in (1, 2, 3, 4)], index=state.index)


def _leadership(
    champion: Champion, cohort: pd.DataFrame, given: pd.DataFrame, chances: np.ndarray | None
) -> pd.DataFrame:
    """The chances of each next leadership grade, blank where there is none now; `chances` where they are
    known already.
    """
    if champion.leadership is None:
        return pd.DataFrame(index=cohort.index)
    columns = [f"p_leadership_{grade}" for grade in (1, 2, 3, 4)]
    graded = cohort["leadership"].notna()
    if chances is not None:
        return pd.DataFrame(chances, columns=columns, index=cohort.index).where(graded)
    given = _those(given, graded)
    state = evaluate.state(
        _those(cohort, graded).assign(leadership_gap=given["leadership_gap"]), evaluate.LEADERSHIP
    )
    return pd.DataFrame(
        champion.leadership.predict(given, state), columns=columns, index=state.index
    ).reindex(cohort.index)


def _those(rows: pd.DataFrame, wanted: pd.Series) -> pd.DataFrame:
    """The rows wanted; where that is all of them, as mostly, without a copy."""
    return rows if wanted.all() else rows[wanted]


def write_csv(rows: pd.DataFrame, path: Path) -> None:
    """A copy that opens safely in a spreadsheet: text that would be taken for a formula is kept as text."""
    import pyarrow as pa
    import pyarrow.csv

    text = rows.select_dtypes("string").columns
    safe = rows.assign(
        **{c: rows[c].mask(rows[c].str.match(r"^[=+\-@\t\r]", na=False), "'" + rows[c]) for c in text}
    )
    copy = pa.Table.from_pandas(safe, preserve_index=False)
    days = [pa.field(f.name, pa.date32()) if pa.types.is_timestamp(f.type) else f for f in copy.schema]
    options = pa.csv.WriteOptions(quoting_header="none")
    tables.write_atomically(path, lambda file: pa.csv.write_csv(copy.cast(pa.schema(days)), file, options))
