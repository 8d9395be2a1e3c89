"""What can be split: the patches of a pack, an archive, a table or split lists, with labels and places, no pixels.

Patches are in the order of their names, and those that training leaves out (snow, cloud, none of the 19 classes) are
not among them: the same patches make the same split, whatever they were read from.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from terrawatt.data.archive import open_archive
from terrawatt.data.info import is_pack
from terrawatt.data.label_table import NO_PART, read_label_table, with_19
from terrawatt.data.pack import Pack
from terrawatt.data.packformat import SPLITS
from terrawatt.data.patch import Archive
from terrawatt.data.splits import has_split_lists, read_split_lists
from terrawatt.errors import DataError

Progress = Callable[[int], None]
Counting = Callable[[int], AbstractContextManager[Progress]]
"""Begins to count work of a known length: gives what is called with the number done so far."""


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """Patches to be split, by name.

    Attributes:
        path: where they were read from.
        kind: "pack", "archive", "table" or "lists".
        version: "v1" or "v2".
        patch_ids: names, sorted.
        masks: labels as bitmasks (n,) by their number; 43 only for v1, nothing for lists.
        parts: the number of each patch's own split in `packformat.SPLITS`; -1: none.
        left_out: patches there that training leaves out.
        folders: of the patches of an archive, by name; their JSON tells the tile of v1.
        countries: of each patch, where the source tells.
    """

    path: Path
    kind: str
    version: str
    patch_ids: pa.StringArray
    masks: dict[int, NDArray[np.int64]]
    parts: NDArray[np.int8]
    left_out: int = 0
    folders: dict[str, Path] = field(default_factory=dict)
    countries: pa.StringArray | None = None

    def __len__(self) -> int:
        return len(self.patch_ids)

    def labels(self, n_classes: int) -> NDArray[np.int64]:
        """The bitmasks over 43 labels or 19 classes.

        Raises:
            DataError: the source has no labels, or not those.
        """
        if not self.masks:
            raise DataError(
                f"{self.path}: {self.kind} without labels; split a pack, an archive or v2's metadata.parquet"
            )
        if n_classes not in self.masks:
            raise DataError(
                f"{self.path} is of BigEarthNet {self.version}, which has only the 19 classes; use --labels 19"
            )
        return self.masks[n_classes]

    def only(self, chosen: NDArray[np.bool_]) -> "Inventory":
        """A part of the patches."""
        return Inventory(
            self.path,
            self.kind,
            self.version,
            self.patch_ids.filter(pa.array(chosen)),
            {n: masks[chosen] for n, masks in self.masks.items()},
            self.parts[chosen],
            self.left_out,
            self.folders,
            None if self.countries is None else self.countries.filter(pa.array(chosen)),
        )

    def fingerprint(self) -> dict[str, Any]:
        """What tells this source from others: names and labels of its patches, wherever it lies."""
        digest = hashlib.sha256("\n".join(self.patch_ids.to_pylist()).encode())
        for n_classes in sorted(self.masks):
            digest.update(self.masks[n_classes].astype("<i8").tobytes())
        return {
            "path": str(self.path.resolve()),
            "kind": self.kind,
            "bigearthnet_version": self.version,
            "patches": len(self),
            "sha256": digest.hexdigest(),
        }


def open_inventory(
    source: Path,
    *,
    version: str | None = None,
    splits: Path | None = None,
    metadata: Path | None = None,
    counting: Counting | None = None,
) -> Inventory:
    """The patches of a pack, an archive, a table (a file) or a folder of split lists.

    Args:
        source: any of them.
        version: of an archive, where the folder holds both.
        splits: lists of an archive of v1.
        metadata: table of an archive of v2.
        counting: counts the patches of an archive whose labels are read.

    Raises:
        DataError: it is none of them, or cannot be read.
    """
    if source.is_file():
        return _of_table(source)
    if is_pack(source):
        return _of_pack(Pack.open(source))
    if has_split_lists(source):
        return _of_lists(source)
    return _of_archive(open_archive(source, version=version, splits=splits, metadata=metadata), counting or _uncounted)


def _of_pack(pack: Pack) -> Inventory:
    rows = pack.usable_rows()
    parts = np.full(len(pack), NO_PART, dtype=np.int8)
    for number, split in enumerate(SPLITS):
        parts[pack.rows(split)] = number
    n_classes = (43, 19) if pack.version == "v1" else (19,)
    masks = {n: pack.masks(n)[rows] for n in n_classes}
    names = pack.names(rows)
    return _sorted(pack.path, "pack", pack.version, names, masks, parts[rows], left_out=len(pack) - len(rows))


def _of_table(file: Path) -> Inventory:
    table = read_label_table(file)
    usable = ~table.flagged
    if table.masks:
        usable &= table.masks[19] != 0
    mask = pa.array(usable)
    return _sorted(
        file,
        "table",
        "v1" if 43 in table.masks else "v2",
        table.patch_ids.filter(mask),
        {n: masks[usable] for n, masks in table.masks.items()},
        table.parts[usable],
        left_out=int((~usable).sum()),
        countries=None if table.countries is None else table.countries.filter(mask),
    )


def _of_lists(folder: Path) -> Inventory:
    lists = read_split_lists(folder)
    names = [name for name in lists.split if not lists.flags.get(name)]
    parts = np.array([SPLITS.index(lists.split[name]) for name in names], dtype=np.int8)
    left_out = len(lists.split) - len(names)
    return _sorted(folder, "lists", "v1", pa.array(names, pa.string()), {}, parts, left_out=left_out)


@contextmanager
def _uncounted(_total: int) -> Iterator[Progress]:
    yield lambda _done: None


def _of_archive(archive: Archive, counting: Counting) -> Inventory:
    names, parts, masks = [], [], []
    with counting(len(archive.entries)) as advance:
        for done, entry in enumerate(archive.entries, 1):
            found = archive.labels(entry)
            if not entry.flags and found.mask_19:
                names.append(entry.patch_id)
                parts.append(NO_PART if entry.split is None else SPLITS.index(entry.split))
                masks.append(found.mask_19 if found.mask_43 is None else found.mask_43)
            advance(done)
    bits = np.array(masks, dtype=np.int64)
    return _sorted(
        archive.root,
        "archive",
        archive.version,
        pa.array(names, pa.string()),
        with_19(bits) if archive.version == "v1" else {19: bits},
        np.array(parts, dtype=np.int8),
        left_out=len(archive.entries) - len(names),
        folders={entry.patch_id: entry.folder for entry in archive.entries},
    )


def _sorted(
    path: Path,
    kind: str,
    version: str,
    patch_ids: pa.StringArray,
    masks: dict[int, NDArray[np.int64]],
    parts: NDArray[np.int8],
    *,
    left_out: int,
    folders: dict[str, Path] | None = None,
    countries: pa.StringArray | None = None,
) -> Inventory:
    if not len(patch_ids):
        raise DataError(f"{path} holds no patch that can be split")
    order = pc.sort_indices(patch_ids)
    by_name = order.to_numpy()
    return Inventory(
        path,
        kind,
        version,
        patch_ids.take(order),
        {n: values[by_name] for n, values in masks.items()},
        parts[by_name],
        left_out,
        folders or {},
        None if countries is None else countries.take(order),
    )
