"""Times that cannot be trusted: a clock that somebody set, and a sampler that began again."""

from collections.abc import Sequence

import numpy as np

from terrawatt.records import Int64Array, Series, Severity, Verdict, Window
from terrawatt.units import NS_PER_S

# What NTP does to a clock that is off: it is made up to 0.05 % faster or slower (RFC 5905, 500 ppm), and ours looks at
# two clocks one after the other.
_SLEW, _LOOKING_S = 1e-3, 0.01
SMALL_JUMP, LARGE_JUMP = 0.01, 0.10  # shares of a window: up to the first a note, above the second unusable

_NTP = "let NTP steer the clock (chrony, systemd-timesyncd), and set it before a run, not during one"
_LOG = "see log.txt for why it ended"


def clock_jump_s(offset: Series, window: Window) -> float:
    """By how much the clock was set in a window, in s; 0 where it was only steered.

    A clock that was set back makes times occur twice, with both offsets: so the range of the offsets is what counts,
    of the readings inside and of the nearest outside.

    Args:
        offset: wall clock minus monotonic clock, in s.
        window: a stretch of time.
    """
    first = max(int(np.searchsorted(offset.t_ns, window.start_ns, side="left")) - 1, 0)
    behind = int(np.searchsorted(offset.t_ns, window.end_ns, side="right")) + 1
    t_ns, value = offset.t_ns[first:behind], offset.value[first:behind]
    value = value[np.isfinite(value)]
    if len(value) < 2:
        return 0.0
    jump_s = float(np.ptp(value))
    return jump_s if jump_s > _LOOKING_S + _SLEW * float(t_ns[-1] - t_ns[0]) / NS_PER_S else 0.0


def clock_verdicts(
    offset: Series, windows: Sequence[Window], idle: Sequence[Window]
) -> tuple[tuple[Verdict, ...], ...]:
    """What a set clock means for each window: in it, energy and duration are wrong by its share of the window."""
    in_idle_s = max((clock_jump_s(offset, window) for window in idle), default=0.0)
    while_idle: tuple[Verdict, ...] = ()
    if in_idle_s:
        message = f"the clock was set by {in_idle_s:.3g} s in an idle period"
        while_idle = (Verdict("clock-jump", Severity.NOTE, message, _NTP),)
    return tuple((*_jump_in(offset, window), *while_idle) for window in windows)


def restart_verdicts(
    starts: Series, windows: Sequence[Window], idle: Sequence[Window]
) -> tuple[tuple[Verdict, ...], ...]:
    """What a sampler that began again means for each window: readings are lost, and sources may have begun anew.

    Args:
        starts: one reading at each start of the sampler; the first is no restart.
        windows: of the repetitions.
        idle: the idle periods.
    """
    again_ns = starts.t_ns[1:]
    in_idle = sum(_count(again_ns, window) for window in idle)
    while_idle: tuple[Verdict, ...] = ()
    if in_idle:
        message = f"the sampler was restarted {_times(in_idle)} in an idle period"
        while_idle = (Verdict("sampler-restarted", Severity.NOTE, message, _LOG),)
    return tuple((*_restarts_in(again_ns, window), *while_idle) for window in windows)


def _jump_in(offset: Series, window: Window) -> list[Verdict]:
    jump_s = clock_jump_s(offset, window)
    if not jump_s:
        return []
    share = jump_s / window.duration_s
    severity = Severity.UNUSABLE if share > LARGE_JUMP else Severity.DOUBTFUL if share > SMALL_JUMP else Severity.NOTE
    message = f"the clock was set by {jump_s:.3g} s in the window ({share:.1%} of it)"
    return [Verdict("clock-jump", severity, message, _NTP)]


def _restarts_in(again_ns: Int64Array, window: Window) -> list[Verdict]:
    n_restarts = _count(again_ns, window)
    if not n_restarts:
        return []
    message = f"the sampler was restarted {_times(n_restarts)} in the window"
    return [Verdict("sampler-restarted", Severity.DOUBTFUL, message, _LOG)]


def _count(t_ns: Int64Array, window: Window) -> int:
    return int(np.count_nonzero((t_ns >= window.start_ns) & (t_ns < window.end_ns)))


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"
