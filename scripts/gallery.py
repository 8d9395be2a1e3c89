"""The pictures of docs/gallery.md: a made-up sweep, measured by nobody, summarised by the program itself.

    python scripts/gallery.py [DIR]

Six scenarios (three models, two learning rates), ten repetitions each, in blocks. Energies, durations and scores are
planted: larger models take more and predict better, the learning rate matters to the smaller models only, and the
machine gets warmer. Writes `<figure>.svg` into DIR, by default `docs/images/gallery`.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np

from terrawatt.config import ProtocolSettings
from terrawatt.records import (
    AccuracyBand,
    ExecutionResult,
    Float64Array,
    Order,
    Phase,
    Sample,
    Scenario,
    Semantics,
    SeriesKey,
    SourceDescription,
    Window,
)
from terrawatt.report.look import FIGURE_NAMES, Look
from terrawatt.runs.layout import RunFolder, prepare_run
from terrawatt.runs.manifest import Manifest, write_manifest
from terrawatt.runs.phases import append_phases
from terrawatt.runs.plan import Entry, Plan, write_plan
from terrawatt.runs.status import RepetitionStatus, RunStatus, State, write_status
from terrawatt.store.sqlite import SqliteStore
from terrawatt.summary.summarise import summarise

IMAGES = Path(__file__).parents[1] / "docs" / "images" / "gallery"
S = 1_000_000_000
T0 = 1_790_000_000 * S
IDLE_S, IDLE_W, EPOCHS, LABELS, IMAGES_TESTED = 60, 42.0, 10, 19, 400

PLUG = SourceDescription(
    name="plug",
    kind="mqtt",
    semantics=Semantics.MEAN,
    accuracy=(AccuracyBand(below_w=300, plus_minus_w=0.15), AccuracyBand(plus_minus_percent=1.0)),
    series=SeriesKey.of("power", "power_w", host="lab", source="plug"),
    resolution_w=0.1,
    interval_s=1.0,
)
HOST = {
    "cpu": SeriesKey.of("cpu", "usage_user", host="lab", cpu="cpu-total"),
    "mem_free": SeriesKey.of("mem", "available_percent", host="lab"),
    "temp": SeriesKey.of("temp", "temp", host="lab", sensor="coretemp_package_id_0"),
    "reads": SeriesKey.of("diskio", "reads", host="lab", name="nvme0n1"),
}


@dataclass(frozen=True)
class Planted:
    """What a scenario is to be: its mean power above idle, its length, how well it predicts, the memory it takes."""

    model: str
    lr: float
    net_w: float
    train_s: int
    quality: float
    memory_percent: float


_MODELS = {
    "s-cnn-rgb": (24.0, 60, 0.15, 4.0),
    "s-cnn-all": (38.0, 80, 0.24, 9.0),
    "inception-v3": (62.0, 110, 0.31, 21.0),
}
_BETTER = {"s-cnn-rgb": 0.05, "s-cnn-all": 0.03, "inception-v3": -0.01}  # of the larger learning rate
SCENARIOS = tuple(
    Planted(
        model,
        lr,
        net_w,
        seconds - 10 * (lr > 0.001 and model != "inception-v3"),
        quality + (lr > 0.001) * _BETTER[model],
        memory,
    )
    for (model, (net_w, seconds, quality, memory)), lr in product(_MODELS.items(), (0.001, 0.01))
)


def make(results: Path, repetitions: int = 10) -> Path:
    """The run's folder, as `terrawatt run --param-file` would leave it."""
    path = results / "gallery" / "run_1"
    folders = prepare_run(path, len(SCENARIOS))
    random = np.random.default_rng(5)
    entries = [
        Entry(block, int(scenario) + 1, block)
        for block in range(1, repetitions + 1)
        for scenario in random.permutation(len(SCENARIOS))
    ]
    write_plan(folders[0].plan, Plan(Order.BLOCKS, 0, tuple(entries)))
    with SqliteStore(path / "telemetry.sqlite") as store:
        second = 0
        for entry in entries:
            folder, planted = folders[entry.scenario - 1], SCENARIOS[entry.scenario - 1]
            train_s = round(planted.train_s * random.normal(1, 0.015))
            phases = list(_phases(second, train_s, entry.block))
            append_phases(folder.phases, phases)
            store.write(_readings(second, train_s, planted, random))
            _outputs(folder, entry.block, planted, train_s, random)
            second += IDLE_S + 8 + train_s
        store.write(_idle(second, random))
    for folder, planted in zip(folders, SCENARIOS, strict=True):
        _describe(folder, planted, repetitions)
    return path


