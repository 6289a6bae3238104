"""Schools taken together: counts, each beside schools like it, who may fall, who may rise, and all of it as a
pack to print. Always in the order of the alphabet: how they are spread, never who comes first.
"""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from headway.explorer import brief, outlook, pdf, report_card, store, words
from headway.pipelines.frameworks import AREAS, GRADES

LIKELY = 0.5  # likelier than not
DRAWN = 60  # schools a chart of single ones stays readable with
PACKED = 60  # schools for which a pack has a page each


@dataclass(frozen=True)
class Part:
    """A finding with its sentence and the table behind it; where `drawn`, the page has a chart of it.

    `urns` are the schools of the rows, to link to.
    """

    title: str
    sentence: str
    rows: pd.DataFrame
    urns: list[int] = field(default_factory=list)
    drawn: bool = False


def on_card(rows: pd.DataFrame) -> bool:
    return bool(rows[outlook.BELOW].notna().any())


def by_grade(rows: pd.DataFrame) -> Part:
    """How many schools have each grade now."""
    counts = rows["overall"].value_counts()
    made = pd.DataFrame({"grade now": list(GRADES.values()), "schools": [counts.get(at, 0) for at in GRADES]})
    without = int(rows["overall"].isna().sum())
    if without:
        made.loc[len(made)] = ["without an overall grade", without]
    most = made.loc[made["schools"].idxmax()]
    title = (
        f"All {len(rows)} have the same grade: {most['grade now']}"
        if most["schools"] == len(rows) > 1
        else f"{words.and_list([_counted(row) for row in made[made['schools'].gt(0)].to_dict('records')])}"
    )
    older = sum(words.of_predecessor(row) for row in rows.to_dict("records"))
    said = f" {older} of them were given to a predecessor." if older else ""
    return Part(title, f"By the newest overall grade on record.{said}", made)


def _counted(row: dict) -> str:
    return f"{row['schools']} {row['grade now']}"


def by_standard(rows: pd.DataFrame) -> Part | None:
    """How many schools have each standard in each area by their newest card; nothing where none has one."""
    given = store.whole("standards") if store.has("standards") else pd.DataFrame({"lineage": []})
    given = given[given["lineage"].isin(set(rows["lineage"]))]
    if given.empty:
        return None
    newest = given["inspected_on"].eq(given.groupby("lineage")["inspected_on"].transform("max"))
    given = (
        given[newest]
        .sort_values("graded_on", kind="stable")
        .drop_duplicates(["lineage", "area"], keep="last")
    )
    counts = given.groupby(["area", "standard"]).size()
    made = pd.DataFrame(
        [
            {"area": name, **{word: counts.get((area, rank), 0) for rank, word in report_card.WORDS.items()}}
            for area, name in AREAS.items()
        ]
    )
    made = made[made.drop(columns="area").sum(axis=1).gt(0)]
    below = given[given["standard"].ge(report_card.BELOW)]["lineage"].nunique()
    many = given["lineage"].nunique()
    return Part(
        f"{many} of {len(rows)} {'has a report card' if many == 1 else 'have report cards'}; "
        f"{below or 'none'} with some area below the expected standard",
        "Schools by the standard of each area on their newest card.",
        made,
    )


