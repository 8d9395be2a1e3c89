"""The scores against scikit-learn's, which computes them independently."""

import math
import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sk

from terrawatt.analysis.scores import scores
from terrawatt.analysis.table import PERFORMANCE
from terrawatt.errors import AnalysisError
from terrawatt.training.f1 import f1_scores

KEYS = [column.name for column in PERFORMANCE]


def expected(probabilities: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """The table's scores by scikit-learn; labels that occur nowhere are left out of macro averages."""
    predicted = probabilities > 0.5
    occurs = targets.any(axis=0)
    values = {"Accuracy": 1 - sk.hamming_loss(targets, predicted)}
    functions = {
        "precision": sk.precision_score,
        "recall": sk.recall_score,
        "f1": sk.f1_score,
        "f2": partial(sk.fbeta_score, beta=2),
    }
    for name, function in functions.items():
        values[f"macro_{name}"] = function(targets, predicted, average=None, zero_division=0)[occurs].mean()
        for average in ("micro", "samples"):
            values[f"{average}_{name}"] = function(targets, predicted, average=average, zero_division=0)
    values["Recall"] = values["macro_recall"]
    values["macro_ap"] = sk.average_precision_score(targets, probabilities, average=None)[occurs].mean()
    values["micro_ap"] = sk.average_precision_score(targets, probabilities, average="micro")
    return values


def assert_agree(probabilities: np.ndarray, targets: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's, about labels without positives
        wanted = expected(probabilities, targets)
    found = scores(probabilities, targets).values
    assert set(found) == set(KEYS)
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, abs=2e-6), name


@st.composite
def predictions(draw):
    """Probabilities (few values, so that ties and exact halves occur) and targets with a label somewhere."""
    shape = draw(st.tuples(st.integers(1, 8), st.integers(2, 6)))
    eighths = draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, 8)))
    targets = draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, 1)))
    targets[draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))] = 1
    return (eighths / 8).astype(np.float32), targets


@given(predictions())
def test_every_score_is_scikit_learns(case):
    assert_agree(*case)


def test_every_score_is_scikit_learns_on_43_labels_with_empty_ones():
    rng = np.random.default_rng(5)
    targets = (rng.random((300, 43)) < 0.07).astype(np.uint8)
    targets[:, [3, 41]] = 0
    probabilities = np.clip(0.45 * targets + 0.6 * rng.random((300, 43)), 0, 1).astype(np.float32)
    assert_agree(probabilities, targets)
    assert scores(probabilities, targets).empty_labels == (3, 41)


def test_a_perfect_prediction_scores_1_everywhere():
    targets = np.eye(4, 5, dtype=np.uint8)
    targets[0, 2] = 1
    values = scores(targets.astype(np.float32), targets).values
    assert all(value == 1.0 for value in values.values())


def test_predicting_nothing_is_accurate_and_worthless():
    targets = np.zeros((10, 19), dtype=np.uint8)
    targets[:, 0] = 1
    values = scores(np.zeros((10, 19), dtype=np.float32), targets).values
    assert values["Accuracy"] == pytest.approx(18 / 19)
    assert values["Recall"] == values["micro_f1"] == values["samples_precision"] == values["macro_f2"] == 0.0


def test_a_false_positive_of_an_empty_label_counts_in_micro_but_not_in_macro():
    targets = np.array([[1, 0], [1, 0]], dtype=np.uint8)
    found = scores(np.ones((2, 2), dtype=np.float32), targets)
    assert found.empty_labels == (1,)
    assert found.values["macro_precision"] == 1.0
    assert found.values["micro_precision"] == 0.5


def test_a_single_image():
    assert_agree(np.array([[0.9, 0.2, 0.7]], dtype=np.float32), np.array([[1, 0, 0]], dtype=np.uint8))


def test_where_no_label_occurs_only_the_accuracy_is_known():
    found = scores(np.full((3, 4), 0.1, dtype=np.float32), np.zeros((3, 4), dtype=np.uint8))
    assert found.empty_labels == (0, 1, 2, 3)
    assert found.values["Accuracy"] == 1.0
    assert all(math.isnan(value) for name, value in found.values.items() if name != "Accuracy")


@pytest.mark.parametrize(
    ("probabilities", "targets", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 4)), "do not fit"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "no prediction"),
        (np.array([[1.5, 0.0]]), np.array([[1, 0]]), r"not in \[0, 1\]"),
        (np.array([[np.nan, 0.0]]), np.array([[1, 0]]), r"not in \[0, 1\]"),
        (np.array([[0.5, 0.0]]), np.array([[2, 0]]), "neither 0 nor 1"),
    ],
)
def test_what_is_no_prediction_is_refused(probabilities, targets, message):
    with pytest.raises(AnalysisError, match=message):
        scores(probabilities.astype(np.float32), targets.astype(np.uint8))


@given(predictions())
def test_the_quick_f1_of_a_validation_is_the_same(case):
    values = scores(*case).values
    assert f1_scores(*case) == pytest.approx((values["micro_f1"], values["macro_f1"]), abs=2e-6)


def test_the_quick_f1_is_unknown_where_no_label_occurs():
    assert f1_scores(np.zeros((2, 3), dtype=np.float32), np.zeros((2, 3), dtype=np.uint8)) is None
