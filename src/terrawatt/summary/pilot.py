"""`terrawatt plan --detect`: what a pilot's scatter says about the repetitions that a difference asks for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from terrawatt.analysis.detection import Scatter, detectable, detectable_with, repetitions_needed, scatter
from terrawatt.analysis.repetitions import CommonError, Repeated, common_u
from terrawatt.config import Settings
from terrawatt.errors import AnalysisError, UsageError, did_you_mean
from terrawatt.records import Float64Array
from terrawatt.summary.gather import gather
from terrawatt.summary.scenarios import OF_THE_METER, By, ScenarioValues, column_of, scenarios_of

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Needed:
    """Repetitions of each scenario; None where no number is enough, or no difference was given.

    Attributes:
        by_scatter: with the scatter of the pilot.
        by_upper: with its upper limit: it is below that with a confidence of 80 %.
    """

    by_scatter: int | None
    by_upper: int | None


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest relative differences that some repetitions of each scenario find."""

    repetitions: int
    by_scatter: float
    by_upper: float


@dataclass(frozen=True, slots=True)
class DetectionPlan:
    """What the pilot of one scenario says.

    Attributes:
        label: of the scenario.
        pilot: its scatter; None where there are too few repetitions.
        duration_s: mean of one repetition.
        needed: for the difference asked for; None when none was asked for.
        detectable: with the repetitions asked for; None likewise.
        floor: the relative difference that no number of repetitions gets below.
        left_out: repetitions that are not used.
        reason: why there is no number.
    """

    label: str
    pilot: Scatter | None
    duration_s: float | None
    needed: Needed | None = None
    detectable: Detectable | None = None
    floor: float = 0.0
    left_out: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DetectionReport:
    """What `terrawatt plan --detect --json` prints: a plan for each scenario of the pilot."""

    column: str
    difference: float | None
    repetitions: int | None
    plans: tuple[DetectionPlan, ...]
    notes: tuple[str, ...]
    format_version: int = FORMAT_VERSION

    @property
    def has_numbers(self) -> bool:
        """Whether the pilot says anything."""
        return any(plan.pilot is not None for plan in self.plans)

    def as_json(self) -> str:
        """All of it as JSON; what is not known is null."""
        return TypeAdapter(DetectionReport).dump_json(self, indent=2).decode()


def plan_detection(
    runs: Sequence[Path],
    difference: float | None = None,
    repetitions: int | None = None,
    *,
    column: str | None = None,
    scenario: str | None = None,
    by: By | None = None,
    accept_changes: bool = False,
    settings: Settings | None = None,
) -> DetectionReport:
    """Plan a comparison of two scenarios that scatter like one of a pilot, on the same meter.

    Args:
        runs: the pilot's run folders.
        difference: the relative difference to find.
        repetitions: of each scenario; what do they find?
        column: what is compared; None: the main net energy.
        scenario: label of one of the pilot's; None: each.
        by: what counts as one scenario.
        accept_changes: use files that were changed since they were measured; a note says so.
        settings: of a database that has series which a folder lacks, as those of the older scripts do.

    Raises:
        UsageError: no such scenario or column.
        RunFolderError: none of the folders can be read.
        ChangedFilesError: a file was changed or is gone since it was measured, and that is not accepted.
        AnalysisError: no repetition has ended.
    """
    gathered = gather(runs, accept_changes=accept_changes, settings=settings)
    name = column_of(gathered, column)
    found = scenarios_of(gathered, name, by)
    if scenario is not None:
        labels = [one.label for one in found]
        found = [one for one in found if one.label == scenario]
        if not found:
            raise UsageError(f"--scenario {scenario}: the pilot has none of that name.{did_you_mean(scenario, labels)}")
    plans = tuple(_plan(one, difference, repetitions) for one in found)
    return DetectionReport(name, difference, repetitions, plans, gathered.notes)


def _plan(scenario: ScenarioValues, difference: float | None, repetitions: int | None) -> DetectionPlan:
    values = scenario.values
    try:
        pilot = scatter(values.value, _u_common(values))
    except AnalysisError as error:
        return DetectionPlan(scenario.label, None, scenario.duration_s, left_out=values.left_out, reason=str(error))
    return DetectionPlan(
        label=scenario.label,
        pilot=pilot,
        duration_s=scenario.duration_s,
        needed=None if difference is None else _needed(pilot, difference),
        detectable=None if repetitions is None else _detectable(pilot, repetitions),
        floor=_relative(detectable(pilot.u_common, math.inf)),
        left_out=values.left_out,
    )


def _needed(pilot: Scatter, difference: float) -> Needed:
    logarithm = math.log1p(difference)
    counts = [repetitions_needed(logarithm, sd, pilot.u_common) for sd in (pilot.sd, pilot.sd_upper)]
    return Needed(*counts)


def _detectable(pilot: Scatter, repetitions: int) -> Detectable:
    least = [_relative(detectable_with(repetitions, sd, pilot.u_common)) for sd in (pilot.sd, pilot.sd_upper)]
    return Detectable(repetitions, *least)


def _relative(logarithm: float) -> float:
    """A difference of logarithms as a relative one: exp δ - 1."""
    return math.expm1(logarithm)


def _u_common(values: Repeated) -> float:
    """Of the logarithm of the ratio of two such scenarios with a run each, on one meter.

    What is the meter's cancels between scenarios of like power and duration; what is the run's own (the idle level)
    counts for both.
    """
    own: dict[CommonError, Float64Array] = {
        error: u / values.value for error, u in values.common.items() if error.name not in OF_THE_METER
    }
    return math.sqrt(2) * math.hypot(*common_u(np.full(values.n, 1 / values.n), own).values())
