"""Whether size costs anything: 50,000 patches are packed, verified, split and learnt from, beside 1,600, in one run.

A synthetic archive of v1 is made (8 GB, deleted when it is packed), and a small one. Both are packed more than once:
the rate of the large one is that of the second time, when its files lie in memory as those of the small one do. Each
step is a process of its own, with terrawatt's commands where there is one; S-CNN-All learns a whole epoch of each pack
in bfloat16.

*Memory* is what the processes of a step hold of their own (anonymous pages, looked at ten times a second); pages of the
pack in the page cache are not theirs. *Beyond torch* is beyond a process that trains the same network on one batch that
lies ready. *Added* is what the second half of a step's time adds to the greatest of its first half.

*Rates* of learning are those of the first batches of epochs, in one process, ways alternating: a small pack, the large
one when its pages were dropped from memory (*cold*: `posix_fadvise`; the share that was left is printed), and the same
images again, which lie in memory then. The beginning of an epoch is its worst part when it is cold: a pack that fits
into memory warms up while it is read. Ratios are of neighbours, printed as their median with the least and the most,
and that of processor time beside them, which another load of the machine disturbs less. *Reading alone* is the loader
without a network.

    python benchmarks/full_size.py [--patches N] [--rounds N] [--folder DIR]

With `--folder` the packs are kept there, and what is there is used: archives, or packs, and then packing is left out.
"""

import argparse
import ctypes
import json
import mmap
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from terrawatt.data.pack import Pack
from terrawatt.records import Phase, PhaseName
from terrawatt.runs.phases import PHASES_VARIABLE, read_phases

LARGE, SMALL, ROUNDS, BATCH = 50_000, 1_600, 6, 100
BATCHES = 9  # of a measurement: the full ones of an epoch of the small pack
RATE, CPU_TIME = "images/s", "CPU s/1,000 images"
SHUFFLES = ("full", "shards")
SMALL_EPOCHS = 5  # of its training: torch takes memory in its first fifty steps
PACKINGS = {"small": 5, "large": 2}  # of the small archive before the large one, and as often after
MEMORY_AIM_MB, MORE_AIM_MB, RATE_AIM = 300, 100, 0.95
TRAINING: dict[str, str | int] = {
    "model": "s-cnn-all",
    "optim": "SGD",
    "epochs": 1,
    "batch": BATCH,
    "precision": "bf16",
    "device": "cpu",
}

Rates = dict[str, list[float]]
Say = Callable[[str], None]
Aim = tuple[str, float, str, bool]  # what, found, aim in words, whether it is reached


@dataclass(frozen=True, slots=True)
class Watched:
    """A process that has ended: seconds, (time in ns, MB of its own and its children's) now and then, what it said."""

    duration_s: float
    samples: list[tuple[int, float]]
    said: str

    @property
    def peak_mb(self) -> float:
        """The most that was seen."""
        return max(mb for _, mb in self.samples)

    def added_mb(self, phase: Phase | None = None) -> float:
        """What the second half of the process, or of a phase of it, adds to the greatest of the first."""
        begin, end = self.samples[0][0], self.samples[-1][0] + 1
        if phase is not None:
            begin, end = phase.window.start_ns, phase.window.end_ns
        halves = ([mb for t, mb in self.samples if a <= t < b] for a, b in _halves(begin, end))
        first, second = (max(half, default=0.0) for half in halves)
        return max(second - first, 0.0)

    @property
    def over_time(self) -> str:
        """The memory at ten times."""
        chosen = np.linspace(0, len(self.samples) - 1, min(10, len(self.samples))).astype(int)
        return " ".join(f"{self.samples[i][1]:,.0f}" for i in chosen)


