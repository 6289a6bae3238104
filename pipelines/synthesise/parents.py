"""What parents answered Ofsted Parent View: four kinds of release, under the questions of 2019 and of
November 2025.

Only schools with ten answers or more are in a release. How many parents agree follows a trait of the school's
and nothing else: not its quality, so that where no effect is planted the answers say nothing of what comes
next.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import expit

from headway.pipelines.synthesise.particulars import listed
from headway.pipelines.synthesise.sheets import figures, layout, official, open_document, workbook, write_csv
from headway.pipelines.synthesise.staff import measured
from headway.pipelines.synthesise.world import LAST_YEAR, World

FEWEST = 10  # answers
FEW_NEEDING = 10  # parents of children with special needs, below whom their answers are left out
AGREES, SPREAD = 1.7, 0.55  # log odds of agreeing at the middle school, and a standard deviation of schools
# By question, how much easier it is to agree with; and the shares to whom it doesn't apply, or who don't
# know.
EASIER = {
    "happy": 0.5,
    "safe": 0.6,
    "behaviour": 0.0,
    "bullying": -0.9,
    "concerns": -0.4,
    "special_needs": -0.5,
    "expectations": 0.3,
    "does_well": 0.4,
    "progress_told": 0.1,
    "development": 0.3,
    "communication": 0.0,
    "best_interests": 0.2,
    "learning": 0.2,
    "recommend": 0.3,
}
SILENT = {"bullying": 0.72, "concerns": 0.3, "special_needs": 0.8}
STRONGLY = 0.55  # of those who agree, or disagree
WHOLE, SHARES, PER_CENT, NOW = (
    "of 2019 in full",
    "by number, shares of one",
    "by number, per cent",
    "of November 2025",
)
RELEASES = (  # the layout, the day of the last answer, the day it came out
    (WHOLE, "2020-04-06", "2020-08-26"),
    (SHARES, "2021-09-06", "2021-10-29"),
    (SHARES, "2022-09-05", "2022-10-26"),
    (SHARES, "2023-09-04", "2023-12-13"),
    (SHARES, "2024-09-02", "2025-01-24"),
    (PER_CENT, "2025-09-01", "2025-11-13"),
    (NOW, "2026-04-06", "2026-06-11"),
)


def write(
    out: Path, world: World, schools: pd.DataFrame, rng: np.random.Generator, until: int = LAST_YEAR + 1
) -> None:
    """Every release to August `until` into `out`: a CSV, workbooks with a title row, then OpenDocument ones
    with a cover.
    """
    folder = out / "parents"
    folder.mkdir(parents=True, exist_ok=True)
    later = [(NOW, f"{year}-04-06", f"{year}-06-11") for year in range(LAST_YEAR + 2, until + 1)]
    for kind, last, published in (*RELEASES, *later):
        sheet = _answers(kind, world, listed(schools, last), rng)
        day, month, year = (f"{pd.Timestamp(last):%{part}}" for part in "dBY")
        name = f"Parent_View_Management_Information_as_at_{int(day)}_{month}_{year}"
        if kind == WHOLE:
            write_csv(folder / f"{name.replace('_as_at', '_School_Level_Data_as_at')}.csv", sheet)
        elif kind == SHARES:
            title = f"Parent View responses by school, year to {int(day)} {month} {year}"
            (folder / f"{name}.xlsx").write_bytes(workbook(sheet, "School Level Data", title=title))
        else:
            cover = _cover(pd.Timestamp(last), pd.Timestamp(published))
            pages = {"Cover": cover, "Table_3": sheet}
            (folder / f"{name}.ods").write_bytes(
                open_document(pages, titles=("Table 3: responses by school", ""))
            )


def _cover(last: pd.Timestamp, published: pd.Timestamp) -> tuple[str | tuple[str, ...], ...]:
    since = last - pd.DateOffset(days=364)
    return (
        "Ofsted Parent View: management information",
        ("Period covered:", f"between {since.day} {since:%B %Y} and {last.day} {last:%B %Y}"),
        ("Published on:", f"{published.day} {published:%B %Y}"),
    )


def _answers(kind: str, world: World, rows: pd.DataFrame, rng: np.random.Generator) -> pa.Table:
    sent = rng.poisson(np.where(rng.random(len(rows)) < 0.3, 0.16, 0.05) * rows["pupils"].to_numpy())
    rows, sent = rows[sent >= FEWEST], sent[sent >= FEWEST]
    trait = measured(world.parents[rows["school"].to_numpy()], rng)
    columns: dict[str, object] = {
        "urn": rows["urn"],
        "name": rows["name"],
        "local_authority": rows["local_authority"],
        "phase": rows["phase"],
        "submissions": sent,
    }
    if kind in (PER_CENT, NOW):
        columns["share_responding"] = np.round(100 * sent / np.maximum(rows["pupils"].to_numpy(), sent), 1)
    wanted = list(
        dict.fromkeys(
            column.name.rsplit("_", 1)[0].removesuffix("_strongly")
            for _, column in layout(kind).columns()
            if column.name.rsplit("_", 1)[-1] in ("agree", "disagree", "yes", "no")
        )
    )
    for asked in wanted:
        agrees = expit(AGREES + EASIER[asked] + SPREAD * trait + rng.normal(0, 0.15, len(rows)))
        speaking = rng.binomial(sent, 1 - SILENT.get(asked, 0.03))
        yes = rng.binomial(speaking, agrees)
        no = speaking - yes
        if asked == "recommend":
            counts = {"yes": yes, "no": no}
        else:
            strong, dead = rng.binomial(yes, STRONGLY), rng.binomial(no, STRONGLY)
            counts = {
                "strongly_agree": strong,
                "agree": yes - strong,
                "disagree": no - dead,
                "strongly_disagree": dead,
            }
        untold = speaking < FEW_NEEDING if asked == "special_needs" else np.zeros(len(rows), dtype=bool)
        columns |= {
            f"{asked}_{answer}": _cells(kind, count / sent, untold) for answer, count in counts.items()
        }
    return official(kind, {"parent_view": columns})


def _cells(kind: str, shares: np.ndarray, untold: np.ndarray) -> pa.Array:
    """Shares as a release shows them: 46% in the CSV, else numbers of one or of a hundred, none where too few
    answered.
    """
    if kind == WHOLE:
        return figures(100 * shares, 0, "%")
    return pa.array(
        np.round(shares, 4) if kind == SHARES else np.round(100 * shares).astype(int), mask=untold
    )
