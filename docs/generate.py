"""The reference, as Markdown made from the code itself: commands, tables, signals, official files, and every
docstring.

`python docs/generate.py` writes the pages; `make docs` does so before it builds the site. Nothing in
`docs/reference` is typed, and none of it is kept in git.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

PACKAGE = "headway."  # the import path the rooms stand under, with its dot; empty where they are at the top
ROOMS = ("pipelines", "models", "explorer")
HERE = Path(__file__).resolve().parent
WIDTH = 110  # of a terminal, for the help of commands


def room(name: str) -> ModuleType:
    """One of our modules, by its path within the package: `pipelines.tables`."""
    return import_module(f"{PACKAGE}{name}")


def write(folder: Path) -> None:
    """Write every page of the reference into a folder, and remove pages of modules that are gone."""
    texts = pages()
    for path in folder.rglob("*.md"):
        if path.relative_to(folder).as_posix() not in texts:
            path.unlink()
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Sphinx builds again what was written again
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def pages() -> dict[str, str]:
    """Every page of the reference, by its name in the folder."""
    made = {"commands.md": commands(), "tables.md": tables(), "signals.md": signals(), "files.md": files()}
    return {"index.md": INDEX, **made, **code()}


INDEX = """# Reference

Made from the code when these pages were built: nothing here is typed by hand.

```{toctree}
:maxdepth: 1

commands
tables
signals
files
code/index
```
"""


# --- commands -----------------------------------------------------------------------------------------------


def command_names() -> list[str]:
    """Every command as it is typed after `headway`, those of a group with the group's name before."""
    import typer.main

    names = []
    for name, command in typer.main.get_command(room("pipelines.cli").app).commands.items():
        names += [f"{name} {part}" for part in command.commands] if hasattr(command, "commands") else [name]
    return names


def help_of(name: str) -> str:
    """What `headway NAME --help` prints."""
    from typer.testing import CliRunner

    result = CliRunner().invoke(
        room("pipelines.cli").app,
        [*name.split(), "--help"],
        prog_name="headway",
        terminal_width=WIDTH,
        env={"COLUMNS": str(WIDTH), "TERM": "dumb", "NO_COLOR": "1"},
    )
    return result.output.strip("\n")


def commands() -> str:
    names = command_names()
    parts = [
        "# Commands",
        "What `headway COMMAND --help` says. Exit codes: 0 done; 2 your files or arguments, with one message "
        "that says what to do, and nothing half-written; 3 a stated limit was passed; 75 another headway "
        "command is writing "
        "there: wait, or try again.",
    ]
    parts.append(
        _table(("command", "does"), [(_link(f"headway {name}"), _cell(_does(name))) for name in names])
    )
    for name in names:
        parts += [f"## headway {name}", f"```text\n{help_of(name)}\n```"]
    return "\n\n".join(parts) + "\n"


def _does(name: str) -> str:
    """The first paragraph of a command's help."""
    return " ".join(help_of(name).split("\n\n")[1].split())


# --- tables -------------------------------------------------------------------------------------------------


def tables() -> str:
    """A data dictionary: every table of ours and of registers, every column with its type and sentence."""
    declared = [*room("pipelines.tables").TABLES.values(), *room("pipelines.registers").TABLES.values()]
    parts = [
        "# Tables",
        "One parquet file a table, in `data/tables`; registers lie in `data/registers`. Types are pandas’. A "
        "column `…_why_blank` says why the one before it is blank; a detail counts from the day after its "
        "`…_known_on`.",
        _table(("table", "one row is"), [(_link(table.name), _cell(table.row)) for table in declared]),
    ]
    for table in declared:
        more = (
            " Further columns are declared where they are made: signals and contributions."
            if table.open_ended
            else ""
        )
        key = ", ".join(f"`{name}`" for name in table.key)
        rows = [(f"`{column.name}`", f"`{column.dtype}`", _meaning(column)) for column in table.columns]
        parts += [f"## {table.name}", f"One row is {_cell(table.row)}. Key: {key}.{more}"]
        parts.append(_table(("column", "type", "means"), rows))
    return "\n\n".join(parts) + "\n"


def _meaning(column: object) -> str:
    allowed = "; ".join(f"`{value}`" for value in column.allowed)
    return _cell(column.sentence) + (f" One of {allowed}." if allowed else "")


# --- signals ------------------------------------------------------------------------------------------------


def signals() -> str:
    """Every signal with its sentence, unit, source and when it becomes known, family by family."""
    stage = room("pipelines.signals")
    parts = [
        "# Signals",
        "What is known of a school on a morning. Each is a column of `examples` and `signals_today`; a blank "
        "stays a blank. “Off” says why no model uses a signal that is made and shown.",
    ]
    titles = ("signal", "says", "unit", "source", "known", "a school could change it", "off")
    for family in stage.FAMILIES:
        off = " Off by default: no model uses this family unless asked to." if family in stage.OFF else ""
        module = stage.family(family)
        rows = [
            (
                f"`{signal.name}`",
                *map(_cell, (signal.sentence, signal.unit, signal.source, signal.known)),
                "yes" if signal.could_change else "no",
                _cell(signal.off),
            )
            for signal in module.SIGNALS
        ]
        parts += [f"## {family}", _prose(_paragraph(module.__doc__)) + off, _table(titles, rows)]
    return "\n\n".join(parts) + "\n"


