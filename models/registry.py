"""Where models are kept: MLflow runs, the registered model, its aliases and the log of promotions. Imports
mlflow, alone.

By default everything lies under one folder, `mlruns`: the database, the artifacts and the champion's plain
files. A tracking server's or another database's address works too; the champion's plain files, the log's copy
and runs that could not be sent stay local. A run is first written whole to `unsent/`, sent from there, and
removed once it has arrived.
"""

import contextlib
import datetime
import getpass
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from headway.models import RegistryError
from headway.models.champion import (
    BACKTEST,
    CARDS_BACKTEST,
    MANIFEST,
    Champion,
    libraries,
    replace_folder,
    seal,
    standing,
    verify,
)

for _name, _value in {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_AGENT_HINT": "1",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    # MLflow waits up to two minutes, eight times over, for a server that doesn't answer.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "60",
}.items():
    os.environ.setdefault(_name, _value)

EXPERIMENT = "headway"
MODEL = "headway"
NAME = "headway.name"  # the tag that says which run of ours a run in the store is
# What serving needs beside MLflow: named, because working it out takes MLflow a subprocess of five seconds.
SERVED_WITH = ("lightgbm", "numpy", "pandas", "scipy")
DESCRIPTION = (
    "The chance of each grade at the next graded inspection, and of improving, with a grade set "
    "and an interval."
)


@dataclass(frozen=True)
class Sent:
    """A run that has arrived: its id, the version of the registered model, and whether that is champion
    now.
    """

    run: str
    version: str
    promoted: bool


@dataclass(frozen=True)
class Recorded:
    """A run as the store has it: id, version (None where its model isn't registered), settings, report, and
    its backtest.
    """

    run: str
    version: str | None
    params: dict[str, str]
    report: dict[str, Any]
    backtest: pd.DataFrame | None


