"""How long grids of 10⁵ and 10⁶ scenarios take to expand and to plan, and their memory; each in a process of its own.

Planned means: sizes, times and costs of all kinds of scenarios, and the random order of one block.
"""

import multiprocessing
import resource
import time

from terrawatt.config import ProtocolSettings
from terrawatt.experiment.grid import expand
from terrawatt.experiment.plan import ordered
from terrawatt.records import Order
from terrawatt.summary.forecast import forecast

SIZES = {100_000: (1000, 100), 1_000_000: (1000, 1000)}
PLAN = """
fixed_args: {{options: {{'--model': s-cnn-all, '--epochs': 10}}}}
varying_args: {{range: {{options: {{'--seed': [0, {seeds}, 1], '--batch': [1, {batches}, 1]}}}}}}
"""


def measure(scenarios: int) -> None:
    """Print one line of the table."""
    seeds, batches = SIZES[scenarios]
    before_mb = peak_mb()
    begin_s = time.perf_counter()
    grid = expand(PLAN.format(seeds=seeds, batches=batches + 1), "plan.yaml", ("model", "epochs", "seed", "batch"))
    kinds = grid.distinct(("seed", "lr", "loss"))
    expanded_s = time.perf_counter()
    found = forecast(kinds, ProtocolSettings(), Order.BLOCKS, [])
    order = ordered(len(grid), 1, Order.BLOCKS, 0)
    end_s = time.perf_counter()
    assert found.scenarios == len(order) == scenarios
    print(
        f"{scenarios:>9} {len(kinds):>7} {expanded_s - begin_s:>10.2f} {end_s - begin_s:>10.2f} {peak_mb():>9.0f}"
        f" {peak_mb() - before_mb:>11.0f}"
    )


def peak_mb() -> float:
    """The most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print("scenarios   kinds expanded s  planned s   peak MB of it ours")
    for size in SIZES:
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(size,))
        process.start()
        process.join()
