"""The cards of a run: every figure is the run's own, what is missing is said, and nothing in them is
obeyed.
"""

import copy
import json
import re
import tomllib
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from jinja2 import Environment, nodes

from headway.pipelines.reports import cards
from headway.pipelines.reports.cards import figures, owner, pages
from headway.pipelines.tables import DataError

TEMPLATES = sorted(Path(figures.HERE).glob("*.md"))
RECORD = re.findall(
    r"\S+",
    """
    0.1 0.2 0.3 0.4 0.5 1.1 1.2 1.3 1.4 2.1.1 2.1.2 2.1.3 2.1.4 2.1.4.1 2.1.4.2 2.1.4.3 2.1.4.4 2.1.4.5 2.2.1 2.2.2
    2.2.3 2.2.4 2.3.1 2.3.2 2.3.3 2.3.4 2.3.5 2.4.1.1 2.4.1.2 2.4.1.3 2.4.1.4 2.4.1.5 2.4.2.1 2.4.2.2 2.4.2.3 2.4.2.4
    2.4.2.5 2.4.2.6 2.4.2.7 2.4.2.8 2.4.3.1 2.4.3.2 2.4.3.3 2.4.3.4 2.4.3.5 2.4.3.6 2.4.3.7 2.4.3.8 2.4.3.9 2.4.4.1
    2.4.4.2 2.4.4.3 2.4.4.4 2.4.4.5 2.5.1 2.5.2
""",
)
CHECKLIST = re.findall(
    r"\S+",
    """
    1 2 3a 3b 3c 4 5a 5b 6a 6b 6c 7 8a 8b 8c 9a 9b 9c 10 11 12a 12b 12c 12d 12e 12f 12g 13 14 15 16 17 18a 18b 18c 18d
    18e 18f 19 20a 20b 20c 21 22 23a 23b 24 25 26 27a 27b 27c
""",
)
WHOLE = ("ablation", "audit", "censoring")  # what `headway train --no-whole` leaves out
RECORDED = ("run", "registered_version", "promoted")  # what is known only once the run has been recorded


def _score(fold: str, model: str, skill: float) -> dict:
    row = {
        "fold": fold,
        "model": model,
        "n": 1234,
        "rate": 0.359,
        "mean_p": 0.337,
        "brier": 0.135,
        "slope": 1.03,
        "intercept": 0.18,
        "derived": 0.0,
    }
    for name in ("skill", "skill_two_years", "auc_2", "auc_3"):
        row |= {name: skill, f"{name}_low": skill - 0.02, f"{name}_high": skill + 0.02}
    return row | {"auc_3": None, "auc_3_low": None, "auc_3_high": None}


def _group(by: str, group: str, gap: float) -> dict:
    return {
        "by": by,
        "group": group,
        "n": 207,
        "too_few": False,
        "rate": 0.4,
        "mean_p": 0.4 - gap,
        "gap": gap,
        "gap_low": gap - 0.01,
        "gap_high": gap + 0.01,
        "skill": 0.06,
        "skill_low": -0.003,
        "skill_high": 0.13,
    }


