"""A plan's forecast in lines for people."""

from collections.abc import Callable, Mapping

from terrawatt.analysis.forecast import Cost, Estimate, Origin
from terrawatt.records import Order, Scalar
from terrawatt.summary.forecast import Forecast
from terrawatt.summary.wording import percents
from terrawatt.units import format_duration, with_si_prefix

_MOST_PARTS = 20  # lines about parts that are printed; --json has all

Format = Callable[[float], str]


def forecast_lines(plan: Forecast) -> list[str]:
    """All that is to be said, the totals last."""
    lines = [_size(plan), *_parts(plan)]
    about = f", without {plan.unknown} scenarios of which nothing is known" if plan.unknown else ""
    totals: list[tuple[str, Estimate | None, Format]] = [
        ("duration", plan.duration_s, format_duration),
        ("energy", plan.energy_j, _energy),
        ("emissions", plan.emissions_kg, lambda kg: f"{with_si_prefix(1000 * kg, 'g')} CO2eq"),
    ]
    lines += [f"{name}: {_interval(estimate, shown)}{about}" for name, estimate, shown in totals if estimate]
    if plan.disk_bytes is not None:
        lines.append(f"disk: about {with_si_prefix(plan.disk_bytes, 'B')}")
    by_reason: dict[str, list[str]] = {}
    for name, reason in plan.missing.items():
        by_reason.setdefault(reason, []).append(name)
    lines += [f"{', '.join(names)}: not known: {reason}" for reason, names in by_reason.items()]
    return [*lines, _detects(plan), *(f"note: {note}" for note in plan.notes)]


def in_words(parameters: Mapping[str, Scalar]) -> str:
    """Parameters as they are listed: `model s-cnn-all, epochs 10`."""
    return ", ".join(f"{name} {value}" for name, value in parameters.items())


def _size(plan: Forecast) -> str:
    most = "at most " if plan.is_at_most else ""
    scenarios = f"{plan.scenarios} scenario{'s' if plan.scenarios != 1 else ''} of {most}{plan.repetitions} repetitions"
    how = f"{plan.blocks} blocks, {plan.order}" if plan.order is not Order.SEQUENTIAL else "one after another"
    idle = format_duration(plan.idle_s)
    return f"{scenarios}: {how}; {most}{plan.executions} executions with warm-ups, {idle} of idle time"


def _parts(plan: Forecast) -> list[str]:
    """What each kind of scenarios takes, by the parameters in which kinds differ; those not known come last."""
    names = dict.fromkeys(name for part in plan.parts for name in part.parameters)
    differing = [name for name in names if len({part.parameters.get(name) for part in plan.parts}) > 1]
    parts = sorted(plan.parts, key=lambda part: part.cost.duration_s is None)
    lines = []
    for part in parts[:_MOST_PARTS]:
        told = {name: part.parameters[name] for name in differing or names if name in part.parameters}
        count = f"{part.scenarios} x " if plan.scenarios > 1 else ""
        lines.append(f"  {count}{in_words(told)}: {_cost(part.cost, part.runs)}")
    if further := len(parts) - len(lines):
        lines.append(f"  and {further} further kinds of scenarios; --json lists them")
    return lines


def _cost(cost: Cost, runs: tuple[str, ...]) -> str:
    if cost.duration_s is None:
        return f"not known: {cost.reason or 'it was not measured here'}"
    each = [_interval(cost.duration_s, _seconds)]
    if cost.energy_j is not None:
        each.append(_interval(cost.energy_j, _energy))
    where = ", ".join(runs[:3]) + (", …" if len(runs) > 3 else "")
    how = f"{cost.n} execution{'s' if cost.n != 1 else ''} in {where}"
    if cost.origin is Origin.SCALED and cost.epochs is not None:
        how = f"scaled from {cost.epochs:g} epoch{'s' if cost.epochs != 1 else ''}, {how}"
    if cost.duration_s.low is None:
        how += ", so no interval"
    return f"{', '.join(each)} each ({how})"


def _interval(estimate: Estimate, shown: Format) -> str:
    value = f"about {shown(estimate.value)}"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({shown(estimate.low)} to {shown(estimate.high)})"


def _seconds(duration_s: float) -> str:
    return f"{duration_s:.3g} s" if duration_s < 60 else format_duration(duration_s)


def _energy(energy_j: float) -> str:
    return with_si_prefix(energy_j, "J")


def _detects(plan: Forecast) -> str:
    found = plan.detects
    if found.smallest is None or found.careful is None:
        return f"smallest detectable difference: not known: {found.reason}"
    least, careful = percents(100 * found.smallest, 100 * found.careful)
    return (
        f"smallest detectable difference of two scenarios: {least} % ({careful} %, should the scatter be at its upper "
        f"limit; it is that of {found.n} repetitions)"
    )
