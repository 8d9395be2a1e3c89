"""How fast images are prepared, learnt from and classified, beside torchgeo and eager float32, in one run.

Each number comes from a process of its own, with its own allocator; ways alternate, printed are medians with the least
and the most. *Plain* is what a script does that sets nothing: eager float32, contiguous, the C library's allocator.
*Default* are terrawatt's defaults (float32, channels_last, tuned allocator), *best* is bfloat16 with them. Whole
epochs are of S-CNN-All on a synthetic archive of v1: torchgeo reads its GeoTIFFs in the loop, terrawatt a pack of it;
the first epoch warms up. *Compute only* is the network alone on a batch that lies ready.

The *best* way to classify has `--compile 1` too (learning gets slower by it on processors: 0.5 × for S-CNN, 0.95 × for
InceptionV3 at 120 pixels): its first batches, in which the program is made, are not counted.

Memory is what a training holds of its own (anonymous pages, at their peak: the allocator gives none back) beyond that
of the network alone; pages of the pack in the page cache are not the process's. *Peak* is what the machine reaches on
a wide convolution, which keeps its arithmetic units busy: bfloat16 can gain no more than its ratio, and virtual
machines of one kind differ in it. So the share of it that a network reaches is printed too, by the operations of its
convolutions and matrix products, and beside each ratio what all of the peak would give.

    python benchmarks/training.py [REPEATS]
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATCHES, REPEATS, BATCH = 1_000, 2, 100
WAYS = {
    "plain": {"precision": "fp32", "memory-format": "contiguous", "allocator": "system"},
    "default": {},
    "best": {"precision": "bf16"},
}
COMPILED = {"compile": "1"}  # what the best way to classify has besides
NETWORKS = {"S-CNN-All": "s-cnn-all", "InceptionV3, 120 px": "inception-v3-scratch"}
STEPS = {"s-cnn-all": 5, "inception-v3-scratch": 2}
MEGABYTE = 1e6

Found = dict[str, list[float]]


def main() -> int:
    """Print the table; 1 where an aim is missed."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_data(folder)
        cases = ["peak", "upsample", "torchgeo", "epoch default", "epoch best"]
        cases += [f"{task} {way} {model}" for task, way, model, _ in measured_alone()]
        found: Found = {}
        for _ in range(repeats):
            for case in cases:
                for what, value in in_a_process(case, folder).items():
                    found.setdefault(f"{case}: {what}", []).append(value)
    for what, values in found.items():
        print(f"  {what:<46}{statistics.median(values):>10,.1f}   ({min(values):,.1f} … {max(values):,.1f})")
    return judge({what: statistics.median(values) for what, values in found.items()})


def measured_alone() -> list[tuple[str, str, str, str]]:
    """Task, way, model and precision of what is measured without a loader."""
    cases = [
        (task, way, model, precision)
        for model in NETWORKS.values()
        for task in ("learn", "classify")
        for way, precision in (("plain", "float32"), ("best", "bfloat16"))
    ]
    return [*cases, ("learn", "default", "s-cnn-all", "float32")]


def judge(found: dict[str, float]) -> int:
    """Print the aims beside what was found."""
    shares = {
        (task, way, model): found[f"{task} {way} {model}: GFLOP/s"] / found[f"peak: {precision}, GFLOP/s"]
        for task, way, model, precision in measured_alone()
    }
    for (task, way, model), share in shares.items():
        print(f"  {task}, {model}, {way}: {share:.0%} of the machine's peak")
    best, default = found["epoch best: images/s"], found["epoch default: images/s"]
    alone, torchgeo = found["learn best s-cnn-all: images/s"], found["torchgeo: images/s"]
    of_best = shares["learn", "best", "s-cnn-all"] * best / alone
    of_default = shares["learn", "default", "s-cnn-all"] * default / found["learn default s-cnn-all: images/s"]
    # What, found, aim, unit, and the share of the machine's peak where that limits it.
    aims: list[tuple[str, float, float, str, float | None]] = [
        ("upsampling and standardisation, batch 100", found["upsample: images/s"], 5_000, "images/s", None),
        ("epoch, best, against torchgeo", best / torchgeo, 8.5, "×", of_best),
        ("epoch, best, against compute only", best / alone, 0.9, "×", None),
        ("epoch, default, against torchgeo", default / torchgeo, 4, "×", of_default),
    ]
    for task, of_models in {"learn": (5.5, 2.6), "classify": (7, 4)}.items():
        for (title, model), aim in zip(NETWORKS.items(), of_models, strict=True):
            ratio = found[f"{task} best {model}: images/s"] / found[f"{task} plain {model}: images/s"]
            what = f"{task}: {title}, best against eager fp32"
            aims.append((what, ratio, aim, "×", shares[task, "best", model]))
    missed = 0
    for what, value, aim, unit, share in aims:
        missed += value < aim
        verdict = "MISSED" if value < aim else "reached"
        limit = "" if share is None else f" (at the machine's peak it would be {value / share:,.3g})"
        print(f"aim: {what}: {value:,.4g} of {aim:,} {unit}: {verdict}{limit}")
    beyond = found["epoch best: memory, MB"] - found["learn best s-cnn-all: memory, MB"]
    missed += beyond > 300
    print(f"aim: memory beyond torch's own: {beyond:,.0f} of at most 300 MB: {'MISSED' if beyond > 300 else 'reached'}")
    return int(missed > 0)


def make_data(folder: Path) -> None:
    """A synthetic archive and its pack."""
    from terrawatt.data.archive import open_archive
    from terrawatt.data.packer import pack_archive
    from terrawatt.data.synth import synthesise

    synthesise(folder / "archive", version="v1", patches=PATCHES, seed=1)
    pack_archive(open_archive(folder / "archive"), folder / "pack")


