import math

import pytest

from terrawatt.report.budget import budget_rows
from terrawatt.report.content import BudgetPart, CurveEnergy


def energy(**parts: float) -> CurveEnergy:
    budget = tuple(BudgetPart(name, u_j) for name, u_j in parts.items())
    return CurveEnergy(5000.0, math.hypot(*parts.values()), 500.0, budget)


def test_the_largest_comes_first_with_its_share():
    rows = budget_rows(energy(sampling=3.0, meter=40.0, baseline=0.0, timing=30.0))
    assert [(row.name, row.u, row.share) for row in rows] == [
        ("meter", "40.0", "64 %"),
        ("timing", "30.0", "36 %"),
        ("sampling", "3.00", "< 1 %"),
        ("baseline", "0", "0 %"),
    ]
    assert sum(row.percent or 0 for row in rows) == pytest.approx(100)


def test_an_unknown_component_makes_every_share_unknown():
    rows = budget_rows(energy(timing=30.0, meter=math.nan))
    assert [(row.name, row.u, row.share) for row in rows] == [("meter", "unknown", "–"), ("timing", "30.0", "–")]


def test_what_is_next_to_nothing_has_no_digits():
    assert [row.u for row in budget_rows(energy(meter=100.0, resolution=1e-130))] == ["100", "≈ 0"]


def test_no_uncertainty_at_all():
    assert [row.share for row in budget_rows(energy(meter=0.0))] == ["0 %"]


def test_a_component_of_another_name_is_shown_too():
    assert budget_rows(energy(weather=1.0))[0].about == "weather"
