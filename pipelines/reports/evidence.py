"""The evidence as a page: one HTML file that needs nothing else, to read on a screen, aloud or on paper.

It only shows what evidence.json holds; it computes nothing but where to draw it. Every chart has a title that says the
finding, a text alternative and a table of the same figures, and its marks differ in shape, not in colour alone.
"""

import math
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

LABEL, PLOT, FIGURES, ROW = 300, 400, 160, 28  # the parts of a chart, in its own units
TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
WIDEST = (0.04, 125.0)  # ratios beyond this are drawn as an arrow at the edge


def report(evidence: dict[str, Any]) -> str:
    """The page for the content of evidence.json. Everything in it is escaped; nothing is fetched when it opens."""
    claims = [claim | {"figures": _figures(claim), "curve": _curve(claim), "sturdiness": claim.get("sturdiness")}
              for claim in evidence["claims"]]  # fmt: skip
    return _template().render(evidence=evidence | {"claims": claims})


# --- charts -----------------------------------------------------------------------------------------------------------


def _figures(claim: dict[str, Any]) -> list[dict[str, Any]]:
    """The charts of a claim: the odds ratio step by step, and over the years."""
    if not claim["steps"]:
        return []
    steps = {step["id"]: step["rows"] for step in claim["steps"]}
    pooled = steps["pooled"]
    whole = pooled[0]["label_source"]
    lines = [("All schools, raw", steps["raw"][0], "circle"), ("Able to improve, raw", steps["able"][0], "circle")]
    lines += [
        (line["what"].replace(" alone", ", pooled"), line, "square")
        for line in pooled
        if line["label_source"] == whole and line["what"].endswith(" alone")
    ]
    lines += [("Schools alike, pooled", pooled[0], "diamond")]
    lines += [(f"Schools alike, {line['label_source']} labels", line, "diamond") for line in pooled[1:]
              if line["what"] == pooled[0]["what"]]  # fmt: skip
    lines += [(f"Schools alike, {line['what']}".split(" (")[0], line, "diamond") for line in pooled
              if line["label_source"] == whole and "URN" in line["what"]]  # fmt: skip
    beside = (claim["adjusted"] or {}).get("beside_everything")
    if beside:
        lines.append((f"Beside all else, for {claim['adjusted']['unit']}", beside | {"too_few": False}, "triangle"))
    raw, alike = steps["raw"][0]["odds_ratio"], pooled[0]["odds_ratio"]
    title = "Odds ratio of improving, step by step"
    if raw and alike:
        title = f"Odds ratio of improving: {raw['estimate']:.2f} raw, {alike['estimate']:.2f} among schools alike"
    over: dict[str, dict[str, Any]] = {}
    for line in steps["years"]:
        over.setdefault(line["what"], line)  # the first is of all labels; the table has each source
    told = [line["odds_ratio"] for line in over.values() if line["odds_ratio"] and not line["too_few"]]
    above = sum(ratio["estimate"] > 1 for ratio in told)
    clear = sum(ratio["low"] > 1 or ratio["high"] < 1 for ratio in told)
    years = f"Pooled odds ratio above 1 in {above} of {len(told)} years; in {clear} the interval leaves 1 out"
    return [_forest(f"{claim['id']}-steps", title, lines), _forest(f"{claim['id']}-years", years,
                    [(year, line, "diamond") for year, line in over.items()])]  # fmt: skip


