"""The columns of power sources: energies of the repetitions and of their phases, with what led to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from terrawatt.analysis.baseline import Baseline, baseline
from terrawatt.analysis.energy import Energy, energies, net_energy_j
from terrawatt.analysis.signal import Signal, source_signal
from terrawatt.analysis.stuck import stuck_verdicts
from terrawatt.analysis.table import PHASES, common_column, phase_column
from terrawatt.analysis.uncertainty import late_limit_s
from terrawatt.analysis.verdict import (
    energy_verdicts,
    missing_verdict,
    restart_verdict,
    source_verdict,
    stability_verdicts,
)
from terrawatt.records import Phase, SourceDescription
from terrawatt.summary.cells import Cells
from terrawatt.summary.collect import RunData
from terrawatt.summary.emitted import emitted_cells
from terrawatt.summary.performance import NOT_REPORTED


@dataclass(frozen=True, slots=True, eq=False)
class SourceResult:
    """What one source says of a run.

    Attributes:
        idle: its baseline; None where it has no series.
        energies: of each repetition; empty where it has no series.
        cells: of each repetition.
    """

    idle: Baseline | None
    energies: tuple[Energy, ...]
    cells: tuple[Cells, ...]


def source_results(run: RunData, repetitions: Sequence[Phase]) -> Mapping[str, SourceResult]:
    """Source -> what it says of the repetitions, in the order of the manifest."""
    return {source.name: _source_result(run, source, repetitions) for source in run.manifest.sources}


def _source_result(run: RunData, source: SourceDescription, repetitions: Sequence[Phase]) -> SourceResult:
    series = run.series.get(source.series)
    if series is None or not len(series):
        reason = run.store_problem or "the store holds no reading of it"
        return SourceResult(None, (), tuple(_no_source(source.name, reason) for _ in repetitions))
    signal = source_signal(series, source)
    late_s = late_limit_s(source, signal)
    windows = [phase.window for phase in repetitions]
    idle = baseline(signal, run.cold, run.idle_after, late_s=late_s)
    found = energies(signal, source, windows, idle, [phase.executions for phase in repetitions])
    restarts = restart_verdict(source.name, signal)
    stuck = stuck_verdicts(source, signal, windows, late_s, run.busy)
    remarks = [
        Cells(verdicts=(*drifts, *restarts, *hangs))
        for drifts, hangs in zip(stability_verdicts(found, idle), stuck, strict=True)
    ]
    emitted = emitted_cells(found, signal, repetitions, run.intensity)
    cells = tuple(
        Cells.joined(
            [
                _energy_cells(energy, source, idle),
                remark,
                emission,
                _phase_cells(run, source.name, signal, idle, phase),
            ]
        )
        for energy, remark, emission, phase in zip(found, remarks, emitted, repetitions, strict=True)
    )
    return SourceResult(idle, found, cells)


def _energy_cells(energy: Energy, source: SourceDescription, idle: Baseline) -> Cells:
    name = energy.source
    values = {
        f"Energy ({name})": energy.net.energy_j,
        f"u Energy ({name})": energy.net.u_j,
        common_column(f"Energy ({name})"): energy.net.u_shared_j,
        f"Energy gross ({name})": energy.gross.energy_j,
        f"u Energy gross ({name})": energy.gross.u_j,
    }
    return Cells(values, energy_verdicts(energy, source, idle))


def _phase_cells(run: RunData, source: str, signal: Signal, idle: Baseline, repetition: Phase) -> Cells:
    values, verdicts = {}, []
    for phase in PHASES:
        column = phase_column(phase, source).name
        windows = run.windows_of(phase, repetition.repetition or 0)
        energy = net_energy_j(signal, windows, idle)
        if energy.reason:
            verdicts.append(missing_verdict(column, energy.reason if windows else NOT_REPORTED))
        else:
            values[column] = energy.energy_j / repetition.executions
    return Cells(values, tuple(verdicts))


def _no_source(source: str, reason: str) -> Cells:
    return Cells(verdicts=(source_verdict(source, reason),))
