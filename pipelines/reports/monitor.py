"""The monitor's findings as a page: one HTML file that needs nothing else, and the short tables of the terminal.

It only shows what monitor.json holds. Every bar stands beside its figure, so a table is its own text alternative; marks
differ in shape and length, never in colour alone.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from headway.pipelines.frameworks import AREAS, GRADES

WIDE, TALL = 160, 18  # of a bar, in its own units


def report(found: dict[str, Any]) -> str:
    """The page for the content of monitor.json. Everything in it is escaped; nothing is fetched when it opens."""
    return _template().render(found=found, titles=titles(found))


def short(found: dict[str, Any]) -> Iterable[tuple[str, list[str], list[list[str]]]]:
    """The tables of the terminal: a title that says the finding, columns and rows."""
    said = titles(found)
    far = sorted((row for row in found["signals"] if row["distance"] is not None), key=lambda row: -row["beyond"])[:5]
    if far:
        yield said["drift"], ["furthest out", "family", "distance", "most in a fold", "beyond", "blank then", "blank now"], [
            [row["signal"], row["family"], _figure(row["distance"], 2), _figure(row["worst_fold"], 2), _figure(row["beyond"], 2),
             _share(row["blank_then"]), _share(row["blank_now"])] for row in far]  # fmt: skip
    yield said["expected"], ["within", "schools", "Brier expected", "newest fold", "worst", "AUC expected", "newest fold",
                             "worst"], [
        [_grade(row["overall"]), f"{row['n']:,}", *_expected(row, "brier"), *_expected(row, "auc")]
        for row in found["expected"]]  # fmt: skip
    judged = [row for row in found["scoreboard"]["groups"] if row["by"] in ("all", "overall")]
    if judged:
        yield said["scoreboard"], ["", "n", "came true", "mean chance", "Brier", "skill", "slope", "sets held"], [
            [row["group"], f"{row['n']:,}", *(["too few", *[""] * 5] if row["too_few"] else [
                _share(row["rate"]), _share(row["mean_p"]), _figure(row["brier"]), _figure(row["skill"]),
                _figure(row["slope"], 2), _share(row["coverage"])])] for row in judged]  # fmt: skip
    if found["report_cards"]:
        yield "Forecasts of report cards against the cards that came", [
            "published", "area", "n", "below expected", "mean chance", "AUC", "Brier", "sets held"], [
            [row["month"], AREAS.get(row["area"], "any area"), f"{row['n']:,}", _share(row["below"]), _share(row["mean_p"]),
             *(["too few", "", ""] if row["too_few"] else [
                 _figure(row["auc"], 2), _figure(row["brier"]), _share(row["coverage"])])]
            for row in found["report_cards"]]  # fmt: skip


def titles(found: dict[str, Any]) -> dict[str, str]:
    """What each part found, in a sentence."""
    over = [row["limit"] for row in found["passed"]]
    signals, board = found["signals"], found["scoreboard"]
    every = board["groups"][0] if board["groups"] else {"too_few": True, "n": 0}
    blank = sum((row["blank_now"] or 0) - (row["blank_then"] or 0) > _limit(found, "blank") for row in signals)
    newest = max(found["frameworks"], key=lambda row: row["share_now"], default=None)
    told = {
        "passed": f"{_count(len(over), 'limit')} passed" if over else "No limit is passed",
        "drift": f"{over.count('drift')} of {len(signals)} signals stand further out than any fold of the backtest stood, by "
                 f"more than {_limit(found, 'drift'):g}" if signals else "The signals can't be compared",
        "blank": f"{_count(blank, 'signal')} far more often blank than in training" if signals else "Blanks can't be compared",
        "frameworks": f"“{newest['framework']}” holds {newest['share_now']:.0%} of the latest inspections, and "
                      f"{newest['share_then']:.0%} of those learned from" if newest else "No inspection has a framework",
        "chances": "The mean chance within a grade has moved by "
                   f"{max((abs(row['moved']) for row in found['chances']), default=0.0):.3f} at most",
        "expected": "No chance to expect anything from",
        "scoreboard": "No outcomes yet",
    }  # fmt: skip
    whole = found["expected"][0]
    if not whole["too_few"]:
        told["expected"] = (f"Expected Brier {whole['brier']:.3f} ({whole['brier_low']:.3f} to {whole['brier_high']:.3f}) if all "
                            "that could improve were inspected now"
                            + (f"; {whole['brier_newest']:.3f} in the newest fold" if whole["brier_newest"] else ""))  # fmt: skip
    if board["outcomes"]:
        told["scoreboard"] = f"{_count(board['outcomes'], 'outcome')} so far: too few to judge"
    if not every["too_few"]:
        told["scoreboard"] = (f"Of {every['n']:,} that could improve, {every['rate']:.1%} did; the mean chance was "
                              f"{every['mean_p']:.1%}; skill over the stored rates {every['skill']:.3f}")  # fmt: skip
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
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page.filters |= {"figure": _figure, "share": _share, "grade": _grade, "span": _span, "across": _across}
    page.globals |= {"wide": WIDE, "tall": TALL, "areas": AREAS}
    return page.from_string(PAGE)


PAGE = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>The monitor - Headway</title>
<style>
:root { --ground: #fff; --ink: #1b1f24; --soft: #4d5661; --line: #b4bcc6; --mark: #1a56a0; --panel: #f2f5f8; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ground: #14181d; --ink: #e9edf1; --soft: #b3bcc7; --line: #55606c; --mark: #8dbdff; --panel: #1e242b; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main, header, footer { max-width: 78rem; margin: 0 auto; padding: 0 1rem; }
p, li { max-width: 46rem; }
h1 { margin-top: 2rem; } h2 { margin-top: 3rem; border-top: 2px solid var(--line); padding-top: 1rem; }
a { color: var(--mark); }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; } .skip:focus { left: 1rem; top: .5rem; }
.verdict { background: var(--panel); border-left: .4rem solid var(--mark); padding: .75rem 1rem .75rem 2rem; max-width: 46rem; }
.warning { border: 2px solid var(--ink); padding: .75rem 1rem; max-width: 46rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; margin: 1rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .5rem; text-align: left; vertical-align: top; }
td.n { text-align: right; white-space: nowrap; } thead th { vertical-align: bottom; } tbody th { font-weight: 400; }
.note { color: var(--soft); font-size: .9rem; }
svg { display: block; color: var(--ink); } .frame { fill: none; stroke: var(--line); } .fill { fill: var(--mark); }
.tick { stroke: currentColor; stroke-width: 2; } .bar { stroke: var(--mark); stroke-width: 2; }
.zero { stroke: currentColor; stroke-dasharray: 3 2; } .hollow { fill: var(--ground); stroke: currentColor; stroke-width: 1.5; }
@media print { body { font-size: 10pt; } .skip { display: none; } .wide { overflow: visible; } table { font-size: 8pt; }
  tr, .verdict { break-inside: avoid; } h2, caption { break-after: avoid; } }
</style>
</head>
<body>
{% macro open(caption, heads) %}
<div class="wide" tabindex="0" role="group" aria-label="{{ caption }}">
<table>
<caption>{{ caption }}</caption>
<thead><tr>{% for head in heads %}<th scope="col">{{ head }}</th>{% endfor %}</tr></thead>
<tbody>
{% endmacro %}
{% macro close() %}
</tbody>
</table>
</div>
{% endmacro %}
{% macro svg() %}<svg aria-hidden="true" width="{{ wide + 12 }}" height="{{ tall }}" viewBox="-6 0 {{ wide + 12 }} {{ tall }}">
{{ caller() }}</svg>{% endmacro %}
<a class="skip" href="#main">Skip to the findings</a>
<header>
<h1>The monitor</h1>
<p>{{ "{:,}".format(found.scored) }} of {{ "{:,}".format(found.predictions) }} open schools have a prediction as of
{{ found.as_of }}, by model {{ found.model_version }}. The champion {{ found.champion }} learned from
{{ "{:,}".format(found.learned_from) }} outcomes public before {{ found.champion_as_of }}. Source of the data:
{{ found.data_source }}.</p>
{% if found.data_source != "official" %}
<p class="warning"><strong>Made-up data.</strong> Nothing on this page is about real schools: it shows the method.</p>
{% endif %}
</header>
<main id="main">
<h2>{{ titles.passed }}</h2>
{% if found.passed %}
<ul class="verdict">
{% for row in found.passed %}
<li><strong>{{ row.limit }}:</strong> {{ row.sentence }} ({{ "%.3g"|format(row.value) }}; the limit is
{{ "%g"|format(row.allowed) }}).</li>
{% endfor %}
</ul>
{% endif %}
{% if found.notes %}
<ul>
{% for note in found.notes %}
<li>{{ note }}</li>
{% endfor %}
</ul>
{% endif %}
<h2>{{ titles.drift }}</h2>
{% if found.signals %}
<p>The distance is Kolmogorov and Smirnov's, within phase: 0.3 says that three schools in ten would have to change for today's
schools to look like those learned from; 0 is the same, 1 no overlap. The backtest's figures were reached with the drift of its
folds, so what counts is how far a signal stands beyond the largest of those. “Too few”: no phase has 200 schools with a value
on both sides.</p>
{{ open("Each signal: its distance from what was learned (bar), and the largest in a fold (upright line)",
 ["Signal", "Family", "Distance, drawn", "Distance", "Most in a fold", "Beyond", "Mean then", "Mean now", "Blank then",
  "Blank now"]) }}
{% for row in found.signals|sort(attribute="signal")|sort(attribute="family") %}
<tr><th scope="row">{{ row.signal }}</th><td>{{ row.family }}</td>
<td>{% if row.distance is not none %}{% call svg() %}<rect class="frame" x="0" y="4" width="{{ wide }}" height="10"/>
<rect class="fill" x="0" y="4" width="{{ row.distance|across(0, 1) }}" height="10"/>{% if row.worst_fold is not none %}
<line class="tick" x1="{{ row.worst_fold|across(0, 1) }}" x2="{{ row.worst_fold|across(0, 1) }}" y1="0" y2="18"/>{% endif %}
{% endcall %}{% endif %}</td>
<td class="n">{{ row.distance|figure(2) if row.distance is not none else "too few" }}</td>
<td class="n">{{ row.worst_fold|figure(2) }}</td><td class="n">{{ row.beyond|figure(2) }}</td>
<td class="n">{{ row.mean_then|figure(2) }}</td><td class="n">{{ row.mean_now|figure(2) }}</td>
<td class="n">{{ row.blank_then|share }}</td><td class="n">{{ row.blank_now|share }}</td></tr>
{% endfor %}
{{ close() }}
<p>{{ titles.blank }}.</p>
{% else %}
<p>The tables hold the signals of another morning.</p>
{% endif %}
<h2>{{ titles.frameworks }}</h2>
{% if found.extrapolation is not none %}
<p>{{ found.extrapolation|share }} of the predictions are of outcomes under report cards.</p>
{% endif %}
{{ open("The framework of each school's latest graded inspection, now and in what was learned",
 ["Framework", "Schools now", "Share now", "Share learned from", "Learned from it", "Outcomes under it learned"]) }}
{% for row in found.frameworks %}
<tr><th scope="row">{{ row.framework }}</th><td class="n">{{ "{:,}".format(row.schools) }}</td>
<td class="n">{{ row.share_now|share }}</td><td class="n">{{ row.share_then|share }}</td>
<td class="n">{{ "{:,}".format(row.learned_from) }}</td><td class="n">{{ "{:,}".format(row.outcomes_learned) }}</td></tr>
{% endfor %}
{{ close() }}
<h2>{{ titles.chances }}</h2>
<p>The newest fold is of schools inspected within its year, these predictions of all that are open; predictions kept before
are of the same schools.</p>
{{ open("The mean chance of improving within each grade; of staying, for Outstanding",
 ["Grade", "Against", "Schools now", "Schools then", "Mean now", "Mean then", "Moved by"]) }}
{% for row in found.chances %}
<tr><th scope="row">{{ row.overall|grade }}</th><td>{{ row.against }}</td><td class="n">{{ "{:,}".format(row.n_now) }}</td>
<td class="n">{{ "{:,}".format(row.n_then) }}</td><td class="n">{{ row.mean_now|figure }}</td>
<td class="n">{{ row.mean_then|figure }}</td><td class="n">{{ "%+.3f"|format(row.moved) }}</td></tr>
{% endfor %}
{{ close() }}
<h2>{{ titles.expected }}</h2>
<p>Before any outcome is known, the chances alone say how good they would be, <strong>if they mean what they say</strong>: of
schools given 0.3, three in ten improve. If what the signals mean for inspections has changed, this can't see it; only outcomes
can. The interval lets the level of each grade move by as much as it moved between folds. Folds hold schools inspected within a
year, mostly those due; so compare within a grade, not all together (confidence-based performance estimation, Bialek and others
2024).</p>
{{ open("Expected if all were inspected now (dot and 95% interval), and the worst fold of the backtest (upright line)",
 ["Within", "Schools", "Brier, drawn (0 to 0.3)", "Brier expected", "Newest fold", "Worst fold", "AUC, drawn (0.4 to 1)",
  "AUC expected", "Newest fold", "Worst fold"]) }}
{% for row in found.expected %}
<tr><th scope="row">{{ row.overall|grade }}</th><td class="n">{{ "{:,}".format(row.n) }}</td>
{% for name, low, high in [("brier", 0, 0.3), ("auc", 0.4, 1)] %}
{% if row.too_few %}
<td></td><td class="n">too few</td>
{% else %}
<td>{% call svg() %}<rect class="frame" x="0" y="1" width="{{ wide }}" height="16"/>
{% if row[name + "_low"] is not none %}<line class="bar" x1="{{ row[name + "_low"]|across(low, high) }}"
 x2="{{ row[name + "_high"]|across(low, high) }}" y1="9" y2="9"/>{% endif %}
{% if row[name + "_worst"] is not none %}<line class="tick" x1="{{ row[name + "_worst"]|across(low, high) }}"
 x2="{{ row[name + "_worst"]|across(low, high) }}" y1="1" y2="17"/>{% endif %}
<circle class="fill" cx="{{ row[name]|across(low, high) }}" cy="9" r="4"/>{% endcall %}</td>
<td class="n">{{ row|span(name) }}</td>
{% endif %}
<td class="n">{{ row[name + "_newest"]|figure }}</td><td class="n">{{ row[name + "_worst"]|figure }}</td>
{% endfor %}
</tr>
{% endfor %}
{{ close() }}
{{ open("How well expecting did before: each fold's figures as its chances let expect, and as they came",
 ["Fold", "Schools", "Brier expected", "Brier that came", "AUC expected", "AUC that came"]) }}
{% for row in found.folds %}
<tr><th scope="row">{{ row.fold }}</th><td class="n">{{ "{:,}".format(row.n) }}</td>
<td class="n">{{ row.expected_brier|figure }}</td><td class="n">{{ row.came_brier|figure }}</td>
<td class="n">{{ row.expected_auc|figure }}</td><td class="n">{{ row.came_auc|figure }}</td></tr>
{% endfor %}
{{ close() }}
<h2>{{ titles.scoreboard }}</h2>
{{ open("Each morning's predictions: what has come, on schools that could improve",
 ["Morning", "Model", "Predicted", "With an outcome", "Could improve", "Came true", "Mean chance", "Brier", "Skill",
  "Without an outcome, because"]) }}
{% for row in found.scoreboard.mornings %}
<tr><th scope="row">{{ row.as_of }}{% if row.hindsight %} <strong>(in hindsight: the model learned from after this
morning)</strong>{% endif %}</th><td>{{ row.model_version }}</td><td class="n">{{ "{:,}".format(row.scored) }}</td>
<td class="n">{{ "{:,}".format(row.outcomes) if row.outcomes else "none yet" }}</td><td class="n">{{ "{:,}".format(row.n) }}</td>
{% if row.too_few %}
<td colspan="4">{{ "too few to judge" if row.outcomes else "" }}</td>
{% else %}
<td class="n">{{ row.rate|share }}</td><td class="n">{{ row.mean_p|share }}</td><td class="n">{{ row.brier|figure }}</td>
<td class="n">{{ row|span("skill") }}</td>
{% endif %}
<td>{% for why, n in row.without.items() %}{{ "; " if not loop.first }}{{ "{:,}".format(n) }} {{ why }}{% endfor %}</td></tr>
{% endfor %}
{{ close() }}
{% if found.scoreboard.groups %}
<p>Each outcome counts once, by the newest prediction made before it. Gap: the share that improved less the mean chance, drawn
from -0.2 to 0.2 with its 95% interval and a broken line at 0. Skill: over the recent rate stored with each prediction. Groups
are judged with what is known of the schools today.</p>
{{ open("By grade and group, with 95% intervals", ["Group", "n", "Came true", "Mean chance", "Gap, drawn", "Gap", "Slope",
 "Intercept", "Brier", "Skill", "Sets that held"]) }}
{% for row in found.scoreboard.groups %}
<tr><th scope="row">{{ row.by }}: {{ row.group }}</th><td class="n">{{ "{:,}".format(row.n) }}</td>
{% if row.too_few %}
<td colspan="9">too few to judge</td>
{% else %}
<td class="n">{{ row.rate|share }}</td><td class="n">{{ row.mean_p|share }}</td>
<td>{% call svg() %}<line class="zero" x1="{{ 0|across(-0.2, 0.2) }}" x2="{{ 0|across(-0.2, 0.2) }}" y1="0" y2="18"/>
<line class="bar" x1="{{ row.gap_low|across(-0.2, 0.2) }}" x2="{{ row.gap_high|across(-0.2, 0.2) }}" y1="9" y2="9"/>
<circle class="fill" cx="{{ row.gap|across(-0.2, 0.2) }}" cy="9" r="4"/>{% endcall %}</td>
<td class="n">{{ row|span("gap") }}</td>
<td class="n">{{ row.slope|figure(2) }}</td><td class="n">{{ row.intercept|figure(2) }}</td>
<td class="n">{{ row.brier|figure }}</td><td class="n">{{ row|span("skill", 2) }}</td>
<td class="n">{{ row.coverage|share }} of {{ "{:,}".format(row.sets) }}</td>
{% endif %}</tr>
{% endfor %}
{{ close() }}
{% endif %}
{% if found.report_cards %}
<h2>Forecasts of report cards against the cards that came</h2>
<p>Each card is held against the newest forecast made before its inspection, by the month it was published.</p>
{{ open("By month of publication and area", ["Published", "Area", "n", "Below expected", "Mean chance", "AUC", "Brier",
 "Sets that held"]) }}
{% for row in found.report_cards %}
<tr><th scope="row">{{ row.month }}</th><td>{{ areas.get(row.area, "any area") }}</td>
<td class="n">{{ "{:,}".format(row.n) }}</td><td class="n">{{ row.below|share }}</td><td class="n">{{ row.mean_p|share }}</td>
{% if row.too_few %}<td colspan="3">too few to judge</td>{% else %}
<td class="n">{{ row.auc|figure(2) }}</td><td class="n">{{ row.brier|figure }}</td><td class="n">{{ row.coverage|share }}</td>
{% endif %}</tr>
{% endfor %}
{{ close() }}
{% endif %}
<h2>The limits, and why they stand where they do</h2>
{{ open("Another with --limit name=value", ["Limit", "What is measured", "Held to", "Because"]) }}
{% for row in found.limits %}
<tr><th scope="row">{{ row.name }}</th><td>{{ row.measured }}</td>
<td class="n">{{ "at least" if row.at_least else "at most" }} {{ "%g"|format(row.value) }}</td><td>{{ row.reason }}</td></tr>
{% endfor %}
{{ close() }}
</main>
<footer><p class="note">Drift says that schools look different, not that the chances are wrong; only outcomes can say that.</p>
</footer>
</body>
</html>
"""
