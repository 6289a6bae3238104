"""What a school or trust adds of its own, that no public file says: three kinds of register, kept under
data/registers.

`kinds` declares each once: its columns, from which template, guide, check and reader all follow. `reading`
checks a file, every problem at once. `keeping` stores registers by owner, and says what they make known.

`recorded_on` is the day a row was written down, and a fact counts only from the day after it: figures put
together with hindsight must not be used for mornings before. Nothing here writes anywhere but in the
registers' own folder.
"""

from headway.pipelines.registers.keeping import (
    add,
    known,
    made_known,
    owners,
    read_stored,
    refused,
    remove,
    stored,
    summary,
)
from headway.pipelines.registers.kinds import KINDS, TABLES, Kind, guide, kind_named, shown, template
from headway.pipelines.registers.reading import MOST_BYTES, MOST_ROWS, Checked, Problem, check, owned_by

__all__ = [
    "KINDS",
    "MOST_BYTES",
    "MOST_ROWS",
    "TABLES",
    "Checked",
    "Kind",
    "Problem",
    "add",
    "check",
    "guide",
    "kind_named",
    "known",
    "made_known",
    "owned_by",
    "owners",
    "read_stored",
    "refused",
    "remove",
    "shown",
    "stored",
    "summary",
    "template",
]
