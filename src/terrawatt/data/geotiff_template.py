"""GeoTIFFs of one kind without GDAL for each: the first is made by it, the others differ from it in known bytes.

Of two bands of one size in one coordinate system only the pixels and the tie point differ. Making such a file with GDAL
takes as long as painting it; a synthetic archive of full size has seven million.
"""

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrawatt.data.geotiff import Georeference, encode
from terrawatt.data.packformat import PIXEL_TYPE


class _Template(NamedTuple):
    """A file, and where its tie point and its pixels begin."""

    content: bytes
    tie_point: int
    pixels: int


class TemplateEncoder:
    """Does what `geotiff.encode` does, byte for byte."""

    def __init__(self) -> None:
        self._templates: dict[tuple[object, ...], _Template | None] = {}

    def encode(self, pixels: NDArray[np.uint16], pixel_m: int, place: Georeference, nodata: int | None) -> bytes:
        """A GeoTIFF of one band; see `geotiff.encode`."""
        key = (pixels.shape, pixel_m, place.epsg, nodata)
        if key not in self._templates:
            content = encode(pixels, pixel_m, place, nodata)
            self._templates[key] = _template(content, pixels, place)
            return content
        template = self._templates[key]
        if template is None:
            return encode(pixels, pixel_m, place, nodata)
        changed = bytearray(template.content)
        for start, part in ((template.tie_point, _tie_point(place)), (template.pixels, _bytes(pixels))):
            changed[start : start + len(part)] = part
        return bytes(changed)


def _template(content: bytes, pixels: NDArray[np.uint16], place: Georeference) -> _Template | None:
    parts = (_tie_point(place), _bytes(pixels))
    if any(content.count(part) != 1 for part in parts):
        return None
    tie_point, first_pixel = (content.find(part) for part in parts)
    return _Template(content, tie_point, first_pixel)


def _tie_point(place: Georeference) -> bytes:
    """The value of tag 33922, ModelTiepoint: the raster's corner (0, 0, 0) lies at (left, top, 0)."""
    return struct.pack("<6d", 0, 0, 0, place.left_m, place.top_m, 0)


def _bytes(pixels: NDArray[np.uint16]) -> bytes:
    return np.ascontiguousarray(pixels, dtype=PIXEL_TYPE).tobytes()
