"""What executions of a workload will take, from executions that were measured.

A scenario that was measured takes what it took. One that was measured with another number of epochs is scaled: a
training is a fixed part and one part an epoch, so its time lies between that with all of the measured time in
proportion to the epochs, and that with only the measured epochs so. The first epoch may do what the others use
(features of a frozen backbone are computed once), so that a further one is taken to be as long as those behind it. A
training that stopped early is expected to stop there again; all epochs are then its upper end. Nothing else is scaled:
what another model or batch size takes is not known from this one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import stats

from terrawatt.records import Float64Array

_QUANTILE = 0.975


class Origin(StrEnum):
    """Where an estimate comes from."""

    MEASURED = "measured"  # the same scenario, perhaps with another learning rate, loss or seed
    SCALED = "scaled"  # the same with another number of epochs
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with the interval in which one execution is expected; without ends where nothing tells them."""

    value: float
    low: float | None = None
    high: float | None = None

    def times(self, factor: float) -> "Estimate":
        """That of so much more."""
        ends = (None if end is None else end * factor for end in (self.low, self.high))
        return Estimate(self.value * factor, *ends)


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution that was measured.

    Attributes:
        epochs: asked of its training; None where it has none.
        duration_s: of it.
        energy_j: gross; NaN where it is not known.
        training_s: that of its epochs; NaN where it reported none.
        first_s: that of the first of them; NaN where it did not report all.
        epochs_done: how many it did, fewer than were asked where it stopped early; None where it did not report all.
    """

    epochs: float | None
    duration_s: float
    energy_j: float = math.nan
    training_s: float = math.nan
    first_s: float = math.nan
    epochs_done: float | None = None

    @property
    def further_s(self) -> float:
        """What one epoch more takes; NaN where that is not known."""
        done = self.epochs_done or self.epochs or math.nan
        if done > 1 and math.isfinite(self.first_s):
            return (self.training_s - self.first_s) / (done - 1)
        return self.training_s / done


@dataclass(frozen=True, slots=True)
class Cost:
    """What one execution will take.

    Attributes:
        origin: where it comes from.
        n: executions that it comes from.
        duration_s: of one.
        energy_j: gross; None where no source measured it.
        epochs: with how many epochs they were measured.
        reason: why it is not known.
    """

    origin: Origin
    n: int = 0
    duration_s: Estimate | None = None
    energy_j: Estimate | None = None
    epochs: float | None = None
    reason: str = ""


def sum_of(estimates: Sequence[Estimate]) -> Estimate:
    """Of several things; their ends are added, as if all erred alike. No ends where one has none."""
    value = math.fsum(one.value for one in estimates)
    lows, highs = [one.low for one in estimates], [one.high for one in estimates]
    if any(end is None for end in (*lows, *highs)):
        return Estimate(value)
    return Estimate(value, *(math.fsum(end for end in ends if end is not None) for ends in (lows, highs)))


def cost(executions: Sequence[Execution], epochs: float | None) -> Cost:
    """What an execution with some number of epochs takes, from others that differ in their number at most."""
    if not executions:
        return Cost(Origin.UNKNOWN)
    equal = [one for one in executions if one.epochs == epochs]
    if equal:
        return _measured(equal, Origin.MEASURED)
    known = [one for one in executions if one.epochs]
    if not epochs or not known:
        return Cost(Origin.UNKNOWN, reason="it was measured with another number of epochs, which does not scale")
    nearest = min({one.epochs or 1.0 for one in known}, key=lambda other: abs(math.log(other / epochs)))
    return _scaled([one for one in known if one.epochs == nearest], nearest, epochs)


def _measured(executions: Sequence[Execution], origin: Origin) -> Cost:
    energy_j = np.array([one.energy_j for one in executions])
    energy_j = energy_j[np.isfinite(energy_j)]
    return Cost(
        origin=origin,
        n=len(executions),
        duration_s=_expected(np.array([one.duration_s for one in executions])),
        energy_j=_expected(energy_j) if len(energy_j) else None,
        epochs=executions[0].epochs,
    )


def _scaled(executions: Sequence[Execution], measured: float, epochs: float) -> Cost:
    """With the ratio of epochs at one end; at the other, with only what the epochs beyond those measured take."""
    found = _measured(executions, Origin.SCALED)
    done = float(np.mean([one.epochs_done or measured for one in executions]))
    expected = min(epochs, done) if done < measured else epochs  # it stops early again
    further = float(np.mean([min(one.further_s / one.duration_s, 1 / done) for one in executions]))
    is_told = math.isfinite(further)
    by_phases = 1 + (expected - done) * (further if is_told else 0.0)
    ratio = epochs / done
    ends = sorted((ratio, by_phases))
    factor = by_phases if is_told else ratio
    return Cost(
        origin=Origin.SCALED,
        n=found.n,
        duration_s=_by(found.duration_s, factor, ends),
        energy_j=_by(found.energy_j, factor, ends),
        epochs=measured,
    )


def _by(estimate: Estimate | None, factor: float, ends: Sequence[float]) -> Estimate | None:
    if estimate is None:
        return None
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    return Estimate(estimate.value * factor, low * ends[0], high * ends[1])


def _expected(values: Float64Array) -> Estimate:
    """The mean, and where a further value is expected with 95 % (Student's t); one value alone tells no interval."""
    n, mean = len(values), float(values.mean())
    if n < 2:
        return Estimate(mean)
    half = float(stats.t.ppf(_QUANTILE, n - 1) * values.std(ddof=1) * math.sqrt(1 + 1 / n))
    return Estimate(mean, max(mean - half, 0.0), mean + half)
