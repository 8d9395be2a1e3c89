"""What to say when memory runs out: in which batch, and what would fit.

The bytes that an image takes are measured then, on a few images: the tensors that live at once while the network
learns from them, and while it predicts them. What there was room for was measured before the training began.
"""

import math
import resource
import traceback
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from terrawatt.data.space import readable_bytes
from terrawatt.errors import TrainingError
from terrawatt.models.inputs import Prepared
from terrawatt.training.group import ALONE
from terrawatt.training.setup import Training

_Work = Callable[[Training, Prepared, Tensor], None]

_FEW, _MORE = 2, 4  # images; batch normalisation needs two
_USABLE = 2 / 3  # of the room: libraries take memory that is no tensor, and what is free lies in pieces


@dataclass(frozen=True, slots=True)
class Need:
    """The bytes that a batch takes: those of each image, and what does not depend on their number."""

    image: float
    fixed: float

    def of(self, images: int) -> float:
        """Of so many images."""
        return self.fixed + self.image * images

    def images_in(self, room: float) -> int:
        """How many images fit."""
        return max(int((room - self.fixed) / self.image), 0)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out; torch's allocator on the CPU has no error of its own."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


@contextmanager
def naming(place: Callable[[], str]) -> Iterator[None]:
    """Note on an error of memory in which batch it was met."""
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            error.add_note(place())
        raise


@contextmanager
def explaining_memory(training: Training) -> Iterator[None]:
    """An error of memory in the block becomes one line that names the batch, and a size that would fit.

    Raises:
        TrainingError: memory ran out.
    """
    room = free_bytes(training.device)
    if training.device.type == "cpu":  # each GPU has one process
        room //= training.group.local_size
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        place = "; ".join(getattr(error, "__notes__", ()))
        traceback.clear_frames(error.__traceback__)  # they keep the batch that did not fit
        raise TrainingError(f"out of memory{' in ' if place else ''}{place}: {_advice(training, room)}") from error


def free_bytes(device: torch.device) -> int:
    """What this process can have more: of the device's memory, within its own limit of addresses."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free)
    available = psutil.virtual_memory().available
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return available if limit == resource.RLIM_INFINITY else min(available, limit - psutil.Process().memory_info().vms)


def advice(batch: int, processes: int, accumulate: int, room: int, *, learning: Need | None, predicting: Need) -> str:
    """What would fit, in words.

    Args:
        batch: images in the batch of all processes.
        processes: that share it.
        accumulate: parts in which each learns from its share.
        room: for each process.
        learning: what learning takes; None where nothing is learnt.
        predicting: what predicting takes, always of a whole batch.
    """
    share = math.ceil(batch / processes)
    part = math.ceil(share / accumulate)
    most = max(learning.of(part) if learning else 0.0, predicting.of(share))
    said = f"--batch {batch} needs about {readable_bytes(round(most))}, and there was room for {readable_bytes(room)}"
    usable = _USABLE * room
    predicted = predicting.images_in(usable)
    learnt = predicted if learning is None else learning.images_in(usable)
    if learnt >= part and predicted >= share:  # so it was measured, and yet it did not fit
        learnt = part // 2
    fitting = min(learnt * accumulate, predicted, share - 1)
    if fitting < 1:
        return f"{said}, which is too little for any batch: make memory free, or take a smaller model"
    said += f"; give --batch {fitting * processes}"
    if learning is not None and predicted >= share:
        said += f", or learn from this one in parts with --accumulate {math.ceil(share / learnt)}"
    return said


def _advice(training: Training, room: int) -> str:
    options = training.options
    try:
        predicting = _need(training, _predict)
        learning = None if options.test_only else _need(training, _learn, _state_bytes)
        return advice(
            options.batch,
            training.group.size,
            options.accumulate,
            room,
            learning=learning,
            predicting=predicting,
        )
    except (RuntimeError, MemoryError):  # not even a few images fit
        return f"--batch {options.batch} does not fit, and a few images do not either; make memory free"


def _need(training: Training, work: _Work, besides: Callable[[Training], int] = lambda _training: 0) -> Need:
    """What some work takes, by its peaks with few and with more images, and what is kept besides."""
    few, more = (_peak_bytes(training, work, n) for n in (_FEW, _MORE))
    image = max((more - few) / (_MORE - _FEW), 1.0)
    return Need(image, max(few - _FEW * image, 0.0) + besides(training))


def _peak_bytes(training: Training, work: _Work, n: int) -> int:
    loader = training.splits.test if training.options.test_only else training.splits.train
    rows = np.resize(loader.rows, n)
    batch = next(replace(loader, rows=rows, batch=n, group=ALONE, workers=0, features=None).in_order())
    batch = batch.map(lambda tensor: tensor.to(training.device))
    prepared = training.model.inputs(batch.images)
    given: list[Tensor] = [tensor for tensor in (*tree_leaves(prepared), *batch.images) if tensor is not None]
    counter = _LiveTensors([*training.model.parameters(), *training.model.buffers(), *given])
    with torch.compiler.set_stance("force_eager"), counter:
        work(training, prepared, batch.targets)
    return counter.peak + sum(tensor.nbytes for tensor in given)


def _learn(training: Training, prepared: Prepared, targets: Tensor) -> None:
    training.model.train()
    training.optimizer.zero_grad()
    with training.autocast():
        logits = training.model.network(prepared).float()
    training.objective.loss(logits, targets).backward()  # type: ignore[no-untyped-call]


def _state_bytes(training: Training) -> int:
    """What the optimizer keeps from step to step. It takes one for that: what it learns is of no use any more."""
    training.optimizer.step()
    kept = [leaf for leaf in tree_leaves(dict(training.optimizer.state)) if isinstance(leaf, Tensor)]
    return sum(tensor.nbytes for tensor in kept)


@torch.no_grad()
def _predict(training: Training, prepared: Prepared, targets: Tensor) -> None:
    training.model.eval()
    with training.autocast():
        training.objective.loss(training.model.network(prepared).float(), targets)


class _LiveTensors(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of the tensors that are made while it is on, as long as each of them lives.

    Attributes:
        peak: the most there were at once.
    """

    def __init__(self, known: list[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = self._now = 0
        self._known = {tensor.untyped_storage()._cdata for tensor in known}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One operation of torch."""
        results = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(results):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return results

    def _count(self, storage: torch.UntypedStorage) -> None:
        if storage._cdata in self._known:
            return
        self._known.add(storage._cdata)
        self._now += storage.nbytes()
        self.peak = max(self.peak, self._now)
        weakref.finalize(storage, self._forget, storage._cdata, storage.nbytes())

    def _forget(self, key: int, n_bytes: int) -> None:
        self._known.discard(key)
        self._now -= n_bytes
