"""Straight lines through points, ordinary and with uncertainties in both coordinates.

D. York, N. M. Evensen, M. López Martínez and J. De Basabe Delgado, "Unified equations for the slope, intercept, and
standard errors of the best straight line", Am. J. Phys. 72 (2004) 367: least squares in both coordinates, each point
with its own uncertainties and their correlation.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from terrawatt.analysis.repetitions import CONFIDENCE
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array

MIN_POINTS = 3  # two points always lie on a line, and nothing says how well
_STEPS, _PRECISION = 500, 1e-12


@dataclass(frozen=True, slots=True)
class OrdinaryLine:
    """Ordinary least squares of y on x: x is taken as exact.

    Attributes:
        n: points.
        intercept: in the unit of y.
        slope: y by x.
        r_squared: 1 - Σ(y - fit)²/Σ(y - ȳ)², the share of the variance of y that the line explains.
    """

    n: int
    intercept: float
    slope: float
    r_squared: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line y = intercept + slope x through n points with uncertainties in x and y.

    Attributes:
        n: points.
        intercept: in the unit of y.
        slope: y by x.
        u_intercept: standard uncertainty, from those of the points and, where they scatter more, from that.
        u_slope: likewise.
        intercept_interval: its 95 % interval, by Student's t with n - 2 degrees of freedom.
        slope_interval: likewise.
        x_mean: where the line is known best.
        u_mean: standard uncertainty of the line there.
        misfit: √(χ²/(n - 2)): 1 where the points scatter about the line as their uncertainties say; u_* are larger by
            this factor where it is above 1.
    """

    n: int
    intercept: float
    slope: float
    u_intercept: float
    u_slope: float
    intercept_interval: tuple[float, float]
    slope_interval: tuple[float, float]
    x_mean: float
    u_mean: float
    misfit: float

    @classmethod
    def of(
        cls,
        n: int,
        coefficients: tuple[float, float],
        u_slope: float,
        mean: tuple[float, float],
        misfit: float,
    ) -> "Line":
        """A line of (intercept, slope), with u_slope, and (x, u) where it is known best."""
        (intercept, slope), (x_mean, u_mean) = coefficients, mean
        u_intercept, factor = math.hypot(u_mean, x_mean * u_slope), _student(n)
        return cls(
            n=n,
            intercept=intercept,
            slope=slope,
            u_intercept=u_intercept,
            u_slope=u_slope,
            intercept_interval=(intercept - factor * u_intercept, intercept + factor * u_intercept),
            slope_interval=(slope - factor * u_slope, slope + factor * u_slope),
            x_mean=x_mean,
            u_mean=u_mean,
            misfit=misfit,
        )

    def with_common_error(self, u: float) -> "Line":
        """The line if all y may also be wrong by one factor, whose relative standard uncertainty is u."""
        at_mean = self.intercept + self.slope * self.x_mean
        u_slope, u_mean = math.hypot(self.u_slope, u * self.slope), math.hypot(self.u_mean, u * at_mean)
        return Line.of(self.n, (self.intercept, self.slope), u_slope, (self.x_mean, u_mean), self.misfit)

    def at(self, x: Float64Array) -> Float64Array:
        """The line at some x."""
        return self.intercept + self.slope * x

    def half_width(self, x: Float64Array) -> Float64Array:
        """Half-width of the 95 % interval of the line at some x; intercept and slope are uncorrelated about x_mean."""
        return np.asarray(_student(self.n) * np.hypot(self.u_mean, self.u_slope * (x - self.x_mean)))


def ordinary_line(x: Float64Array, y: Float64Array) -> OrdinaryLine:
    """The line of ordinary least squares, with R².

    Raises:
        AnalysisError: fewer than three points, or all x or all y are equal.
    """
    _require(x, y)
    slope = float(np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2))
    intercept = float(y.mean() - slope * x.mean())
    rest = float(np.sum((y - intercept - slope * x) ** 2))
    return OrdinaryLine(len(x), intercept, slope, 1 - rest / float(np.sum((y - y.mean()) ** 2)))


