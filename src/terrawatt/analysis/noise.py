"""How an idle level wanders: an AR(1) process whose correlation is not known and is therefore averaged over.

Batch means and autocorrelation times estimate the correlation from one short idle period, find too little of it, and
give intervals that lie. Here every correlation φ on a grid gets a weight: the residual (REML) likelihood of the idle
readings under an AR(1) with one unknown mean for each idle period, the variance integrated out with the prior 1/σ².
Everything that follows is averaged with these weights.

Source of the likelihood: H. D. Patterson and R. Thompson, Biometrika 58 (1971). Its coverage for net energies is
in docs/method.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrawatt.records import Float64Array

# Dense towards 1, where the variance of a mean changes fastest; a flat prior over the grid.
PHI = np.concatenate(([0.0], 1 - np.geomspace(0.95, 0.004, 48)))
_MORE_READINGS_THAN_PERIODS = 3  # below, the mean of the variance's distribution does not exist


@dataclass(frozen=True, slots=True, eq=False)
class IdleNoise:
    """What idle readings say about their noise.

    Attributes:
        weight: (m,) probability of each correlation in `PHI`.
        variance: (m,) expected variance of one reading, given that correlation.
    """

    weight: Float64Array
    variance: Float64Array

    def expect(self, values: Float64Array) -> float:
        """The mean of (m,) values over the correlations."""
        return float(self.weight @ values)


def mean_variance(n: float) -> Float64Array:
    """(m,) variance of the mean of n consecutive readings of an AR(1), by the variance of one.

    [n (1 + φ)/(1 - φ) - 2φ (1 - φⁿ)/(1 - φ)²] / n²; 1 for up to one reading.
    """
    n = max(n, 1.0)
    return np.asarray((n * (1 + PHI) / (1 - PHI) - 2 * PHI * (1 - PHI**n) / (1 - PHI) ** 2) / n**2)


def mean_covariance(n: float, m: float, between: float) -> Float64Array:
    """(m,) covariance of the means of n and of m consecutive readings of an AR(1), by the variance of one.

    φᵈ (1 - φⁿ)(1 - φᵐ)/[(1 - φ)² n m], with d steps from the last reading of the one to the first of the other.

    Args:
        n: readings of the earlier mean.
        m: readings of the later mean.
        between: steps that lie between the two; negative counts as 0.
    """
    n, m = max(n, 1.0), max(m, 1.0)
    apart = 1 + max(between, 0.0)
    return np.asarray(PHI**apart * (1 - PHI**n) * (1 - PHI**m) / (1 - PHI) ** 2 / (n * m))


def idle_noise(periods: Sequence[Float64Array]) -> IdleNoise | None:
    """The noise of one or more idle periods with the same correlation and variance, but each with its own mean.

    Args:
        periods: (n_i,) consecutive readings of each.

    Returns:
        None where there are too few readings (fewer than 4 for one period) to tell.
    """
    periods = [values for values in periods if len(values)]
    n_free = sum(map(len, periods)) - len(periods)
    if n_free < _MORE_READINGS_THAN_PERIODS:
        return None
    parts = [_residual(values) for values in periods]
    squares = sum((part[0] for part in parts), np.zeros_like(PHI))
    log_determinant = sum((part[1] for part in parts), np.zeros_like(PHI))
    if squares[0] <= 0:  # a constant level
        return IdleNoise(np.full(len(PHI), 1 / len(PHI)), np.zeros_like(PHI))
    log_likelihood = log_determinant - n_free / 2 * np.log(squares)
    weight = np.exp(log_likelihood - log_likelihood.max())
    variance = squares / (n_free - 2) / (1 - PHI**2)
    return IdleNoise(weight / weight.sum(), variance)


def _residual(values: Float64Array) -> tuple[Float64Array, Float64Array]:
    """For each φ: the residual sum of squares in units of the innovations, and the log-likelihood's determinants.

    With the AR(1)'s inverse covariance Q (tridiagonal, innovation variance 1): y'Qy - (1'Qy)²/(1'Q1), and
    ½ log(1 - φ²) - ½ log(1'Q1). Both follow from four sums over the readings, so a long idle period costs no more.
    """
    y = values - values.mean()
    ends, inner = y[0] + y[-1], y[1:-1]
    if len(y) == 1:
        return np.zeros_like(PHI), np.zeros_like(PHI)
    yQy = y @ y + PHI**2 * (inner @ inner) - 2 * PHI * (y[1:] @ y[:-1])
    oneQy = (1 - PHI) * (ends + (1 - PHI) * inner.sum())
    oneQone = (1 - PHI) * (2 + (1 - PHI) * (len(y) - 2))
    return yQy - oneQy**2 / oneQone, (np.log(1 - PHI**2) - np.log(oneQone)) / 2
