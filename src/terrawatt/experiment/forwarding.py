"""A run's rows and phases in the database of `store.url`: what the sampler could not send, and what only a run knows.

The phases become the measurement `terrawatt_phase`: at the start of each its duration, with tags that say which it is.
Grafana shows them as annotations.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from terrawatt.config import StoreSettings
from terrawatt.errors import PartialWriteError, TerrawattError
from terrawatt.records import Phase, Sample, SeriesKey
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import Manifest, read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.store.forwarder import Forwarder
from terrawatt.store.influxdb import InfluxStore, open_influx

PHASE_MEASUREMENT, PHASE_FIELD = "terrawatt_phase", "duration_s"
_LIMIT_S = 10.0  # of what a run sends at its end; the rest is `terrawatt store forward`'s


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What was sent of one folder.

    Attributes:
        sent: rows that went this time.
        remaining: rows that are still to be sent.
        refused: rows that the database refused for good, also at earlier times.
        phases: phases that went; each time all of them.
        complaints: what was refused this time, and why.
    """

    sent: int
    remaining: int
    refused: int
    phases: int
    complaints: tuple[str, ...]


def forward(
    folder: RunFolder, influx: InfluxStore, *, again: bool = False, go_on: Callable[[], bool] = lambda: True
) -> Forwarded:
    """Send what a database lacks of a run. Doing it twice changes nothing.

    Where the series came from the database, only the phases go there.

    Args:
        folder: of one scenario.
        influx: the database.
        again: send the rows from the beginning, e.g. since the database was emptied.
        go_on: whether to send another batch.

    Raises:
        RunFolderError: the folder is none of a run, or its phases cannot be read.
        StoreError: the store cannot be read, or the database does not answer or refuses; what was sent stays sent.
    """
    manifest = read_manifest(folder.manifest)
    phases = phase_samples(manifest, read_phases(folder.phases))
    if manifest.is_external:
        return Forwarded(0, 0, 0, len(phases), tuple(_write(influx, phases)))
    forwarder = Forwarder(folder.path / manifest.store, influx, str(influx))
    if again:
        forwarder.restart()
    forwarder.send_all(go_on)
    complaints = (*forwarder.complaints, *_write(influx, phases))
    return Forwarded(forwarder.sent, forwarder.remaining(), forwarder.refused, len(phases), complaints)


def forward_at_end(folders: Sequence[RunFolder], settings: StoreSettings, say: Callable[[str], None]) -> None:
    """Send the rest of a run that has just ended, as far as that goes in a short time; says what remains."""
    measured = [folder for folder in folders if folder.manifest.exists()]
    if settings.url == "sqlite" or not measured:
        return
    end_s = time.monotonic() + _LIMIT_S
    run_path = measured[0].path if len(folders) == 1 else measured[0].run_path
    later = f"`terrawatt store forward {run_path}` sends the rest"
    try:
        with open_influx(settings) as influx:
            done = [forward(folder, influx, go_on=lambda: time.monotonic() < end_s) for folder in measured]
    except TerrawattError as error:
        say(f"{error}; {later}")
        return
    for complaint in dict.fromkeys(complaint for one in done for complaint in one.complaints):
        say(complaint)
    last = done[-1]  # the folders of a run share one store
    if last.refused:
        say(
            f"{last.refused} rows, which the run folder holds, were refused for good by the database; "
            f"{RunFolder(run_path).log} or the lines above say why"
        )
    if last.remaining:
        say(f"{last.remaining} rows are still to be sent to the database; {later}")


def phase_samples(manifest: Manifest, phases: Sequence[Phase]) -> list[Sample]:
    """The phases as samples: at the start of each its duration in s."""
    common = {"host": manifest.host, "experiment": manifest.experiment, "run": manifest.run}
    if manifest.group is not None:
        common["group"] = str(manifest.group)
    return [Sample(_phase_key(common, phase), phase.window.start_ns, phase.window.duration_s) for phase in phases]


def _phase_key(common: dict[str, str], phase: Phase) -> SeriesKey:
    tags = common | {"phase": phase.name}
    if phase.repetition is not None:
        tags["repetition"] = str(phase.repetition)
    return SeriesKey.of(PHASE_MEASUREMENT, PHASE_FIELD, **tags)


def _write(influx: InfluxStore, samples: Sequence[Sample]) -> list[str]:
    """Write; returns what was refused for good, and why."""
    try:
        influx.write(samples)
    except PartialWriteError as error:
        return [str(error)]
    return []
