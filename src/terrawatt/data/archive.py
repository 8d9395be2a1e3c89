"""Finding the archive in a folder, and its version."""

import os
from pathlib import Path

from terrawatt.data.lmdb_archive import is_lmdb, open_lmdb
from terrawatt.data.patch import Archive
from terrawatt.data.v1 import ArchiveV1, is_patch_name
from terrawatt.data.v2 import METADATA, TILES, ArchiveV2, is_tile_name, no_lists
from terrawatt.errors import DataError, UsageError

VERSIONS = ("v1", "v2")
_V1_FOLDER = "BigEarthNet-v1.0"


def open_archive(
    source: Path, *, version: str | None = None, splits: Path | None = None, metadata: Path | None = None
) -> Archive:
    """Open a BigEarthNet archive, or any part of one.

    Args:
        source: v1: the folder of patches, or the one that holds `BigEarthNet-v1.0`; v2: the folder that holds
            `BigEarthNet-S2` and `metadata.parquet`, or `BigEarthNet-S2` itself; either: the folder of an LMDB.
        version: "v1" or "v2"; needed only when `source` holds both.
        splits: v1: folder of the split lists; default: `splits` in or beside the folder of patches.
        metadata: v2, LMDB: the table; default: `metadata.parquet` in `source` or beside `BigEarthNet-S2` or the LMDB.

    Raises:
        DataError: no archive there, both versions, or lists that cannot be read.
        UsageError: an option that the version has no use for.
    """
    if is_lmdb(source):
        _check_version(version)
        return open_lmdb(source, version=version, splits=splits, metadata=metadata)
    root, found = _choose(source, _roots(source), version)
    if found == "v1":
        if metadata is not None:
            raise UsageError(f"--metadata is for BigEarthNet v2, but {source} is v1; give its lists with --splits DIR")
        return ArchiveV1.open(root, splits)
    if splits is not None:
        raise no_lists(source)
    return ArchiveV2.open(root, metadata or _find_metadata(source, root))


def _check_version(version: str | None) -> None:
    if version is not None and version not in VERSIONS:
        raise UsageError(f"there is no BigEarthNet version {version!r}; known are {', '.join(VERSIONS)}")


def _roots(source: Path) -> dict[str, Path]:
    """The folders of patches or tiles in a folder, by version."""
    if not source.is_dir():
        raise DataError(f"{source} is not a folder" if source.exists() else f"{source} does not exist")
    roots = {}
    if (source / _V1_FOLDER).is_dir():
        roots["v1"] = source / _V1_FOLDER
    if (source / TILES).is_dir():
        roots["v2"] = source / TILES
    if not roots:
        with os.scandir(source) as items:
            for item in items:
                if is_patch_name(item.name) and item.is_dir():
                    return {"v1": source}
                if is_tile_name(item.name) and item.is_dir():
                    return {"v2": source}
    return roots


def _choose(source: Path, roots: dict[str, Path], version: str | None) -> tuple[Path, str]:
    _check_version(version)
    if not roots:
        raise DataError(
            f"{source} holds no BigEarthNet archive: neither folders of v1 patches (S2A_MSIL2A_…), "
            f"nor a folder {_V1_FOLDER} or {TILES}, nor an LMDB (data.mdb)"
        )
    if version is None and len(roots) > 1:
        raise DataError(
            f"{source} holds both {_V1_FOLDER} and {TILES}; say which one with --version v1 or --version v2"
        )
    chosen = version or next(iter(roots))
    if chosen not in roots:
        raise DataError(f"{source} holds BigEarthNet {next(iter(roots))}, not {chosen}")
    return roots[chosen], chosen


def _find_metadata(source: Path, root: Path) -> Path:
    candidates = (source / METADATA, root.parent / METADATA)
    found = next((file for file in candidates if file.is_file()), None)
    if found is None:
        raise DataError(f"{source} has no {METADATA}; name it with --metadata FILE")
    return found


def require_complete(archive: Archive) -> None:
    """Refuse an archive of which some listed patches are not on disk.

    Raises:
        DataError: says how many, and names the first.
    """
    missing = [patch_id for names in archive.coverage.missing.values() for patch_id in names]
    if missing:
        raise DataError(f"{archive.root}: {len(missing)} listed patches are not on disk, the first is {min(missing)}")
