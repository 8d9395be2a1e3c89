"""The files of a pack, shared by the reading (`pack.py`) and the writing (`packer.py`) side.

    PACK/
      manifest.json          what the pack is; carries a checksum of itself
      index.parquet          one row a patch, in the order of the pack's rows
      shard_00000_r10.npy    uint16 little-endian, (n, 4, 120, 120): B04 B03 B02 B08
      shard_00000_r20.npy    uint16 little-endian, (n, 6, 60, 60):   B05 B06 B07 B8A B11 B12
      shard_00000_r60.npy    uint16 little-endian, (n, 2, 20, 20):   B01 B09
      shard_00001_r10.npy    …

A pack of RGB alone has B04 B03 B02 in its r10, and no r20 and r60. A shard holds at most 4,096 patches. Each row of
the index carries the CRC-32 of its patch's bytes (r10, r20, r60 one after the other), the manifest carries the CRC-32
of each shard's file and the SHA-256 of the index and of itself: no byte of a pack is unguarded. The manifest of a pack
that was joined from others names them.

History of the format:
    1 — the first; read as well.
    2 — checksums of the shards' files in the manifest; packs of RGB alone. Read as well.
    3 — joined packs: where they came from, in the manifest.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from terrawatt.data.bands import RESOLUTIONS, RGB_RESOLUTIONS, Resolution
from terrawatt.data.checksums import crc32

FORMAT: Final = "terrawatt-pack"
FORMAT_VERSION: Final = 3
READABLE_VERSIONS: Final = (1, 2, 3)
SHARD_PATCHES: Final = 4_096
MANIFEST: Final = "manifest.json"
INDEX: Final = "index.parquet"
PARTIAL: Final = ".partial"
SPLITS: Final = ("train", "validation", "test")
PIXEL_TYPE: Final = np.dtype("<u2")
_NPY_MAGIC: Final = b"\x93NUMPY\x01\x00"
_HEADER_BYTES: Final = 128

FLAG_SNOW: Final = 1
FLAG_CLOUD: Final = 2
FLAG_NO_CLASS: Final = 4
FLAGS: Final = {"seasonal snow": FLAG_SNOW, "cloud or shadow": FLAG_CLOUD, "no 19-class label": FLAG_NO_CLASS}

SCHEMA: Final = pa.schema(
    [
        pa.field("patch_id", pa.string(), nullable=False),
        pa.field("shard", pa.int32(), nullable=False),
        pa.field("row", pa.int32(), nullable=False),
        pa.field("labels_43", pa.int64()),  # null for v2, which has no 43-label names
        pa.field("labels_19", pa.int64(), nullable=False),
        pa.field("split", pa.string()),  # null when no list names the patch
        pa.field("flags", pa.int32(), nullable=False),
        pa.field("crc32", pa.uint32(), nullable=False),
    ]
)


def digest(content: bytes) -> str:
    """SHA-256 of some bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def shard_file(shard: int, resolution: str) -> str:
    """The file name of one resolution of a shard."""
    return f"shard_{shard:05d}_{resolution}.npy"


def npy_header(patches: int, resolution: Resolution) -> bytes:
    """The first bytes of a shard's file, always as many: NumPy's format 1.0 of uint16 (patches, bands, pixels, pixels).

    Written here rather than by NumPy, so that every byte of the file is known when it is read.
    """
    shape = (patches, *resolution.shape)
    description = f"{{'descr': '{PIXEL_TYPE.str}', 'fortran_order': False, 'shape': {shape}, }}"
    text = description.ljust(_HEADER_BYTES - len(_NPY_MAGIC) - 3) + "\n"
    return _NPY_MAGIC + len(text).to_bytes(2, "little") + text.encode("ascii")


def patch_checksum(*arrays: NDArray[np.uint16]) -> int:
    """CRC-32 of a patch's little-endian bytes: r10, then r20 and r60 if there, each (bands, pixels, pixels)."""
    checksum = 0
    for bands in arrays:
        checksum = crc32(np.ascontiguousarray(bands, dtype=PIXEL_TYPE).data, checksum)
    return checksum


