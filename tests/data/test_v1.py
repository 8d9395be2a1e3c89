import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from terrawatt.data.bands import RESOLUTIONS
from terrawatt.data.geotiff import reading
from terrawatt.data.labels import LABELS_19, LABELS_43, mask_to_names
from terrawatt.data.packformat import FLAG_CLOUD, FLAG_NO_CLASS
from terrawatt.data.patch import read_patch
from terrawatt.data.v1 import ArchiveV1, is_patch_name
from terrawatt.errors import DataError, PatchError

PATCHES = "BigEarthNet-v1.0"


def first(archive: Path) -> Path:
    return min((archive / PATCHES).iterdir())


def labels_file(folder: Path) -> Path:
    return folder / f"{folder.name}_labels_metadata.json"


def test_pixels_and_labels(shared_v1: Path) -> None:
    archive = ArchiveV1.open(shared_v1 / PATCHES)
    for entry in archive.entries:
        with reading():
            patch = read_patch(archive, entry)
        for resolution, array in zip(RESOLUTIONS, (patch.r10, patch.r20, patch.r60), strict=True):
            assert array.shape == resolution.shape
            for band, pixels in zip(resolution.bands, array, strict=True):
                with rasterio.open(entry.folder / f"{entry.patch_id}_{band}.tif") as dataset:
                    assert np.array_equal(dataset.read(1), pixels)
        names = json.loads(labels_file(entry.folder).read_text())["labels"]
        assert patch.labels.mask_43 is not None
        assert set(mask_to_names(patch.labels.mask_43, LABELS_43)) == set(names)


def test_splits_are_found_beside_the_patches(shared_v1: Path) -> None:
    archive = ArchiveV1.open(shared_v1 / PATCHES)
    for entry in archive.entries:
        stem = {"train": "train", "validation": "val", "test": "test"}[entry.split or ""]
        assert entry.patch_id in (shared_v1 / "splits" / f"{stem}.csv").read_text().split()


def test_a_part_of_the_archive(v1: Path) -> None:
    gone = first(v1)
    shutil.rmtree(gone)
    archive = ArchiveV1.open(v1 / PATCHES)
    assert gone.name not in {entry.patch_id for entry in archive.entries}
    assert archive.coverage.n_missing == 1
    assert [gone.name] == [name for names in archive.coverage.missing.values() for name in names]
    assert sum(archive.coverage.listed.values()) == len(archive.entries) + 1


def test_patches_on_no_list(v1: Path) -> None:
    lists = v1 / "splits"
    name = first(v1).name
    for file in lists.iterdir():
        file.write_text(file.read_text().replace(f"{name}\n", ""))
    archive = ArchiveV1.open(v1 / PATCHES)
    assert archive.coverage.unlisted == (name,)
    assert next(entry for entry in archive.entries if entry.patch_id == name).split is None


def test_without_lists(v1: Path) -> None:
    shutil.rmtree(v1 / "splits")
    archive = ArchiveV1.open(v1 / PATCHES)
    assert {entry.split for entry in archive.entries} == {None}


def test_flags_come_from_the_lists(v1: Path) -> None:
    name = first(v1).name
    (v1 / "splits" / "patches_with_cloud_and_shadow.csv").write_text(f"{name}\n")
    archive = ArchiveV1.open(v1 / PATCHES)
    assert {entry.patch_id: entry.flags for entry in archive.entries if entry.flags} == {name: FLAG_CLOUD}


def test_labels_without_a_class_raise_a_flag(v1: Path) -> None:
    folder = first(v1)
    labels_file(folder).write_text(json.dumps({"labels": ["Bare rock", "Airports"]}))
    archive = ArchiveV1.open(v1 / PATCHES)
    patch = read_patch(archive, archive.entries[0])
    assert patch.labels.mask_19 == 0
    assert patch.flags == FLAG_NO_CLASS


def test_json_of_other_copies_with_labels_alone(v1: Path) -> None:
    labels_file(first(v1)).write_text(json.dumps({"labels": ["Sea and ocean"], "new_labels": ["Marine waters"]}))
    archive = ArchiveV1.open(v1 / PATCHES)
    assert mask_to_names(archive.labels(archive.entries[0]).mask_19, LABELS_19) == ("Marine waters",)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("{}", "has no labels"),
        ('{"labels": []}', "has no labels"),
        ('{"labels": "Pastures"}', "has no labels"),
        ('{"labels": [3]}', "has no labels"),
        ("[]", "has no labels"),
        ('{"labels": ["Pastures", "Pasture land"]}', "has an unknown label 'Pasture land'. Did you mean Pastures"),
        ('{"labels": ["Marine waters"]}', "has an unknown label 'Marine waters'"),
        ('{"labels": ["Past', "is not JSON"),
        ("\xff\xfe", "is not JSON"),
    ],
)
def test_bad_labels(content: str, what: str, v1: Path) -> None:
    folder = first(v1)
    labels_file(folder).write_text(content, encoding="latin-1")
    archive = ArchiveV1.open(v1 / PATCHES)
    with pytest.raises(PatchError, match=f"^patch {folder.name}: {folder.name}_labels_metadata.json {what}"):
        read_patch(archive, archive.entries[0])


def test_no_labels_file(v1: Path) -> None:
    labels_file(first(v1)).unlink()
    archive = ArchiveV1.open(v1 / PATCHES)
    with pytest.raises(PatchError, match=r"labels_metadata\.json is missing"):
        read_patch(archive, archive.entries[0])


def test_a_missing_band(v1: Path) -> None:
    folder = first(v1)
    (folder / f"{folder.name}_B8A.tif").unlink()
    archive = ArchiveV1.open(v1 / PATCHES)
    with pytest.raises(PatchError, match=f"^patch {folder.name}: band B8A is missing"):
        read_patch(archive, archive.entries[0])


def test_labels_that_the_system_does_not_give(v1: Path) -> None:
    folder = first(v1)
    labels_file(folder).unlink()
    labels_file(folder).mkdir()
    archive = ArchiveV1.open(v1 / PATCHES)
    with pytest.raises(
        PatchError, match=f"^patch {folder.name}: .*_labels_metadata.json cannot be read: Is a directory"
    ):
        read_patch(archive, archive.entries[0])


def test_the_other_ending(v1: Path) -> None:
    folder = first(v1)
    before = ArchiveV1.open(v1 / PATCHES)
    patch = read_patch(before, before.entries[0])
    for file in folder.glob("*.tif"):
        file.rename(file.with_suffix(".tiff"))
    again = read_patch(before, before.entries[0])
    assert np.array_equal(patch.r20, again.r20)


def test_lists_that_are_given_must_be_there(shared_v1: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no train\.csv"):
        ArchiveV1.open(shared_v1 / PATCHES, tmp_path)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("S2A_MSIL2A_20170613T101031_87_48", True),
        ("S2B_MSIL2A_20180204T94161_7_3", True),
        ("S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57", False),
        ("S2A_MSIL2A_20170613T101031_87", False),
        ("splits", False),
    ],
)
def test_names(name: str, is_one: bool) -> None:
    assert is_patch_name(name) is is_one
