"""The sampler seen from the runner: starts it, asks it, ends it."""

import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from terrawatt.config import SECRETS, Settings
from terrawatt.errors import ProtocolError
from terrawatt.telemetry.messages import Failure, Latest, Request, SamplerReport, decode, encode

__all__ = ["Latest", "SamplerProcess", "SamplerReport"]

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 10.0
# -P: modules lie in the installed packages, never in the folder where the user happens to be.
_COMMAND = (sys.executable, "-P", "-m", "terrawatt.telemetry.sampler")
# numpy would start a thread per core that the sampler never needs.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class SamplerProcess:
    """A process that records all series into a store while this one measures; a context manager.

    It ends when it is told to, and also when this process dies, however that happens: it then sees its stdin close.
    """

    def __init__(self, settings: Settings, store_path: Path, log_path: Path) -> None:
        """Prepare; nothing is started yet.

        Args:
            settings: `sampling` and `sources` are used, and `store` where somebody else writes the series.
            store_path: the SQLite file, made when it is missing.
            log_path: the sampler appends what goes wrong to it.
        """
        self._request = Request(
            sampling=settings.sampling,
            sources=settings.sources,
            host=settings.sampling.host_name or socket.gethostname(),
            store_path=store_path.absolute(),
            # Secrets travel by the environment and by private files, never over a pipe.
            database=settings.store.model_copy(update=dict.fromkeys(SECRETS)),
        )
        self._log_path = log_path
        self._child: _Child | None = None

    def start(self) -> SamplerReport:
        """Start sampling; returns when the first readings are committed.

        Raises:
            ProtocolError: it cannot start; says why.
        """
        if self.is_alive():
            raise ProtocolError("the sampler is already running; stop it first")
        self.stop()  # what is left of one that crashed
        self._child = child = _Child(self._log_path)
        child.tell(self._request)
        if not child.listener.answered.wait(_START_TIMEOUT_S):
            child.end(patience_s=0)
            raise ProtocolError(f"the sampler gave no sign of life in {_START_TIMEOUT_S:.0f} s; see {self._log_path}")
        if child.listener.report is None:
            child.end(_STOP_TIMEOUT_S)
            raise ProtocolError(f"the sampler cannot start: {self.failure() or f'it was ended; see {self._log_path}'}")
        return child.listener.report

    def latest(self) -> Latest | None:
        """The last power of each source; None before there is one."""
        return self._child.listener.latest if self._child else None

    def is_alive(self) -> bool:
        """Whether it is sampling."""
        return self._child is not None and self._child.process.poll() is None

    def failure(self) -> str | None:
        """Why it ended by itself, in one line; None while it samples and after a clean end."""
        if self._child is None or self._child.process.poll() in (None, 0):
            return None
        self._child.listener.join()
        code = self._child.process.returncode
        how = f"it was killed by signal {-code}" if code < 0 else f"it ended with exit code {code}"
        return self._child.listener.error or f"{how}; see {self._log_path}"

    def restart(self) -> None:
        """Start again after a crash; the series go on in the same store.

        Raises:
            ProtocolError: it cannot start; says why.
        """
        self.stop()
        self.start()

    def stop(self) -> None:
        """Let it commit what it has and end. Idempotent."""
        if self._child is not None:
            self._child.end(_STOP_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Child:
    """One started process, and the thread that listens to it."""

    def __init__(self, log_path: Path) -> None:
        try:
            with log_path.open("ab") as log:
                self.process = subprocess.Popen(
                    _COMMAND,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=os.environ | _ENVIRONMENT,
                )
        except OSError as error:
            raise ProtocolError(f"{error.filename}: the sampler cannot start ({error.strerror})") from error
        self._stdin = cast("IO[bytes]", self.process.stdin)
        self.listener = _Listener(cast("IO[bytes]", self.process.stdout))
        self.listener.start()

    def tell(self, request: Request) -> None:
        """Hand over the request; when the process is gone already, the listener knows why."""
        with suppress(BrokenPipeError):
            self._stdin.write(encode(request))
            self._stdin.flush()

    def end(self, patience_s: float) -> None:
        """Close its stdin, which tells it to end; force it when it does not within `patience_s`. Idempotent."""
        with suppress(BrokenPipeError):
            self._stdin.close()
        for force in (self.process.terminate, self.process.kill):
            try:
                self.process.wait(patience_s)
                break
            except subprocess.TimeoutExpired:
                force()
        self.process.wait()
        self.listener.join()


class _Listener(threading.Thread):
    """Reads what the sampler says, so that its pipe never fills."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(name="sampler-listener", daemon=True)
        self.report: SamplerReport | None = None
        self.latest: Latest | None = None
        self.error: str | None = None
        self.answered = threading.Event()  # set when there is a report, or will never be one
        self._pipe = pipe

    def run(self) -> None:
        try:
            with self._pipe:
                for line in self._pipe:
                    self._take(line)
        finally:
            self.answered.set()

    def _take(self, line: bytes) -> None:
        match decode(line):
            case SamplerReport() as report:
                self.report = report
                self.answered.set()
            case Latest() as latest:
                self.latest = latest
            case Failure(error):
                self.error = error
