"""Figures looked up in the run's own files: none can reach a card unless it was found there, and each says
where.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from headway.models.conformal import PROMISED
from headway.pipelines.frameworks import GRADES

HERE = Path(__file__).parent
# A figure travels between these two, so that a number typed into a template can be told from one that was
# looked up.
BEGIN, END = "\ue000", "\ue001"
BLANK = "not known"

# The only numbers that are nobody's finding, with the reason for each. Templates name them: {{
# constant("interval") }}.
CONSTANTS = {
    "interval": "95%",  # of every interval in train.json and evidence.json
    "promised": f"{PROMISED:.0%}",  # what grade sets are calibrated to
    "model cards": "2019",  # Mitchell and others
    "checklist": "BMJ 2024;385:e078378",  # Collins and others
    "template": "4.0",  # of the transparency record
    "licence": "3.0",  # of the Open Government Licence
    "report cards": "November 2025",  # when overall grades ended in inspections
    "satisfactory": "September 2012",  # when the third grade was renamed
    "tenth": "10%",
    "fifth": "20%",  # of schools, by risk, in evaluate.caught
    "random": "0.5",  # an area under the curve that says nothing
}


def _day(text: str) -> str:
    day = pd.Timestamp(text)
    return f"{day.day} {day:%B %Y}"


def _year(text: str) -> str:
    """The academic year that starts in a fold's September: 2024-09-01 is 2024/25."""
    start = pd.Timestamp(text).year
    return f"{start}/{(start + 1) % 100:02}"


FORMS: dict[str, Callable[[Any], str]] = {
    "text": lambda value: " ".join(str(value).split()),
    "number": "{:,}".format,
    "size": "{:.1f}".format,
    "decimal": "{:.2f}".format,
    "fine": "{:.3f}".format,
    "share": "{:.1%}".format,
    "gain": "{:+.2%}".format,
    "finest": "{:.4f}".format,
    "difference": lambda share: f"{share * 100:+.1f}",
    "hundredths": lambda share: f"{share * 100:.1f}",
    "points": lambda share: f"{share * 100:.1f} percentage points",
    "plain": "{:g}".format,
    "day": _day,
    "year": _year,
    "grade": lambda rank: GRADES[rank],
}


@dataclass(frozen=True)
class Found:
    """A value of one of the run's files, and the path it lies at: ("train", "scores", 5, "skill")."""

    path: tuple[str | int, ...]
    value: Any = field(hash=False)

    def __getitem__(self, key: Any) -> "Found":
        return Found((*self.path, key), self.value[key])

    def __iter__(self) -> Iterator["Found"]:
        return (self[key] for key in (range(len(self.value)) if isinstance(self.value, list) else self.value))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __eq__(self, other: object) -> bool:
        return self.value == (other.value if isinstance(other, Found) else other)

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: "Found") -> bool:
        return self.value < other.value


@dataclass(frozen=True)
class Figure:
    """What a card says, where it was found, and how it came from there.

    "is" the value in a form; "key" the name it lies under; "length" of a list; "count" of rows; "sum";
    "distinct" values; or a declared "constant", found nowhere.
    """

    said: str
    how: str
    form: str
    paths: tuple[tuple[str | int, ...], ...]


