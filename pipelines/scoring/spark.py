"""The same answers on Apache Spark, for feature rows that outgrow one machine.

Each of Spark's Python workers reads the champion's plain files once and answers batch after batch with the
very function the local engine uses, so the numbers are the same to the last bit. Input and output lie where
every worker can reach them.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from headway.models.champion import Champion
from headway.pipelines.scoring import rows, score
from headway.pipelines.scoring.batch import Inputs, finished, making, model
from headway.pipelines.tables import DataError

MASTER = "HEADWAY_SPARK_MASTER"  # of the environment; local[*] where it says nothing
PLACE = "row_index"  # of a row in its file, as Spark counts it


def score_rows(path: Path, output: Path, champion_folder: Path, *, details: bool = False) -> dict[str, Any]:
    """Answer every feature row of a parquet file or folder of them; returns the manifest, which is also
    written.

    As `batch.score_rows`, but parts are as large as Spark makes them, and the lists of encodings in their
    footers come in any order. Raises `DataError` too where PySpark or Java is missing.
    """
    champion = score.load(champion_folder)
    files = rows.files(path)
    inputs = Inputs(files)
    for file in files:
        rows.check(file, champion)
    if other := [file.name for file in files if file.suffix != ".parquet"]:
        raise DataError(
            f"Spark scores parquet files only, and {other[0]} is none.\nLeave out --engine spark for CSV "
            "files."
        )
    names = [file.relative_to(path).as_posix() if path.is_dir() else file.name for file in files]
    job = {
        "what": "rows on Spark",
        "inputs": dict(zip(names, inputs.sums, strict=True)),
        "details": details,
        **model(champion),
    }
    session = _session()
    try:
        with making(output, job) as partial:
            for file, name in zip(files, names, strict=True):
                _answer(session, file.resolve(), partial.resolve() / name, champion, details)
            inputs.check(whole=True)
            told = [
                {
                    "name": name,
                    "bytes": file.stat().st_size,
                    "sha256": digest,
                    "rows": pq.read_metadata(file).num_rows,
                }
                for file, name, digest in zip(files, names, inputs.sums, strict=True)
            ]
            return finished(
                partial,
                {
                    "inputs": told,
                    "rows_in": sum(one["rows"] for one in told),
                    "details": details,
                    "engine": "spark",
                    **model(champion),
                },
            )
    finally:
        session.stop()


def _session() -> Any:
    try:
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise DataError(
            "--engine spark needs PySpark.\nInstall it: pip install 'headway[spark]', with Java 17."
        ) from error
    # else workers take whatever python3 is on the PATH
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    master = os.environ.get(MASTER, "local[*]")
    settings = {
        "spark.sql.execution.arrow.maxRecordsPerBatch": rows.BATCH,
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": False,
        "spark.ui.showConsoleProgress": sys.stderr.isatty(),
    }
    if master.startswith("local"):  # listen to this machine only
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        settings |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    builder = SparkSession.builder.master(master).appName("headway")
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except (PySparkRuntimeError, OSError) as error:
        raise DataError(
            f"Spark can't start ({str(error).splitlines()[0]}).\nIt needs Java 17, and JAVA_HOME where it "
            "isn't on "
            "the PATH."
        ) from error
    session.sparkContext.setLogLevel("ERROR")
    return session


def _answer(session: Any, file: Path, folder: Path, champion: Champion, details: bool) -> None:
    from pyspark.sql.pandas.types import from_arrow_schema

    files, schema = champion.as_files(), _micros(rows.answered(champion, details))

    def answers(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        kept = _kept(tuple(files.items()))
        for batch in batches:
            asked = pa.Table.from_batches([batch])
            result = rows.answers(asked.drop_columns([PLACE]), 0, kept, details)
            yield from result.set_column(0, "row", asked[PLACE]).cast(schema).to_batches()

    asked = session.read.parquet(file.as_uri()).select(*rows.STATE, *champion.signals, f"_metadata.{PLACE}")
    answered = asked.mapInArrow(answers, from_arrow_schema(schema, prefer_timestamp_ntz=True))
    answered.write.mode("overwrite").parquet(folder.as_uri())
    parts = sorted(
        (pq.ParquetFile(part).read(["row"])["row"].to_pylist()[:1], part)
        for part in folder.glob("part-*.parquet")
    )
    for place, (_, part) in enumerate(parts):
        part.rename(folder / f"part-{place:05d}.parquet")  # Spark's own names differ from run to run
    for left in folder.iterdir():
        if not left.name.startswith("part-"):
            left.unlink()


def _micros(schema: pa.Schema) -> pa.Schema:
    """Spark's days count microseconds."""
    return pa.schema(
        [
            field.with_type(pa.timestamp("us")) if pa.types.is_timestamp(field.type) else field
            for field in schema
        ]
    )


@cache
def _kept(files: tuple[tuple[str, str], ...]) -> Champion:
    """The champion of these files, made once in each of Spark's processes; they were verified where the job
    began.
    """
    with tempfile.TemporaryDirectory() as held:
        for name, text in files:
            (Path(held) / name).parent.mkdir(exist_ok=True)
            (Path(held) / name).write_text(text, encoding="utf-8")
        return Champion.read(Path(held))
