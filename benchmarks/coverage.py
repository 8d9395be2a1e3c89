"""How often the stated 95 % interval of a net energy holds the truth, by simulation. Prints a table; seeded.

Truth is what the workload adds. An idle machine of 40 W wanders (white noise of the readings, or an AR(1) process of
1 W that goes on under load), drifts, and runs a workload between idle periods; a meter reads it with an error drawn
from its accuracy, late by up to a second, every 1, 10 or 30 s, in steps of 0.1 W. Each simulated run goes through
`analysis.energies` like a measured one.

The prior of the noise (`analysis.noise.prior`) was chosen on these cells, with other draws. So `--random N` takes N
other settings from the whole range instead, among them such whose readings tell too little.

    python benchmarks/coverage.py [--runs 2000] [--cells 0,5,7 | --random 40]
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from terrawatt.analysis.baseline import baseline
from terrawatt.analysis.energy import energies
from terrawatt.analysis.signal import prepare
from terrawatt.analysis.uncertainty import accuracy_limit_w
from terrawatt.records import AccuracyBand, MeterError, Semantics, Series, SeriesKey, SourceDescription, Window

Array = NDArray[np.float64]

SEED = 20240917
IDLE_W, LOAD_W = 40.0, 50.0
STEP_S = 0.25  # of the simulation
DELAY_S = 1.0  # the largest
ON_CHANGE_W = 0.5  # an on-change source reports differences from here on
LOWEST, HIGHEST = 0.93, 0.98  # the coverage wanted of a 95 % interval
KEY = SeriesKey.of("power", "power_w", source="plug")
PLUG = (AccuracyBand(below_w=300, plus_minus_w=3.0), AccuracyBand(plus_minus_percent=1.0))
GOOD = (AccuracyBand(plus_minus_percent=0.5),)
CHUNK = 250  # runs simulated at a time


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting of the simulation.

    Attributes:
        phi: correlation of the machine's noise after 1 s; 0: the readings' white noise of 1 W alone.
        white_w: white noise of the readings on top of correlated noise.
        drift_w_per_h: standard deviation of a linear drift.
        is_varied: whether the load is not constant but has validation phases and dips.
    """

    semantics: Semantics
    interval_s: float
    run_s: float
    idle_s: float
    is_two_sided: bool
    phi: float
    white_w: float = 0.0
    drift_w_per_h: float = 0.5
    accuracy: tuple[AccuracyBand, ...] = PLUG
    error: MeterError = MeterError.OFFSET
    is_varied: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """Of one cell: the share of runs whose interval held the truth, and the half-width by the true energy."""

    cell: Cell
    coverage: float
    half_width: float
    missing: int
    bias: float
    k: float


