from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.main_columns import main_energy, main_scores
from terrawatt.analysis.table import Table
from terrawatt.report.scales import Quantity, Scale, display_name, quantity, scale_for

MakeTable = Callable[..., Table]


@pytest.mark.parametrize(
    ("largest", "unit", "expected"),
    [
        (0.5, "J", "mJ"),
        (999.0, "J", "J"),
        (1000.0, "J", "kJ"),
        (4.2e6, "J", "MJ"),
        (0.2, "s", "ms"),
        (599.0, "s", "s"),
        (600.0, "s", "min"),
        (20_000.0, "s", "h"),
        (3e-6, "kg CO₂eq", "mg CO₂eq"),
        (2.0, "kg CO₂eq", "kg CO₂eq"),
        (5e6, "%·s", "%·s"),
        (5e6, "", ""),
        (0.0, "J", "J"),
    ],
)
def test_the_unit_follows_the_largest_value(largest: float, unit: str, expected: str) -> None:
    assert scale_for(np.array([0.0, -largest, np.nan]), unit).unit == expected


@given(st.floats(1e-5, 1e11))
def test_energies_have_one_to_three_digits_before_the_point(size: float) -> None:
    scale = scale_for(np.array([size]), "J")
    assert 1 <= size / scale.divisor < 1000 * (1 + 1e-12)


def test_no_value_at_all_keeps_the_unit() -> None:
    assert scale_for(np.array([np.nan]), "J") == Scale(1.0, "J")
    assert scale_for(np.array([]), "s").unit == "ms"


def test_a_quantity_is_scaled_as_its_title_says(make_table: MakeTable) -> None:
    table = make_table()
    found = quantity(table, "Energy (plug)")
    assert found.title == "Net energy, plug (kJ)"
    np.testing.assert_allclose(found.numbers * 1000, table.frame["Energy (plug)"])
    assert quantity(table, "Emissions").title == "Emissions (mg CO2eq)"
    assert quantity(table, "micro_f1").title == "Micro F1 (no unit)"


def test_names_for_people(make_table: MakeTable) -> None:
    table = make_table()
    assert display_name(table, "Energy (CodeCarbon)") == "Energy, CodeCarbon"
    assert display_name(table, "samples_precision") == "Samples precision"
    assert display_name(table, "Batch_size_of_mine") == "Batch_size_of_mine"


def test_wide_spans_are_logarithmic_and_get_round_ticks() -> None:
    wide = Quantity(np.array([3.0, 200.0, np.nan]), "", Scale(1, ""))
    assert wide.is_log
    assert wide.log_ticks()[:4] == [1.0, 2.0, 5.0, 10.0]
    assert Quantity(np.array([1e-3, 1e3]), "", Scale(1, "")).log_ticks() == [10.0**k for k in range(-3, 4)]


@pytest.mark.parametrize("values", [[0.0, 100.0], [-1.0, 100.0], [1.0, 2.0], [np.nan], []])
def test_zero_negative_and_narrow_values_are_linear(values: list[float]) -> None:
    assert not Quantity(np.array(values), "", Scale(1, "")).is_log


def test_the_main_energy_is_the_first_source_with_a_value(make_table: MakeTable) -> None:
    table = make_table()
    assert main_energy(table) == "Energy (plug)"
    assert main_energy(Table(table.frame.assign(**{"Energy (plug)": None}), table.columns)) == "Energy (CodeCarbon)"
    assert main_energy(Table(table.frame[["Model"]], table.columns)) is None


def test_the_main_scores_come_first_and_need_a_value(make_table: MakeTable) -> None:
    table = make_table()
    assert main_scores(table)[:3] == ["micro_f1", "macro_f1", "Accuracy"]
    assert "micro_f1" not in main_scores(Table(table.frame.assign(micro_f1=None), table.columns))
