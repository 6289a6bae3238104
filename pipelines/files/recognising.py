"""Which layout a file has, by its headers; where none fits, the nearest and the difference."""

import difflib
from dataclasses import dataclass

from pipelines import sources
from pipelines.files.cells import SHOWN, printable
from pipelines.files.opening import Sheet
from pipelines.sources import Column, Layout, normalised
from pipelines.tables import DataError


@dataclass
class Match:
    layout: Layout
    header_row: int
    found: dict[tuple[str, str], int]
    missing: list[Column]
    misspelt: list[tuple[str, str]]
    unread: list[str]


def _same_but_for_spelling(one: str, other: str) -> bool:
    """Whether two headers differ only in the spelling of long words: `effectivness`, `quntile`."""
    words, others = one.split(), other.split()
    return len(words) == len(others) and all(
        a == b
        or (a.isalpha() and b.isalpha() and min(len(a), len(b)) >= 6 and a[0] == b[0]
            and 0.7 < len(a) / len(b) < 1.4  # no more alike than their lengths, and much sooner told
            and difflib.SequenceMatcher(None, a, b).ratio() >= 0.85)
        for a, b in zip(words, others, strict=True)
    )


def _places(headers: list[str]) -> dict[str, int]:
    """Where each header first stands."""
    places: dict[str, int] = {}
    for position, header in enumerate(headers):
        places.setdefault(normalised(header), position)
    return places


def _match(headers: list[str], places: dict[str, int], layout: Layout, header_row: int) -> Match:
    found, absent = {}, []
    for record, column in layout.columns():
        at = next((places[normalised(h)] for h in column.headers if normalised(h) in places), None)
        if at is None:
            absent.append((record, column))
        else:
            found[record, column.name] = at
    left = {header: at for header, at in places.items() if header and at not in set(found.values())}
    misspelt = []
    wanted = sum(column.required for _, column in layout.columns())
    if left and sum(column.required for _, column in absent) <= wanted / 2:  # near enough to ask about spelling
        for record, column in absent.copy():
            near = {h for h in left for known in column.headers if _same_but_for_spelling(h, normalised(known))}
            if len(near) == 1:
                header = near.pop()
                found[record, column.name] = left.pop(header)
                misspelt.append((headers[found[record, column.name]], column.headers[0]))
                absent.remove((record, column))
    return Match(layout, header_row, found, [c for _, c in absent if c.required], misspelt,
                  [headers[at] for at in left.values()])  # fmt: skip


def recognise(name: str, sheets: list[Sheet]) -> tuple[Sheet, Match]:
    """The sheet that holds the data, and the layout most of whose columns it has."""
    tried = [
        (sheet, _match(row, places, layout, number))
        for sheet in sheets
        for number, row in enumerate(sheet.top)
        if sum(1 for cell in row if cell) >= 2
        for places in [_places(row)]
        for layout in sources.LAYOUTS
    ]
    whole = [(sheet, match) for sheet, match in tried if not match.missing]
    if whole:
        return max(whole, key=lambda pair: len(pair[1].found))
    near = [(sheet, match) for sheet, match in tried if len(match.found) >= 2]
    if not near:
        raise DataError(
            f"{name} isn't any official file we know: no row of it has headers of ours.\n"
            "If it belongs elsewhere, take it out of the folder; if it is a new kind of file, add a layout for it to "
            "pipelines/sources.py."
        )
    sheet, match = min(near, key=lambda pair: (len(pair[1].missing) / (1 + len(pair[1].found)), -len(pair[1].found)))
    lines = [f"{name} isn't any release we know. It is nearest to: {match.layout.name}"]
    for column in match.missing:
        lines.append(f"  - {column.headers[0]}")
        close = difflib.get_close_matches(column.headers[0], match.unread, n=2, cutoff=0.5)
        lines += [f"  + {printable(header)}" for header in close]
    if not any(line.startswith("  +") for line in lines):
        lines += [f"  + {printable(header)}" for header in match.unread[:SHOWN]]
    lines.append("If a column was renamed, add its new spelling to that layout in pipelines/sources.py.")
    raise DataError("\n".join(lines))