def york_line(
    x: Float64Array, y: Float64Array, u_x: Float64Array, u_y: Float64Array, r: Float64Array | float = 0.0
) -> Line:
    """The best line through points with uncertainties in both coordinates.

    Args:
        x: (n,).
        y: (n,).
        u_x: (n,) standard uncertainties of x; may be 0 where that of y is not.
        u_y: (n,) of y; may be 0 where that of x is not.
        r: (n,) correlation of both errors of a point.

    Raises:
        AnalysisError: fewer than three points, all x or all y equal, a point without uncertainty, or no convergence.
    """
    _require(x, y)
    scale_x, scale_y = float(np.std(x)), float(np.std(y))
    variance_x, variance_y = (u_x / scale_x) ** 2, (u_y / scale_y) ** 2
    covariance = r * u_x * u_y / (scale_x * scale_y)
    points = _Points(x / scale_x, y / scale_y, variance_x, variance_y, np.asarray(covariance))
    slope = points.settled(ordinary_line(points.x, points.y).slope)
    weight, x_mean, y_mean, along = points.about(slope)
    adjusted = x_mean + along
    x_adjusted = float(np.average(adjusted, weights=weight))
    chi2 = float(np.sum(weight * (points.y - y_mean - slope * (points.x - x_mean)) ** 2))
    misfit = math.sqrt(chi2 / (len(x) - 2))
    factor = max(1.0, misfit)
    u_slope = factor / math.sqrt(float(np.sum(weight * (adjusted - x_adjusted) ** 2)))
    u_mean = factor / math.sqrt(float(np.sum(weight)))
    return Line.of(
        n=len(x),
        coefficients=(float((y_mean - slope * x_mean) * scale_y), slope * scale_y / scale_x),
        u_slope=u_slope * scale_y / scale_x,
        mean=(x_adjusted * scale_x, u_mean * scale_y),
        misfit=misfit,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """Points with variances and covariance, in units in which x and y spread alike."""

    x: Float64Array
    y: Float64Array
    variance_x: Float64Array
    variance_y: Float64Array
    covariance: Float64Array

    def about(self, slope: float) -> tuple[Float64Array, float, float, Float64Array]:
        """Weights W, weighted means of x and y, and β, for a slope (York et al., section II)."""
        variance = self.variance_y + slope**2 * self.variance_x - 2 * slope * self.covariance
        if not (variance > 0).all():
            raise AnalysisError("a point without uncertainty: no weight can be given to it")
        weight = 1 / variance
        x_mean, y_mean = (float(np.average(values, weights=weight)) for values in (self.x, self.y))
        u, v = self.x - x_mean, self.y - y_mean
        along = weight * (u * self.variance_y + slope * v * self.variance_x - (slope * u + v) * self.covariance)
        return weight, x_mean, y_mean, along

    def settled(self, slope: float) -> float:
        """The slope that the iteration b = ΣWβV/ΣWβU comes to."""
        for _ in range(_STEPS):
            weight, x_mean, y_mean, along = self.about(slope)
            found = float(np.sum(weight * along * (self.y - y_mean)) / np.sum(weight * along * (self.x - x_mean)))
            if abs(found - slope) <= _PRECISION * max(1.0, abs(found)):
                return found
            slope = found
        raise AnalysisError("no line with uncertainties in both coordinates was found: the iteration does not settle")


def _student(n: int) -> float:
    """The quantile for 95 % intervals of a line through n points."""
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 2))


def _require(x: Float64Array, y: Float64Array) -> None:
    if len(x) < MIN_POINTS:
        raise AnalysisError(f"{len(x)} points, and a line needs {MIN_POINTS}")
    for name, values in (("x", x), ("y", y)):
        if np.ptp(values) <= 1e-12 * np.abs(values).max():
            raise AnalysisError(f"all {name} are equal, and no line can be told")
