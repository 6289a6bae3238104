"""How Sphinx makes the pages. Everything is on the page's own site: no font, script or count comes from
elsewhere.
"""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import generate  # noqa: E402

project = "Headway"
author = copyright = "Headway contributors"
release = version = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))["project"]["version"]
language = "en-GB"
smartquotes = False  # sentences stand as they are declared
extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["README.md"]
html_theme = "furo"
html_title = f"Headway {release}"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False


def setup(app: object) -> None:
    app.connect("builder-inited", lambda app: generate.write(Path(app.srcdir) / "reference"))
