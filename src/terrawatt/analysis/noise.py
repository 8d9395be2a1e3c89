"""How an idle level wanders: correlated noise plus white noise, neither known, therefore averaged over.

The machine's noise is an Ornstein-Uhlenbeck process (an AR(1) in continuous time) with correlation time τ; readings see
it through their semantics, and the meter adds white noise. From one short idle period neither τ nor the white share can
be estimated well: estimates find too little correlation, and intervals from them lie. So every pair on a grid gets a
weight: a prior times the residual (REML) likelihood of the idle readings, with one unknown mean for each idle period,
the variance integrated out with the prior 1/σ². Given a pair, a contrast of means has a t distribution; over all pairs,
a mixture of them.

Source of the likelihood: H. D. Patterson and R. Thompson, Biometrika 58 (1971). Its coverage for net energies is
measured by benchmarks/coverage.py.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from terrawatt.records import Float64Array

TAU_S = np.geomspace(2.0, 600.0, 18)
WHITE = np.array([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])  # shares of the variance of one reading
GRID = len(TAU_S) * len(WHITE)
MAX_BLOCKS = 60  # longer periods are averaged in blocks: what counts is slower than a 60th of them
_WHITE_PRIOR = np.array([0.5, *[0.024] * 5, 0.38])  # mostly one kind of noise alone


def prior(step_s: float) -> Float64Array:
    """(T, L) prior of the grid's pairs for readings that far apart.

    In log τ it is √x · exp(-x) with x = step/τ: correlation times about as long as the step are the most likely, and
    longer ones less and less. Few readings do not contradict it, so there it decides. It was chosen so that intervals
    keep their promise in all cells of benchmarks/coverage.py, not for what machines are known to do.
    """
    ratio = step_s / TAU_S
    density = (np.exp(-ratio) * np.sqrt(ratio))[:, None] * _WHITE_PRIOR
    return np.asarray(density / density.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Consecutive readings of one idle period.

    Attributes:
        value: (n,) the readings.
        step_s: time between two of them.
        is_mean: whether a reading is the mean of its step (means, counters), or a look at one moment.
    """

    value: Float64Array
    step_s: float
    is_mean: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A mean over a stretch of time, with its weight in a contrast."""

    start_s: float
    end_s: float
    weight: float

    @property
    def length_s(self) -> float:
        """Of the stretch."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, eq=False)
class IdleNoise:
    """What idle readings say about their noise.

    Attributes:
        weight: (T, L) probability of each pair of correlation time and white share.
        variance: (T, L) of one reading, given the pair.
        dof: degrees of freedom of the variances.
        step_s: time between two readings.
        is_mean: see `Readings`.
        rms_difference: of neighbouring readings.
    """

    weight: Float64Array
    variance: Float64Array
    dof: int
    step_s: float
    is_mean: bool
    rms_difference: float

    def contrast(self, parts: Sequence[Part]) -> Float64Array:
        """(T, L) variance of a weighted sum of means of the noise over stretches that do not overlap."""
        parts = sorted(parts, key=lambda part: part.start_s)
        correlated, white = np.zeros(len(TAU_S)), 0.0
        for i, part in enumerate(parts):
            correlated += part.weight**2 * mean_variance(part.length_s, self.step_s, is_mean=self.is_mean)
            white += part.weight**2 / max(part.length_s / self.step_s, 1.0)
            for later in parts[i + 1 :]:
                apart_s = max(later.start_s - part.end_s, 0.0)
                covariance = mean_covariance(part.length_s, later.length_s, apart_s, self.step_s, is_mean=self.is_mean)
                correlated += 2 * part.weight * later.weight * covariance
        return np.asarray(self.variance * ((1 - WHITE) * correlated[:, None] + WHITE * white))

    def slope_variance(self, period: Readings) -> tuple[float, Float64Array]:
        """The least-squares slope of a period's readings, per s, and its (T, L) variance under this noise."""
        values, size = _blocks(period)
        t_s = (np.arange(len(values)) - (len(values) - 1) / 2) * size * period.step_s
        weight = t_s / (t_s @ t_s)
        spectrum = _spectrum(len(values), size, float(f"{period.step_s:.3g}"), period.is_mean)
        along = (1 / spectrum.inverse @ ((spectrum.basis @ weight) ** 2)[:, :, None])[:, :, 0]
        return float(weight @ values), np.asarray(self.variance * along)


def mean_variance(length_s: float, step_s: float, *, is_mean: bool) -> Float64Array:
    """(T,) variance of the mean of all readings over some time, by that of one, of the correlated noise.

    Looks: [n (1 + φ)/(1 - φ) - 2φ (1 - φⁿ)/(1 - φ)²]/n² with φ = exp(-step/τ); 1 for up to one reading.
    Means: the ratio of 2 (θ - 1 + exp(-θ))/θ² at θ = length/τ to that at step/τ.
    """
    length_s = max(length_s, step_s)
    if is_mean:
        return np.asarray(_interval_variance(length_s / TAU_S) / _interval_variance(step_s / TAU_S))
    n, phi = length_s / step_s, np.exp(-step_s / TAU_S)
    return np.asarray((n * (1 + phi) / (1 - phi) - 2 * phi * (1 - phi**n) / (1 - phi) ** 2) / n**2)


