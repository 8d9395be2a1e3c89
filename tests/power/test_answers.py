"""Whatever a device answers is read as numbers, or refused with a reason."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.errors import SourceError
from terrawatt.power import answers
from terrawatt.power.payloads.reading import Quantity

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
READERS: list[Callable[[bytes], tuple[float, ...]]] = [
    answers.shelly,
    answers.tasmota,
    lambda body: (answers.esphome(body, Quantity.POWER, "W"),),
    lambda body: (answers.esphome(body, Quantity.ENERGY),),
    lambda body: (answers.home_assistant(body, Quantity.POWER, NOW, 120.0),),
]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
keys = st.sampled_from(
    [
        "apower",
        "aenergy",
        "total",
        "StatusSNS",
        "ENERGY",
        "Power",
        "Total",
        "WARNING",
        "state",
        "value",
        "uom",
        "attributes",
        "unit_of_measurement",
        "last_updated",
        "last_reported",
    ]
)
words = st.sampled_from(["W", "kWh", "19.8 W", "1 kWh", "42.5", "unavailable", NOW.isoformat(), "2026-01-01T12:00:00"])
trees = st.recursive(
    scalars | words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=6), max_leaves=20
)


@given(st.binary(max_size=200) | trees.map(lambda tree: json.dumps(tree).encode()))
def test_any_answer_gives_plausible_numbers_or_a_reason_in_one_line(body: bytes) -> None:
    for read in READERS:
        values, reason = tried(read, body)
        assert bool(values) != bool(reason)
        assert "\n" not in reason
        assert not values or any(math.isfinite(value) for value in values)
        assert not any(math.isinf(value) for value in values)


@pytest.mark.parametrize("depth", range(50, 1500, 50))
def test_nesting_is_refused_however_deep(depth: int) -> None:
    nested = f'{{"StatusSNS": {{"ENERGY": {{"Power": 5, "x": {"[" * depth}{"]" * depth}}}}}}}'
    values, reason = tried(answers.tasmota, nested.encode())
    assert values[:1] == (5.0,) or "not JSON" in reason


def tried(read: Callable[[bytes], tuple[float, ...]], body: bytes) -> tuple[tuple[float, ...], str]:
    """The values, or the reason why there are none."""
    try:
        return read(body), ""
    except SourceError as error:
        return (), str(error)


@given(power_w=st.floats(0, 1e5), energy_wh=st.floats(0, 1e9))
def test_what_a_shelly_says_is_what_is_read(power_w: float, energy_wh: float) -> None:
    body = json.dumps({"apower": power_w, "aenergy": {"total": energy_wh}}).encode()
    assert answers.shelly(body) == pytest.approx((power_w, 3600 * energy_wh))


def test_a_state_without_its_time_may_be_an_old_one() -> None:
    body = json.dumps({"state": "5", "attributes": {"unit_of_measurement": "W"}}).encode()
    with pytest.raises(SourceError, match="its state has no time"):
        answers.home_assistant(body, Quantity.POWER, NOW, 120.0)
    local = json.dumps(
        {"state": "5", "attributes": {"unit_of_measurement": "W"}, "last_updated": "2026-01-01T12:00:00"}
    )
    with pytest.raises(SourceError, match="its answer is with a wrong time"):
        answers.home_assistant(local.encode(), Quantity.POWER, NOW, 120.0)
