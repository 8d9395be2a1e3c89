"""The training: epochs of learning and validation, then the test."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    """The epochs, and the probabilities of the test split, float32 (n_test, n_classes)."""

    history: tuple[Epoch, ...]
    probabilities: NDArray[np.float32]


def fit(training: Training, phases: PhaseReporter, say: Say) -> Outcome:
    """Train, validating after each epoch, then test.

    Raises:
        TrainingError: the loss is no longer a number.
    """
    splits = training.splits
    history = []
    for epoch in range(1, training.options.epochs + 1):
        start_s = time.perf_counter()
        with phases.phase(PhaseName.TRAIN, epoch):
            train_loss = train_epoch(training, epoch)
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