def mean_covariance(earlier_s: float, later_s: float, apart_s: float, step_s: float, *, is_mean: bool) -> Float64Array:
    """(T,) covariance of the means over two stretches of time, by the variance of one reading."""
    earlier_s, later_s = max(earlier_s, step_s), max(later_s, step_s)
    decay = np.exp(-apart_s / TAU_S) * np.expm1(-earlier_s / TAU_S) * np.expm1(-later_s / TAU_S)
    if is_mean:
        return np.asarray(decay * TAU_S**2 / (earlier_s * later_s) / _interval_variance(step_s / TAU_S))
    phi = np.exp(-step_s / TAU_S)
    return np.asarray(decay * phi / (1 - phi) ** 2 * step_s**2 / (earlier_s * later_s))


def _interval_variance(theta: Float64Array) -> Float64Array:
    """Variance of the mean of the process over θ correlation times, by its own; a series where that is 1 - θ/3."""
    near = 1 - theta / 3 + theta**2 / 12
    return np.where(theta < 1e-4, near, 2 * (theta + np.expm1(-theta)) / np.maximum(theta, 1e-4) ** 2)


def idle_noise(periods: Sequence[Readings]) -> IdleNoise | None:
    """The noise of one or more idle periods with the same law, but each with its own mean.

    Returns:
        None where no period has two readings.
    """
    periods = [period for period in periods if len(period.value) > 1]
    if not periods:
        return None
    blocks = [_blocks(period) for period in periods]
    step_s, is_mean = periods[0].step_s, periods[0].is_mean
    dof = sum(len(values) - 1 for values, _ in blocks)
    squares, log_likelihood = np.zeros((len(TAU_S), len(WHITE))), np.log(prior(step_s))
    for (values, size), period in zip(blocks, periods, strict=True):
        spectrum = _spectrum(len(values), size, float(f"{period.step_s:.3g}"), period.is_mean)
        squares = squares + spectrum.residual(values - values.mean())
        log_likelihood = log_likelihood - spectrum.log_determinant
    rms = math.sqrt(float(np.mean(np.concatenate([np.diff(period.value) for period in periods]) ** 2)))
    if squares.max() <= 0:  # a constant level
        return IdleNoise(prior(step_s), np.zeros_like(squares), dof, step_s, is_mean, rms)
    log_likelihood = log_likelihood - dof / 2 * np.log(squares)
    weight = np.exp(log_likelihood - log_likelihood.max())
    return IdleNoise(weight / weight.sum(), squares / dof, dof, step_s, is_mean, rms)


def _blocks(period: Readings) -> tuple[Float64Array, int]:
    """Means of equal blocks of readings, at most `MAX_BLOCKS`, and the size of a block."""
    size = math.ceil(len(period.value) / MAX_BLOCKS)
    n_blocks = len(period.value) // size
    return period.value[: n_blocks * size].reshape(n_blocks, size).mean(axis=1), size


@dataclass(frozen=True, slots=True, eq=False)
class _Spectrum:
    """The covariances of m blocks on the grid, diagonal in the basis of each correlation time.

    Attributes:
        basis: (T, m, m) eigenvectors as rows.
        ones: (T, m) the constant in that basis.
        inverse: (T, L, m) one by the variances along it.
        log_determinant: (T, L) ½ log|C| + ½ log(1'C⁻¹1).
    """

    basis: Float64Array
    ones: Float64Array
    inverse: Float64Array
    log_determinant: Float64Array

    def residual(self, y: Float64Array) -> Float64Array:
        """(T, L) y'C⁻¹y - (1'C⁻¹y)²/(1'C⁻¹1)."""
        z = self.basis @ y
        square = (self.inverse @ (z**2)[:, :, None])[:, :, 0]
        cross = (self.inverse @ (self.ones * z)[:, :, None])[:, :, 0]
        ones = (self.inverse @ (self.ones**2)[:, :, None])[:, :, 0]
        return np.asarray(square - cross**2 / ones)


@lru_cache(maxsize=64)
def _spectrum(n_blocks: int, size: int, step_s: float, is_mean: bool) -> _Spectrum:
    """Of blocks of some readings each. It does not depend on the readings' values, so it is kept."""
    length_s = size * step_s
    lags = np.arange(1, n_blocks)
    covariance = np.empty((len(TAU_S), n_blocks))
    covariance[:, 0] = mean_variance(length_s, step_s, is_mean=is_mean)
    next_one = mean_covariance(length_s, length_s, 0.0, step_s, is_mean=is_mean)
    covariance[:, 1:] = next_one[:, None] * np.exp(-(lags - 1) * length_s / TAU_S[:, None])
    index = np.arange(n_blocks)
    values, vectors = np.linalg.eigh(covariance[:, np.abs(index[:, None] - index)])
    basis = np.swapaxes(vectors, 1, 2).copy()
    variance = (1 - WHITE)[:, None] * np.maximum(values, 1e-12)[:, None, :] + (WHITE / size)[:, None]
    ones = basis.sum(axis=2)
    inverse = 1 / variance
    information = (inverse @ (ones**2)[:, :, None])[:, :, 0]
    log_determinant = (np.log(variance).sum(axis=2) + np.log(information)) / 2
    return _Spectrum(basis, ones, inverse, log_determinant)
