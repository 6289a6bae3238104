"""Who may import whom. Imports go downwards: the command line, stages, then knowledge, which knows no
stage.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("headway", "pipelines", "models", "explorer", "app")
KNOWLEDGE = {"frameworks", "sources", "tables", "as_of"}
# What each stage may use of the other stages; all may use knowledge. A stage that is not here may use no
# other.
STAGES = {
    "remembered": set(),
    "files": {"remembered"},
    "lineage": set(),
    "inspections": set(),
    "registers": {"files"},
    "signals": {"registers"},
    "ingest": {"files", "inspections", "lineage", "registers", "remembered", "signals"},
    "fetch": {"files", "ingest"},
    "synthesise": set(),
    "evaluate": {"intervals", "remembered", "signals"},
    "report_cards": {"evaluate", "inspections", "remembered", "signals"},
    "promotion": {"evaluate"},
    "compare": {"promotion"},
    "experiments": {"evaluate", "inspections", "signals"},
    "evidence": {"inspections", "intervals", "signals"},
    "intervals": set(),
    "provenance": {"experiments", "registers"},
    "reports": set(),
    "train": {
        "evaluate",
        "experiments",
        "inspections",
        "intervals",
        "promotion",
        "provenance",
        "remembered",
        "report_cards",
        "reports",
        "signals",
    },
    "tune": {"evaluate", "experiments", "inspections", "promotion", "provenance", "signals", "train"},
    "scoring": {"evaluate", "files", "inspections", "registers", "remembered", "report_cards", "signals"},
    "watching": {"evaluate", "inspections", "intervals", "scoring"},
    "study": {"evaluate", "experiments", "intervals", "report_cards", "reports", "signals", "train"},
    "month": {"evidence", "experiments", "ingest", "provenance", "reports", "scoring", "train", "watching"},
}
ANY = {"__main__", "cli"}  # the command line may use any


def _files() -> list[Path]:
    found = [
        path
        for part in OURS
        for path in [*(ROOT / part).rglob("*.py"), ROOT / f"{part}.py"]
        if path.is_file()
    ]
    return sorted(
        path for path in found if not any(name.startswith(".") for name in path.relative_to(ROOT).parts)
    )


def _imports(path: Path) -> Iterator[str]:
    """The dotted names a file imports, ours by their folder: `from headway.pipelines import tables` is
    pipelines.tables.
    """
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("headway.") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(path.relative_to(ROOT).parts[: -node.level]) + "." if node.level else ""
            module = f"{package}{node.module or ''}".strip(".").removeprefix("headway.")
            yield from ([f"{module}.{alias.name}" for alias in node.names] if module in OURS else [module])


def _room(path: Path) -> tuple[str, str]:
    """pipelines/signals/visits.py is (pipelines, signals); pipelines/files.py is (pipelines, files)."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0], parts[1] if len(parts) > 1 else ""


def _used(path: Path, package: str) -> set[str]:
    """The parts of one of our packages that a file imports, without its own."""
    names = {
        name.split(".")[1] if "." in name else "" for name in _imports(path) if name.split(".")[0] == package
    }
    return names - {_room(path)[1]} - {""}


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_is_something_to_read():
    assert {"pipelines/as_of.py", "pipelines/signals/leadership.py"} <= {_named(path) for path in _files()}


@pytest.mark.parametrize("path", [p for p in _files() if _room(p)[0] == "pipelines"], ids=_named)
def test_knowledge_uses_only_knowledge_and_stages_only_the_stages_named(path):
    _, part = _room(path)
    used = _used(path, "pipelines") - KNOWLEDGE
    if part in KNOWLEDGE or part == "__init__":
        assert used == set(), "knowledge knows no stage"
        assert _used(path, "models") == _used(path, "explorer") == set()
    elif part not in ANY:
        assert part in STAGES, "a room that nobody let in: say here what it may use"
        assert used <= STAGES[part]


def test_the_map_imports_nothing_of_ours():
    assert [name for name in _imports(ROOT / "pipelines" / "__init__.py") if name.split(".")[0] in OURS] == []


def test_stages_do_not_import_each_other_in_a_ring():
    uses: dict[str, set[str]] = {}
    for path in _files():
        if _room(path)[0] == "pipelines":
            uses.setdefault(_room(path)[1], set()).update(_used(path, "pipelines"))
    while done := [part for part, others in uses.items() if not others & uses.keys()]:
        for part in done:
            del uses[part]
    assert uses == {}


