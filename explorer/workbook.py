"""Tables as one Excel workbook: a sheet a table, numbers and days as numbers and days, and what to know in a
sheet of notes.
"""

import io

import pandas as pd
import streamlit as st

from headway.explorer import words

WIDEST = 48  # characters of a column; longer texts wrap
FORBIDDEN = "[]:*?/\\'"  # in the name of a sheet, which has at most 31 letters


def workbook(sheets: dict[str, pd.DataFrame], notes: list[str]) -> bytes:
    """The file. Text is written as text: none becomes a formula, a link or a day."""
    import xlsxwriter

    kept = io.BytesIO()
    plainly = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
        "in_memory": True,
    }
    with xlsxwriter.Workbook(kept, plainly) as book:
        forms = {
            "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
            "day": book.add_format({"num_format": "yyyy-mm-dd"}),
            "text": book.add_format({"text_wrap": True, "valign": "top"}),
            "share": book.add_format({"num_format": "0.000"}),
        }
        for name, rows in sheets.items():
            _sheet(book.add_worksheet(_named(name)), rows, forms)
        page = book.add_worksheet("Notes")
        page.set_column(0, 0, 110, forms["text"])
        for place, note in enumerate(notes):
            page.write_string(place, 0, note)
    return kept.getvalue()


def _named(name: str) -> str:
    return "".join(" " if letter in FORBIDDEN else letter for letter in name)[:31]


def _sheet(page, rows: pd.DataFrame, forms: dict) -> None:
    page.freeze_panes(1, 1)
    for place, name in enumerate(rows.columns):
        column = rows[name]
        page.write_string(0, place, str(name), forms["head"])
        days, numbers = pd.api.types.is_datetime64_any_dtype(column), pd.api.types.is_numeric_dtype(column)
        yes_no = pd.api.types.is_bool_dtype(column)
        texts = [] if days or numbers else [str(value) for value in column if not words.blank(value)]
        page.set_column(
            place, place, min(max([12, *map(len, texts)]), WIDEST), None if days or numbers else forms["text"]
        )
        for at, value in enumerate(column, 1):
            if words.blank(value):
                continue
            if days:
                page.write_datetime(at, place, pd.Timestamp(value).to_pydatetime(), forms["day"])
            elif yes_no or isinstance(value, bool):
                page.write_boolean(at, place, bool(value))
            elif numbers or isinstance(value, (int, float)):
                page.write_number(
                    at, place, float(value), None if float(value).is_integer() else forms["share"]
                )
            elif isinstance(value, pd.Timestamp):
                page.write_datetime(at, place, value.to_pydatetime(), forms["day"])
            else:
                page.write_string(at, place, str(value))
    if len(rows):
        page.autofilter(0, 0, len(rows), max(len(rows.columns) - 1, 0))


def download(
    sheets: dict[str, pd.DataFrame], notes: list[str], key: str, label: str = "Excel workbook"
) -> None:
    """A button for it; the file is made when it is pressed."""
    st.download_button(
        label,
        lambda: workbook(sheets, notes),
        f"headway-{words.file_name(key)}.xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        key=f"xlsx_{key}",
        on_click="ignore",
    )
