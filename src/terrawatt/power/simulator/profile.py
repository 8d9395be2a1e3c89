"""Powers over time whose energy is known exactly: steps, over and over or with the last one held. Pure.

Times are s since the profile's beginning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from terrawatt.errors import SourceError, UsageError
from terrawatt.power.recording import read_recording
from terrawatt.records import Float64Array
from terrawatt.units import NS_PER_S

_EPOCHS = 10  # of a training, before it repeats itself


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Steps of power.

    Attributes:
        edge_s: (n + 1,) where the steps begin and the last one ends, from 0 on, rising.
        level_w: (n,) their powers.
        loops: it begins again at its end; else the last power holds for ever.
    """

    edge_s: Float64Array
    level_w: Float64Array
    loops: bool = False

    def power_w(self, t_s: float) -> float:
        """The power at a time; at an edge, that after it. Before 0 it is the first one."""
        _, within_s = self._turn(t_s)
        step = int(np.searchsorted(self.edge_s, within_s, side="right")) - 1
        return float(self.level_w[min(max(step, 0), len(self.level_w) - 1)])

    def energy_j(self, t_s: float) -> float:
        """The energy from 0 to a time, exact."""
        turns, within_s = self._turn(t_s)
        beyond_s = within_s - float(np.clip(within_s, 0.0, self.duration_s))
        return turns * float(self._until_edge_j()[-1]) + self._within_j(within_s) + beyond_s * self.power_w(t_s)

    def edges_s(self, after_s: float, until_s: float) -> list[float]:
        """The times at which the power changes, in (after, until]."""
        first, last = (self._turn(max(t_s, 0.0))[0] for t_s in (after_s, until_s))
        every = [turn * self.duration_s + float(edge) for turn in range(first, last + 1) for edge in self.edge_s]
        return sorted({edge_s for edge_s in every if after_s < edge_s <= until_s})

    @property
    def duration_s(self) -> float:
        """Its length, before it begins again or holds."""
        return float(self.edge_s[-1])

    def _turn(self, t_s: float) -> tuple[int, float]:
        if not self.loops or t_s < 0:
            return 0, t_s
        turns = int(t_s // self.duration_s)
        return turns, t_s - turns * self.duration_s

    def _until_edge_j(self) -> Float64Array:
        return np.concatenate(([0.0], np.cumsum(self.level_w * np.diff(self.edge_s))))

    def _within_j(self, within_s: float) -> float:
        return float(np.interp(within_s, self.edge_s, self._until_edge_j()))


def constant(power_w: float) -> Profile:
    """The same power for ever."""
    return Profile(np.array([0.0, 1.0]), np.array([power_w]))


def steps(parts: Sequence[tuple[float, float]], *, loops: bool = True) -> Profile:
    """One power after the other.

    Args:
        parts: of each its duration in s and its power in W.
        loops: whether they begin again; else the last one holds.

    Raises:
        UsageError: there are none, or a duration is not above 0.
    """
    if not parts or any(duration_s <= 0 for duration_s, _ in parts):
        raise UsageError("a profile has at least one step, and each lasts longer than 0 s")
    durations_s, powers_w = (np.array(column, dtype=np.float64) for column in zip(*parts, strict=True))
    return Profile(np.concatenate(([0.0], np.cumsum(durations_s))), powers_w, loops)


def training(idle_w: float, busy_w: float, seed: int = 0) -> Profile:
    """What a computer draws that trains: epochs at the full power with dips while data are loaded, then validation.

    The dips last 0.1 to 0.6 s and reach half-way down to the idle power; epochs last 5 to 20 s. It repeats itself
    after ten epochs.
    """
    rng = np.random.default_rng(seed)
    span_w = busy_w - idle_w
    parts: list[tuple[float, float]] = []
    for _ in range(_EPOCHS):
        for _ in range(rng.integers(4, 9)):
            parts.append((rng.uniform(1.0, 2.5), busy_w - span_w * rng.uniform(0.0, 0.05)))
            parts.append((rng.uniform(0.1, 0.6), idle_w + span_w * rng.uniform(0.4, 0.6)))
        parts.append((rng.uniform(1.0, 3.0), idle_w + span_w * rng.uniform(0.75, 0.85)))
    return steps(parts)


def read_profile(file: Path) -> Profile:
    """The profile of a file with columns t_s and power_w: each power holds until the next row, the last one for ever.

    Raises:
        SourceError: it cannot be read, holds energies, or an empty cell.
    """
    recording = read_recording(file)
    if recording.is_energy or np.isnan(recording.value).any():
        raise SourceError(f"{file}: a profile needs a power_w in each row")
    edge_s = (recording.t_ns - recording.t_ns[0]) / NS_PER_S
    return Profile(np.append(edge_s, edge_s[-1] + 1.0), recording.value.astype(np.float64))


def parse_profile(text: str, idle_w: float | None = None, seed: int = 0) -> Profile:
    """A profile as the command line writes it.

    `constant:W`, `steps:S@W,S@W…`, `training:IDLE-BUSY` (or `training:BUSY` with an idle power beside it), or a file.

    Raises:
        UsageError: it is none of these.
        SourceError: the file cannot be used.
    """
    kind, _, values = text.partition(":")
    try:
        if kind == "constant":
            return constant(_number(values))
        if kind == "steps":
            parts = [part.partition("@") for part in values.split(",")]
            return steps([(_number(duration), _number(power)) for duration, _, power in parts])
        if kind == "training":
            low, dash, high = values.rpartition("-")
            return training(_number(low) if dash or idle_w is None else idle_w, _number(high), seed)
    except ValueError:
        raise UsageError(
            f"--profile {text}: write constant:W, steps:SECONDS@W,SECONDS@W…, training:IDLE_W-BUSY_W, or a CSV file "
            "with t_s and power_w"
        ) from None
    return read_profile(Path(text))


def _number(text: str) -> float:
    value = float(text)
    if not np.isfinite(value):
        raise ValueError(text)
    return value
