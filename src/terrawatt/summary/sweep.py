"""When each repetition was, and how each training went: what the figures of a sweep show beside the table."""

import json
import math
from collections.abc import Iterable, Mapping

from terrawatt.analysis.scenarios import scenario_rows
from terrawatt.analysis.training_curves import QUANTITIES, epoch_points
from terrawatt.report.sweep import MainEnergy, RepetitionMark, SweepFacts, SweepRecord, TrainingCurve
from terrawatt.summary.gather import Gathered
from terrawatt.summary.record import RepetitionRecord, RunRecord
from terrawatt.units import NS_PER_S

_History = Mapping[str, list[float | None]]


def sweep_record(gathered: Gathered) -> SweepRecord:
    """Of runs that were read from their folders."""
    return SweepRecord(_marks(gathered), _trainings(gathered))


def sweep_facts(
    record: SweepRecord | None, repetitions: Iterable[RepetitionRecord], runs: Iterable[RunRecord]
) -> SweepFacts:
    """What is known of a sweep, also from a record that was read; of a foreign table, nothing."""
    names = [run.sources[0].name for run in runs if run.sources]
    source = names[0] if names else ""
    energies = {
        entry.key: MainEnergy(entry.energies[source].baseline_w, entry.energies[source].net_budget_j)
        for entry in repetitions
        if source in entry.energies
    }
    return SweepFacts(record or SweepRecord(), energies, source)


def _marks(gathered: Gathered) -> tuple[RepetitionMark, ...]:
    found = []
    first_ns: dict[int | None, int] = {}
    for row, position in zip(gathered.rows, gathered.run_of, strict=True):
        phase = gathered.runs[position].run.repetition(row.key[2])
        if phase is not None:
            found.append((row.key, gathered.runs[position].beside.temperatures_c.get(row.key[2]), phase.window))
            start_ns = phase.window.start_ns
            first_ns[row.key[0]] = min(first_ns.get(row.key[0], start_ns), start_ns)
    return tuple(
        RepetitionMark(
            *key,
            start_s=(window.start_ns - first_ns[key[0]]) / NS_PER_S,
            duration_s=window.duration_s,
            temperature_c=temperature_c,
        )
        for key, temperature_c, window in found
    )


def _trainings(gathered: Gathered) -> tuple[TrainingCurve, ...]:
    curves = []
    for scenario in scenario_rows(gathered.table):
        histories = [_history(gathered, int(row)) for row in scenario.rows if not gathered.rows[int(row)].is_unusable]
        for quantity in QUANTITIES:
            points = epoch_points([history[quantity] for history in histories])
            if points:
                curves.append(TrainingCurve(scenario.label, int(scenario.rows[0]), quantity, points))
    return tuple(curves)


def _history(gathered: Gathered, row: int) -> _History:
    """The epochs of one repetition's training; empty where it wrote none that can be read."""
    folder = gathered.runs[gathered.run_of[row]].run.folder
    path = folder.output_of(gathered.rows[row].key[2], "training.json")
    try:
        epochs = json.loads(path.read_bytes())["history"]
        return {name: [_number(epoch.get(name)) for epoch in epochs] for name in QUANTITIES}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # that of another program, or damaged
        return {name: [] for name in QUANTITIES}


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None  # type: ignore[arg-type]
