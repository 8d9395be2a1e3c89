import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.data.labels import (
    LABELS_19,
    LABELS_43,
    TO_19,
    mask_to_19,
    mask_to_names,
    masks_to_multi_hot,
    multi_hot_to_masks,
    names_to_mask,
)

AGRO_NATURAL = "Land principally occupied by agriculture, with significant areas of natural vegetation"
EXPECTED = {
    "Continuous urban fabric": "Urban fabric",
    "Discontinuous urban fabric": "Urban fabric",
    "Industrial or commercial units": "Industrial or commercial units",
    "Road and rail networks and associated land": None,
    "Port areas": None,
    "Airports": None,
    "Mineral extraction sites": None,
    "Dump sites": None,
    "Construction sites": None,
    "Green urban areas": None,
    "Sport and leisure facilities": None,
    "Non-irrigated arable land": "Arable land",
    "Permanently irrigated land": "Arable land",
    "Rice fields": "Arable land",
    "Vineyards": "Permanent crops",
    "Fruit trees and berry plantations": "Permanent crops",
    "Olive groves": "Permanent crops",
    "Pastures": "Pastures",
    "Annual crops associated with permanent crops": "Permanent crops",
    "Complex cultivation patterns": "Complex cultivation patterns",
    AGRO_NATURAL: AGRO_NATURAL,
    "Agro-forestry areas": "Agro-forestry areas",
    "Broad-leaved forest": "Broad-leaved forest",
    "Coniferous forest": "Coniferous forest",
    "Mixed forest": "Mixed forest",
    "Natural grassland": "Natural grassland and sparsely vegetated areas",
    "Moors and heathland": "Moors, heathland and sclerophyllous vegetation",
    "Sclerophyllous vegetation": "Moors, heathland and sclerophyllous vegetation",
    "Transitional woodland/shrub": "Transitional woodland, shrub",
    "Beaches, dunes, sands": "Beaches, dunes, sands",
    "Bare rock": None,
    "Sparsely vegetated areas": "Natural grassland and sparsely vegetated areas",
    "Burnt areas": None,
    "Inland marshes": "Inland wetlands",
    "Peatbogs": "Inland wetlands",
    "Salt marshes": "Coastal wetlands",
    "Salines": "Coastal wetlands",
    "Intertidal flats": None,
    "Water courses": "Inland waters",
    "Water bodies": "Inland waters",
    "Coastal lagoons": "Marine waters",
    "Estuaries": "Marine waters",
    "Sea and ocean": "Marine waters",
}
CLASSES = (
    "Urban fabric",
    "Industrial or commercial units",
    "Arable land",
    "Permanent crops",
    "Pastures",
    "Complex cultivation patterns",
    AGRO_NATURAL,
    "Agro-forestry areas",
    "Broad-leaved forest",
    "Coniferous forest",
    "Mixed forest",
    "Natural grassland and sparsely vegetated areas",
    "Moors, heathland and sclerophyllous vegetation",
    "Transitional woodland, shrub",
    "Beaches, dunes, sands",
    "Inland wetlands",
    "Coastal wetlands",
    "Inland waters",
    "Marine waters",
)


def test_names_and_their_order() -> None:
    assert tuple(EXPECTED) == LABELS_43
    assert CLASSES == LABELS_19


def test_each_of_the_43_labels_has_the_class_that_the_authors_gave_it() -> None:
    assert {
        label: None if to is None else LABELS_19[to] for label, to in zip(LABELS_43, TO_19, strict=True)
    } == EXPECTED


def test_eleven_labels_have_no_class() -> None:
    assert TO_19.count(None) == 11


def test_the_same_as_torchgeo() -> None:
    datasets = pytest.importorskip("torchgeo.datasets")
    assert datasets.BigEarthNet.label_converter == {index: to for index, to in enumerate(TO_19) if to is not None}
    assert tuple(datasets.BigEarthNet.class_sets[43]) == LABELS_43
    assert tuple(datasets.BigEarthNet.class_sets[19]) == LABELS_19


def test_unknown_name() -> None:
    with pytest.raises(KeyError, match="Lava"):
        names_to_mask(["Pastures", "Lava"], LABELS_43)


@given(st.sets(st.sampled_from(LABELS_43)))
def test_names_come_back_in_order(names: set[str]) -> None:
    mask = names_to_mask(names, LABELS_43)
    assert mask_to_names(mask, LABELS_43) == tuple(label for label in LABELS_43 if label in names)


@given(st.sets(st.sampled_from(LABELS_43)))
def test_a_set_has_the_classes_of_its_labels(names: set[str]) -> None:
    expected = {EXPECTED[name] for name in names} - {None}
    assert set(mask_to_names(mask_to_19(names_to_mask(names, LABELS_43)), LABELS_19)) == expected


@given(st.lists(st.integers(0, 2**43 - 1), max_size=20))
def test_masks_become_multi_hot_and_back(masks: list[int]) -> None:
    multi_hot = masks_to_multi_hot(masks, 43)
    assert multi_hot.shape == (len(masks), 43)
    assert multi_hot.dtype == np.uint8
    assert multi_hot.sum() == sum(mask.bit_count() for mask in masks)
    assert multi_hot_to_masks(multi_hot).tolist() == masks


def test_the_last_bit_is_the_last_name() -> None:
    assert masks_to_multi_hot([1 << 42], 43)[0, 42] == 1
    assert mask_to_names(1 << 42, LABELS_43) == ("Sea and ocean",)
