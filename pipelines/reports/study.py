"""The study as a page: one HTML file that needs nothing else, to read on a screen, aloud or on paper.

It only shows what study.json holds; it computes nothing but where to draw it. A browser prints it to PDF.
"""

from functools import cache
from typing import Any

from jinja2 import Template

from headway.pipelines.reports import worth
from headway.pipelines.reports.cards import GROUPS, MODELS
from headway.pipelines.reports.page import template

LEFT, WIDE, TALL, FOOT = 70, 520, 260, 50  # of a chart, in its own units
MARKS = ("circle", "square", "diamond", "triangle")
DASHES = ("", "8 4", "2 3", "10 3 2 3")  # series differ in dash and mark, never in colour alone


def report(found: dict[str, Any]) -> str:
    """The page for the content of study.json. Everything in it is escaped; nothing is fetched when it
    opens.
    """
    drawn = {figure["id"]: _drawn(figure) for figure in found["figures"]}
    return _template().render(study=found, found=found["worth"], drawn=drawn, groups=GROUPS, models=MODELS)


def _drawn(figure: dict[str, Any]) -> dict[str, Any]:
    """A chart laid out: where its ticks, lines, marks and intervals stand."""
    x, y = figure["x"], figure["y"]

    def across(value: float) -> float:
        return round(LEFT + WIDE * (value - x["from"]) / (x["to"] - x["from"]), 1)

    def up(value: float) -> float:
        return round(10 + TALL * (y["to"] - value) / (y["to"] - y["from"]), 1)

    lines = []
    for at, series in enumerate(figure["series"]):
        points = [
            {"x": across(point["x"]), "y": up(point["y"])}
            | (
                {"from": up(point["low"]), "to": up(point["high"])}
                if point.get("low") is not None
                else {"from": None, "to": None}
            )
            for point in series["points"]
        ]
        lines.append(
            {
                "name": series["name"],
                "mark": MARKS[at % len(MARKS)],
                "dash": DASHES[at % len(DASHES)],
                "points": points,
                "path": " ".join(f"{point['x']},{point['y']}" for point in points),
                "joined": series["drawn"] == "line",
                "key": 10 + TALL + FOOT + 22 * at + 14,
            }
        )
    form = _share if figure["form"] == "share" else _tick
    whole = max(abs(tick) for tick in x["ticks"]) > 1.5
    return figure | {
        "lines": lines,
        "width": LEFT + WIDE + 50,
        "height": 10 + TALL + FOOT + 22 * len(lines),
        "left": LEFT,
        "right": LEFT + WIDE,
        "bottom": 10 + TALL,
        "x_ticks": [
            {"at": across(tick), "said": f"{tick:.0f}" if whole else form(tick)} for tick in x["ticks"]
        ],
        "y_ticks": [{"at": up(tick), "said": form(tick)} for tick in y["ticks"]],
    }


def _tick(value: float) -> str:
    return f"{value:.2f}"


def _share(value: float) -> str:
    return f"{value:.0%}"


def _span(row: dict[str, Any], name: str, form: str = ".3f") -> str:
    """A figure and its interval, as its row has them."""
    if row.get(name) is None:
        return "too few"
    low, high = row.get(f"{name}_low", row.get("low")), row.get(f"{name}_high", row.get("high"))
    return f"{row[name]:{form}}" + (f" ({low:{form}} to {high:{form}})" if low is not None else "")


def _ratio(ratio: dict[str, float] | None) -> str:
    return "-" if ratio is None else f"{ratio['estimate']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"


def _figure(value: float | None, form: str = ",") -> str:
    return "-" if value is None else f"{value:{form}}"


@cache
def _template() -> Template:
    shown = {"gain": worth.gain, "days": worth.days, "size": worth.size, "count": lambda n: f"{n:,.0f}"}
    return template("study.html", {"span": _span, "ratio": _ratio, "figure": _figure, **shown})
