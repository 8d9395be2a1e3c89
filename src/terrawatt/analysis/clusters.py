"""Correlation matrices of scenarios drawn again: repetitions of one scenario are no independent evidence.

What varies in a sweep are its settings, so the scenario is what is drawn (cluster bootstrap). A drawn sample's sums are
sums of the scenarios' sums; no value has to be looked at twice.
"""

from collections.abc import Sequence

import numpy as np

from terrawatt.records import Float64Array, Int64Array

MIN_CLUSTERS = 8  # with fewer, what is drawn says too little of what might have been
SEED = 0  # of the resampling: equal tables give equal results


def resampled_correlations(values: Float64Array, clusters: Sequence[Int64Array], resamples: int) -> Float64Array:
    """(B, p, p) Pearson correlations over clusters drawn with replacement; NaN where a quantity is constant in a draw.

    Args:
        values: (n, p).
        clusters: for each the positions of its rows; the rows of one stay together.
        resamples: B.
    """
    m, p = len(clusters), values.shape[1]
    standard = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    sizes = np.array([len(rows) for rows in clusters], dtype=np.float64)
    sums = np.array([standard[rows].sum(axis=0) for rows in clusters])
    products = np.array([(standard[rows].T @ standard[rows]).ravel() for rows in clusters])
    random = np.random.default_rng(SEED)
    drawn = random.multinomial(m, np.full(m, 1 / m), size=resamples).astype(np.float64)
    n = (drawn @ sizes)[:, None]
    mean = (drawn @ sums) / n
    covariance = ((drawn @ products) / n).reshape(resamples, p, p) - mean[:, :, None] * mean[:, None, :]
    variance = np.einsum("bii->bi", covariance)
    sd = np.sqrt(np.where(variance > 1e-12, variance, np.nan))
    return np.asarray(np.clip(covariance / (sd[:, :, None] * sd[:, None, :]), -1.0, 1.0))
