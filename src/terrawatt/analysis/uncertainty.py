"""The uncertainty of an energy: its components, each in J, and what they come to together.

In the terms of the GUM (JCGM 100:2008): limits ±a without further knowledge are a rectangular distribution, u = a/√3.
`docs/method.md` derives each component and says what is not covered.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.noise import IdleNoise
from terrawatt.analysis.signal import Signal
from terrawatt.errors import AnalysisError
from terrawatt.records import AccuracyBand, MeterError, SourceDescription

TIMING_S = 1.0  # the delay of a source and the offset of its clock are within this, or one interval if that is less
_SQRT_3, _SQRT_12 = math.sqrt(3), math.sqrt(12)


@dataclass(frozen=True, slots=True)
class Component:
    """One part of an uncertainty.

    Attributes:
        name: where it comes from.
        u_j: its standard uncertainty; NaN where that is unknown.
        limits_j: the half-widths of the rectangular distributions that it is the sum of; empty: it is no such sum.
        shared_u_j: the part of `u_j` that all repetitions of a run have in common.
    """

    name: str
    u_j: float
    limits_j: tuple[float, ...] = ()
    shared_u_j: float = 0.0

    @classmethod
    def within(cls, name: str, *limits_j: float, is_shared: bool = False) -> "Component":
        """Of errors that lie within limits, any value as likely as another."""
        u_j = math.hypot(*limits_j) / _SQRT_3
        return cls(name, u_j, tuple(abs(limit_j) for limit_j in limits_j), u_j if is_shared else 0.0)

    def scaled(self, factor: float) -> "Component":
        """That of an energy times a factor."""
        limits_j = tuple(limit_j * factor for limit_j in self.limits_j)
        return Component(self.name, self.u_j * factor, limits_j, self.shared_u_j * factor)


def combined(components: Sequence[Component]) -> float:
    """The root of the sum of the squares; NaN where a part is unknown."""
    return math.sqrt(sum(component.u_j**2 for component in components))


def combined_shared(components: Sequence[Component]) -> float:
    """The same of the parts that repetitions share: what a mean over them cannot make smaller."""
    return math.sqrt(sum(component.shared_u_j**2 for component in components))


def accuracy_problem(accuracy: Sequence[AccuracyBand]) -> str:
    """Why a meter's limits of error cannot be told from its bands; empty when they can."""
    ends = [math.inf if band.below_w is None else band.below_w for band in accuracy]
    if not ends:
        return "the source's accuracy is not declared"
    if ends != sorted(set(ends)) or ends[-1] < math.inf:
        return "the source's accuracy has holes: its bands must ascend in below_w, and the last one have none"
    return ""


def accuracy_limit_w(accuracy: Sequence[AccuracyBand], power_w: float) -> float:
    """The half-width of a meter's error at a power: that of the first band that reaches above it.

    Raises:
        AnalysisError: the bands do not say it.
    """
    if problem := accuracy_problem(accuracy):
        raise AnalysisError(problem)
    power_w = abs(power_w)
    band = next(band for band in accuracy if band.below_w is None or power_w < band.below_w)
    return band.plus_minus_w + band.plus_minus_percent / 100 * power_w


def meter(description: SourceDescription, power_w: float, idle_w: float | None, duration_s: float) -> Component:
    """Of the meter's accuracy over a window. All readings at one power err alike: it does not shrink with their number.

    Gross (without an idle level): its limits at the power. Net: an offset is the same share of the limits at both
    powers, and only the difference of the limits stays; a gain, of the largest size within both limits, leaves its part
    of the difference of the powers; errors that are unknown count at both powers, independently.
    """
    if accuracy_problem(description.accuracy):
        return Component("meter", math.nan, shared_u_j=math.nan)
    limit_w = accuracy_limit_w(description.accuracy, power_w)
    if idle_w is None:
        return Component.within("meter", duration_s * limit_w, is_shared=True)
    idle_limit_w = accuracy_limit_w(description.accuracy, idle_w)
    match description.error:
        case MeterError.OFFSET:
            return Component.within("meter", duration_s * (limit_w - idle_limit_w), is_shared=True)
        case MeterError.GAIN:
            gains = [limit / abs(level) for limit, level in ((limit_w, power_w), (idle_limit_w, idle_w)) if level]
            return Component.within("meter", duration_s * min(gains, default=0.0) * (power_w - idle_w), is_shared=True)
        case MeterError.UNKNOWN:
            return Component.within("meter", duration_s * limit_w, duration_s * idle_limit_w, is_shared=True)


def resolution(resolution_w: float, n_levels: int, duration_s: float, noise: IdleNoise | None) -> Component:
    """Of the steps q in which a meter shows power, at each of some levels: q/√12 · exp(-2π² s²/q²).

    Readings that do not change are all off alike, by up to q/2. Where they scatter with a standard deviation s, their
    mean is off by at most q/π · exp(-2π² s²/q²) (B. Widrow, I. Kollár, *Quantization Noise*, 2008), and the scatter
    itself is part of the noise.
    """
    if not resolution_w:
        return Component("resolution", 0.0)
    scatter_w = noise.rms_difference / math.sqrt(2) if noise is not None else 0.0
    left = math.exp(-2 * (math.pi * scatter_w / resolution_w) ** 2)
    u_j = duration_s * resolution_w * left * math.sqrt(n_levels) / _SQRT_12
    return Component("resolution", u_j, shared_u_j=u_j)


def counter_resolution(step_j: float, duration_s: float, idle_s: Sequence[float]) -> Component:
    """Of the steps q in which a counter goes: q/√12 at each reading, two of the window and two of each idle period."""
    u_j = step_j * math.sqrt(2) / _SQRT_12
    idle_u_j = u_j * math.hypot(*(duration_s / length_s / len(idle_s) for length_s in idle_s))
    return Component("resolution", math.hypot(u_j, idle_u_j), shared_u_j=idle_u_j)


def counter_step(signal: Signal) -> float:
    """The smallest step of a counter that is also seen standing still; 0 where it never is."""
    steps = np.diff(signal.value[signal.is_reading])
    return float(steps[steps > 0].min()) if (steps == 0).any() and (steps > 0).any() else 0.0


def late_limit_s(description: SourceDescription, signal: Signal) -> float:
    """How late readings may be at most, with what the source's clock is off; 0 where that was calibrated."""
    if description.u_latency_s is not None:
        return 0.0
    if description.timing_s is not None:
        return description.timing_s
    return min(TIMING_S, signal.interval_s if signal.interval_s is not None else TIMING_S)


def timing(
    description: SourceDescription, late_s: float, step_w: float, duration_s: float, moved_j: float = 0.0
) -> Component:
    """Of readings that come late: a delay τ moves energy of τ · step out of the window, no more than it holds.

    A calibrated delay has been corrected, and its standard uncertainty stays; else it is within a limit. Repetitions
    share it.

    Args:
        description: of the source.
        late_s: that limit, less what the sampling's correction finds again.
        step_w: of the power at the window's ends.
        duration_s: of the window.
        moved_j: what readings show that such a delay moves, where it is long (`shifts.moved_values`): the step itself
            is then seen too small. The larger of the two counts.
    """
    if description.u_latency_s is None:
        limit_j = max(min(late_s, duration_s) * abs(step_w), moved_j)
        return Component.within("timing", limit_j, is_shared=True)
    u_j = min(description.u_latency_s, duration_s) * abs(step_w)
    return Component("timing", u_j, shared_u_j=u_j)


def gaps(gap_s: float, step_w: float) -> Component:
    """Of the seconds without readings: the power there may have been off by the whole step."""
    return Component.within("gaps", gap_s * step_w)
