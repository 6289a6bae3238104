import re
from pathlib import Path

import pandas as pd
import pytest

from headway.explorer import search, without
from headway.pipelines import frameworks, inspections, signals
from headway.pipelines.ingest import ingest

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def held(real_raw: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("real") / "tables"
    report = ingest(real_raw, folder)
    known, _, _ = signals.read_known(folder)
    return {"report": report, "raw": real_raw, "folder": folder, **known}


def _cohort(held: dict, morning: str) -> pd.DataFrame:
    asked = inspections.roster(held["schools"], [pd.Timestamp(morning)])
    rows = inspections.cohort(asked, held["school_facts"], held["inspections"])
    assert not rows.duplicated(["urn", "as_of"]).any()
    assert len(rows) == len(asked)
    return inspections.next_graded(rows, held["inspections"], held["coverage"], held["schools"])


def _improved(rows: pd.DataFrame) -> float:
    seen = rows[rows["label"].notna()]
    assert len(seen) > 300
    return seen["label"].eq("improved").mean()


def test_every_official_file_is_read_or_named_as_not_needed(held):
    there = {path.relative_to(held["raw"]).as_posix() for path in held["raw"].rglob("*") if path.is_file()}
    read = {re.sub(r"(\.zip|\.xlsx|\.ods)/.*", r"\1", told["file"]) for told in held["report"]["files"]}
    assert read | set(held["report"]["not_needed"]) == there
    assert not read & set(held["report"]["not_needed"])


def test_every_row_is_kept_or_set_aside_with_a_reason(held):
    for told in held["report"]["files"]:
        assert told["rows_read"] == told["rows_kept"] + sum(told["set_aside"].values()), told["file"]
        assert told["rows_kept"] > 0.95 * told["rows_read"], told["file"]


def test_no_inspection_is_known_before_it_was_published_or_its_file_was_made(held):
    rows = held["inspections"]
    assert (rows["known_on"] >= rows["inspected_on"]).all()
    first = {told["file"]: pd.Timestamp(told["dated"]) for told in held["report"]["files"] if told["dated"]}
    shown = rows["source_file"].map(first)
    early = rows["known_on"] < rows["published_on"].fillna(shown).clip(upper=shown)
    registers = {
        pd.Timestamp(told["dated"])
        for told in held["report"]["files"]
        if "school information" in told["release"]
    }
    # A file that reaches back shows reports that were out long before it: known by the day nearly all such
    # reports were out.
    early &= rows["known_on"].ne(frameworks.report_out_by(rows["inspected_on"]))
    assert rows.loc[early, "known_on"].isin(registers).all()  # a register may be the first to show one
    assert early.sum() < 10


def test_schools_rated_requires_improvement_in_may_2013_improved_at_the_forward_rate(held):
    rows = _cohort(held, "2013-05-01")
    assert 0.54 < _improved(rows[rows["overall"].eq(3)]) < 0.60


def test_schools_rated_requires_improvement_in_january_2020_improved_at_the_forward_rate(held):
    rows = _cohort(held, "2020-01-01")
    assert 0.69 < _improved(rows[rows["overall"].eq(3)]) < 0.73


@pytest.mark.parametrize("morning", ["2013-05-01", "2020-01-01"])
def test_a_good_school_with_better_leadership_became_outstanding_about_twice_as_often(held, morning):
    rows = _cohort(held, morning)
    good = rows[rows["overall"].eq(2) & rows["leadership"].notna()]
    better = good["leadership"].lt(good["overall"])
    assert 1.4 < _improved(good[better]) / _improved(good[~better]) < 3.1


def test_every_open_school_is_asked_about_exactly_once_today(held):
    today = max(
        pd.Timestamp(told["dated"]) for told in held["report"]["files"] if told["dated"]
    ) + pd.Timedelta(days=1)
    asked = inspections.roster(held["schools"], [today])
    still = held["schools"][held["schools"]["open"]]
    assert len(still) > 21_000
    assert not asked.duplicated("urn").any() and not asked.duplicated("lineage").any()
    # A history names schools that no list ever showed and no file says ended: nobody scores them.
    unlisted = held["schools"].loc[
        held["schools"]["first_listed_on"].isna() & ~held["schools"]["open"], "urn"
    ]
    assert set(asked["urn"]) - set(unlisted) == set(still["urn"])


def test_adding_schools_with_histories_elsewhere_changes_no_other_school_s_signals(held):
    """Two hundred schools in an authority and a trust of their own, graded when others were: nobody else's
    row moves.
    """
    schools, visits, members = held["schools"], held["inspections"], held["trusts"]
    chosen = schools[schools["open"]].head(200)
    number = {lineage: 900000 + at for at, lineage in enumerate(chosen["lineage"])}

    def copied(rows):
        mine = rows[rows["lineage"].isin(number)]
        new = mine["lineage"].map(number)
        return mine.assign(lineage=new, **({"urn": new} if "urn" in mine else {}))

    added = {
        **held,
        "schools": pd.concat([schools, copied(chosen).assign(la_code=999)], ignore_index=True),
        "inspections": pd.concat([visits, copied(visits)], ignore_index=True),
        "trusts": pd.concat([members, copied(members).assign(trust_uid=999999)], ignore_index=True),
    }
    asked = schools[schools["open"]][["urn", "lineage"]].tail(3000).assign(as_of=pd.Timestamp("2024-09-01"))
    asked = asked.astype({"as_of": "datetime64[s]"}).reset_index(drop=True)
    rows = [
        signals.build(inspections.cohort(asked, k["school_facts"], k["inspections"]), k)
        for k in (
            {name: rows for name, rows in every.items() if isinstance(rows, pd.DataFrame)}
            for every in (held, added)
        )
    ]
    pd.testing.assert_frame_equal(*rows)


SEARCHES = {"Netther Stowe": 146493, "URN 146493": 146493, "Netherstowe": 146493, "WS13": 146493}


def test_searches_with_a_slip_an_and_a_saint_or_an_outcode_find_their_school(held, monkeypatch):
    monkeypatch.setenv("HEADWAY_TABLES", str(held["folder"]))
    for asked, urn in SEARCHES.items():
        assert urn in search.found(asked)["urn"].head(3).tolist(), asked
    for asked, authority in (
        ("Barking & Dagenham", "Barking and Dagenham"),
        ("Saint Marys Salford", "Salford"),
    ):
        first = search.found(asked).head(3)
        assert len(first) == 3 and first["local_authority"].eq(authority).all(), asked


def test_what_a_prediction_is_made_without_has_the_reason_that_the_tables_give(held, monkeypatch):
    monkeypatch.setenv("HEADWAY_TABLES", str(held["folder"]))
    still = held["schools"][held["schools"]["open"]].sample(200, random_state=1)
    asked = still[["urn", "lineage"]].assign(as_of=pd.Timestamp("2026-04-01")).reset_index(drop=True)
    asked = asked.astype({"as_of": "datetime64[s]"})
    known = {name: rows for name, rows in held.items() if isinstance(rows, pd.DataFrame)}
    made = signals.build(inspections.cohort(asked, known["school_facts"], known["inspections"]), known)
    missing = signals.without(made, signals.used())
    there = {name: set(rows["lineage"]) for name, rows in known.items() if "lineage" in rows}
    for row, named, morning in zip(still.to_dict("records"), missing, asked["as_of"], strict=True):
        predicted = pd.Series({"made_without": named, "as_of": morning})
        reasons = dict(
            zip(named.split("; "), without.reasons(pd.Series(row), predicted, signals.used()), strict=True)
        )
        for name, (_, why) in reasons.items():
            if name in signals.REGISTERS:
                assert "kept by nobody" in why
            elif known[name].empty:
                assert why == "not among the files read", (row["urn"], name)
            elif name in there:
                absent = "nothing of this school" in why or "not published for this kind of school" in why
                assert absent == (row["lineage"] not in there[name]), (row["urn"], name, why)