def main() -> int:
    """Print what was found; 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description="Whether the size of a pack costs time or memory.")
    parser.add_argument("--patches", type=int, default=LARGE)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.folder is not None:
        given.folder.mkdir(parents=True, exist_ok=True)
        return benchmark(given.folder, given.patches, given.rounds)
    with tempfile.TemporaryDirectory(prefix="terrawatt-full-size-") as name:
        return benchmark(Path(name), given.patches, given.rounds)


def benchmark(folder: Path, patches: int, rounds: int) -> int:
    """All steps; each says what it found as soon as it is known."""
    aims: list[Aim] = []
    say(f"{patches:,} patches beside {SMALL:,}; {os.cpu_count()} cores")
    if not (folder / "large" / "pack").exists():
        aims += make_and_pack(folder, patches)
    small, large = folder / "small", folder / "large"
    n_more = len(Pack.open(large / "pack")) - SMALL
    aims += verify_and_split(small, large, n_more)
    aims += train(folder, small, large, n_more)
    aims += alternate(folder, rounds)
    for what, value, aim, is_reached in aims:
        say(f"aim: {what}: {value:,.3g} of {aim}: {'reached' if is_reached else 'MISSED'}")
    return int(not all(is_reached for *_, is_reached in aims))


def say(line: str) -> None:
    """Print a line, seen at once."""
    print(line, flush=True)


# --- steps -----------------------------------------------------------------------------------------------------------


def make_and_pack(folder: Path, patches: int) -> list[Aim]:
    """Make both archives, pack them, and delete the large one."""
    for name, count in (("small", SMALL), ("large", patches)):
        if (folder / name / "archive").exists():
            continue
        made = watch(own("make", folder / name, count))
        say(f"making {count:,} patches, {os.cpu_count()} processes: {made.duration_s:,.1f} s")
    before, large, after = (watch(own("pack", folder / name)) for name in ("small", "large", "small"))
    few, packed = joined(json.loads(before.said), json.loads(after.said)), json.loads(large.said)
    begin = time.perf_counter()
    shutil.rmtree(folder / "large" / "archive")
    deleting_s = time.perf_counter() - begin
    cpu_ratio = statistics.median(few["CPU µs"]) / packed["CPU µs"][-1]
    say(
        f"packing, one process: small {spread(few['patches/s'])} patches/s, {spread(few['CPU µs'])} µs of CPU time each"
    )
    for turn, (rate, cpu_us, disk_gb) in enumerate(zip(*packed.values(), strict=True), 1):
        say(f"  large, time {turn}: {rate:,.0f} patches/s, {cpu_us:,.0f} µs each, {disk_gb:.1f} GB came from the disk")
    ratio = packed["patches/s"][-1] / statistics.median(few["patches/s"])
    say(f"  large to small {ratio:.2f}; by processor time, which waits for no disk, {cpu_ratio:.2f}")
    tell_memory("packing", before, large, patches - SMALL)
    say(f"deleting the large archive: {deleting_s:,.1f} s")
    return [
        ("packing, rate of the large archive to that of the small", ratio, f"{RATE_AIM}", ratio >= RATE_AIM),
        ("the same by processor time", cpu_ratio, f"{RATE_AIM}", cpu_ratio >= RATE_AIM),
        memory_aim("packing", before, large),
    ]


def joined(*found: Rates) -> Rates:
    """Values of several steps."""
    return {what: [value for one in found for value in one[what]] for what in found[0]}


def verify_and_split(small: Path, large: Path, n_more: int) -> list[Aim]:
    """Compare checksums, and divide the patches."""
    aims = []
    steps: dict[str, Callable[[Path], list[str]]] = {
        "verify": lambda folder: ["verify", str(folder / "pack")],
        "split": lambda folder: [
            *("split", str(folder / "pack"), "--out", str(folder / "split.parquet")),
            *("--stratified", "--sizes", "0.6", "0.2", "0.2", "--seed", "1"),
        ],
    }
    for name, words in steps.items():
        for folder in (small, large):
            (folder / "split.parquet").unlink(missing_ok=True)
        few, many = (watch(terrawatt("data", *words(folder))) for folder in (small, large))
        rate = n_more / max(many.duration_s - few.duration_s, 1e-3)
        say(
            f"data {name}: small {few.duration_s:.2f} s, large {many.duration_s:.2f} s, "
            f"so {rate:,.0f} patches/s beyond the start"
        )
        tell_memory(name, few, many, n_more)
        aims.append(memory_aim(name, few, many))
        if name == "verify":
            say(f"  that are {rate * bytes_of(large / 'pack') / (n_more + SMALL) / 1e9:.2f} GB/s")
    return aims


def train(folder: Path, small: Path, large: Path, n_more: int) -> list[Aim]:
    """A whole epoch of the large pack, with validation and test; several of the small one."""
    torch_mb = watch(own("alone", folder)).peak_mb
    steps = {}
    for name, place, epochs in (("small", small, SMALL_EPOCHS), ("large", large, 1)):
        phases, out = folder / "phases.jsonl", folder / "out"
        phases.unlink(missing_ok=True)
        options = [part for key, value in (TRAINING | {"epochs": epochs}).items() for part in (f"--{key}", str(value))]
        files = ["--data", str(place / "pack"), "--split", str(place / "split.parquet"), "--out", str(out)]
        step = watch(terrawatt("train", *options, *files, "--no-verify"), {PHASES_VARIABLE: str(phases)})
        found = {phase.name: phase for phase in read_phases(phases)}
        counts = json.loads((out / "training.json").read_text(encoding="utf-8"))
        shutil.rmtree(out)
        steps[name] = (step, found)
        words = ", ".join(
            f"{key} {counts[f'n_{part}']:,} at {counts[f'n_{part}'] / found[key].window.duration_s:,.0f} images/s"
            for key, part in ((PhaseName.TRAIN, "train"), (PhaseName.VALIDATE, "validation"), (PhaseName.TEST, "test"))
        )
        say(f"terrawatt train, {name}, {epochs} whole epoch{'s' * (epochs > 1)}, {step.duration_s:,.0f} s: {words}")
    (few, _), (many, phases_of_large) = steps["small"], steps["large"]
    tell_memory("training", few, many, n_more)
    beyond = many.peak_mb - torch_mb
    added = many.added_mb(phases_of_large[PhaseName.TRAIN])
    say(
        f"  network alone {torch_mb:,.0f} MB; beyond torch: small {few.peak_mb - torch_mb:,.0f}, large {beyond:,.0f} MB"
    )
    say(f"  in the train phase of the large pack the second half adds {added:.1f} MB")
    return [
        ("training, memory beyond torch, MB", beyond, f"at most {MEMORY_AIM_MB}", beyond <= MEMORY_AIM_MB),
        memory_aim("training", few, many),
        ("training, added by the second half of the epoch, MB", added, "at most 5", added <= 5),
    ]


def alternate(folder: Path, rounds: int) -> list[Aim]:
    """Rates in one process; see `rates`."""
    found: Rates = json.loads(watch(own("rates", folder, rounds)).said)
    for way, values in found.items():
        say(f"  {way:<52}{spread(values)}")
    aims = []
    for way, base in (
        ("learning, large, full", "learning, small"),
        ("learning, large, shards", "learning, large, full"),
        ("learning, large, full, cold", "learning, large, full"),
        ("learning, large, shards, cold", "learning, large, shards"),
    ):
        rates, times = ratios(found, way, base, RATE), ratios(found, base, way, CPU_TIME)
        say(f"  {way} / {base}: {spread(rates)}; by processor time {spread(times)}")
        ratio = statistics.median(rates)
        aims.append((f"rate, {way} to {base}", ratio, f"{RATE_AIM}", ratio >= RATE_AIM))
    return aims


def ratios(found: Rates, way: str, base: str, unit: str) -> list[float]:
    """Of neighbours."""
    pairs = zip(found[f"{way}, {unit}"], found[f"{base}, {unit}"], strict=True)
    return [value / other for value, other in pairs]


def memory_aim(step: str, few: Watched, many: Watched) -> Aim:
    """What a step needs more of memory for the large pack, whose pixels are 8 GB."""
    more_mb = many.peak_mb - few.peak_mb
    return (f"{step}, memory beyond that of the small, MB", more_mb, f"at most {MORE_AIM_MB}", more_mb <= MORE_AIM_MB)


def tell_memory(step: str, few: Watched, many: Watched, n_more: int) -> None:
    """Memory of a step on both packs."""
    difference = many.peak_mb - few.peak_mb
    say(
        f"  memory of {step}: small {few.peak_mb:,.0f} MB, large {many.peak_mb:,.0f} MB "
        f"({difference * 1e6 / n_more:,.0f} bytes a patch more); second half adds {few.added_mb():.1f} / "
        f"{many.added_mb():.1f} MB; over time: {many.over_time}"
    )


def spread(values: list[float]) -> str:
    """Median, least and most."""
    return f"{statistics.median(values):,.4g} ({min(values):,.4g} … {max(values):,.4g})"


# --- processes -------------------------------------------------------------------------------------------------------


def own(step: str, folder: Path, *numbers: int) -> list[str]:
    """The command of a step that this file does."""
    return [sys.executable, "-P", __file__, "--step", step, str(folder), *map(str, numbers)]


def terrawatt(*words: str) -> list[str]:
    """A command of terrawatt."""
    return [sys.executable, "-P", "-m", "terrawatt", *words]


def watch(command: list[str], environment: dict[str, str] | None = None) -> Watched:
    """Run a command, and look at its memory."""
    begin = time.perf_counter()
    samples = []
    with tempfile.TemporaryFile("w+") as said:
        process = psutil.Popen(command, stdout=said, env=os.environ | (environment or {}))
        while process.poll() is None:
            samples.append((time.time_ns(), own_memory_mb(process)))
            time.sleep(0.1)
        duration_s = time.perf_counter() - begin
        said.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
        return Watched(duration_s, samples, said.read())


def own_memory_mb(process: psutil.Popen) -> float:
    """Anonymous memory of a process and its children."""
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            status = Path(f"/proc/{one.pid}/status").read_text(encoding="ascii")
            total += int(status.partition("RssAnon:")[2].split()[0]) * 1024
    except (FileNotFoundError, ProcessLookupError, psutil.NoSuchProcess, IndexError):
        pass  # one ended between two looks
    return total / 1e6


def _halves(begin: int, end: int) -> Iterator[tuple[int, int]]:
    middle = (begin + end) // 2
    yield begin, middle
    yield middle, end


# --- in a process of its own -----------------------------------------------------------------------------------------


def make(folder: Path, patches: int) -> None:
    """A synthetic archive."""
    from terrawatt.data.synth import synthesise

    synthesise(folder / "archive", version="v1", patches=patches, seed=1, processes=os.cpu_count() or 1)


def pack(folder: Path) -> Rates:
    """Pack an archive several times: patches a second, processor time of each, and GB that came from the disk.

    What was just written does not all lie in memory: the first time brings it there, where it has the room.
    """
    from terrawatt.data.archive import open_archive
    from terrawatt.data.packer import pack_archive

    found: Rates = {"patches/s": [], "CPU µs": [], "GB": []}
    for _ in range(PACKINGS[folder.name]):
        shutil.rmtree(folder / "pack", ignore_errors=True)
        archive = open_archive(folder / "archive")
        begin, begin_cpu, read_before = time.perf_counter(), time.process_time(), read_bytes()
        pack_archive(archive, folder / "pack")
        found["patches/s"].append(len(archive.entries) / (time.perf_counter() - begin))
        found["CPU µs"].append((time.process_time() - begin_cpu) / len(archive.entries) * 1e6)
        found["GB"].append((read_bytes() - read_before) / 1e9)
    return found


def read_bytes() -> int:
    """What this process has read from disks."""
    counters = Path("/proc/self/io").read_text(encoding="ascii")
    return int(counters.partition("\nread_bytes:")[2].split()[0])


def prepared(place: Path) -> Any:
    """A training on a pack that is ready to begin."""
    from terrawatt.training.allocator import tune_allocator

    tune_allocator()
    from terrawatt.training.options import from_parameters
    from terrawatt.training.setup import open_pack, open_splits, prepare

    files: dict[str, str | int] = {"data": str(place / "pack"), "split": str(place / "split.parquet")}
    options = replace(from_parameters(TRAINING | files), verify=False)
    silent: Say = lambda _line: None  # noqa: E731
    return prepare(options, open_splits(options, open_pack(options, silent), silent))


def alone(folder: Path) -> None:
    """Learn from one batch, and classify it, again and again: what torch needs for the network."""
    import torch

    training = prepared(folder / "small")
    batch = next(training.splits.train.in_order())
    pixels, targets = training.model.inputs(batch.images).clone(), batch.targets
    for _ in range(10):
        training.optimizer.zero_grad()
        with training.autocast():
            logits = training.model.network(pixels).float()
        training.objective.loss(logits, targets).backward()
        training.optimizer.step()
    with torch.inference_mode(), training.autocast():
        training.model.network.eval()(pixels)


def rates(folder: Path, rounds: int) -> Rates:
    """Learning and reading, ways alternating: images a second, and seconds of the processor for 1,000 images."""
    from terrawatt.training.order import BY_BLOCKS

    of_small, of_large = (Learning(prepared(folder / name)) for name in ("small", "large"))
    large = folder / "large" / "pack"
    mixed = BY_BLOCKS.blocks * BY_BLOCKS.block_patches * len(of_large.loader.rows) / len(Pack.open(large))
    batches = int(mixed) // BATCH  # of what is mixed at a time
    found: Rates = {}

    def note(way: str, values: dict[str, float]) -> None:
        for unit, value in values.items():
            found.setdefault(f"{way}, {unit}", []).append(value)

    for learning in (of_small, of_large):
        learning.learn("full", 0)
    for number in range(1, rounds + 1):
        note("learning, small", of_small.learn("full", number))
        for shuffle in SHUFFLES:
            note("pages left when cold", {"share": forget(large)})
            note(f"learning, large, {shuffle}, cold", of_large.learn(shuffle, number))
            note(f"learning, large, {shuffle}", of_large.learn(shuffle, number))
        if number % 2:
            for shuffle in SHUFFLES:
                forget(large)
                note(f"reading alone, {shuffle}, cold", of_large.read(shuffle, number, batches))
                note(f"reading alone, {shuffle}", of_large.read(shuffle, number, batches))
    return found


class Learning:
    """A training of which beginnings of epochs are taken."""

    def __init__(self, training: Any) -> None:
        self._training = training

    @property
    def loader(self) -> Any:
        """What reads its train split."""
        return self._training.splits.train

    def learn(self, shuffle: str, epoch: int) -> dict[str, float]:
        """The cost of its first batches; those of another epoch are other images."""
        from terrawatt.training.epoch import train_epoch

        splits = replace(self._training.splits, train=FirstBatches(self._anew(shuffle), BATCHES))
        training = replace(self._training, splits=splits)
        begin, begin_cpu = time.perf_counter(), time.process_time()
        train_epoch(training, epoch)
        cpu_s, duration_s = time.process_time() - begin_cpu, time.perf_counter() - begin
        return {RATE: BATCHES * BATCH / duration_s, CPU_TIME: 1_000 * cpu_s / (BATCHES * BATCH)}

    def read(self, shuffle: str, epoch: int, batches: int) -> dict[str, float]:
        """The cost of batches that nobody looks at."""
        reader = FirstBatches(self._anew(shuffle), batches)
        begin = time.perf_counter()
        images = sum(len(batch.targets) for batch in reader.shuffled(0, epoch))
        return {RATE: images / (time.perf_counter() - begin)}

    def _anew(self, shuffle: str) -> Any:
        """The loader with a pack that is opened anew: pages that are mapped could not be dropped."""
        return replace(self.loader, pack=Pack.open(self.loader.pack.path), shuffle=shuffle)


class FirstBatches:
    """A loader of which an epoch ends early."""

    def __init__(self, loader: Any, batches: int) -> None:
        self._loader, self._batches = loader, batches

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def shuffled(self, seed: int, epoch: int) -> Iterator[Any]:
        """The first batches."""
        return islice(self._loader.shuffled(seed, epoch), self._batches)


# --- page cache ------------------------------------------------------------------------------------------------------


def forget(pack: Path) -> float:
    """Drop a pack's pages out of memory; the share that is left."""
    resident = total = 0
    for file in pack.glob("*.npy"):
        with file.open("rb") as stream:
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            with mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as mapped:
                n_pages = -(-len(mapped) // mmap.PAGESIZE)
                pages = np.zeros(n_pages, dtype=np.uint8)
                view = np.frombuffer(mapped, dtype=np.uint8)
                address, length = ctypes.c_void_p(view.ctypes.data), ctypes.c_size_t(len(mapped))
                if ctypes.CDLL(None, use_errno=True).mincore(address, length, ctypes.c_void_p(pages.ctypes.data)):
                    raise OSError(ctypes.get_errno(), "mincore")
                del view
            resident += int(np.count_nonzero(pages & 1))
            total += n_pages
    return resident / total


def bytes_of(pack: Path) -> int:
    """Size of a pack's arrays."""
    return sum(file.stat().st_size for file in pack.glob("*.npy"))


STEPS: dict[str, Callable[..., Any]] = {"make": make, "pack": pack, "alone": alone, "rates": rates}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        print(json.dumps(STEPS[sys.argv[2]](Path(sys.argv[3]), *map(int, sys.argv[4:]))))
    else:
        sys.exit(main())
