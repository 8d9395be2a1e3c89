import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from terrawatt.analysis.pca import principal_components
from terrawatt.analysis.statistics import LeftOut, Quantities
from terrawatt.records import Float64Array


def quantities(values: Float64Array) -> Quantities:
    n, p = values.shape
    return Quantities(tuple(f"q{i}" for i in range(p)), values, np.arange(n), (LeftOut("Loss", "constant"),))


def random_values(seed: int, n: int = 12, p: int = 5) -> Float64Array:
    random = np.random.default_rng(seed)
    return random.normal(size=(n, p)) @ random.normal(size=(p, p)) * [1, 1e6, 1e-6, 5, 100]


@given(st.integers(0, 2**32 - 1))
def test_it_agrees_with_scikit_learn_but_for_signs(seed: int) -> None:
    values = random_values(seed)
    found = principal_components(quantities(values))
    reference = PCA().fit(StandardScaler().fit_transform(values))
    np.testing.assert_allclose(found.explained, reference.explained_variance_ratio_, atol=1e-9)
    # Scikit-learn standardises by n, we by n - 1: scores differ by that factor.
    scores = reference.transform(StandardScaler().fit_transform(values)) * np.sqrt((12 - 1) / 12)
    np.testing.assert_allclose(np.abs(found.scores), np.abs(scores), atol=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_loadings_are_correlations_of_quantities_with_components(seed: int) -> None:
    values = random_values(seed)
    found = principal_components(quantities(values))
    expected = np.corrcoef(values, found.scores, rowvar=False)[:5, 5:]
    np.testing.assert_allclose(found.loadings, expected, atol=1e-6)
    np.testing.assert_allclose(np.sum(found.loadings**2, axis=1), 1.0, atol=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_the_largest_loading_of_each_component_is_positive(seed: int) -> None:
    loadings = principal_components(quantities(random_values(seed))).loadings
    largest = np.abs(loadings).argmax(axis=0)
    assert (loadings[largest, range(loadings.shape[1])] > 0).all()


def test_signs_do_not_depend_on_the_order_of_repetitions() -> None:
    values = random_values(1)
    turned = principal_components(quantities(values[::-1]))
    np.testing.assert_allclose(principal_components(quantities(values)).loadings, turned.loadings, atol=1e-9)


def test_components_without_variance_are_dropped() -> None:
    line = np.arange(6.0)
    found = principal_components(quantities(np.column_stack([line, 2 * line, -line])))
    assert found.explained == pytest.approx([1.0])
    np.testing.assert_allclose(found.loadings, [[1.0], [1.0], [-1.0]])
    assert found.scores.shape == (6, 1)


def test_fewer_repetitions_than_quantities() -> None:
    found = principal_components(quantities(random_values(3, n=3)))
    assert found.loadings.shape == (5, 2)
    assert found.explained.sum() == pytest.approx(1.0)


def test_what_was_left_out_and_which_rows_were_used_is_kept() -> None:
    found = principal_components(quantities(random_values(4)))
    assert found.left_out == (LeftOut("Loss", "constant"),)
    assert list(found.rows) == list(range(12))
