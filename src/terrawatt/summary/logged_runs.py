"""What of a summary goes into an experiment tracker: runs of parameters, metrics and tags, as MLflow has them.

One run for the summary, and under it one for each repetition. Pure: nothing is sent here (`tracking`).
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from terrawatt import __version__
from terrawatt.analysis.scenarios import SEED, scenario_rows
from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.report.content import RepetitionKey
from terrawatt.report.facts import accuracy_in_words
from terrawatt.report.verdicts import without_unusable
from terrawatt.summary.record import RepetitionRecord, RunRecord, SummaryRecord
from terrawatt.summary.summarise import SummaryResult

KEY, PARENT_KEY = "terrawatt.key", "terrawatt.parent_key"
_MAX_NAME, _MAX_PARAM, _MAX_TAG = 250, 500, 5000  # of what every server since MLflow 1.28 takes
_UNITS = str.maketrans({"%": "percent", "°": "deg"})
_NOT_NUMBERS = (ColumnKind.IDENTITY, ColumnKind.FACTOR, ColumnKind.VERDICT)


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """One run of the tracker.

    Attributes:
        key: what it is known by when the summary is made again.
        name: as the tracker lists it.
        params: the setting.
        metrics: finite numbers that may be used; what is missing is not there.
        tags: where it comes from, and what is to be said of it.
    """

    key: str
    name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LoggedSummary:
    """A summary as runs: `experiment` is where they belong."""

    experiment: str
    summary: LoggedRun
    repetitions: tuple[LoggedRun, ...]


def logged_summary(result: SummaryResult, record: SummaryRecord) -> LoggedSummary:
    """The runs of a summary."""
    table = without_unusable(result.table, result.verdicts)
    place = str(result.files.folder.absolute())
    title = record.title or result.files.folder.name
    parent = _key([title, *([_run_key(run) for run in record.runs] or [place])])
    names = metric_names(table)
    scenarios = {int(row): found for found in scenario_rows(table) for row in found.rows}
    entries = {entry.key: entry for entry in record.repetitions}
    runs = {(run.run, run.group): run for run in record.runs}
    repetitions = []
    for row, key in enumerate(_row_keys(table)):
        scenario, entry, run = scenarios[row], entries.get(key), runs.get(key[:2])
        tags = {PARENT_KEY: parent, "terrawatt.scenario": scenario.label, **_run_tags([] if run is None else [run])}
        repetitions.append(
            LoggedRun(
                key=_key([parent, *map(str, key)]),
                name=_repetition_name(key),
                params=_params({**scenario.settings, **_seed(table, row)}),
                metrics=_metrics(table, row, names),
                tags=_tags({**tags, **_verdict_tags(entry)}),
            )
        )
    numbers = {
        "repetitions": len(table.frame),
        "scenarios": len(scenario_rows(table)),
        "unusable": len(result.unusable),
    }
    summary = LoggedRun(
        key=parent,
        name=" + ".join(dict.fromkeys(run.name.partition("/")[0] for run in record.runs)) or title,
        params={},
        metrics={name: float(number) for name, number in numbers.items()},
        tags=_tags({**_run_tags(record.runs), "terrawatt.summary": place, "mlflow.note.content": _notes(result.notes)}),
    )
    return LoggedSummary(title, summary, tuple(repetitions))


def metric_names(table: Table) -> Mapping[str, str]:
    """Column -> metric, for all columns of numbers: `Energy (plug)` in J is `energy_plug_j`."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in table.frame.columns:
        column = table.columns.get(name)
        if column is None or column.kind in _NOT_NUMBERS:
            continue
        metric = safe_name(f"{name} {column.unit.translate(_UNITS)}")
        while metric in taken:  # `a-b` and `a b`
            metric += "_"
        taken.add(metric)
        found[name] = metric
    return found


def safe_name(text: str) -> str:
    """A name of letters, digits and `_`, as all trackers, and their query languages, take it."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"\W+", "_", plain).strip("_").lower()[:_MAX_NAME] or "unnamed"


def _key(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _run_key(run: RunRecord) -> str:
    """The same also when the folder was moved, or the run went on."""
    return "|".join((run.experiment, run.name, run.begun or run.path, str(run.machine.get("host", ""))))


def _row_keys(table: Table) -> list[RepetitionKey]:
    columns = [
        table.frame[name] if name in table.frame else pd.Series([None] * len(table.frame))
        for name in ("Run", "Group", "Repetition")
    ]
    cells = [[None if pd.isna(cell) else int(cell) for cell in column] for column in columns]
    return [
        (run, group, position if repetition is None else repetition)
        for position, (run, group, repetition) in enumerate(zip(*cells, strict=True), start=1)
    ]


def _repetition_name(key: RepetitionKey) -> str:
    return " ".join(f"{name} {n}" for name, n in zip(("run", "group", "repetition"), key, strict=True) if n is not None)


def _seed(table: Table, row: int) -> dict[str, object]:
    return {SEED: table.frame[SEED].iloc[row]} if SEED in table.of_kind(ColumnKind.FACTOR) else {}


def _params(settings: Mapping[str, object]) -> dict[str, str]:
    return {safe_name(name): _text(value)[:_MAX_PARAM] for name, value in settings.items() if not pd.isna(value)}  # type: ignore[call-overload]  # a cell


def _text(value: object) -> str:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return f"{value:.12g}" if is_number else str(value)


def _metrics(table: Table, row: int, names: Mapping[str, str]) -> dict[str, float]:
    cells = {metric: table.frame[column].iloc[row] for column, metric in names.items()}
    return {metric: float(cell) for metric, cell in cells.items() if not pd.isna(cell) and np.isfinite(float(cell))}


def _run_tags(runs: Iterable[RunRecord]) -> dict[str, str]:
    """Machine, meter and folder of the runs, each once."""
    runs = list(runs)
    said = {
        "run_folder": [run.path for run in runs],
        "experiment": [run.experiment for run in runs],
        "machine": [_machine(run) for run in runs],
        "meter": [
            f"{source.name}: {source.kind}, {source.semantics}, {accuracy_in_words(source.accuracy)}"
            for run in runs
            for source in run.sources
        ],
    }
    return {f"terrawatt.{name}": "; ".join(dict.fromkeys(filter(None, values))) for name, values in said.items()}


def _machine(run: RunRecord) -> str:
    return ", ".join(str(run.machine[name]) for name in ("host", "cpu") if run.machine.get(name))


def _verdict_tags(entry: RepetitionRecord | None) -> dict[str, str]:
    if entry is None:
        return {}
    verdicts = "; ".join(
        f"{verdict.severity} {verdict.code}{f' ({verdict.column})' if verdict.column else ''}: {verdict.message}"
        for verdict in entry.verdicts
    )
    return {"terrawatt.usable": "no" if entry.is_unusable else "yes", "terrawatt.verdicts": verdicts or "good"}


def _notes(notes: Sequence[str]) -> str:
    return "\n".join(f"- {note}" for note in notes)


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    """With the version; an empty one says nothing."""
    return {name: text[:_MAX_TAG] for name, text in {**tags, "terrawatt.version": __version__}.items() if text}
