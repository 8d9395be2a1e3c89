"""The two clocks."""

import time

import pytest

from terrawatt.telemetry import clocks
from terrawatt.telemetry.clocks import stamped, wall_minus_monotonic_s


def test_a_reading_is_stamped_in_its_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    wall_ns = iter([1_000, 3_000])
    monkeypatch.setattr(clocks.time, "time_ns", lambda: next(wall_ns))
    assert stamped(lambda: "read") == (2_000, "read")


def test_a_clock_that_is_set_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before_s = wall_minus_monotonic_s()
    true_time_ns = time.time_ns
    monkeypatch.setattr(clocks.time, "time_ns", lambda: true_time_ns() + 3_600_000_000_000)
    assert wall_minus_monotonic_s() - before_s == pytest.approx(3600, abs=60)
