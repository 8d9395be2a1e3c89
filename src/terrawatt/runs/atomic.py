"""Writes that leave either the whole file or none, and appends that survive a kill."""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the place of `path` when the block ends well, and vanishes when it does not.

    Temporary file beside the target, fsync, rename; then fsync of the folder, so that the name survives a power cut.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Put `content` in place of the file, atomically."""
    with replacing(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    """Put `content` in place of the file, atomically, as UTF-8."""
    write_bytes(path, content.encode("utf-8"))


def append_line(path: Path, line: str) -> None:
    """Append one line and wait until it is on the disk."""
    append_lines(path, [line])


def append_lines(path: Path, lines: Sequence[str]) -> None:
    """Append lines together and wait until they are on the disk.

    A last line without its newline, which a kill cut off, is removed first: it must not become part of the new one.
    """
    with path.open("a+b") as file:
        _remove_partial_line(file)
        file.write("".join(f"{line}\n" for line in lines).encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Wait until what anybody has written to a file is on the disk; nothing happens where there is none."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        os.fsync(file.fileno())


def sha256(path: Path) -> str:
    """The hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_once(path: Path) -> str:
    """The same, of a file that many share: read again only when its time or size has changed."""
    stat = path.stat()
    return _sha256_at(path.resolve(), stat.st_ino, stat.st_mtime_ns, stat.st_size)


@cache
def _sha256_at(path: Path, _inode: int, _mtime_ns: int, _size: int) -> str:
    return sha256(path)


def _remove_partial_line(file: BinaryIO) -> None:
    """Cut the file behind its last newline."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 1, 0))
    if file.read(1) not in (b"", b"\n"):
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    """The process' umask; reading it means setting it for a moment."""
    umask = os.umask(0)
    os.umask(umask)
    return umask
