"""The explorer's pages without a browser, on six drawn schools: every page, every empty state, a hostile name."""

import re
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from explorer import words
from pipelines import tables

ROOT = Path(__file__).parents[1]
PAGES = {
    "find": "Find a school",
    "school": "School",
    "what_if": "What if?",
    "trust": "Trust or authority",
    "compare": "Compare",
    "evidence": "Evidence",
    "how_good": "How good is this?",
    "your_data": "Your own data",
    "about": "About",
}
HOSTILE = """<script>alert("x")</script> O'Brien's [Link](http://x.example) $a$ :red[A]"""
GOOD, TOP, NEVER, FEW, NAMED, CLOSED, NOWHERE = 100001, 100002, 100003, 100004, 100005, 100006, 999999
ABOUT = {"data_source": "made-up", "newest_file_on": "2025-09-29", "inputs": "none"}


def _schools() -> pd.DataFrame:
    names = {
        GOOD: "Ash Primary School",
        TOP: "Beech Primary School",
        NEVER: "Cedar Free School",
        FEW: "Elm Unit",
        NAMED: HOSTILE,
        CLOSED: "Fir Primary School",
    }
    return pd.DataFrame(
        [
            {
                "urn": urn,
                "lineage": urn,
                "name": name,
                "phase": "Primary",
                "type": "Community School",
                "region": "London",
                "local_authority": "Barnet",
                "trust_uid": 77 if urn != CLOSED else None,
                "trust_name": "Oak, Ash & Thorn Trust",
                "postcode": "N1 1AA",
                "latitude": 51.5 + at / 50,
                "longitude": -0.1,
                "pupils": 200,
                "open": urn != CLOSED,
            }
            for at, (urn, name) in enumerate(names.items())
        ]
    )


def _predictions() -> pd.DataFrame:
    scored = {
        "status": "scored",
        "framework": "education inspection framework, 2019",
        "overall_source": "published",
        "phase": "Primary",
        "inspected_on": "2021-10-05",
        "enough_like_it": True,
        "like_it": 900,
        "signals_blank": 3,
        "extrapolation": True,
    }
    rows = [
        {
            "urn": GOOD,
            **scored,
            "overall": 3,
            "p_improve": 0.68,
            "p_same": 0.28,
            "p_worse": 0.04,
            "p_low": 0.60,
            "p_high": 0.75,
            "p_grade_1": 0.02,
            "p_grade_2": 0.66,
            "p_grade_3": 0.28,
            "p_grade_4": 0.04,
            "grade_set": "1-2",
            "base_rate": 0.62,
            "contribution_retention": 0.10,
            "contribution_intake": -0.05,
            "contribution_level": 0.01,
        },
        {
            "urn": TOP,
            **scored,
            "overall": 1,
            "p_same": 0.40,
            "p_worse": 0.60,
            "p_low": 0.30,
            "p_high": 0.50,
            "p_grade_1": 0.40,
            "p_grade_2": 0.50,
            "p_grade_3": 0.09,
            "p_grade_4": 0.01,
            "grade_set": "1-2",
            "base_rate": 0.35,
            "contribution_retention": 0.05,
            "contribution_intake": 0.0,
            "contribution_level": 0.0,
        },
        {"urn": NEVER, "status": "never graded", "phase": "Primary"},
        {
            "urn": FEW,
            **scored,
            "overall": 4,
            "enough_like_it": False,
            "like_it": 12,
            "p_improve": 0.97,
            "p_same": 0.03,
            "p_worse": 0.0,
            "p_low": 0.5,
            "p_high": 0.99,
            "p_grade_1": 0.0,
            "p_grade_2": 0.5,
            "p_grade_3": 0.47,
            "p_grade_4": 0.03,
            "grade_set": "2-3",
            "base_rate": 0.96,
            "contribution_retention": 0.01,
            "contribution_intake": 0.0,
            "contribution_level": 0.0,
        },
    ]
    rows.append({**rows[0], "urn": NAMED})
    made = pd.DataFrame(rows).assign(
        lineage=lambda f: f["urn"], as_of="2025-09-30", model_version="abc", data_source="made-up"
    )
    return made.assign(as_of=pd.to_datetime(made["as_of"]), inspected_on=pd.to_datetime(made["inspected_on"]))


