"""What a report says, as data: the table, the runs behind it, and the verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from terrawatt.analysis.effects import Effects
from terrawatt.analysis.relations import Relations
from terrawatt.analysis.table import Table
from terrawatt.records import Float64Array, Scalar, SourceDescription, Verdict
from terrawatt.report.sweep import SweepFacts

# Which repetition a verdict is about: (run, group, repetition), as in the table's columns of these names.
RepetitionKey = tuple[int | None, int | None, int]


@dataclass(frozen=True)
class RunFacts:
    """What one run was, for readers: how, on what, with which meters.

    Attributes:
        name: as the page calls it, e.g. `run_3/group_1`.
        scenario: parameter -> value.
        machine: what is known of the machine; values may be nested mappings or lists.
        versions: software -> version.
        protocol: the keys of `[protocol]` (`cold_s`, `repetitions`, …).
        sources: the power sources, the main one first.
        notes: remarks about this run, e.g. series without a sensor, with the reason.
    """

    name: str
    scenario: Mapping[str, Scalar]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    protocol: Mapping[str, Any]
    sources: tuple[SourceDescription, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CurveWindow:
    """A named part of a power curve, in s since its repetition began."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class BudgetPart:
    """A component of an uncertainty; NaN where it is unknown."""

    name: str
    u_j: float


@dataclass(frozen=True, slots=True)
class CurveEnergy:
    """A repetition's net energy with its uncertainty; NaN with a reason where it is missing."""

    energy_j: float
    u_j: float
    half_width_j: float
    budget: tuple[BudgetPart, ...]
    reason: str = ""


@dataclass(frozen=True, eq=False)
class PowerCurve:
    """The power of a machine while one repetition was measured, and what was made of it.

    Attributes:
        key: which repetition.
        name: as the page calls it, e.g. `run_3/group_1, repetition 2`.
        scenario: its scenario in words; empty where there is only one.
        why: why this repetition is shown.
        source: of the readings.
        t_s: (n,) times of the readings, in s since the repetition began.
        power_w: (n,) of linear and forward-holding readings the power at that time; of others, until that time.
        windows: the whole run: cold, warm-up, all repetitions, idle.
        this: the repetition itself.
        phases: what the workload reported inside it.
        gaps: (start, end) of the times of which no reading speaks, in s.
        baseline: (s, W) corners of the idle level.
        energy: of the repetition, one execution.
    """

    key: RepetitionKey
    name: str
    scenario: str
    why: str
    source: SourceDescription
    t_s: Float64Array
    power_w: Float64Array
    windows: tuple[CurveWindow, ...]
    this: CurveWindow
    phases: tuple[CurveWindow, ...]
    gaps: tuple[tuple[float, float], ...]
    baseline: tuple[tuple[float, float], ...]
    energy: CurveEnergy


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything that the page shows.

    Attributes:
        title: of the page.
        table: one row a repetition.
        runs: the runs behind the table, in its order.
        verdicts: (run, group, repetition) -> its verdicts; repetitions without any may be absent.
        created: when the report was made, UTC, as the page prints it.
        command: the command line that makes this report again.
        curves: the power of some repetitions; empty where the series are not at hand.
        curves_left_out: how many more repetitions were worth one.
        relations: between the table's quantities; None where they were not computed.
        effects: of the factors on the energy; None where they were not computed.
        sweep: its repetitions in time, its trainings by epoch; None where no run's folder was read.
    """

    title: str
    table: Table
    runs: tuple[RunFacts, ...]
    verdicts: Mapping[RepetitionKey, tuple[Verdict, ...]]
    created: str
    command: str
    curves: tuple[PowerCurve, ...] = ()
    curves_left_out: int = 0
    relations: Relations | None = None
    effects: Effects | None = None
    sweep: SweepFacts | None = None
