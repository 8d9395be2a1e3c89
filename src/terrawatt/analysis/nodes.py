"""The energy of one execution on several machines, each with a meter of its own.

Energies add up. What the meters do not know of themselves is independent from one instrument to the next, so its
uncertainties add up in quadrature (JCGM 100:2008, 5.1.2), also where the instruments are of one type: a limit of error
says how far one instrument may be off, not that all are off alike. The carbon intensity is that of one grid, so that
its error is the same for all nodes and adds up as it is.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from terrawatt.analysis.energy import Energy, EnergyValue
from terrawatt.analysis.integrate import Integral
from terrawatt.analysis.uncertainty import Component, combined
from terrawatt.errors import AnalysisError


@dataclass(frozen=True, slots=True)
class Emitted:
    """What the gross energy of one node emitted.

    Attributes:
        mass_kg: kg CO₂eq.
        u_kg: its standard uncertainty: of the energy, and of the intensity.
        gross: the energy.
    """

    mass_kg: float
    u_kg: float
    gross: EnergyValue


def added(nodes: Mapping[str, Energy]) -> Energy:
    """The energy of an execution on all nodes by one source; missing where it is missing on one of them.

    Args:
        nodes: host -> its energy.

    Raises:
        AnalysisError: there is no node, or they are of several sources.
    """
    sources = {energy.source for energy in nodes.values()}
    if len(sources) != 1:
        raise AnalysisError(f"energies of one source are added, not of {', '.join(sorted(sources)) or 'none'}")
    return Energy(
        sources.pop(),
        _added({host: energy.gross for host, energy in nodes.items()}),
        _added({host: energy.net for host, energy in nodes.items()}),
        _together([energy.integral for energy in nodes.values()]),
        math.fsum(energy.baseline_w for energy in nodes.values()),
    )


def added_emissions(nodes: Sequence[Emitted]) -> tuple[float, float]:
    """The emissions of all nodes and their standard uncertainty, in kg CO₂eq; NaN where one is missing."""
    of_energy, of_intensity = [], []
    for node in nodes:
        kg_per_j = node.mass_kg / node.gross.energy_j if node.gross.energy_j else math.nan
        u_kg = abs(kg_per_j) * node.gross.u_j
        of_energy.append(u_kg)
        of_intensity.append(math.sqrt(max(node.u_kg**2 - u_kg**2, 0.0)))
    return math.fsum(node.mass_kg for node in nodes), math.hypot(*of_energy, math.fsum(of_intensity))


def _added(values: Mapping[str, EnergyValue]) -> EnergyValue:
    """The sum, with a budget of the same components; the half-widths, of 95 % each, go in quadrature too."""
    if lacking := [f"{host}: {value.reason}" for host, value in values.items() if value.reason]:
        return EnergyValue.missing("; ".join(lacking))
    names = dict.fromkeys(part.name for value in values.values() for part in value.budget)
    budget = tuple(_component(name, list(values.values())) for name in names)
    return EnergyValue(
        math.fsum(value.energy_j for value in values.values()),
        combined(budget) if budget else math.nan,
        budget,
        half_width_j=math.hypot(*(value.half_width_j for value in values.values())),
    )


def _component(name: str, values: Sequence[EnergyValue]) -> Component:
    """One component of all nodes; it is a sum of rectangular distributions where that of each node is."""
    parts = [part for value in values for part in value.budget if part.name == name]
    is_rectangular = all(part.limits_j or part.u_j == 0 for part in parts)
    limits_j = tuple(limit_j for part in parts for limit_j in part.limits_j) if is_rectangular else ()
    u_j, shared_u_j = math.hypot(*(part.u_j for part in parts)), math.hypot(*(part.shared_u_j for part in parts))
    return Component(name, u_j, limits_j, shared_u_j)


def _together(integrals: Sequence[Integral]) -> Integral:
    """All windows as one: as long as the longest, and known as badly as the worst."""
    return Integral(
        value=math.fsum(integral.value for integral in integrals),
        duration_s=max(integral.duration_s for integral in integrals),
        n_readings=min(integral.n_readings for integral in integrals),
        gap_s=max(integral.gap_s for integral in integrals),
        reason="; ".join(integral.reason for integral in integrals if integral.reason),
        gap_value=math.fsum(integral.gap_value for integral in integrals),
    )
