import numpy as np
import pytest

from terrawatt.data.bands import BANDS, PUBLISHED
from terrawatt.data.spectra import MATERIALS, SEASONAL, in_season


def band(material: str, name: str) -> float:
    return float(MATERIALS.spectra[MATERIALS.index(material), BANDS.index(name)])


def test_one_spectrum_of_twelve_bands_a_material() -> None:
    assert MATERIALS.spectra.shape == (len(MATERIALS.names), 12)
    assert set(MATERIALS.names) > SEASONAL
    assert MATERIALS.spectra.min() > 0
    assert MATERIALS.spectra.max() < 10_000


@pytest.mark.parametrize("leaves", ["broad-leaved trees", "conifers", "meadow", "crop"])
def test_leaves_absorb_red_and_reflect_the_near_infrared(leaves: str) -> None:
    assert band(leaves, "B08") > 5 * band(leaves, "B04")
    assert band(leaves, "B03") > band(leaves, "B04")


@pytest.mark.parametrize("water", ["lake", "river", "sea", "lagoon", "estuary"])
def test_water_is_black_beyond_the_red(water: str) -> None:
    assert band(water, "B11") < 150
    assert band(water, "B08") < band(water, "B03")


def test_forests_differ_in_the_infrared_more_than_in_the_visible() -> None:
    visible = abs(band("conifers", "B04") - band("broad-leaved trees", "B04"))
    infrared = abs(band("conifers", "B08") - band("broad-leaved trees", "B08"))
    assert infrared > 50 * visible


def test_winter_turns_leaves_into_litter_and_spares_conifers() -> None:
    winter = in_season(0)
    assert np.array_equal(winter[MATERIALS.index("crop")], MATERIALS.spectra[MATERIALS.index("litter")])
    assert np.array_equal(winter[MATERIALS.index("conifers")], MATERIALS.spectra[MATERIALS.index("conifers")])
    assert np.array_equal(in_season(1), MATERIALS.spectra)


def test_levels_are_those_of_the_real_archive() -> None:
    means = MATERIALS.spectra.mean(axis=0)
    assert (means / PUBLISHED.mean < 2).all()
    assert (means / PUBLISHED.mean > 0.5).all()
