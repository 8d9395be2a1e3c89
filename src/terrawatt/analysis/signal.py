"""A series made ready for integration: sorted, without duplicates, failed readings bridged, gaps known.

Between two neighbouring readings lies a *cell*. What a reading says of the cells around it is its semantics:

    instantaneous   the power goes linearly from reading to reading
    mean            a reading is the mean of the cell before it (backward hold)
    on-change       a reading holds until the next one (forward hold)
    counter         the mean power of a cell is the difference of its two readings by its length

Times stay int64 nanoseconds; only differences become float64 seconds, so that no nanosecond is lost to rounding.
"""

from dataclasses import dataclass, replace

import numpy as np

from terrawatt.analysis.counter import Unwrapped, failed_zeros, unwrap
from terrawatt.errors import AnalysisError
from terrawatt.records import BoolArray, Float64Array, Int64Array, Semantics, Series, SourceDescription
from terrawatt.units import NS_PER_S, s_to_ns

GAP_INTERVALS = 3  # a stretch without readings that is longer than this many nominal intervals is a gap

# How the fields of a series that holds something else than the semantics needs are called, in terrawatt and elsewhere.
_POWER_SUFFIXES, _ENERGY_SUFFIXES = ("_w", "_mw", "_kw"), ("_j", "_uj", "_wh", "_kwh")


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """What is known of a quantity over time, from its readings. Made by `prepare`.

    Attributes:
        t_ns: (n,) strictly increasing times.
        value: (n,) the readings; at a failed one, what its neighbours say.
        is_reading: (n,) False where the reading failed.
        level: (n - 1,) mean of the quantity in each cell; of a counter: its rate.
        cumulative: (n,) integral from the first time on, in the unit of the level times s.
        is_bridged: (n - 1,) cells in a gap, or known only from the readings around a failed one or a counter's restart.
        is_broken: (n - 1,) cells over which a counter cannot be followed (`counter`): no integral over them.
        interval_s: the nominal interval: as given, else the median; None for on-change series, and where there are
            too few readings to tell.
        n_failed: readings that were NaN, infinite, or zeros of a counter that had counted before.
        n_duplicates: readings dropped because a later one has the same time.
        n_unsorted: readings that came before an earlier one.
        n_wraps: how often a counter went round.
        n_resets: how often a counter began again.
    """

    semantics: Semantics
    t_ns: Int64Array
    value: Float64Array
    is_reading: BoolArray
    level: Float64Array
    cumulative: Float64Array
    is_bridged: BoolArray
    is_broken: BoolArray
    interval_s: float | None
    n_failed: int = 0
    n_duplicates: int = 0
    n_unsorted: int = 0
    n_wraps: int = 0
    n_resets: int = 0

    def __len__(self) -> int:
        return len(self.t_ns)

    @property
    def good(self) -> Int64Array | slice:
        """Where the good readings are: an index of arrays that have one value a reading."""
        return slice(None) if self.is_reading.all() else np.flatnonzero(self.is_reading)

    @property
    def cell_s(self) -> Float64Array:
        """(n - 1,) lengths of the cells in s."""
        return seconds(np.diff(self.t_ns))


def seconds(duration_ns: Int64Array) -> Float64Array:
    """Durations in s of durations in ns."""
    return duration_ns / np.float64(NS_PER_S)


def source_signal(series: Series, source: SourceDescription) -> Signal:
    """A power source's series, made ready for integration by what is known of the source.

    Raises:
        AnalysisError: the series' name says that it holds another quantity or unit than the semantics needs.
    """
    wanted, refused = ("energy in J", (*_POWER_SUFFIXES, *_ENERGY_SUFFIXES[1:]))
    if source.semantics is not Semantics.COUNTER:
        wanted, refused = "power in W", (*_ENERGY_SUFFIXES, *_POWER_SUFFIXES[1:])
    if source.scale != 1.0:
        series = Series(series.key, series.t_ns, series.value * source.scale)
    elif series.key.field.lower().endswith(refused):
        raise AnalysisError(f"{source.name}: {source.semantics} readings are {wanted}, but the series is {series.key}")
    if source.latency_s:  # as calibrated: each reading is put at the time of which it speaks
        series = Series(series.key, series.t_ns - s_to_ns(source.latency_s), series.value)
    return prepare(series, source.semantics, source.interval_s, source.wrap_j)


