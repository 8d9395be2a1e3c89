"""How long an analysis takes, and how much memory: five series, 100 repetitions, up to 10⁷ readings a series.

Everything is done that a summary does with a run's series: all are made ready and integrated over the repetitions; the
power has its idle levels before and after (300 readings each), net and gross energies with budgets and intervals, and
verdicts; processor, memory and temperature are taken above their idle level; disk reads are counted. Reading the store
is not in it.

Each size runs in a fresh process, on one core; time is that process's CPU time, the shortest of three; memory is its
greatest resident size, with the series themselves. A fit of time ~ readingsᵖ says how it grows.

Then the research scripts' way, row by row (`known_power.original`), on fewer readings; its cost is in proportion to
readings × (a + b × repetitions), so that it can be scaled.
"""

import itertools
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from known_power.original import original_by_rows_j, text_rows
from terrawatt.analysis.baseline import baseline
from terrawatt.analysis.energy import energies
from terrawatt.analysis.host import above_cold, disk_reads
from terrawatt.analysis.signal import prepare
from terrawatt.analysis.verdict import energy_verdicts
from terrawatt.records import AccuracyBand, Semantics, Series, SeriesKey, SourceDescription, Window
from terrawatt.units import NS_PER_S

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
REPETITIONS = 100
IDLE_S = 300
SECONDS_AIM, MEMORY_AIM_MB, RATIO_AIM = 1.5, 400, 1000
AIM_SIZE = 1_000_000
ROWS = 5_000  # of the research scripts' way
TABLE_MS = 0.457  # a row with 100 repetitions, where it was measured first (45.7 s for 10⁵ rows)

POWER = SeriesKey.of("power", "power_w", host="lab", source="plug")
ACCURACY = (AccuracyBand(below_w=300, plus_minus_w=3.0), AccuracyBand(plus_minus_percent=1.0))
PLUG = SourceDescription("plug", "simulated", Semantics.MEAN, ACCURACY, POWER, 0.1, 1.0)
HOST = {
    "cpu": Semantics.MEAN,
    "mem": Semantics.INSTANTANEOUS,
    "temp": Semantics.INSTANTANEOUS,
    "diskio": Semantics.COUNTER,
}


class Recorded:
    """A recorded run of so many readings a series, one a second, with a few failed ones."""

    def __init__(self, n: int, repetitions: int = REPETITIONS) -> None:
        rng = np.random.default_rng(n)
        t_ns = 1_790_000_000 * NS_PER_S + np.arange(n, dtype=np.int64) * NS_PER_S
        t_ns += rng.integers(-20_000_000, 20_000_000, n)
        self.cold, self.idle_after = _window(t_ns, 0, IDLE_S), _window(t_ns, n - IDLE_S, n)
        edges = np.linspace(IDLE_S, n - IDLE_S, repetitions + 1).astype(int).tolist()
        self.windows = [_window(t_ns, start, end) for start, end in itertools.pairwise(edges)]
        is_busy = (np.arange(n) >= IDLE_S) & (np.arange(n) < n - IDLE_S)
        levels = {"plug": (40, 140), "cpu": (3, 80), "mem": (80, -20), "temp": (45, 25)}
        self.series = {
            name: Series(_key(name), t_ns, idle + added * is_busy + rng.normal(0, 1, n))
            for name, (idle, added) in levels.items()
        }
        self.series["diskio"] = Series(_key("diskio"), t_ns, 1e6 + np.cumsum(rng.poisson(2.0, n).astype(np.float64)))
        for series in self.series.values():
            series.value[rng.integers(IDLE_S, n - IDLE_S, n // 10_000)] = np.nan


def analyse(run: Recorded) -> int:
    """All that a summary does with a run's series; gives how many numbers came out."""
    signal = prepare(run.series["plug"], PLUG.semantics, PLUG.interval_s)
    idle = baseline(signal, run.cold, run.idle_after)
    found = energies(signal, PLUG, run.windows, idle)
    verdicts = [energy_verdicts(energy, PLUG, idle) for energy in found]
    del signal
    numbers = sum(not energy.net.reason for energy in found) + len(verdicts)
    for name, semantics in HOST.items():
        if semantics is Semantics.COUNTER:
            numbers += sum(not reads.integral.reason for reads in disk_reads(run.series[name], 1.0, run.windows))
        else:
            values = above_cold(run.series[name], semantics, 1.0, run.windows, run.cold)
            numbers += sum(not value.reason for value in values)
    return numbers


def measure(n: int) -> dict[str, float]:
    """CPU seconds and MB of one size, in this process."""
    run = Recorded(n)
    seconds = min(_cpu_s(lambda: analyse(run)) for _ in range(3))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    return {"seconds": seconds, "peak_mb": peak_mb}


def by_rows_s() -> float:
    """CPU seconds of the research scripts' way with `ROWS` readings of one series and 100 repetitions."""
    run = Recorded(ROWS)
    rows = text_rows(run.series["plug"])
    return _cpu_s(lambda: original_by_rows_j(rows, run.windows, run.cold))


def growth(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The power p of time ~ readingsᵖ."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def main() -> int:
    """Print the tables; 1 where an aim is missed."""
    print(f"{len(HOST) + 1} series, {REPETITIONS} repetitions, one core")
    found = {n: _in_fresh_process(n) for n in SIZES}
    for n, result in found.items():
        print(f"  {n:>10,} readings a series: {result['seconds']:7.3f} s CPU   {result['peak_mb']:6.0f} MB")
    large = [n for n in SIZES if n >= AIM_SIZE]  # below, what does not grow with them is most of it
    power = growth(large, [found[n]["seconds"] for n in large])
    print(f"  from {large[0]:,} to {large[-1]:,} readings time grows with their number to the power of {power:.2f}")
    mine = found[AIM_SIZE]
    here_s, table_s = (each * AIM_SIZE * (len(HOST) + 1) for each in (by_rows_s() / ROWS, TABLE_MS / 1000))
    ratios = here_s / mine["seconds"], table_s / mine["seconds"]
    print(f"row by row, scaled from {ROWS:,} readings of one series: {here_s:,.0f} s, {ratios[0]:,.0f} × as long")
    print(f"  by the cost that was measured first, {TABLE_MS} ms a row: {table_s:,.0f} s, {ratios[1]:,.0f} × as long")
    reached = {
        f"{mine['seconds']:.2f} s of {SECONDS_AIM} s": mine["seconds"] <= SECONDS_AIM,
        f"{mine['peak_mb']:.0f} MB of {MEMORY_AIM_MB} MB": mine["peak_mb"] <= MEMORY_AIM_MB,
        f"{ratios[1]:,.0f} × of {RATIO_AIM:,} ×": ratios[1] >= RATIO_AIM,
    }
    for what, is_reached in reached.items():
        print(f"aim at {AIM_SIZE:,} readings: {what}: {'reached' if is_reached else 'MISSED'}")
    return 0 if all(reached.values()) else 1


def _in_fresh_process(n: int) -> dict[str, float]:
    one_core = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, __file__, str(n)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **one_core})
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _cpu_s(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _window(t_ns: np.ndarray, first: int, behind: int) -> Window:
    return Window(int(t_ns[first]), int(t_ns[behind - 1]))


def _key(name: str) -> SeriesKey:
    return POWER if name == "plug" else SeriesKey.of(name, "value", host="lab")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        sys.exit(main())
