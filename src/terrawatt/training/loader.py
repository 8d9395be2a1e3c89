"""Batches of a pack: which images, in which order, on which device."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrawatt.data.pack import Pack
from terrawatt.models.inputs import Images


class Batch(NamedTuple):
    """Some images as they lie in the pack, and their labels as 0.0 and 1.0, (n, n_classes)."""

    images: Images
    targets: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch(self.images.to(device), self.targets.to(device))


@dataclass(frozen=True, slots=True, eq=False)
class Loader:
    """Reads batches of one split.

    Attributes:
        pack: where the images are.
        rows: the split's rows of the pack.
        labels: of all the pack's patches, (len(pack), n_classes).
        batch: images in a batch.
        rgb_only: read the bands of 10 m only.
        workers: threads that read ahead, one batch each and one more; 0: read when asked. The pack is mapped into
            memory, so that threads do what processes would, without copies between them.
        drop_single: leave out a last batch of one image, which batch normalisation cannot train on.
    """

    pack: Pack
    rows: NDArray[np.int64]
    labels: NDArray[np.uint8]
    batch: int
    rgb_only: bool
    workers: int = 0
    drop_single: bool = False

    @property
    def targets(self) -> NDArray[np.uint8]:
        """The split's labels, (n, n_classes), in its order."""
        return self.labels[self.rows]

    def in_order(self) -> Iterator[Batch]:
        """All batches in the split's order."""
        return self._read(self.rows)

    def shuffled(self, seed: int, epoch: int) -> Iterator[Batch]:
        """All batches in the order of this epoch, which depends on nothing but seed and epoch."""
        return self._read(np.random.default_rng([seed, epoch]).permutation(self.rows))

    def _read(self, rows: NDArray[np.int64]) -> Iterator[Batch]:
        groups = [rows[start : start + self.batch] for start in range(0, len(rows), self.batch)]
        if self.drop_single and len(groups[-1]) == 1:
            groups.pop()
        return self._read_ahead(groups) if self.workers else map(self._read_batch, groups)

    def _read_ahead(self, groups: list[NDArray[np.int64]]) -> Iterator[Batch]:
        with ThreadPoolExecutor(self.workers, thread_name_prefix="read-ahead") as pool:
            under_way: deque[Future[Batch]] = deque()
            try:
                for group in groups:
                    under_way.append(pool.submit(self._read_batch, group))
                    if len(under_way) > self.workers:
                        yield under_way.popleft().result()
                while under_way:
                    yield under_way.popleft().result()
            finally:
                for future in under_way:
                    future.cancel()

    def _read_batch(self, rows: NDArray[np.int64]) -> Batch:
        bands = self.pack.read(rows, rgb_only=self.rgb_only)
        r20 = None if bands.r20 is None else torch.from_numpy(bands.r20)
        r60 = None if bands.r60 is None else torch.from_numpy(bands.r60)
        images = Images(torch.from_numpy(bands.r10), r20, r60)
        return Batch(images, torch.from_numpy(self.labels[rows]).float())