LOOK, MEAN, CHANGE, COUNT = Semantics.INSTANTANEOUS, Semantics.MEAN, Semantics.ON_CHANGE, Semantics.COUNTER
OFFSET, GAIN, UNKNOWN = MeterError.OFFSET, MeterError.GAIN, MeterError.UNKNOWN
CELLS = (
    Cell(MEAN, 1, 600, 120, False, 0.0),
    Cell(MEAN, 1, 600, 120, False, 0.9),
    Cell(MEAN, 1, 600, 120, False, 0.95),
    Cell(MEAN, 1, 600, 120, False, 0.98),
    Cell(MEAN, 1, 600, 300, True, 0.0),
    Cell(MEAN, 1, 600, 300, True, 0.9),
    Cell(MEAN, 1, 600, 300, True, 0.95, 0.3),
    Cell(MEAN, 1, 600, 300, True, 0.98, 1.0, 2.0),
    Cell(MEAN, 10, 600, 120, False, 0.0, error=GAIN),
    Cell(MEAN, 10, 300, 120, True, 0.9, error=UNKNOWN),
    Cell(MEAN, 10, 600, 300, False, 0.95, 0.3, 0.0),
    Cell(MEAN, 10, 600, 300, True, 0.98, accuracy=GOOD, error=GAIN),
    Cell(MEAN, 30, 600, 120, False, 0.0),
    Cell(MEAN, 30, 300, 300, False, 0.9),
    Cell(MEAN, 30, 600, 300, True, 0.95),
    Cell(MEAN, 30, 1800, 120, True, 0.98, accuracy=GOOD, error=UNKNOWN),
    Cell(LOOK, 1, 600, 300, False, 0.0),
    Cell(LOOK, 1, 120, 120, True, 0.95),
    Cell(LOOK, 1, 600, 300, True, 0.9, is_varied=True),
    Cell(LOOK, 10, 600, 120, True, 0.9),
    Cell(LOOK, 10, 600, 300, False, 0.98, is_varied=True),
    Cell(LOOK, 30, 600, 120, True, 0.0),
    Cell(LOOK, 30, 600, 300, False, 0.95),
    Cell(LOOK, 30, 1800, 300, True, 0.98, error=GAIN),
    Cell(CHANGE, 1, 600, 120, True, 0.95),
    Cell(CHANGE, 10, 600, 300, True, 0.0),
    Cell(CHANGE, 30, 1800, 300, False, 0.9),
    Cell(COUNT, 1, 300, 300, False, 0.9),
    Cell(COUNT, 1, 120, 120, True, 0.0, accuracy=GOOD, error=UNKNOWN),
    Cell(COUNT, 10, 600, 120, False, 0.95),
    Cell(COUNT, 30, 300, 120, True, 0.98),
    Cell(COUNT, 30, 600, 300, True, 0.0),
    Cell(COUNT, 10, 600, 300, True, 0.95, is_varied=True),
)


def random_cells(n: int, seed: int = SEED) -> tuple[Cell, ...]:
    """Settings from the whole range, none of which is in `CELLS`."""
    rng = np.random.default_rng(seed)
    found: list[Cell] = []
    while len(found) < n:
        phi = float(rng.choice([0.0, 0.8, 0.9, 0.95, 0.98]))
        is_two_sided = bool(rng.random() < 0.5)
        cell = Cell(
            semantics=list(Semantics)[rng.integers(4)],
            interval_s=float(rng.choice([1, 2, 5, 10, 30])),
            run_s=float(rng.choice([120, 300, 600, 1800])),
            idle_s=float(rng.choice([120, 180, 300, 600])),
            is_two_sided=is_two_sided,
            phi=phi,
            white_w=float(rng.choice([0.0, 0.3, 1.0])),
            drift_w_per_h=float(rng.choice([0.0, 0.5, 2.0] if is_two_sided else [0.0, 0.5])),
            accuracy=PLUG if rng.random() < 0.5 else GOOD,
            error=list(MeterError)[rng.integers(3)],
            is_varied=bool(rng.random() < 0.5),
        )
        if cell not in CELLS:
            found.append(cell)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Simulated:
    """One run: what the meter gave, when the workload ran, and what it truly added."""

    t_ns: NDArray[np.int64]
    value: Array
    cold: Window
    run: Window
    after: Window | None
    true_j: float


def simulate(cell: Cell, runs: int, rng: np.random.Generator) -> Iterator[Simulated]:
    """Runs of a cell, at random phases between readings and workload."""
    for first in range(0, runs, CHUNK):
        yield from _chunk(cell, min(CHUNK, runs - first), rng)


