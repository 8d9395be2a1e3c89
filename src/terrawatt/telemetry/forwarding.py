"""A thread of the sampler that sends what is committed on to the database of `store.url`.

The run folder comes first and is complete without it: whatever the database does, sampling goes on, and what could not
be sent is sent by the runner at the end or by `terrawatt store forward`.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from terrawatt.errors import StoreError
from terrawatt.store.forwarder import Forwarder
from terrawatt.telemetry.messages import Request

# Each round costs a few ms of CPU time, whatever it sends: fresh enough for eyes, and too little to be measured.
INTERVAL_S = 10.0
_LONGEST_PAUSE_S = 60.0  # between attempts while the database does not answer
_BATCH_PAUSE_S = 0.2  # while catching up, so that it is no burst of load
_END_S = 3.0  # for what is left when sampling has ended

log = logging.getLogger(__name__)


@contextmanager
def forwarding(request: Request) -> Iterator[None]:
    """Send on while the block lasts, and what is left after it; nothing where there is no database to write to.

    Raises:
        TerrawattError: the database's address, or a file of a secret, is wrong.
    """
    if request.database.url == "sqlite" or request.sampling.is_external:
        yield
        return
    from terrawatt.store.influxdb import open_influx  # others need not load it

    with open_influx(request.database) as influx:
        forwarder = Forwarder(request.store_path, influx, str(influx))
        thread = ForwardingThread(forwarder)
        thread.start()
        try:
            yield
        finally:
            thread.end()


class ForwardingThread(threading.Thread):
    """Sends batch after batch, with a pause after each round that grows while the database does not answer."""

    def __init__(self, forwarder: Forwarder, interval_s: float = INTERVAL_S) -> None:
        super().__init__(name="forwarder", daemon=True)  # one that hangs does not keep the sampler from ending
        self._forwarder = forwarder
        self._interval_s = self._pause_s = interval_s
        self._problem = ""
        self._said = 0
        self._ending = threading.Event()
        self._end_ns = 0

    def run(self) -> None:
        """Send until told to end, then once more."""
        while not self._ending.wait(self._pause_s):
            self._round()
        self._round()

    def end(self) -> None:
        """Send what is left, as far as that is possible in a few seconds."""
        self._end_ns = time.monotonic_ns() + int(_END_S * 1e9)
        self._ending.set()
        self.join(_END_S + 1)
        if self.is_alive():
            log.warning("the database does not answer; what it lacks stays in the run folder")

    def _round(self) -> None:
        try:
            while self._forwarder.send_batch() and not self._is_over():
                self._ending.wait(_BATCH_PAUSE_S)
        except StoreError as error:
            if str(error) != self._problem:
                log.warning("nothing is sent on now: %s", error)
            self._problem = str(error)
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        else:
            if self._problem:
                log.warning("what is sampled is sent on again")
            self._problem, self._pause_s = "", self._interval_s
        for complaint in self._forwarder.complaints[self._said :]:
            log.warning("%s", complaint)
        self._said = len(self._forwarder.complaints)

    def _is_over(self) -> bool:
        return self._ending.is_set() and time.monotonic_ns() > self._end_ns
