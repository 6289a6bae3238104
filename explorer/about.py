"""What the explorer can't tell you, where its figures come from, and what every column means."""

import pandas as pd
import streamlit as st

from headway.explorer import charts, store, words
from headway.pipelines import registers, tables
from headway.pipelines.frameworks import GRADES
from headway.pipelines.tables import DataError

CANNOT = (
    "**When inspectors will come.** Nothing here guesses at a date.",
    "**What would happen if a school changed something.** The figures are patterns among schools inspected "
    "before, "
    "not effects.",
    "**Whether a school is good.** A chance of improving says where a school stands before an inspection, "
    "not how "
    "well it teaches.",
    "**Which of two schools is better.** Chances of schools with different grades answer different "
    "questions; there "
    "is no league table here.",
    "**Much about middle leaders.** No public file says who was developed; a school’s or trust’s own "
    "register does, for "
    "its own schools.",
    "**What report cards will bring.** Since November 2025 inspections give no overall grade, and few "
    "report cards "
    "can be learned from yet.",
    "**Anything the inspectors see.** Inspectors agree with each other most of the time, not always: part "
    "of every "
    "outcome is chance.",
)
LICENCE = (
    "Contains public sector information licensed under the "
    "[Open Government Licence "
    "v3.0](https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/). "
    "The official files are published by Ofsted and the Department for Education. The program itself is "
    "under the "
    "MIT licence."
)


CARDS = {
    "model-card": "Model card",
    "transparency-record": "Transparency record",
    "checklist": "TRIPOD+AI checklist",
}


def cards() -> None:
    """The pages that `headway cards` wrote from the last run, each to read here or to take away."""
    st.header("The full record", anchor=False)
    there = {
        name: title for name, title in CARDS.items() if (store.folder() / "cards" / f"{name}.md").is_file()
    }
    if there:
        st.markdown("As written by `headway cards` from the run’s own files, nothing typed.")
    else:
        st.info(
            "The model card, the algorithmic transparency record and the TRIPOD+AI checklist aren’t among "
            "the tables yet: "
            "`headway cards` writes them, after `headway train` and `headway score`."
        )
    for name, title in there.items():
        path = store.folder() / "cards" / f"{name}.md"
        with st.expander(title):
            page = path.with_suffix(".html")
            if page.is_file():
                st.download_button(
                    f"{title} to keep (HTML)",
                    page.read_bytes,
                    page.name,
                    "text/html",
                    key=page.name,
                    on_click="ignore",
                )
            st.markdown(words.quiet(path.read_text(encoding="utf-8", errors="replace")))


TABLES = {**tables.TABLES, **registers.TABLES}  # registers are read where they lie, in the same columns


def dictionary(name: str) -> pd.DataFrame:
    """A table's columns and what they mean, as declared; those on disk beyond the declaration are signals."""
    declared = pd.DataFrame(
        [(column.name, column.sentence, column.dtype) for column in TABLES[name].columns],
        columns=["column", "meaning", "type"],
    )
    try:
        extra = [column for column in store.types_of(name) if column not in set(declared["column"])]
    except DataError:
        extra = []
    if not extra:
        return declared
    from headway.pipelines import signals

    told = signals.declared()
    types = store.types_of(name)
    more = [
        (
            column,
            told[column].sentence if column in told else EXTRA.get(column, _contribution(column)),
            types[column],
        )
        for column in extra
    ]
    return pd.concat([declared, pd.DataFrame(more, columns=declared.columns)], ignore_index=True)


EXTRA = {
    "p_stay": "At Outstanding, the chance of staying.",
    "p_low": "Low end of the 90% interval of the chance.",
    "p_high": "High end of the 90% interval of the chance.",
    **{
        f"usual_grade_{rank}": f"Share of schools of its grade and phase that next came out {rank}, lately."
        for rank in GRADES
    },
    "like_it": "Outcomes of its grade and phase learned from.",
    "enough_like_it": "Whether those are enough to say anything.",
    "extrapolation": "Whether the next inspection is under a framework not learned from.",
    "signals_blank": "Signals of the model that are not known of this school.",
    "leadership": "Its leadership grade, from the same inspection.",
    "phase": "Its phase, as known that morning.",
    "set_covers": "Whether the set of grades held the grade that came.",
}


def _contribution(column: str) -> str:
    family = column.removeprefix("contribution_")
    if family != column:
        if family == "unknown":
            return (
                "What all that isn’t known of it adds to the recent rate, as a share: of no family, and "
                "no reason."
            )
        return f"What is known of “{words.FAMILIES.get(family, family)}” adds to the recent rate, as a share."
    return (
        "Kept for checking."
        if not column.startswith("p_leadership")
        else f"Chance that the next leadership grade is {column[-1]}."
    )


def page() -> None:
    st.title("About", anchor=False)
    st.markdown(
        "Headway shows how likely schools are to improve at their next graded inspection, given what was "
        "publicly "
        "known, and how far such a figure can be trusted. It is for people who lead schools and trusts. "
        "Every figure "
        "was worked out and stored beforehand; these pages only show it."
    )
    st.header("What it can’t tell you", anchor=False)
    st.markdown("\n".join(f"- {line}" for line in CANNOT))

    st.header("Where the figures come from", anchor=False)
    read = store.told("ingest")
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
        st.info(
            "The report of the files read (ingest.json) isn’t among the tables; `headway ingest` writes it."
        )

    cards()

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
