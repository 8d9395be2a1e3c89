"""Reads the folder of results, the store that would be made in it, the sensors, and the lock."""

import math
import os
import shutil
import stat
import tempfile
import time
from contextlib import closing
from pathlib import Path

from terrawatt.errors import ProtocolError, StoreError
from terrawatt.experiment.doctor.judge_places import FolderFacts, TemperatureFacts
from terrawatt.experiment.doctor.judge_store import EmbeddedFacts
from terrawatt.experiment.lock import MachineLock
from terrawatt.records import Sample, SeriesKey
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.temperature import TemperatureReader, find_sensors


def read_folder(results: Path) -> FolderFacts:
    """The folder of results, or the nearest one above it."""
    there = nearest(results)
    free_bytes: int | None = None
    usage = shutil.disk_usage(there)
    if usage.total > 0:  # some file systems, e.g. /proc, do not say
        free_bytes = usage.free
    mode = there.stat().st_mode
    return FolderFacts(
        path=str(there),
        exists=there == results.absolute(),
        is_writable=os.access(there, os.W_OK | os.X_OK),
        # In a sticky folder, as /tmp, others cannot touch what is ours.
        is_open_to_all=bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX,
        free_bytes=free_bytes,
    )


def read_embedded(results: Path) -> EmbeddedFacts:
    """Make a store where runs would have theirs, write and read it, and remove it."""
    there = nearest(results)
    sample = Sample(SeriesKey.of("terrawatt", "doctor"), time.time_ns(), 1.0)
    try:
        with (
            tempfile.TemporaryDirectory(prefix=".terrawatt-doctor-", dir=there) as scratch,
            SqliteStore(Path(scratch) / "telemetry.sqlite") as store,
        ):
            before_s = time.monotonic()
            store.write([sample])
            commit_s = time.monotonic() - before_s
            kept = len(store.read(sample.key))
    except OSError as error:
        return EmbeddedFacts(str(there), f"{there}: no store can be made ({error.strerror})")
    except StoreError as error:
        return EmbeddedFacts(str(there), f"{error}")
    if kept != 1:
        return EmbeddedFacts(str(there), f"{there}: a store there does not keep what is written")
    return EmbeddedFacts(str(there), commit_s=commit_s)


def read_temperature(wanted: str, sys: Path = Path("/sys")) -> TemperatureFacts:
    """The sensors, and what the wanted one shows."""
    sensors = find_sensors(sys)
    temperature_c: float | None = None
    if wanted in sensors:
        try:
            with closing(TemperatureReader("", wanted, sensors[wanted])) as reader:
                value = reader.read()[0]
        except OSError:
            value = math.nan
        temperature_c = None if math.isnan(value) else value
    return TemperatureFacts(wanted, tuple(sensors), temperature_c)


def read_lock(path: Path | None) -> str:
    """Why the machine's lock cannot be had; empty when it can (and is given back)."""
    try:
        with MachineLock(path) as lock:
            lock.acquire()
    except ProtocolError as error:
        return str(error)
    return ""


def nearest(folder: Path) -> Path:
    """The folder, or the first one above it that exists."""
    here = folder.absolute()
    return next((path for path in (here, *here.parents) if path.is_dir()), Path("/"))
