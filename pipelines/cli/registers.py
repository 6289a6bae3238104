"""A school's or trust's own registers: template, check, add, list, remove."""

from pathlib import Path
from typing import Annotated, Any

import typer

from headway.pipelines.cli.shared import REGISTERS, TABLES, Registers, Tables, app, this_day
from headway.pipelines.reports import terminal
from headway.pipelines.reports.terminal import say

register = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(
    register,
    name="register",
    help="A school's or trust's own registers: made, checked, kept and removed on this "
    "machine only.\n\nExample: headway register template staff",
)
Kind = Annotated[str, typer.Argument(help="leadership-development, improvement-capacity or staff.")]
OWNER = typer.Option(help="Whose it is: trust-1234 (UID), authority-301 (code) or school-100001 (URN).")


@register.command()
def template(
    kind: Kind,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("."),
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite files of the same name.")] = False,
) -> None:
    """An empty register to fill in, and a guide to its columns.

    Example: headway register template staff --out .
    """
    from headway.pipelines import registers as stage
    from headway.pipelines.tables import DataError, write_atomically, write_text

    empty, guide = stage.template(kind), stage.guide(kind)
    paths = [out / f"{kind}.csv", out / f"{kind}-guide.md"]
    there = [str(path) for path in paths if path.exists()]
    if there and not replace:
        raise DataError(
            f"{' and '.join(there)} would be overwritten.\nSay --replace, or name another folder with --out."
        )
    write_atomically(paths[0], lambda file: file.write(empty) and None)
    write_text(paths[1], guide)
    say(f"written: {paths[0]}, {paths[1]}")


@register.command()
def check(
    target: Annotated[str, typer.Argument(help="A file, or a kind: then every register of it that is kept.")],
    owner: Annotated[str | None, OWNER] = None,
    tables: Tables = TABLES,
    registers: Registers = REGISTERS,
) -> None:
    """Every problem of a register, by row and column; nothing is kept.

    Example: headway register check staff.csv --owner trust-1234
    """
    from headway.pipelines import registers as stage

    schools, trusts, _ = _schools(tables)
    if target in stage.KINDS and not Path(target).is_file():
        result, problems, notes = stage.read_stored(registers, schools, this_day(), target, trusts)
        said = (
            f"{sum(map(len, result.values())):,} rows in {len(stage.stored(registers, target)):,} registers"
        )
    else:
        checked = stage.check(_bytes(target), Path(target).name, schools, this_day(), owner, trusts)
        problems, notes = checked.problems, checked.notes
        said = (
            f"{0 if checked.rows is None else len(checked.rows):,} rows, a register of "
            f"{checked.kind and checked.kind.name}"
        )
    if problems:
        raise stage.refused(target, problems, several=target in stage.KINDS)
    for line in [f"in order: {target}: {said}", *notes]:
        say(line)


@register.command()
def add(
    file: Annotated[Path, typer.Argument(help="The filled-in register.")],
    owner: Annotated[str, OWNER],
    tables: Tables = TABLES,
    registers: Registers = REGISTERS,
) -> None:
    """Check a register and keep it, in place of the owner's earlier one of its kind.

    Example: headway register add staff.csv --owner trust-1234
    """
    from headway.pipelines import registers as stage

    schools, trusts, source = _schools(tables)
    path, notes = stage.add(registers, owner, _bytes(file), file.name, schools, this_day(), source, trusts)
    for line in [f"kept: {path}", *notes]:
        say(line)


@register.command()
def remove(
    owner: Annotated[str, typer.Argument(help="Whose: trust-1234, authority-301 or school-100001.")],
    kind: Annotated[str | None, typer.Argument(help="One kind; without it, all of the owner's.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    registers: Registers = REGISTERS,
) -> None:
    """Delete an owner's registers, or one of them.

    Example: headway register remove trust-1234 staff
    """
    from headway.pipelines import registers as stage
    from headway.pipelines.tables import DataError

    try:
        agreed = yes or typer.confirm(f"Delete {kind or 'every'} register of {owner} in {registers}?")
    except typer.Abort as error:
        raise DataError(
            "Nothing was deleted, because nobody answered.\nSay --yes to delete without being asked."
        ) from error
    if not agreed:
        say("nothing was deleted")
        return
    for path in stage.remove(registers, owner, kind):
        say(f"deleted: {path}")
    say("What was made from it goes when `headway train` and `headway score` are run again.")


@register.command("list")
def list_(registers: Registers = REGISTERS) -> None:
    """The registers kept: owner, kind, rows and newest day counted, and nothing of what they say.

    Example: headway register list
    """
    from headway.pipelines import registers as stage

    kept = stage.summary(registers, this_day())
    terminal.table(
        f"Registers in {registers}",
        ["owner", "kind", "rows", "newest day counted", "problems"],
        (
            [
                row.owner,
                row.kind,
                f"{row.rows:,}",
                f"{row.newest:%Y-%m-%d}" if row.rows and row.newest == row.newest else "-",
                f"{row.problems:,}",
            ]
            for row in kept.itertuples()
        ),
    )


def _schools(tables: Path) -> tuple[Any, Any, str | None]:
    """Our tables of schools and of their trusts, and where their files come from; nothing where there is
    none.
    """
    from headway.pipelines import tables as store

    if not (tables / "schools.parquet").is_file():
        return None, None, None
    trusts = store.read(tables, "trusts") if (tables / "trusts.parquet").is_file() else None
    return store.read(tables, "schools"), trusts, store.about(tables, "schools")["data_source"]


def _bytes(path: str | Path) -> bytes:
    """A file's bytes, but of one far too large only enough to tell."""
    from headway.pipelines import registers as stage
    from headway.pipelines.tables import DataError

    try:
        with open(path, "rb") as file:
            return file.read(stage.MOST_BYTES + 1)
    except OSError as error:
        kinds = ", ".join(stage.KINDS)
        raise DataError(
            f"{path} can't be read ({error.strerror}).\nName a CSV file, or a kind: {kinds}."
        ) from error
