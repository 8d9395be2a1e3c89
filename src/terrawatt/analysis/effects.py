"""What the factors of a sweep do to the energy: a mixed model of its logarithm, and what follows from it.

On logarithms a factor that makes everything 10 % dearer adds the same to all values, and scatter is relative. Beside
the factors and their interactions the model has a drift over the order of the run, and a random intercept for what
several repetitions have in common: host, block, session (`design`). Zero and negative energies have no logarithm; they
are counted, and left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from terrawatt.analysis.comparison import holm
from terrawatt.analysis.design import MIN_DOF, Coding, Design, Term, design
from terrawatt.analysis.detection import LEVEL
from terrawatt.analysis.marginal import CellMean, Conditional, Fitted, MarginalMean, Pair, Ratio, Step
from terrawatt.analysis.mixed import FTest, MixedFit, fit_mixed
from terrawatt.analysis.residuals import UnequalScatter, orthogonal_basis, outlying, unequal_scatter
from terrawatt.analysis.scenarios import scenario_rows
from terrawatt.analysis.statistics import LeftOut, numbers
from terrawatt.analysis.table import ColumnKind, Table, common_column
from terrawatt.records import Float64Array, Int64Array

MIXED, LEAST_SQUARES = "mixed model (REML)", "ordinary least squares"
_ROUNDING = 1e-12  # of a logarithm: scatter below it is that of floating-point numbers


@dataclass(frozen=True, slots=True)
class FactorUsed:
    """A factor in the model: how it is coded, and its levels."""

    name: str
    coding: Coding
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RandomEffect:
    """What repetitions have in common: the standard deviation of its intercept, of a logarithm; 0 where singular."""

    name: str
    levels: int
    sd: float


@dataclass(frozen=True, slots=True)
class TermTest:
    """A line of the table of effects.

    Attributes:
        name: `Model`, `Model × Learning rate`, `Order`.
        factors: of the term; empty for the order.
        f: Wald's F.
        dof: of the numerator.
        dof_residual: of the denominator (Satterthwaite).
        p: of the hypothesis that there is no such effect.
        p_adjusted: by Holm, over all terms.
        partial_eta2: its size: its share of its own variation and the error's together.
    """

    name: str
    factors: tuple[str, ...]
    f: float
    dof: int
    dof_residual: float
    p: float
    p_adjusted: float
    partial_eta2: float

    @property
    def is_shown(self) -> bool:
        """Whether the effect is shown, at the level of 5 % for all terms together."""
        return self.p_adjusted < LEVEL


@dataclass(frozen=True, slots=True)
class Outlier:
    """A repetition that the model does not explain.

    Attributes:
        row: its position in the table.
        run: its number, likewise group and repetition; None where the table has none.
        ratio: its energy by what the model expects from the others.
        p: adjusted for all repetitions.
    """

    row: int
    run: int | None
    group: int | None
    repetition: int | None
    ratio: float
    p: float


@dataclass(frozen=True, slots=True)
class Effects:
    """What the factors do. Without a model, `reason` says why; else it is empty.

    Attributes:
        column: of the energy.
        n: repetitions in the model.
        scenarios: they belong to.
        not_positive: repetitions whose energy is not above 0, which are left out.
        missing: repetitions without an energy.
        method: mixed model, or ordinary least squares.
        why: the reason for that.
        factors: in the model.
        left_out: factors, groupings and interactions that are not, with the reason.
        random: the random intercepts.
        sd: standard deviation of the residuals, of a logarithm: 0.02 is about 2 %.
        u_common: the relative standard uncertainty that all repetitions share (meter, idle level), in no interval here;
            None where the table does not have it.
        terms: the table of effects.
        means: the marginal means of each factor.
        cells: those of each interaction.
        pairs: the levels of each factor against each other.
        steps: what a step of a numeric factor does.
        conditionals: of each interaction that is shown, what its one factor does at the levels of the other.
        drift: the last repetition of a run by its first; None where there is no such term.
        outliers: repetitions that the model does not explain; they are in it all the same.
        changed: terms that are shown with the outliers and not without them, or the other way.
        scatter: factors at whose levels the scatter is not the same, as the model takes it to be.
        reason: why there is no model.
    """

    column: str = ""
    n: int = 0
    scenarios: int = 0
    not_positive: int = 0
    missing: int = 0
    method: str = ""
    why: str = ""
    factors: tuple[FactorUsed, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    random: tuple[RandomEffect, ...] = ()
    sd: float | None = None
    u_common: float | None = None
    terms: tuple[TermTest, ...] = ()
    means: tuple[MarginalMean, ...] = ()
    cells: tuple[CellMean, ...] = ()
    pairs: tuple[Pair, ...] = ()
    steps: tuple[Step, ...] = ()
    conditionals: tuple[Conditional, ...] = ()
    drift: Ratio | None = None
    outliers: tuple[Outlier, ...] = ()
    changed: tuple[str, ...] = ()
    scatter: tuple[UnequalScatter, ...] = ()
    reason: str = ""

    def term(self, *factors: str) -> TermTest | None:
        """The term of some factors, in any order; of none: the order."""
        return next((term for term in self.terms if set(term.factors) == set(factors)), None)

    def pairs_of(self, factor: str) -> tuple[Pair, ...]:
        """The comparisons of one factor's levels."""
        return tuple(pair for pair in self.pairs if pair.factor == factor)

    def means_of(self, factor: str) -> tuple[MarginalMean, ...]:
        """The marginal means of one factor."""
        return tuple(mean for mean in self.means if mean.factor == factor)


