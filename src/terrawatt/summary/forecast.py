"""`terrawatt plan`: what a sweep will take, as far as earlier runs tell. What they do not tell has a reason."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pydantic import TypeAdapter

from terrawatt.analysis.detection import MIN_REPETITIONS, detectable_with, pooled_scatter
from terrawatt.analysis.forecast import Cost, Estimate, Origin, cost, sum_of
from terrawatt.config import ProtocolSettings
from terrawatt.experiment.timetable import Timetable, executions_in_window, timetable
from terrawatt.records import Order, Scalar
from terrawatt.summary.past import EPOCHS, Kind, PastScenario, kind_of
from terrawatt.units import J_PER_KWH

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Part:
    """Scenarios of a plan that take the same.

    Attributes:
        parameters: what they have in common.
        scenarios: how many.
        cost: of one execution.
        runs: the earlier runs that it comes from.
    """

    parameters: Mapping[str, Scalar]
    scenarios: int
    cost: Cost
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Detects:
    """The smallest relative difference of two scenarios that the plan finds with 80 %, at a level of 5 %.

    Attributes:
        smallest: with the scatter seen; None: not known.
        careful: with the upper limit of the scatter.
        n: repetitions from which the scatter is known.
        reason: why it is not known.
    """

    smallest: float | None = None
    careful: float | None = None
    n: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a plan takes. Totals are of the scenarios whose cost is known; `unknown` counts the others.

    Attributes:
        scenarios: how many.
        repetitions: of each; at most, where the interval ends them.
        order: of the repetitions.
        blocks: how many; 1 one after another.
        sittings: how many.
        executions: of workloads, warm-ups and all repetitions.
        idle_s: cold, idle and pauses.
        parts: what is the same, each with its cost.
        unknown: scenarios of whose cost nothing is known.
        duration_s: of all of it, from the first cold period to the last idle one.
        energy_j: gross, with what the machine draws while idle.
        emissions_kg: by that energy.
        disk_bytes: of the run folder.
        detects: the smallest detectable difference.
        missing: what is not known -> why.
        notes: other remarks.
    """

    scenarios: int
    repetitions: int
    order: Order
    blocks: int
    sittings: int
    executions: int
    idle_s: float
    parts: tuple[Part, ...]
    unknown: int
    duration_s: Estimate | None
    energy_j: Estimate | None
    emissions_kg: Estimate | None
    disk_bytes: float | None
    detects: Detects
    missing: Mapping[str, str]
    notes: tuple[str, ...] = ()
    is_at_most: bool = False
    format_version: int = FORMAT_VERSION

    def as_json(self) -> str:
        """All of it as JSON; what is not known is null."""
        return TypeAdapter(Forecast).dump_json(self, indent=2).decode()


def forecast(
    kinds: Sequence[tuple[Mapping[str, Scalar], int]],
    protocol: ProtocolSettings,
    order: Order,
    past: Sequence[PastScenario],
    notes: Sequence[str] = (),
) -> Forecast:
    """What a sweep takes.

    Args:
        kinds: parameters of scenarios that differ in what makes no difference, and how many they are.
        protocol: that holds.
        order: of the repetitions.
        past: earlier scenarios of these kinds.
        notes: on those that are not used.
    """
    scenarios = sum(count for _, count in kinds)
    order = order if scenarios > 1 else Order.SEQUENTIAL
    times = timetable(protocol, order, scenarios)
    by_kind: dict[Kind, list[PastScenario]] = {}
    for one in past:
        by_kind.setdefault(one.kind, []).append(one)
    parts = tuple(_part(parameters, count, by_kind.get(kind_of(parameters), [])) for parameters, count in kinds)
    totals = _Totals(parts, protocol, times, past)
    return Forecast(
        scenarios=scenarios,
        repetitions=times.repetitions,
        order=order,
        blocks=1 if order is Order.SEQUENTIAL else times.repetitions,
        sittings=times.sittings,
        executions=scenarios * (times.warmups + times.repetitions),
        idle_s=times.idle_s,
        parts=parts,
        unknown=sum(part.scenarios for part in parts if part.cost.origin is Origin.UNKNOWN),
        duration_s=totals.duration_s,
        energy_j=totals.energy_j,
        emissions_kg=totals.emissions_kg,
        disk_bytes=totals.disk_bytes,
        detects=_detects(past, times.repetitions, order),
        missing=totals.missing,
        notes=tuple(notes),
        is_at_most=protocol.until_ci_percent > 0,
    )


