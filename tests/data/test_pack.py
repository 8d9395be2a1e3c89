import json
import pickle
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.data.archive import open_archive
from terrawatt.data.bands import PUBLISHED
from terrawatt.data.labels import LABELS_19, LABELS_43, TO_19
from terrawatt.data.pack import Pack
from terrawatt.data.packer import pack_archive
from terrawatt.data.patch import read_patch
from terrawatt.errors import PackError

PATCHES = 12


@pytest.fixture(scope="module")
def pack(shared_packs: dict[str, Path]) -> Pack:
    return Pack.open(shared_packs["v1"])


def test_pixels_are_those_of_the_archive(pack: Pack, shared_v1: Path) -> None:
    archive = open_archive(shared_v1)
    bands = pack.read(range(len(pack)))
    assert len(bands) == len(pack) == PATCHES
    assert bands.r20 is not None
    assert bands.r60 is not None
    for row, entry in enumerate(archive.entries):
        patch = read_patch(archive, entry)
        assert pack.patch_ids([row]).tolist() == [entry.patch_id]
        assert np.array_equal(bands.r10[row], patch.r10)
        assert np.array_equal(bands.r20[row], patch.r20)
        assert np.array_equal(bands.r60[row], patch.r60)


@pytest.fixture(scope="module")
def helper() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


rows_of_all_shards = st.lists(st.integers(0, PATCHES - 1), max_size=20)
rows_of_one_shard = st.lists(st.integers(5, 9), max_size=20)


@given(rows=rows_of_all_shards | rows_of_one_shard, helped=st.booleans())
def test_rows_in_any_order_and_repeated(rows: list[int], pack: Pack, helper: Executor, *, helped: bool) -> None:
    everything = pack.read(np.arange(PATCHES))
    some = pack.read(rows, helper=helper if helped else None)
    assert len(some) == len(rows)
    assert some.r10.dtype == np.uint16
    assert np.array_equal(some.r10, everything.r10[rows])
    assert some.r60 is not None
    assert everything.r60 is not None
    assert np.array_equal(some.r60, everything.r60[rows])
    assert pack.patch_ids(rows).tolist() == pack.patch_ids(range(PATCHES))[rows].tolist()


@pytest.mark.parametrize("rows", [[7, 2], [7, 6]])
def test_rgb_alone(rows: list[int], pack: Pack) -> None:
    bands = pack.read(rows, rgb_only=True)
    assert bands.r20 is None
    assert bands.r60 is None
    assert np.array_equal(bands.r10, pack.read(rows).r10[:, :3])


def test_a_damaged_shard_is_told_with_a_helper_too(pack_folder: Path, helper: Executor) -> None:
    file = pack_folder / "shard_00002_r60.npy"
    file.write_bytes(b"x" + file.read_bytes()[1:])
    with pytest.raises(PackError, match="its header is wrong"):
        Pack.open(pack_folder).read([0, 11], helper=helper)


@pytest.mark.parametrize("rows", [[PATCHES], [-1], [0, 99]])
def test_rows_that_do_not_exist(rows: list[int], pack: Pack) -> None:
    with pytest.raises(IndexError, match="a row outside 0 … 11"):
        pack.read(rows)


def test_what_is_read_is_a_copy(pack: Pack) -> None:
    bands = pack.read([0])
    bands.r10[:] = 0
    assert pack.read([0]).r10.any()


def test_labels(pack: Pack, shared_v1: Path) -> None:
    labels_43, labels_19 = pack.labels(43), pack.labels(19)
    assert labels_43.shape == (PATCHES, 43)
    assert labels_19.shape == (PATCHES, 19)
    assert labels_43.dtype == labels_19.dtype == np.uint8
    for row, patch_id in enumerate(pack.patch_ids(range(PATCHES))):
        file = shared_v1 / "BigEarthNet-v1.0" / patch_id / f"{patch_id}_labels_metadata.json"
        names = json.loads(file.read_text())["labels"]
        assert {LABELS_43[label] for label in np.flatnonzero(labels_43[row])} == set(names)
        classes = {TO_19[LABELS_43.index(name)] for name in names} - {None}
        assert set(np.flatnonzero(labels_19[row])) == classes


