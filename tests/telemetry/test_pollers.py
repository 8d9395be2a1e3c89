"""Threads that read: slow ones delay nobody, failing ones leave gaps."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from terrawatt.config import SamplingSettings
from terrawatt.errors import SourceError
from terrawatt.power.source import Take
from terrawatt.records import Sample, Semantics, SeriesKey, SourceDescription
from terrawatt.telemetry.buffer import SampleBuffer
from terrawatt.telemetry.host import HostSeries
from terrawatt.telemetry.pollers import Arrivals, HostTaker, Poller, SourceTaker
from terrawatt.telemetry.schedule import Schedule

FREE = SeriesKey.of("mem", "available_percent", host="lab")


class FakeSource:
    """A source that gives readings of a list; an error in it is raised."""

    def __init__(self, name: str, answer: Callable[[], float]) -> None:
        series = SeriesKey.of("power", "power_w", source=name)
        self.descriptions = (SourceDescription(name, "fake", Semantics.INSTANTANEOUS, (), series),)
        self._answer = answer

    def read(self) -> tuple[float, ...]:
        return (self._answer(),)

    def close(self) -> None: ...


def answers(*readings: float | SourceError) -> Callable[[], float]:
    remaining = iter(readings)

    def answer() -> float:
        reading = next(remaining)
        if isinstance(reading, SourceError):
            raise reading
        return reading

    return answer


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_slow_source_does_not_delay_another(stop: threading.Event) -> None:
    released, buffer = threading.Event(), SampleBuffer()

    def slow() -> float:
        released.wait(30)
        return 1.0

    sources = [FakeSource("slow", slow), FakeSource("fast", lambda: 2.0)]
    start_ns = time.monotonic_ns()
    pollers = [
        Poller(source.descriptions[0].name, SourceTaker(source), Schedule(0.01, start_ns), buffer, stop)
        for source in sources
    ]
    for poller in pollers:
        poller.start()
    taken: list[Sample] = []
    while len(taken) < 10:
        taken += buffer.drain()
    assert {sample.value for sample in taken} == {2.0}
    assert [poller.has_begun for poller in pollers] == [False, True]
    released.set()
    while not any(sample.value == 1.0 for sample in taken):
        taken += buffer.drain()
    stop.set()
    for poller in pollers:
        poller.join(10)
    assert pollers[0].schedule.missed >= 9
    fast = [sample.t_ns for sample in taken if sample.value == 2.0]
    assert fast == sorted(set(fast))


def test_a_failed_reading_is_a_gap_and_one_line_a_change(caplog: pytest.LogCaptureFixture) -> None:
    gone = SourceError("the plug does not answer")
    take = SourceTaker(FakeSource("plug", answers(5.0, gone, gone, gone, 7.0, gone)))
    with caplog.at_level(logging.WARNING):
        values = [take()[0].value for _ in range(6)]
    assert [None if math.isnan(value) else value for value in values] == [5.0, None, None, None, 7.0, None]
    assert [record.getMessage() for record in caplog.records] == [
        "source plug: no reading: the plug does not answer",
        "source plug reads again",
        "source plug: no reading: the plug does not answer",
    ]


class FakeReader:
    """Gives the values of a list."""

    keys = (FREE,)

    def __init__(self, *values: float) -> None:
        self._values = iter(values)

    def read(self) -> tuple[float, ...]:
        return (next(self._values),)

    def close(self) -> None: ...


def test_host_series_are_taken_together_with_the_clock(caplog: pytest.LogCaptureFixture) -> None:
    take = HostTaker(HostSeries((FakeReader(50.0, math.nan, math.nan, 60.0),), {}, {}), "lab")
    with caplog.at_level(logging.WARNING):
        batches = [take() for _ in range(4)]
    for batch in batches:
        assert [str(sample.key) for sample in batch] == [str(FREE), "terrawatt,host=lab wall_minus_monotonic_s"]
        assert batch[0].t_ns == batch[1].t_ns
        assert batch[1].value == pytest.approx(time.time() - time.monotonic(), abs=60)
    assert [batch[0].value for batch in batches][::3] == [50.0, 60.0]
    assert [record.getMessage() for record in caplog.records] == [
        f"host series without a reading: {FREE}",
        "host series without a reading: none any more",
    ]


def test_sampling_settings_have_a_positive_interval() -> None:
    with pytest.raises(ValueError, match="seconds above 0"):
        SamplingSettings(interval_s=0)


class SendingSource(FakeSource):
    """A source that sends what it is told to, and may have a session."""

    def __init__(self, name: str) -> None:
        super().__init__(name, lambda: math.nan)
        self.take: Take | None = None
        self.has_session = False

    def keep_session(self) -> None:
        assert self.take is None
        self.has_session = True

    def start(self, take: Take) -> None:
        self.take = take


def test_what_a_source_sends_by_itself_goes_into_the_buffer(caplog: pytest.LogCaptureFixture) -> None:
    source, buffer = SendingSource("plug"), SampleBuffer()
    arrivals = Arrivals(source, buffer)
    arrivals.start()
    assert source.has_session  # the sampler is the one lasting reader
    assert source.take is not None
    arrivals.note_silence()
    assert caplog.messages == ["source plug: connected, but no reading has come yet"]
    sample = Sample(source.descriptions[0].series, 1, 2.0)
    source.take([sample])
    assert arrivals.has_begun
    assert buffer.drain() == [sample]
    arrivals.note_silence()
    assert len(caplog.messages) == 1
