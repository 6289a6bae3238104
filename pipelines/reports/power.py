"""How much would have to be known, as a page: one HTML file that needs nothing else, in the manner of the
evidence's.

It only shows what power.json holds: the answer in words first, then its tables, then what was assumed.
"""

from functools import cache
from typing import Any

from jinja2 import Template

from headway.pipelines.reports.page import template


def report(found: dict[str, Any]) -> str:
    """The page for the content of power.json. Everything in it is escaped; nothing is fetched when it
    opens.
    """
    return _template().render(found=found)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,}"


def _apart(row: dict[str, Any]) -> str:
    return "more than there are, so not drawn" if row["apart"] is None else f"{row['apart']:+.1%}"


def _value(value: float) -> str:
    return f"{value:.4g}"


@cache
def _template() -> Template:
    return template("power.html", {"number": _number, "apart": _apart, "value": _value})