def _phases(second: int, train_s: int, block: int) -> Iterator[Phase]:
    """Idle, three seconds of setup, the epochs, five seconds of testing, idle."""
    busy, end = second + IDLE_S, second + IDLE_S + 8 + train_s
    yield Phase("cold", _window(second, busy), sitting=block)
    yield Phase("repetition", _window(busy, end), block, sitting=block)
    yield Phase("setup", _window(busy, busy + 3), block, sitting=block)
    edges = busy + 3 + train_s * np.arange(EPOCHS + 1) / EPOCHS
    for epoch, (start, stop) in enumerate(pairwise(edges.tolist()), start=1):
        yield Phase("train", _window(start, stop - 0.6), block, epoch, sitting=block)
    yield Phase("test", _window(end - 5, end), block, sitting=block)
    yield Phase("idle", _window(end, end + IDLE_S), sitting=block)


def _window(start_s: float, end_s: float) -> Window:
    return Window(T0 + round(start_s * S), T0 + round(end_s * S))


def _readings(second: int, train_s: int, planted: Planted, random: np.random.Generator) -> Iterator[Sample]:
    """Idle and one repetition, once a second: a dip between epochs, and a machine that is warmer from hour to hour."""
    length = IDLE_S + 8 + train_s
    t = np.arange(1, length + 1)
    busy = t - IDLE_S
    epoch_s = train_s / EPOCHS
    level = np.where((busy - 3) % epoch_s < 1.0, 0.55, 1.0)  # reading the next epoch's order
    level = np.where(busy <= 3, 0.4, np.where(busy > length - IDLE_S - 5, 0.7, level))
    share = np.where(busy > 0, level, 0.0)
    factor = random.normal(1, 0.012)
    noise_percent = random.normal(0, 0.3, length)
    warm_c = 6 * (1 - np.exp(-second / 3000))
    power = IDLE_W + 0.08 * warm_c + planted.net_w * factor * share + random.normal(0, 0.5, length)
    temperature = 44 + warm_c + 22 * share * (1 - np.exp(-np.maximum(busy, 0) / 15)) + random.normal(0, 0.5, length)
    series = {
        PLUG.series: power.round(1),
        HOST["cpu"]: 3 + (25 + 0.6 * planted.net_w) * random.normal(1, 0.08) * share + random.uniform(0, 2, length),
        HOST["mem_free"]: 82 - planted.memory_percent * random.normal(1, 0.1) * (share > 0) + noise_percent,
        HOST["temp"]: temperature.round(),
        HOST["reads"]: 1e5
        + 50 * (second + t)
        + np.cumsum(share * random.poisson(30 * random.lognormal(0, 0.3), length)),
    }
    yield from _samples(series, second)


def _idle(second: int, random: np.random.Generator) -> Iterator[Sample]:
    """What comes after the last repetition."""
    quiet = {PLUG.series: 0.0, HOST["cpu"]: 4.0 - IDLE_W, HOST["mem_free"]: 82.0 - IDLE_W, HOST["temp"]: 50.0 - IDLE_W}
    series = {key: IDLE_W + 0.5 + level + random.normal(0, 0.5, IDLE_S) for key, level in quiet.items()}
    yield from _samples(series, second)


def _samples(series: dict[SeriesKey, Float64Array], second: int) -> Iterator[Sample]:
    for key, values in series.items():
        for t, value in enumerate(values.tolist(), start=second + 1):
            yield Sample(key, T0 + t * S, value)