def effects(table: Table) -> Effects:
    """What the factors of a table do to the main net energy (where there is none, to CodeCarbon's).

    Args:
        table: without the values that must not be used.
    """
    column = _main_energy(table)
    if not column:
        return Effects(reason="no energy has a value")
    values = numbers(table, column)
    rows = np.flatnonzero(np.isfinite(values) & (values > 0)).astype(np.int64)
    base = Effects(
        column=column,
        n=len(rows),
        scenarios=len(scenario_rows(Table(table.frame.iloc[rows], table.columns))),
        missing=int((~np.isfinite(values)).sum()),
        not_positive=int((values <= 0).sum()),
    )
    if not len(rows):
        return replace(base, reason="no energy is above 0")
    built, y = design(table, rows), np.log(values[rows])
    base = replace(base, left_out=(*built.left_out, *built.without))
    if not built.factors:
        return replace(base, reason=_too_little(built))
    if _scatter(y, built.x) <= _ROUNDING:
        return replace(base, reason="equal settings gave equal energies: without scatter there is nothing to judge by")
    fit, method, why = _fit(y, built)
    found = _with_estimates(replace(base, method=method, why=why), Fitted(built, fit))
    outliers = _outliers(table, rows, y, built)
    return replace(
        found,
        u_common=_u_common(table, column, rows),
        outliers=outliers,
        changed=_changed(table, values, outliers, found.terms),
        scatter=_unequal(y, built),
    )


def _main_energy(table: Table) -> str:
    names = [*table.of_kind(ColumnKind.ENERGY), *(n for n in table.of_kind(ColumnKind.EMISSIONS) if "Energy" in n)]
    return next((name for name in names if np.isfinite(numbers(table, name)).any()), "")


def _too_little(built: Design) -> str:
    few = [left.name for left in built.left_out if left.reason.startswith("too few")]
    if not few:
        return "no factor varies: there is one scenario"
    n = len(built.x)
    return (
        f"too few repetitions: with {', '.join(few)}, {n} of them leave less than {MIN_DOF} degrees of freedom to "
        "judge by; two scenarios take 3 repetitions each"
    )


def _scatter(y: Float64Array, x: Float64Array) -> float:
    """The root mean square of what least squares leave."""
    q = orthogonal_basis(x)
    return float(np.sqrt(np.mean(np.square(y - q @ (q.T @ y)))))


def _fit(y: Float64Array, built: Design) -> tuple[MixedFit, str, str]:
    """The fit, the name of its method, and why it is that."""
    if not built.random:
        left = [each.name for each in built.left_out if each.name in ("host", "block", "session")]
        told = f"; {', '.join(left)} could not be told from the factors" if left else ""
        return fit_mixed(y, built.x, {}), LEAST_SQUARES, f"no three hosts, blocks or sessions beside the factors{told}"
    fit = fit_mixed(y, built.x, {grouping.name: grouping.level for grouping in built.random})
    names = ", ".join(f"{grouping.name} ({grouping.count})" for grouping in built.random)
    if not fit.has_converged:
        return fit_mixed(y, built.x, {}), LEAST_SQUARES, f"the mixed model with {names} did not converge"
    if not fit.singular:
        return fit, MIXED, f"random intercept of {names}"
    singular = f"singular: no variance beyond the residuals' is seen between levels of {', '.join(fit.singular)}"
    return fit, MIXED, f"random intercept of {names}; {singular}"


def _tests(fitted: Fitted) -> tuple[TermTest, ...]:
    identity = np.eye(fitted.design.x.shape[1])
    found: list[tuple[Term, FTest]] = [
        (term, fitted.fit.f_test(identity[term.columns])) for term in fitted.design.terms
    ]
    adjusted = holm([test.p for _, test in found])
    return tuple(
        TermTest(term.name, term.factors, test.f, test.dof, test.dof_residual, test.p, p, test.partial_eta2)
        for (term, test), p in zip(found, adjusted, strict=True)
    )


def _with_estimates(base: Effects, fitted: Fitted) -> Effects:
    """The same with the model's numbers."""
    built, fit = fitted.design, fitted.fit
    factors = list(built.factors.values())
    terms = _tests(fitted)
    crossed = [(term, test) for term, test in zip(built.terms, terms, strict=True) if len(term.factors) == 2]
    order = next((term for term in built.terms if not term.factors), None)
    steps = (fitted.step(factor) for factor in factors)
    return replace(
        base,
        factors=tuple(FactorUsed(factor.name, factor.coding, factor.labels) for factor in factors),
        random=tuple(
            RandomEffect(each.name, each.count, fit.variances.get(each.name, 0.0) ** 0.5) for each in built.random
        ),
        sd=fit.residual**0.5,
        terms=terms,
        means=tuple(mean for factor in factors for mean in fitted.means(factor)),
        cells=tuple(cell for term, _ in crossed for cell in fitted.cells(term)),
        pairs=tuple(pair for factor in factors for pair in fitted.pairs(factor)),
        steps=tuple(step for step in steps if step is not None),
        conditionals=tuple(each for term, test in crossed if test.is_shown for each in fitted.conditionals(term)),
        drift=None if order is None else fitted.ratios(np.eye(built.x.shape[1])[order.columns])[0],
    )


def _u_common(table: Table, column: str, rows: Int64Array) -> float | None:
    """The relative part of the uncertainty that repetitions share, in the middle of them."""
    if common_column(column) not in table.frame:
        return None
    relative = numbers(table, common_column(column))[rows] / numbers(table, column)[rows]
    known = relative[np.isfinite(relative)]
    return float(np.median(known)) if len(known) else None


def _outliers(table: Table, rows: Int64Array, y: Float64Array, built: Design) -> tuple[Outlier, ...]:
    """Judged with a mean for each level of the groupings, so that a block that is off is no outlier."""
    columns = [built.x, *(np.eye(grouping.count)[grouping.level] for grouping in built.random)]
    return tuple(
        Outlier(int(rows[i]), *_identity(table, int(rows[i])), ratio=float(np.exp(residual)), p=p)
        for i, residual, p in outlying(y, np.hstack(columns))
    )


def _identity(table: Table, row: int) -> tuple[int | None, int | None, int | None]:
    cells = [table.frame[name].iloc[row] if name in table.frame else None for name in ("Run", "Group", "Repetition")]
    run, group, repetition = (None if cell is None or pd.isna(cell) else int(cell) for cell in cells)
    return run, group, repetition


def _changed(
    table: Table, values: Float64Array, outliers: Sequence[Outlier], terms: Sequence[TermTest]
) -> tuple[str, ...]:
    """The terms of which something else would be said without the outliers."""
    if not outliers:
        return ()
    is_used = np.isfinite(values) & (values > 0)
    is_used[[outlier.row for outlier in outliers]] = False
    rows = np.flatnonzero(is_used).astype(np.int64)
    built = design(table, rows)
    if not built.factors or _scatter(np.log(values[rows]), built.x) <= _ROUNDING:
        return ()
    fit, _, _ = _fit(np.log(values[rows]), built)
    without = {term.name: term.is_shown for term in _tests(Fitted(built, fit))}
    return tuple(term.name for term in terms if without.get(term.name, term.is_shown) is not term.is_shown)


def _unequal(y: Float64Array, built: Design) -> tuple[UnequalScatter, ...]:
    q = orthogonal_basis(np.hstack([built.x, *(np.eye(each.count)[each.level] for each in built.random)]))
    residual = y - q @ (q.T @ y)
    return tuple(unequal_scatter(residual, {name: (f.labels, f.level) for name, f in built.factors.items()}))
