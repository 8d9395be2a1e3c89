"""All that a training needs before its first epoch: checked, seeded, built."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from terrawatt.data.pack import Pack
from terrawatt.errors import UsageError
from terrawatt.models.classifier import Classifier
from terrawatt.training.collective import Learner, learner, synchronised
from terrawatt.training.compute import device_of, make_deterministic, seed_all
from terrawatt.training.group import ALONE, Group
from terrawatt.training.loader import Loader
from terrawatt.training.objectives import Objective, class_weights, objective, optimizer
from terrawatt.training.options import TrainingOptions
from terrawatt.training.schedule import follow_schedule
from terrawatt.training.suitability import check_pack

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Splits:
    """Readers of the three splits; the validation split may be empty."""

    train: Loader
    validation: Loader
    test: Loader
    class_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """A training that is ready to begin, in one of the processes of its group.

    `learner` is the model as it learns: it shares its gradients with the other processes. `class_weights` are those of
    the loss, (n_classes,); None where all labels weigh the same.
    """

    group: Group
    options: TrainingOptions
    splits: Splits
    device: torch.device
    model: Classifier
    learner: Learner
    objective: Objective
    optimizer: torch.optim.Optimizer
    class_weights: NDArray[np.float32] | None = None

    def autocast(self) -> AbstractContextManager[object]:
        """The context of a forward pass: bfloat16 where it is asked for and exact enough, else nothing."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.options.precision == "bf16")


def open_pack(options: TrainingOptions, say: Say) -> Pack:
    """The pack of `--data`, its checksums compared when asked.

    Raises:
        UsageError: no pack is named.
        PackError: it cannot be used.
    """
    if options.data is None:
        raise UsageError("no data: name a pack with --data, or as data.pack in terrawatt.toml")
    pack = Pack.open(options.data)
    if options.verify:
        pack.verify()
        say(f"{options.data}: checksums of {len(pack)} patches are right")
    return pack


def open_splits(options: TrainingOptions, pack: Pack, say: Say, group: Group = ALONE) -> Splits:
    """Readers of the pack's splits, of what one process of the group reads of them.

    Raises:
        PackError: the pack has not the labels that are asked for.
        TrainingError: the train or test split is empty, or a batch is larger than the train split.
    """
    check_pack(options, pack)
    labels = pack.labels(options.labels)

    def loader(split: str, *, drop_single: bool = False) -> Loader:
        return Loader(
            pack=pack,
            rows=pack.rows(split),
            labels=labels,
            batch=options.batch,
            rgb_only=options.spec.rgb_only,
            workers=options.workers,
            drop_single=drop_single,
            group=group,
        )

    train, validation, test = (
        loader("train", drop_single=options.spec.has_batch_norm),
        loader("validation"),
        loader("test"),
    )
    if not len(validation.rows):
        say(f"{pack.path}: the validation split is empty; epochs end without validation")
    return Splits(train, validation, test, pack.class_names(options.labels))


def prepare(options: TrainingOptions, splits: Splits, group: Group = ALONE) -> Training:
    """Seed everything, then build the model and what makes it learn.

    The same options on the same machine give the same numbers, with any number of workers. The processes of a group
    must be connected (`collective.joined`).

    Raises:
        ModelError: pre-trained weights are not to be had.
        TrainingError: the device is not there.
    """
    device = device_of(options, group)
    if options.threads is not None or group.size > 1:
        torch.set_num_threads(max((options.threads or torch.get_num_threads()) // group.local_size, 1))
    seed_all(options.seed)
    make_deterministic(device)
    bands = splits.train.pack.band_statistics()
    model = options.spec.build(len(splits.class_names), bands, hidden=options.hidden, weights=options.weights)
    model = synchronised(model.to(device), group, device)
    if not group.is_first:  # the weights are the same, but images that are dropped out must not be
        torch.manual_seed(int(np.random.SeedSequence([options.seed, group.rank]).generate_state(1)[0]))
    weights = class_weights(splits.train.targets) if options.class_weights else None
    learning = optimizer(options, model.parameters())
    follow_schedule(learning, options, splits.train)
    return Training(
        group=group,
        options=options,
        splits=splits,
        device=device,
        model=model,
        learner=learner(model, group),
        objective=objective(
            options.loss,
            _mean_labels(splits.train.targets),
            None if weights is None else torch.from_numpy(weights).to(device),
        ),
        optimizer=learning,
        class_weights=weights,
    )


def _mean_labels(targets: NDArray[np.uint8]) -> float:
    return float(targets.sum(axis=1).mean())
