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
from terrawatt.training.group import ALONE, Group


class Batch(NamedTuple):
    """Some images as they lie in the pack, and their labels as 0.0 and 1.0, (n, n_classes).

    `counted` of them count: all, or none where a process has nothing left of a small last batch and goes along with
    an image of another. `whole` is the size of the batch that all processes have together.
    """

    images: Images
    targets: Tensor
    counted: int
    whole: int

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return self._replace(images=self.images.to(device), targets=self.targets.to(device))


@dataclass(frozen=True, slots=True, eq=False)
class Loader:
    """Reads batches of one split.

    Attributes:
        pack: where the images are.
        rows: the split's rows of the pack.
        labels: of all the pack's patches, (len(pack), n_classes).
        batch: images in a batch, of all processes together.
        rgb_only: read the bands of 10 m only.
        workers: threads that read ahead, one batch each and one more; 0: read when asked. The pack is mapped into
            memory, so that threads do what processes would, without copies between them.
        drop_single: leave out a last batch of one image, which batch normalisation cannot train on.
        group: the process that reads, and the others; each gets its part of every batch.
    """

    pack: Pack
    rows: NDArray[np.int64]
    labels: NDArray[np.uint8]
    batch: int
    rgb_only: bool
    workers: int = 0
    drop_single: bool = False
    group: Group = ALONE

    @property
    def targets(self) -> NDArray[np.uint8]:
        """The split's labels, (n, n_classes), in its order."""
        return self.labels[self.rows]

    @property
    def shares(self) -> list[int]:
        """How many of the split's images each process reads in order, by rank."""
        return [len(share) for share in np.array_split(self.rows, self.group.size)]

    def in_order(self) -> Iterator[Batch]:
        """All batches of this process's share of the split: behind one another, the shares are the split's order."""
        share = np.array_split(self.rows, self.group.size)[self.group.rank]
        return self._read(
            [_Part(rows, len(rows), len(rows)) for rows in _cut(share, -(-self.batch // self.group.size))]
        )

    def shuffled(self, seed: int, epoch: int) -> Iterator[Batch]:
        """This process's part of all batches; this epoch's order depends on nothing but seed and epoch."""
        batches = _cut(np.random.default_rng([seed, epoch]).permutation(self.rows), self.batch)
        if self.drop_single and len(batches[-1]) == 1:
            batches.pop()
        return self._read([self._part(rows) for rows in batches])

    def _part(self, rows: NDArray[np.int64]) -> "_Part":
        own = np.array_split(rows, self.group.size)[self.group.rank]
        return _Part(own if len(own) else rows[:1], len(own), len(rows))

    def _read(self, parts: "list[_Part]") -> Iterator[Batch]:
        return self._read_ahead(parts) if self.workers else map(self._read_part, parts)

    def _read_ahead(self, parts: "list[_Part]") -> Iterator[Batch]:
        with ThreadPoolExecutor(self.workers, thread_name_prefix="read-ahead") as pool:
            under_way: deque[Future[Batch]] = deque()
            try:
                for part in parts:
                    under_way.append(pool.submit(self._read_part, part))
                    if len(under_way) > self.workers:
                        yield under_way.popleft().result()
                while under_way:
                    yield under_way.popleft().result()
            finally:
                for future in under_way:
                    future.cancel()

    def _read_part(self, part: "_Part") -> Batch:
        bands = self.pack.read(part.rows, rgb_only=self.rgb_only)
        r20 = None if bands.r20 is None else torch.from_numpy(bands.r20)
        r60 = None if bands.r60 is None else torch.from_numpy(bands.r60)
        images = Images(torch.from_numpy(bands.r10), r20, r60)
        return Batch(images, torch.from_numpy(self.labels[part.rows]).float(), part.counted, part.whole)


class _Part(NamedTuple):
    """The rows that a process reads of a batch; see `Batch`."""

    rows: NDArray[np.int64]
    counted: int
    whole: int


def _cut(rows: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
