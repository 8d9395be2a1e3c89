"""What a simulated device truly draws, by wall-clock time, and the file that keeps it.

The file is CSV with columns t_ns and energy_j: the energy since the beginning, exact at each row and linear between
them, since rows are written wherever the power changes. It only grows, so it serves also when its writer was killed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from terrawatt.errors import SourceError
from terrawatt.power.simulator.profile import Profile
from terrawatt.records import Float64Array, Int64Array
from terrawatt.units import NS_PER_S, ns_to_s, s_to_ns

HEADER = "t_ns,energy_j"


class TruePower(Protocol):
    """A power over wall-clock time."""

    @property
    def start_ns(self) -> int:
        """When it begins; its energy is 0 there."""
        ...

    @property
    def is_watched(self) -> bool:
        """Whether somebody must look (`watch`) to know when it changes."""
        ...

    def watch(self, now_ns: int) -> None:
        """Look whether something has changed; up to this time, the power is settled afterwards."""
        ...

    def power_w(self, t_ns: int) -> float:
        """The power at a time."""
        ...

    def energy_j(self, t_ns: int) -> float:
        """The energy from the start to a time."""
        ...

    def changes_ns(self, after_ns: int, until_ns: int) -> list[int]:
        """The times in (after, until] at which the power changes."""
        ...


class Scheduled:
    """A profile that runs from a moment on."""

    is_watched = False

    def __init__(self, profile: Profile, start_ns: int) -> None:
        self.start_ns = start_ns
        self._profile = profile

    def watch(self, now_ns: int) -> None:
        """All is known from the beginning."""

    def power_w(self, t_ns: int) -> float:
        """The power at a time."""
        return self._profile.power_w(ns_to_s(t_ns - self.start_ns))

    def energy_j(self, t_ns: int) -> float:
        """The energy from the start to a time."""
        return self._profile.energy_j(ns_to_s(t_ns - self.start_ns))

    def changes_ns(self, after_ns: int, until_ns: int) -> list[int]:
        """The times in (after, until] at which the power changes."""
        edges_s = self._profile.edges_s(ns_to_s(after_ns - self.start_ns), ns_to_s(until_ns - self.start_ns))
        return [self.start_ns + s_to_ns(edge_s) for edge_s in edges_s]


class Triggered:
    """An idle power, and a profile that plays from its beginning each time that something goes on, until it ends.

    The power changes when it is looked (`watch`), not when the thing begins: that is what makes it known exactly.
    """

    is_watched = True

    def __init__(self, idle_w: float, profile: Profile, is_on: Callable[[], bool], start_ns: int) -> None:
        self.start_ns = start_ns
        self._idle_w = idle_w
        self._profile = profile
        self._is_on = is_on
        self._switches_ns: list[int] = []  # on, off, on, …

    def watch(self, now_ns: int) -> None:
        """Look whether it goes on now."""
        if self._is_on() != self.is_on and now_ns > max(self._switches_ns, default=self.start_ns):
            self._switches_ns.append(now_ns)

    @property
    def is_on(self) -> bool:
        """Whether it went on when it was last looked."""
        return len(self._switches_ns) % 2 == 1

    def power_w(self, t_ns: int) -> float:
        """The power at a time."""
        before = [switch_ns for switch_ns in self._switches_ns if switch_ns <= t_ns]
        return self._profile.power_w(ns_to_s(t_ns - before[-1])) if len(before) % 2 else self._idle_w

    def energy_j(self, t_ns: int) -> float:
        """The energy from the start to a time."""
        energy_j, idle_s = 0.0, ns_to_s(t_ns - self.start_ns)
        for on_ns, off_ns in self._times_on(t_ns):
            energy_j += self._profile.energy_j(ns_to_s(off_ns - on_ns))
            idle_s -= ns_to_s(off_ns - on_ns)
        return energy_j + idle_s * self._idle_w

    def changes_ns(self, after_ns: int, until_ns: int) -> list[int]:
        """The times in (after, until] at which the power changes."""
        changes_ns = {switch_ns for switch_ns in self._switches_ns if after_ns < switch_ns <= until_ns}
        for on_ns, off_ns in self._times_on(until_ns):
            span_s = ns_to_s(after_ns - on_ns), ns_to_s(off_ns - on_ns)
            changes_ns.update(on_ns + s_to_ns(edge_s) for edge_s in self._profile.edges_s(*span_s))
        return sorted(changes_ns)

    def _times_on(self, until_ns: int) -> list[tuple[int, int]]:
        switches_ns = [switch_ns for switch_ns in self._switches_ns if switch_ns <= until_ns]
        if len(switches_ns) % 2:
            switches_ns.append(until_ns)
        return list(zip(switches_ns[::2], switches_ns[1::2], strict=True))


class Noisy:
    """A power with noise on it: normal, independent from one tenth of a second to the next."""

    STEP_NS = NS_PER_S // 10

    def __init__(self, power: TruePower, noise_w: float, seed: int = 0) -> None:
        self.start_ns = power.start_ns
        self.is_watched = power.is_watched
        self._power = power
        self._noise_w = noise_w
        self._rng = np.random.default_rng(seed)
        self._level_w: list[float] = []
        self._until_j = [0.0]  # the noise's energy until the beginning of each step

    def watch(self, now_ns: int) -> None:
        """Look whether the power has changed."""
        self._power.watch(now_ns)

    def power_w(self, t_ns: int) -> float:
        """The power at a time."""
        step, _ = self._step(t_ns)
        return self._power.power_w(t_ns) + self._level_w[step]

    def energy_j(self, t_ns: int) -> float:
        """The energy from the start to a time."""
        step, within_ns = self._step(t_ns)
        return self._power.energy_j(t_ns) + self._until_j[step] + self._level_w[step] * ns_to_s(within_ns)

    def changes_ns(self, after_ns: int, until_ns: int) -> list[int]:
        """The times in (after, until] at which the power changes."""
        first, last = ((t_ns - self.start_ns) // self.STEP_NS for t_ns in (after_ns, until_ns))
        steps_ns = {self.start_ns + step * self.STEP_NS for step in range(max(first, 0) + 1, last + 1)}
        return sorted({*steps_ns, *self._power.changes_ns(after_ns, until_ns)})

    def _step(self, t_ns: int) -> tuple[int, int]:
        step, within_ns = divmod(max(t_ns - self.start_ns, 0), self.STEP_NS)
        while len(self._level_w) <= step:
            self._level_w.append(float(self._rng.normal(0.0, self._noise_w)))
            self._until_j.append(self._until_j[-1] + self._level_w[-1] * ns_to_s(self.STEP_NS))
        return step, within_ns


class TruthWriter:
    """Writes the energy of a power as time goes on."""

    def __init__(self, file: Path, power: TruePower) -> None:
        self._power = power
        self._until_ns = power.start_ns
        self._stream = file.open("w", encoding="ascii")
        self._stream.write(f"{HEADER}\n{power.start_ns},0.0\n")
        self._stream.flush()

    def write_until(self, now_ns: int) -> None:
        """Write all up to now, which must be settled."""
        if now_ns <= self._until_ns:
            return
        times_ns = [t_ns for t_ns in self._power.changes_ns(self._until_ns, now_ns) if t_ns < now_ns]
        self._stream.writelines(f"{t_ns},{self._power.energy_j(t_ns)!r}\n" for t_ns in [*times_ns, now_ns])
        self._stream.flush()
        self._until_ns = now_ns

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def __enter__(self) -> Self:
        """Nothing more to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The energy that was truly drawn.

    Attributes:
        t_ns: (n,) rising.
        energy_j: (n,) since the first of these times; linear between them.
    """

    t_ns: Int64Array
    energy_j: Float64Array

    def between_j(self, start_ns: int, end_ns: int) -> float:
        """The energy between two times.

        Raises:
            SourceError: nothing is known of one of them.
        """
        if not self.t_ns[0] <= start_ns <= end_ns <= self.t_ns[-1]:
            raise SourceError(
                f"the truth is known from {self.t_ns[0]} to {self.t_ns[-1]} ns, not from {start_ns} to {end_ns} ns"
            )
        # Times since 1970 in ns are too long for float64.
        known_s = (self.t_ns - self.t_ns[0]) / NS_PER_S
        asked_s = ns_to_s(start_ns - int(self.t_ns[0])), ns_to_s(end_ns - int(self.t_ns[0]))
        start_j, end_j = np.interp(asked_s, known_s, self.energy_j)
        return float(end_j - start_j)


def read_truth(file: Path) -> Truth:
    """The truth that a simulator wrote or is writing; a last line that is not whole is left out.

    Raises:
        SourceError: it cannot be read, or is something else.
    """
    try:
        head, *lines = file.read_text(encoding="ascii").split("\n")[:-1] or [""]
        rows = [line.split(",") for line in lines] if head == HEADER else []
        t_ns = np.array([int(t_ns) for t_ns, _ in rows], dtype=np.int64)
        energy_j = np.array([float(energy_j) for _, energy_j in rows], dtype=np.float64)
    except (OSError, ValueError) as error:
        raise SourceError(f"{file}: not the truth of a simulated plug ({error})") from error
    if not rows:
        raise SourceError(f"{file}: not the truth of a simulated plug")
    return Truth(t_ns, energy_j)
