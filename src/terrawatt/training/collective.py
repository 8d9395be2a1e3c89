"""What the processes of a training do together: find each other, average gradients, add up, put predictions in order.

Alone, all of it is nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from terrawatt.models.classifier import Classifier, Features
from terrawatt.models.inputs import Images
from terrawatt.training.group import Group

Learner = Callable[[Images | Features], Tensor]


@contextmanager
def joined(group: Group, device: torch.device) -> Iterator[None]:
    """The processes are connected: by NCCL between GPUs, else by gloo.

    After an error the connections are left to the end of the process: closing them could wait for the others.
    """
    if group.size == 1:
        yield
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, init_method=group.rendezvous, rank=group.rank, world_size=group.size)
    yield
    distributed.destroy_process_group()


def synchronised(model: Classifier, group: Group, device: torch.device) -> Classifier:
    """The model with batch normalisation over the images of all processes, which torch has on GPUs only."""
    if group.size == 1 or device.type != "cuda":
        return model
    converted: Classifier = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    return converted


def learner(model: Classifier, group: Group) -> Learner:
    """The model for learning: its gradients become the mean of all processes' as they are computed."""
    if group.size == 1:
        return model
    return DistributedDataParallel(model, gradient_as_bucket_view=True)


def share_buffers(model: nn.Module, group: Group) -> None:
    """Give all processes rank 0's running statistics of batch normalisation, which the last step has changed."""
    if group.size > 1:
        for buffer in model.buffers():
            distributed.broadcast(buffer, 0)


def total(value: Tensor, group: Group) -> Tensor:
    """The sum of all processes' values."""
    if group.size > 1:
        distributed.all_reduce(value)
    return value


def gathered(rows: Tensor, sizes: list[int], group: Group) -> Tensor:
    """The rows of all processes, one behind the other.

    Args:
        rows: of this process, (sizes[rank], n).
        sizes: how many rows each process has.
        group: of the processes.
    """
    if group.size == 1:
        return rows
    padded = rows.new_zeros((max(sizes), *rows.shape[1:]))
    padded[: len(rows)] = rows
    parts = [torch.empty_like(padded) for _ in sizes]
    distributed.all_gather(parts, padded)
    return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])