# --- official files -----------------------------------------------------------------------------------------


def files() -> str:
    """Every kind of official file that is read, the records it gives, and the columns without which it is
    refused.
    """
    parts = [
        "# Official files",
        "Every kind of file that `headway ingest` knows, as declared in `pipelines/sources/`. A "
        "file must have every needed column, in any order; capitals, spaces, dashes and slips don't count.",
    ]
    rows = []
    for layout in room("pipelines.sources").LAYOUTS:
        needed = dict.fromkeys(column.headers[0] for _, column in layout.columns() if column.required)
        rows.append((_cell(layout.name), _cell(", ".join(layout.records)), _cell("; ".join(needed))))
    parts.append(_table(("kind of file", "becomes", "needed columns"), rows))
    return "\n\n".join(parts) + "\n"


# --- code ---------------------------------------------------------------------------------------------------


def modules() -> dict[str, Path]:
    """Every module of the package, by its path within it, and the file it stands in; nothing is imported."""
    found = {}
    for name in ROOMS:
        root = HERE.parent / name
        for path in sorted(root.rglob("*.py")):
            parts = [name, *path.relative_to(root).with_suffix("").parts]
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


def code() -> dict[str, str]:
    """A page a room, with every public class and function and its docstring; and their list."""
    texts = {}
    for name in ROOMS:
        inside = {path: file for path, file in modules().items() if path.split(".")[0] == name}
        parts = [part for path, file in inside.items() for part in _module(path, file)]
        texts[f"code/{name}.md"] = "\n\n".join([f"# {name}", *parts])
    listed = "\n".join(ROOMS)
    texts["code/index.md"] = (
        "# Code\n\nWhat each module holds that others may use, from its docstrings. Imports go downwards: "
        f"the explorer and the stages know what is below them, never the other way round.\n\n"
        f"```{{toctree}}\n:maxdepth: 2\n\n{listed}\n```\n"
    )
    return {name: text.rstrip("\n") + "\n" for name, text in texts.items()}


def public(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """The public classes and functions of a module, and the public methods of its classes, by dotted name."""
    for node in tree.body:
        if isinstance(
            node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                yield from (
                    (f"{node.name}.{part.name}", part)
                    for part in node.body
                    if isinstance(part, ast.FunctionDef) and not part.name.startswith("_")
                )


def _module(path: str, file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text("utf-8"))
    yield f"({anchor(path)})=\n## {path}"
    yield f"Imported as `{PACKAGE}{path}`."
    if text := ast.get_docstring(tree):
        yield _prose(text)
    for name, node in public(tree):
        yield f"({anchor(path, name)})=\n### {path.rpartition('.')[2]}.{name}"
        yield f"```python\n{_signature(node)}\n```"
        if text := ast.get_docstring(node):
            yield _prose(text)


def anchor(path: str, name: str = "") -> str:
    """What pages may link to it by; a class may differ from a function in its capital alone."""
    kind = "class" if name[:1].isupper() else "code"
    return re.sub(r"[^a-z0-9]+", "-", f"{kind}-{path}-{name}".lower()).strip("-")


def _signature(node: ast.AST) -> str:
    if not isinstance(node, ast.ClassDef):
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return f"{node.name}({ast.unparse(node.args)}){returns}"
    fields = [f"    {ast.unparse(part)}" for part in node.body if isinstance(part, ast.AnnAssign)]
    return "\n".join(
        [f"class {node.name}({', '.join(map(ast.unparse, node.bases))})".replace("()", ""), *fields]
    )


# --- Markdown -----------------------------------------------------------------------------------------------


def _paragraph(text: str | None) -> str:
    return " ".join((text or "").strip().split("\n\n")[0].split())


def _prose(text: str) -> str:
    """A docstring as Markdown: what stands outside of code is no mark-up, tables drawn in it are code."""
    lines = []
    for block in re.split(r"\n\s*\n", text):
        drawn = [line for line in block.splitlines() if line.startswith("    ")]
        if drawn and len(drawn) == len(block.splitlines()):
            lines.append(f"```text\n{block}\n```")
        elif drawn:  # a sentence and what it introduces
            plain = [line for line in block.splitlines() if not line.startswith("    ")]
            lines += [_plain("\n".join(plain)), "```text\n" + "\n".join(drawn) + "\n```"]
        else:
            lines.append(_plain(block))
    return "\n\n".join(lines)


def _plain(text: str) -> str:
    """Text whose signs are signs, but for `code`."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(
        part if re.fullmatch(r"`[^`]+`", part) else re.sub(r"([<>*_\[\]{}|#~])", r"\\\1", part)
        for part in parts
    )


def _cell(text: str) -> str:
    return _plain(" ".join(str(text).split()))


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; its rows' cells are Markdown."""
    titles = list(titles)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [titles, ["---"] * len(titles), *rows])


def _link(title: str) -> str:
    """A link to the heading of that title on the same page."""
    return f"[{title}](#{_slug(title)})"


def _slug(text: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w-]", "", text.lower().replace(" ", "-"))


if __name__ == "__main__":
    import sys

    sys.path.insert(0, str(HERE.parent))
    write(HERE / "reference")
