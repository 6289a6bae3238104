"""For many random schools: sentence, chart, table, report, PDF and exports give the same numbers, and nothing
that isn't known is a reason.

On a made-up England with a planted effect; and on real tables where HEADWAY_REAL_TABLES names their folder.
"""

import html
import io
import os
from pathlib import Path

import pandas as pd
import pytest
import six_schools
from pypdf import PdfReader
from six_schools import said, shown

from headway.explorer import brief, charts, outlook, pdf, report, report_card, store, without, words
from headway.pipelines import signals
from headway.pipelines.frameworks import AREAS
from headway.pipelines.report_cards import NAMES

# Schools whose figures are compared, of real tables and made-up ones; of them those whose pages are drawn whole.
MANY, DRAWN = {"real": 200, "made up": 60}, 6

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["made up", "real"])
def england(request, world):
    """Where the tables are, and the URNs of random open schools."""
    if request.param == "real":
        if not os.environ.get("HEADWAY_REAL_TABLES"):
            pytest.skip("HEADWAY_REAL_TABLES names no folder of tables made from official files")
        folder = Path(os.environ["HEADWAY_REAL_TABLES"])
    else:
        folder = world("strong") / "data" / "tables"
    with pytest.MonkeyPatch.context() as patched:
        six_schools.sits_at(patched, None)
        for name, place in (
            ("TABLES", folder),
            ("RUNS", folder.parent.parent / "mlruns"),
            ("REGISTERS", folder.parent / "no registers"),
            ("OWNER", folder.parent / "owner.toml"),
        ):
            patched.setenv(f"HEADWAY_{name}", str(place))
        schools = store.schools()
        yield (
            schools.loc[schools["open"], "urn"]
            .sample(MANY[request.param], random_state=0)
            .astype("int64")
            .tolist()
        )


def _squeezed(text: str) -> str:
    """A text without its spaces: a PDF breaks lines where it likes."""
    return "".join(text.split())


def _printed(made: bytes) -> str:
    return _squeezed("".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages))


def _report(urn: int, row: pd.Series, predicted: pd.Series | None, card: pd.DataFrame) -> dict:
    missing = [] if predicted is None else without.reasons(row, predicted, without.uses())
    return report.facts(
        row, predicted, store.inspections(int(row["lineage"])), {}, pd.DataFrame(), card, missing
    )


def test_sentence_chart_table_report_pdf_and_exports_give_the_same_numbers(england):
    schools = store.schools()
    listed = outlook.with_predictions(schools[schools["urn"].isin(england)]).set_index("urn", drop=False)
    exported = outlook.export(listed).set_index("URN")
    carded = 0
    for urn in england:
        row, predicted, card = store.school(urn), store.prediction(urn), report_card.forecast(urn)
        facts, governors = _report(urn, row, predicted, card), brief.facts(row)
        sentence = brief.verdict(predicted, card)
        page, printed = html.unescape(report.html(facts)), _printed(pdf.made("report", facts))
        on_one_page = _printed(pdf.made("governors", governors))
        assert sentence == governors["verdict"] == facts["lead"], urn
        assert sentence in page and _squeezed(sentence) in printed and _squeezed(sentence) in on_one_page, urn
        if card.empty:
            continue
        carded += 1
        stored = card.set_index("area")
        whole, areas = stored.loc["any"], stored.drop(index="any")
        assert f"the model puts this school at {words.of_100(whole['p_below'])}" in sentence, urn
        table = report_card.figures(card).set_index("area")["below expected"]
        cells = _values(report_card.drawn(card, {}))
        cells = cells[cells["standard"].isin(list(report_card.WORDS.values())[3:])]
        chart = cells.groupby("area")["chance"].sum()
        for area, figures in areas.iterrows():
            name = AREAS[area]
            assert table[name] == words.percent(figures["p_below"]), (urn, area)
            assert chart[charts.wrapped(pd.Series([name]), 16)[0]] == pytest.approx(
                figures["p_below"], abs=1e-9
            ), (urn, area)
            assert _squeezed(f"{name}") in printed and f"<td>{table[name]}</td>" in page, (urn, area)
        made, start, end = report_card.steps(card, "any")
        assert start + made["step"].sum() == pytest.approx(end, abs=1e-6), urn
        assert _squeezed(f"This school{words.percent(end, 1)}") in printed, urn
        exact = report.export(row, predicted, card).iloc[0]
        sheet = report.sheets(row, predicted, card, pd.DataFrame(), {}, pd.DataFrame(), [])["Report card"]
        assert exact["p_below_any"] == whole["p_below"] == exported.loc[urn, outlook.BELOW], urn
        assert sheet.set_index("area").loc["any", "p_below"] == whole["p_below"], urn
        assert exported.loc[urn, outlook.LEADING] == areas.loc[report_card.LEADERSHIP, "p_below"], urn
        if words.enough(predicted):
            stay, fall, rise = words.outcomes(predicted)
            assert exported.loc[urn, "chance to rise"] == pytest.approx(
                rise
            ) and stay + fall + rise == pytest.approx(1)
            grades = outlook.in_words(listed.loc[urn])
            assert grades.startswith(words.outcomes_in_words(predicted, (stay, fall, rise))), urn
    assert carded > len(england) / 2


