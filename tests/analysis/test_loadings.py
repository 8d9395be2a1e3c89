import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from small_tables import table_of
from terrawatt.analysis.loadings import aligned, components, contributions
from terrawatt.analysis.table import Table
from terrawatt.records import Float64Array

NAMES = ("Energy (plug)", "Duration", "CPU", "Memory")


def sweep(scenarios: int, n: int, seed: int = 0, noise: float = 0.3) -> Table:
    """Three quantities go with one hidden thing that differs between scenarios; the fourth is noise."""
    random = np.random.default_rng(seed)
    found = {}
    for scenario in range(scenarios):
        hidden = random.normal() if scenarios > 1 else random.normal(size=n)
        values = [hidden + random.normal(0, noise, n) for _ in range(3)] + [random.normal(size=n)]
        found[f"m{scenario}"] = dict(zip(NAMES, values, strict=True))
    return table_of(found)


def test_loadings_and_shares_are_those_of_scikit_learn_and_lie_in_their_bands() -> None:
    table = sweep(12, 5)
    found = components(table)
    values = StandardScaler().fit_transform(table.frame[list(NAMES)])
    reference = PCA().fit(values)
    for component, share, vector in zip(
        found.components, reference.explained_variance_ratio_, reference.components_, strict=False
    ):
        assert component.explained == pytest.approx(share)
        by_name = {loading.quantity: loading for loading in component.loadings}
        for name, weight in zip(NAMES, vector, strict=True):
            assert by_name[name].contribution == pytest.approx(weight**2)
    first = found.components[0]
    assert found.resamples > 0
    for loading in first.loadings[:3]:
        assert loading.low is not None
        assert loading.high is not None
        assert loading.low <= loading.loading <= loading.high
        assert loading.low > 0.5
    noise = first.loadings[-1]
    assert noise.quantity == "Memory"
    assert noise.low is not None
    assert noise.high is not None
    assert noise.low < 0 < noise.high


def test_bands_hold_the_loadings_of_many_scenarios() -> None:
    truth = {one.quantity: one.loading for one in components(sweep(600, 3, seed=99)).components[0].loadings}
    held = []
    for seed in range(40):
        for one in components(sweep(16, 3, seed=seed)).components[0].loadings[:3]:
            assert one.low is not None
            assert one.high is not None
            held.append(one.low <= truth[one.quantity] <= one.high)
    assert np.mean(held) >= 0.9


@given(st.integers(0, 2**32 - 1))
def test_components_that_changed_places_or_signs_are_put_back(seed: int) -> None:
    random = np.random.default_rng(seed)
    reference: Float64Array = random.normal(size=(6, 3))
    order, signs = random.permutation(3), random.choice([-1.0, 1.0], 3)
    found, position = aligned((reference * signs)[:, order], reference)
    np.testing.assert_allclose(found, reference)
    assert (order[position] == np.arange(3)).all()


@given(st.integers(0, 2**32 - 1))
def test_contributions_to_a_component_add_up_to_one(seed: int) -> None:
    loadings = np.random.default_rng(seed).uniform(-1, 1, size=(7, 3))
    np.testing.assert_allclose(contributions(loadings).sum(axis=0), 1.0)


@pytest.mark.parametrize(
    ("scenarios", "n", "reason"),
    [
        (1, 9, "9 repetitions of one scenario, and 10 are needed"),
        (1, 10, ""),
        (7, 4, "7 scenarios, and 8 are needed"),
        (8, 2, ""),
    ],
)
def test_bands_need_enough_scenarios_or_repetitions(scenarios: int, n: int, reason: str) -> None:
    found = components(sweep(scenarios, n))
    assert found.reason == reason
    assert (found.components[0].loadings[0].low is None) is bool(reason)


def test_constant_and_missing_columns_are_named() -> None:
    table = sweep(2, 4)
    frame = table.frame.assign(Reads=5.0, Temperature=np.nan)
    left_out = {one.name: one.reason for one in components(Table(frame, table.columns)).left_out}
    assert left_out["Reads"] == "constant"
    assert left_out["Temperature"] == "no value"
