"""How sure the loadings of principal components are, and what each quantity contributes to a component.

The scenarios are drawn again (`clusters`); of one scenario, its repetitions. The components of a draw are given the
order and the signs of those of the table that they are most alike, so that a band does not show components that changed
places.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import linear_sum_assignment
from scipy.special import expit, logit

from terrawatt.analysis.clusters import MIN_CLUSTERS, resampled_correlations
from terrawatt.analysis.correlation import scenarios_of
from terrawatt.analysis.pca import principal_components
from terrawatt.analysis.statistics import LeftOut, quantities
from terrawatt.analysis.table import Table
from terrawatt.records import Float64Array, Int64Array

MAX_COMPONENTS = 3
MIN_REPETITIONS = 10  # of one scenario, for bands
RESAMPLES = 500
_EDGE = 1 - 1e-12  # ±1 is infinite on Fisher's scale


@dataclass(frozen=True, slots=True)
class Loading:
    """One quantity in one component: its correlation with it, the 95 % band, and its share of the component."""

    quantity: str
    loading: float
    low: float | None
    high: float | None
    contribution: float


@dataclass(frozen=True, slots=True)
class Component:
    """A principal component: its share of the variance with the 95 % band, and its loadings, the largest first."""

    number: int
    explained: float
    explained_low: float | None
    explained_high: float | None
    loadings: tuple[Loading, ...]


@dataclass(frozen=True, slots=True)
class Components:
    """The first principal components of a table.

    Attributes:
        n: repetitions.
        scenarios: they belong to.
        components: at most 3.
        resamples: how many; 0 without bands.
        reason: why there are no bands.
        left_out: columns that were not used, with the reason.
    """

    n: int
    scenarios: int
    components: tuple[Component, ...]
    resamples: int
    reason: str
    left_out: tuple[LeftOut, ...]


def components(table: Table) -> Components:
    """The first components of a table's quantities, with bands.

    Raises:
        AnalysisError: too few complete repetitions, or quantities that vary.
    """
    found = quantities(table)
    result = principal_components(found)
    k = min(MAX_COMPONENTS, len(result.explained))
    groups = scenarios_of(table, found)
    drawn, reason = _units(len(found.rows), groups)
    bands = _bands(found.values, drawn, result.loadings[:, :k], result.explained[:k]) if drawn else None
    return Components(
        n=len(found.rows),
        scenarios=len(groups),
        components=tuple(_component(i, result.explained, result.loadings, found.names, bands) for i in range(k)),
        resamples=RESAMPLES if drawn else 0,
        reason=reason,
        left_out=found.left_out,
    )


def contributions(loadings: Float64Array) -> Float64Array:
    """(p, k) the share of each quantity in each component: its squared loading by the sum of all of them."""
    return np.asarray(loadings**2 / np.sum(loadings**2, axis=0))


def aligned(loadings: Float64Array, reference: Float64Array) -> tuple[Float64Array, Int64Array]:
    """The loadings of a draw in the order and with the signs of a reference, and the positions they had.

    Each is given the reference that it is most congruent with (Tucker's coefficient), all together as well as can be.

    Args:
        loadings: (p, q), q ≥ k.
        reference: (p, k).
    """
    norms = np.linalg.norm(loadings, axis=0)[:, None] * np.linalg.norm(reference, axis=0)
    congruence = np.divide(loadings.T @ reference, norms, out=np.zeros(norms.shape), where=norms > 0)
    rows, columns = linear_sum_assignment(-np.abs(congruence))
    position = rows[np.argsort(columns)]
    signs = np.where(congruence[position, np.arange(reference.shape[1])] < 0, -1.0, 1.0)
    return loadings[:, position] * signs, position


def _units(n: int, groups: Sequence[Int64Array]) -> tuple[list[Int64Array], str]:
    """What is drawn again: scenarios, or the repetitions of a single one; none with the reason."""
    if len(groups) >= MIN_CLUSTERS:
        return list(groups), ""
    if len(groups) == 1:
        if n >= MIN_REPETITIONS:
            return list(np.arange(n, dtype=np.int64)[:, None]), ""
        return [], f"{n} repetitions of one scenario, and {MIN_REPETITIONS} are needed"
    return [], f"{len(groups)} scenarios, and {MIN_CLUSTERS} are needed"


def _bands(
    values: Float64Array, units: Sequence[Int64Array], reference: Float64Array, explained: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """(2, p, k) ends of the loadings' bands, and (2, k) of the shares of the variance.

    Percentiles of few scenarios are too narrow; on Fisher's scale (of shares: that of logits), Student's t by the
    standard deviation of the draws is not.
    """
    k, p = reference.shape[1], values.shape[1]
    drawn = resampled_correlations(values, units, RESAMPLES)
    drawn = drawn[np.isfinite(drawn).all(axis=(1, 2))]
    roots, vectors = np.linalg.eigh(drawn)
    roots, vectors = np.maximum(roots[:, ::-1], 0.0), vectors[:, :, ::-1]
    loadings, shares = np.empty((len(drawn), p, k)), np.empty((len(drawn), k))
    for i, (root, vector) in enumerate(zip(roots, vectors, strict=True)):
        loadings[i], position = aligned(vector * np.sqrt(root), reference)
        shares[i] = root[position] / p
    factor = float(stats.t.ppf(0.975, len(units) - 1))
    z, half = np.arctanh(np.clip(reference, -_EDGE, _EDGE)), _spread(np.arctanh(np.clip(loadings, -_EDGE, _EDGE)))
    middle, around = logit(np.clip(explained, 1 - _EDGE, _EDGE)), _spread(logit(np.clip(shares, 1 - _EDGE, _EDGE)))
    sides = np.array([-factor, factor])
    return np.tanh(z + sides[:, None, None] * half), np.asarray(expit(middle + sides[:, None] * around))


def _spread(drawn: Float64Array) -> Float64Array:
    return np.asarray(drawn.std(axis=0, ddof=1))


def _component(
    number: int,
    explained: Float64Array,
    loadings: Float64Array,
    names: Sequence[str],
    bands: tuple[Float64Array, Float64Array] | None,
) -> Component:
    share = contributions(loadings)
    order = np.argsort(-np.abs(loadings[:, number]), kind="stable").tolist()

    def ends(i: int) -> tuple[float | None, float | None]:
        return (None, None) if bands is None else (float(bands[0][0, i, number]), float(bands[0][1, i, number]))

    low, high = (None, None) if bands is None else (float(bands[1][0, number]), float(bands[1][1, number]))
    return Component(
        number + 1,
        float(explained[number]),
        low,
        high,
        tuple(Loading(names[i], float(loadings[i, number]), *ends(i), float(share[i, number])) for i in order),
    )
