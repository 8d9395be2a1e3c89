"""Folders of sweeps made by hand: one store, idle periods that neighbours share, a known truth in each block."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from run_folders import HOST_SERIES, PLUG, T0, Recipe, S, make_manifest, window
from terrawatt.records import ExecutionResult, Order, Phase, Sample
from terrawatt.runs.layout import RunFolder, prepare_run
from terrawatt.runs.manifest import write_manifest
from terrawatt.runs.phases import append_phases
from terrawatt.runs.plan import Entry, Plan, write_plan
from terrawatt.runs.status import RepetitionStatus, RunStatus, State, write_status
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.own import sampler_starts

GAP_S, WINDOW_S = 40, 60


@dataclass(frozen=True)
class Sweep:
    """What a sweep is to be.

    Attributes:
        models: one scenario each.
        blocks: how often each is measured.
        net_w: model -> what it adds; 50 W where it is not there.
        idle_w: of each idle period, in the order of time; the last one stays.
        between_s: seconds between two blocks in which nothing is recorded, as of a reboot.
        starts_s: when the sampler began again.
    """

    models: Sequence[str] = ("a", "b")
    blocks: int = 3
    net_w: dict[str, float] = field(default_factory=dict)
    idle_w: Sequence[float] = (40.0,)
    between_s: int = 0
    starts_s: Sequence[int] = ()


def make_sweep(results: Path, number: int, sweep: Sweep) -> Path:
    """Make `results/conso/run_<number>`, in blocks, each in the order of the models; gives its path."""
    path = results / "conso" / f"run_{number}"
    folders = prepare_run(path, len(sweep.models))
    entries = [Entry(block, i + 1, block) for block in _up_to(sweep.blocks) for i in range(len(sweep.models))]
    samples: list[Sample] = [Sample(sampler_starts("lab"), T0 + t * S, 1.0) for t in (0, *sweep.starts_s)]
    for model, phases, readings in _measured(sweep, entries):
        append_phases(folders[sweep.models.index(model)].phases, phases)
        samples += readings
    with SqliteStore(path / "telemetry.sqlite") as store:
        store.write(samples)
    for folder, model in zip(folders, sweep.models, strict=True):
        _describe(folder, model, sweep.blocks)
    write_plan(folders[0].plan, Plan(Order.BLOCKS, 0, tuple(entries)))
    return path


def _measured(sweep: Sweep, entries: Sequence[Entry]) -> Iterator[tuple[str, list[Phase], list[Sample]]]:
    """Of each sitting the scenario, its phases and the readings of its last idle period and window."""
    t, idles = 0, iter([*sweep.idle_w, *[sweep.idle_w[-1]] * len(entries)])
    idle_w = next(idles)
    before, readings = window(t, t + GAP_S), _readings(t, GAP_S, idle_w, is_busy=False)
    t += GAP_S
    for position, entry in enumerate(entries):
        model, ends_block = sweep.models[entry.scenario - 1], entry.scenario == len(sweep.models)
        is_alone = sweep.between_s and ends_block and position < len(entries) - 1
        whole = window(t, t + WINDOW_S)
        after_w = idle_w if is_alone else next(idles)
        level_w = (idle_w + after_w) / 2
        readings += _readings(t, WINDOW_S, level_w + sweep.net_w.get(model, 50.0), is_busy=True)
        t += WINDOW_S
        after = window(t, t + GAP_S)
        readings += _readings(t, GAP_S, after_w, is_busy=False)
        t += GAP_S
        number = entry.block
        phases = [
            Phase("cold", before, sitting=number),
            Phase("repetition", whole, number, sitting=number),
            Phase("train", window(t - GAP_S - WINDOW_S + 5, t - GAP_S - 5), number, 1, sitting=number),
            Phase("idle", after, sitting=number),
        ]
        yield model, phases, readings
        before, idle_w, readings = after, after_w, []
        if is_alone:
            t += sweep.between_s
            idle_w = next(idles)
            before, readings = window(t, t + GAP_S), _readings(t, GAP_S, idle_w, is_busy=False)
            t += GAP_S


def _readings(start_s: int, length_s: int, power_w: float, *, is_busy: bool) -> list[Sample]:
    found = []
    for t in range(start_s + 1, start_s + length_s + 1):
        wobble_w = 0.2 * (-1) ** t  # a meter's readings are never all the same
        found.append(Sample(PLUG.series, T0 + t * S, power_w + wobble_w))
        found.append(Sample(HOST_SERIES["cpu"], T0 + t * S, 75.0 if is_busy else 5.0))
    return found


def _describe(folder: RunFolder, model: str, blocks: int) -> None:
    recipe = Recipe(repetitions=blocks, parameters=(("model", model), ("epochs", 10), ("batch", 100)))
    manifest = make_manifest(folder, recipe)
    numbers = tuple(_up_to(blocks))
    store = "telemetry.sqlite" if folder.group is None else "../telemetry.sqlite"
    write_manifest(folder.manifest, replace(manifest, store=store, order=Order.BLOCKS, blocks=numbers))
    done = tuple(RepetitionStatus(number, State.DONE, ExecutionResult(0)) for number in numbers)
    write_status(folder.status, RunStatus(State.DONE, done))


def _up_to(count: int) -> range:
    return range(1, count + 1)
