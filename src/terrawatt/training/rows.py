"""Which rows of a pack a training reads: those of the pack's own splits, or of a split file, or a fraction of them."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from terrawatt.data.chosen import choose_rows, fraction_of, fraction_size
from terrawatt.data.labels import multi_hot_to_masks
from terrawatt.data.pack import Pack
from terrawatt.data.packformat import SPLITS
from terrawatt.data.splitfile import read_split
from terrawatt.errors import TrainingError
from terrawatt.training.options import TrainingOptions
from terrawatt.training.split_choice import SplitChoice

Rows = Mapping[str, NDArray[np.int64]]


def rows_of_parts(options: TrainingOptions, pack: Pack) -> tuple[Rows, tuple[str, ...]]:
    """The rows of train, validation and test, the train split whole; and what a user should know of them.

    Raises:
        DataError: the split file cannot be used, or the pack lacks more of its patches than is allowed.
        TrainingError: the file holds another split than when the options were read.
    """
    if options.split is None:
        return {part: pack.rows(part) for part in SPLITS}, ()
    return _rows_of_file(pack, options.split, options.missing_share)


@lru_cache(maxsize=2)  # the scenarios of a run share a split, and half a million names take half a second
def _rows_of_file(pack: Pack, choice: SplitChoice, missing_share: float) -> tuple[Rows, tuple[str, ...]]:
    split = read_split(choice.path)
    if not split.digest.startswith(choice.digest):
        raise TrainingError(f"{choice.path} holds another split than a moment ago; put the right file there")
    chosen = choose_rows(pack, split, missing_share)
    return chosen.rows, tuple(chosen.remarks())


def train_size(options: TrainingOptions, rows: Rows) -> int:
    """How many images are learnt from."""
    n = len(rows["train"])
    return n if options.train_fraction == 1 else fraction_size(n, options.train_fraction)


def learnt_rows(options: TrainingOptions, rows: Rows, labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The rows of the train split, or the fraction of them that the seed chooses, with the labels in proportion.

    Args:
        options: with fraction and seed.
        rows: of the parts.
        labels: of all rows of the pack, (len(pack), n_classes).
    """
    train = rows["train"]
    if options.train_fraction == 1:
        return train
    masks = np.zeros(len(labels), dtype=np.int64)
    masks[train] = multi_hot_to_masks(labels[train])
    return fraction_of(train, masks, options.train_fraction, options.seed)
