"""Repetitions that are far from the others of their scenario, over all runs of it on one machine."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from terrawatt.analysis.outlier import outlier_verdicts
from terrawatt.analysis.scenarios import SEED
from terrawatt.analysis.verdict import verdict_text
from terrawatt.records import Float64Array, Scalar, Verdict
from terrawatt.summary.collect import RunData
from terrawatt.summary.rows import Row, RunRows

# Windows begin and end with processes, whose start varies by some ms: a scatter below this share is not believed.
_DURATION_SCATTER = 1e-3


def with_outliers(runs: Sequence[RunRows]) -> list[RunRows]:
    """The same runs, with a verdict on each energy and duration that is far from those of its scenario.

    Repetitions that must not be used are neither judged nor compared with.
    """
    rows = [list(run.rows) for run in runs]
    places: dict[object, list[tuple[int, int]]] = {}
    for run, found in enumerate(runs):
        usable = [i for i, row in enumerate(found.rows) if not row.is_unusable]
        places.setdefault(_scenario(found.run), []).extend((run, i) for i in usable)
    for of_scenario in places.values():
        for (run, i), verdicts in zip(of_scenario, _verdicts([rows[r][i] for r, i in of_scenario]), strict=True):
            rows[run][i] = _with(rows[run][i], verdicts)
    return [replace(run, rows=tuple(found)) for run, found in zip(runs, rows, strict=True)]


def _scenario(run: RunData) -> object:
    """What makes runs comparable: machine, parameters but the seed, command where there are no parameters."""
    scenario = run.manifest.scenario
    parameters = tuple(
        sorted((name, str(value)) for name, value in scenario.parameters.items() if name != SEED.lower())
    )
    return (run.manifest.host, parameters or scenario.command)


def _verdicts(rows: Sequence[Row]) -> Iterable[list[Verdict]]:
    """The verdicts of each row."""
    columns = [outlier_verdicts("Duration", *_durations(rows))]
    for source in dict.fromkeys(name for row in rows for name in row.energies):
        column = f"Energy ({source})"
        columns.append(outlier_verdicts(column, _numbers(row.values.get(column) for row in rows), _own(rows, source)))
    return ([verdict for verdict in of_row if verdict is not None] for of_row in zip(*columns, strict=True))


def _durations(rows: Sequence[Row]) -> tuple[Float64Array, float]:
    values = _numbers(row.values.get("Duration") for row in rows)
    known = values[np.isfinite(values)]
    return values, _DURATION_SCATTER * float(np.median(known)) if len(known) else 0.0


def _own(rows: Sequence[Row], source: str) -> float:
    """What the measurement itself scatters by: the median of the uncertainties that are each repetition's own."""
    own_j = _numbers(row.energies[source].net.u_own_j for row in rows if source in row.energies)
    own_j = own_j[np.isfinite(own_j)]
    return float(np.median(own_j)) if len(own_j) else 0.0


def _numbers(cells: Iterable[object]) -> Float64Array:
    return np.array([float(cell) if isinstance(cell, int | float) else np.nan for cell in cells])


def _with(row: Row, verdicts: Sequence[Verdict]) -> Row:
    if not verdicts:
        return row
    found = (*row.verdicts, *verdicts)
    values: Mapping[str, Scalar | None] = {**row.values, "Verdict": verdict_text(found)}
    return replace(row, verdicts=found, values=values)
