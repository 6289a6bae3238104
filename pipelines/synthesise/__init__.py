"""Made-up but well-formed official files, with a known effect planted in them: where there are no real ones, and tests.

`world` makes the schools and their graded inspections, `particulars` says what each school is, `events` adds the other
inspections and judgements; `ofsted`, `pupils`, `staff` and `register` write the files, and `sheets` knows how a table
is laid out. The same seed makes the same bytes.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import tables
from pipelines.synthesise import ofsted, pupils, register, staff
from pipelines.synthesise.particulars import described
from pipelines.synthesise.world import EFFECTS, Effect, histories, make_world

__all__ = ["EFFECTS", "MARK", "Effect", "histories", "synthesise"]

MARK = "made-up.json"  # its presence says that every file beside it is made up


def synthesise(
    out: Path, *, seed: int, schools: int = 22_000, effect: str | Effect = "published",
    progress: Callable[[float, str], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Write made-up official files into `out`, and return what was planted, which `made-up.json` there says too.

    About `schools` schools, 2005 to 2026. `effect` is none, published, strong, or an `Effect` of your own. `progress`
    is told the share done and what comes next. The files are written beside `out` and moved in when all are whole;
    those of an earlier run are replaced. Raises `DataError` where `out` holds any file that we did not make.
    """
    planted = EFFECTS.get(effect) if isinstance(effect, str) else effect
    if planted is None:
        raise tables.DataError(f"There is no effect {effect!r}.\nChoose one of: {', '.join(EFFECTS)}.")
    if schools < 20:
        raise tables.DataError(f"{schools} schools are too few to fill the files.\nAsk for 20 or more.")
    out = Path(out)
    earlier = _made_before(out)
    tell = progress or (lambda share, what: None)
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        # A stream of chance each, so that a change to one file leaves the others' bytes alone.
        for_world, for_schools, for_ofsted, for_pupils, for_staff, for_register = np.random.default_rng(seed).spawn(6)
        tell(0.0, "schools and their inspections")
        world = make_world(schools, planted, for_world)
        details = described(world, for_schools)
        tell(0.1, "inspection files")
        ofsted.write(beside, world, details, for_ofsted)
        tell(0.5, "census, absence and results")
        pupils.write(beside, world, details, for_pupils)
        tell(0.65, "staff")
        staff.write(beside, world, details, for_staff)
        tell(0.9, "register, links and trusts")
        register.write(beside, details, for_register)
        made = sorted(path.relative_to(beside).as_posix() for path in beside.rglob("*") if path.is_file())
        facts = {
            "made_up": "No school, trust, place or person in these files is real.",
            "seed": seed,
            "schools": schools,
            "effect": effect if isinstance(effect, str) else "own",
            "planted": asdict(planted)
            | {
                "graded_inspections": int((world.visits["year"] <= 2025).sum()),
                "academies": int(details["becomes"].sum()),
            },
            "files": made,
        }
        tell(0.95, "moving them into place")
        for name in set(earlier) - set(made):
            (out / name).unlink(missing_ok=True)
        tables.write_json(out / MARK, facts)  # first, so that no made-up file is ever there without it
        for name in made:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(beside / name, out / name)
        tell(1.0, "done")
        return facts
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _made_before(out: Path) -> list[str]:
    """The files that an earlier run left in the folder. Raises `DataError` where there are others."""
    there = [
        path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file() and not path.name.startswith(".")
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
            "Made-up and real files must not mix: choose another folder with --out, or move these away."
        )
    return made
