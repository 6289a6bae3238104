"""What each file is worth, as a page: one HTML file that needs nothing else, in the manner of the evidence's.

It only shows what worth.json holds.
"""

from functools import cache
from typing import Any

from jinja2 import Template

from headway.pipelines.reports.page import template


def report(found: dict[str, Any]) -> str:
    """The page for the content of worth.json. Everything in it is escaped; nothing is fetched when it
    opens.
    """
    return _template().render(found=found)


def gain(row: dict[str, Any], name: str = "gain") -> str:
    """A gain and its interval: of the error in percent, of an area under the curve in its own units."""
    form = "+.2%" if name == "gain" else "+.3f"
    if row[name] is None:
        return "too few"
    return f"{row[name]:{form}} ({row[f'{name}_low']:{form}} to {row[f'{name}_high']:{form}})"


def days(late: float | None) -> str:
    """How late a source comes, in words."""
    if late is None:
        return "of its own day"
    return f"{late:,.0f} days after" if late >= 0 else f"{-late:,.0f} days before"


def size(count: float) -> str:
    return f"{count / 1e6:.1f} MB"


@cache
def _template() -> Template:
    return template(
        "worth.html", {"gain": gain, "days": days, "size": size, "count": lambda count: f"{count:,.0f}"}
    )
