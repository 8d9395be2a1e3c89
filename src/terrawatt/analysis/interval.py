"""The half-width of an interval around the sum of errors of several shapes.

The sum of a mixture of t distributions (the idle level), a normal one, and rectangular ones (limits of error). A t is a
normal distribution of random variance, so the first two are one mixture of normals; of the rectangular ones the widest
is convolved exactly, in closed form, and the others count by their variance.
"""

import numpy as np
from scipy.special import chdtri, ndtr

from terrawatt.records import Float64Array

CONFIDENCE = 0.95
NORMAL_95 = 1.959964  # a normal distribution's 95 % interval, in standard deviations
_GROUPS = 12  # of the mixture's variances
_TAILS = np.array([0.0, 0.0006, 0.002, 0.005, 0.01, 0.02, 0.04, 0.07, 0.12, 0.2, 0.35, 0.6, 0.85, 1.0])
_STEPS = 10


def half_widths(
    variance: Float64Array,
    weight: Float64Array,
    dof: float,
    normal_u: Float64Array,
    limits: Float64Array,
) -> Float64Array:
    """(w,) half-widths of the intervals that hold 95 % of the sums.

    Args:
        variance: (w, g) scales of the mixture's t distributions, squared.
        weight: (g,) their probabilities.
        dof: their degrees of freedom; infinite: normal distributions.
        normal_u: (w,) standard uncertainty of the normal part.
        limits: (w, k) half-widths of rectangular parts; k may be 0.
    """
    variance, weight = _grouped(variance, weight)
    factor, share = _inverse_chi_square(dof)
    mixed = (variance[:, :, None] * factor).reshape(len(variance), -1)
    probability = (weight[:, None] * share).ravel()
    widest = limits.max(axis=1, initial=0.0)
    others = normal_u**2 + ((limits**2).sum(axis=1) - widest**2) / 3
    sd = np.sqrt(mixed + others[:, None])
    return _solve(sd, probability, widest)


def _grouped(variance: Float64Array, weight: Float64Array) -> tuple[Float64Array, Float64Array]:
    """The mixture with few components: neighbours in the order of their variance taken together."""
    if len(weight) <= _GROUPS:
        return variance, weight
    order = np.argsort(variance[0])
    before = np.cumsum(weight[order]) - weight[order] / 2
    group = np.minimum((before * _GROUPS).astype(np.int64), _GROUPS - 1)
    member = np.zeros((len(order), _GROUPS))
    member[order, group] = weight[order]
    total = member.sum(axis=0)
    kept = total > 0
    return variance @ (member[:, kept] / total[kept]), total[kept] / total.sum()


def _inverse_chi_square(dof: float) -> tuple[Float64Array, Float64Array]:
    """Values of dof/χ² and their probabilities, dense where χ² is small: there the t distribution has its tails."""
    if not np.isfinite(dof):
        return np.ones(1), np.ones(1)
    middle = (_TAILS[1:] + _TAILS[:-1]) / 2
    return np.asarray(dof / chdtri(dof, 1 - middle)), np.diff(_TAILS)


def _solve(sd: Float64Array, probability: Float64Array, limit: Float64Array) -> Float64Array:
    """(w,) half-widths by Newton's method, kept inside a bracket by bisection."""
    low, high = np.zeros(len(sd)), limit + 6 * sd.max(axis=1)
    half = np.minimum(1.96 * np.sqrt(sd**2 @ probability + limit**2 / 3), high)
    for _ in range(_STEPS):
        inside, density = (values @ probability for values in _inside(half, sd, limit))
        low, high = np.where(inside < CONFIDENCE, half, low), np.where(inside < CONFIDENCE, high, half)
        step = (CONFIDENCE - inside) / np.maximum(density, 1e-300)
        half = np.where((half + step > low) & (half + step < high), half + step, (low + high) / 2)
    return np.asarray(half)


def _inside(half: Float64Array, sd: Float64Array, limit: Float64Array) -> tuple[Float64Array, Float64Array]:
    """(w, m) probability that a normal error plus a rectangular one lies within ± half, and its derivative.

    With J(x) = x Φ(x/s) + s φ(x/s), the integral of Φ: 2 · [J(half + limit) - J(half - limit)]/(2 limit) - 1.
    """
    half, limit = half[:, None], limit[:, None]
    sd = np.maximum(sd, 1e-4 * limit + 1e-100)
    if (limit < 0.3 * sd).all():  # the rectangle is hardly seen: by its variance
        z = half / np.sqrt(sd**2 + limit**2 / 3)
        return 2 * ndtr(z) - 1, _density(z) * 2 * z / np.maximum(half, 1e-100)
    width = np.maximum(limit, 0.01 * sd)  # narrower than that, differences would lose their digits
    above, below = (half + width) / sd, (half - width) / sd
    below_phi, above_phi = ndtr(below), ndtr(above)
    integral = above * above_phi + _density(above) - below * below_phi - _density(below)
    return integral * sd / width - 1, (above_phi - below_phi) / width


def _density(z: Float64Array) -> Float64Array:
    """Of the standard normal distribution."""
    return np.asarray(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
