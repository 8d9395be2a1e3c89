"""Two scenarios against each other: the ratio of their energies, its interval, and whether a difference is shown.

Everything is done on logarithms, where a ratio is a difference and scatter is relative: Welch's t, or Student's t of
the pairs where both scenarios ran in the same blocks. What repetitions have in common is added with its sign
(`repetitions`): an error that one meter has at both scenarios in proportion cancels.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from scipy import stats

from terrawatt.analysis.detection import LEVEL, MIN_REPETITIONS, detectable
from terrawatt.analysis.repetitions import (
    CommonError,
    Estimate,
    Repeated,
    bootstrap_difference,
    bootstrap_mean,
    common_u,
    effective_dof,
    mean_estimate,
)
from terrawatt.records import Float64Array

_DIGITS = 12  # of a logarithm; beyond is the rounding of floating-point numbers, which is no scatter


class Method(StrEnum):
    """How the scatter of a difference is judged."""

    WELCH = "Welch"  # the repetitions of each scenario on their own
    PAIRED = "paired by block"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A scenario against another. Without a number, `reason` says why.

    Attributes:
        first: label of the first scenario.
        second: of the second.
        method: how the scatter is judged.
        n: usable repetitions of the first and the second; paired: those in common blocks.
        n_pairs: blocks that both have; None unless paired.
        ratio: of the geometric means, first by second.
        low: lower end of its 95 % interval.
        high: upper end.
        u: standard uncertainty of its logarithm, scatter and common errors together.
        dof: effective degrees of freedom of that; None: infinite, as the scatter is 0.
        scatter: the interval from the scatter alone.
        bootstrap: the same as a BCa bootstrap; None below 20 repetitions each.
        u_common: what common errors make of the logarithm of the ratio: name -> standard uncertainty.
        unknown: common errors whose size is not known, and which are in no interval.
        p: of the hypothesis that both use the same.
        p_adjusted: by Holm, for all comparisons of the family.
        family: how many they are.
        detectable: the smallest ratio above 1 that this comparison finds with 80 %, at the level of 5 % for the family.
        reason: why there is no number.
    """

    first: str
    second: str
    method: Method
    n: tuple[int, int]
    n_pairs: int | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    u: float | None = None
    dof: float | None = None
    scatter: tuple[float, float] | None = None
    bootstrap: tuple[float, float] | None = None
    u_common: Mapping[str, float] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    p: float | None = None
    p_adjusted: float | None = None
    family: int = 1
    detectable: float | None = None
    reason: str = ""

    @property
    def is_shown(self) -> bool:
        """Whether a difference is shown, at the level of 5 % for the family."""
        return self.p_adjusted is not None and self.p_adjusted < LEVEL


def welch(first: Float64Array, second: Float64Array, u_common: Float64Array | float = 0.0) -> Estimate:
    """The difference of the means along the last axis, of values that scatter differently (B. L. Welch 1947).

    Args:
        first: (…, n) logarithms, n ≥ 2.
        second: (…, m).
        u_common: (…) what common errors make of the difference.
    """
    a, b = mean_estimate(first), mean_estimate(second)
    parts = [(np.square(mean.u), values.shape[-1] - 1) for mean, values in ((a, first), (b, second))]
    u2 = parts[0][0] + parts[1][0] + np.square(u_common)
    return Estimate(a.value - b.value, np.sqrt(u2), effective_dof(u2, *parts))


def paired(first: Float64Array, second: Float64Array, u_common: Float64Array | float = 0.0) -> Estimate:
    """The mean difference of pairs along the last axis: (…, blocks) each. What a block does to both cancels."""
    return mean_estimate(first - second, u_common)


def p_value(difference: Estimate) -> Float64Array:
    """The probability of a difference at least so large where there is none, two-sided."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(difference.value == 0, 0.0, np.abs(difference.value) / difference.u)
    return np.asarray(2 * stats.t.sf(t, difference.dof))


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p values, for being several, so that all hold together (S. Holm, Scand. J. Stat. 6, 1979)."""
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    steps = np.asarray(p, dtype=np.float64)[order] * np.arange(len(p), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in adjusted]


