import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.training.order import Mixing, mixed_by_blocks

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(1, 300), st.integers(1, 40), st.integers(1, 10))
def test_every_image_comes_once_and_no_more_blocks_than_given_are_mixed(seed, n_rows, block_patches, blocks):
    rows = np.arange(n_rows) * 3
    order = mixed_by_blocks(rows, Mixing(block_patches, blocks), np.random.default_rng(seed))
    assert sorted(order) == rows.tolist()
    under_way = []  # blocks in the order in which they are first met
    for block in order // block_patches:
        if block not in under_way:
            under_way.append(block)
    of_block = {block: place // blocks for place, block in enumerate(under_way)}
    steps = np.diff([of_block[block] for block in order // block_patches])
    assert set(steps) <= {0, 1}


@given(SEEDS)
def test_what_is_mixed_comes_from_the_whole_pack(seed):
    order = mixed_by_blocks(np.arange(10_000), Mixing(block_patches=10, blocks=100), np.random.default_rng(seed))
    first = order[:1_000]
    assert len(np.unique(first // 10)) == 100
    assert first.min() < 1_000
    assert first.max() > 9_000


def test_blocks_are_mixed_and_not_read_one_behind_the_other():
    order = mixed_by_blocks(np.arange(1_000), Mixing(block_patches=10, blocks=10), np.random.default_rng(1))
    assert len(np.unique(order[:20] // 10)) > 5
