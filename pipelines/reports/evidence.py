"""The evidence as a page: one HTML file that needs nothing else, to read on a screen, aloud or on paper.

It only shows what evidence.json holds; it computes nothing but where to draw it. Every chart has a title that
says the finding, a text alternative and a table of the same figures, and its marks differ in shape, not in
colour alone.
"""

import math
from functools import cache
from typing import Any

from jinja2 import Template

from headway.pipelines.reports.page import template

LABEL, PLOT, FIGURES, ROW = 300, 400, 160, 28  # the parts of a chart, in its own units
TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
WIDEST = (0.04, 125.0)  # ratios beyond this are drawn as an arrow at the edge


def report(evidence: dict[str, Any]) -> str:
    """The page for the content of evidence.json. Everything in it is escaped; nothing is fetched when it
    opens.
    """
    claims = [
        claim | {"figures": _figures(claim), "curve": _curve(claim), "sturdiness": claim.get("sturdiness")}
        for claim in evidence["claims"]
    ]
    return _template().render(evidence=evidence | {"claims": claims})


# --- charts -------------------------------------------------------------------------------------------------


def _figures(claim: dict[str, Any]) -> list[dict[str, Any]]:
    """The charts of a claim: the odds ratio step by step, and over the years."""
    if not claim["steps"]:
        return []
    steps = {step["id"]: step["rows"] for step in claim["steps"]}
    pooled = steps["pooled"]
    whole = pooled[0]["label_source"]
    lines = [
        ("All schools, raw", steps["raw"][0], "circle"),
        ("Able to improve, raw", steps["able"][0], "circle"),
    ]
    lines += [
        (line["what"].replace(" alone", ", pooled"), line, "square")
        for line in pooled
        if line["label_source"] == whole and line["what"].endswith(" alone")
    ]
    lines += [("Schools alike, pooled", pooled[0], "diamond")]
    lines += [
        (f"Schools alike, {line['label_source']} labels", line, "diamond")
        for line in pooled[1:]
        if line["what"] == pooled[0]["what"]
    ]
    lines += [
        (f"Schools alike, {line['what']}".split(" (")[0], line, "diamond")
        for line in pooled
        if line["label_source"] == whole and "URN" in line["what"]
    ]
    beside = (claim["adjusted"] or {}).get("beside_everything")
    if beside:
        lines.append(
            (f"Beside all else, for {claim['adjusted']['unit']}", beside | {"too_few": False}, "triangle")
        )
    raw, alike = steps["raw"][0]["odds_ratio"], pooled[0]["odds_ratio"]
    title = "Odds ratio of improving, step by step"
    if raw and alike:
        title = (
            f"Odds ratio of improving: {raw['estimate']:.2f} raw, {alike['estimate']:.2f} among schools alike"
        )
    over: dict[str, dict[str, Any]] = {}
    for line in steps["years"]:
        over.setdefault(line["what"], line)  # the first is of all labels; the table has each source
    told = [line["odds_ratio"] for line in over.values() if line["odds_ratio"] and not line["too_few"]]
    above = sum(ratio["estimate"] > 1 for ratio in told)
    clear = sum(ratio["low"] > 1 or ratio["high"] < 1 for ratio in told)
    years = f"Pooled odds ratio above 1 in {above} of {len(told)} years; in {clear} the interval leaves 1 out"
    return [
        _forest(f"{claim['id']}-steps", title, lines),
        _forest(f"{claim['id']}-years", years, [(year, line, "diamond") for year, line in over.items()]),
    ]


