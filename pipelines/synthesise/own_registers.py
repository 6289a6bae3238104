"""What schools and trusts would add of their own: leadership development, improvement capacity, and who
stayed.

Planted: the share of middle leaders in a programme follows the trait behind assistant heads, the share who
stayed in the register of staff the trait behind turnover. All else is chance and knows nothing of outcomes,
and so is who keeps a register: that leans on the owner, the phase and the school's size, never on its
inspections.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from scipy.special import ndtr
from scipy.stats import binom

from headway.pipelines.synthesise.particulars import SIZES, listed, trust_on
from headway.pipelines.synthesise.staff import measured, share_staying, teachers_fte
from headway.pipelines.synthesise.world import World, day_of

# share of schools that keep it
KEPT = {"leadership-development": 0.60, "improvement-capacity": 0.50, "staff": 0.66}
NOVEMBERS = range(2012, 2026)  # later in worlds that run on
MISSED = 0.3  # of the years, where a school keeps one at all
IN_PROGRAMME = 0.25  # of middle leaders
# Programmes for middle leaders: how common, the first autumn of each, and the phases it is for.
PROGRAMMES = {
    "npq_leading_teaching": (0.30, 2021, None),
    "npq_leading_behaviour_and_culture": (0.15, 2021, None),
    "npq_leading_literacy": (0.12, 2022, None),
    "npq_leading_primary_mathematics": (0.08, 2024, ("Primary",)),
    "npq_senco": (0.08, 2024, None),
    "npq_early_years_leadership": (0.07, 2022, ("Primary", "Nursery")),
    "other_programme": (0.20, 1900, None),
}
SENIOR = {"npq_senior_leadership": 0.03, "npq_headship": 0.012, "npq_executive_leadership": 0.002}
LEADERS, PRACTITIONERS = 0.005, 0.05  # of all staff: what AQuA suggests


def write(
    folder: Path,
    world: World,
    schools: pd.DataFrame,
    size: np.ndarray,
    rng: np.random.Generator,
    until: int = NOVEMBERS.stop,
) -> dict[str, float]:
    """A CSV a kind and owner, into `folder`; returns the share of schools without a register of each kind.

    A school's owner is its trust of today, where that has other schools too, else its authority; of all its
    years.
    """
    today = day_of(f"{until}-09-01")
    trust = pd.Series(trust_on(schools, (schools["trust_uid"] > 0).to_numpy(), today)["trust_uid"])
    there = schools["closed"].gt(today).to_numpy()
    others = (
        np.where(
            there, pd.Series(there).groupby(trust).transform("sum"), trust.groupby(trust).transform("size")
        )
        > 1
    )
    trust = trust.where(others, 0)
    owner = (
        ("authority-" + schools["la_code"].astype(str))
        .mask(trust > 0, "trust-" + trust.astype(str))
        .to_numpy()
    )
    keepers = _keepers(schools, pd.factorize(owner)[0], rng)
    columns = ["school", "urn", "phase", "region", "pupils"]
    parts: dict[str, list[pd.DataFrame]] = {kind: [] for kind in KEPT}
    for november in range(NOVEMBERS.start, until):
        rows = listed(schools, f"{november}-11-01")[columns]
        staying = share_staying(world, rows, november - 1, rng)
        developing = measured(world.assistants[rows["school"].to_numpy()], rng)
        rows = rows.assign(
            owner=owner[rows["school"]],
            november=november,
            teachers=np.ceil(teachers_fte(rows, size, rng) * 1.12).astype(int),
            staying=staying,
            developing=developing,
        )
        year_before = np.datetime64(f"{november - 1}-11-01").astype("datetime64[D]").astype(int)
        new = schools["opened"].to_numpy()[rows["school"]] > year_before
        for kind, kept in keepers.items():
            said = kept[rows["school"]] & (rng.random(len(rows)) >= MISSED)
            # a new school had no staff to keep
            parts[kind].append(rows[said & ~new] if kind == "staff" else rows[said])
    fill = {"leadership-development": _development, "improvement-capacity": _capacity, "staff": _staff}
    for kind, years in parts.items():
        rows = pd.concat(years).sort_values(["owner", "urn", "november"], kind="stable", ignore_index=True)
        sheet = pa.table({"urn": rows["urn"].to_numpy(), **_days(rows, rng), **fill[kind](rows, rng)})
        starts = np.flatnonzero(rows["owner"].ne(rows["owner"].shift()).to_numpy())
        for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
            place = folder / rows["owner"].iat[start]
            place.mkdir(exist_ok=True)
            pyarrow.csv.write_csv(sheet.slice(start, end - start), place / f"{kind}.csv")
    return {kind: round(float(1 - kept.mean()), 3) for kind, kept in keepers.items()}


def _keepers(schools: pd.DataFrame, owner: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Which schools keep a register of each kind: some owners many, and larger schools somewhat more
    often.
    """
    lean = 0.3 * np.log(schools["pupils"] / schools["phase"].map(SIZES)) - 0.6 * schools["phase"].isin(
        ["Nursery", "PRU"]
    )
    habit = rng.normal(0, 0.9, owner.max() + 1)
    kept = {}
    for kind, share in KEPT.items():
        own = habit + rng.normal(0, 0.9, len(habit))
        score = own[owner] + lean.to_numpy() + rng.normal(0, 1, len(schools))
        kept[kind] = score > np.quantile(score, 1 - share)
    return kept


