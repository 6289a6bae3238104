"""What if: the stored model's answer with something a school could change set otherwise. A pattern, not an effect."""

import pandas as pd
import streamlit as st

from explorer import charts, own, store, words
from pipelines import signals
from pipelines.frameworks import GRADES

# How far each unit can be moved, and how it is shown: low, high, step, times shown.
RANGES = {
    "share": (0.0, 1.0, 0.01, 100),
    "percentile": (0.0, 1.0, 0.01, 100),
    "posts": (0.0, 10.0, 0.1, 1),
    "days": (0.0, 30.0, 0.5, 1),
    "reviews": (0.0, 20.0, 1.0, 1),
}


def answer(model, values: pd.Series, state: pd.DataFrame) -> pd.Series:
    """The stored model's prediction from these signals."""
    row = pd.DataFrame([values.reindex(model.signals).astype("float64").to_dict()])
    return model.predict(row[model.signals], state).iloc[0]


def controls(names: list[str], told: dict, values: pd.Series, urn: int) -> dict[str, float]:
    """What the visitor set, by signal; a signal left alone isn't in it. The address holds it, so a link restores it."""
    changed = {}
    for name in names:
        signal = told[name]
        low, high, step, times = RANGES.get(signal.unit, (0.0, 1.0, 0.01, 1))
        now = None if words.blank(values.get(name)) else float(values[name])
        sentence, sign = words.plain(signal.sentence.rstrip(".")), "%" if times == 100 else ""
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


def page() -> None:
    st.title("What if?", anchor=False)
    st.markdown(
        "**This shows a pattern, not an effect.** Schools with other figures did better or worse; that doesn’t mean "
        "that changing a figure changes the grade. "
        "The answer is the stored model’s, worked out again. A grade is never among the things that can be moved."
    )
    store.about("schools")
    urn = store.asked_urn()
    row = store.school(urn) if urn is not None else None
    if row is None:
        st.markdown(
            "Choose a school first; its page links here." if urn is None else "No school in these tables has that URN."
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
    st.markdown(words.plain(words.lead(predicted)))
    st.markdown(f"Its grade now: {words.plain(words.grade_in_full(predicted))}.")
    values = store.signals_today(urn)
    model = store.champion()
    if model is None and store.champion_refused():
        for line in store.champion_refused().split("\n"):
            st.markdown(words.plain(line.replace("`", "")))
        return
    if model is None:
        st.info(
            "The stored model isn’t on this machine (mlruns/champion), so nothing can be worked out again. `headway "
            "train` makes it."
        )
        return
    if values is None:
        st.info(
            "The signals of today aren’t among the tables, so nothing can be worked out again. `headway score` keeps "
            "them (signals_today.parquet)."
        )
        return
    told = signals.declared()
    unseen = own.hidden(own.kept(), int(row["lineage"]), values)
    movable = [name for name in model.signals if name in told and told[name].could_change and name not in unseen]
    if not movable:
        could = [signal.sentence for signal in told.values() if signal.could_change]
        st.info(
            "The stored model uses nothing that a school could change, because the files it learned from don’t hold it."
        )
        st.markdown("It could, were these in the files: " + " ".join(words.plain(sentence) for sentence in could))
        return
    if str(model.about.get("version")) != str(predicted["model_version"]):
        st.info(
            "The stored predictions are an earlier model’s. Run `headway score` again, so that both answers come "
            "from one model."
        )
        return
    state = store.state(predicted)
    before = answer(model, values, state)
    if (
        abs(words.chance(pd.Series({**before.to_dict(), "overall": predicted["overall"]})) - words.chance(predicted))
        > 0.005
    ):
        st.info(
            "The signals kept don’t give the stored chance back. Run `headway score` again, so that they belong "
            "together."
        )
        return
    changed = controls(movable, told, values, urn)
    moved = values.reindex(model.signals).astype("float64")
    moved.update(pd.Series(changed, dtype="float64"))
    after = answer(model, moved, state)
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
    title = (
        "Nothing has been moved yet"
        if not changed
        else f"Schools like this one with those figures: {words.percent(words.chance(same))} for {verb}, "
        f"{words.points(step)} points"
    )
    charts.show(
        charts.chances(rows),
        title,
        "Bars are the model’s chances with what you set, diamonds what is stored for the school as it is. "
        f"{words.ASSOCIATION}",
        rows.rename(columns={"chance": "with what you set", "usual": "as it is"}),
        f"what-if-{urn}",
    )
    st.page_link("explorer/school.py", query_params={"urn": str(urn)}, label="Back to the school")


page()
