"""The energy of each repetition by one power source: gross, net of the idle level, each with its uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from terrawatt.analysis.baseline import Baseline, LevelAt
from terrawatt.analysis.integrate import MIN_READINGS, Integral, integrate, integrate_together
from terrawatt.analysis.signal import Signal
from terrawatt.analysis.uncertainty import (
    Component,
    combined,
    counter_resolution_u_j,
    counter_step,
    gaps_u_j,
    meter_u_j,
    resolution_u_j,
    sampling_u_j,
    timing_u_j,
)
from terrawatt.records import Semantics, SourceDescription, Window


@dataclass(frozen=True, slots=True)
class EnergyValue:
    """An energy in J, its standard uncertainty, and the budget of that; NaN with a reason where it is missing."""

    energy_j: float
    u_j: float
    budget: tuple[Component, ...] = ()
    reason: str = ""

    @classmethod
    def missing(cls, reason: str) -> "EnergyValue":
        """No energy, and why."""
        return cls(math.nan, math.nan, reason=reason)

    def shared(self, executions: int) -> "EnergyValue":
        """That of one of several equal executions in a window. They share their errors, so u is divided alike."""
        budget = tuple(Component(part.name, part.u_j / executions) for part in self.budget)
        return EnergyValue(self.energy_j / executions, self.u_j / executions, budget, self.reason)


@dataclass(frozen=True, slots=True)
class Energy:
    """The energy of one window by one source.

    Attributes:
        source: the source's name.
        gross: the integral of the power.
        net: the same minus the idle level times the duration.
        integral: of the whole window, all executions included.
        baseline_w: the idle level at the window; NaN where there is none.
    """

    source: str
    gross: EnergyValue
    net: EnergyValue
    integral: Integral
    baseline_w: float

    def shared(self, executions: int) -> "Energy":
        """That of one of several equal executions in the window."""
        return replace(self, gross=self.gross.shared(executions), net=self.net.shared(executions))


def energies(
    signal: Signal,
    description: SourceDescription,
    windows: Sequence[Window],
    idle: Baseline,
    executions: Sequence[int] | None = None,
) -> tuple[Energy, ...]:
    """Gross and net energy of each window, for one execution of the workload.

    Args:
        signal: the source's readings.
        description: what is known of the source.
        windows: one per repetition.
        idle: the source's idle level.
        executions: how often the workload ran in each window; default: once.
    """
    meter = _Meter(signal, description, counter_step(signal) if signal.semantics is Semantics.COUNTER else None)
    integrals = integrate(signal, windows)
    sampling = sampling_u_j(signal, windows) if len(signal) >= MIN_READINGS else [math.nan] * len(windows)
    counts = executions if executions is not None else [1] * len(windows)
    return tuple(
        meter.energy(window, integral, float(u_j), idle).shared(count)
        for window, integral, u_j, count in zip(windows, integrals, sampling, counts, strict=True)
    )


def net_energy_j(signal: Signal, windows: Sequence[Window], idle: Baseline) -> EnergyValue:
    """The net energy of several windows together, e.g. of the training epochs of a repetition; without uncertainty."""
    if not windows:
        return EnergyValue.missing("no such phase was reported")
    integral = integrate_together(signal, windows)
    if reason := _reason(signal, integral) or idle.reason:
        return EnergyValue.missing(reason)
    idle_j = math.fsum(idle.at(window).level * window.duration_s for window in windows)
    return EnergyValue(integral.value - idle_j, math.nan)


@dataclass(frozen=True, slots=True, eq=False)
class _Meter:
    """A source with its readings; `counter_step_j` of counters only."""

    signal: Signal
    description: SourceDescription
    counter_step_j: float | None

    def energy(self, window: Window, integral: Integral, sampling_j: float, idle: Baseline) -> Energy:
        """That of a whole window."""
        level = idle.at(window)
        if reason := _reason(self.signal, integral):
            missing = EnergyValue.missing(reason)
            return Energy(self.description.name, missing, missing, integral, level.level)
        gross = self._value(integral, sampling_j, None)
        net = EnergyValue.missing(idle.reason) if idle.reason else self._value(integral, sampling_j, level)
        return Energy(self.description.name, gross, net, integral, level.level)

    def _value(self, integral: Integral, sampling_j: float, idle: LevelAt | None) -> EnergyValue:
        """The gross energy without an idle level, the net with one; and the budget of its uncertainty."""
        duration_s, power_w = integral.duration_s, integral.mean
        levels_w = [power_w] if idle is None else [power_w, idle.level]
        step_w = power_w if idle is None else power_w - idle.level
        budget = [
            Component("meter", meter_u_j(self.description, levels_w, duration_s)),
            Component("resolution", self._resolution_j(len(levels_w), duration_s)),
            Component("sampling", sampling_j),
            Component("timing", timing_u_j(self.signal, step_w, duration_s)),
            Component("gaps", gaps_u_j(integral.gap_s, step_w)),
        ]
        if idle is None:
            return EnergyValue(integral.value, combined(budget), tuple(budget))
        budget.append(Component("baseline", idle.u * duration_s))
        return EnergyValue(integral.value - idle.level * duration_s, combined(budget), tuple(budget))

    def _resolution_j(self, n_levels: int, duration_s: float) -> float:
        if self.counter_step_j is not None:
            return counter_resolution_u_j(self.counter_step_j)
        return resolution_u_j(self.description.resolution_w, n_levels, duration_s)


def _reason(signal: Signal, integral: Integral) -> str:
    """Why a window has no energy: no integral, or a counter that did not tick in it, which is no true zero."""
    if not integral.reason and signal.semantics is Semantics.COUNTER and integral.value == 0:
        return "the counter did not move: the window is too short for its steps"
    return integral.reason