def _forest(name: str, title: str, lines: list[tuple[str, dict[str, Any], str]]) -> dict[str, Any]:
    """A forest plot laid out: a mark and a line for each ratio, on a scale of equal factors."""
    shown = [
        (label, line["odds_ratio"] if not line["too_few"] else None, mark, line["too_few"])
        for label, line, mark in lines
    ]
    ends = [end for _, ratio, _, _ in shown if ratio for end in (ratio["low"], ratio["high"])]
    low = max(min([0.5, *ends]) / 1.1, WIDEST[0])
    high = min(max([2.0, *ends]) * 1.1, WIDEST[1])

    def across(value: float) -> float:
        return round(LABEL + PLOT * math.log(min(max(value, low), high) / low) / math.log(high / low), 1)

    rows = [
        {
            "label": label,
            "mark": mark,
            "y": ROW * place + ROW // 2 + 4,
            "said": _ratio(ratio, too_few),
            "at": ratio and across(ratio["estimate"]),
            "from": ratio and across(ratio["low"]),
            "to": ratio and across(ratio["high"]),
            "cut_low": bool(ratio) and ratio["low"] < low,
            "cut_high": bool(ratio) and ratio["high"] > high,
        }
        for place, (label, ratio, mark, too_few) in enumerate(shown)
    ]
    return {
        "id": name,
        "title": title,
        "rows": rows,
        "height": ROW * len(rows) + 44,
        "bottom": ROW * len(rows) + 8,
        "width": LABEL + PLOT + FIGURES,
        "one": across(1.0),
        "figures_at": LABEL + PLOT + 12,
        "ticks": [{"at": across(tick), "said": f"{tick:g}"} for tick in TICKS if low <= tick <= high],
        "told": "; ".join(f"{row['label']}: {row['said']}" for row in rows),
    }


# the width of all sets of choices, the height of their ratios, and of a choice's line
CURVE, TALL, CHOICE = 620, 220, 16


def _curve(claim: dict[str, Any]) -> dict[str, Any] | None:
    """The specification curve laid out: a ratio and its interval for each set of choices, and below it which
    they were.
    """
    every = [row for row in (claim.get("sturdiness") or {}).get("choices", []) if row["odds_ratio"]]
    if not every:
        return None
    ends = [end for row in every for end in (row["odds_ratio"]["low"], row["odds_ratio"]["high"])]
    low, high = max(min([0.5, *ends]) / 1.1, WIDEST[0]), min(max([2.0, *ends]) * 1.1, WIDEST[1])

    def up(value: float) -> float:
        return round(8 + TALL * (1 - math.log(min(max(value, low), high) / low) / math.log(high / low)), 1)

    step = CURVE / len(every)
    marks = [
        {
            "x": round(LABEL + step * (place + 0.5), 1),
            "at": up(row["odds_ratio"]["estimate"]),
            "from": up(row["odds_ratio"]["low"]),
            "to": up(row["odds_ratio"]["high"]),
            "ours": row["ours"],
            "clear": not row["odds_ratio"]["low"] <= 1 <= row["odds_ratio"]["high"],
        }
        for place, row in enumerate(every)
    ]
    lines, y = [], TALL + 40
    for name in ("pairing", "strata", "grades", "window"):
        for choice in dict.fromkeys(row[name] for row in sorted(every, key=lambda row: str(row[name]))):
            at = [mark["x"] for mark, row in zip(marks, every, strict=True) if row[name] == choice]
            lines.append({"label": f"{name}: {choice}", "y": y, "at": at})
            y += CHOICE
    return {
        "id": f"{claim['id']}-choices",
        "told": claim["sturdiness"]["choices_words"],
        "marks": marks,
        "lines": lines,
        "one": up(1.0),
        "width": LABEL + CURVE + 20,
        "height": y + 4,
        "left": LABEL,
        "right": LABEL + CURVE,
        "rows": every,
        "ticks": [{"at": up(tick), "said": f"{tick:g}"} for tick in TICKS if low <= tick <= high],
    }


# --- figures in words ---------------------------------------------------------------------------------------


def _ratio(ratio: dict[str, float] | None, too_few: bool = False) -> str:
    if too_few:
        return "too few schools"
    if not ratio:
        return "no ratio"
    return f"{ratio['estimate']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"


def _share(group: dict[str, Any]) -> str:
    if group["share"] is None:
        return "none"
    return f"{group['share']:.1%} ({group['low']:.1%} to {group['high']:.1%})"


def _count(number: int) -> str:
    return f"{number:,}"


def _chance(p: float) -> str:
    return "less than 0.001" if p < 0.001 else f"{p:.3f}"


@cache
def _template() -> Template:
    return template("evidence.html", {"ratio": _ratio, "share": _share, "count": _count, "chance": _chance})
