"""Emissions of what was measured: gross energy times the carbon intensity of the grid, with its uncertainty.

The intensity is one number, or a series (g CO₂eq for each kWh) whose values hold from their time until the next one.
Of a series, its mean over a window is weighted with the power, so energy counts with the intensity of its moment.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from terrawatt.analysis.energy import Energy
from terrawatt.analysis.integrate import cumulative_at
from terrawatt.analysis.signal import Signal
from terrawatt.records import Float64Array, Int64Array, Window
from terrawatt.units import J_PER_KWH

_G_PER_KG = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class CarbonIntensity:
    """How much is emitted for each kWh.

    Attributes:
        g_per_kwh: (n,) g CO₂eq/kWh, NaN where unknown; one number where it is constant.
        u_relative: relative standard uncertainty, of all values alike.
        origin: where it is from, in words.
        t_ns: (n,) from when on each value holds, rising; empty where it is constant.
    """

    g_per_kwh: Float64Array
    u_relative: float
    origin: str
    t_ns: Int64Array = field(default_factory=lambda: np.empty(0, np.int64))

    @classmethod
    def constant(cls, g_per_kwh: float, u_relative: float, origin: str) -> "CarbonIntensity":
        """One number for all times."""
        return cls(np.array([g_per_kwh]), u_relative, origin)

    @property
    def is_constant(self) -> bool:
        """Whether it is one number for all times."""
        return not len(self.t_ns)

    @property
    def end_ns(self) -> int:
        """Until when the last value of a series holds: as long as its values usually do."""
        return int(self.t_ns[-1]) + (int(np.median(np.diff(self.t_ns))) if len(self.t_ns) > 1 else 0)


@dataclass(frozen=True, slots=True)
class Emission:
    """What the energy of one window emitted; NaN where it is missing.

    Attributes:
        mass_kg: kg CO₂eq.
        u_kg: its standard uncertainty.
        g_per_kwh: the intensity, mean over the energy of the window.
        reason: why it is missing although there is an energy, else empty.
    """

    mass_kg: float
    u_kg: float
    g_per_kwh: float
    reason: str = ""


def emissions(
    energies: Sequence[Energy], signal: Signal, windows: Sequence[Window], intensity: CarbonIntensity
) -> tuple[Emission, ...]:
    """The emissions of each window's gross energy, for one execution of the workload, as the energies are.

    Energy and intensity err independently: u² = (I u(E))² + (E u(I))² (JCGM 100:2008, 5.1.2).

    Args:
        energies: of each window.
        signal: the readings of their source, which weight a series of intensities.
        windows: one per repetition.
        intensity: of the grid.
    """
    return tuple(_emission(energy, signal, window, intensity) for energy, window in zip(energies, windows, strict=True))


def _emission(energy: Energy, signal: Signal, window: Window, intensity: CarbonIntensity) -> Emission:
    if energy.gross.reason:
        return Emission(math.nan, math.nan, math.nan)
    g_per_kwh, reason = _mean_intensity(signal, window, intensity)
    if reason:
        return Emission(math.nan, math.nan, math.nan, reason)
    kg_per_j = g_per_kwh / _G_PER_KG / J_PER_KWH
    mass_kg = energy.gross.energy_j * kg_per_j
    return Emission(mass_kg, math.hypot(kg_per_j * energy.gross.u_j, mass_kg * intensity.u_relative), g_per_kwh)


def _mean_intensity(signal: Signal, window: Window, intensity: CarbonIntensity) -> tuple[float, str]:
    """The mean over the energy of a window in g/kWh; NaN and a reason where the series does not say it."""
    if intensity.is_constant:
        return float(intensity.g_per_kwh[0]), ""
    if window.start_ns < intensity.t_ns[0] or window.end_ns > intensity.end_ns:
        return math.nan, f"{intensity.origin} does not cover the window"
    first, last = np.searchsorted(intensity.t_ns, [window.start_ns, window.end_ns - 1], side="right") - 1
    values = intensity.g_per_kwh[first : last + 1]
    if not np.isfinite(values).all():
        return math.nan, f"{intensity.origin} has no value in the window"
    edges_ns = np.concatenate(([window.start_ns], intensity.t_ns[first + 1 : last + 1], [window.end_ns]))
    weight = np.diff(cumulative_at(signal, edges_ns))
    if not weight.sum() > 0 or (weight < 0).any():  # no energy to weight with: by time
        weight = np.diff(edges_ns).astype(np.float64)
    return float(values @ weight / weight.sum()), ""