def _values(spec: dict) -> pd.DataFrame:
    return pd.DataFrame(spec["layer"][0]["data"]["values"])


def test_no_family_of_which_nothing_is_known_is_a_reason_nor_in_a_question(england):
    families = {name: [one.name for one in signals.family(name).SIGNALS] for name in signals.FAMILIES}
    tried = 0
    for urn in england:
        values, predicted, card = store.signals_today(urn), store.prediction(urn), report_card.forecast(urn)
        if values is None:
            continue
        parts = [] if predicted is None else [words.parts(predicted)]
        parts += (
            [report_card.steps(card, area)[0] for area in ("any", report_card.LEADERSHIP)]
            if len(card)
            else []
        )
        reasons = {what for made in parts for what in made.loc[made["reason"].astype("bool"), "what"]}
        asked = " ".join(brief.facts(store.school(urn))["questions"]).lower()
        for name, made_of in families.items():
            mine = [one for one in made_of if one in values.index]
            if mine and all(words.blank(values[one]) for one in mine):
                tried += 1
                assert words.FAMILIES[name] not in reasons, (urn, name)
                assert f"“{words.FAMILIES[name].lower()}”" not in asked, (urn, name)
    assert tried > len(england) / 10


def test_the_pages_say_what_was_compared(england):
    for urn in england[:DRAWN]:
        told = brief.facts(store.school(urn))
        school, governors = said(shown("school", urn=urn)), said(shown("governors", urn=urn))
        for line in (told["verdict"], told["now"], told["fared"]["title"]):
            assert line in school and line in governors, urn
        compared = said(shown("compare", urns=urn))
        card = report_card.forecast(urn)
        if len(card):
            assert words.percent(card.set_index("area").loc["any", "p_below"]) in compared, urn


def test_what_if_on_a_report_card_starts_from_what_is_stored_and_answers(england):
    model, answered = store.champion(), 0
    assert model is not None and model.cards is not None and NAMES
    for urn in england[:DRAWN]:
        if not words.enough(store.prediction(urn)):
            continue
        app = shown("what_if", urn=urn)
        text = said(app)
        if "What could be otherwise" not in text:
            assert "could change" in text  # it says which register or file would let something be moved
            continue
        assert "Nothing has been moved yet" in text, urn
        stored = words.of_100(report_card.forecast(urn).set_index("area").loc["any", "p_below"])
        assert f"As stored: {stored} of 100." in text
        movable = [
            one for one in signals.declared().values() if one.could_change and one.name in model.signals
        ]
        moved = said(shown("what_if", urn=urn, **{movable[0].name: 50}))
        assert "Schools like this one with those figures" in moved or "Nothing has been moved yet" in moved
        answered += "Schools like this one with those figures" in moved
    assert answered or not any(
        one.could_change and one.name in model.signals for one in signals.declared().values()
    )
