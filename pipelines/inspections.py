"""Histories: the cohort on a morning, what came next, the label, and why a label is missing.

Forward only. An example is a school's state on a morning and the inspection that followed; the last two
inspections of a "latest inspections" file never make a pair by themselves, because schools that failed to
improve are inspected again and drop out of it.
"""

import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.frameworks import GOOD
from headway.pipelines.tables import DATE

# After a covered stretch ends, reports of its last inspections come out for so long: the 95th percentile is
# 89 days.
REPORTS_OUT_WITHIN = pd.Timedelta(days=92)
MONTHS = (9,)  # on whose first day training asks; folds are asked on 1 September

NEVER_GRADED = "never graded"
LIMBO = "inspected before the morning, report not out"
GAP = "gap in the files"
NOT_YET = "not yet"
CLOSED = "closed"
NOT_COMPARABLE = "not comparable"
AT_THE_TOP = "Outstanding"

_STATE = (
    "urn",
    "overall",
    "overall_source",
    "leadership",
    "framework",
    "inspected_on",
    "category",
    "below_good",
    "quality_of_education",
    "teaching",
    "achievement",
    "behaviour",
    "personal_development",
    "early_years",
    "sixth_form",
    "middle_leadership",
    "leadership_and_governance",
    "safeguarding",
    "published_on",
    "known_on",
    "shown_on",
)


def mornings(coverage: pd.DataFrame, months: tuple[int, ...] = MONTHS) -> list[pd.Timestamp]:
    """The grid training asks from: the first day of each month named that the files cover, and of each
    covered stretch.

    Of stretches that hold for some schools alone, those days that lie in any of them.
    """
    every = coverage[coverage["lineage"].eq(0)]
    some = coverage[coverage["lineage"].ne(0)].agg({"from_on": "min", "to_on": "max"})
    grid = {stretch.from_on + pd.Timedelta(days=1) for stretch in every.itertuples()}
    for since, until in [
        *zip(every["from_on"], every["to_on"], strict=True),
        *([tuple(some)] if some.notna().all() else []),
    ]:
        first = since + pd.Timedelta(days=1)
        asked = (
            pd.Timestamp(year, month, 1) for year in range(first.year, until.year + 1) for month in months
        )
        grid |= {day for day in asked if first <= day <= until}
    return sorted(grid)


def roster(schools: pd.DataFrame, mornings: list[pd.Timestamp]) -> pd.DataFrame:
    """The schools to ask about on each morning: one row for each lineage that was open, under the URN it then
    had.

    A URN belongs to the morning if a file had listed it, or it had opened, and it was not yet known to be
    closed.
    """
    # A successor without an opening day began when its predecessor closed: a register lists it years later,
    # closed again.
    order = schools.sort_values(["lineage", "closed_on"], kind="stable", na_position="last")
    began = (order.groupby("lineage")["closed_on"].shift() + pd.Timedelta(days=1)).reindex(schools.index)
    began = began.where(began < schools["first_listed_on"], schools["first_listed_on"])
    starts = schools["opened_on"].where(schools["opened_on"].notna(), began)
    # older than any file that says
    first = schools["urn"].eq(schools["lineage"]) & schools["opened_on"].isna()
    starts = starts.mask(first, pd.Timestamp("1990-01-01").to_datetime64())
    held = schools.assign(from_on=starts.astype(DATE))[["urn", "lineage", "from_on", "closed_on"]].dropna(
        subset=["from_on"]
    )
    # One that no list ever showed, known by its inspections alone, ended when the next URN began.
    then = held.sort_values(["lineage", "from_on"], kind="stable").groupby("lineage")["from_on"].shift(-1)
    unlisted = held["closed_on"].isna() & ~schools["open"].reindex(held.index)
    held = held.assign(known_on=held["from_on"], closed_on=held["closed_on"].mask(unlisted, then))
    asked = pd.DataFrame({"as_of": pd.Series(mornings, dtype=DATE)}).merge(
        held[["lineage"]].drop_duplicates(), how="cross"
    )
    there = as_of.every_known(asked, held)
    there = there[~as_of.is_before(there["closed_on"], there["as_of"])]
    now = there.sort_values(["question", "from_on"], kind="stable").drop_duplicates("question", keep="last")
    return now[["urn", "lineage", "as_of"]].reset_index(drop=True)


