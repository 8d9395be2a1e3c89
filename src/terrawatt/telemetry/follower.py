"""What the sampler does where somebody else, as Telegraf, writes the series: it copies them into the run folder.

The database is asked for new readings every few seconds, and at the end for all of them once more, since some may have
come late. So the folder is complete in itself. Only the clock is read here: its series stands in the folder alone.
"""

import logging
import threading
import time
from dataclasses import replace
from typing import BinaryIO

from terrawatt.errors import SourceError, StoreError
from terrawatt.power import registry
from terrawatt.records import Sample, Semantics, Series, SeriesKey
from terrawatt.store.influxdb import open_influx
from terrawatt.store.interface import Store
from terrawatt.telemetry.clocks import wall_minus_monotonic_s
from terrawatt.telemetry.external import find_series, interval_s, timed
from terrawatt.telemetry.latest import LatestPower
from terrawatt.telemetry.messages import Request
from terrawatt.telemetry.own import clock_offset
from terrawatt.telemetry.pipe import goes_on, say
from terrawatt.units import format_duration, ns_to_s, s_to_ns

POLL_S = 5.0
MARGIN_S = 600.0  # before the first window: as far back as a summary looks for a reading before it
_AHEAD_S = 60.0  # a reading may bear a time that is later than now: clocks differ
_STALE_S = 60.0  # an older reading is stale, unless those before were rarer still
_STALE_INTERVALS = 3
_FLUSH_S = 10.0  # how long Telegraf keeps readings before it writes them, by default

_WHEN = f"in the last {format_duration(MARGIN_S)}"

log = logging.getLogger(__name__)


class Follower:
    """Copies what a database gets."""

    def __init__(self, request: Request, store: Store, pipe: BinaryIO, stop: threading.Event) -> None:
        """Find the series, and see that they are fresh.

        Raises:
            TerrawattError: the database cannot be read, or a series is missing or stale; says which.
        """
        self._store, self._pipe, self._stop = store, pipe, stop
        self._database = open_influx(request.database)
        self._is_reachable = True
        now_ns = time.time_ns()
        try:
            sources = [registry.create(settings, request.host) for settings in request.sources]
            descriptions = [description for source in sources for description in source.descriptions]
            margin_ns = now_ns - s_to_ns(MARGIN_S)
            known = list(self._database.keys_between(margin_ns, now_ns + s_to_ns(_AHEAD_S)))
            report = find_series(known, request.sampling, descriptions, _WHEN)
            first_ns = _first_ns(store)
            self._start_ns = margin_ns if first_ns is None else min(first_ns, margin_ns)
            keys = [*(source.series for source in report.sources), *report.host_series.values()]
            self._since_ns = dict.fromkeys(keys, self._start_ns)
            recent = [self._read(key, margin_ns) for key in keys]
        except BaseException:
            self._database.close()
            raise
        on_change = {source.series for source in report.sources if source.semantics is Semantics.ON_CHANGE}
        for series in recent if first_ns is None else ():  # started again, it goes on, whatever the readings are
            check_fresh(series, now_ns, is_on_change=series.key in on_change)
        self._report = replace(timed(report, recent), delay_s=_FLUSH_S + POLL_S)
        self._latest = LatestPower(self._report.sources)

    def run(self) -> None:
        """Copy until told to stop; the report is said when the first readings are committed.

        Raises:
            StoreError: the copy cannot be kept.
        """
        self._copy_new()
        say(self._pipe, self._report)
        while goes_on(POLL_S) and not self._stop.is_set():
            self._copy_new()

    def close(self) -> None:
        """Copy everything once more, and let go of the database."""
        self._since_ns = dict.fromkeys(self._since_ns, self._start_ns)
        try:
            self._copy_new()
        finally:
            self._database.close()

    def _copy_new(self) -> None:
        """Copy what has come; a database that cannot be reached now is asked again the next time."""
        samples = [Sample(clock_offset(self._report.host), time.time_ns(), wall_minus_monotonic_s())]
        try:
            for key, since_ns in self._since_ns.items():
                series = self._read(key, since_ns)
                samples += [Sample(key, int(t), float(v)) for t, v in zip(series.t_ns, series.value, strict=True)]
                if len(series):
                    self._since_ns[key] = int(series.t_ns[-1]) + 1
        except StoreError as error:
            if self._is_reachable:
                log.warning("the series cannot be copied now: %s", error)
            self._is_reachable = False
        else:
            if not self._is_reachable:
                log.warning("the series are copied again")
            self._is_reachable = True
        self._store.write(samples)
        if latest := self._latest.follow(samples):
            say(self._pipe, latest)

    def _read(self, key: SeriesKey, start_ns: int) -> Series:
        return self._database.read(key, start_ns, time.time_ns() + s_to_ns(_AHEAD_S))


def check_fresh(series: Series, now_ns: int, *, is_on_change: bool = False) -> None:
    """See that somebody is writing a series.

    Args:
        series: its last readings.
        now_ns: the time of now.
        is_on_change: it has readings only when something changes, so that an old one may be the present one.

    Raises:
        SourceError: nobody is; says how old the last reading is.
    """
    age_s = ns_to_s(now_ns - int(series.t_ns[-1])) if len(series) else MARGIN_S
    limit_s = MARGIN_S if is_on_change else max(_STALE_S, _STALE_INTERVALS * (interval_s(series) or 0.0))
    if age_s > limit_s or not len(series):
        raise SourceError(
            f"{series.key}: the last reading in the database is {format_duration(age_s)} old; is Telegraf running, "
            "does the meter report, and do the clocks agree?"
        )


def _first_ns(store: Store) -> int | None:
    """The time of the first reading of a store that is there already: the sampler was started again."""
    firsts = [int(series.t_ns[0]) for key in store.keys() if len(series := store.read(key))]  # noqa: SIM118
    return min(firsts, default=None)
