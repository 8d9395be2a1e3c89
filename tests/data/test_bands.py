import numpy as np

from terrawatt.data.bands import BANDS, PUBLISHED, RESOLUTIONS, RGB


def test_bands_are_those_of_the_resolutions_in_turn() -> None:
    assert tuple(band for resolution in RESOLUTIONS for band in resolution.bands) == BANDS
    assert len(set(BANDS)) == 12
    assert "B10" not in BANDS


def test_rgb_is_a_prefix() -> None:
    assert BANDS[: len(RGB)] == RGB == ("B04", "B03", "B02")


def test_sizes_of_a_patch() -> None:
    assert [resolution.shape for resolution in RESOLUTIONS] == [(4, 120, 120), (6, 60, 60), (2, 20, 20)]
    assert sum(resolution.patch_bytes for resolution in RESOLUTIONS) == 160_000


def test_published_statistics_stand_beside_their_bands() -> None:
    assert PUBLISHED.mean.shape == PUBLISHED.std.shape == (12,)
    assert PUBLISHED.mean[BANDS.index("B01")] == 340.77
    assert PUBLISHED.std[BANDS.index("B8A")] == 1356.14
    assert np.argmax(PUBLISHED.mean) == BANDS.index("B8A")
