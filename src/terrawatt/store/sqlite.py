"""The embedded store: one SQLite file, written by one process while others read.

The file is in WAL mode while it is written, so readers never wait and a kill at any moment loses only what was not
committed. `synchronous=NORMAL`: a killed process loses no commit; a power cut may lose the last seconds, but never
damages the file, and no commit waits for the disk, which would disturb what is measured. A clean close leaves a
single plain file, which can be copied and read from a folder without write permission.

Rows also have a position, in the order of their commits, by which they are sent on (`store.forwarder`). Formats are
those of `sqlite_schema`; an older one is read as it is, and brought to the newest when it is opened to be written.
"""

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from terrawatt.errors import StoreError
from terrawatt.records import Sample, Series, SeriesKey
from terrawatt.store import sqlite_schema
from terrawatt.store.sqlite_columns import ArrowColumns, by_row, is_large_and_at_rest
from terrawatt.store.sqlite_schema import APPLICATION_ID, FORMAT_VERSION

__all__ = ["FORMAT_VERSION", "SqliteStore"]

_MEANINGS = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space (what was committed is kept)",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written; is it full, or gone?",
    sqlite3.SQLITE_READONLY: "cannot be written; check the permissions of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check the permissions of the file and its folder",
    sqlite3.SQLITE_NOTADB: "not a SQLite file, so no store of terrawatt",
    sqlite3.SQLITE_CORRUPT: "damaged; restore it from a copy",
    sqlite3.SQLITE_BUSY: "another process is writing to it; end that one first",
}
_BUSY_TIMEOUT_S = 10.0
_FIRST_NS, _LAST_NS = -(2**63), 2**63 - 1


class SqliteStore:
    """Series in one SQLite file; see `store.interface.Store`. Belongs to the thread that made it.

    A value that is not finite is kept as NULL, and read back as NaN: a failed reading.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the file, or make it unless `read_only`.

        Raises:
            StoreError: it is missing, not a store, of a newer format, or cannot be opened or made.
        """
        self._path = path
        self._read_only = read_only
        self._identities: dict[SeriesKey, int] = {}
        self._version = FORMAT_VERSION
        self._arrow: ArrowColumns | None = None
        with self._translated():
            self._connection = _open_to_read(path) if read_only else _connect(path.absolute().as_uri())
        try:
            with self._translated():
                self._check_format()
                if not read_only:
                    self._prepare_to_write()
                elif is_large_and_at_rest(path, self._connection):
                    self._arrow = ArrowColumns(path)
        except StoreError:
            self._connection.close()
            raise

    def write(self, samples: Iterable[Sample]) -> int:
        """Commit samples together; a sample with the key and time of an earlier one replaces it. Returns how many.

        Raises:
            StoreError: the disk is full, or the file cannot be written; then nothing of these samples is kept.
        """
        try:
            with self._transaction():
                first = self._position() + 1
                rows = [
                    (
                        self._identity(sample.key),
                        sample.t_ns,
                        sample.value if math.isfinite(sample.value) else None,
                        seq,
                    )
                    for seq, sample in enumerate(samples, start=first)
                ]
                self._connection.executemany("INSERT OR REPLACE INTO reading VALUES (?, ?, ?, ?)", rows)
        except StoreError:
            self._identities.clear()  # new ones were rolled back
            raise
        return len(rows)

    def read(self, key: SeriesKey, start_ns: int | None = None, end_ns: int | None = None) -> Series:
        """The series between two times (both included; None: unbounded), sorted; empty when there is none.

        Raises:
            StoreError: the file cannot be read.
        """
        bounds = (_FIRST_NS if start_ns is None else start_ns, _LAST_NS if end_ns is None else end_ns)
        wanted = (key.measurement, key.field, _tags_to_text(key), *bounds)
        with self._translated():
            found = self._arrow.read(wanted) if self._arrow is not None else None
            t_ns, value = found if found is not None else by_row(self._connection, wanted)
        return Series(key, t_ns, value)

    def keys(self) -> list[SeriesKey]:
        """All series, sorted by name.

        Raises:
            StoreError: the file cannot be read.
        """
        return sorted(self._named().values(), key=lambda key: (key.measurement, key.field, _tags_to_text(key)))

    def after(self, position: int, limit: int) -> list[tuple[int, Sample]]:
        """The samples behind a position in the order of their commits, at most `limit`, each with its own position.

        A sample that replaced another one has a position of its own, behind all that were there then.

        Raises:
            StoreError: the file cannot be read.
        """
        with self._translated():
            rows = self._connection.execute(sqlite_schema.ROWS_AFTER[self._version], (position, limit)).fetchall()
        keys = self._named()
        return [
            (place, Sample(keys[series_id], t_ns, math.nan if value is None else value))
            for place, series_id, t_ns, value in rows
        ]

    def count_after(self, position: int) -> int:
        """How many samples are behind a position.

        Raises:
            StoreError: the file cannot be read.
        """
        with self._translated():
            return int(self._connection.execute(sqlite_schema.COUNT_AFTER[self._version], (position,)).fetchone()[0])

    def last_position(self) -> int:
        """The position of the last sample; 0 without any.

        Raises:
            StoreError: the file cannot be read.
        """
        with self._translated():
            return self._position()

    def close(self) -> None:
        """Release the store; the last to close a written file leaves it complete in itself. Idempotent."""
        if not self._read_only:
            _leave_one_file(self._connection)
            self._read_only = True
        if self._arrow is not None:
            self._arrow.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _identity(self, key: SeriesKey) -> int:
        """The number of a series, which is entered when it is new."""
        if key not in self._identities:
            names = (key.measurement, key.field, _tags_to_text(key))
            self._connection.execute("INSERT OR IGNORE INTO series (measurement, field, tags) VALUES (?, ?, ?)", names)
            row = self._connection.execute(
                "SELECT id FROM series WHERE measurement = ? AND field = ? AND tags = ?", names
            ).fetchone()
            self._identities[key] = int(row[0])
        return self._identities[key]

    def _position(self) -> int:
        return int(self._connection.execute(sqlite_schema.LAST_POSITION[self._version]).fetchone()[0])

    def _named(self) -> dict[int, SeriesKey]:
        """The series by their numbers."""
        with self._translated():
            rows = self._connection.execute("SELECT id, measurement, field, tags FROM series").fetchall()
        return {
            identity: SeriesKey(measurement, field, tuple(sorted(json.loads(tags).items())))
            for identity, measurement, field, tags in rows
        }

    def _check_format(self) -> None:
        """Refuse another program's file, and a later format; an empty file is nobody's."""
        version = self._pragma("user_version")
        if self._pragma("application_id") != APPLICATION_ID:
            if not _is_empty(self._connection):
                raise StoreError(f"{self._path}: not a store of terrawatt, but another SQLite file; give another path")
            if self._read_only:
                raise StoreError(f"{self._path}: an empty file; the sampler ended before its first reading")
        if version > FORMAT_VERSION:
            raise StoreError(
                f"{self._path}: format {version}, but this version reads up to {FORMAT_VERSION}; update terrawatt"
            )
        self._version = version

    def _prepare_to_write(self) -> None:
        """Go to WAL mode; make the tables in an empty file, and bring those of an older format to the newest."""
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        if self._pragma("application_id") != APPLICATION_ID:
            with self._transaction():
                sqlite_schema.make(self._connection)
        elif self._version < FORMAT_VERSION:
            with self._transaction():
                sqlite_schema.migrate(self._connection, self._pragma("user_version"))
        self._version = FORMAT_VERSION

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing."""
        with self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite itself rolls back when the disk is full
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's errors as one of ours that says what to do."""
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {_explain(self._path, error)}") from error


