"""Schools taken together: counts, who may fall and rise, the order of names, rows that link, the pack."""

import io

import pandas as pd
from pypdf import PdfReader
from six_schools import ABOUT, FEW, GOOD, TOP, card, listed, said, shown, write_tables

from headway.explorer import outlook, pdf, store, together
from headway.pipelines import tables


def _rows() -> pd.DataFrame:
    schools = store.schools()
    return outlook.with_predictions(schools[schools["trust_uid"].eq(77).fillna(False) & schools["open"]])


def test_a_trusts_schools_are_counted_by_grade_and_by_standard(folder):
    write_tables(folder)
    standards = pd.DataFrame({"area": ["leadership_and_governance", "inclusion"], "standard": [4, 2]}).assign(
        lineage=GOOD,
        urn=GOOD,
        inspection_number="1",
        inspected_on=pd.Timestamp("2026-01-05"),
        source_file="drawn",
    )
    days = {name: standards["inspected_on"] for name in ("graded_on", "known_on")}
    tables.write(folder, {"standards": standards.assign(**days)}, about=ABOUT)
    grades, given = together.by_grade(_rows()), together.by_standard(_rows())
    assert grades.rows.set_index("grade now")["schools"].to_dict() == {
        "Outstanding": 1, "Good": 0, "Requires improvement": 2, "Inadequate": 1, "without an overall grade": 1
    }  # fmt: skip
    assert given.title == "1 of 5 has a report card; 1 with some area below the expected standard"
    assert given.rows.set_index("area").loc["Leadership and governance", "Needs attention"] == 1
    text = said(shown("trust", trust=77))
    assert grades.title in text and given.title in text


def test_who_may_fall_and_rise_is_likelier_than_not_and_of_schools_with_a_chance(folder):
    write_tables(folder)
    fall, rise = together.may_fall(_rows()), together.may_rise(_rows())
    assert fall.urns == [TOP] and fall.title == "A worse grade is likelier than not in 1 of 3 schools"
    assert GOOD in rise.urns and FEW not in rise.urns
    assert rise.rows["school"].tolist() == sorted(rise.rows["school"])


def test_each_school_stands_beside_schools_like_it_in_the_order_of_names(folder):
    write_tables(folder)
    tables.write(folder, {"forecasts": card()}, about=ABOUT)
    chances, what = together.beside(_rows())
    assert what == outlook.BELOW
    (row,) = chances.to_dict("records")
    assert (row["chance"], row["low"], row["high"], row["usual"]) == (0.45, 0.1, 0.6, 0.5)
    assert together.apart(chances, what).title.startswith("Of 1 schools, none stand clearly above")
    sure = together.apart(chances.assign(low=0.4, high=0.45, usual=0.5), what)
    assert sure.title.endswith("1 clearly below")


def test_a_row_links_to_its_school_and_its_name_stays_text(folder):
    write_tables(folder)
    html = [part.proto.body for part in shown("trust", trust=77).get("html") if "figures" in part.proto.body]
    assert any(f'<a href="school?urn={GOOD}">Ash Primary School</a>' in body for body in html)
    assert not any("<script>alert" in body for body in html)


def test_the_pack_says_what_the_page_says_and_has_a_page_for_each_school(folder):
    write_tables(folder)
    rows, app = _rows(), shown("trust", trust=77)
    made = together.pack(rows, "Oak, Ash & Thorn Trust")
    reader = PdfReader(io.BytesIO(pdf.made("pack", made)))
    printed = "".join("".join(page.extract_text() for page in reader.pages).split())
    page = said(app)
    for part in together.parts(rows):
        assert part.title in page and "".join(part.title.split()) in printed
    assert len(made["schools"]) == len(rows) <= len(reader.pages)
    assert made["schools"][0]["verdict"] in said(shown("school", urn=int(rows["urn"].iloc[0])))
    assert together.listed(rows)["school"].tolist() in [
        table["school"].tolist() for table in listed(app) if "school" in table
    ]
