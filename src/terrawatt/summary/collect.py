"""A run folder and its series as one record: everything that is needed to compute its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from terrawatt.analysis.emissions import CarbonIntensity
from terrawatt.config import StoreSettings
from terrawatt.records import Order, Phase, PhaseName, Series, SeriesKey, Window
from terrawatt.runs.integrity import Integrity, check_files, require_intact
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import Manifest, read_manifest
from terrawatt.runs.older import OlderFolder
from terrawatt.runs.phases import read_phases
from terrawatt.runs.status import RepetitionStatus, RunStatus, State, read_status
from terrawatt.summary.intensity import recorded_intensity
from terrawatt.summary.series import bounds, find_series, within
from terrawatt.units import s_to_ns


@dataclass(frozen=True, slots=True, eq=False)
class RunData:
    """One scenario's run, or one sitting of it.

    Attributes:
        folder: where it lies.
        manifest: what it was.
        status: how it ended.
        phases: all that was recorded.
        series: the series that could be read; one without any reading is empty.
        integrity: whether the files are still those that were measured.
        intensity: the carbon intensity of the grid, or why it is not known.
        store_problem: why no series could be read, else empty.
        remarks: what else is to be said of it.
        unknown: column -> why nothing is known of it in this run.
        follows_load: whether its first idle period may come after the load of another scenario, as in a sweep.
    """

    folder: RunFolder
    manifest: Manifest
    status: RunStatus
    phases: tuple[Phase, ...]
    series: Mapping[SeriesKey, Series]
    integrity: Integrity
    intensity: CarbonIntensity | str
    store_problem: str = ""
    remarks: tuple[str, ...] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)
    follows_load: bool = False

    @property
    def name(self) -> str:
        """As readers know it: `run_3`, or `run_3/group_1`."""
        parts = (self.folder.run_path.name, self.folder.path.name)
        return "/".join(dict.fromkeys(parts))

    @property
    def is_older(self) -> bool:
        """Whether the older scripts made it: there is no manifest, and no checksum."""
        return isinstance(self.folder, OlderFolder)

    @property
    def is_one_of_blocks(self) -> bool:
        """Whether each repetition of the scenario is a sitting of its own, also those that are not here."""
        return self.manifest.order != Order.SEQUENTIAL and len(self.manifest.blocks) > 1

    @property
    def sitting_numbers(self) -> tuple[int, ...]:
        """The sittings that it has phases of, in order; 1 where nothing was recorded."""
        return tuple(sorted({phase.sitting for phase in self.phases})) or (1,)

    @property
    def sittings(self) -> tuple["RunData", ...]:
        """Each sitting as a run of its own, with the readings around it; a run in one sitting is its own."""
        numbers = self.sitting_numbers
        return (self,) if len(numbers) == 1 else tuple(map(self.sitting, numbers))

    def sitting(self, number: int) -> "RunData":
        """One sitting as a run of its own, with the readings around it."""
        if self.sitting_numbers == (number,):
            return self
        phases = tuple(phase for phase in self.phases if phase.sitting == number)
        start_ns, end_ns = bounds(phases)
        series = {key: within(one, start_ns, end_ns) for key, one in self.series.items()}
        return replace(self, phases=phases, series=series)

    @property
    def cold(self) -> Window | None:
        """The idle period before the repetitions, without the latency at its end; None where nothing is left of it.

        Of several sittings the first one's; likewise `idle_after`.
        """
        window = self._only(PhaseName.COLD)
        if window is None:
            return None
        end_ns = window.end_ns - s_to_ns(self.manifest.protocol.latency_s)
        return Window(window.start_ns, end_ns) if end_ns > window.start_ns else None

    @property
    def idle_after(self) -> Window | None:
        """The idle period after the repetitions."""
        return self._only(PhaseName.IDLE)

    @property
    def busy(self) -> tuple[Window, ...]:
        """When the workload ran: warm-ups and repetitions."""
        kinds = (PhaseName.WARMUP, PhaseName.REPETITION)
        return tuple(phase.window for phase in self.phases if phase.name in kinds)

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


def collect(
    folder: RunFolder,
    *,
    accept_changes: bool = False,
    intensity: CarbonIntensity | None = None,
    store: StoreSettings | None = None,
    is_shared_read: bool = True,
) -> RunData:
    """Read a run folder and its series, its checksums first.

    A store that cannot be read costs the series, not the run. Where the folder lacks the series and the manifest names
    a database that has them too, they are read there.

    Args:
        folder: of one scenario.
        accept_changes: use files that are not those that were measured.
        intensity: the carbon intensity to take instead of that in the manifest.
        store: the settings of the database in force, for what the manifest does not tell: where it is now, secrets.
        is_shared_read: whether the checksums of files are compared that the scenarios of a sweep share (`check_files`).

    Raises:
        RunFolderError: there is no manifest or status, or a file is damaged; names it.
        ChangedFilesError: a file was changed or is gone since the run ended; names it.
    """
    manifest = read_manifest(folder.manifest)
    integrity = check_files(folder, manifest, is_shared_read=is_shared_read)
    if not accept_changes and not _is_in_database(manifest, integrity):
        require_intact(folder, integrity)
    status = read_status(folder.status)
    phases = tuple(read_phases(folder.phases))
    found = find_series(folder, manifest, phases, store)
    known = intensity if intensity is not None else recorded_intensity(manifest.emissions)
    remarks = (found.note,) if found.note else ()
    return RunData(
        folder=folder,
        manifest=manifest,
        status=status,
        phases=phases,
        series=found.series,
        integrity=integrity,
        intensity=known,
        store_problem=found.problem,
        remarks=remarks,
        follows_load=folder.plan.exists(),
    )


def _is_in_database(manifest: Manifest, integrity: Integrity) -> bool:
    """Whether all that is gone of a run are its series, which a database has too."""
    return bool(manifest.database) and not integrity.changed and integrity.missing == (manifest.store,)
