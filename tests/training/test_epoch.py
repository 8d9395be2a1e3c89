import re

import numpy as np
import pytest
import torch

from terrawatt.errors import TrainingError
from terrawatt.training.epoch import train_epoch
from terrawatt.training.objectives import smoothed


@pytest.mark.parametrize("loss", ["BCEWithLogits", "CrossEntropy", "MSE"])
@pytest.mark.parametrize("parts", [2, 3, 4])
def test_a_batch_in_parts_teaches_what_the_whole_teaches(training, loss, parts):
    whole, divided = (training(loss=loss, lr=0.05, accumulate=number) for number in (1, parts))
    assert train_epoch(divided, 1) == pytest.approx(train_epoch(whole, 1), rel=1e-5)
    for left, right in zip(whole.model.parameters(), divided.model.parameters(), strict=True):
        torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-6)


def test_a_loss_that_is_no_number_stops_with_epoch_and_batch(training):
    prepared = training(batch=2)
    steps = []

    def spoil(*_: object) -> None:
        steps.append(len(steps))
        if len(steps) == 2:
            with torch.no_grad():
                next(prepared.model.parameters()).fill_(float("nan"))

    prepared.optimizer.register_step_post_hook(spoil)
    wanted = "epoch 1, batch 3: the train loss is nan: the training diverged; give a smaller --lr than 0.001"
    with pytest.raises(TrainingError, match=re.escape(wanted)):
        train_epoch(prepared, 1)
    assert len(steps) == 2 + 1  # the third step was made, the fourth batch not read


def test_smoothing_keeps_what_is_expected_of_an_image():
    targets = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    assert smoothed(targets, 0.0, "MSE") is targets
    torch.testing.assert_close(smoothed(targets, 0.2, "BCEWithLogits"), targets * 0.8 + 0.1)
    np.testing.assert_allclose(smoothed(targets, 0.2, "CrossEntropy").sum(dim=1), targets.sum(dim=1), rtol=1e-6)


def test_smoothing_and_flips_change_what_is_learnt_and_not_what_is_tested(training):
    plain, smooth, flipped = (training(), training(**{"label-smoothing": 0.1}), training(augment="flips"))
    losses = [train_epoch(each, 1) for each in (plain, smooth, flipped)]
    assert len(set(losses)) == 3
    first, second = (next(each.splits.test.in_order()).images.r10 for each in (plain, flipped))
    assert torch.equal(first, second)
