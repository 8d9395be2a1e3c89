"""Batches on their device: on a GPU, the next is copied while the network works on this one."""

from collections.abc import Iterator

import torch

from terrawatt.training.loader import Batch


def on_device(batches: Iterator[Batch], device: torch.device) -> Iterator[Batch]:
    """The same batches, on the device.

    To a GPU they go out of pinned memory, on a stream of their own, one batch ahead.
    """
    if device.type != "cuda":
        yield from batches
        return
    copies: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    work = torch.cuda.current_stream(device)
    ahead: Batch | None = None
    for batch in batches:
        pinned = batch.map(torch.Tensor.pin_memory)
        with torch.cuda.stream(copies):
            copied = pinned.map(lambda tensor: tensor.to(device, non_blocking=True))
        if ahead is not None:
            yield ahead
        work.wait_stream(copies)
        # The memory of a batch may be used again only when the network has done with it.
        for tensor in (*copied.images, copied.targets):
            if tensor is not None:
                tensor.record_stream(work)
        ahead = copied
    if ahead is not None:
        yield ahead
