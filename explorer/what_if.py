"""What if: the stored model's answer with something a school could change set otherwise. A pattern, not an
effect.
"""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from headway.explorer import charts, own, report_card, store, words
from headway.pipelines import signals, tables
from headway.pipelines.frameworks import GRADES

# How far each unit can be moved, and how it is shown: low, high, step, times shown.
RANGES = {
    "share": (0.0, 1.0, 0.01, 100),
    "percentile": (0.0, 1.0, 0.01, 100),
    "posts": (0.0, 10.0, 0.1, 1),
    "days": (0.0, 30.0, 0.5, 1),
    "reviews": (0.0, 20.0, 1.0, 1),
}


# What is made from a figure moves with it, and by how much of its step: else the model is asked about a
# school there can't be.
MOVES_WITH = {
    "absence_standing": {"absence_change": 1.0, "absence_beyond_intake": 1.0, "absence_since_pandemic": 1.0},
    "attainment_standing": {"attainment_change": 1.0, "attainment_three_years": 1 / 3},
}
# Of these less is better; of all others that a school can change, more.
LESS_IS_BETTER = ("absence_standing", "persistent_absence_standing", "share_vacant", "vacant_by_register")


def answer(model, values: pd.Series, state: pd.DataFrame) -> pd.Series:
    """The stored model's prediction from these signals."""
    row = pd.DataFrame([values.reindex(model.signals).astype("float64").to_dict()])
    return model.predict(row[model.signals], state).iloc[0]


def card_answer(model, values: pd.Series, state: pd.Series, card: pd.DataFrame) -> pd.DataFrame:
    """The stored model's report card from these signals: below expected (`p_below`, with its interval) by
    area and any.

    `state` is the school that morning, as `signals_today` has it: grade, phase, ages, its own newest card.
    """
    from headway.pipelines import report_cards

    areas = [*report_cards.NAMES, "any"]
    cohort = state.to_frame().T.reset_index(drop=True)
    numbers = ("overall", "leadership", *report_cards.AGES, *report_cards.OWN_CARD)
    cohort = cohort.astype(dict.fromkeys(numbers, "Int64")).assign(
        inspected_on=pd.to_datetime(cohort["inspected_on"]), as_of=pd.to_datetime(cohort["as_of"])
    )
    made = pd.DataFrame([values.astype("float64").to_dict()])
    result = report_cards.answers(cohort, made, model, details=False)
    figures = {
        "p_below": result.below[0],
        "p_low": result.chances["low"][0],
        "p_high": result.chances["high"][0],
    }
    return pd.DataFrame(figures, index=areas).loc[[area for area in areas if area in set(card["area"])]]


def moved(values: pd.Series, changed: dict[str, float]) -> pd.Series:
    """The signals with what was changed, and what is made from it."""
    after = values.astype("float64").copy()
    for name, value in changed.items():
        step = value - values[name] if not words.blank(values[name]) else None
        after[name] = value
        for other, share in MOVES_WITH.get(name, {}).items() if step is not None else ():
            if other in after.index:
                after[other] += share * step
    return after


def unexpected(
    changed: dict[str, float], values: pd.Series, better: Callable[[pd.Series], float]
) -> list[str]:
    """The changes that move the chance of better the other way than one would expect, each alone."""
    start, result = better(values), []
    for name, value in changed.items():
        if words.blank(values[name]) or abs(value - values[name]) < 1e-9:
            continue
        hoped = (value > values[name]) != (name in LESS_IS_BETTER)
        step = better(moved(values, {name: value})) - start
        if abs(step) >= 0.001 and (step > 0) != hoped:
            result.append(name)
    return result


def controls(names: list[str], told: dict, values: pd.Series, urn: int) -> dict[str, float]:
    """What the visitor set, by signal; a signal left alone isn't in it. The address holds it, so a link
    restores it.
    """
    changed = {}
    for name in names:
        signal = told[name]
        low, high, step, times = RANGES.get(signal.unit, (0.0, 1.0, 0.01, 1))
        now = None if words.blank(values.get(name)) else float(values[name])
        sentence, sign = signal.sentence.rstrip("."), "%" if times == 100 else ""
        text = store.asked_for(name)
        try:
            start = min(max(float(text), low * times), high * times)
        except ValueError:
            start = now * times if now is not None else None
        if now is None:
            value = st.number_input(
                f"{sentence}: now not known{f' (in {sign})' if sign else ''}",
                low * times,
                high * times,
                start,
                step * times,
                placeholder="not known",
                key=f"{name}_{urn}",
            )
            if value is not None:
                changed[name] = value / times
            _into_address(name, value)
            continue
        low, high = min(low, now), max(high, now)
        start = min(max(round(start, 2), low * times), high * times)
        value = st.slider(
            f"{sentence}: now {now * times:.1f}{sign}",
            low * times,
            high * times,
            start,
            step * times,
            format=f"%.1f{'%%' if sign else ''}",
            key=f"{name}_{urn}",
        )
        if abs(value - now * times) > step * times * 0.6:
            changed[name] = value / times
        _into_address(name, value if name in changed else None)
    return changed


