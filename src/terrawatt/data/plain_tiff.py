"""Reading the GeoTIFFs of BigEarthNet as they are distributed, without GDAL.

They are all of the plainest kind: little-endian, one image, one uint16 sample a pixel, uncompressed strips. Opening any
file takes GDAL about half a millisecond, and an archive has six million; taking the strips out directly is far quicker.
Whatever is not exactly of this kind is left to GDAL (`geotiff.py`), which also says what is wrong with it.

TIFF 6.0 specification, Adobe 1992, sections 2 to 3.
"""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"II*\x00"
_ENTRY = np.dtype([("tag", "<u2"), ("type", "<u2"), ("count", "<u4"), ("value", "<u4")])
_SHORT, _LONG = 3, 4
_TYPES = {_SHORT: "<u2", _LONG: "<u4"}

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _FILL_ORDER = 256, 257, 258, 259, 266
_STRIP_OFFSETS, _SAMPLES, _STRIP_SIZES, _PLANAR, _PREDICTOR, _TILE_WIDTH, _FORMAT = 273, 277, 279, 284, 317, 322, 339
_DEFAULTS = {_COMPRESSION: 1, _FILL_ORDER: 1, _SAMPLES: 1, _PLANAR: 1, _PREDICTOR: 1, _FORMAT: 1}


def read_plain(file: Path, pixels: int) -> NDArray[np.uint16] | None:
    """The pixels of a plain TIFF of uint16 (pixels, pixels), or None when the file is of any other kind, or damaged."""
    try:
        return _decode(file.read_bytes(), pixels)
    except (KeyError, ValueError, struct.error, OSError):
        return None


def _decode(content: bytes, pixels: int) -> NDArray[np.uint16] | None:
    tags = _tags(content)
    wanted = {_WIDTH: pixels, _HEIGHT: pixels, _BITS: 16, **_DEFAULTS}
    if _TILE_WIDTH in tags or any(
        (_values(content, tags[tag]) if tag in tags else [_DEFAULTS[tag]]) != [value] for tag, value in wanted.items()
    ):
        return None
    offsets = _values(content, tags[_STRIP_OFFSETS])
    sizes = _values(content, tags[_STRIP_SIZES])
    strips = [content[offset : offset + size] for offset, size in zip(offsets, sizes, strict=True)]
    # Also of the right length when the file was cut short: then a strip is shorter than it should be.
    return np.frombuffer(b"".join(strips), dtype="<u2").reshape(pixels, pixels)


def _tags(content: bytes) -> dict[int, np.void]:
    """The fields of the only image; an empty dictionary when there are several, or this is no such TIFF."""
    if content[:4] != _MAGIC:
        return {}
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    (following,) = struct.unpack_from("<I", content, start + 2 + count * _ENTRY.itemsize)
    if following:
        return {}
    fields = np.frombuffer(content, _ENTRY, count, start + 2)
    return {int(field["tag"]): field for field in fields}


def _values(content: bytes, field: np.void) -> list[int]:
    """The integers of a field; up to four bytes of them stand in place of their offset."""
    kind = np.dtype(_TYPES[int(field["type"])])
    count = int(field["count"])
    inline = count * kind.itemsize <= 4
    source = field["value"].tobytes() if inline else content
    offset = 0 if inline else int(field["value"])
    values: list[int] = np.frombuffer(source, kind, count, offset).tolist()
    return values
