import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.experiment.plan import Entry, Order, ordered

sizes = st.integers(1, 12)
seeds = st.integers(0, 2**64)


@given(sizes, sizes, st.sampled_from(Order), seeds)
def test_each_repetition_of_each_scenario_is_there_once(
    scenarios: int, repetitions: int, order: Order, seed: int
) -> None:
    entries = ordered(scenarios, repetitions, order, seed)
    expected = itertools.product(range(1, scenarios + 1), range(1, repetitions + 1))
    assert sorted((entry.scenario, entry.repetition) for entry in entries) == list(expected)
    assert ordered(scenarios, repetitions, order, seed) == entries


@given(sizes, sizes, st.sampled_from([Order.BLOCKS, Order.INTERLEAVED]), seeds)
def test_each_block_holds_every_scenario_once(scenarios: int, repetitions: int, order: Order, seed: int) -> None:
    entries = ordered(scenarios, repetitions, order, seed)
    blocks = [list(inside) for _, inside in itertools.groupby(entries, key=lambda entry: entry.block)]
    assert len(blocks) == repetitions
    for number, block in enumerate(blocks, start=1):
        assert {entry.scenario for entry in block} == set(range(1, scenarios + 1))
        assert {(entry.block, entry.repetition) for entry in block} == {(number, number)}


def test_blocks_differ_and_every_order_comes_up() -> None:
    entries = ordered(3, 600, Order.BLOCKS, seed=1)
    orders = [tuple(entry.scenario for entry in entries[i : i + 3]) for i in range(0, len(entries), 3)]
    counts = [orders.count(order) for order in itertools.permutations((1, 2, 3))]
    assert sum(counts) == 600
    assert min(counts) > 60  # 100 are expected of each


def test_another_seed_is_another_order() -> None:
    assert ordered(10, 2, Order.BLOCKS, 1) != ordered(10, 2, Order.BLOCKS, 2)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order.INTERLEAVED, [(1, 1, 1), (1, 2, 1), (2, 1, 2), (2, 2, 2)]),
        (Order.SEQUENTIAL, [(1, 1, 1), (1, 1, 2), (1, 2, 1), (1, 2, 2)]),
    ],
)
def test_orders_without_chance(order: Order, expected: list[tuple[int, int, int]]) -> None:
    assert ordered(2, 2, order, seed=3) == tuple(Entry(*entry) for entry in expected)
