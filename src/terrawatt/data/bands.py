"""The twelve Sentinel-2 bands of BigEarthNet: order, resolutions, statistics.

Packs, models and statistics use one order, `BANDS`: by resolution, and the RGB bands first, so that reading RGB alone
is reading a prefix. B10 (cirrus) is not part of the archive.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

PATCH_SIZE_M: Final = 1_200
"""Side of a patch on the ground, in m."""

REFLECTANCE_SCALE: Final = 10_000
"""Digital numbers per unit of surface reflectance."""


@dataclass(frozen=True)
class Resolution:
    """The bands that share one pixel size: `shape` is that of one patch, (bands, pixels, pixels)."""

    name: str
    pixel_m: int
    bands: tuple[str, ...]

    @property
    def pixels(self) -> int:
        """Side of a patch in pixels."""
        return PATCH_SIZE_M // self.pixel_m

    @property
    def shape(self) -> tuple[int, int, int]:
        """(bands, pixels, pixels)."""
        return (len(self.bands), self.pixels, self.pixels)

    @property
    def patch_bytes(self) -> int:
        """Bytes of one patch's bands of this resolution, as uint16."""
        return 2 * len(self.bands) * self.pixels * self.pixels


RESOLUTIONS: Final = (
    Resolution("r10", 10, ("B04", "B03", "B02", "B08")),
    Resolution("r20", 20, ("B05", "B06", "B07", "B8A", "B11", "B12")),
    Resolution("r60", 60, ("B01", "B09")),
)
BANDS: Final = ("B04", "B03", "B02", "B08", "B05", "B06", "B07", "B8A", "B11", "B12", "B01", "B09")
RGB: Final = ("B04", "B03", "B02")
RGB_RESOLUTIONS: Final = (Resolution("r10", 10, RGB),)
"""What a pack of RGB alone holds."""


@dataclass(frozen=True, eq=False)
class BandStatistics:
    """Mean and standard deviation of each band in the order of `BANDS`, as float64 of shape (12,).

    Values are digital numbers (reflectance × 10⁴); `origin` says of which images they are. Those of a pack of RGB alone
    are not known for the other nine bands: NaN.
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    origin: str


_PUBLISHED = {
    "B01": (340.77, 554.81),
    "B02": (429.94, 572.42),
    "B03": (614.22, 582.88),
    "B04": (590.24, 675.89),
    "B05": (950.68, 729.90),
    "B06": (1792.46, 1096.01),
    "B07": (2075.47, 1273.45),
    "B08": (2218.95, 1365.46),
    "B8A": (2266.46, 1356.14),
    "B09": (2246.06, 1302.33),
    "B11": (1594.43, 1079.19),
    "B12": (1009.33, 818.87),
}

PUBLISHED: Final = BandStatistics(
    mean=np.array([_PUBLISHED[band][0] for band in BANDS]),
    std=np.array([_PUBLISHED[band][1] for band in BANDS]),
    origin="published for the training split of BigEarthNet v1.0",
)
