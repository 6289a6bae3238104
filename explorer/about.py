"""What the explorer can't tell you, where its figures come from, and what every column means."""

import pandas as pd
import streamlit as st

from explorer import charts, store, words
from pipelines.tables import TABLES, DataError

CANNOT = (
    "**When inspectors will come.** Nothing here guesses at a date.",
    "**What would happen if a school changed something.** The figures are patterns among schools inspected before, "
    "not effects.",
    "**Whether a school is good.** A chance of improving says where a school stands before an inspection, not how "
    "well it teaches.",
    "**Which of two schools is better.** Chances of schools with different grades answer different questions; there "
    "is no league table here.",
    "**Much about middle leaders.** No public file says who was developed; posts and vacancies are the nearest there "
    "is.",
    "**What report cards will bring.** Since November 2025 inspections give no overall grade, and few report cards "
    "can be learned from yet.",
    "**Anything the inspectors see.** Inspectors agree with each other most of the time, not always: part of every "
    "outcome is chance.",
)
LICENCE = (
    "Contains public sector information licensed under the "
    "[Open Government Licence v3.0](https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/). "
    "The official files are published by Ofsted and the Department for Education. The program itself is under the "
    "MIT licence."
)


def record(told: dict | None) -> pd.DataFrame:
    """The algorithmic transparency record in short, from the training report."""
    told = told or {}
    means = {row["model"]: row for row in told.get("means", [])}
    mine = means.get("champion", {})
    skill = (
        f"; Brier skill {words.percent(mine['skill'], 1)} over the rate of grade and phase, mean over folds"
        if mine
        else ""
    )
    return pd.DataFrame(
        [
            (
                "What it is",
                "A chance, for each open state-funded school in England, that its next graded inspection is better, "
                "the same or worse.",
            ),
            (
                "What it is for",
                "People who lead schools and trusts, to see how schools like theirs fared and what is known of their "
                "own.",
            ),
            (
                "What it must not be used for",
                "Judging, ranking or paying people; deciding where to send inspectors; publishing league tables.",
            ),
            (
                "Who decides",
                "A person. Nothing is decided by the figure, and every figure comes with what it was made from and "
                "without.",
            ),
            (
                "How it works",
                "The recent rate of schools of the same grade and phase, moved by what was publicly known of the "
                "school that morning "
                "(a penalised regression and boosted trees, averaged).",
            ),
            (
                "What it learned from",
                f"Official files known before {words.day(told.get('as_of'))}; {len(told.get('signals', []))} "
                f"signals; model {told.get('model_version', 'not known')}{skill}.",
            ),
            ("Whose data", "Schools, not people: no pupil, parent or member of staff is described."),
            (
                "Known weaknesses",
                "Levels of improvement move between years by more than the order of schools does; see “How good is "
                "this?”.",
            ),
            (
                "Checked how",
                "On inspections that came after everything the model had learned from, against plain rules, and by "
                "phase, "
                "deprivation, region and type.",
            ),
        ],
        columns=["question", "answer"],
    )


def dictionary(name: str) -> pd.DataFrame:
    """A table's columns and what they mean, as declared; those on disk beyond the declaration are signals."""
    declared = pd.DataFrame(
        [(column.name, column.dtype, column.sentence) for column in TABLES[name].columns],
        columns=["column", "type", "meaning"],
    )
    try:
        extra = [column for column in store.types_of(name) if column not in set(declared["column"])]
    except DataError:
        extra = []
    if not extra:
        return declared
    from pipelines import signals

    told = signals.declared()
    types = store.types_of(name)
    more = [
        (column, types[column], told[column].sentence if column in told else EXTRA.get(column, _contribution(column)))
        for column in extra
    ]
    return pd.concat([declared, pd.DataFrame(more, columns=declared.columns)], ignore_index=True)


EXTRA = {
    "p_stay": "At Outstanding, the chance of staying.",
    "p_low": "Low end of the 90% interval of the chance.",
    "p_high": "High end of the 90% interval of the chance.",
    "like_it": "Outcomes of its grade and phase learned from.",
    "enough_like_it": "Whether those are enough to say anything.",
    "extrapolation": "Whether the next inspection is under a rule-book not learned from.",
    "signals_blank": "Signals of the model that are blank for this school.",
    "leadership": "Its leadership grade, from the same inspection.",
    "phase": "Its phase, as known that morning.",
    "set_covers": "Whether the grade set held the grade that came.",
}


def _contribution(column: str) -> str:
    family = column.removeprefix("contribution_")
    if family != column:
        return f"What “{words.FAMILIES.get(family, family)}” adds to the recent rate, as a share."
    return (
        "Kept for checking."
        if not column.startswith("p_leadership")
        else f"Chance that the next leadership grade is {column[-1]}."
    )


def page() -> None:
    st.title("About", anchor=False)
    st.markdown(
        "Headway shows how likely schools are to improve at their next graded inspection, given what was publicly "
        "known, and how far such a figure can be trusted. It is for people who lead schools and trusts. Every figure "
        "was worked out and stored beforehand; these pages only show it."
    )
    st.header("What it can’t tell you", anchor=False)
    st.markdown("\n".join(f"- {line}" for line in CANNOT))

    st.header("Where the figures come from", anchor=False)
    told, read = store.told("train"), store.told("ingest")
    if read:
        files = pd.DataFrame(
            [
                {
                    "file": one.get("file"),
                    "read as": one.get("release"),
                    "dated": one.get("dated") or "no date",
                    "rows read": one.get("rows_read"),
                    "rows kept": one.get("rows_kept"),
                }
                for one in read.get("files", [])
            ]
        )
        st.markdown(
            f"{len(files)} {words.plain(read.get('data_source', ''))} files were read, the newest of "
            f"{words.day(read.get('newest_file_on'))}."
        )
        with st.expander("Every file read"):
            charts.table(files)
            charts.download(files, "files")
    else:
        st.info("The report of the files read (ingest.json) isn’t among the tables; `headway ingest` writes it.")

    st.header("Transparency record", anchor=False)
    st.markdown("In short, in the order of the Algorithmic Transparency Recording Standard.")
    rows = record(told)
    charts.table(rows)
    charts.download(rows, "transparency-record")
    for path in sorted(store.folder().glob("*.md")):
        with st.expander(f"In full: {path.stem.replace('_', ' ').replace('-', ' ')}"):
            st.code(path.read_text(encoding="utf-8", errors="replace"), language=None, wrap_lines=True)

    st.header("Data dictionary", anchor=False)
    names = sorted(TABLES)
    name = st.selectbox("Table", names, index=names.index("predictions"), key="table", bind="query-params")
    meanings = dictionary(name)
    st.markdown(
        f"One row of **{words.plain(name)}** is {words.plain(TABLES[name].row)}, told apart by "
        f"{words.plain(words.and_list(list(TABLES[name].key)))}."
    )
    charts.table(meanings)
    charts.download(meanings, f"dictionary-{name}")

    st.header("Licence", anchor=False)
    st.markdown(LICENCE)


page()
