"""What led to a table, for `output_all.json` and the report."""

import math
from collections.abc import Mapping, Sequence

from terrawatt.analysis.baseline import Baseline, IdleLevel
from terrawatt.analysis.emissions import CarbonIntensity
from terrawatt.analysis.energy import Energy, EnergyValue
from terrawatt.records import Semantics
from terrawatt.runs.atomic import sha256
from terrawatt.runs.status import State
from terrawatt.summary.collect import RunData
from terrawatt.summary.record import (
    BaselineRecord,
    EnergyRecord,
    IntensityRecord,
    LevelRecord,
    RepetitionRecord,
    RunRecord,
    SittingRecord,
)
from terrawatt.summary.rows import Row, RunRows

METHODS: Mapping[str, str] = {
    "documentation": "docs/method.md, docs/table.md",
    Semantics.INSTANTANEOUS: "power linear between readings",
    Semantics.MEAN: "a reading holds for the interval before it",
    Semantics.ON_CHANGE: "a reading holds until the next one",
    Semantics.COUNTER: "difference of the counter, interpolated linearly at both ends of the window",
    "baseline": "mean over the readings inside the cold period without its latency; linear to that of the idle after",
    "baseline uncertainty": "AR(1) of the idle readings, its correlation marginalised (REML), and the drift",
    "emissions": "gross energy times carbon intensity; of a time series, the mean weighted with the power",
    "uncertainty": "root of the sum of squares of meter, resolution, sampling, timing, gaps, baseline; k = 1",
}


def run_record(found: RunRows) -> RunRecord:
    """One run as data."""
    run, manifest = found.run, found.run.manifest
    sittings = [_sitting_record(found, sitting) for sitting in run.sittings]
    return RunRecord(
        name=run.name,
        run=run.folder.run_id,
        group=run.folder.group,
        path=str(run.folder.path.absolute()),
        experiment=manifest.experiment,
        scenario=dict(manifest.scenario.parameters),
        command=manifest.scenario.command,
        seed=manifest.scenario.seed,
        manifest_sha256="" if run.is_older else sha256(run.folder.manifest),
        machine=manifest.machine,
        versions=manifest.versions,
        protocol=manifest.protocol.model_dump(),
        sources=manifest.sources,
        baselines=sittings[0].baselines,
        cold_levels=sittings[0].cold_levels,
        notes=tuple(run_notes(run)),
        intensity=_intensity_record(run.intensity),
        sittings=tuple(sittings) if len(sittings) > 1 else (),
        begun=manifest.created,
    )


def _sitting_record(found: RunRows, sitting: RunData) -> SittingRecord:
    number = sitting.sitting_numbers[0]
    return SittingRecord(
        sitting=number,
        baselines={name: _baseline_record(result.idles.get(number)) for name, result in found.sources.items()},
        cold_levels=found.beside.cold_levels[number],
    )


def repetition_records(rows: Sequence[Row]) -> tuple[RepetitionRecord, ...]:
    """What is to be said of each row, as data."""
    return tuple(
        RepetitionRecord(
            *row.key,
            is_unusable=row.is_unusable,
            verdicts=row.verdicts,
            energies={name: _energy_record(energy) for name, energy in row.energies.items()},
        )
        for row in rows
    )


def run_notes(run: RunData) -> list[str]:
    """Remarks about a run: changed files, series without a sensor, what was not measured, how it ended."""
    notes = [f"no series {quantity}: {reason}" for quantity, reason in run.manifest.missing.items()]
    if not run.integrity.is_intact:
        notes.append(f"used although not as it was measured ({run.integrity.in_words()})")
    if not run.integrity.is_sealed and not run.is_older:
        notes.append("no checksums, as of a run that was killed or still goes on: its files cannot be verified")
    notes += run.remarks
    if run.store_problem:
        notes.append(f"no series at all: {run.store_problem}")
    not_ended = [entry for entry in run.status.repetitions if entry.state in (State.PENDING, State.RUNNING)]
    if not_ended:
        numbers = ", ".join(str(entry.repetition) for entry in not_ended)
        notes.append(f"{run.status.state}: without repetitions {numbers}, which have not ended")
    if run.status.reason:
        notes.append(f"{run.status.state}: {run.status.reason}")
    return notes


def _baseline_record(idle: Baseline | None) -> BaselineRecord:
    if idle is None:
        return BaselineRecord(None, None, "no reading")
    return BaselineRecord(_level_record(idle.before), _level_record(idle.after), idle.reason)


def _intensity_record(intensity: CarbonIntensity | str) -> IntensityRecord:
    if isinstance(intensity, str):
        return IntensityRecord(reason=intensity)
    number = float(intensity.g_per_kwh[0]) if intensity.is_constant else None
    return IntensityRecord(number, 100 * intensity.u_relative, intensity.origin)


def _level_record(level: IdleLevel | None) -> LevelRecord | None:
    return None if level is None else LevelRecord(level.level, level.n_readings, level.window.duration_s)


def _energy_record(energy: Energy) -> EnergyRecord:
    return EnergyRecord(
        n_readings=energy.integral.n_readings,
        gap_s=energy.integral.gap_s,
        gap_j=energy.integral.gap_value if math.isfinite(energy.integral.gap_value) else None,
        baseline_w=energy.baseline_w if math.isfinite(energy.baseline_w) else None,
        gross_budget_j=_budget(energy.gross),
        net_budget_j=_budget(energy.net),
    )


def _budget(value: EnergyValue) -> dict[str, float | None]:
    return {part.name: part.u_j if math.isfinite(part.u_j) else None for part in value.budget}