@dataclass(frozen=True)
class Registry:
    """A tracking store: its address, and the folder for the champion's plain files and local artifacts."""

    tracking: str
    root: Path

    @classmethod
    def at(cls, tracking: str | None, root: Path) -> "Registry":
        root = root.resolve()
        return cls(tracking or f"sqlite:///{root / 'mlflow.db'}", root)

    @property
    def champion_folder(self) -> Path:
        return self.root / "champion"

    def client(self) -> Any:
        import mlflow

        self.root.mkdir(parents=True, exist_ok=True)
        if self.tracking.startswith(("postgresql", "mysql")):
            _answers(self.tracking)
        mlflow.set_tracking_uri(self.tracking)
        mlflow.set_registry_uri(self.tracking)
        client = mlflow.MlflowClient()
        if client.get_experiment_by_name(EXPERIMENT) is None:
            where = None if self.tracking.startswith("http") else (self.root / "artifacts").as_uri()
            with contextlib.suppress(mlflow.MlflowException):  # another training made it a moment ago
                client.create_experiment(EXPERIMENT, artifact_location=where)
        mlflow.set_experiment(EXPERIMENT)
        return client

    def check(self, say: Callable[[str], None] = print) -> None:
        """Raises `RegistryError` where the store can't be reached: worth knowing before an hour of training.

        And `UnicodeEncodeError` where parquet files can't be written, because the folder's name isn't text to
        this system.
        """
        str(self.root).encode("utf-8")
        with self.alone(say), self._reached():
            self.client()

    @contextlib.contextmanager
    def alone(self, say: Callable[[str], None] = print) -> Iterator[None]:
        """Nobody else registers or promotes in this folder meanwhile; a second waits, and says so.

        The operating system holds the lock and lets go of it when its holder ends, however it ends. (Two
        processes that make MLflow's database at once also break it.)
        """
        from filelock import FileLock, Timeout

        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.root / "lock", is_singleton=True)  # so that it may be taken again within
            try:
                lock.acquire(timeout=0)
            except Timeout:
                say(f"another training is registering its model in {self.root}; waiting for it to be done")
                lock.acquire()
        except OSError as error:
            raise RegistryError(
                f"{self.root} can't be written ({error.strerror}).\nCheck the folder and the disk."
            ) from error
        try:
            yield
        finally:
            lock.release()

    # --- runs -----------------------------------------------------------------------------------------------

    def keep(
        self,
        champion: Champion,
        *,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        tables: Mapping[str, Any],
        figures: Mapping[str, Any],
        texts: Mapping[str, str],
        example: pd.DataFrame,
        datasets: Mapping[str, tuple[pd.DataFrame, str]],
        promotion: Mapping[str, Any],
    ) -> Path:
        """Write a run whole to a folder of `unsent/`, in one step; returns the folder.

        `tables` become JSON, `figures` (matplotlib) images; `datasets` are frames with the hash of what they
        were made from. `promotion` says whether to `promote` the model, `over` which champion (its version in
        its own files, or None), `why`, and the `figures` to log.
        """

        def fill(folder: Path) -> None:
            champion.save(folder / "files")
            for name, text in {
                f"{name}.json": json.dumps(content) for name, content in tables.items()
            }.items() | texts.items():
                (folder / "artifacts").mkdir(exist_ok=True)
                (folder / "artifacts" / name).write_text(text, encoding="utf-8")
            for name, figure in figures.items():
                (folder / "artifacts" / "plots").mkdir(parents=True, exist_ok=True)
                figure.savefig(folder / "artifacts" / "plots" / f"{name}.png")
            example.to_parquet(folder / "example.parquet")
            for name, (rows, _) in datasets.items():
                rows.head(1000).to_parquet(folder / f"dataset-{name}.parquet")
            told = {
                "params": {key: str(value)[:5000] for key, value in params.items()},
                "metrics": {key: float(value) for key, value in metrics.items() if value == value},
                "tags": dict(tags),
                "datasets": {name: digest for name, (_, digest) in datasets.items()},
                "promotion": dict(promotion),
            }
            (folder / "run.json").write_text(json.dumps(told, indent=1), encoding="utf-8")

        name = f"{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%S}-{champion.about['version']}"
        try:
            replace_folder(self.root / "unsent" / name, fill)
        except OSError as error:
            raise RegistryError(
                f"{self.root} could not take the run: {error}\nCheck that the folder can be written and the "
                "disk isn't full. "
                "Nothing was registered."
            ) from error
        return self.root / "unsent" / name

    def unsent(self) -> list[Path]:
        """The runs that have not arrived yet, the oldest first."""
        return sorted(path.parent for path in (self.root / "unsent").glob("[!.]*/run.json"))

    def send(self, folder: Path) -> Sent:
        """Send a run that was kept, register its model, and make it champion if it was to be, or else
        challenger.

        Champion only where the one it was compared with still reigns. Whole or not at all: where it fails,
        `RegistryError` says what to do, the folder stays, and what had arrived is marked failed and
        unregistered (if the store can't be reached for that either, when the run is next sent).
        """
        with (
            self.alone(),
            self._reached(
                f"The run is kept in {folder}. `headway send` sends it; deleting the folder drops it."
            ),
        ):
            promotion = json.loads((folder / "run.json").read_text("utf-8"))["promotion"]
            champion = self.reigning()
            promoted = promotion["promote"] and promotion["over"] == (champion and champion["version"])
            client = self.client()
            if arrived := self._arrived(client, folder):
                shutil.rmtree(folder)
                return arrived
            self._discard(client, folder.name)
            before = self._version_of(client, "champion")
            try:
                run, version = self._record(client, folder)
                if promoted:
                    self._promote(client, version, "promotion", run, folder / "files", promotion)
                else:
                    client.set_registered_model_alias(MODEL, "challenger", version)
            except BaseException:
                with contextlib.suppress(Exception):  # the error above is the one to tell
                    self._discard(client, folder.name)
                    if before and self._version_of(client, "champion") != before:
                        client.set_registered_model_alias(MODEL, "champion", before)
                raise
            shutil.rmtree(folder)
            with contextlib.suppress(OSError):  # others wait there
                folder.parent.rmdir()
            return Sent(run, version, promoted)

    def _record(self, client: Any, folder: Path) -> tuple[str, str]:
        """Log a kept run and register its model: the run's id and the version, once the run is whole."""
        import mlflow
        from mlflow.models import infer_signature

        told = json.loads((folder / "run.json").read_text("utf-8"))
        champion, example = Champion.load(folder / "files"), pd.read_parquet(folder / "example.parquet")
        with mlflow.start_run(run_name=folder.name, tags={**told["tags"], NAME: folder.name}) as run:
            seal(folder / "files", run=run.info.run_id)
            mlflow.log_params(told["params"])
            mlflow.log_metrics(told["metrics"])
            for name, digest in told["datasets"].items():
                rows = mlflow.data.from_pandas(
                    pd.read_parquet(folder / f"dataset-{name}.parquet"), name=name, digest=digest[:36]
                )
                mlflow.log_input(rows, context="training", tags={"sha256": digest})
            if (folder / "artifacts").is_dir():
                mlflow.log_artifacts(str(folder / "artifacts"))
            for name in (BACKTEST, CARDS_BACKTEST):
                if (folder / "files" / name).is_file():
                    mlflow.log_artifact(str(folder / "files" / name))
            output = champion.answers(example, example.astype({"overall": "int64"})).fillna(
                {"p_improve": 0.0, "p_stay": 0.0}
            )
            output = output[[name for name in output if not output[name].isna().all()]]
            logged = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).with_name("served.py")),
                artifacts={"files": str(folder / "files")},
                signature=_all_required(infer_signature(example, output)),
                input_example=example.head(3),
                pip_requirements=_pinned(champion),
            )
        with contextlib.suppress(mlflow.MlflowException):  # it is registered already
            client.create_registered_model(MODEL)
        client.update_registered_model(MODEL, DESCRIPTION)
        version = client.create_model_version(
            MODEL,
            logged.model_uri,
            run.info.run_id,
            model_id=logged.model_id,
            tags={"model_version": champion.about["version"]},
            description=_described(champion),
        )
        return run.info.run_id, str(version.version)

    def _arrived(self, client: Any, folder: Path) -> Sent | None:
        """What became of a run whose sending was killed when all was done but removing its folder."""
        champion = self.reigning()
        for alias in ("champion", "challenger"):
            if number := self._version_of(client, alias):
                version = client.get_model_version(MODEL, number)
                run = client.get_run(version.run_id)
                whole = alias == "challenger" or (
                    champion and champion["version"] == version.tags.get("model_version")
                )
                if run.data.tags.get(NAME) == folder.name and whole:
                    return Sent(version.run_id, str(number), alias == "champion")
        return None

    def _discard(self, client: Any, name: str) -> None:
        """Unregister what an earlier, failed sending of a run left, and mark it failed."""
        here = client.get_experiment_by_name(EXPERIMENT).experiment_id
        for run in client.search_runs([here], f"tags.`{NAME}` = '{name}'"):
            for version in client.search_model_versions(f"run_id = '{run.info.run_id}'"):
                client.delete_model_version(MODEL, version.version)
            client.set_terminated(run.info.run_id, "FAILED")
            client.delete_run(run.info.run_id)

    @contextlib.contextmanager
    def same_run(self, run_id: str) -> Iterator[Any]:
        """An earlier run, open for more artifacts."""
        import mlflow

        with self._reached():
            self.client()
            with mlflow.start_run(run_id=run_id):
                yield mlflow

    def recorded(self, name: str) -> Recorded:
        """The run of `champion` or `challenger`, of a version's number, or of a run's id, read from its plain
        artifacts.

        Raises `RegistryError` where there is none such.
        """
        import mlflow

        if self.tracking == Registry.at(None, self.root).tracking and not (self.root / "mlflow.db").is_file():
            raise RegistryError(f"Nothing is registered in {self.root}.\nRun `headway train` first.")
        with self._reached(), tempfile.TemporaryDirectory() as scratch:
            client = self.client()
            held = {
                str(result.version): result.run_id
                for result in client.search_model_versions(f"name = '{MODEL}'")
            }
            version = self._version_of(client, name) if name in ("champion", "challenger") else name
            run = held.get(str(version), name)
            try:
                told = client.get_run(run)
                there = {path.path for path in client.list_artifacts(run)}
            except mlflow.MlflowException as error:
                if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    raise
                there = set()
            if "train.json" not in there:
                raise RegistryError(
                    f"There is no training {name}.\nName champion, challenger, a run's id, or a version: "
                    f"{', '.join(sorted(held, key=int)) or 'there is none'}."
                )

            def brought(file: str) -> Path:
                return Path(
                    mlflow.artifacts.download_artifacts(run_id=run, artifact_path=file, dst_path=scratch)
                )

            report = json.loads(brought("train.json").read_text("utf-8"))
            backtest = pd.read_parquet(brought(BACKTEST)) if BACKTEST in there else None
        numbers = [number for number, its in held.items() if its == run]
        return Recorded(run, max(numbers, key=int, default=None), dict(told.data.params), report, backtest)

    def study(
        self,
        name: str,
        params: Mapping[str, Any],
        trials: Mapping[str, tuple[Mapping[str, Any], Mapping[str, float]]],
        metrics: Mapping[str, float] | None = None,
        texts: Mapping[str, str] | None = None,
    ) -> str:
        """Record a search: a run with a nested run for each trial (settings and figures by name) that it
        hasn't got yet.

        Called again with more trials, `metrics` or `texts` it goes on in the same run; returns that run's id.
        """
        import mlflow
        from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

        with self.alone(), self._reached():
            client = self.client()
            here = client.get_experiment_by_name(EXPERIMENT).experiment_id
            result = client.search_runs([here], f"tags.`{NAME}` = '{name}'", max_results=1)
            parent = result[0].info.run_id if result else None
            children = client.search_runs(
                [here], f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{parent}'", max_results=5000
            )
            there = {run.data.tags.get(NAME) for run in children if run.info.status == "FINISHED"}
            with mlflow.start_run(run_id=parent, run_name=None if parent else name, tags={NAME: name}) as run:
                mlflow.log_params({key: str(value)[:5000] for key, value in params.items()})
                mlflow.log_metrics(dict(metrics or {}))
                for file, text in (texts or {}).items():
                    mlflow.log_text(text, file)
                for trial, (settings, figures) in trials.items():
                    if f"{name} {trial}" not in there:
                        with mlflow.start_run(
                            run_name=f"{name} {trial}", nested=True, tags={NAME: f"{name} {trial}"}
                        ):
                            mlflow.log_params(dict(settings))
                            mlflow.log_metrics(dict(figures))
            return run.info.run_id

    # --- the champion ---------------------------------------------------------------------------------------

    def reigning(self) -> dict[str, Any] | None:
        """What is known about the champion, from its plain files; None where there is none, `AlteredError`
        where altered.
        """
        path = standing(self.champion_folder) / "about.json"
        if not path.is_file():
            return None
        verify(path.parent)
        return json.loads(path.read_text("utf-8"))

    def backtest(self, name: str = BACKTEST) -> pd.DataFrame | None:
        """The champion's backtest, kept beside its files; None where there is none, `AlteredError` where
        altered.

        By the `name` of its file: of grades, or of report cards.
        """
        path = standing(self.champion_folder) / name
        if not path.is_file():
            return None
        verify(path.parent)
        try:
            return pd.read_parquet(path, page_checksum_verification=True)
        except (OSError, ValueError) as error:
            raise RegistryError(
                f"{path} can't be read as parquet ({error}).\nThe file is broken: `headway rollback` writes "
                "the "
                "champion's files again, as does `headway train`."
            ) from error

    def promotions(self) -> list[dict[str, Any]]:
        """The log of promotions and rollbacks made from this folder, the oldest first."""
        path = self.root / "promotions.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.is_file() else []
        # a full disk may have cut one short
        return [json.loads(line) for line in lines if line.endswith("}")]

    def rollback(self, to: str | None = None, why: str = "") -> dict[str, Any]:
        """Make an earlier version champion again: alias, plain files and log; returns the entry of the log.

        By default the version that was champion before the one that is. Its files come from the registry,
        plain, and are read once before they are trusted. Raises `RegistryError` where there is no such
        version.
        """
        import mlflow

        with self.alone(), self._reached(), tempfile.TemporaryDirectory() as scratch:
            client = self.client()
            now = self._version_of(client, "champion")
            if to is None and now is None:
                raise RegistryError("There is no champion to go back from.\nRun `headway train` first.")
            if to is None:
                to = next(
                    (
                        entry["from"]
                        for entry in reversed(self._log(client))
                        if entry["what"] == "promotion" and entry["to"] == now
                    ),
                    None,
                )
                if to is None:
                    raise RegistryError(
                        f"No champion before version {now} is known.\nName one: `headway rollback --to "
                        "VERSION`."
                    )
            held = {
                str(result.version): result for result in client.search_model_versions(f"name = '{MODEL}'")
            }
            if to not in held:
                raise RegistryError(
                    f"There is no version {to}.\nThe versions are: "
                    f"{', '.join(sorted(held, key=int)) or 'none'}."
                )
            files = (
                Path(mlflow.artifacts.download_artifacts(f"models:/{MODEL}/{to}", dst_path=scratch))
                / "artifacts"
                / "files"
            )
            # one that is older than manifests
            Champion.load(files) if (files / MANIFEST).is_file() else Champion.read(files)
            return self._promote(client, to, "rollback", held[to].run_id, files, {"why": why, "figures": {}})

    def _promote(
        self, client: Any, version: str, what: str, run: str, files: Path, told: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Put a version in the champion's place: log, alias and plain files, all or none of them; returns the
        log's entry.
        """
        when = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        entry = {
            "when": when,
            "who": _user(),
            "what": what,
            "from": self._version_of(client, "champion"),
            "to": version,
            "model_version": json.loads((files / "about.json").read_text("utf-8"))["version"],
            "run": run,
            "why": told["why"],
            "figures": told["figures"],
        }
        key = f"promotion {when.replace('+', ' ')}"

        def fill(folder: Path) -> None:
            shutil.copytree(files, folder, dirs_exist_ok=True)
            seal(folder, run=run, registered_version=version, promoted_at=when)
            client.set_registered_model_tag(MODEL, key, json.dumps(entry))
            try:
                client.set_registered_model_alias(MODEL, "champion", version)
                _append(self.root / "promotions.jsonl", json.dumps(entry))
            except BaseException:
                with contextlib.suppress(Exception):  # the error above is the one to tell
                    client.delete_registered_model_tag(MODEL, key)
                    if entry["from"]:
                        client.set_registered_model_alias(MODEL, "champion", entry["from"])
                raise

        replace_folder(self.champion_folder, fill)
        return entry

    def _log(self, client: Any) -> list[dict[str, Any]]:
        """The log as the registry keeps it: everybody's."""
        tags = client.get_registered_model(MODEL).tags
        return [json.loads(tags[key]) for key in sorted(tags) if key.startswith("promotion ")]

    @staticmethod
    def _version_of(client: Any, alias: str) -> str | None:
        import mlflow

        try:
            return str(client.get_model_version_by_alias(MODEL, alias).version)
        except mlflow.MlflowException as error:
            # no model, or no such alias
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise

    @contextlib.contextmanager
    def _reached(self, kept: str = "") -> Iterator[None]:
        """Raises `RegistryError` where what is done within can't reach or write the store."""
        import mlflow
        import sqlalchemy

        try:
            yield
        except (
            mlflow.MlflowException,
            sqlalchemy.exc.SQLAlchemyError,
            OSError,
            ImportError,
            json.JSONDecodeError,
        ) as error:
            raise RegistryError(
                _without_password(
                    f"The tracking store {self.tracking} could not be read or written: "
                    f"{' '.join(str(error).split())[:300]}\n"
                    "Check --tracking, or that the folder can be written and the disk isn't full. "
                    f"{kept}".rstrip()
                )
            ) from error


def _all_required(signature: Any) -> Any:
    """A signature in which every input has to be there; MLflow takes a column that has blanks for one that
    may be left out.
    """
    from mlflow.types import ColSpec, Schema

    signature.inputs = Schema(
        [ColSpec(column.type, column.name, required=True) for column in signature.inputs]
    )
    return signature


def _pinned(champion: Champion) -> list[str]:
    """What serving needs, at the versions the model was fitted with."""
    import mlflow

    fitted = libraries() | champion.about.get("libraries", {})
    return [f"mlflow=={mlflow.__version__}", *(f"{name}=={fitted[name]}" for name in SERVED_WITH)]


def _described(champion: Champion) -> str:
    about, learned = champion.about, ""
    if "learned_from" in about:
        learned = f", fitted on {about['learned_from']:,} outcomes known by {about['learned_until']}"
    return (
        f"Model {about['version']}, of {about['data_source']} files{learned}. {DESCRIPTION} A row has all "
        f"{len(about['signals'])} signals as doubles (blank where not known), overall as a double, and cell "
        "and group as "
        "text."
    )


def _answers(address: str) -> None:
    """Connect to a database once: MLflow tries for an hour, ever more slowly."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(address, connect_args={"connect_timeout": 10})
    engine.connect().close()
    engine.dispose()


def _append(path: Path, line: str) -> None:
    """Add a line in one write, or, where the disk is full, nothing."""
    with open(path, "ab", buffering=0) as file:
        before = file.tell()
        whole = line.encode("utf-8") + b"\n"
        if file.write(whole) != len(whole):
            file.truncate(before)
            raise OSError(f"{path} could not be written: the disk is full")
        os.fsync(file.fileno())


def _without_password(text: str) -> str:
    """The text with the password (or the token) of every address in it hidden; it may hold an @."""
    return re.sub(r"://([^:/@\s]*):[^/\s]*@", r"://\1:***@", text)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return f"user {os.getuid()}"
