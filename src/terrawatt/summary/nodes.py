"""Runs of several machines as the one execution that they are: each node was measured by its own run, at the same time.

Each repetition has one row. Energies and what they emitted are those of all nodes (`analysis.nodes`). Scores and sizes
are of the node that wrote the outputs. What means something on one machine only, as the use of its processor, is
left to the summary of that node.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from terrawatt.analysis.energy import Energy
from terrawatt.analysis.nodes import Emitted, added, added_emissions
from terrawatt.analysis.table import Column, ColumnKind, common_column
from terrawatt.analysis.verdict import is_unusable, missing_verdict, source_verdict, verdict_text
from terrawatt.errors import UsageError
from terrawatt.records import Scalar, Verdict, Window
from terrawatt.summary.gather import Gathered, assembled
from terrawatt.summary.outliers import with_outliers
from terrawatt.summary.rows import Row, RunRows

_OF_ONE = "of one machine; see the summary of each node"
_FROM_FIRST = (ColumnKind.IDENTITY, ColumnKind.FACTOR, ColumnKind.PERFORMANCE, ColumnKind.MODEL)
_DURATION = "Duration"


def as_nodes(gathered: Gathered) -> Gathered:
    """The runs taken for the nodes of one: those of the same group, of different machines, become one.

    Raises:
        UsageError: there is one run only, two are of one machine, they are of different scenarios, or their
            repetitions were not measured at the same time.
    """
    by_group: dict[int | None, list[RunRows]] = {}
    for run in gathered.runs:
        by_group.setdefault(run.run.folder.group, []).append(run)
    for nodes in by_group.values():
        _check(nodes)
    columns = gathered.table.columns
    whole = with_outliers([_as_one(nodes, columns) for nodes in by_group.values()])
    # The other nodes have no rows of their own, but what led to their numbers is told.
    others = [replace(run, rows=()) for nodes in by_group.values() for run in nodes[1:]]
    of_nodes = dict.fromkeys(f"nodes of one execution: {run.run.manifest.host}" for run in whole)
    return assembled([*whole, *others], [*gathered.notes, *of_nodes])


def _check(nodes: Sequence[RunRows]) -> None:
    """Refuse what cannot be the nodes of one execution.

    Raises:
        UsageError: says why.
    """
    names = [node.run.name for node in nodes]
    if len(nodes) < 2:
        raise UsageError(f"{names[0]}: one run; --nodes needs one of each node")
    hosts = [node.run.manifest.host for node in nodes]
    for i, (name, host) in enumerate(zip(names, hosts, strict=True)):
        if host in hosts[:i]:
            raise UsageError(
                f"{names[hosts.index(host)]} and {name} are both of {host}; --nodes needs one of each node"
            )
        if nodes[i].run.manifest.scenario.parameters != nodes[0].run.manifest.scenario.parameters:
            raise UsageError(f"{names[0]} and {name} are of different scenarios, so they are not one execution")
    for number in sorted(set.intersection(*(_numbers(node) for node in nodes))):
        windows = [phase.window for node in nodes if (phase := node.run.repetition(number)) is not None]
        if not _overlap(windows):
            raise UsageError(f"repetition {number} of {', '.join(names)} was not measured at the same time")


def _overlap(windows: Sequence[Window]) -> bool:
    """Whether there is a moment that lies in all; those of repetitions that failed early may be missing."""
    return not windows or max(one.start_ns for one in windows) < min(one.end_ns for one in windows)


def _numbers(node: RunRows) -> set[int]:
    return {row.key[2] for row in node.rows}


def _as_one(nodes: Sequence[RunRows], columns: Mapping[str, Column]) -> RunRows:
    """The rows of all nodes together, as those of the first; of repetitions that each node has."""
    first, hosts = nodes[0], [node.run.manifest.host for node in nodes]
    of_node = [{row.key[2]: row for row in node.rows} for node in nodes]
    common = sorted(set.intersection(*map(set, of_node)))
    main = first.run.manifest.sources[0].name if first.run.manifest.sources else ""
    rows = [_row(dict(zip(hosts, (rows[number] for rows in of_node), strict=True)), columns, main) for number in common]
    manifest = replace(first.run.manifest, host=" + ".join(hosts))
    return replace(first, run=replace(first.run, manifest=manifest), rows=tuple(rows))


def _row(nodes: Mapping[str, Row], columns: Mapping[str, Column], main: str) -> Row:
    """One repetition on all nodes."""
    first = next(iter(nodes.values()))
    values = _shared_values(list(nodes.values()), columns)
    energies, verdicts = {}, []
    for source in dict.fromkeys(name for row in nodes.values() for name in row.energies):
        lacking = [host for host, row in nodes.items() if source not in row.energies]
        if lacking:
            verdicts.append(source_verdict(source, f"no such source on {', '.join(lacking)}"))
            continue
        energies[source] = added({host: row.energies[source] for host, row in nodes.items()})
        values |= _energy_values(energies[source], list(nodes.values()))
    verdicts += _verdicts(nodes, columns, values)
    values["Verdict"] = verdict_text(verdicts)
    return Row(first.key, values, tuple(verdicts), energies, is_unusable(verdicts, main))


def _shared_values(rows: Sequence[Row], columns: Mapping[str, Column]) -> dict[str, Scalar | None]:
    """What is not by a power source: of the first node that has it; the longest duration; CodeCarbon's sums."""
    values: dict[str, Scalar | None] = {}
    for name, column in columns.items():
        found = [row.values[name] for row in rows if row.values.get(name) is not None]
        numbers = [value for value in found if isinstance(value, int | float)]
        if column.kind in _FROM_FIRST and found:
            values[name] = found[0]
        elif name == _DURATION and len(numbers) == len(rows):
            values[name] = max(numbers)
        elif column.kind is ColumnKind.EMISSIONS and len(numbers) == len(rows):
            values[name] = math.fsum(numbers)
    return values


