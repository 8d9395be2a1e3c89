"""What is to be run, and how it went."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from terrawatt.config import Settings
from terrawatt.experiment.scenario_run import OnFailure
from terrawatt.records import Order, Scenario
from terrawatt.runs.status import RunStatus


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be run.

    Attributes:
        settings: in force; its protocol holds for all scenarios.
        scenarios: in this order.
        data: for the manifest: the data set that the workloads read.
        on_failure: what happens after a repetition that failed.
        wait: wait for the end of another measured run on this machine; else its lock is an error.
        storage_path: the run's folder, where the caller gives it (Qanat); None: the next one of the results folder.
        options: for the manifest: what was given on the command line over the settings' file.
    """

    settings: Settings
    scenarios: tuple[Scenario, ...]
    data: Mapping[str, Any] = field(default_factory=dict)
    on_failure: OnFailure = OnFailure.CONTINUE
    wait: bool = False
    storage_path: Path | None = None
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def order(self) -> Order:
        """Of the repetitions; a single scenario has one order only."""
        return self.settings.protocol.order if len(self.scenarios) > 1 else Order.SEQUENTIAL


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run went: its folder, and the status of each scenario that was begun, by its folder."""

    run_path: Path
    statuses: Mapping[Path, RunStatus]

    @property
    def failures(self) -> list[str]:
        """One line for each scenario in which something failed."""
        return [f"{path}: {status.reason}" for path, status in self.statuses.items() if status.reason]
