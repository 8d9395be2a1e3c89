"""Making a split: patches with labels and places in, patches in parts out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrawatt import __version__
from terrawatt.data.inventory import Inventory
from terrawatt.data.label_table import NO_PART
from terrawatt.data.packformat import SPLITS
from terrawatt.data.places import group_numbers, places
from terrawatt.data.splitfile import Split, new_split
from terrawatt.data.stratify import random_parts, stratified_parts
from terrawatt.data.stratify_groups import balanced_group_parts, groups_of, random_group_parts
from terrawatt.errors import DataError, UsageError

STRATIFIED, RANDOM, OFFICIAL = "stratified", "random", "official"
DEFAULT_SIZES = (0.6, 0.2, 0.2)
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Method:
    """How patches get into parts.

    Attributes:
        how: `STRATIFIED`, `RANDOM` or `OFFICIAL`.
        sizes: shares of train, validation and test, with the sum 1.
        seed: of chance.
        labels: 43 or 19, those that are stratified by.
        by: `places.TILE` or `places.COUNTRY`, which stay whole; None: each patch on its own.
    """

    how: str = STRATIFIED
    sizes: tuple[float, float, float] = DEFAULT_SIZES
    seed: int = 0
    labels: int = 19
    by: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A split that was made, and of what.

    Attributes:
        split: the split.
        inventory: the patches that it divides, in its order.
        unplaced: patches of which the tile or country is not known, or that have no official split; they are in no
            part.
        groups: how many tiles or countries each part has; empty where patches were divided on their own.
    """

    split: Split
    inventory: Inventory
    unplaced: int
    groups: Mapping[str, int]


def checked_sizes(sizes: tuple[float, float, float]) -> tuple[float, float, float]:
    """Shares of three parts that sum to 1.

    Raises:
        UsageError: they do not, one is below 0, or train has none.
    """
    written = " ".join(f"{size:g}" for size in sizes)
    if not all(0 <= size <= 1 for size in sizes) or abs(sum(sizes) - 1) > _ROUNDING:
        raise UsageError(f"--sizes {written}: give shares of train, validation and test that sum to 1, as 0.6 0.2 0.2")
    if sizes[0] == 0:
        raise UsageError(f"--sizes {written}: the first share is that of train, which cannot be empty")
    total = sum(sizes)
    return (sizes[0] / total, sizes[1] / total, sizes[2] / total)


def make_split(inventory: Inventory, method: Method, metadata: Path | None = None) -> Made:
    """Divide patches into train, validation and test.

    Args:
        inventory: the patches.
        method: how.
        metadata: v2's table, for the tiles and countries of patches whose source does not tell them.

    Raises:
        DataError: the labels, places or official splits that the method needs are not there.
    """
    whole = len(inventory)
    groups: Mapping[str, int] = {}
    if method.how == OFFICIAL:
        inventory = _with_official_split(inventory)
        parts = inventory.parts
    elif method.by is not None:
        inventory, parts, groups = _by_place(inventory, method, metadata)
    elif method.how == RANDOM:
        parts = random_parts(whole, method.sizes, method.seed).astype(np.int8)
    else:
        parts = stratified_parts(inventory.labels(method.labels), method.sizes, method.seed).astype(np.int8)
    split = new_split(inventory.patch_ids, parts, _provenance(inventory, method))
    return Made(split, inventory, whole - len(inventory), groups)


def _with_official_split(inventory: Inventory) -> Inventory:
    has_split = inventory.parts != NO_PART
    if not has_split.any():
        raise DataError(
            f"{inventory.path}: no patch has a split of its own (v1: give the lists with --splits DIR; v2: the column "
            "`split` of metadata.parquet)"
        )
    return inventory if has_split.all() else inventory.only(has_split)


def _by_place(
    inventory: Inventory, method: Method, metadata: Path | None
) -> tuple[Inventory, NDArray[np.int8], dict[str, int]]:
    """Divide whole tiles or countries; patches of which none is known are left out."""
    by = str(method.by)
    known = places(inventory, by, metadata)
    if known.null_count:
        is_known = np.asarray(known.is_valid())
        inventory, known = inventory.only(is_known), known.drop_null()
    numbers, names = group_numbers(known)
    n_parts = sum(size > 0 for size in method.sizes)
    if len(names) < n_parts:
        raise DataError(
            f"{inventory.path}: its patches lie in {len(names)} {_plural(by, len(names))} ({', '.join(names)}), which "
            f"cannot be divided into {n_parts} parts; give a part the size 0, or divide by something else"
        )
    divide = random_group_parts if method.how == RANDOM else balanced_group_parts
    masks = np.zeros(len(inventory), dtype=np.int64) if method.how == RANDOM else inventory.labels(method.labels)
    parts = divide(groups_of(numbers, masks), method.sizes, method.seed).astype(np.int8)
    counts = {part: len(np.unique(numbers[parts == number])) for number, part in enumerate(SPLITS)}
    return inventory, parts, counts


def _plural(by: str, n: int) -> str:
    if n == 1:
        return by
    return "countries" if by == "country" else f"{by}s"


def _provenance(inventory: Inventory, method: Method) -> dict[str, Any]:
    found: dict[str, Any] = {"method": method.how}
    if method.how != OFFICIAL:
        found |= {"by": method.by or "patch", "sizes": list(method.sizes), "seed": method.seed}
    if method.how == STRATIFIED:
        found["labels"] = method.labels
    return found | {
        "source": inventory.fingerprint(),
        "terrawatt": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
