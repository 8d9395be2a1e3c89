"""A file that is written once from front to back, past the page cache where the system allows it.

A pack is larger than what it costs to read it: through the page cache, writing would take most of the time of packing,
and would push out of memory what others need. Direct writes (O_DIRECT) want buffers, places and sizes in whole blocks;
what is left at the end is written the ordinary way.
"""

import errno
import fcntl
import mmap
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_BLOCK: Final = 4_096
_DIRECT: Final = getattr(os, "O_DIRECT", 0)  # Linux; elsewhere all writes are ordinary ones


class BlockFile:
    """Filled through its `buffer`: put bytes at `filled` and call `advance`.

    Args:
        path: where to; must not exist.
        largest: the most bytes that are put there before `advance`.
        piece: how many bytes are written at once.
    """

    def __init__(self, path: Path, largest: int, piece: int = 4 << 20) -> None:
        self.buffer = mmap.mmap(-1, piece + largest + _BLOCK)
        self.filled = 0
        self._piece = piece
        self._written = 0
        self._descriptor = _open(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def advance(self, n_bytes: int) -> None:
        """Take the next bytes of the buffer as the file's next.

        Raises:
            OSError: they cannot be written.
        """
        self.filled += n_bytes
        if self.filled >= self._piece:
            self._write(self.filled - self.filled % _BLOCK)

    def finish(self, beginning: bytes) -> int:
        """Write the rest, overwrite the file's beginning, and wait until all is on the disk.

        Returns:
            The size of the file in bytes.
        """
        self._write(self.filled - self.filled % _BLOCK)
        _write_ordinarily(self._descriptor)
        self._write(self.filled)
        os.pwrite(self._descriptor, beginning, 0)
        os.fsync(self._descriptor)
        return self._written

    def _write(self, n_bytes: int) -> None:
        """Write the first bytes of the buffer, and move the others to its beginning."""
        with memoryview(self.buffer) as view:
            start = 0
            while start < n_bytes:
                try:
                    start += os.write(self._descriptor, view[start:n_bytes])
                except OSError as error:
                    if error.errno != errno.EINVAL or not _is_direct(self._descriptor):
                        raise
                    _write_ordinarily(self._descriptor)  # a file system that opens files so, but does not write them
        self._written += n_bytes
        self.filled -= n_bytes
        self.buffer.move(0, n_bytes, self.filled)


def _open(path: Path) -> int:
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
    try:
        return os.open(path, flags | _DIRECT, 0o666)
    except OSError as error:
        if error.errno != errno.EINVAL or not _DIRECT:
            raise
    path.unlink(missing_ok=True)
    return os.open(path, flags, 0o666)


def _is_direct(descriptor: int) -> bool:
    return bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & _DIRECT)


def _write_ordinarily(descriptor: int) -> None:
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags & ~_DIRECT)