def _open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that never writes.

    A file in WAL mode has a log and an index beside it, which cannot be made in a folder without write permission.
    Where the log holds nothing the file is complete, and `immutable` reads it without them.
    """
    uri = path.absolute().as_uri()
    try:
        return _connect(f"{uri}?mode=ro")
    except sqlite3.OperationalError:
        log = path.with_name(f"{path.name}-wal")
        if not path.is_file() or (log.exists() and log.stat().st_size > 0):
            raise
        return _connect(f"{uri}?mode=ro&immutable=1")


def _connect(uri: str) -> sqlite3.Connection:
    """A connection without implicit transactions, to a file that SQLite can read."""
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _leave_one_file(connection: sqlite3.Connection) -> None:
    """Move the log into the file, and leave WAL mode when nobody else has the file open.

    Where that fails (a full disk), the committed rows stay in the log, which the next opening reads.
    """
    for pragma in ("PRAGMA busy_timeout = 1000", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode = DELETE"):
        with suppress(sqlite3.OperationalError):
            connection.execute(pragma).fetchall()


def _is_empty(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) = 0 FROM sqlite_schema").fetchone()[0])


def _tags_to_text(key: SeriesKey) -> str:
    return json.dumps(dict(key.tags), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _explain(path: Path, error: sqlite3.Error) -> str:
    """What an error of SQLite means here, and what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code; the upper bits refine it
    if path.is_dir():
        return "a folder, not a store; give the path of a file"
    if code == sqlite3.SQLITE_CANTOPEN and not path.exists():
        return "no such store, and none could be made there; check the path and its folder's permissions"
    return _MEANINGS.get(code, f"cannot be used ({error})")
