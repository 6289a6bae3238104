"""What a school or trust adds of its own: an empty register, a check of a filled one, what it would add, and
keeping it.
"""

import pandas as pd
import streamlit as st

from headway.explorer import access, charts, own, store, words
from headway.pipelines import registers, signals
from headway.pipelines.tables import DataError

MEGABYTES = registers.MOST_BYTES // 1_000_000
MOST_SHOWN = 60  # schools whose figures are listed one by one
ENOUGH = 30  # schools in England with a figure, below which its spread would say something of a few
# What the public files say of the same thing; a spread of other owners' registers is theirs.
PUBLIC = {"stayed_by_register": "share_stayed", "vacant_by_register": "share_vacant"}


def problems_told(problems: list[registers.Problem]) -> pd.DataFrame:
    """Every problem, a row each: where, what is wrong and what to do."""
    return pd.DataFrame(
        [
            {
                "row": "" if one.row is None else str(one.row),
                "column": one.column,
                "cell": "not shown" if one.value == "hidden" else one.value,
                "what is wrong": one.wrong,
                "what to do": one.do,
            }
            for one in problems
        ]
    )


def checked(content: bytes, name: str, key: str) -> registers.Checked:
    """The file just uploaded, checked once; the result is this visit's alone."""
    at = (key, store.stamp(store.path("schools")), store.today())
    if st.session_state.get("checked", (None,))[0] != at:
        schools, trusts = (own.schools(), own.trusts()) if store.has("schools") else (None, None)
        st.session_state["checked"] = (
            at,
            registers.check(content, name, schools, store.today(), trusts=trusts),
        )
    return st.session_state["checked"][1]


def make() -> None:
    """An empty register of a kind, and how to fill it in."""
    st.header("Make a register", anchor=False)
    kind = st.radio(
        "Which kind", list(registers.KINDS), format_func=lambda kind: _of(registers.KINDS[kind]), key="kind"
    )
    st.download_button(
        "Empty register (CSV)",
        registers.template(kind),
        f"{kind}.csv",
        "text/csv",
        on_click="ignore",
    )
    with st.expander("How to fill it in, column by column"):
        told = registers.KINDS[kind]
        st.markdown(
            "One row is one school on the day counted. Add a row each time you count; keep the earlier rows."
        )
        columns = [(cell.name, cell.sentence, cell.example, cell.allowed) for cell in told.columns]
        charts.table(pd.DataFrame(columns, columns=["column", "what it is", "example", "what is allowed"]))
        st.markdown(registers.guide(kind).partition("## Rules")[2])
        st.download_button(
            "This guide (Markdown)",
            registers.guide(kind),
            f"{kind}-guide.md",
            "text/markdown",
            on_click="ignore",
        )


def _of(kind: registers.Kind) -> str:
    return f"{kind.name.replace('-', ' ').capitalize()}: {kind.about}"


def check(held: own.Kept) -> None:
    """A filled register: its problems, or what it would add and the offer to keep it."""
    st.header("Check a filled one", anchor=False)
    st.markdown(
        "It is checked in this visit and stored nowhere unless you then ask for it. "
        f"It must be CSV, of at most {MEGABYTES} MB and {registers.MOST_ROWS:,} rows."
    )
    file = st.file_uploader("A filled register (CSV)", type="csv", max_upload_size=MEGABYTES, key="register")
    if file is None:
        st.session_state.pop("checked", None)
        return
    content = file.getvalue()
    result = checked(content, "This file", file.file_id)
    if result.problems:
        wrong = problems_told(result.problems)
        many = f"{len(wrong):,} problem{'s' if len(wrong) > 1 else ''}"
        st.warning(
            f"**{many}: this file can’t be used yet.** Put them right and upload it again; nothing was "
            "stored."
        )
        charts.table(wrong)
        charts.download(wrong, "problems", "Download the problems (CSV)")
        return
    rows = result.rows
    column = "lineage" if rows["lineage"].notna().all() else "urn"
    many = rows[column].nunique()
    st.info(
        f"**Nothing wrong: {len(rows):,} row{'s' if len(rows) > 1 else ''} for {many:,} "
        f"school{'s' if many > 1 else ''}**, "
        f"a register of {result.kind.name.replace('-', ' ')}."
    )
    for note in result.notes:
        st.markdown(words.plain(note.replace("`", "")))
    if column == "urn":
        st.info(
            "Without the table of schools it can’t be said what it would add, nor can it be kept: `headway "
            "ingest` makes it."
        )
        return
    adds(held, result)
    keep(held, content, result)


