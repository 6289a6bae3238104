"""What each made-up school is called and what it is: name, type, place, faith, intake, trust. None is a real
one.
"""

import numpy as np
import pandas as pd
from scipy.special import expit

from headway.pipelines.synthesise.world import AUTHORITIES, World, day_of

# Two halves of a place that is on no map.
STEMS = (
    "Quill",
    "Thistle",
    "Fern",
    "Otter",
    "Wyrm",
    "Bramble",
    "Lantern",
    "Moth",
    "Marmot",
    "Pebble",
    "Gossamer",
    "Tansy",
    "Sorrel",
    "Plover",
    "Dapple",
    "Hobble",
    "Mistle",
    "Candle",
    "Umber",
    "Cinder",
    "Juniper",
    "Wicker",
    "Saffron",
    "Nimbus",
    "Puddle",
    "Rumble",
    "Starling",
    "Velvet",
    "Whistle",
    "Yarrow",
    "Zephyr",
    "Acorn",
    "Bobbin",
    "Cobble",
)
ENDS = (
    "mere",
    "beck",
    "hollow",
    "wold",
    "combe",
    "garth",
    "thwaite",
    "spindle",
    "fold",
    "marrow",
    "dingle",
    "pike",
    "holm",
    "warren",
    "scar",
    "haven",
    "stead",
    "minster",
    "sedge",
    "quay",
    "gate",
    "brook",
    "tarn",
    "croft",
    "knoll",
    "wick",
)
FIRST = (
    "",
    "",
    "",
    "",
    "Upper ",
    "Nether ",
    "Little ",
    "Great ",
    "Old ",
    "St Orrin's ",
    "St Peverel's ",
    "Our Lady of the ",
)
KINDS = {
    "Primary": (
        "Primary School",
        "Primary School",
        "C of E Primary School",
        "Community Primary School",
        "Infant School",
        "Junior School",
        "Catholic Primary School",
    ),
    "Secondary": (
        "High School",
        "School",
        "Community College",
        "Grammar School",
        "Catholic High School",
        "Girls' School",
    ),
    "Special": ("School", "Lodge School"),
    "Nursery": ("Nursery School",),
    "PRU": ("Pupil Referral Unit", "Short Stay School"),
}
# Names that trip up what quotes, escapes or encodes carelessly.
AWKWARD = (
    'The "Lantern" School',
    "O'Fennimore's & St Brône's Primary School",
    "Zoë Wyrmwood <b>Bold</b> School",
    "D\u2019Arquill-Café School",
    "Puddlewick, Nettle & Moth School ",
    "=Sum of Its Parts School",
)
TYPES = {  # phase: types kept by an authority and their shares; by choice, by a sponsor, opened new
    "Primary": (
        ("Community School", "Voluntary Aided School", "Voluntary Controlled School", "Foundation School"),
        (0.55, 0.2, 0.15, 0.1),
        "Academy Converter",
        "Academy Sponsor Led",
        "Free School",
    ),
    "Secondary": (
        ("Community School", "Voluntary Aided School", "Foundation School"),
        (0.5, 0.2, 0.3),
        "Academy Converter",
        "Academy Sponsor Led",
        "Free School",
    ),
    "Special": (
        ("Community Special School", "Foundation Special School"),
        (0.9, 0.1),
        "Academy Special Converter",
        "Academy Special Sponsor Led",
        "Free School Special",
    ),
    "Nursery": (
        ("LA Nursery School",),
        (1.0,),
        "Academy Converter",
        "Academy Sponsor Led",
        "LA Nursery School",
    ),
    "PRU": (
        ("Pupil Referral Unit",),
        (1.0,),
        "Academy Alternative Provision Converter",
        "Academy Alternative Provision Sponsor Led",
        "Free School - Alternative Provision",
    ),
}
TRUST_NAMES = (
    "The {a} & {b} Trust",
    "{a}{c} Learning Trust",
    "{a} Schools Together",
    "The {a}{c} Academy Trust",
    "{b} Tree Partnership",
)
SIZES = {"Primary": 280, "Secondary": 950, "Special": 130, "Nursery": 90, "PRU": 60}
AGES = {"Primary": (4, 11), "Secondary": (11, 18), "Special": (4, 19), "Nursery": (2, 5), "PRU": (11, 16)}
NUMBERED_FROM = {"Primary": 2000, "Secondary": 4000, "Special": 7000, "Nursery": 1000, "PRU": 1100}
LARGEST_TRUST = 40
LEAVING = 0.03  # of academies, in 2025/26


def _pick(
    choices: tuple[str, ...], count: int, rng: np.random.Generator, shares: tuple[float, ...] | None = None
) -> np.ndarray:
    return np.array(choices, dtype=object)[rng.choice(len(choices), count, p=shares)]


