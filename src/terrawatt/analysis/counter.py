"""A cumulative counter made to rise throughout: failed reads, wrap-arounds and restarts are told apart.

A counter goes back for three reasons, and only a wrong guess between them makes nonsense (250 J that become 262,393 J):

    failed read   a zero among higher readings, after which the counter goes on where it was: a gap, never a number
    wrap-around   the reading passed the end of its known range: what it advanced is the drop plus the range
    restart       the meter began again near zero: what it counted in between is lost, and bridged like a gap

What tells them apart is the power that each would mean, against the greatest that the counter shows elsewhere. A drop
that none of them explains leaves the counter broken there: no energy is given over it.
"""

from dataclasses import dataclass

import numpy as np

from terrawatt.records import BoolArray, Float64Array, Int64Array
from terrawatt.units import NS_PER_S

PLAUSIBLE = 3.0  # up to so many times the greatest rate seen elsewhere is taken for a rate that is possible


@dataclass(frozen=True, slots=True, eq=False)
class Unwrapped:
    """A counter as if it had never gone round nor begun again.

    Attributes:
        value: (n,) its readings.
        is_reset: (n - 1,) cells in which it began again; what it counted there is bridged from the cells around.
        is_broken: (n - 1,) cells of which nothing can be said: a drop without explanation, or a stretch so long that it
            may have gone round unseen.
        n_wraps: how often it went round.
    """

    value: Float64Array
    is_reset: BoolArray
    is_broken: BoolArray
    n_wraps: int = 0


def failed_zeros(t_ns: Int64Array, value: Float64Array) -> BoolArray:
    """(n,) zeros that are failed reads, as some tools write them.

    The counter had counted before, and either goes on from there or is never read again. A counter that begins again
    at zero and overtakes its old reading no faster than it goes elsewhere is none. A zero at the start is one where the
    rise from it is impossible.
    """
    is_zero = value == 0
    if not is_zero.any() or is_zero.all():
        return np.zeros(len(value), np.bool_)
    others = np.flatnonzero(~is_zero)
    reference = _greatest_rate(np.diff(value), _cell_s(t_ns), others[:-1][np.diff(others) == 1])
    zeros = np.flatnonzero(is_zero)
    position = np.searchsorted(others, zeros)
    has_before, has_after = position > 0, position < len(others)
    before = others[np.maximum(position - 1, 0)]
    after = others[np.minimum(position, len(others) - 1)]
    goes_on = ~has_before | (value[after] >= value[before])
    rise_s = (t_ns[after] - t_ns[after - 1]) / NS_PER_S  # from the last zero of the run
    # With nothing to judge by: a counter that has counted is not at zero.
    limit = np.where(has_before, 1.0, PLAUSIBLE) * reference * rise_s
    is_impossible = value[after] > limit if reference > 0 else has_before
    failed: BoolArray = is_zero.copy()
    failed[zeros] = ~has_after | (goes_on & is_impossible)
    return failed


def unwrap(t_ns: Int64Array, value: Float64Array, wrap: float | None = None) -> Unwrapped:
    """A counter that rises throughout.

    Args:
        t_ns: (n,) strictly increasing times.
        value: (n,) its readings, all finite.
        wrap: the range after which it begins at zero again, in its own unit; None: it has none, or it is not known.
    """
    step, cell_s = np.diff(value), _cell_s(t_ns)
    is_drop = step < 0
    no_cell = np.zeros(len(step), np.bool_)
    if wrap is None and not is_drop.any():
        return Unwrapped(value, no_cell, no_cell)
    beside = is_drop.copy()  # a spike's rise is no rate to judge by, nor is what follows a drop
    beside[1:] |= is_drop[:-1]
    beside[:-1] |= is_drop[1:]
    reference = _greatest_rate(step, cell_s, np.flatnonzero(~beside))
    if reference == 0:
        reference = _greatest_rate(step, cell_s, np.flatnonzero(~is_drop))
    possible = PLAUSIBLE * reference * cell_s
    is_wrap = no_cell if wrap is None else is_drop & _explains(step + wrap, possible if reference > 0 else wrap / 2)
    is_reset = is_drop & ~is_wrap & _explains(value[1:], possible) & (reference > 0)
    is_broken = is_drop & ~is_wrap & ~is_reset
    if wrap is not None:
        is_broken |= reference * cell_s >= wrap
    rise = step + (wrap or 0.0) * is_wrap
    rise[is_reset] = np.maximum(value[1:], _bridged_rate(step, cell_s, is_drop) * cell_s)[is_reset]
    rise[is_drop & is_broken] = 0.0
    lifted = value + np.concatenate(([0.0], np.cumsum(rise - step)))  # exact between the drops
    return Unwrapped(lifted, is_reset, is_broken, int(np.count_nonzero(is_wrap)))


def _explains(advance: Float64Array, limit: Float64Array | float) -> BoolArray:
    explained: BoolArray = (advance >= 0) & (advance <= limit)
    return explained


def _cell_s(t_ns: Int64Array) -> Float64Array:
    return np.diff(t_ns) / np.float64(NS_PER_S)


def _greatest_rate(step: Float64Array, cell_s: Float64Array, cells: Int64Array) -> float:
    """The greatest rate in some cells; 0 where none of them rises."""
    return float(np.max(step[cells] / cell_s[cells], initial=0.0))


def _bridged_rate(step: Float64Array, cell_s: Float64Array, is_drop: BoolArray) -> Float64Array:
    """(n - 1,) rates; at a drop that of the cells around it."""
    rising = np.flatnonzero(~is_drop)
    rate = np.zeros(len(step))
    if len(rising):
        rate = np.interp(np.arange(len(step)), rising, step[rising] / cell_s[rising])
    return rate