def _inspections() -> pd.DataFrame:
    rows = [
        (urn, "graded", rank, day, book)
        for urn, rank in ((GOOD, 3), (TOP, 1), (FEW, 4), (NAMED, 3), (CLOSED, 2))
        for day, book in (("2010-03-02", "section 5, 2009"), ("2021-10-05", "education inspection framework, 2019"))
    ]
    made = pd.DataFrame(rows, columns=["urn", "kind", "overall", "inspected_on", "framework"])
    days = pd.to_datetime(made["inspected_on"])
    return made.assign(lineage=made["urn"], inspected_on=days, known_on=days, overall_source="published", leadership=2)


def _workforce() -> pd.DataFrame:
    figures = pd.DataFrame({"period": [2019, 2021], "pupils_per_teacher": [20.5, 21.5], "teachers_fte": [10.0, 9.5]})
    return figures.assign(urn=GOOD, lineage=GOOD, known_on=pd.Timestamp("2022-06-08"), source_file="made")


def write_tables(folder: Path) -> Path:
    """A set of tables drawn by hand: six schools, one of them never graded, one closed, one with a hostile name."""
    examples = pd.DataFrame(
        {
            "urn": [TOP],
            "lineage": [TOP],
            "as_of": [pd.Timestamp("2020-09-01")],
            "phase": ["Primary"],
            "next_inspected_on": [pd.Timestamp("2021-10-05")],
            "label": ["improved"],
            "label_source": ["published"],
            "next_framework": ["education inspection framework, 2019"],
            "next_overall": [1],
        }
    )
    similar = pd.DataFrame(
        {
            "urn": [GOOD],
            "rank": [1],
            "other_urn": [TOP],
            "other_as_of": [pd.Timestamp("2020-09-01")],
            "distance": [0.1],
            "reasons": ["absence_standing; share_girls"],
            "outcome": ["improved"],
            "next_overall": [1],
        }
    )
    signals_today = pd.DataFrame({"urn": [GOOD], "as_of": [pd.Timestamp("2025-09-30")], "share_stayed": [0.8]})
    frames = {
        "schools": _schools(),
        "predictions": _predictions(),
        "inspections": _inspections(),
        "workforce": _workforce(),
        "examples": examples,
        "similar": similar,
        "signals_today": signals_today,
    }
    tables.write(folder, frames, about=ABOUT)
    ratio = {"estimate": 1.14, "low": 1.11, "high": 1.18}
    row = {
        "what": "better, against not better",
        "label_source": "all",
        "exposed": {"n": 90, "share": 0.5},
        "unexposed": {"n": 80, "share": 0.4},
        "risk_ratio": ratio,
        "too_few": False,
    }
    claim = {
        "id": "leadership_gap",
        "statement": "Ten times as likely <b>",
        "source": "A report",
        "exposed": "with",
        "unexposed": "without",
        "size_claimed": 10.0,
        "caution": "",
        "raw": row,
        "adjusted": row,
        "n": 170,
        "schools": 150,
        "verdict": "real, but smaller",
        "verdict_words": "Real, but smaller.",
        "would_take": None,
        "steps": [{"id": "raw", "title": "All schools", "rows": [row], "more": []}],
    }
    empty = {
        **claim,
        "id": "capacity",
        "steps": [],
        "raw": None,
        "adjusted": None,
        "n": 0,
        "verdict": "cannot be tested",
    }
    tables.write_json(
        folder / "evidence.json",
        {
            "claims": [claim, empty],
            "counts": {"pairs": 170, "schools": 150},
            "newest_outcome_on": "2025-07-15",
            "notes": ["A note."],
        },
    )
    score = {
        "fold": "2023-09-01",
        "n": 500,
        "skill": 0.1,
        "skill_low": 0.05,
        "skill_high": 0.15,
        "auc_2": 0.7,
        "auc_2_low": 0.6,
        "auc_2_high": 0.8,
        "n_2": 300,
        "auc_3": None,
        "n_3": 0,
        "brier": 0.1,
    }
    group = {
        "by": "phase",
        "n": 400,
        "too_few": False,
        "rate": 0.3,
        "mean_p": 0.29,
        "gap": 0.01,
        "gap_low": -0.02,
        "gap_high": 0.04,
        "skill": 0.1,
    }
    tables.write_json(
        folder / "train.json",
        {
            "as_of": "2025-09-30",
            "model_version": "abc",
            "signals": ["share_stayed"],
            "signals_blank": ["share_vacant"],
            "scores": [{**score, "model": "champion"}, {**score, "model": "logistic"}],
            "means": [{"model": "champion", "skill": 0.1, "auc_2": 0.7, "auc_3": None, "brier": 0.1}],
            "coverage": [{"n": 500, "coverage": 0.9, "mean_size": 1.9}],
            "fairness": [{**group, "group": "Primary"}, {"by": "phase", "group": "Nursery", "n": 3, "too_few": True}],
        },
    )
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HEADWAY_TABLES", str(tmp_path / "tables"))
    monkeypatch.setenv("HEADWAY_RUNS", str(tmp_path / "mlruns"))
    return tmp_path / "tables"


