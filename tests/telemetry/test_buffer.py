"""The way from the threads that read to the one that writes."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from terrawatt.records import Sample, SeriesKey
from terrawatt.telemetry.buffer import SampleBuffer

KEY = SeriesKey.of("power", "power_w")


def samples(first: int, count: int) -> list[Sample]:
    return [Sample(KEY, t_ns, 1.0) for t_ns in range(first, first + count)]


@given(st.lists(st.integers(0, 8), max_size=20), st.integers(0, 30))
def test_what_finds_no_room_is_counted(batches: list[int], capacity: int) -> None:
    buffer, put = SampleBuffer(capacity), []
    for count in batches:
        batch = samples(len(put), count)
        put += batch
        buffer.put(batch)
    drained = buffer.drain()
    assert drained == put[:capacity]
    assert buffer.lost == len(put) - len(drained)
    assert buffer.drain() == []


def test_many_threads() -> None:
    buffer = SampleBuffer()
    threads = [threading.Thread(target=lambda: [buffer.put(samples(n, 1)) for n in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    drained = []
    while any(thread.is_alive() for thread in threads):
        drained += buffer.drain()
    drained += buffer.drain()
    assert len(drained) == 2000
    assert buffer.lost == 0
