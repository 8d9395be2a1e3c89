"""A series in numbers, whatever its quantity: how many readings, from when to when, and what lacks."""

from dataclasses import dataclass

import numpy as np

from terrawatt.records import Series, SeriesKey
from terrawatt.units import ns_to_s


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """A series in numbers.

    Attributes:
        key: the series.
        readings: how many, failed ones too.
        failed: how many of them failed.
        first_ns, last_ns: the times of the first and the last; None without any.
        longest_gap_s: the longest time between two that did not fail; None where there are no two.
    """

    key: SeriesKey
    readings: int
    failed: int
    first_ns: int | None
    last_ns: int | None
    longest_gap_s: float | None


def facts_of(series: Series) -> SeriesFacts:
    """A series in numbers."""
    good_ns = series.t_ns[~np.isnan(series.value)]
    return SeriesFacts(
        key=series.key,
        readings=len(series),
        failed=len(series) - len(good_ns),
        first_ns=int(series.t_ns[0]) if len(series) else None,
        last_ns=int(series.t_ns[-1]) if len(series) else None,
        longest_gap_s=ns_to_s(int(np.diff(good_ns).max())) if len(good_ns) > 1 else None,
    )
