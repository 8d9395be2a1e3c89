import math

import numpy as np
import numpy.typing as npt
import pytest

import terrawatt
from terrawatt.errors import AnalysisError

S = 1_000_000_000
T0 = 1_790_000_000 * S
T_NS = T0 + np.arange(0, 181) * S
POWER_W = np.where((T_NS > T0 + 60 * S) & (T_NS <= T0 + 120 * S), 90.0, 40.0)
RUN, IDLE, AFTER = (T0 + 60 * S, T0 + 120 * S), (T0, T0 + 60 * S), (T0 + 120 * S, T0 + 180 * S)
ACCURACY = [terrawatt.AccuracyBand(plus_minus_percent=1.0)]


def test_a_known_power_has_a_known_energy() -> None:
    (found,) = terrawatt.energy(
        T_NS, POWER_W, [RUN], semantics="mean", idle=IDLE, idle_after=AFTER, accuracy=ACCURACY, resolution_w=0.1
    )
    assert found.gross.energy_j == pytest.approx(5400)
    assert found.net.energy_j == pytest.approx(3000)
    assert 0 < found.net.u_j < 60
    assert found.net.interval_95_j[0] < 3000 < found.net.interval_95_j[1]


def test_a_counter_of_the_same_power_has_the_same_energy() -> None:
    counted_j = np.cumsum(np.append(0.0, POWER_W[1:]))
    (found,) = terrawatt.energy(T_NS, counted_j, [RUN], semantics=terrawatt.Semantics.COUNTER, idle=IDLE)
    assert found.net.energy_j == pytest.approx(3000)


def test_windows_may_be_records_and_hold_several_executions() -> None:
    windows = [terrawatt.Window(*RUN), terrawatt.Window(RUN[0], RUN[0] + 30 * S)]
    whole, half = terrawatt.energy(T_NS, POWER_W, windows, semantics="mean", idle=IDLE, executions=[2, 1])
    assert whole.net.energy_j == pytest.approx(1500)
    assert half.net.energy_j == pytest.approx(1500)


def test_what_is_not_known_is_nan_with_a_reason() -> None:
    (found,) = terrawatt.energy(T_NS, POWER_W, [RUN], semantics="mean")
    assert math.isnan(found.net.energy_j)
    assert found.net.reason == "no idle period before the repetitions"
    assert math.isnan(found.gross.u_j)  # no accuracy
    (outside,) = terrawatt.energy(T_NS, POWER_W, [(T0 + 500 * S, T0 + 600 * S)], semantics="mean", idle=IDLE)
    assert math.isnan(outside.gross.energy_j)
    assert outside.gross.reason


def test_times_may_be_datetimes() -> None:
    (found,) = terrawatt.energy(T_NS.astype("datetime64[ns]"), POWER_W, [RUN], semantics="mean", idle=IDLE)
    assert found.gross.energy_j == pytest.approx(5400)


@pytest.mark.parametrize(
    ("t_ns", "semantics", "message"),
    [
        (T_NS[:-1], "mean", "differ in shape"),
        (T_NS / S, "mean", "give whole ns"),
        (T_NS, "average", "semantics 'average': give one of instantaneous, mean, on-change, counter"),
    ],
)
def test_arrays_that_cannot_be_meant_are_refused(t_ns: npt.ArrayLike, semantics: str, message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        terrawatt.energy(t_ns, POWER_W, [RUN], semantics=semantics)


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(AnalysisError, match="must end after it starts"):
        terrawatt.energy(T_NS, POWER_W, [(RUN[1], RUN[0])], semantics="mean")
    with pytest.raises(AnalysisError, match="1 windows, but executions of 2"):
        terrawatt.energy(T_NS, POWER_W, [RUN], semantics="mean", executions=[1, 1])
