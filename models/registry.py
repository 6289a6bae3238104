"""Where models are kept: MLflow runs, the registered model and its aliases. The only file that imports mlflow.

By default everything lies under one folder, `mlruns`: the database, the artifacts and the champion's plain files. A
tracking server's address works too; the champion's plain files stay local.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from models import RegistryError
from models.champion import Champion

for _name, _value in {
    "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "MLFLOW_DISABLE_AGENT_HINT": "1", "GIT_PYTHON_REFRESH": "quiet",
}.items():  # fmt: skip
    os.environ.setdefault(_name, _value)

EXPERIMENT = "headway"
MODEL = "headway"
# What serving needs: named, because working it out takes MLflow a subprocess of five seconds.
SERVED_WITH = ["mlflow", "pandas", "numpy", "scipy", "lightgbm"]


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
        mlflow.set_tracking_uri(self.tracking)
        mlflow.set_registry_uri(self.tracking)
        client = mlflow.MlflowClient()
        if client.get_experiment_by_name(EXPERIMENT) is None:
            local = self.tracking.startswith("sqlite")
            where = (self.root / "artifacts").as_uri() if local else None
            with contextlib.suppress(mlflow.MlflowException):  # another training made it a moment ago
                client.create_experiment(EXPERIMENT, artifact_location=where)
        mlflow.set_experiment(EXPERIMENT)
        return client

    def record(self, champion: Champion, *, params: Mapping[str, Any], metrics: Mapping[str, float],
               tags: Mapping[str, str], tables: Mapping[str, Any], figures: Mapping[str, Any], texts: Mapping[str, str],
               example: pd.DataFrame, datasets: Mapping[str, tuple[pd.DataFrame, str]]) -> tuple[str, str]:  # fmt: skip
        """Log a run whole and register its model; returns the run's id and the model's version.

        Artifacts are `tables` (JSON), `figures` (matplotlib) and `texts`; `datasets` are frames with the hash of what
        they were made from. Raises `RegistryError` where the store can't be reached; then nothing is registered.
        """
        import mlflow
        from mlflow.models import infer_signature

        with self._reached():
            client = self.client()
            with mlflow.start_run() as run, tempfile.TemporaryDirectory() as scratch:
                mlflow.set_tags(dict(tags))
                mlflow.log_params({key: str(value)[:5000] for key, value in params.items()})
                mlflow.log_metrics({key: float(value) for key, value in metrics.items() if value == value})
                for name, content in tables.items():
                    mlflow.log_dict(content, f"{name}.json")
                for name, text in texts.items():
                    mlflow.log_text(text, name)
                for name, figure in figures.items():
                    mlflow.log_figure(figure, f"plots/{name}.png")
                for name, (rows, digest) in datasets.items():
                    mlflow.log_input(mlflow.data.from_pandas(rows.head(1000), name=name, digest=digest[:36]), context="training")
                files = Path(scratch) / "files"
                champion.save(files)
                output = champion.predict(example, example.astype({"overall": "int64"}))
                logged = mlflow.pyfunc.log_model(
                    name="model", python_model=str(Path(__file__).with_name("served.py")), artifacts={"files": str(files)},
                    code_paths=[str(Path(__file__).parent)], signature=infer_signature(example, output),
                    input_example=example.head(3), pip_requirements=SERVED_WITH,
                )  # fmt: skip
                with contextlib.suppress(mlflow.MlflowException):  # it is registered already
                    client.create_registered_model(MODEL)
                version = client.create_model_version(MODEL, logged.model_uri, run.info.run_id, model_id=logged.model_id)
                return run.info.run_id, str(version.version)

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        """Raises `RegistryError` where what is done within can't reach or write the store."""
        import mlflow

        try:
            yield
        except (mlflow.MlflowException, OSError) as error:
            raise RegistryError(
                f"The tracking store {self.tracking} could not take the run: {error}\n"
                "Check --tracking, or that the folder can be written and the disk isn't full. The tables were written."
            ) from error

    def promote(self, version: str, champion: Champion) -> None:
        """Make a registered version the champion: the alias first, then its plain files."""
        with self._reached():
            self.client().set_registered_model_alias(MODEL, "champion", version)
        champion.save(self.champion_folder)

    def challenge(self, version: str) -> None:
        """Mark a registered version as the challenger that was not promoted."""
        with self._reached():
            self.client().set_registered_model_alias(MODEL, "challenger", version)

    def champion_version(self) -> str | None:
        """The version under the alias `champion`, or None."""
        import mlflow

        try:
            return str(self.client().get_model_version_by_alias(MODEL, "champion").version)
        except mlflow.MlflowException:
            return None

    @contextlib.contextmanager
    def same_run(self, run_id: str) -> Iterator[Any]:
        """An earlier run, open for more artifacts."""
        import mlflow

        with self._reached():
            self.client()
            with mlflow.start_run(run_id=run_id):
                yield mlflow
