"""A run folder and its series as one record: everything that is needed to compute its rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from terrawatt.analysis.emissions import CarbonIntensity
from terrawatt.errors import RunFolderError, StoreError
from terrawatt.records import Phase, PhaseName, Series, SeriesKey, Window
from terrawatt.runs.integrity import Integrity, check_files, require_intact
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import Manifest, read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.runs.status import RepetitionStatus, RunStatus, State, read_status
from terrawatt.store.sqlite import SqliteStore
from terrawatt.summary.intensity import recorded_intensity
from terrawatt.telemetry.own import clock_offset, sampler_starts
from terrawatt.units import NS_PER_S, s_to_ns

# Readings this long before and after the run are read too: those just outside a window count.
_MARGIN_NS = 600 * NS_PER_S


@dataclass(frozen=True, slots=True, eq=False)
class RunData:
    """One scenario's run.

    Attributes:
        folder: where it lies.
        manifest: what it was.
        status: how it ended.
        phases: all that was recorded.
        series: the series that could be read; one without any reading is empty.
        integrity: whether the files are still those that were measured.
        intensity: the carbon intensity of the grid, or why it is not known.
        store_problem: why no series could be read, else empty.
    """

    folder: RunFolder
    manifest: Manifest
    status: RunStatus
    phases: tuple[Phase, ...]
    series: Mapping[SeriesKey, Series]
    integrity: Integrity
    intensity: CarbonIntensity | str
    store_problem: str = ""

    @property
    def name(self) -> str:
        """As readers know it: `run_3`, or `run_3/group_1`."""
        parts = (self.folder.run_path.name, self.folder.path.name)
        return "/".join(dict.fromkeys(parts))

    @property
    def cold(self) -> Window | None:
        """The idle period before the repetitions, without the latency at its end; None where nothing is left of it."""
        window = self._only(PhaseName.COLD)
        if window is None:
            return None
        end_ns = window.end_ns - s_to_ns(self.manifest.protocol.latency_s)
        return Window(window.start_ns, end_ns) if end_ns > window.start_ns else None

    @property
    def idle_after(self) -> Window | None:
        """The idle period after the repetitions."""
        return self._only(PhaseName.IDLE)

    def repetition(self, number: int) -> Phase | None:
        """The window of one repetition, with its number of executions."""
        found = (phase for phase in self.phases if phase.name == PhaseName.REPETITION and phase.repetition == number)
        return next(found, None)

    def windows_of(self, name: str, repetition: int) -> list[Window]:
        """The windows of a phase inside one repetition, e.g. of its epochs of training."""
        return [phase.window for phase in self.phases if phase.name == name and phase.repetition == repetition]

    @property
    def ended(self) -> list[RepetitionStatus]:
        """The repetitions that have ended, well or not."""
        return [entry for entry in self.status.repetitions if entry.state not in (State.PENDING, State.RUNNING)]

    def _only(self, name: str) -> Window | None:
        return next((phase.window for phase in self.phases if phase.name == name), None)


def collect(folder: RunFolder, *, accept_changes: bool = False, intensity: CarbonIntensity | None = None) -> RunData:
    """Read a run folder and its series, its checksums first.

    A store that cannot be read costs the series, not the run.

    Args:
        folder: of one scenario.
        accept_changes: use files that are not those that were measured.
        intensity: the carbon intensity to take instead of that in the manifest.

    Raises:
        RunFolderError: there is no manifest or status, or a file is damaged; names it.
        ChangedFilesError: a file was changed or is gone since the run ended; names it.
    """
    if folder.times.exists() and not folder.manifest.exists():
        raise RunFolderError(
            f"{folder.path}: times.txt but no manifest.json: a folder of the older scripts, which cannot be read yet"
        )
    manifest = read_manifest(folder.manifest)
    integrity = check_files(folder, manifest)
    if not accept_changes:
        require_intact(folder, integrity)
    status = read_status(folder.status)
    phases = tuple(read_phases(folder.phases))
    own = (clock_offset(manifest.host), sampler_starts(manifest.host))
    keys = dict.fromkeys([*(source.series for source in manifest.sources), *manifest.host_series.values(), *own])
    try:
        series, problem = _read_series(folder.path / manifest.store, keys, phases), ""
    except StoreError as error:
        series, problem = {}, str(error)
    known = intensity if intensity is not None else recorded_intensity(manifest.emissions)
    return RunData(folder, manifest, status, phases, series, integrity, known, problem)


def _read_series(path: Path, keys: Iterable[SeriesKey], phases: Iterable[Phase]) -> dict[SeriesKey, Series]:
    windows = [phase.window for phase in phases]
    start_ns = min((window.start_ns for window in windows), default=0) - _MARGIN_NS
    end_ns = max((window.end_ns for window in windows), default=0) + _MARGIN_NS
    with SqliteStore(path, read_only=True) as store:
        return {key: store.read(key, start_ns, end_ns) for key in keys}
