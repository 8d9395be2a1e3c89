"""How late the readings of a meter are: from load steps at known times, its delay and its time constant.

A meter is taken for a delay and a first-order lag: after a step of the load its power goes on for `delay`, and then
nears the new level as 1 - exp(-t/tau). Readings see that through their semantics. For each delay and tau on a grid, the
levels (with a linear drift) follow by least squares in closed form; the residuals weigh the pair, and mean and standard
deviation over all pairs are the estimate. So a delay that the readings leave open between two moments gets the
uncertainty of a rectangle, where the slope of a least-squares fit would claim to know it.

What moves energy across the ends of a window is the sum of both, `lag`: the area between a step and its response is
step x (delay + tau). It is better known than its parts, whose errors oppose each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from terrawatt.analysis.signal import Signal, seconds
from terrawatt.errors import AnalysisError
from terrawatt.records import BoolArray, Float64Array, Semantics
from terrawatt.units import NS_PER_S

MIN_STEP_RATIO = 6.0  # of the step to its standard uncertainty; the best of a grid reaches 3 to 4 in mere noise
MIN_STEP_RESOLUTIONS = 3.0
_LAGS, _TAUS = 41, 17  # points of the grid
_TEMPERS = (0.02, 0.1, 0.5, 1.0, 1.0)  # each narrows the grid to where the weights are, at first with care
_NEGLIGIBLE = 1e-4  # relative weight
_FITTED = 5  # level, drift, step, delay, tau
_LOOKS_PER_HOLD = 100  # at an on-change series
_MIN_LOOKS = 8


@dataclass(frozen=True, slots=True)
class LoadStep:
    """The moment at which the load went on or off."""

    t_ns: int
    is_busy: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard uncertainty."""

    value: float
    u: float