def _into_address(name: str, value: float | None) -> None:
    if value is not None:
        st.query_params[name] = f"{value:g}"
    elif name in st.query_params:
        del st.query_params[name]


def nothing(declared: dict) -> None:
    """That nothing can be moved, and which register or file would let it."""
    st.info(
        "The stored model uses nothing that a school could change, because what it learned from doesn’t "
        "hold it."
    )
    by_register: dict[str, list[str]] = {}
    for signal in declared.values():
        if signal.could_change and not signal.off:
            by_register.setdefault(signal.source, []).append(words.plain(signal.sentence.rstrip(".")))
    lines = []
    for source, sentences in by_register.items():
        what = words.plain(words.MADE_FROM.get(source, source))
        lines.append(
            f"- {'A register of ' if source in signals.REGISTERS else 'A file of '}{what}: "
            f"{'; '.join(sentences)}."
        )
    st.markdown("It could, once trained with one of these:\n\n" + "\n".join(lines))
    st.page_link("explorer/your_data.py", label="Add a register on the page “Your own data”")


def surprises(names: list[str]) -> None:
    """Why a figure moved for the better lowers the chance, where it does."""
    declared = signals.declared()
    for name in names:
        st.markdown(
            f"“{words.plain(declared[name].sentence.rstrip('.'))}” moves the chance the other way than one "
            "would expect. The "
            "model has only seen which schools did better, and other figures that go with this one carry "
            "part of what it says; "
            "it doesn’t mean that making it better does harm."
        )


def on_card(
    model, values: pd.Series, changed: dict[str, float], state: pd.Series, card: pd.DataFrame
) -> None:
    """The report card with what was changed, beside the stored one."""
    stored = card.set_index("area")["p_below"]
    before = card_answer(model, values, state, card)
    if (before["p_below"] - stored.reindex(before.index)).abs().max() > 0.005:
        st.info(
            "The signals kept don’t give the stored chances back. Run `headway score` again, so that they "
            "belong together."
        )
        return
    after = card_answer(model, moved(values, changed), state, card)
    now, step = after.loc["any"], after.loc["any", "p_below"] - stored["any"]
    rows = pd.DataFrame(
        {
            "grade": [report_card.AREAS.get(area, "Any area") for area in after.index],
            "chance": after["p_below"].to_numpy(),
            "usual": stored.reindex(after.index).to_numpy(),
        }
    )
    between = f"somewhere from {words.of_100(now['p_low'])} to {words.of_100(now['p_high'])}"
    title = (
        "Nothing has been moved yet"
        if not changed
        else f"Schools like this one with those figures: {words.of_100(now['p_below'])} of 100 have some "
        "area below expected "
        f"({between}), {words.points(step)} points"
    )
    charts.show(
        charts.chances(rows),
        title,
        f"As stored: {words.of_100(stored['any'])} of 100. Bars are the chances of below expected with what "
        "you set, diamonds "
        "what is stored for the school as it is.",
        rows.assign(chance=rows["chance"].map(words.percent), usual=rows["usual"].map(words.percent)).rename(
            columns={"grade": "area", "chance": "with what you set", "usual": "as it is"}
        ),
        f"what-if-{state['urn']}",
    )
    surprises(
        unexpected(
            changed, values, lambda made: 1 - card_answer(model, made, state, card).loc["any", "p_below"]
        )
    )


