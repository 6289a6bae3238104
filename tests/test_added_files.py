"""What adding one more official file may change: nothing known goes blank, and nothing changes of before it
speaks.

On the official files themselves, one at a time: benchmarks/added_files.py.
"""

import itertools
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headway.pipelines import files, frameworks
from headway.pipelines.files import Release

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
from added_files import built, changed, lost, speaks_from

DAY = pd.Timestamp

# --- on made-up files ---------------------------------------------------------------------------------------

URNS = tuple(range(100_001, 100_007))
LISTS = {
    "2013-04-30": "monthly management information",
    "2014-04-30": "monthly management information",
    "2016-08-31": "August 2016 to August 2019",
    "2018-08-31": "August 2016 to August 2019",
    "2022-08-31": "September 2022",
    "2023-08-31": "September 2022",
    "2025-08-31": "September 2022",
}
FIRST = "list 2013-04-30"  # never left out: before the first list nobody can say which schools there were


def _history(seed: int) -> pd.DataFrame:
    """Every graded inspection there was: two to five a school, years apart, each with its report."""
    chance = np.random.default_rng(seed)
    rows = []
    for urn in URNS:
        day = DAY("2008-09-01") + pd.Timedelta(days=int(chance.integers(0, 1200)))
        while day < DAY("2026-02-01"):
            grade = int(chance.integers(1, 5))
            rows.append(
                (
                    urn,
                    day,
                    day + pd.Timedelta(days=2),
                    day + pd.Timedelta(days=int(chance.integers(20, 60))),
                    grade,
                    min(4, max(1, grade + int(chance.integers(-1, 2)))),
                )
            )
            day += pd.Timedelta(days=int(chance.integers(500, 1600)))
    return pd.DataFrame(
        rows, columns=["urn", "inspected_on", "ended_on", "published_on", "overall", "leadership"]
    )


def _text(rows: list[dict]) -> str:
    names = list(dict.fromkeys(itertools.chain.from_iterable(rows)))
    cell = {pd.Timestamp: lambda day: f"{day:%d/%m/%Y}"}
    lines = [
        " | ".join(cell.get(type(row.get(name)), str)(row.get(name, "")) for name in names) for row in rows
    ]
    return "\n".join([" | ".join(names), *lines])


def _list(history: pd.DataFrame, day: str, part: str, poor: bool) -> str:
    """A list of latest inspections of that day; a poor one leaves out leadership."""
    rows = []
    for urn in URNS:
        seen = history[history["urn"].eq(urn) & (history["published_on"] <= day)].tail(2).iloc[::-1]
        row: dict = {"urn": urn, "trust_uid": 7 if urn % 2 and "monthly" not in part else ""}
        for record, (_, visit) in zip(("latest", "previous"), seen.iterrows(), strict=False):
            told = (
                ("ended_on",)
                if "monthly" in part
                else ("inspected_on", "published_on")[: 1 if record == "previous" and "2019" in part else 2]
            )
            carded = visit["inspected_on"] >= DAY("2024-09-01")
            row |= {f"{record}.{name}": visit[name] for name in told}
            row[f"{record}.overall"] = "Not judged" if carded else visit["overall"]
            if record == "latest":
                row |= {} if poor else {"latest.leadership": visit["leadership"]}
                row |= {"latest.quality_of_education": visit["overall"]} if "2022" in part else {}
        rows.append(row)
    return _text(rows)


