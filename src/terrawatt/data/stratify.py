"""Dividing labelled items into parts of given sizes so that every label keeps its share in each: pure numpy.

Iterative stratification (Sechidis, Tsoumakas & Vlahavas, "On the stratification of multi-label data", ECML PKDD 2011)
goes item by item, which takes long with half a million of them. But BigEarthNet's 480,038 patches have only 5,350
different sets of labels. So each set is divided first, as far as whole items allow: of the 52,477 patches of the most
frequent set each part gets its share, chosen at random. That keeps labels, pairs and all larger sets of labels in
proportion. Only the rest, less than one item a set and part, is given out one by one, the rarest label first; then its
items are exchanged between the parts as long as labels come nearer to their shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Parts = NDArray[np.int64]
"""The number of each item's part."""

_TRIED = 64
"""Items of a part that are tried in an exchange: those whose leaving helps most."""
_MOST_ROUNDS = 2000
_LEAST_GAIN = 1e-9
"""An exchange that helps less is the rounding of sums."""


def part_sizes(items: int, shares: Sequence[float]) -> Parts:
    """How many items each part gets: its share to the nearest item, and all items together (largest remainders).

    Args:
        items: how many there are to give out.
        shares: of each part, 0 or more, with the sum 1.
    """
    exact = np.asarray(shares, dtype=np.float64) * items
    sizes = np.floor(exact + 1e-9).astype(np.int64)  # 0.6 · 5 is a little below 3
    by_remainder = np.argsort(sizes - exact, kind="stable")
    sizes[by_remainder[: items - int(sizes.sum())]] += 1
    return sizes


def random_parts(items: int, shares: Sequence[float], seed: int) -> Parts:
    """Parts of exact sizes, whatever the labels."""
    parts = np.repeat(np.arange(len(shares)), part_sizes(items, shares))
    return np.random.default_rng(seed).permutation(parts)


def stratified_parts(masks: NDArray[np.int64], shares: Sequence[float], seed: int) -> Parts:
    """Parts of exact sizes in which every label, and every set of labels, is as frequent as in the whole.

    Args:
        masks: the labels of each item as a bitmask, (n,).
        shares: of each part, 0 or more, with the sum 1.
        seed: of the chance by which an item gets into this part or that.

    Returns:
        The part of each item, (n,); the same for the same masks, shares and seed.
    """
    rng = np.random.default_rng(seed)
    parts, rest = _divide_sets(masks, np.asarray(shares, dtype=np.float64), rng)
    if len(rest):
        _give_out(masks, parts, rest, np.asarray(shares, dtype=np.float64), rng)
    return parts


def _divide_sets(
    masks: NDArray[np.int64], shares: NDArray[np.float64], rng: np.random.Generator
) -> tuple[Parts, Parts]:
    """Divide the items of each set as far as whole items allow; also gives the rest, in random order."""
    order = rng.permutation(len(masks))
    order = order[np.argsort(masks[order], kind="stable")]  # items of a set together, in random order
    _, set_of, sizes = np.unique(masks[order], return_inverse=True, return_counts=True)
    begin = np.cumsum(sizes) - sizes
    position = np.arange(len(masks)) - begin[set_of]
    whole = np.floor(sizes[:, np.newaxis] * shares + 1e-9).astype(np.int64)
    ends = np.cumsum(whole, axis=1)
    part = (position[:, np.newaxis] >= ends[set_of]).sum(axis=1)
    parts = np.empty(len(masks), dtype=np.int64)
    parts[order] = np.where(part < len(shares), part, -1)
    return parts, rng.permutation(order[part == len(shares)])


@dataclass(frozen=True, slots=True, eq=False)
class _Rest:
    """Items that are given out one by one.

    Attributes:
        items: their numbers, (rest,).
        has: their labels, (rest, labels).
        part: the part of each, -1 for none yet; changes.
        lacks: how many items of each label each part lacks of its share, (parts, labels); changes.
        places: how many items it lacks, (parts,); changes.
    """

    items: Parts
    has: NDArray[np.bool_]
    part: Parts
    lacks: NDArray[np.float64]
    places: Parts


