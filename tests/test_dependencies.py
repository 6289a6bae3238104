"""What we import is declared, with bounds on both sides, and what is declared is imported."""

import ast
import functools
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CORE, EXTRAS = PROJECT["dependencies"], PROJECT["optional-dependencies"]
EVERYTHING = sorted(
    {*CORE, *(requirement for extra in EXTRAS.values() for requirement in extra)}
    - {"headway[docs]", "headway[pdf]"}
)
OURS = {"headway", "pipelines", "models", "explorer", "app"}
RUNS = ("pipelines", "models", "explorer", "headway", "app.py")  # what goes with the package
# of the extra for benchmarks/peers.py, which need not be installed, and whose packages bear other names
OTHERWISE = {"xgboost": ["xgboost-cpu"], "interpret": ["interpret-core"]}
HELPS = ("tests", "benchmarks", "docs", ".ci")


def _named(requirement: str) -> str:
    """The distribution a requirement is of, as the index spells it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


@functools.cache
def _makers() -> dict[str, list[str]]:
    """The distributions each importable package comes from; they are thousands of files to read."""
    return {
        package: [_named(name) for name in names]
        for package, names in importlib.metadata.packages_distributions().items()
    }


@functools.cache
def _imported(*places: str) -> dict[str, str]:
    """The packages of others that the files of these places import, each with a file that does."""
    files = [
        path
        for place in places
        for path in [*sorted((ROOT / place).rglob("*.py")), ROOT / place]
        if path.is_file()
    ]
    beside = {path.stem for path in files} | {path.parent.name for path in files}
    imports: dict[str, str] = {}
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for package in {name.split(".")[0] for name in names} - sys.stdlib_module_names - OURS:
                if package in _makers() or package not in beside:
                    imports.setdefault(package, path.relative_to(ROOT).as_posix())
    return imports


def _undeclared(imports: dict[str, str], declared: list[str]) -> dict[str, str]:
    known = {_named(requirement) for requirement in declared}
    return {
        package: path
        for package, path in imports.items()
        if not known & set(_makers().get(package, OTHERWISE.get(package, [package])))
    }


def test_every_package_that_the_program_imports_is_declared():
    assert _undeclared(_imported(*RUNS), [*CORE, *EXTRAS["spark"], *EXTRAS["pdf"]]) == {}


def test_every_package_that_tests_benchmarks_and_pages_import_is_declared():
    assert _undeclared(_imported(*HELPS), EVERYTHING) == {}


def test_spark_and_pdf_are_the_only_extras_that_the_program_imports():
    assert set(_undeclared(_imported(*RUNS), CORE)) <= {"pyspark", "typst"}


def test_the_test_can_tell_an_undeclared_package():
    assert _undeclared({"pytest": "x.py", "pandas": "x.py"}, ["pandas>=3"]) == {"pytest": "x.py"}


@pytest.mark.parametrize("requirement", CORE)
def test_nothing_is_declared_that_the_program_does_not_import(requirement):
    assert _named(requirement) in {
        name for package in _imported(*RUNS) for name in _makers().get(package, [package])
    }


@pytest.mark.parametrize("requirement", EVERYTHING)
def test_every_requirement_has_a_lowest_and_a_first_untried_version(requirement):
    assert re.search(r">=\d", requirement) and re.search(r"<\d", requirement)


def test_every_direct_requirement_is_pinned():
    pins = {
        _named(line)
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if re.match(r"\w", line)
    }
    assert {_named(requirement) for requirement in EVERYTHING} - pins == set()
