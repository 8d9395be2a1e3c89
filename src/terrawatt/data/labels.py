"""The 43 CORINE labels of BigEarthNet v1.0, the 19 classes, and how the ones become the others.

The order is the canonical one of the BigEarthNet authors' `label_indices.json` (not alphabetical). In packs a set of
labels is a bitmask: bit i stands for name i. The 19 classes are from Sumbul et al., "BigEarthNet-MM", IEEE GRSM 2021;
eleven of the 43 labels have no class among them.
"""

from collections.abc import Iterable
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

LABELS_43: Final = (
    "Continuous urban fabric",
    "Discontinuous urban fabric",
    "Industrial or commercial units",
    "Road and rail networks and associated land",
    "Port areas",
    "Airports",
    "Mineral extraction sites",
    "Dump sites",
    "Construction sites",
    "Green urban areas",
    "Sport and leisure facilities",
    "Non-irrigated arable land",
    "Permanently irrigated land",
    "Rice fields",
    "Vineyards",
    "Fruit trees and berry plantations",
    "Olive groves",
    "Pastures",
    "Annual crops associated with permanent crops",
    "Complex cultivation patterns",
    "Land principally occupied by agriculture, with significant areas of natural vegetation",
    "Agro-forestry areas",
    "Broad-leaved forest",
    "Coniferous forest",
    "Mixed forest",
    "Natural grassland",
    "Moors and heathland",
    "Sclerophyllous vegetation",
    "Transitional woodland/shrub",
    "Beaches, dunes, sands",
    "Bare rock",
    "Sparsely vegetated areas",
    "Burnt areas",
    "Inland marshes",
    "Peatbogs",
    "Salt marshes",
    "Salines",
    "Intertidal flats",
    "Water courses",
    "Water bodies",
    "Coastal lagoons",
    "Estuaries",
    "Sea and ocean",
)

_MEMBERS: Final[dict[str, tuple[str, ...]]] = {
    "Urban fabric": ("Continuous urban fabric", "Discontinuous urban fabric"),
    "Industrial or commercial units": ("Industrial or commercial units",),
    "Arable land": ("Non-irrigated arable land", "Permanently irrigated land", "Rice fields"),
    "Permanent crops": (
        "Vineyards",
        "Fruit trees and berry plantations",
        "Olive groves",
        "Annual crops associated with permanent crops",
    ),
    "Pastures": ("Pastures",),
    "Complex cultivation patterns": ("Complex cultivation patterns",),
    "Land principally occupied by agriculture, with significant areas of natural vegetation": (
        "Land principally occupied by agriculture, with significant areas of natural vegetation",
    ),
    "Agro-forestry areas": ("Agro-forestry areas",),
    "Broad-leaved forest": ("Broad-leaved forest",),
    "Coniferous forest": ("Coniferous forest",),
    "Mixed forest": ("Mixed forest",),
    "Natural grassland and sparsely vegetated areas": ("Natural grassland", "Sparsely vegetated areas"),
    "Moors, heathland and sclerophyllous vegetation": ("Moors and heathland", "Sclerophyllous vegetation"),
    "Transitional woodland, shrub": ("Transitional woodland/shrub",),
    "Beaches, dunes, sands": ("Beaches, dunes, sands",),
    "Inland wetlands": ("Inland marshes", "Peatbogs"),
    "Coastal wetlands": ("Salt marshes", "Salines"),
    "Inland waters": ("Water courses", "Water bodies"),
    "Marine waters": ("Coastal lagoons", "Estuaries", "Sea and ocean"),
}

LABELS_19: Final = tuple(_MEMBERS)

_CLASS_OF = {label: index for index, members in enumerate(_MEMBERS.values()) for label in members}

TO_19: Final[tuple[int | None, ...]] = tuple(_CLASS_OF.get(label) for label in LABELS_43)
"""For each of the 43 labels the index of its class among the 19, or None when it has none."""


@cache
def _bits(known: tuple[str, ...]) -> dict[str, int]:
    return {name: 1 << index for index, name in enumerate(known)}


def names_to_mask(names: Iterable[str], known: tuple[str, ...]) -> int:
    """The bitmask of a set of label names.

    Args:
        names: label names, each exactly as in `known`; order and repetition do not matter.
        known: `LABELS_43` or `LABELS_19`; bit i stands for `known[i]`.

    Raises:
        KeyError: a name that is not known; its argument is the name.
    """
    bits = _bits(known)
    mask = 0
    for name in names:
        mask |= bits[name]
    return mask


def mask_to_names(mask: int, known: tuple[str, ...]) -> tuple[str, ...]:
    """The names of a bitmask, in the order of `known`."""
    return tuple(name for index, name in enumerate(known) if mask >> index & 1)


def mask_to_19(mask_43: int) -> int:
    """The bitmask over the 19 classes of a bitmask over the 43 labels; 0 when none of the labels has a class."""
    mask = 0
    for index, target in enumerate(TO_19):
        if target is not None and mask_43 >> index & 1:
            mask |= 1 << target
    return mask


def masks_to_multi_hot(masks: ArrayLike, n_classes: int) -> NDArray[np.uint8]:
    """Bitmasks of shape (n,) as ones and zeros of shape (n, n_classes)."""
    column = np.asarray(masks, dtype=np.int64)[:, np.newaxis]
    return ((column >> np.arange(n_classes, dtype=np.int64)) & 1).astype(np.uint8)


def multi_hot_to_masks(multi_hot: ArrayLike) -> NDArray[np.int64]:
    """Ones and zeros of shape (n, n_classes) as bitmasks of shape (n,)."""
    array = np.asarray(multi_hot, dtype=np.int64)
    return np.asarray((array << np.arange(array.shape[1], dtype=np.int64)).sum(axis=1), dtype=np.int64)
