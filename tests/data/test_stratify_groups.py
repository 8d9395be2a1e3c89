from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.data.stratify_groups import Groups, balanced_group_parts, groups_of, random_group_parts

Divide = Callable[[Groups, Sequence[float], int], np.ndarray]
DIVISIONS = (random_group_parts, balanced_group_parts)


@st.composite
def grouped(draw: st.DrawFn) -> Groups:
    sizes = draw(st.lists(st.integers(1, 8), min_size=3, max_size=9))
    of_item = np.repeat(np.arange(len(sizes)), sizes)
    masks = draw(st.lists(st.integers(0, 31), min_size=len(of_item), max_size=len(of_item)))
    return groups_of(of_item, np.array(masks, dtype=np.int64))


@given(grouped(), st.sampled_from([(0.6, 0.2, 0.2), (0.8, 0.0, 0.2), (1.0, 0.0, 0.0)]), st.sampled_from(DIVISIONS))
def test_no_group_is_torn_and_no_part_is_empty(groups: Groups, shares: tuple[float, ...], divide: Divide) -> None:
    parts = divide(groups, shares, 4)
    for group in range(len(groups.items)):
        assert len(set(parts[groups.of_item == group])) == 1
    assert set(parts) == set(np.flatnonzero(shares))
    assert np.array_equal(parts, divide(groups, shares, 4))


@pytest.mark.parametrize("divide", DIVISIONS)
def test_as_many_groups_as_parts(divide: Divide) -> None:
    groups = groups_of(np.array([0] * 90 + [1] + [2]), np.ones(92, dtype=np.int64))
    assert set(divide(groups, (0.6, 0.2, 0.2), 0)) == {0, 1, 2}


def test_equal_groups_are_divided_by_the_shares() -> None:
    groups = groups_of(np.repeat(np.arange(10), 5), np.tile([1, 2, 3, 4, 5], 10))
    for divide in DIVISIONS:
        assert np.bincount(divide(groups, (0.6, 0.2, 0.2), 1)).tolist() == [30, 10, 10]


def test_labels_that_only_some_groups_have_are_balanced() -> None:
    # Groups 0 to 9 have label 0, groups 10 to 19 label 1: each part gets of both.
    of_item = np.repeat(np.arange(20), 4)
    masks = np.where(of_item < 10, 1, 2)
    parts = balanced_group_parts(groups_of(of_item, masks), (0.6, 0.2, 0.2), 0)
    for part, share in enumerate((0.6, 0.2, 0.2)):
        assert (masks[parts == part] == 1).sum() == (masks[parts == part] == 2).sum() == 40 * share


def test_balance_is_better_than_chance() -> None:
    rng = np.random.default_rng(5)
    of_item = np.repeat(np.arange(30), rng.integers(20, 200, 30))
    of_group = rng.random((30, 8))
    masks = ((rng.random((len(of_item), 8)) < of_group[of_item]) << np.arange(8)).sum(axis=1)
    groups = groups_of(of_item, masks)
    has = (masks[:, np.newaxis] >> np.arange(8)) & 1

    def worst(parts: np.ndarray) -> float:
        return max(float(np.abs(has[parts == part].mean(axis=0) / has.mean(axis=0) - 1).max()) for part in range(3))

    shares = (0.6, 0.2, 0.2)
    assert worst(balanced_group_parts(groups, shares, 0)) < 0.5 * worst(random_group_parts(groups, shares, 0))
