"""What was worked out before, kept by the content of what it hangs on: rows, settings, code, libraries.

An answer is arrays under names, in one file named by the hash of everything it was made from: so what is
found is what would be worked out again, bit for bit. Arrays alone are read, never objects (joblib's Memory
and its like keep pickles, which run what they hold). A damaged file is none. All of it may be deleted at any
time.
"""

import ast
import contextlib
import functools
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from headway.pipelines import tables

FOLDER = ".fits"  # among our tables
LARGEST = 400_000_000  # bytes kept: beyond, what was used longest ago goes
Arrays = dict[str, np.ndarray]


class Memory:
    """Answers of earlier runs in a folder; without a folder nothing is kept.

    `made_by` is the code and the versions of libraries that every answer hangs on (`hash_of_code`).
    """

    def __init__(self, folder: Path | None = None, made_by: str = "") -> None:
        self.folder, self.made_by = folder, made_by
        self.met = self.missed = 0

    def key(self, what: str, *parts: Any) -> str:
        """The name of an answer: of what, and everything it is made from. Frames and arrays count by
        content. Where nothing is kept, none is needed.
        """
        if self.folder is None:
            return ""
        digest = hashlib.blake2b(f"{what}\n{self.made_by}\n".encode(), digest_size=20)
        for part in parts:
            _add(digest, part)
        return digest.hexdigest()

    def get(self, key: str) -> Arrays | None:
        """The answer of that name, in the order it was kept in; None where there is none."""
        if self.folder is None:
            return None
        path = self.folder / f"{key}.npz"
        try:
            with np.load(path) as kept:
                result = {name: kept[name] for name in kept.files}
            os.utime(path)
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            self.missed += 1
            return None
        self.met += 1
        return result

    def put(self, key: str, answer: Arrays) -> None:
        """Keep an answer, in one step. A disk that takes none of it stops nothing."""
        if self.folder is None:
            return
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            tables.write_atomically(self.folder / f"{key}.npz", lambda file: np.savez(file, **answer))

    def each(self, keys: list[str], make: Callable[[list[int]], Iterable[Arrays]]) -> Iterable[Arrays]:
        """The answers of these names, in order: those kept, and of the others what `make` gives for their
        places, one after another.
        """
        result = [self.get(key) for key in keys]
        made = iter(make([place for place, answer in enumerate(result) if answer is None]))
        for key, answer in zip(keys, result, strict=True):
            if answer is None:
                answer = next(made)
                self.put(key, answer)
            yield answer

    def tidy(self) -> None:
        """Take away what was used longest ago, until no more than `LARGEST` is kept."""
        if self.folder is None or not self.folder.is_dir():
            return
        with contextlib.suppress(OSError):
            held = sorted(self.folder.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
            total = np.cumsum([path.stat().st_size for path in held])
            for path in np.array(held, dtype=object)[total > LARGEST]:
                path.unlink(missing_ok=True)


FORGETS = Memory()  # keeps nothing


def _add(digest: Any, part: Any) -> None:
    if isinstance(part, pd.DataFrame):
        digest.update(json.dumps([len(part), list(map(str, part.columns))]).encode())
        for name in part:
            _add(digest, part[name])
    elif isinstance(part, pd.Series):
        digest.update(f"{part.dtype}\n".encode())
        if part.dtype.kind == "M":
            _add(digest, part.to_numpy().view("int64"))
        elif part.dtype.kind in "fiub":
            _add(digest, part.isna().to_numpy())
            _add(digest, part.to_numpy(dtype="float64", na_value=np.nan))
        else:
            _add(digest, pd.util.hash_array(part.to_numpy(dtype=object, na_value=None)))
    elif isinstance(part, np.ndarray):
        digest.update(f"{part.dtype} {part.shape}\n".encode() + np.ascontiguousarray(part).tobytes())
    else:
        plain = asdict(part) if is_dataclass(part) else part
        digest.update(json.dumps(plain, default=str, sort_keys=True).encode())


# --- code ---------------------------------------------------------------------------------------------------


def code_of(module: ModuleType) -> list[Path]:
    """The files of a module, or of all modules of a package."""
    file = Path(module.__file__ or "")
    return list(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]


@functools.cache
def _does(path: Path) -> str:
    return ast.dump(ast.parse(path.read_bytes()))


def hash_of_code(files: Iterable[Path], *more: str) -> str:
    """The hash of what files of code do, comments and layout apart, and of more that it hangs on."""
    each = [f"{path.name}\n{_does(path)}" for path in sorted(files)]
    return hashlib.sha256("\n".join([*more, *each]).encode()).hexdigest()


def program() -> str:
    """The hash of our program as it stands, comments and all: asked where what is worked out anew in vain
    costs less than asking what a change means.
    """
    root = Path(__file__).parents[1]
    digest = hashlib.sha256(f"{pd.__version__} {np.__version__}".encode())
    for path in sorted(path for room in ("pipelines", "models") for path in (root / room).rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
