"""The series of a run: from its folder, or from the database that has them too where the folder lacks some."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from terrawatt.config import StoreSettings
from terrawatt.errors import ConfigError, StoreError
from terrawatt.records import Phase, PhaseName, Semantics, Series, SeriesKey
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import Manifest
from terrawatt.runs.times import parse_time
from terrawatt.store.influxdb import open_influx
from terrawatt.store.interface import Store
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.own import clock_offset, sampler_starts
from terrawatt.units import NS_PER_S

# Readings this long before and after the run are read too: those just outside a window count.
_MARGIN_NS = 600 * NS_PER_S


@dataclass(frozen=True, slots=True, eq=False)
class FoundSeries:
    """What could be read.

    Attributes:
        series: one without any reading is empty.
        problem: why there is none at all, else empty.
        note: where they come from, if not from the folder.
    """

    series: Mapping[SeriesKey, Series] = field(default_factory=dict)
    problem: str = ""
    note: str = ""


def find_series(
    folder: RunFolder, manifest: Manifest, phases: Sequence[Phase], store: StoreSettings | None = None
) -> FoundSeries:
    """The series that a manifest names. A store that cannot be read costs the series, not the run.

    Args:
        folder: of the run.
        manifest: of the run.
        phases: of the run; they bound the time.
        store: the settings in force: a database in them is read in the place of the manifest's, which may have moved.
    """
    own = (clock_offset(manifest.host), sampler_starts(manifest.host))
    keys = dict.fromkeys([*(source.series for source in manifest.sources), *manifest.host_series.values(), *own])
    times = dict.fromkeys(keys, stretches(phases))
    times[sampler_starts(manifest.host)] = [_since_the_beginning(manifest, phases)]
    try:
        with SqliteStore(folder.path / manifest.store, read_only=True) as local:
            found = FoundSeries({key: _read(local, key, times[key]) for key in keys})
        lacking = _lacking(manifest, phases, found.series)
    except StoreError as error:
        found, lacking = FoundSeries(problem=str(error)), str(error)
    if not lacking or not manifest.database:
        return found
    settings = at_database(store, manifest.database)
    try:
        with open_influx(settings) as database:
            remote = {key: _read(database, key, times[key]) for key in keys}
    except (StoreError, ConfigError) as error:
        problem = f"{found.problem}; {error}" if found.problem else ""
        return FoundSeries(found.series, problem, "" if problem else f"{lacking}; the database has no answer: {error}")
    fuller = {key: _fuller(found.series.get(key), series) for key, series in remote.items()}
    return FoundSeries(fuller, "", f"series of {settings.url} are used: {lacking}")


def bounds(phases: Iterable[Phase]) -> tuple[int, int]:
    """The time that is read: that of all phases, with a margin on both sides."""
    windows = [phase.window for phase in phases]
    start_ns = min((window.start_ns for window in windows), default=0) - _MARGIN_NS
    end_ns = max((window.end_ns for window in windows), default=0) + _MARGIN_NS
    return start_ns, end_ns


def stretches(phases: Iterable[Phase]) -> list[tuple[int, int]]:
    """The times that are read: around each sitting, those that meet joined. Between them lie others of a sweep."""
    by_sitting: dict[int, list[Phase]] = {}
    for phase in phases:
        by_sitting.setdefault(phase.sitting, []).append(phase)
    found: list[tuple[int, int]] = []
    for start_ns, end_ns in sorted(map(bounds, by_sitting.values())) or [bounds([])]:
        if found and start_ns <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end_ns))
        else:
            found.append((start_ns, end_ns))
    return found


def within(series: Series, start_ns: int, end_ns: int) -> Series:
    """The readings between two times, both included."""
    first = int(np.searchsorted(series.t_ns, start_ns, side="left"))
    behind = int(np.searchsorted(series.t_ns, end_ns, side="right"))
    return Series(series.key, series.t_ns[first:behind], series.value[first:behind])


def at_database(store: StoreSettings | None, url: str) -> StoreSettings:
    """Settings of a database: those in force, with a URL where they have none."""
    if store is None:
        return StoreSettings(url=url)
    return store if store.url != "sqlite" else store.model_copy(update={"url": url})


def _since_the_beginning(manifest: Manifest, phases: Sequence[Phase]) -> tuple[int, int]:
    """From the start of the run's sampler on, which is the one start that is no restart."""
    start_ns, end_ns = bounds(phases)
    try:
        return min(start_ns, parse_time(manifest.created) - _MARGIN_NS), end_ns
    except ValueError:  # no time that terrawatt writes; the phases are near enough
        return start_ns, end_ns


def _read(store: Store, key: SeriesKey, times: Sequence[tuple[int, int]]) -> Series:
    """The readings of some stretches of time, one behind the other."""
    parts = [store.read(key, start_ns, end_ns) for start_ns, end_ns in times]
    if len(parts) == 1:
        return parts[0]
    return Series(key, np.concatenate([one.t_ns for one in parts]), np.concatenate([one.value for one in parts]))


def _lacking(manifest: Manifest, phases: Iterable[Phase], series: Mapping[SeriesKey, Series]) -> str:
    """What the folder lacks that the database may have; empty where nothing."""
    if not any(len(one) for one in series.values()):
        return f"{manifest.store} holds no reading"
    if not manifest.is_external:
        return ""
    end_ns = max((phase.window.end_ns for phase in phases if phase.name == PhaseName.REPETITION), default=0)
    for source in manifest.sources:
        one = series[source.series]
        if not len(one) or (source.semantics is not Semantics.ON_CHANGE and one.t_ns[-1] < end_ns):
            return f"{manifest.store} ends before the last repetition does"
    return ""


def _fuller(local: Series | None, remote: Series) -> Series:
    return remote if local is None or len(remote) > len(local) else local
