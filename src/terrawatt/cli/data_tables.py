"""What `terrawatt data info` prints: tables in a terminal, plain lines elsewhere."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from terrawatt.data.info import DataInfo

Rows = Sequence[tuple[str, ...]]

_PROBLEMS_SHOWN = 20


def print_info(info: DataInfo) -> None:
    """Print an archive or a pack in numbers."""
    console = Console()
    show = _print_table if console.is_terminal else _print_lines
    show(console, "", ("", ""), _facts(info))
    show(console, "splits", ("split", "listed", "here", "usable"), _splits(info))
    for n_classes, counts in info.label_counts.items():
        rows = [(name, str(count)) for name, count in counts.items() if count]
        title = f"{n_classes} labels, {len(rows)} of them here"
        show(console, title, ("label", "patches"), rows)
    for problem in info.problems[:_PROBLEMS_SHOWN]:
        _print(console, problem)
    if len(info.problems) > _PROBLEMS_SHOWN:
        _print(console, f"… and {len(info.problems) - _PROBLEMS_SHOWN} more")


def _facts(info: DataInfo) -> Rows:
    return [
        ("what", f"{info.kind} of BigEarthNet {info.version}"),
        ("where", str(info.path)),
        ("patches", str(info.patches)),
        *(_lists(info) if info.kind == "archive" else []),
        ("without a split", str(info.without_split)),
        *((f"flagged: {reason}", str(count)) for reason, count in info.flagged.items()),
        ("missing or broken", _state(info)),
    ]


def _lists(info: DataInfo) -> Rows:
    """How the archive's lists and the disk agree."""
    listed = sum(split.listed for split in info.splits.values())
    if not listed:
        return [("lists of splits", "none; give them with --splits DIR")]
    here = sum(split.on_disk for split in info.splits.values())
    return [("listed but not on disk", str(listed - here)), ("on disk but on no list", str(info.unlisted))]


def _state(info: DataInfo) -> str:
    if info.problems or info.checked:
        return str(len(info.problems))
    seen = "none by names and sizes" if info.kind == "archive" else "none by the sizes of files"
    return f"{seen}; to look at every pixel add --check"


def _splits(info: DataInfo) -> Rows:
    return [(name, str(split.listed), str(split.on_disk), str(split.usable)) for name, split in info.splits.items()]


def _print_table(console: Console, title: str, header: tuple[str, ...], rows: Rows) -> None:
    table = Table(title=title or None, title_justify="left", show_header=any(header))
    for position, name in enumerate(header):
        table.add_column(name, justify="right" if position else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _print_lines(console: Console, title: str, header: tuple[str, ...], rows: Rows) -> None:
    if title:
        _print(console, f"{title}:")
    for name, *values in rows:
        named = [
            f"{value} {column}" if len(values) > 1 else value for value, column in zip(values, header[1:], strict=True)
        ]
        _print(console, f"{'  ' if title else ''}{name}: {', '.join(named)}")


def _print(console: Console, text: str) -> None:
    """One line, however long, and without rich's own markup."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)
