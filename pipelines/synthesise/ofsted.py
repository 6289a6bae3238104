"""The inspection files: every release from 2005 to report cards, in its own wording, markers and shape."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from headway.pipelines import frameworks
from headway.pipelines.synthesise.events import happened, placed
from headway.pipelines.synthesise.particulars import listed
from headway.pipelines.synthesise.sheets import day_text, official, open_document, workbook, write_csv, zipped
from headway.pipelines.synthesise.world import LAST_YEAR, World

FOLDER = "ofsted"
STATE_FUNDED = "Management_information_-_state-funded_schools_-_"
NO_OVERALL = "2024-09-01"
REPORT_CARDS = "2025-11-10"
# The pages of a month's workbook that hold no data, and the two rows above the headers of those that do.
COVER = (
    "State-funded schools inspections and outcomes: management information (made up)",
    "No school in it is real.",
)
CONTENTS = ("Contents", "D1_In_year_inspections", "D2_Most_recent_inspections")
TITLES = (
    "Management information: inspections of state-funded schools (made up)",
    "This worksheet contains one table.",
)


def write(
    out: Path,
    world: World,
    schools: pd.DataFrame,
    cards: pd.DataFrame,
    until: int,
    rng: np.random.Generator,
    *,
    monthly: bool = False,
) -> None:
    """Every inspection file up to August of the year `until`, into `out`; the last two, with `monthly`, as
    one workbook.
    """
    events = happened(world, schools, rng)
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    name = "Management_information_-_schools_-_1_Sept_2005_to_31_August_2015.xlsx"
    (folder / name).write_bytes(
        workbook(_to_2015(events), "2005-2015 Inspections", title="All inspections (made up)")
    )
    write_csv(
        folder / "Management_information_-_state-funded_schools_1_September_2015_to_31_August_2019.csv",
        _year_to_date(events, 2015, 2019),
        encoding="cp1252",
        title="Made-up inspections, 2015 to 2019",
    )
    for year in range(2019, 2025):
        month = "August" if year == 2019 else "Aug"
        write_csv(
            folder / f"{STATE_FUNDED}all_inspections_-_year_to_date_published_by_31_{month}_{year + 1}.csv",
            _year_to_date(events, year, year + 1),
            encoding="cp1252",
            blank_rows=3,
        )
    write_csv(
        folder / "State-funded_schools_inspections_and_outcomes_as_at_31_August_2025.csv",
        _latest(events, schools, "2025-08-31"),
        encoding="cp1252",
        blank_rows=15,
    )
    cards = _numbered(placed(cards, schools))
    for year in range(LAST_YEAR, until):
        inspected = _report_cards(events, cards, year)
        newest = _latest_report_cards(events, cards, schools, f"{year + 1}-08-31")
        if monthly and year + 1 == until:
            pages = {"Cover": COVER, "Contents": CONTENTS, CONTENTS[1]: inspected, CONTENTS[2]: newest}
            name = f"{STATE_FUNDED}as_at_31_Aug_{until}.ods"
            (folder / name).write_bytes(open_document(pages, titles=TITLES))
            continue
        write_csv(
            folder / f"{STATE_FUNDED}all_inspections_-_year_to_date_published_by_31_August_{year + 1}.csv",
            inspected,
            encoding="cp1252",
        )
        write_csv(
            folder / f"{STATE_FUNDED}latest_inspections_as_at_31_August_{year + 1}.csv",
            newest,
            encoding="cp1252",
        )
    providers = workbook(_monthly(events, schools, "2014-05-31"), "Provider level data")
    inside = {"Management information - Schools - 31 May 2014.xlsx": providers}
    (folder / "Management information - Schools - 31 May 2014.zip").write_bytes(zipped(inside))


def _numbered(cards: pd.DataFrame) -> pd.DataFrame:
    """Report cards with what every row of Ofsted's files says of a visit; numbers follow on from those of
    before.
    """
    order = cards["on"].rank(method="first").astype(int)
    return cards.assign(
        kind="graded",
        inspection_number="10" + (600_000 + order).astype(str),
        inspection_type="S5 Inspection",
        event_type="Schools - S5",
        outcome=None,
        ended=cards["on"] + 1,
        before=-1,
    )


def _school(rows: pd.DataFrame, *, trusts: bool = False) -> dict[str, object]:
    """A school's own columns, with the padded names and blank figures that real lists have."""
    every = {
        "urn": rows["urn"],
        "laestab": rows["laestab"],
        "phase": rows["phase"],
        "type": rows["type"],
        "name": np.where(rows["school"] % 200 == 7, rows["name"] + "  ", rows["name"]),
        "opened_on": day_text(
            np.where(
                rows["opened"] > 11_000, rows["opened"], np.where(rows["school"] % 3 == 0, -25_567, -99_999)
            )
        ),
        "admissions": rows["admissions"],
        "religion": rows["religion"],
        "faith": rows["faith"],
        "region": rows["region"],
        "has_sixth_form": np.where(rows["has_sixth_form"], "Has a sixth form", "Does not have a sixth form"),
        "local_authority": rows["local_authority"],
        "constituency": rows["constituency"],
        "postcode": rows["postcode"],
        "idaci_quintile": _blank(rows["idaci_quintile"], rows["school"] % 245 == 3),
        "pupils": rows["pupils"],
        "low_age": rows["low_age"],
        "high_age": rows["high_age"],
    }
    if trusts:
        every |= {
            "trust_uid": _blank(rows["trust_uid"], rows["trust_uid"] == 0),
            "trust_name": rows["trust_name"],
        }
    return every


