"""Parts of `benchmarks/full_size.py`: that it sees memory and pages, not how fast this machine is."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmark_modules import benchmark
from terrawatt.records import Phase, Window

full_size = benchmark("full_size")


def test_added_is_what_the_second_half_needs_beyond_the_first() -> None:
    samples = [(t, mb) for t, mb in enumerate([5.0, 50.0, 40.0, 40.0, 45.0, 60.0])]
    watched = full_size.Watched(1.0, samples, "")
    assert watched.added_mb() == 10.0
    assert watched.peak_mb == 60.0
    assert full_size.Watched(1.0, samples[::-1], "").added_mb() == 0.0


def test_added_in_a_phase_is_of_its_time_alone() -> None:
    watched = full_size.Watched(1.0, [(0, 99.0), (10, 5.0), (14, 6.0), (15, 7.0), (19, 7.5), (20, 99.0)], "")
    assert watched.added_mb(Phase("train", Window(10, 20))) == 1.5


def test_memory_of_a_process_and_its_child_is_seen() -> None:
    child = "import time; kept = bytearray(b'x' * 60_000_000); time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print('said')"
    watched = full_size.watch([sys.executable, "-c", parent])
    assert watched.said == "said\n"
    assert 60 < watched.peak_mb < 200


def test_a_command_that_fails_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="exit code 3"):
        full_size.watch([sys.executable, "-c", "raise SystemExit(3)"])


def test_pages_that_were_dropped_are_counted(tmp_path: Path) -> None:
    np.save(tmp_path / "shard.npy", np.ones(1_000_000))
    with (tmp_path / "shard.npy").open("rb") as stream:
        os.fsync(stream.fileno())
    if full_size.forget(tmp_path) == 1.0:
        pytest.skip("this file system keeps its files in memory")
    assert full_size.forget(tmp_path) == 0.0
    assert full_size.bytes_of(tmp_path) > 8_000_000


def test_ratios_are_of_neighbours() -> None:
    found = {"a, images/s": [2.0, 9.0], "b, images/s": [1.0, 3.0]}
    assert full_size.ratios(found, "a", "b", "images/s") == [2.0, 3.0]


def test_an_epoch_that_ends_early_is_a_loader_otherwise() -> None:
    class Loader:
        rows = (1, 2, 3)

        def shuffled(self, seed: int, epoch: int) -> list[int]:
            return list(range(seed + epoch))

    early = full_size.FirstBatches(Loader(), 2)
    assert list(early.shuffled(3, 4)) == [0, 1]
    assert early.rows == (1, 2, 3)
