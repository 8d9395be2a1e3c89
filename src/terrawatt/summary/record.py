"""`output_all.json`: everything beside the numbers of the table, as data.

What each column is, how it was computed, from which runs, sources and baselines, with which verdicts and budgets.

Format history: 1, the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from terrawatt.analysis.effects import Effects
from terrawatt.analysis.relations import Relations
from terrawatt.analysis.table import Column
from terrawatt.errors import AnalysisError
from terrawatt.records import Scalar, SourceDescription, Verdict
from terrawatt.report.content import RepetitionKey, RunFacts
from terrawatt.report.sweep import SweepRecord
from terrawatt.runs.atomic import write_bytes

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class LevelRecord:
    """The idle level of a source before or after the repetitions."""

    level_w: float
    n_readings: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class BaselineRecord:
    """The baseline of a source; `reason` says why there is none."""

    before: LevelRecord | None
    after: LevelRecord | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IntensityRecord:
    """The carbon intensity: a number, or a time series (`g_per_kwh` is then null); `reason` says why there is none."""

    g_per_kwh: float | None = None
    u_percent: float | None = None
    origin: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SittingRecord:
    """The idle levels of one sitting: by source, and by column as cold level."""

    sitting: int
    baselines: Mapping[str, BaselineRecord]
    cold_levels: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run (or group of a run) behind the table.

    Attributes:
        name: e.g. `run_3/group_1`.
        run: its number.
        group: the number of its group.
        path: where it lay.
        experiment: its name.
        command: of the workload.
        seed: of repetition 1.
        manifest_sha256: of `manifest.json`, which holds the checksums of all other files.
        baselines: source -> its baseline; of several sittings the first one's.
        cold_levels: column -> the cold level that was subtracted; likewise.
        sittings: the same of each, where there are several.
        intensity: of the grid, with which emissions were computed.
        begun: when it was made, as its manifest has it.
        others: see `report.content.RunFacts`.
    """

    name: str
    run: int | None
    group: int | None
    path: str
    experiment: str
    scenario: Mapping[str, Scalar]
    command: tuple[str, ...]
    seed: int | None
    manifest_sha256: str
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    protocol: Mapping[str, Any]
    sources: tuple[SourceDescription, ...]
    baselines: Mapping[str, BaselineRecord]
    cold_levels: Mapping[str, float]
    notes: tuple[str, ...]
    intensity: IntensityRecord = IntensityRecord()
    sittings: tuple[SittingRecord, ...] = ()
    begun: str = ""

    @property
    def facts(self) -> RunFacts:
        """What the report says of it."""
        return RunFacts(
            name=self.name,
            scenario=self.scenario,
            machine=self.machine,
            versions=self.versions,
            protocol=self.protocol,
            sources=self.sources,
            notes=self.notes,
        )


@dataclass(frozen=True, slots=True)
class EnergyRecord:
    """How one energy came about: budget component -> standard uncertainty in J, for gross and net; null: unknown.

    `gap_j` is the part of the gross energy, of all executions, that bridges the `gap_s` without readings.
    """

    n_readings: int
    gap_s: float
    baseline_w: float | None
    gross_budget_j: Mapping[str, float | None]
    net_budget_j: Mapping[str, float | None]
    gap_j: float | None = None


@dataclass(frozen=True, slots=True)
class RepetitionRecord:
    """What is to be said of one row."""

    run: int | None
    group: int | None
    repetition: int
    is_unusable: bool
    verdicts: tuple[Verdict, ...]
    energies: Mapping[str, EnergyRecord]

    @property
    def key(self) -> RepetitionKey:
        """Which row it is."""
        return (self.run, self.group, self.repetition)


@dataclass(frozen=True, slots=True)
class SummaryRecord:
    """All of it. `notes` says what was left out of the table, and why.

    `relations` and `effects` are the statistics in words; `sweep`, when each repetition was and how each training went.
    """

    title: str
    created: str
    terrawatt: str
    command: str
    table_version: int
    columns: tuple[Column, ...]
    methods: Mapping[str, str]
    runs: tuple[RunRecord, ...]
    repetitions: tuple[RepetitionRecord, ...]
    notes: tuple[str, ...]
    format_version: int = FORMAT_VERSION
    relations: Relations | None = None
    effects: Effects | None = None
    sweep: SweepRecord | None = None


_adapter = TypeAdapter(SummaryRecord)


def write_record(path: Path, record: SummaryRecord) -> None:
    """Write the record, atomically."""
    write_bytes(path, _adapter.dump_json(record, indent=2) + b"\n")


def read_record(path: Path) -> SummaryRecord | None:
    """The record beside a table; None where there is none.

    Raises:
        AnalysisError: it is not such a record, or of a newer format.
    """
    if not path.exists():
        return None
    try:
        record = _adapter.validate_json(path.read_bytes())
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(str(part) for part in detail["loc"]) or "the file"
        raise AnalysisError(f"{path}: {where}: {detail['msg']}; remove it to use the table without it") from error
    if record.format_version > FORMAT_VERSION:
        raise AnalysisError(
            f"{path}: format {record.format_version}, but this version reads up to {FORMAT_VERSION}; update terrawatt"
        )
    return record
