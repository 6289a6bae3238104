import os

os.environ.update(
    OMP_NUM_THREADS="1", MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", MLFLOW_LOGGING_LEVEL="WARNING"
)  # before anything imports lightgbm or mlflow

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from headway.pipelines import ingest, registers, signals, sources, tables
from headway.pipelines.tables import DATE

# Files that take longest, as they are begun: the longest first, so that at the end no core waits for one.
LONGEST = (
    "test_pipeline",
    "test_month",
    "test_registry",
    "test_real_files",
    "test_explorer_browser",
    "test_commands",
    "test_faults",
    "test_synthesise",
    "test_explorer",
    "test_spelling",
    "test_hostile",
    "test_batch",
    "test_registers",
    "test_added_files",
    "test_explorer_registers",
    "test_wheel",
    "test_privacy",
    "test_expectations",
    "test_explorer_sign_in",
    "test_explorer_server",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Orders the tests, and marks as slow those of the longest files: `make quick` leaves them out."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
    for item in items:
        if item.path.stem in LONGEST:
            item.add_marker(pytest.mark.slow)


def _cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


def _typed(name: str, cells: list[str]) -> pd.Series:
    held = [cell for cell in cells if cell]
    if name.endswith("_on") or name == "as_of":
        return pd.to_datetime(pd.Series([cell or None for cell in cells], dtype="object")).astype(DATE)
    if held and all(cell in ("True", "False") for cell in held):
        known = pd.Series([{"True": True, "False": False}.get(cell) for cell in cells], dtype="boolean")
        return known if known.isna().any() else known.astype("bool")
    numbers = pd.to_numeric(pd.Series([cell or None for cell in cells], dtype="object"), errors="coerce")
    if numbers.notna().sum() == len(held):
        whole = len(held) == len(cells) and all("." not in cell for cell in cells)
        return numbers.astype("int64" if whole else "float64")
    return pd.Series([cell or None for cell in cells], dtype="str")


@pytest.fixture(scope="session")
def drawn() -> Callable[[str], pd.DataFrame]:
    """A frame from a table drawn in text: bars between cells, a blank cell is missing, columns in `_on` are
    days.
    """

    def draw(text: str) -> pd.DataFrame:
        names, *rows = _cells(text)
        return pd.DataFrame({name: _typed(name, [row[at] for row in rows]) for at, name in enumerate(names)})

    return draw


@pytest.fixture(scope="session")
def official() -> Callable[..., str]:
    """The text of an official CSV: drawn rows under the headers of the layout whose name has `part` in it.

    A drawn column is named as ours, or `previous.overall` where several records of the layout have it.
    Columns the layout requires and nobody drew stand there blank.
    """

    def write(part: str, text: str) -> str:
        (layout,) = [known for known in sources.LAYOUTS if part in known.name]
        names, *rows = _cells(text)
        first: dict[str, str] = {}
        for record, column in layout.columns():
            first.setdefault(column.name, column.headers[0])
            first[f"{record}.{column.name}"] = column.headers[0]
        sheet = {first[name]: [row[at] for row in rows] for at, name in enumerate(names)}
        for _, column in layout.columns():
            if column.required:
                same = layout.only.get(column.name, ("",))[0]
                sheet.setdefault(column.headers[0], [same] * len(rows))
        written = io.StringIO()
        csv.writer(written).writerows([list(sheet), *zip(*sheet.values(), strict=True)])
        return written.getvalue()

    return write


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


@pytest.fixture
def put(raw: Path, official: Callable[..., str]) -> Callable[[str, str, str], Path]:
    """Writes drawn rows into `raw` as an official file; school columns are filled in where the layout has
    them.
    """

    school = {"name": "Oak", "phase": "Primary", "type": "Academy Converter", "local_authority": "Ambleshire"}

    def write(name: str, part: str, text: str) -> Path:
        (layout,) = [known for known in sources.LAYOUTS if part in known.name]
        has = {column.name for column in layout.records.get("schools", ())}
        fill = {name: cell for name, cell in school.items() if name in has}
        head, *lines = [line.strip() for line in text.strip().splitlines()]
        lines = [" | ".join([head, *fill]), *(" | ".join([line, *fill.values()]) for line in lines)]
        path = raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(official(part, "\n".join(lines)), "utf-8")
        return path

    return write


@pytest.fixture
def ingested(raw: Path, tmp_path: Path) -> Callable[[], dict]:
    """Ingests `raw` as it stands; returns the report and, under `tables`, a function that reads one of our
    tables.

    A few schools drawn to show one thing are unlike a true release in others: those checks a test names are
    let through.
    """

    def run(*checks: str) -> dict:
        accept = [f"{check}:{path.name}" for check in checks for path in raw.iterdir()]
        report = ingest.ingest(raw, tmp_path / "tables", accept=accept)
        return {**report, "tables": lambda name: tables.read(tmp_path / "tables", name)}

    return run


@pytest.fixture(scope="session")
def table() -> Callable[[str, pd.DataFrame], pd.DataFrame]:
    """One of our tables from a frame, with what is usual in the columns that nobody drew.

    A school is its own lineage and open, a stretch holds for every school, and a detail of an inspection is
    known with it.
    """

    def make(name: str, rows: pd.DataFrame) -> pd.DataFrame:
        names = tables.TABLES[name].names
        usual = {
            "open": True,
            "source_file": "drawn",
            "lineage": 0 if name == "coverage" else rows.get("urn"),
            **(
                {
                    f"{detail}_known_on": rows["known_on"].where(rows[detail].notna())
                    for detail in tables.DETAILS
                    if detail in rows
                }
                if name == "inspections"
                else {}
            ),
        }
        return tables.conform(
            rows.assign(**{c: usual[c] for c in usual if c in names and c not in rows}), name
        )

    return make


@pytest.fixture(scope="session")
def known(table) -> Callable[..., dict[str, pd.DataFrame]]:
    """All that signals are made from, tables and registers: those given, and the others empty; schools listed
    as given long ago.
    """

    def make(**frames: pd.DataFrame) -> dict[str, pd.DataFrame]:
        if "schools" in frames and "school_facts" not in frames:
            listed = table("schools", frames["schools"]).reindex(
                columns=["urn", "lineage", "phase", "region", "la_code"]
            )
            frames["school_facts"] = listed.assign(known_on=pd.Timestamp("2000-01-01"))
        held = {
            name: table(name, frames.get(name, pd.DataFrame(columns=tables.TABLES[name].names)))
            for name in signals.TABLES
        }
        nobody, _ = registers.known(None, held["schools"], "official")
        for name in signals.REGISTERS:
            rows = frames.get(name, nobody[name])
            held[name] = (
                rows.assign(lineage=rows["urn"])
                .reindex(columns=nobody[name].columns)
                .astype(nobody[name].dtypes)
            )
        return held

    return make


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the explorer looks for its tables, in this test alone; whoever looks sits at this machine."""
    import six_schools

    six_schools.sits_at(monkeypatch, None)
    for name, place in (
        ("TABLES", "tables"),
        ("RUNS", "mlruns"),
        ("REGISTERS", "registers"),
        ("ACCESS", "access.toml"),
        ("OWNER", "owner.toml"),
    ):
        monkeypatch.setenv(f"HEADWAY_{name}", str(tmp_path / place))
    return tmp_path / "tables"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of one of the made-up Englands of worlds.py, by its name: shared by all that run at once,
    and only read.
    """
    import worlds

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return lambda name: worlds.once(shared / "worlds", name)


@pytest.fixture(scope="session")
def chromium():
    """A browser: this machine's own Chromium."""
    import browsing

    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    if browsing.CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=browsing.CHROMIUM, args=browsing.FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def real_raw() -> Path:
    """The folder of the official files: HEADWAY_REAL_FILES, or ../shared/data/raw beside the project."""
    beside = Path(__file__).parents[2] / "shared" / "data" / "raw"
    folder = Path(os.environ.get("HEADWAY_REAL_FILES", beside))
    if not folder.is_dir():
        pytest.skip("the official files are not here")
    return folder
