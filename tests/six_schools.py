"""Six schools drawn by hand for the tests of the explorer, its pages as a visitor sees them, and registers to
fill in.
"""

import re
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import streamlit
from streamlit.testing.v1 import AppTest

from headway.explorer import store
from headway.models.champion import Champion
from headway.pipelines import registers, tables

ROOT = Path(__file__).parents[1]
PAGES = {
    "find": "Find a school",
    "new": "What’s new",
    "school": "School",
    "governors": "For governors",
    "what_if": "What if?",
    "trust": "Trust or authority",
    "compare": "Compare",
    "evidence": "Evidence",
    "how_good": "How good is this?",
    "your_data": "Your own data",
    "about": "About",
    "contact": "Contact and accessibility",
}
HOSTILE = """<script>alert("x")</script> O'Brien's [Link](http://x.example) $a$ :red[A]"""
GOOD, TOP, NEVER, FEW, NAMED, CLOSED, NOWHERE = 100001, 100002, 100003, 100004, 100005, 100006, 999999
ABOUT = {"data_source": "made-up", "newest_file_on": "2025-09-29", "inputs": "none"}


def schools() -> pd.DataFrame:
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


def predictions() -> pd.DataFrame:
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
            "usual_grade_1": 0.01,
            "usual_grade_2": 0.61,
            "usual_grade_3": 0.33,
            "usual_grade_4": 0.05,
            "contribution_retention": 0.0,  # nothing is known of who stayed
            "contribution_attendance": 0.10,
            "contribution_intake": -0.05,
            "contribution_unknown": 0.03,
            "contribution_level": -0.02,
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
            "usual_grade_1": 0.35,
            "usual_grade_2": 0.55,
            "usual_grade_3": 0.08,
            "usual_grade_4": 0.02,
            "graded_urn": 99999,
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


def card() -> pd.DataFrame:
    """The forecast of the first school's report card: leadership, attendance and any area."""
    chances = {
        "p_exceptional": 0.02,
        "p_strong": 0.28,
        "p_expected": 0.5,
        "p_needs_attention": 0.15,
        "p_urgent": 0.05,
    }
    shared = {
        "urn": GOOD,
        "as_of": pd.Timestamp("2025-09-30"),
        "learned_from": 300,
        "enough_like_it": True,
        "model_version": "abc",
        "data_source": "made-up",
        "p_low": 0.1,
        "p_high": 0.6,
    }
    area = {**shared, **chances, "p_below": 0.2, "p_strong_or_better": 0.3, "standard_set": "2-4"}
    steps = {
        "contribution_retention": 0.0,
        "contribution_attendance": -0.1,
        "contribution_unknown": 0.04,
        "contribution_level": 0.01,
    }
    return pd.DataFrame([
        {**area, "area": "attendance_and_behaviour"},
        {**area, "area": "leadership_and_governance", "base_rate": 0.25, **steps},
        {**shared, "area": "any", "p_below": 0.45, "base_rate": 0.5, **steps},
    ])  # fmt: skip


def _inspections() -> pd.DataFrame:
    rows = [
        (urn, "graded", rank, day, book)
        for urn, rank in ((GOOD, 3), (TOP, 1), (FEW, 4), (NAMED, 3), (CLOSED, 2))
        for day, book in (
            ("2010-03-02", "section 5, 2009"),
            ("2021-10-05", "education inspection framework, 2019"),
        )
    ]
    made = pd.DataFrame(rows, columns=["urn", "kind", "overall", "inspected_on", "framework"])
    days = pd.to_datetime(made["inspected_on"])
    return made.assign(
        lineage=made["urn"], inspected_on=days, known_on=days, overall_source="published", leadership=2
    )


def _workforce() -> pd.DataFrame:
    figures = pd.DataFrame(
        {"period": [2019, 2021], "pupils_per_teacher": [20.5, 21.5], "teachers_fte": [10.0, 9.5]}
    )
    return figures.assign(urn=GOOD, lineage=GOOD, known_on=pd.Timestamp("2022-06-08"), source_file="made")


def write_tables(folder: Path) -> Path:
    """A set of tables drawn by hand: six schools, one of them never graded, one closed, one with a hostile
    name.
    """
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
    signals_today = pd.DataFrame(
        {"urn": [GOOD], "as_of": [pd.Timestamp("2025-09-30")], "share_stayed": [0.8]}
    )
    frames = {
        "schools": schools(),
        "predictions": predictions(),
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
            "fairness": [
                {**group, "group": "Primary"},
                {"by": "phase", "group": "Nursery", "n": 3, "too_few": True},
            ],
        },
    )
    return folder


def write_champion(folder: Path, runs: Path, champion: Champion) -> None:
    """A stored model beside the tables, whose answer for the first school is the one the tables hold."""
    champion.save(runs / "champion")
    rows = tables.read(folder, "predictions").set_index("urn")
    values = pd.DataFrame({"share_stayed": [0.8]}).reindex(columns=champion.signals).astype("float64")
    state = pd.DataFrame({"overall": [3], "cell": ["3"], "group": ["Primary"]})
    said = champion.predict(values, state).iloc[0]
    names = [name for name in said.index if name in rows and name != "p_stay"]
    rows.loc[GOOD, names] = said[names].to_numpy()
    rows["model_version"] = champion.about["version"]
    tables.write(folder, {"predictions": rows.reset_index()}, about=ABOUT)


# --- a page -------------------------------------------------------------------------------------------------


def sits_at(monkeypatch, address: str | None) -> None:
    """Where the visitor's connection comes from, which AppTest doesn't have: nothing is this machine."""
    monkeypatch.setattr(type(streamlit.context), "ip_address", property(lambda _: address))


def shown(name: str, user: str | None = None, **query: object) -> AppTest:
    """A page as a visitor with that address sees it; with a `user` (empty for nobody yet) there is a
    sign-in.
    """
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if user is not None:
        app.secrets["auth"] = {
            "redirect_uri": "http://localhost:8501/oauth2callback",
            "cookie_secret": "x" * 32,
        }
        app.user = {"is_logged_in": bool(user), "email": user}
    for key, value in query.items():
        app.query_params[key] = str(value)
    app.switch_page(f"explorer/{name}.py").run()
    assert [error.message for error in app.exception] == []
    return app


def said(app: AppTest) -> str:
    """Everything the page says, as it reads: Markdown's backslashes taken away."""
    parts = [*app.title, *app.header, *app.markdown, *app.caption, *app.info, *app.warning]
    figures = [rows.to_csv(index=False) for rows in listed(app)]
    return re.sub(r"\\(.)", r"\1", "\n".join([*(part.value for part in parts), *figures]))


def listed(app: AppTest) -> list[pd.DataFrame]:
    """The tables of a page, as they read."""
    found = []
    for part in app.get("html"):
        if 'class="figures' in part.proto.body:
            head, *rows = [
                ["".join(cell.itertext()) for cell in row]
                for row in ElementTree.fromstring(part.proto.body).iter("tr")
            ]
            found.append(pd.DataFrame(rows, columns=head))
    return found


# --- registers ----------------------------------------------------------------------------------------------

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
    registers.add(folder.parent / "registers", owner, content, "x.csv", schools, store.today(), source)
