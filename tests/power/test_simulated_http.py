"""The kinds that are asked over HTTP, against the simulated plugs that others wrote the words of."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power import registry
from terrawatt.power.simulator.meter import MeterReading
from terrawatt.power.simulator.server import HttpSpeaker
from terrawatt.power.source import PolledSource, PushedSource

Entry = Callable[..., SourceSettings]
KEYS: dict[str, dict[str, Any]] = {
    "shelly": {},
    "tasmota": {},
    "esphome": {"sensor": "power", "counter_sensor": "energy"},
    "homeassistant": {"entity": "sensor.simulated_power", "counter_entity": "sensor.simulated_energy"},
}


def reading(power_w: float, energy_j: float, *, copies: int = 1, age_s: float = 0.0) -> MeterReading:
    t_ns = time.time_ns() - round(age_s * 1e9)
    return MeterReading(t_ns, t_ns, t_ns, power_w, energy_j, copies=copies)


@contextmanager
def plug(entry: Entry, kind: str, token: SecretStr | None = None) -> Iterator[tuple[HttpSpeaker, PolledSource]]:
    with closing(HttpSpeaker(f"http-{kind}", token=token)) as speaker:
        speaker.start()
        source = registry.create(entry(kind, url=speaker.url, timeout_s=5, **KEYS[kind]), "lab")
        assert not isinstance(source, PushedSource)
        with closing(source):
            yield speaker, source


@pytest.mark.parametrize("kind", sorted(KEYS))
def test_power_and_counter_of_a_simulated_plug(entry: Entry, kind: str) -> None:
    with plug(entry, kind) as (speaker, source):
        speaker.say(reading(42.5, 3_600.0))
        assert source.read() == pytest.approx((42.5, 3_600.0))
        speaker.say(reading(43.0, 7_200.0))
        assert source.read() == pytest.approx((43.0, 7_200.0))
        assert [description.name for description in source.descriptions] == ["plug", "plug counter"]


@pytest.mark.parametrize("kind", sorted(KEYS))
def test_a_reading_that_is_lost_is_a_gap_and_the_next_one_is_read(entry: Entry, kind: str) -> None:
    with plug(entry, kind) as (speaker, source):
        speaker.say(reading(42.5, 3_600.0, copies=0))
        with pytest.raises(SourceError, match="it closed the connection"):
            source.read()
        speaker.say(reading(42.5, 3_600.0))
        assert source.read() == pytest.approx((42.5, 3_600.0))


def test_home_assistant_with_its_token(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERRAWATT_SOURCE_PLUG_TOKEN", "abc")
    with plug(entry, "homeassistant", SecretStr("abc")) as (speaker, source):
        speaker.say(reading(42.5, 3_600.0))
        assert source.read()[0] == 42.5
        speaker.say(reading(42.5, 3_600.0, age_s=600))
        with pytest.raises(SourceError, match="s old, above max_age_s = 120"):
            source.read()
    with plug(entry, "homeassistant", SecretStr("abd")) as (speaker, source):
        speaker.say(reading(42.5, 3_600.0))
        with pytest.raises(SourceError, match="it refuses user and password, or the token") as raised:
            source.read()
    assert "abc" not in json.dumps(str(raised.value))