def test_class_names(pack: Pack) -> None:
    assert pack.class_names(43) == LABELS_43
    assert pack.class_names(19) == LABELS_19
    with pytest.raises(PackError, match="there are 43 or 19 labels, not 20"):
        pack.class_names(20)


def test_v2_has_no_43_labels(shared_packs: dict[str, Path]) -> None:
    pack = Pack.open(shared_packs["v2"])
    assert pack.version == "v2"
    assert pack.labels(19).shape == (PATCHES, 19)
    for ask in (pack.labels, pack.class_names):
        with pytest.raises(PackError, match="is of BigEarthNet v2, which has only the 19 classes"):
            ask(43)


def test_splits(pack: Pack, shared_v1: Path) -> None:
    parts = {split: pack.rows(split) for split in ("train", "validation", "test")}
    assert [len(rows) for rows in parts.values()] == [6, 3, 3]
    assert sorted(np.concatenate(list(parts.values()))) == list(range(PATCHES))
    listed = (shared_v1 / "splits" / "val.csv").read_text().split()
    assert sorted(pack.patch_ids(parts["validation"])) == sorted(listed)
    with pytest.raises(PackError, match="no split 'val'; the splits are train, validation, test"):
        pack.rows("val")


def test_flagged_patches_are_in_no_split(v1: Path, tmp_path: Path) -> None:
    lists = v1 / "splits"
    snow, cloud = (lists / "train.csv").read_text().split()[:2]
    (lists / "patches_with_seasonal_snow.csv").write_text(snow)
    (lists / "patches_with_cloud_and_shadow.csv").write_text(cloud)
    bare = (lists / "train.csv").read_text().split()[2]
    (v1 / "BigEarthNet-v1.0" / bare / f"{bare}_labels_metadata.json").write_text('{"labels": ["Bare rock"]}')
    pack = Pack.open(pack_archive(open_archive(v1), tmp_path / "pack").path)
    assert len(pack) == PATCHES
    assert not set(pack.patch_ids(pack.rows("train"))) & {snow, cloud, bare}
    assert len(pack.rows("train")) == 3
    assert pack.manifest.flagged == {"seasonal snow": 1, "cloud or shadow": 1, "no 19-class label": 1}


def test_statistics_are_those_of_the_training_split(pack: Pack) -> None:
    statistics = pack.band_statistics()
    bands = pack.read(pack.rows("train"))
    assert bands.r20 is not None
    assert bands.r60 is not None
    arrays = [
        array[:, band].astype(float) for array in (bands.r10, bands.r20, bands.r60) for band in range(array.shape[1])
    ]
    assert np.allclose(statistics.mean, [array.mean() for array in arrays], rtol=1e-12)
    assert np.allclose(statistics.std, [array.std() for array in arrays], rtol=1e-9)
    assert statistics.origin == "training split of the pack (6 patches)"


def test_without_splits(v1: Path, tmp_path: Path) -> None:
    pack = Pack.open(pack_archive(open_archive(v1 / "BigEarthNet-v1.0", splits=None), tmp_path / "a").path)
    assert len(pack.rows("train")) == 6
    for file in (v1 / "splits").iterdir():
        file.unlink()
    pack = Pack.open(pack_archive(open_archive(v1), tmp_path / "b").path)
    assert len(pack.rows("train")) == len(pack.rows("test")) == 0
    assert pack.band_statistics() is PUBLISHED
    assert pack.manifest.splits == {"train": 0, "validation": 0, "test": 0, "none": PATCHES}


def test_fingerprint_is_plain_and_complete(pack: Pack) -> None:
    fingerprint = pack.fingerprint()
    assert json.loads(json.dumps(fingerprint)) == fingerprint
    assert fingerprint["splits"] == {"train": 6, "validation": 3, "test": 3}
    assert fingerprint["class_names"]["43"] == list(LABELS_43)
    assert fingerprint["patches"] == PATCHES
    assert fingerprint["format_version"] == 3
    assert len(fingerprint["index_sha256"]) == 64


