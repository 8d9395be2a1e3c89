"""How many images a second each network of the plan learns from and classifies; `extrapolate.py` reads the table.

Each rate is that of `terrawatt train`'s own loop on a small synthetic pack, reading included, batch 100, in a process
of its own behind an epoch that warms up. Ways alternate, and each process gives two values of learning and three of
classifying. InceptionV3 stands for training from scratch and for fine-tuning, which cost the same; the transfer learns
the last layer alone (its weights are random, in the published form: the values cost nothing). The share of the
processors that the process had tells whether the machine was idle otherwise.

    python benchmarks/model_rates.py [REPEATS] [FILE.csv]
"""

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

PATCHES, REPEATS, BATCH = 500, 2, 100
NETWORKS = {
    "S-CNN-All": "s-cnn-all",
    "S-CNN-RGB": "s-cnn-rgb",
    "InceptionV3": "inception-v3-scratch",
    "InceptionV3 transfer": "inception-v3-transfer",
}
PRECISIONS = ("fp32", "bf16")
COLUMNS = ("network", "precision", "task", "least", "median", "most", "processors")


def main() -> None:
    """Measure, print, and write the table."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_suffix(".csv")
    found: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_data(folder)
        for _ in range(repeats):
            for network in NETWORKS:
                for precision in PRECISIONS:
                    for task, rates in in_a_process(network, precision, folder).items():
                        found.setdefault((network, precision, task), []).extend(rates)
    rows = [(*way, *(f"{value:.4g}" for value in summed_up(values))) for way, values in found.items()]
    print(f"images/s, {repeats} processes a way, {os.cpu_count()} cores")
    for network, precision, task, least, median, most, share in rows:
        print(f"  {network:<22}{precision:<6}{task:<12}{median:>8}   ({least} … {most}), {share} of the processors")
    with target.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerows([COLUMNS, *rows])


def summed_up(values: list[tuple[float, float]]) -> tuple[float, ...]:
    """Least, median and most of the rates; the median of the shares."""
    rates, shares = zip(*values, strict=True)
    return min(rates), statistics.median(rates), max(rates), statistics.median(shares)


def make_data(folder: Path) -> None:
    """A pack, its split, and weights that nobody has learnt."""
    import torch
    from torchvision.models.inception import Inception3

    from terrawatt.data.archive import open_archive
    from terrawatt.data.inventory import open_inventory
    from terrawatt.data.packer import pack_archive
    from terrawatt.data.splitfile import write_split
    from terrawatt.data.splitting import Method, make_split
    from terrawatt.data.synth import synthesise
    from terrawatt.runs.atomic import sha256

    synthesise(folder / "archive", version="v1", patches=PATCHES, seed=1)
    pack = pack_archive(open_archive(folder / "archive"), folder / "pack").path
    write_split(make_split(open_inventory(pack), Method()).split, folder / "split.parquet")
    plain = folder / "plain.pth"
    torch.save(Inception3(1000, aux_logits=True, init_weights=False).state_dict(), plain)
    plain.rename(folder / f"inception_v3_random-{sha256(plain)[:8]}.pth")  # as torchvision names its files


def in_a_process(network: str, precision: str, folder: Path) -> dict[str, list[tuple[float, float]]]:
    """What a fresh process measures."""
    command = (sys.executable, "-P", __file__, "--case", NETWORKS[network], precision, str(folder))
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, list[tuple[float, float]]] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(model: str, precision: str, folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Learning and classifying, in this process."""
    from terrawatt.training.allocator import tune_allocator

    tune_allocator()
    from terrawatt.training.epoch import predict, train_epoch
    from terrawatt.training.options import from_parameters
    from terrawatt.training.setup import open_pack, open_splits, prepare

    given: dict[str, str | int] = {
        "model": model,
        "optim": "SGD",
        "batch": BATCH,
        "precision": precision,
        "device": "cpu",
        "data": str(folder / "pack"),
        "split": str(folder / "split.parquet"),
    }
    if model == "inception-v3-transfer":
        given["weights"] = str(next(folder.glob("inception_v3_random-*.pth")))
    options = replace(from_parameters(given), verify=False)
    training = prepare(options, open_splits(options, open_pack(options, _silent), _silent))
    splits = training.splits
    train_epoch(training, 1)
    learning = [timed(len(splits.train.rows), train_epoch, training, epoch) for epoch in (2, 3)]
    predict(training, splits.test)
    classifying = [timed(len(splits.test.rows), predict, training, splits.test) for _ in range(3)]
    return {"learning": learning, "classifying": classifying}


def timed(images: int, function: Any, *arguments: Any) -> tuple[float, float]:
    """Images a second of a call, and the share of the processors that it had."""
    begin, begin_cpu = time.perf_counter(), time.process_time()
    function(*arguments)
    cpu_s, duration_s = time.process_time() - begin_cpu, time.perf_counter() - begin
    return images / duration_s, cpu_s / duration_s / (os.cpu_count() or 1)


def _silent(_line: str) -> None:
    """Says nothing."""


if __name__ == "__main__":
    if sys.argv[1:2] == ["--case"]:
        print(json.dumps(measure(sys.argv[2], sys.argv[3], Path(sys.argv[4]))))
    else:
        main()
