"""Dividing labelled items into parts without tearing groups (tiles, countries) apart.

What is known of a group is how many items it has, and how many of each label. `balanced_parts` looks for the division
whose sizes and labels are nearest to the shares: from several random beginnings, groups are moved and exchanged as long
as that helps. With some dozens of groups of unlike content the shares can be met but roughly; `distribution` tells how
well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrawatt.data.stratify import Parts

_BEGINNINGS = 12
_LEAST_GAIN = 1e-12
"""A change that helps less is the rounding of sums."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Items in groups.

    Attributes:
        of_item: the number of each item's group, (n,).
        items: how many items each group has, (groups,).
        labels: how many of them have each label, (groups, labels); labels that no item has are left out.
    """

    of_item: Parts
    items: NDArray[np.float64]
    labels: NDArray[np.float64]


def groups_of(of_item: Parts, masks: NDArray[np.int64]) -> Groups:
    """Count items and labels by group.

    Args:
        of_item: the number of each item's group, from 0 on without gaps, (n,).
        masks: the labels of each item as a bitmask, (n,).
    """
    n_groups = int(of_item.max()) + 1
    bits = np.arange(int(masks.max(initial=0)).bit_length())
    labels = [np.bincount(of_item, weights=masks >> bit & 1, minlength=n_groups).astype(np.float64) for bit in bits]
    found = np.stack(labels, axis=1) if labels else np.zeros((n_groups, 0))
    items = np.bincount(of_item, minlength=n_groups).astype(np.float64)
    return Groups(of_item, items, found[:, found.sum(axis=0) > 0])


def random_group_parts(groups: Groups, shares: Sequence[float], seed: int) -> Parts:
    """The part of each item: groups in random order, each to the part that lacks most items.

    There must be as many groups as parts with a share.
    """
    rng = np.random.default_rng(seed)
    return _random_division(groups.items, _Goal.of(groups, shares), rng)[groups.of_item]


def balanced_group_parts(groups: Groups, shares: Sequence[float], seed: int) -> Parts:
    """The part of each item: the best of several divisions with sizes and labels as near to the shares as they get.

    There must be as many groups as parts with a share.
    """
    rng = np.random.default_rng(seed)
    goal = _Goal.of(groups, shares)
    found = [_improved(_random_division(groups.items, goal, rng), goal) for _ in range(_BEGINNINGS)]
    return min(found, key=goal.distance)[groups.of_item]


@dataclass(frozen=True, slots=True, eq=False)
class _Goal:
    """What a division of groups aims at.

    Attributes:
        parts: numbers of the parts that have a share.
        shares: theirs.
        content: of each group as shares of the whole, (groups, features): its items, then each label. Items weigh as
            much as all labels together.
    """

    parts: Parts
    shares: NDArray[np.float64]
    content: NDArray[np.float64]

    @classmethod
    def of(cls, groups: Groups, shares: Sequence[float]) -> "_Goal":
        given = np.asarray(shares, dtype=np.float64)
        parts = np.flatnonzero(given > 0)
        n_labels = groups.labels.shape[1]
        items = groups.items[:, np.newaxis] / groups.items.sum()
        labels = groups.labels / groups.labels.sum(axis=0)
        content = np.concatenate([np.repeat(items, max(n_labels, 1), axis=1), labels], axis=1)
        return cls(parts, given[parts], content)

    def totals(self, division: Parts) -> NDArray[np.float64]:
        """The content of each part, (parts, features)."""
        return np.stack([self.content[division == part].sum(axis=0) for part in self.parts])

    def costs(self, totals: NDArray[np.float64], place: int) -> NDArray[np.float64]:
        """How far contents (…, features) of the part at a place are from its share: squares of relative deviations."""
        found: NDArray[np.float64] = ((totals / self.shares[place] - 1) ** 2).sum(axis=-1)
        return found

    def distance(self, division: Parts) -> float:
        totals = self.totals(division)
        return float(sum(self.costs(totals[place], place) for place in range(len(self.parts))))


def _random_division(items: NDArray[np.float64], goal: _Goal, rng: np.random.Generator) -> Parts:
    """Groups in random order, each to the part that lacks most; the last ones to parts that have none yet."""
    order = rng.permutation(len(items))
    lacks = goal.shares * items.sum()
    division = np.empty(len(items), dtype=np.int64)
    is_empty = np.ones(len(lacks), dtype=bool)
    for number, group in enumerate(order):
        must_fill = is_empty.sum() >= len(items) - number
        place = int(np.argmax(np.where(is_empty, lacks, -np.inf) if must_fill else lacks))
        division[group] = goal.parts[place]
        lacks[place] -= items[group]
        is_empty[place] = False
    return division


def _improved(division: Parts, goal: _Goal) -> Parts:
    """Move and exchange groups until nothing helps any more; no part loses its last group."""
    division = division.copy()
    changed = True
    while changed:
        changed = False
        for group in range(len(division)):
            if (better := _better(division, group, goal)) is not None:
                division, changed = better, True
    return division


def _better(division: Parts, group: int, goal: _Goal) -> Parts | None:
    """The best division by moving one group, or exchanging it with another; None when none is better."""
    totals = goal.totals(division)
    here = int(np.flatnonzero(goal.parts == division[group])[0])
    own = goal.content[group]
    is_last = (division == division[group]).sum() == 1
    best_gain, best = _LEAST_GAIN, None
    for there, part in enumerate(goal.parts):
        if there == here:
            continue
        before = goal.costs(totals[here], here) + goal.costs(totals[there], there)
        others = np.flatnonzero(division == part)
        given = np.concatenate([np.zeros((1, len(own))), goal.content[others]])  # moved alone, or for another one
        after = goal.costs(totals[here] - own + given, here) + goal.costs(totals[there] + own - given, there)
        after[0] = np.inf if is_last else after[0]
        choice = int(np.argmin(after))
        if (gain := float(before - after[choice])) > best_gain:
            best_gain, best = gain, division.copy()
            best[group] = part
            if choice:
                best[others[choice - 1]] = division[group]
    return best
