from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from terrawatt.analysis.meters import MIN_REPETITIONS, MIN_SCENARIOS, meter_line
from terrawatt.analysis.reach import below_reach_verdict
from terrawatt.analysis.table import Table, all_columns
from terrawatt.analysis.verdict import verdict_text
from terrawatt.errors import AnalysisError

INTERCEPT_J, SLOPE = -150.0, 1.4


def table_of(n: int = 10, scenarios: int = 8, seed: int = 0, *, u: float | None = None) -> Table:
    """Scenarios on one line, whose repetitions scatter in both energies."""
    random = np.random.default_rng(seed)
    true = np.repeat(np.linspace(1000.0, 9000.0, scenarios), n)
    x = true * random.normal(1, 0.03, len(true))
    y = (INTERCEPT_J + SLOPE * true) * random.normal(1, 0.02, len(true))
    frame = pd.DataFrame({"Model": np.repeat([f"m{i}" for i in range(scenarios)], n), "Energy (plug)": y})
    frame["Energy (CodeCarbon)"] = x
    frame["Verdict"] = ""
    if u is not None:
        frame["u common Energy (plug)"] = u * y
    return Table(frame, all_columns(["model"], ["plug"]))


def test_the_planted_line_is_in_the_intervals() -> None:
    hits = np.zeros(2)
    for seed in range(200):
        line = meter_line(table_of(seed=seed)).line
        assert line is not None
        low, high = line.slope_interval
        first, last = line.intercept_interval
        hits += [low <= SLOPE <= high, first <= INTERCEPT_J <= last]
    assert (hits >= 186).all()  # 95 % of 200 is 190; the misfit only ever widens


def test_r_squared_is_the_square_of_pearsons_correlation_over_all_repetitions() -> None:
    table = table_of()
    rows = meter_line(table).rows
    assert rows is not None
    assert rows.r_squared == pytest.approx(table.frame["Energy (plug)"].corr(table.frame["Energy (CodeCarbon)"]) ** 2)


def test_energies_below_the_reach_are_not_in_the_line_and_their_scenarios_neither() -> None:
    table = table_of()
    frame = table.frame.copy()
    frame.loc[:12, "Energy (plug)"] = np.nan  # all of the first scenario, and a part of the second
    frame.loc[:12, "Verdict"] = verdict_text([below_reach_verdict("Energy (plug)")])
    found = meter_line(Table(frame, table.columns))
    assert found.n_below_reach == 13
    assert [(left.name, left.reason.split(":")[0]) for left in found.left_out] == [
        ("m0", "below the reach of the meter"),
        ("m1", "partly below the reach of the meter"),
    ]
    assert found.line is not None
    assert found.line.n == 6
    zeros = frame["Energy (plug)"].fillna(0.0)
    assert found.r_squared_zeros == pytest.approx(zeros.corr(frame["Energy (CodeCarbon)"]) ** 2)


def test_the_meters_own_error_widens_the_slope_and_does_not_shrink() -> None:
    plain, own = meter_line(table_of(n=100)), meter_line(table_of(n=100, u=0.05))
    assert plain.u_meter is None
    assert own.u_meter == pytest.approx(0.05)
    assert plain.line is not None
    assert own.line is not None
    assert own.line.u_slope == pytest.approx(np.hypot(plain.line.u_slope, 0.05 * plain.line.slope))
    assert replace(own.line, u_slope=0.0).slope == plain.line.slope


@pytest.mark.parametrize(("n", "scenarios"), [(MIN_REPETITIONS - 1, 8), (10, MIN_SCENARIOS - 1)])
def test_too_few_repetitions_or_scenarios_give_no_line_but_r_squared(n: int, scenarios: int) -> None:
    found = meter_line(table_of(n, scenarios))
    assert found.line is None
    assert "are needed" in found.reason
    assert found.rows is not None


def test_scenarios_that_do_not_scatter_are_left_out() -> None:
    table = table_of(n=5)
    table.frame.loc[:4, "Energy (plug)"] = 7.0
    assert meter_line(table).left_out[0].reason == "repetitions that do not scatter"


@pytest.mark.parametrize(
    ("column", "reason"), [("Energy (plug)", "no meter"), ("Energy (CodeCarbon)", "no energy by CodeCarbon")]
)
def test_without_one_of_both_energies_there_is_nothing_to_compare(column: str, reason: str) -> None:
    table = table_of()
    with pytest.raises(AnalysisError, match=reason):
        meter_line(Table(table.frame.assign(**{column: np.nan}), table.columns))
