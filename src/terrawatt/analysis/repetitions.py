"""Means over the repetitions of one scenario: what they scatter (type A) kept apart from what they share (type B).

Each repetition has errors of its own, which its scatter shows and a mean makes smaller, and errors that it has in
common with others: of the meter, of the idle level measured once for all of them. Those stay as they are, however many
repetitions there are. A common error is named by what it is and by what bears it, so that its effect on a mean, or on
the ratio of two means, follows: it is added with its sign over all repetitions with the same bearer, and only then
squared (GUM 5.2.2, correlation 1).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from terrawatt.records import Float64Array

CONFIDENCE = 0.95
MIN_FOR_BOOTSTRAP = 20  # below, a bootstrap knows too little of the tails to check anything
RESAMPLES = 9_999
_SEED = 0  # of the bootstrap: equal data give equal intervals


@dataclass(frozen=True, slots=True, order=True)
class CommonError:
    """An error that several repetitions have in common.

    Attributes:
        name: the component of the budget: `meter`, `baseline`, `timing`, …
        bearer: what has it: a meter, an idle period. Repetitions with the same bearer have the same error.
    """

    name: str
    bearer: str


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """One quantity over the usable repetitions of one scenario.

    Attributes:
        label: what the scenario is called.
        value: (n,) finite.
        common: error -> (n,) its standard uncertainty in each repetition, in the unit of the values; 0 where a
            repetition does not have it, NaN where it is not known.
        block: the block of each repetition; empty where there are none.
        left_out: the repetitions that are not used, with the reason, in words.
    """

    label: str
    value: Float64Array
    common: Mapping[CommonError, Float64Array] = field(default_factory=dict)
    block: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Usable repetitions."""
        return len(self.value)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The common errors whose size is not known."""
        names = (error.name for error, u in self.common.items() if np.isnan(u).any())
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """An estimate, or as many as there are rows in what it was made of: each attribute is an array of one shape.

    Attributes:
        value: the estimate.
        u: its standard uncertainty, scatter and common errors together.
        dof: the effective degrees of freedom of that (Welch-Satterthwaite; GUM G.4.1).
    """

    value: Float64Array
    u: Float64Array
    dof: Float64Array

    def half_width(self, confidence: float = CONFIDENCE) -> Float64Array:
        """Of the interval that holds the truth with some confidence, by Student's t."""
        return np.asarray(stats.t.ppf((1 + confidence) / 2, self.dof) * self.u)


@dataclass(frozen=True, slots=True)
class RepeatedMean:
    """The mean of a quantity over repetitions. What cannot be told is `None`, and `reason` says why.

    Attributes:
        n: usable repetitions.
        mean: arithmetic.
        sd: of one repetition (n - 1).
        half_width: of the 95 % t-interval of the mean, from the scatter alone.
        u_common: what common errors make of it, by name; standard uncertainties. They do not shrink with n.
        expanded: half-width of the 95 % interval from both; not below that from the scatter alone, as the effective
            degrees of freedom would have it for very few repetitions.
        bootstrap: the BCa interval beside the t-interval, from the scatter alone; None below 20 repetitions.
        unknown: common errors whose size is not known, and which are in no interval.
        reason: why something is missing.
    """

    n: int
    mean: float | None
    sd: float | None = None
    half_width: float | None = None
    u_common: Mapping[str, float] = field(default_factory=dict)
    expanded: float | None = None
    bootstrap: tuple[float, float] | None = None
    unknown: tuple[str, ...] = ()
    reason: str = ""

    @property
    def relative_half_width(self) -> float | None:
        """The half-width from the scatter alone, by the mean; None where there is none or the mean is not above 0."""
        if self.half_width is None or self.mean is None or self.mean <= 0:
            return None
        return self.half_width / self.mean


