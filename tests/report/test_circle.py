import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.report.figures.circle import spread

GAP = 0.1
positions = st.lists(st.floats(-1, 1), min_size=1, max_size=40)


@given(positions)
def test_labels_keep_their_distance_and_their_order(given_positions: list[float]) -> None:
    wanted = np.array(given_positions)
    moved = spread(wanted, GAP)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(moved[order]) >= GAP - 1e-9).all()


@given(positions)
def test_the_middle_of_labels_stays_where_it_was(given_positions: list[float]) -> None:
    wanted = np.array(given_positions)
    assert np.isclose(spread(wanted, GAP).mean(), wanted.mean(), atol=1e-9)


def test_labels_that_do_not_collide_stay() -> None:
    wanted = np.array([0.5, -0.5, 0.0])
    np.testing.assert_allclose(spread(wanted, GAP), wanted)
