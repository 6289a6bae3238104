"""One school: a sentence first, then the chances, what raised and lowered them, and everything known behind
them.
"""

from typing import Any

import pandas as pd
import streamlit as st

from headway.explorer import (
    brief,
    charts,
    earlier,
    glossary,
    history,
    own,
    pdf,
    report,
    report_card,
    store,
    without,
    words,
    workbook,
)
from headway.pipelines import signals
from headway.pipelines.frameworks import GRADES

# As Ofsted's own files write the web link of a school; it leads on to the reports of any kind of school.
OFSTED = "http://www.ofsted.gov.uk/inspection-reports/find-inspection-report/provider/ELS/{}"


def who(row: pd.Series) -> str:
    """What tells a school from another, in a line."""
    parts = [
        row["phase"],
        row["type"],
        row["local_authority"],
        row["region"],
        row["trust_name"],
        None if words.blank(row["postcode"]) else row["postcode"],
        None if words.blank(row["pupils"]) else f"{int(row['pupils']):,} pupils when last listed",
        f"URN {row['urn']}",
    ]
    return " · ".join(words.plain(part) for part in parts if not words.blank(part))


def grades(row: pd.Series) -> None:
    """The chances of each grade, beside those of schools like it."""
    rows = pd.DataFrame(
        {
            "grade": [GRADES[rank] for rank in GRADES],
            "chance": [row[f"p_grade_{rank}"] for rank in GRADES],
            "usual": [row.get(f"usual_grade_{rank}") for rank in GRADES],
        }
    ).astype({"chance": "float64", "usual": "float64"})
    usual = rows["usual"].notna().all()
    charts.show(
        charts.chances(rows),
        words.likeliest(rows),
        (
            "Bars are this school’s chances. "
            + ("Diamonds are how schools of its grade and phase fared lately. " if usual else "")
            + words.plain(
                words.set_in_words(row["grade_set"], row, (store.told("train") or {}).get("coverage"))
            )
        ),
        rows.assign(chance=rows["chance"].map(words.percent), usual=rows["usual"].map(words.percent)).rename(
            columns={"usual": "schools like it"}
        ),
        f"chances-{row['urn']}",
        explain=("of 100", "schools like it", "set to reckon with"),
    )


def prospects(row: pd.Series) -> None:
    """The chances of each grade, what moved them, and the same for leadership."""
    grades(row)
    made = words.parts(row)
    start, end = float(row["base_rate"]), float(row["p_same"] if words.staying(row) else row["p_improve"])
    verb = "staying" if words.staying(row) else "improving"
    if len(made):
        step = end - start
        way = "above" if step > 0 else "below"
        title = (
            f"It stands {words.number(abs(100 * step), 0)} points {way} schools like it"
            if abs(step) >= 0.005
            else "It stands where schools like it stand"
        )
        drawn = charts.together(made)
        charts.show(
            charts.waterfall(drawn, start, end, "Schools like it", "This school"),
            title,
            (
                f"{words.parts_in_words(made)} Steps are in points of a hundred and add up from the usual "
                "rate of "
                f"{verb} "
                f"({words.percent(start)}) to this school’s chance ({words.percent(end)})."
            ),
            pd.concat(
                [
                    pd.DataFrame([{"what": "Schools like it", "points": words.percent(start, 1)}]),
                    made.assign(points=made["step"].map(words.points))[["what", "points"]],
                    pd.DataFrame([{"what": "This school", "points": words.percent(end, 1)}]),
                ]
            ),
            f"steps-{row['urn']}",
            explain=("raised and lowered", "points"),
        )
        st.caption(words.ASSOCIATION)
    if "p_leadership_1" in row and not words.blank(row["p_leadership_1"]):
        with st.expander("The chances of each next grade for leadership and management"):
            now = words.grade(row.get("leadership"))
            st.markdown(
                f"At its inspection on {words.day(row['inspected_on'])} "
                f"({words.framework(row['framework'])}) "
                "leadership "
                f"was graded {now}."
            )
            charts.table(
                pd.DataFrame(
                    {
                        "next grade": list(GRADES.values()),
                        "chance": [words.percent(row[f"p_leadership_{rank}"]) for rank in GRADES],
                    }
                )
            )


