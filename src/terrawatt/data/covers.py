"""What each of the 43 CORINE labels looks like on the ground: its materials, their shares and how they are arranged.

The definitions follow the CORINE nomenclature in spirit: arable land is a mosaic of parcels in different states,
discontinuous urban fabric is roofs among gardens, a mixed forest is neither all conifers nor all broad-leaved.
"""

from dataclasses import dataclass
from typing import Final, Literal

from terrawatt.data.labels import LABELS_43

Grain = Literal["fields", "plots", "patches", "pixels"]
"""How materials alternate: in large parcels, in small parcels, in soft-edged patches, from pixel to pixel."""


@dataclass(frozen=True)
class Cover:
    """A label's appearance.

    Attributes:
        clc_code: its CORINE code, as in the reference maps of v2.0.
        grain: how its materials alternate.
        shares: share of each material, by name; they sum up to 1.
        linear: it forms a narrow band rather than an area.
    """

    clc_code: int
    grain: Grain
    shares: dict[str, float]
    linear: bool = False


_COVERS: Final[dict[str, Cover]] = {
    "Continuous urban fabric": Cover(
        111, "pixels", {"roof tiles": 0.45, "asphalt": 0.35, "concrete": 0.15, "broad-leaved trees": 0.05}
    ),
    "Discontinuous urban fabric": Cover(
        112, "pixels", {"roof tiles": 0.25, "asphalt": 0.2, "meadow": 0.3, "broad-leaved trees": 0.25}
    ),
    "Industrial or commercial units": Cover(
        121, "plots", {"metal roof": 0.4, "asphalt": 0.3, "concrete": 0.25, "meadow": 0.05}
    ),
    "Road and rail networks and associated land": Cover(122, "pixels", {"asphalt": 0.7, "dry grass": 0.3}, linear=True),
    "Port areas": Cover(123, "plots", {"concrete": 0.4, "asphalt": 0.2, "metal roof": 0.2, "sea": 0.2}),
    "Airports": Cover(124, "fields", {"meadow": 0.6, "asphalt": 0.3, "concrete": 0.1}),
    "Mineral extraction sites": Cover(131, "patches", {"rock": 0.5, "light soil": 0.4, "lake": 0.1}),
    "Dump sites": Cover(132, "patches", {"dark soil": 0.4, "rock": 0.3, "asphalt": 0.2, "dry grass": 0.1}),
    "Construction sites": Cover(133, "plots", {"light soil": 0.6, "concrete": 0.25, "dry grass": 0.15}),
    "Green urban areas": Cover(141, "patches", {"meadow": 0.5, "broad-leaved trees": 0.45, "asphalt": 0.05}),
    "Sport and leisure facilities": Cover(142, "plots", {"meadow": 0.7, "broad-leaved trees": 0.2, "concrete": 0.1}),
    "Non-irrigated arable land": Cover(211, "fields", {"crop": 0.4, "dark soil": 0.35, "stubble": 0.25}),
    "Permanently irrigated land": Cover(212, "fields", {"irrigated crop": 0.7, "dark soil": 0.3}),
    "Rice fields": Cover(213, "fields", {"rice": 0.8, "lagoon": 0.2}),
    "Vineyards": Cover(221, "plots", {"vines": 0.75, "light soil": 0.25}),
    "Fruit trees and berry plantations": Cover(222, "plots", {"orchard": 0.85, "light soil": 0.15}),
    "Olive groves": Cover(223, "pixels", {"olive trees": 0.65, "light soil": 0.35}),
    "Pastures": Cover(231, "fields", {"meadow": 0.95, "shrubs": 0.05}),
    "Annual crops associated with permanent crops": Cover(
        241, "plots", {"crop": 0.4, "olive trees": 0.4, "vines": 0.2}
    ),
    "Complex cultivation patterns": Cover(
        242, "plots", {"crop": 0.25, "meadow": 0.25, "dark soil": 0.2, "orchard": 0.2, "roof tiles": 0.1}
    ),
    "Land principally occupied by agriculture, with significant areas of natural vegetation": Cover(
        243, "patches", {"crop": 0.3, "meadow": 0.2, "broad-leaved trees": 0.25, "shrubs": 0.25}
    ),
    "Agro-forestry areas": Cover(244, "pixels", {"dry grass": 0.7, "evergreen shrubs": 0.3}),
    "Broad-leaved forest": Cover(311, "pixels", {"broad-leaved trees": 1.0}),
    "Coniferous forest": Cover(312, "pixels", {"conifers": 1.0}),
    "Mixed forest": Cover(313, "patches", {"broad-leaved trees": 0.5, "conifers": 0.5}),
    "Natural grassland": Cover(321, "patches", {"dry grass": 0.6, "meadow": 0.4}),
    "Moors and heathland": Cover(322, "patches", {"heath": 0.85, "peat moss": 0.15}),
    "Sclerophyllous vegetation": Cover(323, "patches", {"evergreen shrubs": 0.8, "light soil": 0.2}),
    "Transitional woodland/shrub": Cover(324, "patches", {"shrubs": 0.6, "conifers": 0.2, "stubble": 0.2}),
    "Beaches, dunes, sands": Cover(331, "pixels", {"sand": 0.95, "dry grass": 0.05}),
    "Bare rock": Cover(332, "patches", {"rock": 1.0}),
    "Sparsely vegetated areas": Cover(333, "patches", {"rock": 0.5, "dry grass": 0.4, "light soil": 0.1}),
    "Burnt areas": Cover(334, "patches", {"ash": 0.8, "shrubs": 0.2}),
    "Inland marshes": Cover(411, "patches", {"reed": 0.8, "lake": 0.2}),
    "Peatbogs": Cover(412, "patches", {"peat moss": 0.85, "lake": 0.15}),
    "Salt marshes": Cover(421, "patches", {"salt meadow": 0.75, "mud": 0.25}),
    "Salines": Cover(422, "plots", {"brine": 0.8, "light soil": 0.2}),
    "Intertidal flats": Cover(423, "patches", {"mud": 0.9, "sea": 0.1}),
    "Water courses": Cover(511, "pixels", {"river": 1.0}, linear=True),
    "Water bodies": Cover(512, "pixels", {"lake": 1.0}),
    "Coastal lagoons": Cover(521, "pixels", {"lagoon": 1.0}),
    "Estuaries": Cover(522, "pixels", {"estuary": 1.0}),
    "Sea and ocean": Cover(523, "pixels", {"sea": 1.0}),
}

COVERS: Final = tuple(_COVERS[label] for label in LABELS_43)
"""The appearance of each label, in the order of `LABELS_43`."""
