"""What the residuals of a linear model say: values that it does not explain, and scatter that is not the same."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import linalg, stats

from terrawatt.records import Float64Array, Int64Array

LEVEL = 0.05
MOST_OUTLIERS = 10
_RANK = 1e-9
_LEVEL_SCATTER = 0.01  # of a difference in scatter: the model bears small ones
_RATIO_SCATTER = 1.5  # between the standard deviations, below which it does not matter
_FEWEST = 5  # values of which a scatter is judged


@dataclass(frozen=True, slots=True)
class UnequalScatter:
    """A factor at whose levels the repetitions scatter differently.

    Attributes:
        factor: its name.
        quietest: the level with the smallest standard deviation of the residuals.
        u_quietest: that, of a logarithm: 0.01 is 1 %.
        noisiest: the level with the largest one.
        u_noisiest: likewise.
        p: by the test of M. B. Brown and A. B. Forsythe, J. Am. Stat. Assoc. 69 (1974).
    """

    factor: str
    quietest: str
    u_quietest: float
    noisiest: str
    u_noisiest: float
    p: float


def orthogonal_basis(columns: Float64Array) -> Float64Array:
    """(n, r) an orthonormal basis of what the columns span."""
    q, r, _ = linalg.qr(columns, mode="economic", pivoting=True)
    size = np.abs(np.diag(r))
    return np.asarray(q[:, size > _RANK * size.max()])


def outlying(y: Float64Array, columns: Float64Array) -> list[tuple[int, float, float]]:
    """The rows that a model does not explain: (position, residual, adjusted p), the farthest first.

    By externally studentised residuals, with Bonferroni's correction for n of them (R. D. Cook and S. Weisberg,
    *Residuals and Influence in Regression*, 1982, 2.2); the farthest is taken out, and the others are judged again.
    Its residual is that from the others' prediction.
    """
    left = np.arange(len(y))
    found: list[tuple[int, float, float]] = []
    while len(found) < MOST_OUTLIERS:
        q = orthogonal_basis(columns[left])
        n, rank = q.shape
        dof = n - rank - 1
        room = 1 - np.einsum("ij,ij->i", q, q)
        residual = y[left] - q @ (q.T @ y[left])
        is_judged = room > 1e-6
        rss = float(residual @ residual)
        if dof < _FEWEST or rss <= 0:
            break
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = np.where(is_judged, residual / np.sqrt(room), 0.0)
            t = scaled * np.sqrt(dof / np.maximum(rss - scaled**2, 1e-12 * rss))
        farthest = int(np.argmax(np.abs(t)))
        p = min(1.0, n * 2 * float(stats.t.sf(abs(t[farthest]), dof)))
        if p >= LEVEL:
            break
        found.append((int(left[farthest]), float(residual[farthest] / room[farthest]), p))
        left = np.delete(left, farthest)
    return found


def unequal_scatter(
    residual: Float64Array, levels: Mapping[str, tuple[tuple[str, ...], Int64Array]]
) -> list[UnequalScatter]:
    """The factors at whose levels the residuals scatter so differently that it matters.

    Args:
        residual: (n,).
        levels: factor -> its labels, and (n,) which of them each row has.
    """
    found = []
    for factor, (labels, level) in levels.items():
        groups = [(label, residual[level == i]) for i, label in enumerate(labels)]
        groups = [(label, values) for label, values in groups if len(values) >= _FEWEST]
        if len(groups) < 2:
            continue
        spread = [(float(values.std(ddof=1)), label) for label, values in groups]
        (least, quietest), (most, noisiest) = min(spread), max(spread)
        p = float(stats.levene(*(values for _, values in groups), center="median").pvalue)
        if p * len(levels) < _LEVEL_SCATTER and most > _RATIO_SCATTER * least:
            found.append(UnequalScatter(factor, quietest, least, noisiest, most, p))
    return found
