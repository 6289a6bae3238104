"""A school as a report to print: one HTML file with nothing fetched, two pages of A4, every text escaped; and
the same as PDF.
"""

from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from headway.explorer import brief, pdf, report_card, store, without, words
from headway.pipelines.frameworks import GRADES

_made = jinja2.Environment(
    autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
)
_template = _made.from_string((Path(__file__).parent / "report.html").read_text(encoding="utf-8"))
MOST_VISITS, MOST_FIGURES, MOST_STEPS = 10, 8, 7


def html(facts: dict[str, Any]) -> str:
    """The report as a page, from its `facts`."""
    return _template.render(facts)


def facts(
    row: pd.Series,
    predicted: pd.Series | None,
    history: pd.DataFrame,
    figures: dict[str, tuple[pd.DataFrame, str]],
    others: pd.DataFrame,
    card: pd.DataFrame | None = None,
    unknown: list[tuple[str, str]] | None = None,
) -> dict[str, Any]:
    """What the report of a school says, from what its page shows; `card` is the forecast of its next report
    card, where one comes next.

    `unknown` is what the prediction was made without, and why (`without.reasons`).
    """
    on_card = card is not None and len(card) > 0
    shown = predicted is not None and words.enough(predicted) and not on_card
    usual = shown and words.usual_outcomes(predicted) is not None
    chances = (
        [
            {
                "grade": GRADES[rank],
                "chance": words.percent(predicted[f"p_grade_{rank}"]),
                "wide": round(100 * float(predicted[f"p_grade_{rank}"]), 1),
                "usual": words.percent(predicted[f"usual_grade_{rank}"]) if usual else "",
            }
            for rank in GRADES
        ]
        if shown
        else []
    )
    steps = words.parts(predicted) if shown else pd.DataFrame(columns=["what", "step", "reason"])
    moved = report_card.steps(card, "any") if on_card else (steps, None, None)
    said = {"improved": 0, "stayed the same": 0, "fell": 0}
    if len(others):
        said |= others["then"].value_counts().to_dict()
    return dict(
        school=row["name"],
        facts=_facts(row),
        lead=brief.verdict(predicted, card if on_card else pd.DataFrame()).replace("`", ""),
        card=pdf.framed(report_card.figures(card)) if on_card else None,
        card_steps=_steps(moved[0]) if on_card else [],
        card_start=words.percent(moved[1], 1),
        card_end=words.percent(moved[2], 1),
        card_words=words.parts_in_words(moved[0]) if on_card else "",
        now=brief.grade_now(row, predicted),
        chances=chances,
        usual=usual,
        extrapolation=words.EXTRAPOLATION if shown and report_card.comes_next() else "",
        likely_set=_likely_set(predicted) if shown else "",
        ranges=report_card.ranges_in_words() if on_card else "",
        unknown=[without.sentence(what, why) for what, why in unknown or []],
        steps=_steps(steps),
        start=words.percent(predicted["base_rate"], 1) if shown else "",
        end=words.percent(predicted["p_same" if words.staying(predicted) else "p_improve"], 1)
        if shown
        else "",
        in_words=words.parts_in_words(steps) if len(steps) else "",
        visits=_visits(history),
        more_visits=max(len(history) - MOST_VISITS, 0),
        figures=_figures(figures),
        similar=said if len(others) else {},
        similar_n=len(others),
        association=words.ASSOCIATION,
        made_up=predicted is not None and predicted["data_source"] == "made-up",
        as_of=words.day(predicted["as_of"]) if predicted is not None else "",
        model=predicted["model_version"] if predicted is not None else "",
        newest=words.day(store.about("schools").get("newest_file_on")),
    )


