"""The series that the sampler keeps of itself, measurement `terrawatt`: its clocks, and when it started."""

from terrawatt.records import SeriesKey

_MEASUREMENT = "terrawatt"


def clock_offset(host: str) -> SeriesKey:
    """`wall_minus_monotonic_s`: a step in it is a moment at which somebody set the clock."""
    return SeriesKey.of(_MEASUREMENT, "wall_minus_monotonic_s", host=host)


def sampler_starts(host: str) -> SeriesKey:
    """`sampler_started`: the sampler's process number at each of its starts; all but the first are restarts."""
    return SeriesKey.of(_MEASUREMENT, "sampler_started", host=host)
