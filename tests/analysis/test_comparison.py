import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmark_modules import benchmark
from terrawatt.analysis.comparison import Method, compare, compare_all, holm, p_value, paired, welch
from terrawatt.analysis.repetitions import CommonError, Repeated

METER = CommonError("meter", "plug")
RNG = np.random.default_rng(7)
positive = st.lists(st.floats(10, 1000), min_size=3, max_size=10).filter(lambda values: np.ptp(values) > 0.01)


def scenario(label, values, meter=0.0, idle=0.0, blocks=()):
    values = np.array(values, dtype=float)
    common = {METER: meter * values, CommonError("baseline", label): idle * values}
    return Repeated(label, values, common, tuple(blocks))


@given(positive, positive)
def test_without_common_errors_it_is_welchs_test_of_the_logarithms(first, second):
    found = compare(scenario("A", first), scenario("B", second))
    expected = stats.ttest_ind(np.log(first), np.log(second), equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert found.method is Method.WELCH
    assert found.p == pytest.approx(expected.pvalue, rel=1e-5, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((math.exp(interval.low), math.exp(interval.high)), rel=1e-6)
    assert found.scatter == pytest.approx((found.low, found.high))


@given(positive, positive)
def test_the_other_way_round_is_the_inverse(first, second):
    one, other = (compare(scenario("A", a), scenario("B", b)) for a, b in ((first, second), (second, first)))
    assert one.ratio == pytest.approx(1 / other.ratio)
    assert (one.low, one.high) == pytest.approx((1 / other.high, 1 / other.low))
    assert one.p == pytest.approx(other.p)


def test_pairs_of_blocks_are_scipys_paired_test_and_cancel_what_a_block_does_to_both():
    block = 1 + 0.3 * RNG.normal(size=10)
    first, second = 80 * block * (1 + 0.01 * RNG.normal(size=10)), 100 * block * (1 + 0.01 * RNG.normal(size=10))
    names = [f"block {i}" for i in range(10)]
    found = compare(scenario("A", first, blocks=names), scenario("B", second, blocks=names))
    expected = stats.ttest_rel(np.log(first), np.log(second))
    assert (found.method, found.n_pairs, found.n) == (Method.PAIRED, 10, (10, 10))
    assert found.p == pytest.approx(expected.pvalue)
    apart = compare(scenario("A", first, blocks=names), scenario("B", second, blocks=names), may_pair=False)
    assert apart.method is Method.WELCH
    assert apart.high - apart.low > 5 * (found.high - found.low)


def test_only_blocks_of_both_count_and_repetitions_in_one_block_are_averaged():
    first = scenario("A", [10, 12, 20, 30, 99], blocks=["1", "1", "2", "3", "only A"])
    second = scenario("B", [11, 21, 31, 55], blocks=["1", "2", "3", "only B"])
    found = compare(first, second)
    means = [(math.log(10) + math.log(12)) / 2, math.log(20), math.log(30)]
    assert found.n_pairs == 3
    assert found.n == (4, 3)
    assert math.log(found.ratio) == pytest.approx(np.mean(means) - np.mean(np.log([11, 21, 31])))


def test_two_common_blocks_are_too_few_to_pair():
    blocks = ["1", "1", "2"]
    found = compare(scenario("A", [1, 2, 3], blocks=blocks), scenario("B", [1, 2, 4], blocks=blocks))
    assert found.method is Method.WELCH


def test_an_error_in_proportion_of_one_meter_cancels_and_that_of_two_meters_does_not():
    values = 100 + RNG.normal(size=8)
    same = compare(scenario("A", values, meter=0.05), scenario("B", values, meter=0.05))
    other = Repeated("B", values, {CommonError("meter", "another"): 0.05 * values})
    apart = compare(scenario("A", values, meter=0.05), other)
    assert same.u_common["meter"] == pytest.approx(0, abs=1e-9)
    assert apart.u_common["meter"] == pytest.approx(0.05 * math.sqrt(2))


def test_an_idle_level_of_its_own_widens_the_interval_and_raises_p():
    first, second = 100 + RNG.normal(size=8), 103 + RNG.normal(size=8)
    without = compare(scenario("A", first), scenario("B", second))
    found = compare(scenario("A", first, idle=0.03), scenario("B", second, idle=0.03))
    assert found.u_common["baseline"] == pytest.approx(0.03 * math.sqrt(2))
    assert found.p > without.p
    assert found.scatter == without.scatter
    assert found.high - found.low > 2 * (without.high - without.low)


def test_an_error_of_one_block_is_seen_in_the_scatter_and_not_added_again():
    blocks = ["1", "2", "3", "4"]
    values = np.array([100.0, 101, 99, 102])
    own = {CommonError("baseline", f"A{i}"): np.where(np.arange(4) == i, 2.0, 0.0) for i in range(4)}
    run = {CommonError("baseline", "the run"): np.full(4, 2.0)}
    second = scenario("B", values[::-1], blocks=blocks)
    seen = compare(Repeated("A", values, own, tuple(blocks)), second)
    added = compare(Repeated("A", values, run, tuple(blocks)), second)
    assert seen.u_common.get("baseline", 0.0) == 0
    assert added.u_common["baseline"] == pytest.approx(0.02, rel=0.01)


def test_holm_is_that_of_a_worked_example():
    # Holm 1979: p values in ascending order times 4, 3, 2, 1, never falling.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_family_is_adjusted_together_and_those_without_a_number_do_not_count():
    scenarios = [scenario(label, mean + RNG.normal(size=6)) for label, mean in (("A", 100), ("B", 101.6), ("C", 100))]
    pairs = [(scenarios[0], scenarios[1]), (scenarios[0], scenarios[2]), (scenarios[0], scenario("D", [1, 2]))]
    found = compare_all(pairs)
    assert [one.family for one in found] == [2, 2, 1]
    assert [one.p_adjusted for one in found[:2]] == pytest.approx(holm([one.p for one in found[:2]]))
    assert found[2].p_adjusted is None
    assert not found[2].is_shown
    alone = compare_all(pairs[:1])[0]
    assert found[0].detectable > alone.detectable > 1


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ([1, 2], [1, 2, 3], "A has 2 usable repetitions, and 3 of each are needed"),
        ([1, 2, 3], [], "B has 0 usable repetitions"),
        ([1], [1, 2, 3], "A has 1 usable repetition,"),
        ([1, 2, 0], [1, 2, 3], "not above 0"),
        ([1, 2, 3], [1, 2, -3], "B has values that are not above 0"),
        ([2, 2, 2], [3, 3, 3], "neither A nor B scatters"),
        ([60, 60 + 1e-13, 60], [60, 60, 60], "neither A nor B scatters"),
    ],
)
def test_below_what_is_needed_there_is_a_reason_and_no_number(first, second, reason):
    (found,) = compare_all([(scenario("A", first), scenario("B", second))])
    assert reason in found.reason
    assert (found.ratio, found.low, found.high, found.p, found.detectable) == (None,) * 5


