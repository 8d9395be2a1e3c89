"""The rows of several runs, and the table of them: what every command that looks at runs begins with."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

from terrawatt.analysis.emissions import CarbonIntensity
from terrawatt.analysis.table import CHANGE, MACHINE, UNCHANGED, Table
from terrawatt.config import Settings
from terrawatt.errors import AnalysisError, RunFolderError, UsageError
from terrawatt.report.workers import Here
from terrawatt.runs.integrity import require_intact, with_shared
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.summary.describe import run_notes
from terrawatt.summary.outliers import with_outliers
from terrawatt.summary.reader import Reader
from terrawatt.summary.rows import Row, RunRows, run_rows
from terrawatt.summary.tables import build_table

_MANY = 8  # runs or groups; of fewer, the start of other processes would take longer than it saves


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Some runs.

    Attributes:
        runs: each group of each run that could be read.
        rows: of all of them, in order.
        run_of: for each row the position of its run in `runs`.
        table: the same rows, as a table.
        notes: what was left out, and other remarks.
        reader: with which the series of a run can be read again.
    """

    runs: tuple[RunRows, ...]
    rows: tuple[Row, ...]
    run_of: tuple[int, ...]
    table: Table
    notes: tuple[str, ...]
    reader: Reader = field(default_factory=Reader)


def gather(
    runs: Sequence[Path],
    grouped: bool | None = None,
    *,
    accept_changes: bool = False,
    intensity: CarbonIntensity | None = None,
    settings: Settings | None = None,
    executor: Executor | None = None,
    keep_series: bool = False,
) -> Gathered:
    """Compute the rows of some runs.

    Args:
        runs: run folders, or folders of groups.
        grouped: whether the runs have groups, one a scenario; None: as each folder has it.
        accept_changes: use files that were changed since they were measured; a note says so.
        intensity: the carbon intensity to take instead of those in the manifests.
        settings: of a database that has series which a folder lacks, as those of the older scripts do.
        executor: that computes the rows of many runs or groups, each by itself; None: this process does.
        keep_series: keep the readings in memory; else each run's are dropped when its rows are computed.

    Raises:
        UsageError: `grouped` does not fit a folder, or two runs have one number.
        RunFolderError: none of the folders can be read.
        ConfigError: the database has series of several machines, and none is chosen; or a secret cannot be read.
        ChangedFilesError: a file was changed or is gone since it was measured, and that is not accepted.
        AnalysisError: no repetition has ended.
    """
    reader = Reader(accept_changes, intensity, settings)
    found, notes = _read(runs, grouped, reader, keep_series, executor or Here())
    gathered = assembled(with_outliers(found), notes)
    if not gathered.rows:
        raise AnalysisError(f"{', '.join(map(str, runs))}: no repetition has ended yet; {'; '.join(notes)}")
    return replace(gathered, reader=reader)


def _rows(reader: Reader, keep_series: bool, folder: RunFolder) -> RunRows | RunFolderError:
    """The rows of one run or group, or why it cannot be read."""
    try:
        found = run_rows(reader.read(folder))
    except RunFolderError as error:
        return error
    return found if keep_series else found.without_series()


def assembled(found: Sequence[RunRows], notes: Iterable[str]) -> Gathered:
    """Runs whose rows are computed, with the table of all rows."""
    rows = tuple(row for run in found for row in run.rows)
    parameters = dict.fromkeys(name for run in found for name in run.run.manifest.scenario.parameters)
    values = [row.values for row in rows]
    if any(CHANGE in of_row for of_row in values):
        parameters[CHANGE] = None
        values = [{CHANGE: UNCHANGED, **of_row} for of_row in values]
    sources = dict.fromkeys(source.name for run in found for source in run.run.manifest.sources)
    hosts = tuple(run.run.manifest.host for run in found for _ in run.rows)
    if len(set(hosts)) > 1:
        values = [{MACHINE.name: host, **of_row} for host, of_row in zip(hosts, values, strict=True)]
    table = replace(build_table(values, parameters, sources), hosts=hosts)
    run_of = tuple(position for position, run in enumerate(found) for _ in run.rows)
    return Gathered(tuple(found), rows, run_of, table, tuple(notes))


def _read(
    runs: Sequence[Path], grouped: bool | None, reader: Reader, keep_series: bool, executor: Executor
) -> tuple[list[RunRows], list[str]]:
    """The rows of all runs and groups that can be read, and remarks on the others.

    Raises:
        RunFolderError: none can be read.
        ChangedFilesError: files are not those that were measured.
    """
    folders_of = {path.resolve(): _scenarios(path.resolve(), grouped) for path in runs}  # one given twice counts once
    every = [folder for folders in folders_of.values() for folder in folders]
    is_spread = len(every) >= _MANY
    rows_of = partial(_rows, replace(reader, is_shared_read=not is_spread), keep_series)
    outcomes = (executor if is_spread else Here()).map(rows_of, every)
    found: list[RunRows] = []
    notes: list[str] = []
    problems: list[RunFolderError] = []
    for run, folders in folders_of.items():
        notes += _missing_groups(run, folders)
        for outcome in islice(outcomes, len(folders)):
            if isinstance(outcome, RunFolderError):
                problems.append(outcome)
                continue
            found.append(_verified(outcome, reader) if is_spread else outcome)
            notes += [f"{outcome.run.name}: {note}" for note in run_notes(outcome.run)]
    if not found:
        raise problems[0]
    _check_distinct(found)
    return found, [*(f"left out: {problem}" for problem in problems), *notes, *_unlike(found)]


def _verified(found: RunRows, reader: Reader) -> RunRows:
    """The same with what the checksums say of the shared files, which this process reads while others compute.

    Raises:
        ChangedFilesError: one was changed since it was measured, and that is not accepted.
    """
    run = found.run
    if not run.integrity.is_intact:  # then they were read there
        return found
    integrity = with_shared(run.integrity, run.folder, run.manifest)
    if not reader.accept_changes:
        require_intact(run.folder, integrity)
    return replace(found, run=replace(run, integrity=integrity))


def _scenarios(run: Path, grouped: bool | None) -> list[RunFolder]:
    folders = scenario_folders(run)
    has_groups = folders[0].path != run
    if grouped is True and not has_groups:
        raise UsageError(f"{run}: has no group_<i> folders; leave out --grouped, or write --grouped False")
    if grouped is False and has_groups:
        raise UsageError(f"{run}: has {len(folders)} groups; write --grouped True, or name one of its folders")
    return folders


def _missing_groups(run: Path, folders: Sequence[RunFolder]) -> list[str]:
    if folders[0].path == run:  # a run without groups, or one group by itself
        return []
    numbers = {folder.group for folder in folders if folder.group is not None}
    missing = sorted(set(range(1, max(numbers, default=0) + 1)) - numbers)
    return [f"{run.name}: group_{number} is missing" for number in missing]


def _check_distinct(found: Iterable[RunRows]) -> None:
    """Refuse two runs that cannot be told apart in the table.

    Raises:
        UsageError: they have one number.
    """
    seen: dict[tuple[int | None, int | None], Path] = {}
    for run in found:
        path = run.run.folder.path
        other = seen.setdefault((run.run.folder.run_id, run.run.folder.group), path)
        if other != path:
            raise UsageError(f"{other} and {path} have the same run number; summarise them one by one")


def _unlike(found: Sequence[RunRows]) -> list[str]:
    """Runs whose energies may not be compared: made on several machines."""
    hosts = dict.fromkeys(run.run.manifest.host for run in found)
    return [f"the runs are of several machines: {', '.join(hosts)}"] if len(hosts) > 1 else []
