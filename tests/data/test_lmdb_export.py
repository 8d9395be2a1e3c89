"""A pack as an LMDB, and back."""

import resource
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import lmdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load

from terrawatt.cli import app
from terrawatt.data.archive import open_archive
from terrawatt.data.bands import RESOLUTIONS, RGB_RESOLUTIONS
from terrawatt.data.lmdb_export import export_lmdb
from terrawatt.data.pack import Pack
from terrawatt.data.packer import Packing, pack_archive
from terrawatt.data.packformat import MANIFEST
from terrawatt.errors import DataError, PackError

PATCHES = 12


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.name != MANIFEST}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_there_and_back_is_the_same_pack(version: str, shared_packs: dict[str, Path], tmp_path: Path) -> None:
    pack = Pack.open(shared_packs[version])
    seen: list[int] = []
    size = export_lmdb(pack, tmp_path / "lmdb", progress=seen.append)
    assert sorted(file.name for file in (tmp_path / "lmdb").iterdir()) == ["data.mdb", "metadata.parquet"]
    assert size == (tmp_path / "lmdb" / "data.mdb").stat().st_size
    assert seen[-1] == PATCHES
    again = pack_archive(open_archive(tmp_path / "lmdb"), tmp_path / "pack", Packing(shard_patches=5)).path
    assert contents(again) == contents(shared_packs[version])


def test_flags_and_patches_without_a_split_come_back(v1: Path, tmp_path: Path) -> None:
    lists = v1 / "splits"
    snow, cloud, both, nowhere = (lists / "train.csv").read_text().split()[:4]
    (lists / "patches_with_seasonal_snow.csv").write_text(f"{snow}\n{both}")
    (lists / "patches_with_cloud_and_shadow.csv").write_text(f"{cloud}\n{both}")
    (lists / "train.csv").write_text((lists / "train.csv").read_text().replace(nowhere, ""))
    labels = v1 / "BigEarthNet-v1.0" / nowhere / f"{nowhere}_labels_metadata.json"
    labels.write_text('{"labels": ["Bare rock"]}')
    first = pack_archive(open_archive(v1), tmp_path / "first").path
    export_lmdb(Pack.open(first), tmp_path / "lmdb")
    second = pack_archive(open_archive(tmp_path / "lmdb"), tmp_path / "second").path
    assert contents(first) == contents(second)
    flagged = {"seasonal snow": 2, "cloud or shadow": 2, "no 19-class label": 1}
    assert Pack.open(second).manifest.flagged == flagged


def test_other_programs_find_the_bands_by_name(shared_packs: dict[str, Path], tmp_path: Path) -> None:
    pack = Pack.open(shared_packs["v2"])
    export_lmdb(pack, tmp_path / "lmdb")
    bands = pack.read(range(PATCHES))
    with lmdb.open(str(tmp_path / "lmdb"), readonly=True) as environment, environment.begin() as transaction:
        assert environment.stat()["entries"] == PATCHES
        for row, name in enumerate(pack.patch_ids(range(PATCHES))):
            tensors = load(transaction.get(name.encode()))
            assert len(tensors) == 12
            for resolution, arrays in zip(RESOLUTIONS, bands.arrays, strict=True):
                for band, pixels in zip(resolution.bands, arrays[row], strict=True):
                    assert tensors[band].dtype == np.uint16
                    assert np.array_equal(tensors[band], pixels)
    labels = pq.read_table(tmp_path / "lmdb" / "metadata.parquet")
    assert all(names == sorted(names) for names in labels["labels"].to_pylist())


def test_rgb_alone(shared_v1: Path, tmp_path: Path) -> None:
    how = Packing(RGB_RESOLUTIONS, shard_patches=5)
    rgb = pack_archive(open_archive(shared_v1), tmp_path / "rgb", how).path
    export_lmdb(Pack.open(rgb), tmp_path / "lmdb")
    again = pack_archive(open_archive(tmp_path / "lmdb"), tmp_path / "again", how).path
    assert contents(again) == contents(rgb)
    with pytest.raises(DataError, match=r"band B08 is missing: data\.mdb has B02, B03, B04 of it"):
        pack_archive(open_archive(tmp_path / "lmdb"), tmp_path / "all")


def test_no_room_is_said_before(shared_packs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10_000_000, 9_000_000, 1_000_000))
    with pytest.raises(PackError, match=r"has not the room: 12 patches need 1\.97 MB, and 1 MB are free"):
        export_lmdb(Pack.open(shared_packs["v1"]), tmp_path / "lmdb")
    assert not list(tmp_path.iterdir())


def test_a_write_that_the_system_refuses(shared_packs: dict[str, Path], tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
        with pytest.raises(PackError, match=r"cannot write .*data\.mdb: .*; is the disk full\?$"):
            export_lmdb(Pack.open(shared_packs["v1"]), tmp_path / "lmdb")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_what_a_killed_export_left_is_begun_anew(shared_packs: dict[str, Path], tmp_path: Path) -> None:
    partial = tmp_path / "lmdb.partial"
    partial.mkdir()
    (partial / "data.mdb").write_bytes(b"half of it")
    export_lmdb(Pack.open(shared_packs["v1"]), tmp_path / "lmdb")
    assert [item.name for item in tmp_path.iterdir()] == ["lmdb"]
    assert len(open_archive(tmp_path / "lmdb").entries) == PATCHES


def test_a_destination_that_is_taken(shared_packs: dict[str, Path], tmp_path: Path) -> None:
    pack = Pack.open(shared_packs["v1"])
    with pytest.raises(PackError, match="exists already; name another folder, or delete it first"):
        export_lmdb(pack, tmp_path)
    partial = tmp_path / "begun.partial"
    partial.mkdir()
    (partial / "shard_00000.json").touch()
    with pytest.raises(PackError, match=r"begun\.partial is a packing that has not ended"):
        export_lmdb(pack, tmp_path / "begun")
    assert (partial / "shard_00000.json").exists()


def test_without_the_extra(shared_packs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("lmdb", "safetensors.numpy"):
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, package, None)
            with pytest.raises(DataError, match=r"pip install 'terrawatt\[lmdb\]'"):
                export_lmdb(Pack.open(shared_packs["v1"]), tmp_path / "lmdb")
    assert not list(tmp_path.iterdir())


def test_the_command(shared_packs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app.main(["data", "export", str(shared_packs["v2"]), str(tmp_path / "lmdb")])
    assert not ended.value.code
    expected = f"{tmp_path / 'lmdb'}: 12 patches, 1.98 MB, and their labels in metadata.parquet\n"
    assert capsys.readouterr().out == expected