def unknown(row: pd.Series, predicted: pd.Series, held: own.Kept) -> None:
    """What the prediction was made without, and why: as stored, or from the signals where an older table
    doesn't say.
    """
    st.header("What isn’t known here", anchor=False, help=glossary.explained("not known here"))
    if words.blank(predicted.get("made_without")):
        blanks(predicted, held)
    elif without.shown(row, predicted, without.uses()):
        st.page_link("explorer/your_data.py", label="Add a register on the page “Your own data”")
    st.markdown(
        "Nor does it know anything that is in no file and no register: the school’s plans, or what it has "
        "changed since."
    )


def blanks(row: pd.Series, held: own.Kept) -> None:
    """The model's signals that are blank for a school, those of registers the visitor may not see left
    out.
    """
    values, used = store.signals_today(int(row["urn"])), without.uses()
    if values is None:
        if not words.blank(row.get("signals_blank")):
            many = int(row["signals_blank"])
            st.markdown(
                f"{many} of the {len(used) or 'model’s'} signals are blank for this school; each counts as "
                "unknown."
            )
        return
    unseen = own.hidden(held, int(row["lineage"]), values)
    blank = [
        name for name in used if name in values.index and name not in unseen and words.blank(values[name])
    ]
    if not blank:
        return
    declared = signals.declared()
    told = [
        {"signal": declared[name].sentence, "source": declared[name].source}
        for name in blank
        if name in declared
    ]
    st.markdown(
        f"{len(blank)} of the {len(used)} signals are blank for this school; each then counts as unknown, "
        "not as nought."
    )
    with st.expander(f"The {len(blank)} blank signals"):
        charts.table(pd.DataFrame(told))
        charts.download(pd.DataFrame(told), f"blank-{row['urn']}")


def reasons(names: object) -> str:
    """The signals two schools are alike in, as sentences; none made from a register, which would tell of the
    other's.
    """
    declared, unseen = signals.declared(), own.own_signals()
    told = [name.strip() for name in str(names or "").split(";")]
    kept = [name for name in told if name and name not in unseen]
    return "; ".join(declared[name].sentence.rstrip(".") if name in declared else name for name in kept)


def alike(row: pd.Series) -> pd.DataFrame:
    """The most similar schools of earlier mornings, why they are similar, and what became of them."""
    rows = store.similar(int(row["urn"]))
    if rows.empty:
        st.header("Similar schools", anchor=False)
        st.info(
            (
                "No similar schools are stored for this school. `headway score` keeps them, for schools "
                "with a "
                "prediction."
            )
            if not store.has("similar")
            else "No similar schools are stored for this school."
        )
        return rows
    told = pd.DataFrame(
        {
            "nearness": rows.get("rank"),
            "school": rows["other_urn"].map(store.names()).fillna("no longer listed"),
            "URN": rows["other_urn"],
            "as it was on": rows["other_as_of"].map(words.day),
            "similar in": rows["reasons"].map(reasons),
            "then": rows["outcome"].map(lambda word: words.LABELS.get(word, "not known")),
            "next grade": rows["next_overall"].map(words.grade),
            "inspected on": rows["next_inspected_on"].map(words.day),
            "framework": rows["next_framework"].map(words.framework),
            "how it came about": rows["label_source"].map(words.source),
        }
    )
    counts = rows["outcome"].value_counts()
    said = words.and_list([f"{counts[key]} {word}" for key, word in words.LABELS.items() if counts.get(key)])
    st.header(
        f"Of the {len(rows)} most similar schools, {said}",
        anchor=False,
        help=glossary.explained("similar schools"),
    )
    st.markdown(
        "Each is a school as it stood on an earlier morning, with the same grade then, and nearest to this "
        "one in "
        "what was "
        "known. What became of them is known; what becomes of this one is not."
    )
    with st.expander(f"The {len(rows)} schools, why they are similar and what became of them"):
        charts.table(told)
        charts.download(told, f"similar-{row['urn']}")
    return told


