"""The energy of each repetition by one power source: gross, net of the idle level, each with its uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from terrawatt.analysis.baseline import Baseline, LevelAt
from terrawatt.analysis.integrate import MIN_READINGS, Integral, integrate, integrate_together
from terrawatt.analysis.interval import half_widths
from terrawatt.analysis.pauses import IdleAround
from terrawatt.analysis.sampling import Sampling, sampling
from terrawatt.analysis.shifts import moved_values
from terrawatt.analysis.signal import Signal
from terrawatt.analysis.uncertainty import (
    Component,
    combined,
    combined_shared,
    counter_resolution,
    counter_step,
    gaps,
    late_limit_s,
    meter,
    resolution,
    timing,
)
from terrawatt.records import Float64Array, Semantics, SourceDescription, Window


@dataclass(frozen=True, slots=True)
class EnergyValue:
    """An energy in J and what is known of its error; NaN with a reason where it is missing.

    Attributes:
        energy_j: the energy.
        u_j: its combined standard uncertainty.
        budget: the components of that.
        reason: why it is missing, else empty.
        half_width_j: of the interval that holds the truth with 95 %, from the shapes of all components.
    """

    energy_j: float
    u_j: float
    budget: tuple[Component, ...] = ()
    reason: str = ""
    half_width_j: float = math.nan

    @classmethod
    def missing(cls, reason: str) -> "EnergyValue":
        """No energy, and why."""
        return cls(math.nan, math.nan, reason=reason)

    @property
    def interval_95_j(self) -> tuple[float, float]:
        """The interval that holds the truth with 95 %."""
        return self.energy_j - self.half_width_j, self.energy_j + self.half_width_j

    @property
    def coverage_factor(self) -> float:
        """The half-width of that interval by the standard uncertainty (k of the GUM, 6.2)."""
        return self.half_width_j / self.u_j if self.u_j else math.nan

    @property
    def u_shared_j(self) -> float:
        """The part of `u_j` that all repetitions of a run have in common: a mean over them does not make it smaller."""
        return combined_shared(self.budget) if self.budget else math.nan

    @property
    def u_own_j(self) -> float:
        """The part of `u_j` that is each repetition's own; it is seen in their scatter."""
        return math.sqrt(max(self.u_j**2 - self.u_shared_j**2, 0.0))

    def shared(self, executions: int) -> "EnergyValue":
        """That of one of several equal executions in a window. They share their errors, so u is divided alike."""
        return replace(
            self,
            energy_j=self.energy_j / executions,
            u_j=self.u_j / executions,
            budget=tuple(part.scaled(1 / executions) for part in self.budget),
            half_width_j=self.half_width_j / executions,
        )


