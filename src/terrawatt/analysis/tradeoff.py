"""What each scenario costs and what it brings: energy and score of the same repetitions.

Pareto front and frugality scores compare scenarios by these. The meter's own error is alike for all of them: it moves
no scenario past another, and is not in what is computed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from terrawatt.analysis.main_columns import main_energy, main_scores
from terrawatt.analysis.reach import below_reach
from terrawatt.analysis.scenarios import ScenarioRows, scenario_rows
from terrawatt.analysis.statistics import LeftOut, numbers
from terrawatt.analysis.table import Table
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array

MIN_FOR_RESAMPLING = 5  # repetitions; fewer tell too little of the scatter to be drawn from
RESAMPLES = 2_000
SEED = 0  # of the resampling: equal tables give equal results


@dataclass(frozen=True, eq=False)
class ScenarioPair:
    """Energy in J and score of one scenario's repetitions that have both, (n, 2)."""

    label: str
    values: Float64Array

    @property
    def n(self) -> int:
        """Repetitions with both."""
        return len(self.values)

    @property
    def means(self) -> Float64Array:
        """(2,) of energy and score."""
        return np.asarray(self.values.mean(axis=0))

    @property
    def half_widths(self) -> Float64Array | None:
        """(2,) of the 95 % t-intervals of the means; None for one repetition."""
        if self.n < 2:
            return None
        factor = float(stats.t.ppf(0.975, self.n - 1))
        return np.asarray(factor * self.values.std(axis=0, ddof=1) / np.sqrt(self.n))


@dataclass(frozen=True, eq=False)
class Tradeoff:
    """Energy and score by scenario.

    Attributes:
        energy: the column of energy.
        score: the column of performance; more is better.
        scenarios: with at least one repetition that has both.
        left_out: the others, with the reason.
    """

    energy: str
    score: str
    scenarios: tuple[ScenarioPair, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def means(self) -> Float64Array:
        """(m, 2) of energy and score."""
        return np.array([scenario.means for scenario in self.scenarios])


def tradeoff(table: Table) -> Tradeoff:
    """Energy and score of the scenarios of a table.

    Raises:
        AnalysisError: there is no energy, no score, or no repetition with both.
    """
    energy, scores = main_energy(table), main_scores(table)
    if energy is None:
        raise AnalysisError("no energy has a value")
    if not scores:
        raise AnalysisError("no score has a value: the workload wrote no predictions")
    pairs, zero = np.column_stack([numbers(table, energy), numbers(table, scores[0])]), below_reach(table, energy)
    found, left_out = [], []
    for scenario in scenario_rows(table):
        values = pairs[scenario.rows]
        values = values[np.isfinite(values).all(axis=1)]
        reason = _why_not(scenario, values, int(zero[scenario.rows].sum()))
        if reason:
            left_out.append(LeftOut(scenario.label, reason))
        else:
            found.append(ScenarioPair(scenario.label, values))
    if not found:
        reasons = "; ".join(dict.fromkeys(one.reason for one in left_out))
        raise AnalysisError(f"no scenario has both {energy} and {scores[0]}{f' ({reasons})' if reasons else ''}")
    return Tradeoff(energy, scores[0], tuple(found), tuple(left_out))


def resampled_means(scenarios: Sequence[ScenarioPair], resamples: int = RESAMPLES) -> Float64Array:
    """(B, m, 2) means of energy and score of repetitions drawn again, with replacement, within each scenario.

    Energy and score of a repetition stay together. A mean of n drawn values scatters by (n - 1)/n too little; its
    distance from the mean is widened by √(n/(n - 1)). A scenario with fewer than `MIN_FOR_RESAMPLING` repetitions stays
    at its mean: whoever asks must not call its result certain.
    """
    random = np.random.default_rng(SEED)
    means = np.empty((resamples, len(scenarios), 2))
    for position, scenario in enumerate(scenarios):
        n, middle = scenario.n, scenario.means
        if n < MIN_FOR_RESAMPLING:
            means[:, position] = middle
            continue
        drawn = scenario.values[random.integers(n, size=(resamples, n))].mean(axis=1)
        means[:, position] = middle + (drawn - middle) * np.sqrt(n / (n - 1))
    return means


def _why_not(scenario: ScenarioRows, values: Float64Array, n_below: int) -> str:
    if n_below:
        everything = n_below == len(scenario.rows)
        return "below the reach of the meter" if everything else "a part of it is below the reach of the meter"
    return "" if len(values) else "no repetition has both energy and score"
