"""The table in one line a scenario, for the terminal."""

from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.scenarios import ScenarioRows, scenario_rows
from terrawatt.analysis.statistics import Description, MeanWithUncertainty, describe, mean_with_uncertainty, numbers
from terrawatt.analysis.table import ColumnKind, Table, common_column
from terrawatt.records import Float64Array, Int64Array
from terrawatt.report.verdicts import without_unusable
from terrawatt.summary.summarise import SummaryResult


@dataclass(frozen=True, slots=True)
class ScenarioOverview:
    """One scenario: means over the repetitions whose values may be used.

    Attributes:
        label: what distinguishes it.
        n: repetitions with a usable net energy.
        total: all of them.
        energy_j: net energy by the main source.
        duration_s: of one execution.
        accuracy: of the predictions.
        recall: likewise, mean over labels.
    """

    label: str
    n: int
    total: int
    energy_j: MeanWithUncertainty
    duration_s: Description
    accuracy: Description
    recall: Description


def main_energy(table: Table) -> str:
    """The column of the net energy by the main source; empty where there is no source."""
    return next(iter(table.of_kind(ColumnKind.ENERGY)), "")


def overview(result: SummaryResult) -> list[ScenarioOverview]:
    """Each scenario of a table, in its order."""
    usable = without_unusable(result.table, result.verdicts)
    return [_overview(usable, scenario) for scenario in scenario_rows(usable)]


def _overview(table: Table, scenario: ScenarioRows) -> ScenarioOverview:
    energy = main_energy(table)
    values = _cells(table, energy, scenario.rows)
    return ScenarioOverview(
        label=scenario.label,
        n=int(np.isfinite(values).sum()),
        total=len(scenario.rows),
        energy_j=mean_with_uncertainty(
            values, _cells(table, f"u {energy}", scenario.rows), _cells(table, common_column(energy), scenario.rows)
        ),
        duration_s=describe(_cells(table, "Duration", scenario.rows)),
        accuracy=describe(_cells(table, "Accuracy", scenario.rows)),
        recall=describe(_cells(table, "Recall", scenario.rows)),
    )


def _cells(table: Table, name: str, rows: Int64Array) -> Float64Array:
    return numbers(table, name)[rows] if name in table.frame else np.full(len(rows), np.nan)
