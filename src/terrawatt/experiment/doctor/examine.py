"""All that the doctor looks at, in the order in which it is told."""

import os
import platform
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from terrawatt.config import Settings
from terrawatt.experiment.doctor.finding import Finding, Level
from terrawatt.experiment.doctor.judge_clocks import ClockFacts, judge_clock
from terrawatt.experiment.doctor.judge_noise import judge_noise
from terrawatt.experiment.doctor.judge_places import judge_folder, judge_lock, judge_temperature
from terrawatt.experiment.doctor.judge_sources import judge_source
from terrawatt.experiment.doctor.judge_store import judge_database, judge_embedded
from terrawatt.experiment.doctor.read_database import observe_external, read_database
from terrawatt.experiment.doctor.read_noise import noise_between, take_snapshot
from terrawatt.experiment.doctor.read_places import read_embedded, read_folder, read_lock, read_temperature
from terrawatt.experiment.doctor.read_sources import source_facts
from terrawatt.experiment.provenance import versions
from terrawatt.telemetry.host import open_host
from terrawatt.telemetry.observe import Observed, observe
from terrawatt.units import ns_to_s

LEAST_S = 3.0  # of looking at the processors
ENOUGH_READINGS = 5


@dataclass(frozen=True, slots=True)
class Roots:
    """Where the machine's own files are; tests have recorded ones."""

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")


def examine(settings: Settings, watch_s: float, roots: Roots | None = None) -> tuple[Finding, ...]:
    """Look at sources and machine for up to `watch_s`, and at everything else.

    Args:
        settings: those of the runs to come.
        watch_s: how long to wait for sources that send by themselves.
        roots: where the machine's files are.
    """
    roots = roots or Roots()
    before, start_s = take_snapshot(roots.proc), time.monotonic()
    observed = _observe(settings, watch_s)
    now_ns = time.time_ns()
    watched_s = time.monotonic() - start_s
    time.sleep(max(0.0, min(LEAST_S, watch_s) - watched_s))
    noise = noise_between(before, take_snapshot(roots.proc), roots.proc, roots.sys)
    results = settings.experiment.results
    return (
        *_versions(),
        *_sources(observed, settings, now_ns, watched_s),
        *_clocks(observed),
        *_store(settings, results),
        *judge_noise(noise),
        judge_temperature(read_temperature(settings.sampling.temp_sensor, roots.sys)),
        *_host(settings, results, roots),
        *judge_folder(read_folder(results)),
        judge_lock(read_lock(settings.experiment.lock)),
    )


def _observe(settings: Settings, watch_s: float) -> tuple[Observed, ...]:
    host = settings.sampling.host_name or socket.gethostname()
    if settings.sampling.is_external:
        return observe_external(settings, host)
    interval_s = min(settings.sampling.own_interval_s, 1.0)
    return observe(settings.sources, host, interval_s=interval_s, patience_s=watch_s, enough=ENOUGH_READINGS)


def _versions() -> Iterator[Finding]:
    found = versions(Path.cwd())
    python = found.pop("python")
    found.pop("commit", "")
    packages = ", ".join(f"{name} {version}" for name, version in found.items())
    yield Finding("versions", "python", Level.GOOD, f"{python} on {platform.system()} {platform.release()}")
    yield Finding("versions", "packages", Level.GOOD, packages)


def _sources(observed: Sequence[Observed], settings: Settings, now_ns: int, watched_s: float) -> Iterator[Finding]:
    interval_s = 0.0 if settings.sampling.is_external else settings.sampling.own_interval_s
    for one in observed:
        for facts in source_facts(one, now_ns=now_ns, watched_s=watched_s, sampling_interval_s=interval_s):
            yield from judge_source(facts)


def _clocks(observed: Sequence[Observed]) -> Iterator[Finding]:
    """Of the meters that tell their time: in each answer, or with each reading."""
    for one in observed:
        if one.clock is not None:
            yield judge_clock(ClockFacts(one.settings.name, one.clock.low_s, one.clock.high_s))
            continue
        lateness_s = [
            ns_to_s(look.arrived_ns - sample.t_ns)
            for description in one.descriptions
            if description.has_device_time
            for look in one.looks
            for sample in look.samples
            if sample.key == description.series
        ]
        if lateness_s:
            # The fastest message tells most: its clock is at least as far ahead, and at most by the way that is longer.
            yield judge_clock(ClockFacts(one.settings.name, -min(lateness_s), -min(lateness_s)))


def _store(settings: Settings, results: Path) -> Iterator[Finding]:
    yield judge_embedded(read_embedded(results))
    if settings.store.url == "sqlite":
        return
    database, clock = read_database(settings)
    yield from judge_database(database)
    yield judge_clock(clock)


def _host(settings: Settings, results: Path, roots: Roots) -> Iterator[Finding]:
    """The host's series that a run would lack."""
    if settings.sampling.is_external:
        return
    folder = next(path for path in (results.absolute(), *results.absolute().parents) if path.is_dir())
    host = open_host(settings.sampling, "", folder, roots.proc, roots.sys)
    host.close()
    for quantity, reason in host.missing.items():
        if quantity != "temp":  # judged with its sensor
            yield Finding("host", quantity, Level.UNKNOWN, reason)
    if host.quantities:
        cpus = os.cpu_count()
        yield Finding("host", "series", Level.GOOD, f"{', '.join(host.quantities)} of {cpus} processors are recorded")
