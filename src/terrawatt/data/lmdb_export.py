"""Writing a pack as the LMDB of rico-hdl (`lmdb_format.py`), with labels, splits and flags in a table beside it.

    DST/
      data.mdb
      metadata.parquet      columns as in the metadata of BigEarthNet v2.0, as far as a pack knows them

What `terrawatt data pack` makes of it is the same pack again, where that one's patches are in the order of their names.
"""

import mmap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from terrawatt.data.bands import RESOLUTIONS
from terrawatt.data.building import building_at_once
from terrawatt.data.label_table import FLAG_COLUMNS
from terrawatt.data.labels import LABELS_19, LABELS_43, mask_to_names
from terrawatt.data.lmdb_format import DATA, encoder, require_lmdb
from terrawatt.data.pack import Pack
from terrawatt.data.shards import write_durably
from terrawatt.data.space import check_space
from terrawatt.data.v2 import METADATA
from terrawatt.errors import PackError

if TYPE_CHECKING:
    from lmdb import Environment

Progress = Callable[[int], None]

_HEADER_BYTES: Final = 2_048
"""Of a value, at most: names, types and places of twelve bands (832 bytes), and LMDB's own 16."""
_SPARE_BYTES: Final = 16 << 20
"""For the tree of keys, beside some hundred bytes a patch: pages that a transaction replaces stay for a while."""
_AT_ONCE: Final = 256


def export_lmdb(pack: Pack, destination: Path, *, progress: Progress | None = None) -> int:
    """Write all patches of a pack, of all bands or of RGB alone.

    Args:
        pack: the pack.
        destination: the folder, which must not exist.
        progress: called with the number of patches done so far.

    Returns:
        The size of `data.mdb` in bytes.

    Raises:
        PackError: the destination exists, cannot be written, or has no room.
        DataError: lmdb or safetensors are not installed.
    """
    lmdb = require_lmdb()
    value_bytes = sum(resolution.patch_bytes for resolution in pack.manifest.resolutions) + _HEADER_BYTES
    patch_bytes = -(-value_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
    with building_at_once(destination) as folder:
        check_space(folder, len(pack), patch_bytes)
        map_size = len(pack) * (patch_bytes + _HEADER_BYTES) + _SPARE_BYTES
        try:
            # Ordinary writes, not through the memory map: on a full disk they fail, the map would end the process.
            with lmdb.open(str(folder), map_size=map_size, lock=False, sync=False, metasync=False) as environment:
                _put_patches(environment, pack, progress or (lambda done: None))
                environment.sync(True)
        except lmdb.Error as error:
            raise PackError(f"cannot write {folder / DATA}: {error}; is the disk full?") from None
        write_durably(folder / METADATA, _table(pack))
    return (destination / DATA).stat().st_size


def _put_patches(environment: "Environment", pack: Pack, report: Progress) -> None:
    """In the order of the keys, which fills the pages of the tree."""
    encode = encoder()
    names = pack.patch_ids(np.arange(len(pack)))
    order = np.argsort(names, kind="stable")
    buffers = pack.buffers(_AT_ONCE, rgb_only=not pack.has_all_bands)
    for first in range(0, len(pack), _AT_ONCE):
        rows = order[first : first + _AT_ONCE]
        found = pack.read(rows, rgb_only=not pack.has_all_bands, out=buffers)
        with environment.begin(write=True) as transaction:
            for name, *arrays in zip(names[rows], *found.arrays, strict=True):
                transaction.put(name.encode(), encode(_by_band(arrays)), append=True)
        report(first + len(rows))


def _by_band(arrays: list[NDArray[np.uint16]]) -> dict[str, NDArray[np.uint16]]:
    """A patch's bands by name; in a pack of RGB alone they are the first of r10."""
    return {
        band: pixels
        for resolution, array in zip(RESOLUTIONS, arrays, strict=False)
        for band, pixels in zip(resolution.bands, array, strict=False)
    }


def _table(pack: Pack) -> bytes:
    """The patches' labels, splits and flags, in the order of the pack, as Parquet."""
    n_classes, known = (43, LABELS_43) if pack.version == "v1" else (19, LABELS_19)
    masks, of_row = np.unique(pack.masks(n_classes), return_inverse=True)
    labels = pa.array([sorted(mask_to_names(int(mask), known)) for mask in masks], pa.list_(pa.string()))
    flags = pack.flags
    table = pa.table(
        {
            "patch_id": pack.names(np.arange(len(pack))),
            "labels": labels.take(pa.array(of_row)),
            "split": pack.splits,
            **{name: pa.array(flags & flag != 0) for name, flag in FLAG_COLUMNS.items()},
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())
