from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from small_tables import table_of
from terrawatt.analysis.frugality import (
    FrugalityScore,
    energy_score,
    frugality,
    harmonic_mean,
    upper_envelope,
    weighted_sum,
)
from terrawatt.analysis.table import Table
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array

UNIT = st.floats(0.01, 1.0)


@given(UNIT, UNIT, st.floats(0, 1), st.floats(0.01, 50))
def test_the_scores_are_those_of_their_definitions(alpha: float, saved: float, weight: float, beta_kwh: float) -> None:
    a, s = np.array(alpha), np.array(saved)
    assert weighted_sum(weight, a, s) == pytest.approx(weight * alpha + (1 - weight) * saved)
    kappa = 3 * weight
    assert harmonic_mean(kappa, a, s) == pytest.approx((1 + kappa**2) * alpha * saved / (kappa**2 * alpha + saved))
    assert energy_score(weight, a, np.array(beta_kwh)) == pytest.approx(alpha - weight / (1 + 1 / beta_kwh))


def test_the_harmonic_mean_at_one_is_that_of_both_and_nothing_where_both_are_nothing() -> None:
    assert harmonic_mean(1.0, np.array(0.5), np.array(0.25)) == pytest.approx(2 / (1 / 0.5 + 1 / 0.25))
    assert harmonic_mean(1.0, np.array([0.0, 0.5]), np.array([0.0, 0.0])).tolist() == [0.0, 0.0]


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=8))
def test_the_envelope_is_highest_everywhere_and_has_no_hole(lines: list[tuple[float, float]]) -> None:
    at_0, at_1 = np.array(lines).T
    found = upper_envelope(at_0, at_1)
    assert (found[0][1], found[-1][2]) == (0.0, 1.0)
    for (_, _, end), (_, start, _) in pairwise(found):
        assert end == start
    for best, start, end in found:
        for t in np.linspace(start, end, 5):
            heights = (1 - t) * at_0 + t * at_1
            assert heights[best] >= heights.max() - 1e-9


def test_a_line_that_ends_at_minus_infinity_is_never_highest() -> None:
    assert upper_envelope(np.array([5.0, 1.0]), np.array([-np.inf, 2.0])) == [(1, 0.0, 1.0)]
    assert upper_envelope(np.array([5.0, -np.inf]), np.array([-np.inf, 2.0])) == []


def test_where_all_cost_the_same_the_harmonic_mean_has_no_best() -> None:
    equal = {"Energy (plug)": [5.0, 5.0], "micro_f1": [0.5, 0.5]}
    ranges = {one.score: one.best for one in frugality(table_of({"a": equal, "b": equal})).ranges}
    assert ranges[FrugalityScore.HARMONIC_MEAN] == ()
    assert len(ranges[FrugalityScore.ENERGY]) == 1


def sweep(n: int = 6, *, energies: tuple[float, ...] = (1e6, 3e6, 7e6)) -> Table:
    random = np.random.default_rng(0)
    scores = (0.5, 0.65, 0.7)
    return table_of(
        {
            name: {
                "Energy (plug)": energy * random.normal(1, 0.01, n),
                "micro_f1": random.normal(score, 0.002, n),
            }
            for name, energy, score in zip("abc", energies, scores, strict=True)
        }
    )


def scores_of(found: Float64Array, score: FrugalityScore, weight: float, largest: float) -> Float64Array:
    energy, alpha = found.T
    if score is FrugalityScore.ENERGY:
        return energy_score(weight, alpha, energy / 3.6e6)
    function = weighted_sum if score is FrugalityScore.WEIGHTED_SUM else harmonic_mean
    return function(weight, alpha, 1 - energy / largest)


@pytest.mark.parametrize("score", list(FrugalityScore))
def test_the_best_scenario_at_a_weight_has_the_highest_score(score: FrugalityScore) -> None:
    found = frugality(sweep())
    means = np.array([(point.energy_j, point.performance) for point in found.points])
    ranges = next(one for one in found.ranges if one.score is score)
    assert len(ranges.best) >= 2
    for best in ranges.best:
        end = 20.0 if best.end is None else best.end
        heights = scores_of(means, score, (best.start + end) / 2, found.largest_j)
        assert found.points[int(np.argmax(heights))].label == best.label
        assert best.support is not None
        assert 0 <= best.support <= 1


def test_a_clear_winner_is_certain_and_few_repetitions_are_not_judged() -> None:
    clear = next(one for one in frugality(sweep()).ranges if one.score is FrugalityScore.WEIGHTED_SUM)
    assert clear.best[0].label == "a"
    assert clear.best[0].support == 1.0
    few = frugality(sweep(n=4))
    assert {best.support for ranges in few.ranges for best in ranges.best} == {None}


def test_the_energy_score_takes_kwh_and_so_separates_what_joules_would_not() -> None:
    found = frugality(sweep())
    alpha, energy = np.array([(point.performance, point.energy_j) for point in found.points]).T
    in_kwh, in_j = energy_score(1.0, alpha, energy / 3.6e6), energy_score(1.0, alpha, energy)
    assert np.argmax(in_kwh) == 0
    assert np.argmax(in_j) == 2  # every energy counts as 1: the best score wins whatever it costs


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (sweep(energies=(-5.0, 1.0, 2.0)), "needs energies above 0"),
        (table_of({"a": {"Energy (plug)": [1.0], "micro_f1": [0.5]}}), "1, and 2 are needed"),
        (
            table_of(
                {"a": {"Energy (plug)": [1.0], "micro_f1": [90.0]}, "b": {"Energy (plug)": [2.0], "micro_f1": [95.0]}}
            ),
            "between 0 and 1",
        ),
    ],
)
def test_what_cannot_be_weighed_has_a_reason(table: Table, reason: str) -> None:
    with pytest.raises(AnalysisError, match=reason):
        frugality(table)
