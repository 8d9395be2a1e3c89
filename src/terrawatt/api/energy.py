"""`terrawatt.energy`: energies with uncertainties from arrays, without a run folder."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from terrawatt.analysis.baseline import baseline
from terrawatt.analysis.energy import Energy, energies
from terrawatt.analysis.signal import source_signal
from terrawatt.analysis.uncertainty import late_limit_s
from terrawatt.errors import AnalysisError
from terrawatt.records import AccuracyBand, MeterError, Semantics, Series, SeriesKey, SourceDescription, Window

T = TypeVar("T", Semantics, MeterError)
Interval = Window | tuple[int, int]  # [start, end) in ns


def energy(
    t_ns: npt.ArrayLike,
    value: npt.ArrayLike,
    windows: Sequence[Interval],
    *,
    semantics: Semantics | str,
    idle: Interval | None = None,
    idle_after: Interval | None = None,
    accuracy: Sequence[AccuracyBand] = (),
    error: MeterError | str = MeterError.UNKNOWN,
    resolution_w: float = 0.0,
    interval_s: float | None = None,
    wrap_j: float | None = None,
    timing_s: float | None = None,
    executions: Sequence[int] | None = None,
    name: str = "meter",
) -> tuple[Energy, ...]:
    """Gross and net energy of each window, with uncertainty, budget and 95 % interval (docs/method.md).

    What is missing is NaN, and its `reason` says why: `.net` without an idle period, `.u_j` without an accuracy.

    Args:
        t_ns: (n,) times of the readings, ns.
        value: (n,) what was read: W, or J of a counter; NaN where a reading failed.
        windows: [start, end) of each window, ns.
        semantics: what one reading means: instantaneous, mean, on-change or counter.
        idle: the idle period before the windows, ns.
        idle_after: that behind them, ns.
        accuracy: the meter's limits of error, in ascending bands of power.
        error: how its error at one power goes with that at another: offset, gain or unknown.
        resolution_w: the step of its readings, W.
        interval_s: its nominal interval; None: the median of the times.
        wrap_j: the range of a counter, after which it begins at 0 again.
        timing_s: how late readings may come at most; None: 1 s, or an interval if that is less.
        executions: how often the workload ran in each window; energies are those of one. None: once.
        name: of the meter.

    Returns:
        One `Energy` a window.

    Raises:
        AnalysisError: the arrays do not fit each other, a time is no whole number, or a window ends before it starts.

    >>> import numpy as np, terrawatt
    >>> t_ns = np.arange(0, 181) * 1_000_000_000
    >>> power_w = np.where((t_ns > 60e9) & (t_ns <= 120e9), 90.0, 40.0)
    >>> (found,) = terrawatt.energy(
    ...     t_ns,
    ...     power_w,
    ...     [(60 * 10**9, 120 * 10**9)],
    ...     semantics="mean",
    ...     idle=(0, 60 * 10**9),
    ...     accuracy=[terrawatt.AccuracyBand(plus_minus_percent=1.0)],
    ... )
    >>> round(found.gross.energy_j), round(found.net.energy_j)
    (5400, 3000)
    >>> found.net.u_j > 0 and not found.net.reason
    True
    """
    series = Series(SeriesKey.of(name, "value"), _times(t_ns), np.asarray(value, dtype=np.float64))
    if series.t_ns.ndim != 1 or series.t_ns.shape != series.value.shape:
        raise AnalysisError(f"times and readings differ in shape: {series.t_ns.shape} and {series.value.shape}")
    source = SourceDescription(
        name=name,
        kind="arrays",
        semantics=_one_of(Semantics, semantics, "semantics"),
        accuracy=tuple(accuracy),
        series=series.key,
        resolution_w=resolution_w,
        interval_s=interval_s,
        wrap_j=wrap_j,
        error=_one_of(MeterError, error, "error"),
        timing_s=timing_s,
    )
    if executions is not None and len(executions) != len(windows):
        raise AnalysisError(f"{len(windows)} windows, but executions of {len(executions)}")
    signal = source_signal(series, source)
    level = baseline(signal, _window(idle), _window(idle_after), late_s=late_limit_s(source, signal))
    return energies(signal, source, [Window(*_ends(one)) for one in windows], level, executions)


def _times(t_ns: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """As int64; a float cannot hold the ns of today, so those are refused.

    Raises:
        AnalysisError: they are no whole numbers.
    """
    times = np.asarray(t_ns)
    if np.issubdtype(times.dtype, np.datetime64):
        return times.astype("datetime64[ns]").astype(np.int64)
    if times.size and not np.issubdtype(times.dtype, np.integer):
        raise AnalysisError(f"times are {times.dtype}; give whole ns since 1970 (int64), or datetime64")
    return times.astype(np.int64)


def _one_of(kind: type[T], given: T | str, what: str) -> T:
    try:
        return kind(given)
    except ValueError:
        raise AnalysisError(f"{what} {given!r}: give one of {', '.join(kind)}") from None


def _window(interval: Interval | None) -> Window | None:
    return None if interval is None else Window(*_ends(interval))


def _ends(interval: Interval) -> tuple[int, int]:
    if isinstance(interval, Window):
        return interval.start_ns, interval.end_ns
    start_ns, end_ns = interval
    return int(start_ns), int(end_ns)
