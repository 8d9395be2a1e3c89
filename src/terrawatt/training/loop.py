"""The training: epochs of learning and validation, then the test."""

import math
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from terrawatt.models.classifier import Classifier
from terrawatt.records import PhaseName
from terrawatt.runs.reporting import PhaseReporter
from terrawatt.training.epoch import predict, train_epoch
from terrawatt.training.f1 import f1_scores
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
    """What a training came to.

    Attributes:
        history: the epochs.
        probabilities: of the test split, float32 (n_test, n_classes).
        epoch: the one whose weights gave them.
    """

    history: tuple[Epoch, ...]
    probabilities: NDArray[np.float32]
    epoch: int


def fit(training: Training, phases: PhaseReporter, say: Say) -> Outcome:
    """Train, validating after each epoch, then test with the weights of the epoch that is selected.

    Raises:
        TrainingError: the loss is no longer a number.
    """
    options = training.options
    history: list[Epoch] = []
    best, weights = 0, dict[str, Tensor]()
    for number in range(1, options.epochs + 1):
        history.append(_epoch(training, number, phases))
        say(str(history[-1]))
        if not best or rank(history[-1]) > rank(history[best - 1]):
            best = number
            if options.select == "best":
                weights = _weights(training.model)
        elif options.patience is not None and number - best >= options.patience:
            say(f"no epoch better than {best} in {options.patience}: stopped")
            break
    tested = len(history)
    if options.select == "best":
        tested = best
        training.model.network.load_state_dict(weights)
        say(f"tested with the weights of epoch {best}")
    with phases.phase(PhaseName.TEST):
        probabilities, _ = predict(training, training.splits.test)
    return Outcome(tuple(history), probabilities, tested)


def evaluate(training: Training, phases: PhaseReporter) -> Outcome:
    """Test what a checkpoint holds, without training.

    Raises:
        TrainingError: the loss is not a number.
    """
    with phases.phase(PhaseName.TEST):
        probabilities, _ = predict(training, training.splits.test)
    return Outcome((), probabilities, training.checkpoint.epoch if training.checkpoint else 0)


def rank(epoch: Epoch) -> tuple[float, float]:
    """By what epochs are compared, larger is better: micro F1 of the validation split; then its loss, where they tie.

    In its first epochs a network may predict no label at all; then the loss alone tells whether it learns.
    """
    loss = math.inf if epoch.validation_loss is None else epoch.validation_loss
    return epoch.validation_micro_f1 or 0.0, -loss


def _epoch(training: Training, number: int, phases: PhaseReporter) -> Epoch:
    """Learn and validate once."""
    validation = training.splits.validation
    start_s = time.perf_counter()
    with phases.phase(PhaseName.TRAIN, number):
        train_loss = train_epoch(training, number)
    validation_loss = micro_f1 = macro_f1 = None
    if len(validation.rows):
        with phases.phase(PhaseName.VALIDATE, number):
            probabilities, validation_loss = predict(training, validation)
            micro_f1, macro_f1 = f1_scores(probabilities, validation.targets) or (None, None)
    return Epoch(number, train_loss, validation_loss, micro_f1, macro_f1, time.perf_counter() - start_s)


def _weights(model: Classifier) -> dict[str, Tensor]:
    """A copy of what a network has learnt, its running statistics included, on its device."""
    return {name: value.detach().clone() for name, value in model.network.state_dict().items()}
