"""Frozen records that travel between packages: one small dataclass per fact.

Times are int64 nanoseconds since the Unix epoch (UTC), energies J, powers W. A reading that failed is NaN: a gap,
never a zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from terrawatt.errors import AnalysisError
from terrawatt.units import NS_PER_S

Int64Array = NDArray[np.int64]
Float64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

Scalar = str | int | float | bool


class Semantics(StrEnum):
    """What one reading of a source means."""

    INSTANTANEOUS = "instantaneous"  # the power at that moment
    MEAN = "mean"  # the mean power of the interval before it
    ON_CHANGE = "on-change"  # the power from now until the next reading
    COUNTER = "counter"  # the energy since some start


@dataclass(frozen=True, slots=True)
class AccuracyBand:
    """A meter's limits of error below some power; `below_w=None` has no upper end.

    The limits are the half-width of a rectangular distribution: the two given parts added.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}  # a mistyped key in terrawatt.toml is refused

    below_w: float | None = None
    plus_minus_w: float = 0.0
    plus_minus_percent: float = 0.0


class MeterError(StrEnum):
    """How the error of a meter at one power goes with that at another; it decides what cancels between idle and run."""

    OFFSET = "offset"  # the same share of its limits everywhere: where the limits are equal it cancels
    GAIN = "gain"  # in proportion to the power
    UNKNOWN = "unknown"  # at two powers independent


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Names a series as Telegraf does: measurement, field, and tags sorted by name."""

    measurement: str
    field: str
    tags: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, measurement: str, field_name: str, **tags: str) -> "SeriesKey":
        """A key with its tags sorted."""
        return cls(measurement, field_name, tuple(sorted(tags.items())))

    def tag(self, name: str) -> str | None:
        """The value of one tag."""
        return dict(self.tags).get(name)

    def __str__(self) -> str:
        tags = "".join(f",{key}={value}" for key, value in self.tags)
        return f"{self.measurement}{tags} {self.field}"


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of one series; `value` NaN where the reading failed."""

    key: SeriesKey
    t_ns: int
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The values of one quantity over time: two arrays of equal length, sorted by time."""

    key: SeriesKey
    t_ns: Int64Array
    value: Float64Array

    def __len__(self) -> int:
        return len(self.t_ns)


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """What is known of a power source: what its readings mean, how exact they are, where they are kept.

    `wrap_j` is the range of a counter, after which it begins at 0 again; None where it has none.
    """

    name: str
    kind: str
    semantics: Semantics
    accuracy: tuple[AccuracyBand, ...]
    series: SeriesKey
    resolution_w: float = 0.0
    interval_s: float | None = None
    is_estimate: bool = False
    note: str = ""
    wrap_j: float | None = None
    error: MeterError = MeterError.UNKNOWN
    same_as: str = ""  # the source that reads the same device by other means: their energies must agree
    timing_s: float | None = None  # half-width of what is unknown of its delay; None: `uncertainty.TIMING_S`
    latency_s: float | None = None  # how late its readings come, from a calibration; they are shifted by it
    u_latency_s: float | None = None  # the standard uncertainty of that
    scale: float = 1.0  # what one unit of its series is in W or J; series of others may be in kW or kWh
    has_device_time: bool = False  # whether the meter itself times its readings; else they have their arrival's time


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open stretch of time, [start, end), in ns."""

    start_ns: int
    end_ns: int

    def __post_init__(self) -> None:
        if self.end_ns <= self.start_ns:
            raise AnalysisError(
                f"a window must end after it starts, not {self.start_ns} ns to {self.end_ns} ns; "
                "was the clock set back during the run?"
            )

    @property
    def duration_ns(self) -> int:
        """Length in ns."""
        return self.end_ns - self.start_ns

    @property
    def duration_s(self) -> float:
        """Length in s."""
        return self.duration_ns / NS_PER_S


class PhaseName(StrEnum):
    """The phases that terrawatt itself writes; a workload may report others."""

    COLD = "cold"
    WARMUP = "warmup"
    REPETITION = "repetition"
    IDLE = "idle"
    SETUP = "setup"
    TRAIN = "train"
    VALIDATE = "validate"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Phase:
    """A named part of time.

    Attributes:
        name: what happens in it.
        window: when.
        repetition: the number of the repetition that it is, or in which it lies, from 1.
        epoch: that of a training.
        executions: how often the workload ran inside a repetition's window (protocol.min_window_s).
        sitting: which sitting of its scenario it belongs to, from 1. A sitting is what is measured in one go and has
            its own idle periods: cold, warm-up, repetitions, idle. In blocks each block is one; a resumed scenario
            goes on in the next.
    """

    name: str
    window: Window
    repetition: int | None = None
    epoch: int | None = None
    executions: int = 1
    sitting: int = 1


class Order(StrEnum):
    """In which order the repetitions of several scenarios are measured."""

    BLOCKS = "blocks"  # block after block, each with every scenario once in a random order
    INTERLEAVED = "interleaved"  # likewise, each in the order of the scenarios
    SEQUENTIAL = "sequential"  # all repetitions of a scenario, then those of the next


@dataclass(frozen=True, slots=True)
class Scenario:
    """One setting of all parameters, and the command that runs it.

    Attributes:
        parameters: parameter -> value by the options' names without dashes (`model`, `lr`, `batch`, …).
        command: argv of the workload. An argument that is exactly `{seed}`, `{output}` or `{repetition}` is replaced.
        seed: the seed of repetition 1; repetition i gets `seed + i - 1`. None: the workload has no seed.
    """

    parameters: Mapping[str, Scalar]
    command: tuple[str, ...]
    seed: int | None = None


class Severity(StrEnum):
    """How much a verdict weighs."""

    NOTE = "note"
    DOUBTFUL = "doubtful"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong or doubtful with a repetition, and what to do about it."""

    code: str  # short and stable, e.g. "too-few-readings"
    severity: Severity
    message: str
    advice: str = ""
    column: str | None = None  # the column of the table that is missing or doubtful because of it

    def __str__(self) -> str:
        about = f"{self.column}: " if self.column else ""
        return f"{self.severity}: {about}{self.message}"


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """How one execution of a workload ended."""

    exit_code: int | None
    signal: int | None = None
    reason: str = ""  # one line, empty when it succeeded
    peak_memory_bytes: int | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the command ended with exit code 0."""
        return self.exit_code == 0 and self.signal is None
