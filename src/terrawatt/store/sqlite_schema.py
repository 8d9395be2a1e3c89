"""The tables of the embedded store, and how older formats become the newest.

Format history (`user_version`): 1, the first. 2: each reading has the number of its commit order, `seq`, by which a
forwarder goes; late readings and replaced ones get a new, higher number, so that none is overlooked.
"""

import sqlite3

FORMAT_VERSION = 2
APPLICATION_ID = 0x74657277  # "terw": tells a store from any other SQLite file

_SERIES = """CREATE TABLE series (
    id INTEGER PRIMARY KEY, measurement TEXT NOT NULL, field TEXT NOT NULL, tags TEXT NOT NULL,
    UNIQUE (measurement, field, tags)
)"""
_READING = """CREATE TABLE reading (
    series_id INTEGER NOT NULL REFERENCES series (id), t_ns INTEGER NOT NULL, value REAL, seq INTEGER NOT NULL,
    PRIMARY KEY (series_id, t_ns)
) WITHOUT ROWID"""
_ORDER = "CREATE INDEX reading_seq ON reading (seq)"
# Format 1 knows no order of commits. Its rows are numbered in the order of its table, which `ROWS_AFTER` shares: a
# forwarder that began before the file was brought to format 2 goes on where it was.
_TO_2 = (
    "ALTER TABLE reading RENAME TO reading_1",
    _READING,
    "INSERT INTO reading SELECT series_id, t_ns, value, row_number() OVER (ORDER BY series_id, t_ns) FROM reading_1",
    "DROP TABLE reading_1",
    _ORDER,
)

# The rows behind a position, in order, each with its own; parameters: position, limit.
ROWS_AFTER = {
    1: "SELECT ?1 + row_number() OVER (), series_id, t_ns, value FROM "
    "(SELECT * FROM reading ORDER BY series_id, t_ns LIMIT ?2 OFFSET ?1)",
    2: "SELECT seq, series_id, t_ns, value FROM reading WHERE seq > ?1 ORDER BY seq LIMIT ?2",
}
COUNT_AFTER = {
    1: "SELECT max(count(*) - ?1, 0) FROM reading",
    2: "SELECT count(*) FROM reading WHERE seq > ?1",
}
LAST_POSITION = {1: "SELECT count(*) FROM reading", 2: "SELECT coalesce(max(seq), 0) FROM reading"}


def make(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty file; inside a transaction."""
    for statement in (_SERIES, _READING, _ORDER):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a file of an older format to the newest; inside a transaction."""
    if version < FORMAT_VERSION:
        for statement in _TO_2:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
