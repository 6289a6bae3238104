"""PDFs of pages: tagged, with a title and a language, as PDF/UA asks (ISO 14289-1). They say what the page
says.

Typst refuses to write a PDF that breaks what a program can check of the standard. It comes with its own fonts
and fetches nothing.
"""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from headway.explorer import words

HERE = Path(__file__).parent
STANDARD = "ua-1"
MISSING = (
    "To have this as PDF, install Headway’s extra for it where the explorer runs: "
    '`pip install "headway[pdf]"`. A browser’s print menu makes a PDF too, though one without tags.'
)


def possible() -> bool:
    return importlib.util.find_spec("typst") is not None


def made(template: str, facts: dict[str, Any]) -> bytes:
    """The PDF of a template beside this file, of the facts a page shows. Texts stay texts: none is markup."""
    import typst

    return typst.compile(
        str(HERE / f"{template}.typ"),
        root=str(HERE),
        ignore_system_fonts=True,  # the same PDF on every machine
        pdf_standards=STANDARD,
        sys_inputs={"facts": json.dumps(facts, default=str)},
    )


def framed(rows: pd.DataFrame) -> dict[str, list]:
    """A table as a template takes it: every cell a text, a blank an empty one."""
    texts = rows.astype("object").map(lambda cell: "" if words.blank(cell) else str(cell))
    return {"columns": [str(name) for name in texts.columns], "data": texts.to_numpy().tolist()}


def download(template: str, facts: Callable[[], dict[str, Any]], key: str, label: str) -> None:
    """A button for it, made when it is pressed; or how to come by it where the extra isn't installed."""
    if not possible():
        st.caption(MISSING)
        return
    st.download_button(
        label,
        lambda: made(template, facts()),
        f"headway-{words.file_name(key)}.pdf",
        "application/pdf",
        key=f"pdf_{key}",
        on_click="ignore",
    )
