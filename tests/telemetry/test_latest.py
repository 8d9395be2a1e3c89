"""The present power, from samples of powers and counters."""

import math

from terrawatt.records import Sample, Semantics, SeriesKey, SourceDescription
from terrawatt.telemetry.latest import LatestPower

POWER = SeriesKey.of("power", "power_w", source="plug")
ENERGY = SeriesKey.of("power", "energy_j", source="rapl")
OTHER = SeriesKey.of("cpu", "usage_user")
S = 1_000_000_000


def sources() -> LatestPower:
    return LatestPower(
        [
            SourceDescription("plug", "replay", Semantics.MEAN, (), POWER),
            SourceDescription("rapl", "replay", Semantics.COUNTER, (), ENERGY),
        ]
    )


def test_without_a_reading_of_a_source_there_is_nothing_to_say() -> None:
    assert sources().follow([]) is None
    assert sources().follow([Sample(OTHER, 1, 5.0)]) is None


def test_power_is_the_last_reading_and_stays() -> None:
    latest = sources()
    first = latest.follow([Sample(POWER, 1, 5.0), Sample(POWER, 2, 6.0), Sample(OTHER, 9, 0.0)])
    assert first is not None
    assert (first.t_ns, first.power_w["plug"]) == (2, 6.0)
    assert math.isnan(first.power_w["rapl"])
    second = latest.follow([Sample(ENERGY, 3, 0.0)])
    assert second is not None
    assert (second.t_ns, second.power_w["plug"]) == (3, 6.0)
    third = latest.follow([Sample(POWER, 4, math.nan)])
    assert third is not None
    assert math.isnan(third.power_w["plug"])


def test_of_a_counter_it_is_the_difference() -> None:
    latest = sources()
    powers = []
    readings = [(0, 100.0), (2, 120.0), (3, math.nan), (4, 160.0), (5, 3.0), (6, 13.0), (6, 14.0)]
    for t_s, energy_j in readings:
        found = latest.follow([Sample(ENERGY, t_s * S, energy_j)])
        assert found is not None
        powers.append(found.power_w["rapl"])
    nan = math.nan
    assert [None if math.isnan(power) else power for power in powers] == [
        None if math.isnan(power) else power for power in (nan, 10.0, nan, 20.0, nan, 10.0, nan)
    ]


def test_readings_in_other_units_are_shown_in_w() -> None:
    latest = LatestPower(
        [
            SourceDescription("plug", "external", Semantics.INSTANTANEOUS, (), POWER, scale=1e3),
            SourceDescription("meter", "external", Semantics.COUNTER, (), ENERGY, scale=3.6e6),
        ]
    )
    found = latest.follow([Sample(POWER, S, 0.05), Sample(ENERGY, 0, 7.0), Sample(ENERGY, 36 * S, 7.001)])
    assert found is not None
    assert {name: round(power, 6) for name, power in found.power_w.items()} == {"plug": 50.0, "meter": 100.0}