def prepare(series: Series, semantics: Semantics, interval_s: float | None = None, wrap: float | None = None) -> Signal:
    """Make a series ready for integration.

    Readings are sorted; of several at one time the last counts. Failed readings (NaN, infinite) at the ends are
    dropped; inside, they are replaced by linear interpolation in time between the good ones around them. A mean that
    comes after a gap speaks only for the last interval: the cell before it is bridged likewise. A counter is followed
    through wrap-arounds and restarts.

    Args:
        series: times and values.
        semantics: what one reading means.
        interval_s: the nominal interval between readings.
        wrap: the range of a counter, after which it begins at 0 again, in its own unit.

    Raises:
        AnalysisError: times and values differ in number, or the interval is not above 0.
    """
    n_unsorted, (t_ns, value) = _checked(series, interval_s)
    n_duplicates = len(series.t_ns) - len(t_ns)
    is_reading = _good(t_ns, value, semantics)
    n_failed = len(t_ns) - int(np.count_nonzero(is_reading))
    t_ns, value, is_reading = _without_failed_ends(t_ns, value, is_reading)
    if interval_s is None and semantics is not Semantics.ON_CHANGE:
        interval_s = _median_interval_s(t_ns[is_reading])
    if semantics is Semantics.MEAN and interval_s is not None:
        t_ns, value, is_reading = _bounded_means(t_ns, value, is_reading, interval_s)
    counter = unwrap(t_ns[is_reading], value[is_reading], wrap) if semantics is Semantics.COUNTER else None
    value = _bridged(t_ns, value, is_reading, counter)
    cell_s = seconds(np.diff(t_ns))
    level = _level(value, cell_s, semantics)
    signal = Signal(
        semantics=semantics,
        t_ns=t_ns,
        value=value,
        is_reading=is_reading,
        level=level,
        cumulative=_cumulative(value, level, cell_s, semantics),
        is_bridged=_bridged_cells(t_ns, is_reading, semantics, interval_s),
        is_broken=np.zeros(len(level), np.bool_),
        interval_s=interval_s,
        n_failed=n_failed,
        n_duplicates=n_duplicates,
        n_unsorted=n_unsorted,
    )
    return signal if counter is None else _counted(signal, counter)


def _checked(series: Series, interval_s: float | None) -> tuple[int, tuple[Int64Array, Float64Array]]:
    """How many readings came before an earlier one, and all of them sorted."""
    if len(series.t_ns) != len(series.value):
        raise AnalysisError(f"{series.key}: {len(series.t_ns)} times, but {len(series.value)} values")
    if interval_s is not None and not interval_s > 0:
        raise AnalysisError(f"{series.key}: the interval between readings must be above 0 s, not {interval_s} s")
    n_unsorted = int(np.count_nonzero(np.diff(series.t_ns) < 0))
    return n_unsorted, _sorted(np.asarray(series.t_ns, np.int64), np.asarray(series.value, np.float64))


def _counted(signal: Signal, counter: Unwrapped) -> Signal:
    """A counter's signal, with what is known of its restarts and jumps."""
    return replace(
        signal,
        is_bridged=signal.is_bridged | _stretched(counter.is_reset, signal.is_reading),
        is_broken=_stretched(counter.is_broken, signal.is_reading),
        n_wraps=counter.n_wraps,
        n_resets=int(np.count_nonzero(counter.is_reset)),
    )


def _good(t_ns: Int64Array, value: Float64Array, semantics: Semantics) -> BoolArray:
    """Which readings are good ones."""
    is_finite: BoolArray = np.isfinite(value)
    if semantics is Semantics.COUNTER:
        is_finite[is_finite] = ~failed_zeros(t_ns[is_finite], value[is_finite])
    return is_finite


def _sorted(t_ns: Int64Array, value: Float64Array) -> tuple[Int64Array, Float64Array]:
    """By time; the last of several readings at one time, as a store keeps them."""
    if len(t_ns) > 1 and not np.all(t_ns[1:] > t_ns[:-1]):
        order = np.argsort(t_ns, kind="stable")
        t_ns, value = t_ns[order], value[order]
        is_last = np.append(t_ns[1:] > t_ns[:-1], True)
        t_ns, value = t_ns[is_last], value[is_last]
    return t_ns, value


