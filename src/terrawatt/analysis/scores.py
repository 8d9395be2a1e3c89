"""Scores of a multi-label classification, in numpy (docs/training.md).

A summary reads the predictions of thousands of repetitions, and on machines that have no torch. A label is predicted
where its probability is above 0.5. 0/0 is 0: the precision of a label that is never predicted, of an image for which
nothing is. Labels that occur in no image of the test set have no recall: they are left out of the macro averages and
listed; the other averages keep their false positives.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrawatt.errors import AnalysisError
from terrawatt.records import BoolArray, Float64Array

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores by the names of the table's columns; NaN where no label occurs at all.

    Attributes:
        values: name -> score in [0, 1].
        empty_labels: indices of the labels that occur in no image, which the macro averages leave out.
    """

    values: Mapping[str, float]
    empty_labels: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """True positives, false positives and false negatives, of each label, of each image, or of all together."""

    true: Float64Array
    wrong: Float64Array
    missed: Float64Array

    @classmethod
    def along(cls, predicted: BoolArray, actual: BoolArray, axis: int | None) -> "_Counts":
        true, wrong, missed = predicted & actual, predicted & ~actual, ~predicted & actual
        return cls(*(np.asarray(part.sum(axis=axis), dtype=np.float64) for part in (true, wrong, missed)))

    @property
    def scores(self) -> dict[str, Float64Array]:
        """Precision, recall, F1 and F2."""
        return {
            "precision": _ratio(self.true, self.true + self.wrong),
            "recall": _ratio(self.true, self.true + self.missed),
            "f1": self._f(1.0),
            "f2": self._f(4.0),
        }

    def _f(self, beta_2: float) -> Float64Array:
        weighted = (1 + beta_2) * self.true
        return _ratio(weighted, weighted + beta_2 * self.missed + self.wrong)


def scores(probabilities: NDArray[Any], targets: NDArray[Any]) -> Scores:
    """All scores of some predictions.

    Args:
        probabilities: (n, n_classes) in [0, 1], taken as float32.
        targets: multi-hot, of the same shape.

    Raises:
        AnalysisError: the shapes differ, there is no image, or a value is no probability or no 0 or 1.
    """
    _check(probabilities, targets)
    probability, actual = np.asarray(probabilities, dtype=np.float32), targets.astype(np.bool_)
    predicted: BoolArray = probability > 0.5
    occurs: BoolArray = np.any(actual, axis=0)
    values = {"Accuracy": float(np.mean(predicted == actual))}
    values |= _averages(predicted, actual, occurs)
    values |= _average_precisions(probability, actual, occurs)
    return Scores(values, tuple(np.flatnonzero(~occurs).tolist()))


def _check(probabilities: NDArray[Any], targets: NDArray[Any]) -> None:
    if probabilities.shape != targets.shape or probabilities.ndim != 2:
        raise AnalysisError(f"probabilities of shape {probabilities.shape} do not fit targets of shape {targets.shape}")
    if not probabilities.size:
        raise AnalysisError(f"no prediction to score: the arrays have shape {probabilities.shape}")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise AnalysisError("a probability is not in [0, 1]")
    if not ((targets == 0) | (targets == 1)).all():
        raise AnalysisError("a target is neither 0 nor 1")


def _averages(predicted: BoolArray, actual: BoolArray, occurs: BoolArray) -> dict[str, float]:
    """Recall, and precision, recall, F1 and F2 in their three averages."""
    by_label = _Counts.along(predicted, actual, 0).scores
    by_image = _Counts.along(predicted, actual, 1).scores
    together = _Counts.along(predicted, actual, None).scores
    values: dict[str, float] = {}
    for name in together:
        found = (by_label[name][occurs].mean(), together[name], by_image[name].mean()) if occurs.any() else (_NAN,) * 3
        values |= {
            f"{average}_{name}": float(x) for average, x in zip(("macro", "micro", "samples"), found, strict=True)
        }
    return {"Recall": values["macro_recall"], **values}


def _average_precisions(probability: NDArray[np.float32], actual: BoolArray, occurs: BoolArray) -> dict[str, float]:
    """Average precision: mean over the labels that occur, and over all decisions."""
    if not occurs.any():
        return {"macro_ap": _NAN, "micro_ap": _NAN}
    by_label = [_average_precision(probability[:, label], actual[:, label]) for label in np.flatnonzero(occurs)]
    return {"macro_ap": float(np.mean(by_label)), "micro_ap": _average_precision(probability.ravel(), actual.ravel())}


def _average_precision(probability: NDArray[np.float32], actual: BoolArray) -> float:
    """The sum of precision times rise in recall over the thresholds, those of equal probability together."""
    order = np.argsort(-probability)
    ordered = probability[order]
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)  # at or above each threshold
    found = np.cumsum(actual[order])[last]
    return float(np.sum(np.diff(found, prepend=0) * found / (last + 1)) / found[-1])


def _ratio(numerator: Float64Array, denominator: Float64Array) -> Float64Array:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
