"""Every mention of an inspection in any file, to one row an inspection with what is known of it and since
when.

When a detail is known. A file of all inspections tells of each from the day its report was out. So does a
list of latest inspections, but only of those made since an earlier list that it reaches back to without a
gap: of older ones it names those alone that few inspections followed, so what it says of them would tell the
future, and counts from the list's own date. The same holds for a visit without a grade, which a list shows
only where no graded one followed. A compiled history has no report days: its inspections count from the day
by which 95 of 100 reports of their framework were out. Each detail is known from the first file that says it
in this sense, whatever other files say of the inspection; the value said first stands.
"""

from collections import Counter

import numpy as np
import pandas as pd

from headway.pipelines import as_of, frameworks
from headway.pipelines.files import Release, first_known, numbers
from headway.pipelines.ingest import schools
from headway.pipelines.inspections import REPORTS_OUT_WITHIN
from headway.pipelines.tables import DATE, DETAILS

# days: a start and an end date of one inspection differ by less, two inspections by so many or more
SAME_INSPECTION = 14
# apart from the old judgements of the same names
_CARD = {area: f"standard_{area}" for area in frameworks.AREAS}
_CARD_ON = {f"{area}_graded_on": f"graded_on_{area}" for area in frameworks.AREAS}
_JUDGED = (
    "overall",
    "leadership",
    "quality_of_education",
    "teaching",
    "achievement",
    "behaviour",
    "personal_development",
    "early_years",
    "sixth_form",
    "middle_leadership",
)
_SAID = (
    "inspection_number",
    "inspected_on",
    "ended_on",
    "published_on",
    "category",
    "safeguarding",
    "ungraded_outcome",
    "event_type",
    "leadership_and_governance",
    *_JUDGED,
    *_CARD.values(),
    *_CARD_ON.values(),
)
_FIGURES = (*_JUDGED, *_CARD.values())
_RECORDS = (
    "inspection",
    "history",
    "report_card",
    "latest",
    "previous",
    "ungraded",
    "monitoring",
    "register",
)


# --- mentions -----------------------------------------------------------------------------------------------


def mentions(releases: list[Release], aside: Counter) -> pd.DataFrame:
    """Every mention of an inspection in any file, one row a mention."""
    parts = []
    for release in releases:
        for record in _RECORDS:
            # A release may lack every column of a record, as report cards lack the inspection before.
            if record in release.records and (record == "monitoring" or len(release.records[record].columns)):
                parts.append(_mentions(release, record, aside))
    seen = pd.concat(parts, ignore_index=True)
    number = seen["inspection_number"].astype("str").str.strip()
    number = number.where(~number.str.fullmatch(r"\d{5,6}"), "ITS" + number)
    judged = {name: numbers(seen[name]) for name in _FIGURES}
    return seen.assign(inspection_number=number, **judged)


def _mentions(release: Release, record: str, aside: Counter) -> pd.DataFrame:
    rows = release.records[record]
    listed = numbers((release.schools if "urn" not in rows else rows)["urn"])
    visit = release.records.get("inspection", release.records.get("report_card"))
    if record == "report_card":
        rows = rows.rename(columns=_CARD | _CARD_ON)
    if record == "monitoring":  # the rows among the report cards that give no grade, read for what they say
        carded = visit.reindex(columns=list(frameworks.AREAS)).notna().any(axis=1)
        rows = visit.drop(columns=[*frameworks.AREAS, "category"], errors="ignore").assign(**rows)[~carded]
        listed = listed[~carded]
    missing = {c: np.nan if c in _FIGURES else None for c in (*_SAID, "urn_then") if c not in rows}
    rows = rows.assign(**missing)
    then = numbers(rows["urn_then"])
    days = rows[["inspected_on", "ended_on", "published_on", *_CARD_ON.values()]].astype(DATE)
    given = days["inspected_on"].notna() | days["ended_on"].notna()
    graded = rows[["overall", "leadership", *_CARD.values()]].notna().any(axis=1)
    kind = pd.Series("graded", index=rows.index)
    if record in ("inspection", "monitoring"):
        watched = (
            rows["event_type"].fillna("").str.lower().str.contains("monitor|no formal|urgent|safeguarding")
        )
        kind = kind.mask(~graded, "ungraded").mask(~graded & watched, "monitoring")
        aside[f"{record}: without a day"] += int((~given).sum())
    elif record == "ungraded":
        kind[:] = "ungraded"
        aside["ungraded inspection: none yet, or no outcome"] += int(
            (~given | rows["ungraded_outcome"].isna()).sum()
        )
        given &= rows["ungraded_outcome"].notna()
    else:
        aside[f"{record} inspection: none yet"] += int((~given).sum())
        aside[f"{record} inspection: a day but no grade"] += int((given & ~graded).sum())
        given &= graded
    if record == "register":
        state_funded = schools.state_funded(release.schools)
        aside["register inspection: not a state-funded school"] += int((given & ~state_funded).sum())
        given &= state_funded
    said = rows[list(_SAID)].assign(
        listed_urn=listed,
        urn=then.where(then.notna(), listed),
        kind=kind,
        record=record,
        **days,
        seen_on=release.file_on,
        in_full=release.layout.depth == 99 and record != "previous",
        compiled=release.layout.compiled,
        source_file=release.name,
        file_row=rows.index,
    )[given]
    return said.assign(urn=said["urn"].astype("int64"))