def drawn(template: str, content: dict[str, Any], **more: Any) -> tuple[str, list[Figure]]:
    """A template filled in, in Markdown, and every figure in it in the order they were looked up.

    `content` are the run's files by name; one that is missing is None. Raises `ValueError` where the template
    has a digit of its own: that is a mistake in the template, not in the run.
    """
    figures: list[Figure] = []

    def marked(said: str, how: str, form: str, *paths: tuple[str | int, ...]) -> Markup:
        figures.append(Figure(said, how, form, paths))
        return Markup(f"{BEGIN}{escaped(said)}{END}")

    def fig(found: Found, form: str, blank: str = BLANK) -> Markup:
        return marked(blank if found.value is None else FORMS[form](found.value), "is", form, found.path)

    def span(row: Found, name: str, form: str = "fine") -> Markup:
        """An estimate and its interval."""
        if row[name].value is None:
            return escaped("too few")
        low, high = (
            (row[f"{name}_low"], row[f"{name}_high"])
            if f"{name}_low" in row.value
            else (row["low"], row["high"])
        )
        return Markup("{} ({} to {})").format(fig(row[name], form), fig(low, form), fig(high, form))

    def count(rows: Found | list[Found]) -> Markup:
        """How many: of the items of one list, or of the rows picked out of one."""
        if isinstance(rows, Found):
            return marked(f"{len(rows.value):,}", "length", "number", rows.path)
        return marked(f"{len(rows):,}", "count", "number", *(row.path for row in rows))

    def total(rows: list[Found], name: str) -> Markup:
        return marked(
            f"{sum(row[name].value for row in rows):,}", "sum", "number", *(row[name].path for row in rows)
        )

    def distinct(held: Found) -> Markup:
        return marked(f"{len(set(held.value.values())):,}", "distinct", "number", held.path)

    def key(found: Found) -> Markup:
        """The name something lies under."""
        return marked(str(found.path[-1]), "key", "text", found.path)

    def constant(name: str) -> Markup:
        return marked(CONSTANTS[name], "constant", "text")

    def numbered(number: str) -> Markup:
        return marked(number, "constant", "text")

    def output(value: Any) -> Any:
        if isinstance(value, Found):
            if not isinstance(value.value, str):
                raise ValueError(
                    f"{template} shows {'.'.join(map(str, value.path))} without a form: |fig('...')"
                )
            return fig(value, "text")
        return value if hasattr(value, "__html__") else escaped(value)

    page = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        finalize=output,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    page.filters |= {
        "fig": fig,
        "span": span,
        "count": count,
        "total": total,
        "distinct": distinct,
        "key": key,
        "where": _where,
        "without": _without,
        "above": _above,
        "not_above": _not_above,
        "below": _below,
        "lowest": _lowest,
        "highest": _highest,
        "by": _by,
        "line": lambda text: Markup(" ".join(str(text).split())),
    }
    page.globals |= {"constant": constant, "numbered": numbered}
    files = {name: None if held is None else Found((name,), held) for name, held in content.items()}
    text = page.get_template(template).render(**files, **more)
    typed = re.search(r".*\d.*", re.sub(f"{BEGIN}.*?{END}", "", text, flags=re.DOTALL))
    if typed:
        raise ValueError(f"{template} has a number of its own: {typed[0].strip()}")
    # rows of one table stay together
    text = re.sub(r"(?<=\|)\n\n+(?=\|)", "\n", re.sub(f"[{BEGIN}{END}]", "", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n", figures


def escaped(value: Any) -> Markup:
    """Any text as Markdown that shows just it, on one line: no heading, link, list, table cell or HTML comes
    of it.
    """
    text = " ".join(re.sub(f"[{BEGIN}{END}]", "", str(value)).split())
    text = re.sub(r"([\\`*_\[\]<>|&~#])", r"\\\1", text)
    return Markup(re.sub(r"^([-=]+$|[-+](?= )|(?<=^)=)|(?<=\d)([.)])(?= |$)(?<=^\d.)", r"\\\g<0>", text))


# --- picking rows -------------------------------------------------------------------------------------------


def _where(rows: Any, key: str, value: Any) -> list[Found]:
    return [row for row in rows if key in row.value and row[key] == value]


def _without(rows: Any, key: str, value: Any) -> list[Found]:
    return [row for row in rows if row[key] != value]


def _above(rows: Any, key: str) -> list[Found]:
    """The rows whose figure is over nought."""
    return [row for row in rows if row.value[key] is not None and row.value[key] > 0]


def _not_above(rows: Any, key: str) -> list[Found]:
    return [row for row in rows if row.value[key] is not None and row.value[key] <= 0]


def _below(rows: Any, key: str) -> list[Found]:
    return [row for row in rows if row.value[key] is not None and row.value[key] < 0]


def _known(rows: Any, key: str) -> list[Found]:
    return [row for row in rows if row.value[key] is not None]


def _lowest(rows: Any, key: str) -> Found:
    return min(_known(rows, key), key=lambda row: row.value[key])


def _highest(rows: Any, key: str) -> Found:
    return max(_known(rows, key), key=lambda row: row.value[key])


def _by(rows: Any, key: str) -> list[tuple[Found, list[Found]]]:
    """The rows that share a value, with the value as first found; in order of the value."""
    groups: dict[Any, list[Found]] = {}
    for row in rows:
        groups.setdefault(row.value[key], []).append(row)
    return [(mine[0][key], mine) for _, mine in sorted(groups.items())]
