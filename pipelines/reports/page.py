"""The template of a report's page, which stands beside it as HTML: everything filled in is escaped, a missing
name stops it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template


def template(
    name: str,
    filters: Mapping[str, Callable[..., Any]] | None = None,
    folder: Path | list[Path] = Path(__file__).parent,
    **names: Any,
) -> Template:
    """The template of that name in `folder`, or the first of several folders that has it, with filters of its
    own, and names that it may use.
    """
    settings: dict[str, Any] = {
        "autoescape": True,
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    page = Environment(loader=FileSystemLoader(folder), **settings)
    page.filters |= filters or {}
    page.globals |= names
    return page.get_template(name)
