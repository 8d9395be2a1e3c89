"""What an epoch, an image, a correct label cost: energies by what was done with them, with their uncertainties.

Each is the mean of a scenario's repetitions, of a ratio whose denominator is exactly known (epochs, images), or is the
repetition's own (labels found). Errors that repetitions share (meter, idle level) do not shrink with their number; of
the energy of a phase the table has no budget, so its uncertainty is that of the scatter alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.meters import meter_column
from terrawatt.analysis.repetitions import mean_estimate
from terrawatt.analysis.scenarios import scenario_rows
from terrawatt.analysis.statistics import mean_with_uncertainty, numbers
from terrawatt.analysis.table import Table, common_column
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array

MIN_REPETITIONS = 2  # of a scenario, for an uncertainty

EPOCHS, EPOCHS_DONE, TRAIN_IMAGES, TEST_IMAGES, TEST_LABELS, RECALL = (
    "Epochs",
    "Epochs done",
    "Train images",
    "Test images",
    "Test labels",
    "micro_recall",
)


@dataclass(frozen=True, slots=True)
class DerivedValue:
    """One scenario's energy in J by what was done: mean, standard uncertainty, expanded uncertainty (95 %), n."""

    label: str
    n: int
    value_j: float
    u_j: float | None
    expanded_j: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DerivedQuantity:
    """One derived quantity of all scenarios; without values, `reason` says what the table lacks."""

    name: str
    definition: str
    values: tuple[DerivedValue, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """Energies by what was done with them; `meter` is the column they are made of."""

    meter: str
    quantities: tuple[DerivedQuantity, ...]


@dataclass(frozen=True, slots=True)
class _Recipe:
    """A quantity: the energy it divides, by the product of some columns; of so many of them."""

    definition: str
    energy: Callable[[str], str]
    by: tuple[str, ...]
    of: float = 1.0


def _of_phase(phase: str) -> Callable[[str], str]:
    return lambda meter: meter.replace("Energy (", f"Energy {phase} (", 1)


def _whole(meter: str) -> str:
    return meter


_RECIPES: Mapping[str, _Recipe] = {
    "epoch": _Recipe("net energy of the phase train, by epochs", _of_phase("train"), (EPOCHS,)),
    "1,000 images trained": _Recipe(
        "net energy of the phase train, by epochs times images of the train split, times 1,000",
        _of_phase("train"),
        (EPOCHS, TRAIN_IMAGES),
        of=1000.0,
    ),
    "1,000 images tested": _Recipe(
        "net energy of the phase test, by its images, times 1,000", _of_phase("test"), (TEST_IMAGES,), of=1000.0
    ),
    "correct label": _Recipe(
        "net energy of the repetition, by the labels of test images that are found (micro recall times labels)",
        _whole,
        (RECALL, TEST_LABELS),
    ),
}


def derived(table: Table) -> Derived:
    """All of them.

    Raises:
        AnalysisError: no meter's energy has a value, or none of them can be computed.
    """
    meter = meter_column(table)
    if meter is None:
        raise AnalysisError("no meter's energy has a value")
    found = tuple(_derived(table, meter, name, recipe) for name, recipe in _RECIPES.items())
    if not any(quantity.values for quantity in found):
        raise AnalysisError("; ".join(f"per {quantity.name}: {quantity.reason}" for quantity in found))
    return Derived(meter, found)


def _derived(table: Table, meter: str, name: str, recipe: _Recipe) -> DerivedQuantity:
    energy = recipe.energy(meter)
    lacking = [
        column
        for column in (energy, *recipe.by)
        if column not in table.frame or not np.isfinite(numbers(table, column)).any()
    ]
    if lacking:
        return DerivedQuantity(name, recipe.definition, (), f"the table has no {' and no '.join(lacking)}")
    by = np.prod([_denominator(table, column) for column in recipe.by], axis=0)
    by = np.where(by > 0, by / recipe.of, np.nan)
    value = numbers(table, energy) / by
    u, common = (_uncertainty(table, column, meter, energy) / by for column in (f"u {meter}", common_column(meter)))
    values = [
        _mean(scenario.label, value[rows], u[rows], common[rows])
        for scenario in scenario_rows(table)
        if len(rows := scenario.rows[np.isfinite(value[scenario.rows])])
    ]
    reason = "" if values else "no repetition has all that it takes"
    return DerivedQuantity(name, recipe.definition, tuple(values), reason)


def _denominator(table: Table, column: str) -> Float64Array:
    """A column's numbers; for the epochs those that were done, where it is known: an early stop leaves some out."""
    given = numbers(table, column)
    if column != EPOCHS or EPOCHS_DONE not in table.frame:
        return given
    done = numbers(table, EPOCHS_DONE)
    return np.where(np.isfinite(done), done, given)


def _mean(label: str, value: Float64Array, u: Float64Array, common: Float64Array) -> DerivedValue:
    """By scatter and what repetitions share; from the scatter alone where the latter is not known."""
    n, mean = len(value), float(value.mean())
    if n < MIN_REPETITIONS:
        return DerivedValue(label, n, mean, None, None, f"{n} repetition, and {MIN_REPETITIONS} are needed")
    both = mean_with_uncertainty(value, u, common)
    if both.u is not None:
        return DerivedValue(label, n, mean, both.u, both.expanded)
    scatter = mean_estimate(value)
    return DerivedValue(label, n, mean, float(scatter.u), float(scatter.half_width()), "from the scatter alone")


def _uncertainty(table: Table, column: str, meter: str, energy: str) -> Float64Array:
    """Of the energy; NaN for one of a phase, whose own budget the table does not have."""
    if energy != meter or column not in table.frame:
        return np.full(len(table.frame), np.nan)
    return numbers(table, column)
