import errno
import os
import stat
from pathlib import Path

import pytest

from terrawatt.runs import atomic


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_content_takes_the_place_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    atomic.write_text(path, "old")
    atomic.write_text(path, "néw")
    assert path.read_bytes() == "néw".encode()
    assert names(tmp_path) == ["status.json"]


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    atomic.write_text(path, "old")

    def stop_half_way() -> None:
        with atomic.replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_half_way()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["status.json"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "status.json"
    atomic.write_text(path, "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        atomic.write_text(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["status.json"]


def test_files_get_the_mode_that_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        atomic.write_text(tmp_path / "a", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_lines_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "phases.jsonl"
    atomic.append_line(path, "one")
    atomic.append_lines(path, ["two", "three"])
    assert path.read_text() == "one\ntwo\nthree\n"


@pytest.mark.parametrize(("left", "whole"), [("one\ntw", "one\n"), ("on", ""), ("one\n\n", "one\n\n")])
def test_a_line_that_a_kill_cut_off_does_not_grow_into_the_next(tmp_path: Path, left: str, whole: str) -> None:
    path = tmp_path / "phases.jsonl"
    path.write_text(left)
    atomic.append_line(path, "next")
    assert path.read_text() == whole + "next\n"


def test_the_checksum_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert atomic.sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_what_others_wrote_is_on_the_disk_when_sync_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(atomic.os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    path = tmp_path / "telemetry.sqlite-wal"
    path.write_text("readings")
    atomic.sync(path)
    atomic.sync(tmp_path / "nowhere")
    assert synced == [path.stat().st_ino]


def test_a_shared_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.sqlite"
    path.write_text("one")
    first = atomic.sha256_once(path)
    assert (first, atomic.sha256_once(path)) == (atomic.sha256(path), first)
    path.write_text("other")
    assert atomic.sha256_once(path) == atomic.sha256(path) != first
