"""Two trainings side by side: what they learned from, by what code and settings, with which signals, and how
good each was.
"""

from collections.abc import Iterable
from typing import Any

from headway.models.registry import Recorded
from headway.pipelines import promotion

FIGURES = {"skill": "skill", "auc_2": "AUC within Good", "auc_3": "AUC within RI", "slope": "slope"}
Table = tuple[str, list[str], list[list[str]]]


def compare(first: Recorded, second: Recorded) -> dict[str, Any]:
    """What differs between two runs, in JSON's own types; where a pair stands, the first run's comes first.

    `paired` sets the second against the first on the rows that both backtests hold, as promotion does: a gain
    over 0 says that the second is better. None, and `why_not`, where there is nothing to pair.
    """
    one, two = first.report, second.report
    files = [told.get("files") or {} for told in (one, two)]
    rows = [told.get("rows") or {} for told in (one, two)]
    given = [told["signals"] for told in (one, two)]
    made = [told.get("made_from") or {} for told in (one, two)]
    return {
        "runs": [
            {
                "run": each.run,
                "version": each.version,
                "model_version": each.report["model_version"],
                "as_of": each.report["as_of"],
                "candidate": each.report["final"]["candidate"],
            }
            for each in (first, second)
        ],
        "data": {
            "inputs": _both("inputs", one, two),
            "data_source": _both("data_source", one, two),
            "newest_file_on": _both("newest_file_on", one, two),
            "registers": _both("registers", *made),
            "files": {
                "only_first": sorted(files[0].keys() - files[1].keys()),
                "only_second": sorted(files[1].keys() - files[0].keys()),
                "changed": sorted(
                    name for name in files[0].keys() & files[1].keys() if files[0][name] != files[1][name]
                ),
                "known": bool(files[0] and files[1]),
            },
            "rows": {name: _both(name, *rows) for name in dict.fromkeys([*rows[0], *rows[1]])},
            "examples": {name: [_examples(told)[name] for told in (one, two)] for name in _examples(one)},
        },
        "code": {
            "commit": _both("commit", one, two),
            "dirty": _both("dirty", one, two),
            "code": _both("code", *made),
            "libraries": _both("libraries", *made),
        },
        "settings": {
            name: _both(name, first.params, second.params)
            for name in dict.fromkeys([*first.params, *second.params])
            if first.params.get(name) != second.params.get(name)
        },
        "signals": {
            "only_first": [name for name in given[0] if name not in given[1]],
            "only_second": [name for name in given[1] if name not in given[0]],
            "both": len(set(given[0]) & set(given[1])),
        },
        "folds": _folds(one, two),
        **_paired(first, second),
    }


def _both(name: str, one: dict[str, Any], two: dict[str, Any]) -> list[Any]:
    return [one.get(name), two.get(name)]


def _examples(report: dict[str, Any]) -> dict[str, int]:
    counts = report["counts"]
    return {
        "examples": sum(row["schools"] for row in counts),
        "mornings": len({row["as_of"] for row in counts}),
        "labelled": sum(row["schools"] for row in counts if row["reason"] == "labelled"),
    }


def _folds(one: dict[str, Any], two: dict[str, Any]) -> list[dict[str, Any]]:
    """Each fold's figures in both runs; blank in a run that hadn't it."""
    told = [
        {row["fold"]: row for row in report["scores"] if row["model"] == "champion"} for report in (one, two)
    ]
    return [
        {
            "fold": fold,
            "n": _both("n", *(rows.get(fold, {}) for rows in told)),
            **{name: _both(name, *(rows.get(fold, {}) for rows in told)) for name in FIGURES},
        }
        for fold in sorted(told[0].keys() | told[1].keys())
    ]


def _paired(first: Recorded, second: Recorded) -> dict[str, Any]:
    if first.backtest is None or second.backtest is None:
        return {"paired": None, "why_not": "the backtest's rows were not kept with one of them"}
    if first.report["data_source"] != second.report["data_source"]:
        return {"paired": None, "why_not": "one learned from official files and the other from made-up ones"}
    mine, other = (each.backtest[each.backtest["overall"].gt(1)] for each in (second, first))
    pairs = promotion.paired(mine, other)
    if pairs.empty:
        return {"paired": None, "why_not": "no row of one's backtest is in the other's"}
    return {"paired": {**promotion.compare(pairs)[0], "rows": [len(other), len(mine)]}, "why_not": None}


