"""A pack in memory, small and quick, with a signal that a network finds."""

from pathlib import Path

import numpy as np

from terrawatt.data.bands import PUBLISHED, BandStatistics
from terrawatt.data.pack import BandArrays


class PackInMemory:
    """What a training asks of a pack, from arrays: label c of an image brightens all its pixels of band c % 4."""

    has_all_bands = True

    def __init__(self, train: int = 12, validation: int = 5, test: int = 6, n_classes: int = 19, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.path = Path("pack-in-memory")
        sizes = {"train": train, "validation": validation, "test": test}
        self.splits = np.repeat(list(sizes), list(sizes.values()))
        n = len(self.splits)
        self._labels = (rng.random((n, n_classes)) < 0.2).astype(np.uint8)
        self._labels[np.arange(n), rng.integers(n_classes, size=n)] = 1
        bright = np.stack([self._labels[:, band::4].any(axis=1) for band in range(4)], axis=1)
        self._r10 = (rng.integers(200, 900, (n, 4, 120, 120)) + 1500 * bright[:, :, None, None]).astype(np.uint16)
        self._r20 = rng.integers(500, 3000, (n, 6, 60, 60)).astype(np.uint16)
        self._r60 = rng.integers(300, 2500, (n, 2, 20, 20)).astype(np.uint16)

    def __len__(self) -> int:
        return len(self.splits)

    def patch_ids(self, rows):
        return np.array([f"patch_{row}" for row in rows], dtype=np.str_)

    def rows(self, split: str):
        return np.flatnonzero(self.splits == split)

    def labels(self, n_classes: int):
        return self._labels[:, :n_classes]

    def class_names(self, n_classes: int) -> tuple[str, ...]:
        return tuple(f"class {number}" for number in range(n_classes))

    def announce(self, rows, *, rgb_only: bool = False) -> None:
        pass

    def read(self, rows, *, rgb_only: bool = False) -> BandArrays:
        if rgb_only:
            return BandArrays(self._r10[rows, :3], None, None)
        return BandArrays(self._r10[rows], self._r20[rows], self._r60[rows])

    def band_statistics(self) -> BandStatistics:
        return PUBLISHED

    def verify(self) -> None:
        pass
