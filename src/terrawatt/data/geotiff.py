"""One band of one patch: a GeoTIFF with a single uint16 band of a known size."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from terrawatt.data.plain_tiff import read_plain
from terrawatt.errors import PatchError

_OPTIONS = {
    # GDAL would list the folder of each file it opens, to look for side files that BigEarthNet has none of.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
}


@contextmanager
def reading() -> Iterator[None]:
    """Open many files faster: sets GDAL up once, and keeps quiet about files without coordinates."""
    with rasterio.Env(**_OPTIONS), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def read_band(path: Path, patch_id: str, pixels: int) -> NDArray[np.uint16]:
    """The pixels of a band, uint16 (pixels, pixels).

    Args:
        path: the GeoTIFF.
        patch_id: named in errors.
        pixels: the size that it must have in both directions.

    Raises:
        PatchError: not a GeoTIFF, truncated, or of another size, type or number of bands.
    """
    plain = read_plain(path, pixels)
    if plain is not None:
        return plain
    try:
        with rasterio.open(path) as dataset:
            _check(dataset, path, patch_id, pixels)
            array: NDArray[np.uint16] = dataset.read(1)
    except RasterioError as error:
        reason = " ".join(str(error).split()) or "GDAL cannot read it"
        raise PatchError(f"patch {patch_id}: {path.name} is corrupt or truncated: {reason}") from None
    return array


def _check(dataset: Any, path: Path, patch_id: str, pixels: int) -> None:
    if dataset.count != 1:
        raise PatchError(f"patch {patch_id}: {path.name} has {dataset.count} bands instead of 1")
    if dataset.dtypes[0] != "uint16":
        raise PatchError(f"patch {patch_id}: {path.name} holds {dataset.dtypes[0]} instead of uint16")
    if (dataset.height, dataset.width) != (pixels, pixels):
        size = f"{dataset.width} × {dataset.height}"
        raise PatchError(f"patch {patch_id}: {path.name} has {size} pixels instead of {pixels} × {pixels}")


@dataclass(frozen=True)
class Georeference:
    """Where a patch lies: coordinate system, and easting and northing of its upper left corner in m."""

    epsg: int
    left_m: int
    top_m: int


def encode(pixels: NDArray[np.uint16], pixel_m: int, place: Georeference, nodata: int | None) -> bytes:
    """A GeoTIFF of one band as BigEarthNet's files are: uint16, uncompressed strips, UTM.

    It is made in memory, because GDAL does not always report that a disk is full.
    """
    height, width = pixels.shape
    transform = Affine(pixel_m, 0, place.left_m, 0, -pixel_m, place.top_m)
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            width=width,
            height=height,
            count=1,
            dtype="uint16",
            crs=_coordinate_system(place.epsg),
            transform=transform,
            nodata=nodata,
        ) as dataset:
            dataset.write(pixels, 1)
        return bytes(memory.getbuffer())


def projection_wkt(epsg: int) -> str:
    """The well-known text of a coordinate system, as in the labels' JSON of v1.0."""
    return str(_coordinate_system(epsg).to_wkt())


@cache
def _coordinate_system(epsg: int) -> CRS:
    return CRS.from_epsg(epsg)
