"""`terrawatt.read`: a run folder as arrays, tables and records."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from terrawatt.analysis.energy import Energy
from terrawatt.analysis.verdict import verdict_text
from terrawatt.config import load
from terrawatt.errors import AnalysisError, UsageError
from terrawatt.records import Phase, Scalar, Series, Verdict
from terrawatt.runs.layout import find_run
from terrawatt.runs.manifest import Manifest
from terrawatt.summary.gather import gather
from terrawatt.summary.rows import Row, RunRows


@dataclass(frozen=True, slots=True, eq=False)
class Repetition:
    """One repetition.

    Attributes:
        number: from 1.
        energies: source -> gross and net energy, with uncertainties; empty where there is no reading.
        verdicts: what is wrong or doubtful.
        is_usable: whether its numbers may be used.
    """

    number: int
    energies: Mapping[str, Energy]
    verdicts: tuple[Verdict, ...]
    is_usable: bool


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """One scenario of a run.

    Attributes:
        name: `run_3`, or `run_3/group_1`.
        path: its folder.
        manifest: what was run, how, on what machine, with which meters.
        phases: all that were recorded, with their windows in ns.
        power: source -> its readings as arrays: W, or J of a counter.
        host: quantity (`cpu`, `mem_free`, `temp`, `reads`) -> its readings as arrays.
        repetitions: those that have ended.
    """

    name: str
    path: Path
    manifest: Manifest
    phases: tuple[Phase, ...]
    power: Mapping[str, Series]
    host: Mapping[str, Series]
    repetitions: tuple[Repetition, ...]

    @property
    def parameters(self) -> Mapping[str, Scalar]:
        """Those of the scenario."""
        return self.manifest.scenario.parameters


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A run: what `terrawatt summary` computes, and what it is computed from.

    Attributes:
        path: its folder.
        table: one row a repetition, the columns of `output_all.csv` (docs/table.md).
        units: column -> its unit; empty for counts, names and shares.
        groups: its scenarios; a run without groups has one.
        notes: what was left out, and other remarks.
    """

    path: Path
    table: pd.DataFrame
    units: Mapping[str, str]
    groups: tuple[Group, ...]
    notes: tuple[str, ...]

    @property
    def only(self) -> Group:
        """The scenario of a run that has one.

        Raises:
            UsageError: it has several.
        """
        if len(self.groups) > 1:
            raise UsageError(f"{self.path}: has {len(self.groups)} scenarios; take one of `groups`")
        return self.groups[0]

    @property
    def manifest(self) -> Manifest:
        """What was run, in a run of one scenario."""
        return self.only.manifest

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of a run of one scenario."""
        return self.only.phases

    @property
    def power(self) -> Mapping[str, Series]:
        """The readings of each source, in a run of one scenario."""
        return self.only.power

    @property
    def host(self) -> Mapping[str, Series]:
        """The readings of the machine's own quantities, in a run of one scenario."""
        return self.only.host

    def energy(self, repetition: int = 1, source: str | None = None) -> Energy:
        """The energy of one repetition, in a run of one scenario.

        Args:
            repetition: its number.
            source: the power source; None: the main one.

        Raises:
            AnalysisError: there is none; says why.
        """
        group = self.only
        name = source or next((one.name for one in group.manifest.sources), "")
        found = next((one for one in group.repetitions if one.number == repetition), None)
        if found is None:
            raise AnalysisError(f"{self.path}: repetition {repetition} has not ended")
        if name not in found.energies:
            raise AnalysisError(f"{self.path}: no energy by {name or 'any source'}: {verdict_text(found.verdicts)}")
        return found.energies[name]


def read(run: Path | str | int, *, config: Path | None = None, accept_changes: bool = False) -> Run:
    """Read a run and compute its table; nothing is written.

    Args:
        run: its folder, or its number in the results folder of the settings.
        config: the settings' file; None: the `terrawatt.toml` here or in a folder above.
        accept_changes: use files that were changed since they were measured; a note says so.

    Raises:
        RunFolderError: there is no such run, or it cannot be read.
        ChangedFilesError: a file was changed or is gone since it was measured, and that is not accepted.
        ConfigError: the settings are wrong.
        AnalysisError: no repetition has ended.
    """
    settings = load(config)
    path = find_run(str(run), settings.experiment.results, settings.experiment.name)
    gathered = gather([path], accept_changes=accept_changes, settings=settings, keep_series=True)
    return Run(
        path=path,
        table=gathered.table.frame,
        units={name: column.unit for name, column in gathered.table.columns.items()},
        groups=tuple(_group(one) for one in gathered.runs),
        notes=gathered.notes,
    )


def _group(found: RunRows) -> Group:
    run = found.run
    manifest, series = run.manifest, run.series
    return Group(
        name=run.name,
        path=run.folder.path,
        manifest=manifest,
        phases=run.phases,
        power={source.name: series[source.series] for source in manifest.sources if source.series in series},
        host={name: series[key] for name, key in manifest.host_series.items() if key in series},
        repetitions=tuple(_repetition(row) for row in found.rows),
    )


def _repetition(row: Row) -> Repetition:
    return Repetition(row.key[2], row.energies, row.verdicts, not row.is_unusable)
