"""The explorer's pages without a browser, on six drawn schools: every page, every empty state, a hostile name."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from explorer import access, capacity, own, words
from pipelines import registers, signals, tables

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
                "la_code": 302,
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
            "calibration": [{"bin": 1, "n": 500, "mean_p": 0.29, "rate": 0.33, "low": 0.28, "high": 0.38}],
            "coverage": [{"n": 500, "coverage": 0.9, "mean_size": 1.9}],
            "fairness": [{**group, "group": "Primary"}, {"by": "phase", "group": "Nursery", "n": 3, "too_few": True}],
        },
    )
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    sits_at(monkeypatch, None)
    monkeypatch.setenv("HEADWAY_TABLES", str(tmp_path / "tables"))
    monkeypatch.setenv("HEADWAY_RUNS", str(tmp_path / "mlruns"))
    monkeypatch.setenv("HEADWAY_REGISTERS", str(tmp_path / "registers"))
    monkeypatch.setenv("HEADWAY_ACCESS", str(tmp_path / "access.toml"))
    return tmp_path / "tables"


def sits_at(monkeypatch, address: str | None) -> None:
    """Where the visitor's connection comes from, which AppTest doesn't have: nothing is this machine."""
    monkeypatch.setattr(type(streamlit.context), "ip_address", property(lambda _: address))


def shown(name: str, user: str | None = None, **query: object) -> AppTest:
    """A page as a visitor with that address sees it; with a `user` (empty for nobody yet) there is a sign-in."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if user is not None:
        app.secrets["auth"] = {"redirect_uri": "http://localhost:8501/oauth2callback", "cookie_secret": "x" * 32}
        app.user = {"is_logged_in": bool(user), "email": user}
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


def test_what_was_said_and_what_came_are_shown_as_stored_or_said_to_be_missing(folder):
    write_tables(folder)
    assert "It said 4.0 points too little, taken together" in said(shown("how_good"))
    told = json.loads((folder / "train.json").read_text("utf-8"))
    tables.write_json(folder / "train.json", {name: part for name, part in told.items() if name != "calibration"})
    assert "holds no such comparison" in said(shown("how_good"))


@pytest.mark.parametrize("name", PAGES)
def test_tables_without_a_row_still_make_pages(folder, name):
    write_tables(folder)
    none = {table: tables.read(folder, table).head(0) for table in ("schools", "predictions", "inspections", "similar")}
    tables.write(folder, none, about=ABOUT)
    shown(name, urn=GOOD, trust=77, urns=f"{GOOD},{TOP}")


def test_a_workforce_that_is_all_blank_is_said_not_to_be_nought(folder):
    write_tables(folder)
    blank = tables.read(folder, "workforce").assign(pupils_per_teacher=None, teachers_fte=None)
    tables.write(folder, {"workforce": blank}, about=ABOUT)
    assert "A blank is not a nought" in said(shown("school", urn=GOOD))


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


# --- registers --------------------------------------------------------------------------------------------------------

TRUST, SCHOOL = "trust-77", f"school-{GOOD}"
DAY = pd.Timestamp.now().normalize() - pd.Timedelta(days=10)


def register(kind: str, *rows: dict, urn: int = GOOD) -> bytes:
    """A register as its owner would fill it in; what a row leaves out is blank."""
    days = {"counted_on": f"{DAY:%Y-%m-%d}", "recorded_on": f"{DAY:%Y-%m-%d}"}
    filled = pd.DataFrame([{"urn": urn, **days, **row} for row in rows], columns=registers.KINDS[kind].names)
    return filled.to_csv(index=False).encode()


CAPACITY = register(
    "improvement-capacity",
    {"staff": 200, "improvement_leaders": 0, "improvement_practitioners": 12},
    {"urn": TOP, "staff": 100, "improvement_leaders": 3, "improvement_practitioners": 3},
)
STAFF = register("staff", {"teachers_a_year_before": 20, "stayed": 19, "moved_school": 0, "left_system": 1})


def keep(folder: Path, content: bytes, owner: str, source: str = "made-up") -> None:
    schools = tables.read(folder, "schools")
    registers.add(folder.parent / "registers", owner, content, "x.csv", schools, own.today(), source)


