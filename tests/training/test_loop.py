import json
import math
from itertools import pairwise

import numpy as np
import pytest

from terrawatt.errors import TrainingError
from terrawatt.runs.phases import read_phases
from terrawatt.runs.reporting import PhaseReporter
from terrawatt.training.epoch import predict
from terrawatt.training.f1 import f1_scores
from terrawatt.training.loop import fit
from terrawatt.training.setup import open_splits, prepare


def silent(_line: str) -> None:
    pass


@pytest.mark.parametrize("model", ["s-cnn-rgb", "s-cnn-all"])
@pytest.mark.parametrize("loss", ["BCEWithLogits", "CrossEntropy", "MSE"])
def test_the_loss_falls_and_the_predictions_are_probabilities(training, model, loss):
    outcome = fit(training(model=model, loss=loss, optim="Adam", epochs=4), PhaseReporter(), silent)
    losses = [epoch.train_loss for epoch in outcome.history]
    assert losses[-1] < losses[0]
    assert outcome.probabilities.shape == (6, 19)
    assert outcome.probabilities.dtype == np.float32
    assert ((outcome.probabilities >= 0) & (outcome.probabilities <= 1)).all()


@pytest.mark.parametrize("workers", [0, 3])
def test_the_same_seed_gives_the_same_numbers_with_any_number_of_workers(training, workers):
    first = fit(training(optim="Adam"), PhaseReporter(), silent)
    second = fit(training(optim="Adam", workers=workers), PhaseReporter(), silent)
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    assert [e.train_loss for e in first.history] == [e.train_loss for e in second.history]


def test_another_seed_gives_other_numbers(training):
    first, second = (fit(training(seed=seed), PhaseReporter(), silent) for seed in (1, 2))
    assert not np.array_equal(first.probabilities, second.probabilities)


@pytest.mark.parametrize(("left", "right"), [("SGD", "Adam"), ("Adam", "AdamW")])
def test_the_optimizer_that_is_named_is_used(training, left, right):
    first, second = (fit(training(optim=optim, lr=0.01), PhaseReporter(), silent) for optim in (left, right))
    assert not np.array_equal(first.probabilities, second.probabilities)


def test_bfloat16_changes_the_numbers_a_little(training):
    exact, rough = (predict(training(precision=p), training().splits.test)[0] for p in ("fp32", "bf16"))
    assert not np.array_equal(exact, rough)
    np.testing.assert_allclose(exact, rough, atol=0.02)


def test_every_epoch_is_validated_by_the_scores_of_its_predictions(training):
    prepared = training(epochs=1)
    (epoch,) = fit(prepared, PhaseReporter(), silent).history
    probabilities, loss = predict(prepared, prepared.splits.validation)
    assert epoch.validation_loss == loss
    assert (epoch.validation_micro_f1, epoch.validation_macro_f1) == f1_scores(
        probabilities, prepared.splits.validation.targets
    )


def test_the_phases_are_reported_in_order_and_do_not_overlap(training, tmp_path):
    path = tmp_path / "phases.jsonl"
    fit(training(epochs=2), PhaseReporter(path), silent)
    phases = read_phases(path)
    assert [(p.name, p.epoch) for p in phases] == [
        ("train", 1),
        ("validate", 1),
        ("train", 2),
        ("validate", 2),
        ("test", None),
    ]
    assert all(a.window.end_ns <= b.window.start_ns for a, b in pairwise(phases))


def test_one_line_is_said_an_epoch(training):
    said = []
    fit(training(epochs=2), PhaseReporter(), said.append)
    assert [line.split("   ")[0] for line in said] == ["epoch 1", "epoch 2"]
    assert all("train loss" in line and "micro F1" in line for line in said)


def test_without_a_validation_split_epochs_end_without_scores(options, pack_of, tmp_path):
    said = []
    chosen = options(epochs=1)
    prepared = prepare(chosen, open_splits(chosen, pack_of(validation=0), said.append))
    outcome = fit(prepared, PhaseReporter(tmp_path / "phases.jsonl"), said.append)
    assert outcome.history[0].validation_loss is None
    assert outcome.history[0].validation_micro_f1 is None
    assert "validation split is empty" in said[0]
    assert "validation" not in said[1]
    assert [p.name for p in read_phases(tmp_path / "phases.jsonl")] == ["train", "test"]
    json.dumps([e.validation_loss for e in outcome.history], allow_nan=False)


def test_a_training_that_diverges_is_an_error(training):
    with pytest.raises(TrainingError, match=r"loss is (nan|inf).*smaller --lr than 1e\+30"):
        fit(training(lr=1e30, epochs=3), PhaseReporter(), silent)


def test_a_divergence_in_the_very_last_step_is_an_error_too(options, pack):
    chosen = options(lr=1e38, epochs=1, batch=12)  # one step: its loss is still finite
    prepared = prepare(chosen, open_splits(chosen, pack, silent))
    with pytest.raises(TrainingError, match="loss of a prediction"):
        fit(prepared, PhaseReporter(), silent)


def test_the_last_smaller_batch_weighs_as_many_images_as_it_has(training):
    prepared = training(epochs=1, batch=5, lr=1e-12)  # 12 images: 5, 5, 2; nothing moves
    (epoch,) = fit(prepared, PhaseReporter(), silent).history
    _, loss = predict(prepared, prepared.splits.train)
    assert math.isclose(epoch.train_loss, loss, rel_tol=1e-5)
