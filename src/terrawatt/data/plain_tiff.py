"""Reading the GeoTIFFs of BigEarthNet as they are distributed, without GDAL.

They are all of the plainest kind: little-endian, one image, one uint16 sample a pixel, uncompressed strips. Opening any
file takes GDAL about half a millisecond, and an archive has six million; taking the strips out directly is far quicker.
Whatever is not exactly of this kind is left to GDAL (`geotiff.py`), which also says what is wrong with it.

Files of one size mostly have one layout: the same fields, the pixels in one piece behind them. It is parsed once; of
the files after it one call reads the beginning and, into their place, the pixels, and the beginning must be the same.

TIFF 6.0 specification, Adobe 1992, sections 2 to 3.
"""

import os
import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"II*\x00"
_FIELD = struct.Struct("<HHI4s")  # tag, type, count, values or their offset
_INTEGERS = {3: "H", 4: "I"}

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _FILL_ORDER, _SAMPLES, _PLANAR = 256, 257, 258, 259, 266, 277, 284
_STRIP_OFFSETS, _STRIP_ROWS, _STRIP_SIZES, _PREDICTOR, _TILE_WIDTH, _FORMAT = 273, 278, 279, 317, 322, 339
_ONES = (_COMPRESSION, _FILL_ORDER, _SAMPLES, _PLANAR, _PREDICTOR, _FORMAT)
_DEFAULTS: dict[int, tuple[int, ...]] = dict.fromkeys(_ONES, (1,))


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a file has its pixels in one piece, and what its beginning must hold at which places for that."""

    beginning: bytearray
    same: tuple[tuple[slice, bytes], ...]

    def fits(self, beginning: bytearray) -> bool:
        """Whether that of a file says what it must; a loop, since seven million files are asked."""
        for place, held in self.same:  # noqa: SIM110
            if beginning[place] != held:
                return False
        return True


class PlainReader:
    """Reads plain TIFFs, and remembers their layouts. For one thread."""

    def __init__(self) -> None:
        self._layouts: dict[int, _Layout] = {}

    def read_into(self, path: str, out: NDArray[np.uint16]) -> bool:
        """Read the pixels of a plain TIFF of uint16 into an array of its size, (pixels, pixels), in one piece.

        Returns:
            False when the file is of any other kind, or damaged; `out` may then hold anything.

        Raises:
            OSError: the file cannot be opened or read.
        """
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            layout = self._layouts.get(len(out))
            if layout is not None:
                beginning = layout.beginning
                n = os.preadv(descriptor, (beginning, out.data), 0)
                if n == len(beginning) + out.nbytes and layout.fits(beginning):
                    return True
            content = _whole(descriptor)
        finally:
            os.close(descriptor)
        return self._parse(content, out)

    def _parse(self, content: bytes, out: NDArray[np.uint16]) -> bool:
        try:
            strips = _strips(content, len(out))
            pixels = b"".join(content[start:end] for start, end in strips)
            # In a file that was cut short, strips are shorter than they say, and the shape does not fit.
            out[:] = np.frombuffer(pixels, dtype="<u2").reshape(out.shape)
        except (KeyError, ValueError, struct.error):
            return False
        layout = _layout(content, strips)
        if layout is not None:
            self._layouts[len(out)] = layout
        return True


def _whole(descriptor: int) -> bytes:
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        file.seek(0)
        return bytes(file.readall())


def _strips(content: bytes, pixels: int) -> list[tuple[int, int]]:
    """Where the strips begin and end.

    Raises:
        KeyError, ValueError, struct.error: the file is not of the plain kind, or damaged.
    """
    found = _DEFAULTS | {tag: _values(content, *field) for tag, *field in _fields(content)}
    wanted = _DEFAULTS | {_WIDTH: (pixels,), _HEIGHT: (pixels,), _BITS: (16,)}
    if _TILE_WIDTH in found or any(found[tag] != values for tag, values in wanted.items()):
        raise ValueError
    (rows,) = found[_STRIP_ROWS]
    sizes = tuple(2 * pixels * min(rows, pixels - first) for first in range(0, pixels, rows))
    if found[_STRIP_SIZES] != sizes:
        raise ValueError
    return [(offset, offset + size) for offset, size in zip(found[_STRIP_OFFSETS], sizes, strict=True)]


def _layout(content: bytes, strips: list[tuple[int, int]]) -> _Layout | None:
    """The layout of a file whose strips follow one another, behind all that says where they are; else None."""
    first = strips[0][0]
    places = [slice(0, len(_MAGIC) + 4), _directory(content)]
    for tag, kind, count, raw in _fields(content):
        n_bytes = count * struct.calcsize(_INTEGERS.get(kind, "x"))
        if tag in (_STRIP_OFFSETS, _STRIP_SIZES) and n_bytes > len(raw):
            (offset,) = struct.unpack("<I", raw)
            places.append(slice(offset, offset + n_bytes))
    one_piece = all(end == start for (_, end), (start, _) in pairwise(strips))
    if not one_piece or any(place.stop > first for place in places):
        return None
    return _Layout(bytearray(first), tuple((place, content[place]) for place in places))


def _directory(content: bytes) -> slice:
    """Where the fields stand, with their number and the place of the next image."""
    (start,) = struct.unpack_from("<I", content, len(_MAGIC))
    (count,) = struct.unpack_from("<H", content, start)
    return slice(start, start + 2 + count * _FIELD.size + 4)


def _fields(content: bytes) -> list[tuple[Any, ...]]:
    """Tag, type, count and raw value of all fields; none when the file holds several images, or is no such TIFF."""
    if content[:4] != _MAGIC:
        return []
    place = _directory(content)
    (next_image,) = struct.unpack_from("<I", content, place.stop - 4)
    if next_image:
        return []
    return list(_FIELD.iter_unpack(content[place.start + 2 : place.stop - 4]))


def _values(content: bytes, kind: int, count: int, raw: bytes) -> tuple[int, ...]:
    """The integers of a field, of which up to four bytes stand in place of their offset; () for other types."""
    if kind not in _INTEGERS:
        return ()
    layout = struct.Struct(f"<{count}{_INTEGERS[kind]}")
    if layout.size <= len(raw):
        return layout.unpack_from(raw)
    (offset,) = struct.unpack("<I", raw)
    return layout.unpack_from(content, offset)
