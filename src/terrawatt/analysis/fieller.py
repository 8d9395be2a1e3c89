"""The ratio of two differences of means with its interval by Fieller, which holds also where the denominator is near 0.

E. C. Fieller, J. R. Stat. Soc. B 16 (1954) 175.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from terrawatt.records import Float64Array


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio and the ends of its 95 % interval; None where the denominator is not shown to differ from 0."""

    value: float
    low: float | None
    high: float | None

    @property
    def is_bounded(self) -> bool:
        """Whether there is an interval."""
        return self.low is not None

    def scaled(self, factor: float) -> "Ratio":
        """In another unit; the factor is above 0."""
        ends = [None if end is None else end * factor for end in (self.low, self.high)]
        return Ratio(self.value * factor, *ends)


def ratio_of_differences(first: Float64Array, second: Float64Array) -> Ratio:
    """(mean of y₂ - mean of y₁) / (mean of x₂ - mean of x₁), of two independent samples of pairs (y, x).

    The degrees of freedom are those of the smaller sample, which is the careful choice where variances differ.

    Args:
        first: (n₁, 2), n₁ ≥ 2.
        second: (n₂, 2), n₂ ≥ 2.
    """
    a, b = second.mean(axis=0) - first.mean(axis=0)
    covariance = sum(np.cov(sample, rowvar=False) / len(sample) for sample in (first, second))
    t = float(stats.t.ppf(0.975, min(len(first), len(second)) - 1))
    return fieller(float(a), float(b), np.asarray(covariance), t)


def fieller(a: float, b: float, covariance: Float64Array, t: float) -> Ratio:
    """The ratio a/b and its interval: all r for which a - r b is within t of its standard uncertainty.

    Args:
        a: numerator.
        b: denominator.
        covariance: (2, 2) of a and b.
        t: quantile.
    """
    value = a / b if b else float("nan")
    lead = b**2 - t**2 * covariance[1, 1]
    middle = a * b - t**2 * covariance[0, 1]
    last = a**2 - t**2 * covariance[0, 0]
    if lead <= 0:
        return Ratio(value, None, None)
    root = float(np.sqrt(max(middle**2 - lead * last, 0.0)))
    return Ratio(value, float((middle - root) / lead), float((middle + root) / lead))
