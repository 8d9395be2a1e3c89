"""The readings of one series as two arrays, from the embedded store.

Python's own module for SQLite makes a tuple and two objects of each row, which takes three times as long as SQLite
itself. A large store is therefore read through the driver of Apache Arrow, which fills arrays. It has a SQLite of its
own, whose locks and those of Python's do not know of each other in one process; so only a file that nobody writes is
read with it, and whatever it cannot do is done row by row.
"""

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from terrawatt.records import Float64Array, Int64Array

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection

Columns = tuple[Int64Array, Float64Array]  # times in ns, values; a failed reading is NaN
Wanted = tuple[str, str, str, int, int]  # measurement, field, tags; first and last time in ns

LARGE_BYTES = 32_000_000  # some 600,000 readings; of fewer, the driver's import takes longer than it saves
_MISSING = (
    "9e999"  # infinite, which no value in a store is: a first batch of nothing but NULL would be taken for integers
)
_BATCH_ROWS = "65536"
_ROW = np.dtype([("t_ns", np.int64), ("value", np.float64)])
_QUERY = (
    "SELECT t_ns, {value} AS value FROM reading WHERE series_id = "
    "(SELECT id FROM series WHERE measurement = ? AND field = ? AND tags = ?) AND t_ns BETWEEN ? AND ? ORDER BY t_ns"
)


def by_row(connection: sqlite3.Connection, wanted: Wanted) -> Columns:
    """Through Python's module.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    table = np.fromiter(connection.execute(_QUERY.format(value="value"), wanted), dtype=_ROW)
    return table["t_ns"].copy(), table["value"].copy()


def is_large_and_at_rest(path: Path, connection: sqlite3.Connection) -> bool:
    """Whether it pays to read a file through Arrow, and nobody has it open to write: then it is in WAL mode."""
    ((mode,),) = connection.execute("PRAGMA journal_mode")
    return mode == "delete" and path.stat().st_size >= LARGE_BYTES


class ArrowColumns:
    """Reads a file at rest through Arrow; gives up at the first thing that it cannot do."""

    def __init__(self, path: Path) -> None:
        """Of a store that was opened, and found to be one, before; nothing is opened yet."""
        self._path = path
        self._connection: Connection | None = None
        self._has_given_up = False

    def read(self, wanted: Wanted) -> Columns | None:
        """The readings; None where they have to be read row by row, which then also tells what is wrong."""
        if self._has_given_up:
            return None
        from adbc_driver_manager.dbapi import Error

        try:
            return self._read(wanted)
        except (Error, OSError):
            self.close()
            self._has_given_up = True
            return None

    def close(self) -> None:
        """Release the file. Idempotent."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self, wanted: Wanted) -> Columns:
        from adbc_driver_sqlite import dbapi

        if self._connection is None:
            self._connection = dbapi.connect(f"{self._path.absolute().as_uri()}?mode=ro")
        with self._connection.cursor(adbc_stmt_kwargs={"adbc.sqlite.query.batch_rows": _BATCH_ROWS}) as cursor:
            cursor.execute(_QUERY.format(value=f"coalesce(value, {_MISSING})"), wanted)
            table = cursor.fetch_arrow_table()
        t_ns, value = (table.column(name).to_numpy() for name in ("t_ns", "value"))
        return t_ns.astype(np.int64, copy=False), np.where(np.isinf(value), np.nan, value)
