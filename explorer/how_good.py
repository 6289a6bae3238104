"""How good is this? The backtest, calibration, sets of grades and fairness, for readers without
statistics.
"""

import pandas as pd
import streamlit as st

from headway.explorer import charts, store, words
from headway.pipelines.frameworks import GRADES

DECOY = "decoy of "  # before the name of a family that was dealt out at random
FIGURES = ("estimate", "low", "high")
BY = {
    "phase": "Phase",
    "deprivation": "Deprivation of its pupils",
    "idaci_quintile": "Deprivation (5 the most deprived fifth)",
    "region": "Region",
    "type": "Type",
    "size": "Size",
}


def fold_words(value: str) -> str:
    return f"Inspections from {words.day(value)}"


def skills(scores: list[dict]) -> pd.DataFrame:
    rows = [
        {
            "what": fold_words(one["fold"]),
            "kind": words.MODELS.get(one["model"], one["model"]),
            "estimate": one["skill"],
            "low": one["skill_low"],
            "high": one["skill_high"],
            "inspections": one["n"],
        }
        for one in scores
        if one["model"] in ("champion", "logistic") and one.get("skill") is not None
    ]
    return pd.DataFrame(rows)


def yearly(scores: list[dict]) -> pd.DataFrame:
    """The years tested, one a row for the model and for each plain rule, to read."""
    return pd.DataFrame(
        [
            {
                "year": fold_words(row["fold"]),
                "rule": words.MODELS.get(row["model"], row["model"]),
                "inspections": row["n"],
                "improved": words.percent(row.get("rate")),
                "chance given, on average": words.percent(row.get("mean_p")),
                "error": f"{row['brier']:.3f}",
                "gain over the plain rate (95% interval)": f"{words.percent(row.get('skill'))} "
                f"({words.percent(row.get('skill_low'))} to {words.percent(row.get('skill_high'))})",
            }
            for row in scores
        ]
    )


