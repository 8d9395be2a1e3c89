import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from terrawatt.data.geotiff import BandReader, Georeference, encode, projection_wkt, reading
from terrawatt.errors import PatchError

PLACE = Georeference(32629, 604_800, 5_834_040)


def read_band(file: Path, patch_id: str, pixels: int) -> np.ndarray:
    out = np.empty((pixels, pixels), dtype=np.uint16)
    with BandReader() as reader:
        reader.read_into(str(file), patch_id, out)
    return out


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 65536, (1, 60, 60)).astype(np.uint16)


@pytest.mark.parametrize("options", [{}, {"compress": "deflate"}, {"ENDIANNESS": "BIG"}, {"tiled": True}])
def test_reads_any_uint16_geotiff(
    options: dict[str, object], pixels: np.ndarray, tmp_path: Path, write_tiff: Callable[..., Path]
) -> None:
    file = write_tiff(tmp_path / "p_B05.tif", pixels, **options)
    with warnings.catch_warnings(), reading():
        assert np.array_equal(read_band(file, "p", 60), pixels[0])


@pytest.mark.parametrize(
    ("array", "what"),
    [
        (np.ones((1, 60, 30), np.uint16), "has 30 × 60 pixels instead of 60 × 60"),
        (np.ones((1, 120, 120), np.uint16), "has 120 × 120 pixels instead of 60 × 60"),
        (np.ones((2, 60, 60), np.uint16), "has 2 bands instead of 1"),
        (np.ones((1, 60, 60), np.int16), "holds int16 instead of uint16"),
        (np.ones((1, 60, 60), np.float32), "holds float32 instead of uint16"),
    ],
)
def test_says_what_is_wrong(array: np.ndarray, what: str, tmp_path: Path, write_tiff: Callable[..., Path]) -> None:
    file = write_tiff(tmp_path / "p_B05.tif", array)
    with reading(), pytest.raises(PatchError, match=f"^patch p: p_B05.tif {what}$"):
        read_band(file, "p", 60)


@pytest.mark.parametrize("length", [0, 3, 8, 60, 200, 500, 5_000, 7_000])
def test_truncated(length: int, pixels: np.ndarray, tmp_path: Path) -> None:
    file = tmp_path / "p_B05.tif"
    content = encode(pixels[0], 20, PLACE, 0)
    file.write_bytes(content[:length])
    assert length < len(content)
    with reading(), pytest.raises(PatchError, match=r"^patch p: p_B05\.tif is corrupt or truncated: .+") as caught:
        read_band(file, "p", 60)
    assert "\n" not in str(caught.value)


def test_not_a_tiff(tmp_path: Path) -> None:
    file = tmp_path / "p_B05.tif"
    file.write_text("<html>Service unavailable</html>")
    with reading(), pytest.raises(PatchError, match=r"p_B05\.tif is corrupt"):
        read_band(file, "p", 60)


def test_nothing_reaches_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "p_B05.tif"
    file.write_bytes(encode(np.ones((60, 60), np.uint16), 20, PLACE, 0)[:5_000])
    with reading(), pytest.raises(PatchError):
        read_band(file, "p", 60)
    assert capfd.readouterr() == ("", "")


def test_encoded_files_are_like_those_of_bigearthnet(pixels: np.ndarray, tmp_path: Path) -> None:
    file = tmp_path / "a.tif"
    file.write_bytes(encode(pixels[0], 20, PLACE, 0))
    with rasterio.open(file) as dataset:
        assert np.array_equal(dataset.read(1), pixels[0])
        assert dataset.crs.to_epsg() == 32629
        assert tuple(dataset.transform)[:6] == (20.0, 0.0, 604_800.0, 0.0, -20.0, 5_834_040.0)
        assert dataset.nodata == 0
        assert dataset.compression is None
        assert not dataset.profile["tiled"]


def test_wkt_names_the_zone() -> None:
    assert projection_wkt(32629).startswith('PROJCS["WGS 84 / UTM zone 29N"')
