"""t-SNE: neighbours stay neighbours, always in the same places, and too few are refused."""

import sys

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from terrawatt.analysis.embedding import MOST_ROWS, neighbour_embedding
from terrawatt.analysis.statistics import LeftOut, Quantities
from terrawatt.errors import AnalysisError


def grouped(n: int, seed: int = 1) -> Quantities:
    """Three groups of rows, of which every second one of the table is complete."""
    random = np.random.default_rng(seed)
    centres = np.array([[0.0, 0.0, 0.0, 0.0], [9.0, 0.0, 9.0, 0.0], [0.0, 9.0, 0.0, -9.0]])
    values = centres[np.arange(n) % 3] * 1000 + random.normal(0, 300, (n, 4))
    names = ("a", "b", "c", "d")
    return Quantities(names, values, 2 * np.arange(n, dtype=np.int64), (LeftOut("e", "constant"),))


def test_repetitions_lie_beside_those_of_their_own_group() -> None:
    found = neighbour_embedding(grouped(60))
    apart = np.linalg.norm(found.places[:, None] - found.places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = apart.argmin(axis=1)
    assert (nearest % 3 == np.arange(60) % 3).all()
    assert trustworthiness(grouped(60).values, found.places, n_neighbors=5) > 0.8
    assert found.perplexity == pytest.approx(59 / 3)
    assert found.rows.tolist() == list(range(0, 120, 2))
    assert found.left_out == (LeftOut("e", "constant"),)


def test_it_is_the_same_each_time_and_leaves_the_global_generator_alone() -> None:
    np.random.seed(3)  # noqa: NPY002 - the one that must not be touched
    first = neighbour_embedding(grouped(30)).places
    drawn = np.random.uniform()  # noqa: NPY002
    np.testing.assert_array_equal(neighbour_embedding(grouped(30)).places, first)
    np.random.seed(3)  # noqa: NPY002
    assert np.random.uniform() == drawn  # noqa: NPY002


def test_of_many_rows_some_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrawatt.analysis.embedding.MOST_ROWS", 40)
    found = neighbour_embedding(grouped(100))
    assert MOST_ROWS > 1350
    assert len(found.places) == len(set(found.rows.tolist())) == 40
    assert (found.rows[0], found.rows[-1]) == (0, 198)


def test_too_few_repetitions_are_refused() -> None:
    with pytest.raises(AnalysisError, match="too few complete repetitions for t-SNE: 15, and 16 are needed"):
        neighbour_embedding(grouped(15))
    assert len(neighbour_embedding(grouped(16)).places) == 16


def test_without_scikit_learn_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(AnalysisError, match=r"pip install 'terrawatt\[tsne\]'"):
        neighbour_embedding(grouped(20))