def _give_out(
    masks: NDArray[np.int64], parts: Parts, rest: Parts, shares: NDArray[np.float64], rng: np.random.Generator
) -> None:
    """Give each item of the rest to a part, then exchange items as long as labels come nearer to their shares."""
    n_labels = max(int(masks.max(initial=0)).bit_length(), 1)
    has = ((masks[:, np.newaxis] >> np.arange(n_labels)) & 1).astype(bool)
    counts = has.sum(axis=0)
    taken = np.stack([has[parts == part].sum(axis=0) for part in range(len(shares))])
    given = np.bincount(parts[parts >= 0], minlength=len(shares))
    left = _Rest(
        items=rest,
        has=has[rest],
        part=np.full(len(rest), -1),
        lacks=shares[:, np.newaxis] * counts - taken,
        places=part_sizes(len(masks), shares.tolist()) - given,
    )
    _rarest_first(left, rng)
    _exchange(left, shares[:, np.newaxis] * counts)
    parts[rest] = left.part


def _rarest_first(rest: _Rest, rng: np.random.Generator) -> None:
    """Give each item to the part that lacks its rarest label most (Sechidis et al., algorithm 1).

    Unlike there, a part that has as many items as it shall have takes no more: sizes are exact.
    """
    counts = rest.has.sum(axis=0)
    while counts.any():
        rarest = int(np.argmin(np.where(counts > 0, counts, len(rest.items) + 1)))
        for index in np.flatnonzero((rest.part < 0) & rest.has[:, rarest]):
            part = _neediest(rest, rarest, rng)
            rest.part[index] = part
            rest.lacks[part, rest.has[index]] -= 1
            rest.places[part] -= 1
            counts -= rest.has[index]
    without_labels = np.flatnonzero(rest.part < 0)
    rest.part[without_labels] = rng.permutation(np.repeat(np.arange(len(rest.places)), rest.places))


def _neediest(rest: _Rest, label: int, rng: np.random.Generator) -> int:
    """The part with a place that lacks a label most; of equal ones that which lacks most items; of equal ones any."""
    parts = np.flatnonzero(rest.places > 0)
    lacks = np.round(rest.lacks[parts, label], 9)  # equal, though sums of shares were rounded otherwise
    parts = parts[lacks == lacks.max()]
    places = rest.places[parts]
    parts = parts[places == places.max()]
    return int(parts[0] if len(parts) == 1 else rng.choice(parts))


def _exchange(rest: _Rest, wanted: NDArray[np.float64]) -> None:
    """Exchange items of two parts as long as Pearson's χ² = Σ (counted − wanted)² / wanted becomes smaller."""
    weights = 1 / np.where(wanted > 0, wanted, np.inf)
    pairs = [(i, j) for i in range(len(wanted)) for j in range(i)]
    for _ in range(_MOST_ROUNDS):
        helped = [_exchange_best(rest, weights, i, j) for i, j in pairs]
        if not any(helped):
            return


def _exchange_best(rest: _Rest, weights: NDArray[np.float64], i: int, j: int) -> bool:
    """Exchange the best items of two parts; False when no exchange helps.

    With x the labels of an item of part i (0 or 1), y those of one of part j, and d what a part has too much, the
    exchange changes χ² by Σ (yₗ − xₗ) g + (yₗ − xₗ)² q, with g = 2 (wᵢ dᵢ − wⱼ dⱼ) and q = wᵢ + wⱼ.
    """
    q = weights[i] + weights[j]
    g = 2 * (weights[j] * rest.lacks[j] - weights[i] * rest.lacks[i])
    here, there = np.flatnonzero(rest.part == i), np.flatnonzero(rest.part == j)
    if not len(here) or not len(there):
        return False
    by_own = rest.has[here] @ (q - g)
    chosen = np.argsort(by_own, kind="stable")[:_TRIED]
    x, y = rest.has[here[chosen]].astype(np.float64), rest.has[there]
    change = by_own[chosen, np.newaxis] + y @ (q + g) - 2 * (x * q) @ y.T
    best = int(np.argmin(change))
    if change.flat[best] > -_LEAST_GAIN:
        return False
    first, second = here[chosen[best // len(there)]], there[best % len(there)]
    rest.part[first], rest.part[second] = j, i
    moved = rest.has[second].astype(np.float64) - rest.has[first]
    rest.lacks[i] -= moved
    rest.lacks[j] += moved
    return True