def adds(held: own.Kept, found: registers.Checked) -> None:
    """Which signals a register would fill, for which schools, beside England where the tables have it."""
    lineages = found.rows["lineage"].astype("int64").unique()
    made = own.figures(own.frames(found), lineages)
    told = {name: one for name, one in own.own_signals().items() if one.source == found.kind.table}
    model = store.champion()
    england = spread_of(held, list(told), made["phase"].dropna().unique())
    rows = []
    for name, signal in told.items():
        value = made[name].dropna()
        rows.append(
            {
                "signal": signal.sentence,
                "schools": f"{len(value)} of {len(made)}",
                "figure": told_of(value, signal),
                "beside it": england.get(name, "nothing to hold it against"),
                "used by the model": "yes" if model is not None and name in model.signals else "no",
            }
        )
    st.subheader(
        f"It would fill {sum(made[name].notna().any() for name in told)} of {len(told)} signals", anchor=False
    )
    st.markdown(
        "As they would be known tomorrow morning. Rows counted more than two years ago describe other "
        "people and fill "
        "none. Beside it stands the middle half of open schools of the same phase, where enough are known. "
        "**No chance "
        "on any page changes until the batch job runs again**: `headway score` for signals the model "
        "already uses, "
        "`headway train` for it to learn from others."
    )
    charts.table(pd.DataFrame(rows))
    listed = pd.DataFrame(
        {
            "URN": made["urn"],
            "school": made["name"],
            **{
                one.sentence.rstrip("."): made[name].map(lambda v, one=one: own.figure(v, one))
                for name, one in told.items()
            },
        }
    )
    with st.expander(f"School by school ({len(listed)})"):
        for row in listed.head(MOST_SHOWN).to_dict("records"):
            st.markdown(f"**{words.plain(row.pop('school'))}** (URN {row.pop('URN')})")
            charts.table(pd.DataFrame(list(row.items()), columns=["signal", "figure"]))
        if len(listed) > MOST_SHOWN:
            st.markdown(f"The first {MOST_SHOWN} by the alphabet; the download has them all.")
        charts.download(listed, "what-it-would-add")


def told_of(value: pd.Series, signal: signals.Signal) -> str:
    """The figures of one or more schools in a few words."""
    if value.empty:
        return "not known"
    if signal.unit == "yes or no":
        return f"yes in {int(value.sum())} of {len(value)}"
    if len(value) == 1:
        return own.figure(value.iloc[0], signal)
    low, middle, high = (own.figure(one, signal) for one in (value.min(), value.median(), value.max()))
    return f"{low} to {high}; the middle one {middle}"


def spread_of(held: own.Kept, names: list[str], phases: list[str]) -> dict[str, str]:
    """The middle half of open schools of these phases, where enough have the figure; of registers, if all may
    be seen.
    """
    if not store.has("signals_today"):
        return {}
    there = set(store.types_of("signals_today"))
    alike = own.schools()
    alike = set(alike.loc[alike["open"] & alike["phase"].isin(phases), "urn"])
    result = {}
    for name in names:
        column = PUBLIC.get(name, name if held.rights.everything else None)
        if column not in there:
            continue
        rows = store.whole("signals_today", ("urn", column))
        values = rows.loc[rows["urn"].isin(alike), column].dropna()
        if len(values) >= ENOUGH:
            signal = signals.declared()[column]
            ends = " to ".join(own.figure(values.quantile(at), signal) for at in (0.25, 0.75))
            said = f"yes in {words.percent(values.mean())}" if signal.unit == "yes or no" else ends
            result[name] = (
                f"{said} ({len(values):,} schools, "
                f"{'public files' if name in PUBLIC else 'registers kept here'})"
            )
    return result


