"""BigEarthNet v2.0 (reBEN): a folder a tile, a folder a patch, and one Parquet table with labels and splits.

    BigEarthNet-S2/
      S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP/
        S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57/
          S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57_B01.tif … _B12.tif
    metadata.parquet
    metadata_for_patches_with_snow_cloud_or_shadow.parquet   (read too when it lies beside the first)

Labels are names of the 19 classes. A patch on disk that the tables do not hold has no labels: it is counted as unlisted
and left out.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from terrawatt.data.bands import RESOLUTIONS, Resolution
from terrawatt.data.labels import LABELS_19, names_to_mask
from terrawatt.data.packformat import FLAG_CLOUD, FLAG_SNOW, SPLITS
from terrawatt.data.patch import (
    Coverage,
    Entry,
    Glance,
    PatchLabels,
    PixelReader,
    compare_with_disk,
    subfolders,
    tiff_glances,
    tiff_pixels,
)
from terrawatt.errors import DataError, PatchError, UsageError, did_you_mean

TILES = "BigEarthNet-S2"
METADATA = "metadata.parquet"
SNOW_CLOUD_METADATA = "metadata_for_patches_with_snow_cloud_or_shadow.parquet"
_BATCH_ROWS = 65_536
_COLUMNS = ["patch_id", "labels", "split", "contains_seasonal_snow", "contains_cloud_or_shadow"]


@dataclass(frozen=True)
class ArchiveV2:
    """The tiles of v2.0, whole or in part; see `terrawatt.data.patch.Archive`."""

    root: Path
    entries: tuple[Entry, ...]
    coverage: Coverage
    label_names: Mapping[str, tuple[str, ...]] = field(repr=False)
    version: str = "v2"

    @classmethod
    def open(cls, root: Path, metadata: Path) -> "ArchiveV2":
        """List the patches under the tiles' folders and look them up in the table.

        Args:
            root: the folder that holds the tiles' folders, usually named `BigEarthNet-S2`.
            metadata: the table; its snow and cloud companion is read too when it lies beside it.

        Raises:
            DataError: the table cannot be read, or says two things of one patch.
        """
        folders, duplicates = _tiles_of_patches(root)
        rows = _read_metadata(metadata, duplicates)
        companion = metadata.with_name(SNOW_CLOUD_METADATA)
        flagged = _read_metadata(companion, duplicates) if companion.is_file() else {}
        if twice := rows.keys() & flagged.keys():
            raise DataError(f"patch {min(twice)} is in both {metadata} and {companion.name}")
        entries = []
        names: dict[str, tuple[str, ...]] = {}
        for patch_id, tile in folders.items():
            row = rows.get(patch_id) or flagged.get(patch_id)
            if row is not None:
                entries.append(Entry(patch_id, tile, row.split, row.flags))
                names[patch_id] = row.labels
        listed = {patch_id: row.split for patch_id, row in rows.items()}
        coverage = compare_with_disk(listed, list(folders), flagged, duplicates)
        return cls(root, tuple(entries), coverage, names)

    def part(self, entries: tuple[Entry, ...]) -> "ArchiveV2":
        """See `terrawatt.data.patch.Archive`."""
        names = {entry.patch_id: self.label_names[entry.patch_id] for entry in entries}
        return ArchiveV2(self.root, entries, Coverage(), names)

    def pixels(self, resolutions: tuple[Resolution, ...] = RESOLUTIONS) -> AbstractContextManager[PixelReader]:
        """See `terrawatt.data.patch.Archive`."""
        return tiff_pixels(resolutions)

    def glances(self) -> AbstractContextManager[Glance]:
        """See `terrawatt.data.patch.Archive`."""
        return tiff_glances()

    def labels(self, entry: Entry) -> PatchLabels:
        """The labels of a patch in the table.

        Raises:
            PatchError: none, or one that is not among the 19 classes.
        """
        names = self.label_names[entry.patch_id]
        where = f"patch {entry.patch_id}: {METADATA}"
        if not names:
            raise PatchError(f"{where} has no labels for it")
        try:
            return PatchLabels(None, names_to_mask(names, LABELS_19))
        except KeyError as unknown:
            label = str(unknown.args[0])
            raise PatchError(f"{where} has an unknown label {label!r}.{did_you_mean(label, LABELS_19)}") from None


def is_tile_name(name: str) -> bool:
    """Whether a folder is named like a tile of v2.0: `S2A_MSIL2A_<time>_N9999_<orbit>_<tile>`."""
    parts = name.split("_")
    return len(parts) == 6 and parts[0].startswith("S2") and parts[5].startswith("T")


def is_patch_name(name: str) -> bool:
    """Whether a name is that of a patch of v2.0: its tile's, then `_<column>_<row>`."""
    tile, *place = name.rsplit("_", 2)
    return is_tile_name(tile) and len(place) == 2 and all(number.isdecimal() for number in place)