def _outputs(folder: RunFolder, block: int, planted: Planted, train_s: int, random: np.random.Generator) -> None:
    """What the training and CodeCarbon leave behind."""
    targets = (np.random.default_rng(0).uniform(size=(IMAGES_TESTED, LABELS)) < 0.25).astype(np.uint8)
    np.save(folder.output / "targets.npy", targets)
    quality = planted.quality + random.normal(0, 0.012)
    noise = random.normal(0, 0.28, targets.shape)
    probabilities = np.clip(0.32 + quality * (2.0 * targets - 0.6) + noise, 0, 1).astype(np.float32)
    np.save(folder.output_of(block, "probabilities.npy"), probabilities)
    learnt = 1 - np.exp(-np.arange(1, EPOCHS + 1) / (2 + 3 * (planted.lr < 0.01)))
    wobble = random.normal(0, 0.008, (3, EPOCHS))
    history = [
        {
            "epoch": i + 1,
            "train_loss": 0.7 - (0.2 + quality) * learnt[i] + wobble[0, i],
            "validation_loss": 0.7 - (0.15 + 0.8 * quality) * learnt[i] + wobble[1, i],
            "validation_macro_f1": (0.35 + quality) * learnt[i] + wobble[2, i],
        }
        for i in range(EPOCHS)
    ]
    record = {"model": planted.model, "parameters": None, "flops": None, "history": history}
    folder.output_of(block, "training.json").write_text(json.dumps(record | {"n_train": 1000, "n_test": IMAGES_TESTED}))
    kwh = (0.5 * IDLE_W + 1.1 * planted.net_w) * (train_s + 8) / 3.6e6 * random.normal(1, 0.03)
    row = f"2026-09-21T12:00:00,lab,{train_s + 8},{kwh * 0.056},{kwh},FRA"
    head = "timestamp,project_name,duration,emissions,energy_consumed,country_iso_code"
    folder.emissions_of(block).write_text(f"{head}\n{row}\n")


def _describe(folder: RunFolder, planted: Planted, repetitions: int) -> None:
    numbers = tuple(range(1, repetitions + 1))
    manifest = Manifest(
        experiment="gallery",
        run=folder.run_path.name,
        group=folder.group,
        scenario=Scenario({"model": planted.model, "lr": planted.lr, "epochs": EPOCHS}, ("terrawatt", "train"), seed=1),
        protocol=ProtocolSettings(cold_s=IDLE_S, idle_after_s=IDLE_S, warmup=0, repetitions=repetitions),
        sources=(PLUG,),
        host="lab",
        host_series=HOST,
        missing={},
        store="../telemetry.sqlite",
        created="2026-09-21T12:00:00.000000000Z",
        blocks=numbers,
        sampling_interval_s=1.0,
        machine={"cpu": "made up", "gpus": []},
        versions={"terrawatt": "0"},
        emissions={"enabled": True, "intensity": {"g_per_kwh": 56.0, "u_percent": 10.0, "origin": "made up"}},
        order=Order.BLOCKS,
    )
    write_manifest(folder.manifest, manifest)
    done = tuple(RepetitionStatus(number, State.DONE, ExecutionResult(0)) for number in numbers)
    write_status(folder.status, RunStatus(State.DONE, done))


def draw(folder: Path, look: Look | None = None, repetitions: int = 10) -> dict[str, Path]:
    """The figures of the sweep in a folder of its summary: name -> SVG; of the power curves one."""
    run = make(folder / "results", repetitions)
    summarise([run], folder / "summary", look=look or Look(names=FIGURE_NAMES, formats=("svg",)))
    found = sorted((folder / "summary" / "figures").glob("*.svg"))
    return {("power_curve" if path.stem.startswith("power_curve") else path.stem): path for path in reversed(found)}


def main(images: Path = IMAGES) -> None:
    """Draw all, and put the pictures where the page looks for them."""
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, path in sorted(draw(Path(folder)).items()):
            (images / f"{name}.svg").write_bytes(path.read_bytes())
            sys.stdout.write(f"{images / name}.svg: {path.stat().st_size / 1e3:.0f} kB\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