def _blank(values: pd.Series, where: pd.Series) -> pa.Array:
    return pa.array(values.to_numpy("int64"), mask=np.asarray(where, dtype=bool))


def _text(
    values: np.ndarray | pd.Series, blank: np.ndarray, marks: dict[str, np.ndarray] | None = None
) -> np.ndarray:
    """Grades as text, blank where told, with Ofsted's markers for no grade where their masks say."""
    text = np.array([None, *map(str, range(1, 10))], dtype=object)[
        pd.Series(values).fillna(0).astype(int).to_numpy()
    ]
    for mark, where in (marks or {}).items():
        text = np.where(where, mark, text)
    return np.where(blank, None, text)


def _visit(
    rows: pd.DataFrame, *, ends: bool = True, numbered: str = "inspection_number"
) -> dict[str, object]:
    given = {
        numbered: rows["inspection_number"],
        "inspection_type": rows["inspection_type"],
        "event_type": rows["event_type"],
        "inspected_on": day_text(rows["on"]),
        "published_on": day_text(rows["out"]),
    }
    return given | ({"ended_on": day_text(rows["ended"])} if ends else {})


def _grades(
    rows: pd.DataFrame, *, since_2019: bool, none: str | None = None, overall: str = "published"
) -> dict[str, object]:
    """The judgements of graded inspections; 9 where a framework didn't give one, `none` in rows that gave no
    grade.

    `overall` is published, or `not judged` for inspections since September 2024, or absent.
    """
    no_grade = (rows["kind"] != "graded").to_numpy() | rows["inspected_on"].isna().to_numpy()
    old = rows["inspected_on"] < ("2019-09-01" if since_2019 else "2005-09-01")
    before = rows["inspected_on"] < "2015-09-01"
    no_early = (rows["inspected_on"] >= "2012-01-01") & (rows["inspected_on"] < "2014-09-01")
    new = rows["inspected_on"] >= NO_OVERALL
    columns = {
        "overall": _text(rows["overall"], no_grade, {"Not judged": new} if overall == "not judged" else None),
        "category": np.where(no_grade | rows["category"].isna(), None, rows["category"]),
        "leadership": _text(rows["leadership"], no_grade),
        "behaviour": _text(rows["behaviour"], no_grade, {"9": old}),
        "safeguarding": np.where(no_grade, None, np.where(before, "9", rows["safe"])),
        "early_years": _text(
            rows["early_years"],
            no_grade,
            {"9": no_early, "8": before & (rows["draw"] < 0.05), "0": ~before & (rows["draw"] > 0.999)},
        ),
        "sixth_form": _text(rows["sixth_form"], no_grade, {"9": no_early}),
    }
    if since_2019:
        columns |= {
            c: _text(rows[c], no_grade, {"9": old}) for c in ("quality_of_education", "personal_development")
        }
    else:
        columns |= {c: _text(rows[c], no_grade) for c in ("teaching", "achievement")}
    if overall == "absent":
        del columns["overall"]
    if none:
        columns = {
            c: np.where(no_grade & (rows["inspection_number"].notna()), none, v) for c, v in columns.items()
        }
    return columns