@dataclass(frozen=True)
class Shard:
    """One shard: its number of patches, and by file name the size in bytes and the CRC-32 (not in version 1)."""

    patches: int
    files: Mapping[str, int]
    checksums: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A pack that was joined with others, in the words of its own manifest; see there."""

    source: str
    created: str
    terrawatt: str
    patches: int
    index_sha256: str


@dataclass(frozen=True)
class Manifest:
    """The content of manifest.json.

    Attributes:
        bigearthnet_version: "v1" or "v2".
        source: the archive that was packed, as it was named.
        created: ISO-8601 time, UTC.
        terrawatt: version of the program that wrote the pack.
        patches: number of patches.
        splits: patches by split ("none" for those without), flagged ones included.
        flagged: patches by reason for leaving them out.
        skipped: broken patches left out when packing.
        bands: band names by resolution, in the order of the arrays.
        class_names: label names by number of labels ("43", "19"), in the order of the bits.
        band_mean: mean of each band over the training split, in the order of `bands`; None when that is empty.
        band_std: its standard deviation.
        statistics_patches: number of patches that those are taken over.
        index_sha256: digest of index.parquet.
        shards: the shards in order.
        parts: the packs that it was joined from, in order; none where it was packed at once.
        other_statistics: how band statistics of the parts differ beyond belief, where that was allowed; else None.
        format_version: of the files.
    """

    bigearthnet_version: str
    source: str
    created: str
    terrawatt: str
    patches: int
    splits: Mapping[str, int]
    flagged: Mapping[str, int]
    skipped: int
    bands: Mapping[str, tuple[str, ...]]
    class_names: Mapping[str, tuple[str, ...]]
    band_mean: tuple[float, ...] | None
    band_std: tuple[float, ...] | None
    statistics_patches: int
    index_sha256: str
    shards: tuple[Shard, ...]
    parts: tuple[Part, ...] = ()
    other_statistics: str | None = None
    format_version: int = FORMAT_VERSION

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """What the shards hold: all bands, or RGB alone."""
        return RESOLUTIONS if len(self.bands) == len(RESOLUTIONS) else RGB_RESOLUTIONS

    def to_json(self) -> str:
        """The text of manifest.json, with the format's name and version and a checksum of all the rest."""
        content: dict[str, Any] = {"format": FORMAT, "format_version": self.format_version, **asdict(self)}
        return json.dumps({**content, "sha256": _content_digest(content)}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Read manifest.json.

        Raises:
            ValueError: not a pack's manifest, another format version, or damaged; the message says which.
        """
        content = _parse(text)
        if content.get("format") != FORMAT:
            raise ValueError(f"it is not the manifest of a {FORMAT}")
        version = content.get("format_version")
        if version not in READABLE_VERSIONS:
            readable = ", ".join(map(str, READABLE_VERSIONS))
            raise ValueError(f"it has format version {version}, this program reads {readable}; pack the data again")
        if content.pop("sha256", None) != _content_digest(content):
            raise ValueError("its checksum is wrong: the file was changed or damaged; pack the data again")
        del content["format"]
        for key in ("bands", "class_names"):
            content[key] = {name: tuple(values) for name, values in content[key].items()}
        for key in ("band_mean", "band_std"):
            content[key] = None if content[key] is None else tuple(content[key])
        content["shards"] = tuple(Shard(**shard) for shard in content["shards"])
        content["parts"] = tuple(Part(**part) for part in content.get("parts", ()))
        manifest = cls(**content)
        if manifest.bands != bands_of(manifest.resolutions):
            raise ValueError(f"it has the bands {content['bands']}, which this program does not know")
        return manifest


def index_bytes(rows: pa.Table) -> bytes:
    """The content of index.parquet."""
    import pyarrow.parquet as pq  # not for processes that write shards, which would wait for it

    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink)
    return bytes(sink.getvalue())


def count_splits(rows: pa.Table) -> dict[str, int]:
    """Patches of an index by split, flagged ones included; "none" for those without."""
    import pyarrow.compute as pc  # likewise

    counts = {split: pc.sum(pc.equal(rows["split"], split)).as_py() or 0 for split in SPLITS}
    return counts | {"none": rows["split"].null_count}


def count_flags(rows: pa.Table) -> dict[str, int]:
    """Patches of an index by flag."""
    flags = rows["flags"].to_numpy()
    return {name: int(np.count_nonzero(flags & bit)) for name, bit in FLAGS.items()}


def bands_of(resolutions: tuple[Resolution, ...]) -> dict[str, tuple[str, ...]]:
    """Band names by resolution, as the manifest has them."""
    return {resolution.name: resolution.bands for resolution in resolutions}


def _parse(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        raise ValueError("it is not JSON: the file was damaged; pack the data again") from None
    if not isinstance(content, dict):
        raise ValueError(f"it is not the manifest of a {FORMAT}")  # noqa: TRY004
    return content


def _content_digest(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return digest(canonical.encode())
