"""Comparisons and plans in words: the verdict that a reader takes away."""

from terrawatt.analysis.comparison import Comparison, Method
from terrawatt.analysis.detection import LEVEL, POWER
from terrawatt.report.language import decimal, localised, mark, say, typeset
from terrawatt.report.numbers import plain
from terrawatt.summary.pilot import DetectionPlan
from terrawatt.units import format_duration

_VERBS = {"Energy": mark("uses"), "Emissions": mark("causes"), "Duration": mark("takes")}
_OTHERS = mark("has")
_METHODS = {Method.WELCH: mark("Welch"), Method.PAIRED: mark("paired by block")}
_MANY_TIMES = 2.0  # from here on a ratio says more than percents


def verdict(comparison: Comparison, column: str) -> str:
    """`A uses 12 % ± 3 % less than B (95 % interval 9 to 15 %)`, or that no difference is shown, or why neither."""
    names = {"first": comparison.first, "second": comparison.second}
    if comparison.ratio is None or comparison.low is None or comparison.high is None:
        return say("{first} against {second}: no comparison: {reason}", **names, reason=comparison.reason)
    low, high = comparison.low, comparison.high
    if not comparison.is_shown:
        low_text, high_text = percents(100 * (low - 1), 100 * (high - 1), signed=True)
        least = percent(100 * ((comparison.detectable or 1.0) - 1))
        return say(
            "no difference shown between {first} and {second} (95 % interval {low} to {high} %); "
            "smallest detectable {least} %",
            **names,
            low=low_text,
            high=high_text,
            least=least,
        )
    names |= _verb(column)
    if comparison.ratio >= _MANY_TIMES:
        return say(
            "{first} {verb} {ratio} times as much{noun} as {second} (95 % interval {low} to {high} times)",
            **names,
            ratio=plain(comparison.ratio, 3),
            low=plain(low, 3),
            high=plain(high, 3),
        )
    less = mark("{first} {verb} {middle} % ± {half} % less{noun} than {second} (95 % interval {low} to {high} %)")
    more = mark("{first} {verb} {middle} % ± {half} % more{noun} than {second} (95 % interval {low} to {high} %)")
    ends = sorted(100 * abs(end - 1) for end in (low, high))
    middle, half, low_text, high_text = percents(100 * abs(comparison.ratio - 1), (ends[1] - ends[0]) / 2, *ends)
    template = less if comparison.ratio < 1 else more
    return say(template, **names, middle=middle, half=half, low=low_text, high=high_text)


def details(comparison: Comparison) -> str:
    """How a verdict came about: ratio, p, method, and what the interval is made of."""
    if comparison.ratio is None or comparison.p is None or comparison.scatter is None:
        return ""
    parts = [
        say("ratio {ratio} ({ends})", ratio=plain(comparison.ratio), ends=_ends(comparison.low, comparison.high)),
        _p(comparison),
        f"{say(_METHODS[comparison.method])}, {_n(comparison)}",
        say("scatter alone {ends}", ends=_ends(*comparison.scatter)),
    ]
    if comparison.bootstrap is not None:
        parts.append(say("bootstrap {ends}", ends=_ends(*comparison.bootstrap)))
    common = [f"{say(name)} {percent(100 * u)} %" for name, u in comparison.u_common.items() if u >= 5e-5]
    if common:
        parts.append(say("in common (u): {parts}", parts=", ".join(common)))
    if comparison.unknown:
        parts.append(say("not known, not in it: {parts}", parts=", ".join(map(say, comparison.unknown))))
    return typeset("; ".join(parts))


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
    form = f"{'+' if signed else ''}.{decimals}f"
    return [decimal(value, form) for value in values]


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


def _verb(column: str) -> dict[str, str]:
    """What a scenario does with a quantity, and the quantity where the verb does not say it."""
    name = column.partition(" (")[0]
    is_plain_energy = name in ("Energy", "Energy gross", "Emissions", "Duration")
    verb = say(_VERBS.get(name.split(" ")[0], _OTHERS))
    return {"verb": verb, "noun": "" if is_plain_energy else say(" {column}", column=column)}


def _ends(low: float | None, high: float | None) -> str:
    return say("{low} to {high}", low=plain(low or 0.0), high=plain(high or 0.0))


def _p(comparison: Comparison) -> str:
    p = comparison.p_adjusted if comparison.p_adjusted is not None else comparison.p or 0.0
    value = localised("p < 0.0001" if p < 1e-4 else f"p {p:.2g}")
    return value if comparison.family == 1 else say("{p} (Holm, {n} comparisons)", p=value, n=comparison.family)


def _n(comparison: Comparison) -> str:
    if comparison.n_pairs is not None:
        return say("{n} blocks", n=comparison.n_pairs)
    return say("{n} and {m} repetitions", n=comparison.n[0], m=comparison.n[1])