MISSING = Estimate(math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Latency:
    """What load steps say of a meter.

    Attributes:
        delay_s: the time before a step is seen at all; below 0 where the clock of the readings is ahead of ours.
        tau_s: the time constant with which it is then seen.
        lag_s: their sum, by which readings are to be shifted.
        step_w: height of the steps.
        n_readings: readings used.
        n_steps: steps seen.
        reason: why nothing can be said, else empty.
    """

    delay_s: Estimate
    tau_s: Estimate
    lag_s: Estimate
    step_w: Estimate
    n_readings: int
    n_steps: int
    reason: str = ""


def latency(signal: Signal, steps: Sequence[LoadStep], resolution_w: float = 0.0) -> Latency:
    """The latency of the readings of a meter.

    Args:
        signal: its readings, from before the first step until after the last one.
        steps: at least one up and one down, in turn and in order, at most once in two readings.
        resolution_w: the steps in which the meter shows power.

    Raises:
        AnalysisError: the steps are too few, or not in order, or not on and off in turn.
    """
    hold_s = _checked_hold_s(steps)
    looks = _looks(signal, steps[0].t_ns, hold_s).without_spikes()
    if len(looks) < max(_MIN_LOOKS, 2 * len(steps)):
        return _unknown(looks, steps, f"only {len(looks)} readings of {len(steps)} steps; hold each load longer")
    grid = _Grid.wide(hold_s)
    for temper in _TEMPERS:
        fit = _Fit.of(grid, looks, _response(grid, looks, steps), resolution_w, temper)
        if reason := fit.step_problem(resolution_w):
            return _unknown(looks, steps, reason, fit.step)
        grid = grid.around(fit.weight)
    scatter = _jackknife(fit.grid.widened(hold_s), looks, steps, resolution_w)
    floor_s = _unreported_s(signal, looks, fit.step.value, steps, hold_s)
    delay, tau, lag = (
        Estimate(found.value, math.hypot(max(found.u, other), floor_s))
        for found, other in zip(fit.moments(), scatter, strict=True)
    )
    if lag.value + 2 * lag.u > hold_s / 2 or lag.u > hold_s / 4:
        return _unknown(looks, steps, f"readings lag by more than {hold_s / 2:.3g} s or do not tell; hold longer")
    return Latency(delay, tau, lag, fit.step, len(looks), len(steps))


def _checked_hold_s(steps: Sequence[LoadStep]) -> float:
    """The shortest time between two steps."""
    if len(steps) < 2:
        raise AnalysisError(f"a latency needs 2 load steps at least, one up and one down, not {len(steps)}")
    times_ns = [step.t_ns for step in steps]
    if any(later <= earlier for earlier, later in pairwise(times_ns)):
        raise AnalysisError("load steps must be in the order of time, each at a time of its own")
    if any(one.is_busy == other.is_busy for one, other in pairwise(steps)):
        raise AnalysisError("load steps must go up and down in turn")
    return min(later - earlier for earlier, later in pairwise(times_ns)) / NS_PER_S


def _unknown(looks: "_Looks", steps: Sequence[LoadStep], reason: str, step: Estimate = MISSING) -> Latency:
    return Latency(MISSING, MISSING, MISSING, step, len(looks), len(steps), reason)


@dataclass(frozen=True, slots=True, eq=False)
class _Looks:
    """(n,) values of the power over [start_s, end_s], which is one moment for instantaneous readings; s since t0_ns."""

    start_s: Float64Array
    end_s: Float64Array
    value: Float64Array
    t0_ns: int

    def __len__(self) -> int:
        return len(self.value)

    @property
    def step_s(self) -> float:
        """Time between two of them."""
        return float(np.median(np.diff(self.end_s)))

    def only(self, kept: BoolArray) -> "_Looks":
        """Some of them."""
        return _Looks(self.start_s[kept], self.end_s[kept], self.value[kept], self.t0_ns)

    def without_spikes(self) -> "_Looks":
        """Without those that are off both levels by more than the step between them: something else ran."""
        if not len(self):
            return self
        low, high = np.quantile(self.value, [0.1, 0.9])
        return self.only(np.abs(self.value - (low + high) / 2) <= 1.5 * (high - low) + 1e-9 * abs(high))


def _looks(signal: Signal, t0_ns: int, hold_s: float) -> _Looks:
    """A signal's readings by what they mean."""
    t_s = seconds(signal.t_ns - t0_ns)
    match signal.semantics:
        case Semantics.INSTANTANEOUS:
            good = signal.is_reading
            return _Looks(t_s[good], t_s[good], signal.value[good], t0_ns)
        case Semantics.ON_CHANGE:  # what holds, looked at often: that nothing was sent is known too
            if not len(t_s):
                return _Looks(t_s, t_s, signal.value, t0_ns)
            at_s = np.arange(t_s[0], t_s[-1] + hold_s, hold_s / _LOOKS_PER_HOLD)
            held = signal.value[np.searchsorted(t_s, at_s, side="right") - 1]
            return _Looks(at_s, at_s, held, t0_ns)
        case _:
            good = ~(signal.is_bridged | signal.is_broken)
            return _Looks(t_s[:-1][good], t_s[1:][good], signal.level[good], t0_ns)


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """(D,) lags and (K,) time constants, in s; no lag is beyond the limits.

    A delay and a time constant with the same sum are hardly told apart by means and counters: so the sum is an axis.
    """

    lag_s: Float64Array
    tau_s: Float64Array
    limits_s: tuple[float, float]

    @classmethod
    def wide(cls, hold_s: float) -> "_Grid":
        """All that steps with such a time between them can tell."""
        limits_s = (-hold_s / 4, hold_s / 2)
        taus = np.concatenate(([0.0], np.geomspace(hold_s / 1000, hold_s / 2, _TAUS - 1)))
        return cls(np.linspace(*limits_s, _LAGS), taus, limits_s)

    def around(self, weight: Float64Array) -> "_Grid":
        """A finer grid where the (D, K) weights are."""
        kept = weight > _NEGLIGIBLE * weight.max()
        lags, taus = (_hull(axis, kept.any(axis=i)) for axis, i in ((self.lag_s, 1), (self.tau_s, 0)))
        return _Grid(np.linspace(*lags, _LAGS), np.linspace(*taus, _TAUS), self.limits_s)

    def widened(self, hold_s: float) -> "_Grid":
        """Three times as wide, for parts of the readings, which say less."""
        (d0, d1), (k0, k1) = ((axis[0], axis[-1]) for axis in (self.lag_s, self.tau_s))
        low, high = self.limits_s
        lags = np.linspace(max(2 * d0 - d1, low), min(2 * d1 - d0, high), _LAGS)
        return _Grid(lags, np.linspace(max(2 * k0 - k1, 0.0), min(2 * k1 - k0, hold_s / 2), _TAUS), self.limits_s)


def _hull(axis: Float64Array, kept: BoolArray) -> tuple[float, float]:
    """The ends of what is kept, one point further on both sides."""
    where = np.flatnonzero(kept)
    return float(axis[max(where[0] - 1, 0)]), float(axis[min(where[-1] + 1, len(axis) - 1)])


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """(D, K) weights of the pairs of a grid, and the step's height at the best one."""

    grid: _Grid
    weight: Float64Array
    step: Estimate
    noise_w: float

    @classmethod
    def of(cls, grid: _Grid, looks: _Looks, response: Float64Array, resolution_w: float, temper: float = 1.0) -> "_Fit":
        """The fit of the (D, K, n) response of each pair to a load of 1; `temper` below 1 flattens the weights."""
        n = len(looks)
        basis, _ = np.linalg.qr(np.stack([np.ones(n), looks.end_s - looks.end_s.mean()], axis=1))
        y = looks.value - basis @ (basis.T @ looks.value)
        x = response - (response @ basis) @ basis.T
        xx, xy = np.einsum("dkn,dkn->dk", x, x), x @ y
        xx = np.maximum(xx, 1e-9)
        height = np.maximum(xy, 0.0) / xx  # a load never lowers the power
        squares = np.maximum(y @ y - height * xy, 0.0)
        best = np.unravel_index(int(np.argmin(squares)), squares.shape)
        dof = _independent(y - height[best] * x[best]) - _FITTED
        floor = n * max(resolution_w**2 / 12, (1e-4 * float(height[best])) ** 2, 1e-18)
        log_weight = -max(dof, 1.0) * temper / 2 * np.log(squares + floor)
        weight = np.exp(log_weight - log_weight.max()) * _cell(grid.tau_s)
        noise_w = math.sqrt((float(squares[best]) + floor) / max(n - _FITTED, 1))
        u = noise_w * math.sqrt(n / max(dof, 1.0)) / math.sqrt(float(xx[best]))
        return cls(grid, weight / weight.sum(), Estimate(float(height[best]), u), noise_w)

    def step_problem(self, resolution_w: float) -> str:
        """Why the step says nothing of the latency; empty when it does."""
        smallest_w = max(MIN_STEP_RATIO * self.step.u, MIN_STEP_RESOLUTIONS * resolution_w)
        if self.step.value >= smallest_w:
            return ""
        return (
            f"the load step of {self.step.value:.3g} W is too small: with a noise of {self.noise_w:.2g} W and these "
            f"readings, {smallest_w:.2g} W are needed; load more of the machine, or repeat more often"
        )

    def moments(self) -> tuple[Estimate, Estimate, Estimate]:
        """Delay, time constant, and their sum."""
        lag, tau = np.broadcast_arrays(self.grid.lag_s[:, None], self.grid.tau_s)
        return self._moment(lag - tau), self._moment(tau), self._moment(lag)

    def _moment(self, value: Float64Array) -> Estimate:
        mean = float((self.weight * value).sum())
        return Estimate(mean, math.sqrt(max(float((self.weight * (value - mean) ** 2).sum()), 0.0)))


def _cell(axis: Float64Array) -> Float64Array:
    """The width for which each point of an axis stands: the prior is flat in s, the first grid is not."""
    return np.asarray(np.gradient(axis)) if axis[-1] > axis[0] else np.ones(len(axis))


def _independent(residual: Float64Array) -> float:
    """How many independent readings are worth as much: n (1 - r)/(1 + r), r the correlation of neighbours."""
    total = float(residual @ residual)
    r = float(residual[1:] @ residual[:-1]) / total if total > 0 else 0.0
    r = min(max(r, 0.0), 0.99)
    return len(residual) * (1 - r) / (1 + r)


def _response(grid: _Grid, looks: _Looks, steps: Sequence[LoadStep]) -> Float64Array:
    """(D, K, n) what each pair makes of a load of 1: the sum of its responses to all steps."""
    total = np.zeros((len(grid.lag_s), len(grid.tau_s), len(looks)))
    length_s = looks.end_s - looks.start_s
    for step in steps:
        sign = 1.0 if step.is_busy else -1.0
        since_s = looks.end_s - (step.t_ns - looks.t0_ns) / NS_PER_S - grid.lag_s[:, None]
        for k, tau_s in enumerate(grid.tau_s):
            end_s = since_s + tau_s  # a delay is the lag less the time constant
            if length_s.any():
                total[:, k] += sign * (_area(end_s, tau_s) - _area(end_s - length_s, tau_s)) / length_s
            else:
                total[:, k] += sign * _height(end_s, tau_s)
    return total


def _height(since_s: Float64Array, tau_s: float) -> Float64Array:
    """The response to a unit step, some time after the delay."""
    if tau_s <= 0:
        return (since_s >= 0).astype(np.float64)
    return np.asarray(-np.expm1(-np.maximum(since_s, 0.0) / tau_s))


def _area(since_s: Float64Array, tau_s: float) -> Float64Array:
    """The integral of the response since the step."""
    since_s = np.maximum(since_s, 0.0)
    return since_s if tau_s <= 0 else np.asarray(since_s + tau_s * np.expm1(-since_s / tau_s))


def _unreported_s(signal: Signal, looks: _Looks, step_w: float, steps: Sequence[LoadStep], hold_s: float) -> float:
    """What the stairs of an on-change series leave open: the time between two looks, and the area beside the stairs."""
    if signal.semantics is not Semantics.ON_CHANGE:
        return 0.0
    cell_s = signal.cell_s
    area = np.abs(np.diff(signal.value)) * cell_s / 2
    stairs_s = float(area[cell_s < hold_s / 4].sum()) / len(steps) / step_w
    return math.hypot(looks.step_s / math.sqrt(12), stairs_s)


def _jackknife(
    grid: _Grid, looks: _Looks, steps: Sequence[LoadStep], resolution_w: float
) -> tuple[float, float, float]:
    """Standard uncertainties of delay, time constant and lag from leaving out one cycle at a time.

    A meter that is late by another time at each step shows itself here. 0 where there is only one cycle.
    """
    at_s = np.array([(step.t_ns - looks.t0_ns) / NS_PER_S for step in steps])
    cycle = np.maximum(np.searchsorted(at_s, looks.end_s, side="right") - 1, 0) // 2
    n_cycles = int(cycle.max()) + 1
    if n_cycles < 2:
        return 0.0, 0.0, 0.0
    response = _response(grid, looks, steps)
    found = []
    for left_out in range(n_cycles):
        kept = cycle != left_out
        fit = _Fit.of(grid, looks.only(kept), response[:, :, kept], resolution_w)
        found.append([moment.value for moment in fit.moments()])
    u = np.sqrt((n_cycles - 1) * np.var(np.array(found), axis=0))
    return float(u[0]), float(u[1]), float(u[2])
