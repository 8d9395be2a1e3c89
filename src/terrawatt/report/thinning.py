"""Fewer points of a line that looks the same: for drawing only, never for computing."""

import numpy as np

from terrawatt.records import Float64Array, Int64Array


def thinned(x: Float64Array, y: Float64Array, start: float, end: float, bins: int) -> Int64Array:
    """Positions of the points to draw between two ends of an axis: of each bin the lowest and the highest.

    A line through them covers the same pixels, with spikes and dips, where a bin is not wider than a few pixels. The
    nearest points outside both ends are kept, so that the line reaches the edges.

    Args:
        x: rising.
        y: finite.
        start: of the axis.
        end: of the axis, above its start.
        bins: equal parts of the axis.
    """
    first, last = int(np.searchsorted(x, start, side="right")), int(np.searchsorted(x, end, side="left"))
    inside = np.arange(max(first - 1, 0), min(last + 1, len(x)))
    if len(inside) <= 2 * bins:
        return inside
    bin_of = np.clip(((x[inside] - start) / (end - start) * bins).astype(np.int64), 0, bins - 1)
    by_value = np.lexsort((y[inside], bin_of))  # by bin, in each by value
    edges = np.flatnonzero(np.diff(bin_of[by_value])) + 1
    lowest, highest = np.concatenate(([0], edges)), np.concatenate((edges - 1, [len(inside) - 1]))
    kept = np.concatenate((by_value[lowest], by_value[highest], [0, len(inside) - 1]))
    return np.asarray(inside[np.unique(kept)])
