"""Who runs this explorer and whom to write to: the owner's answers, which the record of the tool uses too."""

import os
import re
from pathlib import Path

from headway.explorer import words

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")


def path() -> Path:
    return Path(os.environ.get("HEADWAY_OWNER") or "data/owner.toml")


def answers() -> dict[str, str]:
    """What the owner answered; nothing where there is no file. Raises `DataError` where it can't be used."""
    if not path().is_file():
        return {}
    # brings templates, and most who run this for themselves have no such file
    from headway.pipelines.reports.cards import owner

    return owner.answers(path())


def contact(told: dict[str, str]) -> str:
    """The owner's address in Markdown, a link where it is an email address; blank where none is given."""
    given = told.get("contact", "").strip()
    return f"[{given}](mailto:{given})" if ADDRESS.fullmatch(given) else words.plain(given)
