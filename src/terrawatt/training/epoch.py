"""One pass over a split: learning, or predicting."""

import math
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrawatt.errors import TrainingError
from terrawatt.training.collective import gathered, share_buffers, total
from terrawatt.training.loader import Batch, Loader
from terrawatt.training.memory import naming
from terrawatt.training.objectives import smoothed
from terrawatt.training.prefetch import on_device
from terrawatt.training.setup import Training

_CHECK_EVERY = 32  # batches between two looks at the loss on a GPU


def train_epoch(training: Training, epoch: int) -> float:
    """Learn from every image of the train split once; the mean loss over the images, as they were met.

    Epochs count from 1.

    Raises:
        TrainingError: the loss is no longer a number.
    """
    training.model.train()
    know_features(training, training.splits.train)
    options, device, group = training.options, training.device, training.group
    losses: list[Tensor] = []
    counts: list[int] = []
    n_images = 0
    batches = on_device(training.splits.train.shuffled(options.seed, epoch), device)
    with naming(lambda: f"epoch {epoch}, batch {len(losses) + 1}"):
        for number, batch in enumerate(batches, 1):
            losses.append(_step(training, batch))
            counts.append(batch.counted)
            n_images += batch.whole
            if device.type == "cpu" or number % _CHECK_EVERY == 0:  # to look at a loss, the CPU must wait for a GPU
                _refuse_infinite(losses, epoch, training)
    _refuse_infinite(losses, epoch, training)
    loss_sum = (torch.stack(losses).double() * torch.tensor(counts, device=device)).sum()
    train_loss = total(loss_sum, group).item() / n_images  # waits for the device: the work ends in the phase
    if options.spec.has_batch_norm:
        share_buffers(training.model, group)
    return train_loss


def _step(training: Training, batch: Batch) -> Tensor:
    """Learn from one batch, in as many parts as are asked for; its mean loss."""
    options = training.options
    training.optimizer.zero_grad()
    losses = []
    for images, targets in batch.parts(options.accumulate, training.group):
        with training.autocast():
            logits = training.learner(images).float()
        loss = training.objective.loss(logits, smoothed(targets, options.label_smoothing, options.loss))
        # The mean of the processes' gradients becomes that over the images of the whole batch.
        counted = len(targets) if batch.counted else 0
        share = loss * (counted * training.group.size / batch.whole)
        training.scaler.scale(share).backward()  # type: ignore[no-untyped-call]
        losses.append(loss.detach() * (len(targets) / len(batch.targets)))
    training.scaler.step(training.optimizer)
    training.scaler.update()
    return torch.stack(losses).sum()


@torch.no_grad()
def know_features(training: Training, loader: Loader) -> None:
    """Compute the features of a split that is to be read so, where they are not known yet.

    Each process of a group computes its part of every batch, and gets all.
    """
    cache, group = loader.features, training.group
    if cache is None or cache.is_full:
        return
    images = replace(loader, rows=cache.rows, features=None)
    for batch in on_device(images.side_by_side(), training.device):
        with training.autocast():
            features = training.model.features(batch.images).float()
        shares = [len(share) for share in np.array_split(np.arange(batch.whole), group.size)]
        cache.put(gathered(features[: batch.counted], shares, group))


@torch.no_grad()
def predict(training: Training, loader: Loader) -> tuple[NDArray[np.float32], float]:
    """Probabilities of a split, float32 (n, n_classes), in its order, and the mean loss over it.

    Each process of a group predicts its share, and gets all.

    Raises:
        TrainingError: the loss is not a number.
    """
    training.model.eval()
    know_features(training, loader)
    group, device = training.group, training.device
    probabilities = [torch.empty(0, loader.labels.shape[1], device=device)]  # a small split has no share for some
    loss_sum = torch.zeros((), dtype=torch.float64, device=device)
    # One autocast for all batches keeps the rounded weights to its end; in torch's inference mode it would not.
    with naming(lambda: f"batch {len(probabilities)} of a prediction"), training.autocast():
        for images, targets, *_ in on_device(loader.in_order(), device):
            logits = training.model(images).float()
            probabilities.append(training.objective.probabilities(logits))
            loss_sum += training.objective.loss(logits, targets).double() * len(targets)
    loss = total(loss_sum, group).item() / len(loader.rows)
    if not math.isfinite(loss):
        raise TrainingError(f"the loss of a prediction is {loss}: what was learnt is not usable; give a smaller --lr")
    return gathered(torch.cat(probabilities), loader.shares, group).cpu().numpy(), loss


def _refuse_infinite(losses: list[Tensor], epoch: int, training: Training) -> None:
    """Look at the losses of the batches since the last look.

    Raises:
        TrainingError: one is not a number; names epoch and batch.
    """
    latest = torch.stack(losses[-_CHECK_EVERY:])
    if bool(latest.isfinite().all()):
        return
    values = latest.tolist()
    first = next(position for position, value in enumerate(values) if not math.isfinite(value))
    raise TrainingError(
        f"epoch {epoch}, batch {len(losses) - len(values) + first + 1}: the train loss is {values[first]}: "
        f"the training diverged; give a smaller --lr than {training.options.lr:g}"
    )
