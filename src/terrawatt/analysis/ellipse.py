"""The ellipse that holds 95 % of the repetitions of a scenario, in two quantities."""

import numpy as np
from scipy import stats

from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array

MIN_VALUES = 5  # with fewer the ellipse is far larger than the points, and says nothing


def prediction_ellipse(values: Float64Array, corners: int = 72, confidence: float = 0.95) -> Float64Array:
    """(corners + 1, 2) points of the ellipse that holds a further repetition with some confidence, the first twice.

    Hotelling: (x - x̄)ᵀ S⁻¹ (x - x̄) ≤ 2 (n² - 1) / (n (n - 2)) · F(2, n - 2), for a bivariate normal distribution.

    Args:
        values: (n, 2).
        corners: of the polygon.
        confidence: of the region.

    Raises:
        AnalysisError: fewer than 5 values, or they lie on a line.
    """
    n = len(values)
    if n < MIN_VALUES:
        raise AnalysisError(f"{n} values, and {MIN_VALUES} are needed for an ellipse")
    spread = np.asarray(values.std(axis=0, ddof=1))
    if (spread <= 1e-12 * np.abs(values).max(axis=0)).any():
        raise AnalysisError("a quantity does not vary: no ellipse")
    correlation = float(np.clip(np.asarray(np.corrcoef(values, rowvar=False))[0, 1], -1, 1))
    size2 = 2 * (n**2 - 1) / (n * (n - 2)) * float(stats.f.ppf(confidence, 2, n - 2))
    angle = np.linspace(0, 2 * np.pi, corners + 1)
    circle = np.column_stack([np.cos(angle), np.sin(angle)]) * np.sqrt(size2)
    # By Cholesky's factor of the correlation: x along its own axis, y partly along x.
    x, y = circle[:, 0], correlation * circle[:, 0] + np.sqrt(1 - correlation**2) * circle[:, 1]
    return np.asarray(values.mean(axis=0) + np.column_stack([x, y]) * spread)
