import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.data.band_sums import BandSums, no_sums
from terrawatt.data.bands import RESOLUTIONS, RGB_RESOLUTIONS

PIXELS = [resolution.pixels**2 for resolution in RESOLUTIONS for _ in resolution.bands]


def sums_of(patches: int, values: np.ndarray) -> BandSums:
    """Patches in which each band has the given values in turn; as the packing takes them: in integers."""
    totals, squares = [], []
    for pixels in PIXELS:
        band = np.resize(values, pixels).astype(object)
        totals.append(patches * int(band.sum()))
        squares.append(patches * int((band * band).sum()))
    return BandSums(patches, tuple(totals), tuple(squares))


PARTS = st.lists(
    st.tuples(st.integers(1, 300_000), st.lists(st.integers(0, 65_535), min_size=1, max_size=6)), min_size=1, max_size=5
)


@given(parts=PARTS)
def test_statistics_of_parts_pooled_are_those_of_the_whole(parts: list[tuple[int, list[int]]]) -> None:
    whole = no_sums(RESOLUTIONS)
    pooled = no_sums(RESOLUTIONS)
    for patches, values in parts:
        sums = sums_of(patches, np.array(values))
        mean, std = sums.statistics(RESOLUTIONS)
        assert mean is not None
        assert std is not None
        again = BandSums.of_statistics(mean, std, patches, RESOLUTIONS)
        assert again.totals == sums.totals
        whole, pooled = whole + sums, pooled + again
    (mean, std), (mean_of_parts, std_of_parts) = whole.statistics(RESOLUTIONS), pooled.statistics(RESOLUTIONS)
    assert mean_of_parts == mean
    assert std_of_parts == pytest.approx(std, rel=1e-9, abs=1e-3)
    assert pooled.patches == sum(patches for patches, _ in parts)


def test_statistics_are_those_of_the_values() -> None:
    values = np.array([0, 65_535, 7, 7])
    mean, std = sums_of(3, values).statistics(RESOLUTIONS)
    assert mean is not None
    assert std is not None
    for pixels, a_mean, a_std in zip(PIXELS, mean, std, strict=True):
        band = np.resize(values, pixels)
        assert a_mean == pytest.approx(band.mean(), rel=1e-15)
        assert a_std == pytest.approx(band.std(), rel=1e-14)


def test_no_patches() -> None:
    assert no_sums(RGB_RESOLUTIONS).statistics(RGB_RESOLUTIONS) == (None, None)
