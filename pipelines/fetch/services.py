"""What is fetched and from where: every address, slug, data-set id and file name wanted, in one table.

A service moves or renames: change its line here. What the files look like inside is in `sources`. Only files
that `ingest` can read are wanted; `data/README.md` says which are left to be put there by hand.
"""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from headway.pipelines import sources
from headway.pipelines.fetch.web import Refused, Web
from headway.pipelines.files import day_in_name

DAY = datetime.timedelta(days=1)
OUT_WITHIN = 62 * DAY  # a month's inspections come out in the month after or the one after that
ANSWERS_OUT_WITHIN = 150 * DAY  # parents' answers took up to 86 days so far
DAYS_BACK = 6  # an extract of the register so many days old will do
# Month, day, and years after the one an academic year ends in: by then a table of that year has had its last
# release.
SETTLED = (4, 30, 1)
PROVISIONAL = (12, 31, 0)  # key stage 4 before schools have checked it: October, or some weeks later
# Workbooks before this day hold older layouts; what was in them came out as CSV, or is in the official
# statistics.
WORKBOOKS_SINCE = datetime.date(2025, 11, 10)


@dataclass(frozen=True)
class Choice:
    """A place a file may come from. `inside` are the names it may have where the answer is an archive, the
    best first.
    """

    address: str
    name: str  # under data/raw
    inside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """A file to bring from the first of its choices that gives it.

    `version` names its content: while it stays the same, a whole copy isn't asked for again. `published_on`
    is the last day it can have come out. `layouts` is how the layouts in `sources` begin: the key headers of
    one of them must be there. Where no layout begins so, nothing can be said of the headers, and none are
    looked for.
    """

    kind: str
    title: str
    choices: tuple[Choice, ...]
    layouts: str
    published_on: datetime.date
    version: str | None = None
    size: int | None = None
    may_be_missing: bool = False

    def headed(self, cells: list[str]) -> bool:
        """Whether a row has every key header of one of its layouts, or there is no layout to say."""
        held, layouts = {sources.normalised(cell) for cell in cells}, self.keys()
        return not layouts or any(
            all(held & {sources.normalised(header) for header in key.headers} for key in keys)
            for keys in layouts
        )

    def keys(self) -> list[list[sources.Column]]:
        """The key columns that each of its layouts can't do without."""
        return [
            [column for _, column in layout.columns() if column.kind == "key" and column.required]
            for layout in sources.LAYOUTS
            if layout.name.startswith(self.layouts)
        ]


class Service(Protocol):
    kind: str

    def wanted(self, web: Web, today: datetime.date) -> Iterator[Wanted]:
        """The files a service has that we want. Raises `Refused` where it doesn't list them."""


@dataclass(frozen=True)
class Page:
    """Attachments of a GOV.UK page, by the names of their files; `releases` are pages a collection leads to.

    `workbooks` hold what several of the `files` hold together: one is wanted only of a day that none of these
    is of, since `ingest` refuses a release it is given twice. `newest` wants the file of the last day alone;
    where several are of that day, the one whose pattern comes first.
    """

    kind: str
    path: str
    files: tuple[str, ...]
    releases: str | None = None
    workbooks: tuple[str, ...] = ()
    newest: bool = False
    folder: str = "ofsted"
    layouts: str = "Ofsted"
    out_within: datetime.timedelta = OUT_WITHIN

    def wanted(self, web: Web, today: datetime.date) -> Iterator[Wanted]:
        page = web.read_json(GOV_UK + self.path)
        pages = [page]
        if self.releases:
            linked = [_text(document, "base_path") for document in _rows(page, "links", "documents")]
            pages = [web.read_json(GOV_UK + path) for path in linked if re.fullmatch(self.releases, path)]
        result = [(name, wanted) for each in pages for name, wanted in self._attached(each, today)]
        chosen = self._chosen(result)
        if not chosen:
            raise Refused(f"it names no file like {self.files[0]}; the page may have moved")
        yield from (wanted for name, wanted in result if name in chosen)

    def _chosen(self, found: list[tuple[str, Wanted]]) -> set[str]:
        """The names of the files to bring, of those a page has."""
        names = [name for name, _ in found if _place(name, self.files) is not None]
        if self.newest:
            days = {
                name: (_as_at(name) or datetime.date.min, -(_place(name, self.files) or 0)) for name in names
            }
            return {max(names, key=days.__getitem__)} if names else set()
        books = [name for name, _ in found if name not in names]
        taken = {_as_at(name) for name in names}
        for name in sorted(books, key=lambda name: _place(name, self.workbooks) or 0):
            day = _as_at(name)
            if day and day >= WORKBOOKS_SINCE and day not in taken:
                names.append(name)
                taken.add(day)
        return set(names)

    def _attached(self, page: Any, today: datetime.date) -> Iterator[tuple[str, Wanted]]:
        updated = _day(_text(page, "public_updated_at")) or today
        for attachment in _rows(page, "details", "attachments"):
            address = _text(attachment, "url")
            name = safe_name(_text(attachment, "filename") or unquote(urlsplit(address).path))
            if _place(name, (*self.files, *self.workbooks)) is None:
                continue
            as_at = _as_at(name)
            out = updated if as_at is None else min(updated, as_at + self.out_within)
            size = attachment.get("file_size")
            yield (
                name,
                Wanted(
                    self.kind,
                    _text(attachment, "title") or name,
                    (Choice(address, f"{self.folder}/{name}"),),
                    self.layouts,
                    out,
                    address,
                    size if isinstance(size, int) and size > 0 else None,
                ),
            )


