"""The series of a run: from its folder, or from the database that has them too where the folder lacks some."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from terrawatt.config import StoreSettings
from terrawatt.errors import ConfigError, StoreError
from terrawatt.records import Phase, PhaseName, Semantics, Series, SeriesKey
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import Manifest
from terrawatt.store.influxdb import open_influx
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
    start_ns, end_ns = bounds(phases)
    try:
        with SqliteStore(folder.path / manifest.store, read_only=True) as local:
            found = FoundSeries({key: local.read(key, start_ns, end_ns) for key in keys})
        lacking = _lacking(manifest, phases, found.series)
    except StoreError as error:
        found, lacking = FoundSeries(problem=str(error)), str(error)
    if not lacking or not manifest.database:
        return found
    settings = at_database(store, manifest.database)
    try:
        remote = read_database(settings, keys, start_ns, end_ns)
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


def at_database(store: StoreSettings | None, url: str) -> StoreSettings:
    """Settings of a database: those in force, with a URL where they have none."""
    if store is None:
        return StoreSettings(url=url)
    return store if store.url != "sqlite" else store.model_copy(update={"url": url})


def read_database(
    settings: StoreSettings, keys: Iterable[SeriesKey], start_ns: int, end_ns: int
) -> dict[SeriesKey, Series]:
    """Series of a database between two times.

    Raises:
        StoreError: it cannot be read.
        ConfigError: a secret cannot be read.
    """
    with open_influx(settings) as database:
        return {key: database.read(key, start_ns, end_ns) for key in keys}


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
