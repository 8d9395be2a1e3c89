"""The pixels of a pack's shards as memory maps, and copies of any of their patches.

What a map reads stays in the system's page cache, shared by all processes that read the pack: a pack that fits there is
read from the disk once. Copies go patch by patch, each byte once, whatever shards the patches are in.
"""

import mmap
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrawatt.data import packformat
from terrawatt.data.bands import Resolution
from terrawatt.data.packformat import Manifest
from terrawatt.errors import PackError

Numbers = NDArray[np.integer[Any]]
Pixels = NDArray[np.uint16]

_WILL_NEED: Final[int | None] = getattr(mmap, "MADV_WILLNEED", None)  # not on Windows


class MappedShards:
    """The arrays of a pack; a file is mapped when a patch of it is asked for.

    A patch is named by its shard and its position there, a resolution by the bands that are wanted of the pack's own:
    all, or the first few.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self._path = path
        self._manifest = manifest
        self._mapped: dict[tuple[int, str], _Mapped] = {}

    def copy(
        self,
        shards: Numbers,
        positions: Numbers,
        out: Mapping[Resolution, Pixels],
        helper: Executor | None = None,
    ) -> None:
        """Copy n patches into arrays (n, bands, pixels, pixels), in the given order.

        Args:
            shards: of the patches, (n,).
            positions: of the patches in their shards, (n,).
            out: where to, by resolution.
            helper: a thread of it copies half of the patches.

        Raises:
            PackError: a shard's file is no array of the expected kind.
        """
        numbers = np.unique(shards).tolist()
        sources = [{shard: self.array(shard, resolution) for shard in numbers} for resolution in out]

        def copy(part: slice) -> None:
            for source, target in zip(sources, out.values(), strict=True):
                _copy(source, shards[part], positions[part], target[part])

        if helper is None:
            copy(slice(None))
            return
        half = len(shards) // 2
        other = helper.submit(copy, slice(half, None))
        copy(slice(half))
        other.result()

    def announce(self, shards: Numbers, positions: Numbers, resolutions: Iterable[Resolution]) -> None:
        """Have the system begin to read patches from the disk; returns at once."""
        if _WILL_NEED is None:
            return
        for resolution in resolutions:
            for shard, position in zip(shards.tolist(), positions.tolist(), strict=True):
                mapped = self._map(shard, resolution)
                start = mapped.first_byte + position * mapped.array.strides[0]
                before = start % mmap.PAGESIZE  # pages are advised whole
                mapped.memory.madvise(_WILL_NEED, start - before, before + resolution.patch_bytes)

    def array(self, shard: int, resolution: Resolution) -> Pixels:
        """All patches of a shard, (patches, bands, pixels, pixels), not copied.

        Raises:
            PackError: its file is no array of the expected kind.
        """
        array = self._map(shard, resolution).array
        n_bands = len(resolution.bands)
        return array if n_bands == array.shape[1] else array[:, :n_bands]

    def _map(self, shard: int, resolution: Resolution) -> "_Mapped":
        key = (shard, resolution.name)
        if key not in self._mapped:
            own = next(own for own in self._manifest.resolutions if own.name == resolution.name)
            self._mapped[key] = _map_file(self._path, self._manifest.shards[shard].patches, shard, own)
        return self._mapped[key]


class _Mapped(NamedTuple):
    """A file of a shard in memory: its pixels, and where they begin in it."""

    array: Pixels
    memory: mmap.mmap
    first_byte: int


def _map_file(path: Path, patches: int, shard: int, resolution: Resolution) -> _Mapped:
    file = path / packformat.shard_file(shard, resolution.name)
    expected = packformat.npy_header(patches, resolution)
    with file.open("rb") as stream:
        if stream.read(len(expected)) != expected:
            raise PackError(f"{file} is damaged: its header is wrong; pack the data again")
        memory = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    # As a plain array: taking a row out of a numpy.memmap costs ten times as much.
    array = np.ndarray((patches, *resolution.shape), packformat.PIXEL_TYPE, memory, len(expected))
    return _Mapped(array, memory, len(expected))


def _copy(source: Mapping[int, Pixels], shards: Numbers, positions: Numbers, out: Pixels) -> None:
    """Copy patches from the arrays of their shards."""
    if len(source) == 1:
        (array,) = source.values()
        if array.flags.c_contiguous:  # of another, numpy would first make a copy, whole
            # Not mode="raise", which copies everything twice; that the rows exist was seen before.
            np.take(array, positions, axis=0, out=out, mode="clip")
            return
    for index, (shard, position) in enumerate(zip(shards.tolist(), positions.tolist(), strict=True)):
        out[index] = source[shard][position]
