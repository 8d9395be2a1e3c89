"""Two processes on two cores against one process with two threads: images a second of S-CNN-All in training.

Each training is a `terrawatt train` of its own on the same synthetic pack, both kinds in alternating pairs, so that a
slow minute of the machine meets both. An epoch's rate is its train images over the duration of its `train` phase; the
first epoch warms up and is left out. Printed: the median of each kind, and the median and range of the pairs' ratios.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from terrawatt.data.archive import open_archive
from terrawatt.data.pack import Pack
from terrawatt.data.packer import pack_archive
from terrawatt.data.synth import synthesise
from terrawatt.records import PhaseName
from terrawatt.runs.phases import PHASES_VARIABLE, read_phases

PAIRS, PATCHES, EPOCHS, BATCH = 3, 600, 3, 100
AIM = 0.9


@dataclass(frozen=True, slots=True)
class Pair:
    """Images a second of one process and of two, one right after the other."""

    one: float
    two: float

    @property
    def ratio(self) -> float:
        """Of two processes to one."""
        return self.two / self.one


def measure(folder: Path, *, pairs: int, patches: int, epochs: int, batch: int) -> list[Pair]:
    """Pairs of rates on a new pack in the folder."""
    archive = folder / "archive"
    synthesise(archive, version="v1", patches=patches, seed=1)
    pack = pack_archive(open_archive(archive), folder / "pack").path
    found = []
    for number in range(pairs):
        order = (1, 2) if number % 2 == 0 else (2, 1)
        rates = {nproc: images_per_s(folder, pack, nproc, epochs, batch) for nproc in order}
        found.append(Pair(rates[1], rates[2]))
    return found


def images_per_s(folder: Path, pack: Path, nproc: int, epochs: int, batch: int) -> float:
    """The median rate of the epochs behind the first, of a training in so many processes with two threads in all."""
    reported = folder / "phases.jsonl"
    reported.unlink(missing_ok=True)
    options = {"model": "s-cnn-all", "epochs": epochs, "batch": batch, "threads": 2, "nproc": nproc, "device": "cpu"}
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command = (sys.executable, "-P", "-m", "terrawatt", "train", *arguments, "--data", str(pack), "--no-verify")
    with tempfile.TemporaryDirectory(dir=folder) as out:
        environment = os.environ | {PHASES_VARIABLE: str(reported)}
        subprocess.run((*command, "--out", out), check=True, env=environment, stdout=subprocess.DEVNULL)
    phases = [phase for phase in read_phases(reported) if phase.name == PhaseName.TRAIN]
    n_images = len(Pack.open(pack).rows("train"))
    return median(n_images / phase.window.duration_s for phase in phases if phase.epoch != 1)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="terrawatt-nproc-") as folder:
        pairs = measure(Path(folder), pairs=PAIRS, patches=PATCHES, epochs=EPOCHS, batch=BATCH)
    print(f"S-CNN-All, training, {PAIRS} pairs, batch {BATCH}, fp32, {os.cpu_count()} cores")
    print(f"  one process, two threads      {median(pair.one for pair in pairs):6.1f} images/s")
    print(f"  two processes, one thread each{median(pair.two for pair in pairs):6.1f} images/s")
    ratios = sorted(pair.ratio for pair in pairs)
    print(f"  ratio {median(ratios):.2f}, from {ratios[0]:.2f} to {ratios[-1]:.2f} (aim: {AIM} or more)")


if __name__ == "__main__":
    main()
