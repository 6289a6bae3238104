"""A school on one page, for governors: what is likely next, what isn't known, what to ask, how forecasts
fared. On the page of governors, in its PDF, and in the pack of a trust.

Every figure is the School page's, by the same functions. A question is asked only of what is known of the
school, or of what is known to be missing.
"""

from typing import Any

import pandas as pd

from headway.explorer import earlier, history, pdf, report_card, store, without, words

MOST = 5
# The families leaders can answer for, unlike what a school is, whom it serves and when it was inspected.
ASKED = (
    "leadership",
    "judgements",
    "consistency",
    "trajectory",
    "visits",
    "head_change",
    "retention",
    "middle_leaders",
    "capacity",
    "workforce",
    "attendance",
    "attainment",
    "parents",
    "report_card",
)
# What a school knows of itself, the likeliest first.
OF_STAFF = ("turnover", "posts", "vacancies", "sickness", "leadership_development", "workforce")
NUMBERS = ("No", "One", "Two", "Three", "Four", "Five")
PATTERNS = (
    "The figures are patterns among schools inspected before. They don’t say when inspectors will come, what "
    "a change would bring about, or which school is better."
)


def verdict(predicted: pd.Series | None, card: pd.DataFrame) -> str:
    """The sentence that stands first on a school's page."""
    if len(card):
        return report_card.lead(card)
    if predicted is not None:
        return words.lead(predicted)
    if not store.has("predictions"):
        return (
            "No predictions are among the tables yet: `headway score` makes them. What is known of the "
            "school is below."
        )
    return "There is no prediction for this school. What is known of it is below."


def grade_now(row: pd.Series, predicted: pd.Series | None) -> str:
    """The grade a school has, in full, or that a report card came since."""
    if predicted is None:
        return ""
    came = report_card.last(int(row["lineage"]))
    if len(came) and (
        words.blank(predicted["inspected_on"]) or came["inspected_on"].iloc[0] > predicted["inspected_on"]
    ):
        before = (
            "No overall grade is on record from before it."
            if words.blank(predicted["overall"])
            else f"The grade before: {words.grade_in_full(predicted)}."
        )
        on = words.day(came["inspected_on"].iloc[0])
        return f"Its latest inspection, on {on}, gave a report card. {before}"
    return f"Its grade now: {words.grade_in_full(predicted)}."


def facts(row: pd.Series) -> dict[str, Any]:
    """All that the page says, as texts and tables of texts."""
    urn = int(row["urn"])
    predicted = store.prediction(urn)
    card = report_card.forecast(urn) if row["open"] else pd.DataFrame()
    missing = [] if predicted is None else without.reasons(row, predicted, without.uses())
    made, cards = earlier.of_grades(row), earlier.of_cards(row)
    asked = questions(row, predicted, card, missing, made)
    title, sentence, tables = earlier.told(made, cards)
    from_grades = predicted is not None and words.enough(predicted) and not len(card)
    return {
        "title": f"{row['name']}: for governors",
        "school": str(row["name"]),
        "facts": _facts(row),
        "verdict": verdict(predicted, card).replace("`", ""),
        "now": grade_now(row, predicted),
        "caution": words.EXTRAPOLATION if from_grades and report_card.comes_next() else "",
        "unknown_title": "What isn’t known here",
        "unknown": unknown(missing),
        "unknown_note": (
            "What is not known counts as unknown, not as nought, and is never given as a reason. Nor is "
            "anything known that is in no file: the school’s plans, or what it has changed since."
        ),
        "questions_title": f"{NUMBERS[len(asked)]} question{'' if len(asked) == 1 else 's'} to ask",
        "questions": asked,
        "questions_note": "Each comes from a figure of this school, or from one that is missing.",
        "fared": {"title": title, "sentence": sentence, "tables": [pdf.framed(rows) for rows in tables]},
        "how": how(predicted),
        "made_up": store.about("schools").get("data_source") == "made-up",
    }


def unknown(missing: list[tuple[str, str]]) -> list[str]:
    """What the chances were made without, a line a reason."""
    by_reason: dict[str, list[str]] = {}
    for what, why in missing:
        by_reason.setdefault(why, []).append(what)
    return [without.sentence(why, ", ".join(names)) for why, names in by_reason.items()]


def how(predicted: pd.Series | None) -> str:
    """Of what morning the figures are, and what they don't say."""
    newest = f"The newest file read is of {words.day(store.about('schools').get('newest_file_on'))}."
    if predicted is None:
        return f"{newest} {PATTERNS}"
    return (
        f"As known on the morning of {words.day(predicted['as_of'])}, from {predicted['data_source']} files; "
        f"model {predicted['model_version']}. {newest} {PATTERNS}"
    )