@pytest.mark.parametrize(
    ("sign_in", "user", "local", "sees"),
    [
        (False, None, True, {TRUST, SCHOOL}),  # this machine's own user, where there is no sign-in
        (False, None, False, set()),
        (True, None, True, set()),  # with a sign-in, sitting at the machine opens nothing
        (True, None, False, set()),
        (True, "Head@Ash.example", False, {SCHOOL}),  # capital letters don't matter in an address
        (True, "stranger@ash.example", True, set()),
        (True, "", True, set()),  # signed in, with no address told or none verified
    ],
)
def test_who_sees_which_register(sign_in, user, local, sees):
    allowed = {"head@ash.example": (frozenset({SCHOOL}), frozenset())}
    mine = access.rights(sign_in, user, local, allowed)
    assert {owner for owner in (TRUST, SCHOOL) if mine.may_see(owner)} == sees
    assert {owner for owner in (TRUST, SCHOOL) if mine.may_write(owner)} == (sees if not sign_in else set())


@pytest.mark.parametrize(
    ("bound", "peer", "host", "passed_on", "local"),
    [
        ("127.0.0.1", None, "127.0.0.1:8501", False, True),
        ("localhost", None, "localhost:8501", False, True),
        ("::1", None, "[::1]:8501", False, True),
        (None, None, "localhost:8501", False, False),  # served to every address
        ("0.0.0.0", None, "localhost:8501", False, False),
        ("127.0.0.1", "10.0.0.7", "127.0.0.1:8501", False, False),
        ("127.0.0.1", None, "evil.example:8501", False, False),  # a name elsewhere that was made to point here
        ("127.0.0.1", None, "127.0.0.1:8501", True, False),  # handed on by another program
    ],
)
def test_only_who_sits_at_this_machine_is_local(bound, peer, host, passed_on, local):
    assert access.here(bound, peer, host, passed_on) is local


def test_the_access_file_names_who_may_see_and_write(tmp_path):
    path = tmp_path / "access.toml"
    assert access.read_allowed(path) == {}
    path.write_text('["Head@ash.example"]\nsee = ["trust-77"]\nwrite = ["school-100001"]\n')
    assert access.read_allowed(path) == {"head@ash.example": (frozenset({TRUST, SCHOOL}), frozenset({SCHOOL}))}


def test_an_access_file_tells_everything_wrong_with_it_and_opens_nothing(folder):
    write_tables(folder)
    keep(folder, STAFF, SCHOOL)
    path = folder.parent / "access.toml"
    path.write_text('["a@x.example"]\nsee = ["the trust"]\n["b@x.example"]\nread = ["trust-77"]\n["A@x.example"]\nsee = []\n')
    with pytest.raises(tables.DataError, match=r"(?s)the trust.*b@x.example: expected lists.*A@x.example: stands there twice"):
        access.read_allowed(path)
    assert "The access file can’t be read" in said(shown("your_data", user="a@x.example"))
    path.write_text("not TOML")
    with pytest.raises(tables.DataError, match="as TOML"):
        access.read_allowed(path)


def test_a_register_is_on_its_schools_page_for_who_may_see_it_alone(folder):
    write_tables(folder)
    keep(folder, STAFF, SCHOOL)
    (folder.parent / "access.toml").write_text(
        '["head@ash.example"]\nsee = ["school-100001"]\n["ceo@x.example"]\nsee = ["trust-77"]\n'
    )
    for user, seen in ((None, True), ("", False), ("head@ash.example", True), ("ceo@x.example", False), ("a@b.example", False)):
        page = shown("school", user=user, urn=GOOD)
        assert ("From its own registers" in said(page)) is seen, user
        assert any("by register" in one for box in page.selectbox for one in box.options) is seen, user
        assert ("school-100001" in said(page)) is False, user
        assert ("Ash" in said(shown("your_data", user=user))) is False
        assert bool([box for box in shown("your_data", user=user).selectbox if "Ash" in str(box.options)]) is seen, user


def test_from_another_machine_no_register_is_seen_where_there_is_no_sign_in(folder, monkeypatch):
    write_tables(folder)
    keep(folder, STAFF, SCHOOL)
    assert "From its own registers" in said(shown("school", urn=GOOD))
    sits_at(monkeypatch, "10.0.0.7")
    assert "From its own registers" not in said(shown("school", urn=GOOD))
    text = said(shown("your_data"))
    assert "isn’t open on the machine that keeps them" in text and "No register that you may see is kept." in text


def test_one_or_two_people_are_never_told_apart_on_a_page(folder):
    write_tables(folder)
    for left in (1, 2):
        stayed = {"teachers_a_year_before": 20, "stayed": 20 - left, "moved_school": 0, "left_system": left}
        keep(folder, register("staff", stayed), SCHOOL)
        told = [table.value.to_csv() for table in shown("school", urn=GOOD).table if "fewer than 3" in table.value.to_csv()]
        assert len(told) == 1
        if left == 1:
            first = told
    assert told == first


