"""Who there is to lead improvement in a trust's schools, and where development is thin. Part of the page of a
trust.

Registers alone say either, so it is shown to those who may see them. No school comes first: the order is the
alphabet's.
"""

import pandas as pd
import streamlit as st

from headway.explorer import charts, own, store, words
from headway.pipelines.signals import capacity

LEADERS, PRACTITIONERS, DEVELOPED = (
    "share_improvement_leaders",
    "share_improvement_practitioners",
    "share_in_programme",
)
CALLED = {LEADERS: "Improvement leaders", PRACTITIONERS: "Improvement practitioners"}
COUNTED = {LEADERS: "improvement_leaders", PRACTITIONERS: "improvement_practitioners"}
EXPORTED = (LEADERS, PRACTITIONERS, DEVELOPED, "stayed_by_register", "vacant_by_register")
FEWEST = 5  # schools with a figure, below which their middle one is no measure for the others
ENGLAND = 30


def figures(held: own.Kept, lineages: list[int]) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """The schools' signals from the registers the visitor may see, and those registers' rows; nothing without
    any.
    """
    rows = own.known(held, lineages)
    return (own.figures(rows, lineages), rows) if rows else (pd.DataFrame(), rows)


def together(made: pd.DataFrame, rows: dict[str, pd.DataFrame], name: str) -> float | None:
    """The share of all staff of the schools with a figure, from the newest row of each."""
    if "improvement_capacity" not in rows:
        return None
    with_one = set(made.loc[made[name].notna(), "lineage"])
    newest = rows["improvement_capacity"].sort_values("counted_on").drop_duplicates("lineage", keep="last")
    newest = newest[newest["lineage"].isin(with_one)].dropna(subset=[COUNTED[name]])
    return float(newest[COUNTED[name]].sum() / newest["staff"].sum()) if newest["staff"].sum() > 0 else None


def against(made: pd.DataFrame, rows: dict[str, pd.DataFrame], key: str) -> None:
    """Each school's share of improvement leaders and practitioners, and all together, against what AQuA
    suggests.
    """
    shares = {name: together(made, rows, name) for name in CALLED}
    told = {name: share for name, share in shares.items() if share is not None}
    if not told:
        st.info("No register that you may see counts improvement leaders or practitioners in these schools.")
        return
    dots = pd.concat(
        [
            pd.DataFrame({"school": made["name"], "share": made[name], "what": CALLED[name]}).dropna(
                subset=["share"]
            )
            for name in told
        ]
    )
    marks = pd.DataFrame(
        [
            {"what": CALLED[name], "whole": share, "suggested": capacity.SUGGESTED[name]}
            for name, share in told.items()
        ]
    )
    title = "; ".join(
        f"{CALLED[name].lower() if at else CALLED[name]} are about {words.percent(share, 1)} of staff, "
        f"{'at least' if share >= capacity.SUGGESTED[name] else 'under'} the {capacity.SUGGESTED[name]:.1%} "
        "suggested"
        for at, (name, share) in enumerate(told.items())
    )
    listed = made[["name", *told]].sort_values("name")
    listed = pd.DataFrame(
        {
            "school": listed["name"],
            **{CALLED[name]: listed[name].map(lambda share: words.percent(share, 1)) for name in told},
        }
    )
    many = int(made[list(told)].notna().any(axis=1).sum())
    charts.show(
        charts.against(dots, marks),
        title,
        f"Circles are the {many} of {len(made)} schools whose register says so, the diamond is all of them "
        "together, and "
        "the upright line is what AQuA, the Advancing Quality Alliance, suggests for an organisation: about "
        "0.5% of staff "
        "as advanced improvers and about 5% as improvement practitioners. In a small school one person is "
        "more than "
        "that, so the whole says more than a school. One or two people count as one and a half.",
        listed,
        f"capacity-{key}",
    )


def middle_of_england(held: own.Kept) -> float | None:
    """The share in a programme of the middle school in the last batch job, where all registers may be
    seen.
    """
    if (
        not held.rights.everything
        or not store.has("signals_today")
        or DEVELOPED not in store.types_of("signals_today")
    ):
        return None
    known = store.whole("signals_today", ("urn", DEVELOPED))[DEVELOPED].dropna()
    return float(known.median()) if len(known) >= ENGLAND else None


def thin_in(made: pd.DataFrame, england: float | None) -> pd.DataFrame:
    """The schools with a figure of development under the middle of these schools or of England, in words."""
    known = made[DEVELOPED].dropna()
    middle = float(known.median()) if len(known) >= FEWEST else None
    measures = [
        (share, of)
        for share, of in ((middle, "these schools"), (england, "all registers"))
        if share is not None
    ]
    told = []
    for row in made.sort_values("name").itertuples():
        share = getattr(row, DEVELOPED)
        under = [
            f"{words.percent(usual)} in the middle school of {of}" for usual, of in measures if share < usual
        ]
        if under:
            said = (
                f"{words.percent(share)} of its middle leaders are in a programme, against "
                f"{words.and_list(under)}."
            )
            told.append({"URN": row.urn, "school": row.name, "what the registers say": said})
    return pd.DataFrame(told, columns=["URN", "school", "what the registers say"])


def page_part(held: own.Kept, made: pd.DataFrame, rows: dict[str, pd.DataFrame], key: str) -> None:
    """Both, or how to come by them."""
    if made.empty:
        st.header("Capacity, and where development is thin", anchor=False)
        own.trouble(held)
        st.markdown(
            "One published yardstick is that about 0.5% of staff are advanced improvers and about 5% "
            "improvement "
            "practitioners (AQuA). No public file counts either, nor says who is being developed."
        )
        st.info(f"No register of these schools is kept here that you may see. {held.rights.why}")
        st.page_link("explorer/your_data.py", label="Add a register on the page “Your own data”")
        return
    against(made, rows, key)
    thin = thin_in(made, middle_of_england(held))
    silent = int(made[DEVELOPED].isna().sum())
    known = len(made) - silent
    of = f"in {silent} of the {len(made)} schools"
    unknown = f"No register that you may see says who is being developed {of}." if silent else ""
    if thin.empty:
        st.header(
            f"Development is thin in none of the {known} schools whose register says"
            if known
            else "Nothing is known of who is being developed in these schools",
            anchor=False,
        )
        st.markdown(unknown)
        return
    st.header(
        f"Development may be thin in {len(thin)} of the {known} schools whose register says", anchor=False
    )
    st.markdown(unknown)
    st.markdown(
        "By the alphabet. A school with few middle leaders in a programme this year may have developed them "
        "before, and "
        "half of all schools always lie under the middle: it is a place to ask, not a verdict."
    )
    charts.table(thin)
    charts.download(thin, f"development-{key}")


def exported(listed: pd.DataFrame, made: pd.DataFrame) -> pd.DataFrame:
    """The schools as listed, with the registers' figures that the visitor may see."""
    if made.empty:
        return listed
    names = [name for name in EXPORTED if made[name].notna().any()]
    return listed.merge(
        made[["urn", *names]].rename(columns={"urn": "URN"}), on="URN", how="left", validate="one_to_one"
    )
