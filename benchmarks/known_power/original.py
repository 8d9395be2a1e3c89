"""The research scripts' way to an energy, as it is described, and the trapezoid that is clipped at the window's ends.

The scripts cut times to seconds, took the readings inside a window only, went over them row by row, and gave 0 J where
there were fewer than two. From each reading they subtracted the level of the cold period: its integral in the same
manner, divided by the full length of the period though only the part between its readings was integrated.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from terrawatt.records import Float64Array, Series, Window
from terrawatt.units import NS_PER_S


def original_j(series: Series, windows: Sequence[Window], cold: Window | None) -> Float64Array:
    """Energies in J; net of the cold period's level where one is given."""
    t_s = np.asarray(series.t_ns) // NS_PER_S

    def inside_j(window: Window, level_w: float) -> float:
        is_inside = (t_s >= window.start_ns // NS_PER_S) & (t_s <= window.end_ns // NS_PER_S)
        return float(np.trapezoid(series.value[is_inside] - level_w, t_s[is_inside]))

    level_w = 0.0 if cold is None else inside_j(cold, 0.0) / (cold.duration_ns // NS_PER_S)
    return np.array([inside_j(window, level_w) for window in windows])


def original_by_rows_j(rows: pd.DataFrame, windows: Sequence[Window], cold: Window) -> list[float]:
    """The same, one row of the table after the other: its time is read, and each repetition asked whether it is its.

    How exactly the scripts wrote this is not told, only what it cost: 0.25 ms a row with 10 repetitions, 0.46 ms with
    100. This is the usual loop over a pandas table; `speed.py` prints its cost beside that one.
    """
    start, end = _cut(cold.start_ns), _cut(cold.end_ns)
    level_w = _row_by_row_j(rows, [(start, end)], 0.0)[0] / (end - start).total_seconds()
    return _row_by_row_j(rows, [(_cut(window.start_ns), _cut(window.end_ns)) for window in windows], level_w)


def clipped_trapezoid_j(series: Series, windows: Sequence[Window], cold: Window | None) -> Float64Array:
    """Energies in J by the trapezoid over the readings and values interpolated at both ends; net likewise."""
    t_s = (series.t_ns - series.t_ns[0]) / NS_PER_S

    def clipped_j(window: Window) -> float:
        start_s, end_s = ((at - series.t_ns[0]) / NS_PER_S for at in (window.start_ns, window.end_ns))
        at_s = np.concatenate(([start_s], t_s[(t_s > start_s) & (t_s < end_s)], [end_s]))
        return float(np.trapezoid(np.interp(at_s, t_s, series.value), at_s))

    level_w = 0.0 if cold is None else clipped_j(cold) / cold.duration_s
    return np.array([clipped_j(window) - level_w * window.duration_s for window in windows])


def text_rows(series: Series) -> pd.DataFrame:
    """Readings as a database's answer gives them: columns `time`, a text, and `value`."""
    times = pd.to_datetime(series.t_ns).strftime("%Y-%m-%dT%H:%M:%S")
    return pd.DataFrame({"time": times, "value": series.value})


def _row_by_row_j(
    rows: pd.DataFrame, bounds: Sequence[tuple[pd.Timestamp, pd.Timestamp]], level_w: float
) -> list[float]:
    energy_j = [0.0] * len(bounds)
    last: list[tuple[pd.Timestamp, float] | None] = [None] * len(bounds)
    for text, value in rows.itertuples(index=False):
        at = pd.to_datetime(text)
        for i, (start, end) in enumerate(bounds):
            if start <= at <= end:
                before = last[i]
                if before is not None:
                    energy_j[i] += ((before[1] + value) / 2 - level_w) * (at - before[0]).total_seconds()
                last[i] = (at, value)
    return energy_j


def _cut(t_ns: int) -> pd.Timestamp:
    return pd.Timestamp(t_ns // NS_PER_S, unit="s")
