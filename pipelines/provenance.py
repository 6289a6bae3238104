"""What a result was made from, by content: code, commit, versions of libraries, settings, and the hash of
every file read.
"""

import ast
import hashlib
import importlib.metadata
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from headway.models.champion import libraries
from headway.pipelines import experiments, registers, tables
from headway.pipelines.experiments import Experiment


def made_from(
    folder: Path, registers_in: Path | None, experiment: Experiment, whole: bool = True
) -> dict[str, Any]:
    """What a training's result depends on: hashes of official files, registers and code, versions of
    libraries, settings.

    Two trainings of which all of this is the same give the same model.
    """
    kept = {f"{owner} {kind}": path.read_bytes() for owner, kind, path in registers.stored(registers_in)}
    return {
        "inputs": tables.about(folder, "inspections")["inputs"],
        "registers": hash_of(kept),
        "code": code(),
        "libraries": libraries(),
        "experiment": experiments.plain(experiment),
        "whole": whole,
    }


def code() -> str:
    """The hash of what our program does, comments and layout apart; a commit says nothing of what was changed
    since.
    """
    root = Path(__file__).resolve().parent.parent
    paths = sorted(path for room in ("pipelines", "models") for path in (root / room).rglob("*.py"))
    return hash_of(
        {path.relative_to(root).as_posix(): ast.dump(ast.parse(path.read_bytes())).encode() for path in paths}
    )


def hash_of(files: dict[str, bytes]) -> str:
    each = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return hashlib.sha256(json.dumps(each, sort_keys=True).encode()).hexdigest()


def ingested(folder: Path, about: dict[str, Any]) -> dict[str, Any]:
    """The hash of every official file and the rows of every table, where the report of their reading is still
    theirs.
    """
    path = folder / "ingest.json"
    told = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    same = told.get("inputs") == about["inputs"]
    return {"files": told["sha256"] if same else {}, "rows": told["rows"] if same else {}}


def commit() -> dict[str, Any]:
    """The commit, and whether the program's files differ from it; without one, the version and the hash of
    the code.

    A commit counts only where git tracks this very file: an installed package may lie inside somebody else's
    repository.
    """
    here = Path(__file__).resolve()
    # A hook's variables would name the hook's own repository.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def git(*words: str) -> str | None:
        try:
            ended = subprocess.run(
                ["git", *words], cwd=here.parent, env=clean, capture_output=True, text=True, check=False
            )
        except OSError:  # there is no git
            return None
        return None if ended.returncode else ended.stdout.strip()

    if git("ls-files", "--error-unmatch", here.name) and (commit := git("rev-parse", "HEAD")):
        return {"commit": commit, "dirty": git("status", "--porcelain", ".", "../models") != ""}
    try:
        version = importlib.metadata.version("headway")
    except importlib.metadata.PackageNotFoundError:  # run from a copy of its folder
        version = "0"
    return {"commit": f"headway {version}+{code()[:12]}", "dirty": False}