# --- one row an inspection ----------------------------------------------------------------------------------


def histories(
    seen: pd.DataFrame, coverage: pd.DataFrame, aside: Counter
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row an inspection, and one row an area of a report card: the tables `inspections` and `standards`.

    `seen` are mentions with their lineage. Mentions are of one inspection where they share a number, or a
    lineage, a kind and a date within days.
    """
    seen = seen.assign(
        inspected_on=first_known(seen["inspected_on"], seen["ended_on"]),
        by_end=seen["inspected_on"].isna(),
        register=seen["record"].eq("register"),
    )
    # A report date before the inspection, or years after the file, is a slip of the pen: the file's date
    # stands.
    slip = (seen["published_on"] < seen["inspected_on"]) | (seen["published_on"] > seen["seen_on"])
    aside["publication date before the inspection or after the file: not used"] += int(slip.sum())
    seen = seen.assign(published_on=seen["published_on"].mask(slip))
    seen = seen.assign(public_on=_public_on(seen, coverage))
    seen = _registers_read(seen, coverage, aside)
    seen = seen.assign(cluster=_clusters(seen))
    # Where any file may say when a compiled inspection's report was out, that day stands in for the usual
    # one.
    day = (
        seen["published_on"]
        .where(seen["published_on"].eq(seen["public_on"]))
        .groupby(seen["cluster"])
        .transform("min")
    )
    seen = seen.assign(public_on=seen["public_on"].where(~seen["compiled"] | day.isna(), day))

    differ = (
        seen[seen["overall"].notna() & ~seen["register"]].groupby("cluster")["overall"].nunique().gt(1).sum()
    )
    aside["inspections whose grade differs between files: what was said first stands"] += int(differ)
    aside["mentions of an inspection already seen"] += len(seen) - seen["cluster"].nunique()
    seen = seen.assign(leadership_and_governance=_at_the_inspection(seen, "leadership_and_governance"))
    seen["below_good"] = None
    order = seen.sort_values(["cluster", "public_on", "seen_on", "register"], kind="stable")
    by = order.groupby("cluster")
    known = {}
    for detail in DETAILS:
        said = order.loc[order[detail].notna(), ["cluster", "public_on"]].drop_duplicates("cluster")
        known[f"{detail}_known_on"] = said.set_index("cluster")["public_on"]
    merged = by.first()
    # The day said first stands too, its first day before its last: else a later file would move it by days.
    days = (
        order.sort_values(["cluster", "public_on", "by_end"], kind="stable")
        .groupby("cluster")["inspected_on"]
        .first()
    )
    settled = order[~order["register"] | by["register"].transform("all")]
    rows = merged.drop(columns=["public_on", "seen_on"]).assign(
        inspected_on=days,
        known_on=by["public_on"].min(),
        published_on=by["published_on"].min(),
        shown_on=settled.groupby("cluster")["seen_on"].min(),
        files=by["source_file"].nunique(),
        **{name: since.reindex(merged.index).astype(DATE) for name, since in known.items()},
    )
    rows = _judged(rows).sort_values(["lineage", "inspected_on", "kind"])
    twice = rows.duplicated(["lineage", "kind", "inspected_on"])
    aside["inspections of one school, kind and day that no number tells apart: the first stands"] += int(
        twice.sum()
    )
    return rows[~twice], _standards(order, rows[~twice], aside)


def _public_on(seen: pd.DataFrame, coverage: pd.DataFrame) -> pd.Series:
    """The day from which each mention counts, by the rule at the head of this file."""
    within = pd.Series(False, index=seen.index)
    for stretch in coverage[coverage["lineage"].eq(0)].itertuples():
        until = stretch.to_on + REPORTS_OUT_WITHIN
        within |= seen["inspected_on"].between(stretch.from_on, stretch.to_on) & seen["seen_on"].between(
            stretch.from_on, until
        )
    at_once = seen["in_full"] | (within & seen["kind"].eq("graded") & ~seen["register"])
    usual = frameworks.report_out_by(seen["inspected_on"]).where(seen["compiled"])
    return first_known(seen["published_on"].where(at_once), usual, seen["seen_on"]).astype(DATE)


def _clusters(seen: pd.DataFrame) -> pd.Series:
    """A number for each inspection among the mentions."""
    seen = seen.sort_values(["lineage", "kind", "inspected_on", "register", "seen_on"], kind="stable")
    apart = seen[["lineage", "kind"]].ne(seen[["lineage", "kind"]].shift()).any(axis=1)
    apart |= seen["inspected_on"].diff().dt.days.ge(SAME_INSPECTION)
    cluster = apart.cumsum()
    numbered = seen["inspection_number"].notna()
    joined = (
        cluster[numbered].groupby([seen["lineage"], seen["kind"], seen["inspection_number"]]).transform("min")
    )
    first = pd.Series(joined.to_numpy(), index=cluster[numbered].to_numpy()).groupby(level=0).min()
    return cluster.map(first).fillna(cluster).astype("int64")


# --- registers ----------------------------------------------------------------------------------------------


def _registers_read(seen: pd.DataFrame, coverage: pd.DataFrame, aside: Counter) -> pd.DataFrame:
    """The mentions, those of registers as what they are: a graded inspection, a visit without a grade, or
    left out.

    A register gives the day of the latest visit of any kind beside the grade of the last graded inspection.
    Schools below good have graded inspections alone (of 2,500 such days in the Department's table of July
    2018, a full history shows all but one graded). A good or better school's day is a graded inspection where
    another file has it; where the files cover the day and show none, and the standing grade is this one, it
    was a short inspection; else nobody can tell. Judged by what was public when the register came out, so
    that no later file changes it.
    """
    graded = seen["kind"].eq("graded") & ~seen["register"] & seen["overall"].notna()
    facts = ["lineage", "inspected_on", "overall"]
    graded = seen.loc[graded, [*facts, "public_on"]].sort_values("inspected_on", kind="stable")
    spans = _consecutive(seen)
    kind, overall = seen["kind"].copy(), seen["overall"].copy()
    left_out = pd.Series(False, index=seen.index)
    slack = pd.Timedelta(days=SAME_INSPECTION)
    for seen_on, said in seen.loc[seen["register"], [*facts, "seen_on"]].groupby("seen_on"):
        # it may itself be the first to show one
        out = graded[graded["public_on"] <= seen_on + REPORTS_OUT_WITHIN]
        said = said.sort_values("inspected_on", kind="stable")
        asked = said[["lineage", "inspected_on"]]
        same = (
            pd.merge_asof(
                asked,
                out[["lineage", "inspected_on"]].assign(there=True),
                on="inspected_on",
                by="lineage",
                direction="nearest",
                tolerance=slack,
            )["there"]
            .notna()
            .to_numpy()
        )
        standing = pd.merge_asof(asked, out[facts], on="inspected_on", by="lineage")["overall"]
        below = said["overall"].gt(frameworks.GOOD)
        covered = as_of.covered_until(said["lineage"], said["inspected_on"], coverage).notna()
        short = ~same & ~below & covered & standing.set_axis(said.index).eq(said["overall"]).fillna(False)
        denied = ~same & below & _within(said, spans[spans["seen_on"] <= seen_on])
        unknown = ~same & ~short & ~below
        aside["in a register only, good or better: graded or a short inspection, nobody can tell"] += int(
            unknown.sum()
        )
        aside[
            "in a register only, where another file names two consecutive graded inspections around it"
        ] += int(denied.sum())
        visits = said.index[short]
        kind.loc[visits], overall.loc[visits] = "ungraded", pd.NA
        left_out.loc[said.index[unknown | denied]] = True
    return seen.assign(kind=kind, overall=overall)[~left_out]


def _consecutive(seen: pd.DataFrame) -> pd.DataFrame:
    """The days of two inspections that one row of a file gives as latest and previous: a span a row."""
    row = ["lineage", "source_file", "file_row"]
    latest = seen["record"].isin(["latest", "inspection"]) & seen["kind"].eq("graded")
    later = seen.loc[latest, [*row, "inspected_on", "seen_on"]]
    earlier = seen.loc[seen["record"].eq("previous"), [*row, "inspected_on"]]
    return later.merge(earlier, on=row, suffixes=("_later", "_earlier"))


def _within(said: pd.DataFrame, spans: pd.DataFrame) -> pd.Series:
    """Whether a mention lies within a span, whose ends are consecutive inspections."""
    inside = said[["lineage", "inspected_on"]].reset_index().merge(spans, on="lineage")
    slack = pd.Timedelta(days=SAME_INSPECTION)
    inside = inside[
        (inside["inspected_on"] > inside["inspected_on_earlier"] + slack)
        & (inside["inspected_on"] < inside["inspected_on_later"] - slack)
    ]
    return said.index.to_series().isin(inside["index"])


# --- judgements ---------------------------------------------------------------------------------------------


def _judged(rows: pd.DataFrame) -> pd.DataFrame:
    """The inspections with overall grades derived where none was published, and where each came from."""
    graded = rows["kind"].eq("graded")
    framework = frameworks.framework_on(rows["inspected_on"])
    published = rows["overall"].notna()
    no_overall = frameworks.gives(framework).eq(frameworks.JUDGEMENTS) & graded & ~published
    derived = frameworks.overall_from_judgements(
        rows["quality_of_education"].astype("float64"), rows["leadership"].astype("float64"), rows["category"]
    ).where(no_overall)
    cards = graded & rows["leadership_and_governance"].notna()
    source = pd.Series(None, index=rows.index, dtype="str").mask(graded & published, "published")
    source = source.mask(derived.notna(), "derived").mask(cards & ~published, "crosswalk")
    overall = first_known(rows["overall"].astype("float64"), derived)
    below = (overall > frameworks.GOOD).astype("boolean").mask(overall.isna())
    card = frameworks.below_good_from_report_card(
        rows["leadership_and_governance"].astype("float64"), rows["category"]
    )
    # What is worked out is known once all it is worked out from is.
    both = rows[["quality_of_education_known_on", "leadership_known_on"]].max(axis=1, skipna=False)
    since = first_known(rows["overall_known_on"], both, rows["category_known_on"]).where(overall.notna())
    carded = first_known(rows["leadership_and_governance_known_on"], rows["category_known_on"])
    return rows.assign(
        framework=framework,
        overall=overall,
        overall_source=source,
        below_good=below.mask(cards, card),
        overall_known_on=since.astype(DATE),
        below_good_known_on=since.mask(cards, carded).astype(DATE),
    )


def _at_the_inspection(seen: pd.DataFrame, area: str) -> pd.Series:
    """An area's standard, blank where it was graded again later."""
    again = seen[f"graded_on_{area}"] > seen["inspected_on"] + pd.Timedelta(days=SAME_INSPECTION)
    return seen[f"standard_{area}"].mask(again)


def _standards(order: pd.DataFrame, rows: pd.DataFrame, aside: Counter) -> pd.DataFrame:
    """Each area of each report card, once for each day it was graded on; a later grade is known from the file
    that gives it.
    """
    inspected = rows[["lineage", "urn", "inspection_number", "inspected_on"]]
    cards = order[order["cluster"].isin(inspected.index)]
    parts = []
    for area in frameworks.AREAS:
        said = cards[cards[f"standard_{area}"].notna()]
        again = said[f"graded_on_{area}"] > said["inspected_on"] + pd.Timedelta(days=SAME_INSPECTION)
        inspection = inspected.loc[said["cluster"]].set_axis(said.index)
        parts.append(
            inspection.assign(
                area=area,
                standard=said[f"standard_{area}"],
                source_file=said["source_file"],
                graded_on=inspection["inspected_on"].mask(again, said[f"graded_on_{area}"]),
                known_on=said["public_on"].mask(again, said["seen_on"]),
            )
        )
    every = pd.concat(parts).sort_values(
        ["lineage", "inspected_on", "area", "graded_on", "known_on"], kind="stable"
    )
    again = every.duplicated(["lineage", "inspected_on", "area", "graded_on"])
    aside["standards of report cards already seen"] += int(again.sum())
    return every[~again]