def compare(first: Repeated, second: Repeated, *, may_pair: bool = True) -> Comparison:
    """Compare two scenarios, on their own; see `compare_all` for several.

    Args:
        first: the scenario of which something is said.
        second: that with which it is compared.
        may_pair: pair by block where both have at least 3 blocks in common.
    """
    shared = [block for block in dict.fromkeys(first.block) if block in set(second.block)] if may_pair else []
    is_paired = len(shared) >= MIN_REPETITIONS
    sides = (_side(first, shared), _side(second, shared)) if is_paired else (_side(first), _side(second))
    result = Comparison(
        first=first.label,
        second=second.label,
        method=Method.PAIRED if is_paired else Method.WELCH,
        n=(sides[0].n, sides[1].n),
        n_pairs=len(shared) if is_paired else None,
        unknown=tuple(dict.fromkeys((*first.unknown, *second.unknown))),
    )
    if reason := _why_not(first, second):
        return replace(result, reason=reason)
    if all(np.ptp(side.logs) == 0 for side in sides):
        return replace(result, reason=f"neither {first.label} nor {second.label} scatters: nothing to judge by")
    common = _common(*sides)
    u_common = math.hypot(*common.values())
    logs = sides[0].logs, sides[1].logs
    if is_paired:
        scatter, both = paired(*logs), paired(*logs, u_common)
        resampled = bootstrap_mean(logs[0] - logs[1])
    else:
        scatter, both = welch(*logs), welch(*logs, u_common)
        resampled = bootstrap_difference(*logs)
    low, high = _ratios(both)
    return replace(
        result,
        ratio=math.exp(both.value),
        low=low,
        high=high,
        u=float(both.u),
        dof=float(both.dof) if math.isfinite(both.dof) else None,
        scatter=_ratios(scatter),
        bootstrap=None if resampled is None else (math.exp(resampled[0]), math.exp(resampled[1])),
        u_common=common,
        p=float(p_value(both)),
    )


def compare_all(pairs: Sequence[tuple[Repeated, Repeated]], *, may_pair: bool = True) -> tuple[Comparison, ...]:
    """Compare several pairs as one family: with Holm's p values, and what is detectable at the family's level.

    The level of what is detectable is 5 % by the number of comparisons: that of the first step of Holm's method.
    """
    found = [compare(first, second, may_pair=may_pair) for first, second in pairs]
    p = [comparison.p for comparison in found if comparison.p is not None]
    adjusted = iter(holm(p))
    return tuple(
        comparison if comparison.p is None else _in_family(comparison, next(adjusted), len(p)) for comparison in found
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One scenario in a comparison: its values, or their means by block, and what each repetition weighs in them."""

    logs: Float64Array
    weight: Float64Array
    errors: Mapping[CommonError, Float64Array]  # relative
    blocks: Mapping[CommonError, frozenset[int]]  # in which of the blocks an error occurs; empty without blocks

    @property
    def n(self) -> int:
        """Repetitions that count."""
        return int(np.count_nonzero(self.weight))


def _side(repeated: Repeated, blocks: Sequence[str] = ()) -> _Side:
    """A scenario, by repetition or by the blocks given."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(repeated.value).round(_DIGITS)
        errors = {error: u / repeated.value for error, u in repeated.common.items()}
    if not blocks:
        return _Side(logs, np.full(repeated.n, 1 / max(repeated.n, 1)), errors, {})
    block = np.array(repeated.block)
    inside = np.stack([block == name for name in blocks])  # (blocks, n)
    share = inside / inside.sum(axis=1, keepdims=True)
    where = {error: frozenset(np.flatnonzero((inside & (u != 0)).any(axis=1)).tolist()) for error, u in errors.items()}
    return _Side(share @ logs, share.mean(axis=0), errors, where)


def _common(first: _Side, second: _Side) -> dict[str, float]:
    """What common errors make of the difference: one that both scenarios have counts with opposite signs.

    One that occurs in a single block, as of an idle period of its own, scatters from block to block: it is left out,
    since the scatter shows it.
    """
    weight = np.concatenate([first.weight, -second.weight])
    errors = {}
    for error in dict.fromkeys((*first.errors, *second.errors)):
        if len(first.blocks.get(error, frozenset()) | second.blocks.get(error, frozenset())) != 1:
            parts = (side.errors.get(error, np.zeros(len(side.weight))) for side in (first, second))
            errors[error] = np.concatenate(list(parts))
    return common_u(weight, errors)


def _why_not(first: Repeated, second: Repeated) -> str:
    """Why two scenarios cannot be compared; empty when they can."""
    for scenario in (first, second):
        if scenario.n < MIN_REPETITIONS:
            number = f"{scenario.n} usable repetition{'s' if scenario.n != 1 else ''}"
            return f"{scenario.label} has {number}, and {MIN_REPETITIONS} of each are needed"
        if (scenario.value <= 0).any():
            return f"{scenario.label} has values that are not above 0, of which no ratio can be formed"
    return ""


def _ratios(difference: Estimate) -> tuple[float, float]:
    half = float(difference.half_width())
    return math.exp(difference.value - half), math.exp(difference.value + half)


def _in_family(comparison: Comparison, p_adjusted: float, family: int) -> Comparison:
    dof = math.inf if comparison.dof is None else comparison.dof
    least = detectable(comparison.u or 0.0, dof, LEVEL / family)
    return replace(comparison, p_adjusted=p_adjusted, family=family, detectable=math.exp(least))