def _forest(name: str, title: str, lines: list[tuple[str, dict[str, Any], str]]) -> dict[str, Any]:
    """A forest plot laid out: a mark and a line for each ratio, on a scale of equal factors."""
    shown = [(label, line["odds_ratio"] if not line["too_few"] else None, mark, line["too_few"])
             for label, line, mark in lines]  # fmt: skip
    ends = [end for _, ratio, _, _ in shown if ratio for end in (ratio["low"], ratio["high"])]
    low = max(min([0.5, *ends]) / 1.1, WIDEST[0])
    high = min(max([2.0, *ends]) * 1.1, WIDEST[1])

    def across(value: float) -> float:
        return round(LABEL + PLOT * math.log(min(max(value, low), high) / low) / math.log(high / low), 1)

    rows = [
        {
            "label": label, "mark": mark, "y": ROW * place + ROW // 2 + 4, "said": _ratio(ratio, too_few),
            "at": ratio and across(ratio["estimate"]), "from": ratio and across(ratio["low"]),
            "to": ratio and across(ratio["high"]), "cut_low": bool(ratio) and ratio["low"] < low,
            "cut_high": bool(ratio) and ratio["high"] > high,
        }
        for place, (label, ratio, mark, too_few) in enumerate(shown)
    ]  # fmt: skip
    return {
        "id": name, "title": title, "rows": rows, "height": ROW * len(rows) + 44, "bottom": ROW * len(rows) + 8,
        "width": LABEL + PLOT + FIGURES, "one": across(1.0), "figures_at": LABEL + PLOT + 12,
        "ticks": [{"at": across(tick), "said": f"{tick:g}"} for tick in TICKS if low <= tick <= high],
        "told": "; ".join(f"{row['label']}: {row['said']}" for row in rows),
    }  # fmt: skip


CURVE, TALL, CHOICE = 620, 220, 16  # the width of all sets of choices, the height of their ratios, and of a choice's line


def _curve(claim: dict[str, Any]) -> dict[str, Any] | None:
    """The specification curve laid out: a ratio and its interval for each set of choices, and below it which they were."""
    every = [row for row in (claim.get("sturdiness") or {}).get("choices", []) if row["odds_ratio"]]
    if not every:
        return None
    ends = [end for row in every for end in (row["odds_ratio"]["low"], row["odds_ratio"]["high"])]
    low, high = max(min([0.5, *ends]) / 1.1, WIDEST[0]), min(max([2.0, *ends]) * 1.1, WIDEST[1])

    def up(value: float) -> float:
        return round(8 + TALL * (1 - math.log(min(max(value, low), high) / low) / math.log(high / low)), 1)

    step = CURVE / len(every)
    marks = [{"x": round(LABEL + step * (place + 0.5), 1), "at": up(row["odds_ratio"]["estimate"]),
              "from": up(row["odds_ratio"]["low"]), "to": up(row["odds_ratio"]["high"]), "ours": row["ours"],
              "clear": not row["odds_ratio"]["low"] <= 1 <= row["odds_ratio"]["high"]}
             for place, row in enumerate(every)]  # fmt: skip
    lines, y = [], TALL + 40
    for name in ("pairing", "strata", "grades", "window"):
        for choice in dict.fromkeys(row[name] for row in sorted(every, key=lambda row: str(row[name]))):
            at = [mark["x"] for mark, row in zip(marks, every, strict=True) if row[name] == choice]
            lines.append({"label": f"{name}: {choice}", "y": y, "at": at})
            y += CHOICE
    return {"id": f"{claim['id']}-choices", "told": claim["sturdiness"]["choices_words"], "marks": marks, "lines": lines,
            "one": up(1.0), "width": LABEL + CURVE + 20, "height": y + 4, "left": LABEL, "right": LABEL + CURVE,
            "rows": every,
            "ticks": [{"at": up(tick), "said": f"{tick:g}"} for tick in TICKS if low <= tick <= high]}  # fmt: skip


# --- figures in words -------------------------------------------------------------------------------------------------


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
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page.filters |= {"ratio": _ratio, "share": _share, "count": _count, "chance": _chance}
    return page.from_string(PAGE)


