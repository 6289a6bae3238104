"""The claims the project comes from, tested: “ten times” first, from the rough comparison to the fair one."""

import pandas as pd
import streamlit as st

from headway.explorer import charts, store, words

NAMES = {
    "leadership_gap": "Ten times as likely: leadership graded above the school",
    "middle_leaders": "Posts for middle and senior leaders",
    "development": "Developing middle leaders",
    "retention": "Staff who stay",
    "pipeline": "Leaders coming through",
    "head_change": "A new head",
    "consistency": "Consistency inside a school",
    "trust_record": "The trust’s record",
    "trust_spread": "Spread within a trust",
    "trust_growth": "Trusts that grow",
    "capacity": "Posts that can’t be filled",
    "improvement_leaders": "Improving other schools",
    "disadvantage": "Schools in poorer areas",
}
STEPS = {
    "raw": "All schools",
    "able": "Without Outstanding schools, which can’t improve",
    "grades": "",
    "pooled": "Like with like",
}


def name_of(claim: dict) -> str:
    return NAMES.get(claim["id"], claim["id"].replace("_", " ").capitalize())


def ratio(row: dict) -> str:
    result = row.get("risk_ratio")
    return (
        "too few to say"
        if not result or row.get("too_few")
        else f"{result['estimate']:.2f} ({result['low']:.2f} to {result['high']:.2f})"
    )


def as_rows(step: dict) -> pd.DataFrame:
    """A step's comparisons as a table: shares, n, and the ratio with its interval."""
    return pd.DataFrame(
        [
            {
                "step": step["title"],
                "what": one["what"],
                "grades used": one["label_source"],
                "schools with it": one["exposed"]["n"],
                "improved with it": words.percent(one["exposed"]["share"]),
                "schools without": one["unexposed"]["n"],
                "improved without": words.percent(one["unexposed"]["share"]),
                "times as likely (95% interval)": ratio(one),
            }
            for one in step["rows"]
        ]
    )


def ladder(claim: dict) -> pd.DataFrame:
    """The ratios from the rawest to the fairest, one a row, of the steps that have one to show."""
    rows = []
    for step in claim["steps"]:
        for one in step["rows"]:
            result = one.get("risk_ratio")
            if step["id"] not in STEPS or one["label_source"] != "all" or not result or one.get("too_few"):
                continue
            if step["id"] == "pooled" and one["what"] != "same grade, phase and year":
                continue
            raw = (
                one["what"]
                .replace("better, against not better", "")
                .replace("with, against without", "")
                .strip(" :,")
            )
            words_ = {"better, against worse": " (better, against worse)"}.get(one["what"], "")
            if step["id"] == "grades":
                words_, against = (
                    (f"Only {raw} schools", "")
                    if ":" not in raw
                    else (f"Only {raw.split(':')[0]} schools", " (against worse)")
                )
                words_ += against
            elif step["id"] == "pooled":
                words_ = "Same grade, phase and year, together"
            else:
                words_ = STEPS[step["id"]] + words_
            rows.append(
                {
                    "what": words_,
                    "estimate": result["estimate"],
                    "low": result["low"],
                    "high": result["high"],
                    "with it": one["exposed"]["n"],
                    "without": one["unexposed"]["n"],
                }
            )
    return pd.DataFrame(rows, columns=["what", "estimate", "low", "high", "with it", "without"])


def years(claim: dict) -> pd.DataFrame:
    """The ratio of each year, from all its grades: those of one source follow it where a year has several."""
    rows = [
        {
            "what": one["what"],
            **one["risk_ratio"],
            "with it": one["exposed"]["n"],
            "without": one["unexposed"]["n"],
        }
        for step in claim["steps"]
        if step["id"] == "years"
        for one in step["rows"]
        if one.get("risk_ratio") and not one.get("too_few")
    ]
    return pd.DataFrame(
        rows, columns=["what", "estimate", "low", "high", "with it", "without"]
    ).drop_duplicates("what")


def in_hundreds(claim: dict) -> str:
    """What came of schools with and without it, in schools of a hundred, and what remains like with like."""
    raw, fair = claim.get("raw") or {}, (claim.get("adjusted") or {}).get("risk_ratio")
    if not raw or raw.get("too_few"):
        return ""
    shares = [words.of_100(raw[name]["share"]) for name in ("exposed", "unexposed")]
    said = f"As they come, {shares[0]} of 100 schools with it improved, and {shares[1]} of 100 without."
    if not fair:
        return said
    return (
        f"{said} Among schools of the same grade, phase and year those with it were {fair['estimate']:.2f} "
        f"times as likely to improve (somewhere from {fair['low']:.2f} to {fair['high']:.2f})."
    )


