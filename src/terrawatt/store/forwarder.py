"""Sends the rows of an embedded store on to a database, and remembers how far it got.

Rows go in the order in which they were committed, so that late, replaced and failed readings go too. The watermark
moves behind the database's answer: a kill in between sends a batch again, which changes nothing there. Between two
batches no file is held open, and no more than one batch is in memory.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from terrawatt.errors import PartialWriteError
from terrawatt.store.interface import Store
from terrawatt.store.sqlite import SqliteStore
from terrawatt.store.watermark import Watermark, Watermarks

BATCH_ROWS = 5000


class Forwarder:
    """Sends one store's rows to one database.

    Attributes:
        sent: how many rows the database took or refused for good.
        complaints: what it refused, each once.
    """

    def __init__(self, store_path: Path, database: Store, name: str) -> None:
        """Go on where the last one ended.

        Args:
            store_path: the SQLite file.
            database: takes the rows.
            name: of the database; the watermark belongs to it.

        Raises:
            StoreError: the file cannot be read.
        """
        self.sent = 0
        self.complaints: list[str] = []
        self._path, self._database, self._name = store_path, database, name
        self._watermarks = Watermarks(store_path)
        with SqliteStore(store_path, read_only=True) as store:
            last = store.last_position()
        mark = self._watermarks.of(name)
        self._mark = mark if mark.position <= last else Watermark()  # else it is of another file

    @property
    def refused(self) -> int:
        """How many rows the database ever refused for good."""
        return self._mark.refused

    def restart(self) -> None:
        """Forget how far it got, e.g. since the database was emptied."""
        self._mark = Watermark()

    def remaining(self) -> int:
        """How many rows are still to be sent.

        Raises:
            StoreError: the file cannot be read.
        """
        with SqliteStore(self._path, read_only=True) as store:
            return store.count_after(self._mark.position)

    def send_batch(self) -> int:
        """Send the next rows; returns how many, 0 when there are none.

        Raises:
            StoreError: the file cannot be read, or the database does not answer or refuses; the rows stay to be sent.
        """
        with SqliteStore(self._path, read_only=True) as store:
            rows = store.after(self._mark.position, BATCH_ROWS)
        if not rows:
            return 0
        refused = 0
        try:
            self._database.write(sample for _, sample in rows)
        except PartialWriteError as error:
            refused = error.refused
            complaints = (f"{self._name}: refused for good: {reason}" for reason in error.reasons)
            self.complaints += [complaint for complaint in complaints if complaint not in self.complaints]
        self._mark = replace(self._mark, position=rows[-1][0], refused=self._mark.refused + refused)
        self._watermarks.set(self._name, self._mark)
        self.sent += len(rows)
        return len(rows)

    def send_all(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """Send batch after batch while there are rows and `go_on()`; returns how many rows.

        Raises:
            StoreError: as `send_batch`; what was sent before stays sent.
        """
        total = 0
        while go_on() and (count := self.send_batch()):
            total += count
        return total
