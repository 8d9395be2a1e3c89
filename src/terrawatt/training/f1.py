"""F1 of a validation, after each epoch, inside the measured window: no more is computed than is shown.

By the rules of `analysis.scores`, which computes all scores when a run is summarised.
"""

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 0.5


def f1_scores(probabilities: NDArray[np.float32], targets: NDArray[np.uint8]) -> tuple[float, float] | None:
    """Micro and macro F1 of predictions, each (n, n_classes); None where no label occurs.

    Labels that do not occur in the targets are left out of the macro average.
    """
    predicted, actual = probabilities > THRESHOLD, targets > 0
    hits = (predicted & actual).sum(axis=0)
    marked = predicted.sum(axis=0) + actual.sum(axis=0)  # F1 = 2 hits / (predicted + actual)
    occurs = actual.any(axis=0)
    if not occurs.any():
        return None
    return float(2 * hits.sum() / marked.sum()), float((2 * hits[occurs] / marked[occurs]).mean())