def in_a_process(case: str, folder: Path) -> dict[str, float]:
    """What a fresh process measures."""
    command = (sys.executable, "-P", __file__, "--case", case, str(folder))
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(case: str, folder: Path) -> dict[str, float]:
    """One case, in this process."""
    kind, *words = case.split()
    if kind == "peak":
        return {f"{precision}, GFLOP/s": wide_convolution(precision) for precision in ("float32", "bfloat16")}
    way = WAYS.get(words[0] if words else "default", {})
    if kind != "torchgeo" and way.get("allocator", "tuned") == "tuned":
        from terrawatt.training.allocator import tune_allocator

        tune_allocator()
    if kind == "upsample":
        return {"images/s": upsampling(folder)}
    if kind == "torchgeo":
        return {"images/s": torchgeo_epoch(folder / "archive")}
    if kind == "epoch":
        return our_epoch(folder / "pack", way)
    return network_alone(folder / "pack", kind, words[1], way)


def rate(run: Callable[[], int], repeats: int) -> float:
    """Images a second of the median of some runs behind a first one; a run gives its number of images."""
    rates = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        images = run()
        rates.append(images / (time.perf_counter() - begin))
    return statistics.median(rates[1:])


def prepared(pack: Path, parameters: dict[str, Any]) -> Any:
    """A training that is ready to begin."""
    from terrawatt.training.options import from_parameters
    from terrawatt.training.setup import open_pack, open_splits, prepare

    given = {"model": "s-cnn-all", "optim": "SGD", "batch": BATCH, "device": "cpu", "data": str(pack), "verify": 0}
    options = from_parameters(given | parameters)
    return prepare(options, open_splits(options, open_pack(options, lambda _line: None), lambda _line: None))


def wide_convolution(precision: str) -> float:
    """GFLOP/s of a convolution of 256 channels: the limit of all that follows differs from host to host."""
    import torch

    dtype, n, channels, pixels, kernel = getattr(torch, precision), 8, 256, 32, 5
    layer = torch.nn.Conv2d(channels, channels, kernel, padding="same")
    layer.to(dtype=dtype, memory_format=torch.channels_last)
    images = torch.randn(n, channels, pixels, pixels, dtype=dtype).contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def run() -> int:
        layer(images)
        return 2 * n * pixels**2 * channels**2 * kernel**2

    return rate(run, 9) / 1e9


def upsampling(folder: Path) -> float:
    """All bands of a batch, standardised and upsampled into memory that is kept, in float32."""
    training = prepared(folder / "pack", {"memory-format": "contiguous"})
    batch = next(training.splits.train.in_order())

    def run() -> int:
        for _ in range(10):
            training.model.inputs(batch.images)
        return 10 * BATCH

    return rate(run, 5)


def our_epoch(pack: Path, way: dict[str, str]) -> dict[str, float]:
    """An epoch of learning from the pack, as `terrawatt train` does it."""
    from terrawatt.training.epoch import train_epoch

    training = prepared(pack, way)
    numbers = iter(range(1, 10))

    def run() -> int:
        train_epoch(training, next(numbers))
        return len(training.splits.train.rows)

    return {"images/s": rate(run, 2), "memory, MB": own_memory_mb()}


def torchgeo_epoch(archive: Path) -> float:
    """An epoch of the same network as torchgeo's documentation has it: its data set, no workers, eager float32."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader
    from torchgeo.datasets import BigEarthNet

    from terrawatt.models.s_cnn import s_cnn

    loader = DataLoader(BigEarthNet(str(archive), split="train", bands="s2", num_classes=19), BATCH, shuffle=True)
    network, loss = s_cnn(12, 19, 128), nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)

    def run() -> int:
        images = 0
        for sample in loader:
            optimizer.zero_grad()
            pixels = (sample["image"].float() - 1_000) / 1_000
            loss(network(pixels), sample["label"].float()).backward()
            optimizer.step()
            images += len(pixels)
        return images

    return rate(run, 1)


def network_alone(pack: Path, task: str, model: str, way: dict[str, str]) -> dict[str, float]:
    """A network that learns from one batch again and again, or classifies it."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    if task == "classify" and way == WAYS["best"]:
        way = way | COMPILED
    training = prepared(pack, way | {"model": model})
    batch = next(training.splits.train.in_order())
    pixels, targets = training.model.inputs(batch.images).clone(), batch.targets
    network = training.model.network.train(task == "learn")

    def learn() -> int:
        for _ in range(STEPS[model]):
            training.optimizer.zero_grad()
            with training.autocast():
                logits = network(pixels).float()
            training.objective.loss(logits, targets).backward()
            training.optimizer.step()
        return STEPS[model] * BATCH

    @torch.no_grad()
    def classify() -> int:
        with training.autocast():  # around all batches, as in `predict`: the weights are rounded once
            for _ in range(2 * STEPS[model]):
                network(pixels)
        return 2 * STEPS[model] * BATCH

    run = learn if task == "learn" else classify
    found = {"images/s": rate(run, 3), "memory, MB": own_memory_mb()}
    with torch.compiler.set_stance("force_eager"), FlopCounterMode(display=False) as counter:
        images = run()  # the operations of a compiled network are not seen
    return found | {"GFLOP/s": counter.get_total_flops() / images * found["images/s"] / 1e9}


def own_memory_mb() -> float:
    """Anonymous memory of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("RssAnon:"))
    return int(kilobytes) * 1024 / MEGABYTE


if __name__ == "__main__":
    if sys.argv[1:2] == ["--case"]:
        print(json.dumps(measure(sys.argv[2], Path(sys.argv[3]))))
    else:
        sys.exit(main())