def beside(rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Each school's chance (`chance`, `low`, `high`) and that of schools like it (`usual`), and of what."""
    if on_card(rows):
        made = pd.DataFrame(
            {
                "chance": rows[outlook.BELOW],
                "low": rows[outlook.LOW],
                "high": rows[outlook.HIGH],
                "usual": rows[f"{outlook.BELOW}, schools like it"],
            }
        )
        what = outlook.BELOW
    else:
        rows = rows[rows["overall"].fillna(1).gt(1)]
        result = outlook.chances(rows)
        made = pd.DataFrame(
            {
                "chance": result["chance to rise"],
                "low": rows.get("p_low"),
                "high": rows.get("p_high"),
                "usual": result["chance to rise, schools like it"],
            }
        )
        what = "a better grade"
    twice = rows["name"].duplicated(keep=False)
    names = (
        rows["name"].astype("str").mask(twice, rows["name"].astype("str") + " " + rows["urn"].astype("str"))
    )
    made = made.astype("float64").assign(school=names, urn=rows["urn"])
    return made.dropna(subset=["chance", "usual"]).reset_index(drop=True), what


def apart(rows: pd.DataFrame, what: str) -> Part:
    """How many schools stand apart from schools like them: with the whole of their interval."""
    above, below = int((rows["low"] > rows["usual"]).sum()), int((rows["high"] < rows["usual"]).sum())
    stand = "stands clearly above schools like it" if above == 1 else "stand clearly above schools like them"
    return Part(
        f"Of {len(rows)} schools, {above or 'none'} {stand} in the chance of {what}, "
        f"{below or 'none'} clearly below",
        "In the order of the alphabet, each with how far its chance can be trusted; clearly is with the "
        f"whole of that range. The chances add up to about {rows['chance'].sum():.1f}; for schools like them "
        f"it would be {rows['usual'].sum():.1f}.",
        pd.DataFrame(
            {
                "school": rows["school"],
                f"chance of {what}": rows["chance"].map(words.percent),
                "from": rows["low"].map(words.percent),
                "to": rows["high"].map(words.percent),
                "schools like it": rows["usual"].map(words.percent),
            }
        ),
        rows["urn"].tolist(),
        drawn=True,
    )


def may_fall(rows: pd.DataFrame) -> Part:
    """The schools for which the worse is likelier than not: some area below expected, or a worse grade."""
    if on_card(rows):
        return _likely(rows, rows[outlook.BELOW], rows[f"{outlook.BELOW}, schools like it"], outlook.BELOW)
    made = outlook.chances(rows)
    return _likely(rows, made["chance to fall"], made["chance to fall, schools like it"], "a worse grade")


def may_rise(rows: pd.DataFrame) -> Part:
    """The schools for which the better is likelier than not: strong leadership, or a better grade."""
    if on_card(rows):
        chance = rows["leadership strong or better"]
        return _likely(rows, chance, None, "leadership strong or better")
    made = outlook.chances(rows)
    return _likely(rows, made["chance to rise"], made["chance to rise, schools like it"], "a better grade")


def _likely(rows: pd.DataFrame, chance: pd.Series, usual: pd.Series | None, what: str) -> Part:
    mine = chance.gt(LIKELY)
    few, many = int(mine.sum()), int(chance.notna().sum())
    columns = {
        "school": rows.loc[mine, "name"],
        "grade now": rows.loc[mine, "overall"].map(words.grade),
        f"{what}, of 100": chance[mine].map(words.of_100),
    }
    if usual is not None:
        columns["schools like it"] = usual[mine].map(words.of_100)
    return Part(
        f"{what[0].upper()}{what[1:]} is likelier than not in {few or 'none'} of {many} schools",
        "More than 50 of 100 schools placed so." if few else "",
        pd.DataFrame(columns),
        rows.loc[mine, "urn"].tolist(),
    )


def listed(rows: pd.DataFrame) -> pd.DataFrame:
    """The schools to read: what is likely next of each, and the grade it has."""
    every = rows.to_dict("records")
    columns = {"school": rows["name"]}
    if on_card(rows):
        for name in (outlook.BELOW, outlook.LEADING):
            usual = rows[f"{name}, schools like it"]
            columns[f"{name}, of 100 (schools like it)"] = [
                "" if words.blank(own) else f"{words.of_100(own)} ({words.of_100(like)})"
                for own, like in zip(rows[name], usual, strict=True)
            ]
        strong = rows["leadership strong or better"]
        columns["leadership strong or better, of 100"] = strong.map(
            lambda share: "" if words.blank(share) else words.of_100(share)
        )
    columns["next grade, of 100"] = [outlook.in_words(row) for row in every]
    columns["grade now"] = [words.grade_in_full(row) for row in every]
    return pd.DataFrame(columns)


def parts(rows: pd.DataFrame) -> list[Part]:
    """What is found of the schools together, as the page and the pack have it."""
    chances, what = beside(rows)
    result = [by_grade(rows), by_standard(rows), apart(chances, what) if len(chances) else None]
    return [part for part in [*result, may_fall(rows), may_rise(rows)] if part is not None]


def pack(rows: pd.DataFrame, name: str) -> dict[str, Any]:
    """All that the page says of its schools, and each one's page for governors where they aren't too many."""
    every = [*parts(rows), Part("Its schools, in the order of the alphabet", "", listed(rows))]
    packed = rows["urn"] if len(rows) <= PACKED else rows["urn"].head(0)
    return {
        "title": name,
        "counted": counted(rows),
        "parts": [
            {"title": part.title, "sentence": part.sentence, "rows": pdf.framed(part.rows)} for part in every
        ],
        "schools": [brief.facts(store.school(int(urn))) for urn in packed],
        "how": brief.how(store.prediction(int(rows["urn"].iloc[0]))),
        "made_up": store.about("schools").get("data_source") == "made-up",
    }


def counted(rows: pd.DataFrame) -> str:
    scored = int(rows["status"].eq("scored").sum())
    card = " The next inspection of each is a report card." if on_card(rows) else ""
    return (
        f"{len(rows):,} open school{'s' if len(rows) != 1 else ''}, {scored:,} of them with a chance.{card}"
    )
