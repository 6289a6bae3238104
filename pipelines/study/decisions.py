"""Whom a visit would have reached: by a forecast, by grade, and the net benefit of either.

For support that a trust, an authority or the Department offers a school; never for choosing whom to inspect,
and no judgement of the people in a school. Every figure is forward: the chances are the backtest's, given
before the outcomes. Net benefit is Vickers and Elkin's (2006, Medical Decision Making 26:565): the share of
schools rightly visited, less those visited without need weighted by the odds of the threshold. Only schools
that were inspected in a year have an outcome to be judged on, so figures are of those.
"""

from typing import Any

import numpy as np
import pandas as pd

from headway.pipelines import evaluate, intervals, tables

THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
VISITS = (50, 100, 200, 400, 800)  # a year, of the schools inspected in it
AT = 200  # visits a year, at which groups are compared
BY = {"phase": "phase", "idaci_quintile": "deprivation quintile (1 least deprived)"}
MUST_NOT = (
    "To choose whom to inspect, or when: an inspection that follows a forecast makes it come true.",
    "To judge, pay, promote or dismiss anybody: it says nothing of those who work there.",
    "To rank schools or publish a list of them: a set of visits is a queue for help, not a table of merit.",
    "To withhold help from a school that asks: most that came out below good were in no set.",
)


def decisions(backtest: pd.DataFrame, schools: pd.DataFrame) -> dict[str, Any]:
    """Visits by forecast against visits by grade, on every unseen row of the table `backtest`.

    `thresholds`: net benefit at each chance of coming out below good, with the paired difference; `visits`:
    of so many a year, how many reached a school that came out below good; `equity`: the share of such schools
    reached, by deprivation and phase. Intervals are 95%, by lineage.
    """
    rows = _rows(backtest)
    if rows.empty:
        return {"n": 0, "must_not": list(MUST_NOT)}
    return tables.plain(
        {
            "n": len(rows),
            "below_good": int(rows["bad"].sum()),
            "folds": [f"{fold:%Y-%m-%d}" for fold in sorted(rows["fold"].unique())],
            "thresholds": [_at_threshold(rows, threshold) for threshold in THRESHOLDS],
            "visits": [_at_number(rows, number) for number in VISITS],
            "equity_at": AT,
            "equity": _equity(rows, schools),
            "must_not": list(MUST_NOT),
        }
    )


def _rows(backtest: pd.DataFrame) -> pd.DataFrame:
    """A row a school and fold: the chance of below good by the forecast and by the recent rate of its grade
    and phase, and whether it came out below good.
    """
    keys = ["fold", "urn"]
    risk = backtest.assign(risk=backtest["p_grade_3"] + backtest["p_grade_4"])
    mine = risk[risk["model"].eq("champion")]
    rate = risk.loc[risk["model"].eq("table"), [*keys, "risk"]].rename(columns={"risk": "rate"})
    rows = mine[[*keys, "lineage", "overall", "next_rank", "risk"]].merge(
        rate, on=keys, validate="one_to_one"
    )
    return rows.assign(bad=rows["next_rank"].ge(3).astype(float), overall=rows["overall"].astype(float))


def net_benefit(visited: np.ndarray, bad: np.ndarray, threshold: float) -> np.ndarray:
    """What each row adds to the net benefit: 1 for a visit that was needed, less the odds for another."""
    return visited * (bad - (1 - bad) * threshold / (1 - threshold))


def reached(score: np.ndarray, number: int) -> np.ndarray:
    """Of so many visits to the highest scores, the share each row gets: rows that tie share alike."""
    if number >= len(score):
        return np.ones(len(score))
    cut = np.sort(score)[-number]
    above, level = score > cut, score == cut
    return above + level * (number - above.sum()) / level.sum()


def _at_threshold(rows: pd.DataFrame, threshold: float) -> dict[str, Any]:
    bad, lineage = rows["bad"].to_numpy(), rows["lineage"]
    forecast, rate = (rows[name].ge(threshold).to_numpy(dtype=float) for name in ("risk", "rate"))
    ways = {
        "forecast": forecast,
        "grade_and_phase": rate,
        "below_good_now": rows["overall"].ge(3).to_numpy(dtype=float),
        "everyone": np.ones(len(rows)),
    }
    worth = {name: net_benefit(visited, bad, threshold) for name, visited in ways.items()}
    row: dict[str, Any] = {"threshold": threshold, "visited": float(forecast.mean())}
    row |= {name: float(values.mean()) for name, values in worth.items()}
    gain = intervals.mean(worth["forecast"] - worth["grade_and_phase"], lineage)
    return row | dict(zip(("gain", "gain_low", "gain_high"), gain, strict=True))


def _at_number(rows: pd.DataFrame, number: int) -> dict[str, Any]:
    bad, lineage = rows["bad"].to_numpy(), rows["lineage"]
    ways = {name: _each_year(rows, score, number) for name, score in _SCORES.items()}
    visits = {name: visited.sum() for name, visited in ways.items()}
    row: dict[str, Any] = {"visits": number, "made": int(round(visits["forecast"]))}
    row |= {name: float((visited * bad).sum() / visits[name]) for name, visited in ways.items()}
    row["of_all"] = float((ways["forecast"] * bad).sum() / bad.sum())
    for other in ("grade", "grade_and_phase"):
        moved = (ways["forecast"] - ways[other]) * bad * len(rows) / visits["forecast"]
        names = (f"gain_over_{other}", f"gain_over_{other}_low", f"gain_over_{other}_high")
        row |= dict(zip(names, intervals.mean(moved, lineage), strict=True))
    return row


_SCORES = {"forecast": "risk", "grade": "overall", "grade_and_phase": "rate"}


def _each_year(rows: pd.DataFrame, score: str, number: int) -> np.ndarray:
    visited = np.zeros(len(rows))
    for fold in rows["fold"].unique():
        here = rows["fold"].eq(fold).to_numpy()
        visited[here] = reached(rows.loc[here, score].to_numpy(), number)
    return visited


def _equity(rows: pd.DataFrame, schools: pd.DataFrame) -> list[dict[str, Any]]:
    """By group: its share of schools and of visits, and of its schools that came out below good the share
    reached.

    Groups are as known today: of schools that have closed since, often after a poor outcome, they are blank.
    """
    belongs = rows[["urn"]].merge(evaluate.grouped(schools), on="urn", how="left", validate="many_to_one")
    forecast, grade = (_each_year(rows, _SCORES[name], AT) for name in ("forecast", "grade"))
    bad, lineage = rows["bad"].to_numpy(), rows["lineage"].to_numpy()
    result = []
    for by, words in BY.items():
        names = belongs[by].astype("str").fillna("not known").replace("nan", "not known").to_numpy()
        for group in sorted(set(names)):
            here = names == group
            came = here & (bad == 1)
            row: dict[str, Any] = {
                "by": words, "group": group, "n": int(here.sum()), "below_good": int(came.sum()),
                "share_of_schools": float(here.mean()),
                "share_of_visits": float(forecast[here].sum() / forecast.sum()),
                "share_of_visits_by_grade": float(grade[here].sum() / grade.sum()),
                "too_few": bool(came.sum() < evaluate.FEW),
            }  # fmt: skip
            if not row["too_few"]:
                more = (forecast - grade)[came]
                for name, figures in (
                    ("reached", intervals.share(forecast[came], lineage[came])),
                    ("reached_by_grade", intervals.share(grade[came], lineage[came])),
                    ("more_reached", intervals.mean(more, lineage[came])),
                ):
                    row |= dict(zip((name, f"{name}_low", f"{name}_high"), figures, strict=True))
            result.append(row)
    return result