def _energy_values(energy: Energy, rows: Sequence[Row]) -> dict[str, Scalar | None]:
    name = f"Energy ({energy.source})"
    values: dict[str, Scalar | None] = {
        name: energy.net.energy_j,
        f"u {name}": energy.net.u_j,
        common_column(name): energy.net.u_shared_j,
        f"Energy gross ({energy.source})": energy.gross.energy_j,
        f"u Energy gross ({energy.source})": energy.gross.u_j,
    }
    emitted = f"Emissions ({energy.source})"
    masses = [row.values.get(emitted) for row in rows]
    if all(isinstance(mass, float) for mass in masses):
        parts = [
            Emitted(_number(row, emitted), _number(row, f"u {emitted}"), row.energies[energy.source].gross)
            for row in rows
        ]
        values[emitted], values[f"u {emitted}"] = added_emissions(parts)
    return {column: value for column, value in values.items() if isinstance(value, float) and math.isfinite(value)}


def _number(row: Row, column: str) -> float:
    value = row.values.get(column)
    return float(value) if isinstance(value, int | float) else math.nan


def _verdicts(
    nodes: Mapping[str, Row], columns: Mapping[str, Column], values: Mapping[str, Scalar | None]
) -> Iterable[Verdict]:
    """Those of each node, with its name; none that explains a cell which is filled, or is empty for all nodes."""
    of_one = [
        name
        for name, column in columns.items()
        if column.kind in (ColumnKind.HOST, ColumnKind.PHASE) and name != _DURATION
    ]
    for host, row in nodes.items():
        for verdict in row.verdicts:
            is_explained = verdict.code == "missing" and values.get(verdict.column or "") is not None
            if verdict.column not in of_one and not is_explained:
                yield replace(verdict, message=f"{host}: {verdict.message}")
    yield from (missing_verdict(name, _OF_ONE) for name in of_one)