def _without_failed_ends(
    t_ns: Int64Array, value: Float64Array, is_reading: BoolArray
) -> tuple[Int64Array, Float64Array, BoolArray]:
    good = np.flatnonzero(is_reading)
    inner = slice(good[0], good[-1] + 1) if len(good) else slice(0, 0)
    return t_ns[inner], value[inner], is_reading[inner]


def _median_interval_s(t_ns: Int64Array) -> float | None:
    return float(np.median(seconds(np.diff(t_ns)))) if len(t_ns) > 1 else None


def _in_long_stretch(t_ns: Int64Array, is_reading: BoolArray, interval_s: float | None) -> BoolArray:
    """(n - 1,) cells between two good readings that are too far apart."""
    n_cells = max(len(t_ns) - 1, 0)
    if interval_s is None or n_cells == 0:
        return np.zeros(n_cells, np.bool_)
    return _stretched(seconds(np.diff(t_ns[is_reading])) > GAP_INTERVALS * interval_s, is_reading)


def _stretched(of_stretch: BoolArray, is_reading: BoolArray) -> BoolArray:
    """(n - 1,) what holds for the stretch between two good readings, for each cell in it."""
    if is_reading.all():
        return of_stretch
    in_stretch: BoolArray = of_stretch[np.cumsum(is_reading)[:-1] - 1]  # the good reading at which it begins
    return in_stretch


def _bounded_means(
    t_ns: Int64Array, value: Float64Array, is_reading: BoolArray, interval_s: float
) -> tuple[Int64Array, Float64Array, BoolArray]:
    """A mean speaks for one interval: a failed reading is put one interval before the first, and into long cells."""
    if not len(t_ns):
        return t_ns, value, is_reading
    interval_ns = round(interval_s * NS_PER_S)
    is_long = _in_long_stretch(t_ns, is_reading, interval_s) & (np.diff(t_ns) > interval_ns) & is_reading[1:]
    after = np.concatenate(([0], np.flatnonzero(is_long) + 1))
    return (
        np.insert(t_ns, after, t_ns[after] - interval_ns),
        np.insert(value, after, np.nan),
        np.insert(is_reading, after, False),
    )


def _bridged_cells(
    t_ns: Int64Array, is_reading: BoolArray, semantics: Semantics, interval_s: float | None
) -> BoolArray:
    """(n - 1,) cells of which no reading speaks: those of a failed reading, and those of gaps."""
    match semantics:
        case Semantics.MEAN:  # its gaps end at failed readings, by `_bounded_means`
            return ~is_reading[1:]
        case Semantics.ON_CHANGE:
            return ~is_reading[:-1] | _in_long_stretch(t_ns, is_reading, interval_s)
        case _:
            return ~is_reading[1:] | _in_long_stretch(t_ns, is_reading, interval_s)


def _bridged(t_ns: Int64Array, value: Float64Array, is_reading: BoolArray, counter: Unwrapped | None) -> Float64Array:
    """Failed readings by linear interpolation in time between the good ones around them; a counter unwrapped."""
    good = value[is_reading] if counter is None else counter.value
    if is_reading.all():
        return good
    elapsed_s = seconds(t_ns - t_ns[0])
    filled = value.copy()
    filled[is_reading] = good
    filled[~is_reading] = np.interp(elapsed_s[~is_reading], elapsed_s[is_reading], good)
    return filled


def _level(value: Float64Array, cell_s: Float64Array, semantics: Semantics) -> Float64Array:
    match semantics:
        case Semantics.INSTANTANEOUS:
            return (value[:-1] + value[1:]) / 2
        case Semantics.MEAN:
            return value[1:]
        case Semantics.ON_CHANGE:
            return value[:-1]
        case Semantics.COUNTER:
            return np.diff(value) / cell_s


def _cumulative(value: Float64Array, level: Float64Array, cell_s: Float64Array, semantics: Semantics) -> Float64Array:
    if semantics is Semantics.COUNTER:
        return value - value[0] if len(value) else value
    return np.concatenate(([0.0], np.cumsum(level * cell_s)))[: len(value)]
