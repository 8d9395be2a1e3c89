import itertools

from hypothesis import given
from hypothesis import strategies as st

from terrawatt.config import ProtocolSettings
from terrawatt.experiment.plan import ordered
from terrawatt.experiment.protocol import Step, StepKind
from terrawatt.experiment.sitting import Sitting, all_steps, sittings
from terrawatt.records import Order

orders = st.sampled_from(Order)
PROTOCOL = ProtocolSettings(cold_s=60, idle_after_s=30, warmup=2, repetitions=2)


@given(st.integers(1, 6), st.integers(1, 6), orders, st.data())
def test_what_is_left_is_measured_once(scenarios: int, repetitions: int, order: Order, data: st.DataObject) -> None:
    entries = ordered(scenarios, repetitions, order, 1)
    every = [(entry.scenario, entry.repetition) for entry in entries]
    finished = set(data.draw(st.lists(st.sampled_from(every))))
    left = sittings(entries, order, {}, finished)
    measured = [(sitting.scenario, number) for sitting in left for number in sitting.repetitions]
    assert measured == [pair for pair in every if pair not in finished]
    assert all(sitting.repetitions for sitting in left)


def test_in_blocks_each_repetition_is_a_sitting() -> None:
    left = sittings(ordered(2, 2, Order.INTERLEAVED, 0), Order.INTERLEAVED, {}, {(1, 1)})
    assert left == [Sitting(2, 1, 1, (1,)), Sitting(1, 2, 2, (2,)), Sitting(2, 2, 2, (2,))]


def test_one_after_another_a_scenario_goes_on_in_its_next_sitting() -> None:
    left = sittings(ordered(2, 3, Order.SEQUENTIAL, 0), Order.SEQUENTIAL, {1: 2}, {(1, 1)})
    assert left == [Sitting(1, 2, 1, (2, 3)), Sitting(2, 1, 1, (1, 2, 3))]


def test_neighbours_share_the_idle_period_between_them() -> None:
    left = sittings(ordered(2, 1, Order.INTERLEAVED, 0), Order.INTERLEAVED, {})
    assert all_steps(PROTOCOL, left, Order.INTERLEAVED) == [
        (
            Step(StepKind.COLD, duration_s=60),
            Step(StepKind.WARMUP, 1),
            Step(StepKind.REPETITION, 1),
            Step(StepKind.IDLE, duration_s=30),
        ),
        (Step(StepKind.WARMUP, 1), Step(StepKind.REPETITION, 1), Step(StepKind.IDLE, duration_s=30)),
    ]


@given(
    st.integers(1, 4),
    orders,
    st.builds(
        ProtocolSettings,
        cold_s=st.sampled_from([0.0, 60.0]),
        idle_after_s=st.sampled_from([0.0, 30.0]),
        warmup=st.integers(0, 3),
        repetitions=st.integers(1, 3),
    ),
)
def test_each_sitting_has_been_idle_before(scenarios: int, order: Order, protocol: ProtocolSettings) -> None:
    left = sittings(ordered(scenarios, protocol.repetitions, order, 0), order, {})
    plan = all_steps(protocol, left, order)
    assert plan[0][0] == Step(StepKind.COLD, duration_s=protocol.cold_s)
    for before, after in itertools.pairwise(plan):
        between = [step for step in (before[-1], after[0]) if step.duration_s is not None]
        assert [step.duration_s for step in between] == [protocol.idle_after_s or protocol.cold_s]
    assert (plan[-1][-1].kind is StepKind.IDLE) == (protocol.idle_after_s > 0)
    if order is Order.SEQUENTIAL:
        assert all(sum(step.kind is StepKind.WARMUP for step in steps) == protocol.warmup for steps in plan)
