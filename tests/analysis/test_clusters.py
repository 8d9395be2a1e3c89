import numpy as np
import pytest

from terrawatt.analysis.clusters import SEED, resampled_correlations


def test_a_draw_is_the_correlation_of_the_rows_that_it_repeats() -> None:
    random = np.random.default_rng(1)
    values = random.normal(size=(23, 3)) @ random.normal(size=(3, 3)) * [1e6, 1.0, 1e-6] + [1e9, 0.0, 5.0]
    clusters = [np.arange(start, min(start + 4, 23)) for start in range(0, 23, 4)]
    found = resampled_correlations(values, clusters, 5)
    drawn = np.random.default_rng(SEED).multinomial(6, np.full(6, 1 / 6), size=5)
    for counts, r in zip(drawn, found, strict=True):
        rows = np.concatenate([np.tile(cluster, count) for cluster, count in zip(clusters, counts, strict=True)])
        assert r == pytest.approx(np.corrcoef(values[rows.astype(int)], rowvar=False), abs=1e-6)


def test_a_quantity_that_is_constant_in_a_draw_has_no_correlation_there() -> None:
    values = np.column_stack([np.repeat([1.0, 2.0], 3), np.arange(6.0)])
    found = resampled_correlations(values, [np.arange(3), np.arange(3, 6)], 40)
    assert np.isnan(found[:, 0, 1]).any()
    assert not np.isnan(found[:, 0, 1]).all()
    assert np.nanmax(np.abs(found)) <= 1
