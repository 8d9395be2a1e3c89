"""One pass over a split: learning, or predicting."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from terrawatt.errors import TrainingError
from terrawatt.training.collective import gathered, share_buffers, total
from terrawatt.training.loader import Loader
from terrawatt.training.setup import Training


def train_epoch(training: Training, epoch: int) -> float:
    """Learn from every image of the train split once; the mean loss over the images, as they were met.

    Epochs count from 1.

    Raises:
        TrainingError: the loss is no longer a number.
    """
    model, device, group = training.model, training.device, training.group
    model.train()
    loss_sum, n_images = torch.zeros((), dtype=torch.float64, device=device), 0
    for batch in training.splits.train.shuffled(training.options.seed, epoch):
        images, targets, counted, whole = batch.to(device)
        training.optimizer.zero_grad()
        with training.autocast():
            logits = training.learner(images).float()
        loss = training.objective.loss(logits, targets)
        # The mean of the processes' gradients becomes that over the images of the whole batch.
        (loss * (counted * group.size / whole)).backward()  # type: ignore[no-untyped-call]
        training.optimizer.step()
        loss_sum += loss.detach() * counted
        n_images += whole
    train_loss = total(loss_sum, group).item() / n_images  # waits for the device: the work ends in the phase
    if training.options.spec.has_batch_norm:
        share_buffers(model, group)
    _refuse_infinite(train_loss, f"epoch {epoch}: the train loss", training)
    return train_loss


@torch.inference_mode()
def predict(training: Training, loader: Loader) -> tuple[NDArray[np.float32], float]:
    """Probabilities of a split, float32 (n, n_classes), in its order, and the mean loss over it.

    Each process of a group predicts its share, and gets all.

    Raises:
        TrainingError: the loss is not a number.
    """
    training.model.eval()
    group, device = training.group, training.device
    probabilities = [torch.empty(0, loader.labels.shape[1], device=device)]  # a small split has no share for some
    loss_sum = torch.zeros((), dtype=torch.float64, device=device)
    for batch in loader.in_order():
        images, targets, *_ = batch.to(device)
        with training.autocast():
            logits = training.model(images).float()
        probabilities.append(training.objective.probabilities(logits))
        loss_sum += training.objective.loss(logits, targets).double() * len(targets)
    loss = total(loss_sum, group).item() / len(loader.rows)
    _refuse_infinite(loss, "the loss of a prediction", training)
    return gathered(torch.cat(probabilities), loader.shares, group).cpu().numpy(), loss


def _refuse_infinite(loss: float, what: str, training: Training) -> None:
    if not math.isfinite(loss):
        raise TrainingError(
            f"{what} is {loss}: the training diverged; give a smaller --lr than {training.options.lr:g}"
        )
