"""How fast images are prepared, learnt from and classified, beside torchgeo and eager float32, in one run.

Each number comes from a process of its own, with its own allocator; ways alternate, printed are medians with the least
and the most. *Plain* is what a script does that sets nothing: eager float32, contiguous, the C library's allocator.
*Default* are terrawatt's defaults (float32, channels_last, tuned allocator), *best* is bfloat16 with them. Whole
epochs are of S-CNN-All on a synthetic archive of v1: torchgeo reads its GeoTIFFs in the loop, terrawatt a pack of it;
the first epoch warms up. *Compute only* is the network alone on a batch that lies ready.

Memory is what a training holds of its own (anonymous pages, at their peak: the allocator gives none back) beyond that
of the network alone; pages of the pack in the page cache are not the process's. *Peak* is what the machine reaches on
matrix products of 2,048 rows: bfloat16 can gain no more than its ratio, and virtual machines of one kind differ in it.
So the share of it that a network reaches is printed too, by the operations of its convolutions and matrix products.

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
        cases = ["peak", "upsample", "torchgeo", "epoch default", "epoch best", *compute_cases()]
        found: Found = {}
        for _ in range(repeats):
            for case in cases:
                for what, value in in_a_process(case, folder).items():
                    found.setdefault(f"{case}: {what}", []).append(value)
    for what, values in found.items():
        print(f"  {what:<46}{statistics.median(values):>10,.1f}   ({min(values):,.1f} … {max(values):,.1f})")
    return judge({what: statistics.median(values) for what, values in found.items()})


def compute_cases() -> list[str]:
    """The network alone, learning and classifying, each way."""
    return [
        f"{task} {way} {model}"
        for model in NETWORKS.values()
        for task in ("learn", "classify")
        for way in WAYS
        if way != "default"
    ]


def judge(found: dict[str, float]) -> int:
    """Print the aims beside what was found."""
    best, default = found["epoch best: images/s"], found["epoch default: images/s"]
    alone, torchgeo = found["learn best s-cnn-all: images/s"], found["torchgeo: images/s"]
    aims = [
        ("upsampling and standardisation, batch 100", found["upsample: images/s"], 5_000, "images/s"),
        ("epoch, best, against torchgeo", best / torchgeo, 8.5, "×"),
        ("epoch, best, against compute only", best / alone, 0.9, "×"),
        ("epoch, default, against torchgeo", default / torchgeo, 4, "×"),
    ]
    for task, of_models in {"learn": (5.5, 2.6), "classify": (7, 4)}.items():
        for (title, model), aim in zip(NETWORKS.items(), of_models, strict=True):
            ratio = found[f"{task} best {model}: images/s"] / found[f"{task} plain {model}: images/s"]
            aims.append((f"{task}: {title}, best against eager fp32", ratio, aim, "×"))
    for task in ("learn", "classify"):
        for title, model in NETWORKS.items():
            for way, precision in (("plain", "float32"), ("best", "bfloat16")):
                share = found[f"{task} {way} {model}: GFLOP/s"] / found[f"peak: {precision}, GFLOP/s"]
                print(f"  {task}: {title}, {way}: {share:.0%} of what the machine reaches in {precision}")
    missed = 0
    for what, value, aim, unit in aims:
        missed += value < aim
        print(f"aim: {what}: {value:,.4g} of {aim:,} {unit}: {'MISSED' if value < aim else 'reached'}")
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
        return {f"{precision}, GFLOP/s": matrix_products(precision) for precision in ("float32", "bfloat16")}
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


def matrix_products(precision: str) -> float:
    """What the machine reaches on large square matrices: the limit of all that follows differs from host to host."""
    import torch

    left, right = (torch.randn(2048, 2048).to(getattr(torch, precision)) for _ in range(2))

    def run() -> int:
        torch.matmul(left, right)
        return 2 * 2048**3

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
    with FlopCounterMode(display=False) as counter:
        images = run()
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
