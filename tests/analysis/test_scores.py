"""The scores against those of torchmetrics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import torchmetrics_scores as by_torch
from terrawatt.analysis import scores as in_numpy
from terrawatt.analysis.table import PERFORMANCE
from terrawatt.errors import AnalysisError


@st.composite
def predictions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of few values, so that ties and exact halves occur, and any targets."""
    shape = draw(st.tuples(st.integers(1, 8), st.integers(2, 6)))
    eighths = draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, 8)))
    targets = draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, 1)))
    return (eighths / 8).astype(np.float32), targets


def assert_agree(probabilities: np.ndarray, targets: np.ndarray) -> None:
    found, wanted = in_numpy.scores(probabilities, targets), by_torch.scores(probabilities, targets)
    assert list(found.values) == list(wanted.values)
    assert set(found.values) == {column.name for column in PERFORMANCE}
    assert found.values == pytest.approx(wanted.values, abs=1e-6, nan_ok=True)
    assert found.empty_labels == wanted.empty_labels


@given(predictions())
def test_every_score_is_torchmetrics(case: tuple[np.ndarray, np.ndarray]) -> None:
    assert_agree(*case)


def test_every_score_of_many_images_is_torchmetrics() -> None:
    random = np.random.default_rng(5)
    targets = (random.random((1000, 43)) < 0.07).astype(np.uint8)
    targets[:, [3, 41]] = 0
    assert_agree(np.clip(0.45 * targets + 0.6 * random.random(targets.shape), 0, 1).astype(np.float32), targets)


@pytest.mark.parametrize(
    ("probabilities", "targets", "reason"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2)), "do not fit"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "no prediction to score"),
        (np.full((2, 3), np.nan), np.zeros((2, 3)), r"not in \[0, 1\]"),
        (np.full((2, 3), 1.5), np.zeros((2, 3)), r"not in \[0, 1\]"),
        (np.zeros((2, 3)), np.full((2, 3), 2), "neither 0 nor 1"),
    ],
)
def test_what_is_no_prediction_is_refused(probabilities: np.ndarray, targets: np.ndarray, reason: str) -> None:
    with pytest.raises(AnalysisError, match=reason):
        in_numpy.scores(probabilities, targets)
