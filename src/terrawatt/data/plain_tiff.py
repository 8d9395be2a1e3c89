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
_FIELD = struct.Struct("<HHI4s")  # tag, type, count, values or their offset
_INTEGERS = {3: "H", 4: "I"}

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _FILL_ORDER, _SAMPLES, _PLANAR = 256, 257, 258, 259, 266, 277, 284
_STRIP_OFFSETS, _STRIP_ROWS, _STRIP_SIZES, _PREDICTOR, _TILE_WIDTH, _FORMAT = 273, 278, 279, 317, 322, 339
_ONES = (_COMPRESSION, _FILL_ORDER, _SAMPLES, _PLANAR, _PREDICTOR, _FORMAT)
_DEFAULTS: dict[int, tuple[int, ...]] = dict.fromkeys(_ONES, (1,))


def read_plain(file: Path, pixels: int) -> NDArray[np.uint16] | None:
    """The pixels of a plain TIFF of uint16 (pixels, pixels), or None when the file is of any other kind, or damaged."""
    try:
        return _decode(file.read_bytes(), pixels)
    except (KeyError, ValueError, struct.error, OSError):
        return None


def _decode(content: bytes, pixels: int) -> NDArray[np.uint16] | None:
    found = _DEFAULTS | _fields(content)
    wanted = _DEFAULTS | {_WIDTH: (pixels,), _HEIGHT: (pixels,), _BITS: (16,)}
    if _TILE_WIDTH in found or any(found[tag] != values for tag, values in wanted.items()):
        return None
    (rows,) = found[_STRIP_ROWS]
    sizes = tuple(2 * pixels * min(rows, pixels - first) for first in range(0, pixels, rows))
    if found[_STRIP_SIZES] != sizes:
        return None
    strips = (content[offset : offset + size] for offset, size in zip(found[_STRIP_OFFSETS], sizes, strict=True))
    # In a file that was cut short, strips are shorter than they say, and the shape does not fit.
    return np.frombuffer(b"".join(strips), dtype="<u2").reshape(pixels, pixels)


def _fields(content: bytes) -> dict[int, tuple[int, ...]]:
    """The values of all integer fields by tag; none when the file holds several images, or is no such TIFF."""
    if content[:4] != _MAGIC:
        return {}
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    end = start + 2 + count * _FIELD.size
    (next_image,) = struct.unpack_from("<I", content, end)
    if next_image:
        return {}
    fields = _FIELD.iter_unpack(content[start + 2 : end])
    return {tag: _values(content, kind, count, raw) for tag, kind, count, raw in fields}


def _values(content: bytes, kind: int, count: int, raw: bytes) -> tuple[int, ...]:
    """The integers of a field, of which up to four bytes stand in place of their offset; () for other types."""
    if kind not in _INTEGERS:
        return ()
    layout = struct.Struct(f"<{count}{_INTEGERS[kind]}")
    if layout.size <= len(raw):
        return layout.unpack_from(raw)
    (offset,) = struct.unpack("<I", raw)
    return layout.unpack_from(content, offset)
