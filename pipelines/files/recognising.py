"""Which layout a file has, by its headers; where none fits, or two do, the difference."""

import difflib
from dataclasses import dataclass, field, replace

from headway.pipelines import sources
from headway.pipelines.files.cells import MOST_SHOWN, printable
from headway.pipelines.files.opening import Sheet
from headway.pipelines.sources import Column, Layout, fits, normalised
from headway.pipelines.tables import DataError

MOST_TOLD = 8  # columns that would tell two layouts apart
# headers shown, one of which may be the one we miss: official files have up to 30 that we don't use
MOST_UNREAD = 40


@dataclass
class Match:
    layout: Layout
    header_row: int
    found: dict[tuple[str, str], int]
    missing: list[Column]
    misspelt: list[tuple[str, str]]
    unread: list[str]
    again: dict[int, list[int]] = field(default_factory=dict)  # where a header we use stands a second time


def _same_but_for_spelling(one: str, other: str) -> bool:
    """Whether two headers of several words differ only in the spelling of long ones, or in a plural:
    `effectivness`, `pupil`.

    A header of one word may be a code, `NFTETEA` beside `NFTETEAAS`: in a code every letter counts.
    """
    words, others = one.split(), other.split()
    return len(words) == len(others) > 1 and all(
        a == b
        or (min(len(a), len(b)) >= 3 and a.removesuffix("s") == b.removesuffix("s"))
        or (
            a.isalpha()
            and b.isalpha()
            and min(len(a), len(b)) >= 6
            and a[0] == b[0]
            and 0.7 < len(a) / len(b) < 1.4  # no more alike than their lengths, and much sooner told
            and difflib.SequenceMatcher(None, a, b).ratio() >= 0.85
        )
        for a, b in zip(words, others, strict=True)
    )


def _places(headers: list[str]) -> dict[str, int]:
    """Where each header first stands."""
    places: dict[str, int] = {}
    for position, header in enumerate(headers):
        places.setdefault(normalised(header), position)
    return places


def _with_gaps(headers: list[str], places: dict[str, int], column: Column) -> int | None:
    """Where the one header stands that has the words of a spelling with `…`; none where two do, for we can't
    know which.
    """
    gaps = [spelling for spelling in column.headers if "…" in spelling]
    at = (
        {at for at in places.values() if any(fits(headers[at], spelling) for spelling in gaps)}
        if gaps
        else set()
    )
    return at.pop() if len(at) == 1 else None


def _match(headers: list[str], places: dict[str, int], layout: Layout, header_row: int) -> Match:
    result, absent = {}, []
    for record, column in layout.columns():
        at = next((places[normalised(h)] for h in column.headers if normalised(h) in places), None)
        if at is None:
            at = _with_gaps(headers, places, column)
        if at is None:
            absent.append((record, column))
        else:
            result[record, column.name] = at
    left = {header: at for header, at in places.items() if header and at not in set(result.values())}
    misspelt = []
    wanted = sum(column.required for _, column in layout.columns())
    # near enough to ask about spelling
    if left and sum(column.required for _, column in absent) <= wanted / 2:
        for record, column in absent.copy():
            near = {
                h for h in left for known in column.headers if _same_but_for_spelling(h, normalised(known))
            }
            if len(near) == 1:
                header = near.pop()
                result[record, column.name] = left.pop(header)
                misspelt.append((headers[result[record, column.name]], column.headers[0]))
                absent.remove((record, column))
    return Match(
        layout,
        header_row,
        result,
        [c for _, c in absent if c.required],
        misspelt,
        [headers[at] for at in left.values()],
    )


def recognise(
    name: str, sheets: list[Sheet], layouts: tuple[Layout, ...] = sources.LAYOUTS
) -> list[tuple[Sheet, Match]]:
    """The sheets that hold data, each with the one layout that it has all the needed columns of.

    Where it has those of two layouts, and one of them reads every column that the other does and more, it is
    that one. Raises `DataError` where neither does; where no sheet fits, or one that is meant to doesn't; and
    where a layout whose columns are not all there tells of more: a list of latest inspections that lost a
    column must not pass for the lesser kind of file that never had it.
    """
    known = {
        normalised(header)
        for layout in layouts
        for _, column in layout.columns()
        for header in column.headers
    }
    fit, near, lost, problems = [], [], [], []
    for sheet in sheets:
        tried = [
            _match(row, places, layout, number)
            for number, row in enumerate(sheet.top)
            if sum(1 for cell in row if cell) >= 2
            for places in [_places(row)]
            if places.keys() & known
            for layout in layouts
        ]
        whole = _fullest([match for match in tried if not match.missing])
        others = [match for match in tried if match.missing and len(match.found) >= 2]
        if len(whole) > 1:
            problems.append(_undecided(sheet, whole))
        elif whole and not any(_tells_more(match, whole[0]) for match in tried):
            fit.append((sheet, replace(whole[0], again=_again(sheet.top[whole[0].header_row], whole[0]))))
        else:
            near += others
            lost += [
                (sheet.label, match) for match in sorted(others, key=_distance)[:1] if whole or _meant(match)
            ]
    if fit or problems:
        problems += [_nearest(label, match) for label, match in lost]
        if problems:
            raise DataError("\n\n".join(problems))
        return fit
    if not near:
        raise DataError(
            f"{name} isn't any official file we know: no row of it has headers of ours.\n"
            "If it belongs elsewhere, take it out of the folder; if it is a new kind of file, add a layout "
            "for it to "
            "pipelines/sources/."
        )
    raise DataError(_nearest(name, *_equally_near(near)))


