"""The study: what the other commands found, composed into one report that could be refereed.

Nothing is worked out again here but the decisions (`decisions`), which take a second: every figure is that of
train.json, evidence.json, power.json, worth.json and peers.json, and study.json holds all that the page says.
A part that is missing, or was made from other files, is said to be, with the command that makes it.
"""

import json
import platform
import re
from importlib import metadata
from pathlib import Path
from typing import Any

from headway.pipelines import tables
from headway.pipelines.reports import cards
from headway.pipelines.study.decisions import decisions
from headway.pipelines.tables import DataError

PARTS = {
    "ingest": "headway ingest",
    "train": "headway train",
    "evidence": "headway evidence",
    "power": "headway power",
    "worth": "headway worth",
    "peers": "python benchmarks/peers.py",
}
REFERENCES = (
    "Collins G and others (2024). TRIPOD+AI statement. BMJ 385:e078378.",
    "Frank E, Hall M (2001). A simple approach to ordinal classification. ECML 2001.",
    "Mantel N, Haenszel W (1959). Statistical aspects of the analysis of data. JNCI 22:719.",
    "Obuchowski N (1997). Nonparametric analysis of clustered ROC curve data. Biometrics 53:567.",
    "Robins J, Finkelstein D (2000). Correcting for dependent censoring. Biometrics 56:779.",
    "Van Calster B and others (2019). Calibration: the Achilles heel. BMC Medicine 17:230.",
    "VanderWeele T, Ding P (2017). Introducing the E-value. Annals of Internal Medicine 167:268.",
    "Vickers A, Elkin E (2006). Decision curve analysis. Medical Decision Making 26:565.",
)
LIBRARIES = ("pandas", "numpy", "scipy", "scikit-learn", "lightgbm", "statsmodels", "pyarrow", "mlflow")


def study(folder: Path, peers: Path | None = None) -> dict[str, Any]:
    """The content of study.json, from what lies in a folder of tables; `peers` is the benchmark's peers.json.

    `missing` says which parts are not there, or not of the files the champion learned from, and the command
    that makes each. Raises `DataError` where nothing was trained: there is nothing to report then.
    """
    result = {name: _told(folder / f"{name}.json") for name in PARTS if name != "peers"}
    result["peers"] = _told(peers) if peers else None
    report = result["train"]
    if report is None:
        raise DataError(f"There is no {folder / 'train.json'}.\nRun `headway train` first.")
    missing = []
    for name, command in PARTS.items():
        content = result[name]
        why = "missing" if content is None else _stale(content, report)
        if why:
            missing.append({"part": name, "why": why, "command": command})
            result[name] = None
    mine = [row for row in report["scores"] if row["model"] == "champion"]
    weighed = decisions(tables.read(folder, "backtest"), tables.read(folder, "schools"))
    content: dict[str, Any] = {
        "about": {
            key: report[key]
            for key in (
                "as_of",
                "data_source",
                "newest_file_on",
                "inputs",
                "commit",
                "dirty",
                "model_version",
            )
        }
        | {
            "learned_with": report["made_from"]["libraries"],
            "written_with": _versions(),
            "interval": "95%",
            "recipe": report["final"]["candidate"],
            "seed": report["experiment"]["seed"],
        },
        "files": [{"file": name, "sha256": digest} for name, digest in sorted(report["files"].items())],
        "tables": [
            {"table": name, "rows": rows}
            for name, rows in ((result["ingest"] or {}).get("rows") or {}).items()
        ],
        "flow": _flow(report["counts"]),
        "folds": mine,
        "judged": {"n": sum(row["n"] for row in mine), "folds": len(mine)},
        "means": report["means"],
        "mean": next(row for row in report["means"] if row["model"] == "champion"),
        "calibration": report["calibration"],
        "sets": report["coverage"][0] if report["coverage"] else None,
        "fairness": report["fairness"],
        "families": [row for row in report.get("ablation", []) if row["within"] is None],
        "signals": len(report["signals"]),
        "signals_blank": len(report["signals_blank"]),
        "report_cards": _on_cards(report["report_cards"]),
        "claims": _claims(result["evidence"]),
        "claims_on_cards": _again(result["evidence"]),
        "power": _power(result["power"]),
        "worth": result["worth"],
        "peers": result["peers"],
        "decisions": weighed,
        "checklist": _checklist(report, result["evidence"], result["ingest"]),
        "references": list(REFERENCES),
        "missing": missing,
    }
    content["figures"] = figures(content)
    content["summary"] = _summary(content)
    return tables.plain(content)


