"""What is learnt is what a plain loop learns that is written down here with torch alone: no shortcut changes it.

The loop shares with the training the initial weights and the order of the images, and nothing else.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pack_in_memory import PackInMemory
from terrawatt.training.epoch import train_epoch
from terrawatt.training.setup import Training

STEPS, BATCH, HIDDEN = 50, 5, 16
TRAIN_IMAGES = 25  # 5 steps an epoch, 10 epochs
SETTINGS = {"batch": BATCH, "epochs": STEPS * BATCH // TRAIN_IMAGES, "hidden": HIDDEN}

# What 50 steps make of rounding in another order. Larger rates make the noise of these images chaotic.
FP32 = 1e-3
# What bfloat16 may change, of each loss and of their mean over all steps, relative.
BF16, BF16_MEAN = 0.02, 0.002


@pytest.fixture
def pack(pack_of) -> PackInMemory:
    return pack_of(train=TRAIN_IMAGES, seed=3)


def our_losses(training: Training) -> np.ndarray:
    """The loss of each step."""
    losses: list[float] = []

    def recorded(logits: Tensor, targets: Tensor) -> Tensor:
        loss = training.objective.loss(logits, targets)
        losses.append(float(loss.detach()))
        return loss

    recording = replace(training, objective=replace(training.objective, loss=recorded))
    for epoch in range(1, training.options.epochs + 1):
        train_epoch(recording, epoch)
    return np.array(losses)


def plain_losses(training: Training, pack: PackInMemory) -> np.ndarray:
    """The same of a loop in float32 with `torch.nn`, `F.interpolate` and torch's optimizers."""
    options = training.options
    read = plain_rgb if options.spec.rgb_only else plain_all
    network = plain_s_cnn(3 if options.spec.rgb_only else 12)
    network.load_state_dict(training.model.network.state_dict())
    optimizer = getattr(torch.optim, options.optim)(network.parameters(), lr=options.lr)
    labels = torch.from_numpy(pack.labels(19)).float()
    losses = []
    for epoch in range(1, options.epochs + 1):
        order = np.random.default_rng([options.seed, epoch]).permutation(pack.rows("train"))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(network(read(pack, rows)), labels[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return np.array(losses)


def plain_s_cnn(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 32, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64 * 30 * 30, HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, 19),
    )


def plain_all(pack: PackInMemory, rows: np.ndarray) -> Tensor:
    """Upsampled first, then standardised: the other way round as in the training."""
    bands = pack.read(rows)
    images = [torch.from_numpy(values.astype(np.float32)) for values in (bands.r10, bands.r20, bands.r60)]
    images[1:] = [F.interpolate(one, size=(120, 120), mode="bicubic", align_corners=False) for one in images[1:]]
    return standardised(torch.cat(images, dim=1), pack)


def plain_rgb(pack: PackInMemory, rows: np.ndarray) -> Tensor:
    return standardised(torch.from_numpy(pack.read(rows).r10[:, :3].astype(np.float32)), pack)


def standardised(images: Tensor, pack: PackInMemory) -> Tensor:
    known = pack.band_statistics()
    mean, std = (
        torch.tensor(values[: images.shape[1]]).float().view(1, -1, 1, 1) for values in (known.mean, known.std)
    )
    return (images - mean) / std


@pytest.mark.parametrize("model", ["s-cnn-all", "s-cnn-rgb"])
@pytest.mark.parametrize(("optim", "lr"), [("SGD", 0.02), ("Adam", 0.0001)])
def test_the_losses_of_50_steps_are_those_of_a_plain_loop(
    training: Callable[..., Training], pack: PackInMemory, model: str, optim: str, lr: float
) -> None:
    prepared = training(model=model, optim=optim, lr=lr, **SETTINGS)
    plain = plain_losses(prepared, pack)
    ours = our_losses(prepared)
    assert len(ours) == len(plain) == STEPS
    assert plain[-5:].mean() < 0.98 * plain[:5].mean()  # it learns: equal losses are no equal standstill
    np.testing.assert_allclose(ours, plain, rtol=FP32)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bfloat16_learns_the_same_within_its_rounding(
    training: Callable[..., Training], pack: PackInMemory, seed: int
) -> None:
    settings = SETTINGS | {"model": "s-cnn-all", "optim": "Adam", "lr": 1e-4, "seed": seed, "epochs": 4}
    exact, rough = training(**settings), training(**settings, precision="bf16")
    plain, ours = plain_losses(exact, pack), our_losses(rough)
    assert not np.array_equal(ours, plain)
    np.testing.assert_allclose(ours, plain, rtol=BF16)
    assert ours.mean() == pytest.approx(plain.mean(), rel=BF16_MEAN)
