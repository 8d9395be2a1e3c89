"""Frugality: scores that weigh performance against energy, over their weights.

With α the performance (0 to 1), β the energy and B the largest energy of the scenarios compared:

    S_WS(ε) = ε α + (1 - ε)(1 - β/B)                                   0 ≤ ε ≤ 1
    S_HM(κ) = (1 + κ²) α (1 - β/B) / (κ² α + 1 - β/B)                  κ ≥ 0
    S_E(w)  = α - w / (1 + 1/β), β in kWh                              0 ≤ w ≤ 1

In each the best scenario follows exactly, as the upper envelope of straight lines: S_WS is linear in ε and S_E in w;
1/S_HM is linear in τ = κ²/(1 + κ²), with the value 1/α at τ = 0 and 1/(1 - β/B) at τ = 1. The scenario that costs most
has 1 - β/B = 0 by definition, so S_WS and S_HM depend on which scenarios are compared; S_E does not, but depends on the
unit of β.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from terrawatt.analysis.statistics import LeftOut
from terrawatt.analysis.table import Table
from terrawatt.analysis.tradeoff import MIN_FOR_RESAMPLING, RESAMPLES, Tradeoff, resampled_means, tradeoff
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array
from terrawatt.units import J_PER_KWH

MIN_SCENARIOS = 2


class FrugalityScore(StrEnum):
    """The three scores, by the name of their weight's figure."""

    WEIGHTED_SUM = "S_WS"
    HARMONIC_MEAN = "S_HM"
    ENERGY = "S_E"


@dataclass(frozen=True, slots=True)
class BestRange:
    """A range of weights in which one scenario has the highest score.

    Attributes:
        label: of the scenario.
        start: the least weight; for S_HM that is κ, and `end` may be infinite, which is None.
        end: the largest weight.
        support: share of the resamples in which it is best in the middle of the range; None where a scenario has too
            few repetitions.
    """

    label: str
    start: float
    end: float | None
    support: float | None


@dataclass(frozen=True, slots=True)
class FrugalityRanges:
    """One score: which scenario is best at which weight, from the least on; none where all scores are 0."""

    score: FrugalityScore
    best: tuple[BestRange, ...]


@dataclass(frozen=True, slots=True)
class FrugalityPoint:
    """What goes into the scores of one scenario: α, β in J, and 1 - β/B."""

    label: str
    n: int
    performance: float
    energy_j: float
    saved: float


@dataclass(frozen=True, slots=True)
class Frugality:
    """All three scores of a table's scenarios.

    Attributes:
        energy: the column of β.
        score: the column of α.
        largest_j: B.
        points: the scenarios, in the table's order.
        ranges: of each score.
        resamples: how many.
        left_out: scenarios that are not compared, with the reason.
    """

    energy: str
    score: str
    largest_j: float
    points: tuple[FrugalityPoint, ...]
    ranges: tuple[FrugalityRanges, ...]
    resamples: int
    left_out: tuple[LeftOut, ...]


def weighted_sum(epsilon: Float64Array | float, alpha: Float64Array, saved: Float64Array) -> Float64Array:
    """S_WS; `saved` is 1 - β/B. The arguments are broadcast."""
    return np.asarray(epsilon * alpha + (1 - np.asarray(epsilon)) * saved)


def harmonic_mean(kappa: Float64Array | float, alpha: Float64Array, saved: Float64Array) -> Float64Array:
    """S_HM; 0 where both α and 1 - β/B are 0, and the quotient is not defined."""
    weight = np.square(kappa)
    below = weight * alpha + saved
    above = (1 + weight) * alpha * saved
    return np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below > 0)


def energy_score(w: Float64Array | float, alpha: Float64Array, energy_kwh: Float64Array) -> Float64Array:
    """S_E; 1/(1 + 1/β) is β/(1 + β), which also holds at β = 0."""
    return np.asarray(alpha - w * (energy_kwh / (1 + energy_kwh)))


