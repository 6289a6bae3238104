"""Checks kept from the run before, so that a new file has those made again that it takes part in.

A comparison depends on the files compared and on the code: it is kept under a hash of both. What is kept may
be deleted at any time, and what is damaged is made anew.
"""

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from headway.pipelines import frameworks, sources, tables
from headway.pipelines.ingest import schools
from headway.pipelines.ingest.expectations.checks import Check, Checks
from headway.pipelines.remembered import code_of, hash_of_code

FILE = "checks.json"


class Before:
    """The checks of an earlier run by what they were made from, and those of this one, for the next.

    `digests` are the SHA-256 of official files, by name under the raw folder; `folder` is where checks are
    kept. Without either nothing is kept.
    """

    def __init__(self, folder: Path | None = None, digests: dict[str, str] | None = None) -> None:
        self.folder, self.digests = folder, digests or {}
        self.kept: dict[str, Any] = _read(folder / FILE) if folder else {}
        self.now: dict[str, Any] = {}

    def or_made(
        self, what: str, files: Collection[str], checks: Checks, make: Callable[[Checks], None]
    ) -> None:
        """Add to `checks` those kept of the same files, or else what `make` finds."""
        key = self._key(what, files)
        if key and key in self.kept:
            told = self.kept[key]
            result = Checks([Check(**one) for one in told["made"]], told["alone"])
        else:
            result = Checks()
            make(result)
        if key:
            self.now[key] = {"made": [asdict(one) for one in result.made], "alone": result.alone}
        checks.made += result.made
        for file, kinds in result.alone.items():
            checks.alone[file] = [*checks.alone.get(file, []), *kinds]

    def keep(self) -> None:
        """Write what the next run can use. A disk that takes none of it stops nothing."""
        if self.folder and self.now != self.kept:
            text = json.dumps(self.now)
            digest = hashlib.sha256(text.encode()).hexdigest()
            try:
                tables.write_text(self.folder / FILE, f"{digest}\n{text}")
            except OSError:
                return

    def _key(self, what: str, files: Collection[str]) -> str | None:
        digests = {
            name: self.digests.get(name.split(".zip/")[0] + ".zip" if ".zip/" in name else name)
            for name in sorted(files)
        }
        if not self.folder or None in digests.values():
            return None
        return hashlib.sha256(json.dumps([what, digests, _made_by()]).encode()).hexdigest()


def _made_by() -> str:
    """The hash of the code that checks depend on, and of the libraries that reckon for it."""
    code = [*Path(__file__).parent.glob("*.py"), Path(schools.__file__), Path(frameworks.__file__)]
    return hash_of_code([*code, *code_of(sources)], pd.__version__, np.__version__)


def _read(path: Path) -> dict[str, Any]:
    try:
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
        return json.loads(text) if hashlib.sha256(text.encode()).hexdigest() == digest else {}
    except (OSError, ValueError):
        return {}
