"""One official file to rows under our names: recognised by its headers, every cell read or its blank
explained.

Nothing here knows a header: `sources` does. All the problems of a file come in one message. `opening` takes
bytes to tables of text, within `limits`; `recognising` finds the layout; `cells` reads what stands in a
column; `dating` says what day the file is of; `long_form` makes one row of many; `reading` ties them
together.
"""

from headway.pipelines.files.cells import first_known, numbers, read_cells
from headway.pipelines.files.dating import day_in_name, tables_year
from headway.pipelines.files.limits import MOST_UNPACKED
from headway.pipelines.files.opening import HEADER_WITHIN, sheets, why_not_needed
from headway.pipelines.files.reading import Release, read_file

__all__ = [
    "HEADER_WITHIN",
    "MOST_UNPACKED",
    "Release",
    "day_in_name",
    "first_known",
    "numbers",
    "read_cells",
    "read_file",
    "sheets",
    "tables_year",
    "why_not_needed",
]
