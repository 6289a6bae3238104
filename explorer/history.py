"""A school over the years: its inspections, its staff and its pupils, charted and listed. Part of its
page.
"""

import pandas as pd
import streamlit as st

from headway.explorer import charts, own, report_card, store, words
from headway.pipelines.frameworks import GRADES
from headway.pipelines.registers import KINDS, TABLES, shown
from headway.pipelines.signals.middle_leaders import FEWEST

# What is drawn over the years: table, column, name, format, and where one figure is a share of another.
TRENDS = (
    ("turnover", "stayed_fte", "Teachers who stayed a year later", ".0%", "teachers_fte"),
    (
        "turnover",
        "moved_school_fte",
        "Teachers who moved to another state-funded school",
        ".0%",
        "teachers_fte",
    ),
    ("turnover", "left_system_fte", "Teachers who left state-funded schools", ".0%", "teachers_fte"),
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
# Likewise from registers: the figure (or figures, added up), and what it is a share of.
BY_REGISTER = (
    (
        "leadership_development",
        ("in_middle_programmes",),
        "Middle leaders in a programme, by register",
        "middle_leaders",
    ),
    (
        "leadership_development",
        ("finished_still_here",),
        "Finished a programme and stayed, by register",
        "finished",
    ),
    ("staff_register", ("stayed",), "Teachers who stayed a year, by register", "teachers_a_year_before"),
    (
        "staff_register",
        ("vacant_posts", "temporarily_filled_posts"),
        "Posts vacant or filled for a time, by register",
        "posts",
    ),
    (
        "improvement_capacity",
        ("improvement_practitioners",),
        "Improvement practitioners among staff, by register",
        "staff",
    ),
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


def visits(rows: pd.DataFrame) -> pd.DataFrame:
    """The inspections as a table to read, newest first: no grade without its day, framework and how it came
    about.
    """
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
                words_: rows[name].map(
                    lambda rank: "" if words.blank(rank) else GRADES.get(int(rank), str(rank))
                )
                for name, words_ in JUDGEMENTS.items()
            },
            "known on": rows["known_on"].map(words.day),
            "URN": rows["urn"],
        }
    )
    return shown[[column for column in shown if not shown[column].eq("").all()]]


def measured(lineage: int, registers: dict[str, pd.DataFrame]) -> dict[str, tuple[pd.DataFrame, str]]:
    """Each measure the school has a figure for: `value` by `period`, with `why_blank` and `source_file`, and
    its format.
    """
    rows = {table: store.figures(table, lineage) for table in store.MEASURES}
    result = {}
    for table, column, name, form, whole in TRENDS:
        mine = rows[table]
        if mine.empty or column not in mine or mine[column].isna().all():
            continue
        value = (mine[column] / mine[whole].where(mine[whole] > 0) if whole else mine[column]).astype(
            "float64"
        )
        if value.notna().any():
            why = {"why_blank": mine.get(f"{column}_why_blank")}
            result[name] = (mine[["period", "source_file"]].assign(value=value, **why), form)
    return result | _by_register(registers)


def _by_register(registers: dict[str, pd.DataFrame]) -> dict[str, tuple[pd.DataFrame, str]]:
    """The same from registers, the newest row of each academic year; a share of fewer than three people is
    none.
    """
    result = {}
    for table, columns, name, whole in BY_REGISTER:
        if table not in registers:
            continue
        rows = registers[table].sort_values("counted_on")
        rows = rows.assign(period=rows["counted_on"].dt.year + rows["counted_on"].dt.month.ge(9).astype(int))
        rows = rows.drop_duplicates("period", keep="last")
        value = rows[list(columns)].sum(axis=1, skipna=False) / rows[whole].where(rows[whole] >= FEWEST)
        source = rows["owner"].map("register of {}".format)
        if value.notna().any():
            why = value.isna().map({True: "blank in the register, or too few to say", False: None})
            result[name] = (rows[["period"]].assign(source_file=source, value=value, why_blank=why), ".0%")
    return result


def by_register(row: pd.Series, held: own.Kept, registers: dict[str, pd.DataFrame]) -> None:
    """The newest row of each register that the visitor may see; nothing where there is none."""
    if not registers:
        own.trouble(held)
        return
    st.header("From its own registers", anchor=False)
    st.markdown("As last counted. Only who may see the register sees this.")
    for table, rows in registers.items():
        kind = next(kind for kind in KINDS.values() if kind.table == table)
        last = rows.sort_values("counted_on").iloc[-1]
        told = {
            column.name: column.sentence.removesuffix(" One or two people stand as 1.5.")
            for column in TABLES[table].columns
        }
        yes_no = {cell.name for cell in kind.own if cell.holds == "yes_no"}
        figures = [
            (told[name], _told(last[name], name in kind.people, name in yes_no))
            for name in told
            if name not in ("urn", "lineage", "owner", "counted_on", "known_on")
        ]
        made = pd.DataFrame(figures, columns=["what", "figure"])
        title = f"{kind.name.replace('-', ' ').capitalize()}, counted on {words.day(last['counted_on'])}"
        with st.expander(f"{title}: by {words.plain(own.named(last['owner']))}"):
            charts.table(made)
            charts.download(made, f"{kind.name}-{row['urn']}")


def _told(value: float, people: bool, yes_no: bool) -> str:
    if people:
        return shown(value)
    if yes_no and not words.blank(value):
        return "yes" if value > 0.5 else "no"
    return "not known" if words.blank(value) else f"{value:g}"


