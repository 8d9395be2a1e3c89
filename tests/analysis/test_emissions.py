import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.baseline import baseline
from terrawatt.analysis.emissions import CarbonIntensity, emissions
from terrawatt.analysis.energy import energies
from terrawatt.analysis.signal import source_signal
from terrawatt.records import AccuracyBand, Semantics, Series, SeriesKey, SourceDescription, Window

S = 1_000_000_000
KEY = SeriesKey.of("power", "power_w", source="plug")
PLUG = SourceDescription("plug", "mqtt", Semantics.MEAN, (AccuracyBand(plus_minus_w=3.0),), KEY, interval_s=1.0)
COLD, RUN = Window(0, 100 * S), Window(100 * S, 300 * S)


def emitted(intensity, power_w=None, window=RUN, executions=1, source=PLUG):
    value = np.array([40.0] * 100 + [100.0] * 250) if power_w is None else power_w
    series = Series(KEY, np.arange(1, len(value) + 1, dtype=np.int64) * S, value)
    signal = source_signal(series, source)
    found = energies(signal, source, [window], baseline(signal, COLD), [executions])
    return found[0], emissions(found, signal, [window], intensity)[0]


def series(*values, start_s=0, step_s=100, u=0.0):
    t_ns = (start_s + step_s * np.arange(len(values))) * S
    return CarbonIntensity(np.array(values, float), u, "grid.csv", t_ns.astype(np.int64))


def test_a_kilowatt_hour_emits_what_the_intensity_says():
    hour = Window(0, 3600 * S)
    energy, found = emitted(CarbonIntensity.constant(56.0, 0.1, "given"), np.full(3700, 1000.0), hour)
    assert energy.gross.energy_j == pytest.approx(3.6e6)
    assert found.mass_kg == pytest.approx(0.056)
    assert found.g_per_kwh == 56.0


def test_energy_and_intensity_err_independently():
    energy, exact = emitted(CarbonIntensity.constant(56.0, 0.0, "given"))
    _, uncertain = emitted(CarbonIntensity.constant(56.0, 0.1, "given"))
    assert exact.u_kg / exact.mass_kg == pytest.approx(energy.gross.u_j / energy.gross.energy_j)
    assert uncertain.u_kg == pytest.approx(math.hypot(exact.u_kg, 0.1 * exact.mass_kg))


def test_executions_share_the_emissions():
    intensity = CarbonIntensity.constant(56.0, 0.1, "given")
    (_, one), (_, four) = emitted(intensity), emitted(intensity, executions=4)
    assert (four.mass_kg, four.u_kg) == pytest.approx((one.mass_kg / 4, one.u_kg / 4))


def test_a_series_counts_the_energy_of_each_moment():
    # 200 s at 100 W and then at 300 W, while the intensity goes from 50 to 90: 3/4 of the energy is emitted at 90.
    power_w = np.array([40.0] * 100 + [100.0] * 100 + [300.0] * 100 + [300.0] * 50)
    _, found = emitted(series(10, 50, 90), power_w)
    assert found.g_per_kwh == pytest.approx(0.25 * 50 + 0.75 * 90)
    assert found.mass_kg == pytest.approx(found.g_per_kwh / 1000 * (40_000 / 3.6e6))


@given(st.lists(st.floats(0, 1000), min_size=4, max_size=8), st.floats(1, 500))
def test_a_mean_lies_between_the_values_and_a_constant_series_is_a_constant(values, g_per_kwh):
    _, found = emitted(series(*values))
    assert min(values[1:3]) - 1e-9 <= found.g_per_kwh <= max(values[1:3]) + 1e-9
    _, same = emitted(series(*[g_per_kwh] * 4))
    assert same.mass_kg == pytest.approx(emitted(CarbonIntensity.constant(g_per_kwh, 0.0, ""))[1].mass_kg)


@pytest.mark.parametrize(
    ("intensity", "reason"),
    [
        (series(50, 50, start_s=150), "does not cover the window"),
        (series(50, 50), "does not cover the window"),  # the last value holds from 100 s to 200 s
        (series(50, 60, math.nan, 70), "has no value in the window"),
    ],
)
def test_what_the_series_does_not_say_is_missing(intensity, reason):
    _, found = emitted(intensity)
    assert math.isnan(found.mass_kg)
    assert found.reason == f"grid.csv {reason}"


def test_a_value_that_is_missing_elsewhere_does_not_matter():
    assert not emitted(series(math.nan, 50, 60, math.nan))[1].reason


def test_without_an_energy_there_are_no_emissions_and_no_second_reason():
    _, found = emitted(CarbonIntensity.constant(56.0, 0.1, ""), window=Window(100 * S + 1, 101 * S + 1))
    assert math.isnan(found.mass_kg)
    assert not found.reason