def _before(events: pd.DataFrame, rows: pd.DataFrame, **how: object) -> dict[str, object]:
    """The graded inspection before each row's, as a `previous` record."""
    earlier = events.reindex(rows["before"].where(rows["before"] >= 0)).reset_index(drop=True)
    earlier = earlier.assign(
        **{c: earlier[c].fillna(-99_999).astype("int64") for c in ("on", "out", "ended")}
    )
    visit = _visit(earlier)
    return (
        {c: visit[c] for c in ("inspection_number", "inspected_on", "published_on")}
        | {
            "urn_then": pa.array(earlier["urn"].to_numpy(), mask=earlier["urn"].isna().to_numpy()).cast(
                pa.int64()
            )
        }
        | _grades(earlier, **how)
    )


def _days(values: np.ndarray) -> pa.Array:
    values = np.asarray(values, dtype="int64")
    return pa.array(values.astype("int32"), mask=values < -20_000).cast(pa.date32())


def _to_2015(events: pd.DataFrame) -> pa.Table:
    rows = events[(events["inspected_on"] < "2015-09-01") & (events["kind"] == "graded")].reset_index(
        drop=True
    )
    earlier = events.reindex(rows["before"].where(rows["before"] >= 0)).reset_index(drop=True)

    def number(values: pd.Series) -> pa.Array:
        return pa.array(values.fillna(9).astype("int64").to_numpy())

    padded = {"SM": "SM ", "NTI": "NTI", "SWK": "SWK"}
    since_2012 = rows["inspected_on"] >= "2012-01-01"
    visit = {
        "inspection_number": rows["inspection_number"],
        "inspection_type": rows["inspection_type"],
        "inspected_on": _days(rows["on"]),
        "ended_on": _days(rows["ended"]),
        "published_on": _days(rows["out"]),
        "category": rows["category"].map(padded).to_numpy(dtype=object),
        "middle_leadership": number(rows["middle_leadership"].mask(since_2012, 9)),
        "early_years": number(rows["early_years"]),
        "sixth_form": number(rows["sixth_form"]),
        **{c: number(rows[c]) for c in ("overall", "leadership", "teaching", "achievement", "behaviour")},
    }
    previous = {
        "inspection_number": earlier["inspection_number"],
        "ended_on": _days(earlier["ended"].fillna(-99_999)),
        "overall": pa.array(earlier["overall"].to_numpy(), from_pandas=True).cast(pa.int64()),
        "category": earlier["category"].map(padded).to_numpy(dtype=object),
    }
    school = {c: v for c, v in _school(rows).items() if c in ("urn", "laestab", "name")}
    spelling = {
        "leadership": "leadership",
        "category": "category",
        "teaching": "quality",
        "achievement": "pupils' achievement (",
        "behaviour": "behaviour and safety",
        "early_years": "early years provision",
        "sixth_form": "sixth form provision",
        "inspection_type": "inspection type",
        "published_on": "first",
    }
    return official(
        "September 2005 to August 2015",
        {"schools": school, "inspection": visit, "previous": previous},
        spelling,
    )


