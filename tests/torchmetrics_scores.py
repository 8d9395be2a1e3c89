"""The scores of `analysis.scores` by torchmetrics: a second implementation, under the same rules."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.functional import classification

from terrawatt.analysis.scores import Scores

_NAN = float("nan")


def scores(probabilities: NDArray[np.float32], targets: NDArray[np.uint8]) -> Scores:
    """All scores of predictions, (n, n_classes)."""
    predicted, actual = torch.from_numpy(np.float32(probabilities)), torch.from_numpy(targets.astype(np.int64))
    occurs = actual.any(dim=0)
    values = {"Accuracy": _accuracy(predicted, actual), **_threshold_scores(predicted, actual, occurs)}
    values |= _average_precision(predicted, actual, occurs)
    return Scores(values, tuple(torch.nonzero(~occurs).flatten().tolist()))


def _accuracy(predicted: Tensor, actual: Tensor) -> float:
    """Share of right decisions over images and labels: 1 - Hamming loss."""
    return float(classification.multilabel_accuracy(predicted, actual, num_labels=actual.shape[1], average="micro"))


def _threshold_scores(predicted: Tensor, actual: Tensor, occurs: Tensor) -> dict[str, float]:
    """Recall, and precision, recall, F1 and F2 in their three averages."""
    functions: dict[str, Callable[..., Tensor]] = {
        "precision": classification.multilabel_precision,
        "recall": classification.multilabel_recall,
        "f1": classification.multilabel_f1_score,
        "f2": _f2,
    }
    values: dict[str, float] = {}
    for name, score in functions.items():
        values |= {f"{average}_{name}": value for average, value in _averages(score, predicted, actual, occurs).items()}
    return {"Recall": values["macro_recall"], **values}


def _averages(score: Callable[..., Tensor], predicted: Tensor, actual: Tensor, occurs: Tensor) -> dict[str, float]:
    if not occurs.any():
        return dict.fromkeys(("macro", "micro", "samples"), _NAN)
    n = actual.shape[1]
    by_label = score(predicted, actual, num_labels=n, average="none")
    overall = score(predicted, actual, num_labels=n, average="micro")
    by_image = overall
    if len(actual) > 1:  # torchmetrics cannot average over the labels of a single image, whose score is the overall one
        images = predicted.unsqueeze(-1), actual.unsqueeze(-1)  # one value an image and label
        by_image = score(*images, num_labels=n, average="micro", multidim_average="samplewise")
    return {"macro": float(by_label[occurs].mean()), "micro": float(overall), "samples": float(by_image.mean())}


def _f2(predicted: Tensor, actual: Tensor, **arguments: object) -> Tensor:
    result: Tensor = classification.multilabel_fbeta_score(predicted, actual, beta=2.0, **arguments)  # type: ignore[arg-type]
    return result


def _average_precision(predicted: Tensor, actual: Tensor, occurs: Tensor) -> dict[str, float]:
    """Average precision: mean over the labels that occur, and over all decisions."""
    if not occurs.any():
        return {"macro_ap": _NAN, "micro_ap": _NAN}
    score = classification.binary_average_precision
    by_label = [float(score(predicted[:, label], actual[:, label])) for label in torch.nonzero(occurs).flatten()]
    overall = score(predicted.flatten(), actual.flatten())
    return {"macro_ap": float(np.mean(by_label)), "micro_ap": float(overall)}
