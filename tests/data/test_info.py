import json
import shutil
from pathlib import Path

import pytest

from terrawatt.data.archive import open_archive
from terrawatt.data.info import SplitInfo, describe_archive, describe_pack, is_pack
from terrawatt.data.labels import LABELS_19, LABELS_43
from terrawatt.data.pack import Pack

PATCHES = 12


def folders(archive: Path) -> list[Path]:
    return sorted((archive / "BigEarthNet-v1.0").iterdir())


def test_a_good_archive(shared_v1: Path) -> None:
    seen: list[int] = []
    info = describe_archive(open_archive(shared_v1), progress=seen.append)
    assert (info.kind, info.version, info.patches) == ("archive", "v1", PATCHES)
    assert info.splits == {
        "train": SplitInfo(6, 6, 6),
        "validation": SplitInfo(3, 3, 3),
        "test": SplitInfo(3, 3, 3),
    }
    assert info.problems == ()
    assert not info.checked
    assert seen == list(range(1, PATCHES + 1))


def test_labels_are_counted(shared_v1: Path) -> None:
    info = describe_archive(open_archive(shared_v1))
    expected = dict.fromkeys(LABELS_43, 0)
    for folder in folders(shared_v1):
        for name in json.loads((folder / f"{folder.name}_labels_metadata.json").read_text())["labels"]:
            expected[name] += 1
    assert info.label_counts[43] == expected
    assert list(info.label_counts[19]) == list(LABELS_19)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_pack_counts_as_its_archive(
    version: str, shared_v1: Path, shared_v2: Path, shared_packs: dict[str, Path]
) -> None:
    archive = describe_archive(open_archive(shared_v1 if version == "v1" else shared_v2))
    pack = describe_pack(Pack.open(shared_packs[version]), check=True)
    assert pack.checked
    assert pack.problems == ()
    assert pack.label_counts == archive.label_counts
    assert pack.splits == archive.splits
    assert pack.flagged == archive.flagged
    assert list(pack.label_counts) == ([43, 19] if version == "v1" else [19])


def test_a_part_of_an_archive(v1: Path) -> None:
    for folder in folders(v1)[:5]:
        shutil.rmtree(folder)
    info = describe_archive(open_archive(v1))
    assert info.patches == 7
    assert sum(split.listed for split in info.splits.values()) == PATCHES
    assert sum(split.on_disk for split in info.splits.values()) == 7


def test_flags_and_patches_without_split(v1: Path) -> None:
    lists = v1 / "splits"
    names = (lists / "train.csv").read_text().split()
    (lists / "patches_with_seasonal_snow.csv").write_text(names[0])
    (lists / "train.csv").write_text("\n".join(names[:-2]))
    info = describe_archive(open_archive(v1))
    assert info.splits["train"] == SplitInfo(4, 4, 3)
    assert info.without_split == info.unlisted == 2
    assert info.flagged == {"seasonal snow": 1, "cloud or shadow": 0, "no 19-class label": 0}


@pytest.mark.parametrize("check", [False, True])
def test_missing_cut_and_wrong_files_are_found(check: bool, v1: Path) -> None:
    missing, cut, small, unlabelled = folders(v1)[:4]
    (missing / f"{missing.name}_B11.tif").unlink()
    band = cut / f"{cut.name}_B08.tif"
    band.write_bytes(band.read_bytes()[:10_000])
    shutil.copy(small / f"{small.name}_B01.tif", small / f"{small.name}_B03.tif")
    (unlabelled / f"{unlabelled.name}_labels_metadata.json").unlink()
    info = describe_archive(open_archive(v1), check=check)
    assert [problem.split(":")[0] for problem in info.problems] == [
        f"patch {folder.name}" for folder in (missing, cut, small, unlabelled)
    ]
    assert "band B11 is missing" in info.problems[0]
    assert "_B08.tif is corrupt or truncated" in info.problems[1]
    assert "20 × 20 pixels instead of 120 × 120" in info.problems[2]
    assert "_labels_metadata.json is missing" in info.problems[3]


def test_some_damage_is_seen_by_reading_alone(v1: Path) -> None:
    band = folders(v1)[0] / f"{folders(v1)[0].name}_B08.tif"
    band.write_bytes(b"x" * band.stat().st_size)
    assert describe_archive(open_archive(v1)).problems == ()
    assert len(describe_archive(open_archive(v1), check=True).problems) == 1


def test_a_damaged_pack(pack_folder: Path) -> None:
    file = pack_folder / "shard_00001_r10.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert describe_pack(Pack.open(pack_folder)).problems == ()
    info = describe_pack(Pack.open(pack_folder), check=True)
    assert len(info.problems) == 1
    assert "is damaged" in info.problems[0]


def test_is_pack(shared_packs: dict[str, Path], shared_v1: Path) -> None:
    assert is_pack(shared_packs["v1"])
    assert not is_pack(shared_v1)
