"""Packs made in parts become one."""

import errno
import json
import os
import shutil
from collections import namedtuple
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from terrawatt.cli import app
from terrawatt.data.archive import open_archive
from terrawatt.data.bands import RGB_RESOLUTIONS
from terrawatt.data.join import join_packs
from terrawatt.data.pack import Pack
from terrawatt.data.packer import Packing, pack_archive
from terrawatt.data.packformat import MANIFEST, _content_digest
from terrawatt.data.packreport import REPORT
from terrawatt.errors import PackError, UsageError

PATCHES = 12
CUTS = (0, 4, 9, 12)


@pytest.fixture(scope="module")
def parts(shared_v1: Path, shared_v2: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Three packs of each archive, in shards of 3 patches; not to be changed."""
    folder = tmp_path_factory.mktemp("parts")
    found = {}
    for version, source in (("v1", shared_v1), ("v2", shared_v2)):
        archive = open_archive(source)
        pieces = [archive.part(archive.entries[first:last]) for first, last in pairwise(CUTS)]
        found[version] = [
            pack_archive(piece, folder / f"{version}_{number}", Packing(shard_patches=3)).path
            for number, piece in enumerate(pieces)
        ]
    return found


def opened(folders: list[Path]) -> list[Pack]:
    return [Pack.open(folder) for folder in folders]


def change_manifest(folder: Path, changes: dict[str, object]) -> Pack:
    """A pack with another manifest, whose checksum fits."""
    file = folder / MANIFEST
    content = json.loads(file.read_text()) | changes
    del content["sha256"]
    file.write_text(json.dumps({**content, "sha256": _content_digest(content)}))
    return Pack.open(folder)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_parts_joined_are_the_whole(
    version: str, parts: dict[str, list[Path]], shared_packs: dict[str, Path], tmp_path: Path
) -> None:
    result = join_packs(opened(parts[version]), tmp_path / "pack")
    assert (result.patches, result.copied) == (PATCHES, 0)
    joined, whole = Pack.open(tmp_path / "pack"), Pack.open(shared_packs[version])
    joined.verify()
    rows = range(PATCHES)
    assert joined.patch_ids(rows).tolist() == whole.patch_ids(rows).tolist()
    for mine, theirs in zip(joined.read(rows).arrays, whole.read(rows).arrays, strict=True):
        assert np.array_equal(mine, theirs)
    assert np.array_equal(joined.labels(19), whole.labels(19))
    for split in ("train", "validation", "test"):
        assert joined.rows(split).tolist() == whole.rows(split).tolist()
    mine, theirs = joined.manifest, whole.manifest
    assert (mine.splits, mine.flagged, mine.statistics_patches) == (theirs.splits, theirs.flagged, 6)
    assert mine.band_mean == theirs.band_mean
    assert mine.band_std == pytest.approx(theirs.band_std, rel=1e-12)


def test_files_are_shared_and_nothing_else_is_left(parts: dict[str, list[Path]], tmp_path: Path) -> None:
    join_packs(opened(parts["v1"]), tmp_path / "pack")
    assert [item.name for item in tmp_path.iterdir()] == ["pack"]
    shards = sorted(file.name for file in (tmp_path / "pack").glob("shard_*"))
    assert len(shards) == 3 * 5
    assert shards[-1] == "shard_00004_r60.npy"
    assert (tmp_path / "pack" / "shard_00003_r10.npy").samefile(parts["v1"][1] / "shard_00001_r10.npy")
    assert sorted(file.name for file in (tmp_path / "pack").iterdir())[:3] == ["index.parquet", MANIFEST, REPORT]


def test_where_they_came_from_is_kept_also_of_joined_ones(parts: dict[str, list[Path]], tmp_path: Path) -> None:
    first, second, third = opened(parts["v1"])
    join_packs([second, third], tmp_path / "two")
    join_packs([Pack.open(tmp_path / "two"), first], tmp_path / "three")
    manifest = Pack.open(tmp_path / "three").manifest
    assert [part.index_sha256 for part in manifest.parts] == [
        pack.manifest.index_sha256 for pack in (second, third, first)
    ]
    assert [part.patches for part in manifest.parts] == [5, 3, 4]
    assert manifest.source == first.manifest.source
    assert manifest.other_statistics is None


def refuse(*_: object) -> None:
    raise OSError(errno.EXDEV, "Invalid cross-device link")


def test_on_another_disk_files_are_copied(
    parts: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refuse)
    seen: list[int] = []
    assert join_packs(opened(parts["v1"]), tmp_path / "pack", progress=seen.append).copied == PATCHES
    assert seen == sorted(seen)
    assert seen[-1] == PATCHES
    Pack.open(tmp_path / "pack").verify()
    assert not (tmp_path / "pack" / "shard_00000_r10.npy").samefile(parts["v1"][0] / "shard_00000_r10.npy")


def test_a_damaged_shard_is_not_copied(
    parts: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refuse)
    damaged = Path(shutil.copytree(parts["v1"][1], tmp_path / "damaged"))
    shard = damaged / "shard_00001_r20.npy"
    shard.write_bytes(shard.read_bytes()[:-1] + b"\xee")
    with pytest.raises(PackError, match=r"shard_00001_r20\.npy is damaged: its checksum is wrong"):
        join_packs(opened([parts["v1"][0], damaged]), tmp_path / "pack")
    assert not list(tmp_path.glob("pack*"))


def test_no_room_for_copies_is_said_before(
    parts: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refuse)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10_000_000, 9_000_000, 1_000_000))
    with pytest.raises(PackError, match=r"has not the room: 12 patches need 1\.92 MB, and 1 MB are free"):
        join_packs(opened(parts["v1"]), tmp_path / "pack")
    assert not list(tmp_path.iterdir())


def test_a_full_disk(parts: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("terrawatt.data.join.write_durably", full)
    with pytest.raises(PackError, match=r"cannot write .*pack\.partial: No space left on device$"):
        join_packs(opened(parts["v1"]), tmp_path / "pack")
    assert not list(tmp_path.iterdir())
    assert all(Pack.open(part) for part in parts["v1"])


def test_versions_bands_and_classes_must_be_the_same(
    parts: dict[str, list[Path]], shared_v1: Path, tmp_path: Path
) -> None:
    first = Pack.open(parts["v1"][0])
    with pytest.raises(PackError, match=r"v1_0 is of BigEarthNet v1 and .*v2_1 of v2; only packs of one version"):
        join_packs([first, Pack.open(parts["v2"][1])], tmp_path / "pack")
    archive = open_archive(shared_v1)
    rgb = pack_archive(archive.part(archive.entries[6:]), tmp_path / "rgb", Packing(RGB_RESOLUTIONS)).path
    for pair in ([first, Pack.open(rgb)], [Pack.open(rgb), first]):
        with pytest.raises(PackError, match=r"v1_0 has all bands and .*rgb RGB alone; pack both alike, with --bands"):
            join_packs(pair, tmp_path / "pack")
    other = Path(shutil.copytree(parts["v1"][1], tmp_path / "other"))
    names = {number: list(found)[::-1] for number, found in first.manifest.class_names.items()}
    with pytest.raises(PackError, match="have other names of classes, or in another order"):
        join_packs([first, change_manifest(other, {"class_names": names})], tmp_path / "pack")
    assert not list(tmp_path.glob("pack*"))


def test_no_patch_may_be_in_two(parts: dict[str, list[Path]], shared_packs: dict[str, Path], tmp_path: Path) -> None:
    packs = [*opened(parts["v1"][1:]), Pack.open(shared_packs["v1"])]
    patch = packs[0].patch_ids([0])[0]
    with pytest.raises(PackError, match=rf"8 patches are in two of the packs, such as {patch} in .*v1_1 and .*/v1;"):
        join_packs(packs, tmp_path / "pack")
    assert not list(tmp_path.iterdir())


def test_fewer_than_two(parts: dict[str, list[Path]], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="joining takes two packs at least"):
        join_packs(opened(parts["v1"][:1]), tmp_path / "pack")


def with_offset(part: Path, folder: Path, offset: float) -> Pack:
    """A pack that says that its bands are brighter."""
    Path(shutil.copytree(part, folder))
    return change_manifest(folder, {"band_mean": [mean + offset for mean in Pack.open(part).manifest.band_mean or ()]})


@pytest.mark.parametrize("offset_first", [True, False])
def test_the_offset_of_another_baseline_is_refused_unless_it_is_allowed(
    offset_first: bool, parts: dict[str, list[Path]], tmp_path: Path
) -> None:
    bright = with_offset(parts["v1"][2], tmp_path / "bright", 1_500)
    packs = [bright, Pack.open(parts["v1"][1])] if offset_first else [Pack.open(parts["v1"][1]), bright]
    with pytest.raises(
        PackError, match=r"the means of all bands of .*bright lie above those of .*v1_1 by .*--other-statistics$"
    ):
        join_packs(packs, tmp_path / "pack")
    assert not list(tmp_path.glob("pack*"))
    join_packs(packs, tmp_path / "pack", other_statistics=True)
    joined = Pack.open(tmp_path / "pack")
    assert "bright lie above those of" in str(joined.manifest.other_statistics)
    join_packs([joined, Pack.open(parts["v1"][0])], tmp_path / "more", other_statistics=True)
    assert str(joined.manifest.other_statistics) in str(Pack.open(tmp_path / "more").manifest.other_statistics)


def test_packs_without_training_patches_join_without_a_word(parts: dict[str, list[Path]], tmp_path: Path) -> None:
    other = Path(shutil.copytree(parts["v1"][1], tmp_path / "other"))
    bare = change_manifest(other, {"band_mean": None, "band_std": None, "statistics_patches": 0})
    first = Pack.open(parts["v1"][0])
    join_packs([first, bare], tmp_path / "pack")
    joined = Pack.open(tmp_path / "pack").manifest
    assert joined.band_mean == first.manifest.band_mean
    assert joined.statistics_patches == first.manifest.statistics_patches


def test_what_one_part_lacks_and_another_has_is_not_missing(shared_v2: Path, tmp_path: Path) -> None:
    packs, gone = [], []
    for number in (0, 1):
        copy = Path(shutil.copytree(shared_v2, tmp_path / f"machine_{number}"))
        folders = sorted((copy / "BigEarthNet-S2").glob("*/*"))
        for folder in folders[number::2]:
            shutil.rmtree(folder)
        broken = folders[1 - number]
        (broken / f"{broken.name}_B09.tif").unlink()
        gone.append(broken.name)
        how = Packing(skip_broken=True)
        packs.append(Pack.open(pack_archive(open_archive(copy), tmp_path / f"pack_{number}", how).path))
    join_packs(packs, tmp_path / "pack")
    report = json.loads((tmp_path / "pack" / REPORT).read_text())
    assert sorted(report["broken"]) == sorted(gone)
    assert report["counts"] == {"missing": 0, "broken": 2, "duplicates": 0, "without_labels": 0}
    assert Pack.open(tmp_path / "pack").manifest.skipped == 2
    (tmp_path / "pack_0" / REPORT).write_text("{}")
    with pytest.raises(PackError, match=r"report\.json is damaged: it is not the report of a packing"):
        join_packs(packs, tmp_path / "again")
    (tmp_path / "pack_0" / REPORT).unlink()
    join_packs(packs, tmp_path / "again")


def test_the_command(parts: dict[str, list[Path]], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app.main(["data", "join", *map(str, parts["v1"]), str(tmp_path / "pack")])
    assert not ended.value.code
    assert capsys.readouterr().out == f"{tmp_path / 'pack'}: 12 patches of 3 packs, whose files they share\n"
    with pytest.raises(SystemExit) as ended:
        app.main(["data", "join", str(parts["v1"][0]), str(tmp_path / "pack"), str(tmp_path / "again")])
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("terrawatt: error: 4 patches are in two of the packs")
