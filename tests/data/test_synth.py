import errno
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio

from terrawatt.data import synth
from terrawatt.data.archive import open_archive
from terrawatt.data.bands import RESOLUTIONS
from terrawatt.data.covers import COVERS
from terrawatt.data.labels import LABELS_19, LABELS_43, TO_19
from terrawatt.data.pack import Pack
from terrawatt.data.synth import MAX_PATCHES, plan_sites, synthesise
from terrawatt.errors import DataError, UsageError

PATCHES = 12
AFTER_TIME = {"v1": "_{c}_{r}", "v2": "_N9999_R022_T33UUP_{c}_{r}"}


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_same_seed_gives_the_same_files(version: str, shared_v1: Path, shared_v2: Path, tmp_path: Path) -> None:
    synthesise(tmp_path / "again", version=version, patches=PATCHES, seed=7)
    assert files(tmp_path / "again") == files(shared_v1 if version == "v1" else shared_v2)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_several_processes_write_the_same_files(
    version: str, shared_v1: Path, shared_v2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synth, "_PATCHES_A_TASK", 5)
    progress: list[int] = []
    synthesise(tmp_path / "again", version=version, patches=PATCHES, seed=7, processes=2, progress=progress.append)
    assert files(tmp_path / "again") == files(shared_v1 if version == "v1" else shared_v2)
    assert progress == list(range(1, PATCHES + 1))


def test_another_seed_gives_others(shared_v1: Path, tmp_path: Path) -> None:
    synthesise(tmp_path / "other", version="v1", patches=2, seed=8)
    assert not set(files(tmp_path / "other")) & {name for name in files(shared_v1) if name.endswith(".tif")}


def test_fewer_patches_are_the_first_of_more(shared_v1: Path, tmp_path: Path) -> None:
    synthesise(tmp_path / "few", version="v1", patches=4, seed=7)
    few, many = files(tmp_path / "few"), files(shared_v1)
    patches = {name: content for name, content in few.items() if name.startswith("BigEarthNet")}
    assert len(patches) == 4 * 13
    assert patches.items() <= many.items()


def test_bands_are_georeferenced_uncompressed_uint16(shared_v1: Path, shared_v2: Path) -> None:
    for archive, nodata in ((shared_v1, None), (shared_v2, 0)):
        entry = open_archive(archive).entries[0]
        for resolution in RESOLUTIONS:
            for band in resolution.bands:
                with rasterio.open(entry.folder / f"{entry.patch_id}_{band}.tif") as dataset:
                    assert dataset.dtypes == ("uint16",)
                    assert dataset.shape == (resolution.pixels, resolution.pixels)
                    assert dataset.res == (resolution.pixel_m, resolution.pixel_m)
                    assert dataset.crs.is_projected
                    assert dataset.crs.to_epsg() // 100 == 326
                    assert dataset.nodata == nodata
                    assert dataset.compression is None
                    assert not dataset.profile["tiled"]
                    bounds = tuple(dataset.bounds)
                    assert (bounds[2] - bounds[0], bounds[3] - bounds[1]) == (1_200, 1_200)


def test_json_of_v1(shared_v1: Path) -> None:
    for folder in (shared_v1 / "BigEarthNet-v1.0").iterdir():
        assert re.fullmatch(r"S2[AB]_MSIL2A_20\d{6}T\d{5,6}_\d{1,2}_\d{1,2}", folder.name)
        content = json.loads((folder / f"{folder.name}_labels_metadata.json").read_text())
        assert list(content) == ["labels", "coordinates", "projection", "tile_source", "acquisition_date"]
        assert set(content["labels"]) <= set(LABELS_43)
        assert content["labels"] == sorted(content["labels"], key=LABELS_43.index)
        assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", content["acquisition_date"])
        with rasterio.open(folder / f"{folder.name}_B02.tif") as dataset:
            corners = content["coordinates"]
            assert tuple(dataset.bounds) == (corners["ulx"], corners["lry"], corners["lrx"], corners["uly"])
            assert rasterio.crs.CRS.from_wkt(content["projection"]) == dataset.crs


