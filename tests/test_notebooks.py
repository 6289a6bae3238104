"""The notebooks run from top to bottom, on a made-up England with a champion and registers, and write nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import worlds

NOTEBOOKS = sorted((worlds.ROOT / "notebooks").glob("*.ipynb"))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def strong(world: Callable[[str], Path]) -> Path:
    return world("strong")


def _cells(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _state(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_there_is_one_for_each_of_the_three_who_write_their_own():
    assert [path.stem for path in NOTEBOOKS] == ["analyst", "researcher", "trust"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_its_last_lines_hold_figures(notebook, strong):
    before = _state(strong)
    cells = _cells(notebook)
    *body, last = "\n".join(cells).rstrip().splitlines()
    script = "\n".join(
        [*body, f"shown = {last}", "assert len(shown) and shown.notna().any().any(), shown", "print(shown)"]
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=strong,
        env={**os.environ, "PYTHONPATH": str(worlds.ROOT)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout.strip()
    assert _state(strong) == before
