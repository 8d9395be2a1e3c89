"""Reflectance spectra of the materials that the synthetic archive is made of.

Values are surface reflectance × 10⁴ in the twelve bands of Sentinel-2 L2A, of the order of magnitude found in scenes of
Europe and in textbooks on the reflectance of vegetation, soil and water: chlorophyll absorbs in the visible and leaf
tissue reflects beyond the red edge (B05 to B8A), liquid water absorbs in the short-wave infrared (B11, B12), open water
absorbs everything beyond the red. They are made for a synthetic archive, not measured.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from terrawatt.data.bands import BANDS

_ORDER = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")

_SPECTRA: Final[dict[str, tuple[int, ...]]] = {
    # vegetation                      visible | red edge | near infrared | short-wave infrared
    "broad-leaved trees": (200, 250, 470, 280, 760, 2500, 3150, 3350, 3450, 3450, 1500, 680),
    "conifers": (190, 230, 390, 260, 600, 1480, 1780, 1920, 2000, 2000, 880, 420),
    "shrubs": (230, 290, 500, 400, 900, 2000, 2400, 2550, 2700, 2700, 1900, 1050),
    "heath": (240, 300, 470, 460, 830, 1450, 1650, 1780, 1900, 1900, 1750, 1050),
    "evergreen shrubs": (260, 330, 530, 480, 900, 1700, 1950, 2100, 2200, 2200, 1500, 800),
    "meadow": (320, 370, 730, 460, 1200, 3400, 4250, 4500, 4600, 4600, 2150, 1080),
    "dry grass": (360, 450, 740, 760, 1250, 1950, 2250, 2450, 2600, 2650, 2900, 1850),
    "crop": (310, 370, 690, 460, 1150, 2900, 3500, 3700, 3850, 3850, 2300, 1200),
    "irrigated crop": (300, 360, 680, 430, 1050, 3100, 4000, 4250, 4350, 4300, 1550, 680),
    "rice": (330, 390, 640, 470, 900, 2000, 2450, 2600, 2650, 2600, 950, 430),
    "stubble": (520, 700, 1020, 1250, 1650, 1950, 2150, 2350, 2550, 2600, 3300, 2350),
    "orchard": (300, 390, 670, 560, 1050, 2350, 2850, 3050, 3150, 3150, 1850, 950),
    "olive trees": (400, 520, 790, 850, 1250, 1800, 2050, 2250, 2350, 2400, 2350, 1600),
    "vines": (420, 560, 830, 900, 1350, 2150, 2500, 2700, 2850, 2850, 2600, 1750),
    "reed": (290, 360, 600, 500, 950, 1900, 2250, 2400, 2450, 2450, 1250, 600),
    "peat moss": (250, 310, 500, 480, 850, 1400, 1600, 1750, 1850, 1850, 1150, 620),
    "salt meadow": (430, 510, 720, 700, 1050, 1500, 1700, 1800, 1850, 1800, 1000, 550),
    # mineral surfaces
    "dark soil": (420, 560, 820, 1020, 1300, 1480, 1620, 1780, 1950, 2000, 2500, 2050),
    "light soil": (600, 800, 1150, 1480, 1850, 2050, 2200, 2400, 2600, 2650, 3500, 2900),
    "sand": (1250, 1600, 2050, 2450, 2700, 2800, 2900, 3050, 3150, 3150, 3600, 3150),
    "rock": (900, 1050, 1250, 1400, 1550, 1650, 1720, 1800, 1880, 1900, 2250, 2050),
    "ash": (260, 320, 400, 440, 560, 720, 830, 920, 1050, 1150, 1800, 1850),
    "asphalt": (700, 820, 950, 1020, 1100, 1200, 1260, 1320, 1380, 1400, 1480, 1350),
    "roof tiles": (700, 850, 1080, 1400, 1650, 1800, 1900, 2050, 2150, 2150, 2500, 2250),
    "metal roof": (1900, 2200, 2350, 2450, 2500, 2550, 2550, 2600, 2600, 2500, 2350, 2150),
    "concrete": (1250, 1500, 1720, 1880, 2000, 2080, 2120, 2200, 2250, 2250, 2450, 2300),
    # water
    "lake": (240, 250, 310, 200, 160, 120, 115, 105, 95, 90, 60, 40),
    "river": (330, 350, 460, 350, 330, 240, 225, 205, 170, 150, 95, 65),
    "lagoon": (420, 440, 560, 380, 320, 220, 210, 190, 160, 130, 85, 60),
    "estuary": (480, 520, 680, 600, 560, 380, 360, 310, 240, 180, 100, 70),
    "sea": (400, 310, 260, 150, 110, 85, 80, 75, 65, 60, 45, 30),
    "mud": (600, 720, 900, 960, 1020, 980, 960, 930, 850, 620, 420, 270),
    "brine": (1150, 1300, 1550, 1500, 1420, 1300, 1250, 1200, 1080, 800, 380, 240),
    # what leaves and crops turn into out of season
    "litter": (380, 480, 680, 800, 1050, 1350, 1500, 1650, 1800, 1850, 2300, 1600),
}

SEASONAL: Final = frozenset(
    {
        "broad-leaved trees",
        "shrubs",
        "crop",
        "irrigated crop",
        "rice",
        "orchard",
        "vines",
        "reed",
        "meadow",
        "salt meadow",
    }
)
"""Materials that turn into litter in winter."""


@dataclass(frozen=True, eq=False)
class Materials:
    """All materials: `names`, and `spectra` of shape (materials, 12), bands in the order of `BANDS`."""

    names: tuple[str, ...]
    spectra: NDArray[np.float64]

    def index(self, name: str) -> int:
        """The row of a material."""
        return self.names.index(name)


_COLUMNS = [_ORDER.index(band) for band in BANDS]

MATERIALS: Final = Materials(tuple(_SPECTRA), np.array(list(_SPECTRA.values()), dtype=np.float64)[:, _COLUMNS])


def in_season(greenness: float) -> NDArray[np.float64]:
    """The spectra of all materials at a time of the year, shape (materials, 12).

    Args:
        greenness: 1 in summer, 0 in deep winter; seasonal materials are mixed with litter accordingly.
    """
    spectra = MATERIALS.spectra.copy()
    litter = spectra[MATERIALS.index("litter")]
    for name in SEASONAL:
        row = MATERIALS.index(name)
        spectra[row] = greenness * spectra[row] + (1 - greenness) * litter
    return spectra
