"""Repetitions far from the others of their scenario, by the modified z-score: flagged, never removed.

    z = 0.6745 (x - median) / MAD,  an outlier where |z| > 3.5

after B. Iglewicz and D. C. Hoaglin, *How to Detect and Handle Outliers*, ASQC 1993. The median of the absolute
deviations (MAD) of few values is too small on average; it is corrected by the factors of C. Croux and P. J. Rousseeuw,
*Time-efficient algorithms for two highly robust estimators of scale*, COMPSTAT 1992.
"""

import numpy as np

from terrawatt.records import Float64Array, Severity, Verdict

FEWEST = 5  # values; among fewer, none can be called far from the others
LIMIT = 3.5
_NORMAL = 0.6745  # the MAD of a normal distribution, in standard deviations
_SMALL_SAMPLES = {5: 1.206, 6: 1.200, 7: 1.140, 8: 1.129, 9: 1.107}


def modified_z(values: Float64Array, least_scatter: float = 0.0) -> Float64Array:
    """The modified z-score of each value; NaN where it is missing, or there are too few.

    Args:
        values: (n,) of repetitions of one scenario; NaN where missing.
        least_scatter: a standard deviation below which a scatter is not believed, e.g. what the measurement itself
            scatters by; so that of nearly equal values none is far.
    """
    known = values[np.isfinite(values)]
    if len(known) < FEWEST:
        return np.full(len(values), np.nan)
    median = np.median(known)
    mad = float(np.median(np.abs(known - median)))
    scatter = _SMALL_SAMPLES.get(len(known), len(known) / (len(known) - 0.8)) * mad / _NORMAL
    scatter = max(scatter, least_scatter, 1e-9 * abs(float(median)), np.finfo(np.float64).tiny)
    return np.asarray((values - median) / scatter)


def outlier_verdicts(column: str, values: Float64Array, least_scatter: float = 0.0) -> tuple[Verdict | None, ...]:
    """For each value of a column: what is to be said of it, where it is far from the others."""
    z = modified_z(values, least_scatter)
    median = float(np.median(values[np.isfinite(values)])) if np.isfinite(values).any() else np.nan
    return tuple(
        _verdict(column, value, median, score) if abs(score) > LIMIT else None
        for value, score in zip(values, z, strict=True)
    )


def _verdict(column: str, value: float, median: float, z: float) -> Verdict:
    off = f" ({value / median - 1:+.1%})" if median > 0 else ""
    message = f"{value:.4g} is far from the scenario's median of {median:.4g}{off}: modified z {z:+.1f}"
    advice = "look at its power curve and log for what happened; it stays in the means unless you leave it out"
    return Verdict("outlier", Severity.DOUBTFUL, message, advice, column)
