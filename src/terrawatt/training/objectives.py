"""Losses and optimizers, and how logits become the probabilities that are written (docs/training.md)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from terrawatt.training.options import TrainingOptions

LARGEST_CLASS_WEIGHT = 20.0  # a label of a few images would decide the training else

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Objective:
    """A loss of logits and multi-hot targets, and the probabilities that fit it.

    Attributes:
        loss: (logits, targets), each (n, n_classes) float32 -> the mean over the batch.
        probabilities: logits -> (n, n_classes) in [0, 1]; a label counts as predicted above 0.5.
        description: of the probabilities, for the record of a training.
    """

    loss: Loss
    probabilities: Callable[[Tensor], Tensor]
    description: str


def objective(name: str, mean_labels: float, weights: Tensor | None = None) -> Objective:
    """The objective of a loss's name.

    Args:
        name: one of `options.LOSSES`.
        mean_labels: labels of an image of the train split, on average; needed to read a softmax as several labels.
        weights: of the positives of each label, (n_classes,), with BCEWithLogits; None: 1.
    """
    if name == "CrossEntropy":
        half_share = 0.5 / max(mean_labels, 1.0)
        return Objective(
            cross_entropy,
            lambda logits: presence(logits, half_share),
            f"p / (p + {half_share:.6g}) with p the softmax: above 0.5 where p exceeds 0.5 / (mean labels an image)",
        )
    if name == "MSE":
        return Objective(squared_error, torch.sigmoid, "sigmoid")
    return Objective(partial(F.binary_cross_entropy_with_logits, pos_weight=weights), torch.sigmoid, "sigmoid")


def class_weights(targets: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a positive of each label weighs: negatives over positives, at most `LARGEST_CLASS_WEIGHT`.

    So positives and negatives of a label weigh the same together. A label without positives has nothing to weigh: 1.

    Args:
        targets: multi-hot labels of the train split, (n, n_classes).

    Returns:
        (n_classes,).
    """
    positives = targets.sum(axis=0, dtype=np.int64)
    weights = (len(targets) - positives) / np.maximum(positives, 1)
    return np.where(positives > 0, np.minimum(weights, LARGEST_CLASS_WEIGHT), 1.0).astype(np.float32)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Softmax cross-entropy against the targets as a distribution: 1/k for each of an image's k labels.

    An image without labels adds nothing.
    """
    distribution = targets / targets.sum(dim=1, keepdim=True).clamp(min=1)
    return F.cross_entropy(logits, distribution)


def squared_error(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error of the sigmoid probabilities."""
    return F.mse_loss(torch.sigmoid(logits), targets)


def presence(logits: Tensor, half_share: float) -> Tensor:
    """Softmax shares as values in [0, 1) that pass 0.5 at `half_share`, in the shares' order.

    k labels of an image share the softmax, so that none of them need pass 0.5; the share of each, in an image with
    the mean number of labels, is twice `half_share`.
    """
    share = torch.softmax(logits, dim=1)
    return share / (share + half_share)


_OPTIMIZERS: Mapping[str, Callable[..., torch.optim.Optimizer]] = {
    "SGD": torch.optim.SGD,
    "Adam": torch.optim.Adam,
    "AdamW": torch.optim.AdamW,
}


def optimizer(
    options: TrainingOptions, parameters: Iterable[nn.Parameter], device: torch.device
) -> torch.optim.Optimizer:
    """The optimizer that `--optim` names, with torch's defaults but for the learning rate, of what can learn.

    On a GPU all of a step is one kernel.
    """
    return _OPTIMIZERS[options.optim](
        [p for p in parameters if p.requires_grad], lr=options.lr, fused=device.type == "cuda" or None
    )


def smoothed(targets: Tensor, smoothing: float, loss: str) -> Tensor:
    """Targets that are a little less sure: (1 − ε)·y + ε·q (Szegedy et al., CVPR 2016, equation 9).

    q is 1/2 a label, where each is decided for itself; for cross-entropy, which divides the k labels of an image by k,
    it is k over the number of labels.
    """
    if not smoothing:
        return targets
    even = targets.mean(dim=1, keepdim=True) if loss == "CrossEntropy" else 0.5
    return targets * (1 - smoothing) + smoothing * even
