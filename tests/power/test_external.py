"""A meter that somebody else reads: a description only."""

from collections.abc import Callable

import pytest

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power import registry
from terrawatt.records import Semantics, SeriesKey

Entry = Callable[..., SourceSettings]
TOPIC = "zwave/Smart_switch_PC/50/0/value/66049"


def test_it_names_its_series_and_what_it_is_told_of_the_meter(entry: Entry) -> None:
    settings = entry("external", measurement="mqtt_consumer", tags={"topic": TOPIC}, semantics="mean", interval_s=30)
    (description,) = registry.create(settings, "lab").descriptions
    assert description.series == SeriesKey.of("mqtt_consumer", "value", topic=TOPIC)
    assert (description.semantics, description.scale, description.interval_s) == (Semantics.MEAN, 1.0, 30.0)


@pytest.mark.parametrize(
    ("unit", "semantics", "scale"),
    [("kW", "instantaneous", 1e3), ("mW", "instantaneous", 1e-3), ("Wh", "counter", 3600.0), ("kWh", "counter", 3.6e6)],
)
def test_its_unit_tells_powers_from_counters(entry: Entry, unit: str, semantics: str, scale: float) -> None:
    (description,) = registry.create(entry("external", measurement="plug", unit=unit), "lab").descriptions
    assert (description.semantics, description.scale) == (semantics, scale)


def test_it_cannot_be_asked(entry: Entry) -> None:
    source = registry.create(entry("external", measurement="plug"), "lab")
    with pytest.raises(SourceError, match="somebody else reads it, into the database: plug value"):
        source.read()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "measurement: Field required"),
        ({"measurement": "plug", "unit": "MWh"}, "unit: Input should be"),
        ({"measurement": "plug", "topic": TOPIC}, "unknown key 'topic'"),
        ({"measurement": "plug", "unit": "kWh", "semantics": "mean"}, "it gives energy"),
    ],
)
def test_wrong_options_are_named(entry: Entry, options: dict[str, object], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        registry.create(entry("external", **options), "lab")
