"""The month's work in one go: what is new is fetched and read, learned from, scored and judged, and summed up
on one page.

Each step is done where what it depends on has changed, so a run after a run changes nothing, and a run after
a killed one finishes it. `month.json`, written last, says what the finished month was made from; `summary.md`
and `summary.html` are the page, whose every figure is looked up in the reports of the steps.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from headway.models import RegistryError
from headway.models.registry import Registry
from headway.pipelines import ingest, provenance, tables, train
from headway.pipelines.evidence import cards as evidence_cards
from headway.pipelines.evidence import claims as evidence
from headway.pipelines.evidence import sturdy
from headway.pipelines.experiments import Experiment
from headway.pipelines.reports import cards
from headway.pipelines.reports import evidence as evidence_report
from headway.pipelines.reports import monitor as monitor_report
from headway.pipelines.reports.cards.pages import page
from headway.pipelines.scoring import score
from headway.pipelines.tables import Busy, DataError
from headway.pipelines.watching import monitor

MONTH = "month.json"
LEFT = ("train.json", "evidence.json", "predictions.parquet", "monitor.json", "summary.md", "summary.html")
BASIS = {
    "inputs": "the official files",
    "registers": "the registers of schools and trusts",
    "code": "the program",
    "libraries": "the libraries",
    "experiment": "the settings",
    "whole": "the parts of training that fit again",
}
Bring = Callable[[], dict[str, list[str]]]
Bar = Callable[[str], Callable[[Iterable, int], Iterable] | None]


def month(
    folder: Path,
    registry: Registry,
    *,
    raw: Path,
    bring: Bring | None = None,
    registers: Path | None = None,
    experiment: Experiment | None = None,
    owner: Path | None = None,
    limits: dict[str, float] | None = None,
    workers: int = 2,
    whole: bool = True,
    today: date | None = None,
    say: Callable[[str], None] = print,
    bar: Bar = lambda what: None,
) -> dict[str, Any]:
    """Do what is left of the month's work; returns whether anything was `new`, the limits `passed`, and
    `problems`.

    `bring` fetches, where it is to be done. What doesn't come, or a store that can't be reached, doesn't hold
    up the rest: it is a problem to tell at the end. Raises `DataError` where the files can't be read, or no
    model may be champion, and `Busy` where another month is at work in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".month.lock", timeout=0):
            return _month(
                folder,
                registry,
                raw,
                bring,
                registers,
                experiment or Experiment(),
                owner,
                limits or monitor.limits(),
                workers,
                whole,
                today or date.today(),
                say,
                bar,
            )
    except Timeout as error:
        raise Busy(f"Another `headway month` is at work in {folder}.\nWait for it, or try again.") from error


def _month(
    folder: Path,
    registry: Registry,
    raw: Path,
    bring: Bring | None,
    registers: Path | None,
    experiment: Experiment,
    owner: Path | None,
    limits: dict[str, float],
    workers: int,
    whole: bool,
    today: date,
    say: Callable[[str], None],
    bar: Bar,
) -> dict[str, Any]:
    before, problems = _told(folder / MONTH) or {}, []
    since = before.get("finished_on", "the last training")
    fetched = _fetched(bring, problems, say)
    files, code = ingest.hashes(raw), provenance.code()
    if code != before.get("code") or files != (_told(folder / "ingest.json") or {}).get("sha256"):
        report = ingest.ingest(raw, folder, bar("reading"))
        say(f"ingest: {len(report['sha256']):,} files, the newest of {report['newest_file_on']}")
    why = _why_train(folder, registry, provenance.made_from(folder, registers, experiment, whole))
    if why:
        say(f"train: {'; '.join(why)}")
        report = train.train(
            folder,
            registry,
            experiment=experiment,
            workers=workers,
            whole=whole,
            registers=registers,
            say=say,
            progress=bar("folds"),
        )
        verdict = "promoted" if report["promoted"] else f"not promoted: {report['promotion']['why']}"
        say(f"model {report['model_version']}: {verdict}")
    _send(folder, registry, problems, say)
    done = _key(folder, registry, limits, owner)
    if not why and before.get("done") == done and all((folder / name).is_file() for name in LEFT):
        say(f"nothing new since {since}: the same official files, registers, program, settings and champion")
        return {
            "new": False,
            "passed": (_told(folder / "monitor.json") or {})["passed"],
            "problems": problems,
        }
    result = _judged(folder, registry, registers, owner, limits, problems, say)
    content = {
        "finished_on": f"{today}",
        "since": before.get("finished_on"),
        "fetched": fetched,
        "problems": problems,
        "why_trained": why,
        "files": files,
        "changed": _changed(before.get("files", {}), files),
        "rows": _told(folder / "ingest.json")["rows"],
        "rows_before": before.get("rows", {}),
        "code": code,
        "done": done,
        "champion": registry.reigning()["version"],
    }
    text = summary(
        content, *(_told(folder / f"{name}.json") for name in ("ingest", "train", "evidence")), result
    )
    tables.write_text(folder / "summary.md", text)
    tables.write_text(folder / "summary.html", page(text))
    tables.write_json(folder / MONTH, content)
    say(f"written: {folder / 'summary.md'}, {folder / 'summary.html'}")
    return {"new": True, "passed": result["passed"], "problems": problems}


