import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from terrawatt.analysis.repetitions import (
    CommonError,
    Repeated,
    bootstrap_mean,
    common_u,
    effective_dof,
    mean_estimate,
    relative_half_width,
    repeated_mean,
)

METER, IDLE = CommonError("meter", "plug"), CommonError("baseline", "run_1")
finite = st.floats(0.1, 1e6)


def repeated(*values, **common):
    named = {CommonError(name, "plug"): np.full(len(values), u) for name, u in common.items()}
    return Repeated("A", np.array(values, dtype=float), named)


@given(st.lists(finite, min_size=2, max_size=12))
def test_without_common_errors_the_interval_is_students(values):
    mean = repeated_mean(repeated(*values))
    low, _ = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values) or 1.0)
    assert mean.mean == pytest.approx(np.mean(values))
    if np.ptp(values) > 1e-9 * mean.mean:
        assert mean.half_width == pytest.approx(mean.mean - low, rel=1e-6)
        assert mean.expanded == pytest.approx(mean.half_width)


def test_a_common_error_does_not_shrink_with_the_number_and_is_not_seen_in_the_scatter():
    few, many = repeated_mean(repeated(99, 101, meter=5)), repeated_mean(repeated(*[99, 101] * 50, meter=5))
    assert few.u_common["meter"] == pytest.approx(5)
    assert many.u_common["meter"] == pytest.approx(5)
    assert many.half_width < few.half_width
    assert many.expanded == pytest.approx(1.96 * 5, rel=0.01)


def test_repetitions_of_two_runs_share_the_meter_but_not_the_idle_level():
    idle = {CommonError("baseline", f"run_{i}"): np.array([3.0 * (i == 1), 3.0 * (i == 2)]) for i in (1, 2)}
    mean = repeated_mean(Repeated("A", np.array([1.0, 2.0]), {METER: np.array([3.0, 3.0]), **idle}))
    assert mean.u_common == {"meter": pytest.approx(3), "baseline": pytest.approx(3 / math.sqrt(2))}


def test_an_error_on_both_sides_of_a_difference_cancels():
    u = common_u(np.array([1.0, -1.0]), {METER: np.array([0.05, 0.05]), IDLE: np.array([0.02, 0.0])})
    assert u == {"meter": 0.0, "baseline": pytest.approx(0.02)}


def test_an_unknown_error_is_told_and_left_out():
    mean = repeated_mean(repeated(1, 2, 3, meter=math.nan, timing=1))
    assert mean.unknown == ("meter",)
    assert mean.u_common == {"meter": 0.0, "timing": pytest.approx(1)}
    assert mean.expanded >= mean.half_width


@pytest.mark.parametrize(("values", "reason"), [((), "no usable"), ((5.0,), "one usable repetition")])
def test_too_few_repetitions_give_a_reason_instead_of_an_interval(values, reason):
    mean = repeated_mean(repeated(*values))
    assert reason in mean.reason
    assert mean.half_width is None
    assert mean.expanded is None
    assert mean.relative_half_width is None
    assert mean.mean == (values[0] if values else None)


def test_relative_half_width_is_infinite_where_the_mean_is_not_above_0():
    widths = relative_half_width(np.array([[1.0, 3.0], [-1.0, -3.0], [-1.0, 1.0]]))
    assert widths[0] == pytest.approx(stats.t.ppf(0.975, 1) * 1 / 2)
    assert np.isinf(widths[1:]).all()


def test_degrees_of_freedom_are_welch_satterthwaite():
    found = effective_dof(np.array(5.0), (np.array(2.0), 4), (np.array(1.0), 9))
    assert found == pytest.approx(25 / (4 / 4 + 1 / 9))
    assert effective_dof(np.array(1.0), (np.array(0.0), 4)) == np.inf


def test_rows_are_computed_together():
    values = np.random.default_rng(0).normal(5, 1, (7, 4))
    together = mean_estimate(values, np.arange(7.0))
    alone = [mean_estimate(row, u) for row, u in zip(values, range(7), strict=True)]
    assert together.half_width() == pytest.approx([float(one.half_width()) for one in alone])


def test_the_bootstrap_checks_the_t_interval_from_20_repetitions_on():
    values = np.random.default_rng(1).normal(100, 3, 40)
    mean = repeated_mean(Repeated("A", values))
    low, high = mean.bootstrap
    assert low == pytest.approx(mean.mean - mean.half_width, abs=0.15)
    assert high == pytest.approx(mean.mean + mean.half_width, abs=0.15)
    assert bootstrap_mean(values) == (low, high)  # seeded
    assert bootstrap_mean(values[:19]) is None
    assert bootstrap_mean(np.ones(30)) is None


def test_a_wider_interval_for_runs_that_end_by_it():
    values = repeated(1, 2, 3, 4)
    assert repeated_mean(values, 0.965).half_width > repeated_mean(values).half_width
