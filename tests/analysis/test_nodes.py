import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.energy import Energy, EnergyValue
from terrawatt.analysis.integrate import Integral
from terrawatt.analysis.nodes import Emitted, added, added_emissions
from terrawatt.analysis.uncertainty import Component, combined
from terrawatt.errors import AnalysisError


def value(energy_j: float, *budget: Component, half_width_j: float = 0.0) -> EnergyValue:
    return EnergyValue(energy_j, combined(budget), budget, half_width_j=half_width_j)


def energy(net: EnergyValue, gross: EnergyValue | None = None, source: str = "plug") -> Energy:
    return Energy(source, gross or net, net, Integral(net.energy_j, 10.0, 10, 0.0), 20.0)


METER = Component.within("meter", 30.0, is_shared=True)
SAMPLING = Component("sampling", 4.0)

sizes = st.floats(0, 1e6)
budgets = st.builds(
    lambda net_j, limit_j, u_j, width_j: value(
        net_j, Component.within("meter", limit_j, is_shared=True), Component("sampling", u_j), half_width_j=width_j
    ),
    st.floats(-1e6, 1e9),
    sizes,
    sizes,
    sizes,
)


@given(st.lists(budgets, min_size=1, max_size=8))
def test_energies_add_up_and_uncertainties_in_quadrature(nodes: list[EnergyValue]) -> None:
    net = added({f"node-{i}": energy(node) for i, node in enumerate(nodes)}).net
    assert net.energy_j == pytest.approx(sum(node.energy_j for node in nodes), rel=1e-12, abs=1e-6)
    for name in ("u_j", "u_shared_j", "u_own_j", "half_width_j"):
        expected = math.sqrt(sum(getattr(node, name) ** 2 for node in nodes))
        assert getattr(net, name) == pytest.approx(expected, rel=1e-9, abs=1e-3 if name == "u_own_j" else 1e-9)
    assert [part.name for part in net.budget] == ["meter", "sampling"]
    assert combined(net.budget) == net.u_j


def test_n_equal_nodes_know_their_energy_better_than_one_by_the_root_of_n() -> None:
    one = value(100.0, METER, SAMPLING)
    four = added({str(i): energy(one) for i in range(4)}).net
    assert four.u_j / four.energy_j == pytest.approx(one.u_j / one.energy_j / 2)


def test_one_node_alone_stays_as_it_is() -> None:
    one = energy(value(100.0, METER, SAMPLING, half_width_j=33.0), value(300.0, METER, half_width_j=31.0))
    assert added({"node-1": one}) == one


def test_errors_within_limits_stay_so_where_they_are_on_all_nodes() -> None:
    both = added({"a": energy(value(1.0, METER)), "b": energy(value(2.0, METER))}).net
    assert both.budget[0].limits_j == (30.0, 30.0)
    calibrated = Component("meter", 3.0)
    mixed = added({"a": energy(value(1.0, METER)), "b": energy(value(2.0, calibrated))}).net
    assert mixed.budget[0].limits_j == ()
    assert mixed.budget[0].u_j == math.hypot(METER.u_j, 3.0)


def test_an_energy_that_is_missing_on_one_node_is_missing_and_never_zero() -> None:
    lacking = energy(EnergyValue.missing("no reading in it"), value(5.0, METER))
    both = added({"node-1": energy(value(100.0, METER)), "node-2": lacking})
    assert math.isnan(both.net.energy_j)
    assert both.net.reason == "node-2: no reading in it"
    assert both.gross.energy_j == 105.0


def test_an_unknown_uncertainty_stays_unknown() -> None:
    unknown = value(1.0, Component("meter", math.nan, shared_u_j=math.nan))
    both = added({"a": energy(unknown), "b": energy(value(2.0, METER))}).net
    assert both.energy_j == 3.0
    assert math.isnan(both.u_j)


def test_the_window_of_all_is_the_longest_and_its_readings_the_fewest() -> None:
    first = energy(value(100.0, METER))
    second = replace(first, integral=Integral(50.0, 12.0, 7, 1.5, gap_value=6.0), baseline_w=30.0)
    both = added({"a": first, "b": second})
    assert both.integral == Integral(150.0, 12.0, 7, 1.5, gap_value=6.0)
    assert both.baseline_w == 50.0


@pytest.mark.parametrize("nodes", [{}, {"a": energy(value(1.0)), "b": energy(value(1.0), source="rapl")}])
def test_only_energies_of_one_source_are_added(nodes: dict[str, Energy]) -> None:
    with pytest.raises(AnalysisError, match="of one source"):
        added(nodes)


def test_the_intensity_errs_for_all_nodes_alike() -> None:
    kg_per_j, u_relative = 1e-8, 0.1
    gross = value(200.0, Component("meter", 12.0))
    mass_kg = 200.0 * kg_per_j
    node = Emitted(mass_kg, math.hypot(12.0 * kg_per_j, mass_kg * u_relative), gross)
    all_kg, u_kg = added_emissions([node] * 4)
    assert all_kg == pytest.approx(4 * mass_kg)
    assert u_kg == pytest.approx(math.hypot(2 * 12.0 * kg_per_j, 4 * mass_kg * u_relative))