def _facts(row: pd.Series) -> list[list[str]]:
    pairs = [
        ("URN", row["urn"]),
        ("Phase", row["phase"]),
        ("Local authority", row["local_authority"]),
        ("Trust", row["trust_name"]),
    ]
    return [[name, str(value)] for name, value in pairs if not words.blank(value)]


# --- what to ask --------------------------------------------------------------------------------------------


def questions(
    row: pd.Series,
    predicted: pd.Series | None,
    card: pd.DataFrame,
    missing: list[tuple[str, str]],
    forecasts: pd.DataFrame,
) -> list[str]:
    """Five questions at most, each from something known of the school or known to be missing; fewer where
    less is known.
    """
    first = [
        *_of_the_chance(predicted, card),
        *_of_the_steps(predicted, card),
        *_of_what_is_missing(missing),
        *_of_the_last_visit(row),
    ]
    return [*first, *_of_forecasts(forecasts), *_of_figures(row)][:MOST]


def _of_the_chance(predicted: pd.Series | None, card: pd.DataFrame) -> list[str]:
    if len(card):
        areas = card[card["area"].ne("any")]
        worst = areas.loc[areas["p_below"].idxmax()]
        return [
            f"Of its areas, {report_card.AREAS[worst['area']].lower()} is the likeliest to come out below "
            f"the expected standard, at {words.of_100(worst['p_below'])} in 100. What do leaders see there, "
            "and what is being done?"
        ]
    if predicted is None or not words.enough(predicted):
        return []
    usual = words.usual_outcomes(predicted)
    beside = f" (schools like it: {words.outcomes_in_words(predicted, usual)})" if usual else ""
    return [
        f"Of 100 schools placed so: {words.outcomes_in_words(predicted, words.outcomes(predicted))}{beside}. "
        "Which of these do leaders expect, and on what evidence?"
    ]


def _of_the_steps(predicted: pd.Series | None, card: pd.DataFrame) -> list[str]:
    """What moves the chance most for the worse, and most for the better, of what leaders can answer for."""
    if len(card):
        made = report_card.steps(card, "any")[0]
        made = made.assign(worse=made["step"])
        of = "the chance of some area below expected"
    elif predicted is not None and words.enough(predicted):
        made = words.parts(predicted)
        made = made.assign(worse=-made["step"])
        of = f"the chance of {'staying Outstanding' if words.staying(predicted) else 'improving'}"
    else:
        return []
    asked_of = made["what"].isin([words.FAMILIES[name] for name in ASKED])
    made = made[asked_of & made["step"].abs().ge(0.005)]
    against, favour = made[made["worse"].gt(0)].head(1), made[made["worse"].lt(0)].head(1)
    asked = [
        f"Of what leaders can answer for, “{what.lower()}” counts most against it ({words.points(step)} "
        f"points in {of}). What lies behind it, and is it still so?"
        for what, step in zip(against["what"], against["step"], strict=True)
    ]
    return asked + [
        f"“{what}” speaks most for it ({words.points(step)} points in {of}). What keeps it so, and does it "
        "hang on a few people?"
        for what, step in zip(favour["what"], favour["step"], strict=True)
    ]


def _of_what_is_missing(missing: list[tuple[str, str]]) -> list[str]:
    """About what the school itself is likeliest to know."""
    order = {without.named(name): at for at, name in enumerate(OF_STAFF)}
    first = sorted(missing, key=lambda pair: order.get(pair[0], len(order)))
    return [
        f"The chances were made without {what.replace('your', 'its')} ({why}). What does the school know "
        "of it itself?"
        for what, why in first[:1]
    ]


def _of_the_last_visit(row: pd.Series) -> list[str]:
    visits = store.inspections(int(row["lineage"]))
    if visits.empty:
        return []
    last = visits.iloc[0]
    return [
        f"Its last inspection on record was on {words.day(last['inspected_on'])} "
        f"({words.framework(last['framework'])}). What has changed since that no file can show?"
    ]


def _of_forecasts(made: pd.DataFrame) -> list[str]:
    if made.empty:
        return []
    chance = words.of_100(earlier.chance_of_what_came(made).iloc[0])
    return [
        f"The last forecast gave {chance} in 100 to what came ({words.LABELS[made['label'].iloc[0]]}). What "
        "did it not know of the school?"
    ]


def _of_figures(row: pd.Series) -> list[str]:
    """What a figure of its own did over the years, of those published of it."""
    asked = []
    for name, (rows, form) in history.measured(int(row["lineage"]), {}).items():
        known = history.yearly(rows).dropna(subset=["value"])
        first, last = known.iloc[0], known.iloc[-1]
        if len(known) > 1 and format(first["value"], form) != format(last["value"], form):
            asked.append(
                f"{name}: {format(first['value'], form)} in {first['year']}, "
                f"{format(last['value'], form)} in {last['year']}. What brought the change?"
            )
    return asked