def export(row: pd.Series, predicted: pd.Series, card: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every stored figure of a school, under its name, as one row for a spreadsheet."""
    return pd.DataFrame(
        [
            {
                "urn": row["urn"],
                "name": row["name"],
                "local_authority": row["local_authority"],
                "trust_name": row["trust_name"],
                **predicted.drop(labels=["urn"]).to_dict(),
                **(report_card.export(card) if card is not None and len(card) else {}),
            }
        ]
    )


def sheets(
    row: pd.Series,
    predicted: pd.Series | None,
    card: pd.DataFrame,
    inspected: pd.DataFrame,
    figures: dict[str, tuple[pd.DataFrame, str]],
    others: pd.DataFrame,
    unknown: list[tuple[str, str]],
) -> dict[str, pd.DataFrame]:
    """What a school's page shows as tables of numbers and days, one a sheet of a workbook."""
    made = {}
    if predicted is not None:
        every = export(row, predicted).iloc[0]
        made["Prediction"] = pd.DataFrame({"figure": every.index, "value": [_cell(value) for value in every]})
    if len(card):
        columns = [
            "area",
            *report_card.COLUMNS.values(),
            "p_below",
            "base_rate",
            "p_low",
            "p_high",
            "p_strong_or_better",
        ]
        made["Report card"] = card[columns].assign(range=card["standard_set"].map(report_card.standards))
        steps = {area: report_card.steps(card, area)[0] for area in ("any", report_card.LEADERSHIP)}
        made["What moved it"] = pd.concat(
            [rows.assign(of=area)[["of", "what", "step"]] for area, rows in steps.items()]
        )
    elif predicted is not None and words.enough(predicted):
        made["What moved it"] = words.parts(predicted)[["what", "step"]]
    made["What isn’t known"] = pd.DataFrame(unknown, columns=["what", "why"])
    if len(inspected):
        days = [name for name in inspected if name.endswith("_on") and not name.endswith("_known_on")]
        made["Inspections"] = inspected.drop(
            columns=[name for name in inspected if name.endswith("_known_on")]
        ).dropna(axis=1, how="all")
        made["Inspections"] = made["Inspections"].astype(
            {name: "datetime64[s]" for name in days if name in made["Inspections"]}
        )
    if figures:
        made["Staff and pupils"] = pd.concat(
            [rows.assign(figure=name) for name, (rows, _) in figures.items()]
        )
    if len(others):
        made["Similar schools"] = others
    return made


def _cell(value: Any) -> Any:
    return None if words.blank(value) else value.item() if hasattr(value, "item") else value


NOTES = [
    "Chances are shares from 0 to 1, steps are shares of 1 too. A blank is not known: it is not nought.",
    "The value of made_without names what the prediction was made without; “What isn’t known” says why.",
    words.ASSOCIATION,
    "Contains public sector information licensed under the Open Government Licence v3.0.",
]


def _likely_set(predicted: pd.Series) -> str:
    return words.set_in_words(predicted["grade_set"], predicted, (store.told("train") or {}).get("coverage"))


def _steps(steps: pd.DataFrame) -> list[dict[str, str]]:
    """The largest reasons, all the others as one, and what isn't known, so that they add up on the page
    too.
    """
    reasons, apart = steps[steps["reason"].astype("bool")], steps[~steps["reason"].astype("bool")]
    rest = reasons.iloc[MOST_STEPS:]
    rows = list(zip(reasons["what"].head(MOST_STEPS), reasons["step"].head(MOST_STEPS), strict=True))
    rows += [(f"All else ({len(rest)} more)", rest["step"].sum())] if len(rest) else []
    rows += list(zip(apart["what"], apart["step"], strict=True))
    return [{"what": what, "points": words.points(step)} for what, step in rows]


def _facts(row: pd.Series) -> list[tuple[str, str]]:
    told = [
        ("URN", row["urn"]),
        ("Phase", row["phase"]),
        ("Type", row["type"]),
        ("Local authority", row["local_authority"]),
        ("Region", row["region"]),
        ("Trust", row["trust_name"]),
        ("Pupils when last listed", row["pupils"]),
    ]
    return [(name, str(value)) for name, value in told if not words.blank(value)]


def _visits(history: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "on": words.day(one.inspected_on),
            "kind": one.kind,
            "what": words.grade(one.overall, one.inspected_on)
            if one.kind == "graded"
            else ("" if words.blank(one.ungraded_outcome) else one.ungraded_outcome),
            "leadership": words.grade(one.leadership)
            if one.kind == "graded" and not words.blank(one.leadership)
            else "",
            "framework": words.framework(one.framework),
            "source": words.source(one.overall_source) if one.kind == "graded" else "",
        }
        for one in history.head(MOST_VISITS).itertuples()
    ]


def _figures(figures: dict[str, tuple[pd.DataFrame, str]]) -> list[dict[str, str]]:
    rows = []
    for name, (made, form) in list(figures.items())[:MOST_FIGURES]:
        known = made.dropna(subset=["value"])
        first, last = known.iloc[0], known.iloc[-1]
        rows.append(
            {
                "what": name,
                "first": f"{format(first['value'], form)} ({first['year']})",
                "last": f"{format(last['value'], form)} ({last['year']})",
            }
        )
    return rows