def test_workers_open_it_anew(pack: Pack) -> None:
    pack.read([0])
    content = pickle.dumps(pack)
    assert len(content) < 1_000
    again = pickle.loads(content)  # noqa: S301
    assert np.array_equal(again.read([3]).r10, pack.read([3]).r10)


def test_verify_reports_progress(pack: Pack) -> None:
    seen: list[int] = []
    pack.verify(seen.append)
    assert seen[-1] == PATCHES


def test_index_is_plain_parquet(shared_packs: dict[str, Path]) -> None:
    table = pq.read_table(shared_packs["v2"] / "index.parquet")
    assert table.column_names == ["patch_id", "shard", "row", "labels_43", "labels_19", "split", "flags", "crc32"]
    assert table["labels_43"].null_count == PATCHES
    assert table["shard"].to_pylist() == [0] * 5 + [1] * 5 + [2] * 2


def flip(file: Path, position: int) -> None:
    content = bytearray(file.read_bytes())
    content[position] ^= 0x10
    file.write_bytes(content)


@pytest.mark.parametrize("name", ["shard_00000_r10.npy", "shard_00001_r20.npy", "shard_00002_r60.npy"])
def test_a_flipped_byte_in_the_pixels(name: str, pack_folder: Path) -> None:
    flip(pack_folder / name, -1)
    pack = Pack.open(pack_folder)
    shard = int(name[6:11])
    last = min(shard * 5 + 5, PATCHES) - 1
    patch = pack.patch_ids([last])[0]
    with pytest.raises(PackError, match=rf"patch {patch} \(row {last - shard * 5} of shard {shard}\) is damaged"):
        pack.verify()


@pytest.mark.parametrize("position", range(0, 128, 5))
def test_a_flipped_byte_in_a_shards_header(position: int, pack_folder: Path) -> None:
    flip(pack_folder / "shard_00000_r20.npy", position)
    with pytest.raises(PackError, match=r"shard_00000_r20\.npy is damaged"):
        Pack.open(pack_folder).verify()


@pytest.mark.parametrize("position", [0, 100, 1_000, -1])
def test_a_flipped_byte_in_the_index(position: int, pack_folder: Path) -> None:
    flip(pack_folder / "index.parquet", position)
    with pytest.raises(PackError, match=r"index\.parquet is damaged"):
        Pack.open(pack_folder)


def test_a_flipped_byte_in_the_manifest(pack_folder: Path) -> None:
    file = pack_folder / "manifest.json"
    file.write_text(file.read_text().replace('"patches": 12', '"patches": 11'))
    with pytest.raises(PackError, match=r"manifest\.json cannot be used: its checksum is wrong"):
        Pack.open(pack_folder)


def test_another_format_version(pack_folder: Path) -> None:
    file = pack_folder / "manifest.json"
    file.write_text(file.read_text().replace('"format_version": 3', '"format_version": 7'))
    with pytest.raises(PackError, match="format version 7, this program reads 1, 2, 3; pack the data again"):
        Pack.open(pack_folder)


def test_a_shorter_shard(pack_folder: Path) -> None:
    file = pack_folder / "shard_00001_r10.npy"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(PackError, match=r"shard_00001_r10\.npy is damaged: \d+ bytes instead of \d+"):
        Pack.open(pack_folder)


@pytest.mark.parametrize("name", ["shard_00001_r10.npy", "index.parquet"])
def test_a_missing_file(name: str, pack_folder: Path) -> None:
    (pack_folder / name).unlink()
    with pytest.raises(PackError, match=f"is damaged: .*{name}"):
        Pack.open(pack_folder)


def test_not_a_pack(tmp_path: Path, shared_v1: Path) -> None:
    with pytest.raises(PackError, match="it does not exist; make one with `terrawatt data pack SRC"):
        Pack.open(tmp_path / "nowhere")
    with pytest.raises(PackError, match=r"it has no manifest\.json"):
        Pack.open(shared_v1)
    (tmp_path / "file").touch()
    with pytest.raises(PackError, match="is not a pack"):
        Pack.open(tmp_path / "file")
