"""A small recorded machine: `/proc` and `/sys` as files."""

from pathlib import Path

import pytest

MEMINFO = """\
MemTotal:       16000000 kB
MemFree:         4000000 kB
MemAvailable:   12000000 kB
Buffers:          500000 kB
Cached:          6000000 kB
SwapCached:            0 kB
SReclaimable:     500000 kB
HugePages_Total:       0
"""

MOUNTINFO = """\
22 1 0:21 / /proc rw,relatime - proc proc rw
25 1 0:23 / /tmp rw shared:5 master:1 - tmpfs tmpfs rw,size=24683656k
27 1 0:40 / / rw,relatime shared:1 - btrfs /dev/nvme0n1p2 rw
28 1 0:41 / /merged rw - overlay overlay rw,lowerdir=/a
"""


def put(path: Path, text: str) -> None:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """`/proc` of a machine with btrfs on a partition."""
    root = tmp_path / "proc"
    put(root / "stat", "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 100 0 50 800 50 0 0 0 0 0\n")
    put(root / "meminfo", MEMINFO)
    put(root / "self" / "mountinfo", MOUNTINFO)
    return root


@pytest.fixture
def sys(tmp_path: Path) -> Path:
    """`/sys` of a machine with an NVMe disk with two partitions, an unused loop device, and three sensors."""
    root = tmp_path / "sys"
    disk = root / "devices" / "pci0000:00" / "nvme" / "nvme0n1"
    put(disk / "stat", "   1000 7 8000 50 200 9 4000 60 0 70 110 0 0 0 0 0 0\n")
    for number in (1, 2):
        put(disk / f"nvme0n1p{number}" / "stat", f"{number} 0 16 5 2 0 8 5 0 5 10\n")
        put(disk / f"nvme0n1p{number}" / "partition", f"{number}\n")
    put(root / "devices" / "virtual" / "loop0" / "stat", "0 0 0 0 0 0 0 0 0 0 0\n")
    for folder, name, target in (
        ("class/block", "nvme0n1", disk),
        ("class/block", "nvme0n1p1", disk / "nvme0n1p1"),
        ("class/block", "nvme0n1p2", disk / "nvme0n1p2"),
        ("class/block", "loop0", root / "devices" / "virtual" / "loop0"),
        ("dev/block", "259:0", disk),
        ("dev/block", "259:1", disk / "nvme0n1p1"),
    ):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / name).symlink_to(target)
    chip = root / "class" / "hwmon" / "hwmon1"
    put(chip / "name", "coretemp\n")
    put(chip / "temp1_label", "Package id 0\n")
    put(chip / "temp1_input", "41500\n")
    put(chip / "temp2_label", "Core 0\n")
    put(chip / "temp2_input", "40000\n")
    put(root / "class" / "hwmon" / "hwmon0" / "name", "acpitz\n")
    put(root / "class" / "hwmon" / "hwmon0" / "temp1_input", "27800\n")
    return root
