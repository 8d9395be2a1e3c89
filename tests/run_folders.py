"""Run folders made by hand, with a known truth: 40 W idle, 90 W while a repetition runs."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from terrawatt.config import ProtocolSettings
from terrawatt.records import (
    AccuracyBand,
    ExecutionResult,
    Phase,
    Sample,
    Scenario,
    Semantics,
    SeriesKey,
    SourceDescription,
    Window,
)
from terrawatt.runs.layout import RunFolder, prepare_run
from terrawatt.runs.manifest import Manifest, write_manifest
from terrawatt.runs.phases import append_phase
from terrawatt.runs.status import RepetitionStatus, RunStatus, State, write_status
from terrawatt.store.sqlite import SqliteStore

S = 1_000_000_000
T0 = 1_790_000_000 * S
COLD_S, WARMUP_S, REPETITION_S, IDLE_S = 60, 20, 60, 40
IDLE_W, RUN_W = 40.0, 90.0
INTENSITY = {"g_per_kwh": 56.0, "u_percent": 10.0, "origin": "emissions.intensity"}
EMISSIONS_HEADER = "timestamp,project_name,duration,emissions,energy_consumed,country_iso_code"

PLUG = SourceDescription(
    name="plug",
    kind="replay",
    semantics=Semantics.MEAN,
    accuracy=(AccuracyBand(below_w=300, plus_minus_w=3.0), AccuracyBand(plus_minus_percent=1.0)),
    series=SeriesKey.of("power", "power_w", host="lab", source="plug"),
    resolution_w=0.1,
    interval_s=1.0,
)
HOST_SERIES = {
    "cpu": SeriesKey.of("cpu", "usage_user", host="lab", cpu="cpu-total"),
    "mem_free": SeriesKey.of("mem", "available_percent", host="lab"),
    "reads": SeriesKey.of("diskio", "reads", host="lab", name="sda"),
}
MISSING = {"temp": "no sensor on this machine"}


def window(start_s, end_s):
    return Window(T0 + round(start_s * S), T0 + round(end_s * S))


@dataclass(frozen=True)
class Recipe:
    """What a run folder is to be."""

    repetitions: int = 3
    states: tuple[State, ...] = ()
    sources: tuple[SourceDescription, ...] = (PLUG,)
    silent: tuple[str, ...] = ()  # sources without a reading
    parameters: tuple[tuple[str, object], ...] = (("model", "s-cnn-all"), ("lr", 0.001), ("batch", 100), ("seed", 7))
    executions: int = 1
    is_trained: bool = True
    has_emissions: bool = True
    has_store: bool = True
    latency_s: float = 0.0
    idle_after_s: float = IDLE_S
    extra: tuple[tuple[SeriesKey, Callable[[int, bool], float]], ...] = ()  # series -> value of (second, is busy)
    host_series: tuple[tuple[str, SeriesKey], ...] = ()  # more of them: quantity -> series
    emissions: tuple[tuple[str, object], ...] = (("enabled", True), ("intensity", INTENSITY))

    def start_s(self, repetition):
        return COLD_S + WARMUP_S + (repetition - 1) * REPETITION_S


def samples(recipe):
    """Readings once a second until the run ends."""
    end_s = round(recipe.start_s(recipe.repetitions + 1) + recipe.idle_after_s)
    reads = 1_000_000
    for t in range(1, end_s + 1):
        is_busy = COLD_S < t <= recipe.start_s(recipe.repetitions + 1)
        reads += 2 if is_busy else 0
        extra = {key: value(t, is_busy) for key, value in recipe.extra}
        for source in (source for source in recipe.sources if source.name not in recipe.silent):
            yield Sample(source.series, T0 + t * S, extra.pop(source.series, RUN_W if is_busy else IDLE_W))
        yield Sample(HOST_SERIES["cpu"], T0 + t * S, extra.pop(HOST_SERIES["cpu"], 75.0 if is_busy else 5.0))
        yield from (Sample(key, T0 + t * S, value) for key, value in extra.items() if value is not None)
        yield Sample(HOST_SERIES["mem_free"], T0 + t * S, 60.0 if t >= COLD_S else 80.0)
        yield Sample(HOST_SERIES["reads"], T0 + t * S, float(reads))


def write_phases(folder, recipe, done):
    append_phase(folder.phases, Phase("cold", window(0, COLD_S)))
    append_phase(folder.phases, Phase("warmup", window(COLD_S, COLD_S + WARMUP_S)))
    for repetition in done:
        start = recipe.start_s(repetition)
        whole = Phase("repetition", window(start, start + REPETITION_S), repetition, executions=recipe.executions)
        append_phase(folder.phases, whole)
        if recipe.is_trained:
            for epoch in (1, 2):
                part = window(start + 10 * epoch, start + 10 * epoch + 8)
                append_phase(folder.phases, Phase("train", part, repetition, epoch))
            append_phase(folder.phases, Phase("test", window(start + 40.1, start + 40.4), repetition))
    if recipe.idle_after_s:
        start = recipe.start_s(recipe.repetitions + 1)
        append_phase(folder.phases, Phase("idle", window(start, start + recipe.idle_after_s)))


def write_outputs(folder, repetition):
    rng = np.random.default_rng(repetition)
    targets = np.tile(np.eye(4, 19, dtype=np.uint8), (5, 1))
    targets[:, 4:] = np.arange(20)[:, None] % 3 == 0
    np.save(folder.output / "targets.npy", targets)
    probabilities = np.clip(targets * 0.8 + rng.uniform(0, 0.4, targets.shape), 0, 1).astype(np.float32)
    np.save(folder.output_of(repetition, "probabilities.npy"), probabilities)
    record = {"model": "s-cnn-all", "parameters": 7_429_139, "flops": None}
    folder.output_of(repetition, "training.json").write_text(json.dumps(record))


def write_emissions(folder, repetition, kg=1e-5, kwh=0.002):
    row = f"2026-09-21T12:00:00,lab,60,{kg * repetition},{kwh * repetition},FRA"
    folder.emissions_of(repetition).write_text(f"{EMISSIONS_HEADER}\n{row}")  # without a final newline


def make_manifest(folder, recipe):
    parameters = dict(recipe.parameters)
    return Manifest(
        experiment="conso",
        run=folder.run_path.name,
        group=folder.group,
        scenario=Scenario(parameters, ("python", "train.py"), seed=parameters.get("seed")),
        protocol=ProtocolSettings(
            cold_s=COLD_S,
            latency_s=recipe.latency_s,
            idle_after_s=recipe.idle_after_s,
            warmup=1,
            repetitions=recipe.repetitions,
        ),
        sources=recipe.sources,
        host="lab",
        host_series={**HOST_SERIES, **dict(recipe.host_series)},
        missing={name: reason for name, reason in MISSING.items() if name not in dict(recipe.host_series)},
        store="telemetry.sqlite",
        created="2026-09-21T12:00:00.000000000Z",
        blocks=(1,) * recipe.repetitions,
        sampling_interval_s=1.0,
        machine={"cpu": "a processor", "gpus": []},
        versions={"terrawatt": "0.1.0"},
        emissions=dict(recipe.emissions),
    )


def make_scenario(folder: RunFolder, recipe: Recipe):
    """Fill one scenario's folder."""
    states = recipe.states or (State.DONE,) * recipe.repetitions
    write_manifest(folder.manifest, make_manifest(folder, recipe))
    results = {State.DONE: ExecutionResult(0), State.FAILED: ExecutionResult(1, reason="exit code 1")}
    repetitions = tuple(RepetitionStatus(i, state, results.get(state)) for i, state in enumerate(states, start=1))
    is_done = all(state is State.DONE for state in states)
    write_status(folder.status, RunStatus(State.DONE if is_done else State.INTERRUPTED, repetitions))
    ended = [i for i, state in enumerate(states, start=1) if state in (State.DONE, State.FAILED)]
    write_phases(folder, recipe, ended)
    if recipe.has_store:
        with SqliteStore(folder.telemetry) as store:
            store.write(samples(recipe))
    for repetition in ended:
        if recipe.has_emissions:
            write_emissions(folder, repetition)
        if recipe.is_trained:
            write_outputs(folder, repetition)
    return folder


def make_run(results, number, *recipes: Recipe):
    """Make `results/conso/run_<number>` with one or several scenarios (groups); gives its path."""
    path = results / "conso" / f"run_{number}"
    for folder, recipe in zip(prepare_run(path, len(recipes)), recipes, strict=True):
        make_scenario(folder, recipe)
    return path