def shown(name: str, **query: object) -> AppTest:
    """A page as a visitor with that address sees it."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = str(value)
    app.switch_page(f"explorer/{name}.py").run()
    assert [error.message for error in app.exception] == []
    return app


def said(app: AppTest) -> str:
    """Everything the page says, as it reads: Markdown's backslashes taken away."""
    parts = [*app.title, *app.header, *app.markdown, *app.caption, *app.info, *app.warning]
    tables_ = [table.value.to_csv(index=False) for table in app.table]
    return re.sub(r"\\(.)", r"\1", "\n".join([*(part.value for part in parts), *tables_]))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_shows_itself(folder, name):
    write_tables(folder)
    app = shown(name)
    assert [title.value for title in app.title] == [PAGES[name]]
    text = said(app)
    assert "These schools are made up." in text
    assert "29 September 2025" in text


@pytest.mark.parametrize("name", [name for name in PAGES if name != "your_data"])
def test_without_tables_every_page_says_what_to_do(folder, name):
    text = said(shown(name, urn=GOOD, trust=77))
    assert "headway" in text


@pytest.mark.parametrize("name", PAGES)
def test_tables_of_another_layout_are_named_not_shown(folder, name, monkeypatch):
    monkeypatch.setattr(tables, "VERSION", "0")
    write_tables(folder)
    monkeypatch.undo()
    monkeypatch.setenv("HEADWAY_TABLES", str(folder))
    text = said(shown(name, urn=GOOD, trust=77))
    if name not in ("evidence", "your_data", "about", "how_good"):
        assert "was written in layout 0" in text


@pytest.mark.parametrize("name", ("find", "school", "what_if", "trust", "compare", "about"))
def test_schools_alone_are_enough_for_a_page(folder, name):
    tables.write(folder, {"schools": _schools()}, about=ABOUT)
    shown(name, urn=GOOD, trust=77, urns=f"{GOOD},{TOP}")


def test_a_school_page_opens_with_one_sentence_that_has_the_usual_rate_beside_the_chance(folder):
    write_tables(folder)
    text = said(shown("school", urn=GOOD))
    assert "about 62 improve at their next graded inspection; the model puts this school at 68" in text
    assert "90% sure of Good or better" in text
    assert "somewhere from 60 to 75" in text


def test_an_outstanding_school_is_asked_about_staying(folder):
    write_tables(folder)
    assert (
        "about 35 are still Outstanding after their next graded inspection; the model puts this school at 40"
        in said(shown("school", urn=TOP))
    )


def test_a_school_never_graded_has_no_chance_and_still_a_page(folder):
    write_tables(folder)
    text = said(shown("school", urn=NEVER))
    assert "no graded inspection on record" in text
    assert "No inspection of this school is in the files read" in text
    assert "no staff or pupil figures" in text


def test_too_few_schools_like_it_give_no_number(folder):
    write_tables(folder)
    text = said(shown("school", urn=FEW))
    assert "Not enough like it to say: only 12" in text
    assert "97" not in text


def test_a_closed_school_has_a_page_and_no_prediction(folder):
    write_tables(folder)
    assert "This school closed" in said(shown("school", urn=CLOSED))


@pytest.mark.parametrize("urn", (NOWHERE, "abc", "-1", "1e9", "99999999999999999999"))
def test_a_urn_that_is_nobodys_is_said_to_be_so(folder, urn):
    write_tables(folder)
    assert "No school with that URN" in said(shown("school", urn=urn))


def test_a_grade_never_stands_without_its_day_framework_and_source(folder):
    write_tables(folder)
    text = said(shown("school", urn=GOOD))
    assert (
        "Requires improvement, inspected on 5 October 2021 (education inspection framework, 2019; published by Ofsted)"
        in text
    )