@dataclass(frozen=True)
class Daily:
    """A file made anew each day, with the day in its name; any of the last few will do."""

    kind: str
    title: str
    address: str
    layouts: str

    def wanted(self, web: Web, today: datetime.date) -> Iterator[Wanted]:
        addresses = [self.address.format(f"{today - back * DAY:%Y%m%d}") for back in range(DAYS_BACK + 1)]
        choices = tuple(Choice(address, f"gias/{address.rsplit('/', 1)[1]}") for address in addresses)
        yield Wanted(self.kind, self.title, choices, self.layouts, today, version="dated")


@dataclass(frozen=True)
class DataSets:
    """The data sets of a publication in Explore Education Statistics, by the names of their files.

    `files` gives for each a pattern, and the id in the catalogue and the name it had in one release, for when
    the list can't be had. From the public API first, where it has the set; then the catalogue, and the file
    that leads to; then the archive of the release.
    """

    kind: str
    publication: str
    layouts: str
    files: tuple[tuple[str, str, str], ...]

    def wanted(self, web: Web, today: datetime.date) -> Iterator[Wanted]:
        try:
            listed = self._listed(web)
        except Refused:
            listed = []
        for pattern, known, usual in self.files:
            like = [
                row
                for row in listed
                if re.fullmatch(pattern, safe_name(_text(row, "filename")), re.IGNORECASE)
            ]
            yield from (self._of(row, today) for row in like)
            if not like:
                places = tuple(
                    Choice(place.format(known), f"workforce/{usual}") for place in (CATALOGUE, DATA_SET)
                )
                yield Wanted(self.kind, usual, places, self.layouts, today)

    def _listed(self, web: Web) -> list[dict[str, Any]]:
        rows, page, pages = [], 1, 1
        while page <= min(pages, 50):
            answer = web.read_json(DATA_SETS.format(self.publication, page))
            rows += _rows(answer, "results")
            told = answer.get("paging", {}).get("totalPages") if isinstance(answer, dict) else None
            pages, page = told if isinstance(told, int) else 1, page + 1
        return rows

    def _of(self, row: dict[str, Any], today: datetime.date) -> Wanted:
        name, number, api = safe_name(_text(row, "filename")), _text(row, "id"), row.get("api")
        path = f"workforce/{name}"
        choices = [Choice(CATALOGUE.format(number), path), Choice(DATA_SET.format(number), path)]
        if isinstance(api, dict) and _text(api, "id"):
            choices.insert(0, Choice(API.format(_text(api, "id")), path))
        release = row.get("release")
        if isinstance(release, dict) and _text(release, "id") and _text(row, "fileId"):
            choices.append(Choice(RELEASE.format(_text(release, "id"), _text(row, "fileId")), path, (name,)))
        out = _day(_text(row, "published"))
        version = f"{number} {_text(row, 'lastUpdated') or _text(row, 'published')}" if out else None
        return Wanted(
            self.kind, _text(row, "title") or name, tuple(choices), self.layouts, out or today, version
        )


@dataclass(frozen=True)
class Tables:
    """One of the performance tables, year by year: the year the academic year ends in. `to` None goes on to
    the newest.

    `also` are other names its file has had in an archive. `settled` is when a year's table has had its last
    release: till then it may not be out, and is asked for again. `may_never_come` says that a year without it
    is no failure.
    """

    kind: str
    title: str
    filters: str
    file: str
    layouts: str
    years: tuple[int, ...]
    to: int | None = None
    also: tuple[str, ...] = ()
    settled: tuple[int, int, int] = SETTLED
    may_never_come: bool = False

    def wanted(self, web: Web, today: datetime.date) -> Iterator[Wanted]:
        newest = today.year if today.month >= 9 else today.year - 1
        later = range(max(self.years) + 1, newest + 1) if self.to is None else ()
        month, day, after = self.settled
        for year in (*self.years, *later):
            out = datetime.date(year + after, month, day)
            choice = Choice(
                TABLES.format(self.filters, year - 1, year),
                f"{self.kind}/{year}_{self.file}",
                (self.file, *self.also),
            )
            yield Wanted(
                self.kind,
                f"{self.title}, {year - 1}-{year}",
                (choice,),
                self.layouts,
                out,
                str(year) if today > out else None,
                may_be_missing=self.may_never_come or today <= out,
            )


