"""The machine's lock: one measured run at a time.

`flock` on a file in the temporary folder (or `experiment.lock`), so that the kernel releases it however the holder
ends. The file tells who holds it; it is never deleted, because a waiting process may already have it open.
"""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from terrawatt.errors import ProtocolError, RunFolderError
from terrawatt.runs.heartbeat import read_heartbeat
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.times import format_time

FILE_NAME = "terrawatt.lock"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock."""

    pid: int
    run: str  # its run folder
    since: str  # ISO-8601, UTC


class MachineLock:
    """The lock, held from `acquire` until the end of the `with` block or of the process."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path(tempfile.gettempdir()) / FILE_NAME
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def acquire(self, pause: Callable[[Holder | None], None] | None = None) -> None:
        """Take the lock.

        Args:
            pause: called with the present holder, again and again, to let time pass until the lock is free; it ends
                the waiting by raising. None: do not wait.

        Raises:
            ProtocolError: another run holds it, and `pause` is None; or the file cannot be opened.
        """
        descriptor = self._open()
        try:
            while not _try_lock(descriptor):
                self._let_pass(pause)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def note(self, run: Path) -> None:
        """Write into the file that this process holds the lock, and for which run."""
        if self._descriptor is None:
            return
        holder = Holder(os.getpid(), str(run), format_time(time.time_ns()))
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(asdict(holder)).encode(), 0)

    def holder(self) -> Holder | None:
        """Who holds the lock; None where the file does not say (yet)."""
        try:
            return Holder(**json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def release(self) -> None:
        """Give the lock back; nothing happens without it."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def _let_pass(self, pause: Callable[[Holder | None], None] | None) -> None:
        holder = self.holder()
        if pause is None:
            raise ProtocolError(
                f"{self.path}: {_describe(holder)} measures on this machine; wait for its end with --wait"
            )
        pause(holder)

    def _open(self) -> int:
        """The file, open for reading and writing, made where there is none.

        In a sticky folder Linux refuses `O_CREAT` on another user's file (fs.protected_regular), so an existing file
        is opened without it; the mode must not depend on the first user's umask; and a link laid there by another
        user is not followed.
        """
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        while True:
            try:
                return os.open(self.path, flags)
            except FileNotFoundError:
                pass
            except OSError as error:
                raise self._cannot_open(error) from error
            try:
                descriptor = os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o666)
            except FileExistsError:
                continue
            except OSError as error:
                raise self._cannot_open(error) from error
            os.fchmod(descriptor, 0o666)
            return descriptor

    def _cannot_open(self, error: OSError) -> ProtocolError:
        return ProtocolError(
            f"{self.path}: the lock cannot be opened ({error.strerror}); name another file with experiment.lock"
        )


class RunLock:
    """The lock of one run's folder, whichever machine looks at it: `flock` on its log, which is never replaced."""

    def __init__(self, folder: RunFolder) -> None:
        """Prepare; `folder` is that of the whole run."""
        self._folder = folder
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Take it.

        Raises:
            ProtocolError: the run is being measured now.
            RunFolderError: the folder cannot be written.
        """
        try:
            self._descriptor = os.open(self._folder.log, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise RunFolderError(f"{self._folder.log}: cannot be opened ({error.strerror})") from error
        if not _try_lock(self._descriptor):
            self._release()
            raise ProtocolError(f"{self._folder.path}: is in use: {self._user()} measures it; wait for its end")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _user(self) -> str:
        try:
            beat = read_heartbeat(self._folder.heartbeat)
        except RunFolderError:
            return "another process"
        return f"process {beat.pid} on {beat.host}"


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _describe(holder: Holder | None) -> str:
    if holder is None:
        return "another run"
    return f"process {holder.pid} (since {holder.since}, {holder.run})"
