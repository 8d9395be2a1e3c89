"""The summary of a large sweep: how long does it take, and how much memory?

The plan is 3 models × 5 learning rates × 3 batch sizes × 3 numbers of epochs, 10 repetitions each: 135 scenarios, 1350
repetitions, in blocks, each `--hours` long, with the readings of one meter and of five host series once a second.
Prints for each command its wall time, the CPU time of all its processes, and the largest sum of their memory (what
several share counts once, in parts: PSS), beside what is asked.

    python benchmarks/summary.py [--hours 6] [--separate] [--folder DIR]

The run folders are terrawatt's own, with checksums. The readings of one repetition are written through the store, then
copied by SQL to the times of all others, the power with a factor for each: 51 bytes a reading, so with 6 hours a
repetition (29 million readings of each series) the store has 9 GB, and making it takes some minutes. `--separate`: 135
runs of one scenario, each with a store of its own, instead of one sweep.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import psutil

from terrawatt.config import ProtocolSettings
from terrawatt.records import (
    AccuracyBand,
    ExecutionResult,
    Order,
    Phase,
    Sample,
    Scenario,
    Semantics,
    SeriesKey,
    SourceDescription,
    Window,
)
from terrawatt.runs.atomic import sha256
from terrawatt.runs.layout import RunFolder, prepare_run
from terrawatt.runs.manifest import Manifest, write_manifest
from terrawatt.runs.phases import write_phases
from terrawatt.runs.plan import Entry, Plan, write_plan
from terrawatt.runs.status import RepetitionStatus, RunStatus, State, write_status
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.own import clock_offset, sampler_starts

MODELS, RATES = ("s-cnn-rgb", "s-cnn-all", "inception-v3"), (0.0001, 0.0003, 0.001, 0.003, 0.01)
BATCHES, EPOCHS, REPETITIONS = (32, 64, 128), (5, 10, 20), 10
SCENARIOS = tuple(product(MODELS, RATES, BATCHES, EPOCHS))
S = 1_000_000_000
T0 = 1_790_000_000 * S
IDLE_S, IDLE_W, RUN_W = 120, 40.0, 60.0
LABELS = 19
_LOOK_S = 0.25  # between two looks at the memory

PLUG = SourceDescription(
    name="plug",
    kind="mqtt",
    semantics=Semantics.MEAN,
    accuracy=(AccuracyBand(below_w=300, plus_minus_w=3.0), AccuracyBand(plus_minus_percent=1.0)),
    series=SeriesKey.of("power", "power_w", host="lab", source="plug"),
    resolution_w=0.1,
    interval_s=1.0,
)
HOST = {
    "cpu": SeriesKey.of("cpu", "usage_user", host="lab", cpu="cpu-total"),
    "mem_free": SeriesKey.of("mem", "available_percent", host="lab"),
    "temp": SeriesKey.of("temp", "temp", host="lab", sensor="coretemp_package_id_0"),
    "reads": SeriesKey.of("diskio", "reads", host="lab", name="sda"),
}
KEYS = (PLUG.series, *HOST.values(), clock_offset("lab"))
ASKED = {"runs": (60, 1.5), "--file True": (20, 1.5), "table alone": (5, 1.5)}  # s, GB


@dataclass(frozen=True)
class Size:
    """How large the plan is made."""

    hours: float
    repetitions: int
    images: int

    @property
    def sitting_s(self) -> int:
        """From the start of an idle period to that of the next."""
        return round(self.hours * 3600)


def make(results: Path, size: Size, *, separate: bool) -> list[Path]:
    """The run folders of the whole plan."""
    if separate:
        return [_run(results / "large" / f"run_{i}", [i], size) for i in range(1, len(SCENARIOS) + 1)]
    return [_run(results / "large" / "run_1", range(1, len(SCENARIOS) + 1), size)]


def _run(path: Path, numbers: Sequence[int], size: Size) -> Path:
    """One run of some scenarios, in blocks where there are several."""
    folders = prepare_run(path, len(numbers))
    blocks = range(1, size.repetitions + 1)
    entries = tuple(Entry(block, i, block) for block in blocks for i in range(1, len(numbers) + 1))
    if len(numbers) > 1:
        write_plan(folders[0].plan, Plan(Order.BLOCKS, 0, entries))
    store = path / "telemetry.sqlite"
    _write_store(store, size, len(entries))
    checksums = {f"{'../' if len(numbers) > 1 else ''}{store.name}": sha256(store)}
    for folder, number in zip(folders, numbers, strict=True):
        at = [i for i, entry in enumerate(entries) if len(numbers) == 1 or entry.scenario == number]
        _fill(folder, number, at, size, checksums, in_blocks=len(numbers) > 1)
    return path


def _write_store(path: Path, size: Size, sittings: int) -> None:
    """The readings of one sitting through the store; then those of all others, by SQL, the power with factors."""
    random = np.random.default_rng(1)
    with SqliteStore(path) as store:
        store.write(_sitting(size, random))
    factors = random.normal(1.0, 0.02, sittings)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        connection.execute("CREATE TEMP TABLE first AS SELECT * FROM reading ORDER BY series_id, t_ns")
        ((number,),) = connection.execute("SELECT count(*) FROM first")
        for (series,) in connection.execute("SELECT id FROM series ORDER BY id").fetchall():
            for i in range(1, sittings):
                shift = (i * size.sitting_s * S, factors[i] if series == 1 else 1.0)
                connection.execute(
                    "INSERT INTO reading SELECT series_id, t_ns + ?, value * ?, ? + row_number() OVER () "
                    "FROM first WHERE series_id = ?",
                    (*shift, number, series),
                )
                number += size.sitting_s
        last_ns = T0 + sittings * size.sitting_s * S
        for series, level in enumerate((IDLE_W, 5.0, 80.0, 50.0, 1e6, 0.0), start=1):
            idle = ((series, last_ns + t * S, level + t % 2, number + t) for t in range(1, IDLE_S + 1))
            connection.executemany("INSERT INTO reading VALUES (?, ?, ?, ?)", idle)
            number += IDLE_S
        connection.execute("INSERT INTO series (measurement, field, tags) VALUES (?, ?, ?)", _names())
        connection.execute("INSERT INTO reading SELECT max(id), ?, 4711, ? FROM series", (T0, number + 1))
    connection.close()


def _names() -> tuple[str, str, str]:
    """The series of the sampler's starts, as the store names it."""
    key = sampler_starts("lab")
    return key.measurement, key.field, json.dumps(dict(key.tags), sort_keys=True, separators=(",", ":"))