def _chunk(cell: Cell, runs: int, rng: np.random.Generator) -> Iterator[Simulated]:
    """Some runs at once: arrays of (runs, steps), the start of the cold period at time 0."""
    margin_s = 2 * cell.interval_s
    n = round((margin_s + 2 * cell.idle_s + cell.run_s + margin_s) / STEP_S)
    middle_s = (np.arange(n) + 0.5) * STEP_S - margin_s
    start_s, end_s = cell.idle_s, cell.idle_s + cell.run_s
    noise_w = _correlated(cell.phi, (runs, n), rng)
    drift_w_per_s = rng.normal(0, cell.drift_w_per_h / 3600, (runs, 1))
    machine_w = IDLE_W + noise_w + drift_w_per_s * middle_s
    is_running = (middle_s >= start_s) & (middle_s < end_s)
    load_w = LOAD_W * is_running * np.ones((runs, 1))
    if cell.is_varied:
        load_w *= _variation(cell.run_s, start_s, middle_s, runs, rng)
    true_j = load_w.sum(axis=1) * STEP_S
    power_w = _misread(cell, machine_w + load_w, is_running, rng)
    every = round(cell.interval_s / STEP_S)
    phase = rng.integers(0, every, runs)
    late_s = rng.uniform(0, DELAY_S, runs)
    for i in range(runs):
        t_s, value = _read(cell, power_w[i, phase[i] :], every, rng)
        t_ns = ((t_s + phase[i] * STEP_S - margin_s + late_s[i]) * 1e9).round().astype(np.int64)
        yield Simulated(
            t_ns + 10**18,
            value,
            _window(0, start_s),
            _window(start_s, end_s),
            _window(end_s, end_s + cell.idle_s) if cell.is_two_sided else None,
            float(true_j[i]),
        )


def _window(start_s: float, end_s: float) -> Window:
    return Window(10**18 + round(start_s * 1e9), 10**18 + round(end_s * 1e9))


