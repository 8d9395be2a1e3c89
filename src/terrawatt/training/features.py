"""What a frozen backbone gives of each image, computed once and kept for all epochs: in memory, or in a file.

The file has no name, so that it is gone when the process is, however that ends.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrawatt.data.space import readable_bytes
from terrawatt.errors import TrainingError
from terrawatt.models.classifier import Features

if TYPE_CHECKING:
    from terrawatt.training.loader import Loader
    from terrawatt.training.setup import Say, Splits, Training


@dataclass(slots=True, eq=False)
class FeatureCache:
    """The features of some images of a pack.

    Attributes:
        rows: the images' rows of the pack, ascending.
        values: their features, float32, (n, n_features).
        n_known: of how many images they are known: those of the first rows.
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float32]
    n_known: int = 0

    @property
    def is_full(self) -> bool:
        """Whether the features of all images are known."""
        return self.n_known == len(self.rows)

    def put(self, features: Tensor) -> None:
        """Keep those of the next images, (n, n_features)."""
        end = self.n_known + len(features)
        self.values[self.n_known : end] = features.float().cpu().numpy()
        self.n_known = end

    def at(self, rows: NDArray[np.int64]) -> Features:
        """Those of some of the images, in any order."""
        return Features(torch.from_numpy(self.values[np.searchsorted(self.rows, rows)]))


@contextmanager
def keeping_features(training: "Training", folder: Path, say: "Say") -> Iterator["Training"]:
    """The training whose train and validation splits will be read as features, where that is asked for.

    The test split is met once, so that there is nothing to keep of it. Each process keeps the features of all images.

    Args:
        training: as it was prepared.
        folder: of the outputs: the file lies beside it, or where TMPDIR says.
        say: gets the size.

    Raises:
        TrainingError: there is no room for them.
    """
    parts, kind = training.model.parts, training.options.cache_features
    if kind == "none" or parts is None:
        yield training
        return
    splits = training.splits
    n_train, n_validation = len(splits.train.rows), len(splits.validation.rows)
    shape = (n_train + n_validation, parts.n_features)
    with _room(kind, shape, folder, training.group.local_size) as values:
        say(f"features of {shape[0]:,} images are kept: {readable_bytes(values.nbytes)}, {_PLACES[kind]}")
        yield replace(training, splits=_reading(splits, values[:n_train], values[n_train:]))


_PLACES = {"memory": "in memory", "disk": "in a file"}


def _reading(splits: "Splits", train: NDArray[np.float32], validation: NDArray[np.float32]) -> "Splits":
    """The splits, of which two are read as features."""
    return replace(splits, train=_kept(splits.train, train), validation=_kept(splits.validation, validation))


def _kept(loader: "Loader", values: NDArray[np.float32]) -> "Loader":
    return replace(loader, features=FeatureCache(np.sort(loader.rows), values))


@contextmanager
def _room(kind: str, shape: tuple[int, int], out: Path, processes: int) -> Iterator[NDArray[np.float32]]:
    """Memory, or a file that is mapped into it, for float32 numbers.

    Raises:
        TrainingError: there is not enough for all processes.
    """
    needed = shape[0] * shape[1] * np.dtype(np.float32).itemsize
    if kind == "memory":
        _refuse_small(psutil.virtual_memory().available, needed * processes, "in memory", "use --cache-features disk")
        yield np.empty(shape, dtype=np.float32)
        return
    folder, advice = _scratch_folder(out), "name a folder on another disk by the variable TMPDIR"
    _refuse_small(shutil.disk_usage(folder).free, needed * processes, f"in {folder}", advice)
    with ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
            if hasattr(os, "posix_fallocate"):  # a disk that is full later would end the process by a signal
                os.posix_fallocate(file.fileno(), 0, needed)
        except OSError as error:
            raise TrainingError(f"{folder}: no file for the features ({error.strerror or error}); {advice}") from error
        yield np.memmap(file, dtype=np.float32, mode="w+", shape=shape)


def _scratch_folder(out: Path) -> Path:
    """Where TMPDIR says, or beside the outputs."""
    named = os.environ.get("TMPDIR")
    return Path(named) if named else next(folder for folder in out.absolute().parents if folder.is_dir())


def _refuse_small(free: int, needed: int, where: str, advice: str) -> None:
    if needed > free:
        raise TrainingError(
            f"--cache-features: no room for the features {where}: they need {readable_bytes(needed)}, and "
            f"{readable_bytes(free)} are free; {advice}"
        )
