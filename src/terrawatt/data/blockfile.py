"""A file that is written once from front to back, past the page cache where the system allows it.

A pack is larger than what it costs to read it: through the page cache, writing would take most of the time of packing,
and would push out of memory what others need. Direct writes (O_DIRECT) want buffers, places and sizes in whole blocks;
what is left at the end is written the ordinary way. A thread writes one buffer while the other is filled.
"""

import errno
import fcntl
import mmap
import os
from concurrent.futures import Future, ThreadPoolExecutor
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
        self.buffer, self._other = (mmap.mmap(-1, piece + largest + _BLOCK) for _ in range(2))
        self.filled = 0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._under_way: Future[None] | None = None
        self._piece = piece
        self._written = 0
        self._descriptor = _open(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.shutdown()  # after the write that is under way
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
            self._write_behind(self.filled - self.filled % _BLOCK)

    def finish(self, beginning: bytes) -> int:
        """Write the rest, overwrite the file's beginning, and wait until all is on the disk.

        Returns:
            The size of the file in bytes.
        """
        self._write_behind(self.filled - self.filled % _BLOCK)
        self._wait()
        _write_ordinarily(self._descriptor)
        self._write_behind(self.filled)
        self._wait()
        os.pwrite(self._descriptor, beginning, 0)
        os.fsync(self._descriptor)
        return self._written

    def _write_behind(self, n_bytes: int) -> None:
        """Have the first bytes of the buffer written, while the other buffer, with the others, is filled."""
        self._wait()
        full, rest = self.buffer, self.filled - n_bytes
        self._other[:rest] = full[n_bytes : self.filled]
        self._under_way = self._writer.submit(self._write, full, n_bytes)
        self.buffer, self._other = self._other, full
        self._written += n_bytes
        self.filled = rest

    def _wait(self) -> None:
        """Until nothing is under way; raises what went wrong."""
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None

    def _write(self, full: mmap.mmap, n_bytes: int) -> None:
        with memoryview(full) as view:
            start = 0
            while start < n_bytes:
                try:
                    start += os.write(self._descriptor, view[start:n_bytes])
                except OSError as error:
                    if error.errno != errno.EINVAL or not _is_direct(self._descriptor):
                        raise
                    _write_ordinarily(self._descriptor)  # a file system that opens files so, but does not write them


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
