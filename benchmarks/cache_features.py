"""Ten epochs of transfer learning from features that are kept against ten from images, by default settings.

Each training is a `terrawatt train` of its own on the same synthetic pack, of inception-v3-transfer with random weights
in the form of ImageNet's; both kinds alternate. Time is that of the epochs, learning and validation, without setup and
test, which have nothing to keep: the first epoch computes the features, so that the ratio can reach 10 less what the
head and the reading cost. The whole process is shown beside it. The losses of all epochs are compared.

    python benchmarks/cache_features.py [PATCHES [PAIRS]]
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
from torch import nn
from torchvision.models.inception import Inception3

from terrawatt.data.archive import open_archive
from terrawatt.data.packer import pack_archive
from terrawatt.data.synth import synthesise
from terrawatt.records import PhaseName
from terrawatt.runs.phases import PHASES_VARIABLE, read_phases

PATCHES, PAIRS, EPOCHS = 600, 2, 10
AIM = 7.0
LARGEST_DIFFERENCE = 1e-3  # of a loss, relative: sums in another order over ten epochs


@dataclass(frozen=True, slots=True)
class Found:
    """What one training took, and its losses by epoch, of learning and of validation."""

    epochs_s: float
    process_s: float
    losses: tuple[float, ...]


def main() -> int:
    """Measure and print; 1 where an aim is missed."""
    given = [int(word) for word in sys.argv[1:]]
    patches, pairs = [*given, *(PATCHES, PAIRS)[len(given) :]]
    with tempfile.TemporaryDirectory(prefix="terrawatt-features-") as folder:
        plain, kept = measure(Path(folder), patches=patches, pairs=pairs)
    print(f"inception-v3-transfer, {EPOCHS} epochs, {patches} patches, batch 100, fp32, {os.cpu_count()} cores")
    for what, found in (("without", plain), ("--cache-features", kept)):
        epochs_s, process_s = (median(getattr(one, name) for one in found) for name in ("epochs_s", "process_s"))
        print(f"  {what:<18}{epochs_s:8.2f} s of epochs {process_s:8.2f} s of the process")
    ratios = sorted(one.epochs_s / other.epochs_s for one, other in zip(plain, kept, strict=True))
    whole = median(one.process_s / other.process_s for one, other in zip(plain, kept, strict=True))
    ratio, difference = median(ratios), largest_difference(plain[0], kept[0])
    print(f"  ratio of the epochs {ratio:.2f} ({ratios[0]:.2f} … {ratios[-1]:.2f}), of the process {whole:.2f}")
    print(f"aim: ratio of the epochs {ratio:.2f} of {AIM:g}: {'reached' if ratio >= AIM else 'MISSED'}")
    is_equal = difference <= LARGEST_DIFFERENCE
    print(f"aim: losses differ by at most {difference:.1e} of themselves: {'reached' if is_equal else 'MISSED'}")
    return int(ratio < AIM or not is_equal)


def measure(
    folder: Path, *, patches: int, pairs: int, epochs: int = EPOCHS, batch: int = 100
) -> tuple[list[Found], list[Found]]:
    """Trainings without and with features that are kept, in pairs, on a new pack in the folder."""
    synthesise(folder / "archive", version="v1", patches=patches, seed=1)
    pack_archive(open_archive(folder / "archive"), folder / "pack")
    weights = make_weights(folder)
    found: dict[str, list[Found]] = {"none": [], "memory": []}
    for number in range(pairs):
        for where in sorted(found, reverse=number % 2 == 0):
            found[where].append(train(folder, weights, where, epochs, batch))
    return found["none"], found["memory"]


def train(folder: Path, weights: Path, where: str, epochs: int, batch: int) -> Found:
    """One training, in a process of its own."""
    reported = folder / "phases.jsonl"
    reported.unlink(missing_ok=True)
    options = {"model": "inception-v3-transfer", "epochs": epochs, "batch": batch, "weights": weights}
    options |= {"cache-features": where, "device": "cpu", "data": folder / "pack"}
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command = (sys.executable, "-P", "-m", "terrawatt", "train", *arguments, "--no-verify")
    with tempfile.TemporaryDirectory(dir=folder) as out:
        environment, begin_s = os.environ | {PHASES_VARIABLE: str(reported)}, time.perf_counter()
        subprocess.run((*command, "--out", out), check=True, env=environment, stdout=subprocess.DEVNULL)
        process_s = time.perf_counter() - begin_s
        history = json.loads((Path(out) / "training.json").read_bytes())["history"]
    of_epochs = [one for one in read_phases(reported) if one.name in (PhaseName.TRAIN, PhaseName.VALIDATE)]
    losses = tuple(epoch[name] for epoch in history for name in ("train_loss", "validation_loss"))
    return Found(sum(phase.window.duration_s for phase in of_epochs), process_s, losses)


def largest_difference(plain: Found, kept: Found) -> float:
    """Of the losses of two trainings, relative."""
    return max(abs(a - b) / a for a, b in zip(plain.losses, kept.losses, strict=True))


def make_weights(folder: Path) -> Path:
    """Random weights of InceptionV3 that keep the scale of what they are given, in the form of ImageNet's."""
    torch.manual_seed(3)
    network = Inception3(1000, aux_logits=True, init_weights=False)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    torch.save(network.state_dict(), folder / "weights.pth")
    digest = hashlib.sha256((folder / "weights.pth").read_bytes()).hexdigest()
    return (folder / "weights.pth").rename(folder / f"inception_v3_made_here-{digest[:8]}.pth")


if __name__ == "__main__":
    sys.exit(main())
