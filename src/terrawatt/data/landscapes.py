"""Where the synthetic patches lie, and which labels occur together there.

The model is small: a patch lies in one Sentinel-2 acquisition (tile and date); the tile's region says which kinds of
landscape are how frequent; a landscape says which labels occur in it, with which weight. A patch draws its landscape,
its number of labels (a spread as in BigEarthNet, about three on average), and then labels without replacement by
weight. So olive groves meet agro-forestry and never peat bogs, and most sea is only sea.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from terrawatt.data.labels import LABELS_43, TO_19

PATCHES_A_SIDE: Final = 90
"""Patches of 1,200 m along a side of a tile of 109.8 km, without its margin."""


@dataclass(frozen=True)
class Acquisition:
    """A tile seen at one time.

    Attributes:
        time: `YYYYMMDDTHHMMSS`; some of BigEarthNet's v1.0 have five digits after the T.
        satellite: "S2A" or "S2B".
        orbit: relative orbit, as in names of products.
        tile: MGRS tile.
        epsg: its coordinate system.
        left_m: easting of the tile's left edge, in m.
        top_m: northing of its upper edge, in m.
        country: the country named in v2.0's table.
        region: key of `REGIONS`.
        greenness: 1 at the height of summer, 0 in deep winter.
    """

    time: str
    satellite: str
    orbit: str
    tile: str
    epsg: int
    left_m: int
    top_m: int
    country: str
    region: str
    greenness: float


_TILES: Final = (
    # tile, EPSG, left, top, country, region, orbit
    ("33UUP", 32633, 300_000, 5_400_000, "Austria", "continental", "R022"),
    ("29UPU", 32629, 600_000, 5_900_040, "Ireland", "atlantic", "R080"),
    ("29SND", 32629, 499_980, 4_400_040, "Portugal", "mediterranean", "R037"),
    ("34TEQ", 32634, 499_980, 5_000_040, "Serbia", "continental", "R136"),
    ("35VNH", 32635, 499_980, 6_800_040, "Finland", "boreal", "R136"),
    ("35VPK", 32635, 600_000, 7_000_020, "Finland", "boreal", "R036"),
    ("32TMT", 32632, 399_960, 5_200_020, "Switzerland", "alpine", "R108"),
    ("31UES", 32631, 499_980, 5_700_000, "Belgium", "atlantic", "R008"),
    ("29SMC", 32629, 399_960, 4_300_020, "Portugal", "coast", "R037"),
)
_DATES: Final = (
    # time, satellite, greenness
    ("20170613T101031", "S2A", 1.0),
    ("20170818T93030", "S2B", 0.95),
    ("20171002T112112", "S2A", 0.75),
    ("20180421T114349", "S2B", 0.85),
)


def _acquisitions() -> Iterator[Acquisition]:
    for time, satellite, greenness in _DATES:
        date, clock = time.split("T")
        for seconds, (tile, epsg, left, top, country, region, orbit) in enumerate(_TILES):
            # A tile every second: names of v1.0 do not hold the tile, so that times must differ.
            later = f"{date}T{int(clock) + seconds}"
            yield Acquisition(later, satellite, orbit, tile, epsg, left, top, country, region, greenness)


ACQUISITIONS: Final = tuple(_acquisitions())

REGIONS: Final[dict[str, dict[str, float]]] = {
    "continental": {"farmland": 5, "hills": 3, "town": 1.5, "lakes": 0.5},
    "atlantic": {"pasture": 5, "farmland": 2, "town": 2, "bog": 1, "shore": 1},
    "mediterranean": {"dehesa": 5, "groves": 3, "irrigation": 1.5, "town": 1, "fire": 0.5},
    "boreal": {"taiga": 6, "lakes": 2, "bog": 1, "farmland": 1},
    "alpine": {"mountain": 4, "hills": 3, "pasture": 2, "lakes": 1},
    "coast": {"open sea": 4, "shore": 3, "groves": 1, "town": 1, "irrigation": 1},
}

_AGRO_NATURAL = "Land principally occupied by agriculture, with significant areas of natural vegetation"

LANDSCAPES: Final[dict[str, dict[str, float]]] = {
    "farmland": {
        "Non-irrigated arable land": 10,
        "Complex cultivation patterns": 3,
        _AGRO_NATURAL: 3,
        "Discontinuous urban fabric": 2,
        "Pastures": 2,
        "Broad-leaved forest": 2,
        "Mixed forest": 0.7,
        "Industrial or commercial units": 0.4,
        "Road and rail networks and associated land": 0.3,
        "Water courses": 0.4,
        "Mineral extraction sites": 0.2,
        "Vineyards": 0.3,
    },
    "pasture": {
        "Pastures": 10,
        "Non-irrigated arable land": 3,
        _AGRO_NATURAL: 3,
        "Transitional woodland/shrub": 1.2,
        "Discontinuous urban fabric": 1,
        "Coniferous forest": 0.8,
        "Mixed forest": 0.5,
        "Natural grassland": 0.5,
        "Sport and leisure facilities": 0.3,
    },
    "hills": {
        "Broad-leaved forest": 7,
        "Mixed forest": 4,
        "Coniferous forest": 2.5,
        _AGRO_NATURAL: 3,
        "Pastures": 2,
        "Complex cultivation patterns": 2,
        "Transitional woodland/shrub": 1.5,
        "Non-irrigated arable land": 1,
        "Water courses": 0.3,
        "Mineral extraction sites": 0.2,
    },
    "taiga": {
        "Coniferous forest": 10,
        "Mixed forest": 7,
        "Transitional woodland/shrub": 5,
        "Peatbogs": 2,
        "Water bodies": 2,
        "Broad-leaved forest": 1.5,
        _AGRO_NATURAL: 1,
        "Non-irrigated arable land": 1,
    },
    "lakes": {
        "Water bodies": 10,
        "Coniferous forest": 4,
        "Mixed forest": 4,
        "Broad-leaved forest": 2,
        "Inland marshes": 2,
        "Pastures": 1,
        "Discontinuous urban fabric": 0.8,
        "Transitional woodland/shrub": 1,
    },
    "bog": {
        "Peatbogs": 8,
        "Moors and heathland": 5,
        "Coniferous forest": 3,
        "Transitional woodland/shrub": 3,
        "Inland marshes": 1,
        "Water bodies": 1,
        "Pastures": 1,
    },
    "mountain": {
        "Natural grassland": 6,
        "Coniferous forest": 5,
        "Bare rock": 4,
        "Sparsely vegetated areas": 4,
        "Moors and heathland": 3,
        "Mixed forest": 1.5,
        "Transitional woodland/shrub": 1,
        "Pastures": 1,
    },
    "town": {
        "Discontinuous urban fabric": 10,
        "Industrial or commercial units": 5,
        "Continuous urban fabric": 3,
        "Non-irrigated arable land": 2,
        "Complex cultivation patterns": 1.5,
        "Green urban areas": 1.2,
        "Sport and leisure facilities": 1,
        "Road and rail networks and associated land": 1,
        "Airports": 0.4,
        "Construction sites": 0.3,
        "Dump sites": 0.2,
        "Water courses": 0.5,
    },
    "dehesa": {
        "Agro-forestry areas": 8,
        "Transitional woodland/shrub": 4,
        "Broad-leaved forest": 4,
        "Sclerophyllous vegetation": 3,
        "Non-irrigated arable land": 2,
        "Natural grassland": 1.5,
        _AGRO_NATURAL: 1.5,
        "Pastures": 0.7,
        "Water bodies": 0.4,
    },
    "groves": {
        "Olive groves": 6,
        "Vineyards": 3,
        "Complex cultivation patterns": 3,
        "Fruit trees and berry plantations": 2,
        "Annual crops associated with permanent crops": 2,
        _AGRO_NATURAL: 2,
        "Discontinuous urban fabric": 1,
        "Sclerophyllous vegetation": 1,
    },
    "irrigation": {
        "Permanently irrigated land": 8,
        "Rice fields": 4,
        "Non-irrigated arable land": 2,
        "Fruit trees and berry plantations": 1,
        "Complex cultivation patterns": 1,
        "Water courses": 1,
        "Inland marshes": 0.7,
    },
    "fire": {
        "Burnt areas": 6,
        "Transitional woodland/shrub": 5,
        "Coniferous forest": 3,
        "Sclerophyllous vegetation": 2,
        "Broad-leaved forest": 2,
    },
    "open sea": {"Sea and ocean": 1},
    "shore": {
        "Sea and ocean": 8,
        "Beaches, dunes, sands": 3,
        "Estuaries": 1.5,
        "Salt marshes": 2,
        "Intertidal flats": 1.5,
        "Coastal lagoons": 1.5,
        "Salines": 1,
        "Port areas": 0.8,
        "Discontinuous urban fabric": 1.5,
        "Sclerophyllous vegetation": 1,
        "Pastures": 0.8,
    },
}

_LABEL_COUNTS = np.array([0.17, 0.25, 0.25, 0.17, 0.1, 0.06])
"""Probability of 1, 2, … labels."""

_SMALLEST_SHARE = 0.1
"""Share of a patch that its smallest cover has at least; CORINE maps nothing below 25 ha of a patch's 144 ha."""


def draw_covers(region: str, rng: np.random.Generator) -> tuple[list[int], list[float]]:
    """Draw what covers a patch.

    At least one of the labels belongs to one of the 19 classes.

    Returns:
        Indices of `LABELS_43`, and the share of the patch that each covers; they sum up to 1.
    """
    landscape = LANDSCAPES[_draw(REGIONS[region], 1, rng)[0]]
    while True:
        count = min(len(landscape), 1 + int(rng.choice(len(_LABEL_COUNTS), p=_LABEL_COUNTS)))
        labels = [LABELS_43.index(label) for label in _draw(landscape, count, rng)]
        if any(TO_19[label] is not None for label in labels):
            break
    free = 1 - _SMALLEST_SHARE * count
    shares = _SMALLEST_SHARE + free * rng.dirichlet(np.full(count, 1.5))
    return labels, [float(share) for share in shares]


def _draw(weights: Mapping[str, float], count: int, rng: np.random.Generator) -> list[str]:
    """Draw names without replacement, by weight."""
    names = list(weights)
    probabilities = np.array(list(weights.values()), dtype=np.float64)
    chosen = rng.choice(len(names), size=count, replace=False, p=probabilities / probabilities.sum())
    return [names[index] for index in chosen]