def keep(held: own.Kept, content: bytes, found: registers.Checked) -> None:
    """The offer to keep a register whole, for an owner whose schools these are and whom the visitor may write
    for.
    """
    lineages = found.rows["lineage"].astype("int64").unique()
    could = own.able(lineages)
    owners = [owner for owner in could if held.rights.may_write(owner)]
    st.subheader("Keep it", anchor=False)
    if not could:
        st.info(
            "No one trust or authority has all of these schools. Divide the file among its owners, then "
            "keep each part."
        )
        return
    if not owners:
        st.info(f"You may not keep a register of these schools here. {held.rights.why}")
        return
    owner = st.selectbox("Whose register is it?", owners, format_func=own.named, key="owner")
    kind = found.kind.name
    there = any(one == owner and name == kind for one, name, _ in held.entries)
    st.markdown(
        "It is then stored in the folder of registers on this machine"
        + (", **in place of the one already kept**." if there else ".")
    )
    st.button("Keep this register", on_click=_keep, args=(owner, content, kind), type="primary")


def _keep(owner: str, content: bytes, kind: str) -> None:
    if not access.viewer().may_write(owner):  # asked again: a page can stand open for days
        return
    try:
        source = store.about("schools")["data_source"]
        registers.add(
            own.folder(), owner, content, f"{kind}.csv", own.schools(), store.today(), source, own.trusts()
        )
        told = f"Kept: the register of {kind.replace('-', ' ')} of {own.named(owner)}. "
        st.session_state["done"] = (True, told + "Its figures now stand on its schools’ pages.")
    except (DataError, OSError) as error:
        st.session_state["done"] = (False, f"It could not be kept. {_said(error)}")


def _remove(owner: str, kind: str) -> None:
    if not access.viewer().may_write(owner):
        return
    try:
        registers.remove(own.folder(), owner, kind)
        told = (
            f"Removed: the register of {kind.replace('-', ' ')} of "
            f"{own.named(owner) if store.has('schools') else owner}. "
        )
        st.session_state["done"] = (True, told + "What was made from it goes when the batch job runs again.")
    except (DataError, OSError) as error:
        st.session_state["done"] = (False, f"It could not be removed. {_said(error)}")


def _said(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"The folder of registers can’t be written to ({error.strerror})."
    return " ".join(str(error).replace("`", "").split())


def listed(held: own.Kept) -> None:
    """The registers kept that the visitor may see, each with a way to remove it."""
    st.header("Kept here", anchor=False)
    st.markdown(held.rights.why)
    own.trouble(held)
    if not held.mine:
        st.markdown("No register that you may see is kept.")
        return
    entry = st.selectbox(
        f"The {len(held.mine):,} you may see" if len(held.mine) > 1 else "The one you may see",
        held.mine,
        format_func=_entry,
    )
    owner, kind, _ = entry
    if store.has("schools"):
        frames, problems = own.read([entry])
        rows = frames.get(registers.KINDS[kind].table)
        if problems:
            wrong = sum(problems.values())
            many = f"{wrong:,} problem{'s' if wrong > 1 else ''}"
            st.warning(
                f"It has {many}, so nothing of it is used. Upload it above to see them, and keep it again "
                "put right."
            )
        elif rows is not None:
            many = rows["lineage"].nunique()
            st.markdown(
                f"{len(rows):,} row{'s' if len(rows) > 1 else ''} of {many:,} "
                f"school{'s' if many > 1 else ''}, the newest "
                f"counted on {words.day(rows['counted_on'].max())}."
            )
    if held.rights.may_write(owner):
        with st.popover("Remove this register"):
            st.markdown("The file is deleted. Keep a copy of your own if you still need it.")
            st.button("Yes, remove it", on_click=_remove, args=(owner, kind))


def _entry(entry: own.Entry) -> str:
    owner, kind, _ = entry
    return f"{own.named(owner) if store.has('schools') else owner}: {kind.replace('-', ' ')}"


def page() -> None:
    st.title("Your own data", anchor=False)
    st.markdown(
        "Public files say nothing about some of what leaders work on most: who is being developed, who "
        "could lead "
        "improvement, who stayed this year. A register says it: a spreadsheet of counts, never of names."
    )
    held = own.kept()
    worked, told = st.session_state.pop("done", (True, ""))
    if told:
        (st.info if worked else st.warning)(words.plain(told))
    make()
    check(held)
    listed(held)
    st.header("Who sees it", anchor=False)
    st.markdown(
        "What a register says is shown to whoever may see it and to nobody else, and nothing is sent "
        "anywhere. Chances "
        "are shown to everybody; those of a school with a register are made from it too. One or two people "
        "are always "
        "shown as “fewer than 3”. Your browser keeps, until it is closed, the URNs of the last few schools "
        "you looked at."
    )


page()