# --- in words -----------------------------------------------------------------------------------------------


def lines(found: dict[str, Any]) -> list[str]:
    """What differs, a line each."""
    data, files, code = found["data"], found["data"]["files"], found["code"]
    said = []
    if data["inputs"][0] == data["inputs"][1]:
        said.append("data: the same official files")
    elif files["known"]:
        parts = {
            "only in the first": files["only_first"],
            "only in the second": files["only_second"],
            "changed": files["changed"],
        }
        said += [
            f"data: {len(names):,} files {what}: {_some(names)}" for what, names in parts.items() if names
        ]
    else:
        said.append("data: other official files; which, one of the runs doesn't say")
    if data["registers"][0] != data["registers"][1] and None not in data["registers"]:
        said.append("data: other registers of schools and trusts")
    same = (
        code["code"][0] == code["code"][1]
        if None not in code["code"]
        else code["commit"][0] == code["commit"][1]
    )
    words = [
        f"{commit if commit.startswith('headway ') else commit[:10]}{' with changes' if dirty else ''}"
        for commit, dirty in zip(code["commit"], code["dirty"], strict=True)
    ]
    said.append(f"code: the same ({words[0]})" if same else f"code: {words[0]} and {words[1]}")
    if None not in code["libraries"]:
        said += [
            f"code: {name} {code['libraries'][0].get(name)} and {version}"
            for name, version in code["libraries"][1].items()
            if code["libraries"][0].get(name) != version
        ]
    if not found["settings"]:
        said.append("settings: the same")
    only = {"first": found["signals"]["only_first"], "second": found["signals"]["only_second"]}
    said += [f"signals: only in the {which}: {_some(names)}" for which, names in only.items() if names]
    if not any(only.values()):
        said.append(f"signals: the same {found['signals']['both']}")
    if (row := found["paired"]) is None:
        return [*said, f"not compared row by row: {found['why_not']}"]
    verdict = (
        "better" if row["gain_low"] > 0 else "worse" if row["gain_high"] < 0 else "no different that shows"
    )
    said.append(
        f"on the {row['n']:,} rows both backtests hold, of {row['rows'][0]:,} and {row['rows'][1]:,}, the "
        "second is "
        f"{verdict}: Brier {row['brier']:.4f} against {row['brier_other']:.4f}, {row['gain']:+.2%} "
        f"({row['gain_low']:+.2%} to {row['gain_high']:+.2%})"
    )
    return said


def tables(found: dict[str, Any]) -> Iterable[Table]:
    """The tables of the terminal: title, columns and rows; those in which something differs, and the
    folds.
    """
    data = found["data"]
    said = ("run", "version", "model_version", "as_of", "candidate")
    yield (
        "Runs",
        ["", "first", "second"],
        [[name, *(_text(run[name]) for run in found["runs"])] for name in said],
    )
    counts = [
        [name, *map(_text, both)]
        for name, both in {**data["rows"], **data["examples"]}.items()
        if both[0] != both[1]
    ]
    facts = [
        [name.replace("_", " "), *map(_text, data[name])]
        for name in ("data_source", "newest_file_on")
        if data[name][0] != data[name][1]
    ]
    if facts or counts:
        yield "Data that differ: rows of each table, and examples", ["", "first", "second"], facts + counts
    if found["settings"]:
        yield (
            "Settings that differ",
            ["setting", "first", "second"],
            [[name, *map(_text, both)] for name, both in found["settings"].items()],
        )
    columns = [
        "fold",
        "n first",
        "second",
        *(
            f"{what}{which}"
            for word in FIGURES.values()
            for what, which in ((word, ", first"), ("second", ""))
        ),
    ]
    yield (
        "Backtest of each, fold by fold",
        columns,
        [
            [row["fold"], *map(_text, row["n"]), *(_text(value) for name in FIGURES for value in row[name])]
            for row in found["folds"]
        ],
    )


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _some(names: list[str], most: int = 12) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