def _part(parameters: Mapping[str, Scalar], count: int, past: Sequence[PastScenario]) -> Part:
    epochs = parameters.get(EPOCHS)
    wanted = float(epochs) if isinstance(epochs, int | float) else None
    found = cost([one for scenario in past for one in scenario.executions], wanted)
    runs = [one.run for one in past if any(each.epochs == found.epochs for each in one.executions)]
    return Part(parameters, count, found, tuple(dict.fromkeys(runs)) if found.n else ())


@dataclass(frozen=True)
class _Totals:
    """The sums over the parts whose cost is known."""

    parts: tuple[Part, ...]
    protocol: ProtocolSettings
    times: Timetable
    past: Sequence[PastScenario]

    @cached_property
    def known(self) -> list[tuple[float, Part]]:
        """Executions of all scenarios of a part, where its cost is known."""
        return [(part.scenarios * self._executions(part.cost), part) for part in self.parts if part.cost.duration_s]

    @cached_property
    def duration_s(self) -> Estimate | None:
        if not self.known:
            return None
        busy = sum_of([part.cost.duration_s.times(n) for n, part in self.known if part.cost.duration_s is not None])
        ends = (None if end is None else end + self.times.idle_s for end in (busy.low, busy.high))
        return Estimate(busy.value + self.times.idle_s, *ends)

    @cached_property
    def energy_j(self) -> Estimate | None:
        energies = [part.cost.energy_j.times(n) for n, part in self.known if part.cost.energy_j is not None]
        if not energies or len(energies) < len(self.known) or math.isnan(self.idle_w):
            return None
        idle_j = self.idle_w * self.times.idle_s
        return sum_of([*energies, Estimate(idle_j, idle_j, idle_j)])

    @cached_property
    def emissions_kg(self) -> Estimate | None:
        known = [one.g_per_kwh for one in self.past if one.g_per_kwh is not None]
        return self.energy_j.times(known[-1] / 1000 / J_PER_KWH) if known and self.energy_j is not None else None

    @cached_property
    def disk_bytes(self) -> float | None:
        rates = [one.store_bytes_per_s for one in self.past if math.isfinite(one.store_bytes_per_s)]
        if self.duration_s is None or not rates:
            return None
        outputs = sum(part.scenarios for part in self.parts) * self.times.repetitions
        each = float(np.mean([one.output_bytes for one in self.past]))
        return outputs * each + float(np.median(rates)) * self.duration_s.value

    @cached_property
    def idle_w(self) -> float:
        levels = [one.idle_w for one in self.past if math.isfinite(one.idle_w)]
        return float(np.mean(levels)) if levels else math.nan

    @property
    def missing(self) -> dict[str, str]:
        """What is not known -> why."""
        if not self.known:
            reason = "none of its scenarios was measured here; --pilot measures one of each kind"
            return dict.fromkeys(("duration", "energy", "emissions", "disk"), reason)
        reasons = {}
        if self.energy_j is None:
            reasons["energy"] = "the earlier runs have no energies or no idle level; name a power source"
        if self.emissions_kg is None:
            no_energy = reasons.get("energy")
            reasons["emissions"] = no_energy or "the earlier runs know no constant carbon intensity"
        if self.disk_bytes is None:
            reasons["disk"] = "the earlier runs have no store in their folders"
        return reasons

    def _executions(self, cost: Cost) -> float:
        """Of one scenario."""
        execution_s = cost.duration_s.value if cost.duration_s is not None else 0.0
        inside = executions_in_window(execution_s, self.protocol.min_window_s)
        return self.times.warmups + self.times.repetitions * inside


def _detects(past: Sequence[PastScenario], repetitions: int, order: Order) -> Detects:
    """From the scatter inside each earlier scenario, all taken together.

    In blocks each repetition has an idle level of its own, so what is not known of it scatters; one after another, it
    is common to all repetitions of a scenario.
    """
    if repetitions < MIN_REPETITIONS:
        return Detects(reason=f"{repetitions} repetitions show no scatter; at least {MIN_REPETITIONS} are needed")
    pooled = pooled_scatter([np.array(one.net_j) for one in past])
    if pooled is None:
        reason = f"no earlier scenario has {MIN_REPETITIONS} usable repetitions, which show the scatter"
        return Detects(reason=reason)
    known = [one.u_idle for one in past if math.isfinite(one.u_idle)]
    u_idle = float(np.mean(known)) if known else 0.0
    in_blocks = order is not Order.SEQUENTIAL

    def smallest(sd: float) -> float:
        own, common = (math.hypot(sd, u_idle), 0.0) if in_blocks else (sd, math.sqrt(2) * u_idle)
        return math.expm1(detectable_with(repetitions, own, common))

    return Detects(smallest(pooled.sd), smallest(pooled.sd_upper), pooled.n)
