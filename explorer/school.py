"""One school: a sentence first, then the chances, what raised and lowered them, and everything known behind them."""

import pandas as pd
import streamlit as st

from explorer import charts, report, store, words
from pipelines import signals
from pipelines.frameworks import GRADES

# What is drawn over the years: table, column, name, format, and where one figure is a share of another.
TRENDS = (
    ("turnover", "stayed_fte", "Teachers who stayed a year later", ".0%", "teachers_fte"),
    ("workforce", "pupils_per_teacher", "Pupils for each teacher", ".1f", None),
    ("workforce", "teachers_fte", "Teachers, full-time equivalent", ".1f", None),
    ("workforce", "assistants_fte", "Teaching assistants, full-time equivalent", ".1f", None),
    ("workforce", "mean_salary", "Mean salary of teachers, pounds", ",.0f", None),
    ("posts", "assistant_heads_fte", "Assistant heads for each teacher", ".2f", "teachers_fte"),
    ("posts", "leaders_fte", "Teachers in the leadership group", ".0%", "teachers_fte"),
    ("vacancies", "share_vacant", "Teaching posts vacant", ".1%", None),
    ("sickness", "mean_days_all_teachers", "Days lost to sickness for each teacher", ".1f", None),
    ("census", "pupils", "Pupils on roll", ",.0f", None),
    ("census", "share_fsm_ever", "Pupils eligible for free meals in the last six years", ".0%", None),
    ("census", "share_eal", "Pupils whose first language isn’t English", ".0%", None),
    ("absence", "share_absence", "Sessions missed", ".1%", None),
)
JUDGEMENTS = {
    "leadership": "Leadership",
    "quality_of_education": "Quality of education",
    "teaching": "Teaching",
    "achievement": "Achievement",
    "behaviour": "Behaviour",
    "personal_development": "Personal development",
    "early_years": "Early years",
    "sixth_form": "Sixth form",
}


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


def visits(rows: pd.DataFrame) -> pd.DataFrame:
    """The inspections as a table to read, newest first: no grade without its day, framework and how it came about."""
    shown = pd.DataFrame(
        {
            "inspected on": rows["inspected_on"].map(words.day),
            "kind": rows["kind"],
            "overall": [
                words.grade(rank, day) if kind == "graded" else ""
                for rank, day, kind in zip(rows["overall"], rows["inspected_on"], rows["kind"], strict=True)
            ],
            "framework": rows["framework"].map(words.framework),
            "how it came about": [
                words.source(name) if kind == "graded" else ""
                for name, kind in zip(rows["overall_source"], rows["kind"], strict=True)
            ],
            "outcome": rows["ungraded_outcome"].map(lambda value: "" if words.blank(value) else value),
            "category of concern": rows["category"].map(lambda value: "" if words.blank(value) else value),
            **{
                words_: rows[name].map(lambda rank: "" if words.blank(rank) else GRADES.get(int(rank), str(rank)))
                for name, words_ in JUDGEMENTS.items()
            },
            "known on": rows["known_on"].map(words.day),
            "URN": rows["urn"],
        }
    )
    return shown[[column for column in shown if not shown[column].eq("").all()]]


def yearly(lineage: int) -> dict[str, tuple[pd.DataFrame, str]]:
    """Each measure the school has a figure for: its years with their values (gaps kept) and its format."""
    found = {}
    for table, column, name, form, whole in TRENDS:
        rows = store.figures(table, lineage)
        if rows.empty or column not in rows or rows[column].isna().all():
            continue
        value = rows[column] / rows[whole].where(rows[whole] > 0) if whole else rows[column]
        if value.isna().all():
            continue
        made = pd.DataFrame(
            {
                "period": rows["period"],
                "value": value.astype("float64"),
                "why blank": rows.get(f"{column}_why_blank"),
                "file": rows["source_file"],
            }
        )
        years = range(int(made["period"].min()), int(made["period"].max()) + 1)
        made = made.set_index("period").reindex(years).rename_axis("period").reset_index()
        made["why blank"] = made["why blank"].mask(
            made["value"].isna() & made["why blank"].isna(), "no file for this year"
        )
        made.insert(0, "year", made["period"].map(words.academic_year))
        found[name] = (made.drop(columns="period"), form)
    return found


