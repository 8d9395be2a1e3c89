"""A split applied to a pack: the rows of each part, and what the one has and the other has not."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from terrawatt.data.inventory import Inventory
from terrawatt.data.label_table import NO_PART
from terrawatt.data.pack import Pack
from terrawatt.data.packformat import SPLITS
from terrawatt.data.splitfile import Split
from terrawatt.data.stratify import part_sizes, stratified_parts
from terrawatt.errors import DataError

_NAMED = 3


@dataclass(frozen=True, slots=True, eq=False)
class ChosenRows:
    """Rows of a pack by part, in ascending order.

    Attributes:
        rows: by part.
        missing: names in the split that the pack lacks, sorted.
        flagged: patches of the split that training leaves out: snow, cloud, none of the 19 classes.
        unused: usable patches of the pack that the split does not name.
    """

    rows: dict[str, NDArray[np.int64]]
    missing: pa.StringArray
    flagged: int
    unused: int

    def remarks(self) -> list[str]:
        """What a user should know of them, a line each."""
        found = []
        if len(self.missing):
            found.append(f"{len(self.missing)} patches of the split are not in the pack ({_some(self.missing)})")
        if self.flagged:
            found.append(f"{self.flagged} patches of the split have snow, cloud or no class, and are left out")
        if self.unused:
            found.append(f"{self.unused} patches of the pack are not in the split, and are left out")
        return found


def choose_rows(pack: Pack, split: Split, missing_share: float = 0.0) -> ChosenRows:
    """Find a split's patches in a pack.

    Args:
        pack: the pack.
        split: the split.
        missing_share: the share of the split's patches that the pack may lack.

    Raises:
        DataError: it lacks more; says how many, and names the first.
    """
    rows = pack.rows_named(split.patch_ids)
    is_there = rows >= 0
    missing = _allowed_missing(pack.path, split, is_there, missing_share)
    usable = np.zeros(len(pack), dtype=bool)
    usable[pack.usable_rows()] = True
    used = is_there.copy()
    used[is_there] = usable[rows[is_there]]
    return ChosenRows(
        rows={part: np.sort(rows[used & (split.parts == number)]) for number, part in enumerate(SPLITS)},
        missing=missing,
        flagged=int(is_there.sum() - used.sum()),
        unused=int(usable.sum() - used.sum()),
    )


def parts_in(inventory: Inventory, split: Split, missing_share: float = 0.0) -> NDArray[np.int8]:
    """The number of the part that a split puts each patch of an inventory in; -1: none.

    Raises:
        DataError: as `choose_rows`.
    """
    is_there = pc.is_in(split.patch_ids, value_set=inventory.patch_ids)
    _allowed_missing(inventory.path, split, np.asarray(is_there), missing_share)
    found = pc.index_in(inventory.patch_ids, value_set=split.patch_ids)
    parts: NDArray[np.int8] = pc.fill_null(pa.array(split.parts).take(found), NO_PART).to_numpy()
    return parts


def _allowed_missing(path: Path, split: Split, is_there: NDArray[np.bool_], missing_share: float) -> pa.StringArray:
    """The names that are not there, if their share is allowed."""
    missing = split.patch_ids.filter(pa.array(~is_there))
    share = len(missing) / max(len(split.patch_ids), 1)
    if share > missing_share:
        raise DataError(
            f"{path}: it lacks {len(missing)} of the split's {len(split.patch_ids)} patches, {100 * share:.3g} % "
            f"({_some(missing)}); give another pack or split, or allow it with --missing-share"
        )
    return missing


def fraction_size(n: int, fraction: float) -> int:
    """How many of n patches a fraction is; one at least."""
    return max(int(part_sizes(n, (fraction, 1 - fraction))[0]), min(n, 1))


def fraction_of(rows: NDArray[np.int64], masks: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.int64]:
    """A fraction of some rows, in ascending order, in which every label is as frequent as in all of them.

    Args:
        rows: row numbers of a pack, ascending.
        masks: the labels of all rows of the pack as bitmasks.
        fraction: above 0, up to 1.
        seed: of chance.
    """
    if fraction >= 1 or not len(rows):
        return rows
    share = fraction_size(len(rows), fraction) / len(rows)
    chosen: NDArray[np.int64] = rows[stratified_parts(masks[rows], (share, 1 - share), seed) == 0]
    return chosen


def _some(names: pa.StringArray) -> str:
    first = names.slice(0, _NAMED).to_pylist()
    return ", ".join(first) + (", …" if len(names) > _NAMED else "")
