"""Net energies where a meter reads seldom: the research scripts' method, the clipped trapezoid, and ours.

A machine idles at 40 W (noise of 1 W with a correlation of 0.9 from second to second, a slow drift), then trains in
repetitions, then idles. The truth is what the training adds. A cell is the mean / the greatest |error| of the
repetitions' energies in %, with the number that are given as 0 J or not at all. Of ours also: how many of the intervals
of 95 % hold the truth, and the mean of their half-widths in %. The meter itself errs by its resolution only.

Seeded: each run prints the same.
"""

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from known_power.original import clipped_trapezoid_j, original_j
from known_power.training import (
    KEY,
    RESOLUTION_W,
    Power,
    instantaneous_readings,
    mean_readings,
    to_ns,
    training_steps,
)
from terrawatt.analysis.baseline import baseline
from terrawatt.analysis.energy import Energy, energies
from terrawatt.analysis.signal import prepare
from terrawatt.records import AccuracyBand, Float64Array, Semantics, Series, SourceDescription, Window

SEED = 20_260_921
RUNS = 40
REPETITIONS = 10
IDLE_S = 300.0
IDLE_W, NOISE_W, CORRELATION = 40.0, 1.0, 0.9
CELLS = ((30, 20), (30, 60), (30, 300), (30, 1800), (10, 60), (1, 60))  # interval / repetition, in s
READINGS = {Semantics.MEAN: mean_readings, Semantics.INSTANTANEOUS: instantaneous_readings}


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A simulated run: all that the machine draws, what the workload adds to that, and when."""

    power: Power
    added: Power
    windows: tuple[Window, ...]
    cold: Window
    idle_after: Window


@dataclass(frozen=True, slots=True)
class Error:
    """Of many energies: mean and greatest |error| in %, of those that are given; how many are 0 J, and missing."""

    mean: float
    worst: float
    n_zero: int
    n_missing: int

    def __str__(self) -> str:
        if np.isnan(self.mean):
            return f"none given, {self.n_missing} missing"
        zero = f", {self.n_zero} × 0 J" if self.n_zero else ""
        return f"{self.mean:.2f} / {self.worst:.1f}{zero}" + (f", {self.n_missing} missing" if self.n_missing else "")


@dataclass(frozen=True, slots=True)
class Row:
    """One cell of the table: the errors, and how ours' intervals do."""

    original: Error
    clipped: Error
    ours: Error
    held: float
    half_width: float

    @property
    def is_reached(self) -> bool:
        """No zero that is not one, and no greater mean error than the clipped trapezoid's."""
        return self.ours.n_zero == 0 and (np.isnan(self.ours.mean) or self.ours.mean <= self.clipped.mean)


def simulated_run(rng: np.random.Generator, repetition_s: float, repetitions: int = REPETITIONS) -> Run:
    """Idle, training, idle."""
    busy_s = repetition_s * repetitions
    edge_s, train_w = training_steps(rng, busy_s)
    n = int(np.searchsorted(edge_s, busy_s))
    lead_s = 60.0  # idle that no phase holds: readings reach beyond the phases
    start_s = lead_s + IDLE_S
    edge_s = np.concatenate(([0.0], start_s + np.append(edge_s[:n], busy_s), [start_s + busy_s + IDLE_S + lead_s]))
    added = Power(edge_s, np.concatenate(([0.0], train_w[:n] - IDLE_W, [0.0])))
    starts_ns = to_ns(start_s + repetition_s * np.arange(repetitions + 1))
    windows = tuple(Window(start, end) for start, end in itertools.pairwise(starts_ns.tolist()))
    ends_ns = to_ns(np.array([lead_s, start_s + busy_s + IDLE_S]))
    cold, idle_after = Window(int(ends_ns[0]), int(starts_ns[0])), Window(int(starts_ns[-1]), int(ends_ns[1]))
    return Run(_with_idle(rng, added), added, windows, cold, idle_after)


