"""Packing with several processes, of RGB alone, on a full disk; and what was not packed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from terrawatt.data import shard_processes
from terrawatt.data.archive import open_archive
from terrawatt.data.bands import PUBLISHED, RGB_RESOLUTIONS
from terrawatt.data.pack import Pack
from terrawatt.data.packer import Packing, pack_archive
from terrawatt.data.packformat import MANIFEST, Manifest
from terrawatt.errors import PackError, PatchError

PATCHES = 12
TWO = Packing(shard_patches=3, processes=2)


def arrays(pack: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(pack.iterdir()) if file.name != MANIFEST}


def test_several_processes_give_the_same_bytes_as_one(shared_v1: Path, tmp_path: Path) -> None:
    archive = open_archive(shared_v1)
    seen: list[int] = []
    several = pack_archive(archive, tmp_path / "several", TWO, progress=seen.append).path
    one = pack_archive(archive, tmp_path / "one", Packing(shard_patches=3)).path
    assert arrays(several) == arrays(one)
    manifests = [json.loads((pack / MANIFEST).read_text()) for pack in (several, one)]
    for manifest in manifests:
        del manifest["created"], manifest["sha256"]
    assert manifests[0] == manifests[1]
    assert seen == sorted(seen)
    assert seen[-1] == PATCHES


@pytest.mark.parametrize(
    ("sizes", "most", "expected"),
    [
        ([4_096], 8, 1),  # one shard, one process
        ([4_096, 500], 8, 1),  # not worth the start of another
        ([4_096, 4_096], 8, 2),
        ([4_096] * 3, 2, 2),
        ([4_096] * 3, 8, 3),
        ([4_096] * 4 + [10], 4, 4),
        ([4_096] * 145, 64, 49),  # three shards each; with 64 none would end sooner
        ([4_096] * 145, 1, 1),
        ([], 8, 1),
    ],
)
def test_as_many_processes_as_are_worth_their_start(sizes: list[int], most: int, expected: int) -> None:
    assert shard_processes.worthwhile(sizes, most) == expected


def test_the_processes_are_chosen_and_told(shared_v1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    archive = open_archive(shared_v1)
    how = Packing(shard_patches=3, processes=None)
    assert pack_archive(archive, tmp_path / "small", how).processes == 1
    monkeypatch.setattr(shard_processes, "_START_PATCHES", 1)
    assert pack_archive(archive, tmp_path / "large", how).processes == 2
    assert arrays(tmp_path / "small") == arrays(tmp_path / "large")
    assert pack_archive(archive, tmp_path / "many", Packing(shard_patches=6, processes=9)).processes == 2


def test_a_broken_patch_ends_all_processes(v1: Path, tmp_path: Path) -> None:
    archive = open_archive(v1)
    broken = archive.entries[10]
    (broken.folder / f"{broken.patch_id}_B05.tif").unlink()
    with pytest.raises(PatchError, match=rf"^patch {broken.patch_id}: band B05 is missing.*--skip-broken$"):
        pack_archive(archive, tmp_path / "pack", TWO)
    assert not (tmp_path / "pack").exists()
    assert not list(tmp_path.glob("pack.partial/*.tmp"))
    result = pack_archive(archive, tmp_path / "pack", Packing(skip_broken=True, shard_patches=3, processes=2))
    assert result.patches == PATCHES - 1
    Pack.open(result.path).verify()


def test_a_process_that_is_killed_is_told(shared_v1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = shard_processes._answer

    def kill_first(pipe: object, process: object) -> object:
        os.kill(process.pid, signal.SIGKILL)  # type: ignore[attr-defined]
        process.wait()  # type: ignore[attr-defined]
        while True:
            original(pipe, process)

    monkeypatch.setattr(shard_processes, "_answer", kill_first)
    with pytest.raises(PackError, match="was killed by signal 9, perhaps for want of memory; complete shards are kept"):
        pack_archive(open_archive(shared_v1), tmp_path / "pack", TWO)
    assert not list(tmp_path.glob("pack.partial/*.tmp"))


PACK_SLOWLY = """
import sys, time
from pathlib import Path
from terrawatt.data.archive import open_archive
from terrawatt.data.packer import Packing, pack_archive

