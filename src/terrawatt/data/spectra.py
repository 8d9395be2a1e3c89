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
    "broad-leaved trees": (150, 190, 400, 230, 720, 2550, 3250, 3450, 3550, 3550, 1550, 680),
    "conifers": (150, 185, 365, 225, 560, 1480, 1780, 1920, 2000, 2000, 800, 370),
    "shrubs": (160, 200, 410, 280, 850, 2050, 2450, 2600, 2750, 2750, 2050, 1100),
    "heath": (165, 210, 400, 310, 800, 1400, 1600, 1730, 1850, 1850, 1950, 1150),
    "evergreen shrubs": (165, 210, 405, 300, 820, 1750, 2050, 2200, 2300, 2300, 1250, 620),
    "meadow": (190, 235, 530, 300, 1150, 3400, 4300, 4550, 4650, 4650, 2250, 1100),
    "dry grass": (260, 350, 620, 680, 1200, 1950, 2250, 2450, 2600, 2650, 2800, 1750),
    "crop": (190, 235, 520, 310, 1050, 2800, 3350, 3550, 3700, 3700, 1900, 900),
    "irrigated crop": (185, 230, 510, 290, 980, 3150, 4050, 4300, 4400, 4350, 1300, 520),
    "rice": (195, 240, 490, 310, 850, 1950, 2350, 2500, 2550, 2500, 800, 340),
    "stubble": (380, 530, 830, 1030, 1500, 1950, 2200, 2400, 2600, 2650, 3450, 2450),
    "orchard": (195, 245, 500, 350, 1000, 2350, 2850, 3050, 3150, 3150, 1600, 750),
    "olive trees": (280, 380, 650, 690, 1100, 1700, 1950, 2150, 2250, 2300, 2100, 1350),
    "vines": (280, 380, 660, 700, 1200, 2250, 2650, 2850, 3000, 3000, 2500, 1500),
    "reed": (180, 225, 460, 310, 850, 1900, 2300, 2400, 2450, 2450, 1000, 430),
    "peat moss": (165, 210, 400, 300, 780, 1350, 1550, 1700, 1800, 1800, 1050, 520),
    "salt meadow": (260, 340, 560, 520, 900, 1500, 1720, 1820, 1850, 1800, 900, 450),
    # mineral surfaces
    "dark soil": (360, 500, 760, 940, 1250, 1430, 1560, 1720, 1880, 1950, 2650, 2250),
    "light soil": (520, 720, 1060, 1380, 1780, 2000, 2160, 2350, 2550, 2600, 3600, 3000),
    "sand": (1150, 1500, 1950, 2350, 2650, 2780, 2900, 3050, 3150, 3150, 3700, 3250),
    "rock": (800, 950, 1180, 1340, 1500, 1600, 1680, 1760, 1840, 1860, 2250, 2050),
    "ash": (200, 260, 350, 400, 540, 700, 810, 900, 1030, 1130, 1850, 1900),
    "asphalt": (500, 610, 740, 810, 920, 1020, 1080, 1140, 1190, 1200, 1250, 1120),
    "roof tiles": (480, 620, 850, 1080, 1350, 1500, 1600, 1720, 1800, 1800, 1800, 1600),
    "metal roof": (1700, 2000, 2150, 2250, 2320, 2380, 2400, 2450, 2450, 2350, 2100, 1900),
    "concrete": (1000, 1230, 1440, 1580, 1720, 1810, 1860, 1930, 1980, 1980, 2000, 1850),
    # water
    "lake": (190, 210, 290, 180, 150, 115, 110, 100, 90, 85, 55, 40),
    "river": (240, 270, 400, 290, 290, 230, 220, 200, 165, 145, 90, 60),
    "lagoon": (330, 330, 440, 270, 260, 200, 195, 180, 150, 120, 80, 55),
    "estuary": (370, 400, 560, 470, 480, 350, 335, 290, 225, 170, 95, 65),
    "sea": (380, 270, 240, 140, 110, 85, 80, 75, 65, 60, 45, 30),
    "mud": (480, 590, 770, 830, 950, 940, 930, 900, 820, 600, 400, 260),
    "brine": (950, 1080, 1330, 1300, 1300, 1220, 1180, 1130, 1030, 760, 360, 220),
    # what leaves and crops turn into out of season
    "litter": (270, 360, 560, 650, 950, 1350, 1550, 1700, 1850, 1900, 2300, 1550),
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
