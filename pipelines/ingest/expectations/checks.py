"""One check of one file: its figure, the usual range, and the words for both."""

from dataclasses import dataclass, field

import numpy as np

# Each check by its name, and what its figure is.
NAMES = {
    "rows": "rows, as a ratio to the nearest file of its kind",
    "missing": "share of the schools of the files around it that it leaves out",
    "group": "share of one group's schools that it leaves out, above that of all",
    "blanks": "share that is blank, above or below the nearest file",
    "constant": "distinct values",
    "level": "middle value, in spreads from the nearest file's",
    "scale": "mean, as a ratio to the nearest file's",
    "schools": "how well it agrees with the nearest file, school by school",
    "columns": "how much better two columns agree with each other's column in the nearest file",
    "relations": "change of the rank correlation of two columns",
    "order": "how often one column is below another, or the change of that",
    "shares": "share of rows that would have to change their group to match the nearest file",
    "copied": "share of figures that are exactly those of another year",
    "repeated": "how well an earlier year's figures agree with that year's own file, school by school",
    "year": "how much better its schools fit another year",
    "twice": "share of rows that repeat another's key",
    "together": "share of rows in which two columns go together as elsewhere in the file",
    "strangers": "share of schools that no other file knows",
    "future": "days or years from today to the time in its name; check this machine's clock, too",
    "newest": "days of inspecting from the newest thing in it to the day in its name",
    "weekend": "share of inspections that begin or end on a weekend",
    "reports": "days from inspection to report",
    "months": "inspections in a month, as a ratio to those expected",
    "rule": "share of overall grades that follow from the judgements",
    "leadership": "share of grades of leadership that are like overall",
    "grades": "mean grade",
    "category": "share of inadequate schools with a category of concern",
    "same inspection": "share of grades that other files have as well",
    "days moved": "share of inspections that other files have on another day",
    "in histories": "share of inspections that a full history of the time has too",
    "profile": "distance of an area's mean standard from its usual place among the areas",
    "applies": "share of schools with a standard for an area that they don't have",
    "range": "share of values in the possible range",
}


@dataclass
class Check:
    """A figure of a file and the range it has in true ones; `about` is the column or group, `against` the
    file compared with.
    """

    name: str
    file: str
    about: str
    figure: float | None
    low: float | None
    high: float | None
    against: str = ""
    accepted: bool = False
    known: str = ""  # why a true file is out of the range, where that is known

    @property
    def key(self) -> str:
        return f"{self.name}:{self.file}"

    @property
    def breached(self) -> bool:
        if self.figure is None or np.isnan(self.figure):
            return False
        return (self.low is not None and self.figure < self.low) or (
            self.high is not None and self.figure > self.high
        )


@dataclass
class Checks:
    """The checks made, gathered as they are made."""

    made: list[Check] = field(default_factory=list)
    # parts of files with nothing to compare them with
    alone: dict[str, list[str]] = field(default_factory=dict)

    def add(
        self,
        name: str,
        file: str,
        about: str,
        figure: float,
        low: float | None = None,
        high: float | None = None,
        against: str = "",
    ) -> None:
        """Keep a check; a figure that could not be worked out is none."""
        if figure is None or not np.isfinite(figure):
            return
        self.made.append(
            Check(
                name,
                file,
                about,
                float(figure),
                None if low is None else float(low),
                None if high is None else float(high),
                against,
            )
        )


def allowance(share: float, count: float, sigmas: float = 4.5) -> float:
    """How far a share of so many can be from its true value by chance."""
    share = min(max(share, 0.0), 1.0)
    return sigmas * np.sqrt(max(share * (1 - share), 0.25 / max(count, 1)) / max(count, 1))
