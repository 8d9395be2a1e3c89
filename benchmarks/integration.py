"""How far the energies of known powers come out wrong: ours, perun's, Zeus' and carbontracker's, on the same readings.

A machine that trains (steps, dips while data are loaded, validation, a slow drift), read by a meter of the *mean* kind
with jitter, steps of 0.1 W, and lost readings; 400 random windows a row. The other tools' own functions are called
(`known_power.peers`). Seeded: each run prints the same.

A lost reading is one that was not taken, so that the next is the mean since the last one that was: what *mean* says. In
the last row readings are taken and lost on their way: what they said, nobody knows, and no aim is set.

How large the errors are depends on how fast the power changes, and the lengths of the training's steps are a choice
(`known_power.training.Shape`). So the same rows follow for other trainings, whose lengths are drawn: the range of each
tool's errors, and how often ours is the smallest.

    python benchmarks/integration.py [--others 20]
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from known_power.peers import Integrator, installed
from known_power.training import Shape, mean_readings, random_windows, training_power
from terrawatt.analysis.integrate import integrate
from terrawatt.analysis.signal import prepare
from terrawatt.records import Float64Array, Semantics, Series, Window

SEED = 20_260_921
WINDOWS = 400
POWER_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Case:
    """One row: the meter, the windows, and what the 95th percentile of |error| must not exceed, in %; None: no aim."""

    interval_s: float
    window_s: float
    aim: float | None
    lost: float = 0.0
    lost_on_the_way: float = 0.0

    def __str__(self) -> str:
        lost = f", {self.lost:.0%} lost" if self.lost else ""
        lost += f", {self.lost_on_the_way:.0%} lost on the way" if self.lost_on_the_way else ""
        return f"{self.interval_s:g} s{lost} / {self.window_s:g} s"


CASES = (
    Case(1, 30, 0.4),
    Case(1, 120, 0.1),
    Case(5, 30, 1.7),
    Case(10, 600, 0.2, lost=0.1),
    Case(10, 600, None, lost_on_the_way=0.1),
)
BIAS_AIM = 0.1


@dataclass(frozen=True, slots=True)
class Error:
    """Of many windows, in %."""

    bias: float
    p95: float


def error_of(found_j: Float64Array, true_j: Float64Array) -> Error:
    """Mean and 95th percentile of the absolute value of the relative errors; a missing energy is none of them."""
    relative = (found_j - true_j)[np.isfinite(found_j)] / true_j[np.isfinite(found_j)] * 100
    return Error(float(relative.mean()), float(np.percentile(np.abs(relative), 95)))


def ours(interval_s: float) -> Integrator:
    """Our energies."""

    def energies_j(series: Series, windows: list[Window]) -> Float64Array:
        return np.array([part.value for part in integrate(prepare(series, Semantics.MEAN, interval_s), windows)])

    return energies_j


def errors(
    case: Case,
    others: dict[str, Integrator],
    power_s: float = POWER_S,
    n: int = WINDOWS,
    shape: Shape | None = None,
) -> dict[str, Error]:
    """Tool -> its error, ours first."""
    rng = np.random.default_rng([SEED, round(case.interval_s), round(case.window_s)])
    power = training_power(rng, power_s, shape)
    series = mean_readings(rng, power, case.interval_s, lost=case.lost, lost_on_the_way=case.lost_on_the_way)
    windows = random_windows(rng, power, case.window_s, n)
    true_j = np.array([power.energy_j(window) for window in windows])
    tools = {"terrawatt": ours(case.interval_s), **others}
    return {name: error_of(integrator(series, windows), true_j) for name, integrator in tools.items()}


def judged(case: Case, found: dict[str, Error]) -> str:
    """Whether the aim is reached: small enough, and ahead of all others."""
    if case.aim is None:
        return "no aim"
    mine = found["terrawatt"]
    is_small = mine.p95 <= case.aim and abs(mine.bias) <= BIAS_AIM
    is_ahead = all(mine.p95 < error.p95 for name, error in found.items() if name != "terrawatt")
    missed = ", ".join(what for what, reached in (("too large", is_small), ("not ahead", is_ahead)) if not reached)
    return f"{BIAS_AIM} / {case.aim}: {f'MISSED, {missed}' if missed else 'reached'}"


def print_others(n: int, others: dict[str, Integrator]) -> None:
    """The same for other trainings: the range of the 95th percentiles, and how often ours is the smallest."""
    rng = np.random.default_rng(SEED)
    shapes = [Shape.drawn(rng) for _ in range(n)]
    print(f"\n{n} other trainings: smallest to greatest 95th percentile of |error|, in %")
    for case in CASES:
        found = [errors(case, others, shape=shape) for shape in shapes]
        p95 = {name: np.array([one[name].p95 for one in found]) for name in found[0]}
        first = sum(min(one, key=lambda name: one[name].p95) == "terrawatt" for one in found)
        within = "" if case.aim is None else f", within {case.aim} in {np.count_nonzero(p95['terrawatt'] <= case.aim)}"
        cells = "".join(f"{f'{values.min():.2f} to {values.max():.2f}':>22}" for values in p95.values())
        print(f"{case!s:>34}{cells}   ahead in {first} of {n}{within}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--others", type=int, default=20, metavar="N", help="how many other trainings")
    options = parser.parse_args(arguments)
    others, missing = installed()
    print(f"Mean readings of a known power, {WINDOWS} random windows: bias / 95th percentile of |error|, in %")
    print(f"{'interval / window':>34}" + "".join(f"{name:>22}" for name in ("terrawatt", *others)) + "   aim")
    is_reached = True
    for case in CASES:
        found = errors(case, others)
        cells = "".join(f"{f'{error.bias:+.3f} / {error.p95:.2f}':>22}" for error in found.values())
        verdict = judged(case, found)
        print(f"{case!s:>34}{cells}   {verdict}")
        is_reached &= "MISSED" not in verdict
    for name, reason in missing.items():
        print(f"{name}: {reason}; pip install 'terrawatt[bench]'")
    if options.others:
        print_others(options.others, others)
    return 0 if is_reached else 1


if __name__ == "__main__":
    sys.exit(main())
