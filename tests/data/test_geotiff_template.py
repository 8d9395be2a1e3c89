import numpy as np
import pytest

from terrawatt.data.geotiff import Georeference, encode
from terrawatt.data.geotiff_template import TemplateEncoder


def of_size(pixels: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 20_000, (pixels, pixels)).astype(np.uint16)


@pytest.mark.parametrize("nodata", [None, 0])
@pytest.mark.parametrize(("pixels", "pixel_m"), [(120, 10), (60, 20), (20, 60)])
def test_files_are_those_of_gdal_byte_for_byte(pixels: int, pixel_m: int, nodata: int | None) -> None:
    encoder = TemplateEncoder()
    for number in range(3):
        place = Georeference(32629, 604_800 + 1_200 * number, 5_834_040 - 1_200 * number)
        band = of_size(pixels, number)
        assert encoder.encode(band, pixel_m, place, nodata) == encode(band, pixel_m, place, nodata)


def test_another_coordinate_system_or_size_is_another_template() -> None:
    encoder = TemplateEncoder()
    for epsg in (32629, 32635, 32629):
        for pixels, pixel_m in ((60, 20), (20, 60), (60, 20)):
            band, place = of_size(pixels, epsg), Georeference(epsg, 499_980, 6_800_040)
            assert encoder.encode(band, pixel_m, place, 0) == encode(band, pixel_m, place, 0)


def test_where_the_first_bands_pixels_are_not_found_gdal_makes_each() -> None:
    encoder = TemplateEncoder()
    place = Georeference(32629, 0, 0)  # a tie point of zeros is found more than once in pixels of zeros
    for band in (np.zeros((60, 60), dtype=np.uint16), of_size(60, 1)):
        assert encoder.encode(band, 20, place, None) == encode(band, 20, place, None)


def test_a_view_of_every_second_pixel_is_written_as_it_looks() -> None:
    encoder = TemplateEncoder()
    place = Georeference(32629, 604_800, 5_834_040)
    for seed in range(2):
        band = of_size(120, seed)[::2, ::2]
        assert encoder.encode(band, 20, place, None) == encode(np.ascontiguousarray(band), 20, place, None)
