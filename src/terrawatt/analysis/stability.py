"""Whether an idle level was steady: its slope, its change from before to after, and bursts of a foreign load.

Each is judged against what the noise of the idle readings does by itself (`noise`), so a level that merely wanders is
not called unsteady. The codes are those of verdicts:

    baseline-slope    the level rises or falls within an idle period by more than 2 u
    baseline-change   it differs between the two idle periods by more than 2 u
    baseline-bursts   single readings stand out above, and lift the level by more than its own u
"""

import math
from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.baseline import Baseline, IdleLevel
from terrawatt.records import BoolArray, Float64Array

COVERAGE_FACTOR = 2.0
_FAR = 6.0  # robust standard deviations above the median: what Gaussian noise does once in 10⁹ readings
_MAD_TO_SD = 1.4826
_FEWEST = 4  # readings for a slope or a burst to be told
_S_PER_H = 3600.0


@dataclass(frozen=True, slots=True)
class Stability:
    """What is to be said of an idle level.

    Attributes:
        slope_per_h: of the period with the clearer one, in the unit of the signal per hour; NaN: too few readings.
        u_slope_per_h: its standard uncertainty under the noise.
        change: level after less level before; NaN with one idle period.
        u_change: its standard uncertainty.
        burst_lift: by how much single high readings lift the level.
        codes: which of these are more than noise.
    """

    slope_per_h: float
    u_slope_per_h: float
    change: float
    u_change: float
    burst_lift: float
    codes: tuple[str, ...]


def stability(idle: Baseline) -> Stability:
    """The stability of a baseline; nothing stands out where there is none."""
    levels = [level for level in (idle.before, idle.after) if level is not None]
    slope, u_slope = max((_slope(idle, level) for level in levels), key=_clearness, default=(math.nan, math.nan))
    change, u_change = idle.change()
    lifts = [(_burst_lift(level), level) for level in levels]
    lift = max((value for value, _ in lifts), default=0.0)
    codes = []
    if abs(slope) > COVERAGE_FACTOR * u_slope:
        codes.append("baseline-slope")
    if abs(change) > COVERAGE_FACTOR * u_change:
        codes.append("baseline-change")
    if any(value > _own_u(level) for value, level in lifts):
        codes.append("baseline-bursts")
    return Stability(slope, u_slope, change, u_change, lift, tuple(codes))


def _slope(idle: Baseline, level: IdleLevel) -> tuple[float, float]:
    """Slope per hour and its standard uncertainty."""
    if idle.noise is None or len(level.readings.value) < _FEWEST:
        return math.nan, math.nan
    slope, variance = idle.noise.slope_variance(level.readings)
    if not np.ptp(level.readings.value):  # else what is left of a constant by rounding
        return 0.0, 0.0
    (u,) = idle.standard(variance.reshape(1, -1), np.zeros(1))
    return slope * _S_PER_H, float(u) * _S_PER_H


def _clearness(slope: tuple[float, float]) -> float:
    value, u = slope
    if math.isnan(u):
        return -1.0
    return abs(value) / u if u > 0 else (math.inf if value else 0.0)


def _burst_lift(level: IdleLevel) -> float:
    """The level less what it is without the readings that stand out."""
    value = level.readings.value
    is_far = _stands_out(value)
    return float(value.mean() - value[~is_far].mean()) if is_far.any() else 0.0


def _own_u(level: IdleLevel) -> float:
    """The standard error of the mean of a level's other readings as if they were independent: a lower bound of u."""
    value = level.readings.value
    rest = value[~_stands_out(value)]
    return float(rest.std(ddof=1)) / math.sqrt(len(rest)) if len(rest) > 1 else math.inf


def _stands_out(value: Float64Array) -> BoolArray:
    """(n,) readings far above the others; none where more than half are equal, or there are few."""
    median = np.median(value) if len(value) else 0.0
    spread = _MAD_TO_SD * float(np.median(np.abs(value - median))) if len(value) >= _FEWEST else 0.0
    if spread == 0:
        return np.zeros(len(value), np.bool_)
    return np.asarray(value > median + _FAR * spread)