def _every(history: pd.DataFrame, since: str, until: str, **more) -> str:
    rows = history[history["inspected_on"].ge(since) & (history["published_on"] <= until)]
    return _text(
        [
            {
                "urn": row.urn,
                "inspection.inspected_on": row.inspected_on,
                "inspection.ended_on": row.ended_on,
                "inspection.published_on": row.published_on,
                "inspection.overall": row.overall,
                "inspection.leadership": row.leadership,
                **more,
            }
            for row in rows.itertuples()
        ]
    )


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """The files of a made-up England by name, read once: several views of one history, some poorer than
    others.
    """
    kept: dict[int, dict[str, Release]] = {}

    def world(seed: int, put, raw) -> dict[str, Release]:
        if seed not in kept:
            history = _history(seed)
            paths = {
                f"list {day}": put(
                    f"as_at_{DAY(day):%d_%B_%Y}.csv",
                    part,
                    _list(history, day, part, poor=(seed + at) % 2 == 0),
                )
                for at, (day, part) in enumerate(LISTS.items())
            }
            paths["all to 2015"] = put(
                "2005_to_31_August_2015.csv",
                "September 2005 to August 2015",
                _every(history, "2009-09-01", "2015-08-31"),
            )
            paths["year 2022/23"] = put(
                "published_by_31_August_2023.csv",
                "year to date, September 2019 on",
                _every(history, "2022-09-01", "2023-08-31", **{"inspection.quality_of_education": 2}),
            )
            own = history[history["urn"].isin(URNS[:4]) & (history["inspected_on"] <= DAY("2019-12-31"))]
            paths["history"] = put(
                "graded_to_2019-12-31.csv",
                "A history compiled",
                _text(own[["urn", "inspected_on", "overall"]].to_dict("records")),
            )
            last = history[history["published_on"] <= DAY("2017-08-31")].groupby("urn").tail(1)
            visited = [
                DAY("2017-05-04") if row.overall == 2 and row.urn % 2 else row.ended_on
                for row in last.itertuples()
            ]
            paths["register"] = put(
                "2017_school_information.csv",
                "school information",
                _text(
                    [
                        {
                            "urn": row.urn,
                            "status": "Open",
                            "type_group": "Academies",
                            "register.ended_on": day,
                            "register.overall": row.overall,
                        }
                        for row, day in zip(last.itertuples(), visited, strict=True)
                    ]
                ),
            )
            standards = list(frameworks.STANDARDS)
            paths["cards"] = put("year_to_date_published_by_31_January_2026.csv", ("report cards, year to "
                "date"), _text(
                [{"urn": urn, "report_card.inspected_on": DAY("2025-11-12"), "report_card.published_on": DAY("2025-12-15"),
                  "report_card.achievement": standards[urn % 5], "leadership_and_governance": standards[urn % 4]} for urn in URNS[:3]]))  # fmt: skip
            paths["card list"] = put("as_at_30_April_2026.csv", "latest report cards", _text(
                [{"urn": urn, **({"report_card.inspected_on": DAY("2025-11-12"), "report_card.published_on": DAY("2025-12-15"),
                                  "report_card.achievement": standards[urn % 5], "leadership_and_governance": "Expected standard",
                                  "leadership_and_governance_graded_on": DAY("2026-03-10") if urn % 2 else DAY("2025-11-12")}
                                 if urn in URNS[:3] else {})} for urn in URNS]))  # fmt: skip
            kept[seed] = {name: files.read_file(path, raw)[0] for name, path in paths.items()}
            for path in paths.values():
                path.unlink()
        return kept[seed]

    return world


NAMES = (
    *(f"list {day}" for day in LISTS if f"list {day}" != FIRST),
    "all to 2015",
    "year 2022/23",
    "history",
    "register",
    "cards",
    "card list",
)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 3), names=st.sets(st.sampled_from(NAMES), min_size=3, max_size=8), drawn=st.data())
@pytest.mark.long
def test_a_file_more_blanks_nothing_known_and_changes_no_signal_of_before_it_speaks(
    worlds, put, raw, seed, names, drawn
):
    world = worlds(seed, put, raw)
    added = drawn.draw(st.sampled_from(sorted(names)))
    others = [world[name] for name in (FIRST, *sorted(names)) if name != added]
    before, after = built(others), built([*others, world[added]])
    gone = lost(before, after)
    assert gone.empty, gone.to_string()
    first = speaks_from(world[added], others)
    mornings = [day for day in pd.date_range("2013-05-01", "2026-05-01", freq="4MS") if day <= first]
    if mornings:
        moved = changed(before, after, mornings)
        assert moved.empty, f"{added}, which speaks from {first:%d %B %Y}:\n{moved.to_string()}"