@dataclass(frozen=True, slots=True)
class Energy:
    """The energy of one window by one source.

    Attributes:
        source: the source's name.
        gross: the integral of the power, corrected for how the cells at the window's ends are divided (`sampling`).
        net: the same minus the idle level times the duration.
        integral: of the whole window, all executions included, without that correction.
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
    idle = idle.informed(signal, windows)
    integrals, levels = integrate(signal, windows), idle.levels(windows)
    late_s = late_limit_s(description, signal)
    around = IdleAround(np.array([level.level for level in levels]), np.array([level.u for level in levels]))
    unseen = _unseen(signal, windows, idle, late_s, around)
    found = np.array([part.value for part in integrals]) + unseen.correction
    moved_j = moved_values(signal, windows, late_s, found, around.level)
    step_j = counter_step(signal) if signal.semantics is Semantics.COUNTER else None
    budget = _Budget(signal, description, idle, late_s, step_j, moved_j)
    gross = _with_intervals([budget.of(i, unseen, integral, None) for i, integral in enumerate(integrals)], None, idle)
    net = [budget.of(i, unseen, integrals[i], level) for i, level in enumerate(levels)]
    net = _with_intervals(net, [(levels[i], integral.duration_s) for i, integral in enumerate(integrals)], idle)
    counts = executions if executions is not None else [1] * len(windows)
    return tuple(
        Energy(description.name, gross[i], net[i], integral, levels[i].level).shared(counts[i])
        for i, integral in enumerate(integrals)
    )


def net_energy_j(signal: Signal, windows: Sequence[Window], idle: Baseline) -> EnergyValue:
    """The net energy of several windows together, e.g. of the training epochs of a repetition; without uncertainty."""
    if not windows:
        return EnergyValue.missing("no such phase was reported")
    integral = integrate_together(signal, windows)
    if reason := _reason(signal, integral) or idle.reason:
        return EnergyValue.missing(reason)
    idle_j = math.fsum(
        level * window.duration_s for level, window in zip(idle.means(windows).tolist(), windows, strict=True)
    )
    return EnergyValue(integral.value - idle_j, math.nan)


def _unseen(signal: Signal, windows: Sequence[Window], idle: Baseline, late_s: float, around: IdleAround) -> Sampling:
    """What the readings leave open; nothing is said of it where there are no two readings."""
    if len(signal) < MIN_READINGS:
        nothing = np.full(len(windows), np.nan)
        return Sampling(nothing, nothing, nothing)
    return sampling(signal, windows, idle.noise, late_s, around)


@dataclass(frozen=True, slots=True, eq=False)
class _Budget:
    """What the uncertainties of one source's energies come from; `counter_step_j` of counters only."""

    signal: Signal
    description: SourceDescription
    idle: Baseline
    late_s: float
    counter_step_j: float | None
    moved_j: Float64Array

    def of(self, i: int, unseen: Sampling, integral: Integral, idle: LevelAt | None) -> EnergyValue:
        """The gross energy of window i without an idle level, the net one with it; still without its interval."""
        if reason := _reason(self.signal, integral) or (self.idle.reason if idle is not None else ""):
            return EnergyValue.missing(reason)
        energy_j, duration_s = integral.value + float(unseen.correction[i]), integral.duration_s
        power_w = energy_j / duration_s
        step_w = power_w if idle is None else power_w - idle.level
        budget = [
            meter(self.description, power_w, None if idle is None else idle.level, duration_s),
            self._resolution(duration_s, is_net=idle is not None),
            Component("sampling", float(unseen.u[i])),
            self._timing(i, self.late_s - float(unseen.late_s[i]), step_w, duration_s),
            gaps(integral.gap_s, step_w),
        ]
        if idle is not None:
            energy_j -= idle.level * duration_s
            budget.append(Component("baseline", idle.u * duration_s, shared_u_j=idle.u_shared * duration_s))
        return EnergyValue(energy_j, combined(budget), tuple(budget))

    def _timing(self, i: int, late_s: float, step_w: float, duration_s: float) -> Component:
        moved_j = float(self.moved_j[i]) * (late_s / self.late_s if self.late_s else 0.0)
        return timing(self.description, late_s, step_w, duration_s, moved_j)

    def _resolution(self, duration_s: float, *, is_net: bool) -> Component:
        periods = [level for level in (self.idle.before, self.idle.after) if level is not None] if is_net else []
        if self.counter_step_j is not None:
            spans_s = [(level.span or level.window).duration_s for level in periods]
            return counter_resolution(self.counter_step_j, duration_s, spans_s)
        return resolution(self.description.resolution_w, 1 + is_net, duration_s, self.idle.noise)


def _with_intervals(
    values: Sequence[EnergyValue], spreads: Sequence[tuple[LevelAt, float]] | None, idle: Baseline
) -> list[EnergyValue]:
    """The energies with their intervals, from the shapes of all components (`interval`).

    Args:
        values: all gross or all net.
        spreads: the idle level at each window, and the window's duration in s; None: gross energies.
        idle: the baseline.
    """
    known = [i for i, value in enumerate(values) if math.isfinite(value.u_j)]
    if not known:
        return list(values)
    limits_j = [[limit_j for part in values[i].budget for limit_j in part.limits_j] for i in known]
    normal_j = [[part.u_j for part in values[i].budget if not part.limits_j and part.name != "baseline"] for i in known]
    variance, weight, dof = np.zeros((len(known), 1)), np.ones(1), math.inf
    if spreads is not None and idle.noise is not None:
        weight, dof = idle.noise.weight.ravel(), idle.noise.dof
        variance = np.stack([spreads[i][0].variance * spreads[i][1] ** 2 for i in known])
        for parts, i in zip(normal_j, known, strict=True):
            parts.append(spreads[i][0].drift_u * spreads[i][1])
    half_j = half_widths(variance, weight, dof, np.array([math.hypot(*parts) for parts in normal_j]), _rows(limits_j))
    result = list(values)
    for i, half in zip(known, half_j, strict=True):
        result[i] = replace(values[i], half_width_j=float(half))
    return result


def _rows(limits: Sequence[Sequence[float]]) -> Float64Array:
    """As an array, the shorter ones filled with 0: no limits."""
    table = np.zeros((len(limits), max(map(len, limits), default=0)))
    for row, values in zip(table, limits, strict=True):
        row[: len(values)] = values
    return table


def _reason(signal: Signal, integral: Integral) -> str:
    """Why a window has no energy: no integral, or a counter that did not tick in it, which is no true zero."""
    if not integral.reason and signal.semantics is Semantics.COUNTER and integral.value == 0:
        return "the counter did not move: the window is too short for its steps, or the meter hangs"
    return integral.reason
