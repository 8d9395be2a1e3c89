"""Planted effects: does `terrawatt.analysis.effects` find what is there, and claim nothing that is not?

A synthetic sweep of 3 models × 3 learning rates × 2 batch sizes in 10 blocks, 180 repetitions. Planted in the energy:

- *models*: 1 : 1.10 : 1.25;
- *learning rate × model*: the highest rate costs the third model 8 % more than the lowest, evenly in between;
- *drift*: 6 % from the first to the last block;
- *outliers*: two repetitions, 30 % too much and 20 % too little;
- *batch size*: nothing, nor any other interaction;
- scatter of 1.5 %, blocks that differ by 0.6 %.

A second sweep of the same form has nothing planted but scatter and blocks: whatever is claimed there is wrong. A third
has one session for each setting, of which each has an idle level of its own (1 %) that its repetitions share: what is
claimed there by repetitions that are not independent is wrong.

Prints how often each fact was found, each interval held the truth, and something was claimed that is not there.

    python benchmarks/planted.py [SEEDS]
"""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from terrawatt.analysis.detection import LEVEL
from terrawatt.analysis.effects import Effects, effects
from terrawatt.analysis.table import Table, all_columns

SEEDS = 20
MODELS = {"small": 1.0, "middle": 1.10, "large": 1.25}
RATES = (0.0001, 0.001, 0.01)
BATCHES = (32, 64)
BLOCKS = 10
SCATTER, BETWEEN_BLOCKS, DRIFT = 0.015, 0.006, 1.06
RATE_OF_LARGE = 1.08  # the highest learning rate by the lowest
OUTLIERS = (1.30, 0.80)
ENERGY_J = 5000.0
IDLE_LEVELS = 0.01
ABSENT = (("Batch size",), ("Batch size", "Model"), ("Batch size", "Learning rate"))

# The marginal means of the models: those of the large one are over its learning rates.
TRUE_RATIOS = {
    ("small", "middle"): MODELS["small"] / MODELS["middle"],
    ("middle", "large"): MODELS["middle"] / (MODELS["large"] * RATE_OF_LARGE**0.5),
    ("small", "large"): MODELS["small"] / (MODELS["large"] * RATE_OF_LARGE**0.5),
}


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """A table, and the rows of it that are outliers."""

    table: Table
    outliers: frozenset[int]


def planted(seed: int) -> Sweep:
    """The sweep with all of it."""
    random = np.random.default_rng((seed, 1))
    frame = _settings(random)
    log = np.log(frame["Model"].map(MODELS).to_numpy(dtype=np.float64))
    rate = (
        frame["Learning rate"].map({lr: i / (len(RATES) - 1) for i, lr in enumerate(RATES)}).to_numpy(dtype=np.float64)
    )
    log += np.where(frame["Model"] == "large", rate * np.log(RATE_OF_LARGE), 0.0)
    log += np.log(DRIFT) * (frame["Block"].to_numpy() - 1) / (BLOCKS - 1)
    rows = random.choice(len(frame), len(OUTLIERS), replace=False)
    log[rows] += np.log(OUTLIERS)
    return Sweep(_table(frame, log, random, BETWEEN_BLOCKS), frozenset(map(int, rows)))


def nothing(seed: int) -> Table:
    """The sweep without any effect."""
    random = np.random.default_rng((seed, 2))
    frame = _settings(random)
    return _table(frame, np.zeros(len(frame)), random, BETWEEN_BLOCKS)


def sessions(seed: int) -> Table:
    """No effect either, but one session a setting, of which each has an error of its own."""
    random = np.random.default_rng((seed, 3))
    frame = _settings(random).sort_values(["Group", "Block"], ignore_index=True).assign(Block=1)
    levels = random.normal(0, IDLE_LEVELS, frame["Group"].max() + 1)
    return _table(frame, levels[frame["Group"].to_numpy()], random, 0.0)