# --- the table ----------------------------------------------------------------------------------------------

GOV_UK = "https://www.gov.uk/api/content"
EDUBASE = "https://ea-edubase-api-prod.azurewebsites.net/edubase/downloads/public/"
DATA_SETS = (
    "https://content.explore-education-statistics.service.gov.uk/api/data-set-files"
    "?publicationId={}&latestOnly=true&pageSize=40&page={}"
)
API = "https://api.education.gov.uk/statistics/v1/data-sets/{}/csv"
CATALOGUE = "https://explore-education-statistics.service.gov.uk/data-catalogue/data-set/{}/csv"
DATA_SET = "https://content.explore-education-statistics.service.gov.uk/api/data-set-files/{}/download"
RELEASE = (
    "https://content.explore-education-statistics.service.gov.uk/api/releases/{}/files"
    "?fromPage=ReleaseUsefulInfo&fileIds={}"
)
TABLES = (
    "https://www.compare-school-performance.service.gov.uk/download-data"
    "?download=true&regions=0&filters={}&fileformat=csv&year={}-{}&meta=false"
)
_MI = r"Management_information_-_(state-funded_)?schools_-_"
_DAY = r"\d{1,2}_[a-z]+_\d{4}"
_ANSWERS = r"(Accessible_)?Parent_View_management_information_"

