"""The trials of CONTRIBUTING.md: each addition is declared here as its one file would declare it, and the
rest must follow.
"""

import ast
from dataclasses import replace
from pathlib import Path

import asked
import numpy as np
import pandas as pd
import pytest

from headway import explorer
from headway.explorer import charts
from headway.models import baselines
from headway.pipelines import evaluate, frameworks, inspections, signals, sources, tables
from headway.pipelines.evidence import claims as evidence
from headway.pipelines.files import read_file
from headway.pipelines.ingest import coverage
from headway.pipelines.reports.evidence import report
from headway.pipelines.signals import Signal, leadership
from headway.pipelines.synthesise import EFFECTS, histories

DAY = pd.Timestamp
ROOT = Path(__file__).parents[1]


# --- a release ----------------------------------------------------------------------------------------------


def _renamed(layout: sources.Layout, name: str, header: str) -> sources.Layout:
    """The layout with one more spelling of a column, as `sources` would have it."""
    records = {
        record: tuple(
            replace(column, headers=(*column.headers, header)) if column.name == name else column
            for column in columns
        )
        for record, columns in layout.records.items()
    }
    return replace(layout, records=records)


def test_a_release_with_a_column_renamed_is_read_once_its_column_has_the_new_spelling(raw, put):
    (layout,) = [known for known in sources.LAYOUTS if "graded and ungraded" in known.name]
    path = put(
        "as_at_31_August_2024.csv",
        layout.name,
        "urn | latest.inspected_on | latest.overall\n100001 | 05/03/2024 | 2",
    )
    text = path.read_text("utf-8")
    path.write_text(text.replace("Overall effectiveness,", "Verdict of the school,", 1), "utf-8")
    with pytest.raises(tables.DataError, match=r"(?s)- Overall effectiveness\n.*“Verdict of the school”"):
        read_file(path, raw)
    others = tuple(known for known in sources.LAYOUTS if known is not layout)
    (release,) = read_file(path, raw, (*others, _renamed(layout, "overall", "Verdict of the school")))
    assert release.records["latest"]["overall"].tolist() == [2]


# --- a signal -----------------------------------------------------------------------------------------------


def test_a_signal_declared_in_its_family_is_built_learned_from_and_described(monkeypatch, drawn, known):
    twice = Signal(
        "leadership_gap_twice", "Twice the leadership gap.", "grades", "inspections", "with the grade"
    )
    plain = leadership.signals
    monkeypatch.setattr(leadership, "SIGNALS", (*leadership.SIGNALS, twice))
    monkeypatch.setattr(
        leadership,
        "signals",
        lambda *given: plain(*given).assign(leadership_gap_twice=lambda s: 2 * s["leadership_gap"]),
    )
    every = known(
        schools=drawn("urn | lineage | phase\n100001 | 100001 | Primary"),
        inspections=drawn(
            "urn | lineage | kind | inspected_on | known_on | overall | leadership\n"
            "100001 | 100001 | graded | 2019-01-01 | 2019-02-01 | 3 | 2"
        ),
    )
    question = pd.DataFrame({"urn": [100001], "lineage": [100001], "as_of": [DAY("2020-09-01")]}).astype(
        {"as_of": tables.DATE}
    )
    cohort = inspections.cohort(question, every["school_facts"], every["inspections"])
    assert signals.build(cohort, every)["leadership_gap_twice"].tolist() == [2.0]
    assert (
        "leadership_gap_twice" in signals.used()
        and signals.family_of()["leadership_gap_twice"] == "leadership"
    )
    assert "| `leadership_gap_twice` | Twice the leadership gap. |" in _reference().signals()


# --- a plain rule -------------------------------------------------------------------------------------------


class HalfRise:
    """Half of all schools improve, whatever is known of them."""

    def fit(self, state: pd.DataFrame, following: np.ndarray, weight: np.ndarray) -> "HalfRise":
        return self

    def predict(self, state: pd.DataFrame) -> np.ndarray:
        return np.tile([0.5, 0.5, 0.0], (len(state), 1))


def test_a_plain_rule_added_to_the_rules_is_judged_in_every_fold(monkeypatch):
    monkeypatch.setitem(baselines.RULES, "half_rise", HalfRise)
    examples, fold = asked.examples(), asked.FOLDS[-1]
    table, _ = evaluate.backtest(examples, {fold: evaluate.ask(fold, examples, asked.SIGNALS, rounds=5)})
    rows = table[table["model"].eq("half_rise")]
    assert len(rows) and rows["p_improve"].eq(0.5).all()
    assert len(rows) == table["model"].eq("champion").sum()
    errors = {row["model"]: row["brier"] for row in evaluate.scores(table)}
    assert errors["half_rise"] > errors["base_rate_grade_phase"]