def _year_to_date(events: pd.DataFrame, first: int, last: int) -> pa.Table:
    """All inspections of the academic years from `first` to `last`, one row each, in the wording of the
    time.
    """
    inside = (events["inspected_on"] >= f"{first}-09-01") & (events["inspected_on"] < f"{last}-09-01")
    inside &= events["published_on"] < f"{last}-09-01"
    rows = events[inside].reset_index(drop=True)
    since_2019, none = first >= 2019, "NULL" if first >= 2019 else None
    judged = _grades(
        rows, since_2019=since_2019, none=none, overall="absent" if first >= 2024 else "published"
    )
    visit = _visit(rows, ends=first < 2024) | {"ungraded_outcome": rows["outcome"]} | judged
    records = {
        "schools": _school(rows, trusts=first >= 2024),
        "inspection": visit,
        "previous": _before(events, rows, since_2019=since_2019),
    }
    if not since_2019:
        spelling = {
            "behaviour": "personal development, b",
            "sixth_form": "16 to 19",
            "safeguarding": "is safeguarding",
            "ungraded_outcome": "outcomes for s8",
            "previous.overall": "previous overall effectivene",
            "previous.sixth_form": "previous 16 - 19",
            "previous.behaviour": "previous personal development, b",
        }
        return official("all inspections, September 2015", records, spelling)
    spelling = {
        "previous.overall": "previous overall effectivene",
        "sixth_form": "sixth form provision (",
        "previous.sixth_form": "previous sixth form provision (",
    }
    if first < 2022:
        spelling["ungraded_outcome"] = "outcomes for section 8 inspections that"
    return official("year to date, September 2019", records, spelling)


