"""The order in which the images of a pack that is larger than memory are learnt from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Mixing:
    """Which images are mixed with which; what is read stays in memory while it is needed, however large the pack is.

    Attributes:
        block_patches: neighbours in the pack that stay together. 64 of 12 bands are 10 MB, which a disk reads at once.
        blocks: so many of them, from anywhere in the pack, have their images mixed: 2.6 GB.
    """

    block_patches: int = 64
    blocks: int = 256


BY_BLOCKS = Mixing()


def mixed_by_blocks(rows: NDArray[np.int64], mixing: Mixing, generator: np.random.Generator) -> NDArray[np.int64]:
    """Ascending rows in random order: the blocks in random order, then the images of so many blocks at a time.

    Neighbours come from one place and share labels, so mixing one part of the pack after the other would feed the
    network country by country. Blocks from everywhere come close to full shuffling (Xu et al., In-Database Machine
    Learning with CorgiPile: Stochastic Gradient Descent without Full Data Shuffle, SIGMOD 2022).
    """
    blocks = np.split(rows, np.flatnonzero(np.diff(rows // mixing.block_patches)) + 1)
    order = generator.permutation(len(blocks))
    together = np.split(order, range(mixing.blocks, len(order), mixing.blocks))
    return np.concatenate([generator.permutation(np.concatenate([blocks[i] for i in some])) for some in together])
