"""What words mean has one source, and every word that a page explains is in it."""

import re
from pathlib import Path

import pytest
from six_schools import GOOD, said, shown, write_tables

from headway.explorer import glossary

ROOT = Path(__file__).parents[1]


def test_every_word_that_a_page_explains_is_in_the_glossary():
    asked = set()
    for path in (ROOT / "explorer").glob("*.py"):
        for words in re.findall(r"(?:explain=|EXPLAIN = |explained)\(([^)]*)\)", path.read_text("utf-8")):
            asked |= set(re.findall(r'"([^"]+)"', words))
    assert len(asked) > 8 and asked <= set(glossary.meanings())


def test_a_word_that_is_not_in_the_glossary_is_not_explained():
    assert glossary.explained("points") == f"**points**: {glossary.meanings()['points']}."
    with pytest.raises(KeyError, match="departure of a signal"):
        glossary.explained("departure of a signal")


def test_the_documentation_has_the_glossary_that_the_pages_have():
    assert "explorer/glossary.md" in (ROOT / "docs" / "glossary.md").read_text("utf-8")


def test_words_are_explained_on_hover(folder):
    write_tables(folder)
    helps = [part.proto.help for part in shown("school", urn=GOOD).markdown]
    assert any(glossary.meanings()["schools like it"] in text for text in helps)


def test_the_owner_is_named_from_their_file_and_nobody_is_made_up(folder, monkeypatch, tmp_path):
    write_tables(folder)
    path = tmp_path / "owner.toml"
    monkeypatch.setenv("HEADWAY_OWNER", str(path))
    nobody = said(shown("contact"))
    assert "has not said who they are" in nobody and "WCAG 2.2" in nobody and "mailto" not in nobody
    path.write_text('contact = "feedback@trust.example"\norganisation = "Oak Trust"\n', "utf-8")
    told = said(shown("contact"))
    assert "Run by: Oak Trust" in told and "mailto:feedback@trust.example" in told
    assert "Write to [feedback@trust.example]" in said(shown("find"))
    path.write_text('contact = "javascript:alert(1)"\n', "utf-8")
    assert "](" not in "".join(part.value for part in shown("find").caption)
    path.write_text("contact = 3\n", "utf-8")
    assert "is not a text" in said(shown("contact"))