@pytest.fixture
def run() -> dict:
    """A small run: the content of train.json, evidence.json and ingest.json."""
    folds = ("2022-09-01", "2023-09-01")
    mean = {
        "skill": 0.101,
        "skill_two_years": 0.068,
        "auc_2": 0.773,
        "auc_3": None,
        "slope": 1.05,
        "brier": 0.107,
        "mean_gap": 0.013,
    }
    report = {
        "as_of": "2025-09-30", "data_source": "official", "inputs": "c6a1f3", "newest_file_on": "2025-09-29", "commit": "5f28c5",
        "signals": ["leadership_gap", "progress_8"], "families": {"leadership_gap": "leadership", "progress_8": "attainment"},
        "families_off": ["workforce"], "signals_blank": ["share_stayed"], "signals_too_few": {"sick_days_2": 17},
        "final": {"candidate": "blend", "half_life": 0.5},
        "counts": [{"as_of": "2022-09-01", "reason": "labelled", "schools": 2000},
                   {"as_of": "2022-09-01", "reason": "not yet", "schools": 19000},
                   {"as_of": "2023-09-01", "reason": "labelled", "schools": 1500}],
        "scores": [_score(fold, model, skill) for fold, skill in zip(folds, (0.109, 0.014), strict=True)
                   for model in ("base_rate_grade_phase", "champion")],
        "means": [{"model": "champion", **mean}, {"model": "base_rate_grade_phase", **mean, "skill": 0.0}],
        "coverage": [{"n": 12769, "coverage": 0.897, "mean_size": 1.93},
                     {"overall": 2, "n": 5961, "coverage": 0.891, "mean_size": 1.99}],
        "caught": [{"fold": folds[0], "n": 3502, "below_good": 1021, "caught_10%": 0.24, "most_possible_10%": 0.344,
                    "caught_20%": 0.419, "most_possible_20%": 0.687}],
        "fairness": [_group("phase", "PRU", 0.197), _group("region", "London", -0.083),
                     {"by": "faith", "group": "Muslim", "n": 7, "too_few": True}],
        "by_source": [{"label_source": "published", "n": 2468, "brier": 0.106, "skill": 0.1}],
        "leadership": {"scores": [{"fold": folds[0], "n": 2949, "rate": 0.375, "skill_over_recent_rates": 0.041, "low": 0.025,
                                   "high": 0.057}]},
        "report_cards": {"inspections": 11, "enough": 500, "labelled": 3},
        "censoring": [{"fold": folds[1], "mean_p_all_plain": 0.231, "mean_p_all_weighted": 0.257}],
        "audit": {"origins": [{"signal": "leadership_gap"}, {"signal": "progress_8"}],
                  "blanked": [{"fold": "2022/23", "rows_blanked": 41, "brier_as_is": 0.1358, "brier_blanked": 0.1359}]},
        "ablation": [{"family": "leadership", "within": None, "gain": 0.0042, "gain_low": 0.0019, "gain_high": 0.0064,
                      "verdict": "adds"}],
        "promotion": {"asked": "auto", "earned": True, "why": ("mean skill 0.101 over the plain rates, "
            "better in 2 of 2 folds")},
        "model_version": "852150b39b44", "run": "25e06c", "registered_version": "9", "promoted": True,
    }  # fmt: skip
    evidence = {"counts": {"pairs": 25343, "schools": 17801}, "claims": [
        {"statement": "Ten times as likely to improve.", "verdict": "real, but smaller", "verdict_words": "Real: 1.14 times."},
    ]}  # fmt: skip
    ingest = {"inputs": "c6a1f3", "data_source": "official", "newest_file_on": "2025-09-29",
              "files": [{"file": "absence/2011_abs.csv", "release": "Performance tables", "dated": None, "rows_kept": 20190}],
              "rows": {"schools": 34571, "inspections": 88255, "pay": 0},
              "set_aside": {"blank row": 2, "given again by a newer release": 0}}  # fmt: skip
    return {"report": report, "evidence": evidence, "ingest": ingest}


class Page(HTMLParser):
    """What a reader sees of a page, and its elements in order."""

    def __init__(self, text: str):
        super().__init__()
        self.seen, self.tags, self._hidden = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag == "style"

    def handle_data(self, data):
        if not self._hidden:
            self.seen.append(data)


def _numbers(text: str) -> Counter:
    return Counter(re.findall(r"\d+", text))


def _everything(texts: dict[str, str]) -> str:
    return "\n".join(text for name, text in texts.items() if name.endswith(".md"))


# --- every figure is the run's own --------------------------------------------------------------------------

FORMS = {  # as a reader would write them, apart from the program's own
    "number": lambda v: format(v, ",d"),
    "size": lambda v: f"{v:.1f}",
    "decimal": lambda v: f"{v:.2f}",
    "fine": lambda v: f"{v:.3f}",
    "finest": lambda v: f"{v:.4f}",
    "share": lambda v: f"{100 * v:.1f}%",
    "gain": lambda v: f"{100 * v:+.2f}%",
    "difference": lambda v: f"{100 * v:+.1f}",
    "hundredths": lambda v: f"{100 * v:.1f}",
    "points": lambda v: f"{100 * v:.1f} percentage points",
    "plain": str,
    "day": lambda v: pd.Timestamp(v).strftime("%d %B %Y").lstrip("0"),
    "text": str,
    "year": lambda v: f"{v[:4]}/{int(v[2:4]) + 1}",
    "grade": {1: "Outstanding", 2: "Good"}.get,
}


