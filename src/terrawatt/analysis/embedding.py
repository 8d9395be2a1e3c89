"""t-SNE: repetitions in a plane, like ones near each other (L. van der Maaten and G. Hinton, JMLR 9, 2008).

Only neighbourhoods mean something. Distances between groups, their sizes and densities do not, so nothing is computed
from it.
"""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from terrawatt.analysis.statistics import LeftOut, Quantities
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array, Int64Array

LEAST_ROWS = 16  # three times the smallest perplexity that its authors advise, 5, and one
MOST_ROWS = 2000  # of more, some are taken: the time grows faster than their number
_PERPLEXITY = 30.0
_SEED = 0


@dataclass(frozen=True, eq=False)
class Embedding:
    """Repetitions in a plane.

    Attributes:
        places: (n, 2), without a unit.
        rows: (n,), positions in the table of the repetitions.
        perplexity: about how many neighbours each one has.
        left_out: columns that were not used, with the reason.
    """

    places: Float64Array
    rows: Int64Array
    perplexity: float
    left_out: tuple[LeftOut, ...]


def neighbour_embedding(found: Quantities) -> Embedding:
    """Standardised quantities by scikit-learn's t-SNE, from the first two principal components on; always the same.

    The perplexity is 30, and less where there are fewer than 91 repetitions: a third of the others.

    Raises:
        AnalysisError: scikit-learn is not there, or there are too few repetitions.
    """
    if len(found.values) < LEAST_ROWS:
        raise AnalysisError(f"too few complete repetitions for t-SNE: {len(found.values)}, and {LEAST_ROWS} are needed")
    try:
        from sklearn.manifold import TSNE
    except ImportError:
        raise AnalysisError("t-SNE needs scikit-learn: pip install 'terrawatt[tsne]'") from None
    n = len(found.values)
    kept = np.linspace(0, n - 1, min(n, MOST_ROWS)).round().astype(np.int64)
    values = found.values[kept]
    values = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    perplexity = min(_PERPLEXITY, (len(kept) - 1) / 3)
    method = TSNE(perplexity=perplexity, init="pca", learning_rate="auto", random_state=_SEED)
    with threadpool_limits(1):  # sums in another order would give another picture
        places = method.fit_transform(values)
    return Embedding(np.asarray(places, dtype=np.float64), found.rows[kept], perplexity, found.left_out)
