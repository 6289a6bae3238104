"""The day a file dates from: in its name, by its release calendar, or the newest day it holds."""

import re

import pandas as pd

from headway.pipelines import sources
from headway.pipelines.files.cells import MOST_SHOWN, printable
from headway.pipelines.sources import Layout
from headway.pipelines.tables import DataError

# from the last answer to a release: eight of 2020 to 2026 were put up after 51 to 144 days
UNTOLD = pd.DateOffset(days=150)
SLIP = pd.Timedelta(days=366)  # a report dated so long after its file is a slip of the pen

_MONTH = "|".join(sources.MONTHS)
_DAY_IN_NAME = re.compile(
    rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[\s_-]*(?P<m>{_MONTH})[a-z]*[\s_-]*(?P<y>20\d\d|\d\d(?!\d))"
    r"|(?P<iy>20\d\d)-?(?P<im>\d\d)-?(?P<id>\d\d)(?!\d)",
    re.IGNORECASE,
)
# between a workbook's name and its sheet's
_SHEET = re.compile(r"(?:(?<=\.xlsx)|(?<=\.xlsm)|(?<=\.ods))/", re.IGNORECASE)


def day_in_name(name: str) -> pd.Timestamp | None:
    """The last day a file's name gives: 31_Aug_2023, 30Apr2014, 2019-12-31, 20260901. None where it gives
    none.

    A sheet's name stands after its workbook's, and counts only where that gives no day.
    """
    return next(
        (day for part in _SHEET.split(name, maxsplit=1) if (day := _last_day(part)) is not None), None
    )


def published_on(name: str, rows: list[list[str]]) -> pd.Timestamp | None:
    """The day that a cover sheet, or a title above the headers, says its file was published on; None where
    none does.

    The cell beside “Published on:” or the rest of that cell: 10 November 2025, 2025-11-10 or Monday, November
    10, 2025. Raises `DataError` where it is no day.
    """
    for row in rows:
        for at, cell in enumerate(row):
            if result := re.match(r"published on\s*:?\s*(.*)$", cell, re.IGNORECASE | re.DOTALL):
                text = result[1] or next((beside for beside in row[at + 1 :] if beside), "")
                turned = re.sub(
                    rf"((?:{_MONTH})[a-z]*)\s+(\d{{1,2}}),?\s+(20\d\d)",
                    r"\2 \1 \3",
                    text,
                    flags=re.IGNORECASE,
                )
                if (day := _last_day(turned)) is None:
                    raise DataError(
                        f"{name} says it was published on “{printable(text, MOST_SHOWN)}”, which is no day "
                        "we can "
                        "read.\nPut the day on its cover as 10 November 2025."
                    )
                return day
    return None


def _last_day(name: str) -> pd.Timestamp | None:
    days = []
    for result in _DAY_IN_NAME.finditer(name):
        if result["y"]:
            year = int(result["y"]) + (2000 if len(result["y"]) == 2 else 0)
            parts = year, sources.MONTHS[result["m"][:3].lower()], int(result["d"])
        else:
            parts = int(result["iy"]), int(result["im"]), int(result["id"])
        try:
            days.append(pd.Timestamp(*parts))
        except ValueError:
            continue
    return days[-1] if days else None


def tables_year(name: str) -> int | None:
    """The year of the performance tables a file belongs to: 2019 for `2019_england_swf.csv` and for
    `2018-2019`.
    """
    return next(
        (year for part in _SHEET.split(name, maxsplit=1) if (year := _first_year(part)) is not None), None
    )


def _first_year(name: str) -> int | None:
    span = re.search(r"(?<!\d)(20\d\d)[-_](20)?(\d\d)(?!\d)", name)
    if span and int(span[3]) == (int(span[1]) + 1) % 100:
        return int(span[1]) + 1
    single = re.search(r"(?<!\d)(20\d\d)(?!\d)", name)
    return int(single[1]) if single else None


def _public(period: int, layout: Layout, name: str) -> pd.Timestamp:
    month, day, after = next(
        (when for pattern, when in sources.EARLIER_RELEASES if re.search(pattern, name, re.I)), layout.public
    )
    return pd.Timestamp(period + after, month, day)


def file_on(
    name: str,
    layout: Layout,
    records: dict[str, pd.DataFrame],
    sheet: str = "",
    published: pd.Timestamp | None = None,
) -> pd.Timestamp:
    """The day a file dates from: in its name or its sheet's, by its release calendar, or the newest it holds;
    never earlier.

    `published` is the day its cover gives. A `published` file without one dates from as long after the day in
    its name as such files have taken to come out: rather late than early.
    """
    if layout.dated == "published":
        named = day_in_name(name) or day_in_name(sheet)
        if named is None:
            raise DataError(
                f"{name} doesn't say when its answers end.\nPut the day in its name, as "
                "as_at_1_September_2025."
            )
        return max(published, named) if published is not None else named + UNTOLD
    held = [
        frame[column]
        for record, frame in records.items()
        for column in frame
        if column in ("published_on", "changed_by", "joined_on")
        or (record == "register" and column == "ended_on")
    ]
    if layout.dated == "tables":
        year = tables_year(name)
        if year is None:
            raise DataError(
                f"{name} doesn't say which year's tables it is from.\n"
                "Put the year before its name (2019_england_swf.csv) or in its folder's (2018-2019)."
            )
        return _public(year, layout, name)
    if layout.dated == "period":
        periods = next(iter(records.values()))["period"]
        return _public(int(periods.max()), layout, name) if periods.notna().any() else pd.NaT
    named = day_in_name(name) or day_in_name(sheet)
    if layout.dated == "as at" and named is not None:
        held = [days[days <= named + SLIP] for days in held]  # one slip must not move the whole file
    newest = max((day for days in held if pd.notna(day := days.max())), default=pd.NaT)
    if layout.dated == "as at" and named is None and pd.isna(newest):
        raise DataError(f"{name} doesn't say when it is from.\nPut its date in its name, as 31_August_2025.")
    days = [
        day
        for day in (named if layout.dated == "as at" else None, newest)
        if day is not None and pd.notna(day)
    ]
    # Links between schools hold no day of their own: two daily extracts are told apart by their names.
    return max(days) if days else pd.NaT if named is None else named
