"""The files of a pack when it is opened or verified: whether they are there, in full, and belong together.

Pixels are not read here but for their checksums; `mapped.py` copies them out.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from terrawatt.data import packformat
from terrawatt.data.checksums import crc32
from terrawatt.data.packformat import Manifest, Shard
from terrawatt.errors import PackError

_BLOCK_BYTES = 1 << 20
"""How much of a shard's file is read at once while checksums are compared: what a processor's cache holds."""


def read_manifest(path: Path) -> Manifest:
    """The manifest of a pack.

    Raises:
        PackError: there is no pack at the path, or only one that is not complete, or of another format version.
    """
    file = path / packformat.MANIFEST
    try:
        return Manifest.from_json(file.read_bytes().decode("utf-8", errors="replace"))
    except (FileNotFoundError, NotADirectoryError):
        if path.name.endswith(packformat.PARTIAL) and path.exists():
            raise PackError(
                f"{path} is a packing that has not ended; the command that began it goes on with it"
            ) from None
        hint = "it does not exist" if not path.exists() else f"it has no {packformat.MANIFEST}"
        raise PackError(f"{path} is not a pack: {hint}; make one with `terrawatt data pack SRC {path}`") from None
    except ValueError as error:
        raise PackError(f"{file} cannot be used: {error}") from None


def read_index(path: Path, manifest: Manifest) -> pa.Table:
    """The index of a pack, a row a patch.

    Raises:
        PackError: it is missing, or not the one that the manifest belongs to.
    """
    file = path / packformat.INDEX
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise PackError(f"{path} is damaged: it has no {packformat.INDEX}; pack the data again") from None
    if packformat.digest(content) != manifest.index_sha256:
        raise PackError(f"{file} is damaged: its checksum is not the one in the manifest; pack the data again")
    return pq.read_table(pa.BufferReader(content), schema=packformat.SCHEMA)


def check_sizes(path: Path, shard: Shard) -> None:
    """See that the files of a shard are there in full.

    Raises:
        PackError: one is missing, or shorter or longer than it was.
    """
    for name, size in shard.files.items():
        file = path / name
        if not file.exists():
            raise PackError(f"{path} is damaged: {name} is missing; pack the data again")
        if file.stat().st_size != size:
            raise PackError(f"{file} is damaged: {file.stat().st_size} bytes instead of {size}; pack the data again")


def check_rows(path: Path, manifest: Manifest, index: pa.Table) -> None:
    """See that the index names each patch of each shard, once.

    Raises:
        PackError: it does not.
    """
    sizes = [shard.patches for shard in manifest.shards]
    shard = np.repeat(np.arange(len(sizes)), sizes)
    row = np.arange(sum(sizes)) - np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)
    found = (index["shard"].to_numpy(), index["row"].to_numpy())
    if len(index) != manifest.patches or not (np.array_equal(found[0], shard) and np.array_equal(found[1], row)):
        raise PackError(
            f"{path} is damaged: {packformat.INDEX} names rows that are not in the shards, or not all; "
            "pack the data again"
        )


def file_checksum(file: Path) -> int:
    """The CRC-32 of a whole file, which may be larger than memory."""
    checksum = 0
    block = memoryview(bytearray(_BLOCK_BYTES))
    with file.open("rb", buffering=0) as stream:
        while n := stream.readinto(block):
            checksum = crc32(block[:n], checksum)
    return checksum
