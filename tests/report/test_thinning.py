import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from terrawatt.report.thinning import thinned


def test_few_points_are_all_kept_with_one_beyond_each_end():
    x = np.arange(10.0)
    assert thinned(x, x, 2.5, 6.5, 100).tolist() == [2, 3, 4, 5, 6, 7]
    assert thinned(x, x, -5, 50, 100).tolist() == list(range(10))


def test_a_spike_of_one_reading_stays():
    x = np.arange(100_000.0)
    y = np.zeros(len(x))
    y[54_321], y[77_777] = 900.0, -5.0
    kept = thinned(x, y, 0.0, x[-1], 200)
    assert {54_321, 77_777} <= set(kept.tolist())
    assert len(kept) <= 402


@given(
    y=hnp.arrays(np.float64, st.integers(1, 400), elements=st.floats(-1e6, 1e6)),
    bins=st.integers(1, 20),
    start=st.floats(0, 100),
    length=st.floats(1, 400),
)
def test_each_bin_keeps_its_extremes(y, bins, start, length):
    x = np.arange(float(len(y)))
    kept = thinned(x, y, start, start + length, bins)
    assert (np.diff(kept) > 0).all()
    inside = (x > start) & (x < start + length)
    assert len(kept) <= max(2 * bins + 2, 2 * bins)
    seen = y[kept][(x[kept] > start) & (x[kept] < start + length)]
    if inside.any() and len(kept) > 2:
        assert y[inside].max() in y[kept]
        assert y[inside].min() in y[kept]
        assert len(seen)
