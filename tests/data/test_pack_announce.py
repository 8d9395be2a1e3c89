import ctypes
import mmap
import os
from pathlib import Path

import numpy as np
import pytest

from terrawatt.data.archive import open_archive
from terrawatt.data.pack import Pack
from terrawatt.data.packer import pack_archive
from terrawatt.data.synth import synthesise

PATCHES = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("announced")
    synthesise(place / "v1", version="v1", patches=PATCHES, seed=3)
    return pack_archive(open_archive(place / "v1"), place / "pack").path


def forget(file: Path) -> None:
    """Drop a file's pages out of memory, where the system does that."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def resident_pages(file: Path) -> int:
    """How many pages of a file are in memory."""
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        there = np.zeros(-(-len(mapped) // mmap.PAGESIZE), dtype=np.uint8)
        content = np.frombuffer(mapped, dtype=np.uint8)
        pointers = (ctypes.c_void_p(array.ctypes.data) for array in (content, there))
        address, pages = pointers
        assert ctypes.CDLL(None).mincore(address, ctypes.c_size_t(len(mapped)), pages) == 0
        del content
    return int(np.count_nonzero(there & 1))


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="pages are dropped on Linux alone")
def test_what_is_announced_comes_into_memory_and_hardly_more(folder: Path) -> None:
    files = sorted(folder.glob("*.npy"))
    for file in files:
        forget(file)
    if any(map(resident_pages, files)):
        pytest.skip("this file system keeps its files in memory")
    pack = Pack.open(folder)
    rows = [3, PATCHES // 2]
    pack.announce(rows)
    found = pack.read(rows)  # waits for what is under way
    for file, array in zip(files[:2], found.arrays, strict=False):  # r60 is too small to tell
        pages_of_a_patch = array[0].nbytes // mmap.PAGESIZE + 2
        # Left to itself the system reads around what is asked for: up to 8 MB, here all of a file.
        assert 0 < resident_pages(file) <= 3 * len(rows) * pages_of_a_patch, file.name


@pytest.mark.parametrize("rows", [[], [0], [PATCHES - 1, 0, 5, 5]])
@pytest.mark.parametrize("rgb_only", [False, True])
def test_announcing_changes_nothing(rows: list[int], rgb_only: bool, folder: Path) -> None:
    announced, plain = Pack.open(folder), Pack.open(folder)
    announced.announce(rows, rgb_only=rgb_only)
    found, wanted = (pack.read(rows, rgb_only=rgb_only).arrays for pack in (announced, plain))
    assert all(np.array_equal(one, other) for one, other in zip(found, wanted, strict=True))
