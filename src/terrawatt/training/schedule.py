"""The learning rate over a training: a linear warm-up, then constant or along half a cosine to zero.

Loshchilov, Hutter: SGDR: stochastic gradient descent with warm restarts, ICLR 2017, without restarts. The rate changes
with every step of the optimizer.
"""

import math

import torch

from terrawatt.training.loader import Loader
from terrawatt.training.options import TrainingOptions


def rate_factor(step: int, *, warmup_steps: int, total_steps: int, is_cosine: bool) -> float:
    """What the learning rate is multiplied by in a step, counted from 0; in (0, 1], and 0 behind the last of a cosine.

    The first step of a warm-up has 1/warmup_steps, its last the whole rate.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if not is_cosine:
        return 1.0
    done = (step - warmup_steps) / max(total_steps - warmup_steps, 1)
    return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def follow_schedule(optimizer: torch.optim.Optimizer, options: TrainingOptions, train: Loader) -> None:
    """Have an optimizer change its learning rate after each of its steps as `--schedule` and `--warmup-epochs` say."""
    if options.schedule == "constant" and not options.warmup_epochs:
        return
    steps = steps_per_epoch(train)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: rate_factor(
            step,
            warmup_steps=options.warmup_epochs * steps,
            total_steps=options.epochs * steps,
            is_cosine=options.schedule == "cosine",
        ),
    )
    optimizer.register_step_post_hook(lambda *_: scheduler.step())


def steps_per_epoch(train: Loader) -> int:
    """How many batches of a split one epoch has."""
    whole, rest = divmod(len(train.rows), train.batch)
    return whole + (rest > (1 if train.drop_single else 0))