def prospects(row: pd.Series) -> None:
    """The chances of each grade, what moved them, and the same for leadership."""
    usual = store.usual_chances(row)
    rows = pd.DataFrame(
        {
            "grade": [GRADES[rank] for rank in GRADES],
            "chance": [row[f"p_grade_{rank}"] for rank in GRADES],
            "usual": usual or [None] * 4,
        }
    ).astype({"chance": "float64", "usual": "float64"})
    likeliest = rows.loc[rows["chance"].idxmax()]
    charts.show(
        charts.chances(rows),
        f"The likeliest next grade is {likeliest['grade']}, at {words.percent(likeliest['chance'])}",
        (
            "Bars are this school’s chances. "
            + ("Diamonds are how schools of its grade and phase fared lately. " if usual else "")
            + f"The next grade falls in “{words.grades(row['grade_set'])}” nine times in ten."
        ),
        rows.rename(columns={"chance": "chance (0 to 1)", "usual": "schools like it (0 to 1)"}),
        f"chances-{row['urn']}",
    )

    made = words.parts(row)
    start, end = float(row["base_rate"]), words.chance(row)
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
                f"{words.parts_in_words(made)} Steps are in points of a hundred and add up from the usual rate of "
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
        )
        st.caption(words.ASSOCIATION)
    if "p_leadership_1" in row and not words.blank(row["p_leadership_1"]):
        with st.expander("The chances of each next grade for leadership and management"):
            now = words.grade(row.get("leadership"))
            st.markdown(
                f"At its inspection on {words.day(row['inspected_on'])} ({words.framework(row['framework'])}) "
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


def without(row: pd.Series) -> None:
    """What the prediction was made without."""
    st.header("What the prediction was made without", anchor=False)
    told = store.told("train") or {}
    absent = told.get("signals_blank", [])
    declared = signals.declared()
    values = store.signals_today(int(row["urn"]))
    model = store.champion()
    uses = model.signals if model is not None else told.get("signals", [])
    if values is not None:
        blank = [name for name in uses if name in values.index and words.blank(values[name])]
    if values is not None and blank:
        families = signals.family_of()
        st.markdown(
            f"{len(blank)} of the {len(uses)} signals are blank for this school; each then counts as unknown, not as "
            "nought."
        )
        rows = pd.DataFrame(
            [
                {
                    "signal": declared[name].sentence if name in declared else name,
                    "family": words.FAMILIES.get(families.get(name, ""), ""),
                    "source": declared[name].source if name in declared else "",
                }
                for name in blank
            ]
        )
        with st.expander(f"The {len(blank)} blank signals"):
            charts.table(rows)
            charts.download(rows, f"blank-{row['urn']}")
    elif not words.blank(row.get("signals_blank")):
        st.markdown(
            f"{int(row['signals_blank'])} of the {len(uses) or 'model’s'} signals are blank for this school (in most "
            "cases because "
            "they are about another phase, or no file gave them); each then counts as unknown, not as nought."
        )
    if absent:
        with st.expander(f"{len(absent)} signals that the files hold for no school"):
            charts.table(
                pd.DataFrame(
                    [
                        {
                            "signal": declared[name].sentence if name in declared else name,
                            "source": declared[name].source if name in declared else "",
                        }
                        for name in absent
                    ]
                )
            )
    st.markdown(
        "Nor does it know anything that is not public: the school’s own plans, its staff, or what it has changed since."
    )


def inspections(row: pd.Series) -> pd.DataFrame:
    """The history of inspections, charted and listed."""
    rows = store.inspections(int(row["lineage"]))
    if rows.empty:
        st.header("Inspections", anchor=False)
        st.info("No inspection of this school is in the files read.")
        return rows
    graded = rows[rows["kind"].eq("graded") & rows["overall"].notna()]
    listed = visits(rows)
    urns = rows.loc[rows["urn"].ne(row["urn"]), "urn"].unique()
    before = (
        f" Some were made under an earlier URN ({words.and_list([str(urn) for urn in urns])}): schools are followed "
        "when they become academies."
        if len(urns)
        else ""
    )
    if len(graded):
        latest = graded.iloc[0]
        many = "s" if len(graded) > 1 else ""
        title = f"{len(graded)} graded inspection{many} on record, the latest on {words.day(latest['inspected_on'])}"
        charts.show(
            charts.history(graded),
            title,
            f"Latest: {words.plain(words.grade_in_full(latest))}. Upright lines mark a change of rule-book, and the "
            "shaded stretch is the pause of 2020–21. Grades under different rule-books aren’t quite the same "
            f"thing.{before}",
            listed,
            f"inspections-{row['urn']}",
        )
    else:
        st.header("Inspections", anchor=False)
        st.markdown(f"No graded inspection is on record.{before}")
        charts.table(listed)
        charts.download(listed, f"inspections-{row['urn']}")
    return rows


def trends(row: pd.Series) -> dict[str, tuple[pd.DataFrame, str]]:
    found = yearly(int(row["lineage"]))
    if not found:
        st.header("Staff and pupils over the years", anchor=False)
        st.info(
            "The files read hold no staff or pupil figures for this school: they may be suppressed, not supplied, or "
            "not "
            "among the files. A blank is not a nought."
        )
        return found
    missing = not any(name in found for table, _, name, _, _ in TRENDS if table != "census" and table != "absence")
    names = list(found)
    asked = st.query_params.get("measure")
    name = st.selectbox(
        "Staff and pupils over the years: choose a figure",
        names,
        index=names.index(asked) if asked in names else 0,
        key=f"measure_{row['urn']}",
    )
    if name != names[0] or asked:
        st.query_params["measure"] = name
    made, form = found[name]
    known = made.dropna(subset=["value"])
    first, last = known.iloc[0], known.iloc[-1]
    way = "rose" if last["value"] > first["value"] else "fell" if last["value"] < first["value"] else "were the same"
    title = (
        f"{words.plain(name)}: {format(first['value'], form)} in {first['year']}, {format(last['value'], form)} in "
        f"{last['year']}"
        if len(known) > 1
        else f"{words.plain(name)}: {format(last['value'], form)} in {last['year']}"
    )
    if len(known) == 1:
        st.header(title, anchor=False)
        st.markdown(f"It is the only year with a figure in the files read ({words.plain(last['file'])}).")
        return _and_staff(found, missing)
    gaps = int(made["value"].isna().sum())
    charts.show(
        charts.trend(made, form),
        title,
        f"The figures {way} between the first and the last year known. "
        + (f"{gaps} year{'s have' if gaps > 1 else ' has'} no figure, and the table says why. " if gaps else "")
        + "What the Department counts has changed over the years, so compare with care.",
        made,
        f"{name}-{row['urn']}",
    )
    return _and_staff(found, missing)


def _and_staff(found: dict[str, tuple[pd.DataFrame, str]], missing: bool) -> dict[str, tuple[pd.DataFrame, str]]:
    if missing:
        st.info(
            "There are no staff figures for this school in the files read: suppressed, not supplied, or not among "
            "the files."
        )
    return found


def reasons(names: object) -> str:
    """The signals two schools are alike in, as sentences rather than names."""
    declared = signals.declared()
    told = [name.strip() for name in str(names or "").split(";")]
    return "; ".join(declared[name].sentence.rstrip(".") if name in declared else name for name in told if name)


def alike(row: pd.Series) -> pd.DataFrame:
    """The most similar schools of earlier mornings, why they are similar, and what became of them."""
    rows = store.similar(int(row["urn"]))
    if rows.empty:
        st.header("Similar schools", anchor=False)
        st.info(
            "No similar schools are stored for this school. `headway score` keeps them, for schools with a prediction."
            if not store.has("similar")
            else "No similar schools are stored for this school."
        )
        return rows
    names = store.schools().drop_duplicates("urn").set_index("urn")["name"]
    told = pd.DataFrame(
        {
            "nearness": rows.get("rank"),
            "school": rows["other_urn"].map(names).fillna("no longer listed"),
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
    st.header(f"Of the {len(rows)} most similar schools, {said}", anchor=False)
    st.markdown(
        "Each is a school as it stood on an earlier morning, with the same grade then, and nearest to this one in "
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
            f"No school in these tables has the URN {words.plain(store.asked_for('urn'))}. A URN has six figures; a "
            "new "
            "academy gets a new one. Look for the school by name instead."
        )
        st.page_link("explorer/find.py", label="Find a school")
        return
    store.viewed(urn)
    st.title(words.plain(row["name"]), anchor=False)
    st.markdown(who(row))
    if not row["open"]:
        st.warning(
            f"This school closed{'' if words.blank(row['closed_on']) else ' by ' + words.day(row['closed_on'])}, so "
            "there is no prediction."
        )
        for other in store.some("schools", "lineage", row["lineage"]).query("open").itertuples():
            st.page_link(
                "explorer/school.py",
                query_params={"urn": str(other.urn)},
                label=f"It goes on as {words.plain(other.name)}, URN {other.urn}",
            )
    predicted = store.prediction(urn)
    with st.container(border=True, key="lead"):
        if predicted is not None:
            st.markdown(words.plain(words.lead(predicted)))
        elif not store.has("predictions"):
            st.markdown(
                "No predictions are among the tables yet: `headway score` makes them. What is known of the school is "
                "below."
            )
        else:
            st.markdown("There is no prediction for this school. What is known of it is below.")
    if predicted is not None:
        st.markdown(f"Its grade now: {words.plain(words.grade_in_full(predicted))}.")
        st.caption(
            f"As known on the morning of {words.day(predicted['as_of'])}, from "
            f"{words.plain(predicted['data_source'])} files; "
            f"model {words.plain(predicted['model_version'])}."
        )
        if bool(predicted.get("extrapolation")) and predicted["status"] == "scored":
            st.warning(words.EXTRAPOLATION)
    shown = predicted is not None and words.enough(predicted)
    if shown:
        prospects(predicted)
    history = inspections(row)
    yearly_figures = trends(row)
    others = alike(row) if shown or store.has("similar") else pd.DataFrame()
    if shown:
        without(predicted)

    st.header("Take it away", anchor=False)
    st.markdown(
        "The report is one file that opens anywhere, two pages when printed; a browser’s print menu makes a PDF of it."
    )
    left, right = st.columns(2)
    with left:
        st.download_button(
            "Report to print (HTML)",
            report.html(row, predicted, history, yearly_figures, others),
            f"headway-{urn}.html",
            "text/html",
            on_click="ignore",
        )
    with right:
        if predicted is not None:
            charts.download(report.export(row, predicted), f"school-{urn}", "All figures (CSV)")
    st.page_link("explorer/compare.py", query_params={"urns": str(urn)}, label="Compare it with other schools")
    st.page_link("explorer/what_if.py", query_params={"urn": str(urn)}, label="What if something were different?")
    if not words.blank(row["trust_uid"]):
        st.page_link(
            "explorer/trust.py", query_params={"trust": str(int(row["trust_uid"]))}, label="The schools of its trust"
        )
    st.page_link(
        "explorer/trust.py",
        query_params={"authority": str(row["local_authority"])},
        label="The schools of its local authority",
    )


page()
