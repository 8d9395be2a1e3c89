"""What becomes of messages: which time their readings get, and how those without one are counted."""

import logging
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from terrawatt.config import SourceSettings
from terrawatt.power.mqtt_devices import Feed, Timing
from terrawatt.power.mqtt_intake import Intake, Lateness, Message
from terrawatt.power.options import describe, describe_power_and_counter
from terrawatt.power.payloads import zigbee2mqtt, zwave
from terrawatt.power.payloads.reading import UNITS
from terrawatt.records import Sample, Semantics, SeriesKey

Entry = Callable[..., SourceSettings]

NOW_NS = 1_795_521_600_000_000_000
NOW_MS = NOW_NS // 10**6
POWER = SeriesKey.of("power", "power_w", host="lab", source="plug")
COUNTER = SeriesKey.of("power", "energy_j", host="lab", source="plug counter")


def message(payload: str, after_s: float = 0.0, **keys: Any) -> Message:
    return Message("plug", payload.encode(), NOW_NS + round(after_s * 1e9), **keys)


@pytest.fixture
def make(entry: Entry) -> Callable[..., Intake]:
    """An intake of a Z-Wave plug's power."""

    def intake(timing: Timing = Timing.AUTO, semantics: Semantics = Semantics.MEAN) -> Intake:
        feed = Feed("plug", partial(zwave.parse, unit=UNITS["W"]))
        return Intake([describe(entry("mqtt"), "lab", semantics, has_device_time=True)], [feed], timing)

    return intake


def test_the_devices_own_time_is_taken(make: Callable[..., Intake]) -> None:
    intake = make()
    assert intake.take(message(f'{{"time": {NOW_MS}, "value": 5}}', 0.3)) == [Sample(POWER, NOW_NS, 5)]
    assert intake.descriptions[0].has_device_time
    assert intake.take(message("6", 1.3)) == []  # two clocks in one series would put readings out of order
    assert intake.counts == {"used": 1, "without the device's time": 1}


def test_without_one_it_is_that_of_the_arrival(make: Callable[..., Intake]) -> None:
    intake = make()
    assert intake.take(message("5", 0.3)) == [Sample(POWER, NOW_NS + 300_000_000, 5)]
    assert not intake.descriptions[0].has_device_time
    with_time = message(f'{{"time": {NOW_MS}, "value": 6}}', 1.5)
    assert intake.take(with_time) == [Sample(POWER, NOW_NS + 1_500_000_000, 6)]


def test_the_settings_may_say_which_time_it_is(make: Callable[..., Intake]) -> None:
    assert make(Timing.DEVICE).take(message("5")) == []
    with_time = message(f'{{"time": {NOW_MS}, "value": 6}}', 1.5)
    assert make(Timing.ARRIVAL).take(with_time) == [Sample(POWER, NOW_NS + 1_500_000_000, 6)]


def test_what_may_have_waited_at_the_broker_counts_only_with_its_own_time(make: Callable[..., Intake]) -> None:
    intake = make()
    assert intake.take(message("5", may_have_waited=True)) == []
    assert intake.counts == {"waited at the broker": 1}
    late = message(f'{{"time": {NOW_MS}, "value": 6}}', 100, may_have_waited=True)
    assert intake.take(late) == [Sample(POWER, NOW_NS, 6)]
    assert intake.take(late) == [Sample(POWER, NOW_NS, 6)]  # told twice, it is the same sample


def test_a_retained_message_is_an_old_one(make: Callable[..., Intake]) -> None:
    intake = make()
    assert intake.take(message(f'{{"time": {NOW_MS}, "value": 6}}', is_retained=True)) == []
    assert intake.counts == {"retained": 1}


def test_a_topic_that_was_not_asked_for_gives_nothing(make: Callable[..., Intake]) -> None:
    intake = make()
    assert intake.take(Message("other", b"5", NOW_NS)) == []
    assert intake.counts == {"without a reading": 1}


def test_power_and_counter_of_one_message_are_two_samples(entry: Entry) -> None:
    both = describe_power_and_counter(entry("mqtt"), "lab", Semantics.ON_CHANGE)
    intake = Intake(both, [Feed("plug", zigbee2mqtt.parse)], Timing.AUTO)
    assert intake.take(message('{"power": 5, "energy": 2}')) == [
        Sample(POWER, NOW_NS, 5),
        Sample(COUNTER, NOW_NS, 7.2e6),
    ]
    alone = Intake(both[:1], [Feed("plug", zigbee2mqtt.parse)], Timing.AUTO)
    assert alone.take(message('{"power": 5, "energy": 2}')) == [Sample(POWER, NOW_NS, 5)]
    assert alone.take(message('{"energy": 2}')) == []
    assert alone.counts == {"used": 1, "without a reading": 1}


def test_a_reading_that_holds_until_the_next_ends_where_nobody_listens(make: Callable[..., Intake]) -> None:
    (sample,) = make(semantics=Semantics.ON_CHANGE).end_of_hold(NOW_NS)
    assert (sample.key, sample.t_ns) == (POWER, NOW_NS)
    assert math.isnan(sample.value)
    assert make(semantics=Semantics.MEAN).end_of_hold(NOW_NS) == []


def test_the_log_says_once_what_is_wrong_and_at_the_end_how_often(
    make: Callable[..., Intake], caplog: pytest.LogCaptureFixture
) -> None:
    intake = make()
    for _ in range(3):
        intake.take(message("hello"))
    intake.take(message("5"))
    dropped = [record for record in caplog.records if "is dropped" in record.getMessage()]
    assert [record.getMessage() for record in dropped] == [
        "source plug: a message on plug is dropped (later ones like it are counted): not a number: 'hello'"
    ]
    assert intake.summary() == "4 messages, 1 used; dropped: 3 not a number"


def test_how_late_messages_come_is_told(make: Callable[..., Intake]) -> None:
    intake = make()
    assert intake.lateness is None
    for after_s in (0.5, 0.25, 2.0):
        intake.take(message(f'{{"time": {NOW_MS}, "value": 6}}', after_s))
    intake.take(message(f'{{"time": {NOW_MS}, "value": 6}}', 500, may_have_waited=True))
    assert intake.lateness == Lateness(0.25, 2.0)
    assert intake.summary() == "4 messages, 4 used, 0.25 to 2.00 s after the device's time; dropped: none"


@pytest.mark.parametrize(("after_s", "word"), [(60, "60.0 s behind"), (-60, "60.0 s ahead of")])
def test_a_device_whose_clock_is_wrong_is_noted_once(
    make: Callable[..., Intake], caplog: pytest.LogCaptureFixture, after_s: float, word: str
) -> None:
    caplog.set_level(logging.WARNING)
    intake = make()
    for _ in range(2):
        assert len(intake.take(message(f'{{"time": {NOW_MS}, "value": 6}}', after_s))) == 1
    assert len(caplog.records) == 1
    assert f"the device's time is {word} this machine's" in caplog.records[0].getMessage()
