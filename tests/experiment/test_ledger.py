import pytest

from terrawatt.config import ProtocolSettings
from terrawatt.experiment.ledger import Ledger
from terrawatt.experiment.plan import ordered
from terrawatt.experiment.sitting import all_steps, sittings
from terrawatt.records import Order

PROTOCOL = ProtocolSettings(cold_s=100, idle_after_s=50, warmup=0, repetitions=2)
SITTINGS = sittings(ordered(2, 2, Order.INTERLEAVED, 0), Order.INTERLEAVED, {})
STEPS = all_steps(PROTOCOL, SITTINGS, Order.INTERLEAVED)


def begun(min_window_s: float = 0.0) -> Ledger:
    ledger = Ledger(4, min_window_s)
    ledger.plan(SITTINGS, STEPS)
    ledger.begin()
    return ledger


def test_nothing_is_known_before_the_first_execution() -> None:
    ledger = begun()
    assert ledger.left_s(1, STEPS[0], 0.0) is None
    assert ledger.left_j(1, STEPS[0]) is None


def test_each_scenario_takes_what_it_took() -> None:
    ledger = begun()
    ledger.executed(1, 10.0)
    ledger.begin()
    ledger.executed(2, 30.0)
    assert ledger.left_s(2, STEPS[1][1:], 20.0) == pytest.approx((50 - 20) + (10 + 50) + (30 + 50))


def test_a_scenario_that_was_not_measured_takes_the_mean_of_the_others() -> None:
    ledger = begun()
    ledger.executed(1, 10.0)
    assert ledger.left_s(1, STEPS[0][2:], 0.0) == pytest.approx(50 + 3 * (10 + 50))


def test_a_repetition_lasts_as_long_as_its_window_at_least() -> None:
    ledger = begun(min_window_s=40.0)
    ledger.executed(1, 10.0)
    assert ledger.left_s(1, STEPS[0][2:], 0.0) == pytest.approx(50 + 3 * (40 + 50))


def test_energy_left_is_that_of_the_repetitions_left() -> None:
    ledger = begun()
    ledger.ended(1, 100.0, succeeded=True)
    ledger.begin()
    ledger.ended(2, 300.0, succeeded=False)
    assert (ledger.done, ledger.failed, ledger.energy_j) == (1, 1, 400.0)
    assert ledger.left_j(2, STEPS[1][1:]) == 100.0 + 300.0


def test_a_repetition_without_a_reading_says_nothing_of_energy() -> None:
    ledger = begun()
    ledger.ended(1, 0.0, succeeded=True)
    assert ledger.left_j(1, STEPS[0]) is None


def test_the_account_goes_on_after_a_resume() -> None:
    ledger = begun()
    ledger.carry_over(600.0, 3)
    assert ledger.left_j(1, STEPS[0]) == 4 * 200.0
    ledger.ended(1, 100.0, succeeded=True)
    assert (ledger.energy_j, ledger.measured) == (700.0, 4)


def test_at_the_end_nothing_is_left() -> None:
    ledger = begun()
    for _ in range(3):
        ledger.begin()
    ledger.executed(1, 10.0)
    assert ledger.left_s(2, (), 0.0) == 0.0
