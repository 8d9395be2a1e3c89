"""Reading a pack: BigEarthNet patches as memory-mapped uint16 arrays of native resolution, with a Parquet index.

The format and its history are in `packformat.py`. No torch here: arrays in numpy come out, and 20 m and 60 m bands
are upsampled later, on the device.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from terrawatt.data import packformat
from terrawatt.data.bands import BANDS, PUBLISHED, RESOLUTIONS, RGB, RGB_RESOLUTIONS, BandStatistics, Resolution
from terrawatt.data.labels import masks_to_multi_hot
from terrawatt.data.mapped import MappedShards
from terrawatt.data.packfiles import check_rows, check_sizes, file_checksum, read_index, read_manifest
from terrawatt.data.packformat import SPLITS, Manifest
from terrawatt.errors import PackError

Rows = Sequence[int] | NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class BandArrays:
    """The bands of n patches in native resolution, as digital numbers (reflectance × 10⁴).

    Attributes:
        r10: uint16 (n, 4, 120, 120), bands B04 B03 B02 B08; only the first three when RGB alone was read.
        r20: uint16 (n, 6, 60, 60), bands B05 B06 B07 B8A B11 B12; None when RGB alone was read.
        r60: uint16 (n, 2, 20, 20), bands B01 B09; None when RGB alone was read.
    """

    r10: NDArray[np.uint16]
    r20: NDArray[np.uint16] | None
    r60: NDArray[np.uint16] | None

    def __len__(self) -> int:
        return len(self.r10)

    @property
    def arrays(self) -> tuple[NDArray[np.uint16], ...]:
        """Those that are there."""
        return tuple(array for array in (self.r10, self.r20, self.r60) if array is not None)

    def first(self, n: int) -> "BandArrays":
        """The first n patches, not copied."""
        r20, r60 = (None if array is None else array[:n] for array in (self.r20, self.r60))
        return BandArrays(self.r10[:n], r20, r60)


class Pack:
    """A pack on disk, opened for reading: `Pack.open(path)`."""

    def __init__(self, path: Path, manifest: Manifest, index: pa.Table) -> None:
        self.path = path
        self.manifest = manifest
        self._patch_ids = index["patch_id"]
        self._shard = index["shard"].to_numpy()
        self._row = index["row"].to_numpy()
        self._flags = index["flags"].to_numpy()
        self._crc32 = index["crc32"].to_numpy()
        self._split = index["split"].to_numpy()
        self._masks = {19: index["labels_19"].to_numpy()}
        if manifest.bigearthnet_version == "v1":
            self._masks[43] = index["labels_43"].to_numpy()
        self._pixels = MappedShards(path, manifest)

    @classmethod
    def open(cls, path: Path) -> "Pack":
        """Open a pack: the manifest, the index and the files' sizes are checked, the pixels only by `verify`.

        Raises:
            PackError: not a pack, another format version, or damaged.
        """
        manifest = read_manifest(path)
        index = read_index(path, manifest)
        for shard in manifest.shards:
            check_sizes(path, shard)
        check_rows(path, manifest, index)
        return cls(path, manifest, index)

    def __reduce__(self) -> tuple[Callable[[Path], "Pack"], tuple[Path]]:
        """Workers of a data loader open the pack anew, instead of receiving its pixels through a pipe."""
        return (Pack.open, (self.path,))

    @property
    def version(self) -> str:
        """The BigEarthNet version of the patches: "v1" or "v2"."""
        return self.manifest.bigearthnet_version

    @property
    def has_all_bands(self) -> bool:
        """Whether the twelve bands are there, or B04, B03 and B02 alone."""
        return self.manifest.resolutions == RESOLUTIONS

    def __len__(self) -> int:
        return self.manifest.patches

    def patch_ids(self, rows: Rows) -> NDArray[np.str_]:
        """The patch names of the given rows, as an array of str."""
        return np.array(self._patch_ids.take(pa.array(_as_rows(rows))).to_pylist(), dtype=np.str_)

    def rows(self, split: str) -> NDArray[np.int64]:
        """The rows of a split in ascending order, without snow, cloud, and patches without any of the 19 classes.

        Args:
            split: "train", "validation" or "test"; the result is empty when the pack knows of no splits.

        Raises:
            PackError: another split name.
        """
        if split not in SPLITS:
            raise PackError(f"there is no split {split!r}; the splits are {', '.join(SPLITS)}")
        return np.flatnonzero((self._split == split) & (self._flags == 0)).astype(np.int64)

    def usable_rows(self) -> NDArray[np.int64]:
        """All rows in ascending order, of any split or none, without those that `rows` leaves out."""
        return np.flatnonzero(self._flags == 0).astype(np.int64)

    @property
    def flags(self) -> NDArray[np.int32]:
        """The flags of all patches as bitmasks of `packformat.FLAGS`, (len(pack),)."""
        return np.asarray(self._flags, dtype=np.int32)

    @property
    def splits(self) -> pa.StringArray:
        """The split of each patch, flagged ones included; null for those that no list names."""
        return pa.array(self._split, pa.string())

    def names(self, rows: Rows) -> pa.StringArray:
        """The patch names of the given rows, as Arrow keeps them: a third of the memory of `patch_ids`."""
        return self._patch_ids.take(pa.array(_as_rows(rows))).combine_chunks()

    def rows_named(self, names: pa.StringArray) -> NDArray[np.int64]:
        """The row of each patch that is named; -1 for those that the pack does not have."""
        found = pc.index_in(names, value_set=self._patch_ids.combine_chunks())
        return np.asarray(pc.fill_null(found, -1).to_numpy(), dtype=np.int64)

    def masks(self, n_classes: int) -> NDArray[np.int64]:
        """The labels of all patches as bitmasks (len(pack),): bit i stands for `class_names(n_classes)[i]`.

        Raises:
            PackError: as `labels`.
        """
        self._check_n_classes(n_classes)
        return np.asarray(self._masks[n_classes], dtype=np.int64)

    def labels(self, n_classes: int) -> NDArray[np.uint8]:
        """The labels of all patches as ones and zeros, uint8 (len(pack), n_classes).

        Args:
            n_classes: 43 or 19.

        Raises:
            PackError: 43 asked of a pack of BigEarthNet v2, or another number.
        """
        self._check_n_classes(n_classes)
        return masks_to_multi_hot(self._masks[n_classes], n_classes)

    def class_names(self, n_classes: int) -> tuple[str, ...]:
        """The names of the columns of `labels(n_classes)`.

        Raises:
            PackError: as `labels`.
        """
        self._check_n_classes(n_classes)
        return self.manifest.class_names[str(n_classes)]

    def buffers(self, n: int, *, rgb_only: bool = False) -> BandArrays:
        """Arrays for n patches, to be filled by `read` again and again.

        Raises:
            PackError: all bands asked of a pack of RGB alone.
        """
        resolutions = self._resolutions(rgb_only)
        return _band_arrays([np.empty((n, *resolution.shape), dtype=np.uint16) for resolution in resolutions])

    def read(
        self, rows: Rows, *, rgb_only: bool = False, out: BandArrays | None = None, helper: Executor | None = None
    ) -> BandArrays:
        """Copy the pixels of the given rows, in the given order, out of the memory maps.

        Args:
            rows: row numbers, each in [0, len(pack)).
            rgb_only: read B04, B03 and B02 alone.
            out: where to, for as many patches or more, as `buffers` gives it; default: new arrays.
            helper: a thread of it copies half of the patches: of a pack in memory, up to twice as many a second.

        Returns:
            The pixels: the first len(rows) patches of `out`.

        Raises:
            PackError: a shard's file that is no array of the expected kind, or all bands asked of a pack of RGB alone.
            IndexError: a row that does not exist.
            ValueError: `out` is too short or of other bands.
        """
        chosen = _as_rows(rows)
        if len(chosen) and (chosen.min() < 0 or chosen.max() >= len(self)):
            raise IndexError(f"a row outside 0 … {len(self) - 1}")
        resolutions = self._resolutions(rgb_only)
        found = (out or self.buffers(len(chosen), rgb_only=rgb_only)).first(len(chosen))
        if [array.shape for array in found.arrays] != [(len(chosen), *resolution.shape) for resolution in resolutions]:
            raise ValueError(f"out has not the room or not the bands for {len(chosen)} patches: {found.r10.shape}")
        self._pixels.copy(
            self._shard[chosen], self._row[chosen], dict(zip(resolutions, found.arrays, strict=True)), helper
        )
        return found

    def announce(self, rows: Rows, *, rgb_only: bool = False) -> None:
        """Have the system begin to bring rows into memory that will be read soon; returns at once.

        Left to itself it finds out patch by patch, when each is read, and then brings megabytes around it as well: of
        a pack larger than memory that is read in random order, many times what is needed.

        Args:
            rows: see `read`.
            rgb_only: see `read`.
        """
        chosen = _as_rows(rows)
        self._pixels.announce(self._shard[chosen], self._row[chosen], self._resolutions(rgb_only))

    def band_statistics(self) -> BandStatistics:
        """Mean and standard deviation of each band over the pack's training split, or the published ones without it."""
        manifest = self.manifest
        if manifest.band_mean is None or manifest.band_std is None:
            return PUBLISHED
        origin = f"training split of the pack ({manifest.statistics_patches} patches)"
        mean, std = (
            np.concatenate([values, np.full(len(BANDS) - len(values), np.nan)])
            for values in (manifest.band_mean, manifest.band_std)
        )
        return BandStatistics(mean, std, origin)

    def verify(self, progress: Callable[[int], None] | None = None) -> None:
        """Compare the checksum of each shard with the manifest; of a damaged one, that of each patch with the index.

        Args:
            progress: called now and then with the number of patches compared so far.

        Raises:
            PackError: a patch whose pixels are not those that were packed; names patch and shard.
        """
        done = 0
        for number, shard in enumerate(self.manifest.shards):
            found = {name: file_checksum(self.path / name) for name in shard.files if shard.checksums}
            if not shard.checksums or found != shard.checksums:
                self._verify_patches(number)
            for name, checksum in found.items():
                if checksum != shard.checksums[name]:
                    raise PackError(f"{self.path / name} is damaged: its checksum is wrong; pack the data again")
            done += shard.patches
            if progress is not None:
                progress(done)

    def _verify_patches(self, shard: int) -> None:
        for row in np.flatnonzero(self._shard == shard):
            position = int(self._row[row])
            arrays = (self._pixels.array(shard, resolution)[position] for resolution in self.manifest.resolutions)
            if packformat.patch_checksum(*arrays) != self._crc32[row]:
                patch = self._patch_ids[row].as_py()
                raise PackError(
                    f"{self.path}: patch {patch} (row {position} of shard {shard}) is damaged: its checksum is wrong; "
                    "pack the data again"
                )

    def fingerprint(self) -> dict[str, Any]:
        """What identifies the data of an experiment; plain values for a manifest in JSON."""
        versions = [n for n in (43, 19) if n in self._masks]
        return {
            "path": str(self.path.resolve()),
            "bigearthnet_version": self.version,
            "format_version": self.manifest.format_version,
            "patches": len(self),
            "index_sha256": self.manifest.index_sha256,
            "splits": {split: len(self.rows(split)) for split in SPLITS},
            "class_names": {str(n): list(self.class_names(n)) for n in versions},
        }

    def _check_n_classes(self, n_classes: int) -> None:
        if n_classes in self._masks:
            return
        if n_classes == 43:
            raise PackError(
                f"{self.path} is of BigEarthNet {self.version}, which has only the 19 classes; use 19 labels"
            )
        raise PackError(f"there are 43 or 19 labels, not {n_classes}")

    def _resolutions(self, rgb_only: bool) -> tuple[Resolution, ...]:
        """What is read; RGB alone is the beginning of each patch's r10."""
        if not rgb_only and not self.has_all_bands:
            raise PackError(
                f"{self.path} holds the bands {', '.join(RGB)} alone; take a model of RGB, or pack all bands"
            )
        return RGB_RESOLUTIONS if rgb_only else RESOLUTIONS


def _as_rows(rows: ArrayLike) -> NDArray[np.int64]:
    return np.asarray(rows, dtype=np.int64).reshape(-1)


def _band_arrays(arrays: list[NDArray[np.uint16]]) -> BandArrays:
    r20, r60 = arrays[1:] if len(arrays) > 1 else (None, None)
    return BandArrays(arrays[0], r20, r60)