def cohort(questions: pd.DataFrame, facts: pd.DataFrame, inspections: pd.DataFrame) -> pd.DataFrame:
    """Each question with the school's state that morning: its newest graded inspection public by then, and
    what it is.

    `questions` has urn, lineage, as_of. Phase, region and authority (`la_code`) are as the newest file by
    then had them; a URN that none had listed yet has those of the URN before it. One row out per row in, same
    order. Schools never graded keep their row, with blanks.
    """
    since = [
        name
        for name in inspections
        if name.endswith("_known_on") and name.removesuffix("_known_on") in _STATE
    ]
    graded = inspections.loc[inspections["kind"].eq("graded"), ["lineage", *_STATE, *since]]
    state = as_of.latest_known(questions, graded, order="inspected_on").rename(columns={"urn": "graded_urn"})
    return questions.join(state).assign(
        **{name: _described(questions, facts, name) for name in ("phase", "region", "la_code")}
    )


def _described(questions: pd.DataFrame, facts: pd.DataFrame, name: str) -> pd.Series:
    told = facts[["urn", "lineage", "known_on", name]].dropna()
    own, before = (
        as_of.latest_known(questions, told[[by, "known_on", name]], by=by)[name] for by in ("urn", "lineage")
    )
    return own.where(own.notna(), before)


def next_graded(
    questions: pd.DataFrame, inspections: pd.DataFrame, coverage: pd.DataFrame, schools: pd.DataFrame
) -> pd.DataFrame:
    """What came after each question's state: the next graded inspection, its label, or why there is none.

    `questions` is a cohort. The next inspection is the first of the lineage after the one that gave the
    state. Where that was made before the morning but not yet public, there is no label: the school was
    waiting for its report.
    """
    graded = inspections[inspections["kind"].eq("graded")].sort_values(
        ["lineage", "inspected_on"], kind="stable"
    )
    order = graded.groupby("lineage", sort=False)
    coming = [
        "inspected_on",
        "known_on",
        "framework",
        "overall",
        "leadership",
        "below_good",
        "urn",
        "overall_source",
        "leadership_and_governance",
        "category",
    ]
    pairs = graded[["lineage", "inspected_on"]].join(order[coming].shift(-1).add_prefix("next_"))
    result = (
        questions[["lineage", "inspected_on"]]
        .merge(pairs, on=["lineage", "inspected_on"], how="left", validate="many_to_one")
        .set_axis(questions.index)
    )
    rows = questions.join(result[[f"next_{c}" for c in coming]])
    covered = as_of.covered_until(rows["lineage"], rows["as_of"], coverage)
    came = rows["next_inspected_on"].notna()
    limbo = came & as_of.is_before(rows["next_inspected_on"], rows["as_of"])
    # An inspection that no file of the stretch shows is known by chance, from a file that outlived its
    # successors.
    seen = (
        came
        & (rows["next_inspected_on"] <= covered)
        & (rows["next_known_on"] <= covered + REPORTS_OUT_WITHIN)
    )
    is_open = rows["urn"].map(schools.set_index("urn")["open"]).fillna(False).astype(bool)
    successor_open = rows["lineage"].isin(schools.loc[schools["open"], "lineage"])
    last = covered.eq(coverage["to_on"].max())
    label = _label(rows)
    reason = (
        pd.Series(None, index=rows.index, dtype="str")
        .mask(label.isna(), NOT_COMPARABLE)
        .mask(~seen & ~(is_open | successor_open), CLOSED)
        .mask(~seen & (is_open | successor_open), NOT_YET)
        .mask(~seen & ~last, GAP)
        .mask(limbo, LIMBO)
        .mask(rows["inspected_on"].isna(), NEVER_GRADED)
    )
    label = label.where(reason.isna())
    hidden = reason.isin([GAP, LIMBO])
    shown = {c: rows[c].mask(hidden) for c in rows if c.startswith("next_") and c != "next_overall_source"}
    return rows.assign(
        **shown,
        label=label,
        label_missing_reason=reason,
        label_source=rows["next_overall_source"].where(label.notna()),
    )


def _label(rows: pd.DataFrame) -> pd.Series:
    """improved, same or worse.

    Where the next inspection is a report card there is no grade to compare, only whether it came out below
    good or the equivalent. From Requires improvement that is the whole question: not below good is improved,
    below good is the same standing. From any other grade the two scales can't be compared, whatever came out.
    """
    change = rows["overall"].astype("float64") - rows["next_overall"].astype("float64")
    label = pd.Series(None, index=rows.index, dtype="str")
    label = label.mask(change.gt(0), "improved").mask(change.eq(0), "same").mask(change.lt(0), "worse")
    carded = (
        rows["next_overall"].isna()
        & rows["next_below_good"].notna()
        & rows["overall"].eq(GOOD + 1).fillna(False)
    )
    below = rows["next_below_good"].eq(True).fillna(False)
    return label.mask(carded & ~below, "improved").mask(carded & below, "same")
