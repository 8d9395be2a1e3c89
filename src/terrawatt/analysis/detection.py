"""Which differences can be seen: the smallest with some repetitions, and the repetitions that some difference asks for.

A difference δ of logarithms (a ratio exp δ) is detectable when the two-sided test finds it with probability `POWER`.
With a standard uncertainty u on ν degrees of freedom, δ/u is then the noncentrality of Student's t (J. Cohen,
*Statistical Power Analysis*, 1988).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array

LEVEL = 0.05  # probability of a difference where there is none
POWER = 0.8  # probability of finding one that is there
MIN_REPETITIONS = 3  # of each scenario: with 2, the scatter is a guess and an interval says nothing
_MAX_REPETITIONS = 100_000
_UPPER = 0.8  # confidence that the scatter of a pilot is not larger (R. H. Browne, Stat. Med. 14, 1995)
_NORMAL_DOF = 1e6  # from here on Student's t is a normal distribution


@dataclass(frozen=True, slots=True)
class Scatter:
    """What a pilot says of one repetition of a scenario, on logarithms: about relative.

    Attributes:
        n: usable repetitions of the pilot.
        sd: standard deviation of one repetition.
        sd_upper: it is below this with a confidence of 80 %.
        u_common: standard uncertainty of a ratio of two such scenarios from what repetitions do not make smaller.
    """

    n: int
    sd: float
    sd_upper: float
    u_common: float = 0.0


def scatter(values: Float64Array, u_common: float = 0.0) -> Scatter:
    """The scatter of a pilot.

    Args:
        values: (n,) above 0.
        u_common: see `Scatter`.

    Raises:
        AnalysisError: fewer than 3 values, or one not above 0.
    """
    n = len(values)
    if n < MIN_REPETITIONS:
        raise AnalysisError(f"{n} usable repetitions: a pilot needs at least {MIN_REPETITIONS} to show its scatter")
    if (values <= 0).any():
        raise AnalysisError("a value is not above 0: nothing relative can be said of it")
    sd = float(np.log(values).std(ddof=1))
    upper = math.sqrt((n - 1) / float(stats.chi2.ppf(1 - _UPPER, n - 1)))
    return Scatter(n, sd, sd * upper, u_common)


def pooled_scatter(scenarios: Sequence[Float64Array]) -> Scatter | None:
    """The scatter inside several scenarios, taken for the same in all; None where none has 3 values above 0.

    Args:
        scenarios: the values of each.
    """
    known = [np.log(values) for values in scenarios if len(values) >= MIN_REPETITIONS and (values > 0).all()]
    dof = sum(len(logs) - 1 for logs in known)
    if not dof:
        return None
    sd = math.sqrt(math.fsum(float(np.square(logs - logs.mean()).sum()) for logs in known) / dof)
    upper = math.sqrt(dof / float(stats.chi2.ppf(1 - _UPPER, dof)))
    return Scatter(sum(len(logs) for logs in known), sd, sd * upper)


def detectable(u: float, dof: float, level: float = LEVEL, power: float = POWER) -> float:
    """The smallest difference that the two-sided test finds with some probability.

    Args:
        u: standard uncertainty of the difference.
        dof: its degrees of freedom; may be infinite.
        level: of the test.
        power: the probability.
    """
    if u == 0:
        return 0.0
    if dof >= _NORMAL_DOF:
        return float(stats.norm.ppf(1 - level / 2) + stats.norm.ppf(power)) * u
    limit = float(stats.t.ppf(1 - level / 2, dof))

    def missing(noncentrality: float) -> float:
        return float(stats.nct.sf(limit, dof, noncentrality)) - power

    return float(optimize.brentq(missing, 0.0, 20.0 + 20.0 * limit, xtol=1e-6)) * u


def detectable_with(
    repetitions: int, sd: float, u_common: float, *, level: float = LEVEL, power: float = POWER
) -> float:
    """The smallest difference of logarithms between two scenarios of some repetitions each, which scatter alike."""
    u, dof = _uncertainty(repetitions, sd, u_common)
    return detectable(u, dof, level, power)


def repetitions_needed(
    difference: float, sd: float, u_common: float, *, level: float = LEVEL, power: float = POWER
) -> int | None:
    """How many repetitions of each of two scenarios it takes to find a difference of logarithms.

    Returns:
        None where no number is enough: what does not shrink hides the difference.
    """

    def is_enough(repetitions: int) -> bool:
        return detectable_with(repetitions, sd, u_common, level=level, power=power) <= difference

    most = MIN_REPETITIONS
    while not is_enough(most):
        if most >= _MAX_REPETITIONS:
            return None
        most *= 2
    least = max(most // 2, MIN_REPETITIONS - 1)  # not enough, or below what is asked at least
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if is_enough(middle) else (middle, most)
    return most


def _uncertainty(repetitions: int, sd: float, u_common: float) -> tuple[float, float]:
    """Of the difference of two means of logarithms, and its degrees of freedom (Welch-Satterthwaite)."""
    variance = 2 * sd**2 / repetitions
    total = variance + u_common**2
    if variance == 0:
        return math.sqrt(total), math.inf
    return math.sqrt(total), (total / variance) ** 2 * 2 * (repetitions - 1)