def on_grade(model, values: pd.Series, changed: dict[str, float], predicted: pd.Series) -> None:
    """The next grade with what was changed, beside the stored one."""
    state = store.state(predicted)

    def better(made: pd.Series) -> float:
        return words.chance(
            pd.Series({**answer(model, made, state).to_dict(), "overall": predicted["overall"]})
        )

    if abs(better(values) - words.chance(predicted)) > 0.005:
        st.info(
            "The signals kept don’t give the stored chance back. Run `headway score` again, so that they "
            "belong "
            "together."
        )
        return
    after = answer(model, moved(values, changed), state)
    same = pd.Series({**after.to_dict(), "overall": predicted["overall"]})
    verb = "staying Outstanding" if words.staying(predicted) else "improving"
    step = words.chance(same) - words.chance(predicted)
    rows = pd.DataFrame(
        {
            "grade": list(GRADES.values()),
            "chance": [float(after[f"p_grade_{rank}"]) for rank in GRADES],
            "usual": [float(predicted[f"p_grade_{rank}"]) for rank in GRADES],
        }
    )
    between = f"somewhere from {words.of_100(after['p_low'])} to {words.of_100(after['p_high'])}"
    title = (
        "Nothing has been moved yet"
        if not changed
        else f"Schools like this one with those figures: {words.percent(words.chance(same))} for {verb} "
        f"({between}), "
        f"{words.points(step)} points"
    )
    charts.show(
        charts.chances(rows),
        title,
        "Bars are the model’s chances with what you set, diamonds what is stored for the school as it is.",
        rows.assign(chance=rows["chance"].map(words.percent), usual=rows["usual"].map(words.percent)).rename(
            columns={"chance": "with what you set", "usual": "as it is"}
        ),
        f"what-if-{predicted['urn']}",
    )
    surprises(unexpected(changed, values, better))


def page() -> None:
    st.title("What if?", anchor=False)
    st.markdown(
        "**This shows a pattern, not an effect.** Schools with other figures did better or worse; that "
        "doesn’t mean "
        "that changing a figure changes the grade. "
        "The answer is the stored model’s, worked out again. A grade is never among the things that can be "
        "moved."
    )
    store.about("schools")
    urn = store.asked_urn()
    row = store.school(urn) if urn is not None else None
    if row is None:
        st.markdown(
            "Choose a school first; its page links here."
            if urn is None
            else "No school in these tables has that URN."
        )
        st.page_link("explorer/find.py", label="Find a school")
        return
    store.viewed(urn)
    st.header(words.plain(row["name"]), anchor=False)
    predicted = store.prediction(urn)
    if predicted is None or not words.enough(predicted):
        st.info(
            "There is no chance for this school to start from. "
            + words.plain(words.lead(predicted) if predicted is not None else "It has no prediction.")
        )
        st.page_link("explorer/school.py", query_params={"urn": str(urn)}, label="Back to the school")
        return
    card = report_card.forecast(urn)
    st.markdown(words.plain(report_card.lead(card) if len(card) else words.lead(predicted)))
    st.markdown(f"Its grade now: {words.plain(words.grade_in_full(predicted))}.")
    values = store.signals_today(urn)
    model = store.champion()
    if model is None and store.champion_refused():
        for line in store.champion_refused().split("\n"):
            st.markdown(words.plain(line.replace("`", "")))
        return
    if model is None:
        st.info(
            "The stored model isn’t on this machine (mlruns/champion), so nothing can be worked out again. "
            "`headway "
            "train` makes it."
        )
        return
    if values is None:
        st.info(
            "The signals of today aren’t among the tables, so nothing can be worked out again. `headway "
            "score` keeps "
            "them (signals_today.parquet)."
        )
        return
    declared, known = signals.declared(), values.index.isin(tables.TABLES["signals_today"].names)
    state, values = values[known], values[~known]
    unseen = own.hidden(own.kept(), int(row["lineage"]), values)
    movable = [
        name
        for name in model.signals
        if name in declared and declared[name].could_change and name not in unseen
    ]
    if not movable:
        nothing(declared)
        return
    if str(model.about.get("version")) != str(predicted["model_version"]):
        st.info(
            "The stored predictions are an earlier model’s. Run `headway score` again, so that both answers "
            "come "
            "from one model."
        )
        return
    place = st.container()  # the answer stands above what is moved, so that it is seen while it changes
    st.header("What could be otherwise", anchor=False)
    changed = controls(movable, declared, values, urn)
    with place:
        if len(card) and model.cards is not None:
            on_card(model, values, changed, state, card)
        else:
            on_grade(model, values, changed, predicted)
    st.caption(words.ASSOCIATION)
    st.page_link("explorer/school.py", query_params={"urn": str(urn)}, label="Back to the school")


page()