STYLE = """:root { --ground: #fff; --ink: #1b1f24; --soft: #4d5661; --line: #b4bcc6; --mark: #1a56a0; --panel: #f2f5f8; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ground: #14181d; --ink: #e9edf1; --soft: #b3bcc7; --line: #55606c; --mark: #8dbdff; --panel: #1e242b; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main, header, footer { max-width: 78rem; margin: 0 auto; padding: 0 1rem; }
p, li, dd { max-width: 46rem; }
h1 { margin-top: 2rem; } h2 { margin-top: 3rem; border-top: 2px solid var(--line); padding-top: 1rem; }
a { color: var(--mark); }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; } .skip:focus { left: 1rem; top: .5rem; }
.verdict { background: var(--panel); border-left: .4rem solid var(--mark); padding: .75rem 1rem; max-width: 46rem; }
.warning { border: 2px solid var(--ink); padding: .75rem 1rem; max-width: 46rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; margin: 1rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .5rem; text-align: left; vertical-align: top; }
td.n { text-align: right; white-space: nowrap; } thead th { vertical-align: bottom; }
tbody th { font-weight: 400; min-width: 12rem; }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; } .note { color: var(--soft); font-size: .9rem; }
svg { width: 100%; min-width: 40rem; max-width: 60rem; height: auto; color: var(--ink); }
svg text { fill: currentColor; font: 14px system-ui, sans-serif; }
.grid { stroke: var(--line); stroke-width: 1; } .one { stroke: currentColor; stroke-width: 1.5; stroke-dasharray: 4 3; }
.bar { stroke: var(--mark); stroke-width: 2; } .full { fill: var(--mark); stroke: var(--mark); stroke-width: 2; }
.open { fill: var(--ground); stroke: var(--mark); stroke-width: 2; }
@media print {
  body { font-size: 10pt; } nav, .skip { display: none; } .wide { overflow: visible; } svg { min-width: 0; }
  figure, tr, .verdict { break-inside: avoid; } h2, h3, caption { break-after: avoid; } table { font-size: 8pt; }
}
"""  # of every report that is drawn like this one

PAGE = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>The evidence - Headway</title>
<style>
""" + STYLE + """</style>
</head>
<body>
{% macro forest(figure) %}
<figure>
<figcaption id="{{ figure.id }}-title">{{ figure.title }}</figcaption>
<div class="wide" tabindex="0" role="group" aria-labelledby="{{ figure.id }}-title">
<svg role="img" aria-labelledby="{{ figure.id }}-title {{ figure.id }}-told"
 viewBox="0 0 {{ figure.width }} {{ figure.height }}">