def described(world: World, rng: np.random.Generator) -> pd.DataFrame:
    """The world's schools with their particulars; those that change on becoming an academy come twice, as
    `new_...`.
    """
    schools = world.schools
    count = len(schools)
    advantage = schools["advantage"].to_numpy()
    phase = schools["phase"].to_numpy()
    kind, kept, chosen, sponsored, fresh = (np.empty(count, dtype=object) for _ in range(5))
    laestab = np.zeros(count, dtype="int64")
    code = _authority_codes(rng)[schools["authority"]]
    for name, (types, shares, by_choice, by_sponsor, newly) in TYPES.items():
        here = phase == name
        kept[here] = _pick(types, here.sum(), rng, shares)
        kind[here] = _pick(KINDS[name], here.sum(), rng)
        chosen[here], sponsored[here], fresh[here] = by_choice, by_sponsor, newly
        number = schools[here].groupby("authority").cumcount().to_numpy()
        laestab[here] = code[here] * 10_000 + NUMBERED_FROM[name] + number
    names = _pick(FIRST, count, rng) + _pick(STEMS, count, rng) + _pick(ENDS, count, rng) + " " + kind
    odd = rng.choice(count, max(len(AWKWARD), count // 400), replace=True)
    names[odd] = np.resize(np.array(AWKWARD, dtype=object), len(odd))
    renamed = rng.random(count) < 0.5
    academy_names = pd.Series(names).str.replace("School", "Academy", regex=False).to_numpy(dtype=object)

    faith = np.where(
        np.isin(kept, ["Voluntary Aided School", "Voluntary Controlled School"]), "Christian", "Non-faith"
    )
    faith = np.where(
        (faith == "Non-faith") & (rng.random(count) < 0.012),
        _pick(("Jewish", "Muslim", "Other faith"), count, rng),
        faith,
    )
    religion = (
        pd.Series(faith)
        .map(
            {
                "Christian": "Church of England",
                "Non-faith": "Does not apply",
                "Jewish": "Jewish",
                "Muslim": "Muslim",
                "Other faith": "Sikh",
            }
        )
        .to_numpy(dtype=object)
    )
    religion = np.where(
        (religion == "Church of England") & (rng.random(count) < 0.35), "Roman Catholic", religion
    )
    london = (schools["region"] == "London").to_numpy()
    deprived = -advantage + rng.normal(0, 0.45, count)
    quintile = np.clip((pd.Series(deprived).rank(method="first").to_numpy() - 1) * 5 // count + 1, 1, 5)
    size = schools["phase"].map(SIZES).to_numpy() * np.exp(rng.normal(0, 0.38, count))
    low, high = np.array([AGES[name] for name in phase]).T
    low = np.where(pd.Series(names).str.contains("Junior"), 7, low)
    high = np.where(pd.Series(names).str.contains("Infant"), 7, high)
    sixth = np.where(phase == "Secondary", rng.random(count) < 0.6, False)
    high = np.where((phase == "Secondary") & ~sixth, 16, high)
    special = np.isin(phase, ["Special", "PRU"])
    fsm = expit(-1.75 - 0.75 * advantage + 0.3 * london + 0.7 * special + rng.normal(0, 0.3, count))
    moved = np.where(rng.random(count) < 0.87, laestab, laestab + np.where(phase == "Primary", 1500, 60))
    trust, trust_name = _trusts(schools, rng)
    return schools.assign(
        name=names,
        new_name=np.where(renamed & schools["becomes"], academy_names, names),
        type=np.where(schools["new"], fresh, kept),
        new_type=np.where(schools["sponsored"], sponsored, chosen),
        la_code=code,
        laestab=laestab,
        new_laestab=moved,
        trust_uid=trust,
        trust_name=trust_name,
        leaves=day_of("2100-01-01"),  # its trust: see `leaving`
        next_trust_uid=trust,
        next_trust_name=trust_name,
        local_authority=_authority_names(rng)[schools["authority"]],
        faith=faith,
        religion=religion,
        constituency=_pick(STEMS, count, rng) + _pick((" North", " South", " and Wold", " Vale"), count, rng),
        gender=np.where(np.char.find(names.astype(str), "Girls'") >= 0, "Girls", "Mixed"),
        admissions=np.where(
            phase == "Secondary",
            np.where(np.char.find(names.astype(str), "Grammar") >= 0, "Selective", "Non-selective"),
            "Not applicable",
        ),
        # No postcode area begins with a Q, so nobody lives here.
        postcode=[
            f"Q{chr(65 + a)}{b} {c}ZZ"
            for a, b, c in zip(code % 26, laestab % 97 + 1, laestab % 10, strict=True)
        ],
        low_age=low,
        high_age=high,
        has_sixth_form=sixth,
        pupils=np.round(size).astype(int),
        capacity=np.round(size * rng.uniform(0.95, 1.35, count), -1).astype(int),
        idaci_quintile=quintile.astype(int),
        fsm=fsm,
        eal=expit(-2.4 + 1.9 * london + 0.25 * deprived + rng.normal(0, 1.0, count)),
        sen=expit(-1.9 - 0.2 * advantage + 2.0 * special + rng.normal(0, 0.25, count)),
        ehcp=np.where(
            special, expit(2.5 + rng.normal(0, 0.7, count)), expit(-3.7 + rng.normal(0, 0.5, count))
        ),
        urban=np.where(rng.random(count) < 0.2, "Rural village", "Urban city and town"),
        northing=np.round((schools["latitude"] - 49.766) * 111_250).astype(int),
    ).assign(
        easting=lambda s: np.round(
            400_000 + (s["longitude"] + 2) * (71_900 - (s["northing"] - 1e5) / 36)
        ).astype(int)
    )


def _authority_codes(rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.choice(np.arange(201, 939), AUTHORITIES, replace=False))


def _authority_names(rng: np.random.Generator) -> np.ndarray:
    every = np.array([stem + end for stem in STEMS for end in ENDS], dtype=object)
    ends = _pick(("", "", "shire", " and the Marches", " City"), AUTHORITIES, rng)
    return rng.choice(every, AUTHORITIES, replace=False) + ends


def _trusts(schools: pd.DataFrame, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Each academy's trust and its name (0 and blank for none): of one region, of 1 to 40 schools, mostly a
    few.
    """
    uid, academies = np.zeros(len(schools), dtype="int64"), (schools["becomes"] | schools["new"]).to_numpy()
    given = 2000
    for region in np.unique(schools["region"]):
        members = np.flatnonzero(academies & (schools["region"] == region).to_numpy())
        # Trusts gather schools somewhat alike in intake, so that a trust's record says something of its
        # schools.
        members = members[
            np.argsort(schools["advantage"].to_numpy()[members] + 2 * rng.normal(0, 1, len(members)))
        ]
        sizes = np.minimum(1 + rng.pareto(0.9, len(members) + 1).astype(int), LARGEST_TRUST)
        whose = np.repeat(np.arange(len(sizes)), sizes)[: len(members)]
        uid[members] = given + rng.permutation(len(sizes))[whose]
        given += len(sizes)
    numbers, place = np.unique(uid, return_inverse=True)
    a, b, c = (_pick(part, len(numbers), rng) for part in (STEMS, STEMS, ENDS))
    forms = rng.integers(0, len(TRUST_NAMES), len(numbers))
    named = [TRUST_NAMES[f].format(a=x, b=y, c=z) for f, x, y, z in zip(forms, a, b, c, strict=True)]
    names = np.array(named, dtype=object)[place]
    return uid, np.where(uid > 0, names, None)


def leaving(schools: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The schools with the day some leave their trust, in 2025/26, and the one they join then, of one school
    or of more.
    """
    count, academies = len(schools), (schools["trust_uid"] > 0).to_numpy()
    leaves = academies & (rng.random(count) < LEAVING)
    months = np.arange("2025-09", "2026-08", dtype="datetime64[M]").astype("datetime64[D]").astype("int64")
    day = np.where(leaves, months[rng.integers(0, len(months), count)], day_of("2100-01-01"))
    day = np.where(day < np.maximum(schools["converts"], 0) + 366, day_of("2100-01-01"), day)
    # Half stand alone from then on, the others join the trust of some other academy of their region.
    order = np.flatnonzero(academies)
    joined, names = (
        schools["trust_uid"].to_numpy().copy(),
        schools["trust_name"].to_numpy(dtype=object).copy(),
    )
    for region in np.unique(schools["region"]):
        there = order[(schools["region"].to_numpy() == region)[order]]
        other = rng.permutation(there)
        joined[there], names[there] = (
            schools["trust_uid"].to_numpy()[other],
            schools["trust_name"].to_numpy()[other],
        )
    alone = rng.random(count) < 0.5
    day = np.where(alone | (joined != schools["trust_uid"]), day, day_of("2100-01-01"))
    own = schools["trust_uid"].max() + 1 + np.arange(count)
    return schools.assign(
        leaves=day,
        next_trust_uid=np.where(alone, own, joined),
        next_trust_name=np.where(alone, "The " + schools["name"].str.strip() + " Trust", names),
    )


def trust_on(rows: pd.DataFrame, academy: np.ndarray, on: np.ndarray | int) -> dict[str, np.ndarray]:
    """The trust of each school on a day, and its name: 0 and blank for those kept by an authority."""
    gone = (rows["leaves"] <= on).to_numpy()
    uid = np.where(gone, rows["next_trust_uid"], rows["trust_uid"])
    name = np.where(gone, rows["next_trust_name"], rows["trust_name"])
    return {"trust_uid": np.where(academy, uid, 0), "trust_name": np.where(academy, name, None)}


def listed(schools: pd.DataFrame, day: str) -> pd.DataFrame:
    """The schools open on a day, under the URN, name, type and trust they had then."""
    on = int(np.datetime64(day, "D").astype(int))
    there = schools[(schools["opened"] <= on) & (schools["closed"] > on)]
    moved = (there["converts"] <= on).to_numpy()
    academy = moved | there["new"].to_numpy()
    return there.assign(
        **{c: np.where(moved, there[f"new_{c}"], there[c]) for c in ("urn", "name", "type", "laestab")},
        opened=np.where(moved, there["converts"], there["opened"]),
        academy=academy,
        **trust_on(there, academy, on),
    )


def keys(rows: pd.DataFrame) -> dict[str, object]:
    """The numbers by which the Department's tables know a school."""
    return {"urn": rows["urn"], "la_code": rows["la_code"], "establishment_number": rows["laestab"] % 10_000}
