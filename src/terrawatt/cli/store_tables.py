"""What `terrawatt store info` prints."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from terrawatt.runs.layout import RunFolder
from terrawatt.runs.times import format_time
from terrawatt.store.facts import SeriesFacts, facts_of
from terrawatt.store.influx_place import Place
from terrawatt.store.influxdb import InfluxStore
from terrawatt.store.sqlite import SqliteStore
from terrawatt.store.watermark import Watermarks
from terrawatt.units import NS_PER_S

_HOUR_NS = 3600 * NS_PER_S


def print_run(folder: RunFolder, url: str) -> None:
    """Print the series of a run's folder, and how far they were sent on to the database of the settings."""
    with SqliteStore(folder.telemetry, read_only=True) as store:
        facts = [facts_of(store.read(key)) for key in store.keys()]  # noqa: SIM118  # a store is no mapping
    console = Console(highlight=False)
    show = _print_table if console.is_terminal else _print_lines
    show(console, str(folder.telemetry), facts)
    if url != "sqlite":
        _print(console, _sent_on(folder, str(Place.of(url))))


def print_database(influx: InfluxStore) -> None:
    """Print what a database says of itself, and what it holds.

    Raises:
        StoreError: it does not answer, or refuses.
    """
    console = Console(highlight=False)
    pong = influx.ping()
    _print(console, f"{influx}: InfluxDB {pong.version}")
    influx.check()
    now_ns = time.time_ns()
    keys, recent = influx.keys(), influx.keys_between(now_ns - _HOUR_NS, now_ns)
    hosts = sorted({host for key in keys if (host := key.tag("host"))})
    _print(console, f"series: {len(keys)}; hosts: {', '.join(hosts) or 'none'}")
    _print(console, f"in the last hour: {sum(recent.values())} readings of {len(recent)} series")


def _print_table(console: Console, title: str, facts: Sequence[SeriesFacts]) -> None:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("series", overflow="fold")
    for name in ("readings", "failed", "longest gap (s)"):
        table.add_column(name, justify="right")
    for name in ("first", "last"):
        table.add_column(name, no_wrap=True)
    for row in facts:
        table.add_row(*_cells(row))
    console.print(table)


def _print_lines(console: Console, title: str, facts: Sequence[SeriesFacts]) -> None:
    _print(console, f"{title}:")
    for row in facts:
        name, readings, failed, gap_s, first, last = _cells(row)
        gap = f", longest gap {gap_s} s" if gap_s else ""
        _print(console, f"  {name}: {readings} readings, {failed} failed{gap}, {first} to {last}")


def _sent_on(folder: RunFolder, database: str) -> str:
    mark = Watermarks(folder.telemetry).of(database)
    with SqliteStore(folder.telemetry, read_only=True) as store:
        remaining = store.count_after(mark.position)
    refused = f", {mark.refused} refused for good" if mark.refused else ""
    return f"{database}: {remaining} rows are still to be sent{refused}"


def _cells(row: SeriesFacts) -> tuple[str, ...]:
    times = ("" if t_ns is None else format_time(t_ns)[:19] for t_ns in (row.first_ns, row.last_ns))
    gap = "" if row.longest_gap_s is None else f"{row.longest_gap_s:.3g}"
    return (str(row.key), str(row.readings), str(row.failed), gap, *times)


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
