"""The monitor's findings as a page: one HTML file that needs nothing else, and the short tables of the
terminal.

It only shows what monitor.json holds. Every bar stands beside its figure, so a table is its own text
alternative; marks differ in shape and length, never in colour alone.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from jinja2 import Template

from headway.pipelines.frameworks import AREAS, GRADES
from headway.pipelines.reports.page import template

WIDE, TALL = 160, 18  # of a bar, in its own units


def report(found: dict[str, Any]) -> str:
    """The page for the content of monitor.json. Everything in it is escaped; nothing is fetched when it
    opens.
    """
    return _template().render(found=found, titles=titles(found))


def short(found: dict[str, Any]) -> Iterable[tuple[str, list[str], list[list[str]]]]:
    """The tables of the terminal: a title that says the finding, columns and rows."""
    said = titles(found)
    far = sorted(
        (row for row in found["signals"] if row["distance"] is not None), key=lambda row: -row["beyond"]
    )[:5]
    if far:
        yield (
            said["drift"],
            ["furthest out", "family", "distance", "most in a fold", "beyond", "blank then", "blank now"],
            [
                [
                    row["signal"],
                    row["family"],
                    _figure(row["distance"], 2),
                    _figure(row["worst_fold"], 2),
                    _figure(row["beyond"], 2),
                    _share(row["blank_then"]),
                    _share(row["blank_now"]),
                ]
                for row in far
            ],
        )
    yield (
        said["expected"],
        [
            "within",
            "schools",
            "Brier expected",
            "newest fold",
            "worst",
            "AUC expected",
            "newest fold",
            "worst",
        ],
        [
            [_grade(row["overall"]), f"{row['n']:,}", *_expected(row, "brier"), *_expected(row, "auc")]
            for row in found["expected"]
        ],
    )
    judged = [row for row in found["scoreboard"]["groups"] if row["by"] in ("all", "overall")]
    if judged:
        yield (
            said["scoreboard"],
            ["", "n", "came true", "mean chance", "Brier", "skill", "slope", "sets held"],
            [
                [
                    row["group"],
                    f"{row['n']:,}",
                    *(
                        ["too few", *[""] * 5]
                        if row["too_few"]
                        else [
                            _share(row["rate"]),
                            _share(row["mean_p"]),
                            _figure(row["brier"]),
                            _figure(row["skill"]),
                            _figure(row["slope"], 2),
                            _share(row["coverage"]),
                        ]
                    ),
                ]
                for row in judged
            ],
        )
    if found["report_cards"]:
        yield (
            "Forecasts of report cards against the cards that came",
            ["published", "area", "n", "below expected", "mean chance", "AUC", "Brier", "sets held"],
            [
                [
                    row["month"],
                    AREAS.get(row["area"], "any area"),
                    f"{row['n']:,}",
                    _share(row["below"]),
                    _share(row["mean_p"]),
                    *(
                        ["too few", "", ""]
                        if row["too_few"]
                        else [_figure(row["auc"], 2), _figure(row["brier"]), _share(row["coverage"])]
                    ),
                ]
                for row in found["report_cards"]
            ],
        )


def titles(found: dict[str, Any]) -> dict[str, str]:
    """What each part found, in a sentence."""
    over = [row["limit"] for row in found["passed"]]
    signals, board = found["signals"], found["scoreboard"]
    every = board["groups"][0] if board["groups"] else {"too_few": True, "n": 0}
    blank = sum(
        (row["blank_now"] or 0) - (row["blank_then"] or 0) > _limit(found, "blank") for row in signals
    )
    newest = max(found["frameworks"], key=lambda row: row["share_now"], default=None)
    told = {
        "passed": f"{_count(len(over), 'limit')} passed" if over else "No limit is passed",
        "drift": f"{over.count('drift')} of {len(signals)} signals stand further out than any fold of the "
        "backtest stood, by "
        f"more than {_limit(found, 'drift'):g}"
        if signals
        else "The signals can't be compared",
        "blank": f"{_count(blank, 'signal')} far more often blank than in training"
        if signals
        else "Blanks can't be compared",
        "frameworks": f"“{newest['framework']}” holds {newest['share_now']:.0%} of the latest inspections, "
        "and "
        f"{newest['share_then']:.0%} of those learned from"
        if newest
        else "No inspection has a framework",
        "chances": "The mean chance within a grade has moved by "
        f"{max((abs(row['moved']) for row in found['chances']), default=0.0):.3f} at most",
        "expected": "No chance to expect anything from",
        "scoreboard": "No outcomes yet",
    }
    whole = found["expected"][0]
    if not whole["too_few"]:
        told["expected"] = (
            f"Expected Brier {whole['brier']:.3f} ({whole['brier_low']:.3f} to {whole['brier_high']:.3f}) "
            "if all "
            "that could improve were inspected now"
            + (f"; {whole['brier_newest']:.3f} in the newest fold" if whole["brier_newest"] else "")
        )
    if board["outcomes"]:
        told["scoreboard"] = f"{_count(board['outcomes'], 'outcome')} so far: too few to judge"
    if not every["too_few"]:
        told["scoreboard"] = (
            f"Of {every['n']:,} that could improve, {every['rate']:.1%} did; the mean chance was "
            f"{every['mean_p']:.1%}; skill over the stored rates {every['skill']:.3f}"
        )
    return told


def _limit(found: dict[str, Any], name: str) -> float:
    return next(row["value"] for row in found["limits"] if row["name"] == name)


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _grade(rank: int | None) -> str:
    return "all that could improve" if rank is None else GRADES[rank] + (" (staying)" if rank == 1 else "")


def _figure(value: float | None, places: int = 3) -> str:
    return "-" if value is None else f"{round(value, places) + 0.0:.{places}f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _expected(row: dict[str, Any], name: str) -> list[str]:
    said = "too few" if row["too_few"] else _span(row, name)
    return [said, _figure(row[f"{name}_newest"]), _figure(row[f"{name}_worst"])]


def _span(row: dict[str, Any], name: str, places: int = 3) -> str:
    if row.get(name) is None:
        return "-"
    ends = " to ".join(_figure(row[f"{name}_{end}"], places) for end in ("low", "high"))
    return f"{_figure(row[name], places)} ({ends})"


def _across(value: float | None, low: float, high: float) -> float:
    """Where a value stands on a bar from low to high, held at its ends."""
    return round(WIDE * (min(max(value if value is not None else low, low), high) - low) / (high - low), 1)


@cache
def _template() -> Template:
    return template(
        "monitor.html",
        {"figure": _figure, "share": _share, "grade": _grade, "span": _span, "across": _across},
        wide=WIDE,
        tall=TALL,
        areas=AREAS,
    )
