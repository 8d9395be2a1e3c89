"""One band of one patch: a GeoTIFF with a single uint16 band of a known size.

GDAL is loaded when a file needs it: BigEarthNet's own do not, and each process that packs would wait for it.
"""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from terrawatt.data.plain_tiff import PlainReader
from terrawatt.errors import PatchError

_OPTIONS = {
    # GDAL would list the folder of each file it opens, to look for side files that BigEarthNet has none of.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
}


@contextmanager
def reading() -> Iterator[None]:
    """Open many files faster: sets GDAL up once, and keeps quiet about files without coordinates."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    with rasterio.Env(**_OPTIONS), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


class BandReader:
    """Reads the bands of patches one after the other; a context manager. For one thread."""

    def __init__(self) -> None:
        self._plain = PlainReader()
        self._gdal: ExitStack | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._gdal is not None:
            self._gdal.close()

    def read_into(self, path: str, patch_id: str, out: NDArray[np.uint16]) -> None:
        """Read the pixels of a band into an array of the size that it must have, (pixels, pixels), in one piece.

        Args:
            path: the GeoTIFF.
            patch_id: named in errors.
            out: where to; its content is undefined after an error.

        Raises:
            PatchError: not a GeoTIFF, truncated, or of another size, type or number of bands.
            OSError: the file cannot be opened or read; FileNotFoundError when there is none.
        """
        if not self._plain.read_into(path, out):
            self._read_with_gdal(Path(path), patch_id, out)

    def _read_with_gdal(self, file: Path, patch_id: str, out: NDArray[np.uint16]) -> None:
        import rasterio
        from rasterio.errors import RasterioError

        if self._gdal is None:
            self._gdal = ExitStack()
            self._gdal.enter_context(reading())
        try:
            with rasterio.open(file) as dataset:
                _check(dataset, file, patch_id, len(out))
                dataset.read(1, out=out)
        except RasterioError as error:
            reason = " ".join(str(error).split()) or "GDAL cannot read it"
            raise PatchError(f"patch {patch_id}: {file.name} is corrupt or truncated: {reason}") from None


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
    from rasterio.io import MemoryFile
    from rasterio.transform import Affine

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
def _coordinate_system(epsg: int) -> Any:
    from rasterio.crs import CRS

    return CRS.from_epsg(epsg)
