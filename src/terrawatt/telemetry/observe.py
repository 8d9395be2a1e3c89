"""Looking at power sources without recording them: what each gives now, polled and pushed alike.

Each source has a thread of its own, as in the sampler, so that a slow one delays no other.
"""

import math
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from terrawatt.config import SourceSettings
from terrawatt.errors import ConfigError, SourceError
from terrawatt.power import registry
from terrawatt.power.device_clock import ClockBounds, TellsTime
from terrawatt.power.http import HttpSource
from terrawatt.power.source import PolledSource, PowerSource, PushedSource
from terrawatt.records import Sample, SourceDescription
from terrawatt.telemetry.clocks import stamped
from terrawatt.telemetry.schedule import Schedule, ticks
from terrawatt.units import s_to_ns

_LOOK_S = 0.05
_JOIN_S = 1.0
_FIRST_S = 0.2  # a mean since the reading before wants some time to be one of


@dataclass(frozen=True, slots=True)
class Look:
    """What a source gave at one moment: its samples, or why there are none.

    Attributes:
        arrived_ns: when it was there, by this machine's clock.
        samples: NaN where one is missing.
        took_s: how long a polled source took to answer.
        reason: why there is no sample.
    """

    arrived_ns: int
    samples: tuple[Sample, ...] = ()
    took_s: float = 0.0
    reason: str = ""


@dataclass(slots=True)
class Observed:
    """What was seen of one source.

    Attributes:
        settings: its entry.
        descriptions: its series; empty when it could not even be made.
        is_pushed: whether it sends by itself.
        looks: in their order.
        reason: why it could not be made or started.
        clock: its clock against this machine's, where it tells its time.
        timeout_s: how long its answer may take, where that is limited.
    """

    settings: SourceSettings
    descriptions: tuple[SourceDescription, ...] = ()
    is_pushed: bool = False
    looks: list[Look] = field(default_factory=list)
    reason: str = ""
    clock: ClockBounds | None = None
    timeout_s: float | None = None

    def readings(self, description: SourceDescription) -> list[Sample]:
        """The readings of one of its series, without those that failed."""
        found = (sample for look in self.looks for sample in look.samples if sample.key == description.series)
        return [sample for sample in found if not math.isnan(sample.value)]

    def failure(self) -> str:
        """Why there is no reading; empty when there is one."""
        if self.reason or any(self.readings(description) for description in self.descriptions):
            return self.reason
        reasons = [look.reason for look in self.looks if look.reason]
        if reasons:
            return reasons[-1]
        return "nothing has come so far" if self.is_pushed else "it does not answer"


@contextmanager
def looking(source: PowerSource, interval_s: float) -> Iterator["queue.SimpleQueue[Look]"]:
    """Look at a source while the block runs; yields the queue into which each look is put as it comes.

    Raises:
        SourceError: a source that sends by itself cannot be reached.
    """
    looks: queue.SimpleQueue[Look] = queue.SimpleQueue()
    if isinstance(source, PushedSource):
        source.start(lambda samples: looks.put(Look(time.time_ns(), tuple(samples))))
        yield looks
        return
    stop = threading.Event()
    thread = threading.Thread(target=_poll, args=(source, interval_s, looks, stop), daemon=True)
    thread.start()
    try:
        yield looks
    finally:
        stop.set()
        thread.join(_JOIN_S)


def observe(
    sources: Sequence[SourceSettings], host: str, *, interval_s: float, patience_s: float, enough: int = 1
) -> tuple[Observed, ...]:
    """Look at all sources at once, until each has shown enough.

    Args:
        sources: the entries of `[[sources]]`.
        host: the value of tag `host`.
        interval_s: how often those that are polled are asked.
        patience_s: for how long to wait at most.
        enough: how many looks with a reading are wanted of each.
    """
    found = [Observed(settings) for settings in sources]
    with ExitStack() as stack:
        opened = [(one, _open(one, host, stack)) for one in found]
        watched = [
            (one, source, looks)
            for one, source in opened
            if source is not None and (looks := _start(one, source, interval_s, stack)) is not None
        ]
        end_s = time.monotonic() + patience_s
        while watched and time.monotonic() < end_s:
            for one, source, looks in watched:
                _drain(looks, one)
                one.clock = source.clock if isinstance(source, TellsTime) else None
            if all(_has_enough(one, enough) for one, _, _ in watched):
                break
            time.sleep(_LOOK_S)
    return tuple(found)


def _open(one: Observed, host: str, stack: ExitStack) -> PowerSource | None:
    try:
        source = registry.create(one.settings, host)
    except (SourceError, ConfigError) as error:
        one.reason = str(error).removeprefix(f"sources[{one.settings.name}]: ")
        return None
    stack.callback(source.close)
    one.descriptions = source.descriptions
    one.is_pushed = isinstance(source, PushedSource)
    one.timeout_s = source.timeout_s if isinstance(source, HttpSource) else None
    return source


def _start(one: Observed, source: PowerSource, interval_s: float, stack: ExitStack) -> "queue.SimpleQueue[Look] | None":
    try:
        return stack.enter_context(looking(source, interval_s))
    except SourceError as error:
        one.reason = str(error)
        return None


def _drain(looks: "queue.SimpleQueue[Look]", one: Observed) -> None:
    while True:
        try:
            one.looks.append(looks.get_nowait())
        except queue.Empty:
            return


def _has_enough(one: Observed, enough: int) -> bool:
    """Whether each series has shown enough, or the source fails steadily."""
    failed = sum(1 for look in one.looks if look.reason)
    return failed > enough or all(len(one.readings(description)) >= enough for description in one.descriptions)


def _poll(source: PolledSource, interval_s: float, looks: "queue.SimpleQueue[Look]", stop: threading.Event) -> None:
    first_ns = time.monotonic_ns() + s_to_ns(min(interval_s, _FIRST_S))
    for _ in ticks(Schedule(interval_s, first_ns), stop):
        looks.put(_ask(source))


def _ask(source: PolledSource) -> Look:
    before_s = time.monotonic()
    try:
        t_ns, values = stamped(source.read)
    except SourceError as error:
        return Look(time.time_ns(), took_s=time.monotonic() - before_s, reason=str(error))
    samples = zip(source.descriptions, values, strict=True)
    return Look(
        time.time_ns(),
        tuple(Sample(description.series, t_ns, value) for description, value in samples),
        time.monotonic() - before_s,
    )