def _told(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _stale(content: dict[str, Any], report: dict[str, Any]) -> str | None:
    """Why a part can't stand beside the training, where it can't.

    evidence.json and power.json name no files, only whether these are official or made-up.
    """
    for key, words in (
        ("inputs", "made from other files"),
        ("data_source", "made from another kind of files"),
    ):
        if key in content and content[key] != report[key]:
            return words
    if content.get("model_version") not in (None, report["model_version"]):
        return "of another champion"
    return None


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in LIBRARIES}


def _flow(counts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every question asked, by what became of it."""
    sums: dict[str, int] = {}
    for row in counts:
        sums[row["reason"]] = sums.get(row["reason"], 0) + row["schools"]
    return [{"what": "all questions", "questions": sum(sums.values())}] + [
        {"what": what, "questions": sums[what]} for what in sorted(sums, key=lambda what: -sums[what])
    ]


def _on_cards(told: dict[str, Any]) -> dict[str, Any]:
    """The newest month of report cards, area by area, and how many there are."""
    walk = (told.get("forecast") or {}).get("walk") or []
    newest = max((row["fold"] for row in walk), default=None)
    return {
        "cards": told["inspections"],
        "month": newest,
        "areas": [row for row in walk if row["fold"] == newest],
    }


def _claims(evidence: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Each claim with its raw and pooled ratio, the verdict, its E-value and what else the curve of choices
    says.
    """
    result = []
    for claim in (evidence or {}).get("claims", []):
        raw, pooled = claim["raw"] or {}, claim["adjusted"] or {}
        sturdy = claim.get("sturdiness") or {}
        result.append(
            {name: claim[name] for name in ("id", "statement", "source", "verdict", "verdict_words")}
            | {"n": claim["n"], "raw": raw.get("risk_ratio"), "pooled": pooled.get("risk_ratio")}
            | {"choices_words": sturdy.get("choices_words")}
        )
    return result


def _again(evidence: dict[str, Any] | None) -> list[str]:
    on_cards = (evidence or {}).get("report_cards") or {}
    return list(on_cards.get("sentences", []))


def _power(power: dict[str, Any] | None) -> dict[str, Any] | None:
    if power is None:
        return None
    rows = [
        {"id": question["id"], "statement": question["statement"]}
        | {key: row[key] for key in ("years", "power", "closed", "simulated")}
        for question in power["questions"]
        for row in question["needed"]
    ]
    return {"summary": power["summary"], "needed": rows}


def _checklist(
    report: dict[str, Any], evidence: dict[str, Any] | None, ingest: dict[str, Any] | None
) -> list[dict[str, str]]:
    """TRIPOD+AI, item by item, as the cards have it: section, item, what it asks, the answer."""
    text = cards.drafts(report, evidence, ingest)["checklist"][0]
    section, rows = "", []
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:]
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and cells[0] != "item" and not set(cells[0]) <= set("-"):
            item, asks, answer = (re.sub(r"\*\*|\\(?=[^\w\s])|`", "", cell) for cell in cells)
            rows.append({"section": section, "item": item, "asks": asks, "answer": answer})
    return rows


def _summary(content: dict[str, Any]) -> list[dict[str, str]]:
    """The abstract's sentences, each from the figures below it."""
    mean, judged, weighed = content["mean"], content["judged"], content["decisions"]
    result = [
        {
            "head": "What was tested",
            "text": f"On each of {judged['folds']} mornings a model learned only from what was public "
            f"before, and was judged on the academic year after: {judged['n']:,} outcomes of schools that "
            "could improve.",
        },
        {
            "head": "What was found",
            "text": f"Skill over the rate by grade and phase {mean['skill']:.3f}; area under the curve "
            f"{_auc(mean['auc_2'])} within Good, {_auc(mean['auc_3'])} within Requires improvement and "
            f"{_auc(mean['auc_4'])} within Inadequate, means over years; calibration slope "
            f"{mean['slope']:.2f}.",
        },
    ]
    if weighed["n"]:
        row = next(row for row in weighed["visits"] if row["visits"] == weighed["equity_at"])
        result.append(
            {
                "head": "What it would help with",
                "text": f"Of {row['visits']} visits a year offered by the forecast {row['forecast']:.1%} "
                f"reach a school that comes out below good, by grade {row['grade']:.1%}.",
            }
        )
    if content["peers"]:
        result.append({"head": "Beside its peers", "text": content["peers"]["verdict"]})
    for claim in content["claims"][:1]:
        result.append({"head": "The claim it started from", "text": claim["verdict_words"]})
    return result