def yearly(rows: pd.DataFrame) -> pd.DataFrame:
    """A measure's years with their values, years without a figure kept as gaps that say why."""
    years = range(int(rows["period"].min()), int(rows["period"].max()) + 1)
    made = rows.set_index("period").reindex(years).rename_axis("period").reset_index()
    unsaid = made["value"].isna() & made["why_blank"].isna()
    return pd.DataFrame(
        {
            "year": made["period"].map(words.academic_year),
            "value": made["value"],
            "why blank": made["why_blank"].mask(unsaid, "no file for this year"),
            "file": made["source_file"],
        }
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
    before = under_others(row, rows)
    if len(graded):
        latest = graded.iloc[0]
        many = "s" if len(graded) > 1 else ""
        title = (
            f"{len(graded)} graded inspection{many} on record, the latest on "
            f"{words.day(latest['inspected_on'])}"
        )
        charts.show(
            charts.history(graded),
            title,
            f"Latest: {words.plain(words.grade_in_full(latest))}. Upright lines mark a change of framework, "
            "and the "
            "shaded stretches are pauses in inspections. Grades under different frameworks aren’t quite the "
            "same "
            f"thing.{before}",
            listed,
            f"inspections-{row['urn']}",
        )
    else:
        st.header("Inspections", anchor=False)
        st.markdown(f"No overall grade is on record.{before}")
        charts.table(listed)
        charts.download(listed, f"inspections-{row['urn']}")
    given = report_card.cards(int(row["lineage"]))
    if len(given):
        st.markdown(f"### {len(given)} report card{'s' if len(given) > 1 else ''}, all areas", anchors=False)
        charts.table(given)
        charts.download(given, f"report-cards-{row['urn']}")
    return rows


def under_others(row: pd.Series, rows: pd.DataFrame) -> str:
    """Under which other URNs a school was inspected, before it had its own and after: renumbered, it is
    followed.
    """
    others = rows[rows["urn"].ne(row["urn"])]
    after = others["urn"].isin(later_urns(row))
    parts = []
    for which, mine in (("an earlier", others[~after]), ("a later", others[after])):
        if len(mine):
            few = "one was" if len(mine) == 1 else f"{len(mine)} were"
            parts.append(
                f"{few} made under {which} URN "
                f"({words.and_list([str(urn) for urn in sorted(set(mine['urn']))])})"
            )
    if not parts:
        return ""
    return (
        f" Of its {len(rows)} inspections {words.and_list(parts)}: a school is followed when it becomes "
        "an academy."
    )


def later_urns(row: pd.Series) -> set[int]:
    """The URNs that a school went on under once this one had ended: those that ended after it, or are
    open.
    """
    if row["open"]:
        return set()
    same = store.some("schools", "lineage", int(row["lineage"]))
    same = same[same["urn"].ne(row["urn"])]
    return set(same.loc[same["open"] | same["closed_on"].gt(row["closed_on"]), "urn"])


def trends(row: pd.Series, registers: dict[str, pd.DataFrame]) -> dict[str, tuple[pd.DataFrame, str]]:
    result = measured(int(row["lineage"]), registers)
    if not result:
        st.header("Staff and pupils over the years", anchor=False)
        st.info(
            "The files read hold no staff or pupil figures for this school: they may be suppressed, not "
            "supplied, or "
            "not "
            "among the files. A blank is not a nought."
        )
        return result
    missing = not any(
        name in result for table, _, name, _, _ in TRENDS if table != "census" and table != "absence"
    )
    names = list(result)
    asked = st.query_params.get("measure")
    name = st.selectbox(
        "Staff and pupils over the years: choose a figure",
        names,
        index=names.index(asked) if asked in names else 0,
        key=f"measure_{row['urn']}",
    )
    if name != names[0] or asked:
        st.query_params["measure"] = name
    made, form = yearly(result[name][0]), result[name][1]
    known = made.dropna(subset=["value"])
    first, last = known.iloc[0], known.iloc[-1]
    way = (
        "rose"
        if last["value"] > first["value"]
        else "fell"
        if last["value"] < first["value"]
        else "were the same"
    )
    title = (
        f"{words.plain(name)}: {format(first['value'], form)} in {first['year']}, "
        f"{format(last['value'], form)} in "
        f"{last['year']}"
        if len(known) > 1
        else f"{words.plain(name)}: {format(last['value'], form)} in {last['year']}"
    )
    if len(known) == 1:
        st.header(title, anchor=False)
        st.markdown(f"It is the only year with a figure in the files read ({words.plain(last['file'])}).")
        return _and_staff(result, missing)
    gaps = int(made["value"].isna().sum())
    charts.show(
        charts.trend(made, form),
        title,
        f"The figures {way} between the first and the last year known. "
        + (
            f"{gaps} year{'s have' if gaps > 1 else ' has'} no figure, and the table says why. "
            if gaps
            else ""
        )
        + "What the Department counts has changed over the years, so compare with care.",
        made,
        f"{name}-{row['urn']}",
    )
    return _and_staff(result, missing)


def _and_staff(
    found: dict[str, tuple[pd.DataFrame, str]], missing: bool
) -> dict[str, tuple[pd.DataFrame, str]]:
    if missing:
        st.info(
            "There are no staff figures for this school in the files read: suppressed, not supplied, or not "
            "among "
            "the files."
        )
    return found
