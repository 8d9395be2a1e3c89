import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.agreement import agreement, agreement_verdict
from terrawatt.analysis.baseline import baseline
from terrawatt.analysis.energy import EnergyValue, energies
from terrawatt.analysis.signal import prepare
from terrawatt.analysis.uncertainty import Component
from terrawatt.records import AccuracyBand, Semantics, Series, SeriesKey, Severity, SourceDescription, Window

S = 1_000_000_000
NAMES = ("plug", "plug's counter")


def value(energy_j, **budget):
    u_j = math.sqrt(sum(u**2 for u in budget.values()))
    return EnergyValue(energy_j, u_j, tuple(Component(name, u) for name, u in budget.items()))


def test_they_agree_within_the_expanded_uncertainty_of_the_difference():
    found = agreement(value(1009.0, meter=3.0), value(1000.0, meter=4.0))
    assert (found.difference_j, found.u_j, found.share) == (9, 5, pytest.approx(0.009))
    assert not found.disagrees
    assert agreement_verdict(found, NAMES, "Energy (plug)") is None


def test_beyond_it_is_a_verdict():
    found = agreement(value(1011.0, meter=3.0), value(1000.0, meter=4.0))
    verdict = agreement_verdict(found, NAMES, "Energy (plug)")
    assert (verdict.code, verdict.severity, verdict.column) == (
        "estimates-disagree",
        Severity.DOUBTFUL,
        "Energy (plug)",
    )
    assert "plug and plug's counter disagree (+11 J, +1.1%; U = 10 J)" in verdict.message
    assert verdict.advice


def test_what_errs_alike_in_both_is_not_in_the_difference():
    pair = value(1011.0, meter=30.0, sampling=3.0), value(1000.0, meter=30.0, resolution=4.0)
    assert not agreement(*pair).disagrees
    assert agreement(*pair, shared={"meter"}).disagrees


def test_an_unknown_uncertainty_or_a_missing_energy_cannot_be_judged():
    unknown = agreement(value(2000.0, meter=math.nan), value(1000.0, meter=1.0))
    assert "meter is not known" in unknown.reason
    missing = agreement(EnergyValue.missing("1 reading in the window"), value(1000.0))
    assert missing.reason == "1 reading in the window"
    for found in (unknown, missing):
        assert not found.disagrees
        assert agreement_verdict(found, NAMES, "Energy (plug)") is None
    assert agreement(value(2000.0, meter=math.nan), value(1000.0, meter=1.0), shared={"meter"}).disagrees


def test_a_difference_from_nothing_has_no_share():
    found = agreement(value(5.0, meter=1.0), value(0.0, meter=1.0))
    assert found.disagrees
    assert "disagree (+5 J; U" in agreement_verdict(found, NAMES, "Energy (plug)").message


def source(semantics):
    accuracy = (AccuracyBand(plus_minus_w=0.5),)
    return SourceDescription("plug", "replay", semantics, accuracy, SeriesKey.of("power", "x"), 0.1, 1.0)


def energy_j(value, semantics):
    t_ns = np.arange(len(value), dtype=np.int64) * S
    signal = prepare(Series(SeriesKey.of("power", "x"), t_ns, np.array(value)), semantics, 1.0)
    (energy,) = energies(signal, source(semantics), [Window(60 * S, 120 * S)], baseline(signal, Window(0, 50 * S)))
    return energy


@given(st.lists(st.floats(60, 200), min_size=90, max_size=90), st.sampled_from([1.0, 3600 / 1000]))
def test_the_power_and_the_counter_of_one_machine_agree_unless_a_unit_is_wrong(busy_w, unit):
    power_w = np.concatenate((np.full(60, 40.0), busy_w))
    by_power = energy_j(power_w, Semantics.MEAN)
    by_counter = energy_j(1e6 + np.cumsum(power_w) * unit, Semantics.COUNTER)
    for first, second in ((by_power.gross, by_counter.gross), (by_power.net, by_counter.net)):
        assert agreement(first, second).disagrees == (unit != 1.0)
