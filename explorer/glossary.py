"""What words mean, as the glossary has it: shown on hover, beside the figures they stand in."""

import functools
import re
from pathlib import Path


@functools.cache
def meanings() -> dict[str, str]:
    """Each word of glossary.md and what it means."""
    text = (Path(__file__).parent / "glossary.md").read_text("utf-8")
    return dict(re.findall(r"(?m)^\| (?!word \|)([^|\n]+?) \| ([^|\n]+?) \|$", text))


def explained(*words: str) -> str:
    """The meanings of some words, for a help text. Raises `KeyError` for one that isn't in the glossary."""
    return "\n\n".join(f"**{word}**: {meanings()[word]}." for word in words)
