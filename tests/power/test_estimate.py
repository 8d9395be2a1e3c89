"""The estimate of power by CPU load."""

import os
from collections.abc import Callable, Sequence

import pytest

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power import estimate
from terrawatt.power.cputimes import CpuTimes
from terrawatt.power.estimate import EstimateOptions, EstimateSource
from terrawatt.records import AccuracyBand, Semantics

Entry = Callable[..., SourceSettings]


class RecordedCpu:
    """CPU times as (user, idle), one after the other; None: they cannot be read."""

    def __init__(self, times: Sequence[tuple[float, float] | None]) -> None:
        self._times = iter(times)
        self.is_closed = False

    def read(self) -> CpuTimes:
        times = next(self._times)
        if times is None:
            raise OSError("no such device")
        return CpuTimes.of_kernel([times[0], 0, 0, times[1]])

    def close(self) -> None:
        self.is_closed = True


def source(entry: Entry, times: Sequence[tuple[float, float] | None]) -> EstimateSource:
    description = estimate.create(entry("estimate"), "lab").descriptions[0]
    return EstimateSource(description, EstimateOptions(idle_w=20, full_w=100), RecordedCpu(times))


def test_power_is_linear_in_the_load_since_the_reading_before(entry: Entry) -> None:
    plug = source(entry, [(0, 0), (0, 100), (100, 100), (150, 150)])
    assert [plug.read() for _ in range(3)] == [(20.0,), (100.0,), (60.0,)]


def test_no_time_counted_is_no_reading(entry: Entry) -> None:
    plug = source(entry, [(5, 5), (5, 5), (6, 5)])
    with pytest.raises(SourceError, match="no CPU time was counted"):
        plug.read()
    assert plug.read() == (100.0,)


def test_times_that_cannot_be_read_are_no_reading(entry: Entry) -> None:
    plug = source(entry, [(0, 0), None, (50, 50)])
    with pytest.raises(SourceError, match="CPU times cannot be read"):
        plug.read()
    assert plug.read() == (60.0,)


def test_it_says_that_it_is_an_estimate(entry: Entry) -> None:
    plug = estimate.create(entry("estimate", idle_w=5, full_w=25), "lab")
    plug.close()
    description = plug.descriptions[0]
    assert description.is_estimate
    assert description.semantics is Semantics.MEAN
    assert description.accuracy == (AccuracyBand(plus_minus_percent=50.0),)
    assert str(description.series) == "power,host=lab,source=plug power_w"
    assert "5 W + 20 W × CPU load" in description.note
    assert "not a measurement" in description.note


def test_the_levels_come_from_the_number_of_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    options = EstimateOptions()
    assert (options.idle_w, options.full_w) == (42.0, 138.0)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"idle_w": 50, "full_w": 40}, r"sources\[plug\]: full_w \(40 W\) must be above idle_w \(50 W\)"),
        ({"idle_w": -1}, r"sources\[plug\]: idle_w: .*greater than or equal to 0"),
        ({"idle_w": float("nan")}, r"sources\[plug\]: idle_w: "),
        ({"full_w": "much"}, r"sources\[plug\]: full_w: .*valid number"),
        ({"ful_w": 3}, r"sources\[plug\]: unknown key 'ful_w' of kind 'estimate'\. Did you mean full_w"),
    ],
)
def test_wrong_options_name_source_and_key(entry: Entry, keys: dict, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        estimate.create(entry("estimate", **keys), "lab")


def test_this_machine_has_a_power_between_the_levels(entry: Entry) -> None:
    plug = estimate.create(entry("estimate", idle_w=20, full_w=100), "lab")
    readings = []
    while not readings:
        try:
            readings += plug.read()
        except SourceError:
            sum(range(100_000))
    plug.close()
    assert 20 <= readings[0] <= 100
