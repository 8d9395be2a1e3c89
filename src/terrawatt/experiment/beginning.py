"""What is written down of a scenario before it is measured, and how long its last readings take to come."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from terrawatt.config import Settings
from terrawatt.experiment import provenance
from terrawatt.experiment.protocol import blocks
from terrawatt.records import Order, Scenario
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import Manifest
from terrawatt.runs.times import format_time
from terrawatt.telemetry.process import SamplerReport

_READING_AFTER = 1.2  # intervals between readings that the sampler goes on for after the last window, at least


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What holds for all scenarios of a run.

    Attributes:
        settings: in force.
        report: of the sampler that has started.
        store: the file of the series.
        emissions: what CodeCarbon's tracker says of itself.
        data: the data set that the workloads read.
        order: of the repetitions.
        options: what was given over the settings' file.
        machine, versions: see `provenance`.
        working_folder: of the workload; empty where it is a part of a program, which cannot be resumed.
    """

    settings: Settings
    report: SamplerReport
    store: Path
    emissions: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    order: Order = Order.SEQUENTIAL
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=provenance.machine)
    versions: Mapping[str, str] = field(default_factory=lambda: provenance.versions(Path.cwd()))
    working_folder: str = field(default_factory=lambda: str(Path.cwd()))


def first_manifest(folder: RunFolder, scenario: Scenario, now: Circumstances) -> Manifest:
    """The manifest of a scenario that begins now."""
    settings, report = now.settings, now.report
    return Manifest(
        experiment=settings.experiment.name,
        run=folder.run_path.name,
        group=folder.group,
        scenario=scenario,
        protocol=settings.protocol,
        sources=report.sources,
        host=report.host,
        host_series=report.host_series,
        missing=report.missing,
        store=_relative(now.store, folder.path),
        database="" if settings.store.url == "sqlite" else settings.store.url,
        is_external=settings.sampling.is_external,
        created=format_time(time.time_ns()),
        blocks=blocks(settings.protocol, now.order),
        sampling_interval_s=report.interval_s,
        machine=now.machine,
        versions=now.versions,
        data=now.data,
        emissions=now.emissions,
        order=now.order,
        options=now.options,
        working_folder=now.working_folder,
    )


def _relative(store: Path, folder: Path) -> str:
    """The store as its manifest names it: in the folder itself, or in that of the whole run."""
    return store.name if store.parent == folder else f"../{store.name}"


def reading_after_s(report: SamplerReport) -> float:
    """How long the sampler goes on after the last window at least, so that each series has a reading behind it."""
    latest_s = max((source.latency_s or 0.0 for source in report.sources), default=0.0)
    return _READING_AFTER * report.slowest_s + report.delay_s + latest_s