def test_where_there_is_a_sign_in_a_button_leads_to_it(folder):
    write_tables(folder)
    assert "Sign in" in [button.label for button in shown("about", user="").sidebar.button]
    assert "Sign out" in [button.label for button in shown("about", user="head@ash.example").sidebar.button]
    assert not shown("about").sidebar.button
    app = shown("about", user="")
    app.sidebar.button[0].click().run()  # the section drawn here names no provider
    assert not app.exception and "Signing in doesn’t work yet" in app.sidebar.warning[0].value


def test_signals_made_from_a_register_are_hidden_unless_every_register_behind_them_may_be_seen(folder):
    write_tables(folder)
    keep(folder, STAFF, SCHOOL)
    entries, known = own.kept().entries, pd.Series({"stayed_by_register": 0.9})

    def hides(*see: str, values: pd.Series | None = known, kept: tuple = entries) -> bool:
        return "stayed_by_register" in own.hidden(own.Kept(access.Rights("", frozenset(see)), kept), GOOD, values)

    assert hides() and hides(TRUST)  # the school's own register made it
    assert not hides(SCHOOL)
    assert hides(TRUST, kept=())  # whoever made it has taken it away since
    assert hides(values=None) and not hides(TRUST, values=None)  # a blank is there to try, for who could fill it
    everything = own.Kept(access.Rights("", everything=True), entries)
    assert own.hidden(everything, GOOD, known) == set()


def uploaded(content: bytes, **more: str) -> AppTest:
    app = shown("your_data", **more)
    app.file_uploader(key="register").set_value(("mine.csv", content, "text/csv")).run()
    assert [error.message for error in app.exception] == []
    return app


def test_a_wrong_register_is_told_by_row_and_column_and_nothing_is_stored(folder):
    write_tables(folder)
    app = uploaded(register("staff", {"teachers_a_year_before": 20, "stayed": 21}, {"urn": NOWHERE, "stayed": "Ms Jones"}))
    text = said(app)
    assert "4 problems" in text and "is more than 20" in text and "is no school in the table of schools" in text
    assert "Jones" not in text
    assert not (folder.parent / "registers").exists()


def test_a_right_register_is_kept_only_when_asked_shown_and_removed_again(folder):
    write_tables(folder)
    app = uploaded(CAPACITY)
    assert "Nothing wrong: 2 rows for 2 schools" in said(app)
    assert "It would fill 2 of 5 signals" in "\n".join(part.value for part in app.subheader)
    assert not (folder.parent / "registers").exists()
    assert app.selectbox(key="owner").options == ["Oak, Ash & Thorn Trust (trust 77)", "Barnet (authority 302)"]
    next(button for button in app.button if button.label == "Keep this register").click().run()
    assert "Kept: the register of improvement capacity" in said(app)
    path = folder.parent / "registers" / TRUST / "improvement-capacity.csv"
    assert path.read_bytes() == CAPACITY
    assert "From its own registers" in said(shown("school", urn=TOP))
    next(button for button in app.button if button.label == "Yes, remove it").click().run()
    assert "Removed: the register" in said(app) and not path.exists()


def test_a_register_is_kept_only_for_an_owner_the_user_may_write_for(folder):
    write_tables(folder)
    access_file = folder.parent / "access.toml"
    access_file.write_text('["a@x.example"]\nsee = ["trust-77"]\n["b@x.example"]\nwrite = ["trust-77"]\n')
    for user, may in (("a@x.example", False), ("b@x.example", True), ("", False)):
        labels = [button.label for button in uploaded(CAPACITY, user=user).button]
        assert ("Keep this register" in labels) is may, user


def test_something_odd_among_the_registers_is_a_sentence_that_names_it_only_to_who_may_see_all(folder):
    write_tables(folder)
    keep(folder, STAFF, SCHOOL)
    (folder.parent / "registers" / SCHOOL / "notes.txt").write_text("x")
    (folder.parent / "access.toml").write_text('["a@x.example"]\nsee = ["trust-77"]\n')
    for name in ("your_data", "school", "trust"):
        query = {} if name == "your_data" else {"urn": GOOD} if name == "school" else {"trust": 77}
        assert "notes.txt" in said(shown(name, **query)), name
        stranger = said(shown(name, user="a@x.example", **query))
        assert "The folder of registers can’t be used" in stranger and "notes.txt" not in stranger, name


