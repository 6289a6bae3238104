"""What kind of school it is: type, faith, ages, region. Nothing a school can be blamed for, much that goes
with grades.
"""

import pandas as pd

from headway.pipelines import as_of
from headway.pipelines.signals import Signal
from headway.pipelines.sources import REGIONS

_KNOWN = "from the date of each file that lists the school"
SIGNALS = (
    Signal("sponsored_academy", "It is a sponsored academy.", "yes or no", "school_facts", _KNOWN),
    Signal("converter_academy", "It is a converter academy.", "yes or no", "school_facts", _KNOWN),
    Signal("voluntary_aided", "It is voluntary aided.", "yes or no", "school_facts", _KNOWN),
    Signal("community", "It is a community school.", "yes or no", "school_facts", _KNOWN),
    Signal("church_of_england", "Its name says Church of England.", "yes or no", "school_facts", _KNOWN),
    Signal("catholic", "Its name says Catholic.", "yes or no", "school_facts", _KNOWN),
    Signal("saint", "It is named after a saint.", "yes or no", "school_facts", _KNOWN),
    Signal("infant", "It is an infant school.", "yes or no", "school_facts", _KNOWN),
    Signal("junior", "It is a junior school.", "yes or no", "school_facts", _KNOWN),
    Signal("grammar", "It is a grammar school.", "yes or no", "school_facts", _KNOWN),
    Signal("girls", "It is a girls' school.", "yes or no", "school_facts", _KNOWN),
    Signal("called_academy", "It is called an academy.", "yes or no", "school_facts", _KNOWN),
    Signal("secondary", "It is a secondary school.", "yes or no", "school_facts", _KNOWN),
    Signal(
        "special_or_unit",
        "It is a special school or a pupil referral unit.",
        "yes or no",
        "school_facts",
        _KNOWN,
    ),
    *(
        Signal(
            f"region_{region.lower().replace(' ', '_')}",
            f"It is in {region}.",
            "yes or no",
            "school_facts",
            _KNOWN,
        )
        for region in REGIONS
    ),
)

_TYPES = {
    "sponsored_academy": "sponsor",
    "converter_academy": "converter",
    "voluntary_aided": "voluntary aided",
    "community": "community",
}
_NAMES = {  # letters spelt out: \b, on names with accents, goes one by one through Python's own expressions
    "church_of_england": "(?:^|[^a-z0-9])(?:c ?of ?e|ce)(?:[^a-z0-9]|$)|church of england",
    "catholic": "catholic|(?:^|[^a-z0-9])rc(?:[^a-z0-9]|$)",
    "saint": "^(?:st(?:[^a-z0-9]|$)|saint|holy|our lady|sacred)",
    "infant": "infant",
    "junior": "junior",
    "grammar": "grammar",
    "girls": "girls",
    "called_academy": "academy",
}


def signals(cohort: pd.DataFrame, known: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Kind of school as the newest file before that morning had it, through changes of URN."""
    facts = known["school_facts"]
    kind, name = (
        as_of.latest_known(cohort, facts[["lineage", "known_on", of]].dropna())[of].str.lower()
        for of in ("type", "name")
    )
    yes = {column: kind.str.contains(word, na=False).where(kind.notna()) for column, word in _TYPES.items()}
    yes |= {column: name.str.contains(word, na=False).where(name.notna()) for column, word in _NAMES.items()}
    yes |= {
        "secondary": cohort["phase"].eq("Secondary"),
        "special_or_unit": cohort["phase"].isin(["Special", "PRU"]),
    }
    yes |= {f"region_{region.lower().replace(' ', '_')}": cohort["region"].eq(region) for region in REGIONS}
    return pd.DataFrame(yes, index=cohort.index).astype("float64")