def _days(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, pa.Array]:
    """Counted in the first half of November, an owner's schools on one day; written down days to months
    later.
    """
    first = (
        pd.to_datetime(rows["november"].astype(str) + "-11-01").to_numpy().astype("datetime64[D]").astype(int)
    )
    counted = first + (pd.factorize(rows["owner"])[0] * 5) % 14
    recorded = counted + np.exp(rng.normal(np.log(25), 0.8, len(rows))).clip(2, 180).astype(int)
    return {
        "counted_on": pa.array(counted.astype("datetime64[D]")),
        "recorded_on": pa.array(recorded.astype("datetime64[D]")),
    }


def _development(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, object]:
    count, teachers = len(rows), rows["teachers"].to_numpy()
    middle = np.round(teachers * (0.25 + 0.04 * rng.normal(0, 1, count)).clip(0.1, 0.4)).astype(int)
    # As many as chance would put there, in the order of the trait: whole people, a quarter of them on
    # average.
    inside = binom.ppf(ndtr(rows["developing"]), middle, IN_PROGRAMME).astype(int)
    chances = np.column_stack(
        [
            share * (rows["november"] >= since) * (rows["phase"].isin(phases) if phases else 1)
            for share, since, phases in PROGRAMMES.values()
        ]
    )
    each = rng.multinomial(inside, chances / chances.sum(axis=1, keepdims=True)).T
    programmes, rest = dict(zip(PROGRAMMES, each, strict=True)), teachers - middle
    for name, chance in SENIOR.items():
        programmes[name] = rng.binomial(rest, chance)
        rest = rest - programmes[name]
    finished = np.minimum(rng.poisson(0.5 * middle), teachers)
    here = rng.binomial(finished, 0.75)
    promoted = rng.binomial(here, 0.4)
    unsaid = rng.random(count) < 0.06  # schools that don't follow up those who finished
    names = [*list(PROGRAMMES)[:-1], *SENIOR, "other_programme"]
    other = np.where(programmes["other_programme"] > 0, "Trust middle leader programme", None)
    after = {"finished": finished, "finished_still_here": here, "promoted_inside": promoted}
    return {
        "teachers": teachers,
        "middle_leaders": middle,
        **{name: programmes[name] for name in names},
        "other_programme_name": other,
        **{name: pa.array(people, mask=unsaid) for name, people in after.items()},
    }


def _capacity(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, object]:
    count = len(rows)
    staff = np.ceil(rows["teachers"].to_numpy() * rng.uniform(1.6, 2.2, count)).astype(int)
    leaders = rng.binomial(staff, LEADERS)
    head = np.where(rng.random(count) < 0.2, "yes", "no")
    return {
        "staff": staff,
        "improvement_leaders": leaders,
        "improvement_practitioners": rng.binomial(staff - leaders, PRACTITIONERS),
        "leaders_supporting_other_schools": rng.binomial(staff, 0.012),
        "head_improved_another_school": pa.array(head, mask=rng.random(count) < 0.05),
        "peer_reviews_done": rng.poisson(0.5, count),
        "peer_reviews_received": rng.poisson(0.4, count),
    }


def _staff(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, object]:
    count, teachers = len(rows), rows["teachers"].to_numpy()
    stayed = np.round(teachers * rows["staying"]).to_numpy().astype(int)
    left = rng.binomial(teachers - stayed, 0.55)
    posts = np.maximum(teachers + rng.integers(-1, 2, count), 1)
    vacant = rng.binomial(posts, 0.008)
    return {
        "teachers_a_year_before": teachers,
        "stayed": stayed,
        "moved_school": teachers - stayed - left,
        "left_system": left,
        "posts": posts,
        "vacant_posts": vacant,
        "temporarily_filled_posts": rng.binomial(posts - vacant, 0.012),
        "heads_in_three_years": 1 + rng.binomial(3, 0.1, count),
    }
