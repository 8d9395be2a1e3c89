"""Which rows of a figure belong together: by scenario while there are few, by one factor when there are many."""

from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.scenarios import SEED, ScenarioRows, level_label, scenario_rows
from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.records import Int64Array
from terrawatt.report.language import say


@dataclass(frozen=True, eq=False)
class Grouping:
    """The rows of a table in a few groups.

    Attributes:
        title: what the groups are: `Scenario`, or a factor's name.
        labels: of the groups, in the table's order.
        of_row: (n,), the group of each row.
        note: how scenarios were pooled; empty when each is a group.
    """

    title: str
    labels: tuple[str, ...]
    of_row: Int64Array
    note: str = ""


def group_rows(table: Table, at_most: int) -> Grouping:
    """The rows by scenario, or by the model or another factor when there are more than `at_most` scenarios."""
    scenarios = scenario_rows(table)
    if len(scenarios) <= at_most:
        labels = tuple(scenario.label for scenario in scenarios)
        return Grouping(say("Scenario"), labels, _group_of_row(scenarios, range(len(scenarios)), len(table.frame)))
    factors = [name for name in table.of_kind(ColumnKind.FACTOR) if name != SEED]
    for factor in sorted(factors, key=lambda name: name != "Model"):
        levels = _levels(scenarios, factor)
        if 2 <= len(levels) <= at_most:
            groups = [levels.index(scenario.settings.get(factor)) for scenario in scenarios]
            labels = tuple(level_label(factor, level) for level in levels)
            note = say("{n_scenarios} scenarios, pooled by {factor}.", n_scenarios=len(scenarios), factor=factor)
            return Grouping(factor, labels, _group_of_row(scenarios, groups, len(table.frame)), note)
    return Grouping(
        say("Scenario"),
        (say("all repetitions"),),
        np.zeros(len(table.frame), dtype=np.int64),
        say(
            "{n_scenarios} scenarios, all pooled: no factor has {at_most} levels or fewer.",
            n_scenarios=len(scenarios),
            at_most=at_most,
        ),
    )


def _levels(scenarios: tuple[ScenarioRows, ...], factor: str) -> list[object]:
    """The levels of a factor: numbers by size, names in the table's order."""
    levels = list(dict.fromkeys(scenario.settings.get(factor) for scenario in scenarios))
    sizes = [level for level in levels if isinstance(level, int | float)]
    return list[object](sorted(sizes)) if len(sizes) == len(levels) else levels


def _group_of_row(scenarios: tuple[ScenarioRows, ...], groups: range | list[int], n: int) -> Int64Array:
    """The group of each of n rows, from the group of each scenario."""
    of_row = np.zeros(n, dtype=np.int64)
    for scenario, group in zip(scenarios, groups, strict=True):
        of_row[scenario.rows] = group
    return of_row