def _sitting(size: Size, random: np.random.Generator) -> Iterator[Sample]:
    """One idle period and one repetition: all series, one behind the other."""
    is_busy = np.arange(1, size.sitting_s + 1) > IDLE_S
    values = (
        np.round(np.where(is_busy, RUN_W, IDLE_W) + random.normal(0, 0.5, len(is_busy)), 1),
        np.where(is_busy, 75.0, 5.0) + random.uniform(-2, 2, len(is_busy)),
        np.where(is_busy, 60.0, 80.0) + random.uniform(-1, 1, len(is_busy)),
        np.where(is_busy, 65.0, 50.0) + random.integers(-1, 2, len(is_busy)),
        1e6 + np.cumsum(2.0 * is_busy),
        1e-4 * random.normal(size=len(is_busy)),
    )
    for key, of_key in zip(KEYS, values, strict=True):
        for t, value in enumerate(of_key.tolist(), start=1):
            yield Sample(key, T0 + t * S, value)


def _fill(
    folder: RunFolder, number: int, at: Sequence[int], size: Size, checksums: dict[str, str], *, in_blocks: bool
) -> None:
    """All files of one scenario but the series."""
    model, rate, batch, epochs = SCENARIOS[number - 1]
    names = range(1, size.repetitions + 1)
    phases = [phase for name, i in zip(names, at, strict=True) for phase in _phases(name, i, epochs, size)]
    write_phases(folder.phases, phases)
    write_status(folder.status, RunStatus(State.DONE, tuple(_done(name) for name in names)))
    random = np.random.default_rng(number)
    targets = (random.uniform(size=(size.images, LABELS)) < 0.2).astype(np.uint8)
    np.save(folder.output / "targets.npy", targets)
    for name in names:
        _outputs(folder, name, epochs, targets, random)
    left = [path for place in (folder.output, folder.emissions) for path in sorted(place.iterdir())]
    checksums = checksums | {
        str(path.relative_to(folder.path)): sha256(path) for path in (folder.phases, folder.status, *left)
    }
    parameters = {"model": model, "lr": rate, "batch": batch, "epochs": epochs, "seed": 1}
    manifest = Manifest(
        experiment="large",
        run=folder.run_path.name,
        group=folder.group,
        scenario=Scenario(parameters, ("terrawatt", "train"), seed=1),
        protocol=ProtocolSettings(cold_s=IDLE_S, idle_after_s=IDLE_S, warmup=0, repetitions=size.repetitions),
        sources=(PLUG,),
        host="lab",
        host_series=HOST,
        missing={},
        store="../telemetry.sqlite" if in_blocks else "telemetry.sqlite",
        created="2026-09-21T12:00:00.000000000Z",
        blocks=tuple(names),
        sampling_interval_s=1.0,
        machine={"cpu": "a processor", "gpus": []},
        versions={"terrawatt": "0"},
        emissions={"enabled": True, "intensity": {"g_per_kwh": 56.0, "u_percent": 10.0, "origin": "made up"}},
        checksums=checksums,
        order=Order.BLOCKS if in_blocks else Order.SEQUENTIAL,
    )
    write_manifest(folder.manifest, manifest)


def _done(name: int) -> RepetitionStatus:
    return RepetitionStatus(name, State.DONE, ExecutionResult(0))


