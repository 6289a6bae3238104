"""The model card, the transparency record and the checklist of a run, in Markdown and HTML; and the page on
how good it is.

All is written from the run's own files. The prose is in this folder's templates, which hold no digit: a
number gets into a card only by being looked up (`figures`), and only the owner's answers (`owner`) come from
elsewhere.
"""

import json
from pathlib import Path
from typing import Any

from jinja2 import UndefinedError

from headway.pipelines import tables
from headway.pipelines.reports.cards import owner as owners
from headway.pipelines.reports.cards.figures import Figure, drawn
from headway.pipelines.reports.cards.pages import page
from headway.pipelines.reports.cards.section import how_good, into
from headway.pipelines.tables import DataError

__all__ = ["drafts", "how_good", "into", "write", "written"]

CARDS = ("model-card", "transparency-record", "checklist")
GROUPS = {
    "phase": "phase",
    "type_group": "type",
    "region": "region",
    "idaci_quintile": "deprivation quintile",
    "faith": "faith",
    "size": "pupils",
}

MODELS = {
    "base_rate_grade": "rate by grade",
    "base_rate_grade_phase": "rate by grade and phase",
    "base_rate_two_years": "their last two years’ rate",
    "leadership_gap_rule": "rule from the leadership grade",
    "logistic": "logistic model of grade, phase and leadership",
    "table": "candidate: recent rate alone",
    "ridge": "candidate: penalised regression",
    "boosted": "candidate: boosted trees",
    "blend": "candidate: both, averaged",
    "champion": "champion: what each morning chose",
}


def drafts(
    report: dict[str, Any],
    evidence: dict[str, Any] | None = None,
    ingest: dict[str, Any] | None = None,
    owner: dict[str, str] | None = None,
) -> dict[str, tuple[str, list[Figure]]]:
    """Each card in Markdown, with every figure in it and where it was found."""
    if ingest and ingest["inputs"] != report["inputs"]:
        ingest = None  # the files were read again since this run learned from them
    content = {"train": report, "evidence": evidence, "ingest": ingest, "owner": owner or {}}
    return {
        name: drawn(
            f"{name}.md",
            content,
            names=GROUPS,
            models=MODELS,
            questions=owners.QUESTIONS,
            record=owners.RECORD,
            checklist=owners.CHECKLIST,
        )
        for name in CARDS
    }


def written(
    report: dict[str, Any],
    evidence: dict[str, Any] | None = None,
    ingest: dict[str, Any] | None = None,
    owner: dict[str, str] | None = None,
) -> dict[str, str]:
    """The cards as files, by name: Markdown and HTML. What is missing (evidence, a part of the report) is
    said in them.

    `report`, `evidence` and `ingest` are the content of train.json, evidence.json and ingest.json; `owner`
    the owner's answers by key.
    """
    made = {name: text for name, (text, _) in drafts(report, evidence, ingest, owner).items()}
    return {f"{name}.md": text for name, text in made.items()} | {
        f"{name}.html": page(text) for name, text in made.items()
    }


def write(folder: Path, out: Path, owner: Path | None = None) -> list[Path]:
    """The cards of the run in a folder of tables, written into `out`, each in one step; and the owner's
    questions.

    All are made before any is written. Raises `DataError` where nothing was trained, or the owner's file has
    mistakes.
    """
    report, evidence, ingest = (_told(folder / f"{name}.json") for name in ("train", "evidence", "ingest"))
    if report is None:
        raise DataError(f"There is no {folder / 'train.json'}.\nRun `headway train` first.")
    given = owners.answers(owner)
    try:
        texts = written(report, evidence, ingest, given)
    except UndefinedError as error:
        raise DataError(
            f"The reports in {folder} don't hold what the cards need ({error}).\n"
            "They were written by another version: run `headway train` and `headway evidence` again."
        ) from error
    asked = out / "owner.toml"
    # the owner may have taken this very file to write in
    if owner is None or asked.resolve() != owner.resolve():
        texts[asked.name] = owners.form(given)
    for name, text in texts.items():
        tables.write_text(out / name, text)
    return [out / name for name in texts]


def _told(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
