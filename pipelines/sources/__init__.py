"""What each official file looks like, release by release: names, headers, markers, and when it became public.

An official header appears in this package and nowhere else. To read a renamed column, add its spelling to the
column; to read a new kind of file, add a `Layout`. Headers are compared by their words and figures alone, so
only real differences need a line. Those not named here are reported and left unread.
"""

from headway.pipelines.sources.expected import (
    AT_MOST,
    EARLIER_RELEASES,
    EXPECTED,
    KNOWN_ODD,
    MONTHS,
    NO_RESULTS,
    NOT_INSPECTED_WITH_THEM,
    NOT_NEEDED,
    PERSONAL,
    STANDARD_PROFILE,
    STATE_FUNDED,
    Expected,
)
from headway.pipelines.sources.explore import EXPLORE, PHASES, PHASES_OF_OFSTED
from headway.pipelines.sources.gias import GIAS
from headway.pipelines.sources.layout import BLANKS, Column, Layout, LongForm, evened, fits, normalised
from headway.pipelines.sources.ofsted import INSPECTIONS, REGION_WORDS, REGIONS
from headway.pipelines.sources.parent_view import PARENT_VIEW
from headway.pipelines.sources.performance import TABLES

LAYOUTS = (*INSPECTIONS, *TABLES, *EXPLORE, *GIAS, *PARENT_VIEW)

__all__ = [
    "AT_MOST",
    "BLANKS",
    "Column",
    "EARLIER_RELEASES",
    "EXPECTED",
    "EXPLORE",
    "Expected",
    "GIAS",
    "INSPECTIONS",
    "KNOWN_ODD",
    "LAYOUTS",
    "Layout",
    "LongForm",
    "MONTHS",
    "NOT_INSPECTED_WITH_THEM",
    "NOT_NEEDED",
    "NO_RESULTS",
    "PARENT_VIEW",
    "PERSONAL",
    "PHASES",
    "PHASES_OF_OFSTED",
    "REGIONS",
    "REGION_WORDS",
    "STANDARD_PROFILE",
    "STATE_FUNDED",
    "TABLES",
    "evened",
    "fits",
    "normalised",
]