def _phases(name: int, position: int, epochs: int, size: Size) -> Iterator[Phase]:
    """Of the sitting at some position in time; its last idle period is the first of the next one."""
    start_ns = T0 + position * size.sitting_s * S
    busy_ns, end_ns = start_ns + IDLE_S * S, start_ns + size.sitting_s * S
    yield Phase("cold", Window(start_ns, busy_ns), sitting=name)
    yield Phase("repetition", Window(busy_ns, end_ns), name, sitting=name)
    epoch_ns = (end_ns - busy_ns) * 8 // (10 * epochs)
    for epoch in range(epochs):
        window = Window(busy_ns + epoch * epoch_ns, busy_ns + (epoch + 1) * epoch_ns)
        yield Phase("train", window, name, epoch + 1, sitting=name)
    yield Phase("test", Window(busy_ns + epochs * epoch_ns, end_ns - S), name, sitting=name)
    yield Phase("idle", Window(end_ns, end_ns + IDLE_S * S), sitting=name)


def _outputs(folder: RunFolder, name: int, epochs: int, targets: np.ndarray, random: np.random.Generator) -> None:
    """What a training and CodeCarbon leave of one repetition."""
    probabilities = np.clip(targets * 0.5 + random.uniform(0, 0.6, targets.shape), 0, 1).astype(np.float32)
    np.save(folder.output_of(name, "probabilities.npy"), probabilities)
    history = [
        {
            "epoch": epoch + 1,
            "train_loss": 1 / (epoch + 1),
            "validation_loss": 1.1 / (epoch + 1),
            "validation_macro_f1": 0.5,
        }
        for epoch in range(epochs)
    ]
    record = {"model": "m", "parameters": 7_429_139, "flops": None, "history": history, "n_train": 1, "n_test": 1}
    folder.output_of(name, "training.json").write_text(json.dumps(record))
    head = "timestamp,project_name,duration,emissions,energy_consumed,country_iso_code"
    kwh = 0.1 * random.normal(1, 0.05)
    folder.emissions_of(name).write_text(f"{head}\n2026-09-21T12:00:00,lab,60,{kwh * 0.056},{kwh},FRA\n")


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    wall_s: float
    cpu_s: float
    memory_gb: float


def cost(arguments: Sequence[str], folder: Path) -> Cost:
    """Run `terrawatt` and watch it.

    Raises:
        SystemExit: it fails.
    """
    with (folder / "printed.txt").open("wb") as printed:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "terrawatt", *arguments], cwd=folder, stdout=printed, stderr=subprocess.STDOUT
        )
        peak, looked = 0, 0.0
        while True:
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            if time.perf_counter() - looked > _LOOK_S:
                peak, looked = max(peak, _memory(process.pid)), time.perf_counter()
            time.sleep(0.01)
        wall_s = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit((folder / "printed.txt").read_text())
    return Cost(wall_s, used.ru_utime + used.ru_stime, peak / 1e9)


def _memory(pid: int) -> int:
    """The memory of a process and all below it, in bytes; 0 when it has just ended."""
    try:
        process = psutil.Process(pid)
        return sum(one.memory_full_info().pss for one in [process, *process.children(recursive=True)])
    except psutil.NoSuchProcess:
        return 0


def measured(runs: Sequence[Path], folder: Path) -> Iterator[tuple[str, Cost]]:
    """Each command with its cost."""
    out = folder / "out"
    yield "runs", cost(["summary", *map(str, runs), "--out", str(out)], folder)
    yield "--file True", cost(["summary", *map(str, runs), "--file", "True", "--out", str(out)], folder)
    alone = folder / "alone"
    alone.mkdir()
    (alone / "output_all.csv").write_bytes((out / "output_all.csv").read_bytes())
    table = str(alone / "output_all.csv")
    yield "table alone", cost(["summary", table, "--file", "True", "--figures", "none", "--out", str(alone)], folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the plan, run the commands, print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hours", type=float, default=6.0, help="of each repetition with its idle period")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS, help="of each scenario")
    parser.add_argument("--images", type=int, default=1000, help="in the test split")
    parser.add_argument("--separate", action="store_true", help="a run for each scenario, instead of one sweep")
    parser.add_argument("--folder", type=Path, help="where to make them, at first empty; kept, and used again")
    given = parser.parse_args(arguments)
    size = Size(given.hours, given.repetitions, given.images)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        begin = time.perf_counter()
        found = sorted((folder / "large").glob("run_*"), key=lambda path: int(path.name[4:]))
        runs = found or make(folder, size, separate=given.separate)
        stored_gb = sum(path.stat().st_size for path in folder.rglob("*.sqlite")) / 1e9
        print(
            f"{len(SCENARIOS)} scenarios × {size.repetitions} repetitions of {size.hours:g} h in {len(runs)} runs, "
            f"series of {stored_gb:.2f} GB; made in {time.perf_counter() - begin:.0f} s"
        )
        print("| summary of | wall, s | asked, s | CPU, s | memory, GB | asked, GB | page, MB |")
        print("|---|---|---|---|---|---|---|")
        with tempfile.TemporaryDirectory(dir=folder) as work:
            for name, took in measured(runs, Path(work)):
                page = Path(work) / ("alone" if name == "table alone" else "out") / "report.html"
                print(
                    f"| {name} | {took.wall_s:.1f} | {ASKED[name][0]} | {took.cpu_s:.1f} | {took.memory_gb:.2f} | "
                    f"{ASKED[name][1]} | {page.stat().st_size / 1e6:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
