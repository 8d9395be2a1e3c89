"""What is written down of a scenario before it is measured, and how long its last readings take to come."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from terrawatt.config import Settings
from terrawatt.experiment import provenance
from terrawatt.experiment.protocol import blocks
from terrawatt.records import Scenario
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import Manifest
from terrawatt.runs.times import format_time
from terrawatt.telemetry.process import SamplerReport

_READING_AFTER = 1.2  # intervals between readings that the sampler goes on for after the last window, at least


def first_manifest(
    folder: RunFolder,
    settings: Settings,
    scenario: Scenario,
    report: SamplerReport,
    emissions: Mapping[str, Any],
    data: Mapping[str, Any],
) -> Manifest:
    """The manifest of a scenario that begins now.

    Args:
        folder: of the scenario.
        settings: in force.
        scenario: what is run.
        report: of the sampler that has started.
        emissions: what CodeCarbon's tracker says of itself.
        data: the data set that the workload reads.
    """
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
        store=folder.telemetry.name,
        database="" if settings.store.url == "sqlite" else settings.store.url,
        is_external=settings.sampling.is_external,
        created=format_time(time.time_ns()),
        blocks=blocks(settings.protocol),
        sampling_interval_s=report.interval_s,
        machine=provenance.machine(),
        versions=provenance.versions(Path.cwd()),
        data=data,
        emissions=emissions,
    )


def reading_after_s(report: SamplerReport) -> float:
    """How long the sampler goes on after the last window at least, so that each series has a reading behind it."""
    latest_s = max((source.latency_s or 0.0 for source in report.sources), default=0.0)
    return _READING_AFTER * report.slowest_s + report.delay_s + latest_s