def tell(claim: dict) -> None:
    """One claim: what was said, and what is found."""
    st.markdown(f"> {words.plain(claim['statement'])}\n>\n> {words.plain(claim['source'])}")
    st.markdown(
        f"**{words.plain(claim['verdict'][:1].upper() + claim['verdict'][1:])}.** {in_hundreds(claim)}"
    )
    if not claim["steps"]:
        st.markdown(words.plain(claim["verdict_words"]))
    if claim.get("caution"):
        st.markdown(f"Take care: {words.plain(claim['caution'])}")
    if claim.get("would_take"):
        st.markdown(f"What it would take: {words.plain(claim['would_take'])}")
    if not claim["steps"]:
        return
    st.markdown(
        f"Here “with it” means {words.plain(claim['exposed'])}, “without” {words.plain(claim['unexposed'])}; "
        f"{claim['n']:,} pairs of inspections of {claim['schools']:,} schools."
    )


def analysts(claim: dict) -> None:
    """The annex of a claim: the verdict with its intervals, from the rough comparison to the fair one."""
    if not claim["steps"]:
        return
    st.header(f"For analysts: {words.plain(name_of(claim))}", anchor=False)
    st.markdown(words.plain(claim["verdict_words"]))
    rungs = ladder(claim)
    if len(rungs):
        claimed = claim.get("size_claimed")
        pooled = claim.get("adjusted") or {}
        fair = pooled.get("risk_ratio") or {}
        title = (
            f"Compared with schools like them, {fair['estimate']:.2f} times as likely to improve"
            if fair
            else "How much likelier to improve, from rough to fair comparison"
        )
        charts.show(
            charts.intervals(
                rungs,
                1.0,
                "Times as likely to improve (1 is no difference)",
                log=True,
                mark=claimed,
                mark_words="claimed" if claimed else "",
            ),
            title,
            "From the roughest comparison at the top to the fairest at the bottom. Dots are estimates, "
            "lines 95% "
            "intervals; an interval that crosses the dashed line at 1 could be chance."
            + (f" The upright line at {claimed:g} is the claim." if claimed else ""),
            pd.concat([as_rows(step) for step in claim["steps"]], ignore_index=True),
            f"claim-{claim['id']}",
            level=3,
        )
    yearly = years(claim)
    if len(yearly) > 1:
        below = int((yearly["low"] > 1).sum())
        charts.show(
            charts.intervals(yearly, 1.0, "Times as likely to improve, like with like", log=True),
            f"Taken year by year, {below} of {len(yearly)} intervals lie wholly above 1",
            "Each row is one academic year’s inspections, pooled over grade and phase. Years with too few "
            "stand in "
            "the table behind the chart above.",
            yearly,
            f"years-{claim['id']}",
            level=3,
        )


def page() -> None:
    st.title("Evidence", anchor=False)
    result = store.told("evidence")
    if not result or not result.get("claims"):
        st.markdown(
            "The claims have not been tested on these tables yet. `headway evidence` tests them and keeps "
            "the result."
        )
        return
    claims = result["claims"]
    counts = result.get("counts", {})
    st.markdown(
        "Articles by people who lead schools make claims about what goes with improvement. Each is held "
        "here against "
        f"{counts.get('pairs', 0):,} pairs of inspections of {counts.get('schools', 0):,} schools: how a "
        "school "
        "stood, and what "
        f"came next, up to {words.day(result.get('newest_outcome_on'))}."
    )
    table = pd.DataFrame(
        [
            {
                "claim": name_of(claim),
                "verdict": claim["verdict"],
                "pairs": f"{claim['n']:,}",
                "as they come": ratio(claim["raw"]) if claim["raw"] else "",
                "like with like": ratio(claim["adjusted"]) if claim["adjusted"] else "",
            }
            for claim in claims
        ]
    )
    order = sorted(range(len(claims)), key=lambda at: claims[at]["id"] != "leadership_gap")
    ids = [claims[at]["id"] for at in order]
    asked = store.asked_for("claim")
    chosen = st.selectbox(
        "Claim",
        ids,
        index=ids.index(asked) if asked in ids else 0,
        key="claim_chosen",
        format_func=lambda one: name_of(next(c for c in claims if c["id"] == one)),
    )
    if chosen != ids[0] or asked:
        st.query_params["claim"] = chosen
    claim = next(one for one in claims if one["id"] == chosen)
    st.header(words.plain(name_of(claim)), anchor=False)
    tell(claim)
    st.header(
        f"All {len(claims)} claims: {sum(1 for one in claims if one['steps'])} could be tested", anchor=False
    )
    st.markdown(
        "Figures are how many times as likely schools “with it” were to improve, with 95% intervals: as "
        "they come, and "
        "among schools of the same grade, phase and year."
    )
    charts.table(table)
    charts.download(table, "claims")
    analysts(claim)
    st.markdown("\n".join(f"- {words.plain(note)}" for note in result.get("notes", [])))


page()
