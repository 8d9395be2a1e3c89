"""False positives of comparing two equal scenarios, and the coverage of the interval at which `--until-ci` stops.

Simulated repetitions of two scenarios with the same energy, compared by `terrawatt.analysis.comparison` at a level of
5 %: whatever is shown is wrong. A repetition is 1 + its own scatter + what it shares with others:

- *scatter*: 3 % (normal), on logarithms, or with the skew of a gamma distribution;
- *idle level of its own*: each scenario has an error that all its repetitions share, of known standard uncertainty;
- *meter*: one error, of up to 5 %, that both scenarios share;
- *blocks*: what the machine does from block to block (6 %), to both scenarios alike.

Prints two tables; each cell has its own seed.

    python benchmarks/comparison.py [TRIALS]
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrawatt.analysis.comparison import p_value, paired, welch
from terrawatt.analysis.detection import LEVEL
from terrawatt.analysis.repetitions import mean_estimate
from terrawatt.analysis.stopping import QUANTILE, half_widths_so_far, may_stop

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]

TRIALS = 20_000
SEED = 2026
REPETITIONS = (5, 10, 30)
SCATTER = 0.03

# Measured before in their own code, and not again here.
OTHERS = """\
others at 5 %: Green Metrics Tool's t-test of repeated runs 25 (5 runs) to 71 (30);
  pyperf 4.8 where values are independent, 27 where they cluster by process"""


@dataclass(frozen=True)
class World:
    """How energies come about: relative standard deviations.

    Attributes:
        name: of the row.
        draw: (trials, n) own errors of the repetitions, with a standard deviation of 1.
        other_scatter: of the second scenario; the first has `SCATTER`.
        own_idle: of each scenario's idle level.
        meter: of the meter that both share.
        block: of the blocks; then the comparison is paired.
    """

    name: str
    draw: Draw
    other_scatter: float = SCATTER
    own_idle: float = 0.0
    meter: float = 0.0
    block: float = 0.0


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Symmetric scatter."""
    return rng.normal(size=shape)


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A long tail upwards: gamma with a skewness of 1, as when something else runs now and then."""
    return (rng.gamma(4.0, size=shape) - 4.0) / 2.0


WORLDS = (
    World("scatter", normal),
    World("scatter, skewed", skewed),
    World("scatter, 3 % and 12 %", normal, other_scatter=0.12),
    World("+ own idle level, 0.5 %", normal, own_idle=0.005),
    World("+ own idle level, 2 %", normal, own_idle=0.02),
    World("+ one meter, 5 %", normal, meter=0.05),
    World("+ blocks, 6 %, paired", normal, block=0.06),
    World("+ blocks, idle, meter, skewed", skewed, own_idle=0.01, meter=0.05, block=0.06),
)


def energies(world: World, repetitions: int, trials: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """(trials, repetitions) each: two scenarios with an energy of 1, compared on the same meter, in the same blocks."""
    shape = (trials, repetitions)
    shared = 1 + world.block * normal(rng, shape) + world.meter * normal(rng, (trials, 1))
    own = [
        scatter * world.draw(rng, shape) + world.own_idle * normal(rng, (trials, 1))
        for scatter in (SCATTER, world.other_scatter)
    ]
    return shared * (1 + own[0]), shared * (1 + own[1])


def _generator(world: World, repetitions: int) -> np.random.Generator:
    return np.random.default_rng([SEED, repetitions, WORLDS.index(world)])


def false_positives(world: World, repetitions: int, trials: int = TRIALS) -> float:
    """The share of comparisons that show a difference where there is none."""
    first, second = energies(world, repetitions, trials, _generator(world, repetitions))
    judge = paired if world.block else welch
    difference = judge(np.log(first), np.log(second), math.sqrt(2) * world.own_idle)
    return float((p_value(difference) < LEVEL).mean())


def ignoring_blocks(world: World, repetitions: int, trials: int = TRIALS) -> float:
    """The same without pairing."""
    first, second = energies(world, repetitions, trials, _generator(world, repetitions))
    return float((p_value(welch(np.log(first), np.log(second))) < LEVEL).mean())


@dataclass(frozen=True)
class Stopped:
    """Runs that ended by themselves: share of intervals that hold the truth, and how many repetitions they made.

    Attributes:
        coverage: of the interval with which the run ends.
        plain: of Student's 95 % interval of the same repetitions.
        mean_repetitions: of a run.
    """

    coverage: float
    plain: float
    mean_repetitions: float


def until_narrow(needed: float, least: int, draw: Draw = normal, trials: int = TRIALS, most: int = 100) -> Stopped:
    """Repetitions until the interval is narrow.

    Args:
        needed: the repetitions that would make it so, were the scatter known.
        least: that are made in any case.
        draw: own errors of the repetitions.
        trials: runs.
        most: repetitions.
    """
    rng = np.random.default_rng([SEED, least, round(10 * needed)])
    values = 1 + SCATTER * draw(rng, (trials, most))
    target = 1.959964 * SCATTER / math.sqrt(needed)
    stops = may_stop(half_widths_so_far(values), target, least)
    made = np.where(stops.any(axis=1), stops.argmax(axis=1) + 1, most)
    held = np.zeros((2, trials), dtype=bool)
    for n in np.unique(made):
        mean = mean_estimate(values[made == n, :n])
        error = np.abs(mean.value - 1)
        held[:, made == n] = error <= mean.half_width(QUANTILE), error <= mean.half_width()
    return Stopped(float(held[0].mean()), float(held[1].mean()), float(made.mean()))


def print_false_positives(trials: int) -> None:
    """The first table."""
    print(f"False positives of the comparison of two equal scenarios, % at a level of {LEVEL:.0%} ({trials} trials)")
    print(f"{'energies differ by':34}" + "".join(f"{n:>6}" for n in REPETITIONS) + "   repetitions")
    for world in WORLDS:
        cells = "".join(f"{100 * false_positives(world, n, trials):6.1f}" for n in REPETITIONS)
        print(f"{world.name:34}{cells}")
    blocks = next(world for world in WORLDS if world.block)
    cells = "".join(f"{100 * ignoring_blocks(blocks, n, trials):6.1f}" for n in REPETITIONS)
    print(f"{'  the same, blocks ignored':34}{cells}   (never wrong, but it hardly finds anything)")
    print(OTHERS)


def print_until_narrow(trials: int, least_of: Sequence[int] = (5, 8, 10)) -> None:
    """The second table."""
    needed_of = (3, 6, 10, 15, 20, 30, 50)
    print(f"\n--until-ci: % of its intervals that hold the truth (mean repetitions; plain t), {trials} runs")
    print(f"{'':28}" + "".join(f"{n:>15}" for n in needed_of) + "   repetitions needed")
    for draw, name in ((normal, "normal"), (skewed, "skewed")):
        for least in least_of:
            found = [until_narrow(needed, least, draw, trials) for needed in needed_of]
            cells = "".join(f"{100 * x.coverage:6.1f} ({x.mean_repetitions:2.0f};{100 * x.plain:3.0f})" for x in found)
            print(f"{name}, at least {least:2} repetitions {cells}")


def main() -> None:
    """Print both tables."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS
    print_false_positives(trials)
    print_until_narrow(trials)


if __name__ == "__main__":
    main()
