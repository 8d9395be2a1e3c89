"""When a run has repetitions enough: its interval is narrow, and stays so.

A rule that stops as soon as the interval looks narrow stops where the scatter happens to look small (F. J. Anscombe,
Proc. Camb. Phil. Soc. 48, 1952): by simulation such a 95 % interval holds the truth in 92 % of the runs. Two
corrections, both measured by `benchmarks/comparison.py`:

- the first narrow interval does not end the run: some more repetitions confirm it, and the run ends at the first narrow
  interval after them;
- the interval is wider than Student's of 95 %, by its quantile of 96.5 %.
"""

import numpy as np
from numpy.typing import NDArray

from terrawatt.analysis.repetitions import relative_half_width
from terrawatt.records import Float64Array

LEAST_REPETITIONS = 5  # with fewer, no rule keeps its promise
CONFIRMING = 4  # repetitions after the first narrow interval
QUANTILE = 0.965  # of Student's t, for an interval that holds the truth in 95 % of the runs that end by this rule


def half_widths_so_far(values: Float64Array) -> Float64Array:
    """The relative half-width of the 95 % interval of the mean after each repetition; ∞ after the first.

    Args:
        values: (…, n), in the order in which they were measured.
    """
    widths = np.full(values.shape, np.inf)
    for n in range(2, values.shape[-1] + 1):
        widths[..., n - 1] = relative_half_width(values[..., :n], QUANTILE)
    return widths


def may_stop(widths: Float64Array, target: float, least: int) -> NDArray[np.bool_]:
    """Whether a run may end after each repetition.

    Args:
        widths: (…, n) relative half-width after each repetition.
        target: the half-width asked for.
        least: repetitions that are made in any case.
    """
    narrow = widths <= target
    narrow[..., : least - 1] = False
    seen_before = np.zeros_like(narrow)
    seen_before[..., CONFIRMING:] = np.logical_or.accumulate(narrow, axis=-1)[..., :-CONFIRMING]
    return narrow & seen_before