def test_an_unknown_meter_is_told():
    values = np.array([1.0, 2, 3])
    found = compare(Repeated("A", values, {METER: values * math.nan}), scenario("B", values))
    assert found.unknown == ("meter",)
    assert found.ratio == pytest.approx(1)


def test_the_bootstrap_agrees_from_20_repetitions_on():
    first, second = (scenario(label, mean + RNG.normal(size=40)) for label, mean in (("A", 90), ("B", 100)))
    found = compare(first, second)
    assert found.bootstrap == pytest.approx(found.scatter, rel=2e-3)
    names = [str(i) for i in range(40)]
    pairs = compare(scenario("A", first.value, blocks=names), scenario("B", second.value, blocks=names))
    assert pairs.method is Method.PAIRED
    assert pairs.bootstrap == pytest.approx(pairs.scatter, rel=2e-3)
    assert compare(scenario("A", first.value[:19]), second).bootstrap is None


def test_p_of_no_difference_is_1_also_without_scatter():
    same = np.zeros((1, 3))
    assert p_value(welch(same, same)) == [1.0]
    assert p_value(paired(same, same + 1)) == [0.0]


@pytest.mark.parametrize("repetitions", [5, 10, 30])
@pytest.mark.parametrize("world", ["scatter", "+ own idle level, 2 %", "+ one meter, 5 %", "+ blocks, 6 %, paired"])
def test_false_positives_are_as_many_as_promised(world, repetitions):
    """4,000 trials: the share itself is known to ± 0.7 %; the whole table is printed by benchmarks/comparison.py."""
    comparison = benchmark("comparison")
    found = next(one for one in comparison.WORLDS if one.name == world)
    assert 0.04 - 0.007 <= comparison.false_positives(found, repetitions, 4000) <= 0.06 + 0.007