@pytest.mark.parametrize("path", _files(), ids=_named)
def test_libraries_are_kept_to_their_rooms(path):
    libraries = {name.split(".")[0] for name in _imports(path)}
    room = _room(path)
    # served is what MLflow itself loads and runs
    if room not in (("models", "registry"), ("models", "served")):
        assert "mlflow" not in libraries, "only models/registry.py imports mlflow"
    if room[0] not in ("explorer", "app"):
        assert "streamlit" not in libraries, "only the explorer imports streamlit"
    if _named(path) != "pipelines/scoring/spark.py":
        assert "pyspark" not in libraries, "only pipelines/scoring/spark.py imports pyspark"
    if room != ("pipelines", "tune"):
        assert "optuna" not in libraries, "only pipelines/tune.py imports optuna"
    assert "unittest" not in libraries


@pytest.mark.parametrize("path", [p for p in _files() if _room(p)[0] == "models"], ids=_named)
def test_models_have_never_heard_of_schools_or_files(path):
    assert not {name.split(".")[0] for name in _imports(path)} & {"pipelines", "explorer", "app"}


@pytest.mark.parametrize("path", [p for p in _files() if _room(p)[0] in ("explorer", "app")], ids=_named)
def test_the_explorer_never_trains(path):
    above = {"train", "evaluate", "scoring", "ingest", "synthesise", "__main__", "cli"}
    assert not _used(path, "pipelines") & above
    assert not _used(path, "models") & {"registry", "estimators"}


@pytest.mark.parametrize(
    "path", [p for p in _files() if _room(p)[0] != "explorer" and _named(p) != "app.py"], ids=_named
)
def test_nothing_below_knows_the_explorer(path):
    assert not {name.split(".")[0] for name in _imports(path)} & {"explorer", "app"}


# --- no future ----------------------------------------------------------------------------------------------

_ORDERED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_ORDERING = {"lt", "le", "gt", "ge", "between"}


_MORNING = re.compile(r"(^|_)(as_of|mornings?)$")


def _says_morning(node: ast.AST) -> bool:
    """Whether a morning stands anywhere in an expression: `as_of`, `fold.morning`, `rows["as_of"].dt.year`,
    `rows["fold"]`.

    How many mornings there are (`len`) is no morning.
    """
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
        return False
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    ):
        said = node.slice.value
        return bool(_MORNING.search(said)) or said == "fold" or _says_morning(node.value)
    if isinstance(node, ast.Attribute) and _MORNING.search(node.attr):
        return True
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(_MORNING.search(node.value))
    if isinstance(node, ast.Name):
        return bool(_MORNING.search(node.id))
    return any(map(_says_morning, ast.iter_child_nodes(node)))


def _ordered_by_as_of(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(isinstance(op, _ORDERED) for op in node.ops):
            sides = [node.left, *node.comparators]
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _ORDERING
        ):
            sides = [node.func.value, *node.args]
        else:
            continue
        if any(map(_says_morning, sides)):
            yield node.lineno


def test_the_reader_of_comparisons_can_tell_them():
    for found in (
        'rows["known_on"] < rows["as_of"]',
        "as_of >= day",
        'facts["known_on"].lt(rows.as_of)',
        "known < fold.morning",
        'rows["as_of"].dt.year - rows["period"] <= 4',
        'rows["fold"].lt(day)',
        "as_of.years_before(morning, day) > 2",
        "(rows.known_on < mornings).any()",
        'day < about.get("as_of", "")',
    ):
        assert list(_ordered_by_as_of(ast.parse(found)))
    for none in (
        'rows["as_of"].eq(day)',
        "as_of.latest_known(a, b)",
        'rows["known_on"] < rows["inspected_on"]',
        "len(mornings) > 1",
        'as_of.is_before(rows["known_on"], morning)',
    ):
        assert not list(_ordered_by_as_of(ast.parse(none)))


@pytest.mark.parametrize("path", [p for p in _files() if _named(p) != "pipelines/as_of.py"], ids=_named)
def test_no_date_is_compared_with_as_of_but_in_as_of(path):
    assert list(_ordered_by_as_of(ast.parse(path.read_text("utf-8")))) == []
