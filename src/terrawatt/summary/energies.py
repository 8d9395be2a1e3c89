"""The columns of power sources: energies of the repetitions and of their phases, with what led to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from terrawatt.analysis.baseline import Baseline, baseline
from terrawatt.analysis.energy import Energy, energies, net_energy_j
from terrawatt.analysis.signal import Signal, source_signal
from terrawatt.analysis.sittings import common_share, with_common_share
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
from terrawatt.summary.sittings import neighbours, parted


@dataclass(frozen=True, slots=True, eq=False)
class SourceResult:
    """What one source says of a run.

    Attributes:
        idles: sitting -> its baseline; without those in which it has no series.
        energies: repetition -> its energy; likewise.
        cells: repetition -> its cells.
    """

    idles: Mapping[int, Baseline]
    energies: Mapping[int, Energy]
    cells: Mapping[int, Cells]


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """The repetitions of one sitting by one source: baseline, energies, and what else is to be said of each."""

    idle: Baseline
    energies: tuple[Energy, ...]
    remarks: tuple[Cells, ...]


def source_results(run: RunData, repetitions: Sequence[Phase]) -> Mapping[str, SourceResult]:
    """Source -> what it says of the repetitions, in the order of the manifest."""
    sittings = parted(run, repetitions)
    beside = neighbours(run)
    return {source.name: _source_result(run, source, sittings, beside) for source in run.manifest.sources}


def _source_result(
    run: RunData,
    source: SourceDescription,
    sittings: Sequence[tuple[RunData, Sequence[Phase]]],
    beside: Sequence[tuple[int, int]],
) -> SourceResult:
    """Each sitting by its own baseline; then what the idle levels of all have in common."""
    judged = {
        sitting.sitting_numbers[0]: (_judged(sitting, source, inside), inside)
        for sitting, inside in sittings
        if len(sitting.series.get(source.series, ()))
    }
    numbers = [number for number, (_, inside) in judged.items() for _ in inside]
    share = common_share(numbers, beside, alone=0.0 if run.is_one_of_blocks else 1.0)
    reason = run.store_problem or "the store holds no reading of it"
    cells = {phase.repetition or 0: _no_source(source.name, reason) for _, inside in sittings for phase in inside}
    found: dict[int, Energy] = {}
    for of_sitting, inside in judged.values():
        for phase, energy, remark in zip(inside, of_sitting.energies, of_sitting.remarks, strict=True):
            number = phase.repetition or 0
            found[number] = with_common_share(energy, share)
            cells[number] = Cells.joined([_energy_cells(found[number], source, of_sitting.idle), remark])
    return SourceResult({number: one.idle for number, (one, _) in judged.items()}, found, cells)


def _judged(run: RunData, source: SourceDescription, repetitions: Sequence[Phase]) -> _Judged:
    """The repetitions of one sitting."""
    signal = source_signal(run.series[source.series], source)
    late_s = late_limit_s(source, signal)
    windows = [phase.window for phase in repetitions]
    idle = baseline(signal, run.cold, run.idle_after, late_s=late_s, is_after_load=run.follows_load)
    found = energies(signal, source, windows, idle, [phase.executions for phase in repetitions])
    restarts = restart_verdict(source.name, signal)
    stuck = stuck_verdicts(source, signal, windows, late_s, run.busy)
    drifts = stability_verdicts(found, idle)
    emitted = emitted_cells(found, signal, repetitions, run.intensity)
    remarks = tuple(
        Cells.joined(
            [
                Cells(verdicts=(*drifts[i], *restarts, *stuck[i])),
                emitted[i],
                _phase_cells(run, source.name, signal, idle, phase),
            ]
        )
        for i, phase in enumerate(repetitions)
    )
    return _Judged(idle, found, remarks)


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