def _expected(figure: figures.Figure, files: dict) -> str | None:
    """What a figure should say, worked out from the files and the paths alone."""
    values = []
    for path in figure.paths:
        value = files
        for step in path:
            value = value[step]
        values.append(value)
    if figure.how == "is":
        return None if values[0] is None else FORMS[figure.form](values[0])
    return {
        "key": lambda: figure.paths[0][-1],
        "length": lambda: FORMS["number"](len(values[0])),
        "count": lambda: FORMS["number"](len(values)),
        "sum": lambda: FORMS["number"](sum(values)),
        "distinct": lambda: FORMS["number"](len(set(values[0].values()))),
    }[figure.how]()


def test_every_number_in_every_card_is_a_figure_of_the_run_or_a_declared_constant(run):
    answers = {"contact": "ring 0300 000 0000"}
    files = {"train": run["report"], "evidence": run["evidence"], "ingest": run["ingest"], "owner": answers}
    numbered = {*RECORD, *CHECKLIST, "2.1", "2.2", "2.3", "2.4.1", "2.4.2", "2.4.3", "2.4.4", "2.5"}
    for text, found in cards.drafts(**run, owner=answers).values():
        for figure in found:
            if figure.how == "constant":
                assert figure.said in {*figures.CONSTANTS.values(), *numbered}
            else:
                said = _expected(figure, files)
                assert figure.said == said or (
                    said is None and figure.said in ("not known", "too few", "none", "no date")
                )
        assert _numbers(text) <= _numbers(" ".join(figure.said for figure in found))
        assert len(found) > 20


def test_the_pages_have_the_numbers_of_the_markdown_and_no_others(run):
    texts = cards.written(**run)
    for name in cards.CARDS:
        body = "".join(Page(texts[f"{name}.html"].partition("<main")[2]).seen)
        assert _numbers(body) == _numbers(texts[f"{name}.md"])


def test_a_number_typed_into_a_template_stops_it(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "HERE", tmp_path)
    (tmp_path / "card.md").write_text("{{ train.n|fig('number') }} of 12 schools")
    with pytest.raises(ValueError, match="a number of its own: of 12 schools"):
        figures.drawn("card.md", {"train": {"n": 7}})
    (tmp_path / "card.md").write_text("{{ train.n }} schools")
    with pytest.raises(ValueError, match="train.n without a form"):
        figures.drawn("card.md", {"train": {"n": 7}})


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_digits_only_in_the_numbers_of_sections_and_the_names_of_columns(path):
    tree = Environment().parse(path.read_text("utf-8"))
    typed = [node.data for node in tree.find_all(nodes.TemplateData) if re.search(r"\d", node.data)]
    assert typed == []
    named = {
        id(node.args[0])
        for node in tree.find_all(nodes.Call)
        if isinstance(node.node, nodes.Name) and node.node.name in ("numbered", "told", "item")
    }
    named |= {id(node.arg) for node in tree.find_all(nodes.Getitem)}
    named |= {id(arg) for node in tree.find_all(nodes.Filter) if node.name == "span" for arg in node.args[:1]}
    loose = [
        node.value
        for node in tree.find_all(nodes.Const)
        if id(node) not in named and re.search(r"\d", str(node.value))
    ]
    assert loose == []


def test_a_number_in_words_is_not_typed_either():
    words = r"\b(three|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|ninety|hundred|thousand)\b"
    assert [
        found for path in TEMPLATES for found in re.findall(words, path.read_text("utf-8"), re.IGNORECASE)
    ] == []


# --- whole --------------------------------------------------------------------------------------------------


def test_the_record_has_every_field_of_the_template_once_and_in_order(run):
    text = cards.written(**run)["transparency-record.md"]
    assert re.findall(r"^### ([\d.]+) ", text, re.MULTILINE) == RECORD


def test_the_checklist_has_every_item_once_and_in_order_with_an_answer(run):
    text = cards.written(**run)["checklist.md"]
    rows = re.findall(r"^\| (\d+[a-g]?) \| .+ \| \*\*(.+?)\*\*.* \|$", text, re.MULTILINE)
    assert [item for item, _ in rows] == CHECKLIST
    assert {state for _, state in rows} == {
        "Done.",
        "Partly done.",
        "Not done.",
        "Not applicable.",
        "For the owner",
    }


