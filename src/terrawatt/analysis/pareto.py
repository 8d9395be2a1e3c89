"""The Pareto front of energy and performance: the scenarios that no other one beats in both."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from terrawatt.analysis.fieller import Ratio, ratio_of_differences
from terrawatt.analysis.statistics import LeftOut
from terrawatt.analysis.table import Table
from terrawatt.analysis.tradeoff import MIN_FOR_RESAMPLING, RESAMPLES, ScenarioPair, resampled_means, tradeoff
from terrawatt.records import Float64Array

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ParetoPoint:
    """One scenario.

    Attributes:
        label: what it is called.
        n: its repetitions with both values.
        energy_j: mean.
        energy_half_j: of the 95 % t-interval of the mean; None for one repetition. Likewise `score_half`.
        score: mean.
        is_on_front: whether no other scenario's means are as good in both and better in one.
        membership: share of the resamples in which it is on the front; None with fewer than 5 repetitions.
    """

    label: str
    n: int
    energy_j: float
    energy_half_j: float | None
    score: float
    score_half: float | None
    is_on_front: bool
    membership: float | None


@dataclass(frozen=True, slots=True)
class FrontStep:
    """From a scenario on the front to the next: what one point (0.01) of the score costs more, in J.

    `ratio` has the interval by Fieller; None where a scenario has one repetition.
    """

    start: str
    end: str
    energy_per_point_j: float
    ratio: Ratio | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ParetoFront:
    """The front of a table's scenarios.

    Attributes:
        energy: the column of energy; less is better.
        score: the column of performance; more is better.
        points: all scenarios, in the table's order.
        steps: along the front, from the least energy on.
        resamples: how many.
        fixed: scenarios with too few repetitions to be resampled; they stay at their means.
        left_out: scenarios that are not compared, with the reason.
    """

    energy: str
    score: str
    points: tuple[ParetoPoint, ...]
    steps: tuple[FrontStep, ...]
    resamples: int
    fixed: int
    left_out: tuple[LeftOut, ...]

    @property
    def front(self) -> tuple[ParetoPoint, ...]:
        """The scenarios on the front, from the least energy on."""
        return tuple(sorted((point for point in self.points if point.is_on_front), key=lambda point: point.energy_j))


def pareto_front(table: Table) -> ParetoFront:
    """The front of the scenarios' means, and how sure each one's place on it is.

    Raises:
        AnalysisError: no scenario has both energy and score.
    """
    found = tradeoff(table)
    means = found.means
    on_front = non_dominated(means[:, 0], means[:, 1])
    drawn = resampled_means(found.scenarios)
    share = non_dominated(drawn[..., 0], drawn[..., 1]).mean(axis=0)
    points = tuple(
        _point(scenario, bool(is_on), float(part))
        for scenario, is_on, part in zip(found.scenarios, on_front, share, strict=True)
    )
    members = sorted(np.flatnonzero(on_front).tolist(), key=lambda i: float(means[i, 0]))
    steps = tuple(
        _step(found.scenarios[i], found.scenarios[j]) for i, j in pairwise(members) if means[j, 1] > means[i, 1]
    )
    fixed = sum(scenario.n < MIN_FOR_RESAMPLING for scenario in found.scenarios)
    return ParetoFront(found.energy, found.score, points, steps, RESAMPLES, fixed, found.left_out)


def non_dominated(cost: Float64Array, gain: Float64Array) -> BoolArray:
    """Which of the points along the last axis no other beats: none costs as little and gains as much, and one better.

    Args:
        cost: (…, m), less is better.
        gain: (…, m), more is better.
    """
    order = np.lexsort((-gain, cost), axis=-1)
    cost, gain = np.take_along_axis(cost, order, -1), np.take_along_axis(gain, order, -1)
    highest = np.maximum.accumulate(gain, axis=-1)
    first = np.full((*gain.shape[:-1], 1), -np.inf)
    is_on = gain > np.concatenate((first, highest[..., :-1]), axis=-1)
    latest = np.maximum.accumulate(np.where(is_on, np.arange(gain.shape[-1]), 0), axis=-1)
    # Equal points beat neither each other.
    is_on |= (cost == np.take_along_axis(cost, latest, -1)) & (gain == np.take_along_axis(gain, latest, -1))
    found = np.empty_like(is_on)
    np.put_along_axis(found, order, is_on, -1)
    return found


def _point(scenario: ScenarioPair, is_on_front: bool, share: float) -> ParetoPoint:
    energy, score = map(float, scenario.means)
    half = scenario.half_widths
    return ParetoPoint(
        label=scenario.label,
        n=scenario.n,
        energy_j=energy,
        energy_half_j=None if half is None else float(half[0]),
        score=score,
        score_half=None if half is None else float(half[1]),
        is_on_front=is_on_front,
        membership=share if scenario.n >= MIN_FOR_RESAMPLING else None,
    )


def _step(start: ScenarioPair, end: ScenarioPair) -> FrontStep:
    difference = end.means - start.means
    slope = float(difference[0] / difference[1]) / 100
    if min(start.n, end.n) < 2:
        return FrontStep(start.label, end.label, slope, None, "one repetition: no interval")
    ratio = ratio_of_differences(start.values, end.values)
    return FrontStep(start.label, end.label, slope, ratio.scaled(1 / 100))
