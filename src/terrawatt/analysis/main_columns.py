"""Which columns stand for a table's energy and for its scores, where one has to be chosen."""

import numpy as np

from terrawatt.analysis.statistics import numbers
from terrawatt.analysis.table import ColumnKind, Table


def main_energy(table: Table) -> str | None:
    """The column of energy to show: of the main source, or of the next that has a value; CodeCarbon's as the last."""
    columns = [*table.of_kind(ColumnKind.ENERGY), *(n for n in table.of_kind(ColumnKind.EMISSIONS) if "Energy" in n)]
    return next((name for name in columns if np.isfinite(numbers(table, name)).any()), None)


def main_scores(table: Table) -> list[str]:
    """The columns of performance to show, the most telling first; those without a value are left out."""
    columns = table.of_kind(ColumnKind.PERFORMANCE)
    preferred = [name for name in ("micro_f1", "macro_f1", "Accuracy") if name in columns]
    ordered = dict.fromkeys([*preferred, *columns])
    return [name for name in ordered if np.isfinite(numbers(table, name)).any()]