def test_the_model_card_has_the_sections_of_the_paper(run):
    text = cards.written(**run)["model-card.md"]
    assert re.findall(r"^## (.+)", text, re.MULTILINE) == [
        "In short",
        "Model details",
        "Intended use",
        "Factors",
        "Metrics",
        "Evaluation data",
        "Training data",
        "Quantitative analyses",
        "Ethical considerations",
        "Caveats and recommendations",
    ]


def test_no_two_points_of_a_list_run_together(run):
    assert re.findall(r"\S- \*\*.*", _everything(cards.written(**run))) == []


# --- what is missing is said --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "missing, said",
    [
        ("ablation", "Not done in this run: `headway train --no-whole` leaves it out"),
        ("censoring", "Quick re-inspection was not looked at in this run"),
        ("audit", "The audit of leaks was not done in this run"),
        ("promoted", "Not decided when this was written"),
    ],
)
def test_a_part_that_was_left_out_of_the_run_is_said(run, missing, said):
    assert said not in _everything(cards.written(**run))
    del run["report"][missing]
    assert said in _everything(cards.written(**run))


def test_cards_can_be_written_of_a_short_run_before_it_is_recorded_without_evidence_or_files(run):
    report = {key: value for key, value in run["report"].items() if key not in (*WHOLE, *RECORDED)}
    texts = cards.written(
        report | {"coverage": [], "fairness": [], "caught": [], "families_off": [], "signals_blank": []}
    )
    assert "Not tested when this was written" in texts["model-card.md"]
    assert "(ingest.json) was not there" in texts["model-card.md"]
    assert "Grade sets were not tested" in texts["model-card.md"]


def test_a_reading_of_files_later_than_the_run_is_not_quoted(run):
    run["ingest"]["inputs"] = "another"
    assert "(ingest.json) was not there" in cards.written(**run)["model-card.md"]


def test_made_up_files_are_said_on_each_card_and_official_ones_are_not_called_so(run):
    assert "Made-up data" not in _everything(cards.written(**run))
    run["report"]["data_source"] = "made-up"
    texts = cards.written(**run)
    assert all(texts[f"{name}.md"].count("**Made-up data.**") == 1 for name in cards.CARDS)


def test_a_model_no_better_than_the_plain_rule_is_not_called_better(run):
    worse = copy.deepcopy(run)
    worse["report"]["means"][0]["skill"] = -0.02
    assert "**No.** On average over the mornings it did no better" in cards.written(**worse)["model-card.md"]
    assert "it did no better than quoting the rate" in cards.written(**worse)["transparency-record.md"]
    assert "did no better" not in _everything(cards.written(**run))


# --- the owner ----------------------------------------------------------------------------------------------


def test_what_only_the_owner_knows_stands_at_the_top_until_it_is_answered(run):
    top = cards.written(**run)["transparency-record.md"].partition("## Metadata")[0]
    assert [line for line in top.splitlines() if line.startswith("- ")] == [
        f"- {question.number} {question.name} (`{question.key}`)" for question in owner.RECORD
    ]
    answered = cards.written(**run, owner={"contact": "head@school.example"})["transparency-record.md"]
    assert "(`contact`)" not in answered and "head@school.example" in answered
    every = cards.written(**run, owner=dict.fromkeys(owner.QUESTIONS, "answered"))
    assert "or the owner to fill in** (" not in _everything(every) and "has been answered" in _everything(
        every
    )


def test_writing_again_never_loses_an_answer(run, tmp_path):
    answers = {"contact": 'write to "us"\nor ring: \\ 0300', "team": "Données"}
    mine = tmp_path / "mine.toml"
    mine.write_text(owner.form(answers), encoding="utf-8")
    assert owner.answers(mine) == answers
    for name, content in (("train", run["report"]), ("evidence", run["evidence"])):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    cards.write(tmp_path, tmp_path / "cards", mine)
    assert tomllib.loads((tmp_path / "cards/owner.toml").read_text("utf-8"))["contact"] == answers["contact"]
    taken = tmp_path / "cards/owner.toml"
    taken.write_text('contact = "mine"  # and a note', encoding="utf-8")
    cards.write(tmp_path, tmp_path / "cards", taken)
    assert taken.read_text("utf-8") == 'contact = "mine"  # and a note'


