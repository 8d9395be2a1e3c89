"""A meter that reads a known power, with the limits and faults of real ones. Pure: all times are given to it."""

import math
from dataclasses import dataclass

import numpy as np

from terrawatt.power.simulator.truth import TruePower
from terrawatt.records import Semantics
from terrawatt.units import ns_to_s, s_to_ns


@dataclass(frozen=True, slots=True)
class MeterFaults:
    """What goes wrong after a while, in s since its start; None: never.

    Attributes:
        silent_after_s: it takes no more readings.
        stuck_after_s: it says the same for ever, power and counter.
        restart_after_s: its counter begins again at 0.
        clock_jump_after_s: its clock is set by `clock_jump_s`.
        clock_jump_s: forward; negative: back.
    """

    silent_after_s: float | None = None
    stuck_after_s: float | None = None
    restart_after_s: float | None = None
    clock_jump_after_s: float | None = None
    clock_jump_s: float = 0.0


@dataclass(frozen=True, slots=True)
class MeterSettings:
    """How it reads.

    Attributes:
        semantics: of its power: instantaneous, mean, or on-change.
        interval_s: between readings; on change: between looks.
        jitter_s: the greatest deviation of a reading from its time, in both directions.
        loss: the share of readings that are taken and do not arrive.
        duplicates: the share of readings that arrive twice.
        late_s: how long readings are on their way.
        clock_offset_s: its clock minus the true time.
        resolution_w: the step of its power; 0: none.
        counter_resolution_j: the step of its counter; 0: none.
        threshold_w: on change: the least difference that it reports.
        most_silence_s: on change: after this it reports in any case.
        counter_start_j: what its counter showed at the start.
        wrap_j: the range of its counter, after which it begins at 0 again; None: none.
        seed: of all that is random.
    """

    semantics: Semantics = Semantics.INSTANTANEOUS
    interval_s: float = 1.0
    jitter_s: float = 0.0
    loss: float = 0.0
    duplicates: float = 0.0
    late_s: float = 0.0
    clock_offset_s: float = 0.0
    resolution_w: float = 0.1
    counter_resolution_j: float = 0.0
    threshold_w: float = 1.0
    most_silence_s: float = math.inf
    counter_start_j: float = 0.0
    wrap_j: float | None = None
    seed: int = 0
    faults: MeterFaults = MeterFaults()


@dataclass(frozen=True, slots=True)
class MeterReading:
    """One reading of power and counter.

    Attributes:
        t_ns: when it was taken, in truth.
        device_ns: the same by the meter's clock.
        arrival_ns: when it is sent.
        power_w: in steps of the resolution.
        energy_j: of the counter.
        copies: how often it arrives: 0 when it is lost, 2 when it is doubled.
    """

    t_ns: int
    device_ns: int
    arrival_ns: int
    power_w: float
    energy_j: float
    copies: int = 1


class SimulatedMeter:
    """Takes a reading whenever it is told the time; `next_ns` says when it wants to.

    Attributes:
        settings: how it reads; they may be replaced at any time, e.g. to let something fail now.
    """

    def __init__(self, power: TruePower, settings: MeterSettings) -> None:
        self.settings = settings
        self._power = power
        self._rng = np.random.default_rng(settings.seed)
        self._taken = 0
        self._last_ns = power.start_ns
        self._last: MeterReading | None = None

    def next_ns(self) -> int:
        """When the next reading is due. Deadlines do not drift, and jitter does not put them in another order."""
        settings = self.settings
        jitter = np.random.default_rng((settings.seed, self._taken)).uniform(-1.0, 1.0)
        jitter_s = min(settings.jitter_s, 0.45 * settings.interval_s) * jitter
        return self._power.start_ns + s_to_ns((self._taken + 1) * settings.interval_s + jitter_s)

    def skip_to(self, now_ns: int) -> None:
        """Leave out the readings that were due before now, as a device that was busy."""
        past = int(ns_to_s(now_ns - self._power.start_ns) / self.settings.interval_s)
        self._taken = max(self._taken, past)

    def take(self, t_ns: int) -> MeterReading | None:
        """The reading of a time, which must be after that of the one before; None: it says nothing now."""
        self._taken += 1
        since_start_s = ns_to_s(t_ns - self._power.start_ns)
        faults = self.settings.faults
        if _is_past(faults.silent_after_s, since_start_s) or t_ns <= self._last_ns:
            return None
        power_w = _rounded(self._measured_w(t_ns), self.settings.resolution_w)
        energy_j = self._counted_j(t_ns)
        if _is_past(faults.stuck_after_s, since_start_s) and self._last is not None:
            power_w, energy_j = self._last.power_w, self._last.energy_j
        if self.settings.semantics is Semantics.ON_CHANGE and not self._is_worth_saying(t_ns, power_w):
            return None
        reading = MeterReading(
            t_ns, self._device_ns(t_ns), t_ns + s_to_ns(self.settings.late_s), power_w, energy_j, self._copies()
        )
        self._last_ns, self._last = t_ns, reading
        return reading

    def _measured_w(self, t_ns: int) -> float:
        if self.settings.semantics is not Semantics.MEAN:
            return self._power.power_w(t_ns)
        used_j = self._power.energy_j(t_ns) - self._power.energy_j(self._last_ns)
        return used_j / ns_to_s(t_ns - self._last_ns)

    def _counted_j(self, t_ns: int) -> float:
        counted_j = self.settings.counter_start_j + self._power.energy_j(t_ns)
        restart_s = self.settings.faults.restart_after_s
        if restart_s is not None and _is_past(restart_s, ns_to_s(t_ns - self._power.start_ns)):
            counted_j = self._power.energy_j(t_ns) - self._power.energy_j(self._power.start_ns + s_to_ns(restart_s))
        if self.settings.wrap_j is not None:
            counted_j %= self.settings.wrap_j
        step_j = self.settings.counter_resolution_j
        return math.floor(counted_j / step_j) * step_j if step_j else counted_j  # a counter counts whole steps

    def _is_worth_saying(self, t_ns: int, power_w: float) -> bool:
        if self._last is None:
            return True
        is_silent_long = ns_to_s(t_ns - self._last.t_ns) >= self.settings.most_silence_s
        return is_silent_long or abs(power_w - self._last.power_w) >= self.settings.threshold_w

    def _device_ns(self, t_ns: int) -> int:
        offset_s = self.settings.clock_offset_s
        if _is_past(self.settings.faults.clock_jump_after_s, ns_to_s(t_ns - self._power.start_ns)):
            offset_s += self.settings.faults.clock_jump_s
        return t_ns + s_to_ns(offset_s)

    def _copies(self) -> int:
        lost, doubled = self._rng.uniform(size=2)
        if lost < self.settings.loss:
            return 0
        return 2 if doubled < self.settings.duplicates else 1


def _is_past(after_s: float | None, since_start_s: float) -> bool:
    return after_s is not None and since_start_s >= after_s


def _rounded(value: float, step: float) -> float:
    return round(value / step) * step if step else value