# --- a claim ------------------------------------------------------------------------------------------------


def test_a_claim_added_to_the_claims_is_tested_and_told(monkeypatch):
    claim = evidence.Claim(
        "decoy", "Schools with more of the decoy improve.", "nobody", "more", "less", "decoy"
    )
    monkeypatch.setattr(evidence, "CLAIMS", (evidence.CLAIMS[0], claim))
    examples = asked.examples().assign(
        next_framework="education inspection framework, 2019", next_urn=lambda rows: rows["urn"]
    )
    tested = evidence.evidence(examples, None, data_source="made-up")
    (told,) = [row for row in tested["claims"] if row["id"] == "decoy"]
    assert told["verdict"] == "could be chance" and told["steps"]
    assert "Schools with more of the decoy improve." in report(tested)


# --- a pause in inspections ---------------------------------------------------------------------------------

PAUSE = (DAY("2023-01-10"), DAY("2023-12-20"))


@pytest.fixture
def paused(monkeypatch):
    monkeypatch.setattr(frameworks, "PAUSES", (*frameworks.PAUSES, PAUSE))
    monkeypatch.setattr(charts, "PAUSES", frameworks.PAUSES)


def _clock(drawn, known) -> float:
    schools = drawn("urn | lineage | phase | region | la_code\n100001 | 100001 | Primary | London | 201")
    visits = drawn(
        "urn | lineage | kind | inspected_on | known_on | overall\n100001 | 100001 | graded | 2022-01-10 | "
        "2022-03-01 | 2"
    )
    every = known(schools=schools, inspections=visits)
    question = schools[["urn", "lineage"]].assign(as_of=DAY("2024-01-10")).astype({"as_of": tables.DATE})
    cohort = inspections.cohort(question, every["school_facts"], every["inspections"])
    return float(signals.build(cohort, every, ("timing",))["years_since_inspection"].iloc[0])


def test_the_clock_of_inspections_stands_still_in_a_pause(request, drawn, known):
    assert _clock(drawn, known) == pytest.approx(2.0, abs=0.01)
    request.getfixturevalue("paused")
    assert _clock(drawn, known) == pytest.approx(2.0 - 344 / 365.25, abs=0.01)


def test_a_short_pause_sets_no_clock_back(monkeypatch, drawn, known):
    monkeypatch.setattr(
        frameworks, "PAUSES", (*frameworks.PAUSES, (PAUSE[0], PAUSE[0] + pd.Timedelta(days=70)))
    )
    assert _clock(drawn, known) == pytest.approx(2.0, abs=0.01)


def test_coverage_leaves_a_pause_out(request):
    before = coverage._years_inspected(DAY("2022-01-10"), DAY("2024-01-10"))
    request.getfixturevalue("paused")
    assert before - coverage._years_inspected(DAY("2022-01-10"), DAY("2024-01-10")) == pytest.approx(
        344 / 365.25
    )


def test_the_next_inspection_is_under_the_framework_in_force_when_a_pause_is_over(monkeypatch):
    morning = pd.Series([DAY("2024-08-01")])
    assert frameworks.next_framework(morning).tolist() == ["education inspection framework, 2019"]
    monkeypatch.setattr(frameworks, "PAUSES", (*frameworks.PAUSES, (DAY("2024-07-20"), DAY("2024-09-02"))))
    assert frameworks.next_framework(morning).tolist() == ["no overall grade, 2024"]


def test_the_explorer_shades_a_pause(paused):
    graded = pd.DataFrame({"inspected_on": pd.to_datetime(["2018-01-10", "2024-06-10"]), "overall": [3, 2],
                           "framework": "old", "overall_source": "published"})  # fmt: skip
    drawn = str(charts.history(graded))
    assert "2023-01-10" in drawn and "2023-12-20" in drawn


def test_made_up_schools_are_not_inspected_in_a_pause(paused):
    on = histories(3000, EFFECTS["none"], np.random.default_rng(3))["inspected_on"]
    assert on.between("2022-01-10", "2023-01-09").any() and on.between("2023-12-20", "2024-12-20").any()
    assert not on.between("2023-01-10", "2023-12-19").any()


# --- a page -------------------------------------------------------------------------------------------------


def test_every_file_of_a_page_is_in_the_menu():
    pages = {
        path.stem
        for path in (ROOT / "explorer").glob("*.py")
        if any(
            isinstance(node, ast.Expr) and ast.unparse(node) == "page()"
            for node in ast.parse(path.read_text("utf-8")).body
        )
    }
    assert pages == {name for name, _ in explorer.PAGES}


def _reference():
    """docs/generate.py, which stands beside the pages and in no package."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
