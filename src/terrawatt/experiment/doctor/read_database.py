"""Asks the database of `store.url`, and, where somebody else writes it, looks at the series of the sources."""

import time
from contextlib import closing

from terrawatt.config import Settings
from terrawatt.errors import ConfigError, SourceError, StoreError, StoreRefusedError
from terrawatt.experiment.doctor.judge_clocks import ClockFacts
from terrawatt.experiment.doctor.judge_store import DatabaseFacts
from terrawatt.power import registry
from terrawatt.records import Sample
from terrawatt.telemetry.observe import Look, Observed
from terrawatt.units import NS_PER_S, s_to_ns


def read_database(settings: Settings) -> tuple[DatabaseFacts, ClockFacts]:
    """Whether the database answers and lets us read and write, and its clock."""
    from terrawatt.store.influxdb import open_influx  # with pyarrow, which the embedded store does without

    url, is_needed = settings.store.url, settings.sampling.is_external
    version, clock = "", ClockFacts("influxdb")
    try:
        with closing(open_influx(settings.store)) as database:
            sent_ns = time.time_ns()
            pong = database.ping()
            received_ns = time.time_ns()
            version = f"version {pong.version}"
            if pong.time is not None:  # in whole seconds
                told_s = pong.time.timestamp()
                clock = ClockFacts("influxdb", told_s - received_ns / NS_PER_S, told_s + 1 - sent_ns / NS_PER_S)
            database.check(writing=not is_needed)  # what others write is only read
    except (ConfigError, StoreError) as error:
        is_refused = isinstance(error, ConfigError | StoreRefusedError)
        return DatabaseFacts(url, version, str(error), is_refused=is_refused, is_needed=is_needed), clock
    return DatabaseFacts(url, version, is_needed=is_needed), clock


def observe_external(settings: Settings, host: str) -> tuple[Observed, ...]:
    """What the database has of sources that somebody else reads, as if it had been seen."""
    from terrawatt.store.influxdb import open_influx
    from terrawatt.telemetry.external import find_series
    from terrawatt.telemetry.follower import MARGIN_S

    now_ns = time.time_ns()
    start_ns = now_ns - s_to_ns(MARGIN_S)
    try:
        made = [registry.create(source, host) for source in settings.sources]
        descriptions = [description for source in made for description in source.descriptions]
        with closing(open_influx(settings.store)) as database:
            known = list(database.keys_between(start_ns, now_ns))
            report = find_series(known, settings.sampling, descriptions, f"in the last {MARGIN_S:.0f} s")
            series = [database.read(source.series, start_ns, now_ns) for source in report.sources]
    except (ConfigError, SourceError, StoreError) as error:
        return tuple(Observed(entry, is_pushed=True, reason=str(error)) for entry in settings.sources)
    return tuple(
        Observed(
            entry,
            (described,),
            is_pushed=True,
            looks=[
                Look(int(t), (Sample(described.series, int(t), float(value) * described.scale),))
                for t, value in zip(one.t_ns, one.value, strict=True)
            ],
        )
        for entry, described, one in zip(settings.sources, report.sources, series, strict=True)
    )