# --- the steps ----------------------------------------------------------------------------------------------


def _fetched(
    bring: Bring | None, problems: list[str], say: Callable[[str], None]
) -> dict[str, list[str]] | None:
    if bring is None:
        return None
    try:
        report = bring()
    except Busy:
        raise
    except DataError as error:
        problems.append(str(error))
        say("fetch: not all of it came; the month goes on with what is here")
        return None
    say("fetch: " + ", ".join(f"{len(names):,} {state}" for state, names in report.items()))
    return report


def _why_train(folder: Path, registry: Registry, basis: dict[str, Any]) -> list[str]:
    """What has changed since the last training, in words; nothing where it would only be repeated."""
    report = _told(folder / "train.json") or {}
    last = report.get("made_from")
    if last is None or not all((folder / f"{name}.parquet").is_file() for name in ("examples", "backtest")):
        return ["nothing was trained here yet"]
    if report["promoted"] and registry.reigning() is None:
        return ["the champion is gone"]
    return [f"{words} changed" for name, words in BASIS.items() if basis[name] != last.get(name)]


def _send(folder: Path, registry: Registry, problems: list[str], say: Callable[[str], None]) -> None:
    """Send the runs that wait, and say in train.json that the last one has arrived."""
    try:
        for waiting in registry.unsent():
            sent = registry.send(waiting)
            say(f"sent: {waiting.name} as version {sent.version}")
            report = _told(folder / "train.json") or {}
            if report.get("unsent") and waiting.name.endswith(report["model_version"]):
                arrived = {
                    "run": sent.run,
                    "registered_version": sent.version,
                    "promoted": sent.promoted,
                    "unsent": None,
                }
                tables.write_json(folder / "train.json", report | arrived)
    except RegistryError as error:
        problems.append(str(error))


