"""Principal components of the table's quantities, each standardised to mean 0 and standard deviation 1."""

from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.statistics import LeftOut, Quantities
from terrawatt.records import Float64Array, Int64Array

_NEGLIGIBLE = 1e-10  # share of the variance below which a component is rounding error


@dataclass(frozen=True, eq=False)
class PcaResult:
    """Principal components of p quantities over n repetitions; k of them carry variance, k ≤ min(n - 1, p).

    Attributes:
        names: the p quantities.
        explained: (k,), share of the variance by component, falling.
        loadings: (p, k), correlation of each quantity with each component: the arrows of the correlation circle.
        scores: (n, k), the repetitions in the components' coordinates.
        rows: (n,), positions in the table of the repetitions.
        left_out: columns that were not used, with the reason.
    """

    names: tuple[str, ...]
    explained: Float64Array
    loadings: Float64Array
    scores: Float64Array
    rows: Int64Array
    left_out: tuple[LeftOut, ...]


def principal_components(found: Quantities) -> PcaResult:
    """Principal components by singular value decomposition of the standardised values.

    A component's sign is arbitrary; it is chosen so that its largest loading (the first of equals) is positive, which
    makes results comparable between machines and libraries.
    """
    values = found.values
    standardised = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    left, singular, right = np.linalg.svd(standardised, full_matrices=False)
    explained = singular**2 / np.sum(singular**2)
    k = int(np.sum(explained > _NEGLIGIBLE))
    loadings = right[:k].T * singular[:k] / np.sqrt(len(values) - 1)
    signs = _signs(loadings)
    return PcaResult(
        names=found.names,
        explained=explained[:k],
        loadings=np.clip(loadings * signs, -1.0, 1.0),
        scores=left[:, :k] * singular[:k] * signs,
        rows=found.rows,
        left_out=found.left_out,
    )


def _signs(loadings: Float64Array) -> Float64Array:
    """The sign of each component's largest loading, (k,); rounding does not decide between equals."""
    size = np.abs(loadings)
    largest = np.argmax(size >= size.max(axis=0) * (1 - 1e-9), axis=0)
    signs: Float64Array = np.sign(loadings[largest, np.arange(loadings.shape[1])])
    return signs