def _correlated(phi: float, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """An AR(1) process of 1 W whose correlation after one second is phi."""
    if phi == 0:
        return np.zeros(shape)
    step = phi**STEP_S
    steps = rng.normal(0, np.sqrt(1 - step**2), shape)
    steps[:, 0] = rng.normal(size=shape[0])
    return np.asarray(lfilter([1.0], [1.0, -step], steps, axis=1))


def _variation(run_s: float, start_s: float, middle_s: NDArray[Any], runs: int, rng: np.random.Generator) -> Array:
    """Shares of the load: epochs of 80 to 160 s with a validation at 60 %, and short dips of the loader."""
    share = np.ones((runs, len(middle_s)))
    for row in share:
        t_s = start_s
        while t_s < start_s + run_s:
            epoch_s = rng.uniform(80, 160)
            row[(middle_s >= t_s + 0.75 * epoch_s) & (middle_s < t_s + epoch_s)] = 0.6
            t_s += epoch_s
        n_dips = rng.poisson(run_s / 5)
        begin_s, length_s = rng.uniform(start_s, start_s + run_s, (n_dips, 1)), rng.uniform(0.1, 0.4, (n_dips, 1))
        row[((middle_s >= begin_s) & (middle_s < begin_s + length_s)).any(axis=0)] *= 0.6
    return share


def _misread(cell: Cell, power_w: Array, is_running: NDArray[np.bool_], rng: np.random.Generator) -> Array:
    """The power with an error of the meter, drawn for each run from its accuracy."""
    idle_w, load_w = (accuracy_limit_w(cell.accuracy, level_w) for level_w in (IDLE_W, IDLE_W + LOAD_W))
    first, second = rng.uniform(-1, 1, (2, len(power_w), 1))
    if cell.error is MeterError.GAIN:
        return np.asarray(power_w * (1 + first * min(idle_w / IDLE_W, load_w / (IDLE_W + LOAD_W))))
    under_load = first if cell.error is MeterError.OFFSET else second
    return np.asarray(power_w + np.where(is_running, under_load * load_w, first * idle_w))


def _read(cell: Cell, power_w: Array, every: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Times in s from the array's start, and readings, in steps of 0.1 W (a counter: of 0.1 J)."""
    n = len(power_w) // every
    t_s = np.arange(1, n + 1, dtype=np.float64) * every * STEP_S
    is_mean = cell.semantics in (Semantics.MEAN, Semantics.COUNTER)
    steps = power_w[: n * every].reshape(n, every)
    value = np.asarray(steps.mean(axis=1) if is_mean else steps[:, -1])
    value = value + rng.normal(0, 1.0 if cell.phi == 0 else cell.white_w, n)
    if cell.semantics is Semantics.COUNTER:
        return t_s, np.asarray(np.round(np.cumsum(value) * every * STEP_S, 1), np.float64)
    value = np.asarray(np.round(value, 1), np.float64)
    if cell.semantics is not Semantics.ON_CHANGE:
        return t_s, value
    kept, last = [], np.inf
    for i, now in enumerate(value):
        if abs(now - last) >= ON_CHANGE_W:
            kept.append(i)
            last = now
    return t_s[kept], value[kept]


def measure(cell: Cell, runs: int, seed: int = SEED) -> Result:
    """The coverage of one cell."""
    rng = np.random.default_rng([seed, *(ord(letter) for letter in repr(cell))])
    description = SourceDescription(
        "plug",
        "simulated",
        cell.semantics,
        cell.accuracy,
        KEY,
        0.1,
        interval_s=None if cell.semantics is Semantics.ON_CHANGE else cell.interval_s,
        error=cell.error,
    )
    held, half_j, missing, error_j, true_j, k = 0, [], 0, [], [], []
    for run in simulate(cell, runs, rng):
        signal = prepare(Series(KEY, run.t_ns, run.value), cell.semantics, description.interval_s)
        idle = baseline(signal, run.cold, run.after)
        net = energies(signal, description, [run.run], idle)[0].net
        if net.reason:
            missing += 1
            continue
        low_j, high_j = net.interval_95_j
        held += low_j <= run.true_j <= high_j
        half_j.append(net.half_width_j)
        error_j.append(net.energy_j - run.true_j)
        true_j.append(run.true_j)
        k.append(net.coverage_factor)
    given = runs - missing
    return Result(
        cell,
        held / given,
        float(np.median(half_j) / np.mean(true_j)),
        missing,
        float(np.mean(error_j) / np.mean(true_j)),
        float(np.median(k)),
    )


HEADER = (
    f"{'#':>2} {'semantics':13} {'Δ s':>4} {'run s':>5} {'idle s':>7} {'φ':>5} {'white W':>7} {'drift W/h':>9} "
    f"{'meter':>15} {'load':>8} | {'coverage':>8} {'half-width':>10} {'bias':>7} {'k':>5}"
)


def line(number: int, result: Result) -> str:
    """One row of the table."""
    cell = result.cell
    idle = f"{cell.idle_s:g}" + (" + " + f"{cell.idle_s:g}" if cell.is_two_sided else "")
    meter = f"±{'3 W' if cell.accuracy == PLUG else '0.5 %'} {cell.error}"
    mark = "" if LOWEST <= result.coverage <= HIGHEST else "  <-"
    mark += f"  {result.missing} missing" if result.missing else ""
    return (
        f"{number:>2} {cell.semantics:13} {cell.interval_s:>4g} {cell.run_s:>5g} {idle:>9} {cell.phi:>5g} "
        f"{1.0 if cell.phi == 0 else cell.white_w:>5g} {cell.drift_w_per_h:>9g} {meter:>15} "
        f"{'varied' if cell.is_varied else 'constant':>8} | {result.coverage:>8.1%} {result.half_width:>10.2%} "
        f"{result.bias:>7.2%} {result.k:>5.2f}{mark}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit code says whether all cells are within the limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--cells", default="", help="numbers of cells, by commas; default: all")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="N other settings, drawn at random")
    options = parser.parse_args(arguments)
    cells = random_cells(options.random) if options.random else CELLS
    chosen = [int(part) for part in options.cells.split(",")] if options.cells else range(len(cells))
    print(HEADER)
    began, results = time.perf_counter(), []
    for number in chosen:
        results.append(measure(cells[number], options.runs))
        print(line(number, results[-1]), flush=True)
    good = sum(LOWEST <= result.coverage <= HIGHEST for result in results)
    print(f"{good} of {len(results)} cells within {LOWEST:.0%} to {HIGHEST:.0%}; {time.perf_counter() - began:.0f} s")
    return 0 if good == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