def _fullest(fits: list[Match]) -> list[Match]:
    """The matches without those that another of the same row contains: one is what the file says it is."""
    best: dict[str, Match] = {}
    for match in fits:
        if match.layout.name not in best or len(match.found) > len(best[match.layout.name].found):
            best[match.layout.name] = match
    return [
        match
        for match in best.values()
        if not any(
            match.header_row == other.header_row and set(match.found.values()) < set(other.found.values())
            for other in best.values()
        )
    ]


def _undecided(sheet: Sheet, fits: list[Match]) -> str:
    """What to say of a file that fits several layouts, with what tells them apart."""
    lines = [f"{sheet.label} has all that {len(fits)} layouts need, and only one of them can be right:"]
    for match in fits:
        others = [other for other in fits if other is not match]
        at = {
            place
            for other in others
            if other.header_row == match.header_row
            for place in other.found.values()
        }
        alone = [place for place in dict.fromkeys(match.found.values()) if place not in at]
        headers = [printable(sheet.top[match.header_row][place], MOST_SHOWN) for place in alone]
        known = {
            normalised(header)
            for other in others
            for _, column in other.layout.columns()
            for header in column.headers
        }
        missing = [
            column.headers[0]
            for record, column in match.layout.columns()
            if (record, column.name) not in match.found and not known & set(map(normalised, column.headers))
        ]
        lines.append(f"  {match.layout.name}")
        lines += [f"    which alone has: {', '.join(headers[:MOST_TOLD])}"] if headers else []
        lines += (
            [f"    which alone can have: {', '.join(missing[:MOST_TOLD])}"] if missing and not headers else []
        )
    lines.append(
        "Delete the columns of the one that it isn't. If such files are always the one, add to that layout "
        "in "
        "pipelines/sources/ the columns it leaves out, or mark required what the other never has."
    )
    return "\n".join(lines)


def _meant(match: Match) -> bool:
    """Whether a sheet that fits nothing is a list that lost a column, rather than a cover, a summary or a
    chart.
    """
    columns = match.layout.columns()
    keyed = all((record, column.name) in match.found for record, column in columns if column.name == "urn")
    return keyed and len(match.missing) <= sum(column.required for _, column in columns) / 2


def _equally_near(matches: list[Match]) -> list[Match]:
    """The matches of different layouts that no other is nearer than: a file may have lost what would tell
    them apart.
    """
    least = min(map(_distance, matches))
    return list(
        {match.layout.name: match for match in reversed(matches) if _distance(match) == least}.values()
    )[::-1]


def _nearest(name: str, match: Match, *others_as_near: Match) -> str:
    lines = [f"{name} isn't any release we know. It is nearest to: {match.layout.name}"]
    for column in match.missing:
        lines.append(f"  - {column.headers[0]}")
        close = difflib.get_close_matches(column.headers[0], match.unread, n=2, cutoff=0.5)
        lines += [f"  + {printable(header)}" for header in close]
    for other in others_as_near:
        lines += [
            f"It is as near to: {other.layout.name}",
            *(f"  - {column.headers[0]}" for column in other.missing),
        ]
    others = [
        f"“{printable(header, MOST_SHOWN)}”"
        for header in match.unread
        if f"  + {printable(header)}" not in lines
    ]
    if others:
        lines.append(
            "Other headers we don't use: "
            f"{', '.join(others[:MOST_UNREAD])}{'…' if others[MOST_UNREAD:] else '.'}"
        )
    lines.append("If a column was renamed, add its new spelling to that layout in pipelines/sources/.")
    return "\n".join(lines)


def _tells_more(match: Match, whole: Match) -> bool:
    """Whether a match reads more columns that the other leaves out than the other way round, but for what
    schools are.

    Names and places of schools may stand in any file: an analyst adds them to a plain history.
    """
    theirs, ours = set(match.found.values()), set(whole.found.values())
    judged = {at for (record, _), at in match.found.items() if record != "schools"}
    return match.header_row == whole.header_row and len(judged - ours) > len(ours - theirs)


def _distance(match: Match) -> tuple[float, int]:
    """How far a layout is from a file: needed columns it lacks by those it has, then others that it lacks."""
    return len(match.missing) / (1 + len(match.found)), len(match.layout.columns()) - len(match.found)


def _again(headers: list[str], match: Match) -> dict[int, list[int]]:
    """Where the headers we use stand a second time."""
    said = [normalised(header) for header in headers]
    return {
        at: [other for other, header in enumerate(said) if header == said[at] and other != at]
        for at in set(match.found.values())
        if said.count(said[at]) > 1
    }
