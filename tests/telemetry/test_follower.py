"""Whether somebody writes a series, and how often its readings come."""

from dataclasses import replace

import numpy as np
import pytest

from terrawatt.errors import SourceError
from terrawatt.records import Semantics, Series, SeriesKey, SourceDescription
from terrawatt.telemetry.external import timed
from terrawatt.telemetry.follower import check_fresh
from terrawatt.telemetry.messages import SamplerReport

S = 1_000_000_000
NOW = 1_700_000_000 * S
KEY = SeriesKey.of("mqtt_consumer", "value", host="lab", topic="plug")
CPU = SeriesKey.of("cpu", "usage_user", host="lab", cpu="cpu-total")


def read(*ages_s: float, key: SeriesKey = KEY) -> Series:
    """Readings of so many seconds ago."""
    t_ns = np.array([NOW - round(age * S) for age in ages_s], dtype=np.int64)
    return Series(key, t_ns, np.ones(len(t_ns)))


@pytest.mark.parametrize(
    ("series", "is_on_change"),
    [
        (read(25, 15, 5), False),
        (read(100, 70, 40), False),  # every 30 s, and one in the air
        (read(-2), False),  # of a clock that is ahead
        (read(400, 200), False),  # every 200 s
        (read(590), True),
    ],
)
def test_a_series_that_is_written_is_fresh(series: Series, is_on_change: bool) -> None:
    check_fresh(series, NOW, is_on_change=is_on_change)


@pytest.mark.parametrize(
    ("series", "is_on_change", "age"),
    [
        (read(), False, "10 min 00 s"),
        (read(320, 310, 300), False, "5 min 00 s"),
        (read(400, 370, 340), False, "5 min 40 s"),
        (read(61), False, "1 min 01 s"),
        (read(601), True, "10 min 01 s"),
    ],
)
def test_a_stale_one_is_refused_with_its_age(series: Series, is_on_change: bool, age: str) -> None:
    with pytest.raises(
        SourceError, match=rf"^mqtt_consumer.* value: the last reading in the database is {age} old; is"
    ):
        check_fresh(series, NOW, is_on_change=is_on_change)


def test_how_often_readings_come_is_what_the_regular_series_say() -> None:
    source = SourceDescription("plug", "external", Semantics.MEAN, (), KEY)
    report = SamplerReport((source,), "lab", {"cpu": CPU}, {}, interval_s=99.0, slowest_s=99.0)
    series = [read(90, 60, 30, 0), read(30, 20, 10, 0, key=CPU)]
    found = timed(report, series)
    assert (found.interval_s, found.slowest_s) == (10.0, 30.0)
    on_change = replace(report, sources=(replace(source, semantics=Semantics.ON_CHANGE),))
    assert timed(on_change, series).slowest_s == 10.0
    assert timed(report, [read(0)]) == report