def no_lists(source: Path) -> UsageError:
    """What to say when lists are given for a source of v2."""
    return UsageError(f"--splits is for BigEarthNet v1, but {source} is v2, whose splits are in {METADATA}")


@dataclass(frozen=True, slots=True)
class _Row:
    labels: tuple[str, ...]
    split: str
    flags: int


def _tiles_of_patches(root: Path) -> tuple[dict[str, Path], list[tuple[str, str]]]:
    """The folder of the tile of each patch, by patch name in order; and which patches another tile has again.

    Of a patch in the folders of two tiles that one counts whose name is the beginning of the patch's.
    """
    tiles: dict[str, Path] = {}
    duplicates = []
    for name in subfolders(root):
        tile = root / name
        for patch_id in subfolders(tile):
            first = tiles.setdefault(patch_id, tile)
            if first is not tile:
                own, other = (tile, first) if patch_id.startswith(f"{name}_") else (first, tile)
                tiles[patch_id] = own
                duplicates.append((patch_id, f"also in the folder of the tile {other.name}"))
    return dict(sorted(tiles.items())), duplicates


def _check_columns(file: Path, schema: pa.Schema) -> None:
    if lacking := set(_COLUMNS) - set(schema.names):
        raise DataError(f"{file} has no column {min(lacking)}: it is not the metadata of BigEarthNet v2.0")
    kind = schema.field("labels").type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        raise DataError(f"{file}: the column labels holds {kind} instead of lists of names")


def _read_metadata(file: Path, duplicates: list[tuple[str, str]]) -> dict[str, _Row]:
    """The rows by patch; adds to `duplicates` what is listed twice with the same values."""
    try:
        _check_columns(file, pq.read_schema(file))
        table = pq.read_table(file, columns=_COLUMNS)
    except FileNotFoundError:
        raise DataError(f"{file} does not exist; name the table with --metadata FILE") from None
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{file} cannot be read as Parquet: {error}") from None
    rows: dict[str, _Row] = {}
    known: dict[_Row, _Row] = {}  # 480,038 patches share a few thousand rows
    for batch in table.to_batches(_BATCH_ROWS):
        columns: list[list[Any]] = [batch[column].to_pylist() for column in _COLUMNS]
        for patch_id, labels, split, snow, cloud in zip(*columns, strict=True):
            if split not in SPLITS:
                raise DataError(f"{file}: patch {patch_id} has the split {split!r}; known are {', '.join(SPLITS)}")
            row = _Row(tuple(labels or ()), split, FLAG_SNOW * bool(snow) | FLAG_CLOUD * bool(cloud))
            row = known.setdefault(row, row)
            if patch_id in rows:
                if rows[patch_id] is not row:
                    raise DataError(f"{file}: patch {patch_id} is listed twice, with different values")
                duplicates.append((patch_id, f"listed twice in {file.name}"))
            rows[patch_id] = row
    return rows