def in_hundreds(groups: list[dict]) -> str:
    """What came of the lowest, a middle and the highest of the groups of chances: of schools given 70, 72
    improved.
    """
    if len(groups) < 3:
        return ""
    chosen = (groups[0], groups[len(groups) // 2], groups[-1])
    parts = [
        f"of 100 schools given about {words.of_100(one['mean_p'])}, {words.of_100(one['rate'])} improved"
        for one in chosen
    ]
    return f"In years it had not seen, {words.and_list(parts)}."


def ordering(scores: list[dict]) -> pd.DataFrame:
    rows = [
        {
            "what": fold_words(one["fold"]),
            "kind": f"Within {GRADES[rank]}",
            "estimate": one[f"auc_{rank}"],
            "low": one[f"auc_{rank}_low"],
            "high": one[f"auc_{rank}_high"],
            "inspections": one[f"n_{rank}"],
        }
        for one in scores
        if one["model"] == "champion"
        for rank in (2, 3)
        if one.get(f"auc_{rank}") is not None
    ]
    return pd.DataFrame(rows)


def agreement(groups: list[dict]) -> pd.DataFrame:
    """What the model had said, in equal groups, against what came, as stored."""
    names = {"mean_p": "said", "rate": "came", "n": "schools", "low": "low", "high": "high"}
    return pd.DataFrame(groups, columns=list(names)).rename(columns=names)


def in_short(champion: dict, better: int, years: int) -> str:
    """What the backtest comes to, good or bad, in a few sentences."""
    skill, order = champion.get("skill"), champion.get("auc_2")
    error = "the mean squared difference between chance and outcome"
    if words.blank(skill) or skill <= 0 or better * 2 < years:
        first = (
            f"It is no better than that plain rate: its error ({error}) was smaller in {better} of {years} "
            "years. "
            "Rely on “schools like it” rather than on a school’s own chance."
        )
    else:
        first = (
            f"Its error ({error}) is {words.percent(skill)} smaller than that plain rate’s, and smaller in "
            f"{better} of "
            f"{years} years. It is a help in thinking, not a forecast to act on alone."
        )
    if words.blank(order):
        return f"**In short.** {first}"
    second = (
        "Of two Good schools, one that improved and one that didn’t, it puts the right one first "
        f"{words.of_100(order)} times in 100; a coin would 50 times."
    )
    return f"**In short.** {first} {second}"


def page() -> None:
    st.title("How good is this?", anchor=False)
    told = store.told("train")
    if not told or not told.get("scores"):
        st.markdown(
            "The model hasn’t been tested on these tables yet. `headway train` tests it and keeps the result."
        )
        return
    scores = told["scores"]
    mine = [one for one in scores if one["model"] == "champion"]
    means = {one["model"]: one for one in told.get("means", [])}
    champion = means.get("champion", {})
    better = sum(one["skill"] > 0 for one in mine)
    n = sum(one["n"] for one in mine)
    st.markdown(
        f"The model was asked about {n:,} inspections it had never seen, each from a morning before it "
        "happened, "
        "having "
        "learned only from what was known by then. Its chances are held against the simplest honest answer: "
        "the "
        "share of schools of "
        "the same grade and phase that improved lately."
    )
    if sentence := in_hundreds(told.get("calibration", [])):
        st.markdown(f"**{sentence}**")
    st.markdown(in_short(champion, better, len(mine)))

    made = agreement(told.get("calibration", []))
    if len(made):
        n = made["schools"].sum()
        under = (made["came"] * made["schools"]).sum() / n - (made["said"] * made["schools"]).sum() / n
        finding = (
            "What it said and what came agree closely"
            if abs(under) < 0.01
            else (
                f"It said {abs(100 * under):.1f} points too {'little' if under > 0 else 'much'}, taken "
                "together"
            )
        )
        charts.show(
            charts.calibration(made),
            finding,
            f"Schools that could improve, in {len(made)} groups of equal size from the lowest chance to the "
            "highest. "
            "On the dashed line, as many improved as was said. "
            + (
                "That comes of improvement rising from year to year, which couldn’t be known beforehand."
                if under > 0.01
                else ""
            ),
            made.assign(**{name: made[name].map(words.percent) for name in ("said", "came", "low", "high")}),
            "calibration",
        )
    else:
        st.header("What it said against what came", anchor=False)
        st.info("The report of the training (train.json) holds no such comparison; `headway train` adds it.")

    coverage = told.get("coverage", [])
    if coverage:
        whole = next(
            (one for one in coverage if not set(one) & {"fold", "overall", "next_framework", "phase"}),
            coverage[0],
        )
        st.header(
            (
                f"Sets of grades held the next grade of {words.of_100(whole['coverage'])} in 100 schools; 90 "
                "was promised"
            ),
            anchor=False,
        )
        st.markdown(
            "The promise of a set such as “Good or better” is about many schools, not about one: nine in "
            "ten sets have to hold "
            f"the grade that comes. A set has {whole['mean_size']:.1f} of the four grades on average."
        )
        listed = pd.DataFrame(
            [
                {
                    "where": ", ".join(
                        [
                            *([fold_words(one["fold"])] if "fold" in one else []),
                            *([GRADES[int(one["overall"])]] if "overall" in one else []),
                            *([one["next_framework"]] if "next_framework" in one else []),
                        ]
                    )
                    or "all together",
                    "inspections": f"{one['n']:,}",
                    "held": words.percent(one["coverage"]),
                    "mean size": f"{one['mean_size']:.2f}",
                }
                for one in coverage
            ]
        )
        with st.expander("Year by year, by grade and by framework"):
            charts.table(listed)
            charts.download(listed, "coverage")

    fairness(told.get("fairness", []))
    caught(told.get("caught", []))
    if store.has("predictions"):
        open_schools = store.predictions()
        n_few = int(
            (
                ~open_schools.get("enough_like_it", pd.Series(True, index=open_schools.index))
                .fillna(True)
                .astype("bool")
            ).sum()
        )
        st.markdown(
            f"Of {len(open_schools):,} open schools, {int(open_schools['status'].eq('scored').sum()):,} "
            "have a "
            f"chance, and for {n_few:,} of those there is not enough like it to say."
        )
    analysts(told)


def analysts(told: dict) -> None:
    """The annex: the gain over plain rules, the order within a grade, and what each family adds."""
    st.header("For analysts", anchor=False)
    scores = told["scores"]
    mine = [one for one in scores if one["model"] == "champion"]
    means = {one["model"]: one for one in told.get("means", [])}
    champion = means.get("champion", {})
    better = sum(one["skill"] > 0 for one in mine)
    rows = skills(scores)
    if len(rows):
        lost = [one["fold"] for one in mine if one["skill_low"] <= 0]
        charts.show(
            charts.intervals(rows, 0.0, "Smaller error than the plain rate (0 is no better)", form="+.0%"),
            f"Better than the plain rate in {better} of {len(mine)} years tested",
            "Dots are the gain of the model and of a simple regression over the rate by grade and phase; "
            "lines are "
            "95% intervals. "
            + (
                (
                    f"In {len(lost)} year{'s' if len(lost) != 1 else ''} the model’s interval reaches no "
                    "gain "
                    "at all."
                )
                if lost
                else "No interval of the model’s reaches zero."
            ),
            yearly(scores),
            "skill",
            level=3,
        )
    if means:
        st.subheader("Against every plain rule, the mean of all years", anchor=False)
        st.markdown(
            "“Error” is the mean squared difference between a chance and what came: smaller is better. "
            "“Right order” is how often, of two "
            "schools of that grade, "
            "the one that improved had the higher chance: 50% is a coin."
        )
        listed = pd.DataFrame(
            [
                {
                    "rule": words.MODELS.get(one["model"], one["model"]),
                    "error": f"{one['brier']:.3f}",
                    "gain over the plain rate": words.percent(one["skill"], 1),
                    "right order within Good": words.percent(one["auc_2"]),
                    "right order within Requires improvement": words.percent(one["auc_3"]),
                }
                for one in sorted(told["means"], key=lambda one: one["model"] != "champion")
            ]
        )
        charts.table(listed)
        charts.download(listed, "rules")

    ordered = ordering(scores)
    if len(ordered):
        charts.show(
            charts.intervals(
                ordered, 0.5, "Right order, of two schools of the same grade (half is a coin)", form=".0%"
            ),
            f"Among Good schools it orders {words.percent(champion.get('auc_2'))} of pairs rightly, among "
            "Requires "
            f"improvement {words.percent(champion.get('auc_3'))}",
            "The grade itself says most of what there is to say, so the order is judged within a grade, "
            "where it "
            "can’t help.",
            ordered.rename(columns={"kind": "grade", "what": "year"}),
            "order",
            level=3,
        )

    families(told.get("ablation", []))
    st.subheader("What else was checked", anchor=False)
    cards = told.get("report_cards", {})
    if cards:
        st.markdown(
            f"Report cards: {cards.get('inspections', 0):,} inspections with one, of which "
            f"{cards.get('labelled', 0):,} can be learned from; at "
            f"least {cards.get('enough', 0):,} are wanted before anything is said about them."
        )
    if told.get("by_source"):
        listed = pd.DataFrame(
            [
                {
                    "next grade": words.SOURCES.get(one["label_source"], one["label_source"]),
                    "inspections": f"{one['n']:,}",
                    "error": f"{one['brier']:.3f}",
                    "gain over the plain rate": words.percent(one["skill"], 1),
                }
                for one in told["by_source"]
            ]
        )
        st.markdown("How the grade that came was known:")
        charts.table(listed)
    st.markdown(
        f"Model {words.plain(told.get('model_version'))}, trained on what was known before "
        f"{words.day(told.get('as_of'))}. "
        f"{words.plain(words.sentence((told.get('promotion') or {}).get('why', '')))}"
    )


def fairness(rows: list[dict]) -> None:
    if not rows:
        return
    kinds = list(dict.fromkeys(one["by"] for one in rows))
    st.header("Is it as right for every kind of school?", anchor=False)
    asked = store.asked_for("by")
    by = st.selectbox(
        "By",
        kinds,
        index=kinds.index(asked) if asked in kinds else 0,
        key="by_chosen",
        format_func=lambda one: BY.get(one, one.replace("_", " ").capitalize()),
    )
    if by != kinds[0] or asked:
        st.query_params["by"] = by
    mine = [one for one in rows if one["by"] == by]
    shown = pd.DataFrame(
        [
            {
                "what": f"{one['group']} ({one['n']:,})",
                "estimate": one["gap"],
                "low": one["gap_low"],
                "high": one["gap_high"],
            }
            for one in mine
            if not one["too_few"] and one.get("gap") is not None
        ]
    )
    listed = pd.DataFrame(
        [
            {
                "group": str(one["group"]),
                "inspections": f"{one['n']:,}",
                "improved": words.percent(one["rate"]) if not one["too_few"] else "too few to say",
                "the model said": words.percent(one["mean_p"]) if not one["too_few"] else "",
                "gap in points (95% interval)": f"{words.points(one['gap'])} "
                f"({words.points(one['gap_low'])} to "
                f"{words.points(one['gap_high'])})"
                if not one["too_few"]
                else "",
                "gain over the plain rate": words.percent(one["skill"], 1) if not one["too_few"] else "",
            }
            for one in mine
        ]
    )
    if shown.empty:
        charts.table(listed)
        return
    off = shown[(shown["low"] > 0) | (shown["high"] < 0)]
    charts.show(
        charts.intervals(shown, 0.0, "Improved, less what the model said", form="+.0%"),
        f"{len(off)} of {len(shown)} groups did better or worse than the model said, beyond chance",
        "To the right of the dashed line more schools improved than it said; to the left fewer. In brackets, "
        "inspections; groups with few are in the table as “too few to say”.",
        listed,
        f"fairness-{by}",
        3,
    )


def families(rows: list[dict]) -> None:
    if not rows:
        return
    whole = pd.DataFrame(
        [
            {
                "what": words.FAMILIES.get(one["family"], one["family"]),
                "estimate": one["gain"],
                "low": one["gain_low"],
                "high": one["gain_high"],
                "says": one["verdict"],
            }
            for one in rows
            if one.get("within") is None and not one["family"].startswith(DECOY)
        ]
    ).sort_values("estimate", ascending=False)
    if whole.empty:
        return
    checks = [one for one in rows if one["family"].startswith(DECOY) and one.get("within") is None]
    said = (
        f" {len(checks)} families dealt out at random among like schools were tried beside them: they must "
        f"add nothing, and {sum(one['gain_low'] > 0 for one in checks) or 'none'} did."
        if checks
        else ""
    )
    sure = whole[whole["low"] > 0]["what"].str.lower().tolist()
    charts.show(
        charts.intervals(whole, 0.0, "What would be lost without it (share of the error)", form="+.1%"),
        f"{len(sure)} of {len(whole)} families of signals add something that shows",
        "Each row is what the model would lose if that family alone were taken from it; families overlap, "
        "so most "
        "lose little. "
        + (f"Beyond chance: {words.and_list(sure)}." if sure else "None is beyond chance.")
        + said,
        whole.assign(**{name: whole[name].map(lambda value: words.percent(value, 2)) for name in FIGURES}),
        "families",
        level=3,
    )


def caught(rows: list[dict]) -> None:
    if not rows:
        return
    st.header("Below good next time: how many were among those it gave most chance of it?", anchor=False)
    st.markdown(
        "Of all schools that came out below good, the share that was among the tenth (and fifth) of schools "
        "given "
        "the highest chance of that, and the most "
        "that a perfect order could have put there."
    )
    listed = pd.DataFrame(
        [
            {
                "year": fold_words(one["fold"]),
                "below good": f"{one['below_good']:,} of {one['n']:,}",
                "in the first tenth": f"{words.percent(one['caught_10%'])} (most possible "
                f"{words.percent(one['most_possible_10%'])})",
                "in the first fifth": f"{words.percent(one['caught_20%'])} (most possible "
                f"{words.percent(one['most_possible_20%'])})",
            }
            for one in rows
        ]
    )
    charts.table(listed)
    charts.download(listed, "caught")


page()
