import errno
import fcntl
import json
import re
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from terrawatt.data import shard_work, shards
from terrawatt.data.archive import open_archive
from terrawatt.data.pack import Pack
from terrawatt.data.packer import Packing, pack_archive
from terrawatt.data.packreport import REPORT
from terrawatt.data.patch import Entry, PixelReader, read_patch
from terrawatt.errors import DataError, PackError, PatchError

PATCHES = 12


def folders(archive: Path) -> list[Path]:
    return sorted((archive / "BigEarthNet-v1.0").iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.name != "manifest.json"}


def test_only_the_pack_is_left(shared_v1: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    how = Packing(shard_patches=8)
    result = pack_archive(open_archive(shared_v1), tmp_path / "new" / "pack", how, progress=seen.append)
    assert result.patches == seen[-1] == PATCHES
    assert seen == sorted(seen)
    assert result.resumed == 0
    assert set(result.report.counts.values()) == {0}
    assert [item.name for item in (tmp_path / "new").iterdir()] == ["pack"]
    assert sorted(item.name for item in result.path.iterdir()) == [
        "index.parquet",
        "manifest.json",
        "report.json",
        "shard_00000_r10.npy",
        "shard_00000_r20.npy",
        "shard_00000_r60.npy",
        "shard_00001_r10.npy",
        "shard_00001_r20.npy",
        "shard_00001_r60.npy",
    ]


def test_files_are_ordinary_npy(shared_packs: dict[str, Path]) -> None:
    array = np.load(shared_packs["v1"] / "shard_00002_r20.npy", allow_pickle=False)
    assert array.shape == (2, 6, 60, 60)
    assert array.dtype == np.uint16


def test_the_same_bytes_each_time_and_in_one_shard_the_same_pixels(shared_v1: Path, tmp_path: Path) -> None:
    archive = open_archive(shared_v1)
    first = pack_archive(archive, tmp_path / "a", Packing(shard_patches=5)).path
    assert contents(first) == contents(pack_archive(archive, tmp_path / "b", Packing(shard_patches=5)).path)
    whole = Pack.open(pack_archive(archive, tmp_path / "c").path)
    assert np.array_equal(whole.read(range(PATCHES)).r10, Pack.open(first).read(range(PATCHES)).r10)


def kill_at(patch_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packing ends at this patch as if the process was interrupted."""
    original = shard_work._copy_patch

    def copy(task: shard_work.ShardTask, entry: Entry, read: PixelReader, writer: shards.ShardWriter) -> None:
        if entry.patch_id == patch_id:
            raise KeyboardInterrupt
        original(task, entry, read, writer)

    monkeypatch.setattr(shard_work, "_copy_patch", copy)


def test_goes_on_after_an_interruption(v1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = open_archive(v1)
    pack = tmp_path / "pack"
    partial = tmp_path / "pack.partial"
    with monkeypatch.context() as patched:
        kill_at(archive.entries[10].patch_id, patched)
        with pytest.raises(KeyboardInterrupt):
            pack_archive(archive, pack, Packing(shard_patches=4))
    assert not pack.exists()
    assert not list(partial.glob("shard_00002*"))
    before = {file: file.stat().st_mtime_ns for file in partial.glob("*.npy")}
    assert len(before) == 6
    for folder in folders(v1)[:8]:
        (folder / f"{folder.name}_B01.tif").unlink()  # read again, they would be broken
    result = pack_archive(archive, pack, Packing(shard_patches=4))
    assert result.resumed == 8
    assert result.patches == PATCHES
    assert not partial.exists()
    after = {partial / file.name: file.stat().st_mtime_ns for file in pack.glob("*.npy")}
    assert {file: after[file] for file in before} == before
    Pack.open(pack).verify()


def test_an_incomplete_shard_is_written_anew(shared_v1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = open_archive(shared_v1)
    with monkeypatch.context() as patched:
        kill_at(archive.entries[10].patch_id, patched)
        with pytest.raises(KeyboardInterrupt):
            pack_archive(archive, tmp_path / "pack", Packing(shard_patches=4))
    shard = tmp_path / "pack.partial" / "shard_00001_r20.npy"
    shard.write_bytes(shard.read_bytes()[:-100])
    (tmp_path / "pack.partial" / "shard_00000.json").write_text('{"files": ')
    assert pack_archive(archive, tmp_path / "pack", Packing(shard_patches=4)).resumed == 0
    Pack.open(tmp_path / "pack").verify()


def test_another_list_of_patches_is_refused(v1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = open_archive(v1)
    with monkeypatch.context() as patched:
        kill_at(archive.entries[10].patch_id, patched)
        with pytest.raises(KeyboardInterrupt):
            pack_archive(archive, tmp_path / "pack", Packing(shard_patches=4))
    shutil.rmtree(archive.entries[11].folder)
    with pytest.raises(PackError, match=r"pack\.partial was begun from other patches, splits or flags"):
        pack_archive(open_archive(v1), tmp_path / "pack", Packing(shard_patches=4))
    assert (tmp_path / "pack.partial" / "shard_00000_r10.npy").exists()


def test_a_packing_without_a_complete_shard_is_begun_anew(
    v1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = open_archive(v1)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda folder: None)  # as after a kill, which leaves no time for it
        kill_at(archive.entries[2].patch_id, patched)
        with pytest.raises(KeyboardInterrupt):
            pack_archive(archive, tmp_path / "pack", Packing(shard_patches=4))
    assert (tmp_path / "pack.partial" / "plan.json").exists()
    shutil.rmtree(archive.entries[11].folder)
    assert pack_archive(open_archive(v1), tmp_path / "pack", Packing(shard_patches=4)).patches == 11


def test_two_at_once(shared_v1: Path, tmp_path: Path) -> None:
    partial = tmp_path / "pack.partial"
    partial.mkdir()
    with (partial / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(PackError, match="another process is writing into"):
            pack_archive(open_archive(shared_v1), tmp_path / "pack")
    assert partial.exists()


def test_an_existing_destination(shared_v1: Path, tmp_path: Path) -> None:
    with pytest.raises(PackError, match="exists already; name another folder, or delete it first"):
        pack_archive(open_archive(shared_v1), tmp_path)
    assert not list(tmp_path.iterdir())


def test_no_patches(v1: Path, tmp_path: Path) -> None:
    for folder in folders(v1):
        shutil.rmtree(folder)
    with pytest.raises(DataError, match="holds no patch that can be packed"):
        pack_archive(open_archive(v1), tmp_path / "pack")


def missing_band(folder: Path) -> None:
    (folder / f"{folder.name}_B09.tif").unlink()


def truncated_band(folder: Path) -> None:
    file = folder / f"{folder.name}_B03.tif"
    file.write_bytes(file.read_bytes()[:9_000])


def wrong_size(folder: Path) -> None:
    shutil.copy(folder / f"{folder.name}_B05.tif", folder / f"{folder.name}_B04.tif")


def corrupt(folder: Path) -> None:
    (folder / f"{folder.name}_B12.tif").write_bytes(b"\x00" * 7_500)


def no_labels(folder: Path) -> None:
    (folder / f"{folder.name}_labels_metadata.json").write_text("{}")


def unknown_label(folder: Path) -> None:
    (folder / f"{folder.name}_labels_metadata.json").write_text('{"labels": ["Lava"]}')


DAMAGES: list[tuple[Callable[[Path], None], str]] = [
    (missing_band, "band B09 is missing"),
    (truncated_band, r"_B03\.tif is corrupt or truncated"),
    (wrong_size, r"_B04\.tif has 60 × 60 pixels instead of 120 × 120"),
    (corrupt, r"_B12\.tif is corrupt"),
    (no_labels, r"_labels_metadata\.json has no labels"),
    (unknown_label, "has an unknown label 'Lava'"),
]


@pytest.mark.parametrize(("damage", "what"), DAMAGES)
def test_a_broken_patch_stops_the_packing(damage: Callable[[Path], None], what: str, v1: Path, tmp_path: Path) -> None:
    folder = folders(v1)[2]
    damage(folder)
    with pytest.raises(PatchError, match=rf"^patch {folder.name}: .*{what}.*--skip-broken$"):
        pack_archive(open_archive(v1), tmp_path / "pack")
    assert not list(tmp_path.glob("pack*"))


@pytest.mark.parametrize(("damage", "what"), DAMAGES)
def test_broken_patches_are_left_out_and_listed(
    damage: Callable[[Path], None], what: str, v1: Path, tmp_path: Path
) -> None:
    broken = [folders(v1)[index] for index in (0, 7)]
    for folder in broken:
        damage(folder)
    result = pack_archive(open_archive(v1), tmp_path / "pack", Packing(skip_broken=True, shard_patches=5))
    assert [skipped.patch_id for skipped in result.report.broken] == [folder.name for folder in broken]
    report = json.loads((result.path / REPORT).read_text())
    assert report["counts"]["broken"] == 2
    assert {name: re.search(what, reason) is not None for name, reason in report["broken"].items()} == {
        folder.name: True for folder in broken
    }
    pack = Pack.open(result.path)
    pack.verify()
    assert pack.manifest.skipped == 2
    assert not set(pack.patch_ids(range(len(pack)))) & {folder.name for folder in broken}
    archive = open_archive(v1)
    last = read_patch(archive, archive.entries[-1])
    assert np.array_equal(pack.read([len(pack) - 1]).r10[0], last.r10)


def test_a_shard_of_broken_patches_alone(v1: Path, tmp_path: Path) -> None:
    for folder in folders(v1)[4:8]:
        missing_band(folder)
    pack = Pack.open(pack_archive(open_archive(v1), tmp_path / "pack", Packing(skip_broken=True, shard_patches=4)).path)
    pack.verify()
    assert len(pack.read(range(8))) == len(pack) == 8


def test_all_broken(v1: Path, tmp_path: Path) -> None:
    for folder in folders(v1):
        missing_band(folder)
    with pytest.raises(PackError, match=r"none of the 12 patches .* can be read; nothing was packed"):
        pack_archive(open_archive(v1), tmp_path / "pack", Packing(skip_broken=True))
    assert not (tmp_path / "pack").exists()


def test_shards_with_broken_patches_do_not_count_without_skip_broken(v1: Path, tmp_path: Path) -> None:
    missing_band(folders(v1)[1])
    missing_band(folders(v1)[9])
    archive = open_archive(v1)
    with pytest.MonkeyPatch.context() as patched:
        kill_at(archive.entries[11].patch_id, patched)
        with pytest.raises(KeyboardInterrupt):
            pack_archive(archive, tmp_path / "pack", Packing(skip_broken=True, shard_patches=4))
    with pytest.raises(PatchError, match=folders(v1)[1].name):
        pack_archive(archive, tmp_path / "pack", Packing(shard_patches=4))


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("where", ["append", "finish"])
def test_a_full_disk(where: str, shared_v1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = open_archive(shared_v1)
    with monkeypatch.context() as patched:
        patched.setattr(shards.ShardWriter, where, full_disk)
        with pytest.raises(PackError, match=r"cannot write .*pack.*: No space left on device"):
            pack_archive(archive, tmp_path / "pack")
    assert not list(tmp_path.glob("pack*"))
    assert pack_archive(archive, tmp_path / "pack").patches == PATCHES


@pytest.mark.parametrize("limit", [100, 500_000])
def test_a_write_that_the_system_refuses(limit: int, shared_v1: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: a write fails, and the one that closing makes as well."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(PackError, match=r"cannot write .*pack.*: File too large"):
            pack_archive(
                open_archive(shared_v1),
                tmp_path / "pack",
                progress=lambda done: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard)),
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.glob("pack*"))


def test_a_folder_without_permission(shared_v1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PermissionError, match=r"Permission denied: .*pack\.partial"):
        pack_archive(open_archive(shared_v1), tmp_path / "pack")
    assert not list(tmp_path.iterdir())
