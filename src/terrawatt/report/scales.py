"""The unit in which a quantity is shown, chosen by its values: J, kJ or MJ; s, min or h."""

import re
from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.statistics import numbers
from terrawatt.analysis.table import ColumnKind, Table, common_column
from terrawatt.records import Float64Array
from terrawatt.report.language import mark, say

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"))
_TIMES = ((4 * 3600.0, 3600.0, "h"), (600.0, 60.0, "min"), (1.0, 1.0, "s"), (0.0, 1e-3, "ms"))  # from, divisor, unit
# The fonts of figures lack subscripts, and a label that has one changes its font.
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
# Columns that have a name of their own in other languages; factors and scores of others keep theirs.
_NAMED = frozenset(
    {
        mark("Duration"),
        mark("Accuracy"),
        mark("Recall"),
        mark("Emissions"),
        mark("Energy (CodeCarbon)"),
        mark("Temperature"),
        mark("Memory"),
        mark("Reads"),
    }
)
_SCORE_WORDS = (mark("Macro"), mark("Micro"), mark("Samples"), mark("precision"), mark("recall"))
_LOG_FROM_RATIO = 30.0  # a linear axis hides the small values of data that span more
_MANY_DECADES = 2.7


@dataclass(frozen=True, slots=True)
class Scale:
    """A unit for people: a value in the table's unit, divided by `divisor`, is in `unit`."""

    divisor: float
    unit: str


@dataclass(frozen=True, eq=False)
class Quantity:
    """A column as an axis shows it: values in the unit that its title names."""

    numbers: Float64Array
    title: str
    scale: Scale

    @property
    def present(self) -> Float64Array:
        """The values that are there."""
        return self.numbers[np.isfinite(self.numbers)]

    @property
    def is_log(self) -> bool:
        """Whether the values span so much that only a logarithmic axis shows them all."""
        values = self.present
        return len(values) > 0 and bool(values.min() > 0 and values.max() / values.min() >= _LOG_FROM_RATIO)

    @property
    def is_constant(self) -> bool:
        """Whether all values are the same."""
        return len(self.present) > 0 and bool(np.ptp(self.present) == 0)

    @property
    def floor(self) -> float:
        """Where bars that reach down too far end: a logarithmic axis has no place for zero."""
        return float(self.present.min()) / 2 if self.is_log else -np.inf

    def log_ticks(self) -> list[float]:
        """Round values for a logarithmic axis: 1, 2, 5 in each decade; powers of ten where there are many decades."""
        low, high = np.log10(self.present.min()), np.log10(self.present.max())
        steps = (1.0, 2.0, 5.0) if high - low < _MANY_DECADES else (1.0,)
        decades = range(int(np.floor(low)), int(np.ceil(high)) + 1)
        return [float(f"{step}e{decade}") for decade in decades for step in steps]


def scale_for(values: Float64Array, unit: str) -> Scale:
    """The scale that gives the largest of some values one to three digits before the point.

    Only for units that take a prefix well: J, s, kg of something; others stay as they are.
    """
    size = float(np.max(np.abs(values[np.isfinite(values)]), initial=0.0))
    if unit == "s":
        return next(Scale(divisor, name) for least, divisor, name in _TIMES if size >= least)
    if size == 0 or not (unit == "J" or unit.startswith("kg ")):
        return Scale(1.0, unit)
    base, name = (1e-3, unit[1:]) if unit.startswith("kg ") else (1.0, unit)
    factor, prefix = next((pair for pair in _PREFIXES if size / base >= pair[0]), _PREFIXES[-1])
    return Scale(base * factor, prefix + name)


def quantity(table: Table, name: str) -> Quantity:
    """A column in the unit that fits its values, with the title of its axis."""
    values = numbers(table, name)
    scale = scale_for(values, table.unit(name))
    unit = scale.unit or say("no unit")
    title = f"{display_name(table, name)} ({unit})"
    return Quantity(values / scale.divisor, title.translate(_SUBSCRIPTS), scale)


def standard_uncertainty(table: Table, name: str, scale: Scale) -> Float64Array:
    """The standard uncertainty of each row's energy in a scale; NaN where the table has none."""
    return _scaled(table, f"u {name}", scale)


def common_uncertainty(table: Table, name: str, scale: Scale) -> Float64Array:
    """The part of it that repetitions share; NaN where the table does not have it."""
    return _scaled(table, common_column(name), scale)


def _scaled(table: Table, name: str, scale: Scale) -> Float64Array:
    values = numbers(table, name) if name in table.frame else np.full(len(table.frame), np.nan)
    return values / scale.divisor


def column_label(table: Table, name: str) -> str:
    """A column's own name with its unit, for figures that show many columns."""
    return table.label(name).translate(_SUBSCRIPTS)


def display_name(table: Table, name: str) -> str:
    """A column's name for people: `Net energy, plug` for `Energy (plug)`, `Micro F1` for `micro_f1`."""
    kind = table.columns[name].kind if name in table.columns else None
    source = re.fullmatch(r"Energy \((.+)\)", name)
    if source:
        energy = say("Net energy") if kind is ColumnKind.ENERGY else say("Energy")
        return f"{energy}, {source[1]}"
    if kind is ColumnKind.PERFORMANCE and "_" in name:
        average, _, score = name.partition("_")
        score = score.upper() if len(score) == 2 else say(score)
        return say("{average} {score}", average=say(average.capitalize()), score=score)
    return say(name) if name in _NAMED else name
