"""Logs a summary to MLflow. A summary made again updates the runs that are there, by a key in their tags.

MLflow keeps parameters, and metrics once logged, for good: a run of which one changed or is gone is deleted (MLflow's
bin) and made anew.
"""

import itertools
import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terrawatt.errors import ExportError, UsageError
from terrawatt.summary.logged_runs import KEY, PARENT_KEY, LoggedRun, LoggedSummary, logged_summary
from terrawatt.summary.record import read_record
from terrawatt.summary.summarise import SummaryResult

_PAGE = 1000
_PARENT, _NAME = "mlflow.parentRunId", "mlflow.runName"  # as MLflow's own clients name them
_SETTINGS: Mapping[str, str] = {  # of MLflow; what the user has set stays
    "MLFLOW_DISABLE_TELEMETRY": "true",  # nothing goes to others than the server that was named
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # with its password
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # 7 would be minutes of silence where there is no server
}
_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


def without_credentials(uri: str) -> str:
    """The address as it may be shown: without user, password and what follows a question mark."""
    return re.sub(r"\?.*", "?***", re.sub(r"//.*@", "//***@", uri, flags=re.DOTALL), flags=re.DOTALL)


@dataclass(frozen=True, slots=True)
class Logged:
    """What was logged: where, and how many runs were made and how many were there."""

    where: str
    created: int
    updated: int

    def __str__(self) -> str:
        return f"{self.where}: {self.created} runs logged, {self.updated} updated"


class Tracker:
    """MLflow at some address. Making one asks it a first question, so that a wrong address costs no summary."""

    def __init__(self, uri: str) -> None:
        """Connect.

        Args:
            uri: `http(s)://…`, `sqlite:///FILE`, or another that MLflow takes.

        Raises:
            UsageError: MLflow is not installed, or the address cannot be one.
            ExportError: nothing answers there.
        """
        if not re.match(r"[a-z][a-z0-9+.-]*:.", uri):
            raise UsageError(f"--mlflow {without_credentials(uri)}: no address; e.g. http://HOST:5000, sqlite:///FILE")
        file = _database(uri)
        if file is not None and not file.parent.is_dir():  # MLflow would try for minutes
            raise UsageError(f"--mlflow {without_credentials(uri)}: there is no folder {file.parent}; make it")
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        self._uri = uri
        with self._translated():
            try:
                from mlflow.tracking import MlflowClient
            except ImportError as error:
                raise UsageError("--mlflow needs MLflow: pip install 'terrawatt[mlflow]'") from error
            self._client: Any = MlflowClient(tracking_uri=uri, registry_uri=uri)
            self._client.search_experiments(max_results=1)

    def without_credentials(self, text: str) -> str:
        """A text with the address as it may be shown."""
        return text.replace(self._uri, without_credentials(self._uri))

    def log(self, result: SummaryResult) -> Logged:
        """Log a summary: a run for it with table and page, and one under it for each repetition.

        Raises:
            AnalysisError: the record beside the table is gone or broken.
            ExportError: MLflow refuses, or does not answer any more; logging again goes on.
        """
        record = read_record(result.files.json)
        if record is None:
            raise ExportError(f"{result.files.json}: missing, and --mlflow needs it; make the summary again from runs")
        content = logged_summary(result, record)
        with self._translated():
            return self._log(content, [path for path in (result.report, result.files.csv) if path is not None])

    def _log(self, content: LoggedSummary, artifacts: list[Path]) -> Logged:
        experiment = self._experiment(content.experiment)
        there = self._find(experiment, KEY, content.summary.key)
        parent, was_there = self._write(experiment, content.summary, there.get(content.summary.key), {})
        for path in artifacts:
            self._client.log_artifact(parent, str(path))
        there, updated = self._find(experiment, PARENT_KEY, content.summary.key), int(was_there)
        for run in content.repetitions:
            updated += self._write(experiment, run, there.pop(run.key, None), {_PARENT: parent})[1]
        for gone in there.values():
            self._client.delete_run(gone.info.run_id)
        where = f"{without_credentials(self._uri)}, experiment {content.experiment}"
        return Logged(where, 1 + len(content.repetitions) - updated, updated)

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            return str(self._client.create_experiment(name, artifact_location=self._artifacts()))
        if found.lifecycle_stage != "active":
            raise ExportError(f"{without_credentials(self._uri)}: experiment {name} was deleted there; restore it")
        return str(found.experiment_id)

    def _artifacts(self) -> str | None:
        """Of a file beside it, wherever terrawatt is called; MLflow's own choice would be the working folder."""
        file = _database(self._uri)
        return None if file is None else (file.parent / "mlartifacts").as_uri()

    def _find(self, experiment: str, tag: str, value: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        token = None
        while True:
            page = self._client.search_runs(
                [experiment], f"tags.`{tag}` = '{value}'", max_results=_PAGE, page_token=token
            )
            found |= {run.data.tags[KEY]: run for run in page}
            token = page.token
            if not token:
                return found

    def _write(self, experiment: str, run: LoggedRun, there: Any, tags: Mapping[str, str]) -> tuple[str, bool]:
        """The id of the run, and whether it was there."""
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.utils.time import get_current_time_millis

        if there is not None and not _can_update(run, there):
            self._client.delete_run(there.info.run_id)
            there = None
        named = {**run.tags, **tags, _NAME: run.name}
        was_there = there is not None
        if there is None:
            there = self._client.create_run(experiment, tags={KEY: run.key})
        now_ms = get_current_time_millis()
        self._client.log_batch(
            there.info.run_id,
            metrics=[
                Metric(name, value, now_ms, 0)
                for name, value in run.metrics.items()
                if there.data.metrics.get(name) != value
            ],
            params=[Param(name, value) for name, value in run.params.items() if name not in there.data.params],
            tags=[RunTag(name, text) for name, text in named.items() if there.data.tags.get(name) != text],
        )
        if there.info.status != "FINISHED":
            self._client.set_terminated(there.info.run_id, "FINISHED")
        return str(there.info.run_id), was_there

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Errors of MLflow and of its drivers as one line without a secret; their warnings are for its developers."""
        logger = logging.getLogger("mlflow")
        level = logger.level
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                logger.setLevel(logging.CRITICAL)
                yield
        except (UsageError, ExportError):
            raise
        except Exception as error:  # of any of its many backends
            # Without the cause: its text may hold the password.
            raise ExportError(f"MLflow at {without_credentials(self._uri)}: {self._in_one_line(error)}") from None
        finally:
            logger.setLevel(level)

    def _in_one_line(self, error: Exception) -> str:
        text = self.without_credentials(str(error))
        of_uri = re.findall(r"//[^/]*?:([^@]*)@|[?&][^=]*=([^&]*)", self._uri)
        for secret in (*itertools.chain(*of_uri), *map(os.environ.get, _SECRETS)):
            text = text.replace(secret, "***") if secret else text
        return " ".join(text.split())[:300] or type(error).__name__


def _database(uri: str) -> Path | None:
    """The file that an address names; None for a server."""
    path = uri.partition("?")[0]
    return Path(path.removeprefix("sqlite:///")).absolute() if path.startswith("sqlite:///") else None


def _can_update(run: LoggedRun, there: Any) -> bool:
    """Whether all that was logged is still so: MLflow takes neither another parameter nor a metric away."""
    same = all(run.params.get(name) == value for name, value in there.data.params.items())
    return same and set(there.data.metrics) <= set(run.metrics)