def frugality(table: Table) -> Frugality:
    """The scores of the means of a table's scenarios.

    Raises:
        AnalysisError: fewer than two scenarios, energies not above 0, or a performance outside 0 to 1.
    """
    found = tradeoff(table)
    means = found.means
    if len(means) < MIN_SCENARIOS:
        raise AnalysisError(f"frugality compares scenarios: {len(means)}, and {MIN_SCENARIOS} are needed")
    if means[:, 0].min() <= 0:
        raise AnalysisError(f"frugality needs energies above 0, and the least mean of {found.energy} is not")
    if means[:, 1].min() < 0 or means[:, 1].max() > 1:
        raise AnalysisError(f"frugality needs a performance between 0 and 1, which {found.score} is not")
    largest = float(means[:, 0].max())
    points = tuple(
        FrugalityPoint(scenario.label, scenario.n, float(score), float(energy), float(1 - energy / largest))
        for scenario, (energy, score) in zip(found.scenarios, means, strict=True)
    )
    drawn = resampled_means(found.scenarios)
    ranges = tuple(_ranges(score, found, means, drawn) for score in FrugalityScore)
    return Frugality(found.energy, found.score, largest, points, ranges, RESAMPLES, found.left_out)


def upper_envelope(at_0: Float64Array, at_1: Float64Array) -> list[tuple[int, float, float]]:
    """Which of some straight lines over [0, 1] is highest where: (position, from, to), without ranges of no length.

    There are none where every line is at -∞ at one end.

    Args:
        at_0: (m,) heights at 0; -∞ is allowed.
        at_1: (m,) heights at 1.
    """
    ranges: list[tuple[int, float, float]] = []
    with np.errstate(invalid="ignore"):
        here, slope = 0.0, at_1 - at_0
    finite = np.isfinite(at_0) & np.isfinite(at_1)
    if not finite.any():
        return []
    # A line that is at -∞ at one end is at -∞ between both.
    start, steep = (np.where(finite, values, -np.inf) for values in (at_0, slope))
    best = int(np.lexsort((-steep, -start))[0])
    while here < 1:
        height = at_0[best] + here * slope[best]
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = here + (height - (at_0 + here * slope)) / (slope - slope[best])
        crossing = np.where(finite & (slope > slope[best]) & (crossing < 1), np.maximum(crossing, here), np.inf)
        end = float(crossing.min())
        if not np.isfinite(end):
            ranges.append((best, here, 1.0))
            break
        if end > here:
            ranges.append((best, here, end))
        together = np.flatnonzero(crossing == end)
        best, here = int(together[np.argmax(slope[together])]), end
    return ranges


def _lines(score: FrugalityScore, means: Float64Array) -> tuple[Float64Array, Float64Array]:
    """The heights at both ends of the lines whose upper envelope is the best score; means is (…, m, 2)."""
    energy, alpha = means[..., 0], means[..., 1]
    saved = 1 - energy / energy.max(axis=-1, keepdims=True)
    if score is FrugalityScore.WEIGHTED_SUM:
        return saved, alpha
    if score is FrugalityScore.ENERGY:
        kwh = energy / J_PER_KWH
        return alpha, energy_score(1.0, alpha, kwh)
    with np.errstate(divide="ignore"):
        return -1 / np.maximum(alpha, 0), -1 / np.maximum(saved, 0)


def _ranges(score: FrugalityScore, found: Tradeoff, means: Float64Array, drawn: Float64Array) -> FrugalityRanges:
    at_0, at_1 = _lines(score, means)
    drawn_0, drawn_1 = _lines(score, drawn)
    is_certain = all(scenario.n >= MIN_FOR_RESAMPLING for scenario in found.scenarios)
    best = []
    for position, start, end in upper_envelope(at_0, at_1):
        middle = (start + end) / 2
        with np.errstate(invalid="ignore"):
            heights = (1 - middle) * drawn_0 + middle * drawn_1
        support = float(np.mean(np.argmax(heights, axis=-1) == position)) if is_certain else None
        label = found.scenarios[position].label
        best.append(BestRange(label, _weight(score, start) or 0.0, _weight(score, end), support))
    return FrugalityRanges(score, tuple(best))


def _weight(score: FrugalityScore, position: float) -> float | None:
    """The weight at a position on [0, 1]; κ = √(τ/(1 - τ)) of S_HM, None where it is infinite."""
    if score is not FrugalityScore.HARMONIC_MEAN:
        return position
    return None if position >= 1 else float(np.sqrt(position / (1 - position)))
