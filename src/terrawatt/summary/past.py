"""What earlier runs of a results folder say of scenarios that are planned: executions, idle power, scatter, disk."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from terrawatt.analysis.energy import Energy
from terrawatt.analysis.forecast import Execution
from terrawatt.errors import TerrawattError
from terrawatt.records import Phase, PhaseName, Scalar
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.manifest import Manifest, read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.runs.status import State
from terrawatt.summary.collect import RunData, collect
from terrawatt.summary.energies import source_results

# What the time and energy of a training do not depend on, for a plan. `epochs` is scaled.
INDIFFERENT = frozenset({"lr", "loss", "seed"})
EPOCHS = "epochs"
PATIENCE = "patience"  # with which a training may stop early

Kind = frozenset[tuple[str, Scalar]]


@dataclass(frozen=True, slots=True)
class PastScenario:
    """One scenario of an earlier run.

    Attributes:
        run: as readers know it.
        kind: its parameters that matter, but the epochs.
        executions: of its repetitions that ended well.
        net_j: net energy of those by the main source, above 0.
        u_idle: what of them the idle level makes uncertain, relative; NaN where it is not known.
        source: the main source; empty without any.
        idle_w: its idle level; NaN where it is not known.
        g_per_kwh: the carbon intensity; None where there is none, or no constant one.
        output_bytes: left by one repetition.
        store_bytes_per_s: of the series.
    """

    run: str
    kind: Kind
    executions: tuple[Execution, ...]
    net_j: tuple[float, ...]
    u_idle: float
    source: str
    idle_w: float
    g_per_kwh: float | None
    output_bytes: float
    store_bytes_per_s: float


def kind_of(parameters: Mapping[str, Scalar]) -> Kind:
    """What two scenarios have in common that take the same, but for the number of epochs."""
    return frozenset((name, value) for name, value in parameters.items() if name not in {*INDIFFERENT, EPOCHS})


def past_scenarios(
    runs: Collection[Path], kinds: Collection[Kind], is_alike: Callable[[Manifest], str]
) -> tuple[list[PastScenario], list[str]]:
    """The scenarios of earlier runs that are of some kinds, in order, and remarks on what was not used.

    Args:
        runs: their folders.
        kinds: those that are planned.
        is_alike: why a run of them says nothing of the plan, e.g. since another machine measured it; empty: it does.
    """
    found: list[PastScenario] = []
    notes: dict[str, int] = {}
    for folders in map(scenario_folders, runs):
        recorded_s = 0.0  # by all scenarios of the run, which share a store
        for folder in folders:
            try:
                manifest = read_manifest(folder.manifest)
                if kind_of(manifest.scenario.parameters) not in kinds:
                    continue
                if reason := is_alike(manifest):
                    notes[reason] = notes.get(reason, 0) + 1
                    continue
                data = collect(folder, accept_changes=True)
                recorded_s = recorded_s or math.fsum(_recorded_s(one) for one in folders)
                scenario = _scenario(data, recorded_s if len(folders) > 1 else _recorded_s(folder))
            except TerrawattError:  # older scripts' folders, and runs that have just begun
                continue
            found += [scenario] if scenario.executions else []
    return found, [f"{count} earlier scenarios are not used: {reason}" for reason, count in notes.items()]


def _scenario(data: RunData, recorded_s: float) -> PastScenario:
    done = [entry.repetition for entry in data.ended if entry.state is State.DONE]
    phases = [phase for number in done if (phase := data.repetition(number)) is not None]
    source = data.manifest.sources[0].name if data.manifest.sources else ""
    results = source_results(data, phases)
    energies: Mapping[int, Energy] = results[source].energies if source else {}
    net_j = [energy.net.energy_j for energy in energies.values() if energy.net.energy_j > 0]
    intensity = data.intensity
    constant = not isinstance(intensity, str) and intensity.is_constant
    return PastScenario(
        run=data.name,
        kind=kind_of(data.manifest.scenario.parameters),
        executions=tuple(_execution(data, phase, energies.get(phase.repetition or 0)) for phase in phases),
        net_j=tuple(net_j),
        u_idle=_u_idle(list(energies.values())),
        source=source,
        idle_w=_mean([energy.baseline_w for energy in energies.values()]),
        g_per_kwh=float(intensity.g_per_kwh[0]) if constant and not isinstance(intensity, str) else None,
        output_bytes=_bytes(data.folder) / max(len(data.ended), 1),
        store_bytes_per_s=_store_bytes_per_s(data, recorded_s),
    )


def _execution(data: RunData, phase: Phase, energy: Energy | None) -> Execution:
    parameters = data.manifest.scenario.parameters
    epochs = parameters.get(EPOCHS)
    inner = [one for one in data.phases if one.repetition == phase.repetition and one.epoch is not None]
    first = [one for one in inner if one.epoch == 1]
    done = sum(one.name == PhaseName.TRAIN for one in inner) / phase.executions
    # A workload may report some of its epochs alone: then no one knows what the others took.
    is_whole = done > 0 and (done == epochs or PATIENCE in parameters)
    return Execution(
        epochs=float(epochs) if isinstance(epochs, int | float) else None,
        duration_s=phase.window.duration_s / phase.executions,
        energy_j=energy.gross.energy_j if energy is not None else math.nan,
        training_s=_seconds(inner) / phase.executions,
        first_s=_seconds(first) / phase.executions if is_whole else math.nan,
        epochs_done=done if is_whole else None,
    )


def _seconds(phases: Sequence[Phase]) -> float:
    return math.fsum(phase.window.duration_s for phase in phases) if phases else math.nan


def _u_idle(energies: Sequence[Energy]) -> float:
    """The relative standard uncertainty by the idle level, the mean over repetitions."""
    return _mean(
        [
            part.u_j / energy.net.energy_j
            for energy in energies
            for part in energy.net.budget
            if part.name == "baseline" and energy.net.energy_j > 0
        ]
    )


def _bytes(folder: RunFolder) -> int:
    places = (folder.output, folder.emissions)
    return sum(path.stat().st_size for place in places for path in place.rglob("*") if path.is_file())


def _store_bytes_per_s(data: RunData, recorded_s: float) -> float:
    """Of the store, which of a sweep's group is the whole run's."""
    path = data.folder.telemetry
    return path.stat().st_size / recorded_s if path.exists() and recorded_s > 0 else math.nan


def _recorded_s(folder: RunFolder) -> float:
    """What a scenario adds to the time of its run: its cold period is the idle one of another, or the first."""
    names = (PhaseName.REPETITION, PhaseName.WARMUP, PhaseName.IDLE)
    return math.fsum(phase.window.duration_s for phase in read_phases(folder.phases) if phase.name in names)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan
