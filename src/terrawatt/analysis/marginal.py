"""Marginal means, and the ratios between them, of a model of logarithms: back in joules, each with its interval.

A marginal mean of a level is the mean over all levels of the other factors, each with the same weight, whatever the
number of their repetitions; of logarithms, so back-transformed it is a geometric mean (S. R. Searle, F. M. Speed and
G. A. Milliken, Am. Stat. 34, 1980). Differences of logarithms are ratios.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from terrawatt.analysis.comparison import holm, p_value
from terrawatt.analysis.design import Coding, Design, Factor, Term
from terrawatt.analysis.mixed import MixedFit
from terrawatt.records import Float64Array

MOST_COMPARED = 15  # levels; of more there would be hundreds of pairs
_TENFOLD_FROM = 30.0  # largest by smallest level: a factor that spans more is told by the factor of ten


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two geometric means, or what else is a difference of logarithms.

    Attributes:
        value: above 1: more energy.
        low: lower end of its 95 % interval.
        high: upper end.
        dof: degrees of freedom of that.
        p: of the hypothesis that it is 1.
    """

    value: float
    low: float
    high: float
    dof: float
    p: float


@dataclass(frozen=True, slots=True)
class MarginalMean:
    """The geometric mean at a level of a factor, in the unit of the values.

    Attributes:
        factor: its name.
        level: the level.
        n: repetitions at it.
        mean: over the levels of all other factors, each with the same weight.
        low: lower end of its 95 % interval.
        high: upper end.
    """

    factor: str
    level: str
    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CellMean:
    """The same at a level of each of two factors."""

    factors: tuple[str, str]
    levels: tuple[str, str]
    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Pair:
    """A level of a factor against another: `first` uses `ratio` times what `second` does.

    `p_adjusted` is by Holm over all pairs of the factor.
    """

    factor: str
    first: str
    second: str
    ratio: Ratio
    p_adjusted: float


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a numeric factor does, on a straight line through its levels' marginal means.

    Attributes:
        factor: its name.
        step: `each doubling`, `each tenfold`, or `each unit`.
        ratio: of the energies after and before it.
    """

    factor: str
    step: str
    ratio: Ratio


@dataclass(frozen=True, slots=True)
class Conditional:
    """A factor's `first` level against its `second` one, where another factor, `given`, has a level."""

    factor: str
    first: str
    second: str
    given: str
    level: str
    ratio: Ratio


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fitted model with its columns: what contrasts are made of."""

    design: Design
    fit: MixedFit

    def means(self, factor: Factor) -> list[MarginalMean]:
        """At each level; of a continuous factor at its lowest, middle and highest one."""
        shown = range(len(factor.labels))
        if factor.coding is not Coding.CATEGORICAL:
            shown = range(0, len(factor.labels), max((len(factor.labels) - 1) // 2, 1))
        rows = np.array([self._row({factor.name: i}) for i in shown])
        return [
            MarginalMean(factor.name, factor.labels[i], int((factor.level == i).sum()), *numbers)
            for i, numbers in zip(shown, self._means(rows), strict=True)
        ]

    def cells(self, term: Term) -> list[CellMean]:
        """At each pair of levels of an interaction; none where one of them is continuous."""
        a, b = (self.design.factors[name] for name in term.factors)
        if not a.coding is b.coding is Coding.CATEGORICAL:
            return []
        places = [(i, j) for i in range(len(a.labels)) for j in range(len(b.labels))]
        rows = np.array([self._row({a.name: i, b.name: j}) for i, j in places])
        return [
            CellMean(
                (a.name, b.name),
                (a.labels[i], b.labels[j]),
                int(((a.level == i) & (b.level == j)).sum()),
                *numbers,
            )
            for (i, j), numbers in zip(places, self._means(rows), strict=True)
        ]

    def pairs(self, factor: Factor) -> list[Pair]:
        """Each level against each other one; none where there are very many, or where the factor is continuous."""
        levels = len(factor.labels)
        if factor.coding is not Coding.CATEGORICAL or levels > MOST_COMPARED:
            return []
        places = list(combinations(range(levels), 2))
        rows = [self._row({factor.name: i}) - self._row({factor.name: j}) for i, j in places]
        ratios = self.ratios(np.array(rows))
        return [
            Pair(factor.name, factor.labels[i], factor.labels[j], ratio, adjusted)
            for (i, j), ratio, adjusted in zip(places, ratios, holm([ratio.p for ratio in ratios]), strict=True)
        ]

    def step(self, factor: Factor) -> Step | None:
        """What a step of a numeric factor does; None where its levels are no numbers."""
        if not factor.sizes:
            return None
        sizes = np.array(factor.sizes)
        line, name = sizes, "each unit"
        if sizes[0] > 0:
            is_wide = sizes[-1] / sizes[0] > _TENFOLD_FROM
            line, name = (np.log10(sizes), "each tenfold") if is_wide else (np.log2(sizes), "each doubling")
        line = line - line.mean()
        rows = np.array([self._row({factor.name: i}) for i in range(len(sizes))])
        (ratio,) = self.ratios((line / (line @ line)) @ rows)
        return Step(factor.name, name, ratio)

    def conditionals(self, term: Term) -> list[Conditional]:
        """What the one factor of an interaction does at each level of the other, from its lowest to its highest mean.

        The one with sizes is told at the levels of the other; of numbers from the smallest to the largest.
        """
        first, second = (self.design.factors[name] for name in term.factors)
        given, told = (second, first) if first.sizes and not second.sizes else (first, second)
        if not given.coding is told.coding is Coding.CATEGORICAL:
            return []
        low, high = 0, len(told.labels) - 1
        if not told.sizes:
            means = [mean.mean for mean in self.means(told)]
            low, high = int(np.argmin(means)), int(np.argmax(means))
        rows = [
            self._row({given.name: i, told.name: high}) - self._row({given.name: i, told.name: low})
            for i in range(len(given.labels))
        ]
        return [
            Conditional(told.name, told.labels[high], told.labels[low], given.name, label, ratio)
            for label, ratio in zip(given.labels, self.ratios(np.array(rows)), strict=True)
        ]

    def ratios(self, rows: Float64Array) -> list[Ratio]:
        """Contrasts (m, p) as ratios."""
        found = self.fit.contrasts(rows)
        half, p = found.half_width(), p_value(found)
        return [
            Ratio(*_interval(value, width), dof=float(dof), p=float(each))
            for value, width, dof, each in zip(found.value, half, found.dof, p, strict=True)
        ]

    def _means(self, rows: Float64Array) -> Iterator[tuple[float, float, float]]:
        found = self.fit.contrasts(rows)
        return (_interval(value, width) for value, width in zip(found.value, found.half_width(), strict=True))

    def _row(self, levels: dict[str, int]) -> Float64Array:
        """The columns of a mean at some levels of some factors, over all levels of the others."""
        row = np.zeros(self.design.x.shape[1])
        row[0] = 1.0
        for term in self.design.terms:
            if term.factors and all(name in levels for name in term.factors):
                codes = [self.design.factors[name].codes[levels[name]] for name in term.factors]
                row[term.columns] = codes[0] if len(codes) == 1 else np.outer(*codes).ravel()
        return row


def _interval(value: float, half_width: float) -> tuple[float, float, float]:
    return math.exp(value), math.exp(value - half_width), math.exp(value + half_width)
