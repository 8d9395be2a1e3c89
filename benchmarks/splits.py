"""How well and how fast patches are divided: ours, iterative-stratification, and chance, on one list in one run.

The list is v2's `metadata.parquet`; without one, as many patches with labels drawn like those of a synthetic archive.
Each way divides it 0.6/0.2/0.2 by the 19 classes. iterative-stratification makes five folds, of which three are the
first part: its own sizes of parts are broken. Printed: seconds, and the greatest deviation of a class's prevalence in a
part from that in the whole, relative.

    python benchmarks/splits.py [metadata.parquet]
"""

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from terrawatt.data.labels import LABELS_19
from terrawatt.data.stratify import random_parts, stratified_parts

SHARES = (0.6, 0.2, 0.2)
PATCHES = 480_038
SECONDS_AIM, DEVIATION_AIM = 10.0, 0.01

Targets = NDArray[np.uint8]


def main() -> int:
    """Print the table; 1 where an aim is missed."""
    targets = of_table(Path(sys.argv[1])) if len(sys.argv) > 1 else drawn()
    masks = targets.astype(np.int64) @ (1 << np.arange(targets.shape[1], dtype=np.int64))
    ways: dict[str, Callable[[], NDArray[np.int64]]] = {
        "terrawatt": lambda: stratified_parts(masks, SHARES, 0).astype(np.int64),
        "iterative-stratification": lambda: peer(targets),
        "chance": lambda: random_parts(len(masks), SHARES, 0).astype(np.int64),
    }
    print(f"{len(targets):,} patches, {targets.shape[1]} classes, in parts of {', '.join(map(str, SHARES))}")
    found = {}
    for way, divide in ways.items():
        begin = time.perf_counter()
        parts = divide()
        found[way] = (time.perf_counter() - begin, deviation(targets, parts))
        print(f"  {way:<26}{found[way][0]:>8.2f} s   {found[way][1]:>9.3%} at most")
    seconds, most = found["terrawatt"]
    is_reached = seconds <= SECONDS_AIM and most <= DEVIATION_AIM
    word = "reached" if is_reached else "MISSED"
    print(f"aim: at most {SECONDS_AIM:g} s and {DEVIATION_AIM:.0%}: {seconds:.2f} s and {most:.3%}: {word}")
    return int(not is_reached)


def of_table(file: Path) -> Targets:
    """The labels of v2's table, as ones and zeros."""
    place = {name: position for position, name in enumerate(LABELS_19)}
    rows = pq.read_table(file, columns=["labels"])["labels"].to_pylist()
    targets = np.zeros((len(rows), len(LABELS_19)), dtype=np.uint8)
    for row, names in enumerate(rows):
        targets[row, [place[name] for name in names]] = 1
    return targets


def drawn() -> Targets:
    """Labels by chance: few frequent classes and many rare ones, three a patch."""
    random = np.random.default_rng(0)
    weights = 1 / np.arange(1, len(LABELS_19) + 1) ** 1.5
    targets = np.zeros((PATCHES, len(LABELS_19)), dtype=np.uint8)
    for _ in range(3):
        targets[np.arange(PATCHES), random.choice(len(LABELS_19), PATCHES, p=weights / weights.sum())] = 1
    return targets


def peer(targets: Targets) -> NDArray[np.int64]:
    """Five folds of the library: three of them, one, and one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from iterstrat.ml_stratifiers import MultilabelStratifiedKFold
    folds = MultilabelStratifiedKFold(n_splits=5, shuffle=True, random_state=0).split(targets, targets)
    parts = np.zeros(len(targets), dtype=np.int64)
    for number, (_, held_out) in enumerate(folds):
        parts[held_out] = (0, 0, 0, 1, 2)[number]
    return parts


def deviation(targets: Targets, parts: NDArray[np.int64]) -> float:
    """The greatest relative deviation of a class's prevalence in a part from that in the whole."""
    whole = targets.mean(axis=0)
    return max(
        float(np.max(np.abs(targets[parts == part].mean(axis=0) / whole - 1)[whole > 0])) for part in range(len(SHARES))
    )


if __name__ == "__main__":
    sys.exit(main())