def _with_idle(rng: np.random.Generator, added: Power) -> Power:
    """What the workload adds, on an idle power that wanders each second."""
    n = int(np.ceil(added.duration_s))
    noise_w = np.empty(n)
    noise_w[0] = rng.normal(0, NOISE_W)
    pushes_w = rng.normal(0, NOISE_W * np.sqrt(1 - CORRELATION**2), n)
    for i in range(1, n):
        noise_w[i] = CORRELATION * noise_w[i - 1] + pushes_w[i]
    edge_s = np.union1d(added.edge_s, np.arange(n))
    at_s = edge_s[:-1]
    level_w = added.at_w(at_s) + IDLE_W + noise_w[np.minimum(at_s.astype(int), n - 1)]
    return Power(edge_s, level_w, drift_w=0.3)


def ours(series: Series, run: Run, semantics: Semantics, interval_s: float) -> tuple[Energy, ...]:
    """Our energies."""
    meter = SourceDescription("plug", "simulated", semantics, (AccuracyBand(),), KEY, RESOLUTION_W, interval_s)
    signal = prepare(series, semantics, interval_s)
    return energies(signal, meter, run.windows, baseline(signal, run.cold, run.idle_after))


def row(semantics: Semantics, interval_s: float, repetition_s: float, runs: int = RUNS) -> Row:
    """One cell, over many runs."""
    rng = np.random.default_rng([SEED, round(interval_s), round(repetition_s)])
    true_j, original, clipped = [], [], []
    found: list[Energy] = []
    for _ in range(runs):
        run = simulated_run(rng, repetition_s)
        series = READINGS[semantics](rng, run.power, interval_s)
        true_j += [run.added.energy_j(window) for window in run.windows]
        original.append(original_j(series, run.windows, run.cold))
        clipped.append(clipped_trapezoid_j(series, run.windows, run.cold))
        found += ours(series, run, semantics, interval_s)
    true = np.array(true_j)
    held, half_width = intervals(found, true)
    net_j = np.array([energy.net.energy_j for energy in found])
    errors = (error(np.concatenate(of), true) for of in (original, clipped, [net_j]))
    return Row(*errors, held, half_width)


def error(found_j: Float64Array, true_j: Float64Array) -> Error:
    """How far energies are off; those not given count apart."""
    given = np.isfinite(found_j)
    off = np.abs(found_j[given] - true_j[given]) / true_j[given] * 100
    mean, worst = (float(off.mean()), float(off.max())) if len(off) else (np.nan, np.nan)
    return Error(mean, worst, int(np.count_nonzero(found_j[given] == 0)), int(np.count_nonzero(~given)))


def intervals(found: Sequence[Energy], true_j: Float64Array) -> tuple[float, float]:
    """The share of the 95 % intervals that hold the truth, and the mean of their half-widths by it; of those given."""
    pairs = [(energy.net, true) for energy, true in zip(found, true_j, strict=True) if not energy.net.reason]
    if not pairs:
        return np.nan, np.nan
    held = np.mean([abs(net.energy_j - true) <= net.half_width_j for net, true in pairs])
    return float(held), float(np.mean([net.half_width_j / true for net, true in pairs]))


def main() -> int:
    """Print the tables; 1 where the aim is missed."""
    is_reached = True
    print(f"Net energy, {RUNS} runs of {REPETITIONS} repetitions: mean / greatest |error| in %")
    for semantics in READINGS:
        note = "" if semantics is Semantics.MEAN else ": what happens between them nobody sees; no aim"
        print(f"\n{semantics} readings{note}")
        print(line("interval / length", "research scripts", "clipped trapezoid", "terrawatt", "held", "± %"))
        for interval_s, repetition_s in CELLS:
            found = row(semantics, interval_s, repetition_s)
            verdict = "" if note else "reached" if found.is_reached else "MISSED"
            is_reached &= verdict != "MISSED"
            held, width = ("", "") if np.isnan(found.held) else (f"{found.held:.1%}", f"{found.half_width:.1%}")
            name = f"{interval_s} s / {repetition_s} s"
            print(line(name, found.original, found.clipped, found.ours, held, width, verdict))
    return 0 if is_reached else 1


def line(name: str, original: object, clipped: object, ours: object, held: str, width: str, verdict: str = "") -> str:
    """One line of a table."""
    return f"{name:>18}{original!s:>28}{clipped!s:>20}{ours!s:>26}{held:>8}{width:>8}   {verdict}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
