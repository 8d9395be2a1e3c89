"""A computer that trains: powers whose energy over any window is known exactly, and what a meter shows of them."""

from dataclasses import dataclass

import numpy as np

from terrawatt.records import Float64Array, Int64Array, Series, SeriesKey, Window
from terrawatt.units import NS_PER_S

ORIGIN_NS = 1_790_000_000 * NS_PER_S
KEY = SeriesKey.of("power", "power_w", host="lab", source="plug")
RESOLUTION_W = 0.1

TRAIN_W, DIP_W, VALIDATE_W = 180.0, 90.0, 150.0


@dataclass(frozen=True, slots=True, eq=False)
class Power:
    """Steps and a slow drift (a sine).

    Attributes:
        edge_s: (n + 1,) where the steps begin and the last one ends, from 0 on.
        level_w: (n,) their powers.
    """

    edge_s: Float64Array
    level_w: Float64Array
    drift_w: float = 0.0
    drift_period_s: float = 3600.0

    @property
    def duration_s(self) -> float:
        """Its whole length."""
        return float(self.edge_s[-1])

    def energy_until_j(self, t_s: Float64Array) -> Float64Array:
        """The energy from 0 to each time, exact."""
        until_edge_j = np.concatenate(([0.0], np.cumsum(self.level_w * np.diff(self.edge_s))))
        turns = 2 * np.pi * t_s / self.drift_period_s
        drift_j = self.drift_w * self.drift_period_s / (2 * np.pi) * (1 - np.cos(turns))
        return np.interp(t_s, self.edge_s, until_edge_j) + drift_j

    def at_w(self, t_s: Float64Array) -> Float64Array:
        """The power at each time."""
        step = np.clip(np.searchsorted(self.edge_s, t_s, side="right") - 1, 0, len(self.level_w) - 1)
        return self.level_w[step] + self.drift_w * np.sin(2 * np.pi * t_s / self.drift_period_s)

    def energy_j(self, window: Window) -> float:
        """The energy of a window, exact."""
        start_j, end_j = self.energy_until_j(since_origin_s(np.array([window.start_ns, window.end_ns])))
        return float(end_j - start_j)


@dataclass(frozen=True, slots=True)
class Shape:
    """How long a training's steps are, in s from … to; and how many dips an epoch has.

    The defaults are such that perun and carbontracker err about as much as was measured before on another simulated
    training (0.8 and 1.1 % at 1 s / 30 s; 2.1 and 2.7 % at 5 s / 30 s).
    """

    between_dips_s: tuple[float, float] = (3.0, 9.0)
    dip_s: tuple[float, float] = (0.3, 1.2)
    validation_s: tuple[float, float] = (8.0, 16.0)
    dips: tuple[int, int] = (6, 12)

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Shape":
        """Another one: each length half to twice as long."""

        def scaled(limits: tuple[float, float]) -> tuple[float, float]:
            factor = 2 ** rng.uniform(-1, 1)
            return limits[0] * factor, limits[1] * factor

        fewest = int(rng.integers(3, 20))
        return cls(scaled(cls().between_dips_s), scaled(cls().dip_s), scaled(cls().validation_s), (fewest, 2 * fewest))


def training_steps(
    rng: np.random.Generator, duration_s: float, shape: Shape | None = None
) -> tuple[Float64Array, Float64Array]:
    """Edges and levels of epochs: training with dips while data are loaded, then validation."""
    shape = shape or Shape()
    length_s: list[float] = []
    level_w: list[float] = []

    def add(seconds: float, watts: float) -> None:
        length_s.append(seconds)
        level_w.append(watts)

    while sum(length_s) < duration_s:
        epoch_w = TRAIN_W + rng.normal(0, 3)
        for _ in range(rng.integers(*shape.dips)):
            add(rng.uniform(*shape.between_dips_s), epoch_w + rng.normal(0, 4))
            add(rng.uniform(*shape.dip_s), DIP_W + rng.normal(0, 8))
        add(rng.uniform(*shape.validation_s), VALIDATE_W + rng.normal(0, 4))
    return np.concatenate(([0.0], np.cumsum(length_s))), np.array(level_w)


def training_power(rng: np.random.Generator, duration_s: float, shape: Shape | None = None) -> Power:
    """A machine that trains all the time."""
    return Power(*training_steps(rng, duration_s, shape), drift_w=2.0)


def reading_times_s(rng: np.random.Generator, power: Power, interval_s: float, jitter: float) -> Float64Array:
    """When a meter that reports every `interval_s` does so; the standard deviation of its jitter is a share of that."""
    phase = rng.uniform(0.5, 1.5)
    n = int(power.duration_s / interval_s - phase - 1)
    at = (phase + np.arange(n) + np.clip(rng.normal(0, jitter, n), -0.4, 0.4)) * interval_s
    return np.round(at * NS_PER_S) / NS_PER_S


def mean_readings(
    rng: np.random.Generator,
    power: Power,
    interval_s: float,
    *,
    jitter: float = 0.02,
    lost: float = 0.0,
    lost_on_the_way: float = 0.0,
) -> Series:
    """Means since the reading before, in steps of the resolution.

    Args:
        rng: the source of chance.
        power: what is read.
        interval_s: time between readings.
        jitter: standard deviation of the times, as a share of the interval.
        lost: share of readings that are not taken: the next one is the mean since the last one that was.
        lost_on_the_way: share of readings that are taken and do not arrive: what they say is lost.
    """
    t_s = reading_times_s(rng, power, interval_s, jitter)
    t_s = t_s[rng.uniform(size=len(t_s)) >= lost]
    mean_w = np.diff(power.energy_until_j(t_s)) / np.diff(t_s)
    return _reported(rng, t_s[1:], mean_w, lost_on_the_way)


def instantaneous_readings(
    rng: np.random.Generator, power: Power, interval_s: float, *, jitter: float = 0.02
) -> Series:
    """Powers at the moment of the reading, in steps of the resolution."""
    t_s = reading_times_s(rng, power, interval_s, jitter)
    return _reported(rng, t_s, power.at_w(t_s), 0.0)


def _reported(rng: np.random.Generator, t_s: Float64Array, value_w: Float64Array, lost: float) -> Series:
    arrives = rng.uniform(size=len(t_s)) >= lost
    return Series(KEY, to_ns(t_s[arrives]), np.round(value_w[arrives] / RESOLUTION_W) * RESOLUTION_W)


def random_windows(rng: np.random.Generator, power: Power, length_s: float, n: int) -> list[Window]:
    """Windows anywhere, but not at the very ends."""
    margin_s = 60.0
    start_ns = to_ns(rng.uniform(margin_s, power.duration_s - length_s - margin_s, n))
    return [Window(int(start), int(start) + round(length_s * NS_PER_S)) for start in start_ns]


def to_ns(t_s: Float64Array) -> Int64Array:
    """Times since the origin in s as ns since 1970."""
    return ORIGIN_NS + np.round(t_s * NS_PER_S).astype(np.int64)


def since_origin_s(t_ns: Int64Array) -> Float64Array:
    """The inverse."""
    return (t_ns - ORIGIN_NS) / NS_PER_S
