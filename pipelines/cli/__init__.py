"""The command line `headway`: a file for each group of commands, and what they share in `shared`."""

# In the order of `headway --help`. `shared` is first: it says how many threads libraries may use, before any
# is loaded.
from headway.pipelines.cli.shared import app, main, runs_of  # noqa: I001
from headway.pipelines.cli import files, learning, findings, scoring, watching, showing, registers

__all__ = [
    "app",
    "files",
    "findings",
    "learning",
    "main",
    "registers",
    "runs_of",
    "scoring",
    "showing",
    "watching",
]
