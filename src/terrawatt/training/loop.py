"""The training: epochs of learning and validation, then the test."""

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from terrawatt.errors import TrainingError
from terrawatt.records import PhaseName
from terrawatt.runs.reporting import PhaseReporter
from terrawatt.training.collective import gathered, share_buffers, total
from terrawatt.training.f1 import f1_scores
from terrawatt.training.loader import Loader
from terrawatt.training.setup import Say, Training


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch came to; the scores are None without a validation split."""

    epoch: int
    train_loss: float
    validation_loss: float | None
    validation_micro_f1: float | None
    validation_macro_f1: float | None
    duration_s: float

    def __str__(self) -> str:
        values = {
            "train loss": self.train_loss,
            "validation loss": self.validation_loss,
            "micro F1": self.validation_micro_f1,
            "macro F1": self.validation_macro_f1,
        }
        known = (f"{name} {value:.4f}" for name, value in values.items() if value is not None)
        return "   ".join((f"epoch {self.epoch}", *known, f"{self.duration_s:.1f} s"))


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The epochs, and the probabilities of the test split, float32 (n_test, n_classes)."""

    history: tuple[Epoch, ...]
    probabilities: NDArray[np.float32]


def fit(training: Training, phases: PhaseReporter, say: Say) -> Outcome:
    """Train, validating after each epoch, then test.

    Raises:
        TrainingError: the loss is no longer a number.
    """
    model, splits, device, group = training.model, training.splits, training.device, training.group
    history = []
    for epoch in range(1, training.options.epochs + 1):
        start_s = time.perf_counter()
        with phases.phase(PhaseName.TRAIN, epoch):
            model.train()
            loss_sum, n_images = torch.zeros((), dtype=torch.float64, device=device), 0
            for batch in splits.train.shuffled(training.options.seed, epoch):
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
        validation_loss = micro_f1 = macro_f1 = None
        if len(splits.validation.rows):
            with phases.phase(PhaseName.VALIDATE, epoch):
                probabilities, validation_loss = predict(training, splits.validation)
                micro_f1, macro_f1 = f1_scores(probabilities, splits.validation.targets) or (None, None)
        duration_s = time.perf_counter() - start_s
        history.append(Epoch(epoch, train_loss, validation_loss, micro_f1, macro_f1, duration_s))
        say(str(history[-1]))
    with phases.phase(PhaseName.TEST):
        probabilities, _ = predict(training, splits.test)
    return Outcome(tuple(history), probabilities)


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