<desc id="{{ figure.id }}-told">Odds ratios with 95% intervals. {{ figure.told }}.</desc>
{% for tick in figure.ticks %}
<line class="grid" x1="{{ tick.at }}" x2="{{ tick.at }}" y1="4" y2="{{ figure.bottom }}"/>
<text x="{{ tick.at }}" y="{{ figure.bottom + 16 }}" text-anchor="middle">{{ tick.said }}</text>
{% endfor %}
<line class="one" x1="{{ figure.one }}" x2="{{ figure.one }}" y1="4" y2="{{ figure.bottom }}"/>
<text x="{{ figure.one }}" y="{{ figure.bottom + 32 }}" text-anchor="middle">1 is no difference</text>
{% for row in figure.rows %}
<text x="0" y="{{ row.y + 5 }}">{{ row.label }}</text>
<text x="{{ figure.figures_at }}" y="{{ row.y + 5 }}">{{ row.said }}</text>
{% if row.at is not none %}
<line class="bar" x1="{{ row.from }}" x2="{{ row.to }}" y1="{{ row.y }}" y2="{{ row.y }}"/>
{% if row.cut_low %}
<path class="bar" fill="none" d="M{{ row.from + 6 }} {{ row.y - 5 }}l-6 5l6 5"/>
{% endif %}
{% if row.cut_high %}
<path class="bar" fill="none" d="M{{ row.to - 6 }} {{ row.y - 5 }}l6 5l-6 5"/>
{% endif %}
{% if row.mark == "circle" %}
<circle class="open" cx="{{ row.at }}" cy="{{ row.y }}" r="5"/>
{% elif row.mark == "square" %}
<rect class="full" x="{{ row.at - 4 }}" y="{{ row.y - 4 }}" width="8" height="8"/>
{% elif row.mark == "diamond" %}
<path class="full" d="M{{ row.at }} {{ row.y - 7 }}l7 7l-7 7l-7 -7z"/>
{% else %}
<path class="open" d="M{{ row.at }} {{ row.y - 7 }}l7 12h-14z"/>
{% endif %}
{% endif %}
{% endfor %}
</svg>
</div>
<p class="note">Lines are 95% intervals, on a scale of equal factors. Circle: raw. Square: pooled over phase and year.
Diamond: pooled over grade, phase and year. Triangle: beside all else known. The tables below hold the same figures.</p>
</figure>
{% endmacro %}
{% macro specification(curve) %}
<figure>
<figcaption id="{{ curve.id }}-title">Odds ratio by every set of defensible choices</figcaption>
<div class="wide" tabindex="0" role="group" aria-labelledby="{{ curve.id }}-title">
<svg role="img" aria-labelledby="{{ curve.id }}-title {{ curve.id }}-told" viewBox="0 0 {{ curve.width }} {{ curve.height }}">
<desc id="{{ curve.id }}-told">{{ curve.told }}</desc>
{% for tick in curve.ticks %}
<line class="grid" x1="{{ curve.left }}" x2="{{ curve.right }}" y1="{{ tick.at }}" y2="{{ tick.at }}"/>
<text x="{{ curve.left - 8 }}" y="{{ tick.at + 5 }}" text-anchor="end">{{ tick.said }}</text>
{% endfor %}
<line class="one" x1="{{ curve.left }}" x2="{{ curve.right }}" y1="{{ curve.one }}" y2="{{ curve.one }}"/>
{% for mark in curve.marks %}
<line class="bar" x1="{{ mark.x }}" x2="{{ mark.x }}" y1="{{ mark.from }}" y2="{{ mark.to }}"/>
{% if mark.ours %}
<path class="full" d="M{{ mark.x }} {{ mark.at - 9 }}l9 9l-9 9l-9 -9z"/>
{% else %}
<circle class="{{ 'full' if mark.clear else 'open' }}" cx="{{ mark.x }}" cy="{{ mark.at }}" r="2.5"/>
{% endif %}
{% endfor %}
{% for line in curve.lines %}
<text x="0" y="{{ line.y + 5 }}">{{ line.label }}</text>
{% for x in line.at %}
<line class="bar" x1="{{ x }}" x2="{{ x }}" y1="{{ line.y - 5 }}" y2="{{ line.y + 5 }}"/>
{% endfor %}
{% endfor %}
</svg>
</div>
<p class="note">A mark is the ratio by a set of choices, its line the 95% interval, clustered by school. Full: the interval leaves
1 out. Diamond: the choices of the test above. Below, a stroke for each choice that was made.</p>
<details><summary>The same figures as a table</summary>
<div class="wide" tabindex="0" role="group" aria-label="Every set of choices: {{ curve.id }}">
<table>
<caption>Every set of choices, from the lowest ratio to the highest</caption>
<thead><tr><th scope="col">Pairing</th><th scope="col">Strata</th><th scope="col">Grades</th><th scope="col">Window</th>
<th scope="col">Rows</th><th scope="col">Odds ratio</th></tr></thead>
<tbody>
{% for row in curve.rows %}
<tr><th scope="row">{{ row.pairing }}</th><td>{{ row.strata }}</td><td>{{ row.grades }}</td><td>{{ row.window }}</td>
<td class="n">{{ row.n|count }}</td><td class="n">{{ row.odds_ratio|ratio }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
</details>
</figure>
{% endmacro %}
{% macro lines(caption, rows) %}
<div class="wide" tabindex="0" role="group" aria-label="{{ caption }}">
<table>
<caption>{{ caption }}</caption>
<thead><tr><th scope="col">Compared</th><th scope="col">Labels</th><th scope="col">Pairs with</th>
<th scope="col">Improved, with</th><th scope="col">Pairs without</th><th scope="col">Improved, without</th>
<th scope="col">Risk ratio</th><th scope="col">Odds ratio</th></tr></thead>
<tbody>
{% for row in rows %}
<tr><th scope="row">{{ row.what }}</th><td>{{ row.label_source }}</td><td class="n">{{ row.exposed.n|count }}</td>
<td class="n">{{ row.exposed|share }}</td><td class="n">{{ row.unexposed.n|count }}</td>
<td class="n">{{ row.unexposed|share }}</td><td class="n">{{ row.risk_ratio|ratio(row.too_few) }}</td>
<td class="n">{{ row.odds_ratio|ratio(row.too_few) }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% endmacro %}
<a class="skip" href="#main">Skip to the evidence</a>
<header>
<h1>The evidence</h1>
<p>The claims this project comes from, each tested on {{ evidence.counts.pairs|count }} pairs of inspections of
{{ evidence.counts.schools|count }} schools{% if evidence.newest_outcome_on %}, the newest on
{{ evidence.newest_outcome_on }}{% endif %}. Source of the data: {{ evidence.data_source }}.</p>
{% if evidence.data_source != "official" %}
<p class="warning"><strong>Made-up data.</strong> Nothing on this page is about real schools: it shows the method.</p>
{% endif %}
</header>
<main id="main">
<h2 id="found">What was found</h2>
<div class="wide" tabindex="0" role="group" aria-label="Every claim and its verdict">
<table>
<caption>Every claim and its verdict</caption>
<thead><tr><th scope="col">Claim</th><th scope="col">Verdict</th><th scope="col">Pairs</th>
<th scope="col">Risk ratio, raw</th><th scope="col">Risk ratio, schools alike</th>
<th scope="col">Odds ratio, schools alike</th></tr></thead>
<tbody>
{% for claim in evidence.claims %}
<tr><th scope="row"><a href="#{{ claim.id }}">{{ claim.statement }}</a></th><td>{{ claim.verdict }}</td>
<td class="n">{{ claim.n|count }}</td>
{% if claim.adjusted %}
<td class="n">{{ claim.raw.risk_ratio|ratio(claim.raw.too_few) }}</td>
<td class="n">{{ claim.adjusted.risk_ratio|ratio(claim.adjusted.too_few) }}</td>
<td class="n">{{ claim.adjusted.odds_ratio|ratio(claim.adjusted.too_few) }}</td></tr>
{% else %}
<td colspan="3">no data</td></tr>
{% endif %}
{% endfor %}
</tbody>
</table>
</div>
<ul>
{% for note in evidence.notes %}
<li>{{ note }}</li>
{% endfor %}
</ul>
{% if evidence.report_cards %}
<section aria-labelledby="report_cards">
<h2 id="report_cards">Asked again of report cards</h2>
<p>{{ evidence.report_cards.statement }}</p>
<ul>{% for sentence in evidence.report_cards.sentences %}<li>{{ sentence }}</li>{% endfor %}</ul>
{% for claim in evidence.report_cards.get("written_down", []) %}
<h3>Written down on {{ claim.written_on }}, before its outcomes</h3>
<p>{{ claim.statement }}</p>
<p class="verdict">{{ claim.words }}</p>
<p class="note">{{ claim.file }}, SHA-256 {{ claim.sha256 }}</p>
{% endfor %}
</section>
{% endif %}
{% for claim in evidence.claims %}
<section aria-labelledby="{{ claim.id }}">
<h2 id="{{ claim.id }}">Claim {{ loop.index }}: “{{ claim.statement }}”</h2>
<p>Source: {{ claim.source }}.</p>
<p class="verdict">{{ claim.verdict_words }}</p>
{% if claim.cannot_test_because %}
<p>What it would take: {{ claim.would_take }}</p>
{% else %}
<p>Compared: {{ claim.exposed }} (with), against {{ claim.unexposed }} (without).
The claim expects those with it to be {{ claim.expected }} to improve. {{ claim.caution }}</p>
{% for figure in claim.figures %}
{{ forest(figure) }}
{% endfor %}
{% for step in claim.steps %}
<h3>{{ loop.index }}. {{ step.title }}</h3>
{{ lines(step.title, step.rows) }}
{% for table in step.more %}
{{ lines(table.title, table.rows) }}
{% endfor %}
{% if step.id == "pooled" %}
<p>Of {{ claim.adjusted.strata.all }} strata, {{ claim.adjusted.strata.odds_ratio }} inform the odds ratio and
{{ claim.adjusted.strata.risk_ratio }} the risk ratio; the others lack one of the groups or outcomes.
{% if claim.adjusted.homogeneity %}
Could all strata share one odds ratio? Breslow, Day and Tarone: chi-squared
{{ "%.1f"|format(claim.adjusted.homogeneity.statistic) }} on {{ claim.adjusted.homogeneity.df }} degrees of freedom,
p {{ claim.adjusted.homogeneity.p|chance }}.
{% endif %}
{% if claim.adjusted.homogeneity_across_grades %}
Could all grades? Cochran's Q {{ "%.1f"|format(claim.adjusted.homogeneity_across_grades.statistic) }} on
{{ claim.adjusted.homogeneity_across_grades.df }}, p {{ claim.adjusted.homogeneity_across_grades.p|chance }}.
{% endif %}
Logistic regression with an intercept for each stratum, clustered by school: odds ratio for {{ claim.adjusted.unit }}
{{ claim.adjusted.within_strata_clustered|ratio }}.</p>
{% endif %}
{% endfor %}
{% if claim.adjusted.beside_everything %}
<h3>{{ claim.steps|length + 1 }}. Beside all else known</h3>
<p>Given the grade, phase and year and {{ claim.adjusted.beside_everything.others }} other signals of
{{ claim.adjusted.beside_everything.n|count }} pairs, the odds ratio for {{ claim.adjusted.unit }} is
{{ claim.adjusted.beside_everything.odds_ratio|ratio }}.</p>
{% endif %}
{% if claim.sturdiness %}
<h3>How sturdy it is</h3>
<p>{{ claim.sturdiness.choices_words }}
{% if claim.sturdiness.control %}
Against the past ({{ claim.sturdiness.control.outcome }}): odds ratio {{ claim.sturdiness.control.odds_ratio|ratio }} on
{{ claim.sturdiness.control.n|count }} pairs. {{ claim.sturdiness.control.words }}
{% else %}
No earlier grade is known to hold it against.
{% endif %}
</p>
<div class="wide" tabindex="0" role="group" aria-label="E-values: {{ claim.id }}">
<table>
<caption>How strongly something not measured would have to go with both, as a risk ratio, to explain it away</caption>
<thead><tr><th scope="col">Of</th><th scope="col">Ratio</th><th scope="col">E-value</th>
<th scope="col">E-value of the limit nearer 1</th></tr></thead>
<tbody>
{% for row in claim.sturdiness.e_values %}
<tr><th scope="row">{{ row.what }}</th><td class="n">{{ row.ratio|ratio }}</td>
<td class="n">{{ "%.2f"|format(row.estimate) }}</td>
<td class="n">{{ "%.2f"|format(row.limit) }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% if claim.curve %}
{{ specification(claim.curve) }}
{% endif %}
{% endif %}
{% if claim.prediction is defined and claim.prediction %}
<p>{{ claim.prediction.what }}, on {{ claim.prediction.n|count }} predictions of schools it had not seen:
{{ "%.2f%% (%.2f%% to %.2f%%)"|format(claim.prediction.estimate * 100, claim.prediction.low * 100,
claim.prediction.high * 100) }}.</p>
{% endif %}
{% endif %}
</section>
{% endfor %}
<h2 id="method">How to read the figures</h2>
<dl>
<dt>Risk ratio</dt><dd>The share that improved with the signal, divided by the share that improved without: 1.2 is a
fifth more often. It cannot be large where nearly all improve anyway.</dd>
<dt>Odds ratio</dt><dd>The same for odds, improved to not improved. It is further from 1 than the risk ratio, and can be
the same where few improve and where most do.</dd>
<dt>95% interval</dt><dd>Of a hundred such intervals, about 95 hold the true ratio. One that covers 1 cannot tell the
signal from nothing, which is not to say that there is nothing.</dd>
<dt>Schools alike, pooled</dt><dd>Schools are compared only with schools of the same grade, phase and academic year,
and the comparisons are put together (Mantel and Haenszel 1959; intervals by Robins, Breslow and Greenland 1986 and
Greenland and Robins 1985; homogeneity by Breslow, Day and Tarone).</dd>
<dt>Beside all else</dt><dd>Models that have not seen a school say what all other signals expect of it; the odds ratio
is for what the signal adds. It is clustered by school.</dd>
<dt>Against the past</dt><dd>The same comparison with the grade before, which the signal cannot have brought about. A ratio
that differs from 1 there says that schools with the signal differ in more than the signal. A signal made from earlier outcomes,
as a trust's record is, holds them itself.</dd>
<dt>E-value</dt><dd>How strongly, as a risk ratio, something not measured would have to go both with the signal and with
improving to explain the ratio away; 1 says that nothing is needed (VanderWeele and Ding 2017).</dd>
<dt>Too few schools</dt><dd>Fewer than 20 on a side: the shares are shown, a ratio is not.</dd>
<dt>No ratio</dt><dd>All or none improved in one of the groups.</dd>
</dl>
</main>
<footer><p class="note">Verdicts are written by rule from the figures. An association is not an effect.</p></footer>
</body>
</html>
"""
