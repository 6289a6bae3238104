"""Markdown to one HTML page that needs nothing else: to read on a screen, aloud or on paper."""

import re
from functools import cache

from jinja2 import Template
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from headway.pipelines.reports.cards.figures import HERE
from headway.pipelines.reports.page import template


def page(text: str) -> str:
    """The page of a card. HTML within it is shown, not obeyed; a bold line right before a table is its
    caption.

    The first cell of each row heads it. Raises `ValueError` for a table without a caption.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = _captioned(reader.parse(text))
    title, contents, used = "", [], set()
    row_head = in_body = False
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            words = _words(tokens[at + 1])
            name = re.sub(r"\W+", "-", words.lower()).strip("-")
            while name in used:
                name += "-again"
            used.add(name)
            token.attrSet("id", name)
            title = words if token.tag == "h1" else title
            if token.tag == "h2":
                contents.append((name, words))
        elif token.type in ("tbody_open", "thead_open"):
            in_body = token.type == "tbody_open"
        elif token.type == "tr_open":
            row_head = in_body
        elif token.type == "th_open":
            token.attrSet("scope", "col")
        elif token.type == "td_open" and row_head:
            token.tag = "th"
            token.attrSet("scope", "row")
        elif token.type == "td_close" and row_head:
            token.tag, row_head = "th", False
        elif token.type == "table_open":
            caption = token.meta.get("caption")
            if caption is None:
                raise ValueError("A table has no caption: a bold line of its own before it.")
            token.type, token.content = (
                "html_block",
                (
                    f'<div class="wide" tabindex="0" role="group" aria-label="{escape(caption)}">\n<table>\n'
                    f"<caption>{escape(caption)}</caption>\n"
                ),
            )
        elif token.type == "table_close":
            token.type, token.content = "html_block", "</table>\n</div>\n"
    body = reader.renderer.render(tokens, reader.options, {})
    return _shell().render(title=title, contents=contents, body=Markup(body))


def _captioned(tokens: list[Token]) -> list[Token]:
    """The tokens, with a paragraph of nothing but bold words taken into the table that follows it."""
    kept: list[Token] = []
    for token in tokens:
        if token.type == "table_open" and len(kept) > 2 and kept[-1].type == "paragraph_close":
            parts = [child for child in kept[-2].children or [] if child.type != "text" or child.content]
            if parts[0].type == "strong_open" and parts[-1].type == "strong_close":
                token.meta = {"caption": _words(kept[-2])}
                del kept[-3:]
        kept.append(token)
    return kept


def _words(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [])


@cache
def _shell() -> Template:
    return template("page.html", folder=HERE)