def mean_estimate(values: Float64Array, u_common: Float64Array | float = 0.0) -> Estimate:
    """The mean along the last axis, with its standard uncertainty.

    Args:
        values: (…, n), n ≥ 2.
        u_common: (…) what common errors make of the mean; taken as exactly known.
    """
    n = values.shape[-1]
    variance = values.var(axis=-1, ddof=1) / n
    u2 = variance + np.square(u_common)
    return Estimate(values.mean(axis=-1), np.sqrt(u2), effective_dof(u2, (variance, n - 1)))


def relative_half_width(values: Float64Array, confidence: float = CONFIDENCE) -> Float64Array:
    """The half-width of the t-interval of the mean along the last axis, by the mean; ∞ where that is not above 0."""
    mean = mean_estimate(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(mean.value > 0, mean.half_width(confidence) / mean.value, np.inf)


def effective_dof(total: Float64Array, *parts: tuple[Float64Array, int]) -> Float64Array:
    """The degrees of freedom of a variance that is a sum (Welch-Satterthwaite): of each part, and its own; ∞ at 0.

    What is in the total but in no part is exactly known.
    """
    spread = sum((np.square(variance) / dof for variance, dof in parts), start=np.zeros_like(total))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, np.square(total) / spread, np.inf)


def common_u(weight: Float64Array, errors: Mapping[CommonError, Float64Array]) -> dict[str, float]:
    """What common errors make of a weighted sum of values: name -> standard uncertainty.

    Args:
        weight: (n,) of each value; negative for those of the denominator of a ratio.
        errors: error -> (n,) standard uncertainty of each value; unknown ones count as 0.
    """
    squares: dict[str, float] = {}
    for error, u in errors.items():
        squares[error.name] = squares.get(error.name, 0.0) + float(weight @ np.nan_to_num(u)) ** 2
    return {name: math.sqrt(square) for name, square in squares.items()}


def repeated_mean(repeated: Repeated, confidence: float = CONFIDENCE) -> RepeatedMean:
    """The mean of a scenario's repetitions with its intervals.

    Args:
        repeated: the repetitions.
        confidence: of Student's t; more than 95 % where the repetitions ended by their interval (`stopping`).
    """
    n = repeated.n
    if n == 0:
        return RepeatedMean(0, None, reason="no usable repetition")
    by_name = common_u(np.full(n, 1 / n), repeated.common)
    mean = float(repeated.value.mean())
    if n == 1:
        reason = "one usable repetition: no scatter, no interval"
        return RepeatedMean(1, mean, u_common=by_name, unknown=repeated.unknown, reason=reason)
    scatter = mean_estimate(repeated.value)
    both = mean_estimate(repeated.value, math.hypot(*by_name.values()))
    half_width = float(scatter.half_width(confidence))
    return RepeatedMean(
        n=n,
        mean=mean,
        sd=float(repeated.value.std(ddof=1)),
        half_width=half_width,
        u_common=by_name,
        expanded=max(float(both.half_width(confidence)), half_width),
        bootstrap=bootstrap_mean(repeated.value, confidence),
        unknown=repeated.unknown,
    )


def bootstrap_mean(values: Float64Array, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """The BCa bootstrap interval of a mean (Efron 1987); None below 20 values, or where all are equal."""
    return _bootstrap((values,), np.mean, confidence)


def bootstrap_difference(
    first: Float64Array, second: Float64Array, confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """The same of the difference of two means, of values that belong to no pairs."""

    def difference(a: Float64Array, b: Float64Array, axis: int) -> Float64Array:
        return np.asarray(a.mean(axis=axis) - b.mean(axis=axis))

    return _bootstrap((first, second), difference, confidence)


def _bootstrap(samples: Sequence[Float64Array], statistic: object, confidence: float) -> tuple[float, float] | None:
    if any(len(sample) < MIN_FOR_BOOTSTRAP or np.ptp(sample) == 0 for sample in samples):
        return None
    found = stats.bootstrap(
        samples,
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=confidence,
        method="BCa",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return float(found.low), float(found.high)
