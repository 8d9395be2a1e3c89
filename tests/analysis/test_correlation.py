import numpy as np
import pytest
from scipy import stats

from small_tables import table_of
from terrawatt.analysis.correlation import by_model, correlations, ranks, spearman_matrix, with_intervals
from terrawatt.analysis.statistics import quantities
from terrawatt.analysis.table import Table
from terrawatt.records import Int64Array


def one_scenario(n: int = 15) -> Table:
    random = np.random.default_rng(2)
    energy = random.normal(1000, 20, n)
    return table_of({"a": {"Energy (plug)": energy, "Duration": energy / 10 + random.normal(0, 2, n)}})


def test_of_one_scenario_values_and_intervals_are_those_of_scipy() -> None:
    table = one_scenario()
    pair = correlations(table).pairs[0]
    x, y = table.frame["Energy (plug)"], table.frame["Duration"]
    pearson = stats.pearsonr(x, y)
    assert pair.pearson == pytest.approx(pearson.statistic)
    assert pair.pearson_interval == pytest.approx(tuple(pearson.confidence_interval(0.95)))
    assert pair.spearman == pytest.approx(stats.spearmanr(x, y).statistic)
    assert pair.spearman_interval is not None
    u = np.sqrt((1 + pair.spearman**2 / 2) / 12)
    assert np.arctanh(pair.spearman_interval[1]) - np.arctanh(pair.spearman) == pytest.approx(1.959964 * u, rel=1e-5)


def test_the_matrix_of_ranks_is_that_of_scipy_also_with_ties() -> None:
    values = np.random.default_rng(0).integers(0, 4, size=(30, 4)).astype(float)
    frame = dict(zip(("Energy (plug)", "Duration", "CPU", "Memory"), values.T, strict=True))
    found = quantities(table_of({"a": frame}))
    assert spearman_matrix(found) == pytest.approx(stats.spearmanr(found.values).statistic)


def clusters(m: int, n: int) -> list[Int64Array]:
    return [np.arange(i * n, (i + 1) * n) for i in range(m)]


def test_of_scenarios_intervals_hold_the_truth_though_repetitions_are_alike() -> None:
    random = np.random.default_rng(0)
    m, n, truth = 20, 10, 0.6
    held, naive = [], []
    for _ in range(300):
        between = random.multivariate_normal([0, 0], [[1, truth], [truth, 1]], m)
        values = np.repeat(between, n, axis=0) + random.normal(0, 0.01, (m * n, 2))
        found = with_intervals(values, clusters(m, n))
        held.append(found.low[0, 1] <= truth <= found.high[0, 1])
        half = 1.96 / np.sqrt(m * n - 3)
        naive.append(abs(np.arctanh(found.values[0, 1]) - np.arctanh(truth)) <= half)
    assert np.mean(held) >= 0.9
    assert np.mean(naive) < 0.6  # what 200 independent repetitions would claim


def test_between_few_scenarios_there_is_no_interval_but_a_reason() -> None:
    random = np.random.default_rng(1)
    table = table_of(
        {name: {"Energy (plug)": random.normal(size=5), "Duration": random.normal(size=5)} for name in "abc"}
    )
    found = correlations(table)
    assert found.reason.startswith("3 scenarios, and 8 are needed")
    assert {pair.pearson_interval for pair in found.pairs} == {None}
    assert correlations(one_scenario(9)).reason.startswith("9 repetitions of one scenario, and 10 are needed")


def test_scores_are_not_related_to_each_other_nor_energies() -> None:
    random = np.random.default_rng(1)
    names = ("Energy (plug)", "Energy (CodeCarbon)", "Duration", "micro_f1", "macro_f1")
    found = correlations(table_of({"a": dict(zip(names, random.normal(size=(5, 12)), strict=True))}))
    pairs = {frozenset((pair.first, pair.second)) for pair in found.pairs}
    assert frozenset(("micro_f1", "macro_f1")) not in pairs
    assert frozenset(("Energy (plug)", "Energy (CodeCarbon)")) not in pairs
    assert frozenset(("Energy (plug)", "Duration")) in pairs
    sizes = [abs(pair.pearson) for pair in found.pairs]
    assert sizes == sorted(sizes, reverse=True)


def test_ranks_of_equal_values_are_their_mean() -> None:
    assert ranks(np.array([[3.0], [1.0], [3.0]])).ravel().tolist() == [2.5, 1.0, 2.5]


def test_a_table_is_split_by_model_only_where_there_are_several() -> None:
    table = table_of({"b": {"Duration": [1.0, 2.0]}, "a": {"Duration": [3.0]}})
    assert [(name, len(part.frame)) for name, part in by_model(table)] == [("b", 2), ("a", 1)]
    assert by_model(one_scenario()) == []