def _newest(
    events: pd.DataFrame, schools: pd.DataFrame, day: str, only: pd.Series
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The schools open on a day, and for each its newest event among those chosen, blank where it has
    none.
    """
    open_ = listed(schools, day).reset_index(drop=True)
    known = events[only & (events["published_on"] <= day)]
    last = known.drop_duplicates("school", keep="last").assign(row=lambda e: e.index).set_index("school")
    result = last.reindex(open_["school"]).reset_index()
    for column in ("on", "out", "ended", "before"):
        result[column] = result[column].fillna(-99_999 if column != "before" else -1).astype("int64")
    return open_, result


def _number_or_blank(values: pd.Series) -> pa.Array:
    return pa.array(values.to_numpy(), from_pandas=True).cast(pa.int64())


def _since(events: pd.DataFrame, schools: pd.DataFrame, day: str, latest: pd.DataFrame) -> dict[str, object]:
    """The newest ungraded inspection of each school since its latest graded one."""
    _, visits = _newest(events, schools, day, events["kind"] == "ungraded")
    stale = (visits["on"] < latest["on"]).to_numpy()
    given = {
        "inspection_number": visits["inspection_number"],
        "inspected_on": day_text(visits["on"]),
        "published_on": day_text(visits["out"]),
        "urn_then": visits["urn"],
        "ungraded_outcome": visits["outcome"],
    }
    given = {c: pd.Series(v).mask(stale) for c, v in given.items()}
    return given | {"urn_then": _number_or_blank(given["urn_then"])}


def _latest(events: pd.DataFrame, schools: pd.DataFrame, day: str) -> pa.Table:
    open_, latest = _newest(events, schools, day, events["kind"] == "graded")
    visit = _visit(latest, ends=False) | {"urn_then": _number_or_blank(latest["urn"])}
    records = {
        "schools": _school(open_, trusts=True),
        "ungraded": _since(events, schools, day, latest),
        "latest": visit | _grades(latest, since_2019=True, overall="not judged"),
        "previous": _before(events, latest, since_2019=True),
    }
    return official(
        "graded and ungraded, September 2022",
        records,
        {
            "sixth_form": "sixth form provision (",
            "previous.inspection_number": "previous inspection n",
            "previous.sixth_form": "previous sixth form provision (",
        },
    )


def _monthly(events: pd.DataFrame, schools: pd.DataFrame, day: str) -> pa.Table:
    """A month's list of 2013 to 2015: end dates, a dash for an inspection that never was."""
    open_, latest = _newest(events, schools, day, events["kind"] == "graded")
    earlier = events.reindex(latest["before"].where(latest["before"] >= 0)).reset_index(drop=True)
    grades = _grades(latest, since_2019=False)
    school = _school(open_)
    names = (
        "urn",
        "laestab",
        "name",
        "type",
        "phase",
        "region",
        "local_authority",
        "constituency",
        "postcode",
        "pupils",
    )
    records = {
        "schools": {c: school[c] for c in names},
        "latest": {
            "ended_on": _days(latest["ended"]),
            "category": pd.Series(grades["category"]).replace({"SM": "SM "}),
            **{c: grades[c] for c in ("overall", "leadership", "teaching", "achievement", "behaviour")},
        },
        "previous": {
            "ended_on": _days(earlier["ended"].fillna(-99_999)),
            "overall": np.where(
                earlier["overall"].isna(), "-", _text(earlier["overall"], earlier["overall"].isna())
            ),
            "category": earlier["category"].where(earlier["overall"].notna(), "-").to_numpy(dtype=object),
        },
    }
    return official(
        "monthly management information",
        records,
        {
            "name": "schoolname",
            "type": "type of education",
            "region": "government",
            "local_authority": "local authority",
            "pupils": "total pupils",
            "leadership": "the effectiveness",
            "category": "category",
            "teaching": "the quality",
            "achievement": "achievement of pupils",
            "behaviour": "pupils'",
        },
    )


def _card(rows: pd.DataFrame, *, latest: bool) -> dict[str, object]:
    """The standards of report cards in words; of a latest list those given last, each with the day it dates
    from.
    """
    words = np.array([None, *frameworks.STANDARDS], dtype=object)
    blank = rows["inspected_on"].isna().to_numpy()
    columns: dict[str, object] = {
        "safeguarding": np.where(blank, None, np.where(rows["safe"] == "No", "Not met", "Met")),
        "category": np.where(blank, None, rows["category"]),
    }
    if latest:
        columns["safeguarding_graded_on"] = day_text(rows["on"])
    for area in frameworks.AREAS:
        again = (rows[f"{area}_again"] > 0).to_numpy() & latest
        standard = rows[area].where(~again, rows[f"{area}_again"]).fillna(0).to_numpy("int64")
        columns[area] = np.where(blank, None, np.where(standard > 0, words[standard], "Not applicable"))
        if latest:
            columns[f"{area}_graded_on"] = day_text(
                np.where(standard > 0, np.where(again, rows["visit_on"], rows["on"]), -99_999)
            )
    return columns


def _report_cards(events: pd.DataFrame, cards: pd.DataFrame, year: int) -> pa.Table:
    """The report cards of an academic year as the inspections found, and in the first also the last visits by
    old grades.
    """
    first = cards.drop_duplicates("school").set_index("school")["on"]
    legacy = events[
        (events["inspected_on"] >= REPORT_CARDS) & (events["kind"] == "monitoring") & (year == LAST_YEAR)
    ]
    legacy = legacy[legacy["on"] < legacy["school"].map(first).fillna(99_999)]
    rows = pd.concat([cards[cards["year"] == year], legacy]).sort_values(
        ["school", "on"], kind="stable", ignore_index=True
    )
    given = _card(rows, latest=False)
    carded = (rows["kind"] == "graded").to_numpy()
    given = {name: np.where(carded, column, None) for name, column in given.items()}
    return official(
        "report cards, year to date",
        {
            "schools": _school(rows, trusts=True),
            "report_card": _visit(rows, ends=False) | given,
            "monitoring": {"ungraded_outcome": np.where(carded, None, rows["outcome"])},
        },
        {"monitoring.ungraded_outcome": "outcomes for legacy"},
    )


def _latest_report_cards(
    events: pd.DataFrame, cards: pd.DataFrame, schools: pd.DataFrame, day: str
) -> pa.Table:
    seen = cards["visit_out"] <= int(np.datetime64(day, "D").astype(int))
    known = cards.assign(
        **{f"{area}_again": cards[f"{area}_again"].where(seen, 0) for area in frameworks.AREAS}
    )
    open_, card = _newest(known, schools, day, known["kind"] == "graded")
    _, before = _newest(events, schools, day, events["kind"] == "graded")
    records = {
        "schools": _school(open_, trusts=True),
        "report_card": _visit(card, ends=False)
        | _card(card, latest=True)
        | {"urn_then": _number_or_blank(card["urn"])},
        "latest": _visit(before, ends=False)
        | {"urn_then": _number_or_blank(before["urn"])}
        | _grades(before, since_2019=True, overall="not judged"),
        "ungraded": _since(events, schools, day, before),
    }
    return official(
        "latest report cards",
        records,
        {
            "latest.sixth_form": "latest oeif sixth form provision (",
            "ungraded.inspection_number": "latest ungraded",
        },
    )