def test_every_mistake_in_the_owners_file_is_told_at_once_and_nothing_is_written(run, tmp_path):
    (tmp_path / "train.json").write_text(json.dumps(run["report"]))
    mine = tmp_path / "owner.toml"
    mine.write_text('contcat = "x"\nteam = 5\n')
    with pytest.raises(
        DataError, match=r"(?s)contcat: not a question.*team: 5 is not a text.*The questions are: phase"
    ):
        cards.write(tmp_path, tmp_path / "cards", mine)
    mine.write_text("contact = head@school.example")
    with pytest.raises(DataError, match="can't be read as TOML"):
        cards.write(tmp_path, tmp_path / "cards", mine)
    assert not (tmp_path / "cards").exists()


def test_without_a_training_or_after_one_of_another_version_the_message_says_what_to_run(run, tmp_path):
    with pytest.raises(DataError, match="Run `headway train` first"):
        cards.write(tmp_path, tmp_path / "cards")
    (tmp_path / "train.json").write_text(json.dumps({**run["report"], "final": {}}))
    with pytest.raises(DataError, match="written by another version"):
        cards.write(tmp_path, tmp_path / "cards")


# --- the pages ----------------------------------------------------------------------------------------------

HOSTILE = "<script>alert('x')</script> | [a](javascript:b) **c** `d` &amp; # e"


def test_text_from_files_and_owners_is_shown_and_never_obeyed(run):
    run["report"]["fairness"][0]["group"] = HOSTILE
    run["ingest"]["files"][0]["file"] = f"# {HOSTILE}"
    texts = cards.written(
        **run, owner={"team": f"- {HOSTILE}\n\n## Not a heading", "contact": "===", "ethics": HOSTILE}
    )
    for name in cards.CARDS:
        page = Page(texts[f"{name}.html"])
        assert HOSTILE in "".join(page.seen)
        assert not {"script", "img", "iframe", "form"} & {tag for tag, _ in page.tags}
        assert all(facts["href"].startswith("#") for tag, facts in page.tags if tag == "a")
    headings = re.findall(r"^#+ .*", _everything(texts), re.MULTILINE)
    assert not [line for line in headings if "Not a heading" in line]


def test_pages_fetch_nothing_and_their_tables_have_captions_and_heads(run):
    texts = cards.written(**run)
    for name in cards.CARDS:
        page = Page(texts[f"{name}.html"])
        tags = [tag for tag, _ in page.tags]
        assert not {"link", "script", "img"} & set(tags)
        assert (
            tags.count("table") == tags.count("caption") > 0 and tags.count("h1") == tags.count("main") == 1
        )
        assert {facts.get("scope") for tag, facts in page.tags if tag == "th"} == {"col", "row"}
        names = [facts["id"] for _, facts in page.tags if "id" in facts]
        assert len(names) == len(set(names))
        assert {facts["href"][1:] for tag, facts in page.tags if tag == "a"} <= set(names)
        levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h\d", tag)]
        assert all(below - above <= 1 for above, below in zip(levels, levels[1:], strict=False))


def test_a_table_without_a_caption_is_a_mistake():
    with pytest.raises(ValueError, match="no caption"):
        pages.page("# A\n\n| a |\n|---|\n| b |\n")


def test_html_in_markdown_is_shown_and_not_obeyed():
    assert "&lt;script&gt;" in pages.page("# A\n\n<script>b</script>\n")


# --- the page on how good it is -----------------------------------------------------------------------------


def test_the_section_goes_between_its_marks_and_nowhere_else(tmp_path):
    page = tmp_path / "how-good.md"
    page.write_text(f"before\n{cards.section.BEGIN}\nold\n{cards.section.END}\nafter\n")
    cards.into(page, "new")
    assert page.read_text() == f"before\n{cards.section.BEGIN}\nnew\n{cards.section.END}\nafter\n"
    page.write_text("no marks")
    with pytest.raises(DataError, match="has no place for it"):
        cards.into(page, "new")
