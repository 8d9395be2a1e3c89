"""How runs are read: what is needed for it, as one value that can be sent to a worker process."""

from dataclasses import dataclass, replace

from terrawatt.analysis.emissions import CarbonIntensity
from terrawatt.config import Settings
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.older import OlderFolder, is_older
from terrawatt.summary.collect import RunData, collect
from terrawatt.summary.older import collect_older
from terrawatt.summary.series import find_series


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads runs of terrawatt and of the older scripts.

    Attributes:
        accept_changes: use files that were changed since they were measured.
        intensity: the carbon intensity to take instead of those in the manifests.
        settings: of a database that has series which a folder lacks, as those of the older scripts do.
        is_shared_read: whether the checksums of files are compared that the scenarios of a sweep share (`check_files`).
    """

    accept_changes: bool = False
    intensity: CarbonIntensity | None = None
    settings: Settings | None = None
    is_shared_read: bool = True

    def read(self, folder: RunFolder) -> RunData:
        """One scenario's run with its series.

        Raises:
            RunFolderError: it cannot be read.
            ConfigError: the database has series of several machines, and none is chosen; or a secret cannot be read.
            ChangedFilesError: a file was changed or is gone since it was measured, and that is not accepted.
        """
        if is_older(folder):
            return collect_older(OlderFolder(folder.path), self.settings, self.intensity)
        store = self.settings.store if self.settings is not None else None
        return collect(
            folder,
            accept_changes=self.accept_changes,
            intensity=self.intensity,
            store=store,
            is_shared_read=self.is_shared_read,
        )

    def power_of(self, run: RunData, number: int) -> RunData:
        """One sitting of a run that was read before, with the series of its power sources, read again if need be."""
        sitting = run.sitting(number)
        if sitting.series:
            return sitting
        if run.is_older:
            return self.read(run.folder).sitting(number)
        store = self.settings.store if self.settings is not None else None
        found = find_series(run.folder, replace(run.manifest, host_series={}), sitting.phases, store)
        return replace(sitting, series=found.series)
