"""Comparisons and plans in words: the verdict that a reader takes away."""

from terrawatt.analysis.comparison import Comparison
from terrawatt.analysis.detection import LEVEL, POWER
from terrawatt.report.numbers import plain
from terrawatt.summary.pilot import DetectionPlan
from terrawatt.units import format_duration

_VERBS = {"Energy": "uses", "Emissions": "causes", "Duration": "takes"}
_MANY_TIMES = 2.0  # from here on a ratio says more than percents


def verdict(comparison: Comparison, column: str) -> str:
    """`A uses 12 % ± 3 % less than B (95 % interval 9 to 15 %)`, or that no difference is shown, or why neither."""
    first, second = comparison.first, comparison.second
    if comparison.ratio is None or comparison.low is None or comparison.high is None:
        return f"{first} against {second}: no comparison: {comparison.reason}"
    low, high = comparison.low, comparison.high
    if not comparison.is_shown:
        low_text, high_text = percents(100 * (low - 1), 100 * (high - 1), signed=True)
        least = percent(100 * ((comparison.detectable or 1.0) - 1))
        return (
            f"no difference shown between {first} and {second} (95 % interval {low_text} to {high_text} %); "
            f"smallest detectable {least} %"
        )
    verb, noun = _verb(column)
    if comparison.ratio >= _MANY_TIMES:
        return (
            f"{first} {verb} {plain(comparison.ratio, 3)} times as much{noun} as {second} "
            f"(95 % interval {plain(low, 3)} to {plain(high, 3)} times)"
        )
    is_less = comparison.ratio < 1
    ends = sorted(100 * abs(end - 1) for end in (low, high))
    middle, half, low_text, high_text = percents(100 * abs(comparison.ratio - 1), (ends[1] - ends[0]) / 2, *ends)
    return (
        f"{first} {verb} {middle} % ± {half} % {'less' if is_less else 'more'}{noun} than {second} "
        f"(95 % interval {low_text} to {high_text} %)"
    )


def details(comparison: Comparison) -> str:
    """How a verdict came about: ratio, p, method, and what the interval is made of."""
    if comparison.ratio is None or comparison.p is None or comparison.scatter is None:
        return ""
    parts = [
        f"ratio {_interval(comparison.ratio, comparison.low, comparison.high)}",
        _p(comparison),
        f"{comparison.method}, {_n(comparison)}",
        f"scatter alone {plain(comparison.scatter[0])} to {plain(comparison.scatter[1])}",
    ]
    if comparison.bootstrap is not None:
        parts.append(f"bootstrap {plain(comparison.bootstrap[0])} to {plain(comparison.bootstrap[1])}")
    common = [f"{name} {percent(100 * u)} %" for name, u in comparison.u_common.items() if u >= 5e-5]
    if common:
        parts.append(f"in common (u): {', '.join(common)}")
    if comparison.unknown:
        parts.append(f"not known, not in it: {', '.join(comparison.unknown)}")
    return "; ".join(parts)


def detection_lines(plan: DetectionPlan, column: str, difference: float | None) -> list[str]:
    """What a pilot says of the repetitions that a difference asks for, line by line."""
    if plan.pilot is None:
        return [f"{plan.label}: no plan: {plan.reason}", *_left_out(plan)]
    pilot = plan.pilot
    scatter, upper = percents(100 * pilot.sd, 100 * pilot.sd_upper)
    certainty = f"{pilot.n} repetitions; below {upper} % with a confidence of 80 %"
    lines = [f"{plan.label}: {column} scatters by {scatter} % from repetition to repetition ({certainty})"]
    if plan.needed is not None and difference is not None:
        lines.append(f"  a difference of {100 * difference:g} % takes {_needed(plan)}")
    if plan.detectable is not None:
        least, careful = percents(100 * plan.detectable.by_scatter, 100 * plan.detectable.by_upper)
        lines.append(
            f"  {plan.detectable.repetitions} repetitions of each scenario find {least} % "
            f"({careful} %, should the scatter be at its upper limit)"
        )
    if plan.floor > 0:
        floor = percent(100 * plan.floor)
        lines.append(
            f"  no number of repetitions finds less than {floor} %, which their common idle level hides; "
            "a longer cold period, or idle after, helps"
        )
    meaning = f"  found: with a probability of {100 * POWER:.0f} %, at a level of {100 * LEVEL:.0f} %"
    return [*lines, f"{meaning}, two scenarios on the same meter", *_left_out(plan)]


def percent(value: float) -> str:
    """Two significant digits, without the sign of percent."""
    return percents(value, value)[0] if value else "0"


def percents(*values: float, signed: bool = False) -> list[str]:
    """Several numbers to the place where the smallest of them has two digits, from 0.01 to 1."""
    least = min((abs(value) for value in values if value), default=1.0)
    decimals = 0 if least >= 10 else 1 if least >= 1 else 2
    return [f"{value:+.{decimals}f}" if signed else f"{value:.{decimals}f}" for value in values]


def _needed(plan: DetectionPlan) -> str:
    if plan.needed is None or plan.needed.by_scatter is None:
        return "more than repetitions can give"
    careful = plan.needed.by_upper
    words = "no number is enough" if careful is None else str(careful)
    each = f"{plan.needed.by_scatter} repetitions of each scenario"
    if plan.duration_s is not None:
        each += f", {format_duration(plan.needed.by_scatter * plan.duration_s)} each"
    return f"{each} ({words}, should the scatter be at its upper limit)"


def _left_out(plan: DetectionPlan) -> list[str]:
    return [f"  left out: {text}" for text in plan.left_out]


def _verb(column: str) -> tuple[str, str]:
    """What a scenario does with a quantity, and the quantity where the verb does not say it."""
    name = column.partition(" (")[0]
    is_plain_energy = name in ("Energy", "Energy gross", "Emissions", "Duration")
    verb = _VERBS.get(name.split(" ")[0], "has")
    return verb, "" if is_plain_energy else f" {column}"


def _interval(value: float, low: float | None, high: float | None) -> str:
    return f"{plain(value)} ({plain(low or 0.0)} to {plain(high or 0.0)})"


def _p(comparison: Comparison) -> str:
    p = comparison.p_adjusted if comparison.p_adjusted is not None else comparison.p or 0.0
    value = "p < 0.0001" if p < 1e-4 else f"p {p:.2g}"
    return value if comparison.family == 1 else f"{value} (Holm, {comparison.family} comparisons)"


def _n(comparison: Comparison) -> str:
    if comparison.n_pairs is not None:
        return f"{comparison.n_pairs} blocks"
    return f"{comparison.n[0]} and {comparison.n[1]} repetitions"
