"""How the labels are spread over the parts of a split: counts, prevalences, and how far those are from the whole's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrawatt.data.labels import LABELS_19, LABELS_43, masks_to_multi_hot
from terrawatt.data.packformat import SPLITS

_STEP = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """Counts of labels in parts.

    Attributes:
        labels: names.
        parts: names.
        sizes: patches of each part, (parts,).
        counts: patches of each part that have each label, (parts, labels).
    """

    labels: tuple[str, ...]
    parts: tuple[str, ...]
    sizes: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def prevalence(self) -> NDArray[np.float64]:
        """The share of each part's patches that have each label, (parts, labels); NaN in an empty part."""
        return _shares(self.counts, self.sizes[:, np.newaxis])

    @property
    def whole(self) -> NDArray[np.float64]:
        """The same of all parts together, (labels,)."""
        return _shares(self.counts.sum(axis=0), self.sizes.sum())

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Prevalence in a part relative to the whole's, minus 1, (parts, labels); NaN where nothing has the label."""
        whole = np.where(self.whole > 0, self.whole, np.nan)
        return self.prevalence / whole - 1

    def worst(self) -> tuple[str, str, float] | None:
        """Label, part and deviation where that is largest; None where there is nothing to compare."""
        deviation = np.abs(self.deviation)
        if np.isnan(deviation).all():
            return None
        part, label = np.unravel_index(int(np.nanargmax(deviation)), deviation.shape)
        return self.labels[label], self.parts[part], float(self.deviation[part, label])


def distribution(masks: NDArray[np.int64], parts: NDArray[np.int8], n_classes: int) -> Distribution:
    """Count labels by part.

    Args:
        masks: labels as bitmasks, (n,).
        parts: the number of each patch's part in `packformat.SPLITS`, or below 0: in none.
        n_classes: 43 or 19.
    """
    counts = np.zeros((len(SPLITS), n_classes), dtype=np.int64)
    for begin in range(0, len(masks), _STEP):  # ones and zeros of half a million patches are not made at once
        here = slice(begin, begin + _STEP)
        has = masks_to_multi_hot(masks[here], n_classes)
        for number in range(len(SPLITS)):
            counts[number] += has[parts[here] == number].sum(axis=0, dtype=np.int64)
    sizes = np.array([(parts == number).sum() for number in range(len(SPLITS))], dtype=np.int64)
    return Distribution(LABELS_43 if n_classes == 43 else LABELS_19, SPLITS, sizes, counts)


COLUMNS = ("label", "part", "patches", "count", "prevalence", "deviation")


def as_rows(found: Distribution) -> Sequence[tuple[str, str, int, int, float | None, float | None]]:
    """One row a label and part, as `COLUMNS`; prevalence and deviation are shares, None where they are not defined."""
    prevalence, deviation = found.prevalence, found.deviation
    return [
        (
            label,
            part,
            int(found.sizes[p]),
            int(found.counts[p, i]),
            _or_none(prevalence[p, i]),
            _or_none(deviation[p, i]),
        )
        for i, label in enumerate(found.labels)
        for p, part in enumerate(found.parts)
    ]


def _shares(counts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = counts / np.where(sizes > 0, sizes, np.nan)
    return shares


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
