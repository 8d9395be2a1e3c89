"""The order of a sweep: which repetition of which scenario comes when. Pure.

Randomised complete blocks: each block holds every scenario once, in an order of its own. What drifts over hours (a
room that warms up, a disk that fills) then falls on all scenarios alike, and their differences inside a block are free
of it (R. A. Fisher, The Design of Experiments, 1935; D. C. Montgomery, Design and Analysis of Experiments, ch. 4).
"""

from collections.abc import Iterator
from itertools import chain, repeat

import numpy as np

from terrawatt.records import Order as Order
from terrawatt.runs.plan import Entry as Entry


def ordered(scenarios: int, repetitions: int, order: Order, seed: int) -> tuple[Entry, ...]:
    """Each repetition of each scenario once, in the order of time.

    Args:
        scenarios: how many; they are numbered from 1.
        repetitions: of each.
        order: in blocks the repetition's number is the block's; `sequential` knows one block only.
        seed: of the order inside the blocks.
    """
    if order is Order.SEQUENTIAL:
        return tuple(Entry(1, scenario, number) for scenario in _up_to(scenarios) for number in _up_to(repetitions))
    blocks = zip(_up_to(repetitions), _inside(scenarios, order, seed), strict=False)
    return tuple(chain.from_iterable(map(Entry, repeat(block), inside, repeat(block)) for block, inside in blocks))


def _inside(scenarios: int, order: Order, seed: int) -> Iterator[list[int]]:
    """The scenarios of one block after the other, without end."""
    random = np.random.Generator(np.random.PCG64(seed))
    numbers = np.arange(1, scenarios + 1)
    while True:
        yield (random.permutation(numbers) if order is Order.BLOCKS else numbers).tolist()


def _up_to(count: int) -> range:
    return range(1, count + 1)
