"""Checks before a run, and its folder: what would fail after an hour fails now, and leaves nothing behind."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from terrawatt.config import Settings
from terrawatt.errors import ProtocolError, RunFolderError, StoreUnreachableError, UsageError
from terrawatt.runs.layout import RunFolder, create_run, prepare_run, scenario_folders
from terrawatt.store.influxdb import open_influx

MIN_FREE_BYTES = 100_000_000


def check_command(command: Sequence[str]) -> None:
    """See that a command can be started.

    Raises:
        UsageError: there is none, or its program does not exist or is not executable.
    """
    if not command:
        raise UsageError("there is no command to run; give one behind --")
    if shutil.which(command[0]) is None:
        raise UsageError(f"{command[0]}: no such program, or not executable; give its path or one on PATH")


def check_store(settings: Settings) -> str:
    """See that the series can be sent on to the database of the settings, where there is one.

    Where somebody else writes the series, the sampler looks for them itself.

    Returns:
        That the database does not answer now, for the user: the run folder holds everything, and later it can be
        sent. Empty when all is well.

    Raises:
        ConfigError: the address or a secret's file is wrong.
        StoreError: the database refuses: user, password, token, database or certificate are wrong.
    """
    if settings.store.url == "sqlite" or settings.sampling.is_external:
        return ""
    with open_influx(settings.store) as influx:
        try:
            influx.check(reading=False)
        except StoreUnreachableError as error:
            return f"{error} (the series are kept in the run folder, and sent on when it answers)"
    return ""


def check_space(folder: Path) -> None:
    """See that there is room for a run.

    Raises:
        ProtocolError: less than `MIN_FREE_BYTES` is free on the disk of a folder (which need not exist yet).
    """
    there = next((path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir()), Path("/"))
    usage = shutil.disk_usage(there)
    if usage.free < MIN_FREE_BYTES and usage.total > 0:  # some file systems, e.g. /proc, do not say
        raise ProtocolError(
            f"{there}: only {usage.free / 1e6:.0f} MB are free, and a run wants {MIN_FREE_BYTES / 1e6:.0f} MB; "
            "make room or choose another folder with --results"
        )


def make_folders(storage_path: Path | None, results: Path, experiment: str, scenarios: int) -> list[RunFolder]:
    """The folders of a run's scenarios: in the folder that the caller gives, or in the next one of the results.

    Raises:
        RunFolderError: they cannot be made, or the given folder holds a run already.
    """
    if storage_path is None:
        return create_run(results, experiment, scenarios)
    there = (RunFolder(storage_path), *scenario_folders(storage_path))
    if any(path.exists() for one in there for path in (one.manifest, one.status, one.phases, one.times)):
        raise RunFolderError(f"{storage_path}: holds a run already; give a folder of its own to each run")
    try:
        return prepare_run(storage_path, scenarios)
    except OSError as error:
        raise RunFolderError(f"{error.filename or storage_path}: cannot be made ({error.strerror})") from error


def discard_unused(folders: Sequence[RunFolder], *, given: bool) -> bool:
    """Remove the folders of a run in which nothing was measured, or, of a given one, what was put there.

    Returns:
        Whether nothing was measured.
    """
    if any(folder.manifest.exists() for folder in folders):
        return False
    for folder in folders:
        _empty(folder)
        for path in (folder.output, folder.emissions, *(() if given else (folder.path,))):
            _remove(path)
    run_path = folders[0].run_path if len(folders) > 1 or not given else folders[0].path
    _empty(RunFolder(run_path))
    for path in () if given else (run_path, run_path.parent):
        _remove(path)
    return True


def _empty(folder: RunFolder) -> None:
    """Remove the files that a run puts into a folder before it measures."""
    own = folder.path / folder.telemetry.name
    files = (folder.status, folder.log, folder.heartbeat, own.with_name(folder.forwarded.name))
    for file in (*files, *folder.path.glob(f"{own.name}*"), *folder.path.glob(f".{folder.heartbeat.name}*")):
        file.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    """Remove a folder, unless it holds something else."""
    with suppress(OSError):
        path.rmdir()
