"""Batches of a pack: which images, in which order, on which device."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrawatt.data.pack import Pack
from terrawatt.models.classifier import Features
from terrawatt.models.inputs import Images
from terrawatt.training.features import FeatureCache
from terrawatt.training.group import ALONE, Group
from terrawatt.training.order import BY_BLOCKS, Mixing, mixed_by_blocks

N_WAYS = 8  # of turning a square onto itself


class Batch(NamedTuple):
    """Some images as they lie in the pack, or their features, and their labels as 0.0 and 1.0, (n, n_classes).

    `counted` of them count: all, or none where a process has nothing left of a small last batch and goes along with
    an image of another. `whole` is the size of the batch that all processes have together.
    """

    images: Images | Features
    targets: Tensor
    counted: int
    whole: int

    def map(self, function: Callable[[Tensor], Tensor]) -> "Batch":
        """The same with each of its tensors changed."""
        return self._replace(images=self.images.map(function), targets=function(self.targets))

    def parts(self, number: int, group: Group = ALONE) -> Iterator[tuple[Images | Features, Tensor]]:
        """Images and labels in so many parts, as equal as can be; fewer where there are fewer images.

        All processes of a group make as many parts: they wait for each other's gradients after each.
        """
        smallest_share = max(self.whole // group.size, 1)
        for part in np.array_split(np.arange(len(self.targets)), min(number, smallest_share)):
            piece = slice(int(part[0]), int(part[-1]) + 1)
            yield self.images.map(itemgetter(piece)), self.targets[piece]


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
        shuffle: `full`, or `shards`: for packs larger than memory, as `mixing` says.
        mixing: which images are mixed with which by `shards`.
        augment: `none`, or `flips`: each image of a shuffled batch is flipped and turned by quarters at random, all
            eight ways alike; which way depends on nothing but seed, epoch and row.
        features: what is read in the place of images; None: images are.
    """

    pack: Pack
    rows: NDArray[np.int64]
    labels: NDArray[np.uint8]
    batch: int
    rgb_only: bool
    workers: int = 0
    drop_single: bool = False
    group: Group = ALONE
    shuffle: str = "full"
    mixing: Mixing = BY_BLOCKS
    augment: str = "none"
    features: FeatureCache | None = None

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

    def side_by_side(self) -> Iterator[Batch]:
        """This process's part of all batches, in the split's order."""
        return self._read([self._part(rows, None) for rows in _cut(self.rows, self.batch)])

    def shuffled(self, seed: int, epoch: int) -> Iterator[Batch]:
        """This process's part of all batches; this epoch's order depends on nothing but seed and epoch."""
        generator = np.random.default_rng([seed, epoch])
        if self.shuffle == "full":
            order = generator.permutation(self.rows)
        else:
            order = mixed_by_blocks(self.rows, self.mixing, generator)
        batches = _cut(order, self.batch)
        if self.drop_single and len(batches[-1]) == 1:
            batches.pop()
        ways = generator.integers(N_WAYS, size=len(self.pack)) if self.augment == "flips" else None
        return self._read([self._part(rows, ways) for rows in batches])

    def _part(self, rows: NDArray[np.int64], ways: NDArray[np.int64] | None) -> "_Part":
        own = np.array_split(rows, self.group.size)[self.group.rank]
        read = own if len(own) else rows[:1]
        return _Part(read, len(own), len(rows), None if ways is None else ways[read])

    def _read(self, parts: "list[_Part]") -> Iterator[Batch]:
        announced = self._announced(parts)
        return self._read_ahead(announced) if self.workers else map(self._read_part, announced)

    def _announced(self, parts: "list[_Part]") -> "Iterator[_Part]":
        """The parts, each when the disk has begun with the next: it reads while the network works on this one."""
        for number, part in enumerate(parts):
            for near in parts[number + (number > 0) : number + 2] if self.features is None else ():
                self.pack.announce(near.rows, rgb_only=self.rgb_only)
            yield part

    def _read_ahead(self, parts: "Iterator[_Part]") -> Iterator[Batch]:
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
        images = self._images(part) if self.features is None else self.features.at(part.rows)
        return Batch(images, torch.from_numpy(self.labels[part.rows]).float(), part.counted, part.whole)

    def _images(self, part: "_Part") -> Images:
        bands = self.pack.read(part.rows, rgb_only=self.rgb_only)
        r20 = None if bands.r20 is None else torch.from_numpy(bands.r20)
        r60 = None if bands.r60 is None else torch.from_numpy(bands.r60)
        images = Images(torch.from_numpy(bands.r10), r20, r60)
        return images if part.ways is None else images.map(partial(turned, ways=part.ways))


class _Part(NamedTuple):
    """The rows that a process reads of a batch; see `Batch`."""

    rows: NDArray[np.int64]
    counted: int
    whole: int
    ways: NDArray[np.int64] | None = None


def turned(images: Tensor, ways: NDArray[np.int64]) -> Tensor:
    """Images (n, bands, pixels, pixels), each flipped and turned in its way.

    Ways 0 to 3 are so many quarter turns, 4 to 7 the same after a flip from left to right.
    """
    pixels = images.numpy()
    result = np.empty_like(pixels)
    for way in range(N_WAYS):
        chosen = np.flatnonzero(ways == way)
        flipped = pixels[chosen][..., ::-1] if way >= N_WAYS // 2 else pixels[chosen]
        result[chosen] = np.rot90(flipped, way % 4, axes=(2, 3))
    return torch.from_numpy(result)


def _cut(rows: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
