"""Cells of text to values: days, numbers, grades and words, each read or its blank explained."""

import contextlib
import re

import numpy as np
import pandas as pd
import pyarrow as pa

from headway.pipelines import frameworks, sources
from headway.pipelines.sources import Column, evened
from headway.pipelines.tables import DATE

SHOWN = 5  # examples of each problem in a message
MOST_SHOWN = 80  # letters of each

_DATES = (
    (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y"),
    (r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y"),
    (r"\d{1,2} [A-Za-z]+ \d{4}", "%d %B %Y"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{2}", "%d-%b-%y"),
)
FIGURES = ("count", "number", "share", "percent", "money")  # the kinds of column that hold them
_FIGURE = re.compile(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?")
_SIGNS = re.compile("[£,%\t\n\f\r \ufffd]")
_PLACEHOLDERS = pd.to_datetime(["1900-01-01", "1899-12-31", "1899-12-30"])


def _dates(texts: list[str]) -> pd.Series:
    days = pd.Series(pd.NaT, index=range(len(texts)), dtype=DATE)
    for pattern, form in _DATES:
        fit = [re.fullmatch(pattern, text, re.ASCII) is not None for text in texts]
        if any(fit):
            read = pd.Series(texts, dtype="str")[fit]
            days[fit] = pd.to_datetime(read, format=form, errors="coerce").astype(DATE)
    return days


def _numbers(texts: list[str]) -> pd.Series:
    figures = pd.to_numeric(pd.Series([_figure(text) for text in texts], dtype="object"), errors="coerce")
    return figures.where(figures.abs() < float("inf"))  # 1e999 is no figure of a school's


def _figure(text: str) -> str | None:
    """The figure that a text is, without the signs that may stand in it and beside it; None where it is
    none.
    """
    if _FIGURE.fullmatch(text):
        return text
    plain = _SIGNS.sub("", text)
    return plain if _FIGURE.fullmatch(plain) else None


def out_of_range(cells: pd.Series, kind: str) -> pd.Series:
    """Which of the cells that can't be read hold a figure or a day all the same, as 104.17% of pupils or
    31/02/2025.

    Such a cell is a slip in one row. Any other that can't be read may be a word that came with this release.
    """
    if kind in FIGURES:
        plain = cells.str.replace(r"[£,%\s]", "", regex=True)
        return plain.str.fullmatch(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?")
    slips = pd.Series(False, index=cells.index)
    if kind == "date":
        months = cells.str.extract("([A-Za-z]+)", expand=False).str.lower().str[:3]
        for pattern, _ in _DATES:
            slips |= cells.str.fullmatch(pattern) & (months.isna() | months.isin(list(sources.MONTHS)))
    return slips


_GRADES = {
    **{str(code): code for code in frameworks.GRADES},
    **{f"{code}.0": code for code in frameworks.GRADES},
    **frameworks.GRADE_CODES,
    **dict.fromkeys(frameworks.CATEGORY_GRADES, 4),
}
_STANDARDS = {
    **{word.lower(): code for word, code in frameworks.STANDARDS.items()},
    **{alias: frameworks.STANDARDS[word] for alias, word in frameworks.STANDARD_ALIASES.items()},
}
_CATEGORIES = {
    **{code.lower(): code for code in frameworks.CATEGORIES},
    **{alias.lower(): code for alias, code in frameworks.CATEGORY_ALIASES.items()},
}
_YES_NO = {"yes": True, "no": False, "met": True, "not met": False}
_MEANINGS = {"grade": _GRADES, "standard": _STANDARDS, "yes_no": _YES_NO, "category": _CATEGORIES}


def read_cells(
    cells: pd.Series, kind: str, words: dict[str, str] | None = None
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """The values of a column of text, why each blank is blank, and which cells could not be understood.

    Each distinct text is read once. Suppressed, not applicable and not collected stay apart in the second
    result. A `percent` is divided by a hundred, a `share` is not, unless it carries a % sign: no cell is read
    by its neighbours.
    """
    codes, texts = pd.factorize(cells)
    texts = texts.tolist()
    why = [_blank(text.lower(), kind) for text in texts]
    blank = np.array([reason is not None for reason in why], dtype="bool")
    live = ["" if reason else text for text, reason in zip(texts, why, strict=True)]
    if kind in _MEANINGS:
        values = pd.Series([text.lower() for text in live], dtype="str").map(_MEANINGS[kind])
    elif kind == "date":
        values = _dates(live)
        nothing = values.isin(_PLACEHOLDERS).to_numpy()
        why = ["blank" if none else reason for none, reason in zip(nothing, why, strict=True)]
        blank |= nothing
        values = values.where(~blank)
    elif kind == "period":
        years = (
            pd.Series(live, dtype="str")
            .str.extract(r"^((?:19|20)[0-9]{2})[-/_ ]?(?:19|20)?([0-9]{2})$")
            .astype("float64")
        )
        values = (years[0] + 1).where((years[0] + 1) % 100 == years[1])
    elif kind in FIGURES:
        values = _numbers(live)
        if kind in ("share", "percent"):
            whole = np.array([100 if kind == "percent" or "%" in text else 1 for text in live])
            shares = values.to_numpy(dtype="float64") / whole
            values = pd.Series(np.where(shares <= 1.0005, np.minimum(shares, 1.0), np.nan))
        if kind != "number":
            values = values.where(values >= 0)
    elif kind == "word":
        values = pd.Series(live, dtype="str").map(evened)
        values = (values.map(words) if words else values).where(~blank)
        nothing = values.eq("").to_numpy(dtype="bool", na_value=False) & ~blank
        why = ["not applicable" if none else reason for none, reason in zip(nothing, why, strict=True)]
        blank |= nothing
        values = values.where(~nothing)
    else:
        if kind == "key":
            live = [text.removesuffix(".0").upper() for text in live]
        values = pd.Series(
            [None if reason else text for text, reason in zip(live, why, strict=True)], dtype="str"
        )
    bad = values.isna().to_numpy() & ~blank
    return (
        pd.Series(values.array.take(codes), index=cells.index),
        pd.Series(pd.array(why, dtype="str").take(codes), index=cells.index),
        pd.Series(bad[codes], index=cells.index),
    )


def _blank(text: str, kind: str) -> str | None:
    """Why a cell of a kind is blank, by its text in lower case; None where it says something."""
    if kind == "word":
        return None if text else "blank"  # no marker: “x” is a word nobody declared
    if kind in _MEANINGS and text not in sources.BLANKS:
        return frameworks.NOT_GRADES.get(text.removesuffix(".0"))
    return sources.BLANKS.get(text)


def unread(column: Column, cells: pd.Series, header_row: int) -> str:
    examples = "; ".join(
        f"row {at + header_row + 2}: “{printable(text, MOST_SHOWN)}”"
        for at, text in cells.head(SHOWN).items()
    )
    expects = {
        "grade": "a grade 1-4 or its word",
        "standard": "a report-card grade",
        "date": "a day, as 31/08/2025",
        "category": "a category of concern",
        "yes_no": "yes or no",
        "share": "a share from 0 to 1",
        "percent": "a share of at most 100%",
    }
    known = f"one of {', '.join(f'“{word}”' for word in column.words)}" if column.words else column.kind
    where = (
        "pipelines/sources/" if column.words else "BLANKS in pipelines/sources/ or to pipelines/frameworks.py"
    )
    return (
        f"  {column.headers[0]}: {len(cells)} cells hold what we don't know as "
        f"{expects.get(column.kind, known)}: "
        f"{examples}.\n    If it is a new {'word' if column.words else 'marker or grade'}, add it to {where}."
    )


def printable(text: str, most: int = 300) -> str:
    """Text of a file as a message may show it: no longer, and without characters that would drive the
    terminal.
    """
    seen = "".join(letter if letter.isprintable() else "\ufffd" for letter in text[: most + 1])
    return seen if len(seen) <= most else f"{seen[:most]}…"


def numbers(values: pd.Series) -> pd.Series:
    """Text keys as whole numbers, blank where they are not."""
    # as nearly all are: much the faster way
    if isinstance(values.dtype, pd.StringDtype) and values.str.isdigit().all():
        with contextlib.suppress(pa.ArrowInvalid, OverflowError):
            whole = pa.array(values, from_pandas=True).cast(pa.int64())
            return pd.Series(
                whole.to_numpy(zero_copy_only=False), index=values.index, name=values.name
            ).astype("Int64")
    return pd.to_numeric(values, errors="coerce").astype("Int64")


def first_known(*columns: pd.Series) -> pd.Series:
    """The first of the columns that has a value, row by row."""
    result = columns[0]
    for column in columns[1:]:
        result = result.where(result.notna(), column)
    return result