def test_made_up_registers_say_nothing_beside_official_tables(folder):
    write_tables(folder)
    keep(folder, STAFF, SCHOOL)
    frames = {name: tables.read(folder, name) for name in ("schools", "predictions", "inspections")}
    tables.write(folder, frames, about={**ABOUT, "data_source": "official"})
    text = said(shown("school", urn=GOOD))
    assert "made up, and the tables come from official files" in text and "From its own registers" not in text


def test_a_trusts_capacity_is_held_against_what_is_suggested_for_who_may_see_it(folder):
    write_tables(folder)
    keep(folder, CAPACITY, TRUST)
    app = shown("trust", trust=77)
    text = "\n".join([said(app), *(part.value for part in app.markdown)])
    assert "about 1.0% of staff, at least the 0.5% suggested" in text  # 3 of 300
    assert "about 5.0% of staff, at least the 5.0% suggested" in text  # 15 of 300
    assert "No register that you may see says who is being developed." in text
    text = said(shown("trust", trust=77, user=""))
    assert "No register of these schools is kept here that you may see" in text and "of staff, at least" not in text


def test_development_is_thin_by_the_alphabet_and_in_words(folder):
    made = pd.DataFrame({"urn": range(6), "name": list("FEDCBA"), "share_in_programme": [0.1, 0.2, 0.3, 0.4, 0.5, None]})
    told = capacity.thin_in(made, None)
    assert told["school"].tolist() == ["A", "E", "F"]  # the middle of five is 30%
    assert told["what the registers say"].iloc[2] == (
        "10% of its middle leaders are in a programme, against 30% in the middle school of these schools."
    )
    assert capacity.thin_in(made.tail(4), None)["school"].tolist() == ["A"]  # three are too few for a middle


def test_the_export_of_a_trust_has_a_registers_figures_only_where_they_may_be_seen(folder):
    write_tables(folder)
    keep(folder, CAPACITY, TRUST)
    listed = pd.DataFrame({"URN": [GOOD, NEVER], "school": ["Ash", "Cedar"]})
    entries = own.kept().entries
    for mine, columns in ((access.Rights("", frozenset({TRUST})), 4), (access.Rights(""), 2)):
        made, _ = capacity.figures(own.Kept(mine, entries), [GOOD, TOP, NEVER])
        assert len(capacity.exported(listed, made).columns) == columns


def test_what_a_prediction_was_made_without_is_told_as_stored_in_a_heads_words(folder):
    write_tables(folder)
    stored = tables.read(folder, "predictions")
    assert "made_without" in stored  # declared; blank in the drawn tables
    without = stored.assign(made_without="turnover; npq; leadership_development")
    tables.write(folder, {"predictions": without}, about=ABOUT)
    text = said(shown("school", urn=GOOD))
    assert "teacher turnover (no file published for this school)" in text
    assert "your own register of leadership development (too little of it in the files read for the model to learn from)" in text
    assert "npq" not in text


def test_every_family_and_source_has_its_words():
    assert set(signals.FAMILIES) <= set(words.FAMILIES)
    sources = {one for signal in signals.declared().values() for one in signal.source.split(", ")}
    assert sources - {"inspections", "schools", "trusts"} <= set(words.MADE_FROM)


def test_the_record_is_shown_as_the_batch_job_wrote_it_and_fetches_nothing(folder):
    write_tables(folder)
    assert "headway cards" in said(shown("about"))
    (folder / "cards").mkdir()
    (folder / "cards" / "model-card.md").write_text("# Card\n\nSkill is 0.1 ![x](http://x.example/y.png) for $5 and $6.\n")
    (folder / "cards" / "model-card.html").write_text("<p>Card</p>")
    app = shown("about")
    raw = "\n".join(part.value for part in app.markdown)
    assert "### Card" in raw and r"\![x]" in raw and r"\$5" in raw
    assert "Model card" in [part.label for part in app.expander]


def test_the_dictionary_has_the_registers_tables(folder):
    write_tables(folder)
    assert "One or two people stand as 1.5." in said(shown("about", table="staff_register"))


def test_schools_are_never_said_to_be_alike_in_what_a_register_says(folder):
    write_tables(folder)
    similar = tables.read(folder, "similar").assign(reasons="share_in_programme; absence_standing")
    tables.write(folder, {"similar": similar}, about=ABOUT)
    text = said(shown("school", urn=GOOD))
    assert "Sessions missed" in text and "development programme" not in text