def test_a_name_is_text_wherever_it_stands(folder):
    write_tables(folder)
    for name, query in (
        ("find", {"q": "o'brien"}),
        ("school", {"urn": NAMED}),
        ("trust", {"trust": 77}),
        ("compare", {"urns": f"{NAMED},{GOOD}"}),
        ("what_if", {"urn": NAMED}),
    ):
        app = shown(name, **query)
        raw = "\n".join(part.value for part in [*app.title, *app.header, *app.markdown])
        assert not re.search(r"(?<!\\)<script|(?<!\\)\]\(http|(?<!\\):red", raw), name


def test_the_report_escapes_and_fetches_nothing(folder):
    write_tables(folder)
    from explorer import report, store

    row, predicted = store.school(NAMED), store.prediction(NAMED)
    page = report.html(row, predicted, store.inspections(NAMED), {}, pd.DataFrame())
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(src|href)=|url\(|@import", page)
    assert "about 62 improve" in page


def test_a_csv_holds_no_formula():
    rows = pd.DataFrame({"name": ["=1+1", "+44", "-x", "@a", "Ash"], "step": [-1.0, 0, 1, 2, 3]})
    lines = words.for_spreadsheet(rows).decode("utf-8-sig").splitlines()
    assert lines[1:] == ["'=1+1,-1.0", "'+44,0.0", "'-x,1.0", "'@a,2.0", "Ash,3.0"]


def test_search_finds_by_name_postcode_urn_trust_and_authority(folder):
    write_tables(folder)
    from explorer import store

    for asked in ("ash prim", "N11AA", "n1 1aa", str(GOOD), "thorn", "barnet"):
        assert GOOD in store.found(asked)["urn"].tolist(), asked
    assert store.found("zzz").empty
    assert CLOSED not in store.found("fir")["urn"].tolist()
    assert store.found("(ash")["urn"].tolist() == []  # a bracket is a bracket, not a pattern


def test_the_steps_add_up_to_the_chance():
    row = _predictions().iloc[0]
    assert row["base_rate"] + words.parts(row)["step"].sum() == pytest.approx(words.chance(row))


def test_a_trust_is_listed_by_the_alphabet_and_kept_in_the_address(folder):
    write_tables(folder)
    app = shown("trust", trust=77)
    listed = [
        table.value
        for table in app.table
        if "school" in table.value.columns or "school" in map(str, table.value.columns)
    ]
    names = [re.sub(r"\\(.)", r"\1", name) for name in listed[-1]["school"]]
    assert names == sorted(names)
    assert list(app.query_params["trust"]) == ["77"] or app.query_params["trust"] == "77"


def test_a_trust_that_does_not_exist_is_said_to_be_so(folder):
    write_tables(folder)
    assert "No open school in these tables belongs to a trust with the number 5" in said(shown("trust", trust=5))


def test_schools_compared_keep_the_order_they_were_named_in(folder):
    write_tables(folder)
    app = shown("compare", urns=f"{TOP},{GOOD},{NOWHERE}")
    columns = [str(column) for column in app.table[0].value.columns]
    assert "Beech" in columns[1] and "Ash" in columns[2]
    assert f"No school has the URN {NOWHERE}" in said(app)


def test_what_if_without_a_stored_model_says_so(folder):
    write_tables(folder)
    assert "The stored model isn’t on this machine" in said(shown("what_if", urn=GOOD))


def test_similar_schools_are_told_with_reasons_in_words_and_the_day_of_what_came(folder):
    write_tables(folder)
    text = said(shown("school", urn=GOOD))
    assert "Of the 1 most similar schools, 1 improved" in text
    assert "Sessions missed" in text and "absence_standing" not in text
    assert "5 October 2021" in text


def test_words():
    assert [words.grades(span) for span in ("1-2", "2-3", "2", "3-4", "1-4")] == [
        "Good or better",
        "Good or Requires improvement",
        "Good",
        "Requires improvement or worse",
        "any of the four grades",
    ]
    assert words.grade(3, "2010-01-01") == "Requires improvement (then called “satisfactory”)"
    assert [words.percent(share) for share in (0.004, 0.62, 0.996, None)] == [
        "under 1%",
        "62%",
        "over 99%",
        "not known",
    ]
    assert [words.points(step) for step in (0.123, -0.05, 0.0)] == ["+12.3", "−5.0", "0.0"]