def _settings(random: np.random.Generator) -> pd.DataFrame:
    """Every setting once in each block, in a random order."""
    settings = [(model, lr, batch) for model in MODELS for lr in RATES for batch in BATCHES]
    rows = [
        {"Run": 1, "Group": group + 1, "Block": block, "Repetition": block, "Model": settings[group][0],
         "Learning rate": settings[group][1], "Batch size": settings[group][2]}
        for block in range(1, BLOCKS + 1)
        for group in random.permutation(len(settings))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _table(frame: pd.DataFrame, log: np.ndarray, random: np.random.Generator, between: float) -> Table:
    log = log + random.normal(0, SCATTER, len(frame)) + random.normal(0, between, BLOCKS + 1)[frame["Block"].to_numpy()]
    energy_j = ENERGY_J * np.exp(log)
    columns = all_columns(["model", "lr", "batch"], ["plug"])
    return Table(frame.assign(**{"Energy (plug)": energy_j, "Duration": energy_j / 60}), columns)


def findings(sweep: Sweep, found: Effects) -> dict[str, bool]:
    """Which of the planted facts were found."""
    shown = {
        "models differ": ("Model",),
        "learning rate × model": ("Learning rate", "Model"),
        "drift": (),
    }
    tests = {name: found.term(*factors) for name, factors in shown.items()}
    return {
        **{name: test is not None and test.is_shown for name, test in tests.items()},
        "each model from each other, rightly": all(
            pair.p_adjusted < LEVEL and (pair.ratio.value < 1) is (MODELS[pair.first] < MODELS[pair.second])
            for pair in found.pairs_of("Model")
        ),
        "both outliers": sweep.outliers <= {outlier.row for outlier in found.outliers},
    }


def held(found: Effects) -> dict[str, bool]:
    """Which intervals hold the truth."""
    true = {**TRUE_RATIOS, **{(b, a): 1 / ratio for (a, b), ratio in TRUE_RATIOS.items()}}
    return {
        " : ".join(sorted((pair.first, pair.second))): pair.ratio.low
        <= true[pair.first, pair.second]
        <= pair.ratio.high
        for pair in found.pairs_of("Model")
    }


def claims(found: Effects, absent: Iterable[tuple[str, ...]] | None = None) -> set[str]:
    """What is claimed of effects that are absent; None: of all."""
    tests = found.terms if absent is None else [test for factors in absent if (test := found.term(*factors))]
    return {test.name for test in tests if test.is_shown}


def main(seeds: int) -> None:
    """Print the tables."""
    hits, intervals, false = Counter[str](), Counter[str](), Counter[str]()
    for seed in range(seeds):
        sweep = planted(seed)
        found = effects(sweep.table)
        hits.update(name for name, is_found in findings(sweep, found).items() if is_found)
        intervals.update(name for name, is_held in held(found).items() if is_held)
        false["the planted sweep: batch size, alone or with another"] += bool(claims(found, ABSENT))
        false["the planted sweep: a repetition that is no outlier"] += any(
            outlier.row not in sweep.outliers for outlier in found.outliers
        )
        without = effects(nothing(seed))
        false["nothing planted: any term"] += bool(claims(without))
        false["nothing planted: an outlier"] += bool(without.outliers)
        false["sessions that differ: any term"] += bool(claims(effects(sessions(seed))))
    print(f"{seeds} sweeps of 180 repetitions each\n\nplanted fact, found in % of them")
    for name in findings(sweep, found):
        print(f"  {name:<55} {100 * hits[name] / seeds:5.1f}")
    print("95 % interval of a ratio, holds the truth in %")
    for name in held(found):
        print(f"  {name:<55} {100 * intervals[name] / seeds:5.1f}")
    print(f"claimed though absent, in % (nominal {100 * LEVEL:.0f} for each line)")
    for name, count in false.items():
        print(f"  {name:<55} {100 * count / seeds:5.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
