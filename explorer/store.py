"""The tables, as far as a page needs them: read once, kept until the file changes. Nothing is written.

Kept as resources, which visitors share, and not as Streamlit's cached data, which are pickled and copied for
each click.
"""

import contextlib
import json
import os
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from headway.pipelines import tables
from headway.pipelines.tables import DataError

IN_LISTS = (
    "urn",
    "lineage",
    "name",
    "phase",
    "type",
    "region",
    "local_authority",
    "trust_uid",
    "trust_name",
    "postcode",
    "latitude",
    "longitude",
    "open",
)
RECENT, KEPT_AS = 8, "headway_viewed"
# seconds in which a browser fetches what it draws the first page with; reading then would keep it waiting
PATIENCE = 1.5
# The measures that pages show, of the tables of yearly figures: the rest is never read.
MEASURES = {
    "turnover": ("stayed_fte", "moved_school_fte", "left_system_fte", "teachers_fte"),
    "workforce": ("pupils_per_teacher", "teachers_fte", "assistants_fte", "mean_salary"),
    "posts": ("assistant_heads_fte", "leaders_fte", "teachers_fte"),
    "vacancies": ("share_vacant",),
    "sickness": ("mean_days_all_teachers",),
    "census": ("pupils", "share_fsm_ever", "share_eal"),
    "absence": ("share_absence",),
}


def folder() -> Path:
    return Path(os.environ.get("HEADWAY_TABLES") or "data/tables")


def runs() -> Path:
    return Path(os.environ.get("HEADWAY_RUNS") or "mlruns")


def today() -> pd.Timestamp:
    return pd.Timestamp.now().normalize()


def stamp(path: Path) -> tuple[int, int]:
    """What tells one writing of a file from the next, so that a page never shows an old one."""
    try:
        result = path.stat()
    except OSError:
        return (0, 0)
    return result.st_mtime_ns, result.st_size


def path(name: str) -> Path:
    return folder() / f"{name}.parquet"


def about(name: str) -> dict[str, Any]:
    """What is known about a table as a whole. Raises `DataError` where it is missing or of another layout."""
    return _about(str(folder()), name, stamp(path(name)))


@st.cache_resource(show_spinner=False, max_entries=100)
def _about(where: str, name: str, version: tuple[int, int]) -> dict[str, Any]:
    return tables.about(Path(where), name)


def has(name: str) -> bool:
    return path(name).is_file()


def types_of(name: str) -> dict[str, str]:
    """The columns a table has on disk, and their types there."""
    import pyarrow.parquet as pq

    about(name)
    return {field.name: str(field.type) for field in pq.read_schema(path(name))}


@st.cache_resource(show_spinner=False, max_entries=20)
def _whole(where: str, name: str, columns: tuple[str, ...] | None, version: tuple[int, int]) -> pd.DataFrame:
    try:
        return tables.read(Path(where), name, list(columns) if columns else None)
    except (
        KeyError,
        ValueError,
        OSError,
    ) as error:  # pyarrow's errors for a column or a file that isn't what it was
        raise DataError(
            f"{Path(where) / name}.parquet can't be read ({error}).\nRun `headway ingest` again."
        ) from error


@st.cache_resource(show_spinner=False, max_entries=20)
def _by(
    where: str, name: str, column: str, columns: tuple[str, ...] | None, version: tuple[int, int]
) -> pd.DataFrame:
    """A table in the order of one column, so that a school's rows are found without looking at the others."""
    rows = _whole(where, name, columns, version)
    return (
        rows
        if rows[column].is_monotonic_increasing
        else rows.sort_values(column, kind="stable", ignore_index=True)
    )


