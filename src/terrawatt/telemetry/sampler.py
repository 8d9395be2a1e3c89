"""The sampler: a process of its own that records all series. `python -m terrawatt.telemetry.sampler`.

It reads one request from stdin, writes the samples to the store in one commit a second, and speaks on stdout
(`telemetry.messages`). It ends when its stdin closes, so also when the runner dies, or at SIGTERM. Ctrl-C, which
reaches every process of a terminal, is the runner's to decide on, and ignored here. The log goes to stderr.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from terrawatt.errors import SourceError, TerrawattError
from terrawatt.power import registry
from terrawatt.power.source import PushedSource
from terrawatt.records import Sample, SourceDescription
from terrawatt.store.interface import Store
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.buffer import SampleBuffer
from terrawatt.telemetry.forwarding import forwarding
from terrawatt.telemetry.host import open_host
from terrawatt.telemetry.latest import LatestPower
from terrawatt.telemetry.messages import Failure, Latest, Request, SamplerReport, decode_request
from terrawatt.telemetry.own import sampler_starts
from terrawatt.telemetry.pipe import goes_on, message_pipe, say
from terrawatt.telemetry.pollers import Arrivals, HostTaker, Poller, SourceTaker
from terrawatt.telemetry.schedule import Schedule
from terrawatt.units import NS_PER_MS, s_to_ns

if TYPE_CHECKING:
    from terrawatt.telemetry.follower import Follower

COMMIT_INTERVAL_S = 1.0
_COMMIT_DELAY_NS = 100 * NS_PER_MS  # commits come a little after the readings of their second
_PATIENCE_S = 10.0  # a source that is slower than this with its first reading does not hold up the report
_JOIN_S = 1.0

log = logging.getLogger(__name__)


def main() -> None:
    """Sample as the request on stdin says; exit code 1 after an error, which is also said on stdout."""
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    logging.basicConfig(format="%(asctime)s sampler: %(levelname)s: %(message)s", level=logging.INFO)
    with message_pipe() as pipe:
        try:
            request = decode_request(sys.stdin.buffer.readline())
            with (
                SqliteStore(request.store_path) as store,
                forwarding(request),
                closing(_recorder(request, store, pipe, stop)) as recorder,
            ):
                recorder.run()
        except TerrawattError as error:
            log.error("%s", error)  # noqa: TRY400  # the message is for users, who need no traceback
            say(pipe, Failure(str(error)))
            sys.exit(1)


def _recorder(request: Request, store: Store, pipe: BinaryIO, stop: threading.Event) -> "Recorder | Follower":
    """What records: this machine's sensors and meters, or what somebody else writes of them."""
    if not request.sampling.is_external:
        return Recorder(request, store, pipe, stop)
    from terrawatt.telemetry.follower import Follower  # with the client of the database, which others need not load

    return Follower(request, store, pipe, stop)


class Recorder:
    """Threads that read, and a loop that commits what they have read and tells the runner."""

    def __init__(self, request: Request, store: Store, pipe: BinaryIO, stop: threading.Event) -> None:
        """Find the sensors and open the sources.

        Raises:
            TerrawattError: a setting is wrong, or a source cannot be had.
        """
        self._store, self._pipe, self._stop = store, pipe, stop
        self._host = open_host(request.sampling, request.host, request.store_path.parent)
        sources = [registry.create(settings, request.host) for settings in request.sources]
        self._sources = sources
        descriptions = self._descriptions()
        _check_names(descriptions)
        interval_s = request.sampling.own_interval_s
        slowest_s = max([interval_s, *(description.interval_s or 0.0 for description in descriptions)])
        self._report = SamplerReport(
            descriptions, request.host, self._host.quantities, self._host.missing, interval_s, slowest_s
        )
        self._latest = LatestPower(descriptions)
        self._buffer = SampleBuffer()
        # Usage and load are means over the time since the reading before, so the first readings wait a little.
        start_ns = time.monotonic_ns() + s_to_ns(min(interval_s, COMMIT_INTERVAL_S))
        self._commits = Schedule(COMMIT_INTERVAL_S, start_ns + _COMMIT_DELAY_NS)
        self._pushed = [Arrivals(source, self._buffer) for source in sources if isinstance(source, PushedSource)]
        self._polled = [source for source in sources if not isinstance(source, PushedSource)]
        takers = {"host": HostTaker(self._host, request.host)} | {
            f"source {source.descriptions[0].name}": SourceTaker(source) for source in self._polled
        }
        self._pollers = [
            Poller(name, take, Schedule(interval_s, start_ns), self._buffer, stop) for name, take in takers.items()
        ]

    def run(self) -> None:
        """Record until told to stop; the report is said when each thread's first readings are committed.

        Raises:
            StoreError: the samples cannot be kept.
            SourceError: a source cannot be reached, or its code has failed.
        """
        for arrivals in self._pushed:
            arrivals.start()
        for poller in self._pollers:
            poller.start()
        # A restart is then in the data, beside the gap that it leaves.
        self._buffer.put([Sample(sampler_starts(self._report.host), time.time_ns(), float(os.getpid()))])
        patience_end_ns = time.monotonic_ns() + s_to_ns(_PATIENCE_S)
        is_reported = False
        while self._wait():
            have_begun = all(x.has_begun for x in self._pollers) and all(x.has_begun for x in self._pushed)
            latest = self._commit()
            if not is_reported and (have_begun or time.monotonic_ns() > patience_end_ns):
                for arrivals in self._pushed:
                    arrivals.note_silence()
                # A meter that sends by itself may have shown only now whether it tells its time.
                say(self._pipe, replace(self._report, sources=self._descriptions()))
                is_reported = True
            if latest:
                say(self._pipe, latest)
            dead = [poller.name for poller in self._pollers if not poller.is_alive()]
            if dead and not self._stop.is_set():
                raise SourceError(f"{dead[0]}: its code has failed; the log has the traceback")

    def close(self) -> None:
        """End the threads, commit what is left, and release all that is not hanging in a reading."""
        self._stop.set()
        for arrivals in self._pushed:
            arrivals.close()
        releases = [self._host.close, *(source.close for source in self._polled)]
        for poller, release in zip(self._pollers, releases, strict=True):
            if poller.ident is not None:
                poller.join(_JOIN_S)
            if poller.schedule.missed:
                log.warning("%s: %d readings skipped, because it was slow", poller.name, poller.schedule.missed)
            if not poller.is_alive():
                release()
        self._commit()

    def _descriptions(self) -> tuple[SourceDescription, ...]:
        return tuple(description for source in self._sources for description in source.descriptions)

    def _commit(self) -> Latest | None:
        samples = self._buffer.drain()
        if self._buffer.lost:
            log.error("%d samples lost so far: the store was too slow to take them", self._buffer.lost)
        if samples:
            self._store.write(samples)
        return self._latest.follow(samples)

    def _wait(self) -> bool:
        """Wait until the next commit is due; False when it is time to end."""
        if not goes_on(self._commits.remaining_s(time.monotonic_ns())):
            return False
        self._commits.advance(time.monotonic_ns())
        return not self._stop.is_set()


def _check_names(descriptions: Sequence[SourceDescription]) -> None:
    """Two series of one name would be mixed."""
    names = [description.name for description in descriptions]
    for name in names:
        if names.count(name) > 1:
            raise SourceError(f"sources[{name}]: a source with several series has one of this name too; rename one")


if __name__ == "__main__":
    main()