def _key(folder: Path, registry: Registry, limits: dict[str, float], owner: Path | None) -> str:
    """A hash of all that what comes after training depends on."""
    reigning = registry.reigning() or {}
    told = [
        (_told(folder / "train.json") or {})["made_from"],
        reigning.get("version"),
        limits,
        owner.read_text("utf-8") if owner else None,
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _judged(
    folder: Path,
    registry: Registry,
    registers: Path | None,
    owner: Path | None,
    limits: dict[str, float],
    problems: list[str],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Evidence, predictions, cards and monitor, each written; returns what the monitor found."""
    report, about = _told(folder / "train.json"), tables.about(folder, "examples")
    on_cards = evidence_cards.asked_again(
        tables.read(folder, "standards"), tables.read(folder, "inspections")
    )
    examples = tables.read(folder, "examples")
    claims = sturdy.sturdier(
        evidence.evidence(
            examples, tables.read(folder, "backtest"), data_source=about["data_source"], on_cards=on_cards
        ),
        examples,
    )
    tables.write_json(folder / "evidence.json", claims)
    tables.write_text(folder / "evidence.html", evidence_report.report(claims))
    say(f"evidence: {len(claims['claims']):,} claims tested")
    if report["run"]:
        try:
            with registry.same_run(report["run"]) as mlflow:
                for name in ("evidence.json", "evidence.html"):
                    mlflow.log_artifact(str(folder / name))
        except RegistryError as error:
            problems.append(str(error))
    if registry.reigning() is None:
        raise DataError(
            f"No model is champion yet, so no school was scored. The candidate was not promoted: "
            f"{report['promotion']['why']}\n`headway train --promote force` promotes it all the same."
        )
    champion = score.load(registry.champion_folder)
    made, about = score.score(folder, champion, registers=registers, say=say)
    tables.write(folder, made, about=about)
    score.write_csv(tables.read(folder, "predictions"), folder / "predictions.csv")
    say(
        f"score: {len(made['predictions']):,} open schools, "
        f"{made['predictions']['status'].eq(score.SCORED).sum():,} scored"
    )
    say(f"cards: {len(cards.write(folder, folder / 'cards', owner)):,} written")
    result = monitor.monitor(folder, champion.about, None, limits)
    tables.write_json(folder / "monitor.json", result)
    tables.write_text(folder / "monitor.html", monitor_report.report(result))
    say(f"monitor: {len(result['passed']):,} limits passed")
    return result


def _told(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def _changed(before: dict[str, str], now: dict[str, str]) -> dict[str, list[str]]:
    return {
        "new": sorted(now.keys() - before.keys()),
        "gone": sorted(before.keys() - now.keys()),
        "changed": sorted(name for name in now.keys() & before.keys() if now[name] != before[name]),
    }


# --- the page -----------------------------------------------------------------------------------------------

MOST = 12  # names said in a line


def summary(
    content: dict[str, Any],
    ingested: dict[str, Any],
    trained: dict[str, Any],
    claims: dict[str, Any],
    found: dict[str, Any],
) -> str:
    """The month on a page, in Markdown, from the content of month.json and the reports of its steps."""
    before = (
        f"The month before was finished on {content['since']}."
        if content["since"]
        else "The first month of this folder."
    )
    lines = [
        f"# The month to {content['finished_on']}",
        "",
        f"{ingested['data_source'].capitalize()} files, the newest of {ingested['newest_file_on']}. {before}",
        "",
        *_limits(found),
    ]
    if content["problems"]:
        lines += [
            "## What went wrong",
            "",
            *(f"- {' '.join(problem.split())}" for problem in content["problems"]),
            "",
        ]
    lines += [
        "## What was fetched, and what changed",
        "",
        *_files(content),
        "",
        *_rows(content),
        "## The model",
        "",
        *_model(content, trained),
        "",
        "## Predictions",
        "",
        f"{found['predictions']:,} open schools asked about as of {found['as_of']}, {found['scored']:,} "
        "scored, by model "
        f"{found['model_version']}.",
        "",
        *_came(found),
        "## The claims",
        "",
        f"{len(claims['claims']):,} were tested: "
        + "; ".join(
            f"{n:,} {verdict}"
            for verdict, n in Counter(claim["verdict"] for claim in claims["claims"]).items()
        )
        + ". evidence.html says which, and how it was found.",
        "",
    ]
    return "\n".join(lines)


def _limits(found: dict[str, Any]) -> list[str]:
    if not found["passed"]:
        return [f"None of the monitor's {len(found['limits'])} limits is passed.", ""]
    return [
        "## Limits passed",
        "",
        *(
            f"- {row['limit']}: {row['sentence']} ({row['value']:.3g}; the limit is {row['allowed']:g})"
            for row in found["passed"]
        ),
        "",
    ]


def _files(content: dict[str, Any]) -> list[str]:
    said = ["- Nothing was fetched."]
    if content["fetched"]:
        said = [
            "- Fetched: "
            + "; ".join(f"{len(names):,} {state}" for state, names in content["fetched"].items())
            + "."
        ]
    if content["since"] is None:
        return [*said, f"- {len(content['files']):,} files were read."]
    said += [
        f"- {len(names):,} files {state} since the month before: {_some(names)}."
        for state, names in content["changed"].items()
        if names
    ]
    return said if any(content["changed"].values()) else [*said, "- The files are those of the month before."]


def _rows(content: dict[str, Any]) -> list[str]:
    before = content["rows_before"]
    more = {name: rows for name, rows in content["rows"].items() if name in before and before[name] != rows}
    return _table(
        "Tables that grew or shrank",
        ["table", "rows before", "now"],
        [[name, f"{before[name]:,}", f"{rows:,}"] for name, rows in more.items()],
    )


def _model(content: dict[str, Any], trained: dict[str, Any]) -> list[str]:
    if not content["why_trained"]:
        return [
            (
                "Nothing was trained, for nothing it would learn from has changed. Model "
                f"{content['champion']} "
                "is champion."
            )
        ]
    told = trained["promotion"]
    mine = next(row for row in trained["means"] if row["model"] == "champion")
    verdict = "was promoted" if trained["promoted"] else "was not promoted"
    again = trained["model_version"] == content["champion"] and not trained["promoted"]
    return [
        f"Trained because: {'; '.join(content['why_trained'])}. Over the folds of the backtest its mean "
        "skill over the plain "
        f"rates by grade and phase is {mine['skill']:.3f}, its mean slope {mine['slope']:.2f}.",
        "",
        f"Model {trained['model_version']} {verdict}" + (": it is the champion already." if again else ":"),
        *(f"- {reason}" for reason in told["reasons"]),
        "",
        f"Model {content['champion']} is champion.",
    ]


def _came(found: dict[str, Any]) -> list[str]:
    """How the predictions kept from earlier mornings have turned out."""
    rows = []
    for row in found["scoreboard"]["mornings"]:
        figures = (
            ["too few to judge", "", "", ""]
            if row["too_few"]
            else [f"{row['rate']:.1%}", f"{row['mean_p']:.1%}", f"{row['brier']:.3f}", f"{row['skill']:.3f}"]
        )
        rows.append(
            [
                row["as_of"] + (" (with hindsight)" if row["hindsight"] else ""),
                row["model_version"],
                f"{row['scored']:,}",
                f"{row['outcomes']:,}",
                f"{row['n']:,}",
                *figures,
            ]
        )
    return _table(
        "How earlier predictions turned out, by the morning they were made for",
        [
            "morning",
            "model",
            "scored",
            "inspected since",
            "of them could improve",
            "improved",
            "mean chance",
            "Brier",
            "skill",
        ],
        rows,
    )


def _table(title: str, columns: list[str], rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    return [
        f"**{title}**",
        "",
        f"| {' | '.join(columns)} |",
        "|" + " --- |" * len(columns),
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]


def _some(names: list[str]) -> str:
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST:,} more" if len(names) > MOST else "")
