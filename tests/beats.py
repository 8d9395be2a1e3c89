"""A heartbeat of a sweep under way."""

from terrawatt.runs.heartbeat import Heartbeat
from terrawatt.runs.status import State

BEAT = Heartbeat(
    t_ns=0,
    host="lab-1",
    pid=4242,
    state=State.RUNNING,
    scenarios=20,
    scenario=3,
    title="model s-cnn-all",
    block=2,
    repetition=2,
    step="repetition",
    step_start_ns=0,
    repetitions=60,
    done=17,
    failed=1,
    source="plug",
    power_w=61.2,
    energy_j=120_000.0,
    left_s=7500.0,
    left_j=300_000.0,
)
