import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terrawatt.data import blockfile
from terrawatt.data.blockfile import BlockFile


def write(path: Path, parts: list[bytes], beginning: bytes, piece: int = 8_192) -> int:
    with BlockFile(path, max(map(len, parts)), piece) as file:
        for part in parts:
            file.buffer[file.filled : file.filled + len(part)] = part
            file.advance(len(part))
        return file.finish(beginning)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(sizes=st.lists(st.integers(1, 20_000), min_size=1, max_size=12))
def test_the_file_holds_what_was_put_into_its_buffer(sizes: list[int], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.unlink(missing_ok=True)
    parts = [os.urandom(size) for size in sizes]
    whole = b"".join(parts)
    assert write(file, parts, b"!") == len(whole)
    assert file.read_bytes() == b"!" + whole[1:]


def test_a_file_system_that_does_not_write_past_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = os.write

    def refuse(descriptor: int, data: bytes) -> int:
        if blockfile._is_direct(descriptor):
            raise OSError(errno.EINVAL, "Invalid argument")
        return original(descriptor, data)

    monkeypatch.setattr(os, "write", refuse)
    parts = [os.urandom(10_000) for _ in range(5)]
    write(tmp_path / "file", parts, b"")
    assert (tmp_path / "file").read_bytes() == b"".join(parts)


def test_other_errors_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "file", [bytes(10_000)], b"")


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("other")
    with pytest.raises(FileExistsError):
        BlockFile(tmp_path / "file", 10)
    assert (tmp_path / "file").read_text() == "other"
