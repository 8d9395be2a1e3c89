"""What a run has measured so far, and what that says of the rest: time and energy left, for the eye."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from terrawatt.experiment.protocol import Step, StepKind, remaining_s
from terrawatt.experiment.sitting import Sitting


@dataclass(slots=True)
class _Mean:
    """A running mean."""

    total: float = 0.0
    count: int = 0

    def add(self, value: float) -> None:
        self.total += value
        self.count += 1

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


@dataclass(slots=True)
class Ledger:
    """The account of a whole run.

    Attributes:
        repetitions: how many are planned of all scenarios together.
        min_window_s: how long a repetition lasts at least.
        done, failed: how many of them ended, well or not.
    """

    repetitions: int
    min_window_s: float = 0.0
    done: int = 0
    failed: int = 0
    _all_s: _Mean = field(default_factory=_Mean)
    _all_j: _Mean = field(default_factory=_Mean)
    _durations_s: dict[int, _Mean] = field(default_factory=dict)
    _energies_j: dict[int, _Mean] = field(default_factory=dict)
    _later: list[tuple[int, Sequence[Step]]] = field(default_factory=list)
    _fixed_s: float = 0.0  # of the sittings after the present one: what does not depend on the workload
    _steps: Counter[tuple[int, StepKind]] = field(default_factory=Counter)  # likewise: how many of each scenario
    _ahead: tuple[float, float] | None = None  # time and energy of all those, until something changes it

    @property
    def energy_j(self) -> float:
        """Gross energy of the repetitions that ended, J; a running sum."""
        return self._all_j.total

    @property
    def measured(self) -> int:
        """How many repetitions had readings for it."""
        return self._all_j.count

    def carry_over(self, energy_j: float, measured: int) -> None:
        """Take over what was measured before a resume."""
        self._ahead = None
        self._all_j = _Mean(energy_j, measured)

    def plan(self, sittings: Sequence[Sitting], steps: Sequence[Sequence[Step]]) -> None:
        """What will be measured, in this order."""
        self._later = [(sitting.scenario, some) for sitting, some in zip(sittings, steps, strict=True)][::-1]
        for scenario, some in self._later:
            self._count(scenario, some, 1)

    def begin(self) -> None:
        """The next sitting begins, or is left out."""
        self._count(*self._later.pop(), -1)

    def executed(self, scenario: int, duration_s: float) -> None:
        """An execution of the workload has ended."""
        self._ahead = None
        self._all_s.add(duration_s)
        self._durations_s.setdefault(scenario, _Mean()).add(duration_s)

    def ended(self, scenario: int, energy_j: float, *, succeeded: bool) -> None:
        """A repetition has ended; `energy_j` is its gross energy, 0 where there was no reading."""
        self.done += succeeded
        self.failed += not succeeded
        self._ahead = None
        if energy_j > 0:
            self._all_j.add(energy_j)
            self._energies_j.setdefault(scenario, _Mean()).add(energy_j)

    def left_s(self, scenario: int, steps: Sequence[Step], elapsed_s: float) -> float | None:
        """Time left, s: of the present sitting's steps, and of all sittings after it; None: not yet known."""
        left_s = remaining_s(steps, self._execution_s(scenario), elapsed_s, self.min_window_s)
        if left_s is None or self._all_s.value is None:
            return None if any(self._steps.values()) else left_s
        return left_s + self._look_ahead()[0]

    def left_j(self, scenario: int, steps: Sequence[Step]) -> float | None:
        """Gross energy of the repetitions left, J: of the present sitting's steps, and of all after it."""
        if self._all_j.value is None:
            return None
        here_j = sum(step.kind is StepKind.REPETITION for step in steps) * self._energy_j(scenario)
        return here_j + self._look_ahead()[1]

    def _look_ahead(self) -> tuple[float, float]:
        """Time and energy of the sittings after the present one; summed up once, since a sweep may have very many."""
        if self._ahead is None:
            left_s, left_j = self._fixed_s, 0.0
            for (scenario, kind), count in self._steps.items():
                is_measured = kind is StepKind.REPETITION
                least_s = self.min_window_s if is_measured else 0.0
                left_s += count * max(self._execution_s(scenario) or 0.0, least_s)
                left_j += count * self._energy_j(scenario) * is_measured
            self._ahead = left_s, left_j
        return self._ahead

    def _count(self, scenario: int, steps: Sequence[Step], sign: int) -> None:
        self._ahead = None
        for step in steps:
            if step.duration_s is not None:
                self._fixed_s += sign * step.duration_s
            else:
                self._steps[scenario, step.kind] += sign

    def _execution_s(self, scenario: int) -> float | None:
        """How long one execution takes: by those of the scenario, else by all."""
        return self._durations_s.get(scenario, self._all_s).value

    def _energy_j(self, scenario: int) -> float:
        return self._energies_j.get(scenario, self._all_j).value or 0.0