def wait(done):
    print(done, flush=True)
    if done >= 3:
        sys.stdin.read()  # until the test has done what it does

if __name__ == "__main__":
    how = Packing(shard_patches=3, processes=2)
    pack_archive(open_archive(Path(sys.argv[1])), Path(sys.argv[2]), how, progress=wait)
"""


@pytest.fixture
def under_way(shared_v1: Path, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A packing with two processes that waits in the midst of it, as leader of a group."""
    script = tmp_path / "pack_slowly.py"
    script.write_text(PACK_SLOWLY)
    command = [sys.executable, str(script), str(shared_v1), str(tmp_path / "pack")]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 3:
            pass
        yield process
        process.kill()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_after_an_end_in_the_midst_the_same_goes_on(
    how: signal.Signals, under_way: "subprocess.Popen[str]", shared_v1: Path, tmp_path: Path
) -> None:
    if how is signal.SIGINT:
        os.killpg(under_way.pid, how)  # as a terminal does
    else:
        under_way.kill()
    _, told = under_way.communicate(timeout=60)
    assert told.count("Traceback") <= 1  # the parent's, none of the others'
    wait_until_gone(under_way.pid)
    assert not (tmp_path / "pack").exists()
    result = pack_archive(open_archive(shared_v1), tmp_path / "pack", TWO)
    assert result.resumed >= 3
    assert result.resumed % 3 == 0
    Pack.open(result.path).verify()
    assert not (tmp_path / "pack.partial").exists()
    assert not [name for name in arrays(result.path) if name.endswith(".tmp")]


def wait_until_gone(group: int) -> None:
    """Until no process of the group is left; the test's time limit is the suite's."""
    while True:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)


def test_rgb_alone(shared_v1: Path, shared_packs: dict[str, Path], tmp_path: Path) -> None:
    how = Packing(RGB_RESOLUTIONS, shard_patches=5)
    pack = Pack.open(pack_archive(open_archive(shared_v1), tmp_path / "rgb", how).path)
    whole = Pack.open(shared_packs["v1"])
    pack.verify()
    assert not pack.has_all_bands
    assert pack.manifest.bands == {"r10": ("B04", "B03", "B02")}
    rows = [3, 11, 0]
    assert np.array_equal(pack.read(rows, rgb_only=True).r10, whole.read(rows, rgb_only=True).r10)
    for ask in (lambda: pack.read(rows), lambda: pack.buffers(3)):
        with pytest.raises(PackError, match="holds the bands B04, B03, B02 alone"):
            ask()
    statistics = pack.band_statistics()
    assert np.array_equal(statistics.mean[:3], whole.band_statistics().mean[:3])
    assert np.array_equal(statistics.std[:3], whole.band_statistics().std[:3])
    assert statistics.mean.shape == statistics.std.shape == PUBLISHED.mean.shape
    assert np.isnan(statistics.mean[3:]).all()
    size = sum(file.stat().st_size for file in pack.path.glob("*.npy"))
    assert size / sum(file.stat().st_size for file in whole.path.glob("*.npy")) == pytest.approx(0.54, abs=0.002)


def test_another_choice_of_bands_does_not_go_on(shared_v1: Path, tmp_path: Path) -> None:
    partial = tmp_path / "pack.partial"
    partial.mkdir()
    (partial / "shard_00000.json").write_text("{}")
    (partial / "plan.json").write_text("{}")
    with pytest.raises(PackError, match=r"was begun from other patches, splits or flags .* with other bands"):
        pack_archive(open_archive(shared_v1), tmp_path / "pack", Packing(RGB_RESOLUTIONS))


