"""The scenarios of some runs as values to compare: usable repetitions, what they have in common, what is left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from terrawatt.analysis.energy import EnergyValue
from terrawatt.analysis.repetitions import CommonError, Repeated
from terrawatt.analysis.scenarios import ScenarioRows, scenario_rows
from terrawatt.analysis.statistics import numbers
from terrawatt.analysis.table import ColumnKind
from terrawatt.analysis.verdict import verdict_text
from terrawatt.errors import UsageError, did_you_mean
from terrawatt.records import Float64Array, Int64Array
from terrawatt.report.language import recorded_list, say
from terrawatt.report.verdicts import without_unusable
from terrawatt.summary.collect import RunData
from terrawatt.summary.gather import Gathered
from terrawatt.summary.overview import main_energy
from terrawatt.summary.rows import Row

# Errors of the meter are the same in all that it measures; the others that repetitions share are of their run.
OF_THE_METER = frozenset({"meter", "timing"})
METER = "meter"

_COMPARABLE = frozenset(
    {
        ColumnKind.ENERGY,
        ColumnKind.GROSS,
        ColumnKind.EMISSIONS,
        ColumnKind.HOST,
        ColumnKind.PERFORMANCE,
        ColumnKind.PHASE,
    }
)


class By(StrEnum):
    """What counts as one scenario."""

    SCENARIO = "scenario"  # equal parameters, also of several runs
    RUN = "run"  # each run, and each of its groups, on its own


@dataclass(frozen=True, slots=True, eq=False)
class ScenarioValues:
    """One scenario as a value to compare.

    Attributes:
        values: its usable repetitions.
        runs: names of the runs that it is of.
        power_w: mean power over its usable repetitions, by the source of the column; None for other columns.
        duration_s: of one execution; None where it is not known.
        stopped_by_interval: whether a run of it had as many repetitions as a narrow interval took.
    """

    values: Repeated
    runs: tuple[str, ...]
    power_w: float | None
    duration_s: float | None
    stopped_by_interval: bool

    @property
    def label(self) -> str:
        """What it is called."""
        return self.values.label


def column_of(gathered: Gathered, name: str | None) -> str:
    """The column to compare: the one given, or the main net energy.

    Raises:
        UsageError: there is no such column, or it is nothing measured.
    """
    known = gathered.table.of_kind(*_COMPARABLE)
    known = [column for column in known if not column.startswith("u ")]
    if name is None:
        if not (main := main_energy(gathered.table)):
            raise UsageError(f"the runs have no power source; name what to compare with --column.{_listed(known)}")
        return main
    if name not in known:
        raise UsageError(f"--column {name}: nothing that was measured is called so.{did_you_mean(name, known)}")
    return name


def scenarios_of(gathered: Gathered, column: str, by: By | None = None) -> list[ScenarioValues]:
    """The scenarios of some runs, in the order of their first repetition.

    Args:
        gathered: the runs.
        column: what is compared.
        by: what counts as one scenario; None: equal parameters, or each run when all have the same ones.
    """
    named = scenario_rows(gathered.table)
    if by is None:
        by = By.RUN if len(named) == 1 and len(gathered.runs) > 1 else By.SCENARIO
    groups = _runs_apart(gathered, named) if by is By.RUN else [(one.label, one.rows) for one in named]
    usable = without_unusable(gathered.table, {row.key: row.verdicts for row in gathered.rows})
    values = numbers(usable, column)
    return [_scenario(gathered, column, label, rows, values) for label, rows in groups]


def _listed(known: Sequence[str]) -> str:
    return f" Known: {', '.join(known)}."


def _runs_apart(gathered: Gathered, named: Sequence[ScenarioRows]) -> list[tuple[str, Int64Array]]:
    """Each run with its rows; its name, and its parameters where those differ between runs."""
    label_of = {int(row): one.label for one in named for row in one.rows}
    run_of = np.array(gathered.run_of)
    found = []
    for position, run in enumerate(gathered.runs):
        rows = np.flatnonzero(run_of == position).astype(np.int64)
        if len(rows):
            parts = [run.run.name, *([label_of[int(rows[0])]] if len(named) > 1 else [])]
            found.append((" · ".join(parts), rows))
    return found


def _scenario(gathered: Gathered, column: str, label: str, rows: Int64Array, values: Float64Array) -> ScenarioValues:
    used = rows[np.isfinite(values[rows])]
    unused = [int(row) for row in rows if not np.isfinite(values[row])]
    runs = [gathered.runs[gathered.run_of[row]].run for row in rows]
    return ScenarioValues(
        values=Repeated(
            label=label,
            value=values[used],
            common=_common(gathered, column, [int(row) for row in used]),
            block=tuple(_block(gathered, int(row)) for row in used),
            left_out=tuple(_left_out(gathered, row, column) for row in unused),
        ),
        runs=tuple(dict.fromkeys(run.name for run in runs)),
        power_w=_mean_power_w(gathered, column, [int(row) for row in used]),
        duration_s=_mean(numbers(gathered.table, "Duration")[used]),
        stopped_by_interval=any(run.manifest.protocol.until_ci_percent > 0 for run in runs),
    )


def _common(gathered: Gathered, column: str, rows: Sequence[int]) -> dict[CommonError, Float64Array]:
    """The common errors of the energies in some rows; none of other columns."""
    errors: dict[CommonError, Float64Array] = {}
    for position, row in enumerate(rows):
        run = gathered.runs[gathered.run_of[row]].run
        for source, value in _energy_values(gathered.rows[row], column):
            for part in value.budget:
                if part.shared_u_j == 0:  # a repetition's own, which the scatter shows
                    continue
                error = CommonError(part.name, _bearer(run, source, part.name))
                errors.setdefault(error, np.zeros(len(rows)))[position] = part.shared_u_j
    return errors


def _energy_values(row: Row, column: str) -> list[tuple[str, EnergyValue]]:
    """The energy behind a cell with its source; none where the column is no energy."""
    found = []
    for source, energy in row.energies.items():
        if column == f"Energy ({source})":
            found.append((source, energy.net))
        elif column == f"Energy gross ({source})":
            found.append((source, energy.gross))
    return found


def _bearer(run: RunData, source: str, name: str) -> str:
    """What has an error: a meter, or a source in one run."""
    description = next(one for one in run.manifest.sources if one.name == source)
    meter = f"{source} ({description.kind}) of {run.manifest.host}"
    return meter if name in OF_THE_METER else f"{meter} in {run.folder.path}"


def _block(gathered: Gathered, row: int) -> str:
    """The block of a row: its number, which counts in one run only."""
    number = gathered.table.frame["Block"].iloc[row]
    path = gathered.runs[gathered.run_of[row]].run.folder.run_path
    return f"{path}, block {'none' if pd.isna(number) else int(number)}"


def _left_out(gathered: Gathered, row: int, column: str) -> str:
    found = gathered.rows[row]
    run = gathered.runs[gathered.run_of[row]].run.name
    reason = recorded_list(verdict_text(found.verdicts)) or say("no {column}", column=column)
    return say("{run}, repetition {number}: {reason}", run=run, number=str(found.key[2]), reason=reason)


def _mean_power_w(gathered: Gathered, column: str, rows: Sequence[int]) -> float | None:
    """The mean power behind energies: gross energy by duration, whatever the number of executions."""
    powers = []
    for row in rows:
        for source, _ in _energy_values(gathered.rows[row], column):
            powers.append(gathered.rows[row].energies[source].integral.mean)
    return _mean(np.array(powers))


def _mean(values: Float64Array) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else None
