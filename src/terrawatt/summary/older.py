"""A folder of the older research scripts as the same record as any run: its files, and the series of a database.

The scripts left the series where Telegraf had put them. Where that is, and which meter was used, the settings say, as
for `sampling.interval_s = "external"`. What the scripts did not record is empty, with the reason.
"""

import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from terrawatt.analysis.emissions import CarbonIntensity
from terrawatt.config import EmissionsSettings, ProtocolSettings, Settings
from terrawatt.errors import RunFolderError, SourceError, StoreError, UsageError
from terrawatt.models.names import canonical_name
from terrawatt.power import registry
from terrawatt.records import Phase, Scalar, Scenario, Series, SeriesKey, SourceDescription
from terrawatt.runs.integrity import Integrity
from terrawatt.runs.manifest import Manifest
from terrawatt.runs.older import OlderFolder, OlderRun, read_older, unnumbered
from terrawatt.runs.status import RepetitionStatus, RunStatus, State
from terrawatt.runs.times import format_time
from terrawatt.store.influxdb import open_influx
from terrawatt.summary.collect import RunData
from terrawatt.summary.intensity import given_intensity
from terrawatt.summary.series import bounds
from terrawatt.telemetry.external import USUAL_S, find_series, timed
from terrawatt.telemetry.host import QUANTITIES
from terrawatt.telemetry.messages import SamplerReport

_UNKNOWN = {
    "Block": "the older scripts know no blocks",
    "Seed": "the older scripts fix and record no seed",
}
_REMARK = (
    "of the older scripts: no checksums, so its files cannot be verified; machine, versions, exit codes are unknown"
)


def collect_older(folder: OlderFolder, settings: Settings | None, intensity: CarbonIntensity | None = None) -> RunData:
    """Read such a folder and the series of its time.

    A database that cannot be read, or that holds nothing of that time, costs the series, not the run.

    Args:
        folder: of one scenario.
        settings: where the series are, and what is known of the meters.
        intensity: the carbon intensity to take instead of that of the settings.

    Raises:
        RunFolderError: a file cannot be read, no repetition has ended, or the settings do not say where the series are.
        ConfigError: the database has series of several machines, and none is chosen; or a secret cannot be read.
    """
    if settings is None or not settings.sampling.is_external:
        raise RunFolderError(
            f"{folder.path}: times.txt but no manifest.json, so of the older scripts: set store.url, "
            'sampling.interval_s = "external" and the series of the meter in terrawatt.toml (docs/older-folders.md)'
        )
    run = read_older(folder)
    report, series, problem = _series(settings, run.phases)
    return RunData(
        folder=replace(folder, is_single=run.repetitions == 1),
        manifest=_manifest(folder, run, report, settings),
        status=RunStatus(
            State.DONE, tuple(RepetitionStatus(number, State.DONE) for number in range(1, run.repetitions + 1))
        ),
        phases=run.phases,
        series=series,
        integrity=Integrity(is_sealed=False),
        intensity=intensity if intensity is not None else _intensity(settings.emissions),
        store_problem=problem,
        remarks=(_REMARK, *(() if run.repetitions == 1 else _unmatched(folder))),
        unknown={column: reason for column, reason in _UNKNOWN.items() if column.lower() not in run.parameters},
    )


def _series(settings: Settings, phases: tuple[Phase, ...]) -> tuple[SamplerReport, dict[SeriesKey, Series], str]:
    """What the database has of that time; else why there is nothing."""
    start_ns, end_ns = bounds(phases)
    host = settings.sampling.host_name or socket.gethostname()
    described = [
        description for source in settings.sources for description in registry.create(source, host).descriptions
    ]
    when = f"between {format_time(start_ns)[:19]} and {format_time(end_ns)[:19]} UTC"
    try:
        with open_influx(settings.store) as database:
            known = list(database.keys_between(start_ns, end_ns))
            report = find_series(known, settings.sampling, described, when)
            keys = [*(source.series for source in report.sources), *report.host_series.values()]
            series = {key: database.read(key, start_ns, end_ns) for key in keys}
    except (StoreError, SourceError) as error:
        return _nothing(settings, described, str(error)), {}, str(error)
    return timed(report, list(series.values())), series, ""


def _nothing(settings: Settings, described: Sequence[SourceDescription], reason: str) -> SamplerReport:
    missing = dict.fromkeys((quantity for quantity, _ in QUANTITIES.values()), reason)
    return SamplerReport(tuple(described), settings.sampling.host_name, {}, missing, USUAL_S, USUAL_S)


def _manifest(folder: OlderFolder, run: OlderRun, report: SamplerReport, settings: Settings) -> Manifest:
    cold = run.phases[0].window
    return Manifest(
        experiment=folder.run_path.parent.name,
        run=folder.run_path.name,
        group=folder.group,
        scenario=Scenario(_parameters(run.parameters), tuple(run.command.split())),
        protocol=ProtocolSettings(
            cold_s=cold.duration_s,
            latency_s=settings.protocol.latency_s,
            idle_after_s=0.0,
            warmup=1,
            repetitions=run.repetitions,
        ),
        sources=report.sources,
        host=report.host,
        host_series=report.host_series,
        missing=report.missing,
        store="",
        created=format_time(cold.start_ns),
        blocks=(),
        sampling_interval_s=report.interval_s,
        versions={"commit": run.commit} if run.commit else {},
        emissions=_emissions(folder, run.repetitions),
        database=settings.store.url,
        is_external=True,
    )


def _parameters(given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The parameters with the model's name of today, so that old and new runs of a model are one scenario."""
    rgb, finetune = given.get("rgb"), given.get("finetune")
    of_inception = finetune if isinstance(finetune, int) else None
    for start in (of_inception, None):  # their files give both options to every model
        with suppress(UsageError):
            model = canonical_name(str(given.get("model", "")), rgb=None if rgb is None else bool(rgb), finetune=start)
            return {**{name: value for name, value in given.items() if name not in ("rgb", "finetune")}, "model": model}
    return dict(given)  # of another workload


def _emissions(folder: OlderFolder, repetitions: int) -> dict[str, Any]:
    """Why repetitions have no emissions."""
    if not folder.emissions.is_dir():
        reason = "the folder has neither codecarbon/ nor emissions/"
    else:
        reason = f"{folder.emissions.name}/ holds no file with its number"
    return {"missing": {str(number): reason for number in range(1, repetitions + 1)}}


def _intensity(settings: EmissionsSettings) -> CarbonIntensity | str:
    if settings.intensity == "":
        return "the older scripts record no carbon intensity"
    return given_intensity(str(settings.intensity), settings.intensity_uncertainty_percent)


def _unmatched(folder: OlderFolder) -> list[str]:
    """Files that cannot be given to a repetition."""
    places = {folder.emissions: (".csv",), folder.output: (".csv", ".npy")}
    return [
        f"{place.name}/{name} has no repetition's number in its name, and is not used"
        for place, suffixes in places.items()
        for name in unnumbered(place, suffixes)
        if name != "targets.npy"
    ]