def test_no_room_is_said_before(shared_v1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10_000_000, 9_000_000, 1_000_000))
    with pytest.raises(
        PackError, match=r"has not the room: 12 patches need 1\.92 MB, and 1 MB are free; .* make 922 kB"
    ):
        pack_archive(open_archive(shared_v1), tmp_path / "pack")
    assert not list(tmp_path.iterdir())


def test_what_was_not_packed_is_named(v1: Path, tmp_path: Path) -> None:
    archive = open_archive(v1)
    gone, broken, twice = archive.entries[:3]
    shutil.rmtree(gone.folder)
    (broken.folder / f"{broken.patch_id}_B01.tif").write_bytes(b"no TIFF")
    split = next(
        name for name in ("train", "val", "test") if twice.patch_id in (v1 / "splits" / f"{name}.csv").read_text()
    )
    with (v1 / "splits" / f"{split}.csv").open("a") as file:
        file.write(f"{twice.patch_id}\n")
    result = pack_archive(open_archive(v1), tmp_path / "pack", Packing(skip_broken=True))
    assert result.patches == PATCHES - 2
    report = json.loads((result.path / "report.json").read_text())
    assert report["counts"] == {"missing": 1, "broken": 1, "duplicates": 1, "without_labels": 0}
    assert list(report["broken"]) == [broken.patch_id]
    assert report["duplicates"] == [{"patch_id": twice.patch_id, "again": f"listed twice in {split}.csv"}]
    assert [name for names in report["missing"].values() for name in names] == [gone.patch_id]


def test_buffers_are_filled_again_and_again(shared_packs: dict[str, Path]) -> None:
    pack = Pack.open(shared_packs["v1"])
    buffers = pack.buffers(6)
    for rows in ([1, 5, 9, 2], [11], [0, 0, 10, 4, 3, 7]):
        found = pack.read(rows, out=buffers)
        expected = pack.read(rows)
        assert len(found) == len(rows)
        for mine, theirs, whole in zip(found.arrays, expected.arrays, buffers.arrays, strict=True):
            assert np.array_equal(mine, theirs)
            assert np.shares_memory(mine, whole)
    with pytest.raises(ValueError, match="out has not the room"):
        pack.read(range(7), out=buffers)
    with pytest.raises(ValueError, match="not the bands"):
        pack.read([1], rgb_only=True, out=buffers)


def test_a_pack_of_the_first_format_is_read(pack_folder: Path) -> None:
    file = pack_folder / MANIFEST
    content = json.loads(file.read_text())
    for shard in content["shards"]:
        del shard["checksums"]
    manifest = Manifest.from_json(rewritten(content | {"format_version": 1}))
    assert manifest.format_version == 1
    file.write_text(rewritten(content | {"format_version": 1}))
    pack = Pack.open(pack_folder)
    pack.verify()
    assert pack.fingerprint()["format_version"] == 1
    shard = pack_folder / "shard_00001_r10.npy"
    shard.write_bytes(shard.read_bytes()[:-1] + b"\xee")
    with pytest.raises(PackError, match="row 4 of shard 1"):
        Pack.open(pack_folder).verify()


def test_an_index_that_names_rows_that_are_not_there(pack_folder: Path) -> None:
    file = pack_folder / MANIFEST
    content = json.loads(file.read_text())
    content["shards"][1]["patches"] = 4
    file.write_text(rewritten(content))
    with pytest.raises(PackError, match=r"index\.parquet names rows that are not in the shards"):
        Pack.open(pack_folder)


def test_a_packing_that_has_not_ended_is_no_pack(tmp_path: Path) -> None:
    (tmp_path / "pack.partial").mkdir()
    with pytest.raises(PackError, match="is a packing that has not ended"):
        Pack.open(tmp_path / "pack.partial")


def rewritten(content: dict[str, object]) -> str:
    """A manifest with a checksum that fits."""
    from terrawatt.data.packformat import _content_digest

    rest = {name: value for name, value in content.items() if name != "sha256"}
    return json.dumps({**rest, "sha256": _content_digest(rest)})
