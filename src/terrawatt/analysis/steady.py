"""Windows under a load so steady that their readings show the machine's noise, as an idle period's do.

A short idle period holds few readings; the run beside it holds more, and the machine's noise goes on in it. Where the
load itself varies, that hides the noise, and the readings are not used: neighbouring readings of a steady window differ
no more than those of the idle periods, tested at `_SIGNIFICANCE` so that a low idle scatter by chance does not exclude
what would correct it.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import fdtri

from terrawatt.analysis.noise import Readings
from terrawatt.analysis.signal import Signal, seconds
from terrawatt.analysis.window_ends import report_interval_s
from terrawatt.records import Semantics, Window
from terrawatt.units import NS_PER_S

_SIGNIFICANCE = 0.001
_FEWEST = 4  # readings of a window; fewer say nothing that is worth it
_LOOKS = 600  # at most, at an on-change series


def steady_readings(
    signal: Signal, windows: Sequence[Window], idle: Sequence[Readings], late_s: float
) -> tuple[Readings, ...]:
    """The readings of those windows in which the load is steady.

    Args:
        signal: all readings.
        windows: of the repetitions.
        idle: readings of the idle periods.
        late_s: by how much readings may be late: so long from its start a window may still show what was before.
    """
    scatter = [np.diff(period.value) ** 2 for period in idle]
    n_idle, square = sum(map(len, scatter)), sum(float(part.sum()) for part in scatter)
    if not n_idle or not square:
        return ()
    steady = []
    for window in windows:
        readings = _inside(signal, window, round(late_s * NS_PER_S))
        if readings is None or len(readings.value) < _FEWEST:
            continue
        n = len(readings.value) - 1
        ratio = float(np.mean(np.diff(readings.value) ** 2)) / (square / n_idle)
        if ratio < fdtri(n, n_idle, 1 - _SIGNIFICANCE):
            steady.append(readings)
    return tuple(steady)


def _inside(signal: Signal, window: Window, late_ns: int) -> Readings | None:
    """Consecutive readings inside a window; None where there is a gap."""
    first = int(np.searchsorted(signal.t_ns, window.start_ns + late_ns, side="left"))
    last = int(np.searchsorted(signal.t_ns, window.end_ns, side="right")) - 1
    if last <= first or signal.is_bridged[first:last].any() or signal.is_broken[first:last].any():
        return None
    t_ns = signal.t_ns[first : last + 1]
    step_s = float(seconds(t_ns[-1:] - t_ns[:1])[0]) / (last - first)
    match signal.semantics:
        case Semantics.INSTANTANEOUS:
            return Readings(signal.value[first : last + 1], step_s, is_mean=False)
        case Semantics.ON_CHANGE:
            step_s = max(1.0, report_interval_s(signal), window.duration_s / _LOOKS)
            looks_ns = np.arange(t_ns[0], window.end_ns, round(step_s * NS_PER_S))
            in_force = np.searchsorted(signal.t_ns, looks_ns, side="right") - 1
            return Readings(signal.value[in_force], step_s, is_mean=False)
        case _:
            return Readings(signal.level[first:last], step_s, is_mean=True)
