from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.errors import RasterioError

from terrawatt.data.geotiff import BandReader, Georeference, encode, reading
from terrawatt.data.plain_tiff import PlainReader

PIXELS = 60
KINDS = [{}, {"blockysize": 1}, {"blockysize": 7}, {"compress": "deflate"}, {"ENDIANNESS": "BIG"}, {"nodata": 0}]


def read_plain(file: Path, pixels: int, reader: PlainReader | None = None) -> np.ndarray | None:
    out = np.empty((pixels, pixels), dtype=np.uint16)
    return out if (reader or PlainReader()).read_into(str(file), out) else None


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 65536, (1, PIXELS, PIXELS)).astype(np.uint16)


@pytest.mark.parametrize("size", [20, 60, 120])
def test_files_as_bigearthnet_has_them(size: int, tmp_path: Path) -> None:
    pixels = np.random.default_rng(size).integers(0, 65536, (size, size)).astype(np.uint16)
    file = tmp_path / "a.tif"
    file.write_bytes(encode(pixels, 10, Georeference(32633, 300_000, 5_400_000), 0))
    found = read_plain(file, size)
    assert found is not None
    assert np.array_equal(found, pixels)


@pytest.mark.parametrize("rows", [1, 2, 7, 34, 60])
def test_strips_of_any_height(rows: int, pixels: np.ndarray, tmp_path: Path, write_tiff: Callable[..., Path]) -> None:
    found = read_plain(write_tiff(tmp_path / "a.tif", pixels, blockysize=rows), PIXELS)
    assert found is not None
    assert np.array_equal(found, pixels[0])


@pytest.mark.parametrize(
    "options",
    [
        {"compress": "deflate"},
        {"compress": "lzw", "predictor": 2},
        {"tiled": True, "blockxsize": 32, "blockysize": 32},
        {"ENDIANNESS": "BIG"},
        {"BIGTIFF": "YES"},
    ],
)
def test_other_kinds_are_left_to_gdal(
    options: dict[str, object], pixels: np.ndarray, tmp_path: Path, write_tiff: Callable[..., Path]
) -> None:
    assert read_plain(write_tiff(tmp_path / "a.tif", pixels, **options), PIXELS) is None


@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32, np.uint32])
def test_other_pixels_are_left_to_gdal(kind: type, tmp_path: Path, write_tiff: Callable[..., Path]) -> None:
    file = write_tiff(tmp_path / "a.tif", np.ones((1, PIXELS, PIXELS), dtype=kind))
    assert read_plain(file, PIXELS) is None


def test_several_bands_and_other_sizes_are_left_to_gdal(tmp_path: Path, write_tiff: Callable[..., Path]) -> None:
    assert read_plain(write_tiff(tmp_path / "a.tif", np.ones((2, PIXELS, PIXELS), np.uint16)), PIXELS) is None
    assert read_plain(write_tiff(tmp_path / "b.tif", np.ones((1, PIXELS, 30), np.uint16)), PIXELS) is None
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "there is none.tif", PIXELS)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 1_200), value=st.integers(0, 255), known=st.booleans())
def test_a_changed_byte_never_gives_wrong_pixels(position: int, value: int, known: bool, tmp_path: Path) -> None:
    """Header, fields and pixels: what comes out is what GDAL reads, or, where GDAL refuses, all but the changed one.

    Also where the layout is known from a good file before it.
    """
    pixels = np.arange(400, dtype=np.uint16).reshape(20, 20)
    content = bytearray(encode(pixels, 60, Georeference(32633, 300_000, 5_400_000), None))
    file = tmp_path / "a.tif"
    reader = PlainReader()
    if known:
        file.write_bytes(content)
        assert read_plain(file, 20, reader) is not None
    content[position % len(content)] = value
    file.write_bytes(content)
    found = read_plain(file, 20, reader)
    if found is None:
        return
    try:
        with reading(), rasterio.open(file) as dataset:
            assert np.array_equal(dataset.read(1), found)
    except RasterioError:
        assert np.count_nonzero(found != pixels) <= 1


@pytest.mark.parametrize("length", [0, 1, 3, 4, 8, 9, 100, 500, 1_000])
def test_cut_files_are_left_to_gdal(length: int, tmp_path: Path) -> None:
    content = encode(np.ones((20, 20), np.uint16), 60, Georeference(32633, 300_000, 5_400_000), None)
    file = tmp_path / "a.tif"
    file.write_bytes(content[:length])
    assert length < len(content)
    reader = PlainReader()
    assert read_plain(file, 20, reader) is None
    (tmp_path / "whole.tif").write_bytes(content)
    assert read_plain(tmp_path / "whole.tif", 20, reader) is not None
    assert read_plain(file, 20, reader) is None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.sampled_from(KINDS), min_size=2, max_size=6))
def test_files_of_several_kinds_in_any_order_give_what_gdal_reads(
    kinds: list[dict[str, object]], tmp_path: Path, write_tiff: Callable[..., Path]
) -> None:
    rng = np.random.default_rng(len(kinds))
    with BandReader() as reader:
        for kind in kinds:
            file = write_tiff(tmp_path / "a.tif", rng.integers(0, 65536, (1, 20, 20)).astype(np.uint16), **kind)
            out = np.empty((20, 20), dtype=np.uint16)
            reader.read_into(str(file), "patch", out)
            with reading(), rasterio.open(file) as dataset:
                assert np.array_equal(out, dataset.read(1))