def _auc(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"


# --- figures ------------------------------------------------------------------------------------------------


def figures(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The charts of the report: titles, axes and points, so that the page has nothing to work out.

    `x` and `y` are the ends and ticks of axes; a series is a name and points x, y and, where there is one,
    the interval low to high. `form` says how ticks are written.
    """
    result = []
    if content["calibration"]:
        points = [
            {"x": row["mean_p"], "y": row["rate"], "low": row["low"], "high": row["high"]}
            for row in content["calibration"]
        ]
        straight = [{"x": end, "y": end} for end in (0.0, 1.0)]
        result.append(
            _figure("calibration", "What was said, and what came", "Chance given", "Share that improved",
                    "share", [("Schools in ten groups", points, "points"), ("As said", straight, "line")])
        )  # fmt: skip
    points = [
        {"x": float(row["fold"][:4]), "y": row["skill"], "low": row["skill_low"], "high": row["skill_high"]}
        for row in content["folds"]
    ]
    result.append(
        _figure("years", "Skill over the rate by grade and phase, by academic year",
                "Year the academic year begins in", "Skill", "decimal", [("Champion", points, "points")])
    )  # fmt: skip
    weighed = content["decisions"]
    if weighed["n"]:
        thresholds = weighed["thresholds"]
        ways = (
            ("forecast", "By the forecast"),
            ("grade_and_phase", "By the rate of grade and phase"),
            ("below_good_now", "Every school below good now"),
            ("everyone", "Everyone"),
        )
        lines = [
            (words, [{"x": row["threshold"], "y": row[way]} for row in thresholds if row[way] > -0.1], "line")
            for way, words in ways
        ]  # fmt: skip
        result.append(
            _figure("net-benefit", "Net benefit of visits, by how needful a visit has to be",
                    "Chance of below good at which a visit is worth it", "Net benefit", "decimal", lines)
        )  # fmt: skip
        lines = [
            (words, [{"x": float(row["visits"]), "y": row[way]} for row in weighed["visits"]], "line")
            for way, words in (*ways[:2], ("grade", "By grade"))
        ]
        result.append(
            _figure("visits", "Of visits, the share that reach a school which comes out below good",
                    "Visits a year", "Share", "share", lines)
        )  # fmt: skip
    curves = (content["worth"] or {}).get("curves") or {}
    if len(curves.get("schools", [])) > 1:
        points = [
            {
                "x": float(row["schools"]),
                "y": row["skill"],
                "low": row["skill_low"],
                "high": row["skill_high"],
            }
            for row in curves["schools"]
        ]
        result.append(
            _figure("learning", "Skill, by how many schools were learned from", "Schools", "Skill", "decimal",
                    [("All signals", points, "points")])
        )  # fmt: skip
    return result


def _figure(
    name: str, title: str, x: str, y: str, form: str, series: list[tuple[str, list[dict[str, Any]], str]]
) -> dict[str, Any]:
    points = [point for _, mine, _ in series for point in mine]
    across = [point["x"] for point in points]
    up = [value for point in points for value in (point["y"], point.get("low"), point.get("high"))]
    return {
        "id": name, "title": title, "form": form,
        "x": {"label": x} | _axis([value for value in across if value is not None]),
        "y": {"label": y} | _axis([0.0, *(value for value in up if value is not None)]),
        "series": [{"name": words, "points": mine, "drawn": drawn} for words, mine, drawn in series],
    }  # fmt: skip


def _axis(values: list[float]) -> dict[str, Any]:
    """Ends and about five round ticks."""
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    low, high = min(values), max(values)
    ticks = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(low, high if high > low else low + 1)
    return {"from": float(ticks[0]), "to": float(ticks[-1]), "ticks": [float(np.round(t, 6)) for t in ticks]}
