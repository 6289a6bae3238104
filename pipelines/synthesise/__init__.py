"""Made-up but well-formed official files, with a known effect planted in them: where there are no real ones,
and tests.

`world` makes the schools and their graded inspections, `particulars` says what each school is, `events` adds
the other inspections and judgements, `report_cards` what followed them; `ofsted`, `pupils`, `staff`,
`parents` and `register` write the official files, `own_registers` what schools and trusts would add of their
own, and `sheets` knows how a table is laid out. The same seed makes the same bytes.
"""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from headway.pipelines import tables
from headway.pipelines.synthesise import ofsted, own_registers, parents, pupils, register, report_cards, staff
from headway.pipelines.synthesise.particulars import described, leaving
from headway.pipelines.synthesise.world import BEYOND, EFFECTS, LAST_YEAR, Effect, histories, make_world

__all__ = ["EFFECTS", "MARK", "Effect", "free", "histories", "synthesise"]

UNTIL = range(LAST_YEAR + 1, LAST_YEAR + BEYOND + 2)  # years in whose August the files may end
# numbers of the streams of chance that came in later, beside those that the seed's own stream gives
LATER = (1, 2, 3, 4)
MARK = "made-up.json"  # its presence says that every file beside it is made up


def synthesise(
    out: Path,
    *,
    seed: int,
    schools: int = 22_000,
    effect: str | Effect = "published",
    registers: Path | None = None,
    until: int = 2026,
    monthly: bool = False,
    progress: Callable[[float, str], None] | None = None,
) -> dict[str, Any]:
    """Write made-up official files into `out`, and return what was planted, which `made-up.json` there says
    too.

    About `schools` schools, 2005 to August of the year `until`. Its two lists of inspections are CSV, or with
    `monthly` one workbook. `effect` is none, published, strong, or an `Effect` of your own. Where `registers`
    names a folder, made-up registers of schools and trusts go there; `out` gets the same bytes either way.
    `progress` is told the share done and what comes next. The files are written beside their folder and moved
    in when all are whole; those of an earlier run are replaced. Raises `DataError` where a folder holds any
    file not made here.
    """
    planted = EFFECTS.get(effect) if isinstance(effect, str) else effect
    if planted is None:
        raise tables.DataError(f"There is no effect {effect!r}.\nChoose one of: {', '.join(EFFECTS)}.")
    if schools < 20:
        raise tables.DataError(f"{schools} schools are too few to fill the files.\nAsk for 20 or more.")
    if until not in UNTIL:
        raise tables.DataError(
            f"The files can't end in August {until}.\nChoose a year from {UNTIL[0]} to {UNTIL[-1]}."
        )
    folders = [Path(folder) for folder in (out, registers) if folder is not None]
    _apart(folders)
    for folder in folders:
        _made_before(folder)
    tell = progress or (lambda share, what: None)
    facts: dict[str, Any] = {
        "made_up": "No school, trust, place or person in these files is real.",
        "seed": seed,
        "until": f"{until}-08-31",
        "schools": schools,
        "effect": effect if isinstance(effect, str) else "own",
        "planted": asdict(planted),
    }
    with contextlib.ExitStack() as held:
        beside = [held.enter_context(_beside(folder)) for folder in folders]
        # A stream of chance each, so that a change to one file leaves the others' bytes alone: a new one goes
        # last.
        chance = np.random.default_rng(seed).spawn(8)
        for_world, for_schools, for_ofsted, for_pupils, for_staff, for_register, for_own, for_more_staff = (
            chance
        )
        for_cards, for_trusts, for_later_years, for_parents = (
            np.random.default_rng([seed, stream]) for stream in LATER
        )
        tell(0.0, "schools and their inspections")
        world = make_world(schools, planted, for_world)
        details = leaving(described(world, for_schools), for_trusts)
        cards = report_cards.drawn(world, details, planted, until, for_cards)
        tell(0.1, "inspection files")
        ofsted.write(beside[0], world, details, cards, until, for_ofsted, monthly=monthly)
        tell(0.4, "census, absence and results")
        pupils.write(beside[0], world, details, for_pupils, for_later_years, until)
        tell(0.55, "staff")
        size = staff.sizes(details, for_staff)
        staff.write(beside[0], world, details, size, for_staff, for_more_staff, until)
        tell(0.72, "parents' answers")
        parents.write(beside[0], world, details, for_parents, until)
        tell(0.75, "register, links and trusts")
        register.write(beside[0], details, until, for_register)
        facts["planted"] |= {
            "graded_inspections": int((world.visits["year"] < LAST_YEAR).sum()),
            "report_cards": len(cards),
            "academies": int(details["becomes"].sum()),
        }
        if registers is not None:
            tell(0.8, "registers of schools and trusts")
            without = own_registers.write(beside[1], world, details, size, for_own, until)
            _move(beside[1], folders[1], facts | {"share_without": without})
        tell(0.95, "moving them into place")
        facts = _move(beside[0], folders[0], facts)
        tell(1.0, "done")
        return facts


def free(folder: Path) -> bool:
    """Whether made-up files may go into a folder: it isn't there, holds nothing, or holds only what was made
    up before.
    """
    try:
        _made_before(folder)
    except tables.DataError:
        return False
    return True


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A folder to write in, on the same disk as the one the files go to; gone at the end."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _move(beside: Path, out: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Move what was written into its folder, under a mark that lists it; returns what the mark says."""
    made = sorted(path.relative_to(beside).as_posix() for path in beside.rglob("*") if path.is_file())
    for name in set(_made_before(out)) - set(made):
        (out / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty yet, or not there
            (out / name).parent.rmdir()
    facts = facts | {"sha256": {name: tables.sha256(beside / name) for name in made}}
    # first, so that no made-up file is ever there without it
    tables.write_json(out / MARK, facts | {"files": made})
    for name in made:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(beside / name, out / name)
    return facts | {"files": made}


def _apart(folders: list[Path]) -> None:
    """Raises `DataError` where one of the folders holds the other: each would take the other's files for
    strangers.
    """
    places = [folder.resolve() for folder in folders]
    if len(places) > 1 and (
        places[0] == places[1] or places[0] in places[1].parents or places[1] in places[0].parents
    ):
        raise tables.DataError(
            f"The official files ({folders[0]}) and the registers ({folders[1]}) need a folder each, "
            "neither inside the other.\n"
            "Name another with --out or --registers."
        )


def _made_before(out: Path) -> list[str]:
    """The files that an earlier run left in the folder. Raises `DataError` where there are others."""
    there = [
        path.relative_to(out).as_posix()
        for path in out.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    ]
    try:
        made = json.loads((out / MARK).read_text("utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        made = []
    strangers = sorted(set(there) - {MARK, *made})
    if strangers:
        some = "\n".join(f"  {name}" for name in strangers[:5]) + ("\n  ..." if len(strangers) > 5 else "")
        raise tables.DataError(
            f"{out} holds {len(strangers)} files that were not made up here:\n{some}\n"
            "Made-up and real files must not mix: name another folder, or move these away."
        )
    return made