def test_lists_of_v1_are_in_the_official_form(shared_v1: Path) -> None:
    on_disk = {folder.name for folder in (shared_v1 / "BigEarthNet-v1.0").iterdir()}
    listed: list[str] = []
    for stem in ("train", "val", "test"):
        content = (shared_v1 / "splits" / f"{stem}.csv").read_bytes()
        assert content.count(b"\r\n") == content.count(b"\n") > 0
        listed += content.decode().split()
    assert sorted(listed) == sorted(on_disk)


def test_table_of_v2_has_the_official_columns(shared_v2: Path) -> None:
    table = pd.read_parquet(shared_v2 / "metadata.parquet")
    assert list(table.columns) == [
        "patch_id",
        "labels",
        "split",
        "country",
        "s1_name",
        "s2v1_name",
        "contains_seasonal_snow",
        "contains_cloud_or_shadow",
    ]
    assert set(table.split) == {"train", "validation", "test"}
    assert table.contains_seasonal_snow.dtype == bool
    for patch_id, labels in zip(table.patch_id, table.labels, strict=True):
        assert re.fullmatch(r"S2[AB]_MSIL2A_20\d{6}T\d{6}_N9999_R\d{3}_T\d\d[A-Z]{3}_\d\d_\d\d", patch_id)
        assert list(labels) == sorted(labels)
        assert set(labels) <= set(LABELS_19)
        tile = patch_id.rsplit("_", 2)[0]
        assert len(tile) == 44
        assert (shared_v2 / "BigEarthNet-S2" / tile / patch_id / f"{patch_id}_B01.tif").exists()


def test_reference_maps_show_the_labels(shared_v2: Path) -> None:
    table = pd.read_parquet(shared_v2 / "metadata.parquet").set_index("patch_id")
    classes = {cover.clc_code: to for cover, to in zip(COVERS, TO_19, strict=True)}
    for file in (shared_v2 / "Reference_Maps").rglob("*_reference_map.tif"):
        with rasterio.open(file) as dataset:
            assert dataset.dtypes == ("uint16",)
            codes = set(np.unique(dataset.read(1)).tolist())
        found = {LABELS_19[to] for code in codes if (to := classes[code]) is not None}
        assert found == set(table.labels[file.parent.name])


@pytest.mark.parametrize(("patches", "expected"), [(3, (1, 1, 1)), (25, (13, 6, 6)), (300, (156, 72, 72))])
def test_splits_have_the_official_shares(patches: int, expected: tuple[int, ...]) -> None:
    splits = [site.split for site in plan_sites(patches, 0)]
    assert tuple(splits.count(split) for split in ("train", "validation", "test")) == expected


def test_no_two_patches_lie_in_the_same_place() -> None:
    sites = plan_sites(5_000, 1)
    assert len({site.v1_name for site in sites}) == len({site.v2_name for site in sites}) == 5_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": "v3"}, "no BigEarthNet version 'v3'"),
        ({"patches": 0}, "must be in 1 … "),
        ({"patches": MAX_PATCHES + 1}, f"must be in 1 … {MAX_PATCHES}"),
        ({"seed": -1}, "must not be negative"),
    ],
)
def test_what_cannot_be(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        synthesise(tmp_path / "a", **{"version": "v1", "patches": 1, "seed": 0, **options})  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(DataError, match="exists already and is not an empty folder"):
        synthesise(tmp_path, version="v1", patches=1, seed=0)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    synthesise(tmp_path / "empty", version="v2", patches=1, seed=0)
    assert len(open_archive(tmp_path / "empty").entries) == 1


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_nothing_is_left_behind(error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(synth, "_write_v1_lists", fail)
    expected = DataError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        synthesise(tmp_path / "a", version="v1", patches=1, seed=0)
    assert not list(tmp_path.iterdir())


def test_levels_are_those_of_the_real_archive(shared_packs: dict[str, Path]) -> None:
    pack = Pack.open(shared_packs["v1"])
    near_infrared = pack.read(range(PATCHES)).r10[:, 3]
    assert 1_000 < near_infrared.mean() < 4_000
