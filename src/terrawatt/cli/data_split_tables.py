"""The labels of a split's parts, printed: a table in a terminal, plain lines elsewhere; and as CSV."""

import csv
import io
from pathlib import Path

from rich.console import Console
from rich.table import Table

from terrawatt.data.distribution import COLUMNS, Distribution, as_rows
from terrawatt.runs.atomic import write_text


def print_distribution(found: Distribution) -> None:
    """Print counts, prevalences and deviations of the labels that occur, and which is farthest from the whole."""
    console = Console()
    shown = [i for i in range(len(found.labels)) if found.counts[:, i].any()]
    parts = [p for p, size in enumerate(found.sizes) if size]
    if console.is_terminal:
        _print_table(console, found, shown, parts)
    else:
        for i in shown:
            cells = (f"{found.parts[p]} {_cells(found, p, i)}" for p in parts)
            _print(console, f"{found.labels[i]}: {', '.join(cells)}")
    if len(shown) < len(found.labels):
        _print(console, f"{len(found.labels) - len(shown)} of {len(found.labels)} labels occur nowhere")
    if worst := found.worst():
        label, part, deviation = worst
        _print(console, f"farthest from the whole: {label} in {part}, {100 * deviation:+.2f} %")


def _print_table(console: Console, found: Distribution, shown: list[int], parts: list[int]) -> None:
    title = "patches with the label, their share of the part, and how far that is from the whole's"
    table = Table(title=title, title_justify="left")
    table.add_column("label", overflow="fold")
    for p in parts:
        table.add_column(f"{found.parts[p]}\n{found.sizes[p]}", justify="right")
    for i in shown:
        table.add_row(found.labels[i], *(_cells(found, p, i) for p in parts))
    console.print(table)


def _cells(found: Distribution, part: int, label: int) -> str:
    count, share, deviation = (values[part, label] for values in (found.counts, found.prevalence, found.deviation))
    return f"{count} ({100 * share:.2f} %, {100 * deviation:+.2f} %)"


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def write_csv(found: Distribution, file: Path) -> None:
    """Write one row a label and part, as `distribution.COLUMNS`; shares with full digits, empty where undefined."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(as_rows(found))
    write_text(file, text.getvalue())