def page() -> None:
    urn = store.asked_urn()
    store.about("schools")
    if urn is None:
        st.title("School", anchor=False)
        st.markdown("No school is chosen yet. Find one by name, postcode, URN, trust or local authority.")
        st.page_link("explorer/find.py", label="Find a school")
        return
    row = store.school(urn)
    if row is None:
        st.title("No school with that URN", anchor=False)
        st.markdown(
            f"No school in these tables has the URN {words.plain(store.asked_for('urn'))}. A URN has six "
            "figures; a "
            "new "
            "academy gets a new one. Look for the school by name instead."
        )
        st.page_link("explorer/find.py", label="Find a school")
        return
    store.viewed(urn)
    st.title(words.plain(row["name"]), anchor=False)
    st.markdown(who(row))
    if store.about("schools").get("data_source") != "made-up":
        st.markdown(f"[Its reports at Ofsted]({OFSTED.format(urn)})")
    st.page_link("explorer/governors.py", query_params={"urn": str(urn)}, label="On one page, for governors")
    if not row["open"]:
        st.warning(
            "This school "
            f"closed{'' if words.blank(row['closed_on']) else ' by ' + words.day(row['closed_on'])}, so "
            "there is no prediction."
        )
        for other in store.some("schools", "lineage", row["lineage"]).query("open").itertuples():
            st.page_link(
                "explorer/school.py",
                query_params={"urn": str(other.urn)},
                label=f"It goes on as {words.plain(other.name)}, URN {other.urn}",
            )
    predicted = store.prediction(urn)
    card = report_card.forecast(urn) if row["open"] else pd.DataFrame()
    with st.container(border=True, key="lead"):
        st.markdown(words.plain(brief.verdict(predicted, card)))
    if predicted is not None:
        st.markdown(words.plain(brief.grade_now(row, predicted)))
        st.caption(
            f"As known on the morning of {words.day(predicted['as_of'])}, from "
            f"{words.plain(predicted['data_source'])} files; "
            f"model {words.plain(predicted['model_version'])}."
        )
        if not len(card) and report_card.comes_next() and predicted["status"] == "scored":
            st.warning(words.EXTRAPOLATION)
    shown = predicted is not None and words.enough(predicted)
    if len(card):
        report_card.shown(card, row, None if predicted is None else predicted.get("leadership"))
        report_card.alike(row, reasons)
        if shown:
            with st.expander("As a grade, if one were still given"):
                st.markdown(words.EXTRAPOLATION)
                grades(predicted)
    elif shown:
        prospects(predicted)
    inspected = history.inspections(row)
    held = own.kept()
    by_register = own.known(held, [int(row["lineage"])])
    figures = history.trends(row, by_register)
    history.by_register(row, held, by_register)
    others = alike(row) if shown or store.has("similar") else pd.DataFrame()
    if shown or len(card):
        unknown(row, predicted, held)
    earlier.shown(row)

    st.header("Take it away", anchor=False)
    st.markdown(
        "The report is what this page says, on two or three sheets. Each file holds the same figures."
    )

    yearly = {name: (history.yearly(rows), form) for name, (rows, form) in figures.items()}
    missing = [] if predicted is None else without.reasons(row, predicted, without.uses())

    def told() -> dict[str, Any]:
        return report.facts(row, predicted, inspected, yearly, others, card, missing)

    left, right = st.columns(2)
    with left:
        pdf.download("report", told, str(urn), "Report (PDF)")
        st.download_button(
            "Report to print (HTML)",
            lambda: report.html(told()),
            f"headway-{urn}.html",
            "text/html",
            on_click="ignore",
        )
    with right:
        sheets = report.sheets(row, predicted, card, inspected, yearly, others, missing)
        workbook.download(sheets, report.NOTES, f"school-{urn}", "All tables (Excel)")
        if predicted is not None:
            charts.download(report.export(row, predicted, card), f"school-{urn}", "All figures (CSV)")
    st.page_link(
        "explorer/compare.py", query_params={"urns": str(urn)}, label="Compare it with other schools"
    )
    st.page_link(
        "explorer/what_if.py", query_params={"urn": str(urn)}, label="What if something were different?"
    )
    if not words.blank(row["trust_uid"]):
        st.page_link(
            "explorer/trust.py",
            query_params={"trust": str(int(row["trust_uid"]))},
            label="The schools of its trust",
        )
    st.page_link(
        "explorer/trust.py",
        query_params={"authority": str(row["local_authority"])},
        label="The schools of its local authority",
    )


page()
