"""Losses and optimizers, and how logits become the probabilities that are written (docs/training.md)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrawatt.training.options import TrainingOptions

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


def objective(name: str, mean_labels: float) -> Objective:
    """The objective of a loss's name.

    Args:
        name: one of `options.LOSSES`.
        mean_labels: labels of an image of the train split, on average; needed to read a softmax as several labels.
    """
    if name == "CrossEntropy":
        half_share = 0.5 / max(mean_labels, 1.0)
        return Objective(
            cross_entropy,
            lambda logits: presence(logits, half_share),
            f"p / (p + {half_share:.6g}) with p the softmax: above 0.5 where p exceeds 0.5 / (mean labels an image)",
        )
    loss: Loss = F.binary_cross_entropy_with_logits if name == "BCEWithLogits" else squared_error
    return Objective(loss, torch.sigmoid, "sigmoid")


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


def optimizer(options: TrainingOptions, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer that `--optim` names, with torch's defaults but for the learning rate, of what can learn."""
    return _OPTIMIZERS[options.optim]([p for p in parameters if p.requires_grad], lr=options.lr)
