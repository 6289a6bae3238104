"""How much would have to be known, as a page: one HTML file that needs nothing else, in the manner of the evidence's.

It only shows what power.json holds: the answer in words first, then its tables, then what was assumed.
"""

from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from headway.pipelines.reports.evidence import STYLE


def report(found: dict[str, Any]) -> str:
    """The page for the content of power.json. Everything in it is escaped; nothing is fetched when it opens."""
    return _template().render(found=found)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,}"


def _apart(row: dict[str, Any]) -> str:
    return "more than there are, so not drawn" if row["apart"] is None else f"{row['apart']:+.1%}"


def _value(value: float) -> str:
    return f"{value:.4g}"


@cache
def _template() -> Template:
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page.filters |= {"number": _number, "apart": _apart, "value": _value}
    return page.from_string(PAGE)


PAGE = (
    """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>What could be learned - Headway</title>
<style>
"""
    + STYLE
    + """</style>
</head>
<body>
<a class="skip" href="#main">Skip to the answers</a>
<header>
<h1>What could be learned, and from how many schools</h1>
<p>Four claims that no public file can test. How many schools would have to keep a register, or how many years of a file there
would have to be, to tell each from nothing. Sizes, phases and grades of {{ found.schools.open|number }} open schools. Source of
the data: {{ found.data_source }}.</p>
{% if found.data_source != "official" %}
<p class="warning"><strong>Made-up data.</strong> The schools on this page are not real: it shows the method.</p>
{% endif %}
</header>
<main id="main">
{% for question in found.questions %}
<section aria-labelledby="{{ question.id }}">
<h2 id="{{ question.id }}">{{ question.statement }} By {{ question.source }}</h2>
<div class="verdict">
{% for sentence in question.sentences %}
<p>{{ sentence }}</p>
{% endfor %}
</div>
<p>Compared: {{ question.how }}. Of all variation, {{ "%.1f%%"|format(question.alike * 100) }} lies between schools
({{ question.alike_from }}). {% if question.touched < 1 %}The claim is about {{ "%.1f%%"|format(question.touched * 100) }} of
those measured, so what would be seen is {{ question.difference|value }}.{% endif %}</p>
{% if question.needed %}
<div class="wide" tabindex="0" role="group" aria-label="Schools needed: {{ question.id }}">
<table>
<caption>Schools needed, two-sided at 5%</caption>
<thead><tr><th scope="col">Years</th><th scope="col">Power</th><th scope="col">By the closed form</th>
<th scope="col">By simulation</th><th scope="col">Simulation over closed form</th>
<th scope="col">Closed form holds</th></tr></thead>
<tbody>
{% for row in question.needed %}
<tr><th scope="row">{{ row.years }}</th><td class="n">{{ "%.0f%%"|format(row.power * 100) }}</td>
<td class="n">{{ row.closed|number }}</td><td class="n">{{ row.simulated|number }}</td><td class="n">{{ row|apart }}</td>
<td>{{ "yes" if row.closed_holds else "no: too few schools or people" }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% endif %}
{% if question.years %}
<div class="wide" tabindex="0" role="group" aria-label="Years needed: {{ question.id }}">
<table>
<caption>Years needed</caption>
<thead><tr><th scope="col">Schools</th><th scope="col">Power</th><th scope="col">Years</th></tr></thead>
<tbody>
{% for row in question.years %}
<tr><th scope="row">{{ row.schools|number }}</th><td class="n">{{ "%.0f%%"|format(row.power * 100) }}</td>
<td class="n">{{ row.years if row.years else "no number of years" }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% endif %}
{% if question.trusts %}
<div class="wide" tabindex="0" role="group" aria-label="A trust alone: {{ question.id }}">
<table>
<caption>What a trust could learn alone, in a year</caption>
<thead><tr><th scope="col">Schools</th><th scope="col">Power</th><th scope="col">In words</th></tr></thead>
<tbody>
{% for row in question.trusts %}
<tr><th scope="row">{{ row.schools }}</th><td class="n">{{ "%.0f%%"|format(row.power * 100) }}</td><td>{{ row.words }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% endif %}
</section>
{% endfor %}
<h2 id="assumed">What was assumed</h2>
<div class="wide" tabindex="0" role="group" aria-label="What was assumed">
<table>
<caption>What was assumed</caption>
<thead><tr><th scope="col">What</th><th scope="col">Value</th><th scope="col">From</th></tr></thead>
<tbody>
{% for row in found.assumptions %}
<tr><th scope="row">{{ row.what }}</th><td class="n">{{ row.value|value }}</td><td>{{ row.from }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
<h2 id="method">How it was worked out</h2>
<p>A study counts a school as one, since people of a school are alike. The closed form sets the claimed difference against the
variance of a difference of two means over schools of unequal size; the simulation draws schools from the tables, their people,
and what each school has of its own, {{ found.replicates|number }} times at most for each number of schools, and tests each drawn
study by the spread from school to school. Beyond all years, what schools have of their own stays: no number of years takes it
away. Differences as large as the claims are taken to be true here; nothing on this page says that they are.</p>
</main>
<footer><p class="note">Every figure is in power.json. A difference, even told for certain, is not an effect.</p></footer>
</body>
</html>
"""
)