def whole(name: str, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """A table, or some of its columns. It is shared between visitors: nobody may change it in place."""
    return _whole(str(folder()), name, tuple(columns) if columns else None, stamp(path(name)))


def some(name: str, column: str, value: int, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """The rows of a table with this value, a copy; no rows where there is no such table."""
    if not has(name):
        return pd.DataFrame(columns=tables.TABLES[name].names if name in tables.TABLES else [column])
    rows = _by(str(folder()), name, column, tuple(columns) if columns else None, stamp(path(name)))
    first, last = (int(rows[column].searchsorted(value, side=side)) for side in ("left", "right"))
    return rows.iloc[first:last].copy()


@st.cache_resource(show_spinner=False, max_entries=4)
def _large(where: str, name: str, column: str, columns: tuple[str, ...], version: tuple[int, int]) -> Any:
    """Some columns of a large table as it lies on disk, texts kept once each; the order of one column, and it
    so ordered.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    about(name)
    path = Path(where) / f"{name}.parquet"
    try:
        texts = [
            field.name
            for field in pq.read_schema(path)
            if pa.types.is_large_string(field.type) or pa.types.is_string(field.type)
        ]
        rows = pq.read_table(
            path,
            columns=list(columns),
            read_dictionary=[text for text in texts if text in columns],
            page_checksum_verification=True,
        )
        order = np.argsort(rows[column].to_numpy(), kind="stable")
        return rows, order, rows[column].to_numpy()[order]
    except (KeyError, ValueError, OSError) as error:
        raise DataError(
            f"{path} can't be read ({error}).\nRun `headway train` and `headway score` again."
        ) from error


def of_large(name: str, column: str, values: list[int], columns: tuple[str, ...]) -> pd.DataFrame:
    """The rows of a large table with one of these values; only they become a frame."""
    import pyarrow as pa

    rows, order, key = _large(str(folder()), name, column, columns, stamp(path(name)))
    first, last = (np.searchsorted(key, values, side=side) for side in ("left", "right"))
    few = rows.take(np.concatenate([order[one:end] for one, end in zip(first, last, strict=True)]))
    texts = [
        field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in few.schema
    ]
    # else each text of the whole table would come along as a category
    return few.cast(pa.schema(texts)).to_pandas()


# --- what pages ask for -------------------------------------------------------------------------------------


def schools() -> pd.DataFrame:
    return whole("schools", IN_LISTS)


@st.cache_resource(show_spinner=False, max_entries=4)
def _in_order(where: str, column: str, version: tuple[int, int]) -> list[str]:
    rows = schools()
    return sorted(rows.loc[rows["open"], column].dropna().unique())


def in_order(column: str) -> list[str]:
    """What stands in a column of the open schools, once each, by the alphabet."""
    return _in_order(str(folder()), column, stamp(path("schools")))


@st.cache_resource(show_spinner=False, max_entries=2)
def _trusts(where: str, version: tuple[int, int]) -> dict[str, str]:
    rows = schools()
    rows = (
        rows[rows["open"]].dropna(subset=["trust_uid"]).drop_duplicates("trust_uid").sort_values("trust_name")
    )
    return dict(
        zip(rows["trust_uid"].astype("int64").astype("str"), rows["trust_name"].astype("str"), strict=True)
    )


def trusts() -> dict[str, str]:
    """The trusts of open schools, names by number, by the alphabet."""
    return _trusts(str(folder()), stamp(path("schools")))


@st.cache_resource(show_spinner=False, max_entries=2)
def _places(where: str, version: tuple[int, int]) -> pd.DataFrame:
    rows = schools()
    rows = rows.loc[rows["open"], ["longitude", "latitude"]].dropna()
    return rows.div([0.12, 0.075]).round().mul([0.12, 0.075]).round(3).drop_duplicates(ignore_index=True)


def places() -> pd.DataFrame:
    """Where open schools are, thinned to a grid of some five miles: a map of all would be slow and no
    clearer.
    """
    return _places(str(folder()), stamp(path("schools")))


@st.cache_resource(show_spinner=False, max_entries=2)
def _names(where: str, version: tuple[int, int]) -> pd.Series:
    return schools().drop_duplicates("urn").set_index("urn")["name"]


def names() -> pd.Series:
    """The name of every school, by URN."""
    return _names(str(folder()), stamp(path("schools")))


def school(urn: int) -> pd.Series | None:
    """A school's row, or nothing where no school has that URN."""
    rows = some("schools", "urn", urn)
    return None if rows.empty else rows.iloc[0]


def predictions() -> pd.DataFrame:
    """Every open school's prediction, as stored."""
    return whole("predictions")


def prediction(urn: int) -> pd.Series | None:
    rows = some("predictions", "urn", urn) if has("predictions") else pd.DataFrame()
    return None if rows.empty else rows.iloc[0]


def inspections(lineage: int) -> pd.DataFrame:
    """Everything known of a school's inspections through its changes of URN, newest first."""
    return some("inspections", "lineage", lineage).sort_values("inspected_on", ascending=False, kind="stable")


def figures(name: str, lineage: int) -> pd.DataFrame:
    """A dated table's rows for a school: one a year, the newest to be published, the newest URN's where two
    overlap.
    """
    shown = [column for column in MEASURES[name] for column in (column, f"{column}_why_blank")]
    rows = some(name, "lineage", lineage, ("urn", "lineage", "period", "known_on", "source_file", *shown))
    return (
        rows.sort_values(["period", "urn", "known_on"]).drop_duplicates("period", keep="last")
        if len(rows)
        else rows
    )


def signals_today(urn: int) -> pd.Series | None:
    """The signals the stored prediction was made from, or nothing where `headway score` kept none."""
    rows = some("signals_today", "urn", urn)
    return None if rows.empty else rows.iloc[0]


def similar(urn: int) -> pd.DataFrame:
    """The schools most like one, each with the day, framework and source of the grade that came."""
    if not has("similar"):
        return pd.DataFrame()
    told = ("urn", "rank", "other_urn", "other_as_of", "reasons", "outcome", "next_overall")
    rows = of_large("similar", "urn", [int(urn)], told)
    if rows.empty:
        return rows
    rows = rows.sort_values("rank")
    if not has("examples"):
        return rows.assign(next_inspected_on=pd.NaT, next_framework=None, label_source=None)
    named = ("urn", "as_of", "next_inspected_on", "next_framework", "label_source")
    came = of_large("examples", "urn", rows["other_urn"].unique().tolist(), named)
    came = came.drop_duplicates(["urn", "as_of"]).rename(columns={"urn": "other_urn", "as_of": "other_as_of"})
    return rows.merge(came, on=["other_urn", "other_as_of"], how="left", validate="many_to_one")


@st.cache_resource(show_spinner=False, max_entries=20)
def _json(path: str, version: tuple[int, int]) -> dict[str, Any] | None:
    file = Path(path)
    if not file.is_file():
        return None
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        made_by = {"train": "train", "evidence": "evidence"}.get(file.stem, "ingest")
        raise DataError(f"{file} isn't JSON ({error}).\nRun `headway {made_by}` again.") from error


def told(name: str) -> dict[str, Any] | None:
    """A command's report (train, evidence, ingest), or nothing where it hasn't run."""
    path = folder() / f"{name}.json"
    return _json(str(path), stamp(path))


@st.cache_resource(show_spinner=False, max_entries=2)
def _champion(where: str, version: tuple[tuple[int, int], ...]) -> tuple[Any, str]:
    from headway.models import AlteredError
    from headway.models.champion import Champion

    try:
        return Champion.load(Path(where)), ""
    except AlteredError as error:
        return None, str(error)
    except (OSError, ValueError, KeyError, TypeError):
        return None, ""


def _stored() -> tuple[Any, str]:
    where = runs() / "champion"
    return _champion(str(where), tuple(map(stamp, sorted(where.rglob("*")))))


def champion() -> Any:
    """The stored model, or nothing where there is none that can be read, or it isn't as it was promoted."""
    return _stored()[0]


def champion_refused() -> str:
    """Why the stored model isn't used, where its files aren't as they were promoted."""
    return _stored()[1]


def state(row: pd.Series) -> pd.DataFrame:
    """How the stored model sees where a school stands: its grade, with a “satisfactory” kept apart, and its
    phase.
    """
    from headway.pipelines.signals import trajectory

    one = row.to_frame().T
    old = (
        trajectory.satisfactory(one["overall"].astype("Int64"), pd.to_datetime(one["inspected_on"])).iloc[0]
        > 0
    )
    rank = int(row["overall"])
    return pd.DataFrame(
        {"overall": [rank], "cell": ["3 satisfactory" if old else str(rank)], "group": [str(row["phase"])]}
    )


@st.cache_resource(show_spinner=False, max_entries=40)
def _listed(where: str, name: str, version: tuple[int, int]) -> frozenset[int]:
    columns = tables.TABLES[name].names
    by = next(column for column in ("lineage", "trust_uid", "la_code") if column in columns)
    return frozenset(whole(name, (by,))[by].dropna().astype("int64"))


def listed(name: str) -> frozenset[int]:
    """Whom a table has any row of: lineages, or the trusts or authorities of one that is theirs."""
    return _listed(str(folder()), name, stamp(path(name)))


@st.cache_resource(show_spinner=False, max_entries=40)
def _share_listed(where: str, name: str, column: str, version: tuple[int, int]) -> dict[Any, float]:
    rows = whole("schools", ("lineage", "open", column))
    rows = rows[rows["open"] & rows[column].notna()]
    return rows["lineage"].isin(listed(name)).groupby(rows[column]).mean().to_dict()


def share_listed(name: str, column: str) -> dict[Any, float]:
    """The share of open schools that a table has any row of, by what stands in a column of the schools."""
    return _share_listed(str(folder()), name, column, stamp(path(name)))


def recent() -> list[int]:
    """The schools looked at, newest first. A new visit takes them from the cookie that the browser kept of
    the last.
    """
    if "viewed" not in st.session_state:
        st.session_state["viewed"] = asked_urns(str(st.context.cookies.get(KEPT_AS, "")), RECENT)
    return st.session_state["viewed"]


def viewed(urn: int) -> None:
    """Remember a school for “recently viewed”: in the visit, and in the browser until it is closed, for a
    reload.
    """
    st.session_state["viewed"] = [urn, *(one for one in recent() if one != urn)][:RECENT]
    # figures and full stops alone
    kept = f"{KEPT_AS}={'.'.join(map(str, recent()))}; path=/; SameSite=Strict"
    st.container(key="kept").html(
        f"<script>document.cookie = '{kept}'</script>", unsafe_allow_javascript=True
    )


def asked_for(name: str) -> str:
    """A query parameter of the address, as text."""
    return str(st.query_params.get(name, "")).strip()


def asked_urn() -> int | None:
    """The URN in the address; else the one looked at last, which is then put into the address so a link
    restores it.
    """
    text = asked_for("urn")
    if text:
        return int(text) if text.isdecimal() and len(text) < 10 else -1
    if recent():
        st.query_params["urn"] = str(recent()[0])
        return recent()[0]
    return None


def asked_urns(text: str, most: int | None = None) -> list[int]:
    """Every number of five to seven figures in a text, once each, in order."""
    numbers = list(dict.fromkeys(int(one) for one in re.findall(r"(?<!\d)\d{5,7}(?!\d)", text)))
    return numbers[:most]


# --- before it is asked for ---------------------------------------------------------------------------------


@st.cache_resource(show_spinner=False)
def read_ahead() -> None:
    """Once the first page is drawn, what the others read first, while the visitor reads; trouble is left to
    the pages.
    """
    later = threading.Timer(PATIENCE, _read_ahead)
    later.daemon = True
    later.start()


def _read_ahead() -> None:
    # Imported here rather than by a visitor's click.
    from headway.explorer import capacity, earlier, history, outlook, own, report, search, without  # noqa: F401

    with contextlib.suppress(DataError):
        (
            search.found("a"),
            names(),
            trusts(),
            in_order("local_authority"),
            champion(),
            similar(0),
            predictions(),
            outlook.cards(),
        )
        for name, key in (
            ("schools", "urn"),
            ("predictions", "urn"),
            ("signals_today", "urn"),
            ("inspections", "lineage"),
        ):
            some(name, key, 0)
        for name in MEASURES:
            figures(name, 0)
        without.read_ahead(), earlier.read_ahead()
        for name in ("train", "evidence", "ingest"):
            told(name)
