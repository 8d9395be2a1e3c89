"""What the figures of a sweep show that is not in the table: when each repetition was, how its training went."""

from collections.abc import Mapping
from dataclasses import dataclass

from terrawatt.analysis.training_curves import EpochPoint


@dataclass(frozen=True, slots=True)
class RepetitionMark:
    """One repetition in time; None where something is not known.

    Attributes:
        run: its number, likewise group and repetition.
        start_s: since the first repetition of its run began.
        duration_s: of the window, all executions.
        temperature_c: mean over the window.
    """

    run: int | None
    group: int | None
    repetition: int
    start_s: float
    duration_s: float
    temperature_c: float | None


@dataclass(frozen=True, slots=True)
class TrainingCurve:
    """One scenario's quantity by epoch; `row` is the position of its first repetition in the table."""

    scenario: str
    row: int
    quantity: str
    points: tuple[EpochPoint, ...]


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """As `output_all.json` has it: repetitions in time, trainings by epoch."""

    marks: tuple[RepetitionMark, ...] = ()
    trainings: tuple[TrainingCurve, ...] = ()


@dataclass(frozen=True, slots=True)
class MainEnergy:
    """Of one repetition by the main source: idle level, net energy, and the budget of its uncertainty in J."""

    baseline_w: float | None
    budget_j: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class SweepFacts:
    """What the figures of a sweep are drawn from.

    Attributes:
        record: repetitions in time, trainings by epoch.
        energies: (run, group, repetition) -> its energy by the main source.
        source: the main source's name; empty where there is none.
    """

    record: SweepRecord = SweepRecord()
    energies: Mapping[tuple[int | None, int | None, int], MainEnergy] | None = None
    source: str = ""
