import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.data.stratify import part_sizes, random_parts, stratified_parts

N_LABELS = 6


def has(masks: np.ndarray, n_labels: int = N_LABELS) -> np.ndarray:
    return (masks[:, np.newaxis] >> np.arange(n_labels)) & 1


def realistic(n: int, seed: int = 0, n_labels: int = 19) -> np.ndarray:
    """Labels from common to rare that meet in some landscapes and not in others."""
    rng = np.random.default_rng(seed)
    frequency = 0.4 * 0.78 ** np.arange(n_labels)
    affinity = rng.uniform(0.2, 2.5, (8, n_labels))
    chances = np.minimum(frequency * affinity[rng.integers(8, size=n)], 0.9)
    return ((rng.random((n, n_labels)) < chances) << np.arange(n_labels)).sum(axis=1)


masks = st.lists(st.integers(0, 2**N_LABELS - 1), max_size=60).map(lambda found: np.array(found, dtype=np.int64))


@st.composite
def shares(draw: st.DrawFn) -> list[float]:
    weights = draw(st.lists(st.integers(0, 20), min_size=1, max_size=4).filter(any))
    return [weight / sum(weights) for weight in weights]


@given(st.integers(0, 10_000), shares())
def test_sizes_are_the_shares_to_the_nearest_item(n: int, parts: list[float]) -> None:
    sizes = part_sizes(n, parts)
    assert sizes.sum() == n
    assert (np.abs(sizes - np.array(parts) * n) < 1).all()
    assert not sizes[np.array(parts) == 0].any()


@pytest.mark.parametrize(
    ("n", "parts", "sizes"),
    [
        (10, (0.6, 0.2, 0.2), [6, 2, 2]),
        (5, (0.6, 0.2, 0.2), [3, 1, 1]),
        (2, (0.6, 0.2, 0.2), [1, 1, 0]),
        (1, (0.6, 0.2, 0.2), [1, 0, 0]),
        (0, (0.6, 0.2, 0.2), [0, 0, 0]),
        (10, (0.3, 0.3, 0.4), [3, 3, 4]),
    ],
)
def test_sizes_of_few_items(n: int, parts: tuple[float, ...], sizes: list[int]) -> None:
    assert part_sizes(n, parts).tolist() == sizes


@given(masks, shares(), st.integers(0, 5))
def test_every_item_gets_one_part_and_sizes_are_exact(labels: np.ndarray, parts: list[float], seed: int) -> None:
    for found in (stratified_parts(labels, parts, seed), random_parts(len(labels), parts, seed)):
        assert found.shape == labels.shape
        assert np.array_equal(np.bincount(found, minlength=len(parts)), part_sizes(len(labels), parts))


@given(masks, shares(), st.integers(0, 5))
def test_every_set_of_labels_is_divided_as_far_as_whole_items_allow(
    labels: np.ndarray, parts: list[float], seed: int
) -> None:
    found = stratified_parts(labels, parts, seed)
    for kind in np.unique(labels):
        counts = np.bincount(found[labels == kind], minlength=len(parts))
        exact = np.array(parts) * counts.sum()
        assert (counts >= np.floor(exact + 1e-9)).all()
        assert (counts - exact < len(parts)).all()


@given(masks, shares(), st.integers(0, 5))
def test_the_same_seed_gives_the_same_parts(labels: np.ndarray, parts: list[float], seed: int) -> None:
    assert np.array_equal(stratified_parts(labels, parts, seed), stratified_parts(labels, parts, seed))


def test_another_seed_gives_other_parts() -> None:
    labels = realistic(500)
    assert not np.array_equal(
        stratified_parts(labels, (0.6, 0.2, 0.2), 0), stratified_parts(labels, (0.6, 0.2, 0.2), 1)
    )


def test_a_label_with_one_item_is_in_the_largest_part() -> None:
    labels = np.array([0b01] * 20 + [0b11])
    assert stratified_parts(labels, (0.6, 0.2, 0.2), 3)[-1] == 0


def test_items_without_labels_fill_the_parts() -> None:
    assert np.bincount(stratified_parts(np.zeros(7, dtype=np.int64), (0.5, 0.5), 0)).tolist() == [4, 3]


@pytest.mark.parametrize("parts", [(0.6, 0.2, 0.2), (0.05, 0.95), (0.5, 0.5)])
@pytest.mark.parametrize("n", [1_000, 10_000])
def test_each_label_has_its_share_in_each_part_to_about_an_item(n: int, parts: tuple[float, ...]) -> None:
    labels = realistic(n)
    found = stratified_parts(labels, parts, 0)
    counts = has(labels, 19).sum(axis=0)
    for part, share in enumerate(parts):
        here = has(labels[found == part], 19).sum(axis=0)
        assert (np.abs(here - share * counts) < 1 + 0.002 * share * counts).all()


def test_pairs_are_nearer_to_the_whole_than_by_chance() -> None:
    rng = np.random.default_rng(1)
    labels = realistic(200)[np.minimum(rng.zipf(1.2, 20_000), 200) - 1]  # few sets, the first ones very often
    shares = (0.6, 0.2, 0.2)

    def error(parts: np.ndarray) -> float:
        here, whole = has(labels[parts == 2], 19), has(labels, 19)
        expected = 0.2 * (whole.T @ whole)
        return float((np.abs(here.T @ here - expected) / np.maximum(expected, 1)).mean())

    assert error(stratified_parts(labels, shares, 0)) < 0.5 * error(random_parts(len(labels), shares, 0))
