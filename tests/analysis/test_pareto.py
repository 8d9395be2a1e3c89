import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from small_tables import table_of
from terrawatt.analysis.pareto import non_dominated, pareto_front
from terrawatt.analysis.table import Table

SMALL = st.integers(0, 4).map(float)  # few values: many ties


@given(st.lists(st.tuples(SMALL, SMALL), min_size=1, max_size=12))
def test_the_front_is_what_no_other_point_beats(points: list[tuple[float, float]]) -> None:
    def beats(a: tuple[float, float], b: tuple[float, float]) -> bool:
        return a[0] <= b[0] and a[1] >= b[1] and a != b

    expected = [not any(beats(other, point) for other in points) for point in points]
    cost, gain = np.array(points).T
    assert non_dominated(cost, gain).tolist() == expected
    stacked = non_dominated(np.stack([cost, cost]), np.stack([gain, gain]))
    assert stacked.tolist() == [expected, expected]


def sweep(shift: float = 0.0, n: int = 10, seed: int = 0) -> Table:
    """Cheap and weak, dear and good, dearer and as weak as the first; one that equals the second but for a shift."""
    random = np.random.default_rng(seed)

    def one(energy_j: float, score: float) -> dict[str, object]:
        return {
            "Energy (plug)": random.normal(energy_j, 0.02 * energy_j, n),
            "micro_f1": random.normal(score, 0.01, n),
        }

    return table_of(
        {"a": one(1000, 0.5), "b": one(2000, 0.7), "c": one(3000, 0.5), "d": one(2000 + shift, 0.7)}  # type: ignore[dict-item]
    )


def test_planted_members_are_found_with_their_certainty() -> None:
    found = pareto_front(sweep(shift=600.0))
    assert [point.label for point in found.front][:2] == ["a", "b"]
    by_label = {point.label: point for point in found.points}
    assert by_label["a"].membership == 1.0
    assert by_label["c"].membership == 0.0
    assert not by_label["c"].is_on_front


def test_two_equal_scenarios_share_the_front_about_evenly_over_many_tables() -> None:
    shares = []
    for seed in range(40):
        points = {point.label: point for point in pareto_front(sweep(seed=seed)).points}
        shares.append((points["b"].membership, points["d"].membership))
    b, d = np.array(shares, dtype=float).mean(axis=0)
    assert b == pytest.approx(d, abs=0.15)
    assert 0.5 < b < 0.95


def test_few_repetitions_have_a_place_but_no_certainty() -> None:
    found = pareto_front(sweep(n=4))
    assert {point.membership for point in found.points} == {None}
    assert found.fixed == 4
    assert found.front


def test_the_same_table_gives_the_same_front() -> None:
    assert pareto_front(sweep()) == pareto_front(sweep())


def test_the_interval_of_a_point_of_the_score_holds_the_truth() -> None:
    held = []
    for seed in range(100):
        step = next(
            step for step in pareto_front(sweep(500.0, seed=seed)).steps if (step.start, step.end) == ("a", "b")
        )
        assert step.ratio is not None
        assert step.ratio.low is not None
        assert step.ratio.high is not None
        held.append(step.ratio.low <= 1000 / 20 <= step.ratio.high)
    assert np.mean(held) >= 0.91


def test_scenarios_on_the_front_may_have_one_repetition_each() -> None:
    found = pareto_front(sweep(n=1))
    assert found.points[0].energy_half_j is None
    assert all(step.ratio is None and step.reason for step in found.steps)
