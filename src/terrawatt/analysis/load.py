"""What else a machine did while it was measured, as host series show it: foreign CPU load, temperature, throttling.

The series know the CPU's use as a whole, not whose it is. While idle all of it is foreign. In a window it can be told
only where one repetition uses more than the others, which do the same work. The clock frequency is not recorded:
throttling is concluded from a high temperature together with a long duration.
"""

from collections.abc import Sequence

import numpy as np

from terrawatt.analysis.baseline import idle_level
from terrawatt.analysis.integrate import integrate
from terrawatt.analysis.signal import prepare
from terrawatt.records import BoolArray, Float64Array, Semantics, Series, Severity, Verdict, Window

# Conventions, in % of all CPUs. A desktop with nothing open uses some 1 %; 5 % of a processor is worth watts.
IDLE_CPU_PERCENT = 5.0
CPU_CHANGE_PERCENT = 5.0
# Conventions too: the same work takes more power in a warmer processor, because more current leaks.
WARMER_C, MUCH_WARMER_C = 2.0, 5.0
HOT_C = 90.0  # processors throttle at 90 to 105 °C
SLOWER = 1.03  # times the median duration
_FEWEST = 3  # repetitions that can be compared with each other

_CLOSE = "end other programs, services and updates; measure again when the machine is idle"
_WARM = "raise protocol.warmup, or set protocol.pause_s, so that all repetitions begin equally warm"
_COOL = "cool the machine better, or limit its frequency; the same for all that is compared"

VerdictLists = tuple[tuple[Verdict, ...], ...]
IdlePeriods = tuple[Window | None, Window | None]  # before and after what was measured in one go; None: there is none


def cpu_verdicts(
    use: Series, interval_s: float, windows: Sequence[Window], idle: Sequence[IdlePeriods]
) -> VerdictLists:
    """What the CPU's use says of each window.

    Args:
        use: % of all CPUs, each reading the mean since the one before.
        interval_s: between readings.
        windows: of a run's repetitions.
        idle: for each window, the idle periods of its sitting.
    """
    signal = prepare(use, Semantics.MEAN, interval_s)
    level = {one: idle_level(signal, one).level for pair in idle for one in pair if one is not None}
    while_idle = {pair: _idle_load(*(None if one is None else level[one] for one in pair)) for pair in idle}
    mean = np.array([integral.mean for integral in integrate(signal, windows)])
    return tuple((*while_idle[pair], *_foreign_load(value, mean)) for value, pair in zip(mean, idle, strict=True))


def temperature_verdicts(
    temperature: Series, interval_s: float, windows: Sequence[Window], duration_s: Sequence[float]
) -> VerdictLists:
    """What the temperature says of each window.

    Args:
        temperature: °C, read at moments.
        interval_s: between readings.
        windows: of a run's repetitions.
        duration_s: of one execution in each.
    """
    signal = prepare(temperature, Semantics.INSTANTANEOUS, interval_s)
    mean = np.array([integral.mean for integral in integrate(signal, windows)])
    highest = np.array([_highest(temperature, window) for window in windows])
    slow = _is_slow(np.asarray(duration_s, np.float64))
    whole = tuple(_drift(mean))
    return tuple(
        (*whole, *_other_temperature(mean[i], mean), *_throttling(highest[i], is_slow=bool(slow[i])))
        for i in range(len(windows))
    )


def _idle_load(before: float | None, after: float | None) -> list[Verdict]:
    """Of the CPU's use while idle, NaN or None where it is not known."""
    found = []
    known = [("before", before), ("after", after)]
    for side, percent in known:
        if percent is not None and percent > IDLE_CPU_PERCENT:
            message = f"{percent:.1f} % of the CPUs busy in the idle period {side} the repetitions"
            found.append(Verdict("idle-load", Severity.DOUBTFUL, message, _CLOSE))
    if before is not None and after is not None and abs(after - before) > CPU_CHANGE_PERCENT:
        message = f"CPU use while idle went from {before:.1f} % to {after:.1f} %"
        found.append(Verdict("idle-load-change", Severity.DOUBTFUL, message, _CLOSE))
    return found


def _foreign_load(percent: float, of_all: Float64Array) -> list[Verdict]:
    above = percent - _median(of_all)
    if not above > CPU_CHANGE_PERCENT:
        return []
    message = f"{percent:.1f} % of the CPUs busy, {above:.1f} % above the median of the run's repetitions"
    return [Verdict("foreign-load", Severity.DOUBTFUL, message, _CLOSE)]


def _drift(mean: Float64Array) -> list[Verdict]:
    """Whether the repetitions of the second half were warmer than those of the first."""
    half = len(mean) // 2
    first, second = mean[:half], mean[len(mean) - half :]
    if half < 2 or not (np.isfinite(first).any() and np.isfinite(second).any()):
        return []
    rise = float(np.nanmean(second) - np.nanmean(first))
    if not rise > WARMER_C:
        return []
    message = f"the temperature rose by {rise:.1f} °C from the first half of the repetitions to the second"
    return [Verdict("temperature-drift", Severity.NOTE, message, _WARM)]


def _other_temperature(mean: float, of_all: Float64Array) -> list[Verdict]:
    off = mean - _median(of_all)
    if not abs(off) > MUCH_WARMER_C:
        return []
    side = "above" if off > 0 else "below"
    message = f"{mean:.1f} °C in the window, {abs(off):.1f} °C {side} the median of the run's repetitions"
    return [Verdict("other-temperature", Severity.DOUBTFUL, message, _WARM)]


def _throttling(highest: float, *, is_slow: bool) -> list[Verdict]:
    if not highest >= HOT_C:
        return []
    if is_slow:
        message = f"{highest:.0f} °C, and longer than the median by over {SLOWER - 1:.0%}: probably throttled"
        return [Verdict("throttling", Severity.DOUBTFUL, message, _COOL)]
    return [Verdict("hot", Severity.NOTE, f"{highest:.0f} °C in the window: it may have throttled", _COOL)]


def _is_slow(duration_s: Float64Array) -> BoolArray:
    is_slow: BoolArray = duration_s > SLOWER * _median(duration_s)
    return is_slow


def _highest(series: Series, window: Window) -> float:
    first, behind = np.searchsorted(series.t_ns, [window.start_ns, window.end_ns])
    inside = series.value[first:behind]
    inside = inside[np.isfinite(inside)]
    return float(inside.max()) if len(inside) else float("nan")


def _median(values: Float64Array) -> float:
    """NaN where there are too few to compare one with."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) >= _FEWEST else float("nan")
