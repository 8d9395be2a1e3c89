"""The scenarios of a table: which rows are repetitions of the same setting, and what to call it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.records import Int64Array

SEED = "Seed"  # a factor that makes repetitions differ, not scenarios

# Factors whose values speak for themselves have no name in a label.
_SHORT_NAMES: Mapping[str, str] = {
    "Model": "",
    "Optimizer": "",
    "Loss": "",
    "Learning rate": "lr",
    "Batch size": "batch",
    "Epochs": "epochs",
    "Run": "run",
    "Group": "group",
}


@dataclass(frozen=True, eq=False)
class ScenarioRows:
    """One scenario of a table: how it is called, what distinguishes it, and where its rows are.

    Attributes:
        label: the factors that differ between the table's scenarios, e.g. `s-cnn-all · lr 0.001`.
        settings: factor -> value, for all factors but the seed.
        rows: positions of its repetitions in the frame.
    """

    label: str
    settings: Mapping[str, object]
    rows: Int64Array


def scenario_rows(table: Table) -> tuple[ScenarioRows, ...]:
    """The scenarios of a table in the order of their first repetition.

    Rows with equal factors (the seed aside) are one scenario, also from several runs. A table without factors, as of
    measured commands, has one scenario a run and group.
    """
    if table.frame.empty:
        return ()
    factors = [name for name in table.of_kind(ColumnKind.FACTOR) if name != SEED and table.frame[name].notna().any()]
    keys = factors or [name for name in ("Run", "Group") if name in table.frame and table.frame[name].notna().any()]
    if not keys:
        return (ScenarioRows("all repetitions", {}, np.arange(len(table.frame), dtype=np.int64)),)
    cells = table.frame[keys].astype(object)
    settings = [tuple(None if pd.isna(cell) else cell for cell in row) for row in cells.itertuples(index=False)]
    found: dict[tuple[object, ...], list[int]] = {}
    for row, setting in enumerate(settings):
        found.setdefault(setting, []).append(row)
    varying = [i for i in range(len(keys)) if len({setting[i] for setting in found}) > 1]
    named = varying or [keys.index("Model") if "Model" in keys else 0]
    return tuple(
        ScenarioRows(
            label=" · ".join(level_label(keys[i], setting[i]) for i in named),
            settings=dict(zip(keys, setting, strict=True)),
            rows=np.array(rows, dtype=np.int64),
        )
        for setting, rows in found.items()
    )


def level_label(factor: str, value: object) -> str:
    """One value of a factor as a label: `lr 0.001`, a model's name alone; a dash where there is none."""
    name = _SHORT_NAMES.get(factor, factor)
    return f"{name} {level_text(value)}".strip()


def level_text(value: object) -> str:
    """One value of a factor alone; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
