"""Real patches of BigEarthNet, where there are some: pixels, labels and splits arrive unchanged in a pack.

The folder is named by TERRAWATT_REAL_DATA, or lies beside the repository. It holds `BigEarthNet-v1.0`,
`BigEarthNet-S2` and the official lists in `official`.
"""

import bz2
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio

from terrawatt.data.archive import open_archive
from terrawatt.data.bands import RESOLUTIONS
from terrawatt.data.geotiff import reading
from terrawatt.data.info import describe_archive, describe_pack
from terrawatt.data.labels import LABELS_19, LABELS_43
from terrawatt.data.lmdb_export import export_lmdb
from terrawatt.data.pack import Pack
from terrawatt.data.packer import Packing, pack_archive
from terrawatt.data.patch import Archive

VARIABLE = "TERRAWATT_REAL_DATA"


@pytest.fixture(scope="module")
def real() -> Path:
    beside = Path(__file__).parents[3] / "shared" / "data" / "bigearthnet"
    folder = Path(os.environ.get(VARIABLE) or beside)
    if not folder.is_dir():
        pytest.skip(f"no real patches: {VARIABLE} names no folder, and there is none beside the repository")
    return folder


@pytest.fixture(scope="module")
def archives(real: Path) -> dict[str, Archive]:
    return {
        "v1": open_archive(real, version="v1", splits=real / "official"),
        "v2": open_archive(real, version="v2", metadata=real / "official" / "metadata.parquet"),
    }


@pytest.fixture(scope="module")
def packs(archives: dict[str, Archive], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pack]:
    folder = tmp_path_factory.mktemp("real")
    found = {}
    for version, archive in archives.items():
        found[version] = Pack.open(pack_archive(archive, folder / version, Packing(shard_patches=10)).path)
    return found


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_pixels_equal_the_files_bit_for_bit(version: str, archives: dict[str, Archive], packs: dict[str, Pack]) -> None:
    pack = packs[version]
    pack.verify()
    assert len(pack) == len(archives[version].entries) > 0
    bands = pack.read(range(len(pack)))
    names = pack.patch_ids(range(len(pack)))
    with reading():
        for row, entry in enumerate(archives[version].entries):
            assert names[row] == entry.patch_id
            for resolution, arrays in zip(RESOLUTIONS, (bands.r10, bands.r20, bands.r60), strict=True):
                assert arrays is not None
                for band, pixels in zip(resolution.bands, arrays[row], strict=True):
                    (file,) = entry.folder.glob(f"*_{band}.tif*")
                    with rasterio.open(file) as dataset:
                        assert np.array_equal(dataset.read(1), pixels)


def test_labels_of_v1_equal_the_json(archives: dict[str, Archive], packs: dict[str, Pack]) -> None:
    labels = packs["v1"].labels(43)
    for row, entry in enumerate(archives["v1"].entries):
        (file,) = entry.folder.glob("*.json")
        content = json.loads(file.read_text())
        assert {LABELS_43[label] for label in np.flatnonzero(labels[row])} == set(content["labels"])
        if "new_labels" in content:
            classes = np.flatnonzero(packs["v1"].labels(19)[row])
            assert {LABELS_19[label] for label in classes} == set(content["new_labels"])


def test_labels_and_splits_of_v2_equal_the_table(real: Path, packs: dict[str, Pack]) -> None:
    files = sorted((real / "official").glob("metadata*.parquet"))
    table = pd.concat([pd.read_parquet(file) for file in files]).set_index("patch_id")
    pack = packs["v2"]
    usable = {name: split for split in ("train", "validation", "test") for name in pack.patch_ids(pack.rows(split))}
    for row, name in enumerate(pack.patch_ids(range(len(pack)))):
        found = table.loc[name]
        assert {LABELS_19[label] for label in np.flatnonzero(pack.labels(19)[row])} == set(found.labels)
        flagged = bool(found.contains_seasonal_snow or found.contains_cloud_or_shadow)
        assert usable.get(name) == (None if flagged else found.split)


def test_splits_of_v1_equal_the_lists(real: Path, packs: dict[str, Pack]) -> None:
    pack = packs["v1"]
    names = set(pack.patch_ids(range(len(pack))))
    for split, stem in (("train", "train"), ("validation", "val"), ("test", "test")):
        listed = bz2.decompress((real / "official" / f"{stem}.csv.bz2").read_bytes()).decode().split()
        assert set(pack.patch_ids(pack.rows(split))) == names & set(listed)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_lmdb_gives_the_same_pack(version: str, real: Path, packs: dict[str, Pack], tmp_path: Path) -> None:
    pack = packs[version]
    export_lmdb(pack, tmp_path / "lmdb")
    official = {
        "v1": {"metadata": tmp_path / "lmdb" / "metadata.parquet", "splits": real / "official"},
        "v2": {"metadata": real / "official" / "metadata.parquet"},
    }
    for number, sources in enumerate(({}, official[version])):
        archive = open_archive(tmp_path / "lmdb", **sources)
        again = pack_archive(archive, tmp_path / f"pack_{number}", Packing(shard_patches=10)).path
        files = {file.name for file in pack.path.iterdir()} - {"manifest.json", "report.json"}
        assert files <= {file.name for file in again.iterdir()}
        assert all((again / name).read_bytes() == (pack.path / name).read_bytes() for name in files)
        assert Pack.open(again).manifest.band_mean == pack.manifest.band_mean


@pytest.mark.parametrize(
    ("version", "listed"),
    [
        ("v1", {"train": 269_695, "validation": 123_723, "test": 125_866}),
        ("v2", {"train": 237_871, "validation": 122_342, "test": 119_825}),
    ],
)
def test_info(version: str, listed: dict[str, int], archives: dict[str, Archive], packs: dict[str, Pack]) -> None:
    archive = describe_archive(archives[version], check=True)
    pack = describe_pack(packs[version], check=True)
    assert archive.problems == pack.problems == ()
    assert {name: split.listed for name, split in archive.splits.items()} == listed
    assert archive.label_counts == pack.label_counts
    assert archive.flagged == pack.flagged
    usable = Counter({name: split.usable for name, split in archive.splits.items()})
    assert usable == Counter({name: len(packs[version].rows(name)) for name in listed})
