"""The sampler under watch: started again when it crashes, while the workload goes on."""

import threading
from collections.abc import Callable

from terrawatt.errors import ProtocolError
from terrawatt.telemetry.process import Latest, SamplerProcess

MAX_FAILED_RESTARTS = 3


class SamplerWatch:
    """Looks after a started sampler.

    A crash costs the readings until the restart: a gap in the series, which the analysis flags. Nothing is filled in.
    """

    def __init__(self, sampler: SamplerProcess, log: Callable[[str], None]) -> None:
        """Prepare.

        Args:
            sampler: a started one.
            log: takes a line for the log and the user.
        """
        self._sampler = sampler
        self._log = log
        self._thread: threading.Thread | None = None
        self._failures: list[str] = []

    def check(self) -> None:
        """See whether the sampler lives; begin a restart when it does not. Returns at once.

        The restart takes a second, which may be the one in which the workload ends: it must not delay the runner.

        Raises:
            ProtocolError: it cannot be restarted.
        """
        if self._thread is not None:
            if self._thread.is_alive():
                return
            self._thread = None
        if self._sampler.is_alive():
            self._failures.clear()
            return
        if len(self._failures) >= MAX_FAILED_RESTARTS:
            raise ProtocolError(f"the sampler ended and cannot be restarted: {self._failures[-1]}")
        reason = self._sampler.failure() or "no reason known"
        self._log(f"the sampler ended ({reason}) and is started again; the series have a gap")
        self._thread = threading.Thread(target=self._restart, name="sampler-restart", daemon=True)
        self._thread.start()

    def latest(self) -> Latest | None:
        """The last power of each source."""
        return self._sampler.latest()

    def settle(self) -> None:
        """Wait for a restart that is under way."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _restart(self) -> None:
        try:
            self._sampler.restart()
        except ProtocolError as error:
            self._failures.append(str(error))
