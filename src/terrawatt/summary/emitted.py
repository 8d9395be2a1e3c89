"""The columns of emissions by what the power sources measured."""

import math
from collections.abc import Sequence

from terrawatt.analysis.emissions import CarbonIntensity, Emission, emissions
from terrawatt.analysis.energy import Energy
from terrawatt.analysis.signal import Signal
from terrawatt.analysis.verdict import missing_verdict
from terrawatt.records import Phase
from terrawatt.summary.cells import Cells

_ADVICE = "set emissions.intensity, or give terrawatt summary one with --intensity"


def emitted_cells(
    energies: Sequence[Energy], signal: Signal, repetitions: Sequence[Phase], intensity: CarbonIntensity | str
) -> list[Cells]:
    """`Emissions (<source>)` and its uncertainty, of each repetition.

    Args:
        energies: of one source, for each repetition; where one is missing, a verdict says so already.
        signal: the source's readings.
        repetitions: their windows.
        intensity: of the grid, or why it is not known.
    """
    if isinstance(intensity, str):
        return [_missing(energy, intensity) for energy in energies]
    windows = [phase.window for phase in repetitions]
    found = emissions(energies, signal, windows, intensity)
    return [_cells(energy, emission) for energy, emission in zip(energies, found, strict=True)]


def _missing(energy: Energy, reason: str) -> Cells:
    if energy.gross.reason:
        return Cells()
    return Cells(verdicts=(missing_verdict(f"Emissions ({energy.source})", reason, _ADVICE),))


def _cells(energy: Energy, emission: Emission) -> Cells:
    if emission.reason:
        return _missing(energy, emission.reason)
    if math.isnan(emission.mass_kg):
        return Cells()
    name = f"Emissions ({energy.source})"
    if math.isnan(emission.u_kg):
        reason = "the uncertainty of the gross energy is not known"
        return Cells({name: emission.mass_kg}, (missing_verdict(f"u {name}", reason),))
    return Cells({name: emission.mass_kg, f"u {name}": emission.u_kg})
