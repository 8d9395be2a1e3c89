"""Meters that repeat one value for ever: nothing has failed, and yet nothing is measured.

A meter that hangs goes on with its last value when the load begins or ends. A load that truly draws no more than the
idle machine looks alike, and so does a meter that is too coarse to see it. So equal readings across an end of a window
are only told where other readings say that they are not the rule: the load was seen at another end, or no other row of
equal readings comes near to being so long. And what is told is doubtful, not unusable.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.signal import Signal
from terrawatt.records import Float64Array, Int64Array, Severity, SourceDescription, Verdict, Window
from terrawatt.units import format_duration, ns_to_s, s_to_ns

FEWEST = 10  # equal readings in a row; fewer are chance
TIMES_LONGER = 5  # than any other row, where the load is never seen
_SEEN = 5  # readings on each side of an end: all those inside beyond all those outside shows the load


@dataclass(frozen=True, slots=True)
class Standstill:
    """Equal readings in a row, across an end of a window.

    Attributes:
        value: the reading.
        n_readings: how many.
        duration_s: from the first to the last.
    """

    value: float
    n_readings: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class _End:
    """An end of a window beside which the machine idles.

    Attributes:
        inside: position of the first reading inside, counted away from the end.
        outside: the same outside.
        inwards: 1 at a start, -1 at an end.
        n_outside: readings outside until the workload runs again, or ran before; at most `_SEEN` count.
    """

    inside: int
    outside: int
    inwards: int
    n_outside: int

    def shows_load(self, value: Float64Array) -> bool:
        """Whether all of the next readings inside are above, or all below, all of those outside."""
        steps = np.arange(_SEEN)
        inside, outside = self.inside + steps * self.inwards, self.outside - steps * self.inwards
        if self.n_outside < _SEEN or inside.min() < 0 or inside.max() >= len(value):
            return False
        near, far = value[inside], value[outside]
        return bool(near.min() > far.max() or near.max() < far.min())


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of equal readings: (r,) where each begins and ends, as positions among the good readings."""

    first: Int64Array
    last: Int64Array

    @classmethod
    def of(cls, value: Float64Array) -> "_Rows":
        first = np.concatenate(([0], np.flatnonzero(np.diff(value) != 0) + 1))
        return cls(first, np.append(first[1:], len(value)) - 1)

    def across(self, end: _End) -> int | None:
        """The row with two readings on each side of an end (outside only one, where there are no more)."""
        row = int(np.searchsorted(self.first, end.outside, side="right")) - 1
        sides = end.outside - end.inwards * (min(end.n_outside, 2) - 1), end.inside + end.inwards
        is_across = self.first[row] <= min(sides) and max(sides) <= self.last[row]
        return row if is_across and self.length[row] >= FEWEST else None

    @property
    def length(self) -> Int64Array:
        return np.asarray(self.last - self.first + 1)


def standstills(
    signal: Signal, windows: Sequence[Window], late_s: float, busy: Sequence[Window] = ()
) -> tuple[Standstill | None, ...]:
    """For each window the row of equal readings that goes on across one of its ends; None: there is none to be told.

    Args:
        signal: of any semantics.
        windows: one per repetition.
        late_s: by how much readings may be late.
        busy: when else the machine does not idle, e.g. in warm-ups.
    """
    t_ns, value = signal.t_ns[signal.good], signal.value[signal.good]
    if len(value) < FEWEST:
        return (None,) * len(windows)
    rows = _Rows.of(value)
    ends = [list(_ends(t_ns, window, (*windows, *busy), s_to_ns(late_s))) for window in windows]
    across = [[row for end in own if (row := rows.across(end)) is not None] for own in ends]
    told = {row for own in across for row in own}
    others = np.delete(rows.length, list(told))
    fewest = FEWEST
    if not any(end.shows_load(value) for own in ends for end in own):
        fewest = max(FEWEST, TIMES_LONGER * int(others.max(initial=0)))
    return tuple(_longest(rows, t_ns, value, own, fewest) for own in across)


def stuck_verdicts(
    description: SourceDescription,
    signal: Signal,
    windows: Sequence[Window],
    late_s: float,
    busy: Sequence[Window] = (),
) -> tuple[tuple[Verdict, ...], ...]:
    """What is to be said of each window where the source stood still across one of its ends; see `standstills`."""
    if description.is_estimate:  # it has no meter that could hang
        return ((),) * len(windows)
    found = standstills(signal, windows, late_s, busy)
    return tuple(() if one is None else (_verdict(description.name, one),) for one in found)


def _ends(t_ns: Int64Array, window: Window, busy: Sequence[Window], late_ns: int) -> Iterator[_End]:
    """Those of a window beside which the machine idles; readings count from when they may be late no more."""
    late = int(np.searchsorted(t_ns, window.start_ns + late_ns, side="right"))
    before = int(np.searchsorted(t_ns, window.start_ns, side="left")) - 1
    last = int(np.searchsorted(t_ns, window.end_ns, side="left")) - 1
    behind = int(np.searchsorted(t_ns, window.end_ns + late_ns, side="right"))
    is_busy = np.any([(t_ns > one.start_ns) & (t_ns <= one.end_ns + late_ns) for one in busy], axis=0)
    for inside, outside, inwards in ((late, before, 1), (last, behind, -1)):
        around = outside - inwards * np.arange(_SEEN)
        idle = ~is_busy[around[(around >= 0) & (around < len(t_ns))]]
        n_outside = int(np.argmin(np.append(idle, False)))
        if n_outside and 0 <= inside < len(t_ns):
            yield _End(inside, outside, inwards, n_outside)


def _longest(
    rows: _Rows, t_ns: Int64Array, value: Float64Array, across: Sequence[int], fewest: int
) -> Standstill | None:
    row = max(across, key=lambda row: int(rows.length[row]), default=None)
    if row is None or rows.length[row] < fewest:
        return None
    first, last = rows.first[row], rows.last[row]
    return Standstill(float(value[first]), int(last - first + 1), ns_to_s(int(t_ns[last] - t_ns[first])))


def _verdict(source: str, found: Standstill) -> Verdict:
    lasted = format_duration(found.duration_s)
    message = (
        f"{found.n_readings} readings in a row are {found.value:.6g} (for {lasted}), within the window and outside"
    )
    advice = "see whether the meter hangs; if it lives, it is too coarse to see this load"
    return Verdict("stuck", Severity.DOUBTFUL, message, advice, f"Energy ({source})")
