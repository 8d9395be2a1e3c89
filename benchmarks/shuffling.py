"""What `--shuffle shards` does to what is learnt: F1 beside that of full shuffling, over several seeds.

S-CNN-RGB learns from a synthetic archive, each seed both ways, from the same weights. Neighbours share labels there
too. Blocks are of 16 patches, and 20 of them are mixed, which hold about eight batches of the train split; in a real
pack they are of 64, and 256 of them hold about 75 batches: here they are mixed less.

Printed are micro and macro F1 of the test split, and the mean of the differences (shards - full) with its interval of
95 % (Student's t over the seeds). The aim: it holds 0. By chance alone, one of twenty such intervals does not.

    python benchmarks/shuffling.py [SEEDS]
"""

import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from scipy.stats import t as student

from terrawatt.data.archive import open_archive
from terrawatt.data.packer import pack_archive
from terrawatt.data.synth import synthesise
from terrawatt.runs.reporting import PhaseReporter
from terrawatt.training.allocator import tune_allocator
from terrawatt.training.f1 import f1_scores
from terrawatt.training.loop import fit
from terrawatt.training.options import from_parameters
from terrawatt.training.order import Mixing
from terrawatt.training.setup import open_pack, open_splits, prepare

SEEDS, PATCHES = 10, 800
MIXING = Mixing(block_patches=16, blocks=20)
SETTINGS = {
    "model": "s-cnn-rgb",
    "hidden": 32,
    "optim": "Adam",
    "lr": 0.0005,
    "batch": 20,
    "epochs": 6,
    "precision": "bf16",
    "device": "cpu",
    "verify": 0,
}
WAYS = ("full", "shards")
SCORES = ("micro F1", "macro F1")

Scores = tuple[float, float]


def main() -> int:
    """Print the table; 1 where the interval of a difference lies beside 0."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    tune_allocator()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthesise(folder / "archive", version="v1", patches=PATCHES, seed=1)
        pack_archive(open_archive(folder / "archive"), folder / "pack")
        pairs = [tuple(learnt(folder / "pack", seed, way) for way in WAYS) for seed in range(seeds)]
    missed = 0
    for number, score in enumerate(SCORES):
        full, shards = zip(*([scores[number] for scores in pair] for pair in pairs), strict=True)
        for way, values in zip(WAYS, (full, shards), strict=True):
            mean, spread = statistics.fmean(values), statistics.stdev(values)
            print(f"  {score}, {way:<8}{mean:.4f}, standard deviation {spread:.4f} over {seeds} seeds")
        mean, half = interval([one - other for one, other in zip(shards, full, strict=True)])
        missed += abs(mean) > half
        print(f"aim: {score}: shards - full {mean:+.4f} ± {half:.4f}: {'MISSED' if abs(mean) > half else 'reached'}")
    return int(missed > 0)


def learnt(pack: Path, seed: int, way: str) -> Scores:
    """Micro and macro F1 of the test split after a training."""
    options = from_parameters(SETTINGS | {"data": str(pack), "seed": seed, "shuffle": way})
    splits = open_splits(options, open_pack(options, silent), silent)
    splits = replace(splits, train=replace(splits.train, mixing=MIXING))
    found = f1_scores(fit(prepare(options, splits), PhaseReporter(), silent).probabilities, splits.test.targets)
    if found is None:
        raise RuntimeError("the test split has no labels")
    return found


def interval(differences: list[float]) -> tuple[float, float]:
    """Their mean, and half of its interval of 95 %."""
    n = len(differences)
    return (
        statistics.fmean(differences),
        float(student.ppf(0.975, n - 1)) * statistics.stdev(differences) / n**0.5,
    )


def silent(_line: str) -> None:
    """Say nothing."""


if __name__ == "__main__":
    sys.exit(main())
