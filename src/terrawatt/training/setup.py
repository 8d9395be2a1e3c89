"""All that a training needs before its first epoch: checked, seeded, built."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from terrawatt.data.bands import BandStatistics
from terrawatt.data.pack import Pack
from terrawatt.errors import UsageError
from terrawatt.models.classifier import Classifier
from terrawatt.models.registry import Start
from terrawatt.training.checkpoint import restore, statistics
from terrawatt.training.checkpoint_header import CheckpointHeader, read_header
from terrawatt.training.collective import Learner, learner, synchronised
from terrawatt.training.compute import (
    autocast,
    device_of,
    gradient_scaler,
    lay_out,
    make_deterministic,
    seed_all,
)
from terrawatt.training.group import ALONE, Group
from terrawatt.training.loader import Loader
from terrawatt.training.objectives import Objective, class_weights, objective, optimizer
from terrawatt.training.options import TrainingOptions
from terrawatt.training.rows import learnt_rows, rows_of_parts
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

    Attributes:
        learner: the model as it learns: it shares its gradients with the other processes.
        bands: the statistics by which the model standardises.
        mean_labels: labels of an image of the train split, on average.
        class_weights: of the loss, (n_classes,); None where all labels weigh the same.
        checkpoint: what the checkpoint says that is tested; None in a training.
    """

    group: Group
    options: TrainingOptions
    splits: Splits
    device: torch.device
    model: Classifier
    learner: Learner
    objective: Objective
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    bands: BandStatistics
    mean_labels: float
    class_weights: NDArray[np.float32] | None = None
    checkpoint: CheckpointHeader | None = None

    def autocast(self) -> AbstractContextManager[object]:
        """The context of a forward pass."""
        return autocast(self.options, self.device)


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
    """Readers of the pack's splits, or those of a split file, of what one process of the group reads of them.

    Raises:
        PackError: the pack has not the labels that are asked for.
        TrainingError: the train or test split is empty, or a batch is larger than the train split.
    """
    check_pack(options, pack)
    labels = pack.labels(options.labels)
    rows, remarks = rows_of_parts(options, pack)
    for remark in remarks:
        say(remark)
    rows = {**rows, "train": learnt_rows(options, rows, labels)}

    def loader(split: str, *, drop_single: bool = False) -> Loader:
        return Loader(
            pack=pack,
            rows=rows[split],
            labels=labels,
            batch=options.batch,
            rgb_only=options.spec.rgb_only,
            workers=options.workers,
            drop_single=drop_single,
            group=group,
            shuffle=options.shuffle,
            augment=options.augment,
        )

    train, validation, test = (
        loader("train", drop_single=options.spec.has_batch_norm),
        loader("validation"),
        loader("test"),
    )
    if not len(validation.rows) and options.test_only is None:
        say(f"{pack.path}: the validation split is empty; epochs end without validation")
    return Splits(train, validation, test, pack.class_names(options.labels))


def prepare(options: TrainingOptions, splits: Splits, group: Group = ALONE) -> Training:
    """Seed everything, then build the model and what makes it learn; or restore it, where a checkpoint is tested.

    The same options on the same machine give the same numbers, with any number of workers. The processes of a group
    must be connected (`collective.joined`).

    Raises:
        ModelError: pre-trained weights are not to be had; the checkpoint cannot be restored.
        TrainingError: the device is not there.
    """
    device = device_of(options, group)
    if options.threads is not None or group.size > 1:
        torch.set_num_threads(max((options.threads or torch.get_num_threads()) // group.local_size, 1))
    seed_all(options.seed)
    make_deterministic(device, is_wanted=options.deterministic)
    checkpoint = None if options.test_only is None else read_header(options.test_only)
    bands = splits.train.pack.band_statistics() if checkpoint is None else statistics(checkpoint)
    model = _model(options, splits, bands)
    model = synchronised(model.to(device), group, device)
    lay_out(model, options, device)
    if not group.is_first:  # the weights are the same, but images that are dropped out must not be
        torch.manual_seed(int(np.random.SeedSequence([options.seed, group.rank]).generate_state(1)[0]))
    mean_labels = _mean_labels(splits.train.targets) if checkpoint is None else checkpoint.mean_labels
    weights = class_weights(splits.train.targets) if options.class_weights else None
    learning = optimizer(options, model.parameters(), device)
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
            mean_labels,
            None if weights is None else torch.from_numpy(weights).to(device),
        ),
        optimizer=learning,
        scaler=gradient_scaler(options, device),
        bands=bands,
        mean_labels=mean_labels,
        class_weights=weights,
        checkpoint=checkpoint,
    )


def _model(options: TrainingOptions, splits: Splits, bands: BandStatistics) -> Classifier:
    """The model as it begins, or as a checkpoint holds it: then ImageNet's weights are not needed."""
    n_classes, hidden = len(splits.class_names), options.hidden
    if options.test_only is None:
        return options.spec.build(n_classes, bands, hidden=hidden, weights=options.weights)
    model = replace(options.spec, start=Start.SCRATCH).build(n_classes, bands, hidden=hidden)
    restore(options.test_only, model)
    return model


def _mean_labels(targets: NDArray[np.uint8]) -> float:
    return float(targets.sum(axis=1).mean())
