"""Correlations of a table's quantities with their intervals: Pearson's beside Spearman's.

Pearson's r sees straight relations, Spearman's ρ (that of the ranks) all that rise or fall throughout, and outliers
move it little. In one scenario repetitions are independent, and the intervals are Fisher's (for ρ with the variance by
Bonett and Wright, 2000). Of several scenarios the scenario is what counts, and is drawn again (`clusters`); with 2 to 7
scenarios there is no interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from terrawatt.analysis.clusters import MIN_CLUSTERS, resampled_correlations
from terrawatt.analysis.scenarios import level_label, scenario_rows
from terrawatt.analysis.statistics import LeftOut, Quantities, quantities
from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array, Int64Array

MIN_REPETITIONS = 10  # of one scenario, for intervals
RESAMPLES = 1_000
MODEL = "Model"
_SHOWN = 12  # pairs in words and in the table
_EDGE = 1 - 1e-12  # Fisher's z of ±1 is infinite


@dataclass(frozen=True, slots=True)
class CorrelationPair:
    """Two quantities. An interval is None without one, `Correlations.reason` says why."""

    first: str
    second: str
    pearson: float
    pearson_interval: tuple[float, float] | None
    spearman: float
    spearman_interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Correlations:
    """The correlations of the quantities measured, the strongest first; by Pearson.

    Attributes:
        n: repetitions.
        scenarios: they belong to.
        n_quantities: how many quantities are compared.
        pairs: the strongest ones between what was measured; pairs of scores, and of energies, are left out.
        method: of the intervals.
        reason: why there are no intervals; empty where there are.
        left_out: columns that were not used, with the reason.
    """

    n: int
    scenarios: int
    n_quantities: int
    pairs: tuple[CorrelationPair, ...]
    method: str
    reason: str
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, eq=False)
class Intervals:
    """Correlations of p quantities, with the ends of their 95 % intervals; (p, p), NaN without any."""

    values: Float64Array
    low: Float64Array
    high: Float64Array
    reason: str = ""


def correlations(table: Table) -> Correlations:
    """The strongest correlations between unlike quantities of a table.

    Raises:
        AnalysisError: too few complete repetitions, or quantities that vary.
    """
    found = quantities(table)
    clusters = scenarios_of(table, found)
    pearson = with_intervals(found.values, clusters)
    spearman = with_intervals(ranks(found.values), clusters, of_ranks=True)
    pairs = _strongest(table, found.names, pearson.values)
    return Correlations(
        n=len(found.rows),
        scenarios=len(clusters),
        n_quantities=len(found.names),
        pairs=tuple(_pair(found.names, i, j, pearson, spearman) for i, j in pairs),
        method="" if pearson.reason else _method(len(clusters)),
        reason=pearson.reason,
        left_out=found.left_out,
    )


def ranks(values: Float64Array) -> Float64Array:
    """(n, p) ranks within each column; equal values share their mean rank."""
    return np.asarray(stats.rankdata(values, axis=0), dtype=np.float64)


def spearman_matrix(found: Quantities) -> Float64Array:
    """(p, p) Spearman's ρ: Pearson's correlation of the ranks."""
    return np.clip(np.corrcoef(ranks(found.values), rowvar=False), -1.0, 1.0)


def scenarios_of(table: Table, found: Quantities) -> list[Int64Array]:
    """The rows of each scenario among those that are used, as positions in `found.values`."""
    position = {int(row): i for i, row in enumerate(found.rows)}
    groups = ([position[row] for row in map(int, one.rows) if row in position] for one in scenario_rows(table))
    return [np.array(rows, dtype=np.int64) for rows in groups if rows]


def by_model(table: Table) -> list[tuple[str, Table]]:
    """The table of each model by its name, in the table's order; none where there is one model only."""
    if MODEL not in table.frame:
        return []
    cells = table.frame[MODEL]
    names = list(dict.fromkeys(cells.dropna().tolist()))
    parts = [(level_label(MODEL, name), Table(table.frame[cells == name], table.columns)) for name in names]
    return parts if len(parts) > 1 else []


def with_intervals(values: Float64Array, clusters: Sequence[Int64Array], *, of_ranks: bool = False) -> Intervals:
    """Pearson's correlation of some columns, and its intervals.

    Args:
        values: (n, p).
        clusters: the rows of each scenario.
        of_ranks: whether the values are ranks, and the correlation Spearman's.
    """
    r = np.clip(np.corrcoef(values, rowvar=False), -1.0, 1.0)
    n, m = len(values), len(clusters)
    z = np.arctanh(np.clip(r, -_EDGE, _EDGE))
    if m == 1 and n >= MIN_REPETITIONS:
        u, quantile = np.sqrt((1 + r**2 / 2 if of_ranks else 1.0) / (n - 3)), float(stats.norm.ppf(0.975))
        half = np.broadcast_to(quantile * u, r.shape)
    elif m >= MIN_CLUSTERS:
        drawn = np.arctanh(np.clip(resampled_correlations(values, clusters, RESAMPLES), -_EDGE, _EDGE))
        half = float(stats.t.ppf(0.975, m - 1)) * np.nanstd(drawn, axis=0, ddof=1)
    else:
        none = np.full(r.shape, np.nan)
        return Intervals(r, none, none, _why_none(n, m))
    return Intervals(r, np.tanh(z - half), np.tanh(z + half))


def _why_none(n: int, scenarios: int) -> str:
    if scenarios == 1:
        return f"{n} repetitions of one scenario, and {MIN_REPETITIONS} are needed for intervals"
    return (
        f"{scenarios} scenarios, and {MIN_CLUSTERS} are needed for intervals (or one scenario with {MIN_REPETITIONS} "
        "repetitions): what differs between few scenarios may do so by chance"
    )


def _method(scenarios: int) -> str:
    if scenarios == 1:
        return "Fisher's, of independent repetitions; for Spearman's with the variance by Bonett and Wright (2000)"
    return f"on Fisher's scale from {RESAMPLES} draws of whole scenarios, Student's t with {scenarios - 1} dof"


def _strongest(table: Table, names: Sequence[str], r: Float64Array) -> list[tuple[int, int]]:
    """Positions of the pairs that correlate most, without those that do so by what they are."""
    rows, columns = np.triu_indices(len(names), k=1)
    family = [_FAMILIES.get(table.columns[name].kind, name) for name in names]
    unlike = [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if family[i] != family[j]]
    if not unlike:
        raise AnalysisError("all quantities that vary are of one kind (scores, or energies): nothing to relate")
    return sorted(unlike, key=lambda pair: (-abs(float(r[pair])), pair))[:_SHOWN]


_FAMILIES = {
    ColumnKind.ENERGY: "energy",
    ColumnKind.EMISSIONS: "energy",
    ColumnKind.PHASE: "energy",
    ColumnKind.PERFORMANCE: "performance",
    ColumnKind.FACTOR: "settings",
    ColumnKind.MODEL: "settings",
}


def _pair(names: Sequence[str], i: int, j: int, pearson: Intervals, spearman: Intervals) -> CorrelationPair:
    return CorrelationPair(
        names[i],
        names[j],
        float(pearson.values[i, j]),
        _ends(pearson, i, j),
        float(spearman.values[i, j]),
        _ends(spearman, i, j),
    )


def _ends(found: Intervals, i: int, j: int) -> tuple[float, float] | None:
    low, high = float(found.low[i, j]), float(found.high[i, j])
    return None if np.isnan(low) or np.isnan(high) else (low, high)