SERVICES: tuple[Service, ...] = (
    Page(
        "inspections",
        "/government/statistical-data-sets/monthly-management-information-ofsteds-school-inspections-outcomes",
        (
            _MI + rf"latest_inspections_(-_)?(as_)?at_{_DAY}\.csv",
            _MI + rf"all_inspections_-_year_to_date_published_by_{_DAY}\.csv",
            r"Management_information_-_state-funded_schools_(-_)?1_September_2015_to_31_August_2019\.csv",
            _MI + r"1_Sept_2005_to_31_August_2015\.xlsx",
        ),
        workbooks=tuple(_MI + rf"as_at_{_DAY}\.{ending}" for ending in ("xlsx", "ods")),
    ),
    Page(
        "inspections",
        "/government/collections/maintained-schools-and-academies-inspections-and-outcomes-official-statistics",
        (r"State[-_]funded_schools_inspections_and_outcomes_as_at_31_August_20\d\d\.csv",),
        releases=r"/government/statistics/state-funded-schools-inspections-and-outcomes-as-at-31-august-20\d\d",
    ),
    Daily("gias", "Register of schools (GIAS), all data", EDUBASE + "edubasealldata{}.csv", "GIAS all data"),
    Daily(
        "gias",
        "Links between schools (GIAS)",
        EDUBASE + "links_edubasealldata{}.csv",
        "GIAS links between URNs",
    ),
    Daily(
        "gias",
        "Links between schools and groups (GIAS)",
        EDUBASE + "grouplinks_edubaseallacademiesandfree{}.csv",
        "GIAS links between schools and groups",
    ),
    Page(
        "parents",
        "/government/statistical-data-sets/ofsted-parent-view-management-information",
        (
            _ANSWERS + rf"school_level_data_as_at_{_DAY}\.csv",
            _ANSWERS + rf"(school_level_data_)?as_at_{_DAY}\.xlsx",
            _ANSWERS + rf"(school_level_data_)?as_at_{_DAY}\.ods",
        ),
        newest=True,
        folder="parents",
        layouts="Ofsted Parent View",
        out_within=ANSWERS_OUT_WITHIN,
    ),
    # Ids of the releases of 2025 and 2026: each release has its own, which the list gives.
    DataSets(
        "workforce",
        "b318967f-2931-472a-93f2-fbed1e181e6a",
        "Explore Education Statistics",
        (
            (
                r"teacher_turnover_\d{4}_\d{4}_sch\.csv",
                "1df9bfbf-b573-4f1d-ba87-06a36387f2e5",
                "teacher_turnover_2010_2025_sch.csv",
            ),
            (
                r"workforce_\d{4}_\d{4}_fte_hc_(nat_reg_la_)?sch\.csv",
                "6cb459c2-5cc5-41be-87c8-01c0986514e8",
                "Workforce_2010_2025_fte_hc_sch.csv",
            ),
            (
                r"workforce_ptrs_\d{4}_\d{4}_sch\.csv",
                "12849f4a-1427-4dc2-9f7a-e069087824aa",
                "workforce_ptrs_2010_2025_sch.csv",
            ),
            (
                r"workforce_teacher_pay_\d{4}_\d{4}_school\.csv|teacher_pay_school_swc_tps_merged\.csv",
                "760ad614-44ac-4e8a-8fdd-a8080c762770",
                "teacher_pay_school_swc_tps_merged.csv",
            ),
            (
                r"sickness_absence_teachers_(\d{4}_\d{4}_)?sch\.csv",
                "aa13e99e-534c-4f70-9c43-c7f9544296b3",
                "sickness_absence_teachers_2010_2025_sch.csv",
            ),
            (
                r"vacancies_number_rate_sch_\d{4}_\d{4}\.csv",
                "e70db0c4-e346-413b-a238-05a81a6087a9",
                "vacancies_number_rate_sch_2010_2025.csv",
            ),
            (
                r"workforce_teacher_characteristics_school_\d{6}\.csv",
                "15fca977-837e-4a82-8e24-bd9ee9fb5515",
                "workforce_teacher_characteristics_school_202526.csv",
            ),
        ),
    ),
    # No results by school for 2019/20 and 2020/21, and none of key stage 2 for 2021/22. Progress is missing
    # from key stage
    # 2 from 2023/24 on and from key stage 4 for 2024/25 and 2025/26; attainment stays.
    Tables(
        "performance",
        "Key stage 2",
        "KS2",
        "england_ks2final.csv",
        "Performance tables: key stage 2",
        (2016, 2017, 2018, 2019, 2023, 2024, 2025),
        also=("england_ks2revised.csv",),
    ),
    Tables(
        "performance",
        "Key stage 4, provisional",
        "KS4PROV",
        "england_ks4provisional.csv",
        "Performance tables: key stage 4",
        (2016, 2017, 2018, 2019, 2022, 2023, 2024, 2025),
        settled=PROVISIONAL,
        may_never_come=True,
    ),
    Tables(
        "performance",
        "Key stage 4",
        "KS4",
        "england_ks4final.csv",
        "Performance tables: key stage 4",
        (2016, 2017, 2018, 2019, 2022, 2023, 2024, 2025),
        also=("england_ks4revised.csv",),
    ),
    # Whether trusts have a table of every later year isn't known: they were compared by progress.
    Tables(
        "performance",
        "Multi-academy trusts, key stage 2",
        "KS2MATS",
        "england_ks2-mats-performance.csv",
        "Performance tables: multi-academy trusts",
        (2023, 2024, 2025),
        may_never_come=True,
    ),
    Tables(
        "performance",
        "Multi-academy trusts, key stage 4",
        "KS4MATS",
        "england_ks4-mats-performance.csv",
        "Performance tables: multi-academy trusts",
        (2022, 2023, 2024),
        may_never_come=True,
    ),
    Tables(
        "performance",
        "School information",
        "GIAS",
        "england_school_information.csv",
        # later ones can't be dated
        "Performance tables: school information",
        (2019, 2021, 2022, 2023),
        to=2023,
    ),
    Tables(
        "census",
        "Census of pupils",
        "CENSUS",
        "england_census.csv",
        "Performance tables: census",
        (*range(2011, 2020), 2021, 2022, 2023),
    ),
    Tables(
        "absence",
        "Absence of pupils",
        "PUPILABSENCE",
        "england_abs.csv",
        "Performance tables: absence",
        (*range(2011, 2020), 2022, 2023),
    ),
)

# Where a request may go: the hosts above, and where GOV.UK keeps its attachments.
HOSTS = frozenset(
    urlsplit(address).netloc for address in (GOV_UK, EDUBASE, DATA_SETS, API, CATALOGUE, TABLES)
) | {"assets.publishing.service.gov.uk"}
KINDS = tuple(dict.fromkeys(service.kind for service in SERVICES))


# --- what a list says ---------------------------------------------------------------------------------------


def safe_name(said: str) -> str:
    """The last part of a name a server gave, in letters, figures and a few signs: nothing that leads to
    another folder.
    """
    last = re.split(r"[/\\]", said)[-1]
    return re.sub(r"[^A-Za-z0-9 ._()-]", "_", last).lstrip(".")[-150:]


def _place(name: str, patterns: tuple[str, ...]) -> int | None:
    """Which of the patterns a name has, by its place; None where it has none."""
    return next(
        (at for at, pattern in enumerate(patterns) if re.fullmatch(pattern, name, re.IGNORECASE)), None
    )


def _as_at(name: str) -> datetime.date | None:
    day = day_in_name(name)
    return None if day is None else day.date()


def _rows(found: Any, *path: str) -> list[dict[str, Any]]:
    """The objects in a list at a place in an answer; none where the answer has another shape."""
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _text(row: Any, name: str) -> str:
    value = row.get(name) if isinstance(row, dict) else None
    return value.strip() if isinstance(value, str) else ""


def _day(said: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(said[:10])
    except ValueError:
        return None
